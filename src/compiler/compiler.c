/* compiler/compiler.c — a module from bytes to code.
 *
 * Idea        A Compiler fixes how code is compiled. Each compilation has a Mem of its own in which everything lies, so a failure at
 *             any point is undone by giving that back.
 * Invariants  A Compiler does not change once it is made, but for the pool of contexts, which has a lock. */
#include "compiler/comp_int.h"

Compiler *compiler_new(const CompilerConfig *cfg, Diag *d) {
    const IsaVtable *isa = isa_host();
    if (!isa) {
        diag_msg(d, DIAG_UNSUPPORTED, "this machine's architecture has no back end");
        return NULL;
    }
    Mem boot;
    mem_init(&boot, cfg->hooks);
    Compiler *c = mem_try_realloc(&boot, NULL, 0, sizeof *c);
    if (!c) {
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->mem = boot;
    c->cfg = *cfg;
    if (cfg->hooks) {
        c->hooks = *cfg->hooks;
        c->cfg.hooks = &c->hooks;
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
    return c;
}

void compiler_free(Compiler *c) {
    if (!c) return;
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
    r->ok =
        unit_compile_wasm(&c->unit, &c->wasm, &c->layout, &by->tunables, &by->mach, &r->opt, r->d);
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
