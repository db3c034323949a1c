/* SPDX-License-Identifier: GPL-2.0-only */
/* irq/: local APIC, I/O APIC, 8259, 8254, GSI routing, MSI, irqfd, ioeventfd. */
#ifndef KSVM_IRQ_H
#define KSVM_IRQ_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct ksvm;
struct ksvm_vcpu;
struct ksvm_dest_map;
struct ksvm_ioapic;
struct ksvm_irq_routing;
struct ksvm_lapic;
struct ksvm_pic;
struct ksvm_pit;
struct kvm_coalesced_mmio_ring;
struct kvm_coalesced_mmio_zone;
struct kvm_ioeventfd;
struct kvm_irq_routing;
struct kvm_irqchip;
struct kvm_irqfd;
struct kvm_lapic_state;
struct kvm_msi;
struct kvm_pit_config;
struct kvm_pit_state2;

#define KSVM_IOAPIC_PINS	24
#define KSVM_IRQ_ROUTES_MAX	4096
#define KSVM_RESERVED_PINS_MAX	KSVM_IRQ_ROUTES_MAX

/**
 * enum ksvm_irqchip - which interrupt controllers the kernel has
 * @KSVM_IRQCHIP_NONE: none: all are user space's
 * @KSVM_IRQCHIP_SPLIT: the local APICs
 * @KSVM_IRQCHIP_KERNEL: the local APICs, the I/O APIC and the 8259 pair
 */
enum ksvm_irqchip {
	KSVM_IRQCHIP_NONE,
	KSVM_IRQCHIP_SPLIT,
	KSVM_IRQCHIP_KERNEL,
};

/*
 * Who drives a line: its level is the OR of theirs. All irqfds with a resample
 * eventfd share one.
 */
enum ksvm_irq_source {
	KSVM_IRQ_SOURCE_USER,
	KSVM_IRQ_SOURCE_RESAMPLE,
	KSVM_IRQ_SOURCE_PIT,
};

/**
 * struct ksvm_irq - a VM's interrupt controllers
 * @chip: which; set once under vm->lock, before there is a vCPU, with a release once all
 *	that it promises is there: irqfds look at it without the lock
 * @reserved_pins: pins of the user's I/O APIC that are routed as the first GSIs, where
 *	@chip is split; likewise
 * @x2apic_32bit: KVM_X2APIC_API_USE_32BIT_IDS; vm->lock to change
 * @x2apic_no_broadcast: KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK; likewise
 * @pic: set with @chip; locks of its own, like those that follow
 * @ioapic: likewise
 * @pit: KVM_CREATE_PIT2; set once under vm->lock
 * @lock: changes of @routing and @map, one at a time; may sleep
 * @routing: what each GSI ends at; RCU, never NULL once @chip is set
 * @map: which local APIC a destination means; RCU, likewise
 * @split_eoi: vectors whose EOI user space's I/O APIC waits for; bits change under @lock
 * @ack_lock: changes of @ack_notifiers; taken with interrupts off
 * @ack_notifiers: who wants to know of acknowledged interrupts; RCU
 * @irqfds: see irqfd.c
 * @ioeventfds: see ioeventfd.c
 * @coalesced: see coalesced.c
 */
struct ksvm_irq {
	enum ksvm_irqchip chip;
	u16 reserved_pins;
	bool x2apic_32bit;
	bool x2apic_no_broadcast;
	struct ksvm_pic *pic;
	struct ksvm_ioapic *ioapic;
	struct ksvm_pit *pit;
	struct mutex lock;	/* replaces @routing and @map */
	struct ksvm_irq_routing __rcu *routing;
	struct ksvm_dest_map __rcu *map;
	unsigned long split_eoi[256 / BITS_PER_LONG];
	raw_spinlock_t ack_lock;	/* changes @ack_notifiers */
	struct hlist_head ack_notifiers;
	struct {
		struct mutex lock;		/* both lists */
		struct list_head list;
		struct list_head resamplers;
		struct work_struct reaper;
	} irqfds;
	struct {
		struct mutex lock;		/* the list */
		struct list_head list;
	} ioeventfds;
	struct {
		struct mutex lock;		/* the list */
		struct list_head zones;
		unsigned int nr_zones;
		raw_spinlock_t ring_lock;	/* producers of @ring */
		struct kvm_coalesced_mmio_ring *ring;
	} coalesced;
};

/* Life. */
void ksvm_irq_init(void);
int ksvm_irq_init_vm(struct ksvm *vm);
/* Nobody uses the VM any more, but eventfds may still fire; before the vCPUs go. */
void ksvm_irq_destroy_vm(struct ksvm *vm);
/* vm->lock held, before the vCPU is published. 0 or -ENOMEM. */
int ksvm_irq_vcpu_create(struct ksvm_vcpu *vcpu);
void ksvm_irq_vcpu_destroy(struct ksvm_vcpu *vcpu);
/* vm->lock held, after it was published. */
void ksvm_irq_vcpu_published(struct ksvm_vcpu *vcpu);

/* VM ioctls; vm->lock held where it says so. What they return is in Documentation/api.rst. */
int ksvm_create_irqchip(struct ksvm *vm);				/* vm->lock */
int ksvm_enable_split_irqchip(struct ksvm *vm, u64 reserved_pins);	/* vm->lock */
int ksvm_get_irqchip(struct ksvm *vm, struct kvm_irqchip *chip);
int ksvm_set_irqchip(struct ksvm *vm, const struct kvm_irqchip *chip);
int ksvm_irq_line(struct ksvm *vm, u32 gsi, bool level, int *status);
int ksvm_set_gsi_routing(struct ksvm *vm, struct kvm_irq_routing __user *user);
int ksvm_signal_msi(struct ksvm *vm, const struct kvm_msi *msi);
int ksvm_create_pit(struct ksvm *vm, const struct kvm_pit_config *config);	/* vm->lock */
int ksvm_get_pit(struct ksvm *vm, struct kvm_pit_state2 *state);
int ksvm_set_pit(struct ksvm *vm, const struct kvm_pit_state2 *state);
int ksvm_set_pit_reinject(struct ksvm *vm, bool reinject);
int ksvm_irqfd(struct ksvm *vm, const struct kvm_irqfd *args);
int ksvm_ioeventfd(struct ksvm *vm, const struct kvm_ioeventfd *args);
int ksvm_register_coalesced(struct ksvm *vm, const struct kvm_coalesced_mmio_zone *zone);
int ksvm_unregister_coalesced(struct ksvm *vm, const struct kvm_coalesced_mmio_zone *zone);

/* vCPU ioctls: own thread. */
int ksvm_get_lapic(struct ksvm_vcpu *vcpu, struct kvm_lapic_state *state);
int ksvm_set_lapic(struct ksvm_vcpu *vcpu, const struct kvm_lapic_state *state);

/* irq/pending.c: what a vCPU has to take; own thread. */
/* Something would be delivered if the processor were ready to take it. */
bool ksvm_irq_pending(struct ksvm_vcpu *vcpu);
/* Something ends HLT: an interrupt that can be delivered, or an NMI. */
bool ksvm_vcpu_wakes(struct ksvm_vcpu *vcpu);
/* Acknowledge it: its vector, or -1. */
int ksvm_irq_take(struct ksvm_vcpu *vcpu);
/* A write of CR8 has to be seen when it is done. */
bool ksvm_irq_watches_cr8(struct ksvm_vcpu *vcpu);
/* CR8 was written: the task priority follows. */
void ksvm_tpr_changed(struct ksvm_vcpu *vcpu, unsigned int cr8);
/* KSVM_REQ_EVENT: take over what others have left. False: INIT or SIPI wait for ring 1. */
bool ksvm_irq_collect(struct ksvm_vcpu *vcpu);
/* INIT and SIPI; ring 1. */
void ksvm_irq_accept_init(struct ksvm_vcpu *vcpu);
/* KVM_EXIT_IOAPIC_EOI: the vector. */
u8 ksvm_irq_eoi_vector(const struct ksvm_vcpu *vcpu);
/* KVM_INTERRUPT: 0, -ENXIO where the 8259 is the kernel's, -EEXIST. */
int ksvm_irq_user_extint(struct ksvm_vcpu *vcpu, u8 vector);
/* INIT or SIPI as KVM_SET_MP_STATE has it, and as KVM_SET_VCPU_EVENTS. */
void ksvm_irq_set_startup(struct ksvm_vcpu *vcpu, u8 vector, bool pending);
u8 ksvm_irq_startup_vector(const struct ksvm_vcpu *vcpu);
/* An interrupt of the user's 8259 would be accepted; one has been, and is under way. */
bool ksvm_irq_accepts_extint(struct ksvm_vcpu *vcpu);
bool ksvm_irq_extint_queued(const struct ksvm_vcpu *vcpu);
void ksvm_irq_forget_nmis(struct ksvm_vcpu *vcpu);

#endif
