/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of the nested page table: the format that the processor reads.
 * Pure: u64 in, u64 out; also built on the host.
 */
#ifndef KSVM_MMU_NPT_ENTRY_H
#define KSVM_MMU_NPT_ENTRY_H

#include "pure.h"

#define NPT_PRESENT	(1ULL << 0)
#define NPT_WRITABLE	(1ULL << 1)
#define NPT_USER	(1ULL << 2)	/* every guest access is a user access here */
#define NPT_ACCESSED	(1ULL << 5)
#define NPT_DIRTY	(1ULL << 6)
#define NPT_LARGE	(1ULL << 7)

/*
 * Left to software: the host maps the page writable. Such a leaf lost its W
 * bit to dirty logging only, and may have it back without asking the host.
 */
#define NPT_HOST_WRITABLE	(1ULL << 9)

#define NPT_ADDRESS	0x000ffffffffff000ULL
#define NPT_INDEX_BITS	9
#define NPT_ENTRIES	(1U << NPT_INDEX_BITS)

/* The highest level that can map memory: 1 GiB. */
#define NPT_MAX_LEAF_LEVEL	3

/* Frames that one entry of a level covers. */
static inline u64 npt_frames(int level)
{
	return 1ULL << ((level - 1) * NPT_INDEX_BITS);
}

/* The frame where the entry of @gfn begins. */
static inline u64 npt_first_frame(u64 gfn, int level)
{
	return gfn & ~(npt_frames(level) - 1);
}

static inline unsigned int npt_index(u64 gfn, int level)
{
	return (gfn >> ((level - 1) * NPT_INDEX_BITS)) & (NPT_ENTRIES - 1);
}

static inline bool npt_present(u64 entry)
{
	return entry & NPT_PRESENT;
}

/* Of a present entry: it maps memory; otherwise it points to a table. */
static inline bool npt_leaf(u64 entry, int level)
{
	return level == 1 || (entry & NPT_LARGE);
}

/* @pa, @me_mask: address of the next table; memory encryption bit, or 0. */
static inline u64 npt_make_table(u64 pa, u64 me_mask)
{
	return pa | me_mask | NPT_PRESENT | NPT_WRITABLE | NPT_USER | NPT_ACCESSED;
}

/*
 * A leaf is born accessed, and dirty where it is writable: that spares the
 * processor an update of the entry, and nothing reads the D bit.
 */
static inline u64 npt_make_leaf(u64 pa, int level, bool writable, u64 me_mask)
{
	u64 entry = pa | me_mask | NPT_PRESENT | NPT_USER | NPT_ACCESSED;

	if (level > 1)
		entry |= NPT_LARGE;
	if (writable)
		entry |= NPT_WRITABLE | NPT_DIRTY | NPT_HOST_WRITABLE;
	return entry;
}

static inline u64 npt_address(u64 entry, u64 me_mask)
{
	return entry & NPT_ADDRESS & ~me_mask;
}

/*
 * The part of a large leaf that entry @index of the table below it covers,
 * as an entry of that table; same rights.
 */
static inline u64 npt_split_leaf(u64 entry, int level, unsigned int index)
{
	entry += (u64)index * (npt_frames(level - 1) << 12);
	return level == 2 ? entry & ~NPT_LARGE : entry;
}

/* Does a present leaf allow the access? Reading and fetching always. */
static inline bool npt_allows(u64 entry, bool write)
{
	return !write || (entry & NPT_WRITABLE);
}

/*
 * The highest level at which @gfn can be mapped with one leaf that stays in
 * [base_gfn, base_gfn + npages) and whose user addresses are aligned alike.
 * @hva_frame: user address of @gfn, as a frame number
 */
static inline int npt_slot_level(u64 gfn, u64 base_gfn, u64 npages, u64 hva_frame)
{
	int level;

	for (level = NPT_MAX_LEAF_LEVEL; level > 1; level--) {
		u64 frames = npt_frames(level);
		u64 first = npt_first_frame(gfn, level);

		if ((gfn ^ hva_frame) & (frames - 1))
			continue;
		if (first >= base_gfn && first + frames <= base_gfn + npages)
			break;
	}
	return level;
}

#endif
