// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's life, its file and the pages that it shares with user space. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/gfp.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "internal.h"
#include "vcpu.h"
#include "vm.h"
#include "x86_ops.h"

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct ksvm_vcpu *vcpu = vmf->vma->vm_file->private_data;
	struct page *page;

	switch (vmf->pgoff) {
	case 0:
		page = virt_to_page(vcpu->run);
		break;
	case KVM_PIO_PAGE_OFFSET:
		page = virt_to_page(vcpu->pio_data);
		break;
	case KVM_COALESCED_MMIO_PAGE_OFFSET:
		page = virt_to_page(vcpu->vm->irq.coalesced.ring);
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static long vcpu_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct ksvm_vcpu *vcpu = file->private_data;

	if (!ksvm_vm_usable(vcpu->vm))
		return -EIO;
	return ioctl_dispatch(&ksvm_vcpu_ioctls, vcpu, &vcpu->mutex, command, arg);
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct ksvm_vcpu *vcpu = file->private_data;

	ksvm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = ioctl_compat,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};

static void free_pages_shared(struct ksvm_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->pio_data);
	free_page((unsigned long)vcpu->run);
}

static struct ksvm_vcpu *vcpu_create(struct ksvm *vm, int id)
{
	struct ksvm_vcpu *vcpu;
	int error = -ENOMEM;

	vcpu = static_call(ksvm_x86_vcpu_alloc)(vm);
	if (IS_ERR(vcpu))
		return vcpu;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->inner_cpu = -1;
	vcpu->last_cpu = -1;
	vcpu->mp_state = KVM_MP_STATE_RUNNABLE;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);

	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->pio_data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run || !vcpu->pio_data)
		goto free;
	error = ksvm_x86_vcpu_create(vcpu);
	if (error)
		goto free;
	ksvm_x86_vcpu_reset(vcpu, false);
	return vcpu;

free:
	free_pages_shared(vcpu);
	static_call(ksvm_x86_vcpu_free)(vcpu);
	return ERR_PTR(error);
}

/**
 * ksvm_vcpu_destroy() - free a vCPU
 * @vcpu: one that nobody can reach any more: its VM goes
 *
 * Context: may sleep.
 */
void ksvm_vcpu_destroy(struct ksvm_vcpu *vcpu)
{
	ksvm_irq_vcpu_destroy(vcpu);
	ksvm_x86_vcpu_destroy(vcpu);
	free_pages_shared(vcpu);
	mutex_destroy(&vcpu->mutex);
	static_call(ksvm_x86_vcpu_free)(vcpu);
}

static int check_id(struct ksvm *vm, unsigned long id)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	lockdep_assert_held(&vm->lock);
	if (id >= (vm->vcpu_id_limit ?: KSVM_VCPU_ID_MAX) || vm->nr_vcpus >= KSVM_VCPUS_MAX)
		return -EINVAL;
	ksvm_for_each_vcpu(index, vcpu, vm) {
		if (vcpu->id == id)
			return -EEXIST;
	}
	return 0;
}

/*
 * All that can fail comes before the vCPU is published; from then on, whoever
 * looks through the VM's vCPUs may reach it, and so may user space by its file.
 */
static int vcpu_publish(struct ksvm_vcpu *vcpu)
{
	struct ksvm *vm = vcpu->vm;
	struct file *file;
	char name[24];
	int fd, error;

	lockdep_assert_held(&vm->lock);
	vcpu->index = vm->nr_vcpus;
	error = xa_reserve(&vm->vcpus, vcpu->index, GFP_KERNEL_ACCOUNT);
	if (error)
		return error;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		error = fd;
		goto release_index;
	}
	snprintf(name, sizeof(name), "kvm-vcpu:%d", vcpu->id);
	file = anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		error = PTR_ERR(file);
		goto put_fd;
	}

	ksvm_vm_get(vm);
	xa_store(&vm->vcpus, vcpu->index, vcpu, GFP_KERNEL_ACCOUNT);
	WRITE_ONCE(vm->nr_vcpus, vm->nr_vcpus + 1);
	ksvm_irq_vcpu_published(vcpu);
	fd_install(fd, file);
	return fd;

put_fd:
	put_unused_fd(fd);
release_index:
	xa_release(&vm->vcpus, vcpu->index);
	return error;
}

/**
 * ksvm_vcpu_create_fd() - KVM_CREATE_VCPU
 * @vm: the VM
 * @id: the vCPU's number, its APIC id
 *
 * Context: may sleep; takes @vm's lock.
 * Return: a file descriptor; -EINVAL for an id out of bounds or a vCPU too many;
 * -EEXIST for an id in use; another negative errno.
 */
int ksvm_vcpu_create_fd(struct ksvm *vm, unsigned long id)
{
	struct ksvm_vcpu *vcpu;
	int ret;

	if (id >= KSVM_VCPU_ID_MAX)
		return -EINVAL;
	vcpu = vcpu_create(vm, id);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);

	mutex_lock(&vm->lock);
	ret = check_id(vm, id);
	if (!ret)
		ret = ksvm_irq_vcpu_create(vcpu);
	if (!ret)
		ret = vcpu_publish(vcpu);
	mutex_unlock(&vm->lock);
	if (ret < 0)
		ksvm_vcpu_destroy(vcpu);
	return ret;
}
