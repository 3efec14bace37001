/* regalloc/best.c — the better one of two allocations.
 *
 * Problem   The backtracking allocator thinks in loops and whole lives; in long stretches of straight code with more values than
 *           registers, choosing by the farthest next use, as the one-pass allocator does, loads and stores less.
 * Idea      Where the first allocation needs slots, do the second one too, which takes a fraction of the time, and keep the one
 *           whose inserted moves, operands in slots and saved registers would be executed less often by the estimated frequency of
 *           the blocks, if the difference is clear.
 * Cost      One pass, and O(operands + moves) for each estimate. */
#include "regalloc/ion.h"

enum { LOAD = 3, STORE = 3, MOVE = 2, SAVE = 3 };
#define CLEARLY 0.9f /* frequencies are guesses */

static float estimate(const IonCtx *x, const RaOutput *out) {
    const RaFunc *f = x->f;
    const RaEdit *e = out->edits, *end = e + out->num_edits;
    float sum = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        uint32_t n = 0;
        for (; e < end && e->point < 2 * rb->inst_end; e++)
            n += ra_is_slot(e->to) ? STORE : ra_is_slot(e->from) ? LOAD : MOVE;
        for (uint32_t o = f->op_start[rb->inst_start]; o < f->op_start[rb->inst_end]; o++)
            if (out->allocs[o] != RA_ALLOC_NONE && ra_is_slot(out->allocs[o])) n += LOAD;
        sum += (float)n * x->freq.p[b];
    }
    RaPRegSet saved = out->written & x->env->allocatable & ~x->env->caller_saved;
    return sum + (float)(SAVE * u64_popcount(saved)) * x->freq.p[0];
}

bool ra_best(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    if (!ra_ion(c, f, env, out, d)) return false;
    if (out->num_slots == 0 || out->stats.fell_back || c->stress) return true;
    RaOutput other;
    Diag why_not = {0};
    if (!ra_onepass(c, f, env, &other, &why_not)) return true;
    if (estimate(c->ion, &other) >= CLEARLY * estimate(c->ion, out)) return true;
    *out = other;
    out->stats.outdone = 1;
    return true;
}
