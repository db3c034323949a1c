/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Search in an array of slots that is sorted by frame and free of overlaps.
 * Pure; also built on the host, which needs no more of a slot than this.
 */
#ifndef KSVM_MMU_SLOT_SEARCH_H
#define KSVM_MMU_SLOT_SEARCH_H

#include "pure.h"

#ifdef __KERNEL__
#include "mmu.h"
#else
struct ksvm_memslot {
	u64 base_gfn;
	unsigned long npages;
};
#endif

static inline bool slot_contains(const struct ksvm_memslot *slot, u64 gfn)
{
	/* One compare: below the slot the difference wraps. */
	return gfn - slot->base_gfn < slot->npages;
}

/* How many slots begin at or below @gfn: where one that begins there goes. */
static inline unsigned int slot_upper_bound(struct ksvm_memslot *const *slots,
					    unsigned int nr, u64 gfn)
{
	unsigned int low = 0;

	while (low < nr) {
		unsigned int middle = low + (nr - low) / 2;

		if (slots[middle]->base_gfn <= gfn)
			low = middle + 1;
		else
			nr = middle;
	}
	return low;
}

/* Does another slot than @except have a frame of [base, base + npages)? */
static inline bool slot_overlaps(struct ksvm_memslot *const *slots, unsigned int nr,
				 u64 base, u64 npages, const struct ksvm_memslot *except)
{
	unsigned int i = slot_upper_bound(slots, nr, base + npages - 1);

	while (i > 0) {
		const struct ksvm_memslot *slot = slots[--i];

		if (slot->base_gfn + slot->npages <= base)
			return false;
		if (slot != except)
			return true;
	}
	return false;
}

#endif
