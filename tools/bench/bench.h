/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_H
#define BENCH_H

#include "types.h"

#define BENCH_PORT	0x0f20	/* OUT to here: user space's turn */

static inline u64 ticks(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return low | (u64)high << 32;
}

int bench_irq(const char *only);

#endif
