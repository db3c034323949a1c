// SPDX-License-Identifier: GPL-2.0-only
/* Sorting and finding CPUID entries, against a search that looks at all of them. */
#include <stdlib.h>
#include <string.h>

#include "../../../x86/cpuid_search.h"
#include "tap.h"

#define ENTRIES_MAX	64
#define ROUNDS		2000

#define INDEXED		KVM_CPUID_FLAG_SIGNIFCANT_INDEX

static const struct kvm_cpuid_entry2 usual[] = {
	{ .function = 0x80000008, .eax = 8 },
	{ .function = 0x7, .index = 1, .flags = INDEXED, .eax = 71 },
	{ .function = 0x0, .eax = 1 },
	{ .function = 0xd, .index = 9, .flags = INDEXED, .eax = 0xd9 },
	{ .function = 0x7, .index = 0, .flags = INDEXED, .eax = 70 },
	{ .function = 0x40000000, .eax = 4 },
	{ .function = 0xd, .index = 0, .flags = INDEXED, .eax = 0xd0 },
	{ .function = 0x1, .index = 5, .eax = 2 },
	{ .function = 0xd, .index = 1, .flags = INDEXED, .eax = 0xd1 },
};

#define USUAL		ARRAY_SIZE(usual)

static bool sorted(const struct kvm_cpuid_entry2 *entries, unsigned int count)
{
	unsigned int i;

	for (i = 1; i < count; i++) {
		if (cpuid_sort_key(&entries[i - 1]) > cpuid_sort_key(&entries[i]))
			return false;
	}
	return true;
}

static bool found(u32 function, u32 index, u32 eax)
{
	struct kvm_cpuid_entry2 entries[USUAL];
	const struct kvm_cpuid_entry2 *entry;

	memcpy(entries, usual, sizeof(usual));
	cpuid_sort(entries, USUAL);
	entry = cpuid_search(entries, USUAL, function, index);
	return entry && entry->eax == eax;
}

static bool missing(u32 function, u32 index)
{
	struct kvm_cpuid_entry2 entries[USUAL];

	memcpy(entries, usual, sizeof(usual));
	cpuid_sort(entries, USUAL);
	return !cpuid_search(entries, USUAL, function, index);
}

static bool first_of_equal(void)
{
	struct kvm_cpuid_entry2 entries[] = {
		{ .function = 2, .eax = 1 },
		{ .function = 1, .eax = 2 },
		{ .function = 1, .eax = 3 },
		{ .function = 1, .eax = 4 },
		{ .function = 0, .eax = 5 },
	};

	cpuid_sort(entries, 5);
	return entries[1].eax == 2 && entries[2].eax == 3 && entries[3].eax == 4 &&
	       cpuid_search(entries, 5, 1, 0) == &entries[1];
}

/* Leaves that are indexed or not, never both: the answer must be the same. */
static bool random_agree(void)
{
	struct kvm_cpuid_entry2 entries[ENTRIES_MAX];
	unsigned int round, i, count;

	srand(1);
	for (round = 0; round < ROUNDS; round++) {
		u32 function = rand() % 12, index = rand() % 6;
		const struct kvm_cpuid_entry2 *plain = NULL;

		count = rand() % (ENTRIES_MAX + 1);
		memset(entries, 0, sizeof(entries));
		for (i = 0; i < count; i++) {
			entries[i].function = rand() % 12;
			entries[i].index = rand() % 6;
			entries[i].flags = entries[i].function % 2 ? INDEXED : 0;
			entries[i].eax = i;
		}
		cpuid_sort(entries, count);
		if (!sorted(entries, count))
			return false;
		for (i = 0; i < count && !plain; i++) {
			if (entries[i].function == function &&
			    (!entries[i].flags || entries[i].index == index))
				plain = &entries[i];
		}
		if (cpuid_search(entries, count, function, index) != plain)
			return false;
	}
	return true;
}

static void row(bool ok, const char *name)
{
	EXPECT(ok);
	tap_row(name);
}

int main(void)
{
	struct kvm_cpuid_entry2 none;

	row(found(0, 0, 1), "first leaf");
	row(found(0x80000008, 0, 8), "last leaf");
	row(found(1, 0, 2) && found(1, 77, 2), "leaf without sub-leaves answers for all");
	row(found(7, 0, 70) && found(7, 1, 71), "sub-leaves");
	row(found(0xd, 9, 0xd9), "sub-leaf behind a gap");
	row(missing(7, 2) && missing(0xd, 2) && missing(0xd, 10), "sub-leaf that is not there");
	row(missing(2, 0) && missing(0xffffffff, 0), "leaf that is not there");
	row(!cpuid_search(&none, 0, 0, 0), "no entries at all");
	row(first_of_equal(), "equal entries keep their order, the first one counts");
	row(random_agree(), "random lists, against looking at all entries");
	return tap_end();
}
