/* jit/libcall.h — the routines of the C library, and small ones of ours, that compiled code may call. */
#ifndef COT_JIT_LIBCALL_H
#define COT_JIT_LIBCALL_H
#include "clif/clif.h"

/* Address of a routine; NULL: there is none here (what raises a trap belongs to who runs the code). */
const void *jit_libcall(ClifLibCall call);
#endif
