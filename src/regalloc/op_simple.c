/* regalloc/op_simple.c — instructions with early uses and late definitions anywhere or in any register, and perhaps one
 * reuse: nearly all. Whatever does not work out here is left to op_hard.c.
 * Cost: O(operands). */
#include "regalloc/op_int.h"

static RaPReg load_use(Pass *p, OpVReg *v, RaPRegSet cls, RaPRegSet busy) {
    bool cross = v->last > 2 * p->inst && crosses_call(p, v);
    RaPReg hint = op_hint_of(p, v, cross);
    if (hint == RA_PREG_NONE) hint = v->last_reg;
    RaPReg r = op_get_reg(p, cls, busy, hint, cross);
    if (r == RA_PREG_NONE) return r;
    COT_DASSERT(v->spilled);
    add_edit(p, 2 * p->inst, ra_alloc_slot(v->slot), ra_alloc_reg(r), vreg_of(p, v));
    set_reg(p, v, r);
    return r;
}

/* The result takes its input's register: at once if the input dies here, otherwise a copy's. False: no register. */
static bool simple_reuse(Pass *p, uint32_t def, uint32_t use, RaPRegSet *early) {
    const RaOperand *d = &p->f->ops[def];
    OpVReg *dv = &p->v[ra_vreg_index(d->vreg)], *uv = &p->v[ra_vreg_index(p->f->ops[use].vreg)];
    RaPRegSet cls = RA_CLASS_MASK(ra_vreg_class(d->vreg));
    bool cross = crosses_call(p, dv);
    RaPReg hint = op_hint_of(p, dv, cross), r = uv->reg;
    if (uv->last > 2 * p->inst) {
        RaPRegSet free = p->env->allocatable & cls & ~p->occupied & ~*early;
        uint32_t other = 0;
        if (!free && r != RA_PREG_NONE) { /* who is used later, the input or somebody else? */
            RaPReg far = op_farthest(p, p->env->allocatable & cls & p->occupied & ~*early, &other);
            if (far == RA_PREG_NONE || other <= next_use(uv)) {
                op_spill(p, uv);
                drop_reg(p, r);
                p->st.evictions++;
                p->allocs[use] = ra_alloc_reg(r);
                op_define(p, def, dv, r);
                return true;
            }
        }
        RaPReg to = op_get_reg(p, cls, *early, hint, cross);
        if (to == RA_PREG_NONE) return false;
        add_edit(p, 2 * p->inst, where(uv), ra_alloc_reg(to), vreg_of(p, uv));
        r = to;
    } else {
        if (r == RA_PREG_NONE) {
            r = op_get_reg(p, cls, *early, hint, cross);
            if (r == RA_PREG_NONE) return false;
            add_edit(p, 2 * p->inst, where(uv), ra_alloc_reg(r), vreg_of(p, uv));
        } else
            drop_reg(p, r);
    }
    *early |= ra_set(r);
    p->allocs[use] = ra_alloc_reg(r);
    op_define(p, def, dv, r);
    return true;
}

bool op_simple(Pass *p, uint32_t i, bool reuse) {
    const RaFunc *f = p->f;
    const RaOperand *ops = f->ops;
    OpVReg *V = p->v;
    RaAlloc *allocs = p->allocs;
    const uint32_t first = f->op_start[i], end = f->op_start[i + 1];
    RaPRegSet early = 0;
    bool missing = false, dying = false, dead = false;
    uint32_t def_reuse = NONE, use_reuse = NONE;
    for (uint32_t o = first; o < end; o++) {
        OpVReg *v = &V[ra_vreg_index(ops[o].vreg)];
        if (ops[o].kind != RA_USE) {
            dead |= v->last == 0;
            if (reuse && ops[o].constraint == RA_REUSE)
                def_reuse = o, use_reuse = first + ops[o].arg;
            continue;
        }
        v->next = allocs[o];
        dying |= v->last <= 2 * i;
        if (v->reg != RA_PREG_NONE) {
            allocs[o] = ra_alloc_reg(v->reg);
            early |= ra_set(v->reg);
        } else {
            allocs[o] = RA_ALLOC_NONE;
            missing = true;
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
                if (r == RA_PREG_NONE) return op_hard(p, i, false); /* one must go to its slot */
                early |= ra_set(r);
            }
            allocs[o] = ra_alloc_reg(v->reg);
        }
    RaPRegSet busy = 0;
    if (reuse) {
        if (!simple_reuse(p, def_reuse, use_reuse, &early)) return op_hard(p, i, false);
        busy = ra_set(ra_alloc_preg(allocs[def_reuse]));
    }
    for (uint32_t o = first; dying && o < end; o++)
        if (ops[o].kind == RA_USE) op_free_dying(p, &V[ra_vreg_index(ops[o].vreg)]);
    bool any = false;
    for (uint32_t o = first; o < end; o++)
        if (ops[o].kind == RA_DEF && o != def_reuse) {
            if (ops[o].constraint == RA_ANY) {
                any = true; /* after those that must have a register */
                continue;
            }
            if (!op_place_def(p, o, busy)) return false;
            busy |= ra_set(ra_alloc_preg(allocs[o]));
        }
    for (uint32_t o = first; any && o < end; o++)
        if (ops[o].kind == RA_DEF && ops[o].constraint == RA_ANY) {
            (void)op_place_def(p, o, busy);
            if (ra_is_reg(allocs[o])) busy |= ra_set(ra_alloc_preg(allocs[o]));
        }
    for (uint32_t o = first; dead && o < end; o++)
        if (ops[o].kind == RA_DEF) op_free_dying(p, &V[ra_vreg_index(ops[o].vreg)]);
    return true;
}
