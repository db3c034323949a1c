/* SPDX-License-Identifier: GPL-2.0-only */
/* The VM's I/O buses: which device of the kernel's answers at an address. */
#ifndef KSVM_IO_BUS_H
#define KSVM_IO_BUS_H

#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct ksvm;
struct ksvm_vcpu;
struct ksvm_io_bus;
struct ksvm_io_device;

/**
 * enum ksvm_bus - address spaces in which a device can be
 * @KSVM_BUS_PIO: I/O ports
 * @KSVM_BUS_MMIO: guest-physical addresses
 * @KSVM_BUS_FAST_MMIO: likewise, for devices that a write of any size and value
 *	reaches: it is not decoded
 */
enum ksvm_bus {
	KSVM_BUS_PIO,
	KSVM_BUS_MMIO,
	KSVM_BUS_FAST_MMIO,
	KSVM_BUSES,
};

/**
 * struct ksvm_io_device_ops - what a device does
 * @read: fill @data with @bytes from @address
 * @write: take them
 * @destructor: the device is on no bus any more; may sleep
 *
 * Any of them may be NULL: without @read or @write no such access is for the device.
 * @read and @write return 0, or -EOPNOTSUPP where the access is not for this device
 * and the next one at the address, or user space, is asked. They are called in ring 2
 * with interrupts off or in ring 1 inside rcu_read_lock(), and never sleep; what they
 * lock is locked with interrupts off everywhere. @vcpu is the caller's.
 */
struct ksvm_io_device_ops {
	int (*read)(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
		    unsigned int bytes, void *data);
	int (*write)(struct ksvm_vcpu *vcpu, struct ksvm_io_device *device, u64 address,
		     unsigned int bytes, const void *data);
	void (*destructor)(struct ksvm_io_device *device);
};

/**
 * struct ksvm_io_device - a device; embedded in its own struct
 * @ops: constant
 * @nr_ranges: how many places it has, on all buses; 0 before it has one; @lock of
 *	struct ksvm_io
 */
struct ksvm_io_device {
	const struct ksvm_io_device_ops *ops;
	unsigned int nr_ranges;
};

/**
 * struct ksvm_io - a VM's buses
 * @lock: changes of the buses; may sleep; inside vm->lock
 * @buses: what is where; RCU, replaced as a whole under @lock
 */
struct ksvm_io {
	struct mutex lock;	/* changes of @buses */
	struct ksvm_io_bus __rcu *buses[KSVM_BUSES];
};

void ksvm_io_init_vm(struct ksvm *vm);
/* Calls the destructors of all devices that are left; nobody uses the VM any more. */
void ksvm_io_destroy_vm(struct ksvm *vm);

/*
 * Put a device at [address, address + bytes). Several may overlap: the one that was
 * registered first is asked first. May sleep. 0, -ENOMEM, -ENOSPC for too many,
 * -EINVAL for a range that wraps or is empty.
 */
int ksvm_io_register(struct ksvm *vm, enum ksvm_bus bus, u64 address, u64 bytes,
		     struct ksvm_io_device *device);
/*
 * Take a device off a bus: all its ranges there. Sleeps until nobody is inside its
 * ops any more. The destructor is left to the caller.
 */
void ksvm_io_unregister(struct ksvm *vm, enum ksvm_bus bus, struct ksvm_io_device *device);

/* Was nothing ever put on the bus? Asked first where that is what is to be expected. */
static inline bool ksvm_io_is_unused(const struct ksvm_io *io, enum ksvm_bus bus)
{
	return !rcu_access_pointer(io->buses[bus]);
}

/*
 * Own thread, ring 1 or 2. 0, or -EOPNOTSUPP where no device takes the access. On
 * KSVM_BUS_FAST_MMIO @bytes is 0 and @data NULL.
 */
int ksvm_io_read(struct ksvm_vcpu *vcpu, enum ksvm_bus bus, u64 address, unsigned int bytes,
		 void *data);
int ksvm_io_write(struct ksvm_vcpu *vcpu, enum ksvm_bus bus, u64 address, unsigned int bytes,
		  const void *data);

#endif
