// SPDX-License-Identifier: GPL-2.0-only
/* Which values MTRRs may have, worked out by hand from the AMD64 manual. */
#include "../../../x86/msr_values.h"
#include "tap.h"

static bool types(void)
{
	static const bool valid[256] = {
		[0] = true, [1] = true, [4] = true, [5] = true, [6] = true,
	};
	unsigned int type, place;

	for (type = 0; type < 256; type++) {
		for (place = 0; place < 8; place++) {
			/* Write-back everywhere else. */
			u64 value = 0x0606060606060606;

			value &= ~(0xffull << place * 8);
			value |= (u64)type << place * 8;
			if (mtrr_fixed_valid(value) != valid[type])
				return false;
		}
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
	row(types(), "a fixed-range register has eight memory types");

	row(mtrr_def_type_valid(0), "default type: off");
	row(mtrr_def_type_valid(0xc06), "default type: both enables, write-back");
	row(mtrr_def_type_valid(0x806), "default type: what VMMs boot with");
	row(!mtrr_def_type_valid(0xc02), "default type: no such type");
	row(!mtrr_def_type_valid(0x106), "default type: reserved bit 8");
	row(!mtrr_def_type_valid(0x1006), "default type: reserved bit 12");
	row(!mtrr_def_type_valid(1ull << 63), "default type: reserved bit 63");

	row(mtrr_variable_valid(false, 0xfee00000 | 4, 36), "base");
	row(!mtrr_variable_valid(false, 0xfee00000 | 3, 36), "base: no such type");
	row(!mtrr_variable_valid(false, 0xfee00800 | 4, 36), "base: no valid bit there");
	row(!mtrr_variable_valid(false, 1ull << 36, 36), "base: beyond the address width");
	row(mtrr_variable_valid(false, 1ull << 36, 40), "base: within a larger one");
	row(mtrr_variable_valid(true, 0xf80000800, 36), "mask");
	row(mtrr_variable_valid(true, 0, 36), "mask: not in use");
	row(!mtrr_variable_valid(true, 0xf80000806, 36), "mask: no type there");
	row(!mtrr_variable_valid(true, 0xf80000c00, 36), "mask: reserved bit 10");
	row(!mtrr_variable_valid(true, 0xffff80000800, 36), "mask: beyond the address width");
	return tap_end();
}
