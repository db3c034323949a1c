// SPDX-License-Identifier: GPL-2.0-only
/* PUSH and POP in all forms, ENTER and LEAVE. */
#include "internal.h"

static enum emulate_outcome push(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand src;

	outcome = operand_open(ctxt, 0, USE_READ, &src);
	if (outcome != EMULATE_DONE)
		return outcome;
	return stack_push(ctxt, src.value, ctxt->insn.operand_bytes);
}

/* An address with rSP in it is that after the increment. */
static enum emulate_outcome pop(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst;
	u64 value;

	outcome = stack_pop(ctxt, &value, ctxt->insn.operand_bytes);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst, value);
}

static enum emulate_outcome push_sreg(struct emulate_ctxt *ctxt)
{
	struct emulate_segment segment;
	enum emulate_outcome outcome;

	outcome = ctxt->ops->get_segment(ctxt, (ctxt->insn.opcode >> 3) & 7,
					 &segment);
	if (outcome != EMULATE_DONE)
		return outcome;
	return stack_push(ctxt, segment.selector, ctxt->insn.operand_bytes);
}

static enum emulate_outcome pop_sreg(struct emulate_ctxt *ctxt)
{
	enum emulate_seg seg = (ctxt->insn.opcode >> 3) & 7;
	enum emulate_outcome outcome;
	u64 value;

	outcome = stack_pop(ctxt, &value, ctxt->insn.operand_bytes);
	if (outcome == EMULATE_DONE)
		outcome = segment_load(ctxt, seg, value);
	if (outcome == EMULATE_DONE && seg == EMULATE_SS)
		ctxt->shadow = EMULATE_SHADOW_MOV_SS;
	return outcome;
}

/* All eight in one block, so that nothing is written if one cannot be. */
static enum emulate_outcome push_all(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.operand_bytes;
	enum emulate_outcome outcome;
	unsigned int width, i;
	u64 sp, linear;
	u8 block[32];

	for (i = 0; i < 8; i++)
		__builtin_memcpy(block + i * bytes,
				 &ctxt->work.regs[EMULATE_RDI - i], bytes);
	outcome = stack_bytes(ctxt, &width);
	if (outcome != EMULATE_DONE)
		return outcome;
	sp = (ctxt->work.regs[EMULATE_RSP] - 8 * bytes) & size_mask(width);
	outcome = mem_linear(ctxt, EMULATE_SS, sp, 8 * bytes, USE_WRITE, &linear);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->write(ctxt, linear, block, 8 * bytes, 0);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, EMULATE_RSP, sp, width);
	return outcome;
}

static enum emulate_outcome pop_all(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.operand_bytes;
	enum emulate_outcome outcome;
	unsigned int width, i;
	u64 sp, linear, value;
	u8 block[32];

	outcome = stack_bytes(ctxt, &width);
	if (outcome != EMULATE_DONE)
		return outcome;
	sp = reg_read(ctxt, EMULATE_RSP, width);
	outcome = mem_linear(ctxt, EMULATE_SS, sp, 8 * bytes, USE_READ, &linear);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->read(ctxt, linear, block, 8 * bytes, 0);
	if (outcome != EMULATE_DONE)
		return outcome;
	for (i = 0; i < 8; i++) {
		value = 0;
		__builtin_memcpy(&value, block + i * bytes, bytes);
		if (EMULATE_RDI - i != EMULATE_RSP)
			reg_write(ctxt, EMULATE_RDI - i, value, bytes);
	}
	reg_write(ctxt, EMULATE_RSP, sp + 8 * bytes, width);
	return EMULATE_DONE;
}

/*
 * In virtual-8086 mode with IOPL below 3 the flags may only be reached through
 * VME, which shows VIF as IF and IOPL 3.
 */
static enum emulate_outcome v86_needs_vme(struct emulate_ctxt *ctxt, bool *vme)
{
	enum emulate_outcome outcome;
	u64 cr4;

	*vme = false;
	if (ctxt->mode != EMULATE_VM86 || iopl(ctxt) == 3)
		return EMULATE_DONE;
	outcome = CALL_OP(ctxt, get_cr, 4, &cr4);
	if (outcome != EMULATE_DONE)
		return outcome;
	*vme = (cr4 & CR4_VME) && ctxt->insn.operand_bytes == 2;
	return *vme ? EMULATE_DONE : emulate_fault_code(ctxt, VECTOR_GP, 0);
}

static enum emulate_outcome push_flags(struct emulate_ctxt *ctxt)
{
	u64 flags = ctxt->work.rflags & ~(FLAG_VM | FLAG_RF);
	enum emulate_outcome outcome;
	bool vme;

	outcome = v86_needs_vme(ctxt, &vme);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (vme) {
		flags &= ~FLAG_IF;
		flags |= FLAG_IOPL;
		if (ctxt->work.rflags & FLAG_VIF)
			flags |= FLAG_IF;
	}
	return stack_push(ctxt, flags, ctxt->insn.operand_bytes);
}

static enum emulate_outcome pop_flags(struct emulate_ctxt *ctxt)
{
	u64 changed = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;
	unsigned int bytes = ctxt->insn.operand_bytes;
	u64 old = ctxt->work.rflags;
	enum emulate_outcome outcome;
	u64 value;
	bool vme;

	outcome = v86_needs_vme(ctxt, &vme);
	if (outcome == EMULATE_DONE)
		outcome = stack_pop(ctxt, &value, bytes);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (vme) {
		/* An interrupt that waits must not be enabled unseen. */
		if ((value & FLAG_TF) || ((value & FLAG_IF) && (old & FLAG_VIP)))
			return emulate_fault_code(ctxt, VECTOR_GP, 0);
		changed |= FLAG_VIF;
		value &= ~FLAG_VIF;
		if (value & FLAG_IF)
			value |= FLAG_VIF;
	} else if (ctxt->cpl <= iopl(ctxt) || ctxt->mode == EMULATE_VM86) {
		changed |= FLAG_IF;
	}
	if (ctxt->cpl == 0)
		changed |= FLAG_IOPL;
	if (bytes == 2)
		changed &= vme ? 0xffff | FLAG_VIF : 0xffff;
	ctxt->work.rflags = (old & ~changed) | (value & changed);
	return EMULATE_DONE;
}

/* ENTER without nested frames, which is what compilers ever used. */
static enum emulate_outcome enter(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.operand_bytes;
	enum emulate_outcome outcome;
	unsigned int width;
	u64 frame, linear;

	if (ctxt->insn.imm2 & 31)
		return EMULATE_UNHANDLED;
	outcome = stack_bytes(ctxt, &width);
	if (outcome != EMULATE_DONE)
		return outcome;
	outcome = stack_push(ctxt, ctxt->work.regs[EMULATE_RBP], bytes);
	if (outcome != EMULATE_DONE)
		return outcome;
	frame = ctxt->work.regs[EMULATE_RSP];
	reg_write(ctxt, EMULATE_RSP, frame - ctxt->insn.imm, width);
	reg_write(ctxt, EMULATE_RBP, frame, bytes);
	/* The new top of the stack has to be writable. */
	outcome = mem_linear(ctxt, EMULATE_SS, reg_read(ctxt, EMULATE_RSP, width),
			     bytes, USE_WRITE, &linear);
	if (outcome != EMULATE_DONE)
		return outcome;
	return ctxt->ops->write(ctxt, linear, NULL, bytes, EMULATE_ACCESS_PROBE);
}

static enum emulate_outcome leave(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	unsigned int width;
	u64 value;

	outcome = stack_bytes(ctxt, &width);
	if (outcome != EMULATE_DONE)
		return outcome;
	reg_write(ctxt, EMULATE_RSP, ctxt->work.regs[EMULATE_RBP], width);
	outcome = stack_pop(ctxt, &value, ctxt->insn.operand_bytes);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, EMULATE_RBP, value, ctxt->insn.operand_bytes);
	return outcome;
}

enum emulate_outcome execute_stack(struct emulate_ctxt *ctxt)
{
	switch (ctxt->insn.operation) {
	case OP_PUSH:
		return push(ctxt);
	case OP_POP:
		return pop(ctxt);
	case OP_PUSH_SREG:
		return push_sreg(ctxt);
	case OP_POP_SREG:
		return pop_sreg(ctxt);
	case OP_PUSHA:
		return push_all(ctxt);
	case OP_POPA:
		return pop_all(ctxt);
	case OP_PUSHF:
		return push_flags(ctxt);
	case OP_POPF:
		return pop_flags(ctxt);
	case OP_ENTER:
		return enter(ctxt);
	default:
		return leave(ctxt);
	}
}
