// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which local APICs a destination means, so that an IPI costs as much as it has targets.
 *
 * The map is made anew whenever an id, a logical id or a mode changes, which is rare, and
 * read under RCU. Where it does not say, all APICs are asked in turn, by dest_match().
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "dest_table.h"
#include "kick.h"
#include "lapic.h"
#include "vm.h"

/**
 * struct ksvm_dest_map - APICs by destination; constant once published
 * @rcu: frees it
 * @table: of struct ksvm_lapic
 */
struct ksvm_dest_map {
	struct rcu_head rcu;
	struct dest_table table;
};

/* As a destination sees it. */
static struct dest_apic target_of(const struct ksvm_lapic *apic)
{
	bool x2apic = lapic_is_x2apic(apic);

	return (struct dest_apic) {
		.x2apic = x2apic,
		.id = lapic_id(apic),
		.ldr = x2apic ? lapic_get(apic, LAPIC_LDR) : lapic_get(apic, LAPIC_LDR) >> 24,
		.model = lapic_get(apic, LAPIC_DFR) >> 28,
	};
}

static u32 ids_needed(struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;
	u32 count = 0;

	ksvm_for_each_vcpu(index, vcpu, vm)
		count = max(count, max_t(u32, vcpu->id, lapic_id(vcpu->apic)) + 1);
	return count;
}

static struct ksvm_dest_map *map_create(u32 nr_ids)
{
	struct ksvm_dest_map *map;

	map = kvzalloc(struct_size(map, table.physical, nr_ids), GFP_KERNEL_ACCOUNT);
	if (map)
		map->table.nr_ids = nr_ids;
	return map;
}

static void map_fill(struct ksvm_dest_map *map, struct ksvm *vm)
{
	struct ksvm_vcpu *vcpu;
	struct dest_apic target;
	unsigned long index;

	ksvm_for_each_vcpu(index, vcpu, vm) {
		if (!lapic_hw_enabled(vcpu->apic))
			continue;
		target = target_of(vcpu->apic);
		dest_table_add(&map->table, &target, vcpu->apic);
	}
}

/**
 * dest_map_update() - ids or modes of APICs have changed
 * @vm: the VM
 *
 * Without memory for the new map, everybody is asked in turn until there is some.
 *
 * Context: may sleep.
 */
void dest_map_update(struct ksvm *vm)
{
	struct ksvm_dest_map *map, *old;

	mutex_lock(&vm->irq.lock);
	map = map_create(ids_needed(vm));
	if (map)
		map_fill(map, vm);
	old = rcu_replace_pointer(vm->irq.map, map, lockdep_is_held(&vm->irq.lock));
	mutex_unlock(&vm->irq.lock);
	if (old)
		kvfree_rcu(old, rcu);
}

/** dest_map_destroy() - nobody sends anything any more */
void dest_map_destroy(struct ksvm *vm)
{
	kvfree(rcu_dereference_raw(vm->irq.map));
}

static bool lookup(const struct ksvm_dest_map *map, const struct dest *dest,
		   struct dest_targets *targets)
{
	return map && dest_table_lookup(&map->table, dest, targets);
}

static bool matches(const struct ksvm_lapic *apic, const struct dest *dest)
{
	const struct dest_apic target = target_of(apic);

	return lapic_hw_enabled(apic) && dest_match(dest, &target);
}

/* The better one of two that both could take it: lower priority, or fewer so far. */
static struct ksvm_lapic *lower(struct ksvm_lapic *best, struct ksvm_lapic *apic)
{
	u8 priority, best_priority;

	if (!lapic_sw_enabled(apic))
		return best;
	if (!best)
		return apic;
	priority = lapic_current_ppr(apic) >> 4;
	best_priority = lapic_current_ppr(best) >> 4;
	if (priority != best_priority)
		return priority < best_priority ? apic : best;
	return (s32)(READ_ONCE(apic->arbitration) - READ_ONCE(best->arbitration)) < 0 ? apic : best;
}

/**
 * struct delivery - a message being handed out
 * @message: it
 * @best: where it goes to one only: to whom so far
 * @taken: the result so far
 */
struct delivery {
	const struct irq_message *message;
	struct ksvm_lapic *best;
	int taken;
};

static void send(struct delivery *delivery, struct ksvm_lapic *apic)
{
	const struct irq_message *message = delivery->message;
	int taken;

	if (message->lowest) {
		delivery->best = lower(delivery->best, apic);
		return;
	}
	taken = lapic_accept(apic, message->mode, message->vector, message->level);
	if (taken < 0)
		return;
	delivery->taken = max(delivery->taken, 0) + taken;
}

static int finish(struct delivery *delivery)
{
	const struct irq_message *message = delivery->message;
	struct ksvm_lapic *best = delivery->best;

	if (!best)
		return delivery->taken;
	WRITE_ONCE(best->arbitration, READ_ONCE(best->arbitration) + 1);
	return lapic_accept(best, IRQ_MODE_FIXED, message->vector, message->level);
}

static void send_matching(struct ksvm *vm, struct delivery *delivery)
{
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_for_each_vcpu(index, vcpu, vm) {
		if (matches(vcpu->apic, &delivery->message->dest))
			send(delivery, vcpu->apic);
	}
}

/**
 * irq_deliver() - deliver a message to whom its destination means
 * @vm: the VM, with local APICs in the kernel; any context
 * @message: it
 *
 * Return: how many took it; 0 where it merged with one that waits; -1: nobody did.
 */
int irq_deliver(struct ksvm *vm, const struct irq_message *message)
{
	struct delivery delivery = { .message = message, .taken = -1 };
	struct dest_targets targets;
	unsigned int bit;

	rcu_read_lock_sched();
	if (lookup(rcu_dereference_sched(vm->irq.map), &message->dest, &targets)) {
		for_each_set_bit(bit, &targets.mask, DEST_X2APIC_TARGETS) {
			if (targets.apics[bit])
				send(&delivery, targets.apics[bit]);
		}
	} else {
		send_matching(vm, &delivery);
	}
	rcu_read_unlock_sched();
	return finish(&delivery);
}

/**
 * irq_deliver_all() - deliver a message to all
 * @vm: the VM, with local APICs in the kernel; any context
 * @except: but to this one, if not NULL
 * @message: it; its destination does not count
 *
 * Return: as irq_deliver().
 */
int irq_deliver_all(struct ksvm *vm, struct ksvm_lapic *except,
		    const struct irq_message *message)
{
	struct delivery delivery = { .message = message, .taken = -1 };
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	ksvm_for_each_vcpu(index, vcpu, vm) {
		if (vcpu->apic != except && lapic_hw_enabled(vcpu->apic))
			send(&delivery, vcpu->apic);
	}
	return finish(&delivery);
}
