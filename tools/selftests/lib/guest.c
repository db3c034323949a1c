// SPDX-License-Identifier: GPL-2.0-only
/* Runs inside the guest only; built without vector registers. */
#include "guest.h"
#include "vm.h"

struct guest_cpu guest_cpus[GUEST_MAX_VCPUS];
guest_handler guest_handlers[256];
bool guest_reference, guest_tcg, guest_bochs;

static void send(struct guest_message *msg)
{
	asm volatile("outb %%al, %%dx"
		     : : "a"(0), "d"(GUEST_PORT), "D"(msg) : "memory");
}

/**
 * guest_send() - hand a message to the host side of the test
 * @command: enum guest_command
 * @a0: first argument; the stage of a MSG_SYNC
 * @a1: free
 * @a2: free
 * @a3: free
 */
void guest_send(u64 command, u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct guest_message *msg = &guest_this_cpu()->msg;

	msg->command = command;
	msg->args[0] = a0;
	msg->args[1] = a1;
	msg->args[2] = a2;
	msg->args[3] = a3;
	send(msg);
}

/**
 * guest_abort() - fail the test from inside the guest
 * @file: where
 * @line: where
 * @text: the assertion
 * @a: value found
 * @b: value expected
 */
void guest_abort(const char *file, u64 line, const char *text, u64 a, u64 b)
{
	struct guest_message *msg = &guest_this_cpu()->msg;

	msg->file = (u64)file;
	msg->line = line;
	msg->text = (u64)text;
	for (;;)
		guest_send(MSG_ABORT, a, b, 0, 0);
}

/** guest_done() - the guest's part is over */
void guest_done(void)
{
	for (;;)
		guest_send(MSG_DONE, 0, 0, 0, 0);
}

void guest_exception(struct guest_frame *frame);

/* Called by the entry stubs. */
void guest_exception(struct guest_frame *frame)
{
	struct guest_cpu *cpu = guest_this_cpu();

	if (cpu->fixup && frame->vector < 32) {
		cpu->vector = frame->vector;
		cpu->error_code = frame->error_code;
		cpu->fault_rip = frame->rip;
		cpu->cr2 = read_cr2();
		frame->rip = cpu->fixup;
		cpu->fixup = 0;
		return;
	}
	if (frame->vector == GUEST_USER_END) {
		frame->rip = (u64)guest_user_return;
		frame->cs = SEL_CODE64;
		frame->ss = SEL_DATA;
		frame->rsp = cpu->user_rsp;
		frame->rflags = RFLAGS_FIXED;
		return;
	}
	if (guest_handlers[frame->vector]) {
		guest_handlers[frame->vector](frame);
		return;
	}
	for (;;)
		guest_send(MSG_EXCEPTION, frame->vector, frame->error_code,
			   frame->rip, read_cr2());
}

/**
 * guest_touch_tables() - have all mapped that the delivery of an event needs
 *
 * For Bochs, which forgets INT n when its delivery ends in a nested page fault,
 * and takes a pending single step to the host when its instruction ends in one.
 */
void guest_touch_tables(void)
{
	u64 tss = GUEST_TSS + guest_this_cpu()->id * 0x100;
	u64 stack;

	READ_ONCE(*(u64 *)GUEST_GDT);
	READ_ONCE(*(u64 *)GUEST_IDT);
	stack = READ_ONCE(*(u64 *)(tss + 4));
	WRITE_ONCE(*(u64 *)(stack - 8), 0);
}

/**
 * guest_call_user() - run a function in ring 3
 * @fn: to be run, with IOPL 3 so that it can send messages
 */
void guest_call_user(void (*fn)(void))
{
	guest_touch_tables();
	guest_enter_user(fn);
}
