// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware that switches SVM off, on a processor that has the switch: writes
 * VM_CR.SVMDIS on all processors when loaded, and clears it when unloaded, which
 * a processor that was locked ignores (AMD64 manual, volume 2, "Enabling SVM").
 */
#include <linux/bits.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <asm/msr.h>

#define VM_CR_LOCK		BIT(3)
#define VM_CR_SVMDIS		BIT(4)

static bool locked;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "Also lock it until the next reset");

static int error;

static void vmcr_write(void *value)
{
	if (wrmsr_safe(MSR_VM_CR, *(u32 *)value, 0))
		WRITE_ONCE(error, -EIO);
}

static int __init vmcr_init(void)
{
	u32 value = VM_CR_SVMDIS | (locked ? VM_CR_LOCK : 0);

	on_each_cpu(vmcr_write, &value, 1);
	return error;
}

static void __exit vmcr_exit(void)
{
	u32 value = 0;

	on_each_cpu(vmcr_write, &value, 1);
}

module_init(vmcr_init);
module_exit(vmcr_exit);

MODULE_DESCRIPTION("Firmware's switch for SVM, for tests");
MODULE_LICENSE("GPL");
