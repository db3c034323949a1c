// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "vmm.h"

#define IER_THR		0x02
#define IIR_NONE	0x01
#define IIR_THR		0x02
#define IIR_FIFO	0xc0
#define FCR_ENABLE	0x01
#define LCR_DLAB	0x80
#define MCR_LOOP	0x10
#define LSR_EMPTY	0x60
#define MSR_READY	0xb0

static void update(struct machine *machine)
{
	struct serial *s = &machine->serial;
	bool line = s->thr_empty && (s->ier & IER_THR);

	if (line == s->line)
		return;
	s->line = line;
	machine->set_line(machine, SERIAL_IRQ, line);
}

static void transmit(struct machine *machine, u8 c)
{
	struct serial *s = &machine->serial;

	if (s->mcr & MCR_LOOP)
		return;
	if (c != '\n' && s->length < sizeof(s->text) - 1) {
		if (c != '\r')
			s->text[s->length++] = c;
		return;
	}
	s->text[s->length] = '\0';
	machine_line(machine, s->text);
	s->length = 0;
}

static u8 read_iir(struct machine *machine)
{
	struct serial *s = &machine->serial;
	u8 iir = s->fcr & FCR_ENABLE ? IIR_FIFO : 0;

	if (!s->line)
		return iir | IIR_NONE;
	/* To be read once. */
	s->thr_empty = false;
	update(machine);
	return iir | IIR_THR;
}

/* In loopback the inputs are the four outputs. */
static u8 modem_status(u8 mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_READY;
	return (mcr & 1) << 5 | (mcr & 2) << 3 | (mcr & 4) << 4 | (mcr & 8) << 4;
}

/**
 * serial_read() - a register of the port
 * @machine: whose; its lock is held
 * @reg: 0 to 7
 */
u8 serial_read(struct machine *machine, u16 reg)
{
	struct serial *s = &machine->serial;
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case 0:
		return dlab ? s->divisor & 0xff : 0;
	case 1:
		return dlab ? s->divisor >> 8 : s->ier;
	case 2:
		return read_iir(machine);
	case 3:
		return s->lcr;
	case 4:
		return s->mcr;
	case 5:
		return LSR_EMPTY;
	case 6:
		return modem_status(s->mcr);
	default:
		return s->scratch;
	}
}

/**
 * serial_write() - write a register of the port
 * @machine: whose; its lock is held
 * @reg: 0 to 7
 * @value: to be written
 */
void serial_write(struct machine *machine, u16 reg, u8 value)
{
	struct serial *s = &machine->serial;
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case 0:
		if (dlab) {
			s->divisor = (s->divisor & 0xff00) | value;
			break;
		}
		/* Down and up again: each character is an edge. */
		s->thr_empty = false;
		update(machine);
		transmit(machine, value);
		s->thr_empty = true;
		break;
	case 1:
		if (dlab) {
			s->divisor = (s->divisor & 0xff) | value << 8;
			break;
		}
		/* That it is empty is told anew to who begins to listen. */
		if (!(s->ier & IER_THR) && (value & IER_THR))
			s->thr_empty = true;
		s->ier = value & 0xf;
		break;
	case 2:
		s->fcr = value;
		break;
	case 3:
		s->lcr = value;
		break;
	case 4:
		s->mcr = value & 0x1f;
		break;
	case 7:
		s->scratch = value;
		break;
	}
	update(machine);
}
