// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CHECK_EXTENSION and KVM_ENABLE_CAP: what is not in the table is not there. */
#include <linux/cpumask.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>

#include "internal.h"
#include "vm.h"

/**
 * struct capability - something that user space may ask for
 * @number: KVM_CAP_*
 * @value: what KVM_CHECK_EXTENSION answers
 * @get: computes the answer instead of @value; @vm is NULL on the node
 * @enable: KVM_ENABLE_CAP on a VM, under its lock; NULL where there is nothing to enable
 */
struct capability {
	unsigned int number;
	int value;
	int (*get)(struct ksvm *vm);
	int (*enable)(struct ksvm *vm, const struct kvm_enable_cap *cap);
};

/* The recommended number of vCPUs: more of them than processors run slowly. */
static int get_nr_vcpus(struct ksvm *vm)
{
	return min_t(unsigned int, num_online_cpus(), KSVM_VCPUS_MAX);
}

static int get_xcrs(struct ksvm *vm)
{
	return boot_cpu_has(X86_FEATURE_XSAVE);
}

/* Chosen once, before the first vCPU; the same value again is no change. */
static int enable_max_vcpu_id(struct ksvm *vm, const struct kvm_enable_cap *cap)
{
	u64 limit = cap->args[0];

	if (limit == vm->vcpu_id_limit)
		return 0;
	if (limit > KSVM_VCPU_ID_MAX || vm->vcpu_id_limit || vm->nr_vcpus)
		return -EINVAL;
	vm->vcpu_id_limit = limit;
	return 0;
}

static int enable_split_irqchip(struct ksvm *vm, const struct kvm_enable_cap *cap)
{
	return ksvm_enable_split_irqchip(vm, cap->args[0]);
}

#define X2APIC_API	(KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)

/* Only ever switched on: ids that have been given out keep their form. */
static int enable_x2apic_api(struct ksvm *vm, const struct kvm_enable_cap *cap)
{
	u64 flags = cap->args[0];

	if (flags & ~(u64)X2APIC_API)
		return -EINVAL;
	if (flags & KVM_X2APIC_API_USE_32BIT_IDS)
		vm->irq.x2apic_32bit = true;
	if (flags & KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
		vm->irq.x2apic_no_broadcast = true;
	return 0;
}

static int enable_halt_poll(struct ksvm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] > U32_MAX)
		return -EINVAL;
	WRITE_ONCE(vm->halt_poll_ns, cap->args[0]);
	return 0;
}

/* MWAIT: only where it wakes for what it is to wake for. */
static int get_disable_exits(struct ksvm *vm)
{
	int exits = KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE |
		    KVM_X86_DISABLE_EXITS_CSTATE;

	if (boot_cpu_has(X86_FEATURE_MWAIT) && boot_cpu_has(X86_FEATURE_ARAT) &&
	    !boot_cpu_has_bug(X86_BUG_MONITOR))
		exits |= KVM_X86_DISABLE_EXITS_MWAIT;
	return exits;
}

/* Intercepts are chosen when a vCPU is made. */
static int enable_disable_exits(struct ksvm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)get_disable_exits(vm) || vm->nr_vcpus)
		return -EINVAL;
	vm->exits_disabled |= cap->args[0];
	return 0;
}

static const struct capability capabilities[] = {
	{ KVM_CAP_IRQCHIP, 1 },
	{ KVM_CAP_HLT, 1 },
	{ KVM_CAP_MMU_SHADOW_CACHE_CONTROL, 1 },
	{ KVM_CAP_USER_MEMORY, 1 },
	{ KVM_CAP_SET_TSS_ADDR, 1 },
	{ KVM_CAP_EXT_CPUID, 1 },
	{ KVM_CAP_NR_VCPUS, .get = get_nr_vcpus },
	{ KVM_CAP_NR_MEMSLOTS, KSVM_MEMSLOTS_MAX },
	{ KVM_CAP_NOP_IO_DELAY, 1 },
	{ KVM_CAP_MP_STATE, 1 },
	{ KVM_CAP_COALESCED_MMIO, KVM_COALESCED_MMIO_PAGE_OFFSET },
	{ KVM_CAP_SYNC_MMU, 1 },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ KVM_CAP_USER_NMI, 1 },
	{ KVM_CAP_SET_GUEST_DEBUG, 1 },
	{ KVM_CAP_REINJECT_CONTROL, 1 },
	{ KVM_CAP_IRQ_ROUTING, KSVM_IRQ_ROUTES_MAX },
	{ KVM_CAP_IRQ_INJECT_STATUS, 1 },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ KVM_CAP_MCE, KSVM_MCE_BANKS_MAX },
	{ KVM_CAP_IRQFD, 1 },
	{ KVM_CAP_PIT2, 1 },
	{ KVM_CAP_PIT_STATE2, 1 },
	{ KVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ KVM_CAP_IOEVENTFD, 1 },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ KVM_CAP_ADJUST_CLOCK, KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC },
	{ KVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ KVM_CAP_VCPU_EVENTS, 1 },
	{ KVM_CAP_DEBUGREGS, 1 },
	{ KVM_CAP_X86_ROBUST_SINGLESTEP, 1 },
	{ KVM_CAP_XSAVE, 1 },
	{ KVM_CAP_XCRS, .get = get_xcrs },
	{ KVM_CAP_GET_TSC_KHZ, 1 },
	{ KVM_CAP_MAX_VCPUS, KSVM_VCPUS_MAX },
	{ KVM_CAP_TSC_DEADLINE_TIMER, 1 },
	{ KVM_CAP_SIGNAL_MSI, 1 },
	{ KVM_CAP_READONLY_MEM, 1 },
	{ KVM_CAP_IRQFD_RESAMPLE, 1 },
	{ KVM_CAP_ENABLE_CAP_VM, 1 },
	{ KVM_CAP_IOEVENTFD_NO_LENGTH, 1 },
	{ KVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ KVM_CAP_SPLIT_IRQCHIP, 1, .enable = enable_split_irqchip },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, 1 },
	{ KVM_CAP_MAX_VCPU_ID, KSVM_VCPU_ID_MAX, .enable = enable_max_vcpu_id },
	{ KVM_CAP_X2APIC_API, X2APIC_API, .enable = enable_x2apic_api },
	{ KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ KVM_CAP_X86_DISABLE_EXITS, .get = get_disable_exits, .enable = enable_disable_exits },
	{ KVM_CAP_COALESCED_PIO, 1 },
	{ KVM_CAP_HALT_POLL, 1, .enable = enable_halt_poll },
};

static const struct capability *find_capability(unsigned long number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++) {
		if (capabilities[i].number == number)
			return &capabilities[i];
	}
	return NULL;
}

/**
 * ksvm_check_extension() - KVM_CHECK_EXTENSION
 * @vm: the VM that is asked, NULL for the node
 * @number: KVM_CAP_*, or anything else
 *
 * Return: the capability's value; 0 where the module does not have it.
 */
int ksvm_check_extension(struct ksvm *vm, unsigned long number)
{
	const struct capability *capability = find_capability(number);

	if (!capability)
		return 0;
	return capability->get ? capability->get(vm) : capability->value;
}

/**
 * ksvm_enable_cap() - KVM_ENABLE_CAP
 * @vm: the VM, with its lock held
 * @cap: what to enable
 *
 * Return: 0; -EINVAL for flags, for a capability that cannot be enabled, and for
 * arguments or a moment that it does not allow.
 */
int ksvm_enable_cap(struct ksvm *vm, const struct kvm_enable_cap *cap)
{
	const struct capability *capability = find_capability(cap->cap);

	lockdep_assert_held(&vm->lock);
	if (cap->flags || !capability || !capability->enable)
		return -EINVAL;
	return capability->enable(vm, cap);
}
