/* object/elf_image.c — an ELF shared library: layout, contents, program headers.
 *
 *   address = offset in the file:
 *     | headers, note, symbols, relocations, constants, unwinding | code, stubs | what the loader writes | data | zeros |
 *     |                       read                                |  execute    |   read after loading   |    write     |
 *   and, not loaded: the table of all symbols, debug information, section headers.
 *
 * Each of the three mappings begins on a page of its own, so that nothing but code can be executed; what only the loader
 * writes (addresses in constants, .dynamic, .got) ends on a page boundary and is read-only when the program runs. There is an
 * identification (build id): a hash of the whole file. */
#include "object/elf_image.h"

enum {
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    PT_NOTE = 4,
    PT_TLS = 7,
    PT_GNU_EH_FRAME = 0x6474e550,
    PT_GNU_STACK = 0x6474e551,
    PT_GNU_RELRO = 0x6474e552,
    PF_X = 1,
    PF_W = 2,
    PF_R = 4,
    BUILD_ID = 20, /* bytes */
    NOTE_HEADER = 16
};

static const uint8_t rank_of[OBJ_PARTS] = {
    [OBJ_RODATA] = 0, [OBJ_UNWIND] = 1, [OBJ_TEXT] = 2, [OBJ_TDATA] = 3, [OBJ_TBSS] = 4,
    [OBJ_RELRO] = 5,  [OBJ_DATA] = 6,   [OBJ_BSS] = 7,  [OBJ_DEBUG] = 8,
};
enum { RANKS = 9, FIRST_CODE = 2, FIRST_WRITTEN = 3, FIRST_DATA = 6, FIRST_UNLOADED = 8 };

typedef struct Range {
    uint64_t start, file_end, end;
} Range;

/* ---- layout ---- */
static uint64_t round_up(uint64_t x, uint64_t to) {
    return (x + to - 1) & ~(to - 1);
}

static void sort_sections(Image *i) {
    const ObjPlan *p = i->p;
    for (unsigned rank = 0; rank < RANKS; rank++)
        for (int made = 1; made >= 0; made--) /* small tables before what may be large */
            for (uint32_t s = 0; s < p->sections.n; s++)
                if (rank_of[p->sections.p[s].part] == rank &&
                    (p->sections.p[s].n == 0) == (made != 0))
                    vec_push(i->m, &i->order, s);
}

/* Addresses of all sections; `seg` are the three mappings, tls the thread-local data, relro what is read-only later. */
static void lay_out(Image *i, uint64_t headers, Range seg[3], Range *tls, Range *relro) {
    const ObjPlan *p = i->p;
    uint64_t at = headers, page = i->machine->page;
    int now = 0;
    seg[0] = (Range){0, headers, headers};
    vec_resize0(i->m, &i->address, p->sections.n);
    uint64_t tls_align = 1;
    for (uint32_t k = 0; k < p->sections.n; k++)
        if (p->sections.p[k].part == OBJ_TDATA || p->sections.p[k].part == OBJ_TBSS)
            if (p->sections.p[k].align > tls_align) tls_align = p->sections.p[k].align;
    *tls = *relro = (Range){0};
    bool data = false;
    for (uint32_t k = 0; k < i->order.n; k++) {
        const ObjSection *s = &p->sections.p[i->order.p[k]];
        unsigned rank = rank_of[s->part];
        if (rank >= FIRST_UNLOADED) break;
        int want = rank >= FIRST_WRITTEN ? 2 : rank >= FIRST_CODE ? 1 : 0;
        if (want != now) {
            now = want;
            at = round_up(at, page);
            seg[now] = (Range){at, at, at};
            if (now == 2) relro->start = at;
        }
        if (rank >= FIRST_DATA && !data) {
            data = true;
            at = relro->end = round_up(at, page);
        }
        bool thread = s->part == OBJ_TDATA || s->part == OBJ_TBSS;
        if (thread && !tls->end) {
            at = round_up(at, tls_align);
            *tls = (Range){at, at, at};
        }
        if (s->part == OBJ_TBSS) { /* takes no room: each thread's copy is elsewhere */
            tls->end = i->address.p[i->order.p[k]] = round_up(tls->end, s->align);
            tls->end += s->size;
            continue;
        }
        at = round_up(at, s->align);
        i->address.p[i->order.p[k]] = at;
        at += s->size;
        if (s->part == OBJ_TDATA) tls->file_end = tls->end = at;
        seg[now].end = at;
        if (s->part != OBJ_BSS) seg[now].file_end = at;
    }
    if (!data) relro->end = seg[2].end = seg[2].file_end = round_up(at, page);
    i->tls_address = tls->start;
}

uint64_t image_address(const Image *i, LinkSym s) {
    uint32_t edge = i->syms.p[s].edge;
    if (edge) {
        uint32_t section = (edge & ~SECTION_END) - 1;
        return i->address.p[section] + (edge & SECTION_END ? i->p->sections.p[section].size : 0);
    }
    ObjPlace at = plan_place(i->p, s);
    return i->address.p[at.section] + at.offset;
}

/* ---- relocations ---- */
static uint64_t stub_address(const Image *i, LinkSym s) {
    return i->address.p[i->at.stubs] + (uint64_t)(i->syms.p[s].stub - 1) * i->machine->stub_bytes;
}

static void apply(Image *i, uint8_t *base, const LinkDef *def, uint64_t at) {
    for (uint32_t k = 0; k < def->nrelocs; k++) {
        const LinkReloc *r = &def->relocs[k];
        uint8_t *field = base + r->offset;
        uint64_t place = at + r->offset, to;
        const ImageSym *y = &i->syms.p[r->target];
        MachRelocKind kind = (MachRelocKind)r->kind;
        bool direct = image_goes_direct(i, kind, r->target);
        if (kind == MACH_RELOC_ABS8) continue; /* the loader's */
        if (kind == MACH_RELOC_ELF_X86_TLSGD) {
            to = i->address.p[i->at.got] + 8 * (uint64_t)(y->tls - 1);
        } else if (direct) {
            to = image_address(i, r->target);
            if (!(i->machine->distances >> kind & 1)) {
                i->machine->relax(field, kind, (int64_t)(to + (uint64_t)r->addend - place));
                continue;
            }
        } else {
            to = i->machine->distances >> kind & 1
                     ? stub_address(i, r->target)
                     : i->address.p[i->at.got] + 8 * (uint64_t)(y->got - 1);
        }
        bytes_set(field, to + (uint64_t)r->addend - place, 4);
    }
}

static void apply_made(Image *i, uint32_t section) {
    ObjSection *s = &i->p->sections.p[section];
    for (uint32_t k = 0; k < s->relocs.n; k++) {
        const ObjReloc *r = &s->relocs.p[k];
        uint64_t to = i->address.p[r->section] + (uint64_t)r->addend;
        bool distance = i->machine->distances >> r->kind & 1;
        bytes_set(s->bytes.p + r->offset, distance ? to - i->address.p[section] - r->offset : to,
                  r->kind == MACH_RELOC_ABS8 ? 8 : 4);
    }
}

/* ---- made sections ---- */
static void make_sections(Image *i) {
    i->at.build_id = image_table(i, ".note.gnu.build-id", OBJ_RODATA, 4, NOTE_HEADER + BUILD_ID);
    i->at.got = i->at.stubs = i->at.eh_hdr = OBJ_NO_SECTION;
    if (i->got.n + i->stubs.n)
        i->at.got = image_table(i, ".got", OBJ_RELRO, 8, 8 * ((uint64_t)i->got.n + i->stubs.n));
    if (i->stubs.n)
        i->at.stubs =
            image_table(i, ".plt", OBJ_TEXT, 16, (uint64_t)i->stubs.n * i->machine->stub_bytes);
    if (i->p->unwind != OBJ_NO_SECTION)
        i->at.eh_hdr =
            image_table(i, ".eh_frame_hdr", OBJ_UNWIND, 4, 12 + 8 * (uint64_t)i->p->fdes.n);
}

static void fill_got(Image *i) {
    for (uint32_t w = 0; w < i->got.n; w++) {
        GotWord g = i->got.p[w];
        if (g.kind != GOT_TLS_OFFSET || !image_is_final(i, g.sym)) continue;
        bytes_set(image_bytes(i, i->at.got) + 8 * w, image_address(i, g.sym) - i->tls_address, 8);
    }
    for (uint32_t s = 0; s < i->stubs.n; s++) {
        uint64_t slot = i->address.p[i->at.got] + 8 * ((uint64_t)i->got.n + s);
        i->machine->put_stub(image_bytes(i, i->at.stubs) + (size_t)s * i->machine->stub_bytes,
                             (int64_t)(slot - stub_address(i, i->stubs.p[s])));
    }
}

/* The functions' entries of .eh_frame by address, for the unwinder's binary search. */
typedef struct Fde {
    uint64_t func, entry;
} Fde;
static void sift(Fde *f, size_t root, size_t n) {
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && f[child].func < f[child + 1].func) child++;
        if (f[root].func >= f[child].func) return;
        Fde t = f[root];
        f[root] = f[child];
        f[child] = t;
    }
}
static void sort_fdes(Fde *f, size_t n) {
    for (size_t k = n / 2; k--;) sift(f, k, n);
    for (size_t k = n; k-- > 1;) {
        Fde t = f[0];
        f[0] = f[k];
        f[k] = t;
        sift(f, 0, k);
    }
}

static void fill_eh_hdr(Image *i) {
    static const uint8_t encodings[] = {1, 0x1b, 3, 0x3b}; /* version; pcrel, udata4, datarel */
    if (i->at.eh_hdr == OBJ_NO_SECTION) return;
    uint64_t here = i->address.p[i->at.eh_hdr], frame = i->address.p[i->p->unwind];
    uint8_t *to = image_bytes(i, i->at.eh_hdr);
    uint32_t n = i->p->fdes.n;
    Fde *f = mem_alloc(i->m, n * sizeof *f);
    for (uint32_t k = 0; k < n; k++) {
        CfiSite s = i->p->fdes.p[k];
        f[k] = (Fde){image_address(i, s.func), frame + s.offset - 8};
    }
    sort_fdes(f, n);
    memcpy(to, encodings, 4);
    bytes_set(to + 4, frame - here - 4, 4);
    bytes_set(to + 8, n, 4);
    for (uint32_t k = 0; k < n; k++) {
        bytes_set(to + 12 + 8 * k, f[k].func - here, 4);
        bytes_set(to + 16 + 8 * k, f[k].entry - here, 4);
    }
    mem_free(i->m, f, n * sizeof *f);
}

/* ---- headers ---- */
static void put_header(uint8_t **to, uint32_t type, uint32_t flags, const Range *r,
                       uint64_t align) {
    uint8_t *p = *to;
    bytes_set(p, type, 4);
    bytes_set(p + 4, flags, 4);
    for (int k = 8; k <= 24; k += 8) bytes_set(p + k, r->start, 8);
    bytes_set(p + 32, r->file_end - r->start, 8);
    bytes_set(p + 40, r->end - r->start, 8);
    bytes_set(p + 48, align, 8);
    *to += ELF_PROGRAM_HEADER;
}
static Range range_of(const Image *i, uint32_t section) {
    uint64_t at = i->address.p[section], end = at + i->p->sections.p[section].size;
    return (Range){at, end, end};
}

static bool has_part(const Image *i, ObjPart part) {
    for (uint32_t s = 0; s < i->p->sections.n; s++)
        if (i->p->sections.p[s].part == part) return true;
    return false;
}
static uint32_t count_headers(const Image *i) {
    bool tls = has_part(i, OBJ_TDATA) || has_part(i, OBJ_TBSS);
    return 6 + has_part(i, OBJ_TEXT) + tls + (i->at.eh_hdr != OBJ_NO_SECTION);
}

static void put_headers(const Image *i, uint8_t *to, const Range seg[3], const Range *tls,
                        const Range *relro) {
    static const uint8_t flags[3] = {PF_R, PF_R | PF_X, PF_R | PF_W};
    for (int k = 0; k < 3; k++)
        if (seg[k].end) put_header(&to, PT_LOAD, flags[k], &seg[k], i->machine->page);
    Range dynamic = range_of(i, i->at.dynamic), note = range_of(i, i->at.build_id), none = {0};
    put_header(&to, PT_DYNAMIC, PF_R | PF_W, &dynamic, 8);
    put_header(&to, PT_NOTE, PF_R, &note, 4);
    if (tls->end) {
        uint64_t align = 1;
        for (uint32_t s = 0; s < i->p->sections.n; s++) {
            const ObjSection *sec = &i->p->sections.p[s];
            if ((sec->part == OBJ_TDATA || sec->part == OBJ_TBSS) && sec->align > align)
                align = sec->align;
        }
        put_header(&to, PT_TLS, PF_R, tls, align);
    }
    if (i->at.eh_hdr != OBJ_NO_SECTION) {
        Range eh = range_of(i, i->at.eh_hdr);
        put_header(&to, PT_GNU_EH_FRAME, PF_R, &eh, 4);
    }
    put_header(&to, PT_GNU_STACK, PF_R | PF_W, &none, 16);
    Range r = {relro->start, relro->end, relro->end};
    put_header(&to, PT_GNU_RELRO, PF_R, &r, 1);
}

/* ---- the file ---- */
static void number_sections(Image *i, ElfFile *e) {
    vec_resize0(i->m, &i->index, i->p->sections.n);
    for (uint32_t k = 0; k < i->order.n; k++) {
        const ObjSection *s = &i->p->sections.p[i->order.p[k]];
        const char *name = (const char *)i->p->names.p + s->name;
        i->index.p[i->order.p[k]] = elf_section(e, name, s->name_len, elf_section_of(i->p, s));
    }
    const struct {
        uint32_t section, type, link, entsize, info;
    } special[] = {
        {i->at.hash, SHT_GNU_HASH, i->at.dynsym, 0, 0},
        {i->at.dynsym, SHT_DYNSYM, i->at.dynstr, ELF_SYM, 1},
        {i->at.dynstr, SHT_STRTAB, OBJ_NO_SECTION, 0, 0},
        {i->at.rela, SHT_RELA, i->at.dynsym, ELF_RELA, 0},
        {i->at.rela_stubs, SHT_RELA, i->at.dynsym, ELF_RELA, 0},
        {i->at.dynamic, SHT_DYNAMIC, i->at.dynstr, 16, 0},
        {i->at.got, SHT_PROGBITS, OBJ_NO_SECTION, 8, 0},
    };
    for (unsigned k = 0; k < sizeof special / sizeof *special; k++) {
        if (special[k].section == OBJ_NO_SECTION) continue;
        ElfSection *s = &e->sections.p[i->index.p[special[k].section]];
        s->type = special[k].type;
        if (special[k].link != OBJ_NO_SECTION) s->link = i->index.p[special[k].link];
        s->entsize = special[k].entsize;
        s->info = special[k].info;
    }
    if (i->at.rela_stubs != OBJ_NO_SECTION) {
        ElfSection *s = &e->sections.p[i->index.p[i->at.rela_stubs]];
        s->info = i->index.p[i->at.got];
        s->flags |= SHF_INFO_LINK;
    }
}

/* .symtab: every symbol with a name, local ones first. */
static void put_symtab(Image *i, ElfFile *e) {
    const Linkable *k = i->p->k;
    VecU8 syms = {0}, strings = {0};
    uint32_t locals = 0;
    bytes_put(i->m, &strings, 0, 1);
    elf_put_sym(i->m, &syms, 0, 0, 0, 0, 0, 0, 0);
    if (i->p->o->source)
        elf_put_sym(i->m, &syms,
                    bytes_string(i->m, &strings, i->p->o->source, strlen(i->p->o->source)),
                    STB_LOCAL, STT_FILE, STV_DEFAULT, SHN_ABS, 0, 0);
    for (int global = 0; global < 2; global++) {
        for (LinkSym s = 0; s < k->syms.n; s++) {
            const LinkSymbol *y = linkable_at(k, s);
            uint32_t section = plan_place(i->p, s).section;
            bool here = section != OBJ_NO_SECTION,
                 seen = y->binding == LINK_EXPORT || y->binding == LINK_WEAK;
            if (!y->len || seen != global || (!here && !i->syms.p[s].dyn)) continue;
            LinkSym in;
            linkable_place(k, s, &in);
            unsigned type = elf_sym_type(linkable_kind(k, in));
            if (i->syms.p[s].tls) type = STT_TLS;
            uint64_t value = here ? image_address(i, s) : 0;
            elf_put_sym(i->m, &syms, bytes_string(i->m, &strings, y->name, y->len),
                        !seen                     ? STB_LOCAL
                        : y->binding == LINK_WEAK ? STB_WEAK
                                                  : STB_GLOBAL,
                        type, STV_DEFAULT, here ? (uint16_t)i->index.p[section] : 0,
                        here && type == STT_TLS ? value - i->tls_address : value,
                        y->def ? y->def->size : y->size);
        }
        if (!global) locals = syms.n / ELF_SYM;
    }
    ElfSection s = {.type = SHT_SYMTAB,
                    .link = e->sections.n + 1,
                    .info = locals,
                    .align = 8,
                    .entsize = ELF_SYM,
                    .size = syms.n,
                    .offset = elf_align(e, 8)};
    elf_section(e, ".symtab", 7, s);
    bytes_copy(i->m, e->out, syms.p, syms.n);
    ElfSection t = {.type = SHT_STRTAB, .align = 1, .size = strings.n, .offset = elf_here(e)};
    elf_section(e, ".strtab", 7, t);
    bytes_copy(i->m, e->out, strings.p, strings.n);
    vec_free(i->m, &syms);
    vec_free(i->m, &strings);
}

static void put_section(Image *i, ElfFile *e, uint32_t at) {
    const ObjPlan *p = i->p;
    const ObjSection *s = &p->sections.p[at];
    ElfSection *h = &e->sections.p[i->index.p[at]];
    h->addr = i->address.p[at];
    h->offset = s->part == OBJ_DEBUG ? elf_align(e, s->align) : h->addr;
    if (h->type == SHT_NOBITS) return;
    bytes_fill(i->m, e->out, 0, (size_t)(h->offset - elf_here(e)));
    uint64_t start = e->out->n;
    apply_made(i, at);
    elf_contents(e, p, s, i->machine->padding);
    for (uint32_t f = s->first; f < s->first + s->n; f++) {
        const LinkDef *def = plan_def(p, f);
        uint64_t off = p->places.p[def->sym].offset;
        apply(i, e->out->p + start + off, def, i->address.p[at] + off);
    }
}

static void put_contents(Image *i, ElfFile *e, const Range *written) {
    uint32_t k = 0;
    for (; k < i->order.n && i->p->sections.p[i->order.p[k]].part != OBJ_DEBUG; k++)
        put_section(i, e, i->order.p[k]);
    bytes_fill(i->m, e->out, 0, (size_t)(written->file_end - elf_here(e)));
    for (; k < i->order.n; k++) put_section(i, e, i->order.p[k]);
}

static void put_build_id(const Image *i, ElfFile *e) {
    static const uint8_t header[NOTE_HEADER] = {4, 0, 0, 0, BUILD_ID, 0,   0,   0,
                                                3, 0, 0, 0, 'G',      'N', 'U', 0};
    uint8_t *at = e->out->p + e->start + i->address.p[i->at.build_id];
    memcpy(at, header, sizeof header);
    uint64_t h = 0;
    for (unsigned k = 0; k < BUILD_ID; k++) {
        if (k % 8 == 0) h = hash_bytes(e->out->p + e->start, elf_here(e), h + k + 1);
        at[NOTE_HEADER + k] = (uint8_t)(h >> 8 * (k % 8));
    }
}

static void write(Image *i, VecU8 *out) {
    Range seg[3] = {{0}}, tls, relro;
    ElfFile e;
    make_sections(i);
    image_collect(i);
    sort_sections(i);
    uint32_t headers = count_headers(i);
    lay_out(i, ELF_HEADER + (uint64_t)headers * ELF_PROGRAM_HEADER, seg, &tls, &relro);
    elf_begin(&e, i->m, out, headers);
    number_sections(i, &e);
    fill_got(i);
    fill_eh_hdr(i);
    image_fill_tables(i);
    put_contents(i, &e, &seg[2]);
    put_headers(i, out->p + e.start + ELF_HEADER, seg, &tls, &relro);
    put_symtab(i, &e);
    elf_end(&e, ET_DYN, i->machine->machine, 0, headers);
    put_build_id(i, &e);
    elf_free(&e);
}

bool elf_write_shared(ObjPlan *p, VecU8 *out, Diag *d) {
    Image i = {.p = p, .m = p->mem, .machine = elf_machine(p->k->isa, d), .d = d};
    if (!i.machine) return false;
    memset(&i.at, 0xff, sizeof i.at);
    bool ok = image_scan(&i);
    if (ok) write(&i, out);
    vec_free(i.m, &i.syms);
    vec_free(i.m, &i.got);
    vec_free(i.m, &i.stubs);
    vec_free(i.m, &i.relocs);
    vec_free(i.m, &i.dynsyms);
    vec_free(i.m, &i.hashes);
    vec_free(i.m, &i.dynstr);
    vec_free(i.m, &i.needed);
    vec_free(i.m, &i.address);
    vec_free(i.m, &i.index);
    vec_free(i.m, &i.order);
    return ok;
}
