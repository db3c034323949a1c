// SPDX-License-Identifier: GPL-2.0-only
/* High-resolution timers. */
#include <linux/hrtimer.h>

#include "compat.h"

/**
 * ksvm_hrtimer_setup() - prepare a timer that runs in hard interrupt context
 * @timer: not in use; started with HRTIMER_MODE_ABS_HARD, on CLOCK_MONOTONIC
 * @callback: called with interrupts off
 */
void ksvm_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*callback)(struct hrtimer *))
{
#ifdef KSVM_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, callback, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	timer->function = callback;
#endif
}
