// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254's channels: the data sheet's modes one by one, then random operations
 * against a model whose counters go down tick by tick.
 */
#include <string.h>

#include "../../../irq/pit_count.h"
#include "tap.h"

static struct pit_channel channels[PIT_CHANNELS];
static s64 now;

/* As time goes on: the first nanosecond at which so many more ticks have passed. */
static s64 begin;
static u64 ticks;

static void set_clock(void)
{
	begin = now;
	ticks = 0;
}

static void tick(u64 more)
{
	ticks += more;
	now = begin + pit_ticks_to_ns(ticks);
}

static void control(u8 value)
{
	pit_control(channels, value, now);
}

static void setup(void)
{
	now = 123456789012345;
	pit_init(channels, now);
}

/* Channel @n in @mode with @count, both bytes, at the clock's zero. */
static void program(unsigned int n, unsigned int mode, u16 count)
{
	control(n << 6 | PIT_BOTH << 4 | mode << 1);
	pit_write(&channels[n], count & 0xff, now);
	pit_write(&channels[n], count >> 8, now);
	set_clock();
}

static u16 counter(unsigned int n)
{
	return pit_counter(&channels[n], now);
}

static bool out(unsigned int n)
{
	return pit_out(&channels[n], now);
}

/* Latch and read the count of a channel that is read in both bytes. */
static u16 latched(unsigned int n)
{
	u16 value;

	control(n << 6);
	value = pit_read(&channels[n], now);
	return value | pit_read(&channels[n], now) << 8;
}

static u8 status(unsigned int n)
{
	control(PIT_READ_BACK << 6 | PIT_READ_BACK_NO_COUNT | PIT_READ_BACK_CHANNEL(n));
	return pit_read(&channels[n], now);
}

static void conversion(void)
{
	static const u64 samples[] = {
		0, 1, 837, 838, 839, 999999999, 1000000000, 1000000001, 54925439, 1ull << 40,
		1ull << 62, ~0ull - 1000000000, ~0ull,
	};
	unsigned int i;

	EXPECT_EQ(pit_ns_to_ticks(PIT_NSEC), PIT_HZ);
	EXPECT_EQ(pit_ns_to_ticks(PIT_NSEC - 1), PIT_HZ - 1);
	EXPECT_EQ(pit_ticks_to_ns(PIT_HZ), PIT_NSEC);
	EXPECT_EQ(pit_ticks_to_ns(0), 0);
	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		u64 n = pit_ns_to_ticks(samples[i]);

		EXPECT_EQ(n, (u64)((__uint128_t)samples[i] * PIT_HZ / PIT_NSEC));
		EXPECT(pit_ticks_to_ns(n) <= samples[i]);
		EXPECT_EQ(pit_ns_to_ticks(pit_ticks_to_ns(n)), n);
		if (n)
			EXPECT_EQ(pit_ns_to_ticks(pit_ticks_to_ns(n) - 1), n - 1);
	}
}

static void power_on(void)
{
	unsigned int n;
	s64 when;

	setup();
	for (n = 0; n < PIT_CHANNELS; n++) {
		EXPECT_EQ(channels[n].state.count, 0x10000);
		EXPECT_EQ(channels[n].state.mode, 0xff);
		EXPECT_EQ(channels[n].state.gate, n != 2);
		EXPECT(!pit_next_rise(&channels[n], now, &when));
	}
	now += PIT_NSEC;
	EXPECT_EQ(pit_rises(&channels[0], now), 0);
}

/* What a mode shows at some ticks after the count was written. */
struct shown {
	u64 tick;
	u16 counter;
	bool out;
	u64 rises;
};

static const struct mode_row {
	const char *name;
	unsigned int mode;
	u16 count;
	struct shown shown[7];
} mode_rows[] = {
	{ "mode 0", 0, 4, {
		{ 0, 4, 0, 0 }, { 1, 3, 0, 0 }, { 3, 1, 0, 0 }, { 4, 0, 1, 1 },
		{ 5, 0xffff, 1, 1 }, { 4 + 65536, 0, 1, 1 }, { 1000000, 0xbdc4, 1, 1 } } },
	{ "mode 0, largest count", 0, 0, {
		{ 0, 0, 0, 0 }, { 1, 0xffff, 0, 0 }, { 65535, 1, 0, 0 }, { 65536, 0, 1, 1 },
		{ 65537, 0xffff, 1, 1 }, { 131072, 0, 1, 1 }, { 131073, 0xffff, 1, 1 } } },
	{ "mode 2", 2, 3, {
		{ 0, 3, 1, 0 }, { 1, 2, 1, 0 }, { 2, 1, 0, 0 }, { 3, 3, 1, 1 },
		{ 5, 1, 0, 1 }, { 6, 3, 1, 2 }, { 3000001, 2, 1, 1000000 } } },
	{ "mode 2, largest count", 2, 0, {
		{ 0, 0, 1, 0 }, { 1, 0xffff, 1, 0 }, { 65535, 1, 0, 0 }, { 65536, 0, 1, 1 },
		{ 65537, 0xffff, 1, 1 }, { 131071, 1, 0, 1 }, { 131072, 0, 1, 2 } } },
	{ "mode 2, count 1 is none", 2, 1, {
		{ 0, 1, 0, 0 }, { 1, 1, 0, 0 }, { 2, 1, 0, 0 }, { 3, 1, 0, 0 },
		{ 4, 1, 0, 0 }, { 5, 1, 0, 0 }, { 100, 1, 0, 0 } } },
	{ "mode 3, even", 3, 6, {
		{ 0, 6, 1, 0 }, { 1, 4, 1, 0 }, { 2, 2, 1, 0 }, { 3, 6, 0, 0 },
		{ 5, 2, 0, 0 }, { 6, 6, 1, 1 }, { 9, 6, 0, 1 } } },
	{ "mode 3, odd", 3, 5, {
		{ 0, 4, 1, 0 }, { 1, 2, 1, 0 }, { 2, 0, 1, 0 }, { 3, 4, 0, 0 },
		{ 4, 2, 0, 0 }, { 5, 4, 1, 1 }, { 8, 4, 0, 1 } } },
	{ "mode 3, count 1 is none", 3, 1, {
		{ 0, 0, 1, 0 }, { 1, 0, 1, 0 }, { 2, 0, 1, 0 }, { 3, 0, 1, 0 },
		{ 4, 0, 1, 0 }, { 5, 0, 1, 0 }, { 100, 0, 1, 0 } } },
	{ "mode 4", 4, 3, {
		{ 0, 3, 1, 0 }, { 1, 2, 1, 0 }, { 2, 1, 1, 0 }, { 3, 0, 0, 0 },
		{ 4, 0xffff, 1, 1 }, { 5, 0xfffe, 1, 1 }, { 3 + 65536, 0, 1, 1 } } },
	/* Modes 6 and 7 are 2 and 3. */
	{ "mode 6", 6, 3, {
		{ 0, 3, 1, 0 }, { 1, 2, 1, 0 }, { 2, 1, 0, 0 }, { 3, 3, 1, 1 },
		{ 5, 1, 0, 1 }, { 6, 3, 1, 2 }, { 7, 2, 1, 2 } } },
	{ "mode 7", 7, 6, {
		{ 0, 6, 1, 0 }, { 1, 4, 1, 0 }, { 2, 2, 1, 0 }, { 3, 6, 0, 0 },
		{ 5, 2, 0, 0 }, { 6, 6, 1, 1 }, { 9, 6, 0, 1 } } },
};

static void mode(const struct mode_row *row)
{
	unsigned int i;

	setup();
	program(0, row->mode, row->count);
	for (i = 0; i < ARRAY_SIZE(row->shown); i++) {
		const struct shown *shown = &row->shown[i];

		tick(shown->tick - ticks);
		EXPECT_EQ(counter(0), shown->counter);
		EXPECT_EQ(out(0), shown->out);
		EXPECT_EQ(pit_rises(&channels[0], now), shown->rises);
		EXPECT_EQ(latched(0), shown->counter);
	}
}

/* Modes 1 and 5, on channel 2, whose gate triggers them. */
static void one_shot(void)
{
	setup();
	program(2, 1, 3);
	EXPECT(out(2));
	tick(10);
	EXPECT(out(2));
	EXPECT_EQ(counter(2), 3);
	EXPECT_EQ(status(2), PIT_STATUS_OUT | PIT_STATUS_NULL | PIT_BOTH << 4 | 1 << 1);
	pit_set_gate(&channels[2], true, now);
	set_clock();
	EXPECT(!out(2));
	EXPECT_EQ(status(2), PIT_BOTH << 4 | 1 << 1);
	tick(2);
	EXPECT(!out(2));
	EXPECT_EQ(counter(2), 1);
	/* Closing it changes nothing, opening it once more begins anew. */
	pit_set_gate(&channels[2], false, now);
	EXPECT_EQ(counter(2), 1);
	pit_set_gate(&channels[2], true, now);
	set_clock();
	EXPECT_EQ(counter(2), 3);
	tick(3);
	EXPECT(out(2));
	EXPECT_EQ(pit_rises(&channels[2], now), 1);
}

static void triggered_strobe(void)
{
	s64 when;

	setup();
	program(2, 5, 2);
	tick(5);
	EXPECT(out(2));
	EXPECT(!pit_next_rise(&channels[2], now, &when));
	pit_set_gate(&channels[2], true, now);
	set_clock();
	EXPECT(out(2));
	tick(1);
	EXPECT(out(2));
	tick(1);
	EXPECT(!out(2));
	tick(1);
	EXPECT(out(2));
	EXPECT_EQ(counter(2), 0xffff);
	/* Nobody can trigger channel 0. */
	program(0, 5, 2);
	tick(100);
	EXPECT(!pit_next_rise(&channels[0], now, &when));
	EXPECT_EQ(pit_rises(&channels[0], now), 0);
}

static void gate_holds(void)
{
	setup();
	program(2, 0, 10);
	tick(100);
	EXPECT_EQ(counter(2), 10);
	EXPECT(!out(2));
	pit_set_gate(&channels[2], true, now);
	set_clock();
	tick(4);
	EXPECT_EQ(counter(2), 6);
	pit_set_gate(&channels[2], true, now);
	EXPECT_EQ(counter(2), 6);
	pit_set_gate(&channels[2], false, now);
	tick(100);
	EXPECT_EQ(counter(2), 6);
	EXPECT(!out(2));
	pit_set_gate(&channels[2], true, now);
	set_clock();
	tick(5);
	EXPECT(!out(2));
	tick(1);
	EXPECT(out(2));
}

static void gate_restarts(void)
{
	s64 when;

	setup();
	pit_set_gate(&channels[2], true, now);
	program(2, 3, 10);
	tick(7);
	EXPECT(!out(2));
	EXPECT(pit_next_rise(&channels[2], now, &when));
	pit_set_gate(&channels[2], false, now);
	EXPECT(out(2));
	EXPECT(!pit_next_rise(&channels[2], now, &when));
	tick(1);
	EXPECT_EQ(counter(2), 6);
	pit_set_gate(&channels[2], true, now);
	set_clock();
	EXPECT_EQ(counter(2), 10);
	tick(1);
	EXPECT_EQ(counter(2), 8);
}

static void control_stops(void)
{
	s64 when;

	setup();
	program(0, 2, 100);
	EXPECT(pit_next_rise(&channels[0], now, &when));
	EXPECT_EQ(pit_control(channels, PIT_BOTH << 4 | 0 << 1, now), 0);
	EXPECT(!pit_next_rise(&channels[0], now, &when));
	tick(1000);
	EXPECT(!out(0));
	EXPECT_EQ(status(0), PIT_STATUS_NULL | PIT_BOTH << 4);
	EXPECT(pit_write(&channels[0], 50, now));
	EXPECT(!pit_next_rise(&channels[0], now, &when));
	EXPECT(pit_write(&channels[0], 0, now));
	EXPECT(pit_next_rise(&channels[0], now, &when));
	EXPECT_EQ(when, now + pit_ticks_to_ns(50));
	/* Half of a count stops mode 0 and no other. */
	EXPECT(pit_write(&channels[0], 50, now));
	EXPECT(!pit_next_rise(&channels[0], now, &when));
	program(0, 2, 100);
	EXPECT(!pit_write(&channels[0], 50, now));
	EXPECT(pit_next_rise(&channels[0], now, &when));
	/* Another channel's control word does not concern this one. */
	EXPECT_EQ(pit_control(channels, 1 << 6 | PIT_BOTH << 4, now), 1);
	EXPECT(pit_next_rise(&channels[0], now, &when));
	EXPECT_EQ(pit_control(channels, 0, now), -1);
	EXPECT_EQ(pit_control(channels, 0xc2, now), -1);
}

static void access(void)
{
	setup();
	control(PIT_LOW << 4 | 2 << 1);
	pit_write(&channels[0], 0x34, now);
	EXPECT_EQ(channels[0].state.count, 0x34);
	EXPECT_EQ(pit_read(&channels[0], now), 0x34);
	EXPECT_EQ(pit_read(&channels[0], now), 0x34);
	control(PIT_HIGH << 4 | 2 << 1);
	pit_write(&channels[0], 0x12, now);
	EXPECT_EQ(channels[0].state.count, 0x1200);
	EXPECT_EQ(pit_read(&channels[0], now), 0x12);
	EXPECT_EQ(pit_read(&channels[0], now), 0x12);
	control(PIT_BOTH << 4 | 2 << 1);
	pit_write(&channels[0], 0x78, now);
	EXPECT_EQ(channels[0].state.count, 0x1200);
	pit_write(&channels[0], 0x56, now);
	EXPECT_EQ(channels[0].state.count, 0x5678);
	EXPECT_EQ(pit_read(&channels[0], now), 0x78);
	EXPECT_EQ(pit_read(&channels[0], now), 0x56);
	EXPECT_EQ(pit_read(&channels[0], now), 0x78);
	/* A control word begins anew with the low byte. */
	control(PIT_BOTH << 4 | 2 << 1);
	EXPECT_EQ(pit_read(&channels[0], now), 0x78);
	/* BCD is kept and counts in binary. */
	control(PIT_BOTH << 4 | 2 << 1 | 1);
	pit_write(&channels[0], 0x10, now);
	pit_write(&channels[0], 0, now);
	set_clock();
	tick(1);
	EXPECT_EQ(counter(0), 15);
	EXPECT_EQ(status(0) & 0x3f, PIT_BOTH << 4 | 2 << 1 | 1);
}

static void latches(void)
{
	setup();
	program(0, 2, 1000);
	control(0);
	tick(10);
	/* The second of two latches is ignored. */
	control(0);
	EXPECT_EQ(pit_read(&channels[0], now), 1000 & 0xff);
	tick(10);
	EXPECT_EQ(pit_read(&channels[0], now), 1000 >> 8);
	EXPECT_EQ(pit_read(&channels[0], now), 980 & 0xff);
	EXPECT_EQ(pit_read(&channels[0], now), 980 >> 8);
	/* Status first, then the count; both of several channels with one command. */
	program(1, 4, 500);
	tick(1);
	control(PIT_READ_BACK << 6 | PIT_READ_BACK_CHANNEL(0) | PIT_READ_BACK_CHANNEL(1));
	tick(1);
	EXPECT_EQ(pit_read(&channels[1], now), PIT_STATUS_OUT | PIT_BOTH << 4 | 4 << 1);
	EXPECT_EQ(pit_read(&channels[1], now), 499 & 0xff);
	EXPECT_EQ(pit_read(&channels[1], now), 499 >> 8);
	EXPECT_EQ(pit_read(&channels[1], now), 498 & 0xff);
	EXPECT_EQ(pit_read(&channels[1], now), 498 >> 8);
	EXPECT_EQ(pit_read(&channels[0], now), PIT_STATUS_OUT | PIT_BOTH << 4 | 2 << 1);
	EXPECT_EQ(channels[2].state.status_latched | channels[2].state.count_latched, 0);
	/* The count of a channel that was read by half stays; a control word drops it. */
	EXPECT_EQ(channels[0].state.count_latched, PIT_BOTH);
	control(PIT_BOTH << 4 | 2 << 1);
	EXPECT_EQ(channels[0].state.count_latched, 0);
	/* Neither of the two: nothing. */
	control(PIT_READ_BACK << 6 | PIT_READ_BACK_NO_COUNT | PIT_READ_BACK_NO_STATUS | 0xe);
	EXPECT_EQ(channels[0].state.count_latched | channels[0].state.status_latched, 0);
	/* One byte only. */
	control(PIT_HIGH << 4 | 2 << 1);
	pit_write(&channels[0], 3, now);
	control(0);
	EXPECT_EQ(pit_read(&channels[0], now), 3);
	EXPECT_EQ(channels[0].state.count_latched, 0);
}

static void restored(void)
{
	struct kvm_pit_channel_state state = {
		.count = 1000, .latched_count = 0x1234, .count_latched = PIT_HIGH,
		.status_latched = 1, .status = 0x5a, .read_state = PIT_BOTH_HIGH,
		.write_state = PIT_BOTH_HIGH, .write_latch = 0x77, .rw_mode = PIT_BOTH,
		.mode = 2, .bcd = 1, .gate = 1,
	};
	struct pit_channel channel;
	s64 when;

	now = PIT_NSEC;
	pit_restore(&channel, &state, now);
	EXPECT(!memcmp(&channel.state, &state, sizeof(state)));
	/* In phase with when counting began. */
	EXPECT_EQ(pit_rises(&channel, now), PIT_HZ / 1000);
	EXPECT(pit_next_rise(&channel, now, &when));
	EXPECT_EQ(when, (s64)pit_ticks_to_ns((PIT_HZ / 1000 + 1) * 1000));
	EXPECT_EQ(pit_read(&channel, now), 0x5a);
	EXPECT_EQ(pit_read(&channel, now), 0x12);
	EXPECT_EQ(pit_read(&channel, now), (1000 - PIT_HZ % 1000) >> 8);
	pit_write(&channel, 1, now);
	EXPECT_EQ(channel.state.count, 0x177);
	/* From a clock that is ahead, or with a count that is none. */
	state.count_load_time = now + 1;
	state.count = 0;
	pit_restore(&channel, &state, now);
	EXPECT_EQ(channel.state.count_load_time, now);
	EXPECT_EQ(channel.state.count, 0x10000);
	state.count = 0x10001;
	pit_restore(&channel, &state, now);
	EXPECT_EQ(channel.state.count, 0x10000);
	/* Long ago. */
	state.mode = 0;
	state.count_load_time = INT64_MIN;
	pit_restore(&channel, &state, INT64_MAX);
	EXPECT_EQ(channel.state.count_load_time, INT64_MIN);
	EXPECT(pit_out(&channel, INT64_MAX));
	EXPECT(!pit_next_rise(&channel, INT64_MAX, &when));
}

/* The model: counters that go down. */
struct model_channel {
	unsigned int mode, rw;
	u32 count;		/* as written */
	u32 element;		/* the counter itself */
	bool output, gate, counting, strobed;
	enum { HAS_NONE, HAS_COUNT } loaded;
	bool triggered;
	u64 rises;
	u64 phase;		/* of the next tick, in 1/PIT_HZ ns */
	/* ports */
	bool write_high, read_high, bcd;
	u8 low;
	unsigned int latched_bytes;
	u16 latch;
	bool has_status;
	u8 status;
};

static struct model_channel model[PIT_CHANNELS];

static void model_output(struct model_channel *m, bool level)
{
	m->rises += level && !m->output;
	m->output = level;
}

static void model_tick(struct model_channel *m)
{
	switch (m->mode) {
	case 0:
	case 1:
		m->element = m->element ? m->element - 1 : 0xffff;
		if (!m->element)
			model_output(m, true);
		break;
	case 2:
		if (!--m->element)
			m->element = m->count;
		model_output(m, m->element != 1);
		break;
	case 3:
		if (m->count == 1)
			break;
		if (m->output && m->count % 2 && !m->element) {
			m->element = m->count - 1;
			model_output(m, false);
			break;
		}
		m->element -= 2;
		if (!m->element && !(m->output && m->count % 2)) {
			m->element = m->count - m->count % 2;
			model_output(m, !m->output);
		}
		break;
	default:
		m->element = m->element ? m->element - 1 : 0xffff;
		model_output(m, m->element || m->strobed);
		m->strobed |= !m->element;
	}
}

/* The counter takes its count. */
static void model_begin(struct model_channel *m)
{
	m->element = m->mode == 3 ? m->count - m->count % 2 : m->count;
	m->counting = true;
	m->strobed = false;
	m->phase = 0;
	m->rises = 0;
	m->output = m->mode > 1;
	if (m->mode == 2 && m->count == 1)
		m->output = false;
	if (m->mode >= 2 && m->mode <= 3 && !m->gate)
		m->output = true;
}

static void model_pass(struct model_channel *m, u64 ns)
{
	if (!m->counting || (!m->gate && m->mode != 1 && m->mode != 5))
		return;
	m->phase += ns * PIT_HZ;
	for (; m->phase >= PIT_NSEC; m->phase -= PIT_NSEC)
		model_tick(m);
}

static void model_load(struct model_channel *m, u32 count)
{
	m->count = count ? count : 65536;
	m->loaded = HAS_COUNT;
	if (m->mode == 1 || m->mode == 5) {
		m->element = m->count;
		m->counting = false;
		m->output = true;
		m->rises = 0;
	} else {
		model_begin(m);
	}
}

static void model_no_count(struct model_channel *m)
{
	m->counting = false;
	m->loaded = HAS_NONE;
	m->output = m->mode != 0;
	m->rises = 0;
}

static void model_program(struct model_channel *m, u8 value)
{
	m->rw = value >> 4 & 3;
	m->mode = value >> 1 & 7;
	if (m->mode >= 6)
		m->mode -= 4;
	m->bcd = value & 1;
	m->write_high = false;
	m->read_high = false;
	m->latched_bytes = 0;
	m->has_status = false;
	model_no_count(m);
}

static void model_write(struct model_channel *m, u8 value)
{
	if (m->rw == 2) {
		model_load(m, value * 256);
	} else if (m->rw < 2) {
		model_load(m, value);
	} else if (m->write_high) {
		m->write_high = false;
		model_load(m, m->low + value * 256);
	} else {
		m->write_high = true;
		m->low = value;
		if (!m->mode)
			model_no_count(m);
	}
}

/* A counter that does not hold a count shows the last one that was written. */
static u16 model_counter(const struct model_channel *m)
{
	if (m->counting)
		return m->element;
	return m->mode == 3 ? m->count - m->count % 2 : m->count;
}

static void model_latch(struct model_channel *m)
{
	if (m->latched_bytes)
		return;
	m->latched_bytes = m->rw;
	m->latch = model_counter(m);
}

static u8 model_read(struct model_channel *m)
{
	u16 value = model_counter(m);
	bool high = m->rw == 2;

	if (m->has_status) {
		m->has_status = false;
		return m->status;
	}
	if (m->latched_bytes) {
		value = m->latch;
		high = m->latched_bytes == 2;
		m->latched_bytes = m->latched_bytes == 3 ? 2 : 0;
	} else if (m->rw == 3) {
		high = m->read_high;
		m->read_high = !m->read_high;
	}
	return high ? value / 256 : value % 256;
}

static void model_control(u8 value)
{
	unsigned int i;

	if (value < 0xc0) {
		if (value & 0x30)
			model_program(&model[value >> 6], value);
		else
			model_latch(&model[value >> 6]);
		return;
	}
	for (i = 0; i < PIT_CHANNELS; i++) {
		struct model_channel *m = &model[i];

		if (!(value & 2 << i))
			continue;
		if (!(value & 0x20))
			model_latch(m);
		if (value & 0x10 || m->has_status)
			continue;
		m->has_status = true;
		m->status = m->output * 0x80 + !m->counting * 0x40 + m->rw * 0x10 + m->mode * 2 +
			    m->bcd;
	}
}

static void model_gate(struct model_channel *m, bool open)
{
	bool opens = open && !m->gate;

	m->gate = open;
	if (m->loaded == HAS_NONE)
		return;
	if (!open && (m->mode == 2 || m->mode == 3)) {
		m->output = true;
		return;
	}
	if (opens && m->mode != 0 && m->mode != 4)
		model_begin(m);
}

static u64 seed;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

static void random_write(void)
{
	unsigned int n = rnd(PIT_CHANNELS);
	/* Small counts, so that they come to an end. */
	u8 value = rnd(8) ? rnd(3) * rnd(12) : rnd(256);

	pit_write(&channels[n], value, now);
	model_write(&model[n], value);
}

static void random_control(void)
{
	u8 value = rnd(4) ? rnd(0xc0) : 0xc0 + rnd(0x40);

	pit_control(channels, value, now);
	model_control(value);
}

/* In short steps mostly, and now and then in such that long counts end in. */
static void random_wait(void)
{
	unsigned int i, ns = rnd(10) ? rnd(5000) : rnd(1000000);

	now += ns;
	for (i = 0; i < PIT_CHANNELS; i++)
		model_pass(&model[i], ns);
}

static bool same_channel(unsigned int n)
{
	const struct pit_channel *channel = &channels[n];
	const struct model_channel *m = &model[n];
	struct model_channel later = *m;
	s64 when;

	if (pit_counter(channel, now) != model_counter(m) || pit_out(channel, now) != m->output ||
	    pit_rises(channel, now) != m->rises)
		return false;
	if (!pit_next_rise(channel, now, &when))
		return true;
	/* Not a nanosecond earlier, and then at once. */
	if (when <= now || when - now > 60000000)
		return false;
	if (when - now > 100000)
		return true;
	model_pass(&later, when - now - 1);
	if (later.rises != m->rises)
		return false;
	model_pass(&later, 1);
	return later.rises == m->rises + 1;
}

static bool random_sequence(void)
{
	unsigned int step, n;
	bool open, alike;

	setup();
	memset(model, 0, sizeof(model));
	for (n = 0; n < PIT_CHANNELS; n++) {
		u8 value = n << 6 | (1 + rnd(3)) << 4 | rnd(16);

		model[n].gate = n != 2;
		model[n].count = 65536;
		pit_control(channels, value, now);
		model_control(value);
	}
	for (step = 0; step < 40; step++) {
		alike = true;
		switch (rnd(8)) {
		case 0:
			random_control();
			break;
		case 1:
			open = rnd(2);
			pit_set_gate(&channels[2], open, now);
			model_gate(&model[2], open);
			break;
		case 2 ... 3:
			random_write();
			break;
		case 4:
			n = rnd(PIT_CHANNELS);
			alike = pit_read(&channels[n], now) == model_read(&model[n]);
			break;
		default:
			random_wait();
		}
		for (n = 0; n < PIT_CHANNELS; n++) {
			if (alike && same_channel(n))
				continue;
			printf("# step %u, channel %u, mode %u, count %u\n", step, n,
			       model[n].mode, model[n].count);
			printf("# counter %u, output %u, %u rises\n",
			       pit_counter(&channels[n], now), pit_out(&channels[n], now),
			       (unsigned int)pit_rises(&channels[n], now));
			printf("# expected %u, %u, %u\n", model_counter(&model[n]),
			       model[n].output, (unsigned int)model[n].rises);
			return false;
		}
	}
	return true;
}

static void fuzz(void)
{
	unsigned int i;

	for (i = 0; i < 250000; i++) {
		seed = i;
		if (!random_sequence()) {
			printf("# sequence %u\n", i);
			EXPECT(false);
			return;
		}
	}
}

/* Whatever user space sets, and at whatever time: nothing undefined, edges to come. */
static void fuzz_garbage(void)
{
	unsigned int i, k;

	seed = 99;
	for (i = 0; i < 100000; i++) {
		struct kvm_pit_channel_state state;
		u8 *bytes = (u8 *)&state;
		s64 when;

		for (k = 0; k < sizeof(state); k++)
			bytes[k] = rnd(256);
		if (rnd(4))
			state.mode = rnd(6);
		now = (u64)rnd(1 << 30) << 33 | rnd(1 << 30);
		pit_restore(&channels[0], &state, now);
		for (k = 0; k < 8; k++) {
			bool rises = pit_next_rise(&channels[0], now, &when);

			EXPECT(!rises || (when > now && when - now < 56000000));
			EXPECT(channels[0].state.count && channels[0].state.count <= 0x10000);
			pit_read(&channels[0], now);
			if (rnd(2))
				pit_write(&channels[0], rnd(256), now);
			if (rnd(2))
				pit_control(channels, rnd(256), now);
			pit_set_gate(&channels[0], rnd(2), now);
			now += rnd(100000);
		}
	}
}

static const struct {
	const char *name;
	void (*fn)(void);
} rows[] = {
	{ "nanoseconds and ticks", conversion },
	{ "after power-on nothing counts", power_on },
	{ "mode 1", one_shot },
	{ "mode 5", triggered_strobe },
	{ "a closed gate holds mode 0", gate_holds },
	{ "the gate restarts mode 3", gate_restarts },
	{ "a control word stops the counter", control_stops },
	{ "one byte or two", access },
	{ "latched counts and status", latches },
	{ "state that comes back", restored },
	{ "random operations against the model", fuzz },
	{ "random states", fuzz_garbage },
};

int main(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mode_rows); i++) {
		mode(&mode_rows[i]);
		tap_row(mode_rows[i].name);
	}
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].fn();
		tap_row(rows[i].name);
	}
	return tap_end();
}
