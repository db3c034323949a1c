/* SPDX-License-Identifier: GPL-2.0-only */
/* What a handler tells the run loop; see Documentation/architecture.rst. */
#ifndef KSVM_EXIT_H
#define KSVM_EXIT_H

/**
 * enum exit_outcome - how the run loop goes on
 * @EXIT_REENTER: the exit is finished, enter the guest again
 * @EXIT_SLOW: finishing may sleep; ring 1 runs the same handler again. Only
 *	a handler that has changed nothing yet may return this, and only in
 *	ring 2
 * @EXIT_LEAVE: finished, but ring 2 has to be left first: a host interrupt
 *	is waiting, or ring 1 has a request to look at
 * @EXIT_USER: the run page holds the reason; KVM_RUN returns 0
 * @EXIT_ERROR: KVM_RUN returns vcpu->run_error
 */
enum exit_outcome {
	EXIT_REENTER,
	EXIT_SLOW,
	EXIT_LEAVE,
	EXIT_USER,
	EXIT_ERROR,
};

/**
 * enum ksvm_ring - where a vCPU thread is; see Documentation/architecture.rst
 * @RING_OUTSIDE: not in KVM_RUN
 * @RING_OUTER: ring 1, may sleep, host state loaded
 * @RING_INNER: ring 2, interrupts off, guest FPU loaded; user memory is
 *	read with page faults disabled
 */
enum ksvm_ring {
	RING_OUTSIDE,
	RING_OUTER,
	RING_INNER,
};

#endif
