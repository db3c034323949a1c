// SPDX-License-Identifier: GPL-2.0-only
/*
 * The choice of cases that run natively and emulated: any instruction that the
 * decoder takes and a process may run, with registers and memory that let it
 * do something most of the time.
 */
#include <string.h>

#include "emulate_native.h"
#include "emulate_tap.h"

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static unsigned int below(unsigned int n)
{
	return (random64() >> 33) % n;
}

static u64 data_address(void)
{
	return mode == EMULATE_PROT16 ? 0 : DATA_BASE;
}

static u64 code_address(void)
{
	return mode == EMULATE_PROT16 ? 0 : CODE_BASE;
}

/* What may run natively: nothing that changes more than the case holds. */
static bool suitable(const struct insn *insn)
{
	unsigned int operation = insn->operation;
	bool branch = operation > OP_CLFLUSH && operation <= OP_LAST_BRANCH;

	if (insn->prefixes & INSN_PREFIX_VEX)
		return false;
	if (insn->segment != EMULATE_DS && insn->segment != EMULATE_SS)
		return false;
	switch (operation) {
	case OP_INVALID:
	case OP_OTHER:
	case OP_MOV_TO_SREG:
	case OP_LOAD_FAR:
	case OP_POP_SREG:
	case OP_SMSW:
	case OP_SGDT:
	case OP_SIDT:
	case OP_SLDT:
	case OP_STR:
	case OP_RDTSC:
	case OP_RDTSCP:
	case OP_RDPMC:
	case OP_CPUID:
	case OP_XGETBV:
	case OP_XSETBV:
	case OP_CLFLUSH:
	case OP_SALC:
		return false;
	case OP_MOV_FROM_CR:
	case OP_MOV_TO_CR:
		/* LOCK for CR8 is AMD's. */
		return !(insn->prefixes & INSN_PREFIX_LOCK);
	case OP_XCHG:
		/* PAUSE with REX.B is an exchange on AMD's processors. */
		if (insn->map == INSN_MAP_PRIMARY && insn->opcode == 0x90 &&
		    (insn->prefixes & INSN_PREFIX_REP))
			return false;
		break;
	case OP_LOOP:
		/* A repeat prefix may turn the condition around. */
		if (insn->prefixes & (INSN_PREFIX_REP | INSN_PREFIX_REPNE))
			return false;
		break;
	case OP_BSWAP:
		/* Of 16 bits: undefined. */
		return insn->operand_bytes != 2;
	case OP_PUSH_SREG:
		/* Intel's processors write two bytes, whatever the size. */
		return insn->operand_bytes != 4;
	case OP_CALL_ABS:
		/* The stack would be where the breakpoints are. */
		if (insn->mod == 3 && insn->rm == EMULATE_RSP)
			return false;
		break;
	case OP_ENTER:
		return !(insn->imm2 & 31);
	default:
		break;
	}
	if (operation > OP_LAST_SYSTEM && insn->mod == 3)
		return false;
	if (operation == OP_MOVD && insn->simd != 0x66)
		return false;
	/* Intel's processors do not look at 66 on branches in 64-bit mode. */
	return !branch || !(insn->prefixes & INSN_PREFIX_OPSIZE);
}

static unsigned int put_prefixes(u8 *bytes)
{
	unsigned int n = 0;

	if (!below(4))
		bytes[n++] = 0x66;
	if (!below(8))
		bytes[n++] = 0x67;
	if (!below(6))
		bytes[n++] = below(2) ? 0xf2 : 0xf3;
	if (!below(16))
		bytes[n++] = 0xf0;
	if (!below(16))
		bytes[n++] = below(2) ? 0x3e : 0x36;
	if (mode == EMULATE_LONG64 && below(2))
		bytes[n++] = 0x40 | below(16);
	return n;
}

/* An instruction that may run. */
static void choose_instruction(void)
{
	struct insn *insn = &current.ctxt.insn;
	u8 *bytes = current.code;
	unsigned int n, map;

	do {
		n = put_prefixes(bytes);
		map = below(20);
		if (map >= 10)
			bytes[n++] = 0x0f;
		if (map == 19) {
			bytes[n++] = 0x38;
			bytes[n++] = 0xf0 + below(2);
		} else {
			bytes[n++] = random64() >> 40;
		}
		while (n < 15)
			bytes[n++] = random64() >> 40;
	} while (insn_decode(insn, bytes, 15, mode) != INSN_OK || !suitable(insn));
}

u64 random_value(void)
{
	static const u64 edges[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff,
	};

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return below(256);
	default:
		return random64();
	}
}

static u64 random_data_address(void)
{
	u64 offset = 256 + below(DATA_BYTES - 512);

	if (below(2))
		offset &= ~15ull;
	return data_address() + offset;
}

/* A place to jump to: a breakpoint that is not within the instruction. */
static u64 random_target(void)
{
	u64 offset;

	do {
		offset = 0x1000 + below(CODE_BYTES - 0x2000);
	} while (offset >= current.offset && offset < current.offset + 16);
	return code_address() + offset;
}

/* Write the four bytes of a displacement that ends so far before the end. */
static void patch(unsigned int behind, unsigned int bytes, u64 value)
{
	memcpy(current.code + current.ctxt.insn.length - behind - bytes, &value,
	       bytes);
}

static unsigned int immediate_bytes(const struct insn *insn)
{
	switch (insn->row->attr & A_IMM_MASK) {
	case 0:
		return 0;
	case A_IB:
		return 1;
	case A_IZ:
		return insn->operand_bytes == 2 ? 2 : 4;
	default:
		return 0;
	}
}

/* Point the memory operand at the data region. */
static void aim(void)
{
	struct insn *insn = &current.ctxt.insn;
	u64 *regs = current.ctxt.regs;
	u64 target = random_data_address();
	bool moffs = (insn->row->attr & A_IMM_MASK) == A_MOFFS;

	if (moffs) {
		patch(0, insn->address_bytes, target);
		return;
	}
	if (!(insn->row->attr & A_MODRM) || insn->mod == 3)
		return;
	if (insn->index != INSN_REG_NONE) {
		regs[insn->index] = below(128);
		target -= regs[insn->index] << insn->scale;
	}
	if (insn->base == INSN_REG_RIP)
		patch(immediate_bytes(insn), 4,
		      target - (code_address() + current.offset + insn->length));
	else if (insn->base == INSN_REG_NONE)
		patch(immediate_bytes(insn), insn->address_bytes == 2 ? 2 : 4, target);
	else if (insn->base != insn->index)
		regs[insn->base] = target - insn->disp;
}

static void write_both(u64 address, u64 value, unsigned int bytes)
{
	u64 offset = address - data_address();

	if (offset > DATA_BYTES - 8)
		return;
	memcpy(mirror + offset, &value, bytes);
	memcpy(data + offset, &value, bytes);
}

/* The value of the first operand where it is easily had. */
static u64 first_operand(void)
{
	const struct insn *insn = &current.ctxt.insn;
	u64 value = 0, offset;

	if (insn->mod == 3)
		return current.ctxt.regs[insn->rm];
	current.ctxt.work = (struct emulate_work){ 0 };
	memcpy(current.ctxt.work.regs, current.ctxt.regs, sizeof(current.ctxt.regs));
	offset = mem_offset(&current.ctxt) - data_address();
	if (offset <= DATA_BYTES - 8)
		memcpy(&value, mirror + offset, 8);
	return value;
}

static void aim_branch(struct insn *insn, u64 *regs)
{
	u64 next = code_address() + current.offset + insn->length;
	u64 target = random_target();
	u64 short_target;

	switch (insn->operation) {
	case OP_RET:
		write_both(regs[EMULATE_RSP], target, insn->operand_bytes);
		return;
	case OP_JMP_ABS:
	case OP_CALL_ABS:
		if (insn->mod == 3)
			regs[insn->rm] = target;
		else
			write_both(mem_offset(&current.ctxt), target,
				   insn->operand_bytes);
		return;
	default:
		break;
	}
	if ((insn->row->attr & A_IMM_MASK) == A_IB) {
		short_target = next + (s64)(s8)insn->imm - code_address();
		if (short_target >= current.offset &&
		    short_target < current.offset + insn->length)
			patch(0, 1, 0x40);
	} else {
		patch(0, insn->operand_bytes == 2 ? 2 : 4, target - next);
	}
}

/* Values that let an instruction do something instead of faulting. */
static void suit_registers(void)
{
	struct insn *insn = &current.ctxt.insn;
	u64 *regs = current.ctxt.regs;
	unsigned int operation = insn->operation;

	if (operation > OP_LAST_BRANCH && operation <= OP_LAST_STRING) {
		regs[EMULATE_RSI] = random_data_address();
		regs[EMULATE_RDI] = random_data_address();
		regs[EMULATE_RCX] = below(20);
		/* Whether permission is looked at for nothing differs. */
		if (operation == OP_INS || operation == OP_OUTS)
			regs[EMULATE_RCX]++;
		return;
	}
	switch (operation) {
	case OP_XLAT:
		regs[EMULATE_RBX] = random_data_address() - (u8)regs[EMULATE_RAX];
		break;
	case OP_LEAVE:
		regs[EMULATE_RBP] = random_data_address();
		break;
	case OP_POPF:
		write_both(regs[EMULATE_RSP], random64() & (FLAGS_ARITH | FLAG_DF),
			   8);
		break;
	case OP_CMPXCHG:
		/* Not where that changes the address. */
		if (insn->base != EMULATE_RAX && insn->index != EMULATE_RAX)
			regs[EMULATE_RAX] = first_operand();
		break;
	case OP_CMPXCHG8B:
		if (below(2))
			write_both(mem_offset(&current.ctxt),
				   regs[EMULATE_RAX] & size_mask(insn->operand_bytes),
				   insn->operand_bytes == 8 ? 8 : 4);
		break;
	case OP_DIV:
	case OP_IDIV:
		if (below(4))
			regs[EMULATE_RDX] = below(2) ? 0 : below(16);
		break;
	default:
		if (operation > OP_CLFLUSH && operation <= OP_LAST_BRANCH)
			aim_branch(insn, regs);
	}
}

/* A new case in current. */
void choose_case(const struct emulate_ops *ops)
{
	struct emulate_ctxt *ctxt = &current.ctxt;
	unsigned int i;

	memset(ctxt, 0, sizeof(*ctxt));
	ctxt->ops = ops;
	ctxt->mode = mode;
	ctxt->cpl = 3;
	ctxt->linear_bits = 48;
	current.offset = CODE_MIDDLE + below(4096);
	choose_instruction();
	ctxt->rip = code_address() + current.offset;
	ctxt->rflags = FLAG_IF | 2 | (random64() & FLAGS_ARITH);
	if (!below(8))
		ctxt->rflags |= FLAG_DF;
	for (i = 0; i < EMULATE_NR_REGS; i++)
		ctxt->regs[i] = random_value();
	ctxt->regs[EMULATE_RSP] = data_address() + 0x1000 + (below(0x2000) & ~7u);
	if (below(32))
		aim();
	insn_decode(&ctxt->insn, current.code, 15, mode);
	memcpy(ctxt->work.regs, ctxt->regs, sizeof(ctxt->regs));
	suit_registers();
	insn_decode(&ctxt->insn, current.code, 15, mode);
	if (mode != EMULATE_LONG64) {
		for (i = 0; i < EMULATE_NR_REGS; i++)
			ctxt->regs[i] = i < 8 ? (u32)ctxt->regs[i] : 0;
	}
	for (i = 0; i < 16; i++) {
		u64 halves[2] = { random64(), random64() };

		memcpy(current.xmm[i], halves, 16);
	}
	memcpy(current.start_xmm, current.xmm, sizeof(current.xmm));
	current.start = *ctxt;
}

/* Flags that the manual leaves undefined after an instruction. */
u64 undefined_flags(void)
{
	const struct insn *insn = &current.start.insn;
	unsigned int bits = insn->operand_bytes * 8;
	unsigned int operation = insn->operation;
	unsigned int count = 0;
	unsigned int spec = insn->row->operand[1];

	if (operation == OP_SHLD || operation == OP_SHRD)
		spec = insn->row->operand[2];
	if (spec == CL_B)
		count = current.start.regs[EMULATE_RCX] & (bits == 64 ? 63 : 31);
	else if (spec == ONE)
		count = 1;
	else
		count = insn->imm & (bits == 64 ? 63 : 31);

	switch (operation) {
	case OP_AND:
	case OP_OR:
	case OP_XOR:
	case OP_TEST:
		return FLAG_AF;
	case OP_ROL:
	case OP_ROR:
	case OP_RCL:
	case OP_RCR:
		return count == 1 ? 0 : FLAG_OF;
	case OP_SHL:
	case OP_SAL:
	case OP_SHR:
	case OP_SAR:
	case OP_SHLD:
	case OP_SHRD:
		if (!count)
			return 0;
		if (count > bits && (operation == OP_SHLD || operation == OP_SHRD))
			return FLAGS_ARITH;
		return FLAG_AF | (count == 1 ? 0 : FLAG_OF) |
		       (count >= bits ? FLAG_CF : 0);
	case OP_MUL:
	case OP_IMUL:
	case OP_IMUL2:
		return FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;
	case OP_DIV:
	case OP_IDIV:
		return FLAGS_ARITH;
	case OP_BT:
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	case OP_BSF:
	case OP_BSR:
		return FLAGS_ARITH & ~FLAG_ZF;
	case OP_TZCNT:
	case OP_LZCNT:
		return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
	default:
		return 0;
	}
}

/* SHLD and SHRD of 16 bits by more than that: no defined result. */
bool undefined_result(void)
{
	const struct insn *insn = &current.start.insn;

	return (insn->operation == OP_SHLD || insn->operation == OP_SHRD) &&
	       (undefined_flags() & FLAGS_ARITH) == FLAGS_ARITH;
}
