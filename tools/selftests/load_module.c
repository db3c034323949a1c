// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_module FILE [PARAMETERS]: load a kernel module with one system call. The
 * status is its errno. busybox's insmod tries a second one when the first has
 * failed, and the module then says twice why it does not load.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd, status = 0;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s FILE [PARAMETERS]\n", argv[0]);
		return 255;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, argc > 2 ? argv[2] : "", 0)) {
		status = errno;
		fprintf(stderr, "%s: %s\n", argv[1], strerror(status));
	}
	return status;
}
