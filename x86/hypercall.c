// SPDX-License-Identifier: GPL-2.0-only
/* KVM's hypercalls: number in RAX, arguments in RBX, RCX, RDX, RSI. */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/trapnr.h>
#include <uapi/linux/kvm_para.h>

#include "guest.h"
#include "insn.h"
#include "vcpu.h"
#include "x86_ops.h"

static long hypercall(unsigned long number)
{
	switch (number) {
	case KVM_HC_VAPIC_POLL_IRQ:
		/* The exit itself makes the pending interrupt be looked at. */
		return 0;
	default:
		return -KVM_ENOSYS;
	}
}

/**
 * ksvm_hypercall() - VMMCALL
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 *
 * The result is in RAX. RIP is not moved.
 */
void ksvm_hypercall(struct ksvm_vcpu *vcpu)
{
	unsigned long *rax = &vcpu->x86.regs[EMULATE_RAX];
	bool wide = guest_long_mode(vcpu) && ksvm_insn_mode(vcpu) == EMULATE_LONG64;
	unsigned long number = wide ? *rax : (u32)*rax;
	long result;

	if (static_call(ksvm_x86_get_cpl)(vcpu))
		result = -KVM_EPERM;
	else
		result = hypercall(number);
	*rax = wide ? result : (u32)result;
}

/**
 * ksvm_undefined_opcode() - #UD was intercepted
 * @vcpu: the vCPU, by its own thread, in ring 1 or 2
 *
 * The other vendor's VMCALL is a hypercall here as well, so that a guest moved
 * from there goes on; the guest's memory is not patched for it.
 *
 * Return: EXIT_REENTER, #UD being queued for anything else; EXIT_SLOW where
 * ring 2 missed, nothing has changed; EXIT_USER where user space single-steps.
 */
enum exit_outcome ksvm_undefined_opcode(struct ksvm_vcpu *vcpu)
{
	static const u8 vmcall[] = { 0x0f, 0x01, 0xc1 };
	struct insn_fetch fetched;
	struct insn insn;
	int error;

	error = ksvm_fetch_insn(vcpu, &fetched, &insn);
	if (error == -EAGAIN && vcpu->ring == RING_INNER)
		return EXIT_SLOW;
	if (error == -EPERM)
		return EXIT_REENTER;
	if (fetched.count < sizeof(vmcall) || memcmp(fetched.bytes, vmcall, sizeof(vmcall))) {
		ksvm_queue_exception(vcpu, X86_TRAP_UD);
		return EXIT_REENTER;
	}
	ksvm_hypercall(vcpu);
	vcpu->x86.insn_length = sizeof(vmcall);
	return ksvm_skip_insn(vcpu);
}
