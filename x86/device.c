// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses that a device in the kernel answers: the local APIC, and what is on the buses.
 *
 * Most of them are plain moves. The nested page fault has told the address, after the
 * guest's own segments and page tables let the access pass; what is left to know is the
 * register, so that neither is looked at again.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "guest.h"
#include "insn.h"
#include "io_bus.h"
#include "irq_ops.h"
#include "vcpu.h"
#include "vm.h"
#include "x86_ops.h"

/* Nothing on a bus is wider. */
#define DEVICE_BYTES_MAX	8

/* Nested page fault: the address is the operand's, not that of a page table. */
#define NPF_FINAL		BIT_ULL(32)

static int device_read(struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, void *data)
{
	int error = -EOPNOTSUPP;

	if (vcpu->apic)
		error = static_call(ksvm_irq_read)(vcpu, gpa, bytes, data);
	if (error == -EOPNOTSUPP && !ksvm_io_is_unused(&vcpu->vm->io, KSVM_BUS_MMIO))
		error = ksvm_io_read(vcpu, KSVM_BUS_MMIO, gpa, bytes, data);
	return error;
}

static int device_write(struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, const void *data)
{
	int error = -EOPNOTSUPP;

	if (vcpu->apic)
		error = static_call(ksvm_irq_write)(vcpu, gpa, bytes, data);
	if (error == -EOPNOTSUPP && !ksvm_io_is_unused(&vcpu->vm->io, KSVM_BUS_MMIO))
		error = ksvm_io_write(vcpu, KSVM_BUS_MMIO, gpa, bytes, data);
	return error;
}

/**
 * ksvm_device_read() - the emulator reads where no memory is
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @gpa: guest-physical address
 * @buf: for the data
 * @bytes: how much
 *
 * Return: EMULATE_DONE; EMULATE_UNHANDLED where no device of the kernel's answers.
 */
enum emulate_outcome ksvm_device_read(struct ksvm_vcpu *vcpu, u64 gpa, void *buf,
				      unsigned int bytes)
{
	if (bytes > DEVICE_BYTES_MAX || device_read(vcpu, gpa, bytes, buf))
		return EMULATE_UNHANDLED;
	return EMULATE_DONE;
}

/**
 * ksvm_device_write() - the emulator writes where no memory is
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @gpa: guest-physical address
 * @buf: the data
 * @bytes: how much
 *
 * Return: EMULATE_DONE; EMULATE_UNHANDLED where no device of the kernel's takes it;
 * EMULATE_RETRY where ring 2 cannot, and nothing has changed.
 */
enum emulate_outcome ksvm_device_write(struct ksvm_vcpu *vcpu, u64 gpa, const void *buf,
				       unsigned int bytes)
{
	int error;

	if (bytes > DEVICE_BYTES_MAX)
		return EMULATE_UNHANDLED;
	error = device_write(vcpu, gpa, bytes, buf);
	if (error == -EAGAIN)
		return EMULATE_RETRY;
	return error ? EMULATE_UNHANDLED : EMULATE_DONE;
}

/**
 * ksvm_port_read() - IN from a device of the kernel's
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @port: the port
 * @bytes: size of a value
 * @buf: for the values
 * @count: how many
 *
 * Return: whether a device has answered; the one that answers the first value answers all.
 */
bool ksvm_port_read(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes, void *buf,
		    unsigned int count)
{
	unsigned int i;

	if (ksvm_io_read(vcpu, KSVM_BUS_PIO, port, bytes, buf))
		return false;
	for (i = 1; i < count; i++) {
		if (ksvm_io_read(vcpu, KSVM_BUS_PIO, port, bytes, buf + i * bytes))
			memset(buf + i * bytes, 0xff, bytes);
	}
	return true;
}

/**
 * ksvm_port_write() - OUT to a device of the kernel's
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 * @port: the port
 * @bytes: size of a value
 * @buf: the values
 * @count: how many
 *
 * Return: how many of them devices have taken, from the first on.
 */
unsigned int ksvm_port_write(struct ksvm_vcpu *vcpu, u16 port, unsigned int bytes,
			     const void *buf, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (ksvm_io_write(vcpu, KSVM_BUS_PIO, port, bytes, buf + i * bytes))
			break;
	}
	return i;
}

/**
 * struct move - MOV between memory and a register or an immediate
 * @load: from memory
 * @bytes: how much
 * @reg: the register, where @immediate is not set
 * @immediate: the source is @value
 * @value: it
 */
struct move {
	bool load;
	u8 bytes;
	u8 reg;
	bool immediate;
	u64 value;
};

/* Forms with one memory operand and no other effect; AH to BH are left to the emulator. */
static bool move_of(const struct insn *insn, struct move *move)
{
	const u8 other = INSN_PREFIX_LOCK | INSN_PREFIX_REPNE | INSN_PREFIX_REP | INSN_PREFIX_VEX;

	if (insn->map != INSN_MAP_PRIMARY || (insn->prefixes & other))
		return false;
	*move = (struct move) { .bytes = insn->operand_bytes, .reg = insn->reg };
	switch (insn->opcode) {
	case 0x88:	/* MOV r/m8, r8 */
	case 0x89:	/* MOV r/m, r */
		break;
	case 0x8a:	/* MOV r8, r/m8 */
	case 0x8b:	/* MOV r, r/m */
		move->load = true;
		break;
	case 0xa0:	/* MOV AL, moffs */
	case 0xa1:	/* MOV rAX, moffs */
		move->load = true;
		fallthrough;
	case 0xa2:	/* MOV moffs, AL */
	case 0xa3:	/* MOV moffs, rAX */
		move->reg = EMULATE_RAX;
		return true;
	case 0xc6:	/* MOV r/m8, imm8 */
	case 0xc7:	/* MOV r/m, imm */
		move->immediate = true;
		move->value = insn->imm;
		return insn->mod != 3;
	default:
		return false;
	}
	return insn->mod != 3 &&
	       (move->bytes > 1 || move->reg < 4 || (insn->rex & INSN_REX_PRESENT));
}

static void load_register(unsigned long *reg, u64 value, unsigned int bytes)
{
	if (bytes >= 4)
		*reg = value;
	else
		*reg = (*reg & ~(BIT(bytes * 8) - 1)) | value;
}

static int do_move(struct ksvm_vcpu *vcpu, u64 gpa, const struct move *move)
{
	unsigned long *reg = &vcpu->x86.regs[move->reg];
	u64 value = 0;
	int error;

	if (!move->load)
		return device_write(vcpu, gpa, move->bytes, move->immediate ? &move->value :
								       (u64 *)reg);
	error = device_read(vcpu, gpa, move->bytes, &value);
	if (!error)
		load_register(reg, value, move->bytes);
	return error;
}

/**
 * ksvm_device_move() - a plain move to or from a device of the kernel's
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2, after a nested page fault
 * @insn: the instruction that caused it
 * @gpa: where
 * @error_code: the fault's
 * @outcome: where the move has been done: how the run loop goes on
 *
 * Return: whether it has; if not, nothing has changed.
 */
bool ksvm_device_move(struct ksvm_vcpu *vcpu, const struct insn *insn, u64 gpa, u64 error_code,
		      enum exit_outcome *outcome)
{
	struct move move;
	int error;

	if (!(error_code & NPF_FINAL) || (error_code & NPF_FETCH) || !move_of(insn, &move) ||
	    offset_in_page(gpa) + move.bytes > PAGE_SIZE ||
	    move.load != !(error_code & NPF_WRITE))
		return false;
	vcpu->x86.insn_length = insn->length;
	if (!move.load && !ksvm_io_is_unused(&vcpu->vm->io, KSVM_BUS_FAST_MMIO) &&
	    !ksvm_io_write(vcpu, KSVM_BUS_FAST_MMIO, gpa, 0, NULL)) {
		*outcome = ksvm_skip_insn(vcpu);
		return true;
	}
	error = do_move(vcpu, gpa, &move);
	if (error == -EAGAIN) {
		*outcome = EXIT_SLOW;
		return true;
	}
	if (error)
		return false;
	ksvm_count(vcpu->stat.emulated);
	*outcome = ksvm_skip_insn(vcpu);
	return true;
}
