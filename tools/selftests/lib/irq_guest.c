// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "harness.h"
#include "irq_guest.h"
#include "vm.h"

#define X2APIC_EOI	0x80b
#define X2APIC_SVR	0x80f
#define APIC_BASE_X2	(BIT(10) | BIT(11))
#define SVR_ON		0x1ff

#define IOAPIC_SELECT	0xfec00000ull
#define IOAPIC_WINDOW	0xfec00010ull
#define IOAPIC_PIN(n)	(0x10 + 2 * (n))

#define MSI_ADDRESS	0xfee00000

u64 guest_irq_count[256];

static struct vm *vm_create_with(long cap, const char *what)
{
	struct vm *vm = vm_create();

	need_interrupt_window();
	if (!check_extension(vm->fd, cap))
		test_skip("no %s in the kernel", what);
	return vm;
}

/** irq_vm_create() - a VM with local APICs, I/O APIC and 8259s of the kernel's */
struct vm *irq_vm_create(void)
{
	struct vm *vm = vm_create_with(KVM_CAP_IRQCHIP, "interrupt controllers");

	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	return vm;
}

/** irq_vm_create_split() - a VM with local APICs of the kernel's, and 24 pins elsewhere */
struct vm *irq_vm_create_split(void)
{
	struct vm *vm = vm_create_with(KVM_CAP_SPLIT_IRQCHIP, "local APICs alone");
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 24 };

	xioctl(vm->fd, KVM_ENABLE_CAP, &cap);
	return vm;
}

/** irq_route_msi() - a route from @gsi to @vector of APIC 0 */
struct kvm_irq_routing_entry irq_route_msi(u32 gsi, u32 vector)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = MSI_ADDRESS,
		.u.msi.data = vector,
	};
}

/** irq_route_ioapic() - a route from @gsi to a pin of the I/O APIC */
struct kvm_irq_routing_entry irq_route_ioapic(u32 gsi, u32 pin)
{
	return (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC,
		.u.irqchip.pin = pin,
	};
}

/**
 * irq_set_routes() - the VM's routes from now on
 * @vm: the VM
 * @entries: all of them
 * @n: how many
 */
void irq_set_routes(struct vm *vm, const struct kvm_irq_routing_entry *entries, u32 n)
{
	struct kvm_irq_routing *routing;

	routing = calloc(1, sizeof(*routing) + n * sizeof(*entries));
	routing->nr = n;
	memcpy(routing->entries, entries, n * sizeof(*entries));
	xioctl(vm->fd, KVM_SET_GSI_ROUTING, routing);
	free(routing);
}

extern const char guest_irq_halt[];

/*
 * QEMU loses the interrupt shadow of STI when an exit comes in between: what is taken
 * before the HLT must not be followed by it.
 */
static void guest_count_irq(struct guest_frame *frame)
{
	if (frame->rip == (u64)guest_irq_halt)
		frame->rip++;
	__atomic_fetch_add(&guest_irq_count[frame->vector], 1, __ATOMIC_SEQ_CST);
	wrmsr(X2APIC_EOI, 0);
}

/** guest_irq_init() - switch the APIC on, x2APIC mode, and count what it delivers */
void guest_irq_init(void)
{
	u32 vector;

	for (vector = 0x20; vector < 256; vector++) {
		if (vector != GUEST_USER_END)
			guest_handlers[vector] = guest_count_irq;
	}
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2);
	wrmsr(X2APIC_SVR, SVR_ON);
}

/**
 * guest_irq_wait() - halt until a vector has come
 * @vector: the vector
 * @count: so often, since the guest's begin
 */
void __noinline guest_irq_wait(u32 vector, u64 count)
{
	cli();
	while (READ_ONCE(guest_irq_count[vector]) < count)
		asm volatile("sti\n\t.globl guest_irq_halt\nguest_irq_halt:\n\thlt\n\tcli"
			     : : : "memory");
}

/** guest_irq_window() - take what is pending */
void guest_irq_window(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

/**
 * guest_ioapic_pin() - write a pin's entry
 * @pin: its number
 * @entry: vector, PIN_*; destination APIC 0
 */
void guest_ioapic_pin(u32 pin, u64 entry)
{
	mmio_write32(IOAPIC_SELECT, IOAPIC_PIN(pin) + 1);
	mmio_write32(IOAPIC_WINDOW, entry >> 32);
	mmio_write32(IOAPIC_SELECT, IOAPIC_PIN(pin));
	mmio_write32(IOAPIC_WINDOW, entry);
}
