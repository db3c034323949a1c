// SPDX-License-Identifier: GPL-2.0-only
/* The 8254 in the kernel: its registers, its counters, its ticks in a guest. */
#include "harness.h"
#include "pic.h"
#include "vm.h"

#define PIT		0x40	/* of channel 0; the others follow */
#define CONTROL		0x43
#define PORT_61		0x61
#define GATE		0x01
#define SPEAKER		0x02
#define REFRESH		0x10
#define OUT		0x20

#define HZ		1193182

#define LOW		1
#define HIGH		2
#define BOTH		3
#define BOTH_HIGH	4
#define MODE_NONE	0xff

#define LATCH_STATUS(n)	(0xe0 | 2 << (n))
#define LATCH_COUNT(n)	(0xd0 | 2 << (n))
#define LATCH_ALL(n)	(0xc0 | 2 << (n))
#define STATUS_NULL	0x40

/* About 1 ms. */
#define FAST		1193

static struct vm *vm_with_pit(u32 flags)
{
	struct kvm_pit_config config = { .flags = flags };
	struct vm *vm = vm_with_irqchip();

	xioctl(vm->fd, KVM_CREATE_PIT2, &config);
	return vm;
}

/* A guest that has port 61, by which it measures time. */
static struct vcpu *vcpu_with_pit(void *entry)
{
	return vcpu_with_pic(vm_with_pit(KVM_PIT_SPEAKER_DUMMY), entry);
}

static struct kvm_pit_state2 pit_state(struct vm *vm)
{
	struct kvm_pit_state2 state;

	memset(&state, 0xaa, sizeof(state));
	xioctl(vm->fd, KVM_GET_PIT2, &state);
	return state;
}

static void set_pit_state(struct vm *vm, struct kvm_pit_state2 state)
{
	xioctl(vm->fd, KVM_SET_PIT2, &state);
}

static void set_reinject(struct vm *vm, bool reinject)
{
	struct kvm_reinject_control control = { .pit_reinject = reinject };

	xioctl(vm->fd, KVM_REINJECT_CONTROL, &control);
}

/* The guest's side. */
static u64 guest_ticks;

static void guest_tick(struct guest_frame *frame)
{
	guest_ticks++;
	outb(MASTER, EOI);
}

static void guest_tick_aeoi(struct guest_frame *frame)
{
	guest_ticks++;
}

static void guest_program(u8 channel, u8 mode, u16 count)
{
	outb(CONTROL, channel << 6 | BOTH << 4 | mode << 1);
	outb(PIT + channel, count & 0xff);
	outb(PIT + channel, count >> 8);
}

static void guest_setup(void)
{
	guest_handlers[MASTER_BASE] = guest_tick;
	guest_pic_setup(1);
}

/* A control word is enough; stock KVM wants a count, which ends after 55 ms. */
static void guest_stop(void)
{
	if (guest_reference)
		guest_program(0, 0, 0);
	else
		outb(CONTROL, BOTH << 4);
}

static u16 guest_counter(u8 channel)
{
	u16 value;

	outb(CONTROL, channel << 6);
	value = inb(PIT + channel);
	return value | inb(PIT + channel) << 8;
}

static u8 guest_status(u8 channel)
{
	outb(CONTROL, LATCH_STATUS(channel));
	return inb(PIT + channel);
}

/* Wait by channel 2: both channels have the same clock. */
static void guest_wait(u32 count)
{
	outb(PORT_61, GATE);
	while (count) {
		u32 now = count < 0xffff ? count : 0xffff;

		guest_program(2, 0, now);
		while (!(inb(PORT_61) & OUT))
			;
		count -= now;
	}
}

static void guest_window(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

/* Sleep until so many ticks have come. */
static void guest_take(u64 ticks)
{
	while (READ_ONCE(guest_ticks) < ticks)
		asm volatile("sti; hlt; cli" : : : "memory");
}

/* Take what is still on its way from a timer that was stopped. */
static void guest_drain(void)
{
	u32 i;

	for (i = 0; i < 20; i++) {
		guest_wait(FAST);
		guest_window();
	}
	guest_ticks = 0;
}

static void without_pit(void)
{
	struct kvm_reinject_control control = { };
	struct kvm_pit_state2 state = { };
	struct vm *vm = vm_with_irqchip();

	ioctl_fails(vm->fd, KVM_GET_PIT2, &state, ENXIO);
	ioctl_fails(vm->fd, KVM_SET_PIT2, &state, ENXIO);
	ioctl_fails(vm->fd, KVM_REINJECT_CONTROL, &control, ENXIO);
}

static void without_irqchip(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_pit_config config = { };
	struct vm *vm = vm_create();

	if (reference_run())
		test_skip("stock KVM creates it anyway before 6.15");
	ioctl_fails(vm->fd, KVM_CREATE_PIT2, &config, ENOENT);
	xioctl(vm->fd, KVM_ENABLE_CAP, &cap);
	ioctl_fails(vm->fd, KVM_CREATE_PIT2, &config, ENOENT);
}

static void created_twice(void)
{
	struct kvm_pit_config config = { };
	struct vm *vm = vm_with_pit(0);

	ioctl_fails(vm->fd, KVM_CREATE_PIT2, &config, EEXIST);
	config.flags = KVM_PIT_SPEAKER_DUMMY;
	ioctl_fails(vm->fd, KVM_CREATE_PIT2, &config, EEXIST);
}

static void bad_arguments(void)
{
	struct kvm_pit_config config = { .flags = 2 };
	struct vm *vm = vm_with_irqchip();

	ioctl_fails(vm->fd, KVM_CREATE_PIT2, 8, EFAULT);
	if (!reference_run())
		ioctl_fails(vm->fd, KVM_CREATE_PIT2, &config, EINVAL);
	config.flags = 0;
	xioctl(vm->fd, KVM_CREATE_PIT2, &config);
	ioctl_fails(vm->fd, KVM_GET_PIT2, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_SET_PIT2, 8, EFAULT);
	ioctl_fails(vm->fd, KVM_REINJECT_CONTROL, 8, EFAULT);
}

static void reset_state(void)
{
	static const u32 zeros[9];
	struct kvm_pit_state2 state = pit_state(vm_with_pit(0));
	u32 i;

	for (i = 0; i < 3; i++) {
		TEST_EQ(state.channels[i].count, 0x10000);
		TEST_EQ(state.channels[i].mode, MODE_NONE);
		TEST_EQ(state.channels[i].gate, i != 2);
		TEST_EQ(state.channels[i].rw_mode, 0);
		TEST_EQ(state.channels[i].count_latched, 0);
		TEST_EQ(state.channels[i].status_latched, 0);
	}
	TEST_EQ(state.flags, 0);
	TEST_TRUE(!memcmp(state.reserved, zeros, sizeof(state.reserved)));
}

static void round_trip(void)
{
	struct vm *vm = vm_with_pit(0);
	struct kvm_pit_state2 state = { }, got;
	u32 i;

	for (i = 0; i < 3; i++) {
		state.channels[i] = (struct kvm_pit_channel_state){
			.count = 0x10000 - i, .latched_count = 0x1234 + i, .count_latched = BOTH,
			.status_latched = 1, .status = 0x35 + i, .read_state = BOTH_HIGH,
			.write_state = BOTH_HIGH - i, .write_latch = 0x77 - i,
			.rw_mode = 1 + i, .mode = 5 - i, .bcd = 1, .gate = i & 1,
			.count_load_time = 1000000 * (i + 1),
		};
	}
	state.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	set_pit_state(vm, state);
	got = pit_state(vm);
	/* Stock KVM starts these anew. */
	for (i = 1; i < 3 && reference_run(); i++)
		state.channels[i].count_load_time = got.channels[i].count_load_time;
	TEST_TRUE(!memcmp(&got, &state, sizeof(state)));
	state.channels[1].count = 0;
	set_pit_state(vm, state);
	TEST_EQ(pit_state(vm).channels[1].count, 0x10000);
}

/* What no guest can lead to, and a clock that is ahead. */
static void garbage(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_done);
	struct kvm_pit_state2 state;

	if (reference_run())
		test_skip("stock KVM keeps it");
	memset(&state, 0xff, sizeof(state));
	state.channels[0].count_load_time = 1ull << 62;
	state.channels[1].count_load_time = 1ull << 63;
	state.channels[2].mode = 0;
	set_pit_state(vcpu->vm, state);
	state = pit_state(vcpu->vm);
	TEST_EQ(state.channels[0].count, 0x10000);
	TEST_TRUE(state.channels[0].count_load_time < 1ll << 62);
	vcpu_expect_done(vcpu);
}

static void guest_access(void)
{
	outb(CONTROL, 1 << 6 | LOW << 4 | 2 << 1);
	outb(PIT + 1, 0x34);
	GUEST_SYNC(1);
	outb(CONTROL, 1 << 6 | HIGH << 4 | 3 << 1 | 1);
	outb(PIT + 1, 0x12);
	GUEST_SYNC(2);
	outb(CONTROL, 1 << 6 | BOTH << 4 | 6 << 1);
	outb(PIT + 1, 0x78);
	GUEST_SYNC(3);
	outb(PIT + 1, 0x56);
	GUEST_SYNC(4);
	outb(PIT + 1, 0);
	outb(PIT + 1, 0);
	GUEST_SYNC(5);
	/* Of a word, the low byte. */
	outw(CONTROL - 1, 0xffff);
	outb(CONTROL, 1 << 6 | LOW << 4 | 7 << 1);
	outw(PIT + 1, 0x9911);
	GUEST_SYNC(6);
	GUEST_EQ(inw(PIT + 1) >> 8, 0);
	GUEST_EQ(inb(CONTROL), 0);
	guest_done();
}

static void access(void)
{
	static const struct {
		u32 count;
		u8 rw, write_state, mode, bcd;
	} steps[] = {
		{ 0x34, LOW, LOW, 2, 0 }, { 0x1200, HIGH, HIGH, 3, 1 },
		{ 0x1200, BOTH, BOTH_HIGH, 2, 0 }, { 0x5678, BOTH, BOTH, 2, 0 },
		{ 0x10000, BOTH, BOTH, 2, 0 }, { 0x11, LOW, LOW, 3, 0 },
	};
	struct vcpu *vcpu = vcpu_with_pit(guest_access);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct kvm_pit_channel_state state;

		vcpu_expect_sync(vcpu, i + 1);
		state = pit_state(vcpu->vm).channels[1];
		TEST_EQ(state.count, steps[i].count);
		TEST_EQ(state.rw_mode, steps[i].rw);
		TEST_EQ(state.write_state, steps[i].write_state);
		TEST_EQ(state.mode, steps[i].mode);
		TEST_EQ(state.bcd, steps[i].bcd);
	}
	vcpu_expect_done(vcpu);
}

static void guest_latches(void)
{
	u8 low, high;

	guest_program(1, 2, 0);
	outb(CONTROL, 1 << 6);
	GUEST_SYNC(1);
	low = inb(PIT + 1);
	GUEST_SYNC_ARGS(2, low, 0, 0);
	high = inb(PIT + 1);
	GUEST_SYNC_ARGS(3, high, 0, 0);
	/* Status comes before count, and of two latches the first one counts. */
	outb(CONTROL, LATCH_ALL(1));
	GUEST_SYNC(4);
	outb(CONTROL, LATCH_ALL(1));
	GUEST_SYNC(5);
	GUEST_EQ(inb(PIT + 1) & 0x7f, BOTH << 4 | 2 << 1);
	inb(PIT + 1);
	inb(PIT + 1);
	GUEST_SYNC(6);
	outb(CONTROL, LATCH_COUNT(1));
	GUEST_SYNC(7);
	outb(CONTROL, LATCH_ALL(0) | LATCH_ALL(2));
	GUEST_SYNC(8);
}

static struct kvm_pit_channel_state latches_at(struct vcpu *vcpu, u64 step)
{
	vcpu_expect_sync(vcpu, step);
	return pit_state(vcpu->vm).channels[1];
}

static void latches(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_latches);
	struct kvm_pit_channel_state state, first;
	struct guest_message msg;
	u16 latched;

	state = latches_at(vcpu, 1);
	TEST_EQ(state.count_latched, BOTH);
	TEST_EQ(state.status_latched, 0);
	latched = state.latched_count;
	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.args[1], latched & 0xff);
	TEST_EQ(pit_state(vcpu->vm).channels[1].count_latched, HIGH);
	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.args[1], latched >> 8);
	TEST_EQ(pit_state(vcpu->vm).channels[1].count_latched, 0);
	first = latches_at(vcpu, 4);
	TEST_EQ(first.count_latched, BOTH);
	TEST_EQ(first.status_latched, 1);
	state = latches_at(vcpu, 5);
	TEST_EQ(state.latched_count, first.latched_count);
	state = latches_at(vcpu, 6);
	TEST_EQ(state.count_latched | state.status_latched, 0);
	state = latches_at(vcpu, 7);
	TEST_EQ(state.count_latched, BOTH);
	TEST_EQ(state.status_latched, 0);
	vcpu_expect_sync(vcpu, 8);
	TEST_EQ(pit_state(vcpu->vm).channels[0].status_latched, 1);
	TEST_EQ(pit_state(vcpu->vm).channels[2].status_latched, 1);
}

static void guest_counts(void)
{
	u16 now, last = 0xffff;
	u32 i;

	/* Down to the end, and on from there. */
	outb(PORT_61, GATE);
	do {
		guest_program(2, 0, 0xffff);
	} while (inb(PORT_61) & OUT);
	while (!(inb(PORT_61) & OUT)) {
		now = guest_counter(2);
		if (inb(PORT_61) & OUT)
			break;
		GUEST_ASSERT(now <= last);
		last = now;
	}
	GUEST_EQ(guest_status(2), 0x80 | BOTH << 4);
	/* Round and round. */
	guest_program(2, 2, 100);
	for (i = 0; i < 200; i++) {
		now = guest_counter(2);
		GUEST_ASSERT(now >= 1 && now <= 100);
	}
	guest_program(2, 3, 100);
	for (i = 0; i < 200; i++) {
		now = guest_counter(2);
		GUEST_ASSERT(now >= 2 && now <= 100 && !(now & 1));
	}
	/* Both halves of the square come. */
	while (inb(PORT_61) & OUT)
		;
	while (!(inb(PORT_61) & OUT))
		;
	guest_done();
}

static void counts(void)
{
	vcpu_expect_done(vcpu_with_pit(guest_counts));
}

static void guest_gate(void)
{
	u16 held;

	outb(PORT_61, 0);
	guest_program(2, 0, 0xffff);
	GUEST_EQ(guest_counter(2), 0xffff);
	outb(PORT_61, GATE);
	while (guest_counter(2) == 0xffff)
		;
	outb(PORT_61, 0);
	held = guest_counter(2);
	GUEST_EQ(guest_counter(2), held);
	outb(PORT_61, GATE);
	while (guest_counter(2) == held)
		;
	/* Mode 1 waits for it, and mode 3 is up while it is closed. */
	outb(PORT_61, 0);
	guest_program(2, 1, 1000);
	GUEST_EQ(guest_status(2), 0x80 | STATUS_NULL | BOTH << 4 | 1 << 1);
	outb(PORT_61, GATE);
	while (guest_status(2) & STATUS_NULL)
		;
	while (!(inb(PORT_61) & OUT))
		;
	guest_program(2, 3, 4);
	outb(PORT_61, 0);
	GUEST_EQ(inb(PORT_61) & OUT, OUT);
	/* No count yet. */
	outb(CONTROL, 2 << 6 | BOTH << 4);
	GUEST_EQ(guest_status(2), STATUS_NULL | BOTH << 4);
	guest_done();
}

static void closed_gate(void)
{
	if (reference_run())
		test_skip("stock KVM counts behind a closed gate");
	vcpu_expect_done(vcpu_with_pit(guest_gate));
}

static void guest_port_61(void)
{
	outb(PORT_61, 0);
	GUEST_EQ(inb(PORT_61) & (GATE | SPEAKER), 0);
	GUEST_SYNC(1);
	outb(PORT_61, GATE);
	GUEST_EQ(inb(PORT_61) & (GATE | SPEAKER), GATE);
	GUEST_SYNC(2);
	outb(PORT_61, SPEAKER);
	GUEST_EQ(inb(PORT_61) & (GATE | SPEAKER), SPEAKER);
	GUEST_SYNC(3);
	outb(PORT_61, 0xff);
	GUEST_EQ(inb(PORT_61) & 0xcf, GATE | SPEAKER);
	while (inb(PORT_61) & REFRESH)
		;
	while (!(inb(PORT_61) & REFRESH))
		;
	guest_done();
}

static void port_61(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_port_61);

	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(pit_state(vcpu->vm).channels[2].gate, 0);
	vcpu_expect_sync(vcpu, 2);
	TEST_EQ(pit_state(vcpu->vm).channels[2].gate, 1);
	TEST_EQ(pit_state(vcpu->vm).flags, 0);
	vcpu_expect_sync(vcpu, 3);
	TEST_EQ(pit_state(vcpu->vm).channels[2].gate, 0);
	TEST_EQ(pit_state(vcpu->vm).flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	vcpu_expect_done(vcpu);
}

static void guest_no_speaker(void)
{
	GUEST_EQ(inb(PORT_61), 0x5a);
	outb(PORT_61, 3);
	guest_done();
}

/* Not asked for: user space's. */
static void no_speaker(void)
{
	struct vcpu *vcpu = vcpu_with_pic(vm_with_pit(0), guest_no_speaker);

	vcpu_expect_io(vcpu, false, PORT_61, 1, 1);
	*(u8 *)vcpu_io_data(vcpu) = 0x5a;
	vcpu_expect_io(vcpu, true, PORT_61, 1, 1);
	vcpu_expect_done(vcpu);
}

static void guest_periodic(u64 mode)
{
	guest_setup();
	guest_program(0, mode, FAST);
	guest_take(20);
	guest_done();
}

static void periodic(const void *mode)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_periodic);

	vcpu_set_arg(vcpu, *(const u64 *)mode, 0);
	vcpu_expect_done(vcpu);
}

static void guest_single(u64 mode)
{
	guest_setup();
	guest_program(0, mode, FAST);
	guest_take(1);
	guest_wait(10 * FAST);
	guest_window();
	GUEST_EQ(guest_ticks, 1);
	/* Once more. */
	guest_program(0, mode, FAST);
	guest_take(2);
	guest_done();
}

static void single(const void *mode)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_single);

	vcpu_set_arg(vcpu, *(const u64 *)mode, 0);
	vcpu_expect_done(vcpu);
}

static void guest_never(u64 mode)
{
	guest_setup();
	guest_program(0, mode, FAST);
	guest_wait(10 * FAST);
	guest_window();
	GUEST_EQ(guest_ticks, 0);
	guest_done();
}

/* Nobody can trigger channel 0. */
static void never(const void *mode)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_never);

	if (reference_run())
		test_skip("stock KVM takes the count for the trigger");
	vcpu_set_arg(vcpu, *(const u64 *)mode, 0);
	vcpu_expect_done(vcpu);
}

static void guest_control_stops(void)
{
	guest_setup();
	guest_program(0, 2, FAST);
	guest_take(3);
	outb(CONTROL, BOTH << 4);
	guest_drain();
	guest_wait(10 * FAST);
	guest_window();
	GUEST_EQ(guest_ticks, 0);
	guest_done();
}

/* The control word alone stops the ticks; no count has to follow. */
static void control_stops(void)
{
	if (reference_run())
		test_skip("stock KVM waits for the count");
	vcpu_expect_done(vcpu_with_pit(guest_control_stops));
}

static void guest_masked(void)
{
	guest_setup();
	outb(MASTER + 1, 1);
	guest_program(0, 2, FAST);
	guest_wait(20 * FAST);
	guest_stop();
	outb(MASTER + 1, 0);
	guest_window();
	GUEST_EQ(guest_ticks, 1);
	guest_window();
	guest_window();
	GUEST_EQ(guest_ticks, 1);
	/* And they come again. */
	guest_program(0, 2, FAST);
	guest_take(5);
	guest_done();
}

/* Of ticks that are masked there is one. */
static void masked(void)
{
	vcpu_expect_done(vcpu_with_pit(guest_masked));
}

#define SLOW		23864	/* about 20 ms */
#define MISSED		10

/* A host that has no time for the guest just then may cost an attempt. */
static void guest_reinject(u64 aeoi)
{
	u32 attempt;

	guest_setup();
	if (aeoi) {
		guest_pic_setup(3);
		guest_handlers[MASTER_BASE] = guest_tick_aeoi;
	}
	for (attempt = 0; attempt < 5 && guest_ticks < MISSED; attempt++) {
		guest_program(0, 2, SLOW);
		guest_ticks = 0;
		guest_wait(MISSED * SLOW + SLOW / 2);
		/* So few more pass meanwhile that it can only be the old ones that come. */
		guest_program(2, 0, 0xffff);
		while (!(inb(PORT_61) & OUT))
			asm volatile("sti; hlt; cli" : : : "memory");
	}
	GUEST_ASSERT(guest_ticks >= MISSED);
	guest_done();
}

static void reinject(void)
{
	vcpu_expect_done(vcpu_with_pit(guest_reinject));
}

static void reinject_auto_eoi(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_reinject);

	vcpu_set_arg(vcpu, 1, 0);
	vcpu_expect_done(vcpu);
}

static void reinject_again(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_reinject);

	set_reinject(vcpu->vm, false);
	set_reinject(vcpu->vm, false);
	set_reinject(vcpu->vm, true);
	set_reinject(vcpu->vm, true);
	vcpu_expect_done(vcpu);
}

static void guest_discard(void)
{
	guest_setup();
	guest_program(0, 2, FAST);
	guest_wait(20 * FAST);
	GUEST_SYNC(1);
	guest_window();
	GUEST_EQ(guest_ticks, 1);
	guest_window();
	guest_window();
	GUEST_EQ(guest_ticks, 1);
	GUEST_SYNC(2);
	guest_take(10);
	guest_done();
}

/* What is too late is lost. The timer is stopped to look at that, and goes on. */
static void discard(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_discard);
	struct kvm_pit_state2 state;

	set_reinject(vcpu->vm, false);
	vcpu_expect_sync(vcpu, 1);
	state = pit_state(vcpu->vm);
	state.flags |= KVM_PIT_FLAGS_HPET_LEGACY;
	set_pit_state(vcpu->vm, state);
	vcpu_expect_sync(vcpu, 2);
	state.flags &= ~KVM_PIT_FLAGS_HPET_LEGACY;
	set_pit_state(vcpu->vm, state);
	vcpu_expect_done(vcpu);
}

static void guest_forgets(void)
{
	guest_setup();
	guest_program(0, 2, FAST);
	guest_wait(20 * FAST);
	guest_stop();
	/* One is pending in the 8259. */
	guest_window();
	guest_window();
	guest_window();
	GUEST_EQ(guest_ticks, 1);
	guest_done();
}

/* A new count is a new timer: the old one's ticks are forgotten. */
static void forgets(void)
{
	vcpu_expect_done(vcpu_with_pit(guest_forgets));
}

static void guest_restored(void)
{
	guest_setup();
	GUEST_SYNC(1);
	guest_take(5);
	GUEST_SYNC(2);
	guest_drain();
	guest_wait(10 * FAST);
	guest_window();
	GUEST_EQ(guest_ticks, 0);
	GUEST_SYNC(3);
	guest_take(5);
	guest_done();
}

/* KVM_SET_PIT2 starts the timer; the HPET stops it, and lets it go on. */
static void restored(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_restored);
	struct kvm_pit_state2 state;

	/* Stock KVM would go on with old ticks when it has stopped. */
	set_reinject(vcpu->vm, false);
	vcpu_expect_sync(vcpu, 1);
	state = pit_state(vcpu->vm);
	state.channels[0].mode = 2;
	state.channels[0].count = FAST;
	set_pit_state(vcpu->vm, state);
	vcpu_expect_sync(vcpu, 2);
	state = pit_state(vcpu->vm);
	state.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	set_pit_state(vcpu->vm, state);
	TEST_EQ(pit_state(vcpu->vm).flags, KVM_PIT_FLAGS_HPET_LEGACY);
	vcpu_expect_sync(vcpu, 3);
	state = pit_state(vcpu->vm);
	state.flags = 0;
	set_pit_state(vcpu->vm, state);
	vcpu_expect_done(vcpu);
}

static void guest_restored_once(void)
{
	guest_setup();
	guest_program(0, 0, 0xffff);
	GUEST_SYNC(1);
	guest_take(1);
	guest_done();
}

/* A single tick that is under way, or was due while nobody ran, is not lost. */
static void restored_once(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_restored_once);
	struct kvm_pit_state2 state;

	vcpu_expect_sync(vcpu, 1);
	state = pit_state(vcpu->vm);
	state.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	set_pit_state(vcpu->vm, state);
	state.channels[0].count_load_time -= 10000000000;
	state.flags = 0;
	set_pit_state(vcpu->vm, state);
	vcpu_expect_done(vcpu);
}

static void guest_too_fast(void)
{
	guest_setup();
	guest_program(0, 2, 2);
	/* The guest gets on behind each tick. */
	guest_take(200);
	guest_wait(1000);
	guest_done();
}

static void too_fast(void)
{
	if (reference_run())
		test_skip("stock KVM makes up for each tick: an emulated host may drown");
	vcpu_expect_done(vcpu_with_pit(guest_too_fast));
}

static void guest_nmi(struct guest_frame *frame)
{
	guest_ticks++;
}

static void guest_watchdog(void)
{
	guest_setup();
	guest_handlers[2] = guest_nmi;
	outb(MASTER + 1, 0xff);
	GUEST_SYNC(1);
	guest_program(0, 2, FAST);
	while (READ_ONCE(guest_ticks) < 5)
		;
	guest_done();
}

/* LINT0 as an NMI: each tick is one, interrupts being off and the 8259 masked. */
static void watchdog(void)
{
	struct vcpu *vcpu = vcpu_with_pit(guest_watchdog);

	set_reinject(vcpu->vm, false);
	vcpu_expect_sync(vcpu, 1);
	set_lint0(vcpu, LVT_NMI);
	vcpu_expect_done(vcpu);
}

static void guest_runs_on(void)
{
	guest_setup();
	guest_program(0, 2, FAST / 4);
	asm volatile("sti");
	GUEST_SYNC(1);
	for (;;)
		asm volatile("hlt");
}

/* The VM goes while its timer runs. */
static void closed_running(void)
{
	u32 i;

	for (i = 0; i < 5; i++) {
		struct vcpu *vcpu = vcpu_with_pit(guest_runs_on);
		struct vm *vm = vcpu->vm;

		if (i & 1)
			set_reinject(vm, false);
		vcpu_expect_sync(vcpu, 1);
		vcpu_free(vcpu);
		vm_free(vm);
	}
}

static const struct test_row rows[] = {
	{ "without_pit", without_pit },
	{ "without_irqchip", without_irqchip },
	{ "created_twice", created_twice },
	{ "bad_arguments", bad_arguments },
	{ "reset_state", reset_state },
	{ "round_trip", round_trip },
	{ "garbage", garbage },
	{ "access", access },
	{ "latches", latches },
	{ "counts", counts },
	{ "closed_gate", closed_gate },
	{ "port_61", port_61 },
	{ "no_speaker", no_speaker },
	{ "control_stops", control_stops },
	{ "masked", masked },
	{ "reinject", reinject },
	{ "reinject_auto_eoi", reinject_auto_eoi },
	{ "reinject_again", reinject_again },
	{ "discard", discard },
	{ "forgets", forgets },
	{ "restored", restored },
	{ "restored_once", restored_once },
	{ "too_fast", too_fast },
	{ "watchdog", watchdog },
	{ "closed_running", closed_running },
};

int main(int argc, char **argv)
{
	static const u64 modes[] = { 0, 1, 2, 3, 4, 5 };

	test_add_rows("pit", rows, ARRAY_SIZE(rows));
	test_add(periodic, &modes[2], "pit/mode_2");
	test_add(periodic, &modes[3], "pit/mode_3");
	test_add(single, &modes[0], "pit/mode_0");
	test_add(single, &modes[4], "pit/mode_4");
	test_add(never, &modes[1], "pit/mode_1");
	test_add(never, &modes[5], "pit/mode_5");
	return test_run_all(argc, argv);
}
