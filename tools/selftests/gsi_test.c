// SPDX-License-Identifier: GPL-2.0-only
/* What a GSI leads to: the default, KVM_SET_GSI_ROUTING, messages, KVM_SIGNAL_MSI. */
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define MAX_ROUTES	4096
#define VECTOR		0x61
#define MSI(dest)	(APIC_DEFAULT_BASE | (u64)(dest) << 12)
#define MSI_LOGICAL	BIT(2)
#define MSI_REDIRECT	BIT(3)

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

static struct kvm_irq_routing_entry chip_route(u32 gsi, u32 chip, u32 pin)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.irqchip = chip,
		.u.irqchip.pin = pin,
	};
}

static struct kvm_irq_routing *table(const struct kvm_irq_routing_entry *entries, u32 n)
{
	struct kvm_irq_routing *routing;

	routing = calloc(1, sizeof(*routing) + (n + 1) * sizeof(*entries));
	routing->nr = n;
	if (n)
		memcpy(routing->entries, entries, n * sizeof(*entries));
	return routing;
}

static void set_routes(struct vm *vm, const struct kvm_irq_routing_entry *entries, u32 n)
{
	struct kvm_irq_routing *routing = table(entries, n);

	xioctl(vm->fd, KVM_SET_GSI_ROUTING, routing);
	free(routing);
}

/* All pins of the I/O APIC are interrupts of the vector 0x90 and the number of the pin. */
static void guest_all_pins(void)
{
	u32 i;

	apic_setup();
	for (i = 0; i < IOAPIC_PINS; i++)
		ioapic_set_pin(i, 0x90 + i);
	GUEST_SYNC(1);
}

struct pins {
	struct vm *vm;
	struct vcpu *vcpu;
};

static struct pins pins_create(void)
{
	struct pins pins = {};

	pins.vcpu = irqchip_vm_with_vcpu(guest_all_pins, false);
	pins.vm = pins.vcpu->vm;
	vcpu_expect_sync(pins.vcpu, 1);
	return pins;
}

static struct kvm_pic_state master_pic(struct vm *vm)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };

	xioctl(vm->fd, KVM_GET_IRQCHIP, &chip);
	return chip.chip.pic;
}

static struct kvm_pic_state slave_pic(struct vm *vm)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_SLAVE };

	xioctl(vm->fd, KVM_GET_IRQCHIP, &chip);
	return chip.chip.pic;
}

/* Which pins' vectors are requested, and none of others'; forgets them. */
static u32 pins_taken(struct vcpu *vcpu)
{
	struct kvm_lapic_state state = vcpu_lapic(vcpu);
	u32 v, taken = 0;

	for (v = 0; v < 256; v++) {
		if (!lapic_bit(&state, APIC_IRR, v))
			continue;
		TEST_TRUE(v >= 0x90 && v < 0x90 + IOAPIC_PINS);
		taken |= BIT(v - 0x90);
	}
	for (v = 0; v < 8; v++)
		lapic_set_reg(&state, APIC_IRR + v * 0x10, 0);
	vcpu_set_lapic(vcpu, &state);
	return taken;
}

/* The first 16 to the 8259s, too; the I/O APIC's pins are numbered like the GSIs. */
static void default_routes(void)
{
	struct pins pins = pins_create();
	u32 i;

	for (i = 0; i < IOAPIC_PINS; i++) {
		vm_irq_line(pins.vm, i, 1);
		TEST_EQ(pins_taken(pins.vcpu), BIT(i));
		/* The second 8259's output is the third input of the first. */
		if (i < 8 && i != 2)
			TEST_TRUE(master_pic(pins.vm).irr & BIT(i));
		else if (i >= 8 && i < 16)
			TEST_TRUE(slave_pic(pins.vm).irr & BIT(i - 8));
		vm_irq_line(pins.vm, i, 0);
	}
	TEST_EQ(vm_irq_line(pins.vm, 24, 1), -1);
	TEST_EQ(vm_irq_line(pins.vm, MAX_ROUTES, 1), -1);
	TEST_EQ(vm_irq_line(pins.vm, ~0u, 1), -1);
	TEST_EQ(pins_taken(pins.vcpu), 0);
}

/* In split mode there are none to begin with. */
static void split_routes(void)
{
	struct vm *vm = split_vm_create(24);
	struct kvm_irq_routing_entry route = msi_route(3, MSI(0), VECTOR);
	u32 i;

	vcpu_create_bare(vm, 0);
	for (i = 0; i < IOAPIC_PINS; i++)
		TEST_EQ(vm_irq_line(vm, i, 1), -1);
	set_routes(vm, &route, 1);
	TEST_EQ(vm_irq_line(vm, 4, 1), -1);
	TEST_TRUE(vm_irq_line(vm, 3, 1) <= 0);	/* its APIC is disabled */
}

/* As a monitor does it: the timer at pin 2. */
static void usual_routes(void)
{
	struct kvm_irq_routing_entry routes[38];
	struct pins pins = pins_create();
	u32 i, n = 0;

	for (i = 0; i < 16; i++) {
		if (i != 2)
			routes[n++] = chip_route(i, i < 8 ? KVM_IRQCHIP_PIC_MASTER :
						 KVM_IRQCHIP_PIC_SLAVE, i & 7);
	}
	for (i = 0; i < IOAPIC_PINS; i++) {
		if (i != 2)
			routes[n++] = chip_route(i, KVM_IRQCHIP_IOAPIC, i ? i : 2);
	}
	TEST_EQ(n, 38);
	set_routes(pins.vm, routes, n);
	vm_irq_line(pins.vm, 0, 1);
	TEST_EQ(pins_taken(pins.vcpu), BIT(2));
	TEST_EQ(master_pic(pins.vm).irr, BIT(0));
	vm_irq_line(pins.vm, 0, 0);
	TEST_EQ(vm_irq_line(pins.vm, 2, 1), -1);
	TEST_EQ(pins_taken(pins.vcpu), 0);
	vm_irq_line(pins.vm, 9, 1);
	TEST_EQ(pins_taken(pins.vcpu), BIT(9));
	TEST_EQ(slave_pic(pins.vm).irr, BIT(1));
}

/* Each table takes the place of the one before, as a whole. */
static void replaced(void)
{
	struct pins pins = pins_create();
	struct kvm_irq_routing_entry route = chip_route(100, KVM_IRQCHIP_IOAPIC, 5);

	set_routes(pins.vm, &route, 1);
	TEST_EQ(vm_irq_line(pins.vm, 5, 1), -1);
	TEST_EQ(vm_irq_line(pins.vm, 100, 1), 1);
	TEST_EQ(pins_taken(pins.vcpu), BIT(5));
	vm_irq_line(pins.vm, 100, 0);
	set_routes(pins.vm, NULL, 0);
	TEST_EQ(vm_irq_line(pins.vm, 100, 1), -1);
	route = msi_route(100, MSI(0), 0x91);
	set_routes(pins.vm, &route, 1);
	TEST_EQ(vm_irq_line(pins.vm, 100, 1), 1);
	TEST_EQ(pins_taken(pins.vcpu), BIT(1));
}

/* A message is sent when the line goes up, each time it is said to. */
static void message_levels(void)
{
	struct pins pins = pins_create();
	struct kvm_irq_routing_entry route = msi_route(24, MSI(0), 0x93);

	set_routes(pins.vm, &route, 1);
	TEST_EQ(vm_irq_line(pins.vm, 24, 1), 1);
	TEST_EQ(pins_taken(pins.vcpu), BIT(3));
	TEST_EQ(vm_irq_line(pins.vm, 24, 0), -1);
	TEST_EQ(pins_taken(pins.vcpu), 0);
	TEST_EQ(vm_irq_line(pins.vm, 24, 1), 1);
	/* Merged with the one that waits, which stock KVM does not tell. */
	TEST_TRUE(vm_irq_line(pins.vm, 24, 1) >= 0);
	TEST_EQ(pins_taken(pins.vcpu), BIT(3));
}

static void several_per_gsi(void)
{
	struct pins pins = pins_create();
	struct kvm_irq_routing_entry routes[] = {
		chip_route(7, KVM_IRQCHIP_PIC_MASTER, 3),
		chip_route(7, KVM_IRQCHIP_IOAPIC, 9),
		chip_route(8, KVM_IRQCHIP_IOAPIC, 9),
	};

	set_routes(pins.vm, routes, ARRAY_SIZE(routes));
	TEST_TRUE(vm_irq_line(pins.vm, 7, 1) > 0);
	TEST_EQ(pins_taken(pins.vcpu), BIT(9));
	TEST_EQ(master_pic(pins.vm).irr, BIT(3));
}

static void many(void)
{
	struct kvm_irq_routing_entry *routes = calloc(MAX_ROUTES + 1, sizeof(*routes));
	struct pins pins = pins_create();
	struct kvm_irq_routing *routing;
	u32 i;

	for (i = 0; i < MAX_ROUTES; i++)
		routes[i] = msi_route(i, MSI(0), 0x90 + i % IOAPIC_PINS);
	set_routes(pins.vm, routes, MAX_ROUTES);
	for (i = 0; i < MAX_ROUTES; i += 63) {
		TEST_EQ(vm_irq_line(pins.vm, i, 1), 1);
		TEST_EQ(pins_taken(pins.vcpu), BIT(i % IOAPIC_PINS));
	}
	TEST_EQ(vm_irq_line(pins.vm, MAX_ROUTES - 1, 1), 1);
	routes[MAX_ROUTES] = msi_route(0, MSI(0), 0x90);
	routing = table(routes, MAX_ROUTES + 1);
	ioctl_fails(pins.vm->fd, KVM_SET_GSI_ROUTING, routing, EINVAL);
	routing->nr = ~0u;
	ioctl_fails(pins.vm->fd, KVM_SET_GSI_ROUTING, routing, EINVAL);
}

struct bad_row {
	const char *name;
	struct kvm_irq_routing_entry entry;
};

#define ENTRY(g, t, ...) { .gsi = (g), .type = KVM_IRQ_ROUTING_##t, __VA_ARGS__ }

static const struct bad_row bad_routes[] = {
	{ "type", { .gsi = 4, .type = 99 } },
	{ "type_0", { .gsi = 4, .type = 0 } },
	{ "chip", ENTRY(4, IRQCHIP, .u.irqchip.irqchip = 3) },
	{ "ioapic_pin", ENTRY(4, IRQCHIP, .u.irqchip = { KVM_IRQCHIP_IOAPIC, IOAPIC_PINS }) },
	{ "master_pin", ENTRY(4, IRQCHIP, .u.irqchip = { KVM_IRQCHIP_PIC_MASTER, 8 }) },
	{ "slave_pin", ENTRY(4, IRQCHIP, .u.irqchip = { KVM_IRQCHIP_PIC_SLAVE, 8 }) },
	{ "pin_far", ENTRY(4, IRQCHIP, .u.irqchip = { KVM_IRQCHIP_IOAPIC, ~0u }) },
	{ "chip_flags", ENTRY(4, IRQCHIP, .flags = 1, .u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC) },
	{ "message_flags", ENTRY(24, MSI, .flags = 2) },
	{ "gsi", ENTRY(MAX_ROUTES, MSI, .flags = 0) },
	{ "gsi_far", ENTRY(~0u, MSI, .flags = 0) },
};

/* The table that was there stays, all of it. */
static void bad_route(const void *data)
{
	const struct bad_row *row = data;
	struct pins pins = pins_create();
	struct kvm_irq_routing_entry routes[] = {
		msi_route(50, MSI(0), 0x92), row->entry,
	};

	ioctl_fails(pins.vm->fd, KVM_SET_GSI_ROUTING, table(routes, 2), EINVAL);
	TEST_EQ(vm_irq_line(pins.vm, 50, 1), -1);
	TEST_EQ(vm_irq_line(pins.vm, 20, 1), 1);
	TEST_EQ(pins_taken(pins.vcpu), BIT(20));
}

static void bad_tables(void)
{
	struct pins pins = pins_create();
	struct kvm_irq_routing_entry routes[] = {
		chip_route(5, KVM_IRQCHIP_IOAPIC, 1),
		chip_route(5, KVM_IRQCHIP_IOAPIC, 2),
	};
	struct kvm_irq_routing *routing = table(routes, 2);

	/* One GSI leads to a chip once. */
	ioctl_fails(pins.vm->fd, KVM_SET_GSI_ROUTING, routing, EINVAL);
	routing->nr = 1;
	routing->flags = 1;
	ioctl_fails(pins.vm->fd, KVM_SET_GSI_ROUTING, routing, EINVAL);
	routing->flags = 0;
	xioctl(pins.vm->fd, KVM_SET_GSI_ROUTING, routing);
}

struct message_row {
	const char *name;
	u64 address;
	u32 data;
	u32 takers;	/* of three vCPUs, as bits */
	bool one;
};

static const struct message_row messages[] = {
	{ "physical_0", MSI(0), VECTOR, 0x1 },
	{ "physical_2", MSI(2), VECTOR, 0x4 },
	{ "physical_nobody", MSI(0x33), VECTOR, 0 },
	{ "physical_all", MSI(0xff), VECTOR, 0x7 },
	{ "logical_1", MSI(0x02) | MSI_LOGICAL, VECTOR, 0x2 },
	{ "logical_0_2", MSI(0x05) | MSI_LOGICAL, VECTOR, 0x5 },
	{ "logical_lowest", MSI(0x06) | MSI_LOGICAL, ICR_LOWEST | VECTOR, 0x6, true },
	{ "redirection_hint", MSI(0x03) | MSI_LOGICAL | MSI_REDIRECT, VECTOR, 0x3, true },
	{ "logical_nobody", MSI(0x30) | MSI_LOGICAL, VECTOR, 0 },
	/* The upper half counts for those who asked for 32-bit ids. */
	{ "address_hi", MSI(1) | 0x100ull << 32, VECTOR, 0x2 },
};

static void guest_logical(u64 i)
{
	apic_setup();
	apic_write(APIC_LDR, 1 << (24 + i));
	GUEST_SYNC(1);
	irq_window();
	GUEST_SYNC_ARGS(2, irq_counted(VECTOR), irq_total(), 0);
}

static void message(const struct message_row *row, bool by_route)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_irq_routing_entry route = msi_route(30, row->address, row->data);
	struct guest_message msg;
	struct vcpu *vcpus[3];
	u32 i, takers = 0;
	int status;

	for (i = 0; i < 3; i++) {
		vcpus[i] = irqchip_vcpu_create(vm, i, i, guest_logical);
		vcpu_set_arg(vcpus[i], i, 0);
		vcpu_expect_sync(vcpus[i], 1);
	}
	set_routes(vm, &route, 1);
	status = by_route ? vm_irq_line(vm, 30, 1) :
			    vm_signal_msi(vm, row->address, row->data);
	for (i = 0; i < 3; i++) {
		TEST_EQ(vcpu_run_message(vcpus[i], &msg), MSG_SYNC);
		TEST_EQ(msg.args[1], msg.args[2]);
		takers |= msg.args[1] << i;
	}
	if (row->one) {
		TEST_EQ(__builtin_popcount(takers), 1);
		TEST_EQ(takers & ~row->takers, 0);
	} else {
		TEST_EQ(takers, row->takers);
	}
	if (takers)
		TEST_EQ(status, __builtin_popcount(takers));
	else
		TEST_TRUE(status <= 0);
}

static void message_signalled(const void *row)
{
	message(row, false);
}

static void message_routed(const void *row)
{
	message(row, true);
}

static void guest_nmi_message(void)
{
	apic_setup();
	GUEST_SYNC(1);
	GUEST_EQ(irq_counted(NMI_VECTOR), 1);
	GUEST_EQ(irq_total(), 1);
}

static void nmi_message(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_nmi_message, false);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_signal_msi(vcpu->vm, MSI(0), ICR_NMI), 1);
	vcpu_expect_done(vcpu);
}

static void guest_disabled(void)
{
	apic_setup();
	apic_write(APIC_SPIV, 0xff);
	GUEST_SYNC(1);
	irq_window();
	GUEST_EQ(irq_total(), 0);
}

/* An APIC that is disabled blocks a message: that is not an error. */
static void message_blocked(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_disabled, false);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_signal_msi(vcpu->vm, MSI(0), VECTOR), 0);
	vcpu_expect_done(vcpu);
}

static void signal_arguments(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_msi msi = { .address_lo = MSI(0), .data = VECTOR, .flags = 2 };

	vcpu_create_bare(vm, 0);
	ioctl_fails(vm->fd, KVM_SIGNAL_MSI, &msi, EINVAL);
	msi.flags = 1u << 31;
	ioctl_fails(vm->fd, KVM_SIGNAL_MSI, &msi, EINVAL);
}

static void guest_wide(void)
{
	apic_setup();
	GUEST_SYNC(1);
	irq_window();
	GUEST_EQ(irq_counted(VECTOR), 2);
}

/* Ids of 32 bits: the upper 24 are in the upper half of the address. */
static void message_32bit(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_irq_routing_entry route = msi_route(30, MSI(0x23) | 0x100ull << 32, VECTOR);
	struct vcpu *vcpu;

	*guest_var(vm, guest_x2apic) = true;
	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS);
	vcpu = irqchip_vcpu_create(vm, 0, 0x123, guest_wide);
	vcpu_expect_sync(vcpu, 1);
	set_routes(vm, &route, 1);
	TEST_EQ(vm_signal_msi(vm, MSI(0x23) | 0x100ull << 32, VECTOR), 1);
	TEST_TRUE(vm_signal_msi(vm, MSI(0x23), VECTOR) <= 0);
	/* The lowest eight bits of that half are reserved then. */
	route.u.msi.address_hi |= 1;
	ioctl_fails(vm->fd, KVM_SET_GSI_ROUTING, table(&route, 1), EINVAL);
	vcpu_run(vcpu);
}

static const struct test_row rows[] = {
	{ "default_routes", default_routes },
	{ "split_routes", split_routes },
	{ "usual_routes", usual_routes },
	{ "replaced", replaced },
	{ "message_levels", message_levels },
	{ "several_per_gsi", several_per_gsi },
	{ "many", many },
	{ "bad_tables", bad_tables },
	{ "nmi_message", nmi_message },
	{ "message_blocked", message_blocked },
	{ "signal_arguments", signal_arguments },
	{ "message_32bit", message_32bit },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad_routes); i++)
		test_add(bad_route, &bad_routes[i], "gsi/bad_%s", bad_routes[i].name);
	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		test_add(message_signalled, &messages[i], "gsi/signal_%s", messages[i].name);
		test_add(message_routed, &messages[i], "gsi/route_%s", messages[i].name);
	}
	test_add_rows("gsi", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
