/* runtime/wasi_link.c — WASI functions as imports of an instance.
 *
 * Problem     wasi*.c knows nothing of instances; instances know nothing of WASI.
 * Idea        One small record per import (context, row of the function table) is the host function's user pointer;
 *             the call hands the caller's memory 0 and the raw argument values to the row.
 * Invariants  The record lives in the store's arena, as long as the host function does.
 * Cost        A call: one copy of at most 9 values.
 */
#include "runtime/rt_int.h"
#include "runtime/wasi_link.h"

enum { MAX_PARAMS = 9, MAX_NAME = 64 };

typedef struct Binding {
    RtStore *store;
    WasiCtx *ctx;
    const WasiFunc *func;
} Binding;

static RtHostResult call(void *user, RtInstance *caller, RtVal *vals) {
    const Binding *b = user;
    uint64_t args[MAX_PARAMS];
    for (size_t i = 0; b->func->params[i]; i++)
        args[i] = b->func->params[i] == 'I' ? vals[i].i64 : vals[i].i32;
    WasiMem mem = {0};
    if (caller) mem.base = rt_instance_memory(caller, &mem.size);
    uint32_t r = b->func->call(b->ctx, &mem, args);
    if (r == WASI_CALL_EXIT) {
        rt_host_exit(b->store, wasi_exit_code(b->ctx, NULL));
        return RT_HOST_EXIT;
    }
    if (b->func->results[0]) vals[0].i32 = r;
    return RT_HOST_OK;
}

static bool copy_name(WasmStr s, char out[MAX_NAME]) {
    if (s.n >= MAX_NAME || memchr(s.p, 0, s.n)) return false;
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return true;
}

bool wasi_link(RtStore *s, WasiCtx *ctx, const RtImport *imp, RtExtern *out) {
    char module[MAX_NAME], name[MAX_NAME];
    if (imp->kind != WASM_EXT_FUNC || !copy_name(imp->module, module) ||
        !copy_name(imp->name, name))
        return false;
    const WasiFunc *f = wasi_lookup(module, name);
    if (!f) return false;
    Binding *b = rt_store_keep(s, sizeof *b);
    if (!b) return false;
    *b = (Binding){s, ctx, f};
    return rt_host_func(s, f->params, f->results, call, b, out);
}
