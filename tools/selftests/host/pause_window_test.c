// SPDX-License-Identifier: GPL-2.0-only
/* How the pause filter's window grows and shrinks, against rows worked out by hand. */
#include <stdbool.h>
#include <stdio.h>

#include "../../../svm/pause_window.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

struct row {
	const char *name;
	struct pause_window by;
	u16 window;
	u16 grown;
	u16 shrunk;
};

static const struct row rows[] = {
	{ "defaults, at the base", { 3000, 2, 0, 65535 }, 3000, 6000, 3000 },
	{ "defaults, grown once", { 3000, 2, 0, 65535 }, 6000, 12000, 3000 },
	{ "defaults, near the end", { 3000, 2, 0, 65535 }, 48000, 65535, 3000 },
	{ "defaults, at the end", { 3000, 2, 0, 65535 }, 65535, 65535, 3000 },
	{ "no factors", { 3000, 0, 0, 65535 }, 7000, 3000, 3000 },
	{ "both are factors", { 100, 3, 4, 1000 }, 200, 600, 100 },
	{ "the quotient is above the base", { 100, 3, 4, 1000 }, 800, 1000, 200 },
	{ "both are numbers", { 100, 100, 100, 1000 }, 300, 400, 200 },
	{ "numbers larger than the base", { 100, 900, 700, 1000 }, 850, 1000, 150 },
	{ "the difference is below the base", { 100, 900, 700, 1000 }, 750, 1000, 100 },
	{ "the difference is below zero", { 100, 900, 700, 1000 }, 600, 1000, 100 },
	{ "a factor of one", { 100, 1, 1, 1000 }, 400, 400, 400 },
	{ "one below the base is a factor", { 100, 99, 99, 65535 }, 500, 49500, 100 },
	{ "the largest numbers", { 65535, 65535, 65535, 65535 }, 65535, 65535, 65535 },
	{ "a product beyond 16 bits", { 65535, 65534, 65534, 65535 }, 65535, 65535, 65535 },
	{ "the end is below the base", { 100, 2, 0, 50 }, 100, 50, 100 },
	{ "the end is zero", { 100, 2, 0, 0 }, 100, 0, 100 },
	{ "from zero", { 100, 2, 0, 1000 }, 0, 0, 100 },
	{ "a base of one has no factors", { 1, 1, 1, 10 }, 5, 6, 4 },
};

static int tests, failures;

static void report(bool ok, const char *name)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++tests, name);
	failures += !ok;
}

static bool check(const struct row *row)
{
	u16 grown = pause_window_grown(&row->by, row->window);
	u16 shrunk = pause_window_shrunk(&row->by, row->window);

	if (grown == row->grown && shrunk == row->shrunk)
		return true;
	printf("# grown %u, expected %u; shrunk %u, expected %u\n", grown, row->grown,
	       shrunk, row->shrunk);
	return false;
}

/* Any rules at all: within the bounds, growing ends, shrinking ends at the base. */
static bool bounds(void)
{
	static const u16 values[] = { 0, 1, 2, 3, 99, 100, 101, 3000, 32768, 65534, 65535 };
	const unsigned int n = ARRAY_SIZE(values);
	unsigned int i;

	for (i = 0; i < n * n * n * n * n; i++) {
		struct pause_window by = {
			.base = values[i % n],
			.grow = values[i / n % n],
			.shrink = values[i / n / n % n],
			.max = values[i / n / n / n % n],
		};
		u16 window = values[i / n / n / n / n];
		u16 grown = pause_window_grown(&by, window);
		u16 shrunk = pause_window_shrunk(&by, window);

		if ((by.grow && grown > by.max) || (!by.grow && grown != by.base) ||
		    shrunk < by.base || (window >= by.base && shrunk > window)) {
			printf("# base %u grow %u shrink %u max %u window %u: %u, %u\n",
			       by.base, by.grow, by.shrink, by.max, window, grown, shrunk);
			return false;
		}
	}
	return true;
}

int main(void)
{
	unsigned int i;

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(rows) + 1);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		report(check(&rows[i]), rows[i].name);
	report(bounds(), "no rules lead out of bounds");
	return failures ? 1 : 0;
}
