// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM on one processor: whether it is there, switching it on and off, and the
 * two pages per processor that it needs.
 *
 * EFER.SVME tells who owns SVM: whoever finds it set keeps away. Two owners
 * would hand out the same ASIDs without flushing for each other.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/cc_platform.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/topology.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/mem_encrypt.h>
#include <asm/msr-index.h>
#include <asm/processor.h>

#include "compat.h"
#include "contract.h"
#include "internal.h"

#define CPUID_8000_0001_ECX_SVM		BIT(2)
#define CPUID_LEAF_SVM			0x8000000a

/* VM_CR */
#define VM_CR_LOCK			BIT_ULL(3)
#define VM_CR_SVMDIS			BIT_ULL(4)

/* A guest's TSC at the host's speed, as a fixed-point number. */
#define TSC_RATIO_ONE			BIT_ULL(32)

DEFINE_PER_CPU(struct svm_cpu, svm_cpu);

/* What this processor lacks for SVM, or NULL; asks CPUID itself, not the kernel's view. */
static const char *cpu_lacks(void)
{
	u8 vendor = boot_cpu_data.x86_vendor;

	if (vendor != X86_VENDOR_AMD && vendor != X86_VENDOR_HYGON)
		return "it is not from AMD or Hygon";
	if (cpuid_eax(0x80000000) < CPUID_LEAF_SVM)
		return "CPUID has no leaf 8000_000A";
	if (!(cpuid_ecx(0x80000001) & CPUID_8000_0001_ECX_SVM))
		return "CPUID 8000_0001.ECX.SVM is clear";
	return NULL;
}

/**
 * svm_cpu_has_support() - does the processor have SVM, for us
 *
 * Says in one line of the log what is missing.
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int svm_cpu_has_support(void)
{
	const char *lacks = cpu_lacks();

	if (lacks) {
		pr_err("no SVM on this processor (%s): %s\n", boot_cpu_data.x86_vendor_id, lacks);
		return -EOPNOTSUPP;
	}
	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)) {
		pr_err("no SVM in an encrypted guest (SEV)\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * svm_disabled_by_bios() - did firmware switch SVM off
 *
 * Says so in one line of the log. Nobody but firmware should clear SVMDIS,
 * locked or not: where it is not locked, its setup has a switch for it.
 */
bool svm_disabled_by_bios(void)
{
	u64 vm_cr;

	/* A hypervisor below may offer SVM without this MSR. */
	if (ksvm_rdmsr_safe(MSR_VM_CR, &vm_cr) || !(vm_cr & VM_CR_SVMDIS))
		return false;
	if (vm_cr & VM_CR_LOCK)
		pr_err("SVM is switched off by firmware (VM_CR.SVMDIS) and locked until reset\n");
	else
		pr_err("SVM is switched off by firmware (VM_CR.SVMDIS), not locked: see its setup\n");
	return true;
}

static bool svm_owned_by_other(void)
{
	return (ksvm_rdmsr(MSR_EFER) & EFER_SVME) && !this_cpu_read(svm_cpu.enabled);
}

/**
 * svm_check_processor_compatibility() - is this processor like the one at setup
 *
 * Context: on the processor, interrupts off.
 *
 * Return: 0, -EIO where it lacks SVM or a feature in use, -EBUSY where
 * somebody else has SVM.
 */
int svm_check_processor_compatibility(void)
{
	if (cpu_lacks() || svm_features_check_cpu())
		return -EIO;
	return svm_owned_by_other() ? -EBUSY : 0;
}

/**
 * svm_hardware_enable() - switch SVM on, on this processor
 *
 * Context: interrupts off.
 *
 * Return: 0, or -EBUSY where somebody else has it.
 */
int svm_hardware_enable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);

	if (svm_owned_by_other())
		return -EBUSY;

	ksvm_wrmsr(MSR_EFER, ksvm_rdmsr(MSR_EFER) | EFER_SVME);
	ksvm_wrmsr(MSR_VM_HSAVE_PA, cpu->host_save_pa);
	if (boot_cpu_has(X86_FEATURE_TSCRATEMSR))
		ksvm_wrmsr(MSR_AMD64_TSC_RATIO, TSC_RATIO_ONE);

	/*
	 * The TLB may hold anybody's translations under any ASID: no ASID of
	 * an earlier generation is good, and the first one handed out flushes.
	 */
	cpu->generation++;
	cpu->next_asid = svm_nr_asids();
	cpu->last_vmcb_pa = 0;
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		cpu->host_tsc_aux = ksvm_rdmsr(MSR_TSC_AUX);
	ksvm_predictor_guard(true);
	cpu->enabled = true;
	svm_contract_cpu_enabled();
	return 0;
}

/**
 * svm_hardware_disable() - switch SVM off, on this processor
 *
 * Context: interrupts off; also called where a crash left GIF clear, and where
 * the kernel took SVME away already. Harmless if SVM was not switched on here.
 */
void svm_hardware_disable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(&svm_cpu);

	if (!cpu->enabled)
		return;
	cpu->enabled = false;

	/* Without SVME, STGI is #UD, and GIF is set already. */
	asm volatile("1:	stgi\n2:\n" _ASM_EXTABLE(1b, 2b) : : : "memory");
	ksvm_wrmsr(MSR_VM_HSAVE_PA, 0);
	ksvm_wrmsr(MSR_EFER, ksvm_rdmsr(MSR_EFER) & ~EFER_SVME);
	ksvm_predictor_guard(false);
}

/**
 * svm_page_create() - a zeroed page for the processor's own use
 * @node: NUMA node or NUMA_NO_NODE
 * @gfp: how to allocate
 *
 * While the processor uses a page, hosts with SEV-SNP have it marked so; a
 * write to another page that is mapped large together with it then faults if
 * the page is the first of the 2 MiB. Such a page is never taken: of two
 * neighbours at most one is.
 *
 * Return: the page, which free_page() frees, or NULL.
 */
void *svm_page_create(int node, gfp_t gfp)
{
	struct page *pages = alloc_pages_node(node, gfp | __GFP_ZERO, 1);
	unsigned int taken;

	if (!pages)
		return NULL;
	split_page(pages, 1);
	taken = IS_ALIGNED(page_to_pfn(pages), PTRS_PER_PMD) ? 1 : 0;
	__free_page(pages + !taken);
	return page_address(pages + taken);
}

static u64 page_pa_create(int cpu)
{
	void *page = svm_page_create(cpu_to_node(cpu), GFP_KERNEL);

	return page ? __sme_pa(page) : 0;
}

static void page_pa_destroy(u64 pa)
{
	if (pa)
		free_page((unsigned long)__va(__sme_clr(pa)));
}

/**
 * svm_cpus_create() - allocate what each processor needs
 *
 * For all processors that may ever come online, so that hotplug cannot fail
 * for lack of memory.
 *
 * Return: 0 or -ENOMEM.
 */
int svm_cpus_create(void)
{
	int i;

	for_each_possible_cpu(i) {
		struct svm_cpu *cpu = per_cpu_ptr(&svm_cpu, i);

		cpu->host_save_pa = page_pa_create(i);
		cpu->host_vmsave_pa = page_pa_create(i);
		if (!cpu->host_save_pa || !cpu->host_vmsave_pa) {
			svm_cpus_destroy();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * svm_cpus_destroy() - undo svm_cpus_create(); SVM is off everywhere
 */
void svm_cpus_destroy(void)
{
	int i;

	for_each_possible_cpu(i) {
		struct svm_cpu *cpu = per_cpu_ptr(&svm_cpu, i);

		page_pa_destroy(cpu->host_save_pa);
		page_pa_destroy(cpu->host_vmsave_pa);
		cpu->host_save_pa = 0;
		cpu->host_vmsave_pa = 0;
	}
}
