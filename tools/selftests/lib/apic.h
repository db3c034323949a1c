/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt controllers in the kernel, from both sides: VMs that have them and vCPUs
 * for them on the host's, registers, counting handlers and messages on the guest's.
 */
#ifndef SELFTEST_APIC_H
#define SELFTEST_APIC_H

#include "guest.h"
#include "vm.h"

#define APIC_BASE_BSP		BIT(8)
#define APIC_BASE_X2APIC	BIT(10)
#define APIC_BASE_ENABLE	BIT(11)
#define APIC_DEFAULT_BASE	0xfee00000ull

#define APIC_ID			0x020
#define APIC_VERSION		0x030
#define APIC_TPR		0x080
#define APIC_APR		0x090
#define APIC_PPR		0x0a0
#define APIC_EOI		0x0b0
#define APIC_LDR		0x0d0
#define APIC_DFR		0x0e0
#define APIC_SPIV		0x0f0
#define APIC_ISR		0x100
#define APIC_TMR		0x180
#define APIC_IRR		0x200
#define APIC_ESR		0x280
#define APIC_ICR		0x300
#define APIC_ICR2		0x310
#define APIC_LVTT		0x320
#define APIC_LVTTHMR		0x330
#define APIC_LVTPC		0x340
#define APIC_LVT0		0x350
#define APIC_LVT1		0x360
#define APIC_LVTERR		0x370
#define APIC_TMICT		0x380
#define APIC_TMCCT		0x390
#define APIC_TDCR		0x3e0
#define APIC_SELF_IPI		0x3f0
#define APIC_REGS		0x400

#define MSR_X2APIC		0x800
#define MSR_TSC_DEADLINE	0x6e0

#define SPIV_ENABLE		BIT(8)
#define SPIV_NO_EOI_BROADCAST	BIT(12)
#define VERSION_NO_EOI_BROADCAST BIT(24)

#define LVT_PENDING		BIT(12)
#define LVT_REMOTE_IRR		BIT(14)
#define LVT_LEVEL		BIT(15)
#define LVT_MASKED		BIT(16)
#define LVTT_ONE_SHOT		0
#define LVTT_PERIODIC		BIT(17)
#define LVTT_DEADLINE		BIT(18)

#define ESR_SENT_ILLEGAL	BIT(5)
#define ESR_RECEIVED_ILLEGAL	BIT(6)
#define ESR_ILLEGAL_REGISTER	BIT(7)

#define ICR_FIXED		0x000
#define ICR_LOWEST		0x100
#define ICR_NMI			0x400
#define ICR_INIT		0x500
#define ICR_SIPI		0x600
#define ICR_EXTINT		0x700
#define ICR_LOGICAL		BIT(11)
#define ICR_ASSERT		BIT(14)
#define ICR_LEVEL		BIT(15)
#define ICR_SELF		0x40000
#define ICR_ALL			0x80000
#define ICR_OTHERS		0xc0000

#define IOAPIC_BASE		0xfec00000ull
#define IOAPIC_PINS		24
#define IOREG_ID		0
#define IOREG_VERSION		1
#define IOREG_ARB		2
#define IOREG_PIN(n)		(0x10 + 2 * (n))
#define RTE_LOGICAL		BIT(11)
#define RTE_PENDING		BIT(12)
#define RTE_LOW_ACTIVE		BIT(13)
#define RTE_REMOTE_IRR		BIT(14)
#define RTE_LEVEL		BIT(15)
#define RTE_MASKED		BIT(16)

/* apic_entry.S: what a vCPU that was started by SIPI runs. */
extern char sipi_code[], sipi_pgd[], sipi_code_end[];
extern u64 sipi_entry;

/* Host. */
struct vm *irqchip_vm_create(void);
struct vm *split_vm_create(u64 reserved_pins);
struct vcpu *irqchip_vcpu_create(struct vm *vm, u32 index, u32 apic_id, void *entry);
struct vcpu *irqchip_vm_with_vcpu(void *entry, bool x2apic);
int vm_try_cap(struct vm *vm, u32 cap, u64 arg);
void vm_enable_cap(struct vm *vm, u32 cap, u64 arg);
struct kvm_lapic_state vcpu_lapic(struct vcpu *vcpu);
void vcpu_set_lapic(struct vcpu *vcpu, const struct kvm_lapic_state *state);
u32 lapic_reg(const struct kvm_lapic_state *state, u32 reg);
void lapic_set_reg(struct kvm_lapic_state *state, u32 reg, u32 value);
bool lapic_bit(const struct kvm_lapic_state *state, u32 reg, u8 vector);
void lapic_set_bit(struct kvm_lapic_state *state, u32 reg, u8 vector);
u32 vcpu_mp_state(struct vcpu *vcpu);
void vcpu_set_mp_state(struct vcpu *vcpu, u32 state);
int vm_irq_line(struct vm *vm, u32 gsi, u32 level);
int vm_signal_msi(struct vm *vm, u64 address, u32 data);
void vcpus_run_to_done(struct vcpu **vcpus, u32 n);
void vm_load_trampoline(struct vm *vm, u8 vector, void *entry);

/* Guest; what is counted per vCPU is counted by index, not by APIC id. */
#define IRQ_LOG		64

extern bool guest_x2apic;
extern u64 irq_count[GUEST_MAX_VCPUS][256];
extern u8 irq_log[GUEST_MAX_VCPUS][IRQ_LOG];
extern u32 irq_logged[GUEST_MAX_VCPUS];
extern char irq_halt_insn[];	/* irq_halt()'s HLT */
extern void (*irq_hook)(u8 vector);	/* in the handler, before EOI */

u64 apic_read(u32 reg);
void apic_write(u32 reg, u64 value);
u64 apic_try_write(u32 reg, u64 value);
u64 apic_try_read(u32 reg, u64 *value);
bool apic_bit(u32 reg, u8 vector);
void apic_send(u32 dest, u32 low);
void apic_self(u8 vector);
void apic_setup(void);
void irq_window(void);
void irq_halt(void);
u64 irq_counted(u8 vector);
u64 irq_total(void);
void irq_halt_until(u8 vector, u64 count);
u32 ioapic_read(u32 reg);
void ioapic_write(u32 reg, u32 value);
void ioapic_set_pin(u32 pin, u64 entry);
u64 ioapic_pin(u32 pin);

#endif
