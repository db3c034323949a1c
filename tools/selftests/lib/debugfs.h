/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module says of itself. */
#ifndef SELFTEST_DEBUGFS_H
#define SELFTEST_DEBUGFS_H

#include "types.h"

u64 module_stat(const char *name);
u64 module_parameter(const char *name);
u64 module_asids(void);
bool module_has(const char *feature);
void need_feature(const char *feature, const char *what);
void need_module(void);

#endif
