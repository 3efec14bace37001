/* regalloc/ion_live.c — what is live where: blocks, live-in sets, ranges and their uses.
 *
 * Problem   Each value needs the exact stretches of code in which it must be somewhere, and what each use asks for.
 * Idea      Only values used outside their block take part in the data flow over blocks: one row of bits per block,
 *           OR-ed from the successors until nothing changes, last blocks first. Then one backward walk over the
 *           instructions of each block opens a range at the last use and closes it at the definition; ranges of
 *           neighbouring blocks that touch are one.
 * Uses      A range has one place, so it can grant one kind of wish per instruction. A further use of the same value
 *           that wishes for another place gets a range of its own for that instruction only (ION_COPY), filled by a
 *           move before it. So does a use in a fixed register that the instruction destroys while the value lives on.
 * Reuse     The result takes over what its input wishes for, and the input may be anywhere: a move before the instruction puts
 *           it into the result's register. That register is written early, so all other inputs live to the
 *           instruction's end.
 * Cost      O(operands + blocks * rows touched + ranges). */
#include "regalloc/ion.h"

enum { LIVE_BUDGET_WORDS = 1 << 23 }; /* 64 MB of live-in bits */

static void blocks(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->block_of);
    vec_resize0(x->mem, &x->block_of, f->num_insts);
    vec_clear(&x->depth);
    vec_resize0(x->mem, &x->depth, f->num_blocks + 1);
    vec_clear(&x->pred_edge);
    vec_resize0(x->mem, &x->pred_edge, f->num_blocks);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) x->block_of.p[i] = b;
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) x->pred_edge.p[f->succs[e]] = e;
    }
    if (f->loop_depth) {
        for (uint32_t b = 0; b < f->num_blocks; b++) x->depth.p[b] = f->loop_depth[b];
        return;
    }
    for (uint32_t b = 0; b < f->num_blocks;
         b++) { /* from the head to the last block that jumps back */
        uint32_t last = NONE;
        for (uint32_t p = f->blocks[b].pred_start; p < f->blocks[b].pred_end; p++)
            if (f->preds[p] >= b && (last == NONE || f->preds[p] > last)) last = f->preds[p];
        if (last != NONE) x->depth.p[b]++, x->depth.p[last + 1]--;
    }
    for (uint32_t b = 0, d = 0; b < f->num_blocks; b++) x->depth.p[b] = d += x->depth.p[b];
}

static void note_use(IonCtx *x, RaVReg v, uint32_t b) {
    IonVReg *iv = &x->v.p[ra_vreg_index(v)];
    if (iv->def_block == b || iv->global != NONE) return;
    iv->global = x->num_global++;
    vec_push(x->mem, &x->by_global, ra_vreg_index(v));
}

static void set_row(IonCtx *x, RaVReg v, uint32_t b) {
    const IonVReg *iv = &x->v.p[ra_vreg_index(v)];
    if (iv->def_block == b) return;
    x->live_in.p[(size_t)b * x->row_words + iv->global / 64] |= (uint64_t)1 << (iv->global & 63);
}

static void each_use(IonCtx *x, void (*fn)(IonCtx *, RaVReg, uint32_t)) {
    const RaFunc *f = x->f;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t o = f->op_start[rb->inst_start]; o < f->op_start[rb->inst_end]; o++)
            if (f->ops[o].kind == RA_USE && f->ops[o].constraint != RA_FIXED_NONALLOC)
                fn(x, f->ops[o].vreg, b);
        if (rb->succ_start == rb->succ_end) continue;
        for (uint32_t a = f->edge_args[rb->succ_start]; a < f->edge_args[rb->succ_end]; a++)
            fn(x, f->branch_args[a], b);
    }
}

static void find_defs(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->v);
    IonVReg *v = vec_extend(x->mem, &x->v, f->num_vregs);
    for (uint32_t k = 0; k < f->num_vregs; k++)
        v[k] = (IonVReg){.def_block = NONE,
                         .global = NONE,
                         .param = NONE,
                         .first = NONE,
                         .current = NONE,
                         .stamp = NONE};
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            IonVReg *p = &v[ra_vreg_index(f->params[k])];
            p->def_block = b;
            p->param = k - rb->param_start;
        }
        for (uint32_t o = f->op_start[rb->inst_start]; o < f->op_start[rb->inst_end]; o++)
            if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC)
                v[ra_vreg_index(f->ops[o].vreg)].def_block = b;
    }
}

/* The values of num_global that each block defines, grouped by block: kill[kill_at[b] .. kill_at[b + 1]). */
static void group_defs(IonCtx *x) {
    uint32_t nb = x->f->num_blocks;
    vec_clear(&x->kill_at);
    vec_resize0(x->mem, &x->kill_at, nb + 2);
    vec_clear(&x->kill);
    (void)vec_extend(x->mem, &x->kill, x->num_global);
    uint32_t *at = x->kill_at.p;
    for (uint32_t k = 0; k < x->v.n; k++)
        if (x->v.p[k].global != NONE) at[x->v.p[k].def_block + 2]++;
    for (uint32_t b = 0; b < nb; b++) at[b + 2] += at[b + 1];
    for (uint32_t k = 0; k < x->v.n; k++)
        if (x->v.p[k].global != NONE) x->kill.p[at[x->v.p[k].def_block + 1]++] = k;
}

static void live_out(IonCtx *x, uint32_t b) { /* into x->row */
    const RaBlock *rb = &x->f->blocks[b];
    memset(x->row.p, 0, x->row_words * sizeof(uint64_t));
    for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) {
        const uint64_t *in = &x->live_in.p[(size_t)x->f->succs[e] * x->row_words];
        for (uint32_t w = 0; w < x->row_words; w++) x->row.p[w] |= in[w];
    }
}

bool ion_liveness(IonCtx *x) {
    const RaFunc *f = x->f;
    Mem *m = x->mem;
    blocks(x);
    find_defs(x);
    x->num_global = 0;
    vec_clear(&x->by_global);
    each_use(x, note_use);
    x->row_words = (x->num_global + 63) / 64;
    uint64_t words = (uint64_t)x->row_words * f->num_blocks;
    if (words > LIVE_BUDGET_WORDS) return false;
    vec_clear(&x->live_in);
    vec_resize0(m, &x->live_in, words + 1); /* never empty: rows are pointed to */
    vec_clear(&x->row);
    vec_resize0(m, &x->row, x->row_words + 1);
    each_use(x, set_row);
    group_defs(x);
    bitset_resize0(m, &x->queued, f->num_blocks);
    vec_clear(&x->work);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        vec_push(m, &x->work, b);
        bitset_add(&x->queued, b);
    }
    while (x->work.n) {
        uint32_t b = vec_pop(&x->work);
        bitset_del(&x->queued, b);
        live_out(x, b);
        for (uint32_t k = x->kill_at.p[b]; k < x->kill_at.p[b + 1]; k++) {
            uint32_t g = x->v.p[x->kill.p[k]].global;
            x->row.p[g / 64] &= ~((uint64_t)1 << (g & 63));
        }
        uint64_t *in = &x->live_in.p[(size_t)b * x->row_words], fresh = 0;
        for (uint32_t w = 0; w < x->row_words; w++) {
            fresh |= x->row.p[w] & ~in[w];
            in[w] |= x->row.p[w];
        }
        if (!fresh) continue;
        for (uint32_t p = f->blocks[b].pred_start; p < f->blocks[b].pred_end; p++)
            if (bitset_test_add(&x->queued, f->preds[p])) vec_push(m, &x->work, f->preds[p]);
    }
    return true;
}

/* ---- ranges ---- */
static uint32_t new_range(IonCtx *x, uint32_t v, uint32_t from, uint32_t to) {
    vec_push(
        x->mem, &x->r,
        (IonRange){.from = from, .to = to, .vreg = v, .bundle = NONE, .bnext = NONE, .use0 = NONE});
    return x->r.n - 1;
}

static uint32_t open_range(IonCtx *x, uint32_t v, uint32_t from, uint32_t to) {
    IonVReg *iv = &x->v.p[v];
    if (iv->current != NONE) return iv->current;
    vec_push(x->mem, &x->live, v);
    uint32_t first = iv->first;
    if (first != NONE && x->r.p[first].from == to && !(x->r.p[first].flags & ION_DEF)) {
        x->r.p[first].from = from;
        return iv->current = first;
    }
    uint32_t r = new_range(x, v, from, to);
    x->r.p[r].bnext = first;
    return iv->first = iv->current = r;
}

static void add_use(IonCtx *x, uint32_t r, uint32_t o, uint32_t pos, uint8_t constraint,
                    uint8_t arg) {
    const RaOperand *op = &x->f->ops[o];
    IonLinked l = {.u = {.op = o,
                         .pos = pos,
                         .constraint = constraint,
                         .arg = arg,
                         .is_def = op->kind == RA_DEF},
                   .next = x->r.p[r].use0};
    l.u.weight = ion_use_weight(op->constraint, ion_depth_at(x, pos), op->kind == RA_DEF);
    vec_push(x->mem, &x->linked, l);
    x->r.p[r].use0 = x->linked.n - 1;
}

typedef struct Inst { /* what the operands of one instruction have in common */
    uint32_t i, first, end, block_start;
    RaPRegSet destroyed; /* late fixed definitions, clobbers */
    bool has_reuse;
    bool reused[256];
} Inst;

static void add_def(IonCtx *x, const Inst *in, uint32_t o) {
    const RaOperand *op = &x->f->ops[o];
    uint32_t v = ra_vreg_index(op->vreg), pos = 2 * in->i + op->pos;
    IonVReg *iv = &x->v.p[v];
    uint32_t r = iv->current;
    if (r == NONE) {
        r = new_range(x, v, pos, 2 * in->i + 2);
        x->r.p[r].bnext = iv->first;
        iv->first = r;
    }
    x->r.p[r].from = pos;
    x->r.p[r].flags |= ION_DEF;
    const RaOperand *like = op;
    if (op->constraint == RA_REUSE) {
        like = &x->f->ops[in->first + op->arg];
        vec_push(x->mem, &x->reuse_ops, o);
        vec_push(x->mem, &x->reuse_ops, in->first + op->arg);
        vec_push(x->mem, &x->reuse_inst, in->i);
    }
    bool plain = like != op && like->constraint != RA_FIXED && like->constraint != RA_LIMIT;
    add_use(x, r, o, pos, plain ? RA_REG : like->constraint, like->arg);
    iv->current = NONE;
}

static bool agree(const IonVReg *iv, const RaOperand *op) {
    RaConstraint a = iv->constraint, b = op->constraint;
    if (a == RA_ANY || b == RA_ANY) return true;
    if (a == b) return a == RA_REG || a == RA_STACK || iv->arg == op->arg;
    return (a == RA_REG && b != RA_STACK) || (b == RA_REG && a != RA_STACK);
}

/* The instruction's copy of v in the same fixed register, or in a slot: the late half comes first, so it lives long enough. */
static uint32_t find_copy(const IonCtx *x, uint32_t early, uint32_t v, const RaOperand *op) {
    if (op->constraint != RA_FIXED && op->constraint != RA_STACK) return NONE;
    for (uint32_t k = x->copies.n; k-- > 0;) {
        const IonRange *r = &x->r.p[x->copies.p[k]];
        if (r->from != early) return NONE;
        const IonUse *u = &x->linked.p[r->use0].u;
        if (r->vreg == v && u->constraint == op->constraint && u->arg == op->arg)
            return x->copies.p[k];
    }
    return NONE;
}

static bool is_late(const IonCtx *x, const Inst *in, uint32_t o) {
    const RaOperand *op = &x->f->ops[o];
    if (op->kind == RA_DEF || op->pos == RA_LATE) return op->pos == RA_LATE;
    if (!in->has_reuse) return false;
    const IonVReg *iv = &x->v.p[ra_vreg_index(op->vreg)];
    if (in->reused[o - in->first]) return iv->uses > 1 || iv->live_after;
    return !(op->constraint == RA_FIXED && (in->destroyed >> op->arg & 1));
}

static void add_one_use(IonCtx *x, const Inst *in, uint32_t o) {
    const RaOperand *op = &x->f->ops[o];
    uint32_t v = ra_vreg_index(op->vreg), early = 2 * in->i;
    IonVReg *iv = &x->v.p[v];
    bool reused = in->has_reuse && in->reused[o - in->first];
    bool lost = op->constraint == RA_FIXED && (in->destroyed >> op->arg & 1);
    bool alone = iv->uses == 1 && !iv->live_after;
    uint32_t pos = early + is_late(x, in, o);
    if (reused) {
        add_use(x, open_range(x, v, in->block_start, pos + 1), o, pos, RA_ANY, 0);
        return;
    }
    if ((lost && !alone) || !agree(iv, op)) {
        open_range(x, v, in->block_start, early + 1);
        uint32_t r = find_copy(x, early, v, op);
        if (r == NONE) {
            r = new_range(x, v, early, pos + 1);
            x->r.p[r].flags = ION_COPY;
            vec_push(x->mem, &x->copies, r);
        }
        add_use(x, r, o, pos, op->constraint, op->arg);
        return;
    }
    if (iv->constraint == RA_ANY || (iv->constraint == RA_REG && op->constraint != RA_ANY))
        iv->constraint = op->constraint, iv->arg = op->arg;
    add_use(x, open_range(x, v, in->block_start, pos + 1), o, pos, op->constraint, op->arg);
}

static void one_inst(IonCtx *x, Inst *in, RaPRegSet clobbers) {
    const RaFunc *f = x->f;
    in->destroyed = clobbers;
    in->has_reuse = false;
    for (uint32_t o = in->first; o < in->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_FIXED_NONALLOC) {
            x->allocs.p[o] = ra_alloc_reg(op->arg);
            continue;
        }
        if (op->kind == RA_DEF) {
            const RaOperand *like = op;
            if (op->constraint == RA_REUSE) {
                if (!in->has_reuse) memset(in->reused, 0, sizeof in->reused);
                in->has_reuse = in->reused[op->arg] = true;
                like = &f->ops[in->first + op->arg];
            }
            if (like->constraint == RA_FIXED && op->pos == RA_LATE)
                in->destroyed |= ra_set(like->arg);
            continue;
        }
        IonVReg *iv = &x->v.p[ra_vreg_index(op->vreg)];
        if (iv->stamp != in->i) {
            iv->stamp = in->i;
            iv->uses = 0;
            iv->live_after = iv->current != NONE;
            iv->constraint = RA_ANY;
        }
        if (iv->uses < 2) iv->uses++;
    }
    for (int half = 1; half >= 0; half--)
        for (uint32_t o = in->first; o < in->end; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->constraint == RA_FIXED_NONALLOC || is_late(x, in, o) != (half == 1)) continue;
            if (op->kind == RA_DEF)
                add_def(x, in, o);
            else
                add_one_use(x, in, o);
        }
}

/* Uses were linked last first; each range's become a slice. */
static void lay_out_uses(IonCtx *x) {
    vec_clear(&x->uses);
    vec_reserve(x->mem, &x->uses, x->linked.n);
    for (uint32_t r = 0; r < x->r.n; r++) {
        uint32_t l = x->r.p[r].use0;
        x->r.p[r].use0 = x->uses.n;
        for (; l != NONE; l = x->linked.p[l].next) vec_push(x->mem, &x->uses, x->linked.p[l].u);
        x->r.p[r].use1 = x->uses.n;
        ion_weigh_range(x, r);
    }
}

void ion_ranges(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->r);
    vec_reserve(x->mem, &x->r, 1); /* there may be none, but an address */
    vec_clear(&x->linked);
    vec_clear(&x->copies);
    vec_clear(&x->reuse_ops);
    vec_clear(&x->reuse_inst);
    vec_clear(&x->live);
    uint32_t clobber = f->num_clobbers;
    Inst in;
    for (uint32_t b = f->num_blocks; b-- > 0;) {
        const RaBlock *rb = &f->blocks[b];
        uint32_t start = 2 * rb->inst_start, end = 2 * rb->inst_end;
        live_out(x, b);
        for (uint32_t w = 0; w < x->row_words; w++)
            for (uint64_t s = x->row.p[w]; s; s &= s - 1)
                open_range(x, x->by_global.p[w * 64 + u64_ctz(s)], start, end);
        if (rb->succ_start != rb->succ_end)
            for (uint32_t a = f->edge_args[rb->succ_start]; a < f->edge_args[rb->succ_end]; a++)
                open_range(x, ra_vreg_index(f->branch_args[a]), start, end);
        in.block_start = start;
        for (uint32_t i = rb->inst_end; i-- > rb->inst_start;) {
            RaPRegSet clob = 0;
            while (clobber > 0 && f->clobbers[clobber - 1].inst >= i)
                clob |= f->clobbers[--clobber].regs;
            in.i = i, in.first = f->op_start[i], in.end = f->op_start[i + 1];
            one_inst(x, &in, clob);
        }
        for (uint32_t p = rb->param_start; p < rb->param_end; p++) {
            uint32_t r = open_range(x, ra_vreg_index(f->params[p]), start, start + 1);
            x->r.p[r].flags |= ION_DEF;
        }
        for (uint32_t k = 0; k < x->live.n; k++) x->v.p[x->live.p[k]].current = NONE;
        vec_clear(&x->live);
    }
    lay_out_uses(x);
}
