// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sub tables of all maps: groups by ModRM.reg, and opcodes that a prefix,
 * ModRM.mod or the mode divides. Each file of rows is one map; here is what
 * they link to.
 */
#include "opcodes.h"

#define SSE(at)		(A_MODRM | A_VEX | (at))
#define SSE3(at)	(A_MODRM | A_VEX | A_NDS | (at))
#define VSHIFT		(A_MODRM | A_REG | A_NDS | A_IB)
#define BMI		(A_MODRM | A_VEXONLY | A_NDS | A_L0)
#define SHIFT_ROWS(at, spec, count)			\
	[0] = ROW(ROL, at, spec, count),		\
	[1] = ROW(ROR, at, spec, count),		\
	[2] = ROW(RCL, at, spec, count),		\
	[3] = ROW(RCR, at, spec, count),		\
	[4] = ROW(SHL, at, spec, count),		\
	[5] = ROW(SHR, at, spec, count),		\
	[6] = ROW(SAL, at, spec, count),		\
	[7] = ROW(SAR, at, spec, count)
#define ALU_ROWS(at, spec, imm)				\
	[0] = ROW(ADD, (at) | A_LOCK, spec, imm),	\
	[1] = ROW(OR, (at) | A_LOCK, spec, imm),	\
	[2] = ROW(ADC, (at) | A_LOCK, spec, imm),	\
	[3] = ROW(SBB, (at) | A_LOCK, spec, imm),	\
	[4] = ROW(AND, (at) | A_LOCK, spec, imm),	\
	[5] = ROW(SUB, (at) | A_LOCK, spec, imm),	\
	[6] = ROW(XOR, (at) | A_LOCK, spec, imm),	\
	[7] = ROW(CMP, at, spec, imm)
#define UNARY_ROWS(at, spec, acc, imm_at, imm)		\
	[0] = ROW(TEST, (at) | (imm_at), spec, imm),	\
	[1] = ROW(TEST, (at) | (imm_at), spec, imm),	\
	[2] = ROW(NOT, (at) | A_LOCK, spec),		\
	[3] = ROW(NEG, (at) | A_LOCK, spec),		\
	[4] = ROW(MUL, at, acc, spec),			\
	[5] = ROW(IMUL, at, acc, spec),			\
	[6] = ROW(DIV, at, acc, spec),			\
	[7] = ROW(IDIV, at, acc, spec)

const struct insn_row insn_sub[SUB_COUNT][8] = {
	[SUB_GROUP1_B] = { ALU_ROWS(A_MODRM | A_BYTE | A_IB, E_B, I_B) },
	[SUB_GROUP1_Z] = { ALU_ROWS(A_MODRM | A_IZ, E_V, I_Z) },
	[SUB_GROUP1_IB] = { ALU_ROWS(A_MODRM | A_IB, E_V, I_B) },
	[SUB_GROUP1A] = {
		[0] = ROW(POP, A_MODRM | A_D64, E_V),
	},
	[SUB_GROUP2_IB_B] = { SHIFT_ROWS(A_MODRM | A_BYTE | A_IB, E_B, I_B) },
	[SUB_GROUP2_IB_V] = { SHIFT_ROWS(A_MODRM | A_IB, E_V, I_B) },
	[SUB_GROUP2_1_B] = { SHIFT_ROWS(A_MODRM | A_BYTE, E_B, ONE) },
	[SUB_GROUP2_1_V] = { SHIFT_ROWS(A_MODRM, E_V, ONE) },
	[SUB_GROUP2_CL_B] = { SHIFT_ROWS(A_MODRM | A_BYTE, E_B, CL_B) },
	[SUB_GROUP2_CL_V] = { SHIFT_ROWS(A_MODRM, E_V, CL_B) },
	[SUB_GROUP3_B] = { UNARY_ROWS(A_MODRM | A_BYTE, E_B, ACC_B, A_IB, I_B) },
	[SUB_GROUP3_V] = { UNARY_ROWS(A_MODRM, E_V, ACC_V, A_IZ, I_Z) },
	[SUB_GROUP4] = {
		[0] = ROW(INC, A_MODRM | A_BYTE | A_LOCK, E_B),
		[1] = ROW(DEC, A_MODRM | A_BYTE | A_LOCK, E_B),
	},
	[SUB_GROUP5] = {
		[0] = ROW(INC, A_MODRM | A_LOCK, E_V),
		[1] = ROW(DEC, A_MODRM | A_LOCK, E_V),
		[2] = ROW(CALL_ABS, A_MODRM | A_D64, E_V),
		[3] = ROW(OTHER, A_MODRM | A_MEM, M_P),	/* CALL far */
		[4] = ROW(JMP_ABS, A_MODRM | A_D64, E_V),
		[5] = ROW(OTHER, A_MODRM | A_MEM, M_P),	/* JMP far */
		[6] = ROW(PUSH, A_MODRM | A_D64, E_V),
	},
	[SUB_GROUP11_B] = {
		[0] = ROW(MOV, A_MODRM | A_BYTE | A_IB, E_B, I_B),
	},
	[SUB_GROUP11_V] = {
		[0] = ROW(MOV, A_MODRM | A_IZ, E_V, I_Z),
	},
	[SUB_MODE_63] = {
		[0] = ROW(OTHER, A_MODRM | A_NOREAL, E_W, G_W),	/* ARPL */
		[1] = ROW(MOVSX, A_MODRM, G_V, SPEC(P_E, W_Z)),
	},
	/* The alias of 80 is gone in 64-bit mode. */
	[SUB_MODE_82] = {
		[0] = LINK(GROUP1_B, A_MODRM | A_BY_REG),
	},
	[SUB_X87_D9] = {
		[0] = ROW(OTHER, A_MODRM, M_D),
		[1] = ROW(OTHER, A_MODRM | A_REG),
		[2] = ROW(OTHER, A_MODRM, M_D),
		[3] = ROW(OTHER, A_MODRM, M_D),
		[4] = ROW(OTHER, A_MODRM, M_X),
		[5] = ROW(OTHER, A_MODRM, M_W),
		[6] = ROW(OTHER, A_MODRM, M_X),
		[7] = ROW(OTHER, A_MODRM, M_W),
	},
	[SUB_X87_DB] = {
		[0 ... 3] = ROW(OTHER, A_MODRM, M_D),
		[4] = ROW(OTHER, A_MODRM | A_REG),
		[5] = ROW(OTHER, A_MODRM, M_T),
		[6] = ROW(OTHER, A_MODRM | A_REG),
		[7] = ROW(OTHER, A_MODRM | A_MEM, M_T),
	},
	[SUB_X87_DD] = {
		[0 ... 3] = ROW(OTHER, A_MODRM, M_Q),
		[4] = ROW(OTHER, A_MODRM, M_X),
		[5] = ROW(OTHER, A_MODRM | A_REG),
		[6] = ROW(OTHER, A_MODRM | A_MEM, M_X),
		[7] = ROW(OTHER, A_MODRM | A_MEM, M_W),
	},
	[SUB_X87_DF] = {
		[0 ... 3] = ROW(OTHER, A_MODRM, M_W),
		[4] = ROW(OTHER, A_MODRM, M_T),
		[5] = ROW(OTHER, A_MODRM, M_Q),
		[6] = ROW(OTHER, A_MODRM, M_T),
		[7] = ROW(OTHER, A_MODRM | A_MEM, M_Q),
	},

	[SUB_GROUP6] = {
		[0] = ROW(SLDT, A_MODRM | A_NOREAL, E_2V),
		[1] = ROW(STR, A_MODRM | A_NOREAL, E_2V),
		[2 ... 5] = ROW(OTHER, A_MODRM | A_NOREAL, E_W),
	},
	[SUB_GROUP7] = {
		[0] = LINK(GROUP7_MEM, A_MODRM | A_BY_REG),
		[1] = LINK(GROUP7_REG, A_MODRM | A_BY_REG_RM),
	},
	[SUB_GROUP7_MEM] = {
		[0] = ROW(SGDT, A_MODRM | A_F64, M_S),
		[1] = ROW(SIDT, A_MODRM | A_F64, M_S),
		[2] = ROW(LGDT, A_MODRM | A_F64, M_S),
		[3] = ROW(LIDT, A_MODRM | A_F64, M_S),
		[4] = ROW(SMSW, A_MODRM, E_2V),
		[5] = LINK(GROUP7_RSTORSSP, A_MODRM | A_BY_SIMD),
		[6] = ROW(LMSW, A_MODRM, E_W),
		[7] = ROW(INVLPG, A_MODRM, M_X),
	},
	/* Eight tables: GROUP7_REG is that of reg 0, which has no rows. */
	[SUB_GROUP7_REG1] = {
		[0] = ROW(OTHER, A_MODRM),		/* MONITOR */
		[1] = ROW(OTHER, A_MODRM),		/* MWAIT */
		[2] = ROW(CLAC, A_MODRM),
		[3] = ROW(STAC, A_MODRM),
	},
	[SUB_GROUP7_REG2] = {
		[0] = ROW(XGETBV, A_MODRM | A_S0),
		[1] = ROW(XSETBV, A_MODRM | A_S0),
	},
	/* VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT, INVLPGA */
	[SUB_GROUP7_REG3] = {
		[0 ... 7] = ROW(OTHER, A_MODRM),
	},
	[SUB_GROUP7_REG4] = {
		[0 ... 7] = ROW(SMSW, A_MODRM, E_2V),
	},
	/* SETSSBSY, SAVEPREVSSP, RDPKRU, WRPKRU */
	[SUB_GROUP7_REG5] = {
		[0] = ROW(OTHER, A_MODRM | A_SF3),
		[2] = ROW(OTHER, A_MODRM | A_SF3),
		[6] = ROW(OTHER, A_MODRM | A_S0),
		[7] = ROW(OTHER, A_MODRM | A_S0),
	},
	[SUB_GROUP7_REG6] = {
		[0 ... 7] = ROW(LMSW, A_MODRM, E_W),
	},
	[SUB_GROUP7_REG7] = {
		[0] = ROW(SWAPGS, A_MODRM | A_ONLY64),
		[1] = ROW(RDTSCP, A_MODRM),
		[2] = ROW(OTHER, A_MODRM),		/* MONITORX */
		[3] = ROW(OTHER, A_MODRM),		/* MWAITX */
		[4] = ROW(OTHER, A_MODRM),		/* CLZERO */
		[5] = ROW(OTHER, A_MODRM),		/* RDPRU */
		/* INVLPGB, RMPUPDATE, RMPADJUST; TLBSYNC, PVALIDATE, PSMASH */
		[6] = ROW(OTHER, A_MODRM),
		[7] = ROW(OTHER, A_MODRM),
	},
	[SUB_GROUP7_RSTORSSP] = {
		[2] = ROW(OTHER, A_MODRM, M_Q),
	},
	[SUB_GROUP8] = {
		[4] = ROW(BT, A_MODRM | A_IB, E_V, I_B),
		[5] = ROW(BTS, A_MODRM | A_IB | A_LOCK, E_V, I_B),
		[6] = ROW(BTR, A_MODRM | A_IB | A_LOCK, E_V, I_B),
		[7] = ROW(BTC, A_MODRM | A_IB | A_LOCK, E_V, I_B),
	},
	[SUB_GROUP9] = {
		[0] = LINK(GROUP9_MEM, A_MODRM | A_BY_REG),
		[1] = LINK(GROUP9_REG, A_MODRM | A_BY_REG),
	},
	[SUB_GROUP9_MEM] = {
		[1] = ROW(CMPXCHG8B, A_MODRM | A_LOCK, SPEC(P_M, W_PAIR)),
		[3] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* XRSTORS */
		[4] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* XSAVEC */
		[5] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* XSAVES */
	},
	[SUB_GROUP9_REG] = {
		[6] = ROW(OTHER, A_MODRM, E_V),		/* RDRAND */
		[7] = LINK(GROUP9_REG7, A_MODRM | A_BY_SIMD),
	},
	/* RDSEED, RDPID */
	[SUB_GROUP9_REG7] = {
		[0] = ROW(OTHER, A_MODRM, E_V),
		[1] = ROW(OTHER, A_MODRM, E_V),
		[2] = ROW(OTHER, A_MODRM | A_F64, E_8),
	},
	/* Vector shifts by an immediate. */
	[SUB_GROUP12] = {
		[2] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
		[4] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
		[6] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
	},
	[SUB_GROUP13] = {
		[2] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
		[4] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
		[6] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
	},
	[SUB_GROUP14] = {
		[2] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
		[3] = ROW(OTHER, VSHIFT | A_VEX | A_S66, H_X, W_X, I_B),
		[6] = ROW(OTHER, VSHIFT | A_VEX66 | A_S0 | A_S66, H_X, QW_X, I_B),
		[7] = ROW(OTHER, VSHIFT | A_VEX | A_S66, H_X, W_X, I_B),
	},
	[SUB_GROUP15] = {
		[0] = LINK(GROUP15_MEM, A_MODRM | A_BY_REG),
		[1] = LINK(GROUP15_REG, A_MODRM | A_BY_REG),
	},
	[SUB_GROUP15_MEM] = {
		[0] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* FXSAVE */
		[1] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* FXRSTOR */
		[2] = ROW(OTHER, SSE(A_S0 | A_L0), M_D),	/* LDMXCSR */
		[3] = ROW(OTHER, SSE(A_S0 | A_L0), M_D),	/* STMXCSR */
		[4] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* XSAVE */
		[5] = ROW(OTHER, A_MODRM | A_S0, M_X),	/* XRSTOR */
		[6] = LINK(GROUP15_MEM6, A_MODRM | A_BY_SIMD),
		[7] = LINK(GROUP15_MEM7, A_MODRM | A_BY_SIMD),
	},
	/* XSAVEOPT, CLWB, CLRSSBSY */
	[SUB_GROUP15_MEM6] = {
		[0] = ROW(OTHER, A_MODRM, M_X),
		[1] = ROW(CLFLUSH, A_MODRM, M_B),
		[2] = ROW(OTHER, A_MODRM, M_Q),
	},
	/* CLFLUSH, CLFLUSHOPT */
	[SUB_GROUP15_MEM7] = {
		[0] = ROW(CLFLUSH, A_MODRM, M_B),
		[1] = ROW(CLFLUSH, A_MODRM, M_B),
	},
	[SUB_GROUP15_REG] = {
		[0] = LINK(GROUP15_REG0, A_MODRM | A_BY_SIMD),
		[1] = LINK(GROUP15_REG1, A_MODRM | A_BY_SIMD),
		[2] = LINK(GROUP15_REG2, A_MODRM | A_BY_SIMD),
		[3] = LINK(GROUP15_REG3, A_MODRM | A_BY_SIMD),
		[5] = LINK(GROUP15_REG5, A_MODRM | A_BY_SIMD),
		[6] = LINK(GROUP15_REG6, A_MODRM | A_BY_SIMD),
		[7] = ROW(FENCE, A_MODRM | A_S0),	/* SFENCE */
	},
	/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE */
	[SUB_GROUP15_REG0] = {
		[2] = ROW(OTHER, A_MODRM | A_ONLY64, E_Y),
	},
	[SUB_GROUP15_REG1] = {
		[2] = ROW(OTHER, A_MODRM | A_ONLY64, E_Y),
	},
	[SUB_GROUP15_REG2] = {
		[2] = ROW(OTHER, A_MODRM | A_ONLY64, E_Y),
	},
	[SUB_GROUP15_REG3] = {
		[2] = ROW(OTHER, A_MODRM | A_ONLY64, E_Y),
	},
	/* LFENCE, INCSSP */
	[SUB_GROUP15_REG5] = {
		[0] = ROW(FENCE, A_MODRM),
		[2] = ROW(OTHER, A_MODRM, E_Y),
	},
	[SUB_GROUP15_REG6] = {
		[0] = ROW(FENCE, A_MODRM),		/* MFENCE */
	},
	[SUB_GROUP16] = {
		[0 ... 3] = ROW(NOP, A_MODRM, E_B),	/* PREFETCH */
		[4 ... 7] = ROW(NOP, A_MODRM, E_V),
	},

	/* INVD is in the map; WBINVD, WBNOINVD */
	[SUB_0F09] = {
		[0 ... 3] = ROW(WBINVD, 0),
	},
	[SUB_0F10] = {
		[0] = ROW(MOVU, SSE(0), V_X, W_X),
		[1] = ROW(MOVU, SSE(0), V_X, W_X),
		[2] = ROW(MOVX, SSE3(0), V_D, H_DQ, W_D),
		[3] = ROW(MOVX, SSE3(0), V_Q, H_DQ, W_Q),
	},
	[SUB_0F11] = {
		[0] = ROW(MOVU, SSE(0), W_X, V_X),
		[1] = ROW(MOVU, SSE(0), W_X, V_X),
		[2] = ROW(MOVX, SSE3(0), W_D, H_DQ, V_D),
		[3] = ROW(MOVX, SSE3(0), W_Q, H_DQ, V_Q),
	},
	[SUB_0F12] = {
		[0] = LINK(0F12_0, A_MODRM | A_BY_MOD),
		[1] = LINK(0F12_66, A_MODRM | A_BY_MOD),
		[2] = ROW(OTHER, SSE(0), V_X, W_X),	/* MOVSLDUP */
		[3] = ROW(OTHER, SSE(0), V_X, W_X2),	/* MOVDDUP */
	},
	/* MOVLPS, MOVHLPS */
	[SUB_0F12_0] = {
		[0] = ROW(MOVL, SSE3(A_L0), V_Q, H_DQ, W_Q),
		[1] = ROW(OTHER, SSE3(A_L0), V_Q, H_DQ, W_Q),
	},
	[SUB_0F12_66] = {
		[0] = ROW(MOVL, SSE3(A_L0), V_Q, H_DQ, W_Q),
	},
	[SUB_0F13] = {
		[0] = ROW(MOVL, SSE(A_L0 | A_MEM), W_Q, V_Q),
		[1] = ROW(MOVL, SSE(A_L0 | A_MEM), W_Q, V_Q),
	},
	[SUB_0F16] = {
		[0] = LINK(0F16_0, A_MODRM | A_BY_MOD),
		[1] = LINK(0F16_66, A_MODRM | A_BY_MOD),
		[2] = ROW(OTHER, SSE(0), V_X, W_X),	/* MOVSHDUP */
	},
	/* MOVHPS, MOVLHPS */
	[SUB_0F16_0] = {
		[0] = ROW(MOVH, SSE3(A_L0), V_Q, H_DQ, W_Q),
		[1] = ROW(OTHER, SSE3(A_L0), V_Q, H_DQ, W_Q),
	},
	[SUB_0F16_66] = {
		[0] = ROW(MOVH, SSE3(A_L0), V_Q, H_DQ, W_Q),
	},
	[SUB_0F17] = {
		[0] = ROW(MOVH, SSE(A_L0 | A_MEM), W_Q, V_Q),
		[1] = ROW(MOVH, SSE(A_L0 | A_MEM), W_Q, V_Q),
	},
	/* CVTPI2PS, CVTPI2PD, CVTSI2SS, CVTSI2SD */
	[SUB_0F2A] = {
		[0] = ROW(OTHER, A_MODRM, V_DQ, Q_Q),
		[1] = ROW(OTHER, A_MODRM, V_DQ, Q_Q),
		[2] = ROW(OTHER, SSE3(0), V_D, H_DQ, E_Y),
		[3] = ROW(OTHER, SSE3(0), V_Q, H_DQ, E_Y),
	},
	/* CVT(T)PS2PI, CVT(T)PD2PI, CVT(T)SS2SI, CVT(T)SD2SI */
	[SUB_0F2C] = {
		[0] = ROW(OTHER, A_MODRM, P_Q, W_Q),
		[1] = ROW(OTHER, A_MODRM, P_Q, W_DQ),
		[2] = ROW(OTHER, SSE(0), G_Y, W_D),
		[3] = ROW(OTHER, SSE(0), G_Y, W_Q),
	},
	/* CVTPS2PD, CVTPD2PS, CVTSS2SD, CVTSD2SS */
	[SUB_0F5A] = {
		[0] = ROW(OTHER, SSE(0), V_X, W_X2),
		[1] = ROW(OTHER, SSE(0), V_X, W_X),
		[2] = ROW(OTHER, SSE3(0), V_Q, H_DQ, W_D),
		[3] = ROW(OTHER, SSE3(0), V_D, H_DQ, W_Q),
	},
	[SUB_0F5B] = {
		[0 ... 2] = ROW(OTHER, SSE(0), V_X, W_X),
	},
	[SUB_0F6F] = {
		[0] = ROW(OTHER, A_MODRM, P_Q, Q_Q),
		[1] = ROW(MOVA, SSE(0), V_X, W_X),
		[2] = ROW(MOVU, SSE(0), V_X, W_X),
	},
	/* PSHUFW, PSHUFD, PSHUFHW, PSHUFLW */
	[SUB_0F70] = {
		[0] = ROW(OTHER, A_MODRM | A_IB, P_Q, Q_Q, I_B),
		[1 ... 3] = ROW(OTHER, SSE(A_IB), V_X, W_X, I_B),
	},
	/* EMMS; VZEROUPPER, VZEROALL */
	[SUB_0F77] = {
		[0] = ROW(OTHER, A_S0),
		[1] = ROW(OTHER, A_VEXONLY | A_S0),
	},
	/* EXTRQ, INSERTQ */
	[SUB_0F78] = {
		[1] = ROW(OTHER, A_MODRM | A_REG | A_IBIB, W_DQ, I_B, I_B2),
		[3] = ROW(OTHER, A_MODRM | A_REG | A_IBIB, V_DQ, W_DQ, I_B, I_B2),
	},
	[SUB_0F79] = {
		[1] = ROW(OTHER, A_MODRM | A_REG, V_DQ, W_DQ),
		[3] = ROW(OTHER, A_MODRM | A_REG, V_DQ, W_DQ),
	},
	[SUB_0F7E] = {
		[0] = ROW(OTHER, A_MODRM, E_Y, P_Q),
		[1] = ROW(MOVD, SSE(A_L0), E_Y, V_DQ),
		[2] = ROW(MOVX, SSE(A_L0), V_Q, W_Q),
	},
	[SUB_0F7F] = {
		[0] = ROW(OTHER, A_MODRM, Q_Q, P_Q),
		[1] = ROW(MOVA, SSE(0), W_X, V_X),
		[2] = ROW(MOVU, SSE(0), W_X, V_X),
	},
	[SUB_0FB8] = {
		[2] = ROW(POPCNT, A_MODRM, G_V, E_V),
	},
	[SUB_0FBC] = {
		[0] = ROW(BSF, A_MODRM, G_V, E_V),
		[1] = ROW(BSF, A_MODRM, G_V, E_V),
		[2] = ROW(TZCNT, A_MODRM, G_V, E_V),
		[3] = ROW(BSF, A_MODRM, G_V, E_V),
	},
	[SUB_0FBD] = {
		[0] = ROW(BSR, A_MODRM, G_V, E_V),
		[1] = ROW(BSR, A_MODRM, G_V, E_V),
		[2] = ROW(LZCNT, A_MODRM, G_V, E_V),
		[3] = ROW(BSR, A_MODRM, G_V, E_V),
	},
	/* MOVQ; MOVQ2DQ, MOVDQ2Q */
	[SUB_0FD6] = {
		[1] = ROW(MOVX, SSE(A_L0), W_Q, V_Q),
		[2] = ROW(OTHER, A_MODRM | A_REG, V_Q, Q_Q),
		[3] = ROW(OTHER, A_MODRM | A_REG, P_Q, W_Q),
	},
	/* CVTTPD2DQ, CVTDQ2PD, CVTPD2DQ */
	[SUB_0FE6] = {
		[1] = ROW(OTHER, SSE(0), V_X, W_X),
		[2] = ROW(OTHER, SSE(0), V_X, W_X2),
		[3] = ROW(OTHER, SSE(0), V_X, W_X),
	},
	/* MOVNTQ, MOVNTDQ */
	[SUB_0FE7] = {
		[0] = ROW(OTHER, A_MODRM | A_MEM, Q_Q, P_Q),
		[1] = ROW(MOVA, SSE(A_MEM), W_X, V_X),
	},

	/* MOVBE, CRC32 */
	[SUB_0F38F0] = {
		[0] = ROW(MOVBE, A_MODRM | A_MEM, G_V, M_V),
		[1] = ROW(MOVBE, A_MODRM | A_MEM, G_V, M_V),
		[3] = ROW(OTHER, A_MODRM, G_Y, E_B),
	},
	[SUB_0F38F1] = {
		[0] = ROW(MOVBE, A_MODRM | A_MEM, M_V, G_V),
		[1] = ROW(MOVBE, A_MODRM | A_MEM, M_V, G_V),
		[3] = ROW(OTHER, A_MODRM, G_Y, E_V),
	},
	/* WRUSS; BZHI, PEXT, PDEP */
	[SUB_0F38F5] = {
		[0] = ROW(OTHER, A_MODRM | A_MEM | A_S66, M_Y, G_Y),
		[1] = LINK(0F38F5_VEX, A_MODRM | A_BY_SIMD),
	},
	[SUB_0F38F5_VEX] = {
		[0] = ROW(OTHER, BMI, G_Y, E_Y, B_Y),
		[2] = ROW(OTHER, BMI, G_Y, B_Y, E_Y),
		[3] = ROW(OTHER, BMI, G_Y, B_Y, E_Y),
	},
	/* WRSS, ADCX, ADOX; MULX */
	[SUB_0F38F6] = {
		[0] = LINK(0F38F6_LEGACY, A_MODRM | A_BY_SIMD),
		[1] = ROW(OTHER, BMI | A_SF2, G_Y, B_Y, E_Y),
	},
	[SUB_0F38F6_LEGACY] = {
		[0] = ROW(OTHER, A_MODRM | A_MEM, M_Y, G_Y),
		[1] = ROW(OTHER, A_MODRM, G_Y, E_Y),
		[2] = ROW(OTHER, A_MODRM, G_Y, E_Y),
	},
	/* BEXTR, SHLX, SARX, SHRX */
	[SUB_0F38F7] = {
		[0 ... 3] = ROW(OTHER, BMI, G_Y, E_Y, B_Y),
	},
	/* MOVDIR64B: its register has the address size */
	[SUB_0F38F8] = {
		[1] = ROW(OTHER, A_MODRM | A_MEM | A_F64, G_8, M_X),
	},
	/* BLSR, BLSMSK, BLSI */
	[SUB_GROUP17] = {
		[1 ... 3] = ROW(OTHER, BMI | A_S0, B_Y, E_Y),
	},
};
