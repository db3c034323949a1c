// SPDX-License-Identifier: GPL-2.0-only
/* Running a vCPU and judging what it came back with. */
#include "harness.h"
#include "vm.h"

/**
 * vcpu_try_run() - KVM_RUN, without a judgement
 * @vcpu: to run
 *
 * Return: 0, or -1 with errno.
 */
int vcpu_try_run(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_RUN, 0);
}

/**
 * vcpu_run() - KVM_RUN until it succeeds
 * @vcpu: to run
 */
void vcpu_run(struct vcpu *vcpu)
{
	int ret;

	do {
		ret = vcpu_try_run(vcpu);
	} while (ret < 0 && errno == EINTR);
	TEST_ASSERT(!ret, "KVM_RUN, exit reason %u", vcpu->run->exit_reason);
}

void vcpu_expect_eintr_at(const char *file, int line, struct vcpu *vcpu)
{
	u32 reason = KVM_EXIT_INTR;
	int ret;

	/* Nothing was run then, and the last exit is still the last one. */
	if (vcpu->run->immediate_exit)
		reason = vcpu->run->exit_reason;
	errno = 0;
	ret = vcpu_try_run(vcpu);
	if (ret != -1 || errno != EINTR)
		test_fail(file, line, "ret %d, exit reason %u instead of EINTR",
			  ret, vcpu->run->exit_reason);
	if (vcpu->run->exit_reason != reason)
		test_fail(file, line, "EINTR with exit reason %u",
			  vcpu->run->exit_reason);
}

/**
 * vcpu_complete_io() - finish the exit being handled, without entering
 * @vcpu: came back with an I/O or MMIO exit
 */
void vcpu_complete_io(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	vcpu_expect_eintr(vcpu);
	vcpu->run->immediate_exit = 0;
}

static void describe_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_regs regs = vcpu_regs(vcpu);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);
	u32 i;

	test_note("rip 0x%llx (cs base 0x%llx) rsp 0x%llx rflags 0x%llx",
		  regs.rip, sregs.cs.base, regs.rsp, regs.rflags);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		test_note("port 0x%x %s size %u count %u", run->io.port,
			  run->io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
			  run->io.size, run->io.count);
		break;
	case KVM_EXIT_MMIO:
		test_note("mmio 0x%llx %s len %u", run->mmio.phys_addr,
			  run->mmio.is_write ? "write" : "read",
			  run->mmio.len);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		test_note("hardware entry failure reason 0x%llx",
			  run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		test_note("suberror %u", run->internal.suberror);
		for (i = 0; i < run->internal.ndata && i < 16; i++)
			test_note("data[%u] 0x%llx", i, run->internal.data[i]);
		break;
	}
}

static const char *guest_string(struct vcpu *vcpu, u64 gva)
{
	if (!gva || gva >= vcpu->vm->mem_size)
		return "?";
	return vm_host(vcpu->vm, gva);
}

static void describe_message(struct vcpu *vcpu, struct guest_message *msg)
{
	if (msg->command == MSG_ABORT)
		test_note("guest %s:%llu: %s, 0x%llx against 0x%llx",
			  guest_string(vcpu, msg->file), msg->line,
			  guest_string(vcpu, msg->text), msg->args[0],
			  msg->args[1]);
	else if (msg->command == MSG_EXCEPTION)
		test_note("guest exception %llu error 0x%llx rip 0x%llx cr2 0x%llx",
			  msg->args[0], msg->args[1], msg->args[2],
			  msg->args[3]);
	else
		test_note("guest message %llu, stage %llu", msg->command,
			  msg->args[0]);
}

/**
 * vcpu_message() - the message behind the exit that a vCPU came back with
 * @vcpu: just run
 * @msg: filled
 *
 * A guest that reports a failure ends the test.
 *
 * Return: MSG_SYNC or MSG_DONE; 0 if the exit is something else.
 */
u32 vcpu_message(struct vcpu *vcpu, struct guest_message *msg)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason != KVM_EXIT_IO || run->io.port != GUEST_PORT ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		return 0;
	memcpy(msg, vm_host(vcpu->vm, vcpu_regs(vcpu).rdi), sizeof(*msg));
	if (msg->command != MSG_SYNC && msg->command != MSG_DONE) {
		describe_message(vcpu, msg);
		TEST_FAIL("the guest failed");
	}
	return msg->command;
}

/**
 * vcpu_run_message() - run to the guest's next message
 * @vcpu: to run
 * @msg: filled
 *
 * Return: MSG_SYNC or MSG_DONE; anything else fails the test.
 */
u32 vcpu_run_message(struct vcpu *vcpu, struct guest_message *msg)
{
	u32 command;

	vcpu_run(vcpu);
	command = vcpu_message(vcpu, msg);
	if (!command) {
		describe_exit(vcpu);
		TEST_FAIL("exit %u instead of a message",
			  vcpu->run->exit_reason);
	}
	return command;
}

void vcpu_expect_exit_at(const char *file, int line, struct vcpu *vcpu,
			 u32 reason)
{
	struct guest_message msg;

	vcpu_run(vcpu);
	if (vcpu->run->exit_reason == reason)
		return;
	if (vcpu_message(vcpu, &msg))
		describe_message(vcpu, &msg);
	describe_exit(vcpu);
	test_fail(file, line, "exit reason %u, expected %u",
		  vcpu->run->exit_reason, reason);
}

void vcpu_expect_sync_at(const char *file, int line, struct vcpu *vcpu,
			 u64 stage)
{
	struct guest_message msg;

	if (vcpu_run_message(vcpu, &msg) == MSG_SYNC && msg.args[0] == stage)
		return;
	describe_message(vcpu, &msg);
	test_fail(file, line, "expected stage %llu", stage);
}

void vcpu_expect_done_at(const char *file, int line, struct vcpu *vcpu)
{
	struct guest_message msg;

	if (vcpu_run_message(vcpu, &msg) == MSG_DONE)
		return;
	describe_message(vcpu, &msg);
	test_fail(file, line, "expected the guest to be done");
}

/**
 * vcpu_io_data() - the data of a port I/O exit
 * @vcpu: just came back with it
 */
void *vcpu_io_data(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 end = run->io.data_offset + (u64)run->io.size * run->io.count;

	TEST_TRUE(end <= vcpu->run_size);
	return (u8 *)run + run->io.data_offset;
}

void vcpu_expect_io_at(const char *file, int line, struct vcpu *vcpu,
		       bool out, u16 port, u8 size, u32 count)
{
	struct kvm_run *run = vcpu->run;

	vcpu_expect_exit_at(file, line, vcpu, KVM_EXIT_IO);
	if (run->io.direction == (out ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN) &&
	    run->io.port == port && run->io.size == size &&
	    run->io.count == count)
		return;
	describe_exit(vcpu);
	test_fail(file, line, "expected port 0x%x %s size %u count %u", port,
		  out ? "out" : "in", size, count);
}

void vcpu_expect_mmio_at(const char *file, int line, struct vcpu *vcpu,
			 bool write, u64 gpa, u32 len)
{
	struct kvm_run *run = vcpu->run;

	vcpu_expect_exit_at(file, line, vcpu, KVM_EXIT_MMIO);
	if (run->mmio.is_write == write && run->mmio.phys_addr == gpa &&
	    run->mmio.len == len)
		return;
	describe_exit(vcpu);
	test_fail(file, line, "expected mmio 0x%llx %s len %u", gpa,
		  write ? "write" : "read", len);
}
