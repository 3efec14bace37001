/* regalloc/ion_spill.c — stack slots, and the sort that the last phases share.
 *
 * Problem   Spill sets that are never needed at the same time shall share a slot.
 * Idea      A spill set occupies its slot from the start of its first range to the end of its last. Sets in order of their starts
 *           take a free slot of their width; slots come back in order of the ends. That needs as few slots as these
 *           intervals allow.
 * Cost      O(spill sets): both orders by radix sort. */
#include "regalloc/ion.h"

static uint32_t key_at(const void *keys, size_t stride, uint32_t i) {
    uint32_t k;
    memcpy(&k, (const char *)keys + stride * i, sizeof k);
    return k;
}

const uint32_t *ion_sort(IonCtx *x, const void *keys, size_t stride, uint32_t n) {
    vec_clear(&x->sort_a);
    vec_clear(&x->sort_b);
    uint32_t *a = vec_extend(x->mem, &x->sort_a, n + 1), *b = vec_extend(x->mem, &x->sort_b, n + 1),
             all = 0;
    if (n <= 32) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t k = i, key = key_at(keys, stride, i);
            for (; k > 0 && key_at(keys, stride, a[k - 1]) > key; k--) a[k] = a[k - 1];
            a[k] = i;
        }
        return a;
    }
    for (uint32_t i = 0; i < n; i++) {
        a[i] = i;
        all |= key_at(keys, stride, i);
    }
    for (unsigned shift = 0; shift < 32 && all >> shift; shift += 11) {
        uint32_t at[2049] = {0};
        for (uint32_t i = 0; i < n; i++) at[(key_at(keys, stride, i) >> shift & 2047) + 1]++;
        for (uint32_t i = 0; i < 2048; i++) at[i + 1] += at[i];
        for (uint32_t i = 0; i < n; i++) b[at[key_at(keys, stride, a[i]) >> shift & 2047]++] = a[i];
        uint32_t *t = a;
        a = b, b = t;
    }
    return a;
}

void ion_spill(IonCtx *x) {
    uint32_t n = 0;
    x->num_slots = 0;
    vec_clear(&x->by_ranges);
    for (uint32_t s = 0; s < x->ss.n; s++)
        if (x->ss.p[s].required) vec_push(x->mem, &x->by_ranges, s);
    n = x->by_ranges.n;
    x->st.spills = n;
    vec_clear(&x->keys);
    for (uint32_t k = 0; k < n; k++) vec_push(x->mem, &x->keys, x->ss.p[x->by_ranges.p[k]].to);
    const uint32_t *order = ion_sort(x, x->keys.p, sizeof(uint32_t), n);
    vec_clear(&x->by_vreg); /* in order of their ends */
    for (uint32_t k = 0; k < n; k++) vec_push(x->mem, &x->by_vreg, x->by_ranges.p[order[k]]);
    for (uint32_t k = 0; k < n; k++) x->keys.p[k] = x->ss.p[x->by_ranges.p[k]].from;
    order = ion_sort(x, x->keys.p, sizeof(uint32_t), n);
    for (uint32_t w = 0; w < 3; w++) vec_clear(&x->slot_free[w]);
    for (uint32_t k = 0, ended = 0; k < n; k++) {
        IonSpillSet *ss = &x->ss.p[x->by_ranges.p[order[k]]];
        for (const IonSpillSet *e; (e = &x->ss.p[x->by_vreg.p[ended]])->to <= ss->from; ended++)
            vec_push(x->mem, &x->slot_free[e->width], e->slot);
        if (x->slot_free[ss->width].n) {
            ss->slot = vec_pop(&x->slot_free[ss->width]);
        } else {
            ss->slot = x->num_slots;
            x->num_slots += ss->width;
        }
    }
}
