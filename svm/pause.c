// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pause filter (AMD64 manual, volume 2, "Pause Intercept Filtering"): a
 * guest that spins in a PAUSE loop waits for another vCPU, which may be waiting
 * for this processor.
 *
 * The processor counts PAUSEs down from PAUSE_FILTER_COUNT, which each VMRUN
 * loads, and exits at the one after zero. With a threshold, a PAUSE that comes
 * later than that many cycles after the last one begins a new loop; processors
 * without one count them all, and kvm_amd does not use their filter.
 */
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "exits.h"
#include "guest.h"
#include "internal.h"
#include "pause_window.h"
#include "requests.h"
#include "vm.h"

#define PAUSE_PARAMETER(name, value, what)	\
static ushort name __ro_after_init = value;	\
module_param(name, ushort, 0444);		\
MODULE_PARM_DESC(name, what)

PAUSE_PARAMETER(pause_filter_count, 3000, "PAUSEs in a loop until the guest exits; 0: no filter");
PAUSE_PARAMETER(pause_filter_thresh, 128, "Most cycles between two PAUSEs of a loop; 0: no filter");
PAUSE_PARAMETER(pause_filter_count_grow, 2,
		"Factor for the count after an exit, or summand if as large as the count");
PAUSE_PARAMETER(pause_filter_count_shrink, 0,
		"Divisor for the count after a reschedule, or subtrahend; 0 for the initial count");
PAUSE_PARAMETER(pause_filter_count_max, 65535, "Count up to which it grows");

static struct pause_window window_rules(void)
{
	return (struct pause_window) {
		.base = pause_filter_count,
		.grow = pause_filter_count_grow,
		.shrink = pause_filter_count_shrink,
		.max = pause_filter_count_max,
	};
}

/** svm_pause_wanted() - do the parameters leave the filter on, where there is one */
bool svm_pause_wanted(void)
{
	return pause_filter_count && pause_filter_thresh;
}

/**
 * svm_pause_init() - set up a new vCPU's filter
 * @svm: the vCPU; svm_intercepts_update() follows
 */
void svm_pause_init(struct vcpu_svm *svm)
{
	if (!svm_has(SVM_FEATURE_PAUSE_FILTER))
		return;
	svm->pause_filter = true;
	vmcb_set_pause_filter_count(svm->vmcb, pause_filter_count);
	if (svm_has(SVM_FEATURE_PAUSE_THRESHOLD))
		vmcb_set_pause_filter_threshold(svm->vmcb, pause_filter_thresh);
	svm->intercepts[INTERCEPT_OWNER_BASE].misc1 |= INTERCEPT_PAUSE;
}

/**
 * svm_pause_enter() - ring 2 begins: has the thread been off the processor
 * @svm: the vCPU, by its own thread
 *
 * Context switches are counted for each thread anyway: no notifier is needed.
 */
void svm_pause_enter(struct vcpu_svm *svm)
{
	unsigned long switches = current->nvcsw + current->nivcsw;
	struct pause_window rules;

	if (!svm->pause_filter || switches == svm->pause_switches)
		return;
	svm->pause_switches = switches;
	rules = window_rules();
	vmcb_set_pause_filter_count(svm->vmcb,
				    pause_window_shrunk(&rules,
							svm->vmcb->control.pause_filter_count));
}

/**
 * svm_pause_leave() - ring 2 ends: note for others what kind of code is interrupted
 * @svm: the vCPU, by its own thread
 */
void svm_pause_leave(struct vcpu_svm *svm)
{
	if (svm->pause_filter)
		WRITE_ONCE(svm->vcpu.kernel_mode, !svm_get_cpl(&svm->vcpu));
}

/*
 * Alone in its VM, the vCPU waits for nobody whom it could let go first. Else
 * ring 1 looks for one.
 */
enum exit_outcome exit_pause(struct vcpu_svm *svm)
{
	const struct pause_window rules = window_rules();
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	enum exit_outcome outcome;
	int length;

	/* Without NRIPS it is decoded from memory, which ring 2 may not reach. */
	length = ksvm_insn_length(vcpu);
	if (length < 0)
		return length == -EAGAIN ? EXIT_SLOW : EXIT_REENTER;

	ksvm_count(vcpu->stat.pause_exits);
	vmcb_set_pause_filter_count(svm->vmcb,
				    pause_window_grown(&rules,
						       svm->vmcb->control.pause_filter_count));
	outcome = ksvm_skip_insn(vcpu);
	if (READ_ONCE(vcpu->vm->nr_vcpus) < 2)
		return outcome;
	ksvm_make_request(KSVM_REQ_YIELD, vcpu);
	return outcome == EXIT_REENTER ? EXIT_LEAVE : outcome;
}
