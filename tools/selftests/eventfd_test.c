// SPDX-License-Identifier: GPL-2.0-only
/* KVM_IOEVENTFD: eventfds at addresses. */
#include <unistd.h>

#include "eventfds.h"
#include "harness.h"
#include "vm.h"

#define MMIO_AT		(GUEST_MMIO + 0x200)
#define PORT_AT		0x5600

/* What the guest writes next; it reports each write. */
static struct {
	bool pio;
	u64 address;
	u32 bytes;
	u64 value;
} guest_todo;

static void guest_out(void)
{
	switch (guest_todo.bytes) {
	case 1:
		outb(guest_todo.address, guest_todo.value);
		break;
	case 2:
		outw(guest_todo.address, guest_todo.value);
		break;
	case 4:
		outl(guest_todo.address, guest_todo.value);
		break;
	}
}

static void guest_store(void)
{
	switch (guest_todo.bytes) {
	case 1:
		mmio_write8(guest_todo.address, guest_todo.value);
		break;
	case 2:
		mmio_write16(guest_todo.address, guest_todo.value);
		break;
	case 4:
		mmio_write32(guest_todo.address, guest_todo.value);
		break;
	case 8:
		mmio_write64(guest_todo.address, guest_todo.value);
		break;
	}
}

static void guest_writer(void)
{
	for (;;) {
		GUEST_SYNC(1);
		if (guest_todo.pio)
			guest_out();
		else
			guest_store();
	}
}

static struct vcpu *writer_create(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_writer);

	if (!check_extension(vcpu->vm->fd, KVM_CAP_IOEVENTFD))
		test_skip("no KVM_CAP_IOEVENTFD");
	vcpu_expect_sync(vcpu, 1);
	return vcpu;
}

/* Does the guest's write come to user space? */
static bool reaches_user(struct vcpu *vcpu, bool pio, u64 address, u32 bytes, u64 value)
{
	struct guest_message msg;

	guest_var(vcpu->vm, guest_todo)->pio = pio;
	guest_var(vcpu->vm, guest_todo)->address = address;
	guest_var(vcpu->vm, guest_todo)->bytes = bytes;
	guest_var(vcpu->vm, guest_todo)->value = value;
	vcpu_run(vcpu);
	if (vcpu_message(vcpu, &msg))
		return false;
	if (pio) {
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		TEST_EQ(vcpu->run->io.port, address);
		TEST_EQ(vcpu->run->io.size, bytes);
	} else {
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
		TEST_EQ(vcpu->run->mmio.phys_addr, address);
		TEST_EQ(vcpu->run->mmio.len, bytes);
		TEST_TRUE(!memcmp(vcpu->run->mmio.data, &value, bytes));
	}
	vcpu_expect_sync(vcpu, 1);
	return true;
}

static struct kvm_ioeventfd ioeventfd_at(bool pio, u32 bytes, int fd)
{
	return (struct kvm_ioeventfd) {
		.addr = pio ? PORT_AT : MMIO_AT,
		.len = bytes,
		.fd = fd,
		.flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};
}

static void expect_taken(struct vcpu *vcpu, int fd, bool pio, u64 address, u32 bytes, u64 value)
{
	TEST_TRUE(!reaches_user(vcpu, pio, address, bytes, value));
	TEST_EQ(eventfd_take(fd), 1);
}

static void expect_left(struct vcpu *vcpu, int fd, bool pio, u64 address, u32 bytes, u64 value)
{
	TEST_TRUE(reaches_user(vcpu, pio, address, bytes, value));
	TEST_EQ(eventfd_take(fd), 0);
}

struct length {
	const char *name;
	bool pio;
	u32 bytes;
};

static const struct length lengths[] = {
	{ "mmio_1", false, 1 },
	{ "mmio_2", false, 2 },
	{ "mmio_4", false, 4 },
	{ "mmio_8", false, 8 },
	{ "pio_1", true, 1 },
	{ "pio_2", true, 2 },
	{ "pio_4", true, 4 },
};

/* A write of that length at that address, and no other. */
static void ioeventfd_length(const void *row)
{
	const struct length *length = row;
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(length->pio, length->bytes, fd);
	u32 bytes;

	expect_left(vcpu, fd, length->pio, args.addr, length->bytes, 0x11);
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	for (bytes = 1; bytes <= (length->pio ? 4 : 8); bytes *= 2) {
		u64 value = 0x1122334455667788ull;

		if (bytes == length->bytes)
			expect_taken(vcpu, fd, length->pio, args.addr, bytes, value);
		else
			expect_left(vcpu, fd, length->pio, args.addr, bytes, value);
		expect_left(vcpu, fd, length->pio, args.addr + 1, bytes, value);
		expect_left(vcpu, fd, length->pio, args.addr - 1, bytes, value);
	}
	/* The same number on the other bus is another address. */
	expect_left(vcpu, fd, !length->pio, !length->pio ? PORT_AT : MMIO_AT + 16, 1, 0);

	args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	expect_left(vcpu, fd, length->pio, args.addr, length->bytes, 0x11);
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, ENOENT);
}

/* Of several with values, the one with the value that is written. */
static void ioeventfd_match(const void *row)
{
	const struct length *length = row;
	struct vcpu *vcpu = writer_create();
	int a = eventfd_new(0), b = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(length->pio, length->bytes, a);
	u64 top = 1ull << (length->bytes * 8 - 1);

	args.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	args.datamatch = top | 1;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	args.fd = b;
	args.datamatch = top | 2;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);

	expect_taken(vcpu, a, length->pio, args.addr, length->bytes, top | 1);
	TEST_EQ(eventfd_take(b), 0);
	expect_taken(vcpu, b, length->pio, args.addr, length->bytes, top | 2);
	TEST_EQ(eventfd_take(a), 0);
	expect_left(vcpu, a, length->pio, args.addr, length->bytes, top | 3);
	expect_left(vcpu, a, length->pio, args.addr, length->bytes, 1);
	TEST_EQ(eventfd_take(b), 0);

	/* Taken away only as it was given. */
	args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	args.datamatch = top | 1;
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, ENOENT);
	args.datamatch = top | 2;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	expect_left(vcpu, b, length->pio, args.addr, length->bytes, top | 2);
	expect_taken(vcpu, a, length->pio, args.addr, length->bytes, top | 1);
}

/* A value that does not fit is never written. */
static void ioeventfd_match_too_large(void)
{
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(false, 2, fd);

	args.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	args.datamatch = 0x10005;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	expect_left(vcpu, fd, false, args.addr, 2, 5);
}

static void ioeventfd_any_length(const void *row)
{
	bool pio = *(const bool *)row;
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(pio, 0, fd);
	u32 bytes;

	if (!check_extension(vcpu->vm->fd, KVM_CAP_IOEVENTFD_ANY_LENGTH))
		test_skip("no KVM_CAP_IOEVENTFD_ANY_LENGTH");
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	for (bytes = 1; bytes <= (pio ? 4 : 8); bytes *= 2) {
		expect_taken(vcpu, fd, pio, args.addr, bytes, 0x99);
		expect_left(vcpu, fd, pio, args.addr + 1, bytes, 0x99);
		expect_left(vcpu, fd, pio, args.addr - 1, bytes, 0x99);
	}
	args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	expect_left(vcpu, fd, pio, args.addr, 1, 0x99);
}

static const bool any_length_pio[] = { false, true };

/* One eventfd at two addresses, two lengths at one address. */
static void ioeventfd_several(void)
{
	struct vcpu *vcpu = writer_create();
	int a = eventfd_new(0), b = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(false, 4, a);

	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	args.addr += 4;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	args = ioeventfd_at(false, 2, b);
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	expect_taken(vcpu, a, false, MMIO_AT, 4, 0);
	expect_taken(vcpu, a, false, MMIO_AT + 4, 4, 0);
	expect_taken(vcpu, b, false, MMIO_AT, 2, 0);
	expect_left(vcpu, a, false, MMIO_AT, 8, 0);
	TEST_EQ(eventfd_take(b), 0);
}

static void guest_read_both(void)
{
	GUEST_EQ(inb(PORT_AT), 0x5a);
	GUEST_EQ(mmio_read8(MMIO_AT), 0xa5);
}

/* Only writes are theirs. */
static void ioeventfd_reads(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_both);
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args;
	bool pio;

	if (!check_extension(vcpu->vm->fd, KVM_CAP_IOEVENTFD))
		test_skip("no KVM_CAP_IOEVENTFD");
	for (pio = false; ; pio = true) {
		args = ioeventfd_at(pio, 0, fd);
		xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
		if (pio)
			break;
	}
	vcpu_expect_io(vcpu, false, PORT_AT, 1, 1);
	*(u8 *)vcpu_io_data(vcpu) = 0x5a;
	vcpu_expect_mmio(vcpu, false, MMIO_AT, 1);
	vcpu->run->mmio.data[0] = 0xa5;
	vcpu_expect_done(vcpu);
	TEST_EQ(eventfd_take(fd), 0);
}

static void guest_string_out(void)
{
	u64 count = 5, from = GUEST_SCRATCH;

	asm volatile("cld; rep outsb" : "+c"(count), "+S"(from) : "d"(PORT_AT) : "memory");
	GUEST_EQ(count, 0);
}

/* Each element of a string is a write of its own. */
static void ioeventfd_string(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_string_out);
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(true, 1, fd);

	if (!check_extension(vcpu->vm->fd, KVM_CAP_IOEVENTFD))
		test_skip("no KVM_CAP_IOEVENTFD");
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	vcpu_expect_done(vcpu);
	TEST_EQ(eventfd_take(fd), 5);
}

static void ioeventfd_collisions(void)
{
	struct vcpu *vcpu = writer_create();
	int a = eventfd_new(0), b = eventfd_new(0), vm = vcpu->vm->fd;
	struct kvm_ioeventfd args = ioeventfd_at(false, 4, a);

	args.flags = KVM_IOEVENTFD_FLAG_DATAMATCH;
	args.datamatch = 7;
	xioctl(vm, KVM_IOEVENTFD, &args);
	/* The same again, for whichever eventfd. */
	ioctl_fails(vm, KVM_IOEVENTFD, &args, EEXIST);
	args.fd = b;
	ioctl_fails(vm, KVM_IOEVENTFD, &args, EEXIST);
	/* Any value, and any length, take in that one. */
	args.flags = 0;
	ioctl_fails(vm, KVM_IOEVENTFD, &args, EEXIST);
	args.len = 0;
	ioctl_fails(vm, KVM_IOEVENTFD, &args, EEXIST);
	/* Another length or address does not. */
	args.len = 8;
	xioctl(vm, KVM_IOEVENTFD, &args);
	args.addr += 8;
	args.len = 0;
	xioctl(vm, KVM_IOEVENTFD, &args);
	args.len = 1;
	ioctl_fails(vm, KVM_IOEVENTFD, &args, EEXIST);
	/* What was refused has left nothing behind. */
	expect_taken(vcpu, a, false, MMIO_AT, 4, 7);
	expect_left(vcpu, b, false, MMIO_AT, 4, 8);
	expect_taken(vcpu, b, false, MMIO_AT, 8, 0);
}

struct refusal {
	const char *name;
	struct kvm_ioeventfd args;
	int error;
};

/* The fd is an eventfd where it says 0. */
static const struct refusal ioeventfd_refusals[] = {
	{ "length_3", { .addr = MMIO_AT, .len = 3 }, EINVAL },
	{ "length_16", { .addr = MMIO_AT, .len = 16 }, EINVAL },
	{ "length_huge", { .addr = MMIO_AT, .len = ~0u }, EINVAL },
	{ "wraps", { .addr = ~0ull - 2, .len = 4 }, EINVAL },
	{ "unknown_flag", { .addr = MMIO_AT, .len = 4, .flags = 1 << 5 }, EINVAL },
	{ "match_any_length",
	  { .addr = MMIO_AT, .len = 0, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH }, EINVAL },
	{ "no_descriptor", { .addr = MMIO_AT, .len = 4, .fd = -1 }, EBADF },
	{ "not_there", { .addr = MMIO_AT, .len = 4, .flags = KVM_IOEVENTFD_FLAG_DEASSIGN },
	  ENOENT },
	{ "deassign_no_descriptor",
	  { .addr = MMIO_AT, .len = 4, .fd = -1, .flags = KVM_IOEVENTFD_FLAG_DEASSIGN }, EBADF },
};

static void ioeventfd_refused(const void *row)
{
	const struct refusal *refusal = row;
	struct vcpu *vcpu = writer_create();
	struct kvm_ioeventfd args = refusal->args;

	if (!args.fd)
		args.fd = eventfd_new(0);
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, refusal->error);
	TEST_TRUE(reaches_user(vcpu, false, MMIO_AT, 4, 0));
}

/* Another kind of file; an eventfd that is not the one that was given. */
static void ioeventfd_wrong_file(void)
{
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = ioeventfd_at(true, 2, other_file());

	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, EINVAL);
	args.fd = fd;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	args.fd = eventfd_new(0);
	args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, ENOENT);
	args.fd = fd;
	args.flags &= ~KVM_IOEVENTFD_FLAG_PIO;
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, ENOENT);
	args.flags |= KVM_IOEVENTFD_FLAG_PIO;
	args.len = 0;
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, ENOENT);
	expect_taken(vcpu, fd, true, PORT_AT, 2, 0);
}

/* The last address there is. */
static void ioeventfd_last_address(void)
{
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0);
	struct kvm_ioeventfd args = { .addr = ~0ull, .len = 0, .fd = fd };

	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	args.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	ioctl_fails(vcpu->vm->fd, KVM_IOEVENTFD, &args, ENOENT);
}

/* Its descriptor may be closed: the VM keeps the eventfd, as another one shows. */
static void ioeventfd_closed(void)
{
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0), twin = dup(fd);
	struct kvm_ioeventfd args = ioeventfd_at(true, 4, fd);

	xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	close(fd);
	expect_taken(vcpu, twin, true, PORT_AT, 4, 0);
	close(twin);
	TEST_TRUE(!reaches_user(vcpu, true, PORT_AT, 4, 0));
}

/* Many, in no order, of which every other one goes again. */
static void ioeventfd_many(void)
{
	enum { MANY = 300 };
	struct vcpu *vcpu = writer_create();
	int fd = eventfd_new(0);
	u32 i;

	for (i = 0; i < MANY; i++) {
		struct kvm_ioeventfd args = ioeventfd_at(false, 4, fd);

		args.addr += i * 7 % MANY * 4;
		xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	}
	for (i = 0; i < MANY; i += 2) {
		struct kvm_ioeventfd args = ioeventfd_at(false, 4, fd);

		args.addr += i * 4;
		args.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
		xioctl(vcpu->vm->fd, KVM_IOEVENTFD, &args);
	}
	for (i = 0; i < MANY; i++) {
		if (i % 2)
			expect_taken(vcpu, fd, false, MMIO_AT + i * 4, 4, i);
		else
			expect_left(vcpu, fd, false, MMIO_AT + i * 4, 4, i);
	}
}

static const struct test_row ioeventfd_rows[] = {
	{ "match_too_large", ioeventfd_match_too_large },
	{ "several", ioeventfd_several },
	{ "reads", ioeventfd_reads },
	{ "string", ioeventfd_string },
	{ "collisions", ioeventfd_collisions },
	{ "wrong_file", ioeventfd_wrong_file },
	{ "last_address", ioeventfd_last_address },
	{ "closed", ioeventfd_closed },
	{ "many", ioeventfd_many },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		test_add(ioeventfd_length, &lengths[i], "ioeventfd/%s", lengths[i].name);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		test_add(ioeventfd_match, &lengths[i], "ioeventfd/match_%s", lengths[i].name);
	for (i = 0; i < ARRAY_SIZE(any_length_pio); i++)
		test_add(ioeventfd_any_length, &any_length_pio[i], "ioeventfd/any_length_%s",
			 any_length_pio[i] ? "pio" : "mmio");
	for (i = 0; i < ARRAY_SIZE(ioeventfd_refusals); i++)
		test_add(ioeventfd_refused, &ioeventfd_refusals[i], "ioeventfd/refused_%s",
			 ioeventfd_refusals[i].name);
	test_add_rows("ioeventfd", ioeventfd_rows, ARRAY_SIZE(ioeventfd_rows));
	return test_run_all(argc, argv);
}
