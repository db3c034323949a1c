// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced MMIO and PIO: writes that wait in a ring until user space comes by.
 *
 * User space has the ring mapped, may write anything into it at any time, and owns
 * @first: the kernel believes no index that it has not looked at itself.
 */
#include <linux/gfp.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "io_bus.h"
#include "vm.h"

/* As many devices as KVM has room for. */
#define ZONES_MAX	1000

/**
 * struct coalesced_zone - where writes wait
 * @device: on the bus that @zone names
 * @vm: whose; constant, like @zone
 * @zone: as registered
 * @link: in the VM's list; vm->irq.coalesced.lock
 */
struct coalesced_zone {
	struct ksvm_io_device device;
	struct ksvm *vm;
	struct kvm_coalesced_mmio_zone zone;
	struct list_head link;
};

static enum ksvm_bus zone_bus(const struct kvm_coalesced_mmio_zone *zone)
{
	return zone->pio ? KSVM_BUS_PIO : KSVM_BUS_MMIO;
}

/* False where the ring is full, or its indexes mean nothing. */
static bool ring_put(struct kvm_coalesced_mmio_ring *ring, u64 address, unsigned int bytes,
		     const void *data, u32 pio)
{
	u32 last = READ_ONCE(ring->last);
	struct kvm_coalesced_mmio *entry;
	u32 next;

	if (last >= KVM_COALESCED_MMIO_MAX)
		return false;
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	if (next == READ_ONCE(ring->first))
		return false;
	entry = &ring->coalesced_mmio[last];
	entry->phys_addr = address;
	entry->len = bytes;
	memcpy(entry->data, data, bytes);
	entry->pio = pio;
	/* Whoever sees the index sees the entry. */
	smp_store_release(&ring->last, next);
	return true;
}

static int zone_write(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
		      unsigned int bytes, const void *data)
{
	struct coalesced_zone *zone = container_of(device, struct coalesced_zone, device);
	struct ksvm *vm = zone->vm;
	unsigned long flags;
	bool done;

	if (!bytes || bytes > sizeof_field(struct kvm_coalesced_mmio, data))
		return -EOPNOTSUPP;
	raw_spin_lock_irqsave(&vm->irq.coalesced.ring_lock, flags);
	done = ring_put(vm->irq.coalesced.ring, address, bytes, data, zone->zone.pio);
	raw_spin_unlock_irqrestore(&vm->irq.coalesced.ring_lock, flags);
	return done ? 0 : -EOPNOTSUPP;
}

static void zone_destructor(struct ksvm_io_device *device)
{
	kfree(container_of(device, struct coalesced_zone, device));
}

static const struct ksvm_io_device_ops zone_ops = {
	.write = zone_write,
	.destructor = zone_destructor,
};

static int zone_add(struct ksvm *vm, struct coalesced_zone *zone)
{
	int error;

	lockdep_assert_held(&vm->irq.coalesced.lock);
	if (vm->irq.coalesced.nr_zones == ZONES_MAX)
		return -ENOSPC;
	error = ksvm_io_register(vm, zone_bus(&zone->zone), zone->zone.addr, zone->zone.size,
				 &zone->device);
	if (error)
		return error;
	list_add_tail(&zone->link, &vm->irq.coalesced.zones);
	vm->irq.coalesced.nr_zones++;
	return 0;
}

/**
 * ksvm_register_coalesced() - KVM_REGISTER_COALESCED_MMIO
 * @vm: the VM
 * @args: the zone; one may be there several times
 *
 * Context: may sleep.
 * Return: 0, also for an empty zone; -EINVAL for a zone that wraps or is neither MMIO
 * nor PIO; -ENOSPC for too many; -ENOMEM.
 */
int ksvm_register_coalesced(struct ksvm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct coalesced_zone *zone;
	int error;

	if (args->pio > 1 || args->addr + args->size < args->addr)
		return -EINVAL;
	if (!args->size)
		return 0;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	if (!zone)
		return -ENOMEM;
	zone->device.ops = &zone_ops;
	zone->vm = vm;
	zone->zone = *args;

	mutex_lock(&vm->irq.coalesced.lock);
	error = zone_add(vm, zone);
	mutex_unlock(&vm->irq.coalesced.lock);
	if (error)
		kfree(zone);
	return error;
}

static bool zone_contains(const struct kvm_coalesced_mmio_zone *outer,
			  const struct kvm_coalesced_mmio_zone *inner)
{
	return outer->pio == inner->pio && inner->addr >= outer->addr &&
	       inner->addr + inner->size <= outer->addr + outer->size;
}

/**
 * ksvm_unregister_coalesced() - KVM_UNREGISTER_COALESCED_MMIO
 * @vm: the VM
 * @args: addresses; all zones that contain them go, and none is not an error
 *
 * What waits in the ring stays there.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL for what is neither MMIO nor PIO, or wraps.
 */
int ksvm_unregister_coalesced(struct ksvm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct coalesced_zone *zone, *next;

	if (args->pio > 1 || args->addr + args->size < args->addr)
		return -EINVAL;
	mutex_lock(&vm->irq.coalesced.lock);
	list_for_each_entry_safe(zone, next, &vm->irq.coalesced.zones, link) {
		if (!zone_contains(&zone->zone, args))
			continue;
		list_del(&zone->link);
		vm->irq.coalesced.nr_zones--;
		ksvm_io_unregister(vm, zone_bus(&zone->zone), &zone->device);
		kfree(zone);
	}
	mutex_unlock(&vm->irq.coalesced.lock);
	return 0;
}

/* 0 or -ENOMEM. */
int ksvm_coalesced_init_vm(struct ksvm *vm)
{
	mutex_init(&vm->irq.coalesced.lock);
	INIT_LIST_HEAD(&vm->irq.coalesced.zones);
	raw_spin_lock_init(&vm->irq.coalesced.ring_lock);
	vm->irq.coalesced.ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vm->irq.coalesced.ring ? 0 : -ENOMEM;
}

/* Zones that are left go with the buses; also after an init that failed. */
void ksvm_coalesced_destroy_vm(struct ksvm *vm)
{
	free_page((unsigned long)vm->irq.coalesced.ring);
	mutex_destroy(&vm->irq.coalesced.lock);
}
