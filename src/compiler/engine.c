/* compiler/engine.c — runtime engines with a compiler attached: modules go from bytes to executable memory in one call. */
#include "compiler/comp_int.h"

static void free_compiler(void *c) {
    compiler_free(c);
}

RtEngine *engine_new(const EngineConfig *cfg, Diag *d) {
    RtEngine *e = rt_engine_new(&cfg->rt, d);
    if (!e) return NULL;
    Compiler *c = compiler_new(&(CompilerConfig){.hooks = cfg->rt.hooks,
                                                 .features = cfg->features,
                                                 .isa_flags = cfg->isa_flags,
                                                 .no_signals = cfg->rt.no_signals,
                                                 .explicit_bounds = !rt_engine_has_guards(e),
                                                 .interruptible = cfg->rt.interruptible,
                                                 .verify = cfg->verify,
                                                 .keep_source = cfg->keep_source,
                                                 .stress_seed = cfg->stress_seed,
                                                 .opt_level = cfg->opt_level,
                                                 .regalloc = cfg->regalloc,
                                                 .threads = cfg->threads,
                                                 .cache = cfg->cache,
                                                 .publish = cfg->publish,
                                                 .debug = cfg->publish & JIT_PUBLISH_GDB,
                                                 .name = cfg->name},
                               d);
    if (c) {
        rt_engine_attach(e, c, free_compiler);
        return e;
    }
    rt_engine_free(e);
    return NULL;
}

Compiler *engine_compiler(const RtEngine *e) {
    return rt_engine_attached(e);
}

bool engine_publish(RtEngine *e, RtModule *m, Diag *d) {
    return module_publish(engine_compiler(e), m, NULL, d);
}

/* Those who are told of frames and lines need what only a compilation knows: no cache. */
static RtModule *compile_and_tell(RtEngine *e, const uint8_t *bytes, size_t size,
                                  const UnitOptions *opt, CompileStats *stats, Diag *d) {
    Compiler *by = engine_compiler(e);
    Compiled *c = compiler_run(by, bytes, size, opt, d);
    RtBlob blob;
    RtModule *m =
        c && compiled_blob(c, stats, &blob, d) ? rt_module_new(e, &blob, IMG_TRUSTED, d) : NULL;
    if (m && !module_publish(by, m, c, d)) {
        rt_module_free(m);
        m = NULL;
    }
    compiled_free(c);
    return m;
}

RtModule *engine_compile(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                         CompileStats *stats, Diag *d) {
    RtBlob blob;
    unsigned what = engine_compiler(e)->cfg.publish;
    if (what & (JIT_PUBLISH_UNWIND | JIT_PUBLISH_GDB))
        return compile_and_tell(e, bytes, size, opt, stats, d);
    if (!compiler_image(engine_compiler(e), bytes, size, opt, stats, &blob, d)) return NULL;
    RtModule *m = rt_module_new(e, &blob, IMG_TRUSTED, d);
    if (!m || !what || engine_publish(e, m, d)) return m;
    rt_module_free(m);
    return NULL;
}

bool engine_validate(RtEngine *e, const uint8_t *bytes, size_t size, Diag *d) {
    Compiled *c =
        compiler_run(engine_compiler(e), bytes, size, &(UnitOptions){.validate_only = true}, d);
    compiled_free(c);
    return c != NULL;
}
