// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory on host memory of every kind, while it changes underneath. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define SLOT_GPA	0x10000000ull
#define HUGE		0x200000ull
#define HUGE_PAGES	(HUGE / PAGE_SIZE)
#define HIGH_GPA	0x4000000000ull		/* 256 GiB */
#define HIGH_GVA	0x100000000ull
#define PORT		0x1234

/* Read or write one word a page, as asked, until told to end. */
enum { ASK_READ, ASK_WRITE, ASK_TOUCH_ALL, ASK_END };

static struct {
	u64 what, address, value;
} guest_request;

static void guest_server(void)
{
	for (;;) {
		u64 value = 0, i;

		GUEST_SYNC_ARGS(1, 0, 0, 0);
		switch (READ_ONCE(guest_request.what)) {
		case ASK_READ:
			value = mmio_read64(guest_request.address);
			break;
		case ASK_WRITE:
			mmio_write64(guest_request.address,
				     guest_request.value);
			break;
		case ASK_TOUCH_ALL:
			for (i = 0; i < guest_request.value; i++)
				mmio_write64(guest_request.address +
					     i * PAGE_SIZE, i + 1);
			break;
		default:
			return;
		}
		GUEST_SYNC_ARGS(2, value, 0, 0);
	}
}

static struct vcpu *server(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_server);

	vcpu_expect_sync(vcpu, 1);
	return vcpu;
}

static u64 ask(struct vcpu *vcpu, u64 what, u64 address, u64 value)
{
	struct guest_message msg;

	guest_var(vcpu->vm, guest_request)->what = what;
	guest_var(vcpu->vm, guest_request)->address = address;
	guest_var(vcpu->vm, guest_request)->value = value;
	vcpu_run_message(vcpu, &msg);
	TEST_EQ(msg.args[0], 2);
	vcpu_expect_sync(vcpu, 1);
	return msg.args[1];
}

/* Memory aligned for large pages, large where the kernel gives them. */
static u8 *huge_alloc(u64 size)
{
	u64 at = (u64)vm_alloc(size + HUGE);
	u8 *mem = (u8 *)((at + HUGE - 1) & ~(HUGE - 1));

	madvise(mem, size, MADV_HUGEPAGE);
	return mem;
}

static void dirty_bitmap(struct vcpu *vcpu, u64 *bitmap)
{
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };

	xioctl(vcpu->vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static u64 count_bits(const u64 *bitmap, u64 words)
{
	u64 i, n = 0;

	for (i = 0; i < words; i++)
		n += __builtin_popcountll(bitmap[i]);
	return n;
}

/* A page of what is mapped as one large page shows alone in the log. */
static void large_page_dirty_log(void)
{
	const u64 size = 2 * HUGE, pages = size / PAGE_SIZE;
	u8 *mem = huge_alloc(size);
	struct vcpu *vcpu = server();
	u64 bitmap[2 * HUGE_PAGES / 64];

	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, size, mem);
	ask(vcpu, ASK_TOUCH_ALL, SLOT_GPA, pages);
	vm_set_slot(vcpu->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA, size, mem);
	dirty_bitmap(vcpu, bitmap);
	TEST_EQ(count_bits(bitmap, ARRAY_SIZE(bitmap)), 0);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + 5 * PAGE_SIZE, 0), 6);
	ask(vcpu, ASK_WRITE, SLOT_GPA + 77 * PAGE_SIZE, 0x7777);
	ask(vcpu, ASK_WRITE, SLOT_GPA + (pages - 1) * PAGE_SIZE, 0x8888);
	dirty_bitmap(vcpu, bitmap);
	TEST_EQ(count_bits(bitmap, ARRAY_SIZE(bitmap)), 2);
	TEST_TRUE(bitmap[77 / 64] & BIT(77 % 64));
	TEST_TRUE(bitmap[(pages - 1) / 64] & BIT(63));
	TEST_EQ(*(u64 *)(mem + 77 * PAGE_SIZE), 0x7777);
	/* Off again: large mappings may come back, the contents stay. */
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, size, mem);
	ask(vcpu, ASK_WRITE, SLOT_GPA + 78 * PAGE_SIZE, 0x9999);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + 77 * PAGE_SIZE, 0), 0x7777);
	TEST_EQ(*(u64 *)(mem + 78 * PAGE_SIZE), 0x9999);
}

/* Part of a large page goes away under its mapping. */
static void large_page_torn(void)
{
	u8 *mem = huge_alloc(HUGE);
	struct vcpu *vcpu = server();

	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, HUGE, mem);
	ask(vcpu, ASK_TOUCH_ALL, SLOT_GPA, HUGE_PAGES);
	TEST_EQ(madvise(mem + 8 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED), 0);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + 7 * PAGE_SIZE, 0), 8);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + 8 * PAGE_SIZE, 0), 0);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + 9 * PAGE_SIZE, 0), 10);
}

/* A large host page that the slot does not cover as a whole. */
static void large_page_borders(void)
{
	u8 *mem = huge_alloc(2 * HUGE);
	struct vcpu *vcpu = server();

	memset(mem, 0x5a, 2 * HUGE);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA + PAGE_SIZE, HUGE, mem + PAGE_SIZE);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + PAGE_SIZE, 0),
		0x5a5a5a5a5a5a5a5a);
	ask(vcpu, ASK_WRITE, SLOT_GPA + HUGE, 0x42);
	TEST_EQ(*(u64 *)(mem + HUGE), 0x42);
	guest_var(vcpu->vm, guest_request)->what = ASK_READ;
	guest_var(vcpu->vm, guest_request)->address = SLOT_GPA;
	vcpu_expect_mmio(vcpu, false, SLOT_GPA, 8);
	vcpu_expect_sync(vcpu, 2);
	vcpu_expect_sync(vcpu, 1);
	guest_var(vcpu->vm, guest_request)->address = SLOT_GPA + PAGE_SIZE + HUGE;
	vcpu_expect_mmio(vcpu, false, SLOT_GPA + PAGE_SIZE + HUGE, 8);
}

/* After a fork the parent's guest must not write to the child's pages. */
static void fork_copies(void)
{
	u64 *mem = vm_alloc(PAGE_SIZE);
	struct vcpu *vcpu = server();
	int to_child[2], status;
	pid_t pid;
	char byte;

	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, PAGE_SIZE, mem);
	ask(vcpu, ASK_WRITE, SLOT_GPA, 0x11);
	TEST_EQ(pipe(to_child), 0);
	pid = fork();
	if (!pid) {
		TEST_EQ(read(to_child[0], &byte, 1), 1);
		TEST_EQ(mem[0], 0x11);
		_exit(KSFT_PASS);
	}
	ask(vcpu, ASK_WRITE, SLOT_GPA, 0x22);
	TEST_EQ(write(to_child[1], "x", 1), 1);
	TEST_EQ(waitpid(pid, &status, 0), pid);
	TEST_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	TEST_EQ(mem[0], 0x22);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA, 0), 0x22);
}

/* Two views of a file: the guest's writes show, a punched hole does too. */
static void shared_file(void)
{
	int fd = syscall(SYS_memfd_create, "memory", 0);
	struct vcpu *vcpu = server();
	u64 *guest, *other;

	TEST_TRUE(fd >= 0);
	TEST_EQ(ftruncate(fd, 4 * PAGE_SIZE), 0);
	guest = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	other = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	TEST_TRUE(guest != MAP_FAILED && other != MAP_FAILED);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, 4 * PAGE_SIZE, guest);
	ask(vcpu, ASK_WRITE, SLOT_GPA + PAGE_SIZE, 0x33);
	TEST_EQ(other[512], 0x33);
	other[512] = 0x44;
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + PAGE_SIZE, 0), 0x44);
	TEST_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  PAGE_SIZE, PAGE_SIZE), 0);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + PAGE_SIZE, 0), 0);
	ask(vcpu, ASK_WRITE, SLOT_GPA + PAGE_SIZE, 0x55);
	TEST_EQ(other[512], 0x55);
}

/* A file mapped for reading: the guest reads it, and cannot write it. */
static void read_only_file(void)
{
	int fd = syscall(SYS_memfd_create, "rom", 0), ret;
	struct vcpu *vcpu = server();
	u64 *mem;

	TEST_TRUE(fd >= 0);
	TEST_EQ(ftruncate(fd, PAGE_SIZE), 0);
	TEST_EQ(pwrite(fd, "\x77", 1, 0), 1);
	mem = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	TEST_TRUE(mem != MAP_FAILED);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, PAGE_SIZE, mem);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA, 0), 0x77);
	guest_var(vcpu->vm, guest_request)->what = ASK_WRITE;
	guest_var(vcpu->vm, guest_request)->value = 1;
	ret = vcpu_try_run(vcpu);
	TEST_ASSERT((ret < 0 && errno == EFAULT) ||
		    vcpu->run->exit_reason == KVM_EXIT_MMIO,
		    "ret %d exit %u", ret, vcpu->run->exit_reason);
	TEST_EQ(mem[0], 0x77);
}

/* Beyond 4 GiB, and with a slot at the end of what can be addressed. */
static void high_addresses(void)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(supported_cpuid(), 0x80000008, 0);
	u64 *a = vm_alloc(PAGE_SIZE), *b = vm_alloc(PAGE_SIZE), top;
	struct vcpu *vcpu = server();

	TEST_TRUE(e);
	top = (1ull << (e->eax & 0xff)) - PAGE_SIZE;
	a[0] = 0xaa;
	b[0] = 0xbb;
	vm_set_slot(vcpu->vm, 1, 0, top, PAGE_SIZE, a);
	vm_set_slot(vcpu->vm, 2, 0, top > HIGH_GPA ? HIGH_GPA : 1ull << 33,
		    PAGE_SIZE, b);
	vm_map_page(vcpu->vm, HIGH_GVA, top, PTE_P | PTE_RW);
	vm_map_page(vcpu->vm, HIGH_GVA + PAGE_SIZE,
		    top > HIGH_GPA ? HIGH_GPA : 1ull << 33, PTE_P | PTE_RW);
	TEST_EQ(ask(vcpu, ASK_READ, HIGH_GVA, 0), 0xaa);
	TEST_EQ(ask(vcpu, ASK_READ, HIGH_GVA + PAGE_SIZE, 0), 0xbb);
	ask(vcpu, ASK_WRITE, HIGH_GVA, 0xcc);
	TEST_EQ(a[0], 0xcc);
}

/* One host page at two guest addresses. */
static void aliases(void)
{
	u64 *mem = vm_alloc(PAGE_SIZE);
	struct vcpu *vcpu = server();

	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, PAGE_SIZE, mem);
	vm_set_slot(vcpu->vm, 2, 0, 2 * SLOT_GPA, PAGE_SIZE, mem);
	ask(vcpu, ASK_WRITE, SLOT_GPA, 0x66);
	TEST_EQ(ask(vcpu, ASK_READ, 2 * SLOT_GPA, 0), 0x66);
	TEST_EQ(madvise(mem, PAGE_SIZE, MADV_DONTNEED), 0);
	TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA, 0), 0);
	TEST_EQ(ask(vcpu, ASK_READ, 2 * SLOT_GPA, 0), 0);
}

/* One change of the host's mappings, over slots that are gigabytes apart. */
static void far_apart(void)
{
	struct vcpu *vcpu = server();
	const u64 gib = 1ULL << 30;
	u8 *mem = mmap(NULL, 5 * gib, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *border = (u8 *)(((u64)mem + gib - 1) & ~(gib - 1));
	u64 i;

	TEST_TRUE(mem != MAP_FAILED);
	border += gib;
	for (i = 0; i < 3; i++) {
		/* The last page of one GiB, the first of the next. */
		u8 *pages = border + i * gib - PAGE_SIZE;
		u64 gpa = SLOT_GPA + 2 * i * PAGE_SIZE;

		memset(pages, 0x77, 2 * PAGE_SIZE);
		vm_set_slot(vcpu->vm, 1 + i, 0, gpa, 2 * PAGE_SIZE, pages);
	}
	for (i = 0; i < 6; i++)
		TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + i * PAGE_SIZE, 0) & 0xff, 0x77);
	TEST_EQ(madvise(mem, 5 * gib, MADV_DONTNEED), 0);
	for (i = 0; i < 6; i++)
		TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + i * PAGE_SIZE, 0), 0);
}

static void guest_ins(u64 gpa)
{
	u64 rdi = gpa + 8, rcx = 8;

	mmio_read64(gpa);
	GUEST_SYNC(1);
	asm volatile("rep insb" : "+D"(rdi), "+c"(rcx) : "d"(PORT) : "memory");
	GUEST_SYNC(2);
}

/* What the hypervisor writes for the guest is dirty like the guest's own. */
static void emulated_write_is_dirty(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_ins);
	u8 *mem = vm_alloc(64 * PAGE_SIZE);
	struct guest_message msg;
	u64 bitmap;

	vm_set_slot(vcpu->vm, 1, KVM_MEM_LOG_DIRTY_PAGES, SLOT_GPA,
		    64 * PAGE_SIZE, mem);
	vcpu_set_arg(vcpu, SLOT_GPA + 3 * PAGE_SIZE, 0);
	vcpu_expect_sync(vcpu, 1);
	dirty_bitmap(vcpu, &bitmap);
	TEST_EQ(bitmap, 0);
	do {
		vcpu_run(vcpu);
		TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
		if (vcpu->run->io.port == PORT)
			memset(vcpu_io_data(vcpu), 0x3c, vcpu->run->io.count);
	} while (!vcpu_message(vcpu, &msg));
	TEST_EQ(mem[3 * PAGE_SIZE + 15], 0x3c);
	dirty_bitmap(vcpu, &bitmap);
	TEST_EQ(bitmap, BIT(3));
}

struct uffd {
	int fd;
	u64 base;
};

static void *uffd_thread(void *arg)
{
	struct uffd *uffd = arg;
	static u64 page[512];
	struct uffd_msg msg;

	while (read(uffd->fd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_copy copy = {
			.dst = msg.arg.pagefault.address & PAGE_MASK,
			.src = (u64)page,
			.len = PAGE_SIZE,
		};

		page[0] = (copy.dst - uffd->base) / PAGE_SIZE + 100;
		TEST_EQ(ioctl(uffd->fd, UFFDIO_COPY, &copy), 0);
	}
	return NULL;
}

/* Pages that another thread brings in when the guest asks for them. */
static void userfault(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct vcpu *vcpu = server();
	struct uffd uffd = { .fd = syscall(SYS_userfaultfd, O_CLOEXEC) };
	u8 *mem = vm_alloc(8 * PAGE_SIZE);
	struct uffdio_register range = {
		.range = { .start = (u64)mem, .len = 8 * PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	pthread_t thread;
	u64 i;

	if (uffd.fd < 0)
		test_skip("no userfaultfd: %s", strerror(errno));
	uffd.base = (u64)mem;
	TEST_EQ(ioctl(uffd.fd, UFFDIO_API, &api), 0);
	TEST_EQ(ioctl(uffd.fd, UFFDIO_REGISTER, &range), 0);
	TEST_EQ(pthread_create(&thread, NULL, uffd_thread, &uffd), 0);
	vm_set_slot(vcpu->vm, 1, 0, SLOT_GPA, 8 * PAGE_SIZE, mem);
	for (i = 0; i < 8; i++)
		TEST_EQ(ask(vcpu, ASK_READ, SLOT_GPA + i * PAGE_SIZE, 0),
			i + 100);
}

static const struct test_row rows[] = {
	{ "large_page_dirty_log", large_page_dirty_log },
	{ "large_page_torn", large_page_torn },
	{ "large_page_borders", large_page_borders },
	{ "fork_copies", fork_copies },
	{ "shared_file", shared_file },
	{ "read_only_file", read_only_file },
	{ "high_addresses", high_addresses },
	{ "aliases", aliases },
	{ "far_apart", far_apart },
	{ "emulated_write_is_dirty", emulated_write_is_dirty },
	{ "userfault", userfault },
};

int main(int argc, char **argv)
{
	test_add_rows("memory", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
