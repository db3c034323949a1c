// SPDX-License-Identifier: GPL-2.0-only
/* A VM's memory: creation and destruction. */
#include "internal.h"

/**
 * ksvm_mmu_init_vm() - prepare a VM's memory: no slots, an empty nested table
 * @vm: the VM; vm->mm is set and is the caller's own
 *
 * From now on the notifier looks after the address space.
 *
 * Context: may sleep, takes the mmap lock.
 * Return: 0, -ENOMEM, or -EINTR where a signal came in between.
 */
int ksvm_mmu_init_vm(struct ksvm *vm)
{
	struct ksvm_mmu *mmu = &vm->mmu;
	int r;

	mutex_init(&mmu->slots_lock);
	rwlock_init(&mmu->lock);
	mmu->hva_tree = RB_ROOT_CACHED;
	r = init_srcu_struct(&mmu->srcu);
	if (r)
		return r;
	r = ksvm_memslots_init(vm);
	if (r)
		goto srcu;
	r = ksvm_npt_init(vm);
	if (r)
		goto memslots;
	r = ksvm_notifier_register(vm);
	if (r)
		goto npt;
	return 0;

npt:
	ksvm_npt_destroy(vm);
memslots:
	ksvm_memslots_destroy(vm);
srcu:
	cleanup_srcu_struct(&mmu->srcu);
	return r;
}

static void vcpu_free_tables(struct ksvm_mmu_vcpu *cache)
{
	while (cache->nr_tables)
		free_page((unsigned long)cache->tables[--cache->nr_tables]);
}

/**
 * ksvm_mmu_destroy_vm() - free a VM's memory structures
 * @vm: the VM; its vCPUs are still there but none can run any more
 *
 * Frees the vCPUs' share too.
 *
 * Context: may sleep.
 */
void ksvm_mmu_destroy_vm(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_notifier_unregister(vm);
	ksvm_for_each_vcpu(index, vcpu, vm)
		vcpu_free_tables(&vcpu->mmu);
	ksvm_npt_destroy(vm);
	ksvm_memslots_destroy(vm);
	cleanup_srcu_struct(&vm->mmu.srcu);
}

/**
 * ksvm_mmu_exit() - wait for tables that are on their way to be freed
 *
 * What frees them is this module's code.
 */
void ksvm_mmu_exit(void)
{
	rcu_barrier();
}
