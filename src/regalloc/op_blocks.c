/* regalloc/op_blocks.c — the one-pass allocator between blocks: who is in which register at a block's entry.
 *
 * A block with one predecessor starts with that one's registers, its parameters' moves stand at its start. Any other
 * block starts as the predecessor that reaches it first decides (decide_entry); the other edges conform.
 * Cost: O(registers + arguments) per edge. */
#include "regalloc/op_int.h"

static OpState save_state(Pass *p, uint32_t from_pos) {
    RaCtx *c = p->c;
    OpState s = {0, c->state_words.n};
    vec_reserve(c->mem, &c->state_words, (uint64_t)s.first + 64);
    uint32_t *w = c->state_words.p + s.first;
    for (RaPRegSet o = p->occupied; o; o &= o - 1) {
        RaPReg r = (RaPReg)u64_ctz(o);
        if (p->v[p->owner[r]].last < from_pos) continue;
        *w++ = p->owner[r];
        s.regs |= ra_set(r);
    }
    c->state_words.n = (uint32_t)(w - c->state_words.p);
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
                op_spill(p, v);
                drop_reg(p, r);
            }
            continue;
        }
        drop_reg(p, r);
        op_give_slot_back(p, v, p->inst);
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
        RaPReg hint = op_hint_of(p, v, cross);
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
                op_spill(p, &p->v[p->owner[far]]);
                drop_reg(p, far);
                free = ra_set(far);
            }
        }
        if (free) {
            RaPReg r = op_pick_free(p, free, hint, cross);
            v->def_reg = r;
            set_reg(p, v, r);
        } else {
            v->spilled = 1; /* the edges fill the slot */
            (void)op_take_slot(p, v);
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
                RaPReg to = op_pick_free(p, free, RA_PREG_NONE, true);
                sh->vreg[sh->n] = p->owner[r];
                sh->from[sh->n++] = r;
                drop_reg(p, r);
                set_reg(p, v, to);
                continue;
            }
        }
        op_spill(p, v);
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
        trim_for_loop(p, &c->loops.p[l], op_loop_end(p, l), &sh);
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
    op_flush_moves(p, 2 * (f->blocks[pb].inst_end - 1), before | p->occupied);
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
    op_flush_moves(p, 2 * (p->f->blocks[pb].inst_end - 1), p->occupied);
}

bool op_enter_block(Pass *p, uint32_t b) {
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
        op_flush_moves(p, 2 * rb->inst_start, before | p->occupied);
    }
    return true;
}

void op_leave_block(Pass *p, uint32_t b) {
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
