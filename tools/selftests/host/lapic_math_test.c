// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's arithmetic: the manual's tables row by row, then random registers
 * against a model that goes through the vectors one by one.
 */
#include <string.h>

#include "../../../irq/lapic_math.h"
#include "tap.h"

#define ROUNDS	300000

static union lapic_regs regs;
static u64 seed = 1;

static u32 rnd(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u64)(u32)(seed >> 32) * below >> 32;
}

/* As the guest sees it: eight registers of 32 vectors each. */
static void set_vector(unsigned int first_reg, unsigned int vector)
{
	regs.reg[first_reg + vector / 32] |= 1u << vector % 32;
}

static int model_highest(unsigned int first_reg)
{
	int vector, highest = -1;

	for (vector = 0; vector < 256; vector++) {
		if (regs.reg[first_reg + vector / 32] & 1u << vector % 32)
			highest = vector;
	}
	return highest;
}

static void highest_of_none(void)
{
	memset(&regs, 0, sizeof(regs));
	EXPECT(lapic_highest(regs.isr) == -1);
	EXPECT(lapic_highest(regs.tmr) == -1);
	EXPECT(lapic_highest(regs.irr) == -1);

	/* Registers around a bitmap are not part of it. */
	regs.reg[LAPIC_ISR - 1] = ~0u;
	regs.reg[LAPIC_IRR + 8] = ~0u;
	EXPECT(lapic_highest(regs.isr) == -1);
	EXPECT(lapic_highest(regs.irr) == -1);
	tap_row("highest: no vector");
}

static void highest_of_one(void)
{
	int vector;

	for (vector = 0; vector < 256; vector++) {
		memset(&regs, 0, sizeof(regs));
		set_vector(LAPIC_IRR, vector);
		EXPECT_EQ(lapic_highest(regs.irr), vector);
		EXPECT(lapic_highest(regs.isr) == -1);
		EXPECT(lapic_highest(regs.tmr) == -1);
		set_vector(LAPIC_IRR, 0);
		set_vector(LAPIC_IRR, vector / 2);
		EXPECT_EQ(lapic_highest(regs.irr), vector);
	}
	tap_row("highest: each vector");
}

static void highest_of_two(void)
{
	int a, b;

	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			memset(&regs, 0, sizeof(regs));
			set_vector(LAPIC_ISR, a);
			set_vector(LAPIC_ISR, b);
			EXPECT_EQ(lapic_highest(regs.isr), a > b ? a : b);
		}
	}
	tap_row("highest: each pair of vectors");
}

static const struct ppr_row {
	u8 tpr;
	int in_service;
	u8 ppr;
} ppr_rows[] = {
	/* Nothing in service: the task's, with its sub-class. */
	{ 0x00, -1, 0x00 }, { 0x0f, -1, 0x0f }, { 0x37, -1, 0x37 }, { 0xff, -1, 0xff },
	/* Higher than the task's: the class in service, without a sub-class. */
	{ 0x00, 0x10, 0x10 }, { 0x00, 0x3f, 0x30 }, { 0x2f, 0x31, 0x30 }, { 0xef, 0xff, 0xf0 },
	{ 0x0f, 0x10, 0x10 },
	/* Lower. */
	{ 0x40, 0x3f, 0x40 }, { 0x4a, 0x30, 0x4a }, { 0xff, 0x10, 0xff },
	/* The same class: the task's sub-class. */
	{ 0x30, 0x3f, 0x30 }, { 0x35, 0x30, 0x35 }, { 0xf1, 0xff, 0xf1 },
	/* State that user space has put there: a vector without a priority. */
	{ 0x00, 0x0f, 0x00 }, { 0x05, 0x0f, 0x05 }, { 0x00, 0x00, 0x00 },
};

static void ppr(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ppr_rows); i++)
		EXPECT_EQ(lapic_ppr(ppr_rows[i].tpr, ppr_rows[i].in_service), ppr_rows[i].ppr);
	tap_row("PPR: task and interrupt in service");
}

static const struct delivery_row {
	int requested;
	u8 ppr;
	bool delivered;
} delivery_rows[] = {
	{ -1, 0x00, false }, { -1, 0xff, false },
	{ 0x10, 0x00, true }, { 0x10, 0x0f, true }, { 0x10, 0x10, false }, { 0x1f, 0x10, false },
	{ 0x20, 0x1f, true }, { 0x31, 0x30, false }, { 0x3f, 0x30, false }, { 0x40, 0x3f, true },
	{ 0xff, 0xef, true }, { 0xff, 0xf0, false }, { 0xff, 0xff, false }, { 0xf0, 0xe0, true },
	/* No class is below that of the exceptions' vectors. */
	{ 0x00, 0x00, false }, { 0x0f, 0x00, false },
};

static void deliverable(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(delivery_rows); i++) {
		const struct delivery_row *row = &delivery_rows[i];

		EXPECT_EQ(lapic_deliverable(row->requested, row->ppr),
			  row->delivered ? row->requested : -1);
	}
	tap_row("delivery: class above the processor priority's");
}

/* TDCR's bits 3, 1 and 0, each with what the count's clock is divided by. */
static const struct divider_row {
	u32 tdcr;
	unsigned int divider;
} divider_rows[] = {
	{ 0x0, 2 }, { 0x1, 4 }, { 0x2, 8 }, { 0x3, 16 },
	{ 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 }, { 0xb, 1 },
};

static void divider(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(divider_rows); i++) {
		EXPECT_EQ(lapic_divider(divider_rows[i].tdcr), divider_rows[i].divider);
		/* Bit 2 and those above 3 are reserved. */
		EXPECT_EQ(lapic_divider(divider_rows[i].tdcr | 0xfffffff4),
			  divider_rows[i].divider);
	}
	tap_row("TDCR: each code, reserved bits ignored");
}

static const struct ldr_row {
	u32 id;
	u32 ldr;
} ldr_rows[] = {
	{ 0, 0x00000001 }, { 1, 0x00000002 }, { 15, 0x00008000 }, { 16, 0x00010001 },
	{ 31, 0x00018000 }, { 254, 0x000f4000 }, { 255, 0x000f8000 }, { 256, 0x00100001 },
	{ 1023, 0x003f8000 }, { 4095, 0x00ff8000 }, { 0xffff3, 0xffff0008 },
	/* Bits 31 to 20 of an id have no place. */
	{ 0x100000, 0x00000001 }, { 0xfff00012, 0x00010004 },
};

static void x2apic_ldr(void)
{
	unsigned int i, id;

	for (i = 0; i < ARRAY_SIZE(ldr_rows); i++)
		EXPECT_EQ(lapic_x2apic_ldr(ldr_rows[i].id), ldr_rows[i].ldr);
	for (id = 0; id < 0x100000; id++) {
		u32 ldr = lapic_x2apic_ldr(id);

		/* One bit of sixteen, and the id can be worked out again. */
		EXPECT_EQ(__builtin_popcount(ldr & 0xffff), 1);
		EXPECT_EQ((ldr >> 16) * 16 + __builtin_ctz(ldr & 0xffff), id);
	}
	tap_row("x2APIC logical id");
}

/* The vector that a processor takes, from the rules as the manual has them. */
static int model_taken(unsigned int tpr)
{
	int in_service = model_highest(LAPIC_ISR), requested = model_highest(LAPIC_IRR);
	unsigned int service_class = in_service < 0 ? 0 : in_service / 16;
	unsigned int priority_class = tpr / 16 > service_class ? tpr / 16 : service_class;

	if (requested < 0 || (unsigned int)requested / 16 <= priority_class)
		return -1;
	return requested;
}

static unsigned int model_ppr(unsigned int tpr)
{
	int in_service = model_highest(LAPIC_ISR);
	unsigned int service_class = in_service < 0 ? 0 : in_service / 16;

	return service_class > tpr / 16 ? service_class * 16 : tpr;
}

/* Few vectors, so that what is in service and what is requested are often close. */
static void random_vectors(unsigned int first_reg)
{
	unsigned int i, count = rnd(4), around = rnd(256);

	for (i = 0; i < count; i++)
		set_vector(first_reg, rnd(2) ? rnd(256) : (around + rnd(20)) % 256);
}

static void random_registers(void)
{
	unsigned int round, taken = 0;

	for (round = 0; round < ROUNDS; round++) {
		u32 tpr = rnd(3) ? rnd(256) : 0;
		int in_service, requested;
		u8 priority;

		memset(&regs, 0, sizeof(regs));
		random_vectors(LAPIC_ISR);
		random_vectors(LAPIC_IRR);
		random_vectors(LAPIC_TMR);
		in_service = lapic_highest(regs.isr);
		requested = lapic_highest(regs.irr);
		priority = lapic_ppr(tpr, in_service);
		EXPECT(in_service == model_highest(LAPIC_ISR));
		EXPECT(requested == model_highest(LAPIC_IRR));
		EXPECT(lapic_highest(regs.tmr) == model_highest(LAPIC_TMR));
		EXPECT_EQ(priority, model_ppr(tpr));
		EXPECT(lapic_deliverable(requested, priority) == model_taken(tpr));
		taken += lapic_deliverable(requested, priority) >= 0;
	}
	/* Neither always nor never. */
	EXPECT(taken > ROUNDS / 10 && taken < ROUNDS - ROUNDS / 10);
	tap_row("random registers: highest, PPR, delivery");
}

static unsigned int model_divider(u32 tdcr)
{
	unsigned int code = 0, divider = 2;

	code += tdcr & 1u << 0 ? 1 : 0;
	code += tdcr & 1u << 1 ? 2 : 0;
	code += tdcr & 1u << 3 ? 4 : 0;
	if (code == 7)
		return 1;
	for (; code; code--)
		divider *= 2;
	return divider;
}

static u32 model_ldr(u32 id)
{
	u32 cluster = 0, bit = 1;

	for (id %= 0x100000; id >= 16; id -= 16)
		cluster++;
	for (; id; id--)
		bit *= 2;
	return cluster * 0x10000 + bit;
}

static void random_values(void)
{
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		u32 value = rnd(~0u), id = rnd(rnd(100) ? 5000 : ~0u);

		EXPECT_EQ(lapic_divider(value), model_divider(value));
		EXPECT_EQ(lapic_x2apic_ldr(id), model_ldr(id));
	}
	tap_row("random values: TDCR, x2APIC logical id");
}

int main(void)
{
	highest_of_none();
	highest_of_one();
	highest_of_two();
	ppr();
	deliverable();
	divider();
	x2apic_ldr();
	random_registers();
	random_values();
	return tap_end();
}
