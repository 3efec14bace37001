/* wasm/decode.c — a module's sections into a WasmModule (core spec 5.5 and 3.4).
 *
 * Problem    Read untrusted bytes once; accept exactly the valid modules; never do work or take memory out of
 *            proportion to the bytes read.
 * Idea       One reader per section, bounded by the section's end. Vectors grow as entries are read, never by
 *            the count that is claimed: an entry takes at least one byte. Function types are compared by hash so that
 *            types of one shape share `canon`. Bodies are only recorded as ranges.
 * Invariants what is in the module is validated; indices point into it.
 * Cost       O(bytes) expected. No recursion.
 */
#include "wasm/wasm_int.h"

typedef struct Dec {
    WasmReader r;
    WasmModule *m;
    uint32_t features, bodies, data_count;
    HashMap types, names;
} Dec;
#define FAIL(kind, ...) diag_at(c->r.d, DIAG_##kind, rd_off(&c->r), __VA_ARGS__)

WasmFeatures wasm_features_default(void) {
    return (WasmFeatures){.mutable_globals = true,
                          .sign_extension = true,
                          .sat_float_to_int = true,
                          .multi_value = true,
                          .bulk_memory = true,
                          .reference_types = true,
                          .extended_const = true,
                          .multi_memory = true,
                          .simd = true,
                          .relaxed_simd = true};
}

static bool same_shape(const WasmModule *a, const WasmFuncType *x, const WasmModule *b,
                       const WasmFuncType *y) {
    return x->nparams == y->nparams && x->nresults == y->nresults &&
           (!x->nparams ||
            !memcmp(a->valtypes.p + x->params, b->valtypes.p + y->params, x->nparams)) &&
           (!x->nresults ||
            !memcmp(a->valtypes.p + x->results, b->valtypes.p + y->results, x->nresults));
}
bool wasm_functype_equal(const WasmModule *a, uint32_t ta, const WasmModule *b, uint32_t tb) {
    return same_shape(a, &a->types.p[ta], b, &b->types.p[tb]);
}

static bool count_to(Dec *c, uint32_t have, uint32_t max, const char *what, uint32_t *n) {
    if (!rd_u32(&c->r, n)) return false;
    return (uint64_t)have + *n <= max || FAIL(LIMIT, "too many %s: more than %u", what, max);
}

static bool name(Dec *c, WasmStr *s) {
    uint32_t n;
    if (!rd_u32(&c->r, &n)) return false;
    if (n > (size_t)(c->r.end - c->r.p)) return rd_bad(&c->r, LEB_EOF);
    if (n > WASM_MAX_NAME_BYTES)
        return FAIL(LIMIT, "name of %u bytes: more than %d", n, WASM_MAX_NAME_BYTES);
    if (!utf8_valid(c->r.p, n)) return FAIL(MALFORMED, "malformed UTF-8 encoding");
    *s = (WasmStr){(const char *)c->r.p, n};
    c->r.p += n;
    return true;
}

static bool valtypes(Dec *c, uint32_t max, const char *what, uint32_t *first, uint32_t *n) {
    WasmModule *m = c->m;
    *first = m->valtypes.n;
    if (!count_to(c, 0, max, what, n)) return false;
    for (uint32_t i = 0; i < *n; i++) {
        WasmType t;
        if (!rd_valtype(&c->r, c->features, &t)) return false;
        vec_push(m->mem, &m->valtypes, t);
    }
    return true;
}

static bool type_entry(Dec *c) {
    WasmModule *m = c->m;
    uint8_t form;
    WasmFuncType t = {0};
    uint64_t at = rd_off(&c->r);
    if (!rd_u8(&c->r, &form)) return false;
    if (form == 0x4E || form == 0x4F || form == 0x50 || form == 0x5E || form == 0x5F)
        return wasm_refuse(c->r.d, WASM_FEAT_GC, at, "struct, array or recursive type");
    if (form == 0x5D)
        return wasm_refuse(c->r.d, WASM_FEAT_STACK_SWITCHING, at, "continuation type");
    if (form != 0x60) return FAIL(MALFORMED, "invalid type form 0x%02x", form);
    if (!valtypes(c, WASM_MAX_PARAMS, "parameters", &t.params, &t.nparams)) return false;
    if (!valtypes(c, WASM_MAX_RESULTS, "results", &t.results, &t.nresults)) return false;
    if (t.nresults > 1 && !(c->features >> WASM_FEAT_MULTI_VALUE & 1))
        return wasm_refuse(c->r.d, WASM_FEAT_MULTI_VALUE, at, "function type with several results");
    uint64_t h = hash_bytes(m->valtypes.p + t.params, t.nparams + t.nresults, t.nparams);
    t.canon = m->types.n;
    for (;; h = hash_u64(h + 1)) { /* a clash of hashes moves on to the next */
        bool fresh;
        uint32_t *e = hashmap_get_or_insert(m->mem, &c->types, h, m->types.n, &fresh);
        if (fresh || same_shape(m, &t, m, &m->types.p[*e])) {
            if (!fresh) t.canon = *e;
            break;
        }
    }
    vec_push(m->mem, &m->types, t);
    return true;
}

static bool limits(Dec *c, bool memory, WasmLimitsT *l) {
    uint8_t flags;
    uint32_t x;
    uint64_t at = rd_off(&c->r);
    *l = (WasmLimitsT){0};
    if (!rd_u8(&c->r, &flags)) return false;
    if (flags & ~15u) return FAIL(MALFORMED, "malformed limits flags");
    if (flags & 8) return wasm_refuse(c->r.d, WASM_FEAT_CUSTOM_PAGE_SIZES, at, "limits flag");
    if (flags & 4) return wasm_refuse(c->r.d, WASM_FEAT_MEMORY64, at, "64-bit limits");
    if (flags & 2) return wasm_refuse(c->r.d, WASM_FEAT_THREADS, at, "shared limits");
    if (!rd_u32(&c->r, &x)) return false;
    l->min = x;
    l->has_max = flags & 1;
    if (l->has_max) {
        if (!rd_u32(&c->r, &x)) return false;
        l->max = x;
        if (l->max < l->min) return FAIL(INVALID, "size minimum must not be greater than maximum");
    }
    if (memory && (l->min > 65536 || (l->has_max && l->max > 65536)))
        return FAIL(INVALID, "memory size must be at most 65536 pages (4GiB)");
    return true;
}

static bool table_type(Dec *c, WasmTableType *t) {
    uint64_t at = rd_off(&c->r);
    if (c->r.p < c->r.end && *c->r.p == 0x40)
        return wasm_refuse(c->r.d, WASM_FEAT_FUNCTION_REFERENCES, at, "table initialiser");
    if (c->r.p < c->r.end && *c->r.p == WASM_FUNCREF)
        t->elem = *c->r.p++;
    else if (!rd_valtype(&c->r, c->features, &t->elem))
        return false;
    if (!wasm_is_ref(t->elem)) return FAIL(MALFORMED, "malformed reference type");
    if (c->m->tables.n && !(c->features >> WASM_FEAT_REFERENCE_TYPES & 1))
        return wasm_refuse(c->r.d, WASM_FEAT_REFERENCE_TYPES, at, "a second table");
    return limits(c, false, &t->lim);
}
static bool memory_type(Dec *c, WasmMemoryType *t) {
    if (c->m->memories.n && !(c->features >> WASM_FEAT_MULTI_MEMORY & 1))
        return wasm_refuse(c->r.d, WASM_FEAT_MULTI_MEMORY, rd_off(&c->r), "a second memory");
    return limits(c, true, &t->lim);
}
static bool global_type(Dec *c, WasmGlobalType *t) {
    uint8_t mut;
    if (!rd_valtype(&c->r, c->features, &t->type) || !rd_u8(&c->r, &mut)) return false;
    if (mut & 2) return wasm_refuse(c->r.d, WASM_FEAT_THREADS, rd_off(&c->r), "shared global");
    if (mut > 1) return FAIL(MALFORMED, "malformed mutability");
    t->mut = mut;
    return true;
}
static bool index_of(Dec *c, uint32_t n, const char *what, uint32_t *x) {
    return rd_u32(&c->r, x) && (*x < n || FAIL(INVALID, "unknown %s %u", what, *x));
}

static bool import_entry(Dec *c) {
    WasmModule *m = c->m;
    WasmImport im;
    uint8_t kind;
    if (!name(c, &im.module) || !name(c, &im.name) || !rd_u8(&c->r, &kind)) return false;
    im.kind = (WasmExternKind)kind;
    switch (kind) {
    case WASM_EXT_FUNC: {
        WasmFunc f = {.funcref = UINT32_MAX};
        if (!index_of(c, m->types.n, "type", &f.type)) return false;
        im.index = m->num_imported_funcs++;
        vec_push(m->mem, &m->funcs, f);
        break;
    }
    case WASM_EXT_TABLE: {
        WasmTableType t;
        if (!table_type(c, &t)) return false;
        im.index = m->num_imported_tables++;
        vec_push(m->mem, &m->tables, t);
        if (m->tables.n > WASM_MAX_TABLES)
            return FAIL(LIMIT, "too many tables: more than %d", WASM_MAX_TABLES);
        break;
    }
    case WASM_EXT_MEMORY: {
        WasmMemoryType t;
        if (!memory_type(c, &t)) return false;
        im.index = m->num_imported_memories++;
        vec_push(m->mem, &m->memories, t);
        if (m->memories.n > WASM_MAX_MEMORIES)
            return FAIL(LIMIT, "too many memories: more than %d", WASM_MAX_MEMORIES);
        break;
    }
    case WASM_EXT_GLOBAL: {
        WasmGlobal g = {0};
        if (!global_type(c, &g.type)) return false;
        if (g.type.mut && !(c->features >> WASM_FEAT_MUTABLE_GLOBALS & 1))
            return wasm_refuse(c->r.d, WASM_FEAT_MUTABLE_GLOBALS, rd_off(&c->r),
                               "import of a mutable global");
        im.index = m->num_imported_globals++;
        vec_push(m->mem, &m->globals, g);
        break;
    }
    case 4: return wasm_refuse(c->r.d, WASM_FEAT_EXCEPTIONS, rd_off(&c->r), "tag import");
    default: return FAIL(MALFORMED, "malformed import kind");
    }
    vec_push(m->mem, &m->imports, im);
    return true;
}

static void escape(WasmModule *m, uint32_t f) {
    m->funcs.p[f].funcref = 0;
}

static bool export_entry(Dec *c) {
    WasmModule *m = c->m;
    WasmExport e;
    uint8_t kind;
    if (!name(c, &e.name) || !rd_u8(&c->r, &kind)) return false;
    if (kind == 4) return wasm_refuse(c->r.d, WASM_FEAT_EXCEPTIONS, rd_off(&c->r), "tag export");
    if (kind > 4) return FAIL(MALFORMED, "malformed export kind");
    e.kind = (WasmExternKind)kind;
    const uint32_t n[] = {m->funcs.n, m->tables.n, m->memories.n, m->globals.n};
    static const char *const what[] = {"function", "table", "memory", "global"};
    if (!index_of(c, n[kind], what[kind], &e.index)) return false;
    if (kind == WASM_EXT_FUNC) escape(m, e.index);
    if (kind == WASM_EXT_GLOBAL && m->globals.p[e.index].type.mut &&
        !(c->features >> WASM_FEAT_MUTABLE_GLOBALS & 1))
        return wasm_refuse(c->r.d, WASM_FEAT_MUTABLE_GLOBALS, rd_off(&c->r),
                           "export of a mutable global");
    for (uint64_t h = hash_bytes(e.name.p, e.name.n, 0);; h = hash_u64(h + 1)) {
        bool fresh;
        uint32_t *k = hashmap_get_or_insert(m->mem, &c->names, h, m->exports.n, &fresh);
        if (fresh) break;
        const WasmStr *o = &m->exports.p[*k].name;
        if (o->n == e.name.n && !memcmp(o->p, e.name.p, o->n))
            return FAIL(INVALID, "duplicate export name");
    }
    vec_push(m->mem, &m->exports, e);
    return true;
}

static bool elem_entry(Dec *c) {
    WasmModule *m = c->m;
    WasmElemSeg s = {.mode = WASM_SEG_ACTIVE, .type = WASM_FUNCREF};
    uint32_t form, n;
    uint64_t at = rd_off(&c->r);
    if (!rd_u32(&c->r, &form)) return false;
    if (form > 7) return FAIL(MALFORMED, "malformed elements segment kind");
    if (form && !(c->features >> WASM_FEAT_BULK_MEMORY & 1))
        return wasm_refuse(c->r.d, WASM_FEAT_BULK_MEMORY, at, "element segment form");
    if (form & 1) s.mode = form & 2 ? WASM_SEG_DECLARED : WASM_SEG_PASSIVE;
    if (s.mode == WASM_SEG_ACTIVE) {
        if ((form & 2) && !rd_u32(&c->r, &s.table)) return false;
        if (s.table >= m->tables.n) return FAIL(INVALID, "unknown table %u", s.table);
        if (!wasm_const_expr(m, &c->r, c->features, WASM_I32, &s.offset)) return false;
    }
    if (form & 3) {
        if (form & 4) {
            if (!rd_valtype(&c->r, c->features, &s.type)) return false;
            if (!wasm_is_ref(s.type)) return FAIL(MALFORMED, "malformed reference type");
        } else {
            uint8_t kind;
            if (!rd_u8(&c->r, &kind)) return false;
            if (kind) return FAIL(MALFORMED, "malformed element kind");
        }
    }
    if (s.mode == WASM_SEG_ACTIVE && m->tables.p[s.table].elem != s.type)
        return FAIL(INVALID, "type mismatch");
    if (!count_to(c, 0, WASM_MAX_SEGMENT_ELEMS, "elements", &n)) return false;
    s.first = m->elem_exprs.n;
    s.n = n;
    for (uint32_t i = 0; i < n; i++) {
        WasmConstExpr e = {m->const_insts.n, 1, WASM_FUNCREF};
        if (form & 4) {
            if (!wasm_const_expr(m, &c->r, c->features, s.type, &e)) return false;
        } else {
            uint32_t f;
            if (!index_of(c, m->funcs.n, "function", &f)) return false;
            escape(m, f);
            vec_push(m->mem, &m->const_insts, (WasmConstInst){WASM_CE_REF_FUNC, f});
        }
        vec_push(m->mem, &m->elem_exprs, e);
    }
    vec_push(m->mem, &m->elems, s);
    return true;
}

static bool data_entry(Dec *c) {
    WasmModule *m = c->m;
    WasmDataSeg s = {.mode = WASM_SEG_ACTIVE};
    uint32_t form;
    uint64_t at = rd_off(&c->r);
    if (!rd_u32(&c->r, &form)) return false;
    if (form > 2) return FAIL(MALFORMED, "malformed data segment kind");
    if (form && !(c->features >> WASM_FEAT_BULK_MEMORY & 1))
        return wasm_refuse(c->r.d, WASM_FEAT_BULK_MEMORY, at, "data segment form");
    if (form == 1) s.mode = WASM_SEG_PASSIVE;
    if (form == 2 && !rd_u32(&c->r, &s.memory)) return false;
    if (form != 1) {
        if (s.memory >= m->memories.n) return FAIL(INVALID, "unknown memory %u", s.memory);
        if (!wasm_const_expr(m, &c->r, c->features, WASM_I32, &s.offset)) return false;
    }
    if (!rd_u32(&c->r, &s.len)) return false;
    if (s.len > (size_t)(c->r.end - c->r.p)) return rd_bad(&c->r, LEB_EOF);
    s.off = (uint32_t)rd_off(&c->r);
    c->r.p += s.len;
    vec_push(m->mem, &m->datas, s);
    return true;
}

static bool body_entry(Dec *c) {
    WasmModule *m = c->m;
    uint32_t len;
    if (!rd_u32(&c->r, &len)) return false;
    if (len > (size_t)(c->r.end - c->r.p)) return rd_bad(&c->r, LEB_EOF);
    if (len > WASM_MAX_FUNC_BYTES)
        return FAIL(LIMIT, "function body of more than %d bytes", WASM_MAX_FUNC_BYTES);
    if (!len) return FAIL(MALFORMED, "empty function body");
    WasmFunc *f = &m->funcs.p[m->num_imported_funcs + c->bodies++];
    f->body_off = (uint32_t)rd_off(&c->r);
    f->body_len = len;
    c->r.p += len;
    return true;
}

#define EACH(max, what, have, ...)                       \
    if (!count_to(c, have, max, what, &n)) return false; \
    for (uint32_t i = 0; i < n; i++) {                   \
        __VA_ARGS__                                      \
    }                                                    \
    return true

static bool section(Dec *c, uint8_t id) {
    WasmModule *m = c->m;
    uint32_t n, x;
    switch (id) {
    case 1: EACH(WASM_MAX_TYPES, "types", 0, if (!type_entry(c)) return false;);
    case 2: EACH(WASM_MAX_IMPORTS, "imports", 0, if (!import_entry(c)) return false;);
    case 3:
        EACH(WASM_MAX_FUNCS, "functions", m->funcs.n,
             if (!index_of(c, m->types.n, "type", &x)) return false;
             vec_push(m->mem, &m->funcs, (WasmFunc){.type = x, .funcref = UINT32_MAX}););
    case 4:
        EACH(WASM_MAX_TABLES, "tables", m->tables.n, WasmTableType t;
             if (!table_type(c, &t)) return false; vec_push(m->mem, &m->tables, t););
    case 5:
        EACH(WASM_MAX_MEMORIES, "memories", m->memories.n, WasmMemoryType t;
             if (!memory_type(c, &t)) return false; vec_push(m->mem, &m->memories, t););
    case 6:
        EACH(WASM_MAX_GLOBALS, "globals", m->globals.n, WasmGlobal g;
             if (!global_type(c, &g.type) ||
                 !wasm_const_expr(m, &c->r, c->features, g.type.type, &g.init)) return false;
             vec_push(m->mem, &m->globals, g););
    case 7: EACH(WASM_MAX_EXPORTS, "exports", 0, if (!export_entry(c)) return false;);
    case 8: {
        if (!index_of(c, m->funcs.n, "function", &m->start)) return false;
        const WasmFuncType *t = &m->types.p[m->funcs.p[m->start].type];
        return (!t->nparams && !t->nresults) ||
               FAIL(INVALID, "start function must have type [] -> []");
    }
    case 9: EACH(WASM_MAX_ELEM_SEGMENTS, "element segments", 0, if (!elem_entry(c)) return false;);
    case 12:
        m->has_data_count = true;
        return count_to(c, 0, WASM_MAX_DATA_SEGMENTS, "data segments", &c->data_count);
    case 10:
        m->code_off = (uint32_t)rd_off(&c->r);
        m->code_len = (uint32_t)(c->r.end - c->r.p);
        if (!rd_u32(&c->r, &n)) return false;
        if (n != m->funcs.n - m->num_imported_funcs)
            return FAIL(MALFORMED, "function and code section have inconsistent lengths");
        while (c->bodies < n)
            if (!body_entry(c)) return false;
        return true;
    case 11: EACH(WASM_MAX_DATA_SEGMENTS, "data segments", 0, if (!data_entry(c)) return false;);
    }
    return FAIL(MALFORMED, "malformed section id");
}

static bool sections(Dec *c) {
    static const uint8_t rank[14] = {0, 1, 2,  3,  4,  5,  7,
                                     8, 9, 10, 12, 13, 11, 6}; /* by id; 13 = tags */
    WasmModule *m = c->m;
    const uint8_t *end = c->r.end;
    uint8_t last = 0, id;
    uint32_t len;
    while (c->r.p < end) {
        uint64_t at = rd_off(&c->r);
        if (!rd_u8(&c->r, &id) || !rd_u32(&c->r, &len)) return false;
        if (len > (size_t)(end - c->r.p)) return rd_bad(&c->r, LEB_EOF);
        c->r.end = c->r.p + len;
        if (id == 0) {
            WasmCustom cu;
            if (!name(c, &cu.name)) return false;
            cu.off = (uint32_t)rd_off(&c->r);
            cu.len = (uint32_t)(c->r.end - c->r.p);
            vec_push(m->mem, &m->customs, cu);
            c->r.p = c->r.end;
        } else {
            if (id == 13) return wasm_refuse(c->r.d, WASM_FEAT_EXCEPTIONS, at, "tag section");
            if (id > 13) return diag_at(c->r.d, DIAG_MALFORMED, at, "malformed section id %u", id);
            if (rank[id] <= last)
                return diag_at(c->r.d, DIAG_MALFORMED, at,
                               "section %u is out of order or occurs twice", id);
            last = rank[id];
            if (!section(c, id)) return false;
            if (c->r.p != c->r.end) return FAIL(MALFORMED, "section size mismatch");
        }
        c->r.end = end;
    }
    if (c->bodies != m->funcs.n - m->num_imported_funcs)
        return FAIL(MALFORMED, "function and code section have inconsistent lengths");
    if (m->has_data_count && c->data_count != m->datas.n)
        return FAIL(MALFORMED, "data count and data section have inconsistent lengths");
    return true;
}

bool wasm_module_parse(WasmModule *m, Mem *mem, const uint8_t *bytes, size_t size,
                       const WasmFeatures *features, Diag *d) {
    *m = (WasmModule){
        .mem = mem, .bytes = bytes, .size = size, .features = *features, .start = UINT32_MAX};
    if (size > WASM_MAX_MODULE_BYTES)
        return diag_at(d, DIAG_LIMIT, 0, "module of more than %d bytes", WASM_MAX_MODULE_BYTES);
    vec_reserve(mem, &m->valtypes, 16); /* so that empty ranges of it are never null */
    static const uint8_t magic[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    if (size < 4 || memcmp(bytes, magic, 4))
        return diag_at(d, DIAG_MALFORMED, 0, "magic header not detected");
    if (size < 8 || memcmp(bytes + 4, magic + 4, 4))
        return diag_at(d, DIAG_MALFORMED, 4, "unknown binary version");
    Dec c = {
        .r = {bytes + 8, bytes + size, bytes, d}, .m = m, .features = wasm_feature_mask(features)};
    bool ok = sections(&c);
    hashmap_free(mem, &c.types);
    hashmap_free(mem, &c.names);
    if (!ok) return false;
    for (uint32_t i = 0; i < m->funcs.n; i++)
        if (m->funcs.p[i].funcref != UINT32_MAX) m->funcs.p[i].funcref = m->num_funcrefs++;
    for (uint32_t i = 0; i < m->customs.n; i++)
        if (m->customs.p[i].name.n == 4 && !memcmp(m->customs.p[i].name.p, "name", 4))
            wasm_read_names(m, m->customs.p[i].off, m->customs.p[i].len);
    wasm_name_exports(m);
    return true;
}

void wasm_module_free(WasmModule *m) {
    if (!m->mem) return;
    Mem *mem = m->mem;
    vec_free(mem, &m->types);
    vec_free(mem, &m->valtypes);
    vec_free(mem, &m->imports);
    vec_free(mem, &m->funcs);
    vec_free(mem, &m->tables);
    vec_free(mem, &m->memories);
    vec_free(mem, &m->globals);
    vec_free(mem, &m->exports);
    vec_free(mem, &m->elems);
    vec_free(mem, &m->elem_exprs);
    vec_free(mem, &m->datas);
    vec_free(mem, &m->const_insts);
    vec_free(mem, &m->customs);
    vec_free(mem, &m->func_names);
}
