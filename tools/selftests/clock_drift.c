// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock_drift SOCKET SECONDS PPM: compare the clock of a guest, whose serial port is
 * the socket (guest/clock.c), with this host's over some seconds. Status 0 if they
 * differ by no more than PPM millionths, else 1.
 */
#include <err.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXCHANGES	20
/* It may have to boot first. */
#define ANSWER_LIMIT_MS	120000

/* When the guest's clock showed "guest", the host's was at "host", give or take half
 * the time that the exchange took.
 */
struct reading {
	int64_t host;
	int64_t guest;
	int64_t took;
};

static int64_t host_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void read_line(int port, char *line, size_t size)
{
	struct pollfd poll_port = { .fd = port, .events = POLLIN };
	size_t length = 0;

	do {
		if (length + 1 == size)
			errx(1, "too long an answer");
		if (poll(&poll_port, 1, ANSWER_LIMIT_MS) != 1)
			errx(1, "no answer from the guest");
		if (read(port, line + length, 1) != 1)
			errx(1, "the guest is gone");
	} while (line[length++] != '\n');
	line[length] = '\0';
}

static struct reading exchange(int port)
{
	struct reading reading;
	int64_t start = host_clock();
	char line[64], *end;

	if (write(port, "?", 1) != 1)
		err(1, "cannot ask");
	read_line(port, line, sizeof(line));
	reading.took = host_clock() - start;
	reading.host = start + reading.took / 2;
	reading.guest = strtoll(line, &end, 10);
	if (end == line || *end != '\n')
		errx(1, "what time is %s", line);
	return reading;
}

/* The quickest of some exchanges says most exactly what the time was. */
static struct reading best_exchange(int port)
{
	struct reading best = exchange(port), next;

	for (int i = 1; i < EXCHANGES; i++) {
		next = exchange(port);
		if (next.took < best.took)
			best = next;
	}
	return best;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int port = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "too long a name: %s", path);
	strcpy(address.sun_path, path);
	if (port < 0 || connect(port, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", path);
	return port;
}

int main(int argc, char **argv)
{
	struct reading first, last;
	double drift, unsure;
	char line[64];
	int port;

	if (argc != 4)
		errx(2, "usage: clock_drift SOCKET SECONDS PPM");
	port = connect_to(argv[1]);
	do {
		read_line(port, line, sizeof(line));
	} while (strcmp(line, "ready\n"));
	first = best_exchange(port);
	/* Until the guest's clock says so: a guest whose clock stands gets no answer. */
	do {
		sleep(1);
		last = exchange(port);
	} while (last.guest - first.guest < atoi(argv[2]) * 1000000000LL &&
		 last.host - first.host < 2 * atoi(argv[2]) * 1000000000LL);
	last = best_exchange(port);
	if (write(port, "q", 1) != 1)
		err(1, "cannot tell the guest to end");
	drift = (double)((last.guest - first.guest) - (last.host - first.host)) * 1e6 /
		(last.host - first.host);
	unsure = (first.took + last.took) / 2.0 * 1e6 / (last.host - first.host);
	printf("%.1f s of the host, %.1f s of the guest: %+.0f ppm, +-%.0f\n",
	       (last.host - first.host) / 1e9, (last.guest - first.guest) / 1e9, drift, unsure);
	if (unsure > atoi(argv[3])) {
		puts("the exchanges took too long to tell");
		return 1;
	}
	return drift > atoi(argv[3]) || drift < -atoi(argv[3]);
}
