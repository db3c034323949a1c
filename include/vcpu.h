/* SPDX-License-Identifier: GPL-2.0-only */
/* struct ksvm_vcpu: a virtual processor; the backend embeds it in its own. */
#ifndef KSVM_VCPU_H
#define KSVM_VCPU_H

#include <linux/compiler.h>
#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/signal_types.h>
#include <linux/types.h>

#include "contract_hooks.h"
#include "exit.h"
#include "io_bus.h"
#include "mmu.h"
#include "pmu.h"
#include "x86.h"

struct ksvm;
struct ksvm_lapic;
struct kvm_run;
struct task_struct;

/**
 * struct ksvm_vcpu_stat - counters, written by the vCPU's thread only
 * @exits: #VMEXITs
 * @slow_exits: those that ring 1 had to finish
 * @user_exits: KVM_RUN returned 0
 * @ring_leaves: times ring 2 was left
 * @npf_fixed: nested page faults that installed an entry
 * @emulated: instructions run by the emulator
 * @injected: events handed to the processor
 * @pause_exits: loops of PAUSE that were interrupted
 * @halts: times it slept in KVM_RUN
 * @halt_polls: times that it was woken while it was waited for
 * @yields: those after which another vCPU got the processor
 * @asids: address space identifiers taken
 * @asid_flushes: times that the one it had was flushed instead
 * @asid_generations: times that the last one of a CPU was gone
 */
struct ksvm_vcpu_stat {
	u64 exits;
	u64 slow_exits;
	u64 user_exits;
	u64 ring_leaves;
	u64 npf_fixed;
	u64 emulated;
	u64 injected;
	u64 pause_exits;
	u64 halts;
	u64 halt_polls;
	u64 yields;
	u64 asids;
	u64 asid_flushes;
	u64 asid_generations;
};

/* Whoever adds the counters up in the meantime may miss this one: a race by intent. */
#define ksvm_count(counter)	data_race((counter)++)

/**
 * struct ksvm_vcpu - a virtual processor
 * @vm: constant
 * @id: its APIC id, given at creation; constant
 * @index: its place in vm->vcpus; constant
 * @mutex: held over each vCPU ioctl; "own thread" below is its holder
 * @run: the page shared with user space, which may change it at any time
 * @pio_data: the page for I/O port data behind it, likewise
 * @ring: own thread
 * @inner_cpu: the CPU on which the vCPU is in ring 2, or -1; written by its own
 *	thread with interrupts off, read by who kicks
 * @last_cpu: the CPU of the last world switch, or -1; own thread
 * @requests: bits of enum ksvm_request; atomic
 * @runner: the thread that is in KVM_RUN, or NULL; RCU, written by that thread
 * @kernel_mode: the guest was at CPL 0 when ring 2 was last left, where the
 *	pause filter is on; own thread writes
 * @spinning: it is looking for another vCPU to run in its place; own thread writes
 * @wait: where a vCPU that is not runnable sleeps
 * @mp_state: KVM_MP_STATE_*; own thread
 * @halt_poll_ns: how long it is waited for when it halts; own thread
 * @apic: its local APIC, or NULL where user space has it; constant once published
 * @srcu_index: of the read side of vm->mmu.srcu while in ring 1; own thread
 * @sigset: mask that replaces the thread's during KVM_RUN; own thread
 * @sigset_active: whether @sigset is in force; own thread
 * @run_error: what KVM_RUN returns after EXIT_ERROR; own thread
 * @complete: finishes the instruction that went to user space, at the next
 *	KVM_RUN, before anything else; NULL if none; own thread
 * @io_hints: where on each bus the last device was looked for; any value will do; own thread
 * @mmu: own thread
 * @pmu: own thread
 * @x86: own thread
 * @stat: own thread writes
 * @contract: the checker's; empty unless built with DEBUG_CONTRACT=1
 */
struct ksvm_vcpu {
	struct ksvm *vm;
	int id;
	int index;
	struct mutex mutex;	/* over each ioctl of the vCPU */
	struct kvm_run *run;
	void *pio_data;

	enum ksvm_ring ring;
	int inner_cpu;
	int last_cpu;
	unsigned long requests;
	struct task_struct __rcu *runner;
	bool kernel_mode;
	bool spinning;
	struct rcuwait wait;
	u32 mp_state;
	u64 halt_poll_ns;
	struct ksvm_lapic *apic;
	int srcu_index;
	sigset_t sigset;
	bool sigset_active;
	int run_error;
	enum exit_outcome (*complete)(struct ksvm_vcpu *vcpu);

	unsigned int io_hints[KSVM_BUSES];
	struct ksvm_mmu_vcpu mmu;
	struct ksvm_pmu pmu;
	struct ksvm_x86_vcpu x86;
	struct ksvm_vcpu_stat stat;
	struct ksvm_contract_vcpu contract;
};

/* Report EXIT_ERROR with @error, a negative errno, as KVM_RUN's result. */
static inline enum exit_outcome ksvm_exit_error(struct ksvm_vcpu *vcpu, int error)
{
	vcpu->run_error = error;
	return EXIT_ERROR;
}

#endif
