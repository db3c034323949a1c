// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions, interrupts and NMIs that wait for the guest. The backend hands
 * them to the processor; see svm/inject.c.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "requests.h"
#include "vcpu.h"
#include "x86_ops.h"

#define NMI_PENDING_MAX	2
#define DR7_GD		BIT(13)

/* How two exceptions combine (AMD64 manual, volume 2, "Double-Fault Exception"). */
enum exception_class {
	CLASS_BENIGN,
	CLASS_CONTRIBUTORY,
	CLASS_PAGE_FAULT,
	CLASS_DOUBLE_FAULT,
};

static enum exception_class class_of(u8 vector)
{
	switch (vector) {
	case X86_TRAP_DE:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
		return CLASS_CONTRIBUTORY;
	case X86_TRAP_PF:
		return CLASS_PAGE_FAULT;
	case X86_TRAP_DF:
		return CLASS_DOUBLE_FAULT;
	default:
		return CLASS_BENIGN;
	}
}

/* Faults restart their instruction, and then must not meet its breakpoint again. */
static bool is_fault(u8 vector)
{
	switch (vector) {
	case X86_TRAP_DB:
	case X86_TRAP_NMI:
	case X86_TRAP_BP:
	case X86_TRAP_OF:
	case X86_TRAP_DF:
	case X86_TRAP_MC:
		return false;
	default:
		return true;
	}
}

enum combination {
	TAKE_SECOND,
	DOUBLE_FAULT,
	TRIPLE_FAULT,
};

/* first:           second benign  contributory  page fault    double fault */
static const u8 combinations[][4] = {
	[CLASS_BENIGN] = {
		TAKE_SECOND, TAKE_SECOND, TAKE_SECOND, TAKE_SECOND,
	},
	[CLASS_CONTRIBUTORY] = {
		TAKE_SECOND, DOUBLE_FAULT, TAKE_SECOND, TAKE_SECOND,
	},
	[CLASS_PAGE_FAULT] = {
		TAKE_SECOND, DOUBLE_FAULT, DOUBLE_FAULT, TAKE_SECOND,
	},
	[CLASS_DOUBLE_FAULT] = {
		TAKE_SECOND, TRIPLE_FAULT, TRIPLE_FAULT, TRIPLE_FAULT,
	},
};

static void payload_to_register(struct ksvm_vcpu *vcpu, struct ksvm_exception *exception)
{
	if (!exception->has_payload)
		return;
	exception->has_payload = false;
	switch (exception->vector) {
	case X86_TRAP_PF:
		static_call(ksvm_x86_set_cr2)(vcpu, exception->payload);
		break;
	case X86_TRAP_DB:
		vcpu->x86.dr6 &= ~DR_TRAP_BITS;
		vcpu->x86.dr6 |= exception->payload;
		vcpu->x86.dr7 &= ~DR7_GD;
		ksvm_update_debug(vcpu);
		break;
	}
}

/* An exception came up while another one was on its way. */
static void combine(struct ksvm_vcpu *vcpu, struct ksvm_exception *second)
{
	struct ksvm_events *events = &vcpu->x86.events;
	enum exception_class first = class_of(events->exception.vector);

	switch (combinations[first][class_of(second->vector)]) {
	case TRIPLE_FAULT:
		events->exception_pending = false;
		events->exception_injected = false;
		ksvm_make_request(KSVM_REQ_TRIPLE_FAULT, vcpu);
		return;
	case DOUBLE_FAULT:
		/* CR2 is that of the latest page fault though none is delivered. */
		payload_to_register(vcpu, &events->exception);
		payload_to_register(vcpu, second);
		*second = (struct ksvm_exception) {
			.vector = X86_TRAP_DF,
			.has_error_code = vcpu->x86.cr0 & X86_CR0_PE,
		};
		break;
	case TAKE_SECOND:
		/* The first one comes up again when its instruction is restarted. */
		break;
	}
	events->exception = *second;
	events->exception_injected = false;
	events->exception_pending = true;
}

static void queue(struct ksvm_vcpu *vcpu, struct ksvm_exception exception)
{
	struct ksvm_events *events = &vcpu->x86.events;

	events->work = true;
	if (events->exception_pending || events->exception_injected) {
		combine(vcpu, &exception);
		return;
	}
	events->exception = exception;
	events->exception_pending = true;
}

/**
 * ksvm_queue_exception() - raise an exception without error code
 * @vcpu: the vCPU, by its own thread, in any ring
 * @vector: the exception
 *
 * With another one on its way, they combine to #DF or to a shutdown where the
 * processor's rules say so; otherwise the new one takes its place.
 */
void ksvm_queue_exception(struct ksvm_vcpu *vcpu, u8 vector)
{
	queue(vcpu, (struct ksvm_exception) { .vector = vector });
}

/**
 * ksvm_queue_exception_error() - raise an exception with error code
 * @vcpu: as ksvm_queue_exception()
 * @vector: the exception
 * @error_code: its error code; dropped in real mode, where none is pushed
 */
void ksvm_queue_exception_error(struct ksvm_vcpu *vcpu, u8 vector, u32 error_code)
{
	queue(vcpu, (struct ksvm_exception) {
		.vector = vector,
		.has_error_code = vcpu->x86.cr0 & X86_CR0_PE,
		.error_code = error_code,
	});
}

/**
 * ksvm_queue_page_fault() - raise #PF
 * @vcpu: as ksvm_queue_exception()
 * @address: what CR2 will be
 * @error_code: its error code
 */
void ksvm_queue_page_fault(struct ksvm_vcpu *vcpu, u64 address, u32 error_code)
{
	queue(vcpu, (struct ksvm_exception) {
		.vector = X86_TRAP_PF,
		.has_error_code = true,
		.error_code = error_code,
		.has_payload = true,
		.payload = address,
	});
}

/**
 * ksvm_queue_debug() - raise #DB
 * @vcpu: as ksvm_queue_exception()
 * @dr6: the bits that it sets in DR6
 */
void ksvm_queue_debug(struct ksvm_vcpu *vcpu, unsigned long dr6)
{
	queue(vcpu, (struct ksvm_exception) {
		.vector = X86_TRAP_DB,
		.has_payload = true,
		.payload = dr6,
	});
}

/**
 * ksvm_deliver_payload() - make the registers say what the exception is about
 * @vcpu: the vCPU, by its own thread; its pending exception is about to be
 *	delivered for the first time
 *
 * CR2 or DR6 take the payload, and a fault's saved flags have RF set.
 */
void ksvm_deliver_payload(struct ksvm_vcpu *vcpu)
{
	struct ksvm_exception *exception = &vcpu->x86.events.exception;

	payload_to_register(vcpu, exception);
	if (is_fault(exception->vector))
		vcpu->x86.rflags |= X86_EFLAGS_RF;
}

/**
 * ksvm_queue_interrupt() - KVM_INTERRUPT
 * @vcpu: the vCPU, by its own thread
 * @vector: its number
 *
 * Return: 0; -EINVAL for a vector above 255; -EEXIST where one waits already.
 */
int ksvm_queue_interrupt(struct ksvm_vcpu *vcpu, u32 vector)
{
	struct ksvm_events *events = &vcpu->x86.events;

	if (vector > U8_MAX)
		return -EINVAL;
	if (events->interrupt_pending)
		return -EEXIST;
	events->interrupt_pending = true;
	events->interrupt_soft = false;
	events->interrupt_vector = vector;
	events->work = true;
	return 0;
}

/* One waits behind the one that is being handled, else one more behind it. */
static u8 nmi_limit(const struct ksvm_events *events)
{
	return events->nmi_masked || events->nmi_injected ? NMI_PENDING_MAX - 1 : NMI_PENDING_MAX;
}

/**
 * ksvm_queue_nmi() - KVM_NMI
 * @vcpu: the vCPU, by its own thread
 *
 * More of them than a processor can hold are one.
 */
void ksvm_queue_nmi(struct ksvm_vcpu *vcpu)
{
	struct ksvm_events *events = &vcpu->x86.events;

	if (events->nmi_pending < nmi_limit(events))
		events->nmi_pending++;
	events->work = true;
}

/**
 * ksvm_interrupt_allowed() - would the processor take an external interrupt
 * @vcpu: the vCPU, by its own thread
 *
 * Return: whether IF is set and no interrupt shadow holds it off.
 */
bool ksvm_interrupt_allowed(struct ksvm_vcpu *vcpu)
{
	return (vcpu->x86.rflags & X86_EFLAGS_IF) &&
	       !static_call(ksvm_x86_get_interrupt_shadow)(vcpu);
}

/**
 * ksvm_ready_for_interrupt() - may user space queue an interrupt that will be
 *	delivered at the next entry
 * @vcpu: the vCPU, by its own thread
 *
 * Return: so, with nothing else on its way to the guest.
 */
bool ksvm_ready_for_interrupt(struct ksvm_vcpu *vcpu)
{
	const struct ksvm_events *events = &vcpu->x86.events;

	return !events->interrupt_pending && !events->exception_pending &&
	       !events->exception_injected && !events->nmi_injected &&
	       ksvm_interrupt_allowed(vcpu);
}

/**
 * ksvm_halt() - HLT is complete
 * @vcpu: the vCPU, by its own thread; in any ring
 *
 * With a local APIC in the kernel, ring 1 waits for what wakes the vCPU.
 *
 * Return: EXIT_LEAVE, or EXIT_USER where user space has to know.
 */
enum exit_outcome ksvm_halt(struct ksvm_vcpu *vcpu)
{
	if (vcpu->apic) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		return EXIT_LEAVE;
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return EXIT_USER;
}

/**
 * ksvm_get_vcpu_events() - KVM_GET_VCPU_EVENTS
 * @vcpu: the vCPU, by its own thread
 * @out: filled
 *
 * Without KVM_CAP_EXCEPTION_PAYLOAD a pending exception is reported as an
 * injected one, and its payload has gone to CR2 or DR6 before.
 *
 * Return: 0.
 */
int ksvm_get_vcpu_events(struct ksvm_vcpu *vcpu, struct kvm_vcpu_events *out)
{
	struct ksvm_events *events = &vcpu->x86.events;

	memset(out, 0, sizeof(*out));
	if (events->exception_pending)
		payload_to_register(vcpu, &events->exception);
	out->exception.injected = events->exception_pending || events->exception_injected;
	out->exception.nr = events->exception.vector;
	out->exception.has_error_code = events->exception.has_error_code;
	out->exception.error_code = events->exception.error_code;
	out->interrupt.injected = events->interrupt_pending && !events->interrupt_soft;
	out->interrupt.nr = events->interrupt_vector;
	out->interrupt.shadow = static_call(ksvm_x86_get_interrupt_shadow)(vcpu) ?
				KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI : 0;
	out->nmi.injected = events->nmi_injected;
	out->nmi.pending = events->nmi_pending;
	out->nmi.masked = events->nmi_masked;
	out->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
		     KVM_VCPUEVENT_VALID_SMM;
	return 0;
}

#define EVENTS_FLAGS	(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR | \
			 KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM)

/* Not offered: exception payloads, triple fault events, SMM. */
static bool events_valid(const struct kvm_vcpu_events *in)
{
	if (in->flags & ~EVENTS_FLAGS)
		return false;
	if (in->exception.injected &&
	    (in->exception.nr > 31 || in->exception.nr == X86_TRAP_NMI))
		return false;
	if ((in->flags & KVM_VCPUEVENT_VALID_SMM) &&
	    (in->smi.smm || in->smi.pending || in->smi.smm_inside_nmi))
		return false;
	return true;
}

/**
 * ksvm_set_vcpu_events() - KVM_SET_VCPU_EVENTS
 * @vcpu: the vCPU, by its own thread
 * @in: what ksvm_get_vcpu_events() gave, or the like; a SIPI vector is for a
 *	local APIC in the kernel and is left alone
 *
 * Return: 0, or -EINVAL with nothing changed.
 */
int ksvm_set_vcpu_events(struct ksvm_vcpu *vcpu, const struct kvm_vcpu_events *in)
{
	struct ksvm_events *events = &vcpu->x86.events;

	if (!events_valid(in))
		return -EINVAL;

	events->exception_pending = false;
	events->exception_injected = in->exception.injected;
	events->exception = (struct ksvm_exception) {
		.vector = in->exception.nr,
		.has_error_code = in->exception.has_error_code,
		.error_code = in->exception.error_code,
	};
	events->interrupt_pending = in->interrupt.injected;
	events->interrupt_soft = in->interrupt.soft;
	events->interrupt_vector = in->interrupt.nr;
	if (in->flags & KVM_VCPUEVENT_VALID_SHADOW)
		static_call(ksvm_x86_set_interrupt_shadow)(vcpu, in->interrupt.shadow);
	events->nmi_injected = in->nmi.injected;
	events->nmi_masked = in->nmi.masked;
	if (in->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		events->nmi_pending = min_t(u8, in->nmi.pending, NMI_PENDING_MAX);
	events->work = true;
	return 0;
}
