/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processors that a program may run on, which need not be all: from 0, in the order of
 * the kernel's numbers. They are those of the first call, whatever is pinned or taken offline
 * after it.
 */
#ifndef SELFTEST_CPUS_H
#define SELFTEST_CPUS_H

#include "types.h"

u32 cpus_usable(void);
int cpu_number(u32 index);
bool run_on_cpu(u32 index);

#endif
