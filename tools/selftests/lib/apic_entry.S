/* SPDX-License-Identifier: GPL-2.0-only */
/* From the real mode that SIPI starts in to a C function in long mode. */
#define GUEST_GDT	0x10000
#define GUEST_IDT	0x11000
#define GUEST_STACKS	0x800000
#define GUEST_STACK	0x8000
#define GUEST_CPU_SIZE	120

	.section .rodata
	.code16
	.globl	sipi_code
sipi_code:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	(gdt - sipi_code)
	movl	$0x620, %eax
	movl	%eax, %cr4
	movl	(sipi_pgd - sipi_code), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	movl	$0x901, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$0x80010033, %eax
	movl	%eax, %cr0
	ljmpl	*(far - sipi_code)
	.balign	8
gdt:	.word	0xfff
	.long	GUEST_GDT
far:	.long	sipi_long_mode
	.word	0x08
	.globl	sipi_pgd
sipi_pgd:
	.long	0
	.globl	sipi_code_end
sipi_code_end:

	.text
	.code64
sipi_long_mode:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	lidt	idt(%rip)
	movl	$1, %eax
	cpuid
	shrl	$24, %ebx
	movl	%ebx, %eax
	incl	%eax
	imull	$GUEST_STACK, %eax, %esp
	addl	$GUEST_STACKS - 64, %esp
	imull	$GUEST_CPU_SIZE, %ebx, %eax
	addl	$guest_cpus, %eax
	xorl	%edx, %edx
	movl	$0xc0000101, %ecx
	wrmsr
	movl	%ebx, %edi
	call	*sipi_entry
	call	guest_done

	.section .rodata
idt:	.word	0xfff
	.quad	GUEST_IDT

	.data
	.globl	sipi_entry
sipi_entry:
	.quad	0

	.section .note.GNU-stack, "", @progbits
