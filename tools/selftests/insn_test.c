// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lengths and side effects of intercepted instructions: redundant prefixes,
 * page borders, privilege, traps behind them.
 */
#include <stdlib.h>

#include "harness.h"
#include "vm.h"

#define CODE_PAGE	0x40000000ull	/* two pages, apart in memory */
#define FRAME_A		(GUEST_SCRATCH + 0x20000)
#define FRAME_B		(GUEST_SCRATCH + 0x30000)
#define PORT		0x1234

/* Instructions that exit, in every coating that the processor accepts. */
struct coded {
	const char *name;
	u8 size;
	u8 bytes[14];
	u64 rax, rcx, rdx;
	u32 exit;	/* what user space has to see first */
};

static const struct coded coded[] = {
	{ "cpuid", 2, { 0x0f, 0xa2 } },
	{ "rep_cpuid", 3, { 0xf3, 0x0f, 0xa2 } },
	{ "repne_cpuid", 3, { 0xf2, 0x0f, 0xa2 } },
	{ "opsize_cpuid", 3, { 0x66, 0x0f, 0xa2 } },
	{ "addrsize_cpuid", 3, { 0x67, 0x0f, 0xa2 } },
	{ "rex_cpuid", 3, { 0x48, 0x0f, 0xa2 } },
	{ "cs_cpuid", 3, { 0x2e, 0x0f, 0xa2 } },
	{ "gs_rex_cpuid", 4, { 0x65, 0x4f, 0x0f, 0xa2 } },
	{ "many_cpuid", 8, { 0x2e, 0x66, 0x67, 0xf3, 0x66, 0x41, 0x0f, 0xa2 } },
	{ "longest_cpuid", 14, { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
				 0x66, 0x66, 0x66, 0x66, 0x66, 0x0f, 0xa2 } },
	{ "rdmsr", 2, { 0x0f, 0x32 }, .rcx = MSR_MTRR_DEF_TYPE },
	{ "rex_rdmsr", 3, { 0x48, 0x0f, 0x32 }, .rcx = MSR_MTRR_DEF_TYPE },
	{ "cs_wrmsr", 3, { 0x2e, 0x0f, 0x30 }, 6, MSR_MTRR_DEF_TYPE, 0 },
	{ "vmmcall", 3, { 0x0f, 0x01, 0xd9 }, 0x7777 },
	{ "rex_vmmcall", 4, { 0x48, 0x0f, 0x01, 0xd9 }, 0x7777 },
	{ "ds_hlt", 2, { 0x3e, 0xf4 }, .exit = KVM_EXIT_HLT },
	{ "rep_hlt", 2, { 0xf3, 0xf4 }, .exit = KVM_EXIT_HLT },
	{ "outb", 1, { 0xee }, 0x55, 0, PORT, KVM_EXIT_IO },
	{ "rep_outb", 2, { 0xf3, 0xee }, 0x55, 0, PORT, KVM_EXIT_IO },
	{ "outb_imm", 2, { 0xe6, 0x70 }, 0x55, 0, 0, KVM_EXIT_IO },
	{ "rex_inl", 2, { 0x48, 0xed }, 0, 0, PORT, KVM_EXIT_IO },
	{ "opsize_in", 2, { 0x66, 0xed }, 0, 0, PORT, KVM_EXIT_IO },
	{ "wbinvd", 2, { 0x0f, 0x09 } },
	{ "cs_wbinvd", 3, { 0x2e, 0x0f, 0x09 } },
	{ "invd", 2, { 0x0f, 0x08 } },
	{ "clts", 2, { 0x0f, 0x06 } },
	{ "mov_cr8_rcx", 4, { 0x44, 0x0f, 0x22, 0xc1 }, 0, 3, 0 },
	{ "mov_rcx_cr8", 4, { 0x44, 0x0f, 0x20, 0xc1 } },
	{ "mov_cr0_modrm", 3, { 0x0f, 0x20, 0x00 } },	/* mod is ignored */
	{ "mov_rcx_cr4", 3, { 0x0f, 0x20, 0xe1 } },
	{ "mov_rdx_dr7", 3, { 0x0f, 0x21, 0xfa } },
	{ "rdtsc", 2, { 0x0f, 0x31 } },
	{ "pause", 2, { 0xf3, 0x90 } },
	{ "invlpg", 3, { 0x0f, 0x01, 0x39 } },
	{ "invlpg_sib", 8, { 0x0f, 0x01, 0x3c, 0x25, 0x00, 0x10, 0x00, 0x00 } },
	{ "smsw_rcx", 4, { 0x48, 0x0f, 0x01, 0xe1 } },
};

static struct coded guest_coded;

static void guest_run_code(u64 code)
{
	u64 rax = guest_coded.rax, rcx = guest_coded.rcx;
	u64 rdx = guest_coded.rdx, rbx = 0, r8 = 0;

	asm volatile("xorl %%r8d, %%r8d\n\tcall *%5\n\tmovq %%r8, %0"
		     : "=&r"(r8), "+a"(rax), "+c"(rcx), "+d"(rdx), "+b"(rbx)
		     : "D"(code) : "r8", "memory", "cc");
	GUEST_EQ(r8, 1);
}

static void place_code(struct vcpu *vcpu, const struct coded *c, u32 offset)
{
	/* incl %r8d; ret: a wrong length either misses or repeats it. */
	static const u8 tail[] = { 0x41, 0xff, 0xc0, 0xc3 };
	u8 *a = vm_host(vcpu->vm, FRAME_A), *b = vm_host(vcpu->vm, FRAME_B);
	u8 text[32];
	u32 i;

	memcpy(text, c->bytes, c->size);
	memcpy(text + c->size, tail, sizeof(tail));
	for (i = 0; i < c->size + sizeof(tail); i++) {
		if (offset + i < PAGE_SIZE)
			a[offset + i] = text[i];
		else
			b[offset + i - PAGE_SIZE] = text[i];
	}
}

static void run_coded(const struct coded *c, u32 offset)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_run_code);

	vm_map_page(vcpu->vm, CODE_PAGE, FRAME_A, PTE_P | PTE_RW);
	vm_map_page(vcpu->vm, CODE_PAGE + PAGE_SIZE, FRAME_B, PTE_P | PTE_RW);
	place_code(vcpu, c, offset);
	*guest_var(vcpu->vm, guest_coded) = *c;
	vcpu_set_arg(vcpu, CODE_PAGE + offset, 0);
	if (c->exit)
		vcpu_expect_exit(vcpu, c->exit);
	vcpu_expect_done(vcpu);
	vcpu_free(vcpu);
}

static void length(const void *row)
{
	run_coded(row, 0x100);
}

static void page_border(const void *row)
{
	const struct coded *c = row;
	u32 before;

	for (before = 1; before < c->size; before += before < 3 ? 1 : 5)
		run_coded(c, PAGE_SIZE - before);
}

/* CR moves with each general register: the operand decoding. */
static void guest_cr8_registers(void)
{
#define CR8_WITH(reg, value)						\
	asm volatile("movq %0, %%" reg "\n\tmovq %%" reg ", %%cr8\n\t"	\
		     "xorl %%eax, %%eax\n\tmovq %%cr8, %%" reg "\n\t"	\
		     "movq %%" reg ", %1"				\
		     : : "i"(value), "m"(guest_value) : reg, "rax", "memory"); \
	GUEST_EQ(READ_ONCE(guest_value), value)
	static u64 guest_value;

	CR8_WITH("rcx", 1);
	CR8_WITH("rdx", 2);
	CR8_WITH("rbx", 3);
	CR8_WITH("rsi", 4);
	CR8_WITH("rdi", 5);
	CR8_WITH("r8", 6);
	CR8_WITH("r9", 7);
	CR8_WITH("r10", 8);
	CR8_WITH("r11", 9);
	CR8_WITH("r12", 10);
	CR8_WITH("r13", 11);
	CR8_WITH("r14", 12);
	CR8_WITH("r15", 13);
	/* With RSP, which lives in the VMCB. */
	asm volatile("movq %%rsp, %%rcx; movl $14, %%esp; movq %%rsp, %%cr8\n\t"
		     "movq %%cr8, %%rsp; movq %%rsp, %%rax; movq %%rcx, %%rsp\n\t"
		     "movq %%rax, %0"
		     : "=m"(guest_value) : : "rax", "rcx", "memory");
	GUEST_EQ(READ_ONCE(guest_value), 14);
}

static void guest_tsc(void)
{
	u64 last = rdtsc(), now, i;
	u32 low, high, aux, a, b, c, d;

	for (i = 0; i < 1000; i++) {
		now = rdtsc();
		GUEST_ASSERT(now >= last);
		last = now;
	}
	guest_cpuid(0x80000001, 0, &a, &b, &c, &d);
	if (!(d & BIT(27)))
		return;
	wrmsr(MSR_TSC_AUX, 0x1234);
	asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
	GUEST_EQ(aux, 0x1234);
	GUEST_ASSERT((low | (u64)high << 32) >= last);
	GUEST_EQ(rdmsr(MSR_TSC_AUX), 0x1234);
}

static void guest_monitor(void)
{
	/* Not announced by CPUID: undefined, or nothing at all. */
	asm volatile(GUEST_TRY("monitor")
		     : : "a"(GUEST_SCRATCH), "c"(0), "d"(0) : "memory");
	GUEST_ASSERT(guest_vector() == UD_VECTOR || guest_vector() == NO_VECTOR);
	asm volatile(GUEST_TRY("mwait") : : "a"(0), "c"(0) : "memory");
	GUEST_ASSERT(guest_vector() == UD_VECTOR || guest_vector() == NO_VECTOR);
}

static void guest_invpcid(void)
{
	struct { u64 pcid, address; } descriptor = {};
	u32 a, b, c, d;

	guest_cpuid(7, 0, &a, &b, &c, &d);
	asm volatile(GUEST_TRY("invpcid %0, %1")
		     : : "m"(descriptor), "r"(2ull) : "memory");
	GUEST_EQ(guest_vector(), b & BIT(10) ? NO_VECTOR : UD_VECTOR);
}

static void guest_pause(void)
{
	u32 i;

	for (i = 0; i < 100000; i++)
		asm volatile("pause");
}

static void guest_undefined(void)
{
	GUEST_EQ(read_cr8(), 0);
	asm volatile(GUEST_TRY("ud2") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
	asm volatile(GUEST_TRY(".byte 0x0f, 0x0a") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
	asm volatile(GUEST_TRY(".byte 0x06") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
	asm volatile(GUEST_TRY("rsm") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
	asm volatile(GUEST_TRY(".byte 0xf0, 0x90") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
}

static u64 guest_trap_rip;

static void guest_trap(struct guest_frame *frame)
{
	guest_trap_rip = frame->rip;
	frame->rflags &= ~RFLAGS_TF;
}

static void guest_soft_interrupts(void)
{
	u64 after;

	guest_handlers[BP_VECTOR] = guest_trap;
	guest_handlers[0x70] = guest_trap;
	asm volatile("leaq 1f(%%rip), %0; int3; 1:" : "=r"(after) : : "memory");
	GUEST_EQ(READ_ONCE(guest_trap_rip), after);
	asm volatile("leaq 1f(%%rip), %0; int $0x70; 1:"
		     : "=r"(after) : : "memory");
	GUEST_EQ(READ_ONCE(guest_trap_rip), after);
	asm volatile("leaq 1f(%%rip), %0; int $3; 1:"
		     : "=r"(after) : : "memory");
	GUEST_EQ(READ_ONCE(guest_trap_rip), after);
}

/*
 * The trap flag is set by POPF, so the first trap comes behind the next
 * instruction, even if that one was finished by the hypervisor.
 */
#define STEP_OVER(text, ...) ({						\
	u64 __after;							\
									\
	WRITE_ONCE(guest_trap_rip, 0);					\
	asm volatile("leaq 1f(%%rip), %0\n\tpushfq\n\t"			\
		     "orq $0x100, (%%rsp)\n\tpopfq\n\t" text "\n1:\tnop" \
		     : "=&S"(__after) : __VA_ARGS__			\
		     : "memory", "cc", "rbx");				\
	GUEST_EQ(READ_ONCE(guest_trap_rip), __after);			\
	GUEST_ASSERT(read_dr6() & BIT(14));				\
	write_dr6(0xffff0ff0);						\
})

static void guest_single_step(void)
{
	guest_handlers[DB_VECTOR] = guest_trap;
	STEP_OVER("nop", "a"(0));
	STEP_OVER("cpuid", "a"(0), "c"(0), "d"(0));
	STEP_OVER("rdmsr", "a"(0), "c"(MSR_MTRR_DEF_TYPE), "d"(0));
	STEP_OVER("wbinvd", "a"(0));
	STEP_OVER("movq %%rax, %%cr8", "a"(0));
	STEP_OVER("outb %%al, %%dx", "a"(0), "d"(PORT));
	if (!guest_reference)	/* stock KVM's trap comes one late */
		STEP_OVER("movl %%eax, (%%rdi)", "a"(0), "D"(GUEST_MMIO));
}

static void single_step(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_single_step);

	if (host_is_bochs())
		test_skip("Bochs takes a step that ends in an exit to the host");
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	if (!reference_run())
		vcpu_expect_mmio(vcpu, true, GUEST_MMIO, 4);
	vcpu_expect_done(vcpu);
}

#define USER_GP(text) ({						\
	asm volatile(GUEST_TRY(text)					\
		     : : "a"(0), "c"(MSR_STAR), "d"(0) : "memory");	\
	GUEST_EQ(guest_vector(), GP_VECTOR);				\
	GUEST_EQ(guest_this_cpu()->error_code, 0);			\
})

static void user_privileged(void)
{
	USER_GP("hlt");
	USER_GP("rdmsr");
	USER_GP("wrmsr");
	USER_GP("wbinvd");
	USER_GP("invd");
	USER_GP("clts");
	USER_GP("lmsw %%ax");
	USER_GP("movq %%cr0, %%rax");
	USER_GP("movq %%rax, %%cr3");
	USER_GP("movq %%cr8, %%rax");
	USER_GP("movq %%rax, %%db0");
	USER_GP("invlpg (%%rax)");
	USER_GP("rdtsc");		/* CR4.TSD is set */
	asm volatile(GUEST_TRY("cpuid")
		     : : "a"(0), "c"(0), "d"(0) : "rbx", "memory");
	GUEST_EQ(guest_vector(), NO_VECTOR);
}

static void guest_privilege(void)
{
	write_cr4(read_cr4() | CR4_TSD);
	guest_call_user(user_privileged);
	rdtsc();
}

/* Ring 3 with the I/O privilege level. */
static void user_port(void)
{
	asm volatile(GUEST_TRY("outb %%al, %%dx")
		     : : "a"(0), "d"(PORT) : "memory");
	GUEST_EQ(guest_vector(), NO_VECTOR);
}

static void guest_port(void)
{
	guest_call_user(user_port);
}

static void port_in_ring3(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_port);

	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	vcpu_expect_done(vcpu);
}

struct guest_row {
	const char *name;
	void (*guest)(void);
};

static const struct guest_row guest_rows[] = {
	{ "cr8_registers", guest_cr8_registers },
	{ "tsc", guest_tsc },
	{ "monitor_mwait", guest_monitor },
	{ "invpcid", guest_invpcid },
	{ "pause_loop", guest_pause },
	{ "undefined", guest_undefined },
	{ "soft_interrupts", guest_soft_interrupts },
	{ "privilege", guest_privilege },
};

static void run_guest(const void *row)
{
	struct vcpu *vcpu = vm_with_vcpu(((const struct guest_row *)row)->guest);

	vcpu_expect_done(vcpu);
}

static const struct test_row rows[] = {
	{ "single_step", single_step },
	{ "port_in_ring3", port_in_ring3 },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(coded); i++) {
		test_add(length, &coded[i], "length/%s", coded[i].name);
		if (coded[i].size > 1)
			test_add(page_border, &coded[i], "border/%s",
				 coded[i].name);
	}
	for (i = 0; i < ARRAY_SIZE(guest_rows); i++)
		test_add(run_guest, &guest_rows[i], "insn/%s",
			 guest_rows[i].name);
	test_add_rows("insn", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
