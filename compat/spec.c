// SPDX-License-Identifier: GPL-2.0-only
/* The host's side of the speculation controls. */
#include <linux/cpu.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "compat.h"

/**
 * ksvm_host_spec_ctrl() - SPEC_CTRL as the host has it on this CPU
 *
 * Interrupts off.
 */
u64 ksvm_host_spec_ctrl(void)
{
	return this_cpu_read(x86_spec_ctrl_current);
}

/**
 * ksvm_ibpb_wanted() - does a switch between guests need a prediction barrier
 *
 * The kernel's own key for this is closed to modules in new kernels: follow
 * its general switch, default on.
 */
bool ksvm_ibpb_wanted(void)
{
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
}

/** ksvm_predictor_guard_wanted() - does ksvm_predictor_guard() do anything here */
bool ksvm_predictor_guard_wanted(void)
{
#ifdef X86_FEATURE_SRSO_BP_SPEC_REDUCE
	return cpu_feature_enabled(X86_FEATURE_SRSO_BP_SPEC_REDUCE);
#else
	return false;
#endif
}

/**
 * ksvm_predictor_guard() - have a CPU's predictors ready for guests, or as without
 * @on: guests may run on this CPU from now on
 *
 * Interrupts off, or an NMI. On processors that stay open to a guest's training of
 * their return predictor otherwise, the kernel leaves this to the hypervisor: it
 * costs all else that runs on them some speed.
 */
void ksvm_predictor_guard(bool on)
{
#ifdef X86_FEATURE_SRSO_BP_SPEC_REDUCE
	const u64 reduce = BIT_ULL(MSR_ZEN4_BP_CFG_BP_SPEC_REDUCE_BIT);
	u64 old;

	if (!ksvm_predictor_guard_wanted() ||
	    ksvm_rdmsr_safe(MSR_ZEN4_BP_CFG, &old))
		return;
	ksvm_wrmsr_safe(MSR_ZEN4_BP_CFG, on ? old | reduce : old & ~reduce);
#endif
}

/** ksvm_guest_ran_matters() - does ksvm_guest_ran() do anything here */
bool ksvm_guest_ran_matters(void)
{
#ifdef KSVM_HAVE_IBPB_EXIT_TO_USER
	return cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER);
#else
	return false;
#endif
}

/**
 * ksvm_guest_ran() - a guest ran on this CPU; interrupts off
 *
 * Hosts that are open to a guest's training of their user space's branches
 * (VMSCAPE) issue a barrier on the way to user mode when this was said.
 */
void ksvm_guest_ran(void)
{
#ifdef KSVM_HAVE_IBPB_EXIT_TO_USER
	if (ksvm_guest_ran_matters())
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}
