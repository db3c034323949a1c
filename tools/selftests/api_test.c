// SPDX-License-Identifier: GPL-2.0-only
/* The system and VM file descriptors: versions, capabilities, error codes. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

#define BAD_POINTER	((void *)8)

enum fd_kind { FD_SYSTEM, FD_VM, FD_VCPU, NR_FD_KINDS };

static const char * const kind_names[] = { "system", "vm", "vcpu" };

struct fds {
	int fd[NR_FD_KINDS];
};

static struct fds open_all(void)
{
	struct vcpu *vcpu = vcpu_create_bare(vm_create_bare(), 0);
	struct fds fds = {
		.fd = { node_open(O_RDWR), vcpu->vm->fd, vcpu->fd },
	};

	return fds;
}

static void expect_unknown(int fd, unsigned long cmd)
{
	int ret = ioctl(fd, cmd, 0);

	TEST_ASSERT(ret < 0 && (errno == ENOTTY || errno == EINVAL),
		    "command 0x%lx gave %d", cmd, ret);
}

/* Every command offered without an interrupt controller in the kernel. */
static const struct command {
	const char *name;
	unsigned int cmd;
	enum fd_kind kind;
	bool pointer;	/* the argument points to something */
} commands[] = {
#define COMMAND(name, kind, pointer) { #name, KVM_##name, FD_##kind, pointer }
	COMMAND(GET_API_VERSION, SYSTEM, false),
	COMMAND(CREATE_VM, SYSTEM, false),
	COMMAND(GET_MSR_INDEX_LIST, SYSTEM, true),
	COMMAND(GET_VCPU_MMAP_SIZE, SYSTEM, false),
	COMMAND(GET_SUPPORTED_CPUID, SYSTEM, true),
	COMMAND(X86_GET_MCE_CAP_SUPPORTED, SYSTEM, true),
	COMMAND(CREATE_VCPU, VM, false),
	COMMAND(SET_USER_MEMORY_REGION, VM, true),
	COMMAND(GET_DIRTY_LOG, VM, true),
	COMMAND(SET_TSS_ADDR, VM, false),
	COMMAND(SET_IDENTITY_MAP_ADDR, VM, true),
	COMMAND(IRQ_LINE, VM, true),
	COMMAND(IRQ_LINE_STATUS, VM, true),
	COMMAND(SIGNAL_MSI, VM, true),
	COMMAND(SET_GSI_ROUTING, VM, true),
	COMMAND(GET_IRQCHIP, VM, true),
	COMMAND(SET_IRQCHIP, VM, true),
	COMMAND(CREATE_PIT2, VM, true),
	COMMAND(SET_PIT2, VM, true),
	COMMAND(REINJECT_CONTROL, VM, true),
	COMMAND(IRQFD, VM, true),
	COMMAND(IOEVENTFD, VM, true),
	COMMAND(REGISTER_COALESCED_MMIO, VM, true),
	COMMAND(UNREGISTER_COALESCED_MMIO, VM, true),
	COMMAND(GET_CLOCK, VM, true),
	COMMAND(SET_CLOCK, VM, true),
	COMMAND(RUN, VCPU, false),
	COMMAND(GET_REGS, VCPU, true),
	COMMAND(SET_REGS, VCPU, true),
	COMMAND(GET_SREGS, VCPU, true),
	COMMAND(SET_SREGS, VCPU, true),
	COMMAND(GET_FPU, VCPU, true),
	COMMAND(SET_FPU, VCPU, true),
	COMMAND(GET_XSAVE, VCPU, true),
	COMMAND(SET_XSAVE, VCPU, true),
	COMMAND(GET_XCRS, VCPU, true),
	COMMAND(SET_XCRS, VCPU, true),
	COMMAND(GET_DEBUGREGS, VCPU, true),
	COMMAND(SET_DEBUGREGS, VCPU, true),
	COMMAND(GET_VCPU_EVENTS, VCPU, true),
	COMMAND(SET_VCPU_EVENTS, VCPU, true),
	COMMAND(GET_MP_STATE, VCPU, true),
	COMMAND(SET_MP_STATE, VCPU, true),
	COMMAND(GET_MSRS, VCPU, true),
	COMMAND(SET_MSRS, VCPU, true),
	COMMAND(SET_CPUID2, VCPU, true),
	COMMAND(GET_CPUID2, VCPU, true),
	COMMAND(GET_TSC_KHZ, VCPU, false),
	COMMAND(SET_TSC_KHZ, VCPU, false),
	COMMAND(SET_SIGNAL_MASK, VCPU, true),
	COMMAND(INTERRUPT, VCPU, true),
	COMMAND(NMI, VCPU, false),
	COMMAND(SET_GUEST_DEBUG, VCPU, true),
	COMMAND(X86_SETUP_MCE, VCPU, true),
};

static void bad_pointer(const void *row)
{
	const struct command *c = row;
	int fd;

	/* Without a vCPU where none is needed: its existence is an error too. */
	if (c->kind == FD_SYSTEM)
		fd = node_open(O_RDWR);
	else if (c->kind == FD_VM)
		fd = vm_create_bare()->fd;
	else
		fd = open_all().fd[FD_VCPU];
	ioctl_fails(fd, c->cmd, BAD_POINTER, EFAULT);
}

static void bad_size(const void *row)
{
	const struct command *c = row;
	int fd = open_all().fd[c->kind];
	unsigned int size = _IOC_SIZE(c->cmd);

	expect_unknown(fd, c->cmd + (1u << _IOC_SIZESHIFT));
	if (size)
		expect_unknown(fd, c->cmd - (1u << _IOC_SIZESHIFT));
}

static bool known_elsewhere(const struct command *c, enum fd_kind kind)
{
	/* Feature MSRs, and the TSC of a whole VM. */
	return (c->cmd == KVM_GET_MSRS && kind == FD_SYSTEM) ||
	       (kind == FD_VM && (c->cmd == KVM_GET_TSC_KHZ ||
				  c->cmd == KVM_SET_TSC_KHZ));
}

static void wrong_fd(const void *row)
{
	const struct command *c = row;
	struct fds fds = open_all();
	enum fd_kind kind;

	for (kind = FD_SYSTEM; kind < NR_FD_KINDS; kind++) {
		if (kind != c->kind && !known_elsewhere(c, kind))
			expect_unknown(fds.fd[kind], c->cmd);
	}
}

static void unknown_command(void)
{
	static const unsigned long odd[] = {
		_IO(KVMIO, 0x3f), _IO(KVMIO, 0xff), _IOW(KVMIO, 0xfe, u64),
		_IO(0x55, 0x00), 0, ~0u,
	};
	struct fds fds = open_all();
	size_t i;
	int k;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		for (k = 0; k < NR_FD_KINDS; k++)
			expect_unknown(fds.fd[k], odd[i]);
	}
}

static void api_version(void)
{
	int fd = node_open(O_RDWR);

	TEST_EQ(xioctl(fd, KVM_GET_API_VERSION, 0), 12);
	ioctl_fails(fd, KVM_GET_API_VERSION, 1, EINVAL);
}

static void read_only_node(void)
{
	int fd = node_open(O_RDONLY), vm;
	u64 mce;

	TEST_EQ(xioctl(fd, KVM_GET_API_VERSION, 0), 12);
	TEST_EQ(check_extension(fd, KVM_CAP_USER_MEMORY), 1);
	TEST_TRUE(xioctl(fd, KVM_GET_VCPU_MMAP_SIZE, 0) > 0);
	TEST_TRUE(supported_cpuid()->nent > 4);
	xioctl(fd, KVM_X86_GET_MCE_CAP_SUPPORTED, &mce);
	vm = xioctl(fd, KVM_CREATE_VM, 0);
	xioctl(vm, KVM_CREATE_VCPU, 0);
}

static void vcpu_mmap_size(void)
{
	int fd = node_open(O_RDWR);
	int size = xioctl(fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	TEST_TRUE(size >= 2 * (int)PAGE_SIZE);
	TEST_EQ(size % PAGE_SIZE, 0);
	ioctl_fails(fd, KVM_GET_VCPU_MMAP_SIZE, 1, EINVAL);
}

static void create_vm_type(void)
{
	int fd = node_open(O_RDWR);

	ioctl_fails(fd, KVM_CREATE_VM, 1, EINVAL);
	ioctl_fails(fd, KVM_CREATE_VM, ~0ull, EINVAL);
	close(xioctl(fd, KVM_CREATE_VM, 0));
}

/* What must be there for any monitor, on the node and on a VM alike. */
static const struct capability {
	const char *name;
	int number, min, max;
} capabilities[] = {
#define CAPABILITY(name, min, max) { #name, KVM_CAP_##name, min, max }
	CAPABILITY(USER_MEMORY, 1, 1),
	CAPABILITY(SET_TSS_ADDR, 1, 1),
	CAPABILITY(EXT_CPUID, 1, 1),
	CAPABILITY(NR_VCPUS, 1, 1 << 20),
	CAPABILITY(MAX_VCPUS, 1, 1 << 20),
	CAPABILITY(MAX_VCPU_ID, 1, 1 << 20),
	CAPABILITY(NR_MEMSLOTS, 32, 1 << 20),
	CAPABILITY(MP_STATE, 1, 1),
	CAPABILITY(SYNC_MMU, 1, 1),
	CAPABILITY(DESTROY_MEMORY_REGION_WORKS, 1, 1),
	CAPABILITY(USER_NMI, 1, 1),
	CAPABILITY(SET_GUEST_DEBUG, 1, 1),
	CAPABILITY(JOIN_MEMORY_REGIONS_WORKS, 1, 1),
	CAPABILITY(MCE, 10, 255),
	CAPABILITY(SET_IDENTITY_MAP_ADDR, 1, 1),
	CAPABILITY(INTERNAL_ERROR_DATA, 1, 1),
	CAPABILITY(VCPU_EVENTS, 1, 1),
	CAPABILITY(DEBUGREGS, 1, 1),
	CAPABILITY(X86_ROBUST_SINGLESTEP, 1, 1),
	CAPABILITY(XSAVE, 1, 1),
	CAPABILITY(XCRS, 1, 1),
	CAPABILITY(GET_TSC_KHZ, 1, 1),
	CAPABILITY(READONLY_MEM, 1, 1),
	CAPABILITY(CHECK_EXTENSION_VM, 1, 1),
	CAPABILITY(MSI_DEVID, 0, 0),
	CAPABILITY(IMMEDIATE_EXIT, 1, 1),
};

static void capability(const void *row)
{
	const struct capability *c = row;
	int fd = node_open(O_RDWR);
	int value = check_extension(fd, c->number);

	TEST_ASSERT(value >= c->min && value <= c->max, "value %d", value);
	TEST_EQ(check_extension(vm_create_bare()->fd, c->number), value);
}

static void capability_unknown(void)
{
	struct fds fds = open_all();

	TEST_EQ(check_extension(fds.fd[FD_SYSTEM], 0x7fff), 0);
	TEST_EQ(check_extension(fds.fd[FD_VM], 0x7fff), 0);
	TEST_EQ(check_extension(fds.fd[FD_SYSTEM], -1), 0);
	expect_unknown(fds.fd[FD_VCPU], KVM_CHECK_EXTENSION);
}

/* A capability that is announced has its call, one that is not has none. */
static const struct offer {
	const char *name;
	int number;
	unsigned int cmd;
	enum fd_kind kind;
} offers[] = {
#define OFFER(cap, cmd, kind) { #cmd, KVM_CAP_##cap, KVM_##cmd, FD_##kind }
	OFFER(IRQCHIP, CREATE_IRQCHIP, VM),
	OFFER(IRQCHIP, IRQ_LINE, VM),
	OFFER(PIT2, CREATE_PIT2, VM),
	OFFER(IRQ_ROUTING, SET_GSI_ROUTING, VM),
	OFFER(IRQFD, IRQFD, VM),
	OFFER(IOEVENTFD, IOEVENTFD, VM),
	OFFER(SIGNAL_MSI, SIGNAL_MSI, VM),
	OFFER(ADJUST_CLOCK, GET_CLOCK, VM),
	OFFER(COALESCED_MMIO, REGISTER_COALESCED_MMIO, VM),
	OFFER(MANUAL_DIRTY_LOG_PROTECT2, CLEAR_DIRTY_LOG, VM),
	OFFER(PMU_EVENT_FILTER, SET_PMU_EVENT_FILTER, VM),
	OFFER(X86_MSR_FILTER, X86_SET_MSR_FILTER, VM),
	OFFER(GET_MSR_FEATURES, GET_MSR_FEATURE_INDEX_LIST, SYSTEM),
	OFFER(EXT_EMUL_CPUID, GET_EMULATED_CPUID, SYSTEM),
	OFFER(SYS_ATTRIBUTES, GET_DEVICE_ATTR, SYSTEM),
};

static void offer(const void *row)
{
	const struct offer *o = row;
	struct fds fds = open_all();
	int fd = fds.fd[o->kind];
	int ret = ioctl(fd, o->cmd, BAD_POINTER);

	if (check_extension(fds.fd[FD_VM], o->number) > 0) {
		/* The vCPU that exists is an error of its own for some. */
		TEST_ASSERT(ret >= 0 || errno != ENOTTY, "ret %d", ret);
		return;
	}
	TEST_ASSERT(ret < 0 && (errno == ENOTTY || errno == EINVAL),
		    "not announced, but gave %d", ret);
}

static void msr_index_list(void)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + 4096);
	struct vcpu *vcpu = vm_with_vcpu(NULL);
	int fd = node_open(O_RDWR);
	u32 count, i, j;

	ioctl_fails(fd, KVM_GET_MSR_INDEX_LIST, list, E2BIG);
	count = list->nmsrs;
	TEST_TRUE(count > 4 && count <= 255);
	list->nmsrs = count - 1;
	ioctl_fails(fd, KVM_GET_MSR_INDEX_LIST, list, E2BIG);
	TEST_EQ(list->nmsrs, count);
	xioctl(fd, KVM_GET_MSR_INDEX_LIST, list);
	TEST_EQ(list->nmsrs, count);
	for (i = 0; i < count; i++) {
		u64 data = vcpu_msr(vcpu, list->indices[i]);

		/* Stock KVM lists one that it takes only with its own APIC. */
		if (list->indices[i] != MSR_ASYNC_PF_INT || !reference_run())
			vcpu_set_msr(vcpu, list->indices[i], data);
		for (j = 0; j < i; j++)
			TEST_ASSERT(list->indices[i] != list->indices[j],
				    "0x%x twice", list->indices[i]);
	}
	for (i = 0; i < count && list->indices[i] != MSR_STAR; i++)
		;
	TEST_ASSERT(i < count, "STAR is not listed");
}

static void supported_cpuid_count(void)
{
	const size_t entry = sizeof(struct kvm_cpuid_entry2);
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 1024 * entry);
	int fd = node_open(O_RDWR);
	u32 count;

	cpuid->nent = 0;
	ioctl_fails(fd, KVM_GET_SUPPORTED_CPUID, cpuid, E2BIG);
	cpuid->nent = 1;
	ioctl_fails(fd, KVM_GET_SUPPORTED_CPUID, cpuid, E2BIG);
	cpuid->nent = 256;
	xioctl(fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	count = cpuid->nent;
	TEST_TRUE(count > 4 && count < 256);
	cpuid->nent = count;
	xioctl(fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	TEST_EQ(cpuid->nent, count);
	cpuid->nent = count - 1;
	ioctl_fails(fd, KVM_GET_SUPPORTED_CPUID, cpuid, E2BIG);
	cpuid->nent = 1024;
	xioctl(fd, KVM_GET_SUPPORTED_CPUID, cpuid);
	TEST_EQ(cpuid->nent, count);
}

static void supported_cpuid_content(void)
{
	struct kvm_cpuid2 *cpuid = supported_cpuid();
	struct kvm_cpuid_entry2 *e;
	u32 a, b, c, d;

	e = cpuid_find(cpuid, 0, 0);
	host_cpuid(0, 0, &a, &b, &c, &d);
	TEST_TRUE(e && e->ebx == b && e->ecx == c && e->edx == d);
	e = cpuid_find(cpuid, 1, 0);
	TEST_ASSERT(e && !(e->ecx & BIT(24)), "TSC deadline timer is set");
	TEST_ASSERT(!(e->ecx & BIT(3)), "MONITOR is set");
	e = cpuid_find(cpuid, 0x40000000, 0);
	TEST_TRUE(e);
	TEST_EQ(e->eax, 0x40000001);
	TEST_EQ(e->ebx, 0x4b4d564b);
	TEST_EQ(e->ecx, 0x564b4d56);
	TEST_EQ(e->edx, 0x4d);
	TEST_TRUE(cpuid_find(cpuid, 0x40000001, 0));
	TEST_TRUE(cpuid_find(cpuid, 7, 0));
	e = cpuid_find(cpuid, 0x80000001, 0);
	TEST_ASSERT(e && (e->edx & BIT(29)), "no long mode");
	e = cpuid_find(cpuid, 0x80000008, 0);
	TEST_TRUE(e && (e->eax & 0xff) >= 36 && (e->eax & 0xff) <= 52);
	e = cpuid_find(cpuid, 0xd, 0);
	if (e)
		TEST_TRUE(e->ecx <= 4096 && e->ebx <= e->ecx);
}

static void mce_cap_supported(void)
{
	int fd = node_open(O_RDWR);
	u64 value = ~0ull;

	xioctl(fd, KVM_X86_GET_MCE_CAP_SUPPORTED, &value);
	TEST_ASSERT(value & BIT(8), "no MCG_CTL_P in 0x%llx", value);
	TEST_EQ(value & ~0x0d00ffffull & ~BIT(27) & ~BIT(24), 0);
}

static void vcpu_ids(void)
{
	struct vm *vm = vm_create_bare();
	int max = check_extension(vm->fd, KVM_CAP_MAX_VCPU_ID);
	int fd;

	fd = xioctl(vm->fd, KVM_CREATE_VCPU, 0);
	ioctl_fails(vm->fd, KVM_CREATE_VCPU, 0, EEXIST);
	ioctl_fails(vm->fd, KVM_CREATE_VCPU, (u64)max, EINVAL);
	ioctl_fails(vm->fd, KVM_CREATE_VCPU, ~0u, EINVAL);
	close(xioctl(vm->fd, KVM_CREATE_VCPU, 7));
	/* A vCPU lives as long as its VM; closing its fd does not free the id. */
	close(fd);
	ioctl_fails(vm->fd, KVM_CREATE_VCPU, 0, EEXIST);
	ioctl_fails(vm->fd, KVM_CREATE_VCPU, 7, EEXIST);
	close(xioctl(vm->fd, KVM_CREATE_VCPU, (u64)(max - 1)));
}

static void vcpu_mapping(void)
{
	struct vcpu *vcpu = vcpu_create_bare(vm_create_bare(), 0);
	size_t size = vcpu->run_size;
	struct kvm_run *twin;
	u8 *far;

	twin = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    dup(vcpu->fd), 0);
	TEST_TRUE(twin != MAP_FAILED);
	twin->immediate_exit = 1;
	TEST_EQ(vcpu->run->immediate_exit, 1);
	vcpu_expect_eintr(vcpu);
	munmap(twin, size);
	TEST_EQ(vcpu->run->immediate_exit, 1);
	/* Behind the last page there is nothing to be touched. */
	far = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, vcpu->fd, 1 << 20);
	TEST_ASSERT(far == MAP_FAILED || madvise(far, PAGE_SIZE, MADV_POPULATE_READ) < 0,
		    "a page at 1 MiB");
}

static void tss_address(void)
{
	struct vm *vm = vm_create_bare();

	xioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ull);
	xioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfeffd000ull);
	ioctl_fails(vm->fd, KVM_SET_TSS_ADDR, 0x100000000ull, EINVAL);
	ioctl_fails(vm->fd, KVM_SET_TSS_ADDR, ~0ull, EINVAL);
}

static void identity_map(void)
{
	struct vm *vm = vm_create_bare();
	u64 address = 0xfeffc000;

	xioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &address);
	address = 0;
	xioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &address);
	xioctl(vm->fd, KVM_CREATE_VCPU, 0);
	ioctl_fails(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &address, EINVAL);
}

/* Without an interrupt controller in the kernel there is nowhere to route to. */
static void gsi_routing(void)
{
	struct kvm_irq_routing none = {};
	struct vm *vm = vm_create();

	ioctl_fails(vm->fd, KVM_SET_GSI_ROUTING, &none, EINVAL);
	ioctl_fails(vm->fd, KVM_SET_GSI_ROUTING, NULL, EFAULT);
}

static const struct test_row rows[] = {
	{ "version", api_version },
	{ "read_only_node", read_only_node },
	{ "vcpu_mmap_size", vcpu_mmap_size },
	{ "create_vm_type", create_vm_type },
	{ "unknown_command", unknown_command },
	{ "capability_unknown", capability_unknown },
	{ "gsi_routing", gsi_routing },
	{ "msr_index_list", msr_index_list },
	{ "supported_cpuid_count", supported_cpuid_count },
	{ "supported_cpuid_content", supported_cpuid_content },
	{ "mce_cap_supported", mce_cap_supported },
	{ "vcpu_ids", vcpu_ids },
	{ "vcpu_mapping", vcpu_mapping },
	{ "tss_address", tss_address },
	{ "identity_map", identity_map },
};

int main(int argc, char **argv)
{
	size_t i;

	test_add_rows("api", rows, ARRAY_SIZE(rows));
	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		test_add(capability, &capabilities[i], "capability/%s",
			 capabilities[i].name);
	for (i = 0; i < ARRAY_SIZE(offers); i++)
		test_add(offer, &offers[i], "offer/%s", offers[i].name);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];
		const char *kind = kind_names[c->kind];

		if (c->pointer)
			test_add(bad_pointer, c, "%s/%s/bad_pointer", kind,
				 c->name);
		test_add(bad_size, c, "%s/%s/bad_size", kind, c->name);
		test_add(wrong_fd, c, "%s/%s/wrong_fd", kind, c->name);
	}
	return test_run_all(argc, argv);
}
