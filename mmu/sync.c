// SPDX-License-Identifier: GPL-2.0-only
/* Wait for the vCPUs of a VM that are in ring 2, and make them flush their TLBs. */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "internal.h"
#include "requests.h"

/* Used with preemption off and never from an interrupt. */
static DEFINE_PER_CPU(struct cpumask, inner_cpus);

KSVM_CONTRACT_DEFINE;

static void nothing(void *unused)
{
}

/**
 * ksvm_wait_inner() - wait until each vCPU that is in ring 2 now has left it
 * @vm: the VM
 *
 * Ring 2 has interrupts off, so the call that is sent to its CPU is answered
 * after it was left. Where inner_cpu reads -1 the vCPU enters ring 2 after the
 * barrier here, and sees all that the caller wrote before. The caller's own
 * CPU cannot be in ring 2.
 *
 * Context: process context, interrupts on. No lock that ring 2 spins on.
 */
void ksvm_wait_inner(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	struct cpumask *mask;
	unsigned long index;
	bool any = false;

	preempt_disable();
	mask = this_cpu_ptr(&inner_cpus);
	cpumask_clear(mask);
	smp_mb();	/* the caller's writes, before inner_cpu is read */
	ksvm_for_each_vcpu(index, vcpu, vm) {
		int cpu = READ_ONCE(vcpu->inner_cpu);

		if (cpu < 0)
			continue;
		__cpumask_set_cpu(cpu, mask);
		any = true;
	}
	if (any)
		smp_call_function_many(mask, nothing, NULL, true);
	preempt_enable();
}

/**
 * ksvm_flush_remote_tlbs() - make removed nested mappings unusable
 * @vm: the VM
 *
 * When it returns, no vCPU uses a translation that was removed before the
 * call: those in ring 2 have left it, and all flush before they enter again.
 *
 * Context: process context, interrupts on; mmu.lock may be held, as ring 2
 * only tries it.
 */
void ksvm_flush_remote_tlbs(struct ksvm *vm)
{
	s64 narrowed = ksvm_contract_flush_begin(&vm->contract);
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	if (ksvm_contract_flush_skip(&vm->contract))
		return;
	ksvm_for_each_vcpu(index, vcpu, vm)
		ksvm_make_request(KSVM_REQ_TLB_FLUSH, vcpu);
	ksvm_wait_inner(vm);
	ksvm_contract_flush_end(&vm->contract, narrowed);
}
