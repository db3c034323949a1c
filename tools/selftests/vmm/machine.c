// SPDX-License-Identifier: GPL-2.0-only
/* The VM, its processors' threads, and who answers for which exit. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"
#include "vmm.h"

#define CPUID_ENTRIES	256

/**
 * machine_create() - KVM_GET_API_VERSION and KVM_CREATE_VM
 * @cpus: how many it is to have
 */
struct machine *machine_create(u32 cpus)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	int node = node_open(O_RDWR);

	TEST_EQ(xioctl(node, KVM_GET_API_VERSION, 0), 12);
	machine->vm = xioctl(node, KVM_CREATE_VM, 0);
	machine->end = eventfd(0, EFD_CLOEXEC);
	machine->n = cpus;
	machine->ram = vm_alloc(RAM_SIZE);
	TEST_TRUE(machine->end >= 0);
	TEST_EQ(pthread_mutex_init(&machine->lock, NULL), 0);
	close(node);
	return machine;
}

/**
 * machine_set_ram() - KVM_SET_USER_MEMORY_REGION
 * @machine: whose
 */
void machine_set_ram(struct machine *machine)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = RAM_SIZE,
		.userspace_addr = (u64)machine->ram,
	};

	xioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/**
 * machine_add_cpu() - KVM_CREATE_VCPU, and its run page
 * @machine: whose; processors are added in the order of their ids
 */
struct cpu *machine_add_cpu(struct machine *machine)
{
	int node = node_open(O_RDWR);
	struct cpu *cpu = machine->cpus;
	int size;

	while (cpu->machine)
		cpu++;
	cpu->machine = machine;
	cpu->id = cpu - machine->cpus;
	cpu->fd = xioctl(machine->vm, KVM_CREATE_VCPU, (u64)cpu->id);
	size = xioctl(node, KVM_GET_VCPU_MMAP_SIZE, 0);
	cpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	TEST_TRUE(cpu->run != MAP_FAILED);
	close(node);
	return cpu;
}

/**
 * cpu_set_cpuid() - what is supported, with the processor's own id
 * @cpu: whose
 * @features: more for leaf 1's ECX
 * @pv_features: more for leaf 0x40000001's EAX
 */
void cpu_set_cpuid(struct cpu *cpu, u32 features, u32 pv_features)
{
	struct kvm_cpuid2 *cpuid;
	int node = node_open(O_RDWR);
	u32 i;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	cpuid->nent = CPUID_ENTRIES;
	xioctl(node, KVM_GET_SUPPORTED_CPUID, cpuid);
	close(node);
	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		switch (e->function) {
		case 1:
			e->ebx = (e->ebx & 0x0000ffff) | cpu->id << 24 | cpu->machine->n << 16;
			e->ecx |= BIT(31) | features;
			break;
		case 6:
			e->ecx &= ~BIT(3);
			break;
		case 0xb:
			e->edx = cpu->id;
			break;
		case 0x40000001:
			e->eax |= pv_features;
			break;
		case 0x80000008:
			e->ecx = (e->ecx & ~0xffff) | (cpu->machine->n - 1);
			break;
		case 0x8000001e:
			e->eax = cpu->id;
			e->ebx = cpu->id;
			e->ecx = 0;
			break;
		}
	}
	xioctl(cpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
}

/**
 * cpu_set_lint() - the 8259 at LINT0, NMIs at LINT1
 * @cpu: whose local APIC
 */
void cpu_set_lint(struct cpu *cpu)
{
	struct kvm_lapic_state lapic;
	u32 extint = 0x700, nmi = 0x400;

	xioctl(cpu->fd, KVM_GET_LAPIC, &lapic);
	memcpy(lapic.regs + 0x350, &extint, sizeof(extint));
	memcpy(lapic.regs + 0x360, &nmi, sizeof(nmi));
	xioctl(cpu->fd, KVM_SET_LAPIC, &lapic);
}

void cpu_set_fpu(struct cpu *cpu)
{
	struct kvm_fpu fpu = { .fcw = 0x37f, .mxcsr = 0x1f80 };

	xioctl(cpu->fd, KVM_SET_FPU, &fpu);
}

/**
 * cpu_set_msrs() - those that a monitor sets before the first run
 * @cpu: whose
 * @mtrr: write-back by default, too
 */
void cpu_set_msrs(struct cpu *cpu, bool mtrr)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[11];
	} msrs = {
		.head.nmsrs = mtrr ? 11 : 10,
		.entries = {
			{ .index = MSR_SYSENTER_CS },
			{ .index = MSR_SYSENTER_ESP },
			{ .index = MSR_SYSENTER_EIP },
			{ .index = MSR_STAR },
			{ .index = MSR_CSTAR },
			{ .index = MSR_KERNEL_GS_BASE },
			{ .index = MSR_SYSCALL_MASK },
			{ .index = MSR_LSTAR },
			{ .index = MSR_TSC },
			{ .index = MSR_MISC_ENABLE, .data = 1 },
			{ .index = MSR_MTRR_DEF_TYPE, .data = 0x806 },
		},
	};

	TEST_EQ(xioctl(cpu->fd, KVM_SET_MSRS, &msrs), msrs.head.nmsrs);
}

/**
 * machine_line() - the guest has written a line
 * @machine: whose; its lock is held
 * @text: without its end
 */
void machine_line(struct machine *machine, const char *text)
{
	u32 i;

	test_note("guest: %s", text);
	for (i = 0; machine->expected[i]; i++) {
		if (strstr(text, machine->expected[i]))
			machine->seen |= BIT(i);
	}
}

static void reset(struct machine *machine)
{
	u64 one = 1;

	machine->resets++;
	TEST_EQ(write(machine->end, &one, sizeof(one)), sizeof(one));
}

/* No device reads as ones; a keyboard controller that is idle as 0. */
static u32 port_read(struct machine *machine, u16 port)
{
	static u8 refresh;

	if (port >= SERIAL_PORT && port < SERIAL_PORT + 8)
		return serial_read(machine, port - SERIAL_PORT);
	if (port >= ACPI_PORTS && port < ACPI_PORTS + ACPI_PORTS_SIZE)
		return machine->acpi[(port - ACPI_PORTS) / 2];
	switch (port) {
	case 0x60:
	case 0x64:
	case 0x71:
		return 0;
	case 0x61:
		/* Memory is refreshed; the speaker's timer has always run out. */
		return 0x20 | (refresh ^= 0x10);
	default:
		return ~0u;
	}
}

static void port_write(struct machine *machine, u16 port, u32 value)
{
	if (port >= SERIAL_PORT && port < SERIAL_PORT + 8)
		serial_write(machine, port - SERIAL_PORT, value);
	else if (port >= ACPI_PORTS + 2 && port < ACPI_PORTS + ACPI_PORTS_SIZE)
		machine->acpi[(port - ACPI_PORTS) / 2] = value;
	else if (port == RESET_PORT && value == RESET_VALUE)
		reset(machine);
}

static void handle_io(struct cpu *cpu)
{
	struct kvm_run *run = cpu->run;
	u8 *data = (u8 *)run + run->io.data_offset;
	u32 i, value;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		value = 0;
		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, run->io.size);
			port_write(cpu->machine, run->io.port, value);
		} else {
			value = port_read(cpu->machine, run->io.port);
			memcpy(data, &value, run->io.size);
		}
	}
}

static void handle_mmio(struct cpu *cpu)
{
	struct kvm_run *run = cpu->run;
	u32 value = ~0u;

	if (run->mmio.is_write)
		memcpy(&value, run->mmio.data, sizeof(value));
	ioapic_access(cpu->machine, run->mmio.phys_addr, &value, run->mmio.is_write);
	if (!run->mmio.is_write) {
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		memcpy(run->mmio.data, &value, sizeof(value));
	}
}

static void handle_exit(struct cpu *cpu)
{
	switch (cpu->run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(cpu);
		break;
	case KVM_EXIT_MMIO:
		handle_mmio(cpu);
		break;
	case KVM_EXIT_IOAPIC_EOI:
		ioapic_eoi(cpu->machine, cpu->run->eoi.vector);
		break;
	default:
		/* HLT is one of these: it has no business here. */
		TEST_FAIL("exit %u of processor %u", cpu->run->exit_reason, cpu->id);
	}
}

static void *run_cpu(void *arg)
{
	struct cpu *cpu = arg;

	if (cpu->machine->start_cpu)
		cpu->machine->start_cpu(cpu);
	for (;;) {
		if (ioctl(cpu->fd, KVM_RUN, 0) < 0) {
			TEST_TRUE(errno == EINTR || errno == EAGAIN);
			continue;
		}
		pthread_mutex_lock(&cpu->machine->lock);
		handle_exit(cpu);
		pthread_mutex_unlock(&cpu->machine->lock);
	}
	return NULL;
}

/**
 * machine_run() - run the guest to its reset, which must not come before all is said
 * @machine: with all that its guest needs
 */
void machine_run(struct machine *machine)
{
	pthread_t thread;
	u64 count;
	u32 i;

	for (i = 0; i < machine->n; i++)
		TEST_EQ(pthread_create(&thread, NULL, run_cpu, &machine->cpus[i]), 0);
	TEST_EQ(read(machine->end, &count, sizeof(count)), sizeof(count));
	pthread_mutex_lock(&machine->lock);
	for (i = 0; machine->expected[i]; i++)
		TEST_ASSERT(machine->seen & BIT(i), "the guest did not say: %s",
			    machine->expected[i]);
	pthread_mutex_unlock(&machine->lock);
}

static void one_processor(const void *monitor)
{
	const struct monitor *which = monitor;

	which->boot(1, which->one);
}

static void two_processors(const void *monitor)
{
	const struct monitor *which = monitor;

	which->boot(2, which->two);
}

/**
 * monitor_main() - a monitor's program: its cases are one processor and two
 * @monitor: which
 * @argc: main()'s
 * @argv: main()'s
 */
int monitor_main(const struct monitor *monitor, int argc, char **argv)
{
	test_timeout(60);
	test_add(one_processor, monitor, "%s/one_processor", monitor->name);
	test_add(two_processors, monitor, "%s/two_processors", monitor->name);
	return test_run_all(argc, argv);
}
