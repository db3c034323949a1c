// SPDX-License-Identifier: GPL-2.0-only
/*
 * The primary opcode map, in the order of opcodes. A row that is not there is an
 * invalid opcode.
 */
#include "opcodes.h"

/* The six forms of an arithmetic instruction. */
#define EB_GB(op, more)	ROW(op, A_MODRM | A_BYTE | (more), E_B, G_B)
#define EV_GV(op, more)	ROW(op, A_MODRM | (more), E_V, G_V)
#define GB_EB(op)	ROW(op, A_MODRM | A_BYTE, G_B, E_B)
#define GV_EV(op)	ROW(op, A_MODRM, G_V, E_V)
#define AL_IB(op)	ROW(op, A_BYTE | A_IB, ACC_B, I_B)
#define AX_IZ(op)	ROW(op, A_IZ, ACC_V, I_Z)

#define PUSH_SEG	ROW(PUSH_SREG, A_NO64, SEG_W)
#define POP_SEG		ROW(POP_SREG, A_NO64, SEG_W)
#define PREFIX		ROW(OTHER, A_PREFIX)
#define INC_REG		ROW(INC, A_REX, Z_V)
#define DEC_REG		ROW(DEC, A_REX, Z_V)
#define PUSH_REG	ROW(PUSH, A_D64, Z_V)
#define POP_REG		ROW(POP, A_D64, Z_V)
#define JCC_SHORT	ROW(JCC, A_D64 | A_IB, J_V)
#define XCHG_REG	ROW(XCHG, 0, Z_V, ACC_V)
#define MOV_REG_IB	ROW(MOV, A_BYTE | A_IB, Z_B, I_B)
#define MOV_REG_IV	ROW(MOV, A_IV, Z_V, I_V)

const struct insn_row insn_primary[256] = {
	[0x00] = EB_GB(ADD, A_LOCK),
	[0x01] = EV_GV(ADD, A_LOCK),
	[0x02] = GB_EB(ADD),
	[0x03] = GV_EV(ADD),
	[0x04] = AL_IB(ADD),
	[0x05] = AX_IZ(ADD),
	[0x06] = PUSH_SEG,
	[0x07] = POP_SEG,
	[0x08] = EB_GB(OR, A_LOCK),
	[0x09] = EV_GV(OR, A_LOCK),
	[0x0a] = GB_EB(OR),
	[0x0b] = GV_EV(OR),
	[0x0c] = AL_IB(OR),
	[0x0d] = AX_IZ(OR),
	[0x0e] = PUSH_SEG,
	[0x0f] = ROW(OTHER, A_ESCAPE),
	[0x10] = EB_GB(ADC, A_LOCK),
	[0x11] = EV_GV(ADC, A_LOCK),
	[0x12] = GB_EB(ADC),
	[0x13] = GV_EV(ADC),
	[0x14] = AL_IB(ADC),
	[0x15] = AX_IZ(ADC),
	[0x16] = PUSH_SEG,
	[0x17] = POP_SEG,
	[0x18] = EB_GB(SBB, A_LOCK),
	[0x19] = EV_GV(SBB, A_LOCK),
	[0x1a] = GB_EB(SBB),
	[0x1b] = GV_EV(SBB),
	[0x1c] = AL_IB(SBB),
	[0x1d] = AX_IZ(SBB),
	[0x1e] = PUSH_SEG,
	[0x1f] = POP_SEG,
	[0x20] = EB_GB(AND, A_LOCK),
	[0x21] = EV_GV(AND, A_LOCK),
	[0x22] = GB_EB(AND),
	[0x23] = GV_EV(AND),
	[0x24] = AL_IB(AND),
	[0x25] = AX_IZ(AND),
	[0x26] = PREFIX,
	[0x27] = ROW(OTHER, A_NO64),	/* DAA, DAS, AAA, AAS */
	[0x28] = EB_GB(SUB, A_LOCK),
	[0x29] = EV_GV(SUB, A_LOCK),
	[0x2a] = GB_EB(SUB),
	[0x2b] = GV_EV(SUB),
	[0x2c] = AL_IB(SUB),
	[0x2d] = AX_IZ(SUB),
	[0x2e] = PREFIX,
	[0x2f] = ROW(OTHER, A_NO64),	/* DAA, DAS, AAA, AAS */
	[0x30] = EB_GB(XOR, A_LOCK),
	[0x31] = EV_GV(XOR, A_LOCK),
	[0x32] = GB_EB(XOR),
	[0x33] = GV_EV(XOR),
	[0x34] = AL_IB(XOR),
	[0x35] = AX_IZ(XOR),
	[0x36] = PREFIX,
	[0x37] = ROW(OTHER, A_NO64),	/* DAA, DAS, AAA, AAS */
	[0x38] = EB_GB(CMP, 0),
	[0x39] = EV_GV(CMP, 0),
	[0x3a] = GB_EB(CMP),
	[0x3b] = GV_EV(CMP),
	[0x3c] = AL_IB(CMP),
	[0x3d] = AX_IZ(CMP),
	[0x3e] = PREFIX,
	[0x3f] = ROW(OTHER, A_NO64),	/* DAA, DAS, AAA, AAS */

	[0x40 ... 0x47] = INC_REG,
	[0x48 ... 0x4f] = DEC_REG,
	[0x50 ... 0x57] = PUSH_REG,
	[0x58 ... 0x5f] = POP_REG,
	[0x60] = ROW(PUSHA, A_NO64),
	[0x61] = ROW(POPA, A_NO64),
	[0x62] = ROW(OTHER, A_MODRM | A_NO64 | A_MEM, G_V, M_2V),	/* BOUND */
	[0x63] = LINK(MODE_63, A_MODRM | A_BY_MODE),
	[0x64] = PREFIX,
	[0x65] = PREFIX,
	[0x66] = PREFIX,
	[0x67] = PREFIX,
	[0x68] = ROW(PUSH, A_D64 | A_IZ, I_V),
	[0x69] = ROW(IMUL2, A_MODRM | A_IZ, G_V, E_V, I_Z),
	[0x6a] = ROW(PUSH, A_D64 | A_IB, I_V),
	[0x6b] = ROW(IMUL2, A_MODRM | A_IB, G_V, E_V, I_B),
	[0x6c] = ROW(INS, A_BYTE, Y_B, DX_W),
	[0x6d] = ROW(INS, 0, Y_Z, DX_W),
	[0x6e] = ROW(OUTS, A_BYTE, DX_W, X_B),
	[0x6f] = ROW(OUTS, 0, DX_W, X_Z),
	[0x70 ... 0x7f] = JCC_SHORT,

	[0x80] = LINK(GROUP1_B, A_MODRM | A_BY_REG),
	[0x81] = LINK(GROUP1_Z, A_MODRM | A_BY_REG),
	[0x82] = LINK(MODE_82, A_MODRM | A_BY_MODE),
	[0x83] = LINK(GROUP1_IB, A_MODRM | A_BY_REG),
	[0x84] = EB_GB(TEST, 0),
	[0x85] = EV_GV(TEST, 0),
	[0x86] = EB_GB(XCHG, A_LOCK),
	[0x87] = EV_GV(XCHG, A_LOCK),
	[0x88] = EB_GB(MOV, 0),
	[0x89] = EV_GV(MOV, 0),
	[0x8a] = GB_EB(MOV),
	[0x8b] = GV_EV(MOV),
	[0x8c] = ROW(MOV_FROM_SREG, A_MODRM, E_2V, S_W),
	[0x8d] = ROW(LEA, A_MODRM | A_MEM, G_V, M_X),
	[0x8e] = ROW(MOV_TO_SREG, A_MODRM, S_W, E_W),
	[0x8f] = LINK(GROUP1A, A_MODRM | A_BY_REG),
	[0x90 ... 0x97] = XCHG_REG,
	[0x98] = ROW(CBW, 0, ACC_V),
	[0x99] = ROW(CWD, 0, ACC_V),
	[0x9a] = ROW(OTHER, A_FAR | A_NO64, A_P),	/* CALL far */
	[0x9b] = ROW(OTHER, 0),			/* FWAIT */
	[0x9c] = ROW(PUSHF, A_D64),
	[0x9d] = ROW(POPF, A_D64),
	[0x9e] = ROW(SAHF, 0),
	[0x9f] = ROW(LAHF, 0),
	[0xa0] = ROW(MOV, A_BYTE | A_MOFFS, ACC_B, O_B),
	[0xa1] = ROW(MOV, A_MOFFS, ACC_V, O_V),
	[0xa2] = ROW(MOV, A_BYTE | A_MOFFS, O_B, ACC_B),
	[0xa3] = ROW(MOV, A_MOFFS, O_V, ACC_V),
	[0xa4] = ROW(MOVS, A_BYTE, Y_B, X_B),
	[0xa5] = ROW(MOVS, 0, Y_V, X_V),
	[0xa6] = ROW(CMPS, A_BYTE, X_B, Y_B),
	[0xa7] = ROW(CMPS, 0, X_V, Y_V),
	[0xa8] = AL_IB(TEST),
	[0xa9] = AX_IZ(TEST),
	[0xaa] = ROW(STOS, A_BYTE, Y_B, ACC_B),
	[0xab] = ROW(STOS, 0, Y_V, ACC_V),
	[0xac] = ROW(LODS, A_BYTE, ACC_B, X_B),
	[0xad] = ROW(LODS, 0, ACC_V, X_V),
	[0xae] = ROW(SCAS, A_BYTE, ACC_B, Y_B),
	[0xaf] = ROW(SCAS, 0, ACC_V, Y_V),
	[0xb0 ... 0xb7] = MOV_REG_IB,
	[0xb8 ... 0xbf] = MOV_REG_IV,

	[0xc0] = LINK(GROUP2_IB_B, A_MODRM | A_BY_REG),
	[0xc1] = LINK(GROUP2_IB_V, A_MODRM | A_BY_REG),
	[0xc2] = ROW(RET, A_D64 | A_IW, I_W),
	[0xc3] = ROW(RET, A_D64),
	[0xc4] = ROW(LOAD_FAR, A_ESCAPE | A_MODRM | A_NO64 | A_MEM, G_V, M_P),
	[0xc5] = ROW(LOAD_FAR, A_ESCAPE | A_MODRM | A_NO64 | A_MEM, G_V, M_P),
	[0xc6] = LINK(GROUP11_B, A_MODRM | A_BY_REG),
	[0xc7] = LINK(GROUP11_V, A_MODRM | A_BY_REG),
	[0xc8] = ROW(ENTER, A_D64 | A_IWIB, I_W, I_B2),
	[0xc9] = ROW(LEAVE, A_D64),
	[0xca] = ROW(OTHER, A_IW, I_W),		/* RET far */
	[0xcb] = ROW(OTHER, 0),
	[0xcc] = ROW(OTHER, 0),			/* INT3 */
	[0xcd] = ROW(OTHER, A_IB, I_B),		/* INT */
	[0xce] = ROW(OTHER, A_NO64),		/* INTO */
	[0xcf] = ROW(OTHER, 0),			/* IRET */
	[0xd0] = LINK(GROUP2_1_B, A_MODRM | A_BY_REG),
	[0xd1] = LINK(GROUP2_1_V, A_MODRM | A_BY_REG),
	[0xd2] = LINK(GROUP2_CL_B, A_MODRM | A_BY_REG),
	[0xd3] = LINK(GROUP2_CL_V, A_MODRM | A_BY_REG),
	[0xd4] = ROW(OTHER, A_IB | A_NO64, I_B),	/* AAM */
	[0xd5] = ROW(OTHER, A_IB | A_NO64, I_B),	/* AAD */
	[0xd6] = ROW(SALC, A_NO64),
	[0xd7] = ROW(XLAT, A_BYTE),
	[0xd8] = ROW(OTHER, A_MODRM, M_D),	/* x87 */
	[0xd9] = LINK(X87_D9, A_MODRM | A_BY_REG),
	[0xda] = ROW(OTHER, A_MODRM, M_D),
	[0xdb] = LINK(X87_DB, A_MODRM | A_BY_REG),
	[0xdc] = ROW(OTHER, A_MODRM, M_Q),
	[0xdd] = LINK(X87_DD, A_MODRM | A_BY_REG),
	[0xde] = ROW(OTHER, A_MODRM, M_W),
	[0xdf] = LINK(X87_DF, A_MODRM | A_BY_REG),
	[0xe0 ... 0xe2] = ROW(LOOP, A_D64 | A_IB, J_V),
	[0xe3] = ROW(JCXZ, A_D64 | A_IB, J_V),
	[0xe4] = ROW(IN, A_BYTE | A_IB, ACC_B, I_B),
	[0xe5] = ROW(IN, A_IB, ACC_Z, I_B),
	[0xe6] = ROW(OUT, A_BYTE | A_IB, I_B, ACC_B),
	[0xe7] = ROW(OUT, A_IB, I_B, ACC_Z),
	[0xe8] = ROW(CALL, A_D64 | A_IZ, J_V),
	[0xe9] = ROW(JMP, A_D64 | A_IZ, J_V),
	[0xea] = ROW(OTHER, A_FAR | A_NO64, A_P),	/* JMP far */
	[0xeb] = ROW(JMP, A_D64 | A_IB, J_V),
	[0xec] = ROW(IN, A_BYTE, ACC_B, DX_W),
	[0xed] = ROW(IN, 0, ACC_Z, DX_W),
	[0xee] = ROW(OUT, A_BYTE, DX_W, ACC_B),
	[0xef] = ROW(OUT, 0, DX_W, ACC_Z),
	[0xf0] = PREFIX,
	[0xf1] = ROW(OTHER, 0),			/* INT1 */
	[0xf2] = PREFIX,
	[0xf3] = PREFIX,
	[0xf4] = ROW(HLT, 0),
	[0xf5] = ROW(CMC, 0),
	[0xf6] = LINK(GROUP3_B, A_MODRM | A_BY_REG),
	[0xf7] = LINK(GROUP3_V, A_MODRM | A_BY_REG),
	[0xf8] = ROW(CLC, 0),
	[0xf9] = ROW(STC, 0),
	[0xfa] = ROW(CLI, 0),
	[0xfb] = ROW(STI, 0),
	[0xfc] = ROW(CLD, 0),
	[0xfd] = ROW(STD, 0),
	[0xfe] = LINK(GROUP4, A_MODRM | A_BY_REG),
	[0xff] = LINK(GROUP5, A_MODRM | A_BY_REG),
};
