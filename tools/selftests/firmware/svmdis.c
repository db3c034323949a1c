// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host whose firmware switched SVM off, for tests: while this module is
 * loaded, a ksvm.ko that comes reads VM_CR with SVMDIS set. Emulated processors
 * neither set the bit themselves nor let anybody write it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <asm/msr-index.h>

#include "plant.h"

#define VM_CR_LOCK		BIT_ULL(3)
#define VM_CR_SVMDIS		BIT_ULL(4)

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "Also say that only a reset can switch SVM on");

/* What a call leaves for its return: where the caller wants the value. */
struct call {
	u64 *value;
};

/* Not zero: the return of this call is of no interest. */
static int rdmsr_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;

	if ((u32)regs_get_kernel_argument(regs, 0) != MSR_VM_CR)
		return 1;
	call->value = (u64 *)regs_get_kernel_argument(regs, 1);
	return 0;
}

/* The read succeeds even where the processor has no such MSR. */
static int rdmsr_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;

	*call->value |= VM_CR_SVMDIS;
	if (locked)
		*call->value |= VM_CR_LOCK;
	regs_set_return_value(regs, 0);
	return 0;
}

/* int ksvm_rdmsr_safe(u32 msr, u64 *value) */
static const struct kretprobe rdmsr_model = {
	.kp.symbol_name = PLANT_TARGET ":ksvm_rdmsr_safe",
	.entry_handler = rdmsr_begins,
	.handler = rdmsr_ends,
	.data_size = sizeof(struct call),
};

static int __init svmdis_init(void)
{
	return plant_init(&rdmsr_model);
}

static void __exit svmdis_exit(void)
{
	plant_exit();
}

module_init(svmdis_init);
module_exit(svmdis_exit);

MODULE_DESCRIPTION("A test's host with SVM switched off by firmware");
MODULE_LICENSE("GPL");
