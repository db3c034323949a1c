// SPDX-License-Identifier: GPL-2.0-only
/* Instructions on memory that nothing backs: what leaves, what comes back. */
#include <stdlib.h>

#include "harness.h"
#include "vm.h"

#define AT		(GUEST_MMIO + 0x100)
#define EDGE		(GUEST_MMIO + 0x1000)	/* a page border */
#define BUFFER		(GUEST_SCRATCH + 0x10000)
#define MAX_STEPS	8

struct step {
	bool write;
	u8 len;		/* 0 ends the list */
	u64 gpa;
	u64 data;
};

#define R(gpa, len, data)	{ false, len, gpa, data }
#define W(gpa, len, data)	{ true, len, gpa, data }

struct mmio_case {
	const char *name;
	void (*guest)(u64 gpa, u64 in);
	u64 gpa;
	u64 in;			/* RAX and RCX before */
	u64 result;		/* RAX after */
	u64 flags;		/* of CF, ZF, SF, OF after */
	struct step steps[MAX_STEPS];
};

#define FLAGS	0x8c1ull

/*
 * RDI has the address, RAX and RCX the input, RSI and RDX a buffer in memory;
 * RAX and the flags are reported.
 */
#define GUEST_MMIO_FN(name, text)					\
static void guest_##name(u64 gpa, u64 in)				\
{									\
	u64 rax = in, rcx = in, rdi = gpa, rsi = BUFFER, rdx = BUFFER;	\
	u64 flags;							\
									\
	asm volatile("pushq $2; popfq\n\t" text "\n\tpushfq; popq %0"	\
		     : "=&b"(flags), "+a"(rax), "+c"(rcx), "+D"(rdi),	\
		       "+S"(rsi), "+d"(rdx)				\
		     : : "memory", "cc", "xmm0", "xmm1");		\
	GUEST_SYNC_ARGS(1, rax, flags, rcx);				\
}

GUEST_MMIO_FN(read8, "movb (%%rdi), %%al")
GUEST_MMIO_FN(read8_high, "movb (%%rdi), %%ah")
GUEST_MMIO_FN(read16, "movw (%%rdi), %%ax")
GUEST_MMIO_FN(read32, "movl (%%rdi), %%eax")
GUEST_MMIO_FN(read64, "movq (%%rdi), %%rax")
GUEST_MMIO_FN(read32_r15, "movl (%%rdi), %%r15d; movq %%r15, %%rax")
GUEST_MMIO_FN(read64_sib,
	      "movq $4, %%rcx; movq -32(%%rdi,%%rcx,8), %%rax")
GUEST_MMIO_FN(read32_moffs, "movabsl 0xd0000100, %%eax")
GUEST_MMIO_FN(read32_addr32, "movl (%%edi), %%eax")
GUEST_MMIO_FN(movzx8, "movzbl (%%rdi), %%eax")
GUEST_MMIO_FN(movzx16, "movzwq (%%rdi), %%rax")
GUEST_MMIO_FN(movsx8, "movsbq (%%rdi), %%rax")
GUEST_MMIO_FN(movsx16, "movswl (%%rdi), %%eax")
GUEST_MMIO_FN(movsxd, "movslq (%%rdi), %%rax")
GUEST_MMIO_FN(write8, "movb %%al, (%%rdi)")
GUEST_MMIO_FN(write8_high, "movb %%ah, (%%rdi)")
GUEST_MMIO_FN(write8_sil, "movq %%rax, %%rsi; movb %%sil, (%%rdi)")
GUEST_MMIO_FN(write16, "movw %%ax, (%%rdi)")
GUEST_MMIO_FN(write32, "movl %%eax, (%%rdi)")
GUEST_MMIO_FN(write64, "movq %%rax, (%%rdi)")
GUEST_MMIO_FN(write8_imm, "movb $0x5a, (%%rdi)")
GUEST_MMIO_FN(write32_imm, "movl $0x12345678, 4(%%rdi)")
GUEST_MMIO_FN(write64_imm, "movq $-2, (%%rdi)")
GUEST_MMIO_FN(write16_moffs, "movabsw %%ax, 0xd0000100")
GUEST_MMIO_FN(movnti, "movntil %%eax, (%%rdi)")
GUEST_MMIO_FN(add, "addl %%eax, (%%rdi)")
GUEST_MMIO_FN(add_load, "addl (%%rdi), %%eax")
GUEST_MMIO_FN(adc_lock, "stc; lock adcq %%rax, (%%rdi)")
GUEST_MMIO_FN(sub_imm, "subb $1, (%%rdi)")
GUEST_MMIO_FN(and_imm, "andw $0xff0, (%%rdi)")
GUEST_MMIO_FN(or_lock, "lock orl $0x80, (%%rdi)")
GUEST_MMIO_FN(xor_load, "xorq (%%rdi), %%rax")
GUEST_MMIO_FN(cmp, "cmpl %%eax, (%%rdi)")
GUEST_MMIO_FN(cmp_imm, "cmpl $5, (%%rdi)")
GUEST_MMIO_FN(test, "testb $0x80, (%%rdi)")
GUEST_MMIO_FN(not, "notl (%%rdi)")
GUEST_MMIO_FN(neg, "negl (%%rdi)")
GUEST_MMIO_FN(inc, "incl (%%rdi)")
GUEST_MMIO_FN(dec_lock, "lock decb (%%rdi)")
GUEST_MMIO_FN(xchg, "xchgl %%eax, (%%rdi)")
GUEST_MMIO_FN(xadd, "xaddl %%eax, (%%rdi)")
GUEST_MMIO_FN(cmpxchg, "movl $0x77, %%edx; lock cmpxchgl %%edx, (%%rdi)")
GUEST_MMIO_FN(shl, "shll $1, (%%rdi)")
GUEST_MMIO_FN(sar, "sarl $1, (%%rdi)")
GUEST_MMIO_FN(bt, "btl $3, (%%rdi)")
GUEST_MMIO_FN(bts, "btsl $40, (%%rdi)")
GUEST_MMIO_FN(bts_far, "btsl %%eax, (%%rdi)")
GUEST_MMIO_FN(sete, "cmpl %%eax, %%eax; sete (%%rdi)")
GUEST_MMIO_FN(cmov, "cmpl %%ecx, %%ecx; cmovel (%%rdi), %%eax")
GUEST_MMIO_FN(push_mem, "pushq (%%rdi); popq %%rax")
GUEST_MMIO_FN(pop_mem, "pushq %%rax; popq (%%rdi)")
GUEST_MMIO_FN(movs_from,
	      "xchgq %%rsi, %%rdi; movsl; movl -4(%%rdi), %%eax")
GUEST_MMIO_FN(movs_to, "movq %%rax, (%%rsi); movl $2, %%ecx; rep movsw")
GUEST_MMIO_FN(stos, "movl $3, %%ecx; rep stosl")
GUEST_MMIO_FN(lods, "movq %%rdi, %%rsi; lodsw")
GUEST_MMIO_FN(scas, "movl $8, %%ecx; repne scasb; movq %%rcx, %%rax")
GUEST_MMIO_FN(cmps, "movl $0x33, (%%rsi); cmpsb")
GUEST_MMIO_FN(movups_read,
	      "movups (%%rdi), %%xmm0; movups %%xmm0, (%%rsi); movq 8(%%rsi), %%rax")
GUEST_MMIO_FN(movdqa_write,
	      "movq %%rax, %%xmm0; punpcklqdq %%xmm0, %%xmm0; movdqa %%xmm0, (%%rdi)")
GUEST_MMIO_FN(mul, "mull (%%rdi)")
GUEST_MMIO_FN(imul, "imull $3, (%%rdi), %%eax")

#define ONES	0x1111111111111111ull

static const struct mmio_case cases[] = {
	{ "read8", guest_read8, AT, ONES, 0x11111111111111ab, 0,
	  { R(AT, 1, 0xab) } },
	{ "read8_high", guest_read8_high, AT, ONES, 0x111111111111ab11, 0,
	  { R(AT, 1, 0xab) } },
	{ "read16", guest_read16, AT, ONES, 0x111111111111abcd, 0,
	  { R(AT, 2, 0xabcd) } },
	{ "read32", guest_read32, AT, ONES, 0x89abcdef, 0,
	  { R(AT, 4, 0x89abcdef) } },
	{ "read64", guest_read64, AT, ONES, 0x0123456789abcdef, 0,
	  { R(AT, 8, 0x0123456789abcdef) } },
	{ "read32_r15", guest_read32_r15, AT, ONES, 0x89abcdef, 0,
	  { R(AT, 4, 0x89abcdef) } },
	{ "read64_sib", guest_read64_sib, AT, ONES, 0x55aa55aa, 0,
	  { R(AT, 8, 0x55aa55aa) } },
	{ "read32_disp32", guest_read32_addr32, AT, ONES, 0x77, 0,
	  { R(AT, 4, 0x77) } },
	{ "read32_moffs", guest_read32_moffs, AT, ONES, 0x78, 0,
	  { R(AT, 4, 0x78) } },
	{ "read64_crossing", guest_read64, EDGE - 3, 0, 0x8877665544332211, 0,
	  { R(EDGE - 3, 3, 0x332211), R(EDGE, 5, 0x8877665544) } },
	{ "read16_crossing", guest_read16, EDGE - 1, 0, 0x2211, 0,
	  { R(EDGE - 1, 1, 0x11), R(EDGE, 1, 0x22) } },
	{ "movzx8", guest_movzx8, AT, ONES, 0xf0, 0, { R(AT, 1, 0xf0) } },
	{ "movzx16", guest_movzx16, AT, ONES, 0xf0f1, 0,
	  { R(AT, 2, 0xf0f1) } },
	{ "movsx8", guest_movsx8, AT, ONES, -16ull, 0, { R(AT, 1, 0xf0) } },
	{ "movsx16", guest_movsx16, AT, ONES, 0xfffff0f1, 0,
	  { R(AT, 2, 0xf0f1) } },
	{ "movsxd", guest_movsxd, AT, ONES, -2ull, 0,
	  { R(AT, 4, 0xfffffffe) } },
	{ "write8", guest_write8, AT, 0x1234, 0x1234, 0, { W(AT, 1, 0x34) } },
	{ "write8_high", guest_write8_high, AT, 0x1234, 0x1234, 0,
	  { W(AT, 1, 0x12) } },
	{ "write8_sil", guest_write8_sil, AT, 0x1234, 0x1234, 0,
	  { W(AT, 1, 0x34) } },
	{ "write16", guest_write16, AT, 0x12345678, 0x12345678, 0,
	  { W(AT, 2, 0x5678) } },
	{ "write32", guest_write32, AT, ~0ull, ~0ull, 0,
	  { W(AT, 4, 0xffffffff) } },
	{ "write64", guest_write64, AT, ONES, ONES, 0, { W(AT, 8, ONES) } },
	{ "write64_crossing", guest_write64, EDGE - 6, 0x8877665544332211,
	  0x8877665544332211, 0,
	  { W(EDGE - 6, 6, 0x665544332211), W(EDGE, 2, 0x8877) } },
	{ "write8_imm", guest_write8_imm, AT, 0, 0, 0, { W(AT, 1, 0x5a) } },
	{ "write32_imm", guest_write32_imm, AT, 0, 0, 0,
	  { W(AT + 4, 4, 0x12345678) } },
	{ "write64_imm", guest_write64_imm, AT, 0, 0, 0, { W(AT, 8, -2ull) } },
	{ "write16_moffs", guest_write16_moffs, AT, 0xbeef, 0xbeef, 0,
	  { W(AT, 2, 0xbeef) } },
	{ "movnti", guest_movnti, AT, 0x99, 0x99, 0, { W(AT, 4, 0x99) } },
	{ "add", guest_add, AT, 1, 1, 0x41,
	  { R(AT, 4, 0xffffffff), W(AT, 4, 0) } },
	{ "add_load", guest_add_load, AT, 5, 12, 0, { R(AT, 4, 7) } },
	{ "adc_lock", guest_adc_lock, AT, 4, 4, 0,
	  { R(AT, 8, 0x100000000), W(AT, 8, 0x100000005) } },
	{ "sub_imm", guest_sub_imm, AT, 0, 0, 0x81,
	  { R(AT, 1, 0), W(AT, 1, 0xff) } },
	{ "and_imm", guest_and_imm, AT, 0, 0, 0,
	  { R(AT, 2, 0x1234), W(AT, 2, 0x230) } },
	{ "or_lock", guest_or_lock, AT, 0, 0, 0x80,
	  { R(AT, 4, 0x80000001), W(AT, 4, 0x80000081) } },
	{ "xor_load", guest_xor_load, AT, 0xff, 0xf0, 0, { R(AT, 8, 0xf) } },
	{ "cmp", guest_cmp, AT, 5, 5, 0x40, { R(AT, 4, 5) } },
	{ "cmp_imm", guest_cmp_imm, AT, 0, 0, 0x81, { R(AT, 4, 4) } },
	{ "test", guest_test, AT, 0, 0, 0x80, { R(AT, 1, 0xff) } },
	{ "not", guest_not, AT, 0, 0, 0,
	  { R(AT, 4, 0xff), W(AT, 4, 0xffffff00) } },
	{ "neg", guest_neg, AT, 0, 0, 0x81,
	  { R(AT, 4, 1), W(AT, 4, 0xffffffff) } },
	{ "inc", guest_inc, AT, 0, 0, 0x880,
	  { R(AT, 4, 0x7fffffff), W(AT, 4, 0x80000000) } },
	{ "dec_lock", guest_dec_lock, AT, 0, 0, 0x40,
	  { R(AT, 1, 1), W(AT, 1, 0) } },
	{ "xchg", guest_xchg, AT, 0xaa, 0xbb, 0,
	  { R(AT, 4, 0xbb), W(AT, 4, 0xaa) } },
	{ "xadd", guest_xadd, AT, 3, 4, 0, { R(AT, 4, 4), W(AT, 4, 7) } },
	{ "cmpxchg_equal", guest_cmpxchg, AT, 0x66, 0x66, 0x40,
	  { R(AT, 4, 0x66), W(AT, 4, 0x77) } },
	{ "shl", guest_shl, AT, 0, 0, 0x801,
	  { R(AT, 4, 0x90000001), W(AT, 4, 0x20000002) } },
	{ "sar", guest_sar, AT, 0, 0, 0x80,
	  { R(AT, 4, 0x80000000), W(AT, 4, 0xc0000000) } },
	{ "bt", guest_bt, AT, 0, 0, 1, { R(AT, 4, 8) } },
	{ "bts", guest_bts, AT, 0, 0, 0,
	  { R(AT, 4, 0), W(AT, 4, 0x100) } },
	{ "bts_far", guest_bts_far, AT, 67, 67, 0,
	  { R(AT + 8, 4, 0), W(AT + 8, 4, 8) } },
	{ "sete", guest_sete, AT, 0, 0, 0x40, { W(AT, 1, 1) } },
	{ "cmov", guest_cmov, AT, 1, 0x1234, 0x40, { R(AT, 4, 0x1234) } },
	{ "push_mem", guest_push_mem, AT, 0, 0x5566, 0, { R(AT, 8, 0x5566) } },
	{ "pop_mem", guest_pop_mem, AT, 0x7788, 0x7788, 0,
	  { W(AT, 8, 0x7788) } },
	{ "movs_from", guest_movs_from, AT, 0, 0xcafe, 0,
	  { R(AT, 4, 0xcafe) } },
	{ "movs_to", guest_movs_to, AT, 0x22221111, 0x22221111, 0,
	  { W(AT, 2, 0x1111), W(AT + 2, 2, 0x2222) } },
	{ "stos", guest_stos, AT, 0xabc, 0xabc, 0,
	  { W(AT, 4, 0xabc), W(AT + 4, 4, 0xabc), W(AT + 8, 4, 0xabc) } },
	{ "lods", guest_lods, AT, 0, 0x4321, 0, { R(AT, 2, 0x4321) } },
	{ "scas", guest_scas, AT, 9, 5, 0x40,
	  { R(AT, 1, 1), R(AT + 1, 1, 2), R(AT + 2, 1, 9) } },
	{ "cmps", guest_cmps, AT, 0, 0, 0x40, { R(AT, 1, 0x33) } },
	{ "movups_read", guest_movups_read, AT, 0, 0x2222, 0,
	  { R(AT, 8, 0x1111), R(AT + 8, 8, 0x2222) } },
	{ "movdqa_write", guest_movdqa_write, AT, 0x99, 0x99, 0,
	  { W(AT, 8, 0x99), W(AT + 8, 8, 0x99) } },
	{ "mul", guest_mul, AT, 0x10, 0x20, 0, { R(AT, 4, 2) } },
	{ "imul", guest_imul, AT, 0, 6, 0, { R(AT, 4, 2) } },
};

static void do_step(struct vcpu *vcpu, const struct step *s)
{
	u64 data = 0;

	vcpu_expect_mmio(vcpu, s->write, s->gpa, s->len);
	if (s->write) {
		memcpy(&data, vcpu->run->mmio.data, s->len);
		TEST_EQ(data, s->data);
	} else {
		memcpy(vcpu->run->mmio.data, &s->data, s->len);
	}
}

static void instruction(const void *row)
{
	const struct mmio_case *c = row;
	struct vcpu *vcpu = vm_with_vcpu(c->guest);
	struct guest_message msg;
	int i;

	vcpu_set_arg(vcpu, c->gpa, c->in);
	for (i = 0; i < MAX_STEPS && c->steps[i].len; i++)
		do_step(vcpu, &c->steps[i]);
	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.args[1], c->result);
	TEST_EQ(msg.args[2] & FLAGS, c->flags);
	vcpu_expect_done(vcpu);
}

/* The whole guest-physical space: no address is taken for another. */
static void guest_addresses(void)
{
	u64 i;

	for (i = 0; i < 16; i++)
		mmio_write32(GUEST_MMIO + i * PAGE_SIZE + i * 4, i);
}

static void high_addresses(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_addresses);
	u64 i;

	for (i = 0; i < 16; i++)
		vm_map_page(vcpu->vm, GUEST_MMIO + i * PAGE_SIZE,
			    i ? 1ull << (20 + i) | 0xf0000000 : 0xe0000000,
			    PTE_P | PTE_RW);
	for (i = 0; i < 16; i++)
		vcpu_expect_mmio(vcpu, true, (i ? 1ull << (20 + i) | 0xf0000000
					      : 0xe0000000) + i * 4, 4);
	vcpu_expect_done(vcpu);
}

/* A guest's own page fault comes before anything that leaves. */
static void guest_faults(void)
{
	asm volatile(GUEST_TRY("movl %0, (%1)")
		     : : "r"(1), "r"(GUEST_MMIO) : "memory");
	GUEST_EQ(guest_vector(), PF_VECTOR);
	GUEST_EQ(guest_this_cpu()->cr2, GUEST_MMIO);
	GUEST_EQ(guest_this_cpu()->error_code, 3);
	/* Crossing into a page that is not there: nothing is written. */
	asm volatile(GUEST_TRY("movq %0, (%1)")
		     : : "r"(1ull), "r"(GUEST_MMIO + 0x2ffc) : "memory");
	GUEST_EQ(guest_vector(), PF_VECTOR);
	if (!guest_bochs)	/* whose VMRUN does not load CR2 */
		GUEST_EQ(guest_this_cpu()->cr2, GUEST_MMIO + 0x3000);
	GUEST_EQ(guest_this_cpu()->error_code, 2);
	asm volatile(GUEST_TRY("movl (%0), %%eax")
		     : : "r"(0x8000000000000000) : "rax", "memory");
	GUEST_EQ(guest_vector(), GP_VECTOR);
}

static void faults_first(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_faults);

	vm_map_page(vcpu->vm, GUEST_MMIO, GUEST_MMIO, PTE_P);
	vm_map_page(vcpu->vm, GUEST_MMIO + 0x3000, 0, 0);
	vcpu_expect_done(vcpu);
}

static void guest_execute(void)
{
	((void (*)(void))GUEST_MMIO)();
}

/* There is no exit that could bring instructions in. */
static void execute_from_mmio(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_execute);

	vcpu_run(vcpu);
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	TEST_EQ(vcpu->run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION);
}

static void guest_not_emulated(void)
{
	asm volatile("pmaddwd (%0), %%xmm0"
		     : : "r"(GUEST_MMIO) : "xmm0", "memory");
}

/* What cannot be carried out is reported, with the bytes of it or without. */
static void not_emulated(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_not_emulated);

	vcpu_expect_exit(vcpu, KVM_EXIT_INTERNAL_ERROR);
	TEST_EQ(vcpu->run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION);
	TEST_TRUE(vcpu->run->internal.ndata <= 16);
	TEST_EQ(*(u8 *)vm_host(vcpu->vm, vcpu_regs(vcpu).rip), 0x66);
}

static const struct test_row rows[] = {
	{ "not_emulated", not_emulated },
	{ "high_addresses", high_addresses },
	{ "faults_first", faults_first },
	{ "execute_from_mmio", execute_from_mmio },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_add(instruction, &cases[i], "mmio/%s", cases[i].name);
	test_add_rows("mmio", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
