// SPDX-License-Identifier: GPL-2.0-only
/* Loading of the data segment registers and SS. */
#include "internal.h"

#define SELECTOR_RPL	3u
#define SELECTOR_LDT	4u

/* A descriptor's fields put together; the limit in bytes. */
static void unpack(u64 descriptor, u16 selector, struct emulate_segment *segment)
{
	segment->selector = selector;
	segment->base = ((descriptor >> 16) & 0xffffff) | (descriptor >> 56) << 24;
	segment->limit = (descriptor & 0xffff) | ((descriptor >> 32) & 0xf0000);
	segment->attributes = ((descriptor >> 40) & 0xff) |
			      ((descriptor >> 44) & 0xf00);
	if (segment->attributes & EMULATE_SEG_G)
		segment->limit = segment->limit << 12 | 0xfff;
}

/* The linear address of a selector's descriptor. */
static enum emulate_outcome locate(struct emulate_ctxt *ctxt, u16 selector,
				   u64 *linear)
{
	struct emulate_segment ldt;
	struct emulate_table gdt;
	enum emulate_outcome outcome;
	u32 offset = selector & ~7u;
	u32 limit;

	if (selector & SELECTOR_LDT) {
		outcome = ctxt->ops->get_segment(ctxt, EMULATE_LDTR, &ldt);
		if (outcome != EMULATE_DONE)
			return outcome;
		*linear = ldt.base + offset;
		limit = ldt.limit;
		if (!(ldt.attributes & EMULATE_SEG_P))
			return emulate_fault_code(ctxt, VECTOR_GP, selector & ~SELECTOR_RPL);
	} else {
		outcome = CALL_OP(ctxt, get_table, EMULATE_GDTR, &gdt);
		if (outcome != EMULATE_DONE)
			return outcome;
		*linear = gdt.base + offset;
		limit = gdt.limit;
	}
	if (offset + 7 > limit)
		return emulate_fault_code(ctxt, VECTOR_GP, selector & ~SELECTOR_RPL);
	return EMULATE_DONE;
}

/* May this descriptor be loaded into a data segment register? */
static bool data_allowed(const struct emulate_ctxt *ctxt,
			 const struct emulate_segment *segment)
{
	unsigned int dpl = (segment->attributes & EMULATE_SEG_DPL) >>
			   EMULATE_SEG_DPL_SHIFT;
	u16 type = segment->attributes;

	if (!(type & EMULATE_SEG_S))
		return false;
	if (type & EMULATE_SEG_CODE) {
		if (!(type & EMULATE_SEG_WRITABLE))
			return false;
		if (type & EMULATE_SEG_DOWN)	/* conforming */
			return true;
	}
	return dpl >= ctxt->cpl && dpl >= (segment->selector & SELECTOR_RPL);
}

static bool stack_allowed(const struct emulate_ctxt *ctxt,
			  const struct emulate_segment *segment)
{
	unsigned int dpl = (segment->attributes & EMULATE_SEG_DPL) >>
			   EMULATE_SEG_DPL_SHIFT;
	u16 type = segment->attributes;

	if (!(type & EMULATE_SEG_S) || (type & EMULATE_SEG_CODE))
		return false;
	return (type & EMULATE_SEG_WRITABLE) && dpl == ctxt->cpl &&
	       (segment->selector & SELECTOR_RPL) == ctxt->cpl;
}

static enum emulate_outcome load_null(struct emulate_ctxt *ctxt,
				      enum emulate_seg seg, u16 selector)
{
	struct emulate_segment segment = { .selector = selector };

	/* SS may be null in 64-bit mode only, and not at CPL 3. */
	if (seg == EMULATE_SS) {
		if (!long64(ctxt) || ctxt->cpl == 3 || selector != ctxt->cpl)
			return emulate_fault_code(ctxt, VECTOR_GP, 0);
		segment.attributes = ctxt->cpl << EMULATE_SEG_DPL_SHIFT;
	}
	return CALL_OP(ctxt, set_segment, seg, &segment);
}

static enum emulate_outcome load_descriptor(struct emulate_ctxt *ctxt,
					    enum emulate_seg seg, u16 selector)
{
	struct emulate_segment segment;
	enum emulate_outcome outcome;
	u32 error_code = selector & ~SELECTOR_RPL;
	bool allowed, stack = seg == EMULATE_SS;
	u64 linear, descriptor;
	u8 type;

	outcome = locate(ctxt, selector, &linear);
	if (outcome == EMULATE_DONE)
		outcome = mem_read(ctxt, linear, &descriptor, 8,
				   EMULATE_ACCESS_SYSTEM);
	if (outcome != EMULATE_DONE)
		return outcome;
	unpack(descriptor, selector, &segment);
	allowed = stack ? stack_allowed(ctxt, &segment) :
			  data_allowed(ctxt, &segment);
	if (!allowed)
		return emulate_fault_code(ctxt, VECTOR_GP, error_code);
	if (!(segment.attributes & EMULATE_SEG_P))
		return emulate_fault_code(ctxt, stack ? VECTOR_SS : VECTOR_NP, error_code);
	if (!(segment.attributes & EMULATE_SEG_ACCESSED)) {
		segment.attributes |= EMULATE_SEG_ACCESSED;
		type = segment.attributes;
		outcome = ctxt->ops->write(ctxt, linear + 5, &type, 1,
					   EMULATE_ACCESS_SYSTEM);
		if (outcome != EMULATE_DONE)
			return outcome;
	}
	return CALL_OP(ctxt, set_segment, seg, &segment);
}

/**
 * segment_load() - load a segment register
 * @ctxt: the instruction
 * @seg: ES, SS, DS, FS or GS
 * @selector: what to load
 *
 * Must be the last step of an instruction that can fail: it does not wait for
 * the registers to be committed.
 *
 * Return: enum emulate_outcome.
 */
enum emulate_outcome segment_load(struct emulate_ctxt *ctxt,
				  enum emulate_seg seg, u16 selector)
{
	struct emulate_segment segment;
	enum emulate_outcome outcome;

	if (!ctxt->ops->set_segment)
		return EMULATE_UNHANDLED;
	if (!real_or_vm86(ctxt)) {
		if (!(selector & ~SELECTOR_RPL))
			return load_null(ctxt, seg, selector);
		return load_descriptor(ctxt, seg, selector);
	}
	/* Limit and type stay: real mode is used with larger segments. */
	outcome = ctxt->ops->get_segment(ctxt, seg, &segment);
	if (outcome != EMULATE_DONE)
		return outcome;
	segment.selector = selector;
	segment.base = (u64)selector << 4;
	return CALL_OP(ctxt, set_segment, seg, &segment);
}
