/* regalloc/parmove.c — parallel moves to sequential ones.
 *
 * Every location is the destination of at most one move. A move may be done once nobody still needs its destination
 * as a source (pending = 0); doing it releases the location it read. When none is left like that, what remains are
 * disjoint cycles: one member's destination is saved, its reader reads the copy, and the chain unwinds. The
 * copy is the scratch register, or the spare slot when the cycle has a slot-to-slot move, which needs the
 * scratch register itself. Cost: O(n) with a hash table from location to the move that writes it.
 * Ref: Rideau, Serpette, Leroy, "Tilting at windmills with Coq", 2008. */
#include "regalloc/ra_int.h"

static void put(RaCtx *c, RaMoves *out, RaAlloc from, RaAlloc to, RaVReg v,
                const RaPReg scratch[RA_NUM_CLASSES]) {
    if (ra_is_slot(from) && ra_is_slot(to)) {
        RaAlloc s = ra_alloc_reg(scratch[ra_vreg_class(v)]);
        vec_push(c->mem, out, (RaMove){from, s, v});
        from = s;
    }
    vec_push(c->mem, out, (RaMove){from, to, v});
}

void ra_parallel_move(RaCtx *c, const RaMove *moves, uint32_t n,
                      const RaPReg scratch[RA_NUM_CLASSES], uint32_t spare_slot, RaMoves *out) {
    Mem *m = c->mem;
    if (n == 0) return;
    if (n == 1) {
        if (moves[0].from != moves[0].to)
            put(c, out, moves[0].from, moves[0].to, moves[0].vreg, scratch);
        return;
    }
    hashmap_clear(&c->pm_writer);
    vec_clear(&c->pm_from);
    vec_clear(&c->pm_pending);
    vec_clear(&c->pm_work);
    for (uint32_t i = 0; i < n; i++) {
        vec_push(m, &c->pm_from, moves[i].from);
        vec_push(m, &c->pm_pending, 0);
        if (moves[i].from != moves[i].to) hashmap_set(m, &c->pm_writer, moves[i].to, i);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (moves[i].from == moves[i].to) {
            c->pm_pending.p[i] = UINT32_MAX; /* done */
            continue;
        }
        uint32_t *w = hashmap_find(&c->pm_writer, moves[i].from);
        if (w) c->pm_pending.p[*w]++;
    }
    for (uint32_t i = 0; i < n; i++)
        if (c->pm_pending.p[i] == 0) vec_push(m, &c->pm_work, i);
    for (uint32_t next = 0;;) {
        while (c->pm_work.n) {
            uint32_t i = vec_pop(&c->pm_work);
            put(c, out, c->pm_from.p[i], moves[i].to, moves[i].vreg, scratch);
            c->pm_pending.p[i] = UINT32_MAX;
            uint32_t *w = hashmap_find(&c->pm_writer, c->pm_from.p[i]);
            if (w && c->pm_pending.p[*w] != UINT32_MAX && --c->pm_pending.p[*w] == 0)
                vec_push(m, &c->pm_work, *w);
        }
        while (next < n && c->pm_pending.p[next] == UINT32_MAX) next++;
        if (next == n) return;
        /* a cycle through `next`; find whether it has a slot-to-slot move, and who reads next's destination */
        bool slots = false;
        uint32_t k = next, reader = next;
        do {
            slots |= ra_is_slot(c->pm_from.p[k]) && ra_is_slot(moves[k].to);
            reader =
                k; /* the last one visited reads the destination of the one before it in the cycle */
            k = *hashmap_find(&c->pm_writer, c->pm_from.p[k]);
        } while (k != next);
        /* walking from a move to the writer of its source ends at the move whose source is next's destination */
        RaVReg v = moves[reader].vreg;
        RaAlloc copy = slots ? ra_alloc_slot(spare_slot) : ra_alloc_reg(scratch[ra_vreg_class(v)]);
        COT_DASSERT(c->pm_from.p[reader] == moves[next].to);
        put(c, out, moves[next].to, copy, v, scratch);
        c->pm_from.p[reader] = copy;
        c->pm_pending.p[next] = 0;
        vec_push(m, &c->pm_work, next);
    }
}
