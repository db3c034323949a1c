// SPDX-License-Identifier: GPL-2.0-only
/* Exit handlers of everything but intercepted instructions. */
#include <linux/kvm.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "compat.h"
#include "exits.h"
#include "guest.h"
#include "internal.h"
#include "requests.h"
#include "vm.h"

/* A host interrupt, NMI or SMI: it is taken when ring 2 has been left. */
enum exit_outcome exit_host_event(struct vcpu_svm *svm)
{
	return EXIT_LEAVE;
}

/* Ring 1 looks whether user space asked for the window, which it may for its own 8259. */
enum exit_outcome exit_interrupt_window(struct vcpu_svm *svm)
{
	svm_interrupt_window_opened(svm);
	return svm->vcpu.vm->irq.chip == KSVM_IRQCHIP_KERNEL ? EXIT_REENTER : EXIT_LEAVE;
}

/*
 * Intercepted always, like #AC below: a guest can make the delivery of either
 * raise it again without end, and no interrupt would ever get through.
 */
enum exit_outcome exit_debug(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	unsigned long dr6 = svm->vmcb->save.dr6;
	unsigned long raised = dr6 ^ DR6_RESERVED;

	/* Only a #DB changes DR6, and this one is not the guest's until it is delivered. */
	svm_set_dr6(svm, vcpu->x86.dr6);
	svm_lbr_restore(svm);

	if (svm_nmi_step_done(svm) && !(vcpu->x86.guest_debug & KVM_GUESTDBG_SINGLESTEP)) {
		/* A step that the guest has asked for as well is the guest's. */
		if (svm->trap_flag_lent || (svm->debugctl & DEBUGCTLMSR_BTF))
			raised &= ~DR_STEP;
		if (!(raised & (DR_STEP | DR_TRAP_BITS)))
			return EXIT_REENTER;
	}
	if (vcpu->x86.guest_debug & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP))
		return ksvm_exit_debug(vcpu, X86_TRAP_DB, dr6, svm->vmcb->save.dr7);
	ksvm_queue_debug(vcpu, raised);
	return EXIT_REENTER;
}

/* Intercepted only while user space has software breakpoints. */
enum exit_outcome exit_breakpoint(struct vcpu_svm *svm)
{
	return ksvm_exit_debug(&svm->vcpu, X86_TRAP_BP, 0, 0);
}

enum exit_outcome exit_undefined_opcode(struct vcpu_svm *svm)
{
	return ksvm_undefined_opcode(&svm->vcpu);
}

enum exit_outcome exit_alignment_check(struct vcpu_svm *svm)
{
	ksvm_queue_exception_error(&svm->vcpu, X86_TRAP_AC, 0);
	return EXIT_REENTER;
}

/* The host's error, met while the guest ran. */
enum exit_outcome exit_machine_check(struct vcpu_svm *svm)
{
	ksvm_host_machine_check();
	return EXIT_LEAVE;
}

static enum exit_outcome internal_error(struct vcpu_svm *svm, u32 suberror)
{
	struct kvm_run *run = svm->vcpu.run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = 2;
	run->internal.data[0] = svm->vmcb->control.exit_code;
	run->internal.data[1] = svm->vcpu.last_cpu;
	return EXIT_USER;
}

enum exit_outcome exit_npf(struct vcpu_svm *svm)
{
	u64 gpa = svm->vmcb->control.exit_info_2;
	struct ksvm_vcpu *vcpu = &svm->vcpu;

	switch (ksvm_npf(vcpu, gpa, svm->vmcb->control.exit_info_1)) {
	case NPF_FIXED:
		ksvm_count(vcpu->stat.npf_fixed);
		return EXIT_REENTER;
	case NPF_SLOW:
		return EXIT_SLOW;
	case NPF_MMIO:
		/* Pushing an event's frame, say: no instruction to emulate. */
		if (svm->vmcb->control.exit_int_info & VMCB_EVENT_VALID)
			return internal_error(svm, KVM_INTERNAL_ERROR_DELIVERY_EV);
		return ksvm_emulate_mmio(vcpu, gpa, svm->vmcb->control.exit_info_1);
	case NPF_RETRY:
		return EXIT_LEAVE;
	case NPF_BAD_ADDRESS:
		return ksvm_exit_error(vcpu, -EFAULT);
	case NPF_NO_MEMORY:
		return ksvm_exit_error(vcpu, -ENOMEM);
	}
	return exit_unknown(svm);
}

/* The VMCB is undefined after a shutdown: start over, as INIT would. */
enum exit_outcome exit_shutdown(struct vcpu_svm *svm)
{
	ksvm_x86_vcpu_reset(&svm->vcpu, true);
	svm->vcpu.run->exit_reason = KVM_EXIT_SHUTDOWN;
	return EXIT_USER;
}

/* Hardware task switches are not emulated: user space learns of the guest's try. */
enum exit_outcome exit_task_switch(struct vcpu_svm *svm)
{
	return internal_error(svm, KVM_INTERNAL_ERROR_EMULATION);
}

/* An exit that nobody asked for: the guest cannot go on, the host can. */
enum exit_outcome exit_unknown(struct vcpu_svm *svm)
{
	return internal_error(svm, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
}

/* VMRUN found the state inconsistent and did not enter the guest. */
enum exit_outcome exit_invalid(struct vcpu_svm *svm)
{
	struct kvm_run *run = svm->vcpu.run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = svm->vmcb->control.exit_code;
	run->fail_entry.cpu = svm->vcpu.last_cpu;
	return EXIT_USER;
}
