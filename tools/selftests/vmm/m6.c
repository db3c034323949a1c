// SPDX-License-Identifier: GPL-2.0-only
/*
 * In cloud-hypervisor's order: nothing but local APICs in the kernel, in x2APIC mode,
 * the I/O APIC here, its pins MSI routes with irqfds, no 8259 and no 8254. The console's
 * interrupt is one by level, so that each of them comes back as KVM_EXIT_IOAPIC_EOI.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"
#include "vmm.h"

#define COMMAND	"pci=off reboot=k panic=-1 console=ttyS0 8250.nr_uarts=1 quiet"

#define CPUID_TSC_DEADLINE	BIT(24)
#define PV_MSI_EXT_DEST_ID	BIT(15)

static const u32 required[] = {
	KVM_CAP_ADJUST_CLOCK, KVM_CAP_EXT_CPUID, KVM_CAP_GET_TSC_KHZ, KVM_CAP_IMMEDIATE_EXIT,
	KVM_CAP_IOEVENTFD, KVM_CAP_IRQCHIP, KVM_CAP_IRQFD, KVM_CAP_IRQ_ROUTING,
	KVM_CAP_MP_STATE, KVM_CAP_SET_IDENTITY_MAP_ADDR, KVM_CAP_SET_TSS_ADDR,
	KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_TSC_DEADLINE_TIMER, KVM_CAP_USER_MEMORY,
	KVM_CAP_USER_NMI, KVM_CAP_VCPU_EVENTS, KVM_CAP_XSAVE,
};

static void check_caps(void)
{
	int node = node_open(O_RDWR);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(required); i++)
		TEST_ASSERT(check_extension(node, required[i]) > 0, "capability %u", required[i]);
	close(node);
}

static void enable_cap(struct machine *machine, u32 cap, u64 arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args[0] = arg };

	xioctl(machine->vm, KVM_ENABLE_CAP, &enable);
}

static void set_line(struct machine *machine, u32 irq, bool level)
{
	ioapic_set_line(machine, irq, level);
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
	u64 identity = 0xfeffc000, entry;
	struct machine *machine;
	u32 i;

	check_caps();
	machine = machine_create(cpus);
	xioctl(machine->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	xioctl(machine->vm, KVM_SET_TSS_ADDR, 0xfeffd000);
	enable_cap(machine, KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS);
	enable_cap(machine, KVM_CAP_X2APIC_API,
		   KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
	machine_set_ram(machine);
	entry = linux_load_long(machine, &image, COMMAND);
	acpi_write(machine, false);
	for (i = 0; i < cpus; i++) {
		struct cpu *cpu = machine_add_cpu(machine);

		TEST_TRUE(xioctl(cpu->fd, KVM_GET_TSC_KHZ, 0) > 0);
		cpu_set_cpuid(cpu, CPUID_TSC_DEADLINE, PV_MSI_EXT_DEST_ID);
		cpu_set_msrs(cpu, true);
		if (!i)
			cpu_enter_long(cpu, entry);
		cpu_set_lint(cpu);
	}
	ioapic_init(machine);
	machine->set_line = set_line;
	machine->expected = expected;
	machine_run(machine);
	/* The guest's driver took the level for what it is. */
	TEST_TRUE(machine->ioapic.eois > 0);
}

static const struct monitor monitor = {
	.name = "vmm_m6",
	.boot = boot,
	.one = said_by_one,
	.two = said_by_two,
};

int main(int argc, char **argv)
{
	return monitor_main(&monitor, argc, argv);
}
