/* object/elf_rel.c — a relocatable ELF object.
 *
 * Problem     Linkers ask for local symbols before global ones, symbols' numbers in relocations, and relocations per section,
 *             while what we have are relocations per definition against any symbol.
 * Idea        One look at all relocations decides how each is written and which symbols and sections need a number; then the
 *             symbols get their numbers, and everything is written once, in file order.
 *             How a relocation is written:
 *               - a distance to something in the same section that nothing can replace: applied here, no relocation;
 *               - against what only this file defines or means (an exported function included, which nobody may
 *                 replace): section symbol + offset, so that no linker routes it through a table;
 *               - anything through a table of addresses, weak, in a group, undefined: against the symbol.
 * Invariants  Sections and symbols come in the order of the definitions: same input, same bytes.
 * Cost        linear in definitions and relocations. */
#include <stdio.h>
#include "object/elf_int.h"

typedef struct Rela {
    uint64_t offset;
    uint32_t target; /* a symbol, or SECTION | section of the plan */
    uint16_t type;
    int64_t addend;
} Rela;
#define SECTION 0x80000000u
#define NO_SECTION UINT32_MAX /* of a symbol that is in none: SHN_ABS */

typedef struct Writer {
    ObjPlan *p;
    Mem *m;
    const ElfMachine *machine;
    ElfFile e;
    VEC(Rela) relas;
    VecU32 rela_end;    /* per section of the plan: end of its relocations in relas */
    VecU32 index;       /* per section of the plan: number in the file */
    VecU32 section_sym; /* per section of the plan: 0, or number + 1 of its symbol */
    VecU32 sym;         /* per symbol: 0, or number + 1 */
    VecU8 is_tls;       /* per symbol: a relocation says it is thread-local */
    VecU8 symtab, strtab, shndx;
    uint32_t nsyms;
    bool many; /* sections whose index does not fit into a symbol */
} Writer;

/* ---- relocations ---- */
/* Nobody can put another definition in this one's place. */
static bool is_final(const Writer *w, LinkSym s, const ObjPlace *at) {
    const LinkSymbol *y = linkable_at(w->p->k, s);
    return at->section != OBJ_NO_SECTION && y->binding != LINK_WEAK &&
           w->p->sections.p[at->section].comdat == LINK_NO_SYM;
}

static bool through_symbol(uint8_t kind) {
    switch ((MachRelocKind)kind) {
    case MACH_RELOC_ABS8:
    case MACH_RELOC_ABS4: return true; /* the address of a function is the same everywhere */
    case MACH_RELOC_X86_PCREL4:
    case MACH_RELOC_X86_CALL_PCREL4:
    case MACH_RELOC_X86_CALL_PLT:
    case MACH_RELOC_ARM64_CALL: return false;
    case MACH_RELOC_X86_GOTPCREL4:
    case MACH_RELOC_X86_MOV_GOTPCREL4:
    case MACH_RELOC_ELF_X86_TLSGD:
    case MACH_RELOC_MACHO_X86_TLV:
    case MACH_RELOC_COFF_X86_SECREL: return true;
    }
    return true;
}

static bool relocate(Writer *w, uint32_t section, const LinkDef *def, Diag *d) {
    ObjPlan *p = w->p;
    for (uint32_t i = 0; i < def->nrelocs; i++) {
        const LinkReloc *r = &def->relocs[i];
        Rela out = {.offset = p->places.p[def->sym].offset + r->offset,
                    .target = r->target,
                    .type = w->machine->relocs[r->kind],
                    .addend = r->addend};
        if (!out.type)
            return diag_msg(d, DIAG_LINK, "'%.200s' needs a relocation that ELF does not have",
                            linkable_at(p->k, def->sym)->name);
        if (r->kind == MACH_RELOC_ELF_X86_TLSGD) w->is_tls.p[r->target] = 1;
        ObjPlace at = plan_place(p, r->target);
        if (is_final(w, r->target, &at) && !through_symbol(r->kind)) {
            if (at.section == section && (w->machine->distances >> r->kind & 1))
                continue; /* applied when the contents are written */
            out.target = SECTION | at.section;
            out.addend += (int64_t)at.offset;
            w->section_sym.p[at.section] = 1;
        } else {
            w->sym.p[r->target] = 1;
        }
        vec_push(w->m, &w->relas, out);
    }
    return true;
}

static bool collect(Writer *w, Diag *d) {
    ObjPlan *p = w->p;
    vec_resize0(w->m, &w->section_sym, p->sections.n);
    vec_resize0(w->m, &w->sym, p->k->syms.n);
    vec_resize0(w->m, &w->is_tls, p->k->syms.n);
    for (uint32_t s = 0; s < p->sections.n; s++) {
        const ObjSection *sec = &p->sections.p[s];
        for (uint32_t i = sec->first; i < sec->first + sec->n; i++)
            if (!relocate(w, s, plan_def(p, i), d)) return false;
        for (uint32_t i = 0; i < sec->relocs.n; i++) {
            const ObjReloc *r = &sec->relocs.p[i];
            w->section_sym.p[r->section] = 1;
            vec_push(
                w->m, &w->relas,
                (Rela){r->offset, SECTION | r->section, w->machine->relocs[r->kind], r->addend});
        }
        vec_push(w->m, &w->rela_end, w->relas.n);
    }
    return true;
}

/* Distances inside a section, in what was just written. */
static void apply(Writer *w, uint32_t section, uint64_t start) {
    const ObjPlan *p = w->p;
    const ObjSection *s = &p->sections.p[section];
    uint8_t *base = w->e.out->p + w->e.start + start;
    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        const LinkDef *def = plan_def(p, i);
        for (uint32_t k = 0; k < def->nrelocs; k++) {
            const LinkReloc *r = &def->relocs[k];
            ObjPlace at = plan_place(p, r->target);
            if (!(w->machine->distances >> r->kind & 1) || at.section != section ||
                !is_final(w, r->target, &at))
                continue;
            uint64_t field = p->places.p[def->sym].offset + r->offset;
            bytes_set(base + field, at.offset + (uint64_t)r->addend - field, 4);
        }
    }
}

/* ---- symbols ---- */
static void put_symbol(Writer *w, uint32_t name, unsigned bind, unsigned type, unsigned visibility,
                       uint32_t section, uint64_t value, uint64_t size) {
    bool big = section >= SHN_LORESERVE && section != NO_SECTION;
    elf_put_sym(w->m, &w->symtab, name, bind, type, visibility,
                (uint16_t)(big                     ? SHN_XINDEX
                           : section == NO_SECTION ? SHN_ABS
                                                   : section),
                value, size);
    bytes_put(w->m, &w->shndx, big ? section : 0, 4);
    w->many |= big;
    w->nsyms++;
}

static void put_named(Writer *w, LinkSym s, unsigned bind) {
    const ObjPlan *p = w->p;
    const LinkSymbol *y = linkable_at(p->k, s);
    ObjPlace at = plan_place(p, s);
    LinkSym in;
    linkable_place(p->k, s, &in);
    unsigned type = elf_sym_type(linkable_kind(p->k, in));
    uint64_t size = y->def ? y->def->size : y->size;
    char made[16];
    const char *text = y->name;
    if (!y->len) {
        snprintf(made, sizeof made, ".L%u", s);
        text = made;
    }
    uint32_t name = bytes_string(w->m, &w->strtab, text, strlen(text));
    if (at.section == OBJ_NO_SECTION && w->is_tls.p[s]) type = STT_TLS;
    w->sym.p[s] = 1 + w->nsyms;
    put_symbol(w, name, bind, type, y->binding == LINK_HIDDEN ? STV_HIDDEN : STV_DEFAULT,
               at.section == OBJ_NO_SECTION ? 0 : w->index.p[at.section], at.offset, size);
}

/* Numbers and writes all symbols; returns the number of local ones. */
static uint32_t symbols(Writer *w) {
    const ObjPlan *p = w->p;
    put_symbol(w, 0, 0, 0, 0, 0, 0, 0);
    bytes_put(w->m, &w->strtab, 0, 1);
    if (p->o->source) {
        uint32_t name = bytes_string(w->m, &w->strtab, p->o->source, strlen(p->o->source));
        put_symbol(w, name, STB_LOCAL, STT_FILE, STV_DEFAULT, NO_SECTION, 0, 0);
    }
    for (uint32_t s = 0; s < p->sections.n; s++) {
        if (!w->section_sym.p[s]) continue;
        w->section_sym.p[s] = 1 + w->nsyms;
        put_symbol(w, 0, STB_LOCAL, STT_SECTION, STV_DEFAULT, w->index.p[s], 0, 0);
    }
    uint32_t locals = 0;
    for (int global = 0; global < 2; global++) {
        for (LinkSym s = 0; s < p->k->syms.n; s++) {
            const LinkSymbol *y = linkable_at(p->k, s);
            if ((y->binding != LINK_LOCAL) != global) continue;
            bool here = plan_place(p, s).section != OBJ_NO_SECTION;
            if (here ? !y->len && !w->sym.p[s] : !w->sym.p[s]) continue;
            put_named(w, s, !global ? STB_LOCAL : y->binding == LINK_WEAK ? STB_WEAK : STB_GLOBAL);
        }
        if (!global) locals = w->nsyms;
    }
    return locals;
}

/* ---- sections ---- */
static void put_relas(Writer *w, uint32_t section) {
    uint32_t first = section ? w->rela_end.p[section - 1] : 0;
    for (uint32_t i = first; i < w->rela_end.p[section]; i++) {
        const Rela *r = &w->relas.p[i];
        uint64_t sym =
            (r->target & SECTION ? w->section_sym.p[r->target & ~SECTION] : w->sym.p[r->target]) -
            1;
        uint8_t *to = vec_extend(w->m, w->e.out, ELF_RELA);
        bytes_set(to, r->offset, 8);
        bytes_set(to + 8, sym << 32 | r->type, 8);
        bytes_set(to + 16, (uint64_t)r->addend, 8);
    }
}

/* Section headers in the order group, section, relocations; the numbers follow. */
static void number_sections(Writer *w) {
    const ObjPlan *p = w->p;
    char *name = NULL;
    size_t room = 0;
    for (uint32_t s = 0; s < p->sections.n; s++) {
        const ObjSection *sec = &p->sections.p[s];
        if (sec->comdat != LINK_NO_SYM)
            elf_section(&w->e, ".group", 6,
                        (ElfSection){.type = SHT_GROUP, .align = 4, .entsize = 4});
        size_t len = sec->name_len + 5;
        if (room < len) {
            mem_free(w->m, name, room);
            name = mem_alloc(w->m, room = 2 * len);
        }
        memcpy(name, ".rela", 5);
        memcpy(name + 5, p->names.p + sec->name, sec->name_len);
        vec_push(w->m, &w->index, w->e.sections.n);
        uint32_t at = elf_section(&w->e, name + 5, sec->name_len, elf_section_of(p, sec));
        if (w->rela_end.p[s] == (s ? w->rela_end.p[s - 1] : 0)) continue;
        uint64_t group = sec->comdat != LINK_NO_SYM ? SHF_GROUP : 0;
        elf_section(&w->e, name, len,
                    (ElfSection){.type = SHT_RELA,
                                 .flags = SHF_INFO_LINK | group,
                                 .info = at,
                                 .align = 8,
                                 .entsize = ELF_RELA});
    }
    mem_free(w->m, name, room);
}

static void contents(Writer *w, uint32_t symtab) {
    const ObjPlan *p = w->p;
    for (uint32_t s = 0; s < p->sections.n; s++) {
        const ObjSection *sec = &p->sections.p[s];
        uint32_t at = w->index.p[s];
        bool relas = w->rela_end.p[s] != (s ? w->rela_end.p[s - 1] : 0);
        if (sec->comdat != LINK_NO_SYM) {
            ElfSection *g = &w->e.sections.p[at - 1];
            g->offset = elf_align(&w->e, 4);
            g->link = symtab;
            g->info = w->sym.p[sec->comdat] - 1;
            bytes_put(w->m, w->e.out, 1, 4); /* GRP_COMDAT */
            bytes_put(w->m, w->e.out, at, 4);
            if (relas) bytes_put(w->m, w->e.out, at + 1, 4);
            g->size = relas ? 12 : 8;
        }
        uint64_t off = w->e.sections.p[at].offset = elf_align(&w->e, sec->align);
        elf_contents(&w->e, p, sec, w->machine->padding);
        apply(w, s, off);
        if (!relas) continue;
        ElfSection *r = &w->e.sections.p[at + 1];
        r->offset = elf_align(&w->e, 8);
        r->link = symtab;
        put_relas(w, s);
        r->size = elf_here(&w->e) - r->offset;
    }
}

static void put_table(Writer *w, uint32_t section, const VecU8 *bytes) {
    ElfSection *s = &w->e.sections.p[section];
    s->offset = elf_align(&w->e, s->align);
    s->size = bytes->n;
    bytes_copy(w->m, w->e.out, bytes->p, bytes->n);
}

static void write(Writer *w, VecU8 *out) {
    elf_begin(&w->e, w->m, out, 0);
    number_sections(w);
    elf_section(&w->e, ".note.GNU-stack", 15, (ElfSection){.type = SHT_PROGBITS, .align = 1});
    uint32_t note = w->e.sections.n - 1;
    uint32_t locals = symbols(w);
    uint32_t strtab = note + 2;
    uint32_t symtab = elf_section(
        &w->e, ".symtab", 7,
        (ElfSection){
            .type = SHT_SYMTAB, .link = strtab, .info = locals, .align = 8, .entsize = ELF_SYM});
    elf_section(&w->e, ".strtab", 7, (ElfSection){.type = SHT_STRTAB, .align = 1});
    if (w->many)
        elf_section(
            &w->e, ".symtab_shndx", 13,
            (ElfSection){.type = SHT_SYMTAB_SHNDX, .link = symtab, .align = 4, .entsize = 4});
    contents(w, symtab);
    w->e.sections.p[note].offset = elf_here(&w->e);
    put_table(w, symtab, &w->symtab);
    put_table(w, strtab, &w->strtab);
    if (w->many) put_table(w, strtab + 1, &w->shndx);
    elf_end(&w->e, ET_REL, w->machine->machine, 0, 0);
    elf_free(&w->e);
}

bool elf_write_relocatable(ObjPlan *p, VecU8 *out, Diag *d) {
    Writer w = {.p = p, .m = p->mem, .machine = elf_machine(p->k->isa, d)};
    if (!w.machine) return false;
    bool ok = collect(&w, d);
    if (ok) write(&w, out);
    vec_free(w.m, &w.relas);
    vec_free(w.m, &w.rela_end);
    vec_free(w.m, &w.index);
    vec_free(w.m, &w.section_sym);
    vec_free(w.m, &w.sym);
    vec_free(w.m, &w.is_tls);
    vec_free(w.m, &w.symtab);
    vec_free(w.m, &w.strtab);
    vec_free(w.m, &w.shndx);
    return ok;
}
