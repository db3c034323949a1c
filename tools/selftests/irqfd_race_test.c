// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that fire while what they reach changes: routes, irqfds, ioeventfds, the VM
 * itself. Whatever came or was lost meanwhile, afterwards each signal is one interrupt.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "eventfds.h"
#include "harness.h"
#include "irq_guest.h"
#include "vm.h"

#define FIRING		3
#define ROUNDS		1000
#define DEATHS		300
#define EXACT		100
#define MSI_GSI		40
#define MSI_VECTOR	0x61
#define PIN_GSI		9
#define PIN_VECTOR	0x49
#define END_GSI		41
#define END_VECTOR	0x6e
#define PORT		0x5600
#define PORTS		4
#define WRITES		20000

static struct vm *vm;
static struct vcpu *vcpu;
static pthread_t runner_thread, firing_threads[FIRING];
static int firing_fds[FIRING];
static bool stop;

static void guest_take_all(void)
{
	guest_irq_init();
	guest_ioapic_pin(PIN_GSI, PIN_VECTOR | PIN_LEVEL);
	GUEST_SYNC(1);
	guest_irq_wait(END_VECTOR, EXACT);
}

/* Until the guest has seen the last of the interrupts that are counted. */
static void *runner(void *unused)
{
	vcpu_expect_done(vcpu);
	return NULL;
}

static void set_routes(u32 vector, u32 others)
{
	struct kvm_irq_routing_entry entries[300];
	u32 i, n = 0;

	entries[n++] = irq_route_msi(END_GSI, END_VECTOR);
	if (vector)
		entries[n++] = irq_route_msi(MSI_GSI, vector);
	if (vector != MSI_VECTOR + 1)
		entries[n++] = irq_route_ioapic(PIN_GSI, PIN_GSI);
	for (i = 0; i < others; i++)
		entries[n++] = irq_route_msi(1000 + i, MSI_VECTOR);
	irq_set_routes(vm, entries, n);
}

static int irqfd(int fd, u32 gsi, u32 flags, int resamplefd)
{
	struct kvm_irqfd args = {
		.fd = fd,
		.gsi = gsi,
		.flags = flags,
		.resamplefd = resamplefd,
	};

	return ioctl(vm->fd, KVM_IRQFD, &args);
}

static void *fire(void *fd)
{
	while (!READ_ONCE(stop))
		eventfd_add(*(int *)fd);
	return NULL;
}

static void set_up(void)
{
	u32 i;

	vm = irq_vm_create();
	vcpu = vcpu_create(vm, 0, guest_take_all);
	set_routes(MSI_VECTOR, 0);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(pthread_create(&runner_thread, NULL, runner, NULL), 0);
	for (i = 0; i < FIRING; i++) {
		firing_fds[i] = eventfd_new(0);
		TEST_EQ(pthread_create(&firing_threads[i], NULL, fire, &firing_fds[i]), 0);
	}
}

static u64 counted(u32 vector)
{
	return READ_ONCE((*guest_var(vm, guest_irq_count))[vector]);
}

/* Nothing fires any more; of the last irqfd each signal is seen, once. */
static void end_exactly(void)
{
	int fd = eventfd_new(0);
	u32 i;

	WRITE_ONCE(stop, true);
	for (i = 0; i < FIRING; i++)
		pthread_join(firing_threads[i], NULL);
	set_routes(MSI_VECTOR, 0);
	TEST_EQ(counted(END_VECTOR), 0);
	TEST_EQ(irqfd(fd, END_GSI, 0, 0), 0);
	for (i = 1; i <= EXACT; i++) {
		eventfd_add(fd);
		while (counted(END_VECTOR) < i)
			sched_yield();
		TEST_EQ(counted(END_VECTOR), i);
	}
	pthread_join(runner_thread, NULL);
	TEST_EQ(counted(END_VECTOR), EXACT);
}

static void against_routes(void)
{
	u32 i;

	set_up();
	TEST_EQ(irqfd(firing_fds[0], MSI_GSI, 0, 0), 0);
	TEST_EQ(irqfd(firing_fds[1], PIN_GSI, 0, 0), 0);
	TEST_EQ(irqfd(firing_fds[2], PIN_GSI, KVM_IRQFD_FLAG_RESAMPLE, eventfd_new(0)), 0);
	for (i = 0; i < ROUNDS; i++)
		set_routes(i % 3 ? MSI_VECTOR + i % 3 - 1 : 0, i % 7 * 40);
	end_exactly();
	TEST_TRUE(counted(MSI_VECTOR) + counted(MSI_VECTOR + 1));
}

static void against_deassign(void)
{
	static const u32 gsis[FIRING] = { MSI_GSI, PIN_GSI, PIN_GSI };
	int told = eventfd_new(0);
	u32 i;

	set_up();
	for (i = 0; i < ROUNDS * FIRING; i++) {
		u32 which = i % FIRING;
		u32 flags = which == 2 ? KVM_IRQFD_FLAG_RESAMPLE : 0;

		TEST_EQ(irqfd(firing_fds[which], gsis[which], flags, told), 0);
		if (i % 5 == 4)
			set_routes(MSI_VECTOR + i % 2, 0);
		TEST_EQ(irqfd(firing_fds[which], gsis[which], KVM_IRQFD_FLAG_DEASSIGN, 0), 0);
	}
	end_exactly();
}

/* Users of one line come and go while others fire and the guest acknowledges. */
static void against_resample(void)
{
	u32 i;

	set_up();
	for (i = 0; i < FIRING; i++)
		TEST_EQ(irqfd(firing_fds[i], PIN_GSI, KVM_IRQFD_FLAG_RESAMPLE,
			      eventfd_new(0)), 0);
	for (i = 0; i < ROUNDS; i++) {
		int fd = eventfd_new(1), told = eventfd_new(0);

		TEST_EQ(irqfd(fd, PIN_GSI, KVM_IRQFD_FLAG_RESAMPLE, told), 0);
		close(told);
		if (i % 2)
			TEST_EQ(irqfd(fd, PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN, 0), 0);
		close(fd);
	}
	for (i = 0; i < FIRING; i++)
		TEST_EQ(irqfd(firing_fds[i], PIN_GSI, KVM_IRQFD_FLAG_DEASSIGN, 0), 0);
	TEST_TRUE(counted(PIN_VECTOR));
	end_exactly();
}

/* Assigned, fired and closed, by several threads on the same GSIs. */
static void *open_and_close(void *unused)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		int fd = eventfd_new(i % 2);

		TEST_EQ(irqfd(fd, i % 3 ? MSI_GSI : PIN_GSI, 0, 0), 0);
		eventfd_add(fd);
		close(fd);
	}
	return NULL;
}

static void against_close(void)
{
	pthread_t threads[2];
	u32 i;

	set_up();
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		TEST_EQ(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
	for (i = 0; i < ROUNDS / 4; i++)
		set_routes(MSI_VECTOR + i % 2, 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	end_exactly();
}

static pthread_barrier_t barrier;

/* Fires and closes at the moment when the VM goes; one eventfd fires on behind that. */
static void *fire_at_death(void *unused)
{
	u32 round, i;

	for (round = 0; round < DEATHS; round++) {
		pthread_barrier_wait(&barrier);
		for (i = 0; i < round % 20; i++)
			eventfd_add(firing_fds[i % FIRING]);
		for (i = 1; i < FIRING; i++)
			close(firing_fds[i]);
		for (i = 0; i < 20; i++)
			eventfd_add(firing_fds[0]);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void against_death(void)
{
	pthread_t thread;
	u32 round, i;

	TEST_EQ(pthread_barrier_init(&barrier, NULL, 2), 0);
	TEST_EQ(pthread_create(&thread, NULL, fire_at_death, NULL), 0);
	for (round = 0; round < DEATHS; round++) {
		int told = eventfd_new(0);

		vm = vm_create_bare();
		if (!check_extension(vm->fd, KVM_CAP_IRQCHIP))
			test_skip("no interrupt controllers in the kernel");
		xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
		vcpu = vcpu_create_bare(vm, 0);
		set_routes(MSI_VECTOR, 0);
		for (i = 0; i < FIRING; i++) {
			firing_fds[i] = eventfd_new(round % 2);
			TEST_EQ(irqfd(firing_fds[i], i ? PIN_GSI : MSI_GSI,
				      i == 2 ? KVM_IRQFD_FLAG_RESAMPLE : 0, told), 0);
		}
		close(told);
		pthread_barrier_wait(&barrier);
		vcpu_free(vcpu);
		vm_free(vm);
		pthread_barrier_wait(&barrier);
		close(firing_fds[0]);
	}
	pthread_join(thread, NULL);
}

static void guest_write_ports(void)
{
	u32 i;

	for (i = 0; i < WRITES; i++)
		outb(PORT + i % PORTS, i);
}

static u64 left_to_user;

static void *count_exits(void *unused)
{
	struct guest_message msg;

	do {
		vcpu_run(vcpu);
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		if (vcpu->run->io.port != GUEST_PORT)
			left_to_user++;
	} while (!vcpu_message(vcpu, &msg));
	TEST_EQ(msg.command, MSG_DONE);
	WRITE_ONCE(stop, true);
	return NULL;
}

/* Each of the guest's writes is either signalled or comes to user space. */
static void ioeventfds(void)
{
	int fd = eventfd_new(0);
	u32 i;

	vcpu = vm_with_vcpu(guest_write_ports);
	vm = vcpu->vm;
	if (!check_extension(vm->fd, KVM_CAP_IOEVENTFD))
		test_skip("no KVM_CAP_IOEVENTFD");
	TEST_EQ(pthread_create(&runner_thread, NULL, count_exits, NULL), 0);
	for (i = 0; !READ_ONCE(stop); i++) {
		struct kvm_ioeventfd args = {
			.addr = PORT + i % PORTS,
			.len = i / PORTS % 2,
			.fd = fd,
			.flags = KVM_IOEVENTFD_FLAG_PIO,
		};

		xioctl(vm->fd, KVM_IOEVENTFD, &args);
		args.addr = PORT + (i + 2) % PORTS;
		args.len = 1;
		args.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
		args.datamatch = i & 0xff;
		xioctl(vm->fd, KVM_IOEVENTFD, &args);
		args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
		xioctl(vm->fd, KVM_IOEVENTFD, &args);
		args.addr = PORT + i % PORTS;
		args.len = i / PORTS % 2;
		args.flags &= ~KVM_IOEVENTFD_FLAG_DATAMATCH;
		xioctl(vm->fd, KVM_IOEVENTFD, &args);
	}
	pthread_join(runner_thread, NULL);
	TEST_EQ(left_to_user + eventfd_take(fd), WRITES);
}

static const struct test_row rows[] = {
	{ "routes", against_routes },
	{ "deassign", against_deassign },
	{ "resample", against_resample },
	{ "close", against_close },
	{ "death", against_death },
	{ "ioeventfds", ioeventfds },
};

int main(int argc, char **argv)
{
	test_timeout(60);
	test_add_rows("irqfd_race", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
