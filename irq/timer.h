/* SPDX-License-Identifier: GPL-2.0-only */
/* What the timers in here have in common. */
#ifndef KSVM_IRQ_TIMER_H
#define KSVM_IRQ_TIMER_H

#include <linux/types.h>

/* No periodic timer of a guest's is faster: each tick costs the host an interrupt. */
u64 ksvm_timer_period_min(void);

#endif
