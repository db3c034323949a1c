/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts that a guest counts: the local APIC, the I/O APIC's pins, routes to both. */
#ifndef SELFTEST_IRQ_GUEST_H
#define SELFTEST_IRQ_GUEST_H

#include "types.h"

struct vm;
struct kvm_irq_routing_entry;

/* Host: VMs with controllers of the kernel's; the case is skipped where there are none. */
struct vm *irq_vm_create(void);
struct vm *irq_vm_create_split(void);
struct kvm_irq_routing_entry irq_route_msi(u32 gsi, u32 vector);
struct kvm_irq_routing_entry irq_route_ioapic(u32 gsi, u32 pin);
void irq_set_routes(struct vm *vm, const struct kvm_irq_routing_entry *entries, u32 n);

/* Guest: how often each vector has come. */
extern u64 guest_irq_count[256];

/* Bits of a pin's entry. */
#define PIN_LEVEL	BIT(15)
#define PIN_MASKED	BIT(16)

void guest_irq_init(void);
void guest_irq_wait(u32 vector, u64 count);
void guest_irq_window(void);
void guest_ioapic_pin(u32 pin, u64 entry);

#endif
