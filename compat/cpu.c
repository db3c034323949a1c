// SPDX-License-Identifier: GPL-2.0-only
/* MSR access, interrupts to other processors, what is loaded beside us. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/smp.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <trace/events/ipi.h>	/* smp_send_reschedule() is a macro over a tracepoint since 6.4 */

#include "compat.h"

#ifdef KSVM_HAVE_RDMSRQ
#define read_msr	rdmsrq
#define write_msr	wrmsrq
#define read_msr_safe	rdmsrq_safe
#define write_msr_safe	wrmsrq_safe
#else
#define read_msr	rdmsrl
#define write_msr	wrmsrl
#define read_msr_safe	rdmsrl_safe
#define write_msr_safe	wrmsrl_safe
#endif

/**
 * ksvm_rdmsr() - read an MSR that is known to exist
 * @msr: its number; any context, this CPU's
 *
 * Return: the value.
 */
u64 ksvm_rdmsr(u32 msr)
{
	u64 value;

	read_msr(msr, value);
	return value;
}

/**
 * ksvm_wrmsr() - write an MSR that is known to exist
 * @msr: its number; any context, this CPU's
 * @value: a value that it takes
 */
void ksvm_wrmsr(u32 msr, u64 value)
{
	write_msr(msr, value);
}

/**
 * ksvm_rdmsr_safe() - read an MSR that may not exist
 * @msr: its number; any context, this CPU's
 * @value: the value
 *
 * Return: 0, or -EIO.
 */
int ksvm_rdmsr_safe(u32 msr, u64 *value)
{
	unsigned long long raw = 0;
	int error = read_msr_safe(msr, &raw);

	*value = raw;
	return error;
}

/**
 * ksvm_wrmsr_safe() - write an MSR that may not exist or may not take the value
 * @msr: its number; any context, this CPU's
 * @value: the value
 *
 * Return: 0, or -EIO.
 */
int ksvm_wrmsr_safe(u32 msr, u64 value)
{
	return write_msr_safe(msr, value);
}

/**
 * ksvm_send_reschedule() - interrupt a CPU so that it leaves the guest
 * @cpu: an online CPU; any context
 */
void ksvm_send_reschedule(int cpu)
{
	smp_send_reschedule(cpu);
}

/**
 * ksvm_module_present() - is a module of that name loaded
 * @name: as under /sys/module, with underscores; may sleep
 *
 * The module list itself is not reachable from a module.
 */
bool ksvm_module_present(const char *name)
{
	struct kobject *kobject = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, name);

	kobject_put(kobject);
	return kobject;
}

/**
 * ksvm_host_machine_check() - hand a machine check that hit a guest to the host
 *
 * Interrupts off, on the CPU that took it. The frame says user mode, so that
 * the host kills the VMM rather than itself where the error allows it.
 */
void ksvm_host_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	struct pt_regs regs = {
		.cs = __USER_CS,
		.flags = X86_EFLAGS_IF,
	};

	do_machine_check(&regs);
#endif
}
