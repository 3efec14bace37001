/* regalloc/ion_build.c — live ranges, the uses in them, and what the instructions take for themselves.
 *
 * Problem   Each value needs the exact stretches of code in which it must be somewhere, and what each use asks for.
 * Idea      One walk over the instructions, last first. A range opens at the end of the block or at the last use in it and
 *           closes at the definition; ranges of neighbouring blocks that touch are one.
 * Fixed     A fixed operand is no part of the value's range: its register is taken at that point (`wall`), before anything
 *           is allocated, and a move connects it with wherever the value is. If the value dies there, its range ends just
 *           before the instruction. So nobody is ever evicted for a fixed operand, several wishes for one value
 *           need nothing special, and the value may go to that register first (hint) and then needs no move.
 * Reuse     The result's range begins before the instruction, with the input's copy in it; if the input dies, its range ends
 *           just there, and both can be one bundle. Further uses of the input read the copy. At a block's start
 *           the input must have a range for the edges to fill: there the result begins late, and
 *           the other inputs live to the instruction's end, so that the copy destroys none.
 * Cost      O(operands + live values over blocks). */
#include "regalloc/ion.h"

static const float factor[ION_NUM_WHATS] = {
    [ION_FIXED] = 1, [ION_STACK] = 0.25f, [ION_REUSED] = 1,  [ION_ANY] = 1, [ION_REG] = 2,
    [ION_LIMIT] = 2, [ION_DEF_ANY] = 1,   [ION_DEF_REG] = 2, [ION_ARG] = 1};

typedef struct Inst { /* what the operands of one instruction have in common */
    uint32_t i, first, end, block_start;
    float freq;
    uint32_t kinds; /* 1 << constraint, or-ed */
    bool late;      /* see `Reuse`: at a block's start */
    bool late_uses, clobbers;
    uint32_t nreused;
    uint64_t reused[4]; /* which of the first operands are reused inputs */
} Inst;

/* ---- ranges ---- */
static uint32_t new_range(IonCtx *x, uint32_t v, uint32_t from, uint32_t to) {
    IonVReg *iv = &x->v.p[v];
    vec_push(x->mem, &x->r,
             (IonRange){.from = from,
                        .to = to,
                        .vreg = v,
                        .bundle = v,
                        .next = iv->first,
                        .vnext = iv->first,
                        .use0 = iv->cursor,
                        .use1 = iv->cursor,
                        .limit = 32,
                        .flags = iv->is_float ? ION_FLOAT : 0});
    return iv->first = x->r.n - 1;
}

static inline bool is_open(const IonCtx *x, uint32_t v, uint32_t block_start) {
    uint32_t r = x->v.p[v].first;
    return r != NONE && x->r.p[r].from == block_start && !(x->r.p[r].flags & ION_DEF);
}

/* v is live from the block's start to `to`. */
static inline uint32_t open_range(IonCtx *x, uint32_t v, uint32_t block_start, uint32_t to) {
    uint32_t r = x->v.p[v].first;
    if (r == NONE) return new_range(x, v, block_start, to);
    IonRange *ir = &x->r.p[r];
    if (ir->flags & ION_DEF) return new_range(x, v, block_start, to);
    if (ir->from == block_start) {
        if (ir->to < to) ir->to = to; /* opened by the same instruction */
        return r;
    }
    if (ir->from != to) return new_range(x, v, block_start, to);
    ir->from = block_start;
    return r;
}

static inline void add_use(IonCtx *x, uint32_t v, uint32_t r, IonUse u) {
    IonRange *ir = &x->r.p[r];
    ir->use0 = --x->v.p[v].cursor;
    ir->weight += u.weight;
    x->uses.p[ir->use0] = u;
}

static inline IonUse use_of(const Inst *in, uint32_t o, uint32_t pos, IonWhat what, uint8_t arg) {
    return (IonUse){o, pos, factor[what] * in->freq, (uint8_t)what, arg};
}

static void hint(IonCtx *x, uint32_t v, RaPReg p, float w) {
    IonBundle *b = &x->b.p[v];
    if (b->hint == p)
        b->hint_weight += w;
    else if (w > b->hint_weight)
        b->hint = p, b->hint_weight = w;
}

static void take(IonCtx *x, RaPReg p, uint32_t v, uint32_t from, uint32_t to) {
    for (uint32_t at = from; at < to; at++) x->wall.any[0].p[at] |= ra_set(p);
    vec_push(x->mem, &x->fixed[p], (IonFixed){from, to, v});
}

static void slot_op(IonCtx *x, const Inst *in, uint32_t o) {
    vec_push(x->mem, &x->slot_ops, (IonSlotOp){o, in->i});
}

/* ---- definitions ---- */
/* The range of v from its definition on; a dead one is as long as the definition needs. */
static uint32_t close_range(IonCtx *x, const Inst *in, uint32_t v, uint32_t from) {
    uint32_t r =
        is_open(x, v, in->block_start) ? x->v.p[v].first : new_range(x, v, from, 2 * in->i + 2);
    x->r.p[r].from = from;
    x->r.p[r].flags |= ION_DEF;
    return r;
}

/* The value is left in a register, or in its slot, and its range begins after the instruction. */
static void fixed_def(IonCtx *x, const Inst *in, uint32_t v, uint8_t where) {
    IonVReg *iv = &x->v.p[v];
    iv->fixed = where;
    if (where < 64 && !(x->f->inst_flags[in->i] & RA_INST_ENTRY)) x->written |= ra_set(where);
    if (!is_open(x, v, in->block_start)) return;
    IonRange *r = &x->r.p[iv->first];
    r->from = 2 * in->i + 2; /* may be empty: read by the next instruction's fixed operand only */
    r->flags |= ION_DEF | ION_FIXED_DEF;
    r->weight += in->freq * 2;
    if (where != ION_IN_SLOT) hint(x, v, where, in->freq * 2);
}

static void add_def(IonCtx *x, const Inst *in, uint32_t o) {
    const RaOperand *op = &x->f->ops[o], *like = op;
    uint32_t v = ra_vreg_index(op->vreg), pos = 2 * in->i + op->pos;
    bool reuse = op->constraint == RA_REUSE;
    if (reuse) like = &x->f->ops[in->first + op->arg];
    if (like->constraint == RA_FIXED) {
        take(x, like->arg, v, pos, 2 * in->i + 2);
        x->allocs.p[o] = ra_alloc_reg(like->arg);
        fixed_def(x, in, v, like->arg);
        return;
    }
    if (like->constraint == RA_STACK) {
        slot_op(x, in, o);
        fixed_def(x, in, v, ION_IN_SLOT);
        return;
    }
    if (reuse) {
        pos = 2 * in->i + in->late;
        vec_push(x->mem, &x->reuses, (IonReuse){in->first + op->arg, o});
    }
    uint32_t r = close_range(x, in, v, pos);
    bool any = like->constraint == RA_ANY && !reuse;
    uint8_t limit = like->constraint == RA_LIMIT ? like->arg : 32;
    add_use(x, v, r, use_of(in, o, 2 * in->i + 1, any ? ION_DEF_ANY : ION_DEF_REG, limit));
    if (!any) x->r.p[r].flags |= ION_NEED;
    if (limit < x->r.p[r].limit) x->r.p[r].limit = limit;
}

/* ---- uses ---- */
/* An operand that reads the value before the instruction: the value need not live on into it. */
static void add_before(IonCtx *x, const Inst *in, uint32_t o, IonWhat what) {
    const RaOperand *op = &x->f->ops[o];
    uint32_t v = ra_vreg_index(op->vreg), early = 2 * in->i;
    uint32_t end = early > in->block_start ? early : early + 1;
    if (what == ION_STACK) end = early + 2;
    uint32_t r = open_range(x, v, in->block_start, end);
    add_use(x, v, r, use_of(in, o, early > in->block_start ? early - 1 : early, what, op->arg));
    if (what != ION_FIXED) return;
    take(x, op->arg, v, early, early + 1 + op->pos);
    x->allocs.p[o] = ra_alloc_reg(op->arg);
    hint(x, v, op->arg, in->freq);
    if (x->r.p[r].to > early) x->r.p[r].flags |= ION_INNER;
}

static bool is_reused(const Inst *in, uint32_t o) {
    uint32_t k = o - in->first;
    return in->nreused && k < 256 && (in->reused[k / 64] >> (k & 63) & 1);
}

/* The reused input whose copy holds the same value. */
static uint32_t copy_of(const IonCtx *x, const Inst *in, const RaOperand *op) {
    if (op->pos == RA_LATE || (op->constraint != RA_REG && op->constraint != RA_ANY)) return NONE;
    for (uint32_t w = 0; w < 4; w++)
        for (uint64_t s = in->reused[w]; s; s &= s - 1) {
            uint32_t o = in->first + w * 64 + u64_ctz(s);
            if (x->f->ops[o].vreg == op->vreg) return o;
        }
    return NONE;
}

static void add_plain(IonCtx *x, const Inst *in, uint32_t o) {
    const RaOperand *op = &x->f->ops[o];
    uint32_t v = ra_vreg_index(op->vreg), copy = in->nreused ? copy_of(x, in, op) : NONE;
    if (copy != NONE) {
        vec_push(x->mem, &x->aliases, (IonReuse){copy, o});
        return;
    }
    uint32_t pos = 2 * in->i + (op->pos | in->late);
    uint32_t r = open_range(x, v, in->block_start, pos + 1);
    IonRange *ir = &x->r.p[r];
    if (op->constraint == RA_ANY) {
        add_use(x, v, r, use_of(in, o, pos, ION_ANY, 0));
        return;
    }
    ir->flags |= ION_NEED;
    if (op->constraint == RA_LIMIT) {
        if (op->arg < ir->limit) ir->limit = op->arg;
        add_use(x, v, r, use_of(in, o, pos, ION_LIMIT, op->arg));
    } else {
        add_use(x, v, r, use_of(in, o, pos, ION_REG, 32));
    }
}

/* ---- instructions ---- */
static void look_at(IonCtx *x, Inst *in) {
    const RaOperand *ops = x->f->ops;
    in->kinds = 0;
    in->late_uses = false;
    for (uint32_t o = in->first; o < in->end; o++) {
        in->kinds |= 1u << ops[o].constraint;
        in->late_uses |= ops[o].kind == RA_USE && ops[o].pos == RA_LATE;
    }
    in->nreused = 0;
    in->late = false;
}

static void look_at_reuses(IonCtx *x, Inst *in) {
    const RaOperand *ops = x->f->ops;
    memset(in->reused, 0, sizeof in->reused);
    for (uint32_t o = in->first; o < in->end; o++) {
        const RaOperand *op = &ops[o];
        if (op->constraint != RA_REUSE || ops[in->first + op->arg].constraint == RA_FIXED) continue;
        in->reused[op->arg / 64] |= (uint64_t)1 << (op->arg & 63);
        in->nreused++;
    }
    /* with few operands only, so that there are registers for all of them at once */
    in->late = in->nreused == 1 && 2 * in->i == in->block_start && in->end - in->first <= 3 &&
               !(in->kinds & (1u << RA_FIXED | 1u << RA_LIMIT)) && !in->clobbers;
}

/* Any mix of operands. Uses of one value must be entered in descending order. */
static void any_inst(IonCtx *x, Inst *in) {
    const RaOperand *ops = x->f->ops;
    if (in->kinds >> RA_REUSE & 1) look_at_reuses(x, in);
    for (uint32_t turn = in->late_uses ? 0 : 1; turn < 3; turn++)
        for (uint32_t o = in->first; o < in->end; o++) {
            const RaOperand *op = &ops[o];
            if (op->constraint == RA_FIXED_NONALLOC) {
                x->allocs.p[o] = ra_alloc_reg(op->arg);
                continue;
            }
            bool reused = is_reused(in, o);
            bool before = op->kind == RA_USE &&
                          (reused || op->constraint == RA_FIXED || op->constraint == RA_STACK);
            uint32_t when = before ? 2 : op->kind == RA_USE && op->pos == RA_LATE ? 0 : 1;
            if (when != turn) continue;
            if (op->kind == RA_DEF)
                add_def(x, in, o);
            else if (!before)
                add_plain(x, in, o);
            else if (op->constraint == RA_STACK)
                slot_op(x, in, o), add_before(x, in, o, ION_STACK);
            else
                add_before(x, in, o, reused ? ION_REUSED : ION_FIXED);
        }
}

static void one_inst(IonCtx *x, Inst *in) {
    look_at(x, in);
    if (in->late_uses || in->kinds & ~(1u << RA_ANY | 1u << RA_REG)) {
        any_inst(x, in);
        return;
    }
    for (uint32_t o = in->first; o < in->end; o++)
        if (x->f->ops[o].kind == RA_DEF)
            add_def(x, in, o);
        else
            add_plain(x, in, o);
}

/* Values of this block that its successors need and nobody else. */
static void near_live_out(IonCtx *x, const RaBlock *rb) {
    const RaFunc *f = x->f;
    for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) {
        uint32_t s = f->succs[e];
        if (f->blocks[s].pred_end - f->blocks[s].pred_start != 1) continue;
        for (uint32_t k = x->exposed_at.p[s]; k < x->exposed_at.p[s + 1]; k++) {
            uint32_t v = x->exposed.p[k];
            if (x->v.p[v].global == NONE)
                (void)open_range(x, v, 2 * rb->inst_start, 2 * rb->inst_end);
        }
    }
}

static void live_out(IonCtx *x, uint32_t b) {
    const RaFunc *f = x->f;
    const RaBlock *rb = &f->blocks[b];
    uint32_t start = 2 * rb->inst_start, end = 2 * rb->inst_end;
    for (uint32_t w = 0; w < x->row_words; w++) {
        uint64_t s = 0;
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++)
            s |= x->live_in.p[(size_t)f->succs[e] * x->row_words + w];
        for (; s; s &= s - 1) (void)open_range(x, x->by_global.p[w * 64 + u64_ctz(s)], start, end);
    }
    near_live_out(x, rb);
    for (uint32_t e = rb->succ_start; e < rb->succ_end; e++)
        for (uint32_t a = f->edge_args[e]; a < f->edge_args[e + 1]; a++) {
            uint32_t v = ra_vreg_index(f->branch_args[a]);
            float w = factor[ION_ARG] * x->freq.p[b];
            uint32_t r = open_range(x, v, start, end);
            add_use(x, v, r, (IonUse){a, end - 1, w, ION_ARG, 0});
        }
}

void ion_build(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->r);
    vec_reserve(x->mem, &x->r, 1); /* there may be none, but an address */
    vec_clear(&x->reuses);
    vec_clear(&x->aliases);
    vec_clear(&x->slot_ops);
    for (uint32_t p = 0; p < 64; p++) vec_clear(&x->fixed[p]);
    ion_map_init(x, &x->wall, 2 * f->num_insts);
    vec_clear(&x->b);
    IonBundle *bundles = vec_extend(x->mem, &x->b, f->num_vregs);
    for (uint32_t v = 0; v < f->num_vregs; v++)
        bundles[v] = (IonBundle){.first = NONE,
                                 .spillset = NONE,
                                 .related = NONE,
                                 .reg = RA_PREG_NONE,
                                 .hint = RA_PREG_NONE,
                                 .hint2 = RA_PREG_NONE};
    uint32_t clobber = f->num_clobbers;
    x->clobbered_ever = x->written = 0;
    Inst in;
    for (uint32_t b = f->num_blocks; b-- > 0;) {
        const RaBlock *rb = &f->blocks[b];
        live_out(x, b);
        in.block_start = 2 * rb->inst_start;
        in.freq = x->freq.p[b];
        for (uint32_t i = rb->inst_end; i-- > rb->inst_start;) {
            in.clobbers = false;
            for (; clobber > 0 && f->clobbers[clobber - 1].inst >= i; clobber--) {
                in.clobbers = true;
                x->wall.any[0].p[2 * i + 1] |= f->clobbers[clobber - 1].regs;
                x->clobbered_ever |= f->clobbers[clobber - 1].regs;
            }
            in.i = i, in.first = f->op_start[i], in.end = f->op_start[i + 1];
            one_inst(x, &in);
        }
        for (uint32_t p = rb->param_start; p < rb->param_end; p++) {
            uint32_t v = ra_vreg_index(f->params[p]);
            if (!is_open(x, v, in.block_start)) continue; /* dead: it is put nowhere */
            IonRange *r = &x->r.p[x->v.p[v].first];
            r->flags |= ION_DEF;
            r->weight += in.freq;
        }
    }
    ion_map_sum(&x->wall);
}
