/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A monitor small enough to read, that boots Linux with interrupt controllers in the
 * kernel. What is the same for all is here; the order of calls that a monitor is known
 * for is in a file of its own.
 */
#ifndef VMM_H
#define VMM_H

#include <linux/kvm.h>
#include <pthread.h>

#include "types.h"

#define MAX_CPUS	8
#define RAM_SIZE	(256ull << 20)
#define EBDA		0x9fc00ull
#define BIOS		0xf0000ull
#define HIGH_MEMORY	0x100000ull

#define SERIAL_PORT	0x3f8
#define SERIAL_IRQ	4
#define RESET_PORT	0x64
#define RESET_VALUE	0xfe
#define ACPI_PORTS	0x600
#define ACPI_PORTS_SIZE	6

#define LAPIC_BASE	0xfee00000u
#define IOAPIC_BASE	0xfec00000u
#define IOAPIC_PINS	24

struct machine;

/* A 16550A that has always sent what it is given. */
struct serial {
	u8 ier, lcr, mcr, fcr, scratch;
	u16 divisor;
	bool thr_empty;		/* not told yet */
	bool line;
	char text[512];		/* the line being written */
	u32 length;
};

/* The I/O APIC of a machine that has none in the kernel. */
struct ioapic {
	u32 index, id;
	u64 pins[IOAPIC_PINS];
	u32 lines;		/* levels */
	int fds[IOAPIC_PINS];	/* irqfds, by pin */
	u64 eois;
};

struct cpu {
	struct machine *machine;
	u32 id;
	int fd;
	struct kvm_run *run;
};

/**
 * struct machine - a VM and its devices
 * @vm: file
 * @end: eventfd, written when the guest asks for a reset
 * @ram: at 0
 * @n: number of processors
 * @cpus: these
 * @lock: of all that follows
 * @serial: the console
 * @resets: how often the guest's reset came as an exit
 * @acpi: status, enable, control; of events there are none
 * @ioapic: where it is not the kernel's
 * @set_line: how an interrupt of a device gets to the guest
 * @start_cpu: what remains to be done in a processor's own thread, or NULL
 * @expected: lines that the guest must write, NULL at the end
 * @seen: which of these it has written
 */
struct machine {
	int vm;
	int end;
	u8 *ram;
	u32 n;
	struct cpu cpus[MAX_CPUS];
	pthread_mutex_t lock;	/* devices */
	struct serial serial;
	u32 resets;
	u16 acpi[ACPI_PORTS_SIZE / 2];
	struct ioapic ioapic;
	void (*set_line)(struct machine *machine, u32 irq, bool level);
	void (*start_cpu)(struct cpu *cpu);
	const char *const *expected;
	u32 seen;
};

/* machine.c */
/* A monitor: how it boots so many processors, and what the guest has to say in each case. */
struct monitor {
	const char *name;
	void (*boot)(u32 cpus, const char *const *expected);
	const char *const *one;
	const char *const *two;
};

int monitor_main(const struct monitor *monitor, int argc, char **argv);

struct machine *machine_create(u32 cpus);
void machine_set_ram(struct machine *machine);
struct cpu *machine_add_cpu(struct machine *machine);
void machine_run(struct machine *machine);
void machine_line(struct machine *machine, const char *text);
void cpu_set_cpuid(struct cpu *cpu, u32 features, u32 pv_features);
void cpu_set_lint(struct cpu *cpu);
void cpu_set_fpu(struct cpu *cpu);
void cpu_set_msrs(struct cpu *cpu, bool mtrr);

/* serial.c */
u8 serial_read(struct machine *machine, u16 reg);
void serial_write(struct machine *machine, u16 reg, u8 value);

/* linux.c */
struct linux_image {
	u8 *kernel, *initrd;
	size_t kernel_size, initrd_size;
};

struct linux_image linux_open(void);
void linux_load_real(struct machine *machine, struct linux_image *image, const char *command);
u64 linux_load_long(struct machine *machine, struct linux_image *image, const char *command);
void cpu_enter_real(struct cpu *cpu);
void cpu_enter_long(struct cpu *cpu, u64 entry);

/* acpi.c */
void acpi_write(struct machine *machine, bool legacy);

/* ioapic.c */
void ioapic_init(struct machine *machine);
bool ioapic_access(struct machine *machine, u64 gpa, u32 *value, bool write);
void ioapic_set_line(struct machine *machine, u32 pin, bool level);
void ioapic_eoi(struct machine *machine, u8 vector);

/* bios.S */
extern char bios_start[], bios_int15[], bios_count[], bios_map[], bios_end[];

#endif
