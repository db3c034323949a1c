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
 * that spins holds none that others wait for, or not often.
 */
enum rank {
	RANK_KERNEL,
	RANK_USER,
	RANK_SPINNING,
	RANKS,
	RANK_NONE = RANKS,
};

/* A candidate is in KVM_RUN and could run, but does not, or not in the guest. */
static enum rank rank_of(const struct ksvm_vcpu *vcpu)
{
	struct task_struct *runner;
	bool runnable;

	if (READ_ONCE(vcpu->inner_cpu) >= 0)
		return RANK_NONE;
	rcu_read_lock();
	runner = rcu_dereference(vcpu->runner);
	runnable = runner && task_is_running(runner);
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

/* Round robin within a rank, behind the one that was lucky last time. */
static bool boost_one(struct ksvm_vcpu *spinner)
{
	struct ksvm *vm = spinner->vm;
	unsigned int count = READ_ONCE(vm->nr_vcpus), first = READ_ONCE(vm->last_boosted) + 1;
	unsigned int i, tries = TRIES_MAX;
	enum rank rank;

	for (rank = RANK_KERNEL; rank < RANKS; rank++) {
		for (i = 0; i < count; i++) {
			unsigned int index = (first + i) % count;
			struct ksvm_vcpu *vcpu = xa_load(&vm->vcpus, index);
			int boosted;

			if (!vcpu || vcpu == spinner || rank_of(vcpu) != rank)
				continue;
			boosted = boost(vcpu);
			if (boosted > 0) {
				WRITE_ONCE(vm->last_boosted, index);
				return true;
			}
			if (boosted < 0 && !--tries)
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
