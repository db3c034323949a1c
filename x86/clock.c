// SPDX-License-Identifier: GPL-2.0-only
/* The VM's clock: nanoseconds since it was created, as user space saves and sets it. */
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/kvm.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "internal.h"
#include "vm.h"

#define CLOCK_FLAGS	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

/**
 * ksvm_clock_init_vm() - a VM's clock starts at zero
 * @vm: the VM
 */
void ksvm_clock_init_vm(struct ksvm *vm)
{
	spin_lock_init(&vm->x86.clock_lock);
	vm->x86.clock_offset = -ktime_get_boottime_ns();
}

/**
 * ksvm_get_clock() - KVM_GET_CLOCK
 * @vm: the VM
 * @data: filled, with the host's time of day and TSC at the same moment
 *
 * Return: 0.
 */
int ksvm_get_clock(struct ksvm *vm, struct kvm_clock_data *data)
{
	unsigned long flags;

	memset(data, 0, sizeof(*data));
	spin_lock_irqsave(&vm->x86.clock_lock, flags);
	data->clock = ktime_get_boottime_ns() + vm->x86.clock_offset;
	data->realtime = ktime_get_real_ns();
	data->host_tsc = rdtsc();
	spin_unlock_irqrestore(&vm->x86.clock_lock, flags);
	data->flags = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	return 0;
}

/**
 * ksvm_set_clock() - KVM_SET_CLOCK
 * @vm: the VM
 * @data: the clock; with KVM_CLOCK_REALTIME, the time of day at which it was that, so
 *	that what has passed since is added
 *
 * Return: 0; -EINVAL for unknown flags.
 */
int ksvm_set_clock(struct ksvm *vm, const struct kvm_clock_data *data)
{
	unsigned long flags;
	u64 clock, now;

	if (data->flags & ~CLOCK_FLAGS)
		return -EINVAL;
	spin_lock_irqsave(&vm->x86.clock_lock, flags);
	clock = data->clock;
	now = ktime_get_real_ns();
	if ((data->flags & KVM_CLOCK_REALTIME) && now > data->realtime)
		clock += now - data->realtime;
	vm->x86.clock_offset = clock - ktime_get_boottime_ns();
	spin_unlock_irqrestore(&vm->x86.clock_lock, flags);
	return 0;
}
