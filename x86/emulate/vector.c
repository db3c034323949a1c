// SPDX-License-Identifier: GPL-2.0-only
/* SSE and AVX moves between registers and memory. */
#include "internal.h"

#define XCR0_SSE_AVX	6u

/* May SSE, or AVX if encoded so, be used now? */
static enum emulate_outcome check_enabled(struct emulate_ctxt *ctxt)
{
	bool vex = ctxt->insn.prefixes & INSN_PREFIX_VEX;
	enum emulate_outcome outcome;
	u64 cr0, cr4, xcr0 = XCR0_SSE_AVX;
	bool enabled;

	outcome = CALL_OP(ctxt, get_cr, 0, &cr0);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_cr, 4, &cr4);
	if (outcome == EMULATE_DONE && vex && (cr4 & CR4_OSXSAVE))
		outcome = CALL_OP(ctxt, get_xcr, 0, &xcr0);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (vex)
		enabled = (cr4 & CR4_OSXSAVE) &&
			  (xcr0 & XCR0_SSE_AVX) == XCR0_SSE_AVX;
	else
		enabled = (cr4 & CR4_OSFXSR) && !(cr0 & CR0_EM);
	if (!enabled)
		return emulate_fault(ctxt, VECTOR_UD);
	return cr0 & CR0_TS ? emulate_fault(ctxt, VECTOR_NM) : EMULATE_DONE;
}

/**
 * struct transfer - a move between memory and a part of a register
 * @linear: memory
 * @bytes: how many
 * @offset: where in the register
 * @keep: a load leaves the register's other half as it was
 */
struct transfer {
	u64 linear;
	unsigned int bytes;
	unsigned int offset;
	bool keep;
};

static enum emulate_outcome load(struct emulate_ctxt *ctxt,
				 const struct transfer *t)
{
	const struct insn *insn = &ctxt->insn;
	bool vex = insn->prefixes & INSN_PREFIX_VEX;
	enum emulate_outcome outcome = EMULATE_DONE;
	u8 buf[32] = { 0 };

	if (t->keep)
		outcome = CALL_OP(ctxt, read_vector, vex ? insn->vvvv : insn->reg,
				  buf, 16);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->read(ctxt, t->linear, buf + t->offset,
					  t->bytes, 0);
	if (outcome != EMULATE_DONE)
		return outcome;
	/* VEX clears what it does not load. */
	return CALL_OP(ctxt, write_vector, insn->reg, buf, vex ? 32 : 16);
}

static enum emulate_outcome store(struct emulate_ctxt *ctxt,
				  const struct transfer *t)
{
	enum emulate_outcome outcome;
	u8 buf[32];

	outcome = CALL_OP(ctxt, read_vector, ctxt->insn.reg, buf,
			  t->bytes > 16 ? 32 : 16);
	if (outcome != EMULATE_DONE)
		return outcome;
	return ctxt->ops->write(ctxt, t->linear, buf + t->offset, t->bytes, 0);
}

enum emulate_outcome execute_vector(struct emulate_ctxt *ctxt)
{
	const struct insn *insn = &ctxt->insn;
	unsigned int place = SPEC_PLACE(insn->row->operand[0]);
	bool is_store = place == P_W || place == P_E;
	unsigned int operation = insn->operation;
	enum emulate_outcome outcome;
	struct transfer t = { 0 };
	unsigned int spec;
	bool misaligned;

	/* Between registers, or MMX. */
	if (insn->mod == 3 || (operation == OP_MOVD && insn->simd != 0x66))
		return EMULATE_UNHANDLED;
	outcome = check_enabled(ctxt);
	if (outcome != EMULATE_DONE)
		return outcome;
	t.keep = operation == OP_MOVL || operation == OP_MOVH;
	t.offset = operation == OP_MOVH ? 8 : 0;
	/* Memory is the first operand, or the last one. */
	spec = insn->row->operand[0];
	if (!is_store)
		spec = insn->row->operand[insn->row->operand[2] ? 2 : 1];
	t.bytes = spec_bytes(insn, spec, true);
	outcome = mem_linear(ctxt, insn->segment, mem_offset(ctxt), t.bytes,
			     is_store ? USE_WRITE : USE_READ, &t.linear);
	if (outcome == EMULATE_DONE)
		misaligned = t.linear & (t.bytes - 1);
	else
		misaligned = mem_offset(ctxt) & (t.bytes - 1);
	/* Alignment comes before the segment: #GP even where #SS is due too. */
	if (operation == OP_MOVA && misaligned &&
	    (outcome == EMULATE_DONE || outcome == EMULATE_FAULT))
		return emulate_fault_code(ctxt, VECTOR_GP, 0);
	if (outcome != EMULATE_DONE)
		return outcome;
	return is_store ? store(ctxt, &t) : load(ctxt, &t);
}
