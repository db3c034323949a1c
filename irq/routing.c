// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where each GSI leads: to pins of the controllers, or to a message. A table is replaced
 * as a whole and read under RCU; once KVM_SET_GSI_ROUTING has returned, the old one is in
 * nobody's hands.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "lapic.h"
#include "vm.h"

#define CHIPS		3
#define CHIP_PINS	KSVM_IOAPIC_PINS
#define PIC_PINS	8
#define NO_GSI		0xffff

/**
 * struct route - one way that a GSI goes
 * @gsi: which
 * @msi: it is a message, else a pin
 * @chip: KVM_IRQCHIP_*
 * @pin: of @chip
 * @address_lo: where the message is written
 * @address_hi: likewise
 * @data: what
 */
struct route {
	u16 gsi;
	bool msi;
	u8 chip;
	u8 pin;
	u32 address_lo;
	u32 address_hi;
	u32 data;
};

/**
 * struct ksvm_irq_routing - a VM's routes; constant once published
 * @gsi_of_pin: by chip and pin; NO_GSI where none leads there
 * @first: by GSI: where its routes begin; one more entry for the end
 * @routes: in the order of their GSIs
 */
struct ksvm_irq_routing {
	u16 gsi_of_pin[CHIPS][CHIP_PINS];
	u16 first[KSVM_IRQ_ROUTES_MAX + 1];
	struct route routes[];
};

static int set_pin(struct ksvm *vm, const struct route *route, enum ksvm_irq_source source,
		   bool level)
{
	switch (route->chip) {
	case KVM_IRQCHIP_PIC_MASTER:
		return ksvm_pic_set_irq(vm, route->pin, source, level);
	case KVM_IRQCHIP_PIC_SLAVE:
		return ksvm_pic_set_irq(vm, route->pin + PIC_PINS, source, level);
	default:
		return ioapic_set_irq(vm, route->pin, source, level);
	}
}

static int set_route(struct ksvm *vm, const struct route *route, enum ksvm_irq_source source,
		     bool level)
{
	struct irq_message message;

	if (!route->msi)
		return set_pin(vm, route, source, level);
	if (!level)
		return -1;
	message = irq_message_of_msi(vm, route->address_lo, route->address_hi, route->data);
	return irq_deliver(vm, &message);
}

int ksvm_set_irq(struct ksvm *vm, enum ksvm_irq_source source, u32 gsi, bool level)
{
	const struct ksvm_irq_routing *routing;
	int taken, all = -1;
	unsigned int i;

	if (gsi >= KSVM_IRQ_ROUTES_MAX)
		return -1;
	rcu_read_lock();
	routing = rcu_dereference(vm->irq.routing);
	for (i = routing->first[gsi]; i < routing->first[gsi + 1]; i++) {
		taken = set_route(vm, &routing->routes[i], source, level);
		if (taken >= 0)
			all = max(all, 0) + taken;
	}
	rcu_read_unlock();
	return all;
}

/**
 * ksvm_irq_line() - KVM_IRQ_LINE and KVM_IRQ_LINE_STATUS
 * @vm: the VM
 * @gsi: which line
 * @level: up or down
 * @status: filled, if not NULL: what ksvm_set_irq() returned
 *
 * Return: 0; -ENXIO where the VM has no controllers in the kernel.
 */
int ksvm_irq_line(struct ksvm *vm, u32 gsi, bool level, int *status)
{
	int taken;

	if (irqchip_of(vm) == KSVM_IRQCHIP_NONE)
		return -ENXIO;
	taken = ksvm_set_irq(vm, KSVM_IRQ_SOURCE_USER, gsi, level);
	if (status)
		*status = taken;
	return 0;
}

/* The GSI that leads to a pin, with rcu_read_lock() held. */
static u32 gsi_of_pin(struct ksvm *vm, unsigned int chip, unsigned int pin)
{
	const struct ksvm_irq_routing *routing = rcu_dereference(vm->irq.routing);

	return routing ? routing->gsi_of_pin[chip][pin] : NO_GSI;
}

void ksvm_irq_acked(struct ksvm *vm, unsigned int chip, unsigned int pin)
{
	struct ksvm_ack_notifier *notifier;
	u32 gsi;

	if (hlist_empty(&vm->irq.ack_notifiers))
		return;
	rcu_read_lock();
	gsi = gsi_of_pin(vm, chip, pin);
	if (gsi != NO_GSI) {
		hlist_for_each_entry_rcu(notifier, &vm->irq.ack_notifiers, link) {
			if (notifier->gsi == gsi)
				notifier->acked(notifier);
		}
	}
	rcu_read_unlock();
}

bool ksvm_irq_has_notifier(struct ksvm *vm, unsigned int chip, unsigned int pin)
{
	struct ksvm_ack_notifier *notifier;
	bool found = false;
	u32 gsi;

	rcu_read_lock();
	gsi = gsi_of_pin(vm, chip, pin);
	if (gsi != NO_GSI) {
		hlist_for_each_entry_rcu(notifier, &vm->irq.ack_notifiers, link)
			found |= notifier->gsi == gsi;
	}
	rcu_read_unlock();
	return found;
}

void ksvm_ack_register(struct ksvm *vm, struct ksvm_ack_notifier *notifier)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->irq.ack_lock, flags);
	hlist_add_head_rcu(&notifier->link, &vm->irq.ack_notifiers);
	raw_spin_unlock_irqrestore(&vm->irq.ack_lock, flags);
	if (vm->irq.ioapic)
		ioapic_update_watch(vm);
}

void ksvm_ack_unregister(struct ksvm *vm, struct ksvm_ack_notifier *notifier)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->irq.ack_lock, flags);
	hlist_del_init_rcu(&notifier->link);
	raw_spin_unlock_irqrestore(&vm->irq.ack_lock, flags);
	synchronize_rcu_expedited();
}

/* One user's entry; GSIs beyond the table are refused. */
static int route_of_user(const struct ksvm *vm, const struct kvm_irq_routing_entry *entry,
			 struct route *route)
{
	u32 pins = entry->u.irqchip.irqchip == KVM_IRQCHIP_IOAPIC ? KSVM_IOAPIC_PINS : PIC_PINS;

	if (entry->gsi >= KSVM_IRQ_ROUTES_MAX)
		return -EINVAL;
	*route = (struct route) { .gsi = entry->gsi };
	switch (entry->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (entry->flags || vm->irq.chip == KSVM_IRQCHIP_SPLIT ||
		    entry->u.irqchip.irqchip > KVM_IRQCHIP_IOAPIC ||
		    entry->u.irqchip.pin >= pins)
			return -EINVAL;
		route->chip = entry->u.irqchip.irqchip;
		route->pin = entry->u.irqchip.pin;
		return 0;
	case KVM_IRQ_ROUTING_MSI:
		if ((entry->flags & ~KVM_MSI_VALID_DEVID) ||
		    (vm->irq.x2apic_32bit && (entry->u.msi.address_hi & 0xff)))
			return -EINVAL;
		route->msi = true;
		route->address_lo = entry->u.msi.address_lo;
		route->address_hi = entry->u.msi.address_hi;
		route->data = entry->u.msi.data;
		return 0;
	default:
		return -EINVAL;
	}
}

/* A GSI ends at each chip once, or at one message. */
static bool route_conflicts(const struct route *route, const struct route *other)
{
	return route->msi || other->msi || route->chip == other->chip;
}

/* Put @route behind those of its GSI that are there; counts have become places. */
static int place_route(struct ksvm_irq_routing *routing, const struct route *route, u16 *used)
{
	struct route *of_gsi = &routing->routes[routing->first[route->gsi]];
	unsigned int i;

	for (i = 0; i < used[route->gsi]; i++) {
		if (route_conflicts(route, &of_gsi[i]))
			return -EINVAL;
	}
	of_gsi[used[route->gsi]++] = *route;
	if (!route->msi)
		routing->gsi_of_pin[route->chip][route->pin] = route->gsi;
	return 0;
}

static struct ksvm_irq_routing *routing_alloc(unsigned int count)
{
	struct ksvm_irq_routing *routing;

	routing = kvzalloc(struct_size(routing, routes, count), GFP_KERNEL_ACCOUNT);
	if (routing)
		memset(routing->gsi_of_pin, 0xff, sizeof(routing->gsi_of_pin));
	return routing;
}

/* A table of @count entries, whatever their order; ERR_PTR. */
static struct ksvm_irq_routing *routing_build(const struct ksvm *vm,
					      const struct kvm_irq_routing_entry *entries,
					      unsigned int count)
{
	struct ksvm_irq_routing *routing = routing_alloc(count);
	u16 *used = kvcalloc(KSVM_IRQ_ROUTES_MAX, sizeof(*used), GFP_KERNEL_ACCOUNT);
	struct route route;
	int error = -ENOMEM;
	unsigned int i;

	if (!routing || !used)
		goto fail;
	for (i = 0; i < count; i++) {
		error = route_of_user(vm, &entries[i], &route);
		if (error)
			goto fail;
		routing->first[route.gsi + 1]++;
	}
	for (i = 0; i < KSVM_IRQ_ROUTES_MAX; i++)
		routing->first[i + 1] += routing->first[i];
	for (i = 0; i < count; i++) {
		route_of_user(vm, &entries[i], &route);
		error = place_route(routing, &route, used);
		if (error)
			goto fail;
	}
	kvfree(used);
	return routing;

fail:
	kvfree(used);
	kvfree(routing);
	return ERR_PTR(error);
}

/*
 * Once a vector has been level-triggered it stays watched: it may be in service when its
 * route goes, and an exit for nothing is harmless.
 */
static void watch_split(struct ksvm *vm, const struct ksvm_irq_routing *routing)
{
	unsigned int i, end = routing->first[vm->irq.reserved_pins];

	lockdep_assert_held(&vm->irq.lock);
	for (i = 0; i < end; i++) {
		const struct route *route = &routing->routes[i];
		struct irq_message message = irq_message_of_msi(vm, route->address_lo,
								route->address_hi, route->data);

		if (route->msi && message.level)
			set_bit(message.vector, vm->irq.split_eoi);
	}
}

static void routing_publish(struct ksvm *vm, struct ksvm_irq_routing *routing)
{
	struct ksvm_irq_routing *old;

	mutex_lock(&vm->irq.lock);
	watch_split(vm, routing);
	old = rcu_replace_pointer(vm->irq.routing, routing, lockdep_is_held(&vm->irq.lock));
	mutex_unlock(&vm->irq.lock);
	if (vm->irq.ioapic)
		ioapic_update_watch(vm);
	if (!old)
		return;
	synchronize_rcu_expedited();
	kvfree(old);
}

/**
 * ksvm_set_gsi_routing() - KVM_SET_GSI_ROUTING
 * @vm: the VM
 * @user: header and entries, which replace all that there are
 *
 * Return: 0; -EINVAL without controllers in the kernel, for flags, for more than
 * KSVM_IRQ_ROUTES_MAX entries, for an entry that means nothing, and for a GSI that would
 * end at the same chip twice; -EFAULT, -ENOMEM. Nothing has changed then.
 * Context: may sleep.
 */
int ksvm_set_gsi_routing(struct ksvm *vm, struct kvm_irq_routing __user *user)
{
	struct kvm_irq_routing_entry *entries = NULL;
	struct ksvm_irq_routing *routing;
	struct kvm_irq_routing header;

	if (copy_from_user(&header, user, sizeof(header)))
		return -EFAULT;
	if (irqchip_of(vm) == KSVM_IRQCHIP_NONE || header.nr > KSVM_IRQ_ROUTES_MAX || header.flags)
		return -EINVAL;
	if (header.nr) {
		entries = vmemdup_user(user->entries, array_size(header.nr, sizeof(*entries)));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	routing = routing_build(vm, entries, header.nr);
	kvfree(entries);
	if (IS_ERR(routing))
		return PTR_ERR(routing);
	routing_publish(vm, routing);
	return 0;
}

/* 0 to 15 at both, the timer's and the cascade's included; the rest at the I/O APIC. */
static unsigned int default_entries(struct kvm_irq_routing_entry *entries)
{
	unsigned int gsi, count = 0;

	for (gsi = 0; gsi < KSVM_IOAPIC_PINS; gsi++) {
		struct kvm_irq_routing_entry *entry = &entries[count++];

		entry->gsi = gsi;
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		entry->u.irqchip.pin = gsi;
		if (gsi >= 2 * PIC_PINS)
			continue;
		entry = &entries[count++];
		entry->gsi = gsi;
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER :
							    KVM_IRQCHIP_PIC_SLAVE;
		entry->u.irqchip.pin = gsi % PIC_PINS;
	}
	return count;
}

/**
 * routing_init() - the routes that a VM has until it sets its own
 * @vm: the VM, whose controllers are about to be there
 *
 * With a split irqchip there are none.
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int routing_init(struct ksvm *vm)
{
	struct kvm_irq_routing_entry *entries;
	struct ksvm_irq_routing *routing;
	unsigned int count = 0;

	entries = kcalloc(KSVM_IOAPIC_PINS + 2 * PIC_PINS, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	if (vm->irq.ioapic)
		count = default_entries(entries);
	routing = routing_build(vm, entries, count);
	kfree(entries);
	if (IS_ERR(routing))
		return PTR_ERR(routing);
	routing_publish(vm, routing);
	return 0;
}

/** routing_destroy() - nobody drives a line any more */
void routing_destroy(struct ksvm *vm)
{
	kvfree(rcu_dereference_raw(vm->irq.routing));
}
