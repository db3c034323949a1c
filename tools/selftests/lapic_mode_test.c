// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC's base register: modes, their transitions, where the registers are. */
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define BASE		(APIC_DEFAULT_BASE | APIC_BASE_BSP)
#define DISABLED	BASE
#define XAPIC		(BASE | APIC_BASE_ENABLE)
#define X2APIC		(XAPIC | APIC_BASE_X2APIC)
#define INVALID		(BASE | APIC_BASE_X2APIC)

struct transition {
	u64 from, to;
	u64 vector;	/* of the guest's WRMSR; the host is free to go to any valid one */
};

static const struct transition transitions[] = {
	{ DISABLED, DISABLED, NO_VECTOR },
	{ DISABLED, XAPIC, NO_VECTOR },
	{ DISABLED, X2APIC, GP_VECTOR },
	{ DISABLED, INVALID, GP_VECTOR },
	{ XAPIC, DISABLED, NO_VECTOR },
	{ XAPIC, XAPIC, NO_VECTOR },
	{ XAPIC, X2APIC, NO_VECTOR },
	{ XAPIC, INVALID, GP_VECTOR },
	{ X2APIC, DISABLED, NO_VECTOR },
	{ X2APIC, XAPIC, GP_VECTOR },
	{ X2APIC, X2APIC, NO_VECTOR },
	{ X2APIC, INVALID, GP_VECTOR },
};

static void guest_transition(const struct transition *row)
{
	u64 value;

	GUEST_EQ(rdmsr(MSR_APIC_BASE), row->from);
	GUEST_EQ(try_wrmsr(MSR_APIC_BASE, row->to), row->vector);
	GUEST_EQ(rdmsr(MSR_APIC_BASE), row->vector == NO_VECTOR ? row->to : row->from);
	GUEST_EQ(try_rdmsr(MSR_X2APIC + (APIC_VERSION >> 4), &value),
		 rdmsr(MSR_APIC_BASE) & APIC_BASE_X2APIC ? NO_VECTOR : GP_VECTOR);
}

static void by_guest(const void *data)
{
	const struct transition *row = data;
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_transition, false);

	vcpu_set_msr(vcpu, MSR_APIC_BASE, row->from);
	vcpu_set_arg(vcpu, (u64)row, 0);
	vcpu_expect_done(vcpu);
	TEST_EQ(vcpu_sregs(vcpu).apic_base, row->vector == NO_VECTOR ? row->to : row->from);
	TEST_EQ(vcpu->run->apic_base, vcpu_sregs(vcpu).apic_base);
}

static void by_host(const void *data)
{
	const struct transition *row = data;
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_done, false);
	struct kvm_sregs sregs;
	u64 value = row->to;
	bool valid = row->to != INVALID;

	vcpu_set_msr(vcpu, MSR_APIC_BASE, row->from);
	TEST_EQ(vcpu_try_msr(vcpu, MSR_APIC_BASE, &value, true), valid);
	TEST_EQ(vcpu_msr(vcpu, MSR_APIC_BASE), valid ? row->to : row->from);
	vcpu_set_msr(vcpu, MSR_APIC_BASE, row->from);
	sregs = vcpu_sregs(vcpu);
	sregs.apic_base = row->to;
	if (valid)
		xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	else
		ioctl_fails(vcpu->fd, KVM_SET_SREGS, &sregs, EINVAL);
	TEST_EQ(vcpu_sregs(vcpu).apic_base, valid ? row->to : row->from);
}

static void guest_reserved_bits(u64 width)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 bit;

	for (bit = 0; bit < 64; bit++) {
		if ((bit >= 8 && bit < width && bit != 9))
			continue;
		GUEST_EQ(try_wrmsr(MSR_APIC_BASE, base | BIT(bit)), GP_VECTOR);
		GUEST_EQ(rdmsr(MSR_APIC_BASE), base);
	}
}

static void reserved_bits(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_reserved_bits, false);
	u64 width = cpuid_find(supported_cpuid(), 0x80000008, 0)->eax & 0xff, value;
	u32 bit;

	vcpu_set_arg(vcpu, width, 0);
	vcpu_expect_done(vcpu);
	for (bit = 0; bit < 64; bit++) {
		if ((bit >= 8 && bit < width && bit != 9))
			continue;
		value = XAPIC | BIT(bit);
		TEST_EQ(vcpu_try_msr(vcpu, MSR_APIC_BASE, &value, true), 0);
	}
	TEST_EQ(vcpu_msr(vcpu, MSR_APIC_BASE), XAPIC);
}

static void guest_no_x2apic(void)
{
	GUEST_EQ(try_wrmsr(MSR_APIC_BASE, X2APIC), GP_VECTOR);
	GUEST_EQ(rdmsr(MSR_APIC_BASE), XAPIC);
}

/* A guest whose CPUID has no x2APIC has no such mode. */
static void no_x2apic(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_no_x2apic, false);

	cpuid_find(supported_cpuid(), 1, 0)->ecx &= ~BIT(21);
	vcpu_set_cpuid(vcpu);
	vcpu_expect_done(vcpu);
}

static void guest_cpuid_apic(void)
{
	u32 a, b, c, d;

	guest_cpuid(1, 0, &a, &b, &c, &d);
	GUEST_ASSERT(d & BIT(9));
	wrmsr(MSR_APIC_BASE, DISABLED);
	guest_cpuid(1, 0, &a, &b, &c, &d);
	GUEST_ASSERT(!(d & BIT(9)));
	wrmsr(MSR_APIC_BASE, XAPIC);
	guest_cpuid(1, 0, &a, &b, &c, &d);
	GUEST_ASSERT(d & BIT(9));
}

static void cpuid_follows(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_cpuid_apic, false));
}

static void guest_hole(u64 base)
{
	wrmsr(MSR_APIC_BASE, base);
	mmio_write32(APIC_DEFAULT_BASE + APIC_TPR, 0x30);
	GUEST_EQ(mmio_read32(APIC_DEFAULT_BASE + APIC_TPR), ~0u);
	GUEST_EQ(mmio_read32(APIC_DEFAULT_BASE + APIC_VERSION), ~0u);
	GUEST_SYNC(1);
}

/* A documented quirk: where no registers are, all ones are read without an exit. */
static void mmio_hole(const void *base)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_hole, false);
	struct kvm_lapic_state state;

	vcpu_set_arg(vcpu, *(const u64 *)base, 0);
	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_TPR), 0);
}

static void mmio_hole_exits(const void *base)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpu;

	if (!check_extension(vm->fd, KVM_CAP_DISABLE_QUIRKS2))
		test_skip("KVM_CAP_DISABLE_QUIRKS2 is not there");
	vm_enable_cap(vm, KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_LAPIC_MMIO_HOLE);
	vcpu = irqchip_vcpu_create(vm, 0, 0, guest_hole);
	vcpu_set_arg(vcpu, *(const u64 *)base, 0);
	vcpu_expect_mmio(vcpu, true, APIC_DEFAULT_BASE + APIC_TPR, 4);
	vcpu_expect_mmio(vcpu, false, APIC_DEFAULT_BASE + APIC_TPR, 4);
	memset(vcpu->run->mmio.data, 0xff, 4);
	vcpu_expect_mmio(vcpu, false, APIC_DEFAULT_BASE + APIC_VERSION, 4);
	memset(vcpu->run->mmio.data, 0xff, 4);
	vcpu_expect_sync(vcpu, 1);
}

static void guest_relocate(u64 to)
{
	apic_setup();
	wrmsr(MSR_APIC_BASE, to | APIC_BASE_BSP | APIC_BASE_ENABLE);
	mmio_write32(to + APIC_TPR, 0x40);
	GUEST_EQ(mmio_read32(to + APIC_TPR), 0x40);
	GUEST_EQ(read_cr8(), 4);
	GUEST_EQ(mmio_read32(APIC_DEFAULT_BASE + APIC_TPR), 0x12345678);
	wrmsr(MSR_APIC_BASE, XAPIC);
	GUEST_EQ(apic_read(APIC_TPR), 0x40);
}

/* The registers move with the base, and what was theirs is not any more. */
static void relocate(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_relocate, false);

	vcpu_set_arg(vcpu, GUEST_MMIO, 0);
	vcpu_expect_mmio(vcpu, false, APIC_DEFAULT_BASE + APIC_TPR, 4);
	*(u32 *)vcpu->run->mmio.data = 0x12345678;
	vcpu_expect_done(vcpu);
}

static void guest_widths(void)
{
	u64 base = APIC_DEFAULT_BASE;

	apic_setup();
	apic_write(APIC_LVT1, LVT_MASKED | 0x7a);
	GUEST_EQ(mmio_read32(base + APIC_LVT1), LVT_MASKED | 0x7a);
	/* AMD's guests also read bytes and words; what is in them is the register's. */
	GUEST_EQ(mmio_read8(base + APIC_LVT1), 0x7a);
	GUEST_EQ(mmio_read8(base + APIC_LVT1 + 2), 1);
	GUEST_EQ(mmio_read16(base + APIC_LVT1), 0x7a);
	/* A write that is not of 32 bits, aligned, is none. */
	mmio_write8(base + APIC_TPR, 0x50);
	GUEST_EQ(apic_read(APIC_TPR), 0);
	mmio_write32(base + APIC_TPR + 4, 0x50);
	GUEST_EQ(apic_read(APIC_TPR), 0);
}

static void widths(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_widths, false));
}

static void guest_keeps(void)
{
	apic_setup();
	apic_write(APIC_TPR, 0x30);
	apic_write(APIC_LVT1, LVT_MASKED | ICR_NMI);
	apic_self(0x25);
	guest_x2apic = true;
	apic_setup();
	GUEST_EQ(apic_read(APIC_TPR), 0x30);
	GUEST_EQ(apic_read(APIC_LVT1), LVT_MASKED | ICR_NMI);
	GUEST_EQ(apic_read(APIC_SPIV), SPIV_ENABLE | 0xff);
	GUEST_ASSERT(apic_bit(APIC_IRR, 0x25));
	write_cr8(0);
	irq_window();
	GUEST_EQ(irq_counted(0x25), 1);
}

/* On the way to x2APIC nothing of the state is lost. */
static void x2apic_keeps_state(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_keeps, false));
}

static const struct test_row rows[] = {
	{ "reserved_bits", reserved_bits },
	{ "no_x2apic", no_x2apic },
	{ "cpuid_follows", cpuid_follows },
	{ "relocate", relocate },
	{ "widths", widths },
	{ "x2apic_keeps_state", x2apic_keeps_state },
};

static const u64 disabled = DISABLED, x2apic = X2APIC;

static const char *mode_name(u64 base)
{
	switch (base) {
	case DISABLED:
		return "disabled";
	case XAPIC:
		return "xapic";
	case X2APIC:
		return "x2apic";
	default:
		return "invalid";
	}
}

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(transitions); i++) {
		const struct transition *row = &transitions[i];

		test_add(by_guest, row, "lapic_mode/guest_%s_%s", mode_name(row->from),
			 mode_name(row->to));
		test_add(by_host, row, "lapic_mode/host_%s_%s", mode_name(row->from),
			 mode_name(row->to));
	}
	test_add(mmio_hole, &disabled, "lapic_mode/mmio_hole_disabled");
	test_add(mmio_hole, &x2apic, "lapic_mode/mmio_hole_x2apic");
	test_add(mmio_hole_exits, &disabled, "lapic_mode/mmio_hole_exits_disabled");
	test_add(mmio_hole_exits, &x2apic, "lapic_mode/mmio_hole_exits_x2apic");
	test_add_rows("lapic_mode", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
