// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit table: a row per exit code, dispatched in ring 2 first. Handlers of
 * intercepted instructions are in exit_insn.c, all others in exit_event.c.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>

#include "exit.h"
#include "exits.h"
#include "internal.h"

/* Exit codes that uapi/asm/svm.h does not name. */
#define EXIT_MCOMMIT	0x0a3
#define EXIT_TLBSYNC	0x0a4

/**
 * struct exit_row - what becomes of an exit code
 * @handler: finishes it, or says what else is needed
 * @inner: the handler may run in ring 2
 */
struct exit_row {
	enum exit_outcome (*handler)(struct vcpu_svm *svm);
	bool inner;
};

#define INNER(fn)	{ .handler = fn, .inner = true }
#define OUTER(fn)	{ .handler = fn }

/* A code without a row was never asked for: exit_unknown(). */
static const struct exit_row exit_rows[] = {
	[SVM_EXIT_READ_CR0 ... SVM_EXIT_READ_CR0 + 7] = INNER(exit_emulate),
	[SVM_EXIT_READ_CR8] = INNER(exit_emulate),
	[SVM_EXIT_WRITE_CR0 ... SVM_EXIT_WRITE_CR0 + 7] = INNER(exit_emulate),
	[SVM_EXIT_WRITE_CR8] = INNER(exit_cr8_write),
	[SVM_EXIT_READ_DR0 ... SVM_EXIT_READ_DR7] = INNER(exit_emulate),
	[SVM_EXIT_WRITE_DR0 ... SVM_EXIT_WRITE_DR7] = INNER(exit_emulate),

	[SVM_EXIT_EXCP_BASE + 1] = INNER(exit_debug),
	[SVM_EXIT_EXCP_BASE + 3] = INNER(exit_breakpoint),
	[SVM_EXIT_EXCP_BASE + 6] = INNER(exit_undefined_opcode),
	[SVM_EXIT_EXCP_BASE + 17] = INNER(exit_alignment_check),
	[SVM_EXIT_EXCP_BASE + 18] = INNER(exit_machine_check),

	[SVM_EXIT_INTR] = INNER(exit_host_event),
	[SVM_EXIT_NMI] = INNER(exit_host_event),
	[SVM_EXIT_SMI] = INNER(exit_host_event),
	[SVM_EXIT_INIT] = INNER(exit_host_event),
	[SVM_EXIT_VINTR] = INNER(exit_interrupt_window),
	[SVM_EXIT_CR0_SEL_WRITE] = INNER(exit_emulate),
	[SVM_EXIT_RDPMC] = INNER(exit_rdpmc),
	[SVM_EXIT_CPUID] = INNER(exit_cpuid),
	[SVM_EXIT_RSM] = INNER(exit_inject_ud),
	[SVM_EXIT_IRET] = INNER(exit_iret),
	[SVM_EXIT_INVD] = INNER(exit_nop),
	[SVM_EXIT_PAUSE] = INNER(exit_pause),
	[SVM_EXIT_HLT] = INNER(exit_hlt),
	[SVM_EXIT_INVLPGA] = INNER(exit_inject_ud),
	[SVM_EXIT_IOIO] = INNER(exit_port_io),
	[SVM_EXIT_MSR] = INNER(exit_msr),
	[SVM_EXIT_TASK_SWITCH] = OUTER(exit_task_switch),
	[SVM_EXIT_SHUTDOWN] = OUTER(exit_shutdown),
	[SVM_EXIT_VMRUN] = INNER(exit_inject_ud),
	[SVM_EXIT_VMMCALL] = INNER(exit_vmmcall),
	[SVM_EXIT_VMLOAD] = INNER(exit_inject_ud),
	[SVM_EXIT_VMSAVE] = INNER(exit_inject_ud),
	[SVM_EXIT_STGI] = INNER(exit_inject_ud),
	[SVM_EXIT_CLGI] = INNER(exit_inject_ud),
	[SVM_EXIT_SKINIT] = INNER(exit_inject_ud),
	[SVM_EXIT_RDTSCP] = INNER(exit_inject_ud),
	[SVM_EXIT_WBINVD] = INNER(exit_nop),
	[SVM_EXIT_MONITOR] = INNER(exit_nop),
	[SVM_EXIT_MWAIT] = INNER(exit_nop),
	[SVM_EXIT_MWAIT_COND] = INNER(exit_nop),
	[SVM_EXIT_XSETBV] = INNER(exit_xsetbv),
	[SVM_EXIT_RDPRU] = INNER(exit_inject_ud),
	[SVM_EXIT_INVPCID] = INNER(exit_inject_ud),
	[EXIT_MCOMMIT] = INNER(exit_inject_ud),
	[EXIT_TLBSYNC] = INNER(exit_inject_ud),
};

static const struct exit_row exit_row_npf = INNER(exit_npf);
static const struct exit_row exit_row_invalid = OUTER(exit_invalid);
static const struct exit_row exit_row_unknown = OUTER(exit_unknown);

static const struct exit_row *exit_row(u32 code)
{
	if (code < ARRAY_SIZE(exit_rows) && exit_rows[code].handler)
		return &exit_rows[code];
	if (code == SVM_EXIT_NPF)
		return &exit_row_npf;
	if (code == (u32)SVM_EXIT_ERR)
		return &exit_row_invalid;
	return &exit_row_unknown;
}

/**
 * svm_exit_dispatch() - run the handler of the last exit
 * @svm: the vCPU, in ring 2 or, after EXIT_SLOW, in ring 1
 *
 * Return: the handler's outcome; EXIT_SLOW only in ring 2.
 */
enum exit_outcome svm_exit_dispatch(struct vcpu_svm *svm)
{
	const struct exit_row *row = exit_row(svm->vmcb->control.exit_code);

	if (!row->inner && svm->vcpu.ring == RING_INNER)
		return EXIT_SLOW;
	return row->handler(svm);
}
