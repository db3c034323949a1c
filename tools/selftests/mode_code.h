/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the programs of mode_code.S and their tables are in guest memory. */
#ifndef SELFTEST_MODE_CODE_H
#define SELFTEST_MODE_CODE_H

#define MODE_IDT	0x1000
#define MODE_GDT	0x2000
#define MODE_GDT_SIZE	0x80
#define MODE_TSS	0x3000
#define MODE_TSS2	0x3100
#define MODE_STACK	0x7000
#define MODE_CODE	0x8000
#define MODE_HANDLER64	0x9000
#define MODE_PML4	0x10000
#define MODE_PDPT	0x11000
#define MODE_PD		0x12000
#define MODE_PT32	0x14000
#define MODE_FAR	0x90000
#define MODE_MEM	0xa0000	/* size of the memory; MMIO behind it */
#define MODE_MMIO	0xa8000

#define MODE_PORT	0x1234

#define MODE_SEL_CODE32	0x08
#define MODE_SEL_DATA	0x10
#define MODE_SEL_CODE64	0x18
#define MODE_SEL_CODE16	0x20
#define MODE_SEL_DATA16	0x28
#define MODE_SEL_TSS	0x30
#define MODE_SEL_TSS2	0x40

#ifndef __ASSEMBLER__

#include "types.h"

extern const u8 mode_code16[], mode_code16_end[], mode_handler16[];
extern const u8 mode_code32[], mode_code32_end[], mode_handler32[];
extern const u8 mode_code64[], mode_code64_end[];
extern const u8 mode_handler64[], mode_handler64_end[];
extern const u8 mode_climb[], mode_climb_end[];
extern const u8 mode_unreal[], mode_unreal_end[];
extern const u8 mode_task[], mode_task_end[], mode_task_new[];

#endif

#endif
