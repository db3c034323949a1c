// SPDX-License-Identifier: GPL-2.0-only
/* Several VMs and vCPUs at a time, moved between processors that come and go. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cpus.h"
#include "harness.h"
#include "vm.h"

#define PORT	0x1234

static u64 guest_counter, guest_turn;

/* Each adds to one counter without a lock prefix missing anything. */
static void guest_add(u64 rounds)
{
	u64 i;

	for (i = 0; i < rounds; i++) {
		__atomic_fetch_add(&guest_counter, 1, __ATOMIC_SEQ_CST);
		if (!(i % 1000))
			outb(PORT, 0);
	}
}

static void *run_to_done(void *arg)
{
	struct vcpu *vcpu = arg;
	struct guest_message msg;

	do {
		vcpu_run(vcpu);
		if (vcpu->run->exit_reason != KVM_EXIT_IO)
			TEST_FAIL("exit %u", vcpu->run->exit_reason);
	} while (!vcpu_message(vcpu, &msg));
	if (msg.command != MSG_DONE)
		TEST_FAIL("message %llu: 0x%llx 0x%llx rip 0x%llx", msg.command,
			  msg.args[0], msg.args[1], msg.args[2]);
	return NULL;
}

static void run_threads(struct vcpu **vcpus, u32 n)
{
	pthread_t threads[8];
	u32 i;

	for (i = 0; i < n; i++)
		TEST_EQ(pthread_create(&threads[i], NULL, run_to_done,
				       vcpus[i]), 0);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static void vcpus_of_one_vm(void)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpus[4];
	u32 i;

	for (i = 0; i < 4; i++) {
		vcpus[i] = vcpu_create(vm, i, guest_add);
		vcpu_set_arg(vcpus[i], 5000, 0);
	}
	run_threads(vcpus, 4);
	TEST_EQ(*guest_var(vm, guest_counter), 20000);
}

static void several_vms(void)
{
	struct vcpu *vcpus[4];
	u32 i;

	for (i = 0; i < 4; i++) {
		vcpus[i] = vm_with_vcpu(guest_add);
		vcpu_set_arg(vcpus[i], 5000, 0);
	}
	run_threads(vcpus, 4);
	for (i = 0; i < 4; i++)
		TEST_EQ(*guest_var(vcpus[i]->vm, guest_counter), 5000);
}

/* Same guest addresses, other contents: nothing of one shows in the other. */
static void guest_own_value(u64 value)
{
	u64 *p = (u64 *)GUEST_SCRATCH, i;

	for (i = 0; i < 64; i++)
		p[i * 512] = value + i;
	for (i = 0; i < 200; i++) {
		u64 j = i % 64;

		outb(PORT, 0);
		GUEST_EQ(p[j * 512], value + j);
		write_cr3(read_cr3());
		GUEST_EQ(p[(63 - j) * 512], value + 63 - j);
	}
}

static void address_spaces(void)
{
	struct vcpu *vcpus[3];
	bool done[3] = {};
	u32 i, left = 3;

	for (i = 0; i < 3; i++) {
		vcpus[i] = vm_with_vcpu(guest_own_value);
		vcpu_set_arg(vcpus[i], (i + 1) << 20, 0);
	}
	for (i = 0; left; i = (i + 1) % 3) {
		struct guest_message msg;

		if (done[i])
			continue;
		vcpu_run(vcpus[i]);
		TEST_EQ(vcpus[i]->run->exit_reason, KVM_EXIT_IO);
		if (!vcpu_message(vcpus[i], &msg))
			continue;
		TEST_EQ(msg.command, MSG_DONE);
		done[i] = true;
		left--;
	}
}

/* Two vCPUs hand a word to and fro through memory. */
static void guest_ping_pong(u64 me)
{
	u64 i;

	for (i = 0; i < 200; i++) {
		while (READ_ONCE(guest_turn) != me)
			asm volatile("pause");
		WRITE_ONCE(guest_turn, !me);
	}
}

static void ping_pong(void)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpus[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		vcpus[i] = vcpu_create(vm, i, guest_ping_pong);
		vcpu_set_arg(vcpus[i], i, 0);
	}
	run_threads(vcpus, 2);
	TEST_EQ(*guest_var(vm, guest_turn), 0);
}

/* One vCPU changes a mapping, the other must see it after its own INVLPG. */
static u64 guest_pte, guest_stage;

static void guest_mapper(u64 id)
{
	u64 i;

	for (i = 0; i < 100; i++) {
		u64 page = GUEST_SCRATCH + 0x10000 + (i & 1) * PAGE_SIZE;

		if (!id) {
			*(u64 *)page = i;
			WRITE_ONCE(*(u64 *)guest_pte, page | PTE_P | PTE_RW);
			WRITE_ONCE(guest_stage, 2 * i + 1);
			while (READ_ONCE(guest_stage) != 2 * i + 2)
				asm volatile("pause");
		} else {
			while (READ_ONCE(guest_stage) != 2 * i + 1)
				asm volatile("pause");
			asm volatile("invlpg (%0)" : : "r"(0x40000000ull)
				     : "memory");
			GUEST_EQ(*(u64 *)0x40000000ull, i);
			WRITE_ONCE(guest_stage, 2 * i + 2);
		}
	}
}

static void shared_page_tables(void)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpus[2];
	u32 i;

	vm_map_page(vm, 0x40000000, GUEST_SCRATCH, PTE_P | PTE_RW);
	*guest_var(vm, guest_pte) = (u64)((u8 *)vm_pte(vm, 0x40000000) - vm->mem);
	for (i = 0; i < 2; i++) {
		vcpus[i] = vcpu_create(vm, i, guest_mapper);
		vcpu_set_arg(vcpus[i], i, 0);
	}
	run_threads(vcpus, 2);
}

static void guest_migrate(u64 value)
{
	u64 i, last = 0, now;

	wrmsr(MSR_LSTAR, value);
	wrmsr(MSR_KERNEL_GS_BASE, value + 1);
	write_dr0(value + 2);
	for (i = 0; i < 60; i++) {
		GUEST_SYNC(i);
		GUEST_EQ(rdmsr(MSR_LSTAR), value);
		GUEST_EQ(rdmsr(MSR_KERNEL_GS_BASE), value + 1);
		GUEST_EQ(read_dr0(), value + 2);
		now = rdtsc();
		GUEST_ASSERT(now >= last);
		last = now;
	}
}

static void migration(void)
{
	struct vcpu *a, *b;
	u32 i;

	if (cpus_usable() < 2)
		test_skip("one processor");
	a = vm_with_vcpu(guest_migrate);
	b = vm_with_vcpu(guest_migrate);
	vcpu_set_arg(a, 0x1000, 0);
	vcpu_set_arg(b, 0x2000, 0);
	for (i = 0; i < 60; i++) {
		TEST_TRUE(run_on_cpu(i & 1));
		vcpu_expect_sync(a, i);
		TEST_TRUE(run_on_cpu(i / 3 & 1));
		vcpu_expect_sync(b, i);
	}
	vcpu_expect_done(a);
	vcpu_expect_done(b);
}

/* The processor that goes: the second one of ours. */
static const char *online_file(void)
{
	static char file[64];

	snprintf(file, sizeof(file), "/sys/devices/system/cpu/cpu%d/online", cpu_number(1));
	return file;
}

static bool set_online(bool online)
{
	int fd = open(online_file(), O_WRONLY);
	bool ok = fd >= 0 && write(fd, online ? "1" : "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool stop_hotplug;

static void *hotplug_thread(void *arg)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		TEST_TRUE(set_online(false));
		usleep(20000);
		TEST_TRUE(set_online(true));
		usleep(20000);
	}
	WRITE_ONCE(stop_hotplug, true);
	return NULL;
}

static void guest_forever(void)
{
	u64 i;

	for (i = 0;; i++) {
		if (!(i % 10000))
			GUEST_SYNC(1);
		GUEST_EQ(read_cr8(), 0);
	}
}

static void *run_until_stopped(void *arg)
{
	while (!READ_ONCE(stop_hotplug))
		vcpu_expect_sync((struct vcpu *)arg, 1);
	return NULL;
}

static void hotplug(void)
{
	struct vcpu *vcpus[2];
	pthread_t threads[3];
	u32 i;

	if (cpus_usable() < 2 || access(online_file(), W_OK))
		test_skip("no second processor that can be taken offline");
	for (i = 0; i < 2; i++) {
		vcpus[i] = vm_with_vcpu(guest_forever);
		TEST_EQ(pthread_create(&threads[i], NULL, run_until_stopped,
				       vcpus[i]), 0);
	}
	TEST_EQ(pthread_create(&threads[2], NULL, hotplug_thread, NULL), 0);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	/* And a VM made while the processor was away runs on it later. */
	TEST_TRUE(set_online(false));
	vcpus[0] = vm_with_vcpu(guest_add);
	vcpu_set_arg(vcpus[0], 3, 0);
	vcpu_expect_io(vcpus[0], true, PORT, 1, 1);
	TEST_TRUE(set_online(true));
	TEST_TRUE(run_on_cpu(1));
	vcpu_expect_done(vcpus[0]);
}

static const struct test_row rows[] = {
	{ "vcpus_of_one_vm", vcpus_of_one_vm },
	{ "several_vms", several_vms },
	{ "address_spaces", address_spaces },
	{ "ping_pong", ping_pong },
	{ "shared_page_tables", shared_page_tables },
	{ "migration", migration },
	{ "hotplug", hotplug },
};

int main(int argc, char **argv)
{
	test_timeout(60);
	test_add_rows("smp", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
