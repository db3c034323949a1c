/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an MSR's bits are in the MSR permission map (AMD64 manual, volume 2,
 * "MSR Intercepts"). Pure arithmetic, also built on the host.
 *
 * Two bits for each MSR, the lower one intercepts reads, the upper one writes:
 *
 *	bytes 0x0000-0x07ff	MSRs 0000_0000 to 0000_1fff
 *	bytes 0x0800-0x0fff	MSRs c000_0000 to c000_1fff
 *	bytes 0x1000-0x17ff	MSRs c001_0000 to c001_1fff
 *	bytes 0x1800-0x1fff	reserved
 *
 * Access to an MSR outside of these ranges is always intercepted.
 */
#ifndef KSVM_SVM_MSRPM_BITS_H
#define KSVM_SVM_MSRPM_BITS_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
#endif

#define MSRPM_BYTES		0x2000u
#define MSRPM_RANGE_BYTES	0x800u
#define MSRPM_RANGE_MSRS	0x2000u

/**
 * msrpm_read_bit() - number of the bit that intercepts reads
 * @msr: the MSR; its write bit is the next one
 *
 * Return: the number of the bit, or -1 where the map has none for @msr.
 */
static inline int msrpm_read_bit(u32 msr)
{
	u32 range;

	switch (msr & ~(MSRPM_RANGE_MSRS - 1)) {
	case 0x00000000:
		range = 0;
		break;
	case 0xc0000000:
		range = 1;
		break;
	case 0xc0010000:
		range = 2;
		break;
	default:
		return -1;
	}
	return range * MSRPM_RANGE_BYTES * 8 + (msr & (MSRPM_RANGE_MSRS - 1)) * 2;
}

/**
 * msrpm_change() - set or clear an MSR's two bits
 * @map: the permission map, MSRPM_BYTES long
 * @read_bit: from msrpm_read_bit(), not negative
 * @read: false intercepts reads
 * @write: false intercepts writes
 *
 * The two bits are in one byte, and no processor reads the map while its
 * vCPU's thread is here.
 *
 * Return: whether the map changed.
 */
static inline bool msrpm_change(u8 *map, int read_bit, bool read, bool write)
{
	unsigned int shift = read_bit & 7;
	u8 *byte = map + (read_bit >> 3);
	u8 old = *byte;

	*byte &= ~(3u << shift);
	*byte |= ((read ? 0 : 1) | (write ? 0 : 2)) << shift;
	return *byte != old;
}

#endif
