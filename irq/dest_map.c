// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which local APICs a destination means, so that an IPI costs as much as it has targets.
 *
 * The map is made anew whenever an id, a logical id or a mode changes, which is rare, and
 * read under RCU. Where it would have to answer with a guess (two APICs of the same
 * address, modes that differ), all APICs are asked in turn, by dest_match().
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "kick.h"
#include "lapic.h"
#include "vm.h"

#define FLAT_TARGETS	8
#define CLUSTER_TARGETS	4
#define X2APIC_TARGETS	16
#define CLUSTERS	15

/* What a logical destination means at present. */
enum logical_mode {
	LOGICAL_NONE,
	LOGICAL_FLAT,
	LOGICAL_CLUSTER,
	LOGICAL_X2APIC,
	LOGICAL_MIXED,
};

/**
 * struct ksvm_dest_map - APICs by destination; constant once published
 * @rcu: frees it
 * @logical: how logical destinations are read
 * @ambiguous: two APICs have the same physical address
 * @without_logical: some xAPIC has no logical id
 * @logical_apics: xAPIC's, by bit, or by cluster and bit
 * @nr_ids: length of @physical
 * @physical: by id
 */
struct ksvm_dest_map {
	struct rcu_head rcu;
	enum logical_mode logical;
	bool ambiguous;
	bool without_logical;
	struct ksvm_lapic *logical_apics[CLUSTERS * CLUSTER_TARGETS];
	u32 nr_ids;
	struct ksvm_lapic *physical[];
};

static enum logical_mode mode_of(const struct ksvm_lapic *apic)
{
	if (lapic_is_x2apic(apic))
		return LOGICAL_X2APIC;
	return lapic_get(apic, LAPIC_DFR) >> 28 == DEST_DFR_FLAT ? LOGICAL_FLAT : LOGICAL_CLUSTER;
}

static void add_logical(struct ksvm_dest_map *map, struct ksvm_lapic *apic)
{
	u32 ldr = lapic_get(apic, LAPIC_LDR) >> 24;
	enum logical_mode mode = mode_of(apic);
	struct ksvm_lapic **place;
	unsigned int bits;

	if (mode != LOGICAL_X2APIC && !ldr) {
		map->without_logical = true;
		return;
	}
	if (map->logical != LOGICAL_NONE && map->logical != mode)
		mode = LOGICAL_MIXED;
	map->logical = mode;
	if (mode == LOGICAL_X2APIC || mode == LOGICAL_MIXED)
		return;

	bits = mode == LOGICAL_FLAT ? ldr : ldr & 0xf;
	place = map->logical_apics;
	if (mode == LOGICAL_CLUSTER)
		place += (ldr >> 4) * CLUSTER_TARGETS;
	/* Several bits, one that is taken, or no such cluster. */
	if (hweight32(bits) != 1 || (mode == LOGICAL_CLUSTER && ldr >> 4 >= CLUSTERS) ||
	    place[__ffs(bits)])
		map->logical = LOGICAL_MIXED;
	else
		place[__ffs(bits)] = apic;
}

static void add_apic(struct ksvm_dest_map *map, struct ksvm_lapic *apic)
{
	u32 id = lapic_id(apic);

	if (!lapic_hw_enabled(apic))
		return;
	/* An xAPIC of a vCPU beyond 255 cannot be reached by its vCPU's number. */
	if (id >= map->nr_ids || map->physical[id])
		map->ambiguous = true;
	else
		map->physical[id] = apic;
	add_logical(map, apic);
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

	map = kvzalloc(struct_size(map, physical, nr_ids), GFP_KERNEL_ACCOUNT);
	if (map)
		map->nr_ids = nr_ids;
	return map;
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
	struct ksvm_vcpu *vcpu;
	unsigned long index;

	mutex_lock(&vm->irq.lock);
	map = map_create(ids_needed(vm));
	if (map) {
		ksvm_for_each_vcpu(index, vcpu, vm)
			add_apic(map, vcpu->apic);
	}
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

/* Targets in a row, of which the bits of @mask are meant. */
struct targets {
	struct ksvm_lapic *const *apics;
	unsigned long mask;
};

static bool lookup_physical(const struct ksvm_dest_map *map, u32 id, struct targets *targets)
{
	if (map->ambiguous)
		return false;
	targets->apics = id < map->nr_ids ? &map->physical[id] : NULL;
	targets->mask = targets->apics ? 1 : 0;
	return true;
}

static bool lookup_logical(const struct ksvm_dest_map *map, const struct dest *dest,
			   struct targets *targets)
{
	u32 cluster;

	switch (map->logical) {
	case LOGICAL_FLAT:
		targets->apics = map->logical_apics;
		targets->mask = dest->id & GENMASK(FLAT_TARGETS - 1, 0);
		return dest->id <= DEST_XAPIC_BROADCAST;
	case LOGICAL_CLUSTER:
		cluster = dest->id >> 4;
		if (dest->id > DEST_XAPIC_BROADCAST || cluster >= CLUSTERS)
			return false;
		targets->apics = &map->logical_apics[cluster * CLUSTER_TARGETS];
		targets->mask = dest->id & GENMASK(CLUSTER_TARGETS - 1, 0);
		return true;
	case LOGICAL_X2APIC:
		cluster = (dest->id >> 16) * X2APIC_TARGETS;
		targets->mask = dest->id & GENMASK(X2APIC_TARGETS - 1, 0);
		if (map->ambiguous || map->without_logical || cluster >= map->nr_ids)
			return false;
		if (map->nr_ids - cluster < X2APIC_TARGETS)
			targets->mask &= BIT(map->nr_ids - cluster) - 1;
		targets->apics = &map->physical[cluster];
		return true;
	default:
		return false;
	}
}

/* An xAPIC's id is of eight bits, and so is what means it: the same for both modes here. */
static bool lookup(const struct ksvm_dest_map *map, const struct dest *dest,
		   struct targets *targets)
{
	if (!map || dest->id == DEST_XAPIC_BROADCAST || dest->id == DEST_X2APIC_BROADCAST)
		return false;
	if (dest->logical)
		return lookup_logical(map, dest, targets);
	return lookup_physical(map, dest->id, targets);
}

static bool matches(const struct ksvm_lapic *apic, const struct dest *dest)
{
	bool x2apic = lapic_is_x2apic(apic);
	const struct dest_apic target = {
		.x2apic = x2apic,
		.id = lapic_id(apic),
		.ldr = x2apic ? lapic_get(apic, LAPIC_LDR) : lapic_get(apic, LAPIC_LDR) >> 24,
		.model = lapic_get(apic, LAPIC_DFR) >> 28,
	};

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
 * @source: the APIC that sends it, or NULL for a device
 * @message: it
 *
 * Return: how many took it; 0 where it merged with one that waits; -1: nobody did.
 */
int irq_deliver(struct ksvm *vm, struct ksvm_lapic *source, const struct irq_message *message)
{
	struct delivery delivery = { .message = message, .taken = -1 };
	struct targets targets;
	unsigned int bit;

	rcu_read_lock();
	if (lookup(rcu_dereference(vm->irq.map), &message->dest, &targets)) {
		for_each_set_bit(bit, &targets.mask, X2APIC_TARGETS) {
			if (targets.apics[bit])
				send(&delivery, targets.apics[bit]);
		}
	} else {
		send_matching(vm, &delivery);
	}
	rcu_read_unlock();
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
