// SPDX-License-Identifier: GPL-2.0-only
/* The node in /dev and the ioctls of the file that it opens. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/kvm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "internal.h"
#include "x86.h"

#define NODE_NAME_MAX	32

static char *node = "ksvm";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "name of the node in /dev (default ksvm; kvm for programs that insist on it)");

static long system_get_api_version(void *object, unsigned long arg, void *data)
{
	return arg ? -EINVAL : KVM_API_VERSION;
}

static long system_create_vm(void *object, unsigned long arg, void *data)
{
	return ksvm_vm_create_fd(arg);
}

static long system_check_extension(void *object, unsigned long arg, void *data)
{
	return ksvm_check_extension(NULL, arg);
}

static long system_get_vcpu_mmap_size(void *object, unsigned long arg, void *data)
{
	return arg ? -EINVAL : KSVM_RUN_PAGES * PAGE_SIZE;
}

static long system_get_supported_cpuid(void *object, unsigned long arg, void *data)
{
	return ksvm_get_supported_cpuid((struct kvm_cpuid2 __user *)arg);
}

static long system_get_msr_index_list(void *object, unsigned long arg, void *data)
{
	return ksvm_get_msr_index_list((struct kvm_msr_list __user *)arg);
}

static long system_get_mce_cap(void *object, unsigned long arg, void *data)
{
	*(u64 *)data = ksvm_mce_cap_supported();
	return 0;
}

static const struct ioctl_row system_rows[] = {
	IOCTL_ROW(KVM_GET_API_VERSION, 0, system_get_api_version),
	IOCTL_ROW(KVM_CREATE_VM, 0, system_create_vm),
	IOCTL_ROW(KVM_CHECK_EXTENSION, 0, system_check_extension),
	IOCTL_ROW(KVM_GET_VCPU_MMAP_SIZE, 0, system_get_vcpu_mmap_size),
	IOCTL_ROW(KVM_GET_SUPPORTED_CPUID, 0, system_get_supported_cpuid),
	IOCTL_ROW(KVM_GET_MSR_INDEX_LIST, 0, system_get_msr_index_list),
	IOCTL_ROW(KVM_X86_GET_MCE_CAP_SUPPORTED, IOCTL_OUT, system_get_mce_cap),
};

const struct ioctl_table ksvm_system_ioctls = {
	.file = "system",
	.rows = system_rows,
	.count = ARRAY_SIZE(system_rows),
	.missing = -EINVAL,
};

static long node_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	return ioctl_dispatch(&ksvm_system_ioctls, NULL, NULL, command, arg);
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = ioctl_compat,
	.llseek = noop_llseek,
};

static struct miscdevice node_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.fops = &node_fops,
};

static bool __init name_valid(const char *name)
{
	size_t i, length = strnlen(name, NODE_NAME_MAX);

	if (!length || length == NODE_NAME_MAX || !isalpha(name[0]))
		return false;
	for (i = 0; i < length; i++) {
		if (!isalnum(name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	}
	return true;
}

/**
 * ksvm_node_init() - make the node
 *
 * From here on user space can use the module: the last step of its load.
 *
 * Return: 0; -EINVAL for a name that is none; -EBUSY where kvm.ko has it; what
 * misc_register() returns. One log line names the cause.
 */
int __init ksvm_node_init(void)
{
	int error;

	if (!name_valid(node)) {
		pr_err("node= takes a name of letters, digits, - and _, at most %d long\n",
		       NODE_NAME_MAX - 1);
		return -EINVAL;
	}
	if (!strcmp(node, "kvm") && ksvm_module_present("kvm")) {
		pr_err("/dev/kvm belongs to kvm.ko: unload it, or load ksvm without node=kvm\n");
		return -EBUSY;
	}

	node_device.name = node;
	error = misc_register(&node_device);
	if (error)
		pr_err("cannot make /dev/%s: error %d\n", node, error);
	return error;
}

/** ksvm_node_exit() - remove the node */
void ksvm_node_exit(void)
{
	misc_deregister(&node_device);
}
