// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer on a high-resolution timer of the host's. The bus runs at
 * 1 GHz: a count is a nanosecond times the divider.
 *
 * A guest moves its next event far more often than it lets it come: where the new one is
 * later, the host's timer stays where it is and looks again when it fires.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/processor.h>

#include "compat.h"
#include "lapic.h"
#include "requests.h"
#include "timer.h"
#include "vm.h"

/*
 * So far ahead that it is never, and yet the host's timers can express it, and so can 64
 * bits the cycles of any processor below 32 GHz: mul_u64_u32_div() must not overflow.
 */
#define DELAY_MAX_NS	(KTIME_MAX / 16)
#define ADVANCE_MAX_NS	5000u

static unsigned int lapic_timer_advance_ns = 1000;
module_param(lapic_timer_advance_ns, uint, 0644);
MODULE_PARM_DESC(lapic_timer_advance_ns,
		 "Nanoseconds by which a TSC deadline fires ahead, to be awaited before it is delivered; 5000 at most");

static unsigned int min_timer_period_us = 200;
module_param(min_timer_period_us, uint, 0644);
MODULE_PARM_DESC(min_timer_period_us, "Shortest period of a guest's periodic timer");

/** ksvm_timer_period_min() - the shortest period of a periodic timer, in nanoseconds */
u64 ksvm_timer_period_min(void)
{
	return READ_ONCE(min_timer_period_us) * (u64)NSEC_PER_USEC;
}

static struct ksvm_lapic *lapic_of(struct lapic_timer *timer)
{
	return container_of(timer, struct ksvm_lapic, timer);
}

static u64 advance(void)
{
	return min(READ_ONCE(lapic_timer_advance_ns), ADVANCE_MAX_NS);
}

static ktime_t host_expiry(const struct lapic_timer *timer)
{
	return timer->deadline ? timer->due - advance() : timer->due;
}

/* With the lock held: have the host's timer fire in time, at the latest. */
static void arm(struct lapic_timer *timer)
{
	ktime_t expiry = host_expiry(timer);

	lockdep_assert_held(&timer->lock);
	if (hrtimer_is_queued(&timer->hr) && hrtimer_get_expires(&timer->hr) <= expiry)
		return;
	hrtimer_start(&timer->hr, expiry, HRTIMER_MODE_ABS_HARD);
}

/* With the lock held: the shot is over; what is the next one? */
static void advance_due(struct lapic_timer *timer, ktime_t now)
{
	u64 missed;

	if (timer->deadline)
		WRITE_ONCE(timer->early_tsc, timer->due > now ? timer->deadline : 0);
	WRITE_ONCE(timer->deadline, 0);
	if (!timer->period_ns) {
		timer->due = 0;
		return;
	}
	missed = now > timer->due ? div64_u64(now - timer->due, timer->period_ns) : 0;
	timer->due += (missed + 1) * timer->period_ns;
}

/* In a hard interrupt. Somebody may have set the timer anew while it came. */
static enum hrtimer_restart expired(struct hrtimer *hr)
{
	struct lapic_timer *timer = container_of(hr, struct lapic_timer, hr);
	enum hrtimer_restart restart = HRTIMER_NORESTART;
	ktime_t now = ktime_get();
	bool fire = false;

	raw_spin_lock(&timer->lock);
	if (timer->due && host_expiry(timer) <= now) {
		advance_due(timer, now);
		fire = true;
	}
	if (timer->due && !hrtimer_is_queued(hr)) {
		hrtimer_set_expires(hr, host_expiry(timer));
		restart = HRTIMER_RESTART;
	}
	raw_spin_unlock(&timer->lock);
	if (fire)
		lapic_deliver_lvt(lapic_of(timer), LAPIC_LVTT);
	return restart;
}

/** lapic_timer_create() - set up a new APIC's timer, stopped */
void lapic_timer_create(struct ksvm_lapic *apic)
{
	raw_spin_lock_init(&apic->timer.lock);
	ksvm_hrtimer_setup(&apic->timer.hr, expired);
}

static void stop_locked(struct lapic_timer *timer)
{
	lockdep_assert_held(&timer->lock);
	timer->due = 0;
	timer->period_ns = 0;
	WRITE_ONCE(timer->deadline, 0);
	WRITE_ONCE(timer->early_tsc, 0);
}

/**
 * lapic_timer_cancel() - stop the timer
 * @apic: the APIC, by its own thread; any ring
 *
 * The host's timer may still fire and will find nothing to do.
 */
void lapic_timer_cancel(struct ksvm_lapic *apic)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&apic->timer.lock, flags);
	stop_locked(&apic->timer);
	raw_spin_unlock_irqrestore(&apic->timer.lock, flags);
}

/**
 * lapic_timer_settle() - end a shot whose time has come, before the host's timer does
 * @apic: the APIC, by its own thread; any ring
 */
void lapic_timer_settle(struct ksvm_lapic *apic)
{
	struct lapic_timer *timer = &apic->timer;
	unsigned long flags;
	bool fire = false;
	ktime_t now;

	raw_spin_lock_irqsave(&timer->lock, flags);
	now = ktime_get();
	if (timer->due && timer->due <= now) {
		advance_due(timer, now);
		if (timer->due)
			arm(timer);
		fire = true;
	}
	raw_spin_unlock_irqrestore(&timer->lock, flags);
	if (fire)
		lapic_deliver_lvt(apic, LAPIC_LVTT);
}

/** lapic_timer_destroy() - undo lapic_timer_create(); sleeps */
void lapic_timer_destroy(struct ksvm_lapic *apic)
{
	lapic_timer_cancel(apic);
	hrtimer_cancel(&apic->timer.hr);
}

static unsigned int divider(const struct ksvm_lapic *apic)
{
	return lapic_divider(lapic_get(apic, LAPIC_TDCR));
}

/* A shot in @delay ns, and one each period behind it where the mode is periodic. */
static void start(struct ksvm_lapic *apic, u64 delay)
{
	struct lapic_timer *timer = &apic->timer;
	u64 period = (u64)lapic_get(apic, LAPIC_TMICT) * divider(apic);
	unsigned long flags;

	raw_spin_lock_irqsave(&timer->lock, flags);
	stop_locked(timer);
	if ((lapic_get(apic, LAPIC_LVTT) & LVT_TIMER_MODE) == LVT_TIMER_PERIODIC) {
		timer->period_ns = max(period, ksvm_timer_period_min());
		/* Not only the later ones: a guest may start over at each. */
		if (delay >= period)
			delay = timer->period_ns;
	}
	timer->due = ktime_get() + delay;
	arm(timer);
	raw_spin_unlock_irqrestore(&timer->lock, flags);
}

static bool counts(const struct ksvm_lapic *apic)
{
	u32 mode = lapic_get(apic, LAPIC_LVTT) & LVT_TIMER_MODE;

	return mode == LVT_TIMER_ONE_SHOT || mode == LVT_TIMER_PERIODIC;
}

/**
 * lapic_timer_start() - begin to count down from TMICT
 * @apic: the APIC, by its own thread; any ring
 *
 * With TMICT at 0, or in the mode without a count, the timer stops.
 */
void lapic_timer_start(struct ksvm_lapic *apic)
{
	u64 delay = (u64)lapic_get(apic, LAPIC_TMICT) * divider(apic);

	if (!delay || !counts(apic))
		lapic_timer_cancel(apic);
	else
		start(apic, delay);
}

/* Nanoseconds until the present shot; 0 where the timer does not count. */
static u64 remaining(struct ksvm_lapic *apic)
{
	struct lapic_timer *timer = &apic->timer;
	unsigned long flags;
	s64 ns = 0;

	raw_spin_lock_irqsave(&timer->lock, flags);
	if (timer->due && !timer->deadline) {
		ns = timer->due - ktime_get();
		/* The shot is late: the count has begun again. */
		if (ns < 0 && timer->period_ns)
			ns += timer->period_ns;
	}
	raw_spin_unlock_irqrestore(&timer->lock, flags);
	return max(ns, 0LL);
}

/**
 * lapic_timer_count() - TMCCT
 * @apic: the APIC, by its own thread; any ring
 */
u32 lapic_timer_count(struct ksvm_lapic *apic)
{
	u32 initial = lapic_get(apic, LAPIC_TMICT);

	return min_t(u64, DIV_ROUND_UP_ULL(remaining(apic), divider(apic)), initial);
}

/**
 * lapic_timer_set_divider() - TDCR is written: what is left of the count goes on
 * @apic: the APIC, by its own thread; any ring
 * @tdcr: the value
 */
void lapic_timer_set_divider(struct ksvm_lapic *apic, u32 tdcr)
{
	u32 count = lapic_timer_count(apic);

	lapic_put(apic, LAPIC_TDCR, tdcr);
	lapic_timer_resume(apic, count);
}

/**
 * lapic_timer_resume() - go on counting
 * @apic: the APIC, by its own thread; its registers say the rest
 * @count: what is left
 */
void lapic_timer_resume(struct ksvm_lapic *apic, u32 count)
{
	if (count && counts(apic))
		start(apic, (u64)count * divider(apic));
}

/**
 * lapic_timer_deadline() - MSR TSC_DEADLINE
 * @apic: the APIC, by its own thread; any ring
 *
 * Return: it; 0 once it has come.
 */
u64 lapic_timer_deadline(struct ksvm_lapic *apic)
{
	return READ_ONCE(apic->timer.deadline);
}

static u64 tsc_to_ns(struct ksvm_vcpu *vcpu, u64 cycles)
{
	u64 limit = mul_u64_u32_div(DELAY_MAX_NS, vcpu->x86.tsc_khz, NSEC_PER_MSEC);

	return mul_u64_u32_div(min(cycles, limit), NSEC_PER_MSEC, vcpu->x86.tsc_khz);
}

/**
 * lapic_timer_set_deadline() - MSR TSC_DEADLINE is written
 * @apic: the APIC, by its own thread, in deadline mode; any ring
 * @deadline: by the guest's TSC; 0 for none
 */
void lapic_timer_set_deadline(struct ksvm_lapic *apic, u64 deadline)
{
	struct lapic_timer *timer = &apic->timer;
	struct ksvm_vcpu *vcpu = apic->vcpu;
	unsigned long flags;
	bool over;
	u64 now;

	raw_spin_lock_irqsave(&timer->lock, flags);
	stop_locked(timer);
	now = ksvm_guest_tsc(vcpu);
	over = deadline && deadline <= now;
	if (deadline > now) {
		WRITE_ONCE(timer->deadline, deadline);
		timer->due = ktime_get() + tsc_to_ns(vcpu, deadline - now);
		arm(timer);
	}
	raw_spin_unlock_irqrestore(&timer->lock, flags);
	if (over)
		lapic_deliver_lvt(apic, LAPIC_LVTT);
}

/**
 * lapic_timer_tsc_changed() - the guest's TSC was set: the deadline is by the new one
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 */
void lapic_timer_tsc_changed(struct ksvm_vcpu *vcpu)
{
	u64 deadline = lapic_timer_deadline(vcpu->apic);

	if (deadline)
		lapic_timer_set_deadline(vcpu->apic, deadline);
}

/**
 * lapic_timer_wait() - a deadline was fired ahead: wait for the rest
 * @apic: the APIC, by its own thread; interrupts may be off
 *
 * Ends after as much time as the timer can be ahead, whatever the TSC says.
 */
void lapic_timer_wait(struct ksvm_lapic *apic)
{
	struct ksvm_vcpu *vcpu = apic->vcpu;
	u64 deadline = READ_ONCE(apic->timer.early_tsc), now = ksvm_guest_tsc(vcpu);
	u64 end = now + mul_u64_u32_div(ADVANCE_MAX_NS, vcpu->x86.tsc_khz, NSEC_PER_MSEC);

	WRITE_ONCE(apic->timer.early_tsc, 0);
	while (now < deadline && now < end) {
		cpu_relax();
		now = ksvm_guest_tsc(vcpu);
	}
}
