// SPDX-License-Identifier: GPL-2.0-only
/*
 * What interrupts cost where the controllers are in the kernel. Built without
 * vector registers: it has interrupt handlers in C.
 *
 * An operation is timed SAMPLES times by itself, and the median is printed, so
 * that neither a tick of the host's timer nor the first round counts. All runs
 * on one processor, on which threads of real-time priorities take turns: none
 * is ever idle while the clock runs.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "harness.h"
#include "vm.h"

#define SAMPLES		501
#define ROW_SECONDS	30
#define EVENT_PORT	0x0f30
#define EVENT_MMIO	(GUEST_MMIO + 0x100)
#define EVENT_GSI	5
#define COUNT_VECTOR	0x41
#define REPLY_VECTOR	0x42
#define SOME_TPR	0x10

#define APIC_BASE_X2APIC	BIT(10)
#define XAPIC_VERSION		0xfee00030ull
#define XAPIC_TPR		0xfee00080ull
#define XAPIC_SVR		0xfee000f0ull
#define X2APIC_TPR		0x808
#define X2APIC_EOI		0x80b
#define X2APIC_SVR		0x80f
#define X2APIC_ICR		0x830
#define X2APIC_LVTT		0x832
#define X2APIC_SELF_IPI		0x83f
#define MSR_TSC_DEADLINE	0x6e0
#define SVR_ENABLED		0x1ff
#define LVTT_TSC_DEADLINE	BIT(18)
#define MSI_ADDRESS		0xfee00000u	/* to APIC id 0 */
#define CPUID_X2APIC		BIT(21)
#define CPUID_TSC_DEADLINE	BIT(24)

/* In the guest's copy of the program; irqfd's are taken by the host. */
static u64 guest_samples[SAMPLES];
static u64 guest_handled, guest_seen;

static void guest_x2apic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	wrmsr(X2APIC_SVR, SVR_ENABLED);
}

static void guest_xapic(void)
{
	mmio_write32(XAPIC_SVR, SVR_ENABLED);
}

static void guest_deadline_mode(void)
{
	guest_x2apic();
	wrmsr(X2APIC_LVTT, LVTT_TSC_DEADLINE | COUNT_VECTOR);
}

/* Straight to the handler: the library's entry would cost more than some rows. */
static void guest_set_vector(u8 vector, void (*handler)(void *))
{
	u64 *gate = (u64 *)GUEST_IDT + 2 * vector;
	u64 entry = (u64)handler;

	gate[0] = (gate[0] & 0x0000ffffffff0000) | (entry & 0xffff) |
		  (entry & 0xffff0000) << 32;
	gate[1] = entry >> 32;
}

static __attribute__((interrupt)) void guest_count(void *frame)
{
	guest_handled++;
	wrmsr(X2APIC_EOI, 0);
}

static __attribute__((interrupt)) void guest_reply(void *frame)
{
	wrmsr(X2APIC_EOI, 0);
	wrmsr(X2APIC_ICR, COUNT_VECTOR);
}

static __attribute__((interrupt)) void guest_timed_eoi(void *frame)
{
	u64 start = ticks();

	wrmsr(X2APIC_EOI, 0);
	guest_samples[guest_handled++] = ticks() - start;
}

static __attribute__((interrupt)) void guest_report(void *frame)
{
	outb(BENCH_PORT, 0);
	wrmsr(X2APIC_EOI, 0);
}

static inline void guest_wait(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* @check: that the operation was no empty one */
#define GUEST_SAMPLES(name, setup, operation, check)			\
static void guest_##name(void)						\
{									\
	setup;								\
	for (u64 i = 0; i < SAMPLES; i++) {				\
		u64 start = ticks();					\
									\
		operation;						\
		guest_samples[i] = ticks() - start;			\
	}								\
	check;								\
	GUEST_SYNC(0);							\
}

/* Lowering it costs other than raising it. */
static inline void write_both_tprs(void)
{
	wrmsr(X2APIC_TPR, 0);
	wrmsr(X2APIC_TPR, SOME_TPR);
}

static inline void write_both_xapic_tprs(void)
{
	mmio_write32(XAPIC_TPR, 0);
	mmio_write32(XAPIC_TPR, SOME_TPR);
}

GUEST_SAMPLES(nothing, (void)0, barrier(), (void)0)
GUEST_SAMPLES(tpr, guest_x2apic(), write_both_tprs(), GUEST_EQ(rdmsr(X2APIC_TPR), SOME_TPR))
GUEST_SAMPLES(tsc_deadline, guest_deadline_mode(), wrmsr(MSR_TSC_DEADLINE, start + BIT(36)),
	      GUEST_ASSERT(rdmsr(MSR_TSC_DEADLINE)))
GUEST_SAMPLES(lapic_read, guest_xapic(), mmio_read32(XAPIC_VERSION),
	      GUEST_ASSERT(mmio_read32(XAPIC_VERSION) & 0xff))
GUEST_SAMPLES(lapic_write, guest_xapic(), write_both_xapic_tprs(),
	      GUEST_EQ(mmio_read32(XAPIC_TPR), SOME_TPR))
GUEST_SAMPLES(event_out, (void)0, outb(EVENT_PORT, 0), (void)0)
GUEST_SAMPLES(event_mmio, (void)0, mmio_write32(EVENT_MMIO, 0), (void)0)

static void guest_self_ipi(void)
{
	guest_x2apic();
	guest_set_vector(COUNT_VECTOR, guest_count);
	sti();
	for (u64 i = 0; i < SAMPLES; i++) {
		u64 start = ticks();

		wrmsr(X2APIC_SELF_IPI, COUNT_VECTOR);
		guest_samples[i] = ticks() - start;
		GUEST_EQ(READ_ONCE(guest_handled), i + 1);
	}
	GUEST_SYNC(0);
}

static void guest_eoi(void)
{
	guest_x2apic();
	guest_set_vector(COUNT_VECTOR, guest_timed_eoi);
	sti();
	for (u64 i = 0; i < SAMPLES; i++)
		wrmsr(X2APIC_SELF_IPI, COUNT_VECTOR);
	GUEST_EQ(READ_ONCE(guest_handled), SAMPLES);
	GUEST_SYNC(0);
}

/* The host comes back when the receiver has taken the interrupt. */
static void guest_send_to_running(void)
{
	guest_x2apic();
	for (u64 i = 0; i < SAMPLES; i++) {
		u64 start = ticks();

		wrmsr(X2APIC_ICR, 1ull << 32 | COUNT_VECTOR);
		guest_samples[i] = ticks() - start;
		outb(BENCH_PORT, 0);
		GUEST_EQ(READ_ONCE(guest_handled), i + 1);
	}
	GUEST_SYNC(0);
}

/* Says from the loop, not from the handler, that it is ready for the next one. */
static void guest_spin(void)
{
	guest_x2apic();
	guest_set_vector(COUNT_VECTOR, guest_count);
	GUEST_SYNC(0);
	sti();
	for (;;)
		WRITE_ONCE(guest_seen, READ_ONCE(guest_handled));
}

static void guest_send_to_halted(void)
{
	guest_x2apic();
	guest_set_vector(COUNT_VECTOR, guest_count);
	for (u64 i = 0; i < SAMPLES; i++) {
		u64 start = ticks();

		wrmsr(X2APIC_ICR, 1ull << 32 | REPLY_VECTOR);
		while (READ_ONCE(guest_handled) == i)
			guest_wait();
		guest_samples[i] = ticks() - start;
	}
	GUEST_SYNC(0);
}

static void guest_halt_and_reply(void)
{
	guest_x2apic();
	guest_set_vector(REPLY_VECTOR, guest_reply);
	GUEST_SYNC(0);
	for (;;)
		guest_wait();
}

static void guest_halt_and_report(void)
{
	guest_x2apic();
	guest_set_vector(COUNT_VECTOR, guest_report);
	GUEST_SYNC(0);
	for (;;)
		guest_wait();
}

static void guest_halt(void)
{
	guest_x2apic();
	guest_set_vector(COUNT_VECTOR, guest_count);
	for (u64 i = 0; i < SAMPLES; i++) {
		u64 start = ticks();

		guest_wait();
		guest_samples[i] = ticks() - start;
		GUEST_EQ(READ_ONCE(guest_handled), i + 1);
	}
	GUEST_SYNC(0);
}

struct irq_row {
	const char *name;
	u64 (*measure)(const struct irq_row *row);
	void (*guest)(void);
	u64 operations;		/* per sample */
	struct kvm_ioeventfd event;
};

/* What the loop around an operation takes. */
static u64 nothing;

/* The process is this row's alone. */
static void not_offered(const struct irq_row *row)
{
	printf("%s -\n", row->name);
	fflush(stdout);
	_exit(0);
}

/* A call that has to succeed, unless the module has no such call. */
static void offered_ioctl(const struct irq_row *row, int fd, unsigned long cmd, void *arg)
{
	if (!ioctl(fd, cmd, arg))
		return;
	if (errno == ENOTTY)
		not_offered(row);
	TEST_FAIL("%s: ioctl 0x%lx", row->name, cmd);
}

static struct vm *create_vm(const struct irq_row *row)
{
	struct vm *vm = vm_create();

	offered_ioctl(row, vm->fd, KVM_CREATE_IRQCHIP, NULL);
	return vm;
}

/* KVM says through a capability, not through CPUID, that it has this timer. */
static struct vcpu *create_vcpu(struct vm *vm, u32 id, void (*guest)(void))
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_cpuid2 *supported = supported_cpuid();
	size_t size = sizeof(*supported) + supported->nent * sizeof(supported->entries[0]);
	struct kvm_cpuid2 *cpuid = malloc(size);
	struct vcpu *vcpu = vcpu_create_bare(vm, id);
	struct kvm_cpuid_entry2 *entry;

	memcpy(cpuid, supported, size);
	entry = cpuid_find(cpuid, 1, 0);
	entry->ebx = (entry->ebx & 0x00ffffff) | id << 24;
	entry->ecx |= CPUID_X2APIC | CPUID_TSC_DEADLINE;
	xioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	vcpu_set_entry(vcpu, guest);
	xioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	return vcpu;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(u64 *)a, y = *(u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *samples)
{
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	return samples[SAMPLES / 2];
}

static u64 guest_median(struct vm *vm)
{
	u64 ticks = median(*guest_var(vm, guest_samples));

	TEST_ASSERT(ticks >= nothing, "%llu", ticks);
	return ticks - nothing;
}

/* Return: is it user space's turn? Otherwise the guest has sent its message. */
static bool run_to_turn(struct vcpu *vcpu)
{
	struct guest_message msg;

	vcpu_run(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_IO && vcpu->run->io.port == BENCH_PORT)
		return true;
	TEST_ASSERT(vcpu_message(vcpu, &msg) == MSG_SYNC, "exit %u", vcpu->run->exit_reason);
	return false;
}

/* FIFO of @priority; that of common threads for 0. */
static void set_priority(int priority)
{
	struct sched_param param = { .sched_priority = priority };
	int policy = priority ? SCHED_FIFO : SCHED_OTHER;

	TEST_EQ(pthread_setschedparam(pthread_self(), policy, &param), 0);
}

/* A vCPU that runs beside, until the process ends. */
struct other {
	struct vcpu *vcpu;
	int priority;
	sem_t ready;
	u64 turns;
	u64 turn_at;
};

static void *run_other(void *arg)
{
	struct other *other = arg;

	set_priority(other->priority);
	TEST_TRUE(!run_to_turn(other->vcpu));
	sem_post(&other->ready);
	while (run_to_turn(other->vcpu)) {
		WRITE_ONCE(other->turn_at, ticks());
		WRITE_ONCE(other->turns, other->turns + 1);
	}
	TEST_FAIL("a second message");
}

static struct other *start_other(struct vcpu *vcpu, int priority)
{
	struct other *other = calloc(1, sizeof(*other));
	pthread_t thread;

	other->vcpu = vcpu;
	other->priority = priority;
	sem_init(&other->ready, 0, 0);
	TEST_EQ(pthread_create(&thread, NULL, run_other, other), 0);
	sem_wait(&other->ready);
	return other;
}

static u64 measure_nothing(void)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpu = vcpu_create(vm, 0, guest_nothing);
	u64 result;

	TEST_TRUE(!run_to_turn(vcpu));
	result = guest_median(vm);
	vcpu_free(vcpu);
	vm_free(vm);
	return result;
}

static u64 measure_alone(const struct irq_row *row)
{
	struct vm *vm = create_vm(row);
	struct vcpu *vcpu = create_vcpu(vm, 0, row->guest);

	TEST_TRUE(!run_to_turn(vcpu));
	return guest_median(vm);
}

static u64 measure_ioeventfd(const struct irq_row *row)
{
	struct vm *vm = create_vm(row);
	struct vcpu *vcpu = create_vcpu(vm, 0, row->guest);
	struct kvm_ioeventfd event = row->event;
	u64 count;

	event.fd = eventfd(0, EFD_NONBLOCK);
	offered_ioctl(row, vm->fd, KVM_IOEVENTFD, &event);
	TEST_TRUE(!run_to_turn(vcpu));
	TEST_EQ(read(event.fd, &count, sizeof(count)), sizeof(count));
	TEST_EQ(count, SAMPLES);
	return guest_median(vm);
}

/* The sender's real-time thread interrupts the receiver's common one in its guest. */
static u64 measure_ipi_running(const struct irq_row *row)
{
	struct vm *vm = create_vm(row);
	struct vcpu *sender = create_vcpu(vm, 0, row->guest);
	u64 *seen = guest_var(vm, guest_seen);
	u64 sent = 0;

	set_priority(1);
	start_other(create_vcpu(vm, 1, guest_spin), 0);
	while (run_to_turn(sender)) {
		sent++;
		while (READ_ONCE(*seen) != sent)
			usleep(100);
	}
	return guest_median(vm);
}

static u64 measure_ipi_halted(const struct irq_row *row)
{
	struct vm *vm = create_vm(row);
	struct vcpu *sender = create_vcpu(vm, 0, row->guest);

	set_priority(1);
	start_other(create_vcpu(vm, 1, guest_halt_and_reply), 1);
	TEST_TRUE(!run_to_turn(sender));
	return guest_median(vm);
}

static int add_irqfd(const struct irq_row *row, struct vm *vm)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} routing = {
		.head.nr = 1,
		.entry = {
			.gsi = EVENT_GSI,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = MSI_ADDRESS, .data = COUNT_VECTOR },
		},
	};
	struct kvm_irqfd irqfd = { .gsi = EVENT_GSI, .fd = eventfd(0, 0) };

	offered_ioctl(row, vm->fd, KVM_SET_GSI_ROUTING, &routing);
	offered_ioctl(row, vm->fd, KVM_IRQFD, &irqfd);
	return irqfd.fd;
}

/* The vCPU goes before the writer: when write() returns it has halted again. */
static u64 measure_irqfd(const struct irq_row *row)
{
	struct vm *vm = create_vm(row);
	int fd = add_irqfd(row, vm);
	u64 samples[SAMPLES], one = 1;
	struct other *other;

	set_priority(1);
	other = start_other(create_vcpu(vm, 0, row->guest), 2);
	for (u64 i = 0; i < SAMPLES; i++) {
		u64 start = ticks();

		TEST_EQ(write(fd, &one, sizeof(one)), sizeof(one));
		TEST_EQ(READ_ONCE(other->turns), i + 1);
		samples[i] = READ_ONCE(other->turn_at) - start;
	}
	return median(samples);
}

/* Gets the processor only while the vCPU waits. */
static void *wake_for_ever(void *arg)
{
	struct kvm_msi msi = { .address_lo = MSI_ADDRESS, .data = COUNT_VECTOR };
	struct vm *vm = arg;

	set_priority(1);
	while (ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) > 0)
		;
	TEST_FAIL("KVM_SIGNAL_MSI");
}

/* Before the guest has its APIC on: of interest is whether there is such a call. */
static void need_signal_msi(const struct irq_row *row, struct vm *vm)
{
	struct kvm_msi msi = { .address_lo = MSI_ADDRESS, .data = COUNT_VECTOR };

	if (ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) < 0 && errno == ENOTTY)
		not_offered(row);
}

static u64 measure_halt(const struct irq_row *row)
{
	struct vm *vm = create_vm(row);
	struct vcpu *vcpu = create_vcpu(vm, 0, row->guest);
	pthread_t thread;

	need_signal_msi(row, vm);
	set_priority(2);
	TEST_EQ(pthread_create(&thread, NULL, wake_for_ever, vm), 0);
	TEST_TRUE(!run_to_turn(vcpu));
	return guest_median(vm);
}

static const struct irq_row rows[] = {
	{ "x2apic-tpr", measure_alone, guest_tpr, 2 },
	{ "self-ipi", measure_alone, guest_self_ipi, 1 },
	{ "eoi", measure_alone, guest_eoi, 1 },
	{ "tsc-deadline", measure_alone, guest_tsc_deadline, 1 },
	{ "lapic-read", measure_alone, guest_lapic_read, 1 },
	{ "lapic-write", measure_alone, guest_lapic_write, 2 },
	{ "ioeventfd-out", measure_ioeventfd, guest_event_out, 1,
	  { .addr = EVENT_PORT, .len = 1, .flags = KVM_IOEVENTFD_FLAG_PIO } },
	{ "ioeventfd-mmio", measure_ioeventfd, guest_event_mmio, 1,
	  { .addr = EVENT_MMIO, .len = 4 } },
	{ "ioeventfd-any", measure_ioeventfd, guest_event_mmio, 1, { .addr = EVENT_MMIO } },
	{ "ipi-running", measure_ipi_running, guest_send_to_running, 1 },
	{ "ipi-halted", measure_ipi_halted, guest_send_to_halted, 1 },
	{ "irqfd", measure_irqfd, guest_halt_and_report, 1 },
	{ "hlt-wakeup", measure_halt, guest_halt, 1 },
};

/* In a process of its own: with it all threads and their priorities end. */
static bool run_row(const struct irq_row *row)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(ROW_SECONDS);
		printf("%s %llu\n", row->name, row->measure(row) / row->operations);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (!status)
		return true;
	printf("# %s: status 0x%x\n", row->name, status);
	return false;
}

/**
 * bench_irq() - print the rows of the interrupt controllers
 * @only: name of the one row that is wanted, or NULL
 *
 * "-" takes the place of a figure where the node has no such ioctl.
 *
 * Return: 0, or 1 if a row failed.
 */
int bench_irq(const char *only)
{
	cpu_set_t cpus;
	int ret = 0;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	TEST_EQ(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
	nothing = measure_nothing();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (only && strcmp(only, rows[i].name))
			continue;
		if (!run_row(&rows[i]))
			ret = 1;
	}
	return ret;
}
