/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTEST_TYPES_H
#define SELFTEST_TYPES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define barrier()		asm volatile("" ::: "memory")

#ifndef __packed
#define __packed		__attribute__((__packed__))
#endif
#define __noinline		__attribute__((__noinline__))
#define __noreturn		__attribute__((__noreturn__))
#define __used			__attribute__((__used__))
#define __aligned(n)		__attribute__((__aligned__(n)))
#define __printf(a, b)		__attribute__((__format__(printf, a, b)))

#define BIT(n)			(1ull << (n))
#define PAGE_SIZE		4096ull
#define PAGE_MASK		(~(PAGE_SIZE - 1))

#endif
