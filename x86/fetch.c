// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction at RIP: its bytes, its length, and stepping over it.
 *
 * Processors without NRIPS tell no length, so that each CPUID, RDMSR and VMMCALL
 * comes through here: one page walk, one read, one decode.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "guest.h"
#include "insn.h"
#include "vcpu.h"
#include "x86_ops.h"

static bool in_long64(struct ksvm_vcpu *vcpu)
{
	return guest_long_mode(vcpu) && static_call(ksvm_x86_get_cs_long)(vcpu);
}

/* Where in_long64() is false. */
static enum emulate_mode mode_of(const struct ksvm_vcpu *vcpu, const struct emulate_segment *cs)
{
	if (!guest_protected_mode(vcpu))
		return EMULATE_REAL;
	if (!guest_long_mode(vcpu) && (vcpu->x86.rflags & X86_EFLAGS_VM))
		return EMULATE_VM86;
	return cs->attributes & EMULATE_SEG_DB ? EMULATE_PROT32 : EMULATE_PROT16;
}

/**
 * ksvm_insn_mode() - how the vCPU reads instructions now
 * @vcpu: the vCPU, by its own thread
 *
 * Return: enum emulate_mode.
 */
enum emulate_mode ksvm_insn_mode(struct ksvm_vcpu *vcpu)
{
	struct emulate_segment cs;

	if (in_long64(vcpu))
		return EMULATE_LONG64;
	static_call(ksvm_x86_get_segment)(vcpu, EMULATE_CS, &cs);
	return mode_of(vcpu, &cs);
}

/**
 * ksvm_linear_rip() - the linear address of the next instruction
 * @vcpu: the vCPU, by its own thread
 *
 * Return: the address.
 */
unsigned long ksvm_linear_rip(struct ksvm_vcpu *vcpu)
{
	struct emulate_segment cs;

	if (in_long64(vcpu))
		return vcpu->x86.rip;
	static_call(ksvm_x86_get_segment)(vcpu, EMULATE_CS, &cs);
	return (u32)(cs.base + vcpu->x86.rip);
}

/* Up to the end of a page. -EPERM: the page fault is queued. */
static int fetch(struct ksvm_vcpu *vcpu, unsigned long linear, u8 *bytes, unsigned int count)
{
	u32 access = static_call(ksvm_x86_get_cpl)(vcpu) == 3 ? WALK_USER : 0;
	u32 error_code;
	int error = ksvm_fetch(vcpu, linear, access, bytes, count, &error_code);

	if (unlikely(error == -EPERM))
		ksvm_queue_page_fault(vcpu, linear, error_code);
	return error;
}

static int decode_status(struct ksvm_vcpu *vcpu, int status)
{
	switch (status) {
	case INSN_OK:
		return 0;
	case INSN_TOO_LONG:
		ksvm_queue_exception_error(vcpu, X86_TRAP_GP, 0);
		return -EPERM;
	default:
		return -EINVAL;
	}
}

/* What the exit brought along; whether that was the whole instruction. */
static bool decode_delivered(struct ksvm_vcpu *vcpu, struct insn_fetch *fetched,
			     struct insn *insn, int *status)
{
	const u8 *bytes;
	int count = static_call(ksvm_x86_insn_bytes)(vcpu, &bytes);

	if (!count)
		return false;
	fetched->count = min_t(unsigned int, count, INSN_MAX_LENGTH);
	memcpy(fetched->bytes, bytes, fetched->count);
	*status = insn_decode(insn, fetched->bytes, fetched->count, fetched->mode);
	return *status != INSN_TRUNCATED;
}

static void locate(struct ksvm_vcpu *vcpu, struct insn_fetch *fetched)
{
	struct emulate_segment cs;

	fetched->count = 0;
	if (likely(in_long64(vcpu))) {
		fetched->mode = EMULATE_LONG64;
		fetched->linear = vcpu->x86.rip;
		return;
	}
	static_call(ksvm_x86_get_segment)(vcpu, EMULATE_CS, &cs);
	fetched->mode = mode_of(vcpu, &cs);
	fetched->linear = (u32)(cs.base + vcpu->x86.rip);
}

/* The bytes in the page that the instruction begins in. */
static int fetch_first(struct ksvm_vcpu *vcpu, struct insn_fetch *fetched)
{
	unsigned int count = min_t(unsigned int, INSN_FETCH_BYTES,
				   PAGE_SIZE - offset_in_page(fetched->linear));
	int error = fetch(vcpu, fetched->linear, fetched->bytes, count);

	if (!error)
		fetched->count = min_t(unsigned int, count, INSN_MAX_LENGTH);
	return error;
}

/* Decode; what lies in the next page is fetched only if it is needed. */
static int decode_fetched(struct ksvm_vcpu *vcpu, struct insn_fetch *fetched, struct insn *insn)
{
	unsigned int first = fetched->count;
	unsigned long linear = fetched->linear + first;
	int status, error;

	status = insn_decode(insn, fetched->bytes, first, fetched->mode);
	if (status != INSN_TRUNCATED || first == INSN_MAX_LENGTH)
		return decode_status(vcpu, status);

	if (fetched->mode != EMULATE_LONG64)
		linear = (u32)linear;
	error = fetch(vcpu, linear, fetched->bytes + first, INSN_MAX_LENGTH - first);
	if (error)
		return error;
	fetched->count = INSN_MAX_LENGTH;
	status = insn_decode(insn, fetched->bytes, INSN_MAX_LENGTH, fetched->mode);
	return decode_status(vcpu, status);
}

/**
 * ksvm_fetch_insn() - fetch and decode the instruction at RIP
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @fetched: filled; after a failure with what there is
 * @insn: the decoded instruction
 *
 * The bytes behind the page that the instruction begins in are fetched only if
 * it reaches over its end: the guest need not have mapped them.
 *
 * Return: 0; -EPERM where an exception was queued; -EINVAL where the bytes are
 * no instruction; -ENXIO where there is no memory; -EFAULT where its user
 * address is bad; -EAGAIN where ring 2 missed.
 */
int ksvm_fetch_insn(struct ksvm_vcpu *vcpu, struct insn_fetch *fetched, struct insn *insn)
{
	int status, error;

	locate(vcpu, fetched);
	if (decode_delivered(vcpu, fetched, insn, &status))
		return decode_status(vcpu, status);
	error = fetch_first(vcpu, fetched);
	return error ? error : decode_fetched(vcpu, fetched, insn);
}

/*
 * Intercepted instructions without operands are met all the time, and hardly
 * ever with a prefix: their opcode says the length. 0 for any other.
 */
static int length_of_opcode(const struct insn_fetch *fetched)
{
	const u8 *bytes = fetched->bytes;

	if (fetched->count < 3 || bytes[0] != 0x0f)
		return 0;
	switch (bytes[1]) {
	case 0x30:	/* WRMSR */
	case 0x32:	/* RDMSR */
	case 0xa2:	/* CPUID */
		return 2;
	case 0x01:	/* VMMCALL, XSETBV: ModRM is part of the opcode */
		return bytes[2] >= 0xc0 ? 3 : 0;
	default:
		return 0;
	}
}

static int fetch_length(struct ksvm_vcpu *vcpu)
{
	struct insn_fetch fetched;
	struct insn insn;
	int length, error;

	locate(vcpu, &fetched);
	error = fetch_first(vcpu, &fetched);
	if (error)
		return error;
	length = length_of_opcode(&fetched);
	if (length)
		return length;
	error = decode_fetched(vcpu, &fetched, &insn);
	return error ? error : insn.length;
}

/* Out of the way of exits that bring the next RIP. */
static noinline int decoded_length(struct ksvm_vcpu *vcpu)
{
	int length = fetch_length(vcpu);

	switch (length) {
	case 1 ... INSN_MAX_LENGTH:
		vcpu->x86.insn_length = length;
		return length;
	case -EINVAL:
		ksvm_queue_exception(vcpu, X86_TRAP_UD);
		return -EINVAL;
	case -EAGAIN:
		return vcpu->ring == RING_INNER ? -EAGAIN : -EFAULT;
	default:
		return -EFAULT;
	}
}

/**
 * ksvm_insn_length() - length of the instruction that caused the exit
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 *
 * Return: 1 to 15; -EAGAIN where ring 2 missed, nothing has changed; -EINVAL
 * or -EFAULT where the instruction cannot be had, and then an exception is
 * queued or the guest meets the reason itself when it is entered again.
 */
int ksvm_insn_length(struct ksvm_vcpu *vcpu)
{
	unsigned long next_rip;

	if (vcpu->x86.insn_length)
		return vcpu->x86.insn_length;

	next_rip = static_call(ksvm_x86_next_rip)(vcpu);
	if (!next_rip || next_rip - vcpu->x86.rip - 1 >= INSN_MAX_LENGTH)
		return decoded_length(vcpu);
	vcpu->x86.insn_length = next_rip - vcpu->x86.rip;
	return vcpu->x86.insn_length;
}

/**
 * ksvm_trap_step() - what TF and user space's single step ask for after an
 *	instruction
 * @vcpu: the vCPU, by its own thread; RIP is at the next instruction
 * @trap: TF asks for #DB; it was set before the instruction
 *
 * Return: EXIT_USER with KVM_EXIT_DEBUG, or EXIT_REENTER.
 */
enum exit_outcome ksvm_trap_step(struct ksvm_vcpu *vcpu, bool trap)
{
	if (vcpu->x86.guest_debug & KVM_GUESTDBG_SINGLESTEP)
		return ksvm_exit_debug(vcpu, X86_TRAP_DB, DR_STEP | DR6_RESERVED, vcpu->x86.dr7);
	if (trap)
		ksvm_queue_debug(vcpu, DR_STEP);
	return EXIT_REENTER;
}

/**
 * ksvm_finish_insn() - an instruction was completed for the guest
 * @vcpu: the vCPU, by its own thread
 * @next_rip: where the guest goes on
 *
 * Return: as ksvm_trap_step().
 */
enum exit_outcome ksvm_finish_insn(struct ksvm_vcpu *vcpu, unsigned long next_rip)
{
	bool trap = (vcpu->x86.rflags & X86_EFLAGS_TF) && ksvm_trap_flag_traps(vcpu, false);

	vcpu->x86.rip = next_rip;
	vcpu->x86.rflags &= ~X86_EFLAGS_RF;
	if (static_call(ksvm_x86_get_interrupt_shadow)(vcpu))
		static_call(ksvm_x86_set_interrupt_shadow)(vcpu, false);
	return ksvm_trap_step(vcpu, trap);
}

static noinline unsigned long wrapped_rip(struct ksvm_vcpu *vcpu, unsigned long rip)
{
	return ksvm_insn_mode(vcpu) == EMULATE_LONG64 ? rip : (u32)rip;
}

/**
 * ksvm_skip_insn() - step over the instruction that caused the exit
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 *
 * Return: EXIT_REENTER; EXIT_SLOW where ring 2 missed, nothing has changed;
 * EXIT_USER where user space single-steps.
 */
enum exit_outcome ksvm_skip_insn(struct ksvm_vcpu *vcpu)
{
	int length = vcpu->x86.insn_length ?: ksvm_insn_length(vcpu);
	unsigned long rip;

	if (length < 0)
		return length == -EAGAIN ? EXIT_SLOW : EXIT_REENTER;

	/* Only where bits beyond the low 32 change does the mode matter. */
	rip = vcpu->x86.rip + length;
	if (unlikely((rip ^ vcpu->x86.rip) >> 32))
		rip = wrapped_rip(vcpu, rip);
	return ksvm_finish_insn(vcpu, rip);
}
