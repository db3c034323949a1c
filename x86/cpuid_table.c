// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processor that guests are offered: an allow-list, a row per register of a
 * leaf. Rows stand in the order of leaf, sub-leaf and register; a register
 * without a row is zero.
 *
 * What is left out is left out for one of these reasons:
 * - it needs something that the module does not have: a nested hypervisor
 *   (SVM, SKINIT), a PMU (PERFCTR_*, RDPMC events, IBS, LWP), the local APIC's
 *   extended registers (EXTAPIC), hardware breakpoint masks (BPEXT), memory encryption,
 *   resource control;
 * - it depends on where the local APIC is: TSC_DEADLINE_TIMER has a capability instead;
 * - it lets the guest wait or look where it should not: MONITOR, MWAITX, RDPRU,
 *   APERFMPERF;
 * - its state is not switched: AMX, MPX, CET, XSS components;
 * - it belongs to the machine, not to the processor: HT, node and core counts,
 *   which are the VMM's to say;
 * - it follows control registers and is added when CPUID runs: OSXSAVE, OSPKE;
 * - it is another vendor's.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <asm/cpufeatures.h>

#include "cpuid_table.h"

#define ALL		0xffffffff

/* A register passed on: values rather than features. */
#define VALUE(leaf, sub, r, mask) \
	{ .function = leaf, .index = sub, .reg = CPUID_REG_##r, .word = CPUID_NO_WORD, \
	  .offered = mask }
#define LEAF(leaf) \
	VALUE(leaf, 0, EAX, ALL), VALUE(leaf, 0, EBX, ALL), \
	VALUE(leaf, 0, ECX, ALL), VALUE(leaf, 0, EDX, ALL)

/* A bit of the row's own feature word; the build stops where it is of another. */
#define F(name) \
	(BIT(X86_FEATURE_##name & 31) | BUILD_BUG_ON_ZERO(X86_FEATURE_##name / 32 != WORD))

/*
 * In leaf 8000_0001 EDX, AMD repeats these bits of leaf 1 EDX: FPU to APIC, MTRR
 * to PSE36, MMX, FXSR.
 */
#define ALIASES		(GENMASK(9, 0) | GENMASK(17, 12) | GENMASK(24, 23))

const struct cpuid_row cpuid_rows[] = {
	/* The highest leaf is lowered to what is offered; the vendor. */
	LEAF(0x0),

	/* Signature. */
	VALUE(0x1, 0, EAX, ALL),
	/* CLFLUSH size; one logical processor, APIC id 0: the VMM's to fill in. */
	{ 0x1, 0, CPUID_REG_EBX, CPUID_NO_WORD, 0xff00, BIT(16) },
#define WORD	(X86_FEATURE_XMM3 / 32)
	{ 0x1, 0, CPUID_REG_ECX, WORD,
	  F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(PCID) | F(XMM4_1) |
	  F(XMM4_2) | F(MOVBE) | F(POPCNT) | F(AES) | F(XSAVE) | F(AVX) | F(F16C) |
	  F(RDRAND),
	  F(HYPERVISOR) | F(X2APIC) },
#undef WORD
#define WORD	(X86_FEATURE_FPU / 32)
	{ 0x1, 0, CPUID_REG_EDX, WORD,
	  F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(CX8) | F(SEP) |
	  F(PGE) | F(CMOV) | F(PSE36) | F(CLFLUSH) | F(MMX) | F(FXSR) | F(XMM) | F(XMM2),
	  F(MCE) | F(APIC) | F(MTRR) | F(MCA) | F(PAT) },
#undef WORD

	/* The timer of an emulated APIC never stops. */
#define WORD	(X86_FEATURE_ARAT / 32)
	{ 0x6, 0, CPUID_REG_EAX, WORD, 0, F(ARAT) },
#undef WORD

	/* The highest sub-leaf. */
	VALUE(0x7, 0, EAX, ALL),
#define WORD	(X86_FEATURE_FSGSBASE / 32)
	{ 0x7, 0, CPUID_REG_EBX, WORD,
	  F(FSGSBASE) | F(BMI1) | F(AVX2) | F(SMEP) | F(BMI2) | F(ERMS) | F(INVPCID) |
	  F(ZERO_FCS_FDS) | F(AVX512F) | F(AVX512DQ) | F(RDSEED) | F(ADX) | F(SMAP) |
	  F(AVX512IFMA) | F(CLFLUSHOPT) | F(CLWB) | F(AVX512CD) | F(SHA_NI) |
	  F(AVX512BW) | F(AVX512VL),
	  F(TSC_ADJUST) },
#undef WORD
#define WORD	(X86_FEATURE_UMIP / 32)
	{ 0x7, 0, CPUID_REG_ECX, WORD,
	  F(AVX512VBMI) | F(UMIP) | F(PKU) | F(AVX512_VBMI2) | F(GFNI) | F(VAES) |
	  F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) |
	  F(LA57) | F(RDPID) | F(MOVDIRI) | F(MOVDIR64B), 0 },
#undef WORD
#define WORD	(X86_FEATURE_FSRM / 32)
	{ 0x7, 0, CPUID_REG_EDX, WORD, F(FSRM) | F(AVX512_VP2INTERSECT), 0 },
#undef WORD
#define WORD	(X86_FEATURE_AVX_VNNI / 32)
	{ 0x7, 1, CPUID_REG_EAX, WORD, F(AVX_VNNI) | F(AVX512_BF16), 0 },
#undef WORD

	/* Components and sizes are filled in. */
	VALUE(0xd, 0, EAX, ALL),
#define WORD	(X86_FEATURE_XSAVEOPT / 32)
	{ 0xd, 1, CPUID_REG_EAX, WORD,
	  F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1) | F(XSAVES), 0 },
#undef WORD

	/* "KVMKVMKVM": the API, and so the paravirtual interface, is KVM's. */
	{ CPUID_KVM_SIGNATURE, 0, CPUID_REG_EAX, CPUID_NO_WORD, 0, CPUID_KVM_FEATURES },
	{ CPUID_KVM_SIGNATURE, 0, CPUID_REG_EBX, CPUID_NO_WORD, 0, 0x4b4d564b },
	{ CPUID_KVM_SIGNATURE, 0, CPUID_REG_ECX, CPUID_NO_WORD, 0, 0x564b4d56 },
	{ CPUID_KVM_SIGNATURE, 0, CPUID_REG_EDX, CPUID_NO_WORD, 0, 0x4d },
	/* Delays for old devices are not needed; clocks, async faults: not there. */
	{ CPUID_KVM_FEATURES, 0, CPUID_REG_EAX, CPUID_NO_WORD, 0, BIT(1) },

	/* The highest extended leaf is lowered; the vendor again. */
	LEAF(CPUID_EXTENDED),

	/* Signature; package type. */
	VALUE(0x80000001, 0, EAX, ALL),
	VALUE(0x80000001, 0, EBX, ALL),
#define WORD	(X86_FEATURE_LAHF_LM / 32)
	{ 0x80000001, 0, CPUID_REG_ECX, WORD,
	  F(LAHF_LM) | F(CMP_LEGACY) | F(CR8_LEGACY) | F(ABM) | F(SSE4A) |
	  F(MISALIGNSSE) | F(3DNOWPREFETCH) | F(OSVW) | F(XOP) | F(FMA4) | F(TBM) |
	  F(TOPOEXT), 0 },
#undef WORD
#define WORD	(X86_FEATURE_SYSCALL / 32)
	{ 0x80000001, 0, CPUID_REG_EDX, WORD,
	  ALIASES | F(SYSCALL) | F(NX) | F(MMXEXT) | F(FXSR_OPT) | F(GBPAGES) |
	  F(RDTSCP) | F(LM) | F(3DNOWEXT) | F(3DNOW), 0 },
#undef WORD
	/* Name, caches, TLBs. */
	LEAF(0x80000002),
	LEAF(0x80000003),
	LEAF(0x80000004),
	LEAF(0x80000005),
	LEAF(0x80000006),
	/* The TSC counts always and at one rate. */
	VALUE(0x80000007, 0, EDX, BIT(8)),

	/* Address widths, filled in. */
	VALUE(0x80000008, 0, EAX, 0xffff),
	/* Speculation controls but for VIRT_SSBD: its host side is out of reach. */
#define WORD	(X86_FEATURE_CLZERO / 32)
	{ 0x80000008, 0, CPUID_REG_EBX, WORD,
	  F(CLZERO) | F(XSAVEERPTR) | F(WBNOINVD) | F(AMD_IBPB) | F(AMD_IBRS) |
	  F(AMD_STIBP) | F(AMD_STIBP_ALWAYS_ON) | F(AMD_SSBD) | F(AMD_SSB_NO) |
	  BIT(28) /* PSFD */ | F(BTC_NO) | BIT(30) /* IBPB clears return addresses */, 0 },
#undef WORD

	/* TLBs for 1 GiB pages; how wide the vector units are. */
	VALUE(0x80000019, 0, EAX, ALL),
	VALUE(0x80000019, 0, EBX, ALL),
	VALUE(0x8000001a, 0, EAX, ALL),
	/* Topology: the VMM's to fill in. */
	VALUE(0x8000001e, 0, EAX, 0),
	/*
	 * Properties that the guest has because the processor has them: no nested
	 * data breakpoints, LFENCE always serializing, VERW clears buffers, null
	 * selectors clear the base, IBPB for all branch types, no SRSO.
	 */
	VALUE(0x80000021, 0, EAX, BIT(0) | BIT(2) | BIT(5) | BIT(6) | GENMASK(30, 28)),
	/* Not open to TSA. */
	VALUE(0x80000021, 0, ECX, BIT(1) | BIT(2)),
};

const unsigned int cpuid_nr_rows = ARRAY_SIZE(cpuid_rows);

bool cpuid_has_subleaves(u32 function)
{
	return function == 0x4 || function == 0x7 || function == 0xb || function == 0xd ||
	       function == 0x1f || function == 0x8000001d;
}
