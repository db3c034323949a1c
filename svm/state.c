// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that the VMCB holds. Values were checked against the guest's
 * processor before they arrive here; this is about what SVM makes of them.
 */
#include <linux/percpu.h>
#include <linux/processor.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include "guest.h"
#include "internal.h"

/* The guest changes these in CR0 without an exit: see svm_cr0_collect(). */
static_assert(SVM_CR0_UNWATCHED == (X86_CR0_TS | X86_CR0_MP));

#define SEGMENT_LIMIT_BYTES_MAX		0xfffff

static struct vmcb_segment *segment_of(struct vmcb_save *save, enum emulate_seg seg)
{
	switch (seg) {
	case EMULATE_ES:
		return &save->es;
	case EMULATE_CS:
		return &save->cs;
	case EMULATE_SS:
		return &save->ss;
	case EMULATE_DS:
		return &save->ds;
	case EMULATE_FS:
		return &save->fs;
	case EMULATE_GS:
		return &save->gs;
	case EMULATE_LDTR:
		return &save->ldtr;
	case EMULATE_TR:
		break;
	}
	return &save->tr;
}

/*
 * What a processor stores in the attributes at #VMEXIT is not always what a
 * descriptor would say; give user space and the emulator the latter.
 */
static u16 attributes_from_vmcb(struct vcpu_svm *svm, enum emulate_seg seg,
				const struct vmcb_segment *from)
{
	u16 attributes = from->attrib;

	/* G is not kept for each register; the limit is in bytes anyhow. */
	attributes &= ~EMULATE_SEG_G;
	if (from->limit > SEGMENT_LIMIT_BYTES_MAX)
		attributes |= EMULATE_SEG_G;

	switch (seg) {
	case EMULATE_TR:
		/* A loaded task is busy. */
		attributes |= EMULATE_SEG_WRITABLE;
		break;
	case EMULATE_SS:
		/* A null SS may keep stale bits; its DPL is the CPL, always. */
		if (!(attributes & EMULATE_SEG_P))
			attributes &= ~EMULATE_SEG_DB;
		attributes &= ~EMULATE_SEG_DPL;
		attributes |= svm_get_cpl(&svm->vcpu) << EMULATE_SEG_DPL_SHIFT;
		break;
	case EMULATE_LDTR:
		break;
	default:
		/* Loading sets the accessed bit, in the descriptor cache at least. */
		if (attributes & EMULATE_SEG_P)
			attributes |= EMULATE_SEG_ACCESSED;
		break;
	}
	return attributes;
}

/**
 * svm_get_segment() - read a segment register with its hidden part
 * @vcpu: the vCPU, by its own thread
 * @seg: which
 * @segment: filled
 */
void svm_get_segment(struct ksvm_vcpu *vcpu, enum emulate_seg seg,
		     struct emulate_segment *segment)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	const struct vmcb_segment *from = segment_of(&svm->vmcb->save, seg);

	segment->base = from->base;
	segment->limit = from->limit;
	segment->selector = from->selector;
	segment->attributes = attributes_from_vmcb(svm, seg, from);
}

/**
 * svm_set_segment() - write a segment register with its hidden part
 * @vcpu: the vCPU, by its own thread
 * @seg: which; SS sets the CPL to its DPL
 * @segment: the value; P clear makes it null
 */
void svm_set_segment(struct ksvm_vcpu *vcpu, enum emulate_seg seg,
		     const struct emulate_segment *segment)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	struct vmcb_segment *to = segment_of(&vmcb->save, seg);

	to->base = segment->base;
	to->limit = segment->limit;
	to->selector = segment->selector;
	to->attrib = segment->attributes;
	if (seg == EMULATE_SS)
		vmcb_set_cpl(vmcb, (segment->attributes & EMULATE_SEG_DPL) >>
				   EMULATE_SEG_DPL_SHIFT);
	/* FS, GS, LDTR and TR are loaded by VMLOAD, never from a cache. */
	vmcb_dirty(vmcb, VMCB_CLEAN_SEG);
}

/**
 * svm_get_table() - read GDTR or IDTR
 * @vcpu: the vCPU, by its own thread
 * @reg: which
 * @table: filled
 */
void svm_get_table(struct ksvm_vcpu *vcpu, enum emulate_table_register reg,
		   struct emulate_table *table)
{
	const struct vmcb_save *save = &to_svm(vcpu)->vmcb->save;
	const struct vmcb_segment *from = reg == EMULATE_GDTR ? &save->gdtr : &save->idtr;

	table->base = from->base;
	table->limit = from->limit;
}

/**
 * svm_set_table() - write GDTR or IDTR
 * @vcpu: the vCPU, by its own thread
 * @reg: which
 * @table: the value
 */
void svm_set_table(struct ksvm_vcpu *vcpu, enum emulate_table_register reg,
		   const struct emulate_table *table)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	struct vmcb_segment *to = reg == EMULATE_GDTR ? &vmcb->save.gdtr : &vmcb->save.idtr;

	to->base = table->base;
	to->limit = table->limit;
	vmcb_dirty(vmcb, VMCB_CLEAN_DT);
}

/**
 * svm_get_cpl() - current privilege level
 * @vcpu: the vCPU, by its own thread
 *
 * VMRUN ignores the VMCB's CPL where the mode gives it; so does this.
 *
 * Return: 0 to 3.
 */
int svm_get_cpl(struct ksvm_vcpu *vcpu)
{
	if (!guest_protected_mode(vcpu))
		return 0;
	if (vcpu->x86.rflags & X86_EFLAGS_VM)
		return 3;
	return to_svm(vcpu)->vmcb->save.cpl;
}

/**
 * svm_get_cs_long() - is CS a 64-bit code segment, if the guest is in long mode
 * @vcpu: the vCPU, by its own thread
 */
bool svm_get_cs_long(struct ksvm_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->save.cs.attrib & EMULATE_SEG_L;
}

/*
 * A register whose value in the VMCB is not the guest's must not be read by it,
 * and CR0 not even partly written.
 */
static void cr_intercepts_update(struct vcpu_svm *svm)
{
	const struct ksvm_x86_vcpu *x86 = &svm->vcpu.x86;
	u32 *wanted = &svm->intercepts[INTERCEPT_OWNER_GUEST].cr;
	u32 cr = 0;

	if (svm->vmcb->save.cr0 != x86->cr0)
		cr |= INTERCEPT_CR_READ(0) | INTERCEPT_CR_WRITE(0);
	if (svm->vmcb->save.cr4 != x86->cr4)
		cr |= INTERCEPT_CR_READ(4);
	if (*wanted == cr)
		return;
	*wanted = cr;
	svm_intercepts_update(svm);
}

/**
 * svm_set_cr0() - write CR0
 * @vcpu: the vCPU, by its own thread
 * @cr0: what the guest is to read
 *
 * The processor runs with CD and NW clear whatever the guest's are: its memory
 * is ordinary host memory, coherent with all who access it, and without caches
 * firmware that never clears CD would take minutes to boot.
 */
void svm_set_cr0(struct ksvm_vcpu *vcpu, unsigned long cr0)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if ((svm->vmcb->save.cr0 ^ cr0) & X86_CR0_PG)
		svm_flush_tlb(vcpu);
	vcpu->x86.cr0 = cr0;
	vmcb_set_cr0(svm->vmcb, cr0 & ~(X86_CR0_CD | X86_CR0_NW));
	cr_intercepts_update(svm);
}

/**
 * svm_set_cr2() - write CR2
 * @vcpu: the vCPU, by its own thread
 * @cr2: the value
 */
void svm_set_cr2(struct ksvm_vcpu *vcpu, unsigned long cr2)
{
	vcpu->x86.cr2 = cr2;
	vmcb_set_cr2(to_svm(vcpu)->vmcb, cr2);
}

/**
 * svm_set_cr3() - write CR3; translations go, as with MOV CR3 and PCID 0
 * @vcpu: the vCPU, by its own thread
 * @cr3: the value, without the bit that keeps translations
 */
void svm_set_cr3(struct ksvm_vcpu *vcpu, unsigned long cr3)
{
	vcpu->x86.cr3 = cr3;
	vmcb_set_cr3(to_svm(vcpu)->vmcb, cr3);
	svm_flush_tlb(vcpu);
}

/* MOV CR4 that changes one of these drops all translations. */
#define CR4_FLUSHES	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | X86_CR4_SMEP | \
			 X86_CR4_LA57)

/**
 * svm_set_cr4() - write CR4
 * @vcpu: the vCPU, by its own thread
 * @cr4: what the guest is to read
 *
 * The host's MCE stays on: without it, a machine check would be a shutdown
 * rather than the #MC that the host has to see.
 */
void svm_set_cr4(struct ksvm_vcpu *vcpu, unsigned long cr4)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if ((svm->vmcb->save.cr4 ^ cr4) & CR4_FLUSHES)
		svm_flush_tlb(vcpu);
	vcpu->x86.cr4 = cr4;
	vmcb_set_cr4(svm->vmcb, cr4 | (__read_cr4() & X86_CR4_MCE));
	cr_intercepts_update(svm);
}

/**
 * svm_set_cr8() - write CR8, the task priority
 * @vcpu: the vCPU, by its own thread
 * @cr8: 0 to 15
 */
void svm_set_cr8(struct ksvm_vcpu *vcpu, unsigned long cr8)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	vcpu->x86.cr8 = cr8;
	vmcb_set_int_ctl(vmcb, (vmcb->control.int_ctl & ~VMCB_V_TPR) | (cr8 & VMCB_V_TPR));
}

/**
 * svm_set_efer() - write EFER
 * @vcpu: the vCPU, by its own thread
 * @efer: what the guest is to read, LMA included
 *
 * VMRUN demands SVME.
 */
void svm_set_efer(struct ksvm_vcpu *vcpu, u64 efer)
{
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	if ((vmcb->save.efer ^ efer) & EFER_NX)
		svm_flush_tlb(vcpu);
	vcpu->x86.efer = efer;
	vmcb_set_efer(vmcb, efer | EFER_SVME);
}

/**
 * svm_set_dr6() - write the VMCB's DR6
 * @svm: the vCPU, by its own thread
 * @dr6: the guest's, from the next VMRUN on
 *
 * In ring 2 the register still holds what the VMCB says so far. debug_registers_leave()
 * would not see that any more: put it right here.
 */
void svm_set_dr6(struct vcpu_svm *svm, unsigned long dr6)
{
	if (svm->vcpu.ring == RING_INNER && svm->vmcb->save.dr6 != DR6_RESERVED)
		set_debugreg(DR6_RESERVED, 6);
	vmcb_set_dr6(svm->vmcb, dr6);
}

/**
 * svm_update_debug() - give the processor DR6, DR7 and the debug intercepts
 * @vcpu: the vCPU, by its own thread
 *
 * User space's breakpoints replace the guest's. #DB exits in any case (see
 * vcpu.c); #BP only if user space wants it.
 */
void svm_update_debug(struct ksvm_vcpu *vcpu)
{
	const u32 software = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	const u32 hardware = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	struct vcpu_svm *svm = to_svm(vcpu);
	struct intercepts *wanted = &svm->intercepts[INTERCEPT_OWNER_DEBUG];

	svm_set_dr6(svm, x86->dr6);
	vmcb_set_dr7(svm->vmcb, (x86->guest_debug & hardware) == hardware ?
				x86->guest_debug_dr7 : x86->dr7);
	wanted->exception = (x86->guest_debug & software) == software ? BIT(X86_TRAP_BP) : 0;
	svm_intercepts_update(svm);
}

/**
 * svm_write_tsc_offset() - put vcpu->x86.tsc_offset in force
 * @vcpu: the vCPU, by its own thread
 */
void svm_write_tsc_offset(struct ksvm_vcpu *vcpu)
{
	vmcb_set_tsc_offset(to_svm(vcpu)->vmcb, vcpu->x86.tsc_offset);
}

/**
 * svm_get_interrupt_shadow() - does STI or MOV SS hold interrupts off
 * @vcpu: the vCPU, by its own thread
 */
bool svm_get_interrupt_shadow(struct ksvm_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb->control.int_state & VMCB_INT_SHADOW;
}

/**
 * svm_set_interrupt_shadow() - start or end the interrupt shadow
 * @vcpu: the vCPU, by its own thread
 * @shadow: interrupts are held off for one instruction
 */
void svm_set_interrupt_shadow(struct ksvm_vcpu *vcpu, bool shadow)
{
	struct vmcb_control *control = &to_svm(vcpu)->vmcb->control;

	if (shadow)
		control->int_state |= VMCB_INT_SHADOW;
	else
		control->int_state &= ~VMCB_INT_SHADOW;
}
