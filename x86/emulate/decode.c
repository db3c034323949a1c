// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instruction decoding: prefixes, opcode, ModRM and what depends on it,
 * immediates. Short instructions are what a hypervisor meets on every exit, so
 * nothing is cleared wholesale and every step looks at the row first.
 */
#include "internal.h"

/**
 * struct decoder - what is known while an instruction is read
 * @next: the next byte
 * @end: behind the last byte that may be looked at
 * @row: the opcode's row so far
 * @mode: the CPU's mode
 * @map: enum insn_map
 * @opcode: last opcode byte
 * @prefixes: bits of enum insn_prefix
 * @rex: bits of enum insn_rex
 * @segment: override, or SEGMENT_NONE
 * @simd: mandatory prefix: 0, 0x66, 0xf3, 0xf2
 * @vvvv: VEX.vvvv, not inverted
 * @vector_bytes: 16 or 32
 */
struct decoder {
	const u8 *next;
	const u8 *end;
	const struct insn_row *row;
	enum emulate_mode mode;
	u8 map;
	u8 opcode;
	u8 prefixes;
	u8 rex;
	u8 segment;
	u8 simd;
	u8 vvvv;
	u8 vector_bytes;
};

#define SEGMENT_NONE	0xff

/* Internal status: the bytes ended. */
#define INSN_SHORT	(-1)

static __always_inline unsigned int bytes_left(const struct decoder *d)
{
	return d->end - d->next;
}

static __always_inline u64 fetch(struct decoder *d, unsigned int bytes)
{
	u64 value = 0;

	/* The size is a constant at each call: a plain unaligned load. */
	__builtin_memcpy(&value, d->next, bytes);
	d->next += bytes;
	return value;
}

/*
 * One legacy prefix. Of F2 and F3, and of segment overrides, the last counts;
 * 64-bit mode does not look at overrides other than FS and GS.
 */
static void take_prefix(struct decoder *d, u8 byte)
{
	switch (byte) {
	case 0x64:
	case 0x65:
		d->segment = byte - 0x64 + EMULATE_FS;
		break;
	case 0x66:
		d->prefixes |= INSN_PREFIX_OPSIZE;
		break;
	case 0x67:
		d->prefixes |= INSN_PREFIX_ADDRSIZE;
		break;
	case 0xf0:
		d->prefixes |= INSN_PREFIX_LOCK;
		break;
	case 0xf2:
		d->prefixes &= ~INSN_PREFIX_REP;
		d->prefixes |= INSN_PREFIX_REPNE;
		break;
	case 0xf3:
		d->prefixes &= ~INSN_PREFIX_REPNE;
		d->prefixes |= INSN_PREFIX_REP;
		break;
	default:	/* 26, 2E, 36, 3E */
		if (d->mode != EMULATE_LONG64)
			d->segment = (byte >> 3) & 3;
	}
}

/* All prefixes, up to the opcode; REX counts only right before it. */
static noinline int decode_prefixes(struct decoder *d)
{
	for (;;) {
		if (d->row->attr & A_PREFIX) {
			d->rex = 0;
			take_prefix(d, d->opcode);
		} else if ((d->row->attr & A_REX) && d->mode == EMULATE_LONG64) {
			d->rex = INSN_REX_PRESENT | (d->opcode & 15);
		} else {
			break;
		}
		if (unlikely(!bytes_left(d)))
			return INSN_SHORT;
		d->opcode = *d->next++;
		d->row = &insn_primary[d->opcode];
	}
	if (d->segment != SEGMENT_NONE)
		d->prefixes |= INSN_PREFIX_SEGMENT;
	if (d->prefixes & INSN_PREFIX_REP)
		d->simd = 0xf3;
	else if (d->prefixes & INSN_PREFIX_REPNE)
		d->simd = 0xf2;
	else if (d->prefixes & INSN_PREFIX_OPSIZE)
		d->simd = 0x66;
	return INSN_OK;
}

static const struct insn_row *const maps[] = {
	[INSN_MAP_PRIMARY] = insn_primary,
	[INSN_MAP_0F] = insn_0f,
	[INSN_MAP_0F38] = insn_0f38,
	[INSN_MAP_0F3A] = insn_0f3a,
};

/* C4 or C5 has been read, and is VEX: the rest of the prefix and the opcode. */
static noinline int decode_vex(struct decoder *d)
{
	static const u8 simd[4] = { 0, 0x66, 0xf3, 0xf2 };
	u8 p1, p2;

	if (d->prefixes & ~(INSN_PREFIX_SEGMENT | INSN_PREFIX_ADDRSIZE))
		return INSN_INVALID;
	if (d->rex)
		return INSN_INVALID;
	if (d->opcode == 0xc5) {
		if (bytes_left(d) < 2)
			return INSN_SHORT;
		p2 = *d->next++;
		p1 = (p2 & 0x80) | 0x60 | INSN_MAP_0F;
		p2 &= 0x7f;
	} else {
		if (bytes_left(d) < 3)
			return INSN_SHORT;
		p1 = *d->next++;
		p2 = *d->next++;
	}
	/* R, X and B are inverted, and W is in its place in the other byte. */
	d->rex = (~p1 >> 5) & 7;
	if (p2 & 0x80)
		d->rex |= INSN_REX_W;
	d->vvvv = (~p2 >> 3) & 15;
	if (d->mode != EMULATE_LONG64) {
		d->rex = 0;
		d->vvvv &= 7;
	}
	d->vector_bytes = p2 & 4 ? 32 : 16;
	d->simd = simd[p2 & 3];
	d->prefixes |= INSN_PREFIX_VEX;
	d->map = p1 & 31;
	if (d->map < INSN_MAP_0F || d->map > INSN_MAP_0F3A)
		return INSN_INVALID;
	d->opcode = *d->next++;
	d->row = &maps[d->map][d->opcode];
	return INSN_OK;
}

/* 0F has been read, or what may be VEX. */
static __always_inline int decode_escape(struct decoder *d)
{
	if (unlikely(!bytes_left(d)))
		return INSN_SHORT;
	if (unlikely(d->opcode != 0x0f)) {
		/* LDS and LES have a memory operand only; VEX looks like two registers. */
		if (d->mode == EMULATE_LONG64 ||
		    (d->mode >= EMULATE_PROT16 && *d->next >= 0xc0))
			return decode_vex(d);
		return INSN_OK;
	}
	d->map = INSN_MAP_0F;
	d->opcode = *d->next++;
	d->row = &insn_0f[d->opcode];
	if (unlikely(d->row->attr & A_ESCAPE)) {
		if (!bytes_left(d))
			return INSN_SHORT;
		d->map = d->opcode == 0x38 ? INSN_MAP_0F38 : INSN_MAP_0F3A;
		d->opcode = *d->next++;
		d->row = &maps[d->map][d->opcode];
	}
	return INSN_OK;
}

static unsigned int simd_index(u8 simd)
{
	switch (simd) {
	case 0x66:
		return 1;
	case 0xf3:
		return 2;
	case 0xf2:
		return 3;
	default:
		return 0;
	}
}

/* Follow links to the row that the whole encoding selects; NULL: none. */
static noinline const struct insn_row *select_row(const struct decoder *d,
						  u8 modrm)
{
	const struct insn_row *row = d->row;
	unsigned int index;

	do {
		switch (row->attr & A_LINK_MASK) {
		case A_BY_REG:
			index = (modrm >> 3) & 7;
			break;
		case A_BY_RM:
			index = modrm & 7;
			break;
		case A_BY_MOD:
			index = modrm >= 0xc0;
			break;
		case A_BY_SIMD:
			index = simd_index(d->simd);
			break;
		case A_BY_MODE:
			index = d->mode == EMULATE_LONG64;
			break;
		default:	/* A_BY_VEX */
			index = !!(d->prefixes & INSN_PREFIX_VEX);
		}
		if ((row->attr & A_NO64) && d->mode == EMULATE_LONG64)
			return NULL;
		row = &insn_sub[row->operation][index];
	} while (row->attr & A_LINK_MASK);
	return row;
}

static bool vex_allowed(const struct decoder *d, u32 attr)
{
	if (!(attr & (A_VEX | A_VEXONLY | A_VEX66)))
		return false;
	if ((attr & A_VEX66) && d->simd != 0x66)
		return false;
	if ((attr & A_L0) && d->vector_bytes != 16)
		return false;
	if ((attr & A_L1) && d->vector_bytes != 32)
		return false;
	return (attr & A_NDS) || !d->vvvv;
}

/* What makes an encoding invalid, apart from having no row. */
#define A_CHECKED	(A_NO64 | A_ONLY64 | A_NOREAL | A_MEM | A_REG | \
			 A_SIMD_MASK | A_VEXONLY)

static noinline bool encoding_allowed(const struct decoder *d, u32 attr,
				      u8 modrm)
{
	bool memory = (attr & A_MODRM) && !(attr & A_MODIGN) && modrm < 0xc0;

	if (attr & (d->mode == EMULATE_LONG64 ? A_NO64 : A_ONLY64))
		return false;
	if ((attr & A_NOREAL) && d->mode < EMULATE_PROT16)
		return false;
	if (attr & (memory ? A_REG : A_MEM))
		return false;
	if ((attr & A_SIMD_MASK) &&
	    !(attr & (1u << (A_SIMD_SHIFT + simd_index(d->simd)))))
		return false;
	if (d->prefixes & INSN_PREFIX_VEX)
		return vex_allowed(d, attr);
	if (attr & A_VEXONLY)
		return false;
	if (d->prefixes & INSN_PREFIX_LOCK) {
		/* LOCK MOV CR0 stands for MOV CR8. */
		if (attr & A_MODIGN)
			return !(d->opcode & 1) && !(modrm & 0x38);
		return memory && (attr & A_LOCK);
	}
	return true;
}

static __always_inline u8 operand_bytes(const struct decoder *d, u32 attr)
{
	if (attr & A_BYTE)
		return 1;
	if (d->mode == EMULATE_LONG64) {
		if ((d->rex & INSN_REX_W) || (attr & A_F64))
			return 8;
		if (d->prefixes & INSN_PREFIX_OPSIZE)
			return 2;
		return attr & A_D64 ? 8 : 4;
	}
	return (d->mode == EMULATE_PROT32) ^
	       !!(d->prefixes & INSN_PREFIX_OPSIZE) ? 4 : 2;
}

static __always_inline u8 address_bytes(const struct decoder *d)
{
	bool other = d->prefixes & INSN_PREFIX_ADDRSIZE;

	if (d->mode == EMULATE_LONG64)
		return other ? 4 : 8;
	return (d->mode == EMULATE_PROT32) ^ other ? 4 : 2;
}

/* Base, index and displacement of 16-bit addressing. */
static noinline int decode_memory16(struct decoder *d, struct insn *insn)
{
	static const u8 base[8] = {
		EMULATE_RBX, EMULATE_RBX, EMULATE_RBP, EMULATE_RBP,
		EMULATE_RSI, EMULATE_RDI, EMULATE_RBP, EMULATE_RBX,
	};
	static const u8 index[8] = {
		EMULATE_RSI, EMULATE_RDI, EMULATE_RSI, EMULATE_RDI,
		INSN_REG_NONE, INSN_REG_NONE, INSN_REG_NONE, INSN_REG_NONE,
	};
	unsigned int rm = insn->modrm & 7;

	insn->base = base[rm];
	insn->index = index[rm];
	if (insn->mod == 0 && rm == 6)
		insn->base = INSN_REG_NONE;
	if (insn->mod == 1) {
		if (bytes_left(d) < 1)
			return INSN_SHORT;
		insn->disp = (s8)fetch(d, 1);
	} else if (insn->mod == 2 || insn->base == INSN_REG_NONE) {
		if (bytes_left(d) < 2)
			return INSN_SHORT;
		insn->disp = (s16)fetch(d, 2);
	}
	if (insn->base == EMULATE_RBP)
		insn->segment = EMULATE_SS;
	return INSN_OK;
}

static int decode_memory(struct decoder *d, struct insn *insn)
{
	unsigned int rm = insn->modrm & 7;
	bool disp32 = insn->mod == 2;

	if (rm == 4) {
		if (bytes_left(d) < 1)
			return INSN_SHORT;
		insn->sib = *d->next++;
		insn->scale = insn->sib >> 6;
		insn->index = ((insn->sib >> 3) & 7) | (d->rex & INSN_REX_X) << 2;
		if (insn->index == EMULATE_RSP)
			insn->index = INSN_REG_NONE;
		rm = insn->sib & 7;
		if (rm == 5 && insn->mod == 0) {
			disp32 = true;
			insn->base = INSN_REG_NONE;
		} else {
			insn->base = rm | (d->rex & INSN_REX_B) << 3;
		}
	} else if (rm == 5 && insn->mod == 0) {
		disp32 = true;
		if (d->mode == EMULATE_LONG64)
			insn->base = INSN_REG_RIP;
	} else {
		insn->base = insn->rm;
	}
	if (insn->mod == 1) {
		if (bytes_left(d) < 1)
			return INSN_SHORT;
		insn->disp = (s8)fetch(d, 1);
	} else if (disp32) {
		if (bytes_left(d) < 4)
			return INSN_SHORT;
		insn->disp = (s32)fetch(d, 4);
	}
	if (insn->base == EMULATE_RSP || insn->base == EMULATE_RBP)
		insn->segment = EMULATE_SS;
	return INSN_OK;
}

/* An immediate of 1, 2, 4 or 8 bytes, sign-extended. */
static int fetch_signed(struct decoder *d, unsigned int bytes, u64 *value)
{
	if (unlikely(bytes_left(d) < bytes))
		return INSN_SHORT;
	switch (bytes) {
	case 1:
		*value = (s8)fetch(d, 1);
		break;
	case 2:
		*value = (s16)fetch(d, 2);
		break;
	case 4:
		*value = (s32)fetch(d, 4);
		break;
	default:
		*value = fetch(d, 8);
	}
	return INSN_OK;
}

/* Two immediates, the second one of imm2_bytes. */
static int fetch_pair(struct decoder *d, struct insn *insn, unsigned int bytes,
		      unsigned int imm2_bytes)
{
	if (bytes_left(d) < bytes + imm2_bytes)
		return INSN_SHORT;
	fetch_signed(d, bytes, &insn->imm);
	insn->imm2 = imm2_bytes == 2 ? fetch(d, 2) : fetch(d, 1);
	return INSN_OK;
}

static noinline int decode_immediate(struct decoder *d, struct insn *insn,
				     u32 attr)
{
	unsigned int bytes = insn->operand_bytes;
	int status;

	switch (attr & A_IMM_MASK) {
	case A_IB:
		return fetch_signed(d, 1, &insn->imm);
	case A_IZ:
		return fetch_signed(d, bytes == 8 ? 4 : bytes, &insn->imm);
	case A_IV:
		return fetch_signed(d, bytes, &insn->imm);
	case A_IW:
		status = fetch_signed(d, 2, &insn->imm);
		insn->imm &= 0xffff;
		return status;
	case A_IBIB:
		return fetch_pair(d, insn, 1, 1);
	case A_IWIB:
		status = fetch_pair(d, insn, 2, 1);
		insn->imm &= 0xffff;
		return status;
	case A_FAR:
		status = fetch_pair(d, insn, bytes, 2);
		insn->imm &= bytes == 2 ? 0xffff : 0xffffffff;
		return status;
	default:	/* A_MOFFS */
		status = fetch_signed(d, insn->address_bytes, &insn->disp);
		if (insn->address_bytes == 2)
			insn->disp &= 0xffff;
		else if (insn->address_bytes == 4)
			insn->disp &= 0xffffffff;
		return status;
	}
}

/* ModRM, and the fields that are set from it; plain values without it. */
static __always_inline int decode_modrm(struct decoder *d, struct insn *insn)
{
	u8 modrm;

	insn->disp = 0;
	insn->imm = 0;
	insn->imm2 = 0;
	insn->sib = 0;
	insn->scale = 0;
	insn->base = INSN_REG_NONE;
	insn->index = INSN_REG_NONE;
	insn->segment = EMULATE_DS;
	if (!(d->row->attr & A_MODRM)) {
		insn->modrm = 0;
		insn->mod = 0;
		insn->reg = 0;
		insn->rm = 0;
		return INSN_OK;
	}
	if (unlikely(!bytes_left(d)))
		return INSN_SHORT;
	modrm = *d->next++;
	insn->modrm = modrm;
	insn->mod = modrm >> 6;
	insn->reg = ((modrm >> 3) & 7) | (d->rex & INSN_REX_R) << 1;
	insn->rm = (modrm & 7) | (d->rex & INSN_REX_B) << 3;
	return INSN_OK;
}

/* Everything behind the opcode. */
static __always_inline int decode_operands(struct decoder *d,
					   struct insn *insn)
{
	const struct insn_row *row;
	int status = decode_modrm(d, insn);
	u32 attr;

	if (status)
		return status;
	row = d->row;
	if (row->attr & A_LINK_MASK)
		row = select_row(d, insn->modrm);
	if (unlikely(!row || !row->operation))
		return INSN_INVALID;
	attr = row->attr;
	if (unlikely((attr & A_CHECKED) ||
		     (d->prefixes & (INSN_PREFIX_LOCK | INSN_PREFIX_VEX))) &&
	    !encoding_allowed(d, attr, insn->modrm))
		return INSN_INVALID;

	insn->row = row;
	insn->operation = row->operation;
	insn->operand_bytes = operand_bytes(d, attr);
	insn->address_bytes = address_bytes(d);
	if (attr & A_MODIGN) {
		insn->mod = 3;
	} else if ((attr & A_MODRM) && insn->mod != 3) {
		if (insn->address_bytes == 2)
			status = decode_memory16(d, insn);
		else
			status = decode_memory(d, insn);
		if (status)
			return status;
	}
	if (d->segment != SEGMENT_NONE)
		insn->segment = d->segment;
	if (attr & A_IMM_MASK)
		return decode_immediate(d, insn, attr);
	return INSN_OK;
}

int insn_decode(struct insn *insn, const u8 *bytes, unsigned int avail,
		enum emulate_mode mode)
{
	struct decoder d = {
		.next = bytes,
		.end = bytes + (avail < INSN_MAX_LENGTH ? avail : INSN_MAX_LENGTH),
		.mode = mode,
		.segment = SEGMENT_NONE,
		.vector_bytes = 16,
	};
	int status = INSN_SHORT;

	if (unlikely(!avail))
		return INSN_TRUNCATED;
	d.opcode = *d.next++;
	d.row = &insn_primary[d.opcode];
	if (d.row->attr & (A_PREFIX | A_REX)) {
		status = decode_prefixes(&d);
		if (unlikely(status))
			goto out;
	}
	if (d.row->attr & A_ESCAPE) {
		status = decode_escape(&d);
		if (unlikely(status))
			goto out;
	}
	status = decode_operands(&d, insn);
out:
	if (unlikely(status == INSN_SHORT))
		return avail < INSN_MAX_LENGTH ? INSN_TRUNCATED : INSN_TOO_LONG;
	insn->length = d.next - bytes;
	insn->map = d.map;
	insn->opcode = d.opcode;
	insn->prefixes = d.prefixes;
	insn->rex = d.rex;
	insn->simd = d.simd;
	insn->vvvv = d.vvvv;
	insn->vector_bytes = d.vector_bytes;
	return status;
}
