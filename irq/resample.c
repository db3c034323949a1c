// SPDX-License-Identifier: GPL-2.0-only
/*
 * Level-triggered irqfds: an event raises the line, and the acknowledgment of the
 * interrupt lowers it and tells every device on it, by its resample eventfd, to raise it
 * again if it still wants to. The kernel has one resampler for each GSI; its level is
 * that of KSVM_IRQ_SOURCE_RESAMPLE.
 */
#include <linux/eventfd.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "compat.h"
#include "internal.h"
#include "resample.h"
#include "vm.h"

/**
 * struct ksvm_resampler - the users of a GSI
 * @link: in the VM's list; vm->irq.irqfds.lock
 * @vm: whose
 * @ack: registered for the GSI
 * @users: those that are told; RCU, changed under vm->irq.irqfds.lock
 * @nr_users: how many; vm->irq.irqfds.lock
 */
struct ksvm_resampler {
	struct list_head link;
	struct ksvm *vm;
	struct ksvm_ack_notifier ack;
	struct list_head users;
	unsigned int nr_users;
};

/* All are told with interrupts off, as the guest's EOI is handled in ring 2. */
#define USERS_MAX	64

/*
 * Down first: a device that answers at once raises it again. An acknowledgment never
 * comes from inside an eventfd's wait queue, since ksvm_set_irq() acknowledges nothing.
 */
static void resample_acked(struct ksvm_ack_notifier *notifier)
{
	struct ksvm_resampler *resampler = container_of(notifier, struct ksvm_resampler, ack);
	struct ksvm_resample_user *user;

	ksvm_set_irq(resampler->vm, KSVM_IRQ_SOURCE_RESAMPLE, notifier->gsi, false);
	list_for_each_entry_rcu(user, &resampler->users, link)
		ksvm_eventfd_signal(user->eventfd);
}

static struct ksvm_resampler *resampler_find(struct ksvm *vm, u32 gsi)
{
	struct ksvm_resampler *resampler;

	list_for_each_entry(resampler, &vm->irq.irqfds.resamplers, link) {
		if (resampler->ack.gsi == gsi)
			return resampler;
	}
	return NULL;
}

static struct ksvm_resampler *resampler_create(struct ksvm *vm, u32 gsi)
{
	struct ksvm_resampler *resampler = kzalloc(sizeof(*resampler), GFP_KERNEL_ACCOUNT);

	if (!resampler)
		return NULL;
	resampler->vm = vm;
	resampler->ack.gsi = gsi;
	resampler->ack.acked = resample_acked;
	INIT_LIST_HEAD(&resampler->users);
	list_add(&resampler->link, &vm->irq.irqfds.resamplers);
	ksvm_ack_register(vm, &resampler->ack);
	return resampler;
}

/**
 * ksvm_resample_join() - have an eventfd signalled whenever a GSI is acknowledged
 * @vm: the VM
 * @gsi: the GSI
 * @user: who wants that; its eventfd is set
 *
 * Context: may sleep; vm->irq.irqfds.lock held.
 * Return: 0; -ENOMEM; -ENOSPC where the GSI has as many users as are allowed.
 */
int ksvm_resample_join(struct ksvm *vm, u32 gsi, struct ksvm_resample_user *user)
{
	struct ksvm_resampler *resampler;

	lockdep_assert_held(&vm->irq.irqfds.lock);
	resampler = resampler_find(vm, gsi) ?: resampler_create(vm, gsi);
	if (!resampler)
		return -ENOMEM;
	if (resampler->nr_users >= USERS_MAX)
		return -ENOSPC;
	resampler->nr_users++;
	user->resampler = resampler;
	list_add_tail_rcu(&user->link, &resampler->users);
	return 0;
}

/**
 * ksvm_resample_leave() - undo ksvm_resample_join()
 * @user: one that raises the line no more; nobody signals its eventfd after this
 *
 * The line goes down with the last user.
 *
 * Context: may sleep; vm->irq.irqfds.lock held.
 */
void ksvm_resample_leave(struct ksvm_resample_user *user)
{
	struct ksvm_resampler *resampler = user->resampler;
	struct ksvm *vm = resampler->vm;

	lockdep_assert_held(&vm->irq.irqfds.lock);
	list_del_rcu(&user->link);
	user->resampler = NULL;
	resampler->nr_users--;
	if (!list_empty(&resampler->users)) {
		synchronize_rcu_expedited();
		return;
	}
	/* Waits for the callback to end. */
	ksvm_ack_unregister(vm, &resampler->ack);
	ksvm_set_irq(vm, KSVM_IRQ_SOURCE_RESAMPLE, resampler->ack.gsi, false);
	list_del(&resampler->link);
	kfree(resampler);
}
