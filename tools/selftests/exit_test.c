// SPDX-License-Identifier: GPL-2.0-only
/* Instructions and registers that a hypervisor intercepts, seen by the guest. */
#include <stdlib.h>

#include "harness.h"
#include "vm.h"

#define HYPERCALL_UNKNOWN	0x7777
#define MINUS_ENOSYS		(-1000ull)
#define MINUS_EPERM		(-1ull)

#define GUEST_GP(text, ...) ({						\
	asm volatile(GUEST_TRY(text) : : __VA_ARGS__);			\
	GUEST_EQ(guest_vector(), GP_VECTOR);				\
	GUEST_EQ(guest_this_cpu()->error_code, 0);			\
})

#define GUEST_UD(text) ({						\
	asm volatile(GUEST_TRY(text)					\
		     : : "a"(0), "c"(0), "d"(0) : "memory");		\
	GUEST_EQ(guest_vector(), UD_VECTOR);				\
})

struct cpuid_regs {
	u32 leaf, sub;
	u32 a, b, c, d;
};

static struct cpuid_regs guest_expected[64];
static u32 guest_nr_expected;

static void guest_cpuid_table(void)
{
	u32 i, a, b, c, d;

	for (i = 0; i < guest_nr_expected; i++) {
		struct cpuid_regs *e = &guest_expected[i];

		guest_cpuid(e->leaf, e->sub, &a, &b, &c, &d);
		GUEST_EQ((u64)e->leaf << 32 | a, (u64)e->leaf << 32 | e->a);
		GUEST_EQ(b, e->b);
		GUEST_EQ(c, e->c);
		GUEST_EQ(d, e->d);
	}
}

static void exit_cpuid(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_cpuid_table);
	struct kvm_cpuid2 *cpuid = supported_cpuid();
	struct cpuid_regs *e = *guest_var(vcpu->vm, guest_expected);
	u32 i, n = 0;

	for (i = 0; i < cpuid->nent && n < 64; i++) {
		struct kvm_cpuid_entry2 *from = &cpuid->entries[i];

		/* These depend on XCR0, XSS and the TSC's frequency. */
		if (from->function == 0xd || from->function == 0x15 ||
		    from->function == 0x40000000)
			continue;
		e[n++] = (struct cpuid_regs) {
			from->function, from->index, from->eax, from->ebx,
			from->ecx, from->edx,
		};
		/* CR4 decides on OSXSAVE. */
		if (from->function == 1)
			e[n - 1].c &= ~BIT(27);
		if (from->function == 7 && !from->index)
			e[n - 1].c &= ~BIT(4);
	}
	TEST_TRUE(n > 5);
	*guest_var(vcpu->vm, guest_nr_expected) = n;
	vcpu_expect_done(vcpu);
}

static void guest_cpuid_hypervisor(void)
{
	u32 a, b, c, d;

	guest_cpuid(0x40000000, 0, &a, &b, &c, &d);
	GUEST_EQ(b, 0x4b4d564b);
	GUEST_EQ(c, 0x564b4d56);
	GUEST_EQ(d, 0x4d);
	/* A leaf that nobody set. */
	guest_cpuid(0x80000100, 0, &a, &b, &c, &d);
	GUEST_EQ(a | b | c | d, 0);
}

static void guest_cpuid_osxsave(void)
{
	u32 a, b, c, d;

	guest_cpuid(1, 0, &a, &b, &c, &d);
	GUEST_ASSERT(!(c & BIT(27)));
	write_cr4(read_cr4() | CR4_OSXSAVE);
	guest_cpuid(1, 0, &a, &b, &c, &d);
	GUEST_ASSERT(c & BIT(27));
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	guest_cpuid(1, 0, &a, &b, &c, &d);
	GUEST_ASSERT(!(c & BIT(27)));
}

static void guest_msr_good(void)
{
	static const struct { u32 index; u64 value; } rows[] = {
		{ MSR_STAR, 0x0023001000000000 },
		{ MSR_LSTAR, 0xffffffff81234567 },
		{ MSR_CSTAR, 0x7fffffffffff },
		{ MSR_SYSCALL_MASK, 0x47700 },
		{ MSR_SYSENTER_CS, 0x10 },
		{ MSR_SYSENTER_ESP, 0xffff888000001000 },
		{ MSR_SYSENTER_EIP, 0xffffffff81000000 },
		{ MSR_FS_BASE, 0x7fff12345678 },
		{ MSR_KERNEL_GS_BASE, 0xffff888012345678 },
		{ MSR_PAT, 0x0007040600070406 },
		{ MSR_MTRR_DEF_TYPE, 0xc06 },
		{ 0x26c, 0x0606060606060606 },
	};
	u64 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		wrmsr(rows[i].index, rows[i].value);
		GUEST_EQ(rdmsr(rows[i].index), rows[i].value);
	}
	GUEST_EQ(rdmsr(MSR_EFER), EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	wrmsr(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE);
	GUEST_EQ(rdmsr(MSR_EFER), EFER_LME | EFER_LMA | EFER_NXE);
	GUEST_EQ(rdmsr(MSR_APIC_BASE) & 0xfffff100, 0xfee00100);
	GUEST_EQ(rdmsr(MSR_GS_BASE), &guest_cpus[0]);
}

/* What the guest wrote is what the host reads, and the other way round. */
static void guest_msr_exchange(void)
{
	wrmsr(MSR_LSTAR, 0x1000);
	wrmsr(MSR_STAR, 0x2000);
	wrmsr(MSR_FS_BASE, 0x3000);
	wrmsr(MSR_SYSENTER_EIP, 0x4000);
	GUEST_SYNC(1);
	GUEST_EQ(rdmsr(MSR_LSTAR), 0x5000);
	GUEST_EQ(rdmsr(MSR_STAR), 0x6000);
	GUEST_EQ(rdmsr(MSR_FS_BASE), 0x7000);
	GUEST_EQ(rdmsr(MSR_SYSENTER_EIP), 0x8000);
}

static void msr_exchange(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_msr_exchange);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vcpu_msr(vcpu, MSR_LSTAR), 0x1000);
	TEST_EQ(vcpu_msr(vcpu, MSR_STAR), 0x2000);
	TEST_EQ(vcpu_msr(vcpu, MSR_FS_BASE), 0x3000);
	TEST_EQ(vcpu_msr(vcpu, MSR_SYSENTER_EIP), 0x4000);
	vcpu_set_msr(vcpu, MSR_LSTAR, 0x5000);
	vcpu_set_msr(vcpu, MSR_STAR, 0x6000);
	vcpu_set_msr(vcpu, MSR_FS_BASE, 0x7000);
	vcpu_set_msr(vcpu, MSR_SYSENTER_EIP, 0x8000);
	vcpu_expect_done(vcpu);
}

static void guest_msr_bad(void)
{
	static const struct { u32 index; u64 value; } bad[] = {
		{ MSR_NOT_THERE, 0 },
		{ MSR_EFER, EFER_LME | EFER_LMA | BIT(40) },
		{ MSR_EFER, EFER_LME | EFER_LMA | EFER_SVME },
		{ MSR_EFER, EFER_LMA | EFER_NXE },	/* LME under paging */
		{ MSR_PAT, 0x0202020202020202 },
		{ MSR_MTRR_DEF_TYPE, 0x802 },
		{ MSR_APIC_BASE, 0xfee00400 },
		{ 0xfe, 0 },				/* MTRRcap */
	};
	u64 i, value, efer = rdmsr(MSR_EFER);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 vector = try_wrmsr(bad[i].index, bad[i].value);

		GUEST_EQ(vector << 32 | bad[i].index,
			 (u64)GP_VECTOR << 32 | bad[i].index);
		GUEST_EQ(guest_this_cpu()->error_code, 0);
	}
	GUEST_EQ(rdmsr(MSR_EFER), efer);
	if (!guest_tcg) {	/* which takes any address */
		GUEST_EQ(try_wrmsr(MSR_LSTAR, 0x0001000000000000), GP_VECTOR);
		GUEST_EQ(try_wrmsr(MSR_KERNEL_GS_BASE, BIT(63)), GP_VECTOR);
	}
	GUEST_EQ(try_rdmsr(MSR_NOT_THERE, &value), GP_VECTOR);
	GUEST_EQ(value, 0);
}

static u64 hypercall(bool intel, u64 number)
{
	u64 rax = number, rbx = 0x11, rcx = 0x22, rdx = 0x33, rsi = 0x44;

	if (intel)
		asm volatile("vmcall" : "+a"(rax), "+b"(rbx), "+c"(rcx),
			     "+d"(rdx), "+S"(rsi) : : "memory");
	else
		asm volatile("vmmcall" : "+a"(rax), "+b"(rbx), "+c"(rcx),
			     "+d"(rdx), "+S"(rsi) : : "memory");
	GUEST_EQ(rbx << 24 | rcx << 16 | rdx << 8 | rsi, 0x11223344);
	return rax;
}

static void guest_vmmcall(void)
{
	GUEST_EQ(hypercall(false, HYPERCALL_UNKNOWN), MINUS_ENOSYS);
	GUEST_EQ(hypercall(false, -1ull), MINUS_ENOSYS);
}

static void guest_vmcall(void)
{
	GUEST_EQ(hypercall(true, HYPERCALL_UNKNOWN), MINUS_ENOSYS);
	GUEST_EQ(hypercall(true, HYPERCALL_UNKNOWN), MINUS_ENOSYS);
}

static void user_hypercall(void)
{
	GUEST_EQ(hypercall(false, HYPERCALL_UNKNOWN), MINUS_EPERM);
}

static void guest_vmmcall_user(void)
{
	guest_call_user(user_hypercall);
}

static void guest_rdpmc(void)
{
	GUEST_GP("rdpmc", "c"(0x1234));
	GUEST_GP("rdpmc", "c"(0xffffffff));
}

static void guest_cr0(void)
{
	u64 cr0 = read_cr0();

	write_cr0(cr0 | CR0_TS);
	GUEST_EQ(read_cr0(), cr0 | CR0_TS);
	asm volatile("clts");
	GUEST_EQ(read_cr0(), cr0);
	write_cr0(cr0 | CR0_AM | CR0_CD);
	GUEST_EQ(read_cr0(), cr0 | CR0_AM | CR0_CD);
	write_cr0(cr0);
	write_cr0(cr0 & ~CR0_ET);	/* read as one whatever is written */
	GUEST_EQ(read_cr0(), cr0);
	GUEST_EQ(try_write_cr0(cr0 & ~CR0_PE), GP_VECTOR);
	GUEST_EQ(try_write_cr0(cr0 | CR0_NW), GP_VECTOR);
	GUEST_EQ(try_write_cr0(cr0 & ~CR0_PG), GP_VECTOR);
	if (!guest_tcg)		/* which drops the high half */
		GUEST_EQ(try_write_cr0(cr0 | BIT(32)), GP_VECTOR);
	GUEST_EQ(guest_this_cpu()->error_code, 0);
	GUEST_EQ(read_cr0(), cr0);
}

static void guest_cr0_ts(void)
{
	write_cr0(read_cr0() | CR0_TS);
	asm volatile(GUEST_TRY("fninit") : : : "memory");
	GUEST_EQ(guest_vector(), NM_VECTOR);
	asm volatile("clts");
	asm volatile(GUEST_TRY("fninit") : : : "memory");
	GUEST_EQ(guest_vector(), NO_VECTOR);
}

static void guest_cr3(void)
{
	u64 cr3 = read_cr3(), i;

	for (i = 0; i < 100; i++)
		write_cr3(cr3);
	GUEST_EQ(read_cr3(), cr3);
	if (!guest_tcg)		/* #GP is #VMEXIT(INVALID) there */
		GUEST_EQ(try_write_cr3(cr3 | BIT(60)), GP_VECTOR);
	write_cr2(0x123456789a);
	GUEST_EQ(read_cr2(), 0x123456789a);
}

static void guest_cr4(void)
{
	u64 cr4 = read_cr4();

	write_cr4(cr4 | CR4_PGE | CR4_DE | CR4_TSD);
	GUEST_EQ(read_cr4(), cr4 | CR4_PGE | CR4_DE | CR4_TSD);
	write_cr4(cr4);
	GUEST_EQ(read_cr4(), cr4);
	GUEST_EQ(try_write_cr4(cr4 & ~CR4_PAE), GP_VECTOR);
	GUEST_EQ(try_write_cr4(cr4 | CR4_VMXE), GP_VECTOR);
	GUEST_EQ(try_write_cr4(cr4 | BIT(15)), GP_VECTOR);
	if (!guest_reference)	/* stock KVM looks at the low half alone */
		GUEST_EQ(try_write_cr4(cr4 | BIT(33)), GP_VECTOR);
	GUEST_EQ(read_cr4(), cr4);
}

static void guest_cr8(void)
{
	u64 i;

	for (i = 0; i < 16; i++) {
		write_cr8(i);
		GUEST_EQ(read_cr8(), i);
	}
	GUEST_EQ(try_write_cr8(16), GP_VECTOR);
	GUEST_EQ(try_write_cr8(BIT(63)), GP_VECTOR);
	GUEST_EQ(read_cr8(), 15);
}

static void guest_cr_missing(void)
{
	GUEST_UD(".byte 0x0f, 0x22, 0xc8");		/* CR1 */
	GUEST_UD(".byte 0x0f, 0x20, 0xe8");		/* CR5 */
	GUEST_UD(".byte 0x44, 0x0f, 0x22, 0xc8");	/* CR9 */
	GUEST_UD(".byte 0x0f, 0x20, 0xf8");		/* CR7 */
}

static void guest_smsw_lmsw(void)
{
	u64 cr0 = read_cr0(), value = -1ull;
	u16 word = 0;

	asm volatile("smsw %0" : "=r"(value));
	GUEST_EQ(value, cr0);
	asm volatile("smsww %w0" : "+r"(value));
	GUEST_EQ(value & 0xffff, cr0 & 0xffff);
	asm volatile("smsw %0" : "=m"(word));
	GUEST_EQ(word, cr0 & 0xffff);
	asm volatile("lmsw %w0" : : "r"(CR0_PE | CR0_MP | CR0_TS));
	GUEST_EQ(read_cr0(), cr0 | CR0_TS);
	/* PE cannot be cleared this way, and only four bits count. */
	word = 0xfff0;
	asm volatile("lmsw %0" : : "m"(word));
	GUEST_EQ(read_cr0(), cr0 & ~(CR0_MP | CR0_EM | CR0_TS));
}

static void guest_dr(void)
{
	write_dr0(0x1000);
	write_dr1(0x7fffffffffff);
	write_dr2(0xffffffff81000000);
	write_dr3(0x4000);
	GUEST_EQ(read_dr0(), 0x1000);
	GUEST_EQ(read_dr1(), 0x7fffffffffff);
	GUEST_EQ(read_dr2(), 0xffffffff81000000);
	GUEST_EQ(read_dr3(), 0x4000);
	GUEST_EQ(read_dr6(), 0xffff0ff0);
	GUEST_EQ(read_dr7(), 0x400);
	write_dr6(0xffff4ff5);
	GUEST_EQ(read_dr6(), 0xffff4ff5);
	write_dr7(0x700);
	GUEST_EQ(read_dr7(), 0x700);
	GUEST_EQ(try_write_dr6(BIT(32)), GP_VECTOR);
	GUEST_EQ(try_write_dr7(BIT(40)), GP_VECTOR);
	GUEST_EQ(read_dr7(), 0x700);
	GUEST_SYNC(1);
	GUEST_EQ(read_dr0(), 0x9000);
	GUEST_EQ(read_dr3(), 0x4000);
}

static void exit_dr(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_dr);
	struct kvm_debugregs regs;

	vcpu_expect_sync(vcpu, 1);
	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &regs);
	TEST_EQ(regs.db[0], 0x1000);
	TEST_EQ(regs.db[2], 0xffffffff81000000);
	TEST_EQ(regs.dr6, 0xffff4ff5);
	TEST_EQ(regs.dr7, 0x700);
	regs.db[0] = 0x9000;
	xioctl(vcpu->fd, KVM_SET_DEBUGREGS, &regs);
	vcpu_expect_done(vcpu);
}

static void guest_dr4(void)
{
	u64 value = 0;

	write_dr6(0xffff0ff3);
	asm volatile(GUEST_TRY("mov %%db4, %0") : "+r"(value) : : "memory");
	GUEST_EQ(guest_vector(), NO_VECTOR);
	GUEST_EQ(value, 0xffff0ff3);
	write_cr4(read_cr4() | CR4_DE);
	asm volatile(GUEST_TRY("mov %%db4, %0") : "+r"(value) : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
	asm volatile(GUEST_TRY("mov %0, %%db5") : : "r"(value) : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
}

static void guest_dr_detect(void)
{
	write_dr7(BIT(13) | 0x400);	/* GD */
	asm volatile(GUEST_TRY("mov %%db0, %%rax") : : : "rax", "memory");
	if (guest_reference && guest_tcg)
		return;		/* not intercepted, and not emulated */
	GUEST_EQ(guest_vector(), DB_VECTOR);
	if (!guest_bochs)	/* which exits for #DB before it writes DR6 */
		GUEST_ASSERT(read_dr6() & BIT(13));
	GUEST_EQ(read_dr7(), 0x400);
}

static u64 guest_watched;

static void guest_dr_watch(void)
{
	write_dr0((u64)&guest_watched);
	write_dr7(0x400 | 1 | 0xd0000);		/* 4 bytes, writes */
	write_dr6(0xffff0ff0);
	asm volatile(GUEST_TRY("movl $1, guest_watched; nop")
		     : : : "memory");
	/* VMRUN arms nothing there; the guest's own MOV would have to. */
	if (guest_tcg && guest_vector() == NO_VECTOR)
		GUEST_SYNC(1);
	GUEST_EQ(guest_vector(), DB_VECTOR);
	if (!guest_bochs)
		GUEST_EQ(read_dr6() & 0xf, 1);
	write_dr7(0x400);
	asm volatile(GUEST_TRY("movl $2, guest_watched; nop")
		     : : : "memory");
	GUEST_EQ(guest_vector(), NO_VECTOR);
}

static void exit_dr_watch(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_dr_watch);
	struct guest_message msg;

	if (vcpu_run_message(vcpu, &msg) == MSG_SYNC)
		test_skip("QEMU's VMRUN does not arm the breakpoints of DR7");
}

static void guest_cache(void)
{
	asm volatile("invd" : : : "memory");
	asm volatile("wbinvd" : : : "memory");
}

#define PAGE_A	(GUEST_SCRATCH + 0x10000)
#define PAGE_B	(GUEST_SCRATCH + 0x11000)
#define VIRTUAL	0x40000000ull

static u64 guest_pte;

static void guest_invlpg(void)
{
	u64 i, pte;

	*(u64 *)PAGE_A = 0xa;
	*(u64 *)PAGE_B = 0xb;
	for (i = 0; i < 10; i++) {
		pte = (i & 1 ? PAGE_A : PAGE_B) | PTE_P | PTE_RW;
		WRITE_ONCE(*(u64 *)guest_pte, pte);
		asm volatile("invlpg (%0)" : : "r"(VIRTUAL) : "memory");
		GUEST_EQ(mmio_read64(VIRTUAL), i & 1 ? 0xa : 0xb);
	}
	/* An address that is not canonical is no fault here. */
	asm volatile("invlpg (%0)" : : "r"(0x8000000000000000) : "memory");
}

static void exit_invlpg(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_invlpg);

	vm_map_page(vcpu->vm, VIRTUAL, PAGE_A, PTE_P | PTE_RW);
	*guest_var(vcpu->vm, guest_pte) =
		(u64)((u8 *)vm_pte(vcpu->vm, VIRTUAL) - vcpu->vm->mem);
	vcpu_expect_done(vcpu);
}

static void guest_svm(void)
{
	GUEST_UD("vmrun");
	GUEST_UD("vmload");
	GUEST_UD("vmsave");
	GUEST_UD("stgi");
	GUEST_UD("clgi");
	GUEST_UD("invlpga");
	GUEST_UD("skinit");
}

static void guest_xsetbv(void)
{
	u32 a, b, c, d;

	guest_cpuid(1, 0, &a, &b, &c, &d);
	if (!(c & BIT(26)))
		return;
	GUEST_UD("xsetbv");
	GUEST_UD("xgetbv");
	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	GUEST_EQ(a | (u64)d << 32, 1);
	asm volatile("xsetbv" : : "a"(3), "d"(0), "c"(0));
	asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	GUEST_EQ(a | (u64)d << 32, 3);
	GUEST_GP("xsetbv", "a"(2), "d"(0), "c"(0));
	GUEST_GP("xsetbv", "a"(5), "d"(0), "c"(0));
	GUEST_GP("xsetbv", "a"(1), "d"(0x40000000), "c"(0));
	GUEST_GP("xsetbv", "a"(1), "d"(0), "c"(1));
	asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	GUEST_EQ(a | (u64)d << 32, 3);
	/* CPUID follows: the size of what is enabled. */
	guest_cpuid(0xd, 0, &a, &b, &c, &d);
	GUEST_EQ(b, 512 + 64);
}

static void guest_triple_fault(void)
{
	struct { u16 limit; u64 base; } __packed none = {};

	asm volatile("lidt %0; ud2" : : "m"(none));
}

static void exit_shutdown(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_triple_fault);

	vcpu_expect_exit(vcpu, KVM_EXIT_SHUTDOWN);
	/* A monitor resets such a vCPU and goes on with it. */
	vcpu_set_entry(vcpu, guest_vmmcall);
	vcpu_expect_done(vcpu);
}

static void guest_no_rdtscp(void)
{
	asm volatile(GUEST_TRY("rdtscp") : : : "rax", "rcx", "rdx", "memory");
	if (guest_tcg && guest_vector() == NO_VECTOR)
		GUEST_SYNC(1);
	GUEST_EQ(guest_vector(), UD_VECTOR);
}

/* The host's processor has it; who was not told of it has not. */
static void exit_rdtscp(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_no_rdtscp);
	struct kvm_cpuid2 *cpuid = supported_cpuid();
	struct kvm_cpuid_entry2 *extended = cpuid_find(cpuid, 0x80000001, 0);
	struct kvm_cpuid_entry2 *structured = cpuid_find(cpuid, 7, 0);
	struct guest_message msg;

	if (!(extended->edx & BIT(27)))
		test_skip("no RDTSCP on this host");
	extended->edx &= ~BIT(27);
	if (structured)
		structured->ecx &= ~BIT(22);	/* RDPID */
	xioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	if (vcpu_run_message(vcpu, &msg) == MSG_SYNC)
		test_skip("QEMU's processor does not intercept RDTSCP");
	TEST_EQ(vcpu_message(vcpu, &msg), MSG_DONE);
}

static const struct test_row host_rows[] = {
	{ "cpuid", exit_cpuid },
	{ "msr_exchange", msr_exchange },
	{ "dr", exit_dr },
	{ "dr_watch", exit_dr_watch },
	{ "invlpg", exit_invlpg },
	{ "rdtscp", exit_rdtscp },
	{ "shutdown", exit_shutdown },
};

struct guest_row {
	const char *name;
	void (*guest)(void);
};

static const struct guest_row guest_rows[] = {
	{ "cpuid_hypervisor", guest_cpuid_hypervisor },
	{ "cpuid_osxsave", guest_cpuid_osxsave },
	{ "msr_good", guest_msr_good },
	{ "msr_bad", guest_msr_bad },
	{ "vmmcall", guest_vmmcall },
	{ "vmcall", guest_vmcall },
	{ "vmmcall_user", guest_vmmcall_user },
	{ "rdpmc", guest_rdpmc },
	{ "cr0", guest_cr0 },
	{ "cr0_ts", guest_cr0_ts },
	{ "cr3", guest_cr3 },
	{ "cr4", guest_cr4 },
	{ "cr8", guest_cr8 },
	{ "cr_missing", guest_cr_missing },
	{ "smsw_lmsw", guest_smsw_lmsw },
	{ "dr4", guest_dr4 },
	{ "dr_detect", guest_dr_detect },
	{ "invd_wbinvd", guest_cache },
	{ "svm", guest_svm },
	{ "xsetbv", guest_xsetbv },
};

static void run_guest(const void *row)
{
	struct vcpu *vcpu = vm_with_vcpu(((const struct guest_row *)row)->guest);

	vcpu_expect_done(vcpu);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(guest_rows); i++)
		test_add(run_guest, &guest_rows[i], "exit/%s",
			 guest_rows[i].name);
	test_add_rows("exit", host_rows, ARRAY_SIZE(host_rows));
	return test_run_all(argc, argv);
}
