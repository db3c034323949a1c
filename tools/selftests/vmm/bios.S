/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware that Linux' real mode part cannot do without: a memory map. All other
 * calls come back as they went, with the carry flag that the kernel set before.
 */
	.section .rodata
	.code16
	.globl	bios_start
bios_start:
	iretw

	.globl	bios_int15
bios_int15:
	cmpl	$0xe820, %eax
	jne	refuse
	cmpl	%cs:(bios_count - bios_start), %ebx
	jae	refuse
	pushw	%ds
	pushw	%si
	pushw	%di
	pushw	%cs
	popw	%ds
	imulw	$20, %bx, %si
	addw	$(bios_map - bios_start), %si
	movw	$10, %cx
	cld
	rep movsw
	popw	%di
	popw	%si
	popw	%ds
	incl	%ebx
	cmpl	%cs:(bios_count - bios_start), %ebx
	jb	1f
	xorl	%ebx, %ebx
1:	movl	$0x534d4150, %eax
	movl	$20, %ecx
	pushw	%bp
	movw	%sp, %bp
	andb	$0xfe, 6(%bp)
	popw	%bp
	iretw

refuse:	movb	$0x86, %ah
	pushw	%bp
	movw	%sp, %bp
	orb	$1, 6(%bp)
	popw	%bp
	iretw

	.balign	4
	.globl	bios_count
bios_count:
	.long	0
	.globl	bios_map
bios_map:
	.fill	8 * 20, 1, 0
	.globl	bios_end
bios_end:

	.section .note.GNU-stack, "", @progbits
