/* driver/list_linkable.c — functions of a CLIF text as annotated assembly: addresses from 0 in each, relocations as names. */
#include "clif/opspec.h"
#include "driver/asm.h"
#include "driver/listing.h"
#include "base/bisect.h"

typedef struct Lister {
    const Linkable *k;
    const LinkDef *def;
    const char *file;
    bool text_lines;
    uint32_t line; /* told last */
} Lister;

static void before(void *user, uint64_t at, StrBuf *o) {
    Lister *l = user;
    const LinkDef *def = l->def;
    uint32_t lo;
    bisect(lo, def->nlocs, def->locs[lo].end <= at);
    if (lo == def->nlocs || def->locs[lo].start > at || def->locs[lo].loc == l->line) return;
    l->line = def->locs[lo].loc;
    if (l->text_lines)
        sb_printf(o, "    ; %s:%u\n", l->file, l->line);
    else
        sb_printf(o, "    ; @%04x\n", l->line);
}

static const char *how(MachRelocKind k) {
    switch (k) {
    case MACH_RELOC_ABS8:
    case MACH_RELOC_ABS4:
    case MACH_RELOC_X86_PCREL4:
    case MACH_RELOC_X86_CALL_PCREL4:
    case MACH_RELOC_ARM64_CALL: return "";
    case MACH_RELOC_X86_CALL_PLT: return "@PLT";
    case MACH_RELOC_X86_GOTPCREL4:
    case MACH_RELOC_X86_MOV_GOTPCREL4: return "@GOTPCREL";
    case MACH_RELOC_ELF_X86_TLSGD: return "@TLSGD";
    case MACH_RELOC_MACHO_X86_TLV: return "@TLVP";
    case MACH_RELOC_COFF_X86_SECREL: return "@SECREL";
    }
    return "";
}

/* The relocation inside an instruction, or NULL. There are few per function, in order. */
static const LinkReloc *reloc_in(const LinkDef *def, uint64_t at, uint64_t end) {
    uint32_t lo;
    bisect(lo, def->nrelocs, def->relocs[lo].offset < at);
    return lo < def->nrelocs && def->relocs[lo].offset < end ? &def->relocs[lo] : NULL;
}

static void put_reloc(const Lister *l, const LinkReloc *r, int64_t addend, StrBuf *o) {
    const LinkSymbol *y = linkable_at(l->k, r->target);
    sb_put_visible(o, y->name, y->len);
    sb_puts(o, how((MachRelocKind)r->kind));
    if (addend) sb_printf(o, "%+lld", (long long)addend);
}

static bool name(void *user, uint64_t at, uint64_t end, uint64_t place, StrBuf *o) {
    const Lister *l = user;
    const LinkReloc *r = reloc_in(l->def, at, end);
    (void)place;
    if (!r) return false;
    /* a distance is from its own place; what the processor adds to it is from the instruction's end */
    put_reloc(l, r, r->addend + (int64_t)(end - at) - (int64_t)(r->offset - at), o);
    return true;
}

static void about(void *user, uint64_t at, uint64_t end, StrBuf *o) {
    const Lister *l = user;
    const LinkDef *def = l->def;
    char buf[16];
    const LinkReloc *r = reloc_in(def, at, end);
    if (r && (r->kind == MACH_RELOC_ABS8 || r->kind == MACH_RELOC_ABS4)) {
        asm_note(o);
        put_reloc(l, r, r->addend, o);
    }
    for (uint32_t k = 0; k < def->ntraps; k++) {
        if (def->traps[k].offset < at || def->traps[k].offset >= end) continue;
        asm_note(o);
        sb_printf(o, "trap: %s", clif_trap_name(def->traps[k].code, buf));
    }
}

void list_linkable(const Linkable *k, const char *file, bool text_lines, Wanted *w) {
    Lister l = {.k = k, .file = file, .text_lines = text_lines};
    StrBuf o;
    Mem mem;
    command_mem(&mem);
    sb_init(&o, &mem);
    uint32_t number = 0;
    for (LinkSym s = 0; s < k->syms.n; s++) {
        const LinkSymbol *y = linkable_at(k, s);
        if (linkable_kind(k, s) != LINK_FUNC || !wanted_matches(w, number++, y->name, y->len))
            continue;
        l.def = y->def;
        l.line = UINT32_MAX;
        sb_clear(&o);
        sb_put_visible(&o, y->name, y->len);
        sb_puts(&o, ":\n");
        AsmCode c = {.isa = k->isa,
                     .bytes = y->def->bytes,
                     .size = y->def->size,
                     .user = &l,
                     .before = before,
                     .about = about,
                     .name = name};
        asm_print(&mem, &c, &o);
        sb_putc(&o, '\n');
        fwrite(sb_cstr(&o), 1, o.n, stdout);
    }
    sb_free(&o);
    mem_release_all(&mem);
}
