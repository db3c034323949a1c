/* SPDX-License-Identifier: GPL-2.0-only */
/* pmu/: the virtual performance monitoring unit. */
#ifndef KSVM_PMU_H
#define KSVM_PMU_H

#include <linux/static_call.h>
#include <linux/types.h>

struct ksvm_vcpu;

#define KSVM_PMU_COUNTERS_MAX	6

/**
 * struct ksvm_pmc - a counter of the guest's
 * @idx: its number
 * @counter: the value the guest reads
 * @eventsel: the event-select register as the guest wrote it
 */
struct ksvm_pmc {
	u8 idx;
	u64 counter;
	u64 eventsel;
};

/**
 * struct ksvm_pmu - a vCPU's PMU; touched by the vCPU's thread only
 * @nr_counters: how many the guest's CPUID promises; 0 where it has no PMU
 * @counter_mask: the width of a counter, as a mask
 * @reserved_bits: of an event select
 * @pmcs: the counters
 */
struct ksvm_pmu {
	unsigned int nr_counters;
	u64 counter_mask;
	u64 reserved_bits;
	struct ksvm_pmc pmcs[KSVM_PMU_COUNTERS_MAX];
};

/*
 * The vendor's half of the PMU: return type, name, parameters.
 * hw_event_available: may this event be counted at all
 * pmc_is_enabled: does the guest's control let the counter run
 * pmc_idx_to_pmc, rdpmc_ecx_to_pmc, msr_idx_to_pmc: find a counter, or NULL
 * is_valid_rdpmc_ecx, is_valid_msr: does the guest have it
 * get_msr, set_msr: 0, or -EINVAL for #GP
 * refresh: the guest's CPUID changed
 * init, reset: a vCPU is created, is reset
 */
#define KSVM_PMU_OPS(OP)								\
	OP(bool, hw_event_available, (struct ksvm_pmc *pmc))				\
	OP(bool, pmc_is_enabled, (struct ksvm_vcpu *vcpu, struct ksvm_pmc *pmc))	\
	OP(struct ksvm_pmc *, pmc_idx_to_pmc, (struct ksvm_vcpu *vcpu, int idx))	\
	OP(struct ksvm_pmc *, rdpmc_ecx_to_pmc, (struct ksvm_vcpu *vcpu, u32 ecx, u64 *mask)) \
	OP(struct ksvm_pmc *, msr_idx_to_pmc, (struct ksvm_vcpu *vcpu, u32 msr))	\
	OP(bool, is_valid_rdpmc_ecx, (struct ksvm_vcpu *vcpu, u32 ecx))			\
	OP(bool, is_valid_msr, (struct ksvm_vcpu *vcpu, u32 msr))			\
	OP(int, get_msr, (struct ksvm_vcpu *vcpu, u32 msr, u64 *data))			\
	OP(int, set_msr, (struct ksvm_vcpu *vcpu, u32 msr, u64 data))			\
	OP(void, refresh, (struct ksvm_vcpu *vcpu))					\
	OP(void, init, (struct ksvm_vcpu *vcpu))					\
	OP(void, reset, (struct ksvm_vcpu *vcpu))

#define KSVM_PMU_OP_MEMBER(ret, name, params)	ret(*name) params;
struct ksvm_pmu_ops {
	KSVM_PMU_OPS(KSVM_PMU_OP_MEMBER)
};

#define KSVM_PMU_OP_DECLARE(ret, name, params) \
	DECLARE_STATIC_CALL(ksvm_pmu_##name, *(((struct ksvm_pmu_ops *)0)->name));
KSVM_PMU_OPS(KSVM_PMU_OP_DECLARE)

extern const struct ksvm_pmu_ops amd_pmu_ops;

int ksvm_pmu_rdpmc(struct ksvm_vcpu *vcpu, u32 ecx, u64 *data);
void ksvm_pmu_ops_register(const struct ksvm_pmu_ops *ops);

#endif
