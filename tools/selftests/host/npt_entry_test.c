// SPDX-License-Identifier: GPL-2.0-only
/* Entries of the nested page table against the AMD64 manual's format. */
#include "../../../mmu/npt_entry.h"
#include "tap.h"

#define P	BIT(0)
#define W	BIT(1)
#define U	BIT(2)
#define A	BIT(5)
#define D	BIT(6)
#define PS	BIT(7)
#define BIT(n)	(1ull << (n))

static void reach(void)
{
	EXPECT_EQ(npt_frames(1), 1);
	EXPECT_EQ(npt_frames(2), 512);
	EXPECT_EQ(npt_frames(3), 512 * 512);
	EXPECT_EQ(npt_frames(5), 1ull << 36);
	tap_row("frames of a level");
	EXPECT_EQ(npt_index(0x123456789, 1), 0x189);
	EXPECT_EQ(npt_index(0x123456789, 2), 0x123456789 >> 9 & 511);
	EXPECT_EQ(npt_index(0x123456789, 4), 0x123456789 >> 27 & 511);
	EXPECT_EQ(npt_index(~0ull >> 12, 5), 0xffff >> 0 & 511);
	tap_row("index at a level");
	EXPECT_EQ(npt_first_frame(0x12345, 1), 0x12345);
	EXPECT_EQ(npt_first_frame(0x12345, 2), 0x12200);
	EXPECT_EQ(npt_first_frame(0x7ffff, 3), 0x40000);
	tap_row("first frame of an entry");
}

static void tables(void)
{
	u64 entry = npt_make_table(0x12345000, 0);

	EXPECT_EQ(entry & ~(A | D), 0x12345000 | P | W | U);
	EXPECT(npt_present(entry));
	EXPECT(!npt_leaf(entry, 2) && !npt_leaf(entry, 4));
	EXPECT_EQ(npt_address(entry, 0), 0x12345000);
	tap_row("pointer to a table");
	entry = npt_make_table(0x12345000, BIT(47));
	EXPECT_EQ(entry & BIT(47), BIT(47));
	EXPECT_EQ(npt_address(entry, BIT(47)), 0x12345000);
	tap_row("memory encryption bit of a table");
}

static void leaves(void)
{
	static const struct {
		const char *name;
		u64 pa;
		int level;
		bool writable;
		u64 set, clear;
	} rows[] = {
		{ "4 KiB, writable", 0xabcdef000, 1, true, P | W | U | A | D, PS },
		{ "4 KiB, read only", 0xabcdef000, 1, false, P | U | A, W | PS },
		{ "2 MiB, writable", 0xabce00000, 2, true, P | W | U | A | D | PS },
		{ "2 MiB, read only", 0xabce00000, 2, false, P | U | A | PS, W },
		{ "1 GiB, writable", 0xac0000000, 3, true, P | W | U | PS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 e = npt_make_leaf(rows[i].pa, rows[i].level,
				      rows[i].writable, 0);

		EXPECT_EQ(e & rows[i].set, rows[i].set);
		EXPECT_EQ(e & rows[i].clear, 0);
		EXPECT_EQ(npt_address(e, 0), rows[i].pa);
		EXPECT(npt_present(e));
		EXPECT(npt_leaf(e, rows[i].level));
		EXPECT_EQ(npt_allows(e, true), rows[i].writable);
		EXPECT(npt_allows(e, false));
		/* Nothing in what the processor reserves, NX not used. */
		EXPECT_EQ(e >> 52, 0);
		tap_row(rows[i].name);
	}
	EXPECT(!npt_present(0));
	tap_row("nothing");
}

static void splitting(void)
{
	u64 big = npt_make_leaf(0xac0000000, 3, true, 0);
	u64 middle = npt_split_leaf(big, 3, 17);
	u64 small = npt_split_leaf(middle, 2, 511);

	EXPECT_EQ(npt_address(middle, 0), 0xac0000000 + 17 * 0x200000ull);
	EXPECT(npt_leaf(middle, 2) && (middle & PS) && npt_allows(middle, true));
	tap_row("1 GiB into 2 MiB");
	EXPECT_EQ(npt_address(small, 0),
		  0xac0000000 + 17 * 0x200000ull + 511 * 0x1000ull);
	EXPECT_EQ(small & PS, 0);
	EXPECT_EQ(small & 0xfff & ~PS, big & 0xfff & ~PS);
	tap_row("2 MiB into 4 KiB");
	small = npt_split_leaf(npt_make_leaf(0x40000000, 2, false, 0), 2, 0);
	EXPECT(!npt_allows(small, true));
	tap_row("rights stay");
}

static void levels(void)
{
	static const struct {
		const char *name;
		u64 gfn, base, pages, hva;
		int level;
	} rows[] = {
		{ "aligned alike, large slot", 0x40123, 0x40000, 0x80000,
		  0x7f0000000000 / 4096 + 0x123, 3 },
		{ "slot smaller than 1 GiB", 0x40123, 0x40000, 0x1000,
		  0x7f0000000123, 2 },
		{ "user addresses off by a page", 0x40123, 0x40000, 0x80000,
		  0x7f0000000124, 1 },
		{ "user addresses off by 2 MiB", 0x40123, 0x40000, 0x80000,
		  0x7f0000000323, 2 },
		{ "head of the slot", 0x40123, 0x40100, 0x80000,
		  0x7f0000000123, 1 },
		{ "tail of the slot", 0x40fff, 0x40000, 0xfff + 1 - 1,
		  0x7f0000000fff, 1 },
		{ "one page", 0x5, 0x5, 1, 0x5, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(npt_slot_level(rows[i].gfn, rows[i].base,
					 rows[i].pages, rows[i].hva),
			  rows[i].level);
		tap_row(rows[i].name);
	}
}

int main(void)
{
	reach();
	tables();
	leaves();
	splitting();
	levels();
	return tap_end();
}
