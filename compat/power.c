// SPDX-License-Identifier: GPL-2.0-only
/* Suspend, resume and shutdown. */
#include <linux/syscore_ops.h>

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
