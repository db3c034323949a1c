// SPDX-License-Identifier: GPL-2.0-only
/* Search among sorted slots, against looking at each of them. */
#include <stdlib.h>

#include "../../../mmu/slot_search.h"
#include "tap.h"

#define SLOTS	40

static struct ksvm_memslot storage[SLOTS], *slots[SLOTS];
static unsigned int seed = 1;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static unsigned int fill(void)
{
	unsigned int n = rnd(SLOTS + 1), i;
	u64 gfn = rnd(4);

	for (i = 0; i < n; i++) {
		storage[i].base_gfn = gfn;
		storage[i].npages = 1 + rnd(6);
		gfn += storage[i].npages + rnd(3);
		slots[i] = &storage[i];
	}
	return n;
}

static bool overlaps(unsigned int n, u64 base, u64 pages,
		     const struct ksvm_memslot *except)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (&storage[i] != except &&
		    storage[i].base_gfn < base + pages &&
		    base < storage[i].base_gfn + storage[i].npages)
			return true;
	}
	return false;
}

static void random_slots(void)
{
	unsigned int round, i, n;

	for (round = 0; round < 2000; round++) {
		u64 gfn, pages = 1 + rnd(8);
		unsigned int bound, expected = 0;

		n = fill();
		gfn = rnd(300);
		for (i = 0; i < n; i++)
			expected += storage[i].base_gfn <= gfn;
		bound = slot_upper_bound(slots, n, gfn);
		EXPECT_EQ(bound, expected);
		EXPECT_EQ(slot_overlaps(slots, n, gfn, pages, NULL),
			  overlaps(n, gfn, pages, NULL));
		if (!n)
			continue;
		i = rnd(n);
		EXPECT_EQ(slot_overlaps(slots, n, gfn, pages, slots[i]),
			  overlaps(n, gfn, pages, slots[i]));
	}
	tap_row("random slots");
}

static void contains(void)
{
	struct ksvm_memslot slot = { .base_gfn = 0x100, .npages = 0x10 };

	EXPECT(!slot_contains(&slot, 0xff));
	EXPECT(slot_contains(&slot, 0x100));
	EXPECT(slot_contains(&slot, 0x10f));
	EXPECT(!slot_contains(&slot, 0x110));
	EXPECT(!slot_contains(&slot, 0));
	EXPECT(!slot_contains(&slot, ~0ull));
	tap_row("borders of a slot");
}

static void none(void)
{
	EXPECT_EQ(slot_upper_bound(slots, 0, 5), 0);
	EXPECT(!slot_overlaps(slots, 0, 0, 100, NULL));
	tap_row("no slots");
}

int main(void)
{
	contains();
	none();
	random_slots();
	return tap_end();
}
