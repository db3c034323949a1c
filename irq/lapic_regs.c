// SPDX-License-Identifier: GPL-2.0-only
/* A local APIC's registers: a row for each, reached as MMIO or as x2APIC MSRs. */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "guest.h"
#include "lapic.h"
#include "vm.h"
#include "x86_ops.h"

#define X2APIC_MSR_FIRST	0x800
#define X2APIC_MSR_ICR		(X2APIC_MSR_FIRST + LAPIC_ICR)

/* Bits that can be written, in each mode; LVT entries' are in lapic_lvt_mask(). */
#define TPR_BITS	0xffu
#define SPIV_BITS	0x3ffu
#define DFR_BITS	0xf0000000u
#define ICR_BUSY	BIT(12)
#define X2APIC_ICR_RESERVED	(GENMASK_ULL(31, 20) | GENMASK_ULL(17, 16) | BIT_ULL(13))
#define TDCR_BITS	0xbu

/**
 * enum reg_flag - how a register is reached
 * @REG_READ: it can be read
 * @REG_XAPIC_ONLY: there is none in x2APIC mode
 * @REG_X2APIC_ONLY: nor in xAPIC mode
 * @REG_X2APIC_READ_ONLY: an x2APIC's cannot be written
 * @REG_ZERO_ONLY: an x2APIC's takes a zero only
 * @REG_SLEEPS: a write changes what destinations mean, which ring 1 works out
 */
enum reg_flag {
	REG_READ = BIT(0),
	REG_XAPIC_ONLY = BIT(1),
	REG_X2APIC_ONLY = BIT(2),
	REG_X2APIC_READ_ONLY = BIT(3),
	REG_ZERO_ONLY = BIT(4),
	REG_SLEEPS = BIT(5),
};

/**
 * struct reg_row - a register
 * @flags: enum reg_flag
 * @bits: that can be written; others are dropped in xAPIC mode and a fault in x2APIC mode
 * @read: NULL for the stored value
 * @write: NULL for a register that cannot be written; @value has no other bits than @bits
 */
struct reg_row {
	u8 flags;
	u32 bits;
	u32 (*read)(struct ksvm_lapic *apic);
	void (*write)(struct ksvm_lapic *apic, unsigned int reg, u32 value);
};

/* What it would say to others in an arbitration. */
static u32 read_apr(struct ksvm_lapic *apic)
{
	u32 tpr = lapic_get(apic, LAPIC_TPR);
	int in_service = max(lapic_highest(apic->regs.isr), 0) >> 4;
	int requested = max(lapic_highest(apic->regs.irr), 0) >> 4;

	if ((int)(tpr >> 4) >= requested && (int)(tpr >> 4) > in_service)
		return tpr;
	return max3((int)(tpr >> 4), in_service, requested) << 4;
}

static u32 read_ppr(struct ksvm_lapic *apic)
{
	return lapic_current_ppr(apic);
}

static void write_stored(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	lapic_put(apic, reg, value);
}

static void write_id(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	lapic_put(apic, reg, value);
	dest_map_update(apic->vcpu->vm);
}

static void write_dfr(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	/* The bits below the model are always set. */
	write_id(apic, reg, value | ~DFR_BITS);
}

/* CR8 is its upper half; what waited for it to go down can be taken now. */
static void write_tpr(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	struct ksvm_vcpu *vcpu = apic->vcpu;

	lapic_put(apic, reg, value);
	static_call(ksvm_x86_set_cr8)(vcpu, value >> 4);
	if ((value & 0xf) || lapic_highest(apic->regs.irr) >= 0)
		vcpu->x86.events.work = true;
}

static void write_eoi(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	lapic_eoi(apic);
}

static void write_spiv(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	unsigned int lvt;

	lapic_put(apic, reg, value);
	if (!(value & SPIV_ENABLED)) {
		for (lvt = LAPIC_LVTT; lvt <= LAPIC_LVTERR; lvt++)
			lapic_put(apic, lvt, lapic_get(apic, lvt) | LVT_MASKED);
	}
	apic->vcpu->x86.events.work = true;
}

/* A write shows the errors since the last one. */
static void write_esr(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	lapic_put(apic, reg, xchg(&apic->errors, 0));
}

static void write_icr(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	u32 high = lapic_get(apic, LAPIC_ICR2);

	value &= ~ICR_BUSY;
	lapic_put(apic, reg, value);
	lapic_send_ipi(apic, value, lapic_is_x2apic(apic) ? high : high >> 24);
}

static void write_self_ipi(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	lapic_send_ipi(apic, APIC_DEST_SELF | APIC_DM_FIXED | value, 0);
}

/* As long as the APIC is disabled by software, its entries are masked. */
static void write_lvt(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	if (!lapic_sw_enabled(apic))
		value |= LVT_MASKED;
	lapic_put(apic, reg, value);
	/* LINT0 may let the 8259 through now. */
	if (reg == LAPIC_LVT0)
		apic->vcpu->x86.events.work = true;
}

/* A change of the mode stops the timer, and a deadline has no count. */
static void write_lvtt(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	u32 old = lapic_get(apic, reg);

	/* A shot that is over, but for the host's being late, is by the old entry. */
	lapic_timer_settle(apic);
	write_lvt(apic, reg, value);
	if (!((old ^ value) & LVT_TIMER_MODE))
		return;
	if ((old ^ value) & LVT_TIMER_DEADLINE) {
		lapic_put(apic, LAPIC_TMICT, 0);
		lapic_timer_cancel(apic);
	} else {
		lapic_timer_resume(apic, lapic_timer_count(apic));
	}
}

static bool deadline_mode(const struct ksvm_lapic *apic)
{
	return lapic_get(apic, LAPIC_LVTT) & LVT_TIMER_DEADLINE;
}

static void write_tmict(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	if (deadline_mode(apic))
		return;
	lapic_put(apic, reg, value);
	lapic_timer_start(apic);
}

static void write_tdcr(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	lapic_timer_set_divider(apic, value & TDCR_BITS);
}

#define READ_ONLY	{ .flags = REG_READ }
#define READ_ONLY_8	READ_ONLY, READ_ONLY, READ_ONLY, READ_ONLY, \
			READ_ONLY, READ_ONLY, READ_ONLY, READ_ONLY
#define LVT(fn)		{ .flags = REG_READ, .write = fn }

/* A register without flags and without @write does not exist. */
static const struct reg_row rows[LAPIC_REGS] = {
	[LAPIC_ID] = { REG_READ | REG_X2APIC_READ_ONLY | REG_SLEEPS, 0xff000000,
		       .write = write_id },
	[LAPIC_VERSION] = READ_ONLY,
	[LAPIC_TPR] = { REG_READ, TPR_BITS, .write = write_tpr },
	[LAPIC_APR] = { REG_READ | REG_XAPIC_ONLY, .read = read_apr },
	[LAPIC_PPR] = { REG_READ, .read = read_ppr },
	[LAPIC_EOI] = { REG_ZERO_ONLY, ~0u, .write = write_eoi },
	[LAPIC_LDR] = { REG_READ | REG_X2APIC_READ_ONLY | REG_SLEEPS, 0xff000000,
			.write = write_id },
	[LAPIC_DFR] = { REG_READ | REG_XAPIC_ONLY | REG_SLEEPS, 0xf0000000,
			.write = write_dfr },
	[LAPIC_SPIV] = { REG_READ, SPIV_BITS, .write = write_spiv },
	[LAPIC_ISR] = READ_ONLY_8,
	[LAPIC_TMR] = READ_ONLY_8,
	[LAPIC_IRR] = READ_ONLY_8,
	[LAPIC_ESR] = { REG_READ | REG_ZERO_ONLY, ~0u, .write = write_esr },
	[LAPIC_ICR] = { REG_READ, ~0u, .write = write_icr },
	[LAPIC_ICR2] = { REG_READ | REG_XAPIC_ONLY, 0xff000000, .write = write_stored },
	[LAPIC_LVTT] = LVT(write_lvtt),
	[LAPIC_LVTTHMR] = LVT(write_lvt),
	[LAPIC_LVTPC] = LVT(write_lvt),
	[LAPIC_LVT0] = LVT(write_lvt),
	[LAPIC_LVT1] = LVT(write_lvt),
	[LAPIC_LVTERR] = LVT(write_lvt),
	[LAPIC_TMICT] = { REG_READ, ~0u, .write = write_tmict },
	[LAPIC_TMCCT] = { REG_READ, .read = lapic_timer_count },
	/* As by KVM, reserved bits are dropped in either mode. */
	[LAPIC_TDCR] = { REG_READ, ~0u, .write = write_tdcr },
	[LAPIC_SELF_IPI] = { REG_X2APIC_ONLY, LVT_VECTOR, .write = write_self_ipi },
};

/**
 * lapic_lvt_mask() - bits of a local vector table entry that can be written
 * @apic: the APIC
 * @reg: LAPIC_LVT*
 */
u32 lapic_lvt_mask(const struct ksvm_lapic *apic, unsigned int reg)
{
	const u32 common = LVT_VECTOR | LVT_MASKED;

	switch (reg) {
	case LAPIC_LVTT:
		if (ksvm_guest_has(apic->vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
			return common | LVT_TIMER_MODE;
		return common | LVT_TIMER_PERIODIC;
	case LAPIC_LVTERR:
		return common;
	case LAPIC_LVT0:
	case LAPIC_LVT1:
		return common | APIC_MODE_MASK | APIC_INPUT_POLARITY | APIC_LVT_LEVEL_TRIGGER;
	default:
		return common | APIC_MODE_MASK;
	}
}

/* Of an entry: read-only, and written with it. */
#define LVT_READ_ONLY	(APIC_SEND_PENDING | APIC_LVT_REMOTE_IRR)

static bool is_lvt(unsigned int reg)
{
	return reg >= LAPIC_LVTT && reg <= LAPIC_LVTERR;
}

static u32 writable_bits(const struct ksvm_lapic *apic, unsigned int reg)
{
	if (is_lvt(reg))
		return lapic_lvt_mask(apic, reg);
	if (reg == LAPIC_SPIV && (lapic_get(apic, LAPIC_VERSION) & VERSION_SUPPRESS_EOI))
		return SPIV_BITS | SPIV_SUPPRESS_EOI;
	return rows[reg].bits;
}

static bool exists(const struct ksvm_lapic *apic, const struct reg_row *row)
{
	if (!row->flags && !row->write)
		return false;
	return !(row->flags & (lapic_is_x2apic(apic) ? REG_XAPIC_ONLY : REG_X2APIC_ONLY));
}

static int read_reg(struct ksvm_lapic *apic, unsigned int reg, u32 *value)
{
	const struct reg_row *row = &rows[reg];

	if (!exists(apic, row) || !(row->flags & REG_READ))
		return -EINVAL;
	*value = row->read ? row->read(apic) : lapic_get(apic, reg);
	return 0;
}

/* 0; -EINVAL where an x2APIC faults; -EAGAIN where ring 1 has to do it. */
static int write_reg(struct ksvm_lapic *apic, unsigned int reg, u32 value)
{
	const struct reg_row *row = &rows[reg];
	u32 bits = writable_bits(apic, reg);

	if (!exists(apic, row) || !row->write)
		return -EINVAL;
	if (lapic_is_x2apic(apic)) {
		if ((row->flags & REG_X2APIC_READ_ONLY) ||
		    ((row->flags & REG_ZERO_ONLY) && value) ||
		    (value & ~(is_lvt(reg) ? bits | LVT_READ_ONLY : bits)))
			return -EINVAL;
	}
	if ((row->flags & REG_SLEEPS) && apic->vcpu->ring == RING_INNER)
		return -EAGAIN;
	row->write(apic, reg, value & bits);
	return 0;
}

static int get_x2apic_msr(struct ksvm_lapic *apic, u32 index, u64 *value)
{
	unsigned int reg = index - X2APIC_MSR_FIRST;
	u32 low;
	int error;

	if (!lapic_is_x2apic(apic) || reg >= LAPIC_REGS)
		return -EINVAL;
	error = read_reg(apic, reg, &low);
	if (error)
		return error;
	*value = low;
	if (reg == LAPIC_ICR)
		*value |= (u64)lapic_get(apic, LAPIC_ICR2) << 32;
	return 0;
}

static int set_x2apic_msr(struct ksvm_lapic *apic, u32 index, u64 value)
{
	unsigned int reg = index - X2APIC_MSR_FIRST;

	if (!lapic_is_x2apic(apic) || reg >= LAPIC_REGS)
		return -EINVAL;
	if (reg == LAPIC_ICR) {
		if (value & X2APIC_ICR_RESERVED)
			return -EINVAL;
		lapic_put(apic, LAPIC_ICR2, value >> 32);
	} else if (value >> 32) {
		return -EINVAL;
	}
	return write_reg(apic, reg, value);
}

/**
 * lapic_get_msr() - read TSC_DEADLINE or an x2APIC register
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 * @index: MSR number
 * @value: filled
 * @host: user space asks
 *
 * Return: 0; -EINVAL for #GP.
 */
int lapic_get_msr(struct ksvm_vcpu *vcpu, u32 index, u64 *value, bool host)
{
	struct ksvm_lapic *apic = vcpu->apic;

	if (index != MSR_IA32_TSC_DEADLINE)
		return get_x2apic_msr(apic, index, value);
	if (!host && !ksvm_guest_has(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
		return -EINVAL;
	*value = deadline_mode(apic) ? lapic_timer_deadline(apic) : 0;
	return 0;
}

/**
 * lapic_set_msr() - write TSC_DEADLINE or an x2APIC register
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 * @index: MSR number
 * @value: the value; a deadline is dropped while the timer is in another mode
 * @host: user space asks
 *
 * Return: 0; -EINVAL for #GP; -EAGAIN in ring 2 for what ring 1 has to do, and nothing
 * has changed.
 */
int lapic_set_msr(struct ksvm_vcpu *vcpu, u32 index, u64 value, bool host)
{
	struct ksvm_lapic *apic = vcpu->apic;

	if (index != MSR_IA32_TSC_DEADLINE)
		return set_x2apic_msr(apic, index, value);
	if (!host && !ksvm_guest_has(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
		return -EINVAL;
	if (deadline_mode(apic))
		lapic_timer_set_deadline(apic, value);
	return 0;
}

static bool in_page(const struct ksvm_lapic *apic, u64 gpa)
{
	return gpa - (apic->base & ~(u64)(LAPIC_PAGE_SIZE - 1)) < LAPIC_PAGE_SIZE;
}

/**
 * lapic_mmio_read() - the guest reads in the APIC's page
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 * @gpa: where
 * @bytes: how much
 * @data: filled; ones where the page is not in use, as nothing answers there
 *
 * Return: 0; -EOPNOTSUPP outside of the page.
 */
int lapic_mmio_read(struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, void *data)
{
	struct ksvm_lapic *apic = vcpu->apic;
	unsigned int offset = gpa & (LAPIC_PAGE_SIZE - 1);
	u32 value = 0;

	if (!in_page(apic, gpa))
		return -EOPNOTSUPP;
	if (!lapic_is_xapic(apic)) {
		memset(data, 0xff, bytes);
		return 0;
	}
	if ((offset & 15) + bytes > sizeof(value)) {
		memset(data, 0, bytes);
		return 0;
	}
	if (offset >> 4 >= LAPIC_REGS || read_reg(apic, offset >> 4, &value))
		lapic_error(apic, ESR_REGISTER);
	memcpy(data, (u8 *)&value + (offset & 3), bytes);
	return 0;
}

/**
 * lapic_mmio_write() - the guest writes in the APIC's page
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 * @gpa: where
 * @bytes: how much; anything but an aligned register has no effect
 * @data: what
 *
 * Return: 0; -EOPNOTSUPP outside of the page; -EAGAIN in ring 2 for what ring 1 has to do.
 */
int lapic_mmio_write(struct ksvm_vcpu *vcpu, u64 gpa, unsigned int bytes, const void *data)
{
	struct ksvm_lapic *apic = vcpu->apic;
	unsigned int offset = gpa & (LAPIC_PAGE_SIZE - 1);
	int error = -EINVAL;
	u32 value;

	if (!in_page(apic, gpa))
		return -EOPNOTSUPP;
	if (!lapic_is_xapic(apic) || (offset & 15) || bytes != sizeof(value))
		return 0;
	memcpy(&value, data, sizeof(value));
	if (offset >> 4 < LAPIC_REGS)
		error = write_reg(apic, offset >> 4, value);
	if (error == -EINVAL)
		lapic_error(apic, ESR_REGISTER);
	return error == -EAGAIN ? error : 0;
}

/**
 * ksvm_tpr_changed() - CR8 was written
 * @vcpu: the vCPU, with a local APIC, by its own thread; any ring
 * @cr8: the task priority's class
 */
void ksvm_tpr_changed(struct ksvm_vcpu *vcpu, unsigned int cr8)
{
	struct ksvm_lapic *apic = vcpu->apic;

	if (lapic_get(apic, LAPIC_TPR) == cr8 << 4)
		return;
	lapic_put(apic, LAPIC_TPR, cr8 << 4);
	if (lapic_highest(apic->regs.irr) >= 0)
		vcpu->x86.events.work = true;
}
