// SPDX-License-Identifier: GPL-2.0-only
/* A VM's interrupt controllers as a whole: which there are, from when to when. */
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/spinlock.h>

#include "irq_ops.h"
#include "lapic.h"
#include "vm.h"

static const struct ksvm_irq_ops irq_ops = {
	.get_msr = lapic_get_msr,
	.set_msr = lapic_set_msr,
	.set_apic_base = lapic_set_base,
	.set_tpr = ksvm_tpr_changed,
	.read = lapic_mmio_read,
	.write = lapic_mmio_write,
	.tsc_changed = lapic_timer_tsc_changed,
	.reset = lapic_vcpu_reset,
};

/** ksvm_irq_init() - let x86/ reach the local APICs; module load */
void __init ksvm_irq_init(void)
{
	ksvm_irq_ops_register(&irq_ops);
}

/**
 * ksvm_irq_init_vm() - a new VM has no controllers yet
 * @vm: the VM, zeroed
 *
 * Return: 0 or -ENOMEM.
 */
int ksvm_irq_init_vm(struct ksvm *vm)
{
	mutex_init(&vm->irq.lock);
	raw_spin_lock_init(&vm->irq.ack_lock);
	INIT_HLIST_HEAD(&vm->irq.ack_notifiers);
	ksvm_irqfd_init_vm(vm);
	ksvm_ioeventfd_init_vm(vm);
	return ksvm_coalesced_init_vm(vm);
}

/**
 * ksvm_irq_destroy_vm() - nothing drives a line or touches the bus any more
 * @vm: the VM, which no file leads to; before its vCPUs go
 *
 * Context: sleeps.
 */
void ksvm_irq_destroy_vm(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_irqfd_destroy_vm(vm);
	ksvm_ioeventfd_destroy_vm(vm);
	ksvm_coalesced_destroy_vm(vm);
	ksvm_pit_destroy(vm);
	/* Timers of these send to local APICs. */
	ioapic_destroy(vm);
	ksvm_pic_destroy(vm);
	ksvm_for_each_vcpu(index, vcpu, vm)
		ksvm_irq_vcpu_destroy(vcpu);
	routing_destroy(vm);
	dest_map_destroy(vm);
	mutex_destroy(&vm->irq.lock);
}

/**
 * ksvm_create_irqchip() - KVM_CREATE_IRQCHIP
 * @vm: the VM, its lock held
 *
 * Return: 0; -EEXIST where it has controllers; -EINVAL where it has vCPUs; -ENOMEM.
 * Context: may sleep.
 */
int ksvm_create_irqchip(struct ksvm *vm)
{
	int error;

	lockdep_assert_held(&vm->lock);
	if (vm->irq.chip != KSVM_IRQCHIP_NONE)
		return -EEXIST;
	if (vm->nr_vcpus)
		return -EINVAL;
	error = ksvm_pic_create(vm);
	if (error)
		return error;
	error = ioapic_create(vm);
	if (error)
		goto destroy_pic;
	error = routing_init(vm);
	if (error)
		goto destroy_ioapic;
	/* From here on, whoever drives a line finds all of it. */
	smp_store_release(&vm->irq.chip, KSVM_IRQCHIP_KERNEL);
	return 0;

destroy_ioapic:
	ioapic_destroy(vm);
destroy_pic:
	ksvm_pic_destroy(vm);
	return error;
}

/**
 * ksvm_enable_split_irqchip() - KVM_CAP_SPLIT_IRQCHIP
 * @vm: the VM, its lock held
 * @reserved_pins: pins of the user's I/O APIC, whose GSIs are the first
 *
 * Return: 0; -EINVAL for too many pins; -EEXIST where it has controllers or vCPUs; -ENOMEM.
 * Context: may sleep.
 */
int ksvm_enable_split_irqchip(struct ksvm *vm, u64 reserved_pins)
{
	int error;

	lockdep_assert_held(&vm->lock);
	if (reserved_pins > KSVM_RESERVED_PINS_MAX)
		return -EINVAL;
	if (vm->irq.chip != KSVM_IRQCHIP_NONE || vm->nr_vcpus)
		return -EEXIST;
	vm->irq.reserved_pins = reserved_pins;
	error = routing_init(vm);
	if (error)
		return error;
	/* Whoever sees it finds the routes. */
	smp_store_release(&vm->irq.chip, KSVM_IRQCHIP_SPLIT);
	return 0;
}

/**
 * ksvm_get_irqchip() - KVM_GET_IRQCHIP
 * @vm: the VM
 * @chip: which, and filled
 *
 * Return: 0; -ENXIO where the VM has none in the kernel; -EINVAL for one that there is not.
 */
int ksvm_get_irqchip(struct ksvm *vm, struct kvm_irqchip *chip)
{
	if (irqchip_of(vm) != KSVM_IRQCHIP_KERNEL)
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		ksvm_pic_get_state(vm, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_get_state(vm, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * ksvm_set_irqchip() - KVM_SET_IRQCHIP
 * @vm: the VM
 * @chip: which, and what
 *
 * Return: as ksvm_get_irqchip().
 */
int ksvm_set_irqchip(struct ksvm *vm, const struct kvm_irqchip *chip)
{
	if (irqchip_of(vm) != KSVM_IRQCHIP_KERNEL)
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		ksvm_pic_set_state(vm, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_set_state(vm, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}
