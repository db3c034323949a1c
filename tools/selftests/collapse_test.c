// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host makes huge pages of a running guest's memory and takes them apart again: each
 * time it copies all of it elsewhere. What the guest writes meanwhile must not be lost.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define PORT		0x1234
#define HUGE_PAGE	0x200000ull
#define SLOT_GPA	0x10000000ull
#define SLOT_SIZE	(2 * HUGE_PAGE)
#define SLOT_PAGES	(SLOT_SIZE / PAGE_SIZE)
#define RUNNERS		2
#define OWN_PAGES	(SLOT_PAGES / RUNNERS)
#define COLLAPSES	200

static u64 guest_slot = SLOT_GPA;
static bool stop;

/* Every runner has pages of its own: what a visit wrote is there at the next one. */
static void guest_work(u64 id)
{
	u64 i, page;

	for (i = 0;; i++) {
		page = guest_slot + (i % OWN_PAGES * RUNNERS + id) * PAGE_SIZE;
		if (i >= OWN_PAGES)
			GUEST_EQ(mmio_read64(page), i - OWN_PAGES);
		mmio_write64(page, i);
		if (i % 64 == 0)
			outb(PORT, 0);
	}
}

static void *runner(void *arg)
{
	struct vcpu *vcpu = arg;
	struct guest_message msg;

	while (!READ_ONCE(stop)) {
		vcpu_run(vcpu);
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		TEST_EQ(vcpu_message(vcpu, &msg), 0);
	}
	return NULL;
}

static u8 *huge_aligned(u8 *p)
{
	return (u8 *)(((unsigned long)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}

/* A huge page of @at, and again 512 mappings of its parts. True if there was one. */
static bool collapse_and_split(u8 *at)
{
	/* Not while somebody holds one of the pages, nor where the host finds no use in it. */
	if (madvise(at, HUGE_PAGE, MADV_COLLAPSE))
		return false;
	TEST_EQ(mprotect(at, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	TEST_EQ(mprotect(at, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	return true;
}

static u32 collapse_all(u8 *mem, u64 size)
{
	u8 *at, *end = mem + size;
	u32 collapsed = 0;

	for (at = huge_aligned(mem); at + HUGE_PAGE <= end; at += HUGE_PAGE)
		collapsed += collapse_and_split(at);
	return collapsed;
}

/* @offset: from where guest frames and the host's are aligned alike */
static void run_and_collapse(u64 offset, bool own)
{
	u8 *mem = huge_aligned(vm_alloc(SLOT_SIZE + HUGE_PAGE));
	struct vm *vm = vm_create();
	struct vcpu *vcpus[RUNNERS];
	pthread_t threads[RUNNERS];
	u32 i, collapsed = 0;

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK))
		test_skip("no transparent huge pages");
	*guest_var(vm, guest_slot) = SLOT_GPA + offset;
	vm_set_slot(vm, 1, 0, SLOT_GPA + offset, SLOT_SIZE, mem);
	for (i = 0; i < RUNNERS; i++) {
		vcpus[i] = vcpu_create(vm, i, guest_work);
		vcpu_set_arg(vcpus[i], i, 0);
	}
	for (i = 0; i < RUNNERS; i++)
		TEST_EQ(pthread_create(&threads[i], NULL, runner, vcpus[i]), 0);
	while (collapsed < COLLAPSES)
		collapsed += own ? collapse_all(vm->mem, vm->mem_size) :
				   collapse_all(mem, SLOT_SIZE);
	WRITE_ONCE(stop, true);
	for (i = 0; i < RUNNERS; i++)
		pthread_join(threads[i], NULL);
}

static void congruent(void)
{
	run_and_collapse(0, false);
}

/* Never mapped as a huge page in the guest. */
static void shifted(void)
{
	run_and_collapse(PAGE_SIZE, false);
}

/* Where its code, its stacks and its page tables are. */
static void code_and_tables(void)
{
	run_and_collapse(0, true);
}

static const struct test_row rows[] = {
	{ "congruent", congruent },
	{ "shifted", shifted },
	{ "code_and_tables", code_and_tables },
};

int main(int argc, char **argv)
{
	test_timeout(60);
	test_add_rows("collapse", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
