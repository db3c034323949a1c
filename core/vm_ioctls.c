// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of a VM's file. */
#include <linux/compat.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "vcpu.h"
#include "vm.h"

/* The three pages of the real-mode task state end below 4 GiB. */
#define TSS_ADDR_MAX		(SZ_4G - 3 * PAGE_SIZE)
#define MMU_PAGES_MIN		64

static long vm_create_vcpu(void *object, unsigned long arg, void *data)
{
	return ksvm_vcpu_create_fd(object, arg);
}

static long vm_check_extension(void *object, unsigned long arg, void *data)
{
	return ksvm_check_extension(object, arg);
}

static long vm_enable_cap(void *object, unsigned long arg, void *data)
{
	return ksvm_enable_cap(object, data);
}

static long vm_set_user_memory_region(void *object, unsigned long arg, void *data)
{
	return ksvm_set_memory_region(object, data);
}

static long vm_get_dirty_log(void *object, unsigned long arg, void *data)
{
	struct kvm_dirty_log *log = data;

	/* A 32-bit program fills half of the pointer. */
	if (in_compat_syscall())
		log->padding2 = (u32)log->padding2;
	return ksvm_get_dirty_log(object, log);
}

/* Stored for who asks: AMD processors run real mode without a task state. */
static long vm_set_tss_addr(void *object, unsigned long arg, void *data)
{
	struct ksvm *vm = object;

	if (arg > TSS_ADDR_MAX)
		return -EINVAL;
	vm->x86.tss_addr = arg;
	return 0;
}

/* Likewise: nor do they need an identity-mapped page table. */
static long vm_set_identity_map_addr(void *object, unsigned long arg, void *data)
{
	const u64 *address = data;
	struct ksvm *vm = object;

	if (vm->nr_vcpus)
		return -EINVAL;
	vm->x86.identity_map_addr = *address ?: KSVM_IDENTITY_MAP_DEFAULT;
	return 0;
}

/* The limit is for shadow page tables, and a nested one is all there is. */
static long vm_set_nr_mmu_pages(void *object, unsigned long arg, void *data)
{
	return arg < MMU_PAGES_MIN ? -EINVAL : 0;
}

static long vm_set_boot_cpu_id(void *object, unsigned long arg, void *data)
{
	struct ksvm *vm = object;

	if (vm->nr_vcpus)
		return -EBUSY;
	vm->x86.boot_cpu_id = arg;
	return 0;
}

static long vm_create_irqchip(void *object, unsigned long arg, void *data)
{
	return ksvm_create_irqchip(object);
}

static long vm_irq_line(void *object, unsigned long arg, void *data)
{
	const struct kvm_irq_level *line = data;

	return ksvm_irq_line(object, line->irq, line->level, NULL);
}

static long vm_irq_line_status(void *object, unsigned long arg, void *data)
{
	struct kvm_irq_level *line = data;

	return ksvm_irq_line(object, line->irq, line->level, &line->status);
}

static long vm_set_gsi_routing(void *object, unsigned long arg, void *data)
{
	return ksvm_set_gsi_routing(object, (struct kvm_irq_routing __user *)arg);
}

/* The command has no size, but the argument is a struct. */
static long vm_reinject_control(void *object, unsigned long arg, void *data)
{
	struct kvm_reinject_control control;

	if (copy_from_user(&control, (void __user *)arg, sizeof(control)))
		return -EFAULT;
	return ksvm_set_pit_reinject(object, control.pit_reinject);
}

STRUCT_HANDLER(vm, KVM_GET_IRQCHIP, ksvm_get_irqchip, struct kvm_irqchip)
STRUCT_HANDLER(vm, KVM_SET_IRQCHIP, ksvm_set_irqchip, struct kvm_irqchip)
STRUCT_HANDLER(vm, KVM_CREATE_PIT2, ksvm_create_pit, struct kvm_pit_config)
STRUCT_HANDLER(vm, KVM_GET_PIT2, ksvm_get_pit, struct kvm_pit_state2)
STRUCT_HANDLER(vm, KVM_SET_PIT2, ksvm_set_pit, struct kvm_pit_state2)
STRUCT_HANDLER(vm, KVM_SIGNAL_MSI, ksvm_signal_msi, struct kvm_msi)
STRUCT_HANDLER(vm, KVM_IRQFD, ksvm_irqfd, struct kvm_irqfd)
STRUCT_HANDLER(vm, KVM_IOEVENTFD, ksvm_ioeventfd, struct kvm_ioeventfd)
STRUCT_HANDLER(vm, KVM_REGISTER_COALESCED_MMIO, ksvm_register_coalesced,
	       struct kvm_coalesced_mmio_zone)
STRUCT_HANDLER(vm, KVM_UNREGISTER_COALESCED_MMIO, ksvm_unregister_coalesced,
	       struct kvm_coalesced_mmio_zone)
STRUCT_HANDLER(vm, KVM_GET_CLOCK, ksvm_get_clock, struct kvm_clock_data)
STRUCT_HANDLER(vm, KVM_SET_CLOCK, ksvm_set_clock, struct kvm_clock_data)

static const struct ioctl_row vm_rows[] = {
	/* What a running machine uses comes first. */
	IOCTL_ROW(KVM_IRQ_LINE_STATUS, IOCTL_IN | IOCTL_OUT, vm_irq_line_status),
	IOCTL_ROW(KVM_IRQ_LINE, IOCTL_IN, vm_irq_line),
	IOCTL_ROW(KVM_SIGNAL_MSI, IOCTL_IN, vm_ksvm_signal_msi),
	IOCTL_ROW(KVM_CREATE_VCPU, 0, vm_create_vcpu),
	IOCTL_ROW(KVM_CHECK_EXTENSION, 0, vm_check_extension),
	IOCTL_ROW(KVM_ENABLE_CAP, IOCTL_IN | IOCTL_LOCK, vm_enable_cap),
	IOCTL_ROW(KVM_SET_USER_MEMORY_REGION, IOCTL_IN, vm_set_user_memory_region),
	IOCTL_ROW(KVM_GET_DIRTY_LOG, IOCTL_IN, vm_get_dirty_log),
	IOCTL_ROW(KVM_SET_TSS_ADDR, IOCTL_LOCK, vm_set_tss_addr),
	IOCTL_ROW(KVM_SET_IDENTITY_MAP_ADDR, IOCTL_IN | IOCTL_LOCK, vm_set_identity_map_addr),
	IOCTL_ROW(KVM_SET_NR_MMU_PAGES, 0, vm_set_nr_mmu_pages),
	IOCTL_ROW(KVM_SET_BOOT_CPU_ID, IOCTL_LOCK, vm_set_boot_cpu_id),
	IOCTL_ROW(KVM_CREATE_IRQCHIP, IOCTL_LOCK, vm_create_irqchip),
	IOCTL_ROW(KVM_GET_IRQCHIP, IOCTL_IN | IOCTL_OUT, vm_ksvm_get_irqchip),
	IOCTL_ROW(KVM_SET_IRQCHIP, IOCTL_IN, vm_ksvm_set_irqchip),
	IOCTL_ROW(KVM_SET_GSI_ROUTING, 0, vm_set_gsi_routing),
	IOCTL_ROW(KVM_CREATE_PIT2, IOCTL_IN | IOCTL_LOCK, vm_ksvm_create_pit),
	IOCTL_ROW(KVM_GET_PIT2, IOCTL_OUT, vm_ksvm_get_pit),
	IOCTL_ROW(KVM_SET_PIT2, IOCTL_IN, vm_ksvm_set_pit),
	IOCTL_ROW(KVM_REINJECT_CONTROL, 0, vm_reinject_control),
	IOCTL_ROW(KVM_IRQFD, IOCTL_IN, vm_ksvm_irqfd),
	IOCTL_ROW(KVM_IOEVENTFD, IOCTL_IN, vm_ksvm_ioeventfd),
	IOCTL_ROW(KVM_REGISTER_COALESCED_MMIO, IOCTL_IN, vm_ksvm_register_coalesced),
	IOCTL_ROW(KVM_UNREGISTER_COALESCED_MMIO, IOCTL_IN, vm_ksvm_unregister_coalesced),
	IOCTL_ROW(KVM_GET_CLOCK, IOCTL_OUT, vm_ksvm_get_clock),
	IOCTL_ROW(KVM_SET_CLOCK, IOCTL_IN, vm_ksvm_set_clock),
};

const struct ioctl_table ksvm_vm_ioctls = {
	.file = "vm",
	.rows = vm_rows,
	.count = ARRAY_SIZE(vm_rows),
	.missing = -ENOTTY,
};
