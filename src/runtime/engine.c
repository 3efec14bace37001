/* runtime/engine.c — engines and compiled modules.
 *
 * Idea        An engine fixes how code is compiled (CPU features, memory style, trap style) and gives each function type one
 *             number, so that call_indirect compares 32 bits. Engines and modules are counted: the owner's reference, one
 *             per module of an engine, one per store of an engine, one per store that uses a module. What is freed while in use
 *             goes away with its last user.
 * Invariants  1. A module is immutable once rt_module_new has returned; threads share it without locks.
 *             2. All memory of a module lies in its Mem, so a failure at any point is undone by giving that back.
 * Cost        function types and export names are hashed: linear in the module. */
#include <sys/mman.h>
#include "runtime/rt_int.h"

static bool can_reserve(void) {
    void *p = mmap(NULL, RT_STATIC_RESERVE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) return false;
    munmap(p, RT_STATIC_RESERVE);
    return true;
}

RtEngine *rt_engine_new(const RtConfig *cfg, Diag *d) {
    const IsaVtable *isa = isa_host();
    if (!isa) {
        diag_msg(d, DIAG_UNSUPPORTED, "this machine's architecture has no back end");
        return NULL;
    }
    if (!cfg->no_signals && !rt_install_signals(d)) return NULL;
    Mem boot;
    mem_init(&boot, cfg->hooks);
    RtEngine *e = mem_try_realloc(&boot, NULL, 0, sizeof *e);
    if (!e) {
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    memset(e, 0, sizeof *e);
    e->mem = boot;
    e->cfg = *cfg;
    if (cfg->hooks) {
        e->hooks = *cfg->hooks;
        e->cfg.hooks = &e->hooks;
    }
    e->isa = isa;
    e->features = cfg->features ? *cfg->features : wasm_features_default();
    atomic_init(&e->refs, 1);
    pthread_mutex_init(&e->lock, NULL);
    unit_pool_init(&e->pool);
    if (!e->cfg.max_stack) e->cfg.max_stack = 1u << 20;
    bool checked = cfg->explicit_bounds || cfg->no_signals || !can_reserve();
    MachRegalloc algorithm = cfg->regalloc    ? cfg->regalloc
                             : cfg->opt_level ? MACH_REGALLOC_BACKTRACKING
                                              : MACH_REGALLOC_SINGLE_PASS;
    e->mach = (MachSettings){.isa_flags = cfg->isa_flags,
                             .preserve_frame_pointers = true,
                             .enable_probestack = true,
                             .enable_multi_ret_implicit_sret = true,
                             .probestack_size_log2 = 12,
                             .explicit_traps = cfg->no_signals,
                             .regalloc_checker = cfg->verify,
                             .verify_input = cfg->verify,
                             .stress_seed = cfg->stress_seed,
                             .regalloc_algorithm = (uint8_t)(algorithm - 1)};
    e->tunables = (WasmTunables){.mem_style = checked ? WASM_MEM_CHECKED : WASM_MEM_STATIC,
                                 .explicit_traps = cfg->no_signals,
                                 .interrupt_checks = cfg->interruptible,
                                 .callconv = CLIF_CC_FAST,
                                 .host_callconv = CLIF_CC_SYSTEM_V};
    return e;
}

void rt_engine_ref(RtEngine *e) {
    atomic_fetch_add(&e->refs, 1);
}

void rt_engine_free(RtEngine *e) {
    if (!e || atomic_fetch_sub(&e->refs, 1) != 1) return;
    unit_pool_free(&e->pool);
    pthread_mutex_destroy(&e->lock);
    mem_release_all(&e->mem);
}

const MachSettings *rt_engine_mach_settings(const RtEngine *e) {
    return &e->mach;
}
const WasmTunables *rt_engine_tunables(const RtEngine *e) {
    return &e->tunables;
}

/* ---- function types ---- */
typedef struct SigQuery {
    RtEngine *e;
    const uint8_t *types;
    uint32_t np, nr, id;
} SigQuery;

static void sig_id(void *arg) {
    SigQuery *q = arg;
    RtEngine *e = q->e;
    uint64_t h = hash_bytes(q->types, q->np + q->nr, q->np);
    const uint32_t *first = hashmap_find(&e->sig_map, h);
    for (uint32_t id = first ? *first : UINT32_MAX; id != UINT32_MAX; id = e->sigs.p[id].next) {
        const RtSig *s = &e->sigs.p[id];
        if (s->nparams == q->np && s->nresults == q->nr &&
            (q->np + q->nr == 0 ||
             memcmp(e->sig_types.p + s->first, q->types, q->np + q->nr) == 0)) {
            q->id = id;
            return;
        }
    }
    RtSig s = {h, e->sig_types.n, q->np, q->nr, first ? *first : UINT32_MAX};
    vec_reserve(&e->mem, &e->sigs, e->sigs.n + 1);
    vec_reserve(&e->mem, &e->sig_types, (uint64_t)e->sig_types.n + q->np + q->nr);
    hashmap_set(&e->mem, &e->sig_map, h, e->sigs.n);
    if (q->np + q->nr) /* nothing can fail from here on */
        memcpy(vec_extend(&e->mem, &e->sig_types, q->np + q->nr), q->types, q->np + q->nr);
    q->id = e->sigs.n;
    vec_push(&e->mem, &e->sigs, s);
}

uint32_t rt_sig_id(RtEngine *e, const uint8_t *types, uint32_t np, uint32_t nr) {
    SigQuery q = {e, types, np, nr, UINT32_MAX};
    pthread_mutex_lock(&e->lock);
    bool ok = mem_guard(&e->mem, sig_id, &q);
    pthread_mutex_unlock(&e->lock);
    return ok ? q.id : UINT32_MAX;
}

/* ---- modules ---- */
typedef struct Build {
    RtModule *m;
    const uint8_t *bytes;
    size_t size;
    bool copy, ok;
    UnitOptions opt;
    Diag *d;
} Build;

static void index_exports(RtModule *m) {
    for (uint32_t k = 0; k < m->wasm.exports.n; k++) {
        WasmStr s = m->wasm.exports.p[k].name;
        bool fresh;
        uint32_t *first =
            hashmap_get_or_insert(&m->mem, &m->exports, hash_bytes(s.p, s.n, 0), k, &fresh);
        vec_push(&m->mem, &m->export_next, fresh ? UINT32_MAX : *first);
        *first = k;
    }
}

static bool number_types(RtModule *m) {
    for (uint32_t i = 0; i < m->wasm.types.n; i++) {
        const WasmFuncType *ft = &m->wasm.types.p[i];
        uint32_t id =
            rt_sig_id(m->engine, m->wasm.valtypes.p + ft->params, ft->nparams, ft->nresults);
        if (id == UINT32_MAX) return false;
        vec_push(&m->mem, &m->sig_ids, id);
    }
    return true;
}

static uint32_t longest_const(const WasmModule *m) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < m->globals.n; i++)
        if (m->globals.p[i].init.n > n) n = m->globals.p[i].init.n;
    for (uint32_t i = 0; i < m->elem_exprs.n; i++)
        if (m->elem_exprs.p[i].n > n) n = m->elem_exprs.p[i].n;
    for (uint32_t i = 0; i < m->elems.n; i++)
        if (m->elems.p[i].offset.n > n) n = m->elems.p[i].offset.n;
    for (uint32_t i = 0; i < m->datas.n; i++)
        if (m->datas.p[i].offset.n > n) n = m->datas.p[i].offset.n;
    return n;
}

static void build(void *arg) {
    Build *b = arg;
    RtModule *m = b->m;
    RtEngine *e = m->engine;
    const uint8_t *bytes = b->bytes;
    if (b->copy) {
        uint8_t *own = mem_alloc(&m->mem, b->size ? b->size : 1);
        if (b->size) memcpy(own, b->bytes, b->size);
        bytes = own;
    }
    unit_init(&m->unit, &m->mem, e->isa);
    uint64_t t = unit_now_ns();
    b->ok = wasm_module_parse(&m->wasm, &m->mem, bytes, b->size, &e->features, b->d);
    m->unit.phases.parse = unit_now_ns() - t;
    if (!b->ok) return;
    m->layout = vm_layout(&m->wasm);
    b->ok =
        unit_compile_wasm(&m->unit, &m->wasm, &m->layout, &e->tunables, &e->mach, &b->opt, b->d);
    if (!b->ok || b->opt.validate_only) return;
    b->ok = number_types(m) || diag_msg(b->d, DIAG_OOM, "out of memory");
    if (!b->ok) return;
    index_exports(m);
    m->const_depth = longest_const(&m->wasm);
    b->ok = jit_map(&m->code, &m->unit, rt_libcall, NULL, b->d);
    if (b->ok) unit_drop_code(&m->unit);
}

static RtModule *module_new(RtEngine *e, const uint8_t *bytes, size_t size, bool copy,
                            const UnitOptions *opt, Diag *d) {
    Mem boot;
    mem_init(&boot, e->cfg.hooks);
    RtModule *m = mem_try_realloc(&boot, NULL, 0, sizeof *m);
    if (!m) {
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    memset(m, 0, sizeof *m);
    m->mem = boot;
    m->engine = e;
    atomic_init(&m->refs, 1);
    rt_engine_ref(e);
    Build b = {.m = m, .bytes = bytes, .size = size, .copy = copy, .d = d};
    if (opt) b.opt = *opt;
    if (!b.opt.threads) b.opt.threads = e->cfg.threads;
    b.opt.verify |= e->cfg.verify;
    b.opt.hooks = e->cfg.hooks;
    b.opt.pool = &e->pool;
    if (!mem_guard(&m->mem, build, &b)) b.ok = diag_msg(d, DIAG_OOM, "out of memory");
    if (b.ok) return m;
    rt_module_free(m);
    return NULL;
}

RtModule *rt_module_new(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                        Diag *d) {
    return module_new(e, bytes, size, false, opt, d);
}

RtModule *rt_module_new_copy(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                             Diag *d) {
    return module_new(e, bytes, size, true, opt, d);
}

void rt_module_ref(const RtModule *m) {
    atomic_fetch_add(&((RtModule *)(uintptr_t)m)->refs, 1);
}

void rt_module_free(RtModule *m) {
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1) return;
    RtEngine *e = m->engine;
    jit_unmap(&m->code);
    mem_release_all(&m->mem);
    rt_engine_free(e);
}

const WasmModule *rt_module_wasm(const RtModule *m) {
    return &m->wasm;
}
const CodeUnit *rt_module_unit(const RtModule *m) {
    return &m->unit;
}
const MemHooks *rt_module_hooks(const RtModule *m) {
    return m->engine->cfg.hooks;
}
const MemHooks *rt_engine_hooks(const RtEngine *e) {
    return e->cfg.hooks;
}
