// SPDX-License-Identifier: GPL-2.0-only
/* Exit handlers of intercepted instructions. */
#include <linux/kvm.h>
#include <asm/trapnr.h>

#include "exits.h"
#include "guest.h"
#include "internal.h"
#include "irq.h"

/*
 * The length has to be known before anything is changed: without NRIPS it is
 * decoded from guest memory, which ring 2 may not be able to read.
 */
static bool length_known(struct vcpu_svm *svm, enum exit_outcome *outcome)
{
	int length = ksvm_insn_length(&svm->vcpu);

	if (length > 0)
		return true;
	*outcome = length == -EAGAIN ? EXIT_SLOW : EXIT_REENTER;
	return false;
}

static enum exit_outcome inject_gp(struct vcpu_svm *svm)
{
	ksvm_queue_exception_error(&svm->vcpu, X86_TRAP_GP, 0);
	return EXIT_REENTER;
}

/* Instructions that this guest's processor does not have. */
enum exit_outcome exit_inject_ud(struct vcpu_svm *svm)
{
	ksvm_queue_exception(&svm->vcpu, X86_TRAP_UD);
	return EXIT_REENTER;
}

/* Nothing to do: caches are coherent, waiting is optional. */
enum exit_outcome exit_nop(struct vcpu_svm *svm)
{
	enum exit_outcome outcome;

	if (!length_known(svm, &outcome))
		return outcome;
	return ksvm_skip_insn(&svm->vcpu);
}

enum exit_outcome exit_emulate(struct vcpu_svm *svm)
{
	return ksvm_emulate(&svm->vcpu);
}

enum exit_outcome exit_cpuid(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	unsigned long *regs = vcpu->x86.regs;
	enum exit_outcome outcome;
	u32 eax, ebx, ecx, edx;

	if (!length_known(svm, &outcome))
		return outcome;
	eax = regs[EMULATE_RAX];
	ecx = regs[EMULATE_RCX];
	ksvm_cpuid(vcpu, &eax, &ebx, &ecx, &edx);
	regs[EMULATE_RAX] = eax;
	regs[EMULATE_RBX] = ebx;
	regs[EMULATE_RCX] = ecx;
	regs[EMULATE_RDX] = edx;
	return ksvm_skip_insn(vcpu);
}

static void set_edx_eax(struct ksvm_vcpu *vcpu, u64 value)
{
	vcpu->x86.regs[EMULATE_RAX] = (u32)value;
	vcpu->x86.regs[EMULATE_RDX] = value >> 32;
}

static u64 edx_eax(const struct ksvm_vcpu *vcpu)
{
	return (u32)vcpu->x86.regs[EMULATE_RAX] | (u64)vcpu->x86.regs[EMULATE_RDX] << 32;
}

enum exit_outcome exit_msr(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	u32 index = vcpu->x86.regs[EMULATE_RCX];
	bool write = svm->vmcb->control.exit_info_1;
	enum exit_outcome outcome;
	u64 value;
	int error;

	if (!length_known(svm, &outcome))
		return outcome;
	if (write)
		error = ksvm_set_msr(vcpu, index, edx_eax(vcpu), false);
	else
		error = ksvm_get_msr(vcpu, index, &value, false);
	if (error)
		return error == -EAGAIN ? EXIT_SLOW : inject_gp(svm);
	if (!write)
		set_edx_eax(vcpu, value);
	return ksvm_skip_insn(vcpu);
}

enum exit_outcome exit_rdpmc(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	enum exit_outcome outcome;
	u64 value;

	if (!length_known(svm, &outcome))
		return outcome;
	if (ksvm_pmu_rdpmc(vcpu, vcpu->x86.regs[EMULATE_RCX], &value))
		return inject_gp(svm);
	set_edx_eax(vcpu, value);
	return ksvm_skip_insn(vcpu);
}

enum exit_outcome exit_vmmcall(struct vcpu_svm *svm)
{
	enum exit_outcome outcome;

	if (!length_known(svm, &outcome))
		return outcome;
	ksvm_hypercall(&svm->vcpu);
	return ksvm_skip_insn(&svm->vcpu);
}

enum exit_outcome exit_xsetbv(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	enum exit_outcome outcome;

	if (!length_known(svm, &outcome))
		return outcome;
	if (svm_get_cpl(vcpu) || (u32)vcpu->x86.regs[EMULATE_RCX] ||
	    ksvm_set_xcr0(vcpu, edx_eax(vcpu)))
		return inject_gp(svm);
	return ksvm_skip_insn(vcpu);
}

/* Nothing has to be left where what wakes it is there already. */
enum exit_outcome exit_hlt(struct vcpu_svm *svm)
{
	enum exit_outcome outcome;

	if (!length_known(svm, &outcome))
		return outcome;
	outcome = ksvm_skip_insn(&svm->vcpu);
	if (outcome != EXIT_REENTER || (svm->vcpu.apic && ksvm_vcpu_wakes(&svm->vcpu)))
		return outcome;
	return ksvm_halt(&svm->vcpu);
}

/* Where user space has the local APIC, it must hear of a priority that went down. */
enum exit_outcome exit_cr8_write(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	unsigned long before = vcpu->x86.cr8;
	enum exit_outcome outcome = ksvm_emulate(vcpu);

	if (outcome != EXIT_REENTER || vcpu->apic || vcpu->x86.cr8 >= before)
		return outcome;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return EXIT_USER;
}

/* The string forms take the emulator, in ring 1; the others have all they need in the VMCB. */
enum exit_outcome exit_port_io(struct vcpu_svm *svm)
{
	u64 info = svm->vmcb->control.exit_info_1;

	if (info & VMCB_IOIO_STRING)
		return svm->vcpu.ring == RING_INNER ? EXIT_SLOW : ksvm_emulate(&svm->vcpu);
	return ksvm_port_io(&svm->vcpu, info >> VMCB_IOIO_PORT_SHIFT,
			    (info >> VMCB_IOIO_SIZE_SHIFT) & 7, info & VMCB_IOIO_IN,
			    svm->vmcb->control.exit_info_2);
}

enum exit_outcome exit_iret(struct vcpu_svm *svm)
{
	svm_nmi_iret(svm);
	return EXIT_REENTER;
}

/**
 * svm_next_rip() - RIP of the instruction after the one that exited
 * @vcpu: the vCPU, between an exit and the next entry
 *
 * Return: it, or 0 where the processor does not say. It says so for
 * intercepted instructions only; others leave 0 or an older value.
 */
unsigned long svm_next_rip(struct ksvm_vcpu *vcpu)
{
	const struct vmcb_control *control = &to_svm(vcpu)->vmcb->control;

	if (control->exit_code == SVM_EXIT_IOIO)
		return control->exit_info_2;
	return svm_has(SVM_FEATURE_NRIPS) ? control->next_rip : 0;
}

/**
 * svm_insn_bytes() - instruction bytes that came with the exit
 * @vcpu: the vCPU, between an exit and the next entry
 * @bytes: set to them
 *
 * Return: how many; 0 where the processor gives none for this exit.
 */
int svm_insn_bytes(struct ksvm_vcpu *vcpu, const u8 **bytes)
{
	const struct vmcb_control *control = &to_svm(vcpu)->vmcb->control;

	if (!svm_has(SVM_FEATURE_DECODE_ASSISTS) || control->exit_code != SVM_EXIT_NPF)
		return 0;
	*bytes = control->insn_bytes;
	return min_t(int, control->insn_len & 0xf, sizeof(control->insn_bytes));
}
