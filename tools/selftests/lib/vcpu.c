// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU side of the library: creation, state, running. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define CPUID_ENTRIES	128

/**
 * vcpu_create_bare() - a vCPU as the kernel makes it
 * @vm: owner
 * @id: APIC id
 */
struct vcpu *vcpu_create_bare(struct vm *vm, u32 id)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int sys = node_open(O_RDONLY);

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = xioctl(vm->fd, KVM_CREATE_VCPU, (u64)id);
	vcpu->run_size = xioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(sys);
	TEST_TRUE(vcpu->run_size >= sizeof(struct kvm_run));
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	TEST_TRUE(vcpu->run != MAP_FAILED);
	return vcpu;
}

/**
 * supported_cpuid() - KVM_GET_SUPPORTED_CPUID, read once
 *
 * Return: a table that the caller must not change.
 */
struct kvm_cpuid2 *supported_cpuid(void)
{
	static struct kvm_cpuid2 *cpuid;
	int fd;

	if (cpuid)
		return cpuid;
	cpuid = calloc(1, sizeof(*cpuid) +
		       CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	cpuid->nent = CPUID_ENTRIES;
	fd = node_open(O_RDONLY);
	xioctl(fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	close(fd);
	return cpuid;
}

/**
 * cpuid_find() - one row of a CPUID table
 * @cpuid: the table
 * @leaf: EAX
 * @index: ECX, looked at where the row says that it counts
 *
 * Return: the row, or NULL.
 */
struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *cpuid, u32 leaf,
				    u32 index)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function != leaf)
			continue;
		if (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		    e->index == index)
			return e;
	}
	return NULL;
}

/**
 * vcpu_set_cpuid() - give a vCPU all that is supported
 * @vcpu: whose
 */
void vcpu_set_cpuid(struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = supported_cpuid();
	struct kvm_cpuid_entry2 *e = cpuid_find(cpuid, 1, 0);

	TEST_TRUE(e);
	e->ebx = (e->ebx & 0x00ffffff) | vcpu->id << 24;
	xioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
}

static struct kvm_segment segment(u16 selector, u8 type, bool code)
{
	return (struct kvm_segment) {
		.selector = selector,
		.limit = 0xffffffff,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = code,
		.db = !code,
	};
}

static void write_tss(struct vcpu *vcpu)
{
	u64 base = GUEST_TSS + vcpu->id * 0x100;
	u8 *tss = vcpu->vm->mem + base;
	u64 stack = GUEST_STACKS + (vcpu->id + 1) * GUEST_STACK;
	u64 half = stack - GUEST_STACK / 2;

	memset(tss, 0, 0x68);
	memcpy(tss + 4, &half, 8);	/* RSP0, below the main stack */
	memcpy(tss + 36, &half, 8);	/* IST1 */
	*(u16 *)(tss + 102) = 0x68;
}

static void set_long_mode(struct vcpu *vcpu)
{
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	sregs.cs = segment(SEL_CODE64, 11, true);
	sregs.ds = segment(SEL_DATA, 3, false);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.gs.base = (u64)&guest_cpus[vcpu->id];
	sregs.tr = (struct kvm_segment) {
		.selector = SEL_TSS, .type = 11, .present = 1,
		.base = GUEST_TSS + vcpu->id * 0x100, .limit = 0x67,
	};
	sregs.ldt = (struct kvm_segment) { .unusable = 1 };
	sregs.gdt.base = GUEST_GDT;
	sregs.gdt.limit = 0xfff;
	sregs.idt.base = GUEST_IDT;
	sregs.idt.limit = 0xfff;
	sregs.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = vcpu->vm->pgd;
	sregs.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	sregs.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
}

/**
 * vcpu_set_entry() - put a vCPU at the start of a guest function
 * @vcpu: one of a vm_create() VM
 * @entry: the function; when it returns the guest is done
 */
void vcpu_set_entry(struct vcpu *vcpu, void *entry)
{
	u64 top = GUEST_STACKS + (vcpu->id + 1) * GUEST_STACK - 64;
	struct kvm_regs regs = {
		.rip = (u64)entry,
		.rsp = top - 8,
		.rflags = RFLAGS_FIXED,
	};

	TEST_TRUE(vcpu->id < GUEST_MAX_VCPUS);
	*(u64 *)vm_host(vcpu->vm, regs.rsp) = (u64)guest_done;
	guest_var(vcpu->vm, guest_cpus)[0][vcpu->id].id = vcpu->id;
	write_tss(vcpu);
	set_long_mode(vcpu);
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/**
 * vcpu_set_arg() - the first two arguments of the entry function
 * @vcpu: not run yet
 * @arg0: RDI
 * @arg1: RSI
 */
void vcpu_set_arg(struct vcpu *vcpu, u64 arg0, u64 arg1)
{
	struct kvm_regs regs = vcpu_regs(vcpu);

	regs.rdi = arg0;
	regs.rsi = arg1;
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

void vcpu_set_rip(struct vcpu *vcpu, u64 rip)
{
	struct kvm_regs regs = vcpu_regs(vcpu);

	regs.rip = rip;
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/**
 * vcpu_create() - a vCPU in long mode, about to call a guest function
 * @vm: made by vm_create()
 * @id: below GUEST_MAX_VCPUS
 * @entry: the function
 */
struct vcpu *vcpu_create(struct vm *vm, u32 id, void *entry)
{
	struct vcpu *vcpu = vcpu_create_bare(vm, id);

	vcpu_set_cpuid(vcpu);
	vcpu_set_entry(vcpu, entry);
	return vcpu;
}

/**
 * vm_with_vcpu() - a VM and its only vCPU
 * @entry: guest function
 */
struct vcpu *vm_with_vcpu(void *entry)
{
	return vcpu_create(vm_create(), 0, entry);
}

/**
 * vcpu_free() - unmap and close a vCPU
 * @vcpu: to be freed
 */
void vcpu_free(struct vcpu *vcpu)
{
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	free(vcpu);
}

struct kvm_regs vcpu_regs(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	xioctl(vcpu->fd, KVM_GET_REGS, &regs);
	return regs;
}

struct kvm_sregs vcpu_sregs(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	xioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	return sregs;
}

struct kvm_vcpu_events vcpu_events(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events = {};

	xioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events);
	return events;
}

/**
 * vcpu_try_msr() - read or write one MSR from the host
 * @vcpu: whose
 * @index: the MSR
 * @data: to or from here
 * @write: direction
 *
 * Return: the ioctl's, the number of MSRs done.
 */
int vcpu_try_msr(struct vcpu *vcpu, u32 index, u64 *data, bool write)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry.index = index,
		.entry.data = *data,
	};
	int ret;

	ret = ioctl(vcpu->fd, write ? KVM_SET_MSRS : KVM_GET_MSRS, &msrs);
	*data = msrs.entry.data;
	return ret;
}

u64 vcpu_msr(struct vcpu *vcpu, u32 index)
{
	u64 data = 0;

	TEST_ASSERT(vcpu_try_msr(vcpu, index, &data, false) == 1,
		    "MSR 0x%x", index);
	return data;
}

void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 data)
{
	TEST_ASSERT(vcpu_try_msr(vcpu, index, &data, true) == 1,
		    "MSR 0x%x = 0x%llx", index, data);
}
