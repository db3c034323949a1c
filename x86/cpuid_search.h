/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of CPUID entries, and finding one of them. Pure; also built on the host. */
#ifndef KSVM_X86_CPUID_SEARCH_H
#define KSVM_X86_CPUID_SEARCH_H

#include <linux/kvm.h>

#include "pure.h"

static inline u64 cpuid_sort_key(const struct kvm_cpuid_entry2 *entry)
{
	bool indexed = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

	return (u64)entry->function << 32 | (indexed ? entry->index : 0);
}

/**
 * cpuid_sort() - sort entries by leaf and sub-leaf; equal ones keep their order
 * @entries: the entries
 * @count: of them; they are few and come nearly sorted
 */
static inline void cpuid_sort(struct kvm_cpuid_entry2 *entries, unsigned int count)
{
	unsigned int i, to;

	for (i = 1; i < count; i++) {
		struct kvm_cpuid_entry2 entry = entries[i];

		for (to = i; to && cpuid_sort_key(&entries[to - 1]) > cpuid_sort_key(&entry); to--)
			entries[to] = entries[to - 1];
		entries[to] = entry;
	}
}

/* Negative: the entry is before the leaf; 0: it answers for it. */
static inline int cpuid_compare(const struct kvm_cpuid_entry2 *entry, u32 function, u32 index)
{
	if (entry->function != function)
		return entry->function < function ? -1 : 1;
	if (!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || entry->index == index)
		return 0;
	return entry->index < index ? -1 : 1;
}

/**
 * cpuid_search() - find the entry of a leaf
 * @entries: sorted entries
 * @count: of them
 * @function: EAX
 * @index: ECX
 *
 * An entry without KVM_CPUID_FLAG_SIGNIFCANT_INDEX answers for all sub-leaves.
 *
 * Return: the first of those that answer, or NULL.
 */
static inline struct kvm_cpuid_entry2 *cpuid_search(struct kvm_cpuid_entry2 *entries,
						    unsigned int count, u32 function, u32 index)
{
	unsigned int low = 0, high = count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (cpuid_compare(&entries[middle], function, index) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count || cpuid_compare(&entries[low], function, index))
		return NULL;
	return &entries[low];
}

#endif
