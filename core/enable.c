// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM is on while VMs exist: on each processor from the first VM's creation to the
 * last one's end, through hotplug and suspend, and never across a reboot.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/irqflags.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include "compat.h"
#include "init_ops.h"
#include "internal.h"
#include "x86_ops.h"

/*
 * @users: how many VMs exist, under @enable_lock, which is taken inside
 * cpus_read_lock(). So the hotplug callbacks, for which that lock is held exclusively,
 * find no change in progress and just read; likewise suspend and resume, which run
 * with one processor left and all tasks frozen.
 * @shutting_down: SVM stays off; set once, under @enable_lock.
 * @enabled_here: SVM is on by this module; on its CPU with interrupts off.
 */
static DEFINE_MUTEX(enable_lock);
static unsigned int users;
static bool shutting_down;
static DEFINE_PER_CPU(bool, enabled_here);

static int (*check_compatibility)(void);
static enum cpuhp_state hotplug_state;

/* On the processor itself, interrupts off. */
static int enable_this_cpu(void)
{
	int error;

	lockdep_assert_irqs_disabled();
	if (__this_cpu_read(enabled_here))
		return 0;
	error = static_call(ksvm_x86_hardware_enable)();
	if (!error)
		__this_cpu_write(enabled_here, true);
	return error;
}

static void disable_this_cpu(void)
{
	lockdep_assert_irqs_disabled();
	if (!__this_cpu_read(enabled_here))
		return;
	static_call(ksvm_x86_hardware_disable)();
	__this_cpu_write(enabled_here, false);
}

static void ipi_enable(void *error)
{
	int ret = enable_this_cpu();

	if (ret)
		atomic_cmpxchg((atomic_t *)error, 0, ret);
}

static void ipi_disable(void *unused)
{
	disable_this_cpu();
}

static void ipi_check(void *error)
{
	int ret = check_compatibility();

	if (ret)
		atomic_cmpxchg((atomic_t *)error, 0, ret);
}

/* In an NMI, or with everything else stopped: only this processor counts. */
static void emergency_disable(void)
{
	if (__this_cpu_read(enabled_here))
		static_call(ksvm_x86_hardware_disable)();
}

/* One line; a user may cause it again and again, so limited. */
static void report(int error)
{
	if (error == -EBUSY)
		pr_err_ratelimited("SVM is in use by %s\n",
				   ksvm_module_present("kvm_amd") ? "kvm_amd: unload it first" :
				   "another hypervisor");
	else
		pr_err_ratelimited("SVM cannot be used on all processors: error %d\n", error);
}

static int enable_all(void)
{
	atomic_t error = ATOMIC_INIT(0);

	lockdep_assert_held(&enable_lock);
	on_each_cpu(ipi_enable, &error, 1);
	if (atomic_read(&error)) {
		on_each_cpu(ipi_disable, NULL, 1);
		return atomic_read(&error);
	}
	ksvm_emergency_set(emergency_disable);
	return 0;
}

static void disable_all(void)
{
	lockdep_assert_held(&enable_lock);
	on_each_cpu(ipi_disable, NULL, 1);
	ksvm_emergency_set(NULL);
}

/**
 * ksvm_enable_get() - have SVM on, on each processor
 *
 * Context: may sleep.
 * Return: 0; -EBUSY where somebody else has SVM, with one log line; -ESHUTDOWN
 * while the machine goes down.
 */
int ksvm_enable_get(void)
{
	int error = 0;

	cpus_read_lock();
	mutex_lock(&enable_lock);
	if (shutting_down)
		error = -ESHUTDOWN;
	else if (!users)
		error = enable_all();
	if (!error)
		users++;
	mutex_unlock(&enable_lock);
	cpus_read_unlock();

	if (error && error != -ESHUTDOWN)
		report(error);
	return error;
}

/**
 * ksvm_enable_put() - undo ksvm_enable_get()
 *
 * Context: may sleep.
 */
void ksvm_enable_put(void)
{
	cpus_read_lock();
	mutex_lock(&enable_lock);
	if (!--users)
		disable_all();
	mutex_unlock(&enable_lock);
	cpus_read_unlock();
}

/*
 * A processor that lacks something does not come up; nor does one whose SVM is
 * taken while VMs exist. Without any, the next one's creation looks again.
 */
static int hotplug_online(unsigned int cpu)
{
	unsigned long flags;
	int error;

	local_irq_save(flags);
	error = check_compatibility();
	if (error == -EBUSY && !users)
		error = 0;
	if (!error && users && !shutting_down)
		error = enable_this_cpu();
	local_irq_restore(flags);

	if (error)
		report(error);
	return error;
}

static int hotplug_offline(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	disable_this_cpu();
	local_irq_restore(flags);
	return 0;
}

static void power_suspend(void)
{
	disable_this_cpu();
}

static void power_resume(void)
{
	int error = users ? enable_this_cpu() : 0;

	if (error)
		report(error);
}

/* vCPUs that still run find SVM off when they next enter ring 2, and stop. */
static void power_shutdown(void)
{
	cpus_read_lock();
	mutex_lock(&enable_lock);
	shutting_down = true;
	on_each_cpu(ipi_disable, NULL, 1);
	mutex_unlock(&enable_lock);
	cpus_read_unlock();
}

static const struct ksvm_power_ops power_ops = {
	.suspend = power_suspend,
	.resume = power_resume,
	.shutdown = power_shutdown,
};

/* kexec on older kernels calls the reboot notifiers only. */
static int reboot_notify(struct notifier_block *notifier, unsigned long event, void *unused)
{
	power_shutdown();
	return NOTIFY_OK;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = reboot_notify,
};

/**
 * ksvm_enable_init() - check each processor and follow those to come
 * @ops: the backend's table; the compatibility check outlives the call
 *
 * Return: 0; -EBUSY where somebody else has SVM; -EIO where processors
 * differ. One log line names the cause.
 */
int __init ksvm_enable_init(const struct ksvm_x86_init_ops *ops)
{
	atomic_t error = ATOMIC_INIT(0);
	int state;
	int ret;

	check_compatibility = ops->check_processor_compatibility;
	cpus_read_lock();
	on_each_cpu(ipi_check, &error, 1);
	if (atomic_read(&error)) {
		cpus_read_unlock();
		report(atomic_read(&error));
		return atomic_read(&error);
	}
	state = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_ONLINE_DYN, "x86/ksvm:online",
						     hotplug_online, hotplug_offline);
	cpus_read_unlock();
	if (state < 0) {
		pr_err("no slot for CPU hotplug: error %d\n", state);
		return state;
	}
	ret = ksvm_emergency_init();
	if (ret) {
		cpuhp_remove_state_nocalls(state);
		return ret;
	}
	hotplug_state = state;
	register_reboot_notifier(&reboot_notifier);
	ksvm_power_register(&power_ops);
	return 0;
}

/** ksvm_enable_exit() - undo ksvm_enable_init(); no VM exists */
void ksvm_enable_exit(void)
{
	ksvm_power_unregister();
	unregister_reboot_notifier(&reboot_notifier);
	ksvm_emergency_exit();
	cpuhp_remove_state_nocalls(hotplug_state);
}
