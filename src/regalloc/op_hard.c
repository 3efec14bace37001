/* regalloc/op_hard.c — instructions with any mix of constraints.
 *
 * Idea      1. Each use, and each early definition, gets a register for the early half: fixed ones, then values that may
 *           stay where they are, then the rest by choice, those with the fewest possible registers first. If that
 *           fails because values stay in the way, nothing stays.
 *           2. Values in registers that others take or that are overwritten lose them and get another, or their slot.
 *           3. One parallel move does it all. 4. Late definitions as for simple instructions.
 * Invariant What needs a register never meets one held by an operand that could be in a slot in both halves.
 * Cost      O(operands * distinct limits of RA_LIMIT + registers). */
#include "regalloc/op_int.h"

typedef struct Hard {
    uint32_t first, end;
    RaPRegSet fixed_early, fixed_late, clobbers; /* by fixed operands */
    RaPRegSet overwritten;                       /* of the late half: not what is only read late */
    uint64_t ranks;                              /* set of hard_rank of the operands */
    RaPRegSet narrow;                            /* registers that some limit names */
    uint32_t holder[64]; /* vreg in an early register, NONE = a definition */
} Hard;

/* Operands choose in this order: the fewer registers suit them the earlier. */
static uint32_t hard_rank(const RaOperand *op) {
    return op->constraint == RA_LIMIT ? op->arg - 1u : op->constraint == RA_ANY ? 33 : 32;
}
#define HARD_RANKS ((uint64_t)3 << 32)

/* Operand o is the input of a reuse; only the first 256 operands can be. */
static bool is_reused(const Pass *p, const Hard *h, uint32_t o) {
    return o - h->first < 256 && p->reuse_input[o - h->first];
}

static void hard_take(Pass *p, Hard *h, uint32_t o, RaPReg r) {
    const RaOperand *op = &p->f->ops[o];
    bool def = op->kind == RA_DEF, reuse = is_reused(p, h, o);
    p->allocs[o] = ra_alloc_reg(r);
    p->early |= ra_set(r);
    h->holder[r] = def ? NONE : ra_vreg_index(op->vreg);
    if (def || reuse || op->pos == RA_LATE) p->late |= ra_set(r);
    if (def || reuse) h->overwritten |= ra_set(r);
}

/* Reads constraints; advances to the next uses, unless that was done. */
static void hard_collect(Pass *p, Hard *h, bool advance) {
    const RaFunc *f = p->f;
    memset(p->reuse_input, 0, h->end - h->first < 256 ? h->end - h->first : 256);
    for (; p->next_clobber < f->num_clobbers && f->clobbers[p->next_clobber].inst == p->inst;
         p->next_clobber++)
        h->clobbers |= f->clobbers[p->next_clobber].regs;
    h->overwritten = h->clobbers;
    for (uint32_t o = h->first; o < h->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_FIXED_NONALLOC) {
            p->allocs[o] = ra_alloc_reg(op->arg);
            continue;
        }
        if (op->kind == RA_USE && advance) p->v[ra_vreg_index(op->vreg)].next = p->allocs[o];
        p->allocs[o] = RA_ALLOC_NONE;
        if (op->constraint == RA_REUSE) p->reuse_input[op->arg] = true;
        if (op->constraint == RA_LIMIT)
            h->ranks |= (uint64_t)1 << hard_rank(op), h->narrow |= allowed_set(p, op);
        if (op->constraint != RA_FIXED) continue;
        bool both = op->pos == (op->kind == RA_USE ? RA_LATE : RA_EARLY);
        if (op->kind == RA_USE || both) h->fixed_early |= ra_set(op->arg);
        if (op->kind == RA_DEF || both) h->fixed_late |= ra_set(op->arg);
        if (op->kind == RA_DEF) h->overwritten |= ra_set(op->arg);
    }
}

/* A choice for operand o, which holds its register in both halves or in the early one only. */
static bool hard_choose(Pass *p, Hard *h, uint32_t o, bool both) {
    const RaOperand *op = &p->f->ops[o];
    const OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
    bool lives = op->kind == RA_USE && v->last > 2 * p->inst;
    RaPRegSet cand = allowed_set(p, op) & ~p->early;
    if (both) cand &= ~p->late;
    RaPRegSet free = cand & ~p->occupied;
    if (op->constraint != RA_LIMIT) { /* leave the narrow ones to those who need them */
        if (free & ~h->narrow) free &= ~h->narrow;
        if (cand & ~h->narrow) cand &= ~h->narrow;
    }
    if (lives && (free & ~p->late)) free &= ~p->late;
    if (free) {
        bool cross = crosses_call(p, v);
        hard_take(p, h, o,
                  op_pick_free(p, free, lives ? RA_PREG_NONE : op_hint_of(p, v, cross), cross));
        return true;
    }
    if (op->constraint == RA_ANY && !is_reused(p, h, o)) return false; /* a slot will do */
    uint32_t distance;
    RaPReg r = op_farthest(p, cand & p->occupied, &distance);
    if (r != RA_PREG_NONE) hard_take(p, h, o, r);
    return r != RA_PREG_NONE;
}

static bool hard_early_half(Pass *p, Hard *h, bool keep) {
    const RaFunc *f = p->f;
    p->early = 0;
    p->late = h->fixed_late | h->clobbers;
    h->overwritten = h->clobbers | (h->overwritten & h->fixed_late);
    for (uint32_t o = h->first; o < h->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_FIXED && (op->kind == RA_USE || op->pos == RA_EARLY))
            hard_take(p, h, o, op->arg);
        else if (op->constraint != RA_FIXED_NONALLOC)
            p->allocs[o] = RA_ALLOC_NONE;
    }
    p->early |= h->fixed_early;
    uint32_t open[2] = {0,
                        0}; /* operands without a register that need one early only, both halves */
    for (uint32_t o = h->first; o < h->end; o++) {
        const RaOperand *op = &f->ops[o];
        bool use = op->kind == RA_USE;
        if (op->constraint == RA_FIXED || op->constraint == RA_FIXED_NONALLOC ||
            op->constraint == RA_REUSE || (!use && op->pos == RA_LATE))
            continue;
        OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
        bool both = !use || op->pos == RA_LATE || is_reused(p, h, o);
        if (op->constraint == RA_STACK ||
            (op->constraint == RA_ANY && both && !is_reused(p, h, o))) {
            /* late definitions may need all registers, so that what could be elsewhere must not have one */
            if (use) {
                op_spill(p, v);
                p->allocs[o] = ra_alloc_slot(v->slot);
            } else
                op_define_in_slot(p, o, v);
            continue;
        }
        RaPReg r = v->reg;
        if (use && keep && r != RA_PREG_NONE && (allowed_set(p, op) >> r & 1) &&
            (!(p->early >> r & 1) || h->holder[r] == ra_vreg_index(op->vreg)) &&
            !(both && (p->late >> r & 1))) {
            hard_take(p, h, o, r);
        } else if (use && op->constraint == RA_ANY && r == RA_PREG_NONE && !is_reused(p, h, o) &&
                   v->last <= 2 * p->inst) {
            p->allocs[o] = ra_alloc_slot(v->slot);
        } else
            open[both]++;
    }
    for (int both = 1; both >= 0; both--) {
        if (!open[both]) continue;
        for (uint64_t ranks = h->ranks | HARD_RANKS; ranks; ranks &= ranks - 1) {
            uint32_t rank = (uint32_t)u64_ctz(ranks);
            for (uint32_t o = h->first; o < h->end; o++) {
                const RaOperand *op = &f->ops[o];
                bool use = op->kind == RA_USE;
                if (p->allocs[o] != RA_ALLOC_NONE || op->constraint == RA_FIXED ||
                    op->constraint == RA_REUSE || (!use && op->pos == RA_LATE) ||
                    hard_rank(op) != rank)
                    continue;
                bool reuse = is_reused(p, h, o);
                if ((!use || op->pos == RA_LATE || reuse) != both) continue;
                if (hard_choose(p, h, o, both)) continue;
                if (op->constraint != RA_ANY || reuse) return false;
                OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
                op_spill(p, v);
                p->allocs[o] = ra_alloc_slot(v->slot);
            }
        }
    }
    return true;
}

/* Steps 2 and 3. */
static void hard_move(Pass *p, Hard *h) {
    const RaFunc *f = p->f;
    RaPRegSet before = p->occupied, planned = 0, moved = 0;
    for (uint32_t o = h->first; o < h->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->kind != RA_USE || op->constraint == RA_FIXED_NONALLOC || !ra_is_reg(p->allocs[o]))
            continue;
        OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
        RaPReg r = ra_alloc_preg(p->allocs[o]);
        if (planned >> r & 1) continue; /* said twice */
        planned |= ra_set(r);
        if (v->reg == r) continue;
        COT_DASSERT(v->reg != RA_PREG_NONE || v->spilled);
        plan_move(p, where(v), ra_alloc_reg(r), op->vreg);
    }
    uint32_t homeless[64]; /* per register that lost its value */
    for (RaPRegSet s = before & (p->early | h->overwritten); s; s &= s - 1) {
        RaPReg r = (RaPReg)u64_ctz(s);
        if ((!(p->early >> r & 1) || h->holder[r] == p->owner[r]) && !(h->overwritten >> r & 1))
            continue;
        homeless[r] = p->owner[r];
        moved |= ra_set(r);
        drop_reg(p, r);
    }
    for (uint32_t o = h->first; o < h->end; o++) { /* a copy made for an operand becomes the home */
        const RaOperand *op = &f->ops[o];
        if (op->kind != RA_USE || op->constraint == RA_FIXED_NONALLOC || !ra_is_reg(p->allocs[o]))
            continue;
        OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
        RaPReg r = ra_alloc_preg(p->allocs[o]);
        if (v->last <= 2 * p->inst || ((h->overwritten | p->occupied) >> r & 1)) continue;
        if (v->reg != RA_PREG_NONE) { /* the next such operand will find it there */
            if (op->constraint != RA_FIXED ||
                ((p->env->caller_saved >> r & 1) && !(p->env->caller_saved >> v->reg & 1) &&
                 crosses_call(p, v)))
                continue;
            drop_reg(p, v->reg);
        }
        set_reg(p, v, r);
    }
    for (RaPRegSet s = moved; s; s &= s - 1) {
        RaPReg r = (RaPReg)u64_ctz(s);
        OpVReg *v = &p->v[homeless[r]];
        if (v->last <= 2 * p->inst || v->reg != RA_PREG_NONE) continue;
        RaPRegSet free =
            p->env->allocatable & RA_CLASS_MASK(r >= 32) & ~p->occupied & ~p->early & ~p->late;
        bool cross = crosses_call(p, v);
        if (v->spilled) free &= p->env->caller_saved | p->written; /* a reload is as cheap */
        if (free) {
            RaPReg to = op_pick_free(p, free, RA_PREG_NONE, cross);
            plan_move(p, ra_alloc_reg(r), ra_alloc_reg(to), vreg_of(p, v));
            set_reg(p, v, to);
        } else
            op_spill(p, v);
    }
    op_flush_moves(p, 2 * p->inst, before | p->early | p->occupied);
}

static bool hard_late_half(Pass *p, Hard *h) {
    const RaFunc *f = p->f;
    for (uint32_t o = h->first; o < h->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_FIXED_NONALLOC) continue;
        OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
        if (op->kind == RA_USE)
            op_free_dying(p, v);
        else if (op->constraint == RA_FIXED)
            p->allocs[o] = ra_alloc_reg(op->arg);
        else if (op->constraint == RA_REUSE)
            p->allocs[o] = p->allocs[h->first + op->arg];
    }
    for (uint32_t o = h->first; o < h->end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC &&
            ra_is_reg(p->allocs[o]))
            op_define(p, o, &p->v[ra_vreg_index(f->ops[o].vreg)], ra_alloc_preg(p->allocs[o]));
    for (uint64_t ranks = h->ranks | HARD_RANKS; ranks; ranks &= ranks - 1)
        for (uint32_t o = h->first; o < h->end; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_DEF || p->allocs[o] != RA_ALLOC_NONE ||
                hard_rank(op) != (uint32_t)u64_ctz(ranks))
                continue;
            if (op->constraint == RA_STACK)
                op_define_in_slot(p, o, &p->v[ra_vreg_index(op->vreg)]);
            else if (!op_place_def(p, o, p->late))
                return false;
            if (ra_is_reg(p->allocs[o])) p->late |= ra_set(ra_alloc_preg(p->allocs[o]));
        }
    for (uint32_t o = h->first; o < h->end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC)
            op_free_dying(p, &p->v[ra_vreg_index(f->ops[o].vreg)]);
    return true;
}

bool op_hard(Pass *p, uint32_t i, bool advance) {
    Hard h;
    h.first = p->f->op_start[i], h.end = p->f->op_start[i + 1];
    h.fixed_early = h.fixed_late = h.clobbers = 0;
    h.ranks = h.narrow = 0;
    hard_collect(p, &h, advance);
    if (!hard_early_half(p, &h, true) && !hard_early_half(p, &h, false)) return op_out_of_regs(p);
    hard_move(p, &h);
    return hard_late_half(p, &h);
}
