// SPDX-License-Identifier: GPL-2.0-only
/* Instructions on single flags. */
#include "internal.h"

/*
 * CLI and STI above IOPL: in virtual-8086 mode with VME, and at CPL 3 in
 * protected mode with PVI, they work on VIF; else they fault.
 */
static enum emulate_outcome virtual_if(struct emulate_ctxt *ctxt, bool set)
{
	bool v86 = ctxt->mode == EMULATE_VM86;
	enum emulate_outcome outcome;
	u64 cr4;

	outcome = CALL_OP(ctxt, get_cr, 4, &cr4);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (ctxt->cpl != 3 || !(cr4 & (v86 ? CR4_VME : CR4_PVI)))
		return emulate_fault_code(ctxt, VECTOR_GP, 0);
	if (!set) {
		ctxt->work.rflags &= ~FLAG_VIF;
		return EMULATE_DONE;
	}
	if (ctxt->work.rflags & FLAG_VIP)
		return emulate_fault_code(ctxt, VECTOR_GP, 0);
	ctxt->work.rflags |= FLAG_VIF;
	return EMULATE_DONE;
}

static enum emulate_outcome change_if(struct emulate_ctxt *ctxt, bool set)
{
	if (ctxt->cpl > iopl(ctxt))
		return virtual_if(ctxt, set);
	if (!set) {
		ctxt->work.rflags &= ~FLAG_IF;
		return EMULATE_DONE;
	}
	/* Interrupts that are enabled already have nothing to wait for. */
	if (!(ctxt->work.rflags & FLAG_IF))
		ctxt->shadow = EMULATE_SHADOW_STI;
	ctxt->work.rflags |= FLAG_IF;
	return EMULATE_DONE;
}

/* CLAC, STAC: #UD outside CPL 0. */
static enum emulate_outcome change_ac(struct emulate_ctxt *ctxt, bool set)
{
	if (ctxt->cpl)
		return emulate_fault(ctxt, VECTOR_UD);
	ctxt->work.rflags &= ~FLAG_AC;
	if (set)
		ctxt->work.rflags |= FLAG_AC;
	return EMULATE_DONE;
}

enum emulate_outcome execute_flag(struct emulate_ctxt *ctxt)
{
	const u64 low = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF;
	u64 *rflags = &ctxt->work.rflags;
	u64 ah;

	switch (ctxt->insn.operation) {
	case OP_LAHF:
		ah = (*rflags & low) | 2;
		ctxt->work.regs[EMULATE_RAX] &= ~0xff00ull;
		ctxt->work.regs[EMULATE_RAX] |= ah << 8;
		break;
	case OP_SAHF:
		ah = ctxt->work.regs[EMULATE_RAX] >> 8;
		*rflags = (*rflags & ~low) | (ah & low);
		break;
	case OP_CMC:
		*rflags ^= FLAG_CF;
		break;
	case OP_CLC:
		*rflags &= ~FLAG_CF;
		break;
	case OP_STC:
		*rflags |= FLAG_CF;
		break;
	case OP_CLD:
		*rflags &= ~FLAG_DF;
		break;
	case OP_STD:
		*rflags |= FLAG_DF;
		break;
	case OP_CLI:
		return change_if(ctxt, false);
	case OP_STI:
		return change_if(ctxt, true);
	case OP_CLAC:
		return change_ac(ctxt, false);
	default:	/* STAC */
		return change_ac(ctxt, true);
	}
	return EMULATE_DONE;
}
