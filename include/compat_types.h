/* SPDX-License-Identifier: GPL-2.0-only */
/* Types that differ between kernel versions; the rest is in compat.h. */
#ifndef KSVM_COMPAT_TYPES_H
#define KSVM_COMPAT_TYPES_H

#include <linux/types.h>

/* What the young callbacks of struct mmu_notifier_ops return; Kbuild probes. */
#ifdef KSVM_HAVE_BOOL_YOUNG
#define ksvm_young_t bool
#else
#define ksvm_young_t int
#endif

#endif
