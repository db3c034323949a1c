// SPDX-License-Identifier: GPL-2.0-only
/* A bzImage in memory, and a processor at one of its two entries. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"
#include "vmm.h"

/* Where things are put. */
#define GDT		0x500ull
#define ZERO_PAGE	0x7000ull
#define PAGE_TABLES	0x9000ull
#define REAL_KERNEL	0x10000ull
#define COMMAND_LINE	0x20000ull
#define LONG_KERNEL	0x1000000ull
#define INITRD		0xc000000ull

/* The setup header, as offsets into the boot parameters. */
#define BP_E820_COUNT	0x1e8
#define BP_SETUP_SECTS	0x1f1
#define BP_VID_MODE	0x1fa
#define BP_JUMP		0x200
#define BP_MAGIC	0x202
#define BP_LOADER	0x210
#define BP_FLAGS	0x211
#define BP_INITRD	0x218
#define BP_INITRD_SIZE	0x21c
#define BP_HEAP_END	0x224
#define BP_COMMAND	0x228
#define BP_E820		0x2d0

#define E820_RAM	1
#define E820_RESERVED	2

struct e820 {
	u64 start, size;
	u32 type;
} __packed;

static const struct e820 memory_map[] = {
	{ 0, EBDA, E820_RAM },
	{ EBDA, 0xa0000 - EBDA, E820_RESERVED },
	{ BIOS, HIGH_MEMORY - BIOS, E820_RESERVED },
	{ HIGH_MEMORY, RAM_SIZE - HIGH_MEMORY, E820_RAM },
};

/*
 * The guest's first process: what is asked for here is what the monitor waits for.
 * LOC is the local APIC's timer, RES and CAL are interrupts between processors.
 */
static const char init[] =
"#!/bin/sh\n"
"b=/bin/busybox\n"
"$b mkdir -p /proc\n"
"$b mount -t proc none /proc\n"
"count() {\n"
"  $b awk -v name=\"$1\" '$0 ~ name {\n"
"    for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i\n"
"  } END { print n + 0 }' /proc/interrupts\n"
"}\n"
"moves() {\n"
"  before=$(count \"$2\")\n"
"  eval \"$3\"\n"
"  [ \"$(count \"$2\")\" -gt \"$before\" ] && echo \"vmm: $1 moves\"\n"
"}\n"
"cpus=$($b grep -c ^processor /proc/cpuinfo)\n"
"echo \"vmm: $cpus processors\"\n"
"moves timer 'LOC:|timer$' \"$b usleep 50000\"\n"
"moves serial 'ttyS0$' 'echo vmm: some text that is written by interrupts'\n"
"[ $cpus -eq 1 ] ||\n"
"  moves ipi 'RES:|CAL:' \"$b taskset 2 $b true; $b taskset 1 $b true\"\n"
"[ \"$(count 'timer$')\" -gt 0 ] && echo vmm: pit moves\n"
"$b grep -q IO-APIC /proc/interrupts && echo vmm: with ioapic || echo vmm: without ioapic\n"
"$b grep -E 'ttyS0|timer$|LOC:|RES:|CAL:' /proc/interrupts\n"
"echo vmm: done\n"
"$b stty onlcr\n"		/* waits until the console has written all of it */
"$b reboot -f\n";

static u8 *read_file(const char *variable, const char *path, size_t *size)
{
	struct stat stat;
	u8 *data;
	int fd;

	if (getenv(variable))
		path = getenv(variable);
	fd = open(path, O_RDONLY);
	if (fd < 0 && errno == ENOENT)
		test_skip("no %s (%s names another)", path, variable);
	TEST_ASSERT(fd >= 0 && !fstat(fd, &stat), "%s", path);
	data = malloc(stat.st_size);
	TEST_EQ(read(fd, data, stat.st_size), stat.st_size);
	close(fd);
	*size = stat.st_size;
	return data;
}

/* One member of an archive in cpio's "new" format, with all padding. */
static u8 *cpio_member(u8 *at, const char *name, u32 mode, const void *data, u32 size)
{
	u32 head = 110 + strlen(name) + 1;

	sprintf((char *)at, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", 1, mode,
		0, 0, 1, 0, size, 0, 0, 0, 0, (u32)strlen(name) + 1, 0, name);
	head = (head + 3) & ~3;
	memcpy(at + head, data, size);
	return at + head + ((size + 3) & ~3);
}

/**
 * linux_open() - read kernel and initramfs, and put our own /init into the latter
 *
 * GUEST_KERNEL and GUEST_INITRD name them. Of two archives in a row the second one wins.
 */
struct linux_image linux_open(void)
{
	struct linux_image image;
	u8 *end;

	image.kernel = read_file("GUEST_KERNEL", "/guest/vmlinuz", &image.kernel_size);
	TEST_TRUE(!memcmp(image.kernel + BP_MAGIC, "HdrS", 4));
	image.initrd = read_file("GUEST_INITRD", "/guest/initrd", &image.initrd_size);
	image.initrd = realloc(image.initrd, image.initrd_size + 4096 + sizeof(init));
	memset(image.initrd + image.initrd_size, 0, 4096 + sizeof(init));
	end = image.initrd + ((image.initrd_size + 3) & ~3ull);
	end = cpio_member(end, "init", 0100755, init, sizeof(init) - 1);
	end = cpio_member(end, "TRAILER!!!", 0, "", 0);
	image.initrd_size = end - image.initrd;
	TEST_TRUE(INITRD + image.initrd_size < RAM_SIZE);
	return image;
}

static size_t setup_size(const struct linux_image *image)
{
	u8 sectors = image->kernel[BP_SETUP_SECTS];

	return ((sectors ? sectors : 4) + 1) * 512;
}

static void put32(u8 *at, u32 value)
{
	memcpy(at, &value, sizeof(value));
}

/* What both protocols have in common; @params is where the header is. */
/*
 * A guest that finds neither a paravirtual clock nor a timer to measure against is told
 * how fast its TSC is. Only a vCPU can be asked, before there is the machine's first.
 */
static int tsc_khz(void)
{
	struct vm *vm = vm_create_bare();

	return xioctl(vcpu_create_bare(vm, 0)->fd, KVM_GET_TSC_KHZ, 0);
}

static void load_common(struct machine *machine, struct linux_image *image, u8 *params,
			u64 kernel, const char *command)
{
	size_t setup = setup_size(image);

	TEST_TRUE(kernel + image->kernel_size < INITRD);
	memcpy(machine->ram + kernel, image->kernel + setup, image->kernel_size - setup);
	memcpy(machine->ram + INITRD, image->initrd, image->initrd_size);
	sprintf((char *)machine->ram + COMMAND_LINE, "%s tsc_early_khz=%d", command, tsc_khz());
	params[BP_LOADER] = 0xff;
	params[BP_FLAGS] |= 0x80;
	params[BP_VID_MODE] = 0xff;
	params[BP_VID_MODE + 1] = 0xff;
	put32(params + BP_INITRD, INITRD);
	put32(params + BP_INITRD_SIZE, image->initrd_size);
	params[BP_HEAP_END] = 0x00;
	params[BP_HEAP_END + 1] = 0xfe;
	put32(params + BP_COMMAND, COMMAND_LINE);
}

/**
 * linux_load_real() - for the 16-bit entry, with a firmware to ask
 * @machine: with RAM
 * @image: of linux_open()
 * @command: the kernel's command line
 */
void linux_load_real(struct machine *machine, struct linux_image *image, const char *command)
{
	u8 *bios = machine->ram + BIOS;
	u32 *vectors = (u32 *)machine->ram, i;

	memcpy(machine->ram + REAL_KERNEL, image->kernel, setup_size(image));
	load_common(machine, image, machine->ram + REAL_KERNEL, HIGH_MEMORY, command);
	memcpy(bios, bios_start, bios_end - bios_start);
	put32(bios + (bios_count - bios_start), ARRAY_SIZE(memory_map));
	memcpy(bios + (bios_map - bios_start), memory_map, sizeof(memory_map));
	for (i = 0; i < 256; i++)
		vectors[i] = (BIOS >> 4) << 16;
	vectors[0x15] = (BIOS >> 4) << 16 | (bios_int15 - bios_start);
}

/**
 * linux_load_long() - for the 64-bit entry
 * @machine: with RAM
 * @image: of linux_open()
 * @command: the kernel's command line
 *
 * Return: the entry's address.
 */
u64 linux_load_long(struct machine *machine, struct linux_image *image, const char *command)
{
	static const u64 gdt[] = { 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	u8 *params = machine->ram + ZERO_PAGE;
	u64 *table = (u64 *)(machine->ram + PAGE_TABLES), i;
	size_t header = BP_MAGIC + image->kernel[BP_JUMP + 1] - BP_SETUP_SECTS;

	memcpy(params + BP_SETUP_SECTS, image->kernel + BP_SETUP_SECTS, header);
	load_common(machine, image, params, LONG_KERNEL, command);
	params[BP_E820_COUNT] = ARRAY_SIZE(memory_map);
	memcpy(params + BP_E820, memory_map, sizeof(memory_map));
	memcpy(machine->ram + GDT, gdt, sizeof(gdt));
	table[0] = (PAGE_TABLES + 0x1000) | 3;
	table[512] = (PAGE_TABLES + 0x2000) | 3;
	for (i = 0; i < 512; i++)
		table[1024 + i] = i << 21 | 0x83;
	return LONG_KERNEL + 0x200;
}

/**
 * cpu_enter_real() - at the 16-bit entry
 * @cpu: the first
 */
void cpu_enter_real(struct cpu *cpu)
{
	struct kvm_regs regs = { .rip = 0x200, .rsp = 0x8000, .rbp = 0x8000, .rflags = 2 };
	struct kvm_sregs sregs;
	struct kvm_segment *data[] = { &sregs.ds, &sregs.es, &sregs.fs, &sregs.gs, &sregs.ss };
	u32 i;

	xioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	sregs.cs.selector = REAL_KERNEL >> 4;
	sregs.cs.base = REAL_KERNEL;
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		data[i]->selector = REAL_KERNEL >> 4;
		data[i]->base = REAL_KERNEL;
	}
	xioctl(cpu->fd, KVM_SET_SREGS, &sregs);
	xioctl(cpu->fd, KVM_SET_REGS, &regs);
}

static struct kvm_segment flat(u16 selector, u8 type, bool code)
{
	return (struct kvm_segment) {
		.selector = selector, .limit = ~0u, .type = type, .present = 1, .s = 1, .g = 1,
		.l = code, .db = !code,
	};
}

/**
 * cpu_enter_long() - at the 64-bit entry
 * @cpu: the first
 * @entry: of linux_load_long()
 */
void cpu_enter_long(struct cpu *cpu, u64 entry)
{
	struct kvm_regs regs = {
		.rip = entry, .rsi = ZERO_PAGE, .rsp = ZERO_PAGE + 0x1ff0, .rflags = 2,
	};
	struct kvm_sregs sregs;

	xioctl(cpu->fd, KVM_SET_REGS, &regs);
	cpu_set_fpu(cpu);
	xioctl(cpu->fd, KVM_GET_SREGS, &sregs);
	sregs.cs = flat(0x10, 11, true);
	sregs.ds = flat(0x18, 3, false);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 0x1f;
	sregs.cr0 |= 0x80000001;
	sregs.cr3 = PAGE_TABLES;
	sregs.cr4 |= 0x20;
	sregs.efer |= 0x500;
	xioctl(cpu->fd, KVM_SET_SREGS, &sregs);
}
