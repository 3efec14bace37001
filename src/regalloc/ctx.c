/* regalloc/ctx.c — the reusable context and the choice of algorithm. */
#include "regalloc/ra_int.h"

RaCtx *ra_ctx_new(Mem *m) {
    RaCtx *c = mem_alloc(m, sizeof *c);
    memset(c, 0, sizeof *c);
    c->mem = m;
    return c;
}

void ra_ctx_free(RaCtx *c) {
    if (!c) return;
    Mem *m = c->mem;
    vec_free(m, &c->v);
    vec_free(m, &c->edge_next);
    vec_free(m, &c->inst_kind);
    vec_free(m, &c->block_calls);
    vec_free(m, &c->loops);
    vec_free(m, &c->loop_of);
    vec_free(m, &c->loop_stack);
    vec_free(m, &c->entry);
    vec_free(m, &c->exit);
    vec_free(m, &c->state_words);
    vec_free(m, &c->slots);
    vec_free(m, &c->free_slots);
    vec_free(m, &c->allocs);
    vec_free(m, &c->edits);
    vec_free(m, &c->stores);
    vec_free(m, &c->sorted);
    vec_free(m, &c->pred_edge);
    vec_free(m, &c->places);
    vec_free(m, &c->entry_edits);
    vec_free(m, &c->moves);
    vec_free(m, &c->ordered);
    vec_free(m, &c->pm_writer);
    vec_free(m, &c->pm_from);
    vec_free(m, &c->pm_pending);
    vec_free(m, &c->pm_work);
    vec_free(m, &c->ck_words);
    vec_free(m, &c->ck_work);
    vec_free(m, &c->ck_state);
    vec_free(m, &c->ck_touched);
    vec_free(m, &c->ck_count);
    vec_free(m, &c->ck_param);
    vec_free(m, &c->ck_facts);
    vec_free(m, &c->ck_new);
    hashmap_free(m, &c->ck_known);
    vec_free(m, &c->ck_queued);
    vec_free(m, &c->in_stack);
    vec_free(m, &c->in_order);
    vec_free(m, &c->in_number);
    vec_free(m, &c->in_idom);
    vec_free(m, &c->in_def);
    ra_ion_free(m, c->ion);
    mem_free(m, c, sizeof *c);
}

RaFault ra_fault(const RaCtx *c) {
    return c->fault;
}

void ra_ctx_set_stress(RaCtx *c, uint64_t seed) {
    c->stress = seed;
    c->rng = seed * 0x9E3779B97F4A7C15u | 1;
}

bool ra_run(RaCtx *c, RaAlgo algo, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    static bool (*const algos[RA_NUM_ALGOS])(RaCtx *, const RaFunc *, const RaEnv *, RaOutput *,
                                             Diag *) = {
        [RA_ALGO_ION] = ra_ion, [RA_ALGO_ONEPASS] = ra_onepass, [RA_ALGO_BEST] = ra_best};
    if (!algos[algo](c, f, env, out, d)) return false;
    ra_count_moves(out);
    return true;
}

void ra_count_moves(RaOutput *out) {
    RaStats *s = &out->stats;
    s->slots = out->num_slots;
    s->stores = s->reloads = s->moves = 0;
    for (uint32_t k = 0; k < out->num_edits; k++) {
        const RaEdit *e = &out->edits[k];
        *(ra_is_slot(e->to) ? &s->stores : ra_is_slot(e->from) ? &s->reloads : &s->moves) += 1;
    }
}

void ra_stats_add(RaStats *sum, const RaStats *s) {
#define X(field, what) sum->field += s->field;
    RA_STATS(X)
#undef X
}
