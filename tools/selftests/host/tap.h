/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP for host-side unit tests: a line for each row, the plan at the end. */
#ifndef HOST_TAP_H
#define HOST_TAP_H

#include <stdbool.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned int tap_count, tap_failures;
static bool tap_row_ok = true;

/* Within a row: the first wrong value is described. */
#define EXPECT_EQ(a, b) ({						\
	unsigned long long __a = (a), __b = (b);			\
	if (__a != __b) {						\
		printf("# %s:%d: %s is 0x%llx, expected 0x%llx\n",	\
		       __FILE__, __LINE__, #a, __a, __b);		\
		tap_row_ok = false;					\
	}								\
})

#define EXPECT(cond)	EXPECT_EQ(!!(cond), 1)

/* End of a row. */
static inline void tap_row(const char *name)
{
	tap_count++;
	tap_failures += !tap_row_ok;
	printf("%sok %u %s\n", tap_row_ok ? "" : "not ", tap_count, name);
	tap_row_ok = true;
}

/* End of the program: its exit status. */
static inline int tap_end(void)
{
	printf("1..%u\n", tap_count);
	return tap_failures || !tap_count;
}

#endif
