/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions, one function per API that does
 * what ksvm wants. No other folder tests for a version.
 */
#ifndef KSVM_COMPAT_H
#define KSVM_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/types.h>
#include <asm/processor.h>
#ifdef KSVM_HAVE_CPUID_API
#include <asm/cpuid/api.h>	/* cpuid_eax() and its like were in processor.h */
#endif

#include "compat_types.h"

struct eventfd_ctx;
struct kvm_run;
struct wait_queue_entry;
struct wait_queue_head;

/* MSRs; the _safe forms return 0 or -EIO. */
u64 ksvm_rdmsr(u32 msr);
void ksvm_wrmsr(u32 msr, u64 value);
int ksvm_rdmsr_safe(u32 msr, u64 *value);
int ksvm_wrmsr_safe(u32 msr, u64 value);

/* Interrupts a CPU, so that it leaves the guest; any context. */
void ksvm_send_reschedule(int cpu);

/* The run page's request to return at once, which user space may change meanwhile. */
u8 ksvm_immediate_exit(const struct kvm_run *run);

/* Work that must be done before the guest is entered; for good with interrupts off. */
bool ksvm_guest_work_pending(void);
/* Does that work; may sleep. 0, or -EINTR where a signal is pending. */
int ksvm_guest_work(void);

/* RCU, context tracking and time accounting around the guest. */
void ksvm_guest_timing_enter(void);
void ksvm_guest_timing_leave(void);

/* The host's SPEC_CTRL, and the barrier between two guests. */
u64 ksvm_host_spec_ctrl(void);
bool ksvm_ibpb_wanted(void);
void ksvm_ibpb(void);
/* What a CPU's predictors need while it may run guests. */
void ksvm_predictor_guard(bool on);
bool ksvm_predictor_guard_wanted(void);
/* After a guest ran: what the host's mitigations want before user mode. */
void ksvm_guest_ran(void);
bool ksvm_guest_ran_matters(void);

/* A machine check that was taken while a guest ran. */
void ksvm_host_machine_check(void);

/* A module of that name is loaded, as /sys/module shows it. */
bool ksvm_module_present(const char *name);

/* Adds 1 to an eventfd's count; any context but that of an eventfd's wait queue. */
void ksvm_eventfd_signal(struct eventfd_ctx *eventfd);
/* Waits on a queue before all others. 0, or -EBUSY where somebody else does. */
int ksvm_wait_first(struct wait_queue_head *queue, struct wait_queue_entry *entry);

/* A timer on CLOCK_MONOTONIC, absolute, in hard interrupt context. */
void ksvm_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*callback)(struct hrtimer *));

/* Suspend, resume and shutdown hooks; one user. */
struct ksvm_power_ops {
	void (*suspend)(void);
	void (*resume)(void);
	void (*shutdown)(void);
};

void ksvm_power_register(const struct ksvm_power_ops *ops);
void ksvm_power_unregister(void);

/* What switches SVM off before an emergency reboot or a kdump; NULL for nothing. */
int ksvm_emergency_init(void);
void ksvm_emergency_exit(void);
void ksvm_emergency_set(void (*callback)(void));

#endif
