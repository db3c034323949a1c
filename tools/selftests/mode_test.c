// SPDX-License-Identifier: GPL-2.0-only
/* Guests in every mode of the processor. */
#include <stdlib.h>

#include "harness.h"
#include "mode_code.h"
#include "vm.h"

static struct vcpu *create(const u8 *code, const u8 *end)
{
	static const u64 gdt[MODE_GDT_SIZE / 8] = {
		[MODE_SEL_CODE32 / 8] = 0x00cf9b000000ffff,
		[MODE_SEL_DATA / 8] = 0x00cf93000000ffff,
		[MODE_SEL_CODE64 / 8] = 0x00af9b000000ffff,
		[MODE_SEL_CODE16 / 8] = 0x00009b000000ffff | (u64)MODE_CODE << 16,
		[MODE_SEL_DATA16 / 8] = 0x000093000000ffff | (u64)MODE_CODE << 16,
		[MODE_SEL_TSS / 8] = 0x00008b0000000067 | (u64)MODE_TSS << 16,
		[MODE_SEL_TSS2 / 8] = 0x0000890000000067 | (u64)MODE_TSS2 << 16,
	};
	struct vm *vm = vm_create_bare();
	struct vcpu *vcpu;

	vm->mem_size = MODE_MEM;
	vm->mem = vm_alloc(vm->mem_size);
	vm_set_slot(vm, 0, 0, 0, vm->mem_size, vm->mem);
	memcpy(vm->mem + MODE_GDT, gdt, sizeof(gdt));
	memcpy(vm->mem + MODE_CODE, code, end - code);
	memcpy(vm->mem + MODE_HANDLER64, mode_handler64,
	       mode_handler64_end - mode_handler64);
	vcpu = vcpu_create_bare(vm, 0);
	vcpu_set_cpuid(vcpu);
	return vcpu;
}

static struct kvm_segment segment(u16 selector, u64 base, u32 limit, u8 type,
				  bool db, bool l)
{
	return (struct kvm_segment) {
		.selector = selector, .base = base, .limit = limit,
		.type = type, .present = 1, .s = 1, .db = db, .l = l,
		.g = limit > 0xfffff,
	};
}

static void set_segments(struct kvm_sregs *sregs, struct kvm_segment code,
			 struct kvm_segment data)
{
	sregs->cs = code;
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	sregs->gdt.base = MODE_GDT;
	sregs->gdt.limit = MODE_GDT_SIZE - 1;
	sregs->idt.base = MODE_IDT;
	sregs->idt.limit = 0xfff;
	sregs->tr = (struct kvm_segment) {
		.selector = MODE_SEL_TSS, .base = MODE_TSS, .limit = 0x67,
		.type = 11, .present = 1,
	};
	sregs->ldt = (struct kvm_segment) { .unusable = 1 };
	sregs->cr0 = CR0_PE | CR0_ET | CR0_NE;
}

static void start(struct vcpu *vcpu, struct kvm_sregs *sregs, u64 rip)
{
	struct kvm_regs regs = {
		.rip = rip, .rsp = MODE_STACK, .rflags = RFLAGS_FIXED,
	};

	xioctl(vcpu->fd, KVM_SET_SREGS, sregs);
	xioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static void set_gate32(struct vcpu *vcpu, u32 vector, u16 selector, u32 offset,
		       u8 type)
{
	u64 *idt = vm_host(vcpu->vm, MODE_IDT);

	idt[vector] = (offset & 0xffff) | (u64)selector << 16 |
		      (0x8000ull | type << 8) << 32 |
		      (u64)(offset & 0xffff0000) << 32;
}

static void set_gate64(struct vcpu *vcpu, u32 vector, u32 offset)
{
	u64 *idt = vm_host(vcpu->vm, MODE_IDT);

	idt[2 * vector] = (offset & 0xffff) | MODE_SEL_CODE64 << 16 |
			  0x8e00ull << 32;
	idt[2 * vector + 1] = 0;
}

static void real_segments(struct kvm_sregs *sregs)
{
	struct kvm_segment data = segment(0, 0, 0xffff, 3, false, false);

	sregs->cs = segment(MODE_CODE >> 4, MODE_CODE, 0xffff, 11, false, false);
	sregs->ds = segment(MODE_CODE >> 4, MODE_CODE, 0xffff, 3, false, false);
	sregs->es = segment(MODE_MMIO >> 4, MODE_MMIO, 0xffff, 3, false, false);
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	sregs->idt.base = 0;
	sregs->idt.limit = 0x3ff;
}

static struct vcpu *enter_real(void)
{
	struct vcpu *vcpu = create(mode_code16, mode_code16_end);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);
	u32 *ivt = vm_host(vcpu->vm, 0);

	real_segments(&sregs);
	ivt[UD_VECTOR] = (MODE_CODE >> 4) << 16 |
			 (mode_handler16 - mode_code16);
	start(vcpu, &sregs, 0);
	return vcpu;
}

static struct vcpu *enter_protected16(void)
{
	struct vcpu *vcpu = create(mode_code16, mode_code16_end);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	set_segments(&sregs,
		     segment(MODE_SEL_CODE16, MODE_CODE, 0xffff, 11, false,
			     false),
		     segment(MODE_SEL_DATA16, MODE_CODE, 0xffff, 3, false,
			     false));
	sregs.es = segment(MODE_SEL_DATA16, MODE_MMIO, 0xffff, 3, false, false);
	sregs.ss.base = 0;
	set_gate32(vcpu, UD_VECTOR, MODE_SEL_CODE16,
		   mode_handler16 - mode_code16, 6);
	start(vcpu, &sregs, 0);
	return vcpu;
}

static struct vcpu *flat32(struct kvm_sregs *sregs)
{
	struct vcpu *vcpu = create(mode_code32, mode_code32_end);

	*sregs = vcpu_sregs(vcpu);
	set_segments(sregs,
		     segment(MODE_SEL_CODE32, 0, ~0u, 11, true, false),
		     segment(MODE_SEL_DATA, 0, ~0u, 3, true, false));
	set_gate32(vcpu, UD_VECTOR, MODE_SEL_CODE32,
		   MODE_CODE + (mode_handler32 - mode_code32), 14);
	return vcpu;
}

static struct vcpu *enter_protected32(void)
{
	struct kvm_sregs sregs;
	struct vcpu *vcpu = flat32(&sregs);

	start(vcpu, &sregs, MODE_CODE);
	return vcpu;
}

/* Two levels; 4 KiB pages, or one of 4 MiB. */
static struct vcpu *enter_paging32(bool large)
{
	struct kvm_sregs sregs;
	struct vcpu *vcpu = flat32(&sregs);
	u32 *pd = vm_host(vcpu->vm, MODE_PD);
	u32 *pt = vm_host(vcpu->vm, MODE_PT32), i;

	for (i = 0; i < 1024; i++)
		pt[i] = i * PAGE_SIZE | 3;
	pd[0] = large ? 0x83 : MODE_PT32 | 3;
	sregs.cr3 = MODE_PD;
	sregs.cr4 = large ? CR4_PSE : 0;
	sregs.cr0 |= CR0_PG | CR0_WP;
	start(vcpu, &sregs, MODE_CODE);
	return vcpu;
}

static struct vcpu *enter_paging32_small(void)
{
	return enter_paging32(false);
}

static struct vcpu *enter_paging32_large(void)
{
	return enter_paging32(true);
}

static void long_tables(struct vcpu *vcpu)
{
	u64 *pml4 = vm_host(vcpu->vm, MODE_PML4);
	u64 *pdpt = vm_host(vcpu->vm, MODE_PDPT);
	u64 *pd = vm_host(vcpu->vm, MODE_PD);

	pml4[0] = MODE_PDPT | 3;
	pdpt[0] = MODE_PD | 3;
	pd[0] = 0x83;
}

static struct vcpu *enter_pae(void)
{
	struct kvm_sregs sregs;
	struct vcpu *vcpu = flat32(&sregs);
	u64 *pdpt = vm_host(vcpu->vm, MODE_PDPT);
	u64 *pd = vm_host(vcpu->vm, MODE_PD);

	pdpt[0] = MODE_PD | 1;
	pd[0] = 0x83;
	sregs.cr3 = MODE_PDPT;
	sregs.cr4 = CR4_PAE;
	sregs.cr0 |= CR0_PG | CR0_WP;
	start(vcpu, &sregs, MODE_CODE);
	return vcpu;
}

static void long_sregs(struct kvm_sregs *sregs)
{
	sregs->cr3 = MODE_PML4;
	sregs->cr4 = CR4_PAE;
	sregs->cr0 |= CR0_PG | CR0_WP;
	sregs->efer = EFER_LME | EFER_LMA;
}

static struct vcpu *enter_long(void)
{
	struct vcpu *vcpu = create(mode_code64, mode_code64_end);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	set_segments(&sregs,
		     segment(MODE_SEL_CODE64, 0, ~0u, 11, false, true),
		     segment(MODE_SEL_DATA, 0, ~0u, 3, true, false));
	long_tables(vcpu);
	long_sregs(&sregs);
	set_gate64(vcpu, UD_VECTOR, MODE_HANDLER64);
	start(vcpu, &sregs, MODE_CODE);
	return vcpu;
}

static struct vcpu *enter_compatibility(void)
{
	struct kvm_sregs sregs;
	struct vcpu *vcpu = flat32(&sregs);

	long_tables(vcpu);
	long_sregs(&sregs);
	set_gate32(vcpu, UD_VECTOR, 0, 0, 0);
	set_gate64(vcpu, UD_VECTOR, MODE_HANDLER64);
	start(vcpu, &sregs, MODE_CODE);
	return vcpu;
}

static void expect_out(struct vcpu *vcpu, u32 size, u32 value)
{
	u32 data = 0;

	vcpu_expect_io(vcpu, true, MODE_PORT, size, 1);
	memcpy(&data, vcpu_io_data(vcpu), size);
	TEST_EQ(data, value);
}

struct mode {
	const char *name;
	struct vcpu *(*enter)(void);
};

static const struct mode modes[] = {
	{ "real", enter_real },
	{ "protected16", enter_protected16 },
	{ "protected32", enter_protected32 },
	{ "paging32", enter_paging32_small },
	{ "paging32_large", enter_paging32_large },
	{ "pae", enter_pae },
	{ "long", enter_long },
	{ "compatibility", enter_compatibility },
};

static void run_mode(const void *row)
{
	struct vcpu *vcpu = ((const struct mode *)row)->enter();

	expect_out(vcpu, 1, 0x41);
	vcpu_expect_io(vcpu, false, MODE_PORT, 1, 1);
	*(u8 *)vcpu_io_data(vcpu) = 0x5a;
	expect_out(vcpu, 1, 0x5a);
	vcpu_expect_mmio(vcpu, true, MODE_MMIO, 4);
	TEST_EQ(*(u32 *)vcpu->run->mmio.data,
		cpuid_find(supported_cpuid(), 0, 0)->ebx);
	vcpu_expect_mmio(vcpu, false, MODE_MMIO + 4, 4);
	*(u32 *)vcpu->run->mmio.data = 0x12345678;
	expect_out(vcpu, 4, 0x12345678);
	expect_out(vcpu, 1, UD_VECTOR);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	vcpu_expect_exit(vcpu, KVM_EXIT_SHUTDOWN);
}

static void climb(void)
{
	struct vcpu *vcpu = create(mode_climb, mode_climb_end);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	long_tables(vcpu);
	real_segments(&sregs);
	sregs.tr.type = 11;	/* with that of a reset Bochs refuses long mode */
	start(vcpu, &sregs, 0);
	expect_out(vcpu, 1, 1);
	TEST_EQ(vcpu_sregs(vcpu).cr0 & CR0_PE, 0);
	expect_out(vcpu, 1, 2);
	sregs = vcpu_sregs(vcpu);
	TEST_EQ(sregs.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	TEST_EQ(sregs.cs.selector, MODE_SEL_CODE32);
	TEST_TRUE(sregs.cs.db && !sregs.cs.l);
	expect_out(vcpu, 1, 3);
	sregs = vcpu_sregs(vcpu);
	TEST_EQ(sregs.efer, EFER_LME | EFER_LMA);
	TEST_TRUE(!sregs.cs.l);
	expect_out(vcpu, 1, 4);
	sregs = vcpu_sregs(vcpu);
	TEST_TRUE(sregs.cs.l && !sregs.cs.db);
	TEST_EQ(vcpu_regs(vcpu).rbx, 0x123456789abcdef0);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
}

static void unreal(void)
{
	struct vcpu *vcpu = create(mode_unreal, mode_unreal_end);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);

	real_segments(&sregs);
	*(u32 *)vm_host(vcpu->vm, MODE_FAR) = 0xdeadbeef;
	start(vcpu, &sregs, 0);
	expect_out(vcpu, 4, 0xdeadbeef);
	sregs = vcpu_sregs(vcpu);
	TEST_EQ(sregs.cr0 & CR0_PE, 0);
	TEST_EQ(sregs.fs.limit, 0xffffffff);
	vcpu_expect_mmio(vcpu, true, MODE_MMIO, 4);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	TEST_EQ(vcpu_sregs(vcpu).gs.base, 0x12340);
}

/* Either the task is switched, or the attempt is reported; never a hang. */
static void task_switch(void)
{
	struct vcpu *vcpu = create(mode_task, mode_task_end);
	struct kvm_sregs sregs = vcpu_sregs(vcpu);
	u32 *tss = vm_host(vcpu->vm, MODE_TSS2);

	set_segments(&sregs,
		     segment(MODE_SEL_CODE32, 0, ~0u, 11, true, false),
		     segment(MODE_SEL_DATA, 0, ~0u, 3, true, false));
	tss[8] = MODE_CODE + (u32)(u64)mode_task_new;
	tss[9] = RFLAGS_FIXED;
	tss[14] = MODE_STACK;
	tss[18] = MODE_SEL_DATA;
	tss[19] = MODE_SEL_CODE32;
	tss[20] = MODE_SEL_DATA;
	tss[21] = MODE_SEL_DATA;
	start(vcpu, &sregs, MODE_CODE);
	vcpu_run(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
		TEST_EQ(vcpu->run->internal.suberror,
			KVM_INTERNAL_ERROR_EMULATION);
		return;
	}
	TEST_EQ(vcpu->run->exit_reason, KVM_EXIT_IO);
	TEST_EQ(*(u8 *)vcpu_io_data(vcpu), 0x77);
	TEST_EQ(vcpu_sregs(vcpu).tr.selector, MODE_SEL_TSS2);
}

static const struct test_row rows[] = {
	{ "climb", climb },
	{ "unreal", unreal },
	{ "task_switch", task_switch },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		test_add(run_mode, &modes[i], "mode/%s", modes[i].name);
	test_add_rows("mode", rows, ARRAY_SIZE(rows));
	return test_run_all(argc, argv);
}
