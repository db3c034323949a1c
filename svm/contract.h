/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hardware contract, checked: what real processors rely on and emulated ones
 * forgive. A module built with make DEBUG_CONTRACT=1 looks at itself before
 * each VMRUN, after each #VMEXIT and around ring 2. A breach stops the VM with
 * one line in the log:
 *
 *   rule 1: a VMCB field that changed has its clean bit cleared
 *   rule 2: no VMRUN whose ASID may have a translation that is no more
 *   rule 3: the VMCB passes VMRUN's consistency checks
 *   rule 4: the host's state after is the host's state before
 *   rule 5: interrupts, GIF and preemption are as the ring demands
 *   rule 6: ring 2 is one FPU section, user memory is accessed with the host's PKRU
 *
 * Otherwise everything below is empty.
 */
#ifndef KSVM_SVM_CONTRACT_H
#define KSVM_SVM_CONTRACT_H

#include "internal.h"

#ifdef KSVM_CONTRACT

#define CONTRACT_HOST_ITEMS	32
#define CONTRACT_VMSAVE_WORDS	16

/*
 * The model of the TLB has no room for more, on each processor. Few, so that they are used
 * up now and then, where processors have tens of thousands.
 */
#define CONTRACT_ASIDS_MAX	64u

/**
 * struct svm_contract_host - the host's state at one time
 * @items: by contract_host.c's table of registers
 * @vmsaved: what VMSAVE stored, by its other table
 * @vmsave_done: which it does while SVM is on
 */
struct svm_contract_host {
	u64 items[CONTRACT_HOST_ITEMS];
	u64 vmsaved[CONTRACT_VMSAVE_WORDS];
	bool vmsave_done;
};

/**
 * struct svm_contract_tlb - what a VMRUN does to the TLB, if it is not refused
 * @narrowed: of struct ksvm_contract_vm, read before the VMRUN
 * @flush: the whole ASID is flushed
 * @flush_all: all ASIDs are
 */
struct svm_contract_tlb {
	s64 narrowed;
	bool flush;
	bool flush_all;
};

/**
 * struct svm_contract - what the checker knows of a vCPU; own thread only
 * @shadow: the VMCB as the processor left it at the last #VMEXIT
 * @shadow_valid: there was one, and @shadow is of @cpu
 * @cpu: the processor of the last VMRUN, or -1
 * @enabled: how often SVM had been switched on there
 * @stay: grows each time that the vCPU has come to another processor, or to one where
 *	SVM was off meanwhile
 * @serial: tells the vCPU from those that had its memory before
 * @tlb: between the check and the #VMEXIT
 * @xcr0: XCR0 at the last #VMEXIT
 * @unplanted: planted: what was in the register before
 * @lose_flush: planted: the next svm_flush_tlb() does nothing
 * @vmsave_page: where the checker's own VMSAVEs go
 * @world: the host's state before the world switch
 * @ring: likewise before ring 2
 */
struct svm_contract {
	struct vmcb shadow;
	bool shadow_valid;
	int cpu;
	u64 enabled;
	u64 stay;
	u64 serial;
	struct svm_contract_tlb tlb;
	u64 xcr0;
	u64 unplanted;
	bool lose_flush;
	struct vmcb *vmsave_page;
	struct svm_contract_host world;
	struct svm_contract_host ring;
};

/* contract.c: what the rest of svm/ calls. The bools are true for a breach. */
int svm_contract_create(struct vcpu_svm *svm);
void svm_contract_destroy(struct vcpu_svm *svm);
int svm_contract_setup(void);
void svm_contract_unsetup(void);
void svm_contract_cpu_enabled(void);
bool svm_contract_before(struct vcpu_svm *svm);
bool svm_contract_after(struct vcpu_svm *svm);
void svm_contract_ring_enter(struct vcpu_svm *svm);
bool svm_contract_ring_leave(struct vcpu_svm *svm);
bool svm_contract_flush_lost(struct vcpu_svm *svm);

static inline u32 svm_contract_asids_max(void)
{
	return CONTRACT_ASIDS_MAX;
}

/* Clean bits are kept even where the processor has none: it ignores them. */
static inline bool svm_contract_on(void)
{
	return true;
}

/* What follows is the checker's own. */

/* Where a planted breach is committed. */
enum contract_point {
	CONTRACT_BEFORE,	/* before the checks that precede VMRUN */
	CONTRACT_AFTER,		/* after #VMEXIT, before the checks there */
	CONTRACT_RING,		/* before the checks at the end of ring 2 */
};

/**
 * struct contract_breach - a deliberate breach
 * @name: what debugfs ksvm/contract/breach takes
 * @rule: the rule that is broken
 * @point: when
 * @plant: does it; false if it cannot be done at this VMRUN, but may at a later one
 * @undo: makes the processor's state good again after the check; NULL where the
 *	VM's end is enough
 * @possible: whether this host's processor has what it takes; NULL if any has
 */
struct contract_breach {
	const char *name;
	int rule;
	enum contract_point point;
	bool (*plant)(struct vcpu_svm *svm);
	void (*undo)(struct vcpu_svm *svm);
	bool (*possible)(void);
};

/* One line in the log per VM, and the VM is dead. Always true. */
bool contract_report(struct vcpu_svm *svm, int rule, const char *fmt, ...) __printf(3, 4);

static inline bool contract_expect(struct vcpu_svm *svm, int rule, const char *what,
				   u64 found, u64 expected)
{
	if (likely(found == expected))
		return false;
	return contract_report(svm, rule, "%s is %#llx, expected %#llx", what, found, expected);
}

/* Each file's breaches; ended by a row without a name. */
extern const struct contract_breach contract_vmcb_breaches[];
extern const struct contract_breach contract_tlb_breaches[];
extern const struct contract_breach contract_host_breaches[];

/* contract_vmcb.c: rules 1 and 3. */
bool contract_check_clean(struct vcpu_svm *svm);
bool contract_check_consistency(struct vcpu_svm *svm);
void contract_shadow_take(struct vcpu_svm *svm);

/* contract_tlb.c: rule 2. */
int contract_tlb_setup(void);
void contract_tlb_unsetup(void);
void contract_tlb_cpu_enabled(void);
bool contract_check_tlb(struct vcpu_svm *svm);
void contract_tlb_entered(struct vcpu_svm *svm);

/* contract_host.c: rules 4, 5 and 6. */
void contract_host_setup(void);
bool contract_check_context_before(struct vcpu_svm *svm);
bool contract_check_context_after(struct vcpu_svm *svm);
bool contract_check_context_ring(struct vcpu_svm *svm);
void contract_host_take(struct vcpu_svm *svm, struct svm_contract_host *host);
bool contract_check_host_world(struct vcpu_svm *svm);
bool contract_check_host_ring(struct vcpu_svm *svm);

#else

static inline int svm_contract_create(struct vcpu_svm *svm)
{
	return 0;
}

static inline void svm_contract_destroy(struct vcpu_svm *svm) {}

static inline int svm_contract_setup(void)
{
	return 0;
}

static inline void svm_contract_unsetup(void) {}
static inline void svm_contract_cpu_enabled(void) {}

static inline bool svm_contract_before(struct vcpu_svm *svm)
{
	return false;
}

static inline bool svm_contract_after(struct vcpu_svm *svm)
{
	return false;
}

static inline void svm_contract_ring_enter(struct vcpu_svm *svm) {}

static inline bool svm_contract_ring_leave(struct vcpu_svm *svm)
{
	return false;
}

static inline bool svm_contract_flush_lost(struct vcpu_svm *svm)
{
	return false;
}

static inline u32 svm_contract_asids_max(void)
{
	return U32_MAX;
}

static inline bool svm_contract_on(void)
{
	return false;
}

#endif
#endif
