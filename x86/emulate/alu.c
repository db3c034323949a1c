// SPDX-License-Identifier: GPL-2.0-only
/* Addition, subtraction, logic: the instructions that set all six flags. */
#include "internal.h"

/* PF, ZF and SF of a result; parity is that of the low byte. */
u64 flags_result(u64 result, unsigned int bytes)
{
	unsigned int nibble = (result ^ (result >> 4)) & 15;
	u64 flags = 0;

	/* Bit n of the constant: n has an even number of ones. */
	if ((0x9669 >> nibble) & 1)
		flags |= FLAG_PF;
	if (!(result & size_mask(bytes)))
		flags |= FLAG_ZF;
	if (result & sign_bit(bytes))
		flags |= FLAG_SF;
	return flags;
}

static u64 flags_add(u64 a, u64 b, u64 result, unsigned int bytes)
{
	u64 carries = (a & b) | ((a | b) & ~result);
	u64 flags = flags_result(result, bytes);

	if (carries & sign_bit(bytes))
		flags |= FLAG_CF;
	if ((a ^ result) & (b ^ result) & sign_bit(bytes))
		flags |= FLAG_OF;
	return flags | ((a ^ b ^ result) & FLAG_AF);
}

static u64 flags_sub(u64 a, u64 b, u64 result, unsigned int bytes)
{
	u64 borrows = (~a & b) | ((~a | b) & result);
	u64 flags = flags_result(result, bytes);

	if (borrows & sign_bit(bytes))
		flags |= FLAG_CF;
	if ((a ^ b) & (a ^ result) & sign_bit(bytes))
		flags |= FLAG_OF;
	return flags | ((a ^ b ^ result) & FLAG_AF);
}

/* The result of an operation and, in flags, the six flags. */
static u64 alu_compute(unsigned int operation, u64 a, u64 b, u64 carry,
		       unsigned int bytes, u64 *flags)
{
	u64 result;

	switch (operation) {
	case OP_ADD:
	case OP_XADD:
	case OP_INC:
		result = a + b;
		*flags = flags_add(a, b, result, bytes);
		return result;
	case OP_ADC:
		result = a + b + carry;
		*flags = flags_add(a, b, result, bytes);
		return result;
	case OP_SBB:
		result = a - b - carry;
		*flags = flags_sub(a, b, result, bytes);
		return result;
	case OP_OR:
		result = a | b;
		break;
	case OP_AND:
	case OP_TEST:
		result = a & b;
		break;
	case OP_XOR:
		result = a ^ b;
		break;
	default:	/* SUB, CMP, DEC, NEG */
		result = a - b;
		*flags = flags_sub(a, b, result, bytes);
		return result;
	}
	*flags = flags_result(result, bytes);
	return result;
}

/**
 * alu_flags() - compute, and put the six flags in the flags register
 * @ctxt: the instruction
 * @operation: one of the two-operand arithmetic operations
 * @a: first operand
 * @b: second operand
 * @bytes: operand size
 *
 * Return: the result; bits above the operand size have no meaning.
 */
u64 alu_flags(struct emulate_ctxt *ctxt, unsigned int operation, u64 a, u64 b,
	      unsigned int bytes)
{
	u64 flags, result;

	result = alu_compute(operation, a, b, ctxt->work.rflags & FLAG_CF, bytes,
			     &flags);
	ctxt->work.rflags = (ctxt->work.rflags & ~FLAGS_ARITH) | flags;
	return result;
}

static enum emulate_outcome alu_unary(struct emulate_ctxt *ctxt)
{
	unsigned int operation = ctxt->insn.operation;
	u64 carry = ctxt->work.rflags & FLAG_CF;
	enum emulate_outcome outcome;
	struct operand dst;
	u64 result;

	outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	switch (operation) {
	case OP_NOT:
		result = ~dst.value;
		break;
	case OP_NEG:
		result = alu_flags(ctxt, OP_SUB, 0, dst.value, dst.bytes);
		break;
	default:	/* INC, DEC: CF stays */
		result = alu_flags(ctxt, operation, dst.value, 1, dst.bytes);
		ctxt->work.rflags &= ~FLAG_CF;
		ctxt->work.rflags |= carry;
	}
	return operand_write(ctxt, &dst, result);
}

static enum emulate_outcome alu_binary(struct emulate_ctxt *ctxt)
{
	unsigned int operation = ctxt->insn.operation;
	bool compare = operation == OP_CMP || operation == OP_TEST;
	enum emulate_outcome outcome;
	struct operand dst, src;
	u64 result;

	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome != EMULATE_DONE)
		return outcome;
	outcome = operand_open(ctxt, 0, compare ? USE_READ : USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	result = alu_flags(ctxt, operation, dst.value, src.value, dst.bytes);
	return compare ? EMULATE_DONE : operand_write(ctxt, &dst, result);
}

enum emulate_outcome execute_alu(struct emulate_ctxt *ctxt)
{
	switch (ctxt->insn.operation) {
	case OP_INC:
	case OP_DEC:
	case OP_NOT:
	case OP_NEG:
		return alu_unary(ctxt);
	default:
		return alu_binary(ctxt);
	}
}
