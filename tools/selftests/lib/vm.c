// SPDX-License-Identifier: GPL-2.0-only
/* The VM side of the library: node, memory, page tables. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

/** node_path() - the device under test */
const char *node_path(void)
{
	const char *path = getenv("KSVM_DEV");

	return path && *path ? path : "/dev/ksvm";
}

/**
 * reference_run() - is the node stock KVM's?
 *
 * Set KSVM_REFERENCE when it is: the few checks that stock KVM is known not to
 * meet are left out then.
 */
bool reference_run(void)
{
	return getenv("KSVM_REFERENCE");
}

/**
 * host_is_tcg() - does QEMU's translator emulate this processor?
 *
 * It forgives what processors do not, and leaves some intercepts out; a case
 * that needs what it lacks says so.
 */
bool host_is_tcg(void)
{
	u32 a, b, c, d;

	host_cpuid(1, 0, &a, &b, &c, &d);
	if (!(c & BIT(31)))
		return false;
	host_cpuid(0x40000000, 0, &a, &b, &c, &d);
	return b == 0x54474354 && c == 0x43544743 && d == 0x47435447;
}

/**
 * host_is_bochs() - does Bochs emulate this processor?
 *
 * Its CPUID says nothing of it, but its firmware does.
 */
bool host_is_bochs(void)
{
	FILE *file = fopen("/sys/class/dmi/id/bios_vendor", "r");
	char vendor[64] = "";
	u32 a, b, c, d;

	if (!file)
		return false;
	if (!fgets(vendor, sizeof(vendor), file))
		vendor[0] = '\0';
	fclose(file);
	host_cpuid(1, 0, &a, &b, &c, &d);
	return !(c & BIT(31)) && strstr(vendor, "Bochs");
}

/**
 * need_interrupt_window() - skip the case on a host whose guests get no interrupt in the end
 *
 * Bochs does not look for a virtual interrupt when IRET sets IF: what came while a handler
 * ran waits for another exit, which a guest that halts or spins does not have.
 */
void need_interrupt_window(void)
{
	if (host_is_bochs())
		test_skip("Bochs takes no virtual interrupt behind IRET");
}

/**
 * node_open() - open the device under test
 * @flags: O_RDWR, O_RDONLY
 */
int node_open(int flags)
{
	int fd = open(node_path(), flags | O_CLOEXEC);

	TEST_ASSERT(fd >= 0, "%s", node_path());
	return fd;
}

/**
 * check_extension() - KVM_CHECK_EXTENSION
 * @fd: the node or a VM
 * @cap: KVM_CAP_*
 */
int check_extension(int fd, long cap)
{
	return xioctl(fd, KVM_CHECK_EXTENSION, cap);
}

int xioctl_at(const char *file, int line, const char *name, int fd,
	      unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, cmd, arg);
	} while (ret < 0 && errno == EINTR && cmd == KVM_CREATE_VM);
	if (ret < 0)
		test_fail(file, line, "%s failed", name);
	return ret;
}

void ioctl_fails_at(const char *file, int line, const char *name, int fd,
		    unsigned long cmd, void *arg, int error)
{
	int ret;

	errno = 0;
	ret = ioctl(fd, cmd, arg);
	if (ret >= 0)
		test_fail(file, line, "%s gave %d, expected error %d (%s)",
			  name, ret, error, strerror(error));
	if (errno != error)
		test_fail(file, line, "%s failed, but not with %d (%s)",
			  name, error, strerror(error));
}

/** vm_create_bare() - a VM without memory */
struct vm *vm_create_bare(void)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int fd = node_open(O_RDWR);

	vm->fd = xioctl(fd, KVM_CREATE_VM, 0);
	close(fd);
	return vm;
}

/**
 * vm_alloc() - zeroed host memory to back a slot
 * @size: bytes, whole pages
 */
void *vm_alloc(u64 size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	TEST_TRUE(mem != MAP_FAILED);
	return mem;
}

/**
 * vm_try_slot() - set a memory slot, without a judgement
 * @vm: where
 * @slot: id
 * @flags: KVM_MEM_*
 * @gpa: guest-physical address
 * @size: bytes; 0 deletes
 * @mem: backing
 *
 * Return: the ioctl's.
 */
int vm_try_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
		void *mem)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (u64)mem,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

void vm_set_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
		 void *mem)
{
	TEST_ASSERT(!vm_try_slot(vm, slot, flags, gpa, size, mem),
		    "slot %u, gpa 0x%llx, size 0x%llx", slot, gpa, size);
}

/**
 * vm_host() - the host's view of guest memory
 * @vm: made by vm_create()
 * @gpa: guest-physical address, or virtual one of the one to one map
 */
void *vm_host(struct vm *vm, u64 gpa)
{
	TEST_ASSERT(gpa < vm->mem_size, "0x%llx", gpa);
	return vm->mem + gpa;
}

/* Copy the segments of this very program to where they are linked. */
static void load_image(struct vm *vm)
{
	const Elf64_Phdr *phdr = (void *)getauxval(AT_PHDR);
	u64 n = getauxval(AT_PHNUM);

	for (; n; n--, phdr++) {
		if (phdr->p_type != PT_LOAD)
			continue;
		TEST_ASSERT(phdr->p_vaddr + phdr->p_memsz <= GUEST_STACKS,
			    "image ends at 0x%llx",
			    (u64)(phdr->p_vaddr + phdr->p_memsz));
		memcpy(vm->mem + phdr->p_vaddr, (void *)phdr->p_vaddr,
		       phdr->p_memsz);
	}
}

static u64 alloc_table(struct vm *vm)
{
	u64 pa = vm->pt_next;

	TEST_ASSERT(pa < GUEST_PT_END, "page tables");
	vm->pt_next += PAGE_SIZE;
	memset(vm->mem + pa, 0, PAGE_SIZE);
	return pa;
}

static u64 *table_at(struct vm *vm, u64 *entry)
{
	if (!(*entry & PTE_P))
		*entry = alloc_table(vm) | PTE_P | PTE_RW | PTE_US;
	return (u64 *)(vm->mem + (*entry & PTE_ADDR));
}

/**
 * vm_pte() - the guest's last-level entry for an address
 * @vm: where
 * @va: guest-virtual address; a large page is split for it
 */
u64 *vm_pte(struct vm *vm, u64 va)
{
	u64 *table = (u64 *)(vm->mem + vm->pgd);
	int shift;

	for (shift = 39; shift > 12; shift -= 9) {
		u64 *entry = &table[va >> shift & 511];
		u64 old = *entry, i;

		if (shift == 21 && (old & PTE_PS)) {
			*entry = 0;
			table = table_at(vm, entry);
			for (i = 0; i < 512; i++)
				table[i] = (old & ~PTE_PS) + i * PAGE_SIZE;
			continue;
		}
		table = table_at(vm, entry);
	}
	return &table[va >> 12 & 511];
}

/**
 * vm_map_page() - map one 4 KiB page in the guest's tables
 * @vm: where
 * @va: guest-virtual address
 * @pa: guest-physical address
 * @flags: PTE_*
 */
void vm_map_page(struct vm *vm, u64 va, u64 pa, u64 flags)
{
	*vm_pte(vm, va) = (pa & PTE_ADDR) | flags;
}

static void map_low_4g(struct vm *vm)
{
	u64 va;

	for (va = 0; va < 4ull << 30; va += 2ull << 20) {
		u64 *pdpt, *pd;

		pdpt = table_at(vm, (u64 *)(vm->mem + vm->pgd));
		pd = table_at(vm, &pdpt[va >> 30]);
		pd[va >> 21 & 511] = va | PTE_P | PTE_RW | PTE_US | PTE_PS;
	}
}

static void write_gdt(struct vm *vm)
{
	static const u64 gdt[] = {
		[SEL_CODE64 / 8] = 0x00af9b000000ffff,
		[SEL_DATA / 8] = 0x00cf93000000ffff,
		[SEL_CODE32 / 8] = 0x00cf9b000000ffff,
		[SEL_UDATA / 8] = 0x00cff3000000ffff,
		[SEL_UCODE64 / 8] = 0x00affb000000ffff,
		[SEL_TSS / 8] = 0x00008b0000000067 | GUEST_TSS << 16,
		[SEL_CODE16 / 8] = 0x00009b000000ffff,
		[SEL_DATA16 / 8] = 0x000093000000ffff,
		[SEL_UCODE32 / 8] = 0x00cffb000000ffff,
	};

	memcpy(vm->mem + GUEST_GDT, gdt, sizeof(gdt));
}

static void write_idt(struct vm *vm)
{
	u64 *idt = (u64 *)(vm->mem + GUEST_IDT);
	u64 v;

	for (v = 0; v < 256; v++) {
		u64 entry = (u64)guest_stubs + v * 16;

		/* An interrupt gate, open to every ring. */
		idt[2 * v] = (entry & 0xffff) | SEL_CODE64 << 16 |
			     0xee00ull << 32 | (entry & 0xffff0000) << 32;
		idt[2 * v + 1] = entry >> 32;
	}
}

/** vm_create() - a VM with memory, tables and the program's image */
struct vm *vm_create(void)
{
	struct vm *vm = vm_create_bare();

	vm->mem_size = GUEST_MEM_SIZE;
	vm->mem = vm_alloc(vm->mem_size);
	vm->pt_next = GUEST_PT_POOL;
	vm->pgd = alloc_table(vm);
	map_low_4g(vm);
	load_image(vm);
	*guest_var(vm, guest_reference) = reference_run();
	*guest_var(vm, guest_tcg) = host_is_tcg();
	*guest_var(vm, guest_bochs) = host_is_bochs();
	write_gdt(vm);
	write_idt(vm);
	vm_set_slot(vm, 0, 0, 0, vm->mem_size, vm->mem);
	return vm;
}

/**
 * vm_free() - close a VM and unmap its memory
 * @vm: to be freed; its vCPUs first
 */
void vm_free(struct vm *vm)
{
	close(vm->fd);
	if (vm->mem)
		munmap(vm->mem, vm->mem_size);
	free(vm);
}
