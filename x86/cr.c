// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control and debug registers: what the guest may write, as the AMD64 manual has
 * it. VMRUN refuses illegal combinations, so none of them gets past here.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/cpufeatures.h>

#include "guest.h"
#include "internal.h"
#include "irq_ops.h"
#include "x86_ops.h"

#define CR0_DEFINED	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)
#define CR8_PRIORITY	0xf
#define CR3_NO_FLUSH	BIT_ULL(63)

/* CR4 bits of processors that are older than SVM: there whatever CPUID says. */
#define CR4_ALWAYS	(X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE | \
			 X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | \
			 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)

/* DR6: bits that are written; the others read as one, but bit 12 and the high half. */
#define DR6_WRITABLE	(GENMASK(3, 0) | GENMASK(15, 13))
#define DR6_ONES	(GENMASK(11, 4) | GENMASK(31, 16))
/* DR7: bits 11, 12, 14, 15 read as zero, bit 10 as one. */
#define DR7_WRITABLE	(GENMASK(9, 0) | BIT(13) | GENMASK(31, 16))
#define DR7_ONES	BIT(10)

static const struct {
	unsigned long bit;
	unsigned int feature;
} cr4_features[] = {
	{ X86_CR4_UMIP, X86_FEATURE_UMIP },
	{ X86_CR4_LA57, X86_FEATURE_LA57 },
	{ X86_CR4_FSGSBASE, X86_FEATURE_FSGSBASE },
	{ X86_CR4_PCIDE, X86_FEATURE_PCID },
	{ X86_CR4_OSXSAVE, X86_FEATURE_XSAVE },
	{ X86_CR4_SMEP, X86_FEATURE_SMEP },
	{ X86_CR4_SMAP, X86_FEATURE_SMAP },
	{ X86_CR4_PKE, X86_FEATURE_PKU },
};

/**
 * ksvm_cr4_reserved() - CR4 bits whose features are not there
 * @has: tells whether the guest may use a feature
 * @vcpu: passed to @has
 */
unsigned long ksvm_cr4_reserved(bool (*has)(struct ksvm_vcpu *vcpu, unsigned int feature),
				struct ksvm_vcpu *vcpu)
{
	unsigned long allowed = CR4_ALWAYS;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		if (has(vcpu, cr4_features[i].feature))
			allowed |= cr4_features[i].bit;
	}
	return ~allowed;
}

/**
 * ksvm_cr0_valid() - is a CR0 legal by itself
 * @cr0: the value
 */
bool ksvm_cr0_valid(u64 cr0)
{
	if (cr0 >> 32)
		return false;
	if ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD))
		return false;
	return !(cr0 & X86_CR0_PG) || cr0 & X86_CR0_PE;
}

/**
 * ksvm_cr0_canonize() - what CR0 holds after a write
 * @cr0: the value written; bits without meaning are ignored, the coprocessor
 *	is always there
 */
unsigned long ksvm_cr0_canonize(unsigned long cr0)
{
	return (cr0 & CR0_DEFINED) | X86_CR0_ET;
}

/**
 * ksvm_cr3_valid() - does a CR3 stay in the guest's physical address space
 * @vcpu: the vCPU
 * @cr3: the value
 */
bool ksvm_cr3_valid(struct ksvm_vcpu *vcpu, u64 cr3)
{
	return !(cr3 >> vcpu->x86.maxphyaddr);
}

/**
 * ksvm_cr4_valid() - are the features there that a CR4 switches on
 * @vcpu: the vCPU
 * @cr4: the value
 */
bool ksvm_cr4_valid(struct ksvm_vcpu *vcpu, u64 cr4)
{
	return !(cr4 & vcpu->x86.cr4_reserved);
}

static bool in_64bit_code(struct ksvm_vcpu *vcpu)
{
	struct emulate_segment cs;

	static_call(ksvm_x86_get_segment)(vcpu, EMULATE_CS, &cs);
	return cs.attributes & EMULATE_SEG_L;
}

/* May paging go on or off; on success @efer is what EFER becomes. */
static bool paging_switch_valid(struct ksvm_vcpu *vcpu, bool on, u64 *efer)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	*efer = x86->efer;
	if (!(x86->efer & EFER_LME))
		return true;
	if (in_64bit_code(vcpu))
		return false;
	if (!on) {
		*efer &= ~EFER_LMA;
		return !(x86->cr4 & X86_CR4_PCIDE);
	}
	*efer |= EFER_LMA;
	return x86->cr4 & X86_CR4_PAE;
}

/**
 * ksvm_set_cr0() - MOV to CR0, LMSW, CLTS
 * @vcpu: the vCPU, by its own thread; any ring
 * @cr0: the value
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_cr0(struct ksvm_vcpu *vcpu, unsigned long cr0)
{
	unsigned long changed;
	u64 efer;

	if (!ksvm_cr0_valid(cr0))
		return -EINVAL;
	cr0 = ksvm_cr0_canonize(cr0);
	changed = cr0 ^ vcpu->x86.cr0;
	if (changed & X86_CR0_PG) {
		if (!paging_switch_valid(vcpu, cr0 & X86_CR0_PG, &efer))
			return -EINVAL;
		if (efer != vcpu->x86.efer)
			static_call(ksvm_x86_set_efer)(vcpu, efer);
	}
	static_call(ksvm_x86_set_cr0)(vcpu, cr0);
	return 0;
}

/**
 * ksvm_set_cr3() - MOV to CR3
 * @vcpu: the vCPU, by its own thread; any ring
 * @cr3: the value
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_cr3(struct ksvm_vcpu *vcpu, unsigned long cr3)
{
	/* Keeping translations is a permission, not a promise. */
	if (vcpu->x86.cr4 & X86_CR4_PCIDE)
		cr3 &= ~CR3_NO_FLUSH;
	if (guest_long_mode(vcpu)) {
		if (!ksvm_cr3_valid(vcpu, cr3))
			return -EINVAL;
	} else {
		cr3 = (u32)cr3;
	}
	static_call(ksvm_x86_set_cr3)(vcpu, cr3);
	return 0;
}

/**
 * ksvm_set_cr4() - MOV to CR4
 * @vcpu: the vCPU, by its own thread; any ring
 * @cr4: the value
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_cr4(struct ksvm_vcpu *vcpu, unsigned long cr4)
{
	unsigned long changed = cr4 ^ vcpu->x86.cr4;

	if (!ksvm_cr4_valid(vcpu, cr4))
		return -EINVAL;
	if (guest_long_mode(vcpu)) {
		if (!(cr4 & X86_CR4_PAE) || changed & X86_CR4_LA57)
			return -EINVAL;
	}
	if (changed & cr4 & X86_CR4_PCIDE) {
		if (!guest_long_mode(vcpu) || vcpu->x86.cr3 & GENMASK(11, 0))
			return -EINVAL;
	}
	if (changed & X86_CR4_OSXSAVE)
		ksvm_fpu_xcr0(vcpu);	/* what XCR0 holds is still the guest's */
	static_call(ksvm_x86_set_cr4)(vcpu, cr4);
	if (changed & X86_CR4_OSXSAVE)
		ksvm_fpu_update_xcr0(vcpu);
	return 0;
}

/**
 * ksvm_set_cr8() - MOV to CR8
 * @vcpu: the vCPU, by its own thread; any ring
 * @cr8: the value
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_cr8(struct ksvm_vcpu *vcpu, unsigned long cr8)
{
	if (cr8 & ~CR8_PRIORITY)
		return -EINVAL;
	static_call(ksvm_x86_set_cr8)(vcpu, cr8);
	if (vcpu->apic)
		static_call(ksvm_irq_set_tpr)(vcpu, cr8);
	return 0;
}

/* Components that come only together. */
static bool xcr0_consistent(u64 xcr0)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	if (!(xcr0 & XFEATURE_MASK_FP))
		return false;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	return !avx512 || (avx512 == XFEATURE_MASK_AVX512 && xcr0 & XFEATURE_MASK_YMM);
}

/**
 * ksvm_set_xcr0() - XSETBV, or user space's KVM_SET_XCRS
 * @vcpu: the vCPU, by its own thread; any ring
 * @xcr0: the value
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_xcr0(struct ksvm_vcpu *vcpu, u64 xcr0)
{
	if (xcr0 & ~ksvm_guest_xcr0(vcpu) || !xcr0_consistent(xcr0))
		return -EINVAL;
	vcpu->x86.fpu.xcr0 = xcr0;
	ksvm_fpu_update_xcr0(vcpu);
	return 0;
}

/**
 * ksvm_efer_allowed() - EFER bits that may be set
 * @vcpu: the vCPU, by its own thread
 * @host: user space sets it: the guest's CPUID does not matter
 */
u64 ksvm_efer_allowed(struct ksvm_vcpu *vcpu, bool host)
{
	static const struct {
		u64 bits;
		unsigned int feature;
	} rows[] = {
		{ EFER_SCE, X86_FEATURE_SYSCALL },
		{ EFER_LME | EFER_LMA, X86_FEATURE_LM },
		{ EFER_NX, X86_FEATURE_NX },
		{ EFER_FFXSR, X86_FEATURE_FXSR_OPT },
	};
	bool any = host || !vcpu->x86.cpuid_nent;
	unsigned int i;
	u64 bits = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (ksvm_cpu_cap_has(rows[i].feature) &&
		    (any || ksvm_guest_has(vcpu, rows[i].feature)))
			bits |= rows[i].bits;
	}
	return bits;
}

/**
 * ksvm_set_efer() - WRMSR to EFER, or user space's KVM_SET_MSRS
 * @vcpu: the vCPU, by its own thread; any ring
 * @efer: the value; LMA in it is ignored, it follows LME and CR0.PG
 * @host: user space asks
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_efer(struct ksvm_vcpu *vcpu, u64 efer, bool host)
{
	u64 before = vcpu->x86.efer;

	if (efer & ~ksvm_efer_allowed(vcpu, host))
		return -EINVAL;
	if (guest_paging(vcpu) && (efer ^ before) & EFER_LME)
		return -EINVAL;
	efer = (efer & ~EFER_LMA) | (before & EFER_LMA);
	static_call(ksvm_x86_set_efer)(vcpu, efer);
	return 0;
}

/**
 * ksvm_dr6_canonize() - what DR6 holds after a write
 * @value: the value written
 */
unsigned long ksvm_dr6_canonize(unsigned long value)
{
	return (value & DR6_WRITABLE) | DR6_ONES;
}

/**
 * ksvm_dr7_canonize() - what DR7 holds after a write
 * @value: the value written
 */
unsigned long ksvm_dr7_canonize(unsigned long value)
{
	return (value & DR7_WRITABLE) | DR7_ONES;
}

/**
 * ksvm_set_dr() - MOV to a debug register
 * @vcpu: the vCPU, by its own thread; any ring
 * @nr: 0 to 7; 4 and 5 stand for 6 and 7, where CR4.DE allows them at all
 * @value: the value
 *
 * Return: 0; -EINVAL for #GP(0), and nothing has changed.
 */
int ksvm_set_dr(struct ksvm_vcpu *vcpu, unsigned int nr, unsigned long value)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	if (nr > 3 && value >> 32)
		return -EINVAL;
	switch (nr) {
	case 0 ... 3:
		x86->dr[nr] = value;
		break;
	case 4:
	case 6:
		x86->dr6 = ksvm_dr6_canonize(value);
		break;
	default:
		x86->dr7 = ksvm_dr7_canonize(value);
		break;
	}
	ksvm_update_debug(vcpu);
	return 0;
}

/**
 * ksvm_get_dr() - MOV from a debug register
 * @vcpu: the vCPU, by its own thread; any ring
 * @nr: 0 to 7
 *
 * Return: its value.
 */
unsigned long ksvm_get_dr(struct ksvm_vcpu *vcpu, unsigned int nr)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	switch (nr) {
	case 0 ... 3:
		return x86->dr[nr];
	case 4:
	case 6:
		return x86->dr6;
	default:
		return x86->dr7;
	}
}
