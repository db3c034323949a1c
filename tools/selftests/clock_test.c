// SPDX-License-Identifier: GPL-2.0-only
/* The VM's clock. Between which two readings of the host's it is, not how fast. */
#include <time.h>

#include "harness.h"
#include "vm.h"

#define SECOND		1000000000ull
#define ALL_FLAGS	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

static u64 host_clock(clockid_t id)
{
	struct timespec now;

	TEST_EQ(clock_gettime(id, &now), 0);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static u64 vm_clock(struct vm *vm)
{
	struct kvm_clock_data data;

	xioctl(vm->fd, KVM_GET_CLOCK, &data);
	return data.clock;
}

static void set_clock(struct vm *vm, u64 clock, u32 flags, u64 realtime)
{
	struct kvm_clock_data data = { .clock = clock, .flags = flags, .realtime = realtime };

	xioctl(vm->fd, KVM_SET_CLOCK, &data);
}

/* The clock was @clock at the earliest when the host's was @since. */
static void expect_clock(struct vm *vm, u64 clock, u64 since)
{
	u64 now = vm_clock(vm);

	TEST_TRUE(now >= clock);
	TEST_TRUE(now - clock <= host_clock(CLOCK_BOOTTIME) - since);
}

static void from_zero(void)
{
	u64 since = host_clock(CLOCK_BOOTTIME);
	struct vm *vm = vm_create_bare();
	u64 first = vm_clock(vm);

	expect_clock(vm, 0, since);
	TEST_TRUE(vm_clock(vm) >= first);
}

static void moment(void)
{
	u64 real = host_clock(CLOCK_REALTIME), tsc = rdtsc();
	struct vm *vm = vm_create_bare();
	struct kvm_clock_data data;

	memset(&data, 0xff, sizeof(data));
	xioctl(vm->fd, KVM_GET_CLOCK, &data);
	TEST_EQ(data.flags, KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC);
	TEST_TRUE(data.realtime >= real && data.realtime <= host_clock(CLOCK_REALTIME));
	TEST_TRUE(data.host_tsc >= tsc && data.host_tsc <= rdtsc());
	TEST_EQ(data.pad0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(data.pad); i++)
		TEST_EQ(data.pad[i], 0);
}

static void set(void)
{
	u64 since = host_clock(CLOCK_BOOTTIME);
	struct vm *vm = vm_create_bare();

	set_clock(vm, 1000 * SECOND, 0, 0);
	expect_clock(vm, 1000 * SECOND, since);
	set_clock(vm, 10, 0, 0);
	expect_clock(vm, 10, since);
}

/* What has passed since that time of day is added; a time that is still to come is not. */
static void set_in_the_past(void)
{
	u64 since = host_clock(CLOCK_BOOTTIME);
	u64 real = host_clock(CLOCK_REALTIME);
	struct vm *vm = vm_create_bare();

	set_clock(vm, 1000 * SECOND, KVM_CLOCK_REALTIME, real - 7 * SECOND);
	expect_clock(vm, 1007 * SECOND, since);
	set_clock(vm, 1000 * SECOND, KVM_CLOCK_REALTIME, real + 1000 * SECOND);
	expect_clock(vm, 1000 * SECOND, since);
	/* Of the flags only that one has a meaning here. */
	set_clock(vm, 1000 * SECOND, ALL_FLAGS & ~KVM_CLOCK_REALTIME, real - 7 * SECOND);
	expect_clock(vm, 1000 * SECOND, since);
}

static void bad_flags(void)
{
	struct vm *vm = vm_create_bare();
	struct kvm_clock_data data = { .clock = 1000 * SECOND };
	u32 bit;

	for (bit = 0; bit < 32; bit++) {
		data.flags = 1u << bit;
		if (!(data.flags & ALL_FLAGS))
			ioctl_fails(vm->fd, KVM_SET_CLOCK, &data, EINVAL);
	}
	TEST_TRUE(vm_clock(vm) < 1000 * SECOND);
}

static const struct test_row rows[] = {
	{ "from_zero", from_zero },
	{ "moment", moment },
	{ "set", set },
	{ "set_in_the_past", set_in_the_past },
	{ "bad_flags", bad_flags },
};

int main(int argc, char **argv)
{
	test_add_rows("clock", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
