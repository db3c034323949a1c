/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The opcode tables' format: one row per opcode, rows of sub tables where
 * more than the opcode byte selects the instruction.
 */
#ifndef KSVM_EMULATE_OPCODES_H
#define KSVM_EMULATE_OPCODES_H

#include "../../include/emulate.h"

/*
 * What an instruction does, grouped by the file that executes it. OTHER: it is
 * decoded, but not executed here.
 */
enum operation {
	OP_INVALID,
	OP_OTHER,
	/* The first eight in the order of their encoding. */
	OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR, OP_CMP,
	OP_TEST, OP_INC, OP_DEC, OP_NOT, OP_NEG,
	OP_LAST_ALU = OP_NEG,
	OP_ROL, OP_ROR, OP_RCL, OP_RCR, OP_SHL, OP_SHR, OP_SAL, OP_SAR,
	OP_SHLD, OP_SHRD,
	OP_LAST_SHIFT = OP_SHRD,
	OP_MUL, OP_IMUL, OP_DIV, OP_IDIV, OP_IMUL2,
	OP_LAST_MULDIV = OP_IMUL2,
	OP_BT, OP_BTS, OP_BTR, OP_BTC,
	OP_BSF, OP_BSR, OP_TZCNT, OP_LZCNT, OP_POPCNT,
	OP_LAST_BIT = OP_POPCNT,
	OP_XCHG, OP_XADD, OP_CMPXCHG, OP_CMPXCHG8B,
	OP_LAST_EXCHANGE = OP_CMPXCHG8B,
	OP_MOV, OP_MOVZX, OP_MOVSX, OP_MOVBE, OP_BSWAP, OP_LEA,
	OP_CMOV, OP_SETCC, OP_CBW, OP_CWD, OP_XLAT, OP_SALC,
	OP_MOV_FROM_SREG, OP_MOV_TO_SREG, OP_LOAD_FAR,
	OP_LAST_MOVE = OP_LOAD_FAR,
	OP_PUSH, OP_POP, OP_PUSH_SREG, OP_POP_SREG, OP_PUSHA, OP_POPA,
	OP_PUSHF, OP_POPF, OP_ENTER, OP_LEAVE,
	OP_LAST_STACK = OP_LEAVE,
	OP_LAHF, OP_SAHF, OP_CMC, OP_CLC, OP_STC, OP_CLD, OP_STD,
	OP_CLI, OP_STI, OP_CLAC, OP_STAC,
	OP_LAST_FLAG = OP_STAC,
	OP_NOP, OP_FENCE,
	OP_LAST_NOP = OP_FENCE,
	OP_CLFLUSH,
	OP_JMP, OP_JCC, OP_CALL, OP_RET, OP_LOOP, OP_JCXZ,
	OP_JMP_ABS, OP_CALL_ABS,
	OP_LAST_BRANCH = OP_CALL_ABS,
	OP_MOVS, OP_CMPS, OP_STOS, OP_LODS, OP_SCAS, OP_INS, OP_OUTS,
	OP_LAST_STRING = OP_OUTS,
	OP_IN, OP_OUT,
	OP_LAST_IO = OP_OUT,
	OP_HLT, OP_CLTS, OP_LMSW, OP_SMSW,
	OP_MOV_FROM_CR, OP_MOV_TO_CR, OP_MOV_FROM_DR, OP_MOV_TO_DR,
	OP_SGDT, OP_SIDT, OP_LGDT, OP_LIDT, OP_SLDT, OP_STR,
	OP_INVLPG, OP_WBINVD,
	OP_RDMSR, OP_WRMSR, OP_RDTSC, OP_RDTSCP, OP_RDPMC, OP_CPUID,
	OP_XGETBV, OP_XSETBV, OP_SWAPGS,
	OP_LAST_SYSTEM = OP_SWAPGS,
	/* Moves of a whole vector: aligned, unaligned. */
	OP_MOVA, OP_MOVU,
	/* Moves of 4 or 8 bytes; a load clears the rest of the register. */
	OP_MOVX,
	/* Moves to or from one half of XMM: the other stays. */
	OP_MOVL, OP_MOVH,
	/* MOVD, MOVQ between XMM and a general register or memory. */
	OP_MOVD,
};

/* Attributes of a row. */
#define A_MODRM		(1u << 0)
/* Bits 1 to 4: immediates. */
#define A_IMM_SHIFT	1
#define A_IMM_MASK	(15u << A_IMM_SHIFT)
#define A_IB		(1u << A_IMM_SHIFT)	/* one byte */
#define A_IZ		(2u << A_IMM_SHIFT)	/* 2 or 4 by operand size */
#define A_IV		(3u << A_IMM_SHIFT)	/* 2, 4 or 8 by operand size */
#define A_IW		(4u << A_IMM_SHIFT)	/* two bytes, unsigned */
#define A_IBIB		(5u << A_IMM_SHIFT)
#define A_IWIB		(6u << A_IMM_SHIFT)
#define A_FAR		(7u << A_IMM_SHIFT)	/* offset, selector */
#define A_MOFFS		(8u << A_IMM_SHIFT)	/* an address */
/* Bits 5 to 7: the row stands for a sub table, its number in operation. */
#define A_LINK_SHIFT	5
#define A_LINK_MASK	(7u << A_LINK_SHIFT)
#define A_BY_REG	(1u << A_LINK_SHIFT)	/* by ModRM.reg */
/* By ModRM.rm in the table that ModRM.reg adds to the number. */
#define A_BY_REG_RM	(2u << A_LINK_SHIFT)
#define A_BY_MOD	(3u << A_LINK_SHIFT)	/* memory, register */
#define A_BY_SIMD	(4u << A_LINK_SHIFT)	/* none, 66, F3, F2 */
#define A_BY_MODE	(5u << A_LINK_SHIFT)	/* other modes, 64-bit mode */
#define A_BY_VEX	(6u << A_LINK_SHIFT)	/* legacy, VEX */
#define A_BYTE		(1u << 8)	/* operand size 1 */
#define A_D64		(1u << 9)	/* operand size 8 by default in long mode */
#define A_F64		(1u << 10)	/* operand size 8 in long mode, always */
#define A_NO64		(1u << 11)	/* not in 64-bit mode */
#define A_ONLY64	(1u << 12)	/* only in 64-bit mode */
#define A_NOREAL	(1u << 13)	/* not in real and virtual-8086 mode */
#define A_LOCK		(1u << 14)	/* LOCK allowed with a memory operand */
#define A_MEM		(1u << 15)	/* memory operand only */
#define A_REG		(1u << 16)	/* register operand only */
#define A_PREFIX	(1u << 17)	/* a legacy prefix */
#define A_ESCAPE	(1u << 18)	/* 0F, or C4 and C5 if they are VEX */
#define A_MODIGN	(1u << 19)	/* ModRM.mod has no meaning: a register */
/* Bits 20 to 23: SIMD prefixes allowed; none of them: without a meaning. */
#define A_SIMD_SHIFT	20
#define A_SIMD_MASK	(15u << A_SIMD_SHIFT)
#define A_S0		(1u << A_SIMD_SHIFT)
#define A_S66		(2u << A_SIMD_SHIFT)
#define A_SF3		(4u << A_SIMD_SHIFT)
#define A_SF2		(8u << A_SIMD_SHIFT)
#define A_VEX		(1u << 24)	/* legacy and VEX */
#define A_VEXONLY	(1u << 25)	/* VEX, not legacy */
#define A_VEX66		(1u << 26)	/* VEX if the prefix is 66: MMX and SSE */
#define A_NDS		(1u << 27)	/* VEX.vvvv is an operand */
#define A_L0		(1u << 28)	/* VEX.L must be 0 */
#define A_L1		(1u << 29)	/* VEX.L must be 1 */
#define A_REX		(1u << 30)	/* a REX prefix in 64-bit mode */

/* Where an operand is; the letters are those of opcode maps. */
enum operand_place {
	P_NONE,
	P_E,		/* ModRM.rm: general register or memory */
	P_G,		/* ModRM.reg: general register */
	P_Z,		/* the opcode's low bits: general register */
	P_ACC,		/* rAX */
	P_CL,
	P_DX,
	P_ONE,		/* the constant 1 */
	P_I,		/* immediate */
	P_I2,		/* second immediate */
	P_J,		/* branch offset */
	P_A,		/* far pointer */
	P_M,		/* memory */
	P_O,		/* memory, address in the instruction */
	P_S,		/* ModRM.reg: segment register */
	P_SEG,		/* opcode bits 3 to 5: segment register */
	P_C,		/* ModRM.reg: control register */
	P_D,		/* ModRM.reg: debug register */
	P_X,		/* memory at rSI */
	P_Y,		/* memory at rDI */
	P_B,		/* VEX.vvvv: general register */
	P_V,		/* ModRM.reg: XMM */
	P_W,		/* ModRM.rm: XMM or memory */
	P_H,		/* VEX.vvvv: XMM; not there in legacy encodings */
	P_L,		/* immediate bits 4 to 7: XMM */
	P_X0,		/* XMM0 */
	P_PMMX,		/* ModRM.reg: MMX */
	P_QMMX,		/* ModRM.rm: MMX or memory */
	P_PV,		/* ModRM.reg: XMM with prefix 66, else MMX */
	P_QW,		/* ModRM.rm: XMM or memory with 66, else MMX or memory */
};

/* How large it is. */
enum operand_width {
	W_NONE,		/* no fixed size */
	W_1,
	W_2,
	W_4,
	W_8,
	W_10,
	W_16,
	W_32,
	W_V,		/* operand size */
	W_Z,		/* operand size, at most 4 */
	W_Y,		/* 8 with REX.W or VEX.W, else 4 */
	W_VX,		/* vector */
	W_VX2,		/* half a vector */
	W_VX4,
	W_VX8,
	W_FP,		/* vector; 4 with F3, 8 with F2 */
	W_FP2,		/* half a vector without prefix; else W_FP */
	W_MX,		/* 8; vector with 66 */
	W_TABLE,	/* 10 in long mode, else 6 */
	W_FARP,		/* operand size and a selector */
	W_V2,		/* twice the operand size */
	W_PAIR,		/* 16 with operand size 8, else 8 */
	W_M2R,		/* 2 in memory; operand size in a register */
	W_SYS,		/* 8 with A_F64 in long mode, else 4 */
	W_MB,		/* 1 in memory; 4 in a register */
	W_MW,		/* 2 in memory; 4 in a register */
	W_COMI,		/* 8 with 66, else 4 */
	W_FMA,		/* scalar: 8 with VEX.W, else 4 */
};

#define SPEC(place, width)	((place) | (width) << 8)
#define SPEC_PLACE(spec)	((spec) & 0xff)
#define SPEC_WIDTH(spec)	((spec) >> 8)

enum operand_spec {
	E_B = SPEC(P_E, W_1), E_W = SPEC(P_E, W_2), E_D = SPEC(P_E, W_4),
	E_V = SPEC(P_E, W_V), E_Y = SPEC(P_E, W_Y), E_2V = SPEC(P_E, W_M2R),
	E_8 = SPEC(P_E, W_SYS), E_Q = SPEC(P_E, W_8),
	G_B = SPEC(P_G, W_1), G_W = SPEC(P_G, W_2), G_V = SPEC(P_G, W_V),
	G_Y = SPEC(P_G, W_Y), G_D = SPEC(P_G, W_4), G_8 = SPEC(P_G, W_SYS),
	Z_B = SPEC(P_Z, W_1), Z_V = SPEC(P_Z, W_V),
	ACC_B = SPEC(P_ACC, W_1), ACC_V = SPEC(P_ACC, W_V),
	ACC_Z = SPEC(P_ACC, W_Z), ACC_W = SPEC(P_ACC, W_2),
	CL_B = SPEC(P_CL, W_1), DX_W = SPEC(P_DX, W_2), ONE = SPEC(P_ONE, W_1),
	I_B = SPEC(P_I, W_1), I_W = SPEC(P_I, W_2), I_Z = SPEC(P_I, W_Z),
	I_V = SPEC(P_I, W_V), I_B2 = SPEC(P_I2, W_1),
	J_V = SPEC(P_J, W_V), A_P = SPEC(P_A, W_FARP),
	M_X = SPEC(P_M, W_NONE), M_B = SPEC(P_M, W_1), M_W = SPEC(P_M, W_2),
	M_D = SPEC(P_M, W_4), M_Q = SPEC(P_M, W_8), M_T = SPEC(P_M, W_10),
	M_DQ = SPEC(P_M, W_16), M_QQ = SPEC(P_M, W_32), M_V = SPEC(P_M, W_V),
	M_Y = SPEC(P_M, W_Y), M_VX = SPEC(P_M, W_VX), M_2V = SPEC(P_M, W_V2),
	M_S = SPEC(P_M, W_TABLE), M_P = SPEC(P_M, W_FARP),
	O_B = SPEC(P_O, W_1), O_V = SPEC(P_O, W_V),
	S_W = SPEC(P_S, W_2), SEG_W = SPEC(P_SEG, W_2),
	C_8 = SPEC(P_C, W_SYS), D_8 = SPEC(P_D, W_SYS),
	X_B = SPEC(P_X, W_1), X_V = SPEC(P_X, W_V), X_Z = SPEC(P_X, W_Z),
	Y_B = SPEC(P_Y, W_1), Y_V = SPEC(P_Y, W_V), Y_Z = SPEC(P_Y, W_Z),
	B_Y = SPEC(P_B, W_Y),
	V_X = SPEC(P_V, W_VX), V_D = SPEC(P_V, W_4), V_Q = SPEC(P_V, W_8),
	V_DQ = SPEC(P_V, W_16), V_QQ = SPEC(P_V, W_32), V_F = SPEC(P_V, W_FP),
	H_X = SPEC(P_H, W_VX), H_DQ = SPEC(P_H, W_16), H_QQ = SPEC(P_H, W_32),
	L_X = SPEC(P_L, W_VX), X0_X = SPEC(P_X0, W_16),
	W_X = SPEC(P_W, W_VX), W_D = SPEC(P_W, W_4), W_Q = SPEC(P_W, W_8),
	W_B = SPEC(P_W, W_1), W_W = SPEC(P_W, W_2), W_DQ = SPEC(P_W, W_16),
	W_QQ = SPEC(P_W, W_32), W_F = SPEC(P_W, W_FP), W_F2 = SPEC(P_W, W_FP2),
	W_X2 = SPEC(P_W, W_VX2), W_X4 = SPEC(P_W, W_VX4),
	W_X8 = SPEC(P_W, W_VX8),
	P_Q = SPEC(P_PMMX, W_8), Q_Q = SPEC(P_QMMX, W_8), Q_D = SPEC(P_QMMX, W_4),
	PV_X = SPEC(P_PV, W_MX), QW_X = SPEC(P_QW, W_MX),
};

/**
 * struct insn_row - a row of an opcode table
 * @attr: A_*
 * @operand: operands, destination first
 * @operation: enum operation; number of the sub table if @attr links to one
 */
struct insn_row {
	u32 attr;
	u16 operand[INSN_MAX_OPERANDS];
	u16 operation;
};

#define ROW(op, at, ...)				\
	{						\
		.attr = (at),				\
		.operation = OP_##op,			\
		.operand = { __VA_ARGS__ },		\
	}

#define LINK(table, by)					\
	{						\
		.attr = (by),				\
		.operation = SUB_##table,		\
	}

enum insn_sub {
	SUB_GROUP1_B, SUB_GROUP1_Z, SUB_GROUP1_IB, SUB_GROUP1A,
	SUB_GROUP2_IB_B, SUB_GROUP2_IB_V, SUB_GROUP2_1_B, SUB_GROUP2_1_V,
	SUB_GROUP2_CL_B, SUB_GROUP2_CL_V,
	SUB_GROUP3_B, SUB_GROUP3_V, SUB_GROUP4, SUB_GROUP5,
	SUB_GROUP11_B, SUB_GROUP11_V, SUB_MODE_63, SUB_MODE_82,
	SUB_X87_D9, SUB_X87_DB, SUB_X87_DD, SUB_X87_DF,
	/* Map 0F. */
	SUB_GROUP6, SUB_GROUP7, SUB_GROUP7_MEM,
	SUB_GROUP7_REG, SUB_GROUP7_REG1, SUB_GROUP7_REG2, SUB_GROUP7_REG3,
	SUB_GROUP7_REG4, SUB_GROUP7_REG5, SUB_GROUP7_REG6, SUB_GROUP7_REG7,
	SUB_GROUP7_RSTORSSP, SUB_GROUP8, SUB_GROUP9,
	SUB_GROUP9_MEM, SUB_GROUP9_REG, SUB_GROUP9_REG7,
	SUB_GROUP12, SUB_GROUP13, SUB_GROUP14,
	SUB_GROUP15, SUB_GROUP15_MEM, SUB_GROUP15_REG,
	SUB_GROUP15_MEM6, SUB_GROUP15_MEM7,
	SUB_GROUP15_REG0, SUB_GROUP15_REG1, SUB_GROUP15_REG2, SUB_GROUP15_REG3,
	SUB_GROUP15_REG5, SUB_GROUP15_REG6, SUB_GROUP16,
	SUB_0F09, SUB_0F10, SUB_0F11, SUB_0F12, SUB_0F12_0, SUB_0F12_66,
	SUB_0F13, SUB_0F16, SUB_0F16_0, SUB_0F16_66, SUB_0F17, SUB_0F2A,
	SUB_0F2C, SUB_0F5A, SUB_0F5B, SUB_0F6F, SUB_0F70, SUB_0F77, SUB_0F78,
	SUB_0F79, SUB_0F7E, SUB_0F7F, SUB_0FB8, SUB_0FBC, SUB_0FBD, SUB_0FD6,
	SUB_0FE6, SUB_0FE7,
	/* Maps 0F38 and 0F3A. */
	SUB_0F38F0, SUB_0F38F1, SUB_0F38F5, SUB_0F38F5_VEX, SUB_0F38F6,
	SUB_0F38F6_LEGACY, SUB_0F38F7, SUB_0F38F8, SUB_GROUP17,
	SUB_COUNT,
};

extern const struct insn_row insn_primary[256];
extern const struct insn_row insn_0f[256];
extern const struct insn_row insn_0f38[256];
extern const struct insn_row insn_0f3a[256];
extern const struct insn_row insn_sub[SUB_COUNT][8];

#endif
