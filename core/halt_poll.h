/* SPDX-License-Identifier: GPL-2.0-only */
/* For how long a halted vCPU is waited for before its thread sleeps; also built on the host. */
#ifndef KSVM_CORE_HALT_POLL_H
#define KSVM_CORE_HALT_POLL_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t u64;
#endif

/**
 * struct halt_poll - the rules
 * @max: longest wait, ns; 0 for none
 * @grow: factor for the wait when a longer one would have paid; 0 leaves it as it is
 * @grow_start: what it grows from, ns
 * @shrink: divisor for the wait when it was for nothing; 0 for no wait
 */
struct halt_poll {
	u64 max;
	u64 grow;
	u64 grow_start;
	u64 shrink;
};

static inline u64 halt_poll_grown(const struct halt_poll *rules, u64 wait)
{
	u64 grown;

	if (!rules->grow)
		return wait;
	grown = wait > rules->max / rules->grow ? rules->max : wait * rules->grow;
	if (grown < rules->grow_start)
		grown = rules->grow_start;
	return grown < rules->max ? grown : rules->max;
}

static inline u64 halt_poll_shrunk(const struct halt_poll *rules, u64 wait)
{
	u64 shrunk = rules->shrink ? wait / rules->shrink : 0;

	/* Less than what it grows from is not worth the loop. */
	return shrunk < rules->grow_start ? 0 : shrunk;
}

/*
 * The next wait: a vCPU that was awake again within the present one keeps it; one that slept
 * longer than any wait could last gets a shorter one; one in between a longer one.
 */
static inline u64 halt_poll_next(const struct halt_poll *rules, u64 wait, u64 halted)
{
	if (!rules->max)
		return 0;
	if (wait > rules->max)
		wait = rules->max;
	if (halted <= wait)
		return wait;
	if (halted > rules->max)
		return wait ? halt_poll_shrunk(rules, wait) : 0;
	return wait < rules->max ? halt_poll_grown(rules, wait) : wait;
}

#endif
