/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does a destination mean this local APIC (AMD64 manual, volume 2, "Interrupt
 * Destination")? The obvious form of what the destination map answers at once. Also
 * built on the host.
 */
#ifndef KSVM_IRQ_DEST_MATCH_H
#define KSVM_IRQ_DEST_MATCH_H

#include "pure.h"

#define DEST_XAPIC_BROADCAST	0xffu
#define DEST_X2APIC_BROADCAST	0xffffffffu
#define DEST_DFR_FLAT		0xfu

/**
 * struct dest_apic - an APIC as a destination sees it
 * @x2apic: its mode
 * @id: its id; 8 bits in xAPIC mode, unless its vCPU has a number beyond
 * @ldr: LDR: in xAPIC mode the logical id without the 24 bits below
 * @model: bits 31-28 of DFR; xAPIC only
 */
struct dest_apic {
	bool x2apic;
	u32 id;
	u32 ldr;
	u8 model;
};

/**
 * struct dest - where a message goes
 * @id: the destination
 * @logical: it is a logical one
 * @wide: it is an x2APIC's, of 32 bits
 * @broadcast_all: a narrow broadcast means x2APICs as well
 */
struct dest {
	u32 id;
	bool logical;
	bool wide;
	bool broadcast_all;
};

static inline bool dest_is_broadcast(const struct dest *dest, bool x2apic)
{
	if (dest->wide)
		return dest->id == DEST_X2APIC_BROADCAST;
	return dest->id == DEST_XAPIC_BROADCAST && (!x2apic || dest->broadcast_all);
}

static inline bool dest_match_logical(const struct dest *dest, const struct dest_apic *apic)
{
	if (apic->x2apic)
		return dest->id >> 16 == apic->ldr >> 16 && (dest->id & apic->ldr & 0xffff);
	if (dest->id > DEST_XAPIC_BROADCAST)
		return false;
	if (apic->model == DEST_DFR_FLAT)
		return dest->id & apic->ldr;
	/* Cluster model; cluster 15 of a broadcast has been dealt with. */
	if (apic->model)
		return false;
	return dest->id >> 4 == apic->ldr >> 4 && (dest->id & apic->ldr & 0xf);
}

static inline bool dest_match(const struct dest *dest, const struct dest_apic *apic)
{
	if (dest_is_broadcast(dest, apic->x2apic))
		return true;
	if (dest->logical)
		return dest_match_logical(dest, apic);
	return dest->id == apic->id;
}

#endif
