// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that spins hands its processor to another one of its VM: the one that
 * it waits for may be preempted, and would get its turn only after the spinner
 * has used up its own.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "internal.h"
#include "vcpu.h"
#include "vm.h"

/* So many that cannot be moved forward, and it is not worth looking any further. */
#define TRIES_MAX	3

/*
 * Who is asked first: locks are mostly held in the guest's kernel, and a vCPU
 * that is giving way itself holds none that others wait for, or not often.
 */
enum rank {
	RANK_KERNEL,
	RANK_USER,
	RANK_SPINNING,
	RANKS,
	RANK_NONE = RANKS,
};

/*
 * A candidate is in KVM_RUN and could run, but no processor has it: whoever is on one,
 * in the guest or on its way there, needs no help, and asking takes run queue locks.
 */
static enum rank rank_of(const struct ksvm_vcpu *vcpu)
{
	struct task_struct *runner;
	bool runnable;

	if (READ_ONCE(vcpu->inner_cpu) >= 0)
		return RANK_NONE;
	rcu_read_lock();
	runner = rcu_dereference(vcpu->runner);
	runnable = runner && task_is_running(runner) && !READ_ONCE(runner->on_cpu);
	rcu_read_unlock();
	if (!runnable)
		return RANK_NONE;
	if (READ_ONCE(vcpu->spinning))
		return RANK_SPINNING;
	return READ_ONCE(vcpu->kernel_mode) ? RANK_KERNEL : RANK_USER;
}

/*
 * The thread clears vcpu->runner before it leaves KVM_RUN, so it cannot have
 * been released when the read side began, and a reference can be had.
 */
static int boost(const struct ksvm_vcpu *vcpu)
{
	struct task_struct *runner;
	int boosted;

	rcu_read_lock();
	runner = rcu_dereference(vcpu->runner);
	if (runner)
		get_task_struct(runner);
	rcu_read_unlock();
	if (!runner)
		return 0;
	boosted = yield_to(runner, true);
	put_task_struct(runner);
	return boosted;
}

/*
 * One pass over the vCPUs, behind the one that was lucky last time: the best candidates
 * of each rank, @candidates[rank][], as many as are worth a try.
 */
static void find_candidates(const struct ksvm_vcpu *spinner,
			    struct ksvm_vcpu *candidates[RANKS][TRIES_MAX])
{
	struct ksvm *vm = spinner->vm;
	unsigned int count = READ_ONCE(vm->nr_vcpus), first = READ_ONCE(vm->last_boosted) + 1;
	unsigned int found[RANKS] = {};
	unsigned int i;

	for (i = 0; i < count && found[RANK_KERNEL] < TRIES_MAX; i++) {
		struct ksvm_vcpu *vcpu = xa_load(&vm->vcpus, (first + i) % count);
		enum rank rank;

		if (!vcpu || vcpu == spinner)
			continue;
		rank = rank_of(vcpu);
		if (rank != RANK_NONE && found[rank] < TRIES_MAX)
			candidates[rank][found[rank]++] = vcpu;
	}
}

static bool boost_one(struct ksvm_vcpu *spinner)
{
	struct ksvm_vcpu *candidates[RANKS][TRIES_MAX] = {};
	unsigned int i, tries = TRIES_MAX;
	enum rank rank;

	find_candidates(spinner, candidates);
	for (rank = RANK_KERNEL; rank < RANKS; rank++) {
		for (i = 0; i < TRIES_MAX && candidates[rank][i]; i++) {
			if (boost(candidates[rank][i]) > 0) {
				WRITE_ONCE(spinner->vm->last_boosted, candidates[rank][i]->index);
				return true;
			}
			if (!--tries)
				return false;
		}
	}
	return false;
}

/**
 * ksvm_vcpu_yield() - let another vCPU of the VM run first
 * @vcpu: the one that spins, by its own thread, outside of the rings
 *
 * Where none of them could run and does not, nothing happens: the scheduler
 * takes the processor away when somebody else's turn has come.
 *
 * Context: may sleep.
 */
void ksvm_vcpu_yield(struct ksvm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->spinning, true);
	if (boost_one(vcpu))
		ksvm_count(vcpu->stat.yields);
	WRITE_ONCE(vcpu->spinning, false);
}
