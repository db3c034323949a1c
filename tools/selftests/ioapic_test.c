// SPDX-License-Identifier: GPL-2.0-only
/* The I/O APIC in the kernel: registers, pins by edge and by level, its state. */
#include <pthread.h>
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define PIN		20	/* of no 8259: GSI and pin are the same */
#define VECTOR		0x61
#define DEST(id)	((u64)(id) << 56)

static void guest_registers(void)
{
	u32 i;

	GUEST_EQ(ioapic_read(IOREG_ID), 0);
	/* Version 0x11, which has no EOI register, with 24 pins. */
	GUEST_EQ(ioapic_read(IOREG_VERSION), 0x00170011);
	GUEST_EQ(ioapic_read(IOREG_ARB), 0);
	ioapic_write(IOREG_ID, ~0u);
	GUEST_EQ(ioapic_read(IOREG_ID), 0x0f000000);
	GUEST_EQ(ioapic_read(IOREG_ARB), 0x0f000000);
	ioapic_write(IOREG_ID, 0x05000000);
	ioapic_write(IOREG_VERSION, ~0u);
	ioapic_write(IOREG_ARB, ~0u);
	GUEST_EQ(ioapic_read(IOREG_ID), 0x05000000);
	GUEST_EQ(ioapic_read(IOREG_VERSION), 0x00170011);
	GUEST_EQ(ioapic_read(IOREG_ARB), 0x05000000);
	/* The index is a register, too, of eight bits. */
	mmio_write32(IOAPIC_BASE, 0xffffff01);
	GUEST_EQ(mmio_read32(IOAPIC_BASE), 1);
	GUEST_EQ(mmio_read32(IOAPIC_BASE + 0x10), 0x00170011);
	for (i = 0; i < IOAPIC_PINS; i++)
		GUEST_EQ(ioapic_pin(i) & RTE_MASKED, RTE_MASKED);
}

static void registers(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_registers, false));
}

static void guest_entries(void)
{
	const u64 writable = 0xff000000000000ff | 0x700 | RTE_LOGICAL | RTE_LOW_ACTIVE |
			     RTE_LEVEL | RTE_MASKED;
	u32 i;

	for (i = 0; i < IOAPIC_PINS; i++) {
		ioapic_set_pin(i, writable | RTE_PENDING | RTE_REMOTE_IRR);
		GUEST_EQ(ioapic_pin(i), writable);
		ioapic_set_pin(i, RTE_MASKED | (i + 0x30) | DEST(i));
		GUEST_EQ(ioapic_pin(i), RTE_MASKED | (i + 0x30) | DEST(i));
	}
	/* No entry has changed another. */
	for (i = 0; i < IOAPIC_PINS; i++)
		GUEST_EQ(ioapic_pin(i), RTE_MASKED | (i + 0x30) | DEST(i));
}

static void entries(void)
{
	vcpu_expect_done(irqchip_vm_with_vcpu(guest_entries, false));
}

static void guest_beyond(void)
{
	u32 i;

	for (i = 0x03; i < 0x100; i += i == 0x03 ? 0x0d : 1) {
		if (i >= 0x10 && i < 0x10 + 2 * IOAPIC_PINS)
			continue;
		ioapic_write(i, 0);
	}
	for (i = 0; i < IOAPIC_PINS; i++)
		GUEST_EQ(ioapic_pin(i) & RTE_MASKED, RTE_MASKED);
	mmio_write32(IOAPIC_BASE + 0x20, ~0u);
	mmio_write32(IOAPIC_BASE + 0x40, VECTOR);
	GUEST_EQ(ioapic_read(IOREG_VERSION), 0x00170011);
}

/* Registers that are not there change nothing, and lead to nobody. */
static void beyond(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_beyond, false);
	struct kvm_irqchip before = { .chip_id = KVM_IRQCHIP_IOAPIC }, after = before;

	xioctl(vcpu->vm->fd, KVM_GET_IRQCHIP, &before);
	vcpu_expect_done(vcpu);
	xioctl(vcpu->vm->fd, KVM_GET_IRQCHIP, &after);
	TEST_TRUE(!memcmp(before.chip.ioapic.redirtbl, after.chip.ioapic.redirtbl,
			  sizeof(after.chip.ioapic.redirtbl)));
}

/* The guest sets pin PIN and takes what comes between two messages. */
static void guest_pin(u64 entry)
{
	u64 i;

	apic_setup();
	ioapic_set_pin(PIN, entry);
	for (i = 1;; i++) {
		irq_window();
		GUEST_SYNC_ARGS(i, irq_counted(VECTOR), ioapic_pin(PIN), irq_total());
	}
}

struct pin {
	struct vm *vm;
	struct vcpu *vcpu;
	u64 stage;
	u64 entry;	/* as the guest read it last */
};

static struct pin pin_create(u64 entry)
{
	struct pin pin = {};

	pin.vcpu = irqchip_vm_with_vcpu(guest_pin, false);
	pin.vm = pin.vcpu->vm;
	vcpu_set_arg(pin.vcpu, entry, 0);
	return pin;
}

static void pin_expect_at(int line, struct pin *pin, u64 count)
{
	struct guest_message msg;

	TEST_EQ(vcpu_run_message(pin->vcpu, &msg), MSG_SYNC);
	TEST_EQ(msg.args[0], ++pin->stage);
	TEST_ASSERT(msg.args[1] == count && msg.args[3] == count,
		    "line %d: %llu of %llu interrupts, expected %llu", line, msg.args[1],
		    msg.args[3], count);
	pin->entry = msg.args[2];
}

#define pin_expect(pin, count)	pin_expect_at(__LINE__, pin, count)

static void edge(void)
{
	struct pin pin = pin_create(VECTOR);

	pin_expect(&pin, 0);
	TEST_EQ(vm_irq_line(pin.vm, PIN, 1), 1);
	pin_expect(&pin, 1);
	TEST_EQ(pin.entry & RTE_REMOTE_IRR, 0);
	/* A line that stays up is no edge. */
	TEST_EQ(vm_irq_line(pin.vm, PIN, 1), 0);
	pin_expect(&pin, 1);
	TEST_EQ(vm_irq_line(pin.vm, PIN, 0), 1);
	pin_expect(&pin, 1);
	TEST_EQ(vm_irq_line(pin.vm, PIN, 1), 1);
	pin_expect(&pin, 2);
}

static void edge_masked(void)
{
	struct pin pin = pin_create(RTE_MASKED | VECTOR);

	pin_expect(&pin, 0);
	TEST_EQ(vm_irq_line(pin.vm, PIN, 1), -1);
	pin_expect(&pin, 0);
	TEST_EQ(vm_irq_line(pin.vm, PIN, 0), 1);
	pin_expect(&pin, 0);
}

/* The host lowers the line before the interrupt ends. */
static void hook_unmask(u8 vector)
{
	GUEST_SYNC(2);
}

static void guest_unmask(u64 kind)
{
	apic_setup();
	irq_hook = hook_unmask;
	ioapic_set_pin(PIN, RTE_MASKED | kind | VECTOR);
	GUEST_SYNC(1);
	GUEST_EQ(irq_total(), 0);
	ioapic_set_pin(PIN, kind | VECTOR);
	irq_window();
	GUEST_EQ(irq_counted(VECTOR), 1);
	guest_done();
}

/* A level that is up when the mask goes is an interrupt then. */
static void level_unmask(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_unmask, false);

	vcpu_set_arg(vcpu, RTE_LEVEL, 0);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), -1);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 0), 1);
	vcpu_expect_done(vcpu);
}

/* A line that nobody lowers must not keep the guest from going on. */
static void guest_storm(void)
{
	apic_setup();
	ioapic_set_pin(PIN, RTE_LEVEL | VECTOR);
	GUEST_SYNC(1);
	irq_window();
	GUEST_ASSERT(irq_counted(VECTOR) > 1);
	guest_done();
}

static void storm(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_storm, false);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), 1);
	vcpu_expect_done(vcpu);
}

static u64 guest_low_after;

static void hook_lower(u8 vector)
{
	GUEST_ASSERT(apic_bit(APIC_TMR, vector));
	GUEST_ASSERT(ioapic_pin(PIN) & RTE_REMOTE_IRR);
	/* The host lowers the line of the last one. */
	GUEST_SYNC_ARGS(100, irq_counted(vector), 0, 0);
}

static void guest_level(u64 entry)
{
	irq_hook = hook_lower;
	apic_setup();
	ioapic_set_pin(PIN, entry);
	GUEST_SYNC(1);
	sti();
	while (irq_counted(VECTOR) < guest_low_after)
		asm volatile("pause");
	asm volatile("nop; nop");
	cli();
	GUEST_SYNC(2);
	GUEST_EQ(irq_counted(VECTOR), guest_low_after);
	GUEST_EQ(ioapic_pin(PIN) & RTE_REMOTE_IRR, 0);
	irq_window();
	GUEST_EQ(irq_total(), guest_low_after);
}

/* As long as the line is up an EOI brings the next one. */
static void level(const void *data)
{
	u64 count = *(const u64 *)data, i;
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_level, false);

	vcpu_set_arg(vcpu, RTE_LEVEL | VECTOR, 0);
	*guest_var(vcpu->vm, guest_low_after) = count;
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), 1);
	for (i = 1; i <= count; i++) {
		struct guest_message msg;

		TEST_EQ(vcpu_run_message(vcpu, &msg), MSG_SYNC);
		TEST_EQ(msg.args[0], 100);
		TEST_EQ(msg.args[1], i);
		/* One that is being served is not delivered again. */
		TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), -1);
		if (i == count)
			TEST_EQ(vm_irq_line(vcpu->vm, PIN, 0), 1);
	}
	vcpu_expect_sync(vcpu, 2);
	vcpu_expect_done(vcpu);
}

static void guest_remote_irr(void)
{
	apic_setup();
	ioapic_set_pin(PIN, RTE_LEVEL | VECTOR);
	GUEST_SYNC(1);
	/* Accepted, though not yet taken. */
	GUEST_ASSERT(ioapic_pin(PIN) & RTE_REMOTE_IRR);
	GUEST_ASSERT(apic_bit(APIC_IRR, VECTOR) && apic_bit(APIC_TMR, VECTOR));
	/* Software cannot clear it, and not set it. */
	ioapic_write(IOREG_PIN(PIN), RTE_LEVEL | VECTOR);
	GUEST_ASSERT(ioapic_pin(PIN) & RTE_REMOTE_IRR);
	irq_window();
	GUEST_EQ(irq_counted(VECTOR), 1);
	GUEST_ASSERT(!(ioapic_pin(PIN) & RTE_REMOTE_IRR));
	/* An EOI of another vector is not its. */
	GUEST_SYNC(2);
	apic_self(0x92);
	irq_window();
	GUEST_EQ(irq_counted(0x92), 1);
	GUEST_EQ(irq_counted(VECTOR), 2);
}

static void remote_irr(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_remote_irr, false);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 0), 1);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 0), 1);
	vcpu_expect_done(vcpu);
}

static void guest_to_edge(void)
{
	apic_setup();
	ioapic_set_pin(PIN, RTE_LEVEL | VECTOR);
	GUEST_SYNC(1);
	GUEST_ASSERT(ioapic_pin(PIN) & RTE_REMOTE_IRR);
	/* What Linux does for want of an EOI register: masked, edge, level. */
	ioapic_write(IOREG_PIN(PIN), RTE_MASKED | VECTOR);
	ioapic_write(IOREG_PIN(PIN), RTE_MASKED | RTE_LEVEL | VECTOR);
	GUEST_ASSERT(!(ioapic_pin(PIN) & RTE_REMOTE_IRR));
}

static void remote_irr_by_edge(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_to_edge, false);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 0), 1);
	vcpu_expect_done(vcpu);
}

struct dest_row {
	const char *name;
	u64 entry;
	u32 takers;	/* of three vCPUs */
	bool one;	/* of these */
};

static const struct dest_row dests[] = {
	{ "physical_0", DEST(0), 0x1 },
	{ "physical_2", DEST(2), 0x4 },
	{ "physical_nobody", DEST(9), 0 },
	{ "physical_all", DEST(0xff), 0x7 },
	{ "logical_1", RTE_LOGICAL | DEST(0x02), 0x2 },
	{ "logical_0_2", RTE_LOGICAL | DEST(0x05), 0x5 },
	{ "logical_nobody", RTE_LOGICAL | DEST(0xf8), 0 },
	{ "lowest", RTE_LOGICAL | ICR_LOWEST | DEST(0x06), 0x6, true },
};

static void guest_logical(u64 i)
{
	apic_setup();
	apic_write(APIC_LDR, 1 << (24 + i));
	GUEST_SYNC(1);
}

static void guest_set_entry(u64 entry)
{
	guest_logical(0);
	ioapic_set_pin(PIN, entry);
	GUEST_SYNC(2);
}

static void destination(const void *data)
{
	const struct dest_row *row = data;
	struct vm *vm = irqchip_vm_create();
	struct kvm_lapic_state state;
	struct vcpu *vcpus[3];
	u32 i, takers = 0, n;
	int status;

	for (i = 0; i < 3; i++) {
		vcpus[i] = irqchip_vcpu_create(vm, i, i, i ? guest_logical : guest_set_entry);
		vcpu_set_arg(vcpus[i], i ? i : row->entry | VECTOR, 0);
		vcpu_expect_sync(vcpus[i], 1);
	}
	vcpu_expect_sync(vcpus[0], 2);
	status = vm_irq_line(vm, PIN, 1);
	for (i = 0; i < 3; i++) {
		state = vcpu_lapic(vcpus[i]);
		takers |= lapic_bit(&state, APIC_IRR, VECTOR) << i;
	}
	n = __builtin_popcount(takers);
	if (row->one) {
		TEST_EQ(n, 1);
		TEST_EQ(takers & ~row->takers, 0);
	} else {
		TEST_EQ(takers, row->takers);
	}
	if (n)
		TEST_EQ(status, n);
	else
		TEST_TRUE(status <= 0);
}

static void guest_nmi_pin(void)
{
	apic_setup();
	ioapic_set_pin(PIN, ICR_NMI | 0x99);
	GUEST_SYNC(1);
	GUEST_EQ(irq_counted(NMI_VECTOR), 1);
	GUEST_EQ(irq_total(), 1);
}

static void nmi(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_nmi_pin, false);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_irq_line(vcpu->vm, PIN, 1), 1);
	vcpu_expect_done(vcpu);
}

static struct kvm_irqchip chip_of(struct vm *vm)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	xioctl(vm->fd, KVM_GET_IRQCHIP, &chip);
	return chip;
}

static void reset_state(void)
{
	struct kvm_irqchip chip = chip_of(irqchip_vm_create());
	u32 i;

	TEST_EQ(chip.chip.ioapic.base_address, IOAPIC_BASE);
	TEST_EQ(chip.chip.ioapic.id, 0);
	TEST_EQ(chip.chip.ioapic.ioregsel, 0);
	TEST_EQ(chip.chip.ioapic.irr, 0);
	for (i = 0; i < IOAPIC_PINS; i++)
		TEST_EQ(chip.chip.ioapic.redirtbl[i].bits, RTE_MASKED);
}

static void state(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_irqchip chip = chip_of(vm), again;
	u32 i;

	chip.chip.ioapic.id = 3;
	chip.chip.ioapic.ioregsel = 0x12;
	for (i = 0; i < IOAPIC_PINS; i++)
		chip.chip.ioapic.redirtbl[i].bits = DEST(i) | RTE_MASKED | RTE_LEVEL | (0x30 + i);
	chip.chip.ioapic.redirtbl[7].bits |= RTE_REMOTE_IRR;
	xioctl(vm->fd, KVM_SET_IRQCHIP, &chip);
	again = chip_of(vm);
	TEST_TRUE(!memcmp(&chip.chip.ioapic, &again.chip.ioapic, sizeof(chip.chip.ioapic)));
}

static void guest_restored(void)
{
	apic_setup();
	GUEST_SYNC(1);
	irq_window();
	GUEST_EQ(irq_counted(VECTOR), 1);
	GUEST_EQ(irq_total(), 1);
	GUEST_EQ(ioapic_pin(PIN), VECTOR);
}

/* A line that was up in the state of another machine, and not delivered there, is now. */
static void state_delivers(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_restored, false);
	struct kvm_irqchip chip;

	vcpu_expect_sync(vcpu, 1);
	chip = chip_of(vcpu->vm);
	chip.chip.ioapic.redirtbl[PIN].bits = VECTOR;
	chip.chip.ioapic.irr = BIT(PIN);
	xioctl(vcpu->vm->fd, KVM_SET_IRQCHIP, &chip);
	vcpu_expect_done(vcpu);
}

static const struct test_row rows[] = {
	{ "registers", registers },
	{ "entries", entries },
	{ "beyond", beyond },
	{ "edge", edge },
	{ "edge_masked", edge_masked },
	{ "level_unmask", level_unmask },
	{ "storm", storm },
	{ "remote_irr", remote_irr },
	{ "remote_irr_by_edge", remote_irr_by_edge },
	{ "nmi", nmi },
	{ "reset_state", reset_state },
	{ "state", state },
	{ "state_delivers", state_delivers },
};

static const u64 level_counts[] = { 1, 2, 10 };

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(level_counts); i++)
		test_add(level, &level_counts[i], "ioapic/level_%llu_times", level_counts[i]);
	for (i = 0; i < ARRAY_SIZE(dests); i++)
		test_add(destination, &dests[i], "ioapic/%s", dests[i].name);
	test_add_rows("ioapic", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
