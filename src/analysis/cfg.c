/* analysis/cfg.c — predecessors, successors and reverse postorder.
 *
 * Idea        Successors are read off each block's last instruction, a block named several times by one branch
 *             counting once (a stamp per block tells); targets outside the layout, which only an invalid function
 *             has, are no edges. Predecessors are the same edges sorted by target, by
 *             counting. Postorder is a depth-first walk with its own stack.
 * Cost        O(blocks + edges), entries of jump tables included. No allocation once the arrays are big enough.
 * requires: layout   preserves: everything */
#include "analysis/analysis.h"

static void collect_succs(CfgAnalysis *c, Mem *m, const ClifFunc *f) {
    uint32_t *stamp = analysis_fill(m, &c->scratch, c->nblocks, CLIF_NONE);
    vec_clear(&c->succ);
    vec_clear(&c->succ_start);
    for (uint32_t b = 0; b < c->nblocks; b++) {
        vec_push(m, &c->succ_start, c->succ.n);
        uint32_t last = f->blocks.p[b].last;
        if (!(f->blocks.p[b].flags & CLIF_BLOCK_INSERTED) || last == CLIF_NONE) continue;
        if (!clif_op_is((ClifOp)f->insts.p[last].op, CLIF_OPF_BRANCH)) continue;
        const ListRef *calls;
        ListRef tmp[2];
        uint32_t n = clif_branch_calls(f, (ClifInst){last}, &calls, tmp);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t to = clif_call_block(f, calls[k]).i;
            if (to >= c->nblocks || !(f->blocks.p[to].flags & CLIF_BLOCK_INSERTED) ||
                stamp[to] == b)
                continue;
            stamp[to] = b;
            vec_push(m, &c->succ, to);
        }
    }
    vec_push(m, &c->succ_start, c->succ.n);
}

static void invert(CfgAnalysis *c, Mem *m, const ClifFunc *f) {
    uint32_t *start = analysis_fill(m, &c->pred_start, c->nblocks + 1, 0);
    analysis_fill(m, &c->pred_block, c->succ.n, 0);
    analysis_fill(m, &c->pred_inst, c->succ.n, 0);
    for (uint32_t k = 0; k < c->succ.n; k++) start[c->succ.p[k] + 1]++;
    for (uint32_t b = 0; b < c->nblocks; b++) start[b + 1] += start[b];
    uint32_t *at = c->scratch.p; /* next free place per target */
    if (c->nblocks) memcpy(at, start, (size_t)c->nblocks * sizeof *at);
    for (uint32_t b = 0; b < c->nblocks; b++)
        for (uint32_t k = c->succ_start.p[b]; k < c->succ_start.p[b + 1]; k++) {
            uint32_t e = at[c->succ.p[k]]++;
            c->pred_block.p[e] = b;
            c->pred_inst.p[e] = f->blocks.p[b].last;
        }
}

/* Successors are walked first to last, the reference's order: loops tend to be closed before they are left. */
static void postorder(CfgAnalysis *c, Mem *m, uint32_t entry) {
    uint32_t *num = analysis_fill(m, &c->rpo_num, c->nblocks, CLIF_NONE);
    vec_clear(&c->rpo);
    if (entry == CLIF_NONE) return;
    uint32_t *left = c->scratch.p; /* successors not walked yet */
    for (uint32_t b = 0; b < c->nblocks; b++) left[b] = c->succ_start.p[b + 1] - c->succ_start.p[b];
    vec_clear(&c->stack);
    vec_push(m, &c->stack, entry);
    num[entry] = 0;
    while (c->stack.n) {
        uint32_t b = vec_last(&c->stack);
        if (left[b] == 0) {
            vec_push(m, &c->rpo, b);
            c->stack.n--;
            continue;
        }
        uint32_t s = c->succ.p[c->succ_start.p[b + 1] - left[b]--];
        if (num[s] != CLIF_NONE) continue;
        num[s] = 0;
        vec_push(m, &c->stack, s);
    }
    uint32_t n = c->rpo.n;
    for (uint32_t k = 0; k < n / 2; k++) {
        uint32_t t = c->rpo.p[k];
        c->rpo.p[k] = c->rpo.p[n - 1 - k];
        c->rpo.p[n - 1 - k] = t;
    }
    for (uint32_t k = 0; k < n; k++) num[c->rpo.p[k]] = k;
}

void cfg_compute(CfgAnalysis *c, Mem *m, const ClifFunc *f) {
    c->nblocks = f->blocks.n;
    collect_succs(c, m, f);
    invert(c, m, f);
    postorder(c, m, f->first_block);
}

void cfg_free(CfgAnalysis *c, Mem *m) {
    vec_free(m, &c->succ_start);
    vec_free(m, &c->succ);
    vec_free(m, &c->pred_start);
    vec_free(m, &c->pred_block);
    vec_free(m, &c->pred_inst);
    vec_free(m, &c->rpo);
    vec_free(m, &c->rpo_num);
    vec_free(m, &c->scratch);
    vec_free(m, &c->stack);
}

void inst_order_compute(InstOrder *o, Mem *m, const ClifFunc *f) {
    uint32_t *num = analysis_fill(m, &o->num, f->insts.n, CLIF_NONE);
    CLIF_FOR_BLOCKS(f, b) {
        uint32_t k = 0;
        CLIF_FOR_INSTS(f, b, i) num[i] = k++;
    }
}

void inst_order_free(InstOrder *o, Mem *m) {
    vec_free(m, &o->num);
}
