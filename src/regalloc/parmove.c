/* regalloc/parmove.c — parallel moves to sequential ones.
 *
 * Problem   All sources are to be read before any destination is written; machine moves come one after the other.
 * Idea      Every location is the destination of at most one move. A move may be done once nobody still needs its
 *           destination as a source (pending = 0); doing it releases the location it read. When none is left like
 *           that, what remains are disjoint cycles: one member's destination is copied, its reader reads the copy, and
 *           the chain unwinds.
 * Scratch   A slot-to-slot move goes through a scratch register; when none is free, through one that is saved in a
 *           slot and restored around it. A cycle's copy is a register, or a slot if no register is free or the cycle
 *           itself needs that for a slot-to-slot move.
 * Cost      O(moves), with an array from location to the move that writes it, cleared by the moves themselves.
 * Ref       Rideau, Serpette, Leroy, "Tilting at windmills with Coq", 2008. */
#include "regalloc/ra_int.h"

#define DONE UINT32_MAX
#define NONE UINT32_MAX

static void put(RaCtx *c, RaMoves *out, RaAlloc from, RaAlloc to, RaVReg v, RaSpare *sp) {
    if (!ra_is_slot(from) || !ra_is_slot(to)) {
        vec_push(c->mem, out, (RaMove){from, to, v});
        return;
    }
    RaClass k = ra_vreg_class(v);
    RaPReg s = sp->scratch[k];
    bool save = s == RA_PREG_NONE;
    if (save) s = sp->victim[k], sp->slots_used = true;
    /* the whole register is saved: as an unknown value of the class's widest size */
    RaVReg whole = ra_vreg_whole(k);
    if (save) vec_push(c->mem, out, (RaMove){ra_alloc_reg(s), ra_alloc_slot(sp->save_slot), whole});
    vec_push(c->mem, out, (RaMove){from, ra_alloc_reg(s), v});
    vec_push(c->mem, out, (RaMove){ra_alloc_reg(s), to, v});
    if (save) vec_push(c->mem, out, (RaMove){ra_alloc_slot(sp->save_slot), ra_alloc_reg(s), whole});
}

static uint32_t loc(RaAlloc a) {
    return ra_is_reg(a) ? ra_alloc_preg(a) : 64 + ra_alloc_slot_index(a);
}

/* No destination is a source of another move: any order will do. */
static bool independent(const RaMove *moves, uint32_t n) {
    RaPRegSet from = 0, to = 0;
    bool slot_from = false, slot_to = false;
    for (uint32_t i = 0; i < n; i++) {
        if (ra_is_reg(moves[i].from))
            from |= ra_set(ra_alloc_preg(moves[i].from));
        else
            slot_from = true;
        if (ra_is_reg(moves[i].to))
            to |= ra_set(ra_alloc_preg(moves[i].to));
        else
            slot_to = true;
    }
    return !(from & to) && !(slot_from && slot_to);
}

/* The cycle through move `first`: its destination is copied aside, so that the chain may begin with it. */
static void open_cycle(RaCtx *c, const RaMove *moves, uint32_t first, RaSpare *sp, RaMoves *out) {
    bool slots = false;
    uint32_t k = first, reader = first;
    do { /* from a move to the writer of its source: ends at the move whose source is first's destination */
        slots |= ra_is_slot(c->pm_from.p[k]) && ra_is_slot(moves[k].to);
        reader = k;
        k = c->pm_writer.p[loc(c->pm_from.p[k])];
    } while (k != first);
    RaVReg v = moves[reader].vreg;
    RaPReg s = sp->scratch[ra_vreg_class(v)];
    RaAlloc copy = slots || s == RA_PREG_NONE ? ra_alloc_slot(sp->cycle_slot) : ra_alloc_reg(s);
    if (ra_is_slot(copy)) sp->slots_used = true;
    put(c, out, moves[first].to, copy, v, sp);
    c->pm_from.p[reader] = copy;
    c->pm_pending.p[first] = 0;
    vec_push(c->mem, &c->pm_work, first);
}

static void order(RaCtx *c, const RaMove *moves, uint32_t n, RaSpare *sp, RaMoves *out) {
    uint32_t *writer = c->pm_writer.p;
    for (uint32_t next = 0;;) {
        while (c->pm_work.n) {
            uint32_t i = vec_pop(&c->pm_work);
            put(c, out, c->pm_from.p[i], moves[i].to, moves[i].vreg, sp);
            c->pm_pending.p[i] = DONE;
            uint32_t w = writer[loc(c->pm_from.p[i])];
            if (w != NONE && c->pm_pending.p[w] != DONE && --c->pm_pending.p[w] == 0)
                vec_push(c->mem, &c->pm_work, w);
        }
        while (next < n && c->pm_pending.p[next] == DONE) next++;
        if (next == n) return;
        open_cycle(c, moves, next, sp, out);
    }
}

void ra_parallel_move(RaCtx *c, const RaMove *moves, uint32_t n, RaSpare *sp, uint32_t num_slots,
                      RaMoves *out) {
    Mem *m = c->mem;
    if (n == 1 || independent(moves, n)) {
        for (uint32_t i = 0; i < n; i++)
            if (moves[i].from != moves[i].to)
                put(c, out, moves[i].from, moves[i].to, moves[i].vreg, sp);
        return;
    }
    if (c->pm_writer.n < 64 + num_slots) { /* all NONE between calls */
        uint32_t k = 64 + num_slots - c->pm_writer.n;
        memset(vec_extend(m, &c->pm_writer, k), 0xFF, k * sizeof(uint32_t));
    }
    uint32_t *writer = c->pm_writer.p;
    vec_clear(&c->pm_from);
    vec_clear(&c->pm_pending);
    vec_clear(&c->pm_work);
    uint32_t *from = vec_extend(m, &c->pm_from, n), *pending = vec_extend(m, &c->pm_pending, n);
    for (uint32_t i = 0; i < n; i++) {
        from[i] = moves[i].from;
        pending[i] = moves[i].from == moves[i].to ? DONE : 0;
        if (!pending[i]) writer[loc(moves[i].to)] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t w = writer[loc(moves[i].from)];
        if (moves[i].from != moves[i].to && w != NONE) pending[w]++;
    }
    for (uint32_t i = 0; i < n; i++)
        if (pending[i] == 0) vec_push(m, &c->pm_work, i);
    order(c, moves, n, sp, out);
    for (uint32_t i = 0; i < n; i++) c->pm_writer.p[loc(moves[i].to)] = NONE;
}
