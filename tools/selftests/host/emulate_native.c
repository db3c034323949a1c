// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against the processor: random instructions run natively and
 * emulated, and registers, defined flags, memory and faults must agree.
 *
 * A case is entered by returning from a signal handler with the case's
 * registers in the signal frame, and left by the breakpoint behind the
 * instruction or by its fault, which brings the next signal. 64-bit and 32-bit
 * code run so, and 16-bit code if the system lets a process make a segment for
 * it.
 *
 * Not for AddressSanitizer, whose shadow is where wild addresses may point to.
 *
 * Usage: emulate_native [cases [seed]]
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>
#include <asm/ldt.h>

#include "../../../x86/emulate/internal.h"
#include "emulate_tap.h"

/* Both are below 2 GiB: every addressing form reaches them. */
#define DATA_BASE	0x20000000ul
#define DATA_BYTES	0x4000ul
#define CODE_BASE	0x58000000ul
#define CODE_BYTES	0x10000ul
#define CODE_MIDDLE	0x8000ul
#define BREAKPOINT	0xcc
#define MAX_REPORTS	10

#define UC_SIGCONTEXT_SS	2
#define UC_STRICT_RESTORE_SS	4

/**
 * struct native_case - one instruction with what it starts from
 * @ctxt: registers and instruction, and after execution the emulator's result
 * @start: registers before
 * @code: the bytes
 * @offset: where the code is in the code region
 * @xmm: vector registers, the emulator's result
 * @outcome: the emulator's
 */
struct native_case {
	struct emulate_ctxt ctxt;
	struct emulate_ctxt start;
	u8 code[16];
	u64 offset;
	u8 xmm[16][16];
	enum emulate_outcome outcome;
};

static struct native_case current;
static enum emulate_mode mode;
static u8 *data, *code;
static u8 *mirror;
static u16 code_selector, data_selector;
static u64 seed;
static unsigned long wanted, done, faults, mismatches;
static bool running;
static sigjmp_buf finish;

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

/* Operations: the mirror is all the memory there is. */
static enum emulate_outcome page_fault(struct emulate_ctxt *ctxt, u64 address,
				       bool write)
{
	ctxt->exception.vector = 14;
	ctxt->exception.has_error_code = true;
	ctxt->exception.error_code = 4 | (write ? 2 : 0);
	ctxt->exception.address = address;
	return EMULATE_FAULT;
}

static u8 *mirrored(u64 linear, unsigned int bytes)
{
	if (linear < DATA_BASE || linear > DATA_BASE + DATA_BYTES - bytes)
		return NULL;
	return mirror + (linear - DATA_BASE);
}

static enum emulate_outcome op_read(struct emulate_ctxt *ctxt, u64 linear,
				    void *buf, unsigned int bytes,
				    unsigned int access)
{
	u8 *memory = mirrored(linear, bytes);

	if (!memory)
		return page_fault(ctxt, linear, access & EMULATE_ACCESS_MODIFY);
	memcpy(buf, memory, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_write(struct emulate_ctxt *ctxt, u64 linear,
				     const void *buf, unsigned int bytes,
				     unsigned int access)
{
	u8 *memory = mirrored(linear, bytes);

	if (!memory)
		return page_fault(ctxt, linear, true);
	if (!(access & EMULATE_ACCESS_PROBE))
		memcpy(memory, buf, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_cmpxchg(struct emulate_ctxt *ctxt, u64 linear,
				       const void *old, const void *new,
				       unsigned int bytes)
{
	u8 *memory = mirrored(linear, bytes);

	if (!memory)
		return page_fault(ctxt, linear, true);
	if (memcmp(memory, old, bytes))
		return EMULATE_RETRY;
	memcpy(memory, new, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_check_io(struct emulate_ctxt *ctxt, u16 port,
					unsigned int bytes)
{
	(void)port;
	(void)bytes;
	return emulate_fault_code(ctxt, VECTOR_GP, 0);
}

static u16 native_selector(enum emulate_seg seg)
{
	u16 selector = 0;

	switch (seg) {
	case EMULATE_ES:
		__asm__("mov %%es, %0" : "=r"(selector));
		break;
	case EMULATE_CS:
		selector = code_selector;
		break;
	case EMULATE_SS:
		selector = data_selector;
		break;
	case EMULATE_DS:
		__asm__("mov %%ds, %0" : "=r"(selector));
		break;
	case EMULATE_FS:
		__asm__("mov %%fs, %0" : "=r"(selector));
		break;
	case EMULATE_GS:
		__asm__("mov %%gs, %0" : "=r"(selector));
		break;
	default:
		break;
	}
	return selector;
}

static enum emulate_outcome op_get_segment(struct emulate_ctxt *ctxt,
					   enum emulate_seg seg,
					   struct emulate_segment *segment)
{
	bool is_code = seg == EMULATE_CS;

	(void)ctxt;
	segment->selector = native_selector(seg);
	segment->base = 0;
	segment->limit = 0xffffffff;
	segment->attributes = EMULATE_SEG_P | EMULATE_SEG_S | EMULATE_SEG_DPL |
			      EMULATE_SEG_WRITABLE | EMULATE_SEG_ACCESSED |
			      (is_code ? EMULATE_SEG_CODE : 0);
	if (mode == EMULATE_PROT16) {
		segment->base = is_code ? CODE_BASE : DATA_BASE;
		segment->limit = (is_code ? CODE_BYTES : DATA_BYTES) - 1;
	} else if (mode == EMULATE_PROT32 || !is_code) {
		segment->attributes |= EMULATE_SEG_DB | EMULATE_SEG_G;
	} else {
		segment->attributes |= EMULATE_SEG_L | EMULATE_SEG_G;
	}
	return EMULATE_DONE;
}

static enum emulate_outcome op_get_cr(struct emulate_ctxt *ctxt, unsigned int nr,
				      u64 *value)
{
	(void)ctxt;
	*value = nr == 4 ? CR4_OSFXSR : 0;
	return EMULATE_DONE;
}

static enum emulate_outcome op_read_vector(struct emulate_ctxt *ctxt,
					   unsigned int reg, void *buf,
					   unsigned int bytes)
{
	(void)ctxt;
	memcpy(buf, current.xmm[reg], bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_write_vector(struct emulate_ctxt *ctxt,
					    unsigned int reg, const void *buf,
					    unsigned int bytes)
{
	(void)ctxt;
	memcpy(current.xmm[reg], buf, bytes);
	return EMULATE_DONE;
}

static const struct emulate_ops ops = {
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.check_io = op_check_io,
	.get_segment = op_get_segment,
	.get_cr = op_get_cr,
	.read_vector = op_read_vector,
	.write_vector = op_write_vector,
};

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

static u64 random_value(void)
{
	static const u64 edges[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff,
	};

	switch (below(4)) {
	case 0:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
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
		if (below(2))
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

static void choose_case(void)
{
	struct emulate_ctxt *ctxt = &current.ctxt;
	unsigned int i;

	memset(ctxt, 0, sizeof(*ctxt));
	ctxt->ops = &ops;
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
	current.start = *ctxt;
}

static void emulate_case(void)
{
	do {
		current.outcome = emulate_execute(&current.ctxt);
	} while (current.outcome == EMULATE_DONE && current.ctxt.repeat);
}

/* Order of the registers in a signal frame. */
static const int frame_reg[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void enter_case(ucontext_t *uc)
{
	greg_t *gregs = uc->uc_mcontext.gregs;
	unsigned int i;

	for (i = 0; i < 16; i++)
		gregs[frame_reg[i]] = current.start.regs[i];
	gregs[REG_RIP] = current.start.rip;
	gregs[REG_EFL] = current.start.rflags;
	gregs[REG_CSGSFS] = (gregs[REG_CSGSFS] & 0x0000ffffffff0000ull) |
			    code_selector | (u64)data_selector << 48;
	uc->uc_flags |= UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	memcpy(uc->uc_mcontext.fpregs->_xmm, current.xmm, sizeof(current.xmm));
	memcpy(code + current.offset, current.code, current.start.insn.length);
}

/* Flags that the manual leaves undefined after an instruction. */
static u64 undefined_flags(void)
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
static bool undefined_result(void)
{
	const struct insn *insn = &current.start.insn;

	return (insn->operation == OP_SHLD || insn->operation == OP_SHRD) &&
	       (undefined_flags() & FLAGS_ARITH) == FLAGS_ARITH;
}

static void report(const char *what, u64 native, u64 emulated)
{
	unsigned int i;

	if (mismatches++ >= MAX_REPORTS)
		return;
	printf("# %s: native %llx emulated %llx; code", what,
	       (unsigned long long)native, (unsigned long long)emulated);
	for (i = 0; i < current.start.insn.length; i++)
		printf(" %02x", current.code[i]);
	printf("; flags %llx", (unsigned long long)current.start.rflags);
	for (i = 0; i < (mode == EMULATE_LONG64 ? 16 : 8); i++)
		printf(" %llx", (unsigned long long)current.start.regs[i]);
	printf("\n");
}

static void check_fault(const greg_t *gregs)
{
	const struct emulate_exception *e = &current.ctxt.exception;
	u64 error = gregs[REG_ERR];

	faults++;
	if (current.outcome != EMULATE_FAULT) {
		report("native fault, outcome", gregs[REG_TRAPNO], current.outcome);
		return;
	}
	if ((u64)gregs[REG_TRAPNO] != e->vector)
		report("vector", gregs[REG_TRAPNO], e->vector);
	/* Whether a page out of reach is present is not the mirror's to know. */
	if (e->vector == 14)
		error &= ~1ull;
	if (e->has_error_code && error != e->error_code)
		report("error code", error, e->error_code);
}

static void check_registers(const greg_t *gregs, bool fault)
{
	u64 mask = mode == EMULATE_LONG64 ? ~0ull : 0xffffffff;
	unsigned int i, count = mode == EMULATE_LONG64 ? 16 : 8;
	u64 flags = FLAGS_ARITH | FLAG_DF;

	for (i = 0; i < count; i++) {
		u64 native = gregs[frame_reg[i]];

		if ((native ^ current.ctxt.regs[i]) & mask)
			report("register", native, current.ctxt.regs[i]);
	}
	if (!fault)
		flags &= ~undefined_flags();
	if ((gregs[REG_EFL] ^ current.ctxt.rflags) & flags)
		report("flags", gregs[REG_EFL], current.ctxt.rflags);
}

static void check_case(const ucontext_t *uc)
{
	const greg_t *gregs = uc->uc_mcontext.gregs;
	bool fault = gregs[REG_TRAPNO] != 3;
	u64 rip = gregs[REG_RIP] - (fault ? 0 : 1);

	memset(code + current.offset, BREAKPOINT, 16);
	if (fault)
		check_fault(gregs);
	else if (current.outcome != EMULATE_DONE)
		report("no native fault, outcome and vector", current.outcome,
		       current.ctxt.exception.vector);
	if (undefined_result()) {
		memcpy(mirror, data, DATA_BYTES);
		return;
	}
	check_registers(gregs, fault);
	if (rip != current.ctxt.rip)
		report("instruction pointer", rip, current.ctxt.rip);
	if (memcmp(uc->uc_mcontext.fpregs->_xmm, current.xmm,
		   mode == EMULATE_LONG64 ? 256 : 128))
		report("vector register", 0, 0);
	if (memcmp(data, mirror, DATA_BYTES)) {
		report("memory", 0, 0);
		memcpy(mirror, data, DATA_BYTES);
	}
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	if (running) {
		check_case(uc);
		done++;
	}
	if (done >= wanted)
		siglongjmp(finish, 1);
	running = true;
	choose_case();
	enter_case(uc);
	emulate_case();
}

static void install_handlers(void)
{
	static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static u8 stack[1 << 18];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	unsigned int i;

	sigaltstack(&ss, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static bool map_memory(void)
{
	unsigned int i;
	u64 value;

	data = mmap((void *)DATA_BASE, DATA_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	code = mmap((void *)CODE_BASE, CODE_BYTES,
		    PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	mirror = malloc(DATA_BYTES);
	if (data == MAP_FAILED || code == MAP_FAILED || !mirror)
		return false;
	memset(code, BREAKPOINT, CODE_BYTES);
	for (i = 0; i < DATA_BYTES; i += 8) {
		value = random_value();
		memcpy(data + i, &value, 8);
	}
	memcpy(mirror, data, DATA_BYTES);
	return true;
}

static bool make_segment(unsigned int entry, u64 base, u64 bytes, bool is_code)
{
	struct user_desc desc = {
		.entry_number = entry,
		.base_addr = base,
		.limit = bytes - 1,
		.contents = is_code ? MODIFY_LDT_CONTENTS_CODE :
				      MODIFY_LDT_CONTENTS_DATA,
	};

	return !syscall(SYS_modify_ldt, 1, &desc, sizeof(desc));
}

/* Selectors for the mode; false if the system does not give them. */
static bool choose_selectors(void)
{
	u16 data_segments;

	switch (mode) {
	case EMULATE_LONG64:
		code_selector = 0x33;
		data_selector = 0x2b;
		return true;
	case EMULATE_PROT32:
		code_selector = 0x23;
		data_selector = 0x2b;
		break;
	default:
		if (!make_segment(0, CODE_BASE, CODE_BYTES, true) ||
		    !make_segment(1, DATA_BASE, DATA_BYTES, false))
			return false;
		code_selector = 0 << 3 | 7;
		data_selector = 1 << 3 | 7;
	}
	data_segments = data_selector;
	__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(data_segments));
	return true;
}

enum child_status { CHILD_PASSED, CHILD_FAILED, CHILD_SKIPPED };

static int run_mode(void)
{
	if (!map_memory())
		return CHILD_FAILED;
	if (!choose_selectors())
		return CHILD_SKIPPED;
	install_handlers();
	if (!sigsetjmp(finish, 1))
		__asm__ volatile("int3");
	printf("# %lu cases, %lu of them faults, %lu mismatches\n", done, faults,
	       mismatches);
	fflush(stdout);
	return mismatches || done < wanted ? CHILD_FAILED : CHILD_PASSED;
}

/* In a process of its own: a case that goes astray fails one test. */
static void test_mode(enum emulate_mode which, const char *name)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		mode = which;
		_exit(run_mode());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED) {
		tap_ok(true, "%s # SKIP modify_ldt gives no 16-bit segment", name);
		return;
	}
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_PASSED,
	       "%s code runs as the processor runs it", name);
}

int main(int argc, char **argv)
{
	wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;
	seed = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15ull | 1;
	test_mode(EMULATE_LONG64, "64-bit");
	test_mode(EMULATE_PROT32, "32-bit");
	test_mode(EMULATE_PROT16, "16-bit");
	return tap_done();
}
