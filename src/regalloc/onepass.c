/* regalloc/onepass.c — the one-pass allocator: one forward scan over the blocks with a register file.
 *
 * Problem   Allocate in linear time with small constants, yet keep values in registers across blocks and around loops.
 * Idea      A backward pass over the operands threads the uses of each vreg (`next`), finds its last position and a
 *           register it should get (hint). The forward scan then keeps register -> vreg. A block starts with the
 *           registers of the predecessor it was first reached from, minus what is dead or not worth a register there;
 *           every other edge into it moves values to where that block expects them (parallel moves at the end of
 *           the predecessor). When registers run out, the value with the farthest next use gives way.
 * Spilling  SSA: a value that ever loses its register gets one store right after its definition, so its slot is
 *           valid wherever the value is; eviction itself costs nothing. A reload makes it live in a register again.
 * Liveness  `last` is an over-approximation along the block order: a use inside a loop of a value from outside counts
 *           until the end of the outermost such loop, where loop means the blocks from a back edge's target to
 *           its source, extended so that loops nest. On an edge whose source has neither the register copy nor a
 *           slot of a value which the target's state names, the value is not truly live (SSA: a live value is defined
 *           on every path), so nothing is moved.
 * Hints     The last use of a value decides: a fixed operand, what the result that reuses its register should get,
 *           the parameter it is passed to. The backward pass sees them in the right order to hand them on.
 * Loops     At the header only what the loop uses, or what it has room for, stays in registers; if it makes calls, only
 *           what survives them. What a header expects costs a reload on each back edge once it is lost.
 * Invariants 1. owner[p] = v  <=>  v.reg = p.  2. v.spilled => v.slot is set and a store (or parameter move) fills it.
 *           3. A live value is in a register or spilled.  4. Entry states name a value at most once.
 * Cost      O(operands + blocks * registers); an eviction looks at the registers of one class.
 * Memory    32 bytes per vreg, 4 per operand and branch argument, 1 per instruction, 32 per block, at most
 *           4 * registers per block for states, 16 per inserted move; kept in the context for the next function.
 * Ref       regalloc2's fastalloc for the interface; V8's Liftoff and TPDE (Schwarz et al. 2025) for forward states;
 *           Belady 1966 for the victim.
 * requires: SSA input as regalloc.h says, each block after some predecessor */
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

/* OpVReg.hint: nothing, a register, or what that vreg has (a block parameter) */
#define HINT_NONE 0u
#define HINT_REG 0x40000000u
#define HINT_VREG 0x80000000u
#define HINT_ARG(h) ((h)&0x3FFFFFFFu)

enum { KIND_SIMPLE, KIND_REUSE, KIND_HARD, KIND_EMPTY };
/* Chosen by the weighted cost of inserted moves over real modules (docs/regalloc.md); distances in positions. */
enum {
    LOOP_MAX_WALK = 64, /* deeper nests count as live to the end of the outermost loop */
    SLOT_TRIES = 8,     /* free slots looked at before a new one is made */
    LOOP_SMALL =
        24, /* instructions: a loop past which values may stay in registers without being used in it */
    LOOP_FAR =
        128, /* a value used so far down a loop does not hold a scarce register at its head */
    JOIN_FAR =
        8 /* a spilled value used so far below a join that some calls lead to is reloaded there */
};

#define SPARE_SLOTS 4 /* reserved first, for cycles; a function that needs no slot has none */

typedef struct Pass {
    RaCtx *c;
    const RaFunc *f;
    const RaEnv *env;
    Diag *d;
    OpVReg *v;
    RaAlloc *allocs;
    uint32_t inst; /* being allocated */
    uint32_t calls_left;
    uint32_t next_clobber;
    uint32_t in_file; /* the file is this block's entry state */
    RaPRegSet occupied, written;
    RaPRegSet early, late; /* hard instructions: registers taken in each half */
    RaStats st;
    uint32_t spare_slot; /* the first of the reserved ones: two times two units */
    bool spare_used;
    uint32_t owner[64];
    bool reuse_input[256];
} Pass;

/* ---- preparation ---- */
static void find_loops(Pass *p) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    Mem *m = c->mem;
    vec_clear(&c->loops);
    vec_clear(&c->loop_of);
    vec_clear(&c->pred_edge);
    uint32_t *pred_edge = vec_extend(m, &c->pred_edge, f->num_blocks);
    uint32_t *last = vec_extend(m, &c->loop_of, f->num_blocks); /* first: a header's last latch */
    memset(last, 0xFF, f->num_blocks * sizeof *last);
    bool any = false;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++) {
            uint32_t s = f->succs[e];
            pred_edge[s] = e;
            if (s <= b) {
                last[s] = b; /* b ascends */
                any = true;
            }
        }
    if (!any) return;
    /* Make the intervals nest: one that ends after its outer one extends it. The innermost is on top of the stack, so
     * that an outer one need not know before the inner one is left. */
    vec_clear(&c->loop_stack);
    for (uint32_t b = 0; b <= f->num_blocks; b++) {
        while (c->loop_stack.n) {
            const OpLoop *l = &c->loops.p[vec_last(&c->loop_stack)];
            if (b < f->num_blocks && l->last_block >= b) break;
            c->loop_stack.n--;
            if (l->parent != NONE && c->loops.p[l->parent].last_block < l->last_block)
                c->loops.p[l->parent].last_block = l->last_block;
        }
        if (b == f->num_blocks) break;
        if (last[b] != NONE) {
            uint32_t up = c->loop_stack.n ? vec_last(&c->loop_stack) : NONE, self = c->loops.n;
            vec_push(m, &c->loops,
                     (OpLoop){b, last[b], up, up == NONE ? self : c->loops.p[up].root});
            vec_push(m, &c->loop_stack, self);
        }
        last[b] = c->loop_stack.n ? vec_last(&c->loop_stack) : NONE;
    }
}

/* Position just after the last block of loop l. */
static uint32_t loop_end(const Pass *p, uint32_t l) {
    return 2 * p->f->blocks[p->c->loops.p[l].last_block].inst_end - 1;
}

/* The definition of v in block b was reached: its life lasts until the end of the outermost loop that its last use is
 * in and it is not. (Another use's loop that ends later contains the last use too.) */
static void close_life(Pass *p, OpVReg *v, uint32_t b) {
    RaCtx *c = p->c;
    uint32_t use_block = v->slot;
    v->def_block = b;
    v->slot = NONE;
    if (use_block == b || v->last == 0 || c->loops.n == 0) return;
    uint32_t out = NONE, steps = 0;
    for (uint32_t l = c->loop_of.p[use_block]; l != NONE && c->loops.p[l].header > b;
         l = c->loops.p[l].parent) {
        out = l;
        if (++steps == LOOP_MAX_WALK) {
            out = c->loops.p[l].root; /* at least as far */
            break;
        }
    }
    if (out == NONE) return;
    v->last = loop_end(p, out);
    v->calls_last = c->block_calls.p[c->loops.p[out].last_block];
}

static void see_use(OpVReg *v, uint32_t pos, uint32_t block, uint32_t calls) {
    if (v->last == 0) {
        v->last = pos;
        v->slot = block;
        v->calls_last = calls;
    }
    v->next = pos;
}

/* Operands of instruction i, last to first. */
static uint8_t see_inst(Pass *p, uint32_t i, uint32_t b, uint32_t calls_after, bool call) {
    const RaFunc *f = p->f;
    uint32_t first = f->op_start[i];
    uint8_t kind = KIND_SIMPLE;
    if (first == f->op_start[i + 1]) return KIND_EMPTY;
    for (uint32_t o = f->op_start[i + 1]; o-- > first;) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_FIXED_NONALLOC) {
            kind = KIND_HARD;
            continue;
        }
        OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
        if (op->kind == RA_USE) {
            p->allocs[o] = v->next;
            if (op->constraint == RA_FIXED && v->hint == HINT_NONE) v->hint = HINT_REG | op->arg;
            see_use(v, 2 * i, b, calls_after + call);
            if (op->constraint > RA_REG || op->pos == RA_LATE) kind = KIND_HARD;
        } else {
            v->def_inst = i;
            v->is_float = ra_vreg_class(op->vreg);
            close_life(p, v, b);
            if (op->constraint == RA_REUSE && op->pos == RA_LATE && kind == KIND_SIMPLE)
                kind = KIND_REUSE;
            else if (op->constraint > RA_REG || op->pos == RA_EARLY)
                kind = KIND_HARD;
        }
    }
    return kind;
}

/* The input of a reuse or move should get what the result should get, if it dies here. */
static void hand_on_hint(Pass *p, uint32_t def, uint32_t use) {
    const RaOperand *d = &p->f->ops[def], *u = &p->f->ops[use];
    OpVReg *v = &p->v[ra_vreg_index(u->vreg)];
    if (v->last != 2 * p->inst || u->constraint == RA_FIXED) return;
    uint32_t h = p->v[ra_vreg_index(d->vreg)].hint;
    if (d->constraint == RA_FIXED) h = HINT_REG | d->arg;
    if (h != HINT_NONE) v->hint = h;
}

static void see_edges(Pass *p, uint32_t b, uint32_t calls_after) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    uint32_t pos = 2 * rb->inst_end - 1;
    for (uint32_t e = rb->succ_end; e-- > rb->succ_start;) {
        const RaBlock *t = &f->blocks[f->succs[e]];
        uint32_t a0 = f->edge_args[e];
        for (uint32_t k = f->edge_args[e + 1]; k-- > a0;) {
            OpVReg *v = &p->v[ra_vreg_index(f->branch_args[k])];
            if (v->hint == HINT_NONE)
                v->hint = HINT_VREG | ra_vreg_index(f->params[t->param_start + (k - a0)]);
            c->edge_next.p[k] = v->next;
            see_use(v, pos, b, calls_after);
        }
    }
}

static void prepare(Pass *p) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    Mem *m = c->mem;
    vec_clear(&c->v);
    OpVReg *v = p->v = vec_extend(m, &c->v, f->num_vregs);
    for (uint32_t i = 0; i < f->num_vregs; i++)
        v[i] = (OpVReg){.next = NONE,
                        .slot = NONE,
                        .reg = RA_PREG_NONE,
                        .def_reg = RA_PREG_NONE,
                        .last_reg = RA_PREG_NONE,
                        .size = f->vreg_slots ? f->vreg_slots[i] : 1};
    vec_clear(&c->allocs);
    p->allocs = vec_extend(m, &c->allocs, f->op_start[f->num_insts] + 1);
    vec_clear(&c->edge_next);
    (void)vec_extend(m, &c->edge_next, f->edge_args[f->blocks[f->num_blocks - 1].succ_end] + 1);
    vec_clear(&c->inst_kind);
    uint8_t *kind = vec_extend(m, &c->inst_kind, f->num_insts);
    vec_clear(&c->block_calls);
    uint32_t *block_calls = vec_extend(m, &c->block_calls, f->num_blocks);
    find_loops(p);
    uint32_t calls = 0, cl = f->num_clobbers;
    for (uint32_t b = f->num_blocks; b-- > 0;) {
        const RaBlock *rb = &f->blocks[b];
        block_calls[b] = calls;
        see_edges(p, b, calls);
        for (uint32_t i = rb->inst_end; i-- > rb->inst_start;) {
            bool call = f->inst_flags[i] & RA_INST_CALL;
            kind[i] = see_inst(p, i, b, calls, call);
            p->inst = i;
            if (kind[i] != KIND_EMPTY) {
                uint32_t first = f->op_start[i];
                if (f->inst_flags[i] & RA_INST_MOVE)
                    hand_on_hint(p, first, first + 1);
                else if (kind[i] != KIND_SIMPLE)
                    for (uint32_t o = first; o < f->op_start[i + 1]; o++)
                        if (f->ops[o].constraint == RA_REUSE)
                            hand_on_hint(p, o, first + f->ops[o].arg);
            }
            while (cl > 0 && f->clobbers[cl - 1].inst >= i) {
                cl--;
                kind[i] = KIND_HARD;
            }
            calls += call;
        }
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            OpVReg *pv = &v[ra_vreg_index(f->params[k])];
            pv->def_inst = rb->inst_start;
            pv->is_param = 1;
            pv->is_float = ra_vreg_class(f->params[k]);
            close_life(p, pv, b);
        }
    }
    p->calls_left = calls;
}

/* ---- slots ---- */
static uint32_t take_slot(Pass *p, OpVReg *v) {
    RaCtx *c = p->c;
    if (v->slot != NONE) return v->slot;
    uint32_t tries = SLOT_TRIES;
    for (uint32_t k = c->free_slots.n; k-- > 0 && tries--;) { /* the latest freed first; bounded */
        uint32_t s = c->free_slots.p[k];
        if (c->slots.p[s].size != v->size || c->slots.p[s].free_from > v->def_inst) continue;
        uint32_t top = vec_pop(&c->free_slots);
        if (top != s) c->free_slots.p[k] = top;
        return v->slot = s;
    }
    uint32_t s = c->slots.n;
    vec_push(c->mem, &c->slots, (OpSlot){0, v->size});
    for (uint8_t k = 1; k < v->size; k++)
        vec_push(c->mem, &c->slots, (OpSlot){0, 0}); /* the rest of a wide slot */
    return v->slot = s;
}

/* v is dead from instruction `from` on. */
static void give_slot_back(Pass *p, OpVReg *v, uint32_t from) {
    if (v->slot == NONE || v->slot_back) return;
    v->slot_back = 1;
    p->c->slots.p[v->slot].free_from = from;
    vec_push(p->c->mem, &p->c->free_slots, v->slot);
}

static RaVReg vreg_of(const Pass *p, const OpVReg *v) {
    return ra_vreg((uint32_t)(v - p->v), v->is_float);
}

/* The value must be in its slot: one store after its definition. */
static void spill(Pass *p, OpVReg *v) {
    if (v->spilled) return;
    v->spilled = 1;
    RaAlloc slot = ra_alloc_slot(take_slot(p, v));
    if (v->def_reg == RA_PREG_NONE) return;
    vec_push(p->c->mem, &p->c->stores,
             (RaEdit){v->is_param ? 2 * v->def_inst : 2 * v->def_inst + 1, ra_alloc_reg(v->def_reg),
                      slot, vreg_of(p, v)});
    p->st.spills++;
}

/* ---- the register file ---- */
static void set_reg(Pass *p, OpVReg *v, RaPReg r) {
    v->reg = v->last_reg = r;
    p->owner[r] = (uint32_t)(v - p->v);
    p->occupied |= ra_set(r);
}

static void drop_reg(Pass *p, RaPReg r) {
    p->v[p->owner[r]].reg = RA_PREG_NONE;
    p->occupied &= ~ra_set(r);
}

/* Distance of the value's next use; one that only comes around a loop is a little farther than the loop's end. */
static uint32_t next_use(const OpVReg *v) {
    return v->next != NONE ? v->next : v->last + 64;
}

static bool crosses_call(const Pass *p, const OpVReg *v) {
    return p->calls_left > v->calls_last;
}

static RaPRegSet allowed_set(const Pass *p, const RaOperand *op) {
    RaPRegSet m = p->env->allocatable & RA_CLASS_MASK(ra_vreg_class(op->vreg));
    if (op->constraint == RA_LIMIT) m &= (((RaPRegSet)1 << op->arg) - 1) * 0x100000001ull;
    return m;
}

/* The register that v should get, RA_PREG_NONE if nothing is known or v crosses a call that destroys it. */
static RaPReg hint_of(const Pass *p, const OpVReg *v, bool cross) {
    RaPReg r = RA_PREG_NONE;
    uint32_t h = v->hint;
    for (int k = 0; k < 4 && (h & HINT_VREG); k++) {
        const OpVReg *t = &p->v[HINT_ARG(h)];
        if (t->def_reg != RA_PREG_NONE) {
            r = t->def_reg;
            break;
        }
        h = t->hint;
    }
    if (r == RA_PREG_NONE && (h & HINT_REG)) r = (RaPReg)HINT_ARG(h);
    if (cross && r != RA_PREG_NONE && (p->env->caller_saved >> r & 1)) return RA_PREG_NONE;
    return r;
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

/* The register of `from` whose value is used farthest away; one that is spilled already costs less. */
static RaPReg farthest(Pass *p, RaPRegSet from, uint32_t *distance) {
    RaPReg best = RA_PREG_NONE;
    uint64_t best_score = 0;
    for (; from; from &= from - 1) {
        RaPReg r = (RaPReg)u64_ctz(from);
        const OpVReg *v = &p->v[p->owner[r]];
        uint32_t n = next_use(v), at = 2 * p->inst;
        uint64_t score = (uint64_t)(n > at ? n - at : 0) * 2 + 1;
        if (v->spilled) score *= 2;
        if (p->c->stress) score = ra_random(p->c) % 1000 + 1;
        if (score > best_score) best_score = score, best = r, *distance = n;
    }
    return best;
}

/* A register from `allowed` that is not in `busy`; evicts the value used farthest away. RA_PREG_NONE: impossible. */
static RaPReg get_reg(Pass *p, RaPRegSet allowed, RaPRegSet busy, RaPReg hint, bool callee_saved) {
    RaCtx *c = p->c;
    allowed &= p->env->allocatable & ~busy;
    RaPRegSet free = allowed & ~p->occupied;
    if (free && !(c->stress && (allowed & p->occupied) && ra_random(c) % 8 == 0))
        return pick_free(p, free, hint, callee_saved);
    uint32_t distance;
    RaPReg best = farthest(p, allowed & p->occupied, &distance);
    if (best == RA_PREG_NONE) return best;
    spill(p, &p->v[p->owner[best]]);
    drop_reg(p, best);
    p->st.evictions++;
    return best;
}

static void add_edit(Pass *p, uint32_t point, RaAlloc from, RaAlloc to, RaVReg v) {
    vec_push(p->c->mem, &p->c->edits, (RaEdit){point, from, to, v});
    if (ra_is_reg(to))
        p->written |= ra_set(ra_alloc_preg(to));
    else if (ra_alloc_slot_index(to) < SPARE_SLOTS)
        p->spare_used = true;
}

static void plan_move(Pass *p, RaAlloc from, RaAlloc to, RaVReg v) {
    if (from != to) vec_push(p->c->mem, &p->c->moves, (RaMove){from, to, v});
}

/* The planned moves, at `point`. in_use: registers that must keep their content beside those that the moves name. */
static void flush_moves(Pass *p, uint32_t point, RaPRegSet in_use) {
    RaCtx *c = p->c;
    uint32_t n = c->moves.n;
    if (n == 0) return;
    RaSpare sp = {.cycle_slot = p->spare_slot, .save_slot = p->spare_slot + 2};
    for (uint32_t k = 0; k < RA_NUM_CLASSES; k++) {
        sp.scratch[k] = p->env->scratch[k];
        if (sp.scratch[k] != RA_PREG_NONE) continue;
        RaPRegSet all = p->env->allocatable & RA_CLASS_MASK(k), free = all & ~in_use;
        for (uint32_t i = 0; i < n; i++) {
            if (ra_is_reg(c->moves.p[i].from)) free &= ~ra_set(ra_alloc_preg(c->moves.p[i].from));
            if (ra_is_reg(c->moves.p[i].to)) free &= ~ra_set(ra_alloc_preg(c->moves.p[i].to));
        }
        if (free)
            sp.scratch[k] = (RaPReg)u64_ctz(free);
        else
            sp.victim[k] = (RaPReg)u64_ctz(all);
    }
    vec_clear(&c->ordered);
    ra_parallel_move(c, c->moves.p, n, &sp, c->slots.n, &c->ordered);
    for (uint32_t i = 0; i < c->ordered.n; i++)
        add_edit(p, point, c->ordered.p[i].from, c->ordered.p[i].to, c->ordered.p[i].vreg);
    vec_clear(&c->moves);
}

static bool out_of_regs(Pass *p) {
    return diag_msg(p->d, DIAG_LIMIT,
                    "register allocation: not enough registers for instruction %u", p->inst);
}

/* The place from which a value can be read now. */
static RaAlloc where(const OpVReg *v) {
    if (v->reg != RA_PREG_NONE) return ra_alloc_reg(v->reg);
    return v->spilled ? ra_alloc_slot(v->slot) : RA_ALLOC_NONE;
}

/* ---- what all instructions share ---- */
static void free_dying(Pass *p, OpVReg *v) {
    if (v->last > 2 * p->inst) return;
    if (v->reg != RA_PREG_NONE) drop_reg(p, v->reg);
    give_slot_back(p, v, p->inst + 1);
}

static void define(Pass *p, uint32_t o, OpVReg *v, RaPReg r) {
    p->allocs[o] = ra_alloc_reg(r);
    v->def_reg = r;
    set_reg(p, v, r);
    if (!(p->f->inst_flags[p->inst] & RA_INST_ENTRY)) p->written |= ra_set(r);
}

static void define_in_slot(Pass *p, uint32_t o, OpVReg *v) {
    v->spilled = 1;
    p->allocs[o] = ra_alloc_slot(take_slot(p, v));
}

/* A definition without a fixed or reused register; `busy` holds what else is written or read late. */
static bool place_def(Pass *p, uint32_t o, RaPRegSet busy) {
    const RaOperand *op = &p->f->ops[o];
    OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
    bool cross = crosses_call(p, v);
    RaPReg hint = RA_PREG_NONE;
    if (p->f->inst_flags[p->inst] & RA_INST_MOVE) {
        RaAlloc src = p->allocs[o + 1];
        if (ra_is_reg(src) && !(p->occupied >> ra_alloc_preg(src) & 1)) hint = ra_alloc_preg(src);
    }
    if (hint == RA_PREG_NONE || (cross && (p->env->caller_saved >> hint & 1)))
        hint = hint_of(p, v, cross);
    RaPReg r = get_reg(p, allowed_set(p, op), busy, hint, cross);
    if (r != RA_PREG_NONE)
        define(p, o, v, r);
    else if (op->constraint == RA_ANY)
        define_in_slot(p, o, v);
    else
        return out_of_regs(p);
    return true;
}

static bool do_hard(Pass *p, uint32_t i, bool advance);

/* ---- simple instructions: early uses and late definitions anywhere or in any register, perhaps one reuse ---- */
static RaPReg load_use(Pass *p, OpVReg *v, RaPRegSet cls, RaPRegSet busy) {
    bool cross = v->last > 2 * p->inst && crosses_call(p, v);
    RaPReg hint = hint_of(p, v, cross);
    if (hint == RA_PREG_NONE) hint = v->last_reg;
    RaPReg r = get_reg(p, cls, busy, hint, cross);
    if (r == RA_PREG_NONE) return r;
    COT_DASSERT(v->spilled);
    add_edit(p, 2 * p->inst, ra_alloc_slot(v->slot), ra_alloc_reg(r), vreg_of(p, v));
    p->st.reloads++;
    set_reg(p, v, r);
    return r;
}

/* The result takes its input's register: at once if the input dies here, otherwise a copy's. False: no register. */
static bool simple_reuse(Pass *p, uint32_t def, uint32_t use, RaPRegSet *early) {
    const RaOperand *d = &p->f->ops[def];
    OpVReg *dv = &p->v[ra_vreg_index(d->vreg)], *uv = &p->v[ra_vreg_index(p->f->ops[use].vreg)];
    RaPRegSet cls = RA_CLASS_MASK(ra_vreg_class(d->vreg));
    bool cross = crosses_call(p, dv);
    RaPReg hint = hint_of(p, dv, cross), r = uv->reg;
    if (uv->last > 2 * p->inst) {
        RaPRegSet free = p->env->allocatable & cls & ~p->occupied & ~*early;
        uint32_t other = 0;
        if (!free && r != RA_PREG_NONE) { /* who is used later, the input or somebody else? */
            RaPReg far = farthest(p, p->env->allocatable & cls & p->occupied & ~*early, &other);
            if (far == RA_PREG_NONE || other <= next_use(uv)) {
                spill(p, uv);
                drop_reg(p, r);
                p->st.evictions++;
                p->allocs[use] = ra_alloc_reg(r);
                define(p, def, dv, r);
                return true;
            }
        }
        RaPReg to = get_reg(p, cls, *early, hint, cross);
        if (to == RA_PREG_NONE) return false;
        add_edit(p, 2 * p->inst, where(uv), ra_alloc_reg(to), vreg_of(p, uv));
        p->st.moves++;
        r = to;
    } else {
        if (r == RA_PREG_NONE) {
            r = get_reg(p, cls, *early, hint, cross);
            if (r == RA_PREG_NONE) return false;
            add_edit(p, 2 * p->inst, where(uv), ra_alloc_reg(r), vreg_of(p, uv));
            p->st.reloads++;
        } else
            drop_reg(p, r);
    }
    *early |= ra_set(r);
    p->allocs[use] = ra_alloc_reg(r);
    define(p, def, dv, r);
    return true;
}

static bool do_simple(Pass *p, uint32_t i, bool reuse) {
    const RaFunc *f = p->f;
    const RaOperand *ops = f->ops;
    OpVReg *V = p->v;
    RaAlloc *allocs = p->allocs;
    const uint32_t first = f->op_start[i], end = f->op_start[i + 1];
    RaPRegSet early = 0;
    bool missing = false;
    uint32_t def_reuse = NONE, use_reuse = NONE;
    if (reuse)
        for (uint32_t o = first; o < end; o++)
            if (ops[o].constraint == RA_REUSE) def_reuse = o, use_reuse = first + ops[o].arg;
    for (uint32_t o = first; o < end; o++) {
        if (ops[o].kind != RA_USE) continue;
        OpVReg *v = &V[ra_vreg_index(ops[o].vreg)];
        v->next = allocs[o];
        if (v->reg != RA_PREG_NONE) {
            allocs[o] = ra_alloc_reg(v->reg);
            early |= ra_set(v->reg);
        } else {
            allocs[o] = RA_ALLOC_NONE;
            missing |= o != use_reuse;
        }
    }
    if (missing)
        for (uint32_t o = first; o < end; o++) {
            if (ops[o].kind != RA_USE || allocs[o] != RA_ALLOC_NONE || o == use_reuse) continue;
            OpVReg *v = &V[ra_vreg_index(ops[o].vreg)];
            RaPRegSet cls = RA_CLASS_MASK(ra_vreg_class(ops[o].vreg));
            if (v->reg == RA_PREG_NONE) {
                if (ops[o].constraint == RA_ANY &&
                    (v->last <= 2 * i || !(p->env->allocatable & cls & ~p->occupied & ~early))) {
                    allocs[o] = ra_alloc_slot(v->slot);
                    continue;
                }
                RaPReg r = load_use(p, v, cls, early);
                if (r == RA_PREG_NONE) return do_hard(p, i, false); /* one must go to its slot */
                early |= ra_set(r);
            }
            allocs[o] = ra_alloc_reg(v->reg);
        }
    RaPRegSet busy = 0;
    if (reuse) {
        if (!simple_reuse(p, def_reuse, use_reuse, &early)) return do_hard(p, i, false);
        busy = ra_set(ra_alloc_preg(allocs[def_reuse]));
    }
    for (uint32_t o = first; o < end; o++)
        if (ops[o].kind == RA_USE) free_dying(p, &V[ra_vreg_index(ops[o].vreg)]);
    bool any = false;
    for (uint32_t o = first; o < end; o++)
        if (ops[o].kind == RA_DEF && o != def_reuse) {
            if (ops[o].constraint == RA_ANY) {
                any = true; /* after those that must have a register */
                continue;
            }
            if (!place_def(p, o, busy)) return false;
            busy |= ra_set(ra_alloc_preg(allocs[o]));
        }
    for (uint32_t o = first; any && o < end; o++)
        if (ops[o].kind == RA_DEF && ops[o].constraint == RA_ANY) {
            (void)place_def(p, o, busy);
            if (ra_is_reg(allocs[o])) busy |= ra_set(ra_alloc_preg(allocs[o]));
        }
    for (uint32_t o = first; o < end; o++)
        if (ops[o].kind == RA_DEF) free_dying(p, &V[ra_vreg_index(ops[o].vreg)]);
    return true;
}

/* ---- hard instructions: everything else ----
 * 1. Each use, and each early definition, gets a register for the early half: fixed ones, then values that may stay
 *    where they are, then the rest by choice. If that fails because values stay in the way, nothing stays.
 * 2. Values in registers that others take or that are overwritten lose them and get another, or their slot.
 * 3. One parallel move does it all. 4. Late definitions as for simple instructions. */
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

static void hard_take(Pass *p, Hard *h, uint32_t o, RaPReg r) {
    const RaOperand *op = &p->f->ops[o];
    bool def = op->kind == RA_DEF, reuse = p->reuse_input[o - h->first];
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
        hard_take(p, h, o, pick_free(p, free, lives ? RA_PREG_NONE : hint_of(p, v, cross), cross));
        return true;
    }
    if (op->constraint == RA_ANY && !p->reuse_input[o - h->first])
        return false; /* a slot will do */
    uint32_t distance;
    RaPReg r = farthest(p, cand & p->occupied, &distance);
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
        bool both = !use || op->pos == RA_LATE || p->reuse_input[o - h->first];
        if (op->constraint == RA_STACK ||
            (op->constraint == RA_ANY && both && !p->reuse_input[o - h->first])) {
            /* late definitions may need all registers, so that what could be elsewhere must not have one */
            if (use) {
                spill(p, v);
                p->allocs[o] = ra_alloc_slot(v->slot);
            } else
                define_in_slot(p, o, v);
            continue;
        }
        RaPReg r = v->reg;
        if (use && keep && r != RA_PREG_NONE && (allowed_set(p, op) >> r & 1) &&
            (!(p->early >> r & 1) || h->holder[r] == ra_vreg_index(op->vreg)) &&
            !(both && (p->late >> r & 1))) {
            hard_take(p, h, o, r);
        } else if (use && op->constraint == RA_ANY && r == RA_PREG_NONE &&
                   !p->reuse_input[o - h->first] && v->last <= 2 * p->inst) {
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
                bool reuse = p->reuse_input[o - h->first];
                if ((!use || op->pos == RA_LATE || reuse) != both) continue;
                if (hard_choose(p, h, o, both)) continue;
                if (op->constraint != RA_ANY || reuse) return false;
                OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
                spill(p, v);
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
        p->st.reloads += v->reg == RA_PREG_NONE;
        p->st.moves += v->reg != RA_PREG_NONE;
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
            RaPReg to = pick_free(p, free, RA_PREG_NONE, cross);
            plan_move(p, ra_alloc_reg(r), ra_alloc_reg(to), vreg_of(p, v));
            set_reg(p, v, to);
            p->st.moves++;
        } else
            spill(p, v);
    }
    flush_moves(p, 2 * p->inst, before | p->early | p->occupied);
}

static bool hard_late_half(Pass *p, Hard *h) {
    const RaFunc *f = p->f;
    for (uint32_t o = h->first; o < h->end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_FIXED_NONALLOC) continue;
        OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
        if (op->kind == RA_USE)
            free_dying(p, v);
        else if (op->constraint == RA_FIXED)
            p->allocs[o] = ra_alloc_reg(op->arg);
        else if (op->constraint == RA_REUSE)
            p->allocs[o] = p->allocs[h->first + op->arg];
    }
    for (uint32_t o = h->first; o < h->end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC &&
            ra_is_reg(p->allocs[o]))
            define(p, o, &p->v[ra_vreg_index(f->ops[o].vreg)], ra_alloc_preg(p->allocs[o]));
    for (uint64_t ranks = h->ranks | HARD_RANKS; ranks; ranks &= ranks - 1)
        for (uint32_t o = h->first; o < h->end; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_DEF || p->allocs[o] != RA_ALLOC_NONE ||
                hard_rank(op) != (uint32_t)u64_ctz(ranks))
                continue;
            if (op->constraint == RA_STACK)
                define_in_slot(p, o, &p->v[ra_vreg_index(op->vreg)]);
            else if (!place_def(p, o, p->late))
                return false;
            if (ra_is_reg(p->allocs[o])) p->late |= ra_set(ra_alloc_preg(p->allocs[o]));
        }
    for (uint32_t o = h->first; o < h->end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC)
            free_dying(p, &p->v[ra_vreg_index(f->ops[o].vreg)]);
    return true;
}

static bool do_hard(Pass *p, uint32_t i, bool advance) {
    Hard h;
    h.first = p->f->op_start[i], h.end = p->f->op_start[i + 1];
    h.fixed_early = h.fixed_late = h.clobbers = 0;
    h.ranks = h.narrow = 0;
    hard_collect(p, &h, advance);
    if (!hard_early_half(p, &h, true) && !hard_early_half(p, &h, false)) return out_of_regs(p);
    hard_move(p, &h);
    return hard_late_half(p, &h);
}

/* ---- between blocks ---- */
static OpState save_state(Pass *p, uint32_t from_pos) {
    RaCtx *c = p->c;
    OpState s = {0, c->state_words.n};
    for (RaPRegSet o = p->occupied; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        if (p->v[p->owner[r]].last < from_pos) continue;
        vec_push(c->mem, &c->state_words, p->owner[r]);
        s.regs |= ra_set(r);
    }
    return s;
}

static void clear_file(Pass *p) {
    for (RaPRegSet o = p->occupied; o; o &= o - 1) p->v[p->owner[u64_ctz(o)]].reg = RA_PREG_NONE;
    p->occupied = 0;
}

static void load_state(Pass *p, OpState s) {
    clear_file(p);
    const uint32_t *w = s.regs ? p->c->state_words.p + s.first : NULL;
    for (RaPRegSet o = s.regs; o; o &= o - 1) set_reg(p, &p->v[*w++], (RaPReg)u64_ctz(o));
}

static void drop_dead(Pass *p, uint32_t pos) {
    for (RaPRegSet o = p->occupied; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        OpVReg *v = &p->v[p->owner[r]];
        if (v->last >= pos) {
            if (p->c->stress && ra_random(p->c) % 8 == 0) {
                spill(p, v);
                drop_reg(p, r);
            }
            continue;
        }
        drop_reg(p, r);
        give_slot_back(p, v, p->inst);
    }
}

/* Registers for block b's parameters; the arguments' places are in places[]. */
static void place_params(Pass *p, uint32_t b, const uint32_t *places) {
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    for (uint32_t k = 0; k < rb->param_end - rb->param_start; k++) {
        OpVReg *v = &p->v[ra_vreg_index(f->params[rb->param_start + k])];
        if (v->last == 0) continue; /* never used: no place */
        RaPRegSet cls = p->env->allocatable & RA_CLASS_MASK(v->is_float), free = cls & ~p->occupied;
        bool cross = crosses_call(p, v);
        RaPReg hint = hint_of(p, v, cross);
        if (hint == RA_PREG_NONE || !(free >> hint & 1)) {
            hint = ra_is_reg(places[k]) ? ra_alloc_preg(places[k]) : RA_PREG_NONE;
            if (cross && hint != RA_PREG_NONE && (p->env->caller_saved >> hint & 1) &&
                (free & ~p->env->caller_saved))
                hint = RA_PREG_NONE;
        }
        if (!free) { /* a value that the next code uses later than the parameter gives way */
            RaPReg far = RA_PREG_NONE;
            uint32_t best = next_use(v);
            for (RaPRegSet o = cls & p->occupied; o; o &= o - 1) {
                RaPReg r = (RaPReg)u64_ctz(o);
                const OpVReg *w = &p->v[p->owner[r]];
                if (next_use(w) > best && !(w->is_param && w->def_block == b))
                    best = next_use(w), far = r;
            }
            if (far != RA_PREG_NONE) {
                spill(p, &p->v[p->owner[far]]);
                drop_reg(p, far);
                free = ra_set(far);
            }
        }
        if (free) {
            RaPReg r = pick_free(p, free, hint, cross);
            v->def_reg = r;
            set_reg(p, v, r);
        } else {
            v->spilled = 1; /* the edges fill the slot */
            (void)take_slot(p, v);
        }
    }
}

/* Plans the moves of an edge's arguments to where the target expects its parameters. */
static void move_args(Pass *p, uint32_t b, const uint32_t *places) {
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    for (uint32_t k = 0; k < rb->param_end - rb->param_start; k++) {
        RaVReg pv = f->params[rb->param_start + k];
        const OpVReg *v = &p->v[ra_vreg_index(pv)];
        if (v->def_reg != RA_PREG_NONE)
            plan_move(p, places[k], ra_alloc_reg(v->def_reg), pv);
        else if (v->slot != NONE)
            plan_move(p, places[k], ra_alloc_slot(v->slot), pv);
    }
}

/* Where the arguments of edge e are now. */
static const uint32_t *arg_places(Pass *p, uint32_t e) {
    const RaFunc *f = p->f;
    uint32_t a = f->edge_args[e], n = f->edge_args[e + 1] - a;
    vec_clear(&p->c->places);
    uint32_t *to = vec_extend(p->c->mem, &p->c->places, n + 1);
    for (uint32_t k = 0; k < n; k++) to[k] = where(&p->v[ra_vreg_index(f->branch_args[a + k])]);
    return to;
}

/* Values that were put in another register at a loop's head. */
typedef struct Shift {
    uint32_t n, vreg[64];
    uint8_t from[64];
} Shift;

/* Registers of a class in use beyond half of them. */
static int crowd(const Pass *p, RaClass k) {
    return 2 * (int)u64_popcount(p->occupied & RA_CLASS_MASK(k)) -
           (int)u64_popcount(p->env->allocatable & RA_CLASS_MASK(k));
}

/* Which values of the file deserve a register at the head of loop l, reached from the code before it. */
static void trim_for_loop(Pass *p, const OpLoop *l, uint32_t end, Shift *sh) {
    const RaFunc *f = p->f;
    const RaCtx *c = p->c;
    bool calls = c->block_calls.p[l->header - 1] != c->block_calls.p[l->last_block];
    uint32_t insts = f->blocks[l->last_block].inst_end - f->blocks[l->header].inst_start;
    uint32_t soon = 2 * f->blocks[l->header].inst_start + LOOP_FAR;
    for (RaPRegSet o = p->occupied; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        OpVReg *v = &p->v[p->owner[r]];
        bool used = v->next <= end, lost = calls && (p->env->caller_saved >> r & 1);
        if (!lost && (used ? v->next < soon || crowd(p, v->is_float) <= 0 : insts < LOOP_SMALL))
            continue;
        if (used && lost) { /* to a register that survives the calls */
            RaPRegSet free = p->env->allocatable & RA_CLASS_MASK(v->is_float) & ~p->occupied &
                             ~p->env->caller_saved;
            if (free) {
                RaPReg to = pick_free(p, free, RA_PREG_NONE, true);
                sh->vreg[sh->n] = p->owner[r];
                sh->from[sh->n++] = r;
                drop_reg(p, r);
                set_reg(p, v, to);
                continue;
            }
        }
        spill(p, v);
        drop_reg(p, r);
    }
}

/* Block b has several predecessors; the first one to reach it, block pb, decides its entry state by what it has in
 * registers, along edge e. The moves go before pb's jump. */
static void decide_entry(Pass *p, uint32_t b, uint32_t pb, uint32_t e) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    RaPRegSet before = p->occupied;
    const uint32_t *places = arg_places(p, e);
    Shift sh;
    sh.n = 0;
    p->inst = rb->inst_start;
    uint32_t calls_left = p->calls_left;
    p->calls_left = c->block_calls.p[b - 1];
    drop_dead(p, 2 * rb->inst_start);
    uint32_t l = c->loops.n ? c->loop_of.p[b] : NONE;
    if (l != NONE && c->loops.p[l].header == b) {
        trim_for_loop(p, &c->loops.p[l], loop_end(p, l), &sh);
    } else if (c->block_calls.p[pb] != c->block_calls.p[b - 1]) {
        /* another way here makes calls: what they destroy and is not needed soon is reloaded when it is needed */
        for (RaPRegSet o = p->occupied & p->env->caller_saved; o; o &= o - 1) {
            RaPReg r = (RaPReg)u64_ctz(o);
            OpVReg *v = &p->v[p->owner[r]];
            if (!v->spilled || next_use(v) < 2 * rb->inst_start + JOIN_FAR) continue;
            drop_reg(p, r);
        }
    }
    place_params(p, b, places);
    move_args(p, b, places);
    for (uint32_t k = 0; k < sh.n; k++) { /* unless a parameter has pushed them out again */
        const OpVReg *v = &p->v[sh.vreg[k]];
        if (v->reg == RA_PREG_NONE) continue;
        plan_move(p, ra_alloc_reg(sh.from[k]), ra_alloc_reg(v->reg), vreg_of(p, v));
    }
    flush_moves(p, 2 * (f->blocks[pb].inst_end - 1), before | p->occupied);
    c->entry.p[b] = save_state(p, 0);
    p->in_file = b;
    p->calls_left = calls_left;
}

/* Moves along edge e into block b, whose entry state is decided, from the present state. */
static void conform(Pass *p, uint32_t b, uint32_t pb, uint32_t e) {
    RaCtx *c = p->c;
    OpState s = c->entry.p[b];
    move_args(p, b, arg_places(p, e));
    const uint32_t *w = s.regs ? c->state_words.p + s.first : NULL;
    for (RaPRegSet o = s.regs; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        const OpVReg *v = &p->v[*w++];
        if (v->reg == r || (v->is_param && v->def_block == b)) continue;
        RaAlloc from = where(v);
        if (from != RA_ALLOC_NONE) plan_move(p, from, ra_alloc_reg(r), vreg_of(p, v));
    }
    uint32_t n = c->edits.n;
    flush_moves(p, 2 * (p->f->blocks[pb].inst_end - 1), p->occupied);
    p->st.edge_moves += c->edits.n - n;
}

static bool enter_block(Pass *p, uint32_t b) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    p->inst = rb->inst_start;
    if (b == 0) {
        p->occupied = 0;
        return true;
    }
    if (rb->pred_end - rb->pred_start != 1) {
        if (c->entry.p[b].first == NONE)
            return diag_msg(p->d, DIAG_INVALID,
                            "register allocation: block %u precedes its predecessors", b);
        if (p->in_file != b) load_state(p, c->entry.p[b]);
        p->in_file = NONE;
        return true;
    }
    uint32_t pb = f->preds[rb->pred_start];
    if (pb >= b)
        return diag_msg(p->d, DIAG_INVALID,
                        "register allocation: block %u precedes its predecessors", b);
    if (pb + 1 != b) load_state(p, c->exit.p[pb]);
    p->in_file = NONE;
    RaPRegSet before = p->occupied;
    bool params = rb->param_end != rb->param_start;
    const uint32_t *places = params ? arg_places(p, c->pred_edge.p[b]) : NULL;
    drop_dead(p, 2 * rb->inst_start);
    if (params) { /* the only predecessor may have several successors: its moves go here */
        place_params(p, b, places);
        move_args(p, b, places);
        flush_moves(p, 2 * rb->inst_start, before | p->occupied);
    }
    return true;
}

static void leave_block(Pass *p, uint32_t b) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    uint32_t first = rb->succ_start, end = rb->succ_end;
    if (first == end) return;
    for (uint32_t k = f->edge_args[first]; k < f->edge_args[end]; k++)
        p->v[ra_vreg_index(f->branch_args[k])].next = c->edge_next.p[k];
    uint32_t s = f->succs[first];
    if (end - first == 1 && f->blocks[s].pred_end - f->blocks[s].pred_start > 1) {
        if (c->entry.p[s].first == NONE)
            decide_entry(p, s, b, first);
        else
            conform(p, s, b, first);
    } else if (end - first > 1 || s != b + 1)
        c->exit.p[b] = save_state(p, 2 * rb->inst_end - 1);
}

static bool do_block(Pass *p, uint32_t b) {
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    const uint8_t *kind = p->c->inst_kind.p;
    if (!enter_block(p, b)) return false;
    vec_push(p->c->mem, &p->c->entry_edits, p->c->edits.n);
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
        p->inst = i;
        if (f->inst_flags[i] & RA_INST_CALL) p->calls_left--;
        switch (kind[i]) {
        case KIND_EMPTY: break;
        case KIND_SIMPLE:
        case KIND_REUSE:
            if (!do_simple(p, i, kind[i] == KIND_REUSE)) return false;
            break;
        case KIND_HARD:
            if (!do_hard(p, i, true)) return false;
            break;
        }
    }
    p->inst = rb->inst_end;
    leave_block(p, b);
    return true;
}

/* ---- the definition stores among the moves ---- */
static void sort_stores(Pass *p) { /* by point; 11 bits a time, or by insertion */
    RaCtx *c = p->c;
    uint32_t n = c->stores.n;
    RaEdit *a = c->stores.p;
    if (n <= 48) {
        for (uint32_t i = 1; i < n; i++) {
            RaEdit e = a[i];
            uint32_t k = i;
            for (; k > 0 && a[k - 1].point > e.point; k--) a[k] = a[k - 1];
            a[k] = e;
        }
        return;
    }
    vec_clear(&c->sorted);
    RaEdit *b = vec_extend(c->mem, &c->sorted, n);
    for (unsigned shift = 0; shift < 32 && (2 * p->f->num_insts) >> shift; shift += 11) {
        uint32_t at[2049] = {0};
        for (uint32_t i = 0; i < n; i++) at[(a[i].point >> shift & 2047) + 1]++;
        for (uint32_t i = 0; i < 2048; i++) at[i + 1] += at[i];
        for (uint32_t i = 0; i < n; i++) b[at[a[i].point >> shift & 2047]++] = a[i];
        RaEdit *t = a;
        a = b, b = t;
    }
    if (a != c->stores.p) memcpy(c->stores.p, a, n * sizeof *a);
}

/* At one point: moves into the block come first, then stores of its parameters, then the rest; a store after a
 * definition stands alone at its point. Merged from the end, in place. */
static void merge_stores(Pass *p) {
    RaCtx *c = p->c;
    if (c->stores.n == 0) return;
    sort_stores(p);
    uint32_t i = c->edits.n, j = c->stores.n;
    (void)vec_extend(c->mem, &c->edits, j);
    RaEdit *out = c->edits.p;
    for (uint32_t k = i + j; j > 0;) {
        const RaEdit *st = &c->stores.p[j - 1];
        const OpVReg *v = &p->v[ra_vreg_index(st->vreg)];
        bool edit_last =
            i > 0 &&
            (out[i - 1].point > st->point ||
             (out[i - 1].point == st->point && v->is_param && i > c->entry_edits.p[v->def_block]));
        out[--k] = edit_last ? out[--i] : c->stores.p[--j];
    }
}

bool ra_onepass(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    Mem *m = c->mem;
    Pass p = {.c = c, .f = f, .env = env, .d = d, .in_file = NONE};
    vec_clear(&c->slots);
    vec_clear(&c->free_slots);
    for (uint32_t k = 0; k < SPARE_SLOTS; k++) vec_push(m, &c->slots, (OpSlot){NONE, 0});
    vec_clear(&c->edits);
    vec_clear(&c->stores);
    vec_clear(&c->entry_edits);
    vec_clear(&c->moves);
    vec_clear(&c->state_words);
    prepare(&p);
    vec_clear(&c->entry);
    OpState *entry = vec_extend(m, &c->entry, f->num_blocks);
    vec_clear(&c->exit);
    (void)vec_extend(m, &c->exit, f->num_blocks);
    for (uint32_t b = 0; b < f->num_blocks; b++) entry[b] = (OpState){0, NONE};
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!do_block(&p, b)) return false;
    merge_stores(&p);
    *out = (RaOutput){.allocs = c->allocs.p,
                      .edits = c->edits.p,
                      .num_edits = c->edits.n,
                      .num_slots = c->slots.n > SPARE_SLOTS || p.spare_used ? c->slots.n : 0,
                      .written = p.written,
                      .stats = p.st};
    return true;
}
