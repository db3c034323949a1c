/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the emulator's files share. The executing functions return enum
 * emulate_outcome; anything but EMULATE_DONE ends the instruction.
 */
#ifndef KSVM_EMULATE_INTERNAL_H
#define KSVM_EMULATE_INTERNAL_H

#include "../../include/emulate.h"
#include "opcodes.h"

#ifdef __KERNEL__
#include <linux/compiler.h>
#else
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#define noinline	__attribute__((__noinline__))
#define fallthrough	__attribute__((__fallthrough__))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#endif

#define FLAG_CF		(1ull << 0)
#define FLAG_PF		(1ull << 2)
#define FLAG_AF		(1ull << 4)
#define FLAG_ZF		(1ull << 6)
#define FLAG_SF		(1ull << 7)
#define FLAG_TF		(1ull << 8)
#define FLAG_IF		(1ull << 9)
#define FLAG_DF		(1ull << 10)
#define FLAG_OF		(1ull << 11)
#define FLAG_IOPL	(3ull << 12)
#define FLAG_IOPL_SHIFT	12
#define FLAG_NT		(1ull << 14)
#define FLAG_RF		(1ull << 16)
#define FLAG_VM		(1ull << 17)
#define FLAG_AC		(1ull << 18)
#define FLAG_VIF	(1ull << 19)
#define FLAG_VIP	(1ull << 20)
#define FLAG_ID		(1ull << 21)
#define FLAGS_ARITH	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define CR0_EM		(1ull << 2)
#define CR0_TS		(1ull << 3)
#define CR0_AM		(1ull << 18)
#define CR4_VME		(1ull << 0)
#define CR4_PVI		(1ull << 1)
#define CR4_TSD		(1ull << 2)
#define CR4_DE		(1ull << 3)
#define CR4_OSFXSR	(1ull << 9)
#define CR4_UMIP	(1ull << 11)
#define CR4_OSXSAVE	(1ull << 18)
#define DR6_BD		(1ull << 13)
#define DR7_GD		(1ull << 13)

#define VECTOR_DE	0
#define VECTOR_DB	1
#define VECTOR_UD	6
#define VECTOR_NM	7
#define VECTOR_NP	11
#define VECTOR_SS	12
#define VECTOR_GP	13
#define VECTOR_AC	17

#define PAGE_BYTES	4096u

/**
 * struct operand - an operand that execution works on
 * @value: what was read; zero-extended, or the sign-extended immediate
 * @linear: address of a memory operand
 * @kind: enum insn_operand_kind
 * @reg: register
 * @bytes: size
 * @shift: 8 for AH, CH, DH, BH, else 0
 */
struct operand {
	u64 value;
	u64 linear;
	u8 kind;
	u8 reg;
	u8 bytes;
	u8 shift;
};

/* What is going to be done to an operand. */
enum operand_use {
	USE_READ = 1 << 0,
	USE_WRITE = 1 << 1,
	USE_MODIFY = USE_READ | USE_WRITE,
};

static inline u64 size_mask(unsigned int bytes)
{
	return bytes >= 8 ? ~0ull : (1ull << (bytes * 8)) - 1;
}

static inline u64 sign_bit(unsigned int bytes)
{
	return 1ull << (bytes * 8 - 1);
}

static inline u64 sign_extend(u64 value, unsigned int bytes)
{
	unsigned int shift = 64 - bytes * 8;

	return (u64)((s64)(value << shift) >> shift);
}

/* Replace the low bytes of a register as a write of that size does. */
static inline u64 merge(u64 old, u64 value, unsigned int bytes)
{
	if (bytes == 8)
		return value;
	if (bytes == 4)
		return (u32)value;
	return (old & ~size_mask(bytes)) | (value & size_mask(bytes));
}

static inline u64 reg_read(const struct emulate_ctxt *ctxt, unsigned int reg,
			   unsigned int bytes)
{
	return ctxt->work.regs[reg] & size_mask(bytes);
}

static inline void reg_write(struct emulate_ctxt *ctxt, unsigned int reg,
			     u64 value, unsigned int bytes)
{
	ctxt->work.regs[reg] = merge(ctxt->work.regs[reg], value, bytes);
}

static inline bool real_or_vm86(const struct emulate_ctxt *ctxt)
{
	return ctxt->mode <= EMULATE_VM86;
}

static inline bool long64(const struct emulate_ctxt *ctxt)
{
	return ctxt->mode == EMULATE_LONG64;
}

static inline unsigned int iopl(const struct emulate_ctxt *ctxt)
{
	return (ctxt->rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT;
}

static inline bool locked(const struct emulate_ctxt *ctxt)
{
	return ctxt->insn.prefixes & INSN_PREFIX_LOCK;
}

static inline bool repeated(const struct emulate_ctxt *ctxt)
{
	return ctxt->insn.prefixes & (INSN_PREFIX_REP | INSN_PREFIX_REPNE);
}

/* Run an operation that may be NULL. */
#define CALL_OP(ctxt, op, ...)					\
	((ctxt)->ops->op ? (ctxt)->ops->op(ctxt, ##__VA_ARGS__) :	\
			   EMULATE_UNHANDLED)

/* fault.c */
enum emulate_outcome emulate_fault(struct emulate_ctxt *ctxt, u8 vector);
enum emulate_outcome emulate_fault_code(struct emulate_ctxt *ctxt, u8 vector,
					u32 error_code);
enum emulate_outcome emulate_need_cpl0(struct emulate_ctxt *ctxt);

/* memory.c */
bool linear_canonical(const struct emulate_ctxt *ctxt, u64 linear);
enum emulate_outcome mem_linear(struct emulate_ctxt *ctxt, enum emulate_seg seg,
				u64 offset, unsigned int bytes,
				enum operand_use use, u64 *linear);
enum emulate_outcome mem_read(struct emulate_ctxt *ctxt, u64 linear, u64 *value,
			      unsigned int bytes, unsigned int access);
enum emulate_outcome mem_write(struct emulate_ctxt *ctxt, u64 linear, u64 value,
			       unsigned int bytes);
u64 mem_offset(const struct emulate_ctxt *ctxt);
enum emulate_outcome stack_push(struct emulate_ctxt *ctxt, u64 value,
				unsigned int bytes);
enum emulate_outcome stack_pop(struct emulate_ctxt *ctxt, u64 *value,
			       unsigned int bytes);
enum emulate_outcome stack_bytes(struct emulate_ctxt *ctxt,
				 unsigned int *bytes);
enum emulate_outcome check_target(struct emulate_ctxt *ctxt, u64 target);

/* operand.c */
unsigned int spec_bytes(const struct insn *insn, unsigned int spec, bool memory);
enum emulate_outcome operand_open(struct emulate_ctxt *ctxt, unsigned int index,
				  enum operand_use use, struct operand *operand);
enum emulate_outcome operand_write(struct emulate_ctxt *ctxt,
				   struct operand *operand, u64 value);

/* segment.c */
enum emulate_outcome segment_load(struct emulate_ctxt *ctxt,
				  enum emulate_seg seg, u16 selector);

/* The instructions, by the file that executes them. */
enum emulate_outcome execute_alu(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_shift(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_muldiv(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_bit(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_exchange(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_move(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_stack(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_branch(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_string(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_io(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_system(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_flag(struct emulate_ctxt *ctxt);
enum emulate_outcome execute_vector(struct emulate_ctxt *ctxt);

bool condition_met(const struct emulate_ctxt *ctxt, unsigned int condition);
u64 flags_result(u64 result, unsigned int bytes);
u64 alu_flags(struct emulate_ctxt *ctxt, unsigned int operation, u64 a, u64 b,
	      unsigned int bytes);

#endif
