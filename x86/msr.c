// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs: a table of those that exist in software. The backend is asked first
 * about the ones that the VMCB holds, the PMU last. What none of them has is
 * #GP(0) for the guest.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <uapi/asm/kvm_para.h>

#include "compat.h"
#include "guest.h"
#include "internal.h"
#include "irq_ops.h"
#include "msr_values.h"
#include "vm.h"
#include "x86_ops.h"

/* Microcode that QEMU, too, shows where it is not told otherwise. */
#define MSR_X2APIC_FIRST	0x800
#define MSR_X2APIC_LAST		0x8ff
#define UCODE_REV_DEFAULT	0x01000065

/* The kernel's names for these are in camel case. */
#define MSR_MTRR_CAP		0xfe
#define MSR_MTRR_PHYS_BASE_0	0x200
#define MSR_MTRR_PHYS_MASK_7	0x20f
#define MSR_MTRR_FIX_64K_00000	0x250
#define MSR_MTRR_FIX_16K_80000	0x258
#define MSR_MTRR_FIX_16K_A0000	0x259
#define MSR_MTRR_FIX_4K_C0000	0x268
#define MSR_MTRR_FIX_4K_F8000	0x26f
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MSR_MC_BANKS_LAST	(MSR_IA32_MC0_CTL + KSVM_MCE_BANKS_MAX * 4 - 1)

#define MTRRCAP_VARIABLE	8
#define MTRRCAP_FIXED		BIT_ULL(8)
#define MTRRCAP_WC		BIT_ULL(10)
#define MTRRCAP_VALUE		(MTRRCAP_VARIABLE | MTRRCAP_FIXED | MTRRCAP_WC)

/* Writable without an effect: TLB and cache quirks of old processors, IGNNE. */
#define HWCR_IGNORED		(BIT_ULL(3) | BIT_ULL(4) | BIT_ULL(6) | BIT_ULL(8))
/* Status registers may be written; the TSC counts at the P0 frequency. */
#define HWCR_STORED		(BIT_ULL(18) | BIT_ULL(24))
#define HWCR_RESET		BIT_ULL(24)

/* Only what concerns MTRRs: no memory encryption, no top of memory. */
#define SYSCFG_STORED		GENMASK_ULL(20, 18)

#define APIC_BASE_RESET		(0xfee00000 | MSR_IA32_APICBASE_ENABLE)
/* Bits 0 to 7 and 9; x2APIC mode, for there is no local APIC in the kernel. */
#define APIC_BASE_RESERVED	(GENMASK_ULL(7, 0) | BIT_ULL(9))

/* Performance features that Intel's processors say they lack in this MSR. */
#define MISC_ENABLE_RESET	(MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | \
				 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)

/* Errata with numbers below this are known to be, or not to be, there. */
#define OSVW_LENGTH		3
#define OSVW_STATUS_HOST	BIT_ULL(0)

struct msr_row;
typedef int (*msr_get_t)(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			 u64 *value, bool host);
typedef int (*msr_set_t)(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			 u64 value, bool host);

enum msr_flag {
	MSR_LISTED = BIT(0),	/* in KVM_GET_MSR_INDEX_LIST */
	MSR_BACKEND = BIT(1),	/* the backend's; here only to be listed */
};

/**
 * struct msr_row - MSRs that are treated alike
 * @first: lowest number
 * @last: highest number
 * @get: read; NULL for write-only
 * @set: write; NULL for read-only
 * @offset: of @first's value in struct ksvm_msrs, where @get or @set uses it
 * @features: listed only where one of these is offered to guests; none for always
 * @flags: enum msr_flag
 */
struct msr_row {
	u32 first;
	u32 last;
	msr_get_t get;
	msr_set_t set;
	u16 offset;
	u16 features[3];
	u8 flags;
};

static u64 *stored(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index)
{
	return (u64 *)((char *)&vcpu->x86.msrs + row->offset) + (index - row->first);
}

static int get_stored(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		      u64 *value, bool host)
{
	*value = *stored(vcpu, row, index);
	return 0;
}

static int set_stored(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		      u64 value, bool host)
{
	*stored(vcpu, row, index) = value;
	return 0;
}

/* User space says what it is, the guest's writes have no effect. */
static int set_stored_host(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			   u64 value, bool host)
{
	if (host)
		*stored(vcpu, row, index) = value;
	return 0;
}

/* User space says what it is, the guest may only read. */
static int set_host_only(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			 u64 value, bool host)
{
	if (!host)
		return -EINVAL;
	*stored(vcpu, row, index) = value;
	return 0;
}

static int get_zero(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 *value, bool host)
{
	*value = 0;
	return 0;
}

static int set_nothing(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		       u64 value, bool host)
{
	return 0;
}

/* The guest has no such MSR, but user space saves and restores its being off. */
static int get_off(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 *value, bool host)
{
	*value = 0;
	return host ? 0 : -EINVAL;
}

static int set_off(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 value, bool host)
{
	return host && !value ? 0 : -EINVAL;
}

static int get_tsc(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 *value, bool host)
{
	*value = ksvm_guest_tsc(vcpu);
	return 0;
}

static int set_tsc(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 value, bool host)
{
	ksvm_write_tsc(vcpu, value, host);
	return 0;
}

static int get_tsc_adjust(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			  u64 *value, bool host)
{
	if (!host && !ksvm_guest_has(vcpu, X86_FEATURE_TSC_ADJUST))
		return -EINVAL;
	*value = vcpu->x86.msrs.tsc_adjust;
	return 0;
}

static int set_tsc_adjust(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			  u64 value, bool host)
{
	if (!host && !ksvm_guest_has(vcpu, X86_FEATURE_TSC_ADJUST))
		return -EINVAL;
	ksvm_write_tsc_adjust(vcpu, value, host);
	return 0;
}

/**
 * ksvm_apic_base_valid() - may MSR APIC_BASE have this value
 * @vcpu: the vCPU
 * @value: the value
 */
bool ksvm_apic_base_valid(struct ksvm_vcpu *vcpu, u64 value)
{
	if ((value & APIC_BASE_RESERVED) || value >> vcpu->x86.maxphyaddr)
		return false;
	if (!(value & X2APIC_ENABLE))
		return true;
	return vcpu->apic && (value & MSR_IA32_APICBASE_ENABLE) &&
	       ksvm_guest_has(vcpu, X86_FEATURE_X2APIC);
}

static int set_apic_base(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			 u64 value, bool host)
{
	if (!ksvm_apic_base_valid(vcpu, value))
		return -EINVAL;
	if (vcpu->apic)
		return static_call(ksvm_irq_set_apic_base)(vcpu, value, host);
	vcpu->x86.msrs.apic_base = value;
	return 0;
}

/* The local APIC's: its registers in x2APIC mode, its deadline. */
static int get_apic(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 *value, bool host)
{
	if (!vcpu->apic)
		return -EINVAL;
	return static_call(ksvm_irq_get_msr)(vcpu, index, value, host);
}

static int set_apic(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 value, bool host)
{
	if (!vcpu->apic)
		return -EINVAL;
	return static_call(ksvm_irq_set_msr)(vcpu, index, value, host);
}

/* Listed, so it can be read and written also where user space has the local APIC. */
static int get_tsc_deadline(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			    u64 *value, bool host)
{
	if (!vcpu->apic)
		return get_off(vcpu, row, index, value, host);
	return get_apic(vcpu, row, index, value, host);
}

static int set_tsc_deadline(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			    u64 value, bool host)
{
	if (!vcpu->apic)
		return host ? 0 : -EINVAL;
	return set_apic(vcpu, row, index, value, host);
}

static int get_mtrrcap(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		       u64 *value, bool host)
{
	*value = MTRRCAP_VALUE;
	return 0;
}

static int set_mtrr_variable(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			     u64 value, bool host)
{
	if (!mtrr_variable_valid(index & 1, value, vcpu->x86.maxphyaddr))
		return -EINVAL;
	return set_stored(vcpu, row, index, value, host);
}

static int set_mtrr_fixed(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			  u64 value, bool host)
{
	if (!mtrr_fixed_valid(value))
		return -EINVAL;
	return set_stored(vcpu, row, index, value, host);
}

static int set_mtrr_def_type(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
			     u64 value, bool host)
{
	if (!mtrr_def_type_valid(value))
		return -EINVAL;
	return set_stored(vcpu, row, index, value, host);
}

static int get_mce(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 *value, bool host)
{
	return ksvm_get_mce_msr(vcpu, index, value, host);
}

static int set_mce(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 value, bool host)
{
	return ksvm_set_mce_msr(vcpu, index, value, host);
}

static int get_xss(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 *value, bool host)
{
	if (!host && !ksvm_guest_has(vcpu, X86_FEATURE_XSAVES))
		return -EINVAL;
	*value = vcpu->x86.msrs.xss;
	return 0;
}

/* No supervisor component is offered. */
static int set_xss(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		   u64 value, bool host)
{
	if (value || (!host && !ksvm_guest_has(vcpu, X86_FEATURE_XSAVES)))
		return -EINVAL;
	vcpu->x86.msrs.xss = value;
	return 0;
}

static int get_efer(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 *value, bool host)
{
	*value = vcpu->x86.efer;
	return 0;
}

static int set_efer(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 value, bool host)
{
	return ksvm_set_efer(vcpu, value, host);
}

static int set_hwcr(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 value, bool host)
{
	if (value & ~(HWCR_IGNORED | HWCR_STORED))
		return -EINVAL;
	vcpu->x86.msrs.hwcr = value & HWCR_STORED;
	return 0;
}

static int set_syscfg(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		      u64 value, bool host)
{
	vcpu->x86.msrs.syscfg = value & SYSCFG_STORED;
	return 0;
}

/* LFENCE serializes or does not, and neither the guest nor user space changes that. */
static u64 host_de_cfg(void)
{
	return boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ? MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
}

static int set_de_cfg(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		      u64 value, bool host)
{
	if (value & ~host_de_cfg())
		return -EINVAL;
	vcpu->x86.msrs.de_cfg = value;
	return 0;
}

static int get_osvw(struct ksvm_vcpu *vcpu, const struct msr_row *row, u32 index,
		    u64 *value, bool host)
{
	if (!host && !ksvm_guest_has(vcpu, X86_FEATURE_OSVW))
		return -EINVAL;
	return get_stored(vcpu, row, index, value, host);
}

#define STORED(field)	.offset = offsetof(struct ksvm_msrs, field)
#define ONE(msr)	.first = msr, .last = msr
#define RANGE(from, to)	.first = from, .last = to
#define BACKEND(from, to, ...) \
	{ RANGE(from, to), .flags = MSR_LISTED | MSR_BACKEND, ##__VA_ARGS__ }
/* There to be read or written by who does not ask first, without any effect. */
#define ZERO(msr)	{ ONE(msr), .get = get_zero, .set = set_nothing }
#define READ_ZERO(msr)	{ ONE(msr), .get = get_zero }

/* In the order of their numbers. */
static const struct msr_row rows[] = {
	{ ONE(MSR_IA32_TSC), get_tsc, set_tsc, .flags = MSR_LISTED },
	/* kvmclock's first pair: QEMU 7.2 sets it whatever CPUID says. */
	{ RANGE(MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME), get_off, set_off },
	READ_ZERO(MSR_IA32_PLATFORM_ID),
	{ ONE(MSR_IA32_APICBASE), get_stored, set_apic_base, STORED(apic_base) },
	ZERO(MSR_IA32_EBL_CR_POWERON),
	{ ONE(MSR_IA32_TSC_ADJUST), get_tsc_adjust, set_tsc_adjust, .flags = MSR_LISTED },
	BACKEND(MSR_IA32_SPEC_CTRL, MSR_IA32_SPEC_CTRL,
		.features = { X86_FEATURE_AMD_IBRS, X86_FEATURE_AMD_STIBP,
			      X86_FEATURE_AMD_SSBD }),
	{ ONE(MSR_IA32_UCODE_WRITE), .set = set_nothing },
	{ ONE(MSR_IA32_UCODE_REV), get_stored, set_stored_host, STORED(ucode_rev),
	  .flags = MSR_LISTED },
	{ ONE(MSR_MTRR_CAP), get_mtrrcap },
	BACKEND(MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP),
	{ ONE(MSR_IA32_MCG_CAP), get_mce },
	{ RANGE(MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL), get_mce, set_mce,
	  .flags = MSR_LISTED },
	{ ONE(MSR_IA32_MISC_ENABLE), get_stored, set_stored, STORED(misc_enable),
	  .flags = MSR_LISTED },
	BACKEND(MSR_IA32_DEBUGCTLMSR, MSR_IA32_DEBUGCTLMSR),
	BACKEND(MSR_IA32_LASTBRANCHFROMIP, MSR_IA32_LASTINTTOIP),
	{ RANGE(MSR_MTRR_PHYS_BASE_0, MSR_MTRR_PHYS_MASK_7), get_stored,
	  set_mtrr_variable, STORED(mtrr_variable), .flags = MSR_LISTED },
	{ ONE(MSR_MTRR_FIX_64K_00000), get_stored, set_mtrr_fixed, STORED(mtrr_fixed[0]),
	  .flags = MSR_LISTED },
	{ RANGE(MSR_MTRR_FIX_16K_80000, MSR_MTRR_FIX_16K_A0000), get_stored, set_mtrr_fixed,
	  STORED(mtrr_fixed[1]), .flags = MSR_LISTED },
	{ RANGE(MSR_MTRR_FIX_4K_C0000, MSR_MTRR_FIX_4K_F8000), get_stored, set_mtrr_fixed,
	  STORED(mtrr_fixed[3]), .flags = MSR_LISTED },
	BACKEND(MSR_IA32_CR_PAT, MSR_IA32_CR_PAT),
	{ ONE(MSR_MTRR_DEF_TYPE), get_stored, set_mtrr_def_type, STORED(mtrr_def_type),
	  .flags = MSR_LISTED },
	{ RANGE(MSR_IA32_MC0_CTL, MSR_MC_BANKS_LAST), get_mce,
	  set_mce },
	{ ONE(MSR_IA32_TSC_DEADLINE), get_tsc_deadline, set_tsc_deadline, .flags = MSR_LISTED },
	{ RANGE(MSR_X2APIC_FIRST, MSR_X2APIC_LAST), get_apic, set_apic },
	{ ONE(MSR_IA32_XSS), get_xss, set_xss, .features = { X86_FEATURE_XSAVES },
	  .flags = MSR_LISTED },
	{ ONE(MSR_EFER), get_efer, set_efer },
	BACKEND(MSR_STAR, MSR_SYSCALL_MASK),
	BACKEND(MSR_KERNEL_GS_BASE, MSR_KERNEL_GS_BASE),
	BACKEND(MSR_TSC_AUX, MSR_TSC_AUX,
		.features = { X86_FEATURE_RDTSCP, X86_FEATURE_RDPID }),
	{ ONE(MSR_AMD64_SYSCFG), get_stored, set_syscfg, STORED(syscfg) },
	{ ONE(MSR_K7_HWCR), get_stored, set_hwcr, STORED(hwcr), .flags = MSR_LISTED },
	ZERO(MSR_K8_TOP_MEM1),
	ZERO(MSR_K8_TOP_MEM2),
	ZERO(MSR_AMD64_NB_CFG),
	{ ONE(MSR_AMD64_PATCH_LOADER), .set = set_nothing },
	ZERO(MSR_K8_INT_PENDING_MSG),
	ZERO(MSR_FAM10H_MMIO_CONF_BASE),
	READ_ZERO(MSR_K8_TSEG_ADDR),
	READ_ZERO(MSR_K8_TSEG_MASK),
	{ ONE(MSR_AMD64_OSVW_ID_LENGTH), get_osvw, set_host_only, STORED(osvw_length) },
	{ ONE(MSR_AMD64_OSVW_STATUS), get_osvw, set_host_only, STORED(osvw_status) },
	ZERO(MSR_AMD64_DC_CFG),
	{ ONE(MSR_AMD64_DE_CFG), get_stored, set_de_cfg, STORED(de_cfg) },
	ZERO(MSR_AMD64_BU_CFG2),
};

static const struct msr_row *find_row(u32 index)
{
	unsigned int low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (rows[middle].last < index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ARRAY_SIZE(rows) || rows[low].first > index || rows[low].flags & MSR_BACKEND)
		return NULL;
	return &rows[low];
}

/**
 * ksvm_get_msr() - read an MSR
 * @vcpu: the vCPU, by its own thread; any ring
 * @index: its number
 * @value: filled
 * @host: user space asks, not the guest: the guest's CPUID does not matter
 *
 * Return: 0; -EINVAL for #GP(0); -EAGAIN in ring 2 for what ring 1 has to do.
 */
int ksvm_get_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host)
{
	const struct msr_row *row = find_row(index);
	int error;

	if (row)
		return row->get ? row->get(vcpu, row, index, value, host) : -EINVAL;
	error = static_call(ksvm_x86_get_msr)(vcpu, index, value, host);
	if (error != -ENOENT)
		return error;
	if (static_call(ksvm_pmu_is_valid_msr)(vcpu, index))
		return static_call(ksvm_pmu_get_msr)(vcpu, index, value);
	return -EINVAL;
}

/**
 * ksvm_set_msr() - write an MSR
 * @vcpu: the vCPU, by its own thread; any ring
 * @index: its number
 * @value: the value
 * @host: user space asks, not the guest: the guest's CPUID does not matter, and
 *	what only hardware or firmware sets can be set
 *
 * Return: 0; -EINVAL for #GP(0), -EAGAIN in ring 2 for what ring 1 has to do, and nothing
 * has changed.
 */
int ksvm_set_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host)
{
	const struct msr_row *row = find_row(index);
	int error;

	if (row)
		return row->set ? row->set(vcpu, row, index, value, host) : -EINVAL;
	error = static_call(ksvm_x86_set_msr)(vcpu, index, value, host);
	if (error != -ENOENT)
		return error;
	if (static_call(ksvm_pmu_is_valid_msr)(vcpu, index))
		return static_call(ksvm_pmu_set_msr)(vcpu, index, value);
	return -EINVAL;
}

static u64 host_osvw_status(void)
{
	u64 length, status;

	if (!boot_cpu_has(X86_FEATURE_OSVW) ||
	    ksvm_rdmsr_safe(MSR_AMD64_OSVW_ID_LENGTH, &length) || !length ||
	    ksvm_rdmsr_safe(MSR_AMD64_OSVW_STATUS, &status))
		return 0;
	return status & OSVW_STATUS_HOST;
}

static bool is_boot_cpu(const struct ksvm_vcpu *vcpu)
{
	return vcpu->id == vcpu->vm->x86.boot_cpu_id;
}

/**
 * ksvm_msrs_reset() - MSRs after RESET
 * @vcpu: the vCPU, by its own thread
 *
 * INIT changes none of those that live here.
 */
void ksvm_msrs_reset(struct ksvm_vcpu *vcpu)
{
	struct ksvm_msrs *msrs = &vcpu->x86.msrs;

	*msrs = (struct ksvm_msrs) {
		.apic_base = APIC_BASE_RESET |
			     (is_boot_cpu(vcpu) ? MSR_IA32_APICBASE_BSP : 0),
		.pat = 0x0007040600070406,
		.misc_enable = MISC_ENABLE_RESET,
		.ucode_rev = UCODE_REV_DEFAULT,
		.hwcr = HWCR_RESET,
		.de_cfg = host_de_cfg(),
		.osvw_length = OSVW_LENGTH,
		.osvw_status = host_osvw_status(),
	};
	ksvm_mce_vcpu_init(vcpu);
}

static bool listed(const struct msr_row *row)
{
	unsigned int i;

	if (!(row->flags & MSR_LISTED))
		return false;
	if (!row->features[0])
		return true;
	for (i = 0; i < ARRAY_SIZE(row->features); i++) {
		if (row->features[i] && ksvm_cpu_cap_has(row->features[i]))
			return true;
	}
	return false;
}

/**
 * ksvm_get_msr_index_list() - KVM_GET_MSR_INDEX_LIST
 * @user: header with room for nmsrs numbers; nmsrs is set to how many there are
 *
 * Return: 0; -E2BIG where there is too little room; -EFAULT.
 * Context: may sleep.
 */
int ksvm_get_msr_index_list(struct kvm_msr_list __user *user)
{
	u32 room, index, count = 0;
	unsigned int i;

	if (get_user(room, &user->nmsrs))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (listed(&rows[i]))
			count += rows[i].last - rows[i].first + 1;
	}
	if (put_user(count, &user->nmsrs))
		return -EFAULT;
	if (room < count)
		return -E2BIG;

	count = 0;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!listed(&rows[i]))
			continue;
		for (index = rows[i].first; index <= rows[i].last; index++) {
			if (put_user(index, &user->indices[count++]))
				return -EFAULT;
		}
	}
	return 0;
}
