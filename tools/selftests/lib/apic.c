// SPDX-License-Identifier: GPL-2.0-only
/* The host's side of the interrupt controllers. */
#include <pthread.h>
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

/** irqchip_vm_create() - vm_create() with all controllers in the kernel */
struct vm *irqchip_vm_create(void)
{
	struct vm *vm = vm_create();

	need_interrupt_window();
	xioctl(vm->fd, KVM_CREATE_IRQCHIP, 0);
	return vm;
}

/**
 * split_vm_create() - vm_create() with nothing but local APICs in the kernel
 * @reserved_pins: of the I/O APIC that user space has
 */
struct vm *split_vm_create(u64 reserved_pins)
{
	struct vm *vm = vm_create();

	need_interrupt_window();
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, reserved_pins);
	return vm;
}

/**
 * irqchip_vcpu_create() - a vCPU that is in a guest function and need not be started
 * @vm: with local APICs
 * @index: its number for the library, below GUEST_MAX_VCPUS
 * @apic_id: what the kernel knows it by
 * @entry: the function
 *
 * Its CPUID has the deadline timer, which is user space's to offer.
 */
struct vcpu *irqchip_vcpu_create(struct vm *vm, u32 index, u32 apic_id, void *entry)
{
	struct vcpu *vcpu = vcpu_create_bare(vm, apic_id);

	cpuid_find(supported_cpuid(), 1, 0)->ecx |= BIT(24);
	vcpu_set_cpuid(vcpu);
	vcpu->id = index;
	if (entry) {
		vcpu_set_entry(vcpu, entry);
		vcpu_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	}
	return vcpu;
}

/**
 * irqchip_vm_with_vcpu() - a VM with controllers and its only vCPU
 * @entry: guest function
 * @x2apic: guest_x2apic there
 */
struct vcpu *irqchip_vm_with_vcpu(void *entry, bool x2apic)
{
	struct vm *vm = irqchip_vm_create();

	*guest_var(vm, guest_x2apic) = x2apic;
	return irqchip_vcpu_create(vm, 0, 0, entry);
}

int vm_try_cap(struct vm *vm, u32 cap, u64 arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args[0] = arg };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &enable);
}

void vm_enable_cap(struct vm *vm, u32 cap, u64 arg)
{
	TEST_ASSERT(!vm_try_cap(vm, cap, arg), "capability %u", cap);
}

struct kvm_lapic_state vcpu_lapic(struct vcpu *vcpu)
{
	struct kvm_lapic_state state;

	xioctl(vcpu->fd, KVM_GET_LAPIC, &state);
	return state;
}

void vcpu_set_lapic(struct vcpu *vcpu, const struct kvm_lapic_state *state)
{
	xioctl(vcpu->fd, KVM_SET_LAPIC, state);
}

u32 lapic_reg(const struct kvm_lapic_state *state, u32 reg)
{
	u32 value;

	memcpy(&value, state->regs + reg, sizeof(value));
	return value;
}

void lapic_set_reg(struct kvm_lapic_state *state, u32 reg, u32 value)
{
	memcpy(state->regs + reg, &value, sizeof(value));
}

bool lapic_bit(const struct kvm_lapic_state *state, u32 reg, u8 vector)
{
	return lapic_reg(state, reg + (vector >> 5) * 0x10) & BIT(vector & 31);
}

void lapic_set_bit(struct kvm_lapic_state *state, u32 reg, u8 vector)
{
	reg += (vector >> 5) * 0x10;
	lapic_set_reg(state, reg, lapic_reg(state, reg) | BIT(vector & 31));
}

u32 vcpu_mp_state(struct vcpu *vcpu)
{
	struct kvm_mp_state state;

	xioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
	return state.mp_state;
}

void vcpu_set_mp_state(struct vcpu *vcpu, u32 mp_state)
{
	struct kvm_mp_state state = { .mp_state = mp_state };

	xioctl(vcpu->fd, KVM_SET_MP_STATE, &state);
}

/**
 * vm_irq_line() - KVM_IRQ_LINE_STATUS
 * @vm: with controllers
 * @gsi: whose line
 * @level: up or down
 *
 * Return: the status: how many took it, 0 if it was merged, -1 if nobody did.
 */
int vm_irq_line(struct vm *vm, u32 gsi, u32 level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	xioctl(vm->fd, KVM_IRQ_LINE_STATUS, &line);
	return line.status;
}

/**
 * vm_signal_msi() - KVM_SIGNAL_MSI
 * @vm: with controllers
 * @address: of the message
 * @data: of the message
 *
 * Return: the ioctl's.
 */
int vm_signal_msi(struct vm *vm, u64 address, u32 data)
{
	struct kvm_msi msi = {
		.address_lo = address,
		.address_hi = address >> 32,
		.data = data,
	};

	return ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

/* One that waits for SIPI comes back with EAGAIN when something has happened to it. */
static void *run_to_done(void *arg)
{
	struct vcpu *vcpu = arg;
	struct guest_message msg;

	do {
		if (vcpu_try_run(vcpu) < 0) {
			TEST_TRUE(errno == EAGAIN || errno == EINTR);
			continue;
		}
		TEST_ASSERT(vcpu_message(vcpu, &msg) == MSG_DONE, "exit %u",
			    vcpu->run->exit_reason);
		return NULL;
	} while (1);
}

/**
 * vcpus_run_to_done() - run vCPUs in threads of their own until all are done
 * @vcpus: the vCPUs
 * @n: how many
 */
void vcpus_run_to_done(struct vcpu **vcpus, u32 n)
{
	pthread_t threads[GUEST_MAX_VCPUS];
	u32 i;

	for (i = 0; i < n; i++)
		TEST_EQ(pthread_create(&threads[i], NULL, run_to_done, vcpus[i]), 0);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/**
 * vm_load_trampoline() - what vCPUs without an entry start with
 * @vm: made by vm_create(); APIC ids are the library's numbers
 * @vector: SIPI's, the page that the code is at
 * @entry: guest function, to be called in long mode
 */
void vm_load_trampoline(struct vm *vm, u8 vector, void *entry)
{
	u8 *code = vm_host(vm, (u64)vector << 12);
	u32 pgd = vm->pgd, i;

	memcpy(code, sipi_code, sipi_code_end - sipi_code);
	memcpy(code + (sipi_pgd - sipi_code), &pgd, sizeof(pgd));
	*guest_var(vm, sipi_entry) = (u64)entry;
	for (i = 0; i < GUEST_MAX_VCPUS; i++)
		guest_var(vm, guest_cpus)[0][i].id = i;
}
