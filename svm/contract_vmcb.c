// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker's rules 1 and 3: the VMCB (AMD64 manual, volume 2,
 * "VMCB State Caching", "VMCB Clean Field", "Canonicalization and Consistency
 * Checks").
 */
#include <linux/kernel.h>
#include <linux/mem_encrypt.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "contract.h"
#include "vm.h"

#define IOPM_BYTES		0x3000
#define MSRPM_BYTES		0x2000

/**
 * struct group_field - a field that the processor may take from its cache
 * @group: while this clean bit is set
 * @offset: where in the VMCB
 * @bytes: how long
 * @name: of the field, or of the first where there are several
 */
struct group_field {
	enum vmcb_clean group;
	u16 offset;
	u16 bytes;
	const char *name;
};

#define FIELD(group, area, field) \
	{ VMCB_CLEAN_##group, offsetof(struct vmcb, area.field), \
	  sizeof_field(struct vmcb, area.field), #area "." #field }

/*
 * The manual's list. What it does not name is read at each VMRUN: NP_ENABLE,
 * EVENTINJ, the interrupt shadow, RIP, RSP, RAX, RFLAGS, and all that VMLOAD loads.
 */
static const struct group_field group_fields[] = {
	FIELD(INTERCEPTS, control, intercept_cr),
	FIELD(INTERCEPTS, control, intercept_dr),
	FIELD(INTERCEPTS, control, intercept_exception),
	FIELD(INTERCEPTS, control, intercept_misc1),
	FIELD(INTERCEPTS, control, intercept_misc2),
	FIELD(INTERCEPTS, control, intercept_misc3),
	FIELD(INTERCEPTS, control, pause_filter_threshold),
	FIELD(INTERCEPTS, control, pause_filter_count),
	FIELD(INTERCEPTS, control, tsc_offset),
	FIELD(PERM_MAP, control, iopm_base_pa),
	FIELD(PERM_MAP, control, msrpm_base_pa),
	FIELD(ASID, control, asid),
	FIELD(INTR, control, int_ctl),
	FIELD(NPT, control, nested_cr3),
	FIELD(NPT, save, g_pat),
	FIELD(CR, save, cr0),
	FIELD(CR, save, cr3),
	FIELD(CR, save, cr4),
	FIELD(CR, save, efer),
	FIELD(DR, save, dr6),
	FIELD(DR, save, dr7),
	FIELD(DT, save, gdtr.limit),
	FIELD(DT, save, gdtr.base),
	FIELD(DT, save, idtr.limit),
	FIELD(DT, save, idtr.base),
	FIELD(SEG, save, cs),
	FIELD(SEG, save, ds),
	FIELD(SEG, save, ss),
	FIELD(SEG, save, es),
	FIELD(SEG, save, cpl),
	FIELD(CR2, save, cr2),
	FIELD(LBR, save, dbgctl),
	FIELD(LBR, save, br_from),
	FIELD(LBR, save, br_to),
	FIELD(LBR, save, last_excp_from),
	FIELD(LBR, save, last_excp_to),
	FIELD(AVIC, control, avic_apic_bar),
	FIELD(AVIC, control, avic_backing_page),
	FIELD(AVIC, control, avic_logical_table),
	FIELD(AVIC, control, avic_physical_table),
	FIELD(CET, save, s_cet),
	FIELD(CET, save, ssp),
	FIELD(CET, save, isst_addr),
};

#define RESERVED(area, field) \
	{ .offset = offsetof(struct vmcb, area.field), \
	  .bytes = sizeof_field(struct vmcb, area.field), .name = #area "." #field }

/* Reserved, or of use to nobody here: they stay as they are. */
static const struct group_field reserved_fields[] = {
	RESERVED(control, reserved_018),
	RESERVED(control, reserved_05d),
	RESERVED(control, reserved_0c4),
	RESERVED(control, reserved_0e8),
	RESERVED(control, reserved_100),
	RESERVED(control, reserved_110),
	RESERVED(save, reserved_0a0),
	RESERVED(save, reserved_0cc),
	RESERVED(save, reserved_0d8),
	RESERVED(save, reserved_180),
	RESERVED(save, s_cet),
	RESERVED(save, ssp),
	RESERVED(save, isst_addr),
	RESERVED(save, reserved_248),
	RESERVED(save, reserved_298),
	RESERVED(save, reserved_2e8),
};

/* The first eight bytes of a field, or all of a shorter one. */
static u64 field_value(const struct vmcb *vmcb, const struct group_field *field)
{
	u64 value = 0;

	memcpy(&value, (const u8 *)vmcb + field->offset, min_t(size_t, field->bytes, 8));
	return value;
}

static bool field_same(const struct vmcb *a, const struct vmcb *b,
		       const struct group_field *field)
{
	return !memcmp((const u8 *)a + field->offset, (const u8 *)b + field->offset,
		       field->bytes);
}

/**
 * contract_shadow_take() - keep the VMCB as the processor has left it
 * @svm: the vCPU, right after a #VMEXIT
 */
void contract_shadow_take(struct vcpu_svm *svm)
{
	svm->contract->shadow = *svm->vmcb;
	svm->contract->shadow_valid = true;
}

/**
 * contract_check_clean() - rule 1
 * @svm: the vCPU, right before VMRUN
 *
 * A processor may still have what another VMCB at the same address held, or this
 * one before it ran elsewhere: until it has run here, no bit may be set.
 *
 * Return: true for a breach.
 */
bool contract_check_clean(struct vcpu_svm *svm)
{
	const struct svm_contract *contract = svm->contract;
	const struct vmcb *vmcb = svm->vmcb;
	u32 clean = vmcb->control.clean;
	unsigned int i;

	if (!contract->shadow_valid)
		return contract_expect(svm, 1, "the clean field of a VMCB that is new here",
				       clean, 0);
	for (i = 0; i < ARRAY_SIZE(group_fields); i++) {
		const struct group_field *field = &group_fields[i];

		if (!(clean & BIT(field->group)) ||
		    field_same(vmcb, &contract->shadow, field))
			continue;
		return contract_report(svm, 1, "%s is %#llx, clean bit %d says it is %#llx",
				       field->name, field_value(vmcb, field), field->group,
				       field_value(&contract->shadow, field));
	}
	return false;
}

/* CR4 bits that the processor itself has, whatever the kernel makes of them. */
static u64 cr4_of_processor(void)
{
	static const struct {
		u64 bit;
		u8 ecx;		/* CPUID 7: a bit of ECX, else of EBX */
		u8 number;
	} rows[] = {
		{ X86_CR4_UMIP, 1, 2 }, { X86_CR4_LA57, 1, 16 }, { X86_CR4_PKE, 1, 3 },
		{ X86_CR4_FSGSBASE, 0, 0 }, { X86_CR4_SMEP, 0, 7 }, { X86_CR4_SMAP, 0, 20 },
	};
	static u64 bits;
	u32 eax, ebx = 0, ecx = 0, edx;
	unsigned int i;

	/* The same on all processors: whoever comes second computes the same. */
	if (READ_ONCE(bits))
		return bits;
	if (boot_cpu_data.cpuid_level >= 7)
		cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
	eax = 0;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if ((rows[i].ecx ? ecx : ebx) & BIT(rows[i].number))
			eax |= rows[i].bit;
	}
	ecx = cpuid_ecx(1);
	if (ecx & BIT(26))
		eax |= X86_CR4_OSXSAVE;
	if (ecx & BIT(17))
		eax |= X86_CR4_PCIDE;
	/* All below bit 11 are older than SVM. */
	WRITE_ONCE(bits, eax | GENMASK(10, 0));
	return bits;
}

/* All bits of the words before mean something to some processor. */
#define MISC3_ALLOWED	GENMASK(6, 0)
#define EFER_ALLOWED	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_SVME | EFER_FFXSR)
#define INT_CTL_ALLOWED	(VMCB_V_TPR | VMCB_V_IRQ | VMCB_V_GIF | VMCB_V_INTR_PRIO | \
			 VMCB_V_IGN_TPR | VMCB_V_INTR_MASKING | VMCB_V_GIF_ENABLE | \
			 VMCB_V_INTR_VECTOR)
#define EVENT_ALLOWED	(VMCB_EVENT_VECTOR | VMCB_EVENT_TYPE | VMCB_EVENT_ERROR_CODE_VALID | \
			 VMCB_EVENT_VALID | GENMASK_ULL(63, 32))

/**
 * struct bit_rule - bits of a register that have to be as they are said to be
 * @name: the register and what is wrong with it
 * @bits: the bits that are wrong, of the value looked at
 */
struct bit_rule {
	const char *name;
	u64 bits;
};

static bool check_bits(struct vcpu_svm *svm, const struct bit_rule *rules, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (contract_expect(svm, 3, rules[i].name, rules[i].bits, 0))
			return true;
	}
	return false;
}

/* The modes that VMRUN refuses, all of long mode's making. */
static bool check_mode(struct vcpu_svm *svm)
{
	const struct vmcb_save *save = &svm->vmcb->save;
	bool l = save->cs.attrib & VMCB_ATTRIB_L, db = save->cs.attrib & VMCB_ATTRIB_DB;

	if (!(save->efer & EFER_LME) || !(save->cr0 & X86_CR0_PG))
		return false;
	if (!(save->cr4 & X86_CR4_PAE))
		return contract_report(svm, 3, "EFER.LME and CR0.PG without CR4.PAE");
	if (!(save->cr0 & X86_CR0_PE))
		return contract_report(svm, 3, "EFER.LME and CR0.PG without CR0.PE");
	if (l && db)
		return contract_report(svm, 3, "CS.L and CS.D in long mode");
	return false;
}

/*
 * Reserved bits of segments' attributes: those that this module has set. Whether
 * processors store zeroes there is not said.
 */
static bool check_segments(struct vcpu_svm *svm)
{
	static const struct group_field segments[] = {
		FIELD(SEG, save, es.attrib), FIELD(SEG, save, cs.attrib),
		FIELD(SEG, save, ss.attrib), FIELD(SEG, save, ds.attrib),
		FIELD(SEG, save, fs.attrib), FIELD(SEG, save, gs.attrib),
		FIELD(SEG, save, ldtr.attrib), FIELD(SEG, save, tr.attrib),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		u64 attrib = field_value(svm->vmcb, &segments[i]);
		u64 was = field_value(&svm->contract->shadow, &segments[i]);

		if (attrib & ~was & GENMASK(15, 12))
			return contract_report(svm, 3, "%s is %#llx, with reserved bits",
					       segments[i].name, attrib);
	}
	return false;
}

/*
 * Not here, because user space may bring it about, and VMRUN is there to refuse it,
 * KVM_EXIT_FAIL_ENTRY: address bits of CR3 that the guest's CPUID has and the
 * processor has not, as far as some have them. Nor what VMRUN takes as it comes: the
 * bases of segments, which it and VMLOAD make canonical, RIP, RFLAGS, DEBUGCTL and the
 * lower halves of DR6 and DR7.
 */
static bool check_save(struct vcpu_svm *svm)
{
	const struct vmcb_save *save = &svm->vmcb->save;
	u64 pat = save->g_pat;
	const struct bit_rule rules[] = {
		{ "what save.efer lacks of SVME", ~save->efer & EFER_SVME },
		{ "reserved bits of save.efer", save->efer & ~(u64)EFER_ALLOWED },
		{ "CR0.NW without CD", !(save->cr0 & X86_CR0_CD) ? save->cr0 & X86_CR0_NW : 0 },
		{ "the upper half of save.cr0", save->cr0 & GENMASK_ULL(63, 32) },
		{ "reserved bits of save.cr4", save->cr4 & ~cr4_of_processor() },
		{ "bits 63-52 of save.cr3", save->cr3 & GENMASK_ULL(63, 52) },
		{ "the upper half of save.dr6", save->dr6 & GENMASK_ULL(63, 32) },
		{ "the upper half of save.dr7", save->dr7 & GENMASK_ULL(63, 32) },
		{ "reserved bits of save.g_pat", pat & 0xf8f8f8f8f8f8f8f8ull },
		/* Types 2 and 3: bit 1 needs bit 2. */
		{ "reserved types in save.g_pat",
		  pat & 0x0202020202020202ull & ~((pat & 0x0404040404040404ull) >> 1) },
	};

	return check_bits(svm, rules, ARRAY_SIZE(rules)) || check_mode(svm) || check_segments(svm);
}

/* Aligned, and up to its last byte where there can be memory. */
static bool check_address(struct vcpu_svm *svm, const char *name, u64 pa, u64 bytes)
{
	u64 address = __sme_clr(pa);

	if (!IS_ALIGNED(address, PAGE_SIZE) ||
	    (address + bytes - 1) >> boot_cpu_data.x86_phys_bits)
		return contract_report(svm, 3, "%s is %#llx: not an aligned address of %d bits",
				       name, pa, boot_cpu_data.x86_phys_bits);
	return false;
}

static bool check_event(struct vcpu_svm *svm)
{
	u64 event = svm->vmcb->control.event_inj;
	u64 vector = event & VMCB_EVENT_VECTOR;

	if (!(event & VMCB_EVENT_VALID))
		return false;
	switch (event & VMCB_EVENT_TYPE) {
	case VMCB_EVENT_TYPE_INTR:
	case VMCB_EVENT_TYPE_NMI:
	case VMCB_EVENT_TYPE_SOFT:
		break;
	case VMCB_EVENT_TYPE_EXCEPTION:
		if (vector > 31 || vector == X86_TRAP_NMI)
			return contract_report(svm, 3, "EVENTINJ is %#llx: no such exception",
					       event);
		break;
	default:
		return contract_report(svm, 3, "EVENTINJ is %#llx: no such type", event);
	}
	return contract_expect(svm, 3, "reserved bits of EVENTINJ", event & ~EVENT_ALLOWED, 0);
}

static bool check_control(struct vcpu_svm *svm)
{
	const struct vmcb_control *control = &svm->vmcb->control;
	const struct bit_rule rules[] = {
		{ "what the intercepts lack of VMRUN",
		  ~control->intercept_misc2 & INTERCEPT_VMRUN },
		{ "reserved bits of intercept_misc3", control->intercept_misc3 & ~MISC3_ALLOWED },
		{ "reserved bits of clean", control->clean & ~VMCB_CLEAN_ALL },
		{ "reserved bits of int_ctl", control->int_ctl & ~INT_CTL_ALLOWED },
		{ "V_GIF_ENABLE without the feature", svm_has(SVM_FEATURE_VGIF) ? 0 :
		  control->int_ctl & VMCB_V_GIF_ENABLE },
		{ "reserved bits of int_state", control->int_state &
		  ~(VMCB_INT_SHADOW | VMCB_GUEST_INTERRUPT_MASK) },
		{ "what nested_ctl has but or lacks of NP_ENABLE",
		  control->nested_ctl ^ VMCB_NP_ENABLE },
		{ "virt_ext without the feature", control->virt_ext &
		  ~(svm_has(SVM_FEATURE_LBR_VIRT) ? VMCB_LBR_VIRT_ENABLE : 0ull) },
		{ "a field of encrypted guests", control->ghcb_gpa | control->vmsa_pa },
	};

	return check_bits(svm, rules, ARRAY_SIZE(rules)) ||
	       check_address(svm, "iopm_base_pa", control->iopm_base_pa, IOPM_BYTES) ||
	       check_address(svm, "msrpm_base_pa", control->msrpm_base_pa, MSRPM_BYTES) ||
	       check_address(svm, "nested_cr3", control->nested_cr3, PAGE_SIZE) ||
	       check_address(svm, "the VMCB's address", svm->world.vmcb_pa, PAGE_SIZE) ||
	       check_event(svm);
}

/*
 * Reserved fields are zero, or hold what the processor has put there: newer ones
 * know fields that this module does not. The shadow began with zeroes.
 */
static bool check_reserved(struct vcpu_svm *svm)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reserved_fields); i++) {
		if (!field_same(svm->vmcb, &svm->contract->shadow, &reserved_fields[i]))
			return contract_report(svm, 3, "%s was written",
					       reserved_fields[i].name);
	}
	return false;
}

/**
 * contract_check_consistency() - rule 3
 * @svm: the vCPU, right before VMRUN
 *
 * Return: true for a breach.
 */
bool contract_check_consistency(struct vcpu_svm *svm)
{
	return check_control(svm) || check_save(svm) || check_reserved(svm);
}

/* Change the first field of a group and let its clean bit stand. */
static bool plant_stale(struct vcpu_svm *svm, enum vmcb_clean group)
{
	unsigned int i;

	if (!svm->contract->shadow_valid || !(svm->vmcb->control.clean & BIT(group)))
		return false;
	for (i = 0; i < ARRAY_SIZE(group_fields); i++) {
		if (group_fields[i].group != group)
			continue;
		((u8 *)svm->vmcb)[group_fields[i].offset] ^= 0x10;
		return true;
	}
	return false;
}

#define PLANT_STALE(name, group)				\
static bool plant_stale_##name(struct vcpu_svm *svm)		\
{								\
	return plant_stale(svm, VMCB_CLEAN_##group);		\
}

PLANT_STALE(intercepts, INTERCEPTS)
PLANT_STALE(perm_map, PERM_MAP)
PLANT_STALE(asid, ASID)
PLANT_STALE(intr, INTR)
PLANT_STALE(npt, NPT)
PLANT_STALE(cr, CR)
PLANT_STALE(dr, DR)
PLANT_STALE(dt, DT)
PLANT_STALE(seg, SEG)
PLANT_STALE(cr2, CR2)
PLANT_STALE(lbr, LBR)

/* Not for the first VMRUN here, where none may be set. */
static bool plant_clean_reserved(struct vcpu_svm *svm)
{
	if (!svm->contract->shadow_valid)
		return false;
	svm->vmcb->control.clean |= BIT(13);
	return true;
}

static bool plant_clean_new(struct vcpu_svm *svm)
{
	if (svm->contract->shadow_valid)
		return false;
	svm->vmcb->control.clean = VMCB_CLEAN_ALL;
	return true;
}

/* As if SVM had been off on this processor since the last VMRUN, and nobody cared. */
static bool plant_clean_reenabled(struct vcpu_svm *svm)
{
	if (!svm->contract->shadow_valid || !svm->vmcb->control.clean)
		return false;
	svm->contract->enabled--;
	return true;
}

/* Write a field properly, but with what does not belong there. */
#define PLANT_VALUE(name, field, value)				\
static bool plant_##name(struct vcpu_svm *svm)			\
{								\
	struct vmcb *vmcb = svm->vmcb;				\
								\
	vmcb->control.clean = 0;				\
	vmcb->field = (value);					\
	return true;						\
}

PLANT_VALUE(efer_svme, save.efer, vmcb->save.efer & ~(u64)EFER_SVME)
PLANT_VALUE(efer_reserved, save.efer, vmcb->save.efer | BIT_ULL(9))
PLANT_VALUE(cr0_nw, save.cr0, vmcb->save.cr0 | X86_CR0_NW)
PLANT_VALUE(cr0_high, save.cr0, vmcb->save.cr0 | BIT_ULL(40))
PLANT_VALUE(cr4_reserved, save.cr4, vmcb->save.cr4 | BIT_ULL(31))
PLANT_VALUE(cr3_high, save.cr3, vmcb->save.cr3 | BIT_ULL(52))
PLANT_VALUE(dr6_high, save.dr6, vmcb->save.dr6 | BIT_ULL(32))
PLANT_VALUE(dr7_high, save.dr7, vmcb->save.dr7 | BIT_ULL(32))
PLANT_VALUE(g_pat, save.g_pat, 0x0007040600070402ull)
PLANT_VALUE(cs_l_d, save.cs.attrib, vmcb->save.cs.attrib | VMCB_ATTRIB_L | VMCB_ATTRIB_DB)
PLANT_VALUE(seg_attrib, save.ds.attrib, vmcb->save.ds.attrib | BIT(15))
PLANT_VALUE(misc3, control.intercept_misc3, vmcb->control.intercept_misc3 | BIT(7))
PLANT_VALUE(vmrun_intercept, control.intercept_misc2,
	    vmcb->control.intercept_misc2 & ~INTERCEPT_VMRUN)
PLANT_VALUE(int_ctl, control.int_ctl, vmcb->control.int_ctl | BIT_ULL(63))
PLANT_VALUE(iopm, control.iopm_base_pa, vmcb->control.iopm_base_pa + 8)
PLANT_VALUE(msrpm, control.msrpm_base_pa, BIT_ULL(boot_cpu_data.x86_phys_bits) - PAGE_SIZE)
PLANT_VALUE(nested_cr3, control.nested_cr3, BIT_ULL(52))
PLANT_VALUE(event_type, control.event_inj, VMCB_EVENT_VALID | (1ull << 8))
PLANT_VALUE(event_vector, control.event_inj, VMCB_EVENT_VALID | VMCB_EVENT_TYPE_EXCEPTION | 32)
PLANT_VALUE(event_reserved, control.event_inj,
	    VMCB_EVENT_VALID | VMCB_EVENT_TYPE_NMI | X86_TRAP_NMI | BIT_ULL(12))
PLANT_VALUE(reserved, save.reserved_248[0], vmcb->save.reserved_248[0] + 1)
PLANT_VALUE(shadow_stack, save.ssp, vmcb->save.ssp + 8)

const struct contract_breach contract_vmcb_breaches[] = {
	{ "clean_intercepts", 1, CONTRACT_BEFORE, plant_stale_intercepts },
	{ "clean_perm_map", 1, CONTRACT_BEFORE, plant_stale_perm_map },
	{ "clean_asid", 1, CONTRACT_BEFORE, plant_stale_asid },
	{ "clean_intr", 1, CONTRACT_BEFORE, plant_stale_intr },
	{ "clean_npt", 1, CONTRACT_BEFORE, plant_stale_npt },
	{ "clean_cr", 1, CONTRACT_BEFORE, plant_stale_cr },
	{ "clean_dr", 1, CONTRACT_BEFORE, plant_stale_dr },
	{ "clean_dt", 1, CONTRACT_BEFORE, plant_stale_dt },
	{ "clean_seg", 1, CONTRACT_BEFORE, plant_stale_seg },
	{ "clean_cr2", 1, CONTRACT_BEFORE, plant_stale_cr2 },
	{ "clean_lbr", 1, CONTRACT_BEFORE, plant_stale_lbr },
	{ "clean_new", 1, CONTRACT_BEFORE, plant_clean_new },
	{ "clean_reenabled", 1, CONTRACT_BEFORE, plant_clean_reenabled },
	{ "efer_svme", 3, CONTRACT_BEFORE, plant_efer_svme },
	{ "efer_reserved", 3, CONTRACT_BEFORE, plant_efer_reserved },
	{ "cr0_nw", 3, CONTRACT_BEFORE, plant_cr0_nw },
	{ "cr0_high", 3, CONTRACT_BEFORE, plant_cr0_high },
	{ "cr4_reserved", 3, CONTRACT_BEFORE, plant_cr4_reserved },
	{ "cr3_high", 3, CONTRACT_BEFORE, plant_cr3_high },
	{ "dr6_high", 3, CONTRACT_BEFORE, plant_dr6_high },
	{ "dr7_high", 3, CONTRACT_BEFORE, plant_dr7_high },
	{ "g_pat", 3, CONTRACT_BEFORE, plant_g_pat },
	{ "cs_l_d", 3, CONTRACT_BEFORE, plant_cs_l_d },
	{ "seg_attrib", 3, CONTRACT_BEFORE, plant_seg_attrib },
	{ "misc3", 3, CONTRACT_BEFORE, plant_misc3 },
	{ "clean_reserved", 3, CONTRACT_BEFORE, plant_clean_reserved },
	{ "vmrun_intercept", 3, CONTRACT_BEFORE, plant_vmrun_intercept },
	{ "int_ctl", 3, CONTRACT_BEFORE, plant_int_ctl },
	{ "iopm", 3, CONTRACT_BEFORE, plant_iopm },
	{ "msrpm", 3, CONTRACT_BEFORE, plant_msrpm },
	{ "nested_cr3", 3, CONTRACT_BEFORE, plant_nested_cr3 },
	{ "event_type", 3, CONTRACT_BEFORE, plant_event_type },
	{ "event_vector", 3, CONTRACT_BEFORE, plant_event_vector },
	{ "event_reserved", 3, CONTRACT_BEFORE, plant_event_reserved },
	{ "reserved", 3, CONTRACT_BEFORE, plant_reserved },
	{ "shadow_stack", 3, CONTRACT_BEFORE, plant_shadow_stack },
	{},
};
