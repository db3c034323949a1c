// SPDX-License-Identifier: GPL-2.0-only
/* The virtual PMU: what is the same for each vendor. */
#include <linux/errno.h>
#include <asm/processor-flags.h>

#include "pmu.h"
#include "vcpu.h"
#include "x86_ops.h"

/**
 * ksvm_pmu_rdpmc() - RDPMC
 * @vcpu: the vCPU, by its own thread
 * @ecx: which counter
 * @data: its value
 *
 * Return: 0, or -EINVAL where the guest gets #GP(0).
 */
int ksvm_pmu_rdpmc(struct ksvm_vcpu *vcpu, u32 ecx, u64 *data)
{
	const struct ksvm_pmc *pmc;
	u64 mask;

	if (!(vcpu->x86.cr4 & X86_CR4_PCE) && static_call(ksvm_x86_get_cpl)(vcpu))
		return -EINVAL;
	if (!static_call(ksvm_pmu_is_valid_rdpmc_ecx)(vcpu, ecx))
		return -EINVAL;
	pmc = static_call(ksvm_pmu_rdpmc_ecx_to_pmc)(vcpu, ecx, &mask);
	if (!pmc)
		return -EINVAL;
	*data = pmc->counter & mask;
	return 0;
}
