/* compiler/facts.c — see facts.h: what a compilation knows.
 *
 * Source addresses count from the contents of the code section. Cost: linear. */
#include "compiler/facts.h"
#include "compiler/comp_int.h"

void facts_free(CodeFacts *f) {
    vec_free(f->mem, &f->funcs);
    vec_free(f->mem, &f->locs);
    vec_free(f->mem, &f->homes);
    vec_free(f->mem, &f->pieces);
    vec_free(f->mem, &f->unwind);
}

void facts_add_func(CodeFacts *f, DwarfCode x) {
    x.nlocs = f->locs.n - f->given_locs;
    x.nhomes = f->homes.n - f->given_homes;
    f->given_locs = f->locs.n;
    f->given_homes = f->homes.n;
    vec_push(f->mem, &f->funcs, x);
}

void facts_end(CodeFacts *f) {
    for (uint32_t i = 0, loc = 0, home = 0; i < f->funcs.n; i++) {
        DwarfCode *x = &f->funcs.p[i];
        x->locs = x->nlocs ? f->locs.p + loc : NULL;
        x->homes = x->nhomes ? f->homes.p + home : NULL;
        loc += x->nlocs;
        home += x->nhomes;
    }
}

void facts_begin_locs(FactsLocs *l, const Codemap *map) {
    l->walk = (CodemapWalk){.map = map};
    l->more = codemap_next(&l->walk);
}

void facts_add_locs(CodeFacts *f, FactsLocs *l, uint32_t off, uint32_t size) {
    uint64_t end = (uint64_t)off + size;
    while (l->more && l->walk.key < end) {
        uint32_t start = l->walk.key, value = l->walk.value;
        l->more = codemap_next(&l->walk);
        uint64_t to = l->more && l->walk.key < end ? l->walk.key : end;
        if (start < off || to <= start || value == IMG_NONE || value < f->source_base) continue;
        vec_push(f->mem, &f->locs,
                 (DwarfLoc){start - off, (uint32_t)(to - off), value - f->source_base});
    }
}

static DwarfStr name_of(const WasmModule *m, uint32_t func) {
    DwarfStr none = {NULL, 0};
    if (func >= m->func_names.n || !m->func_names.p[func].n) return none;
    WasmStr s = m->func_names.p[func];
    const char *nul = memchr(s.p, 0, s.n);
    return (DwarfStr){s.p, nul ? (uint32_t)(nul - s.p) : s.n};
}

static void read_homes(const CodeUnit *u, uint32_t func, CodeFacts *f) {
    const MachDwarf *w = u->isa->dwarf;
    for (uint32_t i = u->first_home.p[func]; i < u->first_home.p[func + 1]; i++) {
        const MachHome *h = &u->homes.p[i];
        DwarfHome to = {.start = h->start,
                        .end = h->end,
                        .local = h->label == CLIF_NONE ? DWARF_CONTEXT : h->label,
                        .place = h->place >= 0 ? w->reg[h->place] : h->place,
                        .constant = h->constant,
                        .bits = {h->bits[0], h->bits[1]}};
        if (to.place != 255) vec_push(f->mem, &f->homes, to);
    }
}

static void read_funcs(const Compiled *c, CodeFacts *f) {
    const WasmModule *m = &c->wasm;
    const CodeUnit *u = &c->unit;
    Codemap map = unit_map(&u->locs);
    FactsLocs locs;
    facts_begin_locs(&locs, &map);
    for (uint32_t i = 0; i < u->funcs.n; i++) {
        const UnitFunc *x = &u->funcs.p[i];
        const WasmFunc *wf = &m->funcs.p[m->num_imported_funcs + i];
        uint32_t body = wf->body_off - m->code_off;
        if (u->first_home.n) read_homes(u, i, f);
        facts_add_locs(f, &locs, x->off, x->size);
        facts_add_func(f, (DwarfCode){.name = name_of(m, m->num_imported_funcs + i),
                                      .at = {0, x->off, x->size},
                                      .source = body,
                                      .source_end = body + wf->body_len});
    }
}

static void add_piece(const CodeUnit *u, UnitFunc x, uint32_t *at, CodeFacts *f) {
    CodePiece p = {x.off, x.size, f->unwind.n, 0};
    for (; *at < u->unwind.n && u->unwind.p[*at].offset < x.off + x.size; ++*at) {
        MachUnwind w = u->unwind.p[*at];
        w.offset -= x.off;
        vec_push(f->mem, &f->unwind, w);
    }
    p.n = f->unwind.n - p.first;
    vec_push(f->mem, &f->pieces, p);
}

/* Types of equal shape share their adapters. */
static void read_pieces(const Compiled *c, CodeFacts *f) {
    const CodeUnit *u = &c->unit;
    uint32_t at = 0;
    for (uint32_t i = 0; i < u->funcs.n; i++) add_piece(u, u->funcs.p[i], &at, f);
    for (int host = 0; host < 2; host++)
        for (uint32_t t = 0; t < c->wasm.types.n; t++)
            if (c->wasm.types.p[t].canon == t)
                add_piece(u, host ? u->host.p[t] : u->entry.p[t], &at, f);
}

void facts_of(const Compiled *c, Mem *m, bool sources, CodeFacts *f) {
    *f = (CodeFacts){.mem = m,
                     .isa = c->unit.isa,
                     .source_base = c->wasm.code_off,
                     .imported_globals = c->wasm.num_imported_globals,
                     .nglobals = c->wasm.globals.n,
                     .layout = c->layout};
    read_pieces(c, f);
    if (!sources) return;
    if (!wasm_debug_sections(&c->wasm, &f->source)) memset(&f->source, 0, sizeof f->source);
    read_funcs(c, f);
    facts_end(f);
}
