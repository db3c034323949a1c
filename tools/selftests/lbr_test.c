// SPDX-License-Identifier: GPL-2.0-only
/*
 * DEBUGCTL and the last-branch records. Without LBR virtualization the guest's
 * DEBUGCTL does not exist for the processor: it reads as zero whatever is written.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "debugfs.h"
#include "harness.h"
#include "vm.h"

#define DEBUGCTL_LBR	BIT(0)
#define DEBUGCTL_BTF	BIT(1)

#define LBR_MSRS	5
static const u32 lbr_msrs[LBR_MSRS] = {
	MSR_DEBUGCTL, MSR_LASTBRANCHFROMIP, MSR_LASTBRANCHTOIP, MSR_LASTINTFROMIP,
	MSR_LASTINTTOIP,
};

/* The guest's copy of this is set by the host. */
static bool guest_has_lbr;

static bool has_lbr(void)
{
	return !reference_run() && module_has("lbrv");
}

static struct vcpu *with_lbr(void *entry)
{
	struct vcpu *vcpu = vm_with_vcpu(entry);

	*guest_var(vcpu->vm, guest_has_lbr) = has_lbr();
	return vcpu;
}

static void guest_debugctl(void)
{
	static const u64 values[] = { 1, 2, 3, 0, 0x3c, 0x3f, 0 };
	u64 i;

	GUEST_EQ(rdmsr(MSR_DEBUGCTL), 0);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		u64 kept = guest_has_lbr ? values[i] & 3 : 0;

		wrmsr(MSR_DEBUGCTL, values[i]);
		GUEST_EQ(rdmsr(MSR_DEBUGCTL), kept);
		GUEST_SYNC_ARGS(i, kept, 0, 0);
	}
	guest_done();
}

static void debugctl(void)
{
	struct vcpu *vcpu = with_lbr(guest_debugctl);
	struct guest_message msg;

	need_module();
	while (vcpu_run_message(vcpu, &msg) == MSG_SYNC)
		TEST_EQ(vcpu_msr(vcpu, MSR_DEBUGCTL), msg.args[1]);
}

static void guest_reserved(void)
{
	static const u8 bits[] = { 6, 7, 11, 14, 15, 31, 32, 63 };
	u64 i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		GUEST_EQ(try_wrmsr(MSR_DEBUGCTL, BIT(bits[i])), GP_VECTOR);
	GUEST_EQ(rdmsr(MSR_DEBUGCTL), 0);
	for (i = 1; i < LBR_MSRS; i++) {
		GUEST_EQ(try_wrmsr(lbr_msrs[i], 0), GP_VECTOR);
		GUEST_EQ(rdmsr(lbr_msrs[i]), 0);
	}
	guest_done();
}

static void reserved(void)
{
	struct vcpu *vcpu = with_lbr(guest_reserved);
	u64 value = BIT(6);

	need_module();
	TEST_EQ(vcpu_try_msr(vcpu, MSR_DEBUGCTL, &value, true), 0);
	vcpu_expect_done(vcpu);
}

/* While nothing is recorded, the guest reads what user space has put there. */
static void guest_reads(void)
{
	u64 i;

	for (i = 0; i < LBR_MSRS; i++)
		GUEST_SYNC_ARGS(i, rdmsr(lbr_msrs[i]), 0, 0);
	guest_done();
}

static void expect_reads(struct vcpu *vcpu, const u64 *values)
{
	struct guest_message msg;
	u64 i;

	for (i = 0; i < LBR_MSRS; i++) {
		TEST_EQ(vcpu_run_message(vcpu, &msg), MSG_SYNC);
		TEST_EQ(msg.args[0], i);
		TEST_ASSERT(msg.args[1] == values[i], "MSR 0x%x is 0x%llx, not 0x%llx",
			    lbr_msrs[i], msg.args[1], values[i]);
		TEST_EQ(vcpu_msr(vcpu, lbr_msrs[i]), values[i]);
	}
	vcpu_expect_done(vcpu);
}

static const u64 some_values[LBR_MSRS] = {
	0, 0xffffffff81000123, 0xffffffff81000456, 0x401000, 0x7fffdeadb000,
};

static void from_user_space(void)
{
	struct vcpu *vcpu = with_lbr(guest_reads);
	u64 i;

	need_feature("lbrv", "LBR virtualization");
	for (i = 0; i < LBR_MSRS; i++)
		vcpu_set_msr(vcpu, lbr_msrs[i], some_values[i]);
	expect_reads(vcpu, some_values);
}

/* All that user space can put back is that there is nothing. */
static void without(void)
{
	static const u64 zeros[LBR_MSRS];
	struct vcpu *vcpu = with_lbr(guest_reads);
	u64 i, value;

	need_module();
	if (has_lbr())
		test_skip("there is LBR virtualization");
	vcpu_set_msr(vcpu, MSR_DEBUGCTL, 3);
	for (i = 1; i < LBR_MSRS; i++) {
		vcpu_set_msr(vcpu, lbr_msrs[i], 0);
		value = 0x1000;
		TEST_EQ(vcpu_try_msr(vcpu, lbr_msrs[i], &value, true), 0);
	}
	expect_reads(vcpu, zeros);
}

static bool listed(const struct kvm_msr_list *list, u32 index)
{
	u32 i;

	for (i = 0; i < list->nmsrs; i++) {
		if (list->indices[i] == index)
			return true;
	}
	return false;
}

/*
 * A VMM that moves whatever is listed moves these. BTF alone has VMRUN load the
 * records, but records nothing.
 */
static void migration(void)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + 1024 * sizeof(u32));
	struct vcpu *from = with_lbr(guest_debugctl), *to = with_lbr(guest_reads);
	u64 i, moved[LBR_MSRS];
	int fd = node_open(O_RDWR);

	need_module();
	list->nmsrs = 1024;
	xioctl(fd, KVM_GET_MSR_INDEX_LIST, list);
	vcpu_expect_sync(from, 0);
	vcpu_expect_sync(from, 1);
	for (i = 0; i < LBR_MSRS; i++) {
		TEST_ASSERT(listed(list, lbr_msrs[i]), "MSR 0x%x", lbr_msrs[i]);
		if (i && has_lbr())
			vcpu_set_msr(from, lbr_msrs[i], some_values[i]);
		moved[i] = vcpu_msr(from, lbr_msrs[i]);
	}
	TEST_EQ(moved[0], has_lbr() ? DEBUGCTL_BTF : 0);
	for (i = LBR_MSRS; i--;)
		vcpu_set_msr(to, lbr_msrs[i], moved[i]);
	expect_reads(to, moved);
}

#define READS	100

static void guest_read_often(void)
{
	u64 i, value;

	/* One by one: nothing but the reads lies between two messages. */
	GUEST_SYNC(0);
	for (i = 0; i < READS; i++)
		try_rdmsr(lbr_msrs[1 + i % 4], &value);
	GUEST_SYNC(1);
	wrmsr(MSR_DEBUGCTL, DEBUGCTL_LBR);
	GUEST_SYNC(2);
	for (i = 0; i < READS; i++)
		try_rdmsr(lbr_msrs[1 + i % 4], &value);
	GUEST_SYNC(3);
	wrmsr(MSR_DEBUGCTL, DEBUGCTL_BTF);
	GUEST_SYNC(4);
	for (i = 0; i < READS; i++)
		try_rdmsr(lbr_msrs[1 + i % 4], &value);
	GUEST_SYNC(5);
	guest_done();
}

/* Host interrupts may add exits, but not as many as there are reads. */
static void direct_reads(void)
{
	static const bool intercepted[] = { true, false, true };
	struct vcpu *vcpu = with_lbr(guest_read_often);
	u64 i, before, taken;

	need_feature("lbrv", "LBR virtualization");
	for (i = 0; i < ARRAY_SIZE(intercepted); i++) {
		vcpu_expect_sync(vcpu, 2 * i);
		before = module_stat("exits");
		vcpu_expect_sync(vcpu, 2 * i + 1);
		taken = module_stat("exits") - before;
		TEST_ASSERT((taken >= READS) == intercepted[i], "%llu exits", taken);
	}
	vcpu_expect_done(vcpu);
}

/* The address of a jump, where it goes, and what the records say of it. */
static void guest_records(void)
{
	u64 from, to, recorded_from, recorded_to;

	wrmsr(MSR_DEBUGCTL, DEBUGCTL_LBR);
	asm volatile("lea 1f(%%rip), %0\n\t"
		     "lea 2f(%%rip), %1\n"
		     "1:\tjmp 2f\n\t"
		     "ud2\n"
		     "2:\tmov %4, %%ecx\n\t"
		     "rdmsr\n\t"
		     "shl $32, %%rdx\n\t"
		     "lea (%%rax, %%rdx), %2\n\t"
		     "mov %5, %%ecx\n\t"
		     "rdmsr\n\t"
		     "shl $32, %%rdx\n\t"
		     "lea (%%rax, %%rdx), %3"
		     : "=&r"(from), "=&r"(to), "=&r"(recorded_from), "=&r"(recorded_to)
		     : "i"(MSR_LASTBRANCHFROMIP), "i"(MSR_LASTBRANCHTOIP)
		     : "rax", "rcx", "rdx", "memory");
	wrmsr(MSR_DEBUGCTL, 0);
	GUEST_SYNC_ARGS(0, recorded_from, recorded_to, 0);
	GUEST_EQ(recorded_from, from);
	GUEST_EQ(recorded_to, to);
	/* No longer recorded, but still there. */
	GUEST_EQ(rdmsr(MSR_LASTBRANCHFROMIP), recorded_from);
	GUEST_EQ(rdmsr(MSR_LASTBRANCHTOIP), recorded_to);
	guest_done();
}

static void recorded(void)
{
	struct vcpu *vcpu = with_lbr(guest_records);
	struct guest_message msg;

	need_feature("lbrv", "LBR virtualization");
	TEST_EQ(vcpu_run_message(vcpu, &msg), MSG_SYNC);
	if (!msg.args[1] && !msg.args[2] && host_is_bochs())
		test_skip("Bochs offers LBR virtualization but records nothing");
	vcpu_expect_done(vcpu);
}

static u64 trap_rip, trap_debugctl;

static void guest_on_trap(struct guest_frame *frame)
{
	trap_rip = frame->rip;
	trap_debugctl = rdmsr(MSR_DEBUGCTL);
	frame->rflags &= ~RFLAGS_TF;
}

/* TF is set by the first POPF; the trap is behind the instruction after it. */
#define STEP_OVER(insn, behind)						\
	asm volatile("lea 1f(%%rip), %0\n\t"				\
		     "pushfq\n\t"					\
		     "orl $0x100, (%%rsp)\n\t"				\
		     "popfq\n\t"					\
		     insn "\n"						\
		     "1:\tnop\n\t"					\
		     "jmp 2f\n"						\
		     "2:\tnop\n\t"					\
		     "pushfq\n\t"					\
		     "andl $~0x100, (%%rsp)\n\t"			\
		     "popfq"						\
		     : "=&r"(behind)					\
		     : : "rax", "rbx", "rcx", "rdx", "memory", "cc")

/* A CPUID is finished by the hypervisor, and no branch. */
static void guest_branch_step(void)
{
	u64 behind;

	guest_handlers[DB_VECTOR] = guest_on_trap;
	STEP_OVER("cpuid", behind);
	GUEST_EQ(trap_rip, behind);
	wrmsr(MSR_DEBUGCTL, DEBUGCTL_BTF);
	STEP_OVER("cpuid", behind);
	GUEST_EQ(trap_rip == behind, !guest_has_lbr);
	GUEST_EQ(trap_debugctl, 0);
	GUEST_EQ(rdmsr(MSR_DEBUGCTL), 0);
	guest_done();
}

static void branch_step(void)
{
	need_module();
	if (host_is_bochs())
		test_skip("Bochs gives the trap behind an intercepted instruction to the host");
	vcpu_expect_done(with_lbr(guest_branch_step));
}

/* #DB ends the recording before its handler runs. */
static void guest_debug_ends(void)
{
	u64 behind;

	guest_handlers[DB_VECTOR] = guest_on_trap;
	wrmsr(MSR_DEBUGCTL, DEBUGCTL_LBR);
	trap_debugctl = ~0ull;
	STEP_OVER("nop", behind);
	GUEST_EQ(trap_rip, behind);
	GUEST_EQ(trap_debugctl, 0);
	GUEST_EQ(rdmsr(MSR_DEBUGCTL), 0);
	guest_done();
}

static void debug_ends(void)
{
	need_module();
	vcpu_expect_done(with_lbr(guest_debug_ends));
}

/* User space steps from instruction to instruction, whatever the guest asked for. */
static void guest_stepped(void)
{
	wrmsr(MSR_DEBUGCTL, DEBUGCTL_BTF);
	GUEST_SYNC(0);
	asm volatile(".fill 32, 1, 0x90");
	guest_done();
}

static void stepped_by_user(void)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};
	struct vcpu *vcpu = with_lbr(guest_stepped);
	u64 pc = 0, next, consecutive = 0;
	int i;

	need_module();
	vcpu_expect_sync(vcpu, 0);
	xioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
	for (i = 0; i < 200 && consecutive < 31; i++) {
		vcpu_expect_exit(vcpu, KVM_EXIT_DEBUG);
		TEST_EQ(vcpu_msr(vcpu, MSR_DEBUGCTL), has_lbr() ? DEBUGCTL_BTF : 0);
		next = vcpu->run->debug.arch.pc;
		consecutive = next == pc + 1 ? consecutive + 1 : 0;
		pc = next;
	}
	TEST_EQ(consecutive, 31);
	debug.control = 0;
	xioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
	vcpu_expect_done(vcpu);
	TEST_EQ(vcpu_msr(vcpu, MSR_DEBUGCTL), has_lbr() ? DEBUGCTL_BTF : 0);
}

/* Each vCPU has its own, and so has the host. */
static void guest_own(void)
{
	u64 wanted = guest_has_lbr ? DEBUGCTL_LBR : 0;

	GUEST_EQ(rdmsr(MSR_DEBUGCTL), 0);
	wrmsr(MSR_DEBUGCTL, wanted);
	GUEST_SYNC(0);
	GUEST_EQ(rdmsr(MSR_DEBUGCTL), wanted);
	guest_done();
}

static void own(void)
{
	struct vcpu *first = with_lbr(guest_own), *second;

	need_module();
	vcpu_expect_sync(first, 0);
	second = vcpu_create(first->vm, 1, guest_own);
	TEST_EQ(vcpu_msr(second, MSR_DEBUGCTL), 0);
	vcpu_expect_sync(second, 0);
	vcpu_expect_done(first);
	vcpu_expect_done(second);
}

static const struct test_row rows[] = {
	{ "debugctl", debugctl },
	{ "reserved", reserved },
	{ "from_user_space", from_user_space },
	{ "without", without },
	{ "migration", migration },
	{ "exits", direct_reads },
	{ "records", recorded },
	{ "branch_step", branch_step },
	{ "debug_ends", debug_ends },
	{ "stepped_by_user", stepped_by_user },
	{ "own", own },
};

int main(int argc, char **argv)
{
	test_add_rows("lbr", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
