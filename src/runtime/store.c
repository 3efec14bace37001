/* runtime/store.c — stores, host entities, calls.
 *
 * Idea        A call goes through the entry adapter of its function type (translated code itself), inside an activation whose
 *             jmp_buf is where traps return to. The stack limit is set by the outermost call of a store on its thread. A host
 *             function is entered through dispatch, which also raises the traps that it asks for: so a host function
 *             always returns normally, and no jump ever crosses its frames.
 * Invariants  1. The sorted list of code ranges holds every module of which an instance was made here, with a reference.
 *             2. Memory that runs out inside an entry point leaves the store as it was, but for memory of its arena.
 * Cost        a call from C: one setjmp; a host call: one indirect call more than the adapter. */
#include <stdio.h>
#include "runtime/rt_int.h"
#include "base/bisect.h"

RtStore *rt_store_new(RtEngine *e) {
    Mem boot;
    mem_init(&boot, e->cfg.hooks);
    RtStore *s = mem_try_realloc(&boot, NULL, 0, sizeof *s);
    if (!s) return NULL;
    memset(s, 0, sizeof *s);
    s->mem = boot;
    s->engine = e;
    rt_engine_ref(e);
    arena_init(&s->arena, &s->mem);
    s->limits.store = s;
    return s;
}

void rt_store_free(RtStore *s) {
    if (!s) return;
    RtEngine *e = s->engine;
    for (uint32_t i = 0; i < s->memories.n; i++) rt_memory_free(s->memories.p[i]);
    for (uint32_t i = 0; i < s->code.n; i++) rt_module_free(s->code.p[i].module);
    mem_release_all(&s->mem);
    rt_engine_free(e);
}

RtEngine *rt_store_engine(const RtStore *s) {
    return s->engine;
}

void *rt_store_alloc(RtStore *s, size_t n) {
    return mem_try_realloc(&s->mem, NULL, 0, n);
}
void rt_store_give_back(RtStore *s, void *p, size_t n) {
    mem_free(&s->mem, p, n);
}

typedef struct Keep {
    RtStore *s;
    size_t n;
    void *p;
} Keep;
static void keep(void *arg) {
    Keep *k = arg;
    k->p = arena_alloc(&k->s->arena, k->n, 16);
}
void *rt_store_keep(RtStore *s, size_t n) {
    Keep k = {s, n, NULL};
    return mem_guard(&s->mem, keep, &k) ? k.p : NULL;
}

void rt_store_interrupt(RtStore *s) {
    __atomic_store_n(&s->limits.interrupt, 1, __ATOMIC_SEQ_CST);
}

void rt_store_clear_interrupt(RtStore *s) {
    __atomic_store_n(&s->limits.interrupt, 0, __ATOMIC_SEQ_CST);
}

const RtTrap *rt_store_trap(const RtStore *s) {
    return &s->trap;
}

/* ---- code ---- */
/* Index of the first range that ends behind pc. */
static uint32_t range_at(const RtStore *s, const uint8_t *pc) {
    uint32_t lo;
    bisect(lo, s->code.n, s->code.p[lo].end <= pc);
    return lo;
}

const RtModule *rt_find_code(const RtStore *s, const void *pc) {
    uint32_t i = range_at(s, pc);
    return i < s->code.n && s->code.p[i].base <= (const uint8_t *)pc ? s->code.p[i].module : NULL;
}

/* ---- adapters ----
 * A host function that Wasm calls through a reference needs an adapter for its type. Translated code that calls it has that type in
 * its own module, and the module has the adapter: so it is there when it is needed, wherever the reference was made. */
static void index_adapters(RtStore *s) {
    for (; s->num_indexed < s->modules.n; s->num_indexed++) {
        const RtModule *m = s->modules.p[s->num_indexed];
        vec_reserve(&s->mem, &s->adapter_code, (uint64_t)s->adapter_code.n + m->img.ntypes);
        for (uint32_t k = 0; k < m->img.ntypes; k++) {
            bool fresh;
            hashmap_get_or_insert(&s->mem, &s->adapters, m->sig_ids[k], s->adapter_code.n, &fresh);
            if (fresh) s->adapter_code.p[s->adapter_code.n++] = m->img.code + m->img.types[k].host;
        }
    }
}

static const uint8_t *adapter_of(const RtStore *s, uint32_t sig_id) {
    const uint32_t *k = hashmap_find(&s->adapters, sig_id);
    return k ? s->adapter_code.p[*k] : NULL;
}

static void fill_codeless(RtStore *s) {
    uint32_t left = 0;
    index_adapters(s);
    for (uint32_t k = 0; k < s->codeless.n; k++) {
        RtHostFunc *h = s->codeless.p[k];
        h->ref.code = adapter_of(s, h->sig_id);
        if (!h->ref.code) s->codeless.p[left++] = h;
    }
    s->codeless.n = left;
}

void rt_store_add_code(RtStore *s, const RtModule *m) {
    const uint8_t *code = m->img.code;
    size_t size = (size_t)m->img.h->code_size;
    uint32_t i = range_at(s, code);
    if (!size || (i < s->code.n && s->code.p[i].module == m)) return;
    vec_reserve(&s->mem, &s->code, s->code.n + 1);
    vec_reserve(&s->mem, &s->modules, s->modules.n + 1);
    memmove(s->code.p + i + 1, s->code.p + i, (s->code.n - i) * sizeof *s->code.p);
    s->code.p[i] = (RtCodeRange){code, code + size, (RtModule *)(uintptr_t)m};
    s->code.n++;
    vec_push(&s->mem, &s->modules, m);
    rt_module_ref(m);
    if (s->codeless.n) fill_codeless(s);
}

/* ---- calls ---- */
typedef void (*EntryFn)(void *vmctx, const void *code, RtVal *vals);

void rt_host_trap(RtStore *s, const char *msg) {
    snprintf(s->trap.msg, sizeof s->trap.msg, "%s", msg);
}

void rt_host_exit(RtStore *s, int code) {
    s->trap.exit_code = code;
}

/* False: to be raised as VM_TRAP_HOST. */
static bool run_host(RtHostFunc *h, RtInstance *caller, void *values, const void *frame) {
    RtStore *s = h->store;
    RtActivation *a = rt_current();
    const void *outer = a->exit;
    a->exit = frame;
    s->failed = false;
    switch (h->fn(h->user, caller, values)) {
    case RT_HOST_OK: a->exit = outer; return true;
    case RT_HOST_TRAP: break;
    case RT_HOST_EXIT: {
        int code = s->trap.exit_code;
        rt_trap_clear(&s->trap);
        s->trap.exit_code = code;
        rt_unwind();
    }
    case RT_HOST_PROPAGATE:
        if (s->failed) rt_unwind();
        break;
    }
    return false;
}

/* Called by host adapters. Its frame must be there while the host function runs: nothing here is a tail call. */
static void dispatch(void *host, void *values) {
    RtHostFunc *h = host;
    VmLimits *lim = h->vm.limits;
    const void *frame = __builtin_frame_address(0);
    if (!run_host(h, lim->caller ? rt_of(lim->caller) : NULL, values, frame))
        rt_raise(VM_TRAP_HOST, frame);
}

/* What a call changed is put back. */
static void leave_call(RtActivation *a) {
    rt_leave(a);
    a->store->limits.stack_limit = a->outer_limit;
    a->store->limits.caller = a->outer_caller;
}

/* A C++ exception of a host function, or the end of a thread, goes through frames of translated code only if somebody has told the
 * unwinder of them, and then through rt_call's. This is what the unwinder calls for it (a personality routine, Itanium C++ ABI,
 * 2.5.2): in the phase of cleanups the innermost call ends, and the unwinder goes on. It needs nothing of the unwinder. */
#if defined(__GCC_HAVE_DWARF2_CFI_ASM)
int rt_unwound(int version, int actions, uint64_t kind, void *exception, void *context);
__attribute__((used)) int rt_unwound(int version, int actions, uint64_t kind, void *exception,
                                     void *context) {
    enum { CLEANUP_PHASE = 2, CONTINUE_UNWIND = 8 };
    (void)version, (void)kind, (void)exception, (void)context;
    RtActivation *a = rt_current();
    if (actions & CLEANUP_PHASE && a) {
        a->store->failed = true;
        leave_call(a);
    }
    return CONTINUE_UNWIND;
}
#define TELL_UNWINDER() __asm__ volatile(".cfi_personality 0x1b, rt_unwound")
#else
#define TELL_UNWINDER() (void)0
#endif

bool rt_call(RtStore *s, const RtFunc *f, RtVal *vals) {
    RtActivation a;
    TELL_UNWINDER();
    a.outer_limit = s->limits.stack_limit;
    a.outer_caller = s->limits.caller;
    if (!a.outer_limit)
        s->limits.stack_limit =
            rt_stack_limit(__builtin_frame_address(0), s->engine->cfg.max_stack);
    rt_trap_clear(&s->trap);
    s->limits.caller = NULL;
    rt_enter(&a, s);
    volatile bool ok = true;
    if (setjmp(a.back) == 0) {
        if (f->host) { /* straight from C to C: no translated code in between */
            if (!run_host(f->host, NULL, vals, NULL)) RT_RAISE(VM_TRAP_HOST);
        } else {
            EntryFn entry;
            memcpy(&entry, &f->entry, sizeof entry);
            entry(f->vmctx, f->code, vals);
        }
    } else {
        ok = false;
    }
    leave_call(&a);
    s->failed = !ok;
    return ok;
}

void rt_func_type(const RtFunc *f, const WasmType **params, uint32_t *nparams,
                  const WasmType **results, uint32_t *nresults) {
    if (f->host) {
        *params = f->host->types;
        *nparams = f->host->nparams;
        *nresults = f->host->nresults;
        *results = f->host->types + *nparams;
        return;
    }
    const ImgType *t = &f->image->types[f->type];
    *params = f->image->valtypes + t->first;
    *nparams = t->nparams;
    *results = *params + t->nparams;
    *nresults = t->nresults;
}

/* ---- host functions ---- */
typedef struct NewFunc {
    RtStore *store;
    const WasmType *types;
    uint32_t np, nr;
    RtHostFn fn;
    void *user;
    RtHostFunc *made;
} NewFunc;

static void new_func(void *arg) {
    NewFunc *q = arg;
    RtStore *s = q->store;
    RtHostFunc *h = arena_new(&s->arena, RtHostFunc);
    WasmType *types = arena_array(&s->arena, WasmType, q->np + q->nr + 1);
    if (q->np + q->nr) memcpy(types, q->types, q->np + q->nr);
    uint32_t id = rt_sig_id(s->engine, q->types, q->np, q->nr);
    if (id == UINT32_MAX) return;
    *h = (RtHostFunc){
        .vm = {.magic = VM_MAGIC, .dispatch = dispatch, .user = q->user, .limits = &s->limits},
        .store = s,
        .fn = q->fn,
        .user = q->user,
        .sig_id = id,
        .nparams = q->np,
        .nresults = q->nr,
        .types = types};
    h->ref = (VmFuncRef){.vmctx = h, .sig_id = id, .host = h};
    q->made = h;
}

bool rt_host_func_types(RtStore *s, const WasmType *types, uint32_t np, uint32_t nr, RtHostFn fn,
                        void *user, RtExtern *out) {
    NewFunc q = {s, types, np, nr, fn, user, NULL};
    if (np > WASM_MAX_PARAMS || nr > WASM_MAX_RESULTS) return false;
    if (!mem_guard(&s->mem, new_func, &q) || !q.made) return false;
    memset(out, 0, sizeof *out);
    out->kind = WASM_EXT_FUNC;
    out->func = (RtFunc){.vmctx = q.made, .sig_id = q.made->sig_id, .host = q.made};
    return true;
}

static bool letter_type(char c, WasmType *t) {
    switch (c) {
    case 'i': *t = WASM_I32; return true;
    case 'I': *t = WASM_I64; return true;
    case 'f': *t = WASM_F32; return true;
    case 'F': *t = WASM_F64; return true;
    case 'v': *t = WASM_V128; return true;
    case 'r': *t = WASM_FUNCREF; return true;
    case 'e': *t = WASM_EXTERNREF; return true;
    }
    return false;
}

bool rt_host_func(RtStore *s, const char *params, const char *results, RtHostFn fn, void *user,
                  RtExtern *out) {
    WasmType types[64];
    size_t np = strlen(params), nr = strlen(results);
    if (np + nr > sizeof types) return false;
    for (size_t i = 0; i < np; i++)
        if (!letter_type(params[i], &types[i])) return false;
    for (size_t i = 0; i < nr; i++)
        if (!letter_type(results[i], &types[np + i])) return false;
    return rt_host_func_types(s, types, (uint32_t)np, (uint32_t)nr, fn, user, out);
}

/* ---- references ---- */
static void give_code(void *arg) {
    RtHostFunc *h = arg;
    RtStore *s = h->store;
    index_adapters(s);
    h->ref.code = adapter_of(s, h->sig_id);
    if (h->ref.code || h->waiting) return;
    vec_push(&s->mem, &s->codeless, h);
    h->waiting = true;
}

void *rt_func_ref(const RtFunc *f, Diag *d) {
    if (!f->host) return f->ref;
    RtHostFunc *h = f->host;
    if (h->ref.code || mem_guard(&h->store->mem, give_code, h)) return &h->ref;
    diag_msg(d, DIAG_OOM, "out of memory");
    return NULL;
}

void *rt_func_handle(const RtFunc *f) {
    return f->host ? &f->host->ref : f->ref;
}

RtFunc rt_func_of_ref(const void *ref) {
    const VmFuncRef *r = ref;
    if (r->host) {
        RtHostFunc *h = r->host;
        return (RtFunc){.vmctx = h, .sig_id = h->sig_id, .host = h};
    }
    const RtInstance *i = rt_of(r->vmctx);
    const RtModule *m = i->module;
    uint32_t f = img_find_func(&m->img, (uint32_t)((const uint8_t *)r->code - m->img.code));
    return rt_func_of(i, f + m->img.h->imported_funcs);
}

RtStore *rt_func_store(const RtFunc *f) {
    return f->host ? f->host->store : rt_of(f->vmctx)->store;
}

/* ---- host memories, tables, globals ---- */
typedef struct NewEntity {
    RtStore *store;
    uint64_t min, max;
    bool has_max;
    WasmType elem;
    WasmGlobalType type;
    RtVal v;
    Diag *d;
    RtExtern *x;
} NewEntity;

static void new_memory(void *arg) {
    NewEntity *q = arg;
    q->x->memory = rt_memory_new(q->store, q->min, q->max, q->has_max, q->d);
}

static void new_table(void *arg) {
    NewEntity *q = arg;
    q->x->table = rt_table_new(q->store, q->elem, q->min, q->max, q->has_max, q->d);
}

static void new_global(void *arg) {
    NewEntity *q = arg;
    RtVal *p = arena_alloc(&q->store->arena, sizeof *p, 16);
    *p = q->v;
    q->x->global = (RtGlobal){p, q->type, q->store};
}

static RtExtern new_entity(NewEntity *q, WasmExternKind kind, void (*make)(void *)) {
    RtExtern x;
    memset(&x, 0, sizeof x);
    x.kind = kind;
    q->x = &x;
    if (!mem_guard(&q->store->mem, make, q)) diag_msg(q->d, DIAG_OOM, "out of memory");
    return x;
}

RtExtern rt_host_memory(RtStore *s, uint64_t min, uint64_t max, Diag *d) {
    return new_entity(
        &(NewEntity){.store = s, .min = min, .max = max, .has_max = max != UINT64_MAX, .d = d},
        WASM_EXT_MEMORY, new_memory);
}

RtExtern rt_host_table(RtStore *s, WasmType elem, uint64_t min, uint64_t max, Diag *d) {
    return new_entity(
        &(NewEntity){
            .store = s, .min = min, .max = max, .has_max = max != UINT64_MAX, .elem = elem, .d = d},
        WASM_EXT_TABLE, new_table);
}

RtExtern rt_host_global(RtStore *s, WasmGlobalType t, RtVal v) {
    Diag d;
    diag_clear(&d);
    return new_entity(&(NewEntity){.store = s, .type = t, .v = v, .d = &d}, WASM_EXT_GLOBAL,
                      new_global);
}
