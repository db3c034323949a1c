/* SPDX-License-Identifier: GPL-2.0-only */
/* Which values memory type registers may have; also built on the host. */
#ifndef KSVM_X86_MSR_VALUES_H
#define KSVM_X86_MSR_VALUES_H

#include "pure.h"

/* UC, WC, WT, WP, WB: numbers 0, 1, 4, 5, 6. */
#define MTRR_TYPES		(BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6))

#define MTRR_DEF_TYPE_FLAGS	(BIT_ULL(10) | BIT_ULL(11))
#define MTRR_MASK_VALID		BIT_ULL(11)

/* Each of the eight bytes is a memory type. */
static inline bool mtrr_fixed_valid(u64 value)
{
	unsigned int shift;

	for (shift = 0; shift < 64; shift += 8) {
		unsigned int type = value >> shift & 0xff;

		if (type > 7 || !(MTRR_TYPES & BIT(type)))
			return false;
	}
	return true;
}

static inline bool mtrr_def_type_valid(u64 value)
{
	return !(value & ~(MTRR_DEF_TYPE_FLAGS | 0xff)) && mtrr_fixed_valid(value & 0xff);
}

/* The base has a type in its low byte, the mask a valid bit. */
static inline bool mtrr_variable_valid(bool mask, u64 value, unsigned int maxphyaddr)
{
	if (value >> maxphyaddr)
		return false;
	if (mask)
		return !(value & 0xfff & ~MTRR_MASK_VALID);
	return !(value & 0xf00) && mtrr_fixed_valid(value & 0xff);
}

#endif
