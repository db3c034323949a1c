// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as an instruction sees it: effective address, segmentation, the
 * stack. Paging is behind the caller's operations.
 */
#include "internal.h"

bool linear_canonical(const struct emulate_ctxt *ctxt, u64 linear)
{
	unsigned int shift = 64 - (ctxt->linear_bits ? ctxt->linear_bits : 48);

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

/* The effective address of the instruction's memory operand. */
u64 mem_offset(const struct emulate_ctxt *ctxt)
{
	const struct insn *insn = &ctxt->insn;
	u64 offset = insn->disp;

	if (insn->base < EMULATE_NR_REGS)
		offset += ctxt->work.regs[insn->base];
	else if (insn->base == INSN_REG_RIP)
		offset += ctxt->rip + insn->length;
	if (insn->index != INSN_REG_NONE)
		offset += ctxt->work.regs[insn->index] << insn->scale;
	return offset & size_mask(insn->address_bytes);
}

static enum emulate_outcome segment_fault(struct emulate_ctxt *ctxt,
					  enum emulate_seg seg)
{
	return emulate_fault_code(ctxt, seg == EMULATE_SS ? VECTOR_SS : VECTOR_GP, 0);
}

/* Misaligned access at CPL 3 with EFLAGS.AC and CR0.AM. */
static enum emulate_outcome check_alignment(struct emulate_ctxt *ctxt,
					    u64 linear, unsigned int bytes)
{
	enum emulate_outcome outcome;
	u64 cr0;

	if (likely(!(ctxt->rflags & FLAG_AC)) || ctxt->cpl != 3)
		return EMULATE_DONE;
	/* Descriptors, far pointers and the like count as their parts. */
	if (bytes > 8 || (bytes & (bytes - 1)) || !(linear & (bytes - 1)))
		return EMULATE_DONE;
	outcome = CALL_OP(ctxt, get_cr, 0, &cr0);
	if (outcome != EMULATE_DONE || !(cr0 & CR0_AM))
		return outcome;
	return emulate_fault_code(ctxt, VECTOR_AC, 0);
}

static enum emulate_outcome linear_long(struct emulate_ctxt *ctxt,
					enum emulate_seg seg, u64 offset,
					unsigned int bytes, u64 *linear)
{
	struct emulate_segment segment;
	enum emulate_outcome outcome;
	u64 address = offset;

	if (seg == EMULATE_FS || seg == EMULATE_GS) {
		outcome = ctxt->ops->get_segment(ctxt, seg, &segment);
		if (outcome != EMULATE_DONE)
			return outcome;
		address += segment.base;
	}
	if (!linear_canonical(ctxt, address) || !linear_canonical(ctxt, address + bytes - 1))
		return segment_fault(ctxt, seg);
	*linear = address;
	return EMULATE_DONE;
}

static bool within_limit(const struct emulate_segment *segment, u64 offset,
			 unsigned int bytes)
{
	u64 last = offset + bytes - 1;
	u64 top;

	if ((segment->attributes & (EMULATE_SEG_CODE | EMULATE_SEG_DOWN)) !=
	    EMULATE_SEG_DOWN)
		return last <= segment->limit;
	top = segment->attributes & EMULATE_SEG_DB ? 0xffffffff : 0xffff;
	return offset > segment->limit && last <= top;
}

/* May a segment of this type be used so? */
static bool type_allows(const struct emulate_segment *segment,
			enum operand_use use)
{
	u16 type = segment->attributes;

	if (!(type & EMULATE_SEG_P))
		return false;
	if (type & EMULATE_SEG_CODE)
		return !(use & USE_WRITE) && (type & EMULATE_SEG_WRITABLE);
	return !(use & USE_WRITE) || (type & EMULATE_SEG_WRITABLE);
}

/**
 * mem_linear() - the linear address of a memory access
 * @ctxt: the instruction
 * @seg: segment register
 * @offset: address in the segment, wrapped to the address size
 * @bytes: how many bytes are accessed; not 0
 * @use: how; 0 for an address only
 * @linear: result
 *
 * Return: enum emulate_outcome; #GP(0), #SS(0) or #AC(0).
 */
enum emulate_outcome mem_linear(struct emulate_ctxt *ctxt, enum emulate_seg seg,
				u64 offset, unsigned int bytes,
				enum operand_use use, u64 *linear)
{
	struct emulate_segment segment;
	enum emulate_outcome outcome;

	if (long64(ctxt)) {
		outcome = linear_long(ctxt, seg, offset, bytes, linear);
		if (outcome != EMULATE_DONE)
			return outcome;
		return check_alignment(ctxt, *linear, bytes);
	}
	outcome = ctxt->ops->get_segment(ctxt, seg, &segment);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (!real_or_vm86(ctxt) && !type_allows(&segment, use))
		return segment_fault(ctxt, seg);
	if (!within_limit(&segment, offset, bytes))
		return segment_fault(ctxt, seg);
	*linear = (u32)(segment.base + offset);
	return check_alignment(ctxt, *linear, bytes);
}

/* Read up to 8 bytes, zero-extended. */
enum emulate_outcome mem_read(struct emulate_ctxt *ctxt, u64 linear, u64 *value,
			      unsigned int bytes, unsigned int access)
{
	*value = 0;
	return ctxt->ops->read(ctxt, linear, value, bytes, access);
}

enum emulate_outcome mem_write(struct emulate_ctxt *ctxt, u64 linear, u64 value,
			       unsigned int bytes)
{
	return ctxt->ops->write(ctxt, linear, &value, bytes, 0);
}

/* The stack pointer's size: 8 in long mode, else by SS.B. */
enum emulate_outcome stack_bytes(struct emulate_ctxt *ctxt, unsigned int *bytes)
{
	struct emulate_segment ss;
	enum emulate_outcome outcome;

	*bytes = 8;
	if (long64(ctxt))
		return EMULATE_DONE;
	outcome = ctxt->ops->get_segment(ctxt, EMULATE_SS, &ss);
	*bytes = outcome == EMULATE_DONE &&
		 (ss.attributes & EMULATE_SEG_DB) ? 4 : 2;
	return outcome;
}

/* Replace the stack pointer: a 32-bit one leaves nothing above it. */
static void set_sp(struct emulate_ctxt *ctxt, u64 value, unsigned int width)
{
	reg_write(ctxt, EMULATE_RSP, value, width);
}

enum emulate_outcome stack_push(struct emulate_ctxt *ctxt, u64 value,
				unsigned int bytes)
{
	enum emulate_outcome outcome;
	unsigned int width;
	u64 sp, linear;

	outcome = stack_bytes(ctxt, &width);
	if (outcome != EMULATE_DONE)
		return outcome;
	sp = (ctxt->work.regs[EMULATE_RSP] - bytes) & size_mask(width);
	outcome = mem_linear(ctxt, EMULATE_SS, sp, bytes, USE_WRITE, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_write(ctxt, linear, value, bytes);
	if (outcome == EMULATE_DONE)
		set_sp(ctxt, sp, width);
	return outcome;
}

enum emulate_outcome stack_pop(struct emulate_ctxt *ctxt, u64 *value,
			       unsigned int bytes)
{
	enum emulate_outcome outcome;
	unsigned int width;
	u64 sp, linear;

	outcome = stack_bytes(ctxt, &width);
	if (outcome != EMULATE_DONE)
		return outcome;
	sp = reg_read(ctxt, EMULATE_RSP, width);
	outcome = mem_linear(ctxt, EMULATE_SS, sp, bytes, USE_READ, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_read(ctxt, linear, value, bytes, 0);
	if (outcome == EMULATE_DONE)
		set_sp(ctxt, sp + bytes, width);
	return outcome;
}

/**
 * check_target() - may execution go on at this address?
 * @ctxt: the instruction
 * @target: new instruction pointer, wrapped to the operand size
 *
 * Return: enum emulate_outcome; #GP(0) beyond the segment's limit or if the
 * address is not canonical.
 */
enum emulate_outcome check_target(struct emulate_ctxt *ctxt, u64 target)
{
	struct emulate_segment cs;
	enum emulate_outcome outcome;

	if (long64(ctxt))
		return linear_canonical(ctxt, target) ? EMULATE_DONE :
						 emulate_fault_code(ctxt, VECTOR_GP, 0);
	outcome = ctxt->ops->get_segment(ctxt, EMULATE_CS, &cs);
	if (outcome == EMULATE_DONE && target > cs.limit)
		outcome = emulate_fault_code(ctxt, VECTOR_GP, 0);
	return outcome;
}
