// SPDX-License-Identifier: GPL-2.0-only
/* KVM_SET_GUEST_DEBUG: a debugger in user space shares the debug registers. */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "insn.h"
#include "vcpu.h"
#include "x86_ops.h"

#define GUESTDBG_INJECT	(KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)
#define GUESTDBG_VALID	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP | \
			 KVM_GUESTDBG_USE_HW_BP | GUESTDBG_INJECT)

/* DR7 has 32 bits; bit 10 is one, bits 11, 12, 14 and 15 are zero. */
#define DR7_ALWAYS_ONE	BIT(10)
#define DR7_ALWAYS_ZERO	(BIT(11) | BIT(12) | BIT(14) | BIT(15))

/**
 * ksvm_set_guest_debug() - KVM_SET_GUEST_DEBUG
 * @vcpu: the vCPU, by its own thread
 * @debug: what to debug; debugreg[] are used with KVM_GUESTDBG_USE_HW_BP only
 *
 * Return: 0; -EINVAL for control bits that do not exist; -EBUSY where an
 * exception is to be injected while another one waits.
 */
int ksvm_set_guest_debug(struct ksvm_vcpu *vcpu, const struct kvm_guest_debug *debug)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	u32 control = debug->control;

	if (control & ~GUESTDBG_VALID)
		return -EINVAL;
	if (control & GUESTDBG_INJECT) {
		if (x86->events.exception_pending || x86->events.exception_injected)
			return -EBUSY;
		ksvm_queue_exception(vcpu, control & KVM_GUESTDBG_INJECT_DB ? X86_TRAP_DB :
									     X86_TRAP_BP);
	}

	x86->guest_debug = control & KVM_GUESTDBG_ENABLE ? control & ~GUESTDBG_INJECT : 0;
	if (x86->guest_debug & KVM_GUESTDBG_USE_HW_BP) {
		int i;

		for (i = 0; i < ARRAY_SIZE(x86->effective_dr); i++)
			x86->effective_dr[i] = debug->arch.debugreg[i];
		x86->guest_debug_dr7 = ((u32)debug->arch.debugreg[7] & ~DR7_ALWAYS_ZERO) |
				       DR7_ALWAYS_ONE;
	}
	ksvm_update_debug(vcpu);
	return 0;
}

/**
 * ksvm_update_debug() - recompute the processor's debug registers
 * @vcpu: the vCPU, by its own thread; its debug registers or guest_debug
 *	have changed
 *
 * A debugger's hardware breakpoints take the place of the guest's own.
 */
void ksvm_update_debug(struct ksvm_vcpu *vcpu)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	BUILD_BUG_ON(sizeof(x86->effective_dr) != sizeof(x86->dr));
	if (!(x86->guest_debug & KVM_GUESTDBG_USE_HW_BP))
		memcpy(x86->effective_dr, x86->dr, sizeof(x86->effective_dr));
	static_call(ksvm_x86_update_debug)(vcpu);
}

/**
 * ksvm_trap_flag_traps() - does TF raise #DB behind an instruction that was
 *	completed for the guest
 * @vcpu: the vCPU, by its own thread; TF was set before the instruction
 * @branched: it went elsewhere than to the next one
 *
 * DEBUGCTL.BTF has the processor step from branch to branch.
 */
bool ksvm_trap_flag_traps(struct ksvm_vcpu *vcpu, bool branched)
{
	u64 debugctl;

	return branched ||
	       static_call(ksvm_x86_get_msr)(vcpu, MSR_IA32_DEBUGCTLMSR, &debugctl, true) ||
	       !(debugctl & DEBUGCTLMSR_BTF);
}

/**
 * ksvm_exit_debug() - tell the debugger
 * @vcpu: the vCPU, by its own thread
 * @exception: X86_TRAP_DB or X86_TRAP_BP
 * @dr6: what DR6 would say
 * @dr7: DR7 in force
 *
 * Return: EXIT_USER.
 */
enum exit_outcome ksvm_exit_debug(struct ksvm_vcpu *vcpu, u32 exception, unsigned long dr6,
				  unsigned long dr7)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_DEBUG;
	run->debug.arch = (struct kvm_debug_exit_arch) {
		.exception = exception,
		.pc = ksvm_linear_rip(vcpu),
		.dr6 = dr6,
		.dr7 = dr7,
	};
	return EXIT_USER;
}
