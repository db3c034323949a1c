/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SELFTEST_EVENTFDS_H
#define SELFTEST_EVENTFDS_H

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "harness.h"
#include "types.h"

static inline int eventfd_new(u64 count)
{
	int fd = eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC);

	TEST_TRUE(fd >= 0);
	return fd;
}

/* The count, which is 0 afterwards. */
static inline u64 eventfd_take(int fd)
{
	u64 count = 0;

	if (read(fd, &count, sizeof(count)) < 0)
		TEST_EQ(errno, EAGAIN);
	return count;
}

static inline void eventfd_add(int fd)
{
	u64 one = 1;

	TEST_EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

/* A descriptor of something else. */
static inline int other_file(void)
{
	int fd = open("/dev/null", O_RDWR);

	TEST_TRUE(fd >= 0);
	return fd;
}

#endif
