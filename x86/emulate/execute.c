// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execution: which file does what, and the commit. An instruction works on a
 * copy of the registers, so it can be run again from the start until every
 * access of it has been answered.
 */
#include "internal.h"

static enum emulate_outcome flush_line(struct emulate_ctxt *ctxt)
{
	u64 linear;

	/* No cache to flush, but the address has to be one. */
	return mem_linear(ctxt, ctxt->insn.segment, mem_offset(ctxt), 1, USE_READ,
			  &linear);
}

static enum emulate_outcome dispatch(struct emulate_ctxt *ctxt)
{
	unsigned int operation = ctxt->insn.operation;

	if (operation <= OP_OTHER)
		return EMULATE_UNHANDLED;
	if (operation <= OP_LAST_ALU)
		return execute_alu(ctxt);
	if (operation <= OP_LAST_SHIFT)
		return execute_shift(ctxt);
	if (operation <= OP_LAST_MULDIV)
		return execute_muldiv(ctxt);
	if (operation <= OP_LAST_BIT)
		return execute_bit(ctxt);
	if (operation <= OP_LAST_EXCHANGE)
		return execute_exchange(ctxt);
	if (operation <= OP_LAST_MOVE)
		return execute_move(ctxt);
	if (operation <= OP_LAST_STACK)
		return execute_stack(ctxt);
	if (operation <= OP_LAST_FLAG)
		return execute_flag(ctxt);
	if (operation <= OP_LAST_NOP)
		return EMULATE_DONE;
	if (operation == OP_CLFLUSH)
		return flush_line(ctxt);
	if (operation <= OP_LAST_BRANCH)
		return execute_branch(ctxt);
	if (operation <= OP_LAST_STRING)
		return execute_string(ctxt);
	if (operation <= OP_LAST_IO)
		return execute_io(ctxt);
	if (operation <= OP_LAST_SYSTEM)
		return execute_system(ctxt);
	return execute_vector(ctxt);
}

/* The instruction pointer's size follows the mode. */
static u64 wrap_rip(const struct emulate_ctxt *ctxt, u64 rip)
{
	switch (ctxt->mode) {
	case EMULATE_LONG64:
		return rip;
	case EMULATE_PROT32:
		return (u32)rip;
	default:
		return (u16)rip;
	}
}

static void commit(struct emulate_ctxt *ctxt)
{
	unsigned int i;

	for (i = 0; i < EMULATE_NR_REGS; i++)
		ctxt->regs[i] = ctxt->work.regs[i];
	/* A step of a repeated instruction is not its end: RF stays too. */
	ctxt->rflags = ctxt->work.rflags;
	if (ctxt->repeat)
		return;
	ctxt->rflags &= ~FLAG_RF;
	ctxt->rip = ctxt->work.rip;
}

enum emulate_outcome emulate_execute(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	unsigned int i;

	for (i = 0; i < EMULATE_NR_REGS; i++)
		ctxt->work.regs[i] = ctxt->regs[i];
	ctxt->work.rflags = ctxt->rflags;
	ctxt->work.rip = wrap_rip(ctxt, ctxt->rip + ctxt->insn.length);
	ctxt->repeat = false;
	ctxt->halt = false;
	ctxt->shadow = EMULATE_SHADOW_NONE;

	outcome = dispatch(ctxt);
	if (outcome == EMULATE_DONE) {
		commit(ctxt);
	} else {
		ctxt->repeat = false;
		ctxt->halt = false;
		ctxt->shadow = EMULATE_SHADOW_NONE;
	}
	return outcome;
}
