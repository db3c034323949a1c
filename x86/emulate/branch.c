// SPDX-License-Identifier: GPL-2.0-only
/* Near branches, calls and returns. */
#include "internal.h"

/* Go on at an address, cut to the operand size. */
static enum emulate_outcome go_to(struct emulate_ctxt *ctxt, u64 target)
{
	enum emulate_outcome outcome;

	target &= size_mask(ctxt->insn.operand_bytes);
	outcome = check_target(ctxt, target);
	if (outcome == EMULATE_DONE)
		ctxt->work.rip = target;
	return outcome;
}

static enum emulate_outcome go_relative(struct emulate_ctxt *ctxt)
{
	return go_to(ctxt, ctxt->work.rip + ctxt->insn.imm);
}

/* The target is checked before the stack is written. */
static enum emulate_outcome call(struct emulate_ctxt *ctxt, u64 target)
{
	u64 next = ctxt->work.rip;
	enum emulate_outcome outcome;

	outcome = go_to(ctxt, target);
	if (outcome != EMULATE_DONE)
		return outcome;
	return stack_push(ctxt, next, ctxt->insn.operand_bytes);
}

static enum emulate_outcome ret(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	unsigned int width;
	u64 target;

	outcome = stack_bytes(ctxt, &width);
	if (outcome == EMULATE_DONE)
		outcome = stack_pop(ctxt, &target, ctxt->insn.operand_bytes);
	if (outcome != EMULATE_DONE)
		return outcome;
	reg_write(ctxt, EMULATE_RSP,
		  ctxt->work.regs[EMULATE_RSP] + ctxt->insn.imm, width);
	return go_to(ctxt, target);
}

/* LOOPNE, LOOPE, LOOP: the counter has the address size. */
static enum emulate_outcome loop(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.address_bytes;
	bool zf = ctxt->work.rflags & FLAG_ZF;
	u64 count = (ctxt->work.regs[EMULATE_RCX] - 1) & size_mask(bytes);
	bool taken = count;

	reg_write(ctxt, EMULATE_RCX, count, bytes);
	if (ctxt->insn.opcode == 0xe0)
		taken = taken && !zf;
	else if (ctxt->insn.opcode == 0xe1)
		taken = taken && zf;
	return taken ? go_relative(ctxt) : EMULATE_DONE;
}

enum emulate_outcome execute_branch(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand target;

	switch (ctxt->insn.operation) {
	case OP_JMP:
		return go_relative(ctxt);
	case OP_JCC:
		if (!condition_met(ctxt, ctxt->insn.opcode))
			return EMULATE_DONE;
		return go_relative(ctxt);
	case OP_CALL:
		return call(ctxt, ctxt->work.rip + ctxt->insn.imm);
	case OP_RET:
		return ret(ctxt);
	case OP_LOOP:
		return loop(ctxt);
	case OP_JCXZ:
		if (reg_read(ctxt, EMULATE_RCX, ctxt->insn.address_bytes))
			return EMULATE_DONE;
		return go_relative(ctxt);
	default:
		break;
	}
	outcome = operand_open(ctxt, 0, USE_READ, &target);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (ctxt->insn.operation == OP_CALL_ABS)
		return call(ctxt, target.value);
	return go_to(ctxt, target.value);
}
