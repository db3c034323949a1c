// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

static int nth_fd = -1;

static bool knob(const char *name, const char *value)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) > 0;
	close(fd);
	return done;
}

/**
 * fault_prepare() - let every allocation and user access be a fault point
 *
 * A fault is no reason for the kernel to say anything.
 *
 * Return: whether this kernel can do that.
 */
bool fault_prepare(void)
{
	nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	return nth_fd >= 0 && knob("failslab/verbose", "0") &&
	       knob("failslab/ignore-gfp-wait", "N") &&
	       knob("fail_page_alloc/verbose", "0") &&
	       knob("fail_page_alloc/ignore-gfp-wait", "N") &&
	       knob("fail_page_alloc/min-order", "0") &&
	       knob("fail_usercopy/verbose", "0");
}

/**
 * fault_arm() - let a fault point of this thread fail
 * @nth: the first one from now on is 1; 0 for none
 */
void fault_arm(unsigned int nth)
{
	char text[16];
	int ret, len = snprintf(text, sizeof(text), "%u", nth);

	/* What is still to fail may be this very write: then the next one is not. */
	do {
		ret = pwrite(nth_fd, text, len, 0);
	} while (ret < 0 && errno == EFAULT);
	if (ret != len) {
		perror("fail-nth");
		_exit(1);
	}
}

/* Disarm; return how many fault points it still was to the one that is to fail. */
static unsigned int points_left(void)
{
	char text[16] = "";
	int ret;

	ret = pread(nth_fd, text, sizeof(text) - 1, 0);
	/* If the read is what fails, nothing before it did. */
	if (ret < 0 && errno == EFAULT)
		return 1;
	if (ret <= 0) {
		perror("fail-nth");
		_exit(1);
	}
	fault_arm(0);
	return atoi(text);
}

/**
 * fault_injected() - disarm
 *
 * Return: whether there was a fault since fault_arm(). errno is kept.
 */
bool fault_injected(void)
{
	int error = errno;
	bool injected = !points_left();

	errno = error;
	return injected;
}

/**
 * fault_points() - disarm
 *
 * Return: how many fault points were passed since fault_arm(FAULT_NEVER).
 */
unsigned int fault_points(void)
{
	return FAULT_NEVER - points_left();
}
