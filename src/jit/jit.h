/* jit/jit.h — executable memory. Code is written while the pages are writable and runs only after they have been made
 * read+execute (W^X): no page is ever both. Calls to C routines go through stubs behind the code, since the
 * routines may be further than a 32-bit displacement away. */
#ifndef COT_JIT_JIT_H
#define COT_JIT_JIT_H
#include "module/module.h"

typedef struct JitCode {
    uint8_t *base;
    size_t size, mapped;
} JitCode;

/* Address of a runtime routine; NULL = not known (a link error that names the routine). */
typedef const void *(*JitResolve)(void *user, ClifLibCall call);

/* Copies the unit's code to fresh executable memory and applies its relocations. The unit is not needed
 * by the code afterwards. Host: x86-64 System V. Errors: DIAG_OOM (no memory), DIAG_LINK. */
bool jit_map(JitCode *out, const CodeUnit *u, JitResolve resolve, void *user, Diag *d);
void jit_unmap(JitCode *c);
#endif
