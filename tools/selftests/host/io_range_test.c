// SPDX-License-Identifier: GPL-2.0-only
/* The segments of I/O ranges, against asking each range. */
#include <string.h>

#include "../../../x86/io_range.h"
#include "tap.h"

#define RANGES	24

static struct io_range ranges[RANGES];
static u64 starts[2 * RANGES];
static u32 begin[2 * RANGES + 1];
static struct io_entry entries[2 * RANGES * RANGES];
static struct io_map map = { .starts = starts, .begin = begin, .entries = entries };
static unsigned int seed = 1;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

/* Devices are numbered from 1 in the order of registration. */
static void set_range(unsigned int i, u64 first, u64 last)
{
	ranges[i] = (struct io_range){ first, last, (void *)(uintptr_t)(i + 1) };
}

static void build(unsigned int count)
{
	u64 need;

	memset(entries, 0xa5, sizeof(entries));
	memset(begin, 0xa5, sizeof(begin));
	map.nr = io_map_starts(ranges, count, starts);
	need = io_map_entries(&map, ranges, count);
	EXPECT(need <= ARRAY_SIZE(entries));
	io_map_fill(&map, ranges, count);
	EXPECT_EQ(begin[map.nr], need);
	EXPECT_EQ(begin[0], 0);
}

/* Carried over to other addresses and other maps: it may be anything. */
static unsigned int hint;

/* The same ranges, in the same order, as a look at all of them finds. */
static void compare_hinted(unsigned int count, u64 address, unsigned int bytes)
{
	struct io_walk walk = io_walk_begin(&map, address, bytes, &hint);
	u64 last = address + (bytes ? bytes - 1 : 0);
	struct io_entry *entry;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (last < address || ranges[i].first > address || ranges[i].last < last)
			continue;
		entry = io_walk_next(&walk);
		if (!entry) {
			EXPECT_EQ(0, i + 1);
			return;
		}
		EXPECT_EQ((uintptr_t)entry->device, i + 1);
		EXPECT_EQ(entry->last, ranges[i].last);
	}
	EXPECT(!io_walk_next(&walk));
}

static void compare(unsigned int count, u64 address, unsigned int bytes)
{
	unsigned int found;

	compare_hinted(count, address, bytes);
	found = hint;
	EXPECT_EQ(found, io_upper_bound(map.starts, map.nr, address));
	for (hint = found ? found - 1 : 0; hint <= found + 1; hint++) {
		unsigned int wrong = hint;

		compare_hinted(count, address, bytes);
		EXPECT_EQ(hint, found);
		hint = wrong;
	}
}

static void compare_around(unsigned int count, u64 address)
{
	static const unsigned int sizes[] = { 0, 1, 2, 4, 8 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		compare(count, address, sizes[i]);
}

static void none(void)
{
	build(0);
	EXPECT_EQ(map.nr, 0);
	compare_around(0, 0);
	compare_around(0, ~0ull);
	tap_row("no ranges");
}

static void one(void)
{
	u64 address;

	set_range(0, 0x100, 0x10f);
	build(1);
	for (address = 0xf0; address < 0x120; address++)
		compare_around(1, address);
	EXPECT(!io_walk_next(&(struct io_walk){}));
	tap_row("borders of a range");
}

static void ends_of_the_space(void)
{
	u64 address;

	set_range(0, 0, ~0ull);
	set_range(1, ~0ull - 3, ~0ull);
	set_range(2, 0, 3);
	build(3);
	for (address = ~0ull - 16; address != 16; address++)
		compare_around(3, address);
	tap_row("first and last address");
}

/* Whoever was first is asked first, whether it is the larger one or not. */
static void registration_order(void)
{
	struct io_walk walk;

	set_range(0, 0x104, 0x107);
	set_range(1, 0x100, 0x1ff);
	set_range(2, 0x104, 0x107);
	set_range(3, 0x103, 0x108);
	build(4);
	walk = io_walk_begin(&map, 0x104, 4, &hint);
	EXPECT_EQ((uintptr_t)io_walk_next(&walk)->device, 1);
	EXPECT_EQ((uintptr_t)io_walk_next(&walk)->device, 2);
	EXPECT_EQ((uintptr_t)io_walk_next(&walk)->device, 3);
	EXPECT_EQ((uintptr_t)io_walk_next(&walk)->device, 4);
	EXPECT(!io_walk_next(&walk));
	walk = io_walk_begin(&map, 0x104, 5, &hint);
	EXPECT_EQ((uintptr_t)io_walk_next(&walk)->device, 2);
	EXPECT_EQ((uintptr_t)io_walk_next(&walk)->device, 4);
	EXPECT(!io_walk_next(&walk));
	tap_row("order of registration");
}

/* An access over the border between two neighbours is in neither. */
static void neighbours(void)
{
	struct io_walk walk;

	set_range(0, 0x100, 0x103);
	set_range(1, 0x104, 0x107);
	build(2);
	walk = io_walk_begin(&map, 0x102, 4, &hint);
	EXPECT(!io_walk_next(&walk));
	compare(2, 0x103, 1);
	compare(2, 0x104, 1);
	tap_row("neighbours");
}

/* Each of the outer ones is in the list of each segment inside. */
static void one_inside_another(void)
{
	unsigned int i;
	u64 address;

	for (i = 0; i < RANGES; i++)
		set_range(i, i, 100 - i);
	build(RANGES);
	EXPECT_EQ(begin[map.nr], RANGES * RANGES);
	for (address = 0; address < 110; address++)
		compare_around(RANGES, address);
	tap_row("nested ranges");
}

static void random_ranges(void)
{
	unsigned int round, probe, i;

	for (round = 0; round < 20000; round++) {
		unsigned int count = rnd(RANGES + 1), width = 1 + rnd(100);
		/* Around the middle, or around the two ends of the space. */
		u64 base = rnd(2) ? 0x1000 : 0ull - 100;

		for (i = 0; i < count; i++) {
			u64 first = base + rnd(200), last = first + rnd(width);

			set_range(i, first, last < first ? ~0ull : last);
		}
		build(count);
		for (probe = 0; probe < 40; probe++)
			compare(count, base - 10 + rnd(320), rnd(10));
	}
	tap_row("random ranges");
}

int main(void)
{
	none();
	one();
	ends_of_the_space();
	registration_order();
	neighbours();
	one_inside_another();
	random_ranges();
	return tap_end();
}
