// SPDX-License-Identifier: GPL-2.0-only
/* What the guest's processor is made of: once per module, per VM, per vCPU. */
#include <linux/init.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "guest.h"
#include "internal.h"
#include "irq_ops.h"
#include "vm.h"
#include "x86_ops.h"

/* CR0: caches off, ET set. INIT leaves CD and NW as they are. */
#define CR0_RESET	(X86_CR0_CD | X86_CR0_NW | X86_CR0_ET)
#define RIP_RESET	0xfff0
#define DR6_RESET	0xffff0ff0
#define DR7_RESET	0x400
/* Of a processor that nobody has described yet. */
#define SIGNATURE	0x600

/**
 * ksvm_x86_setup() - find out what guests can be offered on this host
 *
 * Return: 0 or a negative errno.
 * Context: module load, before the backend's hardware_setup().
 */
int __init ksvm_x86_setup(void)
{
	int error;

	error = ksvm_fpu_setup();
	if (error)
		return error;
	ksvm_cpuid_setup();
	return 0;
}

/**
 * ksvm_x86_init_vm() - a new VM's processor settings
 * @vm: the VM, zeroed
 */
void ksvm_x86_init_vm(struct ksvm *vm)
{
	ksvm_tsc_init_vm(vm);
	ksvm_clock_init_vm(vm);
}

/**
 * ksvm_x86_vcpu_create() - allocate what a vCPU needs; its reset follows
 * @vcpu: the vCPU, zeroed but for what the backend and core have set
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int ksvm_x86_vcpu_create(struct ksvm_vcpu *vcpu)
{
	int error;

	error = ksvm_insn_create(vcpu);
	if (error)
		return error;
	error = ksvm_fpu_create(vcpu);
	if (error) {
		ksvm_insn_destroy(vcpu);
		return error;
	}
	ksvm_cpuid_vcpu_init(vcpu);
	ksvm_tsc_vcpu_init(vcpu);
	static_call(ksvm_pmu_init)(vcpu);
	return 0;
}

/**
 * ksvm_x86_vcpu_destroy() - undo ksvm_x86_vcpu_create()
 * @vcpu: the vCPU, which nobody uses any more
 */
void ksvm_x86_vcpu_destroy(struct ksvm_vcpu *vcpu)
{
	ksvm_cpuid_vcpu_free(vcpu);
	ksvm_fpu_destroy(vcpu);
	ksvm_insn_destroy(vcpu);
}

/* Family, model and stepping are in EDX after both. */
static u32 signature(struct ksvm_vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *entry = ksvm_find_cpuid(vcpu, 1, 0);

	return entry ? entry->eax : SIGNATURE;
}

/**
 * ksvm_x86_vcpu_reset() - the state that a processor starts from
 * @vcpu: the vCPU, by its own thread, or before anybody else knows it; not in ring 2
 * @init: INIT: the FPU, XCR0, the MSRs and the TSC stay as they are
 *
 * The CPUID, the debugger and what user space has to answer stay in any case. With a local
 * APIC it may sleep.
 */
void ksvm_x86_vcpu_reset(struct ksvm_vcpu *vcpu, bool init)
{
	struct ksvm_x86_vcpu *x86 = &vcpu->x86;
	unsigned long cr0 = CR0_RESET;

	if (init)
		cr0 = (x86->cr0 & (X86_CR0_CD | X86_CR0_NW)) | X86_CR0_ET;
	static_call(ksvm_x86_vcpu_reset)(vcpu, init);

	memset(x86->regs, 0, sizeof(x86->regs));
	x86->regs[EMULATE_RDX] = signature(vcpu);
	x86->rip = RIP_RESET;
	x86->rflags = X86_EFLAGS_FIXED;
	memset(&x86->events, 0, sizeof(x86->events));
	/* What waits outside, as an 8259's interrupt, does not come again. */
	x86->events.work = true;
	x86->insn_length = 0;

	static_call(ksvm_x86_set_efer)(vcpu, 0);
	static_call(ksvm_x86_set_cr0)(vcpu, cr0);
	static_call(ksvm_x86_set_cr2)(vcpu, 0);
	static_call(ksvm_x86_set_cr3)(vcpu, 0);
	static_call(ksvm_x86_set_cr4)(vcpu, 0);
	static_call(ksvm_x86_set_cr8)(vcpu, 0);

	memset(x86->dr, 0, sizeof(x86->dr));
	x86->dr6 = DR6_RESET;
	x86->dr7 = DR7_RESET;
	ksvm_update_debug(vcpu);

	if (!init) {
		ksvm_msrs_reset(vcpu);
		ksvm_fpu_reset(vcpu);
		static_call(ksvm_pmu_reset)(vcpu);
	}
	ksvm_fpu_update_xcr0(vcpu);
	if (vcpu->apic)
		static_call(ksvm_irq_reset)(vcpu, init);
}

/**
 * ksvm_x86_vcpu_startup() - SIPI: the processor begins to run
 * @vcpu: the vCPU, by its own thread, after INIT
 * @vector: number of the page that it begins at
 */
void ksvm_x86_vcpu_startup(struct ksvm_vcpu *vcpu, u8 vector)
{
	struct emulate_segment cs;

	static_call(ksvm_x86_get_segment)(vcpu, EMULATE_CS, &cs);
	cs.selector = vector << 8;
	cs.base = vector << 12;
	static_call(ksvm_x86_set_segment)(vcpu, EMULATE_CS, &cs);
	vcpu->x86.rip = 0;
}
