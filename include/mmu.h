/* SPDX-License-Identifier: GPL-2.0-only */
/* mmu/: memory slots, guest memory access, nested paging, the guest's own page walk. */
#ifndef KSVM_MMU_H
#define KSVM_MMU_H

#include <linux/bits.h>
#include <linux/interval_tree.h>
#include <linux/kvm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct ksvm;
struct ksvm_vcpu;
struct ksvm_memslots;
struct kvm_userspace_memory_region;
struct kvm_dirty_log;

#define KSVM_ADDRESS_SPACES	1	/* SMM adds a second */
#define KSVM_MEMSLOTS_MAX	32764

/* Nested tables that a vCPU keeps ready: two faults' worth. */
#define KSVM_TABLE_CACHE	8

/**
 * struct ksvm_memslot - a range of guest frames backed by user addresses
 * @base_gfn: first guest frame
 * @npages: length in pages
 * @userspace_addr: where it starts in the VMM's address space
 * @dirty_bitmap: a bit per page, set when the page was written; NULL unless
 *	KVM_MEM_LOG_DIRTY_PAGES
 * @flags: KVM_MEM_*
 * @id: the caller's slot number
 * @as_id: its address space
 * @hva_node: its user addresses in struct ksvm_mmu's tree, for the notifier
 *
 * All but the bits of @dirty_bitmap is constant while the slot is published.
 * Freed when no reader can hold it any more: see struct ksvm_mmu.
 */
struct ksvm_memslot {
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	unsigned long *dirty_bitmap;
	u32 flags;
	u16 id;
	u16 as_id;
	struct interval_tree_node hva_node;
};

/**
 * struct ksvm_mmu - a VM's memory
 * @slots_lock: one change of the slots at a time; may sleep
 * @slots: the published slots per address space; read under @srcu in ring 1
 *	and with interrupts off in ring 2
 * @by_id: the slots by number; @slots_lock
 * @nr_pages: sum of the slots' lengths; @slots_lock
 * @srcu: readers of @slots that may sleep
 * @lock: the nested page table. Read side: faults, which install entries with
 *	cmpxchg. Write side: removal and narrowing of entries. Never sleeps.
 *	Ring 2 only tries it, so that its holder may wait for ring 2
 * @hva_tree: slots by user address; @lock. Holds each slot from before it is
 *	published until nothing of it is mapped any more
 * @root: page-aligned physical address of the nested table's root, without
 *	the encryption bit; constant
 * @root_level: 4 or 5, the host's own; constant
 * @table_pages: pages in the nested table; atomic
 * @notifier: MMU notifier on the VMM's address space
 * @invalidate_seq: bumped at the end of each invalidation; @lock
 * @invalidate_active: invalidations in progress; @lock
 * @invalidate_start: lowest user address being invalidated; @lock
 * @invalidate_end: end of it, exclusive; @lock
 */
struct ksvm_mmu {
	struct mutex slots_lock;	/* changes of @slots */
	struct ksvm_memslots __rcu *slots[KSVM_ADDRESS_SPACES];
	struct xarray by_id[KSVM_ADDRESS_SPACES];
	unsigned long nr_pages;
	struct srcu_struct srcu;
	rwlock_t lock;
	struct rb_root_cached hva_tree;
	phys_addr_t root;
	int root_level;
	atomic_long_t table_pages;
	struct mmu_notifier notifier;
	unsigned long invalidate_seq;
	unsigned long invalidate_active;
	unsigned long invalidate_start;
	unsigned long invalidate_end;
};

/**
 * struct ksvm_mmu_vcpu - per-vCPU memory state, used by its own thread only
 * @last_slot: index of the slot that was hit last, a hint
 * @nr_tables: how many of @tables are there
 * @tables: zeroed pages for the nested table: ring 2 takes, ring 1 refills
 */
struct ksvm_mmu_vcpu {
	unsigned int last_slot;
	unsigned int nr_tables;
	void *tables[KSVM_TABLE_CACHE];
};

int ksvm_mmu_init_vm(struct ksvm *vm);
void ksvm_mmu_destroy_vm(struct ksvm *vm);
/* While the module unloads, after the last VM went. */
void ksvm_mmu_exit(void);

int ksvm_set_memory_region(struct ksvm *vm, const struct kvm_userspace_memory_region *region);
int ksvm_get_dirty_log(struct ksvm *vm, const struct kvm_dirty_log *log);

/**
 * enum npf_outcome - what became of a nested page fault
 * @NPF_FIXED: an entry was installed, or was there already: enter again
 * @NPF_SLOW: ring 2 cannot fix it, ring 1 can
 * @NPF_MMIO: no memory there (or a write to a read-only slot): emulate
 * @NPF_BAD_ADDRESS: the slot's user address is not mapped; KVM_RUN fails
 *	with EFAULT
 * @NPF_RETRY: a signal or an invalidation got in the way, run the checks
 *	of ring 1 and enter again
 * @NPF_NO_MEMORY: no page for the nested table; KVM_RUN fails with ENOMEM
 */
enum npf_outcome {
	NPF_FIXED,
	NPF_SLOW,
	NPF_MMIO,
	NPF_BAD_ADDRESS,
	NPF_RETRY,
	NPF_NO_MEMORY,
};

/* Error code bits that a nested page fault shares with a page fault. */
#define NPF_PRESENT	BIT_ULL(0)
#define NPF_WRITE	BIT_ULL(1)
#define NPF_USER	BIT_ULL(2)
#define NPF_RESERVED	BIT_ULL(3)
#define NPF_FETCH	BIT_ULL(4)

enum npf_outcome ksvm_npf(struct ksvm_vcpu *vcpu, gpa_t gpa, u64 error_code);

/*
 * Guest memory. Ring 1 callers hold the read side of mmu.srcu (the run loop
 * does for them) and may sleep; in ring 2 user pages are accessed with page
 * faults off. All return 0, -ENXIO where no slot is (or a write hits a read-only
 * one), -EFAULT where the slot's user address is bad, -EAGAIN where ring 2 missed.
 *
 * cmpxchg: 1, 2, 4, 8 or 16 bytes inside one page (-ENXIO otherwise). On return 0
 * @old has been replaced with what memory held: if that is what the caller put
 * there, @new was written.
 */
int ksvm_read_gpa(struct ksvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned int bytes);
int ksvm_write_gpa(struct ksvm_vcpu *vcpu, gpa_t gpa, const void *data, unsigned int bytes);
int ksvm_cmpxchg_gpa(struct ksvm_vcpu *vcpu, gpa_t gpa, void *old, const void *new,
		     unsigned int bytes);
bool ksvm_gpa_is_memory(struct ksvm_vcpu *vcpu, gpa_t gpa, bool write);

/* mmu/sync.c. Process context, interrupts on; neither sleeps. */
void ksvm_flush_remote_tlbs(struct ksvm *vm);
void ksvm_wait_inner(struct ksvm *vm);

/* What a linear access wants; also the bits of the page fault's error code. */
#define WALK_WRITE	BIT(1)
#define WALK_USER	BIT(2)
#define WALK_FETCH	BIT(4)
#define WALK_SYSTEM	BIT(16)		/* implicit supervisor access: descriptor tables, TSS */

/**
 * struct ksvm_walk - a guest page walk's result
 * @gpa: the guest-physical address
 * @level: 1 for a 4 KiB page, and so on; the page's size follows from it
 * @error_code: of the #PF to inject when the walk returns -EPERM
 */
struct ksvm_walk {
	gpa_t gpa;
	int level;
	u32 error_code;
};

/**
 * ksvm_walk() - translate a guest-linear address as the guest's processor would
 * @vcpu: the vCPU, by its own thread
 * @gva: linear address, canonical already
 * @access: WALK_*; WALK_USER for CPL 3
 * @walk: the result
 *
 * Sets accessed and dirty bits in the guest's tables with compare-exchange.
 *
 * Return: 0; -EPERM with the page fault's error code in @walk; -EAGAIN where
 * ring 2 missed; -EFAULT where a slot's user address is bad.
 */
int ksvm_walk(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, struct ksvm_walk *walk);
int ksvm_fetch(struct ksvm_vcpu *vcpu, gva_t gva, u32 access, void *data, unsigned int bytes,
	       u32 *error_code);

#endif
