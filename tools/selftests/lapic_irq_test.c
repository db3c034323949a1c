// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts in one local APIC: priorities, EOI, errors, state from outside. */
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define GUEST_LOG_IS(...) ({						\
	static const u8 __want[] = { __VA_ARGS__ };			\
	u64 __cpu = guest_this_cpu()->id, __i;				\
									\
	GUEST_EQ(irq_logged[__cpu], sizeof(__want));			\
	for (__i = 0; __i < sizeof(__want); __i++)			\
		GUEST_EQ(irq_log[__cpu][__i], __want[__i]);		\
})

/* What a handler sees of its own vector. */
static void hook_in_service(u8 vector)
{
	GUEST_ASSERT(apic_bit(APIC_ISR, vector));
	GUEST_ASSERT(!apic_bit(APIC_IRR, vector));
	GUEST_EQ(apic_read(APIC_PPR), vector & 0xf0);
	GUEST_EQ(apic_read(APIC_TPR), 0);
}

/* Each vector there is, on its way from IRR through ISR to EOI. */
static void guest_every_vector(void)
{
	u32 v;

	apic_setup();
	irq_hook = hook_in_service;
	for (v = 0x20; v < 256; v++) {
		if (v == GUEST_USER_END)
			continue;
		apic_self(v);
		GUEST_ASSERT(apic_bit(APIC_IRR, v));
		GUEST_ASSERT(!apic_bit(APIC_ISR, v));
		irq_window();
		GUEST_EQ(irq_counted(v), 1);
		GUEST_ASSERT(!apic_bit(APIC_ISR, v));
		GUEST_ASSERT(!apic_bit(APIC_IRR, v));
		GUEST_ASSERT(!apic_bit(APIC_TMR, v));
	}
	/* All but the one that the library keeps for itself. */
	GUEST_EQ(irq_total(), 223);
	GUEST_EQ(apic_read(APIC_PPR), 0);
}

static void every_vector(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_every_vector, x2apic));
}

static void guest_priority_order(void)
{
	apic_setup();
	apic_self(0x31);
	apic_self(0xe2);
	apic_self(0x95);
	apic_self(0x96);
	apic_self(0x22);
	/* Requested twice, pending once. */
	apic_self(0x95);
	irq_window();
	GUEST_LOG_IS(0xe2, 0x96, 0x95, 0x31, 0x22);
}

static void priority_order(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_priority_order, x2apic));
}

/* In the handler of the lowest, with interrupts open, others arrive. */
static void hook_nest(u8 vector)
{
	if (vector != 0x45)
		return;
	apic_self(0x46);	/* of the same class: after EOI */
	apic_self(0x32);	/* below */
	apic_self(0x71);	/* above: at once */
	sti();
	asm volatile("nop; nop");
	cli();
	GUEST_EQ(irq_counted(0x71), 1);
	GUEST_EQ(irq_counted(0x46), 0);
	GUEST_EQ(irq_counted(0x32), 0);
	GUEST_EQ(apic_read(APIC_PPR), 0x40);
	/* A task priority above that counts instead. */
	apic_write(APIC_TPR, 0x80);
	GUEST_EQ(apic_read(APIC_PPR), 0x80);
	apic_self(0x72);
	sti();
	asm volatile("nop; nop");
	cli();
	GUEST_EQ(irq_counted(0x72), 0);
	apic_write(APIC_TPR, 0);
}

static void guest_nesting(void)
{
	apic_setup();
	irq_hook = hook_nest;
	apic_self(0x45);
	irq_window();
	GUEST_LOG_IS(0x45, 0x71, 0x72, 0x46, 0x32);
	GUEST_EQ(apic_read(APIC_PPR), 0);
}

static void nesting(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_nesting, x2apic));
}

/* An interrupt is taken when its class is above the task priority's, exactly. */
static void guest_tpr_masks(void)
{
	u64 before;
	u32 class, tpr;

	apic_setup();
	for (class = 2; class < 16; class++) {
		for (tpr = 0; tpr < 16; tpr++) {
			u8 vector = class << 4 | 5;

			write_cr8(tpr);
			before = irq_counted(vector);
			apic_self(vector);
			irq_window();
			GUEST_EQ(irq_counted(vector), before + (class > tpr));
			GUEST_EQ(apic_bit(APIC_IRR, vector), class <= tpr);
			/* It waits for the priority to go down, and no longer. */
			if (class <= tpr) {
				sti();
				write_cr8(class);
				asm volatile("nop");
				GUEST_EQ(irq_counted(vector), before);
				write_cr8(class - 1);
				asm volatile("nop");
				GUEST_EQ(irq_counted(vector), before + 1);
				cli();
			}
		}
	}
	write_cr8(0);
}

static void tpr_masks(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_tpr_masks, x2apic));
}

static void guest_eoi_order(void)
{
	apic_setup();
	GUEST_SYNC(1);
	/* The host put these three into service: EOI ends the highest. */
	GUEST_EQ(apic_read(APIC_PPR), 0xb0);
	apic_write(APIC_EOI, 0);
	GUEST_ASSERT(!apic_bit(APIC_ISR, 0xb3));
	GUEST_EQ(apic_read(APIC_PPR), 0x90);
	apic_self(0x94);
	apic_self(0xa1);
	irq_window();
	GUEST_LOG_IS(0xa1);
	apic_write(APIC_EOI, 0);
	GUEST_ASSERT(!apic_bit(APIC_ISR, 0x98));
	GUEST_ASSERT(apic_bit(APIC_ISR, 0x33));
	irq_window();
	GUEST_LOG_IS(0xa1, 0x94);
	apic_write(APIC_EOI, 0);
	GUEST_EQ(apic_read(APIC_PPR), 0);
	/* With nothing in service it is no more than a write. */
	apic_write(APIC_EOI, 0);
	GUEST_EQ(apic_read(APIC_PPR), 0);
	irq_window();
	GUEST_EQ(irq_total(), 2);
}

static void eoi_order(const void *x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_eoi_order, x2apic);
	struct kvm_lapic_state state;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	lapic_set_bit(&state, APIC_ISR, 0x33);
	lapic_set_bit(&state, APIC_ISR, 0x98);
	lapic_set_bit(&state, APIC_ISR, 0xb3);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_done(vcpu);
}

static void guest_injected(void)
{
	apic_setup();
	GUEST_SYNC(1);
	irq_window();
	/* 0x64 and what is below waits for the 0x63 that is in service. */
	GUEST_LOG_IS(0xf0, 0x82, 0x7f);
	GUEST_ASSERT(apic_bit(APIC_IRR, 0x64) && apic_bit(APIC_IRR, 0x20));
	apic_write(APIC_EOI, 0);
	irq_window();
	GUEST_LOG_IS(0xf0, 0x82, 0x7f, 0x64, 0x20);
}

static void injected_by_state(const void *x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_injected, x2apic);
	static const u8 pending[] = { 0x64, 0xf0, 0x20, 0x82, 0x7f };
	struct kvm_lapic_state state;
	u32 i;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	for (i = 0; i < ARRAY_SIZE(pending); i++)
		lapic_set_bit(&state, APIC_IRR, pending[i]);
	lapic_set_bit(&state, APIC_ISR, 0x63);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_done(vcpu);
}

static void guest_wait(void)
{
	apic_setup();
	apic_self(0x47);
	apic_self(0x93);
	GUEST_SYNC(1);
	irq_window();
	GUEST_LOG_IS(0x93);
}

/* What is pending can be seen from outside and taken back. */
static void taken_back(const void *x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_wait, x2apic);
	struct kvm_lapic_state state;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	TEST_TRUE(lapic_bit(&state, APIC_IRR, 0x47));
	TEST_TRUE(lapic_bit(&state, APIC_IRR, 0x93));
	lapic_set_reg(&state, APIC_IRR + 0x20, 0);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_done(vcpu);
}

static void guest_spurious(void)
{
	apic_setup();
	apic_write(APIC_SPIV, SPIV_ENABLE | 0xcd);
	GUEST_EQ(apic_read(APIC_SPIV), SPIV_ENABLE | 0xcd);
	/* The priority goes up over one that is pending, and down again. */
	write_cr8(15);
	apic_self(0x55);
	irq_window();
	GUEST_EQ(irq_total(), 0);
	write_cr8(0);
	irq_window();
	GUEST_EQ(irq_counted(0x55), 1);
	/* The same vector as an interrupt of its own is one that is in service. */
	apic_self(0xcd);
	irq_window();
	GUEST_EQ(irq_counted(0xcd), 1);
	GUEST_EQ(irq_total(), 2);
	GUEST_EQ(apic_read(APIC_PPR), 0);
}

static void spurious(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_spurious, x2apic));
}

static u32 guest_errors(void)
{
	apic_write(APIC_ESR, 0);
	return apic_read(APIC_ESR);
}

static void guest_esr(void)
{
	u32 v;

	apic_setup();
	apic_write(APIC_LVTERR, 0xe1);
	GUEST_EQ(guest_errors(), 0);
	for (v = 0; v < 16; v++) {
		u64 before = irq_counted(0xe1);

		apic_self(v);
		/* What happened is shown by the next write to it. */
		GUEST_EQ(apic_read(APIC_ESR), 0);
		GUEST_EQ(guest_errors() & ESR_SENT_ILLEGAL, ESR_SENT_ILLEGAL);
		irq_window();
		GUEST_EQ(irq_counted(0xe1), before + 1);
		GUEST_EQ(guest_errors(), 0);
	}
	apic_write(APIC_LVTERR, LVT_MASKED | 0xe1);
	apic_self(3);
	irq_window();
	GUEST_EQ(irq_counted(0xe1), 16);
	GUEST_EQ(guest_errors() & ESR_SENT_ILLEGAL, ESR_SENT_ILLEGAL);
	/* A vector from 16 on is legal, exceptions' as well. */
	write_cr8(15);
	apic_self(0x10);
	GUEST_EQ(guest_errors(), 0);
	GUEST_ASSERT(apic_bit(APIC_IRR, 0x10));
	GUEST_EQ(irq_total(), 16);
}

static void error_status(const void *x2apic)
{
	if (reference_run())
		test_skip("stock KVM records no errors");
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_esr, x2apic));
}

/* The interrupt of an error has an illegal vector: one more error, and that is all. */
static void guest_error_vector(void)
{
	u32 v;

	apic_setup();
	for (v = 0; v < 16; v++) {
		apic_write(APIC_LVTERR, v);
		apic_self(v);
		GUEST_EQ(guest_errors(), ESR_SENT_ILLEGAL | ESR_RECEIVED_ILLEGAL);
		GUEST_SYNC(v);
		GUEST_EQ(guest_errors(), ESR_RECEIVED_ILLEGAL);
	}
	irq_window();
	GUEST_EQ(irq_total(), 0);
}

static void error_vector(const void *x2apic)
{
	struct vcpu *vcpu;
	u32 v;

	if (reference_run())
		test_skip("stock KVM records no errors");
	vcpu = irqchip_vm_with_vcpu(guest_error_vector, x2apic);
	for (v = 0; v < 16; v++) {
		vcpu_expect_sync(vcpu, v);
		vm_signal_msi(vcpu->vm, APIC_DEFAULT_BASE, v);
	}
	vcpu_expect_done(vcpu);
}

static void guest_received(void)
{
	apic_setup();
	GUEST_SYNC(1);
	GUEST_EQ(guest_errors(), ESR_RECEIVED_ILLEGAL);
	GUEST_SYNC(2);
}

/* An illegal vector in a message is an error of who receives it, and no interrupt. */
static void error_received(const void *x2apic)
{
	struct vcpu *vcpu;
	struct kvm_lapic_state state;

	if (reference_run())
		test_skip("stock KVM records no errors");
	vcpu = irqchip_vm_with_vcpu(guest_received, x2apic);
	vcpu_expect_sync(vcpu, 1);
	vm_signal_msi(vcpu->vm, APIC_DEFAULT_BASE, 0x07);
	vcpu_expect_sync(vcpu, 2);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_IRR), 0);
	vcpu_expect_done(vcpu);
}

static void guest_illegal_vector(void)
{
	u32 v;

	apic_setup();
	for (v = 0; v < 16; v++)
		apic_self(v);
	irq_window();
	GUEST_EQ(irq_total(), 0);
	/* Nor do they keep HLT from others. */
	apic_self(0x30);
	irq_halt();
	GUEST_EQ(irq_total(), 1);
}

static void illegal_vector(const void *x2apic)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_illegal_vector, x2apic));
}

static void guest_self_ipi(void)
{
	apic_setup();
	apic_write(APIC_SELF_IPI, 0x66);
	GUEST_ASSERT(apic_bit(APIC_IRR, 0x66));
	irq_window();
	GUEST_EQ(irq_counted(0x66), 1);
	GUEST_EQ(apic_try_write(APIC_SELF_IPI, 0x166), GP_VECTOR);
	irq_window();
	GUEST_EQ(irq_counted(0x66), 1);
	/* Disabled by software it takes none. */
	apic_write(APIC_SPIV, 0xff);
	apic_write(APIC_SELF_IPI, 0x67);
	GUEST_ASSERT(!apic_bit(APIC_IRR, 0x67));
}

static void self_ipi(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_self_ipi, true));
}

static void guest_esr_value(void)
{
	apic_setup();
	GUEST_EQ(apic_try_write(APIC_ESR, 1), GP_VECTOR);
	GUEST_EQ(apic_try_write(APIC_ESR, 0), NO_VECTOR);
}

static void esr_takes_zero(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_esr_value, true));
}

static void guest_nmi_lint(void)
{
	apic_setup();
	apic_write(APIC_LVT1, ICR_NMI);
	GUEST_SYNC(1);
	GUEST_EQ(irq_counted(NMI_VECTOR), 1);
	apic_write(APIC_LVT1, LVT_MASKED | ICR_NMI);
	GUEST_SYNC(2);
	GUEST_EQ(irq_counted(NMI_VECTOR), 2);
	GUEST_EQ(irq_total(), 2);
}

/* KVM_NMI is the processor's own input, whatever LINT1 says. */
static void nmi_of_host(const void *x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_nmi_lint, x2apic);

	vcpu_expect_sync(vcpu, 1);
	xioctl(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_sync(vcpu, 2);
	xioctl(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_done(vcpu);
}

static void guest_nmi_saved(void)
{
	apic_setup();
	GUEST_SYNC(1);
	GUEST_EQ(irq_counted(NMI_VECTOR), 0);
	GUEST_SYNC(2);
	GUEST_EQ(irq_counted(NMI_VECTOR), 1);
	GUEST_EQ(irq_total(), 1);
}

/* An NMI that has arrived is pending for KVM_GET_VCPU_EVENTS, and not behind its back. */
static void nmi_saved(const void *x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_nmi_saved, x2apic);
	struct kvm_vcpu_events events;

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_signal_msi(vcpu->vm, APIC_DEFAULT_BASE, ICR_NMI), 1);
	xioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	TEST_EQ(events.nmi.pending, 1);
	TEST_EQ(vm_signal_msi(vcpu->vm, APIC_DEFAULT_BASE, ICR_NMI), 1);
	events.nmi.pending = 0;
	events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(vm_signal_msi(vcpu->vm, APIC_DEFAULT_BASE, ICR_NMI), 1);
	xioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	TEST_EQ(events.nmi.pending, 1);
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	vcpu_expect_done(vcpu);
}

static const struct test_row rows[] = {
	{ "self_ipi", self_ipi },
	{ "esr_takes_zero", esr_takes_zero },
};

static const struct {
	const char *name;
	test_fn fn;
} both_modes[] = {
	{ "every_vector", every_vector },
	{ "priority_order", priority_order },
	{ "nesting", nesting },
	{ "tpr_masks", tpr_masks },
	{ "eoi_order", eoi_order },
	{ "injected_by_state", injected_by_state },
	{ "taken_back", taken_back },
	{ "spurious", spurious },
	{ "error_status", error_status },
	{ "error_received", error_received },
	{ "error_vector", error_vector },
	{ "illegal_vector", illegal_vector },
	{ "nmi_of_host", nmi_of_host },
	{ "nmi_saved", nmi_saved },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(both_modes); i++) {
		test_add(both_modes[i].fn, NULL, "lapic_irq/%s_xapic", both_modes[i].name);
		test_add(both_modes[i].fn, "x2", "lapic_irq/%s_x2apic", both_modes[i].name);
	}
	test_add_rows("lapic_irq", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
