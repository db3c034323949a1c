// SPDX-License-Identifier: GPL-2.0-only
/* Ring 1: KVM_RUN, from the completion of the last exit to the next one. */
#include <linux/kvm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/srcu.h>

#include "bug.h"
#include "compat.h"
#include "internal.h"
#include "requests.h"
#include "vcpu.h"
#include "vm.h"
#include "x86_ops.h"

/*
 * The thread's own mask waits in real_blocked: a signal that is blocked there
 * interrupts KVM_RUN, but is neither dropped nor acted upon; it is still pending
 * when the mask is back.
 */
static void sigset_enter(struct ksvm_vcpu *vcpu)
{
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
}

static void sigset_leave(struct ksvm_vcpu *vcpu)
{
	if (!vcpu->sigset_active)
		return;
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

static void ring_enter(struct ksvm_vcpu *vcpu) __acquires(&vcpu->vm->mmu.srcu)
{
	vcpu->srcu_index = srcu_read_lock(&vcpu->vm->mmu.srcu);
	vcpu->ring = RING_OUTER;
}

static void ring_leave(struct ksvm_vcpu *vcpu) __releases(&vcpu->vm->mmu.srcu)
{
	vcpu->ring = RING_OUTSIDE;
	srcu_read_unlock(&vcpu->vm->mmu.srcu, vcpu->srcu_index);
}

static enum exit_outcome exit_user(struct ksvm_vcpu *vcpu, u32 reason)
{
	WRITE_ONCE(vcpu->run->exit_reason, reason);
	return EXIT_USER;
}

static enum exit_outcome exit_interrupted(struct ksvm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->run->exit_reason, KVM_EXIT_INTR);
	return ksvm_exit_error(vcpu, -EINTR);
}

/* What user space hands in; each field may change while it is looked at. */
static enum exit_outcome take_run_page(struct ksvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 cr8 = READ_ONCE(run->cr8);

	if (READ_ONCE(run->kvm_valid_regs) || READ_ONCE(run->kvm_dirty_regs))
		return ksvm_exit_error(vcpu, -EINVAL);
	if (!vcpu->apic && cr8 != vcpu->x86.cr8 && ksvm_set_cr8(vcpu, cr8))
		return ksvm_exit_error(vcpu, -EINVAL);
	return EXIT_REENTER;
}

/* User space's 8259 may interrupt: always where the 8259 is not user space's. */
static bool ready_for_interrupt(struct ksvm_vcpu *vcpu)
{
	if (vcpu->vm->irq.chip == KSVM_IRQCHIP_KERNEL)
		return true;
	return ksvm_ready_for_interrupt(vcpu) &&
	       (!vcpu->apic ||
		(ksvm_irq_accepts_extint(vcpu) && !ksvm_irq_extint_queued(vcpu)));
}

/* The guest's own part of the run page: on every return, failed ones too. */
static void fill_run_page(struct ksvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	WRITE_ONCE(run->ready_for_interrupt_injection, ready_for_interrupt(vcpu));
	WRITE_ONCE(run->if_flag, !!(vcpu->x86.rflags & X86_EFLAGS_IF));
	WRITE_ONCE(run->flags, 0);
	WRITE_ONCE(run->cr8, vcpu->x86.cr8);
	WRITE_ONCE(run->apic_base, vcpu->x86.msrs.apic_base);
}

static enum exit_outcome complete_exit(struct ksvm_vcpu *vcpu)
{
	enum exit_outcome (*complete)(struct ksvm_vcpu *vcpu) = vcpu->complete;

	if (!complete)
		return EXIT_REENTER;
	vcpu->complete = NULL;
	return complete(vcpu);
}

/* May be away for long: nobody else's update of the memory slots waits for it. */
static void yield_processor(struct ksvm_vcpu *vcpu)
{
	ring_leave(vcpu);
	ksvm_vcpu_yield(vcpu);
	ring_enter(vcpu);
}

static enum exit_outcome handle_requests(struct ksvm_vcpu *vcpu)
{
	if (likely(!ksvm_request_pending(vcpu)))
		return EXIT_REENTER;

	ksvm_check_request(KSVM_REQ_KICK, vcpu);
	if (ksvm_check_request(KSVM_REQ_VM_DEAD, vcpu))
		return ksvm_exit_error(vcpu, -EIO);
	if (ksvm_check_request(KSVM_REQ_TRIPLE_FAULT, vcpu))
		return exit_user(vcpu, KVM_EXIT_SHUTDOWN);
	if (ksvm_check_request(KSVM_REQ_TLB_FLUSH, vcpu))
		static_call(ksvm_x86_flush_tlb)(vcpu);
	if (ksvm_check_request(KSVM_REQ_YIELD, vcpu))
		yield_processor(vcpu);
	if (ksvm_check_request(KSVM_REQ_EVENT, vcpu) && !ksvm_irq_collect(vcpu))
		ksvm_irq_accept_init(vcpu);
	if (ksvm_check_request(KSVM_REQ_IOAPIC_EOI, vcpu)) {
		vcpu->run->eoi.vector = ksvm_irq_eoi_vector(vcpu);
		return exit_user(vcpu, KVM_EXIT_IOAPIC_EOI);
	}
	return EXIT_REENTER;
}

/* A signal, rescheduling, and what else a thread does before it is user mode's. */
static enum exit_outcome handle_host_work(struct ksvm_vcpu *vcpu)
{
	int error;

	if (likely(!ksvm_guest_work_pending()))
		return EXIT_REENTER;

	ring_leave(vcpu);
	error = ksvm_guest_work();
	ring_enter(vcpu);
	return error ? exit_interrupted(vcpu) : EXIT_REENTER;
}

static enum exit_outcome enter_guest(struct ksvm_vcpu *vcpu)
{
	enum exit_outcome outcome;

	srcu_read_unlock(&vcpu->vm->mmu.srcu, vcpu->srcu_index);
	outcome = static_call(ksvm_x86_vcpu_run)(vcpu);
	vcpu->srcu_index = srcu_read_lock(&vcpu->vm->mmu.srcu);

	if (outcome == EXIT_SLOW) {
		ksvm_count(vcpu->stat.slow_exits);
		outcome = static_call(ksvm_x86_handle_exit)(vcpu);
		if (KSVM_BUG_ON(outcome == EXIT_SLOW, vcpu->vm))
			return ksvm_exit_error(vcpu, -EIO);
	}
	return outcome;
}

static bool outcome_continues(enum exit_outcome outcome)
{
	return outcome == EXIT_REENTER || outcome == EXIT_LEAVE;
}

static bool interrupt_window_open(struct ksvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->request_interrupt_window) &&
	       vcpu->vm->irq.chip != KSVM_IRQCHIP_KERNEL && ready_for_interrupt(vcpu);
}

/* Not runnable: sleep until there is something to look at. */
static enum exit_outcome wait_to_run(struct ksvm_vcpu *vcpu)
{
	ring_leave(vcpu);
	ksvm_vcpu_halt(vcpu);
	ring_enter(vcpu);
	return EXIT_REENTER;
}

static bool runnable(struct ksvm_vcpu *vcpu)
{
	if (vcpu->mp_state == KVM_MP_STATE_HALTED && ksvm_vcpu_wakes(vcpu))
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	return vcpu->mp_state == KVM_MP_STATE_RUNNABLE;
}

/* Enter the guest until user space has to act: EXIT_USER or EXIT_ERROR. */
static enum exit_outcome run_guest(struct ksvm_vcpu *vcpu)
{
	enum exit_outcome outcome;

	do {
		outcome = handle_requests(vcpu);
		if (!outcome_continues(outcome))
			break;
		if (interrupt_window_open(vcpu))
			return exit_user(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
		outcome = handle_host_work(vcpu);
		if (!outcome_continues(outcome))
			break;
		outcome = runnable(vcpu) ? enter_guest(vcpu) : wait_to_run(vcpu);
	} while (outcome_continues(outcome));
	return outcome;
}

/*
 * The order counts: what is left of the last exit is completed before anything
 * can interrupt, so that user space can make a vCPU's state whole by running it
 * with immediate_exit set. It may do so while it still handles that exit, whose
 * reason therefore stays.
 */
static enum exit_outcome run(struct ksvm_vcpu *vcpu)
{
	u32 last_reason = READ_ONCE(vcpu->run->exit_reason);
	enum exit_outcome outcome;

	WRITE_ONCE(vcpu->run->exit_reason, KVM_EXIT_UNKNOWN);
	outcome = take_run_page(vcpu);
	if (!outcome_continues(outcome))
		return outcome;
	outcome = complete_exit(vcpu);
	if (KSVM_BUG_ON(outcome == EXIT_SLOW, vcpu->vm))
		return ksvm_exit_error(vcpu, -EIO);
	if (!outcome_continues(outcome))
		return outcome;
	if (ksvm_immediate_exit(vcpu->run)) {
		WRITE_ONCE(vcpu->run->exit_reason, last_reason);
		return ksvm_exit_error(vcpu, -EINTR);
	}
	return run_guest(vcpu);
}

/*
 * KVM_EXIT_UNKNOWN is what the reason was before the run, so a handler forgot to
 * give one, or user space wrote over it: no reason to warn, but to tell.
 */
static void report_missing_reason(struct kvm_run *run)
{
	WRITE_ONCE(run->internal.suberror, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
	WRITE_ONCE(run->internal.ndata, 0);
	WRITE_ONCE(run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
}

/**
 * ksvm_vcpu_run() - KVM_RUN
 * @vcpu: the vCPU, with its mutex held
 *
 * Context: the thread that is the vCPU for the time of the call; sleeps.
 * Return: 0 where the run page says why the guest stopped; -EINTR for a signal,
 * with KVM_EXIT_INTR in the run page, or immediate_exit, with the reason that was
 * there; -EINVAL for a run page that asks for what is not offered; -EFAULT,
 * -ENOMEM or -EIO where the guest cannot go on.
 */
int ksvm_vcpu_run(struct ksvm_vcpu *vcpu)
{
	enum exit_outcome outcome;

	lockdep_assert_held(&vcpu->mutex);

	rcu_assign_pointer(vcpu->runner, current);
	sigset_enter(vcpu);
	ring_enter(vcpu);
	outcome = run(vcpu);
	fill_run_page(vcpu);
	ring_leave(vcpu);
	sigset_leave(vcpu);
	RCU_INIT_POINTER(vcpu->runner, NULL);

	if (outcome == EXIT_ERROR)
		return vcpu->run_error;
	ksvm_count(vcpu->stat.user_exits);
	if (unlikely(READ_ONCE(vcpu->run->exit_reason) == KVM_EXIT_UNKNOWN))
		report_missing_reason(vcpu->run);
	return 0;
}
