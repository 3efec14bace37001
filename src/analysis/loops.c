/* analysis/loops.c — natural loops, their nesting, and a block order in which each loop is contiguous.
 *
 * Idea        A header is a block that dominates one of its predecessors. Headers are taken in reverse order of
 *             rpo, so inner loops are complete before the loops around them; the members of a loop are found
 *             walking backwards from its back edges. A block that already has a loop stands for its outermost
 *             loop so far, found by union-find, whose header's predecessors continue the walk: every block is
 *             entered once per loop-tree edge. Edges into cycles whose entry does not dominate them (irreducible
 *             ones) make no loop.
 *             The order puts, within each loop and outside of all, the blocks and inner loops (standing at
 *             their headers) in rpo. It is again a reverse postorder of the graph without back edges, because
 *             a header dominates its loop.
 * Cost        O((blocks + edges) * inverse Ackermann).
 * requires: cfg domtree   preserves: everything */
#include "analysis/analysis.h"

/* The outermost loop known so far around loop l. */
static uint32_t outermost(LoopAnalysis *l, uint32_t loop) {
    uint32_t *up = l->up.p, top = loop;
    while (up[top] != top) top = up[top];
    while (up[loop] != top) {
        uint32_t next = up[loop];
        up[loop] = top;
        loop = next;
    }
    return top;
}

static void push_preds(LoopAnalysis *l, Mem *m, const CfgAnalysis *c, uint32_t b) {
    for (uint32_t k = c->pred_start.p[b]; k < c->pred_start.p[b + 1]; k++)
        if (c->rpo_num.p[c->pred_block.p[k]] != CLIF_NONE)
            vec_push(m, &l->stack, c->pred_block.p[k]);
}

static void find_members(LoopAnalysis *l, Mem *m, const CfgAnalysis *c, uint32_t loop) {
    uint32_t header = l->loops.p[loop].header;
    while (l->stack.n) {
        uint32_t b = vec_pop(&l->stack), in = l->loop_of.p[b];
        if (in == CLIF_NONE) {
            l->loop_of.p[b] = loop;
            if (b != header) push_preds(l, m, c, b);
            continue;
        }
        uint32_t top = outermost(l, in);
        if (top == loop) continue;
        l->loops.p[top].parent = loop;
        l->up.p[top] = loop;
        push_preds(l, m, c, l->loops.p[top].header);
    }
}

static void put_in_order(LoopAnalysis *l, Mem *m, const CfgAnalysis *c) {
    /* Children lists of "no loop" (index nloops) and of each loop; an item is a block, standing for its loop
     * when it is a header and the list is not that of its own loop. */
    uint32_t nl = l->loops.n;
    uint32_t *head = analysis_fill(m, &l->head, nl + 1, CLIF_NONE),
             *next = analysis_fill(m, &l->next, c->nblocks, CLIF_NONE);
    uint32_t *num = analysis_fill(m, &l->order_num, c->nblocks, CLIF_NONE);
    for (uint32_t k = c->rpo.n; k-- > 0;) {
        uint32_t b = c->rpo.p[k], in = l->loop_of.p[b];
        if (in != CLIF_NONE && l->loops.p[in].header == b) in = l->loops.p[in].parent;
        uint32_t list = in == CLIF_NONE ? nl : in;
        next[b] = head[list];
        head[list] = b;
    }
    vec_clear(&l->order);
    vec_clear(&l->stack); /* (list, next item) pairs */
    uint32_t list = nl, b = head[nl];
    for (;;) {
        if (b == CLIF_NONE) {
            if (list != nl) l->loops.p[list].end = l->order.n;
            if (!l->stack.n) break;
            b = vec_pop(&l->stack);
            list = vec_pop(&l->stack);
            continue;
        }
        num[b] = l->order.n;
        uint32_t in = l->loop_of.p[b], after = next[b];
        if (in != CLIF_NONE && l->loops.p[in].header == b) {
            l->loops.p[in].start = l->order.n;
            vec_push(m, &l->stack, list);
            vec_push(m, &l->stack, after);
            list = in;
            after = head[in];
        }
        vec_push(m, &l->order, b);
        b = after;
    }
}

void loops_compute(LoopAnalysis *l, Mem *m, const CfgAnalysis *c, const DomTree *d) {
    analysis_fill(m, &l->loop_of, c->nblocks, CLIF_NONE);
    vec_clear(&l->loops);
    vec_clear(&l->up);
    for (uint32_t k = c->rpo.n; k-- > 0;) {
        uint32_t h = c->rpo.p[k], loop = l->loops.n;
        vec_clear(&l->stack);
        for (uint32_t e = c->pred_start.p[h]; e < c->pred_start.p[h + 1]; e++)
            if (dom_dominates(d, (ClifBlock){h}, (ClifBlock){c->pred_block.p[e]}))
                vec_push(m, &l->stack, c->pred_block.p[e]);
        if (!l->stack.n) continue;
        vec_push(m, &l->loops, (Loop){h, CLIF_NONE, 0, 0, 0});
        vec_push(m, &l->up, loop);
        l->loop_of.p[h] = loop;
        find_members(l, m, c, loop);
    }
    for (uint32_t k = l->loops.n; k-- > 0;) {
        Loop *p = &l->loops.p[k];
        p->depth = p->parent == CLIF_NONE ? 1 : l->loops.p[p->parent].depth + 1;
    }
    put_in_order(l, m, c);
}

void loops_free(LoopAnalysis *l, Mem *m) {
    vec_free(m, &l->loops);
    vec_free(m, &l->loop_of);
    vec_free(m, &l->order);
    vec_free(m, &l->order_num);
    vec_free(m, &l->up);
    vec_free(m, &l->stack);
    vec_free(m, &l->head);
    vec_free(m, &l->next);
}
