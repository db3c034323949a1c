// SPDX-License-Identifier: GPL-2.0-only
/* Events that the host puts in: exceptions, interrupts, NMIs, debug stops. */
#include <stdlib.h>

#include "harness.h"
#include "vm.h"

#define PORT	0x1234

static struct guest_frame guest_got;
static u64 guest_count, guest_got_cr2;

static void guest_record(struct guest_frame *frame)
{
	guest_got = *frame;
	guest_got_cr2 = read_cr2();
	guest_count++;
	frame->rflags &= ~RFLAGS_TF;
}

static void guest_take_all(void)
{
	u32 i;

	for (i = 0; i < 256; i++) {
		if (i != GUEST_USER_END)
			guest_handlers[i] = guest_record;
	}
}

/* The event arrives before the instruction at guest_resume. */
extern char guest_resume[];

static void guest_wait_exception(void)
{
	guest_take_all();
	GUEST_SYNC(1);
	asm volatile(".globl guest_resume\nguest_resume:\n\tnop");
	GUEST_SYNC(2);
}

static bool has_error_code(u32 vector)
{
	return vector == DF_VECTOR || (vector >= TS_VECTOR &&
	       vector <= PF_VECTOR) || vector == AC_VECTOR || vector == 21;
}

/* #BP and #OF are traps of instructions; a host can put them in all the same. */
static const u8 vectors[] = { 0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16,
			      17, 18, 19 };

static void exception(const void *row)
{
	u32 vector = *(const u8 *)row;
	struct vcpu *vcpu = vm_with_vcpu(guest_wait_exception);
	struct kvm_vcpu_events events;
	struct guest_frame *got = guest_var(vcpu->vm, guest_got);
	struct kvm_sregs sregs;

	if (reference_run() && (vector == BP_VECTOR || vector == OF_VECTOR))
		test_skip("stock KVM needs NRIPS for it");
	vcpu_expect_sync(vcpu, 1);
	vcpu_complete_io(vcpu);
	vcpu_set_rip(vcpu, (u64)guest_resume);
	sregs = vcpu_sregs(vcpu);
	sregs.cr2 = 0x12345000;
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	events = vcpu_events(vcpu);
	events.exception.injected = 1;
	events.exception.nr = vector;
	events.exception.has_error_code = has_error_code(vector);
	events.exception.error_code = vector == DF_VECTOR ? 0 : 0x14;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 1);
	TEST_EQ(got->vector, vector);
	TEST_EQ(got->error_code,
		has_error_code(vector) && vector != DF_VECTOR ? 0x14 : 0);
	/*
	 * Without the help of newer processors the two that instructions
	 * raise come out as if theirs had been executed, or as they are.
	 */
	if (vector != BP_VECTOR && vector != OF_VECTOR)
		TEST_EQ(got->rip, guest_resume);
	TEST_EQ(got->cs, SEL_CODE64);
	if (!host_is_bochs())	/* whose VMRUN does not load CR2 */
		TEST_EQ(*guest_var(vcpu->vm, guest_got_cr2), 0x12345000);
	TEST_EQ(vcpu_events(vcpu).exception.injected, 0);
}

static void guest_wait_interrupt(void)
{
	guest_take_all();
	GUEST_SYNC(1);
	asm volatile("sti; nop; nop; nop");
	GUEST_SYNC(2);
	cli();
	GUEST_SYNC(3);
}

static void inject(struct vcpu *vcpu, u32 vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	xioctl(vcpu->fd, KVM_INTERRUPT, &irq);
}

static const u8 interrupt_vectors[] = { 0x10, 0x1f, 0x20, 0x30, 0x31, 0x7f,
					0x80, 0xc3, 0xef, 0xfe, 0xff };

/* As a monitor with a controller of its own does: ask for the window first. */
static void interrupt(const void *row)
{
	u32 vector = *(const u8 *)row;
	struct vcpu *vcpu = vm_with_vcpu(guest_wait_interrupt);
	struct guest_frame *got = guest_var(vcpu->vm, guest_got);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vcpu->run->ready_for_interrupt_injection, 0);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 0);
	vcpu->run->request_interrupt_window = 0;
	inject(vcpu, vector);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 1);
	TEST_EQ(got->vector, vector);
	TEST_EQ(got->error_code, 0);
	TEST_TRUE(got->rflags & RFLAGS_IF);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 1);
}

static void guest_halt_loop(void)
{
	u64 i;

	guest_take_all();
	for (i = 1; i <= 50; i++) {
		asm volatile("sti; hlt; cli");
		GUEST_EQ(guest_count, i);
		GUEST_EQ(guest_got.vector, 0x20 + i);
	}
}

/* An interrupt wakes from HLT, whose exit came to user space. */
static void interrupt_after_halt(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_halt_loop);
	u32 i;

	for (i = 1; i <= 50; i++) {
		vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
		TEST_EQ(vcpu->run->if_flag, 1);
		TEST_EQ(vcpu->run->ready_for_interrupt_injection, 1);
		inject(vcpu, 0x20 + i);
	}
	vcpu_expect_done(vcpu);
}

static u64 guest_shadow_end;

static void guest_sti_shadow(void)
{
	guest_take_all();
	cli();
	GUEST_SYNC(1);
	asm volatile("sti\n\toutb %%al, %%dx\n1:\tnop\n\tleaq 1b(%%rip), %0"
		     : "=r"(guest_shadow_end) : "a"(0), "d"(PORT) : "memory");
	GUEST_EQ(guest_got.rip, guest_shadow_end);
	cli();
	GUEST_EQ(guest_count, 1);
}

/* Behind STI one more instruction runs, even one that leaves to user space. */
static void sti_shadow(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_sti_shadow);

	vcpu_expect_sync(vcpu, 1);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	vcpu->run->request_interrupt_window = 0;
	inject(vcpu, 0x44);
	vcpu_expect_done(vcpu);
}

static void guest_mov_ss_shadow(void)
{
	guest_take_all();
	asm volatile("sti; nop");
	GUEST_SYNC(1);
	asm volatile("movw %%ss, %%cx\n\tmovw %%cx, %%ss\n\toutb %%al, %%dx\n"
		     "1:\tnop\n\tleaq 1b(%%rip), %0"
		     : "=r"(guest_shadow_end) : "a"(0), "d"(PORT)
		     : "rcx", "memory");
	cli();
	GUEST_EQ(guest_count, 1);
}

static void mov_ss_shadow(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_mov_ss_shadow);

	vcpu_expect_sync(vcpu, 1);
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	vcpu->run->request_interrupt_window = 0;
	inject(vcpu, 0x45);
	vcpu_expect_done(vcpu);
}

static void guest_nmi(struct guest_frame *frame)
{
	guest_count++;
	GUEST_SYNC_ARGS(100, guest_count, 0, 0);
}

static void guest_wait_nmi(void)
{
	guest_handlers[NMI_VECTOR] = guest_nmi;
	GUEST_SYNC(1);
	asm volatile("nop; nop");
	GUEST_SYNC(2);
	GUEST_EQ(guest_count, 2);
	asm volatile("nop");
	GUEST_SYNC(3);
}

static u64 nmi_number(struct vcpu *vcpu)
{
	struct guest_message msg;

	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.command, MSG_SYNC);
	TEST_EQ(msg.args[0], 100);
	return msg.args[1];
}

static void nmi(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_wait_nmi);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(vcpu_events(vcpu).nmi.masked, 0);
	xioctl(vcpu->fd, KVM_NMI, 0);
	TEST_EQ(nmi_number(vcpu), 1);
	TEST_EQ(vcpu_events(vcpu).nmi.masked, 1);
	TEST_EQ(vcpu_events(vcpu).nmi.pending, 0);
	/* In the handler: the second one is held back until IRET. */
	xioctl(vcpu->fd, KVM_NMI, 0);
	TEST_EQ(nmi_number(vcpu), 2);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(vcpu_events(vcpu).nmi.masked, 0);
	vcpu_expect_sync(vcpu, 3);
	vcpu_expect_done(vcpu);
}

static void guest_nmi_quiet(struct guest_frame *frame)
{
	guest_count++;
	GUEST_SYNC(100);
	GUEST_EQ(guest_count, 1);
	GUEST_SYNC(101);
}

static void guest_wait_nmi_masked(void)
{
	guest_handlers[NMI_VECTOR] = guest_nmi_quiet;
	GUEST_SYNC(1);
	asm volatile("nop; nop");
	GUEST_SYNC(2);
}

/* While the handler runs, no second one comes. */
static void nmi_masked(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_wait_nmi_masked);

	vcpu_expect_sync(vcpu, 1);
	xioctl(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_sync(vcpu, 100);
	xioctl(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_sync(vcpu, 101);
	TEST_TRUE(vcpu_events(vcpu).nmi.pending);
	/* Told that it is over, the vCPU takes the next one. */
	*guest_var(vcpu->vm, guest_count) = 0;
	vcpu_expect_sync(vcpu, 100);
}

/* An IRET to the next instruction. */
static void guest_iret_to_nmi(void)
{
	guest_take_all();
	guest_touch_tables();
	GUEST_SYNC(1);
	asm volatile("mov %%ss, %%eax; push %%rax; lea 8(%%rsp), %%rcx; push %%rcx\n\t"
		     "pushfq; mov %%cs, %%eax; push %%rax; lea 1f(%%rip), %%rax; push %%rax\n\t"
		     "iretq\n"
		     "1: nop; nop"
		     : : : "rax", "rcx", "memory");
	GUEST_EQ(guest_count, 1);
	GUEST_EQ(guest_got.vector, NMI_VECTOR);
}

/* User space has set a vCPU up in the middle of its handler, as after a migration. */
static void nmi_masked_by_user(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_iret_to_nmi);
	struct kvm_vcpu_events events;

	vcpu_expect_sync(vcpu, 1);
	events = vcpu_events(vcpu);
	events.nmi.masked = 1;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	xioctl(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_done(vcpu);
}

static void guest_nmi_count(struct guest_frame *frame)
{
	guest_count++;
}

static void guest_nmi_shadow(void)
{
	guest_handlers[NMI_VECTOR] = guest_nmi_count;
	GUEST_SYNC(1);
	asm volatile("nop");
	GUEST_EQ(guest_count, 1);
}

static void nmi_into_shadow(struct vcpu *vcpu)
{
	struct kvm_vcpu_events events = vcpu_events(vcpu);

	events.interrupt.shadow = KVM_X86_SHADOW_INT_MOV_SS;
	events.nmi.pending = 1;
	events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

/* An interrupt shadow ends after an instruction, and with it the NMI's wait. */
static void nmi_in_shadow(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_nmi_shadow);

	vcpu_expect_sync(vcpu, 1);
	vcpu_complete_io(vcpu);
	nmi_into_shadow(vcpu);
	vcpu_expect_done(vcpu);
	TEST_EQ(vcpu_regs(vcpu).rflags & RFLAGS_TF, 0);
}

extern char guest_stepped[];
static u64 guest_step_rip;

static void guest_step(struct guest_frame *frame)
{
	if (!guest_step_rip)
		guest_step_rip = frame->rip;
	frame->rflags &= ~RFLAGS_TF;
}

static void guest_nmi_while_stepping(void)
{
	guest_handlers[NMI_VECTOR] = guest_nmi_count;
	guest_handlers[DB_VECTOR] = guest_step;
	asm volatile("outb %%al, %%dx\n\tnop\n.globl guest_stepped\nguest_stepped:\n\tnop; nop"
		     : : "a"(0), "d"(PORT) : "memory");
	GUEST_EQ(guest_count, 1);
	GUEST_EQ(guest_step_rip, guest_stepped);
}

/* A guest that steps by itself misses none, though the NMI's wait is stepped over as well. */
static void nmi_in_shadow_stepping(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_nmi_while_stepping);
	struct kvm_regs regs;

	if (host_is_bochs())
		test_skip("Bochs takes a step that ends in an exit to the host");
	vcpu_expect_io(vcpu, true, PORT, 1, 1);
	vcpu_complete_io(vcpu);
	regs = vcpu_regs(vcpu);
	regs.rflags |= RFLAGS_TF;
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
	nmi_into_shadow(vcpu);
	vcpu_expect_done(vcpu);
}

static void guest_hlt_nmi(void)
{
	guest_take_all();
	cli();
	hlt();
	GUEST_EQ(guest_count, 1);
	GUEST_EQ(guest_got.vector, NMI_VECTOR);
}

static void nmi_after_halt(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_hlt_nmi);

	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	xioctl(vcpu->fd, KVM_NMI, 0);
	vcpu_expect_done(vcpu);
}

/*
 * The page of the stack that the event's frame goes to is mapped by the guest,
 * but not yet by the host: the delivery is interrupted by a nested page fault
 * and has to be taken up again.
 */
static u64 guest_new_stack;

static void guest_cold_stack(void)
{
	guest_take_all();
	asm volatile("movq %%rsp, %%rbx\n\tmovq %0, %%rsp\n\tsti\n\thlt\n\t"
		     "cli\n\tmovq %%rbx, %%rsp"
		     : : "r"(guest_new_stack) : "rbx", "memory");
	GUEST_EQ(guest_count, 1);
	GUEST_EQ(guest_got.vector, 0x55);
}

static void delivery_interrupted(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_cold_stack);

	*guest_var(vcpu->vm, guest_new_stack) = GUEST_SCRATCH + 0x400000;
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	inject(vcpu, 0x55);
	vcpu_expect_done(vcpu);
	TEST_EQ(vcpu_events(vcpu).interrupt.injected, 0);
}

/* The same with the page of the handler's gate. */
static void guest_cold_idt(void)
{
	struct { u16 limit; u64 base; } __packed idtr = {
		0xfff, GUEST_SCRATCH + 0x500000,
	};

	guest_take_all();
	asm volatile("lidt %0; int $0x66" : : "m"(idtr) : "memory");
	GUEST_EQ(guest_count, 1);
	GUEST_EQ(guest_got.vector, 0x66);
	asm volatile(GUEST_TRY("ud2") : : : "memory");
	GUEST_EQ(guest_vector(), UD_VECTOR);
}

static void soft_delivery_interrupted(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_cold_idt);
	u64 *from = vm_host(vcpu->vm, GUEST_IDT);
	u64 *to = vm_host(vcpu->vm, GUEST_SCRATCH + 0x500000);

	if (host_is_bochs())
		test_skip("Bochs forgets INT n when its delivery ends in an exit");
	memcpy(to, from, PAGE_SIZE);
	vcpu_expect_done(vcpu);
}

/* A frame that would go to MMIO cannot be written by anybody. */
static void guest_mmio_stack(void)
{
	asm volatile("movq %0, %%rsp; ud2" : : "r"(GUEST_MMIO + 0x1000));
}

static void delivery_to_mmio(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_mmio_stack);

	if (reference_run())
		test_skip("stock KVM does not come back in an emulated host");
	vcpu_run(vcpu);
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	TEST_EQ(vcpu->run->internal.suberror, KVM_INTERNAL_ERROR_DELIVERY_EV);
}

static void guest_unmapped_stack(void)
{
	asm volatile("movq %0, %%rsp; ud2" : : "r"(0x8000000000000000));
}

/* #UD whose frame faults, then #DF whose frame faults: the end. */
static void delivery_shutdown(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_unmapped_stack);

	vcpu_expect_exit(vcpu, KVM_EXIT_SHUTDOWN);
}

static void set_debug(struct vcpu *vcpu, u32 control, u64 dr0, u64 dr7)
{
	struct kvm_guest_debug debug = {
		.control = control,
		.arch.debugreg = { [0] = dr0, [7] = dr7 },
	};

	xioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

extern char guest_debug_b[], guest_debug_c[];

static void guest_debugged(void)
{
	asm volatile(".globl guest_debug_b, guest_debug_c\n\tnop\n"
		     "guest_debug_b:\n\tcpuid\n"
		     "guest_debug_c:\n\tint3\n\tnop"
		     : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
}

static void expect_debug(struct vcpu *vcpu, u32 vector, char *rip)
{
	struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;

	vcpu_expect_exit(vcpu, KVM_EXIT_DEBUG);
	TEST_EQ(arch->exception, vector);
	TEST_EQ(arch->pc, (u64)rip);
}

static void debug_software_breakpoint(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_debugged);

	if (host_is_tcg())
		test_skip("QEMU's processor does not intercept INT3 as #BP");
	set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0, 0);
	expect_debug(vcpu, BP_VECTOR, guest_debug_c);
	vcpu_set_rip(vcpu, (u64)guest_debug_c + 1);
	vcpu_expect_done(vcpu);
}

static void debug_hardware_breakpoint(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_debugged);
	struct kvm_debugregs regs;

	if (host_is_tcg())
		test_skip("QEMU's VMRUN does not arm the breakpoints of DR7");
	set_debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		  (u64)guest_debug_b, 0x401);
	expect_debug(vcpu, DB_VECTOR, guest_debug_b);
	if (!host_is_bochs())	/* which exits for #DB before it writes DR6 */
		TEST_EQ(vcpu->run->debug.arch.dr6 & 0xf, 1);
	/* The guest's own registers are not touched by the host's use. */
	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &regs);
	TEST_EQ(regs.db[0] | (regs.dr7 & 0xff), 0);
	set_debug(vcpu, 0, 0, 0);
	*(u8 *)vm_host(vcpu->vm, (u64)guest_debug_c) = 0x90;
	vcpu_expect_done(vcpu);
}

static void debug_single_step(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_debugged);
	const u32 step = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
	struct kvm_debugregs regs;
	u32 steps = 0;

	if (host_is_bochs())
		test_skip("Bochs takes a step that ends in an exit to the host");
	*(u8 *)vm_host(vcpu->vm, (u64)guest_debug_c) = 0x90;
	set_debug(vcpu, step, 0, 0);
	do {
		vcpu_expect_exit(vcpu, KVM_EXIT_DEBUG);
		TEST_EQ(vcpu->run->debug.arch.exception, DB_VECTOR);
		TEST_TRUE(vcpu->run->debug.arch.dr6 & BIT(14));
		TEST_TRUE(++steps < 20);
	} while (vcpu->run->debug.arch.pc != (u64)guest_debug_b);
	/* Over an instruction that the hypervisor carries out. */
	expect_debug(vcpu, DB_VECTOR, guest_debug_c);
	expect_debug(vcpu, DB_VECTOR, guest_debug_c + 1);
	TEST_EQ(vcpu_regs(vcpu).rflags & RFLAGS_TF, 0);
	/* Not the guest's steps: its DR6 knows nothing. */
	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &regs);
	TEST_EQ(regs.dr6, 0xffff0ff0);
	set_debug(vcpu, 0, 0, 0);
	vcpu_expect_done(vcpu);
}

static void guest_event_order(void)
{
	guest_take_all();
	GUEST_SYNC(1);
	asm volatile("sti; nop; nop");
	GUEST_SYNC(2);
}

/* An exception goes first, the interrupt that waits is not lost. */
static void exception_before_interrupt(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_event_order);
	struct kvm_vcpu_events events;

	vcpu_expect_sync(vcpu, 1);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	vcpu->run->request_interrupt_window = 0;
	events = vcpu_events(vcpu);
	events.exception.injected = 1;
	events.exception.nr = DE_VECTOR;
	events.nmi.pending = 1;
	events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 2);
	TEST_EQ(vcpu_events(vcpu).nmi.pending, 0);
}

/* VMRUN refuses the state; when it has been put right, the event is still there, once. */
static void entry_refused(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_event_order);
	struct kvm_cpuid2 *cpuid = supported_cpuid();
	struct kvm_sregs good, bad;
	struct kvm_regs regs;

	if (host_is_bochs())
		test_skip("Bochs takes any address in CR3");
	/* A processor with more address bits than the host's own. */
	cpuid_find(cpuid, 0x80000008, 0)->eax |= 0xff;
	cpuid_find(cpuid, 0x80000008, 0)->eax ^= 0xff ^ 52;
	xioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	vcpu_expect_sync(vcpu, 1);
	vcpu->run->request_interrupt_window = 1;
	vcpu_expect_exit(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	vcpu->run->request_interrupt_window = 0;
	inject(vcpu, 0x66);
	regs = vcpu_regs(vcpu);
	good = vcpu_sregs(vcpu);
	bad = good;
	bad.cr3 |= BIT(51);
	xioctl(vcpu->fd, KVM_SET_SREGS, &bad);
	vcpu_expect_exit(vcpu, KVM_EXIT_FAIL_ENTRY);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 0);
	TEST_EQ(vcpu_regs(vcpu).rip, regs.rip);
	/* All of it: emulated processors put their host's state there. */
	xioctl(vcpu->fd, KVM_SET_SREGS, &good);
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(*guest_var(vcpu->vm, guest_count), 1);
	TEST_EQ(guest_var(vcpu->vm, guest_got)->vector, 0x66);
}

static const struct test_row rows[] = {
	{ "interrupt_after_halt", interrupt_after_halt },
	{ "sti_shadow", sti_shadow },
	{ "mov_ss_shadow", mov_ss_shadow },
	{ "nmi", nmi },
	{ "nmi_masked", nmi_masked },
	{ "nmi_masked_by_user", nmi_masked_by_user },
	{ "nmi_in_shadow", nmi_in_shadow },
	{ "nmi_in_shadow_stepping", nmi_in_shadow_stepping },
	{ "nmi_after_halt", nmi_after_halt },
	{ "delivery_interrupted", delivery_interrupted },
	{ "soft_delivery_interrupted", soft_delivery_interrupted },
	{ "delivery_to_mmio", delivery_to_mmio },
	{ "delivery_shutdown", delivery_shutdown },
	{ "debug_software_breakpoint", debug_software_breakpoint },
	{ "debug_hardware_breakpoint", debug_hardware_breakpoint },
	{ "debug_single_step", debug_single_step },
	{ "exception_before_nmi", exception_before_interrupt },
	{ "entry_refused", entry_refused },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		test_add(exception, &vectors[i], "exception/%u", vectors[i]);
	for (i = 0; i < ARRAY_SIZE(interrupt_vectors); i++)
		test_add(interrupt, &interrupt_vectors[i], "interrupt/0x%x",
			 interrupt_vectors[i]);
	test_add_rows("inject", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
