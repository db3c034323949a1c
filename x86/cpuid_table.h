/* SPDX-License-Identifier: GPL-2.0-only */
/* What CPUID offers, as rows. */
#ifndef KSVM_X86_CPUID_TABLE_H
#define KSVM_X86_CPUID_TABLE_H

#include <linux/types.h>

enum cpuid_register {
	CPUID_REG_EAX,
	CPUID_REG_EBX,
	CPUID_REG_ECX,
	CPUID_REG_EDX,
	CPUID_REGISTERS,
};

/* A register that the kernel keeps no feature word of. */
#define CPUID_NO_WORD		0xff

#define CPUID_KVM_SIGNATURE	0x40000000
#define CPUID_KVM_FEATURES	0x40000001
#define CPUID_EXTENDED		0x80000000

/* The highest leaves that are offered. */
#define CPUID_BASIC_MAX		0xd
#define CPUID_EXTENDED_MAX	0x80000021

/**
 * struct cpuid_row - what is offered of a register
 * @function: EAX of the leaf
 * @index: ECX of the leaf, 0 where it does not matter
 * @reg: enum cpuid_register
 * @word: the register's feature word (X86_FEATURE_* / 32), or CPUID_NO_WORD
 * @offered: bits that the guest gets where the host has them
 * @emulated: bits that it gets in any case
 */
struct cpuid_row {
	u32 function;
	u8 index;
	u8 reg;
	u8 word;
	u32 offered;
	u32 emulated;
};

extern const struct cpuid_row cpuid_rows[];
extern const unsigned int cpuid_nr_rows;

/* Leaves whose ECX chooses a sub-leaf. */
bool cpuid_has_subleaves(u32 function);

#endif
