// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker of modules built with DEBUG_CONTRACT=1: each breach that
 * its knob offers is committed, reported under the rule it breaks, and costs
 * the one VM; and nothing is reported otherwise.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpus.h"
#include "harness.h"
#include "vm.h"

#define FOLDER		"/sys/kernel/debug/ksvm/contract/"
#define BREACHES_MAX	96
#define TRIES		50
#define PLANTERS_MAX	64
#define TOUCHED		(GUEST_SCRATCH + 0x100000)

struct breach {
	char name[40];
	int rule;
	char possible[4];
};

struct reports {
	u64 unplanned;
	u64 planted;
	char last[256];
};

/* How a round of the test takes something away from the nested table. */
enum narrowing {
	NARROW_NOT,
	NARROW_UNMAP,	/* the page that the guest writes */
	NARROW_PROTECT,	/* the right to write it */
};

static struct breach breaches[BREACHES_MAX];

/* Exits of several kinds, in ring 2 and to user space, and a page that may be gone. */
static void guest_loop(void)
{
	u64 i;

	for (i = 0;; i++) {
		write_dr0(i);
		WRITE_ONCE(*(u64 *)TOUCHED, i);
		GUEST_SYNC(i);
	}
}

static struct reports read_reports(void)
{
	struct reports reports = {};
	FILE *file = fopen(FOLDER "reports", "r");

	TEST_ASSERT(file, FOLDER "reports");
	TEST_EQ(fscanf(file, "unplanned %llu\nplanted %llu\nlast%255[^\n]",
		       &reports.unplanned, &reports.planted, reports.last), 3);
	fclose(file);
	return reports;
}

/* 0, or the errno of writing to the knob. */
static int plant(const char *name)
{
	int fd = open(FOLDER "breach", O_WRONLY | O_CLOEXEC);
	int error = 0;

	TEST_ASSERT(fd >= 0, FOLDER "breach");
	if (write(fd, name, strlen(name)) < 0)
		error = errno;
	close(fd);
	return error;
}

/* Another vCPU's ASID, say, is there only where all of them run on one processor. */
static void stay_on_one_cpu(void)
{
	TEST_TRUE(run_on_cpu(0));
}

static void run_some(struct vcpu *vcpu)
{
	struct guest_message msg;
	int i;

	for (i = 0; i < 3; i++) {
		vcpu_run_message(vcpu, &msg);
		TEST_EQ(msg.command, MSG_SYNC);
	}
}

static bool starts_with(const char *name, const char *start)
{
	return !strncmp(name, start, strlen(start));
}

static void prepare_narrowing(struct vm *vm, enum narrowing how)
{
	if (how == NARROW_PROTECT)
		vm_set_slot(vm, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, vm->mem_size, vm->mem);
}

/* The guest has written TOUCHED since the last time. */
static void narrow(struct vm *vm, enum narrowing how)
{
	static u64 bitmap[GUEST_MEM_SIZE / PAGE_SIZE / 64];
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	u64 page = TOUCHED / PAGE_SIZE;

	if (how == NARROW_UNMAP)
		TEST_EQ(madvise(vm_host(vm, TOUCHED), PAGE_SIZE, MADV_DONTNEED), 0);
	if (how != NARROW_PROTECT)
		return;
	xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
	TEST_TRUE(bitmap[page / 64] & (1ull << page % 64));
}

/* Run until the checker stops the VM. */
static void run_until_stopped(struct vcpu *vcpu, enum narrowing how)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (vcpu_try_run(vcpu)) {
			TEST_EQ(errno, EIO);
			return;
		}
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		narrow(vcpu->vm, how);
	}
	TEST_FAIL("the VM was not stopped");
}

static void commit(const struct breach *breach, enum narrowing how)
{
	struct vcpu *victim = vm_with_vcpu(guest_loop);
	struct vcpu *other = vm_with_vcpu(guest_loop);
	struct reports before, after;
	char rule[32];

	stay_on_one_cpu();
	prepare_narrowing(victim->vm, how);
	before = read_reports();
	if (!strcmp(breach->possible, "no")) {
		TEST_EQ(plant(breach->name), EOPNOTSUPP);
		test_skip("this processor does not have what %s is about",
			  breach->name);
	}
	/* This one is about the first VMRUN. */
	if (strcmp(breach->name, "clean_new"))
		run_some(victim);
	run_some(other);
	TEST_EQ(plant(breach->name), 0);
	run_until_stopped(victim, how);

	after = read_reports();
	snprintf(rule, sizeof(rule), " planted: rule %d: ", breach->rule);
	TEST_ASSERT(starts_with(after.last, rule), "%s", after.last);
	TEST_EQ(after.planted, before.planted + 1);
	test_note("%s", after.last + 1);

	/* Once for all, and this VM alone. */
	TEST_EQ(vcpu_try_run(victim), -1);
	TEST_EQ(errno, EIO);
	ioctl_fails(victim->fd, KVM_GET_REGS, &(struct kvm_regs){}, EIO);
	ioctl_fails(victim->vm->fd, KVM_CREATE_VCPU, 1, EIO);
	run_some(other);
	run_some(vm_with_vcpu(guest_loop));
	after = read_reports();
	TEST_EQ(after.planted, before.planted + 1);
	TEST_EQ(after.unplanned, before.unplanned);
}

/* These have to be committed with the nested table's help. */
static bool is_about_narrowing(const struct breach *breach)
{
	return !strcmp(breach->name, "flush_skipped") || !strcmp(breach->name, "flush_lost");
}

static void committed(const void *row)
{
	commit(row, is_about_narrowing(row) ? NARROW_UNMAP : NARROW_NOT);
}

static void committed_protecting(const void *row)
{
	commit(row, NARROW_PROTECT);
}

static void unknown_name(void)
{
	TEST_EQ(plant("no_such_breach"), EINVAL);
	TEST_EQ(plant("clean_c"), EINVAL);
	TEST_EQ(plant("a_name_that_is_longer_than_any_name_of_a_breach"), EINVAL);
}

static void nothing_planted(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_loop);
	struct reports before = read_reports(), after;
	enum narrowing how;
	int i;

	for (how = NARROW_UNMAP; how <= NARROW_PROTECT; how++) {
		prepare_narrowing(vcpu->vm, how);
		for (i = 0; i < TRIES; i++) {
			run_some(vcpu);
			narrow(vcpu->vm, how);
		}
	}
	after = read_reports();
	TEST_EQ(after.planted, before.planted);
	TEST_EQ(after.unplanned, before.unplanned);
}

static void set_sregs(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
	xioctl(vcpu->fd, KVM_SET_SREGS, sregs);
	run_some(vcpu);
}

/* One register at a time, so that what else is written hides nothing. */
static void set_each_sreg(struct vcpu *vcpu)
{
	struct kvm_sregs sregs = vcpu_sregs(vcpu);
	u64 root = GUEST_PT_END - PAGE_SIZE;

	memcpy(vm_host(vcpu->vm, root), vm_host(vcpu->vm, sregs.cr3), PAGE_SIZE);
	sregs.cr3 = root;
	set_sregs(vcpu, &sregs);
	sregs.cr4 ^= CR4_PGE;
	set_sregs(vcpu, &sregs);
	sregs.cr0 ^= CR0_MP;
	set_sregs(vcpu, &sregs);
	sregs.efer ^= EFER_SCE;
	set_sregs(vcpu, &sregs);
	sregs.cr2 += PAGE_SIZE;
	set_sregs(vcpu, &sregs);
	sregs.cr8 ^= 1;
	vcpu->run->cr8 = sregs.cr8;
	set_sregs(vcpu, &sregs);
	sregs.gdt.limit--;
	set_sregs(vcpu, &sregs);
	sregs.idt.limit--;
	set_sregs(vcpu, &sregs);
	sregs.es.base += PAGE_SIZE;
	set_sregs(vcpu, &sregs);
	sregs.cs.avl ^= 1;
	set_sregs(vcpu, &sregs);
}

/*
 * All that user space can set of a vCPU that has run: the processor has seen the
 * old value, and is to hear of the new one.
 */
static void setters(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_loop);
	struct reports before = read_reports();
	struct kvm_debugregs debug;

	stay_on_one_cpu();
	run_some(vcpu);
	set_each_sreg(vcpu);
	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &debug);
	debug.dr7 ^= BIT(9);
	xioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug);
	run_some(vcpu);
	debug.dr6 ^= BIT(14);
	xioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug);
	run_some(vcpu);
	vcpu_set_msr(vcpu, MSR_PAT, 0x0007040600070400ull);
	run_some(vcpu);
	vcpu_set_msr(vcpu, MSR_TSC, 0x123456789abcull);
	run_some(vcpu);
	vcpu_set_msr(vcpu, MSR_DEBUGCTL, 1);
	run_some(vcpu);
	vcpu_set_msr(vcpu, MSR_DEBUGCTL, 0);
	run_some(vcpu);
	TEST_EQ(read_reports().unplanned, before.unplanned);
}

/* What another process plants is for its own VMs. */
static void other_process(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_loop);
	struct reports before = read_reports();
	int status;
	pid_t pid;

	run_some(vcpu);
	pid = fork();
	if (!pid)
		_exit(plant("cr0_high"));
	TEST_EQ(waitpid(pid, &status, 0), pid);
	TEST_EQ(status, 0);
	run_some(vcpu);
	TEST_EQ(read_reports().planted, before.planted);
}

/* A process that plants a breach, says how that went, and lives until the pipe is closed. */
static pid_t planter(const int *wait, int answer)
{
	pid_t pid = fork();
	int error;
	char c;

	if (pid)
		return pid;
	close(wait[1]);
	error = plant("cr0_high");
	if (write(answer, &error, sizeof(error)) != sizeof(error))
		_exit(1);
	_exit(read(wait[0], &c, 1) != 0);
}

/* As long as all who have planted something live, there is no room; then there is. */
static void no_room(void)
{
	int wait[2], answers[2], error = 0, n, i;
	struct vcpu *vcpu = vm_with_vcpu(guest_loop);
	pid_t pids[PLANTERS_MAX];

	TEST_EQ(pipe(wait), 0);
	TEST_EQ(pipe(answers), 0);
	for (n = 0; n < PLANTERS_MAX && !error; n++) {
		pids[n] = planter(wait, answers[1]);
		TEST_TRUE(pids[n] > 0);
		TEST_EQ(read(answers[0], &error, sizeof(error)), sizeof(error));
	}
	TEST_EQ(error, EBUSY);
	TEST_EQ(plant("cr0_high"), EBUSY);
	close(wait[1]);
	for (i = 0; i < n; i++) {
		int status;

		TEST_EQ(waitpid(pids[i], &status, 0), pids[i]);
		TEST_EQ(status, 0);
	}
	TEST_EQ(plant("efer_svme"), 0);
	TEST_EQ(plant("cr0_high"), 0);	/* in the place of the other */
	run_until_stopped(vcpu, NARROW_NOT);
	TEST_ASSERT(strstr(read_reports().last, "save.cr0"), "%s", read_reports().last);
}

/* In all that has run on this host so far. */
static void none_unplanned(void)
{
	struct reports reports = read_reports();

	TEST_ASSERT(!reports.unplanned, "%llu, the last one:%s",
		    reports.unplanned, reports.last);
}

static const struct test_row rows[] = {
	{ "unknown_name", unknown_name },
	{ "nothing_planted", nothing_planted },
	{ "other_process", other_process },
	{ "no_room", no_room },
	{ "setters", setters },
	{ "none_unplanned", none_unplanned },
};

int main(int argc, char **argv)
{
	FILE *file = fopen(FOLDER "breach", "r");
	int n = 0;

	if (!file) {
		printf("1..0 # SKIP no " FOLDER ": the module is built without DEBUG_CONTRACT=1\n");
		return KSFT_SKIP;
	}
	while (n < BREACHES_MAX && fscanf(file, "%39s %d %3s\n", breaches[n].name,
					  &breaches[n].rule, breaches[n].possible) == 3) {
		test_add(committed, &breaches[n], "breach/%s", breaches[n].name);
		if (is_about_narrowing(&breaches[n]))
			test_add(committed_protecting, &breaches[n], "protect/%s",
				 breaches[n].name);
		n++;
	}
	if (!n || !feof(file)) {
		printf("1..1\nnot ok 1 " FOLDER "breach: read %d lines of it\n", n);
		return KSFT_FAIL;
	}
	fclose(file);
	test_add_rows("contract", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
