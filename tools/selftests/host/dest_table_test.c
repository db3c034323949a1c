// SPDX-License-Identifier: GPL-2.0-only
/*
 * The destination table against dest_match() over all APICs: the same targets for each
 * destination, or it says that all have to be asked; and it does not say so where the
 * APICs are as an operating system sets them up.
 */
#include <stdlib.h>
#include <string.h>

#include "../../../irq/dest_table.h"
#include "tap.h"

#define ROUNDS	200000
#define PROBES	16
#define APICS	40
#define IDS	4096
#define FLAT	0xf
#define CLUSTER	0x0

static struct dest_apic apics[APICS];
static unsigned int nr_apics;
static struct dest_table *table;
static u64 seed = 1;

static u32 rnd(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u64)(u32)(seed >> 32) * below >> 32;
}

static struct dest_apic xapic(u32 id, u8 ldr, u8 model)
{
	return (struct dest_apic) { .id = id, .ldr = ldr, .model = model };
}

static struct dest_apic x2apic(u32 id)
{
	return (struct dest_apic) {
		.x2apic = true,
		.id = id,
		.ldr = id / 16 << 16 | 1u << id % 16,
		.model = FLAT,
	};
}

/* Just as long as it has to be, so that a look beyond its end is noticed. */
static void build(void)
{
	unsigned int i;
	u32 nr_ids = 0;

	for (i = 0; i < nr_apics; i++)
		nr_ids = apics[i].id >= nr_ids ? apics[i].id + 1 : nr_ids;
	free(table);
	table = calloc(1, sizeof(*table) + nr_ids * sizeof(table->physical[0]));
	if (!table)
		exit(1);
	table->nr_ids = nr_ids;
	for (i = 0; i < nr_apics; i++)
		dest_table_add(table, &apics[i], &apics[i]);
}

/* A set bit for each APIC that is meant, by asking all. */
static u64 all_asked(const struct dest *dest)
{
	unsigned int i;
	u64 set = 0;

	for (i = 0; i < nr_apics; i++) {
		if (dest_match(dest, &apics[i]))
			set |= 1ull << i;
	}
	return set;
}

static u64 looked_up(const struct dest_targets *targets)
{
	unsigned int bit, i;
	u64 set = 0;

	EXPECT(targets->mask < 1ul << DEST_X2APIC_TARGETS);
	for (bit = 0; bit < DEST_X2APIC_TARGETS; bit++) {
		if (!(targets->mask & 1ul << bit) || !targets->apics[bit])
			continue;
		i = (struct dest_apic *)targets->apics[bit] - apics;
		/* Nobody gets it twice. */
		EXPECT(i < nr_apics && !(set & 1ull << i));
		set |= 1ull << i;
	}
	return set;
}

/* Does the table answer; and if so, it answers right. */
static bool answers(struct dest dest)
{
	struct dest_targets targets;

	if (!dest_table_lookup(table, &dest, &targets))
		return false;
	EXPECT_EQ(looked_up(&targets), all_asked(&dest));
	return true;
}

static bool answers_physical(u32 id)
{
	return answers((struct dest) { .id = id, .wide = id > 0xff });
}

static bool answers_logical(u32 id)
{
	return answers((struct dest) { .id = id, .logical = true, .wide = id > 0xff });
}

static void nobody(void)
{
	nr_apics = 0;
	build();
	EXPECT(answers_physical(0));
	EXPECT(answers_physical(300));
	EXPECT(!answers_logical(1));
	tap_row("no APIC");
}

static void flat_xapics(void)
{
	u32 id;

	for (nr_apics = 0; nr_apics < 8; nr_apics++)
		apics[nr_apics] = xapic(nr_apics, 1 << nr_apics, FLAT);
	build();
	for (id = 0; id < 0xff; id++) {
		EXPECT(answers_physical(id));
		EXPECT(answers_logical(id));
	}
	EXPECT(!answers_logical(0x101));
	/* One without a logical id changes nothing for the others. */
	apics[nr_apics++] = xapic(8, 0, FLAT);
	build();
	for (id = 0; id < 0xff; id++)
		EXPECT(answers_logical(id));
	tap_row("flat model");
}

static void cluster_xapics(void)
{
	u32 id;

	for (nr_apics = 0; nr_apics < APICS; nr_apics++)
		apics[nr_apics] = xapic(nr_apics, nr_apics / 4 << 4 | 1 << nr_apics % 4, CLUSTER);
	build();
	for (id = 0; id < 0xff; id++) {
		EXPECT(answers_physical(id));
		EXPECT_EQ(answers_logical(id), id < 0xf0);
	}
	EXPECT(!answers_logical(0x101));
	tap_row("cluster model");
}

static void x2apics(void)
{
	u32 id, bits;

	/* The last cluster is not complete. */
	for (nr_apics = 0; nr_apics < 37; nr_apics++)
		apics[nr_apics] = x2apic(nr_apics);
	build();
	for (id = 0; id < 1000; id++)
		EXPECT_EQ(answers_physical(id), id != 0xff);
	for (id = 0; id < 3; id++) {
		for (bits = 0; bits < 0x10000; bits += 1 + bits % 7)
			EXPECT_EQ(answers_logical(id << 16 | bits), id || bits != 0xff);
	}
	/* Clusters that nobody is in are asked for in vain. */
	EXPECT(!answers_logical(3 << 16 | 1));
	EXPECT(!answers_logical(0xffff0001));
	tap_row("x2APICs");
}

static void x2apics_sparse(void)
{
	u32 id;

	for (nr_apics = 0; nr_apics < 20; nr_apics++)
		apics[nr_apics] = x2apic(nr_apics * 211);
	build();
	for (id = 0; id < IDS; id++) {
		EXPECT_EQ(answers_physical(id), id != 0xff);
		EXPECT(answers_logical((id % 250) << 16 | 0x5555 << id % 2));
	}
	tap_row("x2APICs with sparse ids");
}

static void asks_all(void)
{
	static const u32 ids[] = { 0xff, ~0u };
	unsigned int i, bits;

	for (nr_apics = 0; nr_apics < 8; nr_apics++)
		apics[nr_apics] = nr_apics % 2 ? x2apic(nr_apics) : xapic(nr_apics, 0, FLAT);
	build();
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		for (bits = 0; bits < 8; bits++)
			EXPECT(!answers((struct dest) { ids[i], bits & 1, bits & 2, bits & 4 }));
	}
	tap_row("broadcasts ask all");
}

/* Two APICs that spoil the table for logical or for physical destinations. */
static const struct ambiguous_row {
	const char *name;
	struct dest_apic a;
	struct dest_apic b;
	bool physical;
	bool logical;
} ambiguous_rows[] = {
	{ "fine, flat", { false, 1, 0x01, FLAT }, { false, 2, 0x02, FLAT }, true, true },
	{ "fine, cluster", { false, 1, 0x11, CLUSTER }, { false, 2, 0x21, CLUSTER }, true, true },
	{ "fine, x2APICs", { true, 1, 0x2, FLAT }, { true, 2, 0x4, FLAT }, true, true },
	{ "the same id", { false, 1, 0x01, FLAT }, { false, 1, 0x02, FLAT }, false, true },
	{ "the same id in both modes", { false, 1, 0x00, FLAT }, { true, 1, 0x2, FLAT },
	  false, false },
	{ "the same bit", { false, 1, 0x01, FLAT }, { false, 2, 0x01, FLAT }, true, false },
	{ "two bits", { false, 1, 0x03, FLAT }, { false, 2, 0x04, FLAT }, true, false },
	{ "the same bit of a cluster", { false, 1, 0x11, CLUSTER }, { false, 2, 0x11, CLUSTER },
	  true, false },
	{ "no bit of a cluster", { false, 1, 0x10, CLUSTER }, { false, 2, 0x11, CLUSTER },
	  true, false },
	{ "the broadcast's cluster", { false, 1, 0xf1, CLUSTER }, { false, 2, 0x11, CLUSTER },
	  true, false },
	{ "two models", { false, 1, 0x02, FLAT }, { false, 2, 0x11, CLUSTER }, true, false },
	{ "two modes", { false, 1, 0x02, FLAT }, { true, 2, 0x4, FLAT }, true, false },
	{ "an xAPIC in an x2APIC's place", { false, 1, 0x00, FLAT }, { true, 2, 0x4, FLAT },
	  true, false },
	{ "a model that is none", { false, 1, 0x01, 0x5 }, { false, 2, 0x02, FLAT }, true, true },
	{ "a model that is none, as clusters", { false, 1, 0x11, 0x5 },
	  { false, 2, 0x12, CLUSTER }, true, true },
	{ "no model", { false, 1, 0x11, 0x5 }, { false, 2, 0x12, 0xe }, true, false },
};

/* In either order, and each destination of eight bits as well as a few wide ones. */
static void check_ambiguous(const struct ambiguous_row *row)
{
	unsigned int order;
	u32 id;

	nr_apics = 2;
	for (order = 0; order < 2; order++) {
		apics[order] = row->a;
		apics[!order] = row->b;
		build();
		EXPECT_EQ(answers_physical(1), row->physical);
		EXPECT_EQ(answers_logical(0x01), row->logical);
		for (id = 0; id < 0x200; id++) {
			answers_physical(id);
			answers_logical(id);
			answers_logical(id << 16 | 0xffff);
		}
	}
	tap_row(row->name);
}

/* One mode for all but now and then one. */
static struct dest_apic random_apic(unsigned int mode, u32 id)
{
	if (!rnd(20))
		mode = rnd(4);
	switch (mode) {
	case 0:
		return xapic(id % 256, rnd(10) ? 1u << id % 8 : rnd(256), FLAT);
	case 1:
		return xapic(id % 256, rnd(10) ? id / 4 % 15 << 4 | 1u << id % 4 : rnd(256),
			     CLUSTER);
	case 2:
		return xapic(id % 256, rnd(2) ? 0 : rnd(256), rnd(16));
	default:
		return x2apic(id);
	}
}

static void random_apics(void)
{
	static const unsigned int modes[] = { 0, 1, 1, 3, 3, 3 };
	unsigned int mode = modes[rnd(ARRAY_SIZE(modes))], count = rnd((mode ? APICS : 8) + 1);
	u32 id = 0;

	for (nr_apics = 0; nr_apics < count; nr_apics++) {
		apics[nr_apics] = random_apic(mode, id);
		/* Most in a row, some further on, a few at an id that is taken. */
		if (rnd(50))
			id += rnd(30) ? 1 : 1 + rnd(300);
	}
}

static struct dest random_dest(void)
{
	struct dest dest = { .logical = rnd(2), .wide = rnd(2), .broadcast_all = rnd(2) };
	u32 id = nr_apics ? apics[rnd(nr_apics)].id : rnd(IDS);

	if (!dest.logical)
		dest.id = rnd(4) ? id : rnd(IDS);
	else if (dest.wide)
		dest.id = (rnd(4) ? id / 16 : rnd(300)) << 16 | rnd(0x10000);
	else
		dest.id = rnd(256);
	if (!rnd(30))
		dest.id = rnd(2) ? 0xff : ~0u;
	if (!dest.wide)
		dest.id &= 0xff;
	return dest;
}

static void random_machines(void)
{
	unsigned int round, probe, answered = 0;

	for (round = 0; round < ROUNDS; round++) {
		random_apics();
		build();
		for (probe = 0; probe < PROBES; probe++)
			answered += answers(random_dest());
	}
	/* Both answers are frequent. */
	EXPECT(answered > ROUNDS * PROBES / 4 && answered < ROUNDS * PROBES / 4 * 3);
	tap_row("random APICs and destinations");
}

int main(void)
{
	unsigned int i;

	nobody();
	flat_xapics();
	cluster_xapics();
	x2apics();
	x2apics_sparse();
	asks_all();
	for (i = 0; i < ARRAY_SIZE(ambiguous_rows); i++)
		check_ambiguous(&ambiguous_rows[i]);
	random_machines();
	free(table);
	return tap_end();
}
