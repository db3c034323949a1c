/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's fault injection: let the nth fault point of a call fail. */
#ifndef SELFTEST_FAULT_H
#define SELFTEST_FAULT_H

#include "types.h"

bool fault_prepare(void);
void fault_arm(unsigned int nth);
bool fault_injected(void);
unsigned int fault_points(void);

/* For fault_arm(): farther than any operation gets. */
#define FAULT_NEVER	1000000

#endif
