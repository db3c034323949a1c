// SPDX-License-Identifier: GPL-2.0-only
/* CPUID: what the host can offer, what the VMM gave the guest, what the guest sees. */
#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/processor.h>

#include "cpuid_table.h"
#include "guest.h"
#include "internal.h"
#include "x86_ops.h"

/* Without CPUID 8000_0008, addresses are as wide as the first PAE processors'. */
#define MAXPHYADDR_DEFAULT	36
#define MAXPHYADDR_4_LEVELS	48
#define MAXPHYADDR_5_LEVELS	52

#define CAPS_MAX		128
#define WORDS_MAX		32
/* All rows' leaves, and the sub-leaves of 0xd and 0x8000001d. */
#define SUPPORTED_MAX		(CAPS_MAX + 64 + CACHES_MAX)
#define CACHES_MAX		8
#define XSAVE_COMPONENTS	64
#define XSAVE_COMPONENT_ALIGNED	BIT(1)

/* What the rows of cpuid_rows come to on this host. */
static u32 caps[CAPS_MAX] __ro_after_init;
/* Row of a feature word, by number of the word. */
static u8 row_of_word[WORDS_MAX] __ro_after_init;
#define NO_ROW			0xff

static u32 __init host_register(const struct cpuid_row *row)
{
	u32 regs[CPUID_REGISTERS];
	u32 leaf = row->function;

	/* Beyond the highest leaf, a processor may answer with anything. */
	if ((leaf & 0xffff0000) == CPUID_KVM_SIGNATURE ||
	    leaf > cpuid_eax(leaf & CPUID_EXTENDED))
		return 0;
	cpuid_count(leaf, row->index, &regs[CPUID_REG_EAX], &regs[CPUID_REG_EBX],
		    &regs[CPUID_REG_ECX], &regs[CPUID_REG_EDX]);
	return regs[row->reg];
}

/* What the kernel was told not to use, or found broken, no guest gets either. */
static u32 __init kernel_word(const struct cpuid_row *row)
{
	if (row->word == CPUID_NO_WORD)
		return ~0;
	return boot_cpu_data.x86_capability[row->word];
}

static u32 *cap_register(unsigned int feature)
{
	unsigned int word = feature / 32;

	if (word >= WORDS_MAX || row_of_word[word] == NO_ROW)
		return NULL;
	return &caps[row_of_word[word]];
}

/**
 * ksvm_cpu_cap_set() - offer a feature to guests
 * @feature: X86_FEATURE_* of a register in the CPUID table; others are ignored
 *
 * Context: module load, after ksvm_x86_setup().
 */
void ksvm_cpu_cap_set(unsigned int feature)
{
	u32 *cap = cap_register(feature);

	if (cap)
		*cap |= BIT(feature & 31);
}

/**
 * ksvm_cpu_cap_clear() - do not offer a feature to guests
 * @feature: X86_FEATURE_*
 *
 * Context: module load, after ksvm_x86_setup().
 */
void ksvm_cpu_cap_clear(unsigned int feature)
{
	u32 *cap = cap_register(feature);

	if (cap)
		*cap &= ~BIT(feature & 31);
}

/**
 * ksvm_cpu_cap_has() - is a feature offered to guests
 * @feature: X86_FEATURE_*
 */
bool ksvm_cpu_cap_has(unsigned int feature)
{
	const u32 *cap = cap_register(feature);

	return cap && *cap & BIT(feature & 31);
}

/* Features that need others, whatever CPUID says. */
static void __init clear_dependents(void)
{
	u64 xcr0 = ksvm_supported_xcr0();

	if (!xcr0) {
		ksvm_cpu_cap_clear(X86_FEATURE_XSAVE);
		ksvm_cpu_cap_clear(X86_FEATURE_XSAVEOPT);
		ksvm_cpu_cap_clear(X86_FEATURE_XSAVEC);
		ksvm_cpu_cap_clear(X86_FEATURE_XGETBV1);
		ksvm_cpu_cap_clear(X86_FEATURE_XSAVES);
	}
	if (!(xcr0 & XFEATURE_MASK_YMM)) {
		ksvm_cpu_cap_clear(X86_FEATURE_AVX);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX2);
		ksvm_cpu_cap_clear(X86_FEATURE_FMA);
		ksvm_cpu_cap_clear(X86_FEATURE_FMA4);
		ksvm_cpu_cap_clear(X86_FEATURE_XOP);
		ksvm_cpu_cap_clear(X86_FEATURE_F16C);
		ksvm_cpu_cap_clear(X86_FEATURE_VAES);
		ksvm_cpu_cap_clear(X86_FEATURE_VPCLMULQDQ);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX_VNNI);
	}
	if (!(xcr0 & XFEATURE_MASK_AVX512)) {
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512F);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512DQ);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512IFMA);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512CD);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512BW);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512VL);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512VBMI);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512_VBMI2);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512_VNNI);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512_BITALG);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512_VPOPCNTDQ);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512_VP2INTERSECT);
		ksvm_cpu_cap_clear(X86_FEATURE_AVX512_BF16);
	}
	if (!(xcr0 & XFEATURE_MASK_PKRU))
		ksvm_cpu_cap_clear(X86_FEATURE_PKU);
}

/**
 * ksvm_cpuid_setup() - find out what this host can offer
 *
 * Context: module load, after ksvm_fpu_setup().
 */
void __init ksvm_cpuid_setup(void)
{
	unsigned int i;

	BUILD_BUG_ON(CAPS_MAX > NO_ROW);
	if (WARN_ON_ONCE(cpuid_nr_rows > CAPS_MAX))
		return;
	memset(row_of_word, NO_ROW, sizeof(row_of_word));
	for (i = 0; i < cpuid_nr_rows; i++) {
		const struct cpuid_row *row = &cpuid_rows[i];

		caps[i] = (host_register(row) & kernel_word(row) & row->offered) | row->emulated;
		if (row->word < WORDS_MAX)
			row_of_word[row->word] = i;
	}
	clear_dependents();
}

static u8 supported_maxphyaddr(void)
{
	unsigned int limit = boot_cpu_has(X86_FEATURE_LA57) ? MAXPHYADDR_5_LEVELS :
							      MAXPHYADDR_4_LEVELS;
	unsigned int host = MAXPHYADDR_DEFAULT;

	/* Not the kernel's own figure: memory encryption takes nothing from guests. */
	if (cpuid_eax(CPUID_EXTENDED) >= 0x80000008)
		host = cpuid_eax(0x80000008) & 0xff;
	return min(host, limit);
}

/* A list of entries in the making. */
struct cpuid_list {
	unsigned int count;
	struct kvm_cpuid_entry2 entries[SUPPORTED_MAX];
};

static struct kvm_cpuid_entry2 *cpuid_list_add(struct cpuid_list *list, u32 function, u32 index)
{
	struct kvm_cpuid_entry2 *entry = &list->entries[list->count++];

	entry->function = function;
	entry->index = index;
	if (cpuid_has_subleaves(function))
		entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	return entry;
}

static void set_register(struct kvm_cpuid_entry2 *entry, enum cpuid_register reg, u32 value)
{
	switch (reg) {
	case CPUID_REG_EAX:
		entry->eax = value;
		break;
	case CPUID_REG_EBX:
		entry->ebx = value;
		break;
	case CPUID_REG_ECX:
		entry->ecx = value;
		break;
	default:
		entry->edx = value;
		break;
	}
}

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

static void add_xsave_components(struct cpuid_list *list)
{
	u64 xcr0 = ksvm_supported_xcr0();
	unsigned int i;

	for (i = 2; i < XSAVE_COMPONENTS; i++) {
		struct kvm_cpuid_entry2 *entry;
		u32 edx;

		if (!(xcr0 & BIT_ULL(i)))
			continue;
		entry = cpuid_list_add(list, 0xd, i);
		cpuid_count(0xd, i, &entry->eax, &entry->ebx, &entry->ecx, &edx);
		entry->ecx &= XSAVE_COMPONENT_ALIGNED;
	}
}

static void add_caches(struct cpuid_list *list)
{
	unsigned int i;

	if (!ksvm_cpu_cap_has(X86_FEATURE_TOPOEXT) || cpuid_eax(CPUID_EXTENDED) < 0x8000001d)
		return;
	for (i = 0; i < CACHES_MAX; i++) {
		struct kvm_cpuid_entry2 *entry = cpuid_list_add(list, 0x8000001d, i);

		cpuid_count(0x8000001d, i, &entry->eax, &entry->ebx, &entry->ecx, &entry->edx);
		/* How many processors share it is the VMM's to say. */
		entry->eax &= ~GENMASK(25, 14);
		if (!(entry->eax & 0x1f))
			break;
	}
}

/* Values that are computed rather than masked. */
static void finish_entry(struct cpuid_list *list, struct kvm_cpuid_entry2 *entry)
{
	u64 xcr0 = ksvm_supported_xcr0();

	switch (entry->function) {
	case 0x0:
		entry->eax = CPUID_BASIC_MAX;
		break;
	case 0x7:
		if (!entry->index)
			entry->eax = min_t(u32, entry->eax, 1);
		break;
	case 0xd:
		if (!entry->index) {
			entry->eax = xcr0;
			entry->edx = xcr0 >> 32;
			entry->ebx = ksvm_xsave_size(xcr0, false);
			entry->ecx = entry->ebx;
			break;
		}
		if (ksvm_cpu_cap_has(X86_FEATURE_XSAVEC))
			entry->ebx = ksvm_xsave_size(xcr0, true);
		add_xsave_components(list);
		break;
	case CPUID_EXTENDED:
		entry->eax = min_t(u32, entry->eax, CPUID_EXTENDED_MAX);
		break;
	case 0x80000008:
		entry->eax = supported_maxphyaddr() |
			     (ksvm_cpu_cap_has(X86_FEATURE_LA57) ? 57 : 48) << 8;
		break;
	case 0x8000001a:
		add_caches(list);
		break;
	}
}

static void list_supported(struct cpuid_list *list)
{
	u32 max = min_t(u32, cpuid_eax(CPUID_EXTENDED), CPUID_EXTENDED_MAX);
	struct kvm_cpuid_entry2 *entry = NULL;
	unsigned int i;

	for (i = 0; i < cpuid_nr_rows; i++) {
		const struct cpuid_row *row = &cpuid_rows[i];

		if (row->function > max || (row->function == 0xd && !ksvm_supported_xcr0()))
			continue;
		if (!entry || entry->function != row->function || entry->index != row->index) {
			if (entry)
				finish_entry(list, entry);
			entry = cpuid_list_add(list, row->function, row->index);
		}
		set_register(entry, row->reg, caps[i]);
	}
	if (entry)
		finish_entry(list, entry);
}

/**
 * ksvm_get_supported_cpuid() - KVM_GET_SUPPORTED_CPUID
 * @user: header with room for nent entries; gets the list and its length
 *
 * Return: 0; -E2BIG where there is too little room; -EFAULT, -ENOMEM.
 * Context: may sleep.
 */
int ksvm_get_supported_cpuid(struct kvm_cpuid2 __user *user)
{
	struct cpuid_list *list;
	int error = 0;
	u32 nent;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	list = kvzalloc(sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list)
		return -ENOMEM;
	list_supported(list);
	if (nent < list->count)
		error = -E2BIG;
	else if (put_user(list->count, &user->nent) ||
		 copy_to_user(user->entries, list->entries,
			      list->count * sizeof(list->entries[0])))
		error = -EFAULT;
	kvfree(list);
	return error;
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
	const struct cpuid_row *row;
	unsigned int word = feature / 32;

	if (word >= WORDS_MAX || row_of_word[word] == NO_ROW)
		return false;
	row = &cpuid_rows[row_of_word[word]];
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
		vcpu->x86.maxphyaddr = supported_maxphyaddr();
	else if (entry)
		vcpu->x86.maxphyaddr = min_t(u8, entry->eax & 0xff, MAXPHYADDR_5_LEVELS);
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

static void replace_bit(u32 *reg, unsigned int feature, bool value)
{
	u32 bit = BIT(feature & 31);

	*reg = value ? *reg | bit : *reg & ~bit;
}

/* Bits that follow the state of the processor. */
static void cpuid_dynamic(struct ksvm_vcpu *vcpu, struct kvm_cpuid_entry2 *entry, u32 index)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	switch (entry->function) {
	case 0x1:
		replace_bit(&entry->ecx, X86_FEATURE_OSXSAVE, x86->cr4 & X86_CR4_OSXSAVE);
		fallthrough;
	case 0x80000001:
		if (!(x86->msrs.apic_base & MSR_IA32_APICBASE_ENABLE))
			replace_bit(&entry->edx, X86_FEATURE_APIC, false);
		break;
	case 0x7:
		if (!index)
			replace_bit(&entry->ecx, X86_FEATURE_OSPKE, x86->cr4 & X86_CR4_PKE);
		break;
	case 0xd:
		if (!index)
			entry->ebx = ksvm_xsave_size(x86->fpu.xcr0, false);
		else if (index == 1 && entry->eax & (BIT(X86_FEATURE_XSAVEC & 31) |
						     BIT(X86_FEATURE_XSAVES & 31)))
			entry->ebx = ksvm_xsave_size(x86->fpu.xcr0 | x86->msrs.xss, true);
		break;
	}
}

/* Beyond the levels of the topology leaves, the number of the level and the id stay. */
static void cpuid_topology(struct ksvm_vcpu *vcpu, struct kvm_cpuid_entry2 *result, u32 index)
{
	const struct kvm_cpuid_entry2 *first = ksvm_find_cpuid(vcpu, result->function, 0);

	if (!first)
		return;
	result->ecx = index & 0xff;
	result->edx = first->edx;
}

/**
 * ksvm_cpuid() - execute CPUID for the guest
 * @vcpu: the vCPU, by its own thread; any ring
 * @eax: leaf; all four are replaced
 * @ebx: out
 * @ecx: sub-leaf
 * @edx: out
 *
 * A leaf that user space did not give is zero, as on AMD's processors.
 */
void ksvm_cpuid(struct ksvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	const struct kvm_cpuid_entry2 *entry = ksvm_find_cpuid(vcpu, *eax, *ecx);
	struct kvm_cpuid_entry2 result = { .function = *eax };

	if (entry) {
		result = *entry;
		cpuid_dynamic(vcpu, &result, *ecx);
	} else if (*eax == 0xb || *eax == 0x1f) {
		cpuid_topology(vcpu, &result, *ecx);
	}
	*eax = result.eax;
	*ebx = result.ebx;
	*ecx = result.ecx;
	*edx = result.edx;
}
