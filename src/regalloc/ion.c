/* regalloc/ion.c — the backtracking allocator: its phases in order, and its context.
 *
 * Problem   Registers for good code: values stay in registers where it is hot, whatever the order of the blocks.
 * Idea      Live ranges of values that should share a place form bundles (ion_live.c, ion_build.c, ion_merge.c). Bundles are placed
 *           longest first (ion_queue.c), evicting lighter ones and splitting themselves (ion_process.c, ion_split.c), with maps of what is
 *           free where (ion_occ.c) and sorted sets of who is there (ion_regs.c); what is left over gets registers that nobody wants
 *           (ion_gaps.c), else slots (ion_spill.c); moves connect the pieces (ion_moves.c, ion_edits.c).
 * Budget    A function with too much live between its blocks goes to the one-pass allocator.
 * Memory    kept in the context for the next function; see docs/regalloc.md.
 * Ref       regalloc2, doc/ION.md; IonMonkey's BacktrackingAllocator. Deterministic: ties go to the older bundle.
 * requires: SSA input as regalloc.h says */
#include "regalloc/ion.h"

static void start_maps(IonCtx *x) {
    ion_map_init(x, &x->occ, 2 * x->f->num_insts);
    for (uint32_t k = 0; k < x->wall.levels; k++)
        memcpy(x->occ.any[k].p, x->wall.any[k].p, x->wall.any[k].n * sizeof(uint64_t));
}

bool ra_ion(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    if (!c->ion) {
        c->ion = mem_alloc(c->mem, sizeof *c->ion);
        memset(c->ion, 0, sizeof *c->ion);
    }
    IonCtx *x = c->ion;
    x->c = c, x->mem = c->mem, x->f = f, x->env = env, x->d = d;
    x->st = (RaStats){0};
    if (!ion_liveness(x)) {
        if (!ra_onepass(c, f, env, out, d)) return false;
        out->stats.fell_back = 1;
        return true;
    }
    vec_clear(&x->allocs);
    vec_resize0(x->mem, &x->allocs, f->op_start[f->num_insts]);
    vec_clear(&x->ss);
    vec_clear(&x->spilled);
    vec_clear(&x->mark);
    x->questions = 0;
    ion_build(x);
    start_maps(x);
    ion_regs_reset(x);
    ion_queue_reset(x);
    ion_bundles(x);
    if (!ion_process(x)) return false;
    ion_fill_gaps(x);
    ion_slots(x);
    ion_insert_moves(x);
    ion_resolve_moves(x);
    x->st.bundles = x->b.n;
    x->st.ranges = x->r.n;
    *out = (RaOutput){.allocs = x->allocs.p,
                      .edits = x->edits.p,
                      .num_edits = x->edits.n,
                      .num_slots = x->num_slots,
                      .written = x->written,
                      .stats = x->st};
    return true;
}

void ra_ion_free(Mem *m, IonCtx *x) {
    if (!x) return;
    vec_free(m, &x->v);
    vec_free(m, &x->loops);
    vec_free(m, &x->freq);
    vec_free(m, &x->pred_ends);
    vec_free(m, &x->live_in);
    vec_free(m, &x->row);
    vec_free(m, &x->queued);
    vec_free(m, &x->r);
    vec_free(m, &x->uses);
    vec_free(m, &x->slot_ops);
    vec_free(m, &x->reuses);
    vec_free(m, &x->aliases);
    vec_free(m, &x->b);
    vec_free(m, &x->ss);
    vec_free(m, &x->pages);
    vec_free(m, &x->chunks);
    vec_free(m, &x->moves);
    vec_free(m, &x->moves2);
    vec_free(m, &x->copies);
    vec_free(m, &x->stores);
    vec_free(m, &x->edits);
    for (uint32_t p = 0; p < 64; p++) {
        vec_free(m, &x->fixed[p]);
        vec_free(m, &x->dir[p]);
        vec_free(m, &x->fresh[p]);
        vec_free(m, &x->ends_of[p]);
    }
    for (uint32_t k = 0; k < ION_LEVELS; k++) {
        vec_free(m, &x->occ.any[k]);
        vec_free(m, &x->occ.all[k]);
        vec_free(m, &x->wall.any[k]);
        vec_free(m, &x->wall.all[k]);
    }
    VecU32 *const words[] = {&x->loop_of,      &x->pred_edge,  &x->by_global,   &x->kill_at,
                             &x->kill,         &x->work,       &x->exposed,     &x->apart,
                             &x->related,      &x->conflicts,  &x->best,        &x->mark,
                             &x->spilled,      &x->keys,       &x->order,       &x->ends,
                             &x->free_pages,   &x->sort_a,     &x->sort_b,      &x->chain,
                             &x->related_next, &x->arg_place,  &x->param_place, &x->joined_at,
                             &x->allocs,       &x->exposed_at, &x->block_of};
    for (uint32_t k = 0; k < sizeof words / sizeof *words; k++) vec_free(m, words[k]);
    for (uint32_t k = 0; k < sizeof x->slot_free / sizeof *x->slot_free; k++)
        vec_free(m, &x->slot_free[k]);
    mem_free(m, x, sizeof *x);
}
