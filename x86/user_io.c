// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space does for the guest: I/O ports and memory that is not there.
 *
 * The run page and the port data behind it belong to user space as well, which
 * may write there at any time: sizes and addresses on the way back are those
 * that were kept here.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "insn.h"
#include "io_bus.h"
#include "vcpu.h"
#include "vm.h"
#include "x86_ops.h"

/*
 * An OUT to this port is completed before user space sees it: option ROMs that
 * patch the guest from there go by the RIP behind it.
 */
#define PORT_RIP_BEHIND	0x7e

static enum exit_outcome exit_port(struct ksvm_vcpu *vcpu, const struct insn_port *port)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = port->in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = port->bytes;
	run->io.port = port->port;
	run->io.count = port->count;
	run->io.data_offset = PAGE_SIZE;
	return EXIT_USER;
}

static void exit_mmio(struct ksvm_vcpu *vcpu, const struct ksvm_mmio_fragment *fragment,
		      bool write)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = fragment->gpa;
	run->mmio.len = fragment->bytes;
	run->mmio.is_write = write;
	if (write)
		memcpy(run->mmio.data, fragment->data, fragment->bytes);
}

/* The low part of RAX; 32 bits clear the upper half. */
static void port_data_to_rax(struct ksvm_vcpu *vcpu, const void *data, unsigned int bytes)
{
	unsigned long *rax = &vcpu->x86.regs[EMULATE_RAX];
	u32 value = 0;

	memcpy(&value, data, bytes);
	*rax = bytes == 4 ? value : (*rax & ~(BIT(bytes * 8) - 1)) | value;
}

static enum exit_outcome port_io_done(struct ksvm_vcpu *vcpu)
{
	const struct ksvm_insn_state *state = vcpu->x86.insn;

	vcpu->complete = NULL;
	if (ksvm_linear_rip(vcpu) != state->port_rip)
		return EXIT_REENTER;
	if (state->port.in)
		port_data_to_rax(vcpu, vcpu->pio_data, state->port.bytes);
	return ksvm_finish_insn(vcpu, state->next_rip);
}

static enum exit_outcome insn_write_done(struct ksvm_vcpu *vcpu)
{
	struct ksvm_insn_state *state = vcpu->x86.insn;

	vcpu->complete = NULL;
	if (state->writes_sent < state->nr_writes)
		return ksvm_exit_insn_write(state);
	return ksvm_trap_step(vcpu, false);
}

/**
 * ksvm_exit_insn_write() - show user space the next thing the completed
 *	instruction has written
 * @state: the instruction; it has written to MMIO or to a port
 *
 * Return: EXIT_USER.
 */
enum exit_outcome ksvm_exit_insn_write(struct ksvm_insn_state *state)
{
	struct ksvm_vcpu *vcpu = state->vcpu;

	vcpu->complete = insn_write_done;
	if (!state->nr_writes)
		return exit_port(vcpu, &state->port);
	exit_mmio(vcpu, &state->writes[state->writes_sent++], true);
	return EXIT_USER;
}

static noinline bool kernel_port_in(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes)
{
	u32 value = 0;

	if (ksvm_io_read(vcpu, KSVM_BUS_PIO, port, bytes, &value))
		return false;
	port_data_to_rax(vcpu, &value, bytes);
	return true;
}

static bool kernel_port_io(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes, bool in)
{
	if (ksvm_io_is_unused(&vcpu->vm->io, KSVM_BUS_PIO))
		return false;
	if (in)
		return kernel_port_in(vcpu, port, bytes);
	return !ksvm_io_write(vcpu, KSVM_BUS_PIO, port, bytes, &vcpu->x86.regs[EMULATE_RAX]);
}

/**
 * ksvm_port_io() - IN or OUT that the exit has described
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @port: the port
 * @bytes: 1, 2 or 4
 * @in: direction
 * @next_rip: RIP once it is complete
 *
 * Where no device of the kernel's answers, RIP stays at the instruction until user
 * space has done its part. If user space moves RIP, the instruction is forgotten.
 *
 * Return: EXIT_USER; EXIT_REENTER after a device of the kernel's.
 */
enum exit_outcome ksvm_port_io(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes, bool in,
			       unsigned long next_rip)
{
	struct ksvm_insn_state *state = vcpu->x86.insn;

	if (kernel_port_io(vcpu, port, bytes, in))
		return ksvm_finish_insn(vcpu, next_rip);
	state->nr_writes = 0;
	state->port = (struct insn_port) {
		.count = 1,
		.port = port,
		.bytes = bytes,
		.in = in,
	};
	if (!in)
		memcpy(vcpu->pio_data, &vcpu->x86.regs[EMULATE_RAX], bytes);
	if (!in && port == PORT_RIP_BEHIND) {
		/* A debugger's single step is reported behind the exit for the port. */
		ksvm_finish_insn(vcpu, next_rip);
		vcpu->complete = insn_write_done;
	} else {
		state->port_rip = ksvm_linear_rip(vcpu);
		state->next_rip = next_rip;
		vcpu->complete = port_io_done;
	}
	return exit_port(vcpu, &state->port);
}

/* Pieces of at most 8 bytes; -1 where there is no room for all of them. */
static int fragment_count(unsigned int bytes, unsigned int used)
{
	unsigned int count = DIV_ROUND_UP(bytes, 8);

	return count <= INSN_FRAGMENTS - used ? count : -1;
}

/* One piece from the record, or as a question to user space. */
static enum emulate_outcome read_fragment(struct ksvm_insn_state *state, u64 gpa, u8 *buf,
					  unsigned int bytes)
{
	struct ksvm_mmio_fragment *fragment = &state->reads[state->read_cursor];

	if (state->read_cursor < state->nr_reads && fragment->gpa == gpa &&
	    fragment->bytes == bytes) {
		memcpy(buf, fragment->data, bytes);
		state->read_cursor++;
		return EMULATE_DONE;
	}
	/* Registers or memory have changed: what was read behind here is void. */
	fragment->gpa = gpa;
	fragment->bytes = bytes;
	state->nr_reads = state->read_cursor + 1;
	state->read_open = true;
	return EMULATE_IO;
}

/**
 * ksvm_mmio_read() - the emulator reads where no memory is
 * @state: the instruction
 * @gpa: guest-physical address
 * @buf: for the data
 * @bytes: up to the end of a page
 *
 * Return: EMULATE_DONE from the record of what user space has answered;
 * EMULATE_IO: ksvm_exit_insn_read() asks it; EMULATE_UNHANDLED for more than
 * the record holds.
 */
enum emulate_outcome ksvm_mmio_read(struct ksvm_insn_state *state, u64 gpa, u8 *buf,
				    unsigned int bytes)
{
	enum emulate_outcome outcome = EMULATE_DONE;

	if (fragment_count(bytes, state->read_cursor) < 0)
		return EMULATE_UNHANDLED;
	while (bytes && outcome == EMULATE_DONE) {
		unsigned int part = min(bytes, 8U);

		outcome = read_fragment(state, gpa, buf, part);
		gpa += part;
		buf += part;
		bytes -= part;
	}
	return outcome;
}

/**
 * ksvm_mmio_write() - the emulator writes where no memory is
 * @state: the instruction
 * @gpa: guest-physical address
 * @buf: the data
 * @bytes: up to the end of a page
 *
 * The write waits until the instruction has completed.
 *
 * Return: EMULATE_DONE; EMULATE_UNHANDLED for more than can wait.
 */
enum emulate_outcome ksvm_mmio_write(struct ksvm_insn_state *state, u64 gpa, const u8 *buf,
				     unsigned int bytes)
{
	if (fragment_count(bytes, state->nr_writes) < 0)
		return EMULATE_UNHANDLED;
	while (bytes) {
		struct ksvm_mmio_fragment *fragment = &state->writes[state->nr_writes++];
		unsigned int part = min(bytes, 8U);

		fragment->gpa = gpa;
		fragment->bytes = part;
		memcpy(fragment->data, buf, part);
		gpa += part;
		buf += part;
		bytes -= part;
	}
	return EMULATE_DONE;
}

static enum exit_outcome mmio_read_done(struct ksvm_vcpu *vcpu)
{
	struct ksvm_insn_state *state = vcpu->x86.insn;
	struct ksvm_mmio_fragment *fragment = &state->reads[state->nr_reads - 1];

	vcpu->complete = NULL;
	memcpy(fragment->data, vcpu->run->mmio.data, fragment->bytes);
	state->read_open = false;
	return ksvm_insn_resume(vcpu);
}

static enum exit_outcome port_in_done(struct ksvm_vcpu *vcpu)
{
	vcpu->complete = NULL;
	vcpu->x86.insn->port.answered = true;
	return ksvm_insn_resume(vcpu);
}

/**
 * ksvm_exit_insn_read() - ask user space what the instruction reads
 * @state: the instruction, after EMULATE_IO
 *
 * Return: EXIT_USER.
 */
enum exit_outcome ksvm_exit_insn_read(struct ksvm_insn_state *state)
{
	struct ksvm_vcpu *vcpu = state->vcpu;

	if (state->read_open) {
		vcpu->complete = mmio_read_done;
		exit_mmio(vcpu, &state->reads[state->nr_reads - 1], false);
		return EXIT_USER;
	}
	vcpu->complete = port_in_done;
	return exit_port(vcpu, &state->port);
}
