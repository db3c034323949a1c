/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit handlers, as the exit table names them. */
#ifndef KSVM_SVM_EXITS_H
#define KSVM_SVM_EXITS_H

#include "exit.h"

struct vcpu_svm;

/* exit_insn.c: intercepted instructions */
enum exit_outcome exit_cpuid(struct vcpu_svm *svm);
enum exit_outcome exit_cr8_write(struct vcpu_svm *svm);
enum exit_outcome exit_emulate(struct vcpu_svm *svm);
enum exit_outcome exit_hlt(struct vcpu_svm *svm);
enum exit_outcome exit_inject_ud(struct vcpu_svm *svm);
enum exit_outcome exit_iret(struct vcpu_svm *svm);
enum exit_outcome exit_msr(struct vcpu_svm *svm);
enum exit_outcome exit_nop(struct vcpu_svm *svm);
enum exit_outcome exit_port_io(struct vcpu_svm *svm);
enum exit_outcome exit_rdpmc(struct vcpu_svm *svm);
enum exit_outcome exit_vmmcall(struct vcpu_svm *svm);
enum exit_outcome exit_xsetbv(struct vcpu_svm *svm);

/* pause.c */
enum exit_outcome exit_pause(struct vcpu_svm *svm);

/* exit_event.c: everything else */
enum exit_outcome exit_alignment_check(struct vcpu_svm *svm);
enum exit_outcome exit_breakpoint(struct vcpu_svm *svm);
enum exit_outcome exit_debug(struct vcpu_svm *svm);
enum exit_outcome exit_host_event(struct vcpu_svm *svm);
enum exit_outcome exit_interrupt_window(struct vcpu_svm *svm);
enum exit_outcome exit_invalid(struct vcpu_svm *svm);
enum exit_outcome exit_machine_check(struct vcpu_svm *svm);
enum exit_outcome exit_npf(struct vcpu_svm *svm);
enum exit_outcome exit_shutdown(struct vcpu_svm *svm);
enum exit_outcome exit_task_switch(struct vcpu_svm *svm);
enum exit_outcome exit_undefined_opcode(struct vcpu_svm *svm);
enum exit_outcome exit_unknown(struct vcpu_svm *svm);

#endif
