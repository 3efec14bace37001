/* regalloc/ion_spill.c — slots for what is left over, and the allocator's sort.
 *
 * Idea      A spill set occupies its slot from the start of its first range to the end of its last. Sets in order of their
 *           starts take a free slot of their width; slots come back in order of the ends. That needs as few slots as
 *           these intervals allow.
 * Cost      O(spill sets): both orders by radix sort. */
#include "regalloc/ion.h"

/* ---- sorting ---- */
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
    if (n <= 24) {
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
    for (unsigned shift = 0; shift < 32 && all >> shift; shift += 8) {
        uint32_t at[257] = {0};
        for (uint32_t i = 0; i < n; i++) at[(key_at(keys, stride, i) >> shift & 255) + 1]++;
        for (uint32_t i = 0; i < 256; i++) at[i + 1] += at[i];
        for (uint32_t i = 0; i < n; i++) b[at[key_at(keys, stride, a[i]) >> shift & 255]++] = a[i];
        uint32_t *t = a;
        a = b, b = t;
    }
    return a;
}

/* ---- slots ---- */
/* Values with operands that must be in a slot. */
static void want_slots(IonCtx *x) {
    for (uint32_t k = 0; k < x->slot_ops.n; k++) {
        IonSlotOp s = x->slot_ops.p[k];
        uint32_t v = ra_vreg_index(x->f->ops[s.op].vreg), bundle = ion_bundle_of(x, v);
        IonVReg *iv = &x->v.p[v];
        if (iv->slot_set == NONE && bundle != NONE) iv->slot_set = ion_spillset_of(x, bundle);
        if (iv->slot_set == NONE) {
            vec_push(x->mem, &x->ss,
                     (IonSpillSet){.from = 2 * s.inst, .gaps = NONE, .width = iv->width});
            iv->slot_set = x->ss.n - 1;
        }
        IonSpillSet *ss = &x->ss.p[iv->slot_set];
        ss->required = 1;
        if (2 * s.inst < ss->from) ss->from = 2 * s.inst;
        if (2 * s.inst + 2 > ss->to) ss->to = 2 * s.inst + 2;
    }
}

void ion_slots(IonCtx *x) {
    uint32_t n = 0;
    x->num_slots = 0;
    want_slots(x);
    vec_clear(&x->order);
    for (uint32_t s = 0; s < x->ss.n; s++)
        if (x->ss.p[s].required) vec_push(x->mem, &x->order, s);
    x->st.spills = n = x->order.n;
    if (n == 0) return;
    vec_clear(&x->keys);
    for (uint32_t k = 0; k < n; k++) vec_push(x->mem, &x->keys, x->ss.p[x->order.p[k]].to);
    const uint32_t *order = ion_sort(x, x->keys.p, sizeof(uint32_t), n);
    vec_clear(&x->ends);
    for (uint32_t k = 0; k < n; k++) vec_push(x->mem, &x->ends, x->order.p[order[k]]);
    for (uint32_t k = 0; k < n; k++) x->keys.p[k] = x->ss.p[x->order.p[k]].from;
    order = ion_sort(x, x->keys.p, sizeof(uint32_t), n);
    for (uint32_t w = 0; w < sizeof x->slot_free / sizeof *x->slot_free; w++)
        vec_clear(&x->slot_free[w]);
    for (uint32_t k = 0, ended = 0; k < n; k++) {
        IonSpillSet *ss = &x->ss.p[x->order.p[order[k]]];
        for (const IonSpillSet *e; (e = &x->ss.p[x->ends.p[ended]])->to <= ss->from; ended++)
            vec_push(x->mem, &x->slot_free[e->width], e->slot);
        if (x->slot_free[ss->width].n) {
            ss->slot = vec_pop(&x->slot_free[ss->width]);
        } else {
            ss->slot = x->num_slots;
            x->num_slots += ss->width;
        }
    }
}
