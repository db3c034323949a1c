// SPDX-License-Identifier: GPL-2.0-only
/* CPUID that can be offered on this host: KVM_GET_SUPPORTED_CPUID. */
#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>

#include "compat.h"
#include "cpuid_table.h"
#include "internal.h"
#include "x86.h"

/* Addresses are limited by the nested page table, which is the host's kind. */
#define MAXPHYADDR_4_LEVELS	48

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

/**
 * ksvm_cpuid_row() - the row of the CPUID table that a feature is in
 * @feature: X86_FEATURE_*
 *
 * Return: the row, or NULL where the table has none.
 */
const struct cpuid_row *ksvm_cpuid_row(unsigned int feature)
{
	unsigned int word = feature / 32;

	if (word >= WORDS_MAX || row_of_word[word] == NO_ROW)
		return NULL;
	return &cpuid_rows[row_of_word[word]];
}

static u32 *cap_register(unsigned int feature)
{
	const struct cpuid_row *row = ksvm_cpuid_row(feature);

	return row ? &caps[row - cpuid_rows] : NULL;
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

/* Instructions whose registers XSAVE has to move. */
struct dependent {
	u64 components;
	unsigned int feature;
};

static const struct dependent dependents[] __initconst = {
	{ XFEATURE_MASK_FP, X86_FEATURE_XSAVE },
	{ XFEATURE_MASK_FP, X86_FEATURE_XSAVEOPT },
	{ XFEATURE_MASK_FP, X86_FEATURE_XSAVEC },
	{ XFEATURE_MASK_FP, X86_FEATURE_XGETBV1 },
	{ XFEATURE_MASK_FP, X86_FEATURE_XSAVES },
	{ XFEATURE_MASK_YMM, X86_FEATURE_AVX },
	{ XFEATURE_MASK_YMM, X86_FEATURE_AVX2 },
	{ XFEATURE_MASK_YMM, X86_FEATURE_FMA },
	{ XFEATURE_MASK_YMM, X86_FEATURE_FMA4 },
	{ XFEATURE_MASK_YMM, X86_FEATURE_XOP },
	{ XFEATURE_MASK_YMM, X86_FEATURE_F16C },
	{ XFEATURE_MASK_YMM, X86_FEATURE_VAES },
	{ XFEATURE_MASK_YMM, X86_FEATURE_VPCLMULQDQ },
	{ XFEATURE_MASK_YMM, X86_FEATURE_AVX_VNNI },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512F },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512DQ },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512IFMA },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512CD },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512BW },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512VL },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512VBMI },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512_VBMI2 },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512_VNNI },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512_BITALG },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512_VPOPCNTDQ },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512_VP2INTERSECT },
	{ XFEATURE_MASK_AVX512, X86_FEATURE_AVX512_BF16 },
	{ XFEATURE_MASK_PKRU, X86_FEATURE_PKU },
};

static void __init clear_dependents(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dependents); i++) {
		if (!(ksvm_supported_xcr0() & dependents[i].components))
			ksvm_cpu_cap_clear(dependents[i].feature);
	}
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

/**
 * ksvm_supported_maxphyaddr() - how many bits guest-physical addresses can have
 */
u8 ksvm_supported_maxphyaddr(void)
{
	unsigned int limit = boot_cpu_has(X86_FEATURE_LA57) ? MAXPHYADDR_MAX :
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

	if (cpuid_eax(CPUID_EXTENDED) < 0x8000001d)
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
		entry->eax = ksvm_supported_maxphyaddr() |
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
