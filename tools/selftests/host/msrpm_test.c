// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSR permission map's arithmetic against the AMD64 manual's description:
 * three ranges of 8192 MSRs in 2 KiB each, two bits for an MSR, reads below
 * writes.
 */
#include <stdio.h>
#include <string.h>

#include "../../../svm/msrpm_bits.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static int tests, failures;

static void report(bool ok, const char *name)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++tests, name);
	failures += !ok;
}

/* Worked out by hand: byte and lower bit. */
static bool known_places(void)
{
	static const struct {
		u32 msr;
		unsigned int byte;
		unsigned int bit;
	} places[] = {
		{ 0x00000000, 0x0000, 0 },
		{ 0x00000003, 0x0000, 6 },
		{ 0x00000004, 0x0001, 0 },
		{ 0x00000174, 0x005d, 0 },	/* SYSENTER_CS */
		{ 0x00000277, 0x009d, 6 },	/* PAT */
		{ 0x00000808, 0x0202, 0 },	/* x2APIC TPR */
		{ 0x00001fff, 0x07ff, 6 },
		{ 0xc0000000, 0x0800, 0 },
		{ 0xc0000080, 0x0820, 0 },	/* EFER */
		{ 0xc0000082, 0x0820, 4 },	/* LSTAR */
		{ 0xc0000103, 0x0840, 6 },	/* TSC_AUX */
		{ 0xc0001fff, 0x0fff, 6 },
		{ 0xc0010000, 0x1000, 0 },
		{ 0xc0010114, 0x1045, 0 },	/* VM_CR */
		{ 0xc0011fff, 0x17ff, 6 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		int bit = msrpm_read_bit(places[i].msr);

		if (bit != (int)(places[i].byte * 8 + places[i].bit)) {
			printf("# MSR %#x: bit %d\n", places[i].msr, bit);
			return false;
		}
	}
	return true;
}

static bool outside(void)
{
	static const u32 msrs[] = {
		0x00002000, 0x00003fff, 0x40000000, 0x4b564d00, 0x7fffffff, 0x80000000,
		0xbfffffff, 0xc0002000, 0xc000ffff, 0xc0012000, 0xc0020000, 0xc0800000,
		0xd0000000, 0xffffffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		if (msrpm_read_bit(msrs[i]) != -1) {
			printf("# MSR %#x has a bit\n", msrs[i]);
			return false;
		}
	}
	return true;
}

/* No two MSRs share a bit, and none is in the reserved last quarter. */
static bool all_distinct(void)
{
	static const u32 ranges[] = { 0x00000000, 0xc0000000, 0xc0010000 };
	static bool used[MSRPM_BYTES * 8];
	unsigned int i;
	u32 msr;

	for (i = 0; i < 3; i++) {
		for (msr = ranges[i]; msr < ranges[i] + MSRPM_RANGE_MSRS; msr++) {
			int bit = msrpm_read_bit(msr);

			if (bit < 0 || bit & 1 || bit >= 0x1800 * 8 || used[bit]) {
				printf("# MSR %#x: bit %d\n", msr, bit);
				return false;
			}
			used[bit] = true;
		}
	}
	return true;
}

/* Each change reaches its two bits and no other, from each state before. */
static bool changes(u8 fill)
{
	static const u32 msrs[] = { 0x48, 0x49, 0x4a, 0x4b, 0xc0000080, 0xc0011fff };
	static u8 map[MSRPM_BYTES], expected[MSRPM_BYTES];
	unsigned int i, how;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		int bit = msrpm_read_bit(msrs[i]);

		for (how = 0; how < 4; how++) {
			bool read = how & 1, write = how & 2;
			bool changed, differs;

			memset(map, fill, sizeof(map));
			memset(expected, fill, sizeof(expected));
			expected[bit / 8] &= ~(1 << bit % 8);
			expected[bit / 8] |= !read << bit % 8;
			expected[bit / 8] &= ~(1 << (bit % 8 + 1));
			expected[bit / 8] |= !write << (bit % 8 + 1);

			differs = expected[bit / 8] != fill;

			changed = msrpm_change(map, bit, read, write);
			if (memcmp(map, expected, sizeof(map)) || changed != differs) {
				printf("# MSR %#x, read %d, write %d\n", msrs[i], read, write);
				return false;
			}
		}
	}
	return true;
}

int main(void)
{
	printf("TAP version 13\n1..6\n");
	report(known_places(), "places worked out by hand");
	report(outside(), "MSRs outside of the ranges have no bits");
	report(all_distinct(), "no two MSRs share a bit");
	report(changes(0xff), "changes to a closed map");
	report(changes(0x00), "changes to an open map");
	report(changes(0xa5), "changes to a mixed map");
	return failures ? 1 : 0;
}
