/* SPDX-License-Identifier: GPL-2.0-only */
/* What lower layers ask of the local APIC: one list, as in x86_ops.h. */
#ifndef KSVM_IRQ_OPS_H
#define KSVM_IRQ_OPS_H

#include <linux/static_call.h>
#include <linux/types.h>

struct ksvm_vcpu;

/*
 * What x86/ asks of a vCPU's local APIC, where vcpu->apic is not NULL: own thread, ring
 * 1 or 2. Called through static_call(ksvm_irq_<name>).
 *
 * get_msr, set_msr: x2APIC registers, TSC_DEADLINE: 0, -EINVAL for #GP, -EAGAIN where
 *	ring 2 cannot (nothing has changed)
 * set_apic_base: a value that is valid by itself: likewise
 * set_tpr: CR8 was written, by the guest or for it
 * read, write: MMIO: 0; -EOPNOTSUPP where @gpa is not the APIC's; -EAGAIN
 * tsc_changed: the guest's TSC was set
 * reset: after RESET or INIT
 */
#define KSVM_IRQ_OPS(OP)								\
	OP(int, get_msr, (struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host))	\
	OP(int, set_msr, (struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host))	\
	OP(int, set_apic_base, (struct ksvm_vcpu *vcpu, u64 value, bool host))		\
	OP(void, set_tpr, (struct ksvm_vcpu *vcpu, unsigned int cr8))			\
	OP(int, read, (struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, void *data)) \
	OP(int, write, (struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes,		\
			const void *data))						\
	OP(void, tsc_changed, (struct ksvm_vcpu *vcpu))					\
	OP(void, reset, (struct ksvm_vcpu *vcpu, bool init))

#define KSVM_IRQ_OP_MEMBER(ret, name, params)	ret(*name) params;
struct ksvm_irq_ops {
	KSVM_IRQ_OPS(KSVM_IRQ_OP_MEMBER)
};

#define KSVM_IRQ_OP_DECLARE(ret, name, params) \
	DECLARE_STATIC_CALL(ksvm_irq_##name, *(((struct ksvm_irq_ops *)0)->name));
KSVM_IRQ_OPS(KSVM_IRQ_OP_DECLARE)

/* x86/ops.c */
void ksvm_irq_ops_register(const struct ksvm_irq_ops *ops);

#endif
