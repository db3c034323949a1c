/* SPDX-License-Identifier: GPL-2.0-only */
/* Predicates on a guest processor's state, for every folder. */
#ifndef KSVM_GUEST_H
#define KSVM_GUEST_H

#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "vcpu.h"

static inline bool guest_protected_mode(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.cr0 & X86_CR0_PE;
}

static inline bool guest_paging(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.cr0 & X86_CR0_PG;
}

static inline bool guest_long_mode(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.efer & EFER_LMA;
}

static inline bool guest_pae(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.cr4 & X86_CR4_PAE;
}

static inline unsigned int guest_linear_bits(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.cr4 & X86_CR4_LA57 ? 57 : 48;
}

static inline bool guest_canonical(const struct ksvm_vcpu *vcpu, u64 address)
{
	unsigned int unused = 64 - guest_linear_bits(vcpu);

	return (u64)((s64)(address << unused) >> unused) == address;
}

#endif
