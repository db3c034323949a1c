/* SPDX-License-Identifier: GPL-2.0-only */
/* core/: the node, VM and vCPU life, the run loop. Nothing below calls it. */
#ifndef KSVM_CORE_H
#define KSVM_CORE_H

#include "init_ops.h"

#endif
