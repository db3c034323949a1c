// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions that an instruction raises by itself. */
#include "internal.h"

static enum emulate_outcome raise(struct emulate_ctxt *ctxt, u8 vector,
				  bool has_error_code, u32 error_code)
{
	ctxt->exception.vector = vector;
	ctxt->exception.has_error_code = has_error_code;
	ctxt->exception.error_code = error_code;
	ctxt->exception.address = 0;
	return EMULATE_FAULT;
}

/* An exception that has no error code: #DE, #DB, #UD, #NM. */
enum emulate_outcome emulate_fault(struct emulate_ctxt *ctxt, u8 vector)
{
	return raise(ctxt, vector, false, 0);
}

/* One that has: #NP, #SS, #GP, #AC. Real mode pushes none. */
enum emulate_outcome emulate_fault_code(struct emulate_ctxt *ctxt, u8 vector,
					u32 error_code)
{
	if (ctxt->mode == EMULATE_REAL)
		return raise(ctxt, vector, false, 0);
	return raise(ctxt, vector, true, error_code);
}

enum emulate_outcome emulate_need_cpl0(struct emulate_ctxt *ctxt)
{
	return ctxt->cpl ? emulate_fault_code(ctxt, VECTOR_GP, 0) : EMULATE_DONE;
}
