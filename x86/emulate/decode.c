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
 * @segment: override, or SEGMENT_NONE
 */
struct decoder {
	const u8 *next;
	const u8 *end;
	const struct insn_row *row;
	enum emulate_mode mode;
	u8 segment;
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
 * Call what is not on the common path with a copy of the decoder: its address
 * is never taken otherwise, so that it lives in registers.
 */
static __always_inline int rarely(struct decoder *d, struct insn *insn,
				  int (*step)(struct decoder *d,
					      struct insn *insn))
{
	struct decoder copy = *d;
	int status = step(&copy, insn);

	*d = copy;
	return status;
}

/*
 * One legacy prefix. Of F2 and F3, and of segment overrides, the last counts;
 * 64-bit mode does not look at overrides other than FS and GS.
 */
static void take_prefix(struct decoder *d, struct insn *insn)
{
	u8 byte = insn->opcode;

	switch (byte) {
	case 0x64:
	case 0x65:
		d->segment = byte - 0x64 + EMULATE_FS;
		break;
	case 0x66:
		insn->prefixes |= INSN_PREFIX_OPSIZE;
		break;
	case 0x67:
		insn->prefixes |= INSN_PREFIX_ADDRSIZE;
		break;
	case 0xf0:
		insn->prefixes |= INSN_PREFIX_LOCK;
		break;
	case 0xf2:
		insn->prefixes &= ~INSN_PREFIX_REP;
		insn->prefixes |= INSN_PREFIX_REPNE;
		break;
	case 0xf3:
		insn->prefixes &= ~INSN_PREFIX_REPNE;
		insn->prefixes |= INSN_PREFIX_REP;
		break;
	default:	/* 26, 2E, 36, 3E */
		if (d->mode != EMULATE_LONG64)
			d->segment = (byte >> 3) & 3;
	}
}

/* All prefixes, up to the opcode; REX counts only right before it. */
static noinline int decode_prefixes(struct decoder *d, struct insn *insn)
{
	for (;;) {
		if (d->row->attr & A_PREFIX) {
			insn->rex = 0;
			take_prefix(d, insn);
		} else if ((d->row->attr & A_REX) && d->mode == EMULATE_LONG64) {
			insn->rex = INSN_REX_PRESENT | (insn->opcode & 15);
		} else {
			break;
		}
		if (unlikely(!bytes_left(d)))
			return INSN_SHORT;
		insn->opcode = *d->next++;
		d->row = &insn_primary[insn->opcode];
	}
	if (d->segment != SEGMENT_NONE)
		insn->prefixes |= INSN_PREFIX_SEGMENT;
	if (insn->prefixes & INSN_PREFIX_REP)
		insn->simd = 0xf3;
	else if (insn->prefixes & INSN_PREFIX_REPNE)
		insn->simd = 0xf2;
	else if (insn->prefixes & INSN_PREFIX_OPSIZE)
		insn->simd = 0x66;
	return INSN_OK;
}

static const struct insn_row *const maps[] = {
	[INSN_MAP_PRIMARY] = insn_primary,
	[INSN_MAP_0F] = insn_0f,
	[INSN_MAP_0F38] = insn_0f38,
	[INSN_MAP_0F3A] = insn_0f3a,
};

/* C4 or C5 has been read, and is VEX: the rest of the prefix and the opcode. */
static noinline int decode_vex(struct decoder *d, struct insn *insn)
{
	static const u8 simd[4] = { 0, 0x66, 0xf3, 0xf2 };
	u8 p1, p2;

	if (insn->prefixes & ~(INSN_PREFIX_SEGMENT | INSN_PREFIX_ADDRSIZE))
		return INSN_INVALID;
	if (insn->rex)
		return INSN_INVALID;
	if (insn->opcode == 0xc5) {
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
	/* R, X, B and vvvv are inverted. */
	insn->rex = (~p1 >> 5) & 7;
	if (p2 & 0x80)
		insn->rex |= INSN_REX_W;
	insn->vvvv = (~p2 >> 3) & 15;
	if (d->mode != EMULATE_LONG64) {
		insn->rex = 0;
		insn->vvvv &= 7;
	}
	if (p2 & 4)
		insn->vector_bytes = 32;
	insn->simd = simd[p2 & 3];
	insn->prefixes |= INSN_PREFIX_VEX;
	insn->map = p1 & 31;
	if (insn->map < INSN_MAP_0F || insn->map > INSN_MAP_0F3A)
		return INSN_INVALID;
	insn->opcode = *d->next++;
	d->row = &maps[insn->map][insn->opcode];
	return INSN_OK;
}

/* 0F has been read, or what may be VEX. */
static __always_inline int decode_escape(struct decoder *d, struct insn *insn)
{
	if (unlikely(!bytes_left(d)))
		return INSN_SHORT;
	if (unlikely(insn->opcode != 0x0f)) {
		/* LDS and LES have no register form; that is what VEX looks like. */
		if (d->mode == EMULATE_LONG64 ||
		    (d->mode >= EMULATE_PROT16 && *d->next >= 0xc0))
			return rarely(d, insn, decode_vex);
		return INSN_OK;
	}
	insn->map = INSN_MAP_0F;
	insn->opcode = *d->next++;
	d->row = &insn_0f[insn->opcode];
	if (unlikely(d->row->attr & A_ESCAPE)) {
		if (!bytes_left(d))
			return INSN_SHORT;
		insn->map = insn->opcode == 0x38 ? INSN_MAP_0F38 : INSN_MAP_0F3A;
		insn->opcode = *d->next++;
		d->row = &maps[insn->map][insn->opcode];
	}
	return INSN_OK;
}

static unsigned int simd_index(u8 simd)
{
	switch (simd) {
	case 0:
		return 0;
	case 0x66:
		return 1;
	case 0xf3:
		return 2;
	default:
		return 3;
	}
}

/* Follow links to the row that the whole encoding selects. */
static noinline const struct insn_row *
select_row(const struct insn_row *row, unsigned int modrm,
	   enum emulate_mode mode, const struct insn *insn)
{
	unsigned int reg = (modrm >> 3) & 7;

	do {
		const struct insn_row *table = insn_sub[row->operation];
		unsigned int link = row->attr & A_LINK_MASK;

		if (link == A_BY_REG)
			row = &table[reg];
		else if (link == A_BY_MOD)
			row = &table[modrm >= 0xc0];
		else if (link == A_BY_REG_RM)
			row = &insn_sub[row->operation + reg][modrm & 7];
		else if (link == A_BY_SIMD)
			row = &table[simd_index(insn->simd)];
		else if (link == A_BY_MODE)
			row = &table[mode == EMULATE_LONG64];
		else	/* A_BY_VEX */
			row = &table[!!(insn->prefixes & INSN_PREFIX_VEX)];
	} while (row->attr & A_LINK_MASK);
	return row;
}

static bool vex_allowed(const struct insn *insn, u32 attr)
{
	if (!(attr & (A_VEX | A_VEXONLY | A_VEX66)))
		return false;
	if ((attr & A_VEX66) && insn->simd != 0x66)
		return false;
	if ((attr & A_L0) && insn->vector_bytes != 16)
		return false;
	if ((attr & A_L1) && insn->vector_bytes != 32)
		return false;
	return (attr & A_NDS) || !insn->vvvv;
}

/* What makes an encoding invalid, apart from having no row. */
#define A_CHECKED	(A_NO64 | A_ONLY64 | A_NOREAL | A_MEM | A_REG | \
			 A_SIMD_MASK | A_VEXONLY)

static noinline bool encoding_allowed(enum emulate_mode mode,
				      const struct insn *insn, u32 attr)
{
	bool memory = (attr & A_MODRM) && !(attr & A_MODIGN) && insn->mod != 3;

	if (attr & (mode == EMULATE_LONG64 ? A_NO64 : A_ONLY64))
		return false;
	if ((attr & A_NOREAL) && mode < EMULATE_PROT16)
		return false;
	if (attr & (memory ? A_REG : A_MEM))
		return false;
	if ((attr & A_SIMD_MASK) &&
	    !(attr & (1u << (A_SIMD_SHIFT + simd_index(insn->simd)))))
		return false;
	if (insn->prefixes & INSN_PREFIX_VEX)
		return vex_allowed(insn, attr);
	if (attr & A_VEXONLY)
		return false;
	if (insn->prefixes & INSN_PREFIX_LOCK) {
		/* LOCK MOV CR0 stands for MOV CR8. */
		if (attr & A_MODIGN)
			return !(insn->opcode & 1) && !(insn->modrm & 0x38);
		return memory && (attr & A_LOCK);
	}
	return true;
}

static __always_inline u8 operand_bytes(const struct decoder *d,
					const struct insn *insn, u32 attr)
{
	if (attr & A_BYTE)
		return 1;
	if (d->mode == EMULATE_LONG64) {
		if ((insn->rex & INSN_REX_W) || (attr & A_F64))
			return 8;
		if (insn->prefixes & INSN_PREFIX_OPSIZE)
			return 2;
		return attr & A_D64 ? 8 : 4;
	}
	return (d->mode == EMULATE_PROT32) ^
	       !!(insn->prefixes & INSN_PREFIX_OPSIZE) ? 4 : 2;
}

static __always_inline u8 address_bytes(const struct decoder *d,
					const struct insn *insn)
{
	bool other = insn->prefixes & INSN_PREFIX_ADDRSIZE;

	if (d->mode == EMULATE_LONG64)
		return other ? 4 : 8;
	return (d->mode == EMULATE_PROT32) ^ other ? 4 : 2;
}

/* Operand and address size; without a prefix, most have the mode's. */
static __always_inline void set_sizes(const struct decoder *d,
				      struct insn *insn, u32 attr)
{
	static const u8 operand[] = { 2, 2, 2, 4, 4 };
	static const u8 address[] = { 2, 2, 2, 4, 8 };

	if (!(attr & (A_BYTE | A_D64 | A_F64)) &&
	    !(insn->prefixes | insn->rex)) {
		insn->operand_bytes = operand[d->mode];
		insn->address_bytes = address[d->mode];
	} else {
		insn->operand_bytes = operand_bytes(d, insn, attr);
		insn->address_bytes = address_bytes(d, insn);
	}
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

static __always_inline int decode_memory(struct decoder *d, struct insn *insn)
{
	unsigned int rm = insn->modrm & 7;
	bool disp32 = insn->mod == 2;

	if (insn->address_bytes == 2)
		return rarely(d, insn, decode_memory16);

	if (rm == 4) {
		if (bytes_left(d) < 1)
			return INSN_SHORT;
		insn->sib = *d->next++;
		insn->scale = insn->sib >> 6;
		insn->index = ((insn->sib >> 3) & 7) | (insn->rex & INSN_REX_X) << 2;
		if (insn->index == EMULATE_RSP)
			insn->index = INSN_REG_NONE;
		rm = insn->sib & 7;
		if (rm == 5 && insn->mod == 0) {
			disp32 = true;
			insn->base = INSN_REG_NONE;
		} else {
			insn->base = rm | (insn->rex & INSN_REX_B) << 3;
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
static __always_inline int fetch_signed(struct decoder *d, unsigned int bytes,
					u64 *value)
{
	if (unlikely(bytes_left(d) < bytes))
		return INSN_SHORT;
	if (bytes == 1)
		*value = (s8)fetch(d, 1);
	else if (bytes == 4)
		*value = (s32)fetch(d, 4);
	else if (bytes == 2)
		*value = (s16)fetch(d, 2);
	else
		*value = fetch(d, 8);
	return INSN_OK;
}

/* The rarer immediates: addresses, unsigned ones, and pairs. */
static noinline int decode_special(struct decoder *d, struct insn *insn)
{
	unsigned int kind = insn->row->attr & A_IMM_MASK;
	unsigned int bytes = insn->operand_bytes, second = 0;
	u64 *value = &insn->imm;
	u64 other = 0;

	if (kind == A_IW || kind == A_IWIB) {
		bytes = 2;
	} else if (kind == A_IBIB) {
		bytes = 1;
	} else if (kind == A_MOFFS) {
		bytes = insn->address_bytes;
		value = &insn->disp;
	}
	if (kind == A_IBIB || kind == A_IWIB)
		second = 1;
	else if (kind == A_FAR)
		second = 2;
	if (fetch_signed(d, bytes, value))
		return INSN_SHORT;
	*value &= size_mask(bytes);
	if (second) {
		if (fetch_signed(d, second, &other))
			return INSN_SHORT;
		insn->imm2 = other & size_mask(second);
	}
	return INSN_OK;
}

static __always_inline int decode_immediate(struct decoder *d,
					    struct insn *insn, u32 attr)
{
	unsigned int kind = attr & A_IMM_MASK;
	unsigned int bytes = insn->operand_bytes;

	if (kind == A_IB)
		bytes = 1;
	else if (kind == A_IZ)
		bytes = bytes == 8 ? 4 : bytes;
	else if (kind != A_IV)
		return rarely(d, insn, decode_special);
	return fetch_signed(d, bytes, &insn->imm);
}

/* Everything behind the opcode. */
static __always_inline int decode_operands(struct decoder *d,
					   struct insn *insn)
{
	const struct insn_row *row = d->row;
	u32 attr = row->attr;

	if (attr & A_MODRM) {
		if (unlikely(!bytes_left(d)))
			return INSN_SHORT;
		insn->modrm = *d->next++;
		insn->mod = insn->modrm >> 6;
		insn->reg = ((insn->modrm >> 3) & 7) |
			    (insn->rex & INSN_REX_R) << 1;
		insn->rm = (insn->modrm & 7) | (insn->rex & INSN_REX_B) << 3;
	}
	if (attr & A_LINK_MASK) {
		row = select_row(row, insn->modrm, d->mode, insn);
		attr = row->attr;
	}
	if (unlikely(!row->operation))
		return INSN_INVALID;
	if (((attr & A_CHECKED) ||
	     (insn->prefixes & (INSN_PREFIX_LOCK | INSN_PREFIX_VEX))) &&
	    unlikely(!encoding_allowed(d->mode, insn, attr)))
		return INSN_INVALID;

	insn->row = row;
	insn->operation = row->operation;
	set_sizes(d, insn, attr);
	if (attr & A_MODRM) {
		if (attr & A_MODIGN)
			insn->mod = 3;
		else if (insn->mod != 3 && decode_memory(d, insn))
			return INSN_SHORT;
	}
	if (unlikely(insn->prefixes & INSN_PREFIX_SEGMENT))
		insn->segment = d->segment;
	if (attr & A_IMM_MASK)
		return decode_immediate(d, insn, attr);
	return INSN_OK;
}

/* What a field is unless the encoding says something else. */
static __always_inline void set_defaults(struct insn *insn)
{
	insn->imm = 0;
	insn->disp = 0;
	insn->imm2 = 0;
	/* One byte each, in the order of the structure: merged into few stores. */
	insn->map = INSN_MAP_PRIMARY;
	insn->prefixes = 0;
	insn->rex = 0;
	insn->simd = 0;
	insn->modrm = 0;
	insn->mod = 0;
	insn->reg = 0;
	insn->rm = 0;
	insn->sib = 0;
	insn->base = INSN_REG_NONE;
	insn->index = INSN_REG_NONE;
	insn->scale = 0;
	insn->segment = EMULATE_DS;
	insn->vvvv = 0;
	insn->vector_bytes = 16;
}

int insn_decode(struct insn *insn, const u8 *bytes, unsigned int avail,
		enum emulate_mode mode)
{
	struct decoder d = {
		.next = bytes,
		.end = bytes + (avail < INSN_MAX_LENGTH ? avail : INSN_MAX_LENGTH),
		.mode = mode,
		.segment = SEGMENT_NONE,
	};
	int status = INSN_OK;

	if (unlikely(!avail))
		return INSN_TRUNCATED;
	set_defaults(insn);
	insn->opcode = *d.next++;
	d.row = &insn_primary[insn->opcode];
	/* A REX prefix by itself is not rare. */
	if ((d.row->attr & A_REX) && mode == EMULATE_LONG64 && likely(bytes_left(&d))) {
		insn->rex = INSN_REX_PRESENT | (insn->opcode & 15);
		insn->opcode = *d.next++;
		d.row = &insn_primary[insn->opcode];
	}
	if (d.row->attr & (A_PREFIX | A_REX))
		status = rarely(&d, insn, decode_prefixes);
	if (!status && (d.row->attr & A_ESCAPE))
		status = decode_escape(&d, insn);
	if (!status)
		status = decode_operands(&d, insn);
	if (unlikely(status == INSN_SHORT))
		return avail < INSN_MAX_LENGTH ? INSN_TRUNCATED : INSN_TOO_LONG;
	insn->length = d.next - bytes;
	return status;
}
