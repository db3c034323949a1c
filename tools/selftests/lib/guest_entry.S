/* SPDX-License-Identifier: GPL-2.0-only */
/* Exception and interrupt entry points of the long mode guest. */
	.text
	.code64
	.balign	16
	.globl	guest_stubs
guest_stubs:
	vector = 0
	.rept	32
	.balign	16
	/* These have an error code: 8, 10 to 14, 17, 21, 29, 30. */
	.ifeq	(0x60227d00 >> vector) & 1
	pushq	$0
	.endif
	pushq	$vector
	jmp	guest_entry
	vector = vector + 1
	.endr
	.rept	224
	.balign	16
	pushq	$0
	pushq	$vector
	jmp	guest_entry
	vector = vector + 1
	.endr

guest_entry:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	movq	%rsp, %rbp
	andq	$-16, %rsp
	cld
	call	guest_exception
	movq	%rbp, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/* void guest_enter_user(void (*fn)(void)) */
	.globl	guest_enter_user
guest_enter_user:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %gs:48
	leaq	-0x1000(%rsp), %rax
	andq	$-16, %rax
	pushq	$0x23
	pushq	%rax
	pushq	$0x3002
	pushq	$0x2b
	pushq	$1f
	iretq
1:	call	*%rdi
	int	$0x81

	.globl	guest_user_return
guest_user_return:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
