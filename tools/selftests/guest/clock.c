// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock PORT: tell the guest's clock over a serial port. Each byte that comes is
 * answered with a line, CLOCK_MONOTONIC in ns; 'q' ends it.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct termios raw;
	struct timespec now;
	char line[32], byte;
	int port, length;

	if (argc != 2)
		errx(2, "usage: clock PORT");
	port = open(argv[1], O_RDWR | O_NOCTTY);
	if (port < 0)
		err(1, "%s", argv[1]);
	if (tcgetattr(port, &raw))
		err(1, "%s", argv[1]);
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	if (tcsetattr(port, TCSAFLUSH, &raw) || write(port, "ready\n", 6) != 6)
		err(1, "%s", argv[1]);
	for (;;) {
		if (read(port, &byte, 1) != 1)
			err(1, "nothing more to read");
		if (byte == 'q')
			return 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
		length = snprintf(line, sizeof(line), "%lld\n",
				  now.tv_sec * 1000000000LL + now.tv_nsec);
		if (write(port, line, length) != length)
			err(1, "cannot answer");
	}
}
