/* jit/linker.c — functions and data by name, linked in memory.
 *
 * Problem     A language implementer compiles functions one after the other, in any order, calls some before others exist,
 *             refers to data and to the host's routines, and later throws single functions away.
 * Idea        Definitions wait as bytes and relocations until jit_link lays all waiting ones out in one fresh stretch of
 *             pages (a chunk): functions and stubs | read-only data | writable data, each part on pages of its own, since
 *             protection goes by pages. Relocations are applied while the pages are writable; then each part gets its
 *             final protection and the addresses become known.
 *             Chunks are cut from one reservation of address space: displacements of 32 bits reach everywhere in it. What
 *             lies outside is reached through a stub of the chunk, one per target: jmp *0(%rip), address.
 *             A chunk knows how many of its definitions live; at none its pages go back and the stretch is reused.
 * Invariants  1. No page is writable and executable at once; linked code is never written again.
 *             2. Chunks and free stretches tile the used part of the reservation, whole pages each, in address order
 *                where free ones never touch.
 *             3. A link that fails changes no address, and its pages go back.
 * Cost        Linear in what is linked; a free stretch is found by looking at all of them.
 */
#include "jit/linker.h"
#include "base/hashmap.h"
#include <sys/mman.h>
#include <unistd.h>

enum { STUB_BYTES = 16 };
#define DEFAULT_RESERVE ((size_t)256 << 20)
#define MOST_RESERVE ((size_t)1 << 30)

typedef enum SymKind { SYM_UNDEFINED, SYM_FUNC, SYM_DATA, SYM_CONST } SymKind;
typedef struct Reloc {
    uint32_t offset;
    uint8_t kind; /* MachRelocKind */
    uint8_t is_libcall;
    uint32_t target; /* JitSym or ClifLibCall */
    int64_t addend;
} Reloc;
VEC_TYPEDEF(Relocs, Reloc);
VEC_TYPEDEF(Traps, MachTrap);
typedef struct Sym {
    char *name; /* NUL-terminated */
    size_t len;
    JitSym same_hash; /* next symbol whose name has this hash, UINT32_MAX = none */
    SymKind kind;
    uint8_t *bytes; /* waiting; NULL with a size: zeros */
    size_t size, align;
    Relocs relocs;
    Traps traps;       /* of a function, by offset */
    uint8_t *at;       /* where it is or, during a link, will be; NULL = not linked */
    uint32_t chunk;    /* of `at` */
    void *resolved;    /* address given by the embedder for an undefined symbol */
    uint32_t waits_at; /* index in `waiting`, while it waits */
    bool linked;
} Sym;
typedef struct Chunk {
    size_t first, pages; /* in the reservation */
    uint32_t live;
} Chunk;
typedef struct Stretch {
    size_t first, pages;
} Stretch;

struct JitLinker {
    Mem *mem;
    JitLinkerConfig cfg;
    uint8_t *base;
    size_t page, reserved_pages, used_pages;
    VEC(Sym) syms;
    HashMap by_name; /* hash of the name -> symbol */
    VecU32 waiting;  /* symbols defined and not linked */
    VecU64 offsets;  /* of each waiting one in the chunk */
    VEC(Chunk) chunks;
    VEC(Stretch) unused; /* below used_pages, by address */
    HashMap stubs;       /* of the link under way: target -> offset in the chunk */
};

JitLinker *jit_linker_new(Mem *m, const JitLinkerConfig *cfg, Diag *d) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = cfg->reserve;
    if (!bytes) bytes = DEFAULT_RESERVE;
    if (bytes > MOST_RESERVE) {
        diag_msg(d, DIAG_LIMIT, "at most 1 GiB of address space can be reserved for code");
        return NULL;
    }
    bytes = (bytes + page - 1) / page * page;
    JitLinker *l = mem_alloc(m, sizeof *l);
    memset(l, 0, sizeof *l);
    l->mem = m;
    l->cfg = *cfg;
    l->page = page;
    l->reserved_pages = bytes / page;
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        mem_free(m, l, sizeof *l);
        diag_msg(d, DIAG_OOM, "no %zu bytes of address space for code", bytes);
        return NULL;
    }
    l->base = p;
    return l;
}

static void drop_definition(JitLinker *l, Sym *s) {
    mem_free(l->mem, s->bytes, s->size);
    vec_free(l->mem, &s->relocs);
    vec_free(l->mem, &s->traps);
    s->bytes = NULL;
    s->size = 0;
    s->kind = SYM_UNDEFINED;
    s->at = NULL;
    s->linked = false;
}

void jit_linker_free(JitLinker *l) {
    if (!l) return;
    Mem *m = l->mem;
    for (uint32_t i = 0; i < l->syms.n; i++) {
        drop_definition(l, &l->syms.p[i]);
        mem_free(m, l->syms.p[i].name, l->syms.p[i].len + 1);
    }
    munmap(l->base, l->reserved_pages * l->page);
    vec_free(m, &l->syms);
    vec_free(m, &l->waiting);
    vec_free(m, &l->offsets);
    vec_free(m, &l->chunks);
    vec_free(m, &l->unused);
    hashmap_free(m, &l->by_name);
    hashmap_free(m, &l->stubs);
    mem_free(m, l, sizeof *l);
}

/* ---- symbols ---- */
JitSym jit_symbol(JitLinker *l, const char *name, size_t len) {
    bool fresh;
    uint64_t hash = hash_bytes(name, len, len);
    JitSym s = l->syms.n;
    vec_reserve(l->mem, &l->syms, (uint64_t)l->syms.n + 1);
    uint32_t *head = hashmap_get_or_insert(l->mem, &l->by_name, hash, s, &fresh);
    for (JitSym k = fresh ? UINT32_MAX : *head; k != UINT32_MAX; k = l->syms.p[k].same_hash)
        if (l->syms.p[k].len == len && !memcmp(l->syms.p[k].name, name, len)) return k;
    Sym n = {.len = len, .same_hash = fresh ? UINT32_MAX : *head};
    *head = s;
    l->syms.p[l->syms.n++] =
        n; /* room was made above; named next, so that no entry is ever missing */
    char *copy = mem_alloc(l->mem, len + 1);
    memcpy(copy, name, len);
    copy[len] = 0;
    l->syms.p[s].name = copy;
    return s;
}

JitSym jit_find_symbol(const JitLinker *l, const char *name, size_t len) {
    const uint32_t *head = hashmap_find(&l->by_name, hash_bytes(name, len, len));
    for (JitSym k = head ? *head : UINT32_MAX; k != UINT32_MAX; k = l->syms.p[k].same_hash)
        if (l->syms.p[k].len == len && !memcmp(l->syms.p[k].name, name, len)) return k;
    return UINT32_MAX;
}

uint32_t jit_symbol_count(const JitLinker *l) {
    return l->syms.n;
}
const char *jit_symbol_name(const JitLinker *l, JitSym s) {
    return l->syms.p[s].name;
}
void *jit_symbol_address(const JitLinker *l, JitSym s) {
    return l->syms.p[s].linked ? l->syms.p[s].at : NULL;
}
size_t jit_symbol_size(const JitLinker *l, JitSym s) {
    return l->syms.p[s].size;
}

/* ---- definitions ---- */
static bool begin_definition(JitLinker *l, JitSym s, Diag *d) {
    if (s >= l->syms.n) return diag_msg(d, DIAG_INVALID, "no symbol %u", s);
    if (l->syms.p[s].kind != SYM_UNDEFINED)
        return diag_msg(d, DIAG_INVALID, "'%.100s' is defined already", l->syms.p[s].name);
    vec_reserve(l->mem, &l->waiting, (uint64_t)l->waiting.n + 1);
    return true;
}

bool jit_define_func(JitLinker *l, JitSym s, const MachCompiled *c, Diag *d) {
    if (!begin_definition(l, s, d)) return false;
    Sym *y = &l->syms.p[s];
    for (uint32_t i = 0; i < c->num_relocs; i++) {
        const MachReloc *r = &c->relocs[i];
        bool lib = r->name.kind == CLIF_NAME_LIBCALL;
        if (!lib && (r->name.kind != CLIF_NAME_USER || r->name.a != 0 || r->name.b >= l->syms.n))
            return diag_msg(d, DIAG_LINK, "'%.100s' refers to a name that is no symbol", y->name);
    }
    for (uint32_t i = 0; i < c->num_relocs; i++) {
        const MachReloc *r = &c->relocs[i];
        bool lib = r->name.kind == CLIF_NAME_LIBCALL;
        Reloc n = {r->offset, r->kind, lib, lib ? r->name.a : r->name.b, r->addend};
        vec_push(l->mem, &y->relocs, n);
    }
    for (uint32_t i = 0; i < c->num_traps; i++) vec_push(l->mem, &y->traps, c->traps[i]);
    y->bytes = mem_alloc(l->mem, c->size);
    memcpy(y->bytes, c->code, c->size);
    y->size = c->size;
    y->align = c->alignment ? c->alignment : 16;
    y->kind = SYM_FUNC;
    y->waits_at = l->waiting.n;
    vec_push(l->mem, &l->waiting, s);
    return true;
}

bool jit_define_data(JitLinker *l, JitSym s, const uint8_t *bytes, size_t size, size_t align,
                     bool writable, Diag *d) {
    if (!begin_definition(l, s, d)) return false;
    if (!align || (align & (align - 1)) || align > l->page)
        return diag_msg(d, DIAG_INVALID, "alignment %zu is not a power of two up to %zu", align,
                        l->page);
    if (size > l->reserved_pages * l->page)
        return diag_msg(d, DIAG_LIMIT, "%zu bytes of data are more than is reserved", size);
    Sym *y = &l->syms.p[s];
    if (size) {
        y->bytes = mem_alloc(l->mem, size);
        if (bytes)
            memcpy(y->bytes, bytes, size);
        else
            memset(y->bytes, 0, size);
    }
    y->size = size;
    y->align = align;
    y->kind = writable ? SYM_DATA : SYM_CONST;
    y->waits_at = l->waiting.n;
    vec_push(l->mem, &l->waiting, s);
    return true;
}

bool jit_data_address(JitLinker *l, JitSym s, size_t offset, JitSym target, int64_t addend,
                      Diag *d) {
    if (s >= l->syms.n || target >= l->syms.n) return diag_msg(d, DIAG_INVALID, "no such symbol");
    Sym *y = &l->syms.p[s];
    if ((y->kind != SYM_DATA && y->kind != SYM_CONST) || y->linked)
        return diag_msg(d, DIAG_INVALID, "'%.100s' is not data that waits to be linked", y->name);
    if (offset > y->size || y->size - offset < 8 || offset > UINT32_MAX)
        return diag_msg(d, DIAG_INVALID, "offset %zu is outside '%.100s'", offset, y->name);
    Reloc r = {(uint32_t)offset, MACH_RELOC_ABS8, false, target, addend};
    vec_push(l->mem, &y->relocs, r);
    return true;
}

/* ---- pages ---- */
static bool take_pages(JitLinker *l, size_t pages, size_t *first) {
    for (uint32_t i = 0; i < l->unused.n; i++) {
        Stretch *u = &l->unused.p[i];
        if (u->pages < pages) continue;
        *first = u->first;
        u->first += pages;
        u->pages -= pages;
        if (!u->pages) memmove(u, u + 1, (--l->unused.n - i) * sizeof *u);
        return true;
    }
    if (l->reserved_pages - l->used_pages < pages) return false;
    *first = l->used_pages;
    l->used_pages += pages;
    return true;
}

/* The caller has made room for one more entry in `unused`. */
static void give_pages(JitLinker *l, size_t first, size_t pages) {
    uint8_t *p = l->base + first * l->page;
    mmap(p, pages * l->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
         0);
    uint32_t i = 0;
    while (i < l->unused.n && l->unused.p[i].first < first) i++;
    Stretch *u = l->unused.p;
    bool below = i > 0 && u[i - 1].first + u[i - 1].pages == first;
    bool above = i < l->unused.n && first + pages == u[i].first;
    if (below && above) {
        u[i - 1].pages += pages + u[i].pages;
        memmove(u + i, u + i + 1, (--l->unused.n - i) * sizeof *u);
    } else if (below) {
        u[i - 1].pages += pages;
    } else if (above) {
        u[i].first = first;
        u[i].pages += pages;
    } else {
        memmove(u + i + 1, u + i, (l->unused.n++ - i) * sizeof *u);
        u[i] = (Stretch){first, pages};
    }
}

/* ---- linking ---- */
typedef struct Part { /* one protection's share of the chunk */
    size_t off, size;
} Part;
enum { PART_CODE, PART_CONST, PART_DATA, PARTS };

static int part_of(const Sym *s) {
    return s->kind == SYM_FUNC ? PART_CODE : s->kind == SYM_CONST ? PART_CONST : PART_DATA;
}

static bool target_address(JitLinker *l, const Reloc *r, const void **out, Diag *d) {
    if (r->is_libcall) {
        ClifLibCall call = (ClifLibCall)r->target;
        *out = l->cfg.libcall ? l->cfg.libcall(l->cfg.user, call) : NULL;
        return *out || diag_msg(d, DIAG_LINK, "library routine %s is not available",
                                clif_libcall_symbol[call]);
    }
    Sym *s = &l->syms.p[r->target];
    if (s->at) {
        *out = s->at;
        return true;
    }
    if (!s->resolved && l->cfg.resolve) s->resolved = l->cfg.resolve(l->cfg.user, s->name);
    *out = s->resolved;
    return *out || diag_msg(d, DIAG_LINK, "symbol '%.200s' is not defined", s->name);
}

/* The stub for a target outside the reservation; *end is where the next one goes. */
static uint8_t *stub_for(JitLinker *l, const Reloc *r, const void *target, uint8_t *chunk,
                         size_t *end) {
    static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};
    bool fresh;
    uint64_t key = (uint64_t)r->is_libcall << 32 | r->target;
    uint32_t off = *hashmap_get_or_insert(l->mem, &l->stubs, key, (uint32_t)*end, &fresh);
    uint8_t *p = chunk + off;
    if (fresh) {
        memcpy(p, jump, sizeof jump);
        memcpy(p + 6, &target, 8);
        p[14] = p[15] = 0xcc;
        *end += STUB_BYTES;
    }
    return p;
}

static bool relocate(JitLinker *l, const Sym *s, uint8_t *chunk, size_t *stubs_end, Diag *d) {
    const uint8_t *low = l->base, *high = l->base + l->reserved_pages * l->page;
    for (uint32_t i = 0; i < s->relocs.n; i++) {
        const Reloc *r = &s->relocs.p[i];
        uint8_t *field = s->at + r->offset;
        const void *target;
        if (!target_address(l, r, &target, d)) return false;
        const uint8_t *t = target;
        switch ((MachRelocKind)r->kind) {
        case MACH_RELOC_ABS8: {
            uint64_t v = (uint64_t)(uintptr_t)t + (uint64_t)r->addend;
            memcpy(field, &v, 8);
            continue;
        }
        case MACH_RELOC_X86_PCREL4:
        case MACH_RELOC_X86_CALL_PCREL4:
        case MACH_RELOC_X86_CALL_PLT:
        case MACH_RELOC_X86_GOTPCREL4: {
            bool got = r->kind == MACH_RELOC_X86_GOTPCREL4;
            if (got || t < low || t >= high)
                t = stub_for(l, r, target, chunk, stubs_end) + (got ? 6 : 0);
            int64_t delta = t + r->addend - field;
            int32_t v = (int32_t)delta;
            if (v != delta) break;
            memcpy(field, &v, 4);
            continue;
        }
        case MACH_RELOC_ABS4:
        case MACH_RELOC_ARM64_CALL:
        case MACH_RELOC_ELF_X86_TLSGD:
        case MACH_RELOC_MACHO_X86_TLV:
        case MACH_RELOC_COFF_X86_SECREL: break;
        default: break;
        }
        return diag_msg(d, DIAG_LINK, "a relocation of kind %u in '%.100s' cannot be applied",
                        r->kind, s->name);
    }
    return true;
}

static size_t round_up(size_t x, size_t to) {
    return (x + to - 1) & ~(to - 1);
}

/* Offsets of all waiting symbols and of the stubs; sizes of the parts in whole pages. */
static size_t lay_out(JitLinker *l, Part part[PARTS], size_t *stubs) {
    size_t off = 0, relocs = 0;
    for (int k = 0; k < PARTS; k++) {
        part[k].off = off;
        for (uint32_t i = 0; i < l->waiting.n; i++) {
            const Sym *s = &l->syms.p[l->waiting.p[i]];
            if (part_of(s) != k) continue;
            off = round_up(off, s->align);
            l->offsets.p[i] = off;
            off += s->size;
            if (k == PART_CODE) relocs += s->relocs.n;
        }
        if (k == PART_CODE) {
            *stubs = off = round_up(off, STUB_BYTES);
            off += relocs * STUB_BYTES; /* room for as many as there can be */
        }
        off = round_up(off, l->page);
        part[k].size = off - part[k].off;
    }
    return off;
}

static bool place(JitLinker *l, const Chunk *c, const Part part[PARTS], size_t stubs, Diag *d) {
    static const int protection[PARTS] = {PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE};
    uint8_t *chunk = l->base + c->first * l->page;
    if (mprotect(chunk, c->pages * l->page, PROT_READ | PROT_WRITE))
        return diag_msg(d, DIAG_OOM, "no memory for %zu bytes of code and data",
                        c->pages * l->page);
    for (uint32_t i = 0; i < l->waiting.n; i++) {
        Sym *s = &l->syms.p[l->waiting.p[i]];
        s->at = chunk + l->offsets.p[i];
        if (s->size) memcpy(s->at, s->bytes, s->size);
    }
    for (uint32_t i = 0; i < l->waiting.n; i++)
        if (!relocate(l, &l->syms.p[l->waiting.p[i]], chunk, &stubs, d)) return false;
    for (int k = 0; k < PARTS; k++)
        if (part[k].size && mprotect(chunk + part[k].off, part[k].size, protection[k]))
            return diag_msg(d, DIAG_OOM, "the system refuses executable memory");
    return true;
}

bool jit_link(JitLinker *l, Diag *d) {
    Part part[PARTS];
    size_t stubs = 0;
    if (!l->waiting.n) return true;
    vec_reserve(l->mem, &l->chunks, (uint64_t)l->chunks.n + 1);
    vec_reserve(l->mem, &l->unused, (uint64_t)l->chunks.n + 2); /* never more than chunks + 1 */
    vec_clear(&l->offsets);
    vec_resize0(l->mem, &l->offsets, l->waiting.n);
    hashmap_clear(&l->stubs);
    size_t bytes = lay_out(l, part, &stubs);
    Chunk c = {.pages = bytes / l->page ? bytes / l->page : 1, .live = l->waiting.n};
    bool ok = take_pages(l, c.pages, &c.first);
    if (!ok) {
        diag_msg(d, DIAG_LIMIT, "the %zu bytes of address space for code are used up",
                 l->reserved_pages * l->page);
    } else if (!place(l, &c, part, stubs, d)) {
        give_pages(l, c.first, c.pages);
        ok = false;
    }
    for (uint32_t i = 0; i < l->waiting.n; i++) {
        Sym *s = &l->syms.p[l->waiting.p[i]];
        if (!ok) {
            s->at = NULL;
            continue;
        }
        s->linked = true;
        s->chunk = l->chunks.n;
        mem_free(l->mem, s->bytes, s->size);
        s->bytes = NULL;
        vec_free(l->mem, &s->relocs);
    }
    if (!ok) return false;
    vec_clear(&l->waiting);
    vec_push(l->mem, &l->chunks, c);
    return true;
}

void jit_undefine(JitLinker *l, JitSym sym) {
    Sym *s = &l->syms.p[sym];
    if (s->kind == SYM_UNDEFINED) return;
    if (s->linked) {
        Chunk *c = &l->chunks.p[s->chunk];
        s->bytes = NULL;
        if (--c->live == 0) give_pages(l, c->first, c->pages);
    } else {
        JitSym last = vec_pop(&l->waiting);
        if (last != sym) l->waiting.p[s->waits_at] = last;
        l->syms.p[last].waits_at = s->waits_at;
    }
    drop_definition(l, s);
}

ClifTrap jit_find_trap(const JitLinker *l, const void *pc, JitSym *sym) {
    const uint8_t *p = pc;
    if (p < l->base || p >= l->base + l->reserved_pages * l->page) return CLIF_TRAP_NONE;
    for (uint32_t i = 0; i < l->syms.n; i++) {
        const Sym *s = &l->syms.p[i];
        if (!s->linked || s->kind != SYM_FUNC || p < s->at || p >= s->at + s->size) continue;
        uint32_t off = (uint32_t)(p - s->at);
        if (sym) *sym = i;
        for (uint32_t k = 0; k < s->traps.n; k++)
            if (s->traps.p[k].offset == off) return s->traps.p[k].code;
        return CLIF_TRAP_NONE;
    }
    return CLIF_TRAP_NONE;
}
