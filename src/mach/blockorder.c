/* mach/blockorder.c — the sequence of machine blocks, with critical edges split.
 *
 * Problem  The allocator needs (a) every block after some predecessor, so that definitions come before uses in a
 *          linear scan, (b) no edge from a block with several successors to one with several predecessors.
 *          The code should keep the producer's order: front ends write loops contiguously.
 * Idea     Take the layout order of reachable blocks with cold blocks moved to the end. If some block then
 *          precedes all its predecessors, take the plain layout order; if that fails too, reverse postorder.
 *          (If every block but the first has an earlier predecessor, all its dominators are earlier: by
 *          induction along that predecessor.) Front ends mostly give a layout that is valid and without cold
 *          blocks: one walk over it finds that out and what is reachable; only otherwise is the graph searched.
 *          Then each critical edge gets an edge block right after its source; equal argument-less targets of one
 *          branch share one edge.
 *          Every edge of a try_call has an edge block: results and payloads arrive there, in registers.
 * Cost     O(blocks + edges). No recursion.
 * Ref      cranelift/codegen/src/machinst/blockorder.rs */
#include "mach/mach_int.h"

void blockorder_free(BlockOrder *o, Mem *m) {
    vec_free(m, &o->blocks);
    vec_free(m, &o->succs);
    vec_free(m, &o->edge_calls);
    vec_free(m, &o->targets);
    vec_free(m, &o->target_calls);
    vec_free(m, &o->preds);
    vec_free(m, &o->pred_first);
    vec_free(m, &o->order);
    vec_free(m, &o->npred);
    vec_free(m, &o->label);
    vec_free(m, &o->mark);
    vec_free(m, &o->stack);
}

/* The blockcalls of b's branch; *calls points into the function. */
static inline uint32_t block_calls(const ClifFunc *f, uint32_t b, const ListRef **calls) {
    uint32_t last = f->blocks.p[b].last;
    if (last == CLIF_NONE) COT_BUG("block%u has no terminator", b);
    const ClifInstData *d = &f->insts.p[last];
    if (d->op == CLIF_OP_JUMP) {
        *calls = &d->a;
        return 1;
    }
    if (d->op == CLIF_OP_BRIF) { /* b and c */
        *calls = &d->b;
        return 2;
    }
    ListRef tmp[2];
    if (!clif_op_is((ClifOp)d->op, CLIF_OPF_BRANCH)) return 0;
    return clif_branch_calls(f, (ClifInst){last}, calls, tmp); /* a table: not in tmp */
}

/* One walk over the layout: o->npred per block (0 = unreachable, entry counts 1), reachable blocks in o->order.
 * False if some block precedes all its predecessors. */
static bool walk_layout(BlockOrder *o, Mem *m, const ClifFunc *f, bool *has_cold) {
    vec_clear(&o->npred);
    vec_resize0(m, &o->npred, f->blocks.n);
    vec_clear(&o->order);
    uint32_t *npred = o->npred.p, skipped = 0, reachable = 1;
    uint32_t *order = vec_extend(m, &o->order, f->blocks.n), n = 0;
    *has_cold = false;
    npred[f->first_block] = 1;
    CLIF_FOR_BLOCKS(f, b) {
        if (!npred[b]) {
            skipped++;
            continue;
        }
        order[n++] = b;
        *has_cold |= f->blocks.p[b].flags & CLIF_BLOCK_COLD;
        const ListRef *calls;
        for (uint32_t k = block_calls(f, b, &calls); k--;)
            reachable += npred[clif_call_block(f, calls[k]).i]++ == 0;
    }
    o->order.n = n;
    return !skipped || reachable == n;
}

/* Depth-first search from the entry: o->npred per block (0 = unreachable, entry counts 1), postorder in o->order. */
static void search(BlockOrder *o, Mem *m, const ClifFunc *f) {
    uint32_t nb = f->blocks.n;
    vec_clear(&o->npred);
    vec_resize0(m, &o->npred, nb);
    vec_clear(&o->order);
    vec_clear(&o->stack); /* pairs (block, next call to visit, counted down) */
    const ListRef *calls;
    o->npred.p[f->first_block] = 1;
    vec_push(m, &o->stack, f->first_block);
    vec_push(m, &o->stack, block_calls(f, f->first_block, &calls));
    while (o->stack.n) {
        uint32_t b = o->stack.p[o->stack.n - 2];
        uint32_t *left = &o->stack.p[o->stack.n - 1];
        if (*left == 0) {
            vec_push(m, &o->order, b);
            o->stack.n -= 2;
            continue;
        }
        block_calls(f, b, &calls);
        uint32_t s = clif_call_block(f, calls[--*left]).i;
        if (o->npred.p[s]++ == 0) {
            vec_push(m, &o->stack, s);
            vec_push(m, &o->stack, block_calls(f, s, &calls));
        }
    }
}

/* Every block but the first has a predecessor before it. */
static bool order_is_valid(BlockOrder *o, Mem *m, const ClifFunc *f, const uint32_t *seq,
                           uint32_t n) {
    vec_clear(&o->mark);
    vec_resize0(m, &o->mark, f->blocks.n);
    o->mark.p[seq[0]] = 1;
    for (uint32_t i = 0; i < n; i++) {
        if (!o->mark.p[seq[i]]) return false;
        const ListRef *calls;
        uint32_t k = block_calls(f, seq[i], &calls);
        while (k--) o->mark.p[clif_call_block(f, calls[k]).i] = 1;
    }
    return true;
}

static void choose_order(BlockOrder *o, Mem *m, const ClifFunc *f) {
    bool has_cold;
    if (walk_layout(o, m, f, &has_cold) && !has_cold) return;
    search(o, m, f);
    uint32_t n = o->order.n;
    for (uint32_t i = 0; i < n / 2; i++) { /* postorder -> reverse postorder */
        uint32_t t = o->order.p[i];
        o->order.p[i] = o->order.p[n - 1 - i];
        o->order.p[n - 1 - i] = t;
    }
    vec_clear(&o->stack);
    for (int cold = 0; cold < 2; cold++) CLIF_FOR_BLOCKS(f, b)
    if (o->npred.p[b] && !(f->blocks.p[b].flags & CLIF_BLOCK_COLD) == !cold)
        vec_push(m, &o->stack, b);
    if (!order_is_valid(o, m, f, o->stack.p, n)) {
        vec_clear(&o->stack);
        CLIF_FOR_BLOCKS(f, b) if (o->npred.p[b]) vec_push(m, &o->stack, b);
        if (!order_is_valid(o, m, f, o->stack.p, n)) return; /* keep reverse postorder */
    }
    memcpy(o->order.p, o->stack.p, n * sizeof(uint32_t));
}

#define TO_CLIF 0x80000000u /* a target not yet turned into a label */

/* Appends block b and its edge blocks; targets hold edge block indices or TO_CLIF | block. */
static void number_block(BlockOrder *o, Mem *m, const ClifFunc *f, uint32_t b) {
    const ListRef *calls;
    uint32_t k = block_calls(f, b, &calls), self = o->blocks.n, at = o->targets.n;
    o->label.p[b] = self;
    vec_push(m, &o->blocks, (MachBlock){.clif = b, .target_first = at, .ntarget = k});
    if (k == 0) return;
    uint32_t last = f->blocks.p[b].last;
    bool try_call =
        f->insts.p[last].op == CLIF_OP_TRY_CALL || f->insts.p[last].op == CLIF_OP_TRY_CALL_INDIRECT;
    uint32_t *targets = vec_extend(m, &o->targets, k);
    memcpy(vec_extend(m, &o->target_calls, k), calls, k * sizeof *calls);
    for (uint32_t j = 0; j < k; j++) {
        uint32_t s = clif_call_block(f, calls[j]).i, to = TO_CLIF | s;
        if (try_call) { /* results and payloads arrive on the edge */
            to = o->blocks.n;
            vec_push(m, &o->blocks,
                     (MachBlock){.clif = CLIF_NONE,
                                 .edge_call = calls[j],
                                 .landing = last + 1,
                                 .landing_call = j});
        } else if (k >= 2 && o->npred.p[s] >= 2) {
            bool bare = list_len(&f->lists, calls[j]) == 1;
            if (bare && o->mark.p[s] > self && o->mark.p[s] != UINT32_MAX) {
                to = o->mark.p[s]; /* shares the edge of an earlier target */
            } else {
                to = o->blocks.n;
                if (bare) o->mark.p[s] = to;
                vec_push(m, &o->blocks, (MachBlock){.clif = CLIF_NONE, .edge_call = calls[j]});
            }
        }
        targets[j] = to;
    }
}

static inline void add_succ(BlockOrder *o, Mem *m, const ClifFunc *f, uint32_t to, ListRef call) {
    vec_push(m, &o->succs, to);
    vec_push(m, &o->edge_calls, call && list_len(&f->lists, call) > 1 ? call : 0);
}

static void link_block(BlockOrder *o, Mem *m, const ClifFunc *f, uint32_t i) {
    MachBlock *mb = &o->blocks.p[i];
    mb->succ_first = o->succs.n;
    if (mb->clif == CLIF_NONE) {
        uint32_t to = o->label.p[clif_call_block(f, mb->edge_call).i];
        mb->target_first = o->targets.n;
        mb->ntarget = 1;
        vec_push(m, &o->targets, to);
        add_succ(o, m, f, to, mb->edge_call);
    } else {
        uint32_t next_edge = i + 1; /* edge blocks were made in the order of their first use */
        for (uint32_t j = 0; j < mb->ntarget; j++) {
            uint32_t *t = &o->targets.p[mb->target_first + j];
            if (*t & TO_CLIF) {
                *t = o->label.p[*t & ~TO_CLIF];
                add_succ(o, m, f, *t, o->target_calls.p[mb->target_first + j]);
            } else if (*t == next_edge) {
                next_edge++;
                add_succ(o, m, f, *t, 0);
            }
        }
    }
    mb->nsucc = o->succs.n - mb->succ_first;
}

static void fill_preds(BlockOrder *o, Mem *m) {
    uint32_t nb = o->blocks.n;
    vec_clear(&o->pred_first);
    vec_resize0(m, &o->pred_first, nb + 1);
    for (uint32_t e = 0; e < o->succs.n; e++) o->pred_first.p[o->succs.p[e] + 1]++;
    for (uint32_t b = 0; b < nb; b++) o->pred_first.p[b + 1] += o->pred_first.p[b];
    vec_clear(&o->preds);
    vec_resize0(m, &o->preds, o->succs.n);
    vec_clear(&o->stack);
    uint32_t *at = vec_extend(m, &o->stack, nb);
    memcpy(at, o->pred_first.p, nb * sizeof *at);
    for (uint32_t b = 0; b < nb; b++) {
        const MachBlock *mb = &o->blocks.p[b];
        for (uint32_t e = 0; e < mb->nsucc; e++)
            o->preds.p[at[o->succs.p[mb->succ_first + e]]++] = b;
    }
}

bool blockorder_compute(BlockOrder *o, Mem *m, const ClifFunc *f, Diag *d) {
    if (f->first_block == CLIF_NONE) return diag_msg(d, DIAG_INVALID, "function without blocks");
    choose_order(o, m, f);
    vec_clear(&o->label);
    vec_resize0(m, &o->label, f->blocks.n);
    vec_clear(&o->mark); /* per CLIF block: the argument-less edge block of the current branch */
    vec_resize0(m, &o->mark, f->blocks.n);
    memset(o->mark.p, 0xFF, f->blocks.n * sizeof(uint32_t));
    vec_clear(&o->blocks);
    vec_clear(&o->succs);
    vec_clear(&o->edge_calls);
    vec_clear(&o->targets);
    vec_clear(&o->target_calls);
    vec_reserve(m, &o->blocks, o->order.n);
    vec_reserve(m, &o->succs, o->order.n);
    vec_reserve(m, &o->edge_calls, o->order.n);
    vec_reserve(m, &o->targets, o->order.n);
    vec_reserve(m, &o->target_calls, o->order.n);
    for (uint32_t i = 0; i < o->order.n; i++) number_block(o, m, f, o->order.p[i]);
    for (uint32_t i = 0; i < o->blocks.n; i++) link_block(o, m, f, i);
    fill_preds(o, m);
    return true;
}
