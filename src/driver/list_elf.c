/* driver/list_elf.c — the functions of an ELF object, library or program as annotated assembly.
 *
 * Idea        Functions are the symbols of that type in sections that are executed. Names of places come from relocations where there
 *             are some, else from the symbols; lines from debugging information, but not in relocatable objects, where it has no
 *             addresses yet.
 * Invariants  The file may be anything: every offset is checked before it is followed. Ref: System V gABI, chapters 4 and 5. */
#include <stdlib.h>
#include "driver/asm.h"
#include "driver/listing.h"
#include "dwarf/dwarf.h"
#include "object/bytes.h"
#include "base/bisect.h"

enum {
    HEADER = 64,
    SECTION = 64,
    SYMBOL = 24,
    RELA = 24,
    ET_REL = 1,
    EM_X86_64 = 62,
    SHT_PROGBITS = 1,
    SHT_SYMTAB = 2,
    SHT_RELA = 4,
    SHT_DYNSYM = 11,
    SHT_SYMTAB_SHNDX = 18,
    SHF_EXECINSTR = 4,
    STT_FUNC = 2,
    SHN_XINDEX = 0xFFFF
};

typedef struct Span {
    const uint8_t *p;
    uint64_t n;
} Span;
typedef struct Section {
    uint32_t name, type, link, info;
    uint64_t flags, address;
    Span at;
} Section;
typedef struct Func {
    uint64_t address, size;
    uint32_t section, symbol;
} Func;
typedef struct Reloc {
    uint64_t offset;
    int64_t addend;
    uint32_t section, symbol;
} Reloc;

typedef struct Elf {
    Mem mem;
    const uint8_t *p;
    uint64_t size;
    bool relocatable;
    VEC(Section) sections;
    Span names, symbols, texts, extended; /* texts: names of symbols */
    VEC(Func) funcs;                      /* by section and address */
    VEC(Reloc) relocs;                    /* likewise */
    Dwarf *dwarf;
    const Func *now;
    DwarfPlace told;
} Elf;

static const char *text_at(Span s, uint64_t at) {
    return at < s.n && memchr(s.p + at, 0, (size_t)(s.n - at)) ? (const char *)s.p + at : "";
}

/* ---- reading ---- */
static bool read_sections(Elf *e) {
    if (e->size < HEADER || memcmp(e->p, "\177ELF\2\1", 6) || bytes_get(e->p + 18, 2) != EM_X86_64)
        return false;
    uint64_t table = bytes_get(e->p + 40, 8), n = bytes_get(e->p + 60, 2),
             names = bytes_get(e->p + 62, 2);
    e->relocatable = bytes_get(e->p + 16, 2) == ET_REL;
    if (table > e->size || e->size - table < SECTION) return false;
    const uint8_t *first = e->p + table; /* numbers that are too large for the header are here */
    if (!n) n = bytes_get(first + 32, 8);
    if (names == SHN_XINDEX) names = bytes_get(first + 40, 4);
    if (n > (e->size - table) / SECTION) return false;
    for (uint64_t k = 0; k < n; k++) {
        const uint8_t *s = first + k * SECTION;
        uint64_t at = bytes_get(s + 24, 8), size = bytes_get(s + 32, 8);
        Section x = {.name = (uint32_t)bytes_get(s, 4),
                     .type = (uint32_t)bytes_get(s + 4, 4),
                     .flags = bytes_get(s + 8, 8),
                     .address = bytes_get(s + 16, 8),
                     .link = (uint32_t)bytes_get(s + 40, 4),
                     .info = (uint32_t)bytes_get(s + 44, 4)};
        if (at <= e->size && size <= e->size - at && k) x.at = (Span){e->p + at, size};
        vec_push(&e->mem, &e->sections, x);
    }
    if (names < n) e->names = e->sections.p[names].at;
    return n != 0;
}

static const char *section_name(const Elf *e, uint32_t k) {
    return text_at(e->names, e->sections.p[k].name);
}

static const char *symbol_name(const Elf *e, uint64_t k) {
    if (k >= e->symbols.n / SYMBOL) return "";
    const uint8_t *s = e->symbols.p + k * SYMBOL;
    const char *name = text_at(e->texts, bytes_get(s, 4));
    uint64_t section = bytes_get(s + 6, 2);
    if (*name || (s[4] & 15) != 3 || section >= e->sections.n) return name;
    return section_name(e, (uint32_t)section); /* the symbol of a section */
}

static void find_symbols(Elf *e) {
    for (int dynamic = 0; dynamic < 2 && !e->symbols.n; dynamic++)
        for (uint32_t k = 0; k < e->sections.n; k++) {
            const Section *s = &e->sections.p[k];
            if (s->type != (dynamic ? SHT_DYNSYM : SHT_SYMTAB)) continue;
            e->symbols = s->at;
            e->texts = s->link < e->sections.n ? e->sections.p[s->link].at : (Span){NULL, 0};
        }
    for (uint32_t k = 0; k < e->sections.n; k++)
        if (e->sections.p[k].type == SHT_SYMTAB_SHNDX) e->extended = e->sections.p[k].at;
}

static int by_place(uint32_t s1, uint64_t a1, uint32_t s2, uint64_t a2) {
    return s1 != s2 ? (s1 < s2 ? -1 : 1) : a1 < a2 ? -1 : a1 > a2;
}
static int by_func(const void *x, const void *y) {
    const Func *a = x, *b = y;
    int c = by_place(a->section, a->address, b->section, b->address);
    return c ? c : a->symbol < b->symbol ? -1 : a->symbol > b->symbol;
}
static int by_reloc(const void *x, const void *y) {
    const Reloc *a = x, *b = y;
    return by_place(a->section, a->offset, b->section, b->offset);
}

static void find_functions(Elf *e) {
    for (uint64_t k = 0; k < e->symbols.n / SYMBOL; k++) {
        const uint8_t *s = e->symbols.p + k * SYMBOL;
        uint64_t section = bytes_get(s + 6, 2), address = bytes_get(s + 8, 8),
                 size = bytes_get(s + 16, 8);
        if (section == SHN_XINDEX && k < e->extended.n / 4)
            section = bytes_get(e->extended.p + 4 * k, 4);
        if ((s[4] & 15) != STT_FUNC || !section || section >= e->sections.n || !size) continue;
        const Section *in = &e->sections.p[section];
        if (in->type != SHT_PROGBITS || !(in->flags & SHF_EXECINSTR)) continue;
        uint64_t offset = address - (e->relocatable ? 0 : in->address);
        if (offset > in->at.n || size > in->at.n - offset) continue;
        vec_push(&e->mem, &e->funcs, (Func){address, size, (uint32_t)section, (uint32_t)k});
    }
    if (e->funcs.n) qsort(e->funcs.p, e->funcs.n, sizeof *e->funcs.p, by_func);
}

static void find_relocs(Elf *e) {
    for (uint32_t k = 0; k < e->sections.n && e->relocatable; k++) {
        const Section *s = &e->sections.p[k];
        if (s->type != SHT_RELA || s->info >= e->sections.n ||
            !(e->sections.p[s->info].flags & SHF_EXECINSTR))
            continue;
        for (uint64_t i = 0; i < s->at.n / RELA; i++) {
            const uint8_t *r = s->at.p + i * RELA;
            vec_push(&e->mem, &e->relocs,
                     (Reloc){bytes_get(r, 8), (int64_t)bytes_get(r + 16, 8), s->info,
                             (uint32_t)bytes_get(r + 12, 4)});
        }
    }
    if (e->relocs.n) qsort(e->relocs.p, e->relocs.n, sizeof *e->relocs.p, by_reloc);
}

static void find_lines(Elf *e) {
    DwarfInput in;
    memset(&in, 0, sizeof in);
    for (uint32_t k = 0; k < e->sections.n && !e->relocatable; k++) {
        const char *name = section_name(e, k);
        DwarfSection s = dwarf_section_named(name, strlen(name));
        if (s != DWARF_SECTION_COUNT)
            in.s[s] = (DwarfBytes){e->sections.p[k].at.p, e->sections.p[k].at.n};
    }
    if (in.s[DWARF_INFO].n) e->dwarf = dwarf_open(&e->mem, &in);
}

/* ---- what the listing asks ---- */
static void before(void *user, uint64_t at, StrBuf *o) {
    Elf *e = user;
    DwarfPlace p;
    if (!e->dwarf || !dwarf_find(e->dwarf, at, &p, 1)) return;
    if (p.line == e->told.line && p.column == e->told.column && p.file.n == e->told.file.n) return;
    e->told = p;
    sb_puts(o, "    ; ");
    dwarf_put_position(&p, o);
    sb_putc(o, '\n');
}

static const Reloc *reloc_in(const Elf *e, uint64_t at, uint64_t end) {
    const Reloc *r = e->relocs.p;
    uint32_t k;
    bisect(k, e->relocs.n, by_place(r[k].section, r[k].offset, e->now->section, at) < 0);
    return k < e->relocs.n && r[k].section == e->now->section && r[k].offset < end ? &r[k] : NULL;
}

static void put_symbol(const Elf *e, uint64_t symbol, int64_t addend, StrBuf *o) {
    const char *name = symbol_name(e, symbol);
    sb_put_visible(o, name, (uint32_t)strlen(name));
    if (addend) sb_printf(o, "%+lld", (long long)addend);
}

static bool name(void *user, uint64_t at, uint64_t end, uint64_t place, StrBuf *o) {
    const Elf *e = user;
    const Reloc *r = reloc_in(e, at, end);
    if (r) {
        put_symbol(e, r->symbol, r->addend + (int64_t)(end - r->offset), o);
        return true;
    }
    const Func *f = e->funcs.p;
    uint32_t k;
    bisect(k, e->funcs.n, by_place(f[k].section, f[k].address, e->now->section, place) < 0);
    if (k == e->funcs.n || f[k].section != e->now->section || f[k].address != place) return false;
    put_symbol(e, f[k].symbol, 0, o);
    return true;
}

static void about(void *user, uint64_t at, uint64_t end, StrBuf *o) {
    const Elf *e = user;
    const Reloc *r = reloc_in(e, at, end);
    if (!r || end - r->offset < 8) return; /* others are told in place of what the bytes name */
    asm_note(o);
    put_symbol(e, r->symbol, r->addend, o);
}

static void list_function(Elf *e, const Func *f) {
    const Section *s = &e->sections.p[f->section];
    StrBuf o;
    sb_init(&o, &e->mem);
    put_symbol(e, f->symbol, 0, &o);
    sb_puts(&o, ":\n");
    e->now = f;
    memset(&e->told, 0, sizeof e->told);
    AsmCode c = {.isa = isa_lookup("x86_64"),
                 .bytes = s->at.p + (f->address - (e->relocatable ? 0 : s->address)),
                 .address = f->address,
                 .size = f->size,
                 .user = e,
                 .before = before,
                 .about = about,
                 .name = name};
    asm_print(&e->mem, &c, &o);
    sb_putc(&o, '\n');
    fwrite(sb_cstr(&o), 1, o.n, stdout);
    sb_free(&o);
}

bool list_elf(const uint8_t *bytes, size_t size, Wanted *w) {
    Elf e = {.p = bytes, .size = size};
    command_mem(&e.mem);
    bool ok = read_sections(&e);
    if (ok) {
        find_symbols(&e);
        find_functions(&e);
        find_relocs(&e);
        find_lines(&e);
        for (uint32_t k = 0; k < e.funcs.n; k++) {
            const Func *f = &e.funcs.p[k];
            const char *n = symbol_name(&e, f->symbol);
            bool again = k && by_place(f->section, f->address, f[-1].section, f[-1].address) == 0;
            if (!again && wanted_matches(w, k, n, (uint32_t)strlen(n))) list_function(&e, f);
        }
        ok = e.funcs.n != 0;
    }
    mem_release_all(&e.mem);
    return ok;
}
