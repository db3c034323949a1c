// SPDX-License-Identifier: GPL-2.0-only
/* Moves between registers and memory, and conversions. */
#include "internal.h"

/**
 * condition_met() - evaluate a condition code
 * @ctxt: the instruction
 * @condition: low four bits of the opcode of Jcc, SETcc, CMOVcc
 *
 * Return: whether the flags meet it.
 */
bool condition_met(const struct emulate_ctxt *ctxt, unsigned int condition)
{
	u64 flags = ctxt->work.rflags;
	bool less = !(flags & FLAG_SF) != !(flags & FLAG_OF);
	bool met;

	switch ((condition >> 1) & 7) {
	case 0:
		met = flags & FLAG_OF;
		break;
	case 1:
		met = flags & FLAG_CF;
		break;
	case 2:
		met = flags & FLAG_ZF;
		break;
	case 3:
		met = flags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		met = flags & FLAG_SF;
		break;
	case 5:
		met = flags & FLAG_PF;
		break;
	case 6:
		met = less;
		break;
	default:
		met = less || (flags & FLAG_ZF);
	}
	return met ^ (condition & 1);
}

static u64 swap_bytes(u64 value, unsigned int bytes)
{
	return __builtin_bswap64(value) >> (64 - bytes * 8);
}

/* The value to move, from the source as it was read. */
static u64 convert(const struct emulate_ctxt *ctxt, const struct operand *src,
		   unsigned int bytes)
{
	switch (ctxt->insn.operation) {
	case OP_MOVSX:
		return sign_extend(src->value, src->bytes);
	case OP_MOVBE:
		return swap_bytes(src->value, bytes);
	default:
		return src->value;
	}
}

static enum emulate_outcome move(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst, src;

	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome != EMULATE_DONE)
		return outcome;
	outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst, convert(ctxt, &src, dst.bytes));
}

/* The source is read in any case, and 32 bits are written in any case. */
static enum emulate_outcome move_if(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst, src;

	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst,
			     condition_met(ctxt, ctxt->insn.opcode) ? src.value :
								      dst.value);
}

static enum emulate_outcome set_if(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst;

	outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst, condition_met(ctxt, ctxt->insn.opcode));
}

static enum emulate_outcome swap(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand dst;

	outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	/* 16 bits: undefined by the manual; processors clear them. */
	return operand_write(ctxt, &dst, dst.bytes == 2 ? 0 :
			     swap_bytes(dst.value, dst.bytes));
}

/* CBW, CWDE, CDQE; CWD, CDQ, CQO */
static enum emulate_outcome widen(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = ctxt->insn.operand_bytes;
	u64 acc = ctxt->work.regs[EMULATE_RAX];

	if (ctxt->insn.operation == OP_CBW)
		reg_write(ctxt, EMULATE_RAX, sign_extend(acc, bytes / 2), bytes);
	else
		reg_write(ctxt, EMULATE_RDX, acc & sign_bit(bytes) ? ~0ull : 0,
			  bytes);
	return EMULATE_DONE;
}

/* XLAT: the byte at segment:[rBX + AL] */
static enum emulate_outcome translate(struct emulate_ctxt *ctxt)
{
	u64 offset = ctxt->work.regs[EMULATE_RBX] + reg_read(ctxt, EMULATE_RAX, 1);
	enum emulate_outcome outcome;
	u64 linear, value;

	offset &= size_mask(ctxt->insn.address_bytes);
	outcome = mem_linear(ctxt, ctxt->insn.segment, offset, 1, USE_READ, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_read(ctxt, linear, &value, 1, 0);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, EMULATE_RAX, value, 1);
	return outcome;
}

static enum emulate_outcome load_address(struct emulate_ctxt *ctxt)
{
	reg_write(ctxt, ctxt->insn.reg, mem_offset(ctxt), ctxt->insn.operand_bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome from_sreg(struct emulate_ctxt *ctxt)
{
	struct emulate_segment segment;
	enum emulate_outcome outcome;
	struct operand dst;

	if ((ctxt->insn.reg & 7) > EMULATE_GS)
		return emulate_fault(ctxt, VECTOR_UD);
	outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->get_segment(ctxt, ctxt->insn.reg & 7, &segment);
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst, segment.selector);
}

static enum emulate_outcome to_sreg(struct emulate_ctxt *ctxt)
{
	enum emulate_seg seg = ctxt->insn.reg & 7;
	enum emulate_outcome outcome;
	struct operand src;

	if (seg == EMULATE_CS || seg > EMULATE_GS)
		return emulate_fault(ctxt, VECTOR_UD);
	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome == EMULATE_DONE)
		outcome = segment_load(ctxt, seg, src.value);
	if (outcome == EMULATE_DONE && seg == EMULATE_SS)
		ctxt->shadow = EMULATE_SHADOW_MOV_SS;
	return outcome;
}

/* LES, LDS, LSS, LFS, LGS */
static enum emulate_outcome load_far(struct emulate_ctxt *ctxt)
{
	static const u8 segments[8] = {
		[0x2] = EMULATE_SS, [0x4] = EMULATE_FS, [0x5] = EMULATE_GS,
	};
	unsigned int bytes = ctxt->insn.operand_bytes;
	unsigned int opcode = ctxt->insn.opcode;
	enum emulate_outcome outcome;
	enum emulate_seg seg;
	u64 linear, offset = 0;
	u16 selector;
	u8 buf[10];

	if (ctxt->insn.map == INSN_MAP_PRIMARY)
		seg = opcode == 0xc4 ? EMULATE_ES : EMULATE_DS;
	else
		seg = segments[opcode & 7];
	outcome = mem_linear(ctxt, ctxt->insn.segment, mem_offset(ctxt), bytes + 2,
			     USE_READ, &linear);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->read(ctxt, linear, buf, bytes + 2, 0);
	if (outcome != EMULATE_DONE)
		return outcome;
	__builtin_memcpy(&offset, buf, bytes);
	__builtin_memcpy(&selector, buf + bytes, 2);
	outcome = segment_load(ctxt, seg, selector);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, ctxt->insn.reg, offset, bytes);
	return outcome;
}

enum emulate_outcome execute_move(struct emulate_ctxt *ctxt)
{
	switch (ctxt->insn.operation) {
	case OP_BSWAP:
		return swap(ctxt);
	case OP_LEA:
		return load_address(ctxt);
	case OP_CMOV:
		return move_if(ctxt);
	case OP_SETCC:
		return set_if(ctxt);
	case OP_CBW:
	case OP_CWD:
		return widen(ctxt);
	case OP_XLAT:
		return translate(ctxt);
	case OP_SALC:
		reg_write(ctxt, EMULATE_RAX,
			  ctxt->work.rflags & FLAG_CF ? 0xff : 0, 1);
		return EMULATE_DONE;
	case OP_MOV_FROM_SREG:
		return from_sreg(ctxt);
	case OP_MOV_TO_SREG:
		return to_sreg(ctxt);
	case OP_LOAD_FAR:
		return load_far(ctxt);
	default:	/* MOV, MOVZX, MOVSX, MOVBE */
		return move(ctxt);
	}
}
