// SPDX-License-Identifier: GPL-2.0-only
/* CPUID: what the VMM gave the guest, and what the guest sees of it. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/cpufeatures.h>
#include <asm/fpu/types.h>

#include "cpuid_search.h"
#include "cpuid_table.h"
#include "guest.h"
#include "internal.h"
#include "x86_ops.h"

static u32 get_register(const struct kvm_cpuid_entry2 *entry, enum cpuid_register reg)
{
	switch (reg) {
	case CPUID_REG_EAX:
		return entry->eax;
	case CPUID_REG_EBX:
		return entry->ebx;
	case CPUID_REG_ECX:
		return entry->ecx;
	default:
		return entry->edx;
	}
}

/**
 * ksvm_find_cpuid() - the entry that user space gave for a leaf
 * @vcpu: the vCPU, by its own thread
 * @function: EAX
 * @index: ECX
 *
 * Return: the entry as it was set, or NULL.
 */
struct kvm_cpuid_entry2 *ksvm_find_cpuid(struct ksvm_vcpu *vcpu, u32 function, u32 index)
{
	return cpuid_search(vcpu->x86.cpuid, vcpu->x86.cpuid_nent, function, index);
}

/**
 * ksvm_guest_has() - was the guest given a feature
 * @vcpu: the vCPU, by its own thread
 * @feature: X86_FEATURE_* of a register in the CPUID table
 *
 * Return: what its CPUID says; false while it has none. This module may not offer
 * the feature all the same: see ksvm_cpu_cap_has().
 */
bool ksvm_guest_has(struct ksvm_vcpu *vcpu, unsigned int feature)
{
	const struct kvm_cpuid_entry2 *entry;
	const struct cpuid_row *row = ksvm_cpuid_row(feature);

	if (!row)
		return false;
	entry = ksvm_find_cpuid(vcpu, row->function, row->index);
	return entry && get_register(entry, row->reg) & BIT(feature & 31);
}

/* Both offered here and given to the guest; while it has no CPUID, offered. */
static bool guest_may_use(struct ksvm_vcpu *vcpu, unsigned int feature)
{
	return ksvm_cpu_cap_has(feature) &&
	       (!vcpu->x86.cpuid_nent || ksvm_guest_has(vcpu, feature));
}

/**
 * ksvm_guest_xcr0() - XCR0 bits that the guest may set
 * @vcpu: the vCPU, by its own thread
 */
u64 ksvm_guest_xcr0(struct ksvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = ksvm_find_cpuid(vcpu, 0xd, 0);
	u64 given = entry ? (u64)entry->edx << 32 | entry->eax : 0;

	if (!vcpu->x86.cpuid_nent)
		given = ~0ull;
	return (given | XFEATURE_MASK_FP) & ksvm_supported_xcr0();
}

/* What follows from the guest's CPUID. */
static void cpuid_changed(struct ksvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = ksvm_find_cpuid(vcpu, 0x80000008, 0);

	if (!vcpu->x86.cpuid_nent)
		vcpu->x86.maxphyaddr = ksvm_supported_maxphyaddr();
	else if (entry)
		vcpu->x86.maxphyaddr = min_t(u8, entry->eax & 0xff, MAXPHYADDR_MAX);
	else
		vcpu->x86.maxphyaddr = MAXPHYADDR_DEFAULT;
	vcpu->x86.cr4_reserved = ksvm_cr4_reserved(guest_may_use, vcpu);
}

/**
 * ksvm_cpuid_vcpu_init() - a new vCPU has no CPUID yet
 * @vcpu: the vCPU
 */
void ksvm_cpuid_vcpu_init(struct ksvm_vcpu *vcpu)
{
	cpuid_changed(vcpu);
}

/**
 * ksvm_cpuid_vcpu_free() - drop a vCPU's CPUID
 * @vcpu: the vCPU, which is going away
 */
void ksvm_cpuid_vcpu_free(struct ksvm_vcpu *vcpu)
{
	kvfree(vcpu->x86.cpuid);
	kvfree(vcpu->x86.cpuid_user);
}

/* User space may give anything but address widths that no processor has. */
static int check_cpuid(struct kvm_cpuid_entry2 *entries, unsigned int count)
{
	const struct kvm_cpuid_entry2 *entry = cpuid_search(entries, count, 0x80000008, 0);
	unsigned int linear_bits;

	if (!entry)
		return 0;
	linear_bits = entry->eax >> 8 & 0xff;
	return linear_bits == 0 || linear_bits == 48 || linear_bits == 57 ? 0 : -EINVAL;
}

static bool same_cpuid(const struct ksvm_x86_vcpu *x86, const struct kvm_cpuid_entry2 *entries,
		       unsigned int count)
{
	return x86->cpuid_nent == count &&
	       !memcmp(x86->cpuid_user, entries, count * sizeof(*entries));
}

static int copy_cpuid(struct kvm_cpuid2 __user *user, struct kvm_cpuid_entry2 **entries,
		      unsigned int *count)
{
	struct kvm_cpuid_entry2 *copy;
	unsigned int i;
	u32 nent;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (nent > KSVM_CPUID_ENTRIES_MAX)
		return -E2BIG;
	copy = kvcalloc(max(nent, 1u), sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	if (copy_from_user(copy, user->entries, nent * sizeof(*copy))) {
		kvfree(copy);
		return -EFAULT;
	}
	/* What has no meaning must not make a difference later. */
	for (i = 0; i < nent; i++)
		memset(copy[i].padding, 0, sizeof(copy[i].padding));
	*entries = copy;
	*count = nent;
	return 0;
}

/**
 * ksvm_set_cpuid() - KVM_SET_CPUID2
 * @vcpu: the vCPU, by its own thread
 * @user: header and entries
 *
 * Return: 0; -E2BIG for too many entries; -EINVAL for impossible ones, and for
 * others than before once the guest has run; -EFAULT, -ENOMEM.
 * Context: may sleep.
 */
int ksvm_set_cpuid(struct ksvm_vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	struct kvm_cpuid_entry2 *given, *sorted;
	unsigned int count;
	int error;

	error = copy_cpuid(user, &given, &count);
	if (error)
		return error;
	if (vcpu->last_cpu >= 0) {
		error = same_cpuid(x86, given, count) ? 0 : -EINVAL;
		goto free_given;
	}

	sorted = kvcalloc(max(count, 1u), sizeof(*sorted), GFP_KERNEL_ACCOUNT);
	if (!sorted) {
		error = -ENOMEM;
		goto free_given;
	}
	memcpy(sorted, given, count * sizeof(*sorted));
	cpuid_sort(sorted, count);
	error = check_cpuid(sorted, count);
	if (error)
		goto free_sorted;

	swap(x86->cpuid, sorted);
	swap(x86->cpuid_user, given);
	x86->cpuid_nent = count;
	x86->cpuid_last.entry = NULL;
	cpuid_changed(vcpu);
	static_call(ksvm_x86_cpuid_changed)(vcpu);
	static_call(ksvm_pmu_refresh)(vcpu);

free_sorted:
	kvfree(sorted);
free_given:
	kvfree(given);
	return error;
}

/**
 * ksvm_get_cpuid() - KVM_GET_CPUID2
 * @vcpu: the vCPU, by its own thread
 * @user: header with room for nent entries; gets what was set, in its order
 *
 * Return: 0; -E2BIG where there is too little room; -EFAULT.
 * Context: may sleep.
 */
int ksvm_get_cpuid(struct ksvm_vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	u32 nent;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (nent < x86->cpuid_nent)
		return -E2BIG;
	if (put_user(x86->cpuid_nent, &user->nent) ||
	    copy_to_user(user->entries, x86->cpuid_user,
			 x86->cpuid_nent * sizeof(*x86->cpuid_user)))
		return -EFAULT;
	return 0;
}

static u32 replace_bit(u32 value, unsigned int feature, bool set)
{
	u32 bit = BIT(feature & 31);

	return set ? value | bit : value & ~bit;
}

/* An entry, with the bits that follow the state of the processor. */
static void cpuid_entry(struct ksvm_vcpu *vcpu, const struct kvm_cpuid_entry2 *entry,
			u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	u32 index = *ecx;

	*eax = entry->eax;
	*ebx = entry->ebx;
	*ecx = entry->ecx;
	*edx = entry->edx;
	switch (entry->function) {
	case 0x1:
		*ecx = replace_bit(*ecx, X86_FEATURE_OSXSAVE, x86->cr4 & X86_CR4_OSXSAVE);
		fallthrough;
	case 0x80000001:
		if (!(x86->msrs.apic_base & MSR_IA32_APICBASE_ENABLE))
			*edx = replace_bit(*edx, X86_FEATURE_APIC, false);
		break;
	case 0x7:
		if (!index)
			*ecx = replace_bit(*ecx, X86_FEATURE_OSPKE, x86->cr4 & X86_CR4_PKE);
		break;
	case 0xd:
		if (!index)
			*ebx = ksvm_xsave_size(ksvm_fpu_xcr0(vcpu), false);
		else if (index == 1 && *eax & (BIT(X86_FEATURE_XSAVEC & 31) |
					       BIT(X86_FEATURE_XSAVES & 31)))
			*ebx = ksvm_xsave_size(ksvm_fpu_xcr0(vcpu) | x86->msrs.xss, true);
		break;
	}
}

static noinline void cpuid_missing(struct ksvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx,
				   u32 *edx)
{
	const struct kvm_cpuid_entry2 *first = NULL;

	if (*eax == 0xb || *eax == 0x1f)
		first = ksvm_find_cpuid(vcpu, *eax, 0);
	*eax = 0;
	*ebx = 0;
	*ecx = first ? *ecx & 0xff : 0;
	*edx = first ? first->edx : 0;
}

/* Kept for the next time: where CPUID only serializes, the leaf is always the same. */
static noinline const struct kvm_cpuid_entry2 *cpuid_look_up(struct ksvm_vcpu *vcpu,
							     u32 function, u32 index)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	x86->cpuid_last.entry = ksvm_find_cpuid(vcpu, function, index);
	x86->cpuid_last.function = function;
	x86->cpuid_last.index = index;
	return x86->cpuid_last.entry;
}

/**
 * ksvm_cpuid() - execute CPUID for the guest
 * @vcpu: the vCPU, by its own thread; any ring
 * @eax: leaf; all four are replaced
 * @ebx: out
 * @ecx: sub-leaf
 * @edx: out
 *
 * A leaf that user space did not give is zero, as on AMD's processors. Beyond the
 * levels of the topology leaves, the number of the level and the id stay.
 */
void ksvm_cpuid(struct ksvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	const struct kvm_cpuid_entry2 *entry = vcpu->x86.cpuid_last.entry;

	if (!entry || vcpu->x86.cpuid_last.function != *eax || vcpu->x86.cpuid_last.index != *ecx)
		entry = cpuid_look_up(vcpu, *eax, *ecx);
	if (likely(entry))
		cpuid_entry(vcpu, entry, eax, ebx, ecx, edx);
	else
		cpuid_missing(vcpu, eax, ebx, ecx, edx);
}
