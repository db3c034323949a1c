/* SPDX-License-Identifier: GPL-2.0-only */
/* Types that differ between kernel versions; the rest is in compat.h. */
#ifndef KSVM_COMPAT_TYPES_H
#define KSVM_COMPAT_TYPES_H

#include <linux/types.h>

/* What the young callbacks of struct mmu_notifier_ops return; Kbuild probes. */
#ifdef KSVM_HAVE_BOOL_YOUNG
typedef bool ksvm_young_t;
#else
typedef int ksvm_young_t;
#endif

#endif
