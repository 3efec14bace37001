/* image/open.c — is this an image, for this runtime, and whole? Everything that is followed later is followed here first.
 *
 * Idea        Checks go from the outside in: magic and version, sizes, sums, where the tables lie, then each table by one small
 *             function. A table's entries may refer only to tables checked for their place already, so that order among these
 *             functions does not matter.
 * Invariants  Indices and offsets that the runtime follows are in range; constant expressions are well typed, so that nothing but a
 *             reference ever becomes one. CODES, TRAP_* and LOC_* are only searched and not read here.
 * Cost        linear in the tables read; with IMG_VERIFIED one pass over all bytes. */
#include <string.h>
#include "base/hashmap.h"
#include "image/cpu.h"
#include "image/image.h"
#include "image/routine.h"
#include "image/sum.h"

typedef struct Check {
    const Image *m;
    Diag *d;
} Check;

static bool damaged(const Check *c, const char *what) {
    return diag_msg(c->d, DIAG_MALFORMED, "damaged precompiled module: %s", what);
}

bool img_has_magic(const void *bytes, size_t size) {
    return size >= 8 && memcmp(bytes, IMG_MAGIC, 8) == 0;
}

/* The layout of what images, contexts and compiled code share, as one number. */
uint64_t img_layout_hash(void) {
    static const uint32_t layout[] = {
        VM_OFF_LIMITS,    VM_OFF_INSTANCE,     VM_OFF_BUILTINS,
        VM_OFF_FIRST,     VM_LIMITS_STACK,     VM_LIMITS_INTERRUPT,
        VM_LIMITS_CALLER, sizeof(VmMemory),    VM_MEMORY_BASE,
        VM_MEMORY_BYTES,  sizeof(VmMemoryRef), VM_MEMREF_DEF,
        VM_MEMREF_BASE,   sizeof(VmTable),     VM_TABLE_ELEMS,
        VM_TABLE_LENGTH,  sizeof(VmFuncRef),   VM_FUNCREF_CODE,
        VM_FUNCREF_VMCTX, VM_FUNCREF_SIG,      sizeof(VmImport),
        VM_IMPORT_CODE,   VM_IMPORT_VMCTX,     sizeof(VmHostFunc),
        VM_BUILTIN_COUNT, sizeof(ImgHeader),   IMG_PAGE,
        WASM_CE_I64_MUL,  IMG_ROUTINE_COUNT,
#define IMG_SECTION(NAME, field, T) sizeof(T),
#include "image/sections.def"
#undef IMG_SECTION
    };
    static const char builtins[] =
#define VM_BUILTIN(NAME, name, params, result, can_trap) #name "(" params ")" result ";"
#include "image/builtins.def"
#undef VM_BUILTIN
        ;
    return img_sum(builtins, sizeof builtins, img_sum(layout, sizeof layout, IMG_ABI)) ^
           hash_bytes("export", 6, 0); /* BUCKETS depend on it */
}

/* ---- header ---- */
/* Of another version than ours nothing but magic and version is known. */
static bool compatible(const ImgHeader *h, Diag *d) {
    if (h->abi != IMG_ABI)
        return diag_msg(d, DIAG_UNSUPPORTED,
                        "precompiled for version %u of the runtime's interface, this one has "
                        "version %u: compile the module again",
                        h->abi, IMG_ABI);
    if (h->arch != img_host_arch())
        return diag_msg(d, DIAG_UNSUPPORTED, "precompiled for another architecture (number %u)",
                        h->arch);
    if (h->layout != img_layout_hash() || h->flags & ~(uint32_t)IMG_KNOWN_FLAGS)
        return diag_msg(d, DIAG_UNSUPPORTED,
                        "precompiled for a runtime of another build: compile the module again");
    uint64_t lacks = h->cpu & ~img_host_cpu();
    if (lacks)
        return diag_msg(d, DIAG_UNSUPPORTED,
                        "precompiled for a processor with '%s', which this one lacks",
                        img_cpu_name(h->arch, lacks));
    return true;
}

static bool sizes(const Check *c, const ImgHeader *h, size_t size) {
    if (h->meta_size < sizeof *h || h->meta_size > size || h->meta_size > UINT32_MAX ||
        h->meta_size % 8)
        return damaged(c, "size of its tables");
    if (h->code_off % IMG_PAGE || h->code_off < h->meta_size || h->code_size > INT32_MAX ||
        h->code_off > size || h->code_size != size - h->code_off)
        return damaged(c, "size of its code");
    return true;
}

static uint64_t meta_sum(const ImgHeader *h, const uint8_t *bytes) {
    ImgHeader copy = *h;
    copy.meta_sum = 0;
    return img_sum(bytes + sizeof copy, (size_t)h->code_off - sizeof copy,
                   img_sum(&copy, sizeof copy, 0));
}

void img_set_sums(ImgHeader *h, const uint8_t *bytes) {
    h->code_sum = img_sum(bytes + h->code_off, (size_t)h->code_size, 0);
    h->meta_sum = meta_sum(h, bytes);
}

void img_view(Image *m, const void *at) {
    const uint8_t *bytes = at;
    const ImgHeader *h = at;
    m->h = h;
    m->code = bytes + h->code_off;
#define IMG_SECTION(NAME, field, T)                                            \
    m->field = (const T *)(const void *)(bytes + h->sections[IMG_##NAME].off); \
    m->n##field = h->sections[IMG_##NAME].n;
#include "image/sections.def"
#undef IMG_SECTION
    m->layout = vm_layout(&(VmCounts){m->ntypes, m->nmemories, m->ntables, h->imported_funcs,
                                      m->nglobals, h->funcrefs});
}

static bool spans(const Check *c, const ImgHeader *h) {
    static const uint8_t bytes_of[IMG_SECTION_COUNT] = {
#define IMG_SECTION(NAME, field, T) [IMG_##NAME] = sizeof(T),
#include "image/sections.def"
#undef IMG_SECTION
    };
    for (unsigned k = 0; k < IMG_SECTION_COUNT; k++) {
        ImgSpan s = h->sections[k];
        if (s.off % 8 || s.off < sizeof *h || s.off > h->meta_size ||
            (uint64_t)s.n * bytes_of[k] > h->meta_size - s.off)
            return damaged(c, "place of a table");
    }
    return true;
}

/* ---- tables ---- */
static bool str_ok(const Image *m, ImgStr s) {
    return s.off <= m->nstrings && s.n <= m->nstrings - s.off && (s.off || !s.n);
}

static bool check_types(const Check *c) {
    const Image *m = c->m;
    for (uint32_t i = 0; i < m->nvaltypes; i++)
        if (!wasm_is_type(m->valtypes[i])) return damaged(c, "value type");
    for (uint32_t i = 0; i < m->ntypes; i++) {
        const ImgType *t = &m->types[i];
        if (t->nparams > WASM_MAX_PARAMS || t->nresults > WASM_MAX_RESULTS ||
            t->first > m->nvaltypes || (uint32_t)t->nparams + t->nresults > m->nvaltypes - t->first)
            return damaged(c, "function type");
        if (t->entry >= m->h->code_size || t->host >= m->h->code_size)
            return damaged(c, "place of an adapter");
    }
    return true;
}

/* Number of things of a kind, imported ones included. */
static uint32_t count_of(const Image *m, uint32_t kind) {
    const uint32_t n[] = {m->nfuncs, m->ntables, m->nmemories, m->nglobals};
    return kind < 4 ? n[kind] : 0;
}

static bool check_imports(const Check *c) {
    const Image *m = c->m;
    uint32_t seen[4] = {0};
    for (uint32_t i = 0; i < m->nimports; i++) {
        const ImgImport *im = &m->imports[i];
        if (im->kind > 3 || !str_ok(m, im->module) || !str_ok(m, im->name) || !im->module.off ||
            !im->name.off || im->index != seen[im->kind]++)
            return damaged(c, "import");
    }
    const ImgHeader *h = m->h;
    const uint32_t want[4] = {h->imported_funcs, h->imported_tables, h->imported_memories,
                              h->imported_globals};
    for (uint32_t k = 0; k < 4; k++)
        if (seen[k] != want[k] || want[k] > count_of(m, k)) return damaged(c, "number of imports");
    return true;
}

static bool check_funcs(const Check *c) {
    const Image *m = c->m;
    uint32_t refs = 0;
    for (uint32_t i = 0; i < m->nfuncs; i++) {
        const ImgFunc *f = &m->funcs[i];
        if (f->type >= m->ntypes) return damaged(c, "type of a function");
        if (f->funcref == IMG_NONE) continue;
        if (f->funcref != refs++) return damaged(c, "reference to a function");
    }
    if (refs != m->h->funcrefs) return damaged(c, "number of references");
    if (m->ncodes != m->nfuncs - m->h->imported_funcs || m->nnames > m->nfuncs)
        return damaged(c, "number of functions");
    for (uint32_t i = 0; i < m->ncodes; i++)
        if (m->codes[i].off > m->h->code_size ||
            m->codes[i].size > m->h->code_size - m->codes[i].off)
            return damaged(c, "place of a function");
    for (uint32_t i = 0; i < m->nnames; i++)
        if (!str_ok(m, m->names[i])) return damaged(c, "name of a function");
    uint32_t s = m->h->start;
    if (s == IMG_NONE) return true;
    const ImgType *t = s < m->nfuncs ? &m->types[m->funcs[s].type] : NULL;
    return (t && !t->nparams && !t->nresults) || damaged(c, "start function");
}

static bool limits_ok(uint64_t min, uint64_t max, uint32_t flags) {
    return flags <= IMG_HAS_MAX && (!(flags & IMG_HAS_MAX) || min <= max);
}

static bool check_exports(const Check *c) {
    const Image *m = c->m;
    for (uint32_t i = 0; i < m->nexports; i++) {
        const ImgExport *e = &m->exports[i];
        if (!str_ok(m, e->name) || !e->name.off || e->index >= count_of(m, e->kind) ||
            (e->next != IMG_NONE && e->next >= i))
            return damaged(c, "export");
    }
    if (!m->nbuckets || m->nbuckets & (m->nbuckets - 1)) return damaged(c, "index of exports");
    for (uint32_t i = 0; i < m->nbuckets; i++)
        if (m->buckets[i] != IMG_NONE && m->buckets[i] >= m->nexports)
            return damaged(c, "index of exports");
    return true;
}

/* ---- constant expressions ---- */
static bool func_ref_ok(const Image *m, uint64_t f) {
    return f < m->nfuncs && m->funcs[f].funcref != IMG_NONE;
}

static bool expr_ok(const Image *m, ImgExpr e, WasmType want) {
    if (!e.n || e.n > m->h->const_depth || e.first > m->nconsts || e.n > m->nconsts - e.first)
        return false;
    WasmType st[WASM_CONST_DEPTH];
    uint32_t n = 0;
    for (const ImgConst *k = m->consts + e.first, *end = k + e.n; k < end; k++) {
        WasmType t = WASM_I32;
        switch (k->op) {
        case WASM_CE_I32: break;
        case WASM_CE_I64: t = WASM_I64; break;
        case WASM_CE_F32: t = WASM_F32; break;
        case WASM_CE_F64: t = WASM_F64; break;
        case WASM_CE_V128:
            if (m->nbytes < 16 || k->imm > m->nbytes - 16) return false;
            t = WASM_V128;
            break;
        case WASM_CE_REF_NULL:
            if (!wasm_is_ref(want)) return false;
            t = want;
            break;
        case WASM_CE_REF_FUNC:
            if (!func_ref_ok(m, k->imm)) return false;
            t = WASM_FUNCREF;
            break;
        case WASM_CE_GLOBAL_GET:
            if (k->imm >= m->h->imported_globals) return false;
            t = (WasmType)m->globals[k->imm].type;
            break;
        case WASM_CE_I32_ADD:
        case WASM_CE_I32_SUB:
        case WASM_CE_I32_MUL:
        case WASM_CE_I64_ADD:
        case WASM_CE_I64_SUB:
        case WASM_CE_I64_MUL:
            t = k->op < WASM_CE_I64_ADD ? WASM_I32 : WASM_I64;
            if (n < 2 || st[n - 1] != t || st[n - 2] != t) return false;
            n -= 2;
            break;
        default: return false;
        }
        if (n == WASM_CONST_DEPTH) return false;
        st[n++] = t;
    }
    return n == 1 && st[0] == want;
}

static bool check_entities(const Check *c) {
    const Image *m = c->m;
    if (!m->h->const_depth || m->h->const_depth > m->nconsts + 1)
        return damaged(c, "length of a constant expression");
    for (uint32_t i = 0; i < m->ntables; i++)
        if (!wasm_is_ref((WasmType)m->tables[i].elem) || m->tables[i].elem > 0xFF ||
            !limits_ok(m->tables[i].min, m->tables[i].max, m->tables[i].flags))
            return damaged(c, "table");
    for (uint32_t i = 0; i < m->nmemories; i++)
        if (!limits_ok(m->memories[i].min, m->memories[i].max, m->memories[i].flags))
            return damaged(c, "memory");
    for (uint32_t i = 0; i < m->nglobals; i++) {
        const ImgGlobal *g = &m->globals[i];
        if (g->type > 0xFF || !wasm_is_type((WasmType)g->type) || g->mut > 1)
            return damaged(c, "type of a global");
        if (i < m->h->imported_globals ? g->init.n != 0 : !expr_ok(m, g->init, (WasmType)g->type))
            return damaged(c, "global");
    }
    return true;
}

static bool elements_ok(const Image *m, const ImgElem *e) {
    uint32_t have = e->exprs ? m->nelem_exprs : m->nelem_funcs;
    if (e->first > have || e->n > have - e->first) return false;
    for (uint32_t k = e->first; k < e->first + e->n; k++) {
        if (e->exprs) {
            if (!expr_ok(m, m->elem_exprs[k], (WasmType)e->type)) return false;
        } else if (m->elem_funcs[k] != IMG_NONE &&
                   (e->type != WASM_FUNCREF || !func_ref_ok(m, m->elem_funcs[k])))
            return false;
    }
    return true;
}

static bool check_segments(const Check *c) {
    const Image *m = c->m;
    for (uint32_t i = 0; i < m->nelems; i++) {
        const ImgElem *e = &m->elems[i];
        bool active = e->mode == WASM_SEG_ACTIVE;
        if (e->mode > WASM_SEG_DECLARED || e->exprs > 1 || e->type > 0xFF ||
            !wasm_is_ref((WasmType)e->type) || !elements_ok(m, e) ||
            (active && (e->table >= m->ntables || m->tables[e->table].elem != e->type ||
                        !expr_ok(m, e->offset, WASM_I32))))
            return damaged(c, "element segment");
    }
    for (uint32_t i = 0; i < m->ndatas; i++) {
        const ImgData *s = &m->datas[i];
        if (s->mode > WASM_SEG_ACTIVE || s->off > m->nbytes || s->n > m->nbytes - s->off ||
            (s->mode == WASM_SEG_ACTIVE &&
             (s->memory >= m->nmemories || !expr_ok(m, s->offset, WASM_I32))))
            return damaged(c, "data segment");
    }
    for (uint32_t i = 0; i < m->nsource; i++)
        if (m->source[i].off > m->nbytes || m->source[i].n > m->nbytes - m->source[i].off)
            return damaged(c, "debugging information");
    for (uint32_t i = 0; i < m->nroutines; i++)
        if (!m->routines[i] || m->routines[i] >= IMG_ROUTINE_COUNT)
            return damaged(c, "routine of the runtime");
    return m->nroutines <= IMG_PAGE / 8 || damaged(c, "number of routines");
}

bool img_open_linked(Image *m, const void *tables, const void *code, Diag *d) {
    const ImgHeader *h = tables;
    memset(m, 0, sizeof *m);
    if (!img_has_magic(tables, sizeof *h))
        return diag_msg(d, DIAG_MALFORMED, "not a precompiled module");
    if (!compatible(h, d)) return false;
    img_view(m, tables);
    m->code = code;
    return true;
}

bool img_open(Image *m, const void *bytes, size_t size, ImgTrust trust, Diag *d) {
    static bool (*const tables[])(const Check *) = {check_types,   check_imports,  check_funcs,
                                                    check_exports, check_entities, check_segments};
    const ImgHeader *h = bytes;
    Check c = {m, d};
    memset(m, 0, sizeof *m);
    if (!img_has_magic(bytes, size)) return diag_msg(d, DIAG_MALFORMED, "not a precompiled module");
    if (size < 16) return damaged(&c, "it is cut off");
    if (h->abi != IMG_ABI) return compatible(h, d); /* the rest of the header may be another */
    if (size < sizeof *h || img_size(h) > size) return damaged(&c, "it is cut off");
    if (!sizes(&c, h, size)) return false;
    if (trust == IMG_VERIFIED && h->meta_sum != meta_sum(h, bytes))
        return damaged(&c, "the sum of its tables differs");
    if (!compatible(h, d)) return false;
    if (trust == IMG_VERIFIED &&
        h->code_sum != img_sum((const uint8_t *)bytes + h->code_off, (size_t)h->code_size, 0))
        return damaged(&c, "the sum of its code differs");
    if (trust != IMG_TRUSTED && !spans(&c, h)) return false;
    img_view(m, bytes);
    for (size_t k = 0; trust != IMG_TRUSTED && k < sizeof tables / sizeof *tables; k++)
        if (!tables[k](&c)) return false;
    return true;
}
