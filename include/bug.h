/* SPDX-License-Identifier: GPL-2.0-only */
/* A bug of ours costs one VM, never the host. */
#ifndef KSVM_BUG_H
#define KSVM_BUG_H

#include <linux/bug.h>
#include <linux/compiler.h>

#include "kick.h"
#include "requests.h"
#include "vm.h"

/**
 * ksvm_vm_kill() - stop a VM for good
 * @vm: the VM; any context in which its vCPUs may be kicked
 *
 * Every ioctl of the VM and of its vCPUs fails with EIO from now on, a
 * KVM_RUN in progress included.
 */
static inline void ksvm_vm_kill(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	WRITE_ONCE(vm->dead, true);
	ksvm_for_each_vcpu(index, vcpu, vm) {
		ksvm_make_request(KSVM_REQ_VM_DEAD, vcpu);
		ksvm_vcpu_kick(vcpu);
	}
}

/*
 * True, with one warning per place, where the module's own logic broke: the VM
 * is dead then. Never for a condition that a guest or a user can bring about.
 */
#define KSVM_BUG_ON(condition, vm)				\
({								\
	bool __broken = WARN_ON_ONCE(condition);		\
								\
	if (unlikely(__broken))					\
		ksvm_vm_kill(vm);				\
	unlikely(__broken);					\
})

#endif
