// SPDX-License-Identifier: GPL-2.0-only
/* Address space identifiers: handed out per CPU, a generation at a time. */
#include "contract.h"
#include "internal.h"

/**
 * svm_flush_tlb() - the translations of the vCPU's ASID are stale
 * @vcpu: the vCPU, by its own thread
 *
 * They are gone before the guest runs again.
 */
void svm_flush_tlb(struct ksvm_vcpu *vcpu)
{
	if (!svm_contract_flush_lost(to_svm(vcpu)))
		to_svm(vcpu)->flush_tlb = true;
}

/**
 * svm_asid_assign() - give the vCPU an ASID that holds no translation of its
 * @svm: the vCPU
 * @cpu: this CPU, interrupts off until the guest was entered
 *
 * Where the processor can flush one ASID, a vCPU keeps its own for a generation.
 * Else an ASID is used once per generation. When they run out, the whole TLB of
 * the CPU is flushed and the next generation begins: every vCPU that ran here
 * before finds its generation old and asks again.
 */
void svm_asid_assign(struct vcpu_svm *svm, struct svm_cpu *cpu)
{
	if (svm->asid_generation == cpu->generation && svm_has(SVM_FEATURE_FLUSH_BY_ASID)) {
		svm->vmcb->control.tlb_control = VMCB_TLB_FLUSH_ASID;
		svm->flush_tlb = false;
		ksvm_count(svm->vcpu.stat.asid_flushes);
		return;
	}
	if (cpu->next_asid >= svm_nr_asids()) {
		cpu->generation++;
		cpu->next_asid = 1;
		svm->vmcb->control.tlb_control = VMCB_TLB_FLUSH_ALL;
		ksvm_count(svm->vcpu.stat.asid_generations);
	}
	vmcb_set_asid(svm->vmcb, cpu->next_asid++);
	svm->asid_generation = cpu->generation;
	svm->flush_tlb = false;
	ksvm_count(svm->vcpu.stat.asids);
}

/**
 * svm_asid_not_entered() - VMRUN refused the VMCB: what it was to flush is still there
 * @svm: the vCPU; its TLB_CONTROL is as it was for that VMRUN
 * @cpu: this CPU, interrupts off since then
 *
 * A new generation's flush is owed by the CPU, not by this vCPU, which may
 * never run again: whoever is next to ask for an ASID here begins another one.
 */
void svm_asid_not_entered(struct vcpu_svm *svm, struct svm_cpu *cpu)
{
	if (svm->vmcb->control.tlb_control == VMCB_TLB_NOTHING)
		return;
	svm->flush_tlb = true;
	if (svm->vmcb->control.tlb_control == VMCB_TLB_FLUSH_ALL) {
		svm->asid_generation = 0;
		cpu->next_asid = svm_nr_asids();
	}
}
