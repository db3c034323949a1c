/* SPDX-License-Identifier: GPL-2.0-only */
/* In assembly because objtool knows the kernel's way to fill a return stack only here. */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

	.text

/*
 * void ksvm_ibpb(void) - indirect branch prediction barrier on this CPU
 *
 * Only where ksvm_ibpb_wanted(). Some processors leave the return stack out of it.
 */
SYM_FUNC_START(ksvm_ibpb)
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_BUG_IBPB_NO_RET
	RET
SYM_FUNC_END(ksvm_ibpb)
