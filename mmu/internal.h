/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSVM_MMU_INTERNAL_H
#define KSVM_MMU_INTERNAL_H

#include <linux/bitops.h>
#include <linux/irqflags.h>
#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include "slot_search.h"
#include "vcpu.h"
#include "vm.h"

/**
 * struct ksvm_memslots - the slots of an address space, sorted by frame
 * @nr: slots in use; grows while published, by one slot above all others
 * @capacity: of @slot
 * @slot: the slots; an element may be replaced while published, by a slot
 *	with the same frames
 */
struct ksvm_memslots {
	unsigned int nr;
	unsigned int capacity;
	struct ksvm_memslot *slot[];
};

/* memslots.c */
int ksvm_memslots_init(struct ksvm *vm);
void ksvm_memslots_destroy(struct ksvm *vm);
struct ksvm_memslot *ksvm_search_slot(struct ksvm_vcpu *vcpu, gfn_t gfn);

/**
 * find_slot() - the slot that has a guest frame
 * @vcpu: the vCPU that asks, by its own thread
 * @gfn: the frame
 *
 * The slot that was hit last is tried first.
 *
 * Context: read side of mmu.srcu, or interrupts off.
 * Return: the slot, valid as long as that context, or NULL.
 */
static __always_inline struct ksvm_memslot *find_slot(struct ksvm_vcpu *vcpu, gfn_t gfn)
{
	struct ksvm_mmu *mmu = &vcpu->vm->mmu;
	unsigned int i = vcpu->mmu.last_slot;
	const struct ksvm_memslots *slots;
	struct ksvm_memslot *slot;

	slots = rcu_dereference_check(mmu->slots[0],
				      irqs_disabled() || srcu_read_lock_held(&mmu->srcu));
	/* Pairs with the store in publish_last(): the slot, then the count. */
	if (likely(i < smp_load_acquire(&slots->nr))) {
		slot = READ_ONCE(slots->slot[i]);
		if (likely(slot_contains(slot, gfn)))
			return slot;
	}
	return ksvm_search_slot(vcpu, gfn);
}

static inline unsigned long slot_hva(const struct ksvm_memslot *slot, gfn_t gfn)
{
	return slot->userspace_addr + ((gfn - slot->base_gfn) << PAGE_SHIFT);
}

static inline unsigned long slot_hva_of_gpa(const struct ksvm_memslot *slot, gpa_t gpa)
{
	return slot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa);
}

/*
 * Bracket user accesses: in ring 2 they must not fault. These nest.
 */
static inline void user_begin(struct ksvm_vcpu *vcpu)
{
	if (vcpu->ring == RING_INNER) {
		pagefault_disable();
		ksvm_contract_user_begin(&vcpu->contract, vcpu->x86.fpu.host_pkru);
	} else {
		might_sleep();
	}
}

static inline void user_end(struct ksvm_vcpu *vcpu)
{
	if (vcpu->ring == RING_INNER) {
		ksvm_contract_user_end(&vcpu->contract, vcpu->x86.fpu.host_pkru);
		pagefault_enable();
	}
}

/* What a failed user access means. */
static inline int user_miss(const struct ksvm_vcpu *vcpu)
{
	return vcpu->ring == RING_INNER ? -EAGAIN : -EFAULT;
}

/*
 * To be called after the write that it is about, so that whoever takes the
 * bit sees the data.
 */
static inline void slot_mark_dirty(struct ksvm_memslot *slot, gfn_t gfn)
{
	if (slot->dirty_bitmap)
		set_bit(gfn - slot->base_gfn, slot->dirty_bitmap);
}

/* npt.c; mmu.lock is held by the caller where the name has no "ksvm_". */
int ksvm_npt_init(struct ksvm *vm);
void ksvm_npt_destroy(struct ksvm *vm);
bool npt_zap(struct ksvm *vm, gfn_t start, gfn_t end, struct list_head *tables);
bool npt_write_protect_mask(struct ksvm *vm, gfn_t gfn, unsigned long mask);
bool npt_yield(struct ksvm *vm, bool changed);
bool npt_age(struct ksvm *vm, gfn_t start, gfn_t end, bool clear);
void ksvm_npt_free_tables(struct ksvm *vm, struct list_head *tables);
void ksvm_npt_zap(struct ksvm *vm, gfn_t start, gfn_t end);
void ksvm_npt_write_protect(struct ksvm *vm, gfn_t start, gfn_t end);
void *ksvm_npt_alloc_table(void);

/**
 * struct npt_mapping - what a fault wants in the nested table
 * @gfn: the frame
 * @pfn: the host's frame for it
 * @level: the highest level to map at
 * @write: the access is a write
 * @writable: the host allows writing
 */
struct npt_mapping {
	gfn_t gfn;
	kvm_pfn_t pfn;
	int level;
	bool write;
	bool writable;
};

enum npf_outcome npt_install(struct ksvm_vcpu *vcpu, const struct npt_mapping *mapping);
bool npt_restore_write(struct ksvm *vm, gfn_t gfn);

/* host.c */

/**
 * struct host_page - what the host has mapped at a user address
 * @page: the page, no reference held
 * @level: the level of the host's leaf
 * @writable: the leaf can be written through
 */
struct host_page {
	struct page *page;
	int level;
	bool writable;
};

int host_mapping_level(unsigned long hva);
bool host_find_page(unsigned long hva, bool write, struct host_page *host);

/* notifier.c */
int ksvm_notifier_register(struct ksvm *vm);
void ksvm_notifier_unregister(struct ksvm *vm);

/* Is @hva being invalidated? mmu.lock is held; it stays so, or not, under it. */
static inline bool notifier_active(const struct ksvm_mmu *mmu, unsigned long hva)
{
	lockdep_assert_held(&mmu->lock);
	return unlikely(mmu->invalidate_active) &&
	       hva >= mmu->invalidate_start && hva < mmu->invalidate_end;
}

/**
 * notifier_retry() - was @hva invalidated since @seq was read?
 * @mmu: the VM's memory, its lock held (read side will do)
 * @hva: user address
 * @seq: invalidate_seq from before the host was asked
 *
 * Between start and end of an invalidation the range answers; after its end
 * the sequence number has moved.
 *
 * Return: true if what the host said about @hva may be outdated.
 */
static inline bool notifier_retry(const struct ksvm_mmu *mmu, unsigned long hva,
				  unsigned long seq)
{
	return notifier_active(mmu, hva) || mmu->invalidate_seq != seq;
}

#endif
