/* regalloc/ion_regs.c — which ranges each register holds.
 *
 * Problem   Eviction asks for the entries that overlap a range, and takes entries back, in any order.
 * Idea      A sorted list cut into pages of at most ION_PAGE entries; a directory per register names the pages in
 *           order, and where they end. Two binary searches find a place; adding moves at most a page, and the directory once per full page.
 *           Most registers are never asked about: what is placed is only noted (`fresh`), and entered before the next question.
 * Invariant Pages are never empty; entries are disjoint, so their ends ascend too.
 * Cost      O(log n) to find, O(ION_PAGE + n / ION_PAGE / ION_PAGE) amortised to add. */
#include "regalloc/ion.h"

void ion_regs_reset(IonCtx *x) {
    vec_clear(&x->pages);
    vec_clear(&x->free_pages);
    for (uint32_t p = 0; p < 64; p++) {
        vec_clear(&x->dir[p]);
        vec_clear(&x->fresh[p]);
        vec_clear(&x->ends_of[p]);
    }
}

IonCursor ion_regs_find(const IonCtx *x, RaPReg p, uint32_t point) {
    const uint32_t *ends = x->ends_of[p].p;
    uint32_t lo = 0, hi = x->ends_of[p].n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (ends[mid] > point)
            hi = mid;
        else
            lo = mid + 1;
    }
    IonCursor c = {lo, 0};
    if (lo == x->dir[p].n) return c;
    const IonPage *g = &x->pages.p[x->dir[p].p[lo]];
    uint32_t a = 0, z = g->n;
    while (a < z) {
        uint32_t mid = a + (z - a) / 2;
        if (g->to[mid] > point)
            z = mid;
        else
            a = mid + 1;
    }
    c.at = a;
    return c;
}

static void insert(IonCtx *x, VecU32 *list, uint32_t before, uint32_t value) {
    (void)vec_extend(x->mem, list, 1);
    memmove(list->p + before + 1, list->p + before, (list->n - 1 - before) * sizeof *list->p);
    list->p[before] = value;
}

static void take_out(VecU32 *list, uint32_t at) {
    list->n--;
    memmove(list->p + at, list->p + at + 1, (list->n - at) * sizeof *list->p);
}

static void note_end(IonCtx *x, RaPReg p, uint32_t page) {
    const IonPage *g = &x->pages.p[x->dir[p].p[page]];
    x->ends_of[p].p[page] = g->to[g->n - 1];
}

/* An empty page, at that place of the directory. */
static uint32_t new_page(IonCtx *x, RaPReg p, uint32_t before) {
    uint32_t id;
    if (x->free_pages.n) {
        id = vec_pop(&x->free_pages);
    } else {
        id = x->pages.n;
        (void)vec_extend(x->mem, &x->pages, 1);
    }
    x->pages.p[id].n = 0;
    insert(x, &x->dir[p], before, id);
    insert(x, &x->ends_of[p], before, 0);
    return id;
}

static void shift(IonPage *to, uint32_t at, const IonPage *from, uint32_t first, uint32_t n) {
    memmove(to->from + at, from->from + first, n * sizeof *to->from);
    memmove(to->to + at, from->to + first, n * sizeof *to->to);
    memmove(to->bundle + at, from->bundle + first, n * sizeof *to->bundle);
    memmove(to->weight + at, from->weight + first, n * sizeof *to->weight);
}

static void enter(IonCtx *x, RaPReg p, uint32_t range) {
    const IonRange *r = &x->r.p[range];
    IonCursor c = ion_regs_find(x, p, r->from);
    if (x->dir[p].n == 0) (void)new_page(x, p, 0);
    if (c.page == x->dir[p].n) { /* after all others */
        c.page--;
        c.at = x->pages.p[x->dir[p].p[c.page]].n;
    }
    if (x->pages.p[x->dir[p].p[c.page]].n == ION_PAGE) {
        uint32_t half =
            c.at == ION_PAGE ? ION_PAGE - 1 : ION_PAGE / 2; /* mostly appended: full pages */
        uint32_t id = new_page(x, p, c.page + 1);
        IonPage *old = &x->pages.p[x->dir[p].p[c.page]], *g = &x->pages.p[id];
        g->n = ION_PAGE - half;
        shift(g, 0, old, half, g->n);
        old->n = half;
        note_end(x, p, c.page);
        note_end(x, p, c.page + 1);
        if (c.at > half) c.page++, c.at -= half;
    }
    IonPage *g = &x->pages.p[x->dir[p].p[c.page]];
    shift(g, c.at + 1, g, c.at, g->n - c.at);
    g->from[c.at] = r->from, g->to[c.at] = r->to, g->bundle[c.at] = r->bundle;
    g->weight[c.at] = x->b.p[r->bundle].weight;
    g->n++;
    note_end(x, p, c.page);
}

void ion_regs_flush(IonCtx *x, RaPReg p) {
    for (uint32_t k = 0; k < x->fresh[p].n; k++) enter(x, p, x->fresh[p].p[k]);
    vec_clear(&x->fresh[p]);
}

void ion_regs_remove(IonCtx *x, RaPReg p, uint32_t range) {
    IonCursor c = ion_regs_find(x, p, x->r.p[range].from);
    uint32_t id = x->dir[p].p[c.page];
    IonPage *g = &x->pages.p[id];
    shift(g, c.at, g, c.at + 1, g->n - c.at - 1);
    if (--g->n) {
        note_end(x, p, c.page);
        return;
    }
    vec_push(x->mem, &x->free_pages, id);
    take_out(&x->dir[p], c.page);
    take_out(&x->ends_of[p], c.page);
}
