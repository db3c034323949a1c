/* SPDX-License-Identifier: GPL-2.0-only */
/* What the pure headers of this folder need, in the kernel and on the host. */
#ifndef KSVM_MMU_PURE_H
#define KSVM_MMU_PURE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;
#endif

#endif
