// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processor at hand cannot be asked for: faults in every mode,
 * privileged instructions, segment loads, user-space accesses and their second
 * run. A row has a machine, one instruction, and what comes of it.
 */
#include "../../../x86/emulate/internal.h"
#include "emulate_machine.h"
#include "emulate_tap.h"

#define REAL	EMULATE_REAL
#define V86	EMULATE_VM86
#define P16	EMULATE_PROT16
#define P32	EMULATE_PROT32
#define LONG	EMULATE_LONG64

static struct machine machine;

/* What a fault row changes before the instruction. */
struct setup {
	u64 rflags;
	u64 cr0;
	u64 cr4;
	u64 dr7;
	u64 rax;
	u64 rcx;
	u64 rdx;
	u64 rdi;
	u64 rsp;
	bool io_denied;
};

struct fault_row {
	const char *name;
	enum emulate_mode mode;
	unsigned int cpl;
	u8 code[12];
	struct setup setup;
	u8 vector;
	int error;	/* NO_CODE, or the error code */
};

#define NO_CODE		(-1)
#define NONCANONICAL	0x0000800000000000ull
#define IOPL3		(3u << 12)

static const struct fault_row fault_rows[] = {
	{ "hlt", LONG, 3, { 0xf4 }, { 0 }, 13, 0 },
	{ "hlt in v86", V86, 3, { 0xf4 }, { 0 }, 13, 0 },
	{ "mov cr0, eax", P32, 1, { 0x0f, 0x22, 0xc0 }, { 0 }, 13, 0 },
	{ "mov cr1 before privilege", P32, 3, { 0x0f, 0x22, 0xc8 }, { 0 }, 6, NO_CODE },
	{ "mov cr9", LONG, 0, { 0x44, 0x0f, 0x22, 0xc8 }, { 0 }, 6, NO_CODE },
	{ "mov dr0", LONG, 3, { 0x0f, 0x23, 0xc0 }, { 0 }, 13, 0 },
	{ "mov dr4 with DE", LONG, 0, { 0x0f, 0x23, 0xe0 }, { .cr4 = CR4_DE }, 6,
	  NO_CODE },
	{ "mov dr4 with DE, but CPL 3", LONG, 3, { 0x0f, 0x23, 0xe0 },
	  { .cr4 = CR4_DE }, 13, 0 },
	{ "mov dr8", LONG, 0, { 0x44, 0x0f, 0x23, 0xc0 }, { 0 }, 6, NO_CODE },
	{ "mov dr0 with GD", LONG, 0, { 0x0f, 0x23, 0xc0 }, { .dr7 = DR7_GD }, 1,
	  NO_CODE },
	{ "clts", LONG, 3, { 0x0f, 0x06 }, { 0 }, 13, 0 },
	{ "lmsw", P16, 3, { 0x0f, 0x01, 0xf0 }, { 0 }, 13, 0 },
	{ "smsw with UMIP", LONG, 3, { 0x0f, 0x01, 0xe0 }, { .cr4 = CR4_UMIP }, 13, 0 },
	{ "sgdt with UMIP", LONG, 3, { 0x0f, 0x01, 0x07 }, { .cr4 = CR4_UMIP }, 13, 0 },
	{ "lgdt", LONG, 3, { 0x0f, 0x01, 0x17 }, { 0 }, 13, 0 },
	{ "lgdt, base not canonical", LONG, 0, { 0x0f, 0x01, 0x17 },
	  { .rdi = 0x80 }, 13, 0 },
	{ "invlpg", LONG, 3, { 0x0f, 0x01, 0x3f }, { 0 }, 13, 0 },
	{ "wbinvd", LONG, 3, { 0x0f, 0x09 }, { 0 }, 13, 0 },
	{ "rdmsr", LONG, 3, { 0x0f, 0x32 }, { 0 }, 13, 0 },
	{ "wrmsr", V86, 3, { 0x0f, 0x30 }, { 0 }, 13, 0 },
	{ "swapgs", LONG, 3, { 0x0f, 0x01, 0xf8 }, { 0 }, 13, 0 },
	{ "rdtsc with TSD", LONG, 3, { 0x0f, 0x31 }, { .cr4 = CR4_TSD }, 13, 0 },
	{ "xgetbv without OSXSAVE", LONG, 0, { 0x0f, 0x01, 0xd0 }, { 0 }, 6, NO_CODE },
	{ "xsetbv", LONG, 3, { 0x0f, 0x01, 0xd1 }, { .cr4 = CR4_OSXSAVE }, 13, 0 },
	{ "xgetbv 1", LONG, 0, { 0x0f, 0x01, 0xd0 },
	  { .cr4 = CR4_OSXSAVE, .rcx = 1 }, 13, 0 },
	{ "stac", LONG, 3, { 0x0f, 0x01, 0xcb }, { 0 }, 6, NO_CODE },
	{ "cli above IOPL", P32, 3, { 0xfa }, { 0 }, 13, 0 },
	{ "sti above IOPL", LONG, 1, { 0xfb }, { .cr4 = CR4_PVI }, 13, 0 },
	{ "sti with VIP", P32, 3, { 0xfb }, { .cr4 = CR4_PVI, .rflags = FLAG_VIP },
	  13, 0 },
	{ "pushf in v86", V86, 3, { 0x9c }, { 0 }, 13, 0 },
	{ "popf in v86", V86, 3, { 0x9d }, { 0 }, 13, 0 },
	{ "32-bit popf in v86 with VME", V86, 3, { 0x66, 0x9d }, { .cr4 = CR4_VME },
	  13, 0 },
	{ "in denied", P32, 3, { 0xec }, { .io_denied = true }, 13, 0 },
	{ "out denied in v86 with IOPL 3", V86, 3, { 0xee },
	  { .io_denied = true, .rflags = IOPL3 }, 13, 0 },
	{ "rep ins denied with count 0", P32, 3, { 0xf3, 0x6c },
	  { .io_denied = true }, 13, 0 },
	{ "not canonical", LONG, 0, { 0x89, 0x07 }, { .rdi = NONCANONICAL }, 13, 0 },
	{ "not canonical by its end", LONG, 0, { 0x89, 0x07 },
	  { .rdi = NONCANONICAL - 2 }, 13, 0 },
	{ "stack not canonical", LONG, 0, { 0x50 }, { .rsp = NONCANONICAL + 8 }, 12, 0 },
	{ "[rsp] not canonical", LONG, 0, { 0x89, 0x04, 0x24 },
	  { .rsp = NONCANONICAL }, 12, 0 },
	{ "beyond the limit in real mode", REAL, 0, { 0x89, 0x05 },
	  { .rdi = 0xffff }, 13, NO_CODE },
	{ "beyond the limit in v86", V86, 3, { 0x89, 0x05 }, { .rdi = 0xffff }, 13, 0 },
	{ "push at 1 in real mode", REAL, 0, { 0x50 }, { .rsp = 1 }, 12, NO_CODE },
	{ "jump beyond the limit", REAL, 0, { 0x66, 0xe9, 0, 0, 1, 0 }, { 0 }, 13,
	  NO_CODE },
	{ "write to code", P32, 0, { 0x2e, 0x89, 0x07 }, { 0 }, 13, 0 },
	{ "divide by 0", LONG, 3, { 0xf7, 0xf1 }, { 0 }, 0, NO_CODE },
	{ "quotient too large", P32, 3, { 0xf7, 0xf1 }, { .rcx = 5, .rdx = 5 }, 0,
	  NO_CODE },
	{ "quotient too large by one", P32, 3, { 0xf7, 0xf9 },
	  { .rax = 0x80000000, .rdx = 0xffffffff, .rcx = 0xffffffff }, 0, NO_CODE },
	{ "64-bit quotient too large by one", LONG, 3, { 0x48, 0xf7, 0xf9 },
	  { .rax = 1ull << 63, .rdx = ~0ull, .rcx = ~0ull }, 0, NO_CODE },
	{ "mov cs", P32, 0, { 0x8e, 0xc8 }, { 0 }, 6, NO_CODE },
	{ "mov segment 6", P32, 0, { 0x8e, 0xf0 }, { 0 }, 6, NO_CODE },
	{ "null to ss", P32, 0, { 0x8e, 0xd0 }, { 0 }, 13, 0 },
	{ "selector beyond the table", P32, 0, { 0x8e, 0xd8 }, { .rax = 0x1003 }, 13,
	  0x1000 },
	{ "unaligned movaps", LONG, 0, { 0x0f, 0x28, 0x07 }, { .rdi = 8 }, 13, 0 },
	{ "movups with TS", LONG, 0, { 0x0f, 0x10, 0x07 }, { .cr0 = CR0_TS }, 7,
	  NO_CODE },
	{ "movups with EM", LONG, 0, { 0x0f, 0x10, 0x07 },
	  { .cr0 = CR0_EM | CR0_TS }, 6, NO_CODE },
	{ "vmovups without OSXSAVE", LONG, 0, { 0xc5, 0xf8, 0x10, 0x07 }, { 0 }, 6,
	  NO_CODE },
	{ "unaligned cmpxchg16b", LONG, 0, { 0x48, 0x0f, 0xc7, 0x0f }, { .rdi = 8 },
	  13, 0 },
	{ "alignment check", LONG, 3, { 0x89, 0x07 },
	  { .rdi = 1, .cr0 = CR0_AM, .rflags = FLAG_AC }, 17, 0 },
	{ "lock on a register", LONG, 0, { 0xf0, 0x01, 0xc0 }, { 0 }, 6, NO_CODE },
	{ "modify read-only memory", LONG, 0, { 0x01, 0x07 },
	  { .rdi = READONLY_PAGE }, 14, 3 },
	{ "compare reads it, and beyond", LONG, 0, { 0x39, 0x07 },
	  { .rdi = MEMORY_BYTES - 2 }, 14, 0 },
};

static void set_up(const struct setup *setup)
{
	struct emulate_ctxt *ctxt = &machine.ctxt;

	ctxt->rflags |= setup->rflags;
	machine.cr[0] |= setup->cr0;
	machine.cr[4] |= setup->cr4;
	machine.dr[7] = setup->dr7;
	ctxt->regs[EMULATE_RAX] = setup->rax;
	ctxt->regs[EMULATE_RCX] = setup->rcx;
	ctxt->regs[EMULATE_RDX] = setup->rdx;
	ctxt->regs[EMULATE_RDI] = setup->rdi;
	if (setup->rsp)
		ctxt->regs[EMULATE_RSP] = setup->rsp;
	machine.io_denied = setup->io_denied;
}

/* The fault is right, and no register and no memory has changed. */
static void test_faults(void)
{
	static u8 memory[MEMORY_BYTES];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fault_rows); i++) {
		const struct fault_row *row = &fault_rows[i];
		const struct emulate_exception *e = &machine.ctxt.exception;
		enum emulate_outcome outcome;
		struct emulate_ctxt before;
		bool unchanged;
		int code;

		machine_init(&machine, row->mode, row->cpl);
		set_up(&row->setup);
		before = machine.ctxt;
		memcpy(memory, machine.memory, sizeof(memory));
		outcome = machine_run(&machine, row->code, sizeof(row->code));
		code = e->has_error_code ? (int)e->error_code : NO_CODE;
		unchanged = !memcmp(before.regs, machine.ctxt.regs,
				    sizeof(before.regs)) &&
			    before.rip == machine.ctxt.rip &&
			    before.rflags == machine.ctxt.rflags &&
			    !memcmp(memory, machine.memory, sizeof(memory));
		if (!tap_ok(outcome == EMULATE_FAULT && e->vector == row->vector &&
			    code == row->error && unchanged, "fault: %s",
			    row->name))
			printf("# outcome %d vector %u code %d, unchanged %d\n",
			       outcome, e->vector, code, unchanged);
	}
}

/* Run one instruction in a fresh machine that a test has changed. */
#define RUN(...)							\
	({								\
		static const u8 code[] = { __VA_ARGS__ };		\
									\
		machine_run(&machine, code, sizeof(code));		\
	})
#define REG(name)	(machine.ctxt.regs[EMULATE_##name])

static void fresh(enum emulate_mode mode)
{
	machine_init(&machine, mode, mode == V86 ? 3 : 0);
}

static void test_control_registers(void)
{
	fresh(LONG);
	REG(RAX) = 0x123456789abcdef0;
	tap_ok(RUN(0x0f, 0x22, 0xd8) == EMULATE_DONE &&
	       machine.cr[3] == 0x123456789abcdef0 && machine.ctxt.rip == 0x103,
	       "mov cr3, rax takes 64 bits");
	fresh(P32);
	machine.cr[8] = 7;
	REG(RAX) = ~0ull;
	tap_ok(RUN(0xf0, 0x0f, 0x20, 0xc0) == EMULATE_DONE && REG(RAX) == 7,
	       "lock mov eax, cr0 reads CR8");
	fresh(REAL);
	machine.cr[0] = CR0_TS | 1;
	REG(RAX) = 0xfff0;
	tap_ok(RUN(0x0f, 0x01, 0xf0) == EMULATE_DONE && machine.cr[0] == 1,
	       "lmsw clears TS but not PE");
	tap_ok(RUN(0x0f, 0x01, 0xe3) == EMULATE_DONE && REG(RBX) == 1,
	       "smsw to a register");
	machine.cr[0] = CR0_TS | 3;
	tap_ok(RUN(0x0f, 0x06) == EMULATE_DONE && machine.cr[0] == 3, "clts");
	fresh(LONG);
	REG(RAX) = 5;
	tap_ok(RUN(0x0f, 0x23, 0xe0) == EMULATE_DONE && machine.dr[6] == 5,
	       "mov dr4 is dr6 without DE");
	machine.dr[7] = DR7_GD;
	machine.dr[6] = 0;
	tap_ok(RUN(0x0f, 0x21, 0xc0) == EMULATE_FAULT && machine.dr[6] == DR6_BD &&
	       !machine.dr[7], "GD sets BD and clears itself");
}

static void test_tables(void)
{
	static const u8 expected[10] = { 0xff, 0x0f, 0x88, 0x77, 0x66, 0x55, 0x44,
					 0x33, 0x22, 0x11 };

	fresh(LONG);
	REG(RDI) = 0x200;
	machine.tables[EMULATE_GDTR].base = 0x1122334455667788;
	machine.tables[EMULATE_GDTR].limit = 0xfff;
	tap_ok(RUN(0x0f, 0x01, 0x07) == EMULATE_DONE &&
	       !memcmp(machine.memory + 0x200, expected, 10), "sgdt, 10 bytes");
	fresh(REAL);
	REG(RDI) = 0x200;
	memcpy(machine.memory + 0x200, expected, 10);
	tap_ok(RUN(0x0f, 0x01, 0x1d) == EMULATE_DONE &&
	       machine.tables[EMULATE_IDTR].base == 0x667788 &&
	       machine.tables[EMULATE_IDTR].limit == 0xfff,
	       "16-bit lidt takes 24 bits");
	tap_ok(RUN(0x66, 0x0f, 0x01, 0x1d) == EMULATE_DONE &&
	       machine.tables[EMULATE_IDTR].base == 0x55667788,
	       "32-bit lidt takes 32 bits");
}

static void test_other_system(void)
{
	fresh(LONG);
	REG(RCX) = 0xffffffffc0000080;
	REG(RAX) = ~0ull;
	REG(RDX) = ~0ull << 32;
	tap_ok(RUN(0x0f, 0x30) == EMULATE_DONE && machine.msr == 0xc0000080 &&
	       machine.msr_value == 0xffffffff, "wrmsr takes EDX:EAX");
	machine.msr_value = 0x1122334455667788;
	tap_ok(RUN(0x0f, 0x32) == EMULATE_DONE && REG(RAX) == 0x55667788 &&
	       REG(RDX) == 0x11223344, "rdmsr clears the upper halves");
	REG(RAX) = 0xffffffff00000004;
	REG(RCX) = 7;
	tap_ok(RUN(0x0f, 0xa2) == EMULATE_DONE && REG(RAX) == 0x80000000 &&
	       REG(RBX) == 5 && REG(RCX) == 0xffffffff && REG(RDX) == 9,
	       "cpuid writes four 32-bit registers");
	tap_ok(RUN(0xf4) == EMULATE_DONE && machine.ctxt.halt, "hlt halts");
	tap_ok(RUN(0x90) == EMULATE_DONE && !machine.ctxt.halt, "the next does not");
	tap_ok(RUN(0x0f, 0x33) == EMULATE_UNHANDLED, "no operation: unhandled");
	tap_ok(RUN(0x0f, 0x05) == EMULATE_UNHANDLED, "syscall is unhandled");
	machine.segments[EMULATE_GS].base = 0x10000;
	tap_ok(RUN(0x65, 0x0f, 0x01, 0x38) == EMULATE_DONE &&
	       machine.invalidated == 0x80010000, "invlpg gs:[rax]");
	REG(RAX) = NONCANONICAL;
	tap_ok(RUN(0x0f, 0x01, 0x38) == EMULATE_DONE &&
	       machine.invalidated == 0x80010000,
	       "invlpg of no canonical address does nothing");
	tap_ok(RUN(0x0f, 0x31) == EMULATE_DONE && REG(RAX) == 0x55667788, "rdtsc");
	machine.ctxt.rflags = 2 | FLAG_RF;
	RUN(0x90);
	tap_ok(machine.ctxt.rflags == 2, "RF is cleared by an instruction");
}

static void test_flags(void)
{
	fresh(LONG);
	tap_ok(RUN(0xfb) == EMULATE_DONE && (machine.ctxt.rflags & FLAG_IF) &&
	       machine.ctxt.shadow == EMULATE_SHADOW_STI, "sti has a shadow");
	tap_ok(RUN(0xfb) == EMULATE_DONE &&
	       machine.ctxt.shadow == EMULATE_SHADOW_NONE, "sti again has none");
	machine_init(&machine, P32, 3);
	machine.cr[4] = CR4_PVI;
	tap_ok(RUN(0xfb) == EMULATE_DONE &&
	       (machine.ctxt.rflags & (FLAG_IF | FLAG_VIF)) == FLAG_VIF,
	       "sti sets VIF with PVI");
	fresh(V86);
	machine.cr[4] = CR4_VME;
	machine.ctxt.rflags |= FLAG_VIF;
	tap_ok(RUN(0x9c) == EMULATE_DONE && machine.memory[0x6fff] == 0x32,
	       "pushf shows VIF as IF and IOPL 3");
	tap_ok(RUN(0xfa) == EMULATE_DONE && !(machine.ctxt.rflags & FLAG_VIF) &&
	       RUN(0x9d) == EMULATE_DONE && (machine.ctxt.rflags & FLAG_VIF),
	       "popf sets VIF");
	machine_init(&machine, P32, 3);
	memset(machine.memory + 0x7000, 0xff, 4);
	RUN(0x9d);
	tap_ok(!(machine.ctxt.rflags & (FLAG_IF | FLAG_IOPL | FLAG_VM)),
	       "popf at CPL 3 changes neither IF nor IOPL");
	machine_init(&machine, P32, 0);
	memset(machine.memory + 0x7000, 0xff, 4);
	RUN(0x9d);
	tap_ok(machine.ctxt.rflags == 0x247fd7,
	       "popf at CPL 0 changes both, but not VM, VIF and VIP");
	fresh(P32);
	REG(RAX) = 0x80000000;
	REG(RDX) = 0xffffffff;
	REG(RCX) = 1;
	tap_ok(RUN(0xf7, 0xf9) == EMULATE_DONE && REG(RAX) == 0x80000000 && !REG(RDX),
	       "the most negative quotient is none too large");
}

static void put_descriptor(unsigned int selector, u64 descriptor)
{
	memcpy(machine.memory + 0x400 + selector, &descriptor, 8);
}

static void with_gdt(enum emulate_mode mode, unsigned int cpl)
{
	machine_init(&machine, mode, cpl);
	machine.tables[EMULATE_GDTR].base = 0x400;
	machine.tables[EMULATE_GDTR].limit = 0xff;
	put_descriptor(0x08, 0x12cf92345678ffff);	/* data, not accessed */
	put_descriptor(0x10, 0x00cf12000000ffff);	/* data, not present */
	put_descriptor(0x18, 0x00cf98000000ffff);	/* code, execute only */
	put_descriptor(0x20, 0x00cff2000000ffff);	/* data, DPL 3 */
	put_descriptor(0x28, 0x00cf89000000ffff);	/* TSS */
}

/* Outcome of MOV DS, AX or MOV SS, AX. */
static bool load_faults(bool ss, u16 selector, u8 vector)
{
	const struct emulate_exception *e = &machine.ctxt.exception;
	enum emulate_outcome outcome;

	REG(RAX) = selector;
	outcome = ss ? RUN(0x8e, 0xd0) : RUN(0x8e, 0xd8);
	return outcome == EMULATE_FAULT && e->vector == vector &&
	       e->has_error_code && e->error_code == (selector & ~3u);
}

static void test_segments(void)
{
	const struct emulate_segment *ds = &machine.segments[EMULATE_DS];

	fresh(REAL);
	REG(RAX) = 0x1234;
	tap_ok(RUN(0x8e, 0xd8) == EMULATE_DONE && ds->base == 0x12340 &&
	       ds->limit == 0xffff, "real mode: base is the selector's");
	with_gdt(P32, 0);
	REG(RAX) = 8;
	tap_ok(RUN(0x8e, 0xd8) == EMULATE_DONE && ds->base == 0x12345678 &&
	       ds->limit == 0xffffffff && ds->attributes == 0xc93 &&
	       machine.memory[0x40d] == 0x93, "descriptor is loaded and accessed");
	with_gdt(P32, 0);
	tap_ok(load_faults(false, 0x10, 11), "not present: #NP");
	tap_ok(load_faults(false, 0x18, 13), "execute only: #GP");
	tap_ok(load_faults(false, 0x28, 13), "a TSS: #GP");
	tap_ok(load_faults(false, 0x0b, 13), "RPL above DPL: #GP");
	tap_ok(load_faults(false, 0x0c, 13), "no local table: #GP");
	tap_ok(load_faults(true, 0x20, 13), "SS with another DPL: #GP");
	tap_ok(load_faults(true, 0x10, 12), "SS not present: #SS");
	REG(RAX) = 8;
	tap_ok(RUN(0x8e, 0xd0) == EMULATE_DONE &&
	       machine.ctxt.shadow == EMULATE_SHADOW_MOV_SS, "mov ss has a shadow");
	with_gdt(LONG, 0);
	REG(RAX) = 0;
	tap_ok(RUN(0x8e, 0xd0) == EMULATE_DONE, "null SS in 64-bit mode");
	with_gdt(P32, 3);
	tap_ok(load_faults(false, 0x08, 13), "DPL below CPL: #GP");
	REG(RAX) = 3;
	tap_ok(RUN(0x8e, 0xd8) == EMULATE_DONE &&
	       !(ds->attributes & EMULATE_SEG_P), "null DS");
	tap_ok(RUN(0x8b, 0x07) == EMULATE_FAULT &&
	       machine.ctxt.exception.vector == 13, "null DS cannot be used");
	with_gdt(P32, 0);
	machine.segments[EMULATE_SS].attributes |= EMULATE_SEG_DOWN;
	machine.segments[EMULATE_SS].limit = 0x6fff;
	tap_ok(RUN(0x50) == EMULATE_FAULT && machine.ctxt.exception.vector == 12,
	       "expand-down stack below its limit: #SS");
	REG(RSP) = 0x7004;
	tap_ok(RUN(0x50) == EMULATE_DONE, "expand-down stack above its limit");
	with_gdt(P32, 0);
	machine.memory[0x202] = 8;
	machine.memory[0x203] = 0;
	REG(RDI) = 0x200;
	tap_ok(RUN(0x66, 0xc5, 0x07) == EMULATE_DONE && REG(RAX) == 0x100 &&
	       ds->selector == 8, "lds");
}

static void test_ports(void)
{
	unsigned int i;

	fresh(LONG);
	REG(RAX) = ~0ull;
	REG(RDX) = 0x103f8;
	machine.port_value = 0x80;
	machine.ask_user = true;
	tap_ok(RUN(0xec) == EMULATE_DONE && REG(RAX) == 0xffffffffffffff80 &&
	       machine.port == 0x3f8 && machine.io_runs == 1, "in al, dx");
	tap_ok(RUN(0xe5, 0xff) == EMULATE_DONE && REG(RAX) == 0x81 &&
	       machine.port == 0xff, "in eax clears the upper half");
	REG(RAX) = 0x12345678;
	tap_ok(RUN(0x66, 0xef) == EMULATE_DONE && machine.port_value == 0x5678 &&
	       machine.port_bytes == 2, "out dx, ax");
	fresh(LONG);
	machine.ask_user = true;
	REG(RCX) = 5000;
	REG(RDI) = 0x1ff0;
	machine.port_value = 1;
	tap_ok(RUN(0xf3, 0x6c) == EMULATE_DONE && machine.ctxt.repeat &&
	       machine.port_count == 16 && machine.ctxt.rip == 0x100 &&
	       REG(RCX) == 4984 && REG(RDI) == 0x2000 &&
	       machine.memory[0x1fff] == 16, "rep insb goes to the page's end");
	tap_ok(RUN(0xf3, 0x6c) == EMULATE_DONE && machine.port_count == 16 + 4096 &&
	       REG(RCX) == 888, "and takes a page at once");
	for (i = 0; machine.ctxt.repeat && i < 10; i++)
		RUN(0xf3, 0x6c);
	tap_ok(REG(RCX) == 0 && machine.ctxt.rip == 0x102 && REG(RDI) == 0x3378,
	       "until the count is 0");
	fresh(LONG);
	REG(RCX) = 2;
	REG(RDI) = 0x1ffe;
	tap_ok(RUN(0xf3, 0x6d) == EMULATE_DONE && machine.port_count == 1 &&
	       REG(RDI) == 0x2002, "an element over the boundary goes alone");
	fresh(LONG);
	machine.ctxt.rflags |= FLAG_DF;
	REG(RCX) = 3;
	REG(RSI) = 0x1008;
	tap_ok(RUN(0xf3, 0x6f) == EMULATE_DONE && machine.port_count == 1 &&
	       REG(RSI) == 0x1004, "downward by single elements");
	fresh(LONG);
	REG(RCX) = 3;
	REG(RDI) = READONLY_PAGE;
	tap_ok(RUN(0xf3, 0x6c) == EMULATE_FAULT && !machine.port_count,
	       "no port is read for memory that is not writable");
	fresh(LONG);
	REG(RSI) = 0x1000;
	REG(RCX) = 8;
	tap_ok(RUN(0xf3, 0x6e) == EMULATE_DONE && !machine.ctxt.repeat &&
	       machine.port_count == 8 && machine.port_value == 7, "rep outsb");
}

static void test_device(void)
{
	fresh(LONG);
	machine.ask_user = true;
	REG(RDI) = DEVICE_PAGE + 0x10;
	tap_ok(RUN(0x8b, 0x07) == EMULATE_DONE && REG(RAX) == 0x13121110 &&
	       machine.io_runs == 1, "read from a device");
	tap_ok(RUN(0x0f, 0x11, 0x07) == EMULATE_DONE && machine.io_runs == 2 &&
	       !machine.memory[DEVICE_PAGE + 0x10], "movups to a device");
	tap_ok(RUN(0xf0, 0x0f, 0xba, 0x2f, 3) == EMULATE_DONE &&
	       machine.exchanges == 1 && machine.memory[DEVICE_PAGE + 0x10] == 8,
	       "lock bts on a device");
	REG(RSI) = 0x1020;
	REG(RCX) = 2;
	tap_ok(RUN(0xf3, 0xa4) == EMULATE_DONE && machine.ctxt.repeat &&
	       REG(RCX) == 1 && machine.memory[DEVICE_PAGE + 0x10] == 0x20,
	       "rep movsb to a device, one element at a time");
	tap_ok(RUN(0xf3, 0xa4) == EMULATE_DONE && !machine.ctxt.repeat &&
	       machine.ctxt.rip > 0x100, "and the last one");
	machine.exchange_fails = true;
	tap_ok(RUN(0xf0, 0xff, 0x07) == EMULATE_RETRY, "a lost exchange: retry");
	REG(RDI) = 0x100;
	tap_ok(RUN(0x87, 0x07) == EMULATE_RETRY, "xchg is locked by itself");
}

/* Where AMD's processors differ from Intel's, or from what one might expect. */
static void test_peculiar(void)
{
	fresh(P32);
	REG(RDI) = 0xfffffffd;
	tap_ok(RUN(0x8b, 0x07) == EMULATE_FAULT && machine.ctxt.exception.vector == 13,
	       "no access wraps at 4 GiB");
	tap_ok(RUN(0x66, 0x8b, 0x07) == EMULATE_FAULT &&
	       machine.ctxt.exception.vector == 14, "up to there is another matter");
	fresh(LONG);
	REG(RAX) = 0xffffffffffff1234;
	machine.ctxt.regs[8] = 0x5678;
	tap_ok(RUN(0xf3, 0x90) == EMULATE_DONE && REG(RAX) == 0xffffffffffff1234,
	       "pause");
	tap_ok(RUN(0xf3, 0x41, 0x90) == EMULATE_DONE && REG(RAX) == 0x5678 &&
	       machine.ctxt.regs[8] == 0xffff1234, "pause with REX.B is an exchange");
}

static void test_widths(void)
{
	fresh(REAL);
	machine.ctxt.rip = 0xffff;
	tap_ok(RUN(0x90) == EMULATE_DONE && machine.ctxt.rip == 0, "IP wraps");
	fresh(P32);
	machine.ctxt.rip = 0xfffffffe;
	tap_ok(RUN(0xeb, 0x10) == EMULATE_DONE && machine.ctxt.rip == 0x10,
	       "EIP wraps");
	fresh(REAL);
	REG(RSP) = 0x10000;
	tap_ok(RUN(0x50) == EMULATE_DONE && REG(RSP) == 0x1fffe,
	       "SP wraps below ESP");
	fresh(LONG);
	machine.ctxt.rip = 0x12345;
	tap_ok(RUN(0x66, 0xe9, 0x10, 0) == EMULATE_DONE && machine.ctxt.rip == 0x2359,
	       "66 cuts a branch to 16 bits");
	fresh(LONG);
	machine.vector[1][31] = 0xff;
	machine.cr[4] |= CR4_OSXSAVE;
	machine.xcr0 = 7;
	REG(RDI) = 0x100;
	tap_ok(RUN(0xc5, 0xfa, 0x6f, 0x0f) == EMULATE_DONE &&
	       machine.vector[1][15] == 15 && !machine.vector[1][31],
	       "vmovdqu xmm clears the upper half");
	tap_ok(RUN(0xc5, 0xfe, 0x6f, 0x0f) == EMULATE_DONE &&
	       machine.vector[1][31] == 31, "vmovdqu ymm");
	tap_ok(RUN(0x0f, 0x10, 0x0f) == EMULATE_DONE &&
	       machine.vector[1][31] == 31, "movups keeps it");
}

int main(void)
{
	test_faults();
	test_control_registers();
	test_tables();
	test_other_system();
	test_flags();
	test_segments();
	test_ports();
	test_device();
	test_peculiar();
	test_widths();
	return tap_done();
}
