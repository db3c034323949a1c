// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker's rule 2: the TLB (AMD64 manual, volume 2, "TLB Control",
 * "Invalidate Page, Alternate ASID"; "Nested Paging" for what an ASID's entries
 * combine).
 *
 * A model of each processor's TLB, as pessimistic as the manual allows: whatever
 * an ASID could have seen since it was last flushed is still there. It knows only
 * what VMRUN knows, ASID and TLB_CONTROL, and nothing of how asid.c chooses them.
 *
 * A VM counts the changes that take something away from its nested table, each after
 * the table's entry was changed: struct ksvm_contract_vm.narrowed. A flush at VMRUN
 * therefore covers all that the count says at that time. And the VM keeps how many of
 * them nobody may use any more, because a remote flush has ended: .flushed.
 *
 * Why comparing the two cannot raise a false alarm while other threads flush:
 * ring 2 publishes inner_cpu, then reads the requests, and holds interrupts off till
 * it is left. A remote flush sets the request, then reads inner_cpu, and where it
 * finds the vCPU in ring 2 waits until it has left, before it raises .flushed. So in
 * ring 2 .flushed never exceeds what the vCPU had requests for, and seen, when it
 * entered; and the flush that followed them came after the counting.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "compat.h"
#include "contract.h"
#include "vm.h"

/**
 * struct asid_entry - what may be in the TLB under an ASID
 * @epoch: of the processor when the ASID was last flushed or first used; an older one
 *	says that all was flushed since
 * @owner: the vCPU's serial
 * @stay: the vCPU's, when it came to this processor
 * @narrowed: the VM's count at the last flush
 */
struct asid_entry {
	u64 epoch;
	u64 owner;
	u64 stay;
	s64 narrowed;
};

/**
 * struct cpu_tlb - the TLB of a processor; interrupts off on it
 * @entries: by ASID
 * @epoch: grows with each flush of all ASIDs
 * @unknown: since SVM was switched on here, nothing has flushed all: an ASID without
 *	an entry of @epoch may be full of somebody else's
 */
struct cpu_tlb {
	struct asid_entry *entries;
	u64 epoch;
	bool unknown;
};

static DEFINE_PER_CPU(struct cpu_tlb, cpu_tlb);

/* ASIDs that the model has: those of the processors, as far as there is room for them. */
static u32 nr_asids __ro_after_init;
/* Whatever the module makes of it. */
static bool flush_by_asid __ro_after_init;

/**
 * contract_tlb_setup() - allocate the model
 *
 * Return: 0 or -ENOMEM.
 */
int contract_tlb_setup(void)
{
	int i;

	nr_asids = min(cpuid_ebx(0x8000000a), CONTRACT_ASIDS_MAX);
	flush_by_asid = cpuid_edx(0x8000000a) & BIT(6);

	for_each_possible_cpu(i) {
		struct cpu_tlb *tlb = per_cpu_ptr(&cpu_tlb, i);

		tlb->entries = kvcalloc(nr_asids, sizeof(*tlb->entries), GFP_KERNEL);
		if (!tlb->entries) {
			contract_tlb_unsetup();
			return -ENOMEM;
		}
	}
	return 0;
}

/** contract_tlb_unsetup() - undo contract_tlb_setup() */
void contract_tlb_unsetup(void)
{
	int i;

	for_each_possible_cpu(i) {
		kvfree(per_cpu_ptr(&cpu_tlb, i)->entries);
		per_cpu_ptr(&cpu_tlb, i)->entries = NULL;
	}
}

/**
 * contract_tlb_cpu_enabled() - SVM was switched on here: others may have used it
 *
 * Context: interrupts off.
 */
void contract_tlb_cpu_enabled(void)
{
	struct cpu_tlb *tlb = this_cpu_ptr(&cpu_tlb);

	tlb->epoch++;
	tlb->unknown = true;
}

/* Bits of CR4 whose change drops the translations of who executes MOV CR4. */
#define CR4_TRANSLATES	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_LA57)

/*
 * The module gave the guest another state, where the instruction that does so would
 * have flushed ("Translation-Lookaside Buffer", implicit invalidations). What the
 * guest did by itself is in the shadow already. Not PAT, nor EFER.NXE: there the
 * manual leaves it to the software that changes them to flush.
 *
 * Only for an ASID that the vCPU has used since it came here: the shadow is from then.
 */
static const char *must_flush_for(struct vcpu_svm *svm)
{
	const struct vmcb_save *was = &svm->contract->shadow.save;
	const struct vmcb_save *is = &svm->vmcb->save;

	if (was->cr3 != is->cr3)
		return "CR3";
	if ((was->cr0 ^ is->cr0) & X86_CR0_PG)
		return "CR0.PG";
	if ((was->cr4 ^ is->cr4) & CR4_TRANSLATES)
		return "CR4";
	if (was->cr4 & ~is->cr4 & X86_CR4_PCIDE)
		return "CR4.PCIDE";
	return NULL;
}

static bool check_tlb_control(struct vcpu_svm *svm)
{
	const struct vmcb_control *control = &svm->vmcb->control;

	switch (control->tlb_control) {
	case VMCB_TLB_NOTHING:
	case VMCB_TLB_FLUSH_ALL:
		return false;
	case VMCB_TLB_FLUSH_ASID:
		if (flush_by_asid)
			return false;
		return contract_report(svm, 2, "TLB_CONTROL asks for a flush by ASID, not there");
	default:
		return contract_report(svm, 2, "TLB_CONTROL is %#x, which is not in use",
				       control->tlb_control);
	}
}

/* The VMRUN does not flush: what is there under its ASID? */
static bool check_entry(struct vcpu_svm *svm, const struct cpu_tlb *tlb, u32 asid)
{
	const struct ksvm_contract_vm *vm = &svm->vcpu.vm->contract;
	const struct asid_entry *entry = &tlb->entries[asid];
	const struct svm_contract *contract = svm->contract;
	s64 flushed = atomic64_read(&vm->flushed);
	const char *change;

	if (entry->epoch != tlb->epoch) {
		if (tlb->unknown)
			return contract_report(svm, 2, "ASID %u was never flushed since SVM is on",
					       asid);
		return false;
	}
	if (entry->owner != contract->serial)
		return contract_report(svm, 2, "ASID %u, not flushed, was of vCPU #%llu, not #%llu",
				       asid, entry->owner, contract->serial);
	if (entry->stay != contract->stay)
		return contract_report(svm, 2, "ASID %u is from before the vCPU ran elsewhere",
				       asid);
	if (entry->narrowed < flushed)
		return contract_report(svm, 2, "ASID %u knows nested change %lld but not %lld",
				       asid, entry->narrowed, flushed);
	change = must_flush_for(svm);
	if (change)
		return contract_report(svm, 2, "ASID %u was not flushed though %s was changed",
				       asid, change);
	return false;
}

/**
 * contract_check_tlb() - rule 2
 * @svm: the vCPU, right before VMRUN
 *
 * Return: true for a breach.
 */
bool contract_check_tlb(struct vcpu_svm *svm)
{
	const struct ksvm_contract_vm *vm = &svm->vcpu.vm->contract;
	const struct cpu_tlb *tlb = this_cpu_ptr(&cpu_tlb);
	struct svm_contract_tlb *next = &svm->contract->tlb;
	u32 asid = svm->vmcb->control.asid;
	u8 how = svm->vmcb->control.tlb_control;

	if (READ_ONCE(vm->flush_missed))
		return contract_report(svm, 2, "the nested table lost entries without a flush");
	if (!asid)
		return contract_report(svm, 2, "ASID 0 is the host's");
	if (asid >= nr_asids)
		return contract_report(svm, 2, "ASID %u is not below %u", asid, nr_asids);
	if (check_tlb_control(svm))
		return true;

	next->narrowed = atomic64_read(&vm->narrowed);
	next->flush_all = how == VMCB_TLB_FLUSH_ALL;
	next->flush = next->flush_all || how == VMCB_TLB_FLUSH_ASID;
	smp_mb();	/* the count, before the processor walks the table */
	return !next->flush && check_entry(svm, tlb, asid);
}

/**
 * contract_tlb_entered() - the guest ran: the model follows
 * @svm: the vCPU, after a #VMEXIT of a VMRUN that was not refused
 */
void contract_tlb_entered(struct vcpu_svm *svm)
{
	const struct svm_contract *contract = svm->contract;
	struct cpu_tlb *tlb = this_cpu_ptr(&cpu_tlb);
	struct asid_entry *entry = &tlb->entries[svm->vmcb->control.asid];

	if (contract->tlb.flush_all) {
		tlb->epoch++;
		tlb->unknown = false;
	}
	if (!contract->tlb.flush && entry->epoch == tlb->epoch)
		return;
	*entry = (struct asid_entry) {
		.epoch = tlb->epoch,
		.owner = contract->serial,
		.stay = contract->stay,
		.narrowed = contract->tlb.narrowed,
	};
}

static bool plant_asid_zero(struct vcpu_svm *svm)
{
	vmcb_set_asid(svm->vmcb, 0);
	return true;
}

static bool plant_asid_large(struct vcpu_svm *svm)
{
	vmcb_set_asid(svm->vmcb, nr_asids);
	return true;
}

/* Another vCPU's ASID, if one has run here since the last flush of all. */
static bool plant_asid_shared(struct vcpu_svm *svm)
{
	const struct cpu_tlb *tlb = this_cpu_ptr(&cpu_tlb);
	u32 asid;

	if (svm->vmcb->control.tlb_control == VMCB_TLB_FLUSH_ALL)
		return false;
	for (asid = 1; asid < nr_asids; asid++) {
		const struct asid_entry *entry = &tlb->entries[asid];

		if (entry->epoch != tlb->epoch || entry->owner == svm->contract->serial)
			continue;
		vmcb_set_asid(svm->vmcb, asid);
		svm->vmcb->control.tlb_control = VMCB_TLB_NOTHING;
		return true;
	}
	return false;
}

/* The vCPU's own, from the time before: needs an entry and no flush. */
static bool entry_in_use(struct vcpu_svm *svm)
{
	const struct cpu_tlb *tlb = this_cpu_ptr(&cpu_tlb);

	return svm->contract->shadow_valid &&
	       svm->vmcb->control.tlb_control == VMCB_TLB_NOTHING &&
	       tlb->entries[svm->vmcb->control.asid].epoch == tlb->epoch &&
	       tlb->entries[svm->vmcb->control.asid].owner == svm->contract->serial;
}

static bool plant_asid_moved(struct vcpu_svm *svm)
{
	if (!entry_in_use(svm))
		return false;
	svm->contract->stay++;
	return true;
}

static bool plant_cr3_unflushed(struct vcpu_svm *svm)
{
	if (!entry_in_use(svm))
		return false;
	vmcb_set_cr3(svm->vmcb, svm->vmcb->save.cr3 ^ PAGE_SIZE);
	return true;
}

static bool plant_cr4_unflushed(struct vcpu_svm *svm)
{
	if (!entry_in_use(svm))
		return false;
	vmcb_set_cr4(svm->vmcb, svm->vmcb->save.cr4 ^ X86_CR4_PGE);
	return true;
}

static bool no_flush_by_asid(void)
{
	return !flush_by_asid;
}

static bool plant_flush_by_asid(struct vcpu_svm *svm)
{
	/* That one is owed by the processor, not by the VM that is about to die. */
	if (svm->vmcb->control.tlb_control == VMCB_TLB_FLUSH_ALL)
		return false;
	svm->vmcb->control.tlb_control = VMCB_TLB_FLUSH_ASID;
	return true;
}

/* The next remote flush asks nobody. */
static bool plant_flush_skipped(struct vcpu_svm *svm)
{
	WRITE_ONCE(svm->vcpu.vm->contract.skip_flush, true);
	return true;
}

/* This vCPU gets the next request to flush, and forgets it. */
static bool plant_flush_lost(struct vcpu_svm *svm)
{
	if (!entry_in_use(svm))
		return false;
	svm->contract->lose_flush = true;
	return true;
}

/**
 * svm_contract_flush_lost() - is the vCPU to forget a request to flush
 * @svm: the vCPU, by its own thread
 */
bool svm_contract_flush_lost(struct vcpu_svm *svm)
{
	bool lost = svm->contract->lose_flush;

	if (lost)
		svm->contract->lose_flush = false;
	return lost;
}

const struct contract_breach contract_tlb_breaches[] = {
	{ "asid_zero", 2, CONTRACT_BEFORE, plant_asid_zero },
	{ "asid_large", 2, CONTRACT_BEFORE, plant_asid_large },
	{ "asid_shared", 2, CONTRACT_BEFORE, plant_asid_shared },
	{ "asid_moved", 2, CONTRACT_BEFORE, plant_asid_moved },
	{ "cr3_unflushed", 2, CONTRACT_BEFORE, plant_cr3_unflushed },
	{ "cr4_unflushed", 2, CONTRACT_BEFORE, plant_cr4_unflushed },
	{ "flush_by_asid", 2, CONTRACT_BEFORE, plant_flush_by_asid, NULL, no_flush_by_asid },
	{ "flush_skipped", 2, CONTRACT_BEFORE, plant_flush_skipped },
	{ "flush_lost", 2, CONTRACT_BEFORE, plant_flush_lost },
	{},
};
