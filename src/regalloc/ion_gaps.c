/* regalloc/ion_gaps.c — gaps between parts get registers that nobody wants.
 *
 * Problem   A gap costs a load after it, and a store before it unless the slot holds the value already.
 * Idea      When all bundles are placed:
 *           - A part in a loop that is loaded in each round: where its register is open to all of the value's gaps in the loop, they
 *             get it, and the load is before the loop.
 *           - A gap with fixed uses gets the register that they ask for, if it is taken by nobody else; a loop around such
 *             uses is tried alone if the rest of the gap is in the way.
 *           - Any other gap gets the register of the part before or after it, or any if it has uses, if that is free all along and
 *             the value comes into it from registers only.
 * Cost      O(gaps * (pieces + blocks), up to MAX_PIECES and MAX_BLOCKS of them) + O(fixed uses * depth of loops). */
#include "regalloc/ion.h"
#include <float.h>

enum { MAX_BLOCKS = 16, MAX_PIECES = 16, MAX_WIDENED = 8 };

static uint32_t later(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}
static uint32_t earlier(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static RaPReg reg_of(const IonCtx *x, uint32_t r) {
    return x->b.p[x->r.p[r].bundle].reg;
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
            uint32_t r = ion_piece_at(x, 2 * f->blocks[f->preds[p]].inst_end - 1);
            if (r != NONE && r != g && reg_of(x, r) == RA_PREG_NONE) return false;
        }
    }
    return true;
}

/* How often the value is brought into register p if the gap has it; too often if there are more blocks in it. */
static float entries(const IonCtx *x, uint32_t g, uint32_t prev, RaPReg p, uint32_t most_blocks) {
    const RaFunc *f = x->f;
    const IonRange *ir = &x->r.p[g];
    uint32_t b = ion_block_at(x, ir->from);
    float sum = 0;
    if (2 * f->blocks[b].inst_start < ir->from) {
        RaPReg from = ir->flags & ION_FIXED_DEF ? x->v.p[ir->vreg].fixed
                      : prev != NONE            ? reg_of(x, prev)
                                                : RA_PREG_NONE;
        if (from != p) sum += x->freq.p[b];
        b++;
    } else if (ir->flags & ION_DEF) { /* a parameter */
        b++;
    }
    for (uint32_t n = 0; b < f->num_blocks && 2 * f->blocks[b].inst_start < ir->to; b++, n++) {
        if (n == most_blocks) return FLT_MAX;
        const RaBlock *rb = &f->blocks[b];
        bool join = rb->pred_end - rb->pred_start > 1;
        for (uint32_t k = rb->pred_start; k < rb->pred_end; k++) {
            uint32_t pred = f->preds[k], r = ion_piece_at(x, 2 * f->blocks[pred].inst_end - 1);
            if (r != NONE && r != g && reg_of(x, r) != p) sum += x->freq.p[join ? pred : b];
        }
    }
    return sum;
}

/* The register that the first fixed use in a gap asks for. */
static RaPReg asked_for(const IonCtx *x, const IonRange *ir) {
    for (uint32_t k = ir->use0; k < ir->use1; k++)
        if (x->uses.p[k].what == ION_FIXED) return x->uses.p[k].arg;
    return RA_PREG_NONE;
}

/* The register that fixed uses in the gap ask for, if nobody else takes it and it is filled less often than they need it. */
static RaPReg own_register(const IonCtx *x, uint32_t g, uint32_t prev) {
    const IonRange *ir = &x->r.p[g];
    RaPReg p = asked_for(x, ir);
    if (p == RA_PREG_NONE || ion_first_foreign(x, ir->vreg, ir->from, ir->to, p) != NONE)
        return RA_PREG_NONE;
    float gain = 0;
    for (uint32_t k = ir->use0; k < ir->use1; k++)
        if (x->uses.p[k].what == ION_FIXED && x->uses.p[k].arg == p) gain += x->uses.p[k].weight;
    uint32_t most = MAX_BLOCKS + 4 * (ir->use1 - ir->use0);
    return entries(x, g, prev, p, most) < gain ? p : RA_PREG_NONE;
}

/* Register p along a gap of value v: `at` is the first point from `since` on where others have it, or the gap's end. */
typedef struct Foreign {
    RaPReg p;
    uint32_t v, since, at, end;
} Foreign;

static bool foreign_in(const IonCtx *x, Foreign *f, uint32_t from, uint32_t to) {
    if (from >= f->since && f->at < from) {
        f->since = from;
        f->at = ion_first_foreign(x, f->v, from, f->end, f->p);
        if (f->at == NONE) f->at = f->end;
    }
    if (from >= f->since) return f->at < to;
    return ion_first_foreign(x, f->v, from, to, f->p) != NONE;
}

/* The outermost loop around the point, as far as it is in [*from, *to), which others leave p; the innermost one that they do not is noted. */
static bool free_loop(const IonCtx *x, Foreign *f, uint32_t point, uint32_t *from, uint32_t *to,
                      uint32_t *refused) {
    uint32_t start = *from, inner = x->loop_of.p[ion_block_at(x, point)];
    bool found = false;
    for (uint32_t l = inner; l != NONE && l != *refused; l = x->loops.p[l].parent) {
        uint32_t a = later(x->loops.p[l].from, start), z = earlier(x->loops.p[l].to, f->end);
        if (foreign_in(x, f, a, z)) {
            if (!found) *refused = l;
            break;
        }
        *from = a, *to = z;
        found = true;
    }
    return found;
}

/* If others take the register that fixed uses in the gap ask for, but not in loops around them, these become gaps of their own. */
static void set_loops_apart(IonCtx *x, uint32_t g) {
    const IonRange ir = x->r.p[g];
    Foreign f = {.p = asked_for(x, &ir), .v = ir.vreg, .since = ir.from, .end = ir.to};
    if (f.p == RA_PREG_NONE) return;
    f.at = ion_first_foreign(x, f.v, ir.from, ir.to, f.p);
    if (f.at == NONE) return;
    uint32_t refused = NONE;
    for (uint32_t k = ir.use0; k < ir.use1; k++) {
        const IonUse *u = &x->uses.p[k];
        uint32_t from = x->r.p[g].from, to;
        if (u->what != ION_FIXED || u->arg != f.p || u->pos < from) continue;
        if (!free_loop(x, &f, u->pos, &from, &to, &refused)) continue;
        uint32_t r = g;
        if (from > x->r.p[g].from) {
            r = ion_cut(x, g, from);
            ion_weigh_range(x, g);
        }
        if (to < ir.to) g = ion_cut(x, r, to);
        ion_weigh_range(x, r);
        ion_weigh_range(x, g);
        if (to == ir.to || !foreign_in(x, &f, to, ir.to)) return;
    }
}

static void put(IonCtx *x, uint32_t g, RaPReg p) {
    IonRange *ir = &x->r.p[g];
    IonBundle b = x->b.p[ir->bundle];
    b.first = g, b.reg = p;
    vec_push(x->mem, &x->b, b);
    ir->bundle = x->b.n - 1;
    ir->next = NONE;
    ion_map_set(&x->occ, ir->from, ir->to, ra_set(p));
}

/* ---- loops ---- */
/* The chain's pieces around the i-th one that lie in the loop: [*lo, *hi). False: the value does not come into it, or they are many. */
static bool pieces_in(const IonCtx *x, const IonLoop *loop, uint32_t i, uint32_t *lo,
                      uint32_t *hi) {
    uint32_t a = i, z = i + 1;
    while (a > 0 && z - a <= MAX_PIECES && x->r.p[x->chain.p[a - 1]].to > loop->from) a--;
    while (z < x->chain.n && z - a <= MAX_PIECES && x->r.p[x->chain.p[z]].from < loop->to) z++;
    *lo = a, *hi = z;
    return z - a <= MAX_PIECES && x->r.p[x->chain.p[a]].from <= loop->from;
}

/* There is no move within an instruction: a gap that starts in one must go on in the same register. */
static bool open_to(const IonCtx *x, const IonLoop *loop, uint32_t lo, uint32_t hi, RaPReg p) {
    for (uint32_t k = lo; k < hi; k++) {
        uint32_t r = x->chain.p[k];
        const IonRange *ir = &x->r.p[r];
        if (reg_of(x, r) != RA_PREG_NONE) continue;
        if ((ir->from & 1) && ir->from > loop->from && reg_of(x, x->chain.p[k - 1]) != p)
            return false;
        if (ion_first_foreign(x, ir->vreg, later(ir->from, loop->from), earlier(ir->to, loop->to),
                              p) != NONE)
            return false;
    }
    return true;
}

/* The part after the i-th piece, a gap, is loaded in each round of a loop. Where its register is open to all of the loop's gaps, they
 * get it, and the load is before the loop; the outermost such loop. True: the chain has changed. */
static bool widen(IonCtx *x, uint32_t i) {
    if (i + 1 == x->chain.n) return false;
    uint32_t end = x->r.p[x->chain.p[i]].to;
    RaPReg p = reg_of(x, x->chain.p[i + 1]);
    if (p == RA_PREG_NONE || x->r.p[x->chain.p[i + 1]].from != end) return false;
    const IonLoop *loop = NULL;
    uint32_t l = x->loop_of.p[ion_block_at(x, end - 1)], lo = 0, hi = 0, a, z;
    for (; l != NONE; l = x->loops.p[l].parent) {
        if (!pieces_in(x, &x->loops.p[l], i, &a, &z) || !open_to(x, &x->loops.p[l], a, z, p)) break;
        loop = &x->loops.p[l], lo = a, hi = z;
    }
    for (uint32_t k = lo; k < hi; k++) {
        uint32_t r = x->chain.p[k], g = r;
        if (reg_of(x, r) != RA_PREG_NONE) continue;
        if (x->r.p[r].from < loop->from) {
            g = ion_cut(x, r, loop->from);
            ion_weigh_range(x, r);
        }
        if (x->r.p[g].to > loop->to) ion_weigh_range(x, ion_cut(x, g, loop->to));
        ion_weigh_range(x, g);
        put(x, g, p);
    }
    return loop != NULL;
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
    RaPReg own = uses ? own_register(x, g, prev) : RA_PREG_NONE;
    if (own != RA_PREG_NONE && (!(ir->from & 1) || own == before)) {
        put(x, g, own);
        return;
    }
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
    if (p != RA_PREG_NONE) put(x, g, p);
}

static void chain_of(IonCtx *x, uint32_t v) {
    vec_clear(&x->chain);
    for (uint32_t r = x->v.p[v].first; r != NONE; r = x->r.p[r].vnext)
        vec_push(x->mem, &x->chain, r);
}

static void loops_of(IonCtx *x, uint32_t v) {
    for (uint32_t r = x->v.p[v].first; r != NONE; r = x->r.p[r].vnext)
        if (x->r.p[r].flags & ION_GAP) set_loops_apart(x, r);
    chain_of(x, v);
    uint32_t widened = 0;
    for (uint32_t i = 0; i < x->chain.n && widened < MAX_WIDENED; i++)
        if (reg_of(x, x->chain.p[i]) == RA_PREG_NONE && widen(x, i)) {
            chain_of(x, v);
            widened++;
        }
}

void ion_fill_gaps(IonCtx *x) {
    for (uint32_t k = 0; k < x->spilled.n; k++) {
        if (k + 12 < x->spilled.n) { /* far apart in a large function */
            __builtin_prefetch(&x->v.p[x->spilled.p[k + 12]]);
            __builtin_prefetch(&x->r.p[x->v.p[x->spilled.p[k + 6]].first]);
        }
        if (x->loops.n)
            loops_of(x, x->spilled.p[k]);
        else
            chain_of(x, x->spilled.p[k]);
        for (uint32_t i = 0; i < x->chain.n; i++) {
            uint32_t r = x->chain.p[i];
            if (!(x->r.p[r].flags & ION_GAP) || reg_of(x, r) != RA_PREG_NONE) continue;
            if (!ra_stressed(x->c, RA_STRESS_SPILL, 2))
                fill(x, r, i ? x->chain.p[i - 1] : NONE,
                     i + 1 < x->chain.n ? x->chain.p[i + 1] : NONE);
            if (reg_of(x, r) == RA_PREG_NONE)
                x->ss.p[x->b.p[x->r.p[r].bundle].spillset].required = 1;
        }
    }
}
