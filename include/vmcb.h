/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block, laid out as the AMD64 manual, volume 2,
 * appendix "Layout of VMCB" gives it. The kernel's own definition is not used:
 * its field names change between versions.
 *
 * Every field that the processor may cache is written through vmcb_set_*(),
 * which clears the clean bit that covers it. Else "clean" is written as a whole only:
 * all of it after a #VMEXIT, none of it where the processor may know another VMCB.
 */
#ifndef KSVM_VMCB_H
#define KSVM_VMCB_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct vmcb_segment {
	u16 selector;
	u16 attrib;		/* descriptor bits 40-47 and 52-55, packed to 12 bits */
	u32 limit;		/* in bytes, granularity already applied */
	u64 base;
} __packed;

struct vmcb_control {
	u32 intercept_cr;	/* 0x000: reads in bits 0-15, writes in bits 16-31 */
	u32 intercept_dr;	/* 0x004: likewise */
	u32 intercept_exception;
	u32 intercept_misc1;
	u32 intercept_misc2;
	u32 intercept_misc3;
	u8 reserved_018[0x03c - 0x018];
	u16 pause_filter_threshold;
	u16 pause_filter_count;
	u64 iopm_base_pa;	/* 0x040 */
	u64 msrpm_base_pa;
	u64 tsc_offset;
	u32 asid;		/* 0x058 */
	u8 tlb_control;
	u8 reserved_05d[3];
	u64 int_ctl;		/* 0x060: V_TPR, V_IRQ, VGIF, V_INTR_MASKING, vector */
	u64 int_state;		/* 0x068: interrupt shadow, guest interrupt mask */
	u64 exit_code;		/* 0x070 */
	u64 exit_info_1;
	u64 exit_info_2;
	u64 exit_int_info;
	u64 nested_ctl;		/* 0x090: nested paging, SEV */
	u64 avic_apic_bar;
	u64 ghcb_gpa;
	u64 event_inj;		/* 0x0a8 */
	u64 nested_cr3;
	u64 virt_ext;		/* 0x0b8: LBR virtualization, virtual VMLOAD/VMSAVE */
	u32 clean;		/* 0x0c0 */
	u32 reserved_0c4;
	u64 next_rip;
	u8 insn_len;		/* 0x0d0 */
	u8 insn_bytes[15];
	u64 avic_backing_page;	/* 0x0e0 */
	u64 reserved_0e8;
	u64 avic_logical_table;
	u64 avic_physical_table;
	u64 reserved_100;
	u64 vmsa_pa;		/* 0x108 */
	u8 reserved_110[0x400 - 0x110];
} __packed;

struct vmcb_save {
	struct vmcb_segment es;	/* 0x000 */
	struct vmcb_segment cs;
	struct vmcb_segment ss;
	struct vmcb_segment ds;
	struct vmcb_segment fs;	/* fs, gs, ldtr, tr: moved by VMLOAD and VMSAVE */
	struct vmcb_segment gs;
	struct vmcb_segment gdtr;
	struct vmcb_segment ldtr;
	struct vmcb_segment idtr;
	struct vmcb_segment tr;
	u8 reserved_0a0[0x0cb - 0x0a0];
	u8 cpl;			/* 0x0cb */
	u32 reserved_0cc;
	u64 efer;		/* 0x0d0 */
	u8 reserved_0d8[0x148 - 0x0d8];
	u64 cr4;		/* 0x148 */
	u64 cr3;
	u64 cr0;
	u64 dr7;		/* 0x160 */
	u64 dr6;
	u64 rflags;
	u64 rip;		/* 0x178 */
	u8 reserved_180[0x1d8 - 0x180];
	u64 rsp;		/* 0x1d8 */
	u64 s_cet;
	u64 ssp;
	u64 isst_addr;
	u64 rax;		/* 0x1f8 */
	u64 star;		/* 0x200: from here to sysenter_eip by VMLOAD and VMSAVE */
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 kernel_gs_base;
	u64 sysenter_cs;
	u64 sysenter_esp;
	u64 sysenter_eip;
	u64 cr2;		/* 0x240 */
	u8 reserved_248[0x268 - 0x248];
	u64 g_pat;		/* 0x268 */
	u64 dbgctl;
	u64 br_from;
	u64 br_to;
	u64 last_excp_from;
	u64 last_excp_to;
	u8 reserved_298[0x2e0 - 0x298];
	u64 spec_ctrl;		/* 0x2e0 */
	u8 reserved_2e8[0xc00 - 0x2e8];
} __packed;

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
} __packed;

#define VMCB_ASSERT_OFFSET(area, field, offset) \
	static_assert(offsetof(struct vmcb_##area, field) == (offset))

VMCB_ASSERT_OFFSET(control, intercept_exception, 0x008);
VMCB_ASSERT_OFFSET(control, intercept_misc1, 0x00c);
VMCB_ASSERT_OFFSET(control, intercept_misc2, 0x010);
VMCB_ASSERT_OFFSET(control, intercept_misc3, 0x014);
VMCB_ASSERT_OFFSET(control, pause_filter_threshold, 0x03c);
VMCB_ASSERT_OFFSET(control, pause_filter_count, 0x03e);
VMCB_ASSERT_OFFSET(control, iopm_base_pa, 0x040);
VMCB_ASSERT_OFFSET(control, msrpm_base_pa, 0x048);
VMCB_ASSERT_OFFSET(control, tsc_offset, 0x050);
VMCB_ASSERT_OFFSET(control, asid, 0x058);
VMCB_ASSERT_OFFSET(control, tlb_control, 0x05c);
VMCB_ASSERT_OFFSET(control, int_ctl, 0x060);
VMCB_ASSERT_OFFSET(control, int_state, 0x068);
VMCB_ASSERT_OFFSET(control, exit_code, 0x070);
VMCB_ASSERT_OFFSET(control, exit_info_1, 0x078);
VMCB_ASSERT_OFFSET(control, exit_info_2, 0x080);
VMCB_ASSERT_OFFSET(control, exit_int_info, 0x088);
VMCB_ASSERT_OFFSET(control, nested_ctl, 0x090);
VMCB_ASSERT_OFFSET(control, avic_apic_bar, 0x098);
VMCB_ASSERT_OFFSET(control, ghcb_gpa, 0x0a0);
VMCB_ASSERT_OFFSET(control, event_inj, 0x0a8);
VMCB_ASSERT_OFFSET(control, nested_cr3, 0x0b0);
VMCB_ASSERT_OFFSET(control, virt_ext, 0x0b8);
VMCB_ASSERT_OFFSET(control, clean, 0x0c0);
VMCB_ASSERT_OFFSET(control, next_rip, 0x0c8);
VMCB_ASSERT_OFFSET(control, insn_len, 0x0d0);
VMCB_ASSERT_OFFSET(control, insn_bytes, 0x0d1);
VMCB_ASSERT_OFFSET(control, avic_backing_page, 0x0e0);
VMCB_ASSERT_OFFSET(control, avic_logical_table, 0x0f0);
VMCB_ASSERT_OFFSET(control, avic_physical_table, 0x0f8);
VMCB_ASSERT_OFFSET(control, vmsa_pa, 0x108);
VMCB_ASSERT_OFFSET(save, cs, 0x010);
VMCB_ASSERT_OFFSET(save, ss, 0x020);
VMCB_ASSERT_OFFSET(save, ds, 0x030);
VMCB_ASSERT_OFFSET(save, fs, 0x040);
VMCB_ASSERT_OFFSET(save, gs, 0x050);
VMCB_ASSERT_OFFSET(save, gdtr, 0x060);
VMCB_ASSERT_OFFSET(save, ldtr, 0x070);
VMCB_ASSERT_OFFSET(save, idtr, 0x080);
VMCB_ASSERT_OFFSET(save, tr, 0x090);
VMCB_ASSERT_OFFSET(save, cpl, 0x0cb);
VMCB_ASSERT_OFFSET(save, efer, 0x0d0);
VMCB_ASSERT_OFFSET(save, cr4, 0x148);
VMCB_ASSERT_OFFSET(save, cr3, 0x150);
VMCB_ASSERT_OFFSET(save, cr0, 0x158);
VMCB_ASSERT_OFFSET(save, dr7, 0x160);
VMCB_ASSERT_OFFSET(save, dr6, 0x168);
VMCB_ASSERT_OFFSET(save, rflags, 0x170);
VMCB_ASSERT_OFFSET(save, rip, 0x178);
VMCB_ASSERT_OFFSET(save, rsp, 0x1d8);
VMCB_ASSERT_OFFSET(save, s_cet, 0x1e0);
VMCB_ASSERT_OFFSET(save, ssp, 0x1e8);
VMCB_ASSERT_OFFSET(save, isst_addr, 0x1f0);
VMCB_ASSERT_OFFSET(save, rax, 0x1f8);
VMCB_ASSERT_OFFSET(save, star, 0x200);
VMCB_ASSERT_OFFSET(save, lstar, 0x208);
VMCB_ASSERT_OFFSET(save, cstar, 0x210);
VMCB_ASSERT_OFFSET(save, sfmask, 0x218);
VMCB_ASSERT_OFFSET(save, kernel_gs_base, 0x220);
VMCB_ASSERT_OFFSET(save, sysenter_cs, 0x228);
VMCB_ASSERT_OFFSET(save, sysenter_esp, 0x230);
VMCB_ASSERT_OFFSET(save, sysenter_eip, 0x238);
VMCB_ASSERT_OFFSET(save, cr2, 0x240);
VMCB_ASSERT_OFFSET(save, g_pat, 0x268);
VMCB_ASSERT_OFFSET(save, dbgctl, 0x270);
VMCB_ASSERT_OFFSET(save, br_from, 0x278);
VMCB_ASSERT_OFFSET(save, br_to, 0x280);
VMCB_ASSERT_OFFSET(save, last_excp_from, 0x288);
VMCB_ASSERT_OFFSET(save, last_excp_to, 0x290);
VMCB_ASSERT_OFFSET(save, spec_ctrl, 0x2e0);
static_assert(sizeof(struct vmcb_segment) == 16);
static_assert(sizeof(struct vmcb_control) == 0x400);
static_assert(sizeof(struct vmcb) == 0x1000);

/* Clean bits: set means the processor may use what it cached of the group. */
enum vmcb_clean {
	VMCB_CLEAN_INTERCEPTS	= 0,	/* intercept vectors, TSC offset, pause filter */
	VMCB_CLEAN_PERM_MAP	= 1,	/* IOPM_BASE_PA, MSRPM_BASE_PA */
	VMCB_CLEAN_ASID		= 2,
	VMCB_CLEAN_INTR		= 3,	/* the virtual interrupt word */
	VMCB_CLEAN_NPT		= 4,	/* NP_ENABLE, nCR3, G_PAT */
	VMCB_CLEAN_CR		= 5,	/* CR0, CR3, CR4, EFER */
	VMCB_CLEAN_DR		= 6,	/* DR6, DR7 */
	VMCB_CLEAN_DT		= 7,	/* GDTR, IDTR */
	VMCB_CLEAN_SEG		= 8,	/* CS, DS, SS, ES and CPL */
	VMCB_CLEAN_CR2		= 9,
	VMCB_CLEAN_LBR		= 10,
	VMCB_CLEAN_AVIC		= 11,
	VMCB_CLEAN_CET		= 12,
};

#define VMCB_CLEAN_ALL	GENMASK(12, 0)

static inline void vmcb_dirty(struct vmcb *vmcb, enum vmcb_clean group)
{
	vmcb->control.clean &= ~(1u << group);
}

#define VMCB_FIELD(area, field, type, group)					\
static inline type vmcb_get_##field(const struct vmcb *vmcb)			\
{										\
	return vmcb->area.field;						\
}										\
static inline void vmcb_set_##field(struct vmcb *vmcb, type value)		\
{										\
	if (vmcb->area.field == value)						\
		return;								\
	vmcb->area.field = value;						\
	vmcb_dirty(vmcb, VMCB_CLEAN_##group);					\
}

VMCB_FIELD(control, intercept_cr, u32, INTERCEPTS)
VMCB_FIELD(control, intercept_dr, u32, INTERCEPTS)
VMCB_FIELD(control, intercept_exception, u32, INTERCEPTS)
VMCB_FIELD(control, intercept_misc1, u32, INTERCEPTS)
VMCB_FIELD(control, intercept_misc2, u32, INTERCEPTS)
VMCB_FIELD(control, intercept_misc3, u32, INTERCEPTS)
VMCB_FIELD(control, pause_filter_threshold, u16, INTERCEPTS)
VMCB_FIELD(control, pause_filter_count, u16, INTERCEPTS)
VMCB_FIELD(control, tsc_offset, u64, INTERCEPTS)
VMCB_FIELD(control, iopm_base_pa, u64, PERM_MAP)
VMCB_FIELD(control, msrpm_base_pa, u64, PERM_MAP)
VMCB_FIELD(control, asid, u32, ASID)
VMCB_FIELD(control, int_ctl, u64, INTR)
VMCB_FIELD(control, nested_ctl, u64, NPT)
VMCB_FIELD(control, nested_cr3, u64, NPT)
VMCB_FIELD(control, virt_ext, u64, LBR)
VMCB_FIELD(save, g_pat, u64, NPT)
VMCB_FIELD(save, cr0, u64, CR)
VMCB_FIELD(save, cr3, u64, CR)
VMCB_FIELD(save, cr4, u64, CR)
VMCB_FIELD(save, efer, u64, CR)
VMCB_FIELD(save, dr6, u64, DR)
VMCB_FIELD(save, dr7, u64, DR)
VMCB_FIELD(save, cpl, u8, SEG)
VMCB_FIELD(save, cr2, u64, CR2)
VMCB_FIELD(save, dbgctl, u64, LBR)
VMCB_FIELD(save, br_from, u64, LBR)
VMCB_FIELD(save, br_to, u64, LBR)
VMCB_FIELD(save, last_excp_from, u64, LBR)
VMCB_FIELD(save, last_excp_to, u64, LBR)

/* intercept_cr and intercept_dr */
#define INTERCEPT_CR_READ(n)		BIT(n)
#define INTERCEPT_CR_WRITE(n)		BIT(16 + (n))
#define INTERCEPT_DR_ALL		0xffffffffu

/* intercept_misc1 */
#define INTERCEPT_INTR			BIT(0)
#define INTERCEPT_NMI			BIT(1)
#define INTERCEPT_SMI			BIT(2)
#define INTERCEPT_INIT			BIT(3)
#define INTERCEPT_VINTR			BIT(4)
#define INTERCEPT_CR0_SEL_WRITE		BIT(5)
#define INTERCEPT_IDTR_READ		BIT(6)
#define INTERCEPT_GDTR_READ		BIT(7)
#define INTERCEPT_LDTR_READ		BIT(8)
#define INTERCEPT_TR_READ		BIT(9)
#define INTERCEPT_IDTR_WRITE		BIT(10)
#define INTERCEPT_GDTR_WRITE		BIT(11)
#define INTERCEPT_LDTR_WRITE		BIT(12)
#define INTERCEPT_TR_WRITE		BIT(13)
#define INTERCEPT_RDTSC			BIT(14)
#define INTERCEPT_RDPMC			BIT(15)
#define INTERCEPT_PUSHF			BIT(16)
#define INTERCEPT_POPF			BIT(17)
#define INTERCEPT_CPUID			BIT(18)
#define INTERCEPT_RSM			BIT(19)
#define INTERCEPT_IRET			BIT(20)
#define INTERCEPT_INTN			BIT(21)
#define INTERCEPT_INVD			BIT(22)
#define INTERCEPT_PAUSE			BIT(23)
#define INTERCEPT_HLT			BIT(24)
#define INTERCEPT_INVLPG		BIT(25)
#define INTERCEPT_INVLPGA		BIT(26)
#define INTERCEPT_IOIO			BIT(27)
#define INTERCEPT_MSR			BIT(28)
#define INTERCEPT_TASK_SWITCH		BIT(29)
#define INTERCEPT_FERR_FREEZE		BIT(30)
#define INTERCEPT_SHUTDOWN		BIT(31)

/* intercept_misc2 */
#define INTERCEPT_VMRUN			BIT(0)
#define INTERCEPT_VMMCALL		BIT(1)
#define INTERCEPT_VMLOAD		BIT(2)
#define INTERCEPT_VMSAVE		BIT(3)
#define INTERCEPT_STGI			BIT(4)
#define INTERCEPT_CLGI			BIT(5)
#define INTERCEPT_SKINIT		BIT(6)
#define INTERCEPT_RDTSCP		BIT(7)
#define INTERCEPT_ICEBP			BIT(8)
#define INTERCEPT_WBINVD		BIT(9)
#define INTERCEPT_MONITOR		BIT(10)
#define INTERCEPT_MWAIT			BIT(11)
#define INTERCEPT_MWAIT_ARMED		BIT(12)
#define INTERCEPT_XSETBV		BIT(13)
#define INTERCEPT_RDPRU			BIT(14)

/* intercept_misc3 */
#define INTERCEPT_INVLPGB		BIT(0)
#define INTERCEPT_INVLPGB_ILLEGAL	BIT(1)
#define INTERCEPT_INVPCID		BIT(2)
#define INTERCEPT_MCOMMIT		BIT(3)
#define INTERCEPT_TLBSYNC		BIT(4)

/* tlb_control */
#define VMCB_TLB_NOTHING		0
#define VMCB_TLB_FLUSH_ALL		1
#define VMCB_TLB_FLUSH_ASID		3

/* int_ctl */
#define VMCB_V_TPR			GENMASK_ULL(3, 0)
#define VMCB_V_IRQ			BIT_ULL(8)
#define VMCB_V_GIF			BIT_ULL(9)
#define VMCB_V_INTR_PRIO		GENMASK_ULL(19, 16)
#define VMCB_V_IGN_TPR			BIT_ULL(20)
#define VMCB_V_INTR_MASKING		BIT_ULL(24)
#define VMCB_V_GIF_ENABLE		BIT_ULL(25)
#define VMCB_V_AVIC_ENABLE		BIT_ULL(31)
#define VMCB_V_INTR_VECTOR		GENMASK_ULL(39, 32)

/* int_state */
#define VMCB_INT_SHADOW			BIT_ULL(0)
#define VMCB_GUEST_INTERRUPT_MASK	BIT_ULL(1)

/* nested_ctl, virt_ext */
#define VMCB_NP_ENABLE			BIT_ULL(0)
#define VMCB_LBR_VIRT_ENABLE		BIT_ULL(0)
#define VMCB_VIRT_VMLOAD_VMSAVE		BIT_ULL(1)

/* event_inj and exit_int_info */
#define VMCB_EVENT_VECTOR		GENMASK_ULL(7, 0)
#define VMCB_EVENT_TYPE			GENMASK_ULL(10, 8)
#define VMCB_EVENT_TYPE_INTR		(0ull << 8)
#define VMCB_EVENT_TYPE_NMI		(2ull << 8)
#define VMCB_EVENT_TYPE_EXCEPTION	(3ull << 8)
#define VMCB_EVENT_TYPE_SOFT		(4ull << 8)
#define VMCB_EVENT_ERROR_CODE_VALID	BIT_ULL(11)
#define VMCB_EVENT_VALID		BIT_ULL(31)
#define VMCB_EVENT_ERROR_CODE_SHIFT	32

/* exit_info_1 of an IOIO exit */
#define VMCB_IOIO_IN			BIT_ULL(0)
#define VMCB_IOIO_STRING		BIT_ULL(2)
#define VMCB_IOIO_REP			BIT_ULL(3)
#define VMCB_IOIO_SIZE_SHIFT		4	/* bits 4-6: one of 1, 2, 4 bytes */
#define VMCB_IOIO_PORT_SHIFT		16

/* segment attributes */
#define VMCB_ATTRIB_TYPE		GENMASK(3, 0)
#define VMCB_ATTRIB_S			BIT(4)
#define VMCB_ATTRIB_DPL_SHIFT		5
#define VMCB_ATTRIB_P			BIT(7)
#define VMCB_ATTRIB_AVL			BIT(8)
#define VMCB_ATTRIB_L			BIT(9)
#define VMCB_ATTRIB_DB			BIT(10)
#define VMCB_ATTRIB_G			BIT(11)

#endif
