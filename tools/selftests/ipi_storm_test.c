// SPDX-License-Identifier: GPL-2.0-only
/* Many interrupts between many processors, and none of them may get lost. */
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define VCPUS		8
#define ROUNDS		300
#define REQUEST		0x50
#define ANSWER		0x60	/* plus who asked */
#define TIMER		0x71
#define END		0x90

static u64 online, finished, tsc_khz;

/* All have begun before the first one sends, and nobody leaves before the last one. */
static void guest_meet(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
	while (READ_ONCE(*counter) < VCPUS) {
		irq_window();
		asm volatile("pause");
	}
}

/* The end is told by an interrupt, so that those who are done can halt. */
static void guest_leave(void)
{
	u64 id = guest_this_cpu()->id;

	if (__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST) == VCPUS)
		apic_send(0, ICR_ALL | ICR_ASSERT | END);
	irq_halt_until(END, 1);
	GUEST_EQ(irq_count[id][END], 1);
}

/* Requests carry no sender: who asked whom follows from the vector. */
static void hook_answer(u8 vector)
{
	if (vector >= REQUEST && vector < REQUEST + VCPUS)
		apic_send(vector - REQUEST, ICR_ASSERT | (ANSWER + guest_this_cpu()->id));
}

/* Each asks each other in turn and waits, halted, for the answer. */
static void guest_ask(u64 id)
{
	u64 i, target, asked[VCPUS] = {};

	irq_hook = hook_answer;
	apic_setup();
	guest_meet(&online);
	for (i = 0; i < ROUNDS; i++) {
		target = (id + 1 + i % (VCPUS - 1)) % VCPUS;
		apic_send(target, ICR_ASSERT | (REQUEST + id));
		asked[target]++;
		irq_halt_until(ANSWER + target, asked[target]);
	}
	guest_leave();
	for (target = 0; target < VCPUS; target++)
		GUEST_EQ(irq_count[id][ANSWER + target], asked[target]);
}

static void run_all(void *entry, bool x2apic)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpus[VCPUS];
	u32 i;

	*guest_var(vm, guest_x2apic) = x2apic;
	for (i = 0; i < VCPUS; i++) {
		vcpus[i] = irqchip_vcpu_create(vm, i, i, entry);
		vcpu_set_arg(vcpus[i], i, 0);
	}
	*guest_var(vm, tsc_khz) = xioctl(vcpus[0]->fd, KVM_GET_TSC_KHZ, 0);
	vcpus_run_to_done(vcpus, VCPUS);
}

static void ask_and_answer(const void *x2apic)
{
	run_all(guest_ask, x2apic);
}

static void guest_deadlines(u64 id)
{
	u64 i;

	apic_setup();
	apic_write(APIC_LVTT, LVTT_DEADLINE | TIMER);
	guest_meet(&online);
	for (i = 1; i <= ROUNDS; i++) {
		/* From one that is over to half a millisecond, another for each. */
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + (i + id) % 16 * tsc_khz / 32);
		irq_halt_until(TIMER, i);
	}
	guest_leave();
	GUEST_EQ(irq_count[id][TIMER], ROUNDS);
	GUEST_EQ(irq_total(), ROUNDS + 1);
}

static void deadlines(const void *x2apic)
{
	run_all(guest_deadlines, x2apic);
}

static void guest_one_shots(u64 id)
{
	u64 i;

	apic_setup();
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, LVTT_ONE_SHOT | TIMER);
	guest_meet(&online);
	for (i = 1; i <= ROUNDS; i++) {
		apic_write(APIC_TMICT, 1 + (i + id) % 16 * 30000);
		irq_halt_until(TIMER, i);
	}
	guest_leave();
	GUEST_EQ(irq_count[id][TIMER], ROUNDS);
	GUEST_EQ(irq_total(), ROUNDS + 1);
}

static void one_shots(const void *x2apic)
{
	run_all(guest_one_shots, x2apic);
}

/* Both at once: the timers count besides, and do not disturb who asks whom. */
static void guest_mixed(u64 id)
{
	apic_setup();
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, LVTT_PERIODIC | TIMER);
	apic_write(APIC_TMICT, 2000000);
	guest_ask(id);
	GUEST_ASSERT(irq_count[id][TIMER] > 0);
}

static void mixed(const void *x2apic)
{
	run_all(guest_mixed, x2apic);
}

/* A token goes round; whoever has it wakes the next one. */
static void hook_pass(u8 vector)
{
	u64 id = guest_this_cpu()->id;

	if (vector == REQUEST && READ_ONCE(irq_count[id][REQUEST]) <= ROUNDS)
		apic_send((id + 1) % VCPUS, ICR_ASSERT | REQUEST);
}

static void guest_ring(u64 id)
{
	irq_hook = hook_pass;
	apic_setup();
	guest_meet(&online);
	if (!id)
		apic_send(1, ICR_ASSERT | REQUEST);
	irq_halt_until(REQUEST, ROUNDS);
	guest_leave();
	/* The round that the first one began after its last is not finished. */
	GUEST_ASSERT(irq_count[id][REQUEST] <= ROUNDS + 1);
}

static void ring(const void *x2apic)
{
	run_all(guest_ring, x2apic);
}

static void guest_nmis(u64 id)
{
	u64 i, next = (id + 1) % VCPUS;

	apic_setup();
	guest_meet(&online);
	/* An NMI is acknowledged by the count that it changes. */
	for (i = 1; i <= ROUNDS / 10; i++) {
		apic_send(next, ICR_NMI | ICR_ASSERT);
		while (READ_ONCE(irq_count[next][NMI_VECTOR]) < i)
			asm volatile("pause");
	}
	guest_leave();
	GUEST_EQ(irq_count[id][NMI_VECTOR], ROUNDS / 10);
}

static void nmis(const void *x2apic)
{
	run_all(guest_nmis, x2apic);
}

static const struct {
	const char *name;
	test_fn fn;
} both_modes[] = {
	{ "ask_and_answer", ask_and_answer },
	{ "ring", ring },
	{ "nmis", nmis },
	{ "deadlines", deadlines },
	{ "one_shots", one_shots },
	{ "mixed", mixed },
};

int main(int argc, char **argv)
{
	u32 i;

	test_timeout(60);
	for (i = 0; i < ARRAY_SIZE(both_modes); i++) {
		test_add(both_modes[i].fn, NULL, "ipi_storm/%s_xapic", both_modes[i].name);
		test_add(both_modes[i].fn, "x2", "ipi_storm/%s_x2apic", both_modes[i].name);
	}
	return test_run_all(argc, argv);
}
