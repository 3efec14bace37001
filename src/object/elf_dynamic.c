/* object/elf_dynamic.c — the loader's tables: dynamic symbols and their names, the hash table, relocations, .dynamic.
 *
 * Dynamic symbols are the imports, then the definitions that others may see. The latter are sorted by hash bucket, as the GNU hash
 * table wants it: a Bloom filter, for each bucket its first symbol, for each symbol its hash with the last bit marking the end
 * of a bucket. Everything is bound when the file is loaded (BIND_NOW), so that the table of addresses can be read-only then. */
#include "object/elf_image.h"

enum {
    DT_NULL = 0,
    DT_NEEDED = 1,
    DT_PLTRELSZ = 2,
    DT_PLTGOT = 3,
    DT_STRTAB = 5,
    DT_SYMTAB = 6,
    DT_RELA = 7,
    DT_RELASZ = 8,
    DT_RELAENT = 9,
    DT_STRSZ = 10,
    DT_SYMENT = 11,
    DT_SONAME = 14,
    DT_PLTREL = 20,
    DT_JMPREL = 23,
    DT_INIT_ARRAY = 25,
    DT_FINI_ARRAY = 26,
    DT_INIT_ARRAYSZ = 27,
    DT_FINI_ARRAYSZ = 28,
    DT_FLAGS = 30,
    DT_GNU_HASH = 0x6ffffef5,
    DT_RELACOUNT = 0x6ffffff9,
    DT_FLAGS_1 = 0x6ffffffb,
    DF_BIND_NOW = 8,
    DF_1_NOW = 1,
    BLOOM_SHIFT = 6
};

uint32_t image_table(Image *i, const char *name, ObjPart part, uint32_t align, uint64_t size) {
    uint32_t at = plan_add(i->p, name, part, align);
    ObjSection *s = &i->p->sections.p[at];
    bytes_fill(i->m, &s->bytes, 0, (size_t)size);
    s->size = size;
    return at;
}

/* ---- symbols ---- */
static uint32_t gnu_hash(const char *s) {
    uint32_t h = 5381;
    for (; *s; s++) h = h * 33 + (uint8_t)*s;
    return h;
}

/* Visible definitions in order of buckets; the order inside a bucket is that of the symbols. */
static void collect_exports(Image *i) {
    const Linkable *k = i->p->k;
    VecU32 found = {0}, start = {0};
    for (LinkSym s = 0; s < k->syms.n; s++) {
        const LinkSymbol *y = linkable_at(k, s);
        if (y->binding != LINK_EXPORT && y->binding != LINK_WEAK) continue;
        if (y->len && plan_place(i->p, s).section != OBJ_NO_SECTION) vec_push(i->m, &found, s);
    }
    uint32_t n = found.n;
    i->nbuckets = n / 4 + 1;
    for (i->bloom_words = 1; i->bloom_words < n / 4; i->bloom_words *= 2) {
    }
    i->first_hashed = i->dynsyms.n;
    vec_resize0(i->m, &start, i->nbuckets + 1);
    for (uint32_t j = 0; j < n; j++)
        start.p[1 + gnu_hash(linkable_at(k, found.p[j])->name) % i->nbuckets]++;
    for (uint32_t b = 0; b < i->nbuckets; b++) start.p[b + 1] += start.p[b];
    vec_resize0(i->m, &i->dynsyms, i->first_hashed + n);
    vec_resize0(i->m, &i->hashes, n);
    for (uint32_t j = 0; j < n; j++) {
        uint32_t h = gnu_hash(linkable_at(k, found.p[j])->name);
        uint32_t at = start.p[h % i->nbuckets]++;
        i->dynsyms.p[i->first_hashed + at] = found.p[j];
        i->hashes.p[at] = h;
    }
    vec_free(i->m, &found);
    vec_free(i->m, &start);
}

static uint32_t put_string(Image *i, const char *s) {
    return bytes_string(i->m, &i->dynstr, s, strlen(s));
}

/* Libraries that must be there: those asked for, and the one with the mathematical routines that code calls. */
static void collect_needed(Image *i) {
    const ObjectOptions *o = i->p->o;
    const Linkable *k = i->p->k;
    bool math = false;
    for (LinkSym s = 0; s < k->syms.n; s++) {
        uint8_t call = linkable_at(k, s)->libcall;
        math |= i->syms.p[s].dyn && call > CLIF_LIBCALL_CEIL_F32 &&
                call <= CLIF_LIBCALL_FMA_F64 + 1 && plan_place(i->p, s).section == OBJ_NO_SECTION;
    }
    for (uint32_t n = 0; n < o->nneeded; n++) {
        vec_push(i->m, &i->needed, put_string(i, o->needed[n]));
        if (o->math_library && !strcmp(o->needed[n], o->math_library)) math = false;
    }
    if (math && o->math_library) vec_push(i->m, &i->needed, put_string(i, o->math_library));
    if (o->soname) i->soname = put_string(i, o->soname);
}

/* ---- .dynamic ---- */
typedef VecU64 Entries; /* tag, value, tag, value, ... */

static void entry(Image *i, Entries *e, uint64_t tag, uint64_t value) {
    vec_push(i->m, e, tag);
    vec_push(i->m, e, value);
}
static uint64_t address(const Image *i, uint32_t section) {
    return i->address.n ? i->address.p[section] : 0;
}
static void array(Image *i, Entries *e, const char *name, uint64_t tag, uint64_t size_tag) {
    for (uint32_t s = 0; s < i->p->sections.n; s++) {
        const ObjSection *sec = &i->p->sections.p[s];
        if (sec->name_len != strlen(name) || memcmp(i->p->names.p + sec->name, name, sec->name_len))
            continue;
        entry(i, e, tag, address(i, s));
        entry(i, e, size_tag, sec->size);
    }
}

/* All entries; their number does not depend on addresses. */
static void list_entries(Image *i, Entries *e) {
    for (uint32_t j = 0; j < i->needed.n; j++) entry(i, e, DT_NEEDED, i->needed.p[j]);
    if (i->soname) entry(i, e, DT_SONAME, i->soname);
    array(i, e, ".init_array", DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
    array(i, e, ".fini_array", DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
    entry(i, e, DT_GNU_HASH, address(i, i->at.hash));
    entry(i, e, DT_STRTAB, address(i, i->at.dynstr));
    entry(i, e, DT_SYMTAB, address(i, i->at.dynsym));
    entry(i, e, DT_STRSZ, i->p->sections.p[i->at.dynstr].size);
    entry(i, e, DT_SYMENT, ELF_SYM);
    if (i->stubs.n) {
        entry(i, e, DT_PLTGOT, address(i, i->at.got));
        entry(i, e, DT_PLTRELSZ, ELF_RELA * (uint64_t)i->stubs.n);
        entry(i, e, DT_PLTREL, DT_RELA);
        entry(i, e, DT_JMPREL, address(i, i->at.rela_stubs));
    }
    if (i->relocs.n) {
        entry(i, e, DT_RELA, address(i, i->at.rela));
        entry(i, e, DT_RELASZ, ELF_RELA * (uint64_t)i->relocs.n);
        entry(i, e, DT_RELAENT, ELF_RELA);
        if (i->nrelative) entry(i, e, DT_RELACOUNT, i->nrelative);
    }
    entry(i, e, DT_FLAGS, DF_BIND_NOW);
    entry(i, e, DT_FLAGS_1, DF_1_NOW);
    entry(i, e, DT_NULL, 0);
}

/* ---- sizes ---- */
void image_collect(Image *i) {
    const Linkable *k = i->p->k;
    bytes_put(i->m, &i->dynstr, 0, 1);
    vec_push(i->m, &i->dynsyms, LINK_NO_SYM);
    for (LinkSym s = 0; s < k->syms.n; s++)
        if (i->syms.p[s].dyn && plan_place(i->p, s).section == OBJ_NO_SECTION)
            vec_push(i->m, &i->dynsyms, s);
    collect_exports(i);
    collect_needed(i);
    for (uint32_t j = 1; j < i->dynsyms.n; j++) i->syms.p[i->dynsyms.p[j]].dyn = j + 1;
    for (uint32_t w = 0; w < i->got.n; w++) { /* words that the loader fills */
        GotWord g = i->got.p[w];
        bool here = g.kind != GOT_ADDRESS && image_is_final(i, g.sym);
        if (g.kind == GOT_TLS_OFFSET && here) continue;
        vec_push(i->m, &i->relocs,
                 (DynReloc){i->at.got,
                            g.kind == GOT_ADDRESS      ? i->machine->dyn_glob_dat
                            : g.kind == GOT_TLS_MODULE ? i->machine->dyn_dtpmod
                                                       : i->machine->dyn_dtpoff,
                            false, here ? LINK_NO_SYM : g.sym, 8 * (uint64_t)w, 0});
    }
    i->at.hash = image_table(i, ".gnu.hash", OBJ_RODATA, 8,
                             16 + 8 * (uint64_t)i->bloom_words + 4 * (uint64_t)i->nbuckets +
                                 4 * (uint64_t)i->hashes.n);
    i->at.dynsym = image_table(i, ".dynsym", OBJ_RODATA, 8, ELF_SYM * (uint64_t)i->dynsyms.n);
    uint32_t names = 0;
    for (uint32_t j = 1; j < i->dynsyms.n; j++) names += linkable_at(k, i->dynsyms.p[j])->len + 1;
    i->at.dynstr = image_table(i, ".dynstr", OBJ_RODATA, 1, (uint64_t)i->dynstr.n + names);
    if (i->relocs.n)
        i->at.rela = image_table(i, ".rela.dyn", OBJ_RODATA, 8, ELF_RELA * (uint64_t)i->relocs.n);
    if (i->stubs.n)
        i->at.rela_stubs =
            image_table(i, ".rela.plt", OBJ_RODATA, 8, ELF_RELA * (uint64_t)i->stubs.n);
    Entries e = {0};
    list_entries(i, &e);
    i->at.dynamic = image_table(i, ".dynamic", OBJ_RELRO, 8, 8 * (uint64_t)e.n);
    vec_free(i->m, &e);
}

static void fill_symbols(Image *i) {
    const Linkable *k = i->p->k;
    VecU8 syms = {0};
    uint8_t *strings = image_bytes(i, i->at.dynstr);
    memcpy(strings, i->dynstr.p, i->dynstr.n);
    uint32_t at = i->dynstr.n;
    elf_put_sym(i->m, &syms, 0, 0, 0, 0, 0, 0, 0);
    for (uint32_t j = 1; j < i->dynsyms.n; j++) {
        LinkSym s = i->dynsyms.p[j], in;
        const LinkSymbol *y = linkable_at(k, s);
        linkable_place(k, s, &in);
        uint32_t section = plan_place(i->p, s).section;
        bool here = section != OBJ_NO_SECTION;
        unsigned type = i->syms.p[s].tls ? STT_TLS : elf_sym_type(linkable_kind(k, in));
        uint64_t value = here ? image_address(i, s) : 0;
        if (here && type == STT_TLS) value -= i->tls_address;
        elf_put_sym(i->m, &syms, at, y->binding == LINK_WEAK ? STB_WEAK : STB_GLOBAL, type,
                    STV_DEFAULT, here ? (uint16_t)i->index.p[section] : 0, value,
                    y->def ? y->def->size : y->size);
        memcpy(strings + at, y->name, y->len + 1);
        at += y->len + 1;
    }
    memcpy(image_bytes(i, i->at.dynsym), syms.p, syms.n);
    vec_free(i->m, &syms);
}

static void fill_hash(Image *i) {
    uint8_t *p = image_bytes(i, i->at.hash), *bloom = p + 16, *bucket = bloom + 8 * i->bloom_words,
            *chain = bucket + 4 * i->nbuckets;
    bytes_set(p, i->nbuckets, 4);
    bytes_set(p + 4, i->first_hashed, 4);
    bytes_set(p + 8, i->bloom_words, 4);
    bytes_set(p + 12, BLOOM_SHIFT, 4);
    for (uint32_t j = 0; j < i->hashes.n; j++) {
        uint32_t h = i->hashes.p[j], b = h % i->nbuckets;
        uint8_t *word = bloom + 8 * (h / 64 % i->bloom_words);
        word[h % 64 / 8] |= (uint8_t)(1u << h % 8);
        word[(h >> BLOOM_SHIFT) % 64 / 8] |= (uint8_t)(1u << (h >> BLOOM_SHIFT) % 8);
        if (j == 0 || i->hashes.p[j - 1] % i->nbuckets != b)
            bytes_set(bucket + 4 * b, i->first_hashed + j, 4);
        bool last = j + 1 == i->hashes.n || i->hashes.p[j + 1] % i->nbuckets != b;
        bytes_set(chain + 4 * j, last ? h | 1 : h & ~1u, 4);
    }
}

static void put_rela(uint8_t *to, uint64_t where, uint64_t sym, uint32_t type, uint64_t addend) {
    bytes_set(to, where, 8);
    bytes_set(to + 8, sym << 32 | type, 8);
    bytes_set(to + 16, addend, 8);
}

static void fill_relocs(Image *i) {
    uint32_t relative = 0, other = i->nrelative; /* relative ones come first */
    for (uint32_t r = 0; r < i->relocs.n; r++) {
        const DynReloc *d = &i->relocs.p[r];
        uint8_t *to = image_bytes(i, i->at.rela) + ELF_RELA * (d->relative ? relative++ : other++);
        uint64_t sym = d->relative || d->sym == LINK_NO_SYM ? 0 : i->syms.p[d->sym].dyn - 1;
        put_rela(to, i->address.p[d->section] + d->offset, sym, d->type,
                 (uint64_t)d->addend + (d->relative ? image_address(i, d->sym) : 0));
    }
    for (uint32_t s = 0; s < i->stubs.n; s++)
        put_rela(image_bytes(i, i->at.rela_stubs) + ELF_RELA * s,
                 i->address.p[i->at.got] + 8 * ((uint64_t)i->got.n + s),
                 i->syms.p[i->stubs.p[s]].dyn - 1, i->machine->dyn_jump_slot, 0);
}

void image_fill_tables(Image *i) {
    Entries e = {0};
    fill_symbols(i);
    fill_hash(i);
    fill_relocs(i);
    list_entries(i, &e);
    for (uint32_t j = 0; j < e.n; j++) bytes_set(image_bytes(i, i->at.dynamic) + 8 * j, e.p[j], 8);
    vec_free(i->m, &e);
}
