/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many PAUSEs a guest may run through before it exits. Pure arithmetic,
 * also built on the host.
 *
 * The window grows with each exit: a guest that still spins after others had
 * the processor is better left spinning. It shrinks when the vCPU has been off
 * the processor, for then what it waits for may have moved on. A factor works
 * as a factor below the base, from there on as a number of PAUSEs; no factor
 * means the base itself.
 */
#ifndef KSVM_SVM_PAUSE_WINDOW_H
#define KSVM_SVM_PAUSE_WINDOW_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>

typedef uint16_t u16;
typedef uint32_t u32;
#endif

/**
 * struct pause_window - how windows change
 * @base: the window that a vCPU begins with
 * @grow: factor or number, see above
 * @shrink: likewise
 * @max: where growing ends, even if that is below @base
 */
struct pause_window {
	u16 base;
	u16 grow;
	u16 shrink;
	u16 max;
};

/**
 * pause_window_grown() - the window after an exit
 * @by: the rules
 * @window: the window before
 */
static inline u16 pause_window_grown(const struct pause_window *by, u16 window)
{
	u32 grown = window;

	if (!by->grow)
		return by->base;
	if (by->grow < by->base)
		grown *= by->grow;
	else
		grown += by->grow;
	return grown < by->max ? grown : by->max;
}

/**
 * pause_window_shrunk() - the window after the vCPU was off the processor
 * @by: the rules
 * @window: the window before
 */
static inline u16 pause_window_shrunk(const struct pause_window *by, u16 window)
{
	u32 shrunk = window;

	if (!by->shrink)
		return by->base;
	if (by->shrink < by->base)
		shrunk /= by->shrink;
	else
		shrunk -= by->shrink < window ? by->shrink : window;
	return shrunk > by->base ? shrunk : by->base;
}

#endif
