// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pause filter: how many PAUSEs of a loop lead to an exit, and what a vCPU
 * that spins does for those that it waits for.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cpus.h"
#include "debugfs.h"
#include "harness.h"
#include "vm.h"

#include "../../svm/pause_window.h"

#define ATTEMPTS	200

/* In ns: the host's, and a part that runs through all of it in time. */
#define TICK		4000000
#define SPIN_STEP	130000

static struct pause_window rules(void)
{
	return (struct pause_window) {
		.base = module_parameter("pause_filter_count"),
		.grow = module_parameter("pause_filter_count_grow"),
		.shrink = module_parameter("pause_filter_count_shrink"),
		.max = module_parameter("pause_filter_count_max"),
	};
}

static void need_filter(void)
{
	need_feature("pause_filter", "pause filter");
}

/*
 * All guests here have interrupts open: Bochs does not let the host's end one
 * that has not. There are none for the guest.
 */
static u64 pauses;

/* So many PAUSEs, with no exit of another kind in between, again and again. */
static void guest_pauses(void)
{
	sti();
	for (;;) {
		u64 left;

		GUEST_SYNC(0);
		for (left = READ_ONCE(pauses); left; left--)
			asm volatile("pause");
	}
}

struct counts {
	u64 exits;
	u64 pause_exits;
	u64 ring_leaves;
	u64 yields;
};

static struct counts count(void)
{
	return (struct counts) {
		.exits = module_stat("exits"),
		.pause_exits = module_stat("pause_exits"),
		.ring_leaves = module_stat("ring_leaves"),
		.yields = module_stat("yields"),
	};
}

static struct counts since(const struct counts *before)
{
	struct counts now = count();

	return (struct counts) {
		.exits = now.exits - before->exits,
		.pause_exits = now.pause_exits - before->pause_exits,
		.ring_leaves = now.ring_leaves - before->ring_leaves,
		.yields = now.yields - before->yields,
	};
}

/* Of this thread. After one, a vCPU has its first window again. */
static u64 context_switches(void)
{
	struct rusage usage;

	TEST_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static u64 now(void)
{
	struct timespec time;

	TEST_EQ(clock_gettime(CLOCK_MONOTONIC, &time), 0);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void spin(u64 ns)
{
	u64 end = now() + ns;

	while (now() < end)
		;
}

/*
 * The exit comes at the PAUSE that finds the counter at zero. Let the guest have as many
 * as that takes, in one window after the other, and @missing less in the last one. Each
 * is a run of its own, as a host interrupt reloads the counter: what has to fit between
 * two is one window. Return false if one came in between, which says nothing.
 */
static bool undisturbed(struct vcpu *vcpu, const struct pause_window *by, unsigned int windows,
			unsigned int missing, struct counts *taken)
{
	struct counts before = count();
	u64 switches = context_switches();
	u16 window = by->base;
	unsigned int i;

	for (i = 1; i <= windows; i++) {
		*guest_var(vcpu->vm, pauses) = window + 1 - (i == windows ? missing : 0);
		vcpu_expect_sync(vcpu, 0);
		window = pause_window_grown(by, window);
	}
	switches = context_switches() - switches;
	*taken = since(&before);
	return !switches && taken->exits == taken->pause_exits + windows;
}

static void expect(const struct pause_window *by, unsigned int windows, unsigned int missing,
		   u64 exits)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_pauses);
	struct counts taken;
	int i;

	vcpu_expect_sync(vcpu, 0);
	for (i = 0; i < ATTEMPTS; i++) {
		/* Off the processor, back with a tick of the host, then on into the next. */
		usleep(1000);
		spin(i * SPIN_STEP % TICK);
		if (undisturbed(vcpu, by, windows, missing, &taken))
			break;
	}
	TEST_ASSERT(i < ATTEMPTS, "interrupted %d times", i);
	TEST_EQ(taken.pause_exits, exits);
	/* The only vCPU of its VM lets nobody go first. */
	TEST_EQ(taken.ring_leaves, windows);
	TEST_EQ(taken.yields, 0);
}

static void exact(unsigned int windows)
{
	struct pause_window by = rules();

	if (by.shrink)
		test_skip("pause_filter_count_shrink keeps some of what was before");
	expect(&by, windows, 0, windows);
	expect(&by, windows, 1, windows - 1);
}

static void one(void)
{
	need_filter();
	exact(1);
}

/*
 * A third window of the usual count is longer than a tick of the host: with two
 * processors, Bochs has a PAUSE take as long as sixteen other instructions.
 */
static void grown(void)
{
	need_filter();
	exact(2);
	if (module_parameter("pause_filter_count") < 1000)
		exact(3);
}

static void guest_far_apart(void)
{
	u64 i, spin;

	sti();
	GUEST_SYNC(0);
	for (i = 0; i < 100000; i++) {
		asm volatile("pause");
		for (spin = 0; spin < 2000; spin++)
			barrier();
	}
	guest_done();
}

/* Single PAUSEs far apart are no loop. */
static void far_apart(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_far_apart);
	struct counts before;

	need_filter();
	need_feature("pause_threshold", "pause filter threshold");
	if (module_parameter("pause_filter_thresh") > 1000)
		test_skip("the threshold is wide");
	vcpu_expect_sync(vcpu, 0);
	before = count();
	vcpu_expect_done(vcpu);
	TEST_EQ(since(&before).pause_exits, 0);
}

/* Two vCPUs pass a token; who has not got it spins. */
#define TURNS	100

static u64 token;

static void guest_pass_token(u64 id)
{
	u64 i;

	sti();
	for (i = 0; i < TURNS; i++) {
		while (READ_ONCE(token) % 2 != id)
			asm volatile("pause");
		WRITE_ONCE(token, token + 1);
	}
	guest_done();
}

static void *run_to_end(void *arg)
{
	TEST_TRUE(run_on_cpu(0));
	vcpu_expect_done(arg);
	return NULL;
}

/* On one CPU, nobody passes it on before somebody else has had the processor. */
static void handover(void)
{
	struct vm *vm = vm_create();
	struct counts before, taken;
	pthread_t threads[2];
	u64 i;

	need_filter();
	before = count();
	for (i = 0; i < 2; i++) {
		struct vcpu *vcpu = vcpu_create(vm, i, guest_pass_token);

		vcpu_set_arg(vcpu, i, 0);
		TEST_TRUE(!pthread_create(&threads[i], NULL, run_to_end, vcpu));
	}
	for (i = 0; i < 2; i++)
		TEST_TRUE(!pthread_join(threads[i], NULL));
	TEST_EQ(*guest_var(vm, token), 2 * TURNS);
	taken = since(&before);
	test_note("%llu PAUSE exits, %llu handed over", taken.pause_exits, taken.yields);
	TEST_TRUE(taken.pause_exits);
	TEST_TRUE(taken.yields);
	TEST_TRUE(taken.yields <= taken.pause_exits);
}

/* vCPUs that spin for ever, run by threads that come and go. */
#define SPINNERS	4
#define CHANGES		40

static void guest_spin(void)
{
	sti();
	while (!READ_ONCE(token))
		asm volatile("pause");
	guest_done();
}

static void *run_until_signal(void *arg)
{
	struct vcpu *vcpu = arg;

	if (vcpu_try_run(vcpu))
		TEST_EQ(errno, EINTR);
	else
		TEST_TRUE(READ_ONCE(*guest_var(vcpu->vm, token)));
	return NULL;
}

static void on_signal(int number)
{
}

static void threads_go(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct vcpu *vcpus[SPINNERS];
	struct vm *vm = vm_create();
	pthread_t threads[SPINNERS];
	int i;

	need_filter();
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < SPINNERS; i++) {
		vcpus[i] = vcpu_create(vm, i, guest_spin);
		TEST_TRUE(!pthread_create(&threads[i], NULL, run_until_signal, vcpus[i]));
	}
	for (i = 0; i < CHANGES; i++) {
		pthread_t *thread = &threads[i % SPINNERS];

		/* Not only the one signal, which may come before KVM_RUN. */
		while (pthread_tryjoin_np(*thread, NULL)) {
			pthread_kill(*thread, SIGUSR1);
			usleep(1000);
		}
		TEST_TRUE(!pthread_create(thread, NULL, run_until_signal,
					  vcpus[i % SPINNERS]));
	}
	WRITE_ONCE(*guest_var(vm, token), 1);
	for (i = 0; i < SPINNERS; i++)
		TEST_TRUE(!pthread_join(threads[i], NULL));
}

static const struct test_row rows[] = {
	{ "one", one },
	{ "grown", grown },
	{ "threshold", far_apart },
	{ "handover", handover },
	{ "threads_go", threads_go },
};

int main(int argc, char **argv)
{
	test_timeout(90);
	test_add_rows("pause", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
