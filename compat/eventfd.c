// SPDX-License-Identifier: GPL-2.0-only
/* Eventfds, and being the first to hear of them. */
#include <linux/eventfd.h>
#include <linux/wait.h>

#include "compat.h"

/**
 * ksvm_eventfd_signal() - add 1 to an eventfd's count
 * @eventfd: the eventfd; any context but that of an eventfd's wait queue
 */
void ksvm_eventfd_signal(struct eventfd_ctx *eventfd)
{
#ifdef KSVM_HAVE_EVENTFD_SIGNAL_ONE
	eventfd_signal(eventfd);
#else
	eventfd_signal(eventfd, 1);
#endif
}

/**
 * ksvm_wait_first() - wait on a queue before all others; what is taken reaches none of them
 * @queue: the queue
 * @entry: whose function says that it has taken the event by returning more than 0
 *
 * Return: 0; -EBUSY where somebody else is the first, as far as the kernel says so.
 */
int ksvm_wait_first(struct wait_queue_head *queue, struct wait_queue_entry *entry)
{
#ifdef KSVM_HAVE_WAIT_PRIORITY_EXCLUSIVE
	return add_wait_queue_priority_exclusive(queue, entry);
#else
	add_wait_queue_priority(queue, entry);
	return 0;
#endif
}
