// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel wants done around a stay in the guest. */
#include <linux/kvm.h>
#include <linux/vtime.h>
#ifdef KSVM_HAVE_ENTRY_VIRT
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>
#endif

#include "compat.h"

#if !defined(CONFIG_KVM_XFER_TO_GUEST_WORK) && !defined(CONFIG_VIRT_XFER_TO_GUEST_WORK)
#error "ksvm needs a kernel that is configured with KVM, at least as a module"
#endif

#ifndef KSVM_HAVE_ENTRY_VIRT
/* Where these kernels note a signal: in a vCPU of KVM's. Nobody reads it. */
static struct kvm_run signal_run;
static struct kvm_vcpu signal_vcpu = { .run = &signal_run };
#endif

/**
 * ksvm_immediate_exit() - does user space want KVM_RUN to return at once
 * @run: the run page
 *
 * Newer headers give the field a name that warns the kernel of reading it twice.
 */
u8 ksvm_immediate_exit(const struct kvm_run *run)
{
#ifdef KSVM_HAVE_UNSAFE_HINT
	return READ_ONCE(run->immediate_exit__unsafe);
#else
	return READ_ONCE(run->immediate_exit);
#endif
}

/**
 * ksvm_guest_work_pending() - must the guest be left for the host's sake
 *
 * Rescheduling, signals, task work, live patching.
 *
 * Context: any; with interrupts off the answer stays true until they are on.
 */
bool ksvm_guest_work_pending(void)
{
	return __xfer_to_guest_mode_work_pending();
}

/**
 * ksvm_guest_work() - do what ksvm_guest_work_pending() saw
 *
 * May sleep, interrupts on.
 *
 * Return: 0, or -EINTR where a signal waits for user mode.
 */
int ksvm_guest_work(void)
{
#ifdef KSVM_HAVE_ENTRY_VIRT
	return xfer_to_guest_mode_handle_work();
#else
	return xfer_to_guest_mode_handle_work(&signal_vcpu);
#endif
}

/**
 * ksvm_guest_timing_enter() - time belongs to the guest from here on
 *
 * Interrupts off.
 */
void ksvm_guest_timing_enter(void)
{
	vtime_account_guest_enter();
}

/**
 * ksvm_guest_timing_leave() - time belongs to the host again
 *
 * Interrupts off; after the interrupt that ended the stay was taken, or a tick
 * would be charged to the host each time.
 */
void ksvm_guest_timing_leave(void)
{
	vtime_account_guest_exit();
}
