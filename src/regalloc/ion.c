/* regalloc/ion.c — the backtracking allocator: its phases in order, and its context.
 *
 * Problem   Registers for good code: values stay in registers where it is hot, whatever the order of the blocks.
 * Idea      Live ranges of values that should share a place form bundles (ion_live.c, ion_merge.c). Bundles are placed longest first,
 *           evicting lighter ones and splitting themselves, into per-register interval sets (ion_process.c, ion_split.c,
 *           ion_regs.c); what needs no register gets one if there is room, else a slot (ion_spill.c); moves connect
 *           the pieces (ion_moves.c).
 * Budget    A function whose live-in sets would be too large goes to the one-pass allocator.
 * Memory    40 bytes per range, 20 per use, 36 per value, 24 per bundle and spill set, 13 per entry of a register, 64 MB of
 *           live-in bits at most; kept in the context for the next function.
 * Ref       regalloc2, doc/ION.md; IonMonkey's BacktrackingAllocator. Deterministic: ties go to the older bundle.
 * requires: SSA input as regalloc.h says */
#include "regalloc/ion.h"

bool ra_ion(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    if (!c->ion) {
        c->ion = mem_alloc(c->mem, sizeof *c->ion);
        memset(c->ion, 0, sizeof *c->ion);
    }
    IonCtx *x = c->ion;
    x->c = c, x->mem = c->mem, x->f = f, x->env = env, x->d = d;
    x->st = (RaStats){0};
    vec_clear(&x->allocs);
    vec_resize0(x->mem, &x->allocs, f->op_start[f->num_insts]);
    vec_clear(&x->queue);
    vec_clear(&x->spilled);
    vec_clear(&x->mark);
    x->mark_now = 0;
    if (!ion_liveness(x)) {
        if (!ra_onepass(c, f, env, out, d)) return false;
        out->stats.fell_back = 1;
        return true;
    }
    ion_ranges(x);
    ion_bundles(x);
    ion_regs_reset(x);
    if (!ion_process(x)) return false;
    ion_spill(x);
    ion_insert_moves(x);
    ion_resolve_moves(x);
    RaPRegSet written = 0;
    for (uint32_t i = 0; i < f->num_insts; i++) {
        if (f->inst_flags[i] & RA_INST_ENTRY) continue;
        for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++)
            if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC &&
                ra_is_reg(x->allocs.p[o]))
                written |= ra_set(ra_alloc_preg(x->allocs.p[o]));
    }
    for (uint32_t k = 0; k < x->edits.n; k++)
        if (ra_is_reg(x->edits.p[k].to)) written |= ra_set(ra_alloc_preg(x->edits.p[k].to));
    x->st.bundles = x->b.n;
    *out = (RaOutput){.allocs = x->allocs.p,
                      .edits = x->edits.p,
                      .num_edits = x->edits.n,
                      .num_slots = x->num_slots,
                      .written = written,
                      .stats = x->st};
    return true;
}

void ra_ion_free(Mem *m, IonCtx *x) {
    if (!x) return;
    vec_free(m, &x->v);
    vec_free(m, &x->r);
    vec_free(m, &x->uses);
    vec_free(m, &x->linked);
    vec_free(m, &x->b);
    vec_free(m, &x->ss);
    vec_free(m, &x->pages);
    vec_free(m, &x->queue);
    vec_free(m, &x->moves);
    vec_free(m, &x->moves2);
    vec_free(m, &x->edits);
    vec_free(m, &x->live_in);
    vec_free(m, &x->row);
    vec_free(m, &x->queued);
    for (uint32_t p = 0; p < 64; p++) vec_free(m, &x->dir[p]);
    for (uint32_t w = 0; w < 3; w++) vec_free(m, &x->slot_free[w]);
    VecU32 *const words[] = {
        &x->free_pages, &x->block_of, &x->depth,   &x->pred_edge, &x->by_global,
        &x->live,       &x->kill,     &x->kill_at, &x->work,      &x->reuse_ops,
        &x->reuse_inst, &x->copies,   &x->spilled, &x->conflicts, &x->best,
        &x->mark,       &x->sort_a,   &x->sort_b,  &x->keys,      &x->by_ranges,
        &x->by_vreg,    &x->vreg_at,  &x->cover,   &x->allocs,    &x->holds};
    for (uint32_t k = 0; k < sizeof words / sizeof *words; k++) vec_free(m, words[k]);
    mem_free(m, x, sizeof *x);
}
