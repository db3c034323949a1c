// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page faults: find the host's page for a guest frame and map it.
 *
 * Pages are not pinned. The page is held only until its entry is installed;
 * from then on the notifier removes the entry before the host takes the page
 * away. The sequence number, read before the host is asked and compared under
 * the lock, catches the host changing its mind in between.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>

#include "internal.h"
#include "npt_entry.h"

/**
 * struct fault - a nested page fault being worked on
 * @vcpu: the vCPU
 * @slot: where the frame is
 * @hva: its user address
 * @seq: mmu.invalidate_seq from before the host was asked
 * @page: the host's page, held
 * @mapping: what goes to the nested table
 */
struct fault {
	struct ksvm_vcpu *vcpu;
	struct ksvm_memslot *slot;
	unsigned long hva;
	unsigned long seq;
	struct page *page;
	struct npt_mapping mapping;
};

static bool slot_logs(const struct ksvm_memslot *slot)
{
	return slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
}

static bool fast_page(struct fault *fault, bool write)
{
	if (get_user_pages_fast_only(fault->hva, 1, write ? FOLL_WRITE : 0, &fault->page) != 1)
		return false;
	fault->mapping.writable = write;
	return true;
}

/*
 * The page if the host has it mapped. A read is given a writable mapping where
 * that takes nothing from the host, no copy-on-write is broken for it: most
 * pages are written sooner or later, and this saves the second fault. Not while
 * writes are logged.
 */
static bool find_warm_page(struct fault *fault)
{
	u32 keep_read_only = KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES;

	if (fault->mapping.write)
		return fast_page(fault, true);
	if (!(fault->slot->flags & keep_read_only) && fast_page(fault, true))
		return true;
	return fast_page(fault, false);
}

/* The page, from wherever the host has to get it. May sleep. */
static enum npf_outcome find_page(struct fault *fault)
{
	unsigned int flags = FOLL_HWPOISON | (fault->mapping.write ? FOLL_WRITE : 0);
	long r;

	if (find_warm_page(fault))
		return NPF_FIXED;
	fault->mapping.writable = fault->mapping.write;
	r = get_user_pages_unlocked(fault->hva, 1, &fault->page, flags);
	if (r == 1)
		return NPF_FIXED;
	if (r == -EHWPOISON) {
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)fault->hva, PAGE_SHIFT, current);
		return NPF_RETRY;
	}
	if (r == -ENOMEM)
		return NPF_NO_MEMORY;
	return signal_pending(current) ? NPF_RETRY : NPF_BAD_ADDRESS;
}

/*
 * The level at which the host maps a user address. Interrupts off keep the
 * host's tables from being freed, and the notifier, checked before, keeps
 * the answer true: what would change it waits for the lock.
 */
static int host_level(unsigned long hva)
{
	unsigned long flags;
	int level = 1;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(current->mm, hva));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = 3;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_present(pmd) && pmd_leaf(pmd))
		level = 2;
out:
	local_irq_restore(flags);
	return level;
}

static int mapping_level(const struct fault *fault)
{
	const struct ksvm_memslot *slot = fault->slot;
	int level;

	/* Logging by the page needs mapping by the page. */
	if (slot_logs(slot))
		return 1;
	level = npt_slot_level(fault->mapping.gfn, slot->base_gfn, slot->npages,
			       fault->hva >> PAGE_SHIFT);
	return level == 1 ? 1 : min(level, host_level(fault->hva));
}

/* With the lock held for reading: install, unless the host changed its mind. */
static enum npf_outcome install_page(struct fault *fault)
{
	struct ksvm_vcpu *vcpu = fault->vcpu;
	enum npf_outcome outcome;

	if (notifier_retry(&vcpu->vm->mmu, fault->hva, fault->seq))
		return NPF_RETRY;
	fault->mapping.pfn = page_to_pfn(fault->page);
	fault->mapping.level = mapping_level(fault);
	outcome = npt_install(vcpu, &fault->mapping);
	if (outcome != NPF_FIXED)
		return outcome;

	/*
	 * The host's own D bit knows nothing of the guest's writes. Cleaning
	 * the page removes the entry first, so that this holds as long as it.
	 */
	if (fault->mapping.writable && !PageDirty(fault->page))
		SetPageDirty(fault->page);
	/* Under the lock: reading the log clears the bit and the right together. */
	if (fault->mapping.write)
		slot_mark_dirty(fault->slot, fault->mapping.gfn);
	return NPF_FIXED;
}

static void read_sequence(struct fault *fault)
{
	fault->seq = READ_ONCE(fault->vcpu->vm->mmu.invalidate_seq);
	/* The number, before the host's page tables. */
	smp_rmb();
}

/* A write to a page that lost its right to logging only. */
static enum npf_outcome try_restore_write(struct fault *fault)
{
	struct ksvm *vm = fault->vcpu->vm;
	enum npf_outcome outcome = NPF_SLOW;

	if (!read_trylock(&vm->mmu.lock))
		return NPF_SLOW;
	if (npt_restore_write(vm, fault->mapping.gfn)) {
		slot_mark_dirty(fault->slot, fault->mapping.gfn);
		outcome = NPF_FIXED;
	}
	read_unlock(&vm->mmu.lock);
	return outcome;
}

static enum npf_outcome try_install_page(struct fault *fault)
{
	struct ksvm *vm = fault->vcpu->vm;
	enum npf_outcome outcome;

	if (!read_trylock(&vm->mmu.lock))
		return NPF_SLOW;
	outcome = install_page(fault);
	read_unlock(&vm->mmu.lock);
	/* What is in the way may need this CPU: do not come back at once. */
	return outcome == NPF_RETRY ? NPF_SLOW : outcome;
}

/* Ring 2: all that needs neither sleep nor a lock that is taken. */
static enum npf_outcome fault_inner(struct fault *fault)
{
	const struct npt_mapping *mapping = &fault->mapping;
	enum npf_outcome outcome;

	/* Another vCPU may have been here. */
	if (npt_lookup(fault->vcpu->vm, mapping->gfn, mapping->write))
		return NPF_FIXED;
	if (mapping->write && slot_logs(fault->slot) &&
	    try_restore_write(fault) == NPF_FIXED)
		return NPF_FIXED;

	read_sequence(fault);
	if (!find_warm_page(fault))
		return NPF_SLOW;
	outcome = try_install_page(fault);
	put_page(fault->page);
	return outcome;
}

static bool refill_tables(struct ksvm_vcpu *vcpu)
{
	struct ksvm_mmu_vcpu *cache = &vcpu->mmu;

	while (cache->nr_tables < KSVM_TABLE_CACHE) {
		void *table = ksvm_npt_alloc_table();

		if (!table)
			break;
		cache->tables[cache->nr_tables++] = table;
	}
	/* One fault links a table below each level but the last. */
	return cache->nr_tables >= vcpu->vm->mmu.root_level - 1;
}

static enum npf_outcome fault_outer(struct fault *fault)
{
	struct ksvm *vm = fault->vcpu->vm;
	enum npf_outcome outcome;

	if (!refill_tables(fault->vcpu))
		return NPF_NO_MEMORY;
	read_sequence(fault);
	outcome = find_page(fault);
	if (outcome != NPF_FIXED)
		return outcome;
	read_lock(&vm->mmu.lock);
	outcome = install_page(fault);
	read_unlock(&vm->mmu.lock);
	put_page(fault->page);
	return outcome;
}

/**
 * ksvm_npf() - handle a nested page fault
 * @vcpu: the vCPU, by its own thread
 * @gpa: the guest-physical address
 * @error_code: NPF_*, as the exit delivered it
 *
 * Context: ring 2, or ring 1 (then it may sleep).
 * Return: see enum npf_outcome; NPF_SLOW in ring 2 only.
 */
enum npf_outcome ksvm_npf(struct ksvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	struct fault fault = {
		.vcpu = vcpu,
		.mapping.gfn = gpa >> PAGE_SHIFT,
		.mapping.write = error_code & NPF_WRITE,
	};

	fault.slot = find_slot(vcpu, fault.mapping.gfn);
	if (!fault.slot || (fault.mapping.write && fault.slot->flags & KVM_MEM_READONLY))
		return NPF_MMIO;
	fault.hva = slot_hva(fault.slot, fault.mapping.gfn);
	return vcpu->ring == RING_INNER ? fault_inner(&fault) : fault_outer(&fault);
}
