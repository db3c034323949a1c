// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt controllers in the kernel: what may be called when, and what is offered. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "apic.h"
#include "harness.h"

#define PORT	0x1234

/* Capabilities: exactly this value, or at least. */
struct cap_row {
	const char *name;
	u32 cap;
	int value;
	bool at_least;
};

#define CAP(name, ...)	{ #name, KVM_CAP_##name, __VA_ARGS__ }

static const struct cap_row caps[] = {
	CAP(IRQCHIP, 1),
	CAP(HLT, 1),
	CAP(MP_STATE, 1),
	CAP(USER_NMI, 1),
	CAP(IRQ_INJECT_STATUS, 1),
	CAP(IRQ_ROUTING, 4096),
	CAP(IRQFD, 1),
	CAP(IRQFD_RESAMPLE, 1),
	CAP(IOEVENTFD, 1),
	CAP(IOEVENTFD_NO_LENGTH, 1),
	CAP(IOEVENTFD_ANY_LENGTH, 1),
	CAP(SIGNAL_MSI, 1),
	/* What only other architectures have. */
	CAP(MSI_DEVID, 0),
	CAP(PIT2, 1),
	CAP(PIT_STATE2, 1),
	CAP(REINJECT_CONTROL, 1),
	CAP(SPLIT_IRQCHIP, 1),
	CAP(X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK),
	CAP(TSC_DEADLINE_TIMER, 1),
	CAP(COALESCED_MMIO, 2),
	CAP(COALESCED_PIO, 1),
	CAP(SET_BOOT_CPU_ID, 1),
	CAP(HALT_POLL, 1),
	CAP(NR_VCPUS, 1, true),
	CAP(MAX_VCPUS, 1024, true),
	CAP(MAX_VCPU_ID, 4096, true),
};

static void cap_value(const void *data)
{
	const struct cap_row *row = data;
	struct vm *vm = vm_create_bare();
	int sys = node_open(O_RDONLY);
	int value = check_extension(sys, row->cap);

	TEST_EQ(check_extension(vm->fd, row->cap), value);
	if (row->at_least)
		TEST_TRUE(value >= row->value);
	else
		TEST_EQ(value, row->value);
}

static void create_twice(void)
{
	struct vm *vm = vm_create_bare();

	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	ioctl_fails(vm->fd, KVM_CREATE_IRQCHIP, 0, EEXIST);
}

static void create_after_vcpu(void)
{
	struct vm *vm = vm_create_bare();

	vcpu_create_bare(vm, 0);
	ioctl_fails(vm->fd, KVM_CREATE_IRQCHIP, 0, EINVAL);
	/* It came too late, and nothing is left of it. */
	ioctl_fails(vm->fd, KVM_CREATE_IRQCHIP, 0, EINVAL);
}

static void split_fails(struct vm *vm, u64 pins, int error)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args[0] = pins,
	};

	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, error);
}

static void split_arguments(void)
{
	struct vm *vm = vm_create_bare();
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args[0] = 24,
		.flags = 1,
	};

	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	split_fails(vm, 4097, EINVAL);
	split_fails(vm, ~0ull, EINVAL);
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	split_fails(vm, 24, EEXIST);
	ioctl_fails(vm->fd, KVM_CREATE_IRQCHIP, 0, EEXIST);
}

static void split_after_others(void)
{
	struct vm *vm = vm_create_bare();

	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	split_fails(vm, 24, EEXIST);
	vm = vm_create_bare();
	vcpu_create_bare(vm, 0);
	split_fails(vm, 24, EEXIST);
	vm = vm_create_bare();
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 0);
	vcpu_create_bare(vm, 0);
}

/* Without controllers in the kernel there is nothing to read or to drive. */
static void without_irqchip(void)
{
	struct vm *vm = vm_create_bare();
	struct vcpu *vcpu = vcpu_create_bare(vm, 0);
	struct kvm_lapic_state lapic = {};
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_irq_level line = { .irq = 4, .level = 1 };
	struct kvm_msi msi = { .address_lo = APIC_DEFAULT_BASE };
	struct kvm_irq_routing routing = {};
	struct kvm_irqfd irqfd = { .fd = -1 };
	struct kvm_pit_state2 pit = {};

	ioctl_fails(vcpu->fd, KVM_GET_LAPIC, &lapic, EINVAL);
	ioctl_fails(vcpu->fd, KVM_SET_LAPIC, &lapic, EINVAL);
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, ENXIO);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, ENXIO);
	ioctl_fails(vm->fd, KVM_IRQ_LINE, &line, ENXIO);
	ioctl_fails(vm->fd, KVM_IRQ_LINE_STATUS, &line, ENXIO);
	ioctl_fails(vm->fd, KVM_SIGNAL_MSI, &msi, EINVAL);
	ioctl_fails(vm->fd, KVM_SET_GSI_ROUTING, &routing, EINVAL);
	ioctl_fails(vm->fd, KVM_IRQFD, &irqfd, EINVAL);
	ioctl_fails(vm->fd, KVM_GET_PIT2, &pit, ENXIO);
	ioctl_fails(vm->fd, KVM_SET_PIT2, &pit, ENXIO);
}

/* In split mode the I/O APIC and the 8259 are not the kernel's. */
static void split_has_no_chips(void)
{
	struct vm *vm = split_vm_create(24);
	struct kvm_irqchip chip = {};
	u32 i;

	for (i = 0; i < 3; i++) {
		chip.chip_id = i;
		ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, ENXIO);
		ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, ENXIO);
	}
}

static void irqchip_ids(void)
{
	struct vm *vm = vm_create_bare();
	struct kvm_irqchip chip = {};
	u32 i;

	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	for (i = 0; i < 3; i++) {
		chip.chip_id = i;
		xioctl(vm->fd, KVM_GET_IRQCHIP, &chip);
		TEST_EQ(chip.chip_id, i);
		xioctl(vm->fd, KVM_SET_IRQCHIP, &chip);
	}
	chip.chip_id = 3;
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, EINVAL);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, EINVAL);
	chip.chip_id = ~0u;
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, EINVAL);
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, 8, EFAULT);
}

static void bad_pointers(void)
{
	struct vm *vm = vm_create_bare();
	struct vcpu *vcpu;

	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	vcpu = vcpu_create_bare(vm, 0);
	ioctl_fails(vcpu->fd, KVM_GET_LAPIC, 8, EFAULT);
	ioctl_fails(vcpu->fd, KVM_SET_LAPIC, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_IRQ_LINE, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_IRQ_LINE_STATUS, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_SIGNAL_MSI, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_SET_GSI_ROUTING, 8, EFAULT);
}

static void interrupt_with_kernel_pic(void)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpu = vcpu_create_bare(vm, 0);
	struct kvm_interrupt irq = { .irq = 0x30 };

	ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, ENXIO);
	irq.irq = 256;
	ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, EINVAL);
}

static void guest_external(void)
{
	apic_setup();
	apic_write(APIC_LVT0, ICR_EXTINT);
	GUEST_SYNC(1);
	asm volatile("sti; nop; nop; nop" : : : "memory");
	GUEST_SYNC(2);
	cli();
	GUEST_EQ(irq_counted(0x40), 1);
	/* It is the 8259's and goes past IRR and ISR. */
	GUEST_ASSERT(!apic_bit(APIC_ISR, 0x40) && !apic_bit(APIC_IRR, 0x40));
	GUEST_SYNC(3);
	irq_halt();
	GUEST_EQ(irq_counted(0x41), 1);
	GUEST_SYNC(4);
}

static void external(struct vcpu *vcpu, u32 vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	xioctl(vcpu->fd, KVM_INTERRUPT, &irq);
}

/* The 8259 is user space's: the window is asked for, one interrupt at a time is put in. */
static void split_interrupt(void)
{
	struct vm *vm = split_vm_create(24);
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_external);
	struct kvm_interrupt irq = { .irq = 256 };

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vcpu->run->ready_for_interrupt_injection, 0);
	TEST_EQ(vcpu->run->if_flag, 0);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	TEST_EQ(vcpu->run->ready_for_interrupt_injection, 1);
	vcpu->run->request_interrupt_window = 0;
	ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, EINVAL);
	external(vcpu, 0x40);
	irq.irq = 0x42;
	ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, EEXIST);
	/* Not ready for another one until the guest has that. */
	vcpu->run->immediate_exit = 1;
	TEST_TRUE(vcpu_try_run(vcpu));
	TEST_EQ(errno, EINTR);
	TEST_EQ(vcpu->run->ready_for_interrupt_injection, 0);
	vcpu->run->immediate_exit = 0;
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	TEST_EQ(guest_var(vcpu->vm, irq_count)[0][0][0x40], 1);
	vcpu->run->request_interrupt_window = 0;
	vcpu_expect_sync(vcpu, 2);
	vcpu_expect_sync(vcpu, 3);
	/* And one that is there already keeps HLT from waiting. */
	external(vcpu, 0x41);
	vcpu_expect_sync(vcpu, 4);
	vcpu_expect_done(vcpu);
}

static void guest_level_eoi(void)
{
	apic_setup();
	GUEST_SYNC(1);
	irq_window();
	GUEST_SYNC(2);
	irq_window();
	GUEST_SYNC(3);
	irq_window();
	GUEST_SYNC(4);
	irq_window();
	GUEST_SYNC(5);
}

#define MSI_LEVEL	BIT(15)

static struct kvm_irq_routing_entry msi_route(u32 gsi, u64 address, u32 data)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = address,
		.u.msi.address_hi = address >> 32,
		.u.msi.data = data,
	};
}

static void set_routes(struct vm *vm, const struct kvm_irq_routing_entry *entries, u32 n)
{
	struct kvm_irq_routing *table = calloc(1, sizeof(*table) + n * sizeof(*entries));

	table->nr = n;
	memcpy(table->entries, entries, n * sizeof(*entries));
	xioctl(vm->fd, KVM_SET_GSI_ROUTING, table);
	free(table);
}

/*
 * The I/O APIC is user space's: it hears of EOIs of those vectors alone that its pins
 * send with the level bit. Pins are the first reserved GSIs.
 */
static void split_ioapic_eoi(void)
{
	struct vm *vm = split_vm_create(24);
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_level_eoi);
	struct kvm_irq_routing_entry routes[] = {
		msi_route(4, APIC_DEFAULT_BASE, 0x50 | MSI_LEVEL),
		msi_route(5, APIC_DEFAULT_BASE, 0x51),
		msi_route(24, APIC_DEFAULT_BASE, 0x52 | MSI_LEVEL),
	};

	set_routes(vm, routes, ARRAY_SIZE(routes));
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vm, 4, 1), 1);
	vcpu_expect_exit(vcpu, KVM_EXIT_IOAPIC_EOI);
	TEST_EQ(vcpu->run->eoi.vector, 0x50);
	TEST_EQ(guest_var(vm, irq_count)[0][0][0x50], 1);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(vm_irq_line(vm, 5, 1), 1);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(guest_var(vm, irq_count)[0][0][0x51], 1);
	TEST_EQ(vm_irq_line(vm, 24, 1), 1);
	vcpu_expect_sync(vcpu, 4);
	TEST_EQ(guest_var(vm, irq_count)[0][0][0x52], 1);
	/* A message of the same vector without a pin behind it is one of the pin's. */
	TEST_EQ(vm_signal_msi(vm, APIC_DEFAULT_BASE, 0x50 | MSI_LEVEL), 1);
	vcpu_expect_exit(vcpu, KVM_EXIT_IOAPIC_EOI);
	TEST_EQ(vcpu->run->eoi.vector, 0x50);
	vcpu_expect_sync(vcpu, 5);
	vcpu_expect_done(vcpu);
}

/* Once the pin's route is gone its vector is nobody's. */
static void split_eoi_route_gone(void)
{
	struct vm *vm = split_vm_create(24);
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_level_eoi);
	struct kvm_irq_routing_entry route = msi_route(4, APIC_DEFAULT_BASE, 0x50 | MSI_LEVEL);

	set_routes(vm, &route, 1);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vm, 4, 1), 1);
	vcpu_expect_exit(vcpu, KVM_EXIT_IOAPIC_EOI);
	vcpu_expect_sync(vcpu, 2);
	set_routes(vm, NULL, 0);
	TEST_EQ(vm_signal_msi(vm, APIC_DEFAULT_BASE, 0x50), 1);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(guest_var(vm, irq_count)[0][0][0x50], 2);
}

static void guest_split_suppressed(void)
{
	apic_setup();
	GUEST_ASSERT(apic_read(APIC_VERSION) & VERSION_NO_EOI_BROADCAST);
	apic_write(APIC_SPIV, SPIV_NO_EOI_BROADCAST | SPIV_ENABLE | 0xff);
	GUEST_EQ(apic_read(APIC_SPIV), SPIV_NO_EOI_BROADCAST | SPIV_ENABLE | 0xff);
	GUEST_SYNC(1);
	irq_window();
	GUEST_EQ(irq_counted(0x50), 1);
	GUEST_SYNC(2);
}

/* With the broadcast suppressed an EOI stays in the local APIC. */
static void split_eoi_suppressed(void)
{
	struct vm *vm = split_vm_create(24);
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_split_suppressed);
	struct kvm_irq_routing_entry route = msi_route(4, APIC_DEFAULT_BASE, 0x50 | MSI_LEVEL);

	if (reference_run())
		test_skip("stock KVM exits all the same");
	set_routes(vm, &route, 1);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vm, 4, 1), 1);
	vcpu_expect_sync(vcpu, 2);
	vcpu_expect_done(vcpu);
}

static void guest_halt(void)
{
	apic_setup();
	irq_halt();
	GUEST_EQ(irq_counted(0x60), 1);
	apic_write(APIC_LVTT, LVTT_ONE_SHOT | 0x61);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_TMICT, 300000);
	irq_halt_until(0x61, 1);
}

/* HLT waits in the kernel; a case whose guest is not woken has no end. */
static void halt_is_waited_for(struct vm *vm)
{
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_halt);
	struct kvm_lapic_state lapic = vcpu_lapic(vcpu);

	lapic_set_reg(&lapic, APIC_SPIV, SPIV_ENABLE | 0xff);
	lapic_set_bit(&lapic, APIC_IRR, 0x60);
	vcpu_set_lapic(vcpu, &lapic);
	vcpu_expect_done(vcpu);
}

static void halt_kernel(void)
{
	halt_is_waited_for(irqchip_vm_create());
}

static void halt_split(void)
{
	halt_is_waited_for(split_vm_create(24));
}

static void halt_poll(void)
{
	static const u64 ns[] = { 0, 1, 200000, 1000000 };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HALT_POLL };
	struct vm *vm;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ns); i++) {
		vm = irqchip_vm_create();
		vm_enable_cap(vm, KVM_CAP_HALT_POLL, ns[i]);
		halt_is_waited_for(vm);
	}
	vm = vm_create_bare();
	cap.args[0] = 1ull << 32;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	cap.args[0] = 1000;
	cap.flags = 1;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
}

static void disable_exits(void)
{
	struct vm *vm = vm_create_bare();
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_DISABLE_EXITS };
	int offered = check_extension(vm->fd, KVM_CAP_X86_DISABLE_EXITS);

	TEST_TRUE(offered & KVM_X86_DISABLE_EXITS_HLT);
	TEST_TRUE(offered & KVM_X86_DISABLE_EXITS_PAUSE);
	TEST_EQ(offered & ~(KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE |
			    KVM_X86_DISABLE_EXITS_MWAIT | KVM_X86_DISABLE_EXITS_CSTATE), 0);
	cap.args[0] = 1u << 31;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	cap.args[0] = 1ull << 32;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS, 0);
	vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_PAUSE);
}

/* A guest that halts by itself is woken all the same. */
static void halt_without_exit(void)
{
	struct vm *vm = irqchip_vm_create();

	vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS,
		      KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE);
	halt_is_waited_for(vm);
}

static void boot_cpu(void)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpus[2];
	u32 i;

	xioctl(vm->fd, KVM_SET_BOOT_CPU_ID, 1);
	for (i = 0; i < 2; i++) {
		vcpus[i] = vcpu_create_bare(vm, i);
		TEST_EQ(vcpu_sregs(vcpus[i]).apic_base,
			APIC_DEFAULT_BASE | APIC_BASE_ENABLE | (i == 1 ? APIC_BASE_BSP : 0));
		TEST_EQ(vcpu_mp_state(vcpus[i]),
			i == 1 ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED);
	}
	ioctl_fails(vm->fd, KVM_SET_BOOT_CPU_ID, 0, EBUSY);
}

/* GET_LAPIC before CPUID is set, SET_LAPIC with what it gave: nothing changes. */
static void lapic_before_cpuid(void)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpu = vcpu_create_bare(vm, 0);
	struct kvm_lapic_state before = vcpu_lapic(vcpu), after;

	lapic_set_reg(&before, APIC_LVT0, ICR_EXTINT);
	lapic_set_reg(&before, APIC_LVT1, ICR_NMI);
	vcpu_set_lapic(vcpu, &before);
	vcpu_set_cpuid(vcpu);
	after = vcpu_lapic(vcpu);
	TEST_TRUE(!memcmp(&before, &after, sizeof(after)));
}

static void pit_order(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_pit_config config = {};
	struct kvm_pit_state2 state = {};

	ioctl_fails(vm->fd, KVM_GET_PIT2, &state, ENXIO);
	xioctl(vm->fd, KVM_CREATE_PIT2, &config);
	ioctl_fails(vm->fd, KVM_CREATE_PIT2, &config, EEXIST);
	xioctl(vm->fd, KVM_GET_PIT2, &state);
	xioctl(vm->fd, KVM_SET_PIT2, &state);
}

static const struct test_row rows[] = {
	{ "create_twice", create_twice },
	{ "create_after_vcpu", create_after_vcpu },
	{ "split_arguments", split_arguments },
	{ "split_after_others", split_after_others },
	{ "without_irqchip", without_irqchip },
	{ "split_has_no_chips", split_has_no_chips },
	{ "irqchip_ids", irqchip_ids },
	{ "bad_pointers", bad_pointers },
	{ "interrupt_with_kernel_pic", interrupt_with_kernel_pic },
	{ "split_interrupt", split_interrupt },
	{ "split_ioapic_eoi", split_ioapic_eoi },
	{ "split_eoi_route_gone", split_eoi_route_gone },
	{ "split_eoi_suppressed", split_eoi_suppressed },
	{ "halt_kernel", halt_kernel },
	{ "halt_split", halt_split },
	{ "halt_poll", halt_poll },
	{ "disable_exits", disable_exits },
	{ "halt_without_exit", halt_without_exit },
	{ "boot_cpu", boot_cpu },
	{ "lapic_before_cpuid", lapic_before_cpuid },
	{ "pit_order", pit_order },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(caps); i++)
		test_add(cap_value, &caps[i], "irqchip_api/cap_%s", caps[i].name);
	test_add_rows("irqchip_api", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
