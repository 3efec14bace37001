/* compiler/object.c — a compiled module as definitions for object files.
 *
 *     NAME_module (seen by everybody)   version, addresses of tables, code and slots (ImgLinked)
 *     NAME_tables                       the image's header and tables, read-only
 *     functions, adapters               a definition each, by the names of the name section
 *     NAME_slots                        a page of zeros, which the runtime fills and protects; if the code calls routines
 *
 * Problem     The tables speak of places in the code by offset, but in an object the code is a row of functions, so that each has its
 *             symbol and its unwinding entry.
 * Idea        Definitions of one section come out in the order in which they were made, each at the next multiple of its
 *             alignment. So each gets the smallest alignment that leads to the place it has in the unit; the first one gets the
 *             largest that any function may ask for.
 *             Their section is one of their own, so that no options divide it and nothing comes between them.
 * Invariants  Functions keep the distances that they have in the unit, which the calls between them contain. */
#include "compiler/comp_int.h"

enum { MOST_ALIGN = 64 }; /* of functions */

typedef struct Linker {
    Compiled *c;
    Linkable *k;
    const CompiledObject *o;
    LinkSym slots, tables, module, first; /* first function */
    uint32_t section;                     /* of the code */
    uint32_t end;                         /* of what is defined, in the code */
    uint32_t reloc, step; /* how far relocations and unwinding steps of the unit were taken */
    VEC(MachReloc) relocs;
    VEC(MachUnwind) unwind;
    StrBuf text;
    Diag *d;
} Linker;

static LinkSym local(Linker *l, const char *what) {
    sb_clear(&l->text);
    sb_printf(&l->text, "%s_%s", l->o->name, what);
    return linkable_local(l->k, l->text.p, l->text.n);
}

static LinkSym function_symbol(Linker *l, WasmStr name, uint32_t number) {
    const char *nul = name.n ? memchr(name.p, 0, name.n) : NULL;
    size_t n = nul ? (size_t)(nul - name.p) : name.n;
    if (n) return linkable_local(l->k, name.p, n);
    sb_clear(&l->text);
    sb_printf(&l->text, "%s_func_%u", l->o->name, number);
    return linkable_local(l->k, l->text.p, l->text.n);
}

static uint32_t up(uint32_t x, uint32_t align) {
    return (x + align - 1) & ~(align - 1);
}

static bool define(Linker *l, LinkSym s, UnitFunc f) {
    const CodeUnit *u = &l->c->unit;
    uint32_t align = l->end ? 1 : MOST_ALIGN;
    while (up(l->end, align) != f.off) align *= 2;
    COT_ASSERT(align <= MOST_ALIGN);
    vec_clear(&l->relocs);
    vec_clear(&l->unwind);
    for (; l->reloc < u->relocs.n && u->relocs.p[l->reloc].offset < f.off + f.size; l->reloc++) {
        const UnitReloc *r = &u->relocs.p[l->reloc];
        MachReloc to = {.offset = r->offset - f.off,
                        .kind = MACH_RELOC_X86_PCREL4,
                        .name = {CLIF_NAME_USER, 0, l->slots},
                        .addend = r->addend + 8 * (int64_t)(l->c->plan.slot_of[r->libcall] - 1)};
        vec_push(l->k->mem, &l->relocs, to);
    }
    for (; l->step < u->unwind.n && u->unwind.p[l->step].offset < f.off + f.size; l->step++) {
        MachUnwind w = u->unwind.p[l->step];
        w.offset -= f.off;
        vec_push(l->k->mem, &l->unwind, w);
    }
    MachCompiled m = {.code = u->code.p + f.off,
                      .size = f.size,
                      .alignment = align,
                      .relocs = l->relocs.p,
                      .num_relocs = l->relocs.n,
                      .unwind = l->unwind.p,
                      .num_unwind = l->unwind.n};
    linkable_declared(l->k, s)->section = l->section;
    LinkCode code = {.code = &m, .borrowed = l->o->borrow};
    if (!l->end) l->first = s;
    l->end = f.off + f.size;
    return linkable_define_func(l->k, s, &code, l->d);
}

/* In the order of the unit: functions, then an adapter of each kind for each distinct type. */
static bool define_code(Linker *l) {
    const WasmModule *m = &l->c->wasm;
    const CodeUnit *u = &l->c->unit;
    for (uint32_t i = 0; i < u->funcs.n; i++) {
        uint32_t f = m->num_imported_funcs + i;
        WasmStr none = {NULL, 0}, name = f < m->func_names.n ? m->func_names.p[f] : none;
        if (!define(l, function_symbol(l, name, f), u->funcs.p[i])) return false;
    }
    for (int host = 0; host < 2; host++)
        for (uint32_t t = 0; t < m->types.n; t++) {
            if (m->types.p[t].canon != t) continue;
            sb_clear(&l->text);
            sb_printf(&l->text, "%s_%s_%u", l->o->name, host ? "host" : "entry", t);
            LinkSym s = linkable_local(l->k, l->text.p, l->text.n);
            if (!define(l, s, host ? u->host.p[t] : u->entry.p[t])) return false;
        }
    return true;
}

static bool define_tables(Linker *l) {
    Mem *m = l->o->borrow ? &l->c->mem : l->k->mem;
    size_t n = (size_t)l->c->plan.meta_size;
    uint8_t *tables = mem_try_realloc(m, NULL, 0, n);
    if (!tables) return diag_msg(l->d, DIAG_OOM, "out of memory");
    memset(tables, 0, n);
    image_write_tables(l->c, tables);
    bool ok = linkable_define_data(
        l->k, l->tables,
        &(LinkData){
            .bytes = tables, .size = n, .align = 8, .kind = LINK_CONST, .borrowed = l->o->borrow},
        l->d);
    if (!l->o->borrow) mem_free(m, tables, n);
    return ok;
}

static bool define_data(Linker *l) {
    if (!define_tables(l)) return false;
    ImgLinked linked = {.abi = IMG_OBJECT_ABI};
    LinkAddress at[4] = {{offsetof(ImgLinked, tables), 0, l->tables}};
    uint32_t k = 1;
    if (l->slots != LINK_NO_SYM) at[k++] = (LinkAddress){offsetof(ImgLinked, slots), 0, l->slots};
    if (l->end) at[k++] = (LinkAddress){offsetof(ImgLinked, code), 0, l->first};
    if (!l->o->shared)
        at[k++] = (LinkAddress){
            offsetof(ImgLinked, needs), 0,
            linkable_symbol(l->k, IMG_OBJECT_ABI_SYMBOL, sizeof IMG_OBJECT_ABI_SYMBOL - 1)};
    return linkable_define_data(l->k, l->module,
                                &(LinkData){.bytes = (const uint8_t *)&linked,
                                            .size = sizeof linked,
                                            .align = 8,
                                            .kind = LINK_CONST,
                                            .addresses = at,
                                            .naddresses = k},
                                l->d);
}

bool object_link(Compiled *c, Linkable *k, CompiledObject *o, Diag *d) {
    Linker l = {.c = c, .k = k, .o = o, .slots = LINK_NO_SYM, .first = LINK_NO_SYM, .d = d};
    sb_init(&l.text, k->mem);
    sb_printf(&l.text, "%s_module", o->name);
    l.module = linkable_symbol(k, l.text.p, l.text.n);
    bool ok = linkable_kind(k, l.module) == LINK_UNDEFINED ||
              diag_msg(d, DIAG_INVALID, "'%.200s_module' is defined already", o->name);
    if (ok && c->unit.relocs.n) {
        l.slots = local(&l, "slots");
        ok = linkable_define_data(
            k, l.slots, &(LinkData){.size = IMG_PAGE, .align = IMG_PAGE, .kind = LINK_DATA}, d);
    }
    sb_clear(&l.text);
    sb_printf(&l.text, ".text.%s", o->name);
    l.section = linkable_section(k, l.text.p, l.text.n);
    if (ok) l.tables = local(&l, "tables");
    ok = ok && define_code(&l) && define_data(&l);
    o->code = l.first;
    sb_free(&l.text);
    vec_free(k->mem, &l.relocs);
    vec_free(k->mem, &l.unwind);
    return ok;
}
