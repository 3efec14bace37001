/* api/module.c — modules from WebAssembly. */
#include "api/clif_int.h"

_Static_assert(COT_REGALLOC_ION == (int)MACH_REGALLOC_BACKTRACKING &&
                   COT_REGALLOC_FAST == (int)MACH_REGALLOC_SINGLE_PASS,
               "the public choices are the internal ones");

MachRegalloc api_regalloc(CotRegalloc r) {
    return r == COT_REGALLOC_ION || r == COT_REGALLOC_FAST ? (MachRegalloc)r : MACH_REGALLOC_AS_SET;
}

static MachRegalloc regalloc_of(void *user, uint32_t func) {
    const CotModuleOptions *o = user;
    return api_regalloc(o->regalloc_of(o->user, func));
}

CotModule *cot_module_new_with_options(CotEngine *e, const void *bytes, size_t size,
                                       const CotModuleOptions *options, CotError *error) {
    Diag d;
    diag_clear(&d);
    UnitOptions u = {.validate_only = false};
    CotModuleOptions o = {COT_REGALLOC_DEFAULT, NULL, NULL};
    if (options) o = *options;
    u.regalloc = api_regalloc(o.regalloc);
    if (o.regalloc_of) u.regalloc_of = regalloc_of, u.regalloc_user = &o;
    RtModule *m = engine_compile(engine_rt(e), bytes, size, &u, NULL, &d);
    if (!m) api_fail_diag(error, &d);
    return module_api(m);
}

CotModule *cot_module_new(CotEngine *e, const void *bytes, size_t size, CotError *error) {
    return cot_module_new_with_options(e, bytes, size, NULL, error);
}

CotStatus cot_module_validate(CotEngine *e, const void *bytes, size_t size, CotError *error) {
    Diag d;
    diag_clear(&d);
    return engine_validate(engine_rt(e), bytes, size, &d) ? COT_OK : api_fail_diag(error, &d);
}
