// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: which pages of a slot were written since it was last read.
 *
 * A page whose bit is clear is mapped without the right to write. Bit and right
 * change together under mmu.lock: a write fault sets both on the read side,
 * reading the log takes both on the write side.
 */
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"

#define BATCH_WORDS	(PAGE_SIZE / sizeof(long))

/* Take a batch of the log into @batch; true if a mapping lost its right. */
static bool take_batch(struct ksvm *vm, struct ksvm_memslot *slot, unsigned long word,
		       unsigned long words, unsigned long *batch)
{
	bool changed = false;
	unsigned long i;

	write_lock(&vm->mmu.lock);
	for (i = 0; i < words; i++) {
		unsigned long *p = &slot->dirty_bitmap[word + i];

		batch[i] = READ_ONCE(*p) ? xchg(p, 0) : 0;
		changed |= npt_write_protect_mask(vm, slot->base_gfn +
						  (word + i) * BITS_PER_LONG, batch[i]);
	}
	write_unlock(&vm->mmu.lock);
	return changed;
}

static int take_log(struct ksvm *vm, struct ksvm_memslot *slot, void __user *user)
{
	unsigned long words = BITS_TO_LONGS(slot->npages);
	unsigned long *batch = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	unsigned long word, n;
	bool changed = false;
	int r = 0;

	if (!batch)
		return -ENOMEM;
	ksvm_contract_narrow_enter(&vm->contract);
	for (word = 0; word < words && !r; word += n) {
		n = min(words - word, BATCH_WORDS);
		changed |= take_batch(vm, slot, word, n, batch);
		if (copy_to_user(user + word * sizeof(long), batch, n * sizeof(long)))
			r = -EFAULT;
		cond_resched();
	}
	/* Before the caller reads the pages: later writes set bits again. */
	if (changed)
		ksvm_flush_remote_tlbs(vm);
	ksvm_contract_narrow_leave(&vm->contract);
	kfree(batch);
	return r;
}

/**
 * ksvm_get_dirty_log() - read and clear a slot's dirty log
 * @vm: the VM
 * @log: what KVM_GET_DIRTY_LOG was given: the slot, and where the bits go
 *
 * Context: may sleep; not inside the read side of mmu.srcu.
 * Return: 0; -EINVAL for an impossible slot; -ENOENT for one that is not there or
 * does not log; -EFAULT (bits that were taken are lost then); -ENOMEM.
 */
int ksvm_get_dirty_log(struct ksvm *vm, const struct kvm_dirty_log *log)
{
	unsigned int as_id = log->slot >> 16;
	struct ksvm_memslot *slot;
	int r = -ENOENT;

	if (as_id >= KSVM_ADDRESS_SPACES || (u16)log->slot >= KSVM_MEMSLOTS_MAX)
		return -EINVAL;
	mutex_lock(&vm->mmu.slots_lock);
	slot = xa_load(&vm->mmu.by_id[as_id], (u16)log->slot);
	if (slot && slot->dirty_bitmap)
		r = take_log(vm, slot, log->dirty_bitmap);
	mutex_unlock(&vm->mmu.slots_lock);
	return r;
}
