// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that the VMCB holds or that the world switch switches, when the guest
 * accesses them with an exit, and when user space does.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "compat.h"
#include "guest.h"
#include "internal.h"

/* VM_CR: the bits that are defined. */
#define VM_CR_VALID		0x1full

/* PAT after RESET: WB, WT, UC-, UC, twice. */
#define PAT_RESET		0x0007040600070406ull

static bool pat_valid(u64 pat)
{
	/* Types are 0, 1, 4, 5, 6 and 7: bit 1 only together with bit 2. */
	return !(pat & 0xf8f8f8f8f8f8f8f8ull) &&
	       !((pat & 0x0202020202020202ull) & ~((pat & 0x0404040404040404ull) >> 1));
}

/* Addresses: what the guest may write, or user space for a guest yet to be set up. */
static bool address_valid(struct ksvm_vcpu *vcpu, u64 address, bool host)
{
	unsigned int unused;

	if (!host)
		return guest_canonical(vcpu, address);
	unused = boot_cpu_has(X86_FEATURE_LA57) ? 64 - 57 : 64 - 48;
	return (u64)((s64)(address << unused) >> unused) == address;
}

/* MSRs that VMLOAD and VMSAVE move. */
static u64 *switched_msr(struct vcpu_svm *svm, u32 index)
{
	struct vmcb_save *save = &svm->vmcb->save;

	switch (index) {
	case MSR_STAR:
		return &save->star;
	case MSR_LSTAR:
		return &save->lstar;
	case MSR_CSTAR:
		return &save->cstar;
	case MSR_SYSCALL_MASK:
		return &save->sfmask;
	case MSR_FS_BASE:
		return &save->fs.base;
	case MSR_GS_BASE:
		return &save->gs.base;
	case MSR_KERNEL_GS_BASE:
		return &save->kernel_gs_base;
	case MSR_IA32_SYSENTER_CS:
		return &save->sysenter_cs;
	default:
		return NULL;
	}
}

static int set_switched_msr(struct vcpu_svm *svm, u32 index, u64 *where, u64 value, bool host)
{
	switch (index) {
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!address_valid(&svm->vcpu, value, host))
			return -EINVAL;
	}
	*where = value;
	return 0;
}

/*
 * AMD processors have 32 bits of SYSENTER_ESP and SYSENTER_EIP. A guest that
 * believes in an Intel processor, as one that came from there does, gets its
 * 64 bits back.
 */
static void set_sysenter(struct vcpu_svm *svm, u64 *low, u32 *high, u64 value)
{
	*low = (u32)value;
	*high = svm->intel_guest ? value >> 32 : 0;
}

/* Which feature, by its number in leaf 8000_0008 EBX, stands for which bit of SPEC_CTRL. */
static const struct {
	unsigned int feature;
	u64 bit;
} spec_ctrl_bits[] = {
	{ X86_FEATURE_AMD_IBRS, SPEC_CTRL_IBRS },
	{ X86_FEATURE_AMD_STIBP, SPEC_CTRL_STIBP },
	{ X86_FEATURE_AMD_SSBD, SPEC_CTRL_SSBD },
	{ X86_FEATURE_CLZERO + 28, BIT_ULL(7) },	/* PSFD */
};

/*
 * SPEC_CTRL bits that the host's processor has; for the guest, of these the
 * ones that its CPUID has, too. None: the MSR is not there.
 */
static u64 spec_ctrl_valid(struct ksvm_vcpu *vcpu, bool host)
{
	u64 bits = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spec_ctrl_bits); i++) {
		unsigned int feature = spec_ctrl_bits[i].feature;

		if (boot_cpu_has(feature) && (host || ksvm_guest_has(vcpu, feature)))
			bits |= spec_ctrl_bits[i].bit;
	}
	return bits;
}

static u64 *spec_ctrl_of(struct vcpu_svm *svm)
{
	return svm_has(SVM_FEATURE_V_SPEC_CTRL) ? &svm->vmcb->save.spec_ctrl :
						  &svm->world.guest_spec_ctrl;
}

static void open_spec_ctrl(struct vcpu_svm *svm, bool open)
{
	svm_msrpm_set(svm, MSR_IA32_SPEC_CTRL, open, open);
	svm->world.read_spec_ctrl = open && !svm_has(SVM_FEATURE_V_SPEC_CTRL);
}

static int set_spec_ctrl(struct vcpu_svm *svm, u64 value, bool host)
{
	u64 valid = spec_ctrl_valid(&svm->vcpu, host);

	if ((!host && !valid) || (value & ~valid))
		return -EINVAL;
	*spec_ctrl_of(svm) = value;
	if (svm_has(SVM_FEATURE_V_SPEC_CTRL))
		return 0;
	/* Ring 2 compared it with the host's at its beginning. */
	svm->world.write_spec_ctrl = valid;
	/*
	 * A guest that uses it does so at each of its kernel entries: no exits
	 * from now on. Until then entering the guest need not write the MSR.
	 */
	if (value && spec_ctrl_valid(&svm->vcpu, false))
		open_spec_ctrl(svm, true);
	return 0;
}

static int set_pred_cmd(struct ksvm_vcpu *vcpu, u64 value, bool host)
{
	bool guest_has = ksvm_guest_has(vcpu, X86_FEATURE_AMD_IBPB);

	if ((!host && !guest_has) || (value & ~(u64)PRED_CMD_IBPB))
		return -EINVAL;
	if (!value)
		return 0;
	if (!boot_cpu_has(X86_FEATURE_IBPB))
		return -EINVAL;
	ksvm_ibpb();
	return 0;
}

static void set_tsc_aux(struct ksvm_vcpu *vcpu, u64 value)
{
	/* The upper half does not exist; ring 2 has loaded the old value. */
	vcpu->x86.msrs.tsc_aux = (u32)value;
	if (vcpu->ring == RING_INNER && boot_cpu_has(X86_FEATURE_RDTSCP))
		ksvm_wrmsr(MSR_TSC_AUX, (u32)value);
}

static bool guest_has_tsc_aux(struct ksvm_vcpu *vcpu)
{
	return ksvm_guest_has(vcpu, X86_FEATURE_RDTSCP) || ksvm_guest_has(vcpu, X86_FEATURE_RDPID);
}

/**
 * svm_get_msr() - read an MSR of the backend's
 * @vcpu: the vCPU, by its own thread
 * @index: its number
 * @value: the value
 * @host: user space asks, not the guest
 *
 * Return: 0; -EINVAL where the guest gets #GP; -ENOENT where it is not one of
 * the backend's.
 */
int svm_get_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	const struct vmcb_save *save = &svm->vmcb->save;
	const u64 *where = switched_msr(svm, index);

	if (where) {
		*value = *where;
		return 0;
	}
	switch (index) {
	case MSR_IA32_SYSENTER_ESP:
		*value = (u64)svm->sysenter_esp_high << 32 | (u32)save->sysenter_esp;
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		*value = (u64)svm->sysenter_eip_high << 32 | (u32)save->sysenter_eip;
		return 0;
	case MSR_IA32_CR_PAT:
		*value = save->g_pat;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!host && !spec_ctrl_valid(vcpu, false))
			return -EINVAL;
		*value = *spec_ctrl_of(svm);
		return 0;
	case MSR_TSC_AUX:
		if (!host && !guest_has_tsc_aux(vcpu))
			return -EINVAL;
		*value = vcpu->x86.msrs.tsc_aux;
		return 0;
	case MSR_VM_CR:
	case MSR_VM_HSAVE_PA:
		/* The guest's processor has no SVM. */
		if (!host)
			return -EINVAL;
		*value = index == MSR_VM_CR ? svm->vm_cr : 0;
		return 0;
	case MSR_IA32_PRED_CMD:
		return -EINVAL;
	default:
		return svm_lbr_get_msr(svm, index, value);
	}
}

/**
 * svm_set_msr() - write an MSR of the backend's
 * @vcpu: the vCPU, by its own thread
 * @index: its number
 * @value: the value
 * @host: user space asks, not the guest
 *
 * Return: as svm_get_msr().
 */
int svm_set_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct vmcb_save *save = &svm->vmcb->save;
	u64 *where = switched_msr(svm, index);

	if (where)
		return set_switched_msr(svm, index, where, value, host);
	switch (index) {
	case MSR_IA32_SYSENTER_ESP:
		set_sysenter(svm, &save->sysenter_esp, &svm->sysenter_esp_high, value);
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		set_sysenter(svm, &save->sysenter_eip, &svm->sysenter_eip_high, value);
		return 0;
	case MSR_IA32_CR_PAT:
		if (!pat_valid(value))
			return -EINVAL;
		vcpu->x86.msrs.pat = value;
		vmcb_set_g_pat(svm->vmcb, value);
		return 0;
	case MSR_IA32_SPEC_CTRL:
		return set_spec_ctrl(svm, value, host);
	case MSR_IA32_PRED_CMD:
		return set_pred_cmd(vcpu, value, host);
	case MSR_TSC_AUX:
		if (!host && !guest_has_tsc_aux(vcpu))
			return -EINVAL;
		set_tsc_aux(vcpu, value);
		return 0;
	case MSR_VM_CR:
		if (!host || (value & ~VM_CR_VALID))
			return -EINVAL;
		svm->vm_cr = value;
		return 0;
	case MSR_VM_HSAVE_PA:
		return host && !value ? 0 : -EINVAL;
	default:
		return svm_lbr_set_msr(svm, index, value, host);
	}
}

/**
 * svm_msrs_reset() - MSRs of the backend's as after RESET
 * @svm: the vCPU, by its own thread
 */
void svm_msrs_reset(struct vcpu_svm *svm)
{
	struct vmcb_save *save = &svm->vmcb->save;

	save->star = 0;
	save->lstar = 0;
	save->cstar = 0;
	save->sfmask = 0;
	save->kernel_gs_base = 0;
	save->sysenter_cs = 0;
	set_sysenter(svm, &save->sysenter_esp, &svm->sysenter_esp_high, 0);
	set_sysenter(svm, &save->sysenter_eip, &svm->sysenter_eip_high, 0);
	svm->vcpu.x86.msrs.pat = PAT_RESET;
	vmcb_set_g_pat(svm->vmcb, PAT_RESET);
	*spec_ctrl_of(svm) = 0;
	svm->vm_cr = 0;
}

static bool guest_is_intel(struct ksvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = ksvm_find_cpuid(vcpu, 0, 0);

	/* "GenuineIntel" */
	return entry && entry->ebx == 0x756e6547 && entry->edx == 0x49656e69 &&
	       entry->ecx == 0x6c65746e;
}

/**
 * svm_msr_intercepts_update() - which MSRs the guest gets without an exit
 * @svm: the vCPU, by its own thread, after its CPUID changed
 */
void svm_msr_intercepts_update(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	bool spec_ctrl = spec_ctrl_valid(vcpu, false);
	bool open;

	svm->intel_guest = guest_is_intel(vcpu);
	svm_msrpm_set(svm, MSR_IA32_SYSENTER_ESP, !svm->intel_guest, !svm->intel_guest);
	svm_msrpm_set(svm, MSR_IA32_SYSENTER_EIP, !svm->intel_guest, !svm->intel_guest);

	open = spec_ctrl && (svm_has(SVM_FEATURE_V_SPEC_CTRL) || *spec_ctrl_of(svm));
	open_spec_ctrl(svm, open);

	open = boot_cpu_has(X86_FEATURE_IBPB) && ksvm_guest_has(vcpu, X86_FEATURE_AMD_IBPB);
	svm_msrpm_set(svm, MSR_IA32_PRED_CMD, false, open);
}
