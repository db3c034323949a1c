// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC's registers and modes, as the guest and KVM_GET_LAPIC see them. */
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

enum access {
	ACCESS_RW,
	ACCESS_RO,
	ACCESS_WO,
	ACCESS_NONE,
};

/*
 * A register: how it is accessed in each mode, its reset value, and the bits that a
 * write changes. Of those that a write starts something with there is no mask.
 */
struct reg_row {
	const char *name;
	u32 reg;
	enum access xapic, x2apic;
	u32 reset;
	u32 mask;
};

#define LVT_VECTOR	0xff
#define LVT_MODE	0x700

static const struct reg_row regs[] = {
	{ "id", APIC_ID, ACCESS_RW, ACCESS_RO, 0, 0 },
	{ "version", APIC_VERSION, ACCESS_RO, ACCESS_RO, 0x50014, 0 },
	{ "tpr", APIC_TPR, ACCESS_RW, ACCESS_RW, 0, 0xff },
	{ "ppr", APIC_PPR, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "eoi", APIC_EOI, ACCESS_WO, ACCESS_WO, 0, 0 },
	{ "ldr", APIC_LDR, ACCESS_RW, ACCESS_RO, 0, 0xff000000 },
	{ "dfr", APIC_DFR, ACCESS_RW, ACCESS_NONE, ~0u, 0xf0000000 },
	{ "spiv", APIC_SPIV, ACCESS_RW, ACCESS_RW, 0xff, 0x3ff },
	{ "isr0", APIC_ISR, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "isr7", APIC_ISR + 0x70, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "tmr0", APIC_TMR, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "tmr7", APIC_TMR + 0x70, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "irr0", APIC_IRR, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "irr7", APIC_IRR + 0x70, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "esr", APIC_ESR, ACCESS_RW, ACCESS_RW, 0, 0 },
	{ "icr", APIC_ICR, ACCESS_RW, ACCESS_RW, 0, 0 },
	{ "icr2", APIC_ICR2, ACCESS_RW, ACCESS_NONE, 0, 0xff000000 },
	{ "lvt_timer", APIC_LVTT, ACCESS_RW, ACCESS_RW, LVT_MASKED,
	  LVT_VECTOR | LVT_MASKED | LVTT_PERIODIC },
	{ "lvt_thermal", APIC_LVTTHMR, ACCESS_RW, ACCESS_RW, LVT_MASKED,
	  LVT_VECTOR | LVT_MODE | LVT_MASKED },
	{ "lvt_performance", APIC_LVTPC, ACCESS_RW, ACCESS_RW, LVT_MASKED,
	  LVT_VECTOR | LVT_MODE | LVT_MASKED },
	/* ExtINT for the boot processor, which is a documented quirk of KVM's. */
	{ "lvt_lint0", APIC_LVT0, ACCESS_RW, ACCESS_RW, ICR_EXTINT,
	  LVT_VECTOR | LVT_MODE | BIT(13) | LVT_LEVEL | LVT_MASKED },
	{ "lvt_lint1", APIC_LVT1, ACCESS_RW, ACCESS_RW, LVT_MASKED,
	  LVT_VECTOR | LVT_MODE | BIT(13) | LVT_LEVEL | LVT_MASKED },
	{ "lvt_error", APIC_LVTERR, ACCESS_RW, ACCESS_RW, LVT_MASKED, LVT_VECTOR | LVT_MASKED },
	{ "initial_count", APIC_TMICT, ACCESS_RW, ACCESS_RW, 0, ~0u },
	{ "current_count", APIC_TMCCT, ACCESS_RO, ACCESS_RO, 0, 0 },
	{ "divide", APIC_TDCR, ACCESS_RW, ACCESS_RW, 0, 0xb },
	{ "self_ipi", APIC_SELF_IPI, ACCESS_NONE, ACCESS_WO, 0, 0 },
};

/* Stock KVM forgets at each exit what CR8 has no bits for. */
static u32 tpr_mask(void)
{
	return guest_reference ? 0xf0 : 0xff;
}

static bool lvt(u32 reg)
{
	return reg >= APIC_LVTT && reg <= APIC_LVTERR;
}

static void guest_register(const struct reg_row *row)
{
	enum access access = guest_x2apic ? row->x2apic : row->xapic;
	u32 mask = row->reg == APIC_TPR ? tpr_mask() : row->mask;
	u64 old, value = 0;

	if (guest_x2apic)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	/* An LVT is masked for good as long as the APIC is disabled by software. */
	if (lvt(row->reg))
		apic_write(APIC_SPIV, SPIV_ENABLE | 0xff);
	if (access == ACCESS_RO || access == ACCESS_RW) {
		value = apic_read(row->reg);
		/* In x2APIC mode the LDR follows from the id, 0. */
		if (guest_x2apic && row->reg == APIC_LDR)
			GUEST_EQ(value, 1);
		else if (row->reg == APIC_VERSION)
			GUEST_EQ(value & ~VERSION_NO_EOI_BROADCAST, row->reset);
		else
			GUEST_EQ(value, row->reset);
	}
	if (mask && access == ACCESS_RW) {
		old = value;
		/* Neither a timer that is masked nor a mask sends anything. */
		apic_write(row->reg, mask);
		GUEST_EQ(apic_read(row->reg) & mask, mask);
		apic_write(row->reg, 0);
		GUEST_EQ(apic_read(row->reg) & mask, 0);
		apic_write(row->reg, old);
		GUEST_EQ(apic_read(row->reg), old);
	}
	GUEST_SYNC_ARGS(1, value, 0, 0);
	if (guest_x2apic) {
		if (access == ACCESS_WO || access == ACCESS_NONE)
			GUEST_EQ(apic_try_read(row->reg, &value), GP_VECTOR);
		if (access == ACCESS_RO || access == ACCESS_NONE)
			GUEST_EQ(apic_try_write(row->reg, 0), GP_VECTOR);
		/* The upper halves are reserved but for the ICR's. */
		if (row->reg != APIC_ICR)
			GUEST_EQ(apic_try_write(row->reg, 1ull << 32), GP_VECTOR);
	} else if (access == ACCESS_RO) {
		apic_write(row->reg, ~value);
		GUEST_EQ(apic_read(row->reg), value);
	}
}

static void register_row(const struct reg_row *row, bool x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_register, x2apic);
	struct kvm_lapic_state state;
	struct guest_message msg;

	vcpu_set_arg(vcpu, (u64)row, 0);
	TEST_EQ(vcpu_run_message(vcpu, &msg), MSG_SYNC);
	state = vcpu_lapic(vcpu);
	/* The counter, where there is one, and what cannot be read are left out. */
	if ((x2apic ? row->x2apic : row->xapic) <= ACCESS_RO)
		TEST_EQ(lapic_reg(&state, row->reg), (u32)msg.args[1]);
	vcpu_expect_done(vcpu);
}

static void register_xapic(const void *row)
{
	register_row(row, false);
}

static void register_x2apic(const void *row)
{
	register_row(row, true);
}

/* All that is not a register, x2APIC: no access. */
static void guest_reserved_msrs(void)
{
	u64 value;
	u32 i, j;

	guest_x2apic = true;
	apic_setup();
	for (i = 0; i < 0x100; i++) {
		bool known = i >= 0x10 && i < 0x28;

		for (j = 0; j < ARRAY_SIZE(regs); j++)
			known |= regs[j].reg == i << 4 && regs[j].x2apic != ACCESS_NONE;
		if (known)
			continue;
		/* The lot of machine check's corrected errors is optional. */
		if (i == 0x2f)
			continue;
		value = i;
		GUEST_EQ(try_rdmsr(MSR_X2APIC + i, &value), GP_VECTOR);
		GUEST_EQ(try_wrmsr(MSR_X2APIC + i, 0), GP_VECTOR);
	}
}

static void reserved_x2apic(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_reserved_msrs, true));
}

/* In xAPIC mode they may only be noted as an error. */
static const u16 holes[] = { 0x000, 0x010, 0x040, 0x050, 0x060, 0x070, 0x290, 0x2a0, 0x2e0,
			     0x3a0, 0x3b0, 0x3c0, 0x3d0, 0x3f0 };

static void guest_reserved_mmio(void)
{
	u32 i, esr;

	apic_setup();
	GUEST_SYNC(1);
	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		mmio_write32(APIC_DEFAULT_BASE + holes[i], ~0u);
		mmio_read32(APIC_DEFAULT_BASE + holes[i]);
	}
	GUEST_SYNC(2);
	apic_write(APIC_ESR, 0);
	esr = apic_read(APIC_ESR);
	GUEST_EQ(esr & ~ESR_ILLEGAL_REGISTER, 0);
	irq_window();
	GUEST_EQ(irq_total(), 0);
}

static void reserved_xapic(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_reserved_mmio, false);
	struct kvm_lapic_state before, after;

	vcpu_expect_sync(vcpu, 1);
	before = vcpu_lapic(vcpu);
	vcpu_expect_sync(vcpu, 2);
	after = vcpu_lapic(vcpu);
	TEST_TRUE(!memcmp(&before, &after, sizeof(after)));
	vcpu_expect_done(vcpu);
}

/* Delivery status and remote IRR of an LVT are the APIC's. */
static void guest_lvt_read_only(void)
{
	u32 reg;

	apic_setup();
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10) {
		apic_write(reg, LVT_MASKED | LVT_PENDING | LVT_REMOTE_IRR | 0x40);
		GUEST_EQ(apic_read(reg) & ~LVT_MODE, LVT_MASKED | 0x40);
	}
}

static void lvt_read_only(void)
{
	if (reference_run())
		test_skip("stock KVM keeps what is written there");
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_lvt_read_only, false));
}

/* The deadline mode is for guests whose CPUID has it. */
static void guest_no_deadline(void)
{
	apic_setup();
	apic_write(APIC_LVTT, LVT_MASKED | LVTT_DEADLINE | 0x40);
	GUEST_EQ(apic_read(APIC_LVTT), LVT_MASKED | 0x40);
}

static void no_deadline_mode(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_no_deadline, false);

	cpuid_find(supported_cpuid(), 1, 0)->ecx &= ~BIT(24);
	vcpu_set_cpuid(vcpu);
	vcpu_expect_done(vcpu);
}

static void guest_software_disable(void)
{
	u32 reg;

	apic_setup();
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10)
		apic_write(reg, 0x40);
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10)
		GUEST_EQ(apic_read(reg), 0x40);
	apic_self(0x50);
	apic_write(APIC_SPIV, 0xff);
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10) {
		GUEST_EQ(apic_read(reg), LVT_MASKED | 0x40);
		apic_write(reg, 0x41);
		GUEST_EQ(apic_read(reg), LVT_MASKED | 0x41);
	}
	/* What came before stays and can be taken, what comes now is not. */
	apic_self(0x51);
	GUEST_ASSERT(apic_bit(APIC_IRR, 0x50) && !apic_bit(APIC_IRR, 0x51));
	irq_window();
	GUEST_EQ(irq_counted(0x50), 1);
	apic_write(APIC_SPIV, SPIV_ENABLE | 0xff);
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10)
		GUEST_EQ(apic_read(reg), LVT_MASKED | 0x41);
	irq_window();
	GUEST_EQ(irq_counted(0x50), 1);
	GUEST_EQ(irq_total(), 1);
}

static void software_disable(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_software_disable, x2apic));
}

#define BASE_ENABLE	BIT(11)

/* An APIC that is switched off forgets its priority, and CR8 with it. */
static void guest_switched_off(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	apic_setup();
	write_cr8(5);
	wrmsr(MSR_APIC_BASE, base & ~BASE_ENABLE);
	GUEST_EQ(read_cr8(), 0);
	wrmsr(MSR_APIC_BASE, base);
	GUEST_EQ(read_cr8(), 0);
	GUEST_EQ(apic_read(APIC_TPR), 0);
	GUEST_EQ(apic_read(APIC_PPR), 0);
}

static void switched_off(void)
{
	if (reference_run())
		test_skip("stock KVM keeps the registers");
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_switched_off, false));
}

#define X2APIC_ICR	(MSR_X2APIC + (APIC_ICR >> 4))

static void guest_icr_reserved(void)
{
	u64 value = 0x1234500000000ull | ICR_SELF | 0x55;
	u32 bit;

	apic_setup();
	wrmsr(X2APIC_ICR, value);
	for (bit = 13; bit < 32; bit++) {
		if (bit == 14 || bit == 15 || bit == 18 || bit == 19)
			continue;
		GUEST_EQ(try_wrmsr(X2APIC_ICR, BIT(bit) | ICR_SELF | 0x56), GP_VECTOR);
		GUEST_EQ(rdmsr(X2APIC_ICR), value);
	}
	/* That the last one is under way has never been true here. */
	wrmsr(X2APIC_ICR, BIT(12) | ICR_SELF | 0x57);
	GUEST_EQ(rdmsr(X2APIC_ICR), ICR_SELF | 0x57);
	irq_window();
	GUEST_EQ(irq_counted(0x55), 1);
	GUEST_EQ(irq_counted(0x57), 1);
	GUEST_EQ(irq_total(), 2);
}

static void icr_reserved(void)
{
	if (reference_run())
		test_skip("stock KVM before 6.10 takes them");
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_icr_reserved, true));
}

static void guest_tpr(void)
{
	u32 i;

	apic_setup();
	for (i = 0; i < 256; i += i < 16 ? 1 : 7) {
		apic_write(APIC_TPR, i);
		GUEST_EQ(apic_read(APIC_TPR), i & tpr_mask());
		GUEST_EQ(apic_read(APIC_PPR), i & tpr_mask());
		GUEST_EQ(read_cr8(), i >> 4);
	}
	for (i = 0; i < 16; i++) {
		apic_write(APIC_TPR, 0x5a);
		write_cr8(i);
		GUEST_EQ(apic_read(APIC_TPR), i << 4);
		GUEST_EQ(apic_read(APIC_PPR), i << 4);
		GUEST_EQ(read_cr8(), i);
	}
	if (!guest_tcg)	/* which drops the reserved bits */
		GUEST_EQ(try_write_cr8(16), GP_VECTOR);
	write_cr8(3);
	GUEST_SYNC(1);
	/* The host put 0x70 there. */
	GUEST_EQ(read_cr8(), 7);
	GUEST_EQ(apic_read(APIC_TPR), 0x75 & tpr_mask());
	GUEST_SYNC(2);
	GUEST_EQ(apic_read(APIC_TPR), 0x90);
}

static void tpr_is_cr8(const void *x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_tpr, x2apic);
	struct kvm_lapic_state state;
	struct kvm_sregs sregs;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_TPR), 0x30);
	TEST_EQ(vcpu_sregs(vcpu).cr8, 3);
	TEST_EQ(vcpu->run->cr8, 3);
	lapic_set_reg(&state, APIC_TPR, 0x75);
	vcpu_set_lapic(vcpu, &state);
	TEST_EQ(vcpu_sregs(vcpu).cr8, 7);
	vcpu_expect_sync(vcpu, 2);
	sregs = vcpu_sregs(vcpu);
	sregs.cr8 = 9;
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	vcpu_expect_done(vcpu);
}

static void guest_xapic_id(void)
{
	apic_setup();
	GUEST_EQ(apic_read(APIC_ID), 0);
	apic_write(APIC_ID, 0x55ffffff);
	GUEST_EQ(apic_read(APIC_ID), 0x55000000);
	apic_send(0x55, ICR_ASSERT | 0x40);
	apic_send(0, ICR_ASSERT | 0x41);
	irq_window();
	GUEST_EQ(irq_counted(0x40), 1);
	GUEST_EQ(irq_counted(0x41), 0);
}

/* Another id can be written, and from then on it is found by that one. */
static void xapic_id(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_xapic_id, false));
}

struct x2apic_id_row {
	u32 id;
	u32 ldr;
};

static const struct x2apic_id_row x2apic_ids[] = {
	{ 1, 0x00000002 }, { 5, 0x00000020 }, { 15, 0x00008000 }, { 16, 0x00010001 },
	{ 0x37, 0x00030080 }, { 0xfe, 0x000f4000 },
};

static void guest_x2apic_id(const struct x2apic_id_row *row)
{
	guest_x2apic = false;
	apic_setup();
	GUEST_EQ(apic_read(APIC_ID), row->id << 24);
	GUEST_EQ(apic_read(APIC_LDR), 0);
	guest_x2apic = true;
	apic_setup();
	GUEST_EQ(apic_read(APIC_ID), row->id);
	GUEST_EQ(apic_read(APIC_LDR), row->ldr);
}

static void x2apic_id(const void *row)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpu;
	struct kvm_lapic_state state;
	u32 id = ((const struct x2apic_id_row *)row)->id;

	vcpu = irqchip_vcpu_create(vm, 0, id, guest_x2apic_id);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_ID), id << 24);
	vcpu_set_arg(vcpu, (u64)row, 0);
	vcpu_expect_done(vcpu);
	/* Eight bits on top also in x2APIC mode, as long as 32-bit ids are not asked for. */
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_ID), id << 24);
}

static void reset_of_others(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_lapic_state state;
	struct vcpu *vcpu;
	u32 reg;

	vcpu_create_bare(vm, 0);
	vcpu = vcpu_create_bare(vm, 7);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_ID), 7 << 24);
	TEST_EQ(lapic_reg(&state, APIC_SPIV), 0xff);
	TEST_EQ(lapic_reg(&state, APIC_DFR), ~0u);
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10)
		TEST_EQ(lapic_reg(&state, reg), LVT_MASKED);
	TEST_EQ(vcpu_sregs(vcpu).apic_base, APIC_DEFAULT_BASE | APIC_BASE_ENABLE);
	TEST_EQ(vcpu_msr(vcpu, MSR_APIC_BASE), APIC_DEFAULT_BASE | APIC_BASE_ENABLE);
	TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_UNINITIALIZED);
}

static void lint0_without_quirk(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_lapic_state state;

	if (!check_extension(vm->fd, KVM_CAP_DISABLE_QUIRKS2))
		test_skip("KVM_CAP_DISABLE_QUIRKS2 is not there");
	vm_enable_cap(vm, KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_LINT0_REENABLED);
	state = vcpu_lapic(vcpu_create_bare(vm, 0));
	TEST_EQ(lapic_reg(&state, APIC_LVT0), LVT_MASKED);
}

/* What SET_LAPIC took comes back, in either mode, and from a second vCPU as well. */
static void round_trip(const void *x2apic)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_done);
	struct kvm_lapic_state state, again;
	u64 base = APIC_DEFAULT_BASE | APIC_BASE_ENABLE | APIC_BASE_BSP;
	u32 reg;

	if (x2apic)
		vcpu_set_msr(vcpu, MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	state = vcpu_lapic(vcpu);
	lapic_set_reg(&state, APIC_SPIV, SPIV_ENABLE | 0x2f);
	lapic_set_reg(&state, APIC_TPR, 0xff);
	lapic_set_reg(&state, APIC_ESR, ESR_SENT_ILLEGAL);
	lapic_set_reg(&state, APIC_ICR, ICR_ASSERT | 0x44);
	lapic_set_reg(&state, APIC_ICR2, 0x03000000);
	lapic_set_reg(&state, APIC_TDCR, 0x9);
	for (reg = APIC_LVTT; reg <= APIC_LVTERR; reg += 0x10)
		lapic_set_reg(&state, reg, LVT_MASKED | (0x30 + (reg >> 4)));
	if (!x2apic) {
		lapic_set_reg(&state, APIC_LDR, 0x08000000);
		lapic_set_reg(&state, APIC_DFR, 0x0fffffff);
	}
	for (reg = 0x20; reg < 256; reg += 5) {
		lapic_set_bit(&state, APIC_IRR, reg);
		lapic_set_bit(&state, APIC_TMR, (reg + 2) & 255);
	}
	lapic_set_bit(&state, APIC_ISR, 0x41);
	lapic_set_bit(&state, APIC_ISR, 0x93);
	/* Derived: the priority of ISR and TPR. */
	lapic_set_reg(&state, APIC_PPR, 0xff);
	vcpu_set_lapic(vcpu, &state);
	again = vcpu_lapic(vcpu);
	for (reg = 0; reg < APIC_REGS; reg += 0x10)
		TEST_ASSERT(lapic_reg(&again, reg) == lapic_reg(&state, reg),
			    "register 0x%x: 0x%x, was 0x%x", reg, lapic_reg(&again, reg),
			    lapic_reg(&state, reg));
}

static const struct test_row rows[] = {
	{ "reserved_x2apic", reserved_x2apic },
	{ "icr_reserved", icr_reserved },
	{ "switched_off", switched_off },
	{ "reserved_xapic", reserved_xapic },
	{ "lvt_read_only", lvt_read_only },
	{ "no_deadline_mode", no_deadline_mode },
	{ "xapic_id", xapic_id },
	{ "reset_of_others", reset_of_others },
	{ "lint0_without_quirk", lint0_without_quirk },
};

static const struct {
	const char *name;
	test_fn fn;
} both_modes[] = {
	{ "software_disable", software_disable },
	{ "tpr_is_cr8", tpr_is_cr8 },
	{ "round_trip", round_trip },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		test_add(register_xapic, &regs[i], "lapic/xapic_%s", regs[i].name);
		test_add(register_x2apic, &regs[i], "lapic/x2apic_%s", regs[i].name);
	}
	for (i = 0; i < ARRAY_SIZE(x2apic_ids); i++)
		test_add(x2apic_id, &x2apic_ids[i], "lapic/x2apic_id_%u", x2apic_ids[i].id);
	for (i = 0; i < ARRAY_SIZE(both_modes); i++) {
		test_add(both_modes[i].fn, NULL, "lapic/%s_xapic", both_modes[i].name);
		test_add(both_modes[i].fn, "x2", "lapic/%s_x2apic", both_modes[i].name);
	}
	test_add_rows("lapic", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
