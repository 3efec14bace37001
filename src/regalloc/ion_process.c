/* regalloc/ion_process.c — the main loop: a register for each bundle, by eviction and splitting.
 *
 * Problem   More bundles want registers at some points than there are; which stay, which give way?
 * Idea      Longest bundle first. The maps of ion_occ.c say which registers are free all along; the bundle takes the one it
 *           would like (fixed uses, related bundles, former pieces), else the first of the ISA's order. If there is none, the
 *           heaviest bundle in its way is found for each register; where that is least and lighter than the bundle
 *           (uses by frequency, per point), the obstacles are evicted and queued again. Else the bundle is split.
 * Ends      Eviction strictly needs more weight; splitting ends at minimal bundles; these are above all others, those with a
 *           limit above the rest. Fixed operands and clobbers are walls: nothing is ever placed across them. Minimal
 *           bundles that stand in each other's way are placed anew together, by a search (few, and within one instruction).
 * Cost      O(ranges) per bundle that finds a register; O(ranges * registers * log n) where it does not. */
#include "regalloc/ion.h"
#include <float.h>

static RaPRegSet allowed_to(const IonCtx *x, const IonBundle *b) {
    RaPRegSet all = x->env->allocatable & RA_CLASS_MASK(b->flags & ION_FLOAT ? RA_FLOAT : RA_INT);
    return b->limit < 32 ? all & (((RaPRegSet)1 << b->limit) - 1) * 0x100000001ull : all;
}

static RaPRegSet taken_in(const IonCtx *x, const IonMap *m, uint32_t first, RaPRegSet wanted) {
    RaPRegSet s = 0;
    for (uint32_t r = first; r != NONE && wanted & ~s; r = x->r.p[r].next)
        s |= ion_map_or(m, x->r.p[r].from, x->r.p[r].to);
    return s;
}

/* ---- fixed uses that the value outlives: walls that are its own ---- */
/* x->fixed[p].p[0 .. result) start at the point or after it, the nearest one last. */
static uint32_t fixed_after(const IonCtx *x, RaPReg p, uint32_t point) {
    uint32_t lo = 0, hi = x->fixed[p].n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (x->fixed[p].p[mid].from >= point)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool clobbered(const IonCtx *x, RaPReg p, uint32_t from, uint32_t to) {
    const RaFunc *f = x->f;
    if (!(x->clobbered_ever >> p & 1)) return false;
    uint32_t lo = 0, hi = f->num_clobbers;
    while (lo < hi) { /* first with 2 * inst + 1 >= from */
        uint32_t mid = lo + (hi - lo) / 2;
        if (2 * f->clobbers[mid].inst + 1 >= from)
            hi = mid;
        else
            lo = mid + 1;
    }
    for (; lo < f->num_clobbers && 2 * f->clobbers[lo].inst + 1 < to; lo++)
        if (f->clobbers[lo].regs >> p & 1) return true;
    return false;
}

/* Of the walls in register p, the bundle meets only its own. */
static bool own_walls(const IonCtx *x, uint32_t first, RaPReg p) {
    for (uint32_t r = first; r != NONE; r = x->r.p[r].next) {
        const IonRange *ir = &x->r.p[r];
        uint32_t at = fixed_after(x, p, ir->from > 0 ? ir->from - 1 : 0);
        for (; at > 0 && x->fixed[p].p[at - 1].from < ir->to; at--)
            if (x->fixed[p].p[at - 1].to > ir->from && x->fixed[p].p[at - 1].vreg != ir->vreg)
                return false;
        if (clobbered(x, p, ir->from, ir->to)) return false;
    }
    return true;
}

uint32_t ion_first_foreign(const IonCtx *x, uint32_t v, uint32_t from, uint32_t to, RaPReg p) {
    for (uint32_t at = from; at < to;) {
        RaPRegSet left = ra_set(p);
        at = ion_map_first(&x->occ, at, to, &left);
        if (at == NONE) break;
        uint32_t k = fixed_after(x, p, at);
        if (k < x->fixed[p].n && x->fixed[p].p[k].to > at) k++; /* it began before */
        if (k == 0 || x->fixed[p].p[k - 1].from > at || x->fixed[p].p[k - 1].vreg != v) return at;
        at = x->fixed[p].p[k - 1].to;
    }
    return NONE;
}

static void put_back_walls(IonCtx *x, const IonRange *ir, RaPReg p) {
    uint32_t at = fixed_after(x, p, ir->from > 0 ? ir->from - 1 : 0);
    for (; at > 0 && x->fixed[p].p[at - 1].from < ir->to; at--)
        ion_map_set(&x->occ, x->fixed[p].p[at - 1].from, x->fixed[p].p[at - 1].to, ra_set(p));
}

/* ---- placing ---- */
void ion_place(IonCtx *x, uint32_t bundle, RaPReg p) {
    x->b.p[bundle].reg = p;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].next) {
        ion_map_set(&x->occ, x->r.p[r].from, x->r.p[r].to, ra_set(p));
        vec_push(x->mem, &x->fresh[p], r);
    }
}

static void remove_from_register(IonCtx *x, uint32_t bundle) {
    IonBundle *b = &x->b.p[bundle];
    RaPReg p = b->reg;
    for (uint32_t r = b->first; r != NONE; r = x->r.p[r].next) {
        ion_regs_remove(x, p, r);
        ion_map_clear(&x->occ, x->r.p[r].from, x->r.p[r].to, ra_set(p));
        /* any range of it may cover a wall of its own */
        if (b->flags & ION_INNER) put_back_walls(x, &x->r.p[r], p);
    }
    b->reg = RA_PREG_NONE;
}

static void evict(IonCtx *x, uint32_t bundle) {
    remove_from_register(x, bundle);
    ion_queue(x, bundle);
    x->st.evictions++;
}

/* A value that is still to be placed, and lives beside the bundle's start, has its nearest fixed operand in register p. */
static bool wanted(const IonCtx *x, uint32_t bundle, RaPReg p) {
    const IonRange *ir = &x->r.p[x->b.p[bundle].first];
    uint32_t after = fixed_after(x, p, ir->from);
    for (uint32_t k = after - (after > 0); k <= after && k < x->fixed[p].n; k++) {
        uint32_t r = x->v.p[x->fixed[p].p[k].vreg].first;
        if (r == NONE || x->r.p[r].bundle == bundle) continue;
        const IonBundle *b = &x->b.p[x->r.p[r].bundle];
        if (b->hint == p && b->reg == RA_PREG_NONE && x->r.p[r].from < ir->to &&
            x->r.p[r].to > ir->from)
            return true;
    }
    return false;
}

static RaPReg pick(IonCtx *x, uint32_t bundle, RaPRegSet free) {
    const IonBundle *b = &x->b.p[bundle];
    if (ra_stressed(x->c, RA_STRESS_REG, 2)) {
        for (uint32_t k = (uint32_t)(ra_random(x->c) % u64_popcount(free)); k > 0; k--)
            free &= free - 1;
        return (RaPReg)u64_ctz(free);
    }
    if (b->hint < 64 && (free >> b->hint & 1)) return b->hint;
    if (b->hint2 < 64 && (free >> b->hint2 & 1)) return b->hint2;
    for (uint32_t k = b->related; k != NONE; k = x->related_next.p[k]) {
        RaPReg p = x->b.p[x->related.p[k]].reg;
        if (p < 64 && (free >> p & 1)) return p;
    }
    const RaPReg *order = x->env->order[u64_ctz(free) / 32];
    RaPRegSet cheap = free & x->env->caller_saved;
    for (uint32_t k = 0; k < 32 && order[k] != RA_PREG_NONE; k++)
        if ((cheap >> order[k] & 1) && !wanted(x, bundle, order[k])) return order[k];
    for (uint32_t k = 0; k < 32 && order[k] != RA_PREG_NONE; k++)
        if (free >> order[k] & 1) return order[k];
    return (RaPReg)u64_ctz(free);
}

/* ---- obstacles ---- */
/* Weight of the heaviest bundle in the way in register p; they are left in x->conflicts. From `dear` on it is of no use. */
static float heaviest(IonCtx *x, uint32_t bundle, RaPReg p, float dear) {
    float w = 0;
    vec_clear(&x->conflicts);
    x->questions++;
    ion_regs_flush(x, p);
    IonCursor c = {0, 0};
    uint32_t skips = 16;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].next) {
        uint32_t from = x->r.p[r].from, to = x->r.p[r].to;
        if (skips >= 16) c = ion_regs_find(x, p, from);
        for (skips = 0; c.page < x->dir[p].n;) {
            const IonPage *g = &x->pages.p[x->dir[p].p[c.page]];
            if (g->to[c.at] > from) {
                if (g->from[c.at] >= to) break;
                uint32_t other = g->bundle[c.at];
                if (g->weight[c.at] > w) w = g->weight[c.at];
                if (w >= dear || x->b.p[other].count != x->questions)
                    vec_push(x->mem, &x->conflicts, other);
                if (w >= dear) return w;
                x->b.p[other].count = x->questions;
                if (g->to[c.at] > to) break; /* the next range may meet it too */
            } else if (++skips >= 16) {
                c = ion_regs_find(x, p, from);
                skips = 0;
                continue;
            }
            if (++c.at == g->n) c.page++, c.at = 0;
        }
        if (c.page == x->dir[p].n) break;
    }
    return w;
}

static bool try_evict(IonCtx *x, uint32_t bundle, RaPRegSet allowed) {
    float least = x->b.p[bundle].weight;
    RaPReg at = RA_PREG_NONE;
    for (RaPRegSet s = allowed; s; s &= s - 1) {
        RaPReg p = (RaPReg)u64_ctz(s);
        float w = heaviest(x, bundle, p, least);
        if (w >= least) continue;
        least = w, at = p;
        vec_clear(&x->best);
        for (uint32_t i = 0; i < x->conflicts.n; i++) vec_push(x->mem, &x->best, x->conflicts.p[i]);
    }
    if (at == RA_PREG_NONE) return false;
    for (uint32_t i = 0; i < x->best.n; i++) evict(x, x->best.p[i]);
    ion_place(x, bundle, at);
    return true;
}

/* ---- one instruction's minimal bundles ---- */
enum { HARD_MOST = 64, HARD_STEPS = 20000 };
typedef struct Hard {
    IonCtx *x;
    uint32_t n, steps;
    uint32_t bundle[HARD_MOST], from[HARD_MOST], to[HARD_MOST];
    RaPRegSet may[HARD_MOST];
    RaPReg reg[HARD_MOST]; /* RA_PREG_NONE = not yet */
} Hard;

static RaPRegSet still_free(const Hard *h, uint32_t k) {
    RaPRegSet s = h->may[k];
    for (uint32_t q = 0; q < h->n; q++)
        if (h->reg[q] != RA_PREG_NONE && h->from[q] < h->to[k] && h->from[k] < h->to[q])
            s &= ~ra_set(h->reg[q]);
    return s;
}

/* Those with the fewest choices first, back again where none is left. */
static bool search(Hard *h, uint32_t left) {
    if (left == 0) return true;
    if (h->steps++ == HARD_STEPS) return false;
    uint32_t best = NONE, fewest = 65;
    RaPRegSet free = 0;
    for (uint32_t k = 0; k < h->n; k++) {
        if (h->reg[k] != RA_PREG_NONE) continue;
        RaPRegSet s = still_free(h, k);
        if (u64_popcount(s) < fewest) fewest = u64_popcount(s), best = k, free = s;
    }
    for (; free; free &= free - 1) {
        h->reg[best] = (RaPReg)u64_ctz(free);
        if (search(h, left - 1)) return true;
    }
    h->reg[best] = RA_PREG_NONE;
    return false;
}

static bool add_hard(Hard *h, uint32_t bundle) {
    const IonCtx *x = h->x;
    const IonBundle *b = &x->b.p[bundle];
    if (h->n == HARD_MOST) return false;
    h->bundle[h->n] = bundle;
    h->from[h->n] = x->r.p[b->first].from;
    h->to[h->n] = x->r.p[b->first].to;
    h->may[h->n] = allowed_to(x, b);
    h->may[h->n] &= ~taken_in(x, &x->wall, b->first, h->may[h->n]);
    if (b->reg != RA_PREG_NONE) h->may[h->n] |= ra_set(b->reg); /* perhaps behind its own wall */
    h->reg[h->n++] = RA_PREG_NONE;
    return true;
}

/* A minimal bundle that finds no place: it and those of its instruction that are placed get places together. */
static bool place_together(IonCtx *x, uint32_t bundle) {
    Hard h = {.x = x};
    bool is_float = x->v.p[x->r.p[x->b.p[bundle].first].vreg].is_float;
    RaPRegSet all = x->env->allocatable & RA_CLASS_MASK(is_float ? RA_FLOAT : RA_INT);
    uint32_t point = x->r.p[x->b.p[bundle].first].from & ~1u;
    (void)add_hard(&h, bundle);
    for (RaPRegSet s = all; s; s &= s - 1) {
        RaPReg p = (RaPReg)u64_ctz(s);
        ion_regs_flush(x, p);
        IonCursor c = ion_regs_find(x, p, point);
        while (c.page < x->dir[p].n) {
            const IonPage *g = &x->pages.p[x->dir[p].p[c.page]];
            if (g->from[c.at] >= point + 2) break;
            uint32_t b = g->bundle[c.at];
            if (x->b.p[b].minimal && !add_hard(&h, b)) return false;
            if (++c.at == g->n) c.page++, c.at = 0;
        }
    }
    if (!search(&h, h.n)) return false;
    for (uint32_t k = 1; k < h.n; k++) remove_from_register(x, h.bundle[k]);
    for (uint32_t k = 0; k < h.n; k++) {
        (void)heaviest(x, h.bundle[k], h.reg[k], FLT_MAX);
        for (uint32_t i = 0; i < x->conflicts.n; i++) evict(x, x->conflicts.p[i]);
        ion_place(x, h.bundle[k], h.reg[k]);
    }
    return true;
}

/* A part for one operand that may as well read the slot. */
static bool reads_once(const IonCtx *x, const IonBundle *b) {
    const IonRange *r = &x->r.p[b->first];
    if ((b->flags & (ION_NEED | ION_DEF)) || r->next != NONE) return false;
    uint32_t n = 0;
    for (uint32_t k = r->use0; k < r->use1 && n < 2; k++) n += !ion_reads_before(x->uses.p[k].what);
    return n < 2;
}

/* ---- the loop ---- */
/* What a tight spot would do to the bundle, to which `free` is open all along. */
static bool forced(IonCtx *x, uint32_t bundle, RaPRegSet allowed, RaPRegSet free) {
    const IonBundle *b = &x->b.p[bundle];
    if (ra_stressed(x->c, RA_STRESS_EVICT, 2) && b->weight > 0 &&
        try_evict(x, bundle, allowed & ~free & ~taken_in(x, &x->wall, b->first, allowed)))
        return true;
    if (b->minimal) return false;
    if (!(b->flags & ION_NEED)) {
        if (!ra_stressed(x->c, RA_STRESS_SPILL, 2)) return false;
        ion_give_up(x, bundle);
        return true;
    }
    if (!ra_stressed(x->c, RA_STRESS_SPLIT, 3)) return false;
    uint32_t start = x->r.p[b->first].from, last = b->first;
    while (x->r.p[last].next != NONE) last = x->r.p[last].next;
    uint32_t at = start + (uint32_t)(ra_random(x->c) % (x->r.p[last].to - start));
    ion_split(x, bundle, at, at > start ? pick(x, bundle, free) : RA_PREG_NONE);
    return true;
}

static bool one_bundle(IonCtx *x, uint32_t bundle) {
    const IonBundle *b = &x->b.p[bundle];
    RaPRegSet allowed = allowed_to(x, b);
    if ((b->flags & ION_INNER) && b->hint < 64 && (allowed >> b->hint & 1) &&
        own_walls(x, b->first, b->hint)) {
        (void)heaviest(x, bundle, b->hint, 0);
        if (x->conflicts.n == 0) {
            ion_place(x, bundle, b->hint);
            return true;
        }
    }
    if (b->spillset != NONE && reads_once(x, b)) {
        ion_give_up(x, bundle);
        return true;
    }
    RaPRegSet free = allowed & ~taken_in(x, &x->occ, b->first, allowed);
    if (free && x->c->stress && forced(x, bundle, allowed, free)) return true;
    if (free) {
        ion_place(x, bundle, pick(x, bundle, free));
        return true;
    }
    if (b->weight > 0 && try_evict(x, bundle, allowed & ~taken_in(x, &x->wall, b->first, allowed)))
        return true;
    if (b->minimal) {
        if (place_together(x, bundle)) return true;
        uint32_t inst = x->r.p[b->first].from / 2;
        x->c->fault = (RaFault){RA_FAULT_INST, inst};
        return diag_msg(x->d, DIAG_LIMIT,
                        "register allocation: not enough registers for instruction %u", inst);
    }
    if (!(b->flags & ION_NEED)) {
        ion_give_up(x, bundle);
        return true;
    }
    RaPRegSet left = allowed;
    uint32_t start = x->r.p[b->first].from, at = NONE;
    for (uint32_t r = b->first; r != NONE && at == NONE; r = x->r.p[r].next)
        at = ion_map_first(&x->occ, x->r.p[r].from, x->r.p[r].to, &left);
    RaPReg p = at > start ? pick(x, bundle, left) : RA_PREG_NONE;
    if ((b->flags & ION_INNER) && b->hint < 64 && (allowed >> b->hint & 1)) {
        uint32_t own = NONE;
        for (uint32_t r = b->first; r != NONE && own == NONE; r = x->r.p[r].next)
            own = ion_first_foreign(x, x->r.p[r].vreg, x->r.p[r].from, x->r.p[r].to, b->hint);
        if (own > at) at = own, p = b->hint;
    }
    ion_split(x, bundle, at, p);
    return true;
}

bool ion_process(IonCtx *x) {
    for (uint32_t b; (b = ion_dequeue(x)) != NONE;)
        if (!one_bundle(x, b)) return false;
    return true;
}
