/* SPDX-License-Identifier: GPL-2.0-only */
/* Get a vCPU out of the guest, or out of its sleep. */
#ifndef KSVM_KICK_H
#define KSVM_KICK_H

#include <linux/rcuwait.h>
#include <linux/smp.h>

#include "compat.h"
#include "vcpu.h"

/**
 * ksvm_vcpu_kick() - make a vCPU look at its requests
 * @vcpu: the vCPU; interrupts may be off, no lock that its thread may take
 *
 * The request bit is set before. Ring 2 publishes inner_cpu, then reads the
 * bits; here the bit is written, then inner_cpu read: one of the two sees the
 * other. An IPI that arrives before VMRUN makes that VMRUN exit at once.
 */
static inline void ksvm_vcpu_kick(struct ksvm_vcpu *vcpu)
{
	int cpu;

	smp_mb();	/* the request bit, before the reads of who waits and of inner_cpu */
	if (rcuwait_active(&vcpu->wait))
		rcuwait_wake_up(&vcpu->wait);
	cpu = READ_ONCE(vcpu->inner_cpu);
	if (cpu >= 0 && cpu != raw_smp_processor_id())
		ksvm_send_reschedule(cpu);
}

#endif
