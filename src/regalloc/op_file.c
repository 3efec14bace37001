/* regalloc/op_file.c — the one-pass allocator's register file and spill slots: choosing, evicting, defining, moving.
 *
 * Cost: a choice looks at the registers of one class at most, and at a bounded number of free slots. */
#include "regalloc/op_int.h"

/* ---- slots ---- */
uint32_t op_take_slot(Pass *p, OpVReg *v) {
    RaCtx *c = p->c;
    if (v->slot != NONE) return v->slot;
    uint32_t tries = SLOT_TRIES;
    uint8_t size = ra_move_slots(p->f->vreg_slots, vreg_of(p, v));
    for (uint32_t k = c->free_slots.n; k-- > 0 && tries--;) { /* the latest freed first; bounded */
        uint32_t s = c->free_slots.p[k];
        if (c->slots.p[s].size != size || c->slots.p[s].free_from > v->def_inst) continue;
        uint32_t top = vec_pop(&c->free_slots);
        if (top != s) c->free_slots.p[k] = top;
        return v->slot = s;
    }
    uint32_t s = c->slots.n;
    vec_push(c->mem, &c->slots, (OpSlot){0, size});
    for (uint8_t k = 1; k < size; k++)
        vec_push(c->mem, &c->slots, (OpSlot){0, 0}); /* the rest of a wide slot */
    return v->slot = s;
}

/* v is dead from instruction `from` on. */
void op_give_slot_back(Pass *p, OpVReg *v, uint32_t from) {
    if (v->slot == NONE || v->slot_back) return;
    v->slot_back = 1;
    p->c->slots.p[v->slot].free_from = from;
    vec_push(p->c->mem, &p->c->free_slots, v->slot);
}

/* The value must be in its slot: one store after its definition. */
void op_spill(Pass *p, OpVReg *v) {
    if (v->spilled) return;
    v->spilled = 1;
    p->st.spills++;
    RaAlloc slot = ra_alloc_slot(op_take_slot(p, v));
    if (v->def_reg == RA_PREG_NONE) return;
    vec_push(p->c->mem, &p->c->stores,
             (RaEdit){v->is_param ? 2 * v->def_inst : 2 * v->def_inst + 1, ra_alloc_reg(v->def_reg),
                      slot, vreg_of(p, v)});
}

/* The register that v should get, RA_PREG_NONE if nothing is known or v crosses a call that destroys it. */
RaPReg op_hint_of(const Pass *p, const OpVReg *v, bool cross) {
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

RaPReg op_pick_free(Pass *p, RaPRegSet free, RaPReg hint, bool callee_saved) {
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
RaPReg op_farthest(Pass *p, RaPRegSet from, uint32_t *distance) {
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
RaPReg op_get_reg(Pass *p, RaPRegSet allowed, RaPRegSet busy, RaPReg hint, bool callee_saved) {
    RaCtx *c = p->c;
    allowed &= p->env->allocatable & ~busy;
    RaPRegSet free = allowed & ~p->occupied;
    if (free && !(c->stress && (allowed & p->occupied) && ra_random(c) % 8 == 0))
        return op_pick_free(p, free, hint, callee_saved);
    uint32_t distance;
    RaPReg best = op_farthest(p, allowed & p->occupied, &distance);
    if (best == RA_PREG_NONE) return best;
    op_spill(p, &p->v[p->owner[best]]);
    drop_reg(p, best);
    p->st.evictions++;
    return best;
}

/* The planned moves, at `point`. in_use: registers that must keep their content beside those that the moves name. */
void op_flush_moves(Pass *p, uint32_t point, RaPRegSet in_use) {
    RaCtx *c = p->c;
    uint32_t n = c->moves.n;
    if (n == 0) return;
    const RaMove *one = c->moves.p;
    if (n == 1 && !(ra_is_slot(one->from) && ra_is_slot(one->to))) {
        add_edit(p, point, one->from, one->to, one->vreg);
        vec_clear(&c->moves);
        return;
    }
    /* the spare slots, four units, are made when they are first used */
    uint32_t spare = p->spare_slot != NONE ? p->spare_slot : c->slots.n;
    RaSpare sp = {.cycle_slot = spare, .save_slot = spare + 2};
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
        else if (all)
            sp.victim[k] = (RaPReg)u64_ctz(all);
    }
    vec_clear(&c->ordered);
    ra_parallel_move(c, c->moves.p, n, &sp, c->slots.n + 4, &c->ordered);
    if (sp.slots_used && p->spare_slot == NONE) {
        p->spare_slot = spare;
        for (uint32_t k = 0; k < 4; k++) vec_push(c->mem, &c->slots, (OpSlot){NONE, 0});
    }
    for (uint32_t i = 0; i < c->ordered.n; i++)
        add_edit(p, point, c->ordered.p[i].from, c->ordered.p[i].to, c->ordered.p[i].vreg);
    vec_clear(&c->moves);
}

bool op_out_of_regs(Pass *p) {
    p->c->fault = (RaFault){RA_FAULT_INST, p->inst};
    return diag_msg(p->d, DIAG_LIMIT,
                    "register allocation: not enough registers for instruction %u", p->inst);
}

/* ---- what all instructions share ---- */
void op_define(Pass *p, uint32_t o, OpVReg *v, RaPReg r) {
    p->allocs[o] = ra_alloc_reg(r);
    v->def_reg = r;
    set_reg(p, v, r);
    if (!(p->f->inst_flags[p->inst] & RA_INST_ENTRY)) p->written |= ra_set(r);
}

void op_define_in_slot(Pass *p, uint32_t o, OpVReg *v) {
    v->spilled = 1;
    p->allocs[o] = ra_alloc_slot(op_take_slot(p, v));
}

/* A definition without a fixed or reused register; `busy` holds what else is written or read late. */
bool op_place_def(Pass *p, uint32_t o, RaPRegSet busy) {
    const RaOperand *op = &p->f->ops[o];
    OpVReg *v = &p->v[ra_vreg_index(op->vreg)];
    bool cross = crosses_call(p, v);
    RaPReg hint = RA_PREG_NONE;
    if (p->f->inst_flags[p->inst] & RA_INST_MOVE) {
        RaAlloc src = p->allocs[o + 1];
        if (ra_is_reg(src) && !(p->occupied >> ra_alloc_preg(src) & 1)) hint = ra_alloc_preg(src);
    }
    if (hint == RA_PREG_NONE || (cross && (p->env->caller_saved >> hint & 1)))
        hint = op_hint_of(p, v, cross);
    RaPReg r = op_get_reg(p, allowed_set(p, op), busy, hint, cross);
    if (r != RA_PREG_NONE)
        op_define(p, o, v, r);
    else if (op->constraint == RA_ANY)
        op_define_in_slot(p, o, v);
    else
        return op_out_of_regs(p);
    return true;
}
