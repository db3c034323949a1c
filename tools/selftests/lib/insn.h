/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions as functions, for guest code. */
#ifndef SELFTEST_INSN_H
#define SELFTEST_INSN_H

#include "types.h"

#define INSN_OUT(name, type, suffix)					\
static inline void name(u16 port, type value)				\
{									\
	asm volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port)	\
		     : "memory");					\
}

#define INSN_IN(name, type, suffix)					\
static inline type name(u16 port)					\
{									\
	type value;							\
									\
	asm volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port)	\
		     : "memory");					\
	return value;							\
}

INSN_OUT(outb, u8, "b")
INSN_OUT(outw, u16, "w")
INSN_OUT(outl, u32, "l")
INSN_IN(inb, u8, "b")
INSN_IN(inw, u16, "w")
INSN_IN(inl, u32, "l")

#define INSN_MMIO(bits)							\
static inline void mmio_write##bits(u64 gpa, u##bits value)		\
{									\
	asm volatile("mov %0, %1" : : "r"(value), "m"(*(u##bits *)gpa)	\
		     : "memory");					\
}									\
									\
static inline u##bits mmio_read##bits(u64 gpa)				\
{									\
	u##bits value;							\
									\
	asm volatile("mov %1, %0" : "=r"(value) : "m"(*(u##bits *)gpa)	\
		     : "memory");					\
	return value;							\
}

INSN_MMIO(8)
INSN_MMIO(16)
INSN_MMIO(32)
INSN_MMIO(64)

#define INSN_REG(reg)							\
static inline u64 read_##reg(void)					\
{									\
	u64 value;							\
									\
	asm volatile("mov %%" #reg ", %0" : "=r"(value) : : "memory");	\
	return value;							\
}									\
									\
static inline void write_##reg(u64 value)				\
{									\
	asm volatile("mov %0, %%" #reg : : "r"(value) : "memory");	\
}									\
									\
static inline u64 try_write_##reg(u64 value)				\
{									\
	asm volatile(GUEST_TRY("mov %0, %%" #reg)			\
		     : : "r"(value) : "memory");			\
	return guest_vector();						\
}

INSN_REG(cr0)
INSN_REG(cr2)
INSN_REG(cr3)
INSN_REG(cr4)
INSN_REG(cr8)
INSN_REG(dr0)
INSN_REG(dr1)
INSN_REG(dr2)
INSN_REG(dr3)
INSN_REG(dr6)
INSN_REG(dr7)

static inline u64 rdmsr(u32 index)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
	return low | (u64)high << 32;
}

static inline void wrmsr(u32 index, u64 value)
{
	asm volatile("wrmsr" : : "c"(index), "a"((u32)value),
		     "d"((u32)(value >> 32)) : "memory");
}

static inline u64 try_rdmsr(u32 index, u64 *value)
{
	u32 low = 0, high = 0;

	asm volatile(GUEST_TRY("rdmsr")
		     : "+a"(low), "+d"(high) : "c"(index) : "memory");
	*value = low | (u64)high << 32;
	return guest_vector();
}

static inline u64 try_wrmsr(u32 index, u64 value)
{
	asm volatile(GUEST_TRY("wrmsr")
		     : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32))
		     : "memory");
	return guest_vector();
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (u64)high << 32;
}

static inline void guest_cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	asm volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d)
		     : "0"(leaf), "2"(sub) : "memory");
}

static inline u64 read_rflags(void)
{
	u64 flags;

	asm volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags;
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	asm volatile("hlt" : : : "memory");
}

#endif
