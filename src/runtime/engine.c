/* runtime/engine.c — engines.
 *
 * Idea        An engine fixes what all its modules agree on (memory style, signals, interruption) and gives each function type one
 *             number, so that call_indirect compares 32 bits. Engines and modules are counted: the owner's reference, one
 *             per module of an engine, one per store of an engine, one per store that uses a module. What is freed while in use
 *             goes away with its last user.
 * Cost        function types are hashed: linear in their number. */
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
    atomic_init(&e->refs, 1);
    pthread_mutex_init(&e->lock, NULL);
    if (!e->cfg.max_stack) e->cfg.max_stack = 1u << 20;
    e->guards = !cfg->explicit_bounds && !cfg->no_signals && can_reserve();
    return e;
}

void rt_engine_ref(RtEngine *e) {
    atomic_fetch_add(&e->refs, 1);
}

void rt_engine_free(RtEngine *e) {
    if (!e || atomic_fetch_sub(&e->refs, 1) != 1) return;
    if (e->compiler_free) e->compiler_free(e->compiler);
    pthread_mutex_destroy(&e->lock);
    mem_release_all(&e->mem);
}

const MemHooks *rt_engine_hooks(const RtEngine *e) {
    return e->cfg.hooks;
}
const RtConfig *rt_engine_config(const RtEngine *e) {
    return &e->cfg;
}
bool rt_engine_has_guards(const RtEngine *e) {
    return e->guards;
}

void rt_engine_attach(RtEngine *e, void *compiler, void (*compiler_free)(void *compiler)) {
    e->compiler = compiler;
    e->compiler_free = compiler_free;
}
void *rt_engine_attached(const RtEngine *e) {
    return e->compiler;
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
