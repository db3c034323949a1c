// SPDX-License-Identifier: GPL-2.0-only
/* Print how often in a millisecond the TSC of this machine counts. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define TRIES	100

struct moment {
	unsigned long long tsc;
	unsigned long long ns;
};

/* Both clocks at once: the reading during which the least time passed. */
static struct moment now(void)
{
	struct moment best = { 0 };
	unsigned long long least = ~0ULL;

	for (int i = 0; i < TRIES; i++) {
		unsigned long long before = __rdtsc(), after;
		struct timespec time;

		clock_gettime(CLOCK_MONOTONIC, &time);
		after = __rdtsc();
		if (after - before > least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = time.tv_sec * 1000000000ULL + time.tv_nsec;
	}
	return best;
}

int main(void)
{
	struct moment start = now(), end;

	usleep(200000);
	end = now();
	printf("%llu\n", (end.tsc - start.tsc) * 1000000 / (end.ns - start.ns));
	return 0;
}
