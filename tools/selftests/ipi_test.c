// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts between processors: destinations, shorthands, kinds, ids beyond 255. */
#include <pthread.h>
#include <stdlib.h>

#include "apic.h"
#include "harness.h"

#define VECTOR		0x60
#define BARRIER		0x30	/* below it: whoever took this one has taken all before */
#define MAX		8

enum addressing {
	XAPIC_FLAT,
	XAPIC_CLUSTER,
	X2APIC,
};

static u64 enabled, vcpu_total, addressing;
static u32 apic_ids[MAX];

/* In the flat model each has a bit, in the cluster model there are two in a cluster. */
static u32 logical_id(u64 i)
{
	return addressing == XAPIC_FLAT ? BIT(i) : (i / 2) << 4 | BIT(i & 1);
}

static void guest_online(u64 i)
{
	apic_setup();
	if (addressing != X2APIC) {
		apic_write(APIC_DFR, addressing == XAPIC_FLAT ? ~0u : 0x0fffffff);
		apic_write(APIC_LDR, logical_id(i) << 24);
	}
	__atomic_fetch_add(&enabled, 1, __ATOMIC_SEQ_CST);
}

static void guest_other(u64 i)
{
	guest_online(i);
	for (;;)
		irq_halt();
}

static void guest_wait_online(void)
{
	guest_online(0);
	while (READ_ONCE(enabled) != vcpu_total)
		asm volatile("pause");
}

/* Once each has had one of lower priority, what was sent before has arrived. */
static void guest_settle(void)
{
	static u64 rounds;
	u64 i;

	rounds++;
	for (i = 0; i < vcpu_total; i++) {
		apic_send(apic_ids[i], ICR_ASSERT | BARRIER);
		while (READ_ONCE(irq_count[i][BARRIER]) < rounds)
			irq_window();
	}
}

struct ipi_row {
	const char *name;
	u32 icr;
	u32 dest;
	u32 takers;	/* by index */
};

/* Four vCPUs, 0 sends; ids 0 to 3. */
static const struct ipi_row any_mode[] = {
	{ "physical_1", ICR_FIXED, 1, 0x2 },
	{ "physical_3", ICR_FIXED, 3, 0x8 },
	{ "physical_own", ICR_FIXED, 0, 0x1 },
	{ "physical_nobody", ICR_FIXED, 0x77, 0 },
	{ "self", ICR_SELF, 0, 0x1 },
	{ "self_no_matter_who", ICR_SELF | ICR_LOGICAL, 2, 0x1 },
	{ "all", ICR_ALL, 0, 0xf },
	{ "all_no_matter_who", ICR_ALL, 2, 0xf },
	{ "others", ICR_OTHERS, 0, 0xe },
	{ "physical_lowest", ICR_LOWEST, 2, 0x4 },
};

static const struct ipi_row flat[] = {
	{ "broadcast", ICR_FIXED, 0xff, 0xf },
	{ "logical_1", ICR_LOGICAL, 0x02, 0x2 },
	{ "logical_0_2", ICR_LOGICAL, 0x05, 0x5 },
	{ "logical_all", ICR_LOGICAL, 0xff, 0xf },
	{ "logical_nobody", ICR_LOGICAL, 0x00, 0 },
	{ "logical_nobody_there", ICR_LOGICAL, 0xf0, 0 },
	{ "logical_lowest_one", ICR_LOGICAL | ICR_LOWEST, 0x08, 0x8 },
};

static const struct ipi_row cluster[] = {
	{ "broadcast", ICR_FIXED, 0xff, 0xf },
	{ "logical_0_1", ICR_LOGICAL, 0x02, 0x2 },
	{ "logical_1_both", ICR_LOGICAL, 0x13, 0xc },
	{ "logical_1_more", ICR_LOGICAL, 0x1e, 0x8 },
	{ "logical_all", ICR_LOGICAL, 0xff, 0xf },
	{ "logical_no_member", ICR_LOGICAL, 0x1c, 0 },
	{ "logical_no_cluster", ICR_LOGICAL, 0x23, 0 },
	{ "logical_lowest_one", ICR_LOGICAL | ICR_LOWEST, 0x11, 0x4 },
};

/* The third and the fourth are 0x20 and 0x2f: in a cluster of their own. */
static const struct ipi_row x2apic[] = {
	{ "broadcast", ICR_FIXED, ~0u, 0xf },
	{ "physical_20", ICR_FIXED, 0x20, 0x4 },
	{ "physical_other_256", ICR_FIXED, 0x101, 0 },
	{ "logical_0_both", ICR_LOGICAL, 0x00000003, 0x3 },
	{ "logical_2_first", ICR_LOGICAL, 0x00020001, 0x4 },
	{ "logical_2_last", ICR_LOGICAL, 0x00028000, 0x8 },
	{ "logical_2_all", ICR_LOGICAL, 0x0002ffff, 0xc },
	{ "logical_all", ICR_LOGICAL, ~0u, 0xf },
	{ "logical_no_cluster", ICR_LOGICAL, 0x00010003, 0 },
	{ "logical_no_member", ICR_LOGICAL, 0x00020002, 0 },
	{ "logical_lowest_one", ICR_LOGICAL | ICR_LOWEST, 0x00020001, 0x4 },
	{ "self", ICR_SELF, 0, 0x1 },
	{ "all", ICR_ALL, 0, 0xf },
	{ "others", ICR_OTHERS, 0, 0xe },
};

struct ipi_case {
	const struct ipi_row *row;
	u64 addressing;
};

static void guest_send_row(const struct ipi_row *row)
{
	u64 i;

	guest_wait_online();
	apic_send(row->dest, row->icr | ICR_ASSERT | VECTOR);
	guest_settle();
	for (i = 0; i < vcpu_total; i++)
		GUEST_EQ(READ_ONCE(irq_count[i][VECTOR]), row->takers >> i & 1);
	GUEST_EQ(apic_read(APIC_ICR) & BIT(12), 0);
}

static void *run_forever(void *arg)
{
	struct vcpu *vcpu = arg;

	while (vcpu_try_run(vcpu) < 0)
		TEST_TRUE(errno == EAGAIN || errno == EINTR);
	TEST_FAIL("exit %u of vCPU %u", vcpu->run->exit_reason, vcpu->id);
}

/* A VM whose others halt until the end of the case. */
static struct vcpu *start(struct vm *vm, void *entry, u64 mode, const u32 *ids, u32 n)
{
	struct vcpu *vcpus[MAX];
	pthread_t thread;
	u32 i;

	*guest_var(vm, guest_x2apic) = mode == X2APIC;
	*guest_var(vm, addressing) = mode;
	*guest_var(vm, vcpu_total) = n;
	for (i = 0; i < n; i++) {
		guest_var(vm, apic_ids)[0][i] = ids[i];
		vcpus[i] = irqchip_vcpu_create(vm, i, ids[i], i ? guest_other : entry);
		vcpu_set_arg(vcpus[i], i, 0);
	}
	for (i = 1; i < n; i++)
		TEST_EQ(pthread_create(&thread, NULL, run_forever, vcpus[i]), 0);
	return vcpus[0];
}

static const u32 dense[MAX] = { 0, 1, 2, 3, 4, 5, 6, 7 };
static const u32 sparse[MAX] = { 0, 1, 0x20, 0x2f, 0x40, 0x41, 0x80, 0xfe };

static void ipi(const void *data)
{
	const struct ipi_case *ipi = data;
	struct vcpu *vcpu = start(irqchip_vm_create(), guest_send_row, ipi->addressing,
				  ipi->addressing == X2APIC ? sparse : dense, 4);

	vcpu_set_arg(vcpu, (u64)ipi->row, 0);
	vcpu_expect_done(vcpu);
}

static u32 guest_takers(u32 vector)
{
	u32 takers = 0;
	u64 i;

	for (i = 0; i < vcpu_total; i++)
		takers += READ_ONCE(irq_count[i][vector]);
	return takers;
}

static void guest_lowest(u32 dest)
{
	u32 i;

	guest_wait_online();
	for (i = 1; i <= 20; i++) {
		apic_send(dest, ICR_LOWEST | ICR_LOGICAL | ICR_ASSERT | VECTOR);
		guest_settle();
		GUEST_EQ(guest_takers(VECTOR), i);
	}
}

/* Of several candidates one takes it, whichever. */
static void lowest_priority(const void *mode)
{
	static const u32 dests[] = {
		[XAPIC_FLAT] = 0x0f, [XAPIC_CLUSTER] = 0x13, [X2APIC] = 0x00000003,
	};
	u64 addr = *(const u64 *)mode;
	struct vcpu *vcpu = start(irqchip_vm_create(), guest_lowest, addr, dense, 4);

	vcpu_set_arg(vcpu, dests[addr], 0);
	vcpu_expect_done(vcpu);
}

static void guest_nmi(void)
{
	guest_wait_online();
	apic_send(1, ICR_NMI | ICR_ASSERT);
	while (!READ_ONCE(irq_count[1][NMI_VECTOR]))
		asm volatile("pause");
	/* Its vector does not count. */
	apic_send(0, ICR_NMI | ICR_ASSERT | ICR_OTHERS | 0x99);
	while (guest_takers(NMI_VECTOR) < 4)
		asm volatile("pause");
	guest_settle();
	GUEST_EQ(guest_takers(NMI_VECTOR), 4);
	GUEST_EQ(READ_ONCE(irq_count[1][NMI_VECTOR]), 2);
	GUEST_EQ(READ_ONCE(irq_count[0][NMI_VECTOR]), 0);
	GUEST_EQ(guest_takers(0x99), 0);
	/* Neither interrupts that are off nor a disabled APIC keep one away. */
	apic_write(APIC_SPIV, 0xff);
	apic_send(0, ICR_NMI | ICR_ASSERT);
	GUEST_EQ(READ_ONCE(irq_count[0][NMI_VECTOR]), 1);
}

static void nmi(const void *mode)
{
	vcpu_expect_done(start(irqchip_vm_create(), guest_nmi, *(const u64 *)mode, dense, 4));
}

static void guest_disabled_target(void)
{
	apic_setup();
	apic_send(1, ICR_ASSERT | VECTOR);
	apic_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR);
	GUEST_SYNC(1);
}

/* An APIC that is disabled by software takes no interrupt. */
static void disabled_target(void)
{
	struct vm *vm = irqchip_vm_create();
	struct vcpu *vcpu = irqchip_vcpu_create(vm, 0, 0, guest_disabled_target);
	struct vcpu *other = irqchip_vcpu_create(vm, 1, 1, guest_other);
	struct kvm_lapic_state state;

	vcpu_expect_sync(vcpu, 1);
	state = vcpu_lapic(other);
	TEST_EQ(lapic_reg(&state, APIC_IRR + 0x30), 0);
}

static void guest_icr(void)
{
	apic_setup();
	/* The destination stays for the next one. */
	apic_write(APIC_ICR2, 0x55ffffff);
	GUEST_EQ(apic_read(APIC_ICR2), 0x55000000);
	apic_write(APIC_ICR, ICR_ASSERT | VECTOR);
	GUEST_EQ(apic_read(APIC_ICR), ICR_ASSERT | VECTOR);
	GUEST_EQ(apic_read(APIC_ICR2), 0x55000000);
	/* Delivery status is read-only, and nothing is ever on its way here. */
	apic_write(APIC_ICR, ICR_ASSERT | BIT(12) | VECTOR);
	GUEST_EQ(apic_read(APIC_ICR), ICR_ASSERT | VECTOR);
	guest_x2apic = true;
	apic_setup();
	apic_send(0x12345678, ICR_ASSERT | VECTOR);
	GUEST_EQ(rdmsr(MSR_X2APIC + 0x30), 0x1234567800000000 | ICR_ASSERT | VECTOR);
	GUEST_SYNC(1);
	GUEST_EQ(rdmsr(MSR_X2APIC + 0x30), 0x1234567800000000 | ICR_ASSERT | VECTOR);
	irq_window();
	GUEST_EQ(irq_total(), 0);
}

static void icr_registers(void)
{
	struct vcpu *vcpu = irqchip_vm_with_vcpu(guest_icr, false);
	struct kvm_lapic_state state;

	vcpu_expect_sync(vcpu, 1);
	/* In the state the upper half is where xAPIC has it. */
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_ICR), ICR_ASSERT | VECTOR);
	TEST_EQ(lapic_reg(&state, APIC_ICR2), 0x12345678);
	vcpu_set_lapic(vcpu, &state);
	vcpu_expect_done(vcpu);
}

static const u32 wide[MAX] = { 0, 1, 0x100, 0x1ff, 0x4ff, 0x200, 0x300, 0x3ff };

static void guest_wide(void)
{
	u64 i;

	guest_wait_online();
	for (i = 0; i < vcpu_total; i++)
		apic_send(apic_ids[i], ICR_ASSERT | (VECTOR + i));
	/* Cluster 0x1f, member 15: the id 0x1ff. */
	apic_send(0x001f8000, ICR_LOGICAL | ICR_ASSERT | 0x70);
	apic_send(0, ICR_OTHERS | ICR_ASSERT | 0x71);
	guest_settle();
	for (i = 0; i < vcpu_total; i++) {
		GUEST_EQ(READ_ONCE(irq_count[i][VECTOR + i]), 1);
		GUEST_EQ(READ_ONCE(irq_count[i][0x70]), i == 3);
		GUEST_EQ(READ_ONCE(irq_count[i][0x71]), i != 0);
	}
	for (i = 0; i < vcpu_total; i++)
		GUEST_EQ(guest_takers(VECTOR + i), 1);
}

/* Ids that do not fit into the eight bits of xAPIC. */
static void ids_above_255(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_lapic_state state;
	struct vcpu *vcpu;
	struct kvm_sregs sregs;

	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS |
		      KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
	vcpu = vcpu_create_bare(vm, 0x123);
	vcpu_set_cpuid(vcpu);
	sregs = vcpu_sregs(vcpu);
	sregs.apic_base |= APIC_BASE_X2APIC;
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	/* All of it is in the register, and another one is not taken. */
	state = vcpu_lapic(vcpu);
	TEST_EQ(lapic_reg(&state, APIC_ID), 0x123);
	TEST_EQ(lapic_reg(&state, APIC_LDR), 0x12 << 16 | 1 << 3);
	vcpu_set_lapic(vcpu, &state);
	lapic_set_reg(&state, APIC_ID, 0x124);
	ioctl_fails(vcpu->fd, KVM_SET_LAPIC, &state, EINVAL);
	vcpu_expect_done(start(vm, guest_wide, X2APIC, wide, 5));
}

static void x2apic_api_arguments(void)
{
	struct vm *vm = irqchip_vm_create();
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X2APIC_API };

	cap.args[0] = 4;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	cap.args[0] = 1ull << 32;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	cap.args[0] = 3;
	cap.flags = 1;
	ioctl_fails(vm->fd, KVM_ENABLE_CAP, &cap, EINVAL);
	vm_enable_cap(vm, KVM_CAP_X2APIC_API, 0);
	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS);
	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
}

static void guest_broadcast_message(u64 takers)
{
	guest_wait_online();
	GUEST_SYNC(1);
	guest_settle();
	GUEST_EQ(guest_takers(VECTOR), takers);
	/* A processor's own message has 32 bits for everybody. */
	apic_send(0xff, ICR_ASSERT | 0x61);
	guest_settle();
	GUEST_EQ(guest_takers(0x61), 0);
}

/*
 * A documented quirk: 0xff in a message is everybody in x2APIC mode, too, unless that is
 * switched off.
 */
static void broadcast_message(struct vm *vm, int takers)
{
	struct vcpu *vcpu = start(vm, guest_broadcast_message, X2APIC, dense, 3);

	vcpu_set_arg(vcpu, takers, 0);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vm_signal_msi(vm, APIC_DEFAULT_BASE | 0xff << 12, VECTOR), takers);
	vcpu_expect_done(vcpu);
}

static void broadcast_quirk(void)
{
	broadcast_message(irqchip_vm_create(), 3);
}

static void broadcast_without_quirk(void)
{
	struct vm *vm = irqchip_vm_create();

	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
	broadcast_message(vm, 0);
}

static const struct test_row rows[] = {
	{ "disabled_target", disabled_target },
	{ "icr_registers", icr_registers },
	{ "ids_above_255", ids_above_255 },
	{ "x2apic_api_arguments", x2apic_api_arguments },
	{ "broadcast_quirk", broadcast_quirk },
	{ "broadcast_without_quirk", broadcast_without_quirk },
};

static const char * const mode_names[] = { "flat", "cluster", "x2apic" };
static const u64 modes[] = { XAPIC_FLAT, XAPIC_CLUSTER, X2APIC };

static void add_ipis(u64 mode, const struct ipi_row *table, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		struct ipi_case *one = malloc(sizeof(*one));

		one->row = &table[i];
		one->addressing = mode;
		test_add(ipi, one, "ipi/%s_%s", mode_names[mode], table[i].name);
	}
}

int main(int argc, char **argv)
{
	u32 i;

	add_ipis(XAPIC_FLAT, any_mode, ARRAY_SIZE(any_mode));
	add_ipis(XAPIC_FLAT, flat, ARRAY_SIZE(flat));
	add_ipis(XAPIC_CLUSTER, any_mode, ARRAY_SIZE(any_mode));
	add_ipis(XAPIC_CLUSTER, cluster, ARRAY_SIZE(cluster));
	add_ipis(X2APIC, x2apic, ARRAY_SIZE(x2apic));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		test_add(lowest_priority, &modes[i], "ipi/lowest_priority_%s", mode_names[i]);
		test_add(nmi, &modes[i], "ipi/nmi_%s", mode_names[i]);
	}
	test_add_rows("ipi", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
