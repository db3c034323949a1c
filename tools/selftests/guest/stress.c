// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress SECONDS [LIMIT]: tasks of a guest wake each other, from all processors to
 * all others, and a watchdog looks whether one of them is left asleep.
 *
 * A wake-up that is lost on a busy processor is soon made good by the next tick.
 * Therefore some seconds of load are followed by quiet ones, in which processors halt
 * and only a few tasks remain: pairs that wake each other over a futex, each bound to
 * a processor, and tasks that wait for timers. The load is messages through pipes
 * and sockets, and threads that change mappings and call membarrier, which interrupts
 * all others.
 *
 * Status 0: each task has got on all the time. 1: one did not for LIMIT seconds (5).
 */
#include <err.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS	16
#define MAX_TASKS	256
#define GROUPS		2
#define GROUP_TASKS	4
#define MESSAGE		100
#define LOAD_MS		4500
#define QUIET_MS	1500
#define LOOK_MS		200

/* What the watchdog knows of a task. Written by the task: count. */
struct task {
	_Alignas(64) _Atomic unsigned long count;
	const char *kind;
	int cpu;		/* -1: any */
	bool load;		/* waits in quiet times */
	pid_t pid;
	unsigned long seen;
	int stalled_ms;
};

struct shared {
	_Atomic int quiet;
	_Alignas(64) _Atomic int turn[MAX_CPUS];
	struct task tasks[MAX_TASKS];
};

static struct shared *shared;
static int tasks, cpus;

static long futex(_Atomic int *word, int operation, int value)
{
	return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void sleep_us(long us)
{
	struct timespec time = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "cannot run on processor %d", cpu);
}

static void wait_while_quiet(void)
{
	while (atomic_load(&shared->quiet))
		futex(&shared->quiet, FUTEX_WAIT, 1);
}

static struct task *task_new(const char *kind, int cpu, bool load)
{
	struct task *task = &shared->tasks[tasks];

	if (tasks++ == MAX_TASKS)
		errx(1, "too many tasks");
	task->kind = kind;
	task->cpu = cpu;
	task->load = load;
	return task;
}

/* Is this the new process? It ends with the watchdog. */
static bool task_fork(struct task *task)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid) {
		task->pid = pid;
		return false;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (task->cpu >= 0)
		bind_to(task->cpu);
	return true;
}

static void receive(struct task *task, int from)
{
	char message[MESSAGE];

	for (;;) {
		if (read(from, message, sizeof(message)) <= 0)
			err(1, "read");
		atomic_fetch_add(&task->count, 1);
	}
}

static void send_to_all(struct task *task, int (*channels)[2])
{
	char message[MESSAGE] = "";

	for (;;) {
		wait_while_quiet();
		for (int i = 0; i < GROUP_TASKS; i++)
			if (write(channels[i][1], message, sizeof(message)) <= 0)
				err(1, "write");
		atomic_fetch_add(&task->count, 1);
	}
}

/* Each sender sends to each receiver, through pipes or sockets. */
static void start_group(int group)
{
	int channels[GROUP_TASKS][2];
	struct task *task;

	for (int i = 0; i < GROUP_TASKS; i++) {
		if (group % 2 ? socketpair(AF_UNIX, SOCK_STREAM, 0, channels[i]) :
				pipe(channels[i]))
			err(1, "cannot make a channel");
		task = task_new(group % 2 ? "socket receiver" : "pipe receiver", -1, true);
		if (task_fork(task))
			receive(task, channels[i][0]);
	}
	for (int i = 0; i < GROUP_TASKS; i++) {
		task = task_new(group % 2 ? "socket sender" : "pipe sender", -1, true);
		if (task_fork(task))
			send_to_all(task, channels);
	}
}

/* One half of a pair: runs when the turn is its own, then wakes the other. */
static void take_turns(struct task *task, _Atomic int *turn, int own)
{
	unsigned int seed = own + 1;

	for (;;) {
		while (atomic_load(turn) != own)
			futex(turn, FUTEX_WAIT, !own);
		atomic_fetch_add(&task->count, 1);
		/* Long enough for the other processor to halt. */
		if (rand_r(&seed) % 8 == 0)
			sleep_us(rand_r(&seed) % 20000);
		atomic_store(turn, !own);
		futex(turn, FUTEX_WAKE, 1);
	}
}

static void start_pair(int cpu)
{
	for (int own = 0; own < 2; own++) {
		struct task *task = task_new("half of a pair", (cpu + own) % cpus, false);

		if (task_fork(task))
			take_turns(task, &shared->turn[cpu], own);
	}
}

static void start_timer(int cpu)
{
	struct task *task = task_new("timer", cpu, false);
	unsigned int seed = cpu;

	if (!task_fork(task))
		return;
	for (;;) {
		sleep_us(rand_r(&seed) % 20000);
		atomic_fetch_add(&task->count, 1);
	}
}

/* A thread of a process that has one on each processor. */
static void *shoot_down(void *arg)
{
	struct task *task = arg;
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "mmap");
	bind_to(task->cpu);
	for (;;) {
		wait_while_quiet();
		*page = 1;
		if (mprotect(page, 4096, PROT_READ) ||
		    mprotect(page, 4096, PROT_READ | PROT_WRITE) ||
		    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			err(1, "cannot interrupt the other processors");
		atomic_fetch_add(&task->count, 1);
		sleep_us(200);
	}
	return NULL;
}

static void start_shoot_down(void)
{
	struct task *first = task_new("shoot-down", 0, true);
	pthread_t thread;

	for (int cpu = 1; cpu < cpus; cpu++)
		task_new("shoot-down", cpu, true);
	if (!task_fork(first)) {
		for (int cpu = 1; cpu < cpus; cpu++)
			first[cpu].pid = first->pid;
		return;
	}
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		err(1, "membarrier");
	for (int cpu = 1; cpu < cpus; cpu++)
		if (pthread_create(&thread, NULL, shoot_down, &first[cpu]))
			errx(1, "cannot start a thread");
	shoot_down(first);
}

/* Time that all processors have spent idle, in ticks. */
static long idle_ticks(void)
{
	FILE *stat = fopen("/proc/stat", "r");
	long idle = 0;

	if (!stat || fscanf(stat, "cpu %*d %*d %*d %ld", &idle) != 1)
		errx(1, "cannot read /proc/stat");
	fclose(stat);
	return idle;
}

/* One second more shows whether the processors have nothing else to do. */
static void report(const struct task *task)
{
	char path[64], state = '?';
	long idle = idle_ticks();
	FILE *stat;

	sleep_us(1000000);
	idle = idle_ticks() - idle;
	snprintf(path, sizeof(path), "/proc/%d/stat", task->pid);
	stat = fopen(path, "r");
	if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	if (stat)
		fclose(stat);
	printf("%s on processor %d (state %c) has not got on for %d ms after %lu rounds; processors idle: %ld %%\n",
	       task->kind, task->cpu, state, task->stalled_ms, task->seen,
	       idle * 100 / (sysconf(_SC_CLK_TCK) * cpus));
}

/* Look at each task, the last look being some time ago: have all got on? */
static bool all_well(int passed_ms, int limit_ms)
{
	bool well = true;

	for (int i = 0; i < tasks; i++) {
		struct task *task = &shared->tasks[i];
		unsigned long count = atomic_load(&task->count);

		if (count != task->seen)
			task->stalled_ms = 0;
		else if (!task->load || !atomic_load(&shared->quiet))
			task->stalled_ms += passed_ms;
		task->seen = count;
		if (task->stalled_ms > limit_ms) {
			report(task);
			well = false;
		}
	}
	return well;
}

static bool all_have_begun(void)
{
	for (int i = 0; i < tasks; i++)
		if (!shared->tasks[i].seen)
			return false;
	return true;
}

static bool watch(int seconds, int limit_ms)
{
	long long start = now_ms(), last = start, now;

	do {
		int quiet = (last - start) % (LOAD_MS + QUIET_MS) >= LOAD_MS;

		if (atomic_exchange(&shared->quiet, quiet) && !quiet)
			futex(&shared->quiet, FUTEX_WAKE, MAX_TASKS);
		sleep_us(LOOK_MS * 1000);
		now = now_ms();
		if (now - last > limit_ms) {
			printf("the watchdog has slept for %lld ms\n", now - last);
			return false;
		}
		if (!all_well(now - last, limit_ms))
			return false;
		last = now;
	} while (now - start < seconds * 1000LL || !all_have_begun());
	return true;
}

int main(int argc, char **argv)
{
	int limit = argc > 2 ? atoi(argv[2]) : 5;
	unsigned long rounds = 0;
	bool well;

	if (argc < 2 || atoi(argv[1]) <= 0 || limit <= 0)
		errx(2, "usage: stress SECONDS [LIMIT]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus > MAX_CPUS)
		cpus = MAX_CPUS;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	for (int i = 0; i < GROUPS; i++)
		start_group(i);
	for (int cpu = 0; cpu < cpus; cpu++) {
		start_pair(cpu);
		start_timer(cpu);
	}
	start_shoot_down();
	well = watch(atoi(argv[1]), limit * 1000);
	for (int i = 0; i < tasks; i++) {
		rounds += shared->tasks[i].seen;
		kill(shared->tasks[i].pid, SIGKILL);
	}
	while (wait(NULL) > 0)
		;
	printf("%d tasks, %lu rounds\n", tasks, rounds);
	return !well;
}
