/* runtime/wasi_link.h — WASI functions as imports of an instance. */
#ifndef COT_RUNTIME_WASI_LINK_H
#define COT_RUNTIME_WASI_LINK_H
#include "runtime/runtime.h"
#include "runtime/wasi.h"

/* If `imp` is a function of WASI preview 1 (or of snapshot 0), fills *out with a host function over `ctx` and returns
 * true; false = not one of them, or out of memory. The guest's memory is memory 0 of the calling instance. `ctx` must outlive the store.
 * A guest that ends itself ends the call: rt_call returns false, the trap's code is VM_TRAP_NONE, and its exit_code
 * is the guest's. */
bool wasi_link(RtStore *s, WasiCtx *ctx, const RtImport *imp, RtExtern *out);
#endif
