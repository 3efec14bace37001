/* object/elf_join.c — a program that was linked before, with more segments.
 *
 * Problem     An executable is made without a linker: the runtime exists as a program, and code and tables are to come with it.
 * Idea        Nothing of the program moves. Its bytes are copied; each part is appended at the next page of the file and, beyond all
 *             segments, of the address space; the table of program headers grows into the room that the program leaves between it and
 *             its first section. The section headers are those of the program and one for each part, so that strip, objdump and
 *             debuggers see the whole; function names of the parts become its symbols.
 * Invariants  The program is position-independent and has no symbols of its own. Addresses of parts are relative to its beginning.
 * Cost        linear in the sizes. */
#include "object/elf_int.h"
#include "object/join.h"

enum { PT_LOAD = 1, PF_X = 1, PF_W = 2, PF_R = 4, PAGE = 4096 };

typedef struct Segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
} Segment;

typedef struct Joining {
    const Join *j;
    ElfFile e;
    VEC(Segment) segments;
    uint64_t room;     /* end of what program headers may take */
    uint64_t contents; /* end of what the segments have in the file */
    uint64_t top;      /* end of the address space that is taken */
    uint16_t sections, names;
    uint64_t section_table, payload;
    Diag *d;
} Joining;

static bool broken(Joining *k) {
    return diag_msg(k->d, DIAG_MALFORMED, "the program to join with is not one that can be");
}

static bool in_file(const Joining *k, uint64_t at, uint64_t n) {
    return at <= k->j->size && n <= k->j->size - at;
}

/* ---- reading the program ---- */
static bool read_segments(Joining *k) {
    const uint8_t *h = k->j->program;
    if (!in_file(k, 0, ELF_HEADER) || memcmp(h, "\177ELF\2\1\1", 7) ||
        bytes_get(h + 32, 8) != ELF_HEADER)
        return broken(k);
    uint64_t n = bytes_get(h + 56, 2);
    if (!in_file(k, ELF_HEADER, n * ELF_PROGRAM_HEADER)) return broken(k);
    k->room = k->j->size;
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *p = h + ELF_HEADER + i * ELF_PROGRAM_HEADER;
        Segment s = {(uint32_t)bytes_get(p, 4), (uint32_t)bytes_get(p + 4, 4), bytes_get(p + 8, 8),
                     bytes_get(p + 16, 8),      bytes_get(p + 24, 8),          bytes_get(p + 32, 8),
                     bytes_get(p + 40, 8),      bytes_get(p + 48, 8)};
        if (!in_file(k, s.offset, s.filesz)) return broken(k);
        if (s.type == PT_LOAD) {
            if (s.offset + s.filesz > k->contents) k->contents = s.offset + s.filesz;
            if (s.vaddr + s.memsz > k->top) k->top = s.vaddr + s.memsz;
        }
        vec_push(k->e.mem, &k->segments, s);
    }
    return k->segments.n != 0 || broken(k);
}

static bool read_sections(Joining *k) {
    const uint8_t *h = k->j->program;
    k->section_table = bytes_get(h + 40, 8);
    k->sections = (uint16_t)bytes_get(h + 60, 2);
    k->names = (uint16_t)bytes_get(h + 62, 2);
    if (!k->sections || k->names >= k->sections ||
        !in_file(k, k->section_table, (uint64_t)k->sections * ELF_SECTION_HEADER))
        return broken(k);
    return true;
}

static const uint8_t *section_at(const Joining *k, uint32_t i) {
    return k->j->program + k->section_table + (uint64_t)i * ELF_SECTION_HEADER;
}

/* Those of the program that are loaded, in their order: their numbers do not change. */
static bool copy_sections(Joining *k) {
    const uint8_t *t = section_at(k, k->names);
    uint64_t names = bytes_get(t + 24, 8), size = bytes_get(t + 32, 8);
    if (!in_file(k, names, size)) return broken(k);
    for (uint32_t i = 1; i < k->sections; i++) {
        const uint8_t *p = section_at(k, i);
        ElfSection s = {.type = (uint32_t)bytes_get(p + 4, 4),
                        .flags = bytes_get(p + 8, 8),
                        .addr = bytes_get(p + 16, 8),
                        .offset = bytes_get(p + 24, 8),
                        .size = bytes_get(p + 32, 8),
                        .link = (uint32_t)bytes_get(p + 40, 4),
                        .info = (uint32_t)bytes_get(p + 44, 4),
                        .align = bytes_get(p + 48, 8),
                        .entsize = bytes_get(p + 56, 8)};
        if (!(s.flags & SHF_ALLOC)) break;
        uint64_t at = bytes_get(p, 4);
        const char *name = (const char *)k->j->program + names + at;
        if (at >= size || !memchr(name, 0, (size_t)(size - at))) return broken(k);
        if (s.offset < k->room) k->room = s.offset;
        if (strcmp(name, k->j->payload) == 0) k->payload = s.offset;
        elf_section(&k->e, name, strlen(name), s);
    }
    return k->payload || broken(k);
}

/* ---- writing ---- */
static void append(Joining *k, JoinPart *part) {
    uint64_t at = elf_align(&k->e, PAGE);
    part->address = (k->top + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    k->top = part->address + part->memory;
    bytes_copy(k->e.mem, k->e.out, part->bytes, part->size);
    vec_push(k->e.mem, &k->segments,
             (Segment){.type = PT_LOAD,
                       .flags = PF_R | (part->write ? PF_W : 0) | (part->execute ? PF_X : 0),
                       .offset = at,
                       .vaddr = part->address,
                       .paddr = part->address,
                       .filesz = part->size,
                       .memsz = part->memory,
                       .align = PAGE});
    elf_section(&k->e, part->section, strlen(part->section),
                (ElfSection){.type = part->size ? SHT_PROGBITS : SHT_NOBITS,
                             .flags = SHF_ALLOC | (part->write ? SHF_WRITE : 0) |
                                      (part->execute ? SHF_EXEC : 0),
                             .addr = part->address,
                             .offset = at,
                             .size = part->memory,
                             .align = PAGE});
}

static void put_symbols(Joining *k) {
    const Join *j = k->j;
    Mem *m = k->e.mem;
    VecU8 syms = {0}, text = {0};
    uint32_t first = k->e.sections.n - j->nparts;
    bytes_put(m, &text, 0, 1);
    elf_put_sym(m, &syms, 0, STB_LOCAL, STT_NOTYPE, STV_DEFAULT, 0, 0, 0);
    for (uint32_t i = 0; i < j->nnames; i++) {
        const JoinName *n = &j->names[i];
        elf_put_sym(m, &syms, bytes_string(m, &text, n->name, n->len), STB_LOCAL, STT_FUNC,
                    STV_DEFAULT, (uint16_t)(first + n->part), j->parts[n->part].address + n->offset,
                    n->size);
    }
    uint32_t s = elf_section(&k->e, ".symtab", 7,
                             (ElfSection){.type = SHT_SYMTAB,
                                          .offset = elf_align(&k->e, 8),
                                          .size = syms.n,
                                          .info = syms.n / ELF_SYM,
                                          .align = 8,
                                          .entsize = ELF_SYM});
    k->e.sections.p[s].link = s + 1;
    bytes_copy(m, k->e.out, syms.p, syms.n);
    elf_section(
        &k->e, ".strtab", 7,
        (ElfSection){.type = SHT_STRTAB, .offset = elf_here(&k->e), .size = text.n, .align = 1});
    bytes_copy(m, k->e.out, text.p, text.n);
    vec_free(m, &syms);
    vec_free(m, &text);
}

static void put_extra(Joining *k, const JoinExtra *x) {
    elf_section(&k->e, x->section, strlen(x->section),
                (ElfSection){.type = SHT_PROGBITS,
                             .flags = x->strings ? SHF_MERGE | SHF_STRINGS : 0,
                             .offset = elf_here(&k->e),
                             .size = x->size,
                             .align = 1,
                             .entsize = x->strings});
    bytes_copy(k->e.mem, k->e.out, x->bytes, (size_t)x->size);
}

static void put_program_headers(Joining *k) {
    uint8_t *p = k->e.out->p + k->e.start + ELF_HEADER;
    for (uint32_t i = 0; i < k->segments.n; i++, p += ELF_PROGRAM_HEADER) {
        const Segment *s = &k->segments.p[i];
        bytes_set(p, s->type, 4);
        bytes_set(p + 4, s->flags, 4);
        bytes_set(p + 8, s->offset, 8);
        bytes_set(p + 16, s->vaddr, 8);
        bytes_set(p + 24, s->paddr, 8);
        bytes_set(p + 32, s->filesz, 8);
        bytes_set(p + 40, s->memsz, 8);
        bytes_set(p + 48, s->align, 8);
    }
}

bool elf_join(Mem *m, Join *j, VecU8 *out, Diag *d) {
    Joining k = {.j = j, .d = d};
    elf_begin(&k.e, m, out, 0);
    bool ok = read_segments(&k) && read_sections(&k) && copy_sections(&k);
    uint64_t headers = ELF_HEADER + ((uint64_t)k.segments.n + j->nparts) * ELF_PROGRAM_HEADER;
    if (ok && headers > k.room)
        ok = diag_msg(d, DIAG_LIMIT, "the program to join with has no room for %u more segments",
                      j->nparts);
    if (ok) {
        out->n = k.e.start; /* the header comes with the rest */
        bytes_copy(m, out, j->program, (size_t)k.contents);
        for (uint32_t i = 0; i < j->nparts; i++) append(&k, &j->parts[i]);
        if (j->nnames) put_symbols(&k);
        if (j->placed) j->placed(j, j->user);
        for (uint32_t i = 0; i < j->nextras; i++) put_extra(&k, &j->extras[i]);
        put_program_headers(&k);
        j->payload_at = k.e.start + (uint32_t)k.payload;
        elf_end(&k.e, ET_DYN, (uint16_t)bytes_get(j->program + 18, 2),
                bytes_get(j->program + 24, 8), k.segments.n);
    }
    vec_free(m, &k.segments);
    elf_free(&k.e);
    return ok;
}
