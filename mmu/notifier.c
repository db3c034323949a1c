// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMU notifier: what the host does to the VMM's address space happens to
 * the nested page table too, before the host takes a page away. KSM, huge pages,
 * migration, ballooning, swap and userfaultfd all come through here.
 */
#include <linux/sizes.h>

#include "compat_types.h"
#include "internal.h"
#include "npt_entry.h"

/* User addresses between two looks at need_resched(). */
#define ZAP_PIECE	SZ_1G

static struct ksvm *notifier_vm(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct ksvm, mmu.notifier);
}

/* The frames of @slot that begin with user addresses in [start, end). */
static void slot_frames(const struct ksvm_memslot *slot, unsigned long start,
			unsigned long end, gfn_t *first, gfn_t *after)
{
	unsigned long low = max(start, slot->hva_node.start);
	unsigned long high = min(end - 1, slot->hva_node.last);

	*first = slot->base_gfn + ((low - slot->userspace_addr) >> PAGE_SHIFT);
	*after = slot->base_gfn + ((high - slot->userspace_addr) >> PAGE_SHIFT) + 1;
}

/*
 * Call @visit with each range of frames that user addresses [start, end) are
 * behind. Return whether one of the calls did.
 */
static bool visit_frames(struct ksvm *vm, unsigned long start, unsigned long end,
			 bool (*visit)(struct ksvm *vm, gfn_t first, gfn_t after, void *arg),
			 void *arg)
{
	struct interval_tree_node *node;
	bool any = false;

	node = interval_tree_iter_first(&vm->mmu.hva_tree, start, end - 1);
	while (node) {
		gfn_t first, after;

		slot_frames(container_of(node, struct ksvm_memslot, hva_node),
			    start, end, &first, &after);
		any |= visit(vm, first, after, arg);
		node = interval_tree_iter_next(node, start, end - 1);
	}
	return any;
}

static bool visit_zap(struct ksvm *vm, gfn_t first, gfn_t after, void *arg)
{
	return npt_zap(vm, first, after, arg);
}

static bool visit_age(struct ksvm *vm, gfn_t first, gfn_t after, void *arg)
{
	return npt_age(vm, first, after, *(bool *)arg);
}

/*
 * Remove what is mapped of user addresses [start, end), a piece at a time: the slots
 * are looked up anew for each, as the lock may have been dropped in between.
 * Return whether there is something to flush.
 */
static bool zap_range(struct ksvm *vm, unsigned long start, unsigned long end,
		      bool blockable, struct list_head *tables)
{
	struct interval_tree_node *node;
	bool changed = false;
	unsigned long next;

	for (; start < end; start = next) {
		node = interval_tree_iter_first(&vm->mmu.hva_tree, start, end - 1);
		if (!node)
			break;
		start = max(start, node->start);
		next = min(end, (start | (ZAP_PIECE - 1)) + 1);
		changed |= visit_frames(vm, start, next, visit_zap, tables);
		if (blockable && next < end)
			changed = npt_yield(vm, changed);
	}
	return changed;
}

/*
 * From here to the end nothing in the range is mapped. Several may be under
 * way: the range that is kept covers them all, until the last one ends. It is
 * there before the lock is dropped for the first time.
 */
static int invalidate_range_start(struct mmu_notifier *notifier,
				  const struct mmu_notifier_range *range)
{
	struct ksvm *vm = notifier_vm(notifier);
	struct ksvm_mmu *mmu = &vm->mmu;
	LIST_HEAD(tables);

	ksvm_contract_narrow_enter(&vm->contract);
	write_lock(&mmu->lock);
	if (mmu->invalidate_active++) {
		mmu->invalidate_start = min(mmu->invalidate_start, range->start);
		mmu->invalidate_end = max(mmu->invalidate_end, range->end);
	} else {
		mmu->invalidate_start = range->start;
		mmu->invalidate_end = range->end;
	}
	if (zap_range(vm, range->start, range->end, mmu_notifier_range_blockable(range),
		      &tables))
		ksvm_flush_remote_tlbs(vm);
	write_unlock(&mmu->lock);
	ksvm_contract_narrow_leave(&vm->contract);
	ksvm_npt_free_tables(vm, &tables);
	return 0;
}

static void invalidate_range_end(struct mmu_notifier *notifier,
				 const struct mmu_notifier_range *range)
{
	struct ksvm_mmu *mmu = &notifier_vm(notifier)->mmu;

	write_lock(&mmu->lock);
	/* A fault that asked the host before now must ask again. */
	WRITE_ONCE(mmu->invalidate_seq, mmu->invalidate_seq + 1);
	mmu->invalidate_active--;
	write_unlock(&mmu->lock);
}

static bool age(struct mmu_notifier *notifier, unsigned long start, unsigned long end,
		bool clear)
{
	struct ksvm *vm = notifier_vm(notifier);
	bool young;

	read_lock(&vm->mmu.lock);
	young = visit_frames(vm, start, end, visit_age, &clear);
	read_unlock(&vm->mmu.lock);
	return young;
}

static ksvm_young_t clear_young(struct mmu_notifier *notifier, struct mm_struct *mm,
				unsigned long start, unsigned long end)
{
	return age(notifier, start, end, true);
}

static ksvm_young_t test_young(struct mmu_notifier *notifier, struct mm_struct *mm,
			       unsigned long address)
{
	return age(notifier, address, address + 1, false);
}

/*
 * The address space goes; the VM may outlive it, held by a descriptor that
 * another process inherited. Its threads are gone, so nothing maps again.
 */
static void release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct ksvm *vm = notifier_vm(notifier);

	ksvm_npt_zap(vm, 0, npt_frames(vm->mmu.root_level + 1));
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = invalidate_range_start,
	.invalidate_range_end = invalidate_range_end,
	.clear_flush_young = clear_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.release = release,
};

int ksvm_notifier_register(struct ksvm *vm)
{
	vm->mmu.notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->mmu.notifier, vm->mm);
}

/* No callback runs when it returns. */
void ksvm_notifier_unregister(struct ksvm *vm)
{
	mmu_notifier_unregister(&vm->mmu.notifier, vm->mm);
}
