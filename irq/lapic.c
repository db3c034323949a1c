// SPDX-License-Identifier: GPL-2.0-only
/*
 * A local APIC (AMD64 manual, volume 2, "Advanced Programmable Interrupt Controller
 * (APIC)"): its life, what arrives at it and what its processor takes.
 *
 * Whoever delivers sets bits of TMR and IRR and lets the vCPU know; everything else is the
 * vCPU's own thread's. So delivery takes no lock.
 */
#include <linux/bitops.h>
#include <linux/kvm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "guest.h"
#include "kick.h"
#include "lapic.h"
#include "requests.h"
#include "vm.h"
#include "x86_ops.h"

/* Integrated APIC, six LVT entries. */
#define VERSION		(0x14 | (LVT_ENTRIES - 1) << 16)
#define DFR_RESET	0xffffffffu
#define SPIV_RESET	0xffu

/*
 * The vCPU's own thread only has to remember; a timer that interrupts it is
 * somebody else.
 */
static bool own_thread(const struct ksvm_vcpu *vcpu)
{
	return in_task() && rcu_access_pointer(vcpu->runner) == current;
}

/*
 * Who finds the request set already leaves the kick to who set it, and who must not lose
 * the processor before.
 */
static void request_event(struct ksvm_vcpu *vcpu)
{
	preempt_disable();
	smp_mb__before_atomic();	/* what has arrived, before the bit */
	if (!test_and_set_bit(KSVM_REQ_EVENT, &vcpu->requests))
		ksvm_vcpu_kick(vcpu);
	preempt_enable();
}

/**
 * lapic_notify() - have the vCPU look for an interrupt
 * @apic: its local APIC; any context
 */
void lapic_notify(struct ksvm_lapic *apic)
{
	struct ksvm_vcpu *vcpu = apic->vcpu;

	if (own_thread(vcpu))
		WRITE_ONCE(vcpu->x86.events.work, true);
	else
		request_event(vcpu);
}

/**
 * lapic_error() - note an error in ESR
 * @apic: the APIC; any context
 * @bit: its number
 *
 * That the interrupt of it has an illegal vector is one more error, without another
 * interrupt.
 */
void lapic_error(struct ksvm_lapic *apic, unsigned int bit)
{
	u32 lvt = lapic_get(apic, LAPIC_LVTERR);
	u8 vector = lvt & LVT_VECTOR;

	set_bit(bit, &apic->errors);
	if (!lapic_hw_enabled(apic) || (lvt & LVT_MASKED))
		return;
	if (vector < LAPIC_VECTOR_MIN)
		set_bit(ESR_RECEIVE_VECTOR, &apic->errors);
	else
		lapic_accept(apic, IRQ_MODE_FIXED, vector, false);
}

/* Who finds the bit set relies on who has set it: that one is not to be preempted. */
static int request_vector(struct ksvm_lapic *apic, u8 vector)
{
	bool merged;

	preempt_disable();
	merged = test_and_set_bit(vector, apic->regs.irr);
	if (!merged)
		lapic_notify(apic);
	preempt_enable();
	return !merged;
}

static int accept_vector(struct ksvm_lapic *apic, u8 vector, bool level)
{
	if (!lapic_sw_enabled(apic))
		return -1;
	if (vector < LAPIC_VECTOR_MIN) {
		lapic_error(apic, ESR_RECEIVE_VECTOR);
		return -1;
	}
	if (level != test_bit(vector, apic->regs.tmr)) {
		if (level)
			set_bit(vector, apic->regs.tmr);
		else
			clear_bit(vector, apic->regs.tmr);
	}
	return request_vector(apic, vector);
}

/* INIT takes back a SIPI that has not been acted upon. */
static int accept_init(struct ksvm_lapic *apic)
{
	xchg(&apic->init, BIT(LAPIC_INIT));
	request_event(apic->vcpu);
	return 1;
}

static int accept_startup(struct ksvm_lapic *apic, u8 vector)
{
	WRITE_ONCE(apic->startup_vector, vector);
	smp_mb__before_atomic();	/* the vector, before the bit */
	set_bit(LAPIC_STARTUP, &apic->init);
	request_event(apic->vcpu);
	return 1;
}

/**
 * lapic_accept() - an interrupt message has arrived
 * @apic: at which APIC; any context
 * @mode: delivery mode
 * @vector: its number
 * @level: trigger mode
 *
 * An SMI is taken and has no effect: there is no system management mode.
 *
 * Return: 1; 0 where it merged with one that waits; -1 where it was not taken.
 */
int lapic_accept(struct ksvm_lapic *apic, enum irq_mode mode, u8 vector, bool level)
{
	switch (mode) {
	case IRQ_MODE_FIXED:
	case IRQ_MODE_LOWEST:
		return accept_vector(apic, vector, level);
	case IRQ_MODE_SMI:
		return 1;
	case IRQ_MODE_NMI:
		atomic_inc(&apic->nmis);
		request_event(apic->vcpu);
		return 1;
	case IRQ_MODE_INIT:
		return accept_init(apic);
	case IRQ_MODE_STARTUP:
		return accept_startup(apic, vector);
	case IRQ_MODE_REMOTE_READ:
	case IRQ_MODE_EXTINT:
		break;
	}
	return -1;
}

/**
 * lapic_deliver_lvt() - an event of a local vector table entry
 * @apic: the APIC; any context
 * @reg: LAPIC_LVT*, but LAPIC_LVTERR, for which there is lapic_error()
 *
 * Return: as lapic_accept(); -1 where the entry is masked.
 */
int lapic_deliver_lvt(struct ksvm_lapic *apic, unsigned int reg)
{
	u32 lvt = lapic_get(apic, reg);

	if (!lapic_hw_enabled(apic) || (lvt & LVT_MASKED))
		return -1;
	/* The timer's has no delivery mode. */
	if (reg == LAPIC_LVTT)
		return lapic_accept(apic, IRQ_MODE_FIXED, lvt & LVT_VECTOR, false);
	/* A performance counter's entry masks itself. */
	if (reg == LAPIC_LVTPC)
		lapic_put(apic, reg, lvt | LVT_MASKED);
	return lapic_accept(apic, LVT_MODE(lvt), lvt & LVT_VECTOR, false);
}

/**
 * lapic_current_ppr() - the processor priority
 * @apic: the APIC; by others than its own thread a hint
 */
u8 lapic_current_ppr(const struct ksvm_lapic *apic)
{
	return lapic_ppr(lapic_get(apic, LAPIC_TPR), lapic_highest(apic->regs.isr));
}

static int deliverable(const struct ksvm_lapic *apic)
{
	int requested = lapic_highest(apic->regs.irr);

	/* What was accepted before the APIC was disabled by software is still to be taken. */
	if (requested < 0 || !lapic_hw_enabled(apic))
		return -1;
	return lapic_deliverable(requested, lapic_current_ppr(apic));
}

/**
 * ksvm_irq_accepts_extint() - would the vCPU take an interrupt of an 8259's
 * @vcpu: the vCPU, with a local APIC; any context
 *
 * Return: so: LINT0 is wired to it, or the APIC is off and out of the way.
 */
bool ksvm_irq_accepts_extint(struct ksvm_vcpu *vcpu)
{
	const struct ksvm_lapic *apic = vcpu->apic;
	u32 lvt0 = lapic_get(apic, LAPIC_LVT0);

	if (!lapic_hw_enabled(apic))
		return true;
	return !(lvt0 & LVT_MASKED) && LVT_MODE(lvt0) == IRQ_MODE_EXTINT;
}

static bool extint_pending(struct ksvm_vcpu *vcpu)
{
	struct ksvm *vm = vcpu->vm;

	if (vm->irq.chip == KSVM_IRQCHIP_KERNEL ? !ksvm_pic_output(vm) :
						  vcpu->apic->user_extint < 0)
		return false;
	return ksvm_irq_accepts_extint(vcpu);
}

/**
 * ksvm_irq_pending() - has the vCPU an interrupt to take
 * @vcpu: the vCPU, with a local APIC, by its own thread
 *
 * Return: whether one would be delivered were the processor ready for it.
 */
bool ksvm_irq_pending(struct ksvm_vcpu *vcpu)
{
	return deliverable(vcpu->apic) >= 0 || extint_pending(vcpu);
}

/**
 * ksvm_vcpu_wakes() - is there what ends HLT
 * @vcpu: the vCPU, with a local APIC, by its own thread
 */
bool ksvm_vcpu_wakes(struct ksvm_vcpu *vcpu)
{
	const struct ksvm_events *events = &vcpu->x86.events;

	if (events->interrupt_pending || events->nmi_injected || events->exception_pending ||
	    events->exception_injected || (events->nmi_pending && !events->nmi_masked))
		return true;
	return (vcpu->x86.rflags & X86_EFLAGS_IF) && ksvm_irq_pending(vcpu);
}

/**
 * ksvm_irq_take() - acknowledge the interrupt with the highest priority
 * @vcpu: the vCPU, with a local APIC, by its own thread
 *
 * Return: its vector; -1 where there is none.
 */
int ksvm_irq_take(struct ksvm_vcpu *vcpu)
{
	struct ksvm_lapic *apic = vcpu->apic;
	int vector;

	if (extint_pending(vcpu)) {
		if (vcpu->vm->irq.chip == KSVM_IRQCHIP_KERNEL)
			return ksvm_pic_read_irq(vcpu->vm);
		vector = apic->user_extint;
		apic->user_extint = -1;
		return vector;
	}
	vector = deliverable(apic);
	if (vector < 0)
		return -1;
	if (unlikely(READ_ONCE(apic->timer.early_tsc)) &&
	    vector == (lapic_get(apic, LAPIC_LVTT) & LVT_VECTOR))
		lapic_timer_wait(apic);
	/* Nobody finds the vector in neither of them. */
	__set_bit(vector, apic->regs.isr);
	clear_bit(vector, apic->regs.irr);
	return vector;
}

/**
 * ksvm_irq_watches_cr8() - has a write of CR8 to be seen when it is done
 * @vcpu: the vCPU, with a local APIC, by its own thread
 *
 * Return: so, where a vector waits for the task priority to go down, and where the write
 * would change no more than bits of TPR that CR8 does not show.
 */
bool ksvm_irq_watches_cr8(struct ksvm_vcpu *vcpu)
{
	const struct ksvm_lapic *apic = vcpu->apic;
	int requested = lapic_highest(apic->regs.irr);
	u32 tpr = lapic_get(apic, LAPIC_TPR);

	return (tpr & 0xf) || (requested >= 0 && requested >> 4 <= tpr >> 4);
}

/**
 * ksvm_irq_collect() - take over what others have left for the vCPU
 * @vcpu: the vCPU, by its own thread, after KSVM_REQ_EVENT; any ring
 *
 * Return: false where INIT or SIPI wait as well: ksvm_irq_accept_init().
 */
bool ksvm_irq_collect(struct ksvm_vcpu *vcpu)
{
	struct ksvm_lapic *apic = vcpu->apic;
	int nmis;

	vcpu->x86.events.work = true;
	if (!apic)
		return true;
	if (atomic_read(&apic->nmis)) {
		for (nmis = min(atomic_xchg(&apic->nmis, 0), 2); nmis; nmis--)
			ksvm_queue_nmi(vcpu);
	}
	return !READ_ONCE(apic->init);
}

/**
 * ksvm_irq_forget_nmis() - user space says how many NMIs are pending
 * @vcpu: the vCPU, with a local APIC, by its own thread
 */
void ksvm_irq_forget_nmis(struct ksvm_vcpu *vcpu)
{
	atomic_set(&vcpu->apic->nmis, 0);
}

/**
 * ksvm_irq_extint_queued() - has user space's 8259 an interrupt under way
 * @vcpu: the vCPU, with a local APIC, by its own thread
 *
 * Return: so: KVM_INTERRUPT takes no other one.
 */
bool ksvm_irq_extint_queued(const struct ksvm_vcpu *vcpu)
{
	return vcpu->apic->user_extint >= 0;
}

/**
 * ksvm_irq_accept_init() - INIT and SIPI take effect
 * @vcpu: the vCPU, with a local APIC, by its own thread, in ring 1 or outside
 *
 * A SIPI counts only behind an INIT; the boot processor starts at its reset vector. Both are
 * taken at once: looked at one by one, a SIPI could be spent on the INIT before its own.
 */
void ksvm_irq_accept_init(struct ksvm_vcpu *vcpu)
{
	struct ksvm_lapic *apic = vcpu->apic;
	unsigned long arrived = xchg(&apic->init, 0);

	if (arrived & BIT(LAPIC_INIT)) {
		ksvm_x86_vcpu_reset(vcpu, true);
		vcpu->mp_state = apic->base & MSR_IA32_APICBASE_BSP ? KVM_MP_STATE_RUNNABLE :
								      KVM_MP_STATE_INIT_RECEIVED;
	}
	if ((arrived & BIT(LAPIC_STARTUP)) && vcpu->mp_state == KVM_MP_STATE_INIT_RECEIVED) {
		ksvm_x86_vcpu_startup(vcpu, READ_ONCE(apic->startup_vector));
		vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	}
}

/** ksvm_irq_eoi_vector() - the vector of KVM_EXIT_IOAPIC_EOI */
u8 ksvm_irq_eoi_vector(const struct ksvm_vcpu *vcpu)
{
	return vcpu->apic->eoi_vector;
}

/**
 * ksvm_irq_user_extint() - KVM_INTERRUPT: user space's 8259 has an interrupt
 * @vcpu: the vCPU, with a local APIC, by its own thread
 * @vector: its number
 *
 * Return: 0; -ENXIO where the 8259 is the kernel's; -EEXIST where one waits already.
 */
int ksvm_irq_user_extint(struct ksvm_vcpu *vcpu, u8 vector)
{
	if (vcpu->vm->irq.chip == KSVM_IRQCHIP_KERNEL)
		return -ENXIO;
	if (vcpu->apic->user_extint >= 0)
		return -EEXIST;
	vcpu->apic->user_extint = vector;
	vcpu->x86.events.work = true;
	return 0;
}

/**
 * ksvm_irq_set_startup() - put a SIPI into place that has arrived before
 * @vcpu: the vCPU, with a local APIC, by its own thread
 * @vector: its page
 * @pending: it waits to be acted upon
 */
void ksvm_irq_set_startup(struct ksvm_vcpu *vcpu, u8 vector, bool pending)
{
	struct ksvm_lapic *apic = vcpu->apic;

	WRITE_ONCE(apic->startup_vector, vector);
	if (!pending)
		return;
	set_bit(LAPIC_STARTUP, &apic->init);
	ksvm_make_request(KSVM_REQ_EVENT, vcpu);
}

/** ksvm_irq_startup_vector() - the page of the last SIPI */
u8 ksvm_irq_startup_vector(const struct ksvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->apic->startup_vector);
}

/* User space's I/O APIC keeps a level-triggered pin back until it hears of the EOI. */
static void eoi_broadcast(struct ksvm_lapic *apic, u8 vector)
{
	struct ksvm_vcpu *vcpu = apic->vcpu;
	struct ksvm *vm = vcpu->vm;
	bool level = test_bit(vector, apic->regs.tmr);
	bool suppressed = lapic_get(apic, LAPIC_SPIV) & SPIV_SUPPRESS_EOI;

	if (vm->irq.chip == KSVM_IRQCHIP_KERNEL) {
		if (ioapic_watches(vm, vector))
			ioapic_eoi(vm, vector, level);
	} else if (level && !suppressed && test_bit(vector, vm->irq.split_eoi)) {
		apic->eoi_vector = vector;
		ksvm_make_request(KSVM_REQ_IOAPIC_EOI, vcpu);
	}
}

/**
 * lapic_eoi() - the guest has ended the interrupt with the highest priority
 * @apic: the APIC, by its own thread
 */
void lapic_eoi(struct ksvm_lapic *apic)
{
	int vector = lapic_highest(apic->regs.isr);

	if (vector < 0)
		return;
	__clear_bit(vector, apic->regs.isr);
	eoi_broadcast(apic, vector);
	if (lapic_highest(apic->regs.irr) >= 0)
		apic->vcpu->x86.events.work = true;
}

static u32 version(const struct ksvm_lapic *apic)
{
	/* The kernel's own I/O APIC has no register for directed EOIs. */
	if (apic->vcpu->vm->irq.chip == KSVM_IRQCHIP_SPLIT)
		return VERSION | VERSION_SUPPRESS_EOI;
	return VERSION;
}

/* An x2APIC's ids are the vCPU's, whatever was there before. */
static void ids_of_mode(struct ksvm_lapic *apic)
{
	u32 id = apic->vcpu->id;

	if (lapic_is_x2apic(apic)) {
		lapic_put(apic, LAPIC_ID, id);
		lapic_put(apic, LAPIC_LDR, lapic_x2apic_ldr(id));
	} else {
		lapic_put(apic, LAPIC_ID, id << 24);
	}
}

/* All but the timer, the mode and what INIT leaves alone. */
static void registers_reset(struct ksvm_lapic *apic)
{
	u32 id = lapic_get(apic, LAPIC_ID);
	unsigned int reg;

	memset(&apic->regs, 0, sizeof(apic->regs));
	lapic_put(apic, LAPIC_ID, id);
	lapic_put(apic, LAPIC_VERSION, version(apic));
	lapic_put(apic, LAPIC_DFR, DFR_RESET);
	lapic_put(apic, LAPIC_SPIV, SPIV_RESET);
	for (reg = LAPIC_LVTT; reg <= LAPIC_LVTERR; reg++)
		lapic_put(apic, reg, LVT_MASKED);
}

/*
 * INIT leaves the mode and the xAPIC's id as they are. The boot processor's LINT0 is wired
 * to the 8259, as firmware that knows no local APIC expects it.
 */
static void lapic_reset(struct ksvm_lapic *apic, bool init)
{
	struct ksvm_vcpu *vcpu = apic->vcpu;

	lapic_timer_cancel(apic);
	if (!init) {
		apic->base = vcpu->x86.msrs.apic_base;
		lapic_put(apic, LAPIC_ID, (u32)vcpu->id << 24);
	}
	registers_reset(apic);
	if (lapic_is_x2apic(apic))
		ids_of_mode(apic);
	if (apic->base & MSR_IA32_APICBASE_BSP)
		lapic_put(apic, LAPIC_LVT0, IRQ_MODE_EXTINT << 8);
	apic->errors = 0;
	apic->user_extint = -1;
	atomic_set(&apic->nmis, 0);
}

static bool base_change_legal(const struct ksvm_lapic *apic, u64 value)
{
	u64 from = apic->base & BASE_MODE, to = value & BASE_MODE;

	if (to == X2APIC_ENABLE)
		return false;
	if (from == 0)
		return to != BASE_MODE;
	/* An x2APIC can only be switched off. */
	return from != BASE_MODE || to != MSR_IA32_APICBASE_ENABLE;
}

/**
 * lapic_set_base() - MSR APIC_BASE is written
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 * @value: the value, whose bits by themselves are legal
 * @host: user space asks, which may go from any mode to any
 *
 * Return: 0; -EINVAL for a transition that is none; -EAGAIN in ring 2 for one that has
 * to be done in ring 1.
 */
int lapic_set_base(struct ksvm_vcpu *vcpu, u64 value, bool host)
{
	struct ksvm_lapic *apic = vcpu->apic;
	u64 old = apic->base;

	if ((value & BASE_MODE) == X2APIC_ENABLE ||
	    ((value & X2APIC_ENABLE) && !host && !ksvm_guest_has(vcpu, X86_FEATURE_X2APIC)))
		return -EINVAL;
	if (!host && !base_change_legal(apic, value))
		return -EINVAL;
	if (vcpu->ring == RING_INNER && ((old ^ value) & BASE_MODE))
		return -EAGAIN;

	WRITE_ONCE(apic->base, value);
	vcpu->x86.msrs.apic_base = value;
	if (!((old ^ value) & BASE_MODE))
		return 0;
	if (!lapic_hw_enabled(apic)) {
		lapic_reset(apic, true);
		static_call(ksvm_x86_set_cr8)(vcpu, 0);
	}
	ids_of_mode(apic);
	dest_map_update(vcpu->vm);
	vcpu->x86.events.work = true;
	return 0;
}

/**
 * lapic_vcpu_reset() - the processor is reset, and its APIC with it
 * @vcpu: the vCPU, with a local APIC, by its own thread; not in ring 2; may sleep
 * @init: INIT
 */
void lapic_vcpu_reset(struct ksvm_vcpu *vcpu, bool init)
{
	lapic_reset(vcpu->apic, init);
	dest_map_update(vcpu->vm);
}

/**
 * ksvm_irq_vcpu_create() - give a vCPU its local APIC
 * @vcpu: the vCPU, which nobody else knows yet; its VM's lock is held
 *
 * Return: 0, also where the VM has none in the kernel; -ENOMEM.
 * Context: may sleep.
 */
int ksvm_irq_vcpu_create(struct ksvm_vcpu *vcpu)
{
	struct ksvm_lapic *apic;

	lockdep_assert_held(&vcpu->vm->lock);
	if (vcpu->vm->irq.chip == KSVM_IRQCHIP_NONE)
		return 0;
	apic = kzalloc(sizeof(*apic), GFP_KERNEL_ACCOUNT);
	if (!apic)
		return -ENOMEM;
	apic->vcpu = vcpu;
	lapic_timer_create(apic);
	lapic_reset(apic, false);
	vcpu->apic = apic;
	if (!(apic->base & MSR_IA32_APICBASE_BSP))
		vcpu->mp_state = KVM_MP_STATE_UNINITIALIZED;
	return 0;
}

/**
 * ksvm_irq_vcpu_published() - a vCPU can be interrupted from now on
 * @vcpu: the vCPU; its VM's lock is held; may sleep
 */
void ksvm_irq_vcpu_published(struct ksvm_vcpu *vcpu)
{
	if (vcpu->apic)
		dest_map_update(vcpu->vm);
}

/**
 * ksvm_irq_vcpu_destroy() - undo ksvm_irq_vcpu_create()
 * @vcpu: the vCPU, with an APIC or without; nothing reaches it any more
 */
void ksvm_irq_vcpu_destroy(struct ksvm_vcpu *vcpu)
{
	if (!vcpu->apic)
		return;
	lapic_timer_destroy(vcpu->apic);
	kfree(vcpu->apic);
	vcpu->apic = NULL;
}

/**
 * ksvm_extint_kick() - the 8259's output went up
 * @vm: the VM; any context, no lock of the controllers held
 */
void ksvm_extint_kick(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_for_each_vcpu(index, vcpu, vm) {
		if (!ksvm_irq_accepts_extint(vcpu))
			continue;
		lapic_notify(vcpu->apic);
		return;
	}
}

/**
 * ksvm_lint0_nmi() - a tick at each LINT0, for those that are wired as a watchdog's NMI
 * @vm: the VM; any context, no lock of the controllers held
 */
void ksvm_lint0_nmi(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_for_each_vcpu(index, vcpu, vm) {
		if (LVT_MODE(lapic_get(vcpu->apic, LAPIC_LVT0)) == IRQ_MODE_NMI)
			lapic_deliver_lvt(vcpu->apic, LAPIC_LVT0);
	}
}
