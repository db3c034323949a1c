// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions. Each execution does one element, and a repeated
 * instruction that is not finished says so; INS and OUTS move up to a page at
 * once, because each of their steps may cost a trip to user space.
 */
#include "internal.h"

/* Advance rSI or rDI over count elements. */
static void advance(struct emulate_ctxt *ctxt, unsigned int reg,
		    unsigned int bytes, u64 count)
{
	u64 step = count * bytes;

	if (ctxt->rflags & FLAG_DF)
		step = -step;
	reg_write(ctxt, reg, ctxt->work.regs[reg] + step,
		  ctxt->insn.address_bytes);
}

static enum emulate_outcome source(struct emulate_ctxt *ctxt, unsigned int bytes,
				   u64 *linear)
{
	return mem_linear(ctxt, ctxt->insn.segment,
			  reg_read(ctxt, EMULATE_RSI, ctxt->insn.address_bytes),
			  bytes, USE_READ, linear);
}

static enum emulate_outcome destination(struct emulate_ctxt *ctxt,
					unsigned int bytes,
					enum operand_use use, u64 *linear)
{
	return mem_linear(ctxt, EMULATE_ES,
			  reg_read(ctxt, EMULATE_RDI, ctxt->insn.address_bytes),
			  bytes, use, linear);
}

static enum emulate_outcome load(struct emulate_ctxt *ctxt, unsigned int bytes,
				 u64 *value)
{
	enum emulate_outcome outcome;
	u64 linear;

	outcome = source(ctxt, bytes, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_read(ctxt, linear, value, bytes, 0);
	if (outcome == EMULATE_DONE)
		advance(ctxt, EMULATE_RSI, bytes, 1);
	return outcome;
}

static enum emulate_outcome store(struct emulate_ctxt *ctxt, unsigned int bytes,
				  u64 value)
{
	enum emulate_outcome outcome;
	u64 linear;

	outcome = destination(ctxt, bytes, USE_WRITE, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_write(ctxt, linear, value, bytes);
	if (outcome == EMULATE_DONE)
		advance(ctxt, EMULATE_RDI, bytes, 1);
	return outcome;
}

/* The second operand of SCAS and CMPS. */
static enum emulate_outcome compare(struct emulate_ctxt *ctxt, u64 value,
				    unsigned int bytes)
{
	enum emulate_outcome outcome;
	u64 linear, other;

	outcome = destination(ctxt, bytes, USE_READ, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_read(ctxt, linear, &other, bytes, 0);
	if (outcome != EMULATE_DONE)
		return outcome;
	alu_flags(ctxt, OP_CMP, value, other, bytes);
	advance(ctxt, EMULATE_RDI, bytes, 1);
	return EMULATE_DONE;
}

/*
 * How many elements of INS or OUTS fit in one go: the rest of the page, upward
 * only; the segment's limit is checked for all of them. One element may cross
 * the page boundary.
 */
static u64 batch(const struct emulate_ctxt *ctxt, u64 linear, u64 offset,
		 unsigned int bytes, u64 count)
{
	u64 room = PAGE_BYTES - (linear & (PAGE_BYTES - 1));
	u64 wrap = size_mask(ctxt->insn.address_bytes) - offset;

	if ((ctxt->rflags & FLAG_DF) || !ctxt->buffer)
		return 1;
	if (room > wrap)
		room = wrap;
	if (count > room / bytes)
		count = room / bytes;
	return count ? count : 1;
}

/*
 * Find the memory for a batch. Where all elements together break the limit,
 * go on with one: the fault, if any, is then that of the right element.
 */
static enum emulate_outcome io_memory(struct emulate_ctxt *ctxt,
				      enum emulate_seg seg, unsigned int reg,
				      enum operand_use use, u64 *linear,
				      u64 *count)
{
	unsigned int bytes = ctxt->insn.operand_bytes;
	enum emulate_outcome outcome;
	u64 offset, wanted;

	bytes = bytes > 4 ? 4 : bytes;
	offset = reg_read(ctxt, reg, ctxt->insn.address_bytes);
	outcome = mem_linear(ctxt, seg, offset, bytes, use, linear);
	if (outcome != EMULATE_DONE)
		return outcome;
	wanted = batch(ctxt, *linear, offset, bytes, *count);
	*count = 1;
	if (wanted > 1 && mem_linear(ctxt, seg, offset, bytes * wanted, use,
				     linear) == EMULATE_DONE)
		*count = wanted;
	return EMULATE_DONE;
}

/* The port's memory is probed first: a value read must not get lost. */
static enum emulate_outcome port_to_memory(struct emulate_ctxt *ctxt, u16 port,
					   unsigned int bytes, u64 *count)
{
	enum emulate_outcome outcome;
	unsigned int total;
	u64 linear;
	u32 single;
	void *buf;

	outcome = io_memory(ctxt, EMULATE_ES, EMULATE_RDI, USE_WRITE, &linear,
			    count);
	total = *count * bytes;
	buf = *count > 1 ? ctxt->buffer : &single;
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->write(ctxt, linear, NULL, total,
					   EMULATE_ACCESS_PROBE);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, port_in, port, bytes, buf, *count);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->write(ctxt, linear, buf, total, 0);
	if (outcome == EMULATE_DONE)
		advance(ctxt, EMULATE_RDI, bytes, *count);
	return outcome;
}

static enum emulate_outcome memory_to_port(struct emulate_ctxt *ctxt, u16 port,
					   unsigned int bytes, u64 *count)
{
	enum emulate_outcome outcome;
	u64 linear;
	u32 single;
	void *buf;

	outcome = io_memory(ctxt, ctxt->insn.segment, EMULATE_RSI, USE_READ,
			    &linear, count);
	buf = *count > 1 ? ctxt->buffer : &single;
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->read(ctxt, linear, buf, *count * bytes, 0);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, port_out, port, bytes, buf, *count);
	if (outcome == EMULATE_DONE)
		advance(ctxt, EMULATE_RSI, bytes, *count);
	return outcome;
}

/* May this port be used? In virtual-8086 mode the bitmap alone says so. */
static enum emulate_outcome check_port(struct emulate_ctxt *ctxt, u16 port,
				       unsigned int bytes)
{
	if (ctxt->mode != EMULATE_VM86 && ctxt->cpl <= iopl(ctxt))
		return EMULATE_DONE;
	return CALL_OP(ctxt, check_io, port, bytes);
}

/* INS, OUTS; permission is needed even if there is nothing to do. */
static enum emulate_outcome port_string(struct emulate_ctxt *ctxt, u64 *count)
{
	u16 port = ctxt->work.regs[EMULATE_RDX];
	unsigned int bytes = ctxt->insn.operand_bytes;
	enum emulate_outcome outcome;

	bytes = bytes > 4 ? 4 : bytes;
	outcome = check_port(ctxt, port, bytes);
	if (outcome != EMULATE_DONE || !*count)
		return outcome;
	if (ctxt->insn.operation == OP_INS)
		return port_to_memory(ctxt, port, bytes, count);
	return memory_to_port(ctxt, port, bytes, count);
}

/* One element of an instruction that has no port. */
static enum emulate_outcome element(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.operand_bytes;
	enum emulate_outcome outcome;
	u64 value;

	switch (ctxt->insn.operation) {
	case OP_MOVS:
		outcome = load(ctxt, bytes, &value);
		if (outcome != EMULATE_DONE)
			return outcome;
		return store(ctxt, bytes, value);
	case OP_STOS:
		return store(ctxt, bytes, ctxt->work.regs[EMULATE_RAX]);
	case OP_LODS:
		outcome = load(ctxt, bytes, &value);
		if (outcome == EMULATE_DONE)
			reg_write(ctxt, EMULATE_RAX, value, bytes);
		return outcome;
	case OP_SCAS:
		return compare(ctxt, reg_read(ctxt, EMULATE_RAX, bytes), bytes);
	default:	/* CMPS */
		outcome = load(ctxt, bytes, &value);
		if (outcome != EMULATE_DONE)
			return outcome;
		return compare(ctxt, value, bytes);
	}
}

/* REPE and REPNE end with the flag; the other instructions with the count. */
static bool flag_ends(const struct emulate_ctxt *ctxt)
{
	bool zf = ctxt->work.rflags & FLAG_ZF;

	if (ctxt->insn.operation != OP_CMPS && ctxt->insn.operation != OP_SCAS)
		return false;
	return zf != !!(ctxt->insn.prefixes & INSN_PREFIX_REP);
}

enum emulate_outcome execute_string(struct emulate_ctxt *ctxt)
{
	bool port = ctxt->insn.operation == OP_INS ||
		    ctxt->insn.operation == OP_OUTS;
	unsigned int width = ctxt->insn.address_bytes;
	enum emulate_outcome outcome;
	u64 count = 1, left = 0;

	if (repeated(ctxt)) {
		left = reg_read(ctxt, EMULATE_RCX, width);
		count = left;
	}
	if (port) {
		outcome = port_string(ctxt, &count);
	} else if (count) {
		count = 1;
		outcome = element(ctxt);
	} else {
		return EMULATE_DONE;
	}
	if (outcome != EMULATE_DONE || !left)
		return outcome;
	left -= count;
	reg_write(ctxt, EMULATE_RCX, left, width);
	ctxt->repeat = left && !flag_ends(ctxt);
	return EMULATE_DONE;
}

/* IN, OUT */
enum emulate_outcome execute_io(struct emulate_ctxt *ctxt)
{
	const struct insn *insn = &ctxt->insn;
	u16 port = insn->opcode & 8 ? ctxt->work.regs[EMULATE_RDX] :
				      insn->imm & 0xff;
	unsigned int bytes = insn->operand_bytes > 4 ? 4 : insn->operand_bytes;
	enum emulate_outcome outcome;
	u32 value = 0;

	outcome = check_port(ctxt, port, bytes);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (insn->operation == OP_OUT) {
		value = reg_read(ctxt, EMULATE_RAX, bytes);
		return CALL_OP(ctxt, port_out, port, bytes, &value, 1);
	}
	outcome = CALL_OP(ctxt, port_in, port, bytes, &value, 1);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, EMULATE_RAX, value, bytes);
	return outcome;
}
