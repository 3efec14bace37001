/* regalloc/ion_split.c — weights, and cutting bundles into parts that fit.
 *
 * Problem   A bundle that does not fit anywhere must become smaller where it costs least, and this must end.
 * Idea      The first part reaches as far as one register is free (the register whose first obstacle is farthest), but
 *           never from outside into a loop: then it ends before the loop. It is placed at once; the rest is queued. Where no
 *           register is free at the start, the loop it is in is cut off, or what precedes the first
 *           loop with a use, or the first instruction.
 * Gaps      Between the last use of the first part and the first use of the rest, the value is in its slot. A part that ends
 *           or begins within a loop which the other does not share reaches to that loop's border, so that loads and
 *           stores are outside. Operands that read the value before the instruction can read the slot, so they need no part.
 * Ends      After MAX_SPLITS cuts of one spill set, each instruction that needs a register gets a bundle of its own.
 * Invariants 1. A part may end at an odd point only before a gap, and begin at one only as a gap. 2. A minimal bundle is
 *           one range within one instruction, no longer than its uses need. 3. Parts and gaps of a value are disjoint
 *           and together its range.
 * Cost      O(bundle) per cut, MAX_SPLITS cuts per spill set, then once more. */
#include "regalloc/ion.h"

enum { MAX_SPLITS = 10 };
#define MINIMAL 1e30f /* above all weights of others */

static bool needs_register(const IonUse *u) {
    return u->what == ION_REG || u->what == ION_LIMIT || u->what == ION_DEF_REG;
}
static bool is_def(const IonUse *u) {
    return u->what == ION_DEF_REG || u->what == ION_DEF_ANY;
}

void ion_weigh_range(IonCtx *x, uint32_t r) {
    IonRange *ir = &x->r.p[r];
    float w = 0;
    ir->limit = 32;
    ir->flags &= (uint8_t) ~(ION_NEED | ION_INNER);
    for (uint32_t k = ir->use0; k < ir->use1; k++) {
        const IonUse *u = &x->uses.p[k];
        w += u->weight;
        if (needs_register(u)) ir->flags |= ION_NEED;
        if (needs_register(u) && u->arg < ir->limit) ir->limit = u->arg;
        if (u->what == ION_FIXED && ion_point_of(u) < ir->to) ir->flags |= ION_INNER;
    }
    if ((ir->flags & ION_DEF) && (x->v.p[ir->vreg].is_param || (ir->flags & ION_FIXED_DEF)))
        w += x->freq.p[ion_block_at(x, ir->from)];
    ir->weight = w;
}

/* ---- weights ---- */
/* Within one instruction, and no longer than what needs a register there. */
static bool is_minimal(const IonCtx *x, const IonRange *r) {
    if ((r->to - 1) / 2 != r->from / 2) return false;
    for (uint32_t k = r->use1; k-- > r->use0;) {
        const IonUse *u = &x->uses.p[k];
        if (needs_register(u)) return is_def(u) || u->pos + 1 >= r->to;
    }
    return false;
}

/* The bundle's weight, flags and limit; returns its length. */
static uint32_t weigh(IonCtx *x, uint32_t bundle) {
    IonBundle *b = &x->b.p[bundle];
    uint64_t length = 0;
    float w = 0;
    b->flags = 0;
    b->limit = 32;
    for (uint32_t r = b->first; r != NONE; r = x->r.p[r].next) {
        const IonRange *ir = &x->r.p[r];
        length += ir->to - ir->from;
        w += ir->weight;
        b->flags |= ir->flags;
        if (ir->limit < b->limit) b->limit = ir->limit;
    }
    const IonRange *first = &x->r.p[b->first];
    b->minimal = first->next == NONE && is_minimal(x, first);
    b->weight = b->minimal ? MINIMAL * (float)(64 - b->limit) : w / (float)length;
    return length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
}

void ion_queue(IonCtx *x, uint32_t bundle) {
    x->b.p[bundle].count = 0;
    ion_enqueue(x, bundle, weigh(x, bundle));
}

/* ---- cutting ---- */
static uint32_t new_bundle(IonCtx *x, uint32_t spillset, uint32_t first, RaPReg hint,
                           RaPReg hint2) {
    vec_push(x->mem, &x->b,
             (IonBundle){.first = first,
                         .spillset = spillset,
                         .related = NONE,
                         .reg = RA_PREG_NONE,
                         .hint = hint,
                         .hint2 = hint2});
    uint32_t b = x->b.n - 1;
    for (uint32_t r = first; r != NONE; r = x->r.p[r].next) x->r.p[r].bundle = b;
    return b;
}

uint32_t ion_spillset_of(IonCtx *x, uint32_t bundle) {
    IonBundle *b = &x->b.p[bundle];
    if (b->spillset != NONE) return b->spillset;
    uint32_t last = b->first;
    while (x->r.p[last].next != NONE) last = x->r.p[last].next;
    vec_push(x->mem, &x->ss,
             (IonSpillSet){.from = x->r.p[b->first].from,
                           .to = x->r.p[last].to,
                           .slot = NONE,
                           .gaps = NONE,
                           .width = x->v.p[x->r.p[last].vreg].width});
    return b->spillset = x->ss.n - 1;
}

static void to_gap(IonCtx *x, uint32_t spillset, uint32_t r) {
    IonSpillSet *ss = &x->ss.p[spillset];
    if (ss->gaps == NONE) ss->gaps = new_bundle(x, spillset, NONE, RA_PREG_NONE, RA_PREG_NONE);
    IonRange *ir = &x->r.p[r];
    ir->flags |= ION_GAP;
    ir->bundle = x->ss.p[spillset].gaps;
    ir->next = NONE;
    if (x->v.p[ir->vreg].has_gaps) return;
    x->v.p[ir->vreg].has_gaps = 1;
    vec_push(x->mem, &x->spilled, ir->vreg);
}

uint32_t ion_cut(IonCtx *x, uint32_t r, uint32_t at) {
    uint32_t lo = x->r.p[r].use0, hi = x->r.p[r].use1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (x->uses.p[mid].pos >= at)
            hi = mid;
        else
            lo = mid + 1;
    }
    IonRange n = x->r.p[r];
    n.from = at, n.use0 = lo, n.flags &= (uint8_t) ~(ION_DEF | ION_FIXED_DEF);
    vec_push(x->mem, &x->r, n);
    uint32_t k = x->r.n - 1;
    IonRange *old = &x->r.p[r];
    old->to = at, old->use1 = lo, old->next = old->vnext = k;
    return k;
}

static uint32_t cut(IonCtx *x, uint32_t r, uint32_t at) {
    uint32_t k = ion_cut(x, r, at);
    ion_weigh_range(x, r);
    ion_weigh_range(x, k);
    return k;
}

/* Each instruction that needs a register gets a bundle of its own, the rest is gaps. */
static void split_minimal(IonCtx *x, uint32_t bundle, uint32_t spillset, RaPReg hint2) {
    uint32_t next = x->b.p[bundle].first;
    x->b.p[bundle].first = NONE;
    for (uint32_t r; (r = next) != NONE;) {
        next = x->r.p[r].next;
        for (uint32_t k = x->r.p[r].use0; r != NONE; k = x->r.p[r].use0) {
            while (k < x->r.p[r].use1 && !needs_register(&x->uses.p[k])) k++;
            if (k == x->r.p[r].use1) {
                ion_weigh_range(x, r);
                to_gap(x, spillset, r);
                break;
            }
            const IonUse *u = &x->uses.p[k];
            bool def = is_def(u);
            uint32_t from = def ? x->r.p[r].from : u->pos & ~1u, to = (u->pos | def) + 1;
            for (k++; k < x->r.p[r].use1 && x->uses.p[k].pos / 2 == from / 2; k++)
                if (needs_register(&x->uses.p[k])) to = x->uses.p[k].pos + 1;
            if (from > x->r.p[r].from) {
                uint32_t gap = r;
                r = ion_cut(x, r, from);
                ion_weigh_range(x, gap);
                to_gap(x, spillset, gap);
            }
            uint32_t piece = r;
            r = to < x->r.p[r].to ? ion_cut(x, r, to) : NONE;
            ion_weigh_range(x, piece);
            x->r.p[piece].next = NONE;
            ion_queue(x, new_bundle(x, spillset, piece, RA_PREG_NONE, hint2));
            if (r == NONE) break;
        }
    }
}

void ion_give_up(IonCtx *x, uint32_t bundle) {
    uint32_t spillset = ion_spillset_of(x, bundle), r = x->b.p[bundle].first;
    x->b.p[bundle].first = NONE;
    while (r != NONE) {
        uint32_t next = x->r.p[r].next;
        to_gap(x, spillset, r);
        r = next;
    }
}

/* What follows the last use before `at` becomes gaps; returns the last of them. */
static uint32_t trim_end(IonCtx *x, uint32_t bundle, uint32_t spillset, uint32_t at) {
    uint32_t last = NONE, gap = NONE;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].next)
        if (x->r.p[r].use0 < x->r.p[r].use1) last = r;
    uint32_t rest = last == NONE ? x->b.p[bundle].first : x->r.p[last].next;
    if (last == NONE)
        x->b.p[bundle].first = NONE;
    else
        x->r.p[last].next = NONE;
    for (uint32_t next; rest != NONE; rest = next) {
        next = x->r.p[rest].next;
        to_gap(x, spillset, gap = rest);
    }
    if (last == NONE) return gap;
    const IonUse *u = &x->uses.p[x->r.p[last].use1 - 1];
    uint32_t end = (u->pos | is_def(u)) + 1;
    if (end <= x->r.p[last].from) end = x->r.p[last].from + 1;
    uint32_t loop = x->loops.n ? ion_loop_between(x, end - 1, at) : NONE;
    if (loop != NONE) end = x->loops.p[loop].to;
    if (end >= x->r.p[last].to) return gap;
    uint32_t k = cut(x, last, end);
    x->r.p[last].next = NONE;
    to_gap(x, spillset, k);
    return gap == NONE ? k : gap;
}

/* What precedes the first use becomes gaps; returns the first of them. Loops around the use that do not hold `out` are kept. */
static uint32_t trim_start(IonCtx *x, uint32_t bundle, uint32_t spillset, uint32_t out) {
    uint32_t r, gap = NONE;
    while ((r = x->b.p[bundle].first) != NONE && !(x->r.p[r].flags & ION_DEF)) {
        uint32_t k = x->r.p[r].use0, end = x->r.p[r].use1;
        while (k < end && ion_reads_before(x->uses.p[k].what)) k++;
        if (k == end) {
            x->b.p[bundle].first = x->r.p[r].next;
            to_gap(x, spillset, r);
            if (gap == NONE) gap = r;
            continue;
        }
        uint32_t start = x->uses.p[k].pos & ~1u;
        uint32_t loop = x->loops.n ? ion_loop_between(x, start, out) : NONE;
        if (loop != NONE) start = x->loops.p[loop].from;
        if (start <= x->r.p[r].from) break;
        x->b.p[bundle].first = cut(x, r, start);
        to_gap(x, spillset, r);
        if (gap == NONE) gap = r;
        break;
    }
    return gap;
}

/* One gap instead of two that touch. */
static void join_gaps(IonCtx *x, uint32_t a, uint32_t b) {
    if (a == NONE || b == NONE) return;
    IonRange *ra = &x->r.p[a], *rb = &x->r.p[b];
    if (ra->vnext != b || ra->to != rb->from) return;
    ra->to = rb->to, ra->use1 = rb->use1, ra->vnext = rb->vnext;
    rb->vreg = NONE;
    ion_weigh_range(x, a);
}

/* ---- where to cut ---- */
/* `at` so that neither a definition nor a late use is cut off from its instruction; the bundle's start if that cannot be. */
static uint32_t whole_instruction(const IonCtx *x, uint32_t bundle, uint32_t at) {
    if (!(at & 1)) return at;
    uint32_t r = x->b.p[bundle].first, start = x->r.p[r].from;
    while (r != NONE && x->r.p[r].to <= at) r = x->r.p[r].next;
    if (r == NONE || x->r.p[r].from >= at) return at;
    if ((x->r.p[r].flags & ION_DEF) && x->r.p[r].from == at - 1) return at - 1;
    for (uint32_t k = x->r.p[r].use1; k-- > x->r.p[r].use0 && x->uses.p[k].pos >= at;)
        if (x->uses.p[k].pos == at && !ion_reads_before(x->uses.p[k].what))
            return at - 1 > start ? at - 1 : start;
    return at;
}

/* No register is free at the bundle's start. */
static uint32_t cut_at_start(const IonCtx *x, uint32_t bundle, uint32_t start, uint32_t end) {
    uint32_t first = NONE;
    uint32_t loop = x->loops.n ? ion_loop_between(x, start, end - 1) : NONE;
    if (loop != NONE) return x->loops.p[loop].to;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].next)
        for (uint32_t k = x->r.p[r].use0; k < x->r.p[r].use1; k++) {
            const IonUse *u = &x->uses.p[k];
            if (ion_reads_before(u->what)) continue;
            if (first == NONE) first = u->pos;
            if (x->loops.n == 0) break;
            loop = ion_loop_between(x, u->pos, start);
            if (loop != NONE) return x->loops.p[loop].from;
        }
    return first != NONE && first / 2 > start / 2 ? first / 2 * 2 : start / 2 * 2 + 2;
}

/* The innermost loop that holds the start and both sides of the cut: the value comes around it, from the last part to the first. */
static uint32_t loop_around(const IonCtx *x, uint32_t start, uint32_t at) {
    if (x->loops.n == 0) return NONE;
    uint32_t l = x->loop_of.p[ion_block_at(x, at)];
    while (l != NONE && (x->loops.p[l].from > start || x->loops.p[l].from == at))
        l = x->loops.p[l].parent;
    return l;
}

/* What is at the point or after it becomes a bundle of its own. */
static uint32_t cut_off(IonCtx *x, uint32_t bundle, uint32_t spillset, uint32_t at, RaPReg hint2) {
    uint32_t prev = NONE, r = x->b.p[bundle].first;
    while (x->r.p[r].to <= at) prev = r, r = x->r.p[r].next;
    if (x->r.p[r].from < at) {
        prev = r;
        r = cut(x, r, at);
    }
    if (prev == NONE)
        x->b.p[bundle].first = NONE;
    else
        x->r.p[prev].next = NONE;
    return new_bundle(x, spillset, r, x->b.p[bundle].hint, hint2);
}

void ion_split(IonCtx *x, uint32_t bundle, uint32_t at, RaPReg p) {
    uint32_t spillset = ion_spillset_of(x, bundle), first = x->b.p[bundle].first, last = first;
    uint32_t start = x->r.p[first].from;
    uint8_t inner = x->b.p[bundle].flags & ION_INNER;
    while (x->r.p[last].next != NONE) last = x->r.p[last].next;
    uint32_t end = x->r.p[last].to;
    x->st.splits++;
    if (x->ss.p[spillset].splits >= MAX_SPLITS || (end - 1) / 2 == start / 2 ||
        ra_stressed(x->c, RA_STRESS_MINIMAL, 4)) {
        split_minimal(x, bundle, spillset, p != RA_PREG_NONE ? p : x->b.p[bundle].hint2);
        return;
    }
    x->ss.p[spillset].splits++;
    if (p != RA_PREG_NONE) {
        uint32_t loop = x->loops.n ? ion_loop_between(x, at, start) : NONE;
        if (loop != NONE) at = x->loops.p[loop].from;
        at = whole_instruction(x, bundle, at);
        if (at <= start) p = RA_PREG_NONE;
    }
    if (p == RA_PREG_NONE) at = cut_at_start(x, bundle, start, end);
    RaPReg hint2 = p != RA_PREG_NONE ? p : x->b.p[bundle].hint2;
    uint32_t second = cut_off(x, bundle, spillset, at, hint2), third = NONE;
    uint32_t loop = loop_around(x, start, at);
    if (loop != NONE && end > x->loops.p[loop].to)
        third = cut_off(x, second, spillset, x->loops.p[loop].to, hint2);
    join_gaps(x, trim_end(x, bundle, spillset, at), trim_start(x, second, spillset, at - 1));
    if (loop != NONE) {
        (void)trim_start(x, bundle, spillset, x->loops.p[loop].from);
        uint32_t gap = trim_end(x, second, spillset, x->loops.p[loop].from);
        if (third != NONE)
            join_gaps(x, gap, trim_start(x, third, spillset, x->loops.p[loop].to - 1));
    }
    if (x->b.p[bundle].first != NONE) {
        if (p != RA_PREG_NONE) {
            (void)weigh(x, bundle);
            x->b.p[bundle].flags |= inner; /* may cover a wall whose use is in a part before it */
            ion_place(x, bundle, p);
        } else {
            ion_queue(x, bundle);
        }
    }
    if (x->b.p[second].first != NONE) ion_queue(x, second);
    if (third != NONE && x->b.p[third].first != NONE) ion_queue(x, third);
}
