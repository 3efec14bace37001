/* regalloc/ion_occ.c — which registers are taken where: a word of registers per point, with summaries.
 *
 * Problem   Most bundles are short and find a free register at once; asking register after register is too dear.
 * Idea      One word per point says which registers are taken; the or over a range tells what is free for all registers
 *           together. Units of 64 points have the or of their words, units of 64 units too, and so on. A long range is
 *           entered as its whole units, per level (`all`), and single points or smaller units at its ends.
 *
 *   level 1   |  any: or of its 64 words, and of `all`  |  any  | ...      all: registers entered for the unit at once
 *   level 0   | w w w w w w w ... w w w w w w w w w w w | w w w w ...
 *
 * Invariant any[k][u] holds all that was entered in unit u at level k or below; what was entered above is in `all` of
 *           the units around u.
 * Cost      O(64 * levels) for a range of any length. */
#include "regalloc/ion.h"

void ion_map_init(IonCtx *x, IonMap *m, uint32_t points) {
    m->levels = 0;
    for (uint32_t n = points; m->levels < ION_LEVELS; n = (n + 63) / 64) {
        uint32_t whole = (n + 64) & ~63u; /* units are whole */
        vec_clear(&m->any[m->levels]);
        vec_resize0(x->mem, &m->any[m->levels], whole);
        if (m->levels) {
            vec_clear(&m->all[m->levels]);
            vec_resize0(x->mem, &m->all[m->levels], whole);
        }
        m->levels++;
        if (n <= 64) break;
    }
}

void ion_map_sum(IonMap *m) {
    for (uint32_t k = 1; k < m->levels; k++) {
        const uint64_t *below = m->any[k - 1].p;
        uint32_t n = m->any[k - 1].n;
        for (uint32_t i = 0; i < n; i++) m->any[k].p[i / 64] |= below[i];
    }
}

/* What was entered above level k around unit u. */
static RaPRegSet around(const IonMap *m, uint32_t k, uint32_t u) {
    RaPRegSet s = 0;
    for (k++; k < m->levels; k++) s |= m->all[k].p[u >>= 6];
    return s;
}

RaPRegSet ion_map_or(const IonMap *m, uint32_t from, uint32_t to) {
    RaPRegSet s = 0;
    uint32_t a = from, z = to, k = 0;
    for (;; k++) {
        const uint64_t *any = m->any[k].p;
        if (k + 1 == m->levels || z - a < 64) {
            uint32_t first = a, last = z - 1;
            for (; a < z; a++) s |= any[a];
            if (k + 1 == m->levels) return s;
            s |= around(m, k, first);
            return first >> 6 == last >> 6 ? s : s | around(m, k, last);
        }
        uint32_t first = a, last = z - 1;
        while (a & 63) s |= any[a++];
        while (z & 63) s |= any[--z];
        s |= m->all[k + 1].p[first >> 6] | m->all[k + 1].p[last >> 6];
        if (a >= z) {
            s |= around(m, k + 1, first >> 6) | around(m, k + 1, last >> 6);
            return s;
        }
        a >>= 6, z >>= 6;
    }
}

void ion_map_set(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit) {
    uint32_t a = from, z = to;
    for (uint32_t k = 0; a < z; k++, a >>= 6, z >>= 6) {
        uint64_t *any = m->any[k].p, *all = m->all[k].p;
        bool top = k + 1 == m->levels || z - a < 64;
        for (; a < z && (top || a & 63); a++) {
            any[a] |= bit;
            if (k) all[a] |= bit;
        }
        for (; a < z && z & 63;) {
            any[--z] |= bit;
            if (k) all[z] |= bit;
        }
    }
    for (uint32_t k = 1, f = from, l = to - 1; k < m->levels; k++) {
        m->any[k].p[f >>= 6] |= bit;
        m->any[k].p[l >>= 6] |= bit;
    }
}

/* The bit goes from the unit unless it is somewhere below. */
static void sum_unit(IonMap *m, uint32_t k, uint32_t u, RaPRegSet bit) {
    if (m->all[k].p[u] & bit) return;
    const uint64_t *below = &m->any[k - 1].p[u * 64];
    for (uint32_t i = 0; i < 64; i += 8) {
        uint64_t a = below[i] | below[i + 1] | below[i + 2] | below[i + 3];
        uint64_t b = below[i + 4] | below[i + 5] | below[i + 6] | below[i + 7];
        if ((a | b) & bit) return;
    }
    m->any[k].p[u] &= ~bit;
}

void ion_map_clear(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit) {
    uint32_t a = from, z = to;
    for (uint32_t k = 0; a < z; k++, a >>= 6, z >>= 6) {
        uint64_t *any = m->any[k].p, *all = m->all[k].p;
        bool top = k + 1 == m->levels || z - a < 64;
        for (; a < z && (top || a & 63); a++) {
            any[a] &= ~bit;
            if (k) all[a] &= ~bit;
        }
        for (; a < z && z & 63;) {
            any[--z] &= ~bit;
            if (k) all[z] &= ~bit;
        }
    }
    for (uint32_t k = 1, f = from, l = to - 1; k < m->levels; k++) {
        f >>= 6, l >>= 6;
        sum_unit(m, k, f, bit);
        if (l != f) sum_unit(m, k, l, bit);
    }
}

uint32_t ion_map_first(const IonMap *m, uint32_t from, uint32_t to, RaPRegSet *left) {
    for (uint32_t at = from; at < to;) {
        if (at & 63 || to - at < 64) { /* point by point, up to the next unit */
            uint32_t end = (at | 63) + 1 < to ? (at | 63) + 1 : to;
            RaPRegSet open = *left & ~around(m, 0, at);
            for (; at < end; at++) {
                open &= ~m->any[0].p[at];
                if (!open) return at;
                *left = open;
            }
            continue;
        }
        uint32_t k = 0, u = at;
        while (k + 1 < m->levels && (u & 63) == 0 && to - at >= (uint64_t)1 << 6 * (k + 1))
            k++, u >>= 6;
        for (;; k--, u <<= 6) { /* down to where the last of them is lost */
            RaPRegSet taken = m->any[k].p[u] | around(m, k, u);
            if (*left & ~taken) {
                *left &= ~taken;
                break;
            }
            if (k == 0) return u;
        }
        at = (u + 1) << 6 * k;
    }
    return NONE;
}
