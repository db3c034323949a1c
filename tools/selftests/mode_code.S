/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest programs for processor modes, copied to MODE_CODE. All do the same:
 * port out, port in, CPUID, memory-mapped write and read, a fault with a
 * handler of the mode's own width, HLT, and at the end a triple fault.
 */
#include "mode_code.h"

	.section .rodata
	.macro	blob name
	.balign	16
	.globl	\name
\name:
	.endm

	/* Real and 16-bit protected mode: CS and DS begin at the code. */
	.code16
blob mode_code16
	movw	$MODE_PORT, %dx
	movb	$0x41, %al
	outb	%al, %dx
	inb	%dx, %al
	outb	%al, %dx
	xorl	%eax, %eax
	cpuid
	movl	%ebx, %es:0
	movl	%es:4, %eax
	movw	$MODE_PORT, %dx
	outl	%eax, %dx
	ud2
	hlt
	lidtw	(none16 - mode_code16)
	ud2
	.globl	mode_handler16
mode_handler16:
	pushw	%bp
	movw	%sp, %bp
	addw	$2, 2(%bp)
	movb	$6, %al
	outb	%al, %dx
	popw	%bp
	iretw
none16:	.word	0, 0, 0
	.globl	mode_code16_end
mode_code16_end:

	/* 32-bit protected mode with every kind of paging, and compatibility. */
	.code32
blob mode_code32
	movl	$MODE_PORT, %edx
	movb	$0x41, %al
	outb	%al, %dx
	inb	%dx, %al
	outb	%al, %dx
	xorl	%eax, %eax
	cpuid
	movl	%ebx, MODE_MMIO
	movl	MODE_MMIO + 4, %eax
	movl	$MODE_PORT, %edx
	outl	%eax, %dx
	ud2
	hlt
	lidtl	MODE_CODE + (none32 - mode_code32)
	ud2
	.globl	mode_handler32
mode_handler32:
	addl	$2, (%esp)
	movb	$6, %al
	outb	%al, %dx
	iretl
none32:	.word	0, 0, 0
	.globl	mode_code32_end
mode_code32_end:

	.code64
blob mode_code64
	movl	$MODE_PORT, %edx
	movb	$0x41, %al
	outb	%al, %dx
	inb	%dx, %al
	outb	%al, %dx
	xorl	%eax, %eax
	cpuid
	movl	%ebx, MODE_MMIO
	movl	MODE_MMIO + 4, %eax
	movl	$MODE_PORT, %edx
	outl	%eax, %dx
	ud2
	hlt
	lidt	none64(%rip)
	ud2
none64:	.word	0, 0, 0, 0, 0
	.globl	mode_code64_end
mode_code64_end:

	/* Also the handler of compatibility mode. */
blob mode_handler64
	addq	$2, (%rsp)
	movb	$6, %al
	outb	%al, %dx
	iretq
	.globl	mode_handler64_end
mode_handler64_end:

	/* From real mode to long mode, as firmware and kernels do it. */
	.code16
blob mode_climb
	movw	$MODE_PORT, %dx
	movb	$1, %al
	outb	%al, %dx
	lgdtl	(climb_gdtr - mode_climb)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$MODE_SEL_CODE32, $MODE_CODE + (climb32 - mode_climb)
climb_gdtr:
	.word	MODE_GDT_SIZE - 1
	.long	MODE_GDT
	.code32
climb32:
	movl	$MODE_SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movb	$2, %al
	outb	%al, %dx
	movl	%cr4, %eax
	orl	$0x20, %eax
	movl	%eax, %cr4
	movl	$MODE_PML4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	movw	$MODE_PORT, %dx
	movb	$3, %al
	outb	%al, %dx
	ljmpl	$MODE_SEL_CODE64, $MODE_CODE + (climb64 - mode_climb)
	.code64
climb64:
	movq	$0x123456789abcdef0, %rbx
	movb	$4, %al
	outb	%al, %dx
	hlt
	.globl	mode_climb_end
mode_climb_end:

	/* Real mode with a segment of 4 GiB left over from protected mode. */
	.code16
blob mode_unreal
	movw	$MODE_PORT, %dx
	lgdtl	(unreal_gdtr - mode_unreal)
	movw	%ds, %cx
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$MODE_SEL_DATA, %bx
	movw	%bx, %fs
	andb	$0xfe, %al
	movl	%eax, %cr0
	movl	$MODE_FAR, %esi
	movl	%fs:(%esi), %eax
	outl	%eax, %dx
	movl	$MODE_MMIO, %esi
	movl	%eax, %fs:(%esi)
	movw	$0x1234, %bx
	movw	%bx, %gs
	hlt
unreal_gdtr:
	.word	MODE_GDT_SIZE - 1
	.long	MODE_GDT
	.globl	mode_unreal_end
mode_unreal_end:

	/* A jump to another task. */
	.code32
blob mode_task
	ljmpl	$MODE_SEL_TSS2, $0
	hlt
task_new:
	movl	$MODE_PORT, %edx
	movb	$0x77, %al
	outb	%al, %dx
	hlt
	.globl	mode_task_new
	mode_task_new = task_new - mode_task
	.globl	mode_task_end
mode_task_end:

	.section .note.GNU-stack, "", @progbits
