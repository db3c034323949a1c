// SPDX-License-Identifier: GPL-2.0-only
/*
 * An I/O APIC in user space: its pins are messages that the kernel sends for irqfds, and
 * the end of an interrupt by level comes back as an exit.
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"
#include "vmm.h"

#define REG_ID		0
#define REG_VERSION	1
#define REG_PIN		0x10

#define RTE_LOGICAL	BIT(11)
#define RTE_READ_ONLY	(BIT(12) | BIT(14))
#define RTE_REMOTE_IRR	BIT(14)
#define RTE_LEVEL	BIT(15)
#define RTE_MASKED	BIT(16)

/**
 * ioapic_init() - all pins masked, one eventfd for each
 * @machine: with KVM_CAP_SPLIT_IRQCHIP
 */
void ioapic_init(struct machine *machine)
{
	struct kvm_irqfd irqfd = {};
	u32 i;

	for (i = 0; i < IOAPIC_PINS; i++) {
		machine->ioapic.pins[i] = RTE_MASKED;
		irqfd.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		irqfd.gsi = i;
		TEST_TRUE((int)irqfd.fd >= 0);
		xioctl(machine->vm, KVM_IRQFD, &irqfd);
		machine->ioapic.fds[i] = irqfd.fd;
	}
}

/*
 * An entry as the message that it stands for. Seven bits of a destination beyond 255 are
 * in the upper half of the address, where the entry has them below the eight.
 */
static struct kvm_irq_routing_entry route(u32 pin, u64 entry)
{
	u32 low = entry >> 56, high = entry >> 49 & 0x7f;

	return (struct kvm_irq_routing_entry) {
		.gsi = pin,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = LAPIC_BASE | low << 12 | (entry & RTE_LOGICAL ? 4 : 0),
		.u.msi.address_hi = high << 8,
		.u.msi.data = (entry & 0x7ff) | (entry & RTE_LEVEL) | BIT(14),
	};
}

static void set_routes(struct machine *machine)
{
	struct kvm_irq_routing *table;
	u32 i;

	table = calloc(1, sizeof(*table) + IOAPIC_PINS * sizeof(table->entries[0]));
	for (i = 0; i < IOAPIC_PINS; i++) {
		u64 entry = machine->ioapic.pins[i];

		if (!(entry & RTE_MASKED))
			table->entries[table->nr++] = route(i, entry);
	}
	xioctl(machine->vm, KVM_SET_GSI_ROUTING, table);
	free(table);
}

static void deliver(struct machine *machine, u32 pin)
{
	u64 *entry = &machine->ioapic.pins[pin], one = 1;

	if (*entry & (RTE_MASKED | RTE_REMOTE_IRR))
		return;
	if (*entry & RTE_LEVEL)
		*entry |= RTE_REMOTE_IRR;
	TEST_EQ(write(machine->ioapic.fds[pin], &one, sizeof(one)), sizeof(one));
}

/**
 * ioapic_set_line() - drive a pin
 * @machine: whose; its lock is held
 * @pin: which
 * @level: up or down
 */
void ioapic_set_line(struct machine *machine, u32 pin, bool level)
{
	u32 before = machine->ioapic.lines;

	machine->ioapic.lines &= ~BIT(pin);
	if (!level)
		return;
	machine->ioapic.lines |= BIT(pin);
	if (!(before & BIT(pin)))
		deliver(machine, pin);
}

/**
 * ioapic_eoi() - a processor has done with a vector
 * @machine: whose; its lock is held
 * @vector: KVM_EXIT_IOAPIC_EOI's
 */
void ioapic_eoi(struct machine *machine, u8 vector)
{
	u32 i;

	machine->ioapic.eois++;
	for (i = 0; i < IOAPIC_PINS; i++) {
		u64 *entry = &machine->ioapic.pins[i];

		if (!(*entry & RTE_LEVEL) || (*entry & 0xff) != vector)
			continue;
		*entry &= ~RTE_REMOTE_IRR;
		if (machine->ioapic.lines & BIT(i))
			deliver(machine, i);
	}
}

static u32 read_register(struct ioapic *ioapic)
{
	u32 pin = (ioapic->index - REG_PIN) / 2;

	if (ioapic->index == REG_ID)
		return ioapic->id;
	if (ioapic->index == REG_VERSION)
		return 0x00170011;
	if (ioapic->index < REG_PIN || pin >= IOAPIC_PINS)
		return 0;
	return ioapic->pins[pin] >> (ioapic->index & 1 ? 32 : 0);
}

static void write_pin(struct machine *machine, u32 pin, bool upper, u32 value)
{
	u64 *entry = &machine->ioapic.pins[pin];

	if (upper)
		*entry = (u32)*entry | (u64)value << 32;
	else
		*entry = (*entry & ~(0xffffffffull & ~RTE_READ_ONLY)) | (value & ~RTE_READ_ONLY);
	/* An edge's has none. */
	if (!(*entry & RTE_LEVEL))
		*entry &= ~RTE_REMOTE_IRR;
	set_routes(machine);
	if ((*entry & RTE_LEVEL) && (machine->ioapic.lines & BIT(pin)))
		deliver(machine, pin);
}

/**
 * ioapic_access() - a guest's access to the registers
 * @machine: whose; its lock is held
 * @gpa: address
 * @value: to or from here
 * @write: direction
 *
 * Return: false if the address is not the I/O APIC's.
 */
bool ioapic_access(struct machine *machine, u64 gpa, u32 *value, bool write)
{
	struct ioapic *ioapic = &machine->ioapic;
	u32 pin = (ioapic->index - REG_PIN) / 2;

	if (gpa == IOAPIC_BASE) {
		if (write)
			ioapic->index = *value & 0xff;
		else
			*value = ioapic->index;
		return true;
	}
	if (gpa != IOAPIC_BASE + 0x10)
		return false;
	if (!write)
		*value = read_register(ioapic);
	else if (ioapic->index == REG_ID)
		ioapic->id = *value & 0x0f000000;
	else if (ioapic->index >= REG_PIN && pin < IOAPIC_PINS)
		write_pin(machine, pin, ioapic->index & 1, *value);
	return true;
}
