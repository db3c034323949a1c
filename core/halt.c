// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that cannot run sleeps in KVM_RUN. Before it does, it is waited for as long as
 * that has paid of late, where the processor has nothing else to do: waking a thread
 * takes longer than many a device or another vCPU takes to answer.
 */
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/processor.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "compat.h"
#include "halt_poll.h"
#include "internal.h"
#include "requests.h"
#include "vcpu.h"
#include "vm.h"

#define HALT_PARAMETER(name, value, what)	\
static unsigned int name = value;		\
module_param(name, uint, 0644);			\
MODULE_PARM_DESC(name, what)

HALT_PARAMETER(halt_poll_ns, 200000, "Longest wait for a halted vCPU before its thread sleeps, ns");
HALT_PARAMETER(halt_poll_ns_grow, 2, "Factor for the wait when a longer one would have paid");
HALT_PARAMETER(halt_poll_ns_grow_start, 10000, "What the wait grows from, ns");
HALT_PARAMETER(halt_poll_ns_shrink, 0, "Divisor for the wait when it did not pay; 0 for none");

static struct halt_poll rules_of(const struct ksvm *vm)
{
	s64 max = READ_ONCE(vm->halt_poll_ns);

	return (struct halt_poll) {
		.max = max < 0 ? READ_ONCE(halt_poll_ns) : max,
		.grow = READ_ONCE(halt_poll_ns_grow),
		.grow_start = READ_ONCE(halt_poll_ns_grow_start),
		.shrink = READ_ONCE(halt_poll_ns_shrink),
	};
}

/* Something to look at; whoever brings it sets a request bit, then wakes. */
static bool has_work(const struct ksvm_vcpu *vcpu)
{
	return ksvm_request_pending(vcpu) || signal_pending(current);
}

static bool poll(const struct ksvm_vcpu *vcpu, ktime_t end)
{
	while (!has_work(vcpu)) {
		if (need_resched() || !single_task_running() || ktime_get() >= end)
			return false;
		cpu_relax();
	}
	return true;
}

/**
 * ksvm_vcpu_halt() - wait until a vCPU that is not runnable has something to look at
 * @vcpu: the vCPU, by its own thread, outside of the rings; its mp_state says what it
 *	waits for, and nothing of that was there when requests were last looked at
 *
 * Context: sleeps; ends for a signal as well.
 */
void ksvm_vcpu_halt(struct ksvm_vcpu *vcpu)
{
	const struct halt_poll rules = rules_of(vcpu->vm);
	bool halted = vcpu->mp_state == KVM_MP_STATE_HALTED;
	u64 wait = halted ? min(vcpu->halt_poll_ns, rules.max) : 0;
	ktime_t begin = ktime_get();

	if (wait && poll(vcpu, begin + wait)) {
		ksvm_count(vcpu->stat.halt_polls);
	} else {
		ksvm_count(vcpu->stat.halts);
		rcuwait_wait_event(&vcpu->wait, has_work(vcpu), TASK_INTERRUPTIBLE);
	}
	if (halted)
		vcpu->halt_poll_ns = halt_poll_next(&rules, wait, ktime_get() - begin);
}
