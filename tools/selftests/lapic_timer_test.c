// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC's timer: one-shot, periodic, TSC deadline. The bus runs at 1 GHz. */
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define VECTOR		0x71
#define DIVIDE_BY_1	0xb
#define FAR		0xffffffffu
#define MS		1000000u	/* of the bus, divided by 1 */

static u64 tsc_khz;

static void guest_start(u32 lvt, u32 divide)
{
	apic_setup();
	apic_write(APIC_TDCR, divide);
	apic_write(APIC_LVTT, lvt);
}

/* Let so many ms of the TSC go by. */
static void guest_spin(u64 ms)
{
	u64 end = rdtsc() + ms * tsc_khz;

	while (rdtsc() < end)
		asm volatile("pause");
}

static struct vcpu *timer_vcpu(void *entry, bool x2apic)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(entry, x2apic);

	*guest_var(vcpu->vm, tsc_khz) = xioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);
	TEST_TRUE(*guest_var(vcpu->vm, tsc_khz) > 0);
	return vcpu;
}

struct divide_row {
	u32 tdcr;
	u32 divisor;
};

static const struct divide_row divides[] = {
	{ 0x0, 2 }, { 0x1, 4 }, { 0x2, 8 }, { 0x3, 16 }, { 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 },
	{ 0xb, 1 },
};

/*
 * How far it counts while the TSC counts: the reads of the TSC around each of the
 * counter say between what it must be. A tenth is allowed for the two clocks.
 */
static void guest_rate(const struct divide_row *row)
{
	u64 outer, inner, counted, bus;
	u32 first, second;

	guest_start(LVT_MASKED, row->tdcr);
	apic_write(APIC_TMICT, FAR);
	outer = rdtsc();
	first = apic_read(APIC_TMCCT);
	inner = rdtsc();
	guest_spin(4);
	inner = rdtsc() - inner;
	second = apic_read(APIC_TMCCT);
	outer = rdtsc() - outer;
	GUEST_ASSERT(second < first);
	counted = (u64)(first - second) * row->divisor;
	bus = inner * MS / tsc_khz;
	GUEST_ASSERT(counted + row->divisor >= bus - bus / 10);
	bus = outer * MS / tsc_khz;
	GUEST_ASSERT(counted <= bus + bus / 10 + row->divisor);
}

static void rate(const void *row)
{
	struct vcpu *vcpu = timer_vcpu(guest_rate, false);

	vcpu_set_arg(vcpu, (u64)row, 0);
	vcpu_expect_done(vcpu);
}

static void guest_divide_bits(void)
{
	apic_setup();
	apic_write(APIC_TDCR, ~0u);
	GUEST_EQ(apic_read(APIC_TDCR), 0xb);
	apic_write(APIC_TDCR, 4);
	GUEST_EQ(apic_read(APIC_TDCR), 0);
}

static void divide_bits(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_divide_bits, x2apic));
}

static void guest_one_shot(void)
{
	u32 i;

	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	for (i = 1; i <= 5; i++) {
		apic_write(APIC_TMICT, MS);
		irq_halt_until(VECTOR, i);
		GUEST_EQ(apic_read(APIC_TMCCT), 0);
		GUEST_EQ(apic_read(APIC_TMICT), MS);
	}
	sti();
	guest_spin(5);
	cli();
	GUEST_EQ(irq_total(), 5);
}

static void one_shot(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_one_shot, x2apic));
}

static void guest_running(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, 3 * MS);
	sti();
	while (!irq_counted(VECTOR))
		asm volatile("pause");
	cli();
	GUEST_EQ(irq_total(), 1);
}

/* It also interrupts a guest that does not halt. */
static void one_shot_running(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_running, x2apic));
}

static void guest_stopped(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, 50 * MS);
	apic_write(APIC_TMICT, 0);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	/* The initial count starts it anew: only the second one ends. */
	apic_write(APIC_TMICT, FAR);
	apic_write(APIC_TMICT, MS);
	irq_halt_until(VECTOR, 1);
	sti();
	guest_spin(60);
	cli();
	GUEST_EQ(irq_total(), 1);
}

static void stopped(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_stopped, x2apic));
}

static void guest_periodic(void)
{
	u64 start, end, count;
	u32 now;

	guest_start(LVTT_PERIODIC | VECTOR, DIVIDE_BY_1);
	start = rdtsc();
	apic_write(APIC_TMICT, 2 * MS);
	irq_halt_until(VECTOR, 10);
	end = rdtsc();
	/* Ten of them take no less than ten periods, but the last may come early. */
	GUEST_ASSERT(end - start >= 19 * tsc_khz - tsc_khz / 2);
	now = apic_read(APIC_TMCCT);
	GUEST_ASSERT(now <= 2 * MS);
	/* A mask stops what arrives, not the counter. */
	apic_write(APIC_LVTT, LVT_MASKED | LVTT_PERIODIC | VECTOR);
	irq_window();
	count = irq_counted(VECTOR);
	sti();
	guest_spin(6);
	cli();
	GUEST_EQ(irq_counted(VECTOR), count);
	apic_write(APIC_LVTT, LVTT_PERIODIC | VECTOR);
	irq_halt_until(VECTOR, count + 2);
	apic_write(APIC_TMICT, 0);
	irq_window();
	count = irq_counted(VECTOR);
	sti();
	guest_spin(6);
	cli();
	GUEST_EQ(irq_counted(VECTOR), count);
	GUEST_EQ(irq_total(), count);
}

static void periodic(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_periodic, x2apic));
}

static void guest_masked(void)
{
	guest_start(LVT_MASKED | LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, MS);
	while (apic_read(APIC_TMCCT))
		asm volatile("pause");
	guest_spin(1);
	GUEST_ASSERT(!apic_bit(APIC_IRR, VECTOR));
	/* Stock KVM delivers it once the mask is gone. */
	if (guest_reference)
		return;
	apic_write(APIC_LVTT, LVTT_ONE_SHOT | VECTOR);
	GUEST_ASSERT(!apic_bit(APIC_IRR, VECTOR));
	sti();
	guest_spin(3);
	cli();
	GUEST_EQ(irq_total(), 0);
}

static void masked(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_masked, x2apic));
}

static void guest_deadline(void)
{
	u64 when;
	u32 i;

	guest_start(LVTT_DEADLINE | VECTOR, DIVIDE_BY_1);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	for (i = 1; i <= 10; i++) {
		when = rdtsc() + tsc_khz;
		wrmsr(MSR_TSC_DEADLINE, when);
		irq_halt_until(VECTOR, i);
		GUEST_ASSERT(rdtsc() >= when);
		GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	}
	/* One that is over arrives at once. */
	wrmsr(MSR_TSC_DEADLINE, 1);
	irq_halt_until(VECTOR, 11);
	wrmsr(MSR_TSC_DEADLINE, rdtsc());
	irq_halt_until(VECTOR, 12);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	/* It can be read as long as it is to come, and 0 takes it back. */
	when = rdtsc() + 20 * tsc_khz;
	wrmsr(MSR_TSC_DEADLINE, when);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), when);
	wrmsr(MSR_TSC_DEADLINE, 0);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	sti();
	guest_spin(30);
	cli();
	GUEST_EQ(irq_total(), 12);
	/* The counters are not used. */
	apic_write(APIC_TMICT, MS);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	GUEST_EQ(apic_read(APIC_TMICT), 0);
	sti();
	guest_spin(3);
	cli();
	GUEST_EQ(irq_total(), 12);
	/* A deadline beyond all is one that does not come; stock KVM's sums overflow. */
	if (guest_reference)
		return;
	wrmsr(MSR_TSC_DEADLINE, ~0ull);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), ~0ull);
	irq_window();
	GUEST_EQ(irq_total(), 12);
}

static void deadline(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_deadline, x2apic));
}

static void guest_deadline_other_mode(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + tsc_khz);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	apic_write(APIC_LVTT, LVTT_PERIODIC | VECTOR);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + tsc_khz);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	sti();
	guest_spin(3);
	cli();
	GUEST_EQ(irq_total(), 0);
}

/* Where the timer is not in that mode, the MSR is 0 and nothing more. */
static void deadline_other_mode(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_deadline_other_mode, x2apic));
}

static void guest_mode_switch(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, 20 * MS);
	apic_write(APIC_LVTT, LVTT_DEADLINE | VECTOR);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 20 * tsc_khz);
	apic_write(APIC_LVTT, LVTT_ONE_SHOT | VECTOR);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	apic_write(APIC_LVTT, LVTT_DEADLINE | VECTOR);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	sti();
	guest_spin(30);
	cli();
	GUEST_EQ(irq_total(), 0);
	/* Between the two that count, a count that runs goes on. */
	apic_write(APIC_LVTT, LVTT_ONE_SHOT | VECTOR);
	apic_write(APIC_TMICT, FAR);
	apic_write(APIC_LVTT, LVTT_PERIODIC | VECTOR);
	GUEST_ASSERT(apic_read(APIC_TMCCT) > 0);
	GUEST_EQ(apic_read(APIC_TMICT), FAR);
}

static void mode_switch(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_mode_switch, x2apic));
}

static void guest_divide_later(void)
{
	u32 before, after;

	guest_start(LVT_MASKED | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, FAR);
	before = apic_read(APIC_TMCCT);
	apic_write(APIC_TDCR, 0xa);
	after = apic_read(APIC_TMCCT);
	GUEST_ASSERT(after <= before);
	GUEST_ASSERT(after > 0);
	/* 128 times as slow from here on. */
	guest_spin(2);
	before = apic_read(APIC_TMCCT);
	GUEST_ASSERT(before <= after);
	GUEST_ASSERT(after - before < FAR / 64);
}

/* The divisor may be changed while it counts. */
static void divide_later(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_divide_later, x2apic));
}

static void guest_tsc_moves(void)
{
	guest_start(LVTT_DEADLINE | VECTOR, DIVIDE_BY_1);
	wrmsr(MSR_TSC_DEADLINE, 1ull << 50);
	irq_window();
	GUEST_EQ(irq_total(), 0);
	/* The deadline is one of this TSC: it is over once that has moved past it. */
	wrmsr(MSR_TSC, 1ull << 51);
	irq_halt_until(VECTOR, 1);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
}

static void tsc_moves(const void *x2apic)
{
	if (reference_run())
		test_skip("stock KVM leaves the timer where it was");
	vcpu_expect_done(timer_vcpu(guest_tsc_moves, x2apic));
}

static void guest_saved(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, FAR);
	GUEST_SYNC(1);
	GUEST_ASSERT(apic_read(APIC_TMCCT) > 0);
	GUEST_EQ(apic_read(APIC_TMICT), FAR);
	GUEST_SYNC(2);
	/* The host gave it a short count. */
	irq_halt_until(VECTOR, 1);
	GUEST_EQ(irq_total(), 1);
}

/* SET_LAPIC goes on with the count it is given. */
static void saved(const void *x2apic)
{
	struct vcpu *vcpu = timer_vcpu(guest_saved, x2apic);
	struct kvm_lapic_state state;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	TEST_TRUE(lapic_reg(&state, APIC_TMCCT) > 0);
	TEST_EQ(lapic_reg(&state, APIC_TMICT), FAR);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_sync(vcpu, 2);
	state = vcpu_lapic(vcpu);
	lapic_set_reg(&state, APIC_TMICT, 5 * MS);
	lapic_set_reg(&state, APIC_TMCCT, MS);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_done(vcpu);
}

static u64 guest_far;

static void guest_saved_deadline(void)
{
	guest_start(LVTT_DEADLINE | VECTOR, DIVIDE_BY_1);
	GUEST_SYNC(1);
	irq_halt_until(VECTOR, 1);
	GUEST_SYNC(2);
	GUEST_EQ(rdmsr(MSR_TSC_DEADLINE), guest_far);
	wrmsr(MSR_TSC_DEADLINE, 0);
	GUEST_EQ(irq_total(), 1);
}

static void saved_deadline(const void *x2apic)
{
	struct vcpu *vcpu = timer_vcpu(guest_saved_deadline, x2apic);
	struct kvm_lapic_state state;
	u64 far;

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vcpu_msr(vcpu, MSR_TSC_DEADLINE), 0);
	vcpu_set_msr(vcpu, MSR_TSC_DEADLINE, vcpu_msr(vcpu, MSR_TSC) + 1000);
	vcpu_expect_sync(vcpu, 2);
	/* An hour: farther away, stock KVM's sums overflow. */
	far = vcpu_msr(vcpu, MSR_TSC) + *guest_var(vcpu->vm, tsc_khz) * 3600000;
	*guest_var(vcpu->vm, guest_far) = far;
	vcpu_set_msr(vcpu, MSR_TSC_DEADLINE, far);
	TEST_EQ(vcpu_msr(vcpu, MSR_TSC_DEADLINE), far);
	/* It is not in the registers' page, and no business of theirs. */
	state = vcpu_lapic(vcpu);
	vcpu_set_lapic(vcpu, &state);
	TEST_EQ(vcpu_msr(vcpu, MSR_TSC_DEADLINE), far);
	vcpu_expect_done(vcpu);
}

static void guest_saved_over(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	apic_write(APIC_TMICT, MS);
	irq_halt_until(VECTOR, 1);
	GUEST_EQ(apic_read(APIC_TMCCT), 0);
	GUEST_SYNC(1);
	irq_window();
	GUEST_EQ(irq_counted(VECTOR), 2);
	GUEST_EQ(irq_total(), 2);
}

/* A shot without a count left is due: it may have been so before it could be taken. */
static void saved_over(const void *x2apic)
{
	struct vcpu *vcpu = timer_vcpu(guest_saved_over, x2apic);
	struct kvm_lapic_state state;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_TMCCT), 0);
	TEST_EQ(lapic_reg(&state, APIC_TMICT), MS);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_done(vcpu);
}

static void guest_waits_for_tpr(void)
{
	guest_start(LVTT_ONE_SHOT | VECTOR, DIVIDE_BY_1);
	write_cr8(VECTOR >> 4);
	apic_write(APIC_TMICT, MS);
	while (!apic_bit(APIC_IRR, VECTOR))
		asm volatile("pause");
	sti();
	guest_spin(1);
	GUEST_EQ(irq_total(), 0);
	write_cr8(0);
	asm volatile("nop");
	cli();
	GUEST_EQ(irq_counted(VECTOR), 1);
}

static void waits_for_tpr(const void *x2apic)
{
	vcpu_expect_done(timer_vcpu(guest_waits_for_tpr, x2apic));
}

static const struct {
	const char *name;
	test_fn fn;
} both_modes[] = {
	{ "divide_bits", divide_bits },
	{ "one_shot", one_shot },
	{ "one_shot_running", one_shot_running },
	{ "stopped", stopped },
	{ "periodic", periodic },
	{ "masked", masked },
	{ "deadline", deadline },
	{ "deadline_other_mode", deadline_other_mode },
	{ "mode_switch", mode_switch },
	{ "divide_later", divide_later },
	{ "tsc_moves", tsc_moves },
	{ "saved", saved },
	{ "saved_deadline", saved_deadline },
	{ "saved_over", saved_over },
	{ "waits_for_tpr", waits_for_tpr },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(divides); i++)
		test_add(rate, &divides[i], "lapic_timer/divide_by_%u", divides[i].divisor);
	for (i = 0; i < ARRAY_SIZE(both_modes); i++) {
		test_add(both_modes[i].fn, NULL, "lapic_timer/%s_xapic", both_modes[i].name);
		test_add(both_modes[i].fn, "x2", "lapic_timer/%s_x2apic", both_modes[i].name);
	}
	return test_run_all(argc, argv);
}
