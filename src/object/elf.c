/* object/elf.c — what every ELF file has: header, section headers, contents, names. */
#include "object/elf_int.h"

/* ---- processors ---- */
static const ElfMachine *const machines[] = {&elf_x64};

const ElfMachine *elf_machine(const IsaVtable *isa, Diag *d) {
    for (unsigned i = 0; i < sizeof machines / sizeof *machines; i++)
        if (!strcmp(machines[i]->isa, isa->name)) return machines[i];
    diag_msg(d, DIAG_UNSUPPORTED, "elf: no relocations for %s", isa->name);
    return NULL;
}

/* ---- sections ---- */
typedef struct PartRow {
    uint32_t type;
    uint16_t flags;
} PartRow;
static const PartRow parts[OBJ_PARTS] = {
    [OBJ_TEXT] = {SHT_PROGBITS, SHF_ALLOC | SHF_EXEC},
    [OBJ_RODATA] = {SHT_PROGBITS, SHF_ALLOC},
    [OBJ_RELRO] = {SHT_PROGBITS, SHF_ALLOC | SHF_WRITE},
    [OBJ_DATA] = {SHT_PROGBITS, SHF_ALLOC | SHF_WRITE},
    [OBJ_BSS] = {SHT_NOBITS, SHF_ALLOC | SHF_WRITE},
    [OBJ_TDATA] = {SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS},
    [OBJ_TBSS] = {SHT_NOBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS},
    [OBJ_UNWIND] = {SHT_PROGBITS, SHF_ALLOC},
    [OBJ_DEBUG] = {SHT_PROGBITS, 0},
};
static const struct { /* sections whose name is their type: alone or followed by a dot */
    const char *name;
    uint32_t type;
} by_name[] = {
    {".init_array", SHT_INIT_ARRAY},
    {".fini_array", SHT_FINI_ARRAY},
    {".preinit_array", SHT_PREINIT_ARRAY},
    {".note", SHT_NOTE},
};

ElfSection elf_section_of(const ObjPlan *p, const ObjSection *s) {
    ElfSection r = {.type = parts[s->part].type,
                    .flags = parts[s->part].flags,
                    .size = s->size,
                    .align = s->align};
    const char *name = (const char *)p->names.p + s->name;
    for (unsigned i = 0; i < sizeof by_name / sizeof *by_name; i++) {
        size_t n = strlen(by_name[i].name);
        if (s->name_len < n || memcmp(name, by_name[i].name, n)) continue;
        if (s->name_len == n || name[n] == '.') r.type = by_name[i].type;
    }
    if (s->retain) r.flags |= SHF_GNU_RETAIN;
    if (s->comdat != LINK_NO_SYM) r.flags |= SHF_GROUP;
    return r;
}

unsigned elf_sym_type(LinkKind kind) {
    static const uint8_t type[] = {
        [LINK_UNDEFINED] = STT_NOTYPE, [LINK_FUNC] = STT_FUNC, [LINK_CONST] = STT_OBJECT,
        [LINK_DATA] = STT_OBJECT,      [LINK_TLS] = STT_TLS,   [LINK_LABEL] = STT_NOTYPE};
    return type[kind];
}

/* ---- files ---- */
void elf_begin(ElfFile *e, Mem *m, VecU8 *out, uint32_t program_headers) {
    memset(e, 0, sizeof *e);
    e->mem = m;
    e->out = out;
    e->start = out->n;
    bytes_fill(m, out, 0, ELF_HEADER + (size_t)program_headers * ELF_PROGRAM_HEADER);
    bytes_put(m, &e->names, 0, 1);
    vec_push(m, &e->sections, (ElfSection){0});
}

void elf_free(ElfFile *e) {
    vec_free(e->mem, &e->sections);
    vec_free(e->mem, &e->names);
}

uint32_t elf_section(ElfFile *e, const char *name, size_t len, ElfSection s) {
    s.name = bytes_string(e->mem, &e->names, name, len);
    vec_push(e->mem, &e->sections, s);
    return e->sections.n - 1;
}

uint64_t elf_align(ElfFile *e, uint64_t align) {
    bytes_fill(e->mem, e->out, 0, (size_t)(-elf_here(e) & (align - 1)));
    return elf_here(e);
}

void elf_contents(ElfFile *e, const ObjPlan *p, const ObjSection *s, uint8_t padding) {
    if (parts[s->part].type == SHT_NOBITS) return;
    vec_reserve(e->mem, e->out, e->out->n + s->size);
    uint8_t *to = e->out->p + e->out->n, *at = to;
    for (uint32_t i = s->first; i < s->first + s->n; i++) {
        const LinkDef *def = plan_def(p, i);
        uint8_t *here = to + p->places.p[def->sym].offset;
        memset(at, s->part == OBJ_TEXT ? padding : 0, (size_t)(here - at));
        if (!def->size) continue;
        if (def->bytes)
            memcpy(here, def->bytes, (size_t)def->size);
        else
            memset(here, 0, (size_t)def->size);
        at = here + def->size;
    }
    if (s->bytes.n) memcpy(to, s->bytes.p, s->bytes.n);
    e->out->n += (uint32_t)s->size;
}

void elf_put_sym(Mem *m, VecU8 *to, uint32_t name, unsigned bind, unsigned type,
                 unsigned visibility, uint16_t section, uint64_t value, uint64_t size) {
    uint8_t *p = vec_extend(m, to, ELF_SYM);
    bytes_set(p, name, 4);
    p[4] = (uint8_t)(bind << 4 | type);
    p[5] = (uint8_t)visibility;
    bytes_set(p + 6, section, 2);
    bytes_set(p + 8, value, 8);
    bytes_set(p + 16, size, 8);
}

static void put_section_header(uint8_t *p, const ElfSection *s) {
    bytes_set(p, s->name, 4);
    bytes_set(p + 4, s->type, 4);
    bytes_set(p + 8, s->flags, 8);
    bytes_set(p + 16, s->addr, 8);
    bytes_set(p + 24, s->offset, 8);
    bytes_set(p + 32, s->size, 8);
    bytes_set(p + 40, s->link, 4);
    bytes_set(p + 44, s->info, 4);
    bytes_set(p + 48, s->align, 8);
    bytes_set(p + 56, s->entsize, 8);
}

/* More than 65279 sections: their number and the index of the table of names are in the first section header. */
void elf_end(ElfFile *e, uint16_t type, uint16_t machine, uint64_t entry,
             uint32_t program_headers) {
    static const char name[] = ".shstrtab";
    uint32_t names =
        elf_section(e, name, sizeof name - 1, (ElfSection){.type = SHT_STRTAB, .align = 1});
    e->sections.p[names].offset = elf_here(e);
    e->sections.p[names].size = e->names.n;
    bytes_copy(e->mem, e->out, e->names.p, e->names.n);
    uint64_t headers = elf_align(e, 8);
    uint32_t n = e->sections.n;
    if (n >= SHN_LORESERVE) e->sections.p[0].size = n;
    if (names >= SHN_LORESERVE) e->sections.p[0].link = names;
    for (uint32_t i = 0; i < n; i++)
        put_section_header(vec_extend(e->mem, e->out, ELF_SECTION_HEADER), &e->sections.p[i]);
    uint8_t *h = e->out->p + e->start;
    memcpy(h, "\177ELF\2\1\1", 7);
    bytes_set(h + 16, type, 2);
    bytes_set(h + 18, machine, 2);
    bytes_set(h + 20, 1, 4);
    bytes_set(h + 24, entry, 8);
    bytes_set(h + 32, program_headers ? ELF_HEADER : 0, 8);
    bytes_set(h + 40, headers, 8);
    bytes_set(h + 52, ELF_HEADER, 2);
    bytes_set(h + 54, program_headers ? ELF_PROGRAM_HEADER : 0, 2);
    bytes_set(h + 56, program_headers, 2);
    bytes_set(h + 58, ELF_SECTION_HEADER, 2);
    bytes_set(h + 60, n >= SHN_LORESERVE ? 0 : n, 2);
    bytes_set(h + 62, names >= SHN_LORESERVE ? SHN_XINDEX : names, 2);
}

const ObjectFormat object_elf = {
    .name = "elf",
    .write = {[OBJECT_RELOCATABLE] = elf_write_relocatable, [OBJECT_SHARED] = elf_write_shared},
};
