// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space identifiers: handed out per CPU, a generation at a time; a
 * processor that can flush one of them lets each vCPU keep its own. What the
 * counters say is exact only on one CPU and while nothing else runs a VM.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpus.h"
#include "debugfs.h"
#include "harness.h"
#include "vm.h"

#define ASIDS_FEW	64	/* more than these are not used up in a test */
#define FLUSHES		100
#define ROUNDS		3

struct counts {
	u64 asids;
	u64 flushes;
	u64 generations;
};

static struct counts count(void)
{
	return (struct counts) {
		.asids = module_stat("asids"),
		.flushes = module_stat("asid_flushes"),
		.generations = module_stat("asid_generations"),
	};
}

static struct counts since(const struct counts *before)
{
	struct counts now = count();

	return (struct counts) {
		.asids = now.asids - before->asids,
		.flushes = now.flushes - before->flushes,
		.generations = now.generations - before->generations,
	};
}

/* Each write of CR4.PGE drops the guest's translations. */
static void guest_flush(void)
{
	u64 cr4 = read_cr4();
	u64 i;

	GUEST_SYNC(0);
	for (i = 0; i < FLUSHES; i++) {
		cr4 ^= CR4_PGE;
		write_cr4(cr4);
	}
	GUEST_SYNC(1);
	guest_done();
}

static void flush(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_flush);
	struct counts before, taken;

	need_module();
	TEST_TRUE(run_on_cpu(0));
	vcpu_expect_sync(vcpu, 0);
	before = count();
	vcpu_expect_sync(vcpu, 1);
	taken = since(&before);
	if (module_has("flush_by_asid")) {
		TEST_EQ(taken.flushes, FLUSHES);
		TEST_EQ(taken.asids, 0);
		TEST_EQ(taken.generations, 0);
	} else {
		TEST_EQ(taken.flushes, 0);
		TEST_EQ(taken.asids, FLUSHES);
		TEST_TRUE(taken.generations >= FLUSHES / module_asids());
		TEST_TRUE(taken.generations <= FLUSHES / module_asids() + 1);
	}
	vcpu_expect_done(vcpu);
}

/* The same address everywhere, and a value of its own at it in each VM. */
static u64 own_value;

static void guest_own_value(void)
{
	u64 mine = READ_ONCE(own_value), i;

	for (i = 0;; i++) {
		GUEST_EQ(READ_ONCE(own_value), mine);
		GUEST_SYNC_ARGS(i, mine, 0, 0);
	}
}

static void run_round(struct vcpu **vcpus, u64 n, u64 round)
{
	struct guest_message msg;
	u64 i;

	for (i = 0; i < n; i++) {
		TEST_EQ(vcpu_run_message(vcpus[i], &msg), MSG_SYNC);
		TEST_EQ(msg.args[0], round);
		TEST_EQ(msg.args[1], 1000 + i);
	}
}

/* More VMs on a CPU than it has identifiers: no VM ever sees another one's memory. */
static void exhaustion(void)
{
	struct vcpu *vcpus[ASIDS_FEW + 2];
	struct counts before, taken;
	u64 i, n, round;

	need_module();
	if (module_asids() > ASIDS_FEW)
		test_skip("%llu identifiers are too many to use up", module_asids());
	n = module_asids() + 2;
	TEST_TRUE(run_on_cpu(0));
	for (i = 0; i < n; i++) {
		vcpus[i] = vm_with_vcpu(guest_own_value);
		*guest_var(vcpus[i]->vm, own_value) = 1000 + i;
	}
	before = count();
	for (round = 0; round < ROUNDS; round++)
		run_round(vcpus, n, round);
	taken = since(&before);
	/* In each round, the first ones find that theirs are of the last generation. */
	TEST_TRUE(taken.asids >= ROUNDS * n);
	TEST_TRUE(taken.generations >= ROUNDS * n / module_asids());
}

/* As many VMs as there are identifiers, or a few of many: each keeps its own. */
static void kept(void)
{
	struct vcpu *vcpus[4];
	struct counts before, taken;
	u64 i;

	need_feature("flush_by_asid", "flush by ASID");
	TEST_TRUE(run_on_cpu(0));
	for (i = 0; i < ARRAY_SIZE(vcpus); i++) {
		vcpus[i] = vm_with_vcpu(guest_own_value);
		*guest_var(vcpus[i]->vm, own_value) = 1000 + i;
	}
	run_round(vcpus, ARRAY_SIZE(vcpus), 0);
	before = count();
	for (i = 1; i < 20; i++)
		run_round(vcpus, ARRAY_SIZE(vcpus), i);
	taken = since(&before);
	TEST_EQ(taken.asids, 0);
	TEST_EQ(taken.generations, 0);
}

/* A word that the host replaces, with its page, under the guest that reads it. */
#define SHARED		GUEST_SCRATCH
#define REPLACEMENTS	50

static u64 seen;

static void guest_watch(void)
{
	sti();	/* in Bochs the host's interrupts end no other guest */
	for (;;) {
		u64 value = READ_ONCE(*(u64 *)SHARED);

		WRITE_ONCE(seen, value);
		if (value == REPLACEMENTS)
			guest_done();
	}
}

static void *run_to_end(void *arg)
{
	vcpu_expect_done(arg);
	return NULL;
}

static void replaced(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_watch);
	u64 *shared = vm_host(vcpu->vm, SHARED);
	u64 *guest_seen = guest_var(vcpu->vm, seen);
	struct counts before = {}, taken;
	pthread_t thread;
	u64 i;

	if (!reference_run())
		before = count();
	TEST_TRUE(!pthread_create(&thread, NULL, run_to_end, vcpu));
	for (i = 1; i <= REPLACEMENTS; i++) {
		TEST_TRUE(!madvise(shared, PAGE_SIZE, MADV_DONTNEED));
		WRITE_ONCE(*shared, i);
		/* The old page is gone, and the guest must not go on reading it. */
		while (i < REPLACEMENTS && READ_ONCE(*guest_seen) != i)
			sched_yield();
	}
	TEST_TRUE(!pthread_join(thread, NULL));
	if (reference_run())
		return;
	taken = since(&before);
	TEST_TRUE(taken.flushes + taken.asids >= REPLACEMENTS / 2);
	if (module_has("flush_by_asid"))
		TEST_TRUE(taken.flushes);
}

/* A word that the guest writes on and on: each protection of its page is noticed. */
static void guest_write(void)
{
	u64 i;

	sti();
	for (i = 0; !READ_ONCE(own_value); i++)
		WRITE_ONCE(*(u64 *)SHARED, i);
	guest_done();
}

static bool dirty(struct vm *vm, u64 gpa)
{
	static u64 bitmap[GUEST_MEM_SIZE / PAGE_SIZE / 64];
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	u64 page = gpa / PAGE_SIZE;

	xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
	return bitmap[page / 64] & BIT(page % 64);
}

/*
 * Between two looks the guest gets time: each protects its page tables as well, which the
 * processor writes to, so that it takes several exits to get as far as the word.
 */
static void narrowed(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_write);
	struct vm *vm = vcpu->vm;
	pthread_t thread;
	int i;

	vm_set_slot(vm, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, vm->mem_size, vm->mem);
	TEST_TRUE(!pthread_create(&thread, NULL, run_to_end, vcpu));
	for (i = 0; i < REPLACEMENTS; i++) {
		while (!dirty(vm, SHARED))
			usleep(10000);
	}
	WRITE_ONCE(*guest_var(vm, own_value), 1);
	TEST_TRUE(!pthread_join(thread, NULL));
}

static const struct test_row rows[] = {
	{ "flush", flush },
	{ "exhaustion", exhaustion },
	{ "kept", kept },
	{ "replaced", replaced },
	{ "narrowed", narrowed },
};

int main(int argc, char **argv)
{
	test_timeout(60);
	test_add_rows("asid", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
