/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSVM_CORE_INTERNAL_H
#define KSVM_CORE_INTERNAL_H

#include <linux/fs.h>
#include <linux/init.h>
#include <linux/types.h>

struct ksvm;
struct ksvm_vcpu;
struct ksvm_x86_init_ops;
struct kvm_enable_cap;
struct mutex;

#define KSVM_IDENTITY_MAP_DEFAULT	0xfffbc000

/* Pages of a vCPU's mapping: struct kvm_run, port data, the VM's ring of coalesced writes. */
#define KSVM_RUN_PAGES	3

/* What the dispatcher does around a handler; the size is the command's. */
#define IOCTL_IN	BIT(0)	/* copy the argument's struct in */
#define IOCTL_OUT	BIT(1)	/* copy it out unless the handler fails */
#define IOCTL_LOCK	BIT(2)	/* hold the object's mutex over the handler */

/**
 * struct ioctl_row - an ioctl that a file offers
 * @command: the whole 32-bit command: low bytes are used twice
 * @name: as in <linux/kvm.h>
 * @flags: IOCTL_*
 * @handler: @object is the file's; @arg is the ioctl's argument; @data is the
 *	copied struct, NULL without IOCTL_IN and IOCTL_OUT, zeroes without
 *	IOCTL_IN. Returns what the ioctl does
 */
struct ioctl_row {
	unsigned int command;
	const char *name;
	unsigned int flags;
	long (*handler)(void *object, unsigned long arg, void *data);
};

#define IOCTL_ROW(command, flags, handler) { command, #command, flags, handler }

/*
 * Gives a function that gets or sets one struct the handler's type: @file##_@function.
 * The function's prototype and the size in the command say the same, or this does not
 * compile.
 */
#define STRUCT_HANDLER(file, command, function, type)				\
static long file##_##function(void *object, unsigned long arg, void *data)	\
{										\
	type *typed = data;							\
										\
	static_assert(_IOC_SIZE(command) == sizeof(type));			\
	return function(object, typed);						\
}

/**
 * struct ioctl_table - all ioctls of a kind of file
 * @file: which kind
 * @rows: the offers
 * @count: of @rows
 * @missing: answer to all others: KVM's for that kind of file
 */
struct ioctl_table {
	const char *file;
	const struct ioctl_row *rows;
	unsigned int count;
	int missing;
};

/* ioctl.c */
long ioctl_dispatch(const struct ioctl_table *table, void *object, struct mutex *lock,
		    unsigned int command, unsigned long arg);
long ioctl_compat(struct file *file, unsigned int command, unsigned long arg);

extern const struct ioctl_table ksvm_system_ioctls;
extern const struct ioctl_table ksvm_vm_ioctls;
extern const struct ioctl_table ksvm_vcpu_ioctls;

/* node.c */
int __init ksvm_node_init(void);
void ksvm_node_exit(void);

/* enable.c */
int __init ksvm_enable_init(const struct ksvm_x86_init_ops *ops);
void ksvm_enable_exit(void);
int ksvm_enable_get(void);
void ksvm_enable_put(void);

/* debugfs.c */
void __init ksvm_debugfs_init(void);
void ksvm_debugfs_exit(void);

/* caps.c */
int ksvm_check_extension(struct ksvm *vm, unsigned long number);
int ksvm_enable_cap(struct ksvm *vm, const struct kvm_enable_cap *cap);

/**
 * struct ksvm_totals - what debugfs ksvm/stats shows
 * @vms: VMs that exist
 * @vcpus: their vCPUs
 * @exits: and the rest: sums over all vCPUs since the module was loaded; see
 *	struct ksvm_vcpu_stat
 */
struct ksvm_totals {
	u64 vms;
	u64 vcpus;
	u64 exits;
	u64 slow_exits;
	u64 user_exits;
	u64 ring_leaves;
	u64 npf_fixed;
	u64 emulated;
	u64 injected;
	u64 pause_exits;
	u64 halts;
	u64 halt_polls;
	u64 yields;
	u64 asids;
	u64 asid_flushes;
	u64 asid_generations;
};

/* vm.c */
int __init ksvm_vm_init(void);
void ksvm_vm_exit(void);
int ksvm_vm_create_fd(unsigned long type);
void ksvm_vm_get(struct ksvm *vm);
void ksvm_vm_put(struct ksvm *vm);
void ksvm_vm_totals(struct ksvm_totals *totals);

/* vcpu.c */
int ksvm_vcpu_create_fd(struct ksvm *vm, unsigned long id);
void ksvm_vcpu_destroy(struct ksvm_vcpu *vcpu);

/* halt.c */
void ksvm_vcpu_halt(struct ksvm_vcpu *vcpu);

/* yield.c */
void ksvm_vcpu_yield(struct ksvm_vcpu *vcpu);

/* run.c */
int ksvm_vcpu_run(struct ksvm_vcpu *vcpu);

/*
 * An ioctl of a VM or of its vCPUs fails with EIO where the caller has another
 * address space than the VM's creator (the memory slots name that one), or
 * where the VM is dead.
 */
bool ksvm_vm_usable(const struct ksvm *vm);

#endif
