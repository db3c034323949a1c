/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of a local APIC (AMD64 manual, volume 2, "Advanced Programmable
 * Interrupt Controller (APIC)"): registers, priorities, the timer's divider. Also built
 * on the host.
 */
#ifndef KSVM_IRQ_LAPIC_MATH_H
#define KSVM_IRQ_LAPIC_MATH_H

#include "pure.h"

/* Registers by number: a sixteenth of their offset; x2APIC adds 0x800. */
#define LAPIC_ID	0x02
#define LAPIC_VERSION	0x03
#define LAPIC_TPR	0x08
#define LAPIC_APR	0x09
#define LAPIC_PPR	0x0a
#define LAPIC_EOI	0x0b
#define LAPIC_LDR	0x0d
#define LAPIC_DFR	0x0e
#define LAPIC_SPIV	0x0f
#define LAPIC_ISR	0x10
#define LAPIC_TMR	0x18
#define LAPIC_IRR	0x20
#define LAPIC_ESR	0x28
#define LAPIC_ICR	0x30
#define LAPIC_ICR2	0x31
#define LAPIC_LVTT	0x32
#define LAPIC_LVTTHMR	0x33
#define LAPIC_LVTPC	0x34
#define LAPIC_LVT0	0x35
#define LAPIC_LVT1	0x36
#define LAPIC_LVTERR	0x37
#define LAPIC_TMICT	0x38
#define LAPIC_TMCCT	0x39
#define LAPIC_TDCR	0x3e
#define LAPIC_SELF_IPI	0x3f
#define LAPIC_REGS	0x40

#define LAPIC_VECTORS	256
#define LAPIC_WORDS	(LAPIC_VECTORS / 64)

/* Interrupts below have no priority and are errors. */
#define LAPIC_VECTOR_MIN	16

/**
 * union lapic_regs - the register file; a vector's bit is in the 64-bit words
 * @reg: by number
 * @isr: in service
 * @tmr: came level-triggered
 * @irr: requested
 */
union lapic_regs {
	u32 reg[LAPIC_REGS];
	struct {
		u32 before[LAPIC_ISR];
		unsigned long isr[LAPIC_WORDS];
		unsigned long tmr[LAPIC_WORDS];
		unsigned long irr[LAPIC_WORDS];
	};
};

/* The highest vector of a bitmap, or -1. */
static inline int lapic_highest(const unsigned long *map)
{
	int i;

	for (i = LAPIC_WORDS - 1; i >= 0; i--) {
		unsigned long word = READ_ONCE(map[i]);

		if (word)
			return i * 64 + 63 - __builtin_clzl(word);
	}
	return -1;
}

/* The processor priority: the task's, or that of what is in service (-1: nothing). */
static inline u8 lapic_ppr(u8 tpr, int in_service)
{
	if (in_service < 0 || tpr >> 4 >= in_service >> 4)
		return tpr;
	return in_service & 0xf0;
}

/* A requested vector (-1: none) that the processor takes at this priority, or -1. */
static inline int lapic_deliverable(int requested, u8 ppr)
{
	return requested >= 0 && requested >> 4 > ppr >> 4 ? requested : -1;
}

/* The timer's divider: bits 3, 1, 0 of TDCR; 111b is 1. */
static inline unsigned int lapic_divider(u32 tdcr)
{
	unsigned int code = ((tdcr & 8) >> 1 | (tdcr & 3)) + 1;

	return 1u << (code & 7);
}

/* An x2APIC's logical id: cluster in the upper half, a bit of sixteen in the lower. */
static inline u32 lapic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | 1u << (id & 15);
}

#endif
