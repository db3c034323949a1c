// SPDX-License-Identifier: GPL-2.0-only
/*
 * For how long a halted vCPU is waited for: rows worked out by hand, then random rules
 * against a model that counts in numbers that cannot overflow.
 */
#include "../../../core/halt_poll.h"
#include "tap.h"

#define ROUNDS	1000000

/* Room for the product of any two. */
typedef unsigned __int128 u128;

static u64 seed = 1;

static u64 rnd(u64 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 32) % below;
}

#define DEFAULT	{ 200000, 2, 10000, 0 }

static const struct row {
	const char *name;
	struct halt_poll rules;
	u64 wait;
	u64 halted;
	u64 next;
} rows[] = {
	{ "no wait, awake at once", DEFAULT, 0, 0, 0 },
	{ "no wait, a short halt", DEFAULT, 0, 1, 10000 },
	{ "no wait, a halt as long as a wait can be", DEFAULT, 0, 200000, 10000 },
	{ "no wait, a long halt", DEFAULT, 0, 200001, 0 },
	{ "the wait was long enough", DEFAULT, 20000, 15000, 20000 },
	{ "the wait was just long enough", DEFAULT, 20000, 20000, 20000 },
	{ "the wait was a little too short", DEFAULT, 20000, 20001, 40000 },
	{ "grows up to the longest only", DEFAULT, 160000, 170000, 200000 },
	{ "the longest was long enough", DEFAULT, 200000, 200000, 200000 },
	{ "the longest was for nothing", DEFAULT, 200000, 200001, 0 },
	{ "for nothing", DEFAULT, 10000, ~0ull, 0 },
	{ "for nothing, by a divisor", { 200000, 2, 10000, 4 }, 80000, 300000, 20000 },
	{ "by a divisor, as little as it grows from", { 200000, 2, 10000, 4 }, 40000, 300000,
	  10000 },
	{ "by a divisor, less than it grows from", { 200000, 2, 10000, 4 }, 39999, 300000, 0 },
	{ "a divisor of one", { 200000, 2, 10000, 1 }, 40000, 300000, 40000 },
	{ "a divisor changes nothing for a short halt", { 200000, 2, 10000, 4 }, 20000, 30000,
	  40000 },
	{ "a factor of zero leaves it", { 200000, 0, 10000, 0 }, 20000, 30000, 20000 },
	{ "a factor of zero leaves none", { 200000, 0, 10000, 0 }, 0, 30000, 0 },
	{ "a factor of one, from none", { 200000, 1, 10000, 0 }, 0, 30000, 10000 },
	{ "a factor of one, from some", { 200000, 1, 10000, 0 }, 10000, 30000, 10000 },
	{ "grows from nothing", { 200000, 2, 0, 0 }, 0, 30000, 0 },
	{ "shrinks to nothing", { 200000, 2, 0, 3 }, 2, 300000, 0 },
	{ "begins above the longest", { 5000, 2, 10000, 0 }, 0, 100, 5000 },
	{ "switched off", { 0, 2, 10000, 0 }, 20000, 30000, 0 },
	{ "switched off, awake at once", { 0, 2, 10000, 0 }, 20000, 0, 0 },
	{ "the longest is shorter than before", { 30000, 2, 10000, 0 }, 80000, 100, 30000 },
	{ "shorter than before, and for nothing", { 30000, 2, 10000, 2 }, 80000, 80000, 15000 },
	{ "a product beyond 64 bits", { ~0ull, ~0ull, 0, 0 }, 1ull << 40, 1ull << 41, ~0ull },
	{ "a product of just 64 bits", { ~0ull, 1ull << 31, 0, 0 }, 1ull << 32, 1ull << 33,
	  1ull << 63 },
	{ "the largest of all", { ~0ull, ~0ull, ~0ull, ~0ull }, ~0ull, ~0ull, ~0ull },
};

static void check_rows(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(halt_poll_next(&rows[i].rules, rows[i].wait, rows[i].halted),
			  rows[i].next);
		tap_row(rows[i].name);
	}
}

/* Three cases for the halt, none of which the others know of. */
static u64 model(const struct halt_poll *rules, u64 wait, u64 halted)
{
	u128 longest = rules->max, next = wait < longest ? wait : longest;
	bool enough = halted <= next, hopeless = !enough && halted > longest;

	if (!enough && !hopeless && rules->grow) {
		next *= rules->grow;
		if (next < rules->grow_start)
			next = rules->grow_start;
	}
	if (hopeless) {
		next = rules->shrink ? next / rules->shrink : 0;
		if (next < rules->grow_start)
			next = 0;
	}
	return next < longest ? next : longest;
}

/* Small ones, those that people set, and the largest. */
static u64 random_number(void)
{
	switch (rnd(4)) {
	case 0:
		return rnd(10);
	case 1:
		return rnd(1000) * 1000;
	case 2:
		return rnd(300000);
	default:
		return ~0ull >> rnd(64);
	}
}

static void random_rules(void)
{
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		const struct halt_poll rules = {
			.max = random_number(),
			.grow = rnd(4) ? rnd(5) : random_number(),
			.grow_start = random_number(),
			.shrink = rnd(4) ? rnd(5) : random_number(),
		};
		u64 wait = random_number(), halted = random_number();
		u64 next = halt_poll_next(&rules, wait, halted);

		EXPECT_EQ(next, model(&rules, wait, halted));
		EXPECT(next <= rules.max);
		/* A longer halt never pays for a shorter one: kept, grown, then shrunk. */
		if (halted > rules.max)
			EXPECT(next <= wait);
		else if (wait <= rules.max)
			EXPECT(next >= wait);
	}
	tap_row("random rules");
}

/* Halts of one length: the wait comes to rest, where they are waited for if they can be. */
static void comes_to_rest(void)
{
	unsigned int round, step;

	for (round = 0; round < ROUNDS / 10; round++) {
		const struct halt_poll rules = {
			.max = 1 + rnd(1000000),
			.grow = 2 + rnd(4),
			.grow_start = 1 + rnd(20000),
			.shrink = rnd(4) == 1 ? 2 : 0,
		};
		u64 halted = rnd(1500000), wait = rnd(1000000);

		for (step = 0; step < 40; step++)
			wait = halt_poll_next(&rules, wait, halted);
		EXPECT_EQ(halt_poll_next(&rules, wait, halted), wait);
		if (halted > rules.max)
			EXPECT_EQ(wait, 0);
		else
			EXPECT(wait >= halted);
	}
	tap_row("halts of one length");
}

int main(void)
{
	check_rows();
	random_rules();
	comes_to_rest();
	return tap_end();
}
