// SPDX-License-Identifier: GPL-2.0-only
/*
 * In kvmtool's order: all controllers in the kernel, LINT0 and LINT1 set before there is
 * a CPUID, routes of its own, the guest entered in real mode and told not to use the
 * I/O APIC, so that the 8259 and the 8254 are what it has.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"
#include "vmm.h"

#define COMMAND	"noapic noacpi pci=conf1 reboot=k panic=-1 console=ttyS0 8250.nr_uarts=1 quiet"

static const u32 required[] = {
	KVM_CAP_COALESCED_MMIO, KVM_CAP_SET_TSS_ADDR, KVM_CAP_PIT2, KVM_CAP_USER_MEMORY,
	KVM_CAP_IRQ_ROUTING, KVM_CAP_IRQCHIP, KVM_CAP_HLT, KVM_CAP_IRQ_INJECT_STATUS,
	KVM_CAP_EXT_CPUID,
};

static void check_caps(void)
{
	int node = node_open(O_RDWR);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(required); i++)
		TEST_ASSERT(check_extension(node, required[i]) > 0, "capability %u", required[i]);
	close(node);
}

static void add_route(struct kvm_irq_routing *table, u32 gsi, u32 chip, u32 pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { chip, pin },
	};
}

static void set_routes(struct machine *machine)
{
	struct kvm_irq_routing *table = calloc(1, sizeof(*table) + 38 * sizeof(table->entries[0]));
	u32 i;

	for (i = 0; i < 16; i++) {
		if (i != 2)
			add_route(table, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				  i & 7);
	}
	for (i = 0; i < IOAPIC_PINS; i++) {
		if (i != 2)
			add_route(table, i, KVM_IRQCHIP_IOAPIC, i ? i : 2);
	}
	TEST_EQ(table->nr, 38);
	xioctl(machine->vm, KVM_SET_GSI_ROUTING, table);
	free(table);
}

static void set_line(struct machine *machine, u32 irq, bool level)
{
	struct kvm_irq_level line = { .irq = irq, .level = level };

	xioctl(machine->vm, KVM_IRQ_LINE, &line);
}

static void start_cpu(struct cpu *cpu)
{
	cpu_set_cpuid(cpu, 0, 0);
	if (!cpu->id)
		cpu_enter_real(cpu);
	cpu_set_fpu(cpu);
	cpu_set_msrs(cpu, false);
}

static const char *const said_by_one[] = {
	"vmm: 1 processors", "vmm: timer moves", "vmm: serial moves", "vmm: pit moves",
	"vmm: without ioapic", "vmm: done", NULL,
};

static const char *const said_by_two[] = {
	"vmm: 2 processors", "vmm: timer moves", "vmm: serial moves", "vmm: pit moves",
	"vmm: ipi moves", "vmm: without ioapic", "vmm: done", NULL,
};

static void boot(u32 cpus, const char *const *expected)
{
	struct linux_image image = linux_open();
	struct kvm_pit_config pit = {};
	struct machine *machine;
	u32 i;

	check_caps();
	machine = machine_create(cpus);
	xioctl(machine->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	xioctl(machine->vm, KVM_CREATE_IRQCHIP, 0);
	xioctl(machine->vm, KVM_CREATE_PIT2, &pit);
	machine_set_ram(machine);
	for (i = 0; i < cpus; i++)
		cpu_set_lint(machine_add_cpu(machine));
	set_routes(machine);
	linux_load_real(machine, &image, COMMAND);
	acpi_write(machine, true);
	machine->set_line = set_line;
	machine->start_cpu = start_cpu;
	machine->expected = expected;
	machine_run(machine);
}

static const struct monitor monitor = {
	.name = "vmm_m2",
	.boot = boot,
	.one = said_by_one,
	.two = said_by_two,
};

int main(int argc, char **argv)
{
	return monitor_main(&monitor, argc, argv);
}
