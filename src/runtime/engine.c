/* runtime/engine.c — engines and compiled modules.
 *
 * An engine fixes how code is compiled (CPU features, memory style, trap style) and gives each function type one
 * number, so that call_indirect compares 32 bits. Signal handlers look code up in an immutable snapshot of the
 * ranges; a new snapshot is published at each change and old ones live as long as the engine. */
#include <sys/mman.h>
#include "runtime/rt_int.h"

/* The reservation a guarded memory needs: 4 GiB of index + 4 GiB of offset + one page of slack. */
#define STATIC_RESERVE ((size_t)8 << 30 | 65536u)

static bool can_reserve(void) {
    void *p =
        mmap(NULL, STATIC_RESERVE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return false;
    munmap(p, STATIC_RESERVE);
    return true;
}

RtEngine *rt_engine_new(const RtConfig *cfg, Diag *d) {
    const IsaVtable *isa = isa_host();
    if (!isa) {
        diag_msg(d, DIAG_UNSUPPORTED, "this machine's architecture has no back end");
        return NULL;
    }
    Mem boot;
    mem_init(&boot, cfg->hooks);
    RtEngine *e = mem_alloc(&boot, sizeof *e);
    memset(e, 0, sizeof *e);
    e->mem = boot;
    e->cfg = *cfg;
    e->isa = isa;
    e->features = cfg->features ? *cfg->features : wasm_features_default();
    pthread_mutex_init(&e->lock, NULL);
    if (!e->cfg.max_stack) e->cfg.max_stack = 1u << 20;
    bool checked = cfg->explicit_bounds || cfg->no_signals || !can_reserve();
    e->mach = (MachSettings){.isa_flags = cfg->isa_flags,
                             .preserve_frame_pointers = true,
                             .enable_probestack = true,
                             .probestack_size_log2 = 12,
                             .explicit_traps = cfg->no_signals,
                             .verify_regalloc = cfg->verify,
                             .verify_input = cfg->verify,
                             .stress_seed = cfg->stress_seed,
                             .regalloc = RA_ALGO_ONEPASS};
    e->tunables = (WasmTunables){.mem_style = checked ? WASM_MEM_CHECKED : WASM_MEM_STATIC,
                                 .explicit_traps = cfg->no_signals,
                                 .interrupt_checks = cfg->interruptible,
                                 .callconv = CLIF_CC_FAST,
                                 .host_callconv = CLIF_CC_SYSTEM_V};
    if (!cfg->no_signals && !rt_install_signals(d)) {
        rt_engine_free(e);
        return NULL;
    }
    return e;
}

void rt_engine_free(RtEngine *e) {
    if (!e) return;
    for (RtCodeMap *m = atomic_load(&e->code); m;) {
        RtCodeMap *older = m->older;
        mem_free(&e->mem, m, sizeof *m + m->n * sizeof(RtCodeRange));
        m = older;
    }
    vec_free(&e->mem, &e->sigs);
    vec_free(&e->mem, &e->sig_types);
    pthread_mutex_destroy(&e->lock);
    Mem m = e->mem;
    mem_free(&m, e, sizeof *e);
}

const MachSettings *rt_engine_mach_settings(const RtEngine *e) {
    return &e->mach;
}
const WasmTunables *rt_engine_tunables(const RtEngine *e) {
    return &e->tunables;
}

uint32_t rt_sig_id(RtEngine *e, const uint8_t *types, uint32_t np, uint32_t nr) {
    uint64_t h = hash_bytes(types, np + nr, np);
    pthread_mutex_lock(&e->lock);
    uint32_t id = 0;
    for (; id < e->sigs.n; id++) {
        const RtSig *s = &e->sigs.p[id];
        if (s->hash == h && s->nparams == np && s->nresults == nr &&
            memcmp(e->sig_types.p + s->first, types, np + nr) == 0)
            break;
    }
    if (id == e->sigs.n) {
        RtSig s = {h, e->sig_types.n, np, nr};
        vec_push(&e->mem, &e->sigs, s);
        uint8_t *to = vec_extend(&e->mem, &e->sig_types, np + nr);
        if (np + nr) memcpy(to, types, np + nr);
    }
    pthread_mutex_unlock(&e->lock);
    return id;
}

bool rt_publish_code(RtEngine *e, const RtModule *m, bool add) {
    pthread_mutex_lock(&e->lock);
    RtCodeMap *old = atomic_load(&e->code);
    uint32_t n = old ? old->n : 0;
    uint32_t cap = n + (add ? 1 : 0);
    RtCodeMap *fresh = mem_alloc(&e->mem, sizeof *fresh + cap * sizeof(RtCodeRange));
    fresh->older = old;
    fresh->n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (old->ranges[i].module != m) fresh->ranges[fresh->n++] = old->ranges[i];
    if (add)
        fresh->ranges[fresh->n++] = (RtCodeRange){m->code.base, m->code.base + m->code.size, m};
    if (fresh->n < cap)
        fresh = mem_realloc(&e->mem, fresh, sizeof *fresh + cap * sizeof(RtCodeRange),
                            sizeof *fresh + fresh->n * sizeof(RtCodeRange));
    atomic_store(&e->code, fresh);
    pthread_mutex_unlock(&e->lock);
    return true;
}

const RtModule *rt_find_code(const RtEngine *e, const void *pc) {
    const RtCodeMap *m = atomic_load(&((RtEngine *)(uintptr_t)e)->code);
    for (uint32_t i = 0; m && i < m->n; i++)
        if ((const uint8_t *)pc >= m->ranges[i].base && (const uint8_t *)pc < m->ranges[i].end)
            return m->ranges[i].module;
    return NULL;
}

RtModule *rt_module_new(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                        Diag *d) {
    Mem boot;
    mem_init(&boot, e->cfg.hooks);
    RtModule *m = mem_alloc(&boot, sizeof *m);
    memset(m, 0, sizeof *m);
    m->mem = boot;
    m->engine = e;
    unit_init(&m->unit, &m->mem, e->isa);
    uint64_t t = unit_now_ns();
    UnitOptions o = {0};
    if (opt) o = *opt;
    if (!o.threads) o.threads = e->cfg.threads;
    o.verify |= e->cfg.verify;
    o.hooks = e->cfg.hooks;
    bool ok = wasm_module_parse(&m->wasm, &m->mem, bytes, size, &e->features, d);
    m->unit.phases.parse = unit_now_ns() - t;
    if (ok) {
        m->layout = vm_layout(&m->wasm);
        ok = unit_compile_wasm(&m->unit, &m->wasm, &m->layout, &e->tunables, &e->mach, &o, d);
    }
    if (ok && !o.validate_only) {
        ok = jit_map(&m->code, &m->unit, rt_libcall, NULL, d) && rt_publish_code(e, m, true);
        for (uint32_t i = 0; i < m->wasm.types.n; i++) {
            const WasmFuncType *ft = &m->wasm.types.p[i];
            vec_push(&m->mem, &m->sig_ids,
                     rt_sig_id(e, m->wasm.valtypes.p + ft->params, ft->nparams, ft->nresults));
        }
    }
    if (!ok) {
        rt_module_free(m);
        return NULL;
    }
    return m;
}

void rt_module_free(RtModule *m) {
    if (!m) return;
    if (m->code.base) {
        rt_publish_code(m->engine, m, false);
        jit_unmap(&m->code);
    }
    unit_free(&m->unit);
    wasm_module_free(&m->wasm);
    vec_free(&m->mem, &m->sig_ids);
    Mem mem = m->mem;
    mem_free(&mem, m, sizeof *m);
}

const WasmModule *rt_module_wasm(const RtModule *m) {
    return &m->wasm;
}
const CodeUnit *rt_module_unit(const RtModule *m) {
    return &m->unit;
}
