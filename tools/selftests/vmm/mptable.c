// SPDX-License-Identifier: GPL-2.0-only
/* The table of the MultiProcessor Specification, for guests without ACPI. */
#include <string.h>

#include "vmm.h"

#define TYPE_PROCESSOR	0
#define TYPE_BUS	1
#define TYPE_IOAPIC	2
#define TYPE_IRQ	3
#define TYPE_LINT	4

#define IRQ_INT		0
#define IRQ_NMI		1
#define IRQ_EXTINT	3
#define HIGH_EDGE	0x05
#define HIGH_LEVEL	0x0d

struct mp_pointer {
	char signature[4];
	u32 address;
	u8 length, spec, checksum, features[5];
} __packed;

struct mp_header {
	char signature[4];
	u16 length;
	u8 spec, checksum;
	char oem[8], product[12];
	u32 oem_table;
	u16 oem_size, entries;
	u32 lapic;
	u16 extended;
	u8 extended_checksum, reserved;
} __packed;

struct mp_processor {
	u8 type, apic_id, version, flags;
	u32 signature, features, reserved[2];
} __packed;

struct mp_bus {
	u8 type, id;
	char name[6];
} __packed;

struct mp_ioapic {
	u8 type, id, version, flags;
	u32 address;
} __packed;

struct mp_irq {
	u8 type, kind;
	u16 flags;
	u8 bus, irq, apic, pin;
} __packed;

struct writer {
	u8 *at;
	u16 entries;
};

static void put(struct writer *w, const void *entry, size_t size)
{
	memcpy(w->at, entry, size);
	w->at += size;
	w->entries++;
}

static void put_irq(struct writer *w, u8 type, u8 kind, u16 flags, u8 irq, u8 apic, u8 pin)
{
	struct mp_irq entry = { type, kind, flags, 0, irq, apic, pin };

	put(w, &entry, sizeof(entry));
}

static u8 checksum(const void *data, size_t size)
{
	const u8 *p = data;
	u8 sum = 0;

	while (size--)
		sum -= *p++;
	return sum;
}

static void put_entries(struct machine *machine, struct writer *w, bool level)
{
	struct mp_bus bus = { TYPE_BUS, 0, "ISA   " };
	struct mp_ioapic ioapic = { TYPE_IOAPIC, machine->n, 0x11, 1, IOAPIC_BASE };
	u32 i;

	for (i = 0; i < machine->n; i++) {
		struct mp_processor cpu = {
			.type = TYPE_PROCESSOR,
			.apic_id = i,
			.version = 0x14,
			.flags = i ? 1 : 3,
			.signature = 0x600,
			.features = 0x201,
		};

		put(w, &cpu, sizeof(cpu));
	}
	put(w, &bus, sizeof(bus));
	put(w, &ioapic, sizeof(ioapic));
	for (i = 0; i < 16; i++)
		put_irq(w, TYPE_IRQ, IRQ_INT, level && i == SERIAL_IRQ ? HIGH_LEVEL : HIGH_EDGE, i,
			ioapic.id, i);
	put_irq(w, TYPE_LINT, IRQ_EXTINT, HIGH_EDGE, 0, 0xff, 0);
	put_irq(w, TYPE_LINT, IRQ_NMI, HIGH_EDGE, 0, 0xff, 1);
}

/**
 * mptable_write() - describe a machine to its guest
 * @machine: with its number of processors, and RAM
 * @at: in the last KiB of base memory, or between 0xf0000 and 0xfffff
 * @level: the console's interrupt is one by level
 */
void mptable_write(struct machine *machine, u64 at, bool level)
{
	struct mp_pointer *pointer = (void *)(machine->ram + at);
	struct mp_header *header = (void *)(pointer + 1);
	struct writer w = { .at = (u8 *)(header + 1) };

	put_entries(machine, &w, level);
	*header = (struct mp_header) {
		.signature = "PCMP",
		.length = w.at - (u8 *)header,
		.spec = 4,
		.oem = "KSVM    ",
		.product = "SELFTEST    ",
		.entries = w.entries,
		.lapic = LAPIC_BASE,
	};
	header->checksum = checksum(header, header->length);
	*pointer = (struct mp_pointer) {
		.signature = "_MP_",
		.address = at + sizeof(*pointer),
		.length = 1,
		.spec = 4,
	};
	pointer->checksum = checksum(pointer, sizeof(*pointer));
}
