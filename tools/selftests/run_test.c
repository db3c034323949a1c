// SPDX-License-Identifier: GPL-2.0-only
/* The run loop: port I/O, HLT, signals, windows, the fields of the run page. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define PORT		0x1234
#define BUFFER		(GUEST_SCRATCH + 0x10000)

static void guest_pio_out(void)
{
	outb(PORT, 0x12);
	outw(PORT + 1, 0x3456);
	outl(PORT + 2, 0x789abcde);
	outb(0x80, 0x99);
	outl(0xffff, 0x11223344);
}

static void pio_out(void)
{
	static const struct {
		u16 port;
		u8 size;
		u32 data;
	} expected[] = {
		{ PORT, 1, 0x12 }, { PORT + 1, 2, 0x3456 },
		{ PORT + 2, 4, 0x789abcde }, { 0x80, 1, 0x99 },
		{ 0xffff, 4, 0x11223344 },
	};
	struct vcpu *vcpu = vm_with_vcpu(guest_pio_out);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		u32 data = 0;

		vcpu_expect_io(vcpu, true, expected[i].port, expected[i].size,
			       1);
		memcpy(&data, vcpu_io_data(vcpu), expected[i].size);
		TEST_EQ(data, expected[i].data);
	}
	vcpu_expect_done(vcpu);
}

static void guest_pio_in(void)
{
	u64 rax;

	asm volatile("inb %w1, %b0" : "=a"(rax)
		     : "d"(PORT), "0"(0x1111111122222222));
	GUEST_EQ(rax, 0x11111111222222aa);
	asm volatile("inw %w1, %w0" : "=a"(rax)
		     : "d"(PORT), "0"(0x1111111122222222));
	GUEST_EQ(rax, 0x111111112222bbaa);
	asm volatile("inl %w1, %k0" : "=a"(rax)
		     : "d"(PORT), "0"(0x1111111122222222));
	GUEST_EQ(rax, 0xddccbbaa);
	asm volatile("inb $0x71, %b0" : "=a"(rax) : "0"(0));
	GUEST_EQ(rax, 0xaa);
}

static void pio_in(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_pio_in);
	static const u8 sizes[] = { 1, 2, 4 };
	u32 data = 0xddccbbaa;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		vcpu_expect_io(vcpu, false, PORT, sizes[i], 1);
		memcpy(vcpu_io_data(vcpu), &data, sizes[i]);
	}
	vcpu_expect_io(vcpu, false, 0x71, 1, 1);
	memcpy(vcpu_io_data(vcpu), &data, 1);
	vcpu_expect_done(vcpu);
}

/* String I/O: size and count in arg0, direction flag in arg1. */
struct string_case {
	const char *name;
	u8 size;
	u32 count;
	bool out;
	bool down;
};

static const struct string_case string_cases[] = {
	{ "insb", 1, 1 }, { "insb_rep", 1, 100 },
	{ "insw_rep", 2, 33 }, { "insl_rep", 4, 7 },
	{ "insl_rep_pages", 4, 3000 }, { "insb_rep_zero", 1, 0 },
	{ "insw_rep_down", 2, 5, .down = true },
	{ "outsb", 1, 1, .out = true }, { "outsb_rep", 1, 100, .out = true },
	{ "outsw_rep", 2, 33, .out = true },
	{ "outsl_rep", 4, 7, .out = true },
	{ "outsl_rep_pages", 4, 1500, .out = true },
	{ "outsb_rep_zero", 1, 0, .out = true },
	{ "outsl_rep_down", 4, 5, .out = true, .down = true },
};

static struct string_case guest_string;

#define STRING_IO(text)						\
	asm volatile(text : "+D"(di), "+S"(si), "+c"(count)	\
		     : "d"(PORT) : "memory")

static void guest_string_io(void)
{
	const struct string_case *c = &guest_string;
	u64 count = c->count, start = BUFFER, di, si;
	s64 step = c->down ? -(s64)c->size : c->size;

	if (c->down)
		start += (c->count - 1) * c->size;
	di = start;
	si = start;
	if (c->down)
		asm volatile("std");
	switch (c->size) {
	case 1:
		if (c->out)
			STRING_IO("rep outsb");
		else
			STRING_IO("rep insb");
		break;
	case 2:
		if (c->out)
			STRING_IO("rep outsw");
		else
			STRING_IO("rep insw");
		break;
	case 4:
		if (c->out)
			STRING_IO("rep outsl");
		else
			STRING_IO("rep insl");
		break;
	}
	asm volatile("cld");
	GUEST_EQ(count, 0);
	GUEST_EQ(c->out ? si : di, start + c->count * step);
	GUEST_EQ(c->out ? di : si, start);
}

static void fill_buffer(u8 *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = i * 7 + i / 256 + 1;
}

static u32 step_of_string(struct vcpu *vcpu, const struct string_case *c,
			  u8 *bytes, u32 done)
{
	struct kvm_run *run = vcpu->run;
	u32 i;

	TEST_EQ(run->exit_reason, KVM_EXIT_IO);
	TEST_EQ(run->io.port, PORT);
	TEST_EQ(run->io.size, c->size);
	TEST_EQ(run->io.direction, c->out ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN);
	TEST_TRUE(run->io.count >= 1 && done + run->io.count <= c->count);
	for (i = 0; i < run->io.count; i++) {
		u32 unit = c->down ? c->count - 1 - done - i : done + i;
		u8 *data = (u8 *)vcpu_io_data(vcpu) + i * c->size;

		if (c->out)
			TEST_TRUE(!memcmp(data, bytes + unit * c->size,
					  c->size));
		else
			memcpy(data, bytes + unit * c->size, c->size);
	}
	return run->io.count;
}

static void string_io(const void *row)
{
	const struct string_case *c = row;
	struct vcpu *vcpu = vm_with_vcpu(guest_string_io);
	u8 *ram = vm_host(vcpu->vm, BUFFER), *bytes = malloc(0x10000);
	u32 done = 0;

	*guest_var(vcpu->vm, guest_string) = *c;
	fill_buffer(bytes, 0x10000);
	if (c->out)
		memcpy(ram, bytes, c->count * c->size);
	while (done < c->count) {
		vcpu_run(vcpu);
		done += step_of_string(vcpu, c, bytes, done);
	}
	vcpu_expect_done(vcpu);
	TEST_TRUE(!memcmp(ram, bytes, c->count * c->size));
	TEST_EQ(ram[c->count * c->size], 0);
}

/* RCX belongs to user space while an exit of REP INS is being handled. */
static void guest_ins_changed(u64 count, u64 expected)
{
	u64 rdi = BUFFER, rcx = count;

	asm volatile("rep insb" : "+D"(rdi), "+c"(rcx) : "d"(PORT) : "memory");
	GUEST_EQ(rcx, 0);
	GUEST_EQ(rdi, BUFFER + expected);
}

static void string_rcx_changed(void)
{
	static const u64 counts[][2] = { { 2, 1 }, { 3, 8192 } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		struct vcpu *vcpu = vm_with_vcpu(guest_ins_changed);
		struct guest_message msg;
		struct kvm_regs regs;

		vcpu_set_arg(vcpu, counts[i][0], counts[i][1]);
		vcpu_run(vcpu);
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		regs = vcpu_regs(vcpu);
		TEST_EQ(regs.rcx, counts[i][0]);
		regs.rcx = counts[i][1];
		xioctl(vcpu->fd, KVM_SET_REGS, &regs);
		do {
			memset(vcpu_io_data(vcpu), 0xaa,
			       vcpu->run->io.count * vcpu->run->io.size);
			vcpu_run(vcpu);
			TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		} while (!vcpu_message(vcpu, &msg));
		TEST_EQ(msg.command, MSG_DONE);
	}
}

static void guest_halt(void)
{
	hlt();
	GUEST_SYNC(1);
	cli();
	hlt();
}

static void halt(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_halt);
	u64 rip;

	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	rip = vcpu_regs(vcpu).rip;
	/* Behind the instruction, which is one byte long. */
	TEST_EQ(*(u8 *)vm_host(vcpu->vm, rip - 1), 0xf4);
	vcpu_expect_sync(vcpu, 1);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	vcpu_expect_done(vcpu);
}

static void guest_in(void)
{
	u32 value = inl(PORT);

	GUEST_SYNC_ARGS(1, value, 0, 0);
	GUEST_EQ(mmio_read32(GUEST_MMIO), 0x600d);
}

static void immediate_exit(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_in);
	struct guest_message msg;
	u64 rip;

	vcpu->run->immediate_exit = 1;
	vcpu_expect_eintr(vcpu);
	vcpu->run->immediate_exit = 0;
	vcpu_expect_io(vcpu, false, PORT, 4, 1);
	rip = vcpu_regs(vcpu).rip;
	*(u32 *)vcpu_io_data(vcpu) = 0xfeedf00d;
	/* The IN is finished first, and only then the call is interrupted. */
	vcpu_complete_io(vcpu);
	TEST_EQ(vcpu_regs(vcpu).rax, 0xfeedf00d);
	TEST_EQ(vcpu_regs(vcpu).rip, rip + 1);
	/* Again: nothing is left to finish. */
	*(u32 *)vcpu_io_data(vcpu) = 0;
	vcpu_complete_io(vcpu);
	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.args[1], 0xfeedf00d);
	vcpu_expect_mmio(vcpu, false, GUEST_MMIO, 4);
	*(u32 *)vcpu->run->mmio.data = 0x600d;
	vcpu_complete_io(vcpu);
	vcpu_expect_done(vcpu);
}

static void guest_spin(void)
{
	sti();	/* in Bochs the host's interrupts end no other guest */
	for (;;)
		asm volatile("pause");
}

static int signals;

static void count_signal(int number)
{
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
}

static void catch_usr1(void)
{
	struct sigaction action = { .sa_handler = count_signal };

	sigaction(SIGUSR1, &action, NULL);
}

static void *poke_thread(void *arg)
{
	usleep(30000);
	pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

static void signal_while_running(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_spin);
	pthread_t self = pthread_self(), poker;
	int i;

	catch_usr1();
	for (i = 1; i <= 5; i++) {
		pthread_create(&poker, NULL, poke_thread, &self);
		vcpu_expect_eintr(vcpu);
		TEST_EQ(READ_ONCE(signals), i);
		pthread_join(poker, NULL);
	}
}

static void guest_out_forever(void)
{
	for (;;)
		outb(PORT, 1);
}

static void signal_mask(void)
{
	struct {
		struct kvm_signal_mask head;
		u64 set;
	} mask = { .head.len = 8 };
	struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);
	sigset_t usr1, old;

	catch_usr1();
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	raise(SIGUSR1);
	/* Blocked and pending: of no concern to the run. */
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	/* With a mask that lets it in it ends the run before entry. */
	xioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask);
	vcpu_expect_eintr(vcpu);
	/* And it stays pending, since the mask outside blocks it. */
	sigpending(&usr1);
	TEST_TRUE(sigismember(&usr1, SIGUSR1));
	TEST_EQ(READ_ONCE(signals), 0);
	xioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, NULL);
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	TEST_EQ(READ_ONCE(signals), 1);
}

static void guest_windows(void)
{
	cli();
	GUEST_SYNC(1);
	asm volatile("sti; nop; nop");
	GUEST_SYNC(2);
	cli();
	GUEST_SYNC(3);
	asm volatile("sti; hlt");
	GUEST_SYNC(4);
}

static void interrupt_window(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_windows);
	struct kvm_run *run = vcpu->run;

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(run->if_flag, 0);
	TEST_EQ(run->ready_for_interrupt_injection, 0);
	run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	TEST_EQ(run->if_flag, 1);
	TEST_EQ(run->ready_for_interrupt_injection, 1);
	TEST_TRUE(vcpu_regs(vcpu).rflags & RFLAGS_IF);
	/* Still open: it is reported at once. */
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	run->request_interrupt_window = 0;
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(run->if_flag, 1);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(run->if_flag, 0);
	TEST_EQ(run->ready_for_interrupt_injection, 0);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	TEST_EQ(run->if_flag, 1);
	TEST_EQ(run->ready_for_interrupt_injection, 1);
	vcpu_expect_sync(vcpu, 4);
}

static void guest_tpr(void)
{
	GUEST_EQ(read_cr8(), 0);
	write_cr8(5);
	GUEST_SYNC(1);
	GUEST_EQ(read_cr8(), 3);
	write_cr8(15);
	GUEST_SYNC(2);
	GUEST_EQ(read_cr8(), 15);
}

static u64 run_to_sync(struct vcpu *vcpu, u64 stage)
{
	struct guest_message msg;

	/* A change of CR8 may come out on its own first. */
	do {
		vcpu_run(vcpu);
	} while (vcpu->run->exit_reason == KVM_EXIT_SET_TPR);
	TEST_EQ(vcpu_message(vcpu, &msg), MSG_SYNC);
	TEST_EQ(msg.args[0], stage);
	return vcpu->run->cr8;
}

static void run_page_cr8(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_tpr);

	TEST_EQ(run_to_sync(vcpu, 1), 5);
	TEST_EQ(vcpu_sregs(vcpu).cr8, 5);
	vcpu->run->cr8 = 3;
	TEST_EQ(run_to_sync(vcpu, 2), 15);
	vcpu->run->cr8 = 16;
	TEST_EQ(vcpu_try_run(vcpu), -1);
	TEST_EQ(errno, EINVAL);
	vcpu->run->cr8 = 15;
	vcpu_expect_done(vcpu);
}

static void run_page_apic_base(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_out_forever);
	u64 base = vcpu_sregs(vcpu).apic_base;

	vcpu->run->apic_base = 0x55;
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	TEST_EQ(vcpu->run->apic_base, base);
	TEST_EQ(vcpu->run->flags, 0);
	/* A failed run refreshes the page as well. */
	vcpu->run->apic_base = 0x55;
	vcpu->run->if_flag = 1;
	vcpu_complete_io(vcpu);
	TEST_EQ(vcpu->run->apic_base, base);
	TEST_EQ(vcpu->run->if_flag, 0);
}

/* Registers can be changed between the exit and the next run. */
static void guest_changed(void)
{
	u64 rbx = 1;

	asm volatile("outb %%al, %%dx" : "+b"(rbx) : "a"(0), "d"(PORT));
	GUEST_EQ(rbx, 0x4242);
}

static void registers_changed(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_changed);
	struct kvm_regs regs;

	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	regs = vcpu_regs(vcpu);
	TEST_EQ(regs.rbx, 1);
	regs.rbx = 0x4242;
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
	vcpu_expect_done(vcpu);
}

static void guest_restarted(u64 value)
{
	GUEST_SYNC_ARGS(1, value, 0, 0);
}

static void entry_restarted(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_restarted);
	struct guest_message msg;
	u64 i;

	for (i = 0; i < 20; i++) {
		vcpu_set_entry(vcpu, guest_restarted);
		vcpu_set_arg(vcpu, i, 0);
		vcpu_run_message(vcpu, &msg);
		TEST_EQ(msg.args[1], i);
		vcpu_complete_io(vcpu);
	}
}

static const struct test_row rows[] = {
	{ "pio_out", pio_out },
	{ "pio_in", pio_in },
	{ "string_rcx_changed", string_rcx_changed },
	{ "halt", halt },
	{ "immediate_exit", immediate_exit },
	{ "signal_while_running", signal_while_running },
	{ "signal_mask", signal_mask },
	{ "interrupt_window", interrupt_window },
	{ "run_page_cr8", run_page_cr8 },
	{ "run_page_apic_base", run_page_apic_base },
	{ "registers_changed", registers_changed },
	{ "entry_restarted", entry_restarted },
};

int main(int argc, char **argv)
{
	size_t i;

	test_add_rows("run", rows, ARRAY_SIZE(rows));
	for (i = 0; i < ARRAY_SIZE(string_cases); i++)
		test_add(string_io, &string_cases[i], "string/%s",
			 string_cases[i].name);
	return test_run_all(argc, argv);
}
