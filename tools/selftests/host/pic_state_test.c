// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259 pair: behaviours of the data sheet one by one, then random operations
 * against a model of plain arrays that looks at pins one after the other.
 */
#include <string.h>

#include "../../../irq/pic_state.h"
#include "tap.h"

#define MASTER_BASE	0x30
#define SLAVE_BASE	0x40

static struct pic_pair pair;
static u16 acked;

static void command(unsigned int chip, u8 value)
{
	pic_write(&pair, chip, false, value, &acked);
}

static void data(unsigned int chip, u8 value)
{
	pic_write(&pair, chip, true, value, &acked);
}

static u8 read_reg(unsigned int chip, u8 select)
{
	command(chip, PIC_OCW3 | PIC_OCW3_READ | select);
	return pic_read(&pair, chip, false, &acked);
}

static u8 irr(unsigned int chip)
{
	return read_reg(chip, 0);
}

static u8 isr(unsigned int chip)
{
	return read_reg(chip, PIC_OCW3_READ_ISR);
}

static u8 inta(void)
{
	return pic_acknowledge(&pair, &acked);
}

static u16 take_acked(void)
{
	u16 pins = acked;

	acked = 0;
	return pins;
}

static void pulse(unsigned int pin)
{
	pic_set_pin(&pair, pin, true);
	pic_set_pin(&pair, pin, false);
}

/* As a PC's firmware does, with @icw4 for both; nothing is masked. */
static void setup_icw4(u8 icw4)
{
	pic_init(&pair);
	command(PIC_MASTER, PIC_ICW1 | PIC_ICW1_ICW4);
	data(PIC_MASTER, MASTER_BASE);
	data(PIC_MASTER, BIT(PIC_CASCADE));
	data(PIC_MASTER, icw4);
	command(PIC_SLAVE, PIC_ICW1 | PIC_ICW1_ICW4);
	data(PIC_SLAVE, SLAVE_BASE);
	data(PIC_SLAVE, PIC_CASCADE);
	data(PIC_SLAVE, icw4);
	acked = 0;
}

static void setup(void)
{
	setup_icw4(1);
}

static void power_on(void)
{
	pic_init(&pair);
	EXPECT(!pair.intr);
	EXPECT_EQ(pair.chips[PIC_MASTER].elcr_mask, 0xf8);
	EXPECT_EQ(pair.chips[PIC_SLAVE].elcr_mask, 0xde);
	EXPECT_EQ(irr(PIC_MASTER) | isr(PIC_MASTER) | irr(PIC_SLAVE) | isr(PIC_SLAVE), 0);
	EXPECT_EQ(pic_read(&pair, PIC_MASTER, true, &acked), 0);
}

static void edge(void)
{
	setup();
	EXPECT_EQ(pic_set_pin(&pair, 3, true), 1);
	EXPECT(pair.intr);
	EXPECT_EQ(irr(PIC_MASTER), BIT(3));
	EXPECT_EQ(inta(), MASTER_BASE + 3);
	EXPECT(!pair.intr);
	EXPECT_EQ(irr(PIC_MASTER), 0);
	EXPECT_EQ(isr(PIC_MASTER), BIT(3));
	/* Still up, driven again, ended: no edge, no request. */
	EXPECT_EQ(pic_set_pin(&pair, 3, true), 1);
	EXPECT_EQ(irr(PIC_MASTER), 0);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(take_acked(), BIT(3));
	EXPECT(!pair.intr);
	pic_set_pin(&pair, 3, false);
	EXPECT(!pair.intr);
	pic_set_pin(&pair, 3, true);
	EXPECT(pair.intr);
	/* A request stays when its line goes down. */
	pic_set_pin(&pair, 3, false);
	EXPECT(pair.intr);
}

static void merged(void)
{
	setup();
	EXPECT_EQ(pic_set_pin(&pair, 4, true), 1);
	EXPECT_EQ(pic_set_pin(&pair, 4, false), 1);
	EXPECT_EQ(pic_set_pin(&pair, 4, true), 0);
	data(PIC_MASTER, BIT(4));
	pic_set_pin(&pair, 4, false);
	EXPECT_EQ(pic_set_pin(&pair, 4, true), -1ull);
	EXPECT(!pair.intr);
	data(PIC_MASTER, 0);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 4);
	/* In service does not count as pending. */
	pic_set_pin(&pair, 4, false);
	EXPECT_EQ(pic_set_pin(&pair, 4, true), 1);
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT(pair.intr);
}

static void level(void)
{
	setup();
	pic_write_elcr(&pair, PIC_MASTER, BIT(5));
	EXPECT_EQ(pic_set_pin(&pair, 5, true), 1);
	EXPECT_EQ(pic_set_pin(&pair, 5, true), 0);
	EXPECT_EQ(inta(), MASTER_BASE + 5);
	EXPECT_EQ(irr(PIC_MASTER), BIT(5));
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 5);
	pic_set_pin(&pair, 5, false);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT(!pair.intr);
	/* Taken back before it was acknowledged. */
	pic_set_pin(&pair, 5, true);
	pic_set_pin(&pair, 5, false);
	EXPECT(!pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 7);
	EXPECT_EQ(isr(PIC_MASTER), 0);
}

static void elcr(void)
{
	setup();
	pic_write_elcr(&pair, PIC_MASTER, 0xff);
	pic_write_elcr(&pair, PIC_SLAVE, 0xff);
	EXPECT_EQ(pair.chips[PIC_MASTER].elcr, 0xf8);
	EXPECT_EQ(pair.chips[PIC_SLAVE].elcr, 0xde);
	/* A line that is up counts from now on; one that is down does not. */
	setup();
	pic_set_pin(&pair, 6, true);
	inta();
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT(!pair.intr);
	pic_write_elcr(&pair, PIC_MASTER, BIT(7) | BIT(6));
	EXPECT_EQ(irr(PIC_MASTER), BIT(6));
	EXPECT(pair.intr);
}

static void priorities(void)
{
	setup();
	pulse(6);
	pulse(1);
	pulse(4);
	EXPECT_EQ(inta(), MASTER_BASE + 1);
	EXPECT(!pair.intr);
	pulse(0);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 0);
	EXPECT_EQ(isr(PIC_MASTER), 3);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(isr(PIC_MASTER), 2);
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(inta(), MASTER_BASE + 4);
	EXPECT_EQ(take_acked(), 3);
}

static void spurious(void)
{
	setup();
	EXPECT_EQ(inta(), MASTER_BASE + 7);
	EXPECT_EQ(isr(PIC_MASTER), 0);
	pulse(8 + 3);
	data(PIC_SLAVE, BIT(3));
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), SLAVE_BASE + 7);
	EXPECT_EQ(isr(PIC_MASTER), BIT(2));
	EXPECT_EQ(isr(PIC_SLAVE), 0);
	EXPECT_EQ(take_acked(), 0);
	/* The request has only been put off. */
	command(PIC_MASTER, PIC_EOI << 5);
	data(PIC_SLAVE, 0);
	EXPECT_EQ(inta(), SLAVE_BASE + 3);
}

static void cascade(void)
{
	setup();
	EXPECT_EQ(pic_set_pin(&pair, 8 + 4, true), 1);
	EXPECT_EQ(irr(PIC_MASTER), BIT(2));
	EXPECT_EQ(irr(PIC_SLAVE), BIT(4));
	pulse(3);
	EXPECT_EQ(inta(), SLAVE_BASE + 4);
	EXPECT_EQ(isr(PIC_MASTER), BIT(2));
	EXPECT_EQ(isr(PIC_SLAVE), BIT(4));
	EXPECT(!pair.intr);
	/* A higher one of the slave waits for the master's EOI. */
	pulse(8 + 1);
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_SPECIFIC_EOI << 5 | 2);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), SLAVE_BASE + 1);
	command(PIC_SLAVE, PIC_EOI << 5);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(isr(PIC_SLAVE), BIT(4));
	EXPECT_EQ(inta(), MASTER_BASE + 3);
	command(PIC_SLAVE, PIC_EOI << 5);
	EXPECT_EQ(take_acked(), BIT(2) | BIT(9) | BIT(12));
	/* The slave is masked as a whole. */
	setup();
	data(PIC_MASTER, BIT(2));
	EXPECT_EQ(pic_set_pin(&pair, 8 + 4, true), 1);
	EXPECT(!pair.intr);
}

static void special_fully_nested(void)
{
	setup_icw4(PIC_ICW4_SFNM | 1);
	EXPECT_EQ(pair.chips[PIC_MASTER].special_fully_nested_mode, 1);
	pulse(8 + 4);
	inta();
	pulse(8 + 6);
	EXPECT(!pair.intr);
	pulse(8 + 1);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), SLAVE_BASE + 1);
	/* What is behind the slave stays there. */
	pulse(3);
	EXPECT(!pair.intr);
	pulse(1);
	EXPECT_EQ(inta(), MASTER_BASE + 1);
	pulse(8 + 0);
	EXPECT(!pair.intr);
}

static void auto_eoi(void)
{
	setup_icw4(PIC_ICW4_AUTO_EOI | 1);
	pulse(5);
	pulse(8 + 2);
	EXPECT_EQ(inta(), SLAVE_BASE + 2);
	EXPECT_EQ(take_acked(), BIT(2) | BIT(10));
	EXPECT_EQ(isr(PIC_MASTER) | isr(PIC_SLAVE), 0);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 5);
	EXPECT_EQ(take_acked(), BIT(5));
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 0);
	EXPECT_EQ(inta(), MASTER_BASE + 7);
	EXPECT_EQ(take_acked(), 0);
	/* Rotating: whoever was served is last. */
	command(PIC_MASTER, PIC_ROTATE_AEOI_SET << 5);
	pulse(5);
	inta();
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 6);
	pulse(5);
	pulse(6);
	EXPECT_EQ(inta(), MASTER_BASE + 6);
	command(PIC_MASTER, PIC_ROTATE_AEOI_CLEAR << 5);
	EXPECT_EQ(inta(), MASTER_BASE + 5);
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 7);
}

static void eoi(void)
{
	setup();
	command(PIC_MASTER, PIC_EOI << 5);
	command(PIC_MASTER, PIC_SPECIFIC_EOI << 5 | 4);
	EXPECT_EQ(take_acked(), 0);
	pulse(4);
	inta();
	pulse(1);
	inta();
	command(PIC_MASTER, PIC_SPECIFIC_EOI << 5 | 3);
	EXPECT_EQ(take_acked(), 0);
	command(PIC_MASTER, PIC_SPECIFIC_EOI << 5 | 4);
	EXPECT_EQ(take_acked(), BIT(4));
	EXPECT_EQ(isr(PIC_MASTER), BIT(1));
	command(PIC_MASTER, PIC_NOTHING << 5 | 1);
	EXPECT_EQ(isr(PIC_MASTER), BIT(1));
	command(PIC_SLAVE, PIC_EOI << 5);
	EXPECT_EQ(isr(PIC_MASTER), BIT(1));
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(isr(PIC_MASTER), 0);
}

static void rotation(void)
{
	setup();
	pulse(2 + 2);
	inta();
	command(PIC_MASTER, PIC_ROTATE_EOI << 5);
	EXPECT_EQ(take_acked(), BIT(4));
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 5);
	command(PIC_MASTER, PIC_ROTATE_EOI << 5);
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 5);
	pulse(0);
	pulse(7);
	pulse(4);
	EXPECT_EQ(inta(), MASTER_BASE + 7);
	command(PIC_MASTER, PIC_SET_PRIORITY << 5 | 3);
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 4);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 4);
	EXPECT_EQ(isr(PIC_MASTER), BIT(7) | BIT(4));
	command(PIC_MASTER, PIC_ROTATE_SPECIFIC_EOI << 5 | 7);
	EXPECT_EQ(take_acked(), BIT(7));
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 0);
	EXPECT(pair.intr);
	/* Rotates also where there is nothing to end. */
	command(PIC_MASTER, PIC_ROTATE_SPECIFIC_EOI << 5 | 2);
	EXPECT_EQ(take_acked(), 0);
	EXPECT_EQ(pair.chips[PIC_MASTER].priority_add, 3);
}

static void special_mask(void)
{
	setup();
	pulse(1);
	inta();
	pulse(5);
	data(PIC_MASTER, BIT(1));
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_OCW3 | PIC_OCW3_SPECIAL_MASK);
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_OCW3 | PIC_OCW3_MASK_MODE | PIC_OCW3_SPECIAL_MASK);
	EXPECT(pair.intr);
	EXPECT_EQ(inta(), MASTER_BASE + 5);
	pulse(6);
	EXPECT(!pair.intr);
	/* The non-specific EOI is not for what is masked. */
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(take_acked(), BIT(5));
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(take_acked(), 0);
	command(PIC_MASTER, PIC_OCW3 | PIC_OCW3_MASK_MODE);
	EXPECT(!pair.intr);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(take_acked(), BIT(1));
	EXPECT(pair.intr);
}

static void poll(void)
{
	setup();
	command(PIC_MASTER, PIC_OCW3 | PIC_OCW3_POLL);
	EXPECT_EQ(pic_read(&pair, PIC_MASTER, false, &acked), 7);
	pulse(3);
	EXPECT_EQ(pic_read(&pair, PIC_MASTER, false, &acked), BIT(3));
	command(PIC_MASTER, PIC_OCW3 | PIC_OCW3_POLL);
	EXPECT_EQ(pic_read(&pair, PIC_MASTER, true, &acked), 0x83);
	EXPECT(!pair.intr);
	EXPECT_EQ(isr(PIC_MASTER), BIT(3));
	EXPECT_EQ(take_acked(), 0);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT_EQ(take_acked(), BIT(3));
	/* The slave's, as the master sees it and directly. */
	pulse(8 + 6);
	command(PIC_MASTER, PIC_OCW3 | PIC_OCW3_POLL);
	EXPECT_EQ(pic_read(&pair, PIC_MASTER, false, &acked), 0x82);
	EXPECT_EQ(irr(PIC_SLAVE), BIT(6));
	command(PIC_SLAVE, PIC_OCW3 | PIC_OCW3_POLL);
	EXPECT_EQ(pic_read(&pair, PIC_SLAVE, false, &acked), 0x86);
	command(PIC_MASTER, PIC_EOI << 5);
	EXPECT(!pair.intr);
	command(PIC_SLAVE, PIC_EOI << 5);
	pulse(8 + 6);
	EXPECT(pair.intr);
	command(PIC_SLAVE, PIC_OCW3 | PIC_OCW3_POLL);
	EXPECT_EQ(pic_read(&pair, PIC_SLAVE, false, &acked), 0x86);
	EXPECT(!pair.intr);
}

static void initialization(void)
{
	struct kvm_pic_state *chip = &pair.chips[PIC_MASTER];

	setup_icw4(PIC_ICW4_SFNM | PIC_ICW4_AUTO_EOI | 1);
	EXPECT_EQ(chip->auto_eoi, 1);
	command(PIC_MASTER, PIC_ICW1 | PIC_ICW1_ICW4);
	EXPECT_EQ(chip->init_state, 1);
	data(PIC_MASTER, 0x77);
	EXPECT_EQ(chip->irq_base, 0x70);
	EXPECT_EQ(chip->init_state, 2);
	data(PIC_MASTER, 4);
	EXPECT_EQ(chip->init_state, 3);
	/* Kept until ICW4 says otherwise. */
	EXPECT_EQ(chip->auto_eoi, 1);
	data(PIC_MASTER, 1);
	EXPECT_EQ(chip->init_state, 0);
	EXPECT_EQ(chip->auto_eoi | chip->special_fully_nested_mode, 0);
	data(PIC_MASTER, 0xab);
	EXPECT_EQ(chip->imr, 0xab);
	EXPECT_EQ(chip->irq_base, 0x70);
	/* Without ICW4. */
	setup_icw4(PIC_ICW4_SFNM | PIC_ICW4_AUTO_EOI | 1);
	command(PIC_MASTER, PIC_ICW1);
	EXPECT_EQ(chip->auto_eoi | chip->special_fully_nested_mode, 0);
	data(PIC_MASTER, 0x20);
	data(PIC_MASTER, 4);
	EXPECT_EQ(chip->init_state, 0);
}

static void icw1_drops(void)
{
	struct kvm_pic_state *chip = &pair.chips[PIC_SLAVE];

	setup();
	pic_write_elcr(&pair, PIC_SLAVE, BIT(1));
	data(PIC_SLAVE, BIT(2));
	command(PIC_SLAVE, PIC_SET_PRIORITY << 5 | 2);
	command(PIC_SLAVE, PIC_ROTATE_AEOI_SET << 5);
	command(PIC_SLAVE, PIC_OCW3 | PIC_OCW3_MASK_MODE | PIC_OCW3_SPECIAL_MASK | PIC_OCW3_POLL |
		PIC_OCW3_READ | PIC_OCW3_READ_ISR);
	pulse(8 + 3);
	inta();
	pic_set_pin(&pair, 8 + 6, true);
	pic_set_pin(&pair, 8 + 1, true);
	EXPECT_EQ(take_acked(), 0);
	command(PIC_SLAVE, PIC_ICW1 | PIC_ICW1_ICW4);
	EXPECT_EQ(take_acked(), BIT(8 + 3) | BIT(8 + 6));
	EXPECT_EQ(chip->irr, BIT(1));
	EXPECT_EQ(chip->isr | chip->imr | chip->last_irr | chip->priority_add | chip->special_mask |
		  chip->read_reg_select | chip->poll | chip->rotate_on_auto_eoi, 0);
	EXPECT_EQ(chip->elcr, BIT(1));
	EXPECT_EQ(isr(PIC_MASTER), BIT(2));
}

static void garbage_init_state(void)
{
	setup();
	pair.chips[PIC_MASTER].init_state = 9;
	data(PIC_MASTER, 0x55);
	EXPECT_EQ(pair.chips[PIC_MASTER].init_state, 9);
	EXPECT_EQ(pair.chips[PIC_MASTER].imr, 0);
	pair.chips[PIC_MASTER].irq_base = 0xff;
	pulse(4);
	EXPECT_EQ(inta(), 3);
}

/* The model: a chip is eight pins in the order of their priority. */
struct model_pin {
	bool was_high, request, service, masked, level, can_be_level;
};

struct model_chip {
	struct model_pin pins[8];
	u8 order[8];
	u8 base, select, poll, smm, init, init4, aeoi, rotate_aeoi, sfnm;
};

static struct model_chip model[2];
static u16 model_acked;

static void model_order(struct model_chip *chip, unsigned int last)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		chip->order[i] = (last + 1 + i) % 8;
}

static void model_power_on(void)
{
	unsigned int c, i;

	memset(model, 0, sizeof(model));
	for (c = 0; c < 2; c++) {
		model_order(&model[c], 7);
		for (i = 0; i < 8; i++)
			model[c].pins[i].can_be_level = c ? i != 0 && i != 5 : i > 2;
	}
}

static int model_asks(unsigned int c)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		unsigned int n = model[c].order[i];
		const struct model_pin *pin = &model[c].pins[n];
		bool asks = pin->request && !pin->masked;

		if (pin->service && !(model[c].smm && pin->masked))
			return asks && !c && n == 2 && model[c].sfnm ? 2 : -1;
		if (asks)
			return n;
	}
	return -1;
}

static bool model_settle(void)
{
	if (model_asks(1) != -1)
		model[0].pins[2].request = true;
	return model_asks(0) != -1;
}

static void model_end(unsigned int c, unsigned int n)
{
	if (model[c].pins[n].service)
		model_acked |= 1 << (8 * c + n);
	model[c].pins[n].service = false;
}

static void model_accept(unsigned int c, unsigned int n)
{
	model[c].pins[n].service = true;
	if (!model[c].pins[n].level)
		model[c].pins[n].request = false;
	if (model[c].aeoi) {
		model_end(c, n);
		if (model[c].rotate_aeoi)
			model_order(&model[c], n);
	}
}

static u8 model_inta(void)
{
	int n = model_asks(0), s;

	if (n == -1)
		return model[0].base + 7;
	model_accept(0, n);
	if (n != 2)
		return model[0].base + n;
	s = model_asks(1);
	if (s == -1)
		return model[1].base + 7;
	model_accept(1, s);
	return model[1].base + s;
}

static int model_set(unsigned int n, bool high)
{
	struct model_pin *pin = &model[n / 8].pins[n % 8];
	bool merges = false;

	if (pin->level) {
		merges = high && pin->request;
		pin->request = high;
	} else if (high && !pin->was_high) {
		merges = pin->request;
		pin->request = true;
	}
	pin->was_high = high;
	return pin->masked ? -1 : !merges;
}

static u8 model_bits(unsigned int c, size_t offset)
{
	unsigned int i;
	u8 bits = 0;

	for (i = 0; i < 8; i++)
		bits |= *((bool *)&model[c].pins[i] + offset) << i;
	return bits;
}

#define MODEL_BITS(c, member) model_bits(c, offsetof(struct model_pin, member))

static u8 model_read(unsigned int c, bool odd)
{
	int n;

	if (model[c].poll) {
		model[c].poll = 0;
		n = model_asks(c);
		if (n == -1)
			return 7;
		model_accept(c, n);
		if (c)
			model[0].pins[2].request = false;
		return 0x80 + n;
	}
	if (odd)
		return MODEL_BITS(c, masked);
	return model[c].select ? MODEL_BITS(c, service) : MODEL_BITS(c, request);
}

static void model_icw1(unsigned int c, bool icw4)
{
	struct model_chip *chip = &model[c];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct model_pin *pin = &chip->pins[i];

		if (pin->service || (pin->request && !pin->level))
			model_acked |= 1 << (8 * c + i);
		*pin = (struct model_pin){
			.request = pin->request && pin->level,
			.level = pin->level,
			.can_be_level = pin->can_be_level,
		};
	}
	model_order(chip, 7);
	chip->select = 0;
	chip->poll = 0;
	chip->smm = 0;
	chip->rotate_aeoi = 0;
	chip->init4 = icw4;
	if (!icw4) {
		chip->sfnm = 0;
		chip->aeoi = 0;
	}
	chip->init = 1;
}

/* The pin that a non-specific EOI is for, or -1. */
static int model_foremost(const struct model_chip *chip)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		const struct model_pin *pin = &chip->pins[chip->order[i]];

		if (pin->service && !(chip->smm && pin->masked))
			return chip->order[i];
	}
	return -1;
}

static void model_ocw2(unsigned int c, u8 value)
{
	bool rotate = value & 0x80, specific = value & 0x40, end = value & 0x20;
	int n = specific ? value % 8 : model_foremost(&model[c]);

	if (!end && !specific) {
		model[c].rotate_aeoi = rotate;
		return;
	}
	if (n == -1)
		return;
	if (end)
		model_end(c, n);
	if (rotate)
		model_order(&model[c], n);
}

static void model_write(unsigned int c, bool odd, u8 value)
{
	struct model_chip *chip = &model[c];
	unsigned int i;

	if (!odd && (value & 0x10)) {
		model_icw1(c, value & 1);
	} else if (!odd && (value & 8)) {
		chip->poll |= !!(value & 4);
		if (value & 2)
			chip->select = value & 1;
		if (value & 0x40)
			chip->smm = value >> 5 & 1;
	} else if (!odd) {
		model_ocw2(c, value);
	} else if (chip->init == 0) {
		for (i = 0; i < 8; i++)
			chip->pins[i].masked = value >> i & 1;
	} else if (chip->init == 1) {
		chip->base = value / 8 * 8;
		chip->init = 2;
	} else if (chip->init == 2) {
		chip->init = chip->init4 ? 3 : 0;
	} else {
		chip->sfnm = value >> 4 & 1;
		chip->aeoi = value >> 1 & 1;
		chip->init = 0;
	}
}

static void model_elcr(unsigned int c, u8 value)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct model_pin *pin = &model[c].pins[i];
		bool before = pin->level;

		pin->level = pin->can_be_level && (value >> i & 1);
		if (pin->level && !before && pin->was_high)
			pin->request = true;
	}
}

static struct kvm_pic_state model_state(unsigned int c)
{
	const struct model_chip *chip = &model[c];

	return (struct kvm_pic_state){
		.last_irr = MODEL_BITS(c, was_high),
		.irr = MODEL_BITS(c, request),
		.imr = MODEL_BITS(c, masked),
		.isr = MODEL_BITS(c, service),
		.priority_add = chip->order[0],
		.irq_base = chip->base,
		.read_reg_select = chip->select,
		.poll = chip->poll,
		.special_mask = chip->smm,
		.init_state = chip->init,
		.auto_eoi = chip->aeoi,
		.rotate_on_auto_eoi = chip->rotate_aeoi,
		.special_fully_nested_mode = chip->sfnm,
		.init4 = chip->init4,
		.elcr = MODEL_BITS(c, level),
		.elcr_mask = MODEL_BITS(c, can_be_level),
	};
}

static u64 seed;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

/* A command byte; initialization is rare, or nothing else would come to happen. */
static u8 random_command(void)
{
	switch (rnd(40)) {
	case 0:
		return PIC_ICW1 | rnd(16);
	case 1 ... 8:
		return PIC_OCW3 | rnd(8) | rnd(4) << 5;
	default:
		return rnd(8) << 5 | rnd(8);
	}
}

/* Does the same to both; true if they answered alike. */
static bool random_step(void)
{
	unsigned int c = rnd(2), n = rnd(16);
	bool odd = rnd(2);
	u8 value;

	switch (rnd(16)) {
	case 0 ... 5:
		return pic_set_pin(&pair, n, odd) == model_set(n, odd);
	case 6 ... 8:
		return pic_acknowledge(&pair, &acked) == model_inta();
	case 9 ... 11:
		value = random_command();
		pic_write(&pair, c, false, value, &acked);
		model_write(c, false, value);
		return true;
	case 12:
		value = rnd(256) & rnd(256);
		pic_write(&pair, c, true, value, &acked);
		model_write(c, true, value);
		return true;
	case 13:
		value = rnd(256);
		pic_write_elcr(&pair, c, value);
		model_elcr(c, value);
		return true;
	default:
		return pic_read(&pair, c, odd, &acked) == model_read(c, odd);
	}
}

/* One sequence; what user space would have saved and restored is all that stays. */
static bool random_sequence(void)
{
	unsigned int step, c;

	pic_init(&pair);
	model_power_on();
	acked = 0;
	model_acked = 0;
	for (step = 0; step < 40; step++) {
		struct pic_pair restored = { };
		bool alike = random_step();
		bool intr = model_settle();

		for (c = 0; c < 2; c++) {
			struct kvm_pic_state expected = model_state(c);

			if (memcmp(&pair.chips[c], &expected, sizeof(expected)))
				alike = false;
			restored.chips[c] = pair.chips[c];
		}
		pic_update(&restored);
		if (!alike || pair.intr != intr || acked != model_acked ||
		    memcmp(&restored, &pair, sizeof(pair))) {
			printf("# step %u: INTR %u for %u, acked %x for %x\n", step, pair.intr,
			       intr, acked, model_acked);
			return false;
		}
		pair = restored;
	}
	return true;
}

static void fuzz(void)
{
	unsigned int i;

	for (i = 0; i < 250000; i++) {
		seed = i;
		if (!random_sequence()) {
			printf("# sequence %u\n", i);
			EXPECT(false);
			return;
		}
	}
}

/* Whatever user space sets: vectors stay within the chip's eight. */
static void fuzz_garbage(void)
{
	unsigned int i, k;

	seed = 42;
	for (i = 0; i < 50000; i++) {
		u8 *bytes = (u8 *)pair.chips;

		for (k = 0; k < sizeof(pair.chips); k++)
			bytes[k] = rnd(256);
		pic_update(&pair);
		for (k = 0; k < 8; k++) {
			u8 vector = pic_acknowledge(&pair, &acked);

			EXPECT((u8)(vector - pair.chips[0].irq_base) < 8 ||
			       (u8)(vector - pair.chips[1].irq_base) < 8);
			random_step();
		}
	}
}

static const struct {
	const char *name;
	void (*fn)(void);
} rows[] = {
	{ "after power-on nothing asks", power_on },
	{ "an edge requests once and stays", edge },
	{ "pending, masked and delivered are told apart", merged },
	{ "a level requests for as long as it is there", level },
	{ "ELCR: which pins, and lines that are up", elcr },
	{ "fully nested priorities", priorities },
	{ "spurious interrupts of both chips", spurious },
	{ "the slave at pin 2", cascade },
	{ "special fully nested mode", special_fully_nested },
	{ "automatic EOI, with and without rotation", auto_eoi },
	{ "EOIs, also those for nothing", eoi },
	{ "rotation", rotation },
	{ "special mask mode", special_mask },
	{ "polling", poll },
	{ "ICW1 to ICW4", initialization },
	{ "ICW1 drops edges and service", icw1_drops },
	{ "an init state that no guest reaches", garbage_init_state },
	{ "random operations against the model", fuzz },
	{ "random states", fuzz_garbage },
};

int main(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].fn();
		tap_row(rows[i].name);
	}
	return tap_end();
}
