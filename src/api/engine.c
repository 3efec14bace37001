/* api/engine.c — configuration and engines that compile. What concerns the runtime is in rtapi/config.c. */
#include <stdlib.h>
#include "api/clif_int.h"
#include "mach/settings.h"

/* ---- settings of code generation ---- */
MachSettings api_default_mach(void) {
    MachSettings s = mach_settings_default();
    s.preserve_frame_pointers = true;
    s.enable_probestack = true;
    s.probestack_strategy = MACH_PROBE_INLINE;
    return s;
}

static unsigned row_of(const char *name) {
    unsigned i = 0;
    while (strcmp(mach_setting_info[i].name, name)) i++;
    return i;
}

CotStatus cot_config_set(CotConfig *c, const char *name, const char *value, CotError *error) {
    Diag d;
    diag_clear(&d);
    if (!c || !name) return api_fail(error, COT_MISUSE, "no configuration or no name");
    if (settings_parse(&c->mach, name, value, &d)) {
        c->given |= (uint64_t)1 << row_of(name);
        if (!strcmp(name, "opt_level")) c->engine.opt_level = c->mach.opt_level ? 2 : 0;
        if (!strcmp(name, "regalloc_algorithm"))
            c->engine.regalloc = (MachRegalloc)(c->mach.regalloc_algorithm + 1);
        return COT_OK;
    }
    api_fail_diag(error, &d);
    if (error) error->status = COT_MISUSE;
    return COT_MISUSE;
}

MachSettings api_file_mach(const CotConfig *c) {
    MachSettings s = api_default_mach();
    s.is_pic = true;
    s.tls_model = MACH_TLS_ELF_GD;
    COT_ASSERT(mach_setting_count <= 64);
    for (unsigned i = 0; c && i < mach_setting_count; i++)
        if (c->given >> i & 1)
            *((uint8_t *)&s + mach_setting_info[i].offset) =
                *((const uint8_t *)&c->mach + mach_setting_info[i].offset);
    if (c && c->features_given) s.isa_flags = c->engine.isa_flags;
    s.verify_input = c && c->engine.verify;
    s.regalloc_checker |= s.verify_input;
    return s;
}

/* ---- life ---- */
CotConfig *cot_config_new(void) {
    CotConfig *c = calloc(1, sizeof *c);
    const IsaVtable *isa = isa_host();
    if (c && isa) c->engine.isa_flags = isa->host_flags();
    if (c) c->mach = api_default_mach();
    if (c) c->engine.keep_source = true;
    return c;
}

void cot_config_free(CotConfig *c) {
    free(c);
}

void cot_config_set_compile_threads(CotConfig *c, uint32_t threads) {
    c->engine.threads = threads;
}
void cot_config_set_source_positions(CotConfig *c, bool on) {
    c->engine.keep_source = on;
}
void cot_config_set_publish(CotConfig *c, uint32_t what) {
    c->engine.publish = what & ~(uint32_t)COT_PUBLISH_PERF_MAP;
    c->base.rt.perf_map = what & COT_PUBLISH_PERF_MAP;
}
void cot_config_set_verify(CotConfig *c, bool on) {
    c->engine.verify = on;
}

CotStatus cot_config_set_cache(CotConfig *c, const char *dir, uint64_t most, CotError *error) {
    Diag d;
    diag_clear(&d);
    if (!cache_open(&c->cache, dir, most, &d)) return api_fail_diag(error, &d);
    c->engine.cache = &c->cache;
    return COT_OK;
}

CotStatus cot_config_set_cpu_features(CotConfig *c, const char *list, CotError *error) {
    const IsaVtable *isa = isa_host();
    if (!isa)
        return api_fail(error, COT_UNSUPPORTED, "this machine's architecture has no back end");
    Diag d;
    diag_clear(&d);
    if (isa_parse_flags(isa, list, true, &c->engine.isa_flags, &d)) {
        c->features_given = true;
        return COT_OK;
    }
    api_fail_diag(error, &d);
    if (d.kind == DIAG_UNSUPPORTED) return COT_UNSUPPORTED;
    if (error) error->status = COT_MISUSE;
    return COT_MISUSE;
}

CotEngine *cot_engine_new(const CotConfig *c, CotError *error) {
    Diag d;
    diag_clear(&d);
    EngineConfig cfg = {.keep_source = true};
    const IsaVtable *isa = isa_host();
    if (c) {
        cfg = c->engine;
        cfg.rt = c->base.rt;
    } else if (isa) {
        cfg.isa_flags = isa->host_flags();
    }
    RtEngine *e = engine_new(&cfg, &d);
    if (!e) api_fail_diag(error, &d);
    return engine_api(e);
}
