// SPDX-License-Identifier: GPL-2.0-only
/* Memory slots: the rules, dirty logging, backing that goes away. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define SLOT_GPA	0x10000000ull	/* above slot 0, mapped one to one */
#define SLOT_SIZE	0x10000ull
#define PAGES		(SLOT_SIZE / PAGE_SIZE)

static void slot_fails(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size,
		       void *mem, int error)
{
	errno = 0;
	TEST_ASSERT(vm_try_slot(vm, slot, flags, gpa, size, mem) < 0,
		    "slot %u gpa 0x%llx size 0x%llx accepted", slot, gpa, size);
	TEST_EQ(errno, error);
}

static void alignment(void)
{
	struct vm *vm = vm_create_bare();
	u8 *mem = vm_alloc(4 * SLOT_SIZE);

	slot_fails(vm, 0, 0, 1, PAGE_SIZE, mem, EINVAL);
	slot_fails(vm, 0, 0, 0, PAGE_SIZE + 1, mem, EINVAL);
	slot_fails(vm, 0, 0, 0, PAGE_SIZE / 2, mem, EINVAL);
	slot_fails(vm, 0, 0, 0, PAGE_SIZE, mem + 1, EINVAL);
	slot_fails(vm, 0, 0, -PAGE_SIZE, 2 * PAGE_SIZE, mem, EINVAL);
	slot_fails(vm, 0, 0, 0, PAGE_SIZE, (void *)(u64)-PAGE_SIZE, EINVAL);
	slot_fails(vm, 0, 0, 0, PAGE_SIZE, (void *)0x8000000000000000, EINVAL);
	slot_fails(vm, 0, BIT(31), 0, PAGE_SIZE, mem, EINVAL);
	slot_fails(vm, 0, 4, 0, PAGE_SIZE, mem, EINVAL);
	slot_fails(vm, 0x7fff0000, 0, 0, PAGE_SIZE, mem, EINVAL);
	vm_set_slot(vm, 0, 0, 0, PAGE_SIZE, mem);
}

static void overlap(void)
{
	struct vm *vm = vm_create_bare();
	u8 *mem = vm_alloc(4 * SLOT_SIZE);

	vm_set_slot(vm, 3, 0, SLOT_GPA, SLOT_SIZE, mem);
	slot_fails(vm, 4, 0, SLOT_GPA, SLOT_SIZE, mem, EEXIST);
	slot_fails(vm, 4, 0, SLOT_GPA - PAGE_SIZE, 2 * PAGE_SIZE, mem, EEXIST);
	slot_fails(vm, 4, 0, SLOT_GPA + SLOT_SIZE - PAGE_SIZE, 2 * PAGE_SIZE,
		   mem, EEXIST);
	slot_fails(vm, 4, 0, SLOT_GPA + PAGE_SIZE, PAGE_SIZE, mem, EEXIST);
	slot_fails(vm, 4, 0, SLOT_GPA - PAGE_SIZE, 2 * SLOT_SIZE, mem, EEXIST);
	/* Neighbours touch, and host memory may be shared. */
	vm_set_slot(vm, 4, 0, SLOT_GPA + SLOT_SIZE, SLOT_SIZE, mem);
	vm_set_slot(vm, 5, 0, SLOT_GPA - SLOT_SIZE, SLOT_SIZE, mem);
	/* A move onto another one is an overlap too. */
	slot_fails(vm, 4, 0, SLOT_GPA, SLOT_SIZE, mem, EEXIST);
}

static void change_rules(void)
{
	struct vm *vm = vm_create_bare();
	u8 *mem = vm_alloc(4 * SLOT_SIZE);

	slot_fails(vm, 1, 0, 0, 0, mem, EINVAL);	/* not there */
	vm_set_slot(vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	slot_fails(vm, 1, 0, SLOT_GPA, 2 * SLOT_SIZE, mem, EINVAL);
	slot_fails(vm, 1, 0, SLOT_GPA, PAGE_SIZE, mem, EINVAL);
	slot_fails(vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem + PAGE_SIZE, EINVAL);
	slot_fails(vm, 1, KVM_MEM_READONLY, SLOT_GPA, SLOT_SIZE, mem, EINVAL);
	vm_set_slot(vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);	/* no change */
	vm_set_slot(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA, SLOT_SIZE, mem);
	vm_set_slot(vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vm_set_slot(vm, 1, 0, 2 * SLOT_GPA, SLOT_SIZE, mem);	/* a move */
	vm_set_slot(vm, 2, 0, SLOT_GPA, SLOT_SIZE, mem);
	vm_set_slot(vm, 1, 0, 0, 0, NULL);
	slot_fails(vm, 1, 0, 0, 0, NULL, EINVAL);
	vm_set_slot(vm, 1, 0, 2 * SLOT_GPA, 2 * SLOT_SIZE, mem);
}

/* Every id below the capability's value is one, the value itself is not. */
static void slot_count(void)
{
	struct vm *vm = vm_create_bare();
	u32 i, n = check_extension(vm->fd, KVM_CAP_NR_MEMSLOTS);
	u32 many = n < 600 ? n : 600;
	u8 *mem = vm_alloc(PAGE_SIZE);

	for (i = 0; i < many; i++)
		vm_set_slot(vm, n - 1 - i, 0, i * PAGE_SIZE, PAGE_SIZE, mem);
	slot_fails(vm, n, 0, n * PAGE_SIZE, PAGE_SIZE, mem, EINVAL);
	vm_set_slot(vm, n - 5, 0, 0, 0, NULL);
	slot_fails(vm, n, 0, n * PAGE_SIZE, PAGE_SIZE, mem, EINVAL);
	vm_set_slot(vm, n - 5, 0, n * PAGE_SIZE, PAGE_SIZE, mem);
}

/* Guest: read each page's first word, write the page's number + 1 there. */
static void guest_touch(u64 gpa, u64 pages)
{
	u64 i, sum = 0;

	for (i = 0; i < pages; i++) {
		sum += mmio_read64(gpa + i * PAGE_SIZE);
		mmio_write64(gpa + i * PAGE_SIZE, i + 1);
	}
	GUEST_SYNC_ARGS(1, sum, 0, 0);
}

static void memory_is_shared(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_touch);
	u64 *mem = vm_alloc(SLOT_SIZE), i, sum = 0;
	struct guest_message msg;

	for (i = 0; i < PAGES; i++) {
		mem[i * 512] = i * 3 + 5;
		sum += i * 3 + 5;
	}
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, PAGES);
	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.args[1], sum);
	for (i = 0; i < PAGES; i++)
		TEST_EQ(mem[i * 512], i + 1);
	vcpu_expect_done(vcpu);
}

static void guest_read_loop(u64 gpa)
{
	u64 stage;

	for (stage = 0;; stage++)
		GUEST_SYNC_ARGS(stage, mmio_read64(gpa), 0, 0);
}

static u64 next_read(struct vcpu *vcpu)
{
	struct guest_message msg;

	vcpu_run_message(vcpu, &msg);
	return msg.args[1];
}

static void move_slot(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_loop);
	u64 *a = vm_alloc(SLOT_SIZE);

	a[0] = 0xaaaa;
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, a);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(next_read(vcpu), 0xaaaa);
	vm_set_slot(vcpu->vm, 1, 0, 2 * SLOT_GPA, SLOT_SIZE, a);
	vcpu_expect_mmio(vcpu, false, SLOT_GPA, 8);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, a);
	memset(vcpu->run->mmio.data, 0x11, 8);
	TEST_EQ(next_read(vcpu), 0x1111111111111111);
	TEST_EQ(next_read(vcpu), 0xaaaa);
}

static void replace_slot(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_loop);
	u64 *a = vm_alloc(SLOT_SIZE), *b = vm_alloc(SLOT_SIZE);

	a[0] = 0xaaaa;
	b[0] = 0xbbbb;
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, a);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(next_read(vcpu), 0xaaaa);
	vm_set_slot(vcpu->vm, 1, 0, 0, 0, NULL);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, b);
	TEST_EQ(next_read(vcpu), 0xbbbb);
}

static void guest_write_once(u64 gpa)
{
	GUEST_SYNC_ARGS(1, mmio_read64(gpa), 0, 0);
	mmio_write64(gpa, 0x1234);
	GUEST_SYNC_ARGS(2, mmio_read64(gpa), 0, 0);
	asm volatile("lock incq (%0)" : : "r"(gpa) : "memory");
}

static void readonly_slot(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_write_once);
	u64 *mem = vm_alloc(SLOT_SIZE);

	mem[0] = 0x77;
	vm_set_slot(vcpu->vm, 1, KVM_MEM_READONLY, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(next_read(vcpu), 0x77);
	vcpu_expect_mmio(vcpu, true, SLOT_GPA, 8);
	TEST_EQ(*(u64 *)vcpu->run->mmio.data, 0x1234);
	TEST_EQ(mem[0], 0x77);
	TEST_EQ(next_read(vcpu), 0x77);
	/* Read from memory, written to the outside. */
	vcpu_expect_mmio(vcpu, true, SLOT_GPA, 8);
	TEST_EQ(*(u64 *)vcpu->run->mmio.data, 0x78);
	vcpu_expect_done(vcpu);
	TEST_EQ(mem[0], 0x77);
}

static void guest_dirty(u64 gpa, u64 mask)
{
	u64 i;

	for (;;) {
		for (i = 0; i < PAGES; i++) {
			u64 page = gpa + i * PAGE_SIZE;

			if (mask & BIT(i))
				mmio_write64(page, mmio_read64(page) + 1);
			else
				mmio_read64(page);
		}
		GUEST_SYNC(1);
	}
}

static u64 dirty_log(struct vcpu *vcpu, u32 slot)
{
	u64 bitmap = ~0ull;
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = &bitmap };

	xioctl(vcpu->vm->fd, KVM_GET_DIRTY_LOG, &log);
	return bitmap;
}

static void dirty_logging(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_dirty);
	u64 *mem = vm_alloc(SLOT_SIZE), mask = 0x8421;

	vm_set_slot(vcpu->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA, SLOT_SIZE,
		    mem);
	vcpu_set_arg(vcpu, SLOT_GPA, mask);
	TEST_EQ(dirty_log(vcpu, 1), 0);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(dirty_log(vcpu, 1), mask);
	TEST_EQ(dirty_log(vcpu, 1), 0);
	/* Pages that are mapped writable by now have to show again. */
	vcpu_expect_sync(vcpu, 1);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(dirty_log(vcpu, 1), mask);
	TEST_EQ(mem[0], 3);
	/* Off and on again: written in between does not count. */
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_expect_sync(vcpu, 1);
	vm_set_slot(vcpu->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA, SLOT_SIZE,
		    mem);
	TEST_EQ(dirty_log(vcpu, 1), 0);
	vcpu_expect_sync(vcpu, 1);
	TEST_EQ(dirty_log(vcpu, 1), mask);
}

static void dirty_log_refused(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_dirty);
	u64 bitmap;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = &bitmap };
	void *mem = vm_alloc(SLOT_SIZE);
	int fd = vcpu->vm->fd;

	ioctl_fails(fd, KVM_GET_DIRTY_LOG, &log, ENOENT);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	ioctl_fails(fd, KVM_GET_DIRTY_LOG, &log, ENOENT);
	log.slot = 0x7fffffff;
	ioctl_fails(fd, KVM_GET_DIRTY_LOG, &log, EINVAL);
	vm_set_slot(vcpu->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA, SLOT_SIZE,
		    mem);
	log.slot = 1;
	log.dirty_bitmap = (void *)8;
	ioctl_fails(fd, KVM_GET_DIRTY_LOG, &log, EFAULT);
}

static void dontneed_under_guest(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_loop);
	u64 *mem = vm_alloc(SLOT_SIZE);

	mem[0] = 0x55;
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(next_read(vcpu), 0x55);
	/* The guest must see the fresh page, not the one it had mapped. */
	TEST_EQ(madvise(mem, SLOT_SIZE, MADV_DONTNEED), 0);
	TEST_EQ(next_read(vcpu), 0);
	mem[0] = 0x66;
	TEST_EQ(next_read(vcpu), 0x66);
	/* The same through a mapping put in its place. */
	TEST_TRUE(mmap(mem, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED |
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == mem);
	TEST_EQ(next_read(vcpu), 0);
}

static void cow_under_guest(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_loop);
	u64 *mem = vm_alloc(SLOT_SIZE);

	/* Never touched: the guest's read maps the zero page. */
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(next_read(vcpu), 0);
	mem[0] = 0x99;
	TEST_EQ(next_read(vcpu), 0x99);
}

/* Memory that the host itself may not write can still be read by the guest. */
static void mprotect_under_guest(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_touch);
	u64 *mem = vm_alloc(SLOT_SIZE);
	int ret;

	mem[0] = 0x44;
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, 1);
	TEST_EQ(mprotect(mem, SLOT_SIZE, PROT_READ), 0);
	ret = vcpu_try_run(vcpu);
	TEST_ASSERT((ret < 0 && errno == EFAULT) ||
		    vcpu->run->exit_reason == KVM_EXIT_MMIO,
		    "ret %d exit %u", ret, vcpu->run->exit_reason);
	TEST_EQ(mem[0], 0x44);
}

static void munmap_under_guest(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_loop);
	u64 *mem = vm_alloc(SLOT_SIZE);
	int ret;

	mem[0] = 0x31;
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(next_read(vcpu), 0x31);
	munmap(mem, SLOT_SIZE);
	ret = vcpu_try_run(vcpu);
	TEST_ASSERT(ret < 0 && errno == EFAULT, "ret %d", ret);
	/* Back again, the guest goes on where it stopped. */
	TEST_TRUE(mmap(mem, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED |
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == mem);
	mem[0] = 0x32;
	TEST_EQ(next_read(vcpu), 0x32);
}

static void guest_spin_read(u64 gpa)
{
	sti();	/* in Bochs the host's interrupts end no other guest */
	for (;;)
		mmio_read64(gpa);
}

static void *run_thread(void *arg)
{
	vcpu_run(arg);
	return NULL;
}

static void delete_under_running_guest(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_spin_read);
	u64 *mem = vm_alloc(SLOT_SIZE);
	pthread_t thread;

	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, SLOT_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA, 0);
	TEST_EQ(pthread_create(&thread, NULL, run_thread, vcpu), 0);
	usleep(50000);
	vm_set_slot(vcpu->vm, 1, 0, 0, 0, NULL);
	pthread_join(thread, NULL);
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	TEST_EQ(vcpu->run->mmio.phys_addr, SLOT_GPA);
}

static void *churn_thread(void *arg)
{
	struct vm *vm = arg;
	void *mem = vm_alloc(SLOT_SIZE);
	int i;

	for (i = 0; i < 200; i++) {
		vm_set_slot(vm, 2, 0, 2 * SLOT_GPA, SLOT_SIZE, mem);
		vm_set_slot(vm, 2, 0, 0, 0, NULL);
	}
	return NULL;
}

static void guest_touch_loop(u64 gpa, u64 pages)
{
	u64 i;

	sti();	/* see guest_spin_read() */
	for (i = 0;; i++)
		mmio_write64(gpa + i % pages * PAGE_SIZE, i);
}

/* Other slots come and go, pages are dropped: no write may get lost. */
static void churn_under_running_guest(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_touch_loop);
	u64 *mem = vm_alloc(SLOT_SIZE);
	pthread_t runner, churner;
	int i;

	vm_set_slot(vcpu->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA, SLOT_SIZE,
		    mem);
	vcpu_set_arg(vcpu, SLOT_GPA, PAGES);
	TEST_EQ(pthread_create(&runner, NULL, run_thread, vcpu), 0);
	TEST_EQ(pthread_create(&churner, NULL, churn_thread, vcpu->vm), 0);
	for (i = 0; i < 200; i++) {
		TEST_EQ(madvise(mem, SLOT_SIZE, MADV_DONTNEED), 0);
		dirty_log(vcpu, 1);
	}
	pthread_join(churner, NULL);
	vm_set_slot(vcpu->vm, 1, 0, 0, 0, NULL);
	pthread_join(runner, NULL);
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	TEST_EQ(vcpu->run->mmio.is_write, 1);
}

static void run_without_slots(void)
{
	struct vcpu *vcpu = vcpu_create_bare(vm_create_bare(), 0);

	/* Stock KVM finds no room for page tables without this. */
	xioctl(vcpu->vm->fd, KVM_SET_NR_MMU_PAGES, 64);
	vcpu_run(vcpu);
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_INTERNAL_ERROR);
	TEST_EQ(vcpu->run->internal.suberror, KVM_INTERNAL_ERROR_EMULATION);
}

static void code_slot_deleted(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_read_loop);
	u32 reason;

	if (reference_run())
		test_skip("stock KVM does not come back in an emulated host");
	vcpu_set_arg(vcpu, GUEST_SCRATCH, 0);
	TEST_EQ(next_read(vcpu), 0);
	vm_set_slot(vcpu->vm, 0, 0, 0, 0, NULL);
	vcpu_run(vcpu);
	reason = vcpu->run->exit_reason;
	TEST_ASSERT(reason == KVM_EXIT_SHUTDOWN ||
		    reason == KVM_EXIT_INTERNAL_ERROR, "exit %u", reason);
}

static const struct test_row rows[] = {
	{ "alignment", alignment },
	{ "overlap", overlap },
	{ "change_rules", change_rules },
	{ "slot_count", slot_count },
	{ "memory_is_shared", memory_is_shared },
	{ "move_slot", move_slot },
	{ "replace_slot", replace_slot },
	{ "readonly_slot", readonly_slot },
	{ "dirty_logging", dirty_logging },
	{ "dirty_log_refused", dirty_log_refused },
	{ "dontneed_under_guest", dontneed_under_guest },
	{ "cow_under_guest", cow_under_guest },
	{ "mprotect_under_guest", mprotect_under_guest },
	{ "munmap_under_guest", munmap_under_guest },
	{ "delete_under_running_guest", delete_under_running_guest },
	{ "churn_under_running_guest", churn_under_running_guest },
	{ "run_without_slots", run_without_slots },
	{ "code_slot_deleted", code_slot_deleted },
};

int main(int argc, char **argv)
{
	test_add_rows("memslot", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
