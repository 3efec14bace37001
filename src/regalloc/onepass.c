/* regalloc/onepass.c — the one-pass allocator: one forward scan over the blocks with a register file.
 *
 * Problem   Allocate in linear time with small constants, yet keep values in registers across blocks and around loops.
 * Idea      A preparation pass gives each vreg its uses in order and the position of its last one, a use inside a
 *           loop of a value from outside counting until the end of the outermost such loop. The scan then keeps
 *           register -> vreg. A block starts with the registers of the predecessor it was first reached from, minus
 *           dead values; every other edge into it moves values to where that block expects them (parallel moves at the
 *           end of the predecessor). When registers run out, the value with the farthest next use gives way.
 * Spilling  SSA: a value that ever loses its register gets one store right after its definition, so its slot is
 *           valid wherever the value is; eviction itself costs nothing. Reloads make it live in a register again.
 * Liveness  `last` is an over-approximation along the block order. On an edge whose source has neither the
 *           register copy nor a slot of a value which the target's state names, the value is not truly live (SSA: a
 *           live value is defined on every path), so nothing is moved.
 * Invariants 1. owner[p] = v  <=>  v.reg = p.  2. v.spilled => v.slot is set and a store (or parameter move) fills it.
 *           3. entry states name a value at most once.
 * Cost      O(operands * registers) worst case, about one pass over operands in practice; loops deepen the
 *           extension walk only.
 * Ref       regalloc2's fastalloc for the interface; V8's Liftoff and TPDE (Schwarz et al. 2025) for forward states.
 * requires: SSA input as regalloc.h says, each block after some predecessor */
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

typedef struct Pass {
    RaCtx *c;
    const RaFunc *f;
    const RaEnv *env;
    Diag *d;
    uint32_t inst;         /* being allocated */
    RaPRegSet early, late; /* registers the instruction's operands hold in each half */
    RaStats st;
    uint32_t spare_slot; /* reserved first */
    bool failed;
} Pass;

/* ---- preparation ---- */
static void find_loops(Pass *p) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    Mem *m = c->mem;
    vec_clear(&c->loops);
    vec_clear(&c->loop_of);
    uint32_t *last =
        vec_extend(m, &c->loop_of, f->num_blocks); /* first: per header its last latch */
    memset(last, 0xFF, f->num_blocks * sizeof *last);
    bool any = false;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++)
            if (f->succs[e] <= b) {
                last[f->succs[e]] = b; /* b ascends */
                any = true;
            }
    if (!any) return;
    /* Make the intervals nest: an inner one that reaches past its outer one extends it. */
    vec_clear(&c->loop_stack);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        while (c->loop_stack.n && c->loops.p[vec_last(&c->loop_stack)].last_block < b)
            c->loop_stack.n--;
        if (last[b] != NONE) {
            for (uint32_t k = c->loop_stack.n;
                 k-- > 0 && c->loops.p[c->loop_stack.p[k]].last_block < last[b];)
                c->loops.p[c->loop_stack.p[k]].last_block = last[b];
            OpLoop l = {b, last[b], 0, c->loop_stack.n ? vec_last(&c->loop_stack) : NONE};
            vec_push(m, &c->loops, l);
            vec_push(m, &c->loop_stack, c->loops.n - 1);
        }
        last[b] = c->loop_stack.n ? vec_last(&c->loop_stack) : NONE;
    }
    for (uint32_t l = 0; l < c->loops.n; l++)
        c->loops.p[l].end_pos = 2 * f->blocks[c->loops.p[l].last_block].inst_end - 1;
}

static void see_use(Pass *p, RaVReg r, uint32_t pos, uint32_t block) {
    RaCtx *c = p->c;
    uint32_t i = ra_vreg_index(r);
    OpVReg *v = &c->v.p[i];
    v->use_end++;
    if (c->loops.n)
        for (uint32_t l = c->loop_of.p[block];
             l != NONE && c->loops.p[l].header > c->def_block.p[i]; l = c->loops.p[l].parent)
            pos = c->loops.p[l].end_pos;
    if (pos > v->last) v->last = pos;
}

static void prepare(Pass *p) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    Mem *m = c->mem;
    vec_clear(&c->v);
    OpVReg *v = vec_extend(m, &c->v, f->num_vregs);
    for (uint32_t i = 0; i < f->num_vregs; i++)
        v[i] = (OpVReg){.slot = NONE, .reg = RA_PREG_NONE, .def_reg = RA_PREG_NONE};
    vec_clear(&c->def_block);
    (void)vec_extend(m, &c->def_block, f->num_vregs);
    find_loops(p);
    vec_clear(&c->calls_before);
    uint32_t *calls = vec_extend(m, &c->calls_before, f->num_insts + 1);
    uint32_t ncalls = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            uint32_t i = ra_vreg_index(f->params[k]);
            v[i].def_inst = rb->inst_start;
            v[i].is_param = 1;
            c->def_block.p[i] = b;
        }
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
            calls[i] = ncalls;
            ncalls += (f->inst_flags[i] & RA_INST_CALL) != 0;
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
                const RaOperand *op = &f->ops[o];
                if (op->kind == RA_USE) {
                    see_use(p, op->vreg, 2 * i, b);
                } else {
                    v[ra_vreg_index(op->vreg)].def_inst = i;
                    c->def_block.p[ra_vreg_index(op->vreg)] = b;
                }
            }
        }
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++)
            for (uint32_t k = f->edge_args[e]; k < f->edge_args[e + 1]; k++)
                see_use(p, f->branch_args[k], 2 * rb->inst_end - 1, b);
    }
    calls[f->num_insts] = ncalls;
    /* use lists, by counting */
    uint32_t total = 0;
    for (uint32_t i = 0; i < f->num_vregs; i++) {
        uint32_t n = v[i].use_end;
        v[i].use = v[i].use_end = total;
        total += n;
    }
    vec_clear(&c->uses);
    OpUse *uses = vec_extend(m, &c->uses, total);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++)
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++)
                if (f->ops[o].kind == RA_USE)
                    uses[v[ra_vreg_index(f->ops[o].vreg)].use_end++] = (OpUse){2 * i, o};
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++)
            for (uint32_t k = f->edge_args[e]; k < f->edge_args[e + 1]; k++)
                uses[v[ra_vreg_index(f->branch_args[k])].use_end++] =
                    (OpUse){2 * rb->inst_end - 1, OP_EDGE | k};
    }
}

/* ---- slots ---- */
static uint8_t slot_size(const Pass *p, uint32_t v) {
    return p->f->vreg_slots ? p->f->vreg_slots[v] : 1;
}

static uint32_t take_slot(Pass *p, uint32_t vi) {
    RaCtx *c = p->c;
    OpVReg *v = &c->v.p[vi];
    if (v->slot != NONE) return v->slot;
    uint8_t size = slot_size(p, vi);
    uint32_t tries = 16;
    for (uint32_t k = c->free_slots.n; k-- > 0 && tries--;) { /* the latest freed first; bounded */
        uint32_t s = c->free_slots.p[k];
        if (c->slots.p[s].size != size || c->slots.p[s].free_from > v->def_inst) continue;
        c->free_slots.p[k] = vec_pop(&c->free_slots);
        return v->slot = s;
    }
    uint32_t s = c->slots.n;
    vec_push(c->mem, &c->slots, (OpSlot){0, size});
    for (uint8_t k = 1; k < size; k++)
        vec_push(c->mem, &c->slots, (OpSlot){0, 0}); /* the rest of a wide slot */
    return v->slot = s;
}

static RaVReg vreg_of(Pass *p, uint32_t vi, RaPReg r) {
    (void)p;
    return ra_vreg(vi, r >= 32 ? RA_FLOAT : RA_INT);
}

/* The value must be in its slot: one store after its definition. */
static void spill(Pass *p, uint32_t vi) {
    RaCtx *c = p->c;
    OpVReg *v = &c->v.p[vi];
    if (v->spilled) return;
    v->spilled = 1;
    RaAlloc slot = ra_alloc_slot(take_slot(p, vi));
    if (v->def_reg == RA_PREG_NONE) return;
    RaEdit e = {v->is_param ? 2 * v->def_inst : 2 * v->def_inst + 1, ra_alloc_reg(v->def_reg), slot,
                vreg_of(p, vi, v->def_reg)};
    vec_push(c->mem, &c->stores, e);
    p->st.spills++;
}

/* ---- the register file ---- */
static void set_reg(Pass *p, uint32_t vi, RaPReg r) {
    p->c->v.p[vi].reg = r;
    p->c->owner[r] = vi;
    p->c->occupied |= ra_set(r);
}

static void drop_reg(Pass *p, RaPReg r) {
    RaCtx *c = p->c;
    c->v.p[c->owner[r]].reg = RA_PREG_NONE;
    c->occupied &= ~ra_set(r);
}

static uint32_t next_use(Pass *p, uint32_t vi) {
    OpVReg *v = &p->c->v.p[vi];
    while (v->use < v->use_end && p->c->uses.p[v->use].pos < 2 * p->inst) v->use++;
    if (v->use < v->use_end) return p->c->uses.p[v->use].pos;
    return v->last + 1000; /* only around a loop */
}

static RaPRegSet limit_set(const RaOperand *op) {
    RaPRegSet m = RA_CLASS_MASK(ra_vreg_class(op->vreg));
    if (op->constraint == RA_LIMIT) m &= (((RaPRegSet)1 << op->arg) - 1) * 0x100000001ull;
    return m;
}

static bool crosses_call(Pass *p, const OpVReg *v) {
    uint32_t end = (v->last + 1) / 2, *n = p->c->calls_before.p;
    if (end > p->f->num_insts) end = p->f->num_insts;
    return p->inst + 1 <= end &&
           n[end] > n[p->inst + 1 < p->f->num_insts ? p->inst + 1 : p->f->num_insts];
}

/* The register that a later fixed use or block parameter would like, RA_PREG_NONE if nothing is known. */
static RaPReg hint_of(Pass *p, uint32_t vi) {
    OpVReg *v = &p->c->v.p[vi];
    next_use(p, vi);
    for (uint32_t u = v->use; u < v->use_end && u < v->use + 2; u++) {
        uint32_t o = p->c->uses.p[u].op;
        if (!(o & OP_EDGE)) {
            if (p->f->ops[o].constraint == RA_FIXED) return p->f->ops[o].arg;
            continue;
        }
        /* an edge argument: the parameter's place, if the target was visited (a loop) */
        uint32_t k = o & ~OP_EDGE, lo = 0, hi = p->f->blocks[p->f->num_blocks - 1].succ_end;
        while (lo + 1 < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            if (p->f->edge_args[mid] <= k)
                lo = mid;
            else
                hi = mid;
        }
        const RaBlock *t = &p->f->blocks[p->f->succs[lo]];
        uint32_t at = t->param_start + (k - p->f->edge_args[lo]);
        if (at < t->param_end && p->c->entry.p[p->f->succs[lo]].first != NONE)
            return p->c->v.p[ra_vreg_index(p->f->params[at])].def_reg;
    }
    return RA_PREG_NONE;
}

static RaPReg pick_free(Pass *p, RaPRegSet free, RaPReg hint, bool callee_saved) {
    if (hint != RA_PREG_NONE && (free >> hint & 1)) return hint;
    RaCtx *c = p->c;
    if (c->stress) {
        unsigned k = (unsigned)(ra_random(c) % u64_popcount(free));
        while (k--) free &= free - 1;
        return (RaPReg)u64_ctz(free);
    }
    RaPRegSet want = callee_saved ? free & ~p->env->caller_saved : free & p->env->caller_saved;
    if (!want) want = free;
    const RaPReg *order = p->env->order[want >> 32 ? RA_FLOAT : RA_INT];
    for (unsigned k = 0; k < 32 && order[k] != RA_PREG_NONE; k++)
        if (want >> order[k] & 1) return order[k];
    return (RaPReg)u64_ctz(want);
}

/* A register from `allowed` that is not in `busy`; evicts the value used farthest away. RA_PREG_NONE: impossible. */
static RaPReg get_reg(Pass *p, RaPRegSet allowed, RaPRegSet busy, RaPReg hint, bool callee_saved) {
    RaCtx *c = p->c;
    allowed &= p->env->allocatable & ~busy;
    RaPRegSet free = allowed & ~c->occupied;
    if (free && !(c->stress && (allowed & c->occupied) && ra_random(c) % 8 == 0))
        return pick_free(p, free, hint, callee_saved);
    RaPReg best = RA_PREG_NONE;
    uint64_t best_score = 0;
    for (RaPRegSet s = allowed & c->occupied; s; s &= s - 1) {
        RaPReg r = (RaPReg)u64_ctz(s);
        uint64_t score = (uint64_t)next_use(p, c->owner[r]) * 2 + c->v.p[c->owner[r]].spilled + 1;
        if (c->stress) score = ra_random(c) % 1000 + 1;
        if (score > best_score) best_score = score, best = r;
    }
    if (best == RA_PREG_NONE) return free ? pick_free(p, free, hint, callee_saved) : best;
    spill(p, c->owner[best]);
    drop_reg(p, best);
    p->st.evictions++;
    return best;
}

static void add_edit(Pass *p, uint32_t point, RaAlloc from, RaAlloc to, RaVReg v) {
    RaEdit e = {point, from, to, v};
    vec_push(p->c->mem, &p->c->edits, e);
}

static void flush_moves(Pass *p, uint32_t point) {
    RaCtx *c = p->c;
    vec_clear(&c->ordered);
    ra_parallel_move(c, c->moves.p, c->moves.n, p->env->scratch, p->spare_slot, &c->ordered);
    for (uint32_t i = 0; i < c->ordered.n; i++)
        add_edit(p, point, c->ordered.p[i].from, c->ordered.p[i].to, c->ordered.p[i].vreg);
    vec_clear(&c->moves);
}

static void plan_move(Pass *p, RaAlloc from, RaAlloc to, RaVReg v) {
    if (from == to) return;
    RaMove mv = {from, to, v};
    vec_push(p->c->mem, &p->c->moves, mv);
}

static bool out_of_regs(Pass *p) {
    if (!p->failed)
        diag_msg(p->d, DIAG_LIMIT, "register allocation: not enough registers for instruction %u",
                 p->inst);
    p->failed = true;
    return false;
}

/* Value vi leaves register r before the instruction: to a free register outside `avoid`, or to its slot. */
static void relocate(Pass *p, uint32_t vi, RaPReg r, RaPRegSet avoid) {
    RaCtx *c = p->c;
    RaPRegSet free = p->env->allocatable & RA_CLASS_MASK(r >= 32) & ~c->occupied & ~avoid;
    drop_reg(p, r);
    if (free) {
        RaPReg to = pick_free(p, free, RA_PREG_NONE, crosses_call(p, &c->v.p[vi]));
        plan_move(p, ra_alloc_reg(r), ra_alloc_reg(to), vreg_of(p, vi, r));
        set_reg(p, vi, to);
        p->st.moves++;
    } else
        spill(p, vi);
}

/* ---- one instruction ---- */
typedef struct InstOps {
    uint32_t first, end;
    RaPRegSet clobbers, fixed_uses, fixed_defs, fixed_early_defs;
} InstOps;

/* Fixed uses: bring the values there; whatever else lives in fixed registers, or in registers that a fixed
 * definition or clobber overwrites while it is needed later, leaves. All as one parallel move. */
static void do_fixed(Pass *p, const InstOps *io) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    uint32_t pos = 2 * p->inst;
    RaPRegSet targets = io->fixed_uses | io->fixed_defs | io->clobbers;
    for (uint32_t o = io->first; o < io->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint != RA_FIXED || op->kind != RA_USE) continue;
        OpVReg *v = &c->v.p[ra_vreg_index(op->vreg)];
        c->allocs.p[o] = ra_alloc_reg(op->arg);
        if (v->reg == op->arg) continue;
        if (v->reg == RA_PREG_NONE) {
            COT_DASSERT(v->spilled);
            plan_move(p, ra_alloc_slot(v->slot), ra_alloc_reg(op->arg), op->vreg);
            p->st.reloads++;
        } else
            plan_move(p, ra_alloc_reg(v->reg), ra_alloc_reg(op->arg), op->vreg);
    }
    /* Owners of overwritten registers. A fixed use that finds its own value there stays for the early half. */
    for (RaPRegSet s = c->occupied & targets; s; s &= s - 1) {
        RaPReg r = (RaPReg)u64_ctz(s);
        uint32_t vi = c->owner[r];
        bool lives_on = c->v.p[vi].last > pos;
        bool same_fixed = false, used = false;
        for (uint32_t o = io->first; o < io->end; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_USE || ra_vreg_index(op->vreg) != vi) continue;
            if (op->constraint == RA_FIXED && op->arg == r)
                same_fixed = true;
            else if (op->constraint != RA_FIXED)
                used = true;
        }
        bool overwritten_early =
            ((io->fixed_uses >> r & 1) && !same_fixed) || (io->fixed_early_defs >> r & 1);
        bool overwritten_late = (io->fixed_defs | io->clobbers) >> r & 1;
        if (!overwritten_early && !(overwritten_late && lives_on)) continue;
        if (!lives_on && !used) {
            drop_reg(p,
                     r); /* all its uses here are fixed and have been planned from this register */
            continue;
        }
        if ((io->clobbers >> r & 1) && !overwritten_early && !used && !(io->fixed_defs >> r & 1)) {
            spill(p, vi); /* lives across a call in a register it destroys */
            drop_reg(p, r);
            continue;
        }
        relocate(p, vi, r, targets);
    }
    p->early |= io->fixed_uses | io->fixed_early_defs;
    flush_moves(p, pos);
}

static bool place_use(Pass *p, uint32_t o, const InstOps *io, bool force_reg) {
    RaCtx *c = p->c;
    const RaOperand *op = &p->f->ops[o];
    uint32_t vi = ra_vreg_index(op->vreg);
    OpVReg *v = &c->v.p[vi];
    RaPRegSet allowed = limit_set(op),
              late_bad = op->pos == RA_LATE ? io->fixed_defs | io->clobbers : 0;
    if (op->constraint == RA_STACK) {
        spill(p, vi);
        c->allocs.p[o] = ra_alloc_slot(v->slot);
        return true;
    }
    if (v->reg != RA_PREG_NONE && (allowed & ~late_bad) >> v->reg & 1) {
        c->allocs.p[o] = ra_alloc_reg(v->reg);
    } else {
        bool more = v->last > 2 * p->inst;
        if (op->constraint == RA_ANY && !force_reg && v->reg == RA_PREG_NONE) {
            RaPRegSet free = allowed & p->env->allocatable & ~c->occupied & ~p->early & ~late_bad;
            if (!free || !more) {
                c->allocs.p[o] = ra_alloc_slot(v->slot);
                return true;
            }
        }
        RaPRegSet busy = p->early | late_bad | (op->pos == RA_LATE ? p->late : 0);
        RaPReg r = get_reg(p, allowed, busy, RA_PREG_NONE, more && crosses_call(p, v));
        if (r == RA_PREG_NONE) return out_of_regs(p);
        RaAlloc from = v->reg != RA_PREG_NONE ? ra_alloc_reg(v->reg) : ra_alloc_slot(v->slot);
        COT_DASSERT(v->reg != RA_PREG_NONE || v->spilled);
        add_edit(p, 2 * p->inst, from, ra_alloc_reg(r), op->vreg);
        p->st.reloads++;
        if (v->reg != RA_PREG_NONE) {
            /* the old register may be in use by an earlier operand of this instruction: it stays locked */
            drop_reg(p, v->reg);
        }
        set_reg(p, vi, r);
        c->allocs.p[o] = ra_alloc_reg(r);
    }
    RaPRegSet s = ra_set(ra_alloc_preg(c->allocs.p[o]));
    p->early |= s;
    if (op->pos == RA_LATE) p->late |= s;
    return true;
}

static void define(Pass *p, uint32_t o, RaPReg r) {
    RaCtx *c = p->c;
    uint32_t vi = ra_vreg_index(p->f->ops[o].vreg);
    c->allocs.p[o] = ra_alloc_reg(r);
    c->v.p[vi].def_reg = r;
    if (c->occupied >> r & 1) drop_reg(p, r);
    set_reg(p, vi, r);
    p->late |= ra_set(r);
    if (p->f->ops[o].pos == RA_EARLY) p->early |= ra_set(r);
}

/* A reuse definition writes the register of the use `arg`. If that value is needed later, the instruction works on a copy. */
static bool do_reuse(Pass *p, uint32_t o, const InstOps *io) {
    RaCtx *c = p->c;
    const RaOperand *op = &p->f->ops[o];
    uint32_t uo = io->first + op->arg;
    uint32_t vi = ra_vreg_index(p->f->ops[uo].vreg);
    OpVReg *v = &c->v.p[vi];
    RaPReg r = ra_alloc_preg(c->allocs.p[uo]);
    bool shared = false; /* another operand reads this register */
    for (uint32_t k = io->first; k < io->end; k++)
        if (k != uo && p->f->ops[k].kind == RA_USE && c->allocs.p[k] == c->allocs.p[uo] &&
            p->f->ops[k].pos == RA_LATE)
            shared = true;
    bool lives_on = v->reg == r && v->last > 2 * p->inst;
    if (!lives_on && !shared && !((p->late | io->fixed_defs) >> r & 1)) {
        define(p, o, r);
        return true;
    }
    RaPRegSet allowed = limit_set(&p->f->ops[uo]);
    RaPReg hint = hint_of(p, ra_vreg_index(op->vreg));
    RaPReg to = get_reg(p, allowed, p->early | p->late | io->fixed_defs | io->clobbers, hint,
                        crosses_call(p, &c->v.p[ra_vreg_index(op->vreg)]));
    if (to == RA_PREG_NONE) {
        if (shared || (p->late | io->fixed_defs) >> r & 1) return out_of_regs(p);
        spill(p, vi); /* give up the register copy instead */
        drop_reg(p, r);
        define(p, o, r);
        return true;
    }
    add_edit(p, 2 * p->inst, ra_alloc_reg(r), ra_alloc_reg(to), p->f->ops[uo].vreg);
    p->st.moves++;
    c->allocs.p[uo] = ra_alloc_reg(to);
    define(p, o, to);
    return true;
}

static bool do_defs(Pass *p, const InstOps *io) {
    const RaFunc *f = p->f;
    RaCtx *c = p->c;
    for (uint32_t o = io->first; o < io->end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint == RA_FIXED)
            define(p, o, f->ops[o].arg);
    for (uint32_t o = io->first; o < io->end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint == RA_REUSE && !do_reuse(p, o, io))
            return false;
    for (int pos = RA_EARLY; pos <= RA_LATE; pos++)
        for (uint32_t o = io->first; o < io->end; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_DEF || op->pos != pos || op->constraint == RA_FIXED ||
                op->constraint == RA_REUSE)
                continue;
            uint32_t vi = ra_vreg_index(op->vreg);
            OpVReg *v = &c->v.p[vi];
            if (op->constraint == RA_STACK) {
                v->spilled = 1;
                c->allocs.p[o] = ra_alloc_slot(take_slot(p, vi));
                continue;
            }
            RaPRegSet busy =
                p->late | io->fixed_defs | io->clobbers | (pos == RA_EARLY ? p->early : 0);
            RaPReg hint = RA_PREG_NONE;
            if ((f->inst_flags[p->inst] & RA_INST_MOVE) && o == io->first &&
                ra_is_reg(c->allocs.p[o + 1])) {
                RaPReg src = ra_alloc_preg(c->allocs.p[o + 1]);
                if (!(c->occupied >> src & 1)) hint = src;
            }
            if (hint == RA_PREG_NONE) hint = hint_of(p, vi);
            bool cross = crosses_call(p, v);
            if (cross && hint != RA_PREG_NONE && (p->env->caller_saved >> hint & 1))
                hint = RA_PREG_NONE;
            RaPReg r = get_reg(p, limit_set(op), busy, hint, cross);
            if (r == RA_PREG_NONE) return out_of_regs(p);
            define(p, o, r);
        }
    return true;
}

static void free_dying(Pass *p, uint32_t vi, uint32_t pos) {
    RaCtx *c = p->c;
    OpVReg *v = &c->v.p[vi];
    if (v->last > pos) return;
    if (v->reg != RA_PREG_NONE) drop_reg(p, v->reg);
    if (v->slot != NONE && v->spilled != 2) {
        v->spilled = 2; /* returned */
        c->slots.p[v->slot].free_from = p->inst + 1;
        vec_push(c->mem, &c->free_slots, v->slot);
    }
}

static bool do_inst(Pass *p, uint32_t i, uint32_t *next_clobber) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    InstOps io = {.first = f->op_start[i], .end = f->op_start[i + 1]};
    p->inst = i;
    p->early = p->late = 0;
    while (*next_clobber < f->num_clobbers && f->clobbers[*next_clobber].inst == i)
        io.clobbers |= f->clobbers[(*next_clobber)++].regs;
    bool any_other_use = false, reuse = false;
    for (uint32_t o = io.first; o < io.end; o++) {
        const RaOperand *op = &f->ops[o];
        reuse |= op->constraint == RA_REUSE;
        if (op->constraint == RA_FIXED) {
            if (op->kind == RA_USE)
                io.fixed_uses |= ra_set(op->arg);
            else {
                io.fixed_defs |= ra_set(op->arg);
                if (op->pos == RA_EARLY) io.fixed_early_defs |= ra_set(op->arg);
            }
        } else
            any_other_use |= op->kind == RA_USE;
    }
    if (io.fixed_uses | io.fixed_defs | io.clobbers) do_fixed(p, &io);
    if (any_other_use) {
        /* registers already holding operands first, so that reloads do not evict them */
        for (uint32_t o = io.first; o < io.end; o++) {
            const RaOperand *op = &f->ops[o];
            OpVReg *v = &c->v.p[ra_vreg_index(op->vreg)];
            if (op->kind == RA_USE && op->constraint != RA_FIXED && v->reg != RA_PREG_NONE)
                p->early |= ra_set(v->reg);
        }
        for (uint32_t o = io.first; o < io.end; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_USE || op->constraint == RA_FIXED) continue;
            bool force = false;
            if (reuse)
                for (uint32_t k = io.first; k < io.end; k++)
                    force |= f->ops[k].constraint == RA_REUSE && io.first + f->ops[k].arg == o;
            if (!place_use(p, o, &io, force)) return false;
        }
    }
    /* values that die here free their registers for late definitions */
    for (uint32_t o = io.first; o < io.end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->kind == RA_USE && c->v.p[ra_vreg_index(op->vreg)].last <= 2 * i)
            free_dying(p, ra_vreg_index(op->vreg), 2 * i);
    }
    if (!do_defs(p, &io)) return false;
    for (uint32_t o = io.first; o < io.end; o++)
        if (f->ops[o].kind == RA_DEF) free_dying(p, ra_vreg_index(f->ops[o].vreg), 2 * i);
    return true;
}

/* ---- blocks ---- */
static OpState save_state(Pass *p, uint32_t from_pos) {
    RaCtx *c = p->c;
    OpState s = {c->state_words.n, 0};
    for (RaPRegSet o = c->occupied; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        if (c->v.p[c->owner[r]].last < from_pos) continue;
        vec_push(c->mem, &c->state_words, r);
        vec_push(c->mem, &c->state_words, c->owner[r]);
        s.n++;
    }
    return s;
}

static void clear_file(Pass *p) {
    RaCtx *c = p->c;
    for (RaPRegSet o = c->occupied; o; o &= o - 1) c->v.p[c->owner[u64_ctz(o)]].reg = RA_PREG_NONE;
    c->occupied = 0;
}

static void load_state(Pass *p, OpState s, uint32_t from_pos) {
    RaCtx *c = p->c;
    clear_file(p);
    for (uint32_t k = 0; k < s.n; k++) {
        uint32_t vi = c->state_words.p[s.first + 2 * k + 1];
        if (c->v.p[vi].last >= from_pos) set_reg(p, vi, (RaPReg)c->state_words.p[s.first + 2 * k]);
    }
}

static RaAlloc where(Pass *p, uint32_t vi) {
    OpVReg *v = &p->c->v.p[vi];
    if (v->reg != RA_PREG_NONE) return ra_alloc_reg(v->reg);
    return v->spilled ? ra_alloc_slot(v->slot) : RA_ALLOC_NONE;
}

/* The registers of the present state go to block b's first entry: choose places for its parameters, record. */
static void decide_entry(Pass *p, uint32_t b, uint32_t edge, uint32_t *arg_places) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    uint32_t pos = 2 * rb->inst_start;
    p->inst = rb->inst_start;
    uint32_t np = rb->param_end - rb->param_start;
    for (uint32_t k = 0; k < np; k++)
        arg_places[k] = where(p, ra_vreg_index(f->branch_args[f->edge_args[edge] + k]));
    for (RaPRegSet o = c->occupied; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        OpVReg *v = &c->v.p[c->owner[r]];
        bool dead = v->last < pos;
        bool idle = v->spilled && next_use(p, c->owner[r]) >
                                      v->last; /* only kept alive by a loop that does not use it */
        bool stress = c->stress && ra_random(c) % 8 == 0;
        if (stress && !dead) spill(p, c->owner[r]);
        if (dead || idle || stress) drop_reg(p, r);
    }
    for (uint32_t k = 0; k < np; k++) {
        RaVReg pv = f->params[rb->param_start + k];
        uint32_t vi = ra_vreg_index(pv);
        OpVReg *v = &c->v.p[vi];
        if (v->last == 0) continue; /* never used: no place */
        bool cross = crosses_call(p, v);
        RaPReg hint = ra_is_reg(arg_places[k]) ? ra_alloc_preg(arg_places[k]) : RA_PREG_NONE;
        if (cross && hint != RA_PREG_NONE && (p->env->caller_saved >> hint & 1))
            hint = RA_PREG_NONE;
        RaPRegSet free = p->env->allocatable & RA_CLASS_MASK(ra_vreg_class(pv)) & ~c->occupied;
        if (!free) { /* a value that the next code uses later than the parameter gives way */
            RaPReg far = RA_PREG_NONE;
            uint32_t mine = next_use(p, vi), best = mine;
            for (RaPRegSet o = c->occupied & RA_CLASS_MASK(ra_vreg_class(pv)) & p->env->allocatable;
                 o; o &= o - 1) {
                RaPReg r = (RaPReg)u64_ctz(o);
                uint32_t n = next_use(p, c->owner[r]);
                if (n > best && c->v.p[c->owner[r]].def_inst != rb->inst_start) best = n, far = r;
            }
            if (far != RA_PREG_NONE) {
                spill(p, c->owner[far]);
                drop_reg(p, far);
                free = ra_set(far);
            }
        }
        if (free) {
            RaPReg r = pick_free(p, free, hint, cross);
            v->def_reg = r;
            set_reg(p, vi, r);
        } else {
            v->spilled = 1; /* the edges fill the slot */
            take_slot(p, vi);
        }
    }
    c->entry.p[b] = save_state(p, pos);
}

/* Where block b expects parameter vi at entry. */
static RaAlloc param_place(Pass *p, uint32_t vi) {
    OpVReg *v = &p->c->v.p[vi];
    if (v->def_reg != RA_PREG_NONE) return ra_alloc_reg(v->def_reg);
    return v->slot != NONE ? ra_alloc_slot(v->slot) : RA_ALLOC_NONE;
}

/* Moves along an edge into a decided block, from the present state. */
static void conform(Pass *p, uint32_t b, uint32_t edge, uint32_t point,
                    const uint32_t *arg_places) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    uint32_t np = rb->param_end - rb->param_start;
    for (uint32_t k = 0; k < np; k++) {
        RaVReg pv = f->params[rb->param_start + k];
        RaAlloc to = param_place(p, ra_vreg_index(pv));
        RaAlloc from = arg_places ? arg_places[k]
                                  : where(p, ra_vreg_index(f->branch_args[f->edge_args[edge] + k]));
        if (to != RA_ALLOC_NONE) plan_move(p, from, to, pv);
    }
    OpState s = c->entry.p[b];
    for (uint32_t k = 0; k < s.n && !arg_places; k++) {
        RaPReg r = (RaPReg)c->state_words.p[s.first + 2 * k];
        uint32_t vi = c->state_words.p[s.first + 2 * k + 1];
        if (c->v.p[vi].is_param && c->def_block.p[vi] == b) continue;
        RaAlloc from = where(p, vi);
        if (from != RA_ALLOC_NONE) plan_move(p, from, ra_alloc_reg(r), vreg_of(p, vi, r));
    }
    uint32_t before = c->edits.n;
    flush_moves(p, point);
    p->st.edge_moves += c->edits.n - before;
}

static bool do_block(Pass *p, uint32_t b, uint32_t *next_clobber) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    Mem *m = c->mem;
    uint32_t np = rb->param_end - rb->param_start;
    if (b == 0) {
        clear_file(p);
    } else if (c->entry.p[b].first == NONE) {
        /* the only predecessor has several successors: moves go here, at the start */
        if (rb->pred_end - rb->pred_start != 1 || f->preds[rb->pred_start] >= b)
            return diag_msg(p->d, DIAG_INVALID,
                            "register allocation: block %u precedes its predecessors", b);
        uint32_t pb = f->preds[rb->pred_start], edge = f->blocks[pb].succ_start;
        while (f->succs[edge] != b) edge++;
        load_state(p, c->exit.p[pb], 0);
        vec_clear(&c->counts);
        uint32_t *places = vec_extend(m, &c->counts, np + 1);
        decide_entry(p, b, edge, places);
        conform(p, b, edge, 2 * rb->inst_start, places);
    }
    load_state(p, c->entry.p[b].first == NONE ? (OpState){0, 0} : c->entry.p[b], 0);
    vec_push(m, &c->entry_edits, c->edits.n);
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++)
        if (!do_inst(p, i, next_clobber)) return false;
    uint32_t ns = rb->succ_end - rb->succ_start;
    p->inst = rb->inst_end;
    if (ns == 1) {
        uint32_t s = f->succs[rb->succ_start], e = rb->succ_start, point = 2 * (rb->inst_end - 1);
        if (c->entry.p[s].first == NONE) {
            uint32_t k = f->blocks[s].param_end - f->blocks[s].param_start;
            vec_clear(&c->counts);
            uint32_t *places = vec_extend(m, &c->counts, k + 1);
            decide_entry(p, s, e, places);
            conform(p, s, e, point, places);
        } else
            conform(p, s, e, point, NULL);
    } else if (ns > 1)
        c->exit.p[b] = save_state(p, 0);
    return true;
}

/* Edits up to this index bring the parameter that `store` saves into its register. */
static uint32_t entry_boundary(Pass *p, const RaEdit *store) {
    uint32_t vi = ra_vreg_index(store->vreg);
    return p->c->v.p[vi].is_param ? p->c->entry_edits.p[p->c->def_block.p[vi]] : UINT32_MAX;
}

/* Merges the definition stores into the ordered edits. At one point: edge moves into the block come first (they were
 * added first), then stores of its parameters, then the rest; a store after a definition stands alone at its point. */
static void merge_stores(Pass *p) {
    RaCtx *c = p->c;
    Mem *m = c->mem;
    uint32_t n = 2 * p->f->num_insts + 2;
    vec_clear(&c->counts);
    vec_resize0(m, &c->counts, n + 1);
    for (uint32_t i = 0; i < c->stores.n; i++) c->counts.p[c->stores.p[i].point + 1]++;
    for (uint32_t i = 0; i < n; i++) c->counts.p[i + 1] += c->counts.p[i];
    vec_clear(&c->sorted);
    RaEdit *st = vec_extend(m, &c->sorted, c->stores.n);
    for (uint32_t i = 0; i < c->stores.n; i++)
        st[c->counts.p[c->stores.p[i].point]++] = c->stores.p[i];
    uint32_t ne = c->edits.n, ns = c->stores.n;
    vec_clear(&c->stores);
    RaEdit *out = vec_extend(m, &c->stores, ne + ns);
    uint32_t i = 0, j = 0, k = 0;
    while (i < ne || j < ns) {
        bool take_edit =
            j == ns ||
            (i < ne && (c->edits.p[i].point < st[j].point ||
                        (c->edits.p[i].point == st[j].point && i < entry_boundary(p, &st[j]))));
        out[k++] = take_edit ? c->edits.p[i++] : st[j++];
    }
    c->stores.n = k;
}

bool ra_onepass(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    Mem *m = c->mem;
    Pass p = {.c = c, .f = f, .env = env, .d = d};
    if (env->scratch[RA_INT] == RA_PREG_NONE || env->scratch[RA_FLOAT] == RA_PREG_NONE)
        return diag_msg(d, DIAG_LIMIT,
                        "the one-pass allocator needs a scratch register in each class");
    vec_clear(&c->slots);
    vec_clear(&c->free_slots);
    vec_push(m, &c->slots, (OpSlot){UINT32_MAX, 2}); /* the spare one, for cycles */
    vec_push(m, &c->slots, (OpSlot){UINT32_MAX, 0});
    vec_clear(&c->edits);
    vec_clear(&c->stores);
    vec_clear(&c->entry_edits);
    vec_clear(&c->moves);
    vec_clear(&c->state_words);
    c->occupied = 0;
    prepare(&p);
    vec_clear(&c->allocs);
    (void)vec_extend(m, &c->allocs, f->op_start[f->num_insts] + 1);
    vec_clear(&c->entry);
    OpState *entry = vec_extend(m, &c->entry, f->num_blocks);
    vec_clear(&c->exit);
    OpState *ex = vec_extend(m, &c->exit, f->num_blocks);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        entry[b] = (OpState){NONE, 0};
        ex[b] = (OpState){0, 0};
    }
    uint32_t next_clobber = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!do_block(&p, b, &next_clobber) || p.failed) return false;
    merge_stores(&p);
    RaPRegSet written = 0;
    bool incoming = f->num_insts && (f->inst_flags[0] & RA_INST_ENTRY);
    for (uint32_t o = f->op_start[incoming]; o < f->op_start[f->num_insts]; o++)
        if (f->ops[o].kind == RA_DEF && ra_is_reg(c->allocs.p[o]))
            written |= ra_set(ra_alloc_preg(c->allocs.p[o]));
    for (uint32_t i = 0; i < c->stores.n; i++)
        if (ra_is_reg(c->stores.p[i].to)) written |= ra_set(ra_alloc_preg(c->stores.p[i].to));
    *out = (RaOutput){.allocs = c->allocs.p,
                      .edits = c->stores.p,
                      .num_edits = c->stores.n,
                      .num_slots = c->slots.n,
                      .written = written,
                      .stats = p.st};
    return true;
}
