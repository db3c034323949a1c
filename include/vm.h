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
#include "io_bus.h"
#include "irq.h"
#include "mmu.h"
#include "x86.h"

#define KSVM_VCPUS_MAX		1024
#define KSVM_VCPU_ID_MAX	4096

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
 * @halt_poll_ns: how long a halted vCPU is waited for at most, if not negative:
 *	KVM_CAP_HALT_POLL; @lock to change
 * @exits_disabled: KVM_X86_DISABLE_EXITS_*: before the first vCPU; @lock
 * @mmu: memory; locks of its own
 * @io: devices of the kernel's; lock of its own
 * @irq: interrupt controllers; locks of their own
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
	s64 halt_poll_ns;
	u32 exits_disabled;
	struct ksvm_mmu mmu;
	struct ksvm_io io;
	struct ksvm_irq irq;
	struct ksvm_x86_vm x86;
	struct ksvm_contract_vm contract;
};

/* Each published vCPU of a VM; any context. */
#define ksvm_for_each_vcpu(index, vcpu, vm) \
	xa_for_each(&(vm)->vcpus, index, vcpu)

#endif
