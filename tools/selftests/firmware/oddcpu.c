// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host with one processor unlike the others, for tests: while this module is
 * loaded, a ksvm.ko that comes finds that this processor lacks a feature of SVM.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/smp.h>

#include "plant.h"

static unsigned int cpu;
module_param(cpu, uint, 0444);
MODULE_PARM_DESC(cpu, "The processor's number");

/* Not zero: the return of this call is of no interest. */
static int check_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	return raw_smp_processor_id() != cpu;
}

static int check_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	regs_set_return_value(regs, -EIO);
	return 0;
}

/* int svm_features_check_cpu(void), called on each processor */
static const struct kretprobe check_model = {
	.kp.symbol_name = PLANT_TARGET ":svm_features_check_cpu",
	.entry_handler = check_begins,
	.handler = check_ends,
};

static int __init oddcpu_init(void)
{
	return plant_init(&check_model);
}

static void __exit oddcpu_exit(void)
{
	plant_exit();
}

module_init(oddcpu_init);
module_exit(oddcpu_exit);

MODULE_DESCRIPTION("A test's host with processors that differ");
MODULE_LICENSE("GPL");
