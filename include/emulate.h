/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction emulator: decode and execute, apart from each other.
 *
 * Pure code: no allocation, no lock, no state of its own, no kernel type
 * beyond the fixed-width integers. Everything outside the general registers
 * is reached through struct emulate_ops. The same files are built into the
 * module and, on the host, into tests and fuzzers.
 */
#ifndef KSVM_EMULATE_H
#define KSVM_EMULATE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#endif

/* The longest instruction; more bytes than these never have to be fetched. */
#define INSN_MAX_LENGTH		15

/**
 * enum emulate_mode - how the CPU reads instructions
 * @EMULATE_REAL: real mode
 * @EMULATE_VM86: virtual-8086 mode
 * @EMULATE_PROT16: protected or compatibility mode, CS.D clear
 * @EMULATE_PROT32: protected or compatibility mode, CS.D set
 * @EMULATE_LONG64: 64-bit mode
 */
enum emulate_mode {
	EMULATE_REAL,
	EMULATE_VM86,
	EMULATE_PROT16,
	EMULATE_PROT32,
	EMULATE_LONG64,
};

/* General registers, in the order of their encoding; 8 to 15 are R8 to R15. */
enum emulate_reg {
	EMULATE_RAX,
	EMULATE_RCX,
	EMULATE_RDX,
	EMULATE_RBX,
	EMULATE_RSP,
	EMULATE_RBP,
	EMULATE_RSI,
	EMULATE_RDI,
	EMULATE_NR_REGS = 16,
};

/* Segment registers: the first six in the order of their encoding. */
enum emulate_seg {
	EMULATE_ES,
	EMULATE_CS,
	EMULATE_SS,
	EMULATE_DS,
	EMULATE_FS,
	EMULATE_GS,
	EMULATE_LDTR,
	EMULATE_TR,
};

/* Opcode maps. VEX instructions are in the map that their prefix names. */
enum insn_map {
	INSN_MAP_PRIMARY,
	INSN_MAP_0F,
	INSN_MAP_0F38,
	INSN_MAP_0F3A,
};

enum insn_prefix {
	INSN_PREFIX_LOCK = 1 << 0,
	INSN_PREFIX_REPNE = 1 << 1,	/* F2, and it came after any F3 */
	INSN_PREFIX_REP = 1 << 2,	/* F3, and it came after any F2 */
	INSN_PREFIX_OPSIZE = 1 << 3,
	INSN_PREFIX_ADDRSIZE = 1 << 4,
	INSN_PREFIX_SEGMENT = 1 << 5,	/* an override that has an effect */
	INSN_PREFIX_VEX = 1 << 6,
};

/* Values of struct insn's rex, the same bits for REX and VEX. */
enum insn_rex {
	INSN_REX_B = 1 << 0,
	INSN_REX_X = 1 << 1,
	INSN_REX_R = 1 << 2,
	INSN_REX_W = 1 << 3,
	INSN_REX_PRESENT = 1 << 6,	/* a REX prefix: SPL to DIL, not AH to BH */
};

#define INSN_REG_NONE		0xff	/* base or index: there is none */
#define INSN_REG_RIP		0x10	/* base: the next instruction's address */

struct insn_row;

/**
 * struct insn - one decoded instruction
 * @row: the opcode table's row (private to the emulator)
 * @imm: immediate or branch offset, sign-extended; far pointer's offset
 * @disp: displacement, sign-extended; the address itself in the moffs forms
 * @imm2: far pointer's selector, or second immediate (ENTER, EXTRQ, INSERTQ)
 * @operation: what it does (enum in the emulator's private header)
 * @length: in bytes, prefixes and immediates included
 * @map: enum insn_map
 * @opcode: last opcode byte
 * @prefixes: bits of enum insn_prefix
 * @rex: bits of enum insn_rex, from REX or VEX
 * @simd: the prefix that selects within an SSE opcode: 0, 0x66, 0xf3, 0xf2
 * @modrm: ModRM byte, 0 if there is none
 * @sib: SIB byte, 0 if there is none
 * @mod: ModRM.mod (always 3 for moves to and from CR and DR); 0 without ModRM
 * @reg: ModRM.reg with REX.R
 * @rm: ModRM.rm with REX.B; only a register if mod is 3
 * @base: base register of the memory operand, INSN_REG_NONE or INSN_REG_RIP
 * @index: index register, or INSN_REG_NONE
 * @scale: shift count of the index, 0 to 3
 * @segment: enum emulate_seg of the memory operand, override applied; the
 *	source's for string instructions
 * @operand_bytes: effective operand size: 2, 4 or 8; 1 for byte instructions
 * @address_bytes: effective address size: 2, 4 or 8
 * @vvvv: register in VEX.vvvv
 * @vector_bytes: 16, or 32 if VEX.L is set
 *
 * Fields are valid only after insn_decode() returned INSN_OK.
 */
struct insn {
	const struct insn_row *row;
	u64 imm;
	u64 disp;
	u16 imm2;
	u16 operation;
	u8 length;
	u8 map;
	u8 opcode;
	u8 prefixes;
	u8 rex;
	u8 simd;
	u8 modrm;
	u8 mod;
	u8 reg;
	u8 rm;
	u8 sib;
	u8 base;
	u8 index;
	u8 scale;
	u8 segment;
	u8 vvvv;
	u8 vector_bytes;
	u8 operand_bytes;
	u8 address_bytes;
};

/**
 * enum insn_status - the result of decoding
 * @INSN_OK: decoded
 * @INSN_TRUNCATED: more bytes are needed than there were
 * @INSN_INVALID: #UD
 * @INSN_TOO_LONG: more than 15 bytes, #GP(0)
 */
enum insn_status {
	INSN_OK,
	INSN_TRUNCATED,
	INSN_INVALID,
	INSN_TOO_LONG,
};

/**
 * insn_decode() - decode one instruction
 * @insn: filled on success; undefined otherwise
 * @bytes: the instruction's bytes
 * @avail: how many of them there are; at most 15 are looked at
 * @mode: the CPU's mode
 *
 * Encodings that no mode of an AMD processor executes and those that @mode
 * forbids are INSN_INVALID, LOCK on an instruction that cannot have it
 * included. What depends on CPUID or on control registers is not looked at.
 *
 * Return: enum insn_status.
 */
int insn_decode(struct insn *insn, const u8 *bytes, unsigned int avail,
		enum emulate_mode mode);

/**
 * enum insn_operand_kind - where an operand is
 * @INSN_OPERAND_NONE: no operand
 * @INSN_OPERAND_GPR: general register; byte registers have @high of struct
 *	insn_operand set for AH, CH, DH, BH
 * @INSN_OPERAND_MEM: memory at the effective address (base, index, disp)
 * @INSN_OPERAND_STRING_SRC: memory at segment:rSI
 * @INSN_OPERAND_STRING_DST: memory at ES:rDI
 * @INSN_OPERAND_IMM: the value in @imm
 * @INSN_OPERAND_BRANCH: branch target, @imm from the next instruction
 * @INSN_OPERAND_FAR: far pointer imm2:imm
 * @INSN_OPERAND_SREG: segment register
 * @INSN_OPERAND_CR: control register
 * @INSN_OPERAND_DR: debug register
 * @INSN_OPERAND_MMX: MMX register
 * @INSN_OPERAND_XMM: XMM or YMM register
 */
enum insn_operand_kind {
	INSN_OPERAND_NONE,
	INSN_OPERAND_GPR,
	INSN_OPERAND_MEM,
	INSN_OPERAND_STRING_SRC,
	INSN_OPERAND_STRING_DST,
	INSN_OPERAND_IMM,
	INSN_OPERAND_BRANCH,
	INSN_OPERAND_FAR,
	INSN_OPERAND_SREG,
	INSN_OPERAND_CR,
	INSN_OPERAND_DR,
	INSN_OPERAND_MMX,
	INSN_OPERAND_XMM,
};

#define INSN_MAX_OPERANDS	4

/**
 * struct insn_operand - one operand of a decoded instruction
 * @imm: value of an immediate
 * @kind: enum insn_operand_kind
 * @reg: number of a register
 * @bytes: size; 0 where it is not a fixed number (FXSAVE, LEA, far pointers)
 * @high: one of AH, CH, DH, BH, with @reg the number of its 64-bit register
 */
struct insn_operand {
	u64 imm;
	u8 kind;
	u8 reg;
	u8 bytes;
	bool high;
};

/**
 * insn_operand() - describe an operand
 * @insn: decoded instruction
 * @index: 0 is the destination or first operand, up to INSN_MAX_OPERANDS - 1
 * @operand: filled; kind NONE if there is no such operand
 */
void insn_operand(const struct insn *insn, unsigned int index,
		  struct insn_operand *operand);

/**
 * enum emulate_outcome - what came of an operation, or of the instruction
 * @EMULATE_DONE: done; go on
 * @EMULATE_FAULT: struct emulate_ctxt's exception is to be delivered
 * @EMULATE_IO: user space has to act first; then run the instruction again
 *	from the same state, and the operation will be answered
 * @EMULATE_RETRY: nothing changed; enter the guest again
 * @EMULATE_UNHANDLED: the emulator, or this operation, cannot do it
 */
enum emulate_outcome {
	EMULATE_DONE,
	EMULATE_FAULT,
	EMULATE_IO,
	EMULATE_RETRY,
	EMULATE_UNHANDLED,
};

/**
 * struct emulate_exception - an exception to deliver
 * @vector: its number
 * @has_error_code: an error code is pushed (never in real mode)
 * @error_code: the error code, 0 if there is none
 * @address: #PF: linear address
 */
struct emulate_exception {
	u8 vector;
	bool has_error_code;
	u32 error_code;
	u64 address;
};

/* Attributes of a segment: the format that the VMCB has. */
#define EMULATE_SEG_TYPE	0x000f
#define EMULATE_SEG_ACCESSED	0x0001
#define EMULATE_SEG_WRITABLE	0x0002	/* data; for code: readable */
#define EMULATE_SEG_DOWN	0x0004	/* data; for code: conforming */
#define EMULATE_SEG_CODE	0x0008
#define EMULATE_SEG_S		0x0010
#define EMULATE_SEG_DPL_SHIFT	5
#define EMULATE_SEG_DPL		0x0060
#define EMULATE_SEG_P		0x0080
#define EMULATE_SEG_AVL		0x0100
#define EMULATE_SEG_L		0x0200
#define EMULATE_SEG_DB		0x0400
#define EMULATE_SEG_G		0x0800

/**
 * struct emulate_segment - a segment register with its hidden part
 * @base: linear address
 * @limit: in bytes, scaled by G already
 * @selector: the visible part
 * @attributes: bits EMULATE_SEG_*; P clear means unusable (null)
 */
struct emulate_segment {
	u64 base;
	u32 limit;
	u16 selector;
	u16 attributes;
};

/**
 * struct emulate_table - GDTR or IDTR
 * @base: linear address
 * @limit: last valid byte
 */
struct emulate_table {
	u64 base;
	u16 limit;
};

enum emulate_table_register {
	EMULATE_GDTR,
	EMULATE_IDTR,
};

/* How memory is accessed. */
enum emulate_access {
	/* As CPL 0 whatever the CPL is: descriptor tables. */
	EMULATE_ACCESS_SYSTEM = 1 << 0,
	/* A read before a write to the same bytes: faults as that write. */
	EMULATE_ACCESS_MODIFY = 1 << 1,
	/* Only see whether it would fault; the buffer is NULL. */
	EMULATE_ACCESS_PROBE = 1 << 2,
};

struct emulate_ctxt;

/**
 * struct emulate_ops - the world of an instruction
 *
 * Each returns enum emulate_outcome. Anything but EMULATE_DONE ends the
 * instruction with that outcome, and nothing in struct emulate_ctxt but its
 * exception has changed. For EMULATE_FAULT the operation fills the exception.
 * An operation runs again with the same arguments when the instruction is run
 * again after EMULATE_IO, and then has to give the same answer.
 *
 * @read, @write and @get_segment are always there. Another one may be NULL:
 * an instruction that needs it is EMULATE_UNHANDLED.
 *
 * @read: read guest memory at a linear address: paging, protection by CPL,
 *	MMIO. Up to 64 bytes, possibly over a page boundary, in one access if
 *	it is aligned; up to 4096 bytes within one page for OUTS
 * @write: likewise; all pages are checked before the first byte is written;
 *	up to 4096 bytes within one page for INS
 * @cmpxchg: write @bytes (1, 2, 4, 8, 16) atomically if memory still holds
 *	@old; EMULATE_RETRY if it does not. Always follows a read with
 *	EMULATE_ACCESS_MODIFY
 * @check_io: may the current task access this port range? Called for CPL above
 *	IOPL and in virtual-8086 mode: looks at the TSS; #GP(0) if not
 * @port_in: @count values of @bytes (1, 2, 4) each from one port
 * @port_out: likewise
 * @get_segment: segment register with hidden part, enum emulate_seg
 * @set_segment: set both parts; descriptor checks are done
 * @get_cr: CR0, CR2, CR3, CR4, CR8
 * @set_cr: with all checks of the value, and all effects
 * @get_dr: @nr is 0 to 3, 6, 7. CPL, DR7.GD and the CR4.DE rule for 4 and 5
 *	are checked before
 * @set_dr: likewise, with the check of the value
 * @get_msr: #GP(0) for one that does not exist
 * @set_msr: likewise
 * @get_xcr: XGETBV, with the check of @nr
 * @set_xcr: XSETBV, with all checks but CPL and CR4.OSXSAVE
 * @get_table: GDTR, IDTR
 * @set_table: the base is canonical
 * @get_tsc: the guest's time stamp counter; CR4.TSD is checked before
 * @get_pmc: RDPMC, with all checks
 * @cpuid: EAX and ECX in, all four out
 * @invlpg: drop the translation of a linear address
 * @wbinvd: WBINVD, INVD and WBNOINVD
 * @read_vector: XMM (16 bytes) or YMM (32 bytes) register; CR0.EM, CR0.TS and
 *	CR4.OSFXSR or OSXSAVE are checked before
 * @write_vector: likewise; 16 bytes leave the upper half of YMM as it is
 */
struct emulate_ops {
	enum emulate_outcome (*read)(struct emulate_ctxt *ctxt, u64 linear,
				     void *buf, unsigned int bytes,
				     unsigned int access);
	enum emulate_outcome (*write)(struct emulate_ctxt *ctxt, u64 linear,
				      const void *buf, unsigned int bytes,
				      unsigned int access);
	enum emulate_outcome (*cmpxchg)(struct emulate_ctxt *ctxt, u64 linear,
					const void *old, const void *new,
					unsigned int bytes);

	enum emulate_outcome (*check_io)(struct emulate_ctxt *ctxt, u16 port,
					 unsigned int bytes);
	enum emulate_outcome (*port_in)(struct emulate_ctxt *ctxt, u16 port,
					unsigned int bytes, void *buf,
					unsigned int count);
	enum emulate_outcome (*port_out)(struct emulate_ctxt *ctxt, u16 port,
					 unsigned int bytes, const void *buf,
					 unsigned int count);

	enum emulate_outcome (*get_segment)(struct emulate_ctxt *ctxt,
					    enum emulate_seg seg,
					    struct emulate_segment *segment);
	enum emulate_outcome (*set_segment)(struct emulate_ctxt *ctxt,
					    enum emulate_seg seg,
					    const struct emulate_segment *segment);

	enum emulate_outcome (*get_cr)(struct emulate_ctxt *ctxt,
				       unsigned int nr, u64 *value);
	enum emulate_outcome (*set_cr)(struct emulate_ctxt *ctxt,
				       unsigned int nr, u64 value);
	enum emulate_outcome (*get_dr)(struct emulate_ctxt *ctxt,
				       unsigned int nr, u64 *value);
	enum emulate_outcome (*set_dr)(struct emulate_ctxt *ctxt,
				       unsigned int nr, u64 value);
	enum emulate_outcome (*get_msr)(struct emulate_ctxt *ctxt, u32 msr,
					u64 *value);
	enum emulate_outcome (*set_msr)(struct emulate_ctxt *ctxt, u32 msr,
					u64 value);
	enum emulate_outcome (*get_xcr)(struct emulate_ctxt *ctxt, u32 nr,
					u64 *value);
	enum emulate_outcome (*set_xcr)(struct emulate_ctxt *ctxt, u32 nr,
					u64 value);
	enum emulate_outcome (*get_table)(struct emulate_ctxt *ctxt,
					  enum emulate_table_register which,
					  struct emulate_table *table);
	enum emulate_outcome (*set_table)(struct emulate_ctxt *ctxt,
					  enum emulate_table_register which,
					  const struct emulate_table *table);

	enum emulate_outcome (*get_tsc)(struct emulate_ctxt *ctxt, u64 *value);
	enum emulate_outcome (*get_pmc)(struct emulate_ctxt *ctxt, u32 nr,
					u64 *value);
	enum emulate_outcome (*cpuid)(struct emulate_ctxt *ctxt, u32 *eax,
				      u32 *ebx, u32 *ecx, u32 *edx);
	enum emulate_outcome (*invlpg)(struct emulate_ctxt *ctxt, u64 linear);
	enum emulate_outcome (*wbinvd)(struct emulate_ctxt *ctxt);

	enum emulate_outcome (*read_vector)(struct emulate_ctxt *ctxt,
					    unsigned int reg, void *buf,
					    unsigned int bytes);
	enum emulate_outcome (*write_vector)(struct emulate_ctxt *ctxt,
					     unsigned int reg, const void *buf,
					     unsigned int bytes);
};

/* Values of struct emulate_ctxt's shadow. */
enum emulate_shadow {
	EMULATE_SHADOW_NONE,
	EMULATE_SHADOW_STI,
	EMULATE_SHADOW_MOV_SS,
};

/**
 * struct emulate_work - registers on their way to the next instruction
 *
 * Private to the emulator; becomes the context's registers on EMULATE_DONE.
 */
struct emulate_work {
	u64 regs[EMULATE_NR_REGS];
	u64 rip;
	u64 rflags;
};

/**
 * struct emulate_ctxt - an instruction and the registers it runs on
 * @ops: the caller's; it reaches its own data by container_of()
 * @mode: in: the CPU's mode
 * @cpl: in: current privilege level; 0 in real mode, 3 in virtual-8086 mode
 * @linear_bits: in: bits of a linear address in long mode, 48, or 57 with
 *	CR4.LA57
 * @regs: in, out: general registers, enum emulate_reg
 * @rip: in: the instruction's address; out: where to go on
 * @rflags: in, out: the flags register; RF is cleared when an instruction has
 *	completed, a trap for TF is the caller's
 * @insn: in: the decoded instruction
 * @buffer: in: 4096 bytes for the batches of INS and OUTS; NULL: they go by
 *	single elements
 * @exception: out, with EMULATE_FAULT
 * @repeat: out: a repeated string instruction went one step, or one batch of
 *	INS or OUTS; rip stands, there is more to do. The caller may take
 *	interrupts, then execute again, without decoding again
 * @halt: out: HLT
 * @shadow: out: enum emulate_shadow: interrupts wait for one instruction
 * @work: private
 *
 * The out fields are set only on EMULATE_DONE, @exception by EMULATE_FAULT.
 * Whether interrupts already waited when the instruction began, so that it may
 * not make them wait again, is the caller's to see.
 */
struct emulate_ctxt {
	const struct emulate_ops *ops;
	enum emulate_mode mode;
	u8 cpl;
	u8 linear_bits;
	u64 regs[EMULATE_NR_REGS];
	u64 rip;
	u64 rflags;
	struct insn insn;
	void *buffer;

	struct emulate_exception exception;
	bool repeat;
	bool halt;
	u8 shadow;

	struct emulate_work work;
};

/**
 * emulate_execute() - execute the decoded instruction
 * @ctxt: registers and instruction
 *
 * Works on a copy of the registers, which is committed only when everything
 * has been done. For EMULATE_UNHANDLED nothing has been done to memory or
 * ports.
 *
 * Context: that of the caller's operations.
 *
 * Return: enum emulate_outcome.
 */
enum emulate_outcome emulate_execute(struct emulate_ctxt *ctxt);

#endif
