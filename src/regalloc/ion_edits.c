/* regalloc/ion_edits.c — the moves of each point, one after the other.
 *
 * Problem   Moves were found value by value; they are wanted in order of points, and those of one group happen at once.
 * Idea      Sort by point and kind; each group goes through ra_parallel_move, with a free register of the moment if the ISA
 *           reserves none.
 * Stores    of what the slot holds already, within a block, are dropped.
 * Cost      O(moves), radix sort. */
#include "regalloc/ion.h"

static bool named(const IonMove *g, uint32_t n, RaPReg p) {
    for (uint32_t k = 0; k < n; k++)
        if (g[k].from == ra_alloc_reg(p) || g[k].to == ra_alloc_reg(p)) return true;
    return false;
}

/* Registers that nothing passes through at the group's point. */
static void spare_regs(IonCtx *x, const IonMove *g, uint32_t n, RaSpare *sp) {
    uint32_t point = g->key / 4;
    for (uint32_t c = 0; c < RA_NUM_CLASSES; c++) {
        sp->scratch[c] = x->env->scratch[c];
        if (sp->scratch[c] != RA_PREG_NONE) continue;
        RaPRegSet taken = ion_map_or(&x->occ, point > 0 ? point - 1 : 0, point + 2);
        const RaPReg *order = x->env->order[c];
        sp->victim[c] = order[0];
        for (uint32_t k = 0; k < 32 && order[k] != RA_PREG_NONE && sp->scratch[c] == RA_PREG_NONE;
             k++)
            if (!(taken >> order[k] & 1) && !named(g, n, order[k])) sp->scratch[c] = order[k];
    }
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
    RaSpare sp = {.cycle_slot = x->num_slots, .save_slot = x->num_slots + 2};
    for (uint32_t a = 0, z; a < n; a = z) {
        const IonMove *g = &x->moves2.p[a];
        vec_clear(&c->moves);
        for (z = a; z < n && x->moves2.p[z].key == g->key; z++) {
            IonMove m = x->moves2.p[z];
            uint32_t to = ra_is_reg(m.to) ? ra_alloc_preg(m.to) : 64 + ra_alloc_slot_index(m.to);
            if (x->mark.p[to] == a + 1) continue; /* asked for twice */
            x->mark.p[to] = a + 1;
            vec_push(x->mem, &c->moves, (RaMove){m.from, m.to, m.vreg});
        }
        spare_regs(x, g, z - a, &sp);
        vec_clear(&c->ordered);
        ra_parallel_move(c, c->moves.p, c->moves.n, &sp, x->num_slots + 4, &c->ordered);
        for (uint32_t k = 0; k < c->ordered.n; k++) {
            RaMove m = c->ordered.p[k];
            if (ra_is_reg(m.to)) x->written |= ra_set(ra_alloc_preg(m.to));
            vec_push(x->mem, &x->edits, (RaEdit){g->key / 4, m.from, m.to, m.vreg});
        }
    }
    if (sp.slots_used) x->num_slots += 4;
}
