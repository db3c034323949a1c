// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's processors have beyond plain SVM, what of it is used, and
 * why the rest is not. Decided once while the module loads.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mem_encrypt.h>
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>

#include "compat.h"
#include "contract.h"
#include "internal.h"
#include "svm.h"
#include "x86.h"

#define FEATURE_PARAMETER(name, what)						\
static bool use_##name __ro_after_init = true;					\
module_param_named(name, use_##name, bool, 0444);				\
MODULE_PARM_DESC(name, "Use " what " where the processor has it")

FEATURE_PARAMETER(nrips, "the next instruction pointer saved at exits");
FEATURE_PARAMETER(decode_assists, "instruction bytes saved at exits");
FEATURE_PARAMETER(flush_by_asid, "TLB flushes of one address space identifier");
FEATURE_PARAMETER(clean_bits, "VMCB clean bits");
FEATURE_PARAMETER(pause_filter, "exits from long PAUSE loops");
FEATURE_PARAMETER(vgif, "the virtual global interrupt flag");
FEATURE_PARAMETER(lbrv, "virtual last-branch records");
FEATURE_PARAMETER(v_spec_ctrl, "the virtual SPEC_CTRL");

enum cpuid_register { EAX, EBX, ECX, EDX };

struct cpuid_bit {
	u32 leaf;
	enum cpuid_register reg;
	u8 bit;
};

#define SVM_EDX(bit)	{ 0x8000000a, EDX, bit }
#define SEV_EAX(bit)	{ 0x8000001f, EAX, bit }

/**
 * struct feature_row - a feature of SVM that not every processor has
 * @name: as debugfs ksvm/features shows it
 * @purpose: what it is good for
 * @cpuid: where the processor says that it has it
 * @parameter: switches it off; NULL where nothing does
 * @missing: why the module makes no use of it; NULL where it does
 */
struct feature_row {
	const char *name;
	const char *purpose;
	struct cpuid_bit cpuid;
	const bool *parameter;
	const char *missing;
};

static const struct feature_row rows[SVM_FEATURES] = {
	[SVM_FEATURE_NPT] = {
		"npt", "nested paging", SVM_EDX(0), NULL, NULL,
	},
	[SVM_FEATURE_NRIPS] = {
		"nrips", "exits tell the next RIP", SVM_EDX(3), &use_nrips, NULL,
	},
	[SVM_FEATURE_DECODE_ASSISTS] = {
		"decode_assists", "exits bring instruction bytes and operands", SVM_EDX(7),
		&use_decode_assists, NULL,
	},
	[SVM_FEATURE_FLUSH_BY_ASID] = {
		"flush_by_asid", "flushes one guest's translations", SVM_EDX(6),
		&use_flush_by_asid, NULL,
	},
	[SVM_FEATURE_CLEAN_BITS] = {
		"clean_bits", "unchanged VMCB fields stay cached", SVM_EDX(5),
		&use_clean_bits, NULL,
	},
	[SVM_FEATURE_TSC_SCALING] = {
		"tsc_scaling", "a guest TSC of another frequency", SVM_EDX(4), NULL,
		"not implemented: guests have the host's frequency",
	},
	[SVM_FEATURE_PAUSE_FILTER] = {
		"pause_filter", "exits from PAUSE loops", SVM_EDX(10), &use_pause_filter, NULL,
	},
	[SVM_FEATURE_PAUSE_THRESHOLD] = {
		"pause_threshold", "tells a PAUSE loop from single PAUSEs", SVM_EDX(12),
		&use_pause_filter, NULL,
	},
	[SVM_FEATURE_VIRTUAL_VMLOAD] = {
		"virtual_vmload", "VMLOAD and VMSAVE in a guest without exits", SVM_EDX(15), NULL,
		"not implemented: guests have no SVM",
	},
	[SVM_FEATURE_VGIF] = {
		"vgif", "a global interrupt flag of the guest's own", SVM_EDX(16), &use_vgif, NULL,
	},
	[SVM_FEATURE_LBR_VIRT] = {
		"lbrv", "last-branch records and DEBUGCTL of the guest's own", SVM_EDX(1),
		&use_lbrv, NULL,
	},
	[SVM_FEATURE_AVIC] = {
		"avic", "interrupts to guests without exits", SVM_EDX(13), NULL,
		"not implemented",
	},
	[SVM_FEATURE_V_SPEC_CTRL] = {
		"v_spec_ctrl", "the processor switches SPEC_CTRL", SVM_EDX(20),
		&use_v_spec_ctrl, NULL,
	},
	[SVM_FEATURE_V_TSC_AUX] = {
		"v_tsc_aux", "the processor switches TSC_AUX", SEV_EAX(9), NULL,
		"not implemented: for encrypted guests only",
	},
	[SVM_FEATURE_SEV] = {
		"sev", "encrypted guests", SEV_EAX(1), NULL, "not implemented",
	},
	[SVM_FEATURE_SEV_ES] = {
		"sev_es", "encrypted guest registers", SEV_EAX(3), NULL, "not implemented",
	},
};

bool svm_features_on[SVM_FEATURES] __ro_after_init;

static u32 nr_asids __ro_after_init;

static bool cpuid_offers(const struct cpuid_bit *test)
{
	u32 regs[4];

	if (cpuid_eax(0x80000000) < test->leaf)
		return false;
	cpuid_count(test->leaf, 0, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]);
	return regs[test->reg] & BIT(test->bit);
}

/* The processor's number of ASIDs; the first is the host's. */
static u32 cpuid_nr_asids(void)
{
	return cpuid_ebx(0x8000000a);
}

/**
 * svm_nr_asids() - guests get ASIDs from 1 to one less than this
 */
u32 svm_nr_asids(void)
{
	return min(nr_asids, svm_contract_asids_max());
}

/* What the host's processors can, a guest's seems to be able to; mostly x86/ knows. */
static void set_cpu_caps(void)
{
	/* A guest's TSC_AUX is switched with an MSR that has to be there. */
	if (!boot_cpu_has(X86_FEATURE_RDTSCP)) {
		ksvm_cpu_cap_clear(X86_FEATURE_RDTSCP);
		ksvm_cpu_cap_clear(X86_FEATURE_RDPID);
	}
	ksvm_cpu_cap_clear(X86_FEATURE_SVM);
}

/**
 * svm_features_setup() - decide which features are used
 *
 * Return: 0, or -EOPNOTSUPP without nested paging, with a line in the log.
 */
int svm_features_setup(void)
{
	enum svm_feature i;

	for (i = 0; i < SVM_FEATURES; i++) {
		const struct feature_row *row = &rows[i];

		svm_features_on[i] = !row->missing && (!row->parameter || *row->parameter) &&
				     cpuid_offers(&row->cpuid);
	}
	if (!svm_pause_wanted())
		svm_features_on[SVM_FEATURE_PAUSE_FILTER] = false;
	/* The threshold is the filter's. */
	if (!svm_has(SVM_FEATURE_PAUSE_FILTER))
		svm_features_on[SVM_FEATURE_PAUSE_THRESHOLD] = false;

	if (!svm_has(SVM_FEATURE_NPT)) {
		pr_err("no nested paging on this processor: CPUID 8000_000A.EDX.NP is clear\n");
		return -EOPNOTSUPP;
	}
	nr_asids = cpuid_nr_asids();
	if (nr_asids < 2) {
		pr_err("no address space identifiers on this processor: CPUID 8000_000A.EBX is %u\n",
		       nr_asids);
		return -EOPNOTSUPP;
	}
	set_cpu_caps();
	return 0;
}

/**
 * svm_features_check_cpu() - has this processor what setup decided on
 *
 * Context: on the processor, interrupts off.
 *
 * Return: 0 or -EIO.
 */
int svm_features_check_cpu(void)
{
	enum svm_feature i;

	for (i = 0; i < SVM_FEATURES; i++)
		if (svm_has(i) && !cpuid_offers(&rows[i].cpuid))
			return -EIO;
	return cpuid_nr_asids() < nr_asids ? -EIO : 0;
}

static void show(struct seq_file *seq, const char *name, bool on, const char *text)
{
	seq_printf(seq, "%-16s %-4s %s\n", name, on ? "on" : "off", text);
}

static void show_row(struct seq_file *seq, enum svm_feature i)
{
	static const char * const registers[] = { "EAX", "EBX", "ECX", "EDX" };
	const struct feature_row *row = &rows[i];
	const struct cpuid_bit *cpuid = &row->cpuid;

	if (svm_has(i))
		show(seq, row->name, true, row->purpose);
	else if (!cpuid_offers(cpuid))
		seq_printf(seq, "%-16s off  not offered by this processor (CPUID %04X_%04X.%s[%u])\n",
			   row->name, cpuid->leaf >> 16, cpuid->leaf & 0xffff,
			   registers[cpuid->reg], cpuid->bit);
	else if (row->missing)
		show(seq, row->name, false, row->missing);
	else if (row->parameter && !*row->parameter)
		show(seq, row->name, false, "switched off by parameter");
	else if (i == SVM_FEATURE_PAUSE_FILTER)
		show(seq, row->name, false,
		     "switched off by pause_filter_count=0 or pause_filter_thresh=0");
	else
		show(seq, row->name, false, "no use without pause_filter");
}

/* What the host's mode of operation decides. */
static void show_host(struct seq_file *seq)
{
	u64 efer = ksvm_rdmsr(MSR_EFER);

	show(seq, "efer_nx", efer & EFER_NX, efer & EFER_NX ?
	     "nested pages can be made non-executable" : "not in use by the host (EFER.NXE)");
	seq_printf(seq, "%-16s on   nested tables have %d levels, as the host's own\n",
		   "npt_levels", pgtable_l5_enabled() ? 5 : 4);
	if (sme_me_mask)
		seq_printf(seq, "%-16s on   bit %u of nested entries, value %#llx\n", "shadow_me",
			   (unsigned int)__ffs64(sme_me_mask), sme_me_mask);
	else
		show(seq, "shadow_me", false, "the host does not encrypt memory (SME)");
	seq_printf(seq, "%-16s on   %u address space identifiers\n", "asids",
		   svm_nr_asids() - 1);
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		show(seq, "tsc_aux", true, "switched on the way in and out of the run loop");
	else
		show(seq, "tsc_aux", false,
		     "not offered by this processor (CPUID 8000_0001.EDX[27])");
}

static void show_sev_limits(struct seq_file *seq)
{
	if (cpuid_offers(&rows[SVM_FEATURE_SEV].cpuid))
		seq_printf(seq, "%-16s off  not implemented; %u encrypted guests, from ASID %u without SEV-ES\n",
			   "sev_limits", cpuid_ecx(0x8000001f), cpuid_edx(0x8000001f));
	else
		show(seq, "sev_limits", false,
		     "not offered by this processor (CPUID 8000_001F.EAX[1])");
}

static bool host_untrains(void)
{
	return boot_cpu_has(X86_FEATURE_UNRET) || boot_cpu_has(X86_FEATURE_SRSO) ||
	       boot_cpu_has(X86_FEATURE_SRSO_ALIAS);
}

/* Mitigations that are the host's choice. */
static void show_wanted(struct seq_file *seq, const char *name, bool on, const char *when)
{
	show(seq, name, on, on ? when : "the host does not ask for it");
}

/* What keeps guests from each other's and the host's branch predictions. */
static void show_speculation(struct seq_file *seq)
{
	show(seq, "ibpb", ksvm_ibpb_wanted(), ksvm_ibpb_wanted() ?
	     "when another guest's processor ran last" :
	     boot_cpu_has(X86_FEATURE_IBPB) ? "the host runs with mitigations=off" :
	     "not offered by this processor (CPUID 8000_0008.EBX[12])");
	show(seq, "spec_ctrl", boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL),
	     boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) ? "the guest's while it runs" :
	     "not offered by this processor (CPUID 8000_0008.EBX)");
	show_wanted(seq, "rsb_fill", boot_cpu_has(X86_FEATURE_RSB_VMEXIT), "after each exit");
	show_wanted(seq, "untrain_ret", host_untrains(), "after each exit");
	show_wanted(seq, "ibpb_on_exit", boot_cpu_has(X86_FEATURE_IBPB_ON_VMEXIT),
		    "after each exit");
	show_wanted(seq, "predictor_guard", ksvm_predictor_guard_wanted(),
		    "while a processor may run guests (BP_SPEC_REDUCE)");
	show_wanted(seq, "ibpb_to_user", ksvm_guest_ran_matters(),
		    "by the kernel, before user mode, after a guest ran (VMSCAPE)");
	show(seq, "virt_spec_ctrl", false, "not implemented: its host side is closed to modules");
}

/**
 * svm_features_show() - debugfs ksvm/features
 * @seq: where to
 * @unused: the file's private data
 *
 * Return: 0.
 */
int svm_features_show(struct seq_file *seq, void *unused)
{
	enum svm_feature i;

	for (i = 0; i < SVM_FEATURES; i++)
		show_row(seq, i);
	show_sev_limits(seq);
	show_host(seq);
	show_speculation(seq);
	return 0;
}
