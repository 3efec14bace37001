/* api/engine.c — configuration and engines. */
#include <stdlib.h>
#include "api/clif_int.h"

CotConfig *cot_config_new(void) {
    CotConfig *c = calloc(1, sizeof *c);
    const IsaVtable *isa = isa_host();
    if (c && isa) c->engine.isa_flags = isa->host_flags();
    if (c) c->mach = api_default_mach();
    return c;
}

void cot_config_free(CotConfig *c) {
    free(c);
}

void cot_config_set_allocator(CotConfig *c, CotReallocFn function, void *user) {
    c->hooks = (MemHooks){function, user};
    c->engine.rt.hooks = function ? &c->hooks : NULL;
}
void cot_config_set_signals(CotConfig *c, bool on) {
    c->engine.rt.no_signals = !on;
}
void cot_config_set_guard_pages(CotConfig *c, bool on) {
    c->engine.rt.explicit_bounds = !on;
}
void cot_config_set_interruptible(CotConfig *c, bool on) {
    c->engine.rt.interruptible = on;
}
void cot_config_set_compile_threads(CotConfig *c, uint32_t threads) {
    c->engine.threads = threads;
}
void cot_config_set_max_memory(CotConfig *c, uint64_t bytes) {
    c->engine.rt.max_memory = bytes;
}
void cot_config_set_max_stack(CotConfig *c, uint64_t bytes) {
    c->engine.rt.max_stack = bytes;
}
void cot_config_set_verify(CotConfig *c, bool on) {
    c->engine.verify = on;
}

CotStatus cot_config_set_cpu_features(CotConfig *c, const char *list, CotError *error) {
    const IsaVtable *isa = isa_host();
    if (!isa)
        return api_fail(error, COT_UNSUPPORTED, "this machine's architecture has no back end");
    Diag d;
    diag_clear(&d);
    if (isa_parse_flags(isa, list, &c->engine.isa_flags, &d)) return COT_OK;
    api_fail_diag(error, &d);
    if (d.kind == DIAG_UNSUPPORTED) return COT_UNSUPPORTED;
    if (error) error->status = COT_MISUSE;
    return COT_MISUSE;
}

CotEngine *cot_engine_new(const CotConfig *c, CotError *error) {
    Diag d;
    diag_clear(&d);
    EngineConfig defaults = {.isa_flags = 0};
    const IsaVtable *isa = isa_host();
    if (isa) defaults.isa_flags = isa->host_flags();
    RtEngine *e = engine_new(c ? &c->engine : &defaults, &d);
    if (!e) api_fail_diag(error, &d);
    return engine_api(e);
}

void cot_engine_free(CotEngine *e) {
    rt_engine_free(engine_rt(e));
}

bool cot_engine_has_guard_pages(const CotEngine *e) {
    return rt_engine_has_guards(engine_rt(e));
}
