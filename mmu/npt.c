// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested page table.
 *
 * Entries appear under the read side of mmu.lock, by compare-exchange, so that
 * vCPUs fault in parallel. They disappear or lose rights under the write side,
 * by atomic operations all the same: the processor sets A and D bits meanwhile.
 *
 * Whoever removes an entry flushes before dropping the lock. Otherwise the next
 * one, finding nothing to remove, would believe the frame to be out of use.
 *
 * A table taken out is freed after the flush, which ends the processors' use, and
 * after a grace period of RCU: reading tables needs no lock, only
 * rcu_read_lock() or interrupts off.
 */
#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/mem_encrypt.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "internal.h"
#include "npt_entry.h"

/* Work between two looks at need_resched(): the reach of one level 3 entry. */
#define CHUNK_LEVEL	3

static u64 *root_table(struct ksvm *vm)
{
	return __va(vm->mmu.root);
}

static u64 *child_table(u64 entry)
{
	return __va(npt_address(entry, sme_me_mask));
}

void *ksvm_npt_alloc_table(void)
{
	return (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

int ksvm_npt_init(struct ksvm *vm)
{
	void *root = ksvm_npt_alloc_table();

	if (!root)
		return -ENOMEM;
	vm->mmu.root = __pa(root);
	vm->mmu.root_level = pgtable_l5_enabled() ? 5 : 4;
	atomic_long_set(&vm->mmu.table_pages, 1);
	return 0;
}

static void destroy_table(u64 *table, int level)
{
	unsigned int i;

	for (i = 0; level > 1 && i < NPT_ENTRIES; i++) {
		if (npt_present(table[i]) && !npt_leaf(table[i], level))
			destroy_table(child_table(table[i]), level - 1);
	}
	free_page((unsigned long)table);
	cond_resched();
}

/* No vCPU and no notifier is left: nobody looks at the tables. */
void ksvm_npt_destroy(struct ksvm *vm)
{
	destroy_table(root_table(vm), vm->mmu.root_level);
}

static void table_free_rcu(struct rcu_head *head)
{
	__free_page(container_of(head, struct page, rcu_head));
}

/* Free what npt_zap() took out; the TLBs have been flushed since. */
void ksvm_npt_free_tables(struct ksvm *vm, struct list_head *tables)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, tables, lru) {
		list_del(&page->lru);
		atomic_long_dec(&vm->mmu.table_pages);
		call_rcu(&page->rcu_head, table_free_rcu);
	}
}

/* Collect a table that is no longer linked, and all below it. */
static void collect_tables(u64 *table, int level, struct list_head *tables)
{
	unsigned int i;

	for (i = 0; level > 1 && i < NPT_ENTRIES; i++) {
		if (npt_present(table[i]) && !npt_leaf(table[i], level))
			collect_tables(child_table(table[i]), level - 1, tables);
	}
	list_add(&virt_to_page(table)->lru, tables);
}

static bool zap_table(u64 *table, int level, gfn_t start, gfn_t end,
		      struct list_head *tables);

static bool table_empty(const u64 *table)
{
	return !memchr_inv(table, 0, PAGE_SIZE);
}

/* What is in the table below *@p; and that table if nothing is left in it. */
static bool zap_child(u64 *p, int level, gfn_t start, gfn_t end, struct list_head *tables)
{
	u64 *child = child_table(*p);
	bool changed = zap_table(child, level - 1, start, end, tables);

	if (changed && table_empty(child)) {
		WRITE_ONCE(*p, 0);
		ksvm_contract_narrowed();
		collect_tables(child, level - 1, tables);
	}
	return changed;
}

static bool zap_table(u64 *table, int level, gfn_t start, gfn_t end,
		      struct list_head *tables)
{
	bool changed = false;
	gfn_t gfn, next;

	for (gfn = start; gfn < end; gfn = next) {
		u64 *p = &table[npt_index(gfn, level)];
		u64 entry = READ_ONCE(*p);

		next = min(end, npt_first_frame(gfn, level) + npt_frames(level));
		if (!npt_present(entry))
			continue;
		if (!npt_leaf(entry, level) && next - gfn < npt_frames(level)) {
			changed |= zap_child(p, level, gfn, next, tables);
			continue;
		}
		/* A large leaf goes as a whole: the rest of it faults again. */
		xchg(p, 0);
		ksvm_contract_narrowed();
		changed = true;
		if (!npt_leaf(entry, level))
			collect_tables(child_table(entry), level - 1, tables);
	}
	return changed;
}

/**
 * npt_zap() - remove what maps guest frames
 * @vm: the VM
 * @start: first frame
 * @end: the frame after the last
 * @tables: where tables that are no longer needed are collected
 *
 * Context: write side of mmu.lock.
 * Return: whether something was removed. Flush then, before the lock is
 * dropped; and hand @tables to ksvm_npt_free_tables() after that.
 */
bool npt_zap(struct ksvm *vm, gfn_t start, gfn_t end, struct list_head *tables)
{
	u64 count = ksvm_contract_count_begin();
	bool changed;

	lockdep_assert_held_write(&vm->mmu.lock);
	changed = zap_table(root_table(vm), vm->mmu.root_level, start, end, tables);
	ksvm_contract_count_end(&vm->contract, count);
	return changed;
}

/* Call @visit for each leaf that maps a frame of the range; true if one was. */
static bool visit_leaves(u64 *table, int level, gfn_t start, gfn_t end,
			 bool (*visit)(u64 *entry))
{
	bool any = false;
	gfn_t gfn, next;

	for (gfn = start; gfn < end; gfn = next) {
		u64 *p = &table[npt_index(gfn, level)];
		u64 entry = READ_ONCE(*p);

		next = min(end, npt_first_frame(gfn, level) + npt_frames(level));
		if (!npt_present(entry))
			continue;
		if (npt_leaf(entry, level))
			any |= visit(p);
		else
			any |= visit_leaves(child_table(entry), level - 1, gfn, next, visit);
	}
	return any;
}

static bool entry_test(u64 *entry, u64 bit)
{
	return READ_ONCE(*entry) & bit;
}

static void entry_clear(u64 *entry, u64 bit)
{
	clear_bit(ilog2(bit), (unsigned long *)entry);
}

static bool visit_write_protect(u64 *entry)
{
	if (!entry_test(entry, NPT_WRITABLE))
		return false;
	entry_clear(entry, NPT_WRITABLE);
	ksvm_contract_narrowed();
	return true;
}

static bool visit_test_young(u64 *entry)
{
	return entry_test(entry, NPT_ACCESSED);
}

static bool visit_clear_young(u64 *entry)
{
	if (!entry_test(entry, NPT_ACCESSED))
		return false;
	entry_clear(entry, NPT_ACCESSED);
	return true;
}

/**
 * npt_age() - was a range accessed?
 * @vm: the VM
 * @start: first frame
 * @end: the frame after the last
 * @clear: forget it
 *
 * Without a flush: a processor that has the translation in its TLB may go on
 * without setting the bit again, and the page counts as idle a little early.
 *
 * Context: mmu.lock, either side.
 */
bool npt_age(struct ksvm *vm, gfn_t start, gfn_t end, bool clear)
{
	lockdep_assert_held(&vm->mmu.lock);
	return visit_leaves(root_table(vm), vm->mmu.root_level, start, end,
			    clear ? visit_clear_young : visit_test_young);
}

/* The leaf that maps @gfn, or NULL. */
static u64 *find_leaf(struct ksvm *vm, gfn_t gfn)
{
	int level = vm->mmu.root_level;
	u64 *table = root_table(vm);

	for (;;) {
		u64 *p = &table[npt_index(gfn, level)];
		u64 entry = READ_ONCE(*p);

		if (!npt_present(entry))
			return NULL;
		if (npt_leaf(entry, level))
			return p;
		table = child_table(entry);
		level--;
	}
}

/**
 * npt_write_protect_mask() - take the right to write from some of 64 frames
 * @vm: the VM
 * @gfn: the frame of bit 0
 * @mask: which
 *
 * Context: write side of mmu.lock.
 * Return: whether one had it; flush then.
 */
bool npt_write_protect_mask(struct ksvm *vm, gfn_t gfn, unsigned long mask)
{
	u64 count = ksvm_contract_count_begin();
	bool changed = false;

	lockdep_assert_held_write(&vm->mmu.lock);
	for (; mask; mask &= mask - 1) {
		u64 *p = find_leaf(vm, gfn + __ffs(mask));

		if (p)
			changed |= visit_write_protect(p);
	}
	ksvm_contract_count_end(&vm->contract, count);
	return changed;
}

/*
 * End of the chunk that @gfn is in, but not beyond @end. Where nothing is
 * mapped the chunk is as large as the hole: a range may be the whole space.
 */
static gfn_t chunk_end(struct ksvm *vm, gfn_t gfn, gfn_t end)
{
	int level = vm->mmu.root_level;
	u64 *table = root_table(vm);
	u64 entry;

	for (; level > CHUNK_LEVEL; level--) {
		entry = READ_ONCE(table[npt_index(gfn, level)]);
		if (!npt_present(entry) || npt_leaf(entry, level))
			break;
		table = child_table(entry);
	}
	do {
		entry = READ_ONCE(table[npt_index(gfn, level)]);
		gfn = npt_first_frame(gfn, level) + npt_frames(level);
	} while (!npt_present(entry) && npt_index(gfn, level) && gfn < end &&
		 !npt_present(READ_ONCE(table[npt_index(gfn, level)])));
	return min(end, gfn);
}

/**
 * npt_yield() - let others have the lock, after a flush
 * @vm: the VM
 * @changed: there is something to flush
 *
 * Context: write side of mmu.lock, which is dropped and taken again if somebody
 * waits; may sleep.
 * Return: whether there still is something to flush.
 */
bool npt_yield(struct ksvm *vm, bool changed)
{
	if (!need_resched() && !rwlock_needbreak(&vm->mmu.lock))
		return changed;
	if (changed)
		ksvm_flush_remote_tlbs(vm);
	cond_resched_rwlock_write(&vm->mmu.lock);
	return false;
}

/* Remove what maps a range, of any size, with all that belongs to it. May sleep. */
void ksvm_npt_zap(struct ksvm *vm, gfn_t start, gfn_t end)
{
	bool changed = false;
	LIST_HEAD(tables);
	gfn_t gfn, next;

	ksvm_contract_narrow_enter(&vm->contract);
	write_lock(&vm->mmu.lock);
	for (gfn = start; gfn < end; gfn = next) {
		next = chunk_end(vm, gfn, end);
		changed |= npt_zap(vm, gfn, next, &tables);
		changed = npt_yield(vm, changed);
	}
	if (changed)
		ksvm_flush_remote_tlbs(vm);
	write_unlock(&vm->mmu.lock);
	ksvm_contract_narrow_leave(&vm->contract);
	ksvm_npt_free_tables(vm, &tables);
}

/* Likewise, but take the right to write only. */
void ksvm_npt_write_protect(struct ksvm *vm, gfn_t start, gfn_t end)
{
	bool changed = false;
	gfn_t gfn, next;

	ksvm_contract_narrow_enter(&vm->contract);
	write_lock(&vm->mmu.lock);
	for (gfn = start; gfn < end; gfn = next) {
		u64 count = ksvm_contract_count_begin();

		next = chunk_end(vm, gfn, end);
		changed |= visit_leaves(root_table(vm), vm->mmu.root_level, gfn, next,
					visit_write_protect);
		ksvm_contract_count_end(&vm->contract, count);
		changed = npt_yield(vm, changed);
	}
	if (changed)
		ksvm_flush_remote_tlbs(vm);
	write_unlock(&vm->mmu.lock);
	ksvm_contract_narrow_leave(&vm->contract);
}

/**
 * npt_restore_write() - give back the right to write that logging took
 * @vm: the VM
 * @gfn: the frame
 *
 * Spares asking the host: a leaf that is there is what the host has, see
 * NPT_HOST_WRITABLE.
 *
 * Context: read side of mmu.lock.
 * Return: whether @gfn can be written now. If so, mark it dirty under the lock.
 */
bool npt_restore_write(struct ksvm *vm, gfn_t gfn)
{
	u64 *p, entry;

	lockdep_assert_held(&vm->mmu.lock);
	p = find_leaf(vm, gfn);
	if (!p)
		return false;
	entry = READ_ONCE(*p);
	do {
		/* Logging maps 4 KiB at a time: a larger leaf has to be split. */
		if (!(entry & NPT_HOST_WRITABLE) || entry & NPT_LARGE)
			return false;
	} while (!try_cmpxchg64(p, &entry, entry | NPT_WRITABLE | NPT_DIRTY));
	return true;
}

/* Put a table in the place of nothing, or of a large leaf that it then stands for. */
static bool link_table(struct ksvm_vcpu *vcpu, u64 *p, u64 entry, int level)
{
	struct ksvm_mmu_vcpu *cache = &vcpu->mmu;
	unsigned int i;
	u64 *table;

	if (!cache->nr_tables)
		return false;
	table = cache->tables[--cache->nr_tables];
	for (i = 0; npt_present(entry) && i < NPT_ENTRIES; i++)
		table[i] = npt_split_leaf(entry, level, i);

	if (try_cmpxchg64(p, &entry, npt_make_table(__pa(table), sme_me_mask))) {
		atomic_long_inc(&vcpu->vm->mmu.table_pages);
		return true;
	}
	/* Somebody else was first, or the processor set a bit. */
	clear_page(table);
	cache->tables[cache->nr_tables++] = table;
	return true;
}

static enum npf_outcome install_leaf(u64 *p, int level, const struct npt_mapping *mapping)
{
	u64 pa = npt_first_frame(mapping->pfn, level) << PAGE_SHIFT;
	u64 leaf = npt_make_leaf(pa, level, mapping->writable, sme_me_mask);
	u64 entry = READ_ONCE(*p);

	do {
		if (!npt_present(entry))
			continue;
		/* Another vCPU's table, or a frame that is on its way out. */
		if (!npt_leaf(entry, level) || (entry ^ leaf) & NPT_ADDRESS)
			return NPF_RETRY;
		if (npt_allows(entry, mapping->write))
			return NPF_FIXED;
	} while (!try_cmpxchg64(p, &entry, leaf));
	return NPF_FIXED;
}

/**
 * npt_install() - map a guest frame
 * @vcpu: the vCPU that faulted; its cache gives the tables
 * @mapping: what to map
 *
 * No flush is needed: an entry only appears or gains the right to write, and a
 * large leaf's split maps what it mapped.
 *
 * Context: read side of mmu.lock, after notifier_retry().
 * Return: NPF_FIXED; NPF_SLOW where the cache is empty; NPF_RETRY where
 * others work on the same entry.
 */
enum npf_outcome npt_install(struct ksvm_vcpu *vcpu, const struct npt_mapping *mapping)
{
	int level = vcpu->vm->mmu.root_level;
	u64 *table = root_table(vcpu->vm);

	lockdep_assert_held(&vcpu->vm->mmu.lock);
	for (;;) {
		u64 *p = &table[npt_index(mapping->gfn, level)];
		u64 entry = READ_ONCE(*p);
		bool leaf = npt_present(entry) && npt_leaf(entry, level);

		if (npt_present(entry) && !leaf) {
			table = child_table(entry);
			level--;
			continue;
		}
		if (level <= mapping->level)
			return install_leaf(p, level, mapping);
		if (leaf && npt_allows(entry, mapping->write))
			return NPF_FIXED;
		/* Whatever comes of it, look at the entry again. */
		if (!link_table(vcpu, p, entry, level))
			return NPF_SLOW;
	}
}
