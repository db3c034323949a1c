// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GET_LAPIC and KVM_SET_LAPIC: the register page as the guest would see it. */
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/string.h>

#include "lapic.h"
#include "vm.h"
#include "x86_ops.h"

/* The register's place in the page: one in sixteen bytes. */
static u32 page_get(const struct kvm_lapic_state *state, unsigned int reg)
{
	u32 value;

	memcpy(&value, state->regs + reg * 16, sizeof(value));
	return value;
}

static void page_put(struct kvm_lapic_state *state, unsigned int reg, u32 value)
{
	memcpy(state->regs + reg * 16, &value, sizeof(value));
}

/* Unless user space has asked for 32 bits, an id is in the upper eight. */
static u32 id_to_user(const struct ksvm_lapic *apic)
{
	u32 id = lapic_get(apic, LAPIC_ID);

	if (lapic_is_x2apic(apic) && !apic->vcpu->vm->irq.x2apic_32bit)
		return id << 24;
	return id;
}

/**
 * ksvm_get_lapic() - KVM_GET_LAPIC
 * @vcpu: the vCPU, by its own thread
 * @state: filled; an x2APIC's ICR is there in one piece as well
 *
 * Return: 0; -EINVAL where the VM has no local APICs in the kernel.
 */
int ksvm_get_lapic(struct ksvm_vcpu *vcpu, struct kvm_lapic_state *state)
{
	struct ksvm_lapic *apic = vcpu->apic;
	unsigned int reg;
	u32 high;

	if (!apic)
		return -EINVAL;
	memset(state, 0, sizeof(*state));
	for (reg = 0; reg < LAPIC_REGS; reg++)
		page_put(state, reg, lapic_get(apic, reg));
	page_put(state, LAPIC_ID, id_to_user(apic));
	page_put(state, LAPIC_PPR, lapic_current_ppr(apic));
	page_put(state, LAPIC_TMCCT, lapic_timer_count(apic));
	if (lapic_is_x2apic(apic)) {
		high = lapic_get(apic, LAPIC_ICR2);
		memcpy(state->regs + LAPIC_ICR * 16 + 4, &high, sizeof(high));
	}
	return 0;
}

static bool id_valid(const struct ksvm_lapic *apic, u32 user)
{
	u32 id = apic->vcpu->id;

	if (!lapic_is_x2apic(apic) || !apic->vcpu->vm->irq.x2apic_32bit)
		return true;
	return user == id;
}

static void set_registers(struct ksvm_lapic *apic, const struct kvm_lapic_state *state)
{
	u32 version = lapic_get(apic, LAPIC_VERSION);
	unsigned int reg;

	for (reg = 0; reg < LAPIC_REGS; reg++)
		lapic_put(apic, reg, page_get(state, reg));
	lapic_put(apic, LAPIC_VERSION, version);
	lapic_put(apic, LAPIC_TPR, page_get(state, LAPIC_TPR) & 0xff);
	if (lapic_is_x2apic(apic)) {
		lapic_put(apic, LAPIC_ID, apic->vcpu->id);
		lapic_put(apic, LAPIC_LDR, lapic_x2apic_ldr(apic->vcpu->id));
	}
}

/*
 * The timer goes on from TMCCT. Where that is 0, a single shot is taken to be due, and a
 * period begins anew.
 */
static void set_timer(struct ksvm_lapic *apic, u32 count, u64 deadline)
{
	u32 mode = lapic_get(apic, LAPIC_LVTT) & LVT_TIMER_MODE;

	if (mode == LVT_TIMER_DEADLINE)
		lapic_timer_set_deadline(apic, deadline);
	else if (count)
		lapic_timer_resume(apic, count);
	else if (mode == LVT_TIMER_PERIODIC)
		lapic_timer_start(apic);
	else if (mode == LVT_TIMER_ONE_SHOT && lapic_get(apic, LAPIC_TMICT))
		lapic_deliver_lvt(apic, LAPIC_LVTT);
}

/**
 * ksvm_set_lapic() - KVM_SET_LAPIC
 * @vcpu: the vCPU, by its own thread; its mode is as APIC_BASE says
 * @state: the registers; the timer goes on from TMCCT. Where that is 0, a single shot is
 *	due at once and a period begins anew. A deadline, which is no register, stays
 *
 * Return: 0; -EINVAL where the VM has no local APICs in the kernel, or for an x2APIC's id
 * that is not the vCPU's, and then nothing has changed.
 * Context: may sleep.
 */
int ksvm_set_lapic(struct ksvm_vcpu *vcpu, const struct kvm_lapic_state *state)
{
	struct ksvm_lapic *apic = vcpu->apic;
	u32 count = page_get(state, LAPIC_TMCCT);
	u64 deadline;

	if (!apic || !id_valid(apic, page_get(state, LAPIC_ID)))
		return -EINVAL;
	deadline = lapic_timer_deadline(apic);
	lapic_timer_cancel(apic);
	set_registers(apic, state);
	apic->errors = 0;
	static_call(ksvm_x86_set_cr8)(vcpu, lapic_get(apic, LAPIC_TPR) >> 4);
	set_timer(apic, count, deadline);
	dest_map_update(vcpu->vm);
	vcpu->x86.events.work = true;
	return 0;
}
