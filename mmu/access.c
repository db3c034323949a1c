// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory, read and written at its user addresses. In ring 2 a page that
 * is not there is a miss, and ring 1 does the access again.
 *
 * The user ranges of slots were checked by access_ok() when the slots were made.
 */
#include <linux/log2.h>
#include <asm/asm.h>

#include "internal.h"

/* Up to here without the kernel's copy routine and its checks. */
#define INLINE_BYTES	16

/*
 * Few bytes, as instructions and operands are, with two loads that may overlap;
 * with one where the size is an operand's, which keeps that atomic.
 */
static __always_inline int copy_in_few(void *data, unsigned long hva, unsigned int bytes)
{
	unsigned long last = hva + bytes;
	void *end = data + bytes;

	__uaccess_begin_nospec();
	if (bytes >= 8) {
		unsafe_get_user(*(u64 *)data, (const u64 __user *)hva, miss);
		if (bytes > 8)
			unsafe_get_user(*(u64 *)(end - 8), (const u64 __user *)(last - 8), miss);
	} else if (bytes >= 4) {
		unsafe_get_user(*(u32 *)data, (const u32 __user *)hva, miss);
		if (bytes > 4)
			unsafe_get_user(*(u32 *)(end - 4), (const u32 __user *)(last - 4), miss);
	} else if (bytes >= 2) {
		unsafe_get_user(*(u16 *)data, (const u16 __user *)hva, miss);
		if (bytes > 2)
			unsafe_get_user(*(u8 *)(end - 1), (const u8 __user *)(last - 1), miss);
	} else {
		unsafe_get_user(*(u8 *)data, (const u8 __user *)hva, miss);
	}
	__uaccess_end();
	return 0;

miss:
	__uaccess_end();
	return -EFAULT;
}

static int copy_in(void *data, unsigned long hva, unsigned int bytes)
{
	if (likely(bytes <= INLINE_BYTES))
		return copy_in_few(data, hva, bytes);
	return __copy_from_user_inatomic(data, (const void __user *)hva, bytes) ? -EFAULT : 0;
}

/* The widest access that fits. */
static __always_inline unsigned int step_of(unsigned int bytes)
{
	return bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
}

static int copy_out(unsigned long hva, const void *data, unsigned int bytes)
{
	void __user *user = (void __user *)hva;
	unsigned int n;
	int r = 0;

	if (bytes > INLINE_BYTES)
		return __copy_to_user_inatomic(user, data, bytes) ? -EFAULT : 0;
	for (; bytes && !r; bytes -= n, data += n, user += n) {
		n = step_of(bytes);
		switch (n) {
		case 8:
			r = __put_user(*(const u64 *)data, (u64 __user *)user);
			break;
		case 4:
			r = __put_user(*(const u32 *)data, (u32 __user *)user);
			break;
		case 2:
			r = __put_user(*(const u16 *)data, (u16 __user *)user);
			break;
		default:
			r = __put_user(*(const u8 *)data, (u8 __user *)user);
			break;
		}
	}
	return r;
}

/* The slot to access @gpa in, or NULL where there is none for it. */
static struct ksvm_memslot *access_slot(struct ksvm_vcpu *vcpu, gpa_t gpa, bool write)
{
	struct ksvm_memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);

	if (slot && write && slot->flags & KVM_MEM_READONLY)
		return NULL;
	return slot;
}

/* How much of an access is in its first page. */
static unsigned int in_page(gpa_t gpa, unsigned int bytes)
{
	return min_t(unsigned int, bytes, PAGE_SIZE - offset_in_page(gpa));
}

/* Something, and all of it in one page. */
static __always_inline bool is_in_page(gpa_t gpa, unsigned int bytes)
{
	return likely(bytes - 1 < PAGE_SIZE - offset_in_page(gpa));
}

static __always_inline int read_page(struct ksvm_vcpu *vcpu, gpa_t gpa, void *data,
				     unsigned int bytes)
{
	struct ksvm_memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);
	int r;

	if (!slot)
		return -ENXIO;
	user_begin(vcpu);
	r = copy_in(data, slot_hva_of_gpa(slot, gpa), bytes);
	user_end(vcpu);
	return r ? user_miss(vcpu) : 0;
}

static __always_inline int write_page(struct ksvm_vcpu *vcpu, gpa_t gpa, const void *data,
				      unsigned int bytes)
{
	struct ksvm_memslot *slot = access_slot(vcpu, gpa, true);
	int r;

	if (!slot)
		return -ENXIO;
	user_begin(vcpu);
	r = copy_out(slot_hva_of_gpa(slot, gpa), data, bytes);
	user_end(vcpu);
	if (r)
		return user_miss(vcpu);
	slot_mark_dirty(slot, gpa >> PAGE_SHIFT);
	return 0;
}

static noinline int read_pages(struct ksvm_vcpu *vcpu, gpa_t gpa, void *data,
			       unsigned int bytes)
{
	int r = 0;

	while (bytes && !r) {
		unsigned int n = in_page(gpa, bytes);

		r = read_page(vcpu, gpa, data, n);
		gpa += n;
		data += n;
		bytes -= n;
	}
	return r;
}

static noinline int write_pages(struct ksvm_vcpu *vcpu, gpa_t gpa, const void *data,
				unsigned int bytes)
{
	int r = 0;

	while (bytes && !r) {
		unsigned int n = in_page(gpa, bytes);

		r = write_page(vcpu, gpa, data, n);
		gpa += n;
		data += n;
		bytes -= n;
	}
	return r;
}

/**
 * ksvm_read_gpa() - read guest memory
 * @vcpu: the vCPU, by its own thread
 * @gpa: where
 * @data: what was read; undefined on failure
 * @bytes: how much; may cross pages and slots
 *
 * Context: ring 2, or read side of mmu.srcu (then it may sleep).
 * Return: 0, -ENXIO, -EFAULT, -EAGAIN: see include/mmu.h.
 */
int ksvm_read_gpa(struct ksvm_vcpu *vcpu, gpa_t gpa, void *data, unsigned int bytes)
{
	if (is_in_page(gpa, bytes))
		return read_page(vcpu, gpa, data, bytes);
	return read_pages(vcpu, gpa, data, bytes);
}

/**
 * ksvm_write_gpa() - write guest memory
 * @vcpu: the vCPU, by its own thread
 * @gpa: where
 * @data: what to write
 * @bytes: how much; may cross pages and slots
 *
 * On failure a part may have been written: whole pages of it.
 *
 * Context: ring 2, or read side of mmu.srcu (then it may sleep).
 * Return: 0, -ENXIO, -EFAULT, -EAGAIN: see include/mmu.h.
 */
int ksvm_write_gpa(struct ksvm_vcpu *vcpu, gpa_t gpa, const void *data, unsigned int bytes)
{
	if (is_in_page(gpa, bytes))
		return write_page(vcpu, gpa, data, bytes);
	return write_pages(vcpu, gpa, data, bytes);
}

/* There is no macro of the kernel's for 16 bytes. @user is 16-byte aligned. */
static int cmpxchg16_user(void __user *user, u64 *old, const u64 *new)
{
	int error = 0;

	if (!boot_cpu_has(X86_FEATURE_CX16))
		return -EFAULT;
	__uaccess_begin_nospec();
	asm volatile("1: lock cmpxchg16b %[mem]\n"
		     "jmp 3f\n"
		     "2: mov %[efault], %[error]\n"
		     "3:\n"
		     _ASM_EXTABLE_UA(1b, 2b)
		     : [error] "+r" (error), [mem] "+m" (*(u8 (*)[16])(__force void *)user),
		       "+a" (old[0]), "+d" (old[1])
		     : "b" (new[0]), "c" (new[1]), [efault] "i" (-EFAULT)
		     : "cc");
	__uaccess_end();
	return error;
}

/* 0 whether it was exchanged or not: @old tells. */
static int cmpxchg_user(unsigned long hva, void *old, const void *new, unsigned int bytes)
{
	void __user *user = (void __user *)hva;
	int r;

	/* The labels are the macro's own: one for each use. */
	switch (bytes) {
	case 1:
		r = __try_cmpxchg_user((u8 __user *)user, (u8 *)old,
				       *(const u8 *)new, fault8);
		break;
	case 2:
		r = __try_cmpxchg_user((u16 __user *)user, (u16 *)old,
				       *(const u16 *)new, fault16);
		break;
	case 4:
		r = __try_cmpxchg_user((u32 __user *)user, (u32 *)old,
				       *(const u32 *)new, fault32);
		break;
	case 8:
		r = __try_cmpxchg_user((u64 __user *)user, (u64 *)old,
				       *(const u64 *)new, fault64);
		break;
	default:
		r = cmpxchg16_user(user, old, new);
		break;
	}
	return r < 0 ? r : 0;
}

/**
 * ksvm_cmpxchg_gpa() - compare and exchange in guest memory, atomically
 * @vcpu: the vCPU, by its own thread
 * @gpa: where
 * @old: what is expected there; on success replaced with what was there
 * @new: what to write if it was
 * @bytes: 1, 2, 4, 8, or 16 aligned to 16; within one page
 *
 * Context: ring 2, or read side of mmu.srcu (then it may sleep).
 * Return: 0 whether it was exchanged or not; -ENXIO, -EFAULT, -EAGAIN: see
 * include/mmu.h. -ENXIO also for a size or an alignment that cannot be done.
 */
int ksvm_cmpxchg_gpa(struct ksvm_vcpu *vcpu, gpa_t gpa, void *old, const void *new,
		     unsigned int bytes)
{
	struct ksvm_memslot *slot;
	int r;

	if (!is_power_of_2(bytes) || bytes > 16 || !is_in_page(gpa, bytes) ||
	    (bytes == 16 && gpa & 15))
		return -ENXIO;
	slot = access_slot(vcpu, gpa, true);
	if (!slot)
		return -ENXIO;
	user_begin(vcpu);
	r = cmpxchg_user(slot_hva_of_gpa(slot, gpa), old, new, bytes);
	user_end(vcpu);
	if (r)
		return user_miss(vcpu);
	slot_mark_dirty(slot, gpa >> PAGE_SHIFT);
	return 0;
}

/**
 * ksvm_gpa_is_memory() - is there memory at a guest-physical address?
 * @vcpu: the vCPU, by its own thread
 * @gpa: the address
 * @write: memory that can be written
 *
 * Context: ring 2, or read side of mmu.srcu.
 */
bool ksvm_gpa_is_memory(struct ksvm_vcpu *vcpu, gpa_t gpa, bool write)
{
	return access_slot(vcpu, gpa, write);
}
