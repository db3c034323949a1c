// SPDX-License-Identifier: GPL-2.0-only
/* The world of an emulated instruction: a vCPU's memory, ports and registers. */
#include <linux/align.h>
#include <linux/container_of.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/trapnr.h>

#include "guest.h"
#include "insn.h"
#include "internal.h"
#include "vcpu.h"
#include "x86_ops.h"

/* In a 32-bit TSS. */
#define TSS_IO_MAP_BASE	102
#define TSS_TYPE_MASK	(EMULATE_SEG_S | EMULATE_SEG_TYPE)
#define TSS32_AVAILABLE	9
#define TSS32_BUSY	11

static struct ksvm_insn_state *state_of(struct emulate_ctxt *ctxt)
{
	return container_of(ctxt, struct ksvm_insn_state, ctxt);
}

static struct ksvm_vcpu *vcpu_of(struct emulate_ctxt *ctxt)
{
	return state_of(ctxt)->vcpu;
}

static enum emulate_outcome general_protection(struct emulate_ctxt *ctxt)
{
	ctxt->exception = (struct emulate_exception) {
		.vector = X86_TRAP_GP,
		.has_error_code = ctxt->mode != EMULATE_REAL,
	};
	return EMULATE_FAULT;
}

/* Of the setters whose only failure is a value that they do not accept. */
static enum emulate_outcome done_or_gp(struct emulate_ctxt *ctxt, int error)
{
	return error ? general_protection(ctxt) : EMULATE_DONE;
}

/* What memory access functions answer, but for -ENXIO and -EPERM. */
static enum emulate_outcome memory_error(struct ksvm_insn_state *state, int error)
{
	if (error == -EAGAIN)
		return EMULATE_RETRY;
	state->error = error;
	return EMULATE_UNHANDLED;
}

static enum emulate_outcome translate(struct emulate_ctxt *ctxt, u64 linear, u32 walk_access,
				      u64 *gpa)
{
	struct ksvm_walk walk;
	int error = ksvm_walk(vcpu_of(ctxt), linear, walk_access, &walk);

	if (error == -EPERM) {
		ctxt->exception = (struct emulate_exception) {
			.vector = X86_TRAP_PF,
			.has_error_code = true,
			.error_code = walk.error_code,
			.address = linear,
		};
		return EMULATE_FAULT;
	}
	if (error)
		return memory_error(state_of(ctxt), error);
	*gpa = walk.gpa;
	return EMULATE_DONE;
}

/**
 * struct span - an access as physical memory sees it
 * @gpa: the first byte, and that of the second page if there is one
 * @bytes: in each page
 */
struct span {
	u64 gpa[2];
	unsigned int bytes[2];
};

/* Translate all of an access before any of it is done. */
static enum emulate_outcome translate_span(struct emulate_ctxt *ctxt, u64 linear,
					   unsigned int bytes, unsigned int access, bool write,
					   struct span *span)
{
	enum emulate_outcome outcome;
	u32 walk_access = write || (access & EMULATE_ACCESS_MODIFY) ? WALK_WRITE : 0;

	if (access & EMULATE_ACCESS_SYSTEM)
		walk_access |= WALK_SYSTEM;
	else if (ctxt->cpl == 3)
		walk_access |= WALK_USER;

	span->bytes[0] = min_t(unsigned int, bytes, PAGE_SIZE - offset_in_page(linear));
	span->bytes[1] = bytes - span->bytes[0];
	outcome = translate(ctxt, linear, walk_access, &span->gpa[0]);
	if (outcome != EMULATE_DONE || !span->bytes[1])
		return outcome;
	linear += span->bytes[0];
	if (ctxt->mode != EMULATE_LONG64)
		linear = (u32)linear;
	return translate(ctxt, linear, walk_access, &span->gpa[1]);
}

static enum emulate_outcome read_part(struct ksvm_insn_state *state, u64 gpa, void *buf,
				      unsigned int bytes)
{
	int error;

	/* What user space has answered counts, even if it has put memory there since. */
	if (ksvm_mmio_answered(state, gpa))
		return ksvm_mmio_read(state, gpa, buf, bytes);
	error = ksvm_read_gpa(state->vcpu, gpa, buf, bytes);
	if (!error)
		return EMULATE_DONE;
	if (error != -ENXIO)
		return memory_error(state, error);
	if (ksvm_device_read(state->vcpu, gpa, buf, bytes) == EMULATE_DONE)
		return EMULATE_DONE;
	return ksvm_mmio_read(state, gpa, buf, bytes);
}

static enum emulate_outcome write_part(struct ksvm_insn_state *state, u64 gpa, const void *buf,
				       unsigned int bytes)
{
	int error = ksvm_write_gpa(state->vcpu, gpa, buf, bytes);
	enum emulate_outcome outcome;

	if (!error)
		return EMULATE_DONE;
	if (error != -ENXIO)
		return memory_error(state, error);
	outcome = ksvm_device_write(state->vcpu, gpa, buf, bytes);
	if (outcome != EMULATE_UNHANDLED)
		return outcome;
	return ksvm_mmio_write(state, gpa, buf, bytes);
}

static enum emulate_outcome op_read(struct emulate_ctxt *ctxt, u64 linear, void *buf,
				    unsigned int bytes, unsigned int access)
{
	struct ksvm_insn_state *state = state_of(ctxt);
	enum emulate_outcome outcome;
	struct span span;

	outcome = translate_span(ctxt, linear, bytes, access, false, &span);
	if (outcome != EMULATE_DONE || (access & EMULATE_ACCESS_PROBE))
		return outcome;
	outcome = read_part(state, span.gpa[0], buf, span.bytes[0]);
	if (outcome == EMULATE_DONE && span.bytes[1])
		outcome = read_part(state, span.gpa[1], buf + span.bytes[0], span.bytes[1]);
	return outcome;
}

static enum emulate_outcome write_span(struct ksvm_insn_state *state, const struct span *span,
				       const void *buf)
{
	enum emulate_outcome outcome = write_part(state, span->gpa[0], buf, span->bytes[0]);

	if (outcome == EMULATE_DONE && span->bytes[1])
		outcome = write_part(state, span->gpa[1], buf + span->bytes[0], span->bytes[1]);
	return outcome;
}

static enum emulate_outcome op_write(struct emulate_ctxt *ctxt, u64 linear, const void *buf,
				     unsigned int bytes, unsigned int access)
{
	enum emulate_outcome outcome;
	struct span span;

	outcome = translate_span(ctxt, linear, bytes, access, true, &span);
	if (outcome != EMULATE_DONE || (access & EMULATE_ACCESS_PROBE))
		return outcome;
	return write_span(state_of(ctxt), &span, buf);
}

/*
 * Atomic where the processor would hold a cache line; an access that is not
 * aligned, and one to a device, are a plain write.
 */
static enum emulate_outcome op_cmpxchg(struct emulate_ctxt *ctxt, u64 linear, const void *old,
				       const void *new, unsigned int bytes)
{
	struct ksvm_insn_state *state = state_of(ctxt);
	enum emulate_outcome outcome;
	struct span span;
	u8 found[16] __aligned(16);
	int error;

	outcome = translate_span(ctxt, linear, bytes, 0, true, &span);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (!IS_ALIGNED(linear, bytes) || !ksvm_gpa_is_memory(state->vcpu, span.gpa[0], true))
		return write_span(state, &span, new);

	memcpy(found, old, bytes);
	error = ksvm_cmpxchg_gpa(state->vcpu, span.gpa[0], found, new, bytes);
	if (error == -ENXIO)
		return EMULATE_RETRY;
	if (error)
		return memory_error(state, error);
	return memcmp(found, old, bytes) ? EMULATE_RETRY : EMULATE_DONE;
}

/* Two bytes of the map are looked at always, as the processor does. */
static enum emulate_outcome op_check_io(struct emulate_ctxt *ctxt, u16 port, unsigned int bytes)
{
	enum emulate_outcome outcome;
	struct emulate_segment tss;
	u32 offset;
	u16 map;

	static_call(ksvm_x86_get_segment)(vcpu_of(ctxt), EMULATE_TR, &tss);
	switch (tss.attributes & TSS_TYPE_MASK) {
	case TSS32_AVAILABLE:
	case TSS32_BUSY:
		break;
	default:
		return general_protection(ctxt);
	}
	if (!(tss.attributes & EMULATE_SEG_P) || tss.limit < TSS_IO_MAP_BASE + 1)
		return general_protection(ctxt);
	outcome = op_read(ctxt, tss.base + TSS_IO_MAP_BASE, &map, sizeof(map),
			  EMULATE_ACCESS_SYSTEM);
	if (outcome != EMULATE_DONE)
		return outcome;
	offset = map + port / 8;
	if (offset + 1 > tss.limit)
		return general_protection(ctxt);
	outcome = op_read(ctxt, tss.base + offset, &map, sizeof(map), EMULATE_ACCESS_SYSTEM);
	if (outcome != EMULATE_DONE)
		return outcome;
	if ((map >> (port % 8)) & (BIT(bytes) - 1))
		return general_protection(ctxt);
	return EMULATE_DONE;
}

/*
 * A page of values for a device may take long, and a value that was read from one must not
 * get lost because the memory for it cannot be had there: not in ring 2.
 */
static bool strings_wait(const struct ksvm_insn_state *state)
{
	return state->vcpu->ring == RING_INNER;
}

/*
 * User space may have changed RCX while it had the port: as many values are
 * taken as the instruction asks for now, from the page that holds the most that
 * it can ask for.
 */
static enum emulate_outcome op_port_in(struct emulate_ctxt *ctxt, u16 port, unsigned int bytes,
				       void *buf, unsigned int count)
{
	struct ksvm_insn_state *state = state_of(ctxt);

	if (strings_wait(state))
		return EMULATE_RETRY;
	if (!count || count > PAGE_SIZE / bytes)
		return EMULATE_UNHANDLED;
	if (state->port.answered) {
		if (buf != state->vcpu->pio_data)
			memcpy(buf, state->vcpu->pio_data, count * bytes);
		return EMULATE_DONE;
	}
	if (ksvm_port_read(state->vcpu, port, bytes, buf, count))
		return EMULATE_DONE;
	state->port = (struct insn_port) {
		.count = count,
		.port = port,
		.bytes = bytes,
		.in = true,
	};
	return EMULATE_IO;
}

static enum emulate_outcome op_port_out(struct emulate_ctxt *ctxt, u16 port, unsigned int bytes,
					const void *buf, unsigned int count)
{
	struct ksvm_insn_state *state = state_of(ctxt);
	unsigned int done;

	if (strings_wait(state))
		return EMULATE_RETRY;
	if (!count || count > PAGE_SIZE / bytes)
		return EMULATE_UNHANDLED;
	done = ksvm_port_write(state->vcpu, port, bytes, buf, count);
	count -= done;
	if (!count)
		return EMULATE_DONE;
	memmove(state->vcpu->pio_data, buf + done * bytes, count * bytes);
	state->port = (struct insn_port) {
		.count = count,
		.port = port,
		.bytes = bytes,
	};
	return EMULATE_DONE;
}

static enum emulate_outcome op_get_segment(struct emulate_ctxt *ctxt, enum emulate_seg seg,
					   struct emulate_segment *segment)
{
	static_call(ksvm_x86_get_segment)(vcpu_of(ctxt), seg, segment);
	return EMULATE_DONE;
}

static enum emulate_outcome op_set_segment(struct emulate_ctxt *ctxt, enum emulate_seg seg,
					   const struct emulate_segment *segment)
{
	static_call(ksvm_x86_set_segment)(vcpu_of(ctxt), seg, segment);
	return EMULATE_DONE;
}

static enum emulate_outcome op_get_cr(struct emulate_ctxt *ctxt, unsigned int nr, u64 *value)
{
	const struct ksvm_x86_vcpu *x86 = &vcpu_of(ctxt)->x86;

	switch (nr) {
	case 0:
		*value = x86->cr0;
		return EMULATE_DONE;
	case 2:
		*value = x86->cr2;
		return EMULATE_DONE;
	case 3:
		*value = x86->cr3;
		return EMULATE_DONE;
	case 4:
		*value = x86->cr4;
		return EMULATE_DONE;
	case 8:
		*value = x86->cr8;
		return EMULATE_DONE;
	default:
		return EMULATE_UNHANDLED;
	}
}

static enum emulate_outcome op_set_cr(struct emulate_ctxt *ctxt, unsigned int nr, u64 value)
{
	struct ksvm_vcpu *vcpu = vcpu_of(ctxt);

	switch (nr) {
	case 0:
		return done_or_gp(ctxt, ksvm_set_cr0(vcpu, value));
	case 2:
		static_call(ksvm_x86_set_cr2)(vcpu, value);
		return EMULATE_DONE;
	case 3:
		return done_or_gp(ctxt, ksvm_set_cr3(vcpu, value));
	case 4:
		return done_or_gp(ctxt, ksvm_set_cr4(vcpu, value));
	case 8:
		return done_or_gp(ctxt, ksvm_set_cr8(vcpu, value));
	default:
		return EMULATE_UNHANDLED;
	}
}

static enum emulate_outcome op_get_dr(struct emulate_ctxt *ctxt, unsigned int nr, u64 *value)
{
	*value = ksvm_get_dr(vcpu_of(ctxt), nr);
	return EMULATE_DONE;
}

static enum emulate_outcome op_set_dr(struct emulate_ctxt *ctxt, unsigned int nr, u64 value)
{
	return done_or_gp(ctxt, ksvm_set_dr(vcpu_of(ctxt), nr, value));
}

static enum emulate_outcome op_get_msr(struct emulate_ctxt *ctxt, u32 msr, u64 *value)
{
	int error = ksvm_get_msr(vcpu_of(ctxt), msr, value, false);

	return error == -EAGAIN ? EMULATE_RETRY : done_or_gp(ctxt, error);
}

static enum emulate_outcome op_set_msr(struct emulate_ctxt *ctxt, u32 msr, u64 value)
{
	int error = ksvm_set_msr(vcpu_of(ctxt), msr, value, false);

	return error == -EAGAIN ? EMULATE_RETRY : done_or_gp(ctxt, error);
}

static enum emulate_outcome op_get_xcr(struct emulate_ctxt *ctxt, u32 nr, u64 *value)
{
	if (nr)
		return general_protection(ctxt);
	*value = ksvm_fpu_xcr0(vcpu_of(ctxt));
	return EMULATE_DONE;
}

static enum emulate_outcome op_set_xcr(struct emulate_ctxt *ctxt, u32 nr, u64 value)
{
	if (nr)
		return general_protection(ctxt);
	return done_or_gp(ctxt, ksvm_set_xcr0(vcpu_of(ctxt), value));
}

static enum emulate_outcome op_get_table(struct emulate_ctxt *ctxt,
					 enum emulate_table_register which,
					 struct emulate_table *table)
{
	static_call(ksvm_x86_get_table)(vcpu_of(ctxt), which, table);
	return EMULATE_DONE;
}

static enum emulate_outcome op_set_table(struct emulate_ctxt *ctxt,
					 enum emulate_table_register which,
					 const struct emulate_table *table)
{
	static_call(ksvm_x86_set_table)(vcpu_of(ctxt), which, table);
	return EMULATE_DONE;
}

static enum emulate_outcome op_get_tsc(struct emulate_ctxt *ctxt, u64 *value)
{
	*value = ksvm_guest_tsc(vcpu_of(ctxt));
	return EMULATE_DONE;
}

static enum emulate_outcome op_cpuid(struct emulate_ctxt *ctxt, u32 *eax, u32 *ebx, u32 *ecx,
				     u32 *edx)
{
	ksvm_cpuid(vcpu_of(ctxt), eax, ebx, ecx, edx);
	return EMULATE_DONE;
}

static enum emulate_outcome op_invlpg(struct emulate_ctxt *ctxt, u64 linear)
{
	static_call(ksvm_x86_flush_tlb)(vcpu_of(ctxt));
	return EMULATE_DONE;
}

/* No device of the guest reads memory behind the host's caches. */
static enum emulate_outcome op_wbinvd(struct emulate_ctxt *ctxt)
{
	return EMULATE_DONE;
}

static enum emulate_outcome op_read_vector(struct emulate_ctxt *ctxt, unsigned int reg, void *buf,
					   unsigned int bytes)
{
	ksvm_read_vector(vcpu_of(ctxt), reg, buf, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_write_vector(struct emulate_ctxt *ctxt, unsigned int reg,
					    const void *buf, unsigned int bytes)
{
	ksvm_write_vector(vcpu_of(ctxt), reg, buf, bytes);
	return EMULATE_DONE;
}

/* RDPMC is intercepted and the PMU answers it: never emulated. */
const struct emulate_ops ksvm_emulate_ops = {
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.check_io = op_check_io,
	.port_in = op_port_in,
	.port_out = op_port_out,
	.get_segment = op_get_segment,
	.set_segment = op_set_segment,
	.get_cr = op_get_cr,
	.set_cr = op_set_cr,
	.get_dr = op_get_dr,
	.set_dr = op_set_dr,
	.get_msr = op_get_msr,
	.set_msr = op_set_msr,
	.get_xcr = op_get_xcr,
	.set_xcr = op_set_xcr,
	.get_table = op_get_table,
	.set_table = op_set_table,
	.get_tsc = op_get_tsc,
	.cpuid = op_cpuid,
	.invlpg = op_invlpg,
	.wbinvd = op_wbinvd,
	.read_vector = op_read_vector,
	.write_vector = op_write_vector,
};
