// SPDX-License-Identifier: GPL-2.0-only
/*
 * The performance counters of AMD processors (AMD64 manual, volume 2,
 * "Performance Monitoring Counters").
 *
 * Four counters are in the architecture from its beginning, at the MSRs of the
 * K7: an AMD guest finds these MSRs whatever CPUID says. Six more have their
 * own MSRs, select and counter alternating, and are announced by
 * PERFCTR_CORE; the first four are the same counters as the K7's.
 *
 * A guest is given no counters: nothing counts behind them. It reads the K7's
 * MSRs as zero, its writes there have no effect, and the rest is #GP.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "pmu.h"
#include "vcpu.h"

#define K7_COUNTERS		4
#define CORE_COUNTERS		6

/* Counters that there is something to count with. */
#define COUNTERS_BACKED		0

#define COUNTER_MASK		GENMASK_ULL(47, 0)

/* Of an event select: reserved, or (bits 40, 41) for who has guests of his own. */
#define EVENTSEL_RESERVED	(~GENMASK_ULL(35, 0) | BIT_ULL(21) | BIT_ULL(19))
#define EVENTSEL_ENABLE		BIT_ULL(22)

static_assert(CORE_COUNTERS <= KSVM_PMU_COUNTERS_MAX);

/**
 * struct pmu_msr - what an MSR of the PMU is
 * @idx: number of the counter
 * @select: its event select, not the counter
 * @core: one of the MSRs that PERFCTR_CORE announces
 */
struct pmu_msr {
	unsigned int idx;
	bool select;
	bool core;
};

static bool decode_msr(u32 msr, struct pmu_msr *to)
{
	switch (msr) {
	case MSR_K7_EVNTSEL0 ... MSR_K7_EVNTSEL3:
		*to = (struct pmu_msr) { .idx = msr - MSR_K7_EVNTSEL0, .select = true };
		return true;
	case MSR_K7_PERFCTR0 ... MSR_K7_PERFCTR3:
		*to = (struct pmu_msr) { .idx = msr - MSR_K7_PERFCTR0 };
		return true;
	case MSR_F15H_PERF_CTL0 ... MSR_F15H_PERF_CTR5:
		*to = (struct pmu_msr) {
			.idx = (msr - MSR_F15H_PERF_CTL0) / 2,
			.select = !((msr - MSR_F15H_PERF_CTL0) & 1),
			.core = true,
		};
		return true;
	default:
		return false;
	}
}

static bool amd_hw_event_available(struct ksvm_pmc *pmc)
{
	/* The event's number is the processor's affair: one it has not counts nothing. */
	return !(pmc->eventsel & EVENTSEL_RESERVED);
}

static bool amd_pmc_is_enabled(struct ksvm_vcpu *vcpu, struct ksvm_pmc *pmc)
{
	return pmc->eventsel & EVENTSEL_ENABLE;
}

static struct ksvm_pmc *amd_pmc_idx_to_pmc(struct ksvm_vcpu *vcpu, int idx)
{
	struct ksvm_pmu *pmu = &vcpu->pmu;

	if (idx < 0 || idx >= pmu->nr_counters)
		return NULL;
	return &pmu->pmcs[array_index_nospec(idx, KSVM_PMU_COUNTERS_MAX)];
}

static struct ksvm_pmc *amd_rdpmc_ecx_to_pmc(struct ksvm_vcpu *vcpu, u32 ecx, u64 *mask)
{
	struct ksvm_pmc *pmc = ecx < KSVM_PMU_COUNTERS_MAX ? amd_pmc_idx_to_pmc(vcpu, ecx) : NULL;

	if (pmc)
		*mask = vcpu->pmu.counter_mask;
	return pmc;
}

static struct ksvm_pmc *amd_msr_idx_to_pmc(struct ksvm_vcpu *vcpu, u32 msr)
{
	struct pmu_msr what;

	return decode_msr(msr, &what) ? amd_pmc_idx_to_pmc(vcpu, what.idx) : NULL;
}

static bool amd_is_valid_rdpmc_ecx(struct ksvm_vcpu *vcpu, u32 ecx)
{
	return ecx < vcpu->pmu.nr_counters;
}

static bool amd_is_valid_msr(struct ksvm_vcpu *vcpu, u32 msr)
{
	struct pmu_msr what;

	if (!decode_msr(msr, &what))
		return false;
	return !what.core || vcpu->pmu.nr_counters == CORE_COUNTERS;
}

static int amd_get_msr(struct ksvm_vcpu *vcpu, u32 msr, u64 *data)
{
	const struct ksvm_pmc *pmc;
	struct pmu_msr what;

	if (!amd_is_valid_msr(vcpu, msr) || !decode_msr(msr, &what))
		return -EINVAL;
	pmc = amd_pmc_idx_to_pmc(vcpu, what.idx);
	if (!pmc)
		*data = 0;
	else
		*data = what.select ? pmc->eventsel : pmc->counter & vcpu->pmu.counter_mask;
	return 0;
}

static int amd_set_msr(struct ksvm_vcpu *vcpu, u32 msr, u64 data)
{
	struct pmu_msr what;
	struct ksvm_pmc *pmc;

	if (!amd_is_valid_msr(vcpu, msr) || !decode_msr(msr, &what))
		return -EINVAL;
	pmc = amd_pmc_idx_to_pmc(vcpu, what.idx);
	if (!pmc)
		return 0;
	if (what.select && (data & vcpu->pmu.reserved_bits))
		return -EINVAL;
	if (what.select)
		pmc->eventsel = data;
	else
		pmc->counter = data & vcpu->pmu.counter_mask;
	return 0;
}

static void amd_refresh(struct ksvm_vcpu *vcpu)
{
	struct ksvm_pmu *pmu = &vcpu->pmu;
	unsigned int promised;

	promised = ksvm_guest_has(vcpu, X86_FEATURE_PERFCTR_CORE) ? CORE_COUNTERS : K7_COUNTERS;
	pmu->nr_counters = min_t(unsigned int, promised, COUNTERS_BACKED);
	pmu->counter_mask = COUNTER_MASK;
	pmu->reserved_bits = EVENTSEL_RESERVED;
}

static void amd_reset(struct ksvm_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < KSVM_PMU_COUNTERS_MAX; i++) {
		vcpu->pmu.pmcs[i].counter = 0;
		vcpu->pmu.pmcs[i].eventsel = 0;
	}
}

static void amd_init(struct ksvm_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < KSVM_PMU_COUNTERS_MAX; i++)
		vcpu->pmu.pmcs[i].idx = i;
	amd_reset(vcpu);
	amd_refresh(vcpu);
}

const struct ksvm_pmu_ops amd_pmu_ops = {
	.hw_event_available = amd_hw_event_available,
	.pmc_is_enabled = amd_pmc_is_enabled,
	.pmc_idx_to_pmc = amd_pmc_idx_to_pmc,
	.rdpmc_ecx_to_pmc = amd_rdpmc_ecx_to_pmc,
	.msr_idx_to_pmc = amd_msr_idx_to_pmc,
	.is_valid_rdpmc_ecx = amd_is_valid_rdpmc_ecx,
	.is_valid_msr = amd_is_valid_msr,
	.get_msr = amd_get_msr,
	.set_msr = amd_set_msr,
	.refresh = amd_refresh,
	.init = amd_init,
	.reset = amd_reset,
};
