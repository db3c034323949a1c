/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases, KTAP and assertions. Every case runs in a child process of its own:
 * a failed assertion, a hang and a crash end that case alone, and nothing that
 * it opened outlives it.
 */
#ifndef SELFTEST_HARNESS_H
#define SELFTEST_HARNESS_H

#include <errno.h>
#include <string.h>

#include "types.h"

#define KSFT_PASS	0
#define KSFT_FAIL	1
#define KSFT_SKIP	4

typedef void (*test_fn)(const void *row);

void test_add(test_fn fn, const void *row, const char *fmt, ...)
	__printf(3, 4);
void test_timeout(unsigned int seconds);
int test_run_all(int argc, char **argv);

void test_fail(const char *file, int line, const char *fmt, ...)
	__printf(3, 4) __noreturn;
void test_skip(const char *fmt, ...) __printf(1, 2) __noreturn;
void test_note(const char *fmt, ...) __printf(1, 2);

#define TEST_FAIL(...)	test_fail(__FILE__, __LINE__, __VA_ARGS__)

#define TEST_ASSERT(cond, fmt, ...) ({					\
	if (!(cond))							\
		TEST_FAIL("%s: " fmt, #cond, ##__VA_ARGS__);		\
})

#define TEST_TRUE(cond)	({						\
	if (!(cond))							\
		TEST_FAIL("%s", #cond);					\
})

#define TEST_EQ(a, b) ({						\
	u64 __a = (u64)(a), __b = (u64)(b);				\
	if (__a != __b)							\
		TEST_FAIL("%s is 0x%llx, expected %s = 0x%llx",		\
			  #a, __a, #b, __b);				\
})

/* A table row that needs nothing but its function. */
struct test_row {
	const char *name;
	void (*fn)(void);
};

void test_add_rows(const char *group, const struct test_row *rows, size_t n);

#endif
