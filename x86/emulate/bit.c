// SPDX-License-Identifier: GPL-2.0-only
/* Bit tests and bit searches. */
#include "internal.h"

/*
 * The operand that holds the bit. A register as bit offset reaches memory
 * beyond the operand, in either direction, by whole operands.
 */
static enum emulate_outcome open_bit(struct emulate_ctxt *ctxt,
				     enum operand_use use, struct operand *dst,
				     unsigned int *bit)
{
	struct insn *insn = &ctxt->insn;
	enum emulate_outcome outcome;
	struct operand src;
	u64 disp = insn->disp;
	u64 word;

	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome != EMULATE_DONE)
		return outcome;
	*bit = src.value & (insn->operand_bytes * 8 - 1);
	if (src.kind == INSN_OPERAND_GPR && insn->mod != 3) {
		word = sign_extend(src.value, src.bytes) & ~(u64)(src.bytes * 8 - 1);
		insn->disp += (u64)((s64)word >> 3);
	}
	outcome = operand_open(ctxt, 0, use, dst);
	insn->disp = disp;
	return outcome;
}

static enum emulate_outcome bit_test(struct emulate_ctxt *ctxt)
{
	unsigned int operation = ctxt->insn.operation;
	enum emulate_outcome outcome;
	struct operand dst;
	unsigned int bit;
	u64 mask;

	outcome = open_bit(ctxt, operation == OP_BT ? USE_READ : USE_MODIFY, &dst,
			   &bit);
	if (outcome != EMULATE_DONE)
		return outcome;
	mask = 1ull << bit;
	ctxt->work.rflags &= ~FLAG_CF;
	if (dst.value & mask)
		ctxt->work.rflags |= FLAG_CF;
	switch (operation) {
	case OP_BTS:
		return operand_write(ctxt, &dst, dst.value | mask);
	case OP_BTR:
		return operand_write(ctxt, &dst, dst.value & ~mask);
	case OP_BTC:
		return operand_write(ctxt, &dst, dst.value ^ mask);
	default:
		return EMULATE_DONE;
	}
}

static unsigned int ones(u64 value)
{
	unsigned int count = 0;

	for (; value; value &= value - 1)
		count++;
	return count;
}

/* Numbers of the lowest and highest bit set; the value is not 0. */
static unsigned int lowest(u64 value)
{
	return __builtin_ctzll(value);
}

static unsigned int highest(u64 value)
{
	return 63 - __builtin_clzll(value);
}

/* BSF and BSR of 0 leave the destination as it is. */
static enum emulate_outcome bit_scan(struct emulate_ctxt *ctxt,
				     struct operand *dst, u64 value)
{
	unsigned int result;

	ctxt->work.rflags &= ~FLAGS_ARITH;
	if (!value) {
		ctxt->work.rflags |= FLAG_ZF | FLAG_PF;
		return EMULATE_DONE;
	}
	result = ctxt->insn.operation == OP_BSF ? lowest(value) : highest(value);
	ctxt->work.rflags |= flags_result(result, dst->bytes) & ~FLAG_ZF;
	return operand_write(ctxt, dst, result);
}

static enum emulate_outcome bit_count(struct emulate_ctxt *ctxt,
				      struct operand *dst, u64 value)
{
	unsigned int bits = dst->bytes * 8;
	unsigned int result;

	ctxt->work.rflags &= ~FLAGS_ARITH;
	switch (ctxt->insn.operation) {
	case OP_POPCNT:
		result = ones(value);
		if (!value)
			ctxt->work.rflags |= FLAG_ZF;
		return operand_write(ctxt, dst, result);
	case OP_TZCNT:
		result = value ? lowest(value) : bits;
		break;
	default:	/* LZCNT */
		result = value ? bits - 1 - highest(value) : bits;
	}
	if (!value)
		ctxt->work.rflags |= FLAG_CF;
	if (!result)
		ctxt->work.rflags |= FLAG_ZF;
	return operand_write(ctxt, dst, result);
}

enum emulate_outcome execute_bit(struct emulate_ctxt *ctxt)
{
	unsigned int operation = ctxt->insn.operation;
	enum emulate_outcome outcome;
	struct operand dst, src;

	if (operation >= OP_BT && operation <= OP_BTC)
		return bit_test(ctxt);
	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (operation == OP_BSF || operation == OP_BSR)
		return bit_scan(ctxt, &dst, src.value);
	return bit_count(ctxt, &dst, src.value);
}
