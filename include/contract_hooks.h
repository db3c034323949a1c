/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware contract, checked: what folders below svm/ tell the checker of
 * svm/contract.c. Only in modules built with make DEBUG_CONTRACT=1; otherwise
 * the structures are empty and the functions nothing.
 */
#ifndef KSVM_CONTRACT_HOOKS_H
#define KSVM_CONTRACT_HOOKS_H

#include <linux/types.h>

#ifdef KSVM_CONTRACT

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <asm/cpufeature.h>
#include <asm/special_insns.h>

/**
 * struct ksvm_contract_process - a process, also when its number is another's by now
 * @tgid: its number in the first namespace
 * @started: when it did, in ns since boot
 */
struct ksvm_contract_process {
	pid_t tgid;
	u64 started;
};

/**
 * struct ksvm_contract_vm - a VM, as the checker sees it
 * @creator: the process that made the VM: its planted breaches hit it; constant
 * @narrowed: removals and narrowings of nested entries so far, each counted
 *	after the entry was changed
 * @flushed: of @narrowed, those whose remote flush is complete
 * @narrowers: sections that narrow, now in progress
 * @flush_missed: a section ended that had left something unflushed
 * @skip_flush: planted: the next remote flush does nothing
 * @planted: a planted breach has been met: what is reported comes from it
 * @reported: the one report is out, the VM is dead
 */
struct ksvm_contract_vm {
	struct ksvm_contract_process creator;
	atomic64_t narrowed;
	atomic64_t flushed;
	atomic_t narrowers;
	bool flush_missed;
	bool skip_flush;
	bool planted;
	unsigned long reported;
};

/**
 * struct ksvm_contract_vcpu - a vCPU, likewise; own thread only
 * @pkru_seen: user memory was accessed under this PKRU, which is not the host's;
 *	valid if @pkru_wrong
 * @pkru_wrong: see @pkru_seen
 * @pkru_plant: planted: the next access is made under a wrong PKRU
 */
struct ksvm_contract_vcpu {
	u32 pkru_seen;
	bool pkru_wrong;
	bool pkru_plant;
};

/* Narrowings by this CPU; their VM's lock, held for writing, keeps the task on it. */
DECLARE_PER_CPU(u64, ksvm_contract_narrowings);
#define KSVM_CONTRACT_DEFINE	DEFINE_PER_CPU(u64, ksvm_contract_narrowings)

static inline struct ksvm_contract_process ksvm_contract_process(void)
{
	return (struct ksvm_contract_process) {
		.tgid = task_tgid_nr(current),
		.started = current->group_leader->start_boottime,
	};
}

static inline void ksvm_contract_vm_created(struct ksvm_contract_vm *vm)
{
	vm->creator = ksvm_contract_process();
}

/* Around each section that narrows and flushes. */
static inline void ksvm_contract_narrow_enter(struct ksvm_contract_vm *vm)
{
	atomic_inc(&vm->narrowers);
}

/*
 * Where no other section is left, each narrowing counted before that was seen
 * belongs to a section that has ended, and each of these had to flush.
 */
static inline void ksvm_contract_narrow_leave(struct ksvm_contract_vm *vm)
{
	s64 narrowed = atomic64_read(&vm->narrowed);

	if (atomic_dec_and_test(&vm->narrowers) && atomic64_read(&vm->flushed) < narrowed)
		WRITE_ONCE(vm->flush_missed, true);
}

/* An entry has lost its presence or a right; counted here without knowing the VM. */
static inline void ksvm_contract_narrowed(void)
{
	this_cpu_inc(ksvm_contract_narrowings);
}

/* What narrows entries of a VM stands between these, with mmu.lock held for writing. */
static inline u64 ksvm_contract_count_begin(void)
{
	return this_cpu_read(ksvm_contract_narrowings);
}

static inline void ksvm_contract_count_end(struct ksvm_contract_vm *vm, u64 begin)
{
	if (this_cpu_read(ksvm_contract_narrowings) != begin)
		atomic64_inc(&vm->narrowed);	/* fully ordered: after the entries */
}

/* Around a remote flush: what was counted before it began is flushed by it. */
static inline s64 ksvm_contract_flush_begin(struct ksvm_contract_vm *vm)
{
	return atomic64_read(&vm->narrowed);
}

static inline void ksvm_contract_flush_end(struct ksvm_contract_vm *vm, s64 narrowed)
{
	s64 flushed = atomic64_read(&vm->flushed);

	while (flushed < narrowed && !atomic64_try_cmpxchg(&vm->flushed, &flushed, narrowed))
		;
}

static inline bool ksvm_contract_flush_skip(struct ksvm_contract_vm *vm)
{
	return unlikely(READ_ONCE(vm->skip_flush)) && xchg(&vm->skip_flush, false);
}

/*
 * Around user accesses of ring 2. @host_pkru: what has to be in force.
 * The wrong PKRU of a planted breach denies nothing that the kernel uses: key 15.
 */
static inline void ksvm_contract_user_begin(struct ksvm_contract_vcpu *vcpu, u32 host_pkru)
{
	u32 pkru;

	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return;
	if (unlikely(vcpu->pkru_plant))
		wrpkru(host_pkru ^ BIT(31));
	pkru = rdpkru();
	if (likely(pkru == host_pkru))
		return;
	vcpu->pkru_wrong = true;
	vcpu->pkru_seen = pkru;
}

static inline void ksvm_contract_user_end(struct ksvm_contract_vcpu *vcpu, u32 host_pkru)
{
	if (likely(!vcpu->pkru_plant))
		return;
	vcpu->pkru_plant = false;
	wrpkru(host_pkru);
}

#else

struct ksvm_contract_vm {};
struct ksvm_contract_vcpu {};

#define KSVM_CONTRACT_DEFINE	struct ksvm_contract_vm

static inline void ksvm_contract_vm_created(struct ksvm_contract_vm *vm) {}
static inline void ksvm_contract_narrow_enter(struct ksvm_contract_vm *vm) {}
static inline void ksvm_contract_narrow_leave(struct ksvm_contract_vm *vm) {}
static inline void ksvm_contract_narrowed(void) {}

static inline u64 ksvm_contract_count_begin(void)
{
	return 0;
}

static inline void ksvm_contract_count_end(struct ksvm_contract_vm *vm, u64 begin) {}

static inline s64 ksvm_contract_flush_begin(struct ksvm_contract_vm *vm)
{
	return 0;
}

static inline void ksvm_contract_flush_end(struct ksvm_contract_vm *vm, s64 narrowed) {}

static inline bool ksvm_contract_flush_skip(struct ksvm_contract_vm *vm)
{
	return false;
}

static inline void ksvm_contract_user_begin(struct ksvm_contract_vcpu *vcpu, u32 host_pkru) {}
static inline void ksvm_contract_user_end(struct ksvm_contract_vcpu *vcpu, u32 host_pkru) {}

#endif
#endif
