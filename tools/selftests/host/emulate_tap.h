/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP for the emulator's host tests: one line per test, details as comments. */
#ifndef EMULATE_TAP_H
#define EMULATE_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned int tap_count;
static unsigned int tap_failures;

static inline bool tap_ok(bool passed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline bool tap_ok(bool passed, const char *format, ...)
{
	va_list args;

	tap_count++;
	if (!passed)
		tap_failures++;
	printf("%sok %u - ", passed ? "" : "not ", tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	return passed;
}

/* The plan comes last; the exit status says whether all passed. */
static inline int tap_done(void)
{
	printf("1..%u\n", tap_count);
	return tap_failures ? 1 : 0;
}

#endif
