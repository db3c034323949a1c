// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failing allocations and user accesses, one after the other: each operation is
 * tried with its first fault point failing, then its second, until one try gets
 * through. Every failure has to be ENOMEM or EFAULT, and the same operation has
 * to succeed right after it. Needs a kernel with fault injection; whether it
 * leaked is for kmemleak to say.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "harness.h"
#include "vm.h"

#define MAX_POINTS	2000
#define SLOT_GPA	0x10000000ull
#define SLOT_SIZE	0x200000ull

/* What an attempt works on: made anew for each, without faults. */
static struct {
	struct vm *vm;
	struct vcpu *vcpu;
	u8 *mem;
	int node;
} on;

struct operation {
	const char *name;
	void (*setup)(void);
	int (*attempt)(void);	/* 0, or -1 with errno */
	void (*verify)(void);	/* after the attempt that got through */
};

static void release(void)
{
	if (on.vcpu)
		vcpu_free(on.vcpu);
	if (on.vm)
		vm_free(on.vm);
	if (on.mem)
		munmap(on.mem, SLOT_SIZE);
	close(on.node);
	memset(&on, 0, sizeof(on));
}

static void fail_each(const void *row)
{
	const struct operation *op = row;
	unsigned int nth, failures = 0;
	bool fault;
	int ret;

	if (!fault_prepare())
		test_skip("no fault injection in this kernel");
	for (nth = 1; nth < MAX_POINTS; nth++) {
		on.node = node_open(O_RDWR);
		if (op->setup)
			op->setup();
		fault_arm(nth);
		ret = op->attempt();
		fault = fault_injected();
		if (ret) {
			TEST_ASSERT(fault, "no fault");
			TEST_ASSERT(errno == ENOMEM || errno == EFAULT,
				    "fault %u", nth);
			failures++;
			TEST_ASSERT(!op->attempt(), "after fault %u", nth);
		}
		if (op->verify)
			op->verify();
		release();
		if (!fault)
			break;
	}
	TEST_ASSERT(nth < MAX_POINTS, "no end of it");
	test_note("%u points, %u of them fatal", nth - 1, failures);
	TEST_TRUE(failures > 0);
}

static int create_vm(void)
{
	int fd = ioctl(on.node, KVM_CREATE_VM, 0);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static void with_bare_vm(void)
{
	on.vm = vm_create_bare();
}

static int create_vcpu(void)
{
	int fd = ioctl(on.vm->fd, KVM_CREATE_VCPU, 0);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static void with_memory(void)
{
	with_bare_vm();
	on.mem = vm_alloc(SLOT_SIZE);
}

static int slot_create(void)
{
	return vm_try_slot(on.vm, 1, 0, SLOT_GPA, SLOT_SIZE, on.mem);
}

static void with_slot(void)
{
	with_memory();
	TEST_EQ(slot_create(), 0);
}

static int slot_log(void)
{
	return vm_try_slot(on.vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA,
			   SLOT_SIZE, on.mem);
}

static int slot_move(void)
{
	return vm_try_slot(on.vm, 1, 0, 2 * SLOT_GPA, SLOT_SIZE, on.mem);
}

static int slot_delete(void)
{
	return vm_try_slot(on.vm, 1, 0, SLOT_GPA, 0, NULL);
}

static void with_log(void)
{
	with_slot();
	TEST_EQ(slot_log(), 0);
}

static int get_dirty_log(void)
{
	u64 bitmap[SLOT_SIZE / PAGE_SIZE / 64];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };

	return ioctl(on.vm->fd, KVM_GET_DIRTY_LOG, &log);
}

/* Pages of two tables and more, touched for the first time. */
static void guest_touch(void)
{
	u64 i;

	for (i = 0; i < SLOT_SIZE; i += SLOT_SIZE / 8)
		mmio_write64(SLOT_GPA + i, i);
	/* From memory that nobody has touched. */
	GUEST_EQ(mmio_read64(GUEST_SCRATCH), 0);
	GUEST_SYNC(1);
}

static void with_guest(void)
{
	on.vm = vm_create();
	on.vcpu = vcpu_create(on.vm, 0, guest_touch);
	on.mem = vm_alloc(SLOT_SIZE);
	TEST_EQ(slot_create(), 0);
}

static void with_logged_guest(void)
{
	with_guest();
	TEST_EQ(slot_log(), 0);
}

static int run(void)
{
	return vcpu_try_run(on.vcpu);
}

static void guest_came_through(void)
{
	struct guest_message msg;

	TEST_EQ(on.vcpu->run->exit_reason, KVM_EXIT_IO);
	TEST_EQ(vcpu_message(on.vcpu, &msg), MSG_SYNC);
}

static void with_vcpu(void)
{
	on.vm = vm_create();
	on.vcpu = vcpu_create(on.vm, 0, guest_touch);
}

static int get_supported_cpuid(void)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  256 * sizeof(*cpuid->entries));
	int ret;

	cpuid->nent = 256;
	ret = ioctl(on.node, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (!ret && on.vcpu)
		ret = ioctl(on.vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret;
}

static int get_set_msrs(void)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} msrs = {
		.head.nmsrs = 2,
		.entries[0].index = 0xc0000081,		/* STAR */
		.entries[1].index = 0xc0000082,		/* LSTAR */
	};
	int ret = ioctl(on.vcpu->fd, KVM_GET_MSRS, &msrs);

	if (ret == 2)
		ret = ioctl(on.vcpu->fd, KVM_SET_MSRS, &msrs);
	if (ret < 0)
		return -1;
	TEST_EQ(ret, 2);
	return 0;
}

static int get_set_xsave(void)
{
	struct kvm_xsave xsave;

	return ioctl(on.vcpu->fd, KVM_GET_XSAVE, &xsave) ?:
	       ioctl(on.vcpu->fd, KVM_SET_XSAVE, &xsave);
}

static int get_set_sregs(void)
{
	struct kvm_sregs sregs;

	return ioctl(on.vcpu->fd, KVM_GET_SREGS, &sregs) ?:
	       ioctl(on.vcpu->fd, KVM_SET_SREGS, &sregs);
}

/* The vCPU's fd, and the two pages behind it. */
static int map_vcpu(void)
{
	void *page = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, on.vcpu->fd, 0);

	if (page == MAP_FAILED)
		return -1;
	munmap(page, 2 * PAGE_SIZE);
	return 0;
}

static const struct operation operations[] = {
	{ "create_vm", NULL, create_vm },
	{ "create_vcpu", with_bare_vm, create_vcpu },
	{ "slot_create", with_memory, slot_create },
	{ "slot_log", with_slot, slot_log },
	{ "slot_move", with_slot, slot_move },
	{ "slot_delete", with_slot, slot_delete },
	{ "get_dirty_log", with_log, get_dirty_log },
	{ "run", with_guest, run, guest_came_through },
	{ "run_logged", with_logged_guest, run, guest_came_through },
	{ "cpuid", with_vcpu, get_supported_cpuid },
	{ "msrs", with_vcpu, get_set_msrs },
	{ "xsave", with_vcpu, get_set_xsave },
	{ "sregs", with_vcpu, get_set_sregs },
	{ "map_vcpu", with_vcpu, map_vcpu },
};

int main(int argc, char **argv)
{
	unsigned int i;

	test_timeout(60);
	for (i = 0; i < ARRAY_SIZE(operations); i++)
		test_add(fail_each, &operations[i], "fault/%s",
			 operations[i].name);
	return test_run_all(argc, argv);
}
