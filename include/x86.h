/* SPDX-License-Identifier: GPL-2.0-only */
/* x86/: what the guest's processor is: registers, events, CPUID, MSRs, FPU, TSC, instructions. */
#ifndef KSVM_X86_H
#define KSVM_X86_H

#include <linux/kvm.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>

#include "emulate.h"
#include "exit.h"

struct ksvm;
struct ksvm_vcpu;
struct ksvm_insn_state;

#define KSVM_MCE_BANKS_MAX	32
#define KSVM_CPUID_ENTRIES_MAX	256

/**
 * struct ksvm_x86_vm - settings of a VM
 * @tss_addr: KVM_SET_TSS_ADDR: stored, AMD processors do not need it
 * @identity_map_addr: KVM_SET_IDENTITY_MAP_ADDR, likewise
 * @boot_cpu_id: which vCPU the machine boots on: KVM_SET_BOOT_CPU_ID
 * @tsc_khz: frequency of the guest's TSC for new vCPUs
 * @tsc_lock: the fields below: what keeps the TSCs of a VM's vCPUs together
 * @tsc_started: a vCPU has been created, @tsc_offset is valid
 * @tsc_offset: guest TSC minus host TSC as user space set it last
 * @clock_lock: @clock_offset
 * @clock_offset: the VM's clock minus the host's time since boot, ns
 */
struct ksvm_x86_vm {
	u64 tss_addr;
	u64 identity_map_addr;
	u32 boot_cpu_id;
	u32 tsc_khz;
	spinlock_t tsc_lock;	/* the fields below */
	bool tsc_started;
	u64 tsc_offset;
	spinlock_t clock_lock;	/* the field below */
	u64 clock_offset;
};

/**
 * struct ksvm_exception - an exception on its way to the guest
 * @vector: its number
 * @has_error_code: an error code is pushed
 * @has_payload: @payload is not yet in CR2 or DR6
 * @error_code: the error code
 * @payload: the address of a #PF, or the bits a #DB adds to DR6
 */
struct ksvm_exception {
	u8 vector;
	bool has_error_code;
	bool has_payload;
	u32 error_code;
	u64 payload;
};

/**
 * struct ksvm_events - what waits to be delivered to the guest
 * @work: something below may have to be done before the next world switch;
 *	false keeps the hot path to one test
 * @exception_pending: raised, not yet handed to the processor
 * @exception_injected: handed over, and delivery has not been seen complete
 * @exception: the one that @exception_pending or @exception_injected is about
 * @interrupt_pending: an external interrupt waits for IF and for the end of
 *	the interrupt shadow, or its delivery was cut short
 * @interrupt_soft: INT n cut short: needs no IF
 * @interrupt_vector: its vector
 * @nmi_injected: delivery of an NMI was cut short
 * @nmi_masked: between an NMI's delivery and the IRET
 * @nmi_pending: 0 to 2
 */
struct ksvm_events {
	bool work;
	bool exception_pending;
	bool exception_injected;
	struct ksvm_exception exception;
	bool interrupt_pending;
	bool interrupt_soft;
	u8 interrupt_vector;
	bool nmi_injected;
	bool nmi_masked;
	u8 nmi_pending;
};

/**
 * struct ksvm_guest_fpu - the guest's extended state outside ring 2
 * @area: a page with the XSAVE image in standard format (FXSAVE image where the
 *	processor has no XSAVE)
 * @host_pkru: the host's PKRU, set by ksvm_fpu_enter(); ring 2
 * @pkru: the guest's PKRU; not part of @area. In the register only around the
 *	world switch, so that ring 2 reads user memory with the host's
 * @xcr0: the guest's XCR0
 * @loaded_xcr0: what XCR0 holds; ring 2
 * @loaded: the registers hold the guest's state (ring 2)
 */
struct ksvm_guest_fpu {
	void *area;
	u32 host_pkru;
	u32 pkru;
	u64 xcr0;
	u64 loaded_xcr0;
	bool loaded;
};

/**
 * struct ksvm_msrs - MSRs that exist in software only
 * Field names follow the manual's.
 */
struct ksvm_msrs {
	u64 apic_base;
	u64 pat;
	u64 mtrr_def_type;
	u64 mtrr_fixed[11];
	u64 mtrr_variable[16];
	u64 misc_enable;
	u64 mcg_cap;
	u64 mcg_status;
	u64 mcg_ctl;
	u64 mc_banks[KSVM_MCE_BANKS_MAX * 4];
	u64 tsc_aux;
	u64 tsc_adjust;
	u64 ucode_rev;
	u64 hwcr;
	u64 xss;
	u64 syscfg;
	u64 de_cfg;
	u64 osvw_length;
	u64 osvw_status;
};

/**
 * struct ksvm_mmio_fragment - a piece of an access that user space serves
 * @gpa: guest-physical address
 * @bytes: 1 to 8
 * @data: written, or filled from the run page
 */
struct ksvm_mmio_fragment {
	u64 gpa;
	u8 bytes;
	u8 data[8];
};

/**
 * struct ksvm_x86_vcpu - a virtual processor's architectural state
 *
 * While the guest runs, RAX, RSP, RIP and RFLAGS, CR2, CR3, CR8 are the
 * VMCB's; the backend copies them here after each exit, so that between
 * exits this is the truth. Segment and descriptor table registers, CPL and the
 * MSRs that VMLOAD moves stay in the VMCB: read and write them through the ops.
 * CR0, CR3, CR4 and EFER change through ksvm_set_*() or their ops only.
 *
 * @regs: general registers in the order of their encoding
 * @insn_length: length of the instruction that caused the last exit, 0 if not
 *	known; see ksvm_insn_length()
 * @maxphyaddr: guest-physical address width by the guest's CPUID
 * @cr4_reserved: CR4 bits that the guest's CPUID does not allow
 * @cpuid: sorted for lookup; @cpuid_nent entries
 * @cpuid_user: the same entries as user space gave them, in its order
 * @cpuid_last: what the guest asked for last, and the entry that answered; NULL at first
 * @guest_debug: KVM_GUESTDBG_* in force
 * @effective_dr: DR0 to DR3 that the processor is given
 * @guest_debug_dr7: DR7 of KVM_GUESTDBG_USE_HW_BP
 * @insn: the emulator's context and what an unfinished access waits for
 * @msrs: as named
 * @tsc_khz: frequency of the guest's TSC
 * @tsc_offset: guest TSC minus host TSC
 */
struct ksvm_x86_vcpu {
	unsigned long regs[EMULATE_NR_REGS];
	unsigned long rip;
	unsigned long rflags;
	unsigned long cr0;
	unsigned long cr2;
	unsigned long cr3;
	unsigned long cr4;
	unsigned long cr8;
	u64 efer;
	unsigned long dr[4];
	unsigned long dr6;
	unsigned long dr7;
	u8 insn_length;

	struct ksvm_events events;
	struct ksvm_guest_fpu fpu;

	u8 maxphyaddr;
	unsigned long cr4_reserved;
	int cpuid_nent;
	struct kvm_cpuid_entry2 *cpuid;
	struct kvm_cpuid_entry2 *cpuid_user;
	struct {
		u32 function, index;
		const struct kvm_cpuid_entry2 *entry;
	} cpuid_last;

	u32 guest_debug;
	unsigned long effective_dr[4];
	unsigned long guest_debug_dr7;

	struct ksvm_insn_state *insn;
	struct ksvm_msrs msrs;
	u32 tsc_khz;
	u64 tsc_offset;
};

/* Life. setup once per module load; both return 0 or a negative errno. */
int ksvm_x86_setup(void);
void ksvm_x86_init_vm(struct ksvm *vm);
int ksvm_x86_vcpu_create(struct ksvm_vcpu *vcpu);
void ksvm_x86_vcpu_destroy(struct ksvm_vcpu *vcpu);
/*
 * Architectural state after RESET (@init false) or INIT (@init true); calls the
 * backend's vcpu_reset. Any ring.
 */
void ksvm_x86_vcpu_reset(struct ksvm_vcpu *vcpu, bool init);
/* SIPI: begin in real mode at @vector's page. */
void ksvm_x86_vcpu_startup(struct ksvm_vcpu *vcpu, u8 vector);

/* x86/regs.c: state ioctls; own thread. 0 or -EINVAL, and then nothing changed. */
int ksvm_get_regs(struct ksvm_vcpu *vcpu, struct kvm_regs *regs);
int ksvm_set_regs(struct ksvm_vcpu *vcpu, const struct kvm_regs *regs);
int ksvm_get_sregs(struct ksvm_vcpu *vcpu, struct kvm_sregs *sregs);
int ksvm_set_sregs(struct ksvm_vcpu *vcpu, const struct kvm_sregs *sregs);
int ksvm_get_debugregs(struct ksvm_vcpu *vcpu, struct kvm_debugregs *regs);
int ksvm_set_debugregs(struct ksvm_vcpu *vcpu, const struct kvm_debugregs *regs);

/* x86/cr.c: what the guest may write; 0, or -EINVAL for #GP(0). */
int ksvm_set_cr0(struct ksvm_vcpu *vcpu, unsigned long cr0);
int ksvm_set_cr3(struct ksvm_vcpu *vcpu, unsigned long cr3);
int ksvm_set_cr4(struct ksvm_vcpu *vcpu, unsigned long cr4);
int ksvm_set_cr8(struct ksvm_vcpu *vcpu, unsigned long cr8);
int ksvm_set_xcr0(struct ksvm_vcpu *vcpu, u64 xcr0);
int ksvm_set_efer(struct ksvm_vcpu *vcpu, u64 efer, bool host);
int ksvm_set_dr(struct ksvm_vcpu *vcpu, unsigned int nr, unsigned long value);
unsigned long ksvm_get_dr(struct ksvm_vcpu *vcpu, unsigned int nr);

/* x86/events.c */
void ksvm_queue_exception(struct ksvm_vcpu *vcpu, u8 vector);
void ksvm_queue_exception_error(struct ksvm_vcpu *vcpu, u8 vector, u32 error_code);
void ksvm_queue_page_fault(struct ksvm_vcpu *vcpu, u64 address, u32 error_code);
void ksvm_queue_debug(struct ksvm_vcpu *vcpu, unsigned long dr6);
/* Give an exception's payload to CR2 or DR6: just before it is delivered. */
void ksvm_deliver_payload(struct ksvm_vcpu *vcpu);
int ksvm_queue_interrupt(struct ksvm_vcpu *vcpu, u32 vector);	/* KVM_INTERRUPT */
void ksvm_queue_nmi(struct ksvm_vcpu *vcpu);
/* HLT is complete: EXIT_LEAVE, or EXIT_USER where user space has the local APIC. */
enum exit_outcome ksvm_halt(struct ksvm_vcpu *vcpu);
bool ksvm_interrupt_allowed(struct ksvm_vcpu *vcpu);	/* IF set, no shadow */
bool ksvm_ready_for_interrupt(struct ksvm_vcpu *vcpu);	/* and nothing queued */
int ksvm_get_vcpu_events(struct ksvm_vcpu *vcpu, struct kvm_vcpu_events *events);
int ksvm_set_vcpu_events(struct ksvm_vcpu *vcpu, const struct kvm_vcpu_events *events);

/* x86/debug.c */
int ksvm_set_guest_debug(struct ksvm_vcpu *vcpu, const struct kvm_guest_debug *debug);
/* Recompute what the processor's debug registers and intercepts must be. */
void ksvm_update_debug(struct ksvm_vcpu *vcpu);
/* Fill KVM_EXIT_DEBUG; the vCPU stays at @rip. */
enum exit_outcome ksvm_exit_debug(struct ksvm_vcpu *vcpu, u32 exception, unsigned long dr6,
				  unsigned long dr7);

/* x86/cpuid.c */
int ksvm_get_supported_cpuid(struct kvm_cpuid2 __user *user);
int ksvm_set_cpuid(struct ksvm_vcpu *vcpu, struct kvm_cpuid2 __user *user);
int ksvm_get_cpuid(struct ksvm_vcpu *vcpu, struct kvm_cpuid2 __user *user);
struct kvm_cpuid_entry2 *ksvm_find_cpuid(struct ksvm_vcpu *vcpu, u32 function, u32 index);
/* What CPUID gives the guest for EAX and ECX: all four replaced. */
void ksvm_cpuid(struct ksvm_vcpu *vcpu, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);
/* @feature: X86_FEATURE_* of a leaf that CPUID itself shows. */
bool ksvm_guest_has(struct ksvm_vcpu *vcpu, unsigned int feature);
/* Withdraw a feature before any VM exists; backend's hardware_setup. */
void ksvm_cpu_cap_clear(unsigned int feature);
bool ksvm_cpu_cap_has(unsigned int feature);
u64 ksvm_supported_xcr0(void);

/*
 * x86/msr.c: 0, or -EINVAL for #GP(0), or -EAGAIN where ring 2 cannot. @host: user space
 * asks, not the guest.
 */
int ksvm_get_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host);
int ksvm_set_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host);
/* How many were done, or a negative errno. */
int ksvm_get_msrs(struct ksvm_vcpu *vcpu, struct kvm_msrs __user *user);
int ksvm_set_msrs(struct ksvm_vcpu *vcpu, struct kvm_msrs __user *user);
int ksvm_get_msr_index_list(struct kvm_msr_list __user *user);

/* x86/mce.c */
u64 ksvm_mce_cap_supported(void);
int ksvm_setup_mce(struct ksvm_vcpu *vcpu, u64 mcg_cap);

/* x86/fpu.c. enter and leave: ring 2, interrupts off, in pairs. */
void ksvm_fpu_enter(struct ksvm_vcpu *vcpu);
void ksvm_fpu_leave(struct ksvm_vcpu *vcpu);
int ksvm_get_fpu(struct ksvm_vcpu *vcpu, struct kvm_fpu *fpu);
int ksvm_set_fpu(struct ksvm_vcpu *vcpu, const struct kvm_fpu *fpu);
int ksvm_get_xsave(struct ksvm_vcpu *vcpu, struct kvm_xsave *xsave);
int ksvm_set_xsave(struct ksvm_vcpu *vcpu, const struct kvm_xsave *xsave);
int ksvm_get_xcrs(struct ksvm_vcpu *vcpu, struct kvm_xcrs *xcrs);
int ksvm_set_xcrs(struct ksvm_vcpu *vcpu, const struct kvm_xcrs *xcrs);
/* One XMM (16 bytes) or YMM (32 bytes) register, wherever the state is. */
void ksvm_read_vector(struct ksvm_vcpu *vcpu, unsigned int nr, void *value, unsigned int bytes);
void ksvm_write_vector(struct ksvm_vcpu *vcpu, unsigned int nr, const void *value,
		       unsigned int bytes);

/* x86/clock.c: KVM_GET_CLOCK, KVM_SET_CLOCK */
int ksvm_get_clock(struct ksvm *vm, struct kvm_clock_data *data);
int ksvm_set_clock(struct ksvm *vm, const struct kvm_clock_data *data);

/* x86/tsc.c */
u64 ksvm_guest_tsc(struct ksvm_vcpu *vcpu);
void ksvm_write_tsc(struct ksvm_vcpu *vcpu, u64 value, bool host);
int ksvm_set_tsc_khz(struct ksvm_vcpu *vcpu, u32 khz);

/* x86/insn.c: emulation. create: 0 or -ENOMEM; destroy: also after a failed create. */
int ksvm_insn_create(struct ksvm_vcpu *vcpu);
void ksvm_insn_destroy(struct ksvm_vcpu *vcpu);
enum exit_outcome ksvm_emulate(struct ksvm_vcpu *vcpu);
/* MMIO at @gpa: what a nested page fault without memory becomes; ring 1 or 2. */
enum exit_outcome ksvm_emulate_mmio(struct ksvm_vcpu *vcpu, u64 gpa, u64 error_code);
/*
 * Length of the instruction at RIP: from the processor where it tells, else
 * decoded. Positive; -EAGAIN where ring 2 missed; -EFAULT or -EINVAL where
 * it cannot be fetched or decoded (the exception is queued).
 */
int ksvm_insn_length(struct ksvm_vcpu *vcpu);
/*
 * Move RIP past the instruction that exited; clears the interrupt shadow and
 * honours TF. EXIT_REENTER, EXIT_SLOW, or EXIT_USER (a single step of user space's).
 */
enum exit_outcome ksvm_skip_insn(struct ksvm_vcpu *vcpu);

/* x86/user_io.c: exits to user space for I/O. */
/* IN or OUT of @bytes at @port; RIP moves to @next_rip when it is complete. */
enum exit_outcome ksvm_port_io(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes, bool in,
			       unsigned long next_rip);

/* x86/hypercall.c: VMMCALL; result in RAX; RIP not moved. */
void ksvm_hypercall(struct ksvm_vcpu *vcpu);
/* #UD was intercepted: VMCALL is a hypercall here too, anything else the guest's #UD. */
enum exit_outcome ksvm_undefined_opcode(struct ksvm_vcpu *vcpu);

#endif
