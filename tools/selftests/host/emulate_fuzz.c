// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as an instruction, with any registers, in any mode. The decoder
 * must not look beyond the bytes there are; execution must leave the registers
 * alone unless it is done, and give the same result when it is run again.
 *
 * A libFuzzer target if built with -fsanitize=fuzzer; else a program that
 * makes its input itself. Usage: emulate_fuzz [runs [seed]]
 */
#include <stdlib.h>

#include "emulate_machine.h"
#include "emulate_tap.h"

struct input {
	u8 mode;
	u8 cpl;
	u8 flags[4];
	u8 ask;
	u8 code_bytes;
	u8 code[16];
	u8 regs[EMULATE_NR_REGS][8];
	u8 cr0[4];
	u8 cr4[4];
};

static struct machine first, second;

static void set_up(struct machine *m, const struct input *in)
{
	static const u8 cpls[] = { 0, 3, 3, 3, 3 };
	enum emulate_mode mode = in->mode % 5;
	unsigned int i;
	u32 word;

	machine_init(m, mode, mode < EMULATE_PROT16 ? cpls[mode] : in->cpl & 3);
	memcpy(&word, in->flags, 4);
	m->ctxt.rflags |= word & 0x3fffd5;
	memcpy(&word, in->cr0, 4);
	m->cr[0] = word;
	memcpy(&word, in->cr4, 4);
	m->cr[4] = word;
	m->xcr0 = 7;
	m->ask_user = in->ask & 1;
	m->exchange_fails = in->ask & 2;
	m->io_denied = in->ask & 4;
	for (i = 0; i < EMULATE_NR_REGS; i++) {
		memcpy(&m->ctxt.regs[i], in->regs[i], 8);
		/* Addresses that mean something, for most of them. */
		if (in->ask & 8)
			m->ctxt.regs[i] &= 0x1ffff;
	}
}

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	printf("# %s\n", what);
	abort();
}

static void check_step(struct machine *m)
{
	struct emulate_ctxt before = m->ctxt;
	enum emulate_outcome outcome = emulate_execute(&m->ctxt);

	check(outcome <= EMULATE_UNHANDLED, "an outcome that there is");
	if (outcome != EMULATE_DONE) {
		check(!memcmp(before.regs, m->ctxt.regs, sizeof(before.regs)) &&
		      before.rip == m->ctxt.rip &&
		      before.rflags == m->ctxt.rflags,
		      "registers stand unless it is done");
		check(!m->ctxt.repeat && !m->ctxt.halt && !m->ctxt.shadow,
		      "no result unless it is done");
	} else if (m->ctxt.repeat) {
		check(before.rip == m->ctxt.rip, "a repetition stays");
	}
	if (outcome == EMULATE_IO) {
		check(m->ask_user && !m->answered, "user space is asked once");
		m->answered = true;
		check(emulate_execute(&m->ctxt) != EMULATE_IO, "and answers");
		m->answered = false;
	}
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	struct input in = { 0 };
	struct insn_operand operand;
	unsigned int avail, i;
	struct insn insn;
	u8 *exact;
	int status;

	memcpy(&in, bytes, size < sizeof(in) ? size : sizeof(in));
	avail = in.code_bytes % 17;
	exact = malloc(avail ? avail : 1);
	memcpy(exact, in.code, avail);
	status = insn_decode(&insn, exact, avail, in.mode % 5);
	free(exact);
	if (status != INSN_OK) {
		check(status != INSN_TRUNCATED || avail < INSN_MAX_LENGTH,
		      "fifteen bytes are not too few");
		return 0;
	}
	check(insn.length && insn.length <= avail &&
	      insn.length <= INSN_MAX_LENGTH, "length");
	for (i = 0; i <= INSN_MAX_OPERANDS; i++)
		insn_operand(&insn, i, &operand);

	set_up(&first, &in);
	first.ctxt.insn = insn;
	second = first;
	second.ctxt.ops = &machine_ops;
	check_step(&first);
	check_step(&second);
	check(!memcmp(first.ctxt.regs, second.ctxt.regs, sizeof(first.ctxt.regs)) &&
	      !memcmp(first.memory, second.memory, sizeof(first.memory)) &&
	      first.ctxt.rip == second.ctxt.rip &&
	      first.ctxt.rflags == second.ctxt.rflags, "the same twice");
	return 0;
}

#ifndef LIBFUZZER
int main(int argc, char **argv)
{
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 30000;
	u64 seed = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) | 1ull << 40;
	u8 bytes[sizeof(struct input)];
	unsigned long run;
	unsigned int i;

	for (run = 0; run < runs; run++) {
		for (i = 0; i < sizeof(bytes); i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			bytes[i] = seed >> 24;
		}
		/* Half of them without most control bits, and whole instructions. */
		if (run & 1) {
			memset(bytes + offsetof(struct input, cr0), 0, 4);
			bytes[offsetof(struct input, code_bytes)] = 15;
		}
		LLVMFuzzerTestOneInput(bytes, sizeof(bytes));
	}
	tap_ok(true, "%lu random instructions hold the invariants", runs);
	return tap_done();
}
#endif
