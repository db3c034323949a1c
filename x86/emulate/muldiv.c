// SPDX-License-Identifier: GPL-2.0-only
/* Multiplication and division. */
#include "internal.h"

/* A number of 128 bits. */
struct wide {
	u64 low;
	u64 high;
};

static struct wide wide_multiply(u64 a, u64 b)
{
	u64 low = (a & 0xffffffff) * (b & 0xffffffff);
	u64 cross = (a >> 32) * (b & 0xffffffff);
	u64 other = (a & 0xffffffff) * (b >> 32);
	u64 middle = (low >> 32) + (cross & 0xffffffff) + (other & 0xffffffff);
	struct wide r;

	r.low = (middle << 32) | (low & 0xffffffff);
	r.high = (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32) +
		 (middle >> 32);
	return r;
}

static struct wide wide_negate(struct wide a)
{
	a.low = -a.low;
	a.high = ~a.high + !a.low;
	return a;
}

/* a / b for b above a.high: the quotient in low, the remainder in high. */
static struct wide wide_divide(struct wide a, u64 b)
{
	struct wide r = { 0, a.high };
	unsigned int i;
	bool carry;

	if (!a.high) {
		r.low = a.low / b;
		r.high = a.low % b;
		return r;
	}
	for (i = 0; i < 64; i++) {
		carry = r.high >> 63;
		r.high = (r.high << 1) | (a.low >> 63);
		a.low <<= 1;
		r.low <<= 1;
		if (carry || r.high >= b) {
			r.high -= b;
			r.low |= 1;
		}
	}
	return r;
}

/* The full signed product of two sign-extended factors. */
static struct wide wide_multiply_signed(u64 a, u64 b)
{
	struct wide r = wide_multiply(a, b);

	if ((s64)a < 0)
		r.high -= b;
	if ((s64)b < 0)
		r.high -= a;
	return r;
}

/* CF and OF say that the upper half matters; the others follow the low half. */
static void product_flags(struct emulate_ctxt *ctxt, u64 low, unsigned int bytes,
			  bool overflow)
{
	ctxt->work.rflags &= ~FLAGS_ARITH;
	ctxt->work.rflags |= flags_result(low, bytes) & ~FLAG_ZF;
	if (overflow)
		ctxt->work.rflags |= FLAG_CF | FLAG_OF;
}

/* IMUL with a destination of the factors' size. */
static enum emulate_outcome multiply_short(struct emulate_ctxt *ctxt)
{
	struct operand dst, a, b;
	enum emulate_outcome outcome;
	unsigned int bytes;
	struct wide r;

	outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 1, USE_READ, &a);
	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 2, USE_READ, &b);
	if (outcome != EMULATE_DONE)
		return outcome;
	bytes = dst.bytes;
	r = wide_multiply_signed(sign_extend(a.value, bytes),
				 sign_extend(b.value, bytes));
	product_flags(ctxt, r.low, bytes,
		      sign_extend(r.low, bytes) != r.low ||
		      r.high != (u64)((s64)r.low >> 63));
	return operand_write(ctxt, &dst, r.low);
}

/* rDX:rAX, or AX for bytes. */
static void write_pair(struct emulate_ctxt *ctxt, u64 low, u64 high,
		       unsigned int bytes)
{
	if (bytes == 1) {
		reg_write(ctxt, EMULATE_RAX, (low & 0xff) | (high << 8), 2);
		return;
	}
	reg_write(ctxt, EMULATE_RAX, low, bytes);
	reg_write(ctxt, EMULATE_RDX, high, bytes);
}

static void multiply(struct emulate_ctxt *ctxt, u64 a, u64 b, unsigned int bytes)
{
	bool is_signed = ctxt->insn.operation == OP_IMUL;
	u64 low, high;
	struct wide r;
	bool overflow;

	if (is_signed)
		r = wide_multiply_signed(sign_extend(a, bytes), sign_extend(b, bytes));
	else
		r = wide_multiply(a, b);
	low = r.low & size_mask(bytes);
	high = bytes == 8 ? r.high : r.low >> (bytes * 8);
	if (is_signed)
		overflow = sign_extend(low, bytes) != r.low ||
			   r.high != (u64)((s64)r.low >> 63);
	else
		overflow = high & size_mask(bytes);
	product_flags(ctxt, low, bytes, overflow);
	write_pair(ctxt, low, high, bytes);
}

static struct wide read_pair(const struct emulate_ctxt *ctxt, unsigned int bytes)
{
	struct wide r = { 0, 0 };

	if (bytes == 1) {
		r.low = reg_read(ctxt, EMULATE_RAX, 2);
	} else if (bytes == 8) {
		r.low = ctxt->work.regs[EMULATE_RAX];
		r.high = ctxt->work.regs[EMULATE_RDX];
	} else {
		r.low = reg_read(ctxt, EMULATE_RAX, bytes) |
			reg_read(ctxt, EMULATE_RDX, bytes) << (bytes * 8);
	}
	return r;
}

static enum emulate_outcome divide(struct emulate_ctxt *ctxt, u64 divisor,
				   unsigned int bytes)
{
	struct wide a = read_pair(ctxt, bytes);
	u64 limit = size_mask(bytes);

	if (!divisor || a.high >= divisor)
		return emulate_fault(ctxt, VECTOR_DE);
	a = wide_divide(a, divisor);
	if (a.low > limit)
		return emulate_fault(ctxt, VECTOR_DE);
	write_pair(ctxt, a.low, a.high, bytes);
	return EMULATE_DONE;
}

/* Division of magnitudes; the remainder has the dividend's sign. */
static enum emulate_outcome divide_signed(struct emulate_ctxt *ctxt, u64 divisor,
					  unsigned int bytes)
{
	struct wide a = read_pair(ctxt, bytes);
	bool negative_a, negative_b;
	u64 limit = sign_bit(bytes);

	if (bytes < 8)
		a.low = sign_extend(a.low, bytes * 2);
	negative_a = (s64)(bytes == 8 ? a.high : a.low) < 0;
	if (bytes < 8 && negative_a)
		a.high = ~0ull;
	divisor = sign_extend(divisor, bytes);
	negative_b = (s64)divisor < 0;
	if (negative_a)
		a = wide_negate(a);
	if (negative_b)
		divisor = -divisor;
	if (!divisor || a.high >= divisor)
		return emulate_fault(ctxt, VECTOR_DE);
	a = wide_divide(a, divisor);
	/* The quotient's range has one negative number more. */
	if (a.low > limit || (a.low == limit && negative_a == negative_b))
		return emulate_fault(ctxt, VECTOR_DE);
	write_pair(ctxt, negative_a != negative_b ? -a.low : a.low,
		   negative_a ? -a.high : a.high, bytes);
	return EMULATE_DONE;
}

enum emulate_outcome execute_muldiv(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	struct operand src;

	if (ctxt->insn.operation == OP_IMUL2)
		return multiply_short(ctxt);
	outcome = operand_open(ctxt, 1, USE_READ, &src);
	if (outcome != EMULATE_DONE)
		return outcome;
	switch (ctxt->insn.operation) {
	case OP_DIV:
		return divide(ctxt, src.value, src.bytes);
	case OP_IDIV:
		return divide_signed(ctxt, src.value, src.bytes);
	default:
		multiply(ctxt, reg_read(ctxt, EMULATE_RAX, src.bytes), src.value,
			 src.bytes);
		return EMULATE_DONE;
	}
}
