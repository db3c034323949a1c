// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts between processors: what a write to ICR sends. */
#include "lapic.h"
#include "vm.h"

/**
 * lapic_send_ipi() - send what ICR says
 * @apic: the sender, by its own thread; any ring
 * @icr: the lower half of ICR
 * @dest: the destination, 8 or 32 bits
 *
 * A level-triggered INIT that is not asserted synchronises arbitration ids of old; there
 * are none.
 */
void lapic_send_ipi(struct ksvm_lapic *apic, u32 icr, u32 dest)
{
	const struct irq_message message = {
		.dest = {
			.id = dest,
			.logical = icr & APIC_DEST_LOGICAL,
			.wide = lapic_is_x2apic(apic),
		},
		.mode = LVT_MODE(icr),
		.vector = icr & LVT_VECTOR,
		.level = (icr & APIC_INT_LEVELTRIG) && (icr & APIC_INT_ASSERT),
		.lowest = LVT_MODE(icr) == IRQ_MODE_LOWEST,
	};
	struct ksvm *vm = apic->vcpu->vm;

	if (message.mode == IRQ_MODE_INIT && (icr & APIC_INT_LEVELTRIG) &&
	    !(icr & APIC_INT_ASSERT))
		return;
	if ((message.mode == IRQ_MODE_FIXED || message.mode == IRQ_MODE_LOWEST) &&
	    message.vector < LAPIC_VECTOR_MIN)
		lapic_error(apic, ESR_SEND_VECTOR);

	switch (icr & APIC_DEST_ALLBUT) {
	case APIC_DEST_SELF:
		lapic_accept(apic, message.mode, message.vector, message.level);
		break;
	case APIC_DEST_ALLINC:
		irq_deliver_all(vm, NULL, &message);
		break;
	case APIC_DEST_ALLBUT:
		irq_deliver_all(vm, apic, &message);
		break;
	default:
		irq_deliver(vm, &message);
		break;
	}
}
