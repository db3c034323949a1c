/* SPDX-License-Identifier: GPL-2.0-only */
/* What irqfds use of the resamplers. */
#ifndef KSVM_IRQ_RESAMPLE_H
#define KSVM_IRQ_RESAMPLE_H

#include <linux/list.h>
#include <linux/types.h>

struct eventfd_ctx;
struct ksvm;
struct ksvm_resampler;

/**
 * struct ksvm_resample_user - an irqfd's share in a resampler
 * @link: in the resampler's list
 * @resampler: that of the GSI; NULL for an irqfd that is none of its users
 * @eventfd: signalled on acknowledgment; the irqfd's reference; constant
 */
struct ksvm_resample_user {
	struct list_head link;
	struct ksvm_resampler *resampler;
	struct eventfd_ctx *eventfd;
};

/* Both with vm->irq.irqfds.lock held; they sleep. 0 or -ENOMEM. */
int ksvm_resample_join(struct ksvm *vm, u32 gsi, struct ksvm_resample_user *user);
void ksvm_resample_leave(struct ksvm_resample_user *user);

#endif
