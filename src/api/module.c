/* api/module.c — modules and what they import and export. */
#include "api/api_int.h"

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
    RtModule *m = rt_module_new_copy(engine_rt(e), bytes, size, &u, &d);
    if (!m) api_fail_diag(error, &d);
    return module_api(m);
}

CotModule *cot_module_new(CotEngine *e, const void *bytes, size_t size, CotError *error) {
    return cot_module_new_with_options(e, bytes, size, NULL, error);
}

void cot_module_free(CotModule *m) {
    rt_module_free(module_rt(m));
}

CotStatus cot_module_validate(CotEngine *e, const void *bytes, size_t size, CotError *error) {
    Diag d;
    diag_clear(&d);
    UnitOptions o = {.validate_only = true};
    RtModule *m = rt_module_new(engine_rt(e), bytes, size, &o, &d);
    rt_module_free(m);
    return m ? COT_OK : api_fail_diag(error, &d);
}

size_t cot_module_code_size(const CotModule *m) {
    return rt_module_unit(module_rt(m))->code.n;
}

CotFuncType api_func_type(const WasmModule *m, uint32_t type) {
    const WasmFuncType *t = &m->types.p[type];
    return (CotFuncType){.params = m->valtypes.p + t->params,
                         .results = m->valtypes.p + t->results,
                         .nparams = t->nparams,
                         .nresults = t->nresults};
}

static CotName name_of(WasmStr s) {
    return (CotName){s.p, s.n};
}

static CotKind kind_of(WasmExternKind k) {
    switch (k) {
    case WASM_EXT_FUNC: return COT_KIND_FUNC;
    case WASM_EXT_TABLE: return COT_KIND_TABLE;
    case WASM_EXT_MEMORY: return COT_KIND_MEMORY;
    case WASM_EXT_GLOBAL: return COT_KIND_GLOBAL;
    }
    return COT_KIND_FUNC;
}

static void limits(CotExternType *t, const WasmLimitsT *l) {
    t->min = l->min;
    t->max = l->has_max ? l->max : COT_NO_MAXIMUM;
}

static void type_of(const WasmModule *m, WasmExternKind kind, uint32_t index, CotExternType *t) {
    memset(t, 0, sizeof *t);
    t->kind = kind_of(kind);
    switch (kind) {
    case WASM_EXT_FUNC: t->func = api_func_type(m, m->funcs.p[index].type); break;
    case WASM_EXT_TABLE:
        limits(t, &m->tables.p[index].lim);
        t->value = m->tables.p[index].elem;
        break;
    case WASM_EXT_MEMORY: limits(t, &m->memories.p[index].lim); break;
    case WASM_EXT_GLOBAL:
        t->value = m->globals.p[index].type.type;
        t->is_mutable = m->globals.p[index].type.mut;
        break;
    }
}

size_t cot_module_import_count(const CotModule *m) {
    return rt_module_wasm(module_rt(m))->imports.n;
}

CotStatus cot_module_import(const CotModule *m, size_t i, CotName *from, CotName *name,
                            CotExternType *type) {
    const WasmModule *w = rt_module_wasm(module_rt(m));
    if (i >= w->imports.n) return COT_MISUSE;
    const WasmImport *im = &w->imports.p[i];
    *from = name_of(im->module);
    *name = name_of(im->name);
    if (type) type_of(w, im->kind, im->index, type);
    return COT_OK;
}

size_t cot_module_export_count(const CotModule *m) {
    return rt_module_wasm(module_rt(m))->exports.n;
}

CotStatus cot_module_export(const CotModule *m, size_t i, CotName *name, CotExternType *type) {
    const WasmModule *w = rt_module_wasm(module_rt(m));
    if (i >= w->exports.n) return COT_MISUSE;
    const WasmExport *e = &w->exports.p[i];
    *name = name_of(e->name);
    if (type) type_of(w, e->kind, e->index, type);
    return COT_OK;
}
