/* analysis/domtree.c — dominator tree by Semi-NCA.
 *
 * Idea        Number the reachable blocks in depth-first preorder. In descending order compute semidominators with
 *             the path compression of Lengauer and Tarjan (written as a loop); then, ascending, the immediate
 *             dominator of w is the nearest ancestor of w's parent in the tree so far whose number is not above
 *             w's semidominator. Numbers within the tree need no second walk: a dominator has a smaller number
 *             than what it dominates, so subtree sizes add up in one descending pass and preorder places in one
 *             ascending pass.
 * Cost        O(edges * log blocks), in practice linear; a long chain and deep nests of loops included.
 * Ref         Georgiadis: Linear-Time Algorithms for Dominators and Related Problems (2005), 2.3.
 * requires: cfg   preserves: everything */
#include "analysis/analysis.h"

/* dfs[b] = number, vertex[number] = b, parent[number] = number of the tree parent. */
static void number(DomTree *d, Mem *m, const CfgAnalysis *c) {
    uint32_t n = c->rpo.n;
    uint32_t *dfs = analysis_fill(m, &d->dfs, c->nblocks, CLIF_NONE);
    uint32_t *parent = analysis_fill(m, &d->parent, n, 0), *next = analysis_fill(m, &d->next, n, 0);
    vec_clear(&d->vertex);
    vec_clear(&d->stack);
    dfs[c->rpo.p[0]] = 0;
    vec_push(m, &d->vertex, c->rpo.p[0]);
    vec_push(m, &d->stack, 0);
    while (d->stack.n) {
        uint32_t v = vec_last(&d->stack), b = d->vertex.p[v], k = c->succ_start.p[b] + next[v];
        if (k == c->succ_start.p[b + 1]) {
            d->stack.n--;
            continue;
        }
        next[v]++;
        uint32_t to = c->succ.p[k];
        if (dfs[to] != CLIF_NONE) continue;
        dfs[to] = d->vertex.n;
        parent[dfs[to]] = v;
        vec_push(m, &d->vertex, to);
        vec_push(m, &d->stack, dfs[to]);
    }
}

/* The vertex of least semidominator on the linked path above v (v included); compresses the path. */
static uint32_t eval(DomTree *d, Mem *m, uint32_t v) {
    uint32_t *anc = d->anc.p, *label = d->label.p, *semi = d->semi.p;
    if (anc[v] == CLIF_NONE) return v;
    vec_clear(&d->stack);
    for (uint32_t u = v; anc[anc[u]] != CLIF_NONE; u = anc[u]) vec_push(m, &d->stack, u);
    while (d->stack.n) {
        uint32_t u = vec_pop(&d->stack), a = anc[u];
        if (semi[label[a]] < semi[label[u]]) label[u] = label[a];
        anc[u] = anc[a];
    }
    return label[v];
}

void domtree_compute(DomTree *d, Mem *m, const CfgAnalysis *c) {
    uint32_t n = c->rpo.n;
    uint32_t *idom = analysis_fill(m, &d->idom, c->nblocks, CLIF_NONE),
             *pre = analysis_fill(m, &d->pre, c->nblocks, CLIF_NONE),
             *size = analysis_fill(m, &d->size, c->nblocks, 0);
    if (n == 0) return;
    number(d, m, c);
    uint32_t *semi = analysis_fill(m, &d->semi, n, 0), *label = analysis_fill(m, &d->label, n, 0),
             *dom = analysis_fill(m, &d->dom, n, 0);
    analysis_fill(m, &d->anc, n, CLIF_NONE);
    for (uint32_t v = 0; v < n; v++) {
        semi[v] = label[v] = v;
        dom[v] = d->parent.p[v];
    }
    for (uint32_t w = n - 1; w > 0; w--) {
        uint32_t b = d->vertex.p[w];
        for (uint32_t k = c->pred_start.p[b]; k < c->pred_start.p[b + 1]; k++) {
            uint32_t v = d->dfs.p[c->pred_block.p[k]];
            if (v == CLIF_NONE) continue; /* an unreachable predecessor */
            uint32_t s = semi[eval(d, m, v)];
            if (s < semi[w]) semi[w] = s;
        }
        d->anc.p[w] = d->parent.p[w];
    }
    for (uint32_t w = 1; w < n; w++)
        while (dom[w] > semi[w]) dom[w] = dom[dom[w]];

    uint32_t *subtree = d->label.p, *place = d->next.p; /* reused, by number */
    for (uint32_t v = 0; v < n; v++) subtree[v] = 1;
    for (uint32_t v = n - 1; v > 0; v--) subtree[dom[v]] += subtree[v];
    place[0] = 1; /* the next free preorder place among v's children */
    for (uint32_t v = 0; v < n; v++) {
        uint32_t b = d->vertex.p[v], at = 0;
        if (v > 0) {
            at = place[dom[v]];
            place[dom[v]] += subtree[v];
            place[v] = at + 1;
            idom[b] = d->vertex.p[dom[v]];
        }
        pre[b] = at;
        size[b] = subtree[v];
    }
}

void domtree_free(DomTree *d, Mem *m) {
    vec_free(m, &d->idom);
    vec_free(m, &d->pre);
    vec_free(m, &d->size);
    vec_free(m, &d->vertex);
    vec_free(m, &d->dfs);
    vec_free(m, &d->parent);
    vec_free(m, &d->semi);
    vec_free(m, &d->label);
    vec_free(m, &d->anc);
    vec_free(m, &d->dom);
    vec_free(m, &d->stack);
    vec_free(m, &d->next);
}
