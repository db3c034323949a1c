// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IRQFD: eventfds whose signals are interrupts.
 *
 * An irqfd is a waiter in its eventfd's queue. It is in the VM's list exactly as long as
 * it is in the queue, and whoever takes it off the list, under the list's mutex, takes it
 * out of the queue and frees it. Its function in the queue, which runs inside the
 * eventfd's lock and cannot take the mutex, therefore never sees an irqfd that is gone:
 * where the eventfd's last descriptor was closed it only leaves a mark and has the VM's
 * reaper look for it. Documentation/locking.rst has the whole argument.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "internal.h"
#include "resample.h"
#include "vm.h"

#define FLAGS_KNOWN	(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE)

/**
 * struct irqfd - an eventfd that drives a GSI
 * @link: in the VM's list; vm->irq.irqfds.lock
 * @vm: the VM; constant, like @eventfd and @gsi
 * @eventfd: the source; a reference
 * @gsi: the target, with a route or without
 * @wait: in the eventfd's queue
 * @queue: that queue; its lock is the eventfd's
 * @hung_up: the eventfd has no descriptor any more; set in the queue's lock
 * @resample: with KVM_IRQFD_FLAG_RESAMPLE its eventfd is not NULL
 */
struct irqfd {
	struct list_head link;
	struct ksvm *vm;
	struct eventfd_ctx *eventfd;
	u32 gsi;
	struct wait_queue_entry wait;
	struct wait_queue_head *queue;
	bool hung_up;
	struct ksvm_resample_user resample;
};

/* An edge, or a level that the acknowledgment ends; the eventfd's lock is held. */
static void deliver(struct irqfd *irqfd)
{
	if (irqfd->resample.eventfd) {
		ksvm_set_irq(irqfd->vm, KSVM_IRQ_SOURCE_RESAMPLE, irqfd->gsi, true);
	} else {
		ksvm_set_irq(irqfd->vm, KSVM_IRQ_SOURCE_USER, irqfd->gsi, true);
		ksvm_set_irq(irqfd->vm, KSVM_IRQ_SOURCE_USER, irqfd->gsi, false);
	}
}

/* Inside the eventfd's lock, interrupts off. More than 0: no other waiter sees the event. */
static int irqfd_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	int taken = 0;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		deliver(irqfd);
		taken = 1;
	}
	if (events & EPOLLHUP) {
		WRITE_ONCE(irqfd->hung_up, true);
		schedule_work(&irqfd->vm->irq.irqfds.reaper);
	}
	return taken;
}

/* A count from before the irqfd was in the queue. */
static void deliver_pending(struct irqfd *irqfd)
{
	u64 count;

	spin_lock_irq(&irqfd->queue->lock);
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	if (count)
		deliver(irqfd);
	spin_unlock_irq(&irqfd->queue->lock);
}

/**
 * struct queue_finder - asks a file for its wait queue
 * @table: for the file's poll function
 * @irqfd: who is to wait there
 * @error: whether it does
 */
struct queue_finder {
	struct poll_table_struct table;
	struct irqfd *irqfd;
	int error;
};

static void queue_found(struct file *file, struct wait_queue_head *queue,
			struct poll_table_struct *table)
{
	struct queue_finder *finder = container_of(table, struct queue_finder, table);

	finder->irqfd->queue = queue;
	finder->error = ksvm_wait_first(queue, &finder->irqfd->wait);
}

static int attach(struct irqfd *irqfd, struct file *file)
{
	struct queue_finder finder = { .irqfd = irqfd, .error = -EINVAL };

	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&finder.table, queue_found);
	vfs_poll(file, &finder.table);
	return finder.error;
}

/* Nobody is in its function after this, and nobody signals its resample eventfd. */
static void detach(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->vm->irq.irqfds.lock);
	list_del(&irqfd->link);
	remove_wait_queue(irqfd->queue, &irqfd->wait);
	if (irqfd->resample.resampler)
		ksvm_resample_leave(&irqfd->resample);
}

static void irqfd_free(struct irqfd *irqfd)
{
	if (irqfd->resample.eventfd)
		eventfd_ctx_put(irqfd->resample.eventfd);
	if (irqfd->eventfd)
		eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* @file: the eventfd's, by the caller's reference. */
static struct irqfd *irqfd_alloc(struct ksvm *vm, const struct kvm_irqfd *args, struct file *file)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	struct eventfd_ctx *eventfd;

	if (!irqfd)
		return ERR_PTR(-ENOMEM);
	irqfd->vm = vm;
	irqfd->gsi = args->gsi;
	eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(eventfd))
		goto free;
	irqfd->eventfd = eventfd;
	if (args->flags & KVM_IRQFD_FLAG_RESAMPLE) {
		eventfd = eventfd_ctx_fdget(args->resamplefd);
		if (IS_ERR(eventfd))
			goto free;
		irqfd->resample.eventfd = eventfd;
	}
	return irqfd;

free:
	irqfd_free(irqfd);
	return ERR_CAST(eventfd);
}

static int publish(struct ksvm *vm, struct irqfd *irqfd, struct file *file)
{
	struct irqfd *other;
	int error;

	lockdep_assert_held(&vm->irq.irqfds.lock);
	list_for_each_entry(other, &vm->irq.irqfds.list, link) {
		if (other->eventfd == irqfd->eventfd)
			return -EBUSY;
	}
	/* Before the first signal: it may be acknowledged at once. */
	if (irqfd->resample.eventfd) {
		error = ksvm_resample_join(vm, irqfd->gsi, &irqfd->resample);
		if (error)
			return error;
	}
	error = attach(irqfd, file);
	if (error) {
		if (irqfd->resample.resampler)
			ksvm_resample_leave(&irqfd->resample);
		return error;
	}
	list_add_tail(&irqfd->link, &vm->irq.irqfds.list);
	deliver_pending(irqfd);
	return 0;
}

static int assign(struct ksvm *vm, const struct kvm_irqfd *args)
{
	/* Pairs with the release once the controllers are ready. */
	enum ksvm_irqchip chip = smp_load_acquire(&vm->irq.chip);
	struct irqfd *irqfd;
	struct file *file;
	int error;

	if (chip == KSVM_IRQCHIP_NONE)
		return -EINVAL;
	/* Nobody else sees acknowledgments. */
	if (args->flags & KVM_IRQFD_FLAG_RESAMPLE && chip != KSVM_IRQCHIP_KERNEL)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	irqfd = irqfd_alloc(vm, args, file);
	error = PTR_ERR_OR_ZERO(irqfd);
	if (error)
		goto put;

	mutex_lock(&vm->irq.irqfds.lock);
	error = publish(vm, irqfd, file);
	mutex_unlock(&vm->irq.irqfds.lock);
	if (error)
		irqfd_free(irqfd);
put:
	fput(file);
	return error;
}

/* None is not an error. */
static int deassign(struct ksvm *vm, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->fd);
	struct irqfd *irqfd, *next;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	mutex_lock(&vm->irq.irqfds.lock);
	list_for_each_entry_safe(irqfd, next, &vm->irq.irqfds.list, link) {
		if (irqfd->eventfd == eventfd && irqfd->gsi == args->gsi) {
			detach(irqfd);
			irqfd_free(irqfd);
		}
	}
	mutex_unlock(&vm->irq.irqfds.lock);
	eventfd_ctx_put(eventfd);
	return 0;
}

/**
 * ksvm_irqfd() - KVM_IRQFD
 * @vm: the VM
 * @args: what the ioctl was given
 *
 * After one was taken away its eventfd drives nothing any more.
 *
 * Context: may sleep; no lock of the VM's but vm->lock held.
 * Return: 0; -EINVAL for what cannot be, also without controllers of the kernel's; -EBUSY
 * where the eventfd drives a GSI already; -ENOMEM; -EBADF or -EINVAL for a descriptor that
 * is none, or none of an eventfd.
 */
int ksvm_irqfd(struct ksvm *vm, const struct kvm_irqfd *args)
{
	if (args->flags & ~FLAGS_KNOWN || args->gsi >= KSVM_IRQ_ROUTES_MAX)
		return -EINVAL;
	return args->flags & KVM_IRQFD_FLAG_DEASSIGN ? deassign(vm, args) : assign(vm, args);
}

/* Frees the irqfds whose eventfds are gone. */
static void reap(struct work_struct *work)
{
	struct ksvm *vm = container_of(work, struct ksvm, irq.irqfds.reaper);
	struct irqfd *irqfd, *next;

	mutex_lock(&vm->irq.irqfds.lock);
	list_for_each_entry_safe(irqfd, next, &vm->irq.irqfds.list, link) {
		if (READ_ONCE(irqfd->hung_up)) {
			detach(irqfd);
			irqfd_free(irqfd);
		}
	}
	mutex_unlock(&vm->irq.irqfds.lock);
}

void ksvm_irqfd_init_vm(struct ksvm *vm)
{
	mutex_init(&vm->irq.irqfds.lock);
	INIT_LIST_HEAD(&vm->irq.irqfds.list);
	INIT_LIST_HEAD(&vm->irq.irqfds.resamplers);
	INIT_WORK(&vm->irq.irqfds.reaper, reap);
}

/* While controllers and vCPUs are still there: eventfds fire until this returns. */
void ksvm_irqfd_destroy_vm(struct ksvm *vm)
{
	struct irqfd *irqfd, *next;

	mutex_lock(&vm->irq.irqfds.lock);
	list_for_each_entry_safe(irqfd, next, &vm->irq.irqfds.list, link) {
		detach(irqfd);
		irqfd_free(irqfd);
	}
	mutex_unlock(&vm->irq.irqfds.lock);
	/* No irqfd is left that could start it again. */
	cancel_work_sync(&vm->irq.irqfds.reaper);
	mutex_destroy(&vm->irq.irqfds.lock);
}
