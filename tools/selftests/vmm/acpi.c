// SPDX-License-Identifier: GPL-2.0-only
/*
 * As little of ACPI as a guest needs to find its processors, its I/O APIC and the console:
 * Debian's cloud kernel does not read the MultiProcessor Specification's table.
 */
#include <string.h>

#include "harness.h"
#include "vmm.h"

#define TABLES		(BIOS + 0x8000)

#define MADT_PCAT	1	/* there are 8259s as well */
#define MADT_LAPIC	0
#define MADT_IOAPIC	1
#define MADT_NMI	4

#define FADT_SIZE	276
#define FADT_FACS	36
#define FADT_DSDT	40
#define FADT_SCI	46
#define FADT_EVENT	56
#define FADT_CONTROL	64
#define FADT_EVENT_LEN	88
#define FADT_CONTROL_LEN 89
#define FADT_BOOT_ARCH	109
#define FADT_FLAGS	112
#define FADT_X_DSDT	140

/* Devices of a PC, but no VGA, RTC or keyboard controller to be looked for. */
#define ARCH_LEGACY	BIT(0)
#define ARCH_NO_VGA	BIT(2)
#define ARCH_NO_RTC	BIT(5)
#define FLAG_WBINVD	BIT(0)
#define FLAG_REDUCED	BIT(20)

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], table[8];
	u32 oem_revision;
	char creator[4];
	u32 creator_revision;
} __packed;

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __packed;

/* The console at \_SB.COM1: PNP0501, eight ports, one interrupt. */
#define DSDT_IRQ_FLAGS	44
#define IRQ_LEVEL_HIGH	0x01
#define IRQ_EDGE_HIGH	0x03

static const u8 dsdt_code[] = {
	0x10, 0x33, '\\', '_', 'S', 'B', '_',
	0x5b, 0x82, 0x2b, 'C', 'O', 'M', '1',
	0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01,
	0x08, '_', 'C', 'R', 'S', 0x11, 0x16, 0x0a, 0x13,
	0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03, 0x01, 0x08,
	0x89, 0x06, 0x00, 0x00, 0x01, SERIAL_IRQ, 0x00, 0x00, 0x00,
	0x79, 0x00,
};

struct writer {
	u8 *ram;
	u64 at;
};

static u8 checksum(const void *data, size_t size)
{
	const u8 *p = data;
	u8 sum = 0;

	while (size--)
		sum -= *p++;
	return sum;
}

/* Returns where it is. */
static u64 put_table(struct writer *w, const char *signature, u8 revision, const void *body,
		     u32 size)
{
	struct acpi_header *header = (void *)(w->ram + w->at);
	u64 at = w->at;

	*header = (struct acpi_header) {
		.length = sizeof(*header) + size,
		.revision = revision,
		.oem = "KSVM  ",
		.table = "SELFTEST",
		.creator = "KSVM",
	};
	memcpy(header->signature, signature, 4);
	memcpy(header + 1, body, size);
	header->checksum = checksum(header, header->length);
	w->at = (at + header->length + 63) & ~63ull;
	TEST_TRUE(w->at < HIGH_MEMORY);
	return at;
}

static void put32(u8 *at, u32 value)
{
	memcpy(at, &value, sizeof(value));
}

static u64 put_facs(struct writer *w)
{
	u64 at = w->at;

	memcpy(w->ram + at, "FACS", 4);
	put32(w->ram + at + 4, 64);
	w->at += 64;
	return at;
}

static u64 put_dsdt(struct writer *w, bool legacy)
{
	u8 code[sizeof(dsdt_code)];

	memcpy(code, dsdt_code, sizeof(code));
	code[DSDT_IRQ_FLAGS] = legacy ? IRQ_EDGE_HIGH : IRQ_LEVEL_HIGH;
	return put_table(w, "DSDT", 2, code, sizeof(code));
}

static u64 put_fadt(struct writer *w, bool legacy)
{
	u64 facs = legacy ? put_facs(w) : 0, dsdt = put_dsdt(w, legacy);
	u8 fadt[FADT_SIZE] = {}, *body = fadt + sizeof(struct acpi_header);

	put32(fadt + FADT_FACS, facs);
	put32(fadt + FADT_DSDT, dsdt);
	put32(fadt + FADT_X_DSDT, dsdt);
	if (legacy) {
		fadt[FADT_SCI] = 9;
		put32(fadt + FADT_EVENT, ACPI_PORTS);
		put32(fadt + FADT_CONTROL, ACPI_PORTS + 4);
		fadt[FADT_EVENT_LEN] = 4;
		fadt[FADT_CONTROL_LEN] = 2;
	}
	fadt[FADT_BOOT_ARCH] = (legacy ? ARCH_LEGACY : 0) | ARCH_NO_VGA | ARCH_NO_RTC;
	put32(fadt + FADT_FLAGS, FLAG_WBINVD | (legacy ? 0 : FLAG_REDUCED));
	return put_table(w, "FACP", 6, body, FADT_SIZE - sizeof(struct acpi_header));
}

static u64 put_madt(struct writer *w, u32 cpus, bool legacy)
{
	u8 body[8 + MAX_CPUS * 8 + 12 + 6] = {}, *p = body + 8;
	u32 i;

	put32(body, LAPIC_BASE);
	put32(body + 4, legacy ? MADT_PCAT : 0);
	for (i = 0; i < cpus; i++, p += 8) {
		const u8 entry[8] = { MADT_LAPIC, 8, i, i, 1 };

		memcpy(p, entry, sizeof(entry));
	}
	p[0] = MADT_IOAPIC;
	p[1] = 12;
	p[2] = cpus;
	put32(p + 4, IOAPIC_BASE);
	p += 12;
	p[0] = MADT_NMI;
	p[1] = 6;
	p[2] = 0xff;
	p[5] = 1;
	p += 6;
	return put_table(w, "APIC", 4, body, p - body);
}

/**
 * acpi_write() - describe a machine to its guest
 * @machine: with its number of processors, and RAM
 * @legacy: it has 8259s and an 8254, and the console's interrupt is one by edge; else it
 *	    is by level
 */
void acpi_write(struct machine *machine, bool legacy)
{
	struct acpi_rsdp *rsdp = (void *)(machine->ram + TABLES);
	struct writer w = { .ram = machine->ram, .at = TABLES + 64 };
	u64 tables[2];

	tables[0] = put_fadt(&w, legacy);
	tables[1] = put_madt(&w, machine->n, legacy);
	*rsdp = (struct acpi_rsdp) {
		.signature = "RSD PTR ",
		.oem = "KSVM  ",
		.revision = 2,
		.length = sizeof(*rsdp),
		.xsdt = put_table(&w, "XSDT", 1, tables, sizeof(tables)),
	};
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}
