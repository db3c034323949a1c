// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>

#include "cpus.h"

static void usable(cpu_set_t *set)
{
	static cpu_set_t first;
	static bool known;

	if (!known)
		known = !sched_getaffinity(0, sizeof(first), &first);
	*set = first;
}

/**
 * cpus_usable() - how many processors there are for this program
 */
u32 cpus_usable(void)
{
	cpu_set_t set;

	usable(&set);
	return CPU_COUNT(&set);
}

/**
 * cpu_number() - the kernel's number of a processor
 * @index: which of those that the program may run on, from 0
 *
 * Return: the number, or -1 if there are not so many.
 */
int cpu_number(u32 index)
{
	cpu_set_t set;
	int cpu;

	usable(&set);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set) && !index--)
			return cpu;
	}
	return -1;
}

/**
 * run_on_cpu() - keep the calling thread on one processor
 * @index: which of those that the program may run on, from 0
 *
 * Return: false if there is none, or it is offline.
 */
bool run_on_cpu(u32 index)
{
	int cpu = cpu_number(index);
	cpu_set_t set;

	if (cpu < 0)
		return false;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}
