// SPDX-License-Identifier: GPL-2.0-only
/* The 8259 pair in the kernel: its registers, its lines, its interrupts in a guest. */
#include <pthread.h>
#include <unistd.h>

#include "harness.h"
#include "pic.h"
#include "vm.h"

enum {
	SYNC_LINE = 1,	/* args: GSI, level */
	SYNC_THREAD,	/* args: GSI, pulsed once the guest runs again */
};

static struct kvm_pic_state pic_state(struct vm *vm, u32 id)
{
	struct kvm_irqchip chip = { .chip_id = id };

	xioctl(vm->fd, KVM_GET_IRQCHIP, &chip);
	TEST_EQ(chip.chip_id, id);
	return chip.chip.pic;
}

static void set_pic_state(struct vm *vm, u32 id, const struct kvm_pic_state *state)
{
	struct kvm_irqchip chip = { .chip_id = id, .chip.pic = *state };

	xioctl(vm->fd, KVM_SET_IRQCHIP, &chip);
}

/* Drive a line, and say what became of it. */
static s32 line(struct vm *vm, u32 gsi, u32 level)
{
	struct kvm_irq_level args = { .irq = gsi, .level = level };

	xioctl(vm->fd, KVM_IRQ_LINE_STATUS, &args);
	TEST_EQ(args.level, level);
	return args.status;
}

static void line_without_status(struct vm *vm, u32 gsi, u32 level)
{
	struct kvm_irq_level args = { .irq = gsi, .level = level };

	xioctl(vm->fd, KVM_IRQ_LINE, &args);
	TEST_EQ(args.irq, gsi);
}

static s64 guest_status;

static struct {
	struct vm *vm;
	u32 gsi;
} pulsed;

static void *pulse_later(void *unused)
{
	usleep(20000);
	line(pulsed.vm, pulsed.gsi, 1);
	line(pulsed.vm, pulsed.gsi, 0);
	return NULL;
}

/* Do what the guest asks for, until it is done. */
static void serve(struct vcpu *vcpu)
{
	struct guest_message msg;
	pthread_t thread;
	bool threaded = false;

	while (vcpu_run_message(vcpu, &msg) == MSG_SYNC) {
		if (msg.args[0] == SYNC_LINE) {
			*guest_var(vcpu->vm, guest_status) =
				line(vcpu->vm, msg.args[1], msg.args[2]);
			continue;
		}
		TEST_EQ(msg.args[0], SYNC_THREAD);
		TEST_TRUE(!threaded);
		pulsed.vm = vcpu->vm;
		pulsed.gsi = msg.args[1];
		TEST_TRUE(!pthread_create(&thread, NULL, pulse_later, NULL));
		threaded = true;
	}
	if (threaded)
		TEST_TRUE(!pthread_join(thread, NULL));
}

/* The guest's side. */
static u64 guest_log[16], guest_logged;
static void (*guest_service)(u64 vector);

static void guest_eoi(u64 vector)
{
	if (vector >= SLAVE_BASE)
		outb(SLAVE, EOI);
	outb(MASTER, EOI);
}

static void guest_no_eoi(u64 vector)
{
}

static void guest_interrupt(struct guest_frame *frame)
{
	GUEST_ASSERT(guest_logged < ARRAY_SIZE(guest_log));
	guest_log[guest_logged++] = frame->vector;
	guest_service(frame->vector);
}

static void guest_setup(u8 icw4)
{
	u64 vector;

	for (vector = MASTER_BASE; vector < SLAVE_BASE + 8; vector++)
		guest_handlers[vector] = guest_interrupt;
	guest_service = guest_eoi;
	guest_pic_setup(icw4);
}

static s64 guest_line(u64 gsi, u64 level)
{
	GUEST_SYNC_ARGS(SYNC_LINE, gsi, level, 0);
	return READ_ONCE(guest_status);
}

static void guest_pulse(u64 gsi)
{
	guest_line(gsi, 1);
	guest_line(gsi, 0);
}

static u8 guest_read(u16 port, u8 which)
{
	outb(port, which);
	return inb(port);
}

/* Let pending interrupts in; the last of those that came, or 0. */
static u64 guest_window(void)
{
	u64 before = READ_ONCE(guest_logged);

	asm volatile("sti; nop; nop; cli" : : : "memory");
	return READ_ONCE(guest_logged) > before ? guest_log[guest_logged - 1] : 0;
}

static void without_irqchip(void)
{
	struct vm *vm = vm_create();
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };
	struct kvm_irq_level args = { .irq = 1, .level = 1 };

	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, ENXIO);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, ENXIO);
	ioctl_fails(vm->fd, KVM_IRQ_LINE, &args, ENXIO);
	ioctl_fails(vm->fd, KVM_IRQ_LINE_STATUS, &args, ENXIO);
}

static void created_twice(void)
{
	struct vm *vm = vm_with_irqchip();

	ioctl_fails(vm->fd, KVM_CREATE_IRQCHIP, 0, EEXIST);
}

static void created_late(void)
{
	struct vm *vm = vm_create();

	vcpu_create_bare(vm, 0);
	ioctl_fails(vm->fd, KVM_CREATE_IRQCHIP, 0, EINVAL);
}

static void split(void)
{
	struct vm *vm = vm_create();
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_SLAVE };

	xioctl(vm->fd, KVM_ENABLE_CAP, &cap);
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, ENXIO);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, ENXIO);
}

static void bad_chip(void)
{
	struct vm *vm = vm_with_irqchip();
	struct kvm_irqchip chip = { .chip_id = KVM_NR_IRQCHIPS };

	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, EINVAL);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, EINVAL);
	chip.chip_id = ~0u;
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, &chip, EINVAL);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, &chip, EINVAL);
	ioctl_fails(vm->fd, KVM_GET_IRQCHIP, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_SET_IRQCHIP, 8, EFAULT);
}

static void reset_state(void)
{
	struct vm *vm = vm_with_irqchip();
	u32 id;

	for (id = KVM_IRQCHIP_PIC_MASTER; id <= KVM_IRQCHIP_PIC_SLAVE; id++) {
		struct kvm_pic_state expected = {
			.elcr_mask = id == KVM_IRQCHIP_PIC_MASTER ? 0xf8 : 0xde,
		};
		struct kvm_pic_state state = pic_state(vm, id);

		TEST_TRUE(!memcmp(&state, &expected, sizeof(state)));
	}
}

/* Every field comes back, and the other chip's are not touched. */
static void round_trip(void)
{
	static const struct kvm_pic_state state = {
		.last_irr = 0x91, .irr = 0x52, .imr = 0xff, .isr = 0x84, .priority_add = 3,
		.irq_base = 0x68, .read_reg_select = 1, .poll = 1, .special_mask = 1,
		.init_state = 2, .auto_eoi = 1, .rotate_on_auto_eoi = 1,
		.special_fully_nested_mode = 1, .init4 = 1, .elcr = 0x48, .elcr_mask = 0xd8,
	};
	struct vm *vm = vm_with_irqchip();
	struct kvm_pic_state got, other = { .imr = 0x0f, .elcr_mask = 0xde };

	set_pic_state(vm, KVM_IRQCHIP_PIC_SLAVE, &other);
	set_pic_state(vm, KVM_IRQCHIP_PIC_MASTER, &state);
	got = pic_state(vm, KVM_IRQCHIP_PIC_MASTER);
	TEST_TRUE(!memcmp(&got, &state, sizeof(state)));
	got = pic_state(vm, KVM_IRQCHIP_PIC_SLAVE);
	TEST_TRUE(!memcmp(&got, &other, sizeof(other)));
	set_pic_state(vm, KVM_IRQCHIP_PIC_SLAVE, &state);
	got = pic_state(vm, KVM_IRQCHIP_PIC_SLAVE);
	TEST_TRUE(!memcmp(&got, &state, sizeof(state)));
}

/* A slave that asks is heard by the master as soon as its state is set. */
static void set_updates(void)
{
	struct kvm_pic_state state = { .irr = 0x10, .elcr_mask = 0xde };
	struct vm *vm = vm_with_irqchip();

	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 0);
	state.imr = 0x10;
	set_pic_state(vm, KVM_IRQCHIP_PIC_SLAVE, &state);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 0);
	state.imr = 0;
	set_pic_state(vm, KVM_IRQCHIP_PIC_SLAVE, &state);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 4);
}

static void line_status(void)
{
	struct vm *vm = vm_with_irqchip();
	struct kvm_pic_state masked = { .imr = 0x08, .elcr_mask = 0xf8 };
	struct kvm_pic_state level = { .elcr = 0x20, .elcr_mask = 0xf8 };

	/* An edge: delivered, then merged. */
	TEST_EQ(line(vm, 3, 1), 1);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 8);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).last_irr, 8);
	line(vm, 3, 0);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 8);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).last_irr, 0);
	TEST_EQ(line(vm, 3, 1), 0);
	line(vm, 3, 0);
	/* Masked: pending, but nobody's. */
	set_pic_state(vm, KVM_IRQCHIP_PIC_MASTER, &masked);
	TEST_EQ(line(vm, 3, 1), -1);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 8);
	line(vm, 3, 0);
	/* A level. */
	set_pic_state(vm, KVM_IRQCHIP_PIC_MASTER, &level);
	TEST_EQ(line(vm, 5, 1), 1);
	TEST_EQ(line(vm, 5, 1), 0);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 0x20);
	line(vm, 5, 0);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 0);
	/* Any other value than 0 is up. */
	TEST_EQ(line(vm, 5, 0x80000000), 1);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 0x20);
	/* The slave's, by the call that has no status. */
	line_without_status(vm, 12, 1);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_SLAVE).irr, 0x10);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_MASTER).irr, 0x24);
	line_without_status(vm, 12, 0);
	TEST_EQ(pic_state(vm, KVM_IRQCHIP_PIC_SLAVE).last_irr, 0);
}

static void guest_registers(void)
{
	static const u8 values[] = { 0x55, 0xff, 0 };
	size_t i;

	guest_setup(1);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		outb(MASTER + 1, values[i]);
		outb(SLAVE + 1, (u8)~values[i]);
		GUEST_EQ(inb(MASTER + 1), values[i]);
		GUEST_EQ(inb(SLAVE + 1), (u8)~values[i]);
	}
	outb(ELCR, 0xff);
	outb(ELCR + 1, 0xff);
	GUEST_EQ(inb(ELCR), 0xf8);
	GUEST_EQ(inb(ELCR + 1), 0xde);
	outb(ELCR, 0);
	GUEST_EQ(inb(ELCR), 0);
	GUEST_EQ(inb(ELCR + 1), 0xde);
	/* The initialization clears the mask, and nothing of the other chip. */
	outb(MASTER + 1, 0xa5);
	outb(SLAVE + 1, 0x5a);
	outb(MASTER, ICW1);
	GUEST_EQ(inb(MASTER + 1), 0);
	GUEST_EQ(inb(SLAVE + 1), 0x5a);
	GUEST_EQ(inb(ELCR + 1), 0xde);
	guest_done();
}

static void registers(void)
{
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_registers);
	struct kvm_pic_state state;

	serve(vcpu);
	state = pic_state(vcpu->vm, KVM_IRQCHIP_PIC_MASTER);
	TEST_EQ(state.init_state, 1);
	TEST_EQ(state.init4, 1);
	state = pic_state(vcpu->vm, KVM_IRQCHIP_PIC_SLAVE);
	TEST_EQ(state.init_state, 0);
	TEST_EQ(state.irq_base, SLAVE_BASE);
	TEST_EQ(state.elcr, 0xde);
}

static void guest_initialize(void)
{
	u64 step;

	outb(MASTER, ICW1);
	GUEST_SYNC(1);
	outb(MASTER + 1, 0x47);
	GUEST_SYNC(2);
	outb(MASTER + 1, 4);
	GUEST_SYNC(3);
	outb(MASTER + 1, 0x13);
	GUEST_SYNC(4);
	outb(MASTER, ICW1 & ~1);
	for (step = 5; step < 8; step++) {
		GUEST_SYNC(step);
		outb(MASTER + 1, 0xff);
	}
	GUEST_SYNC(8);
}

/* ICW1 to ICW4, as user space sees them. */
static void initialize(void)
{
	static const struct {
		u8 init_state, init4, base, aeoi, sfnm, imr;
	} steps[] = {
		{ 1, 1, 0, 0, 0, 0 }, { 2, 1, 0x40, 0, 0, 0 }, { 3, 1, 0x40, 0, 0, 0 },
		{ 0, 1, 0x40, 1, 1, 0 }, { 1, 0, 0x40, 0, 0, 0 }, { 2, 0, 0xf8, 0, 0, 0 },
		{ 0, 0, 0xf8, 0, 0, 0 }, { 0, 0, 0xf8, 0, 0, 0xff },
	};
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_initialize);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct kvm_pic_state state;

		vcpu_expect_sync(vcpu, i + 1);
		state = pic_state(vcpu->vm, KVM_IRQCHIP_PIC_MASTER);
		TEST_EQ(state.init_state, steps[i].init_state);
		TEST_EQ(state.init4, steps[i].init4);
		TEST_EQ(state.irq_base, steps[i].base);
		TEST_EQ(state.auto_eoi, steps[i].aeoi);
		TEST_EQ(state.special_fully_nested_mode, steps[i].sfnm);
		TEST_EQ(state.imr, steps[i].imr);
	}
}

static void guest_commands(void)
{
	guest_setup(1);
	GUEST_SYNC(1);
	outb(SLAVE, READ_ISR);
	outb(SLAVE, SPECIAL_MASK);
	outb(SLAVE, ROTATE_AEOI);
	outb(SLAVE, SET_PRIORITY | 4);
	GUEST_SYNC(2);
	outb(SLAVE, POLL);
	GUEST_SYNC(3);
	GUEST_EQ(inb(SLAVE) & 0x80, 0);
	outb(SLAVE, READ_IRR);
	outb(SLAVE, NO_SPECIAL_MASK);
	outb(SLAVE, 0);
	outb(SLAVE, SET_PRIORITY | 7);
	GUEST_SYNC(4);
	/* No operation; and without their enable bits, neither mode nor register. */
	outb(SLAVE, READ_ISR);
	outb(SLAVE, 0x40);
	outb(SLAVE, 0x28);
	outb(SLAVE, 0x08);
	GUEST_SYNC(5);
}

/* OCW2 and OCW3, as user space sees them. */
static void commands(void)
{
	static const struct {
		u8 select, smm, rotate, priority, poll;
	} steps[] = {
		{ 0, 0, 0, 0, 0 }, { 1, 1, 1, 5, 0 }, { 1, 1, 1, 5, 1 }, { 0, 0, 0, 0, 0 },
		{ 1, 0, 0, 0, 0 },
	};
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_commands);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct kvm_pic_state state;

		vcpu_expect_sync(vcpu, i + 1);
		state = pic_state(vcpu->vm, KVM_IRQCHIP_PIC_SLAVE);
		TEST_EQ(state.read_reg_select, steps[i].select);
		TEST_EQ(state.special_mask, steps[i].smm);
		TEST_EQ(state.rotate_on_auto_eoi, steps[i].rotate);
		TEST_EQ(state.priority_add, steps[i].priority);
		TEST_EQ(state.poll, steps[i].poll);
	}
}

static void guest_words(void)
{
	guest_setup(1);
	outb(MASTER + 1, 0xa5);
	outb(ELCR, 0x08);
	/* Would be an ICW1 and a mask. */
	outw(MASTER, 0x5511);
	GUEST_EQ(inb(MASTER + 1), 0xa5);
	outw(ELCR, 0xffff);
	GUEST_EQ(inb(ELCR), 0x08);
	GUEST_EQ(inw(MASTER), 0);
	GUEST_EQ(inw(SLAVE), 0);
	GUEST_EQ(inw(ELCR), 0);
	guest_done();
}

/* Only bytes mean something. */
static void words(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_words));
}

static void guest_beyond(void)
{
	GUEST_EQ(inw(MASTER + 1), 0x1234);
	outl(ELCR, 0x55667788);
	guest_done();
}

/* An access that only begins in the chips is user space's. */
static void beyond(void)
{
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_beyond);

	vcpu_expect_io(vcpu, false, MASTER + 1, 2, 1);
	*(u16 *)vcpu_io_data(vcpu) = 0x1234;
	vcpu_expect_io(vcpu, true, ELCR, 4, 1);
	vcpu_expect_done(vcpu);
}

static void guest_edge(void)
{
	guest_setup(1);
	guest_service = guest_no_eoi;
	GUEST_EQ(guest_window(), 0);
	GUEST_EQ(guest_line(3, 1), 1);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 8);
	GUEST_EQ(guest_window(), MASTER_BASE + 3);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 0);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 8);
	/* The line is still up: that was one edge. */
	outb(MASTER, EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	GUEST_EQ(guest_window(), 0);
	guest_line(3, 0);
	GUEST_EQ(guest_window(), 0);
	/* A request that was not taken survives its line. */
	guest_pulse(3);
	GUEST_EQ(guest_window(), MASTER_BASE + 3);
	/* One may come while the last one is in service. */
	GUEST_EQ(guest_line(3, 1), 1);
	guest_line(3, 0);
	GUEST_EQ(guest_line(3, 1), 0);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER, SPECIFIC_EOI | 4);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER, SPECIFIC_EOI | 3);
	GUEST_EQ(guest_window(), MASTER_BASE + 3);
	GUEST_EQ(guest_logged, 3);
	guest_done();
}

static void edge(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_edge));
}

static void guest_lower(u64 vector)
{
	if (guest_logged == 3)
		guest_line(vector >= SLAVE_BASE ? 11 : 5, 0);
	guest_eoi(vector);
}

static void guest_level(void)
{
	guest_setup(1);
	guest_service = guest_lower;
	outb(ELCR, 0x20);
	outb(ELCR + 1, 0x08);
	/* Comes back after each EOI, until the device is content. */
	guest_line(5, 1);
	GUEST_EQ(guest_window(), MASTER_BASE + 5);
	while (READ_ONCE(guest_logged) < 3)
		guest_window();
	GUEST_EQ(guest_window(), 0);
	guest_logged = 0;
	guest_line(11, 1);
	while (READ_ONCE(guest_logged) < 3)
		guest_window();
	GUEST_EQ(guest_log[2], SLAVE_BASE + 3);
	GUEST_EQ(guest_window(), 0);
	/* Taken back in time. */
	guest_line(5, 1);
	guest_line(5, 0);
	GUEST_EQ(guest_window(), 0);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	guest_done();
}

static void level(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_level));
}

static void guest_mask(void)
{
	guest_setup(1);
	outb(MASTER + 1, 0x10);
	GUEST_EQ(guest_line(4, 1), -1ll);
	GUEST_EQ(guest_window(), 0);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 0x10);
	outb(MASTER + 1, 0);
	GUEST_EQ(guest_window(), MASTER_BASE + 4);
	/* The slave as a whole, at the master. */
	outb(MASTER + 1, 4);
	GUEST_EQ(guest_line(9, 1), 1);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER + 1, 0);
	GUEST_EQ(guest_window(), SLAVE_BASE + 1);
	guest_done();
}

static void mask(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_mask));
}

static void guest_priority(void)
{
	guest_setup(1);
	guest_pulse(7);
	guest_pulse(3);
	guest_pulse(8 + 6);
	guest_pulse(8 + 1);
	guest_pulse(1);
	while (guest_window())
		;
	GUEST_EQ(guest_logged, 5);
	GUEST_EQ(guest_log[0], MASTER_BASE + 1);
	GUEST_EQ(guest_log[1], SLAVE_BASE + 1);
	GUEST_EQ(guest_log[2], SLAVE_BASE + 6);
	GUEST_EQ(guest_log[3], MASTER_BASE + 3);
	GUEST_EQ(guest_log[4], MASTER_BASE + 7);
	/* What is in service lets only higher ones through. */
	guest_service = guest_no_eoi;
	guest_pulse(4);
	GUEST_EQ(guest_window(), MASTER_BASE + 4);
	guest_pulse(6);
	GUEST_EQ(guest_window(), 0);
	guest_pulse(0);
	GUEST_EQ(guest_window(), MASTER_BASE);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0x11);
	outb(MASTER, EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0x10);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER, EOI);
	GUEST_EQ(guest_window(), MASTER_BASE + 6);
	guest_done();
}

static void priority(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_priority));
}

static void guest_cascade(void)
{
	guest_setup(1);
	guest_service = guest_no_eoi;
	guest_pulse(8 + 4);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 4);
	GUEST_EQ(guest_read(SLAVE, READ_IRR), 0x10);
	GUEST_EQ(guest_window(), SLAVE_BASE + 4);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 4);
	GUEST_EQ(guest_read(SLAVE, READ_ISR), 0x10);
	/* The master holds the slave's others back until its own EOI. */
	guest_pulse(8 + 2);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER, SPECIFIC_EOI | 2);
	GUEST_EQ(guest_window(), SLAVE_BASE + 2);
	GUEST_EQ(guest_read(SLAVE, READ_ISR), 0x14);
	outb(MASTER, EOI);
	outb(SLAVE, EOI);
	GUEST_EQ(guest_read(SLAVE, READ_ISR), 0x10);
	outb(SLAVE, EOI);
	GUEST_EQ(guest_read(SLAVE, READ_ISR), 0);
	guest_done();
}

static void cascade(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_cascade));
}

static void guest_special_nested(void)
{
	guest_setup(0x11);
	guest_service = guest_no_eoi;
	guest_pulse(8 + 4);
	GUEST_EQ(guest_window(), SLAVE_BASE + 4);
	guest_pulse(8 + 6);
	GUEST_EQ(guest_window(), 0);
	guest_pulse(8 + 2);
	GUEST_EQ(guest_window(), SLAVE_BASE + 2);
	/* Stock KVM lets the master's lower ones pass. */
	if (!guest_reference) {
		guest_pulse(3);
		GUEST_EQ(guest_window(), 0);
	}
	guest_pulse(1);
	GUEST_EQ(guest_window(), MASTER_BASE + 1);
	guest_done();
}

static void special_nested(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_special_nested));
}

static void guest_spurious(void)
{
	guest_setup(1);
	guest_service = guest_no_eoi;
	guest_pulse(8 + 3);
	outb(SLAVE + 1, 8);
	GUEST_EQ(guest_window(), SLAVE_BASE + 7);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 4);
	GUEST_EQ(guest_read(SLAVE, READ_ISR), 0);
	outb(MASTER, EOI);
	outb(SLAVE + 1, 0);
	GUEST_EQ(guest_window(), SLAVE_BASE + 3);
	guest_done();
}

static void spurious(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_spurious));
}

static void guest_auto_eoi(void)
{
	guest_setup(3);
	guest_service = guest_no_eoi;
	guest_pulse(5);
	GUEST_EQ(guest_window(), MASTER_BASE + 5);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	guest_pulse(6);
	GUEST_EQ(guest_window(), MASTER_BASE + 6);
	guest_pulse(8 + 6);
	GUEST_EQ(guest_window(), SLAVE_BASE + 6);
	GUEST_EQ(guest_read(MASTER, READ_ISR) | guest_read(SLAVE, READ_ISR), 0);
	/* Rotating: whoever was served comes last. */
	outb(MASTER, ROTATE_AEOI);
	guest_pulse(4);
	GUEST_EQ(guest_window(), MASTER_BASE + 4);
	guest_logged = 0;
	guest_pulse(4);
	guest_pulse(5);
	while (guest_window())
		;
	GUEST_EQ(guest_logged, 2);
	GUEST_EQ(guest_log[0], MASTER_BASE + 5);
	GUEST_EQ(guest_log[1], MASTER_BASE + 4);
	guest_done();
}

static void auto_eoi(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_auto_eoi));
}

static void guest_rotation(void)
{
	guest_setup(1);
	guest_service = guest_no_eoi;
	guest_pulse(4);
	GUEST_EQ(guest_window(), MASTER_BASE + 4);
	outb(MASTER, ROTATE_EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	guest_pulse(4);
	guest_pulse(0);
	guest_pulse(7);
	GUEST_EQ(guest_window(), MASTER_BASE + 7);
	outb(MASTER, EOI);
	GUEST_EQ(guest_window(), MASTER_BASE);
	outb(MASTER, EOI);
	GUEST_EQ(guest_window(), MASTER_BASE + 4);
	/* What is highest is set: that in service falls behind. */
	guest_pulse(6);
	outb(MASTER, SET_PRIORITY | 5);
	GUEST_EQ(guest_window(), MASTER_BASE + 6);
	/* Ends 4, though 6 comes first. */
	outb(MASTER, ROTATE_EOI | 0x40 | 4);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0x40);
	outb(MASTER, EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	guest_done();
}

static void rotation(void)
{
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_rotation);

	serve(vcpu);
	TEST_EQ(pic_state(vcpu->vm, KVM_IRQCHIP_PIC_MASTER).priority_add, 5);
}

static void guest_special_mask(void)
{
	guest_setup(1);
	guest_service = guest_no_eoi;
	guest_pulse(1);
	GUEST_EQ(guest_window(), MASTER_BASE + 1);
	guest_pulse(5);
	outb(MASTER + 1, 2);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER, SPECIAL_MASK);
	GUEST_EQ(guest_window(), MASTER_BASE + 5);
	outb(MASTER, EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 2);
	outb(MASTER, EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 2);
	guest_pulse(6);
	outb(MASTER, NO_SPECIAL_MASK);
	GUEST_EQ(guest_window(), 0);
	outb(MASTER, EOI);
	GUEST_EQ(guest_window(), MASTER_BASE + 6);
	guest_done();
}

static void special_mask(void)
{
	if (reference_run())
		test_skip("stock KVM knows no special mask mode");
	serve(vcpu_with_pic(vm_with_irqchip(), guest_special_mask));
}

/* The pin that a poll is about; stock KVM of some versions gives no more. */
#define GUEST_POLLED(value, pin) ({				\
	u8 __polled = value;					\
								\
	GUEST_EQ(__polled & 7, pin);				\
	GUEST_ASSERT(guest_reference || __polled & 0x80);	\
})

static void guest_poll(void)
{
	guest_setup(1);
	outb(MASTER, POLL);
	GUEST_EQ(inb(MASTER) & 0x80, 0);
	guest_pulse(3);
	outb(MASTER, POLL);
	GUEST_POLLED(inb(MASTER + 1), 3);
	GUEST_EQ(guest_window(), 0);
	GUEST_EQ(inb(MASTER + 1), 0);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 0);
	/* Stock KVM ends the service at once. */
	if (!guest_reference)
		GUEST_EQ(guest_read(MASTER, READ_ISR), 8);
	outb(MASTER, EOI);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	guest_pulse(8 + 6);
	outb(SLAVE, POLL);
	GUEST_POLLED(inb(SLAVE), 6);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 0);
	GUEST_EQ(guest_window(), 0);
	guest_done();
}

static void poll(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_poll));
}

static void guest_initialize_again(void)
{
	guest_setup(1);
	guest_service = guest_no_eoi;
	guest_pulse(1);
	GUEST_EQ(guest_window(), MASTER_BASE + 1);
	guest_pulse(3);
	outb(ELCR, 0x20);
	guest_line(5, 1);
	guest_setup(1);
	guest_service = guest_no_eoi;
	/* The edge is forgotten, the level is not, and nothing is in service. */
	GUEST_EQ(guest_read(MASTER, READ_IRR), 0x20);
	if (!guest_reference)
		GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	outb(MASTER, SPECIFIC_EOI | 1);
	GUEST_EQ(guest_window(), MASTER_BASE + 5);
	guest_done();
}

static void initialize_again(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_initialize_again));
}

static void guest_halt(void)
{
	u64 i;

	guest_setup(1);
	for (i = 0; i < 2; i++) {
		u64 gsi = i ? 12 : 4;

		if (!i)
			GUEST_SYNC_ARGS(SYNC_THREAD, gsi, 0, 0);
		else
			guest_pulse(gsi);
		asm volatile("sti; hlt; cli" : : : "memory");
		GUEST_EQ(guest_logged, i + 1);
		GUEST_EQ(guest_log[i], i ? SLAVE_BASE + 4 : MASTER_BASE + 4);
	}
	guest_done();
}

/* A guest that waits is woken; so is one that has not begun to wait. */
static void halt(void)
{
	serve(vcpu_with_pic(vm_with_irqchip(), guest_halt));
}

static void guest_masked_lint0(void)
{
	guest_setup(1);
	guest_pulse(4);
	GUEST_EQ(guest_window(), 0);
	GUEST_EQ(guest_read(MASTER, READ_IRR), 0x10);
	GUEST_SYNC(9);
	GUEST_EQ(guest_window(), MASTER_BASE + 4);
	guest_done();
}

/* LINT0 is where the 8259 is heard. */
static void masked_lint0(void)
{
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_masked_lint0);
	struct guest_message msg;

	set_lint0(vcpu, LVT_EXTINT | LVT_MASKED);
	while (vcpu_run_message(vcpu, &msg) == MSG_SYNC && msg.args[0] == SYNC_LINE)
		line(vcpu->vm, msg.args[1], msg.args[2]);
	TEST_EQ(msg.args[0], 9);
	set_lint0(vcpu, LVT_EXTINT);
	serve(vcpu);
}

static void guest_window_once(void)
{
	guest_setup(1);
	GUEST_SYNC(9);
	GUEST_EQ(guest_window(), 0x30 + 6);
	GUEST_EQ(guest_read(MASTER, READ_ISR), 0);
	guest_done();
}

/* A pending request that user space puts there is delivered. */
static void set_delivers(void)
{
	struct vcpu *vcpu = vcpu_with_pic(vm_with_irqchip(), guest_window_once);
	struct kvm_pic_state state;

	vcpu_expect_sync(vcpu, 9);
	state = pic_state(vcpu->vm, KVM_IRQCHIP_PIC_MASTER);
	state.irr = 0x40;
	set_pic_state(vcpu->vm, KVM_IRQCHIP_PIC_MASTER, &state);
	serve(vcpu);
}

static const struct test_row rows[] = {
	{ "without_irqchip", without_irqchip },
	{ "created_twice", created_twice },
	{ "created_late", created_late },
	{ "split", split },
	{ "bad_chip", bad_chip },
	{ "reset_state", reset_state },
	{ "round_trip", round_trip },
	{ "set_updates", set_updates },
	{ "set_delivers", set_delivers },
	{ "line_status", line_status },
	{ "registers", registers },
	{ "initialize", initialize },
	{ "initialize_again", initialize_again },
	{ "commands", commands },
	{ "words", words },
	{ "beyond", beyond },
	{ "edge", edge },
	{ "level", level },
	{ "mask", mask },
	{ "priority", priority },
	{ "cascade", cascade },
	{ "special_nested", special_nested },
	{ "spurious", spurious },
	{ "auto_eoi", auto_eoi },
	{ "rotation", rotation },
	{ "special_mask", special_mask },
	{ "poll", poll },
	{ "halt", halt },
	{ "masked_lint0", masked_lint0 },
};

int main(int argc, char **argv)
{
	test_add_rows("pic", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
