/* runtime/instance.c — instantiation: link imports, build the context, run initialisers and the start function.
 * Order as in the core spec, 4.5.4: globals, element segments, data segments, start. Import matching: 4.5.1/3.4.
 * An instance stays alive with its store even if initialisation trapped: others may hold its functions. */
#include "runtime/rt_int.h"

static void put64(RtInstance *i, uint32_t off, uint64_t v) {
    memcpy(i->vmctx + off, &v, 8);
}
static void put_ptr(RtInstance *i, uint32_t off, const void *p) {
    put64(i, off, (uint64_t)(uintptr_t)p);
}

static void *global_addr(RtInstance *i, uint32_t g) {
    uint8_t *slot = i->vmctx + i->module->img.layout.globals + 16 * g;
    if (g >= i->module->img.h->imported_globals) return slot;
    void *p;
    memcpy(&p, slot, sizeof p);
    return p;
}

VmFuncRef *rt_funcref(RtInstance *i, uint32_t func) {
    uint32_t k = i->module->img.funcs[func].funcref;
    COT_ASSERT(k != IMG_NONE);
    return (VmFuncRef *)(void *)(i->vmctx + i->module->img.layout.funcrefs) + k;
}

RtVal rt_const_eval(RtInstance *i, ImgExpr e) {
    RtVal *st = i->const_stack;
    uint32_t n = 0;
    for (uint32_t k = 0; k < e.n; k++) {
        const ImgConst *c = &i->module->img.consts[e.first + k];
        RtVal v = {.i64 = c->imm};
        memset(v.bytes + 8, 0, 8);
        switch ((WasmConstOp)c->op) {
        case WASM_CE_I32:
        case WASM_CE_F32: v.i64 = (uint32_t)c->imm; break;
        case WASM_CE_I64:
        case WASM_CE_F64: break;
        case WASM_CE_V128: memcpy(&v, i->module->img.bytes + c->imm, 16); break;
        case WASM_CE_REF_NULL: v.i64 = 0; break;
        case WASM_CE_REF_FUNC: v.ref = rt_funcref(i, (uint32_t)c->imm); break;
        case WASM_CE_GLOBAL_GET: memcpy(&v, global_addr(i, (uint32_t)c->imm), 16); break;
        case WASM_CE_I32_ADD:
            n -= 2;
            v.i64 = st[n].i32 + st[n + 1].i32;
            v.i64 = v.i32;
            break;
        case WASM_CE_I32_SUB:
            n -= 2;
            v.i64 = st[n].i32 - st[n + 1].i32;
            v.i64 = v.i32;
            break;
        case WASM_CE_I32_MUL:
            n -= 2;
            v.i64 = (uint64_t)st[n].i32 * st[n + 1].i32;
            v.i64 = v.i32;
            break;
        case WASM_CE_I64_ADD:
            n -= 2;
            v.i64 = st[n].i64 + st[n + 1].i64;
            break;
        case WASM_CE_I64_SUB:
            n -= 2;
            v.i64 = st[n].i64 - st[n + 1].i64;
            break;
        case WASM_CE_I64_MUL:
            n -= 2;
            v.i64 = st[n].i64 * st[n + 1].i64;
            break;
        }
        st[n++] = v;
    }
    return n ? st[n - 1] : (RtVal){.i64 = 0};
}

/* ---- linking ---- */
static bool import_error(Diag *d, const RtImport *im, const char *why) {
    return diag_msg(d, DIAG_LINK, "import %.*s.%.*s: %s", (int)im->module.n, im->module.p,
                    (int)im->name.n, im->name.p, why);
}

static bool limits_match(uint64_t have_min, uint64_t have_max, bool have_has_max, uint64_t min,
                         uint64_t max, uint32_t flags) {
    if (have_min < min) return false;
    return !(flags & IMG_HAS_MAX) || (have_has_max && have_max <= max);
}

static bool link_import(RtInstance *i, const RtImport *im, const RtExtern *x, Diag *d) {
    const Image *m = &i->module->img;
    const VmLayout *lay = &i->module->img.layout;
    const RtStore *s = x->kind == WASM_EXT_FUNC     ? rt_func_store(&x->func)
                       : x->kind == WASM_EXT_TABLE  ? x->table->store
                       : x->kind == WASM_EXT_MEMORY ? x->memory->store
                                                    : x->global.store;
    if (s != i->store) return import_error(d, im, "what is given belongs to another store");
    if (x->kind != im->kind)
        return import_error(d, im, "incompatible import type: it is of another kind");
    switch (im->kind) {
    case WASM_EXT_FUNC: {
        uint32_t type = m->funcs[im->index].type;
        if (x->func.sig_id != i->module->sig_ids[type])
            return import_error(d, im, "incompatible import type: function signature differs");
        RtFunc *f = &i->imports[im->index];
        *f = x->func;
        if (f->host) f->code = m->code + m->types[type].host;
        f->entry = m->code + m->types[type].entry;
        put_ptr(i, lay->imports + 16 * im->index + VM_IMPORT_CODE, f->code);
        put_ptr(i, lay->imports + 16 * im->index + VM_IMPORT_VMCTX, f->vmctx);
        return true;
    }
    case WASM_EXT_TABLE: {
        const ImgTable *t = &m->tables[im->index];
        if (x->table->elem != t->elem || !limits_match(x->table->vm.length, x->table->max,
                                                       x->table->has_max, t->min, t->max, t->flags))
            return import_error(d, im, "incompatible import type: table type differs");
        i->tables[im->index] = x->table;
        return true;
    }
    case WASM_EXT_MEMORY: {
        const ImgMemory *t = &m->memories[im->index];
        if (!limits_match(x->memory->vm.bytes / WASM_PAGE, x->memory->max_pages, x->memory->has_max,
                          t->min, t->max, t->flags))
            return import_error(d, im, "incompatible import type: memory limits differ");
        i->memories[im->index] = x->memory;
        return true;
    }
    case WASM_EXT_GLOBAL: {
        const ImgGlobal *g = &m->globals[im->index];
        if (x->global.type.type != g->type || x->global.type.mut != g->mut)
            return import_error(d, im, "incompatible import type: global type differs");
        put_ptr(i, lay->globals + 16 * im->index, x->global.value);
        return true;
    }
    }
    return false;
}

RtImport rt_import_at(const RtModule *mod, uint32_t k) {
    const ImgImport *im = &mod->img.imports[k];
    return (RtImport){img_str(&mod->img, im->module), img_str(&mod->img, im->name),
                      (WasmExternKind)im->kind, im->index, k};
}

static bool link_imports(RtInstance *i, RtResolve resolve, void *user, Diag *d) {
    const Image *m = &i->module->img;
    for (uint32_t k = 0; k < m->nimports; k++) {
        RtExtern x;
        memset(&x, 0, sizeof x);
        RtImport im = rt_import_at(i->module, k);
        uint64_t refused = i->store->mem.refused;
        if (!resolve || !resolve(user, &im, &x))
            return i->store->mem.refused != refused ? diag_msg(d, DIAG_OOM, "out of memory")
                                                    : import_error(d, &im, "unknown import");
        if (!link_import(i, &im, &x, d)) return false;
    }
    return true;
}

static bool make_entities(RtInstance *i, Diag *d) {
    const Image *m = &i->module->img;
    const VmLayout *lay = &i->module->img.layout;
    RtStore *s = i->store;
    for (uint32_t k = m->h->imported_tables; k < m->ntables; k++) {
        const ImgTable *t = &m->tables[k];
        i->tables[k] =
            rt_table_new(s, (WasmType)t->elem, t->min, t->max, t->flags & IMG_HAS_MAX, d);
        if (!i->tables[k]) return false;
    }
    for (uint32_t k = m->h->imported_memories; k < m->nmemories; k++) {
        const ImgMemory *t = &m->memories[k];
        i->memories[k] = rt_memory_new(s, t->min, t->max, t->flags & IMG_HAS_MAX, d);
        if (!i->memories[k]) return false;
    }
    for (uint32_t k = 0; k < m->ntables; k++) put_ptr(i, lay->tables + 8 * k, &i->tables[k]->vm);
    for (uint32_t k = 0; k < m->nmemories; k++) {
        put_ptr(i, lay->memories + 16 * k + VM_MEMREF_DEF, &i->memories[k]->vm);
        put_ptr(i, lay->memories + 16 * k + VM_MEMREF_BASE, i->memories[k]->vm.base);
    }
    for (uint32_t k = 0; k < m->ntypes; k++)
        memcpy(i->vmctx + lay->sig_ids + 4 * k, &i->module->sig_ids[k], 4);
    return true;
}

RtFunc rt_func_of(const RtInstance *i, uint32_t f) {
    const RtModule *mod = i->module;
    const Image *m = &mod->img;
    uint32_t type = m->funcs[f].type;
    RtFunc r;
    if (f < m->h->imported_funcs) {
        r = i->imports[f];
    } else {
        r = (RtFunc){.code = m->code + m->codes[f - m->h->imported_funcs].off,
                     .vmctx = i->vmctx,
                     .sig_id = mod->sig_ids[type]};
    }
    r.entry = m->code + m->types[type].entry;
    r.image = m;
    r.type = type;
    r.ref = m->funcs[f].funcref == IMG_NONE ? NULL : rt_funcref((RtInstance *)(uintptr_t)i, f);
    return r;
}

static void make_funcrefs(RtInstance *i) {
    const Image *m = &i->module->img;
    for (uint32_t f = 0; f < m->nfuncs; f++) {
        if (m->funcs[f].funcref == IMG_NONE) continue;
        RtFunc fn = rt_func_of(i, f);
        *rt_funcref(i, f) = (VmFuncRef){.code = fn.code,
                                        .vmctx = fn.vmctx,
                                        .sig_id = fn.sig_id,
                                        .func_index = f,
                                        .host = fn.host};
    }
}

/* Element and data segments, then the start function. Runs unguarded: it allocates nothing. False: a trap is recorded in the store. */
static bool initialise(RtInstance *i) {
    const Image *m = &i->module->img;
    RtStore *s = i->store;
    rt_trap_clear(&s->trap);
    for (uint32_t k = 0; k < m->nelems; k++) {
        const ImgElem *e = &m->elems[k];
        if (e->mode == WASM_SEG_ACTIVE &&
            !rt_table_init_segment(i, e->table, k, rt_const_eval(i, e->offset).i32, 0, e->n)) {
            s->trap.code = VM_TRAP_TABLE_OUT_OF_BOUNDS;
            return false;
        }
        if (e->mode != WASM_SEG_PASSIVE) i->elem_dropped[k] = true;
    }
    for (uint32_t k = 0; k < m->ndatas; k++) {
        const ImgData *e = &m->datas[k];
        if (e->mode != WASM_SEG_ACTIVE) continue;
        if (!rt_memory_init_segment(i, e->memory, k, rt_const_eval(i, e->offset).i32, 0, e->n)) {
            s->trap.code = VM_TRAP_MEMORY_OUT_OF_BOUNDS;
            return false;
        }
        i->data_dropped[k] = true;
    }
    if (m->h->start == IMG_NONE) return true;
    RtFunc f = rt_func_of(i, m->h->start);
    RtVal none[1];
    return rt_call(s, &f, none);
}

typedef struct Making { /* one call of rt_instantiate */
    RtStore *store;
    const RtModule *module;
    RtInstance *i;
    bool ok;
    Diag *d;
} Making;

static void make_empty(void *arg) {
    Making *q = arg;
    RtStore *s = q->store;
    const RtModule *mod = q->module;
    const Image *m = &mod->img;
    Arena *a = &s->arena;
    RtInstance *i = arena_new(a, RtInstance);
    *i = (RtInstance){.store = s, .module = mod};
    i->vmctx = arena_zalloc(a, m->layout.size + 16, 16);
    i->memories = arena_zarray(a, RtMemory *, m->nmemories + 1);
    i->tables = arena_zarray(a, RtTable *, m->ntables + 1);
    i->imports = arena_zarray(a, RtFunc, m->h->imported_funcs + 1);
    i->data_dropped = arena_zarray(a, bool, m->ndatas + 1);
    i->elem_dropped = arena_zarray(a, bool, m->nelems + 1);
    i->const_stack = arena_zarray(a, RtVal, m->h->const_depth);
    put64(i, VM_OFF_MAGIC, VM_MAGIC);
    put_ptr(i, VM_OFF_LIMITS, &s->limits);
    put_ptr(i, VM_OFF_INSTANCE, i);
    put_ptr(i, VM_OFF_BUILTINS, rt_builtins);
    rt_store_add_code(s, mod);
    q->i = i;
}

static void fill(void *arg) {
    Making *q = arg;
    q->ok = make_entities(q->i, q->d);
}

RtInstance *rt_instantiate(RtStore *s, const RtModule *mod, RtResolve resolve, void *user,
                           Diag *d) {
    Making q = {.store = s, .module = mod, .d = d};
    rt_trap_clear(&s->trap);
    if (mod->engine != s->engine) {
        diag_msg(d, DIAG_LINK, "the module belongs to another engine than the store");
        return NULL;
    }
    if (!mem_guard(&s->mem, make_empty, &q)) {
        diag_msg(d, DIAG_OOM, "out of memory");
        return NULL;
    }
    RtInstance *i = q.i;
    if (!link_imports(i, resolve, user, d)) return NULL; /* unguarded: calls the user's code */
    if (!mem_guard(&s->mem, fill, &q)) diag_msg(d, DIAG_OOM, "out of memory");
    if (!q.ok) return NULL;
    make_funcrefs(i);
    const Image *m = &mod->img;
    for (uint32_t g = m->h->imported_globals; g < m->nglobals; g++) {
        RtVal v = rt_const_eval(i, m->globals[g].init);
        memcpy(global_addr(i, g), &v, 16);
    }
    return initialise(i) ? i : NULL;
}

RtStore *rt_instance_store(const RtInstance *i) {
    return i->store;
}

static RtGlobal global_of(RtInstance *i, uint32_t k) {
    const ImgGlobal *g = &i->module->img.globals[k];
    return (RtGlobal){global_addr(i, k), {(WasmType)g->type, g->mut != 0}, i->store};
}

static void make_globals(void *arg) {
    RtInstance *i = arg;
    const Image *m = &i->module->img;
    RtGlobal *g = arena_array(&i->store->arena, RtGlobal, m->nglobals);
    for (uint32_t k = 0; k < m->nglobals; k++) g[k] = global_of(i, k);
    i->globals = g;
}

RtGlobal *rt_instance_global(RtInstance *i, uint32_t index) {
    if (!i->globals && !mem_guard(&i->store->mem, make_globals, i)) return NULL;
    return &i->globals[index];
}

const RtModule *rt_instance_module(const RtInstance *i) {
    return i->module;
}

void rt_export_at(const RtInstance *i, uint32_t k, RtExtern *out) {
    const Image *m = &i->module->img;
    const ImgExport *e = &m->exports[k];
    memset(out, 0, sizeof *out);
    out->kind = (WasmExternKind)e->kind;
    switch (out->kind) {
    case WASM_EXT_FUNC: out->func = rt_func_of(i, e->index); break;
    case WASM_EXT_TABLE: out->table = i->tables[e->index]; break;
    case WASM_EXT_MEMORY: out->memory = i->memories[e->index]; break;
    case WASM_EXT_GLOBAL: out->global = global_of((RtInstance *)(uintptr_t)i, e->index); break;
    }
}

bool rt_export(const RtInstance *i, const char *name, size_t len, RtExtern *out) {
    uint32_t k = img_find_export(&i->module->img, name, len);
    if (k == IMG_NONE) return false;
    rt_export_at(i, k, out);
    return true;
}

uint8_t *rt_instance_memory(const RtInstance *i, uint64_t *size) {
    *size = 0;
    return i->module->img.nmemories ? rt_memory_data(i->memories[0], size) : NULL;
}

RtMemory *rt_instance_memory0(const RtInstance *i) {
    return i->module->img.nmemories ? i->memories[0] : NULL;
}
