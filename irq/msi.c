// SPDX-License-Identifier: GPL-2.0-only
/* Message-signalled interrupts: address and data to a message. */
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/minmax.h>

#include "lapic.h"
#include "vm.h"

#define ADDRESS_DEST_SHIFT	12
#define ADDRESS_REDIRECT	BIT(3)
#define ADDRESS_LOGICAL		BIT(2)
#define ADDRESS_HI_DEST		GENMASK(31, 8)
#define DATA_LEVEL		BIT(15)

/**
 * irq_message_of_msi() - what a device's write means
 * @vm: the VM
 * @address_lo: where it writes; bits 19-12 are the destination
 * @address_hi: with 32-bit ids, bits 31-8 are the destination's
 * @data: what
 */
struct irq_message irq_message_of_msi(const struct ksvm *vm, u32 address_lo, u32 address_hi,
				      u32 data)
{
	u32 dest = address_lo >> ADDRESS_DEST_SHIFT & 0xff;
	enum irq_mode mode = LVT_MODE(data);

	if (vm->irq.x2apic_32bit)
		dest |= address_hi & ADDRESS_HI_DEST;
	return (struct irq_message) {
		.dest = {
			.id = dest,
			.logical = address_lo & ADDRESS_LOGICAL,
			.wide = dest > DEST_XAPIC_BROADCAST,
			.broadcast_all = !vm->irq.x2apic_no_broadcast,
		},
		.mode = mode,
		.vector = data & LVT_VECTOR,
		.level = data & DATA_LEVEL,
		.lowest = mode == IRQ_MODE_LOWEST ||
			  (mode == IRQ_MODE_FIXED && (address_lo & ADDRESS_REDIRECT)),
	};
}

/**
 * ksvm_signal_msi() - KVM_SIGNAL_MSI
 * @vm: the VM
 * @msi: the message
 *
 * Return: more than 0: taken; 0: merged, or nobody takes it; -EINVAL without local APICs
 * in the kernel, or for flags or an address that are not valid.
 */
int ksvm_signal_msi(struct ksvm *vm, const struct kvm_msi *msi)
{
	struct irq_message message;

	if (irqchip_of(vm) == KSVM_IRQCHIP_NONE || (msi->flags & ~KVM_MSI_VALID_DEVID))
		return -EINVAL;
	if (vm->irq.x2apic_32bit && (msi->address_hi & ~ADDRESS_HI_DEST))
		return -EINVAL;
	message = irq_message_of_msi(vm, msi->address_lo, msi->address_hi, msi->data);
	return max(irq_deliver(vm, &message), 0);
}
