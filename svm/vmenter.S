/* SPDX-License-Identifier: GPL-2.0-only */
/* Ring 3 of the run loop: the world switch. */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#ifndef X86_FEATURE_CLEAR_CPU_BUF_VM
#error "ksvm needs Linux 6.1 or later with its stable fixes of 2025 (TSA)"
#endif

/* struct svm_switch; svm/run.c asserts these. */
#define SWITCH_VMCB_PA		0
#define SWITCH_HOST_PA		8
#define SWITCH_REGS		16
#define SWITCH_GUEST_SPEC_CTRL	24
#define SWITCH_HOST_SPEC_CTRL	32
#define SWITCH_WRITE_SPEC_CTRL	40
#define SWITCH_READ_SPEC_CTRL	41
/* With the contract checker only. */
#define SWITCH_GIF		42
#define SWITCH_KEEP_GIF		43
#define SWITCH_KEEP_IF		44
#define SWITCH_RFLAGS		48

/* vcpu->x86.regs: by the encoding of the register. RAX and RSP are the VMCB's. */
#define REG_RCX		(1 * 8)
#define REG_RDX		(2 * 8)
#define REG_RBX		(3 * 8)
#define REG_RBP		(5 * 8)
#define REG_RSI		(6 * 8)
#define REG_RDI		(7 * 8)
#define REG_R(n)	((n) * 8)

	.section .rodata, "a"
	.balign 64
.Lverw_selector:
	.word __KERNEL_DS
	.balign 64

	.section .noinstr.text, "ax"

/* Write SPEC_CTRL from memory; clobbers RAX, RCX, RDX. */
.macro WRITE_SPEC_CTRL value:req
	mov	\value, %eax
	mov	4 + \value, %edx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
.endm

/*
 * unsigned int svm_world_switch(struct svm_switch *switch)
 *
 * Called with interrupts off, returns with interrupts off and GIF set. While
 * GIF is clear, RFLAGS.IF is set: it is what makes a host interrupt end the
 * guest. Returns 0, or 1 where an SVM instruction faulted: only an emergency
 * reboot that switched SVM off under us brings that about.
 */
SYM_FUNC_START(svm_world_switch)
	push	%rbp
	mov	%rsp, %rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi

1:	clgi
#ifdef KSVM_CONTRACT
	movb	$0, SWITCH_GIF(%rdi)
	cmpb	$0, SWITCH_KEEP_IF(%rdi)
	jne	.Lcontract_rflags
#endif
	sti
#ifdef KSVM_CONTRACT
.Lcontract_rflags:
	pushf
	pop	SWITCH_RFLAGS(%rdi)
#endif
	cmpb	$0, SWITCH_WRITE_SPEC_CTRL(%rdi)
	je	.Lload_guest
	WRITE_SPEC_CTRL SWITCH_GUEST_SPEC_CTRL(%rdi)

.Lload_guest:
	mov	SWITCH_VMCB_PA(%rdi), %rax
2:	vmload	%rax
	mov	SWITCH_REGS(%rdi), %rdi
	mov	REG_RCX(%rdi), %rcx
	mov	REG_RDX(%rdi), %rdx
	mov	REG_RBX(%rdi), %rbx
	mov	REG_RBP(%rdi), %rbp
	mov	REG_RSI(%rdi), %rsi
	mov	REG_R(8)(%rdi), %r8
	mov	REG_R(9)(%rdi), %r9
	mov	REG_R(10)(%rdi), %r10
	mov	REG_R(11)(%rdi), %r11
	mov	REG_R(12)(%rdi), %r12
	mov	REG_R(13)(%rdi), %r13
	mov	REG_R(14)(%rdi), %r14
	mov	REG_R(15)(%rdi), %r15
	mov	REG_RDI(%rdi), %rdi
	/* Jump over rather than patch in: not every kernel can relocate a replacement. */
	ALTERNATIVE "jmp .Lvmrun", "", X86_FEATURE_CLEAR_CPU_BUF_VM
	verw	.Lverw_selector(%rip)
.Lvmrun:
3:	vmrun	%rax
4:	vmsave	%rax

	mov	(%rsp), %rax
	mov	SWITCH_REGS(%rax), %rax
	mov	%rcx, REG_RCX(%rax)
	mov	%rdx, REG_RDX(%rax)
	mov	%rbx, REG_RBX(%rax)
	mov	%rbp, REG_RBP(%rax)
	mov	%rsi, REG_RSI(%rax)
	mov	%rdi, REG_RDI(%rax)
	mov	%r8, REG_R(8)(%rax)
	mov	%r9, REG_R(9)(%rax)
	mov	%r10, REG_R(10)(%rax)
	mov	%r11, REG_R(11)(%rax)
	mov	%r12, REG_R(12)(%rax)
	mov	%r13, REG_R(13)(%rax)
	mov	%r14, REG_R(14)(%rax)
	mov	%r15, REG_R(15)(%rax)

	/* The host's GS base has to be back before anything that is per CPU. */
	mov	(%rsp), %rdi
	mov	SWITCH_HOST_PA(%rdi), %rax
5:	vmload	%rax

	/* Before the first return: the guest may have trained the predictors. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
	cmpb	$0, SWITCH_READ_SPEC_CTRL(%rdi)
	je	.Lhost_spec_ctrl
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	mov	%eax, SWITCH_GUEST_SPEC_CTRL(%rdi)
	mov	%edx, 4 + SWITCH_GUEST_SPEC_CTRL(%rdi)
.Lhost_spec_ctrl:
	cmpb	$0, SWITCH_WRITE_SPEC_CTRL(%rdi)
	je	.Luntrain
	WRITE_SPEC_CTRL SWITCH_HOST_SPEC_CTRL(%rdi)
.Luntrain:
	CALL_UNTRAIN_RET
	ALTERNATIVE "jmp .Lno_ibpb", "", X86_FEATURE_IBPB_ON_VMEXIT
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
	/* The kernel counts on a barrier that takes the return stack with it. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_BUG_IBPB_NO_RET
.Lno_ibpb:
	xor	%eax, %eax

	/* Nothing of the guest's stays in a register that C might speculate with. */
.Lreturn:
	cli
#ifdef KSVM_CONTRACT
	cmpb	$0, SWITCH_KEEP_GIF(%rdi)
	jne	.Lclear
#endif
6:	stgi
#ifdef KSVM_CONTRACT
	movb	$1, SWITCH_GIF(%rdi)
#endif
.Lclear:
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET

	/*
	 * Behind CLGI. VMLOAD may have replaced the host's part of the state already:
	 * it comes back before anything that is per CPU.
	 */
.Lfault:
	mov	(%rsp), %rdi
	mov	SWITCH_HOST_PA(%rdi), %rax
7:	vmload	%rax
.Lfault_no_svm:
	mov	$1, %eax
	jmp	.Lreturn
.Lno_gif:
	cli
	mov	$1, %eax
	jmp	.Lclear

	_ASM_EXTABLE(1b, .Lno_gif)
	_ASM_EXTABLE(2b, .Lfault)
	_ASM_EXTABLE(3b, .Lfault)
	_ASM_EXTABLE(4b, .Lfault)
	_ASM_EXTABLE(5b, .Lfault_no_svm)
	_ASM_EXTABLE(6b, .Lclear)
	_ASM_EXTABLE(7b, .Lfault_no_svm)
SYM_FUNC_END(svm_world_switch)
