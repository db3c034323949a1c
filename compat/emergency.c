// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching SVM off before a crash kernel or an emergency reboot. Kernels without the
 * hook do that by themselves.
 *
 * The hook is one slot, and the kernel warns of whoever finds it taken. kvm_amd asks for
 * it before it looks whether SVM is free: while it is there, or on its way, the slot is
 * left to it. Where kvm_amd has SVM there is nothing for us to switch off; where it is
 * loaded but idle, nobody switches SVM off for our VMs, which costs a crash kernel that
 * wants SVM for itself.
 */
#include "compat.h"

#ifdef KSVM_HAVE_EMERGENCY_CALLBACK
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <asm/reboot.h>

#define RIVAL	"kvm_amd"

/*
 * @wanted: what the hook should call, or NULL.
 * @taken: what the slot holds of ours, or NULL.
 * @rival: the slot is left to somebody else.
 * @told: the notifier has set @rival; till then it is what /sys/module shows, where a
 *	module stays for a while that is going.
 * All under @emergency_lock, the innermost of the locks that its callers hold.
 */
static DEFINE_MUTEX(emergency_lock);
static cpu_emergency_virt_cb *wanted;
static cpu_emergency_virt_cb *taken;
static bool rival;
static bool told;

static void emergency_update(void)
{
	cpu_emergency_virt_cb *callback = rival ? NULL : wanted;

	lockdep_assert_held(&emergency_lock);
	if (callback == taken)
		return;
	if (taken)
		cpu_emergency_unregister_virt_callback(taken);
	if (callback)
		cpu_emergency_register_virt_callback(callback);
	taken = callback;
}

static void look_for_rival(void)
{
	lockdep_assert_held(&emergency_lock);
	if (!told)
		rival = ksvm_module_present(RIVAL);
}

/* Before the module's own code runs, and after it ran for the last time. */
static int emergency_module_notify(struct notifier_block *notifier, unsigned long state,
				   void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, RIVAL))
		return NOTIFY_DONE;
	mutex_lock(&emergency_lock);
	rival = state != MODULE_STATE_GOING;
	told = true;
	emergency_update();
	mutex_unlock(&emergency_lock);
	return NOTIFY_OK;
}

static struct notifier_block emergency_notifier = {
	.notifier_call = emergency_module_notify,
};

/**
 * ksvm_emergency_init() - be able to have the emergency hook
 *
 * Return: 0 or an error.
 */
int ksvm_emergency_init(void)
{
	int error = register_module_notifier(&emergency_notifier);

	if (error)
		return error;
	mutex_lock(&emergency_lock);
	look_for_rival();
	mutex_unlock(&emergency_lock);
	return 0;
}

/** ksvm_emergency_exit() - undo ksvm_emergency_init(). */
void ksvm_emergency_exit(void)
{
	unregister_module_notifier(&emergency_notifier);
}

/**
 * ksvm_emergency_set() - say what switches SVM off in an emergency
 * @callback: called on each CPU in NMI context; NULL for nothing. It may be
 *	passed over while kvm_amd is loaded.
 *
 * Context: may sleep. After NULL, the old callback neither runs nor will.
 */
void ksvm_emergency_set(void (*callback)(void))
{
	mutex_lock(&emergency_lock);
	wanted = callback;
	look_for_rival();
	emergency_update();
	mutex_unlock(&emergency_lock);
}
#else
int ksvm_emergency_init(void)
{
	return 0;
}

void ksvm_emergency_exit(void)
{
}

void ksvm_emergency_set(void (*callback)(void))
{
}
#endif
