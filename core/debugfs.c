// SPDX-License-Identifier: GPL-2.0-only
/* debugfs ksvm/: what is on, what is offered, what was counted. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "internal.h"
#include "svm.h"

static struct dentry *folder;

static int svm_features_open(struct inode *inode, struct file *file)
{
	return single_open(file, svm_features_show, NULL);
}

static const struct file_operations svm_features_fops = {
	.owner = THIS_MODULE,
	.open = svm_features_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static void show_table(struct seq_file *seq, const struct ioctl_table *table)
{
	unsigned int i;

	for (i = 0; i < table->count; i++)
		seq_printf(seq, "%-6s 0x%08x %s\n", table->file, table->rows[i].command,
			   table->rows[i].name);
}

/* The ioctls that are offered: file, command, name. */
static int ioctls_show(struct seq_file *seq, void *unused)
{
	show_table(seq, &ksvm_system_ioctls);
	show_table(seq, &ksvm_vm_ioctls);
	show_table(seq, &ksvm_vcpu_ioctls);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ioctls);

static int stats_show(struct seq_file *seq, void *unused)
{
	struct ksvm_totals totals;

	ksvm_vm_totals(&totals);
	seq_printf(seq, "vms %llu\n", totals.vms);
	seq_printf(seq, "vcpus %llu\n", totals.vcpus);
	seq_printf(seq, "exits %llu\n", totals.exits);
	seq_printf(seq, "slow_exits %llu\n", totals.slow_exits);
	seq_printf(seq, "user_exits %llu\n", totals.user_exits);
	seq_printf(seq, "ring_leaves %llu\n", totals.ring_leaves);
	seq_printf(seq, "npf_fixed %llu\n", totals.npf_fixed);
	seq_printf(seq, "emulated %llu\n", totals.emulated);
	seq_printf(seq, "injected %llu\n", totals.injected);
	seq_printf(seq, "pause_exits %llu\n", totals.pause_exits);
	seq_printf(seq, "halts %llu\n", totals.halts);
	seq_printf(seq, "halt_polls %llu\n", totals.halt_polls);
	seq_printf(seq, "yields %llu\n", totals.yields);
	seq_printf(seq, "asids %llu\n", totals.asids);
	seq_printf(seq, "asid_flushes %llu\n", totals.asid_flushes);
	seq_printf(seq, "asid_generations %llu\n", totals.asid_generations);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* Without debugfs the module works as well. */
void __init ksvm_debugfs_init(void)
{
	folder = debugfs_create_dir("ksvm", NULL);
	debugfs_create_file("features", 0444, folder, NULL, &svm_features_fops);
	debugfs_create_file("ioctls", 0444, folder, NULL, &ioctls_fops);
	debugfs_create_file("stats", 0444, folder, NULL, &stats_fops);
	svm_contract_debugfs(folder);
}

void ksvm_debugfs_exit(void)
{
	debugfs_remove(folder);
}
