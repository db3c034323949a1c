// SPDX-License-Identifier: GPL-2.0-only
/* The guest's side of the interrupt controllers; built without vector registers. */
#include "apic.h"

bool guest_x2apic;
u64 irq_count[GUEST_MAX_VCPUS][256];
u8 irq_log[GUEST_MAX_VCPUS][IRQ_LOG];
u32 irq_logged[GUEST_MAX_VCPUS];
void (*irq_hook)(u8 vector);

/**
 * apic_read() - read a register of this vCPU's local APIC
 * @reg: its offset
 *
 * Return: its value, in the mode that guest_x2apic names.
 */
u64 apic_read(u32 reg)
{
	if (guest_x2apic)
		return rdmsr(MSR_X2APIC + (reg >> 4));
	return mmio_read32(APIC_DEFAULT_BASE + reg);
}

/**
 * apic_write() - write a register of this vCPU's local APIC
 * @reg: its offset
 * @value: to be written
 */
void apic_write(u32 reg, u64 value)
{
	if (guest_x2apic)
		wrmsr(MSR_X2APIC + (reg >> 4), value);
	else
		mmio_write32(APIC_DEFAULT_BASE + reg, value);
}

/**
 * apic_try_write() - write a register that may not be there, x2APIC
 * @reg: its offset
 * @value: to be written
 *
 * Return: the exception's vector or NO_VECTOR.
 */
u64 apic_try_write(u32 reg, u64 value)
{
	return try_wrmsr(MSR_X2APIC + (reg >> 4), value);
}

/**
 * apic_try_read() - read a register that may not be there, x2APIC
 * @reg: its offset
 * @value: filled
 *
 * Return: the exception's vector or NO_VECTOR.
 */
u64 apic_try_read(u32 reg, u64 *value)
{
	return try_rdmsr(MSR_X2APIC + (reg >> 4), value);
}

/**
 * apic_bit() - look at one vector of ISR, TMR or IRR
 * @reg: the first of the eight registers
 * @vector: which
 */
bool apic_bit(u32 reg, u8 vector)
{
	return apic_read(reg + (vector >> 5) * 0x10) & BIT(vector & 31);
}

/**
 * apic_send() - write the interrupt command register
 * @dest: destination, as wide as the mode has it
 * @low: the low half
 */
void apic_send(u32 dest, u32 low)
{
	if (guest_x2apic) {
		wrmsr(MSR_X2APIC + (APIC_ICR >> 4), (u64)dest << 32 | low);
		return;
	}
	apic_write(APIC_ICR2, dest << 24);
	apic_write(APIC_ICR, low);
}

/**
 * apic_self() - request an interrupt of this vCPU
 * @vector: which
 */
void apic_self(u8 vector)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | vector);
}

/** irq_halt() - wait for an interrupt, and close them again after it */
void __noinline irq_halt(void)
{
	asm volatile("sti\n\t.globl irq_halt_insn\nirq_halt_insn:\n\thlt\n\tcli"
		     : : : "memory");
}

static void count(struct guest_frame *frame)
{
	u64 cpu = guest_this_cpu()->id;
	u8 vector = frame->vector;

	if (irq_logged[cpu] < IRQ_LOG)
		irq_log[cpu][irq_logged[cpu]++] = vector;
	WRITE_ONCE(irq_count[cpu][vector], irq_count[cpu][vector] + 1);
	/*
	 * QEMU loses the interrupt shadow of STI when an exit comes in between: what is
	 * taken before the HLT must not be followed by it.
	 */
	if (frame->rip == (u64)irq_halt_insn) {
		GUEST_ASSERT(guest_tcg || vector == NMI_VECTOR);
		frame->rip++;
	}
	if (vector == NMI_VECTOR)
		return;
	if (irq_hook)
		irq_hook(vector);
	apic_write(APIC_EOI, 0);
}

/**
 * apic_setup() - enable this vCPU's local APIC and have what arrives counted
 *
 * The mode is the one that guest_x2apic names; interrupts stay off.
 */
void apic_setup(void)
{
	u32 v;

	for (v = 0x20; v < 256; v++) {
		if (v != GUEST_USER_END)
			guest_handlers[v] = count;
	}
	guest_handlers[NMI_VECTOR] = count;
	if (guest_x2apic)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	apic_write(APIC_SPIV, SPIV_ENABLE | 0xff);
}

/** irq_window() - take what is pending, and nothing more */
void irq_window(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

/**
 * irq_counted() - how often this vCPU took a vector
 * @vector: which
 */
u64 irq_counted(u8 vector)
{
	return READ_ONCE(irq_count[guest_this_cpu()->id][vector]);
}

/** irq_total() - how many interrupts this vCPU took, NMIs included */
u64 irq_total(void)
{
	u64 total = 0;
	u32 v;

	for (v = 0; v < 256; v++)
		total += irq_counted(v);
	return total;
}

/**
 * irq_halt_until() - halt until this vCPU took a vector so many times
 * @vector: which
 * @count: how often, since the beginning
 */
void irq_halt_until(u8 vector, u64 count)
{
	while (irq_counted(vector) < count)
		irq_halt();
}

/**
 * ioapic_read() - read a register of the I/O APIC
 * @reg: its index
 */
u32 ioapic_read(u32 reg)
{
	mmio_write32(IOAPIC_BASE, reg);
	return mmio_read32(IOAPIC_BASE + 0x10);
}

/**
 * ioapic_write() - write a register of the I/O APIC
 * @reg: its index
 * @value: to be written
 */
void ioapic_write(u32 reg, u32 value)
{
	mmio_write32(IOAPIC_BASE, reg);
	mmio_write32(IOAPIC_BASE + 0x10, value);
}

/**
 * ioapic_set_pin() - write a redirection entry, the half with the mask last
 * @pin: which
 * @entry: its 64 bits
 */
void ioapic_set_pin(u32 pin, u64 entry)
{
	ioapic_write(IOREG_PIN(pin) + 1, entry >> 32);
	ioapic_write(IOREG_PIN(pin), entry);
}

/**
 * ioapic_pin() - read a redirection entry
 * @pin: which
 */
u64 ioapic_pin(u32 pin)
{
	return ioapic_read(IOREG_PIN(pin)) | (u64)ioapic_read(IOREG_PIN(pin) + 1) << 32;
}
