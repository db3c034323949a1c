// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against the processor: random instructions run natively and
 * emulated, and registers, defined flags, memory and faults must agree.
 *
 * A case is entered by returning from a signal handler with the case's
 * registers in the signal frame, and left by the breakpoint behind the
 * instruction or by its fault, which brings the next signal. 64-bit and 32-bit
 * code run so, and 16-bit code if the system lets a process make a segment for
 * it.
 *
 * A case that differs is run once more, and counts if it differs again: a hypervisor
 * below that does some instructions itself now and then answers in the processor's place.
 * Where that happens more than once in 10,000 cases, something else is wrong.
 *
 * Not for AddressSanitizer, whose shadow is where wild addresses may point to.
 *
 * Usage: emulate_native [cases [seed]]
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>
#include <asm/ldt.h>

#include "emulate_native.h"
#include "emulate_tap.h"

#define BREAKPOINT	0xcc
#define MAX_REPORTS	10
#define RIGHTS_PRESENT	0x8000	/* in what LAR says */

#define UC_SIGCONTEXT_SS	2
#define UC_STRICT_RESTORE_SS	4

struct native_case current;
enum emulate_mode mode;
u8 *data, *mirror;
u64 seed;

static u8 *code;
static u8 before[DATA_BYTES];
static u16 code_selector, data_selector;
static unsigned long wanted, done, faults, mismatches, once;
static bool running, differs, again;
static sigjmp_buf finish;

/* Operations: the mirror is all the memory there is. */
static enum emulate_outcome page_fault(struct emulate_ctxt *ctxt, u64 address,
				       bool write)
{
	ctxt->exception.vector = 14;
	ctxt->exception.has_error_code = true;
	ctxt->exception.error_code = 4 | (write ? 2 : 0);
	ctxt->exception.address = address;
	return EMULATE_FAULT;
}

static u8 *mirrored(u64 linear, unsigned int bytes)
{
	if (linear < DATA_BASE || linear > DATA_BASE + DATA_BYTES - bytes)
		return NULL;
	return mirror + (linear - DATA_BASE);
}

static enum emulate_outcome op_read(struct emulate_ctxt *ctxt, u64 linear,
				    void *buf, unsigned int bytes,
				    unsigned int access)
{
	u8 *memory = mirrored(linear, bytes);

	if (!memory)
		return page_fault(ctxt, linear, access & EMULATE_ACCESS_MODIFY);
	memcpy(buf, memory, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_write(struct emulate_ctxt *ctxt, u64 linear,
				     const void *buf, unsigned int bytes,
				     unsigned int access)
{
	u8 *memory = mirrored(linear, bytes);

	if (!memory)
		return page_fault(ctxt, linear, true);
	if (!(access & EMULATE_ACCESS_PROBE))
		memcpy(memory, buf, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_cmpxchg(struct emulate_ctxt *ctxt, u64 linear,
				       const void *old, const void *new,
				       unsigned int bytes)
{
	u8 *memory = mirrored(linear, bytes);

	if (!memory)
		return page_fault(ctxt, linear, true);
	if (memcmp(memory, old, bytes))
		return EMULATE_RETRY;
	memcpy(memory, new, bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_check_io(struct emulate_ctxt *ctxt, u16 port,
					unsigned int bytes)
{
	(void)port;
	(void)bytes;
	return emulate_fault_code(ctxt, VECTOR_GP, 0);
}

static u16 native_selector(enum emulate_seg seg)
{
	u16 selector = 0;

	switch (seg) {
	case EMULATE_ES:
		__asm__("mov %%es, %0" : "=r"(selector));
		break;
	case EMULATE_CS:
		selector = code_selector;
		break;
	case EMULATE_SS:
		selector = data_selector;
		break;
	case EMULATE_DS:
		__asm__("mov %%ds, %0" : "=r"(selector));
		break;
	case EMULATE_FS:
		__asm__("mov %%fs, %0" : "=r"(selector));
		break;
	case EMULATE_GS:
		__asm__("mov %%gs, %0" : "=r"(selector));
		break;
	default:
		break;
	}
	return selector;
}

static enum emulate_outcome op_get_segment(struct emulate_ctxt *ctxt,
					   enum emulate_seg seg,
					   struct emulate_segment *segment)
{
	bool is_code = seg == EMULATE_CS;

	(void)ctxt;
	segment->selector = native_selector(seg);
	segment->base = 0;
	segment->limit = 0xffffffff;
	segment->attributes = EMULATE_SEG_P | EMULATE_SEG_S | EMULATE_SEG_DPL |
			      EMULATE_SEG_WRITABLE | EMULATE_SEG_ACCESSED |
			      (is_code ? EMULATE_SEG_CODE : 0);
	if (mode == EMULATE_PROT16) {
		segment->base = is_code ? CODE_BASE : DATA_BASE;
		segment->limit = (is_code ? CODE_BYTES : DATA_BYTES) - 1;
	} else if (mode == EMULATE_PROT32 || !is_code) {
		segment->attributes |= EMULATE_SEG_DB | EMULATE_SEG_G;
	} else {
		segment->attributes |= EMULATE_SEG_L | EMULATE_SEG_G;
	}
	return EMULATE_DONE;
}

static enum emulate_outcome op_get_cr(struct emulate_ctxt *ctxt, unsigned int nr,
				      u64 *value)
{
	(void)ctxt;
	*value = nr == 4 ? CR4_OSFXSR : 0;
	return EMULATE_DONE;
}

static enum emulate_outcome op_read_vector(struct emulate_ctxt *ctxt,
					   unsigned int reg, void *buf,
					   unsigned int bytes)
{
	(void)ctxt;
	memcpy(buf, current.xmm[reg], bytes);
	return EMULATE_DONE;
}

static enum emulate_outcome op_write_vector(struct emulate_ctxt *ctxt,
					    unsigned int reg, const void *buf,
					    unsigned int bytes)
{
	(void)ctxt;
	memcpy(current.xmm[reg], buf, bytes);
	return EMULATE_DONE;
}

static const struct emulate_ops ops = {
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.check_io = op_check_io,
	.get_segment = op_get_segment,
	.get_cr = op_get_cr,
	.read_vector = op_read_vector,
	.write_vector = op_write_vector,
};

static void emulate_case(void)
{
	do {
		current.outcome = emulate_execute(&current.ctxt);
	} while (current.outcome == EMULATE_DONE && current.ctxt.repeat);
}

/* Order of the registers in a signal frame. */
static const int frame_reg[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static void enter_case(ucontext_t *uc)
{
	greg_t *gregs = uc->uc_mcontext.gregs;
	unsigned int i;

	for (i = 0; i < 16; i++)
		gregs[frame_reg[i]] = current.start.regs[i];
	gregs[REG_RIP] = current.start.rip;
	gregs[REG_EFL] = current.start.rflags;
	gregs[REG_CSGSFS] = (gregs[REG_CSGSFS] & 0x0000ffffffff0000ull) |
			    code_selector | (u64)data_selector << 48;
	uc->uc_flags |= UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	memcpy(uc->uc_mcontext.fpregs->_xmm, current.xmm, sizeof(current.xmm));
	memcpy(code + current.offset, current.code, current.start.insn.length);
}

static void report(const char *what, u64 native, u64 emulated)
{
	unsigned int i;

	differs = true;
	if (!again || mismatches++ >= MAX_REPORTS)
		return;
	printf("# %s: native %llx emulated %llx; code", what,
	       (unsigned long long)native, (unsigned long long)emulated);
	for (i = 0; i < current.start.insn.length; i++)
		printf(" %02x", current.code[i]);
	printf("; flags %llx", (unsigned long long)current.start.rflags);
	for (i = 0; i < (mode == EMULATE_LONG64 ? 16 : 8); i++)
		printf(" %llx", (unsigned long long)current.start.regs[i]);
	printf("\n");
}

/* What comes first, alignment or the segment, differs. */
static bool misaligned_in_stack(u8 emulated, u64 native)
{
	switch (current.start.insn.operation) {
	case OP_MOVA:
		return emulated == VECTOR_GP && native == VECTOR_SS;
	case OP_CMPXCHG8B:
		return emulated == VECTOR_SS && native == VECTOR_GP &&
		       current.start.insn.operand_bytes == 8;
	default:
		return false;
	}
}

static void check_fault(const greg_t *gregs)
{
	const struct emulate_exception *e = &current.ctxt.exception;
	u64 error = gregs[REG_ERR];

	faults += !again;
	if (current.outcome != EMULATE_FAULT) {
		report("native fault, outcome", gregs[REG_TRAPNO], current.outcome);
		return;
	}
	if (misaligned_in_stack(e->vector, gregs[REG_TRAPNO]))
		return;
	/* Past 4 GiB, Intel's processors go on at 0, where nothing is. */
	if (mode == EMULATE_PROT32 && gregs[REG_TRAPNO] == 14 &&
	    (e->vector == VECTOR_GP || e->vector == VECTOR_SS) &&
	    __builtin_cpu_is("intel"))
		return;
	if ((u64)gregs[REG_TRAPNO] != e->vector)
		report("vector", gregs[REG_TRAPNO], e->vector);
	/* Whether a page out of reach is present is not the mirror's to know. */
	if (e->vector == 14)
		error &= ~1ull;
	if (e->has_error_code && error != e->error_code)
		report("error code", error, e->error_code);
}

static void check_registers(const greg_t *gregs, bool fault)
{
	u64 mask = mode == EMULATE_LONG64 ? ~0ull : 0xffffffff;
	unsigned int i, count = mode == EMULATE_LONG64 ? 16 : 8;
	u64 flags = FLAGS_ARITH | FLAG_DF;

	for (i = 0; i < count; i++) {
		u64 native = gregs[frame_reg[i]];

		if ((native ^ current.ctxt.regs[i]) & mask)
			report("register", native, current.ctxt.regs[i]);
	}
	if (!fault)
		flags &= ~undefined_flags();
	if ((gregs[REG_EFL] ^ current.ctxt.rflags) & flags)
		report("flags", gregs[REG_EFL], current.ctxt.rflags);
}

/* The code is memory as well, but not the mirror's. */
static bool reached_code(void)
{
	const struct emulate_exception *e = &current.ctxt.exception;

	return current.outcome == EMULATE_FAULT && e->vector == 14 &&
	       e->address - CODE_BASE < CODE_BYTES;
}

static void check_case(const ucontext_t *uc)
{
	const greg_t *gregs = uc->uc_mcontext.gregs;
	bool fault = gregs[REG_TRAPNO] != 3;
	u64 rip = gregs[REG_RIP] - (fault ? 0 : 1);

	if (reached_code()) {
		memset(code, BREAKPOINT, CODE_BYTES);
		memcpy(mirror, data, DATA_BYTES);
		return;
	}
	memset(code + current.offset, BREAKPOINT, 16);
	if (fault)
		check_fault(gregs);
	else if (current.outcome != EMULATE_DONE)
		report("no native fault, outcome and vector", current.outcome,
		       current.ctxt.exception.vector);
	if (undefined_result()) {
		memcpy(mirror, data, DATA_BYTES);
		return;
	}
	check_registers(gregs, fault);
	if (rip != current.ctxt.rip)
		report("instruction pointer", rip, current.ctxt.rip);
	if (memcmp(uc->uc_mcontext.fpregs->_xmm, current.xmm,
		   mode == EMULATE_LONG64 ? 256 : 128))
		report("vector register", 0, 0);
	if (memcmp(data, mirror, DATA_BYTES)) {
		report("memory", 0, 0);
		memcpy(mirror, data, DATA_BYTES);
	}
}

static void restart_case(void)
{
	current.ctxt = current.start;
	memcpy(current.xmm, current.start_xmm, sizeof(current.xmm));
	memcpy(data, before, DATA_BYTES);
	memcpy(mirror, before, DATA_BYTES);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal;
	(void)info;
	if (running) {
		differs = false;
		check_case(uc);
		once += again && !differs;
		again = differs && !again;
		done += !again;
	}
	if (done >= wanted)
		siglongjmp(finish, 1);
	running = true;
	if (again)
		restart_case();
	else
		choose_case(&ops);
	memcpy(before, data, DATA_BYTES);
	enter_case(uc);
	emulate_case();
}

static void install_handlers(void)
{
	static const int signals[] = { SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	static u8 stack[1 << 18];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	unsigned int i;

	sigaltstack(&ss, NULL);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static bool map_memory(void)
{
	unsigned int i;
	u64 value;

	data = mmap((void *)DATA_BASE, DATA_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	code = mmap((void *)CODE_BASE, CODE_BYTES,
		    PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	mirror = malloc(DATA_BYTES);
	if (data == MAP_FAILED || code == MAP_FAILED || !mirror)
		return false;
	memset(code, BREAKPOINT, CODE_BYTES);
	for (i = 0; i < DATA_BYTES; i += 8) {
		value = random_value();
		memcpy(data + i, &value, 8);
	}
	memcpy(mirror, data, DATA_BYTES);
	return true;
}

static bool make_segment(unsigned int entry, u64 base, u64 bytes, bool is_code)
{
	struct user_desc desc = {
		.entry_number = entry,
		.base_addr = base,
		.limit = bytes - 1,
		.contents = is_code ? MODIFY_LDT_CONTENTS_CODE :
				      MODIFY_LDT_CONTENTS_DATA,
	};

	return !syscall(SYS_modify_ldt, 1, &desc, sizeof(desc));
}

/* A kernel that runs no 32-bit programs has segments that are not there. */
static bool segment_present(u16 selector)
{
	u32 rights = 0;
	bool visible;

	__asm__ ("lar %2, %1" : "=@ccz"(visible), "+r"(rights) : "r"((u32)selector));
	return visible && (rights & RIGHTS_PRESENT);
}

/* Selectors for the mode; false if the system does not give them. */
static bool choose_selectors(void)
{
	u16 data_segments;

	switch (mode) {
	case EMULATE_LONG64:
		code_selector = 0x33;
		data_selector = 0x2b;
		return true;
	case EMULATE_PROT32:
		code_selector = 0x23;
		data_selector = 0x2b;
		break;
	default:
		if (!make_segment(0, CODE_BASE, CODE_BYTES, true) ||
		    !make_segment(1, DATA_BASE, DATA_BYTES, false))
			return false;
		code_selector = 0 << 3 | 7;
		data_selector = 1 << 3 | 7;
	}
	if (!segment_present(code_selector) || !segment_present(data_selector))
		return false;
	data_segments = data_selector;
	__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(data_segments));
	return true;
}

enum child_status { CHILD_PASSED, CHILD_FAILED, CHILD_SKIPPED };

static int run_mode(void)
{
	if (!map_memory())
		return CHILD_FAILED;
	if (!choose_selectors())
		return CHILD_SKIPPED;
	install_handlers();
	if (!sigsetjmp(finish, 1))
		__asm__ volatile("int3");
	printf("# %lu cases, %lu of them faults, %lu mismatches, %lu seen only once\n", done,
	       faults, mismatches, once);
	fflush(stdout);
	return mismatches || once > wanted / 10000 || done < wanted ? CHILD_FAILED : CHILD_PASSED;
}

/* In a process of its own: a case that goes astray fails one test. */
static void test_mode(enum emulate_mode which, const char *name)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		mode = which;
		_exit(run_mode());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED) {
		tap_ok(true, "%s # SKIP the system has no segment for it", name);
		return;
	}
	tap_ok(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_PASSED,
	       "%s code runs as the processor runs it", name);
}

int main(int argc, char **argv)
{
	wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	seed = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15ull | 1;
	test_mode(EMULATE_LONG64, "64-bit");
	test_mode(EMULATE_PROT32, "32-bit");
	test_mode(EMULATE_PROT16, "16-bit");
	return tap_done();
}
