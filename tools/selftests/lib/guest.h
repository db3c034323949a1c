/* SPDX-License-Identifier: GPL-2.0-only */
/* What runs inside the guest: messages, assertions, exceptions, instructions. */
#ifndef SELFTEST_GUEST_H
#define SELFTEST_GUEST_H

#include "types.h"
#include "x86.h"

#define GUEST_PORT	0x0f10	/* OUT to here: message at RDI */
#define GUEST_MAX_VCPUS	32

#define SEL_CODE64	0x08
#define SEL_DATA	0x10
#define SEL_CODE32	0x18
#define SEL_UDATA	0x23
#define SEL_UCODE64	0x2b
#define SEL_TSS		0x30
#define SEL_CODE16	0x40
#define SEL_DATA16	0x48
#define SEL_UCODE32	0x53

enum guest_command {
	MSG_SYNC = 1,
	MSG_DONE,
	MSG_ABORT,	/* an assertion failed */
	MSG_EXCEPTION,	/* an exception that nobody expected */
};

struct guest_message {
	u64 command;
	u64 args[4];
	u64 file;		/* guest address of a string */
	u64 line;
	u64 text;
};

/* One per vCPU, at GS.base in the guest. */
struct guest_cpu {
	u64 fixup;		/* where to go on after an expected exception */
	u64 vector;
	u64 error_code;
	u64 fault_rip;
	u64 cr2;
	u64 id;
	u64 user_rsp;		/* stack to come back to from ring 3 */
	struct guest_message msg;
};

struct guest_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error_code;
	u64 rip, cs, rflags, rsp, ss;
};

typedef void (*guest_handler)(struct guest_frame *frame);

/* apic_entry.S counts on it. */
_Static_assert(sizeof(struct guest_cpu) == 120, "size of guest_cpu");

extern struct guest_cpu guest_cpus[GUEST_MAX_VCPUS];
extern guest_handler guest_handlers[256];
/* reference_run(), host_is_tcg() and host_is_bochs(), for the guest */
extern bool guest_reference, guest_tcg, guest_bochs;
extern char guest_stubs[];	/* 256 entry points, 16 bytes apart */
extern char guest_user_return[];

#define GUEST_USER_END	0x81	/* the vector that ends ring 3 */

void guest_send(u64 command, u64 a0, u64 a1, u64 a2, u64 a3);
void guest_abort(const char *file, u64 line, const char *text, u64 a, u64 b);
void guest_done(void) __noreturn;
void guest_touch_tables(void);
void guest_call_user(void (*fn)(void));
void guest_enter_user(void (*fn)(void));	/* guest_call_user()'s */

static inline struct guest_cpu *guest_this_cpu(void)
{
	u64 id;

	asm volatile("mov %%gs:%c1, %0"
		     : "=r"(id) : "i"(offsetof(struct guest_cpu, id)));
	return &guest_cpus[id];
}

#define GUEST_SYNC_ARGS(stage, a, b, c) \
	guest_send(MSG_SYNC, stage, (u64)(a), (u64)(b), (u64)(c))
#define GUEST_SYNC(stage)	GUEST_SYNC_ARGS(stage, 0, 0, 0)

#define GUEST_ASSERT(cond) ({						\
	if (!(cond))							\
		guest_abort(__FILE__, __LINE__, #cond, 0, 0);		\
})

#define GUEST_EQ(a, b) ({						\
	u64 __ga = (u64)(a), __gb = (u64)(b);				\
	if (__ga != __gb)						\
		guest_abort(__FILE__, __LINE__, #a " == " #b, __ga, __gb); \
})

/*
 * GUEST_TRY() wraps the text of an instruction: an exception on it is recorded
 * and execution goes on behind it. Ask guest_vector() right after the asm.
 */
#define GUEST_TRY(insn)							\
	"movq $0xffff, %%gs:8\n\t"					\
	"movq $771f, %%gs:0\n\t"					\
	insn "\n"							\
	"771:\tmovq $0, %%gs:0\n\t"

static inline u64 guest_vector(void)
{
	return guest_this_cpu()->vector;
}

#include "insn.h"

#endif
