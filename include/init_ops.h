/* SPDX-License-Identifier: GPL-2.0-only */
/* The table that the SVM backend hands to ksvm_init(). */
#ifndef KSVM_INIT_OPS_H
#define KSVM_INIT_OPS_H

#include <linux/init.h>
#include <linux/types.h>

struct ksvm_x86_ops;
struct ksvm_pmu_ops;

/**
 * struct ksvm_x86_init_ops - what the backend does while the module loads
 * @cpu_has_svm_support: 0, or -EOPNOTSUPP with one line that says what lacks
 * @disabled_by_bios: whether firmware switched SVM off; says so in one line
 * @hardware_setup: decide on features, allocate what all VMs share
 * @hardware_unsetup: undo @hardware_setup
 * @check_processor_compatibility: called on each CPU, interrupts off: 0, -EIO
 *	where the CPU lacks what setup decided on, -EBUSY where somebody else
 *	has SVM
 * @runtime_ops: the backend's runtime table
 * @pmu_ops: the vendor's PMU table
 */
struct ksvm_x86_init_ops {
	int (*cpu_has_svm_support)(void);
	bool (*disabled_by_bios)(void);
	int (*hardware_setup)(void);
	void (*hardware_unsetup)(void);
	int (*check_processor_compatibility)(void);
	const struct ksvm_x86_ops *runtime_ops;
	const struct ksvm_pmu_ops *pmu_ops;
};

/* The one registration call that goes up: module_init() is the backend's. */
int __init ksvm_init(const struct ksvm_x86_init_ops *ops);
void ksvm_exit(void);

#endif
