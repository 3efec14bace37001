/* compiler/facts_image.c — facts in precompiled modules, so that debuggers see these as they see modules that are compiled to be run.
 *
 * Problem     An image has names, the map of locations and, if it was kept, the module's debugging information. Which bytes of the
 *             module are a function, where variables are and how to unwind is known to the compilation only.
 * Idea        One more entry of SOURCE, of a kind that the runtime passes over: a string of LEB128 numbers, most of them differences.
 *                 version
 *                 per function     where its body begins, behind the end of the one before; its length; number of homes;
 *                     per home     local less the one before, twice, and 1 more if it is a constant; start, behind the end of the one
 *                                  before if that is the same local's; length; the constant's length and bytes, or the place
 *                 number of pieces
 *                     per piece    offset, behind the end of the one before; size; number of steps; per step: offset less the one
 *                                  before, kind, register, value
 * Invariants  What is read may be anything: every number is checked where it is read, and the first one that is wrong ends it. What came
 *             before is kept, since each part can be used without the next.
 * Cost        linear; about 6 bytes a home, 4 a step. */
#include "base/leb128.h"
#include "compiler/facts.h"
#include "image/codemap.h"

enum { VERSION = 1 };

/* ---- writing ---- */
static void put_u(const CodeFacts *f, VecU8 *to, uint64_t x) {
    leb_put_u64(f->mem, to, x);
}

static void put_homes(const CodeFacts *f, const DwarfCode *x, VecU8 *to) {
    uint32_t local = 0, end = 0;
    put_u(f, to, x->nhomes);
    for (uint32_t i = 0; i < x->nhomes; i++) {
        const DwarfHome *h = &x->homes[i];
        if (h->local != local) end = 0;
        put_u(f, to, 2 * (uint64_t)(h->local - local) + (h->constant != 0));
        put_u(f, to, h->start - end);
        put_u(f, to, h->end - h->start);
        if (h->constant) {
            put_u(f, to, h->constant);
            for (uint32_t k = 0; k < h->constant; k++)
                vec_push(f->mem, to, (uint8_t)(h->bits[k / 8] >> k % 8 * 8));
        } else {
            leb_put_s64(f->mem, to, h->place);
        }
        local = h->local;
        end = h->end;
    }
}

void facts_put(const CodeFacts *f, VecU8 *to) {
    uint32_t end = 0;
    put_u(f, to, VERSION);
    for (uint32_t i = 0; i < f->funcs.n; i++) {
        const DwarfCode *x = &f->funcs.p[i];
        put_u(f, to, x->source - end);
        put_u(f, to, x->source_end - x->source);
        put_homes(f, x, to);
        end = x->source_end;
    }
    put_u(f, to, f->pieces.n);
    end = 0;
    for (uint32_t i = 0; i < f->pieces.n; i++) {
        const CodePiece *p = &f->pieces.p[i];
        uint32_t at = 0;
        put_u(f, to, p->off - end);
        put_u(f, to, p->size);
        put_u(f, to, p->n);
        end = p->off + p->size;
        for (uint32_t k = p->first; k < p->first + p->n; k++) {
            const MachUnwind *w = &f->unwind.p[k];
            put_u(f, to, w->offset - at);
            put_u(f, to, w->kind);
            put_u(f, to, w->reg);
            leb_put_s64(f->mem, to, w->value);
            at = w->offset;
        }
    }
}

/* ---- reading ---- */
typedef struct Reader {
    const Image *img;
    CodeFacts *f;
    const uint8_t *p, *end;
    bool bad;
} Reader;

static uint32_t get(Reader *r, uint64_t most) {
    uint32_t x = 0;
    if (r->bad || leb_u32(&r->p, r->end, &x) != LEB_OK || x > most) r->bad = true;
    return r->bad ? 0 : x;
}
static int32_t get_s(Reader *r) {
    int32_t x = 0;
    if (r->bad || leb_s32(&r->p, r->end, &x) != LEB_OK) r->bad = true;
    return r->bad ? 0 : x;
}

static uint8_t get_byte(Reader *r) {
    if (r->p == r->end) r->bad = true;
    return r->bad ? 0 : *r->p++;
}

static void get_homes(Reader *r, uint32_t size) {
    uint32_t local = 0, end = 0, n = get(r, UINT32_MAX);
    while (n-- && !r->bad) {
        uint64_t x = 0;
        if (leb_u64(&r->p, r->end, &x) != LEB_OK || x >> 33) r->bad = true;
        uint32_t by = (uint32_t)(x >> 1);
        if (by) end = 0;
        local += by;
        DwarfHome h = {.local = local};
        h.start = end + get(r, size - end);
        h.end = h.start + get(r, size - h.start);
        if (x & 1) {
            h.constant = get(r, 16);
            for (uint32_t k = 0; k < h.constant; k++)
                h.bits[k / 8] |= (uint64_t)get_byte(r) << k % 8 * 8;
            if (!h.constant) r->bad = true;
        } else {
            h.place = get_s(r);
            if (h.place > UINT8_MAX) r->bad = true;
        }
        end = h.end;
        if (!r->bad) vec_push(r->f->mem, &r->f->homes, h);
    }
}

static void get_pieces(Reader *r) {
    CodeFacts *f = r->f;
    const MachDwarf *w = f->isa->dwarf;
    uint32_t code = (uint32_t)r->img->h->code_size, end = 0, n = get(r, UINT32_MAX);
    while (n-- && !r->bad) {
        CodePiece p = {.first = f->unwind.n};
        p.off = end + get(r, code - end);
        p.size = get(r, code - p.off);
        p.n = get(r, UINT32_MAX);
        end = p.off + p.size;
        uint32_t at = 0;
        for (uint32_t k = 0; k < p.n && !r->bad; k++) {
            MachUnwind u = {.offset = at + get(r, p.size - at)};
            u.kind = (uint8_t)get(r, MACH_UNWIND_RECALL);
            u.reg = (uint8_t)get(r, sizeof w->reg - 1);
            u.value = get_s(r);
            if (w->reg[u.reg] == 255 || u.value % w->data_align) r->bad = true;
            at = u.offset;
            if (!r->bad) vec_push(f->mem, &f->unwind, u);
        }
        if (!r->bad) vec_push(f->mem, &f->pieces, p);
    }
}

/* A function of which only locations are known. */
static void guess_body(CodeFacts *f, DwarfCode *x) {
    for (uint32_t i = f->given_locs; i < f->locs.n; i++) {
        uint32_t source = f->locs.p[i].source;
        if (source < x->source) x->source = source;
        if (source >= x->source_end) x->source_end = source + 1;
    }
    if (x->source > x->source_end) x->source = x->source_end;
    vec_push(f->mem, &f->homes, (DwarfHome){0}); /* of nothing: nor is the context's place known */
}

static void get_funcs(Reader *r, CodeFacts *f) {
    const Image *img = r->img;
    Codemap map = {img->loc_index, img->nloc_index, img->loc_bytes, img->nloc_bytes};
    FactsLocs locs;
    facts_begin_locs(&locs, &map);
    uint32_t end = 0;
    for (uint32_t i = 0; i < img->ncodes; i++) {
        ImgCode c = img->codes[i];
        uint32_t func = img->h->imported_funcs + i;
        DwarfCode x = {.at = {0, c.off, c.size}};
        if (func < img->nnames) {
            WasmStr s = img_str(img, img->names[func]);
            const char *nul = s.n ? memchr(s.p, 0, s.n) : NULL;
            x.name = (DwarfStr){s.p, nul ? (uint32_t)(nul - s.p) : s.n};
        }
        facts_add_locs(f, &locs, c.off, c.size);
        x.source = end + get(r, UINT32_MAX - end);
        x.source_end = x.source + get(r, UINT32_MAX - x.source);
        end = x.source_end;
        if (!r->bad) get_homes(r, c.size);
        if (r->bad) {
            x.source = UINT32_MAX;
            x.source_end = 0;
            guess_body(f, &x);
        }
        facts_add_func(f, x);
    }
}

void facts_of_image(const Image *img, const IsaVtable *isa, Mem *m, CodeFacts *f) {
    *f = (CodeFacts){.mem = m,
                     .isa = isa,
                     .source_base = img->h->wasm_code,
                     .imported_globals = img->h->imported_globals,
                     .nglobals = img->nglobals,
                     .layout = img->layout};
    Reader r = {.img = img, .f = f, .bad = true};
    for (uint32_t k = 0; k < img->nsource; k++) {
        ImgSource s = img->source[k];
        const uint8_t *p = img->bytes + s.off;
        if (s.kind < DWARF_SECTION_COUNT) f->source.s[s.kind] = (DwarfBytes){p, s.n};
        if (s.kind == IMG_SOURCE_FACTS) r = (Reader){img, f, p, p + s.n, false};
    }
    if (!r.bad && get(&r, UINT32_MAX) != VERSION) r.bad = true;
    get_funcs(&r, f);
    if (!r.bad) get_pieces(&r);
    facts_end(f);
}
