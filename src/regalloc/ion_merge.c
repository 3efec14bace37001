/* regalloc/ion_merge.c — bundles: ranges that shall share one place.
 *
 * Problem   A move costs nothing if both of its sides are in the same register.
 * Idea      Each value starts as the bundle of its own number. The two sides of a reused input, a block argument, a copy are
 *           joined if their ranges are disjoint and their width agrees; in loops first. Those that cannot be joined are
 *           noted as related: where one goes, the other one likes to go.
 * Cost      A join looks at MERGE_STEPS ranges at most, then gives up; the shorter list is relabelled. Edges come in the order
 *           of the code, so each bundle remembers where it was joined last: what comes later starts there. */
#include "regalloc/ion.h"

enum { MERGE_STEPS = 200 };

static bool disjoint(const IonCtx *x, uint32_t a, uint32_t b) {
    for (uint32_t steps = 0; a != NONE && b != NONE; steps++) {
        if (steps == MERGE_STEPS) return false;
        const IonRange *ra = &x->r.p[a], *rb = &x->r.p[b];
        if (ra->from >= rb->to)
            b = rb->next;
        else if (rb->from >= ra->to)
            a = ra->next;
        else
            return false;
    }
    return true;
}

uint32_t ion_bundle_of(const IonCtx *x, uint32_t v) {
    uint32_t r = x->v.p[v].first;
    if (r != NONE && x->r.p[r].from == x->r.p[r].to) r = x->r.p[r].vnext;
    return r == NONE ? NONE : x->r.p[r].bundle;
}

static void join_hints(IonBundle *a, const IonBundle *b) {
    if (a->hint == b->hint)
        a->hint_weight += b->hint_weight;
    else if (b->hint_weight > a->hint_weight)
        a->hint = b->hint, a->hint_weight = b->hint_weight;
}

/* A range of the bundle with nothing at or after the point before it: its first one, or where it was joined last. */
static uint32_t start_at(const IonCtx *x, uint32_t bundle, uint32_t point) {
    uint32_t r = x->joined_at.p[bundle];
    return r != NONE && x->r.p[r].from < point ? r : x->b.p[bundle].first;
}

static void merge(IonCtx *x, RaVReg va, RaVReg vb) {
    const IonVReg *iva = &x->v.p[ra_vreg_index(va)], *ivb = &x->v.p[ra_vreg_index(vb)];
    uint32_t a = ion_bundle_of(x, ra_vreg_index(va)), b = ion_bundle_of(x, ra_vreg_index(vb));
    if (iva->is_float != ivb->is_float || a == b) return;
    if (a == NONE || b == NONE) { /* straight from the register where it is defined */
        const IonVReg *bare = a == NONE ? iva : ivb;
        uint32_t other = a == NONE ? b : a;
        if (other != NONE && bare->fixed < 64 && x->b.p[other].hint == RA_PREG_NONE)
            x->b.p[other].hint = bare->fixed;
        return;
    }
    if (x->b.p[a].count < x->b.p[b].count) {
        uint32_t t = a;
        a = b, b = t;
    }
    uint32_t q = x->b.p[b].first, p = start_at(x, a, x->r.p[q].from);
    if (iva->width != ivb->width || iva->fixed == ION_IN_SLOT || ivb->fixed == ION_IN_SLOT ||
        !disjoint(x, p, q)) {
        vec_push(x->mem, &x->apart, ra_vreg_index(va));
        vec_push(x->mem, &x->apart, ra_vreg_index(vb));
        return;
    }
    for (uint32_t r = q; r != NONE; r = x->r.p[r].next) x->r.p[r].bundle = a;
    uint32_t *link = &x->b.p[a].first;
    if (p != *link) {
        link = &x->r.p[p].next;
        p = *link;
    }
    x->joined_at.p[a] = q;
    while (p != NONE && q != NONE) {
        uint32_t *next = x->r.p[p].from < x->r.p[q].from ? &p : &q;
        *link = *next;
        link = &x->r.p[*next].next;
        *next = *link;
    }
    *link = p != NONE ? p : q;
    join_hints(&x->b.p[a], &x->b.p[b]);
    x->b.p[a].count += x->b.p[b].count;
    x->b.p[b].first = NONE;
}

static void merge_edges(IonCtx *x, bool in_loops) {
    const RaFunc *f = x->f;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        if ((x->loop_of.p[b] != NONE) != in_loops) continue;
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++) {
            const RaBlock *t = &f->blocks[f->succs[e]];
            for (uint32_t k = 0; k < t->param_end - t->param_start; k++)
                merge(x, f->params[t->param_start + k], f->branch_args[f->edge_args[e] + k]);
        }
    }
}

/* Lists per bundle of those that it could not be joined with. */
static void relate(IonCtx *x) {
    vec_clear(&x->related);
    vec_clear(&x->related_next);
    for (uint32_t k = 0; k < x->apart.n; k++) {
        uint32_t from = ion_bundle_of(x, x->apart.p[k]), to = ion_bundle_of(x, x->apart.p[k ^ 1]);
        if (from == to) continue;
        vec_push(x->mem, &x->related, to);
        vec_push(x->mem, &x->related_next, x->b.p[from].related);
        x->b.p[from].related = x->related.n - 1;
    }
}

void ion_bundles(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->apart);
    vec_clear(&x->joined_at);
    uint32_t *joined_at = vec_extend(x->mem, &x->joined_at, f->num_vregs);
    for (uint32_t v = 0; v < f->num_vregs; v++) joined_at[v] = NONE;
    for (uint32_t v = 0; v < f->num_vregs; v++) {
        IonBundle *b = &x->b.p[v];
        b->first = x->v.p[v].first;
        if (b->first != NONE && x->r.p[b->first].from == x->r.p[b->first].to)
            b->first = x->r.p[b->first].next;
        for (uint32_t r = b->first; r != NONE; r = x->r.p[r].next) b->count++;
    }
    for (uint32_t k = 0; k < x->reuses.n; k++)
        merge(x, f->ops[x->reuses.p[k].out].vreg, f->ops[x->reuses.p[k].in].vreg);
    if (x->loops.n) merge_edges(x, true);
    merge_edges(x, false);
    for (uint32_t i = 0; i < f->num_insts; i++)
        if (f->inst_flags[i] & RA_INST_MOVE)
            merge(x, f->ops[f->op_start[i]].vreg, f->ops[f->op_start[i] + 1].vreg);
    relate(x);
    for (uint32_t b = 0; b < x->b.n; b++)
        if (x->b.p[b].first != NONE) ion_queue(x, b);
}
