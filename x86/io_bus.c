// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's I/O buses.
 *
 * What is on a bus is one block of memory that readers find by RCU and that each
 * registration replaces. A device is taken off in the block that is there, so that this
 * cannot fail: its entries are emptied, and the next registration leaves them out.
 */
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "io_bus.h"
#include "io_range.h"
#include "vcpu.h"
#include "vm.h"

/* Of ranges, and of entries in the segments' lists. */
#define ENTRIES_MAX	65536

/* Blocks up to here may wait for RCU; of larger ones there would soon be too many. */
#define DEFER_MAX	SZ_16K

/**
 * struct ksvm_io_bus - what is on a bus
 * @rcu: to free it
 * @size: of the block, in bytes
 * @nr_ranges: of @ranges
 * @ranges: in the order of registration; a device's becomes NULL; lock of struct ksvm_io
 * @map: how readers find them; a device's becomes NULL
 */
struct ksvm_io_bus {
	struct rcu_head rcu;
	size_t size;
	unsigned int nr_ranges;
	struct io_range *ranges;
	struct io_map map;
};

static struct ksvm_io_bus *bus_writer(struct ksvm *vm, enum ksvm_bus bus)
{
	return rcu_dereference_protected(vm->io.buses[bus], lockdep_is_held(&vm->io.lock));
}

/* One block for @nr ranges and @map, whose starts are copied. */
static struct ksvm_io_bus *bus_alloc(const struct io_map *map, u64 entries,
				     const struct io_range *ranges, unsigned int nr)
{
	size_t size = sizeof(struct ksvm_io_bus) + nr * sizeof(struct io_range) +
		      entries * sizeof(struct io_entry) + map->nr * sizeof(u64) +
		      (map->nr + 1) * sizeof(u32);
	struct ksvm_io_bus *bus = kvmalloc(size, GFP_KERNEL_ACCOUNT);

	if (!bus)
		return NULL;
	bus->size = size;
	bus->nr_ranges = nr;
	bus->ranges = (struct io_range *)(bus + 1);
	bus->map.nr = map->nr;
	bus->map.entries = (struct io_entry *)(bus->ranges + nr);
	bus->map.starts = (u64 *)(bus->map.entries + entries);
	bus->map.begin = (u32 *)(bus->map.starts + map->nr);
	memcpy(bus->ranges, ranges, nr * sizeof(*ranges));
	memcpy(bus->map.starts, map->starts, map->nr * sizeof(*map->starts));
	return bus;
}

static struct ksvm_io_bus *bus_build(const struct io_range *ranges, unsigned int nr)
{
	struct ksvm_io_bus *bus;
	struct io_map map = {};
	u64 entries;

	map.starts = kvmalloc_array(2 * nr, sizeof(*map.starts), GFP_KERNEL_ACCOUNT);
	if (!map.starts)
		return ERR_PTR(-ENOMEM);
	map.nr = io_map_starts(ranges, nr, map.starts);
	entries = io_map_entries(&map, ranges, nr);
	if (entries > ENTRIES_MAX)
		bus = ERR_PTR(-ENOSPC);
	else
		bus = bus_alloc(&map, entries, ranges, nr) ?: ERR_PTR(-ENOMEM);
	kvfree(map.starts);
	if (!IS_ERR(bus))
		io_map_fill(&bus->map, bus->ranges, nr);
	return bus;
}

/* What @old, which may be NULL, still has, and @range. */
static struct ksvm_io_bus *bus_with(const struct ksvm_io_bus *old, const struct io_range *range)
{
	unsigned int i, nr = 0, room = (old ? old->nr_ranges : 0) + 1;
	struct ksvm_io_bus *bus = ERR_PTR(-ENOSPC);
	struct io_range *ranges;

	ranges = kvmalloc_array(room, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i + 1 < room; i++) {
		if (old->ranges[i].device)
			ranges[nr++] = old->ranges[i];
	}
	ranges[nr++] = *range;
	if (nr <= ENTRIES_MAX)
		bus = bus_build(ranges, nr);
	kvfree(ranges);
	return bus;
}

static void bus_free(struct ksvm_io_bus *bus)
{
	if (!bus)
		return;
	if (bus->size <= DEFER_MAX) {
		kvfree_rcu(bus, rcu);
	} else {
		synchronize_rcu_expedited();
		kvfree(bus);
	}
}

/**
 * ksvm_io_register() - put a device at [@address, @address + @bytes)
 * @vm: the VM
 * @bus: on which bus
 * @address: its first address
 * @bytes: how many it has
 * @device: the device; the same one may be at several places
 *
 * Devices may overlap: the one that was registered first is asked first.
 *
 * Context: may sleep; takes the buses' lock.
 * Return: 0; -EINVAL for no address or a range that wraps; -ENOSPC for too many;
 * -ENOMEM.
 */
int ksvm_io_register(struct ksvm *vm, enum ksvm_bus bus, u64 address, u64 bytes,
		     struct ksvm_io_device *device)
{
	struct io_range range = {
		.first = address,
		.last = address + bytes - 1,
		.device = device,
	};
	struct ksvm_io_bus *old, *new;

	if (!bytes || range.last < address)
		return -EINVAL;
	mutex_lock(&vm->io.lock);
	old = bus_writer(vm, bus);
	new = bus_with(old, &range);
	if (IS_ERR(new)) {
		mutex_unlock(&vm->io.lock);
		return PTR_ERR(new);
	}
	device->nr_ranges++;
	rcu_assign_pointer(vm->io.buses[bus], new);
	mutex_unlock(&vm->io.lock);
	bus_free(old);
	return 0;
}

/**
 * ksvm_io_unregister() - take a device off a bus
 * @vm: the VM
 * @bus: the bus
 * @device: all whose ranges there go; may be none
 *
 * Nobody is in the device's functions any more on behalf of this bus. The destructor
 * is left to the caller.
 *
 * Context: may sleep; takes the buses' lock.
 */
void ksvm_io_unregister(struct ksvm *vm, enum ksvm_bus bus, struct ksvm_io_device *device)
{
	struct ksvm_io_bus *current_bus;
	unsigned int i, found = 0;

	mutex_lock(&vm->io.lock);
	current_bus = bus_writer(vm, bus);
	for (i = 0; current_bus && i < current_bus->nr_ranges; i++) {
		if (current_bus->ranges[i].device == device) {
			current_bus->ranges[i].device = NULL;
			found++;
		}
	}
	if (found) {
		struct io_map *map = &current_bus->map;

		for (i = 0; i < map->begin[map->nr]; i++) {
			if (map->entries[i].device == device)
				WRITE_ONCE(map->entries[i].device, NULL);
		}
		device->nr_ranges -= found;
	}
	mutex_unlock(&vm->io.lock);
	/* Also for who is still in the block that was replaced before. */
	if (found)
		synchronize_rcu_expedited();
}

static __always_inline struct io_walk walk_begin(struct ksvm_vcpu *vcpu, enum ksvm_bus bus,
						 u64 address, unsigned int bytes)
{
	const struct ksvm_io_bus *found = rcu_dereference_check(vcpu->vm->io.buses[bus],
								irqs_disabled());

	if (!found)
		return (struct io_walk){};
	return io_walk_begin(&found->map, address, bytes, &vcpu->io_hints[bus]);
}

static __always_inline struct ksvm_io_device *walk_next(struct io_walk *walk)
{
	struct io_entry *entry;

	while ((entry = io_walk_next(walk))) {
		struct ksvm_io_device *device = READ_ONCE(entry->device);

		if (device)
			return device;
	}
	return NULL;
}

static __always_inline int bus_read(struct ksvm_vcpu *vcpu, enum ksvm_bus bus, u64 address,
				    unsigned int bytes, void *data)
{
	struct io_walk walk = walk_begin(vcpu, bus, address, bytes);
	struct ksvm_io_device *device;
	int ret = -EOPNOTSUPP;

	while (ret == -EOPNOTSUPP && (device = walk_next(&walk))) {
		if (device->ops->read)
			ret = device->ops->read(vcpu, device, address, bytes, data);
	}
	return ret;
}

/**
 * ksvm_io_read() - ask the kernel's devices
 * @vcpu: who reads
 * @bus: from which bus
 * @address: where
 * @bytes: how many, at least 1
 * @data: for the answer
 *
 * Context: own thread, ring 1 or 2.
 * Return: 0, or -EOPNOTSUPP where no device takes the access.
 */
int ksvm_io_read(struct ksvm_vcpu *vcpu, enum ksvm_bus bus, u64 address, unsigned int bytes,
		 void *data)
{
	int ret;

	/* With interrupts off it is a reader already. */
	if (vcpu->ring == RING_INNER)
		return bus_read(vcpu, bus, address, bytes, data);
	rcu_read_lock();
	ret = bus_read(vcpu, bus, address, bytes, data);
	rcu_read_unlock();
	return ret;
}

static __always_inline int bus_write(struct ksvm_vcpu *vcpu, enum ksvm_bus bus, u64 address,
				     unsigned int bytes, const void *data)
{
	struct io_walk walk = walk_begin(vcpu, bus, address, bytes);
	struct ksvm_io_device *device;
	int ret = -EOPNOTSUPP;

	while (ret == -EOPNOTSUPP && (device = walk_next(&walk))) {
		if (device->ops->write)
			ret = device->ops->write(vcpu, device, address, bytes, data);
	}
	return ret;
}

/**
 * ksvm_io_write() - tell the kernel's devices
 * @vcpu: who writes
 * @bus: to which bus
 * @address: where
 * @bytes: how many; 0 on KSVM_BUS_FAST_MMIO, where nobody has looked
 * @data: what; NULL there
 *
 * Context: own thread, ring 1 or 2.
 * Return: 0, or -EOPNOTSUPP where no device takes the access.
 */
int ksvm_io_write(struct ksvm_vcpu *vcpu, enum ksvm_bus bus, u64 address, unsigned int bytes,
		  const void *data)
{
	int ret;

	/* With interrupts off it is a reader already. */
	if (vcpu->ring == RING_INNER)
		return bus_write(vcpu, bus, address, bytes, data);
	rcu_read_lock();
	ret = bus_write(vcpu, bus, address, bytes, data);
	rcu_read_unlock();
	return ret;
}

/** ksvm_io_init_vm() - empty buses for @vm */
void ksvm_io_init_vm(struct ksvm *vm)
{
	mutex_init(&vm->io.lock);
}

/**
 * ksvm_io_destroy_vm() - the end of the buses and of the devices that are left on them
 * @vm: the VM, which nobody uses any more
 *
 * Context: may sleep.
 */
void ksvm_io_destroy_vm(struct ksvm *vm)
{
	unsigned int bus, i;

	for (bus = 0; bus < KSVM_BUSES; bus++) {
		struct ksvm_io_bus *last = rcu_dereference_protected(vm->io.buses[bus], true);

		for (i = 0; last && i < last->nr_ranges; i++) {
			struct ksvm_io_device *device = last->ranges[i].device;

			/* One that is at several places goes at the last of them. */
			if (device && !--device->nr_ranges && device->ops->destructor)
				device->ops->destructor(device);
		}
		RCU_INIT_POINTER(vm->io.buses[bus], NULL);
		kvfree(last);
	}
	mutex_destroy(&vm->io.lock);
}
