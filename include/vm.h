/* SPDX-License-Identifier: GPL-2.0-only */
/* struct ksvm: a virtual machine. */
#ifndef KSVM_VM_H
#define KSVM_VM_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "contract_hooks.h"
#include "mmu.h"
#include "x86.h"

#define KSVM_VCPUS_MAX		1024
#define KSVM_VCPU_ID_MAX	4096
#define KSVM_IRQ_ROUTES_MAX	4096

/**
 * struct ksvm - a virtual machine
 * @users: the VM's fd and each vCPU's fd hold one; the last one destroys
 * @mm: the address space that created the VM and alone may run it; holds a
 *	reference on the mm_struct, not on its users
 * @lock: vCPU creation and per-VM settings; taken before any vCPU's mutex
 * @vcpus: vCPUs by index, published once each under @lock, never removed
 *	before the VM goes
 * @nr_vcpus: how many of @vcpus are published; @lock to change
 * @last_boosted: index of the vCPU that last got the processor from one that
 *	spun; no lock, a hint
 * @vcpu_id_limit: ids of vCPUs are below, if not 0: KVM_CAP_MAX_VCPU_ID sets it
 *	once; @lock
 * @free_work: frees the VM after the last reference is gone
 * @link: in the list of all VMs; lock of core/vm.c
 * @dead: a bug of ours was met: KVM_RUN fails with EIO; set once
 * @mmu: memory; locks of its own
 * @x86: settings of the VM; @lock
 * @contract: the checker's; empty unless built with DEBUG_CONTRACT=1
 */
struct ksvm {
	refcount_t users;
	struct mm_struct *mm;
	struct mutex lock;	/* vCPU creation, settings of the VM */
	struct xarray vcpus;
	unsigned int nr_vcpus;
	unsigned int last_boosted;
	unsigned int vcpu_id_limit;
	struct work_struct free_work;
	struct list_head link;
	bool dead;
	struct ksvm_mmu mmu;
	struct ksvm_x86_vm x86;
	struct ksvm_contract_vm contract;
};

/* Each published vCPU of a VM; any context. */
#define ksvm_for_each_vcpu(index, vcpu, vm) \
	xa_for_each(&(vm)->vcpus, index, vcpu)

#endif
