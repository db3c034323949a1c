/* SPDX-License-Identifier: GPL-2.0-only */
/* What the choice of native cases and their running share. */
#ifndef EMULATE_NATIVE_H
#define EMULATE_NATIVE_H

#include "../../../x86/emulate/internal.h"

/* Both are below 2 GiB: every addressing form reaches them. */
#define DATA_BASE	0x20000000ul
#define DATA_BYTES	0x4000ul
#define CODE_BASE	0x58000000ul
#define CODE_BYTES	0x10000ul
#define CODE_MIDDLE	0x8000ul

/**
 * struct native_case - one instruction with what it starts from
 * @ctxt: registers and instruction, and after execution the emulator's result
 * @start: registers before
 * @code: the bytes
 * @offset: where the code is in the code region
 * @xmm: vector registers, the emulator's result
 * @start_xmm: vector registers before
 * @outcome: the emulator's
 */
struct native_case {
	struct emulate_ctxt ctxt;
	struct emulate_ctxt start;
	u8 code[16];
	u64 offset;
	u8 xmm[16][16];
	u8 start_xmm[16][16];
	enum emulate_outcome outcome;
};

extern struct native_case current;
extern enum emulate_mode mode;
extern u8 *data, *mirror;
extern u64 seed;

/* emulate_cases.c */
u64 random_value(void);
void choose_case(const struct emulate_ops *ops);
u64 undefined_flags(void);
bool undefined_result(void);

#endif
