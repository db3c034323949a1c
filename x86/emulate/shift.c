// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shifts and rotates. Where the manual leaves a flag undefined (OF for counts
 * above 1, AF), it gets the value that AMD's and Intel's processors give:
 * OF as for the last single step, AF clear.
 */
#include "internal.h"

/* One rotate or shift by count, which is not 0 and below the size in bits. */
struct shift_result {
	u64 value;
	bool carry;
};

static struct shift_result shift_left(u64 value, u64 in, unsigned int count,
				      unsigned int bits)
{
	struct shift_result r;

	r.value = (value << count) | (in >> (bits - count));
	r.carry = (value >> (bits - count)) & 1;
	return r;
}

static struct shift_result shift_right(u64 value, u64 in, unsigned int count,
				       unsigned int bits)
{
	struct shift_result r;

	r.value = (value >> count) | (in << (bits - count));
	r.carry = (value >> (count - 1)) & 1;
	return r;
}

static void set_cf_of(struct emulate_ctxt *ctxt, bool cf, bool of)
{
	u64 flags = ctxt->work.rflags & ~(FLAG_CF | FLAG_OF);

	if (cf)
		flags |= FLAG_CF;
	if (of)
		flags |= FLAG_OF;
	ctxt->work.rflags = flags;
}

/* SHL, SHR, SAR by a count that is not 0; it may exceed the size. */
static u64 shift(struct emulate_ctxt *ctxt, u64 value, unsigned int count,
		 unsigned int bytes)
{
	unsigned int bits = bytes * 8;
	struct shift_result r = { 0, false };
	bool negative = value & sign_bit(bytes);
	bool of;

	switch (ctxt->insn.operation) {
	case OP_SHR:
		if (count < bits)
			r = shift_right(value, 0, count, bits);
		else
			r.carry = count == bits && negative;
		of = (r.value ^ (r.value << 1)) & sign_bit(bytes);
		break;
	case OP_SAR:
		if (count < bits) {
			r = shift_right(value, negative ? size_mask(bytes) : 0,
					count, bits);
		} else {
			r.value = negative ? size_mask(bytes) : 0;
			r.carry = negative;
		}
		of = false;
		break;
	default:	/* SHL, SAL */
		if (count < bits)
			r = shift_left(value, 0, count, bits);
		else
			r.carry = count == bits && (value & 1);
		of = r.carry ^ !!(r.value & sign_bit(bytes));
	}
	ctxt->work.rflags &= ~FLAGS_ARITH;
	ctxt->work.rflags |= flags_result(r.value, bytes);
	set_cf_of(ctxt, r.carry, of);
	return r.value;
}

/* ROL, ROR by a count that is not 0. */
static u64 rotate(struct emulate_ctxt *ctxt, u64 value, unsigned int count,
		  unsigned int bytes)
{
	unsigned int bits = bytes * 8;
	bool cf, of, top;

	count %= bits;
	if (ctxt->insn.operation == OP_ROL) {
		if (count)
			value = shift_left(value, value, count, bits).value;
		cf = value & 1;
		of = cf ^ !!(value & sign_bit(bytes));
	} else {
		if (count)
			value = shift_right(value, value, count, bits).value;
		cf = value & sign_bit(bytes);
		top = (value << 1) & sign_bit(bytes);
		of = cf ^ top;
	}
	set_cf_of(ctxt, cf, of);
	return value;
}

/* RCL, RCR: a rotate of one bit more than the operand has, through CF. */
static u64 rotate_carry(struct emulate_ctxt *ctxt, u64 value, unsigned int count,
			unsigned int bytes)
{
	bool cf = ctxt->work.rflags & FLAG_CF;
	u64 top = sign_bit(bytes);
	bool out;

	for (count %= bytes * 8 + 1; count; count--) {
		if (ctxt->insn.operation == OP_RCL) {
			out = value & top;
			value = (value << 1) | cf;
		} else {
			out = value & 1;
			value = ((value & size_mask(bytes)) >> 1) | (cf ? top : 0);
		}
		cf = out;
	}
	if (ctxt->insn.operation == OP_RCL)
		set_cf_of(ctxt, cf, cf ^ !!(value & top));
	else
		set_cf_of(ctxt, cf, (value ^ (value << 1)) & top);
	return value;
}

/* Both operands as one number, shifted: 16-bit ones by counts up to 31. */
static u64 shift_double(struct emulate_ctxt *ctxt, u64 value, u64 in,
			unsigned int count, unsigned int bytes)
{
	unsigned int bits = bytes * 8;
	bool before = value & sign_bit(bytes);
	struct shift_result r;

	if (count > bits) {
		/* Undefined by the manual: go on with the source's bits. */
		count -= bits;
		r.value = value;
		value = in;
		in = r.value;
	}
	if (count == bits) {
		r.value = in;
		r.carry = ctxt->insn.operation == OP_SHLD ? value & 1 : before;
	} else if (ctxt->insn.operation == OP_SHLD) {
		r = shift_left(value, in, count, bits);
	} else {
		r = shift_right(value, in, count, bits);
	}
	ctxt->work.rflags &= ~FLAGS_ARITH;
	ctxt->work.rflags |= flags_result(r.value, bytes);
	set_cf_of(ctxt, r.carry, before ^ !!(r.value & sign_bit(bytes)));
	return r.value;
}

static u64 shift_compute(struct emulate_ctxt *ctxt, const struct operand *dst,
			 const struct operand *in, unsigned int count)
{
	switch (ctxt->insn.operation) {
	case OP_ROL:
	case OP_ROR:
		return rotate(ctxt, dst->value, count, dst->bytes);
	case OP_RCL:
	case OP_RCR:
		return rotate_carry(ctxt, dst->value, count, dst->bytes);
	case OP_SHLD:
	case OP_SHRD:
		return shift_double(ctxt, dst->value, in->value, count, dst->bytes);
	default:
		return shift(ctxt, dst->value, count, dst->bytes);
	}
}

enum emulate_outcome execute_shift(struct emulate_ctxt *ctxt)
{
	bool two = ctxt->insn.operation == OP_SHLD ||
		   ctxt->insn.operation == OP_SHRD;
	struct operand dst, in, by;
	enum emulate_outcome outcome;
	unsigned int count;

	outcome = operand_open(ctxt, 0, USE_MODIFY, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	outcome = operand_open(ctxt, 1, USE_READ, &in);
	if (outcome != EMULATE_DONE)
		return outcome;
	by = in;
	if (two)
		outcome = operand_open(ctxt, 2, USE_READ, &by);
	if (outcome != EMULATE_DONE)
		return outcome;
	count = by.value & (dst.bytes == 8 ? 63 : 31);
	/* A count of 0 changes no flag, but memory is written all the same. */
	if (count)
		dst.value = shift_compute(ctxt, &dst, &in, count);
	return operand_write(ctxt, &dst, dst.value);
}
