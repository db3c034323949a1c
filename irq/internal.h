/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSVM_IRQ_INTERNAL_H
#define KSVM_IRQ_INTERNAL_H

#include <linux/list.h>
#include <linux/types.h>

#include "irq.h"

struct kvm_ioapic_state;
struct kvm_pic_state;

/*
 * Nothing that delivers an interrupt sleeps: not ksvm_set_irq(), nor what it calls.
 * Any context, also with interrupts off, in a hard timer's callback, and with an
 * eventfd's lock held. Locks in here are raw, are taken with interrupts off, and are
 * not held while acknowledgment notifiers run.
 */

/**
 * ksvm_set_irq() - drive a GSI
 * @vm: the VM, with controllers
 * @source: who drives it
 * @gsi: number; one without a route is nobody's
 * @level: up or down; a message is sent when it goes up
 *
 * Return: more than 0: so many took it; 0: merged with one that is pending; -1:
 * masked, or without a route or a taker.
 */
int ksvm_set_irq(struct ksvm *vm, enum ksvm_irq_source source, u32 gsi, bool level);

/**
 * struct ksvm_ack_notifier - wants to know when a GSI's interrupt has been served
 * @link: in the VM's list
 * @gsi: which
 * @acked: called in any context, no lock held, inside rcu_read_lock()
 */
struct ksvm_ack_notifier {
	struct hlist_node link;
	u32 gsi;
	void (*acked)(struct ksvm_ack_notifier *notifier);
};

/* Sleeps, as does its undoing, after which nobody is in the callback. */
void ksvm_ack_register(struct ksvm *vm, struct ksvm_ack_notifier *notifier);
void ksvm_ack_unregister(struct ksvm *vm, struct ksvm_ack_notifier *notifier);
/* A pin of KVM_IRQCHIP_* was acknowledged: whoever listens to its GSIs is told. */
void ksvm_irq_acked(struct ksvm *vm, unsigned int chip, unsigned int pin);
bool ksvm_irq_has_notifier(struct ksvm *vm, unsigned int chip, unsigned int pin);

/* pic.c: create is with vm->lock held and puts it on the bus; all others lock. */
int ksvm_pic_create(struct ksvm *vm);
void ksvm_pic_destroy(struct ksvm *vm);
/* @pin: 0 to 15. Returns what ksvm_set_irq() does. */
int ksvm_pic_set_irq(struct ksvm *vm, unsigned int pin, enum ksvm_irq_source source, bool level);
/* Is INTR asserted; without the lock. */
bool ksvm_pic_output(struct ksvm *vm);
/* The processor's acknowledge cycle: the vector, a spurious one if need be. */
int ksvm_pic_read_irq(struct ksvm *vm);
/* @chip: KVM_IRQCHIP_PIC_MASTER or _SLAVE. */
void ksvm_pic_get_state(struct ksvm *vm, unsigned int chip, struct kvm_pic_state *state);
void ksvm_pic_set_state(struct ksvm *vm, unsigned int chip, const struct kvm_pic_state *state);
/* INTR went up: have a vCPU that takes the 8259's interrupts look; no lock held. */
void ksvm_extint_kick(struct ksvm *vm);
/* LVT0 in NMI mode: the timer's line is each vCPU's watchdog; no lock held. */
void ksvm_lint0_nmi(struct ksvm *vm);

/* pit.c */
void ksvm_pit_destroy(struct ksvm *vm);

/* irqfd.c, ioeventfd.c, coalesced.c: a VM's begin and end. */
void ksvm_irqfd_init_vm(struct ksvm *vm);
void ksvm_irqfd_destroy_vm(struct ksvm *vm);
void ksvm_ioeventfd_init_vm(struct ksvm *vm);
void ksvm_ioeventfd_destroy_vm(struct ksvm *vm);
int ksvm_coalesced_init_vm(struct ksvm *vm);
void ksvm_coalesced_destroy_vm(struct ksvm *vm);

#endif
