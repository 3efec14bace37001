/* module/linkable.c — symbols and definitions by name.
 *
 * Names are found by a hash map from their hash to the latest symbol with that hash, which chains to the others. A definition is
 * two blocks of memory whatever it holds: the facts with the LinkDef itself, and the body; so a function costs two allocations
 * here, and each can be given back alone.
 * Cost: that of copying; looking a name up is O(1). */
#include <stdio.h>
#include "module/linkable.h"

void linkable_init(Linkable *k, Mem *m, const IsaVtable *isa) {
    memset(k, 0, sizeof *k);
    k->mem = m;
    k->isa = isa;
}

static void drop_def(Linkable *k, LinkSymbol *y) {
    LinkDef *def = y->def;
    if (!def) return;
    linkable_drop_body(k, def);
    y->def = NULL;
    mem_free(k->mem, def, def->room);
}

void linkable_free(Linkable *k) {
    Mem *m = k->mem;
    for (uint32_t i = 0; i < k->syms.n; i++) {
        LinkSymbol *y = &k->syms.p[i];
        drop_def(k, y);
        if (y->len) mem_free(m, (void *)(uintptr_t)y->name, (size_t)y->len + 1);
    }
    for (uint32_t i = 0; i < k->sections.n; i++)
        mem_free(m, k->sections.p[i].name, (size_t)k->sections.p[i].len + 1);
    vec_free(m, &k->syms);
    vec_free(m, &k->waiting);
    vec_free(m, &k->sections);
    hashmap_free(m, &k->by_name);
}

/* ---- symbols ---- */
static char *copy_text(Mem *m, const char *s, size_t n) {
    char *p = mem_alloc(m, n + 1);
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

static LinkSym chained(const Linkable *k, LinkSym s, const char *name, size_t len) {
    for (; s != LINK_NO_SYM; s = k->syms.p[s].same_hash)
        if (k->syms.p[s].len == len && !memcmp(k->syms.p[s].name, name, len)) return s;
    return LINK_NO_SYM;
}

LinkSym linkable_find(const Linkable *k, const char *name, size_t len) {
    const uint32_t *head = hashmap_find(&k->by_name, hash_bytes(name, len, len));
    return head ? chained(k, *head, name, len) : LINK_NO_SYM;
}

static LinkSym fresh_symbol(Linkable *k, const char *name, size_t len, LinkSym same_hash) {
    vec_push(k->mem, &k->syms,
             (LinkSymbol){.name = name,
                          .len = (uint32_t)len,
                          .same_hash = same_hash,
                          .base = LINK_NO_SYM,
                          .section = LINK_USUAL_SECTION,
                          .waits_at = UINT32_MAX});
    return k->syms.n - 1;
}

LinkSym linkable_symbol(Linkable *k, const char *name, size_t len) {
    LinkSym s = linkable_find(k, name, len);
    if (s != LINK_NO_SYM) return s;
    if (!len) return linkable_anonymous(k);
    bool fresh;
    vec_reserve(k->mem, &k->syms, (uint64_t)k->syms.n + 1);
    char *copy = copy_text(k->mem, name, len);
    s = fresh_symbol(k, copy, len, LINK_NO_SYM);
    uint32_t *head =
        hashmap_get_or_insert(k->mem, &k->by_name, hash_bytes(name, len, len), s, &fresh);
    if (!fresh) k->syms.p[s].same_hash = *head;
    *head = s;
    return s;
}

LinkSym linkable_anonymous(Linkable *k) {
    LinkSym s = fresh_symbol(k, "", 0, LINK_NO_SYM);
    k->syms.p[s].binding = LINK_LOCAL;
    return s;
}

LinkSym linkable_local(Linkable *k, const char *name, size_t len) {
    if (!len) return linkable_anonymous(k);
    vec_reserve(k->mem, &k->syms, (uint64_t)k->syms.n + 1);
    LinkSym s = fresh_symbol(k, copy_text(k->mem, name, len), len, LINK_NO_SYM);
    k->syms.p[s].binding = LINK_LOCAL;
    return s;
}

LinkSym linkable_libcall(Linkable *k, ClifLibCall call) {
    if (k->libcalls[call]) return k->libcalls[call] - 1;
    const char *name = clif_libcall_symbol[call];
    LinkSym s = linkable_symbol(k, name, strlen(name));
    k->syms.p[s].libcall = (uint8_t)(call + 1);
    k->libcalls[call] = s + 1;
    return s;
}

uint64_t linkable_place(const Linkable *k, LinkSym s, LinkSym *in) {
    uint64_t offset = 0;
    for (; k->syms.p[s].base != LINK_NO_SYM; s = k->syms.p[s].base) offset += k->syms.p[s].offset;
    *in = s;
    return offset;
}

uint32_t linkable_section(Linkable *k, const char *name, size_t len) {
    for (uint32_t i = 0; i < k->sections.n; i++)
        if (k->sections.p[i].len == len && !memcmp(k->sections.p[i].name, name, len)) return i;
    vec_reserve(k->mem, &k->sections, (uint64_t)k->sections.n + 1);
    LinkSection s = {copy_text(k->mem, name, len), (uint32_t)len};
    vec_push(k->mem, &k->sections, s);
    return k->sections.n - 1;
}

/* ---- definitions ---- */
static bool may_define(const Linkable *k, LinkSym s, Diag *d) {
    if (s >= k->syms.n) return diag_msg(d, DIAG_INVALID, "no symbol %u", s);
    if (linkable_kind(k, s) != LINK_UNDEFINED)
        return diag_msg(d, DIAG_INVALID, "'%.200s' is defined already", k->syms.p[s].name);
    return true;
}

static size_t round8(size_t n) {
    return (n + 7) & ~(size_t)7;
}

/* The two blocks; what goes into them is the caller's to write. */
static LinkDef *new_def(Linkable *k, LinkSym s, size_t facts, size_t body) {
    vec_reserve(k->mem, &k->waiting, (uint64_t)k->waiting.n + 1);
    size_t room = round8(sizeof(LinkDef)) + facts;
    LinkDef *def = mem_alloc(k->mem, room);
    memset(def, 0, sizeof *def);
    def->sym = s;
    def->room = room;
    k->syms.p[s].def = def; /* from here on it is freed with the rest */
    if (body) {
        def->body = mem_alloc(k->mem, body);
        def->body_room = body;
    }
    return def;
}

static void wait(Linkable *k, LinkDef *def) {
    k->syms.p[def->sym].waits_at = k->waiting.n;
    vec_push(k->mem, &k->waiting, def->sym);
}

/* Copies n elements to *at, which moves on. */
static const void *put(char **at, const void *p, size_t bytes) {
    char *to = *at;
    if (!bytes) return NULL;
    memcpy(to, p, bytes);
    *at += round8(bytes);
    return to;
}

static const char *const known_symbol[] = {
    [CLIF_KNOWN_ELF_GLOBAL_OFFSET_TABLE] = "_GLOBAL_OFFSET_TABLE_",
    [CLIF_KNOWN_COFF_TLS_INDEX] = "_tls_index",
};
_Static_assert(sizeof known_symbol / sizeof *known_symbol == CLIF_KNOWN_COUNT, "one per symbol");

LinkSym linkable_text_name(Linkable *k, const ClifFunc *f, ClifName n) {
    n = clif_resolve_name(f, n);
    char text[32];
    switch ((ClifNameKind)n.kind) {
    case CLIF_NAME_TESTCASE:
        return linkable_symbol(k, n.b ? (const char *)f->bytes.p + n.a : "", n.b);
    case CLIF_NAME_LIBCALL: return linkable_libcall(k, (ClifLibCall)n.a);
    case CLIF_NAME_KNOWN: {
        const char *s = known_symbol[n.a];
        return linkable_symbol(k, s, strlen(s));
    }
    case CLIF_NAME_USER: snprintf(text, sizeof text, "u%u_%u", n.a, n.b); break;
    case CLIF_NAME_USER_REF: snprintf(text, sizeof text, "userextname%u", n.a); break;
    }
    return linkable_symbol(k, text, strlen(text));
}

/* The symbol of a name in compiled code; LINK_NO_SYM: it is none. */
static LinkSym symbol_of(Linkable *k, const LinkCode *c, ClifName n) {
    if (c->f) n = clif_resolve_name(c->f, n);
    if (n.kind == CLIF_NAME_USER && !c->text_numbers)
        return n.a == 0 && n.b < k->syms.n ? n.b : LINK_NO_SYM;
    if (n.kind == CLIF_NAME_LIBCALL) return linkable_libcall(k, (ClifLibCall)n.a);
    return c->f ? linkable_text_name(k, c->f, n) : LINK_NO_SYM;
}

bool linkable_define_func(Linkable *k, LinkSym s, const LinkCode *in, Diag *d) {
    const MachCompiled *c = in->code;
    if (!may_define(k, s, d)) return false;
    for (uint32_t i = 0; i < c->num_relocs; i++) /* this may make symbols, and so move them */
        if (symbol_of(k, in, c->relocs[i].name) == LINK_NO_SYM)
            return diag_msg(d, DIAG_INVALID, "'%.100s' refers to a name that is no symbol",
                            k->syms.p[s].name);
    size_t traps = c->num_traps * sizeof *c->traps, locs = c->num_srclocs * sizeof *c->srclocs,
           unwind = c->num_unwind * sizeof *c->unwind, relocs = c->num_relocs * sizeof(LinkReloc);
    size_t copy = in->borrowed ? 0 : c->size;
    LinkDef *def =
        new_def(k, s, round8(traps) + round8(locs) + round8(unwind), round8(relocs) + copy);
    char *at = (char *)def + round8(sizeof *def);
    def->traps = put(&at, c->traps, traps);
    def->ntraps = c->num_traps;
    def->locs = put(&at, c->srclocs, locs);
    def->nlocs = c->num_srclocs;
    def->unwind = put(&at, c->unwind, unwind);
    def->nunwind = c->num_unwind;
    LinkReloc *r = def->body;
    for (uint32_t i = 0; i < c->num_relocs; i++)
        r[i] = (LinkReloc){c->relocs[i].offset, c->relocs[i].kind,
                           symbol_of(k, in, c->relocs[i].name), c->relocs[i].addend};
    def->relocs = r;
    def->nrelocs = c->num_relocs;
    if (copy) def->bytes = memcpy((char *)def->body + round8(relocs), c->code, copy);
    if (in->borrowed && c->size) def->bytes = c->code;
    def->size = c->size;
    def->align = c->alignment ? c->alignment : k->isa->code_alignment;
    def->kind = LINK_FUNC;
    wait(k, def);
    return true;
}

static bool data_is_good(const Linkable *k, LinkSym s, const LinkData *t, Diag *d) {
    unsigned pointer = k->isa->pointer_bytes;
    if (!t->align || (t->align & (t->align - 1)))
        return diag_msg(d, DIAG_INVALID, "alignment %u is not a power of two", t->align);
    for (uint32_t i = 0; i < t->naddresses; i++) {
        const LinkAddress *a = &t->addresses[i];
        if (a->target >= k->syms.n) return diag_msg(d, DIAG_INVALID, "no symbol %u", a->target);
        if (a->offset > t->size || t->size - a->offset < pointer || a->offset > UINT32_MAX)
            return diag_msg(d, DIAG_INVALID, "offset %llu is outside '%.100s'",
                            (unsigned long long)a->offset, k->syms.p[s].name);
    }
    return true;
}

bool linkable_define_data(Linkable *k, LinkSym s, const LinkData *t, Diag *d) {
    if (!may_define(k, s, d) || !data_is_good(k, s, t, d)) return false;
    size_t relocs = t->naddresses * sizeof(LinkReloc);
    /* what has addresses in it needs bytes to write them to */
    size_t copy = (t->bytes && !t->borrowed) || (t->naddresses && !t->bytes) ? (size_t)t->size : 0;
    LinkDef *def = new_def(k, s, 0, round8(relocs) + copy);
    LinkReloc *r = def->body;
    for (uint32_t i = 0; i < t->naddresses; i++)
        r[i] = (LinkReloc){(uint32_t)t->addresses[i].offset, MACH_RELOC_ABS8,
                           t->addresses[i].target, t->addresses[i].addend};
    def->relocs = r;
    def->nrelocs = t->naddresses;
    def->bytes = t->bytes;
    if (copy) {
        char *to = (char *)def->body + round8(relocs);
        def->bytes = (uint8_t *)to;
        if (t->bytes)
            memcpy(to, t->bytes, copy);
        else
            memset(to, 0, copy);
    }
    def->size = t->size;
    def->align = t->align;
    def->kind = t->kind;
    wait(k, def);
    return true;
}

bool linkable_define_label(Linkable *k, LinkSym s, LinkSym base, uint64_t offset, uint64_t size,
                           Diag *d) {
    if (!may_define(k, s, d)) return false;
    if (base >= k->syms.n) return diag_msg(d, DIAG_INVALID, "no symbol %u", base);
    for (LinkSym b = base; b != LINK_NO_SYM; b = k->syms.p[b].base)
        if (b == s)
            return diag_msg(d, DIAG_INVALID, "'%.200s' would be inside itself", k->syms.p[s].name);
    LinkSymbol *y = &k->syms.p[s];
    y->base = base;
    y->offset = offset;
    y->size = size;
    return true;
}

void linkable_undefine(Linkable *k, LinkSym s) {
    LinkSymbol *y = &k->syms.p[s];
    if (y->waits_at != UINT32_MAX) {
        for (uint32_t i = y->waits_at + 1; i < k->waiting.n; i++) { /* the order stays */
            LinkSym next = k->waiting.p[i];
            k->waiting.p[i - 1] = next;
            k->syms.p[next].waits_at = i - 1;
        }
        k->waiting.n--;
        y->waits_at = UINT32_MAX;
    }
    drop_def(k, y);
    y->base = LINK_NO_SYM;
}

void linkable_drop_body(Linkable *k, LinkDef *def) {
    mem_free(k->mem, def->body, def->body_room);
    def->body = NULL;
    def->bytes = NULL;
    def->relocs = NULL;
    def->nrelocs = 0;
}

void linkable_taken(Linkable *k) {
    for (uint32_t i = 0; i < k->waiting.n; i++) k->syms.p[k->waiting.p[i]].waits_at = UINT32_MAX;
    vec_clear(&k->waiting);
}
