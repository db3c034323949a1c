// SPDX-License-Identifier: GPL-2.0-only
/*
 * DEBUGCTL and the last-branch records (AMD64 manual, volume 2, "LBR
 * Virtualization").
 *
 * The guest's DEBUGCTL is in svm->debugctl. With LBR virtualization, VMRUN loads
 * it and the records from the VMCB, and #VMEXIT stores the records and puts the
 * host's back. That takes time at each world switch, so it is on only while a
 * bit of DEBUGCTL asks for it; while it is off, the records rest in the VMCB.
 * Without the feature the registers would be the host's: the guest's DEBUGCTL
 * stays zero, and so do its records.
 */
#include <linux/errno.h>
#include <asm/msr-index.h>

#include "internal.h"

/* DEBUGCTL: the bits that a processor takes, and those that do something here. */
#define DEBUGCTL_VALID		0x3full
#define DEBUGCTL_USED		(DEBUGCTLMSR_LBR | DEBUGCTLMSR_BTF)

/* Put DEBUGCTL in force. The records can be read without an exit while they are live. */
static void update(struct vcpu_svm *svm)
{
	bool records = svm->debugctl & DEBUGCTLMSR_LBR;
	u64 virt_ext = svm->vmcb->control.virt_ext & ~VMCB_LBR_VIRT_ENABLE;
	u32 msr;

	vmcb_set_dbgctl(svm->vmcb, svm->debugctl);
	vmcb_set_virt_ext(svm->vmcb, virt_ext | (svm->debugctl ? VMCB_LBR_VIRT_ENABLE : 0));
	for (msr = MSR_IA32_LASTBRANCHFROMIP; msr <= MSR_IA32_LASTINTTOIP; msr++)
		svm_msrpm_set(svm, msr, records, false);
}

/* Bits 2 to 5 drive pins: software may set them, and they read as zero. */
static int set_debugctl(struct vcpu_svm *svm, u64 value)
{
	if (value & ~DEBUGCTL_VALID)
		return -EINVAL;
	if (!svm_has(SVM_FEATURE_LBR_VIRT))
		return 0;
	svm->debugctl = value & DEBUGCTL_USED;
	update(svm);
	return 0;
}

/* Read-only registers; user space puts back what it saved. */
static int set_record(struct vcpu_svm *svm, u32 index, u64 value, bool host)
{
	struct vmcb *vmcb = svm->vmcb;

	if (!host)
		return -EINVAL;
	if (!svm_has(SVM_FEATURE_LBR_VIRT))
		return value ? -EINVAL : 0;
	switch (index) {
	case MSR_IA32_LASTBRANCHFROMIP:
		vmcb_set_br_from(vmcb, value);
		return 0;
	case MSR_IA32_LASTBRANCHTOIP:
		vmcb_set_br_to(vmcb, value);
		return 0;
	case MSR_IA32_LASTINTFROMIP:
		vmcb_set_last_excp_from(vmcb, value);
		return 0;
	default:
		vmcb_set_last_excp_to(vmcb, value);
		return 0;
	}
}

/**
 * svm_lbr_get_msr() - read DEBUGCTL or a last-branch record
 * @svm: the vCPU, by its own thread, between two world switches
 * @index: the MSR
 * @value: the value
 *
 * Return: 0; -ENOENT where it is another MSR.
 */
int svm_lbr_get_msr(struct vcpu_svm *svm, u32 index, u64 *value)
{
	const struct vmcb_save *save = &svm->vmcb->save;

	switch (index) {
	case MSR_IA32_DEBUGCTLMSR:
		*value = svm->debugctl;
		return 0;
	case MSR_IA32_LASTBRANCHFROMIP:
		*value = save->br_from;
		return 0;
	case MSR_IA32_LASTBRANCHTOIP:
		*value = save->br_to;
		return 0;
	case MSR_IA32_LASTINTFROMIP:
		*value = save->last_excp_from;
		return 0;
	case MSR_IA32_LASTINTTOIP:
		*value = save->last_excp_to;
		return 0;
	default:
		return -ENOENT;
	}
}

/**
 * svm_lbr_set_msr() - write DEBUGCTL or a last-branch record
 * @svm: the vCPU, by its own thread, between two world switches
 * @index: the MSR
 * @value: the value
 * @host: user space writes, not the guest
 *
 * Return: 0; -EINVAL where the guest gets #GP; -ENOENT where it is another MSR.
 */
int svm_lbr_set_msr(struct vcpu_svm *svm, u32 index, u64 value, bool host)
{
	switch (index) {
	case MSR_IA32_DEBUGCTLMSR:
		return set_debugctl(svm, value);
	case MSR_IA32_LASTBRANCHFROMIP ... MSR_IA32_LASTINTTOIP:
		return set_record(svm, index, value, host);
	default:
		return -ENOENT;
	}
}

/**
 * svm_lbr_reset() - DEBUGCTL and the records after RESET or INIT
 * @svm: the vCPU, by its own thread
 * @init: INIT: they stay; but the VMCB's DEBUGCTL may be anything, as it is
 *	after a shutdown
 */
void svm_lbr_reset(struct vcpu_svm *svm, bool init)
{
	if (!init) {
		svm->debugctl = 0;
		vmcb_set_br_from(svm->vmcb, 0);
		vmcb_set_br_to(svm->vmcb, 0);
		vmcb_set_last_excp_from(svm->vmcb, 0);
		vmcb_set_last_excp_to(svm->vmcb, 0);
	}
	update(svm);
}

/**
 * svm_lbr_debug_delivered() - the guest gets a #DB
 * @svm: the vCPU, by its own thread
 *
 * A processor that delivers #DB stops recording and stepping on branches, so
 * that the handler finds the records as they were. The intercept comes before
 * that, or does not: the manual leaves it open.
 */
void svm_lbr_debug_delivered(struct vcpu_svm *svm)
{
	if (!svm->debugctl)
		return;
	svm->debugctl = 0;
	update(svm);
}

/**
 * svm_lbr_step() - the next VMRUN is to step one instruction, not one branch
 * @svm: the vCPU, in ring 2
 */
void svm_lbr_step(struct vcpu_svm *svm)
{
	vmcb_set_dbgctl(svm->vmcb, svm->debugctl & ~DEBUGCTLMSR_BTF);
}

/**
 * svm_lbr_restore() - the guest's DEBUGCTL again, after a step or a #DB exit
 * @svm: the vCPU, between two world switches
 */
void svm_lbr_restore(struct vcpu_svm *svm)
{
	vmcb_set_dbgctl(svm->vmcb, svm->debugctl);
}
