// SPDX-License-Identifier: GPL-2.0-only
/* Privileged instructions and those that read the system's state. */
#include "internal.h"

static enum emulate_outcome get_cr4(struct emulate_ctxt *ctxt, u64 *cr4)
{
	return CALL_OP(ctxt, get_cr, 4, cr4);
}

/* SGDT, SIDT, SLDT, STR, SMSW outside CPL 0 with CR4.UMIP. */
static enum emulate_outcome check_umip(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	u64 cr4;

	if (!ctxt->cpl)
		return EMULATE_DONE;
	outcome = get_cr4(ctxt, &cr4);
	if (outcome == EMULATE_DONE && (cr4 & CR4_UMIP))
		outcome = emulate_fault_code(ctxt, VECTOR_GP, 0);
	return outcome;
}

static enum emulate_outcome move_cr(struct emulate_ctxt *ctxt)
{
	unsigned int nr = locked(ctxt) ? 8 : ctxt->insn.reg;
	unsigned int bytes = long64(ctxt) ? 8 : 4;
	enum emulate_outcome outcome;
	u64 value;

	if (nr != 0 && nr != 2 && nr != 3 && nr != 4 && nr != 8)
		return emulate_fault(ctxt, VECTOR_UD);
	outcome = emulate_need_cpl0(ctxt);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (ctxt->insn.operation == OP_MOV_TO_CR)
		return CALL_OP(ctxt, set_cr, nr,
			       reg_read(ctxt, ctxt->insn.rm, bytes));
	outcome = CALL_OP(ctxt, get_cr, nr, &value);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, ctxt->insn.rm, value, bytes);
	return outcome;
}

/* DR7.GD turns an access into #DB, which clears GD and says so in DR6. */
static enum emulate_outcome check_dr_access(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	u64 dr6, dr7;

	outcome = CALL_OP(ctxt, get_dr, 7, &dr7);
	if (outcome != EMULATE_DONE || !(dr7 & DR7_GD))
		return outcome;
	outcome = CALL_OP(ctxt, get_dr, 6, &dr6);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, set_dr, 6, dr6 | DR6_BD);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, set_dr, 7, dr7 & ~DR7_GD);
	return outcome == EMULATE_DONE ? emulate_fault(ctxt, VECTOR_DB) : outcome;
}

static enum emulate_outcome move_dr(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = long64(ctxt) ? 8 : 4;
	unsigned int nr = ctxt->insn.reg;
	enum emulate_outcome outcome;
	u64 value;

	if (nr > 7)
		return emulate_fault(ctxt, VECTOR_UD);
	outcome = emulate_need_cpl0(ctxt);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (nr == 4 || nr == 5) {
		/* DR4 and DR5 are other names of DR6 and DR7 without CR4.DE. */
		outcome = get_cr4(ctxt, &value);
		if (outcome != EMULATE_DONE)
			return outcome;
		if (value & CR4_DE)
			return emulate_fault(ctxt, VECTOR_UD);
		nr += 2;
	}
	outcome = check_dr_access(ctxt);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (ctxt->insn.operation == OP_MOV_TO_DR)
		return CALL_OP(ctxt, set_dr, nr,
			       reg_read(ctxt, ctxt->insn.rm, bytes));
	outcome = CALL_OP(ctxt, get_dr, nr, &value);
	if (outcome == EMULATE_DONE)
		reg_write(ctxt, ctxt->insn.rm, value, bytes);
	return outcome;
}

static enum emulate_outcome clear_ts(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);
	u64 cr0;

	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_cr, 0, &cr0);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, set_cr, 0, cr0 & ~CR0_TS);
	return outcome;
}

/* LMSW sets PE but never clears it. */
static enum emulate_outcome load_msw(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);
	struct operand src;
	u64 cr0;

	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_READ, &src);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_cr, 0, &cr0);
	if (outcome != EMULATE_DONE)
		return outcome;
	return CALL_OP(ctxt, set_cr, 0, (cr0 & ~0xeull) | (src.value & 0xf));
}

/* SMSW, SLDT, STR: a word in memory, the operand size in a register. */
static enum emulate_outcome store_word(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = check_umip(ctxt);
	struct emulate_segment segment;
	struct operand dst;
	u64 value;

	if (outcome == EMULATE_DONE)
		outcome = operand_open(ctxt, 0, USE_WRITE, &dst);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (ctxt->insn.operation == OP_SMSW) {
		outcome = CALL_OP(ctxt, get_cr, 0, &value);
	} else {
		outcome = ctxt->ops->get_segment(ctxt, ctxt->insn.operation == OP_STR ?
						 EMULATE_TR : EMULATE_LDTR, &segment);
		value = segment.selector;
	}
	if (outcome != EMULATE_DONE)
		return outcome;
	return operand_write(ctxt, &dst, value);
}

/* SGDT, SIDT; all bytes of the base are stored, whatever the operand size. */
static enum emulate_outcome store_table(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = long64(ctxt) ? 10 : 6;
	enum emulate_outcome outcome = check_umip(ctxt);
	struct emulate_table table;
	u64 linear;
	u8 buf[10];

	if (outcome == EMULATE_DONE)
		outcome = mem_linear(ctxt, ctxt->insn.segment, mem_offset(ctxt),
				     bytes, USE_WRITE, &linear);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_table,
				  ctxt->insn.operation == OP_SGDT ? EMULATE_GDTR :
								    EMULATE_IDTR,
				  &table);
	if (outcome != EMULATE_DONE)
		return outcome;
	__builtin_memcpy(buf, &table.limit, 2);
	__builtin_memcpy(buf + 2, &table.base, 8);
	return ctxt->ops->write(ctxt, linear, buf, bytes, 0);
}

/* LGDT, LIDT; a 16-bit operand size takes 24 bits of the base. */
static enum emulate_outcome load_table(struct emulate_ctxt *ctxt)
{
	unsigned int bytes = long64(ctxt) ? 10 : 6;
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);
	struct emulate_table table = { 0, 0 };
	u8 buf[10] = { 0 };
	u64 linear;

	if (outcome == EMULATE_DONE)
		outcome = mem_linear(ctxt, ctxt->insn.segment, mem_offset(ctxt),
				     bytes, USE_READ, &linear);
	if (outcome == EMULATE_DONE)
		outcome = ctxt->ops->read(ctxt, linear, buf, bytes, 0);
	if (outcome != EMULATE_DONE)
		return outcome;
	__builtin_memcpy(&table.limit, buf, 2);
	__builtin_memcpy(&table.base, buf + 2, 8);
	if (ctxt->insn.operand_bytes == 2)
		table.base &= 0xffffff;
	if (long64(ctxt) && !linear_canonical(ctxt, table.base))
		return emulate_fault_code(ctxt, VECTOR_GP, 0);
	return CALL_OP(ctxt, set_table,
		       ctxt->insn.operation == OP_LGDT ? EMULATE_GDTR : EMULATE_IDTR,
		       &table);
}

/* INVLPG of an address that is not canonical does nothing. */
static enum emulate_outcome invalidate(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);
	struct emulate_segment segment = { 0 };
	enum emulate_seg seg = ctxt->insn.segment;
	u64 linear;

	if (outcome == EMULATE_DONE &&
	    (!long64(ctxt) || seg == EMULATE_FS || seg == EMULATE_GS))
		outcome = ctxt->ops->get_segment(ctxt, seg, &segment);
	if (outcome != EMULATE_DONE)
		return outcome;
	linear = segment.base + mem_offset(ctxt);
	if (!long64(ctxt))
		linear = (u32)linear;
	else if (!linear_canonical(ctxt, linear))
		return EMULATE_DONE;
	return CALL_OP(ctxt, invlpg, linear);
}

static void write_edx_eax(struct emulate_ctxt *ctxt, u64 value)
{
	reg_write(ctxt, EMULATE_RAX, value, 4);
	reg_write(ctxt, EMULATE_RDX, value >> 32, 4);
}

static u64 read_edx_eax(const struct emulate_ctxt *ctxt)
{
	return reg_read(ctxt, EMULATE_RDX, 4) << 32 |
	       reg_read(ctxt, EMULATE_RAX, 4);
}

static enum emulate_outcome access_msr(struct emulate_ctxt *ctxt)
{
	u32 msr = ctxt->work.regs[EMULATE_RCX];
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);
	u64 value;

	if (outcome != EMULATE_DONE)
		return outcome;
	if (ctxt->insn.operation == OP_WRMSR)
		return CALL_OP(ctxt, set_msr, msr, read_edx_eax(ctxt));
	outcome = CALL_OP(ctxt, get_msr, msr, &value);
	if (outcome == EMULATE_DONE)
		write_edx_eax(ctxt, value);
	return outcome;
}

#define MSR_NR_TSC_AUX		0xc0000103u
#define MSR_NR_GS_BASE		0xc0000101u
#define MSR_NR_KERNEL_GS_BASE	0xc0000102u

static enum emulate_outcome read_tsc(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = EMULATE_DONE;
	u64 value, aux = 0;

	if (ctxt->cpl) {
		outcome = get_cr4(ctxt, &value);
		if (outcome == EMULATE_DONE && (value & CR4_TSD))
			outcome = emulate_fault_code(ctxt, VECTOR_GP, 0);
	}
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_tsc, &value);
	if (outcome == EMULATE_DONE && ctxt->insn.operation == OP_RDTSCP) {
		outcome = CALL_OP(ctxt, get_msr, MSR_NR_TSC_AUX, &aux);
		reg_write(ctxt, EMULATE_RCX, aux, 4);
	}
	if (outcome == EMULATE_DONE)
		write_edx_eax(ctxt, value);
	return outcome;
}

static enum emulate_outcome read_pmc(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome;
	u64 value;

	outcome = CALL_OP(ctxt, get_pmc, ctxt->work.regs[EMULATE_RCX], &value);
	if (outcome == EMULATE_DONE)
		write_edx_eax(ctxt, value);
	return outcome;
}

static enum emulate_outcome run_cpuid(struct emulate_ctxt *ctxt)
{
	u32 eax = ctxt->work.regs[EMULATE_RAX];
	u32 ecx = ctxt->work.regs[EMULATE_RCX];
	enum emulate_outcome outcome;
	u32 ebx = 0, edx = 0;

	outcome = CALL_OP(ctxt, cpuid, &eax, &ebx, &ecx, &edx);
	if (outcome != EMULATE_DONE)
		return outcome;
	reg_write(ctxt, EMULATE_RAX, eax, 4);
	reg_write(ctxt, EMULATE_RBX, ebx, 4);
	reg_write(ctxt, EMULATE_RCX, ecx, 4);
	reg_write(ctxt, EMULATE_RDX, edx, 4);
	return EMULATE_DONE;
}

static enum emulate_outcome access_xcr(struct emulate_ctxt *ctxt)
{
	u32 nr = ctxt->work.regs[EMULATE_RCX];
	enum emulate_outcome outcome;
	u64 value;

	outcome = get_cr4(ctxt, &value);
	if (outcome != EMULATE_DONE)
		return outcome;
	if (!(value & CR4_OSXSAVE))
		return emulate_fault(ctxt, VECTOR_UD);
	if (ctxt->insn.operation == OP_XSETBV) {
		outcome = emulate_need_cpl0(ctxt);
		if (outcome != EMULATE_DONE)
			return outcome;
		return CALL_OP(ctxt, set_xcr, nr, read_edx_eax(ctxt));
	}
	outcome = CALL_OP(ctxt, get_xcr, nr, &value);
	if (outcome == EMULATE_DONE)
		write_edx_eax(ctxt, value);
	return outcome;
}

static enum emulate_outcome swap_gs(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);
	u64 gs, kernel;

	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_msr, MSR_NR_GS_BASE, &gs);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, get_msr, MSR_NR_KERNEL_GS_BASE, &kernel);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, set_msr, MSR_NR_GS_BASE, kernel);
	if (outcome == EMULATE_DONE)
		outcome = CALL_OP(ctxt, set_msr, MSR_NR_KERNEL_GS_BASE, gs);
	return outcome;
}

static enum emulate_outcome halt(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);

	ctxt->halt = outcome == EMULATE_DONE;
	return outcome;
}

static enum emulate_outcome write_back(struct emulate_ctxt *ctxt)
{
	enum emulate_outcome outcome = emulate_need_cpl0(ctxt);

	return outcome == EMULATE_DONE ? CALL_OP(ctxt, wbinvd) : outcome;
}

enum emulate_outcome execute_system(struct emulate_ctxt *ctxt)
{
	switch (ctxt->insn.operation) {
	case OP_HLT:
		return halt(ctxt);
	case OP_CLTS:
		return clear_ts(ctxt);
	case OP_LMSW:
		return load_msw(ctxt);
	case OP_SMSW:
	case OP_SLDT:
	case OP_STR:
		return store_word(ctxt);
	case OP_MOV_FROM_CR:
	case OP_MOV_TO_CR:
		return move_cr(ctxt);
	case OP_MOV_FROM_DR:
	case OP_MOV_TO_DR:
		return move_dr(ctxt);
	case OP_SGDT:
	case OP_SIDT:
		return store_table(ctxt);
	case OP_LGDT:
	case OP_LIDT:
		return load_table(ctxt);
	case OP_INVLPG:
		return invalidate(ctxt);
	case OP_WBINVD:
		return write_back(ctxt);
	case OP_RDMSR:
	case OP_WRMSR:
		return access_msr(ctxt);
	case OP_RDTSC:
	case OP_RDTSCP:
		return read_tsc(ctxt);
	case OP_RDPMC:
		return read_pmc(ctxt);
	case OP_CPUID:
		return run_cpuid(ctxt);
	case OP_XGETBV:
	case OP_XSETBV:
		return access_xcr(ctxt);
	default:	/* SWAPGS */
		return swap_gs(ctxt);
	}
}
