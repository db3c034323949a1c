// SPDX-License-Identifier: GPL-2.0-only
/* The intercept vectors: the union of what their owners ask for. */
#include "internal.h"

/**
 * svm_intercepts_update() - put the owners' intercepts into the VMCB
 * @svm: the vCPU, after one of svm->intercepts[] changed
 */
void svm_intercepts_update(struct vcpu_svm *svm)
{
	struct intercepts all = {};
	enum intercept_owner owner;

	for (owner = 0; owner < INTERCEPT_OWNERS; owner++) {
		const struct intercepts *wanted = &svm->intercepts[owner];

		all.cr |= wanted->cr;
		all.dr |= wanted->dr;
		all.exception |= wanted->exception;
		all.misc1 |= wanted->misc1;
		all.misc2 |= wanted->misc2;
		all.misc3 |= wanted->misc3;
	}
	vmcb_set_intercept_cr(svm->vmcb, all.cr);
	vmcb_set_intercept_dr(svm->vmcb, all.dr);
	vmcb_set_intercept_exception(svm->vmcb, all.exception);
	vmcb_set_intercept_misc1(svm->vmcb, all.misc1);
	vmcb_set_intercept_misc2(svm->vmcb, all.misc2);
	vmcb_set_intercept_misc3(svm->vmcb, all.misc3);
}
