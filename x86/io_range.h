/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of many address ranges an access lies in. Pure; also built on the host.
 *
 * The ranges' borders cut the addresses into segments, and each segment lists the
 * ranges that cover it. Whoever looks an address up finds its segment by halving, and
 * there only ranges that cover the access's first byte.
 */
#ifndef KSVM_X86_IO_RANGE_H
#define KSVM_X86_IO_RANGE_H

#include "pure.h"

#ifdef __KERNEL__
#include <linux/sort.h>
#else
#include <stdlib.h>

static inline void sort(void *base, size_t count, size_t size,
			int (*compare)(const void *a, const void *b), void *swap)
{
	qsort(base, count, size, compare);
}
#endif

/**
 * struct io_range - addresses of a device
 * @first: the first one
 * @last: the last one, inclusive
 * @device: whose; NULL for a range that is gone
 */
struct io_range {
	u64 first;
	u64 last;
	void *device;
};

/**
 * struct io_entry - a range in the list of a segment that it covers
 * @last: as the range's
 * @device: likewise
 */
struct io_entry {
	u64 last;
	void *device;
};

/**
 * struct io_map - the segments
 * @nr: of them
 * @starts: where each begins, ascending; it ends where the next one begins
 * @begin: index of its first entry; @nr + 1 of them, so that the next one's is its end
 * @entries: of all segments; within one, in the order of the ranges
 */
struct io_map {
	unsigned int nr;
	u64 *starts;
	u32 *begin;
	struct io_entry *entries;
};

static inline int io_compare_starts(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* How many of ascending @starts are not above @address. */
static inline unsigned int io_upper_bound(const u64 *starts, unsigned int nr, u64 address)
{
	unsigned int low = 0, high = nr;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (starts[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * io_map_starts() - where segments begin
 * @ranges: ranges, none of them empty
 * @count: of them
 * @starts: for the result, up to 2 * @count
 *
 * Return: how many there are.
 */
static inline unsigned int io_map_starts(const struct io_range *ranges, unsigned int count,
					 u64 *starts)
{
	unsigned int i, n = 0, nr = 0;

	for (i = 0; i < count; i++) {
		starts[n++] = ranges[i].first;
		if (ranges[i].last != ~0ULL)
			starts[n++] = ranges[i].last + 1;
	}
	sort(starts, n, sizeof(*starts), io_compare_starts, NULL);
	for (i = 0; i < n; i++) {
		if (!nr || starts[nr - 1] != starts[i])
			starts[nr++] = starts[i];
	}
	return nr;
}

/**
 * io_map_entries() - how many entries the segments' lists have together
 * @map: with @nr and @starts, of the same ranges
 * @ranges: the ranges
 * @count: of them
 *
 * Return: the number; it can be as large as the square of @count.
 */
static inline u64 io_map_entries(const struct io_map *map, const struct io_range *ranges,
				 unsigned int count)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < count; i++)
		sum += io_upper_bound(map->starts, map->nr, ranges[i].last) -
		       io_upper_bound(map->starts, map->nr, ranges[i].first) + 1;
	return sum;
}

/**
 * io_map_fill() - make the segments' lists
 * @map: with @nr and @starts; room for @nr + 1 in @begin and io_map_entries() in @entries
 * @ranges: the ranges
 * @count: of them
 */
static inline void io_map_fill(struct io_map *map, const struct io_range *ranges,
			       unsigned int count)
{
	unsigned int i, segment;

	for (segment = 0; segment <= map->nr; segment++)
		map->begin[segment] = 0;
	for (i = 0; i < count; i++) {
		segment = io_upper_bound(map->starts, map->nr, ranges[i].first) - 1;
		for (; segment < map->nr && map->starts[segment] <= ranges[i].last; segment++)
			map->begin[segment]++;
	}
	/* Ends for now: filled from there down, they become the beginnings. */
	for (segment = 1; segment <= map->nr; segment++)
		map->begin[segment] += map->begin[segment - 1];
	for (i = count; i--;) {
		segment = io_upper_bound(map->starts, map->nr, ranges[i].first) - 1;
		for (; segment < map->nr && map->starts[segment] <= ranges[i].last; segment++) {
			struct io_entry *entry = &map->entries[--map->begin[segment]];

			entry->last = ranges[i].last;
			entry->device = ranges[i].device;
		}
	}
}

/**
 * io_segment() - where an address is
 * @map: the segments
 * @address: it
 * @hint: what this returned last for the caller, or anything
 *
 * Drivers write to the same few addresses, so that the hint is often right.
 *
 * Return: one more than the index of its segment; 0 below the first.
 */
static inline unsigned int io_segment(const struct io_map *map, u64 address, unsigned int hint)
{
	if (hint - 1 < map->nr && map->starts[hint - 1] <= address &&
	    (hint == map->nr || address < map->starts[hint]))
		return hint;
	return io_upper_bound(map->starts, map->nr, address);
}

/**
 * struct io_walk - the ranges that contain an access, one after the other
 * @next: where to look
 * @end: where there are no more
 * @address: of the access's first byte
 * @more: how many bytes are behind that
 */
struct io_walk {
	struct io_entry *next;
	struct io_entry *end;
	u64 address;
	u64 more;
};

/**
 * io_walk_begin() - look an access up
 * @map: the segments
 * @address: of its first byte
 * @bytes: its length; 0 counts as 1
 * @hint: of io_segment(); updated
 *
 * Return: for io_walk_next().
 */
static inline struct io_walk io_walk_begin(const struct io_map *map, u64 address,
					   unsigned int bytes, unsigned int *hint)
{
	unsigned int above = io_segment(map, address, *hint);
	struct io_walk walk = { .address = address, .more = bytes - !!bytes };

	*hint = above;
	if (above) {
		walk.next = map->entries + map->begin[above - 1];
		walk.end = map->entries + map->begin[above];
	}
	return walk;
}

/**
 * io_walk_next() - the next range that contains the whole access
 * @walk: of io_walk_begin()
 *
 * Return: its entry; NULL after the last one.
 */
static inline struct io_entry *io_walk_next(struct io_walk *walk)
{
	while (walk->next != walk->end) {
		struct io_entry *entry = walk->next++;

		/* It has the first byte; an access that wraps is in none. */
		if (entry->last - walk->address >= walk->more)
			return entry;
	}
	return NULL;
}

#endif
