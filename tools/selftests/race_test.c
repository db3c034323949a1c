// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once on one VM: two vCPUs run while other threads change its
 * slots, read its dirty log, tear its memory, ask for state, interrupt it and add
 * vCPUs. The guest checks that what it writes is there; most of the work is for
 * the checkers of a debug kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define LOGGED_GPA	0x10000000ull
#define TORN_GPA	0x20000000ull
#define OTHER_GPA	0x30000000ull
#define SLOT_PAGES	32
#define SLOT_SIZE	(SLOT_PAGES * PAGE_SIZE)
#define PORT		0x1234
#define RUNNERS		2
#define ROUNDS		200
#define RUNS		5000

static struct vm *vm;
static struct vcpu *vcpus[RUNNERS];
static u8 *logged, *torn, *other;
static pthread_t runners[RUNNERS];
static bool stop;

/* A page each per runner in the one slot, reads of what comes and goes in the other. */
static void guest_work(u64 id)
{
	u64 i, page;

	for (i = 0;; i++) {
		page = LOGGED_GPA + (i * RUNNERS + id) % SLOT_PAGES * PAGE_SIZE;
		mmio_write64(page, i);
		mmio_read64(TORN_GPA + i % SLOT_PAGES * PAGE_SIZE);
		GUEST_EQ(mmio_read64(page), i);
		outb(PORT, 0);
	}
}

static void *runner(void *arg)
{
	struct vcpu *vcpu = arg;
	struct guest_message msg;

	while (!READ_ONCE(stop)) {
		if (vcpu_try_run(vcpu)) {
			TEST_EQ(errno, EINTR);
			WRITE_ONCE(vcpu->run->immediate_exit, 0);
			continue;
		}
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		/* An assertion of the guest's fails in there. */
		TEST_EQ(vcpu_message(vcpu, &msg), 0);
	}
	return NULL;
}

static void *logger(void *unused)
{
	u64 bitmap[(SLOT_PAGES + 63) / 64];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };

	/* ENOENT while nothing is logged. */
	while (!READ_ONCE(stop)) {
		if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log))
			TEST_EQ(errno, ENOENT);
	}
	return NULL;
}

static void *tearer(void *unused)
{
	u64 i;

	for (i = 0; !READ_ONCE(stop); i++) {
		u8 *page = torn + i % SLOT_PAGES * PAGE_SIZE;

		TEST_EQ(madvise(page, PAGE_SIZE, MADV_DONTNEED), 0);
		WRITE_ONCE(*page, i);
	}
	return NULL;
}

static void *observer(void *unused)
{
	int fd = open("/sys/kernel/debug/ksvm/stats", O_RDONLY | O_CLOEXEC);
	char text[4096];
	u32 i;

	for (i = 0; !READ_ONCE(stop); i++) {
		struct vcpu *vcpu = vcpus[i % RUNNERS];

		pthread_kill(runners[i % RUNNERS], SIGUSR1);
		WRITE_ONCE(vcpu->run->immediate_exit, 1);
		vcpu_regs(vcpu);
		vcpu_sregs(vcpu);
		if (fd >= 0)
			TEST_TRUE(pread(fd, text, sizeof(text), 0) > 0);
	}
	close(fd);
	return NULL;
}

static void *creator(void *unused)
{
	long id;

	for (id = RUNNERS; id < 64 && !READ_ONCE(stop); id++) {
		int fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);

		TEST_TRUE(fd >= 0);
		close(fd);
		usleep(1000);
	}
	return NULL;
}

static void on_signal(int signal)
{
}

static void set_up(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	u32 i;

	sigaction(SIGUSR1, &action, NULL);
	vm = vm_create();
	logged = vm_alloc(SLOT_SIZE);
	torn = vm_alloc(SLOT_SIZE);
	other = vm_alloc(SLOT_SIZE);
	vm_set_slot(vm, 1, 0, LOGGED_GPA, SLOT_SIZE, logged);
	vm_set_slot(vm, 2, 0, TORN_GPA, SLOT_SIZE, torn);
	for (i = 0; i < RUNNERS; i++) {
		vcpus[i] = vcpu_create(vm, i, guest_work);
		vcpu_set_arg(vcpus[i], i, 0);
	}
}

static void change_slots(void)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u64 at = OTHER_GPA + i % 2 * SLOT_SIZE;

		vm_set_slot(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, LOGGED_GPA,
			    SLOT_SIZE, logged);
		vm_set_slot(vm, 3, 0, at, SLOT_SIZE, other);
		vm_set_slot(vm, 3, 0, at + 4 * SLOT_SIZE, SLOT_SIZE, other);
		vm_set_slot(vm, 1, 0, LOGGED_GPA, SLOT_SIZE, logged);
		vm_set_slot(vm, 3, 0, at, 0, other);
	}
}

static void all_at_once(void)
{
	void *(*const others[])(void *) = { logger, tearer, observer, creator };
	pthread_t threads[ARRAY_SIZE(others)];
	u32 i;

	set_up();
	for (i = 0; i < RUNNERS; i++)
		TEST_EQ(pthread_create(&runners[i], NULL, runner, vcpus[i]), 0);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		TEST_EQ(pthread_create(&threads[i], NULL, others[i], NULL), 0);
	change_slots();
	WRITE_ONCE(stop, true);
	for (i = 0; i < ARRAY_SIZE(others); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < RUNNERS; i++) {
		pthread_kill(runners[i], SIGUSR1);
		pthread_join(runners[i], NULL);
	}
}

static void *short_runner(void *arg)
{
	u32 i;

	for (i = 0; i < RUNS; i++)
		vcpu_expect_io(arg, true, PORT, 1, 1);
	return NULL;
}

/* Two vCPUs that do nothing but come and go. */
static void runs(void)
{
	u32 i;

	set_up();
	for (i = 0; i < RUNNERS; i++)
		TEST_EQ(pthread_create(&runners[i], NULL, short_runner,
				       vcpus[i]), 0);
	for (i = 0; i < RUNNERS; i++)
		pthread_join(runners[i], NULL);
}

static const struct test_row rows[] = {
	{ "runs", runs },
	{ "all_at_once", all_at_once },
};

int main(int argc, char **argv)
{
	test_timeout(60);
	test_add_rows("race", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
