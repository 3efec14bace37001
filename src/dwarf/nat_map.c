/* dwarf/nat_map.c — which machine code source code became.
 *
 * Problem     The compilation tells for each piece of machine code the source address. Entries tell ranges of source addresses;
 *             their machine code need not lie together, since instructions are moved and blocks are ordered anew.
 * Idea        Per function an order of its pieces by source address. A range is a slice of it, found by binary search; the slice's
 *             pieces, back in the order of machine code, are joined where one follows the other.
 * Invariants  What lies between two pieces and is of no source address counts to both if it counts to one.
 * Cost        a sort of all pieces, once; a range costs what is in it times the logarithm. Damaged input: see Dwarf.fuel. */
#include <stdlib.h>
#include "dwarf/nat_int.h"
#include "base/bisect.h"

typedef struct Key {
    uint32_t source, index;
} Key;

static int by_source(const void *a, const void *b) {
    const Key *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void nat_map_init(Nat *k) {
    VEC(Key) keys = {0};
    for (uint32_t f = 0; f < k->n->nfuncs; f++) {
        const DwarfCode *c = &k->n->funcs[f];
        vec_push(k->mem, &k->first, k->by_source.n);
        vec_push(k->mem, &k->owner, DW_NONE);
        vec_clear(&keys);
        for (uint32_t i = 0; i < c->nlocs; i++)
            vec_push(k->mem, &keys, (Key){c->locs[i].source, i});
        if (keys.n) qsort(keys.p, keys.n, sizeof *keys.p, by_source);
        for (uint32_t i = 0; i < keys.n; i++) vec_push(k->mem, &k->by_source, keys.p[i].index);
    }
    vec_push(k->mem, &k->first, k->by_source.n);
    vec_free(k->mem, &keys);
}

/* Linkers leave the code of functions that they dropped at address 0, where the code section has a number, or at the end. */
uint32_t nat_function(const Nat *k, uint64_t lo, uint64_t hi) {
    uint32_t a; /* the first one that ends behind lo */
    bisect(a, k->n->nfuncs, k->n->funcs[a].source_end <= lo);
    return lo && a < k->n->nfuncs && k->n->funcs[a].source < hi ? a : DW_NONE;
}

void nat_spans_add(Nat *k, uint32_t f, uint64_t lo, uint64_t hi) {
    const DwarfCode *c = &k->n->funcs[f];
    if (!c->nlocs) return;
    if (lo <= c->source && hi >= c->source_end) { /* all of it */
        vec_push(k->mem, &k->spans, (NatSpan){c->locs[0].start, c->locs[c->nlocs - 1].end});
        return;
    }
    const uint32_t *p = k->by_source.p + k->first.p[f];
    uint32_t n = c->nlocs, a;
    bisect(a, n, c->locs[p[a]].source < lo);
    for (; a < n && c->locs[p[a]].source < hi && dw_pay(k->w, 1); a++)
        vec_push(k->mem, &k->picks, p[a]);
    c = &k->n->funcs[f];
    if (k->picks.n) qsort(k->picks.p, k->picks.n, sizeof(uint32_t), by_number);
    for (uint32_t i = 0; i < k->picks.n; i++) {
        uint32_t x = k->picks.p[i];
        if (i && k->picks.p[i - 1] + 1 == x)
            vec_last(&k->spans).end = c->locs[x].end;
        else
            vec_push(k->mem, &k->spans, (NatSpan){c->locs[x].start, c->locs[x].end});
    }
    vec_clear(&k->picks);
}

static int by_start(const void *a, const void *b) {
    const NatSpan *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

void nat_spans_end(Nat *k) {
    NatSpans *s = &k->spans;
    uint32_t n = 0;
    if (s->n) qsort(s->p, s->n, sizeof *s->p, by_start);
    for (uint32_t i = 0; i < s->n; i++) {
        if (n && s->p[i].start <= s->p[n - 1].end) {
            if (s->p[i].end > s->p[n - 1].end) s->p[n - 1].end = s->p[i].end;
        } else {
            s->p[n++] = s->p[i];
        }
    }
    s->n = n;
}

void nat_spans_of(Nat *k, const DwUnit *u, uint32_t f, const DwPcs *p) {
    DwRangeIter it;
    uint64_t lo, hi;
    vec_clear(&k->spans);
    dw_ranges(&it, k->w, u, p);
    while (dw_range_next(&it, &lo, &hi)) nat_spans_add(k, f, lo, hi);
    nat_spans_end(k);
}

DwarfPiece nat_piece(const Nat *k, uint32_t f, NatSpan s) {
    DwarfPiece p = k->n->funcs[f].at;
    return (DwarfPiece){p.chunk, p.offset + s.start, s.end - s.start};
}
