/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual machines for tests, on the node that KSVM_DEV names.
 *
 * A VM of vm_create() has 16 MiB at guest-physical 0 in slot 0, into which the
 * test program's own image is copied at its link address. Guest functions are
 * therefore plain C functions of the test; a global variable exists twice, and
 * guest_var() gives the host's view of the guest's copy. The first 4 GiB are
 * mapped one to one; what no slot backs is MMIO.
 */
#ifndef SELFTEST_VM_H
#define SELFTEST_VM_H

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "guest.h"
#include "types.h"
#include "x86.h"

#define GUEST_MEM_SIZE	0x1000000ull
#define GUEST_GDT	0x10000ull
#define GUEST_IDT	0x11000ull
#define GUEST_TSS	0x12000ull
#define GUEST_PT_POOL	0x20000ull
#define GUEST_PT_END	0x100000ull
#define GUEST_STACKS	0x800000ull
#define GUEST_STACK	0x8000ull
#define GUEST_SCRATCH	0xa00000ull	/* up to the end is the test's own */
#define GUEST_MMIO	0xd0000000ull	/* mapped, never backed */

struct vm {
	int fd;
	u8 *mem;
	u64 mem_size;
	u64 pt_next;
	u64 pgd;
};

struct vcpu {
	struct vm *vm;
	int fd;
	u32 id;
	struct kvm_run *run;
	size_t run_size;
};

const char *node_path(void);
int node_open(int flags);
bool reference_run(void);
bool host_is_tcg(void);
bool host_is_bochs(void);
void need_interrupt_window(void);
int check_extension(int fd, long cap);

int xioctl_at(const char *file, int line, const char *name, int fd,
	      unsigned long cmd, void *arg);
void ioctl_fails_at(const char *file, int line, const char *name, int fd,
		    unsigned long cmd, void *arg, int error);

/* Call that has to succeed; returns its result. */
#define xioctl(fd, cmd, arg) \
	xioctl_at(__FILE__, __LINE__, #cmd, fd, cmd, (void *)(arg))
/* Call that has to fail with @error. */
#define ioctl_fails(fd, cmd, arg, error) \
	ioctl_fails_at(__FILE__, __LINE__, #cmd, fd, cmd, (void *)(arg), error)

struct vm *vm_create_bare(void);
struct vm *vm_create(void);
void vm_set_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
		 void *mem);
int vm_try_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
		void *mem);
void *vm_alloc(u64 size);
void vm_map_page(struct vm *vm, u64 va, u64 pa, u64 flags);
u64 *vm_pte(struct vm *vm, u64 va);
void *vm_host(struct vm *vm, u64 gpa);

#define guest_var(vm, var) ({						\
	typeof(var) *__var = &(var);					\
									\
	(typeof(__var))vm_host(vm, (u64)__var);				\
})

struct vcpu *vcpu_create_bare(struct vm *vm, u32 id);
struct vcpu *vcpu_create(struct vm *vm, u32 id, void *entry);
struct vcpu *vm_with_vcpu(void *entry);
struct kvm_cpuid2 *supported_cpuid(void);
struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *cpuid, u32 leaf,
				    u32 index);
void vcpu_set_cpuid(struct vcpu *vcpu);
void vcpu_set_entry(struct vcpu *vcpu, void *entry);
void vcpu_set_arg(struct vcpu *vcpu, u64 arg0, u64 arg1);
void vcpu_set_rip(struct vcpu *vcpu, u64 rip);
struct kvm_regs vcpu_regs(struct vcpu *vcpu);
struct kvm_sregs vcpu_sregs(struct vcpu *vcpu);
struct kvm_vcpu_events vcpu_events(struct vcpu *vcpu);
int vcpu_try_msr(struct vcpu *vcpu, u32 index, u64 *data, bool write);
u64 vcpu_msr(struct vcpu *vcpu, u32 index);
void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 data);

int vcpu_try_run(struct vcpu *vcpu);
void vcpu_run(struct vcpu *vcpu);
void vcpu_expect_eintr_at(const char *file, int line, struct vcpu *vcpu);
void vcpu_complete_io(struct vcpu *vcpu);
void vcpu_expect_exit_at(const char *file, int line, struct vcpu *vcpu,
			 u32 reason);
u32 vcpu_run_message(struct vcpu *vcpu, struct guest_message *msg);
u32 vcpu_message(struct vcpu *vcpu, struct guest_message *msg);
void vcpu_expect_sync_at(const char *file, int line, struct vcpu *vcpu,
			 u64 stage);
void vcpu_expect_done_at(const char *file, int line, struct vcpu *vcpu);
void vcpu_expect_io_at(const char *file, int line, struct vcpu *vcpu,
		       bool out, u16 port, u8 size, u32 count);
void vcpu_expect_mmio_at(const char *file, int line, struct vcpu *vcpu,
			 bool write, u64 gpa, u32 len);
void *vcpu_io_data(struct vcpu *vcpu);

/* Run until the next exit to user space and demand its kind. */
#define vcpu_expect_exit(vcpu, reason) \
	vcpu_expect_exit_at(__FILE__, __LINE__, vcpu, reason)
/* Run, and demand EINTR with nothing stale in the run page. */
#define vcpu_expect_eintr(vcpu) \
	vcpu_expect_eintr_at(__FILE__, __LINE__, vcpu)
#define vcpu_expect_sync(vcpu, stage) \
	vcpu_expect_sync_at(__FILE__, __LINE__, vcpu, stage)
#define vcpu_expect_done(vcpu) \
	vcpu_expect_done_at(__FILE__, __LINE__, vcpu)
#define vcpu_expect_io(vcpu, out, port, size, count) \
	vcpu_expect_io_at(__FILE__, __LINE__, vcpu, out, port, size, count)
#define vcpu_expect_mmio(vcpu, write, gpa, len) \
	vcpu_expect_mmio_at(__FILE__, __LINE__, vcpu, write, gpa, len)

void vm_free(struct vm *vm);
void vcpu_free(struct vcpu *vcpu);

#endif
