/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lower layers ask of the SVM backend. One list; the table's type and
 * the static calls are generated from it, so that a call costs no indirect branch:
 * static_call(ksvm_x86_get_cpl)(vcpu).
 */
#ifndef KSVM_X86_OPS_H
#define KSVM_X86_OPS_H

#include <linux/static_call.h>
#include <linux/types.h>

#include "emulate.h"
#include "exit.h"

struct ksvm;
struct ksvm_vcpu;

/*
 * Return type, name, parameters. vCPU calls are made by the vCPU's own thread
 * unless said otherwise.
 *
 * hardware_enable: this CPU, interrupts off: 0, -EBUSY where somebody has SVM
 * hardware_disable: this CPU, interrupts off; harmless if not enabled
 * vcpu_alloc: zeroed vCPU with its VMCB, or ERR_PTR; vcpu_free undoes it
 * vcpu_reset: VMCB as after RESET or INIT
 * vcpu_run: ring 2: runs the guest until something needs ring 1
 * handle_exit: ring 1: the last exit's handler again
 * get_segment, set_segment: enum emulate_seg, VMCB attribute format
 * get_table, set_table: GDTR, IDTR
 * get_cpl: current privilege level
 * get_cs_long: CS.L, which is what most want to know of CS
 * set_cr0, set_cr3, set_cr4, set_efer: checked value into vcpu->x86 and VMCB
 * set_cr8: checked value into vcpu->x86 and V_TPR
 * set_cr2: into vcpu->x86 and VMCB
 * update_debug: DR6, DR7, DR intercepts and exception intercepts from vcpu->x86
 * get_msr, set_msr: MSRs that the VMCB holds: 0, -EINVAL for #GP, -ENOENT for
 *	one that is not the backend's
 * get_interrupt_shadow, set_interrupt_shadow: as named
 * write_tsc_offset: vcpu->x86.tsc_offset into the VMCB
 * flush_tlb: translations of the current ASID are gone at the next entry
 * cpuid_changed: CPUID of the guest was set: intercepts follow
 * next_rip: after the instruction that exited, 0 where the CPU does not tell
 * insn_bytes: instruction bytes that the exit delivered: count, 0 if none
 */
#define KSVM_X86_OPS(OP)								\
	OP(int, hardware_enable, (void))						\
	OP(void, hardware_disable, (void))						\
	OP(struct ksvm_vcpu *, vcpu_alloc, (struct ksvm *vm))				\
	OP(void, vcpu_free, (struct ksvm_vcpu *vcpu))					\
	OP(void, vcpu_reset, (struct ksvm_vcpu *vcpu, bool init))			\
	OP(enum exit_outcome, vcpu_run, (struct ksvm_vcpu *vcpu))			\
	OP(enum exit_outcome, handle_exit, (struct ksvm_vcpu *vcpu))			\
	OP(void, get_segment, (struct ksvm_vcpu *vcpu, enum emulate_seg seg,		\
			       struct emulate_segment *segment))			\
	OP(void, set_segment, (struct ksvm_vcpu *vcpu, enum emulate_seg seg,		\
			       const struct emulate_segment *segment))			\
	OP(void, get_table, (struct ksvm_vcpu *vcpu, enum emulate_table_register reg,	\
			     struct emulate_table *table))				\
	OP(void, set_table, (struct ksvm_vcpu *vcpu, enum emulate_table_register reg,	\
			     const struct emulate_table *table))			\
	OP(int, get_cpl, (struct ksvm_vcpu *vcpu))					\
	OP(bool, get_cs_long, (struct ksvm_vcpu *vcpu))					\
	OP(void, set_cr0, (struct ksvm_vcpu *vcpu, unsigned long cr0))			\
	OP(void, set_cr2, (struct ksvm_vcpu *vcpu, unsigned long cr2))			\
	OP(void, set_cr3, (struct ksvm_vcpu *vcpu, unsigned long cr3))			\
	OP(void, set_cr4, (struct ksvm_vcpu *vcpu, unsigned long cr4))			\
	OP(void, set_cr8, (struct ksvm_vcpu *vcpu, unsigned long cr8))			\
	OP(void, set_efer, (struct ksvm_vcpu *vcpu, u64 efer))				\
	OP(void, update_debug, (struct ksvm_vcpu *vcpu))				\
	OP(int, get_msr, (struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host))	\
	OP(int, set_msr, (struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host))	\
	OP(bool, get_interrupt_shadow, (struct ksvm_vcpu *vcpu))			\
	OP(void, set_interrupt_shadow, (struct ksvm_vcpu *vcpu, bool shadow))		\
	OP(void, write_tsc_offset, (struct ksvm_vcpu *vcpu))				\
	OP(void, flush_tlb, (struct ksvm_vcpu *vcpu))					\
	OP(void, cpuid_changed, (struct ksvm_vcpu *vcpu))				\
	OP(unsigned long, next_rip, (struct ksvm_vcpu *vcpu))				\
	OP(int, insn_bytes, (struct ksvm_vcpu *vcpu, const u8 **bytes))

#define KSVM_X86_OP_MEMBER(ret, name, params)	ret(*name) params;
struct ksvm_x86_ops {
	KSVM_X86_OPS(KSVM_X86_OP_MEMBER)
};

#define KSVM_X86_OP_DECLARE(ret, name, params) \
	DECLARE_STATIC_CALL(ksvm_x86_##name, *(((struct ksvm_x86_ops *)0)->name));
KSVM_X86_OPS(KSVM_X86_OP_DECLARE)

void ksvm_x86_ops_register(const struct ksvm_x86_ops *ops);

#endif
