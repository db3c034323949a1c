/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine for the emulator's tests: 64 KiB of memory at linear address 0
 * with one page that is read-only and one that is a device, ports, control
 * registers, and a record of what was asked of it.
 */
#ifndef EMULATE_MACHINE_H
#define EMULATE_MACHINE_H

#include <string.h>

#include "../../../include/emulate.h"

#define MEMORY_BYTES	0x10000u
#define READONLY_PAGE	0x8000u
#define DEVICE_PAGE	0x9000u
#define PAGE_OF(address) ((address) & ~0xfffull)

/**
 * struct machine - the machine, and what happened to it
 * @ctxt: the instruction under test
 * @port_value: what a port reads next, or was written last
 * @exchange_fails: memory changes before each compare and exchange
 * @ask_user: the device page and ports are user space's: EMULATE_IO
 * @answered: user space has acted, this run is the second one
 * @io_runs: how often user space was asked
 */
struct machine {
	struct emulate_ctxt ctxt;
	u8 memory[MEMORY_BYTES];
	struct emulate_segment segments[8];
	struct emulate_table tables[2];
	u64 cr[16];
	u64 dr[8];
	u64 msr_value;
	u32 msr;
	u64 xcr0;
	u8 vector[16][32];
	u8 buffer[4096];
	u16 port;
	unsigned int port_bytes;
	unsigned int port_count;
	u32 port_value;
	u64 invalidated;
	unsigned int flushes;
	unsigned int exchanges;
	unsigned int reads;
	bool exchange_fails;
	bool io_denied;
	bool ask_user;
	bool answered;
	unsigned int io_runs;
};

static inline struct machine *machine_of(struct emulate_ctxt *ctxt)
{
	return (struct machine *)((char *)ctxt - offsetof(struct machine, ctxt));
}

static inline enum emulate_outcome machine_fault(struct emulate_ctxt *ctxt,
						 u8 vector, bool has_code,
						 u32 code, u64 address)
{
	ctxt->exception = (struct emulate_exception){
		.vector = vector,
		.has_error_code = has_code,
		.error_code = code,
		.address = address,
	};
	return EMULATE_FAULT;
}

/* Ask user space once; the same access is answered in the next run. */
static inline enum emulate_outcome machine_ask(struct machine *m)
{
	if (!m->ask_user || m->answered)
		return EMULATE_DONE;
	m->io_runs++;
	return EMULATE_IO;
}

static inline enum emulate_outcome machine_access(struct emulate_ctxt *ctxt,
						  u64 linear, unsigned int bytes,
						  bool write)
{
	u64 address;

	for (address = linear; address != linear + bytes; address++) {
		if (address >= MEMORY_BYTES)
			return machine_fault(ctxt, 14, true, write ? 2 : 0, address);
		if (write && PAGE_OF(address) == READONLY_PAGE)
			return machine_fault(ctxt, 14, true, 3, address);
	}
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_read(struct emulate_ctxt *ctxt,
						u64 linear, void *buf,
						unsigned int bytes,
						unsigned int access)
{
	struct machine *m = machine_of(ctxt);
	enum emulate_outcome outcome;

	outcome = machine_access(ctxt, linear, bytes,
				 access & EMULATE_ACCESS_MODIFY);
	if (outcome == EMULATE_DONE && PAGE_OF(linear) == DEVICE_PAGE)
		outcome = machine_ask(m);
	if (outcome != EMULATE_DONE || (access & EMULATE_ACCESS_PROBE))
		return outcome;
	m->reads++;
	memcpy(buf, m->memory + linear, bytes);
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_write(struct emulate_ctxt *ctxt,
						 u64 linear, const void *buf,
						 unsigned int bytes,
						 unsigned int access)
{
	struct machine *m = machine_of(ctxt);
	enum emulate_outcome outcome;

	outcome = machine_access(ctxt, linear, bytes, true);
	if (outcome != EMULATE_DONE || (access & EMULATE_ACCESS_PROBE))
		return outcome;
	if (PAGE_OF(linear) == DEVICE_PAGE)
		outcome = machine_ask(m);
	if (outcome == EMULATE_DONE)
		memcpy(m->memory + linear, buf, bytes);
	return outcome;
}

static inline enum emulate_outcome machine_cmpxchg(struct emulate_ctxt *ctxt,
						   u64 linear, const void *old,
						   const void *new,
						   unsigned int bytes)
{
	struct machine *m = machine_of(ctxt);

	m->exchanges++;
	if (m->exchange_fails || memcmp(m->memory + linear, old, bytes))
		return EMULATE_RETRY;
	memcpy(m->memory + linear, new, bytes);
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_check_io(struct emulate_ctxt *ctxt,
						    u16 port, unsigned int bytes)
{
	(void)port;
	(void)bytes;
	if (machine_of(ctxt)->io_denied)
		return machine_fault(ctxt, 13, true, 0, 0);
	return EMULATE_DONE;
}

/* Counts up, from the value that is set, over all elements. */
static inline enum emulate_outcome machine_port_in(struct emulate_ctxt *ctxt,
						   u16 port, unsigned int bytes,
						   void *buf, unsigned int count)
{
	struct machine *m = machine_of(ctxt);
	u32 value = m->port_value;
	unsigned int i;

	if (machine_ask(m) != EMULATE_DONE)
		return EMULATE_IO;
	m->port = port;
	m->port_bytes = bytes;
	m->port_count += count;
	for (i = 0; i < count; i++, value++)
		memcpy((u8 *)buf + i * bytes, &value, bytes);
	m->port_value = value;
	return EMULATE_DONE;
}

/* Remembers the last value. */
static inline enum emulate_outcome machine_port_out(struct emulate_ctxt *ctxt,
						    u16 port, unsigned int bytes,
						    const void *buf,
						    unsigned int count)
{
	struct machine *m = machine_of(ctxt);

	if (machine_ask(m) != EMULATE_DONE)
		return EMULATE_IO;
	m->port = port;
	m->port_bytes = bytes;
	m->port_count += count;
	m->port_value = 0;
	memcpy(&m->port_value, (const u8 *)buf + (count - 1) * bytes, bytes);
	return EMULATE_DONE;
}

static inline enum emulate_outcome
machine_get_segment(struct emulate_ctxt *ctxt, enum emulate_seg seg,
		    struct emulate_segment *segment)
{
	*segment = machine_of(ctxt)->segments[seg];
	return EMULATE_DONE;
}

static inline enum emulate_outcome
machine_set_segment(struct emulate_ctxt *ctxt, enum emulate_seg seg,
		    const struct emulate_segment *segment)
{
	machine_of(ctxt)->segments[seg] = *segment;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_get_cr(struct emulate_ctxt *ctxt,
						  unsigned int nr, u64 *value)
{
	*value = machine_of(ctxt)->cr[nr];
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_set_cr(struct emulate_ctxt *ctxt,
						  unsigned int nr, u64 value)
{
	machine_of(ctxt)->cr[nr] = value;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_get_dr(struct emulate_ctxt *ctxt,
						  unsigned int nr, u64 *value)
{
	*value = machine_of(ctxt)->dr[nr];
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_set_dr(struct emulate_ctxt *ctxt,
						  unsigned int nr, u64 value)
{
	machine_of(ctxt)->dr[nr] = value;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_get_msr(struct emulate_ctxt *ctxt,
						   u32 msr, u64 *value)
{
	machine_of(ctxt)->msr = msr;
	*value = machine_of(ctxt)->msr_value;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_set_msr(struct emulate_ctxt *ctxt,
						   u32 msr, u64 value)
{
	machine_of(ctxt)->msr = msr;
	machine_of(ctxt)->msr_value = value;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_get_xcr(struct emulate_ctxt *ctxt,
						   u32 nr, u64 *value)
{
	if (nr)
		return machine_fault(ctxt, 13, true, 0, 0);
	*value = machine_of(ctxt)->xcr0;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_set_xcr(struct emulate_ctxt *ctxt,
						   u32 nr, u64 value)
{
	(void)nr;
	machine_of(ctxt)->xcr0 = value;
	return EMULATE_DONE;
}

static inline enum emulate_outcome
machine_get_table(struct emulate_ctxt *ctxt, enum emulate_table_register which,
		  struct emulate_table *table)
{
	*table = machine_of(ctxt)->tables[which];
	return EMULATE_DONE;
}

static inline enum emulate_outcome
machine_set_table(struct emulate_ctxt *ctxt, enum emulate_table_register which,
		  const struct emulate_table *table)
{
	machine_of(ctxt)->tables[which] = *table;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_get_tsc(struct emulate_ctxt *ctxt,
						   u64 *value)
{
	(void)ctxt;
	*value = 0x1122334455667788;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_cpuid(struct emulate_ctxt *ctxt,
						 u32 *eax, u32 *ebx, u32 *ecx,
						 u32 *edx)
{
	(void)ctxt;
	*ebx = *eax + 1;
	*edx = *ecx + 2;
	*eax = 0x80000000;
	*ecx = 0xffffffff;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_invlpg(struct emulate_ctxt *ctxt,
						  u64 linear)
{
	machine_of(ctxt)->invalidated = linear;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_wbinvd(struct emulate_ctxt *ctxt)
{
	machine_of(ctxt)->flushes++;
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_read_vector(struct emulate_ctxt *ctxt,
						       unsigned int reg,
						       void *buf,
						       unsigned int bytes)
{
	memcpy(buf, machine_of(ctxt)->vector[reg], bytes);
	return EMULATE_DONE;
}

static inline enum emulate_outcome machine_write_vector(struct emulate_ctxt *ctxt,
							unsigned int reg,
							const void *buf,
							unsigned int bytes)
{
	memcpy(machine_of(ctxt)->vector[reg], buf, bytes);
	return EMULATE_DONE;
}

/* RDPMC is not there, to see what a missing operation does. */
static const struct emulate_ops machine_ops = {
	.read = machine_read,
	.write = machine_write,
	.cmpxchg = machine_cmpxchg,
	.check_io = machine_check_io,
	.port_in = machine_port_in,
	.port_out = machine_port_out,
	.get_segment = machine_get_segment,
	.set_segment = machine_set_segment,
	.get_cr = machine_get_cr,
	.set_cr = machine_set_cr,
	.get_dr = machine_get_dr,
	.set_dr = machine_set_dr,
	.get_msr = machine_get_msr,
	.set_msr = machine_set_msr,
	.get_xcr = machine_get_xcr,
	.set_xcr = machine_set_xcr,
	.get_table = machine_get_table,
	.set_table = machine_set_table,
	.get_tsc = machine_get_tsc,
	.cpuid = machine_cpuid,
	.invlpg = machine_invlpg,
	.wbinvd = machine_wbinvd,
	.read_vector = machine_read_vector,
	.write_vector = machine_write_vector,
};

#define FLAT_DATA	(EMULATE_SEG_P | EMULATE_SEG_S | EMULATE_SEG_WRITABLE | \
			 EMULATE_SEG_ACCESSED | EMULATE_SEG_DB)
#define FLAT_CODE	(FLAT_DATA | EMULATE_SEG_CODE)

/* A machine at reset for a mode: flat segments, memory that counts up. */
static inline void machine_init(struct machine *m, enum emulate_mode mode,
				unsigned int cpl)
{
	bool large = mode >= EMULATE_PROT32;
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->ctxt.ops = &machine_ops;
	m->ctxt.mode = mode;
	m->ctxt.cpl = cpl;
	m->ctxt.linear_bits = 48;
	m->ctxt.buffer = m->buffer;
	m->ctxt.rip = 0x100;
	m->ctxt.rflags = 2;
	m->ctxt.regs[EMULATE_RSP] = 0x7000;
	for (i = 0; i < MEMORY_BYTES; i++)
		m->memory[i] = i;
	for (i = 0; i < 6; i++) {
		m->segments[i].limit = large ? 0xffffffff : 0xffff;
		m->segments[i].attributes = i == EMULATE_CS ? FLAT_CODE : FLAT_DATA;
		m->segments[i].attributes |= cpl << EMULATE_SEG_DPL_SHIFT;
		if (!large)
			m->segments[i].attributes &= ~EMULATE_SEG_DB;
	}
	m->cr[4] = 1u << 9;
}

/* Decode and execute; EMULATE_IO is answered, and run again. */
static inline enum emulate_outcome machine_run(struct machine *m, const u8 *code,
					       unsigned int bytes)
{
	enum emulate_outcome outcome;

	if (insn_decode(&m->ctxt.insn, code, bytes, m->ctxt.mode) != INSN_OK)
		return machine_fault(&m->ctxt, 6, false, 0, 0);
	outcome = emulate_execute(&m->ctxt);
	if (outcome == EMULATE_IO) {
		m->answered = true;
		outcome = emulate_execute(&m->ctxt);
		m->answered = false;
	}
	return outcome;
}

#endif
