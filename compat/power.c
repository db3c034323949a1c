// SPDX-License-Identifier: GPL-2.0-only
/* Suspend, resume, shutdown and emergency reboot. */
#include <linux/syscore_ops.h>
#include <asm/reboot.h>

#include "compat.h"

static const struct ksvm_power_ops *power_ops;

#ifdef KSVM_HAVE_SYSCORE
static int power_suspend(void *unused)
{
	power_ops->suspend();
	return 0;
}

static void power_resume(void *unused)
{
	power_ops->resume();
}

static void power_shutdown(void *unused)
{
	power_ops->shutdown();
}

static const struct syscore_ops power_syscore_ops = {
	.suspend = power_suspend,
	.resume = power_resume,
	.shutdown = power_shutdown,
};

static struct syscore power_syscore = {
	.ops = &power_syscore_ops,
};

#define syscore_add	register_syscore
#define syscore_remove	unregister_syscore
#else
static int power_suspend(void)
{
	power_ops->suspend();
	return 0;
}

static void power_resume(void)
{
	power_ops->resume();
}

static void power_shutdown(void)
{
	power_ops->shutdown();
}

static struct syscore_ops power_syscore = {
	.suspend = power_suspend,
	.resume = power_resume,
	.shutdown = power_shutdown,
};

#define syscore_add	register_syscore_ops
#define syscore_remove	unregister_syscore_ops
#endif

/**
 * ksvm_power_register() - be told of suspend, resume and shutdown
 * @ops: called on the one CPU that is still online, interrupts off; shutdown
 *	is called with all CPUs online and interrupts on
 */
void ksvm_power_register(const struct ksvm_power_ops *ops)
{
	power_ops = ops;
	syscore_add(&power_syscore);
}

/** ksvm_power_unregister() - undo ksvm_power_register(). */
void ksvm_power_unregister(void)
{
	syscore_remove(&power_syscore);
	power_ops = NULL;
}

/**
 * ksvm_emergency_register() - switch SVM off before a crash kernel or an emergency reboot
 * @callback: called on each CPU in NMI context
 *
 * Kernels without the hook switch SVM off by themselves.
 */
void ksvm_emergency_register(void (*callback)(void))
{
#ifdef KSVM_HAVE_EMERGENCY_CALLBACK
	cpu_emergency_register_virt_callback(callback);
#endif
}

/** ksvm_emergency_unregister() - undo ksvm_emergency_register(). */
void ksvm_emergency_unregister(void (*callback)(void))
{
#ifdef KSVM_HAVE_EMERGENCY_CALLBACK
	cpu_emergency_unregister_virt_callback(callback);
#endif
}
