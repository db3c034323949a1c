// SPDX-License-Identifier: GPL-2.0-only
/*
 * In Firecracker's order: all controllers in the kernel with the routes that they begin
 * with, an 8254 that keeps port 0x61, 64-bit entry. The console's interrupt is an irqfd,
 * and the reset by the keyboard controller an ioeventfd that is matched by its value.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"
#include "vmm.h"

#define COMMAND	"pci=off reboot=k panic=1 nomodule console=ttyS0 8250.nr_uarts=1 quiet"

#define CPUID_TSC_DEADLINE	BIT(24)

static const u32 required[] = {
	KVM_CAP_IRQCHIP, KVM_CAP_IOEVENTFD, KVM_CAP_IRQFD, KVM_CAP_USER_MEMORY,
	KVM_CAP_SET_TSS_ADDR, KVM_CAP_PIT2, KVM_CAP_PIT_STATE2, KVM_CAP_ADJUST_CLOCK,
	KVM_CAP_DEBUGREGS, KVM_CAP_MP_STATE, KVM_CAP_VCPU_EVENTS, KVM_CAP_XCRS,
	KVM_CAP_XSAVE, KVM_CAP_EXT_CPUID,
};

static int serial_fd;

static void check_caps(void)
{
	int node = node_open(O_RDWR);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(required); i++)
		TEST_ASSERT(check_extension(node, required[i]) > 0, "capability %u", required[i]);
	close(node);
}

/* An irqfd has no level: a pulse each time that the line goes up. */
static void set_line(struct machine *machine, u32 irq, bool level)
{
	u64 one = 1;

	if (level)
		TEST_EQ(write(serial_fd, &one, sizeof(one)), sizeof(one));
}

static void set_eventfds(struct machine *machine)
{
	struct kvm_irqfd irqfd = { .gsi = SERIAL_IRQ };
	struct kvm_ioeventfd reset = {
		.datamatch = RESET_VALUE,
		.addr = RESET_PORT,
		.len = 1,
		.fd = machine->end,
		.flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	serial_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	TEST_TRUE(serial_fd >= 0);
	irqfd.fd = serial_fd;
	xioctl(machine->vm, KVM_IOEVENTFD, &reset);
	xioctl(machine->vm, KVM_IRQFD, &irqfd);
}

/* The same page a second time, through another descriptor, for who kicks the vCPU. */
static void map_again(struct cpu *cpu)
{
	struct kvm_run *again;
	int fd = dup(cpu->fd);

	TEST_TRUE(fd >= 0);
	again = mmap(NULL, sizeof(*again), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TEST_TRUE(again != MAP_FAILED);
	again->immediate_exit = 1;
	TEST_EQ(cpu->run->immediate_exit, 1);
	cpu->run->immediate_exit = 0;
	TEST_EQ(again->immediate_exit, 0);
}

static const char *const said_by_one[] = {
	"vmm: 1 processors", "vmm: timer moves", "vmm: serial moves", "vmm: with ioapic",
	"vmm: done", NULL,
};

static const char *const said_by_two[] = {
	"vmm: 2 processors", "vmm: timer moves", "vmm: serial moves", "vmm: ipi moves",
	"vmm: with ioapic", "vmm: done", NULL,
};

static void boot(u32 cpus, const char *const *expected)
{
	struct linux_image image = linux_open();
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct machine *machine;
	u64 entry;
	u32 i;

	check_caps();
	machine = machine_create(cpus);
	TEST_TRUE(check_extension(machine->vm, KVM_CAP_NR_MEMSLOTS) > 0);
	xioctl(machine->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	xioctl(machine->vm, KVM_CREATE_IRQCHIP, 0);
	xioctl(machine->vm, KVM_CREATE_PIT2, &pit);
	for (i = 0; i < cpus; i++)
		map_again(machine_add_cpu(machine));
	machine_set_ram(machine);
	entry = linux_load_long(machine, &image, COMMAND);
	acpi_write(machine, true);
	for (i = 0; i < cpus; i++) {
		cpu_set_cpuid(&machine->cpus[i], CPUID_TSC_DEADLINE, 0);
		cpu_set_msrs(&machine->cpus[i], true);
		cpu_enter_long(&machine->cpus[i], entry);
		cpu_set_lint(&machine->cpus[i]);
	}
	set_eventfds(machine);
	machine->set_line = set_line;
	machine->expected = expected;
	machine_run(machine);
	/* The reset was the ioeventfd's. */
	TEST_EQ(machine->resets, 0);
}

static const struct monitor monitor = {
	.name = "vmm_m5",
	.boot = boot,
	.one = said_by_one,
	.two = said_by_two,
};

int main(int argc, char **argv)
{
	return monitor_main(&monitor, argc, argv);
}
