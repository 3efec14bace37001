/* runtime/store.c — stores, host entities, calls.
 *
 * A call goes through the entry adapter of its function type (translated code itself), inside an activation whose
 * jmp_buf is where traps return to. The stack limit is set by the outermost call of a store on its thread. */
#include <stdio.h>
#include "runtime/rt_int.h"

RtStore *rt_store_new(RtEngine *e) {
    Mem boot;
    mem_init(&boot, e->cfg.hooks);
    RtStore *s = mem_alloc(&boot, sizeof *s);
    memset(s, 0, sizeof *s);
    s->mem = boot;
    s->engine = e;
    arena_init(&s->arena, &s->mem);
    s->limits.store = s;
    return s;
}

void rt_store_free(RtStore *s) {
    if (!s) return;
    for (uint32_t i = 0; i < s->memories.n; i++) rt_memory_free(s->memories.p[i]);
    for (uint32_t i = 0; i < s->tables.n; i++) rt_table_free(s, s->tables.p[i]);
    vec_free(&s->mem, &s->memories);
    vec_free(&s->mem, &s->tables);
    arena_destroy(&s->arena);
    Mem m = s->mem;
    mem_free(&m, s, sizeof *s);
}

void rt_store_interrupt(RtStore *s) {
    __atomic_store_n(&s->limits.interrupt, 1, __ATOMIC_SEQ_CST);
}

const RtTrap *rt_store_trap(const RtStore *s) {
    return &s->trap;
}

void rt_host_trap(RtStore *s, const char *msg) {
    snprintf(s->trap.msg, sizeof s->trap.msg, "%s", msg);
}

void rt_host_exit(RtStore *s, int code) {
    s->trap.exit_code = code;
}

typedef void (*EntryFn)(void *vmctx, const void *code, RtVal *vals);

bool rt_call(RtStore *s, const RtFunc *f, RtVal *vals) {
    uint64_t saved_limit = s->limits.stack_limit;
    if (!saved_limit)
        s->limits.stack_limit =
            (uint64_t)(uintptr_t)__builtin_frame_address(0) - s->engine->cfg.max_stack;
    s->trap.code = CLIF_TRAP_NONE;
    s->trap.exit_code = 0;
    s->trap.msg[0] = 0;
    s->trap.num_frames = 0;
    s->trap.more_frames = false;
    RtActivation a;
    rt_enter(&a, s);
    volatile bool ok = true;
    if (setjmp(a.back) == 0) {
        EntryFn entry;
        memcpy(&entry, &f->entry, sizeof entry);
        entry(f->vmctx, f->code, vals);
    } else {
        ok = false;
    }
    rt_leave(&a);
    s->limits.stack_limit = saved_limit;
    return ok;
}

/* Called by host adapters. */
static void dispatch(void *host, void *values) {
    RtHostFunc *h = host;
    VmLimits *lim = h->vm.limits;
    RtInstance *caller = lim->caller ? rt_of(lim->caller) : NULL;
    RtHostResult r = h->fn(h->user, caller, values);
    if (r == RT_HOST_OK) return;
    rt_raise(r == RT_HOST_EXIT ? (ClifTrap)CLIF_TRAP_NONE : (ClifTrap)VM_TRAP_HOST,
             __builtin_frame_address(0));
}

static bool letter_type(char c, uint8_t *t) {
    switch (c) {
    case 'i': *t = WASM_I32; return true;
    case 'I': *t = WASM_I64; return true;
    case 'f': *t = WASM_F32; return true;
    case 'F': *t = WASM_F64; return true;
    case 'r': *t = WASM_FUNCREF; return true;
    case 'e': *t = WASM_EXTERNREF; return true;
    }
    return false;
}

bool rt_host_func(RtStore *s, const char *params, const char *results, RtHostFn fn, void *user,
                  RtExtern *out) {
    uint8_t types[64];
    uint32_t np = (uint32_t)strlen(params), nr = (uint32_t)strlen(results);
    if (np + nr > sizeof types) return false;
    for (uint32_t i = 0; i < np; i++)
        if (!letter_type(params[i], &types[i])) return false;
    for (uint32_t i = 0; i < nr; i++)
        if (!letter_type(results[i], &types[np + i])) return false;
    RtHostFunc *h = arena_new(&s->arena, RtHostFunc);
    *h = (RtHostFunc){
        .vm = {.magic = VM_MAGIC, .dispatch = dispatch, .user = user, .limits = &s->limits},
        .store = s,
        .fn = fn,
        .user = user,
        .sig_id = rt_sig_id(s->engine, types, np, nr)};
    memset(out, 0, sizeof *out);
    out->kind = WASM_EXT_FUNC;
    out->func = (RtFunc){.vmctx = h, .sig_id = h->sig_id, .host = h};
    return true;
}

RtExtern rt_host_memory(RtStore *s, uint64_t min, uint64_t max, Diag *d) {
    RtExtern e = {.kind = WASM_EXT_MEMORY};
    e.memory = rt_memory_new(s, min, max, true, d);
    return e;
}

RtExtern rt_host_table(RtStore *s, WasmType elem, uint64_t min, uint64_t max, Diag *d) {
    RtExtern e = {.kind = WASM_EXT_TABLE};
    e.table = rt_table_new(s, elem, min, max, true, d);
    return e;
}

RtExtern rt_host_global(RtStore *s, WasmGlobalType t, RtVal v) {
    RtExtern e = {.kind = WASM_EXT_GLOBAL};
    RtVal *p = arena_alloc(&s->arena, sizeof *p, 16);
    *p = v;
    e.global = (RtGlobal){p, t};
    return e;
}
