/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC inside irq/. */
#ifndef KSVM_IRQ_LAPIC_H
#define KSVM_IRQ_LAPIC_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "dest_match.h"
#include "internal.h"
#include "lapic_math.h"
#include "vcpu.h"
#include "vm.h"

/* Its page, unless the guest moves it. */
#define LAPIC_BASE_DEFAULT	0xfee00000ULL
#define LAPIC_PAGE_SIZE		0x1000

/* Delivery modes, as in bits 10-8 of ICR, LVT entries and MSI data. */
enum irq_mode {
	IRQ_MODE_FIXED,
	IRQ_MODE_LOWEST,
	IRQ_MODE_SMI,
	IRQ_MODE_REMOTE_READ,
	IRQ_MODE_NMI,
	IRQ_MODE_INIT,
	IRQ_MODE_STARTUP,
	IRQ_MODE_EXTINT,
};

#define LVT_VECTOR		0xffu
#define LVT_MODE(lvt)		((lvt) >> 8 & 7)
#define LVT_MASKED		BIT(16)
#define LVT_TIMER_MODE		(BIT(17) | BIT(18))
#define LVT_TIMER_ONE_SHOT	0
#define LVT_TIMER_PERIODIC	BIT(17)
#define LVT_TIMER_DEADLINE	BIT(18)
#define LVT_ENTRIES		6

#define SPIV_ENABLED		BIT(8)
#define SPIV_SUPPRESS_EOI	BIT(12)
#define VERSION_SUPPRESS_EOI	BIT(24)

/* Bits of ESR. */
#define ESR_SEND_VECTOR		5
#define ESR_RECEIVE_VECTOR	6
#define ESR_REGISTER		7

/* Bits of lapic->init: what waits for ring 1. */
#define LAPIC_INIT	0
#define LAPIC_STARTUP	1

/**
 * struct irq_message - an interrupt on its way to local APICs
 * @dest: which
 * @mode: how
 * @vector: its number
 * @level: trigger mode
 * @lowest: to the one with the lowest priority of them
 */
struct irq_message {
	struct dest dest;
	enum irq_mode mode;
	u8 vector;
	bool level;
	bool lowest;
};

/**
 * struct lapic_timer - one-shot, periodic or deadline
 * @hr: fires at @due or before
 * @lock: all below; interrupts off
 * @due: when the present shot is due, by the monotonic clock; 0 for none
 * @period_ns: between shots; 0 for a single one
 * @deadline: TSC_DEADLINE; 0 once it has fired
 * @early_tsc: the deadline that was fired ahead of its time: not delivered before;
 *	0 for none
 */
struct lapic_timer {
	struct hrtimer hr;
	raw_spinlock_t lock;	/* all below */
	ktime_t due;
	u64 period_ns;
	u64 deadline;
	u64 early_tsc;
};

/**
 * struct ksvm_lapic - a vCPU's local APIC
 * @vcpu: whose; constant
 * @regs: registers; own thread, but for bits of IRR and TMR, which whoever delivers sets
 *	(atomic), and LVT entries, LDR and the like, which others read
 * @base: MSR APIC_BASE; own thread writes
 * @errors: ESR before it is latched; atomic
 * @nmis: NMIs that have arrived; atomic
 * @init: LAPIC_INIT, LAPIC_STARTUP; atomic
 * @startup_vector: of the last SIPI; written before LAPIC_STARTUP is set
 * @arbitration: counts what lowest-priority arbitration gave it; a hint
 * @user_extint: vector of KVM_INTERRUPT, -1 for none; own thread
 * @eoi_vector: user space's I/O APIC has to hear of it; own thread
 * @timer: lock of its own
 */
struct ksvm_lapic {
	struct ksvm_vcpu *vcpu;
	union lapic_regs regs;
	u64 base;
	unsigned long errors;
	atomic_t nmis;
	unsigned long init;
	u8 startup_vector;
	u32 arbitration;
	int user_extint;
	u8 eoi_vector;
	struct lapic_timer timer;
};

static inline enum ksvm_irqchip irqchip_of(const struct ksvm *vm)
{
	/* Pairs with the end of creation: whoever sees it sees all that belongs to it. */
	return smp_load_acquire(&vm->irq.chip);
}

static inline u32 lapic_get(const struct ksvm_lapic *apic, unsigned int reg)
{
	return READ_ONCE(apic->regs.reg[reg]);
}

static inline void lapic_put(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	WRITE_ONCE(apic->regs.reg[reg], value);
}

/* APIC_BASE: the two mode bits. */
#define BASE_MODE	(MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE)

static inline bool lapic_hw_enabled(const struct ksvm_lapic *apic)
{
	return READ_ONCE(apic->base) & MSR_IA32_APICBASE_ENABLE;
}

static inline bool lapic_is_x2apic(const struct ksvm_lapic *apic)
{
	return (READ_ONCE(apic->base) & BASE_MODE) == BASE_MODE;
}

static inline bool lapic_is_xapic(const struct ksvm_lapic *apic)
{
	return (READ_ONCE(apic->base) & BASE_MODE) == MSR_IA32_APICBASE_ENABLE;
}

static inline bool lapic_sw_enabled(const struct ksvm_lapic *apic)
{
	return lapic_get(apic, LAPIC_SPIV) & SPIV_ENABLED;
}

/*
 * What a physical destination means it by: the id, or for a vCPU beyond 255 its number in
 * either mode, so that it can be started before it is an x2APIC.
 */
static inline u32 lapic_id(const struct ksvm_lapic *apic)
{
	u32 number = apic->vcpu->id;

	if (lapic_is_x2apic(apic) || number > DEST_XAPIC_BROADCAST)
		return number;
	return lapic_get(apic, LAPIC_ID) >> 24;
}

/* lapic.c */
void lapic_vcpu_reset(struct ksvm_vcpu *vcpu, bool init);
/* Any context. How many took it: 1, 0 where it merged with one that waits; -1: not taken. */
int lapic_accept(struct ksvm_lapic *apic, enum irq_mode mode, u8 vector, bool level);
/* An LVT entry's event; -1 where it is masked. Any context. */
int lapic_deliver_lvt(struct ksvm_lapic *apic, unsigned int reg);
/* Have its vCPU look at what has changed; any context. */
void lapic_notify(struct ksvm_lapic *apic);
void lapic_error(struct ksvm_lapic *apic, unsigned int bit);
void lapic_eoi(struct ksvm_lapic *apic);
u8 lapic_current_ppr(const struct ksvm_lapic *apic);
int lapic_set_base(struct ksvm_vcpu *vcpu, u64 value, bool host);

/* lapic_regs.c: behind ksvm_irq_ops. */
u32 lapic_lvt_mask(const struct ksvm_lapic *apic, unsigned int reg);
int lapic_get_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host);
int lapic_set_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host);
int lapic_mmio_read(struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, void *data);
int lapic_mmio_write(struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, const void *data);

/* lapic_timer.c */
void lapic_timer_create(struct ksvm_lapic *apic);
/* Have a shot that is over be so. */
void lapic_timer_settle(struct ksvm_lapic *apic);
void lapic_timer_cancel(struct ksvm_lapic *apic);
void lapic_timer_destroy(struct ksvm_lapic *apic);
/* TMICT, LVTT or TDCR was written, or all of them were set: start over. */
void lapic_timer_start(struct ksvm_lapic *apic);
void lapic_timer_set_divider(struct ksvm_lapic *apic, u32 tdcr);
void lapic_timer_resume(struct ksvm_lapic *apic, u32 count);
u32 lapic_timer_count(struct ksvm_lapic *apic);
u64 lapic_timer_deadline(struct ksvm_lapic *apic);
void lapic_timer_set_deadline(struct ksvm_lapic *apic, u64 deadline);
void lapic_timer_tsc_changed(struct ksvm_vcpu *vcpu);
/* A deadline that fired ahead: wait for the rest. Ring 2, or preemption off. */
void lapic_timer_wait(struct ksvm_lapic *apic);

/* dest_map.c */
void dest_map_destroy(struct ksvm *vm);
/* What the map is made of has changed; may sleep. */
void dest_map_update(struct ksvm *vm);
/* Any context. How many took it; 0: merged; -1: nobody. */
int irq_deliver(struct ksvm *vm, const struct irq_message *message);
int irq_deliver_all(struct ksvm *vm, struct ksvm_lapic *except,
		    const struct irq_message *message);

/* ipi.c */
void lapic_send_ipi(struct ksvm_lapic *apic, u32 icr, u32 dest);

/* msi.c */
struct irq_message irq_message_of_msi(const struct ksvm *vm, u32 address_lo, u32 address_hi,
				      u32 data);

/* ioapic.c */
int ioapic_create(struct ksvm *vm);
void ioapic_destroy(struct ksvm *vm);
int ioapic_set_irq(struct ksvm *vm, unsigned int pin, enum ksvm_irq_source source, bool level);
/* A local APIC has ended an interrupt; @level: it came as level-triggered. */
void ioapic_eoi(struct ksvm *vm, u8 vector, bool level);
bool ioapic_watches(struct ksvm *vm, u8 vector);
/* Notifiers or routes have changed. */
void ioapic_update_watch(struct ksvm *vm);
void ioapic_get_state(struct ksvm *vm, struct kvm_ioapic_state *state);
void ioapic_set_state(struct ksvm *vm, const struct kvm_ioapic_state *state);

/* routing.c */
int routing_init(struct ksvm *vm);
void routing_destroy(struct ksvm *vm);

#endif
