/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The three channels of a PC's 8254 timer: what a counter and its output are, as
 * functions of the time that has passed. Pure; also built on the host.
 *
 * As in other hypervisors, BCD is stored but counts in binary, and a new count is taken
 * at once instead of at the end of the period. Outputs are the data sheet's. All that user
 * space can save is in struct kvm_pit_channel_state; a count that is not complete, a trigger
 * that has not come, and for how long a gate has been closed are not, and a restored
 * channel counts. Any value in there leads to defined behaviour.
 */
#ifndef KSVM_IRQ_PIT_COUNT_H
#define KSVM_IRQ_PIT_COUNT_H

#include <linux/kvm.h>

#include "pure.h"

#define PIT_HZ		1193182ull
#define PIT_NSEC	1000000000ull
#define PIT_CHANNELS	3
#define PIT_COUNT_MAX	0x10000		/* what a count of 0 means */
#define PIT_MODE_NONE	0xff		/* never programmed */

/* The control word: channel, access, mode, BCD. */
#define PIT_CONTROL_CHANNEL(value)	((value) >> 6)
#define PIT_CONTROL_ACCESS(value)	((value) >> 4 & 3)
#define PIT_CONTROL_MODE(value)		((value) >> 1 & 7)
#define PIT_CONTROL_BCD			0x01
/* In place of a channel: the read-back command, whose flags are active low. */
#define PIT_READ_BACK			3
#define PIT_READ_BACK_NO_STATUS		0x10
#define PIT_READ_BACK_NO_COUNT		0x20
#define PIT_READ_BACK_CHANNEL(channel)	(2u << (channel))

#define PIT_STATUS_OUT			0x80
#define PIT_STATUS_NULL			0x40	/* the count is not in the counter yet */

/* Which byte of the counter is next; the first three are also ways of access. */
enum pit_byte {
	PIT_LATCH,
	PIT_LOW,
	PIT_HIGH,
	PIT_BOTH,	/* the low one, and then the high one */
	PIT_BOTH_HIGH,	/* the high one of both */
};

enum pit_phase {
	PIT_COUNTS,
	PIT_NO_COUNT,	/* since the control word, or between two bytes */
	PIT_NO_TRIGGER,	/* modes 1 and 5 wait for the gate to open */
};

/**
 * struct pit_channel - a channel
 * @state: what user space sees; its count_load_time is when counting began
 * @closed: when the gate was closed, if it is and that stops the counter
 * @phase: does it count
 *
 * Times are in ns of any clock that does not go back.
 */
struct pit_channel {
	struct kvm_pit_channel_state state;
	s64 closed;
	enum pit_phase phase;
};

/* Neither function overflows: seconds are put aside. */
static inline u64 pit_ns_to_ticks(u64 ns)
{
	return ns / PIT_NSEC * PIT_HZ + ns % PIT_NSEC * PIT_HZ / PIT_NSEC;
}

/* When that many ticks have passed. */
static inline u64 pit_ticks_to_ns(u64 ticks)
{
	return ticks / PIT_HZ * PIT_NSEC + (ticks % PIT_HZ * PIT_NSEC + PIT_HZ - 1) / PIT_HZ;
}

/* In modes 1 and 5 the gate is the trigger; in the others it holds the counter. */
static inline bool pit_triggered(const struct pit_channel *channel)
{
	return channel->state.mode == 1 || channel->state.mode == 5;
}

static inline bool pit_stopped(const struct pit_channel *channel)
{
	return !channel->state.gate && !pit_triggered(channel);
}

/* Ticks that were counted so far. */
static inline u64 pit_ticks(const struct pit_channel *channel, s64 now)
{
	s64 end = pit_stopped(channel) ? channel->closed : now;

	if (channel->phase != PIT_COUNTS || end < channel->state.count_load_time)
		return 0;
	return pit_ns_to_ticks((u64)end - (u64)channel->state.count_load_time);
}

/* The length of the part of mode 3 in which the output is up. */
static inline u32 pit_square_high(const struct pit_channel *channel)
{
	return (channel->state.count + 1) / 2;
}

/**
 * pit_counter() - what a channel's counter shows
 * @channel: the channel
 * @now: when
 */
static inline u16 pit_counter(const struct pit_channel *channel, s64 now)
{
	u32 count = channel->state.count, passed;
	u64 ticks = pit_ticks(channel, now);

	switch (channel->state.mode) {
	case 0:
	case 1:
	case 4:
	case 5:
		return count - ticks;
	case 2:
		return count - ticks % count;
	case 3:
		passed = ticks % count;
		if (passed >= pit_square_high(channel))
			passed -= pit_square_high(channel);
		return (count & ~1u) - 2 * passed;
	default:
		return count;
	}
}

/**
 * pit_out() - a channel's output
 * @channel: the channel
 * @now: when
 */
static inline bool pit_out(const struct pit_channel *channel, s64 now)
{
	u32 count = channel->state.count;
	u64 ticks = pit_ticks(channel, now);

	if (channel->phase != PIT_COUNTS)
		return channel->state.mode;
	switch (channel->state.mode) {
	case 0:
	case 1:
		return ticks >= count;
	case 2:
		return pit_stopped(channel) || ticks % count != count - 1;
	case 3:
		return pit_stopped(channel) || ticks % count < pit_square_high(channel);
	case 4:
	case 5:
		return ticks != count;
	default:
		return true;
	}
}

/* Ticks from one rising edge to the next; 0 where there is one, or none, to come. */
static inline u32 pit_period(const struct pit_channel *channel)
{
	if (channel->state.mode != 2 && channel->state.mode != 3)
		return 0;
	return channel->state.count > 1 ? channel->state.count : 0;
}

/* The tick at which the output of a mode that is not periodic rises; 0 for never. */
static inline u32 pit_only_rise(const struct pit_channel *channel)
{
	switch (channel->state.mode) {
	case 0:
	case 1:
		return channel->state.count;
	case 4:
	case 5:
		return channel->state.count + 1;
	default:
		return 0;
	}
}

/**
 * pit_rises() - how often the output has gone up since counting began
 * @channel: the channel
 * @now: when
 */
static inline u64 pit_rises(const struct pit_channel *channel, s64 now)
{
	u64 ticks = pit_ticks(channel, now);
	u32 only = pit_only_rise(channel);

	if (pit_period(channel))
		return ticks / pit_period(channel);
	return only && ticks >= only;
}

/**
 * pit_next_rise() - when the output goes up next
 * @channel: the channel
 * @now: after this time
 * @when: set if it does
 *
 * Return: false if it does not go up by itself.
 */
static inline bool pit_next_rise(const struct pit_channel *channel, s64 now, s64 *when)
{
	u64 rises = pit_rises(channel, now), ticks;

	if (channel->phase != PIT_COUNTS || pit_stopped(channel))
		return false;
	if (pit_period(channel))
		ticks = (rises + 1) * pit_period(channel);
	else
		ticks = rises ? 0 : pit_only_rise(channel);
	if (!ticks)
		return false;
	*when = (u64)channel->state.count_load_time + pit_ticks_to_ns(ticks);
	return true;
}

static inline void pit_latch_count(struct pit_channel *channel, s64 now)
{
	if (channel->state.count_latched)
		return;
	channel->state.latched_count = pit_counter(channel, now);
	channel->state.count_latched = channel->state.rw_mode;
}

static inline void pit_latch_status(struct pit_channel *channel, s64 now)
{
	struct kvm_pit_channel_state *state = &channel->state;

	if (state->status_latched)
		return;
	state->status = (state->rw_mode & 3) << 4 | (state->mode & 7) << 1 | (state->bcd & 1);
	if (pit_out(channel, now))
		state->status |= PIT_STATUS_OUT;
	if (channel->phase != PIT_COUNTS)
		state->status |= PIT_STATUS_NULL;
	state->status_latched = 1;
}

static inline u8 pit_read_latched(struct kvm_pit_channel_state *state)
{
	u8 which = state->count_latched;

	state->count_latched = which == PIT_BOTH ? PIT_HIGH : 0;
	return which == PIT_HIGH ? state->latched_count >> 8 : state->latched_count;
}

/**
 * pit_read() - read a channel's port
 * @channel: the channel
 * @now: when
 *
 * Return: the status if that is latched, else the next byte of the count.
 */
static inline u8 pit_read(struct pit_channel *channel, s64 now)
{
	struct kvm_pit_channel_state *state = &channel->state;
	u16 counter;

	if (state->status_latched) {
		state->status_latched = 0;
		return state->status;
	}
	if (state->count_latched)
		return pit_read_latched(state);
	counter = pit_counter(channel, now);
	switch (state->read_state) {
	case PIT_HIGH:
		return counter >> 8;
	case PIT_BOTH:
		state->read_state = PIT_BOTH_HIGH;
		return counter;
	case PIT_BOTH_HIGH:
		state->read_state = PIT_BOTH;
		return counter >> 8;
	default:
		return counter;
	}
}

/* Counting begins, or is prepared for the trigger. */
static inline void pit_load(struct pit_channel *channel, u16 count, s64 now)
{
	channel->state.count = count ?: PIT_COUNT_MAX;
	channel->state.count_load_time = now;
	channel->closed = now;
	channel->phase = pit_triggered(channel) ? PIT_NO_TRIGGER : PIT_COUNTS;
}

/**
 * pit_write() - write a channel's port
 * @channel: the channel
 * @value: the next byte of its count
 * @now: when
 *
 * Return: true if the channel counts otherwise than before.
 */
static inline bool pit_write(struct pit_channel *channel, u8 value, s64 now)
{
	struct kvm_pit_channel_state *state = &channel->state;

	switch (state->write_state) {
	case PIT_HIGH:
		pit_load(channel, value << 8, now);
		return true;
	case PIT_BOTH:
		state->write_latch = value;
		state->write_state = PIT_BOTH_HIGH;
		if (state->mode)
			return false;
		channel->phase = PIT_NO_COUNT;
		return true;
	case PIT_BOTH_HIGH:
		state->write_state = PIT_BOTH;
		pit_load(channel, state->write_latch | value << 8, now);
		return true;
	default:
		pit_load(channel, value, now);
		return true;
	}
}

static inline void pit_program(struct pit_channel *channel, u8 value)
{
	struct kvm_pit_channel_state *state = &channel->state;

	state->rw_mode = PIT_CONTROL_ACCESS(value);
	state->read_state = state->rw_mode;
	state->write_state = state->rw_mode;
	state->count_latched = 0;
	state->status_latched = 0;
	state->mode = PIT_CONTROL_MODE(value);
	if (state->mode > 5)
		state->mode -= 4;
	state->bcd = value & PIT_CONTROL_BCD;
	channel->phase = PIT_NO_COUNT;
}

/**
 * pit_control() - write the control port
 * @channels: all channels
 * @value: the byte
 * @now: when
 *
 * Return: the channel that has stopped counting, or -1.
 */
static inline int pit_control(struct pit_channel *channels, u8 value, s64 now)
{
	unsigned int channel = PIT_CONTROL_CHANNEL(value);

	if (channel != PIT_READ_BACK) {
		if (PIT_CONTROL_ACCESS(value) == PIT_LATCH) {
			pit_latch_count(&channels[channel], now);
			return -1;
		}
		pit_program(&channels[channel], value);
		return channel;
	}
	for (channel = 0; channel < PIT_CHANNELS; channel++) {
		if (!(value & PIT_READ_BACK_CHANNEL(channel)))
			continue;
		if (!(value & PIT_READ_BACK_NO_COUNT))
			pit_latch_count(&channels[channel], now);
		if (!(value & PIT_READ_BACK_NO_STATUS))
			pit_latch_status(&channels[channel], now);
	}
	return -1;
}

/**
 * pit_set_gate() - open or close a channel's gate
 * @channel: the channel
 * @open: what it is to be
 * @now: when
 *
 * Opening it lets modes 0 and 4 go on, and the others begin anew.
 */
static inline void pit_set_gate(struct pit_channel *channel, bool open, s64 now)
{
	struct kvm_pit_channel_state *state = &channel->state;

	if (open == !!state->gate)
		return;
	state->gate = open;
	if (!open) {
		channel->closed = now;
		return;
	}
	if (channel->phase == PIT_NO_COUNT)
		return;
	if (state->mode == 0 || state->mode == 4) {
		state->count_load_time += (u64)now - (u64)channel->closed;
	} else {
		state->count_load_time = now;
		channel->phase = PIT_COUNTS;
	}
}

/**
 * pit_restore() - set what user space has saved
 * @channel: the channel
 * @state: any; a count of 0, or one that no guest can write, becomes the largest
 * @now: counting has not begun later than this
 */
static inline void pit_restore(struct pit_channel *channel,
			       const struct kvm_pit_channel_state *state, s64 now)
{
	channel->state = *state;
	if (!state->count || state->count > PIT_COUNT_MAX)
		channel->state.count = PIT_COUNT_MAX;
	if (state->count_load_time > now)
		channel->state.count_load_time = now;
	channel->closed = now;
	channel->phase = PIT_COUNTS;
}

/**
 * pit_init() - state after power-on
 * @channels: all channels
 * @now: when
 *
 * The gates of channels 0 and 1 are wired to be open.
 */
static inline void pit_init(struct pit_channel *channels, s64 now)
{
	unsigned int i;

	for (i = 0; i < PIT_CHANNELS; i++) {
		const struct kvm_pit_channel_state state = {
			.count = PIT_COUNT_MAX,
			.mode = PIT_MODE_NONE,
			.gate = i != 2,
			.count_load_time = now,
		};

		pit_restore(&channels[i], &state, now);
	}
}

#endif
