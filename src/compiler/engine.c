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
                                                 .cache = cfg->cache},
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

RtModule *engine_compile(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                         CompileStats *stats, Diag *d) {
    RtBlob blob;
    if (!compiler_image(engine_compiler(e), bytes, size, opt, stats, &blob, d)) return NULL;
    return rt_module_new(e, &blob, IMG_TRUSTED, d);
}

bool engine_validate(RtEngine *e, const uint8_t *bytes, size_t size, Diag *d) {
    Compiled *c =
        compiler_run(engine_compiler(e), bytes, size, &(UnitOptions){.validate_only = true}, d);
    compiled_free(c);
    return c != NULL;
}
