// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GET_MSRS and KVM_SET_MSRS. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "vcpu.h"

/* More than this at once is refused, as by KVM. */
#define MSRS_AT_ONCE_MAX	255

typedef int (*msr_access_t)(struct ksvm_vcpu *vcpu, struct kvm_msr_entry *entry);

static int get_entry(struct ksvm_vcpu *vcpu, struct kvm_msr_entry *entry)
{
	u64 value;
	int error;

	error = ksvm_get_msr(vcpu, entry->index, &value, true);
	if (!error)
		entry->data = value;
	return error;
}

static int set_entry(struct ksvm_vcpu *vcpu, struct kvm_msr_entry *entry)
{
	return ksvm_set_msr(vcpu, entry->index, entry->data, true);
}

/* Stops at the first one that fails; copies back what was read until there. */
static int access_msrs(struct ksvm_vcpu *vcpu, struct kvm_msrs __user *user,
		       msr_access_t access, bool copy_back)
{
	struct kvm_msr_entry *entries;
	unsigned int done;
	size_t bytes;
	u32 count;
	int ret;

	if (get_user(count, &user->nmsrs))
		return -EFAULT;
	if (count > MSRS_AT_ONCE_MAX)
		return -E2BIG;
	if (!count)
		return 0;
	bytes = count * sizeof(*entries);
	entries = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	ret = -EFAULT;
	if (copy_from_user(entries, user->entries, bytes))
		goto free;
	for (done = 0; done < count; done++) {
		if (access(vcpu, &entries[done]))
			break;
	}
	if (!copy_back || !copy_to_user(user->entries, entries, bytes))
		ret = done;
free:
	kvfree(entries);
	return ret;
}

/**
 * ksvm_get_msrs() - KVM_GET_MSRS on a vCPU
 * @vcpu: the vCPU, by its own thread
 * @user: header and entries; their data are filled
 *
 * Return: how many were read before the first that cannot be; -E2BIG for more
 * than MSRS_AT_ONCE_MAX; -EFAULT, -ENOMEM.
 * Context: may sleep.
 */
int ksvm_get_msrs(struct ksvm_vcpu *vcpu, struct kvm_msrs __user *user)
{
	return access_msrs(vcpu, user, get_entry, true);
}

/**
 * ksvm_set_msrs() - KVM_SET_MSRS
 * @vcpu: the vCPU, by its own thread
 * @user: header and entries
 *
 * Return: how many were written before the first that cannot be; otherwise as
 * ksvm_get_msrs().
 * Context: may sleep.
 */
int ksvm_set_msrs(struct ksvm_vcpu *vcpu, struct kvm_msrs __user *user)
{
	return access_msrs(vcpu, user, set_entry, false);
}
