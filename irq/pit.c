// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254: ports, the timer behind channel 0, and ticks that the guest could not take
 * in time.
 *
 * A tick is an edge on GSI 0. With reinjection the next one is driven only when the last
 * one has been acknowledged, and those that come in between are counted; without, they
 * are lost. Driving a line is done by one at a time, with no lock held: the
 * acknowledgment may come from anywhere, also before that has returned.
 */
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "compat.h"
#include "internal.h"
#include "io_bus.h"
#include "pit_count.h"
#include "timer.h"
#include "vm.h"

#define PIT_GSI			0
#define PIT_PORT		0x40
#define PIT_PORTS		4
#define PIT_PORT_CONTROL	3	/* of PIT_PORTS */

/* The part of port 61 that is there without a speaker. */
#define PIT_SPEAKER_PORT	0x61
#define PIT_SPEAKER_CHANNEL	2
#define PIT_SPEAKER_GATE	0x01
#define PIT_SPEAKER_DATA	0x02
#define PIT_SPEAKER_REFRESH	0x10
#define PIT_SPEAKER_OUT		0x20
#define PIT_REFRESH_NS		15085	/* between two requests to refresh memory */

/*
 * An acknowledgment that has not come after so many ticks does not come any more: the
 * guest has turned to another controller. Driven once more, the line tells whether the
 * last tick is still pending.
 */
#define PIT_LOST_TICKS		8

/* So many at a time, however fast the guest is: this may be interrupt context. */
#define PIT_BURST		8

/**
 * struct ksvm_pit - a VM's 8254
 * @vm: whose
 * @device: on the I/O bus
 * @notifier: of GSI 0; registered while @reinject
 * @config: changes of @reinject; may sleep
 * @timer: channel 0's next tick; started under @lock
 * @lock: all that follows; taken with interrupts off, and not held while a line is driven
 * @channels: the state machine
 * @flags: KVM_PIT_FLAGS_*, and what else user space has set there
 * @armed: @timer is to be heeded
 * @rises: of channel 0's output that have been counted
 * @reinject: ticks are not lost; written with @config held, too
 * @pending: ticks that are to be driven
 * @injecting: somebody drives the line, and looks at @pending when he is done
 * @waiting: a tick has not been acknowledged yet
 * @unacked: ticks since then
 */
struct ksvm_pit {
	struct ksvm *vm;
	struct ksvm_io_device device;
	struct ksvm_ack_notifier notifier;
	struct mutex config;	/* @reinject */
	struct hrtimer timer;
	raw_spinlock_t lock;
	struct pit_channel channels[PIT_CHANNELS];
	u32 flags;
	bool armed;
	u64 rises;
	bool reinject;
	u32 pending;
	bool injecting;
	bool waiting;
	unsigned int unacked;
};

/* A VM's, or NULL. */
static struct ksvm_pit *pit_of(struct ksvm *vm)
{
	/* Pairs with ksvm_create_pit(). */
	return smp_load_acquire(&vm->irq.pit);
}

static s64 pit_now(void)
{
	return ktime_to_ns(ktime_get());
}

/* An edge on GSI 0; returns what came of it. */
static int pit_pulse(struct ksvm_pit *pit)
{
	int result = ksvm_set_irq(pit->vm, KSVM_IRQ_SOURCE_PIT, PIT_GSI, true);

	ksvm_set_irq(pit->vm, KSVM_IRQ_SOURCE_PIT, PIT_GSI, false);
	ksvm_lint0_nmi(pit->vm);
	return result;
}

/*
 * Drive what may be driven. A tick that is merged with a pending one stays to be driven;
 * one that is masked is lost, and ends it, since nobody will acknowledge it.
 */
static void pit_inject(struct ksvm_pit *pit)
{
	unsigned int burst = PIT_BURST;
	unsigned long flags;
	int result = 0;

	raw_spin_lock_irqsave(&pit->lock, flags);
	while (pit->pending && !pit->waiting && !pit->injecting && result >= 0 && burst--) {
		pit->pending--;
		pit->unacked = 0;
		pit->waiting = pit->reinject;
		pit->injecting = true;
		raw_spin_unlock_irqrestore(&pit->lock, flags);
		result = pit_pulse(pit);
		raw_spin_lock_irqsave(&pit->lock, flags);
		pit->injecting = false;
		if (result < 0)
			pit->waiting = false;
		else if (!result && pit->reinject && pit->pending < U32_MAX)
			pit->pending++;
	}
	raw_spin_unlock_irqrestore(&pit->lock, flags);
}

/* Called by whoever ends an interrupt's service. */
static void pit_acked(struct ksvm_ack_notifier *notifier)
{
	struct ksvm_pit *pit = container_of(notifier, struct ksvm_pit, notifier);
	unsigned long flags;

	raw_spin_lock_irqsave(&pit->lock, flags);
	pit->waiting = false;
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	pit_inject(pit);
}

static void pit_add_ticks(struct ksvm_pit *pit, u64 ticks)
{
	lockdep_assert_held(&pit->lock);
	if (!ticks)
		return;
	if (!pit->reinject) {
		pit->pending = 1;
		return;
	}
	pit->pending = min_t(u64, pit->pending + ticks, U32_MAX);
	if (pit->waiting && ++pit->unacked >= PIT_LOST_TICKS)
		pit->waiting = false;
}

/* Nothing of what was to be driven counts any more. */
static void pit_forget_ticks(struct ksvm_pit *pit)
{
	lockdep_assert_held(&pit->lock);
	pit->pending = 0;
	pit->waiting = false;
	pit->unacked = 0;
}

/* Channel 0 comes round so fast that the host has to be protected from it. */
static bool pit_too_fast(const struct ksvm_pit *pit)
{
	u32 period = pit_period(&pit->channels[0]);

	return period && pit_ticks_to_ns(period) < ksvm_timer_period_min();
}

/*
 * Wait for channel 0's next edge, but not before @earliest. A callback that runs
 * meanwhile finds the timer queued again, or not armed.
 */
static void pit_arm(struct ksvm_pit *pit, s64 now, s64 earliest)
{
	const struct pit_channel *channel = &pit->channels[0];
	s64 when;

	lockdep_assert_held(&pit->lock);
	pit->rises = pit_rises(channel, now);
	pit->armed = !(pit->flags & KVM_PIT_FLAGS_HPET_LEGACY) &&
		     pit_next_rise(channel, now, &when);
	if (pit->armed)
		hrtimer_start(&pit->timer, ns_to_ktime(max(when, earliest)),
			      HRTIMER_MODE_ABS_HARD);
	else
		hrtimer_try_to_cancel(&pit->timer);
}

static enum hrtimer_restart pit_expired(struct hrtimer *timer)
{
	struct ksvm_pit *pit = container_of(timer, struct ksvm_pit, timer);
	unsigned long flags;
	s64 now, earliest;
	u64 ticks;

	raw_spin_lock_irqsave(&pit->lock, flags);
	if (!pit->armed || hrtimer_is_queued(timer)) {
		raw_spin_unlock_irqrestore(&pit->lock, flags);
		return HRTIMER_NORESTART;
	}
	now = pit_now();
	earliest = now;
	ticks = pit_rises(&pit->channels[0], now) - pit->rises;
	if (pit_too_fast(pit)) {
		ticks = 1;
		earliest += ksvm_timer_period_min();
	}
	pit_add_ticks(pit, ticks);
	pit_arm(pit, now, earliest);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	pit_inject(pit);
	return HRTIMER_NORESTART;
}

/* A channel counts otherwise than before. */
static void pit_changed(struct ksvm_pit *pit, unsigned int channel, s64 now)
{
	if (channel)
		return;
	pit_forget_ticks(pit);
	pit_arm(pit, now, now);
}

static u8 pit_speaker_read(struct ksvm_pit *pit, s64 now)
{
	const struct pit_channel *channel = &pit->channels[PIT_SPEAKER_CHANNEL];
	u8 value = 0;

	if (channel->state.gate)
		value |= PIT_SPEAKER_GATE;
	if (pit->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		value |= PIT_SPEAKER_DATA;
	if (now / PIT_REFRESH_NS & 1)
		value |= PIT_SPEAKER_REFRESH;
	if (pit_out(channel, now))
		value |= PIT_SPEAKER_OUT;
	return value;
}

static void pit_speaker_write(struct ksvm_pit *pit, u8 value, s64 now)
{
	pit_set_gate(&pit->channels[PIT_SPEAKER_CHANNEL], value & PIT_SPEAKER_GATE, now);
	if (value & PIT_SPEAKER_DATA)
		pit->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	else
		pit->flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
}

/* Of accesses of more than a byte the first one counts; the rest reads as zeros. */
static int pit_port_read(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
			 unsigned int bytes, void *data)
{
	struct ksvm_pit *pit = container_of(device, struct ksvm_pit, device);
	unsigned long flags;
	u8 value = 0;
	s64 now;

	raw_spin_lock_irqsave(&pit->lock, flags);
	now = pit_now();
	if (address == PIT_SPEAKER_PORT)
		value = pit_speaker_read(pit, now);
	else if (address != PIT_PORT + PIT_PORT_CONTROL)
		value = pit_read(&pit->channels[address - PIT_PORT], now);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	memset(data, 0, bytes);
	*(u8 *)data = value;
	return 0;
}

static int pit_port_write(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
			  unsigned int bytes, const void *data)
{
	struct ksvm_pit *pit = container_of(device, struct ksvm_pit, device);
	u8 value = *(const u8 *)data;
	unsigned long flags;
	int channel = -1;
	s64 now;

	raw_spin_lock_irqsave(&pit->lock, flags);
	now = pit_now();
	if (address == PIT_SPEAKER_PORT)
		pit_speaker_write(pit, value, now);
	else if (address == PIT_PORT + PIT_PORT_CONTROL)
		channel = pit_control(pit->channels, value, now);
	else if (pit_write(&pit->channels[address - PIT_PORT], value, now))
		channel = address - PIT_PORT;
	if (channel >= 0)
		pit_changed(pit, channel, now);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

/* Freed by ksvm_pit_destroy(). */
static void pit_destructor(struct ksvm_io_device *device)
{
}

static const struct ksvm_io_device_ops pit_ops = {
	.read = pit_port_read,
	.write = pit_port_write,
	.destructor = pit_destructor,
};

/**
 * ksvm_create_pit() - KVM_CREATE_PIT2
 * @vm: the VM; vm->lock is held
 * @config: KVM_PIT_SPEAKER_DUMMY or no flags
 *
 * Return: 0; -EEXIST; -ENOENT without the 8259 pair; -EINVAL for other flags; -ENOMEM, or
 * what else ksvm_io_register() fails with.
 * Context: may sleep.
 */
int ksvm_create_pit(struct ksvm *vm, const struct kvm_pit_config *config)
{
	struct ksvm_pit *pit;
	int error;

	lockdep_assert_held(&vm->lock);
	if (vm->irq.pit)
		return -EEXIST;
	if (!vm->irq.pic)
		return -ENOENT;
	if (config->flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	pit->device.ops = &pit_ops;
	pit->notifier.gsi = PIT_GSI;
	pit->notifier.acked = pit_acked;
	mutex_init(&pit->config);
	ksvm_hrtimer_setup(&pit->timer, pit_expired);
	raw_spin_lock_init(&pit->lock);
	pit_init(pit->channels, pit_now());
	pit->reinject = true;
	error = ksvm_io_register(vm, KSVM_BUS_PIO, PIT_PORT, PIT_PORTS, &pit->device);
	if (!error && config->flags & KVM_PIT_SPEAKER_DUMMY)
		error = ksvm_io_register(vm, KSVM_BUS_PIO, PIT_SPEAKER_PORT, 1, &pit->device);
	if (error)
		goto fail;
	ksvm_ack_register(vm, &pit->notifier);
	/* Others look without vm->lock. */
	smp_store_release(&vm->irq.pit, pit);
	return 0;

fail:
	ksvm_io_unregister(vm, KSVM_BUS_PIO, &pit->device);
	hrtimer_cancel(&pit->timer);
	kfree(pit);
	return error;
}

/**
 * ksvm_pit_destroy() - take it away, if there is one
 * @vm: the VM, in which nobody runs any more; its other controllers are still there
 *
 * Context: may sleep.
 */
void ksvm_pit_destroy(struct ksvm *vm)
{
	struct ksvm_pit *pit = vm->irq.pit;

	if (!pit)
		return;
	ksvm_io_unregister(vm, KSVM_BUS_PIO, &pit->device);
	/* Nobody starts it now, except its callback. */
	hrtimer_cancel(&pit->timer);
	if (pit->reinject)
		ksvm_ack_unregister(vm, &pit->notifier);
	vm->irq.pit = NULL;
	kfree(pit);
}

/**
 * ksvm_get_pit() - KVM_GET_PIT2
 * @vm: the VM
 * @state: filled
 *
 * Return: 0, or -ENXIO without an 8254.
 */
int ksvm_get_pit(struct ksvm *vm, struct kvm_pit_state2 *state)
{
	struct ksvm_pit *pit = pit_of(vm);
	unsigned long flags;
	unsigned int i;

	if (!pit)
		return -ENXIO;
	memset(state, 0, sizeof(*state));
	raw_spin_lock_irqsave(&pit->lock, flags);
	for (i = 0; i < PIT_CHANNELS; i++)
		state->channels[i] = pit->channels[i].state;
	state->flags = pit->flags;
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

/**
 * ksvm_set_pit() - KVM_SET_PIT2
 * @vm: the VM
 * @state: any
 *
 * Channels go on in phase with their count_load_time, on CLOCK_MONOTONIC. A single tick
 * that was due before now comes now: whether it has come already is not in the state, and
 * one too many harms less than one that is missing.
 *
 * Return: 0, or -ENXIO without an 8254.
 */
int ksvm_set_pit(struct ksvm *vm, const struct kvm_pit_state2 *state)
{
	struct ksvm_pit *pit = pit_of(vm);
	unsigned long flags;
	unsigned int i;
	s64 now;

	if (!pit)
		return -ENXIO;
	raw_spin_lock_irqsave(&pit->lock, flags);
	now = pit_now();
	pit->flags = state->flags;
	for (i = 0; i < PIT_CHANNELS; i++)
		pit_restore(&pit->channels[i], &state->channels[i], now);
	pit_changed(pit, 0, now);
	if (!(pit->flags & KVM_PIT_FLAGS_HPET_LEGACY) && !pit_period(&pit->channels[0]))
		pit_add_ticks(pit, pit->rises);
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	pit_inject(pit);
	return 0;
}

/**
 * ksvm_set_pit_reinject() - KVM_REINJECT_CONTROL
 * @vm: the VM
 * @reinject: are ticks counted that the guest could not take in time
 *
 * Return: 0, or -ENXIO without an 8254.
 * Context: may sleep.
 */
int ksvm_set_pit_reinject(struct ksvm *vm, bool reinject)
{
	struct ksvm_pit *pit = pit_of(vm);
	unsigned long flags;
	bool before;

	if (!pit)
		return -ENXIO;
	mutex_lock(&pit->config);
	raw_spin_lock_irqsave(&pit->lock, flags);
	before = pit->reinject;
	if (before != reinject) {
		pit->reinject = reinject;
		pit_forget_ticks(pit);
	}
	raw_spin_unlock_irqrestore(&pit->lock, flags);
	if (reinject && !before)
		ksvm_ack_register(vm, &pit->notifier);
	if (!reinject && before)
		ksvm_ack_unregister(vm, &pit->notifier);
	mutex_unlock(&pit->config);
	return 0;
}
