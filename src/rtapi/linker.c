/* rtapi/linker.c — instances, and names for what they import.
 *
 * Idea        Definitions in one list, newest last, found by the hash of module name and name; whole instances by the hash of the
 *             module name alone. An import is looked up singly, then in the instance, then among WASI's functions.
 * Cost        expected O(1) per import. */
#include "rtapi/rtapi.h"
#include "base/hashmap.h"
#include "runtime/wasi_link.h"

typedef struct Def {
    const char *from, *name; /* name NULL: all exports of instance */
    size_t from_len, name_len;
    CotExtern what;
    RtInstance *instance;
    uint32_t next; /* of the same hash */
} Def;

struct CotLinker {
    Mem mem; /* holds the linker itself */
    Arena arena;
    RtStore *store;
    VEC(Def) defs;
    HashMap map;
    WasiCtx *wasi;
};

CotLinker *cot_linker_new(CotStore *store, CotError *error) {
    Mem boot;
    mem_init(&boot, rt_engine_hooks(rt_store_engine(store_rt(store))));
    CotLinker *l = mem_try_realloc(&boot, NULL, 0, sizeof *l);
    if (!l) {
        api_fail(error, COT_NO_MEMORY, "out of memory");
        return NULL;
    }
    memset(l, 0, sizeof *l);
    l->mem = boot;
    l->store = store_rt(store);
    arena_init(&l->arena, &l->mem);
    return l;
}

void cot_linker_free(CotLinker *l) {
    if (l) mem_release_all(&l->mem);
}

static uint64_t hash_of(const char *from, size_t from_len, const char *name, size_t name_len) {
    uint64_t h = hash_bytes(from, from_len, name ? 1 : 2);
    return name ? hash_bytes(name, name_len, h) : h;
}

/* ---- instances ---- */
CotExtern api_extern(RtInstance *i, uint32_t k) {
    const ImgExport *e = &rt_module_image(rt_instance_module(i))->exports[k];
    RtExtern x;
    rt_export_at(i, k, &x);
    CotExtern r = {.kind = COT_KIND_FUNC, .of = {.func = NULL}};
    switch (x.kind) {
    case WASM_EXT_FUNC: r.of.func = api_func_handle(&x.func); break;
    case WASM_EXT_TABLE:
        r.kind = COT_KIND_TABLE;
        r.of.table = table_api(x.table);
        break;
    case WASM_EXT_MEMORY:
        r.kind = COT_KIND_MEMORY;
        r.of.memory = memory_api(x.memory);
        break;
    case WASM_EXT_GLOBAL:
        r.kind = COT_KIND_GLOBAL;
        r.of.global = global_api(rt_instance_global(i, e->index));
        break;
    }
    return r;
}

bool api_extern_rt(const CotExtern *x, RtExtern *out) {
    memset(out, 0, sizeof *out);
    if (!x->of.func) return false;
    switch (x->kind) {
    case COT_KIND_FUNC:
        out->kind = WASM_EXT_FUNC;
        out->func = api_func(x->of.func);
        return true;
    case COT_KIND_TABLE:
        out->kind = WASM_EXT_TABLE;
        out->table = table_rt(x->of.table);
        return true;
    case COT_KIND_MEMORY:
        out->kind = WASM_EXT_MEMORY;
        out->memory = memory_rt(x->of.memory);
        return true;
    case COT_KIND_GLOBAL:
        out->kind = WASM_EXT_GLOBAL;
        out->global = *global_rt(x->of.global);
        return true;
    }
    return false;
}

CotStatus cot_instance_export(CotInstance *instance, const char *name, CotExtern *what,
                              CotError *error) {
    RtInstance *i = instance_rt(instance);
    uint32_t k = img_find_export(rt_module_image(rt_instance_module(i)), name, strlen(name));
    if (k == IMG_NONE) return api_fail(error, COT_LINK, "no export is named '%.200s'", name);
    *what = api_extern(i, k);
    return what->of.func ? COT_OK : api_fail(error, COT_NO_MEMORY, "out of memory");
}

CotStatus cot_instance_export_at(CotInstance *instance, size_t k, CotExtern *what,
                                 CotError *error) {
    RtInstance *i = instance_rt(instance);
    uint32_t n = rt_module_image(rt_instance_module(i))->nexports;
    if (k >= n) return api_fail(error, COT_MISUSE, "export %zu of %u", k, n);
    *what = api_extern(i, (uint32_t)k);
    return what->of.func ? COT_OK : api_fail(error, COT_NO_MEMORY, "out of memory");
}

CotFunc *cot_instance_func(CotInstance *i, const char *name) {
    CotExtern x;
    return cot_instance_export(i, name, &x, NULL) == COT_OK && x.kind == COT_KIND_FUNC ? x.of.func
                                                                                       : NULL;
}

CotMemory *cot_instance_memory(CotInstance *i, const char *name) {
    CotExtern x;
    return cot_instance_export(i, name, &x, NULL) == COT_OK && x.kind == COT_KIND_MEMORY
               ? x.of.memory
               : NULL;
}

/* ---- definitions ---- */
typedef struct AddDef {
    CotLinker *l;
    Def def;
} AddDef;

static void add(void *arg) {
    AddDef *q = arg;
    CotLinker *l = q->l;
    Def *d = &q->def;
    vec_reserve(&l->mem, &l->defs, l->defs.n + 1);
    d->from = arena_strndup(&l->arena, d->from, d->from_len);
    if (d->name) d->name = arena_strndup(&l->arena, d->name, d->name_len);
    uint64_t h = hash_of(d->from, d->from_len, d->name, d->name_len);
    bool fresh;
    uint32_t *first = hashmap_get_or_insert(&l->mem, &l->map, h, UINT32_MAX, &fresh);
    d->next = *first;
    *first = l->defs.n;
    l->defs.p[l->defs.n++] = *d;
}

static CotStatus define(CotLinker *l, Def def, CotError *error) {
    AddDef q = {l, def};
    return mem_guard(&l->mem, add, &q) ? COT_OK : api_fail(error, COT_NO_MEMORY, "out of memory");
}

static RtStore *store_of(const RtExtern *x) {
    switch (x->kind) {
    case WASM_EXT_FUNC: return rt_func_store(&x->func);
    case WASM_EXT_TABLE: return rt_table_store(x->table);
    case WASM_EXT_MEMORY: return rt_memory_store(x->memory);
    case WASM_EXT_GLOBAL: return x->global.store;
    }
    return NULL;
}

CotStatus cot_linker_define(CotLinker *l, const char *from, const char *name, CotExtern what,
                            CotError *error) {
    RtExtern x;
    if (!api_extern_rt(&what, &x)) return api_fail(error, COT_MISUSE, "nothing is given");
    if (store_of(&x) != l->store)
        return api_fail(error, COT_MISUSE, "what is given belongs to another store");
    return define(l,
                  (Def){.from = from,
                        .from_len = strlen(from),
                        .name = name,
                        .name_len = strlen(name),
                        .what = what},
                  error);
}

CotStatus cot_linker_define_instance(CotLinker *l, const char *from, CotInstance *instance,
                                     CotError *error) {
    RtInstance *i = instance_rt(instance);
    if (rt_instance_store(i) != l->store)
        return api_fail(error, COT_MISUSE, "the instance belongs to another store");
    return define(l, (Def){.from = from, .from_len = strlen(from), .instance = i}, error);
}

void cot_linker_define_wasi(CotLinker *l, CotWasi *wasi) {
    l->wasi = (WasiCtx *)(uintptr_t)wasi;
}

static const Def *lookup(const CotLinker *l, WasmStr from, const char *name, size_t name_len) {
    const uint32_t *first = hashmap_find(&l->map, hash_of(from.p, from.n, name, name_len));
    for (uint32_t k = first ? *first : UINT32_MAX; k != UINT32_MAX; k = l->defs.p[k].next) {
        const Def *d = &l->defs.p[k];
        if (d->from_len == from.n && memcmp(d->from, from.p, from.n) == 0 && !d->name == !name &&
            d->name_len == name_len && (!name_len || memcmp(d->name, name, name_len) == 0))
            return d;
    }
    return NULL;
}

static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    CotLinker *l = user;
    const Def *d = lookup(l, im->module, im->name.n ? im->name.p : "", im->name.n);
    if (d) return api_extern_rt(&d->what, out);
    d = lookup(l, im->module, NULL, 0);
    if (d) return rt_export(d->instance, im->name.p, im->name.n, out);
    return l->wasi && wasi_link(l->store, l->wasi, im, out);
}

CotInstance *cot_linker_instantiate(CotLinker *l, const CotModule *module, CotError *error) {
    Diag d;
    diag_clear(&d);
    RtInstance *i = rt_instantiate(l->store, module_rt(module), resolve, l, &d);
    if (i) return instance_api(i);
    if (d.kind != DIAG_NONE)
        api_fail_diag(error, &d);
    else
        api_fail_run(error, l->store);
    return NULL;
}
