/* SPDX-License-Identifier: GPL-2.0-only */
/* VMs with the kernel's 8259 pair, and how a guest sets that up. */
#ifndef SELFTEST_PIC_H
#define SELFTEST_PIC_H

#include "harness.h"
#include "vm.h"

#define MASTER		0x20
#define SLAVE		0xa0
#define ELCR		0x4d0
#define MASTER_BASE	0x30
#define SLAVE_BASE	0x38

#define ICW1		0x11
#define READ_IRR	0x0a
#define READ_ISR	0x0b
#define POLL		0x0c
#define EOI		0x20
#define SPECIFIC_EOI	0x60
#define ROTATE_AEOI	0x80
#define ROTATE_EOI	0xa0
#define SET_PRIORITY	0xc0
#define SPECIAL_MASK	0x68
#define NO_SPECIAL_MASK	0x48

#define APIC_SVR	0xf0
#define APIC_LVT0	0x350
#define LVT_NMI		0x400
#define LVT_EXTINT	0x700
#define LVT_MASKED	0x10000

static inline struct vm *vm_with_irqchip(void)
{
	struct vm *vm = vm_create();

	need_interrupt_window();
	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	return vm;
}

static inline void set_lint0(struct vcpu *vcpu, u32 lvt)
{
	struct kvm_lapic_state apic;

	xioctl(vcpu->fd, KVM_GET_LAPIC, &apic);
	*(u32 *)(apic.regs + APIC_LVT0) = lvt;
	*(u32 *)(apic.regs + APIC_SVR) |= 0x100;
	xioctl(vcpu->fd, KVM_SET_LAPIC, &apic);
}

/* The processor takes the 8259's interrupts at its LINT0 pin, as firmware leaves it. */
static inline struct vcpu *vcpu_with_pic(struct vm *vm, void *entry)
{
	struct vcpu *vcpu = vcpu_create(vm, 0, entry);

	set_lint0(vcpu, LVT_EXTINT);
	return vcpu;
}

/* In the guest: both chips, nothing masked. */
static inline void guest_pic_setup(u8 icw4)
{
	outb(MASTER, ICW1);
	outb(MASTER + 1, MASTER_BASE);
	outb(MASTER + 1, 4);
	outb(MASTER + 1, icw4);
	outb(SLAVE, ICW1);
	outb(SLAVE + 1, SLAVE_BASE);
	outb(SLAVE + 1, 2);
	outb(SLAVE + 1, icw4);
}

#endif
