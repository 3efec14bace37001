/* regalloc/ion_moves.c — operands get their places, and moves connect the places of each value.
 *
 * Problem   A value that was split is in several places in turn; each must be filled on every path.
 * Idea      Per value, its pieces in order. A piece that starts inside a block is filled from the one before it. Every
 *           block start in a piece is filled along each incoming edge at whose source the value is elsewhere; a parameter from its
 *           argument. Fixed operands and reused inputs are filled from where the value is just before the instruction.
 *           A value in one piece, the usual case, only has its operands written.
 * Stores    A slot that was written stays valid, because a value is defined once. So the stores to it are either those where
 *           a piece in the slot begins, or a single one after the definition, whichever is executed less often.
 * Order     At one point: moves of the edge that came in, those of the instruction, those of the edge that goes out. Each
 *           of the three is one parallel group.
 * Cost      O(uses + pieces) + O(block starts in pieces * predecessors * log pieces) for split values. */
#include "regalloc/ion.h"

static RaAlloc place_of(const IonCtx *x, uint32_t r) {
    const IonBundle *b = &x->b.p[x->r.p[r].bundle];
    return b->reg != RA_PREG_NONE ? ra_alloc_reg(b->reg) : ra_alloc_slot(x->ss.p[b->spillset].slot);
}

typedef struct Value { /* that is being connected */
    uint32_t v;
    RaVReg name;
    RaAlloc
        def; /* where the definition leaves it; none: a parameter's first piece is filled by edges */
    float store_cost; /* of the stores in x->stores */
} Value;

/* Where the value is just before the instruction's moves at point 2i, if piece r, with `prev` before it, holds from there on. */
static RaAlloc before(const IonCtx *x, const Value *val, uint32_t r, uint32_t prev, uint32_t point,
                      bool block_start) {
    const IonRange *ir = &x->r.p[r];
    if (ir->from < point || block_start) return place_of(x, r);
    return ir->flags & ION_FIXED_DEF ? val->def : place_of(x, prev);
}

static void use_before(IonCtx *x, const Value *val, const IonUse *u, RaAlloc from) {
    uint32_t point = ion_point_of(u);
    if (u->what == ION_FIXED) {
        ion_add_move(x, point, ION_REGULAR, from, ra_alloc_reg(u->arg), val->name);
    } else if (u->what == ION_REUSED) {
        vec_push(x->mem, &x->copies, (IonCopy){point, u->op, from});
    } else {
        RaAlloc slot = ra_alloc_slot(x->ss.p[x->v.p[val->v].slot_set].slot);
        if (from != slot)
            vec_push(x->mem, &x->stores, (IonStore){point * 4 + ION_REGULAR, from, slot});
    }
}

static void uses_of(IonCtx *x, const Value *val, uint32_t r, uint32_t prev) {
    const IonRange *ir = &x->r.p[r];
    for (uint32_t k = ir->use0; k < ir->use1; k++) {
        const IonUse *u = &x->uses.p[k];
        if (ion_reads_before(u->what)) {
            use_before(x, val, u, before(x, val, r, prev, ion_point_of(u), !(u->pos & 1)));
            continue;
        }
        RaAlloc place = place_of(x, r);
        if (u->what == ION_ARG) {
            x->arg_place.p[u->op] = place;
            continue;
        }
        x->allocs.p[u->op] = place;
        if ((u->what == ION_DEF_REG || u->what == ION_DEF_ANY) && ra_is_reg(place))
            x->written |= ra_set(ra_alloc_preg(place));
    }
}

/* A move of the value; into its slot only if it turns out that there is no store after the definition. */
static void fill(IonCtx *x, Value *val, uint32_t point, uint32_t prio, RaAlloc from, RaAlloc to,
                 float freq) {
    if (from == to) return;
    if (!ra_is_slot(to)) {
        ion_add_move(x, point, prio, from, to, val->name);
        return;
    }
    if (val->def == to) return; /* it is there since */
    val->store_cost += freq;
    vec_push(x->mem, &x->stores, (IonStore){point * 4 + prio, from, to});
}

static void fill_at_blocks(IonCtx *x, Value *val, uint32_t r, uint32_t b) {
    const RaFunc *f = x->f;
    RaAlloc to = place_of(x, r);
    const IonRange *ir = &x->r.p[r];
    for (; b < f->num_blocks && 2 * f->blocks[b].inst_start < ir->to; b++) {
        const RaBlock *rb = &f->blocks[b];
        if (ir->from <= x->pred_ends.p[b].first && x->pred_ends.p[b].last < ir->to) continue;
        if (x->v.p[val->v].def_block == b) continue; /* else it comes in */
        bool join = rb->pred_end - rb->pred_start > 1;
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            uint32_t pred = f->preds[p], end = 2 * f->blocks[pred].inst_end - 1;
            if (ir->from <= end && end < ir->to) continue;
            RaAlloc from = place_of(x, ion_piece_at(x, end));
            if (join)
                fill(x, val, end - 1, ION_OUT_EDGE, from, to, x->freq.p[pred]);
            else
                fill(x, val, 2 * rb->inst_start, ION_IN_EDGE, from, to, x->freq.p[b]);
        }
    }
}

static void settle_stores(IonCtx *x, const Value *val, RaAlloc from) {
    const IonVReg *iv = &x->v.p[val->v];
    if (x->freq.p[iv->def_block] < val->store_cost) {
        uint32_t point = iv->is_param ? 2 * iv->def_inst : 2 * iv->def_inst + 2;
        ion_add_move(x, point, ION_REGULAR, from, x->stores.p[0].to, val->name);
        return;
    }
    for (uint32_t k = 0; k < x->stores.n; k++) {
        const IonStore *s = &x->stores.p[k];
        ion_add_move(x, s->key / 4, s->key & 3, s->from, s->to, val->name);
    }
}

/* Pieces in several places. */
static void connect(IonCtx *x, Value *val) {
    const IonVReg *iv = &x->v.p[val->v];
    vec_clear(&x->chain);
    vec_clear(&x->stores);
    for (uint32_t r = iv->first; r != NONE; r = x->r.p[r].vnext) vec_push(x->mem, &x->chain, r);
    for (uint32_t k = 0; k < x->chain.n; k++) {
        uint32_t r = x->chain.p[k], prev = k ? x->chain.p[k - 1] : NONE;
        const IonRange *ir = &x->r.p[r];
        uint32_t b = ion_block_at(x, ir->from);
        uses_of(x, val, r, prev);
        if (ir->from == ir->to) continue;
        RaAlloc to = place_of(x, r);
        if (ir->flags & ION_FIXED_DEF) {
            ion_add_move(x, ir->from, ION_REGULAR, val->def, to, val->name);
            if (ra_is_slot(to)) val->def = to;
        } else if ((ir->from & 1) && !(ir->flags & ION_DEF)) { /* a gap after an early use */
            uint32_t before_prev = k > 1 ? x->chain.p[k - 2] : NONE;
            if (ra_is_slot(to))
                fill(x, val, ir->from - 1, ION_REGULAR,
                     before(x, val, prev, before_prev, ir->from - 1,
                            2 * x->f->blocks[b].inst_start == ir->from - 1),
                     to, x->freq.p[b]);
        } else if (ir->from > 2 * x->f->blocks[b].inst_start && !(ir->flags & ION_DEF)) {
            fill(x, val, ir->from, ION_REGULAR, place_of(x, prev), to, x->freq.p[b]);
        }
        if (2 * x->f->blocks[b].inst_start < ir->from) b++;
        fill_at_blocks(x, val, r, b);
    }
    if (x->stores.n)
        settle_stores(x, val, val->def != RA_ALLOC_NONE ? val->def : place_of(x, iv->first));
}

static bool several_places(const IonCtx *x, uint32_t first) {
    for (uint32_t r = x->r.p[first].vnext; r != NONE; r = x->r.p[r].vnext)
        if (x->r.p[r].bundle != x->r.p[first].bundle) return true;
    return false;
}

static void one_value(IonCtx *x, uint32_t v) {
    const IonVReg *iv = &x->v.p[v];
    uint32_t first = iv->first;
    if (first == NONE) return;
    const IonRange *ir = &x->r.p[first];
    Value val = {.v = v, .name = ion_name(x, v)};
    if (iv->fixed < 64)
        val.def = ra_alloc_reg(iv->fixed);
    else if (iv->fixed == ION_IN_SLOT)
        val.def = ra_alloc_slot(x->ss.p[iv->slot_set].slot);
    else if (!iv->is_param)
        val.def = place_of(x, first);
    if (iv->is_param) {
        x->param_place.p[v] = place_of(x, first);
        if (ra_is_slot(x->param_place.p[v])) val.def = x->param_place.p[v];
    }
    if (iv->slot_set != NONE || iv->has_gaps || several_places(x, first)) {
        connect(x, &val);
        return;
    }
    if (iv->fixed != ION_NOT_FIXED && ir->from < ir->to)
        ion_add_move(x, ir->from, ION_REGULAR, val.def, place_of(x, first), val.name);
    for (uint32_t r = first, prev = NONE; r != NONE; prev = r, r = x->r.p[r].vnext)
        uses_of(x, &val, r, prev);
}

/* ---- between values ---- */
static void fill_params(IonCtx *x) {
    const RaFunc *f = x->f;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        if (rb->param_start == rb->param_end) continue;
        bool join = rb->pred_end - rb->pred_start > 1;
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            const RaBlock *pb = &f->blocks[f->preds[p]];
            const RaVReg *params = &f->params[rb->param_start];
            uint32_t e = join ? pb->succ_start : x->pred_edge.p[b];
            for (uint32_t k = 0; k < rb->param_end - rb->param_start; k++) {
                RaAlloc to = x->param_place.p[ra_vreg_index(params[k])];
                RaAlloc from = x->arg_place.p[f->edge_args[e] + k];
                if (to == RA_ALLOC_NONE) continue;
                if (join)
                    ion_add_move(x, 2 * (pb->inst_end - 1), ION_OUT_EDGE, from, to, params[k]);
                else
                    ion_add_move(x, 2 * rb->inst_start, ION_IN_EDGE, from, to, params[k]);
            }
        }
    }
}

static void fill_results(IonCtx *x) {
    for (uint32_t k = 0; k < x->reuses.n; k++)
        x->allocs.p[x->reuses.p[k].in] = x->allocs.p[x->reuses.p[k].out];
    for (uint32_t k = 0; k < x->copies.n; k++) {
        const IonCopy *c = &x->copies.p[k];
        ion_add_move(x, c->point, ION_REGULAR, c->from, x->allocs.p[c->in], x->f->ops[c->in].vreg);
    }
    for (uint32_t k = 0; k < x->aliases.n; k++)
        x->allocs.p[x->aliases.p[k].out] = x->allocs.p[x->aliases.p[k].in];
}

void ion_insert_moves(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->moves);
    vec_clear(&x->copies);
    vec_clear(&x->arg_place);
    vec_clear(&x->param_place);
    vec_resize0(x->mem, &x->arg_place, x->num_args);
    vec_resize0(x->mem, &x->param_place, f->num_vregs);
    for (uint32_t v = 0; v < f->num_vregs; v++) one_value(x, v);
    for (uint32_t k = 0; k < x->slot_ops.n; k++) {
        const RaOperand *op = &f->ops[x->slot_ops.p[k].op];
        uint32_t set = x->v.p[ra_vreg_index(op->vreg)].slot_set;
        x->allocs.p[x->slot_ops.p[k].op] = ra_alloc_slot(x->ss.p[set].slot);
    }
    fill_results(x);
    fill_params(x);
}
