/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local APICs by destination: what dest_match() finds by asking each of them, in one step.
 * Where the table would have to guess (two APICs of the same address, modes that differ, a
 * broadcast), it says so, and all are to be asked. Pure; also built on the host.
 */
#ifndef KSVM_IRQ_DEST_TABLE_H
#define KSVM_IRQ_DEST_TABLE_H

#include "dest_match.h"

#define DEST_FLAT_TARGETS	8
#define DEST_CLUSTER_TARGETS	4
#define DEST_X2APIC_TARGETS	16
/* Of xAPICs; the sixteenth is the broadcast's. */
#define DEST_CLUSTERS		15

/* What a logical destination means at present. */
enum dest_logical {
	DEST_LOGICAL_NONE,
	DEST_LOGICAL_FLAT,
	DEST_LOGICAL_CLUSTER,
	DEST_LOGICAL_X2APIC,
	DEST_LOGICAL_MIXED,
};

/**
 * struct dest_table - APICs by destination; begins as zeros but for @nr_ids
 * @logical: how logical destinations are read
 * @ambiguous: two APICs have the same physical address
 * @without_logical: some xAPIC is meant by no logical destination
 * @logical_apics: xAPICs, by bit, or by cluster and bit
 * @nr_ids: length of @physical; above every id
 * @physical: by id
 */
struct dest_table {
	enum dest_logical logical;
	bool ambiguous;
	bool without_logical;
	void *logical_apics[DEST_CLUSTERS * DEST_CLUSTER_TARGETS];
	u32 nr_ids;
	void *physical[];
};

/* Places in a row, of which the bits of @mask are meant; there may be nobody at one. */
struct dest_targets {
	void *const *apics;
	unsigned long mask;
};

static inline void dest_table_add_xapic(struct dest_table *table, const struct dest_apic *apic,
					void *pointer)
{
	bool flat = apic->model == DEST_DFR_FLAT;
	enum dest_logical logical = flat ? DEST_LOGICAL_FLAT : DEST_LOGICAL_CLUSTER;
	u32 cluster = flat ? 0 : apic->ldr >> 4;
	u32 bits = flat ? apic->ldr : apic->ldr & 0xf;
	void **place;

	if (table->logical != DEST_LOGICAL_NONE && table->logical != logical)
		logical = DEST_LOGICAL_MIXED;
	/* Several bits or none, or no such cluster. */
	if (!bits || (bits & (bits - 1)) || cluster >= DEST_CLUSTERS)
		logical = DEST_LOGICAL_MIXED;
	table->logical = logical;
	if (logical == DEST_LOGICAL_MIXED)
		return;

	place = &table->logical_apics[cluster * DEST_CLUSTER_TARGETS + __builtin_ctz(bits)];
	if (*place)
		table->logical = DEST_LOGICAL_MIXED;
	else
		*place = pointer;
}

/* An APIC that is enabled, and what the table shall answer for it. */
static inline void dest_table_add(struct dest_table *table, const struct dest_apic *apic,
				  void *pointer)
{
	if (apic->id >= table->nr_ids || table->physical[apic->id])
		table->ambiguous = true;
	else
		table->physical[apic->id] = pointer;

	if (apic->x2apic) {
		if (table->logical == DEST_LOGICAL_NONE)
			table->logical = DEST_LOGICAL_X2APIC;
		else if (table->logical != DEST_LOGICAL_X2APIC)
			table->logical = DEST_LOGICAL_MIXED;
	} else if (!apic->ldr || (apic->model && apic->model != DEST_DFR_FLAT)) {
		table->without_logical = true;
	} else {
		dest_table_add_xapic(table, apic, pointer);
	}
}

static inline bool dest_table_physical(const struct dest_table *table, u32 id,
				       struct dest_targets *targets)
{
	if (table->ambiguous)
		return false;
	targets->apics = id < table->nr_ids ? &table->physical[id] : NULL;
	targets->mask = targets->apics ? 1 : 0;
	return true;
}

static inline bool dest_table_logical(const struct dest_table *table, u32 id,
				      struct dest_targets *targets)
{
	u32 cluster;

	switch (table->logical) {
	case DEST_LOGICAL_FLAT:
		targets->apics = table->logical_apics;
		targets->mask = id & (BIT(DEST_FLAT_TARGETS) - 1);
		return id <= DEST_XAPIC_BROADCAST;
	case DEST_LOGICAL_CLUSTER:
		cluster = id >> 4;
		if (cluster >= DEST_CLUSTERS)
			return false;
		targets->apics = &table->logical_apics[cluster * DEST_CLUSTER_TARGETS];
		targets->mask = id & (BIT(DEST_CLUSTER_TARGETS) - 1);
		return true;
	case DEST_LOGICAL_X2APIC:
		/* An x2APIC's logical id is made of its id: a cluster is a row of ids. */
		cluster = (id >> 16) * DEST_X2APIC_TARGETS;
		targets->mask = id & (BIT(DEST_X2APIC_TARGETS) - 1);
		if (table->ambiguous || table->without_logical || cluster >= table->nr_ids)
			return false;
		if (table->nr_ids - cluster < DEST_X2APIC_TARGETS)
			targets->mask &= BIT(table->nr_ids - cluster) - 1;
		targets->apics = &table->physical[cluster];
		return true;
	default:
		return false;
	}
}

/*
 * Whom a destination means: false where all have to be asked. An xAPIC's id is of eight
 * bits, and so is what means it: the same for both modes here.
 */
static inline bool dest_table_lookup(const struct dest_table *table, const struct dest *dest,
				     struct dest_targets *targets)
{
	if (dest->id == DEST_XAPIC_BROADCAST || dest->id == DEST_X2APIC_BROADCAST)
		return false;
	if (dest->logical)
		return dest_table_logical(table, dest->id, targets);
	return dest_table_physical(table, dest->id, targets);
}

#endif
