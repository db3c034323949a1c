/* SPDX-License-Identifier: GPL-2.0-only */
/* How a vCPU's instructions are fetched, emulated and finished by user space. */
#ifndef KSVM_X86_INSN_H
#define KSVM_X86_INSN_H

#include <linux/types.h>

#include "emulate.h"
#include "exit.h"
#include "x86.h"

struct ksvm_vcpu;

/* A vector of 64 bytes that lies over a page boundary is nine pieces. */
#define INSN_FRAGMENTS		16

/* One more than needed: two loads of eight bytes are the fastest fetch. */
#define INSN_FETCH_BYTES	16

/**
 * struct insn_fetch - instruction bytes at RIP
 * @linear: their linear address
 * @mode: how the vCPU reads them
 * @count: how many of @bytes are valid, INSN_MAX_LENGTH at most
 * @bytes: they
 */
struct insn_fetch {
	unsigned long linear;
	enum emulate_mode mode;
	u8 count;
	u8 bytes[INSN_FETCH_BYTES];
};

/**
 * struct insn_port - an access to an I/O port that user space serves
 * @count: values; 0 where there is no access
 * @port: the port
 * @bytes: size of a value: 1, 2 or 4
 * @in: direction
 * @answered: IN: user space has been there, the data are in vcpu->pio_data
 */
struct insn_port {
	u32 count;
	u16 port;
	u8 bytes;
	bool in;
	bool answered;
};

/**
 * struct ksvm_insn_state - the instruction being emulated; own thread
 * @vcpu: whose
 * @ctxt: the emulator's part; its insn stays decoded while user space acts
 * @fetched: where the instruction is, and its bytes: user space may move the
 *	vCPU away while it is unfinished, and then it is forgotten; a failure is
 *	reported with the bytes
 * @gpa: MMIO address that led to the emulation, all ones if none
 * @port_rip: where an IN or OUT is that was not fetched
 * @next_rip: RIP when it is complete
 * @error: negative errno that ends KVM_RUN, or 0
 * @port: port access that the instruction has asked for
 * @nr_reads: fragments in @reads
 * @read_cursor: reads that the present execution has done
 * @nr_writes: fragments in @writes
 * @writes_sent: how many of them user space was shown
 * @reads: MMIO that the instruction has read so far, in its order. An execution
 *	that is run again finds its answers here. The last one may be a
 *	question still
 * @read_open: the last of @reads has no data yet
 * @writes: MMIO that the instruction wrote; shown to user space after commit
 */
struct ksvm_insn_state {
	struct ksvm_vcpu *vcpu;
	struct emulate_ctxt ctxt;
	struct insn_fetch fetched;
	u64 gpa;
	unsigned long port_rip;
	unsigned long next_rip;
	int error;
	struct insn_port port;
	u8 nr_reads;
	u8 read_cursor;
	u8 nr_writes;
	u8 writes_sent;
	bool read_open;
	struct ksvm_mmio_fragment reads[INSN_FRAGMENTS];
	struct ksvm_mmio_fragment writes[INSN_FRAGMENTS];
};

/* fetch.c */
enum emulate_mode ksvm_insn_mode(struct ksvm_vcpu *vcpu);
unsigned long ksvm_linear_rip(struct ksvm_vcpu *vcpu);
int ksvm_fetch_insn(struct ksvm_vcpu *vcpu, struct insn_fetch *fetched, struct insn *insn);
enum exit_outcome ksvm_finish_insn(struct ksvm_vcpu *vcpu, unsigned long next_rip);
enum exit_outcome ksvm_trap_step(struct ksvm_vcpu *vcpu, bool trap);

/* debug.c */
bool ksvm_trap_flag_traps(struct ksvm_vcpu *vcpu, bool branched);

/* insn.c: again after user space has answered a read. */
enum exit_outcome ksvm_insn_resume(struct ksvm_vcpu *vcpu);

/* insn_ops.c */
extern const struct emulate_ops ksvm_emulate_ops;

/* Is the next of the answers about this address? */
static inline bool ksvm_mmio_answered(const struct ksvm_insn_state *state, u64 gpa)
{
	return state->read_cursor < state->nr_reads && state->reads[state->read_cursor].gpa == gpa;
}

/* device.c */
enum emulate_outcome ksvm_device_read(struct ksvm_vcpu *vcpu, u64 gpa, void *buf,
				      unsigned int bytes);
enum emulate_outcome ksvm_device_write(struct ksvm_vcpu *vcpu, u64 gpa, const void *buf,
				       unsigned int bytes);
bool ksvm_port_read(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes, void *buf,
		    unsigned int count);
unsigned int ksvm_port_write(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes,
			     const void *buf, unsigned int count);
bool ksvm_device_move(struct ksvm_vcpu *vcpu, const struct insn *insn, u64 gpa, u64 error_code,
		      enum exit_outcome *outcome);

/* user_io.c */
enum emulate_outcome ksvm_mmio_read(struct ksvm_insn_state *state, u64 gpa, u8 *buf,
				    unsigned int bytes);
enum emulate_outcome ksvm_mmio_write(struct ksvm_insn_state *state, u64 gpa, const u8 *buf,
				     unsigned int bytes);
enum exit_outcome ksvm_exit_insn_read(struct ksvm_insn_state *state);
enum exit_outcome ksvm_exit_insn_write(struct ksvm_insn_state *state);

#endif
