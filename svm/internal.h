/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSVM_SVM_INTERNAL_H
#define KSVM_SVM_INTERNAL_H

#include <linux/container_of.h>
#include <linux/gfp.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <uapi/asm/svm.h>

#include "vcpu.h"
#include "vmcb.h"
#include "x86_ops.h"

/*
 * Who wants an intercept. The vectors in the VMCB are the union of what the
 * owners ask for; svm_intercepts_update() computes it.
 */
enum intercept_owner {
	INTERCEPT_OWNER_BASE,	/* what every guest needs */
	INTERCEPT_OWNER_GUEST,	/* follows the guest's own state: CR, CPUID */
	INTERCEPT_OWNER_DEBUG,	/* KVM_SET_GUEST_DEBUG, the guest's debug registers */
	INTERCEPT_OWNER_WINDOW,	/* waiting for an interrupt or NMI window */
	INTERCEPT_OWNERS,
};

struct intercepts {
	u32 cr;
	u32 dr;
	u32 exception;
	u32 misc1;
	u32 misc2;
	u32 misc3;
};

/**
 * struct svm_cpu - SVM on one processor; with interrupts off on that CPU,
 *	but for the pages, which live as long as the module
 * @host_save_pa: the page for VMRUN's own use (VM_HSAVE_PA)
 * @host_vmsave_pa: the page where VMSAVE puts the host's part of the state
 * @generation: of ASIDs; a vCPU with an older one has none
 * @next_asid: the next to hand out in @generation
 * @last_vmcb_pa: VMCB of the last world switch here: another one means IBPB
 *	and no clean bits
 * @host_tsc_aux: the host's TSC_AUX, constant
 * @enabled: EFER.SVME was set here by this module
 */
struct svm_cpu {
	u64 host_save_pa;
	u64 host_vmsave_pa;
	u64 generation;
	u32 next_asid;
	u64 last_vmcb_pa;
	u64 host_tsc_aux;
	bool enabled;
};

DECLARE_PER_CPU(struct svm_cpu, svm_cpu);

/**
 * struct svm_switch - what the world switch works on
 * @vmcb_pa: the guest's VMCB
 * @host_pa: where VMSAVE put the host's state
 * @regs: the guest's registers, vcpu->x86.regs
 * @guest_spec_ctrl: loaded before VMRUN if @write_spec_ctrl; stored after
 *	#VMEXIT if @read_spec_ctrl
 * @host_spec_ctrl: put back after #VMEXIT if @write_spec_ctrl
 * @write_spec_ctrl: the two differ, or may
 * @read_spec_ctrl: the guest writes it without an exit
 * @contract_gif: set by STGI, cleared by CLGI
 * @contract_keep_gif: planted: leave GIF clear
 * @contract_keep_if: planted: leave IF clear
 * @contract_rflags: RFLAGS at VMRUN
 */
struct svm_switch {
	u64 vmcb_pa;
	u64 host_pa;
	unsigned long *regs;
	u64 guest_spec_ctrl;
	u64 host_spec_ctrl;
	bool write_spec_ctrl;
	bool read_spec_ctrl;
#ifdef KSVM_CONTRACT
	bool contract_gif;
	bool contract_keep_gif;
	bool contract_keep_if;
	u64 contract_rflags;
#endif
};

/* What the processor was asked to deliver at the last VMRUN. */
enum svm_injecting {
	INJECTING_NOTHING,
	INJECTING_EXCEPTION,
	INJECTING_NMI,
	INJECTING_INTERRUPT,
};

/**
 * struct vcpu_svm - a vCPU with what SVM needs for it; own thread only
 * @vcpu: the common part
 * @vmcb: the control block, one page
 * @vmcb_pa: its physical address
 * @msrpm: the vCPU's MSR permission map, 8 KiB
 * @asid_generation: the generation on @vcpu.last_cpu that vmcb's ASID is of
 * @flush_tlb: a new ASID is taken (or the ASID flushed) at the next entry
 * @intercepts: what each owner asks for
 * @world: what the world switch is given; holds the guest's SPEC_CTRL where the
 *	CPU has no field for it, read and written through svm_spec_ctrl()
 * @injecting: what EVENTINJ carried into the last world switch
 * @window_open_wanted: V_IRQ is set only to see the interrupt window open
 * @nmi_iret: the IRET that ends an NMI's masking is about to run, at @nmi_iret_rip
 * @nmi_iret_rip: see @nmi_iret
 * @nmi_stepping: that IRET, or what ends an interrupt shadow, is single-stepped for
 *	an NMI that waits
 * @stepping: the last VMRUN stepped an instruction for somebody else than the guest
 * @trap_flag_lent: where @stepping, its TF was not the guest's
 * @debugctl: the guest's DEBUGCTL; see lbr.c
 * @pause_filter: PAUSE loops exit
 * @pause_switches: how often the thread had been switched to when ring 2 was last entered
 * @contract: what the checker knows, where it is built in; see contract.h
 * @vm_cr: the guest's view of VM_CR
 * @intel_guest: its CPUID says Intel: SYSENTER_ESP and SYSENTER_EIP have 64 bits
 * @sysenter_esp_high: where @intel_guest, bits 63-32 of SYSENTER_ESP
 * @sysenter_eip_high: likewise of SYSENTER_EIP
 */
struct vcpu_svm {
	struct ksvm_vcpu vcpu;
	struct vmcb *vmcb;
	u64 vmcb_pa;
	void *msrpm;
	u64 asid_generation;
	bool flush_tlb;
	struct intercepts intercepts[INTERCEPT_OWNERS];
	struct svm_switch world;
	enum svm_injecting injecting;
	bool window_open_wanted;
	bool nmi_iret;
	unsigned long nmi_iret_rip;
	bool nmi_stepping;
	bool stepping;
	bool trap_flag_lent;
	u64 debugctl;
	bool pause_filter;
	unsigned long pause_switches;
#ifdef KSVM_CONTRACT
	struct svm_contract *contract;
#endif
	u64 vm_cr;
	bool intel_guest;
	u32 sysenter_esp_high;
	u32 sysenter_eip_high;
};

static inline struct vcpu_svm *to_svm(struct ksvm_vcpu *vcpu)
{
	return container_of(vcpu, struct vcpu_svm, vcpu);
}

/*
 * CR0 bits that the guest changes without an exit as long as CR0 in the VMCB
 * is the guest's: TS and MP, which the selective write intercept lets pass.
 */
#define SVM_CR0_UNWATCHED	(BIT(3) | BIT(1))

/* After each #VMEXIT: what the guest did to CR0 unwatched. */
static inline void svm_cr0_collect(struct vcpu_svm *svm)
{
	unsigned long *cr0 = &svm->vcpu.x86.cr0;

	*cr0 = (*cr0 & ~SVM_CR0_UNWATCHED) | (svm->vmcb->save.cr0 & SVM_CR0_UNWATCHED);
}

/* features.c: what this host's processors have and the module uses. */
enum svm_feature {
	SVM_FEATURE_NPT,
	SVM_FEATURE_NRIPS,
	SVM_FEATURE_DECODE_ASSISTS,
	SVM_FEATURE_FLUSH_BY_ASID,
	SVM_FEATURE_CLEAN_BITS,
	SVM_FEATURE_TSC_SCALING,
	SVM_FEATURE_PAUSE_FILTER,
	SVM_FEATURE_PAUSE_THRESHOLD,
	SVM_FEATURE_VIRTUAL_VMLOAD,
	SVM_FEATURE_VGIF,
	SVM_FEATURE_LBR_VIRT,
	SVM_FEATURE_AVIC,
	SVM_FEATURE_V_SPEC_CTRL,
	SVM_FEATURE_V_TSC_AUX,
	SVM_FEATURE_SEV,
	SVM_FEATURE_SEV_ES,
	SVM_FEATURES,
};

extern bool svm_features_on[SVM_FEATURES];

/* Is it there, and in use; constant once the module is loaded. */
static inline bool svm_has(enum svm_feature feature)
{
	return svm_features_on[feature];
}

int svm_features_setup(void);
int svm_features_check_cpu(void);
u32 svm_nr_asids(void);

/* msrpm.c: the MSR permission map. */
void *svm_msrpm_create(void);
void svm_msrpm_destroy(void *msrpm);
/* @read, @write: true lets the guest touch the MSR without an exit. */
void svm_msrpm_set(struct vcpu_svm *svm, u32 msr, bool read, bool write);
int svm_msrpm_setup(void);
/* The shared I/O permission map: 12 KiB of ones. */
int svm_iopm_create(void);
void svm_iopm_destroy(void);
u64 svm_iopm_pa(void);

/* cpu.c: one processor's SVM. */
void *svm_page_create(int node, gfp_t gfp);
int svm_cpus_create(void);
void svm_cpus_destroy(void);
int svm_hardware_enable(void);
void svm_hardware_disable(void);
int svm_check_processor_compatibility(void);
int svm_cpu_has_support(void);
bool svm_disabled_by_bios(void);

/* vcpu.c: VMCB life. */
struct ksvm_vcpu *svm_vcpu_alloc(struct ksvm *vm);
void svm_vcpu_free(struct ksvm_vcpu *vcpu);
void svm_vcpu_reset(struct ksvm_vcpu *vcpu, bool init);
void svm_cpuid_changed(struct ksvm_vcpu *vcpu);

/* state.c: registers that the VMCB holds. */
void svm_get_segment(struct ksvm_vcpu *vcpu, enum emulate_seg seg,
		     struct emulate_segment *segment);
void svm_set_segment(struct ksvm_vcpu *vcpu, enum emulate_seg seg,
		     const struct emulate_segment *segment);
void svm_get_table(struct ksvm_vcpu *vcpu, enum emulate_table_register reg,
		   struct emulate_table *table);
void svm_set_table(struct ksvm_vcpu *vcpu, enum emulate_table_register reg,
		   const struct emulate_table *table);
int svm_get_cpl(struct ksvm_vcpu *vcpu);
bool svm_get_cs_long(struct ksvm_vcpu *vcpu);
void svm_set_cr0(struct ksvm_vcpu *vcpu, unsigned long cr0);
void svm_set_cr2(struct ksvm_vcpu *vcpu, unsigned long cr2);
void svm_set_cr3(struct ksvm_vcpu *vcpu, unsigned long cr3);
void svm_set_cr4(struct ksvm_vcpu *vcpu, unsigned long cr4);
void svm_set_cr8(struct ksvm_vcpu *vcpu, unsigned long cr8);
void svm_set_efer(struct ksvm_vcpu *vcpu, u64 efer);
void svm_set_dr6(struct vcpu_svm *svm, unsigned long dr6);
void svm_update_debug(struct ksvm_vcpu *vcpu);
void svm_write_tsc_offset(struct ksvm_vcpu *vcpu);
bool svm_get_interrupt_shadow(struct ksvm_vcpu *vcpu);
void svm_set_interrupt_shadow(struct ksvm_vcpu *vcpu, bool shadow);

/* msr.c: MSRs that the VMCB holds. */
void svm_msrs_reset(struct vcpu_svm *svm);
void svm_msr_intercepts_update(struct vcpu_svm *svm);
int svm_get_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host);
int svm_set_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host);

/* lbr.c: DEBUGCTL and the last-branch records. */
int svm_lbr_get_msr(struct vcpu_svm *svm, u32 index, u64 *value);
int svm_lbr_set_msr(struct vcpu_svm *svm, u32 index, u64 value, bool host);
void svm_lbr_reset(struct vcpu_svm *svm, bool init);
void svm_lbr_debug_delivered(struct vcpu_svm *svm);
void svm_lbr_step(struct vcpu_svm *svm);
void svm_lbr_restore(struct vcpu_svm *svm);

/* pause.c: the pause filter. */
bool svm_pause_wanted(void);
void svm_pause_init(struct vcpu_svm *svm);
void svm_pause_enter(struct vcpu_svm *svm);
void svm_pause_leave(struct vcpu_svm *svm);

/* intercept.c */
void svm_intercepts_update(struct vcpu_svm *svm);

/* asid.c: interrupts off, on the CPU that is about to enter. */
void svm_asid_assign(struct vcpu_svm *svm, struct svm_cpu *cpu);
void svm_asid_not_entered(struct vcpu_svm *svm, struct svm_cpu *cpu);
void svm_flush_tlb(struct ksvm_vcpu *vcpu);

/* inject.c: ring 2, around the world switch. */
void svm_events_prepare(struct vcpu_svm *svm);
void svm_events_collect(struct vcpu_svm *svm);
void svm_events_not_entered(struct vcpu_svm *svm);
void svm_interrupt_window_opened(struct vcpu_svm *svm);
void svm_nmi_iret(struct vcpu_svm *svm);
void svm_nmi_iret_check(struct vcpu_svm *svm);
bool svm_nmi_step_done(struct vcpu_svm *svm);

/* run.c, exit.c */
enum exit_outcome svm_vcpu_run(struct ksvm_vcpu *vcpu);
enum exit_outcome svm_handle_exit(struct ksvm_vcpu *vcpu);
enum exit_outcome svm_exit_dispatch(struct vcpu_svm *svm);
unsigned long svm_next_rip(struct ksvm_vcpu *vcpu);
int svm_insn_bytes(struct ksvm_vcpu *vcpu, const u8 **bytes);

/**
 * svm_vmsave() - have VMSAVE store its part of the processor's state
 * @pa: the page
 *
 * Return: false, and nothing stored, where SVM is off: VMSAVE is a #UD then.
 */
static inline bool svm_vmsave(phys_addr_t pa)
{
	unsigned int stored = 0;

	asm volatile("1:	vmsave %[pa]\n\tmovl $1, %[stored]\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : [stored] "+r" (stored) : [pa] "a" (pa) : "memory");
	return stored;
}

/* vmenter.S: 0, or 1 where SVM was switched off under us. */
unsigned int svm_world_switch(struct svm_switch *sw);

#endif
