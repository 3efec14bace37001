/* dwarf/nat_where.c — where variables are: an expression, or a list of them with ranges of machine code.
 *
 * Idea        The module says it by source address and local. Each range of source addresses becomes ranges of machine code; these are
 *             cut where a local that the expression refers to changes its place, and left out where it has none. If one expression
 *             remains that holds for the whole function, it stands without a list.
 * Cost        linear in what is written and in the ranges, times the logarithm of the function's homes. */
#include <stdlib.h>
#include "dwarf/nat_int.h"
#include "base/bisect.h"

typedef struct Place { /* of machine code of the function: which bytes of Where.code */
    uint32_t start, end, code, n;
} Place;
typedef struct Where {
    Nat *k;
    const DwUnit *u;
    uint32_t f;
    NatUse use;
    NatExpr x;
    VecU8 code;
    VEC(Place) places;
} Where;

/* Where a local is at `at`: its place, and up to where that holds; if it has none, until where it has none. */
static bool home_at(const Nat *k, uint32_t f, uint32_t local, uint32_t at, DwarfHome *home,
                    uint32_t *until) {
    const DwarfCode *c = &k->n->funcs[f];
    *until = UINT32_MAX;
    if (!c->nhomes) {
        *home = (DwarfHome){.place = k->n->context};
        return local == DWARF_CONTEXT;
    }
    const DwarfHome *h = c->homes;
    uint32_t lo; /* the first one behind `at` */
    bisect(lo, c->nhomes, h[lo].local < local || (h[lo].local == local && h[lo].start <= at));
    if (lo < c->nhomes && c->homes[lo].local == local) *until = c->homes[lo].start;
    if (!lo || c->homes[lo - 1].local != local || at >= c->homes[lo - 1].end) return false;
    *home = c->homes[lo - 1];
    if (home->end < *until) *until = home->end;
    return true;
}

static void keep(Where *q, uint32_t start, uint32_t end) {
    Nat *k = q->k;
    Place *last = q->places.n ? &vec_last(&q->places) : NULL;
    if (last && last->end == start && last->n == k->expr.n &&
        memcmp(q->code.p + last->code, k->expr.p, last->n) == 0) {
        last->end = end;
        return;
    }
    vec_push(k->mem, &q->places, (Place){start, end, q->code.n, k->expr.n});
    if (k->expr.n) memcpy(vec_extend(k->mem, &q->code, k->expr.n), k->expr.p, k->expr.n);
}

static void over_span(Where *q, NatSpan s, const uint8_t *p, uint64_t n) {
    while (s.start < s.end && dw_pay(q->k->w, 4)) {
        uint32_t end = s.end;
        bool known = true;
        for (uint32_t i = 0; i < q->x.nneeds; i++) {
            uint32_t until;
            known &= home_at(q->k, q->f, q->x.need[i], s.start, &q->x.home[i], &until);
            if (until < end) end = until;
        }
        if (known && nat_expr(q->k, q->u, p, n, q->use, &q->x)) keep(q, s.start, end);
        s.start = end;
    }
}

static int by_start(const void *a, const void *b) {
    const Place *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* What holds from the first operator on holds in the function's own beginning. */
static void add_prologue(const Where *q, uint64_t lo, uint64_t hi) {
    Nat *k = q->k;
    const DwarfCode *c = &k->n->funcs[q->f];
    if (!k->spans.n || k->spans.p[0].start != c->locs[0].start) return;
    uint32_t source = c->locs[k->by_source.p[k->first.p[q->f]]].source;
    if (lo <= source && hi > source) k->spans.p[0].start = 0;
}

static void over_list(Where *q, const DwValue *v) {
    Nat *k = q->k;
    DwLocIter it;
    dw_locs(&it, k->w, q->u, v);
    while (dw_loc_next(&it)) {
        if (!nat_expr_needs(k, q->u, it.p, it.n, q->use, &q->x)) continue;
        vec_clear(&k->spans);
        nat_spans_add(k, q->f, it.lo, it.hi);
        nat_spans_end(k);
        add_prologue(q, it.lo, it.hi);
        for (uint32_t i = 0; i < k->spans.n; i++) over_span(q, k->spans.p[i], it.p, it.n);
    }
    if (q->places.n) qsort(q->places.p, q->places.n, sizeof(Place), by_start);
    for (uint32_t i = 1; i < q->places.n;
         i++) /* what overlaps says two things: the first one counts */
        if (q->places.p[i].start < q->places.p[i - 1].end)
            q->places.p[i].start = q->places.p[i - 1].end;
}

static void put_list(Where *q, unsigned name) {
    Nat *k = q->k;
    DwarfLocList l = out_locs(k->o, k->base);
    for (uint32_t i = 0; i < q->places.n; i++) {
        const Place *p = &q->places.p[i];
        if (p->start >= p->end) continue;
        out_loc(k->o, &l, nat_piece(k, q->f, (NatSpan){p->start, p->end}), q->code.p + p->code,
                p->n);
    }
    die_offset(&k->die, name, DWARF_LOCLISTS, out_locs_end(k->o, &l));
}

bool nat_where(Nat *k, const DwUnit *u, uint32_t f, unsigned name, const DwValue *v, NatUse use,
               bool has_frame) {
    Where q = {.k = k, .u = u, .f = f, .use = use, .x.has_frame = has_frame};
    bool is_expr = v->class == DW_CLASS_BLOCK;
    uint64_t size = f == DW_NONE ? 0 : k->n->funcs[f].at.size;
    bool ok = false;
    if (f == DW_NONE) { /* of nobody's code: the context is where it usually is */
        ok = is_expr && nat_expr_needs(k, u, v->p, v->x, use, &q.x) && q.x.nneeds <= 1 &&
             (!q.x.nneeds || q.x.need[0] == DWARF_CONTEXT);
        q.x.home[0] = (DwarfHome){.place = k->n->context};
        ok = ok && nat_expr(k, u, v->p, v->x, use, &q.x);
        if (ok) die_block(&k->die, name, DW_FORM_EXPRLOC, k->expr.p, k->expr.n);
        return ok;
    }
    if (!is_expr)
        over_list(&q, v);
    else if (nat_expr_needs(k, u, v->p, v->x, use, &q.x))
        over_span(&q, (NatSpan){0, (uint32_t)size}, v->p, v->x);
    ok = q.places.n != 0;
    if (q.places.n == 1 && q.places.p[0].start == 0 && q.places.p[0].end == size)
        die_block(&k->die, name, DW_FORM_EXPRLOC, q.code.p, q.places.p[0].n);
    else if (ok)
        put_list(&q, name);
    vec_free(k->mem, &q.code);
    vec_free(k->mem, &q.places);
    return ok;
}
