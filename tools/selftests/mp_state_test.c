// SPDX-License-Identifier: GPL-2.0-only
/* How processors are started and stopped: INIT, SIPI, and KVM_GET/SET_MP_STATE. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "apic.h"
#include "harness.h"

#define PAGE		0x9a	/* SIPI's vector */
#define OTHER_PAGE	0x9b
#define VECTOR		0x60

#define INIT_ASSERT	(ICR_INIT | ICR_LEVEL | ICR_ASSERT)
#define INIT_DEASSERT	(ICR_INIT | ICR_LEVEL)
#define SIPI(page)	(ICR_SIPI | ICR_ASSERT | (page))

/* The sender executes one message of the host's after the other. */
static u64 send_dest, send_icr;

static void guest_sender(void)
{
	apic_setup();
	for (;;) {
		GUEST_SYNC(1);
		apic_send(send_dest, send_icr);
	}
}

struct pair {
	struct vm *vm;
	struct vcpu *sender, *target;
};

/* The target is as the kernel makes a processor that is not the first. */
static struct pair pair_create(bool x2apic)
{
	struct pair pair = { .vm = irqchip_vm_create() };

	*guest_var(pair.vm, guest_x2apic) = x2apic;
	pair.sender = irqchip_vcpu_create(pair.vm, 0, 0, guest_sender);
	pair.target = irqchip_vcpu_create(pair.vm, 1, 1, NULL);
	vcpu_expect_sync(pair.sender, 1);
	return pair;
}

static void pair_send(struct pair *pair, u32 dest, u32 icr)
{
	*guest_var(pair->vm, send_dest) = dest;
	*guest_var(pair->vm, send_icr) = icr;
	vcpu_expect_sync(pair->sender, 1);
}

static void expect_at_page(struct vcpu *vcpu, u8 page)
{
	struct kvm_sregs sregs;

	/* Asking for the state is what has the vCPU take over what was sent. */
	TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	sregs = vcpu_sregs(vcpu);
	TEST_EQ(sregs.cs.selector, page << 8);
	TEST_EQ(sregs.cs.base, page << 12);
	TEST_EQ(vcpu_regs(vcpu).rip, 0);
	TEST_EQ(sregs.cr0 & CR0_PE, 0);
}

static void init_then_sipi(const void *x2apic)
{
	struct pair pair = pair_create(x2apic);

	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_UNINITIALIZED);
	pair_send(&pair, 1, INIT_ASSERT);
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_INIT_RECEIVED);
	pair_send(&pair, 1, INIT_DEASSERT);
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_INIT_RECEIVED);
	pair_send(&pair, 1, SIPI(PAGE));
	expect_at_page(pair.target, PAGE);
	/* The second one that software sends comes too late. */
	pair_send(&pair, 1, SIPI(OTHER_PAGE));
	expect_at_page(pair.target, PAGE);
}

static void sipi_without_init(const void *x2apic)
{
	struct pair pair = pair_create(x2apic);
	struct kvm_regs regs;

	pair_send(&pair, 1, SIPI(PAGE));
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_UNINITIALIZED);
	/* Nor does it wait for an INIT to come. */
	pair_send(&pair, 1, INIT_ASSERT);
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_INIT_RECEIVED);
	/* And a processor that runs goes on where it is. */
	vcpu_set_mp_state(pair.target, KVM_MP_STATE_RUNNABLE);
	regs = vcpu_regs(pair.target);
	pair_send(&pair, 1, SIPI(PAGE));
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_RUNNABLE);
	TEST_EQ(vcpu_regs(pair.target).rip, regs.rip);
}

static void deassert_alone(const void *x2apic)
{
	struct pair pair = pair_create(x2apic);

	vcpu_set_mp_state(pair.target, KVM_MP_STATE_RUNNABLE);
	pair_send(&pair, 1, INIT_DEASSERT);
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_RUNNABLE);
}

static void to_others(const void *x2apic)
{
	struct pair pair = pair_create(x2apic);
	struct vcpu *third = irqchip_vcpu_create(pair.vm, 2, 2, NULL);

	pair_send(&pair, 0, ICR_OTHERS | INIT_ASSERT);
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_INIT_RECEIVED);
	TEST_EQ(vcpu_mp_state(third), KVM_MP_STATE_INIT_RECEIVED);
	TEST_EQ(vcpu_mp_state(pair.sender), KVM_MP_STATE_RUNNABLE);
	pair_send(&pair, 0, ICR_OTHERS | SIPI(PAGE));
	expect_at_page(pair.target, PAGE);
	expect_at_page(third, PAGE);
	/* To the second alone. */
	pair_send(&pair, 2, INIT_ASSERT);
	TEST_EQ(vcpu_mp_state(pair.target), KVM_MP_STATE_RUNNABLE);
	TEST_EQ(vcpu_mp_state(third), KVM_MP_STATE_INIT_RECEIVED);
}

/* What INIT resets, and what it leaves as it was. */
static void init_state(const void *x2apic)
{
	struct pair pair = pair_create(x2apic);
	struct vcpu *vcpu = pair.target;
	struct kvm_lapic_state state;
	struct kvm_sregs sregs;
	u64 base = APIC_DEFAULT_BASE | APIC_BASE_ENABLE;

	vcpu_set_entry(vcpu, guest_done);
	vcpu_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	if (x2apic)
		base |= APIC_BASE_X2APIC;
	vcpu_set_msr(vcpu, MSR_APIC_BASE, base);
	vcpu_set_msr(vcpu, MSR_LSTAR, 0x1234000);
	state = vcpu_lapic(vcpu);
	lapic_set_reg(&state, APIC_SPIV, SPIV_ENABLE | 0x4f);
	lapic_set_reg(&state, APIC_TPR, 0x40);
	lapic_set_reg(&state, APIC_LVTERR, 0x44);
	lapic_set_bit(&state, APIC_IRR, 0x51);
	lapic_set_bit(&state, APIC_ISR, 0x52);
	vcpu_set_lapic(vcpu, &state);
	pair_send(&pair, 1, INIT_ASSERT);
	TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_INIT_RECEIVED);
	sregs = vcpu_sregs(vcpu);
	TEST_EQ(sregs.apic_base, base);
	TEST_EQ(sregs.cr0 & (CR0_PE | CR0_PG), 0);
	TEST_EQ(sregs.cr4, 0);
	TEST_EQ(sregs.efer, 0);
	TEST_EQ(vcpu_msr(vcpu, MSR_LSTAR), 0x1234000);
	TEST_EQ(vcpu_regs(vcpu).rflags, RFLAGS_FIXED);
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_ID), 1 << 24);
	TEST_EQ(lapic_reg(&state, APIC_SPIV), 0xff);
	TEST_EQ(lapic_reg(&state, APIC_TPR), 0);
	TEST_EQ(lapic_reg(&state, APIC_LVTERR), LVT_MASKED);
	TEST_TRUE(!lapic_bit(&state, APIC_IRR, 0x51));
	TEST_TRUE(!lapic_bit(&state, APIC_ISR, 0x52));
}

static u64 started;

static void guest_started(u64 id)
{
	GUEST_EQ(guest_this_cpu()->id, id);
	apic_setup();
	GUEST_EQ(apic_read(APIC_ID), guest_x2apic ? id : id << 24);
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	irq_halt_until(VECTOR, 1);
}

static void guest_start_all(u64 n)
{
	apic_setup();
	apic_send(0, ICR_OTHERS | INIT_ASSERT);
	apic_send(0, ICR_OTHERS | SIPI(PAGE));
	apic_send(0, ICR_OTHERS | SIPI(PAGE));
	while (READ_ONCE(started) < n - 1)
		asm volatile("pause");
	apic_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR);
}

/* As an operating system does it: threads of those that wait are in KVM_RUN all along. */
static void start_all(const void *x2apic)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpus[8];
	u32 i;

	*guest_var(vm, guest_x2apic) = x2apic;
	vm_load_trampoline(vm, PAGE, guest_started);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpus[i] = irqchip_vcpu_create(vm, i, i, i ? NULL : guest_start_all);
	vcpu_set_arg(vcpus[0], ARRAY_SIZE(vcpus), 0);
	vcpus_run_to_done(vcpus, ARRAY_SIZE(vcpus));
	for (i = 1; i < ARRAY_SIZE(vcpus); i++)
		TEST_EQ(guest_var(vm, irq_count)[0][i][VECTOR], 1);
}

static void guest_again(u64 id)
{
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		asm volatile("pause");
}

static void guest_restart(void)
{
	u64 i;

	apic_setup();
	for (i = 1; i <= 10; i++) {
		apic_send(1, INIT_ASSERT);
		apic_send(1, SIPI(PAGE));
		while (READ_ONCE(started) < i)
			asm volatile("pause");
	}
	GUEST_EQ(started, 10);
}

static void *run_forever(void *arg)
{
	struct vcpu *vcpu = arg;

	while (vcpu_try_run(vcpu) < 0)
		TEST_TRUE(errno == EAGAIN || errno == EINTR);
	TEST_FAIL("exit %u", vcpu->run->exit_reason);
}

/* INIT takes a processor out of whatever it is doing. */
static void restart(const void *x2apic)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *first, *second;
	pthread_t thread;

	*guest_var(vm, guest_x2apic) = x2apic;
	vm_load_trampoline(vm, PAGE, guest_again);
	first = irqchip_vcpu_create(vm, 0, 0, guest_restart);
	second = irqchip_vcpu_create(vm, 1, 1, NULL);
	TEST_EQ(pthread_create(&thread, NULL, run_forever, second), 0);
	vcpu_expect_done(first);
}

#define ROUNDS		100

static void guest_halts_again(void)
{
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		asm volatile("cli; hlt");
}

static void guest_restart_all(u64 others)
{
	u64 i;

	apic_setup();
	for (i = 1; i <= ROUNDS; i++) {
		apic_send(0, ICR_OTHERS | INIT_ASSERT);
		apic_send(0, ICR_OTHERS | SIPI(PAGE));
		apic_send(0, ICR_OTHERS | SIPI(PAGE));
		while (READ_ONCE(started) < i * others)
			asm volatile("pause");
		GUEST_EQ(READ_ONCE(started), i * others);
	}
}

/* Firmware wakes processors that have halted, again and again. */
static void restart_all(const void *x2apic)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpus[4];
	pthread_t thread;
	u32 i;

	*guest_var(vm, guest_x2apic) = x2apic;
	vm_load_trampoline(vm, PAGE, guest_halts_again);
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpus[i] = irqchip_vcpu_create(vm, i, i, i ? NULL : guest_restart_all);
	vcpu_set_arg(vcpus[0], ARRAY_SIZE(vcpus) - 1, 0);
	for (i = 1; i < ARRAY_SIZE(vcpus); i++)
		TEST_EQ(pthread_create(&thread, NULL, run_forever, vcpus[i]), 0);
	vcpu_expect_done(vcpus[0]);
}

static const u32 settable[] = {
	KVM_MP_STATE_RUNNABLE,
	KVM_MP_STATE_UNINITIALIZED,
	KVM_MP_STATE_INIT_RECEIVED,
	KVM_MP_STATE_HALTED,
};

static void round_trip(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_done, false);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(settable); i++) {
		vcpu_set_mp_state(vcpu, settable[i]);
		TEST_EQ(vcpu_mp_state(vcpu), settable[i]);
	}
}

static void not_a_state(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_done, false);
	static const u32 bad[] = { KVM_MP_STATE_STOPPED, KVM_MP_STATE_CHECK_STOP, 99, ~0u };
	struct kvm_mp_state state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		state.mp_state = bad[i];
		ioctl_fails(vcpu->fd, KVM_SET_MP_STATE, &state, EINVAL);
	}
	TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	ioctl_fails(vcpu->fd, KVM_GET_MP_STATE, 8, EFAULT);
	ioctl_fails(vcpu->fd, KVM_SET_MP_STATE, 8, EFAULT);
}

/* Without a local APIC in the kernel nothing could end the others. */
static void without_lapic(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_done);
	struct kvm_mp_state state;
	u32 i;

	TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	vcpu_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	for (i = 1; i < ARRAY_SIZE(settable); i++) {
		state.mp_state = settable[i];
		ioctl_fails(vcpu->fd, KVM_SET_MP_STATE, &state, EINVAL);
	}
	state.mp_state = KVM_MP_STATE_SIPI_RECEIVED;
	ioctl_fails(vcpu->fd, KVM_SET_MP_STATE, &state, EINVAL);
}

/* The vector that came with it is in the events. */
static void sipi_by_state(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_vcpu_events events;
	struct vcpu *vcpu;

	vm_load_trampoline(vm, PAGE, guest_done);
	vcpu_create_bare(vm, 0);
	vcpu = irqchip_vcpu_create(vm, 1, 1, NULL);
	vcpu_set_mp_state(vcpu, KVM_MP_STATE_INIT_RECEIVED);
	events = vcpu_events(vcpu);
	events.flags = KVM_VCPUEVENT_VALID_SIPI_VECTOR;
	events.sipi_vector = PAGE;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	vcpu_set_mp_state(vcpu, KVM_MP_STATE_SIPI_RECEIVED);
	vcpus_run_to_done(&vcpu, 1);
}

static void guest_halted(void)
{
	GUEST_EQ(irq_counted(VECTOR), 0);
	irq_window();
	GUEST_EQ(irq_counted(VECTOR), 1);
}

/* A vCPU that is restored halted goes on with an interrupt. */
static void halted_by_state(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(apic_setup, false);
	struct kvm_lapic_state state;
	struct kvm_regs regs;

	vcpu_expect_done(vcpu);
	vcpu_set_entry(vcpu, guest_halted);
	regs = vcpu_regs(vcpu);
	regs.rflags |= RFLAGS_IF;
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
	vcpu_set_mp_state(vcpu, KVM_MP_STATE_HALTED);
	/* Interrupts are open: it is the first thing that happens. */
	state = vcpu_lapic(vcpu);
	lapic_set_bit(&state, APIC_IRR, VECTOR);
	vcpu_set_lapic(vcpu, &state);
	vcpu_run(vcpu);
	TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	TEST_EQ(guest_var(vcpu->vm, irq_count)[0][0][VECTOR], 1);
}

static void guest_halts_now(void)
{
	apic_setup();
	irq_halt();
}

static void kicked(int signal)
{
}

/* Until the case is over: one that comes before KVM_RUN is lost. */
static void *kick(void *arg)
{
	for (;;) {
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
		usleep(2000);
	}
	return NULL;
}

/* A signal does not wake it: it is still halted, for the next KVM_RUN to go on with. */
static void halted_after_signal(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_halts_now, false);
	struct sigaction action = { .sa_handler = kicked };
	pthread_t self = pthread_self(), thread;
	u32 i, halted = 0;

	TEST_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	TEST_EQ(pthread_create(&thread, NULL, kick, &self), 0);
	while (halted < 3) {
		vcpu_expect_eintr(vcpu);
		halted += vcpu_mp_state(vcpu) == KVM_MP_STATE_HALTED;
	}
	for (i = 0; i < 3; i++) {
		vcpu_expect_eintr(vcpu);
		TEST_EQ(vcpu_mp_state(vcpu), KVM_MP_STATE_HALTED);
	}
	TEST_EQ(vm_signal_msi(vcpu->vm, APIC_DEFAULT_BASE, VECTOR), 1);
	vcpu_expect_done(vcpu);
}

static const struct test_row rows[] = {
	{ "round_trip", round_trip },
	{ "not_a_state", not_a_state },
	{ "without_lapic", without_lapic },
	{ "sipi_by_state", sipi_by_state },
	{ "halted_by_state", halted_by_state },
	{ "halted_after_signal", halted_after_signal },
};

static const struct {
	const char *name;
	test_fn fn;
} both_modes[] = {
	{ "init_then_sipi", init_then_sipi },
	{ "sipi_without_init", sipi_without_init },
	{ "deassert_alone", deassert_alone },
	{ "to_others", to_others },
	{ "init_state", init_state },
	{ "start_all", start_all },
	{ "restart", restart },
	{ "restart_all", restart_all },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(both_modes); i++) {
		test_add(both_modes[i].fn, NULL, "mp_state/%s_xapic", both_modes[i].name);
		test_add(both_modes[i].fn, "x2", "mp_state/%s_x2apic", both_modes[i].name);
	}
	test_add_rows("mp_state", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
