// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GET_ and KVM_SET_ REGS, SREGS and DEBUGREGS. */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "guest.h"
#include "internal.h"
#include "irq_ops.h"
#include "x86_ops.h"

#define RFLAGS_DEFINED	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | \
			 X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_RF | \
			 X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF | X86_EFLAGS_VIP | \
			 X86_EFLAGS_ID)

/**
 * ksvm_get_regs() - KVM_GET_REGS
 * @vcpu: the vCPU, by its own thread
 * @regs: filled
 *
 * Return: 0.
 */
int ksvm_get_regs(struct ksvm_vcpu *vcpu, struct kvm_regs *regs)
{
	const unsigned long *from = vcpu->x86.regs;

	*regs = (struct kvm_regs) {
		.rax = from[EMULATE_RAX], .rbx = from[EMULATE_RBX],
		.rcx = from[EMULATE_RCX], .rdx = from[EMULATE_RDX],
		.rsi = from[EMULATE_RSI], .rdi = from[EMULATE_RDI],
		.rsp = from[EMULATE_RSP], .rbp = from[EMULATE_RBP],
		.r8 = from[8], .r9 = from[9], .r10 = from[10], .r11 = from[11],
		.r12 = from[12], .r13 = from[13], .r14 = from[14], .r15 = from[15],
		.rip = vcpu->x86.rip, .rflags = vcpu->x86.rflags,
	};
	return 0;
}

/**
 * ksvm_set_regs() - KVM_SET_REGS
 * @vcpu: the vCPU, by its own thread
 * @regs: the values; undefined bits of RFLAGS are dropped
 *
 * An exception that waited belonged to the instruction that is given up here.
 *
 * Return: 0.
 */
int ksvm_set_regs(struct ksvm_vcpu *vcpu, const struct kvm_regs *regs)
{
	unsigned long *to = vcpu->x86.regs;

	to[EMULATE_RAX] = regs->rax;
	to[EMULATE_RBX] = regs->rbx;
	to[EMULATE_RCX] = regs->rcx;
	to[EMULATE_RDX] = regs->rdx;
	to[EMULATE_RSI] = regs->rsi;
	to[EMULATE_RDI] = regs->rdi;
	to[EMULATE_RSP] = regs->rsp;
	to[EMULATE_RBP] = regs->rbp;
	to[8] = regs->r8;
	to[9] = regs->r9;
	to[10] = regs->r10;
	to[11] = regs->r11;
	to[12] = regs->r12;
	to[13] = regs->r13;
	to[14] = regs->r14;
	to[15] = regs->r15;
	vcpu->x86.rip = regs->rip;
	vcpu->x86.rflags = (regs->rflags & RFLAGS_DEFINED) | X86_EFLAGS_FIXED;
	vcpu->x86.events.exception_pending = false;
	return 0;
}

static void get_segment(struct ksvm_vcpu *vcpu, enum emulate_seg seg, struct kvm_segment *to)
{
	struct emulate_segment from;

	static_call(ksvm_x86_get_segment)(vcpu, seg, &from);
	*to = (struct kvm_segment) {
		.base = from.base,
		.limit = from.limit,
		.selector = from.selector,
		.type = from.attributes & EMULATE_SEG_TYPE,
		.present = !!(from.attributes & EMULATE_SEG_P),
		.dpl = (from.attributes & EMULATE_SEG_DPL) >> EMULATE_SEG_DPL_SHIFT,
		.db = !!(from.attributes & EMULATE_SEG_DB),
		.s = !!(from.attributes & EMULATE_SEG_S),
		.l = !!(from.attributes & EMULATE_SEG_L),
		.g = !!(from.attributes & EMULATE_SEG_G),
		.avl = !!(from.attributes & EMULATE_SEG_AVL),
		.unusable = !(from.attributes & EMULATE_SEG_P),
	};
}

/* A segment that is not usable is one that is not present. */
static void set_segment(struct ksvm_vcpu *vcpu, enum emulate_seg seg,
			const struct kvm_segment *from)
{
	struct emulate_segment to = {
		.base = from->base,
		.limit = from->limit,
		.selector = from->selector,
		.attributes = (from->type & EMULATE_SEG_TYPE) |
			      (from->s ? EMULATE_SEG_S : 0) |
			      (from->dpl & 3) << EMULATE_SEG_DPL_SHIFT |
			      (from->present && !from->unusable ? EMULATE_SEG_P : 0) |
			      (from->avl ? EMULATE_SEG_AVL : 0) |
			      (from->l ? EMULATE_SEG_L : 0) |
			      (from->db ? EMULATE_SEG_DB : 0) |
			      (from->g ? EMULATE_SEG_G : 0),
	};

	static_call(ksvm_x86_set_segment)(vcpu, seg, &to);
}

static void get_table(struct ksvm_vcpu *vcpu, enum emulate_table_register reg,
		      struct kvm_dtable *to)
{
	struct emulate_table from;

	static_call(ksvm_x86_get_table)(vcpu, reg, &from);
	*to = (struct kvm_dtable) { .base = from.base, .limit = from.limit };
}

static void set_table(struct ksvm_vcpu *vcpu, enum emulate_table_register reg,
		      const struct kvm_dtable *from)
{
	struct emulate_table to = { .base = from->base, .limit = from->limit };

	static_call(ksvm_x86_set_table)(vcpu, reg, &to);
}

/**
 * ksvm_get_sregs() - KVM_GET_SREGS
 * @vcpu: the vCPU, by its own thread
 * @sregs: filled; the interrupt bitmap has the interrupt whose delivery was
 *	begun or is to be begun
 *
 * Return: 0.
 */
int ksvm_get_sregs(struct ksvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu->x86;

	memset(sregs, 0, sizeof(*sregs));
	get_segment(vcpu, EMULATE_CS, &sregs->cs);
	get_segment(vcpu, EMULATE_DS, &sregs->ds);
	get_segment(vcpu, EMULATE_ES, &sregs->es);
	get_segment(vcpu, EMULATE_FS, &sregs->fs);
	get_segment(vcpu, EMULATE_GS, &sregs->gs);
	get_segment(vcpu, EMULATE_SS, &sregs->ss);
	get_segment(vcpu, EMULATE_TR, &sregs->tr);
	get_segment(vcpu, EMULATE_LDTR, &sregs->ldt);
	get_table(vcpu, EMULATE_GDTR, &sregs->gdt);
	get_table(vcpu, EMULATE_IDTR, &sregs->idt);
	sregs->cr0 = x86->cr0;
	sregs->cr2 = x86->cr2;
	sregs->cr3 = x86->cr3;
	sregs->cr4 = x86->cr4;
	sregs->cr8 = x86->cr8;
	sregs->efer = x86->efer;
	sregs->apic_base = x86->msrs.apic_base;
	if (x86->events.interrupt_pending && !x86->events.interrupt_soft)
		sregs->interrupt_bitmap[x86->events.interrupt_vector / 64] |=
			BIT_ULL(x86->events.interrupt_vector % 64);
	return 0;
}

/* Legal together: neither the guest nor VMRUN could do otherwise. */
static bool modes_consistent(const struct kvm_sregs *sregs)
{
	bool long_mode = (sregs->efer & EFER_LME) && (sregs->cr0 & X86_CR0_PG);

	if (!!(sregs->efer & EFER_LMA) != long_mode)
		return false;
	if (!long_mode)
		return !sregs->cs.l && !(sregs->cr4 & X86_CR4_PCIDE);
	return (sregs->cr4 & X86_CR4_PAE) && !(sregs->cs.l && sregs->cs.db);
}

static bool sregs_valid(struct ksvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	return ksvm_cr0_valid(sregs->cr0) && ksvm_cr3_valid(vcpu, sregs->cr3) &&
	       ksvm_cr4_valid(vcpu, sregs->cr4) && !(sregs->cr8 & ~0xfull) &&
	       !(sregs->efer & ~ksvm_efer_allowed(vcpu, true)) &&
	       ksvm_apic_base_valid(vcpu, sregs->apic_base) && modes_consistent(sregs);
}

/**
 * ksvm_set_sregs() - KVM_SET_SREGS
 * @vcpu: the vCPU, by its own thread
 * @sregs: the values; the lowest bit of the interrupt bitmap is the
 *	interrupt to deliver, an empty one leaves what waits as it is
 *
 * Return: 0; -EINVAL for values or combinations that no processor of this guest's
 * can have, and nothing has changed.
 */
int ksvm_set_sregs(struct ksvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	unsigned int i;

	if (!sregs_valid(vcpu, sregs))
		return -EINVAL;

	x86->msrs.apic_base = sregs->apic_base;
	if (vcpu->apic)
		static_call(ksvm_irq_set_apic_base)(vcpu, sregs->apic_base, true);
	set_table(vcpu, EMULATE_GDTR, &sregs->gdt);
	set_table(vcpu, EMULATE_IDTR, &sregs->idt);
	static_call(ksvm_x86_set_efer)(vcpu, sregs->efer);
	static_call(ksvm_x86_set_cr0)(vcpu, ksvm_cr0_canonize(sregs->cr0));
	static_call(ksvm_x86_set_cr2)(vcpu, sregs->cr2);
	static_call(ksvm_x86_set_cr3)(vcpu, sregs->cr3);
	static_call(ksvm_x86_set_cr4)(vcpu, sregs->cr4);
	ksvm_set_cr8(vcpu, sregs->cr8);
	/* After CR0: SS gives the privilege level. */
	set_segment(vcpu, EMULATE_CS, &sregs->cs);
	set_segment(vcpu, EMULATE_DS, &sregs->ds);
	set_segment(vcpu, EMULATE_ES, &sregs->es);
	set_segment(vcpu, EMULATE_FS, &sregs->fs);
	set_segment(vcpu, EMULATE_GS, &sregs->gs);
	set_segment(vcpu, EMULATE_SS, &sregs->ss);
	set_segment(vcpu, EMULATE_TR, &sregs->tr);
	set_segment(vcpu, EMULATE_LDTR, &sregs->ldt);

	for (i = 0; i < ARRAY_SIZE(sregs->interrupt_bitmap); i++) {
		if (!sregs->interrupt_bitmap[i])
			continue;
		x86->events.interrupt_vector = i * 64 + __ffs64(sregs->interrupt_bitmap[i]);
		x86->events.interrupt_soft = false;
		x86->events.interrupt_pending = true;
		x86->events.work = true;
		break;
	}
	static_call(ksvm_x86_flush_tlb)(vcpu);
	return 0;
}

/**
 * ksvm_get_debugregs() - KVM_GET_DEBUGREGS
 * @vcpu: the vCPU, by its own thread
 * @regs: filled with the guest's own, not with a debugger's
 *
 * Return: 0.
 */
int ksvm_get_debugregs(struct ksvm_vcpu *vcpu, struct kvm_debugregs *regs)
{
	memset(regs, 0, sizeof(*regs));
	BUILD_BUG_ON(sizeof(regs->db) != sizeof(vcpu->x86.dr));
	memcpy(regs->db, vcpu->x86.dr, sizeof(regs->db));
	regs->dr6 = vcpu->x86.dr6;
	regs->dr7 = vcpu->x86.dr7;
	return 0;
}

/**
 * ksvm_set_debugregs() - KVM_SET_DEBUGREGS
 * @vcpu: the vCPU, by its own thread
 * @regs: the guest's
 *
 * Return: 0; -EINVAL for flags, and for DR6 or DR7 beyond 32 bits; nothing has
 * changed then.
 */
int ksvm_set_debugregs(struct ksvm_vcpu *vcpu, const struct kvm_debugregs *regs)
{
	if (regs->flags || regs->dr6 >> 32 || regs->dr7 >> 32)
		return -EINVAL;
	memcpy(vcpu->x86.dr, regs->db, sizeof(regs->db));
	vcpu->x86.dr6 = ksvm_dr6_canonize(regs->dr6);
	vcpu->x86.dr7 = ksvm_dr7_canonize(regs->dr7);
	ksvm_update_debug(vcpu);
	return 0;
}
