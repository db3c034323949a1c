// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's TSC: the host's plus an offset. There is no scaling: the guest's
 * runs at the host's frequency.
 */
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/spinlock.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "guest.h"
#include "internal.h"
#include "irq_ops.h"
#include "vm.h"
#include "x86_ops.h"

/* A frequency this near to the host's is the host's, measured on another day. */
#define TOLERANCE_PPM	250

/**
 * ksvm_tsc_init_vm() - a VM's TSC runs as fast as the host's
 * @vm: the VM
 */
void ksvm_tsc_init_vm(struct ksvm *vm)
{
	spin_lock_init(&vm->x86.tsc_lock);
	vm->x86.tsc_khz = tsc_khz;
}

static void set_offset(struct ksvm_vcpu *vcpu, u64 offset)
{
	vcpu->x86.tsc_offset = offset;
	static_call(ksvm_x86_write_tsc_offset)(vcpu);
	if (vcpu->apic)
		static_call(ksvm_irq_tsc_changed)(vcpu);
}

/**
 * ksvm_tsc_vcpu_init() - start a vCPU's TSC
 * @vcpu: the vCPU
 *
 * The first one of a VM starts at zero; the others join in, so that the guest
 * finds all of them in step.
 */
void ksvm_tsc_vcpu_init(struct ksvm_vcpu *vcpu)
{
	struct ksvm_x86_vm *vm = &vcpu->vm->x86;
	u64 offset;

	spin_lock(&vm->tsc_lock);
	if (!vm->tsc_started) {
		vm->tsc_started = true;
		vm->tsc_offset = -rdtsc();
	}
	offset = vm->tsc_offset;
	spin_unlock(&vm->tsc_lock);
	vcpu->x86.tsc_khz = vm->tsc_khz;
	set_offset(vcpu, offset);
}

/**
 * ksvm_guest_tsc() - read the guest's TSC
 * @vcpu: the vCPU, by its own thread; any ring
 */
u64 ksvm_guest_tsc(struct ksvm_vcpu *vcpu)
{
	return rdtsc() + vcpu->x86.tsc_offset;
}

/*
 * User space writes the TSCs of a VM one after the other. Values that say the
 * same as the last one, give or take a second for the time in between, mean
 * that these TSCs are to be in step; so does zero for a vCPU that has not run.
 * A VM's only vCPU gets what was written.
 */
static u64 offset_in_step(struct ksvm_vcpu *vcpu, u64 value)
{
	struct ksvm_x86_vm *vm = &vcpu->vm->x86;
	u64 second = vcpu->x86.tsc_khz * 1000ull;
	u64 offset = value - rdtsc();
	bool alone = READ_ONCE(vcpu->vm->nr_vcpus) == 1;

	spin_lock(&vm->tsc_lock);
	if (!alone && ((!value && vcpu->last_cpu < 0) ||
		       offset - vm->tsc_offset + second <= 2 * second))
		offset = vm->tsc_offset;
	else
		vm->tsc_offset = offset;
	spin_unlock(&vm->tsc_lock);
	return offset;
}

/**
 * ksvm_write_tsc() - write MSR TSC
 * @vcpu: the vCPU, by its own thread; any ring, for user space outside KVM_RUN
 * @value: the value
 * @host: user space writes; TSC_ADJUST does not follow then
 */
void ksvm_write_tsc(struct ksvm_vcpu *vcpu, u64 value, bool host)
{
	u64 offset;

	if (host) {
		set_offset(vcpu, offset_in_step(vcpu, value));
		return;
	}
	offset = value - rdtsc();
	vcpu->x86.msrs.tsc_adjust += offset - vcpu->x86.tsc_offset;
	set_offset(vcpu, offset);
}

/**
 * ksvm_write_tsc_adjust() - write MSR TSC_ADJUST
 * @vcpu: the vCPU, by its own thread; any ring
 * @value: the value
 * @host: user space writes; the TSC does not follow then
 */
void ksvm_write_tsc_adjust(struct ksvm_vcpu *vcpu, u64 value, bool host)
{
	if (!host)
		set_offset(vcpu, vcpu->x86.tsc_offset + value - vcpu->x86.msrs.tsc_adjust);
	vcpu->x86.msrs.tsc_adjust = value;
}

/**
 * ksvm_set_tsc_khz() - KVM_SET_TSC_KHZ
 * @vcpu: the vCPU, by its own thread
 * @khz: frequency, 0 for the host's
 *
 * Return: 0; -EINVAL where the host's TSC has another frequency.
 */
int ksvm_set_tsc_khz(struct ksvm_vcpu *vcpu, u32 khz)
{
	u64 tolerance = div_u64((u64)tsc_khz * TOLERANCE_PPM, 1000000);

	if (!khz)
		khz = tsc_khz;
	if (khz + tolerance < tsc_khz || khz > tsc_khz + tolerance)
		return -EINVAL;
	vcpu->x86.tsc_khz = khz;
	return 0;
}
