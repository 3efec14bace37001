/* regalloc/ion_process.c — the main loop: a register for each bundle, by eviction and splitting.
 *
 * Problem   More bundles want registers at some points than there are; which stay, which give way?
 * Idea      Longest bundle first. A bundle takes the first register without a conflict. Otherwise it compares its weight
 *           (uses by loop depth, per point of length) with that of the heaviest bundle in its way, for the register where
 *           this is least: a lighter obstacle is evicted and queued again, else the bundle is split at the first conflict.
 *           One that needs no register is left for the second chance in ion_spill.c.
 * Ends      Eviction strictly needs more weight; splitting ends at minimal bundles; these are above all others, fixed
 *           registers above limited ones above free choice, so that an instruction's wishes are met if they can be.
 * Clobbers  are not entries of the registers: they are looked up in the input's list, once per bundle, until all
 *           registers that the function ever clobbers were seen.
 * Cost      O(ranges * log n) per probe; two attempts per time in the queue. */
#include "regalloc/ion.h"

typedef enum Need { NEED_ANY, NEED_REG, NEED_LIMIT, NEED_FIXED, NEED_STACK } Need;
typedef struct Wish {
    Need need;
    uint32_t arg;
    bool conflict, trim;
    uint32_t at; /* of a conflict */
} Wish;

static Wish wish_of(const IonCtx *x, uint32_t bundle) {
    Wish w = {.need = NEED_ANY, .arg = 32};
    uint32_t last = 0;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].bnext)
        for (uint32_t u = x->r.p[r].use0; u < x->r.p[r].use1; u++) {
            const IonUse *use = &x->uses.p[u];
            Need n = use->constraint == RA_ANY     ? NEED_ANY
                     : use->constraint == RA_STACK ? NEED_STACK
                     : use->constraint == RA_FIXED ? NEED_FIXED
                     : use->constraint == RA_LIMIT ? NEED_LIMIT
                                                   : NEED_REG;
            bool ok = n == NEED_ANY || w.need == NEED_ANY || n == w.need ||
                      (n != NEED_STACK && w.need != NEED_STACK);
            if (n == NEED_FIXED)
                ok =
                    ok && (w.need == NEED_FIXED ? w.arg == use->arg
                                                : w.need != NEED_LIMIT || (use->arg & 31u) < w.arg);
            if (n == NEED_LIMIT && w.need == NEED_FIXED) ok = (w.arg & 31) < use->arg;
            if (!ok) {
                bool to_stack = n == NEED_STACK, from_stack = w.need == NEED_STACK;
                w.conflict = true;
                w.trim = !to_stack && !from_stack;
                w.at = to_stack ? (last / 2 + 1) * 2 : use->pos / 2 * 2;
                return w;
            }
            if (n == NEED_LIMIT && w.need == NEED_LIMIT) {
                if (use->arg < w.arg) w.arg = use->arg;
            } else if (n > w.need) {
                w.need = n, w.arg = use->arg;
            }
            last = use->pos;
        }
    return w;
}

typedef struct Clobbered {
    RaPRegSet regs;
    uint32_t first[64];
} Clobbered;

static void clobbers_of(const IonCtx *x, uint32_t bundle, RaPRegSet wanted, Clobbered *c) {
    const RaFunc *f = x->f;
    c->regs = 0;
    wanted &= x->clobbered_ever;
    for (uint32_t r = x->b.p[bundle].first; r != NONE && wanted & ~c->regs; r = x->r.p[r].bnext) {
        uint32_t from = x->r.p[r].from, to = x->r.p[r].to, lo = 0, hi = f->num_clobbers;
        while (lo < hi) { /* first with 2 * inst + 1 >= from */
            uint32_t mid = lo + (hi - lo) / 2;
            if (2 * f->clobbers[mid].inst + 1 >= from)
                hi = mid;
            else
                lo = mid + 1;
        }
        for (; lo < f->num_clobbers && 2 * f->clobbers[lo].inst + 1 < to && wanted & ~c->regs; lo++)
            for (RaPRegSet s = f->clobbers[lo].regs & ~c->regs; s; s &= s - 1) {
                c->regs |= s & -s;
                c->first[u64_ctz(s)] = 2 * f->clobbers[lo].inst + 1;
            }
    }
}

typedef struct Probe {
    bool fits, too_dear, can_evict;
    uint32_t weight, at; /* heaviest obstacle, first point in conflict */
} Probe;

/* Bundles in the way are left in x->conflicts. `dear`: weight above which it is of no use to go on. */
static Probe probe(IonCtx *x, uint32_t bundle, RaPReg p, const Clobbered *cl, uint32_t dear) {
    Probe q = {.fits = true, .can_evict = true, .at = NONE};
    uint32_t wall = cl->regs >> p & 1 ? cl->first[p] : NONE;
    vec_clear(&x->conflicts);
    x->mark_now++;
    IonCursor c = {0, 0};
    uint32_t skips = 16;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].bnext) {
        uint32_t from = x->r.p[r].from, to = x->r.p[r].to;
        if (skips >= 16) c = ion_regs_find(x, p, from);
        for (skips = 0; c.page < x->dir[p].n;) {
            const IonPage *g = &x->pages.p[x->dir[p].p[c.page]];
            if (g->to[c.at] > from) {
                if (g->from[c.at] >= to) break;
                if (g->from[c.at] > wall) break;
                uint32_t b = x->r.p[g->range[c.at]].bundle;
                if (q.at == NONE) q.at = g->from[c.at] > from ? g->from[c.at] : from;
                q.fits = false;
                if (x->mark.n <= b) vec_resize0(x->mem, &x->mark, x->b.n);
                if (x->mark.p[b] != x->mark_now) {
                    x->mark.p[b] = x->mark_now;
                    vec_push(x->mem, &x->conflicts, b);
                    if (x->b.p[b].weight > q.weight) q.weight = x->b.p[b].weight;
                    if (q.weight > dear) {
                        q.too_dear = true;
                        return q;
                    }
                }
                if (g->to[c.at] > to) break; /* the next range may meet it too */
            } else if (++skips >= 16) {
                c = ion_regs_find(x, p, from);
                skips = 0;
                continue;
            }
            if (++c.at == g->n) c.page++, c.at = 0;
        }
        if (c.page == x->dir[p].n || wall < to) break;
    }
    if (wall != NONE) {
        q.fits = q.can_evict = false;
        if (wall < q.at) q.at = wall;
    }
    return q;
}

static void place(IonCtx *x, uint32_t bundle, RaPReg p) {
    x->b.p[bundle].reg = p;
    x->ss.p[x->b.p[bundle].spillset].hint = p;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].bnext) ion_regs_add(x, p, r);
}

static void evict(IonCtx *x, uint32_t bundle) {
    RaPReg p = x->b.p[bundle].reg;
    for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].bnext)
        ion_regs_remove(x, p, r);
    x->b.p[bundle].reg = RA_PREG_NONE;
    ion_queue(x, bundle, RA_PREG_NONE);
    x->st.evictions++;
}

/* The registers to try: the hint, then the ISA's order; k counts up until RA_PREG_NONE. */
static RaPReg candidate(const IonCtx *x, RaClass c, RaPReg hint, RaPRegSet allowed, uint32_t *k) {
    for (;; ++*k) {
        RaPReg p = *k == 0 ? hint : *k <= 32 ? x->env->order[c][*k - 1] : RA_PREG_NONE;
        if (p == RA_PREG_NONE && *k > 0) return p;
        if (p != RA_PREG_NONE && (allowed >> p & 1) && (*k == 0 || p != hint)) {
            ++*k;
            return p;
        }
    }
}

static RaPRegSet allowed_by(const IonCtx *x, Wish w, RaClass c) {
    RaPRegSet all = x->env->allocatable & RA_CLASS_MASK(c);
    if (w.need == NEED_FIXED) return ra_set((RaPReg)w.arg);
    if (w.need == NEED_LIMIT) all &= (((RaPRegSet)1 << w.arg) - 1) * 0x100000001ull;
    return all;
}

static uint32_t hoisted(const IonCtx *x, uint32_t start, uint32_t at) {
    uint32_t d = ion_depth_at(x, start);
    if (ion_depth_at(x, at) <= d) return at;
    for (uint32_t b = x->block_of.p[start / 2] + 1; b <= x->block_of.p[at / 2]; b++)
        if (x->depth.p[b] > d) return 2 * x->f->blocks[b].inst_start;
    return at;
}

static bool try_bundle(IonCtx *x, uint32_t bundle, RaPReg hint, Wish w) {
    RaClass c = x->ss.p[x->b.p[bundle].spillset].is_float ? RA_FLOAT : RA_INT;
    RaPRegSet allowed = allowed_by(x, w, c);
    if (w.need == NEED_FIXED)
        hint = (RaPReg)w.arg;
    else if (hint == RA_PREG_NONE)
        hint = x->ss.p[x->b.p[bundle].spillset].hint;
    if (x->c->stress && ra_random(x->c) % 2) hint = (RaPReg)(c * 32 + ra_random(x->c) % 32);
    Clobbered cl;
    clobbers_of(x, bundle, allowed, &cl);
    for (uint32_t attempt = 0;; attempt++) {
        uint32_t evict_cost = NONE, split_cost = NONE, split_at = 0;
        RaPReg split_reg = RA_PREG_NONE, p;
        for (uint32_t k = 0; (p = candidate(x, c, hint, allowed, &k)) != RA_PREG_NONE;) {
            uint32_t dear = evict_cost == NONE || split_cost == NONE ? NONE
                            : evict_cost > split_cost                ? evict_cost
                                                                     : split_cost;
            Probe q = probe(x, bundle, p, &cl, dear);
            if (q.fits) {
                place(x, bundle, p);
                return true;
            }
            if (q.too_dear) continue;
            if (q.can_evict && q.weight < evict_cost) {
                evict_cost = q.weight;
                vec_clear(&x->best);
                for (uint32_t i = 0; i < x->conflicts.n; i++)
                    vec_push(x->mem, &x->best, x->conflicts.p[i]);
            }
            uint32_t cost =
                q.weight + (uint32_t)ion_use_weight(RA_REG, ion_depth_at(x, q.at), true);
            if (cost < split_cost) split_cost = cost, split_at = q.at, split_reg = p;
        }
        const IonBundle *b = &x->b.p[bundle];
        if (evict_cost < b->weight && (b->minimal || attempt == 0)) {
            for (uint32_t i = 0; i < x->best.n; i++) evict(x, x->best.p[i]);
            if (attempt < 2) continue;
        }
        if (b->minimal) {
            uint32_t inst = x->r.p[b->first].from / 2;
            x->c->fault = (RaFault){RA_FAULT_INST, inst};
            return diag_msg(x->d, DIAG_LIMIT,
                            "register allocation: not enough registers for instruction %u", inst);
        }
        uint32_t start = x->r.p[b->first].from;
        if (split_at < start) split_at = start;
        ion_split(x, bundle, hoisted(x, start, split_at), split_reg, true);
        return true;
    }
}

static bool one_bundle(IonCtx *x, uint32_t bundle, RaPReg hint) {
    Wish w = wish_of(x, bundle);
    if (w.conflict) {
        ion_split(x, bundle, w.at, hint, w.trim);
        return true;
    }
    IonSpillSet *ss = &x->ss.p[x->b.p[bundle].spillset];
    if (w.need == NEED_STACK) {
        ss->required = 1;
        return true;
    }
    if (w.need != NEED_ANY) return try_bundle(x, bundle, hint, w);
    if (ss->spill_bundle == NONE) {
        ss->spill_bundle = bundle;
        vec_push(x->mem, &x->spilled, bundle);
        return true;
    }
    for (uint32_t r = x->b.p[bundle].first, next; r != NONE; r = next) {
        next = x->r.p[r].bnext;
        x->r.p[r].bundle = ss->spill_bundle;
        x->r.p[r].bnext = x->b.p[ss->spill_bundle].first;
        x->b.p[ss->spill_bundle].first = r;
    }
    x->b.p[bundle].first = NONE;
    return true;
}

static IonQueued pop(IonCtx *x) {
    IonQueued *h = x->queue.p, top = h[0], q = vec_pop(&x->queue);
    uint32_t n = x->queue.n, i = 0;
    for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
        if (k + 1 < n && (h[k + 1].prio > h[k].prio ||
                          (h[k + 1].prio == h[k].prio && h[k + 1].bundle < h[k].bundle)))
            k++;
        if (q.prio > h[k].prio || (q.prio == h[k].prio && q.bundle < h[k].bundle)) break;
        h[i] = h[k];
    }
    if (n) h[i] = q;
    return top;
}

/* What is left over gets a register if one is free all along, else a slot. */
static void second_chance(IonCtx *x) {
    for (uint32_t k = 0; k < x->spilled.n; k++) {
        uint32_t bundle = x->spilled.p[k], n = 0;
        vec_clear(&x->by_ranges);
        for (uint32_t r = x->b.p[bundle].first; r != NONE; r = x->r.p[r].bnext)
            vec_push(x->mem, &x->by_ranges, r);
        if ((n = x->by_ranges.n) == 0) continue;
        vec_clear(&x->keys);
        for (uint32_t i = 0; i < n; i++) vec_push(x->mem, &x->keys, x->r.p[x->by_ranges.p[i]].from);
        const uint32_t *order = ion_sort(x, x->keys.p, sizeof(uint32_t), n);
        uint32_t *link = &x->b.p[bundle].first;
        for (uint32_t i = 0; i < n; i++) {
            *link = x->by_ranges.p[order[i]];
            link = &x->r.p[*link].bnext;
        }
        *link = NONE;
        IonSpillSet *ss = &x->ss.p[x->b.p[bundle].spillset];
        RaClass c = ss->is_float ? RA_FLOAT : RA_INT;
        RaPRegSet allowed = x->env->allocatable & RA_CLASS_MASK(c);
        Clobbered cl;
        clobbers_of(x, bundle, allowed, &cl);
        RaPReg p;
        bool done = false;
        for (uint32_t i = 0;
             !done && (p = candidate(x, c, ss->hint, allowed, &i)) != RA_PREG_NONE;) {
            if (cl.regs >> p & 1) continue;
            if (!probe(x, bundle, p, &cl, 0).fits) continue;
            place(x, bundle, p);
            done = true;
        }
        if (!done) ss->required = 1;
    }
}

bool ion_process(IonCtx *x) {
    x->clobbered_ever = 0;
    for (uint32_t k = 0; k < x->f->num_clobbers; k++) x->clobbered_ever |= x->f->clobbers[k].regs;
    while (x->queue.n) {
        IonQueued q = pop(x);
        if (!one_bundle(x, q.bundle, q.hint)) return false;
    }
    second_chance(x);
    return true;
}
