// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of a vCPU's file; all run with its mutex held. */
#include <linux/kvm.h>
#include <linux/signal.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "requests.h"
#include "vcpu.h"
#include "vm.h"

STRUCT_HANDLER(vcpu, KVM_GET_REGS, ksvm_get_regs, struct kvm_regs)
STRUCT_HANDLER(vcpu, KVM_SET_REGS, ksvm_set_regs, struct kvm_regs)
STRUCT_HANDLER(vcpu, KVM_GET_SREGS, ksvm_get_sregs, struct kvm_sregs)
STRUCT_HANDLER(vcpu, KVM_SET_SREGS, ksvm_set_sregs, struct kvm_sregs)
STRUCT_HANDLER(vcpu, KVM_GET_DEBUGREGS, ksvm_get_debugregs, struct kvm_debugregs)
STRUCT_HANDLER(vcpu, KVM_SET_DEBUGREGS, ksvm_set_debugregs, struct kvm_debugregs)
STRUCT_HANDLER(vcpu, KVM_GET_FPU, ksvm_get_fpu, struct kvm_fpu)
STRUCT_HANDLER(vcpu, KVM_SET_FPU, ksvm_set_fpu, struct kvm_fpu)
STRUCT_HANDLER(vcpu, KVM_GET_XSAVE, ksvm_get_xsave, struct kvm_xsave)
STRUCT_HANDLER(vcpu, KVM_SET_XSAVE, ksvm_set_xsave, struct kvm_xsave)
STRUCT_HANDLER(vcpu, KVM_GET_XCRS, ksvm_get_xcrs, struct kvm_xcrs)
STRUCT_HANDLER(vcpu, KVM_SET_XCRS, ksvm_set_xcrs, struct kvm_xcrs)
STRUCT_HANDLER(vcpu, KVM_GET_LAPIC, ksvm_get_lapic, struct kvm_lapic_state)
STRUCT_HANDLER(vcpu, KVM_SET_LAPIC, ksvm_set_lapic, struct kvm_lapic_state)
STRUCT_HANDLER(vcpu, KVM_SET_GUEST_DEBUG, ksvm_set_guest_debug, struct kvm_guest_debug)

static long vcpu_run(void *object, unsigned long arg, void *data)
{
	return arg ? -EINVAL : ksvm_vcpu_run(object);
}

static long vcpu_get_mp_state(void *object, unsigned long arg, void *data)
{
	struct ksvm_vcpu *vcpu = object;
	struct kvm_mp_state *state = data;

	/* What has arrived meanwhile counts. */
	if (vcpu->apic && ksvm_check_request(KSVM_REQ_EVENT, vcpu) && !ksvm_irq_collect(vcpu))
		ksvm_irq_accept_init(vcpu);
	state->mp_state = vcpu->mp_state;
	return 0;
}

/* Without a local APIC nothing could ever make the vCPU runnable again. */
static long vcpu_set_mp_state(void *object, unsigned long arg, void *data)
{
	const struct kvm_mp_state *state = data;
	struct ksvm_vcpu *vcpu = object;

	if (!vcpu->apic && state->mp_state != KVM_MP_STATE_RUNNABLE)
		return -EINVAL;
	switch (state->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_HALTED:
		vcpu->mp_state = state->mp_state;
		return 0;
	case KVM_MP_STATE_SIPI_RECEIVED:
		vcpu->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		ksvm_irq_set_startup(vcpu, ksvm_irq_startup_vector(vcpu), true);
		return 0;
	default:
		return -EINVAL;
	}
}

static long vcpu_interrupt(void *object, unsigned long arg, void *data)
{
	const struct kvm_interrupt *interrupt = data;
	struct ksvm_vcpu *vcpu = object;

	if (interrupt->irq > U8_MAX)
		return -EINVAL;
	if (vcpu->apic)
		return ksvm_irq_user_extint(vcpu, interrupt->irq);
	return ksvm_queue_interrupt(vcpu, interrupt->irq);
}

static long vcpu_get_vcpu_events(void *object, unsigned long arg, void *data)
{
	struct ksvm_vcpu *vcpu = object;

	/* NMIs that have arrived meanwhile count. */
	if (vcpu->apic)
		ksvm_irq_collect(vcpu);
	return ksvm_get_vcpu_events(vcpu, data);
}

static long vcpu_set_vcpu_events(void *object, unsigned long arg, void *data)
{
	const struct kvm_vcpu_events *events = data;
	struct ksvm_vcpu *vcpu = object;
	int error = ksvm_set_vcpu_events(vcpu, events);

	if (error || !vcpu->apic)
		return error;
	if (events->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		ksvm_irq_set_startup(vcpu, events->sipi_vector, false);
	if (events->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		ksvm_irq_forget_nmis(vcpu);
	return 0;
}

/* The page in which the guest would keep its task priority; none is what there is. */
static long vcpu_set_vapic_addr(void *object, unsigned long arg, void *data)
{
	const struct kvm_vapic_addr *address = data;
	const struct ksvm_vcpu *vcpu = object;

	return vcpu->apic && !address->vapic_addr ? 0 : -EINVAL;
}

static long vcpu_nmi(void *object, unsigned long arg, void *data)
{
	ksvm_queue_nmi(object);
	return 0;
}

static long vcpu_set_cpuid2(void *object, unsigned long arg, void *data)
{
	return ksvm_set_cpuid(object, (struct kvm_cpuid2 __user *)arg);
}

static long vcpu_get_cpuid2(void *object, unsigned long arg, void *data)
{
	return ksvm_get_cpuid(object, (struct kvm_cpuid2 __user *)arg);
}

static long vcpu_get_msrs(void *object, unsigned long arg, void *data)
{
	return ksvm_get_msrs(object, (struct kvm_msrs __user *)arg);
}

static long vcpu_set_msrs(void *object, unsigned long arg, void *data)
{
	return ksvm_set_msrs(object, (struct kvm_msrs __user *)arg);
}

static long vcpu_get_tsc_khz(void *object, unsigned long arg, void *data)
{
	const struct ksvm_vcpu *vcpu = object;

	return vcpu->x86.tsc_khz;
}

static long vcpu_set_tsc_khz(void *object, unsigned long arg, void *data)
{
	return ksvm_set_tsc_khz(object, arg);
}

static long vcpu_setup_mce(void *object, unsigned long arg, void *data)
{
	const u64 *mcg_cap = data;

	return ksvm_setup_mce(object, *mcg_cap);
}

/* No argument: KVM_RUN leaves the thread's signal mask as it is. */
static long vcpu_set_signal_mask(void *object, unsigned long arg, void *data)
{
	struct kvm_signal_mask __user *user = (struct kvm_signal_mask __user *)arg;
	struct ksvm_vcpu *vcpu = object;
	struct kvm_signal_mask header;
	sigset_t mask;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&header, user, sizeof(header)))
		return -EFAULT;
	if (header.len != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, user->sigset, sizeof(mask)))
		return -EFAULT;
	sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = mask;
	vcpu->sigset_active = true;
	return 0;
}

#define LOCKED		IOCTL_LOCK
#define LOCKED_IN	(IOCTL_LOCK | IOCTL_IN)
#define LOCKED_OUT	(IOCTL_LOCK | IOCTL_OUT)

static const struct ioctl_row vcpu_rows[] = {
	IOCTL_ROW(KVM_RUN, LOCKED, vcpu_run),
	IOCTL_ROW(KVM_INTERRUPT, LOCKED_IN, vcpu_interrupt),
	IOCTL_ROW(KVM_GET_REGS, LOCKED_OUT, vcpu_ksvm_get_regs),
	IOCTL_ROW(KVM_SET_REGS, LOCKED_IN, vcpu_ksvm_set_regs),
	IOCTL_ROW(KVM_GET_SREGS, LOCKED_OUT, vcpu_ksvm_get_sregs),
	IOCTL_ROW(KVM_SET_SREGS, LOCKED_IN, vcpu_ksvm_set_sregs),
	IOCTL_ROW(KVM_GET_MSRS, LOCKED, vcpu_get_msrs),
	IOCTL_ROW(KVM_SET_MSRS, LOCKED, vcpu_set_msrs),
	IOCTL_ROW(KVM_GET_VCPU_EVENTS, LOCKED_OUT, vcpu_get_vcpu_events),
	IOCTL_ROW(KVM_SET_VCPU_EVENTS, LOCKED_IN, vcpu_set_vcpu_events),
	IOCTL_ROW(KVM_GET_LAPIC, LOCKED_OUT, vcpu_ksvm_get_lapic),
	IOCTL_ROW(KVM_SET_LAPIC, LOCKED_IN, vcpu_ksvm_set_lapic),
	IOCTL_ROW(KVM_SET_VAPIC_ADDR, LOCKED_IN, vcpu_set_vapic_addr),
	IOCTL_ROW(KVM_GET_MP_STATE, LOCKED_OUT, vcpu_get_mp_state),
	IOCTL_ROW(KVM_SET_MP_STATE, LOCKED_IN, vcpu_set_mp_state),
	IOCTL_ROW(KVM_GET_FPU, LOCKED_OUT, vcpu_ksvm_get_fpu),
	IOCTL_ROW(KVM_SET_FPU, LOCKED_IN, vcpu_ksvm_set_fpu),
	IOCTL_ROW(KVM_GET_XSAVE, LOCKED_OUT, vcpu_ksvm_get_xsave),
	IOCTL_ROW(KVM_SET_XSAVE, LOCKED_IN, vcpu_ksvm_set_xsave),
	IOCTL_ROW(KVM_GET_XCRS, LOCKED_OUT, vcpu_ksvm_get_xcrs),
	IOCTL_ROW(KVM_SET_XCRS, LOCKED_IN, vcpu_ksvm_set_xcrs),
	IOCTL_ROW(KVM_GET_DEBUGREGS, LOCKED_OUT, vcpu_ksvm_get_debugregs),
	IOCTL_ROW(KVM_SET_DEBUGREGS, LOCKED_IN, vcpu_ksvm_set_debugregs),
	IOCTL_ROW(KVM_SET_CPUID2, LOCKED, vcpu_set_cpuid2),
	IOCTL_ROW(KVM_GET_CPUID2, LOCKED, vcpu_get_cpuid2),
	IOCTL_ROW(KVM_NMI, LOCKED, vcpu_nmi),
	IOCTL_ROW(KVM_SET_SIGNAL_MASK, LOCKED, vcpu_set_signal_mask),
	IOCTL_ROW(KVM_SET_GUEST_DEBUG, LOCKED_IN, vcpu_ksvm_set_guest_debug),
	IOCTL_ROW(KVM_GET_TSC_KHZ, LOCKED, vcpu_get_tsc_khz),
	IOCTL_ROW(KVM_SET_TSC_KHZ, LOCKED, vcpu_set_tsc_khz),
	IOCTL_ROW(KVM_X86_SETUP_MCE, LOCKED_IN, vcpu_setup_mce),
};

const struct ioctl_table ksvm_vcpu_ioctls = {
	.file = "vcpu",
	.rows = vcpu_rows,
	.count = ARRAY_SIZE(vcpu_rows),
	.missing = -EINVAL,
};
