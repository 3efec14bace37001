/* compiler/image.c — a compiled module as an image (image/image.h).
 *
 * Idea        One pass over module and unit, run twice: first it only counts what goes to each table, then it writes. So an image is
 *             made in place, in memory that will be executed or in a buffer for a file, and nothing is built and copied.
 * Invariants  Both runs see the same; bytes between tables stay zero; the image depends on the module, the settings and nothing else.
 * Cost        linear. */
#include "compiler/comp_int.h"
#include "compiler/facts.h"
#include "image/cpu.h"
#include "image/routine.h"

typedef struct Packer {
    const Compiled *c;
    uint8_t *to; /* NULL: only count */
    uint32_t n[IMG_SECTION_COUNT];
    uint32_t off[IMG_SECTION_COUNT];
    uint32_t const_depth;
} Packer;

/* Room for k more elements of a table; NULL while counting. */
static void *put(Packer *p, unsigned section, uint32_t k, size_t elem) {
    void *at = p->to ? p->to + p->off[section] + p->n[section] * elem : NULL;
    p->n[section] += k;
    return at;
}
#define PUT(p, SECTION, T, ...)                         \
    do {                                                \
        T *at_ = put((p), IMG_##SECTION, 1, sizeof(T)); \
        if (at_) *at_ = (T)__VA_ARGS__;                 \
    } while (0)

static uint32_t put_bytes(Packer *p, unsigned section, const void *from, uint32_t n) {
    uint32_t at = p->n[section];
    void *to = put(p, section, n, 1);
    if (to && n) memcpy(to, from, n);
    return at;
}

static ImgStr put_str(Packer *p, WasmStr s) {
    return (ImgStr){put_bytes(p, IMG_STRINGS, s.p, s.n), s.n};
}

/* ---- types, functions, names ---- */
static void put_types(Packer *p) {
    const WasmModule *m = &p->c->wasm;
    const CodeUnit *u = &p->c->unit;
    for (uint32_t i = 0; i < m->types.n; i++) {
        const WasmFuncType *t = &m->types.p[i];
        uint32_t first = put_bytes(p, IMG_VALTYPES, m->valtypes.p + t->params, t->nparams);
        put_bytes(p, IMG_VALTYPES, m->valtypes.p + t->results, t->nresults);
        PUT(p, TYPES, ImgType,
            {first, (uint16_t)t->nparams, (uint16_t)t->nresults, u->entry.p[i].off,
             u->host.p[i].off});
    }
}

static void put_funcs(Packer *p) {
    const WasmModule *m = &p->c->wasm;
    const CodeUnit *u = &p->c->unit;
    for (uint32_t i = 0; i < m->funcs.n; i++)
        PUT(p, FUNCS, ImgFunc, {m->funcs.p[i].type, m->funcs.p[i].funcref});
    for (uint32_t i = 0; i < u->funcs.n; i++)
        PUT(p, CODES, ImgCode, {u->funcs.p[i].off, u->funcs.p[i].size});
    for (uint32_t i = 0; i < m->func_names.n; i++) {
        WasmStr s = m->func_names.p[i];
        ImgStr none = {0, 0}, at = s.p ? put_str(p, s) : none;
        PUT(p, NAMES, ImgStr, {at.off, at.n});
    }
}

/* ---- imports and exports ---- */
static void put_imports(Packer *p) {
    const WasmModule *m = &p->c->wasm;
    for (uint32_t i = 0; i < m->imports.n; i++) {
        const WasmImport *im = &m->imports.p[i];
        ImgStr module = put_str(p, im->module), name = put_str(p, im->name);
        PUT(p, IMPORTS, ImgImport, {module, name, im->kind, im->index});
    }
}

/* The name of an exported function is often that export's: then its text is there already. */
static ImgStr export_name(Packer *p, const WasmExport *e) {
    const WasmModule *m = &p->c->wasm;
    if (e->kind != WASM_EXT_FUNC || e->index >= m->func_names.n ||
        m->func_names.p[e->index].p != e->name.p)
        return put_str(p, e->name);
    ImgStr at = {0, 0};
    if (p->to) memcpy(&at, p->to + p->off[IMG_NAMES] + e->index * sizeof at, sizeof at);
    return at;
}

static void put_exports(Packer *p) {
    const WasmModule *m = &p->c->wasm;
    uint32_t n = 1;
    while (n < m->exports.n) n *= 2;
    uint32_t *bucket = put(p, IMG_BUCKETS, n, sizeof *bucket);
    if (bucket) memset(bucket, 0xFF, n * sizeof *bucket); /* IMG_NONE */
    for (uint32_t i = 0; i < m->exports.n; i++) {
        const WasmExport *e = &m->exports.p[i];
        ImgStr name = export_name(p, e);
        uint32_t *b = bucket ? &bucket[img_bucket(e->name.p, e->name.n, n)] : NULL;
        PUT(p, EXPORTS, ImgExport, {name, e->kind, e->index, b ? *b : IMG_NONE});
        if (b) *b = i;
    }
}

/* ---- constant expressions, entities, segments ---- */
static ImgExpr put_expr(Packer *p, WasmConstExpr e) {
    const WasmModule *m = &p->c->wasm;
    ImgExpr r = {p->n[IMG_CONSTS], e.n};
    for (uint32_t k = 0; k < e.n; k++) {
        const WasmConstInst *c = &m->const_insts.p[e.first + k];
        uint64_t imm = c->imm;
        if (c->op == WASM_CE_V128) imm = put_bytes(p, IMG_BYTES, m->bytes + imm, 16);
        PUT(p, CONSTS, ImgConst, {c->op, 0, imm});
    }
    if (e.n > p->const_depth) p->const_depth = e.n;
    return r;
}

static uint32_t max_flag(const WasmLimitsT *l) {
    return l->has_max ? IMG_HAS_MAX : 0;
}

static void put_entities(Packer *p) {
    const WasmModule *m = &p->c->wasm;
    for (uint32_t i = 0; i < m->tables.n; i++) {
        const WasmTableType *t = &m->tables.p[i];
        PUT(p, TABLES, ImgTable, {t->lim.min, t->lim.max, t->elem, max_flag(&t->lim)});
    }
    for (uint32_t i = 0; i < m->memories.n; i++) {
        const WasmLimitsT *l = &m->memories.p[i].lim;
        PUT(p, MEMORIES, ImgMemory, {l->min, l->max, max_flag(l), 0});
    }
    for (uint32_t i = 0; i < m->globals.n; i++) {
        const WasmGlobal *g = &m->globals.p[i];
        ImgExpr init = put_expr(p, g->init);
        PUT(p, GLOBALS, ImgGlobal, {g->type.type, g->type.mut, init});
    }
}

/* Are all elements functions or nulls? */
static bool is_plain(const WasmModule *m, const WasmElemSeg *s) {
    for (uint32_t k = 0; k < s->n; k++) {
        WasmConstExpr e = m->elem_exprs.p[s->first + k];
        uint32_t op = m->const_insts.p[e.first].op;
        if (e.n != 1 || (op != WASM_CE_REF_FUNC && op != WASM_CE_REF_NULL)) return false;
    }
    return true;
}

static void put_segments(Packer *p) {
    const WasmModule *m = &p->c->wasm;
    for (uint32_t i = 0; i < m->elems.n; i++) {
        const WasmElemSeg *s = &m->elems.p[i];
        bool plain = is_plain(m, s);
        ImgExpr none = {0, 0}, offset = s->mode == WASM_SEG_ACTIVE ? put_expr(p, s->offset) : none;
        uint32_t first = p->n[plain ? IMG_ELEM_FUNCS : IMG_ELEM_EXPRS];
        for (uint32_t k = 0; k < s->n; k++) {
            WasmConstExpr e = m->elem_exprs.p[s->first + k];
            const WasmConstInst *c = &m->const_insts.p[e.first];
            if (plain) {
                PUT(p, ELEM_FUNCS, uint32_t,
                    {c->op == WASM_CE_REF_FUNC ? (uint32_t)c->imm : IMG_NONE});
            } else {
                ImgExpr x = put_expr(p, e);
                PUT(p, ELEM_EXPRS, ImgExpr, {x.first, x.n});
            }
        }
        PUT(p, ELEMS, ImgElem, {s->mode, s->type, s->table, offset, !plain, first, s->n});
    }
    for (uint32_t i = 0; i < m->datas.n; i++) {
        const WasmDataSeg *s = &m->datas.p[i];
        ImgExpr none = {0, 0}, offset = s->mode == WASM_SEG_ACTIVE ? put_expr(p, s->offset) : none;
        uint32_t at = put_bytes(p, IMG_BYTES, m->bytes + s->off, s->len);
        PUT(p, DATAS, ImgData, {s->mode, s->memory, offset, at, s->len});
    }
}

static void put_map(Packer *p, const UnitMap *w, unsigned index, unsigned bytes) {
    ImgBlock *at = put(p, index, w->index.n, sizeof *at);
    if (at && w->index.n) memcpy(at, w->index.p, w->index.n * sizeof *at);
    put_bytes(p, bytes, w->bytes.p, w->bytes.n);
}

static bool source_of(const Compiled *c, DwarfInput *in) {
    if (!c->by->cfg.keep_source || !wasm_debug_sections(&c->wasm, in)) return false;
    for (unsigned s = 0; s < DWARF_SECTION_COUNT && c->by->cfg.only_places; s++)
        in->s[s] = (DwarfBytes){c->plan.places.s[s].p, c->plan.places.s[s].n};
    return true;
}

/* What finding places in the source needs of the debugging sections. */
static void put_source(Packer *p) {
    DwarfInput in;
    const VecU8 *facts = &p->c->plan.facts;
    if (facts->n) {
        uint32_t at = put_bytes(p, IMG_BYTES, facts->p, facts->n);
        PUT(p, SOURCE, ImgSource, {IMG_SOURCE_FACTS, at, facts->n});
    }
    if (!source_of(p->c, &in)) return;
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) {
        if (!in.s[s].n || s == DWARF_LOC || s == DWARF_LOCLISTS || s >= DWARF_ARANGES) continue;
        uint32_t at = put_bytes(p, IMG_BYTES, in.s[s].p, (uint32_t)in.s[s].n);
        PUT(p, SOURCE, ImgSource, {s, at, (uint32_t)in.s[s].n});
    }
}

static void put_all(Packer *p) {
    const ImagePlan *plan = &p->c->plan;
    const CodeUnit *u = &p->c->unit;
    put_bytes(p, IMG_STRINGS, "", 1);
    put_types(p);
    put_funcs(p);
    put_imports(p);
    put_exports(p);
    put_entities(p);
    put_segments(p);
    put_source(p);
    for (uint32_t k = 0; k < plan->routines.n; k++)
        PUT(p, ROUTINES, uint32_t, {plan->routines.p[k]});
    put_map(p, &u->traps, IMG_TRAP_INDEX, IMG_TRAP_BYTES);
    put_map(p, &u->locs, IMG_LOC_INDEX, IMG_LOC_BYTES);
}

/* ---- plan ---- */
static void plan_facts(Compiled *c) {
    CodeFacts f;
    facts_of(c, &c->mem, true, &f);
    facts_put(&f, &c->plan.facts);
    facts_free(&f);
}

static void plan_places(Compiled *c) {
    DwarfInput in;
    dwarf_output_init(&c->plan.places, &c->mem);
    if (wasm_debug_sections(&c->wasm, &in)) dwarf_write_places(&in, &c->plan.places);
}

static bool plan_routines(Compiled *c, Diag *d) {
    const CodeUnit *u = &c->unit;
    ImagePlan *plan = &c->plan;
    for (uint32_t i = 0; i < u->relocs.n; i++) {
        const UnitReloc *r = &u->relocs.p[i];
        COT_ASSERT(r->kind == MACH_RELOC_X86_GOTPCREL4); /* the code is position-independent */
        if (plan->slot_of[r->libcall]) continue;
        const char *symbol = clif_libcall_symbol[r->libcall];
        uint32_t routine = img_routine_named(symbol);
        if (!routine) return diag_msg(d, DIAG_LINK, "the runtime has no routine '%s'", symbol);
        vec_push(&c->mem, &plan->routines, routine);
        plan->slot_of[r->libcall] = plan->routines.n;
    }
    return true;
}

static const uint8_t element_bytes[IMG_SECTION_COUNT] = {
#define IMG_SECTION(NAME, field, T) [IMG_##NAME] = sizeof(T),
#include "image/sections.def"
#undef IMG_SECTION
};

bool image_plan(Compiled *c, Diag *d) {
    ImagePlan *plan = &c->plan;
    if (!plan_routines(c, d)) return false;
    if (c->by->cfg.keep_facts) plan_facts(c);
    if (c->by->cfg.only_places) plan_places(c);
    Packer p = {.c = c, .const_depth = 1};
    put_all(&p);
    uint64_t at = sizeof(ImgHeader);
    for (unsigned k = 0; k < IMG_SECTION_COUNT; k++) {
        if (at > UINT32_MAX) break;
        plan->count[k] = p.n[k];
        plan->off[k] = (uint32_t)at;
        at = (at + (uint64_t)p.n[k] * element_bytes[k] + 7) & ~(uint64_t)7;
    }
    if (at > UINT32_MAX) return diag_msg(d, DIAG_LIMIT, "the module's tables need more than 4 GiB");
    plan->const_depth = p.const_depth;
    plan->meta_size = at;
    plan->code_off = (at + IMG_PAGE - 1) & ~(uint64_t)(IMG_PAGE - 1);
    plan->size = plan->code_off + c->unit.code.n;
    return true;
}

/* ---- writing ---- */
static uint64_t cpu_bits(const Compiler *by, uint32_t arch) {
    uint64_t set = 0;
    for (unsigned b = 0; by->isa->flag_names[b]; b++)
        if (by->mach.isa_flags >> b & 1) set |= img_cpu_bit(arch, by->isa->flag_names[b]);
    return set;
}

static void write_code(const Compiled *c, uint8_t *to) {
    const CodeUnit *u = &c->unit;
    const ImagePlan *plan = &c->plan;
    uint64_t slots = ((plan->size + IMG_PAGE - 1) & ~(uint64_t)(IMG_PAGE - 1)) - plan->code_off;
    if (u->code.n) memcpy(to, u->code.p, u->code.n);
    for (uint32_t i = 0; i < u->relocs.n; i++) {
        const UnitReloc *r = &u->relocs.p[i];
        uint64_t slot = slots + 8 * (plan->slot_of[r->libcall] - 1);
        int32_t v = (int32_t)((int64_t)slot + r->addend - r->offset);
        memcpy(to + r->offset, &v, sizeof v);
    }
}

void image_write_tables(const Compiled *c, uint8_t *to) {
    const ImagePlan *plan = &c->plan;
    const WasmModule *m = &c->wasm;
    const Compiler *by = c->by;
    Packer p = {.c = c, .to = to};
    memcpy(p.off, plan->off, sizeof p.off);
    put_all(&p);
    ImgHeader h = {.magic = IMG_MAGIC,
                   .abi = IMG_ABI,
                   .arch = img_host_arch(),
                   .layout = img_layout_hash(),
                   .start = m->start,
                   .imported_funcs = m->num_imported_funcs,
                   .imported_tables = m->num_imported_tables,
                   .imported_memories = m->num_imported_memories,
                   .imported_globals = m->num_imported_globals,
                   .funcrefs = m->num_funcrefs,
                   .const_depth = plan->const_depth,
                   .wasm_code = m->code_off,
                   .meta_size = plan->meta_size,
                   .code_off = plan->code_off,
                   .code_size = c->unit.code.n};
    h.cpu = cpu_bits(by, h.arch);
    if (by->tunables.mem_style == WASM_MEM_STATIC) h.flags |= IMG_NEEDS_GUARDS;
    if (!by->tunables.explicit_traps) h.flags |= IMG_NEEDS_SIGNALS;
    if (by->tunables.interrupt_checks) h.flags |= IMG_HAS_POLLS;
    for (unsigned k = 0; k < IMG_SECTION_COUNT; k++)
        h.sections[k] = (ImgSpan){plan->off[k], plan->count[k]};
    memcpy(to, &h, sizeof h);
}

void image_write(const Compiled *c, uint8_t *to) {
    image_write_tables(c, to);
    write_code(c, to + c->plan.code_off);
}
