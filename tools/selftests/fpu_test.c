// SPDX-License-Identifier: GPL-2.0-only
/* x87, SSE and AVX state: nobody sees or changes anybody else's. */
#include <pthread.h>
#include <stdlib.h>

#include "cpus.h"
#include "harness.h"
#include "vm.h"

#define ROUNDS		30
#define PORT		0x1234
#define REGISTERS	16

static bool has_feature(u32 bit)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(supported_cpuid(), 1, 0);

	return e && (e->ecx & BIT(bit));
}

static void guest_try_avx(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
	asm volatile(GUEST_TRY("vxorps %%xmm0, %%xmm0, %%xmm0") : : : "memory");
	GUEST_SYNC_ARGS(1, guest_vector(), 0, 0);
}

/*
 * Can guests use AVX? QEMU's translator announces it, and has been seen to
 * refuse it to what VMRUN starts; nothing else may.
 */
static bool has_avx(void)
{
	struct guest_message msg;

	if (!has_feature(28) || !has_feature(26))
		return false;
	if (!host_is_tcg())
		return true;
	vcpu_run_message(vm_with_vcpu(guest_try_avx), &msg);
	TEST_EQ(msg.args[0], 1);
	return msg.args[1] == NO_VECTOR;
}

static void need_avx(void)
{
	if (!has_avx())
		test_skip("no AVX for guests");
}

/* Registers of one owner, as stored and loaded in one piece. */
struct image {
	u64 ymm[REGISTERS][4];
	u64 fpr[8];
	u32 mxcsr;
	u16 fcw;
};

#define EACH_REGISTER(do)						\
	do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7)			\
	do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)

#define LOAD_SSE(n)	"movups 32*" #n "(%0), %%xmm" #n "\n\t"
#define SAVE_SSE(n)	"movups %%xmm" #n ", 32*" #n "(%0)\n\t"
#define LOAD_AVX(n)	"vmovups 32*" #n "(%0), %%ymm" #n "\n\t"
#define SAVE_AVX(n)	"vmovups %%ymm" #n ", 32*" #n "(%0)\n\t"
#define NAME(n)		"xmm" #n,

#define ALL_XMM	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
		"xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
		"xmm14", "xmm15"

static void fill_image(struct image *image, u64 seed)
{
	u64 i, j;

	for (i = 0; i < REGISTERS; i++) {
		for (j = 0; j < 4; j++)
			image->ymm[i][j] = seed << 48 | i << 8 | j;
	}
	for (i = 0; i < 8; i++)
		image->fpr[i] = seed * 100 + i;
	image->mxcsr = 0x1f80 | (seed & 3) << 13;
	image->fcw = 0x37f & ~((seed & 3) << 8);
}

static inline void load_image(struct image *image, bool avx)
{
	asm volatile("fninit; fldcw %0" : : "m"(image->fcw));
	asm volatile("fildll 0(%0); fildll 8(%0); fildll 16(%0); fildll 24(%0)"
		     : : "r"(image->fpr) : "memory");
	asm volatile("ldmxcsr %0" : : "m"(image->mxcsr));
	if (avx)
		asm volatile(EACH_REGISTER(LOAD_AVX)
			     : : "r"(image->ymm) : "memory", ALL_XMM);
	else
		asm volatile(EACH_REGISTER(LOAD_SSE)
			     : : "r"(image->ymm) : "memory", ALL_XMM);
}

static inline void save_image(struct image *image, bool avx)
{
	if (avx)
		asm volatile(EACH_REGISTER(SAVE_AVX)
			     : : "r"(image->ymm) : "memory");
	else
		asm volatile(EACH_REGISTER(SAVE_SSE)
			     : : "r"(image->ymm) : "memory");
	asm volatile("stmxcsr %0" : "=m"(image->mxcsr));
	asm volatile("fnstcw %0" : "=m"(image->fcw));
	asm volatile("fistpll 24(%0); fistpll 16(%0); fistpll 8(%0); fistpll 0(%0)"
		     : : "r"(image->fpr) : "memory");
}

static struct image guest_in[2], guest_out[2];
static u64 guest_avx;

static bool same_image(const struct image *a, const struct image *b, bool avx)
{
	u64 i, j;

	for (i = 0; i < REGISTERS; i++) {
		for (j = 0; j < (avx ? 4 : 2); j++) {
			if (a->ymm[i][j] != b->ymm[i][j])
				return false;
		}
	}
	for (i = 0; i < 4; i++) {
		if (a->fpr[i] != b->fpr[i])
			return false;
	}
	return a->mxcsr == b->mxcsr && a->fcw == b->fcw;
}

/*
 * Load a pattern, leave to the hypervisor in different ways, save, compare.
 * Nothing between load and save may use a vector register.
 */
static void guest_fpu_loop(u64 seed)
{
	u64 id = guest_this_cpu()->id, round;
	struct image *in = &guest_in[id], *out = &guest_out[id];
	bool avx = guest_avx;

	if (avx) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
	}
	for (round = 0; round < ROUNDS; round++) {
		fill_image(in, seed + round);
		load_image(in, avx);
		asm volatile("cpuid" : : "a"(0), "c"(0)
			     : "rbx", "rdx", "memory");
		asm volatile("outb %%al, %%dx" : : "a"(0), "d"(PORT) : "memory");
		asm volatile("movl %%eax, (%0)" : : "r"(GUEST_MMIO) : "memory");
		save_image(out, avx);
		GUEST_ASSERT(same_image(in, out, avx));
	}
}

/* The monitor's own registers are changed and checked around each run. */
static void step(struct vcpu *vcpu, u64 seed, bool avx)
{
	struct image in, out;
	int ret;

	fill_image(&in, seed);
	load_image(&in, avx);
	asm volatile("syscall" : "=a"(ret)
		     : "0"(16), "D"(vcpu->fd), "S"(KVM_RUN), "d"(0)
		     : "rcx", "r11", "memory");
	save_image(&out, avx);
	asm volatile("fninit; ldmxcsr %0" : : "m"((u32){ 0x1f80 }));
	TEST_TRUE(!ret || ret == -EINTR);
	TEST_TRUE(same_image(&in, &out, avx));
}

static void run_loop(struct vcpu *vcpu, u64 seed, bool avx)
{
	struct guest_message msg;

	do {
		step(vcpu, ++seed, avx);
		TEST_ASSERT(vcpu->run->exit_reason == KVM_EXIT_IO ||
			    vcpu->run->exit_reason == KVM_EXIT_MMIO,
			    "exit %u", vcpu->run->exit_reason);
	} while (!vcpu_message(vcpu, &msg));
	TEST_EQ(msg.command, MSG_DONE);
}

static struct vcpu *fpu_vcpu(struct vm *vm, u32 id, u64 seed, bool avx)
{
	struct vcpu *vcpu = vcpu_create(vm, id, guest_fpu_loop);

	*guest_var(vm, guest_avx) = avx;
	vcpu_set_arg(vcpu, seed, 0);
	return vcpu;
}

static void one_guest(bool avx)
{
	run_loop(fpu_vcpu(vm_create(), 0, 0x10, avx), 0x4000, avx);
}

static void one_guest_sse(void)
{
	one_guest(false);
}

static void one_guest_avx(void)
{
	need_avx();
	one_guest(true);
}

/* One thread, turn by turn: each entry finds another owner's registers. */
static void take_turns(struct vcpu *a, struct vcpu *b, bool avx)
{
	struct vcpu *vcpu[2] = { a, b };
	bool done[2] = {};
	struct guest_message msg;
	u64 i;

	for (i = 0; !done[0] || !done[1]; i++) {
		if (done[i & 1])
			continue;
		step(vcpu[i & 1], i + 7, avx);
		if (vcpu_message(vcpu[i & 1], &msg)) {
			TEST_EQ(msg.command, MSG_DONE);
			done[i & 1] = true;
		}
	}
}

static void two_guests(void)
{
	bool avx = has_avx();

	take_turns(fpu_vcpu(vm_create(), 0, 0x100, avx),
		   fpu_vcpu(vm_create(), 0, 0x200, avx), avx);
}

/* One with wider registers enabled than the other. */
static void two_guests_mixed(void)
{
	need_avx();
	take_turns(fpu_vcpu(vm_create(), 0, 0x100, true),
		   fpu_vcpu(vm_create(), 0, 0x200, false), true);
}

static void two_vcpus(void)
{
	struct vm *vm = vm_create();
	bool avx = has_avx();
	struct vcpu *a = fpu_vcpu(vm, 0, 0x100, avx);

	take_turns(a, fpu_vcpu(vm, 1, 0x200, avx), avx);
}

static void *thread(void *arg)
{
	struct vcpu *vcpu = arg;

	run_loop(vcpu, 0x3000, *guest_var(vcpu->vm, guest_avx));
	return NULL;
}

static void two_threads(void)
{
	struct vm *vm = vm_create();
	bool avx = has_avx();
	struct vcpu *a = fpu_vcpu(vm, 0, 0x100, avx);
	struct vcpu *b = fpu_vcpu(vm, 1, 0x200, avx);
	pthread_t threads[2];

	/* On one processor, so that the scheduler switches between them. */
	TEST_TRUE(run_on_cpu(0));
	TEST_EQ(pthread_create(&threads[0], NULL, thread, a), 0);
	TEST_EQ(pthread_create(&threads[1], NULL, thread, b), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void guest_registers(void)
{
	load_image(&guest_in[0], false);
	asm volatile("outb %%al, %%dx" : : "a"(0), "d"(PORT) : "memory");
	save_image(&guest_out[0], false);
	GUEST_ASSERT(same_image(&guest_in[1], &guest_out[0], false));
}

/* What the guest holds is what the host reads, and the other way round. */
static void exchange(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_registers);
	struct image *in = *guest_var(vcpu->vm, guest_in);
	struct kvm_xsave xsave;
	struct kvm_fpu fpu;
	u64 *xmm = (u64 *)fpu.xmm, i;

	fill_image(&in[0], 0x11);
	in[1] = in[0];
	in[1].ymm[3][0] = 0x1234;
	in[1].ymm[15][1] = 0x5678;
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	xioctl(vcpu->fd, KVM_GET_FPU, &fpu);
	for (i = 0; i < REGISTERS; i++) {
		TEST_EQ(xmm[2 * i], in[0].ymm[i][0]);
		TEST_EQ(xmm[2 * i + 1], in[0].ymm[i][1]);
	}
	TEST_EQ(fpu.fcw, in[0].fcw);
	xioctl(vcpu->fd, KVM_GET_XSAVE, &xsave);
	TEST_EQ(xsave.region[6], in[0].mxcsr);
	TEST_TRUE(!memcmp(&xsave.region[40], fpu.xmm, sizeof(fpu.xmm)));
	memcpy(&xsave.region[40 + 3 * 4], &in[1].ymm[3], 16);
	memcpy(&xsave.region[40 + 15 * 4], &in[1].ymm[15], 16);
	*(u64 *)&xsave.region[128] |= 3;
	xioctl(vcpu->fd, KVM_SET_XSAVE, &xsave);
	vcpu_expect_done(vcpu);
}

static void guest_upper_halves(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
	load_image(&guest_in[0], true);
	/* Off and on again: the state stays where it is. */
	asm volatile("xsetbv" : : "a"(1), "d"(0), "c"(0));
	asm volatile("outb %%al, %%dx" : : "a"(0), "d"(PORT) : "memory");
	asm volatile(GUEST_TRY("vxorps %%ymm0, %%ymm0, %%ymm0") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
	asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
	save_image(&guest_out[0], true);
	GUEST_ASSERT(same_image(&guest_in[0], &guest_out[0], true));
}

/* XCR0 says what may be used, not what is kept. */
static void xcr0_changes(void)
{
	struct kvm_xcrs xcrs;
	struct vcpu *vcpu;

	need_avx();
	vcpu = vm_with_vcpu(guest_upper_halves);
	fill_image(*guest_var(vcpu->vm, guest_in), 0x21);
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	xioctl(vcpu->fd, KVM_GET_XCRS, &xcrs);
	TEST_EQ(xcrs.xcrs[0].value, 1);
	vcpu_expect_done(vcpu);
}

static const struct test_row rows[] = {
	{ "one_guest_sse", one_guest_sse },
	{ "one_guest_avx", one_guest_avx },
	{ "two_guests", two_guests },
	{ "two_guests_mixed", two_guests_mixed },
	{ "two_vcpus", two_vcpus },
	{ "two_threads", two_threads },
	{ "exchange", exchange },
	{ "xcr0_changes", xcr0_changes },
};

int main(int argc, char **argv)
{
	test_add_rows("fpu", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
