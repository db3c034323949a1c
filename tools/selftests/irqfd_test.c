// SPDX-License-Identifier: GPL-2.0-only
/* KVM_IRQFD: eventfds that are interrupts. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "eventfds.h"
#include "harness.h"
#include "irq_guest.h"
#include "vm.h"

#define ROUTES_MAX	4096
#define BELL_PORT	0x5600

/* Interrupts of these vectors, by these GSIs. */
#define MSI_GSI		40
#define MSI_VECTOR	0x61
#define PIN_GSI		9
#define PIN_VECTOR	0x49
#define END_GSI		41
#define END_VECTOR	0x6e
#define RESAMPLE_MAX	64

static int irqfd(struct vm *vm, int fd, u32 gsi, u32 flags)
{
	struct kvm_irqfd args = { .fd = fd, .gsi = gsi, .flags = flags };

	return ioctl(vm->fd, KVM_IRQFD, &args);
}

static void irqfd_resample(struct vm *vm, int fd, u32 gsi, int resamplefd)
{
	struct kvm_irqfd args = {
		.fd = fd,
		.gsi = gsi,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = resamplefd,
	};

	xioctl(vm->fd, KVM_IRQFD, &args);
}

static void expect_irqfd_error(struct vm *vm, struct kvm_irqfd args, int error)
{
	ioctl_fails(vm->fd, KVM_IRQFD, &args, error);
}

static void set_routes(struct vm *vm)
{
	struct kvm_irq_routing_entry entries[] = {
		irq_route_msi(MSI_GSI, MSI_VECTOR),
		irq_route_msi(END_GSI, END_VECTOR),
		irq_route_ioapic(PIN_GSI, PIN_GSI),
	};

	irq_set_routes(vm, entries, ARRAY_SIZE(entries));
}

/* A vCPU that is at its first sync, its APIC on and its routes set. */
static struct vcpu *target_create(void (*guest)(void))
{
	struct vm *vm = irq_vm_create();
	struct vcpu *vcpu = vcpu_create(vm, 0, guest);

	set_routes(vm);
	vcpu_expect_sync(vcpu, 1);
	return vcpu;
}

static u64 counted(struct vcpu *vcpu, u32 vector)
{
	return READ_ONCE((*guest_var(vcpu->vm, guest_irq_count))[vector]);
}

/* Each stage waits for one more of @vector. */
static void guest_take_each(u32 vector)
{
	u64 i;

	GUEST_SYNC(1);
	for (i = 1; ; i++) {
		guest_irq_wait(vector, i);
		GUEST_SYNC(1 + i);
	}
}

static void guest_take_msi(void)
{
	guest_irq_init();
	guest_take_each(MSI_VECTOR);
}

/* @vcpu takes each of the signals as one @vector. */
static void signal_each_stage(struct vcpu *vcpu, u32 gsi, u32 vector)
{
	int fd = eventfd_new(0);
	u32 i;

	TEST_EQ(irqfd(vcpu->vm, fd, gsi, 0), 0);
	for (i = 1; i <= 20; i++) {
		eventfd_add(fd);
		vcpu_expect_sync(vcpu, 1 + i);
		TEST_EQ(counted(vcpu, vector), i);
		/* The signal was consumed. */
		TEST_EQ(eventfd_take(fd), 0);
	}
}

static void irqfd_msi(void)
{
	signal_each_stage(target_create(guest_take_msi), MSI_GSI, MSI_VECTOR);
}

struct signaller {
	struct vcpu *vcpu;
	int fd;
	u64 rounds;
};

/* One signal for each time that the guest has counted the last one. */
static void *signal_each(void *arg)
{
	struct signaller *signaller = arg;
	u64 i;

	for (i = 1; i <= signaller->rounds; i++) {
		eventfd_add(signaller->fd);
		while (counted(signaller->vcpu, MSI_VECTOR) < i)
			sched_yield();
	}
	return NULL;
}

static u64 guest_rounds;

static void guest_halt_for_msi(void)
{
	guest_irq_init();
	GUEST_SYNC(1);
	guest_irq_wait(MSI_VECTOR, guest_rounds);
}

static void guest_spin_for_msi(void)
{
	guest_irq_init();
	GUEST_SYNC(1);
	sti();
	while (READ_ONCE(guest_irq_count[MSI_VECTOR]) < guest_rounds)
		asm volatile("pause");
}

static void signal_other_thread(void (*guest)(void))
{
	struct vcpu *vcpu = target_create(guest);
	struct signaller signaller = { vcpu, eventfd_new(0), 200 };
	pthread_t thread;

	*guest_var(vcpu->vm, guest_rounds) = signaller.rounds;
	TEST_EQ(irqfd(vcpu->vm, signaller.fd, MSI_GSI, 0), 0);
	TEST_EQ(pthread_create(&thread, NULL, signal_each, &signaller), 0);
	vcpu_expect_done(vcpu);
	pthread_join(thread, NULL);
	TEST_EQ(counted(vcpu, MSI_VECTOR), signaller.rounds);
}

/* It wakes a vCPU that halts in the kernel, and reaches one that runs. */
static void irqfd_wakes(void)
{
	signal_other_thread(guest_halt_for_msi);
}

static void irqfd_interrupts(void)
{
	signal_other_thread(guest_spin_for_msi);
}

static void guest_take_edges(void)
{
	guest_irq_init();
	guest_ioapic_pin(PIN_GSI, PIN_VECTOR);
	guest_take_each(PIN_VECTOR);
}

static void irqfd_pin(void)
{
	signal_each_stage(target_create(guest_take_edges), PIN_GSI, PIN_VECTOR);
}

/*
 * Wait for END_VECTOR, whose priority is higher, again and again: what came before it
 * has been counted as well.
 */
static void guest_take_end(void)
{
	u64 i;

	guest_irq_init();
	guest_ioapic_pin(PIN_GSI, PIN_VECTOR | PIN_LEVEL);
	GUEST_SYNC(1);
	for (i = 1; ; i++) {
		guest_irq_wait(END_VECTOR, i);
		guest_irq_window();
		GUEST_SYNC(1 + i);
	}
}

/* Lets the guest take all that has been delivered; counts from 1. */
static void settle(struct vcpu *vcpu, int end, u32 *round)
{
	eventfd_add(end);
	vcpu_expect_sync(vcpu, 1 + ++*round);
	TEST_EQ(counted(vcpu, END_VECTOR), *round);
}

/* Until @vector has come @count times: stock KVM delivers some in the background. */
static void settle_until(struct vcpu *vcpu, int end, u32 *round, u32 vector, u64 count)
{
	do {
		settle(vcpu, end, round);
	} while (counted(vcpu, vector) < count);
	TEST_EQ(counted(vcpu, vector), count);
}

static int end_irqfd(struct vm *vm)
{
	int fd = eventfd_new(0);

	TEST_EQ(irqfd(vm, fd, END_GSI, 0), 0);
	return fd;
}

/* What was counted before there was an irqfd is delivered, once. */
static void irqfd_pending(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(3), none = eventfd_new(0);
	u32 round = 0;

	TEST_EQ(irqfd(vcpu->vm, none, MSI_GSI, 0), 0);
	settle(vcpu, end, &round);
	TEST_EQ(counted(vcpu, MSI_VECTOR), 0);
	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, 0), 0);
	settle_until(vcpu, end, &round, MSI_VECTOR, 1);
	settle(vcpu, end, &round);
	TEST_EQ(counted(vcpu, MSI_VECTOR), 1);
}

static void irqfd_deassign(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0);
	u32 round = 0;

	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, 0), 0);
	eventfd_add(fd);
	settle_until(vcpu, end, &round, MSI_VECTOR, 1);
	/* Another GSI's is not there, which is not an error; this one stays. */
	TEST_EQ(irqfd(vcpu->vm, fd, PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	eventfd_add(fd);
	settle_until(vcpu, end, &round, MSI_VECTOR, 2);

	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	TEST_EQ(eventfd_take(fd), 0);
	eventfd_add(fd);
	settle(vcpu, end, &round);
	settle(vcpu, end, &round);
	TEST_EQ(counted(vcpu, MSI_VECTOR), 2);
	/* It is an eventfd like any other again. */
	TEST_EQ(eventfd_take(fd), 1);
	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, 0), 0);
	eventfd_add(fd);
	settle_until(vcpu, end, &round, MSI_VECTOR, 3);
}

static void irqfd_busy(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0);
	u32 round = 0;

	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, 0), 0);
	expect_irqfd_error(vcpu->vm, (struct kvm_irqfd){ .fd = fd, .gsi = MSI_GSI }, EBUSY);
	expect_irqfd_error(vcpu->vm, (struct kvm_irqfd){ .fd = fd, .gsi = PIN_GSI }, EBUSY);
	expect_irqfd_error(vcpu->vm, (struct kvm_irqfd){
		.fd = dup(fd), .gsi = PIN_GSI, .flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = eventfd_new(0) }, EBUSY);
	/* Several eventfds may drive one GSI. */
	TEST_EQ(irqfd(vcpu->vm, eventfd_new(0), MSI_GSI, 0), 0);
	eventfd_add(fd);
	settle_until(vcpu, end, &round, MSI_VECTOR, 1);
	TEST_EQ(counted(vcpu, PIN_VECTOR), 0);
}

/* The last close of an eventfd takes its irqfd away. */
static void irqfd_closed(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm);
	u32 i, round = 0;

	for (i = 1; i <= 100; i++) {
		int fd = eventfd_new(0), twin = dup(fd);

		TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, 0), 0);
		close(fd);
		eventfd_add(twin);
		settle_until(vcpu, end, &round, MSI_VECTOR, i);
		close(twin);
	}
}

/* A GSI without a route is nobody's until it has one; a route may change. */
static void irqfd_routes(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0);
	struct kvm_irq_routing_entry entries[] = {
		irq_route_msi(END_GSI, END_VECTOR),
		irq_route_msi(ROUTES_MAX - 1, MSI_VECTOR),
	};
	u32 round = 0;

	irq_set_routes(vcpu->vm, entries, 1);
	TEST_EQ(irqfd(vcpu->vm, fd, ROUTES_MAX - 1, 0), 0);
	eventfd_add(fd);
	settle(vcpu, end, &round);
	irq_set_routes(vcpu->vm, entries, 2);
	settle(vcpu, end, &round);
	TEST_EQ(counted(vcpu, MSI_VECTOR), 0);
	eventfd_add(fd);
	settle_until(vcpu, end, &round, MSI_VECTOR, 1);
	entries[1] = irq_route_msi(ROUTES_MAX - 1, MSI_VECTOR + 1);
	irq_set_routes(vcpu->vm, entries, 2);
	eventfd_add(fd);
	settle_until(vcpu, end, &round, MSI_VECTOR + 1, 1);
	TEST_EQ(counted(vcpu, MSI_VECTOR), 1);
}

/* An eventfd at an address that is an interrupt too: the guest interrupts itself. */
static void guest_ring_bell(void)
{
	u64 i;

	guest_irq_init();
	GUEST_SYNC(1);
	for (i = 1; i <= 50; i++) {
		outb(BELL_PORT, i);
		guest_irq_wait(MSI_VECTOR, i);
	}
}

static void irqfd_at_an_address(void)
{
	struct vcpu *vcpu = target_create(guest_ring_bell);
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = {
		.addr = BELL_PORT,
		.len = 1,
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_PIO,
	};

	TEST_EQ(irqfd(vcpu->vm, fd, MSI_GSI, 0), 0);
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	vcpu_expect_done(vcpu);
	TEST_EQ(counted(vcpu, MSI_VECTOR), 50);
	TEST_EQ(eventfd_take(fd), 0);
}

/* One interrupt for each signal; its end lowers the line and is told. */
static void resample(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0), told = eventfd_new(0);
	u32 i, round = 0;

	irqfd_resample(vcpu->vm, fd, PIN_GSI, told);
	for (i = 1; i <= 10; i++) {
		TEST_EQ(eventfd_take(told), 0);
		eventfd_add(fd);
		settle_until(vcpu, end, &round, PIN_VECTOR, i);
		TEST_EQ(eventfd_take(told), 1);
		settle(vcpu, end, &round);
		TEST_EQ(counted(vcpu, PIN_VECTOR), i);
	}
	TEST_EQ(irqfd(vcpu->vm, fd, PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	eventfd_add(fd);
	settle(vcpu, end, &round);
	TEST_EQ(counted(vcpu, PIN_VECTOR), 10);
}

/* All that share a line are told, whoever has raised it; who left is not. */
static void resample_shared(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm);
	int a = eventfd_new(0), told_a = eventfd_new(0);
	int b = eventfd_new(0), told_b = eventfd_new(0);
	u32 round = 0;

	irqfd_resample(vcpu->vm, a, PIN_GSI, told_a);
	irqfd_resample(vcpu->vm, b, PIN_GSI, told_b);
	eventfd_add(a);
	settle_until(vcpu, end, &round, PIN_VECTOR, 1);
	TEST_EQ(eventfd_take(told_a), 1);
	TEST_EQ(eventfd_take(told_b), 1);
	eventfd_add(b);
	settle_until(vcpu, end, &round, PIN_VECTOR, 2);
	TEST_EQ(eventfd_take(told_a), 1);
	TEST_EQ(eventfd_take(told_b), 1);
	TEST_EQ(irqfd(vcpu->vm, b, PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	eventfd_add(a);
	settle_until(vcpu, end, &round, PIN_VECTOR, 3);
	TEST_EQ(eventfd_take(told_a), 1);
	TEST_EQ(eventfd_take(told_b), 0);
}

/* A device that still wants something raises the line again. */
/* All of a GSI are told at an EOI: there may be as many of them, and not one more. */
static void resample_crowd(void)
{
	struct vm *vm = irq_vm_create();
	int told = eventfd_new(0), fds[RESAMPLE_MAX];
	struct kvm_irqfd one_more = {
		.fd = eventfd_new(0),
		.gsi = PIN_GSI,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = told,
	};
	u32 i;

	for (i = 0; i < RESAMPLE_MAX; i++) {
		fds[i] = eventfd_new(0);
		irqfd_resample(vm, fds[i], PIN_GSI, told);
	}
	expect_irqfd_error(vm, one_more, ENOSPC);
	irqfd_resample(vm, eventfd_new(0), PIN_GSI + 1, told);
	TEST_EQ(irqfd(vm, fds[0], PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	xioctl(vm->fd, KVM_IRQFD, &one_more);
}

static void resample_again(void)
{
	struct vcpu *vcpu = target_create(guest_take_end);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0), told = eventfd_new(0);
	u32 i, round = 0;

	irqfd_resample(vcpu->vm, fd, PIN_GSI, told);
	eventfd_add(fd);
	for (i = 1; i <= 10; i++) {
		settle_until(vcpu, end, &round, PIN_VECTOR, i);
		TEST_EQ(eventfd_take(told), 1);
		eventfd_add(fd);
	}
}

static void guest_take_unmasked(void)
{
	guest_irq_init();
	guest_ioapic_pin(PIN_GSI, PIN_VECTOR | PIN_LEVEL | PIN_MASKED);
	GUEST_SYNC(1);
	guest_irq_wait(END_VECTOR, 1);
	GUEST_SYNC(2);
	guest_ioapic_pin(PIN_GSI, PIN_VECTOR | PIN_LEVEL);
	guest_irq_window();
	guest_irq_wait(END_VECTOR, 2);
	guest_irq_window();
	GUEST_SYNC(3);
}

/* With the last that drives it a line goes down: nothing is there to be unmasked. */
static void resample_deassign_high(void)
{
	struct vcpu *vcpu = target_create(guest_take_unmasked);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0), told = eventfd_new(0);

	irqfd_resample(vcpu->vm, fd, PIN_GSI, told);
	eventfd_add(fd);
	eventfd_add(end);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(irqfd(vcpu->vm, fd, PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN), 0);
	eventfd_add(end);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(counted(vcpu, PIN_VECTOR), 0);
	TEST_EQ(eventfd_take(told), 0);
}

/* Unless it goes, the line stays up while the pin is masked. */
static void resample_masked(void)
{
	struct vcpu *vcpu = target_create(guest_take_unmasked);
	int end = end_irqfd(vcpu->vm), fd = eventfd_new(0), told = eventfd_new(0);

	irqfd_resample(vcpu->vm, fd, PIN_GSI, told);
	eventfd_add(fd);
	eventfd_add(end);
	vcpu_expect_sync(vcpu, 2);
	eventfd_add(end);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(counted(vcpu, PIN_VECTOR), 1);
	TEST_EQ(eventfd_take(told), 1);
}

struct irqfd_refusal {
	const char *name;
	struct kvm_irqfd args;
	int error;
};

/* Descriptors are eventfds where they say 0. */
static const struct irqfd_refusal irqfd_refusals[] = {
	{ "unknown_flag", { .gsi = MSI_GSI, .flags = 4 }, EINVAL },
	{ "unknown_flag_deassign", { .gsi = MSI_GSI, .flags = 5 }, EINVAL },
	{ "no_descriptor", { .gsi = MSI_GSI, .fd = -1 }, EBADF },
	{ "deassign_no_descriptor",
	  { .gsi = MSI_GSI, .fd = -1, .flags = KVM_IRQFD_FLAG_DEASSIGN }, EBADF },
	{ "no_resample_descriptor",
	  { .gsi = PIN_GSI, .flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = -1 }, EBADF },
	{ "gsi_beyond", { .gsi = ROUTES_MAX }, EINVAL },
	{ "gsi_huge", { .gsi = ~0u }, EINVAL },
};

static void irqfd_refused(const void *row)
{
	const struct irqfd_refusal *refusal = row;
	struct vm *vm = irq_vm_create();
	struct kvm_irqfd args = refusal->args;

	if (!args.fd)
		args.fd = eventfd_new(0);
	if (args.flags & KVM_IRQFD_FLAG_RESAMPLE && !args.resamplefd)
		args.resamplefd = eventfd_new(0);
	if (reference_run() && args.gsi >= ROUTES_MAX)
		test_skip("stock KVM takes GSIs that can have no route before 6.12");
	expect_irqfd_error(vm, args, refusal->error);
	/* Nothing of it is left: the eventfd is free. */
	if ((s32)args.fd >= 0)
		TEST_EQ(irqfd(vm, args.fd, MSI_GSI, 0), 0);
}

static void irqfd_wrong_file(void)
{
	struct vm *vm = irq_vm_create();
	int fd = eventfd_new(0);

	expect_irqfd_error(vm, (struct kvm_irqfd){ .fd = other_file() }, EINVAL);
	expect_irqfd_error(vm, (struct kvm_irqfd){ .fd = other_file(),
			   .flags = KVM_IRQFD_FLAG_DEASSIGN }, EINVAL);
	expect_irqfd_error(vm, (struct kvm_irqfd){ .fd = fd, .resamplefd = other_file(),
			   .flags = KVM_IRQFD_FLAG_RESAMPLE }, EINVAL);
	TEST_EQ(irqfd(vm, fd, MSI_GSI, 0), 0);
}

static void irqfd_no_controllers(void)
{
	struct vm *vm = vm_create();

	if (!check_extension(vm->fd, KVM_CAP_IRQFD))
		test_skip("no KVM_CAP_IRQFD");
	expect_irqfd_error(vm, (struct kvm_irqfd){ .fd = eventfd_new(0) }, EINVAL);
	TEST_EQ(irqfd(vm, eventfd_new(0), 0, KVM_IRQFD_FLAG_DEASSIGN), 0);
}

/* Without pins in the kernel nobody sees a line's acknowledgment; messages do work. */
static void irqfd_split(void)
{
	struct vm *vm = irq_vm_create_split();
	struct vcpu *vcpu = vcpu_create(vm, 0, guest_take_msi);
	struct kvm_irq_routing_entry entry = irq_route_msi(MSI_GSI, MSI_VECTOR);
	int fd = eventfd_new(0);

	irq_set_routes(vm, &entry, 1);
	vcpu_expect_sync(vcpu, 1);
	expect_irqfd_error(vm, (struct kvm_irqfd){ .fd = fd, .gsi = MSI_GSI,
			   .resamplefd = eventfd_new(0),
			   .flags = KVM_IRQFD_FLAG_RESAMPLE }, EINVAL);
	TEST_EQ(irqfd(vm, fd, MSI_GSI, 0), 0);
	eventfd_add(fd);
	vcpu_expect_sync(vcpu, 2);
}

static const struct test_row irqfd_rows[] = {
	{ "msi", irqfd_msi },
	{ "wakes", irqfd_wakes },
	{ "interrupts", irqfd_interrupts },
	{ "pin", irqfd_pin },
	{ "pending", irqfd_pending },
	{ "deassign", irqfd_deassign },
	{ "busy", irqfd_busy },
	{ "closed", irqfd_closed },
	{ "routes", irqfd_routes },
	{ "at_an_address", irqfd_at_an_address },
	{ "resample", resample },
	{ "resample_shared", resample_shared },
	{ "resample_crowd", resample_crowd },
	{ "resample_again", resample_again },
	{ "resample_deassign_high", resample_deassign_high },
	{ "resample_masked", resample_masked },
	{ "wrong_file", irqfd_wrong_file },
	{ "no_controllers", irqfd_no_controllers },
	{ "split", irqfd_split },
};

int main(int argc, char **argv)
{
	u32 i;

	test_add_rows("irqfd", irqfd_rows, ARRAY_SIZE(irqfd_rows));
	for (i = 0; i < ARRAY_SIZE(irqfd_refusals); i++)
		test_add(irqfd_refused, &irqfd_refusals[i], "irqfd/refused_%s",
			 irqfd_refusals[i].name);
	return test_run_all(argc, argv);
}
