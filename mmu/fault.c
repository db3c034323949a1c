// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page faults: find the host's page for a guest frame and map it.
 *
 * Pages are not pinned: the notifier removes an entry before the host takes the
 * page away. A page that the host has mapped is found in its page tables under
 * mmu.lock, which keeps the notifier out. Otherwise the host is asked, without the
 * lock, as that may sleep: the sequence number, read before and compared under
 * the lock, catches the host changing its mind in between.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "internal.h"
#include "npt_entry.h"

/**
 * struct fault - a nested page fault being worked on
 * @vcpu: the vCPU
 * @slot: where the frame is
 * @hva: its user address
 * @gfn: the frame
 * @write: the access is a write
 */
struct fault {
	struct ksvm_vcpu *vcpu;
	struct ksvm_memslot *slot;
	unsigned long hva;
	gfn_t gfn;
	bool write;
};

static bool slot_logs(const struct ksvm_memslot *slot)
{
	return slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
}

/*
 * A read is given a writable mapping where that takes nothing from the host:
 * most pages are written sooner or later, and this saves the second fault. Not
 * while writes are logged.
 */
static bool slot_maps_ahead(const struct ksvm_memslot *slot)
{
	return !(slot->flags & (KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES));
}

/* With mmu.lock held: map what the host has, which cannot change meanwhile. */
static enum npf_outcome install_page(const struct fault *fault, const struct host_page *host)
{
	struct ksvm_memslot *slot = fault->slot;
	struct npt_mapping mapping = {
		.gfn = fault->gfn,
		.pfn = page_to_pfn(host->page),
		.level = 1,
		.write = fault->write,
		.writable = host->writable && (fault->write || slot_maps_ahead(slot)),
	};
	enum npf_outcome outcome;

	/* Logging by the page needs mapping by the page. */
	if (host->level > 1 && !slot_logs(slot))
		mapping.level = min(host->level,
				    npt_slot_level(fault->gfn, slot->base_gfn, slot->npages,
						   fault->hva >> PAGE_SHIFT));
	outcome = npt_install(fault->vcpu, &mapping);
	if (outcome != NPF_FIXED)
		return outcome;

	/*
	 * The host's own D bit knows nothing of the guest's writes. Cleaning
	 * the page removes the entry first, so that this holds as long as it.
	 */
	if (mapping.writable && !folio_test_dirty(page_folio(host->page)))
		folio_set_dirty(page_folio(host->page));
	/* Under the lock: reading the log clears the bit and the right together. */
	if (fault->write)
		slot_mark_dirty(slot, fault->gfn);
	return NPF_FIXED;
}

/* With mmu.lock held, interrupts off: NPF_SLOW where the host has to be asked. */
static enum npf_outcome install_warm(const struct fault *fault)
{
	struct ksvm *vm = fault->vcpu->vm;
	struct host_page host;

	if (fault->write && slot_logs(fault->slot) && npt_restore_write(vm, fault->gfn)) {
		slot_mark_dirty(fault->slot, fault->gfn);
		return NPF_FIXED;
	}
	if (notifier_active(&vm->mmu, fault->hva) ||
	    !host_find_page(fault->hva, fault->write, &host))
		return NPF_SLOW;
	return install_page(fault, &host);
}

/* Ring 2: all that needs neither sleep nor a lock that is taken. */
static enum npf_outcome fault_inner(const struct fault *fault)
{
	struct ksvm *vm = fault->vcpu->vm;
	enum npf_outcome outcome;

	if (!read_trylock(&vm->mmu.lock))
		return NPF_SLOW;
	outcome = install_warm(fault);
	read_unlock(&vm->mmu.lock);
	/* What is in the way may need this CPU: do not come back at once. */
	return outcome == NPF_RETRY ? NPF_SLOW : outcome;
}

static bool fast_page(const struct fault *fault, bool write, struct host_page *host)
{
	host->writable = write;
	return get_user_pages_fast_only(fault->hva, 1, write ? FOLL_WRITE : 0,
					&host->page) == 1;
}

/* What get_user_pages_unlocked() made of it. */
static enum npf_outcome gup_outcome(const struct fault *fault, long r)
{
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

/* Have the host get the page, from wherever it is; NPF_FIXED with a reference. */
static enum npf_outcome get_page_slow(const struct fault *fault, struct host_page *host)
{
	unsigned int flags = FOLL_HWPOISON | (fault->write ? FOLL_WRITE : 0);

	/* Writable for a read too, but without breaking copy-on-write for it. */
	if (!fault->write && slot_maps_ahead(fault->slot) && fast_page(fault, true, host))
		return NPF_FIXED;
	host->writable = fault->write;
	return gup_outcome(fault, get_user_pages_unlocked(fault->hva, 1, &host->page, flags));
}

static enum npf_outcome fault_slow(const struct fault *fault)
{
	struct ksvm_mmu *mmu = &fault->vcpu->vm->mmu;
	struct host_page host;
	enum npf_outcome outcome;
	unsigned long seq;

	seq = READ_ONCE(mmu->invalidate_seq);
	/* The number, before the host's page tables. */
	smp_rmb();
	outcome = get_page_slow(fault, &host);
	if (outcome != NPF_FIXED)
		return outcome;

	read_lock(&mmu->lock);
	if (notifier_retry(mmu, fault->hva, seq)) {
		outcome = NPF_RETRY;
	} else {
		host.level = host_mapping_level(fault->hva);
		outcome = install_page(fault, &host);
	}
	read_unlock(&mmu->lock);
	put_page(host.page);
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

/* Ring 1: whatever it takes. */
static enum npf_outcome fault_outer(const struct fault *fault)
{
	struct ksvm *vm = fault->vcpu->vm;
	enum npf_outcome outcome;
	unsigned long flags;

	if (!refill_tables(fault->vcpu))
		return NPF_NO_MEMORY;
	read_lock(&vm->mmu.lock);
	local_irq_save(flags);
	outcome = install_warm(fault);
	local_irq_restore(flags);
	read_unlock(&vm->mmu.lock);
	return outcome == NPF_SLOW ? fault_slow(fault) : outcome;
}

static enum npf_outcome fault_memory(const struct fault *fault)
{
	return fault->vcpu->ring == RING_INNER ? fault_inner(fault) : fault_outer(fault);
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
	struct ksvm_memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);
	bool write = error_code & NPF_WRITE;

	if (!slot || (write && slot->flags & KVM_MEM_READONLY))
		return NPF_MMIO;
	return fault_memory(&(struct fault) {
		.vcpu = vcpu,
		.slot = slot,
		.hva = slot_hva(slot, gpa >> PAGE_SHIFT),
		.gfn = gpa >> PAGE_SHIFT,
		.write = write,
	});
}
