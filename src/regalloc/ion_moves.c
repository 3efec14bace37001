/* regalloc/ion_moves.c — operands get their places, and moves connect the places of each value.
 *
 * Problem   After splitting, a value is in several places in turn, or in two at once; each must be filled on every path.
 * Idea      Per value, ranges sorted by start. A range that starts inside a block is filled from the one that reached
 *           there with the farthest end. Every block start in a range is filled along each incoming edge whose source's end
 *           is not in the same range; a parameter from its argument. Then copies for single uses and for reused inputs.
 * Order     At one point: moves of the edge that came in, of ranges, for the instruction's wishes, of the edge that
 *           goes out. Each of the four is one parallel group.
 * Invariant A place of a value is valid in all of its range, so any range that covers a point may be the source.
 * Cost      O(ranges + moves, radix sort) + O(block starts in ranges * predecessors * log ranges of the value). */
#include "regalloc/ion.h"

static RaAlloc place_of(const IonCtx *x, uint32_t r) {
    const IonBundle *b = &x->b.p[x->r.p[r].bundle];
    return b->reg != RA_PREG_NONE ? ra_alloc_reg(b->reg) : ra_alloc_slot(x->ss.p[b->spillset].slot);
}

static void add(IonCtx *x, uint32_t point, uint32_t prio, RaAlloc from, RaAlloc to, RaVReg v) {
    if (from != to) vec_push(x->mem, &x->moves, (IonMove){point * 4 + prio, from, to, v});
}

/* Where vreg v is at a point: a range that starts last, or the one that reaches farthest. */
static RaAlloc locate(const IonCtx *x, uint32_t v, uint32_t point) {
    uint32_t lo = x->vreg_at.p[v], hi = x->vreg_at.p[v + 1];
    while (lo < hi) { /* first that starts after the point */
        uint32_t mid = lo + (hi - lo) / 2;
        if (x->r.p[x->by_vreg.p[mid]].from > point)
            hi = mid;
        else
            lo = mid + 1;
    }
    if (lo == x->vreg_at.p[v]) return RA_ALLOC_NONE;
    uint32_t r = x->by_vreg.p[lo - 1], far = x->cover.p[lo - 1];
    if (x->r.p[r].to > point &&
        (x->b.p[x->r.p[r].bundle].reg != RA_PREG_NONE || x->r.p[far].to <= point))
        return place_of(x, r);
    return x->r.p[far].to > point ? place_of(x, far) : RA_ALLOC_NONE;
}

static void sort_ranges(IonCtx *x) {
    uint32_t nv = x->f->num_vregs, nr = x->r.n;
    const uint32_t *order = ion_sort(x, &x->r.p[0].from, sizeof(IonRange), nr);
    vec_clear(&x->vreg_at);
    vec_resize0(x->mem, &x->vreg_at, nv + 2);
    vec_clear(&x->by_vreg);
    uint32_t *list = vec_extend(x->mem, &x->by_vreg, nr + 1), *at = x->vreg_at.p;
    for (uint32_t r = 0; r < nr; r++)
        if (x->r.p[r].vreg != NONE && !(x->r.p[r].flags & ION_COPY)) at[x->r.p[r].vreg + 2]++;
    for (uint32_t v = 0; v < nv; v++) at[v + 2] += at[v + 1];
    for (uint32_t k = 0; k < nr; k++) {
        const IonRange *r = &x->r.p[order[k]];
        if (r->vreg != NONE && !(r->flags & ION_COPY)) list[at[r->vreg + 1]++] = order[k];
    }
    vec_clear(&x->cover);
    uint32_t *cover = vec_extend(x->mem, &x->cover, nr + 1);
    for (uint32_t v = 0; v < nv; v++)
        for (uint32_t k = at[v]; k < at[v + 1]; k++)
            cover[k] =
                k > at[v] && x->r.p[cover[k - 1]].to > x->r.p[list[k]].to ? cover[k - 1] : list[k];
}

static void edge(IonCtx *x, uint32_t pred, uint32_t b, RaAlloc from, RaAlloc to, RaVReg v) {
    const RaBlock *rb = &x->f->blocks[b];
    if (rb->pred_end - rb->pred_start > 1)
        add(x, 2 * (x->f->blocks[pred].inst_end - 1), ION_OUT_EDGE, from, to, v);
    else
        add(x, 2 * rb->inst_start, ION_IN_EDGE, from, to, v);
}

static bool live_at_start(const IonCtx *x, uint32_t b, uint32_t v) {
    uint32_t g = x->v.p[v].global;
    return g != NONE && (x->live_in.p[(size_t)b * x->row_words + g / 64] >> (g & 63) & 1);
}

static void fill_at_blocks(IonCtx *x, uint32_t r) {
    const RaFunc *f = x->f;
    const IonRange *ir = &x->r.p[r];
    const IonVReg *iv = &x->v.p[ir->vreg];
    RaAlloc to = place_of(x, r);
    RaVReg name = ion_name(x, r);
    uint32_t b = x->block_of.p[ir->from / 2];
    if (2 * f->blocks[b].inst_start < ir->from) b++;
    for (; b < f->num_blocks && 2 * f->blocks[b].inst_start < ir->to; b++) {
        const RaBlock *rb = &f->blocks[b];
        bool param = iv->param != NONE && iv->def_block == b;
        if (!param && !live_at_start(x, b, ir->vreg)) continue;
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            uint32_t pred = f->preds[p], end = 2 * f->blocks[pred].inst_end - 1, from = ir->vreg;
            if (param) {
                uint32_t e = rb->pred_end - rb->pred_start > 1 ? f->blocks[pred].succ_start
                                                               : x->pred_edge.p[b];
                from = ra_vreg_index(f->branch_args[f->edge_args[e] + iv->param]);
            } else if (ir->from <= end && end < ir->to) {
                continue;
            }
            edge(x, pred, b, locate(x, from, end), to, name);
        }
    }
}

static void one_vreg(IonCtx *x, uint32_t v) {
    for (uint32_t k = x->vreg_at.p[v]; k < x->vreg_at.p[v + 1]; k++) {
        uint32_t r = x->by_vreg.p[k];
        const IonRange *ir = &x->r.p[r];
        RaAlloc a = place_of(x, r);
        for (uint32_t u = ir->use0; u < ir->use1; u++) x->allocs.p[x->uses.p[u].op] = a;
        fill_at_blocks(x, r);
        if (ir->flags & ION_DEF) continue;
        if (ir->from == 2 * x->f->blocks[x->block_of.p[ir->from / 2]].inst_start) continue;
        add(x, ir->from, ION_REGULAR, locate(x, v, ir->from - 1), a, ion_name(x, r));
    }
}

void ion_insert_moves(IonCtx *x) {
    vec_clear(&x->moves);
    sort_ranges(x);
    for (uint32_t v = 0; v < x->f->num_vregs; v++) one_vreg(x, v);
    for (uint32_t k = 0; k < x->copies.n; k++) {
        uint32_t r = x->copies.p[k];
        const IonRange *ir = &x->r.p[r];
        for (uint32_t u = ir->use0; u < ir->use1; u++)
            x->allocs.p[x->uses.p[u].op] = place_of(x, r);
        add(x, ir->from, ION_FIXUP, locate(x, ir->vreg, ir->from), place_of(x, r), ion_name(x, r));
    }
    for (uint32_t k = 0; k < x->reuse_ops.n; k += 2) {
        uint32_t out = x->reuse_ops.p[k], in = x->reuse_ops.p[k + 1];
        add(x, 2 * x->reuse_inst.p[k / 2], ION_FIXUP, x->allocs.p[in], x->allocs.p[out],
            x->f->ops[in].vreg);
        x->allocs.p[in] = x->allocs.p[out];
    }
}

/* ---- to single moves ---- */
static bool named(const IonMove *g, uint32_t n, RaPReg p) {
    for (uint32_t k = 0; k < n; k++)
        if (g[k].from == ra_alloc_reg(p) || g[k].to == ra_alloc_reg(p)) return true;
    return false;
}

static void spare_regs(IonCtx *x, const IonMove *g, uint32_t n, RaSpare *sp) {
    uint32_t point = g->key / 4;
    for (uint32_t c = 0; c < RA_NUM_CLASSES; c++) {
        sp->scratch[c] = x->env->scratch[c];
        const RaPReg *order = x->env->order[c];
        sp->victim[c] = order[0];
        for (uint32_t k = 0; k < 32 && order[k] != RA_PREG_NONE && sp->scratch[c] == RA_PREG_NONE;
             k++) {
            IonCursor at = ion_regs_find(x, order[k], point);
            bool busy = at.page < x->dir[order[k]].n &&
                        x->pages.p[x->dir[order[k]].p[at.page]].from[at.at] <= point;
            if (!busy && !named(g, n, order[k])) sp->scratch[c] = order[k];
        }
    }
}

/* ---- stores of what the slot holds already, within a block ---- */
typedef struct Scan {
    uint32_t block, inst; /* definitions before inst were seen */
} Scan;

static void forget_defs(IonCtx *x, Scan *at, uint32_t point) {
    const RaFunc *f = x->f;
    uint32_t i = (point + 1) / 2, b = x->block_of.p[point / 2];
    if (b != at->block) at->block = b, at->inst = f->blocks[b].inst_start;
    for (uint32_t o = f->op_start[at->inst]; o < f->op_start[i]; o++)
        if (f->ops[o].kind == RA_DEF && ra_is_slot(x->allocs.p[o]))
            x->holds.p[2 * ra_alloc_slot_index(x->allocs.p[o]) + 1] = 0;
    at->inst = i;
}

void ion_resolve_moves(IonCtx *x) {
    RaCtx *c = x->c;
    uint32_t n = x->moves.n;
    const uint32_t *order = ion_sort(x, n ? &x->moves.p[0].key : NULL, sizeof(IonMove), n);
    vec_clear(&x->moves2);
    for (uint32_t k = 0; k < n; k++) vec_push(x->mem, &x->moves2, x->moves.p[order[k]]);
    vec_clear(&x->edits);
    vec_clear(&x->mark); /* per place: 1 + the first move of the last group that writes it */
    vec_resize0(x->mem, &x->mark, 64 + x->num_slots);
    vec_clear(&x->holds); /* per slot: value, 1 + the block in which it was stored */
    vec_resize0(x->mem, &x->holds, 2 * x->num_slots);
    Scan at = {NONE, 0};
    RaSpare sp = {.cycle_slot = x->num_slots, .save_slot = x->num_slots + 2};
    for (uint32_t a = 0, z; a < n; a = z) {
        const IonMove *g = &x->moves2.p[a];
        vec_clear(&c->moves);
        for (z = a; z < n && x->moves2.p[z].key == g->key; z++) {
            IonMove m = x->moves2.p[z];
            /* overlapping ranges of a value may ask twice for the same */
            uint32_t to = ra_is_reg(m.to) ? ra_alloc_preg(m.to) : 64 + ra_alloc_slot_index(m.to);
            if (x->mark.p[to] == a + 1) continue;
            x->mark.p[to] = a + 1;
            vec_push(x->mem, &c->moves, (RaMove){m.from, m.to, m.vreg});
        }
        spare_regs(x, g, z - a, &sp);
        vec_clear(&c->ordered);
        ra_parallel_move(c, c->moves.p, c->moves.n, &sp, x->num_slots + 4, &c->ordered);
        forget_defs(x, &at, g->key / 4);
        for (uint32_t k = 0; k < c->ordered.n; k++) {
            RaMove m = c->ordered.p[k];
            if (ra_is_slot(m.to) && ra_alloc_slot_index(m.to) < x->num_slots) {
                uint32_t *holds = &x->holds.p[2 * ra_alloc_slot_index(m.to)];
                /* what goes out may be a parameter's next value */
                if (holds[0] == m.vreg && holds[1] == at.block + 1 && (g->key & 3) != ION_OUT_EDGE)
                    continue;
                holds[0] = m.vreg, holds[1] = at.block + 1;
            }
            vec_push(x->mem, &x->edits, (RaEdit){g->key / 4, m.from, m.to, m.vreg});
        }
    }
    if (sp.slots_used) x->num_slots += 4;
}
