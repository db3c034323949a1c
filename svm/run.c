// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring 2 of the run loop: from the moment the guest's FPU is loaded until an
 * exit, a request or the host asks for more than can be done without sleeping.
 *
 * Interrupts stay off between world switches. A host interrupt ends the guest
 * with an INTR exit, ring 2 is left and the interrupt taken with the host's FPU
 * state parked as the kernel expects it: from 6.15 on softirqs may use the FPU
 * without asking whether they can, so they must never run in here.
 */
#include <linux/context_tracking.h>
#include <linux/hw_breakpoint.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <asm/debugreg.h>
#include <asm/special_insns.h>

#include "compat.h"
#include "contract.h"
#include "guest.h"
#include "internal.h"
#include "requests.h"
#include "vm.h"

static_assert(offsetof(struct svm_switch, vmcb_pa) == 0);
static_assert(offsetof(struct svm_switch, host_pa) == 8);
static_assert(offsetof(struct svm_switch, regs) == 16);
static_assert(offsetof(struct svm_switch, guest_spec_ctrl) == 24);
static_assert(offsetof(struct svm_switch, host_spec_ctrl) == 32);
static_assert(offsetof(struct svm_switch, write_spec_ctrl) == 40);
static_assert(offsetof(struct svm_switch, read_spec_ctrl) == 41);
#ifdef KSVM_CONTRACT
static_assert(offsetof(struct svm_switch, contract_gif) == 42);
static_assert(offsetof(struct svm_switch, contract_keep_gif) == 43);
static_assert(offsetof(struct svm_switch, contract_keep_if) == 44);
static_assert(offsetof(struct svm_switch, contract_rflags) == 48);
#endif

/* DR7 bits that arm a breakpoint. */
#define DR7_ENABLED	0xff

/* The host's debug state that the guest must not run with. */
struct host_debug {
	unsigned long dr[4];
	u64 debugctl;
};

static void debug_registers_load(const unsigned long *dr)
{
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

/*
 * #VMEXIT disarmed DR7; the host's own breakpoints are in the way of nobody till here.
 * DR6 is still the guest's: the host's #DB must not take its bits for causes.
 */
static void debug_registers_leave(struct vcpu_svm *svm, const struct host_debug *host)
{
	if (unlikely(host->debugctl))
		ksvm_wrmsr(MSR_IA32_DEBUGCTLMSR, host->debugctl);
	if (svm->vmcb->save.dr6 != DR6_RESERVED)
		set_debugreg(DR6_RESERVED, 6);
	if (!hw_breakpoint_active())
		return;
	set_debugreg(host->dr[0], 0);
	set_debugreg(host->dr[1], 1);
	set_debugreg(host->dr[2], 2);
	set_debugreg(host->dr[3], 3);
	set_debugreg(DR6_RESERVED, 6);
	set_debugreg(this_cpu_read(cpu_dr7), 7);
}

/*
 * VMRUN leaves DEBUGCTL alone while LBR virtualization is off: the host's traps on
 * bus locks or branches would be the guest's.
 */
static void debug_registers_save(struct host_debug *host)
{
	host->debugctl = ksvm_rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (unlikely(host->debugctl))
		ksvm_wrmsr(MSR_IA32_DEBUGCTLMSR, 0);
	if (!hw_breakpoint_active())
		return;
	get_debugreg(host->dr[0], 0);
	get_debugreg(host->dr[1], 1);
	get_debugreg(host->dr[2], 2);
	get_debugreg(host->dr[3], 3);
	set_debugreg(0UL, 7);
}

/* MSRs that only user mode reads: switched with the ring, not with the world. */
static void user_return_msrs_enter(struct vcpu_svm *svm, const struct svm_cpu *cpu)
{
	u64 tsc_aux = svm->vcpu.x86.msrs.tsc_aux;

	if (boot_cpu_has(X86_FEATURE_RDTSCP) && tsc_aux != cpu->host_tsc_aux)
		ksvm_wrmsr(MSR_TSC_AUX, tsc_aux);
}

static void user_return_msrs_leave(struct vcpu_svm *svm, const struct svm_cpu *cpu)
{
	u64 tsc_aux = svm->vcpu.x86.msrs.tsc_aux;

	if (boot_cpu_has(X86_FEATURE_RDTSCP) && tsc_aux != cpu->host_tsc_aux)
		ksvm_wrmsr(MSR_TSC_AUX, cpu->host_tsc_aux);
}

static void spec_ctrl_enter(struct vcpu_svm *svm)
{
	struct svm_switch *world = &svm->world;

	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) || svm_has(SVM_FEATURE_V_SPEC_CTRL))
		return;
	world->host_spec_ctrl = ksvm_host_spec_ctrl();
	world->write_spec_ctrl = world->read_spec_ctrl ||
				 world->host_spec_ctrl != world->guest_spec_ctrl;
}

/* What the CPU holds of another vCPU, or of this one from another CPU. */
static void vcpu_enter_cpu(struct vcpu_svm *svm, struct svm_cpu *cpu, int this_cpu)
{
	if (svm->vcpu.last_cpu != this_cpu) {
		svm->vcpu.last_cpu = this_cpu;
		svm->asid_generation = 0;
		svm->vmcb->control.clean = 0;
	}
	if (cpu->last_vmcb_pa != svm->vmcb_pa) {
		cpu->last_vmcb_pa = svm->vmcb_pa;
		svm->vmcb->control.clean = 0;
		if (ksvm_ibpb_wanted())
			ksvm_ibpb();
	}
}

/*
 * Everything that the guest needs for the whole ring; mirrored by inner_leave().
 * Return whether there can be a guest at all.
 */
static bool inner_enter(struct vcpu_svm *svm, struct svm_cpu *cpu, struct host_debug *host)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	int this_cpu = smp_processor_id();
	bool svm_is_on;

	svm_contract_ring_enter(svm);
	vcpu->ring = RING_INNER;
	/* Published before the requests are read: see ksvm_vcpu_kick(). */
	smp_store_mb(vcpu->inner_cpu, this_cpu);
	ksvm_guest_timing_enter();
	vcpu_enter_cpu(svm, cpu, this_cpu);
	svm->world.host_pa = cpu->host_vmsave_pa;
	/*
	 * SVM may have been switched off for a reboot. Later in the ring it cannot be, short
	 * of an emergency: interrupts are off. It has to be found here, as the kernel takes
	 * no exception well where RCU thinks that the guest is running.
	 */
	svm_is_on = svm_vmsave(cpu->host_vmsave_pa);
	ksvm_fpu_enter(vcpu);
	debug_registers_save(host);
	user_return_msrs_enter(svm, cpu);
	spec_ctrl_enter(svm);
	svm_pause_enter(svm);
	if (READ_ONCE(vcpu->run->request_interrupt_window))
		vcpu->x86.events.work = true;
	/* For RCU a guest is as good as user space. A tick, if it waits, ends this ring. */
	rcu_note_context_switch(false);
	return svm_is_on;
}

/* Return whether the host is found as it was, which it always is but for a mistake of ours. */
static bool inner_leave(struct vcpu_svm *svm, struct svm_cpu *cpu,
			const struct host_debug *host)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	bool broken;

	user_return_msrs_leave(svm, cpu);
	debug_registers_leave(svm, host);
	ksvm_fpu_leave(vcpu);
	svm_pause_leave(svm);
	ksvm_guest_ran();
	broken = svm_contract_ring_leave(svm);
	vcpu->ring = RING_OUTER;

	/* The interrupt that ended the guest is taken here, still on the guest's time. */
	local_irq_enable();
	WRITE_ONCE(vcpu->inner_cpu, -1);
	ksvm_count(vcpu->stat.ring_leaves);
	local_irq_disable();
	ksvm_guest_timing_leave();
	return !broken;
}

/*
 * From here the guest's context is the current one for RCU and context tracking;
 * nothing may be traced.
 */
static noinstr unsigned int world_switch(struct svm_switch *world)
{
	unsigned int fault;

	context_tracking_guest_enter();
	fault = svm_world_switch(world);
	context_tracking_guest_exit();
	return fault;
}

/* The guest's PKRU is in force only while the guest runs: handlers read user memory. */
static unsigned int world_switch_pkru(struct vcpu_svm *svm)
{
	struct ksvm_guest_fpu *fpu = &svm->vcpu.x86.fpu;
	unsigned int fault;

	if (!cpu_feature_enabled(X86_FEATURE_OSPKE) ||
	    !((svm->vcpu.x86.cr4 & X86_CR4_PKE) || (fpu->xcr0 & XFEATURE_MASK_PKRU)))
		return world_switch(&svm->world);
	wrpkru(fpu->pkru);
	fault = world_switch(&svm->world);
	fpu->pkru = rdpkru();
	wrpkru(fpu->host_pkru);
	return fault;
}

/* Steps that the guest must not know of: user space's, or over an NMI's IRET. */
static void step_enter(struct vcpu_svm *svm)
{
	svm->stepping = true;
	svm->trap_flag_lent = !(svm->vcpu.x86.rflags & X86_EFLAGS_TF);
	svm->vmcb->save.rflags |= X86_EFLAGS_TF;
	svm_lbr_step(svm);
}

static void step_leave(struct vcpu_svm *svm)
{
	svm->stepping = false;
	if (svm->trap_flag_lent)
		svm->vcpu.x86.rflags &= ~X86_EFLAGS_TF;
	svm_lbr_restore(svm);
}

/* Between exits vcpu->x86 is the truth: hand it to the VMCB. */
static void state_to_vmcb(struct vcpu_svm *svm)
{
	const struct ksvm_x86_vcpu *x86 = &svm->vcpu.x86;
	struct vmcb_save *save = &svm->vmcb->save;

	save->rax = x86->regs[EMULATE_RAX];
	save->rsp = x86->regs[EMULATE_RSP];
	save->rip = x86->rip;
	save->rflags = x86->rflags;
	if (svm->nmi_stepping || (x86->guest_debug & KVM_GUESTDBG_SINGLESTEP))
		step_enter(svm);
}

/* MOV to CR8 exits only while something waits for the priority to go down. */
static void cr8_collect(struct vcpu_svm *svm)
{
	unsigned int cr8 = svm->vmcb->control.int_ctl & VMCB_V_TPR;

	if (likely(cr8 == svm->vcpu.x86.cr8))
		return;
	svm->vcpu.x86.cr8 = cr8;
	if (svm->vcpu.apic)
		ksvm_tpr_changed(&svm->vcpu, cr8);
}

static void state_from_vmcb(struct vcpu_svm *svm)
{
	struct ksvm_x86_vcpu *x86 = &svm->vcpu.x86;
	const struct vmcb_save *save = &svm->vmcb->save;

	x86->regs[EMULATE_RAX] = save->rax;
	x86->regs[EMULATE_RSP] = save->rsp;
	x86->rip = save->rip;
	x86->rflags = save->rflags;
	if (svm->stepping)
		step_leave(svm);
	svm_cr0_collect(svm);
	x86->cr2 = save->cr2;
	x86->cr3 = save->cr3;
	x86->insn_length = 0;
	cr8_collect(svm);
}

/*
 * VMRUN refused the VMCB: the guest has not moved, and what VMRUN was to do for it is
 * still to be done. What is in the VMCB now may be anything.
 */
static void entry_refused(struct vcpu_svm *svm, struct svm_cpu *cpu)
{
	svm_asid_not_entered(svm, cpu);
	svm_events_not_entered(svm);
	svm->vmcb->control.tlb_control = VMCB_TLB_NOTHING;
	svm->vmcb->control.clean = 0;
	svm->vcpu.x86.insn_length = 0;
	if (svm->stepping)
		step_leave(svm);
}

/* The checker wants them also of a processor that has none, and ignores them. */
static bool keeps_clean_bits(void)
{
	return svm_has(SVM_FEATURE_CLEAN_BITS) ||
	       (svm_contract_on() && !boot_cpu_has(X86_FEATURE_VMCBCLEAN));
}

/* What has arrived at the local APIC needs no more than a look: true if that was all. */
static bool requests_inner(struct ksvm_vcpu *vcpu)
{
	if (!ksvm_check_request(KSVM_REQ_EVENT, vcpu))
		return false;
	if (!ksvm_irq_collect(vcpu)) {
		ksvm_make_request(KSVM_REQ_EVENT, vcpu);
		return false;
	}
	return !ksvm_request_pending(vcpu);
}

/* One world switch, with what has to stand right before and right after it. */
static enum exit_outcome enter_guest(struct vcpu_svm *svm, struct svm_cpu *cpu)
{
	struct vmcb_control *control = &svm->vmcb->control;
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	bool broken;

	if ((unlikely(ksvm_request_pending(vcpu)) && !requests_inner(vcpu)) ||
	    ksvm_guest_work_pending())
		return EXIT_LEAVE;
	if (vcpu->x86.events.work)
		svm_events_prepare(svm);
	if (svm->asid_generation != cpu->generation || svm->flush_tlb)
		svm_asid_assign(svm, cpu);
	if (svm->vmcb->save.dr7 & DR7_ENABLED)
		debug_registers_load(vcpu->x86.effective_dr);
	state_to_vmcb(svm);

	if (svm_contract_before(svm)) {
		svm_asid_not_entered(svm, cpu);
		return ksvm_exit_error(vcpu, -EIO);
	}
	if (world_switch_pkru(svm))
		return ksvm_exit_error(vcpu, -EIO);
	broken = svm_contract_after(svm);

	if (unlikely((u32)control->exit_code == (u32)SVM_EXIT_ERR)) {
		entry_refused(svm, cpu);
		return broken ? ksvm_exit_error(vcpu, -EIO) : EXIT_REENTER;
	}
	if (keeps_clean_bits())
		control->clean = VMCB_CLEAN_ALL;
	control->tlb_control = VMCB_TLB_NOTHING;
	state_from_vmcb(svm);
	if (svm->injecting || (control->exit_int_info & VMCB_EVENT_VALID))
		svm_events_collect(svm);
	if (svm->nmi_iret)
		svm_nmi_iret_check(svm);
	ksvm_count(vcpu->stat.exits);
	return broken ? ksvm_exit_error(vcpu, -EIO) : EXIT_REENTER;
}

/**
 * svm_vcpu_run() - run the guest until ring 1 is needed
 * @vcpu: the vCPU, by its own thread, in ring 1; SRCU not held
 *
 * Return: what ring 1 does next; see enum exit_outcome. After EXIT_SLOW the
 * last exit is unfinished and svm_handle_exit() finishes it.
 */
enum exit_outcome svm_vcpu_run(struct ksvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct host_debug host_debug;
	enum exit_outcome outcome;
	struct svm_cpu *cpu;

	preempt_disable();
	local_irq_disable();
	cpu = this_cpu_ptr(&svm_cpu);
	outcome = EXIT_REENTER;
	if (unlikely(!inner_enter(svm, cpu, &host_debug)))
		outcome = ksvm_exit_error(vcpu, -EIO);
	while (outcome == EXIT_REENTER) {
		outcome = enter_guest(svm, cpu);
		if (outcome == EXIT_REENTER)
			outcome = svm_exit_dispatch(svm);
	}
	if (!inner_leave(svm, cpu, &host_debug))
		outcome = ksvm_exit_error(vcpu, -EIO);
	local_irq_enable();
	preempt_enable();
	return outcome;
}

/**
 * svm_handle_exit() - finish the last exit where sleeping is allowed
 * @vcpu: the vCPU, by its own thread, in ring 1; SRCU held
 *
 * Return: what ring 1 does next.
 */
enum exit_outcome svm_handle_exit(struct ksvm_vcpu *vcpu)
{
	return svm_exit_dispatch(to_svm(vcpu));
}
