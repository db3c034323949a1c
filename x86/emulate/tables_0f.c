// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opcode map 0F, in the order of opcodes. A row that is not there is an
 * invalid opcode.
 */
#include "opcodes.h"

/* SSE with a destination and a source; with two sources if encoded by VEX. */
#define SSE(at, ...)	ROW(OTHER, A_MODRM | A_VEX | (at), __VA_ARGS__)
#define SSE3(at, ...)	ROW(OTHER, A_MODRM | A_VEX | A_NDS | (at), __VA_ARGS__)

#define PS_PD		(A_S0 | A_S66)
#define FP		SSE3(A_S0 | A_S66 | A_SF3 | A_SF2, V_F, H_X, W_F)
#define FP_2		SSE3(A_S0 | A_SF3, V_F, H_X, W_F)
#define PACKED		SSE3(PS_PD, V_X, H_X, W_X)
/* MMX, or SSE with prefix 66. */
#define MMX		ROW(OTHER, A_MODRM | A_VEX66 | A_NDS | PS_PD, PV_X, H_X, QW_X)
#define INT66		SSE3(A_S66, V_X, H_X, W_X)

#define CMOV		ROW(CMOV, A_MODRM, G_V, E_V)
#define JCC_NEAR	ROW(JCC, A_D64 | A_IZ, J_V)
#define SETCC		ROW(SETCC, A_MODRM | A_BYTE, E_B)
#define BSWAP		ROW(BSWAP, 0, Z_V)
#define HINT		ROW(NOP, A_MODRM, E_V)
#define PUSH_SEG	ROW(PUSH_SREG, A_D64, SEG_W)
#define POP_SEG		ROW(POP_SREG, A_D64, SEG_W)
#define CR_ATTR		(A_MODRM | A_MODIGN | A_F64)

const struct insn_row insn_0f[256] = {
	[0x00] = LINK(GROUP6, A_MODRM | A_BY_REG),
	[0x01] = LINK(GROUP7, A_MODRM | A_BY_MOD),
	[0x02] = ROW(OTHER, A_MODRM | A_NOREAL, G_V, E_2V),	/* LAR */
	[0x03] = ROW(OTHER, A_MODRM | A_NOREAL, G_V, E_2V),	/* LSL */
	[0x05] = ROW(OTHER, 0),			/* SYSCALL */
	[0x06] = ROW(CLTS, 0),
	[0x07] = ROW(OTHER, 0),			/* SYSRET */
	[0x08] = ROW(WBINVD, 0),		/* INVD */
	[0x09] = LINK(0F09, A_BY_SIMD),
	[0x0d] = ROW(NOP, A_MODRM | A_MEM, M_B),	/* PREFETCH */
	[0x0e] = ROW(OTHER, 0),			/* FEMMS */
	[0x0f] = ROW(OTHER, A_MODRM | A_IB, P_Q, Q_Q, I_B),	/* 3DNow! */

	[0x10] = LINK(0F10, A_MODRM | A_BY_SIMD),
	[0x11] = LINK(0F11, A_MODRM | A_BY_SIMD),
	[0x12] = LINK(0F12, A_MODRM | A_BY_SIMD),
	[0x13] = LINK(0F13, A_MODRM | A_BY_SIMD),
	[0x14] = PACKED,			/* UNPCKL */
	[0x15] = PACKED,			/* UNPCKH */
	[0x16] = LINK(0F16, A_MODRM | A_BY_SIMD),
	[0x17] = LINK(0F17, A_MODRM | A_BY_SIMD),
	[0x18] = LINK(GROUP16, A_MODRM | A_BY_REG),
	[0x19 ... 0x1f] = HINT,

	[0x20] = ROW(MOV_FROM_CR, CR_ATTR, SPEC(P_E, W_SYS), C_8),
	[0x21] = ROW(MOV_FROM_DR, CR_ATTR, SPEC(P_E, W_SYS), D_8),
	[0x22] = ROW(MOV_TO_CR, CR_ATTR, C_8, SPEC(P_E, W_SYS)),
	[0x23] = ROW(MOV_TO_DR, CR_ATTR, D_8, SPEC(P_E, W_SYS)),
	[0x28] = ROW(MOVA, A_MODRM | A_VEX | PS_PD, V_X, W_X),
	[0x29] = ROW(MOVA, A_MODRM | A_VEX | PS_PD, W_X, V_X),
	[0x2a] = LINK(0F2A, A_MODRM | A_BY_SIMD),
	/* MOVNTPS, MOVNTPD; MOVNTSS, MOVNTSD are AMD's */
	[0x2b] = ROW(MOVA, A_MODRM | A_VEX | A_MEM | PS_PD, W_X, V_X),
	[0x2c] = LINK(0F2C, A_MODRM | A_BY_SIMD),
	[0x2d] = LINK(0F2C, A_MODRM | A_BY_SIMD),
	[0x2e] = SSE(PS_PD, V_DQ, SPEC(P_W, W_COMI)),	/* UCOMIS */
	[0x2f] = SSE(PS_PD, V_DQ, SPEC(P_W, W_COMI)),	/* COMIS */

	[0x30] = ROW(WRMSR, 0),
	[0x31] = ROW(RDTSC, 0),
	[0x32] = ROW(RDMSR, 0),
	[0x33] = ROW(RDPMC, 0),
	[0x34] = ROW(OTHER, A_NO64),		/* SYSENTER */
	[0x35] = ROW(OTHER, A_NO64),		/* SYSEXIT */
	[0x38] = ROW(OTHER, A_ESCAPE),
	[0x3a] = ROW(OTHER, A_ESCAPE),
	[0x40 ... 0x4f] = CMOV,

	[0x50] = SSE(A_REG | PS_PD, G_D, W_X),	/* MOVMSK */
	[0x51] = FP,				/* SQRT */
	[0x52] = FP_2,				/* RSQRT */
	[0x53] = FP_2,				/* RCP */
	[0x54 ... 0x57] = PACKED,		/* AND, ANDN, OR, XOR */
	[0x58] = FP,				/* ADD */
	[0x59] = FP,				/* MUL */
	[0x5a] = LINK(0F5A, A_MODRM | A_BY_SIMD),
	[0x5b] = LINK(0F5B, A_MODRM | A_BY_SIMD),
	[0x5c ... 0x5f] = FP,			/* SUB, MIN, DIV, MAX */

	[0x60 ... 0x6b] = MMX,			/* PUNPCK, PACK, PCMPGT */
	[0x6c] = INT66,				/* PUNPCKLQDQ */
	[0x6d] = INT66,				/* PUNPCKHQDQ */
	[0x6e] = ROW(MOVD, A_MODRM | A_VEX66 | A_L0 | PS_PD,
		     SPEC(P_PV, W_Y), E_Y),
	[0x6f] = LINK(0F6F, A_MODRM | A_BY_SIMD),
	[0x70] = LINK(0F70, A_MODRM | A_BY_SIMD),
	[0x71] = LINK(GROUP12, A_MODRM | A_BY_REG),
	[0x72] = LINK(GROUP13, A_MODRM | A_BY_REG),
	[0x73] = LINK(GROUP14, A_MODRM | A_BY_REG),
	[0x74 ... 0x76] = MMX,			/* PCMPEQ */
	[0x77] = LINK(0F77, A_BY_VEX),
	[0x78] = LINK(0F78, A_MODRM | A_BY_SIMD),
	[0x79] = LINK(0F79, A_MODRM | A_BY_SIMD),
	[0x7c] = SSE3(A_S66 | A_SF2, V_X, H_X, W_X),	/* HADD */
	[0x7d] = SSE3(A_S66 | A_SF2, V_X, H_X, W_X),	/* HSUB */
	[0x7e] = LINK(0F7E, A_MODRM | A_BY_SIMD),
	[0x7f] = LINK(0F7F, A_MODRM | A_BY_SIMD),

	[0x80 ... 0x8f] = JCC_NEAR,
	[0x90 ... 0x9f] = SETCC,

	[0xa0] = PUSH_SEG,
	[0xa1] = POP_SEG,
	[0xa2] = ROW(CPUID, 0),
	[0xa3] = ROW(BT, A_MODRM, E_V, G_V),
	[0xa4] = ROW(SHLD, A_MODRM | A_IB, E_V, G_V, I_B),
	[0xa5] = ROW(SHLD, A_MODRM, E_V, G_V, CL_B),
	[0xa8] = PUSH_SEG,
	[0xa9] = POP_SEG,
	[0xaa] = ROW(OTHER, 0),			/* RSM */
	[0xab] = ROW(BTS, A_MODRM | A_LOCK, E_V, G_V),
	[0xac] = ROW(SHRD, A_MODRM | A_IB, E_V, G_V, I_B),
	[0xad] = ROW(SHRD, A_MODRM, E_V, G_V, CL_B),
	[0xae] = LINK(GROUP15, A_MODRM | A_BY_MOD),
	[0xaf] = ROW(IMUL2, A_MODRM, G_V, G_V, E_V),

	[0xb0] = ROW(CMPXCHG, A_MODRM | A_BYTE | A_LOCK, E_B, G_B),
	[0xb1] = ROW(CMPXCHG, A_MODRM | A_LOCK, E_V, G_V),
	[0xb2] = ROW(LOAD_FAR, A_MODRM | A_MEM, G_V, M_P),
	[0xb3] = ROW(BTR, A_MODRM | A_LOCK, E_V, G_V),
	[0xb4] = ROW(LOAD_FAR, A_MODRM | A_MEM, G_V, M_P),
	[0xb5] = ROW(LOAD_FAR, A_MODRM | A_MEM, G_V, M_P),
	[0xb6] = ROW(MOVZX, A_MODRM, G_V, E_B),
	[0xb7] = ROW(MOVZX, A_MODRM, G_V, E_W),
	[0xb8] = LINK(0FB8, A_MODRM | A_BY_SIMD),
	[0xba] = LINK(GROUP8, A_MODRM | A_BY_REG),
	[0xbb] = ROW(BTC, A_MODRM | A_LOCK, E_V, G_V),
	[0xbc] = LINK(0FBC, A_MODRM | A_BY_SIMD),
	[0xbd] = LINK(0FBD, A_MODRM | A_BY_SIMD),
	[0xbe] = ROW(MOVSX, A_MODRM, G_V, E_B),
	[0xbf] = ROW(MOVSX, A_MODRM, G_V, E_W),

	[0xc0] = ROW(XADD, A_MODRM | A_BYTE | A_LOCK, E_B, G_B),
	[0xc1] = ROW(XADD, A_MODRM | A_LOCK, E_V, G_V),
	[0xc2] = SSE3(A_IB | A_S0 | A_S66 | A_SF3 | A_SF2, V_F, H_X, W_F, I_B),
	[0xc3] = ROW(MOV, A_MODRM | A_MEM | A_S0, M_Y, G_Y),	/* MOVNTI */
	[0xc4] = ROW(OTHER, A_MODRM | A_IB | A_VEX66 | A_NDS | A_L0 | PS_PD,
		     SPEC(P_PV, W_16), H_DQ, E_2V, I_B),	/* PINSRW */
	[0xc5] = ROW(OTHER, A_MODRM | A_IB | A_REG | A_VEX66 | A_L0 | PS_PD,
		     G_D, QW_X, I_B),				/* PEXTRW */
	[0xc6] = SSE3(A_IB | PS_PD, V_X, H_X, W_X, I_B),	/* SHUFP */
	[0xc7] = LINK(GROUP9, A_MODRM | A_BY_MOD),
	[0xc8 ... 0xcf] = BSWAP,

	[0xd0] = SSE3(A_S66 | A_SF2, V_X, H_X, W_X),	/* ADDSUB */
	[0xd1 ... 0xd5] = MMX,
	[0xd6] = LINK(0FD6, A_MODRM | A_BY_SIMD),
	[0xd7] = ROW(OTHER, A_MODRM | A_REG | A_VEX66 | PS_PD, G_D, QW_X),
	[0xd8 ... 0xe5] = MMX,
	[0xe6] = LINK(0FE6, A_MODRM | A_BY_SIMD),
	[0xe7] = LINK(0FE7, A_MODRM | A_BY_SIMD),
	[0xe8 ... 0xef] = MMX,
	[0xf0] = ROW(MOVU, A_MODRM | A_VEX | A_MEM | A_SF2, V_X, W_X),
	[0xf1 ... 0xf6] = MMX,
	[0xf7] = ROW(OTHER, A_MODRM | A_REG | A_VEX66 | A_L0 | PS_PD,
		     PV_X, QW_X),		/* MASKMOV */
	[0xf8 ... 0xfe] = MMX,
};
