// SPDX-License-Identifier: GPL-2.0-only
/* Machine check registers: there and obedient; nothing is reported in them yet. */
#include <linux/bits.h>
#include <linux/errno.h>
#include <asm/mce.h>
#include <asm/msr-index.h>

#include "guest.h"
#include "internal.h"

/* The number of extended registers: user space may promise any. */
#define MCG_EXTENDED_COUNT	GENMASK_ULL(23, 16)
#define MCE_CAP_SUPPORTED	(MCG_CTL_P | MCG_SER_P)
#define BANK_REGISTERS		4
/* HWCR: the guest may write status registers. */
#define HWCR_MC_STATUS_WRITE	BIT_ULL(18)

/* Linux leaves these bits of a control register clear, for the sake of old chipsets. */
#define BANK_CTL_LENIENT	(BIT_ULL(10) | BIT_ULL(0))

enum bank_register {
	BANK_CTL,
	BANK_STATUS,
};

/**
 * ksvm_mce_cap_supported() - KVM_X86_GET_MCE_CAP_SUPPORTED
 *
 * Return: bits of MCG_CAP that KVM_X86_SETUP_MCE takes, besides the number of
 * banks, which KVM_CAP_MCE tells.
 */
u64 ksvm_mce_cap_supported(void)
{
	return MCE_CAP_SUPPORTED;
}

static unsigned int nr_banks(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.msrs.mcg_cap & MCG_BANKCNT_MASK;
}

/**
 * ksvm_mce_vcpu_init() - until KVM_X86_SETUP_MCE, there are all banks and no more
 * @vcpu: the vCPU
 */
void ksvm_mce_vcpu_init(struct ksvm_vcpu *vcpu)
{
	vcpu->x86.msrs.mcg_cap = KSVM_MCE_BANKS_MAX;
}

/**
 * ksvm_setup_mce() - KVM_X86_SETUP_MCE
 * @vcpu: the vCPU, by its own thread
 * @mcg_cap: MCG_CAP of the guest: 1 to KSVM_MCE_BANKS_MAX banks
 *
 * Return: 0; -EINVAL for no banks, too many, or capabilities that are not
 * supported; nothing has changed then.
 */
int ksvm_setup_mce(struct ksvm_vcpu *vcpu, u64 mcg_cap)
{
	u64 banks = mcg_cap & MCG_BANKCNT_MASK;
	struct ksvm_msrs *msrs = &vcpu->x86.msrs;
	unsigned int i;

	if (!banks || banks > KSVM_MCE_BANKS_MAX)
		return -EINVAL;
	if (mcg_cap & ~(MCE_CAP_SUPPORTED | MCG_BANKCNT_MASK | MCG_EXTENDED_COUNT))
		return -EINVAL;
	msrs->mcg_cap = mcg_cap;
	if (mcg_cap & MCG_CTL_P)
		msrs->mcg_ctl = ~0ull;
	for (i = 0; i < banks; i++)
		msrs->mc_banks[i * BANK_REGISTERS + BANK_CTL] = ~0ull;
	return 0;
}

/**
 * ksvm_get_mce_msr() - read a machine check register
 * @vcpu: the vCPU, by its own thread; any ring
 * @index: MSR_IA32_MCG_* or one of the banks'
 * @value: filled
 * @host: user space asks
 *
 * Return: 0; -EINVAL for #GP(0).
 */
int ksvm_get_mce_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host)
{
	const struct ksvm_msrs *msrs = &vcpu->x86.msrs;

	switch (index) {
	case MSR_IA32_MCG_CAP:
		*value = msrs->mcg_cap;
		return 0;
	case MSR_IA32_MCG_STATUS:
		*value = msrs->mcg_status;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(msrs->mcg_cap & MCG_CTL_P) && !host)
			return -EINVAL;
		*value = msrs->mcg_ctl;
		return 0;
	}
	index -= MSR_IA32_MC0_CTL;
	if (index >= nr_banks(vcpu) * BANK_REGISTERS)
		return -EINVAL;
	*value = msrs->mc_banks[index];
	return 0;
}

static bool bank_write_valid(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host)
{
	switch (index % BANK_REGISTERS) {
	case BANK_CTL:
		return !value || (value | BANK_CTL_LENIENT) == ~0ull;
	case BANK_STATUS:
		return !value || host || vcpu->x86.msrs.hwcr & HWCR_MC_STATUS_WRITE;
	default:
		return true;
	}
}

/**
 * ksvm_set_mce_msr() - write a machine check register
 * @vcpu: the vCPU, by its own thread; any ring
 * @index: MSR_IA32_MCG_* or one of the banks'
 * @value: the value
 * @host: user space asks
 *
 * Return: 0; -EINVAL for #GP(0).
 */
int ksvm_set_mce_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host)
{
	struct ksvm_msrs *msrs = &vcpu->x86.msrs;

	switch (index) {
	case MSR_IA32_MCG_CAP:
		return -EINVAL;
	case MSR_IA32_MCG_STATUS:
		msrs->mcg_status = value;
		return 0;
	case MSR_IA32_MCG_CTL:
		if (!(msrs->mcg_cap & MCG_CTL_P) && (value || !host))
			return -EINVAL;
		if (value && value != ~0ull)
			return -EINVAL;
		msrs->mcg_ctl = value;
		return 0;
	}
	index -= MSR_IA32_MC0_CTL;
	if (index >= nr_banks(vcpu) * BANK_REGISTERS || !bank_write_valid(vcpu, index, value, host))
		return -EINVAL;
	msrs->mc_banks[index] = value;
	return 0;
}
