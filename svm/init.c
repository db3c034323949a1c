// SPDX-License-Identifier: GPL-2.0-only
/* The SVM backend's tables, and the module's beginning and end. */
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "contract.h"
#include "init_ops.h"
#include "internal.h"
#include "msrpm_bits.h"
#include "pmu.h"

static int svm_hardware_setup(void)
{
	int error;

	error = svm_features_setup();
	if (error)
		return error;
	error = svm_msrpm_setup();
	if (error)
		return error;
	error = svm_iopm_create();
	if (error)
		return error;
	error = svm_cpus_create();
	if (error)
		goto iopm;
	error = svm_contract_setup();
	if (error)
		goto cpus;
	return 0;

cpus:
	svm_cpus_destroy();
iopm:
	svm_iopm_destroy();
	return error;
}

static void svm_hardware_unsetup(void)
{
	svm_contract_unsetup();
	svm_cpus_destroy();
	svm_iopm_destroy();
}

static const struct ksvm_x86_ops svm_x86_ops = {
	.hardware_enable = svm_hardware_enable,
	.hardware_disable = svm_hardware_disable,
	.vcpu_alloc = svm_vcpu_alloc,
	.vcpu_free = svm_vcpu_free,
	.vcpu_reset = svm_vcpu_reset,
	.vcpu_run = svm_vcpu_run,
	.handle_exit = svm_handle_exit,
	.get_segment = svm_get_segment,
	.set_segment = svm_set_segment,
	.get_table = svm_get_table,
	.set_table = svm_set_table,
	.get_cpl = svm_get_cpl,
	.get_cs_long = svm_get_cs_long,
	.set_cr0 = svm_set_cr0,
	.set_cr2 = svm_set_cr2,
	.set_cr3 = svm_set_cr3,
	.set_cr4 = svm_set_cr4,
	.set_cr8 = svm_set_cr8,
	.set_efer = svm_set_efer,
	.update_debug = svm_update_debug,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.get_interrupt_shadow = svm_get_interrupt_shadow,
	.set_interrupt_shadow = svm_set_interrupt_shadow,
	.write_tsc_offset = svm_write_tsc_offset,
	.flush_tlb = svm_flush_tlb,
	.cpuid_changed = svm_cpuid_changed,
	.next_rip = svm_next_rip,
	.insn_bytes = svm_insn_bytes,
};

static const struct ksvm_x86_init_ops svm_init_ops = {
	.cpu_has_svm_support = svm_cpu_has_support,
	.disabled_by_bios = svm_disabled_by_bios,
	.hardware_setup = svm_hardware_setup,
	.hardware_unsetup = svm_hardware_unsetup,
	.check_processor_compatibility = svm_check_processor_compatibility,
	.runtime_ops = &svm_x86_ops,
	.pmu_ops = &amd_pmu_ops,
};

static int __init svm_init(void)
{
	/* What the processor reads; the VMCB's fields are checked in vmcb.h. */
	BUILD_BUG_ON(sizeof(struct vmcb_segment) != 16);
	BUILD_BUG_ON(sizeof(struct vmcb_control) != 0x400);
	BUILD_BUG_ON(sizeof(struct vmcb_save) != 0xc00);
	BUILD_BUG_ON(sizeof(struct vmcb) != PAGE_SIZE);
	BUILD_BUG_ON(MSRPM_BYTES != 2 * PAGE_SIZE);

	return ksvm_init(&svm_init_ops);
}

static void __exit svm_exit(void)
{
	ksvm_exit();
}

module_init(svm_init);
module_exit(svm_exit);

MODULE_AUTHOR("The ksvm authors");
MODULE_DESCRIPTION("Hypervisor for AMD and Hygon processors with KVM's user API");
MODULE_LICENSE("GPL");
