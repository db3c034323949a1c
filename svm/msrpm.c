// SPDX-License-Identifier: GPL-2.0-only
/*
 * Permission maps: which MSRs and I/O ports a guest touches without an exit.
 *
 * Each vCPU has an MSR map of its own: all ones, which intercepts everything,
 * but for the rows below that are open. The I/O map is one for all, all ones.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/apicdef.h>
#include <asm/mem_encrypt.h>
#include <asm/msr-index.h>

#include "internal.h"
#include "msrpm_bits.h"

#define MSRPM_ORDER	get_order(MSRPM_BYTES)
#define IOPM_BYTES	(3 * PAGE_SIZE)

/* An x2APIC register's MSR, by its offset in the memory-mapped page. */
#define X2APIC_MSR(offset)	(0x800 + ((offset) >> 4))

/**
 * struct direct_access_msr - an MSR that a guest may be let at
 * @msr: its number
 * @always: open from the vCPU's creation to its end: VMLOAD and VMSAVE switch
 *	it, so that the guest never sees or changes the host's. The others are
 *	intercepted until something opens them with svm_msrpm_set()
 */
struct direct_access_msr {
	u32 msr;
	bool always;
};

static const struct direct_access_msr direct_access_msrs[] = {
	{ MSR_STAR,			true },
	{ MSR_LSTAR,			true },
	{ MSR_CSTAR,			true },
	{ MSR_SYSCALL_MASK,		true },
	{ MSR_FS_BASE,			true },
	{ MSR_GS_BASE,			true },
	{ MSR_KERNEL_GS_BASE,		true },
	{ MSR_IA32_SYSENTER_CS,		true },
	/* Not where the guest believes it has an Intel processor: 64 bits there. */
	{ MSR_IA32_SYSENTER_ESP,	false },
	{ MSR_IA32_SYSENTER_EIP,	false },
	{ MSR_IA32_SPEC_CTRL,		false },
	{ MSR_IA32_PRED_CMD,		false },
	{ MSR_IA32_LASTBRANCHFROMIP,	false },
	{ MSR_IA32_LASTBRANCHTOIP,	false },
	{ MSR_IA32_LASTINTFROMIP,	false },
	{ MSR_IA32_LASTINTTOIP,		false },
	{ MSR_EFER,			false },
	{ MSR_IA32_CR_PAT,		false },
	/* Nothing switches it but for encrypted guests. */
	{ MSR_AMD64_SEV_ES_GHCB,	false },
	{ MSR_TSC_AUX,			false },
	{ X2APIC_MSR(APIC_ID),		false },
	{ X2APIC_MSR(APIC_LVR),		false },
	{ X2APIC_MSR(APIC_TASKPRI),	false },
	{ X2APIC_MSR(APIC_ARBPRI),	false },
	{ X2APIC_MSR(APIC_PROCPRI),	false },
	{ X2APIC_MSR(APIC_EOI),		false },
	{ X2APIC_MSR(APIC_RRR),		false },
	{ X2APIC_MSR(APIC_LDR),		false },
	{ X2APIC_MSR(APIC_DFR),		false },
	{ X2APIC_MSR(APIC_SPIV),	false },
	{ X2APIC_MSR(APIC_ISR),		false },
	{ X2APIC_MSR(APIC_TMR),		false },
	{ X2APIC_MSR(APIC_IRR),		false },
	{ X2APIC_MSR(APIC_ESR),		false },
	{ X2APIC_MSR(APIC_ICR),		false },
	{ X2APIC_MSR(APIC_ICR2),	false },
	{ X2APIC_MSR(APIC_LVTT),	false },
	{ X2APIC_MSR(APIC_LVTTHMR),	false },
	{ X2APIC_MSR(APIC_LVTPC),	false },
	{ X2APIC_MSR(APIC_LVT0),	false },
	{ X2APIC_MSR(APIC_LVT1),	false },
	{ X2APIC_MSR(APIC_LVTERR),	false },
	{ X2APIC_MSR(APIC_TMICT),	false },
	{ X2APIC_MSR(APIC_TMCCT),	false },
	{ X2APIC_MSR(APIC_TDCR),	false },
};

/* Bit number of each row's read bit; set once while the module loads. */
static u16 direct_access_bits[ARRAY_SIZE(direct_access_msrs)] __ro_after_init;

static void *iopm __ro_after_init;

/**
 * svm_msrpm_setup() - find each row's place in the map
 *
 * Return: 0, or -EINVAL where a row names an MSR that the map has no bits for.
 */
int svm_msrpm_setup(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(direct_access_msrs); i++) {
		int bit = msrpm_read_bit(direct_access_msrs[i].msr);

		if (WARN_ON_ONCE(bit < 0))
			return -EINVAL;
		direct_access_bits[i] = bit;
	}
	return 0;
}

/**
 * svm_msrpm_create() - a map with the always open rows open
 *
 * Context: may sleep; charged to the caller.
 *
 * Return: the map, or NULL.
 */
void *svm_msrpm_create(void)
{
	unsigned long map = __get_free_pages(GFP_KERNEL_ACCOUNT, MSRPM_ORDER);
	unsigned int i;

	if (!map)
		return NULL;
	memset((void *)map, 0xff, MSRPM_BYTES);
	for (i = 0; i < ARRAY_SIZE(direct_access_msrs); i++)
		if (direct_access_msrs[i].always)
			msrpm_change((u8 *)map, direct_access_bits[i], true, true);
	return (void *)map;
}

/**
 * svm_msrpm_destroy() - free a map
 * @msrpm: from svm_msrpm_create(), or NULL
 */
void svm_msrpm_destroy(void *msrpm)
{
	free_pages((unsigned long)msrpm, MSRPM_ORDER);
}

/**
 * svm_msrpm_set() - open or close an MSR for a vCPU
 * @svm: the vCPU, by its own thread
 * @msr: an MSR of direct_access_msrs[]
 * @read: let the guest read it without an exit
 * @write: let the guest write it without an exit
 */
void svm_msrpm_set(struct vcpu_svm *svm, u32 msr, bool read, bool write)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(direct_access_msrs); i++) {
		if (direct_access_msrs[i].msr != msr)
			continue;
		if (msrpm_change(svm->msrpm, direct_access_bits[i], read, write))
			vmcb_dirty(svm->vmcb, VMCB_CLEAN_PERM_MAP);
		return;
	}
	WARN_ONCE(1, "MSR %#x is not one that guests may be let at\n", msr);
}

/**
 * svm_iopm_create() - the I/O permission map that intercepts every port
 *
 * Return: 0 or -ENOMEM.
 */
int svm_iopm_create(void)
{
	iopm = alloc_pages_exact(IOPM_BYTES, GFP_KERNEL);
	if (!iopm)
		return -ENOMEM;
	memset(iopm, 0xff, IOPM_BYTES);
	return 0;
}

/**
 * svm_iopm_destroy() - free the I/O permission map
 */
void svm_iopm_destroy(void)
{
	if (iopm)
		free_pages_exact(iopm, IOPM_BYTES);
}

/**
 * svm_iopm_pa() - physical address of the I/O permission map, for VMCBs
 */
u64 svm_iopm_pa(void)
{
	return __sme_pa(iopm);
}
