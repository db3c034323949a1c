// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_module FILE [PARAMETERS]: load a kernel module with one system call. The
 * status is its errno. busybox's insmod tries a second one when the first has
 * failed, and the module then says twice why it does not load.
 *
 * load_module --faults FILE NAME PARAMETERS: load and unload it with each of the fault
 * points on the way failing in turn. Those of the kernel's loader, which has a lot to say
 * on its own, are left out: those that are passed on with PARAMETERS, which are to be
 * such that the module's code is never reached. Status 0 if it came to ENOMEM or EFAULT;
 * 4 where the kernel has no fault injection.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault.h"

#define MAX_POINTS	5000

static int load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return ret;
}

/* How many fault points there are before the module's first line, or 0. */
static unsigned int points_of_loader(const char *path, const char *parameters)
{
	unsigned int points;
	int ret;

	fault_arm(FAULT_NEVER);
	ret = load(path, parameters);
	points = fault_points();
	return ret && errno == EINVAL ? points : 0;
}

static int load_with_faults(const char *path, const char *name, const char *parameters)
{
	unsigned int nth, first, failures = 0;
	bool fault = true;
	int ret;

	if (!fault_prepare()) {
		printf("no fault injection in this kernel\n");
		return 4;
	}
	first = points_of_loader(path, parameters);
	if (!first) {
		printf("%s is not refused with %s\n", path, parameters);
		return 1;
	}
	for (nth = first; fault && nth < first + MAX_POINTS; nth++) {
		fault_arm(nth);
		ret = load(path, "");
		fault = fault_injected();
		if (ret && (!fault || (errno != ENOMEM && errno != EFAULT))) {
			printf("fault %u: %s\n", nth, strerror(errno));
			return 1;
		}
		failures += !!ret;
		if (!ret && syscall(SYS_delete_module, name, 0)) {
			printf("unload after fault %u: %s\n", nth, strerror(errno));
			return 1;
		}
	}
	printf("%u points behind %u, %u of them fatal\n", nth - first, first, failures);
	return fault || !failures;
}

int main(int argc, char **argv)
{
	int status = 0;

	if (argc == 5 && !strcmp(argv[1], "--faults"))
		return load_with_faults(argv[2], argv[3], argv[4]);
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s FILE [PARAMETERS]\n", argv[0]);
		return 255;
	}
	if (load(argv[1], argc > 2 ? argv[2] : "")) {
		status = errno;
		fprintf(stderr, "%s: %s\n", argv[1], strerror(status));
	}
	return status;
}
