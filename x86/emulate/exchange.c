// SPDX-License-Identifier: GPL-2.0-only
/* XCHG, XADD and the compare-and-exchange instructions. */
#include "internal.h"

/* XCHG with memory is locked, with or without the prefix. */
static enum emulate_outcome exchange(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst, src;

	/* NOP and PAUSE: not even the upper half of RAX changes. */
	if (ctxt->insn.map == INSN_MAP_PRIMARY && ctxt->insn.opcode == 0x90 &&
	    !(ctxt->insn.rex & INSN_REX_B))
		return EMULATE_DONE;
	outcome = operand_open(ctxt, 1, USE_MODIFY, &src);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (dst.kind == INSN_OPERAND_MEM)
		outcome = CALL_OP(ctxt, cmpxchg, dst.linear, &dst.value,
				  &src.value, dst.bytes);
	else
		outcome = operand_write(ctxt, &dst, src.value);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &src, dst.value);
}

static enum emulate_outcome exchange_add(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst, src;
	u64 sum;

	outcome = operand_open(ctxt, 1, USE_MODIFY, &src);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	sum = alu_flags(ctxt, OP_ADD, dst.value, src.value, dst.bytes);
	/* In this order: with the same register twice, the sum stays. */
	outcome = operand_write(ctxt, &src, dst.value);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst, sum);
}

/* The destination is written whether it was equal or not. */
static enum emulate_outcome compare_exchange(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst, src;
	bool equal;
	u64 acc;

	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	acc = reg_read(ctxt, EMULATE_RAX, dst.bytes);
	alu_flags(ctxt, OP_CMP, acc, dst.value, dst.bytes);
	equal = acc == dst.value;
	if (!equal)
		reg_write(ctxt, EMULATE_RAX, dst.value, dst.bytes);
	else
		return operand_write(ctxt, &dst, src.value);
	/* A register keeps its upper half then. */
	if (dst.kind != INSN_OPERAND_MEM)
		return EMULATE_DONE;
	return operand_write(ctxt, &dst, dst.value);
}

/* CMPXCHG8B, CMPXCHG16B */
static enum emulate_outcome compare_exchange_pair(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.operand_bytes == 8 ? 8 : 4;
	enum emulate_outcome outcome;
	u8 old[16], new[16];
	u64 linear, low, high, a, d, b, c;

	outcome = mem_linear(ctxt, ctxt->insn.segment, mem_offset(ctxt), bytes * 2,
			     USE_MODIFY, &linear);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (bytes == 8 && (linear & 15))
		return emulate_fault_code(ctxt, VECTOR_GP, 0);
	outcome = ctxt->ops->read(ctxt, linear, old, bytes * 2,
				  EMULATE_ACCESS_MODIFY);
	if (outcome != EMULATE_DONE)
		return outcome;
	low = 0;
	high = 0;
	__builtin_memcpy(&low, old, bytes);
	__builtin_memcpy(&high, old + bytes, bytes);
	a = reg_read(ctxt, EMULATE_RAX, bytes);
	d = reg_read(ctxt, EMULATE_RDX, bytes);
	b = reg_read(ctxt, EMULATE_RBX, bytes);
	c = reg_read(ctxt, EMULATE_RCX, bytes);
	__builtin_memcpy(new, old, sizeof(new));
	if (a == low && d == high) {
		__builtin_memcpy(new, &b, bytes);
		__builtin_memcpy(new + bytes, &c, bytes);
		ctxt->work.rflags |= FLAG_ZF;
	} else {
		reg_write(ctxt, EMULATE_RAX, low, bytes);
		reg_write(ctxt, EMULATE_RDX, high, bytes);
		ctxt->work.rflags &= ~FLAG_ZF;
	}
	if (locked(ctxt))
		return CALL_OP(ctxt, cmpxchg, linear, old, new, bytes * 2);
	return ctxt->ops->write(ctxt, linear, new, bytes * 2, 0);
}

enum emulate_outcome execute_exchange(struct emulate_ctxt *ctxt)
{
	switch (ctxt->insn.operation) {
	case OP_XCHG:
		return exchange(ctxt);
	case OP_XADD:
		return exchange_add(ctxt);
	case OP_CMPXCHG:
		return compare_exchange(ctxt);
	default:
		return compare_exchange_pair(ctxt);
	}
}
