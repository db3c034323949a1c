// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder: rows written by hand for every class of encoding in
 * every mode, truncation at each byte, and, where binutils is installed, the
 * lengths that objdump finds in a generated corpus.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../include/emulate.h"
#include "emulate_tap.h"

#define R	(1u << EMULATE_REAL)
#define V	(1u << EMULATE_VM86)
#define P16	(1u << EMULATE_PROT16)
#define P32	(1u << EMULATE_PROT32)
#define L	(1u << EMULATE_LONG64)
#define W16	(R | V | P16)
#define LEGACY	(W16 | P32)
#define ALL	(LEGACY | L)

/* Expected length, or what is wrong. */
#define UD	(-INSN_INVALID)
#define LONGER	(-INSN_TOO_LONG)

struct row {
	const char *name;
	unsigned int modes;
	int expected;
	u8 bytes[16];
};

static const struct row rows[] = {
	{ "nop", ALL, 1, { 0x90 } },
	{ "pause", ALL, 2, { 0xf3, 0x90 } },
	{ "hlt", ALL, 1, { 0xf4 } },
	{ "cpuid", ALL, 2, { 0x0f, 0xa2 } },
	{ "rdmsr", ALL, 2, { 0x0f, 0x32 } },
	{ "vmmcall", ALL, 3, { 0x0f, 0x01, 0xd9 } },
	{ "vmrun", ALL, 3, { 0x0f, 0x01, 0xd8 } },
	{ "vmcall is Intel's", ALL, UD, { 0x0f, 0x01, 0xc1 } },
	{ "ud2", ALL, UD, { 0x0f, 0x0b } },
	{ "swapgs", L, 3, { 0x0f, 0x01, 0xf8 } },
	{ "swapgs", LEGACY, UD, { 0x0f, 0x01, 0xf8 } },
	{ "rdtscp", ALL, 3, { 0x0f, 0x01, 0xf9 } },
	{ "mov cr0", ALL, 3, { 0x0f, 0x22, 0xc0 } },
	{ "mov cr0, mod ignored", ALL, 3, { 0x0f, 0x22, 0x04 } },
	{ "mov cr8 by rex", L, 4, { 0x44, 0x0f, 0x20, 0xc0 } },
	{ "mov cr8 by lock", ALL, 4, { 0xf0, 0x0f, 0x20, 0xc0 } },
	{ "lock mov cr3", ALL, UD, { 0xf0, 0x0f, 0x20, 0xd8 } },
	{ "lock mov dr0", ALL, UD, { 0xf0, 0x0f, 0x21, 0xc0 } },
	{ "out dx, al", ALL, 1, { 0xee } },
	{ "out imm8", ALL, 2, { 0xe6, 0x80 } },
	{ "rep insb", ALL, 2, { 0xf3, 0x6c } },
	/* The same bytes, REX or INC. */
	{ "inc", LEGACY, 1, { 0x40 } },
	{ "rex add", L, 3, { 0x40, 0x00, 0xc0 } },
	{ "rex before a prefix is lost", L, 4, { 0x48, 0x66, 0x89, 0xc0 } },
	/* Addressing. */
	{ "[bx+si] or [eax]", ALL, 2, { 0x8b, 0x00 } },
	{ "[disp16]", W16, 4, { 0x8b, 0x06, 1, 2 } },
	{ "[esi] [rsi]", P32 | L, 2, { 0x8b, 0x06 } },
	{ "[disp32] [rip+disp32]", P32 | L, 6, { 0x8b, 0x05, 1, 2, 3, 4 } },
	{ "[di]", W16, 2, { 0x8b, 0x05 } },
	{ "[bx+disp16]", W16, 4, { 0x8b, 0x87, 1, 2 } },
	{ "[edi+disp32]", P32 | L, 6, { 0x8b, 0x87, 1, 2, 3, 4 } },
	{ "[sib]", P32 | L, 3, { 0x8b, 0x04, 0x24 } },
	{ "[sib+disp8]", P32 | L, 4, { 0x8b, 0x44, 0x24, 8 } },
	{ "[sib+disp32]", P32 | L, 7, { 0x8b, 0x84, 0x88, 1, 2, 3, 4 } },
	{ "[index+disp32]", P32 | L, 7, { 0x8b, 0x04, 0x8d, 1, 2, 3, 4 } },
	{ "addr32 [sib]", W16, 4, { 0x67, 0x8b, 0x04, 0x24 } },
	{ "addr16 [disp16]", P32, 5, { 0x67, 0x8b, 0x06, 1, 2 } },
	{ "addr32 [esi]", L, 3, { 0x67, 0x8b, 0x06 } },
	{ "moffs16", W16, 3, { 0xa1, 1, 2 } },
	{ "moffs32", P32, 5, { 0xa1, 1, 2, 3, 4 } },
	{ "moffs64", L, 9, { 0xa1, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "addr32 moffs", W16 | L, 6, { 0x67, 0xa3, 1, 2, 3, 4 } },
	{ "addr16 moffs", P32, 4, { 0x67, 0xa0, 1, 2 } },
	/* Immediates. */
	{ "mov r16, imm", W16, 3, { 0xb8, 1, 2 } },
	{ "mov r32, imm", P32 | L, 5, { 0xb8, 1, 2, 3, 4 } },
	{ "mov r64, imm64", L, 10, { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "66 mov r16", P32 | L, 4, { 0x66, 0xb8, 1, 2 } },
	{ "66 mov r32", W16, 6, { 0x66, 0xb8, 1, 2, 3, 4 } },
	{ "mov rm, imm", W16, 4, { 0xc7, 0xc0, 1, 2 } },
	{ "mov rm64, imm32", L, 7, { 0x48, 0xc7, 0xc0, 1, 2, 3, 4 } },
	{ "group 3 test has one", P32 | L, 3, { 0xf6, 0xc0, 1 } },
	{ "group 3 not has none", P32 | L, 2, { 0xf6, 0xd0 } },
	{ "group 3 test imm32", P32 | L, 6, { 0xf7, 0x00, 1, 2, 3, 4 } },
	{ "ret imm16", ALL, 3, { 0xc2, 1, 2 } },
	{ "enter", ALL, 4, { 0xc8, 1, 2, 3 } },
	{ "push imm32", P32 | L, 5, { 0x68, 1, 2, 3, 4 } },
	{ "push imm8", ALL, 2, { 0x6a, 1 } },
	{ "imul imm8", ALL, 3, { 0x6b, 0xc0, 1 } },
	{ "imul imm", W16, 4, { 0x69, 0xc0, 1, 2 } },
	{ "far jump", W16, 5, { 0xea, 1, 2, 3, 4 } },
	{ "far jump", P32, 7, { 0xea, 1, 2, 3, 4, 5, 6 } },
	{ "far jump", L, UD, { 0xea, 1, 2, 3, 4, 5, 6 } },
	{ "66 far call", W16, 8, { 0x66, 0x9a, 1, 2, 3, 4, 5, 6 } },
	{ "near jump", W16, 3, { 0xe9, 1, 2 } },
	{ "near jump", P32 | L, 5, { 0xe9, 1, 2, 3, 4 } },
	{ "66 near jump, AMD's way", P32 | L, 4, { 0x66, 0xe9, 1, 2 } },
	{ "66 jcc, AMD's way", L, 5, { 0x66, 0x0f, 0x84, 1, 2 } },
	{ "short jump", ALL, 2, { 0x74, 1 } },
	{ "extrq", ALL, 6, { 0x66, 0x0f, 0x78, 0xc0, 1, 2 } },
	{ "insertq", ALL, 6, { 0xf2, 0x0f, 0x78, 0xc1, 1, 2 } },
	{ "vmread is Intel's", ALL, UD, { 0x0f, 0x78, 0xc0 } },
	{ "3DNow!", ALL, 4, { 0x0f, 0x0f, 0xc1, 0x9e } },
	{ "palignr", ALL, 6, { 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 4 } },
	{ "pshufb", ALL, 4, { 0x0f, 0x38, 0x00, 0xc1 } },
	{ "movbe", ALL, 4, { 0x0f, 0x38, 0xf0, 0x01 } },
	{ "movbe has no register form", ALL, UD, { 0x0f, 0x38, 0xf0, 0xc1 } },
	{ "crc32", ALL, 5, { 0xf2, 0x0f, 0x38, 0xf1, 0xc1 } },
	{ "movdqu", ALL, 4, { 0xf3, 0x0f, 0x6f, 0x01 } },
	{ "movntdq needs memory", ALL, UD, { 0x66, 0x0f, 0xe7, 0xc1 } },
	{ "movnti with 66", ALL, UD, { 0x66, 0x0f, 0xc3, 0x01 } },
	/* What a mode does not have. */
	{ "push es", LEGACY, 1, { 0x06 } },
	{ "push es", L, UD, { 0x06 } },
	{ "push fs", ALL, 2, { 0x0f, 0xa0 } },
	{ "pusha", L, UD, { 0x60 } },
	{ "daa", L, UD, { 0x27 } },
	{ "aam", L, UD, { 0xd4, 0x0a } },
	{ "82 alias", LEGACY, 3, { 0x82, 0xc0, 1 } },
	{ "82 alias", L, UD, { 0x82, 0xc0, 1 } },
	{ "bound", P32, 2, { 0x62, 0x00 } },
	{ "bound with registers", LEGACY, UD, { 0x62, 0xc0 } },
	{ "evex", L, UD, { 0x62, 0xf1, 0x7c, 0x48, 0x28, 0xc1 } },
	{ "les", LEGACY, 2, { 0xc4, 0x00 } },
	{ "les or vex", R | V, UD, { 0xc5, 0xf8, 0x77 } },
	{ "arpl", P16 | P32, 2, { 0x63, 0xc0 } },
	{ "arpl", R | V, UD, { 0x63, 0xc0 } },
	{ "movsxd", L, 3, { 0x48, 0x63, 0xc1 } },
	{ "str", R | V, UD, { 0x0f, 0x00, 0xc8 } },
	{ "str", P16 | P32 | L, 3, { 0x0f, 0x00, 0xc8 } },
	{ "lar", R | V, UD, { 0x0f, 0x02, 0xc0 } },
	{ "sysenter", LEGACY, 2, { 0x0f, 0x34 } },
	{ "sysenter", L, UD, { 0x0f, 0x34 } },
	{ "rdfsbase", L, 4, { 0xf3, 0x0f, 0xae, 0xc0 } },
	{ "rdfsbase", LEGACY, UD, { 0xf3, 0x0f, 0xae, 0xc0 } },
	{ "lea of a register", ALL, UD, { 0x8d, 0xc0 } },
	{ "pop group, not 0", ALL, UD, { 0x8f, 0xc8 } },
	{ "xop", L, UD, { 0x8f, 0xe9, 0x78, 0x01, 0xc8 } },
	{ "group 5, 7", ALL, UD, { 0xff, 0xf8 } },
	{ "far call by register", ALL, UD, { 0xff, 0xd8 } },
	/* LOCK */
	{ "lock add mem", ALL, 3, { 0xf0, 0x01, 0x07 } },
	{ "lock add reg", ALL, UD, { 0xf0, 0x01, 0xc0 } },
	{ "lock add from mem", ALL, UD, { 0xf0, 0x03, 0x07 } },
	{ "lock cmp", ALL, UD, { 0xf0, 0x39, 0x07 } },
	{ "lock mov", ALL, UD, { 0xf0, 0x89, 0x07 } },
	{ "lock xchg", ALL, 3, { 0xf0, 0x87, 0x07 } },
	{ "lock cmpxchg8b", ALL, 4, { 0xf0, 0x0f, 0xc7, 0x0f } },
	{ "lock bt", ALL, UD, { 0xf0, 0x0f, 0xa3, 0x07 } },
	{ "lock btc imm", ALL, 5, { 0xf0, 0x0f, 0xba, 0x3f, 1 } },
	{ "lock nop", ALL, UD, { 0xf0, 0x90 } },
	/* VEX */
	{ "vzeroupper", P16 | P32 | L, 3, { 0xc5, 0xf8, 0x77 } },
	{ "vmovdqa", P16 | P32 | L, 4, { 0xc5, 0xf9, 0x6f, 0x07 } },
	{ "vmovdqa, three bytes", P32 | L, 5, { 0xc4, 0xe1, 0x79, 0x6f, 0x07 } },
	{ "vmovdqa with vvvv", L, UD, { 0xc5, 0xf1, 0x6f, 0x07 } },
	{ "vpermq", L, 6, { 0xc4, 0xe3, 0xfd, 0x00, 0xc1, 1 } },
	{ "vpermq needs L", L, UD, { 0xc4, 0xe3, 0xf9, 0x00, 0xc1, 1 } },
	{ "andn", P32 | L, 5, { 0xc4, 0xe2, 0x70, 0xf2, 0xc2 } },
	{ "andn has no legacy form", L, UD, { 0x0f, 0x38, 0xf2, 0xc2 } },
	{ "rorx", L, 6, { 0xc4, 0xe3, 0x7b, 0xf0, 0xc1, 1 } },
	{ "66 before vex", L, UD, { 0x66, 0xc5, 0xf9, 0x6f, 0x07 } },
	{ "rex before vex", L, UD, { 0x48, 0xc5, 0xf9, 0x6f, 0x07 } },
	{ "lock before vex", L, UD, { 0xf0, 0xc5, 0xf9, 0x6f, 0x07 } },
	{ "segment before vex", L, 5, { 0x64, 0xc5, 0xf9, 0x6f, 0x07 } },
	{ "vex map 0", L, UD, { 0xc4, 0xe0, 0x79, 0x6f, 0x07 } },
	{ "MMX has no vex form", L, UD, { 0xc5, 0xf8, 0xfc, 0xc1 } },
	/* Length */
	{ "fifteen bytes", ALL, 15, { 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26,
				      0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x90 } },
	{ "sixteen bytes", ALL, LONGER, { 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26,
					  0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26,
					  0x26, 0x90 } },
	{ "immediate ends too late", P32 | L, LONGER,
	  { 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26, 0x26,
	    0xb8, 0, 0, 0, 0 } },
};

static const char *const mode_names[] = {
	"real", "virtual-8086", "16-bit", "32-bit", "64-bit",
};

static bool check_row(const struct row *row, enum emulate_mode mode)
{
	struct insn insn;
	int status = insn_decode(&insn, row->bytes, 16, mode);
	int got = status == INSN_OK ? insn.length : -status;

	if (got == row->expected)
		return true;
	printf("# %s in %s mode: expected %d, got %d\n", row->name,
	       mode_names[mode], row->expected, got);
	return false;
}

static void test_rows(void)
{
	unsigned int i;
	int mode;

	for (mode = EMULATE_REAL; mode <= EMULATE_LONG64; mode++) {
		bool passed = true;
		unsigned int count = 0;

		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			if (!(rows[i].modes & (1u << mode)))
				continue;
			passed &= check_row(&rows[i], mode);
			count++;
		}
		tap_ok(passed, "%u encodings in %s mode", count, mode_names[mode]);
	}
}

/* Every proper prefix of an instruction asks for more, from exact buffers. */
static void test_truncation(void)
{
	bool passed = true;
	unsigned int i;
	int mode, n;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (mode = EMULATE_REAL; mode <= EMULATE_LONG64; mode++) {
			if (!(rows[i].modes & (1u << mode)) || rows[i].expected < 0)
				continue;
			for (n = 0; n < rows[i].expected; n++) {
				u8 *exact = malloc(n ? n : 1);
				struct insn insn;

				memcpy(exact, rows[i].bytes, n);
				if (insn_decode(&insn, exact, n, mode) !=
				    INSN_TRUNCATED) {
					printf("# %s: %d bytes\n", rows[i].name, n);
					passed = false;
				}
				free(exact);
			}
		}
	}
	tap_ok(passed, "a part of an instruction is truncated");
}

struct operand_row {
	const char *name;
	enum emulate_mode mode;
	u8 bytes[10];
	unsigned int index;
	struct insn_operand expected;
};

#define GPR(n, size)	{ .kind = INSN_OPERAND_GPR, .reg = (n), .bytes = (size) }
#define MEM(size)	{ .kind = INSN_OPERAND_MEM, .bytes = (size) }
#define IMM(value, size) { .kind = INSN_OPERAND_IMM, .imm = (value), .bytes = (size) }
#define XMM(n, size)	{ .kind = INSN_OPERAND_XMM, .reg = (n), .bytes = (size) }

static const struct operand_row operand_rows[] = {
	{ "mov [rdi], eax", EMULATE_LONG64, { 0x89, 0x07 }, 0, MEM(4) },
	{ "mov [rdi], eax", EMULATE_LONG64, { 0x89, 0x07 }, 1, GPR(0, 4) },
	{ "no third operand", EMULATE_LONG64, { 0x89, 0x07 }, 2, { 0 } },
	{ "mov r9b, ah is spl with rex", EMULATE_LONG64, { 0x41, 0x88, 0xe1 }, 1,
	  GPR(4, 1) },
	{ "mov cl, ah", EMULATE_LONG64, { 0x88, 0xe1 }, 1,
	  { .kind = INSN_OPERAND_GPR, .reg = 0, .bytes = 1, .high = true } },
	{ "add r/m16, imm8", EMULATE_REAL, { 0x83, 0x07, 0xff }, 1,
	  IMM(~0ull, 1) },
	{ "mov r10, imm64", EMULATE_LONG64,
	  { 0x49, 0xba, 1, 0, 0, 0, 0, 0, 0, 0x80 }, 1,
	  IMM(0x8000000000000001, 8) },
	{ "movzx eax, word", EMULATE_PROT32, { 0x0f, 0xb7, 0x07 }, 1, MEM(2) },
	{ "push rax", EMULATE_LONG64, { 0x50 }, 0, GPR(0, 8) },
	{ "push r12w", EMULATE_LONG64, { 0x66, 0x41, 0x54 }, 0, GPR(12, 2) },
	{ "mov cr4, r8", EMULATE_LONG64, { 0x41, 0x0f, 0x22, 0xe0 }, 0,
	  { .kind = INSN_OPERAND_CR, .reg = 4, .bytes = 8 } },
	{ "lock mov eax, cr8", EMULATE_PROT32, { 0xf0, 0x0f, 0x20, 0xc0 }, 1,
	  { .kind = INSN_OPERAND_CR, .reg = 8, .bytes = 4 } },
	{ "movdqa [rdi], xmm9", EMULATE_LONG64, { 0x66, 0x44, 0x0f, 0x7f, 0x0f }, 1,
	  XMM(9, 16) },
	{ "addps has two operands", EMULATE_LONG64, { 0x0f, 0x58, 0x07 }, 1,
	  MEM(16) },
	{ "vaddps has three", EMULATE_LONG64, { 0xc5, 0xf4, 0x58, 0x07 }, 1,
	  XMM(1, 32) },
	{ "vaddps", EMULATE_LONG64, { 0xc5, 0xf4, 0x58, 0x07 }, 2, MEM(32) },
	{ "addss", EMULATE_LONG64, { 0xf3, 0x0f, 0x58, 0x07 }, 1, MEM(4) },
	{ "cmpxchg16b", EMULATE_LONG64, { 0x48, 0x0f, 0xc7, 0x0f }, 0, MEM(16) },
	{ "outsd in 64-bit mode", EMULATE_LONG64, { 0x48, 0x6f }, 1,
	  { .kind = INSN_OPERAND_STRING_SRC, .bytes = 4 } },
	{ "sgdt", EMULATE_LONG64, { 0x0f, 0x01, 0x07 }, 0, MEM(10) },
	{ "jmp", EMULATE_LONG64, { 0xeb, 0xfe }, 0,
	  { .kind = INSN_OPERAND_BRANCH, .imm = -2ull, .bytes = 8 } },
};

static void test_operands(void)
{
	bool passed = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operand_rows); i++) {
		const struct operand_row *row = &operand_rows[i];
		struct insn_operand got;
		struct insn insn;

		if (insn_decode(&insn, row->bytes, sizeof(row->bytes), row->mode)) {
			printf("# %s: not decoded\n", row->name);
			passed = false;
			continue;
		}
		insn_operand(&insn, row->index, &got);
		if (got.kind != row->expected.kind || got.reg != row->expected.reg ||
		    got.bytes != row->expected.bytes || got.imm != row->expected.imm ||
		    got.high != row->expected.high) {
			printf("# %s: kind %u reg %u bytes %u imm %llx\n", row->name,
			       got.kind, got.reg, got.bytes,
			       (unsigned long long)got.imm);
			passed = false;
		}
	}
	tap_ok(passed, "%zu operands are described", ARRAY_SIZE(operand_rows));
}

/* Base, index, segment, displacement of one instruction. */
static void test_addressing(void)
{
	static const u8 sib[] = { 0x64, 0x4a, 0x8b, 0x84, 0xa5, 0, 0, 0, 0x80 };
	static const u8 rip[] = { 0x8b, 0x05, 0xfc, 0xff, 0xff, 0xff };
	static const u8 bp[] = { 0x8b, 0x42, 0x80 };
	static const u8 ignored[] = { 0x2e, 0x8b, 0x45, 0x00 };
	struct insn insn;

	insn_decode(&insn, sib, sizeof(sib), EMULATE_LONG64);
	tap_ok(insn.base == EMULATE_RBP && insn.index == 12 && insn.scale == 2 &&
	       insn.segment == EMULATE_FS && insn.disp == 0xffffffff80000000ull &&
	       insn.operand_bytes == 8, "fs:[rbp+r12*4-0x80000000]");
	insn_decode(&insn, rip, sizeof(rip), EMULATE_LONG64);
	tap_ok(insn.base == INSN_REG_RIP && insn.disp == -4ull &&
	       insn.segment == EMULATE_DS, "[rip-4]");
	insn_decode(&insn, bp, sizeof(bp), EMULATE_REAL);
	tap_ok(insn.base == EMULATE_RBP && insn.index == EMULATE_RSI &&
	       insn.disp == -128ull && insn.segment == EMULATE_SS, "[bp+si-0x80]");
	insn_decode(&insn, ignored, sizeof(ignored), EMULATE_LONG64);
	tap_ok(insn.segment == EMULATE_SS && !(insn.prefixes & INSN_PREFIX_SEGMENT),
	       "cs: has no effect in 64-bit mode");
}

/* The corpus: each instruction at the start of 32 bytes filled with NOP. */
#define SLOT		32
#define SLOTS		20000

static u64 seed = 88172645463325252ull;

static unsigned int below(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

static void generate(u8 *slot, enum emulate_mode mode)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x64 };
	unsigned int n = 0, map = below(5);

	memset(slot, 0x90, SLOT);
	if (map < 4) {
		while (!below(3) && n < 3)
			slot[n++] = prefixes[below(sizeof(prefixes))];
		if (mode == EMULATE_LONG64 && below(2))
			slot[n++] = 0x40 | below(16);
	}
	if (map == 4) {
		slot[n++] = 0xc4;
		slot[n++] = 0xe1 + below(3);
		slot[n++] = (below(2) ? 0x78 : below(16) << 3) | below(8) |
			    below(2) << 7;
	} else if (map) {
		slot[n++] = 0x0f;
		if (map == 2)
			slot[n++] = 0x38;
		if (map == 3)
			slot[n++] = 0x3a;
	}
	while (n < INSN_MAX_LENGTH)
		slot[n++] = below(256);
}

/* Not comparable: objdump tears a prefix off, or joins FWAIT with what follows. */
static bool comparable(const u8 *slot, unsigned int length, const char *text)
{
	unsigned int i;

	if (strstr(text, "bad)") || slot[0] == 0x9b)
		return false;
	for (i = 0; i < length; i++) {
		if (slot[i] == 0x9b)
			return false;
		if (!memchr("\x66\x67\xf2\xf3\x64\x65\x26\x2e\x36\x3e\xf0", slot[i],
			    11) && (slot[i] & 0xf0) != 0x40)
			return true;
	}
	return length == 1 && (slot[0] & 0xf0) == 0x40 && !strstr(text, "rex");
}

/* One line: address, the bytes of one instruction, its text. */
static int parse_line(char *line, unsigned long *address, char **text)
{
	char *end, *bytes;
	int count = 0;

	*address = strtoul(line, &end, 16);
	if (end == line || end[0] != ':' || end[1] != '\t')
		return 0;
	bytes = end + 2;
	*text = strchr(bytes, '\t');
	if (!*text)
		*text = bytes + strlen(bytes);
	while (bytes < *text) {
		strtoul(bytes, &end, 16);
		if (end == bytes || end > *text)
			break;
		count++;
		bytes = end;
	}
	return count;
}

static void compare(FILE *listing, const u8 *corpus, enum emulate_mode mode)
{
	unsigned int compared = 0, wrong = 0;
	unsigned long address;
	char line[512], *text;
	int length;

	while (fgets(line, sizeof(line), listing)) {
		const u8 *slot;
		struct insn insn;

		length = parse_line(line, &address, &text);
		if (!length || address % SLOT || address >= SLOTS * SLOT)
			continue;
		slot = corpus + address;
		if (insn_decode(&insn, slot, 15, mode) != INSN_OK ||
		    !comparable(slot, length, text))
			continue;
		compared++;
		if (insn.length != length && wrong++ < 10)
			printf("# at %lx: %u, objdump says %d:%s", address,
			       insn.length, length, text);
	}
	tap_ok(!wrong && compared > SLOTS / 5,
	       "%u of %u lengths in %s mode are objdump's", compared, SLOTS,
	       mode_names[mode]);
}

static void test_objdump(enum emulate_mode mode, const char *machine)
{
	char path[] = "/tmp/emulate_decode.XXXXXX", command[256];
	int fd = mkstemp(path);
	FILE *listing;
	u8 *corpus;
	unsigned int i;

	corpus = malloc(SLOTS * SLOT);
	if (fd < 0 || !corpus) {
		tap_ok(false, "no memory or no temporary file");
		return;
	}
	for (i = 0; i < SLOTS; i++)
		generate(corpus + i * SLOT, mode);
	if (write(fd, corpus, SLOTS * SLOT) != SLOTS * SLOT)
		tap_ok(false, "temporary file is not written");
	snprintf(command, sizeof(command),
		 "objdump -D -z -b binary -m i386 -M %s --insn-width=32 %s", machine,
		 path);
	listing = popen(command, "r");
	if (listing) {
		compare(listing, corpus, mode);
		pclose(listing);
	}
	unlink(path);
	close(fd);
	free(corpus);
}

int main(void)
{
	test_rows();
	test_truncation();
	test_operands();
	test_addressing();
	if (system("objdump --version >/dev/null 2>&1")) {
		tap_ok(true, "lengths compared with objdump # SKIP no objdump");
		return tap_done();
	}
	test_objdump(EMULATE_PROT16, "i8086");
	test_objdump(EMULATE_PROT32, "i386");
	test_objdump(EMULATE_LONG64, "x86-64");
	return tap_done();
}
