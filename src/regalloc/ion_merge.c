/* regalloc/ion_merge.c — bundles: ranges that shall share one place.
 *
 * Problem   A move costs nothing if both of its sides are in the same register.
 * Idea      Each value starts as one bundle with a spill set (what would share a slot). The two sides of a reused
 *           input, a block argument, a copy are joined if their ranges are disjoint and their width agrees.
 * Cost      A join looks at MERGE_STEPS ranges at most, then gives up; the shorter list is relabelled. */
#include "regalloc/ion.h"

enum { MERGE_STEPS = 200 };

uint32_t ion_new_bundle(IonCtx *x, uint32_t spillset) {
    vec_push(x->mem, &x->b, (IonBundle){.first = NONE, .spillset = spillset, .reg = RA_PREG_NONE});
    return x->b.n - 1;
}

static void bundle_of_list(IonCtx *x, uint32_t first, RaClass k) {
    vec_push(x->mem, &x->ss,
             (IonSpillSet){.from = x->r.p[first].from,
                           .slot = NONE,
                           .spill_bundle = NONE,
                           .width = (uint8_t)ion_width(x, x->r.p[first].vreg),
                           .is_float = k == RA_FLOAT,
                           .hint = RA_PREG_NONE});
    uint32_t b = ion_new_bundle(x, x->ss.n - 1);
    x->b.p[b].first = first;
    for (uint32_t r = first; r != NONE; r = x->r.p[r].bnext) {
        x->r.p[r].bundle = b;
        x->b.p[b].count++;
        x->ss.p[x->ss.n - 1].to = x->r.p[r].to;
    }
}

static bool disjoint(const IonCtx *x, uint32_t a, uint32_t b) {
    for (uint32_t steps = 0; a != NONE && b != NONE; steps++) {
        if (steps == MERGE_STEPS) return false;
        const IonRange *ra = &x->r.p[a], *rb = &x->r.p[b];
        if (ra->from >= rb->to)
            b = rb->bnext;
        else if (rb->from >= ra->to)
            a = ra->bnext;
        else
            return false;
    }
    return true;
}

static void merge(IonCtx *x, RaVReg va, RaVReg vb) {
    uint32_t ra = x->v.p[ra_vreg_index(va)].first, rb = x->v.p[ra_vreg_index(vb)].first;
    if (ra == NONE || rb == NONE) return;
    uint32_t a = x->r.p[ra].bundle, b = x->r.p[rb].bundle;
    if (a == b) return;
    if (x->b.p[a].count < x->b.p[b].count) {
        uint32_t t = a;
        a = b, b = t;
    }
    IonSpillSet *sa = &x->ss.p[x->b.p[a].spillset];
    const IonSpillSet *sb = &x->ss.p[x->b.p[b].spillset];
    if (sa->width != sb->width || sa->is_float != sb->is_float) return;
    if (!disjoint(x, x->b.p[a].first, x->b.p[b].first)) return;
    if (sb->from < sa->from) sa->from = sb->from;
    if (sb->to > sa->to) sa->to = sb->to;
    uint32_t p = x->b.p[a].first, q = x->b.p[b].first;
    for (uint32_t r = q; r != NONE; r = x->r.p[r].bnext) x->r.p[r].bundle = a;
    uint32_t *link = &x->b.p[a].first;
    while (p != NONE && q != NONE) {
        uint32_t *next = x->r.p[p].from < x->r.p[q].from ? &p : &q;
        *link = *next;
        link = &x->r.p[*next].bnext;
        *next = *link;
    }
    *link = p != NONE ? p : q;
    x->b.p[a].count += x->b.p[b].count;
    x->b.p[b].first = NONE;
}

void ion_bundles(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->b);
    vec_clear(&x->ss);
    for (uint32_t o = 0; o < f->op_start[f->num_insts];
         o++) /* the class is part of the operand's name */
        if (f->ops[o].constraint != RA_FIXED_NONALLOC && f->ops[o].kind == RA_DEF)
            bundle_of_list(x, x->v.p[ra_vreg_index(f->ops[o].vreg)].first,
                           ra_vreg_class(f->ops[o].vreg));
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t p = f->blocks[b].param_start; p < f->blocks[b].param_end; p++)
            bundle_of_list(x, x->v.p[ra_vreg_index(f->params[p])].first,
                           ra_vreg_class(f->params[p]));
    for (uint32_t k = 0; k < x->copies.n; k++) {
        uint32_t r = x->copies.p[k];
        bundle_of_list(x, r, ra_vreg_class(f->ops[x->uses.p[x->r.p[r].use0].op].vreg));
    }
    for (uint32_t k = 0; k < x->reuse_ops.n; k += 2)
        merge(x, f->ops[x->reuse_ops.p[k]].vreg, f->ops[x->reuse_ops.p[k + 1]].vreg);
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++) {
            const RaBlock *t = &f->blocks[f->succs[e]];
            for (uint32_t k = 0; k < t->param_end - t->param_start; k++)
                merge(x, f->params[t->param_start + k], f->branch_args[f->edge_args[e] + k]);
        }
    for (uint32_t i = 0; i < f->num_insts; i++)
        if (f->inst_flags[i] & RA_INST_MOVE)
            merge(x, f->ops[f->op_start[i]].vreg, f->ops[f->op_start[i] + 1].vreg);
    for (uint32_t b = 0; b < x->b.n; b++)
        if (x->b.p[b].first != NONE) ion_queue(x, b, RA_PREG_NONE);
}
