// SPDX-License-Identifier: GPL-2.0-only
/* How VMs end: in any order of closing, by a killed monitor, under a fork. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define PORT	0x1234

static void guest_out_forever(void)
{
	u64 i;

	for (i = 0;; i++) {
		*(u64 *)(GUEST_SCRATCH + i % 64 * PAGE_SIZE) = i;
		outb(PORT, 0);
	}
}

static void guest_spin(void)
{
	sti();	/* in Bochs the host's interrupts end no other guest */
	for (;;)
		asm volatile("pause");
}

/* The pieces of a VM, in each order of letting go; it runs till the last. */
static void close_in_any_order(void)
{
	u32 order;

	for (order = 0; order < 6; order++) {
		static const u8 orders[6][3] = {
			{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
			{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
		};
		struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);
		u32 i;

		vcpu_expect_io(vcpu, true, PORT, 1, 1);
		for (i = 0; i < 3; i++) {
			switch (orders[order][i]) {
			case 0:
				close(vcpu->vm->fd);
				break;
			case 1:
				close(vcpu->fd);
				vcpu->fd = -1;
				break;
			case 2:
				munmap(vcpu->run, vcpu->run_size);
				break;
			}
		}
		munmap(vcpu->vm->mem, vcpu->vm->mem_size);
	}
}

static void run_after_vm_fd_closed(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);
	u32 i;

	close(vcpu->vm->fd);
	for (i = 0; i < 100; i++)
		vcpu_expect_io(vcpu, true, PORT, 1, 1);
}

static void mapping_after_fd_closed(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);

	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	close(vcpu->vm->fd);
	close(vcpu->fd);
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
	vcpu->run->immediate_exit = 1;
}

static void many_vms(void)
{
	u32 i;

	for (i = 0; i < 60; i++) {
		struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);
		struct vm *vm = vcpu->vm;

		vcpu_expect_io(vcpu, true, PORT, 1, 1);
		vcpu_free(vcpu);
		vm_free(vm);
	}
}

static void many_vcpus(void)
{
	struct vm *vm = vm_create_bare();
	int n = check_extension(vm->fd, KVM_CAP_NR_VCPUS), i;

	if (n > 64)
		n = 64;
	for (i = 0; i < n; i++)
		TEST_TRUE(ioctl(vm->fd, KVM_CREATE_VCPU, (long)i) >= 0);
}

static void *run_forever(void *arg)
{
	for (;;)
		vcpu_run(arg);
	return NULL;
}

/* A monitor with a running, a busy and an idle vCPU, killed at some moment. */
static void monitor(void)
{
	struct vm *vm = vm_create();
	struct vcpu *busy = vcpu_create(vm, 0, guest_out_forever);
	struct vcpu *spin = vcpu_create(vm, 1, guest_spin);
	pthread_t threads[2];

	vcpu_create(vm, 2, guest_spin);
	pthread_create(&threads[0], NULL, run_forever, busy);
	pthread_create(&threads[1], NULL, run_forever, spin);
	for (;;)
		pause();
}

static void killed(void)
{
	u32 seed = 12345, i;

	for (i = 0; i < 25; i++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			monitor();
		TEST_TRUE(pid > 0);
		seed = seed * 1103515245 + 12345;
		usleep(seed >> 16 & 0x7fff);
		kill(pid, SIGKILL);
		TEST_EQ(waitpid(pid, &status, 0), pid);
		TEST_TRUE(WIFSIGNALED(status));
	}
}

/* A VM belongs to the address space that made it. */
static void forked(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);
	int status;
	pid_t pid;

	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	pid = fork();
	if (!pid) {
		struct kvm_regs regs;
		u8 *mem = vcpu->vm->mem;

		ioctl_fails(vcpu->fd, KVM_RUN, 0, EIO);
		ioctl_fails(vcpu->fd, KVM_GET_REGS, &regs, EIO);
		ioctl_fails(vcpu->vm->fd, KVM_CREATE_VCPU, 5, EIO);
		mem[0] = 1;
		_exit(KSFT_PASS);
	}
	TEST_EQ(waitpid(pid, &status, 0), pid);
	TEST_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
}

/* The child keeps the descriptors open after their owner is gone. */
static void fd_outlives_owner(void)
{
	int status, ready[2];
	pid_t owner, heir;
	char byte;

	TEST_EQ(pipe(ready), 0);
	owner = fork();
	if (!owner) {
		struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);

		vcpu_expect_io(vcpu, true, PORT, 1, 1);
		heir = fork();
		if (!heir) {
			/* Long enough for the owner to be gone. */
			usleep(100000);
			ioctl_fails(vcpu->fd, KVM_RUN, 0, EIO);
			close(vcpu->vm->fd);
			close(vcpu->fd);
			TEST_EQ(write(ready[1], "x", 1), 1);
			_exit(KSFT_PASS);
		}
		_exit(KSFT_PASS);
	}
	close(ready[1]);
	TEST_EQ(waitpid(owner, &status, 0), owner);
	TEST_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	TEST_EQ(read(ready[0], &byte, 1), 1);
}

static void nothing(int number)
{
}

static void *close_and_poke(void *arg)
{
	struct vcpu *vcpu = arg;
	u32 i;

	usleep(20000);
	close(vcpu->vm->fd);
	close(vcpu->fd);
	/* More than one, should the first come before the run begins. */
	for (i = 0; i < 10; i++) {
		usleep(20000);
		kill(getpid(), SIGUSR1);
	}
	return NULL;
}

/* Closing does not pull the vCPU away from a run in progress. */
static void close_while_running(void)
{
	struct sigaction action = { .sa_handler = nothing };
	struct vcpu *vcpu = vm_with_vcpu(guest_spin);
	pthread_t closer;
	sigset_t usr1;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	TEST_EQ(pthread_create(&closer, NULL, close_and_poke, vcpu), 0);
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	TEST_EQ(vcpu_try_run(vcpu), -1);
	TEST_EQ(errno, EINTR);
	pthread_join(closer, NULL);
	TEST_EQ(vcpu_try_run(vcpu), -1);
	TEST_EQ(errno, EBADF);
}

static const struct test_row rows[] = {
	{ "close_in_any_order", close_in_any_order },
	{ "run_after_vm_fd_closed", run_after_vm_fd_closed },
	{ "mapping_after_fd_closed", mapping_after_fd_closed },
	{ "many_vms", many_vms },
	{ "many_vcpus", many_vcpus },
	{ "killed", killed },
	{ "forked", forked },
	{ "fd_outlives_owner", fd_outlives_owner },
	{ "close_while_running", close_while_running },
};

int main(int argc, char **argv)
{
	test_timeout(60);
	test_add_rows("lifetime", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
