// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's extended state. It is in the registers in ring 2 only, and in an
 * XSAVE image of the vCPU's own otherwise: the kernel's functions that swap a
 * guest's state are closed to modules in new kernels. kernel_fpu_begin() parks
 * the task's state; nothing of the host touches the registers until
 * kernel_fpu_end(), because interrupts stay off.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <linux/string.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "bug.h"
#include "compat.h"
#include "guest.h"
#include "internal.h"

/* What the module switches: PKRU by hand, the rest by XSAVE. No AMX, no MPX. */
#define COMPONENTS_SWITCHED	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM | \
				 XFEATURE_MASK_AVX512)
#define COMPONENTS_OFFERED	(COMPONENTS_SWITCHED | XFEATURE_MASK_PKRU)
#define COMPONENTS_LEGACY	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE)
#define COMPONENTS_MAX		32
#define COMPONENT_YMM		2
#define COMPONENT_PKRU		9
#define COMPONENT_ALIGNED	BIT(1)

#define LEGACY_SIZE		offsetof(struct xregs_state, header)
#define HEADER_END		sizeof(struct xregs_state)
#define FCW_INIT		0x37f
/* Where FXSAVE says nothing about MXCSR's bits, DAZ is the one that lacks. */
#define MXCSR_MASK_DEFAULT	0xffbf

static struct {
	u64 host_xcr0;
	u64 host_xss;
	u64 offered;		/* XCR0 bits for guests */
	u64 switched;		/* those of them that XSAVE moves */
	u32 mxcsr_mask;
	struct {
		u32 size;
		u32 offset;
		u32 flags;
	} components[COMPONENTS_MAX];
} fpu_host __ro_after_init;

/* The image is the size of KVM_GET_XSAVE's, whatever the host has beyond. */
static_assert(sizeof(struct kvm_xsave) == PAGE_SIZE);

static u32 __init read_mxcsr_mask(void)
{
	static struct fxregs_state image __aligned(16) __initdata;
	unsigned long flags;

	local_irq_save(flags);
	kernel_fpu_begin_mask(0);
	asm volatile("fxsave %0" : "=m" (image));
	kernel_fpu_end();
	local_irq_restore(flags);
	return image.mxcsr_mask ?: MXCSR_MASK_DEFAULT;
}

static void __init read_components(void)
{
	unsigned int i;
	u32 edx;

	for (i = COMPONENT_YMM; i < COMPONENTS_MAX; i++) {
		u32 end;

		if (!(fpu_host.offered & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &fpu_host.components[i].size, &fpu_host.components[i].offset,
			    &fpu_host.components[i].flags, &edx);
		end = fpu_host.components[i].offset + fpu_host.components[i].size;
		if (end > PAGE_SIZE)
			fpu_host.offered &= ~BIT_ULL(i);
	}
	/* AVX-512 is three components or none. */
	if ((fpu_host.offered & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512)
		fpu_host.offered &= ~XFEATURE_MASK_AVX512;
}

/**
 * ksvm_fpu_setup() - find out what can be switched on this host
 *
 * Return: 0.
 * Context: module load.
 */
int __init ksvm_fpu_setup(void)
{
	fpu_host.mxcsr_mask = read_mxcsr_mask();
	if (!boot_cpu_has(X86_FEATURE_OSXSAVE) || !boot_cpu_has(X86_FEATURE_XSAVE))
		return 0;
	fpu_host.host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		fpu_host.host_xss = ksvm_rdmsr(MSR_IA32_XSS);
	fpu_host.offered = fpu_host.host_xcr0 & COMPONENTS_OFFERED;
	if (!boot_cpu_has(X86_FEATURE_OSPKE))
		fpu_host.offered &= ~XFEATURE_MASK_PKRU;
	read_components();
	fpu_host.switched = fpu_host.offered & COMPONENTS_SWITCHED;
	return 0;
}

/**
 * ksvm_supported_xcr0() - XCR0 bits that guests can be offered
 *
 * Return: the bits; 0 where the host has no XSAVE.
 */
u64 ksvm_supported_xcr0(void)
{
	return fpu_host.offered;
}

/**
 * ksvm_xsave_size() - bytes of an XSAVE image
 * @components: XCR0, for the compacted format with XSS
 * @compacted: format
 *
 * Return: the size; components that are not offered do not count.
 */
u32 ksvm_xsave_size(u64 components, bool compacted)
{
	u32 size = HEADER_END;
	unsigned int i;

	for (i = COMPONENT_YMM; i < COMPONENTS_MAX; i++) {
		if (!(components & fpu_host.offered & BIT_ULL(i)))
			continue;
		if (!compacted) {
			size = max(size, fpu_host.components[i].offset +
					 fpu_host.components[i].size);
			continue;
		}
		if (fpu_host.components[i].flags & COMPONENT_ALIGNED)
			size = ALIGN(size, 64);
		size += fpu_host.components[i].size;
	}
	return size;
}

/**
 * ksvm_fpu_create() - allocate a vCPU's image
 * @vcpu: the vCPU
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int ksvm_fpu_create(struct ksvm_vcpu *vcpu)
{
	vcpu->x86.fpu.area = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vcpu->x86.fpu.area ? 0 : -ENOMEM;
}

/**
 * ksvm_fpu_destroy() - free a vCPU's image
 * @vcpu: the vCPU, which is going away
 */
void ksvm_fpu_destroy(struct ksvm_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->x86.fpu.area);
}

/**
 * ksvm_fpu_reset() - the state after RESET
 * @vcpu: the vCPU, by its own thread, outside ring 2
 *
 * The x87 registers are as after FNINIT, which is what VMMs expect of a new
 * vCPU, rather than with all exceptions unmasked.
 */
void ksvm_fpu_reset(struct ksvm_vcpu *vcpu)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;
	struct xregs_state *area = fpu->area;

	memset(area, 0, PAGE_SIZE);
	area->i387.cwd = FCW_INIT;
	area->i387.mxcsr = MXCSR_DEFAULT;
	area->i387.mxcsr_mask = fpu_host.mxcsr_mask;
	area->header.xfeatures = COMPONENTS_LEGACY;
	fpu->xcr0 = XFEATURE_MASK_FP;
	fpu->pkru = 0;
}

static void registers_save(struct xregs_state *area)
{
	if (!fpu_host.offered) {
		asm volatile("fxsave64 %0" : "+m" (area->i387));
		area->header.xfeatures = COMPONENTS_LEGACY;
		return;
	}
	asm volatile("xsave64 %0"
		     : "+m" (*(u8 (*)[PAGE_SIZE])area)
		     : "a" ((u32)fpu_host.switched), "d" ((u32)(fpu_host.switched >> 32)));
}

/* False where the image was refused, which the checks of the setters rule out. */
static bool registers_try_restore(struct xregs_state *area)
{
	bool done = false;

	if (!fpu_host.offered) {
		asm volatile("1: fxrstor64 %1\n"
			     "   movb $1, %0\n"
			     "2:\n" _ASM_EXTABLE(1b, 2b)
			     : "+r" (done) : "m" (area->i387));
		return done;
	}
	asm volatile("1: xrstor64 %1\n"
		     "   movb $1, %0\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : "+r" (done)
		     : "m" (*(u8 (*)[PAGE_SIZE])area),
		       "a" ((u32)fpu_host.switched), "d" ((u32)(fpu_host.switched >> 32)));
	return done;
}

static void registers_restore(struct ksvm_vcpu *vcpu)
{
	/*
	 * Processors with this bug leave the pointers to the last x87 instruction
	 * alone where no exception is pending: they would be the host task's.
	 */
	if (static_cpu_has_bug(X86_BUG_FXSAVE_LEAK)) {
		static const u32 zero;

		asm volatile("fnclex\n\temms\n\tfildl %0" : : "m" (zero));
	}
	if (KSVM_BUG_ON(!registers_try_restore(vcpu->x86.fpu.area), vcpu->vm)) {
		ksvm_fpu_reset(vcpu);
		registers_try_restore(vcpu->x86.fpu.area);
	}
}

static void write_xcr0(struct ksvm_guest_fpu *fpu, u64 xcr0)
{
	if (fpu->loaded_xcr0 == xcr0)
		return;
	xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
	fpu->loaded_xcr0 = xcr0;
}

/*
 * Not every processor that is emulated has the XSETBV intercept: what the guest
 * has put into XCR0 by itself is its own all the same.
 */
static void collect_xcr0(struct ksvm_guest_fpu *fpu)
{
	u64 now = xgetbv(XCR_XFEATURE_ENABLED_MASK);

	if (likely(now == fpu->loaded_xcr0))
		return;
	fpu->loaded_xcr0 = now;
	fpu->xcr0 = now;
}

/* Without CR4.OSXSAVE the guest can do nothing that depends on XCR0. */
static u64 wanted_xcr0(const struct ksvm_vcpu *vcpu)
{
	return vcpu->x86.cr4 & X86_CR4_OSXSAVE ? vcpu->x86.fpu.xcr0 : fpu_host.host_xcr0;
}

/**
 * ksvm_fpu_update_xcr0() - XCR0 or CR4.OSXSAVE has changed
 * @vcpu: the vCPU, by its own thread; any ring
 */
void ksvm_fpu_update_xcr0(struct ksvm_vcpu *vcpu)
{
	if (vcpu->x86.fpu.loaded && fpu_host.offered)
		write_xcr0(&vcpu->x86.fpu, wanted_xcr0(vcpu));
}

/**
 * ksvm_fpu_xcr0() - the guest's XCR0
 * @vcpu: the vCPU, by its own thread; any ring
 */
u64 ksvm_fpu_xcr0(struct ksvm_vcpu *vcpu)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;

	if (fpu->loaded && fpu_host.offered)
		collect_xcr0(fpu);
	return fpu->xcr0;
}

/**
 * ksvm_fpu_enter() - load the guest's extended state
 * @vcpu: the vCPU, by its own thread
 *
 * The image goes through the host's XCR0: a component that the guest has
 * switched off keeps its state until it is switched on again. XSS is zero in the
 * guest, so that XSAVES of its kernel finds none of the host's components.
 *
 * Context: ring 2, interrupts off until ksvm_fpu_leave() has returned.
 */
void ksvm_fpu_enter(struct ksvm_vcpu *vcpu)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;

	lockdep_assert_irqs_disabled();
	kernel_fpu_begin_mask(0);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		fpu->host_pkru = rdpkru();
	registers_restore(vcpu);
	fpu->loaded = true;
	if (!fpu_host.offered)
		return;
	fpu->loaded_xcr0 = fpu_host.host_xcr0;
	write_xcr0(fpu, wanted_xcr0(vcpu));
	if (fpu_host.host_xss)
		ksvm_wrmsr(MSR_IA32_XSS, 0);
}

/**
 * ksvm_fpu_leave() - put the guest's extended state away
 * @vcpu: the vCPU, by its own thread
 *
 * Context: ring 2, interrupts off since before ksvm_fpu_enter().
 */
void ksvm_fpu_leave(struct ksvm_vcpu *vcpu)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;

	lockdep_assert_irqs_disabled();
	if (fpu_host.offered) {
		if (fpu_host.host_xss)
			ksvm_wrmsr(MSR_IA32_XSS, fpu_host.host_xss);
		collect_xcr0(fpu);
		write_xcr0(fpu, fpu_host.host_xcr0);
	}
	registers_save(fpu->area);
	fpu->loaded = false;
	if (cpu_feature_enabled(X86_FEATURE_OSPKE) && rdpkru() != fpu->host_pkru)
		wrpkru(fpu->host_pkru);
	kernel_fpu_end();
}

/* The image, up to date and complete; the registers keep the state if they have it. */
static struct xregs_state *image_get(struct ksvm_vcpu *vcpu)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;
	struct xregs_state *area = fpu->area;
	u64 missing;
	unsigned int i;

	if (fpu->loaded) {
		if (fpu_host.offered) {
			collect_xcr0(fpu);
			write_xcr0(fpu, fpu_host.host_xcr0);
		}
		registers_save(area);
		ksvm_fpu_update_xcr0(vcpu);
	}

	/* Components in their initial state may not have been written. */
	missing = (fpu_host.switched | COMPONENTS_LEGACY) & ~area->header.xfeatures;
	if (missing & XFEATURE_MASK_FP) {
		memset(&area->i387, 0, offsetof(struct fxregs_state, mxcsr));
		memset(area->i387.st_space, 0, sizeof(area->i387.st_space));
		area->i387.cwd = FCW_INIT;
	}
	if (missing & XFEATURE_MASK_SSE)
		memset(area->i387.xmm_space, 0, sizeof(area->i387.xmm_space));
	for (i = COMPONENT_YMM; i < COMPONENTS_MAX; i++) {
		if (missing & BIT_ULL(i))
			memset((u8 *)area + fpu_host.components[i].offset, 0,
			       fpu_host.components[i].size);
	}
	return area;
}

/* The image has changed: so must the registers, where they have the state. */
static void image_put(struct ksvm_vcpu *vcpu)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;

	if (!fpu->loaded)
		return;
	if (fpu_host.offered)
		write_xcr0(fpu, fpu_host.host_xcr0);
	registers_restore(vcpu);
	ksvm_fpu_update_xcr0(vcpu);
}

/**
 * ksvm_read_vector() - read an XMM or YMM register
 * @vcpu: the vCPU, by its own thread; any ring
 * @nr: 0 to 15
 * @value: filled
 * @bytes: 16 for XMM, 32 for YMM
 */
void ksvm_read_vector(struct ksvm_vcpu *vcpu, unsigned int nr, void *value, unsigned int bytes)
{
	const struct xregs_state *area = image_get(vcpu);

	memcpy(value, &area->i387.xmm_space[nr * 4], 16);
	if (bytes == 32)
		memcpy(value + 16, (const u8 *)area +
		       fpu_host.components[COMPONENT_YMM].offset + nr * 16, 16);
}

/**
 * ksvm_write_vector() - write an XMM or YMM register
 * @vcpu: the vCPU, by its own thread; any ring
 * @nr: 0 to 15
 * @value: the value
 * @bytes: 16 for XMM, the upper half of YMM stays; 32 for YMM
 */
void ksvm_write_vector(struct ksvm_vcpu *vcpu, unsigned int nr, const void *value,
		       unsigned int bytes)
{
	struct xregs_state *area = image_get(vcpu);

	memcpy(&area->i387.xmm_space[nr * 4], value, 16);
	area->header.xfeatures |= XFEATURE_MASK_SSE;
	if (bytes == 32) {
		memcpy((u8 *)area + fpu_host.components[COMPONENT_YMM].offset + nr * 16,
		       value + 16, 16);
		area->header.xfeatures |= XFEATURE_MASK_YMM;
	}
	image_put(vcpu);
}

/**
 * ksvm_get_fpu() - KVM_GET_FPU
 * @vcpu: the vCPU, by its own thread, outside KVM_RUN
 * @fpu: filled
 *
 * Return: 0.
 */
int ksvm_get_fpu(struct ksvm_vcpu *vcpu, struct kvm_fpu *fpu)
{
	const struct fxregs_state *from = &image_get(vcpu)->i387;

	memset(fpu, 0, sizeof(*fpu));
	memcpy(fpu->fpr, from->st_space, sizeof(fpu->fpr));
	memcpy(fpu->xmm, from->xmm_space, sizeof(fpu->xmm));
	fpu->fcw = from->cwd;
	fpu->fsw = from->swd;
	fpu->ftwx = from->twd;
	fpu->last_opcode = from->fop;
	fpu->last_ip = from->rip;
	fpu->last_dp = from->rdp;
	fpu->mxcsr = from->mxcsr;
	return 0;
}

/**
 * ksvm_set_fpu() - KVM_SET_FPU
 * @vcpu: the vCPU, by its own thread, outside KVM_RUN
 * @fpu: the values
 *
 * Return: 0; -EINVAL for an MXCSR that the processor refuses.
 */
int ksvm_set_fpu(struct ksvm_vcpu *vcpu, const struct kvm_fpu *fpu)
{
	struct xregs_state *area;
	struct fxregs_state *to;

	if (fpu->mxcsr & ~fpu_host.mxcsr_mask)
		return -EINVAL;
	area = image_get(vcpu);
	to = &area->i387;
	memcpy(to->st_space, fpu->fpr, sizeof(fpu->fpr));
	memcpy(to->xmm_space, fpu->xmm, sizeof(fpu->xmm));
	to->cwd = fpu->fcw;
	to->swd = fpu->fsw;
	to->twd = fpu->ftwx;
	to->fop = fpu->last_opcode;
	to->rip = fpu->last_ip;
	to->rdp = fpu->last_dp;
	to->mxcsr = fpu->mxcsr;
	area->header.xfeatures |= COMPONENTS_LEGACY;
	return 0;
}

/**
 * ksvm_get_xsave() - KVM_GET_XSAVE
 * @vcpu: the vCPU, by its own thread, outside KVM_RUN
 * @xsave: an image in standard format
 *
 * Return: 0.
 */
int ksvm_get_xsave(struct ksvm_vcpu *vcpu, struct kvm_xsave *xsave)
{
	const struct xregs_state *area = image_get(vcpu);
	struct xregs_state *to = (struct xregs_state *)xsave->region;

	memcpy(xsave->region, area, PAGE_SIZE);
	to->i387.mxcsr_mask = fpu_host.mxcsr_mask;
	if (fpu_host.offered & XFEATURE_MASK_PKRU) {
		memcpy((u8 *)xsave->region + fpu_host.components[COMPONENT_PKRU].offset,
		       &vcpu->x86.fpu.pkru, sizeof(u32));
		to->header.xfeatures |= XFEATURE_MASK_PKRU;
	}
	return 0;
}

/* An image that XRSTOR takes. */
static bool image_valid(const struct xregs_state *image)
{
	u64 allowed = fpu_host.offered ?: COMPONENTS_LEGACY;

	return !(image->i387.mxcsr & ~fpu_host.mxcsr_mask) &&
	       !(image->header.xfeatures & ~allowed) && !image->header.xcomp_bv &&
	       !memchr_inv(image->header.reserved, 0, sizeof(image->header.reserved));
}

/**
 * ksvm_set_xsave() - KVM_SET_XSAVE
 * @vcpu: the vCPU, by its own thread, outside KVM_RUN
 * @xsave: an image in standard format
 *
 * Return: 0; -EINVAL for components that are not offered, for another format and
 * for an MXCSR that the processor refuses; nothing has changed then.
 */
int ksvm_set_xsave(struct ksvm_vcpu *vcpu, const struct kvm_xsave *xsave)
{
	struct ksvm_guest_fpu *fpu = &vcpu->x86.fpu;
	const struct xregs_state *from = (const struct xregs_state *)xsave->region;
	struct xregs_state *area = fpu->area;

	if (!image_valid(from))
		return -EINVAL;
	memcpy(area, from, PAGE_SIZE);
	if (fpu_host.offered & XFEATURE_MASK_PKRU) {
		fpu->pkru = 0;
		if (from->header.xfeatures & XFEATURE_MASK_PKRU)
			memcpy(&fpu->pkru, (const u8 *)from +
			       fpu_host.components[COMPONENT_PKRU].offset, sizeof(u32));
	}
	area->header.xfeatures &= ~XFEATURE_MASK_PKRU;
	image_get(vcpu);
	return 0;
}

/**
 * ksvm_get_xcrs() - KVM_GET_XCRS
 * @vcpu: the vCPU, by its own thread
 * @xcrs: filled; empty where the host has no XSAVE
 *
 * Return: 0.
 */
int ksvm_get_xcrs(struct ksvm_vcpu *vcpu, struct kvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	if (!fpu_host.offered)
		return 0;
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	xcrs->xcrs[0].value = vcpu->x86.fpu.xcr0;
	return 0;
}

/**
 * ksvm_set_xcrs() - KVM_SET_XCRS
 * @vcpu: the vCPU, by its own thread
 * @xcrs: the values; registers other than XCR0 are ignored
 *
 * Return: 0; -EINVAL for flags, for too many registers, for a value that the
 * guest's processor refuses, and where the host has no XSAVE.
 */
int ksvm_set_xcrs(struct ksvm_vcpu *vcpu, const struct kvm_xcrs *xcrs)
{
	unsigned int i;

	if (!fpu_host.offered || xcrs->flags || xcrs->nr_xcrs > KVM_MAX_XCRS)
		return -EINVAL;
	for (i = 0; i < xcrs->nr_xcrs; i++) {
		if (xcrs->xcrs[i].xcr == XCR_XFEATURE_ENABLED_MASK)
			return ksvm_set_xcr0(vcpu, xcrs->xcrs[i].value);
	}
	return 0;
}
