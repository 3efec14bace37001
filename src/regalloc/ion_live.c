/* regalloc/ion_live.c — which values are live between which blocks; loops.
 *
 * Problem   The ranges need to know what is live at the end of each block.
 * Idea      Definitions stand before uses in block order, so one walk over the operands finds the values used outside their
 *           block, and the blocks that need them. Most are needed only where the block that defines them is the one
 *           predecessor: near; the list says it all. The far ones have a bit in a row per block; rows are OR-ed from the
 *           successors until nothing changes, last blocks first.
 * Loops     A loop is the blocks from a header to the last block that jumps back to it; where two cross, the
 *           inner one is cut short. They only guide choices.
 * Cost      O(operands + blocks * row * visits); with the last blocks first, a block is visited once more per loop level.
 *           Past a budget of row words or of live bits the function is left to the one-pass allocator. */
#include "regalloc/ion.h"

enum { ROW_WORDS_MAX = 1 << 22 }; /* 32 MB of live-in bits */
enum { BITS_PER_INST = 64, BITS_FREE = 1 << 16 };

static void find_loops(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->loops);
    vec_clear(&x->loop_of);
    vec_clear(&x->freq);
    uint32_t *loop_of = vec_extend(x->mem, &x->loop_of, f->num_blocks);
    float *freq = vec_extend(x->mem, &x->freq, f->num_blocks);
    uint32_t inner = NONE, end = 0;
    float w = 1;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        while (inner != NONE && 2 * rb->inst_start >= x->loops.p[inner].to) {
            if (x->loops.p[inner].depth <= 10) w /= 8;
            inner = x->loops.p[inner].parent;
        }
        end = 0;
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++)
            if (f->preds[p] >= b && f->preds[p] + 1 > end) end = f->preds[p] + 1;
        if (end) {
            uint32_t to = 2 * f->blocks[end - 1].inst_end;
            uint32_t depth = inner == NONE ? 1 : x->loops.p[inner].depth + 1;
            if (inner != NONE && to > x->loops.p[inner].to) to = x->loops.p[inner].to;
            vec_push(x->mem, &x->loops, (IonLoop){2 * rb->inst_start, to, inner, depth});
            inner = x->loops.n - 1;
            if (depth <= 10) w *= 8;
        }
        loop_of[b] = inner;
        freq[b] = w;
    }
}

uint32_t ion_loop_between(const IonCtx *x, uint32_t in, uint32_t out) {
    uint32_t best = NONE;
    for (uint32_t l = x->loop_of.p[ion_block_at(x, in)]; l != NONE; l = x->loops.p[l].parent) {
        if (x->loops.p[l].from <= out && out < x->loops.p[l].to) break;
        best = l;
    }
    return best;
}

/* Blocks by instruction, and where the predecessors of each end. */
static void index_blocks(IonCtx *x) {
    const RaFunc *f = x->f;
    vec_clear(&x->block_of);
    vec_clear(&x->pred_ends);
    uint32_t *block_of = vec_extend(x->mem, &x->block_of, f->num_insts);
    IonPreds *ends = vec_extend(x->mem, &x->pred_ends, f->num_blocks);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) block_of[i] = b;
        IonPreds e = {NONE, 0};
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            uint32_t end = 2 * f->blocks[f->preds[p]].inst_end - 1;
            if (end < e.first) e.first = end;
            if (end > e.last) e.last = end;
        }
        ends[b] = e;
    }
}

static void needs(IonCtx *x, IonVReg *iv, uint32_t v, uint32_t b) {
    if (iv->seen == b) return;
    iv->seen = b;
    vec_push(x->mem, &x->exposed, v);
    const RaBlock *rb = &x->f->blocks[b];
    bool near = rb->pred_end - rb->pred_start == 1 && x->f->preds[rb->pred_start] == iv->def_block;
    if (near || iv->global != NONE) return;
    iv->global = x->by_global.n;
    vec_push(x->mem, &x->by_global, v);
}

/* Definitions, the number of uses (in cursor), and per block the values it needs from others. */
static void walk(IonCtx *x) {
    const RaFunc *f = x->f;
    Mem *m = x->mem;
    vec_clear(&x->v);
    IonVReg *v = vec_extend(m, &x->v, f->num_vregs);
    for (uint32_t k = 0; k < f->num_vregs; k++)
        v[k] = (IonVReg){.first = NONE,
                         .global = NONE,
                         .seen = NONE,
                         .slot_set = NONE,
                         .fixed = ION_NOT_FIXED,
                         .width = f->vreg_slots ? f->vreg_slots[k] : 1};
    x->num_args = 0;
    vec_clear(&x->by_global);
    vec_clear(&x->exposed);
    vec_clear(&x->exposed_at);
    vec_clear(&x->pred_edge);
    uint32_t *pred_edge = vec_extend(m, &x->pred_edge, f->num_blocks);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        vec_push(m, &x->exposed_at, x->exposed.n);
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            IonVReg *p = &v[ra_vreg_index(f->params[k])];
            p->def_block = b, p->def_inst = rb->inst_start;
            p->is_param = 1, p->is_float = ra_vreg_class(f->params[k]) == RA_FLOAT;
        }
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++)
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
                const RaOperand *op = &f->ops[o];
                if (op->constraint == RA_FIXED_NONALLOC) continue;
                uint32_t k = ra_vreg_index(op->vreg);
                v[k].cursor++;
                if (op->kind == RA_DEF) {
                    v[k].def_block = b, v[k].def_inst = i;
                    v[k].is_float = ra_vreg_class(op->vreg) == RA_FLOAT;
                } else if (v[k].def_block != b) {
                    needs(x, &v[k], k, b);
                }
            }
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) {
            pred_edge[f->succs[e]] = e;
            if (f->edge_args[e + 1] > x->num_args) x->num_args = f->edge_args[e + 1];
            for (uint32_t a = f->edge_args[e]; a < f->edge_args[e + 1]; a++) {
                uint32_t k = ra_vreg_index(f->branch_args[a]);
                v[k].cursor++;
                if (v[k].def_block != b) needs(x, &v[k], k, b);
            }
        }
    }
    vec_push(m, &x->exposed_at, x->exposed.n);
    uint32_t n = 0; /* uses of v end at cursor */
    for (uint32_t k = 0; k < f->num_vregs; k++) v[k].cursor = n += v[k].cursor;
    vec_clear(&x->uses);
    (void)vec_extend(m, &x->uses, n);
}

/* The values of by_global that each block defines: kill[kill_at[b] .. kill_at[b + 1]). */
static void group_defs(IonCtx *x) {
    uint32_t nb = x->f->num_blocks, ng = x->by_global.n;
    vec_clear(&x->kill_at);
    vec_resize0(x->mem, &x->kill_at, nb + 2);
    vec_clear(&x->kill);
    (void)vec_extend(x->mem, &x->kill, ng);
    uint32_t *at = x->kill_at.p;
    for (uint32_t g = 0; g < ng; g++) at[x->v.p[x->by_global.p[g]].def_block + 2]++;
    for (uint32_t b = 0; b < nb; b++) at[b + 2] += at[b + 1];
    for (uint32_t g = 0; g < ng; g++) x->kill.p[at[x->v.p[x->by_global.p[g]].def_block + 1]++] = g;
}

static bool flow(IonCtx *x) {
    const RaFunc *f = x->f;
    Mem *m = x->mem;
    uint32_t words = x->row_words, nb = f->num_blocks;
    bitset_resize0(m, &x->queued, nb);
    vec_clear(&x->work);
    vec_clear(&x->row);
    uint64_t *row = vec_extend(m, &x->row, words + 1), *live_in = x->live_in.p, bits = 0;
    uint64_t most = (uint64_t)f->num_insts * BITS_PER_INST + BITS_FREE;
    for (uint32_t next = nb; next > 0 || x->work.n;) {
        uint32_t b = x->work.n ? vec_pop(&x->work) : --next;
        bitset_del(&x->queued, b);
        const RaBlock *rb = &f->blocks[b];
        memset(row, 0, words * sizeof *row);
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) {
            const uint64_t *in = &live_in[(size_t)f->succs[e] * words];
            for (uint32_t w = 0; w < words; w++) row[w] |= in[w];
        }
        for (uint32_t k = x->kill_at.p[b]; k < x->kill_at.p[b + 1]; k++)
            row[x->kill.p[k] / 64] &= ~((uint64_t)1 << (x->kill.p[k] & 63));
        uint64_t *in = &live_in[(size_t)b * words], fresh = 0;
        for (uint32_t w = 0; w < words; w++) {
            uint64_t n = row[w] & ~in[w];
            if (!n) continue;
            fresh |= n;
            bits += u64_popcount(n);
            in[w] |= n;
        }
        if (bits > most) return false;
        /* those that are still to come need no second visit */
        if (fresh)
            for (uint32_t p = rb->pred_start; p < rb->pred_end; p++)
                if (f->preds[p] >= next && bitset_test_add(&x->queued, f->preds[p]))
                    vec_push(m, &x->work, f->preds[p]);
    }
    return true;
}

bool ion_liveness(IonCtx *x) {
    uint32_t nb = x->f->num_blocks;
    find_loops(x);
    index_blocks(x);
    walk(x);
    x->row_words = (x->by_global.n + 63) / 64;
    if ((uint64_t)x->row_words * nb > ROW_WORDS_MAX) return false;
    vec_clear(&x->live_in);
    vec_resize0(x->mem, &x->live_in, x->row_words * nb + 1); /* never empty: rows are pointed to */
    for (uint32_t b = 0; b < nb; b++) {
        uint64_t *in = &x->live_in.p[(size_t)b * x->row_words];
        for (uint32_t k = x->exposed_at.p[b]; k < x->exposed_at.p[b + 1]; k++) {
            uint32_t g = x->v.p[x->exposed.p[k]].global;
            if (g != NONE) in[g / 64] |= (uint64_t)1 << (g & 63);
        }
    }
    if (x->by_global.n == 0) return true;
    group_defs(x);
    return flow(x);
}
