// SPDX-License-Identifier: GPL-2.0-only
/* KVM_IOEVENTFD: writes of the guest's that do no more than signal an eventfd. */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "internal.h"
#include "io_bus.h"
#include "vm.h"

#define FLAGS_KNOWN \
	(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN)

/* No access is longer. */
#define ACCESS_MAX	8

/**
 * struct ioeventfd - an eventfd at an address
 * @device: on @bus, and on KSVM_BUS_FAST_MMIO where it takes MMIO of any length
 * @link: in the VM's list; vm->irq.ioeventfds.lock
 * @eventfd: signalled; a reference; constant, like those that follow
 * @bus: KSVM_BUS_PIO or KSVM_BUS_MMIO
 * @address: where it is
 * @bytes: of a write that it takes; 0 for any
 * @match: only a write of @value
 * @value: likewise; one that does not fit into @bytes is never written
 */
struct ioeventfd {
	struct ksvm_io_device device;
	struct list_head link;
	struct eventfd_ctx *eventfd;
	enum ksvm_bus bus;
	u64 address;
	u32 bytes;
	bool match;
	u64 value;
};

/* In place: a write of the value looks like the value's low bytes. */
static bool matches(const struct ioeventfd *ioeventfd, const void *data, unsigned int bytes)
{
	return !memcmp(data, &ioeventfd->value, bytes) &&
	       (bytes == sizeof(ioeventfd->value) || !(ioeventfd->value >> (bytes * 8)));
}

static int ioeventfd_write(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
			   unsigned int bytes, const void *data)
{
	struct ioeventfd *ioeventfd = container_of(device, struct ioeventfd, device);

	if (address != ioeventfd->address)
		return -EOPNOTSUPP;
	if (ioeventfd->bytes && ioeventfd->bytes != bytes)
		return -EOPNOTSUPP;
	if (ioeventfd->match && !matches(ioeventfd, data, bytes))
		return -EOPNOTSUPP;
	ksvm_eventfd_signal(ioeventfd->eventfd);
	return 0;
}

static void ioeventfd_free(struct ioeventfd *ioeventfd)
{
	eventfd_ctx_put(ioeventfd->eventfd);
	kfree(ioeventfd);
}

static void ioeventfd_destructor(struct ksvm_io_device *device)
{
	ioeventfd_free(container_of(device, struct ioeventfd, device));
}

static const struct ksvm_io_device_ops ioeventfd_ops = {
	.write = ioeventfd_write,
	.destructor = ioeventfd_destructor,
};

static bool wants_fast(const struct ioeventfd *ioeventfd)
{
	return ioeventfd->bus == KSVM_BUS_MMIO && !ioeventfd->bytes;
}

/* A write of any length may be one of 8 bytes, unless the addresses end before. */
static u64 range_bytes(const struct ioeventfd *ioeventfd)
{
	if (ioeventfd->bytes)
		return ioeventfd->bytes;
	return min(ACCESS_MAX - 1ULL, ~ioeventfd->address) + 1;
}

static int buses_add(struct ksvm *vm, struct ioeventfd *ioeventfd)
{
	int error = ksvm_io_register(vm, ioeventfd->bus, ioeventfd->address,
				     range_bytes(ioeventfd), &ioeventfd->device);

	if (error || !wants_fast(ioeventfd))
		return error;
	error = ksvm_io_register(vm, KSVM_BUS_FAST_MMIO, ioeventfd->address, 1,
				 &ioeventfd->device);
	if (error)
		ksvm_io_unregister(vm, ioeventfd->bus, &ioeventfd->device);
	return error;
}

static void buses_remove(struct ksvm *vm, struct ioeventfd *ioeventfd)
{
	if (wants_fast(ioeventfd))
		ksvm_io_unregister(vm, KSVM_BUS_FAST_MMIO, &ioeventfd->device);
	ksvm_io_unregister(vm, ioeventfd->bus, &ioeventfd->device);
}

/* One write would signal both. */
static bool collide(const struct ioeventfd *a, const struct ioeventfd *b)
{
	if (a->bus != b->bus || a->address != b->address)
		return false;
	if (!a->bytes || !b->bytes)
		return true;
	return a->bytes == b->bytes && (!a->match || !b->match || a->value == b->value);
}

static bool same(const struct ioeventfd *a, const struct ioeventfd *b)
{
	return a->eventfd == b->eventfd && a->bus == b->bus && a->address == b->address &&
	       a->bytes == b->bytes && a->match == b->match &&
	       (!a->match || a->value == b->value);
}

static bool length_valid(u32 bytes)
{
	return bytes == 0 || bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

static int check_assign(const struct kvm_ioeventfd *args)
{
	if (!length_valid(args->len) || args->addr + args->len < args->addr)
		return -EINVAL;
	if (args->flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (!args->len && args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
		return -EINVAL;
	return 0;
}

/* What user space describes. */
static struct ioeventfd *ioeventfd_alloc(const struct kvm_ioeventfd *args)
{
	struct ioeventfd *ioeventfd = kzalloc(sizeof(*ioeventfd), GFP_KERNEL_ACCOUNT);
	struct eventfd_ctx *eventfd;

	if (!ioeventfd)
		return ERR_PTR(-ENOMEM);
	eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(eventfd)) {
		kfree(ioeventfd);
		return ERR_CAST(eventfd);
	}
	ioeventfd->device.ops = &ioeventfd_ops;
	ioeventfd->eventfd = eventfd;
	ioeventfd->bus = args->flags & KVM_IOEVENTFD_FLAG_PIO ? KSVM_BUS_PIO : KSVM_BUS_MMIO;
	ioeventfd->address = args->addr;
	ioeventfd->bytes = args->len;
	ioeventfd->match = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;
	ioeventfd->value = args->datamatch;
	return ioeventfd;
}

static int assign(struct ksvm *vm, struct ioeventfd *new)
{
	struct ioeventfd *other;
	int error;

	lockdep_assert_held(&vm->irq.ioeventfds.lock);
	list_for_each_entry(other, &vm->irq.ioeventfds.list, link) {
		if (collide(new, other))
			return -EEXIST;
	}
	error = buses_add(vm, new);
	if (!error)
		list_add_tail(&new->link, &vm->irq.ioeventfds.list);
	return error;
}

static int deassign(struct ksvm *vm, const struct ioeventfd *pattern)
{
	struct ioeventfd *ioeventfd;

	lockdep_assert_held(&vm->irq.ioeventfds.lock);
	list_for_each_entry(ioeventfd, &vm->irq.ioeventfds.list, link) {
		if (!same(ioeventfd, pattern))
			continue;
		list_del(&ioeventfd->link);
		buses_remove(vm, ioeventfd);
		ioeventfd_free(ioeventfd);
		return 0;
	}
	return -ENOENT;
}

/**
 * ksvm_ioeventfd() - KVM_IOEVENTFD
 * @vm: the VM
 * @args: what the ioctl was given
 *
 * Context: may sleep.
 * Return: 0; -EINVAL for what cannot be; -EEXIST where a write would signal another one
 * too; -ENOENT where there is none to be taken away; -ENOSPC for too many; -ENOMEM; what
 * eventfd_ctx_fdget() has against the descriptor.
 */
int ksvm_ioeventfd(struct ksvm *vm, const struct kvm_ioeventfd *args)
{
	bool remove = args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN;
	struct ioeventfd *ioeventfd;
	int error = 0;

	/* Of those that are refused there is none to be taken away. */
	if (!remove)
		error = check_assign(args);
	if (error)
		return error;
	ioeventfd = ioeventfd_alloc(args);
	if (IS_ERR(ioeventfd))
		return PTR_ERR(ioeventfd);

	mutex_lock(&vm->irq.ioeventfds.lock);
	error = remove ? deassign(vm, ioeventfd) : assign(vm, ioeventfd);
	mutex_unlock(&vm->irq.ioeventfds.lock);
	if (remove || error)
		ioeventfd_free(ioeventfd);
	return error;
}

void ksvm_ioeventfd_init_vm(struct ksvm *vm)
{
	mutex_init(&vm->irq.ioeventfds.lock);
	INIT_LIST_HEAD(&vm->irq.ioeventfds.list);
}

/* Those that are left go with the buses. */
void ksvm_ioeventfd_destroy_vm(struct ksvm *vm)
{
	mutex_destroy(&vm->irq.ioeventfds.lock);
}
