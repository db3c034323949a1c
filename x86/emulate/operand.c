// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands: what the tables' letters mean for a decoded instruction, and the
 * reading and writing of general registers and memory through them.
 */
#include "internal.h"

static unsigned int by_simd(const struct insn *insn, unsigned int whole)
{
	if (insn->simd == 0xf3)
		return 4;
	if (insn->simd == 0xf2)
		return 8;
	return whole;
}

/* The size in bytes of an operand; 0 if it has none. */
unsigned int spec_bytes(const struct insn *insn, unsigned int spec, bool memory)
{
	bool wide = insn->rex & INSN_REX_W;

	switch (SPEC_WIDTH(spec)) {
	case W_1:
		return 1;
	case W_2:
		return 2;
	case W_4:
		return 4;
	case W_8:
		return 8;
	case W_10:
		return 10;
	case W_16:
		return 16;
	case W_32:
		return 32;
	case W_V:
		return insn->operand_bytes;
	case W_Z:
		return insn->operand_bytes > 4 ? 4 : insn->operand_bytes;
	case W_Y:
		return wide ? 8 : 4;
	case W_VX:
		return insn->vector_bytes;
	case W_VX2:
		return insn->vector_bytes / 2;
	case W_VX4:
		return insn->vector_bytes / 4;
	case W_VX8:
		return insn->vector_bytes / 8;
	case W_FP:
		return by_simd(insn, insn->vector_bytes);
	case W_MX:
		return insn->simd == 0x66 ? insn->vector_bytes : 8;
	case W_TABLE:
		return insn->operand_bytes == 8 ? 10 : 6;
	case W_FARP:
		return insn->operand_bytes + 2;
	case W_V2:
		return insn->operand_bytes * 2;
	case W_PAIR:
		return insn->operand_bytes == 8 ? 16 : 8;
	case W_M2R:
		return memory ? 2 : insn->operand_bytes;
	case W_SYS:
		return insn->operand_bytes == 8 ? 8 : 4;
	case W_MB:
		return memory ? 1 : 4;
	case W_MW:
		return memory ? 2 : 4;
	case W_COMI:
		return insn->simd == 0x66 ? 8 : 4;
	case W_FMA:
		return wide ? 8 : 4;
	default:
		return 0;
	}
}

static void set_gpr(const struct insn *insn, unsigned int reg,
		    struct insn_operand *operand)
{
	operand->kind = INSN_OPERAND_GPR;
	operand->reg = reg;
	/* Without REX, byte registers 4 to 7 are AH, CH, DH, BH. */
	if (operand->bytes == 1 && !insn->rex && reg >= 4 &&
	    !(insn->prefixes & INSN_PREFIX_VEX)) {
		operand->reg = reg - 4;
		operand->high = true;
	}
}

static void set_rm(const struct insn *insn, unsigned int kind,
		   struct insn_operand *operand)
{
	if (insn->mod != 3) {
		operand->kind = INSN_OPERAND_MEM;
	} else if (kind == INSN_OPERAND_GPR) {
		set_gpr(insn, insn->rm, operand);
	} else {
		operand->kind = kind;
		operand->reg = kind == INSN_OPERAND_MMX ? insn->rm & 7 : insn->rm;
	}
}

static void set_reg(unsigned int kind, unsigned int reg,
		    struct insn_operand *operand)
{
	operand->kind = kind;
	operand->reg = reg;
}

static void set_imm(unsigned int kind, u64 imm, struct insn_operand *operand)
{
	operand->kind = kind;
	operand->imm = imm;
}

/* Vector registers; MMX where no prefix 66 makes it SSE. */
static void describe_vector(const struct insn *insn, unsigned int place,
			    struct insn_operand *operand)
{
	unsigned int either = insn->simd == 0x66 ? INSN_OPERAND_XMM :
						   INSN_OPERAND_MMX;

	switch (place) {
	case P_V:
		set_reg(INSN_OPERAND_XMM, insn->reg, operand);
		break;
	case P_W:
		set_rm(insn, INSN_OPERAND_XMM, operand);
		break;
	case P_H:
		set_reg(INSN_OPERAND_XMM, insn->vvvv, operand);
		break;
	case P_L:
		set_reg(INSN_OPERAND_XMM, (insn->imm >> 4) & 15, operand);
		break;
	case P_X0:
		set_reg(INSN_OPERAND_XMM, 0, operand);
		break;
	case P_PMMX:
		set_reg(INSN_OPERAND_MMX, insn->reg & 7, operand);
		break;
	case P_QMMX:
		set_rm(insn, INSN_OPERAND_MMX, operand);
		break;
	case P_PV:
		set_reg(either, either == INSN_OPERAND_XMM ? insn->reg : insn->reg & 7,
			operand);
		break;
	case P_QW:
		set_rm(insn, either, operand);
		break;
	default:
		break;
	}
}

static void describe(const struct insn *insn, unsigned int place,
		     struct insn_operand *operand)
{
	switch (place) {
	case P_E:
		set_rm(insn, INSN_OPERAND_GPR, operand);
		break;
	case P_G:
		set_gpr(insn, insn->reg, operand);
		break;
	case P_Z:
		set_gpr(insn, (insn->opcode & 7) | (insn->rex & INSN_REX_B) << 3,
			operand);
		break;
	case P_ACC:
		set_reg(INSN_OPERAND_GPR, EMULATE_RAX, operand);
		break;
	case P_CL:
		set_reg(INSN_OPERAND_GPR, EMULATE_RCX, operand);
		break;
	case P_DX:
		set_reg(INSN_OPERAND_GPR, EMULATE_RDX, operand);
		break;
	case P_B:
		set_reg(INSN_OPERAND_GPR, insn->vvvv, operand);
		break;
	case P_ONE:
		set_imm(INSN_OPERAND_IMM, 1, operand);
		break;
	case P_I:
		set_imm(INSN_OPERAND_IMM, insn->imm, operand);
		break;
	case P_I2:
		set_imm(INSN_OPERAND_IMM, insn->imm2, operand);
		break;
	case P_J:
		set_imm(INSN_OPERAND_BRANCH, insn->imm, operand);
		break;
	case P_A:
		set_imm(INSN_OPERAND_FAR, insn->imm, operand);
		break;
	case P_M:
		/* x87 has registers of its own where there is no memory. */
		if (insn->mod != 3)
			operand->kind = INSN_OPERAND_MEM;
		break;
	case P_O:
		operand->kind = INSN_OPERAND_MEM;
		break;
	case P_S:
		set_reg(INSN_OPERAND_SREG, insn->reg & 7, operand);
		break;
	case P_SEG:
		set_reg(INSN_OPERAND_SREG, (insn->opcode >> 3) & 7, operand);
		break;
	case P_C:
		set_reg(INSN_OPERAND_CR, insn->reg, operand);
		if (insn->prefixes & INSN_PREFIX_LOCK)
			operand->reg = 8;
		break;
	case P_D:
		set_reg(INSN_OPERAND_DR, insn->reg, operand);
		break;
	case P_X:
		operand->kind = INSN_OPERAND_STRING_SRC;
		break;
	case P_Y:
		operand->kind = INSN_OPERAND_STRING_DST;
		break;
	default:
		describe_vector(insn, place, operand);
	}
}

void insn_operand(const struct insn *insn, unsigned int index,
		  struct insn_operand *operand)
{
	const u16 *spec = insn->row->operand;
	unsigned int seen = 0, i;

	operand->imm = 0;
	operand->kind = INSN_OPERAND_NONE;
	operand->reg = 0;
	operand->bytes = 0;
	operand->high = false;
	for (i = 0; i < INSN_MAX_OPERANDS; i++) {
		if (SPEC_PLACE(spec[i]) == P_NONE)
			continue;
		/* The additional source of VEX is not there without it. */
		if (SPEC_PLACE(spec[i]) == P_H &&
		    !(insn->prefixes & INSN_PREFIX_VEX))
			continue;
		if (seen++ == index) {
			operand->bytes = spec_bytes(insn, spec[i], insn->mod != 3);
			describe(insn, SPEC_PLACE(spec[i]), operand);
			if (operand->kind == INSN_OPERAND_NONE)
				operand->bytes = 0;
			return;
		}
	}
}

/* The executed operands of general instructions. */
static unsigned int gpr_of(const struct insn *insn, unsigned int place)
{
	switch (place) {
	case P_E:
		return insn->rm;
	case P_G:
		return insn->reg;
	case P_Z:
		return (insn->opcode & 7) | (insn->rex & INSN_REX_B) << 3;
	case P_ACC:
		return EMULATE_RAX;
	case P_DX:
		return EMULATE_RDX;
	default:	/* P_CL */
		return EMULATE_RCX;
	}
}

static void open_gpr(struct emulate_ctxt *ctxt, unsigned int place,
		     enum operand_use use, struct operand *operand)
{
	const struct insn *insn = &ctxt->insn;
	unsigned int reg = gpr_of(insn, place);

	operand->kind = INSN_OPERAND_GPR;
	operand->shift = 0;
	if (operand->bytes == 1 && !insn->rex && reg >= 4 && place < P_ACC) {
		reg -= 4;
		operand->shift = 8;
	}
	operand->reg = reg;
	if (use & USE_READ)
		operand->value = (ctxt->work.regs[reg] >> operand->shift) &
				 size_mask(operand->bytes);
}

/**
 * operand_open() - find an operand and read it if asked to
 * @ctxt: the instruction
 * @index: which one
 * @use: what is going to be done to it
 * @operand: filled
 *
 * A memory operand's address is checked for @use.
 *
 * Return: enum emulate_outcome.
 */
enum emulate_outcome operand_open(struct emulate_ctxt *ctxt, unsigned int index,
				  enum operand_use use, struct operand *operand)
{
	const struct insn *insn = &ctxt->insn;
	unsigned int spec = insn->row->operand[index];
	unsigned int place = SPEC_PLACE(spec);
	bool memory = place == P_M || place == P_O || (place == P_E && insn->mod != 3);
	enum emulate_outcome outcome;

	operand->value = 0;
	operand->bytes = spec_bytes(insn, spec, memory);
	if (memory) {
		operand->kind = INSN_OPERAND_MEM;
		outcome = mem_linear(ctxt, insn->segment, mem_offset(ctxt),
				     operand->bytes, use, &operand->linear);
		if (outcome != EMULATE_DONE || !(use & USE_READ))
			return outcome;
		return mem_read(ctxt, operand->linear, &operand->value,
				operand->bytes,
				use & USE_WRITE ? EMULATE_ACCESS_MODIFY : 0);
	}
	switch (place) {
	case P_I:
		operand->kind = INSN_OPERAND_IMM;
		operand->value = insn->imm;
		return EMULATE_DONE;
	case P_ONE:
		operand->kind = INSN_OPERAND_IMM;
		operand->value = 1;
		return EMULATE_DONE;
	case P_E:
	case P_G:
	case P_Z:
	case P_ACC:
	case P_CL:
	case P_DX:
		open_gpr(ctxt, place, use, operand);
		return EMULATE_DONE;
	default:
		return EMULATE_UNHANDLED;
	}
}

/**
 * operand_write() - write an opened operand
 * @ctxt: the instruction
 * @operand: opened for writing; for modifying if the instruction may have LOCK
 * @value: low bytes are written
 *
 * Return: enum emulate_outcome.
 */
enum emulate_outcome operand_write(struct emulate_ctxt *ctxt,
				   struct operand *operand, u64 value)
{
	unsigned int reg = operand->reg;
	u64 mask;

	if (operand->kind == INSN_OPERAND_MEM) {
		if (locked(ctxt))
			return CALL_OP(ctxt, cmpxchg, operand->linear,
				       &operand->value, &value, operand->bytes);
		return mem_write(ctxt, operand->linear, value, operand->bytes);
	}
	if (operand->shift) {
		mask = 0xffull << operand->shift;
		value = (value << operand->shift) & mask;
		ctxt->work.regs[reg] = (ctxt->work.regs[reg] & ~mask) | value;
	} else {
		reg_write(ctxt, reg, value, operand->bytes);
	}
	return EMULATE_DONE;
}
