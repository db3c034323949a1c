/* SPDX-License-Identifier: GPL-2.0-only */
/* Request bits: how lower layers ask the run loop for work. */
#ifndef KSVM_REQUESTS_H
#define KSVM_REQUESTS_H

#include <linux/atomic.h>
#include <linux/bitops.h>

#include "vcpu.h"

/**
 * enum ksvm_request - work that a vCPU does before it enters the guest again
 * @KSVM_REQ_KICK: nothing but leaving ring 2 and looking around
 * @KSVM_REQ_TLB_FLUSH: drop the translations of the vCPU's current ASID
 * @KSVM_REQ_TRIPLE_FAULT: report KVM_EXIT_SHUTDOWN
 * @KSVM_REQ_YIELD: the guest spins: let another vCPU of the VM have the processor
 * @KSVM_REQ_EVENT: something has arrived at the local APIC
 * @KSVM_REQ_IOAPIC_EOI: report KVM_EXIT_IOAPIC_EOI
 * @KSVM_REQ_VM_DEAD: the VM hit a bug of ours; KVM_RUN fails with EIO
 */
enum ksvm_request {
	KSVM_REQ_KICK,
	KSVM_REQ_TLB_FLUSH,
	KSVM_REQ_TRIPLE_FAULT,
	KSVM_REQ_YIELD,
	KSVM_REQ_EVENT,
	KSVM_REQ_IOAPIC_EOI,
	KSVM_REQ_VM_DEAD,
};

/**
 * ksvm_make_request() - set a request bit
 * @req: the request
 * @vcpu: the vCPU; any context, no lock
 *
 * Follow with ksvm_vcpu_kick() unless @vcpu is the caller's own. Pairs with
 * the barrier in the run loop between publishing the ring and reading the bits.
 */
static inline void ksvm_make_request(enum ksvm_request req, struct ksvm_vcpu *vcpu)
{
	smp_wmb();	/* what the request is about, before the bit */
	set_bit(req, &vcpu->requests);
}

static inline bool ksvm_request_pending(const struct ksvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests);
}

/**
 * ksvm_check_request() - test and clear a request bit
 * @req: the request
 * @vcpu: the caller's vCPU
 *
 * Return: true once for each time the bit was set.
 */
static inline bool ksvm_check_request(enum ksvm_request req, struct ksvm_vcpu *vcpu)
{
	if (!test_bit(req, &vcpu->requests))
		return false;
	clear_bit(req, &vcpu->requests);
	smp_mb__after_atomic();	/* the bit, before what the request is about */
	return true;
}

#endif
