/* analysis/analysis.h — control-flow facts about a ClifFunc, each in flat arrays that are reused from one
 * function to the next. Blocks not in the layout have no edges; unreachable blocks have edges but no order,
 * no dominator and no loop. Zero-initialise the structs; compute in the order cfg, domtree, loops. */
#ifndef COT_ANALYSIS_ANALYSIS_H
#define COT_ANALYSIS_ANALYSIS_H
#include "clif/clif.h"

/* Makes v exactly n elements, all `fill`; returns them. */
static inline uint32_t *analysis_fill(Mem *m, VecU32 *v, uint32_t n, uint32_t fill) {
    vec_clear(v);
    uint32_t *p = vec_extend(m, v, n);
    for (uint32_t k = 0; k < n; k++) p[k] = fill;
    return p;
}

typedef struct CfgAnalysis {
    uint32_t nblocks;
    VecU32 succ_start,
        succ; /* successors of b: succ[succ_start[b] .. succ_start[b+1]), each block once */
    VecU32 pred_start, pred_block, pred_inst; /* likewise; the block and its branch */
    VecU32 rpo;     /* reachable blocks in reverse postorder, the entry first */
    VecU32 rpo_num; /* place of each block in rpo, CLIF_NONE = unreachable */
    VecU32 scratch, stack;
} CfgAnalysis;
void cfg_compute(CfgAnalysis *c, Mem *m, const ClifFunc *f);
void cfg_free(CfgAnalysis *c, Mem *m);
static inline bool cfg_reachable(const CfgAnalysis *c, ClifBlock b) {
    return c->rpo_num.p[b.i] != CLIF_NONE;
}
static inline const uint32_t *cfg_succs(const CfgAnalysis *c, ClifBlock b, uint32_t *n) {
    *n = c->succ_start.p[b.i + 1] - c->succ_start.p[b.i];
    return *n ? c->succ.p + c->succ_start.p[b.i] : NULL;
}
static inline const uint32_t *cfg_preds(const CfgAnalysis *c, ClifBlock b, uint32_t *n) {
    *n = c->pred_start.p[b.i + 1] - c->pred_start.p[b.i];
    return *n ? c->pred_block.p + c->pred_start.p[b.i] : NULL;
}

typedef struct DomTree {
    VecU32
        idom; /* per block: immediate dominator, CLIF_NONE for the entry and unreachable blocks */
    VecU32 pre,
        size; /* per block: preorder number and number of blocks in its subtree; pre CLIF_NONE = unreachable */
    VecU32 vertex, dfs, parent, semi, label, anc, dom, stack, next;
} DomTree;
void domtree_compute(DomTree *d, Mem *m, const CfgAnalysis *c);
void domtree_free(DomTree *d, Mem *m);
/* Does a dominate b (a == b included)? False if either is unreachable. */
static inline bool dom_dominates(const DomTree *d, ClifBlock a, ClifBlock b) {
    return d->pre.p[a.i] != CLIF_NONE && d->pre.p[b.i] != CLIF_NONE &&
           d->pre.p[b.i] - d->pre.p[a.i] < d->size.p[a.i];
}
/* Place of each instruction in its block, so that order within a block is one comparison. */
typedef struct InstOrder {
    VecU32 num;
} InstOrder;
void inst_order_compute(InstOrder *o, Mem *m, const ClifFunc *f);
void inst_order_free(InstOrder *o, Mem *m);

typedef struct Loop {
    uint32_t header, parent; /* parent: the loop around it, CLIF_NONE = none */
    uint32_t depth;          /* 1 = outermost */
    uint32_t start, end;     /* its blocks are order[start .. end) */
} Loop;
typedef struct LoopAnalysis {
    VEC(Loop) loops; /* inner loops before the loops around them */
    VecU32 loop_of;  /* per block: innermost loop, CLIF_NONE = none */
    VecU32
        order; /* reachable blocks: a reverse postorder in which every loop is contiguous, header first */
    VecU32 order_num; /* place in it, CLIF_NONE = unreachable */
    VecU32 up, stack, head, next;
} LoopAnalysis;
void loops_compute(LoopAnalysis *l, Mem *m, const CfgAnalysis *c, const DomTree *d);
void loops_free(LoopAnalysis *l, Mem *m);
static inline uint32_t loop_depth(const LoopAnalysis *l, ClifBlock b) {
    return l->loop_of.p[b.i] == CLIF_NONE ? 0 : l->loops.p[l->loop_of.p[b.i]].depth;
}
static inline bool loop_is_header(const LoopAnalysis *l, ClifBlock b) {
    return l->loop_of.p[b.i] != CLIF_NONE && l->loops.p[l->loop_of.p[b.i]].header == b.i;
}
#endif
