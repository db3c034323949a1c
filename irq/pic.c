// SPDX-License-Identifier: GPL-2.0-only
/* The 8259 pair: ports, lines, and whom its changes concern. */
#include <linux/bitops.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "internal.h"
#include "io_bus.h"
#include "pic_state.h"
#include "vm.h"

#define PIC_PINS	16
#define PIC_PORTS	2

/* Where the chips are; bit 7 of a command or data port tells them apart. */
#define PIC_PORT_MASTER	0x20
#define PIC_PORT_SLAVE	0xa0
#define PIC_PORT_ELCR	0x4d0

/**
 * struct ksvm_pic - a VM's 8259 pair
 * @vm: whose
 * @device: on the I/O bus
 * @lock: all that follows; a leaf
 * @pair: the state machine
 * @lines: for each pin, the sources that drive it
 * @output: INTR, as @pair has it whenever @lock is free; also read without it
 */
struct ksvm_pic {
	struct ksvm *vm;
	struct ksvm_io_device device;
	raw_spinlock_t lock;
	struct pic_pair pair;
	u8 lines[PIC_PINS];
	bool output;
};

/* Leave the lock, and tell of what happened under it. */
static void pic_unlock(struct ksvm_pic *pic, unsigned long flags, u16 acked)
	__releases(&pic->lock)
{
	bool rose = pic->pair.intr && !pic->output;
	unsigned long pins = acked;
	unsigned int pin;

	WRITE_ONCE(pic->output, pic->pair.intr);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	if (rose)
		ksvm_extint_kick(pic->vm);
	for_each_set_bit(pin, &pins, PIC_PINS)
		ksvm_irq_acked(pic->vm, pin < 8 ? PIC_MASTER : PIC_SLAVE, pin & 7);
}

/* Accesses of more than a byte are nobody else's: they read as zeros and write nothing. */
static int pic_port_read(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
			 unsigned int bytes, void *data)
{
	struct ksvm_pic *pic = container_of(device, struct ksvm_pic, device);
	unsigned long flags;
	u16 acked = 0;
	u8 value;

	memset(data, 0, bytes);
	if (bytes != 1)
		return 0;
	raw_spin_lock_irqsave(&pic->lock, flags);
	if (address >= PIC_PORT_ELCR)
		value = pic->pair.chips[address & 1].elcr;
	else
		value = pic_read(&pic->pair, address >> 7, address & 1, &acked);
	pic_unlock(pic, flags, acked);
	*(u8 *)data = value;
	return 0;
}

static int pic_port_write(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
			  unsigned int bytes, const void *data)
{
	struct ksvm_pic *pic = container_of(device, struct ksvm_pic, device);
	u8 value = *(const u8 *)data;
	unsigned long flags;
	u16 acked = 0;

	if (bytes != 1)
		return 0;
	raw_spin_lock_irqsave(&pic->lock, flags);
	if (address >= PIC_PORT_ELCR)
		pic_write_elcr(&pic->pair, address & 1, value);
	else
		pic_write(&pic->pair, address >> 7, address & 1, value, &acked);
	pic_unlock(pic, flags, acked);
	return 0;
}

/* Freed by ksvm_pic_destroy(). */
static void pic_destructor(struct ksvm_io_device *device)
{
}

static const struct ksvm_io_device_ops pic_ops = {
	.read = pic_port_read,
	.write = pic_port_write,
	.destructor = pic_destructor,
};

/**
 * ksvm_pic_create() - give a VM its 8259 pair
 * @vm: the VM; vm->lock is held
 *
 * Return: 0, or what ksvm_io_register() fails with, or -ENOMEM.
 * Context: may sleep.
 */
int ksvm_pic_create(struct ksvm *vm)
{
	static const u16 ports[] = { PIC_PORT_MASTER, PIC_PORT_SLAVE, PIC_PORT_ELCR };
	struct ksvm_pic *pic = kzalloc(sizeof(*pic), GFP_KERNEL_ACCOUNT);
	unsigned int i;
	int error;

	lockdep_assert_held(&vm->lock);
	if (!pic)
		return -ENOMEM;
	pic->vm = vm;
	pic->device.ops = &pic_ops;
	raw_spin_lock_init(&pic->lock);
	pic_init(&pic->pair);
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		error = ksvm_io_register(vm, KSVM_BUS_PIO, ports[i], PIC_PORTS, &pic->device);
		if (error)
			goto fail;
	}
	WRITE_ONCE(vm->irq.pic, pic);
	return 0;

fail:
	ksvm_io_unregister(vm, KSVM_BUS_PIO, &pic->device);
	kfree(pic);
	return error;
}

/**
 * ksvm_pic_destroy() - take it away, if there is one
 * @vm: the VM, in which nobody drives a line or runs any more
 *
 * Context: may sleep.
 */
void ksvm_pic_destroy(struct ksvm *vm)
{
	struct ksvm_pic *pic = vm->irq.pic;

	if (!pic)
		return;
	ksvm_io_unregister(vm, KSVM_BUS_PIO, &pic->device);
	WRITE_ONCE(vm->irq.pic, NULL);
	kfree(pic);
}

/**
 * ksvm_pic_set_irq() - drive a pin
 * @vm: a VM with an 8259 pair
 * @pin: 0 to 15
 * @source: who drives it
 * @level: where to
 *
 * Return: 1 if that was delivered, 0 if a request was pending already, -1 if the pin
 * is masked.
 * Context: any.
 */
int ksvm_pic_set_irq(struct ksvm *vm, unsigned int pin, enum ksvm_irq_source source, bool level)
{
	struct ksvm_pic *pic = vm->irq.pic;
	unsigned long flags;
	int result;

	if (WARN_ON_ONCE(pin >= PIC_PINS))
		return -1;
	raw_spin_lock_irqsave(&pic->lock, flags);
	if (level)
		pic->lines[pin] |= BIT(source);
	else
		pic->lines[pin] &= ~BIT(source);
	result = pic_set_pin(&pic->pair, pin, pic->lines[pin]);
	pic_unlock(pic, flags, 0);
	return result;
}

/**
 * ksvm_pic_output() - is the processor asked to acknowledge an interrupt
 * @vm: any VM
 *
 * Return: whether INTR is up, which may be out of date: whoever raises it kicks.
 * Context: any.
 */
bool ksvm_pic_output(struct ksvm *vm)
{
	struct ksvm_pic *pic = READ_ONCE(vm->irq.pic);

	return pic && READ_ONCE(pic->output);
}

/**
 * ksvm_pic_read_irq() - the processor's acknowledge cycle
 * @vm: a VM with an 8259 pair
 *
 * A request that is still there counts as one that went up: this processor has been
 * served, and is told again.
 *
 * Return: the vector.
 * Context: any.
 */
int ksvm_pic_read_irq(struct ksvm *vm)
{
	struct ksvm_pic *pic = vm->irq.pic;
	unsigned long flags;
	u16 acked = 0;
	int vector;

	raw_spin_lock_irqsave(&pic->lock, flags);
	vector = pic_acknowledge(&pic->pair, &acked);
	WRITE_ONCE(pic->output, false);
	pic_unlock(pic, flags, acked);
	return vector;
}

/**
 * ksvm_pic_get_state() - KVM_GET_IRQCHIP of a chip
 * @vm: a VM with an 8259 pair
 * @chip: KVM_IRQCHIP_PIC_MASTER or _SLAVE
 * @state: filled
 */
void ksvm_pic_get_state(struct ksvm *vm, unsigned int chip, struct kvm_pic_state *state)
{
	struct ksvm_pic *pic = vm->irq.pic;
	unsigned long flags;

	raw_spin_lock_irqsave(&pic->lock, flags);
	*state = pic->pair.chips[chip];
	raw_spin_unlock_irqrestore(&pic->lock, flags);
}

/**
 * ksvm_pic_set_state() - KVM_SET_IRQCHIP of a chip
 * @vm: a VM with an 8259 pair
 * @chip: KVM_IRQCHIP_PIC_MASTER or _SLAVE
 * @state: any; what lines are driven to does not change
 */
void ksvm_pic_set_state(struct ksvm *vm, unsigned int chip, const struct kvm_pic_state *state)
{
	struct ksvm_pic *pic = vm->irq.pic;
	unsigned long flags;

	raw_spin_lock_irqsave(&pic->lock, flags);
	pic->pair.chips[chip] = *state;
	pic_update(&pic->pair);
	pic_unlock(pic, flags, 0);
}
