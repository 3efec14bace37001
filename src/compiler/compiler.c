/* compiler/compiler.c — a module from bytes to code.
 *
 * Idea        A Compiler fixes how code is compiled. Each compilation has a Mem of its own in which everything lies, so a failure at
 *             any point is undone by giving that back.
 * Invariants  A Compiler does not change once it is made, but for the pool of contexts, which has a lock. */
#include "compiler/comp_int.h"
#include "compiler/facts.h"
#include "compiler/pages.h"
#include "image/cpu.h"

typedef struct Opening {
    Compiler *c;
    Diag *d;
    bool ok;
} Opening;

static void open_perf(void *arg) {
    Opening *o = arg;
    o->c->perf = jit_perf_open(&o->c->mem, JIT_PUBLISH_JITDUMP, o->d);
    o->ok = o->c->perf != NULL;
}

/* Can those who are to be told be told? */
static bool published(Compiler *c, Diag *d) {
    Opening o = {c, d, true};
    if (c->cfg.publish & JIT_PUBLISH_UNWIND && !jit_can_unwind())
        return diag_msg(d, DIAG_UNSUPPORTED, "this process has no unwinder that can be told");
    if (c->cfg.publish & JIT_PUBLISH_JITDUMP && !mem_guard(&c->mem, open_perf, &o))
        return diag_msg(d, DIAG_OOM, "out of memory");
    return o.ok;
}

Compiler *compiler_new(const CompilerConfig *cfg, Diag *d) {
    const IsaVtable *isa = isa_host();
    if (!isa) {
        diag_msg(d, DIAG_UNSUPPORTED, "this machine's architecture has no back end");
        return NULL;
    }
    const MemHooks *hooks = cfg->hooks ? cfg->hooks : &pages_hooks;
    Mem boot;
    mem_init(&boot, hooks);
    Compiler *c = mem_try_realloc(&boot, NULL, 0, sizeof *c);
    if (!c) {
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->mem = boot;
    c->cfg = *cfg;
    c->hooks = *hooks;
    c->cfg.hooks = &c->hooks;
    if (cfg->cache) {
        c->cache = *cfg->cache;
        c->cfg.cache = &c->cache;
    }
    c->features = cfg->features ? *cfg->features : wasm_features_default();
    c->isa = isa;
    unit_pool_init(&c->pool);
    MachRegalloc algorithm = cfg->regalloc    ? cfg->regalloc
                             : cfg->opt_level ? MACH_REGALLOC_BACKTRACKING
                                              : MACH_REGALLOC_SINGLE_PASS;
    c->mach = (MachSettings){.isa_flags = cfg->isa_flags,
                             .is_pic = true,
                             .preserve_frame_pointers = true,
                             .enable_probestack = true,
                             .enable_multi_ret_implicit_sret = true,
                             .probestack_size_log2 = 12,
                             .explicit_traps = cfg->no_signals,
                             .unwind_info = cfg->unwind ||
                                            cfg->publish & (JIT_PUBLISH_UNWIND | JIT_PUBLISH_GDB),
                             .regalloc_checker = cfg->verify,
                             .verify_input = cfg->verify,
                             .stress_seed = cfg->stress_seed,
                             .regalloc_algorithm = (uint8_t)(algorithm - 1)};
    bool checked = cfg->explicit_bounds || cfg->no_signals;
    c->tunables = (WasmTunables){.mem_style = checked ? WASM_MEM_CHECKED : WASM_MEM_STATIC,
                                 .explicit_traps = cfg->no_signals,
                                 .interrupt_checks = cfg->interruptible,
                                 .callconv = CLIF_CC_FAST,
                                 .host_callconv = CLIF_CC_SYSTEM_V};
    pthread_mutex_init(&c->perf_lock, NULL);
    if (published(c, d)) return c;
    compiler_free(c);
    return NULL;
}

void compiler_free(Compiler *c) {
    if (!c) return;
    jit_perf_close(c->perf);
    pthread_mutex_destroy(&c->perf_lock);
    unit_pool_free(&c->pool);
    mem_release_all(&c->mem);
}

/* ---- one module ---- */
typedef struct Run {
    Compiled *c;
    const uint8_t *bytes;
    size_t size;
    UnitOptions opt;
    bool ok;
    Diag *d;
} Run;

static void run(void *arg) {
    Run *r = arg;
    Compiled *c = r->c;
    const Compiler *by = c->by;
    unit_init(&c->unit, &c->mem, by->isa);
    uint64_t t = unit_now_ns();
    if (!wasm_module_parse(&c->wasm, &c->mem, r->bytes, r->size, &by->features, r->d)) return;
    c->unit.phases.parse = unit_now_ns() - t;
    c->layout = wasm_vm_layout(&c->wasm);
    DwarfInput in;
    WasmTunables tn = by->tunables;
    tn.value_labels = by->cfg.debug && wasm_debug_sections(&c->wasm, &in);
    r->ok = unit_compile_wasm(&c->unit, &c->wasm, &c->layout, &tn, &by->mach, &r->opt, r->d);
}

Compiled *compiler_run(Compiler *by, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                       Diag *d) {
    Mem boot;
    mem_init(&boot, by->cfg.hooks);
    Compiled *c = mem_try_realloc(&boot, NULL, 0, sizeof *c);
    if (!c) {
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->mem = boot;
    c->by = by;
    Run r = {.c = c, .bytes = bytes, .size = size, .d = d};
    if (opt) r.opt = *opt;
    if (!r.opt.threads) r.opt.threads = by->cfg.threads;
    r.opt.verify |= by->cfg.verify;
    r.opt.hooks = by->cfg.hooks;
    r.opt.pool = &by->pool;
    if (!mem_guard(&c->mem, run, &r)) r.ok = diag_msg(d, DIAG_OOM, "out of memory");
    if (r.ok) return c;
    compiled_free(c);
    return NULL;
}

void compiled_free(Compiled *c) {
    if (c) mem_release_all(&c->mem);
}
const WasmModule *compiled_wasm(const Compiled *c) {
    return &c->wasm;
}
CodeUnit *compiled_unit(Compiled *c) {
    return &c->unit;
}

static void plan(void *arg) {
    Run *r = arg;
    uint64_t t = unit_now_ns();
    r->ok = image_plan(r->c, r->d);
    r->c->unit.phases.link += unit_now_ns() - t;
}

size_t compiled_plan_image(Compiled *c, Diag *d) {
    Run r = {.c = c, .d = d};
    if (!mem_guard(&c->mem, plan, &r)) r.ok = diag_msg(d, DIAG_OOM, "out of memory");
    return r.ok ? (size_t)c->plan.size : 0;
}

void compiled_write_image(Compiled *c, uint8_t *to) {
    uint64_t t = unit_now_ns();
    image_write(c, to);
    c->unit.phases.link += unit_now_ns() - t;
}

/* ---- objects ---- */
typedef struct Linking {
    Compiled *c;
    Linkable *k;
    CompiledObject *o;
    const char *name; /* of the header */
    bool ok;
    StrBuf *text;
    Diag *d;
} Linking;

static void link_step(void *arg) {
    Linking *l = arg;
    l->ok = object_link(l->c, l->k, l->o, l->d);
}
bool compiled_link(Compiled *c, Linkable *k, CompiledObject *o, Diag *d) {
    Linking l = {.c = c, .k = k, .o = o, .d = d};
    if (!mem_guard(k->mem, link_step, &l)) l.ok = diag_msg(d, DIAG_OOM, "out of memory");
    return l.ok;
}

static void header_step(void *arg) {
    Linking *l = arg;
    l->ok = header_write(&l->c->wasm, l->name, l->text, l->d);
}
bool compiled_header(Compiled *c, const char *name, StrBuf *out, Diag *d) {
    Linking l = {.c = c, .name = name, .text = out, .d = d};
    if (!mem_guard(out->mem, header_step, &l)) l.ok = diag_msg(d, DIAG_OOM, "out of memory");
    return l.ok;
}

typedef struct Describing {
    Compiled *c;
    const char *file;
    DwarfOutput *o;
} Describing;

static void debug_step(void *arg) {
    Describing *x = arg;
    CodeFacts f;
    facts_of(x->c, x->o->mem, x->file != NULL, &f);
    debug_write(&f, x->file, x->o);
    facts_free(&f);
}
bool compiled_debug(Compiled *c, const char *file, DwarfOutput *o, Diag *d) {
    Describing x = {c, file, o};
    return mem_guard(o->mem, debug_step, &x) || diag_msg(d, DIAG_OOM, "out of memory");
}

/* ---- from the cache, or new ---- */
void compiler_key(const Compiler *c, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                  Blake2b *b) {
    const uint64_t numbers[] = {IMG_ABI,
                                img_layout_hash(),
                                img_host_arch(),
                                c->cfg.isa_flags,
                                c->cfg.opt_level,
                                c->mach.regalloc_algorithm,
                                opt ? opt->regalloc : MACH_REGALLOC_AS_SET,
                                c->cfg.stress_seed,
                                c->tunables.mem_style,
                                c->tunables.explicit_traps,
                                c->tunables.interrupt_checks,
                                c->cfg.keep_source,
                                c->cfg.keep_facts,
                                c->cfg.only_places,
                                size};
    blake2b_init(b);
    blake2b_add(b, compiler_source_id, strlen(compiler_source_id));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) blake2b_number(b, numbers[i]);
    blake2b_add(b, &c->features, sizeof c->features);
    blake2b_add(b, bytes, size);
}
_Static_assert(sizeof(WasmFeatures) % sizeof(bool) == 0, "a structure of bool has no padding");

static bool from_cache(const Compiler *c, const char *name, RtBlob *out, CompileStats *stats) {
    if (!cache_find(&c->cache, name, out)) return false;
    Image img;
    Diag d;
    diag_clear(&d);
    if (!img_open(&img, out->base, out->size, IMG_VERIFIED, &d)) {
        rt_blob_free(out);
        return false;
    }
    if (stats) *stats = (CompileStats){.code_bytes = (uint32_t)img.h->code_size, .cached = true};
    return true;
}

static void fill_stats(CompileStats *s, const Compiled *c) {
    const CodeUnit *u = &c->unit;
    *s = (CompileStats){.phases = u->phases,
                        .ra = u->ra,
                        .operators = u->operators,
                        .machine_insts = u->machine_insts,
                        .functions = u->funcs.n,
                        .wasm_code_bytes = c->wasm.code_len,
                        .code_bytes = u->code.n};
}

bool compiled_blob(Compiled *c, CompileStats *stats, RtBlob *out, Diag *d) {
    size_t n = compiled_plan_image(c, d);
    bool ok = n && rt_blob_new(out, n, d);
    if (ok) compiled_write_image(c, out->base);
    if (stats) fill_stats(stats, c);
    return ok;
}

bool compiler_image(Compiler *by, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                    CompileStats *stats, RtBlob *out, Diag *d) {
    char name[CACHE_NAME];
    bool cached = by->cfg.cache && !(opt && (opt->regalloc_of || opt->print));
    if (cached) {
        Blake2b b;
        compiler_key(by, bytes, size, opt, &b);
        cache_name(&b, CACHE_IMAGE, name);
        if (from_cache(by, name, out, stats)) return true;
    }
    Compiled *c = compiler_run(by, bytes, size, opt, d);
    if (!c) return false;
    bool ok = compiled_blob(c, stats, out, d);
    compiled_free(c);
    if (ok && cached) {
        img_set_sums((ImgHeader *)(void *)out->base, out->base);
        cache_store(&by->cache, name, out->base, out->size);
    }
    return ok;
}
