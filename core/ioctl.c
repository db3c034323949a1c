// SPDX-License-Identifier: GPL-2.0-only
/* The dispatcher of all ioctls: finds the row, copies, locks, calls. */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "internal.h"

/* Holds every struct but XSAVE's. */
#define IOCTL_STACK_BYTES	448

/* Linear, because the command that counts is the first row of its table. */
static const struct ioctl_row *find_row(const struct ioctl_table *table, unsigned int command)
{
	unsigned int i;

	for (i = 0; i < table->count; i++) {
		if (table->rows[i].command == command)
			return &table->rows[i];
	}
	return NULL;
}

static long call_locked(const struct ioctl_row *row, void *object, struct mutex *lock,
			unsigned long arg, void *data)
{
	long ret;

	if (!(row->flags & IOCTL_LOCK))
		return row->handler(object, arg, data);

	if (mutex_lock_killable(lock))
		return -EINTR;
	ret = row->handler(object, arg, data);
	mutex_unlock(lock);
	return ret;
}

static noinline long call_copied(const struct ioctl_row *row, void *object, struct mutex *lock,
				 unsigned long arg)
{
	unsigned int size = _IOC_SIZE(row->command);
	void __user *user = (void __user *)arg;
	u64 small[IOCTL_STACK_BYTES / sizeof(u64)];
	void *data = small;
	long ret;

	if (size > sizeof(small)) {
		data = kmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!data)
			return -ENOMEM;
	}

	if (!(row->flags & IOCTL_IN)) {
		memset(data, 0, size);
	} else if (copy_from_user(data, user, size)) {
		ret = -EFAULT;
		goto out;
	}

	ret = call_locked(row, object, lock, arg, data);
	if (ret >= 0 && (row->flags & IOCTL_OUT) && copy_to_user(user, data, size))
		ret = -EFAULT;
out:
	if (data != small)
		kfree(data);
	return ret;
}

/**
 * ioctl_dispatch() - serve an ioctl from a table
 * @table: the kind of file
 * @object: the file's object, handed to the handler
 * @lock: the mutex that IOCTL_LOCK means
 * @command: the ioctl's command
 * @arg: its argument
 *
 * Context: may sleep. Copies are made outside the lock.
 * Return: the handler's result; the table's answer to a command it lacks;
 * -EFAULT for a bad address; -EINTR where a fatal signal came while waiting for
 * the lock; -ENOMEM.
 */
long ioctl_dispatch(const struct ioctl_table *table, void *object, struct mutex *lock,
		    unsigned int command, unsigned long arg)
{
	const struct ioctl_row *row = find_row(table, command);

	if (!row)
		return table->missing;
	if (row->flags & (IOCTL_IN | IOCTL_OUT))
		return call_copied(row, object, lock, arg);
	return call_locked(row, object, lock, arg, NULL);
}

/**
 * ioctl_compat() - serve an ioctl of a 32-bit program
 * @file: the file
 * @command: the ioctl's command
 * @arg: its argument, of which the lower half counts
 *
 * All structs have the same layout for 32-bit programs, so nothing but
 * the argument needs a conversion.
 *
 * Return: as the 64-bit call.
 */
long ioctl_compat(struct file *file, unsigned int command, unsigned long arg)
{
	return file->f_op->unlocked_ioctl(file, command, (u32)arg);
}
