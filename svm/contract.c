// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract checker: when the rules are looked at, what becomes of a breach,
 * and breaches on purpose.
 *
 * Debugfs ksvm/contract/breach takes the name of a breach, which the next fitting
 * VMRUN commits of a VM that the writing process has created; other processes'
 * VMs are left alone, also where one of them has the process's number later. Each is
 * committed once; a process's newer one replaces what it has waiting.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/numa.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/asm/svm.h>

#include "bug.h"
#include "contract.h"
#include "svm.h"
#include "vm.h"

#define NAME_MAX_BYTES		32
#define TEXT_BYTES		200
#define PLANTS			16

static const struct contract_breach *const tables[] = {
	contract_vmcb_breaches, contract_tlb_breaches, contract_host_breaches,
};

#define for_each_breach(i, breach)				\
	for (i = 0; i < ARRAY_SIZE(tables); i++)		\
		for (breach = tables[i]; breach->name; breach++)

/**
 * struct plant - a breach that waits for a VMRUN
 * @process: of one of this process's VMs
 * @breach: NULL if the slot is free
 * @serial: tells it from others that had the slot
 * @tried: a vCPU is finding out whether it can be committed: none of the others' affair
 */
struct plant {
	struct ksvm_contract_process process;
	const struct contract_breach *breach;
	u64 serial;
	bool tried;
};

/*
 * Ring 2 takes this lock with interrupts off; all others hold it with interrupts
 * off as well, so that it is never held by who waits for an IPI.
 */
static DEFINE_RAW_SPINLOCK(lock);
static struct plant plants[PLANTS];	/* @lock */
static unsigned int nr_plants;		/* @lock to change */
static u64 plant_serials;		/* @lock */
static u64 unplanned, planted;		/* @lock: reports */
static char last_text[TEXT_BYTES];	/* @lock */

static atomic64_t serials;

/* How often SVM was switched on here: what the processor knew before is void. */
static DEFINE_PER_CPU(u64, enabled);

/**
 * contract_report() - a rule is broken: say so and stop the VM
 * @svm: the vCPU, in ring 2
 * @rule: its number
 * @fmt: what is wrong, printf style
 *
 * Other VMs go on: what the breach has done to the host's state, if anything, is
 * for the line to tell.
 *
 * Return: true.
 */
bool contract_report(struct vcpu_svm *svm, int rule, const char *fmt, ...)
{
	struct ksvm *vm = svm->vcpu.vm;
	bool on_purpose = READ_ONCE(vm->contract.planted);
	char text[TEXT_BYTES];
	unsigned long flags;
	va_list args;
	int length;

	if (test_and_set_bit(0, &vm->contract.reported))
		return true;
	length = scnprintf(text, sizeof(text), "%srule %d: ",
			   on_purpose ? "planted: " : "", rule);
	va_start(args, fmt);
	length += vscnprintf(text + length, sizeof(text) - length, fmt, args);
	va_end(args);
	scnprintf(text + length, sizeof(text) - length, " (vCPU %d)", svm->vcpu.id);

	raw_spin_lock_irqsave(&lock, flags);
	if (on_purpose)
		planted++;
	else
		unplanned++;
	strscpy(last_text, text, sizeof(last_text));
	raw_spin_unlock_irqrestore(&lock, flags);

	pr_err("contract: %s\n", text);
	ksvm_vm_kill(vm);
	return true;
}

static bool same_process(const struct ksvm_contract_process *a,
			 const struct ksvm_contract_process *b)
{
	return a->tgid == b->tgid && a->started == b->started;
}

static bool process_lives(const struct ksvm_contract_process *process)
{
	struct task_struct *leader;
	bool lives;

	rcu_read_lock();
	leader = pid_task(find_pid_ns(process->tgid, &init_pid_ns), PIDTYPE_TGID);
	lives = leader && leader->start_boottime == process->started;
	rcu_read_unlock();
	return lives;
}

/* The process's own slot, or one that nobody needs; NULL if there is none. */
static struct plant *find_slot(const struct ksvm_contract_process *process)
{
	struct plant *slot = NULL;
	unsigned int i;

	for (i = 0; i < PLANTS; i++) {
		if (plants[i].breach && same_process(&plants[i].process, process))
			return &plants[i];
		if (!plants[i].breach || !process_lives(&plants[i].process))
			slot = &plants[i];
	}
	return slot;
}

/* -EBUSY where all there is room for belongs to processes that live. */
static int plant_put(const struct contract_breach *breach)
{
	struct ksvm_contract_process process = ksvm_contract_process();
	struct plant *slot;

	raw_spin_lock_irq(&lock);
	slot = find_slot(&process);
	if (slot) {
		if (!slot->breach)
			WRITE_ONCE(nr_plants, nr_plants + 1);
		*slot = (struct plant) {
			.process = process,
			.breach = breach,
			.serial = ++plant_serials,
		};
	}
	raw_spin_unlock_irq(&lock);
	return slot ? 0 : -EBUSY;
}

/* What may be committed here; plant_tried() follows. Its breach is NULL if there is none. */
static struct plant plant_try(const struct ksvm_contract_process *process,
			      enum contract_point point)
{
	struct plant found = {};
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < PLANTS; i++) {
		struct plant *plant = &plants[i];

		if (!plant->breach || plant->tried || plant->breach->point != point ||
		    !same_process(&plant->process, process))
			continue;
		plant->tried = true;
		found = *plant;
		break;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return found;
}

/* It is out, or waits on; if the slot is a newer one's by now, that one's is untouched. */
static void plant_tried(const struct plant *plant, bool committed)
{
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < PLANTS; i++) {
		if (!plants[i].breach || plants[i].serial != plant->serial)
			continue;
		plants[i].tried = false;
		if (!committed)
			break;
		plants[i].breach = NULL;
		WRITE_ONCE(nr_plants, nr_plants - 1);
		break;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/* Commit what is planted for this VM here, if anything. */
static const struct contract_breach *commit(struct vcpu_svm *svm, enum contract_point point)
{
	struct ksvm_contract_vm *vm = &svm->vcpu.vm->contract;
	struct plant plant;
	bool committed;

	if (likely(!READ_ONCE(nr_plants)))
		return NULL;
	plant = plant_try(&vm->creator, point);
	if (!plant.breach)
		return NULL;
	committed = plant.breach->plant(svm);
	if (committed)
		WRITE_ONCE(vm->planted, true);
	plant_tried(&plant, committed);
	return committed ? plant.breach : NULL;
}

static void undo(struct vcpu_svm *svm, const struct contract_breach *breach)
{
	if (breach && breach->undo)
		breach->undo(svm);
}

/**
 * svm_contract_before() - check what has to hold before VMRUN
 * @svm: the vCPU, in ring 2, right before the world switch
 *
 * Return: true where a rule is broken, or was before in this VM: no VMRUN then.
 */
bool svm_contract_before(struct vcpu_svm *svm)
{
	const struct contract_breach *breach = commit(svm, CONTRACT_BEFORE);
	struct svm_contract *contract = svm->contract;
	int cpu = raw_smp_processor_id();
	u64 enabled_here = this_cpu_read(enabled);
	bool broken;

	if (contract->cpu != cpu || contract->enabled != enabled_here) {
		contract->cpu = cpu;
		contract->enabled = enabled_here;
		contract->stay++;
		contract->shadow_valid = false;
	}
	broken = contract_check_context_before(svm) ||
		 contract_check_clean(svm) ||
		 contract_check_consistency(svm) ||
		 contract_check_tlb(svm);
	undo(svm, breach);
	if (broken || READ_ONCE(svm->vcpu.vm->contract.reported))
		return true;
	contract_host_take(svm, &contract->world);
	return false;
}

/**
 * svm_contract_after() - check what has to hold after #VMEXIT
 * @svm: the vCPU, in ring 2, right after the world switch
 *
 * Return: true where a rule is broken.
 */
bool svm_contract_after(struct vcpu_svm *svm)
{
	const struct contract_breach *breach = commit(svm, CONTRACT_AFTER);
	bool entered = (u32)svm->vmcb->control.exit_code != (u32)SVM_EXIT_ERR;
	bool broken;

	broken = contract_check_context_after(svm) || contract_check_host_world(svm);
	undo(svm, breach);

	svm->contract->shadow_valid = false;
	if (entered) {
		contract_tlb_entered(svm);
		contract_shadow_take(svm);
	}
	return broken;
}

/**
 * svm_contract_ring_enter() - ring 2 begins: note the host's state
 * @svm: the vCPU, interrupts off, nothing of the guest's loaded yet
 */
void svm_contract_ring_enter(struct vcpu_svm *svm)
{
	contract_host_take(svm, &svm->contract->ring);
}

/**
 * svm_contract_ring_leave() - ring 2 ends: check that the host's state is back
 * @svm: the vCPU, interrupts off, nothing of the guest's loaded any more
 *
 * Return: true where a rule is broken.
 */
bool svm_contract_ring_leave(struct vcpu_svm *svm)
{
	const struct contract_breach *breach = commit(svm, CONTRACT_RING);
	bool broken = contract_check_context_ring(svm) || contract_check_host_ring(svm);

	undo(svm, breach);
	return broken;
}

/**
 * svm_contract_create() - what the checker needs for a vCPU
 * @svm: the vCPU, being created
 *
 * Return: 0 or -ENOMEM.
 */
int svm_contract_create(struct vcpu_svm *svm)
{
	struct svm_contract *contract = kzalloc(sizeof(*contract), GFP_KERNEL_ACCOUNT);

	if (!contract)
		return -ENOMEM;
	contract->vmsave_page = svm_page_create(NUMA_NO_NODE, GFP_KERNEL_ACCOUNT);
	if (!contract->vmsave_page) {
		kfree(contract);
		return -ENOMEM;
	}
	contract->cpu = -1;
	contract->serial = atomic64_inc_return(&serials);
	svm->contract = contract;
	return 0;
}

/**
 * svm_contract_destroy() - undo svm_contract_create()
 * @svm: the vCPU
 */
void svm_contract_destroy(struct vcpu_svm *svm)
{
	free_page((unsigned long)svm->contract->vmsave_page);
	kfree(svm->contract);
}

/**
 * svm_contract_setup() - what the checker needs for the host
 *
 * Return: 0 or -ENOMEM.
 */
int svm_contract_setup(void)
{
	contract_host_setup();
	return contract_tlb_setup();
}

/** svm_contract_unsetup() - undo svm_contract_setup() */
void svm_contract_unsetup(void)
{
	contract_tlb_unsetup();
}

/**
 * svm_contract_cpu_enabled() - SVM was switched on, on this processor
 *
 * Context: interrupts off.
 */
void svm_contract_cpu_enabled(void)
{
	this_cpu_inc(enabled);
	contract_tlb_cpu_enabled();
}

static const struct contract_breach *find_breach(const char *name)
{
	const struct contract_breach *breach;
	unsigned int i;

	for_each_breach(i, breach) {
		if (!strcmp(breach->name, name))
			return breach;
	}
	return NULL;
}

/* The breaches: name, rule, whether this host's processor can show it. */
static int breach_show(struct seq_file *seq, void *unused)
{
	const struct contract_breach *breach;
	unsigned int i;

	for_each_breach(i, breach)
		seq_printf(seq, "%s %d %s\n", breach->name, breach->rule,
			   !breach->possible || breach->possible() ? "yes" : "no");
	return 0;
}

static int breach_open(struct inode *inode, struct file *file)
{
	return single_open(file, breach_show, NULL);
}

/*
 * EINVAL for an unknown name, EOPNOTSUPP for what this processor cannot show, EBUSY
 * where too many processes have something waiting.
 */
static ssize_t breach_write(struct file *file, const char __user *user, size_t bytes,
			    loff_t *offset)
{
	const struct contract_breach *breach;
	char name[NAME_MAX_BYTES];
	int error;

	if (bytes >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, user, bytes))
		return -EFAULT;
	name[bytes] = '\0';
	breach = find_breach(strim(name));
	if (!breach)
		return -EINVAL;
	if (breach->possible && !breach->possible())
		return -EOPNOTSUPP;
	error = plant_put(breach);
	return error ?: bytes;
}

static const struct file_operations breach_fops = {
	.owner = THIS_MODULE,
	.open = breach_open,
	.read = seq_read,
	.write = breach_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int reports_show(struct seq_file *seq, void *unused)
{
	u64 of_ours, of_knob;
	char text[TEXT_BYTES];

	raw_spin_lock_irq(&lock);
	of_ours = unplanned;
	of_knob = planted;
	strscpy(text, last_text, sizeof(text));
	raw_spin_unlock_irq(&lock);
	seq_printf(seq, "unplanned %llu\nplanted %llu\nlast %s\n", of_ours, of_knob, text);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reports);

/**
 * svm_contract_debugfs() - make ksvm/contract/
 * @parent: ksvm/
 */
void svm_contract_debugfs(struct dentry *parent)
{
	struct dentry *folder = debugfs_create_dir("contract", parent);

	debugfs_create_file("breach", 0600, folder, NULL, &breach_fops);
	debugfs_create_file("reports", 0400, folder, NULL, &reports_fops);
}
