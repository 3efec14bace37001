/* compiler/debug.c — what debuggers need of a compiled module: its own debugging information made that of its machine code
 * (dwarf/native.h), or names and offsets where it has none, and how to unwind its frames.
 *
 * All code is one chunk. Source addresses count from the contents of the code section.
 * Cost: linear, but for dwarf_write_native. */
#include "compiler/comp_int.h"
#include "dwarf/native.h"

typedef struct Input { /* for dwarf_write_native, in the compilation's memory */
    VEC(DwarfCode) funcs;
    VEC(DwarfLoc) locs;
    VEC(DwarfHome) homes;
} Input;

static DwarfStr name_of(const WasmModule *m, uint32_t func) {
    DwarfStr none = {NULL, 0};
    if (func >= m->func_names.n || !m->func_names.p[func].n) return none;
    WasmStr s = m->func_names.p[func];
    const char *nul = memchr(s.p, 0, s.n);
    return (DwarfStr){s.p, nul ? (uint32_t)(nul - s.p) : s.n};
}

static void read_homes(const Compiled *c, Mem *mem, uint32_t func, Input *in) {
    const CodeUnit *u = &c->unit;
    const MachDwarf *w = u->isa->dwarf;
    for (uint32_t i = u->first_home.p[func]; i < u->first_home.p[func + 1]; i++) {
        const MachHome *h = &u->homes.p[i];
        DwarfHome to = {.start = h->start,
                        .end = h->end,
                        .local = h->label == CLIF_NONE ? DWARF_CONTEXT : h->label,
                        .place = h->place >= 0 ? w->reg[h->place] : h->place,
                        .constant = h->constant,
                        .bits = {h->bits[0], h->bits[1]}};
        if (to.place != 255) vec_push(mem, &in->homes, to);
    }
}

static void fill_in(const Compiled *c, Mem *mem, Input *in) {
    const WasmModule *m = &c->wasm;
    const CodeUnit *u = &c->unit;
    Codemap map = unit_map(&u->locs);
    CodemapWalk at = {.map = &map};
    bool more = codemap_next(&at);
    for (uint32_t i = 0; i < u->funcs.n; i++) {
        const UnitFunc *f = &u->funcs.p[i];
        const WasmFunc *wf = &m->funcs.p[m->num_imported_funcs + i];
        uint32_t first = in->locs.n, home = in->homes.n, body = wf->body_off - m->code_off;
        if (u->first_home.n) read_homes(c, mem, i, in);
        while (more && at.key < f->off + f->size) {
            uint32_t start = at.key, loc = at.value;
            more = codemap_next(&at);
            if (start < f->off || loc == IMG_NONE || loc < m->code_off) continue;
            vec_push(mem, &in->locs,
                     (DwarfLoc){start - f->off, at.key - f->off, loc - m->code_off});
        }
        vec_push(mem, &in->funcs,
                 (DwarfCode){.name = name_of(m, m->num_imported_funcs + i),
                             .at = {0, f->off, f->size},
                             .source = body,
                             .source_end = body + wf->body_len,
                             .nlocs = in->locs.n - first,
                             .nhomes = in->homes.n - home});
    }
    for (uint32_t i = 0, loc = 0, home = 0; i < in->funcs.n; i++) {
        DwarfCode *f = &in->funcs.p[i];
        f->locs = f->nlocs ? in->locs.p + loc : NULL;
        f->homes = f->nhomes ? in->homes.p + home : NULL;
        loc += f->nlocs;
        home += f->nhomes;
    }
}

/* Functions, then adapters; types of equal shape share theirs. */
void frames_write(const Compiled *c, Cfi *cfi, VecU32 *starts) {
    const CodeUnit *u = &c->unit;
    Mem *m = cfi->mem;
    VEC(UnitFunc) all = {0};
    VEC(MachUnwind) steps = {0};
    for (uint32_t i = 0; i < u->funcs.n; i++) vec_push(m, &all, u->funcs.p[i]);
    for (int host = 0; host < 2; host++)
        for (uint32_t t = 0; t < c->wasm.types.n; t++)
            if (c->wasm.types.p[t].canon == t)
                vec_push(m, &all, host ? u->host.p[t] : u->entry.p[t]);
    for (uint32_t i = 0, at = 0; i < all.n; i++) {
        UnitFunc f = all.p[i];
        vec_clear(&steps);
        for (; at < u->unwind.n && u->unwind.p[at].offset < f.off + f.size; at++) {
            MachUnwind w = u->unwind.p[at];
            w.offset -= f.off;
            vec_push(m, &steps, w);
        }
        LinkDef def = {.sym = i, .size = f.size, .nunwind = steps.n, .unwind = steps.p};
        cfi_add(cfi, &def);
        vec_push(m, starts, f.off);
    }
    cfi_end(cfi);
    vec_free(m, &all);
    vec_free(m, &steps);
}

static void add_frames(const Compiled *c, DwarfOutput *o) {
    VecU32 starts = {0};
    Cfi cfi;
    cfi_init(&cfi, o->mem, c->unit.isa);
    cfi.absolute = true;
    frames_write(c, &cfi, &starts);
    out_bytes(o, DWARF_FRAME, cfi.bytes.p, cfi.bytes.n);
    for (uint32_t i = 0; i < cfi.sites.n; i++)
        vec_push(o->mem, &o->relocs[DWARF_FRAME],
                 (DwarfReloc){.offset = cfi.sites.p[i].offset,
                              .size = 8,
                              .section = DWARF_CODE,
                              .addend = starts.p[cfi.sites.p[i].func]});
    cfi_free(&cfi);
    vec_free(o->mem, &starts);
}

void debug_write(const Compiled *c, const char *file, DwarfOutput *o) {
    if (!file) {
        add_frames(c, o);
        return;
    }
    const MachDwarf *w = c->unit.isa->dwarf;
    DwarfInput sections;
    Input in = {0};
    if (!wasm_debug_sections(&c->wasm, &sections)) memset(&sections, 0, sizeof sections);
    fill_in(c, o->mem, &in);
    DwarfNative n = {.in = &sections,
                     .file = {file, (uint32_t)strlen(file)},
                     .source_base = c->wasm.code_off,
                     .funcs = in.funcs.p,
                     .nfuncs = in.funcs.n,
                     .context = w->reg[w->context_reg],
                     .frame = w->reg[w->frame_reg],
                     .vectors = w->vectors,
                     .memory = c->layout.memories + VM_MEMREF_DEF,
                     .globals = c->layout.globals,
                     .imported_globals = c->wasm.num_imported_globals,
                     .nglobals = c->wasm.globals.n};
    dwarf_write_native(&n, o);
    add_frames(c, o);
    vec_free(o->mem, &in.funcs);
    vec_free(o->mem, &in.locs);
    vec_free(o->mem, &in.homes);
}
