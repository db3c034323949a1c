// SPDX-License-Identifier: GPL-2.0-only
/* Coalesced MMIO and PIO: writes that wait in a ring. */
#include "harness.h"
#include "vm.h"

#define ZONE		(GUEST_MMIO + 0x1100)	/* no page border near it */
#define ZONE_PORT	0x5700
#define RING_MAX	KVM_COALESCED_MMIO_MAX

/* The guest's next writes: @count of them, @step bytes apart. */
static struct {
	bool pio;
	u64 address;
	u64 step;
	u32 bytes;
	u32 count;
	u64 value;	/* of the first; then counted up */
} guest_todo;

static void guest_write_one(u64 address, u64 value)
{
	switch (guest_todo.bytes + (guest_todo.pio ? 0x10 : 0)) {
	case 1:
		mmio_write8(address, value);
		break;
	case 2:
		mmio_write16(address, value);
		break;
	case 4:
		mmio_write32(address, value);
		break;
	case 8:
		mmio_write64(address, value);
		break;
	case 0x11:
		outb(address, value);
		break;
	case 0x12:
		outw(address, value);
		break;
	case 0x14:
		outl(address, value);
		break;
	}
}

static void guest_writer(void)
{
	u32 i;

	for (;;) {
		GUEST_SYNC(1);
		for (i = 0; i < guest_todo.count; i++)
			guest_write_one(guest_todo.address + i * guest_todo.step,
					guest_todo.value + i);
	}
}

static struct kvm_coalesced_mmio_ring *ring_of(struct vcpu *vcpu)
{
	int page = check_extension(vcpu->vm->fd, KVM_CAP_COALESCED_MMIO);

	if (!page)
		test_skip("no KVM_CAP_COALESCED_MMIO");
	TEST_EQ(page, KVM_COALESCED_MMIO_PAGE_OFFSET);
	TEST_TRUE(vcpu->run_size >= (page + 1) * PAGE_SIZE);
	return (void *)((u8 *)vcpu->run + page * PAGE_SIZE);
}

static struct kvm_coalesced_mmio_zone zone_at(bool pio, u32 size)
{
	return (struct kvm_coalesced_mmio_zone) {
		.addr = pio ? ZONE_PORT : ZONE,
		.size = size,
		.pio = pio,
	};
}

static void zone_register(struct vcpu *vcpu, bool pio, u32 size)
{
	struct kvm_coalesced_mmio_zone zone = zone_at(pio, size);

	if (pio && !check_extension(vcpu->vm->fd, KVM_CAP_COALESCED_PIO))
		test_skip("no KVM_CAP_COALESCED_PIO");
	xioctl(vcpu->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone);
}

static struct vcpu *writer_create(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_writer);

	ring_of(vcpu);
	vcpu_expect_sync(vcpu, 1);
	return vcpu;
}

static void writes(struct vcpu *vcpu, bool pio, u64 address, u32 bytes, u32 count, u64 value)
{
	*guest_var(vcpu->vm, guest_todo) = (typeof(guest_todo)) {
		.pio = pio,
		.address = address,
		.bytes = bytes,
		.count = count,
		.value = value,
	};
}

static void expect_exit(struct vcpu *vcpu, bool pio, u64 address, u32 bytes)
{
	if (pio)
		vcpu_expect_io(vcpu, true, address, bytes, 1);
	else
		vcpu_expect_mmio(vcpu, true, address, bytes);
}

/* Not in the ring: it comes to user space, and the ring is as it was. */
static void expect_not_coalesced(struct vcpu *vcpu, bool pio, u64 address, u32 bytes)
{
	struct kvm_coalesced_mmio_ring *ring = ring_of(vcpu);
	u32 first = ring->first, last = ring->last;

	writes(vcpu, pio, address, bytes, 1, 0x77);
	expect_exit(vcpu, pio, address, bytes);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(ring->first, first);
	TEST_EQ(ring->last, last);
}

static void expect_entry(struct kvm_coalesced_mmio *entry, bool pio, u64 address, u32 bytes,
			 u64 value)
{
	TEST_EQ(entry->phys_addr, address);
	TEST_EQ(entry->len, bytes);
	TEST_EQ(entry->pio, pio);
	TEST_TRUE(!memcmp(entry->data, &value, bytes));
}

/* One write that goes into the ring; takes it out. */
static void expect_coalesced(struct vcpu *vcpu, bool pio, u64 address, u32 bytes)
{
	struct kvm_coalesced_mmio_ring *ring = ring_of(vcpu);
	u64 value = 0x8877665544332211ull;
	u32 last = ring->last;

	writes(vcpu, pio, address, bytes, 1, value);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(ring->last, (last + 1) % RING_MAX);
	expect_entry(&ring->coalesced_mmio[last], pio, address, bytes, value);
	ring->first = ring->last;
}

static const bool kinds[] = { false, true };

/* Each size, at the first and the last address that it may have, and beyond. */
static void sizes(const void *row)
{
	bool pio = *(const bool *)row;
	struct vcpu *vcpu = writer_create();
	u64 begin = pio ? ZONE_PORT : ZONE;
	u32 bytes;

	expect_not_coalesced(vcpu, pio, begin, 1);
	zone_register(vcpu, pio, 0x20);
	for (bytes = 1; bytes <= (pio ? 4 : 8); bytes *= 2) {
		expect_coalesced(vcpu, pio, begin, bytes);
		expect_coalesced(vcpu, pio, begin + 5, bytes);
		expect_coalesced(vcpu, pio, begin + 0x20 - bytes, bytes);
		expect_not_coalesced(vcpu, pio, begin + 0x21 - bytes, bytes);
		expect_not_coalesced(vcpu, pio, begin - 1, bytes);
		expect_not_coalesced(vcpu, pio, begin + 0x20, bytes);
	}
	/* The ring holds both kinds, but a zone is of one. */
	expect_not_coalesced(vcpu, !pio, pio ? ZONE : ZONE_PORT, 1);
}

static void guest_read_both(void)
{
	GUEST_EQ(mmio_read32(ZONE), 0x12345678);
	GUEST_EQ(inb(ZONE_PORT), 0x9a);
}

/* Reads do not wait. */
static void reads(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_both);
	u32 value = 0x12345678;

	ring_of(vcpu);
	zone_register(vcpu, false, 8);
	zone_register(vcpu, true, 8);
	vcpu_expect_mmio(vcpu, false, ZONE, 4);
	memcpy(vcpu->run->mmio.data, &value, 4);
	vcpu_expect_io(vcpu, false, ZONE_PORT, 1, 1);
	*(u8 *)vcpu_io_data(vcpu) = 0x9a;
	vcpu_expect_done(vcpu);
	TEST_EQ(ring_of(vcpu)->last, 0);
}

/* A full ring: the next write comes to user space, in its place. */
static void ring_full(const void *row)
{
	bool pio = *(const bool *)row;
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vcpu);
	u64 at = pio ? ZONE_PORT : ZONE;
	u32 i;

	if (reference_run())
		test_skip("stock KVM takes a ring for full too early before 6.12");
	zone_register(vcpu, pio, 0x100);
	writes(vcpu, pio, at, 4, RING_MAX + 1, 0x1000);
	/* One place stays empty. */
	for (i = 0; i < 2; i++) {
		expect_exit(vcpu, pio, at, 4);
		TEST_EQ(*(u32 *)(pio ? vcpu_io_data(vcpu) : vcpu->run->mmio.data),
			0x1000 + RING_MAX - 1 + i);
		TEST_EQ(ring->first, 0);
		TEST_EQ(ring->last, RING_MAX - 1);
	}
	vcpu_expect_sync(vcpu, 1);
	for (i = 0; i < RING_MAX - 1; i++)
		expect_entry(&ring->coalesced_mmio[i], pio, at, 4, 0x1000 + i);

	/* Three places, behind the end and from the beginning. */
	ring->first = 3;
	writes(vcpu, pio, at, 4, 4, 0x2000);
	expect_exit(vcpu, pio, at, 4);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(ring->first, 3);
	TEST_EQ(ring->last, 2);
	expect_entry(&ring->coalesced_mmio[RING_MAX - 1], pio, at, 4, 0x2000);
	expect_entry(&ring->coalesced_mmio[0], pio, at, 4, 0x2001);
	expect_entry(&ring->coalesced_mmio[1], pio, at, 4, 0x2002);
	expect_entry(&ring->coalesced_mmio[2], pio, at, 4, 0x1002);
}

/* An index that is none is not followed, and not mended. */
static void bad_last(void)
{
	static const u32 values[] = { RING_MAX, RING_MAX + 1, 0x7fffffff, 0x80000000, ~0u };
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vcpu);
	u32 i;

	zone_register(vcpu, false, 0x100);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		ring->last = values[i];
		expect_not_coalesced(vcpu, false, ZONE, 4);
	}
	ring->last = RING_MAX - 1;
	ring->first = 7;
	expect_coalesced(vcpu, false, ZONE, 4);
}

/* Where user space claims to be does not matter to anybody else. */
static void bad_first(void)
{
	static const u32 values[] = { RING_MAX, 0x7fffffff, 0x80000000, ~0u };
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vcpu);
	u32 i;

	zone_register(vcpu, false, 0x100);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		ring->first = values[i];
		ring->last = 0;
		writes(vcpu, false, ZONE, 4, 20, 0);
		vcpu_run(vcpu);
		/* In the ring or not: the guest goes on. */
		while (vcpu->run->exit_reason == KVM_EXIT_MMIO)
			vcpu_run(vcpu);
		TEST_TRUE(ring->last < RING_MAX);
		TEST_EQ(ring->first, values[i]);
	}
	ring->first = 0;
	ring->last = 0;
	expect_coalesced(vcpu, false, ZONE, 4);
}

/* Gone zones do not coalesce; the others do. */
static void unregister(const void *row)
{
	bool pio = *(const bool *)row;
	struct vcpu *vcpu = writer_create();
	u64 at = pio ? ZONE_PORT : ZONE;
	struct kvm_coalesced_mmio_zone other = {
		.addr = at + 0x40, .size = 0x10, .pio = pio,
	}, zone = zone_at(pio, 0x20);

	zone_register(vcpu, pio, 0x20);
	xioctl(vcpu->vm->fd, KVM_REGISTER_COALESCED_MMIO, &other);
	/* Of the other kind, and larger than what is there: nothing goes. */
	zone.pio = !pio;
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	zone.pio = pio;
	zone.size = 0x21;
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	expect_coalesced(vcpu, pio, at, 1);

	zone.size = 0x20;
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	expect_not_coalesced(vcpu, pio, at, 1);
	expect_coalesced(vcpu, pio, at + 0x40, 1);
	/* Any part of a zone names it. */
	other.addr += 4;
	other.size = 1;
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &other);
	expect_not_coalesced(vcpu, pio, at + 0x40, 1);
}

/* The same zone twice, of which both go, or only one's addresses. */
static void overlapping(void)
{
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_zone large = zone_at(false, 0x100);

	zone_register(vcpu, false, 0x100);
	zone_register(vcpu, false, 0x100);
	zone_register(vcpu, false, 0x10);
	expect_coalesced(vcpu, false, ZONE, 8);
	expect_coalesced(vcpu, false, ZONE + 0xc, 8);
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &large);
	expect_coalesced(vcpu, false, ZONE, 8);
	expect_not_coalesced(vcpu, false, ZONE + 0xc, 8);
}

static void refused(void)
{
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_zone zone = zone_at(false, 0x10);
	int vm = vcpu->vm->fd;

	zone.pio = 2;
	ioctl_fails(vm, KVM_REGISTER_COALESCED_MMIO, &zone, EINVAL);
	ioctl_fails(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone, EINVAL);
	zone.pio = ~0u;
	ioctl_fails(vm, KVM_REGISTER_COALESCED_MMIO, &zone, EINVAL);
	zone.pio = 0;
	if (!reference_run()) {
		zone.addr = ~0ull - 0xe;
		ioctl_fails(vm, KVM_REGISTER_COALESCED_MMIO, &zone, EINVAL);
		ioctl_fails(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone, EINVAL);
	}
	/* An empty zone is one that no write is in. */
	zone.addr = ZONE;
	zone.size = 0;
	xioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone);
	expect_not_coalesced(vcpu, false, ZONE, 1);
	xioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	ioctl_fails(vm, KVM_REGISTER_COALESCED_MMIO, NULL, EFAULT);
}

/* There is room for many zones, not for any number. */
static void too_many(void)
{
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_zone zone = zone_at(false, 8);
	u32 i, n;

	for (n = 0; n < 2000; n++) {
		zone.addr = ZONE + n * 8;
		if (ioctl(vcpu->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone))
			break;
	}
	TEST_EQ(errno, ENOSPC);
	TEST_TRUE(n >= 900 && n <= 1000);
	for (i = 0; i < n; i += n / 8)
		expect_coalesced(vcpu, false, ZONE + i * 8, 8);
	expect_not_coalesced(vcpu, false, ZONE + n * 8, 8);
	zone.addr = ZONE;
	xioctl(vcpu->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
	zone.addr = ZONE + n * 8;
	xioctl(vcpu->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone);
	expect_coalesced(vcpu, false, ZONE + n * 8, 8);
}

/* One ring for all vCPUs of a VM, in the mapping of each. */
static void shared_ring(void)
{
	struct vcpu *vcpu = writer_create();
	struct vcpu *other = vcpu_create(vcpu->vm, 1, guest_writer);

	zone_register(vcpu, false, 0x100);
	vcpu_expect_sync(other, 1);
	expect_coalesced(other, false, ZONE, 4);
	TEST_EQ(ring_of(vcpu)->last, 1);
	TEST_EQ(ring_of(vcpu)->first, 1);
	expect_coalesced(vcpu, false, ZONE, 4);
	TEST_EQ(ring_of(other)->last, 2);
	/* Another VM has another ring. */
	TEST_EQ(ring_of(writer_create())->last, 0);
}

/* The exit that follows finds the writes before it in the ring. */
static void order(void)
{
	struct vcpu *vcpu = writer_create();
	struct kvm_coalesced_mmio_ring *ring = ring_of(vcpu);
	u32 i;

	zone_register(vcpu, false, 0x10);
	*guest_var(vcpu->vm, guest_todo) = (typeof(guest_todo)) {
		.address = ZONE,
		.step = 8,
		.bytes = 8,
		.count = 3,
		.value = 5,
	};
	vcpu_expect_mmio(vcpu, true, ZONE + 0x10, 8);
	TEST_EQ(vcpu->run->mmio.data[0], 7);
	TEST_EQ(ring->last, 2);
	for (i = 0; i < 2; i++)
		expect_entry(&ring->coalesced_mmio[i], false, ZONE + 8 * i, 8, 5 + i);
	vcpu_expect_sync(vcpu, 1);
}

static const struct test_row rows[] = {
	{ "reads", reads },
	{ "bad_last", bad_last },
	{ "bad_first", bad_first },
	{ "overlapping", overlapping },
	{ "refused", refused },
	{ "too_many", too_many },
	{ "shared_ring", shared_ring },
	{ "order", order },
};

int main(int argc, char **argv)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *kind = kinds[i] ? "pio" : "mmio";

		test_add(sizes, &kinds[i], "coalesced/sizes_%s", kind);
		test_add(ring_full, &kinds[i], "coalesced/full_%s", kind);
		test_add(unregister, &kinds[i], "coalesced/unregister_%s", kind);
	}
	test_add_rows("coalesced", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
