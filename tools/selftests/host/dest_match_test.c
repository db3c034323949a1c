// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whom a destination means: the manual's cases one by one, then random APICs and
 * destinations against a model that goes through ids and bits.
 */
#include "../../../irq/dest_match.h"
#include "tap.h"

#define ROUNDS		1000000
#define FLAT		0xf
#define CLUSTER		0x0
#define X2APIC(n)	{ true, n, (n) / 16 << 16 | 1u << (n) % 16, 0 }

static u64 seed = 1;

static u32 rnd(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u64)(u32)(seed >> 32) * below >> 32;
}

struct row {
	struct dest dest;
	struct dest_apic apic;
	bool match;
};

#define PHYSICAL_NARROW(n)	{ n, false, false, false }
#define PHYSICAL_WIDE(n)	{ n, false, true, false }
#define LOGICAL_NARROW(n)	{ n, true, false, false }
#define LOGICAL_WIDE(n)		{ n, true, true, false }
/* A device's, while narrow broadcasts reach x2APICs, too. */
#define PHYSICAL_QUIRK(n)	{ n, false, false, true }
#define LOGICAL_QUIRK(n)	{ n, true, false, true }

static void check(const char *name, const struct row *rows, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		bool match = dest_match(&rows[i].dest, &rows[i].apic);

		if (match != rows[i].match)
			printf("# row %u\n", i);
		EXPECT_EQ(match, rows[i].match);
	}
	tap_row(name);
}

static const struct row physical_rows[] = {
	{ PHYSICAL_NARROW(0), { false, 0, 0, FLAT }, true },
	{ PHYSICAL_NARROW(5), { false, 5, 0, FLAT }, true },
	{ PHYSICAL_NARROW(5), { false, 5, 0, CLUSTER }, true },
	{ PHYSICAL_NARROW(5), { false, 4, 0, FLAT }, false },
	{ PHYSICAL_NARROW(0), { false, 1, 0, FLAT }, false },
	/* The logical id does not count. */
	{ PHYSICAL_NARROW(4), { false, 2, 4, FLAT }, false },
	{ PHYSICAL_NARROW(254), { false, 254, 0, FLAT }, true },
	{ PHYSICAL_NARROW(5), X2APIC(5), true },
	{ PHYSICAL_NARROW(5), X2APIC(4), false },
	{ PHYSICAL_NARROW(44), X2APIC(300), false },
	{ PHYSICAL_WIDE(300), X2APIC(300), true },
	{ PHYSICAL_WIDE(44), X2APIC(300), false },
	{ PHYSICAL_WIDE(300), X2APIC(44), false },
	{ PHYSICAL_WIDE(5), { false, 5, 0, FLAT }, true },
	/* An xAPIC has an id of eight bits: no part of a wide one is compared. */
	{ PHYSICAL_WIDE(300), { false, 44, 0, FLAT }, false },
	{ PHYSICAL_WIDE(0x05000000), { false, 5, 0, FLAT }, false },
};

static const struct row flat_rows[] = {
	{ LOGICAL_NARROW(0x01), { false, 0, 0x01, FLAT }, true },
	{ LOGICAL_NARROW(0x80), { false, 7, 0x80, FLAT }, true },
	{ LOGICAL_NARROW(0x82), { false, 7, 0x80, FLAT }, true },
	{ LOGICAL_NARROW(0x7f), { false, 7, 0x80, FLAT }, false },
	{ LOGICAL_NARROW(0x02), { false, 2, 0x01, FLAT }, false },
	/* An APIC may have several bits, or none. */
	{ LOGICAL_NARROW(0x10), { false, 0, 0x3c, FLAT }, true },
	{ LOGICAL_NARROW(0x43), { false, 0, 0x3c, FLAT }, false },
	{ LOGICAL_NARROW(0xfe), { false, 0, 0x00, FLAT }, false },
	{ LOGICAL_NARROW(0x00), { false, 0, 0xff, FLAT }, false },
	/* From an x2APIC: only what is of eight bits. */
	{ LOGICAL_WIDE(0x01), { false, 0, 0x01, FLAT }, true },
	{ LOGICAL_WIDE(0x10001), { false, 0, 0x01, FLAT }, false },
	{ LOGICAL_WIDE(0x101), { false, 0, 0x01, FLAT }, false },
};

static const struct row cluster_rows[] = {
	{ LOGICAL_NARROW(0x01), { false, 0, 0x01, CLUSTER }, true },
	{ LOGICAL_NARROW(0x21), { false, 0, 0x21, CLUSTER }, true },
	{ LOGICAL_NARROW(0x2f), { false, 0, 0x28, CLUSTER }, true },
	{ LOGICAL_NARROW(0x27), { false, 0, 0x28, CLUSTER }, false },
	{ LOGICAL_NARROW(0x31), { false, 0, 0x21, CLUSTER }, false },
	{ LOGICAL_NARROW(0x20), { false, 0, 0x2f, CLUSTER }, false },
	{ LOGICAL_NARROW(0x2f), { false, 0, 0x20, CLUSTER }, false },
	{ LOGICAL_NARROW(0xe8), { false, 0, 0xe8, CLUSTER }, true },
	{ LOGICAL_NARROW(0xf1), { false, 0, 0xf1, CLUSTER }, true },
	{ LOGICAL_NARROW(0xf1), { false, 0, 0xe1, CLUSTER }, false },
	/* What would match in the flat model, and in none that there is. */
	{ LOGICAL_NARROW(0x30), { false, 0, 0x10, CLUSTER }, false },
	{ LOGICAL_NARROW(0x21), { false, 0, 0x21, 0x1 }, false },
	{ LOGICAL_NARROW(0x21), { false, 0, 0x21, 0xe }, false },
	{ LOGICAL_WIDE(0x21), { false, 0, 0x21, CLUSTER }, true },
	{ LOGICAL_WIDE(0x121), { false, 0, 0x21, CLUSTER }, false },
	{ LOGICAL_WIDE(0x20001), { false, 0, 0x21, CLUSTER }, false },
};

static const struct row x2apic_rows[] = {
	{ LOGICAL_WIDE(0x00000001), X2APIC(0), true },
	{ LOGICAL_WIDE(0x00008000), X2APIC(15), true },
	{ LOGICAL_WIDE(0x00010001), X2APIC(16), true },
	{ LOGICAL_WIDE(0x0001ffff), X2APIC(20), true },
	{ LOGICAL_WIDE(0x0001ffef), X2APIC(20), false },
	{ LOGICAL_WIDE(0x00000010), X2APIC(20), false },
	{ LOGICAL_WIDE(0x0002ffff), X2APIC(20), false },
	{ LOGICAL_WIDE(0x00010000), X2APIC(16), false },
	{ LOGICAL_WIDE(0x00ff8000), X2APIC(4095), true },
	{ LOGICAL_WIDE(0xffff8000), X2APIC(0xfffff), true },
	{ LOGICAL_WIDE(0xffff8000), X2APIC(15), false },
	/* Narrow ones are of cluster 0, of which they reach the first eight. */
	{ LOGICAL_NARROW(0x81), X2APIC(7), true },
	{ LOGICAL_NARROW(0xfe), X2APIC(8), false },
	{ LOGICAL_NARROW(0x01), X2APIC(16), false },
	/* An xAPIC's model is none of an x2APIC's. */
	{ LOGICAL_NARROW(0x02), { true, 1, 0x00000002, FLAT }, true },
	{ LOGICAL_NARROW(0x20), { true, 1, 0x00010020, FLAT }, false },
	{ LOGICAL_WIDE(0), X2APIC(0), false },
};

static const struct row broadcast_rows[] = {
	{ PHYSICAL_NARROW(0xff), { false, 3, 0, FLAT }, true },
	{ PHYSICAL_NARROW(0xff), { false, 3, 0, CLUSTER }, true },
	{ LOGICAL_NARROW(0xff), { false, 3, 0x00, FLAT }, true },
	{ LOGICAL_NARROW(0xff), { false, 3, 0x31, CLUSTER }, true },
	{ LOGICAL_NARROW(0xff), { false, 3, 0x00, CLUSTER }, true },
	{ LOGICAL_NARROW(0xff), { false, 3, 0x31, 0x7 }, true },
	{ PHYSICAL_WIDE(~0u), X2APIC(3), true },
	{ PHYSICAL_WIDE(~0u), X2APIC(4000), true },
	{ LOGICAL_WIDE(~0u), X2APIC(4000), true },
	{ PHYSICAL_WIDE(~0u), { false, 3, 0, FLAT }, true },
	{ LOGICAL_WIDE(~0u), { false, 3, 0, CLUSTER }, true },
	/* A narrow one is a processor's number or eight of a cluster for an x2APIC. */
	{ PHYSICAL_NARROW(0xff), X2APIC(3), false },
	{ PHYSICAL_NARROW(0xff), X2APIC(0xff), true },
	{ LOGICAL_NARROW(0xff), X2APIC(7), true },
	{ LOGICAL_NARROW(0xff), X2APIC(8), false },
	{ LOGICAL_NARROW(0xff), X2APIC(16), false },
	{ PHYSICAL_WIDE(0xff), X2APIC(3), false },
	{ PHYSICAL_WIDE(0xff), X2APIC(0xff), true },
	{ PHYSICAL_WIDE(0xff), { false, 3, 0, FLAT }, false },
	{ LOGICAL_WIDE(0xff), X2APIC(16), false },
	/* Nor does 255 among more bits mean all. */
	{ PHYSICAL_WIDE(0x1ff), { false, 3, 0, FLAT }, false },
	{ PHYSICAL_WIDE(0xffffff), X2APIC(3), false },
	{ PHYSICAL_WIDE(0xfffffffe), X2APIC(3), false },
};

static const struct row quirk_rows[] = {
	{ PHYSICAL_QUIRK(0xff), X2APIC(3), true },
	{ PHYSICAL_QUIRK(0xff), X2APIC(4000), true },
	{ LOGICAL_QUIRK(0xff), X2APIC(4000), true },
	{ PHYSICAL_QUIRK(0xff), { false, 3, 0, FLAT }, true },
	{ LOGICAL_QUIRK(0xff), { false, 3, 0, CLUSTER }, true },
	/* Broadcasts only. */
	{ PHYSICAL_QUIRK(0xfe), X2APIC(3), false },
	{ LOGICAL_QUIRK(0xfe), X2APIC(0), false },
	{ LOGICAL_QUIRK(0xfe), X2APIC(1), true },
	{ PHYSICAL_QUIRK(0xfe), { false, 3, 0, FLAT }, false },
	/* A wide 255 is not one of them. */
	{ { 0xff, false, true, true }, X2APIC(3), false },
	{ { 0xff, true, true, true }, X2APIC(16), false },
	{ { 0xff, false, true, true }, { false, 3, 0, FLAT }, false },
	{ { ~0u, false, true, true }, X2APIC(3), true },
};

static bool any_bit(u32 a, u32 b, unsigned int bits)
{
	unsigned int bit;

	for (bit = 0; bit < bits; bit++) {
		if ((a & 1u << bit) && (b & 1u << bit))
			return true;
	}
	return false;
}

static bool model_logical(const struct dest *dest, const struct dest_apic *apic)
{
	u32 cluster;

	if (apic->x2apic) {
		cluster = apic->ldr / 0x10000;
		return dest->id / 0x10000 == cluster && any_bit(dest->id, apic->ldr, 16);
	}
	/* Eight bits are compared, and there are no others in the destination. */
	if (dest->id >= 0x100)
		return false;
	switch (apic->model) {
	case FLAT:
		return any_bit(dest->id, apic->ldr, 8);
	case CLUSTER:
		cluster = apic->ldr / 16;
		return dest->id / 16 == cluster && any_bit(dest->id, apic->ldr, 4);
	default:
		return false;
	}
}

static bool model(const struct dest *dest, const struct dest_apic *apic)
{
	bool all_narrow = !dest->wide && dest->id == 255;
	bool all_wide = dest->wide && dest->id == 4294967295u;

	if (all_wide)
		return true;
	if (all_narrow && !apic->x2apic)
		return true;
	if (all_narrow && apic->x2apic && dest->broadcast_all)
		return true;
	return dest->logical ? model_logical(dest, apic) : apic->id == dest->id;
}

static struct dest_apic random_apic(void)
{
	static const u8 models[] = { FLAT, FLAT, FLAT, CLUSTER, CLUSTER, CLUSTER, 1, 8, 14 };
	struct dest_apic apic = { .x2apic = rnd(2) };

	if (apic.x2apic) {
		apic.id = rnd(4) ? rnd(40) : rnd(4096);
		apic.ldr = apic.id / 16 << 16 | 1u << apic.id % 16;
		apic.model = FLAT;
		return apic;
	}
	apic.id = rnd(4) ? rnd(40) : rnd(256);
	apic.ldr = rnd(2) ? 1u << rnd(8) : rnd(256);
	apic.model = models[rnd(ARRAY_SIZE(models))];
	return apic;
}

/* Often one that means the APIC, or nearly so. */
static struct dest random_dest(const struct dest_apic *apic)
{
	struct dest dest = { .logical = rnd(2), .wide = rnd(2), .broadcast_all = rnd(2) };

	switch (rnd(6)) {
	case 0:
		dest.id = rnd(2) ? 0xff : ~0u;
		break;
	case 1:
		dest.id = apic->id;
		break;
	case 2:
		dest.id = apic->ldr | rnd(256);
		break;
	case 3:
		dest.id = apic->ldr ^ 1u << rnd(32);
		break;
	case 4:
		dest.id = rnd(2) ? rnd(~0u) : rnd(0x30000);
		break;
	default:
		dest.id = rnd(256);
		break;
	}
	if (!dest.wide)
		dest.id &= 0xff;
	return dest;
}

static void random_destinations(void)
{
	unsigned int round, matches[2] = { 0, 0 }, rounds[2] = { 0, 0 };

	for (round = 0; round < ROUNDS; round++) {
		struct dest_apic apic = random_apic();
		struct dest dest = random_dest(&apic);
		bool match = dest_match(&dest, &apic);

		EXPECT_EQ(match, model(&dest, &apic));
		matches[dest.logical] += match;
		rounds[dest.logical]++;
	}
	EXPECT(matches[0] > rounds[0] / 10 && matches[0] < rounds[0] - rounds[0] / 10);
	EXPECT(matches[1] > rounds[1] / 10 && matches[1] < rounds[1] - rounds[1] / 10);
	tap_row("random destinations");
}

int main(void)
{
	check("physical", physical_rows, ARRAY_SIZE(physical_rows));
	check("logical, flat model", flat_rows, ARRAY_SIZE(flat_rows));
	check("logical, cluster model", cluster_rows, ARRAY_SIZE(cluster_rows));
	check("logical, x2APIC", x2apic_rows, ARRAY_SIZE(x2apic_rows));
	check("broadcasts", broadcast_rows, ARRAY_SIZE(broadcast_rows));
	check("narrow broadcasts to all", quirk_rows, ARRAY_SIZE(quirk_rows));
	random_destinations();
	return tap_end();
}
