// SPDX-License-Identifier: GPL-2.0-only
/*
 * The static calls through which lower layers reach the backend, the vendor's half
 * of the PMU and the local APIC. Their tables are above; the calls are defined here, in
 * the lowest folder that needs all of them.
 */
#include "irq_ops.h"
#include "vcpu.h"
#include "x86_ops.h"

#define X86_OP_DEFINE(ret, name, params) \
	DEFINE_STATIC_CALL_NULL(ksvm_x86_##name, *(((struct ksvm_x86_ops *)0)->name));
KSVM_X86_OPS(X86_OP_DEFINE)

#define PMU_OP_DEFINE(ret, name, params) \
	DEFINE_STATIC_CALL_NULL(ksvm_pmu_##name, *(((struct ksvm_pmu_ops *)0)->name));
KSVM_PMU_OPS(PMU_OP_DEFINE)

#define IRQ_OP_DEFINE(ret, name, params) \
	DEFINE_STATIC_CALL_NULL(ksvm_irq_##name, *(((struct ksvm_irq_ops *)0)->name));
KSVM_IRQ_OPS(IRQ_OP_DEFINE)

#define X86_OP_UPDATE(ret, name, params) \
	static_call_update(ksvm_x86_##name, ops->name);

/**
 * ksvm_x86_ops_register() - bind the calls to the backend
 * @ops: its table, complete; read now only
 *
 * Context: module load, before anything makes a call; may sleep.
 */
void ksvm_x86_ops_register(const struct ksvm_x86_ops *ops)
{
	KSVM_X86_OPS(X86_OP_UPDATE)
}

#define PMU_OP_UPDATE(ret, name, params) \
	static_call_update(ksvm_pmu_##name, ops->name);

/**
 * ksvm_pmu_ops_register() - bind the calls to the vendor's half of the PMU
 * @ops: its table, complete; read now only
 *
 * Context: module load, before anything makes a call; may sleep.
 */
void ksvm_pmu_ops_register(const struct ksvm_pmu_ops *ops)
{
	KSVM_PMU_OPS(PMU_OP_UPDATE)
}

#define IRQ_OP_UPDATE(ret, name, params) \
	static_call_update(ksvm_irq_##name, ops->name);

/**
 * ksvm_irq_ops_register() - bind the calls to the local APIC
 * @ops: its table, complete; read now only
 *
 * Context: module load, before anything makes a call; may sleep.
 */
void ksvm_irq_ops_register(const struct ksvm_irq_ops *ops)
{
	KSVM_IRQ_OPS(IRQ_OP_UPDATE)
}
