// SPDX-License-Identifier: GPL-2.0-only
/* What the module consists of, in the order in which it comes up. */
#include <linux/errno.h>

#include "core.h"
#include "internal.h"
#include "irq.h"
#include "mmu.h"
#include "pmu.h"
#include "x86.h"
#include "x86_ops.h"

static void (*hardware_unsetup)(void);

/**
 * ksvm_init() - bring the module up
 * @ops: the backend's table; only runtime_ops and pmu_ops outlive the call
 *
 * Context: module load.
 * Return: 0; -EOPNOTSUPP where the processor or its firmware offers no SVM; -EBUSY
 * where somebody else has SVM or the node's name; another negative errno. One log
 * line names the cause.
 */
int __init ksvm_init(const struct ksvm_x86_init_ops *ops)
{
	int error;

	error = ops->cpu_has_svm_support();
	if (error)
		return error;
	if (ops->disabled_by_bios())
		return -EOPNOTSUPP;

	error = ksvm_x86_setup();
	if (error)
		return error;
	error = ops->hardware_setup();
	if (error)
		return error;
	hardware_unsetup = ops->hardware_unsetup;
	ksvm_x86_ops_register(ops->runtime_ops);
	ksvm_pmu_ops_register(ops->pmu_ops);
	ksvm_irq_init();

	error = ksvm_enable_init(ops);
	if (error)
		goto undo_hardware;
	error = ksvm_vm_init();
	if (error)
		goto undo_enable;
	ksvm_debugfs_init();
	error = ksvm_node_init();
	if (error)
		goto undo_debugfs;
	return 0;

undo_debugfs:
	ksvm_debugfs_exit();
	ksvm_vm_exit();
undo_enable:
	ksvm_enable_exit();
undo_hardware:
	hardware_unsetup();
	return error;
}

/**
 * ksvm_exit() - take the module down
 *
 * Context: module unload; no VM's file is open, each holds a reference on the module.
 */
void ksvm_exit(void)
{
	ksvm_node_exit();
	ksvm_debugfs_exit();
	ksvm_vm_exit();
	ksvm_enable_exit();
	hardware_unsetup();
}
