/* compiler/debug.c — what debuggers need of a compiled module: its own debugging information made that of its machine code
 * (dwarf/native.h), or names and offsets where it has none, and how to unwind its frames.
 *
 * All code is one chunk. Cost: linear, but for dwarf_write_native. */
#include "compiler/facts.h"

void frames_write(const CodeFacts *f, Cfi *cfi, VecU32 *starts) {
    for (uint32_t i = 0; i < f->pieces.n; i++) {
        const CodePiece *p = &f->pieces.p[i];
        LinkDef def = {.sym = i,
                       .size = p->size,
                       .nunwind = p->n,
                       .unwind = p->n ? f->unwind.p + p->first : NULL};
        cfi_add(cfi, &def);
        vec_push(cfi->mem, starts, p->off);
    }
    cfi_end(cfi);
}

static void add_frames(const CodeFacts *f, DwarfOutput *o) {
    VecU32 starts = {0};
    Cfi cfi;
    cfi_init(&cfi, o->mem, f->isa);
    cfi.absolute = true;
    frames_write(f, &cfi, &starts);
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

void debug_write(const CodeFacts *f, const char *file, DwarfOutput *o) {
    const MachDwarf *w = f->isa->dwarf;
    if (file) {
        DwarfNative n = {.in = &f->source,
                         .file = {file, (uint32_t)strlen(file)},
                         .source_base = f->source_base,
                         .funcs = f->funcs.p,
                         .nfuncs = f->funcs.n,
                         .context = w->reg[w->context_reg],
                         .frame = w->reg[w->frame_reg],
                         .vectors = w->vectors,
                         .memory = f->layout.memories + VM_MEMREF_DEF,
                         .globals = f->layout.globals,
                         .imported_globals = f->imported_globals,
                         .nglobals = f->nglobals};
        dwarf_write_native(&n, o);
    }
    add_frames(f, o);
}
