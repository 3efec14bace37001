/* regalloc/ion_spill.c — what is left over: gaps between parts get registers that nobody wants, else their slot.
 *
 * Problem   A gap costs a load after it, and a store before it unless the slot holds the value already.
 * Idea      When all bundles are placed, a gap gets the register of the part before or after it, or any if it has uses, if
 *           that is free all along and the value comes into it from registers only. What remains needs the spill set's slot.
 * Slots     A spill set occupies its slot from the start of its first range to the end of its last. Sets in order of their
 *           starts take a free slot of their width; slots come back in order of the ends. That needs as few slots as
 *           these intervals allow.
 * Cost      O(gaps * blocks, up to MAX_BLOCKS of them); O(spill sets): both orders by radix sort. */
#include "regalloc/ion.h"

enum { MAX_BLOCKS = 16 };

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

/* ---- gaps ---- */
static RaPReg reg_of(const IonCtx *x, uint32_t r) {
    return x->b.p[x->r.p[r].bundle].reg;
}

/* The piece of the value in x->chain that holds at the point; NONE: it is not live there. */
static uint32_t piece_at(const IonCtx *x, uint32_t point) {
    uint32_t lo = 0, hi = x->chain.n;
    while (lo < hi) { /* first that ends after the point */
        uint32_t mid = lo + (hi - lo) / 2;
        if (x->r.p[x->chain.p[mid]].to > point)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo < x->chain.n && x->r.p[x->chain.p[lo]].from <= point ? x->chain.p[lo] : NONE;
}

/* The value is in a register wherever control comes into the gap, at block starts too. */
static bool comes_in_registers(const IonCtx *x, uint32_t g, uint32_t prev) {
    const RaFunc *f = x->f;
    const IonRange *ir = &x->r.p[g];
    uint32_t b = ion_block_at(x, ir->from);
    if (2 * f->blocks[b].inst_start < ir->from) {
        bool from_def = (ir->flags & ION_FIXED_DEF) && x->v.p[ir->vreg].fixed != ION_IN_SLOT;
        if (!from_def && (prev == NONE || reg_of(x, prev) == RA_PREG_NONE)) return false;
        b++;
    } else if (ir->flags & ION_DEF) { /* a parameter */
        b++;
    }
    for (uint32_t n = 0; b < f->num_blocks && 2 * f->blocks[b].inst_start < ir->to; b++, n++) {
        if (n == MAX_BLOCKS) return false;
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            uint32_t r = piece_at(x, 2 * f->blocks[f->preds[p]].inst_end - 1);
            if (r != NONE && r != g && reg_of(x, r) == RA_PREG_NONE) return false;
        }
    }
    return true;
}

static void fill(IonCtx *x, uint32_t g, uint32_t prev, uint32_t next) {
    IonRange *ir = &x->r.p[g];
    RaPReg before = prev != NONE && x->r.p[prev].to == ir->from ? reg_of(x, prev) : RA_PREG_NONE;
    RaPReg after = next != NONE && x->r.p[next].from == ir->to ? reg_of(x, next) : RA_PREG_NONE;
    if (before == RA_PREG_NONE && (ir->flags & ION_FIXED_DEF) && x->v.p[ir->vreg].fixed < 64)
        before = x->v.p[ir->vreg].fixed;
    if ((ir->from & 1) && after != before) after = RA_PREG_NONE; /* no move within an instruction */
    bool uses = ir->use0 < ir->use1;
    if (after == RA_PREG_NONE && !uses) return;
    if (!comes_in_registers(x, g, prev)) return;
    RaPRegSet class = x->v.p[ir->vreg].is_float ? RA_CLASS_MASK(RA_FLOAT) : RA_CLASS_MASK(RA_INT);
    RaPRegSet free = x->env->allocatable & class & ~ion_map_or(&x->occ, ir->from, ir->to);
    if (ir->from & 1) free &= before < 64 ? ra_set(before) : 0;
    RaPReg p = RA_PREG_NONE;
    if (after < 64 && (free >> after & 1))
        p = after;
    else if (before < 64 && (free >> before & 1))
        p = before;
    else if (uses && free)
        p = (RaPReg)u64_ctz(free);
    if (p == RA_PREG_NONE) return;
    IonBundle b = x->b.p[ir->bundle];
    b.first = g, b.reg = p;
    vec_push(x->mem, &x->b, b);
    ir->bundle = x->b.n - 1;
    ir->next = NONE;
    ion_map_set(&x->occ, ir->from, ir->to, ra_set(p));
}

void ion_fill_gaps(IonCtx *x) {
    for (uint32_t k = 0; k < x->spilled.n; k++) {
        if (k + 12 < x->spilled.n) { /* far apart in a large function */
            __builtin_prefetch(&x->v.p[x->spilled.p[k + 12]]);
            __builtin_prefetch(&x->r.p[x->v.p[x->spilled.p[k + 6]].first]);
        }
        vec_clear(&x->chain);
        for (uint32_t r = x->v.p[x->spilled.p[k]].first; r != NONE; r = x->r.p[r].vnext)
            vec_push(x->mem, &x->chain, r);
        for (uint32_t i = 0; i < x->chain.n; i++) {
            uint32_t r = x->chain.p[i];
            if (!(x->r.p[r].flags & ION_GAP)) continue;
            if (!ra_stressed(x->c, RA_STRESS_SPILL, 2))
                fill(x, r, i ? x->chain.p[i - 1] : NONE,
                     i + 1 < x->chain.n ? x->chain.p[i + 1] : NONE);
            if (reg_of(x, r) == RA_PREG_NONE)
                x->ss.p[x->b.p[x->r.p[r].bundle].spillset].required = 1;
        }
    }
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
