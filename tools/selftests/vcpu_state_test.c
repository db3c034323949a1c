// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU's state: reset values, round trips, what is refused. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "vm.h"

static struct vcpu *bare(void)
{
	return vcpu_create_bare(vm_create_bare(), 0);
}

static struct vcpu *with_cpuid(void)
{
	struct vcpu *vcpu = bare();

	vcpu_set_cpuid(vcpu);
	return vcpu;
}

static void fill(void *p, size_t size)
{
	u8 *bytes = p;
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = i * 37 + 11;
}

static void reset_state(void)
{
	struct vcpu *vcpu = bare();
	struct kvm_regs regs = vcpu_regs(vcpu);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	TEST_EQ(regs.rip, 0xfff0);
	TEST_EQ(regs.rflags, 2);
	TEST_EQ(regs.rax | regs.rbx | regs.rcx | regs.rsi | regs.rdi, 0);
	TEST_EQ(sregs.cs.selector, 0xf000);
	TEST_EQ(sregs.cs.base, 0xffff0000);
	TEST_EQ(sregs.cs.limit, 0xffff);
	TEST_TRUE(sregs.cs.present && sregs.cs.s && !sregs.cs.l);
	TEST_EQ(sregs.ds.base | sregs.ds.selector, 0);
	TEST_EQ(sregs.ds.limit, 0xffff);
	TEST_EQ(sregs.cr0, CR0_ET | CR0_NW | CR0_CD);
	TEST_EQ(sregs.cr2 | sregs.cr3 | sregs.cr4 | sregs.cr8 | sregs.efer, 0);
	TEST_EQ(sregs.idt.limit, 0xffff);
	TEST_EQ(sregs.gdt.limit, 0xffff);
}

static void regs_round_trip(void)
{
	struct vcpu *vcpu = bare();
	struct kvm_regs in, out;

	fill(&in, sizeof(in));
	in.rflags = RFLAGS_FIXED | RFLAGS_CF | RFLAGS_ZF | RFLAGS_IF;
	xioctl(vcpu->fd, KVM_SET_REGS, &in);
	out = vcpu_regs(vcpu);
	TEST_TRUE(!memcmp(&in, &out, sizeof(in)));
	/* The bit that is always one, is. */
	in.rflags = 0;
	xioctl(vcpu->fd, KVM_SET_REGS, &in);
	TEST_EQ(vcpu_regs(vcpu).rflags, RFLAGS_FIXED);
}

static void sregs_round_trip(void)
{
	struct vcpu *vcpu = vm_with_vcpu(NULL);
	struct kvm_sregs in = vcpu_sregs(vcpu), out;

	in.cr2 = 0x123456789abcull;
	in.cr8 = 9;
	in.fs.base = 0x7fff12345000ull;
	in.fs.selector = 0x53;
	in.es.limit = 0x12345fff;
	in.ldt.unusable = 0;
	in.ldt.present = 1;
	in.ldt.type = 2;
	in.ldt.selector = 0x58;
	in.ldt.base = 0x3000;
	in.ldt.limit = 0x27;
	in.gdt.limit = 0x7f;
	in.idt.base = 0x5000;
	xioctl(vcpu->fd, KVM_SET_SREGS, &in);
	out = vcpu_sregs(vcpu);
	TEST_TRUE(!memcmp(&in.cs, &out.cs, sizeof(in.cs)));
	TEST_TRUE(!memcmp(&in.ldt, &out.ldt, sizeof(in.ldt)));
	TEST_TRUE(!memcmp(&in.gdt, &out.gdt, sizeof(in.gdt)));
	TEST_TRUE(!memcmp(&in.idt, &out.idt, sizeof(in.idt)));
	TEST_EQ(out.tr.base, in.tr.base);
	TEST_EQ(out.fs.base, in.fs.base);
	TEST_EQ(out.es.limit, in.es.limit);
	TEST_EQ(out.cr0, in.cr0);
	TEST_EQ(out.cr2, in.cr2);
	TEST_EQ(out.cr3, in.cr3);
	TEST_EQ(out.cr4, in.cr4);
	TEST_EQ(out.cr8, in.cr8);
	TEST_EQ(out.efer, in.efer);
	TEST_EQ(out.apic_base, in.apic_base);
}

struct sregs_change {
	const char *name;
	u64 cr0, cr4, efer;	/* bits toggled */
	u64 apic_base;		/* value, if not zero */
	u64 cr3;		/* bits set */
	bool stock_accepts;
};

static const struct sregs_change bad_sregs[] = {
	{ "cr4_bit_63", .cr4 = BIT(63) },
	{ "cr4_bit_15", .cr4 = BIT(15) },
	{ "cr4_vmxe", .cr4 = CR4_VMXE },
	{ "cr4_la57_in_long_mode", .cr4 = CR4_LA57 },
	{ "long_mode_without_pae", .cr4 = CR4_PAE },
	{ "paging_lme_without_lma", .efer = EFER_LMA },
	{ "lma_without_paging", .cr0 = CR0_PG },
	{ "efer_reserved", .efer = BIT(5), .stock_accepts = true },
	{ "apic_base_x2apic_alone", .apic_base = 0xfee00400 },
	{ "apic_base_reserved", .apic_base = 0xfee00801 },
	{ "cr3_beyond_maxphyaddr", .cr3 = BIT(62) },
};

static void sregs_refused(const void *row)
{
	const struct sregs_change *c = row;
	struct vcpu *vcpu = vm_with_vcpu(NULL);
	struct kvm_sregs before = vcpu_sregs(vcpu), bad = before, after;

	if (c->stock_accepts && reference_run())
		test_skip("stock KVM accepts it");
	bad.cr0 ^= c->cr0;
	bad.cr4 ^= c->cr4;
	bad.efer ^= c->efer;
	bad.cr3 |= c->cr3;
	if (c->apic_base)
		bad.apic_base = c->apic_base;
	bad.cr2 = 0x4444;
	bad.cr8 = 5;
	bad.fs.base = 0x5555;
	bad.gdt.base = 0x6666;
	ioctl_fails(vcpu->fd, KVM_SET_SREGS, &bad, EINVAL);
	after = vcpu_sregs(vcpu);
	TEST_TRUE(!memcmp(&before, &after, sizeof(before)));
}

/* Before CPUID is set, what the processor supports is allowed. */
static void sregs_before_cpuid(void)
{
	struct kvm_cpuid2 *cpuid = supported_cpuid();
	struct kvm_cpuid_entry2 *e1 = cpuid_find(cpuid, 1, 0);
	struct kvm_cpuid_entry2 *e7 = cpuid_find(cpuid, 7, 0);
	u64 good = CR4_VME | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | BIT(6) |
		   CR4_PGE | BIT(8) | CR4_OSFXSR | CR4_OSXMMEXCPT;
	struct vcpu *vcpu = bare();
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	TEST_TRUE(e1 && e7);
	if (e1->ecx & BIT(26))
		good |= CR4_OSXSAVE;
	if (e7->ebx & BIT(7))
		good |= CR4_SMEP;
	sregs.cr4 |= good;
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	TEST_EQ(vcpu_sregs(vcpu).cr4, good);
	sregs.cr4 |= CR4_VMXE;
	ioctl_fails(vcpu->fd, KVM_SET_SREGS, &sregs, EINVAL);
	TEST_EQ(vcpu_sregs(vcpu).cr4, good);
}

static void sregs_interrupt_bitmap(void)
{
	struct vcpu *vcpu = vm_with_vcpu(NULL);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	TEST_EQ(sregs.interrupt_bitmap[0], 0);
	sregs.interrupt_bitmap[1] = BIT(3);
	xioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	TEST_EQ(vcpu_sregs(vcpu).interrupt_bitmap[1], BIT(3));
	TEST_EQ(vcpu_events(vcpu).interrupt.injected, 1);
	TEST_EQ(vcpu_events(vcpu).interrupt.nr, 67);
}

static void fpu_round_trip(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_fpu in = {}, out = {};

	fill(in.xmm, sizeof(in.xmm));
	fill(in.fpr, sizeof(in.fpr));
	in.fcw = 0x27f;
	in.fsw = 0x3800;
	in.ftwx = 0xff;
	in.last_opcode = 0x123;
	in.mxcsr = 0x1fa0;
	xioctl(vcpu->fd, KVM_SET_FPU, &in);
	xioctl(vcpu->fd, KVM_GET_FPU, &out);
	TEST_TRUE(!memcmp(in.fpr, out.fpr, sizeof(in.fpr)));
	TEST_TRUE(!memcmp(in.xmm, out.xmm, sizeof(in.xmm)));
	TEST_EQ(out.fcw, in.fcw);
	TEST_EQ(out.fsw, in.fsw);
	TEST_EQ(out.ftwx, in.ftwx);
	TEST_EQ(out.last_opcode, in.last_opcode);
	if (!reference_run())	/* stock KVM has no MXCSR in this call */
		TEST_EQ(out.mxcsr, in.mxcsr);
}

static void fpu_reset(void)
{
	struct vcpu *vcpu = bare();
	struct kvm_xsave xsave;

	xioctl(vcpu->fd, KVM_GET_XSAVE, &xsave);
	TEST_EQ(xsave.region[0] & 0xffff, 0x37f);
	TEST_EQ(xsave.region[6], 0x1f80);
}

static void xsave_round_trip(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_xsave in, out;
	u64 *xstate_bv = (u64 *)&in.region[512 / 4];

	xioctl(vcpu->fd, KVM_GET_XSAVE, &in);
	fill(&in.region[8], 16 * 8);
	fill(&in.region[160 / 4], 256);
	in.region[0] = 0x37f;
	in.region[6] = 0x1f80;
	*xstate_bv |= 3;
	xioctl(vcpu->fd, KVM_SET_XSAVE, &in);
	xioctl(vcpu->fd, KVM_GET_XSAVE, &out);
	TEST_TRUE(!memcmp(&in.region[160 / 4], &out.region[160 / 4], 256));
	TEST_EQ(out.region[8], in.region[8]);
	TEST_EQ(out.region[6], 0x1f80);
	TEST_EQ(*(u64 *)&out.region[512 / 4] & 3, 3);
	/* SET_FPU and SET_XSAVE speak of the same registers. */
	struct kvm_fpu fpu;

	xioctl(vcpu->fd, KVM_GET_FPU, &fpu);
	TEST_TRUE(!memcmp(fpu.xmm, &in.region[160 / 4], 256));
}

static void xsave_refused(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_xsave before, bad, after;

	xioctl(vcpu->fd, KVM_GET_XSAVE, &before);
	bad = before;
	*(u64 *)&bad.region[512 / 4] |= BIT(62);
	fill(&bad.region[160 / 4], 256);
	ioctl_fails(vcpu->fd, KVM_SET_XSAVE, &bad, EINVAL);
	bad = before;
	*(u64 *)&bad.region[512 / 4] |= 2;
	bad.region[6] = 0xffff0000;
	ioctl_fails(vcpu->fd, KVM_SET_XSAVE, &bad, EINVAL);
	xioctl(vcpu->fd, KVM_GET_XSAVE, &after);
	TEST_TRUE(!memcmp(&before, &after, sizeof(before)));
}

static void xcrs(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_xcrs xcrs = {};

	if (!(cpuid_find(supported_cpuid(), 1, 0)->ecx & BIT(26)))
		test_skip("CPUID without XSAVE");
	xioctl(vcpu->fd, KVM_GET_XCRS, &xcrs);
	TEST_EQ(xcrs.nr_xcrs, 1);
	TEST_EQ(xcrs.xcrs[0].xcr, 0);
	TEST_EQ(xcrs.xcrs[0].value, 1);
	xcrs.xcrs[0].value = 3;
	xioctl(vcpu->fd, KVM_SET_XCRS, &xcrs);
	xcrs.xcrs[0].value = 2;		/* x87 cannot be off */
	ioctl_fails(vcpu->fd, KVM_SET_XCRS, &xcrs, EINVAL);
	xcrs.xcrs[0].value = 1 | BIT(62);
	ioctl_fails(vcpu->fd, KVM_SET_XCRS, &xcrs, EINVAL);
	xcrs.xcrs[0].value = 5;		/* AVX needs SSE */
	ioctl_fails(vcpu->fd, KVM_SET_XCRS, &xcrs, EINVAL);
	xcrs.nr_xcrs = KVM_MAX_XCRS + 1;
	ioctl_fails(vcpu->fd, KVM_SET_XCRS, &xcrs, EINVAL);
	xcrs.nr_xcrs = 1;
	xcrs.flags = 1;
	ioctl_fails(vcpu->fd, KVM_SET_XCRS, &xcrs, EINVAL);
	xioctl(vcpu->fd, KVM_GET_XCRS, &xcrs);
	TEST_EQ(xcrs.xcrs[0].value, 3);
}

static void debugregs(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_debugregs regs, out;

	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &regs);
	TEST_EQ(regs.dr6, 0xffff0ff0);
	TEST_EQ(regs.dr7, 0x400);
	TEST_EQ(regs.flags, 0);
	regs.db[0] = 0x1111;
	regs.db[3] = 0x7fffffffffff;
	regs.dr6 = 0xffff4ff1;
	regs.dr7 = 0x00000455;
	xioctl(vcpu->fd, KVM_SET_DEBUGREGS, &regs);
	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &out);
	TEST_TRUE(!memcmp(&regs, &out, sizeof(regs)));
	regs.flags = 1;
	ioctl_fails(vcpu->fd, KVM_SET_DEBUGREGS, &regs, EINVAL);
	regs.flags = 0;
	regs.dr6 |= BIT(32);
	ioctl_fails(vcpu->fd, KVM_SET_DEBUGREGS, &regs, EINVAL);
	regs.dr6 = 0xffff0ff0;
	regs.dr7 |= BIT(40);
	ioctl_fails(vcpu->fd, KVM_SET_DEBUGREGS, &regs, EINVAL);
	xioctl(vcpu->fd, KVM_GET_DEBUGREGS, &regs);
	TEST_TRUE(!memcmp(&regs, &out, sizeof(regs)));
}

static void events_round_trip(void)
{
	struct vcpu *vcpu = vm_with_vcpu(NULL);
	struct kvm_vcpu_events in = vcpu_events(vcpu), out;

	TEST_EQ(in.exception.injected | in.interrupt.injected |
		in.nmi.injected | in.nmi.pending | in.nmi.masked, 0);
	in.exception.injected = 1;
	in.exception.nr = GP_VECTOR;
	in.exception.has_error_code = 1;
	in.exception.error_code = 0x1234;
	in.nmi.pending = 1;
	in.nmi.masked = 1;
	in.interrupt.shadow = 1;
	in.flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		   KVM_VCPUEVENT_VALID_SHADOW;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &in);
	out = vcpu_events(vcpu);
	TEST_EQ(out.exception.injected, 1);
	TEST_EQ(out.exception.nr, GP_VECTOR);
	TEST_EQ(out.exception.has_error_code, 1);
	TEST_EQ(out.exception.error_code, 0x1234);
	TEST_EQ(out.nmi.pending, 1);
	TEST_EQ(out.nmi.masked, 1);
	TEST_TRUE(out.interrupt.shadow);
	TEST_TRUE(out.flags & KVM_VCPUEVENT_VALID_NMI_PENDING);
	TEST_TRUE(out.flags & KVM_VCPUEVENT_VALID_SHADOW);
	memset(&in, 0, sizeof(in));
	in.interrupt.injected = 1;
	in.interrupt.nr = 0x31;
	in.flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		   KVM_VCPUEVENT_VALID_SHADOW;
	xioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &in);
	out = vcpu_events(vcpu);
	TEST_EQ(out.exception.injected, 0);
	TEST_EQ(out.interrupt.injected, 1);
	TEST_EQ(out.interrupt.nr, 0x31);
	TEST_EQ(out.interrupt.shadow, 0);
	TEST_EQ(out.nmi.masked, 0);
}

static void events_refused(void)
{
	struct vcpu *vcpu = vm_with_vcpu(NULL);
	struct kvm_vcpu_events events = vcpu_events(vcpu);

	events.flags = BIT(20);
	ioctl_fails(vcpu->fd, KVM_SET_VCPU_EVENTS, &events, EINVAL);
	events.flags = 0;
	events.exception.injected = 1;
	events.exception.nr = 32;
	ioctl_fails(vcpu->fd, KVM_SET_VCPU_EVENTS, &events, EINVAL);
	events.exception.nr = NMI_VECTOR;
	ioctl_fails(vcpu->fd, KVM_SET_VCPU_EVENTS, &events, EINVAL);
	TEST_EQ(vcpu_events(vcpu).exception.injected, 0);
}

static void mp_state(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_mp_state state = { .mp_state = 77 };

	xioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
	TEST_EQ(state.mp_state, KVM_MP_STATE_RUNNABLE);
	xioctl(vcpu->fd, KVM_SET_MP_STATE, &state);
	state.mp_state = 100;
	ioctl_fails(vcpu->fd, KVM_SET_MP_STATE, &state, EINVAL);
	xioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
	TEST_EQ(state.mp_state, KVM_MP_STATE_RUNNABLE);
}

static void tsc_khz(void)
{
	struct vcpu *vcpu = with_cpuid();
	int khz = xioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);

	TEST_TRUE(khz > 0);
	TEST_EQ(xioctl(vcpu->fd, KVM_SET_TSC_KHZ, (u64)khz), 0);
	TEST_EQ(xioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0), khz);
	/* Without the capability there is no way to slow a guest's TSC down. */
	if (!check_extension(vcpu->vm->fd, KVM_CAP_TSC_CONTROL))
		ioctl_fails(vcpu->fd, KVM_SET_TSC_KHZ, (u64)khz / 2, EINVAL);
	if (!reference_run())	/* stock KVM keeps what it refused */
		TEST_EQ(xioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0), khz);
}

static void interrupt(void)
{
	struct vcpu *vcpu = with_cpuid();
	struct kvm_interrupt irq = { .irq = 0x20 };

	xioctl(vcpu->fd, KVM_INTERRUPT, &irq);
	TEST_EQ(vcpu_events(vcpu).interrupt.nr, 0x20);
	/* Documented so; stock KVM replaces the first one. */
	if (!reference_run()) {
		irq.irq = 0x21;
		ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, EEXIST);
		TEST_EQ(vcpu_events(vcpu).interrupt.nr, 0x20);
	}
	irq.irq = 256;
	ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, EINVAL);
	irq.irq = -1;
	ioctl_fails(vcpu->fd, KVM_INTERRUPT, &irq, EINVAL);
}

static void signal_mask(void)
{
	struct {
		struct kvm_signal_mask head;
		u64 set;
	} mask = { .head.len = 8 };
	struct vcpu *vcpu = bare();

	xioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask);
	xioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, NULL);
	mask.head.len = 4;
	ioctl_fails(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask, EINVAL);
	mask.head.len = 128;
	ioctl_fails(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask, EINVAL);
}

static void run_argument(void)
{
	struct vcpu *vcpu = bare();

	ioctl_fails(vcpu->fd, KVM_RUN, 1, EINVAL);
	ioctl_fails(vcpu->fd, KVM_RUN, ~0ull, EINVAL);
}

static void sync_regs_bits(void)
{
	struct vcpu *vcpu = vm_with_vcpu(guest_done);
	int known = check_extension(vcpu->vm->fd, KVM_CAP_SYNC_REGS);

	vcpu->run->kvm_valid_regs = ~(u64)known;
	ioctl_fails(vcpu->fd, KVM_RUN, 0, EINVAL);
	vcpu->run->kvm_valid_regs = 0;
	vcpu->run->kvm_dirty_regs = BIT(40);
	ioctl_fails(vcpu->fd, KVM_RUN, 0, EINVAL);
	vcpu->run->kvm_dirty_regs = 0;
	vcpu_expect_done(vcpu);
}

static const struct test_row rows[] = {
	{ "reset", reset_state },
	{ "regs", regs_round_trip },
	{ "sregs", sregs_round_trip },
	{ "sregs_before_cpuid", sregs_before_cpuid },
	{ "sregs_interrupt_bitmap", sregs_interrupt_bitmap },
	{ "fpu", fpu_round_trip },
	{ "fpu_reset", fpu_reset },
	{ "xsave", xsave_round_trip },
	{ "xsave_refused", xsave_refused },
	{ "xcrs", xcrs },
	{ "debugregs", debugregs },
	{ "events", events_round_trip },
	{ "events_refused", events_refused },
	{ "mp_state", mp_state },
	{ "tsc_khz", tsc_khz },
	{ "interrupt", interrupt },
	{ "signal_mask", signal_mask },
	{ "run_argument", run_argument },
	{ "sync_regs_bits", sync_regs_bits },
};

int main(int argc, char **argv)
{
	size_t i;

	test_add_rows("state", rows, ARRAY_SIZE(rows));
	for (i = 0; i < ARRAY_SIZE(bad_sregs); i++)
		test_add(sregs_refused, &bad_sregs[i], "sregs_refused/%s",
			 bad_sregs[i].name);
	return test_run_all(argc, argv);
}
