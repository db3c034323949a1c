// SPDX-License-Identifier: GPL-2.0-only
/* A VM's life and its file. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "internal.h"
#include "vcpu.h"
#include "vm.h"

#define DYING_MAX		64

/* All VMs, and what the vCPUs of those that are gone have counted. */
static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);
static struct ksvm_totals past;

/* Where VMs are freed whose last descriptor is closed, and how many wait there. */
static struct workqueue_struct *free_queue;
static atomic_t dying;

static void add_vcpus(struct ksvm_totals *totals, struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_for_each_vcpu(index, vcpu, vm) {
		totals->exits += READ_ONCE(vcpu->stat.exits);
		totals->slow_exits += READ_ONCE(vcpu->stat.slow_exits);
		totals->user_exits += READ_ONCE(vcpu->stat.user_exits);
		totals->ring_leaves += READ_ONCE(vcpu->stat.ring_leaves);
		totals->npf_fixed += READ_ONCE(vcpu->stat.npf_fixed);
		totals->emulated += READ_ONCE(vcpu->stat.emulated);
		totals->injected += READ_ONCE(vcpu->stat.injected);
		totals->pause_exits += READ_ONCE(vcpu->stat.pause_exits);
		totals->halts += READ_ONCE(vcpu->stat.halts);
		totals->halt_polls += READ_ONCE(vcpu->stat.halt_polls);
		totals->yields += READ_ONCE(vcpu->stat.yields);
		totals->asids += READ_ONCE(vcpu->stat.asids);
		totals->asid_flushes += READ_ONCE(vcpu->stat.asid_flushes);
		totals->asid_generations += READ_ONCE(vcpu->stat.asid_generations);
	}
}

/**
 * ksvm_vm_totals() - add up what all vCPUs have counted
 * @totals: the sums
 *
 * Context: may sleep.
 */
void ksvm_vm_totals(struct ksvm_totals *totals)
{
	struct ksvm *vm;

	mutex_lock(&vms_lock);
	*totals = past;
	list_for_each_entry(vm, &vms, link) {
		totals->vms++;
		totals->vcpus += READ_ONCE(vm->nr_vcpus);
		add_vcpus(totals, vm);
	}
	mutex_unlock(&vms_lock);
}

/*
 * The MMU notifier, timers and eventfds go before the vCPUs: until then they may kick
 * them. No file is left that could run one.
 */
static void vm_free(struct work_struct *work)
{
	struct ksvm *vm = container_of(work, struct ksvm, free_work);
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_mmu_destroy_vm(vm);
	ksvm_irq_destroy_vm(vm);
	ksvm_io_destroy_vm(vm);
	ksvm_for_each_vcpu(index, vcpu, vm)
		ksvm_vcpu_destroy(vcpu);
	xa_destroy(&vm->vcpus);
	mmdrop(vm->mm);
	mutex_destroy(&vm->lock);
	kfree(vm);
	atomic_dec(&dying);
}

static struct ksvm *vm_create(void)
{
	struct ksvm *vm;
	int error;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	refcount_set(&vm->users, 1);
	INIT_WORK(&vm->free_work, vm_free);
	mutex_init(&vm->lock);
	xa_init_flags(&vm->vcpus, XA_FLAGS_ACCOUNT);
	vm->mm = current->mm;
	vm->halt_poll_ns = -1;
	ksvm_contract_vm_created(&vm->contract);

	error = ksvm_enable_get();
	if (error)
		goto free;
	mmgrab(vm->mm);
	ksvm_io_init_vm(vm);
	error = ksvm_irq_init_vm(vm);
	if (error)
		goto put;
	error = ksvm_mmu_init_vm(vm);
	if (error)
		goto destroy_irq;
	ksvm_x86_init_vm(vm);
	vm->x86.identity_map_addr = KSVM_IDENTITY_MAP_DEFAULT;

	mutex_lock(&vms_lock);
	list_add_tail(&vm->link, &vms);
	mutex_unlock(&vms_lock);
	return vm;

destroy_irq:
	ksvm_irq_destroy_vm(vm);
	ksvm_io_destroy_vm(vm);
put:
	mmdrop(vm->mm);
	ksvm_enable_put();
free:
	kfree(vm);
	return ERR_PTR(error);
}

/*
 * Unregistering the notifier waits for a grace period, milliseconds on an idle
 * machine. Nobody needs it to be over when the last descriptor is closed: what
 * is left of the VM goes in the background. Not too many of them, lest who
 * creates VMs in a loop runs ahead of it.
 */
static void vm_destroy(struct ksvm *vm)
{
	mutex_lock(&vms_lock);
	list_del(&vm->link);
	add_vcpus(&past, vm);
	mutex_unlock(&vms_lock);

	ksvm_enable_put();
	if (atomic_inc_return(&dying) > DYING_MAX)
		flush_workqueue(free_queue);
	queue_work(free_queue, &vm->free_work);
}

/** ksvm_vm_get() - take a reference on @vm; the caller has one */
void ksvm_vm_get(struct ksvm *vm)
{
	refcount_inc(&vm->users);
}

/**
 * ksvm_vm_put() - drop a reference; the last one destroys the VM
 * @vm: the VM
 *
 * Context: may sleep; no lock of the VM held.
 */
void ksvm_vm_put(struct ksvm *vm)
{
	if (refcount_dec_and_test(&vm->users))
		vm_destroy(vm);
}

bool ksvm_vm_usable(const struct ksvm *vm)
{
	return vm->mm == current->mm && !READ_ONCE(vm->dead);
}

static long vm_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct ksvm *vm = file->private_data;

	if (!ksvm_vm_usable(vm))
		return -EIO;
	return ioctl_dispatch(&ksvm_vm_ioctls, vm, &vm->lock, command, arg);
}

static int vm_release(struct inode *inode, struct file *file)
{
	ksvm_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = ioctl_compat,
	.release = vm_release,
	.llseek = noop_llseek,
};

/**
 * ksvm_vm_create_fd() - KVM_CREATE_VM
 * @type: the machine type; there is one, 0
 *
 * Context: may sleep.
 * Return: a file descriptor; -EINVAL for another type; -EBUSY where somebody else
 * has SVM; another negative errno.
 */
int ksvm_vm_create_fd(unsigned long type)
{
	struct ksvm *vm;
	int fd;

	if (type)
		return -EINVAL;
	vm = vm_create();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("kvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ksvm_vm_put(vm);
	return fd;
}

/**
 * ksvm_vm_init() - prepare for VMs to come and go
 *
 * Return: 0 or -ENOMEM.
 */
int __init ksvm_vm_init(void)
{
	free_queue = alloc_workqueue("ksvm_free", WQ_UNBOUND, 0);
	return free_queue ? 0 : -ENOMEM;
}

/** ksvm_vm_exit() - wait until the last VM is freed; no new one comes */
void ksvm_vm_exit(void)
{
	destroy_workqueue(free_queue);
	/* Tables of the nested page tables that RCU still has: freed by this module's code. */
	ksvm_mmu_exit();
}
