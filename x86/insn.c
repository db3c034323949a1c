// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulate the instruction at RIP: fetch, decode, execute, commit, and what user
 * space has to do before or after that.
 *
 * An instruction that reads what only user space has is run again from its
 * beginning when the answer is there; ksvm_insn_state keeps the answers. What
 * it writes for user space is shown after it has been committed, so that
 * nothing is shown twice.
 */
#include <linux/errno.h>
#include <linux/kvm_types.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/asm/debugreg.h>
#include <asm/trapnr.h>

#include "guest.h"
#include "insn.h"
#include "requests.h"
#include "vcpu.h"
#include "x86_ops.h"

/*
 * Steps of a repeated string instruction before the run loop looks around:
 * interrupts are off in ring 2, and ring 1 must see signals in time.
 */
#define REPEAT_MAX_INNER	16
#define REPEAT_MAX_OUTER	1024

#define NO_GPA			(~0ULL)

/* DR6: a debug register was accessed while DR7.GD was set. */
#define DR6_BD			BIT(13)

/**
 * ksvm_insn_create() - a vCPU's instruction state
 * @vcpu: the vCPU being created
 *
 * Return: 0 or -ENOMEM.
 */
int ksvm_insn_create(struct ksvm_vcpu *vcpu)
{
	struct ksvm_insn_state *state = kzalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);

	if (!state)
		return -ENOMEM;
	state->vcpu = vcpu;
	state->ctxt.ops = &ksvm_emulate_ops;
	vcpu->x86.insn = state;
	return 0;
}

/**
 * ksvm_insn_destroy() - free a vCPU's instruction state
 * @vcpu: the vCPU; ksvm_insn_create() may have failed or not been called
 */
void ksvm_insn_destroy(struct ksvm_vcpu *vcpu)
{
	kfree(vcpu->x86.insn);
	vcpu->x86.insn = NULL;
}

/*
 * Tell user space that the instruction cannot be emulated: the bytes, if any,
 * and behind them the address that led here. RIP stays.
 */
static enum exit_outcome exit_emulation_error(struct ksvm_insn_state *state)
{
	struct kvm_run *run = state->vcpu->run;
	const struct insn_fetch *fetched = &state->fetched;
	u32 ndata = 1;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.flags = 0;
	if (fetched->count) {
		run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = fetched->count;
		memset(run->emulation_failure.insn_bytes, 0x90,
		       sizeof(run->emulation_failure.insn_bytes));
		memcpy(run->emulation_failure.insn_bytes, fetched->bytes, fetched->count);
		ndata += 2;
	}
	if (state->gpa != NO_GPA)
		run->internal.data[ndata++] = state->gpa;
	run->emulation_failure.ndata = ndata;
	return EXIT_USER;
}

/*
 * Not an instruction, or not one that is emulated. A program in the guest gets
 * what an illegal instruction gets; a guest's kernel is user space's to look at.
 */
static enum exit_outcome cannot_emulate(struct ksvm_insn_state *state)
{
	struct ksvm_vcpu *vcpu = state->vcpu;

	if (state->ctxt.mode != EMULATE_REAL && static_call(ksvm_x86_get_cpl)(vcpu) == 3) {
		ksvm_queue_exception(vcpu, X86_TRAP_UD);
		return EXIT_REENTER;
	}
	return exit_emulation_error(state);
}

/* Nothing happened: ring 1 does it, or the guest meets it again. */
static enum exit_outcome retry(const struct ksvm_vcpu *vcpu)
{
	return vcpu->ring == RING_INNER ? EXIT_SLOW : EXIT_REENTER;
}

static enum exit_outcome fetch_failed(struct ksvm_insn_state *state, int error)
{
	switch (error) {
	case -EPERM:
		return EXIT_REENTER;
	case -EAGAIN:
		return retry(state->vcpu);
	case -EFAULT:
		return ksvm_exit_error(state->vcpu, -EFAULT);
	case -ENXIO:
		return exit_emulation_error(state);
	default:
		return cannot_emulate(state);
	}
}

static void context_load(struct ksvm_insn_state *state)
{
	const struct ksvm_x86_vcpu *x86 = &state->vcpu->x86;
	struct emulate_ctxt *ctxt = &state->ctxt;

	BUILD_BUG_ON(sizeof(ctxt->regs) != sizeof(x86->regs));
	memcpy(ctxt->regs, x86->regs, sizeof(ctxt->regs));
	ctxt->rip = x86->rip;
	ctxt->rflags = x86->rflags;
	switch (ctxt->mode) {
	case EMULATE_REAL:
		ctxt->cpl = 0;
		break;
	case EMULATE_VM86:
		ctxt->cpl = 3;
		break;
	default:
		ctxt->cpl = static_call(ksvm_x86_get_cpl)(state->vcpu);
	}
	ctxt->linear_bits = guest_linear_bits(state->vcpu);
	state->error = 0;
	state->read_cursor = 0;
	state->nr_writes = 0;
	state->writes_sent = 0;
	if (!state->port.answered)
		state->port.count = 0;
}

/* A shadow lasts for one instruction, even if that one would cast another. */
static void shadow_commit(struct ksvm_insn_state *state)
{
	struct ksvm_vcpu *vcpu = state->vcpu;
	bool old = static_call(ksvm_x86_get_interrupt_shadow)(vcpu);
	bool new = state->ctxt.shadow != EMULATE_SHADOW_NONE && !old;

	if (new != old)
		static_call(ksvm_x86_set_interrupt_shadow)(vcpu, new);
}

static void context_commit(struct ksvm_insn_state *state)
{
	struct ksvm_x86_vcpu *x86 = &state->vcpu->x86;
	const struct emulate_ctxt *ctxt = &state->ctxt;

	memcpy(x86->regs, ctxt->regs, sizeof(x86->regs));
	x86->rip = ctxt->rip;
	x86->rflags = ctxt->rflags;
	if (!ctxt->repeat)
		shadow_commit(state);
	state->nr_reads = 0;
	ksvm_count(state->vcpu->stat.emulated);
}

/* Also a repeated instruction that is not at its end has not branched. */
static bool branched(const struct ksvm_insn_state *state)
{
	const struct emulate_ctxt *ctxt = &state->ctxt;

	return !ctxt->repeat && ctxt->rip != state->vcpu->x86.rip + ctxt->insn.length;
}

/* The instruction is done. What user space has to know of it comes before a debugger's step. */
static enum exit_outcome finish(struct ksvm_insn_state *state)
{
	struct ksvm_vcpu *vcpu = state->vcpu;
	bool trap = (vcpu->x86.rflags & X86_EFLAGS_TF) &&
		    ksvm_trap_flag_traps(vcpu, branched(state));
	bool stepped = vcpu->x86.guest_debug & KVM_GUESTDBG_SINGLESTEP;

	context_commit(state);
	if (trap && !stepped && state->ctxt.shadow != EMULATE_SHADOW_MOV_SS)
		ksvm_queue_debug(vcpu, DR_STEP);
	if (state->nr_writes || (state->port.count && !state->port.in))
		return ksvm_exit_insn_write(state);
	if (state->ctxt.halt)
		return ksvm_halt(vcpu);
	return ksvm_trap_step(vcpu, false);
}

static enum exit_outcome inject_fault(struct ksvm_insn_state *state)
{
	const struct emulate_exception *exception = &state->ctxt.exception;
	struct ksvm_vcpu *vcpu = state->vcpu;

	switch (exception->vector) {
	case X86_TRAP_PF:
		ksvm_queue_page_fault(vcpu, exception->address, exception->error_code);
		break;
	case X86_TRAP_DB:
		/* The one debug fault that an instruction itself can be: DR7.GD. */
		ksvm_queue_debug(vcpu, DR6_BD);
		break;
	default:
		if (exception->has_error_code)
			ksvm_queue_exception_error(vcpu, exception->vector,
						   exception->error_code);
		else
			ksvm_queue_exception(vcpu, exception->vector);
	}
	return EXIT_REENTER;
}

/* May a repeated string instruction go on without a look at the run loop? */
static bool go_on(const struct ksvm_vcpu *vcpu)
{
	return !vcpu->x86.events.work && !vcpu->x86.events.interrupt_pending &&
	       !ksvm_request_pending(vcpu) && !signal_pending(current) && !need_resched();
}

static enum exit_outcome execute(struct ksvm_insn_state *state)
{
	struct ksvm_vcpu *vcpu = state->vcpu;
	unsigned int steps = vcpu->ring == RING_INNER ? REPEAT_MAX_INNER : REPEAT_MAX_OUTER;
	enum exit_outcome outcome;

	for (;;) {
		context_load(state);
		switch (emulate_execute(&state->ctxt)) {
		case EMULATE_DONE:
			outcome = finish(state);
			break;
		case EMULATE_FAULT:
			return inject_fault(state);
		case EMULATE_IO:
			return ksvm_exit_insn_read(state);
		case EMULATE_RETRY:
			return retry(vcpu);
		default:
			if (state->error)
				return ksvm_exit_error(vcpu, state->error);
			return cannot_emulate(state);
		}
		if (outcome != EXIT_REENTER || !state->ctxt.repeat || !--steps || !go_on(vcpu))
			return outcome;
		state->port.answered = false;
	}
}

static enum exit_outcome emulate(struct ksvm_vcpu *vcpu, u64 gpa, u64 error_code)
{
	struct ksvm_insn_state *state = vcpu->x86.insn;
	enum exit_outcome outcome;
	int error;

	state->gpa = gpa;
	state->nr_reads = 0;
	state->read_open = false;
	state->port.answered = false;
	/* Strings from and to ports go through the page that user space serves. */
	state->ctxt.buffer = vcpu->pio_data;
	error = ksvm_fetch_insn(vcpu, &state->fetched, &state->ctxt.insn);
	state->ctxt.mode = state->fetched.mode;
	if (error)
		return fetch_failed(state, error);
	if (gpa != NO_GPA && ksvm_device_move(vcpu, &state->ctxt.insn, gpa, error_code, &outcome))
		return outcome;
	return execute(state);
}

/**
 * ksvm_emulate() - emulate the instruction at RIP
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 *
 * Return: EXIT_REENTER: done, or an exception is queued, or a repeated
 * instruction has got some way; EXIT_SLOW: not here, but in ring 1; EXIT_USER:
 * the run page says why; EXIT_ERROR.
 */
enum exit_outcome ksvm_emulate(struct ksvm_vcpu *vcpu)
{
	return emulate(vcpu, NO_GPA, 0);
}

/**
 * ksvm_emulate_mmio() - emulate the instruction that touched no memory
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @gpa: where it did
 * @error_code: NPF_*, as the exit delivered it
 *
 * Return: as ksvm_emulate().
 */
enum exit_outcome ksvm_emulate_mmio(struct ksvm_vcpu *vcpu, u64 gpa, u64 error_code)
{
	return emulate(vcpu, gpa, error_code);
}

/**
 * ksvm_insn_resume() - go on with an instruction that user space has answered
 * @vcpu: the vCPU, by its own thread, in ring 1
 *
 * If user space has moved the vCPU or changed its mode, there is nothing to go
 * on with.
 *
 * Return: as ksvm_emulate().
 */
enum exit_outcome ksvm_insn_resume(struct ksvm_vcpu *vcpu)
{
	struct ksvm_insn_state *state = vcpu->x86.insn;

	if (ksvm_insn_mode(vcpu) != state->ctxt.mode ||
	    ksvm_linear_rip(vcpu) != state->fetched.linear)
		return EXIT_REENTER;
	return execute(state);
}
