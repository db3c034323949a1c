/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSVM_X86_INTERNAL_H
#define KSVM_X86_INTERNAL_H

#include <linux/init.h>
#include <linux/types.h>

struct ksvm;
struct ksvm_vcpu;

/* cpuid_caps.c */
struct cpuid_row;

/* Guest-physical addresses: without CPUID 8000_0008, and at most. */
#define MAXPHYADDR_DEFAULT	36
#define MAXPHYADDR_MAX		52

void __init ksvm_cpuid_setup(void);
const struct cpuid_row *ksvm_cpuid_row(unsigned int feature);
u8 ksvm_supported_maxphyaddr(void);

/* cpuid.c */
void ksvm_cpuid_vcpu_init(struct ksvm_vcpu *vcpu);
void ksvm_cpuid_vcpu_free(struct ksvm_vcpu *vcpu);
/* XCR0 bits that the guest may set. */
u64 ksvm_guest_xcr0(struct ksvm_vcpu *vcpu);

/* cr.c */
/* EFER bits that the guest may set, or user space for it. */
u64 ksvm_efer_allowed(struct ksvm_vcpu *vcpu, bool host);
bool ksvm_cr0_valid(u64 cr0);
unsigned long ksvm_cr0_canonize(unsigned long cr0);
bool ksvm_cr3_valid(struct ksvm_vcpu *vcpu, u64 cr3);
bool ksvm_cr4_valid(struct ksvm_vcpu *vcpu, u64 cr4);
/* CR4 bits for which the features are not there. */
unsigned long ksvm_cr4_reserved(bool (*has)(struct ksvm_vcpu *vcpu, unsigned int feature),
				struct ksvm_vcpu *vcpu);
unsigned long ksvm_dr6_canonize(unsigned long value);
unsigned long ksvm_dr7_canonize(unsigned long value);

/* msr.c */
bool ksvm_apic_base_valid(struct ksvm_vcpu *vcpu, u64 value);
void ksvm_msrs_reset(struct ksvm_vcpu *vcpu);

/* mce.c */
void ksvm_mce_vcpu_init(struct ksvm_vcpu *vcpu);
int ksvm_get_mce_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host);
int ksvm_set_mce_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host);

/* fpu.c */
int __init ksvm_fpu_setup(void);
int ksvm_fpu_create(struct ksvm_vcpu *vcpu);
void ksvm_fpu_destroy(struct ksvm_vcpu *vcpu);
void ksvm_fpu_reset(struct ksvm_vcpu *vcpu);
/* XCR0 or CR4.OSXSAVE has changed: in ring 2 the register follows. */
void ksvm_fpu_update_xcr0(struct ksvm_vcpu *vcpu);
u64 ksvm_fpu_xcr0(struct ksvm_vcpu *vcpu);
/* Bytes of an XSAVE image with these components. */
u32 ksvm_xsave_size(u64 components, bool compacted);

/* clock.c */
void ksvm_clock_init_vm(struct ksvm *vm);

/* tsc.c */
void ksvm_tsc_init_vm(struct ksvm *vm);
void ksvm_tsc_vcpu_init(struct ksvm_vcpu *vcpu);
void ksvm_write_tsc_adjust(struct ksvm_vcpu *vcpu, u64 value, bool host);

#endif
