/* object/elf_scan.c — what relocations need at run time.
 *
 * Problem     In a shared library some addresses are known (up to where it is loaded), others only to the loader.
 * Idea        A symbol is final if it is defined here and nothing may replace it; its address is, if besides nobody else sees it.
 *             (A program may hold its own copy of exported data, and an address of its own for an exported function, which then
 *             are everybody's; but calls may go straight to the function.) Then
 *               distance                  as it is, for what is final; else a call goes to a stub
 *               through the table         the instruction is changed to do without; else a word of .got
 *               address in data           a relative relocation; else one that names the symbol
 *               thread-local              two words of .got for __tls_get_addr: module, and offset in its data
 *             What remains cannot be done: absolute addresses in code, distances to what is elsewhere.
 * Cost        linear in the relocations. */
#include "object/elf_image.h"

bool image_is_final(const Image *i, LinkSym s) {
    const LinkSymbol *y = linkable_at(i->p->k, s);
    if (i->syms.p[s].edge) return true;
    return plan_place(i->p, s).section != OBJ_NO_SECTION && y->binding != LINK_WEAK;
}

bool image_goes_direct(const Image *i, MachRelocKind kind, LinkSym s) {
    if (!image_is_final(i, s)) return false;
    if (kind != MACH_RELOC_ABS8 && kind != MACH_RELOC_X86_MOV_GOTPCREL4) return true;
    const LinkSymbol *y = linkable_at(i->p->k, s);
    return i->syms.p[s].edge || y->binding == LINK_HIDDEN || y->binding == LINK_LOCAL;
}

static const char *name_of(const Image *i, LinkSym s) {
    return linkable_at(i->p->k, s)->name;
}

static uint32_t got_word(Image *i, LinkSym s, GotKind kind) {
    vec_push(i->m, &i->got, (GotWord){s, kind});
    return i->got.n - 1;
}

static void need_stub(Image *i, LinkSym s) {
    ImageSym *y = &i->syms.p[s];
    if (y->stub) return;
    vec_push(i->m, &i->stubs, s);
    y->stub = i->stubs.n;
    y->dyn = 1;
}
static void need_word(Image *i, LinkSym s) {
    ImageSym *y = &i->syms.p[s];
    if (y->got) return;
    y->got = 1 + got_word(i, s, GOT_ADDRESS);
    y->dyn = 1;
}
static void need_tls(Image *i, LinkSym s) {
    ImageSym *y = &i->syms.p[s];
    if (y->tls) return;
    y->tls = 1 + got_word(i, s, GOT_TLS_MODULE);
    got_word(i, s, GOT_TLS_OFFSET);
    if (!image_is_final(i, s)) y->dyn = 1;
}

/* Undefined symbols named __start_NAME and __stop_NAME are the edges of the section NAME. */
static void find_edges(Image *i) {
    static const char start[] = "__start_", stop[] = "__stop_";
    const ObjPlan *p = i->p;
    for (LinkSym s = 0; s < p->k->syms.n; s++) {
        const LinkSymbol *y = linkable_at(p->k, s);
        if (plan_place(p, s).section != OBJ_NO_SECTION) continue;
        bool first = !strncmp(y->name, start, sizeof start - 1);
        if (!first && strncmp(y->name, stop, sizeof stop - 1)) continue;
        const char *name = y->name + (first ? sizeof start : sizeof stop) - 1;
        for (uint32_t k = 0; k < p->sections.n; k++) {
            const ObjSection *sec = &p->sections.p[k];
            if (sec->name_len == strlen(name) &&
                !memcmp(p->names.p + sec->name, name, sec->name_len))
                i->syms.p[s].edge = (k + 1) | (first ? 0 : SECTION_END);
        }
    }
}

static bool cannot(Image *i, const LinkDef *def, LinkSym s, const char *why) {
    return diag_msg(i->d, DIAG_LINK, "'%.150s' refers to '%.150s' %s", name_of(i, def->sym),
                    name_of(i, s), why);
}

static bool scan_one(Image *i, uint32_t section, const LinkDef *def, const LinkReloc *r) {
    const LinkSymbol *y = linkable_at(i->p->k, r->target);
    bool direct = image_goes_direct(i, (MachRelocKind)r->kind, r->target), calls = false;
    if (!direct && y->binding == LINK_HIDDEN)
        return diag_msg(i->d, DIAG_LINK, "symbol '%.200s' is hidden and not defined", y->name);
    switch ((MachRelocKind)r->kind) {
    case MACH_RELOC_ABS8: {
        uint8_t part = i->p->sections.p[section].part;
        if (part == OBJ_TEXT || part == OBJ_RODATA)
            return cannot(i, def, r->target, "by its absolute address; the setting is_pic is off");
        if (!direct) i->syms.p[r->target].dyn = 1;
        vec_push(i->m, &i->relocs,
                 (DynReloc){section, direct ? i->machine->dyn_relative : i->machine->dyn_abs,
                            direct, r->target, i->p->places.p[def->sym].offset + r->offset,
                            r->addend});
        i->nrelative += direct;
        return true;
    }
    case MACH_RELOC_X86_CALL_PCREL4:
    case MACH_RELOC_X86_CALL_PLT: calls = true; /* fallthrough */
    case MACH_RELOC_X86_PCREL4:
        if (direct) return true;
        if (!calls) return cannot(i, def, r->target, "as colocated, which is elsewhere");
        need_stub(i, r->target);
        return true;
    case MACH_RELOC_X86_GOTPCREL4:
    case MACH_RELOC_X86_MOV_GOTPCREL4:
        if (!direct) need_word(i, r->target);
        return true;
    case MACH_RELOC_ELF_X86_TLSGD: need_tls(i, r->target); return true;
    case MACH_RELOC_ABS4:
    case MACH_RELOC_ARM64_CALL:
    case MACH_RELOC_MACHO_X86_TLV:
    case MACH_RELOC_COFF_X86_SECREL: break;
    }
    return cannot(i, def, r->target, "in a way that a shared library does not have");
}

bool image_scan(Image *i) {
    ObjPlan *p = i->p;
    vec_resize0(i->m, &i->syms, p->k->syms.n);
    find_edges(i);
    for (uint32_t s = 0; s < p->sections.n; s++) {
        const ObjSection *sec = &p->sections.p[s];
        for (uint32_t k = sec->first; k < sec->first + sec->n; k++) {
            const LinkDef *def = plan_def(p, k);
            for (uint32_t r = 0; r < def->nrelocs; r++)
                if (!scan_one(i, s, def, &def->relocs[r])) return false;
        }
    }
    return true;
}
