// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event injection (AMD64 manual, volume 2, "Event Injection"): what waits in
 * vcpu->x86.events goes into EVENTINJ, one event per VMRUN, and what the
 * processor could not deliver comes back through EXITINTINFO.
 *
 * Order: what was cut short goes first, then exceptions, NMI, interrupts. What
 * cannot be delivered now leaves an intercept behind that ends the guest when
 * it can.
 */
#include <linux/kvm.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "internal.h"
#include "vm.h"

/* INTO's is the same. */
#define INT3_LENGTH	1
#define INTN_LENGTH	2

static void inject(struct vcpu_svm *svm, enum svm_injecting what, u64 event)
{
	svm->vmcb->control.event_inj = event | VMCB_EVENT_VALID;
	svm->injecting = what;
	ksvm_count(svm->vcpu.stat.injected);
}

/*
 * For what an instruction raises, processors with NRIPS push next_rip. Exits during
 * delivery clear it, and an event of user space's never had one. RIP is at the instruction.
 */
static void next_rip_set(struct vcpu_svm *svm, unsigned int length)
{
	if (boot_cpu_has(X86_FEATURE_NRIPS))
		svm->vmcb->control.next_rip = svm->vcpu.x86.rip + length;
}

static void inject_exception(struct vcpu_svm *svm)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;
	const struct ksvm_exception *exception = &events->exception;
	u64 event = VMCB_EVENT_TYPE_EXCEPTION | exception->vector;

	if (events->exception_pending)
		ksvm_deliver_payload(&svm->vcpu);
	if (exception->has_error_code)
		event |= VMCB_EVENT_ERROR_CODE_VALID |
			 (u64)exception->error_code << VMCB_EVENT_ERROR_CODE_SHIFT;
	if (exception->vector == X86_TRAP_BP || exception->vector == X86_TRAP_OF)
		next_rip_set(svm, INT3_LENGTH);
	if (exception->vector == X86_TRAP_DB)
		svm_lbr_debug_delivered(svm);
	events->exception_pending = false;
	events->exception_injected = true;
	inject(svm, INJECTING_EXCEPTION, event);
}

static void inject_nmi(struct vcpu_svm *svm)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;

	if (!events->nmi_injected)
		events->nmi_pending--;
	events->nmi_injected = true;
	events->nmi_masked = true;
	svm->nmi_iret = false;
	inject(svm, INJECTING_NMI, VMCB_EVENT_TYPE_NMI | X86_TRAP_NMI);
}

static void inject_interrupt(struct vcpu_svm *svm)
{
	const struct ksvm_events *events = &svm->vcpu.x86.events;

	if (events->interrupt_soft)
		next_rip_set(svm, INTN_LENGTH);
	inject(svm, INJECTING_INTERRUPT, events->interrupt_vector |
	       (events->interrupt_soft ? VMCB_EVENT_TYPE_SOFT : VMCB_EVENT_TYPE_INTR));
}

/* A virtual interrupt that nobody wants delivered: its exit says that the window is open. */
static void interrupt_window_set(struct vcpu_svm *svm, bool wanted)
{
	const u64 window = VMCB_V_IRQ | VMCB_V_INTR_PRIO | VMCB_V_IGN_TPR;
	u64 int_ctl = svm->vmcb->control.int_ctl & ~window;

	if (svm->window_open_wanted == wanted)
		return;
	svm->window_open_wanted = wanted;
	if (wanted) {
		int_ctl |= window;
		svm->intercepts[INTERCEPT_OWNER_WINDOW].misc1 |= INTERCEPT_VINTR;
	} else {
		svm->intercepts[INTERCEPT_OWNER_WINDOW].misc1 &= ~INTERCEPT_VINTR;
	}
	vmcb_set_int_ctl(svm->vmcb, int_ctl);
	svm_intercepts_update(svm);
}

/* NMIs are masked, by the one just injected or by user space: until an IRET. */
static void nmi_end_watch(struct vcpu_svm *svm)
{
	u32 *misc1 = &svm->intercepts[INTERCEPT_OWNER_WINDOW].misc1;

	if (svm->nmi_iret || (*misc1 & INTERCEPT_IRET))
		return;
	*misc1 |= INTERCEPT_IRET;
	svm_intercepts_update(svm);
}

/* Step over the instruction that an NMI waits for. */
static void nmi_step(struct vcpu_svm *svm)
{
	if (svm->nmi_stepping)
		return;
	svm->nmi_stepping = true;
	svm->intercepts[INTERCEPT_OWNER_WINDOW].exception |= BIT(X86_TRAP_DB);
	svm_intercepts_update(svm);
}

/* The local APIC's, or through it the 8259's: taken from there once it can be delivered. */
static void inject_from_apic(struct vcpu_svm *svm)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;
	int vector;

	if (!ksvm_interrupt_allowed(&svm->vcpu))
		return;
	vector = ksvm_irq_take(&svm->vcpu);
	if (vector < 0)
		return;
	events->interrupt_pending = true;
	events->interrupt_soft = false;
	events->interrupt_vector = vector;
	inject_interrupt(svm);
}

static void inject_one(struct vcpu_svm *svm)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;

	if (events->exception_injected || events->exception_pending)
		inject_exception(svm);
	else if (events->nmi_injected)
		inject_nmi(svm);
	else if (events->nmi_pending && !events->nmi_masked &&
		 !svm_get_interrupt_shadow(&svm->vcpu))
		inject_nmi(svm);
	else if (events->interrupt_pending &&
		 (events->interrupt_soft || ksvm_interrupt_allowed(&svm->vcpu)))
		inject_interrupt(svm);
	else if (!events->interrupt_pending && svm->vcpu.apic)
		inject_from_apic(svm);
}

/* Is there an interrupt that has to wait for the processor to be ready? */
static bool interrupt_waits(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;

	if (vcpu->x86.events.interrupt_pending && svm->injecting != INJECTING_INTERRUPT)
		return true;
	/* Also behind one that is being delivered: an 8259 may end those by itself. */
	return vcpu->apic && ksvm_irq_pending(vcpu);
}

/* User space asks for the window, where the 8259 is its own and the guest takes its interrupts. */
static bool window_requested(struct ksvm_vcpu *vcpu)
{
	return vcpu->vm->irq.chip != KSVM_IRQCHIP_KERNEL &&
	       READ_ONCE(vcpu->run->request_interrupt_window) &&
	       (!vcpu->apic || ksvm_irq_accepts_extint(vcpu));
}

/*
 * The guest's writes of CR8 are looked at while something waits for the priority to go
 * down; where user space has the local APIC, always.
 */
static void cr8_watch(struct vcpu_svm *svm)
{
	u32 *cr = &svm->intercepts[INTERCEPT_OWNER_WINDOW].cr;
	u32 wanted = !svm->vcpu.apic || ksvm_irq_watches_cr8(&svm->vcpu) ?
		     INTERCEPT_CR_WRITE(8) : 0;

	if (*cr == wanted)
		return;
	*cr = wanted;
	svm_intercepts_update(svm);
}

/**
 * svm_events_prepare() - choose what the next VMRUN delivers
 * @svm: the vCPU, in ring 2, right before a world switch
 */
void svm_events_prepare(struct vcpu_svm *svm)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;

	events->work = false;
	inject_one(svm);
	/* Its delivery ends what was stepped over; TF must not get into its frame. */
	if (svm->injecting != INJECTING_NOTHING)
		svm_nmi_step_done(svm);

	interrupt_window_set(svm, interrupt_waits(svm) || window_requested(&svm->vcpu));
	cr8_watch(svm);
	if (events->nmi_masked)
		nmi_end_watch(svm);
	if (!events->nmi_pending)
		return;
	/*
	 * Behind another NMI whose IRET has been reached: step to learn that it
	 * is done. Before it is reached, the IRET intercept suffices.
	 */
	if (events->nmi_masked && svm->nmi_iret)
		nmi_step(svm);
	/* In the interrupt shadow: an interrupt would end the guest before it left that. */
	else if (!events->nmi_masked && svm->injecting == INJECTING_NOTHING)
		nmi_step(svm);
	/* No intercept tells when the slot is free: exit right after delivery. */
	else if (!events->nmi_masked)
		ksvm_send_reschedule(smp_processor_id());
	events->work = true;
}

static void collect_delivered(struct vcpu_svm *svm)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;

	switch (svm->injecting) {
	case INJECTING_EXCEPTION:
		events->exception_injected = false;
		break;
	case INJECTING_NMI:
		events->nmi_injected = false;
		break;
	case INJECTING_INTERRUPT:
		events->interrupt_pending = false;
		break;
	case INJECTING_NOTHING:
		break;
	}
}

/*
 * INT n, INT3 and INTO that the guest executed are not given back: RIP is still
 * at the instruction, which runs again.
 */
static void collect_undelivered(struct vcpu_svm *svm, u64 info)
{
	struct ksvm_events *events = &svm->vcpu.x86.events;
	u8 vector = info & VMCB_EVENT_VECTOR;

	switch (info & VMCB_EVENT_TYPE) {
	case VMCB_EVENT_TYPE_EXCEPTION:
		if ((vector == X86_TRAP_BP || vector == X86_TRAP_OF) &&
		    svm->injecting != INJECTING_EXCEPTION)
			break;
		events->exception_injected = true;
		events->exception_pending = false;
		events->exception = (struct ksvm_exception) {
			.vector = vector,
			.has_error_code = info & VMCB_EVENT_ERROR_CODE_VALID,
			.error_code = info >> VMCB_EVENT_ERROR_CODE_SHIFT,
		};
		break;
	case VMCB_EVENT_TYPE_NMI:
		events->nmi_injected = true;
		break;
	case VMCB_EVENT_TYPE_INTR:
		events->interrupt_pending = true;
		events->interrupt_soft = false;
		events->interrupt_vector = vector;
		break;
	case VMCB_EVENT_TYPE_SOFT:
		if (svm->injecting != INJECTING_INTERRUPT)
			break;
		events->interrupt_pending = true;
		events->interrupt_soft = true;
		events->interrupt_vector = vector;
		break;
	}
}

/**
 * svm_events_collect() - see what became of the event in delivery
 * @svm: the vCPU, in ring 2, right after a #VMEXIT
 */
void svm_events_collect(struct vcpu_svm *svm)
{
	u64 info = svm->vmcb->control.exit_int_info;

	collect_delivered(svm);
	if (info & VMCB_EVENT_VALID) {
		collect_undelivered(svm, info);
		svm->vcpu.x86.events.work = true;
	}
	svm->vmcb->control.event_inj = 0;
	svm->injecting = INJECTING_NOTHING;
}

/**
 * svm_events_not_entered() - VMRUN refused the VMCB: nothing was delivered
 * @svm: the vCPU, in ring 2
 *
 * The event waits where it was before, for a user who mends the state.
 */
void svm_events_not_entered(struct vcpu_svm *svm)
{
	svm->vmcb->control.event_inj = 0;
	svm->injecting = INJECTING_NOTHING;
	svm->vcpu.x86.events.work = true;
}

/**
 * svm_interrupt_window_opened() - the VINTR exit
 * @svm: the vCPU
 */
void svm_interrupt_window_opened(struct vcpu_svm *svm)
{
	interrupt_window_set(svm, false);
	svm->vcpu.x86.events.work = true;
}

/**
 * svm_nmi_iret() - the IRET exit: an NMI handler is about to end
 * @svm: the vCPU
 */
void svm_nmi_iret(struct vcpu_svm *svm)
{
	svm->intercepts[INTERCEPT_OWNER_WINDOW].misc1 &= ~INTERCEPT_IRET;
	svm_intercepts_update(svm);
	svm->nmi_iret = true;
	svm->nmi_iret_rip = svm->vcpu.x86.rip;
	svm->vcpu.x86.events.work = true;
}

/**
 * svm_nmi_iret_check() - has the guest got past the IRET that ends NMI masking
 * @svm: the vCPU, right after a #VMEXIT
 */
void svm_nmi_iret_check(struct vcpu_svm *svm)
{
	if (svm->vcpu.x86.rip == svm->nmi_iret_rip)
		return;
	svm->nmi_iret = false;
	svm->vcpu.x86.events.nmi_masked = false;
	svm->vcpu.x86.events.work = true;
}

/**
 * svm_nmi_step_done() - the #DB exit after our own single step
 * @svm: the vCPU
 *
 * Return: whether there was such a step.
 */
bool svm_nmi_step_done(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;

	if (!svm->nmi_stepping)
		return false;
	svm->nmi_stepping = false;
	vcpu->x86.events.work = true;
	svm->intercepts[INTERCEPT_OWNER_WINDOW].exception &= ~BIT(X86_TRAP_DB);
	svm_intercepts_update(svm);
	return true;
}
