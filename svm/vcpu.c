// SPDX-License-Identifier: GPL-2.0-only
/* The life of a vCPU's control block. */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/mem_encrypt.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "contract.h"
#include "internal.h"
#include "vm.h"

/*
 * What every guest needs intercepted. Not in here: CR3, INVLPG and #PF, which
 * nested paging makes the guest's own affair; RDTSC, which has an offset; INTn
 * and IRET, which have to be fast; FERR_FREEZE, which any host interrupt ends.
 */
static const struct intercepts base_intercepts = {
	/* CR0: only what changes more than TS and MP, by the selective intercept. */
	.cr = INTERCEPT_CR_WRITE(4),
	/* DR0 to DR3 are the host's unless DR7 arms one of the guest's. */
	.dr = INTERCEPT_DR_ALL,
	/*
	 * #DB and #AC: delivery that faults the same way again never ends, and
	 * no host interrupt gets in between. #MC is the host's. #UD: VMCALL, the
	 * hypercall of a guest that was made for Intel processors.
	 */
	.exception = BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC) | BIT(X86_TRAP_UD),
	.misc1 = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SMI | INTERCEPT_INIT |
		 INTERCEPT_CR0_SEL_WRITE | INTERCEPT_RDPMC | INTERCEPT_CPUID | INTERCEPT_RSM |
		 INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IOIO |
		 INTERCEPT_MSR | INTERCEPT_TASK_SWITCH | INTERCEPT_SHUTDOWN,
	.misc2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE |
		 INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_WBINVD |
		 INTERCEPT_MONITOR | INTERCEPT_MWAIT | INTERCEPT_XSETBV | INTERCEPT_RDPRU,
};

/* Instructions that the host's processor has and the guest's CPUID denies. */
static void instruction_intercepts_update(struct vcpu_svm *svm)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	struct intercepts *wanted = &svm->intercepts[INTERCEPT_OWNER_GUEST];

	wanted->misc2 = 0;
	if (boot_cpu_has(X86_FEATURE_RDTSCP) && !ksvm_guest_has(vcpu, X86_FEATURE_RDTSCP))
		wanted->misc2 |= INTERCEPT_RDTSCP;
	wanted->misc3 = 0;
	if (boot_cpu_has(X86_FEATURE_INVPCID) && !ksvm_guest_has(vcpu, X86_FEATURE_INVPCID))
		wanted->misc3 |= INTERCEPT_INVPCID;
	svm_intercepts_update(svm);
}

/* KVM_CAP_X86_DISABLE_EXITS: a guest that has its processors for itself may idle there. */
static void exits_disable(struct vcpu_svm *svm)
{
	struct intercepts *base = &svm->intercepts[INTERCEPT_OWNER_BASE];
	u32 disabled = svm->vcpu.vm->exits_disabled;

	if (disabled & KVM_X86_DISABLE_EXITS_HLT)
		base->misc1 &= ~INTERCEPT_HLT;
	if (disabled & KVM_X86_DISABLE_EXITS_PAUSE)
		base->misc1 &= ~INTERCEPT_PAUSE;
	if (disabled & KVM_X86_DISABLE_EXITS_MWAIT)
		base->misc2 &= ~(INTERCEPT_MONITOR | INTERCEPT_MWAIT);
}

/* What stays the same as long as the vCPU lives. */
static void control_init(struct vcpu_svm *svm)
{
	struct intercepts *base = &svm->intercepts[INTERCEPT_OWNER_BASE];
	struct vmcb *vmcb = svm->vmcb;

	*base = base_intercepts;
	svm_pause_init(svm);
	exits_disable(svm);
	svm_intercepts_update(svm);

	vmcb_set_iopm_base_pa(vmcb, svm_iopm_pa());
	vmcb_set_msrpm_base_pa(vmcb, __sme_pa(svm->msrpm));
	vmcb_set_nested_ctl(vmcb, VMCB_NP_ENABLE);
	vmcb_set_nested_cr3(vmcb, __sme_set(svm->vcpu.vm->mmu.root));

	svm->world.vmcb_pa = svm->vmcb_pa;
	svm->world.regs = svm->vcpu.x86.regs;
}

/**
 * svm_vcpu_alloc() - allocate a vCPU with its control block
 * @vm: its VM, whose nested table has its root
 *
 * Context: may sleep; charged to the caller.
 *
 * Return: the vCPU, zeroed but for @vm and what is SVM's; or ERR_PTR(-ENOMEM).
 */
struct ksvm_vcpu *svm_vcpu_alloc(struct ksvm *vm)
{
	struct vcpu_svm *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);

	if (!svm)
		return ERR_PTR(-ENOMEM);
	svm->vmcb = svm_page_create(NUMA_NO_NODE, GFP_KERNEL_ACCOUNT);
	svm->msrpm = svm_msrpm_create();
	if (!svm->vmcb || !svm->msrpm || svm_contract_create(svm)) {
		svm_msrpm_destroy(svm->msrpm);
		free_page((unsigned long)svm->vmcb);
		kfree(svm);
		return ERR_PTR(-ENOMEM);
	}
	svm->vmcb_pa = __sme_pa(svm->vmcb);
	svm->vcpu.vm = vm;
	control_init(svm);
	return &svm->vcpu;
}

/*
 * The next VMCB in the same page is another one: a processor that remembers
 * this one must not take it for the same.
 */
static void forget_vmcb(u64 vmcb_pa)
{
	int i;

	for_each_possible_cpu(i)
		cmpxchg(&per_cpu(svm_cpu.last_vmcb_pa, i), vmcb_pa, 0);
}

/**
 * svm_vcpu_free() - undo svm_vcpu_alloc()
 * @vcpu: nobody runs or kicks it any more
 */
void svm_vcpu_free(struct ksvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	forget_vmcb(svm->vmcb_pa);
	svm_contract_destroy(svm);
	svm_msrpm_destroy(svm->msrpm);
	free_page((unsigned long)svm->vmcb);
	kfree(svm);
}

/* Segment registers after RESET and INIT, by enum emulate_seg. */
static const struct vmcb_segment reset_segments[] = {
#define DATA_SEGMENT	{ .attrib = 0x093, .limit = 0xffff }
	[EMULATE_ES] = DATA_SEGMENT,
	[EMULATE_CS] = { .selector = 0xf000, .attrib = 0x09b, .limit = 0xffff, .base = 0xffff0000 },
	[EMULATE_SS] = DATA_SEGMENT,
	[EMULATE_DS] = DATA_SEGMENT,
	[EMULATE_FS] = DATA_SEGMENT,
	[EMULATE_GS] = DATA_SEGMENT,
	[EMULATE_LDTR] = { .attrib = 0x082, .limit = 0xffff },
	[EMULATE_TR] = { .attrib = 0x083, .limit = 0xffff },
#undef DATA_SEGMENT
};

static void segments_reset(struct ksvm_vcpu *vcpu)
{
	static const struct emulate_table table = { .limit = 0xffff };
	enum emulate_seg seg;

	for (seg = 0; seg < ARRAY_SIZE(reset_segments); seg++) {
		const struct vmcb_segment *from = &reset_segments[seg];
		const struct emulate_segment segment = {
			.base = from->base,
			.limit = from->limit,
			.selector = from->selector,
			.attributes = from->attrib,
		};

		svm_set_segment(vcpu, seg, &segment);
	}
	svm_set_table(vcpu, EMULATE_GDTR, &table);
	svm_set_table(vcpu, EMULATE_IDTR, &table);
}

#define DR6_RESET	0xffff0ff0
#define DR7_RESET	0x400
#define RIP_RESET	0xfff0

static void registers_reset(struct vcpu_svm *svm, bool init)
{
	struct ksvm_vcpu *vcpu = &svm->vcpu;
	struct vmcb *vmcb = svm->vmcb;
	/* INIT leaves the caches, and what says how they work, alone. */
	unsigned long cache = init ? vcpu->x86.cr0 & (X86_CR0_CD | X86_CR0_NW) :
			      X86_CR0_CD | X86_CR0_NW;

	svm_set_efer(vcpu, 0);
	svm_set_cr0(vcpu, cache | X86_CR0_ET);
	svm_set_cr2(vcpu, 0);
	svm_set_cr3(vcpu, 0);
	svm_set_cr4(vcpu, 0);
	svm_set_cr8(vcpu, 0);
	svm_set_dr6(svm, DR6_RESET);
	vmcb_set_dr7(vmcb, DR7_RESET);
	vmcb->save.rflags = X86_EFLAGS_FIXED;
	vmcb->save.rip = RIP_RESET;
	vmcb->save.rsp = 0;
	vmcb->save.rax = 0;
}

/**
 * svm_vcpu_reset() - the control block as after RESET or INIT
 * @vcpu: the vCPU, by its own thread
 * @init: INIT: MSRs, PAT included, and CR0's cache bits stay as they are
 *
 * CR0, CR2, CR3, CR4, CR8 and EFER are reset in vcpu->x86, too.
 */
void svm_vcpu_reset(struct ksvm_vcpu *vcpu, bool init)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;
	u64 int_ctl = VMCB_V_INTR_MASKING;

	if (svm_has(SVM_FEATURE_VGIF))
		int_ctl |= VMCB_V_GIF_ENABLE | VMCB_V_GIF;
	vmcb_set_int_ctl(svm->vmcb, int_ctl);
	control->int_state = 0;
	control->event_inj = 0;
	control->exit_int_info = 0;
	control->clean = 0;
	svm->injecting = INJECTING_NOTHING;
	svm->window_open_wanted = false;
	svm->nmi_iret = false;
	svm->nmi_stepping = false;
	/* Until it is known who has the local APIC, and what waits there. */
	svm->intercepts[INTERCEPT_OWNER_WINDOW] = (struct intercepts) {
		.cr = INTERCEPT_CR_WRITE(8),
	};

	segments_reset(vcpu);
	registers_reset(svm, init);
	if (!init)
		svm_msrs_reset(svm);
	svm_lbr_reset(svm, init);
	svm_cpuid_changed(vcpu);
	svm_flush_tlb(vcpu);
}

/**
 * svm_cpuid_changed() - intercepts follow the guest's CPUID
 * @vcpu: the vCPU, by its own thread
 */
void svm_cpuid_changed(struct ksvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	instruction_intercepts_update(svm);
	svm_msr_intercepts_update(svm);
}
