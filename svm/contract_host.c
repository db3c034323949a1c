// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker's rules 4, 5 and 6: the host (AMD64 manual, volume 2, "VMRUN
 * Instruction", "#VMEXIT", "VMSAVE and VMLOAD Instructions", "Global Interrupt Flag, STGI
 * and CLGI Instructions").
 */
#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mem_encrypt.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/special_insns.h>

#include "compat.h"
#include "contract.h"
#include "vm.h"

#define READ_SELECTOR(name, insn)			\
static u64 read_##name(void)				\
{							\
	u16 value;					\
							\
	asm volatile(insn " %0" : "=r" (value));	\
	return value;					\
}

READ_SELECTOR(cs, "mov %%cs,")
READ_SELECTOR(ds, "mov %%ds,")
READ_SELECTOR(es, "mov %%es,")
READ_SELECTOR(ss, "mov %%ss,")

#define READ_TABLE(name, insn)				\
static struct desc_ptr read_##name(void)		\
{							\
	struct desc_ptr table;				\
							\
	asm volatile(insn " %0" : "=m" (table));	\
	return table;					\
}							\
							\
static u64 read_##name##_base(void)			\
{							\
	return read_##name().address;			\
}							\
							\
static u64 read_##name##_limit(void)			\
{							\
	return read_##name().size;			\
}

READ_TABLE(gdtr, "sgdt")
READ_TABLE(idtr, "sidt")

static u64 item_cr0(void)
{
	return read_cr0();
}

static u64 item_cr3(void)
{
	return __read_cr3();
}

static u64 item_cr4(void)
{
	return __read_cr4();
}

static u64 item_cr8(void)
{
	u64 cr8;

	asm volatile("mov %%cr8, %0" : "=r" (cr8));
	return cr8;
}

/* Without the bus lock's bit, which means something while it is clear: zeroes clear it. */
static u64 item_dr6(void)
{
	unsigned long dr6;

	get_debugreg(dr6, 6);
	return dr6 & ~BIT(11);
}

/* Bit 10 reads as one whatever was written. */
static u64 item_dr7(void)
{
	unsigned long dr7;

	get_debugreg(dr7, 7);
	return dr7 & ~BIT(10);
}

static u64 item_xcr0(void)
{
	return boot_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(XCR_XFEATURE_ENABLED_MASK) : 0;
}

static u64 item_pkru(void)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE) ? rdpkru() : 0;
}

/**
 * struct host_item - a part of the host's state
 * @name: as the manual has it
 * @read: gives it; NULL for an MSR
 * @msr: which
 * @feature: what the MSR comes with; 0 if all processors with SVM have it
 * @ring_only: holds something of the guest's after a #VMEXIT, so that it is
 *	compared at the end of ring 2 only
 * @emulated: likewise under another hypervisor
 */
struct host_item {
	const char *name;
	u64 (*read)(void);
	u32 msr;
	unsigned int feature;
	bool ring_only;
	bool emulated;
};

/*
 * XCR0 is not what it was where a guest can change it: processors that are emulated may
 * have no XSETBV intercept. It, TSC_AUX and XSS hold something else in ring 2, but no
 * world switch changes that. What VMSAVE stores is in the other table.
 */
static const struct host_item items[] = {
	{ "CS", read_cs }, { "DS", read_ds }, { "ES", read_es },
	{ "SS", read_ss },
	{ "GDTR.base", read_gdtr_base }, { "GDTR.limit", read_gdtr_limit },
	{ "IDTR.base", read_idtr_base }, { "IDTR.limit", read_idtr_limit },
	{ "CR0", item_cr0 }, { "CR3", item_cr3 }, { "CR4", item_cr4 }, { "CR8", item_cr8 },
	{ "DR6", item_dr6, .ring_only = true }, { "DR7", item_dr7 },
	{ "PKRU", item_pkru },
	{ "XCR0", item_xcr0, .emulated = true },
	{ "EFER", .msr = MSR_EFER },
	{ "VM_HSAVE_PA", .msr = MSR_VM_HSAVE_PA },
	{ "PAT", .msr = MSR_IA32_CR_PAT, .feature = X86_FEATURE_PAT },
	{ "TSC_AUX", .msr = MSR_TSC_AUX, .feature = X86_FEATURE_RDTSCP },
	{ "XSS", .msr = MSR_IA32_XSS, .feature = X86_FEATURE_XSAVES },
	{ "SPEC_CTRL", .msr = MSR_IA32_SPEC_CTRL, .feature = X86_FEATURE_MSR_SPEC_CTRL },
	{ "DEBUGCTL", .msr = MSR_IA32_DEBUGCTLMSR, .feature = X86_FEATURE_LBRV },
};

static_assert(ARRAY_SIZE(items) <= CONTRACT_HOST_ITEMS);

/**
 * struct vmsave_word - eight bytes that VMSAVE stores
 * @name: of what they are
 * @offset: where in the page
 * @descriptor: they are a segment's selector, attributes and limit
 */
struct vmsave_word {
	const char *name;
	u16 offset;
	bool descriptor;
};

#define SEGMENT(name, field)								\
	{ name, offsetof(struct vmcb, save.field), .descriptor = true },		\
	{ name ".base", offsetof(struct vmcb, save.field.base) }
#define WORD(name, field)	{ name, offsetof(struct vmcb, save.field) }

/* No instruction but VMSAVE reads what is hidden of segment registers. */
static const struct vmsave_word vmsave_words[] = {
	SEGMENT("FS", fs), SEGMENT("GS", gs), SEGMENT("TR", tr), SEGMENT("LDTR", ldtr),
	WORD("KernelGSbase", kernel_gs_base),
	WORD("STAR", star), WORD("LSTAR", lstar), WORD("CSTAR", cstar),
	WORD("SFMASK", sfmask),
	WORD("SYSENTER_CS", sysenter_cs),
	WORD("SYSENTER_ESP", sysenter_esp), WORD("SYSENTER_EIP", sysenter_eip),
};

static_assert(ARRAY_SIZE(vmsave_words) == CONTRACT_VMSAVE_WORDS);

/* Of a segment's first word: limit, attributes, selector from the upper end on. */
#define WORD_PRESENT	((u64)VMCB_ATTRIB_P << 16)
#define WORD_SELECTOR	GENMASK_ULL(15, 0)

/* Of MSRs, whether the host's processors have them. */
static bool item_there[ARRAY_SIZE(items)] __ro_after_init;

/** contract_host_setup() - see which MSRs are there */
void contract_host_setup(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(items); i++)
		item_there[i] = !items[i].feature || boot_cpu_has(items[i].feature);
}

/* Is the processor itself another hypervisor's, which may not have all of SVM. */
static bool emulated(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR);
}

static u64 item_read(unsigned int i)
{
	if (!item_there[i])
		return 0;
	return items[i].read ? items[i].read() : ksvm_rdmsr(items[i].msr);
}

/* Into a page of the checker's: the module's own may be what is wrong. */
static bool host_vmsave(struct vcpu_svm *svm)
{
	return svm_vmsave(__sme_pa(svm->contract->vmsave_page));
}

static void host_vmload(struct vcpu_svm *svm)
{
	asm volatile("1:	vmload %0\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : : "a" (__sme_pa(svm->contract->vmsave_page)) : "memory");
}

static u64 vmsaved_word(struct vcpu_svm *svm, unsigned int i)
{
	u64 word;

	memcpy(&word, (const u8 *)svm->contract->vmsave_page + vmsave_words[i].offset,
	       sizeof(word));
	return word;
}

/**
 * contract_host_take() - note the host's state
 * @svm: the vCPU
 * @host: filled
 *
 * Context: interrupts off.
 */
void contract_host_take(struct vcpu_svm *svm, struct svm_contract_host *host)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(items); i++)
		host->items[i] = item_read(i);
	host->vmsave_done = host_vmsave(svm);
	for (i = 0; i < ARRAY_SIZE(vmsave_words); i++)
		host->vmsaved[i] = vmsaved_word(svm, i);
}

/*
 * Where a segment is not present, its limit and other attributes mean nothing to
 * anybody, and it is not said that a processor gives back what it was given.
 */
static bool check_vmsaved(struct vcpu_svm *svm, const struct svm_contract_host *before)
{
	unsigned int i;

	if (!before->vmsave_done || !host_vmsave(svm))
		return false;
	for (i = 0; i < ARRAY_SIZE(vmsave_words); i++) {
		u64 is = vmsaved_word(svm, i), was = before->vmsaved[i];
		u64 mask = ~0ull;

		if (vmsave_words[i].descriptor && !((is | was) & WORD_PRESENT))
			mask = WORD_SELECTOR;
		if (contract_expect(svm, 4, vmsave_words[i].name, is & mask, was & mask))
			return true;
	}
	return false;
}

static bool check_host(struct vcpu_svm *svm, const struct svm_contract_host *before, bool ring)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(items); i++) {
		if (!ring && (items[i].ring_only || (items[i].emulated && emulated())))
			continue;
		if (contract_expect(svm, 4, items[i].name, item_read(i), before->items[i]))
			return true;
	}
	return check_vmsaved(svm, before);
}

/**
 * contract_check_host_world() - rule 4, around the world switch
 * @svm: the vCPU, right after it
 *
 * Return: true for a breach.
 */
bool contract_check_host_world(struct vcpu_svm *svm)
{
	return check_host(svm, &svm->contract->world, false);
}

/**
 * contract_check_host_ring() - rule 4, around ring 2
 * @svm: the vCPU, at its end
 *
 * Return: true for a breach.
 */
bool contract_check_host_ring(struct vcpu_svm *svm)
{
	return check_host(svm, &svm->contract->ring, true);
}

/* Who holds a lock in ring 2 makes those wait that wait for ring 2 to be left. */
static bool holds_lock(struct vcpu_svm *svm)
{
#ifdef CONFIG_PROVE_LOCKING
	struct ksvm_mmu *mmu = &svm->vcpu.vm->mmu;

	return debug_locks && (lockdep_is_held(&mmu->lock) == LOCK_STATE_HELD ||
			       lockdep_is_held(&mmu->slots_lock) == LOCK_STATE_HELD ||
			       lockdep_is_held(&mmu->srcu) == LOCK_STATE_HELD);
#else
	return false;
#endif
}

static bool check_ring(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;

	if (!irqs_disabled())
		return contract_report(svm, 5, "interrupts are on in ring 2");
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && !preempt_count())
		return contract_report(svm, 5, "preemption is on in ring 2");
	if (in_nmi() || in_hardirq() || in_serving_softirq())
		return contract_report(svm, 5, "ring 2 in an interrupt: preempt_count is %#x",
				       preempt_count());
	if (holds_lock(svm))
		return contract_report(svm, 5, "a lock of the VM's memory is held in ring 2");
	return contract_expect(svm, 5, "the vCPU's ring", vcpu->ring, RING_INNER) ||
	       contract_expect(svm, 5, "inner_cpu", vcpu->inner_cpu, raw_smp_processor_id());
}

/* In an FPU section the kernel says that nobody else may begin one. */
static bool check_fpu_section(struct vcpu_svm *svm, bool expected)
{
	return contract_expect(svm, 6, expected ? "an FPU section of the kernel's in ring 2" :
			       "an FPU section of the kernel's after ring 2",
			       !irq_fpu_usable(), expected);
}

/* In ring 2 XCR0 is the guest's, and PKRU the host's, but for the guest itself. */
static bool check_fpu(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	const struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;

	if (check_fpu_section(svm, true) ||
	    contract_expect(svm, 6, "the guest's FPU state being loaded", fpu->loaded, true))
		return true;
	if (vcpu->contract.pkru_wrong)
		return contract_expect(svm, 6, "PKRU at an access to user memory",
				       vcpu->contract.pkru_seen, fpu->host_pkru);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE) &&
	    contract_expect(svm, 6, "PKRU in ring 2", rdpkru(), fpu->host_pkru))
		return true;
	if (!ksvm_supported_xcr0())
		return false;
	if ((vcpu->x86.cr4 & X86_CR4_OSXSAVE) &&
	    contract_expect(svm, 6, "XCR0 as loaded for the guest", fpu->loaded_xcr0, fpu->xcr0))
		return true;
	/* What the guest may have put there by itself is as the #VMEXIT left it. */
	if (emulated() && item_xcr0() == svm->contract->xcr0)
		return false;
	return contract_expect(svm, 6, "XCR0 in ring 2", item_xcr0(), fpu->loaded_xcr0);
}

/**
 * contract_check_context_before() - rules 5 and 6, before VMRUN
 * @svm: the vCPU
 *
 * Return: true for a breach.
 */
bool contract_check_context_before(struct vcpu_svm *svm)
{
	return check_ring(svm) || check_fpu(svm) ||
	       contract_expect(svm, 5, "what is wrong with the world switch's arguments",
			       svm->world.regs != svm->vcpu.x86.regs ||
			       svm->world.vmcb_pa != svm->vmcb_pa, 0);
}

/**
 * contract_check_context_after() - rules 5 and 6, after #VMEXIT
 * @svm: the vCPU
 *
 * With V_INTR_MASKING the IF at VMRUN is what makes interrupts end the guest. No
 * instruction reads GIF: that it is set is inferred from the path having led through
 * the STGI, which notes so behind it. Nothing is reported before it is set.
 *
 * Return: true for a breach.
 */
bool contract_check_context_after(struct vcpu_svm *svm)
{
	const struct ksvm_guest_fpu *fpu = &svm->vcpu.x86.fpu;
	struct svm_switch *world = &svm->world;
	bool broken;

	if (!world->contract_gif)
		asm volatile("stgi" : : : "memory");
	broken = check_ring(svm) ||
		 contract_expect(svm, 5, "GIF after the world switch", world->contract_gif, 1) ||
		 contract_expect(svm, 5, "RFLAGS.IF at VMRUN",
				 world->contract_rflags & X86_EFLAGS_IF, X86_EFLAGS_IF) ||
		 check_fpu_section(svm, true);
	if (!broken && cpu_feature_enabled(X86_FEATURE_OSPKE))
		broken = contract_expect(svm, 6, "PKRU in ring 2", rdpkru(), fpu->host_pkru);
	svm->contract->xcr0 = item_xcr0();
	world->contract_keep_gif = false;
	world->contract_keep_if = false;
	return broken;
}

/**
 * contract_check_context_ring() - rules 5 and 6, at the end of ring 2
 * @svm: the vCPU
 *
 * Return: true for a breach.
 */
bool contract_check_context_ring(struct vcpu_svm *svm)
{
	return check_ring(svm) || check_fpu_section(svm, false) ||
	       contract_expect(svm, 6, "the guest's FPU state being loaded",
			       svm->vcpu.x86.fpu.loaded, false);
}

/* A bit is flipped, and after the check flipped back. */
#define PLANT_FLIP(name)					\
static bool plant_##name(struct vcpu_svm *svm)			\
{								\
	flip_##name(svm);					\
	return true;						\
}

#define PLANT_MSR(name, msr, bit)				\
static void flip_##name(struct vcpu_svm *svm)			\
{								\
	ksvm_wrmsr(msr, ksvm_rdmsr(msr) ^ (bit));		\
}								\
								\
PLANT_FLIP(name)

#define PLANT_DR(number, bit)					\
static void flip_dr##number(struct vcpu_svm *svm)		\
{								\
	unsigned long value;					\
								\
	get_debugreg(value, number);				\
	set_debugreg(value ^ (bit), number);			\
}								\
								\
PLANT_FLIP(dr##number)

PLANT_MSR(star, MSR_STAR, BIT_ULL(40))
PLANT_MSR(lstar, MSR_LSTAR, BIT_ULL(4))
PLANT_MSR(sfmask, MSR_SYSCALL_MASK, BIT_ULL(0))
PLANT_MSR(fs_base, MSR_FS_BASE, BIT_ULL(4))
PLANT_MSR(kernel_gs_base, MSR_KERNEL_GS_BASE, BIT_ULL(4))
PLANT_MSR(sysenter_eip, MSR_IA32_SYSENTER_EIP, BIT_ULL(4))
PLANT_MSR(spec_ctrl, MSR_IA32_SPEC_CTRL, SPEC_CTRL_STIBP)
PLANT_MSR(tsc_aux, MSR_TSC_AUX, BIT_ULL(8))

static bool spec_ctrl_possible(void)
{
	return boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) && boot_cpu_has(X86_FEATURE_AMD_STIBP);
}

static bool tsc_aux_possible(void)
{
	return boot_cpu_has(X86_FEATURE_RDTSCP);
}

/* The cause of an earlier #DB, which the next one's handler would take for its own. */
PLANT_DR(6, BIT(0))
/* A bit of R/W0, the kind of breakpoint 0: none is armed in ring 2. */
PLANT_DR(7, BIT(16))

/* DS is not used in 64-bit mode. */
static void set_ds(u16 selector)
{
	asm volatile("mov %0, %%ds" : : "r" (selector) : "memory");
}

static bool plant_ds(struct vcpu_svm *svm)
{
	svm->contract->unplanted = read_ds();
	set_ds(__KERNEL_DS);
	return read_ds() != svm->contract->unplanted;
}

static void undo_ds(struct vcpu_svm *svm)
{
	set_ds(svm->contract->unplanted);
}

/*
 * What only VMSAVE shows: the base of an LDT. Linux has none but for processes that ask
 * for one, and till it is undone nobody loads a selector.
 */
static void flip_ldtr(struct vcpu_svm *svm)
{
	if (!host_vmsave(svm))
		return;
	svm->contract->vmsave_page->save.ldtr.base ^= PAGE_SIZE;
	host_vmload(svm);
}

PLANT_FLIP(ldtr)

static bool xcr0_possible(void)
{
	return ksvm_supported_xcr0() & XFEATURE_MASK_YMM;
}

static bool xcr0_watched(void)
{
	return xcr0_possible() && !emulated();
}

/* Both values are legal whatever else the processor has. */
static bool plant_xcr0(struct vcpu_svm *svm)
{
	u64 old = item_xcr0();

	svm->contract->unplanted = old;
	xsetbv(XCR_XFEATURE_ENABLED_MASK,
	       old == XFEATURE_MASK_FPSSE ? XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM :
					    XFEATURE_MASK_FPSSE);
	return true;
}

static void undo_xcr0(struct vcpu_svm *svm)
{
	xsetbv(XCR_XFEATURE_ENABLED_MASK, svm->contract->unplanted);
}

static bool pkru_possible(void)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE);
}

/* Key 15, which nobody has here. */
static void flip_pkru(struct vcpu_svm *svm)
{
	wrpkru(rdpkru() ^ BIT(31));
}

PLANT_FLIP(pkru)

static bool plant_user_pkru(struct vcpu_svm *svm)
{
	svm->vcpu.contract.pkru_plant = true;
	return true;
}

/* Softirqs stay off: newer kernels let them use the FPU without a question. */
static bool plant_irqs_on(struct vcpu_svm *svm)
{
	local_bh_disable();
	local_irq_enable();
	return true;
}

static void undo_irqs_on(struct vcpu_svm *svm)
{
	local_irq_disable();
	_local_bh_enable();
}

static bool preempt_count_possible(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_COUNT);
}

/* Interrupts stay off: nobody is preempted. */
static bool plant_preempt_on(struct vcpu_svm *svm)
{
	preempt_count_dec();
	return true;
}

static void undo_preempt_on(struct vcpu_svm *svm)
{
	preempt_count_inc();
}

static bool plant_ring(struct vcpu_svm *svm)
{
	svm->vcpu.ring = RING_OUTER;
	return true;
}

static void undo_ring(struct vcpu_svm *svm)
{
	svm->vcpu.ring = RING_INNER;
}

static bool plant_gif_clear(struct vcpu_svm *svm)
{
	svm->world.contract_keep_gif = true;
	return true;
}

static bool plant_if_clear(struct vcpu_svm *svm)
{
	svm->world.contract_keep_if = true;
	return true;
}

/*
 * The registers stay as they are, the guest's in ring 2, the host's after it: the
 * task's own state has been in memory since ring 2 began, so that kernel_fpu_begin()
 * saves nothing, and no interrupt gets in between that would use the FPU.
 */
static void begin_fpu_section(struct vcpu_svm *svm)
{
	kernel_fpu_begin_mask(0);
}

static void end_fpu_section(struct vcpu_svm *svm)
{
	kernel_fpu_end();
}

static bool plant_fpu_sections(struct vcpu_svm *svm)
{
	end_fpu_section(svm);
	return true;
}

static bool plant_fpu_sections_ring(struct vcpu_svm *svm)
{
	begin_fpu_section(svm);
	return true;
}

const struct contract_breach contract_host_breaches[] = {
	{ "host_star", 4, CONTRACT_AFTER, plant_star, flip_star },
	{ "host_lstar", 4, CONTRACT_AFTER, plant_lstar, flip_lstar },
	{ "host_sfmask", 4, CONTRACT_AFTER, plant_sfmask, flip_sfmask },
	{ "host_fs_base", 4, CONTRACT_AFTER, plant_fs_base, flip_fs_base },
	{ "host_kernel_gs_base", 4, CONTRACT_AFTER, plant_kernel_gs_base, flip_kernel_gs_base },
	{ "host_sysenter_eip", 4, CONTRACT_AFTER, plant_sysenter_eip, flip_sysenter_eip },
	{ "host_spec_ctrl", 4, CONTRACT_AFTER, plant_spec_ctrl, flip_spec_ctrl,
	  spec_ctrl_possible },
	{ "host_dr7", 4, CONTRACT_AFTER, plant_dr7, flip_dr7 },
	{ "host_ds", 4, CONTRACT_AFTER, plant_ds, undo_ds },
	{ "host_ldtr", 4, CONTRACT_AFTER, plant_ldtr, flip_ldtr },
	{ "world_xcr0", 4, CONTRACT_AFTER, plant_xcr0, undo_xcr0, xcr0_watched },
	{ "host_dr6", 4, CONTRACT_RING, plant_dr6, flip_dr6 },
	{ "host_tsc_aux", 4, CONTRACT_RING, plant_tsc_aux, flip_tsc_aux, tsc_aux_possible },
	{ "host_xcr0", 4, CONTRACT_RING, plant_xcr0, undo_xcr0, xcr0_possible },
	{ "host_pkru", 4, CONTRACT_RING, plant_pkru, flip_pkru, pkru_possible },
	{ "irqs_on", 5, CONTRACT_BEFORE, plant_irqs_on, undo_irqs_on },
	{ "preempt_on", 5, CONTRACT_RING, plant_preempt_on, undo_preempt_on,
	  preempt_count_possible },
	{ "ring", 5, CONTRACT_BEFORE, plant_ring, undo_ring },
	{ "gif_clear", 5, CONTRACT_BEFORE, plant_gif_clear },
	{ "if_clear", 5, CONTRACT_BEFORE, plant_if_clear },
	{ "fpu_sections", 6, CONTRACT_BEFORE, plant_fpu_sections, begin_fpu_section },
	{ "fpu_sections_ring", 6, CONTRACT_RING, plant_fpu_sections_ring, end_fpu_section },
	{ "fpu_xcr0", 6, CONTRACT_BEFORE, plant_xcr0, undo_xcr0, xcr0_possible },
	{ "user_pkru", 6, CONTRACT_BEFORE, plant_user_pkru, NULL, pkru_possible },
	{},
};
