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
#include "object/bytes.h"
#include "object/cfi.h"
#include <sys/mman.h>
#include <unistd.h>

enum { STUB_BYTES = 16 };
#define DEFAULT_RESERVE ((size_t)256 << 20)
#define MOST_RESERVE ((size_t)1 << 30)

typedef struct Place { /* of a symbol */
    uint8_t *at;       /* where it is or, during a link, will be; NULL = not linked */
    void *resolved;    /* address given by the embedder for an undefined symbol */
    uint32_t chunk;    /* of `at` */
    bool linked;
} Place;
typedef struct Chunk {
    size_t first, pages; /* in the reservation */
    uint32_t live;
    const uint8_t *frames; /* unwinding entries that the unwinder knows, or NULL */
    JitGdb *gdb;           /* what the debugger knows, or NULL */
} Chunk;
typedef struct Stretch {
    size_t first, pages;
} Stretch;

struct JitLinker {
    Mem *mem;
    JitLinkerConfig cfg;
    uint8_t *base;
    size_t page, reserved_pages, used_pages;
    Linkable syms;
    VEC(Place) places; /* per symbol; may be shorter */
    VecU64 offsets;    /* of each waiting one in the chunk */
    VEC(Chunk) chunks;
    VEC(Stretch) unused; /* below used_pages, by address */
    unsigned publish;    /* JIT_PUBLISH_* */
    JitPerf *perf;       /* NULL: nothing for it */
    Cfi cfi;             /* of the link under way */
    size_t frames;       /* its offset in the chunk */
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
    linkable_init(&l->syms, m, isa_host());
    cfi_init(&l->cfi, m, isa_host());
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

static void withdraw(JitLinker *l, Chunk *c) {
    if (c->frames) jit_withdraw_frames(c->frames);
    jit_gdb_remove(l->mem, c->gdb);
    c->frames = NULL;
    c->gdb = NULL;
}

void jit_linker_free(JitLinker *l) {
    if (!l) return;
    Mem *m = l->mem;
    for (uint32_t i = 0; i < l->chunks.n; i++)
        if (l->chunks.p[i].live) withdraw(l, &l->chunks.p[i]);
    jit_perf_close(l->perf);
    cfi_free(&l->cfi);
    munmap(l->base, l->reserved_pages * l->page);
    linkable_free(&l->syms);
    vec_free(m, &l->places);
    vec_free(m, &l->offsets);
    vec_free(m, &l->chunks);
    vec_free(m, &l->unused);
    hashmap_free(m, &l->stubs);
    mem_free(m, l, sizeof *l);
}

Linkable *jit_linkable(JitLinker *l) {
    return &l->syms;
}
static const Place *place_of(const JitLinker *l, LinkSym s) {
    static const Place none;
    return s < l->places.n ? &l->places.p[s] : &none;
}
void *jit_symbol_address(const JitLinker *l, LinkSym s) {
    LinkSym in;
    if (s >= l->syms.syms.n) return NULL;
    uint64_t off = linkable_place(&l->syms, s, &in);
    const Place *p = place_of(l, in);
    return p->linked ? p->at + off : NULL;
}

bool jit_define_data(JitLinker *l, LinkSym s, const LinkData *t, Diag *d) {
    if (t->kind == LINK_TLS)
        return diag_msg(d, DIAG_UNSUPPORTED, "thread-local data cannot be defined in memory");
    if (t->align > l->page)
        return diag_msg(d, DIAG_INVALID, "alignment %u is more than a page", t->align);
    if (t->size > l->reserved_pages * l->page)
        return diag_msg(d, DIAG_LIMIT, "%llu bytes of data are more than is reserved",
                        (unsigned long long)t->size);
    return linkable_define_data(&l->syms, s, t, d);
}

bool jit_publish(JitLinker *l, unsigned what, Diag *d) {
    const unsigned files = JIT_PUBLISH_PERF_MAP | JIT_PUBLISH_JITDUMP;
    if (what & JIT_PUBLISH_UNWIND && !jit_can_unwind())
        return diag_msg(d, DIAG_UNSUPPORTED, "this process has no unwinder that can be told");
    if ((what & files) != (l->publish & files)) {
        JitPerf *p = what & files ? jit_perf_open(l->mem, what, d) : NULL;
        if (what & files && !p) return false;
        jit_perf_close(l->perf);
        l->perf = p;
    }
    l->publish = what;
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

static int part_of(const LinkDef *def) {
    return def->kind == LINK_FUNC ? PART_CODE : def->kind == LINK_CONST ? PART_CONST : PART_DATA;
}
static LinkDef *waiting(const JitLinker *l, uint32_t i) {
    return l->syms.syms.p[l->syms.waiting.p[i]].def;
}

static bool target_address(JitLinker *l, LinkSym target, const uint8_t **out, Diag *d) {
    LinkSym s;
    uint64_t off = linkable_place(&l->syms, target, &s);
    Place *p = &l->places.p[s];
    const LinkSymbol *y = linkable_at(&l->syms, s);
    if (p->at) {
        *out = p->at + off;
        return true;
    }
    if (!p->resolved && l->cfg.resolve && y->len)
        p->resolved = l->cfg.resolve(l->cfg.user, y->name);
    if (!p->resolved && y->libcall && l->cfg.libcall)
        p->resolved = (void *)(uintptr_t)l->cfg.libcall(l->cfg.user, (ClifLibCall)(y->libcall - 1));
    *out = p->resolved;
    if (p->resolved) {
        *out += off;
        return true;
    }
    if (y->binding == LINK_WEAK) return true;
    return diag_msg(d, DIAG_LINK,
                    y->libcall ? "library routine %.200s is not available"
                               : "symbol '%.200s' is not defined",
                    y->name);
}

/* The stub for a target outside the reservation; *end is where the next one goes. */
static uint8_t *stub_for(JitLinker *l, LinkSym s, const void *target, uint8_t *chunk, size_t *end) {
    static const uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};
    bool fresh;
    uint32_t off = *hashmap_get_or_insert(l->mem, &l->stubs, s, (uint32_t)*end, &fresh);
    uint8_t *p = chunk + off;
    if (fresh) {
        memcpy(p, jump, sizeof jump);
        memcpy(p + 6, &target, 8);
        p[14] = p[15] = 0xcc;
        *end += STUB_BYTES;
    }
    return p;
}

static bool relocate(JitLinker *l, const LinkDef *def, uint8_t *chunk, size_t *stubs_end, Diag *d) {
    const uint8_t *low = l->base, *high = l->base + l->reserved_pages * l->page;
    for (uint32_t i = 0; i < def->nrelocs; i++) {
        const LinkReloc *r = &def->relocs[i];
        uint8_t *field = l->places.p[def->sym].at + r->offset;
        const uint8_t *t;
        if (!target_address(l, r->target, &t, d)) return false;
        switch ((MachRelocKind)r->kind) {
        case MACH_RELOC_ABS8: {
            uint64_t v = (uint64_t)(uintptr_t)t + (uint64_t)r->addend;
            memcpy(field, &v, 8);
            continue;
        }
        case MACH_RELOC_X86_PCREL4:
        case MACH_RELOC_X86_CALL_PCREL4:
        case MACH_RELOC_X86_CALL_PLT:
        case MACH_RELOC_X86_GOTPCREL4:
        case MACH_RELOC_X86_MOV_GOTPCREL4: {
            bool got =
                r->kind == MACH_RELOC_X86_GOTPCREL4 || r->kind == MACH_RELOC_X86_MOV_GOTPCREL4;
            if (got || t < low || t >= high)
                t = stub_for(l, r->target, t, chunk, stubs_end) + (got ? 6 : 0);
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
                        r->kind, linkable_at(&l->syms, def->sym)->name);
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
        for (uint32_t i = 0; i < l->syms.waiting.n; i++) {
            const LinkDef *def = waiting(l, i);
            if (part_of(def) != k) continue;
            off = round_up(off, def->align);
            l->offsets.p[i] = off;
            off += def->size;
            if (k == PART_CODE) relocs += def->nrelocs;
        }
        if (k == PART_CODE) {
            *stubs = off = round_up(off, STUB_BYTES);
            off += relocs * STUB_BYTES; /* room for as many as there can be */
        }
        if (k == PART_CONST && l->cfi.bytes.n) {
            l->frames = off = round_up(off, 8);
            off += l->cfi.bytes.n;
        }
        off = round_up(off, l->page);
        part[k].size = off - part[k].off;
    }
    return off;
}

/* The unwinding entries of what is being linked, if somebody wants them. */
static void make_frames(JitLinker *l) {
    cfi_clear(&l->cfi);
    if (!(l->publish & (JIT_PUBLISH_UNWIND | JIT_PUBLISH_GDB))) return;
    for (uint32_t i = 0; i < l->syms.waiting.n; i++) cfi_add(&l->cfi, waiting(l, i));
    cfi_end(&l->cfi);
}

static void place_frames(JitLinker *l, uint8_t *chunk) {
    uint8_t *to = chunk + l->frames;
    memcpy(to, l->cfi.bytes.p, l->cfi.bytes.n);
    for (uint32_t i = 0; i < l->cfi.sites.n; i++) {
        CfiSite s = l->cfi.sites.p[i];
        bytes_set(to + s.offset, (uint64_t)(l->places.p[s.func].at - (to + s.offset)), 4);
    }
}

static bool place(JitLinker *l, const Chunk *c, const Part part[PARTS], size_t stubs, Diag *d) {
    static const int protection[PARTS] = {PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE};
    uint8_t *chunk = l->base + c->first * l->page;
    if (mprotect(chunk, c->pages * l->page, PROT_READ | PROT_WRITE))
        return diag_msg(d, DIAG_OOM, "no memory for %zu bytes of code and data",
                        c->pages * l->page);
    for (uint32_t i = 0; i < l->syms.waiting.n; i++) {
        const LinkDef *def = waiting(l, i);
        uint8_t *at = l->places.p[def->sym].at = chunk + l->offsets.p[i];
        if (def->bytes) memcpy(at, def->bytes, def->size);
    }
    for (uint32_t i = 0; i < l->syms.waiting.n; i++)
        if (!relocate(l, waiting(l, i), chunk, &stubs, d)) return false;
    if (l->cfi.bytes.n) place_frames(l, chunk);
    for (int k = 0; k < PARTS; k++)
        if (part[k].size && mprotect(chunk + part[k].off, part[k].size, protection[k]))
            return diag_msg(d, DIAG_OOM, "the system refuses executable memory");
    return true;
}

static JitGdb *tell_debugger(JitLinker *l, const uint8_t *chunk, size_t size) {
    VEC(ObjectCode) funcs = {0};
    for (uint32_t i = 0; i < l->syms.waiting.n; i++) {
        const LinkDef *def = waiting(l, i);
        if (def->kind != LINK_FUNC) continue;
        vec_push(l->mem, &funcs,
                 (ObjectCode){linkable_at(&l->syms, def->sym)->name,
                              (uintptr_t)l->places.p[def->sym].at, def->size});
    }
    ObjectMemory what = {.isa = l->syms.isa,
                         .address = (uintptr_t)chunk,
                         .size = size,
                         .funcs = funcs.p,
                         .nfuncs = funcs.n,
                         .frames = chunk + l->frames,
                         .frames_size = l->cfi.bytes.n};
    JitGdb *g = funcs.n ? jit_gdb_add(l->mem, &what) : NULL;
    vec_free(l->mem, &funcs);
    return g;
}

bool jit_link(JitLinker *l, Diag *d) {
    Part part[PARTS];
    size_t stubs = 0;
    uint32_t n = l->syms.waiting.n;
    if (!n) return true;
    vec_reserve(l->mem, &l->chunks, (uint64_t)l->chunks.n + 1);
    vec_reserve(l->mem, &l->unused, (uint64_t)l->chunks.n + 2); /* never more than chunks + 1 */
    vec_resize0(l->mem, &l->places, l->syms.syms.n);
    vec_clear(&l->offsets);
    vec_resize0(l->mem, &l->offsets, n);
    hashmap_clear(&l->stubs);
    make_frames(l);
    size_t bytes = lay_out(l, part, &stubs);
    Chunk c = {.pages = bytes / l->page ? bytes / l->page : 1, .live = n};
    bool ok = take_pages(l, c.pages, &c.first);
    if (!ok) {
        diag_msg(d, DIAG_LIMIT, "the %zu bytes of address space for code are used up",
                 l->reserved_pages * l->page);
    } else if (!place(l, &c, part, stubs, d)) {
        give_pages(l, c.first, c.pages);
        ok = false;
    }
    for (uint32_t i = 0; i < n; i++) {
        LinkDef *def = waiting(l, i);
        Place *p = &l->places.p[def->sym];
        if (!ok) {
            p->at = NULL;
            continue;
        }
        p->linked = true;
        p->chunk = l->chunks.n;
        if (l->perf && def->kind == LINK_FUNC)
            jit_perf_code(l->perf, linkable_at(&l->syms, def->sym)->name, p->at, def->size);
        linkable_drop_body(&l->syms, def);
    }
    if (!ok) return false;
    const uint8_t *chunk = l->base + c.first * l->page;
    if (l->publish & JIT_PUBLISH_GDB) c.gdb = tell_debugger(l, chunk, part[PART_CODE].size);
    linkable_taken(&l->syms);
    if (l->publish & JIT_PUBLISH_UNWIND && l->cfi.bytes.n)
        jit_publish_frames(c.frames = chunk + l->frames);
    vec_push(l->mem, &l->chunks, c);
    return true;
}

void jit_undefine(JitLinker *l, LinkSym s) {
    if (s < l->places.n) {
        Place *p = &l->places.p[s];
        if (p->linked) {
            Chunk *c = &l->chunks.p[p->chunk];
            if (--c->live == 0) {
                withdraw(l, c);
                give_pages(l, c->first, c->pages);
            }
        }
        p->at = NULL;
        p->linked = false;
    }
    linkable_undefine(&l->syms, s);
}

ClifTrap jit_find_trap(const JitLinker *l, const void *pc, LinkSym *sym) {
    const uint8_t *p = pc;
    if (p < l->base || p >= l->base + l->reserved_pages * l->page) return CLIF_TRAP_NONE;
    for (uint32_t i = 0; i < l->places.n; i++) {
        const LinkDef *def = linkable_at(&l->syms, i)->def;
        const uint8_t *at = l->places.p[i].at;
        if (!l->places.p[i].linked || def->kind != LINK_FUNC || p < at || p >= at + def->size)
            continue;
        uint32_t off = (uint32_t)(p - at);
        if (sym) *sym = i;
        for (uint32_t k = 0; k < def->ntraps; k++)
            if (def->traps[k].offset == off) return def->traps[k].code;
        return CLIF_TRAP_NONE;
    }
    return CLIF_TRAP_NONE;
}
