/* module/compile.c — all functions of a Wasm module to one CodeUnit, in parallel.
 *
 * Idea     Work items are the defined functions in index order, then one entry and one host adapter per distinct
 *          function type. Threads claim items from an atomic counter and put results in arenas of their own;
 *          afterwards the items are laid out in order and copied (place.c). Since items are claimed in order, when item k
 *          fails every lower item has been claimed and is finished, so the reported error is the lowest one.
 * Memory   A thread keeps one Mem, one translator, one ClifFunc, one MachCtx for all its items: nothing is
 *          allocated per function after warm-up but room for the results. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#include "module/unit_int.h"
#include "verify/verify.h"

#define CODE_ALIGN 16u
#define MIN_CODE_PER_THREAD 16384u
#define KEPT_PER_CODE 3u /* bytes kept of a function for each of its Wasm, about */

typedef struct UnitTools {  /* a thread's contexts */
    struct UnitTools *next; /* in the pool */
    Mem mem;
    Arena out; /* code and tables of its items */
    CodemapWriter map;
    WasmTranslator *tr;
    ClifFunc f;
    ClifBuilder b;
    MachCtx *mach;
    VerifyCtx verify;
} UnitTools;

typedef struct Worker {
    struct Job *job;
    uint32_t index;
    struct UnitTools *tools; /* NULL: memory was out */
    jmp_buf oom;
    pthread_t thread;
    UnitPhases ph;
    RaStats ra;
    uint64_t operators, insts;
    uint32_t fail_item;
    Diag diag;
} Worker;

typedef struct Job {
    const WasmModule *m;
    const VmLayout *lay;
    const WasmTunables *tn;
    const MachSettings *set;
    const UnitOptions *opt;
    const IsaVtable *isa;
    uint32_t nfuncs, ntypes, nitems;
    size_t share;          /* of what is kept, for each thread */
    const uint32_t *types; /* distinct function types */
    UnitItem *items;
    atomic_uint next;
    atomic_bool stop;
} Job;

uint64_t unit_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const void *copy_out(Arena *a, const void *p, size_t n, size_t align) {
    return n ? memcpy(arena_alloc(a, n, align), p, n) : NULL;
}

static Codemap copy_map(UnitTools *t) {
    const CodemapWriter *w = &t->map;
    Codemap m = {copy_out(&t->out, w->index.p, w->index.n * sizeof *w->index.p, _Alignof(ImgBlock)),
                 w->index.n, copy_out(&t->out, w->bytes.p, w->bytes.n, 1), w->bytes.n};
    return m;
}

static Codemap keep_traps(UnitTools *t, const MachCompiled *c) {
    codemap_clear(&t->map);
    for (uint32_t i = 0; i < c->num_traps; i++)
        codemap_add(&t->map, c->traps[i].offset, c->traps[i].code);
    return copy_map(t);
}

static Codemap keep_locs(UnitTools *t, const MachCompiled *c) {
    const MachSrcLoc *l = c->srclocs;
    uint32_t n = c->num_srclocs;
    codemap_clear(&t->map);
    for (uint32_t i = 0; i < n; i++) {
        bool gap = i && l[i - 1].end != l[i].start;
        if (gap) codemap_add(&t->map, l[i - 1].end, IMG_NONE);
        if (gap || !i || l[i].loc != l[i - 1].loc) codemap_add(&t->map, l[i].start, l[i].loc);
    }
    if (n) codemap_add(&t->map, l[n - 1].end, IMG_NONE);
    return copy_map(t);
}

static void keep(Worker *w, uint32_t item, const MachCompiled *c) {
    Arena *a = &w->tools->out;
    w->job->items[item] = (UnitItem){
        .code = copy_out(a, c->code, c->size, 1),
        .size = c->size,
        .align = c->alignment > CODE_ALIGN ? c->alignment : CODE_ALIGN,
        .relocs = copy_out(a, c->relocs, c->num_relocs * sizeof *c->relocs, _Alignof(MachReloc)),
        .nrelocs = c->num_relocs,
        .traps = keep_traps(w->tools, c),
        .locs = keep_locs(w->tools, c),
        .unwind = copy_out(a, c->unwind, c->num_unwind * sizeof *c->unwind, _Alignof(MachUnwind)),
        .nunwind = c->num_unwind,
        .homes = copy_out(a, c->homes, c->num_homes * sizeof *c->homes, _Alignof(MachHome)),
        .nhomes = c->num_homes,
        .fell_back = c->ra.fell_back != 0};
    w->ph.order += c->times.order;
    w->ph.lower += c->times.lower;
    w->ph.regalloc += c->times.regalloc;
    w->ph.check += c->times.check;
    w->ph.emit += c->times.emit;
    w->insts += c->num_insts;
    ra_stats_add(&w->ra, &c->ra);
}

/* A comment line, in CLIF's comment syntax, that says whose text follows. */
static void print_title(const Job *j, uint32_t item, StrBuf *out) {
    if (item >= j->nfuncs) {
        uint32_t k = item - j->nfuncs;
        sb_printf(out, "; %s adapter of type %u\n", k < j->ntypes ? "entry" : "host",
                  j->types[k % j->ntypes]);
        return;
    }
    uint32_t func = j->m->num_imported_funcs + item;
    sb_printf(out, "; function %u: ", func);
    wasm_print_func_name(j->m, func, out);
    sb_putc(out, '\n');
}

static MachRegalloc choice_of(const Job *j, uint32_t item) {
    const UnitOptions *opt = j->opt;
    MachRegalloc own = MACH_REGALLOC_AS_SET;
    if (item < j->nfuncs && opt->regalloc_of)
        own = opt->regalloc_of(opt->regalloc_user, j->m->num_imported_funcs + item);
    return own ? own : opt->regalloc;
}

static bool do_item(Worker *w, uint32_t item) {
    Job *j = w->job;
    UnitTools *t = w->tools;
    const UnitOptions *opt = j->opt;
    uint64_t t0 = unit_now_ns();
    if (item < j->nfuncs) {
        uint32_t func = j->m->num_imported_funcs + item;
        if (!wasm_translate_func(t->tr, j->m, func, j->tn, j->lay,
                                 opt->validate_only ? NULL : &t->f, &w->diag))
            return false;
        w->operators += wasm_translator_operators(t->tr);
    } else {
        uint32_t k = item - j->nfuncs;
        clif_func_clear(&t->f);
        if (k < j->ntypes)
            wasm_make_entry_adapter(&t->b, &t->f, j->m, j->types[k], j->tn);
        else
            wasm_make_host_adapter(&t->b, &t->f, j->m, j->types[k - j->ntypes], j->tn);
    }
    uint64_t t1 = unit_now_ns();
    w->ph.translate += t1 - t0;
    if (opt->validate_only) return true;
    if (opt->verify) {
        if (!clif_verify(&t->verify, &t->f, &w->diag)) return false;
        w->ph.verify += unit_now_ns() - t1;
    }
    if (opt->print) print_title(j, item, opt->print_to);
    if (opt->print & UNIT_PRINT_CLIF) clif_print_func(&t->f, opt->print_to);
    MachCompiled c;
    mach_ctx_set_regalloc(t->mach, choice_of(j, item));
    if (!mach_compile(t->mach, &t->f, &c, &w->diag)) return false;
    keep(w, item, &c);
    return true;
}

/* ---- contexts ---- */
enum {
    KEEP_MOST = 512 << 20
}; /* bytes a kept context may hold, about half of which it has touched */

void unit_pool_init(UnitPool *p) {
    pthread_mutex_init(&p->lock, NULL);
    p->first = NULL;
}

static void tools_free(UnitTools *t) {
    Mem m = t->mem; /* the tools lie in it themselves */
    m.oom = NULL;
    mem_release_all(&m);
}

void unit_pool_free(UnitPool *p) {
    while (p->first) {
        UnitTools *t = p->first;
        p->first = t->next;
        tools_free(t);
    }
    pthread_mutex_destroy(&p->lock);
}

static UnitTools *pool_take(UnitPool *p) {
    if (!p) return NULL;
    pthread_mutex_lock(&p->lock);
    UnitTools *t = p->first;
    if (t) p->first = t->next;
    pthread_mutex_unlock(&p->lock);
    return t;
}

static void pool_give(UnitPool *p, UnitTools *t) {
    t->mem.oom = NULL;
    arena_reset(&t->out);
    pthread_mutex_lock(&p->lock);
    t->next = p->first;
    p->first = t;
    pthread_mutex_unlock(&p->lock);
}

static void tools_fill(void *arg) {
    Worker *w = arg;
    UnitTools *t = w->tools;
    arena_init(&t->out, &t->mem);
    t->map.mem = &t->mem;
    t->tr = wasm_translator_new(&t->mem);
    clif_func_init(&t->f, &t->mem);
    clif_builder_init(&t->b, &t->mem);
    verify_ctx_init(&t->verify, &t->mem, CLIF_I64);
    t->mach = mach_ctx_new(&t->mem, w->job->isa, w->job->set);
}

/* false: out of memory */
static bool tools_get(Worker *w) {
    w->tools = pool_take(w->job->opt->pool);
    if (w->tools) return true;
    Mem boot;
    mem_init(&boot, w->job->opt->hooks);
    UnitTools *t = mem_try_realloc(&boot, NULL, 0, sizeof *t);
    if (!t) return false;
    memset(t, 0, sizeof *t);
    t->mem = boot;
    w->tools = t;
    if (mem_guard(&t->mem, tools_fill, w)) return true;
    tools_free(t);
    w->tools = NULL;
    return false;
}

static void *worker_main(void *arg) {
    Worker *w = arg;
    Job *j = w->job;
    if (setjmp(w->oom) || !tools_get(w)) {
        diag_msg(&w->diag, DIAG_OOM, "out of memory");
        atomic_store(&j->stop, true);
        return NULL;
    }
    UnitTools *t = w->tools;
    t->mem.oom = &w->oom;
    if (!j->opt->validate_only) arena_restart(&t->out, j->share);
    unsigned mp = (j->opt->print & UNIT_PRINT_VCODE ? MACH_PRINT_VCODE : 0) |
                  (j->opt->print & UNIT_PRINT_ALLOCATED ? MACH_PRINT_ALLOCATED : 0) |
                  (j->opt->print & UNIT_PRINT_REGALLOC ? MACH_PRINT_REGALLOC : 0);
    mach_ctx_print(t->mach, mp, j->opt->print_to);
    for (;;) {
        uint32_t item = atomic_fetch_add(&j->next, 1);
        if (item >= j->nitems || atomic_load(&j->stop)) break;
        w->fail_item = item;
        if (!do_item(w, item)) {
            if (w->diag.func == CLIF_NONE && item < j->nfuncs)
                w->diag.func = j->m->num_imported_funcs + item;
            atomic_store(&j->stop, true);
            break;
        }
        if (j->opt->progress && w->index == 0 && item % 64 == 0)
            j->opt->progress(j->opt->progress_user, item, j->nitems);
    }
    return NULL;
}

/* Copies the items into the unit in order and says which is what. */
static bool link_unit(CodeUnit *u, Job *j, uint32_t threads, Diag *d) {
    Mem *m = u->mem;
    uint32_t *at = mem_alloc(m, (j->nitems + 1) * sizeof *at);
    if (!unit_place(u, j->items, j->nitems, j->m->num_imported_funcs, threads, at, d)) return false;
    for (uint32_t i = 0; i < j->nfuncs; i++) {
        const UnitItem *it = &j->items[i];
        vec_push(m, &u->funcs, (UnitFunc){at[i], it->size});
        if (!j->tn->value_labels) continue;
        vec_push(m, &u->first_home, u->homes.n);
        if (it->nhomes)
            memcpy(vec_extend(m, &u->homes, it->nhomes), it->homes, it->nhomes * sizeof *it->homes);
    }
    if (j->tn->value_labels) vec_push(m, &u->first_home, u->homes.n);
    for (uint32_t i = 0; i < j->nfuncs; i++)
        if (j->items[i].fell_back) vec_push(m, &u->fell_back, j->m->num_imported_funcs + i);
    uint32_t pos = 0; /* among the distinct types, which are in index order */
    for (uint32_t ty = 0; ty < j->m->types.n; ty++) {
        uint32_t canon = j->m->types.p[ty].canon;
        UnitFunc e, h;
        if (canon != ty) {
            e = u->entry.p[canon];
            h = u->host.p[canon];
        } else {
            uint32_t ie = j->nfuncs + pos, ih = ie + j->ntypes;
            pos++;
            e = (UnitFunc){at[ie], j->items[ie].size};
            h = (UnitFunc){at[ih], j->items[ih].size};
        }
        vec_push(m, &u->entry, e);
        vec_push(m, &u->host, h);
    }
    mem_free(m, at, (j->nitems + 1) * sizeof *at);
    return true;
}

static void add_phases(UnitPhases *a, const UnitPhases *b) {
    a->translate += b->translate;
    a->verify += b->verify;
    a->order += b->order;
    a->lower += b->lower;
    a->regalloc += b->regalloc;
    a->check += b->check;
    a->emit += b->emit;
}

typedef struct Run { /* one call of unit_compile_wasm */
    CodeUnit *u;
    Job job;
    Worker *ws;
    uint32_t n;
    VecU32 types;
    Diag *d;
    bool ok;
} Run;

static void run(void *arg) {
    Run *r = arg;
    CodeUnit *u = r->u;
    Mem *mem = u->mem;
    Job *j = &r->job;
    const WasmModule *m = j->m;
    if (!j->opt->validate_only)
        for (uint32_t t = 0; t < m->types.n; t++)
            if (m->types.p[t].canon == t) vec_push(mem, &r->types, t);
    j->types = r->types.p;
    j->ntypes = r->types.n;
    j->nitems = j->nfuncs + 2 * j->ntypes;
    j->items = mem_alloc(mem, (j->nitems + 1) * sizeof(UnitItem));
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const UnitOptions *opt = j->opt;
    uint32_t n = opt->print ? 1 : opt->threads;
    if (n ==
        0) { /* as many as there are processors, and work that is worth the start of a thread */
        uint32_t worth = j->m->code_len / MIN_CODE_PER_THREAD + 1;
        n = cpus > 0 ? (uint32_t)cpus : 1;
        if (n > worth) n = worth;
    }
    if (n > 64) n = 64;
    if (n > (j->nitems + 7) / 8) n = (j->nitems + 7) / 8;
    if (n == 0) n = 1;
    j->share = (size_t)j->m->code_len * KEPT_PER_CODE / n;
    Worker *ws = mem_alloc(mem, n * sizeof *ws);
    memset(ws, 0, n * sizeof *ws);
    for (uint32_t i = 0; i < n; i++) {
        ws[i].job = j;
        ws[i].index = i;
        ws[i].fail_item = UINT32_MAX;
        diag_clear(&ws[i].diag);
        ws[i].diag.func = CLIF_NONE;
    }
    r->ws = ws;
    r->n = n;
    uint32_t started = 1;
    for (; started < n; started++)
        if (pthread_create(&ws[started].thread, NULL, worker_main, &ws[started])) break;
    worker_main(&ws[0]);
    for (uint32_t i = 1; i < started; i++) pthread_join(ws[i].thread, NULL);

    const Worker *bad = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (ws[i].diag.kind && (!bad || ws[i].fail_item < bad->fail_item)) bad = &ws[i];
        add_phases(&u->phases, &ws[i].ph);
        u->operators += ws[i].operators;
        u->machine_insts += ws[i].insts;
        ra_stats_add(&u->ra, &ws[i].ra);
    }
    uint64_t t0 = unit_now_ns();
    r->ok = !bad && (opt->validate_only || link_unit(u, j, n, r->d));
    if (bad) *r->d = bad->diag;
    u->phases.link += unit_now_ns() - t0;
}

bool unit_compile_wasm(CodeUnit *u, const WasmModule *m, const VmLayout *lay,
                       const WasmTunables *tn, const MachSettings *s, const UnitOptions *opt,
                       Diag *d) {
    Run r = {.u = u,
             .job = {.m = m,
                     .lay = lay,
                     .tn = tn,
                     .set = s,
                     .opt = opt,
                     .isa = u->isa,
                     .nfuncs = m->funcs.n - m->num_imported_funcs},
             .d = d};
    if (!mem_guard(u->mem, run, &r)) r.ok = diag_msg(d, DIAG_OOM, "out of memory");
    for (uint32_t i = 0; i < r.n; i++) { /* after a failure the contexts are not looked at again */
        UnitTools *t = r.ws[i].tools;
        if (!t) continue;
        if (r.ok && opt->pool && t->mem.live <= KEEP_MOST)
            pool_give(opt->pool, t);
        else
            tools_free(t);
    }
    mem_free(u->mem, r.ws, r.n * sizeof *r.ws);
    mem_free(u->mem, r.job.items, (r.job.nitems + 1) * sizeof(UnitItem));
    vec_free(u->mem, &r.types);
    return r.ok;
}
