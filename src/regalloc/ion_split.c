/* regalloc/ion_split.c — weights, the queue, and cutting bundles in two or into pieces.
 *
 * Problem   A bundle that does not fit anywhere must become smaller, and this must end.
 * Idea      Cut before an instruction; what lies between the last use before the cut and the first one after it goes to
 *           the spill bundle, which may be anywhere. After MAX_SPLITS cuts of one spill set, each instruction's uses
 *           become a bundle of their own at once, and all the rest is spilled, so that the cost stays linear.
 * Invariants 1. A minimal bundle is one range within one instruction and its uses agree. 2. A range is cut at early points only,
 *           and never before its definition.
 * Cost      O(bundle) per cut, MAX_SPLITS cuts per spill set, then once more. */
#include "regalloc/ion.h"

enum { MAX_SPLITS = 2, MAX_NORMAL = 1 << 28 };

float ion_use_weight(RaConstraint c, uint32_t depth, bool def) {
    float w = 1000;
    for (uint32_t k = depth < 10 ? depth : 10; k > 0; k--) w *= 4;
    return w + (def ? 2000.0f : 0.0f) + (c == RA_ANY ? 1000.0f : c == RA_STACK ? 0.0f : 2000.0f);
}

void ion_weigh_range(IonCtx *x, uint32_t r) {
    float w = 0;
    for (uint32_t u = x->r.p[r].use0; u < x->r.p[r].use1; u++) w += x->uses.p[u].weight;
    x->r.p[r].weight = w;
}

/* ---- the queue: a heap, longest first, then the older bundle ---- */
static bool before(IonQueued a, IonQueued b) {
    return a.prio != b.prio ? a.prio > b.prio : a.bundle < b.bundle;
}

/* Within one instruction, and no longer than its uses make it. */
static bool is_minimal(const IonCtx *x, const IonRange *r) {
    if ((r->to - 1) / 2 != r->from / 2) return false;
    uint32_t end = r->use0 < r->use1 ? r->from : r->to;
    for (uint32_t u = r->use0; u < r->use1; u++) {
        const IonUse *use = &x->uses.p[u];
        if (use->is_def)
            end = r->to;
        else if (use->constraint != RA_ANY && use->pos >= end)
            end = use->pos + 1;
    }
    return end >= r->to;
}

static void weigh_bundle(IonCtx *x, IonBundle *b) {
    const IonRange *first = &x->r.p[b->first];
    float w = 0;
    uint64_t prio = 0;
    for (uint32_t r = b->first; r != NONE; r = x->r.p[r].bnext) {
        prio += x->r.p[r].to - x->r.p[r].from;
        w += x->r.p[r].weight;
    }
    b->prio = prio < UINT32_MAX ? (uint32_t)prio : UINT32_MAX;
    b->minimal = first->bnext == NONE && is_minimal(x, first);
    w /= (float)prio;
    b->weight = w < MAX_NORMAL ? (uint32_t)w : MAX_NORMAL;
    if (!b->minimal) return;
    b->weight = MAX_NORMAL + 1; /* above all others: register, then limited ones, then fixed ones */
    for (uint32_t u = first->use0; u < first->use1; u++) {
        uint32_t w1 = x->uses.p[u].constraint == RA_FIXED   ? MAX_NORMAL + 300
                      : x->uses.p[u].constraint == RA_LIMIT ? MAX_NORMAL + 258 - x->uses.p[u].arg
                                                            : 0;
        if (w1 > b->weight) b->weight = w1;
    }
}

void ion_queue(IonCtx *x, uint32_t bundle, RaPReg hint) {
    IonBundle *b = &x->b.p[bundle];
    weigh_bundle(x, b);
    IonQueued q = {b->prio, bundle, hint};
    vec_push(x->mem, &x->queue, q);
    IonQueued *h = x->queue.p;
    uint32_t i = x->queue.n - 1;
    for (; i > 0 && before(q, h[(i - 1) / 2]); i = (i - 1) / 2) h[i] = h[(i - 1) / 2];
    h[i] = q;
}

/* ---- cutting ---- */
static void to_spill(IonCtx *x, uint32_t spillset, uint32_t r) {
    uint32_t s = x->ss.p[spillset].spill_bundle;
    if (s == NONE) {
        s = ion_new_bundle(x, spillset);
        x->ss.p[spillset].spill_bundle = s;
        vec_push(x->mem, &x->spilled, s);
    }
    x->r.p[r].bundle = s;
    x->r.p[r].bnext = x->b.p[s].first;
    x->b.p[s].first = r;
}

/* Cuts r at `at`, from < at < to; the new range is the second part, next in the list. */
static uint32_t cut(IonCtx *x, uint32_t r, uint32_t at) {
    uint32_t lo = x->r.p[r].use0, hi = x->r.p[r].use1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (x->uses.p[mid].pos >= at)
            hi = mid;
        else
            lo = mid + 1;
    }
    IonRange n = x->r.p[r];
    n.from = at, n.use0 = lo, n.flags = 0;
    vec_push(x->mem, &x->r, n);
    uint32_t k = x->r.n - 1;
    IonRange *old = &x->r.p[r];
    old->to = at, old->use1 = lo, old->bnext = k;
    ion_weigh_range(x, r);
    ion_weigh_range(x, k);
    return k;
}

/* The uses of one instruction, [a, z) of the slice, get a range of their own, or r itself if it is no more than that. */
static uint32_t piece(IonCtx *x, uint32_t r, uint32_t a, uint32_t z) {
    const IonUse *u = x->uses.p;
    bool def = u[a].is_def;
    IonRange n = {
        .vreg = x->r.p[r].vreg, .use0 = a, .use1 = z, .bnext = NONE, .flags = def ? ION_DEF : 0};
    n.from = def ? u[a].pos : u[a].pos & ~1u;
    n.to = def ? (u[a].pos | 1) + 1 : u[z - 1].pos + 1;
    if (n.to > x->r.p[r].to) n.to = x->r.p[r].to;
    vec_push(x->mem, &x->r, n);
    ion_weigh_range(x, x->r.n - 1);
    return x->r.n - 1;
}

static void split_range(IonCtx *x, uint32_t r, uint32_t spillset, RaPReg hint) {
    uint32_t first = x->r.p[r].use0, end = x->r.p[r].use1, any = first;
    /* those that may be anywhere come first in the slice, the others keep their order behind */
    vec_clear(&x->linked);
    for (uint32_t k = first; k < end; k++) {
        IonUse u = x->uses.p[k];
        if (u.constraint == RA_ANY)
            x->uses.p[any++] = u;
        else
            vec_push(x->mem, &x->linked, (IonLinked){u, 0});
    }
    for (uint32_t k = 0; k < x->linked.n; k++) x->uses.p[any + k] = x->linked.p[k].u;
    x->r.p[r].use1 = any;
    for (uint32_t k = any; k < end;) {
        uint32_t z = k + 1;
        while (z < end && x->uses.p[z].pos / 2 == x->uses.p[k].pos / 2) z++;
        bool def = x->uses.p[k].is_def;
        uint32_t n = piece(x, r, k, z), b = ion_new_bundle(x, spillset);
        x->r.p[n].bundle = b;
        x->b.p[b].first = n;
        if (def) { /* the value exists after the instruction only */
            x->r.p[r].from = x->uses.p[k].pos / 2 * 2 + 2;
            x->r.p[r].flags = 0;
        }
        ion_queue(x, b, hint);
        k = z;
    }
    IonRange *rest = &x->r.p[r];
    bool covered = any == first && any < end && rest->from / 2 == (rest->to - 1) / 2 &&
                   x->r.p[x->r.n - 1].to >= rest->to;
    if (rest->from >= rest->to || covered) {
        rest->vreg = NONE;
        return;
    }
    ion_weigh_range(x, r);
    to_spill(x, spillset, r);
}

static void split_minimal(IonCtx *x, uint32_t bundle, RaPReg hint) {
    uint32_t r = x->b.p[bundle].first, spillset = x->b.p[bundle].spillset;
    x->b.p[bundle].first = NONE;
    while (r != NONE) {
        uint32_t next = x->r.p[r].bnext;
        split_range(x, r, spillset, hint);
        r = next;
    }
}

static bool has_uses(const IonRange *r) {
    return r->use0 < r->use1;
}

/* The end of the first part after its last use, to the spill bundle. */
static void trim_end(IonCtx *x, uint32_t bundle) {
    uint32_t spillset = x->b.p[bundle].spillset, last = NONE;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].bnext)
        if (has_uses(&x->r.p[r])) last = r;
    uint32_t rest = last == NONE ? x->b.p[bundle].first : x->r.p[last].bnext;
    if (last == NONE)
        x->b.p[bundle].first = NONE;
    else
        x->r.p[last].bnext = NONE;
    while (rest != NONE) {
        uint32_t next = x->r.p[rest].bnext;
        to_spill(x, spillset, rest);
        rest = next;
    }
    if (last == NONE) return;
    uint32_t at = (x->uses.p[x->r.p[last].use1 - 1].pos / 2 + 1) * 2;
    if (at >= x->r.p[last].to) return;
    uint32_t k = cut(x, last, at);
    x->r.p[last].bnext = NONE;
    to_spill(x, spillset, k);
}

static void trim_start(IonCtx *x, uint32_t bundle) {
    uint32_t spillset = x->b.p[bundle].spillset, r;
    while ((r = x->b.p[bundle].first) != NONE) {
        if (x->r.p[r].flags & ION_DEF) return;
        if (!has_uses(&x->r.p[r])) {
            x->b.p[bundle].first = x->r.p[r].bnext;
            to_spill(x, spillset, r);
            continue;
        }
        uint32_t at = x->uses.p[x->r.p[r].use0].pos / 2 * 2;
        if (at <= x->r.p[r].from) return;
        uint32_t k = cut(x, r, at);
        x->b.p[bundle].first = k;
        to_spill(x, spillset, r);
        return;
    }
}

void ion_split(IonCtx *x, uint32_t bundle, uint32_t at, RaPReg hint, bool trim) {
    uint32_t spillset = x->b.p[bundle].spillset, first = x->b.p[bundle].first, last = first;
    uint32_t start = x->r.p[first].from, use = NONE;
    x->st.splits++;
    for (uint32_t r = first; r != NONE; r = x->r.p[r].bnext) {
        last = r;
        if (use == NONE && has_uses(&x->r.p[r])) use = x->uses.p[x->r.p[r].use0].pos;
    }
    uint32_t end = x->r.p[last].to;
    if (x->ss.p[spillset].splits >= MAX_SPLITS || (end - 1) / 2 == start / 2) {
        split_minimal(x, bundle, hint);
        return;
    }
    x->ss.p[spillset].splits++;
    if (at <= start) { /* the first use is cut off, or what comes before it */
        at = use != NONE && use / 2 > start / 2 ? use / 2 * 2 : (start / 2 + 1) * 2;
    } else {
        at = (at + 1) / 2 * 2;
    }
    while (at >= end) at -= 2;
    if (at <= start) {
        split_minimal(x, bundle, hint);
        return;
    }
    uint32_t prev = NONE, r = first;
    while (r != NONE && x->r.p[r].to <= at) prev = r, r = x->r.p[r].bnext;
    if (x->r.p[r].from < at) {
        prev = r;
        r = cut(x, r, at);
    }
    x->r.p[prev].bnext = NONE;
    uint32_t second = ion_new_bundle(x, spillset);
    x->b.p[second].first = r;
    for (; r != NONE; r = x->r.p[r].bnext) x->r.p[r].bundle = second;
    if (trim) {
        trim_end(x, bundle);
        trim_start(x, second);
    }
    if (x->b.p[bundle].first != NONE) ion_queue(x, bundle, hint);
    if (x->b.p[second].first != NONE) ion_queue(x, second, hint);
}
