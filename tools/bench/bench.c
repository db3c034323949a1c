// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs, in ticks of the TSC: instructions, where the emulated
 * host counts them. Prints "ROW TICKS" per line; the node is KSVM_DEV's.
 *
 *	bench exits		every kind of exit, and a VM's life
 *	bench irq [ROW]		the interrupt controllers, where they are in the kernel
 *	bench time CMD...	run CMD and print what it took
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "harness.h"
#include "vm.h"

#define ROUNDS		1000
#define PAGES_GPA	0x10000000ull
#define NPF_PAGES	4096
#define VM_ROUNDS	20

/* One guest function per row: how long ROUNDS of its operation take. */
#define GUEST_LOOP(name, operation)				\
static void guest_loop_##name(void)					\
{								\
	u64 start = ticks();					\
								\
	for (u64 i = 0; i < ROUNDS; i++) {			\
		barrier();					\
		operation;					\
	}							\
	GUEST_SYNC_ARGS(0, ticks() - start, 0, 0);		\
}

static inline void op_cpuid(void)
{
	u32 eax = 1, ecx = 0;

	asm volatile("cpuid" : "+a"(eax), "+c"(ecx) : : "ebx", "edx");
}

static inline void op_vmmcall(void)
{
	u64 rax = 0x4b53;

	asm volatile("vmmcall" : "+a"(rax) : : "memory");
}

/* Alignment checking: a bit that concerns no table of the hypervisor's. */
static inline void op_cr0_write(u64 i)
{
	u64 cr0;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %0, %%cr0" : : "r"(i & 1 ? cr0 & ~BIT(18) : cr0 | BIT(18)) : "memory");
}

GUEST_LOOP(nothing, (void)0)
GUEST_LOOP(cpuid, op_cpuid())
GUEST_LOOP(vmmcall, op_vmmcall())
GUEST_LOOP(rdmsr, rdmsr(MSR_APIC_BASE))
GUEST_LOOP(cr0_write, op_cr0_write(i))
GUEST_LOOP(pio_out, outb(BENCH_PORT, 0))
GUEST_LOOP(pio_in, inb(BENCH_PORT))
GUEST_LOOP(mmio_write, mmio_write32(GUEST_MMIO, 0))
GUEST_LOOP(mmio_read, mmio_read32(GUEST_MMIO))

static void guest_npf(void)
{
	u64 start = ticks();

	for (u64 i = 0; i < NPF_PAGES; i++)
		WRITE_ONCE(*(u8 *)(PAGES_GPA + i * PAGE_SIZE), 1);
	GUEST_SYNC_ARGS(0, ticks() - start, 0, 0);
}

struct row {
	const char *name;
	void (*guest)(void);
	u64 rounds;
	bool pages;
};

static const struct row rows[] = {
	{ "cpuid", guest_loop_cpuid, ROUNDS },
	{ "vmmcall", guest_loop_vmmcall, ROUNDS },
	{ "rdmsr", guest_loop_rdmsr, ROUNDS },
	{ "pio-out", guest_loop_pio_out, ROUNDS },
	{ "pio-in", guest_loop_pio_in, ROUNDS },
	{ "mmio-write", guest_loop_mmio_write, ROUNDS },
	{ "mmio-read", guest_loop_mmio_read, ROUNDS },
	{ "cr0-write", guest_loop_cr0_write, ROUNDS },
	{ "npf", guest_npf, NPF_PAGES, true },
};

/* Populated, in small pages: a fault each, and none of the host's own. */
static void add_pages(struct vm *vm)
{
	u64 size = NPF_PAGES * PAGE_SIZE;
	u8 *mem = vm_alloc(size);

	TEST_ASSERT(!madvise(mem, size, MADV_NOHUGEPAGE), "madvise: %s", strerror(errno));
	memset(mem, 0, size);
	vm_set_slot(vm, 1, 0, PAGES_GPA, size, mem);
}

/* The shortest loop that a VMM can have: what it asks of KVM_RUN and no more. */
static u64 run_guest(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct guest_message msg;

	do {
		TEST_ASSERT(!ioctl(vcpu->fd, KVM_RUN, 0), "KVM_RUN: %s", strerror(errno));
	} while (run->exit_reason == KVM_EXIT_MMIO ||
		 (run->exit_reason == KVM_EXIT_IO && run->io.port == BENCH_PORT));
	TEST_EQ(vcpu_message(vcpu, &msg), MSG_SYNC);
	return msg.args[1];
}

static u64 measure(void (*guest)(void), bool pages)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpu = vcpu_create(vm, 0, guest);
	u64 result;

	if (pages)
		add_pages(vm);
	result = run_guest(vcpu);
	vcpu_free(vcpu);
	vm_free(vm);
	return result;
}

/* A VM, a slot, a vCPU with its run page, and the end of it all. */
static void vm_life(int node, void *mem, size_t run_size)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = PAGE_SIZE,
		.userspace_addr = (u64)mem,
	};
	int vm = xioctl(node, KVM_CREATE_VM, 0);
	int vcpu;
	void *run;

	xioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
	vcpu = xioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	TEST_ASSERT(run != MAP_FAILED, "mmap: %s", strerror(errno));
	munmap(run, run_size);
	close(vcpu);
	close(vm);
}

/* A VM lives on beside: switching SVM on and off on the CPUs is not what is measured. */
static u64 measure_vm_life(void)
{
	int node = node_open(O_RDWR);
	int other = xioctl(node, KVM_CREATE_VM, 0);
	size_t run_size = xioctl(node, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *mem = vm_alloc(PAGE_SIZE);
	u64 start;

	vm_life(node, mem, run_size);
	start = ticks();
	for (int i = 0; i < VM_ROUNDS; i++)
		vm_life(node, mem, run_size);
	start = ticks() - start;
	close(other);
	close(node);
	return start / VM_ROUNDS;
}

static void bench_exits(void)
{
	u64 loop = measure(guest_loop_nothing, false);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 total = measure(rows[i].guest, rows[i].pages);

		printf("%s %llu\n", rows[i].name,
		       (total - loop * rows[i].rounds / ROUNDS) / rows[i].rounds);
		fflush(stdout);
	}
	printf("vm-life %llu\n", measure_vm_life());
}

static int bench_time(char **argv)
{
	u64 start = ticks();
	pid_t child = fork();
	int status;

	if (!child) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	printf("%llu\n", ticks() - start);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "time"))
		return bench_time(argv + 2);
	if (argc > 1 && argc < 4 && !strcmp(argv[1], "irq"))
		return bench_irq(argv[2]);
	if (argc != 2 || strcmp(argv[1], "exits")) {
		fprintf(stderr, "usage: bench exits | bench irq [ROW] | bench time CMD...\n");
		return 2;
	}
	bench_exits();
	return 0;
}
