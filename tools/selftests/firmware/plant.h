/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Change what one function of ksvm.ko returns, from its first call on. Each
 * module here includes this once and gives the probe.
 *
 * A ksvm.ko that is there already is not touched.
 */
#ifndef KSVM_FIRMWARE_PLANT_H
#define KSVM_FIRMWARE_PLANT_H

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>

#define PLANT_TARGET		"ksvm"

static const struct kretprobe *plant_model;

/* Both are used in the notifier only, whose calls for one module do not overlap. */
static struct kretprobe plant_probe;
static bool plant_active;

static int plant_add(void)
{
	int error;

	/* One that was registered before is not good for another time. */
	plant_probe = *plant_model;
	error = register_kretprobe(&plant_probe);
	if (error)
		pr_err("no probe on %s: error %d\n", plant_model->kp.symbol_name, error);
	else
		plant_active = true;
	return error;
}

static void plant_remove(void)
{
	if (plant_active)
		unregister_kretprobe(&plant_probe);
	plant_active = false;
}

/* A target that cannot be probed is not let in: no test shall take it for one that is. */
static int plant_notify(struct notifier_block *self, unsigned long state, void *data)
{
	struct module *module = data;

	if (strcmp(module->name, PLANT_TARGET))
		return NOTIFY_DONE;
	switch (state) {
	case MODULE_STATE_COMING:
		return notifier_from_errno(plant_add());
	case MODULE_STATE_GOING:
		plant_remove();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block plant_notifier = {
	.notifier_call = plant_notify,
};

static int plant_init(const struct kretprobe *model)
{
	plant_model = model;
	return register_module_notifier(&plant_notifier);
}

/* The notifier first: nothing plants a probe behind it. */
static void plant_exit(void)
{
	unregister_module_notifier(&plant_notifier);
	plant_remove();
}

#endif /* KSVM_FIRMWARE_PLANT_H */
