// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define MAX_CASES	2048
#define REASON_SIZE	256

struct test_case {
	test_fn fn;
	const void *row;
	char name[64];
};

static struct test_case cases[MAX_CASES];
static unsigned int nr_cases;
static unsigned int timeout_seconds = 20;
static char *skip_reason;	/* shared with the child */

/**
 * test_add() - append a case to the program's plan
 * @fn: the case
 * @row: handed to @fn
 * @fmt: name, printf style
 */
void test_add(test_fn fn, const void *row, const char *fmt, ...)
{
	struct test_case *tc = &cases[nr_cases];
	va_list ap;

	if (nr_cases == MAX_CASES) {
		fprintf(stderr, "more than %d cases\n", MAX_CASES);
		exit(KSFT_FAIL);
	}
	tc->fn = fn;
	tc->row = row;
	va_start(ap, fmt);
	vsnprintf(tc->name, sizeof(tc->name), fmt, ap);
	va_end(ap);
	nr_cases++;
}

static void run_row(const void *row)
{
	((const struct test_row *)row)->fn();
}

/**
 * test_add_rows() - append one case per table row
 * @group: prefix of the names
 * @rows: the table
 * @n: number of rows
 */
void test_add_rows(const char *group, const struct test_row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		test_add(run_row, &rows[i], "%s/%s", group, rows[i].name);
}

/**
 * test_timeout() - change after how long a case counts as hung
 * @seconds: for every case of this program, on a machine that is not slow; a
 *	     number in LAB_SLOWNESS says how many times longer it may take
 */
void test_timeout(unsigned int seconds)
{
	timeout_seconds = seconds;
}

/**
 * test_fail() - end the running case as failed
 * @file: where
 * @line: where
 * @fmt: why
 */
void test_fail(const char *file, int line, const char *fmt, ...)
{
	int error = errno;
	va_list ap;

	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" (errno %d: %s)\n", error, strerror(error));
	fflush(stdout);
	_exit(KSFT_FAIL);
}

/**
 * test_skip() - end the running case as not possible here
 * @fmt: what is missing
 */
void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, REASON_SIZE, fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_SKIP);
}

/**
 * test_note() - print a diagnostic line
 * @fmt: the line, without its end
 */
void test_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static unsigned int case_timeout(void)
{
	const char *slowness = getenv("LAB_SLOWNESS");
	int factor = slowness ? atoi(slowness) : 1;

	return timeout_seconds * (factor > 1 ? factor : 1);
}

static int run_case(const struct test_case *tc)
{
	int status;
	pid_t pid;

	skip_reason[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* A process group, so that a case's own children end too. */
		setpgid(0, 0);
		alarm(case_timeout());
		tc->fn(tc->row);
		fflush(stdout);
		_exit(KSFT_PASS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("# fork or wait: %s\n", strerror(errno));
		return KSFT_FAIL;
	}
	kill(-pid, SIGKILL);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGALRM)
		printf("# no end after %u seconds\n", case_timeout());
	else
		printf("# killed by signal %d\n", WTERMSIG(status));
	return KSFT_FAIL;
}

static bool selected(const struct test_case *tc, int argc, char **argv)
{
	int i;

	if (argc < 2)
		return true;
	for (i = 1; i < argc; i++) {
		if (!strncmp(tc->name, argv[i], strlen(argv[i])))
			return true;
	}
	return false;
}

/* Without a node nothing can be said; without the right to open it, it can. */
static void check_node(void)
{
	int fd = open(node_path(), O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
		printf("1..0 # SKIP %s: %s\n", node_path(), strerror(errno));
		exit(KSFT_SKIP);
	}
	printf("1..1\nnot ok 1 open %s: %s\n", node_path(), strerror(errno));
	exit(KSFT_FAIL);
}

/**
 * test_run_all() - run the plan and print its KTAP
 * @argc: as main() has it
 * @argv: prefixes of the names of the cases wanted, all without any
 *
 * Return: the program's exit status.
 */
int test_run_all(int argc, char **argv)
{
	unsigned int i, number = 0, passed = 0, failed = 0, plan = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	skip_reason = mmap(NULL, REASON_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("TAP version 13\n");
	check_node();
	for (i = 0; i < nr_cases; i++)
		plan += selected(&cases[i], argc, argv);
	printf("1..%u\n", plan);
	for (i = 0; i < nr_cases; i++) {
		if (!selected(&cases[i], argc, argv))
			continue;
		number++;
		switch (run_case(&cases[i])) {
		case KSFT_PASS:
			passed++;
			printf("ok %u %s\n", number, cases[i].name);
			break;
		case KSFT_SKIP:
			printf("ok %u %s # SKIP %s\n", number, cases[i].name,
			       skip_reason);
			break;
		default:
			failed++;
			printf("not ok %u %s\n", number, cases[i].name);
		}
	}
	printf("# passed %u, failed %u, skipped %u\n", passed, failed,
	       number - passed - failed);
	if (failed || !number)
		return KSFT_FAIL;
	return passed ? KSFT_PASS : KSFT_SKIP;
}
