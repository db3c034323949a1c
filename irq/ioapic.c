// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC: 24 pins, each with an entry that says what it sends and where.
 *
 * @lock is not held while listeners are told that an interrupt was acknowledged: they may
 * drive pins themselves.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "compat.h"
#include "io_bus.h"
#include "lapic.h"
#include "vm.h"

#define IOAPIC_ADDRESS	0xfec00000ULL
#define IOAPIC_BYTES	0x100

/* What the page has: an index and the register that it selects. */
#define PORT_SELECT	0x00
#define PORT_WINDOW	0x10

/* Registers by index; from TABLE on, two for each pin. */
#define REG_ID		0x00
#define REG_VERSION	0x01
#define REG_ARBITRATION	0x02
#define REG_TABLE	0x10

#define VERSION_VALUE	(0x11 | (KSVM_IOAPIC_PINS - 1) << 16)
#define ID_BITS		0x0f000000u

/* Bits of an entry. */
#define ENTRY_VECTOR	0xffULL
#define ENTRY_LOGICAL	BIT_ULL(11)
#define ENTRY_STATUS	BIT_ULL(12)
#define ENTRY_REMOTE	BIT_ULL(14)
#define ENTRY_LEVEL	BIT_ULL(15)
#define ENTRY_MASKED	BIT_ULL(16)
#define ENTRY_DEST	56
/*
 * A pin that is still up each time that its interrupt ends would keep the guest from doing
 * anything else: after so many, the next one waits.
 */
#define STORM_COUNT	1000
#define STORM_WAIT_NS	(10 * NSEC_PER_MSEC)

#define ENTRY_WRITABLE	(GENMASK_ULL(16, 15) | GENMASK_ULL(13, 13) | GENMASK_ULL(11, 0) | \
			 GENMASK_ULL(63, 56))

/**
 * struct ksvm_ioapic - a VM's I/O APIC
 * @device: on the MMIO bus
 * @vm: whose; constant
 * @lock: all below; interrupts off
 * @select: index of the register in the window
 * @id: as written; nobody looks at it
 * @lines: a bit for each pin that is up
 * @sent: of these, edges that have been delivered
 * @sources: who holds each pin up, a bit for each
 * @entries: redirection table
 * @resent: for each pin, how often its interrupt has ended in a row with the pin up
 * @storm: sends those again that had to wait
 * @watched: vectors whose end somebody waits for: level-triggered, or with a listener.
 *	Set under @lock, read without: a bit that is late belongs to an interrupt
 *	that was not sent before it was set
 */
struct ksvm_ioapic {
	struct ksvm_io_device device;
	struct ksvm *vm;
	raw_spinlock_t lock;	/* all below */
	u8 select;
	u32 id;
	u32 lines;
	u32 sent;
	u8 sources[KSVM_IOAPIC_PINS];
	u64 entries[KSVM_IOAPIC_PINS];
	u16 resent[KSVM_IOAPIC_PINS];
	struct hrtimer storm;
	unsigned long watched[LAPIC_WORDS];
};

/* An entry that was just changed may make its vector one to be watched. */
static void watch_pin(struct ksvm_ioapic *ioapic, unsigned int pin)
{
	u64 entry = ioapic->entries[pin];

	lockdep_assert_held(&ioapic->lock);
	if (!(entry & ENTRY_MASKED) &&
	    ((entry & ENTRY_LEVEL) ||
	     ksvm_irq_has_notifier(ioapic->vm, KVM_IRQCHIP_IOAPIC, pin)))
		set_bit(entry & ENTRY_VECTOR, ioapic->watched);
}

/* With the lock held: send what the pin's entry says. -1 where it cannot now. */
static int send_pin(struct ksvm_ioapic *ioapic, unsigned int pin)
{
	u64 entry = ioapic->entries[pin];
	struct irq_message message = {
		.dest = {
			.id = entry >> ENTRY_DEST,
			.logical = entry & ENTRY_LOGICAL,
			.broadcast_all = !ioapic->vm->irq.x2apic_no_broadcast,
		},
		.mode = LVT_MODE(entry),
		.vector = entry & ENTRY_VECTOR,
		.level = entry & ENTRY_LEVEL,
		.lowest = LVT_MODE(entry) == IRQ_MODE_LOWEST,
	};
	int taken;

	lockdep_assert_held(&ioapic->lock);
	if ((entry & ENTRY_MASKED) || (message.level && (entry & ENTRY_REMOTE)))
		return -1;
	/* Before it is sent, so that its end is seen. */
	if (message.level)
		ioapic->entries[pin] |= ENTRY_REMOTE;
	taken = irq_deliver(ioapic->vm, &message);
	if (message.level && taken < 0)
		ioapic->entries[pin] &= ~ENTRY_REMOTE;
	return taken;
}

/* With the lock held: a pin has gone up. */
static int raise_pin(struct ksvm_ioapic *ioapic, unsigned int pin)
{
	bool edge = !(ioapic->entries[pin] & ENTRY_LEVEL);
	bool was_up = ioapic->lines & BIT(pin);
	int taken;

	ioapic->lines |= BIT(pin);
	if (edge && was_up)
		return 0;
	taken = send_pin(ioapic, pin);
	if (edge && taken >= 0)
		ioapic->sent |= BIT(pin);
	return taken;
}

/**
 * ioapic_set_irq() - drive a pin
 * @vm: the VM, with an I/O APIC; any context
 * @pin: its number
 * @source: who drives it
 * @level: up or down
 *
 * Return: more than 0: delivered, or the pin went down; 0: merged; -1: masked, or nobody
 * took it.
 */
int ioapic_set_irq(struct ksvm *vm, unsigned int pin, enum ksvm_irq_source source, bool level)
{
	struct ksvm_ioapic *ioapic = vm->irq.ioapic;
	unsigned long flags;
	int taken = 1;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	if (level) {
		ioapic->sources[pin] |= BIT(source);
		taken = raise_pin(ioapic, pin);
	} else {
		ioapic->sources[pin] &= ~BIT(source);
		if (!ioapic->sources[pin]) {
			ioapic->lines &= ~BIT(pin);
			ioapic->sent &= ~BIT(pin);
			ioapic->resent[pin] = 0;
		}
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	return taken;
}

/** ioapic_watches() - does somebody wait for a vector's end; any context */
bool ioapic_watches(struct ksvm *vm, u8 vector)
{
	return test_bit(vector, vm->irq.ioapic->watched);
}

/** ioapic_update_watch() - listeners have come, or routes have changed */
void ioapic_update_watch(struct ksvm *vm)
{
	struct ksvm_ioapic *ioapic = vm->irq.ioapic;
	unsigned long flags;
	unsigned int pin;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	for (pin = 0; pin < KSVM_IOAPIC_PINS; pin++)
		watch_pin(ioapic, pin);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

/* With the lock held: pins whose interrupt had this vector. */
static u32 pins_of_vector(const struct ksvm_ioapic *ioapic, u8 vector)
{
	unsigned int pin;
	u32 pins = 0;

	for (pin = 0; pin < KSVM_IOAPIC_PINS; pin++) {
		if ((ioapic->entries[pin] & ENTRY_VECTOR) == vector)
			pins |= BIT(pin);
	}
	return pins;
}

/* With the lock held: a level-triggered pin that is still up is sent again. */
static void end_level(struct ksvm_ioapic *ioapic, unsigned int pin)
{
	u64 *entry = &ioapic->entries[pin];

	if (!(*entry & ENTRY_LEVEL))
		return;
	*entry &= ~ENTRY_REMOTE;
	if (!(ioapic->lines & BIT(pin)))
		return;
	if (++ioapic->resent[pin] < STORM_COUNT) {
		send_pin(ioapic, pin);
		return;
	}
	ioapic->resent[pin] = 0;
	hrtimer_start(&ioapic->storm, ktime_get() + STORM_WAIT_NS, HRTIMER_MODE_ABS_HARD);
}

/* In a hard interrupt. What has been sent meanwhile is not sent twice: see send_pin(). */
static enum hrtimer_restart storm_over(struct hrtimer *timer)
{
	struct ksvm_ioapic *ioapic = container_of(timer, struct ksvm_ioapic, storm);
	unsigned int pin;

	raw_spin_lock(&ioapic->lock);
	for (pin = 0; pin < KSVM_IOAPIC_PINS; pin++) {
		if ((ioapic->lines & BIT(pin)) && (ioapic->entries[pin] & ENTRY_LEVEL))
			send_pin(ioapic, pin);
	}
	raw_spin_unlock(&ioapic->lock);
	return HRTIMER_NORESTART;
}

/**
 * ioapic_eoi() - a local APIC has ended an interrupt
 * @vm: the VM, with an I/O APIC; any context
 * @vector: the interrupt's
 * @level: it was level-triggered
 */
void ioapic_eoi(struct ksvm *vm, u8 vector, bool level)
{
	struct ksvm_ioapic *ioapic = vm->irq.ioapic;
	unsigned long flags, pins;
	unsigned int pin;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	pins = pins_of_vector(ioapic, vector);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	for_each_set_bit(pin, &pins, KSVM_IOAPIC_PINS)
		ksvm_irq_acked(vm, KVM_IRQCHIP_IOAPIC, pin);
	if (!level)
		return;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	for_each_set_bit(pin, &pins, KSVM_IOAPIC_PINS)
		end_level(ioapic, pin);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

static u32 read_window(const struct ksvm_ioapic *ioapic)
{
	unsigned int index = ioapic->select - REG_TABLE;
	u64 entry;

	switch (ioapic->select) {
	case REG_ID:
	case REG_ARBITRATION:
		return ioapic->id;
	case REG_VERSION:
		return VERSION_VALUE;
	}
	if (ioapic->select < REG_TABLE || index >= 2 * KSVM_IOAPIC_PINS)
		return 0;
	entry = ioapic->entries[index / 2];
	return index % 2 ? entry >> 32 : entry;
}

/* An edge that came while the pin was masked is lost, as on the chip. */
static void write_entry(struct ksvm_ioapic *ioapic, unsigned int index, u32 value)
{
	unsigned int pin = index / 2;
	u64 *entry = &ioapic->entries[pin];
	u64 bits = ENTRY_WRITABLE & (index % 2 ? GENMASK_ULL(63, 32) : GENMASK_ULL(31, 0));
	u64 wide = index % 2 ? (u64)value << 32 : value;

	*entry = (*entry & ~bits) | (wide & bits);
	if (!(*entry & ENTRY_LEVEL))
		*entry &= ~ENTRY_REMOTE;
	watch_pin(ioapic, pin);
	if ((*entry & ENTRY_LEVEL) && (ioapic->lines & BIT(pin)))
		send_pin(ioapic, pin);
}

static void write_window(struct ksvm_ioapic *ioapic, u32 value)
{
	unsigned int index = ioapic->select - REG_TABLE;

	if (ioapic->select == REG_ID)
		ioapic->id = value & ID_BITS;
	else if (ioapic->select >= REG_TABLE && index < 2 * KSVM_IOAPIC_PINS)
		write_entry(ioapic, index, value);
}

static struct ksvm_ioapic *ioapic_of(struct ksvm_io_device *device)
{
	return container_of(device, struct ksvm_ioapic, device);
}

/* Of a wider access, the lower part counts. */
static int mmio_read(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
		     unsigned int bytes, void *data)
{
	struct ksvm_ioapic *ioapic = ioapic_of(device);
	unsigned long flags;
	u32 value = 0;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	switch (address - IOAPIC_ADDRESS) {
	case PORT_SELECT:
		value = ioapic->select;
		break;
	case PORT_WINDOW:
		value = read_window(ioapic);
		break;
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	memset(data, 0, bytes);
	memcpy(data, &value, min_t(unsigned int, bytes, sizeof(value)));
	return 0;
}

static int mmio_write(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
		      unsigned int bytes, const void *data)
{
	struct ksvm_ioapic *ioapic = ioapic_of(device);
	unsigned long flags;
	u32 value = 0;

	memcpy(&value, data, min_t(unsigned int, bytes, sizeof(value)));
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	switch (address - IOAPIC_ADDRESS) {
	case PORT_SELECT:
		ioapic->select = value;
		break;
	case PORT_WINDOW:
		write_window(ioapic, value);
		break;
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	return 0;
}

static const struct ksvm_io_device_ops device_ops = {
	.read = mmio_read,
	.write = mmio_write,
};

/**
 * ioapic_create() - KVM_CREATE_IRQCHIP's I/O APIC
 * @vm: the VM, its lock held; nobody uses it before it has routes
 *
 * Return: 0 or a negative errno.
 * Context: may sleep.
 */
int ioapic_create(struct ksvm *vm)
{
	struct ksvm_ioapic *ioapic = kzalloc(sizeof(*ioapic), GFP_KERNEL_ACCOUNT);
	unsigned int pin;
	int error;

	if (!ioapic)
		return -ENOMEM;
	ioapic->device.ops = &device_ops;
	ioapic->vm = vm;
	raw_spin_lock_init(&ioapic->lock);
	ksvm_hrtimer_setup(&ioapic->storm, storm_over);
	for (pin = 0; pin < KSVM_IOAPIC_PINS; pin++)
		ioapic->entries[pin] = ENTRY_MASKED;
	vm->irq.ioapic = ioapic;
	error = ksvm_io_register(vm, KSVM_BUS_MMIO, IOAPIC_ADDRESS, IOAPIC_BYTES,
				 &ioapic->device);
	if (error) {
		vm->irq.ioapic = NULL;
		kfree(ioapic);
	}
	return error;
}

/** ioapic_destroy() - undo ioapic_create(); also without one; sleeps */
void ioapic_destroy(struct ksvm *vm)
{
	struct ksvm_ioapic *ioapic = vm->irq.ioapic;

	if (!ioapic)
		return;
	ksvm_io_unregister(vm, KSVM_BUS_MMIO, &ioapic->device);
	hrtimer_cancel(&ioapic->storm);
	vm->irq.ioapic = NULL;
	kfree(ioapic);
}

/**
 * ioapic_get_state() - KVM_GET_IRQCHIP
 * @vm: the VM, with an I/O APIC
 * @state: filled; of the pins that are up, those are named that have not been delivered
 */
void ioapic_get_state(struct ksvm *vm, struct kvm_ioapic_state *state)
{
	struct ksvm_ioapic *ioapic = vm->irq.ioapic;
	unsigned long flags;

	BUILD_BUG_ON(sizeof(state->redirtbl) != sizeof(ioapic->entries));
	memset(state, 0, sizeof(*state));
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	state->base_address = IOAPIC_ADDRESS;
	state->ioregsel = ioapic->select;
	state->id = ioapic->id >> 24;
	state->irr = ioapic->lines & ~ioapic->sent;
	memcpy(state->redirtbl, ioapic->entries, sizeof(state->redirtbl));
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

/**
 * ioapic_set_state() - KVM_SET_IRQCHIP
 * @vm: the VM, with an I/O APIC
 * @state: what ioapic_get_state() gave; the address cannot be moved
 */
void ioapic_set_state(struct ksvm *vm, const struct kvm_ioapic_state *state)
{
	struct ksvm_ioapic *ioapic = vm->irq.ioapic;
	unsigned long pending = state->irr;
	unsigned long flags;
	unsigned int pin;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	ioapic->select = state->ioregsel;
	ioapic->id = state->id << 24 & ID_BITS;
	memcpy(ioapic->entries, state->redirtbl, sizeof(ioapic->entries));
	ioapic->lines = 0;
	ioapic->sent = 0;
	for (pin = 0; pin < KSVM_IOAPIC_PINS; pin++) {
		ioapic->entries[pin] &= ENTRY_WRITABLE | ENTRY_REMOTE;
		watch_pin(ioapic, pin);
	}
	for_each_set_bit(pin, &pending, KSVM_IOAPIC_PINS)
		raise_pin(ioapic, pin);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}
