/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two 8259 interrupt controllers of a PC as a state machine. Pure; also built on
 * the host.
 *
 * All state is in struct kvm_pic_state, so that user space can carry a VM away at any
 * time; any value in it, also one that no guest can reach, leads to defined behaviour.
 * A request is latched and stays until it is acknowledged, in edge mode also if the line
 * goes down before that: timers and messages pulse their lines.
 */
#ifndef KSVM_IRQ_PIC_STATE_H
#define KSVM_IRQ_PIC_STATE_H

#include <linux/kvm.h>

#include "pure.h"

#define PIC_MASTER	KVM_IRQCHIP_PIC_MASTER
#define PIC_SLAVE	KVM_IRQCHIP_PIC_SLAVE
#define PIC_CASCADE	2	/* the master's pin that the slave is at */
#define PIC_SPURIOUS	7

/* The pins that can be made level triggered: not the timer, keyboard, cascade, clock, FPU. */
#define PIC_ELCR_MASTER	0xf8
#define PIC_ELCR_SLAVE	0xde

/* ICW1, recognized by bit 4; OCW3, by bit 3; else OCW2. */
#define PIC_ICW1		0x10
#define PIC_ICW1_ICW4		0x01
#define PIC_ICW4_AUTO_EOI	0x02
#define PIC_ICW4_SFNM		0x10
#define PIC_OCW3		0x08
#define PIC_OCW3_READ_ISR	0x01
#define PIC_OCW3_READ		0x02
#define PIC_OCW3_POLL		0x04
#define PIC_OCW3_SPECIAL_MASK	0x20
#define PIC_OCW3_MASK_MODE	0x40

enum pic_ocw2 {
	PIC_ROTATE_AEOI_CLEAR,
	PIC_EOI,
	PIC_NOTHING,
	PIC_SPECIFIC_EOI,
	PIC_ROTATE_AEOI_SET,
	PIC_ROTATE_EOI,
	PIC_SET_PRIORITY,
	PIC_ROTATE_SPECIFIC_EOI,
};

/* What the next write to the data port is. */
enum pic_init_state {
	PIC_INIT_DONE,	/* OCW1: the mask */
	PIC_INIT_ICW2,
	PIC_INIT_ICW3,
	PIC_INIT_ICW4,
};

/**
 * struct pic_pair - the controllers
 * @chips: state of master and slave
 * @intr: the master's output; follows from @chips
 */
struct pic_pair {
	struct kvm_pic_state chips[2];
	bool intr;
};

/* How far the foremost of some pins is from the highest priority; 8 if there is none. */
static inline unsigned int pic_rank(const struct kvm_pic_state *chip, u8 pins)
{
	unsigned int rank;

	for (rank = 0; rank < 8; rank++) {
		if (pins & BIT((rank + chip->priority_add) & 7))
			break;
	}
	return rank;
}

/* What is in service and holds back what is behind it. */
static inline u8 pic_blocking(const struct kvm_pic_state *chip)
{
	return chip->special_mask ? chip->isr & ~chip->imr : chip->isr;
}

/*
 * The pin for which a chip asserts its output, or -1. In special fully nested mode a
 * slave in service may ask once more: it has put its own requests in order.
 */
static inline int pic_request(const struct pic_pair *pair, unsigned int index)
{
	const struct kvm_pic_state *chip = &pair->chips[index];
	unsigned int rank = pic_rank(chip, chip->irr & ~chip->imr);
	unsigned int busy = pic_rank(chip, pic_blocking(chip));
	unsigned int pin = (rank + chip->priority_add) & 7;

	if (rank < busy)
		return pin;
	if (rank == busy && rank < 8 && index == PIC_MASTER && pin == PIC_CASCADE &&
	    chip->special_fully_nested_mode)
		return pin;
	return -1;
}

/**
 * pic_update() - bring the outputs in line with the state
 * @pair: of which @chips may have been changed in any way
 */
static inline void pic_update(struct pic_pair *pair)
{
	if (pic_request(pair, PIC_SLAVE) >= 0)
		pair->chips[PIC_MASTER].irr |= BIT(PIC_CASCADE);
	pair->intr = pic_request(pair, PIC_MASTER) >= 0;
}

/**
 * pic_init() - state after power-on
 * @pair: to be set
 */
static inline void pic_init(struct pic_pair *pair)
{
	*pair = (struct pic_pair){
		.chips[PIC_MASTER].elcr_mask = PIC_ELCR_MASTER,
		.chips[PIC_SLAVE].elcr_mask = PIC_ELCR_SLAVE,
	};
}

/**
 * pic_set_pin() - a line changes, or is driven once more to where it was
 * @pair: the controllers
 * @pin: 0 to 15
 * @level: up or down
 *
 * Return: -1 if the pin is masked, 0 if its request was pending already, else 1.
 */
static inline int pic_set_pin(struct pic_pair *pair, unsigned int pin, bool level)
{
	struct kvm_pic_state *chip = &pair->chips[pin >> 3];
	u8 bit = BIT(pin & 7);
	bool pending = chip->irr & bit;
	bool requests = level && ((chip->elcr & bit) || !(chip->last_irr & bit));

	if (level)
		chip->last_irr |= bit;
	else
		chip->last_irr &= ~bit;
	if (requests)
		chip->irr |= bit;
	else if (!level && (chip->elcr & bit))
		chip->irr &= ~bit;
	pic_update(pair);
	if (chip->imr & bit)
		return -1;
	return requests && pending ? 0 : 1;
}

/* The end of a pin's service, if it was in service. */
static inline void pic_end(struct pic_pair *pair, unsigned int index, u8 bits, u16 *acked)
{
	struct kvm_pic_state *chip = &pair->chips[index];

	bits &= chip->isr;
	chip->isr &= ~bits;
	*acked |= bits << (index * 8);
}

/* A request is accepted; one in level mode stays for as long as the line does. */
static inline void pic_accept(struct pic_pair *pair, unsigned int index, unsigned int pin,
			      u16 *acked)
{
	struct kvm_pic_state *chip = &pair->chips[index];

	chip->isr |= BIT(pin);
	if (!(chip->elcr & BIT(pin)))
		chip->irr &= ~BIT(pin);
	if (!chip->auto_eoi)
		return;
	if (chip->rotate_on_auto_eoi)
		chip->priority_add = (pin + 1) & 7;
	pic_end(pair, index, BIT(pin), acked);
}

/**
 * pic_acknowledge() - the processor's acknowledge cycle
 * @pair: the controllers
 * @acked: pins whose service has ended are added, the slave's as bits 8 to 15
 *
 * Return: the vector; that of pin 7 of a chip that requests nothing any more.
 */
static inline u8 pic_acknowledge(struct pic_pair *pair, u16 *acked)
{
	unsigned int index = PIC_MASTER;
	int pin = pic_request(pair, PIC_MASTER);

	if (pin >= 0)
		pic_accept(pair, PIC_MASTER, pin, acked);
	if (pin == PIC_CASCADE) {
		index = PIC_SLAVE;
		pin = pic_request(pair, PIC_SLAVE);
		if (pin >= 0)
			pic_accept(pair, PIC_SLAVE, pin, acked);
	}
	pic_update(pair);
	return pair->chips[index].irq_base + (pin < 0 ? PIC_SPURIOUS : pin);
}

/*
 * A poll is an acknowledge cycle of one chip by itself. The slave's takes back what
 * it has asked of the master, which nobody will acknowledge there.
 */
static inline u8 pic_poll(struct pic_pair *pair, unsigned int index, u16 *acked)
{
	int pin = pic_request(pair, index);

	pair->chips[index].poll = 0;
	if (pin < 0)
		return PIC_SPURIOUS;
	pic_accept(pair, index, pin, acked);
	if (index == PIC_SLAVE)
		pair->chips[PIC_MASTER].irr &= ~BIT(PIC_CASCADE);
	pic_update(pair);
	return 0x80 | pin;
}

/**
 * pic_read() - read a chip's port
 * @pair: the controllers
 * @index: PIC_MASTER or PIC_SLAVE
 * @data_port: the odd port
 * @acked: as for pic_acknowledge()
 *
 * Return: the byte.
 */
static inline u8 pic_read(struct pic_pair *pair, unsigned int index, bool data_port, u16 *acked)
{
	const struct kvm_pic_state *chip = &pair->chips[index];

	if (chip->poll)
		return pic_poll(pair, index, acked);
	if (data_port)
		return chip->imr;
	return chip->read_reg_select ? chip->isr : chip->irr;
}

/*
 * ICW1: edges are forgotten and nothing is in service. Whoever waits for the end of an
 * interrupt that is dropped here would wait forever: it counts as served.
 */
static inline void pic_write_icw1(struct pic_pair *pair, unsigned int index, u8 value,
				  u16 *acked)
{
	struct kvm_pic_state *chip = &pair->chips[index];
	u8 edges = chip->irr & ~chip->elcr;

	*acked |= (edges | chip->isr) << (index * 8);
	chip->last_irr = 0;
	chip->irr &= chip->elcr;
	chip->isr = 0;
	chip->imr = 0;
	chip->priority_add = 0;
	chip->rotate_on_auto_eoi = 0;
	chip->special_mask = 0;
	chip->read_reg_select = 0;
	chip->poll = 0;
	chip->init4 = value & PIC_ICW1_ICW4;
	if (!chip->init4) {
		chip->special_fully_nested_mode = 0;
		chip->auto_eoi = 0;
	}
	chip->init_state = PIC_INIT_ICW2;
}

static inline void pic_write_ocw2(struct pic_pair *pair, unsigned int index, u8 value,
				  u16 *acked)
{
	struct kvm_pic_state *chip = &pair->chips[index];
	unsigned int rank = pic_rank(chip, pic_blocking(chip));
	unsigned int foremost = (rank + chip->priority_add) & 7;
	enum pic_ocw2 command = value >> 5;
	unsigned int pin = value & 7;

	switch (command) {
	case PIC_ROTATE_AEOI_CLEAR:
	case PIC_ROTATE_AEOI_SET:
		chip->rotate_on_auto_eoi = command == PIC_ROTATE_AEOI_SET;
		break;
	case PIC_EOI:
	case PIC_ROTATE_EOI:
		if (rank == 8)
			break;
		if (command == PIC_ROTATE_EOI)
			chip->priority_add = (foremost + 1) & 7;
		pic_end(pair, index, BIT(foremost), acked);
		break;
	case PIC_SPECIFIC_EOI:
		pic_end(pair, index, BIT(pin), acked);
		break;
	case PIC_ROTATE_SPECIFIC_EOI:
		pic_end(pair, index, BIT(pin), acked);
		chip->priority_add = (pin + 1) & 7;
		break;
	case PIC_SET_PRIORITY:
		chip->priority_add = (pin + 1) & 7;
		break;
	case PIC_NOTHING:
		break;
	}
}

static inline void pic_write_ocw3(struct kvm_pic_state *chip, u8 value)
{
	if (value & PIC_OCW3_POLL)
		chip->poll = 1;
	if (value & PIC_OCW3_READ)
		chip->read_reg_select = value & PIC_OCW3_READ_ISR;
	if (value & PIC_OCW3_MASK_MODE)
		chip->special_mask = !!(value & PIC_OCW3_SPECIAL_MASK);
}

/* The data port. ICW3 says where the slave is, which is wired. */
static inline void pic_write_data(struct kvm_pic_state *chip, u8 value)
{
	switch (chip->init_state) {
	case PIC_INIT_DONE:
		chip->imr = value;
		break;
	case PIC_INIT_ICW2:
		chip->irq_base = value & 0xf8;
		chip->init_state = PIC_INIT_ICW3;
		break;
	case PIC_INIT_ICW3:
		chip->init_state = chip->init4 ? PIC_INIT_ICW4 : PIC_INIT_DONE;
		break;
	case PIC_INIT_ICW4:
		chip->special_fully_nested_mode = !!(value & PIC_ICW4_SFNM);
		chip->auto_eoi = !!(value & PIC_ICW4_AUTO_EOI);
		chip->init_state = PIC_INIT_DONE;
		break;
	}
}

/**
 * pic_write() - write a chip's port
 * @pair: the controllers
 * @index: PIC_MASTER or PIC_SLAVE
 * @data_port: the odd port
 * @value: the byte
 * @acked: as for pic_acknowledge()
 */
static inline void pic_write(struct pic_pair *pair, unsigned int index, bool data_port, u8 value,
			     u16 *acked)
{
	struct kvm_pic_state *chip = &pair->chips[index];

	if (data_port)
		pic_write_data(chip, value);
	else if (value & PIC_ICW1)
		pic_write_icw1(pair, index, value, acked);
	else if (value & PIC_OCW3)
		pic_write_ocw3(chip, value);
	else
		pic_write_ocw2(pair, index, value, acked);
	pic_update(pair);
}

/**
 * pic_write_elcr() - choose which pins are level triggered
 * @pair: the controllers
 * @index: PIC_MASTER or PIC_SLAVE
 * @value: one bit for each pin
 *
 * A line that is up requests as soon as its level counts.
 */
static inline void pic_write_elcr(struct pic_pair *pair, unsigned int index, u8 value)
{
	struct kvm_pic_state *chip = &pair->chips[index];
	u8 before = chip->elcr;

	chip->elcr = value & chip->elcr_mask;
	chip->irr |= chip->elcr & ~before & chip->last_irr;
	pic_update(pair);
}

#endif
