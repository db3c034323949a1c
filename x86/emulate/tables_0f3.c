// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opcode maps 0F38 and 0F3A, in the order of opcodes. A row that is not there
 * is an invalid opcode. Gathers have a vector as their index register.
 */
#include "opcodes.h"

#define SSE(at, ...)	ROW(OTHER, A_MODRM | A_VEX | (at), __VA_ARGS__)
#define SSE3(at, ...)	ROW(OTHER, A_MODRM | A_VEX | A_NDS | (at), __VA_ARGS__)
#define VEX(at, ...)	ROW(OTHER, A_MODRM | A_VEXONLY | (at), __VA_ARGS__)
#define VEX3(at, ...)	ROW(OTHER, A_MODRM | A_VEXONLY | A_NDS | (at), __VA_ARGS__)

/* MMX, or SSE with prefix 66. */
#define MMX		ROW(OTHER, A_MODRM | A_VEX66 | A_NDS | A_S0 | A_S66, \
			    PV_X, H_X, QW_X)
#define MMX_UNARY	ROW(OTHER, A_MODRM | A_VEX66 | A_S0 | A_S66, PV_X, QW_X)
#define INT66		SSE3(A_S66, V_X, H_X, W_X)
#define UNARY66(mem)	SSE(A_S66, V_X, mem)
#define VEX66		VEX3(A_S66, V_X, H_X, W_X)
#define BLENDV		ROW(OTHER, A_MODRM | A_S66, V_DQ, W_DQ, X0_X)
#define SHA		ROW(OTHER, A_MODRM | A_S0, V_DQ, W_DQ)
#define GATHER		VEX3(A_S66 | A_MEM, V_X, M_X, H_X)
#define BROADCAST(mem)	VEX(A_S66, V_X, mem)
/* Fused multiply-add: packed rows, and rows where odd opcodes are scalar. */
#define FMA		VEX66
#define FMA_SCALAR	VEX3(A_S66, V_DQ, H_DQ, SPEC(P_W, W_FMA))

const struct insn_row insn_0f38[256] = {
	[0x00 ... 0x0b] = MMX,			/* SSSE3 */
	[0x0c] = VEX66,				/* VPERMILPS */
	[0x0d] = VEX66,				/* VPERMILPD */
	[0x0e] = VEX(A_S66, V_X, W_X),		/* VTESTPS */
	[0x0f] = VEX(A_S66, V_X, W_X),		/* VTESTPD */
	[0x10] = BLENDV,
	[0x13] = VEX(A_S66, V_X, W_X2),		/* VCVTPH2PS */
	[0x14] = BLENDV,
	[0x15] = BLENDV,
	[0x16] = VEX3(A_S66 | A_L1, V_QQ, H_QQ, W_QQ),	/* VPERMPS */
	[0x17] = SSE(A_S66, V_X, W_X),		/* PTEST */
	[0x18] = BROADCAST(W_D),
	[0x19] = VEX(A_S66 | A_L1, V_QQ, W_Q),
	[0x1a] = VEX(A_S66 | A_L1 | A_MEM, V_QQ, M_DQ),
	[0x1c ... 0x1e] = MMX_UNARY,		/* PABS */
	[0x20] = UNARY66(W_X2),			/* PMOVSX */
	[0x21] = UNARY66(W_X4),
	[0x22] = UNARY66(W_X8),
	[0x23] = UNARY66(W_X2),
	[0x24] = UNARY66(W_X4),
	[0x25] = UNARY66(W_X2),
	[0x28] = INT66,				/* PMULDQ */
	[0x29] = INT66,				/* PCMPEQQ */
	[0x2a] = ROW(MOVA, A_MODRM | A_VEX | A_S66 | A_MEM, V_X, W_X),
	[0x2b] = INT66,				/* PACKUSDW */
	[0x2c] = VEX3(A_S66 | A_MEM, V_X, H_X, M_VX),	/* VMASKMOV */
	[0x2d] = VEX3(A_S66 | A_MEM, V_X, H_X, M_VX),
	[0x2e] = VEX3(A_S66 | A_MEM, M_VX, H_X, V_X),
	[0x2f] = VEX3(A_S66 | A_MEM, M_VX, H_X, V_X),
	[0x30] = UNARY66(W_X2),			/* PMOVZX */
	[0x31] = UNARY66(W_X4),
	[0x32] = UNARY66(W_X8),
	[0x33] = UNARY66(W_X2),
	[0x34] = UNARY66(W_X4),
	[0x35] = UNARY66(W_X2),
	[0x36] = VEX3(A_S66 | A_L1, V_QQ, H_QQ, W_QQ),	/* VPERMD */
	[0x37 ... 0x40] = INT66,		/* PCMPGTQ, PMIN, PMAX, PMULLD */
	[0x41] = SSE(A_S66 | A_L0, V_DQ, W_DQ),	/* PHMINPOSUW */
	[0x45 ... 0x47] = VEX66,		/* VPSRLV, VPSRAV, VPSLLV */
	[0x50 ... 0x53] = VEX66,		/* VNNI */
	[0x58] = BROADCAST(W_D),
	[0x59] = BROADCAST(W_Q),
	[0x5a] = VEX(A_S66 | A_L1 | A_MEM, V_QQ, M_DQ),
	[0x78] = BROADCAST(W_B),
	[0x79] = BROADCAST(W_W),
	[0x82] = ROW(OTHER, A_MODRM | A_MEM | A_S66 | A_F64,
		     G_8, M_DQ),		/* INVPCID */
	[0x8c] = VEX3(A_S66 | A_MEM, V_X, H_X, M_VX),	/* VPMASKMOV */
	[0x8e] = VEX3(A_S66 | A_MEM, M_VX, H_X, V_X),
	[0x90 ... 0x93] = GATHER,

	[0x96 ... 0x98] = FMA,
	[0x99] = FMA_SCALAR,
	[0x9a] = FMA,
	[0x9b] = FMA_SCALAR,
	[0x9c] = FMA,
	[0x9d] = FMA_SCALAR,
	[0x9e] = FMA,
	[0x9f] = FMA_SCALAR,
	[0xa6 ... 0xa8] = FMA,
	[0xa9] = FMA_SCALAR,
	[0xaa] = FMA,
	[0xab] = FMA_SCALAR,
	[0xac] = FMA,
	[0xad] = FMA_SCALAR,
	[0xae] = FMA,
	[0xaf] = FMA_SCALAR,
	[0xb4] = VEX66,				/* VPMADD52 */
	[0xb5] = VEX66,
	[0xb6 ... 0xb8] = FMA,
	[0xb9] = FMA_SCALAR,
	[0xba] = FMA,
	[0xbb] = FMA_SCALAR,
	[0xbc] = FMA,
	[0xbd] = FMA_SCALAR,
	[0xbe] = FMA,
	[0xbf] = FMA_SCALAR,

	[0xc8 ... 0xcd] = SHA,
	[0xcf] = INT66,				/* GF2P8MULB */
	[0xdb] = SSE(A_S66 | A_L0, V_DQ, W_DQ),	/* AESIMC */
	[0xdc ... 0xdf] = INT66,		/* AESENC, AESDEC */
	[0xf0] = LINK(0F38F0, A_MODRM | A_BY_SIMD),
	[0xf1] = LINK(0F38F1, A_MODRM | A_BY_SIMD),
	[0xf2] = VEX3(A_S0 | A_L0, G_Y, B_Y, E_Y),	/* ANDN */
	[0xf3] = LINK(GROUP17, A_MODRM | A_BY_REG),
	[0xf5] = LINK(0F38F5, A_MODRM | A_BY_VEX),
	[0xf6] = LINK(0F38F6, A_MODRM | A_BY_VEX),
	[0xf7] = LINK(0F38F7, A_MODRM | A_BY_SIMD),
	[0xf8] = LINK(0F38F8, A_MODRM | A_BY_SIMD),
	[0xf9] = ROW(OTHER, A_MODRM | A_MEM | A_S0, M_Y, G_Y),	/* MOVDIRI */
};

#define IMM3(...)	SSE3(A_S66 | A_IB, __VA_ARGS__, I_B)
#define IMM2(...)	SSE(A_S66 | A_IB, __VA_ARGS__, I_B)
#define IMM2_L0(...)	SSE(A_S66 | A_IB | A_L0, __VA_ARGS__, I_B)
#define VEX_IMM2(...)	VEX(A_S66 | A_IB, __VA_ARGS__, I_B)
#define VEX_LANE(...)	VEX3(A_S66 | A_IB | A_L1, __VA_ARGS__, I_B)
#define VBLENDV		VEX3(A_S66 | A_IB, V_X, H_X, W_X, L_X)

const struct insn_row insn_0f3a[256] = {
	[0x00] = VEX(A_S66 | A_IB | A_L1, V_QQ, W_QQ, I_B),	/* VPERMQ */
	[0x01] = VEX(A_S66 | A_IB | A_L1, V_QQ, W_QQ, I_B),	/* VPERMPD */
	[0x02] = VEX3(A_S66 | A_IB, V_X, H_X, W_X, I_B),	/* VPBLENDD */
	[0x04] = VEX_IMM2(V_X, W_X),		/* VPERMILPS */
	[0x05] = VEX_IMM2(V_X, W_X),		/* VPERMILPD */
	[0x06] = VEX_LANE(V_QQ, H_QQ, W_QQ),	/* VPERM2F128 */
	[0x08] = IMM2(V_X, W_X),		/* ROUNDPS */
	[0x09] = IMM2(V_X, W_X),		/* ROUNDPD */
	[0x0a] = IMM3(V_DQ, H_DQ, W_D),		/* ROUNDSS */
	[0x0b] = IMM3(V_DQ, H_DQ, W_Q),		/* ROUNDSD */
	[0x0c ... 0x0e] = IMM3(V_X, H_X, W_X),	/* BLEND */
	[0x0f] = ROW(OTHER, A_MODRM | A_VEX66 | A_NDS | A_S0 | A_S66 | A_IB,
		     PV_X, H_X, QW_X, I_B),	/* PALIGNR */
	[0x14] = IMM2_L0(SPEC(P_E, W_MB), V_DQ),	/* PEXTRB */
	[0x15] = IMM2_L0(SPEC(P_E, W_MW), V_DQ),	/* PEXTRW */
	[0x16] = IMM2_L0(E_Y, V_DQ),		/* PEXTRD */
	[0x17] = IMM2_L0(E_D, V_DQ),		/* EXTRACTPS */
	[0x18] = VEX_LANE(V_QQ, H_QQ, W_DQ),	/* VINSERTF128 */
	[0x19] = VEX(A_S66 | A_IB | A_L1, W_DQ, V_QQ, I_B),
	[0x1d] = VEX_IMM2(W_X2, V_X),		/* VCVTPS2PH */
	[0x20] = SSE3(A_S66 | A_IB | A_L0, V_DQ, H_DQ,
		      SPEC(P_E, W_MB), I_B),	/* PINSRB */
	[0x21] = SSE3(A_S66 | A_IB | A_L0, V_DQ, H_DQ, W_D, I_B),
	[0x22] = SSE3(A_S66 | A_IB | A_L0, V_DQ, H_DQ, E_Y, I_B),
	[0x38] = VEX_LANE(V_QQ, H_QQ, W_DQ),	/* VINSERTI128 */
	[0x39] = VEX(A_S66 | A_IB | A_L1, W_DQ, V_QQ, I_B),
	[0x40] = IMM3(V_X, H_X, W_X),		/* DPPS */
	[0x41] = SSE3(A_S66 | A_IB | A_L0, V_DQ, H_DQ, W_DQ, I_B),
	[0x42] = IMM3(V_X, H_X, W_X),		/* MPSADBW */
	[0x44] = IMM3(V_X, H_X, W_X),		/* PCLMULQDQ */
	[0x46] = VEX_LANE(V_QQ, H_QQ, W_QQ),	/* VPERM2I128 */
	[0x48] = VBLENDV,			/* XOP: VPERMIL2PS */
	[0x49] = VBLENDV,			/* XOP: VPERMIL2PD */
	[0x4a ... 0x4c] = VBLENDV,
	[0x5c ... 0x5f] = VBLENDV,		/* FMA4, as what follows */
	[0x60 ... 0x63] = IMM2_L0(V_DQ, W_DQ),	/* PCMPSTR */
	[0x68 ... 0x69] = VBLENDV,
	[0x6a] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_D, L_X),
	[0x6b] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_Q, L_X),
	[0x6c ... 0x6d] = VBLENDV,
	[0x6e] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_D, L_X),
	[0x6f] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_Q, L_X),
	[0x78 ... 0x79] = VBLENDV,
	[0x7a] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_D, L_X),
	[0x7b] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_Q, L_X),
	[0x7c ... 0x7d] = VBLENDV,
	[0x7e] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_D, L_X),
	[0x7f] = VEX3(A_S66 | A_IB, V_DQ, H_DQ, W_Q, L_X),
	[0xcc] = ROW(OTHER, A_MODRM | A_S0 | A_IB, V_DQ, W_DQ, I_B),
	[0xce] = IMM3(V_X, H_X, W_X),		/* GF2P8AFFINEQB */
	[0xcf] = IMM3(V_X, H_X, W_X),		/* GF2P8AFFINEINVQB */
	[0xdf] = IMM2_L0(V_DQ, W_DQ),		/* AESKEYGENASSIST */
	[0xf0] = VEX(A_SF2 | A_IB | A_L0, G_Y, E_Y, I_B),	/* RORX */
};
