/* regalloc/ion.h — what the files of the backtracking allocator share; ion.c explains it.
 *
 * Points    Instruction i is the points 2i (early) and 2i + 1 (late); a range is [from, to).
 *
 *   vreg 7    range ─> range ─> range      (sorted only for move insertion)
 *   bundle    range ─> range               (bnext, sorted, disjoint: one place for all of them)
 *   uses      ....[use0 .. use1)....       (a range's slice; cutting a range cuts the slice, nothing is copied) */
#ifndef COT_REGALLOC_ION_H
#define COT_REGALLOC_ION_H
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

enum {
    ION_DEF = 1, /* starts with its definition: nothing is moved in */
    ION_COPY = 2 /* a second place for one use, filled by a move just before the instruction */
};
typedef struct IonRange {
    uint32_t from, to;
    uint32_t vreg; /* index; NONE: given up */
    uint32_t bundle, bnext;
    uint32_t use0, use1;
    float weight; /* sum over the uses */
    uint8_t flags;
} IonRange;

typedef struct IonUse {
    uint32_t op, pos; /* pos odd: live to the end of the instruction, or a late definition */
    float weight;
    uint8_t constraint, arg, is_def;
} IonUse;

typedef struct IonBundle {
    uint32_t first; /* range, NONE = empty */
    uint32_t count; /* ranges, as merged; used only while merging */
    uint32_t spillset, prio, weight;
    RaPReg reg;
    uint8_t minimal;
} IonBundle;

typedef struct IonSpillSet {
    uint32_t from, to; /* hull of all its ranges */
    uint32_t slot, spill_bundle;
    uint8_t width, is_float, required, splits;
    RaPReg hint;
} IonSpillSet;

/* One register's ranges, sorted and disjoint: pages of up to ION_PAGE, in order in the directory. */
enum { ION_PAGE = 32 };
typedef struct IonPage {
    uint32_t n;
    uint32_t from[ION_PAGE], to[ION_PAGE], range[ION_PAGE];
} IonPage;

typedef struct IonQueued {
    uint32_t prio, bundle;
    RaPReg hint;
} IonQueued;

typedef struct IonVReg {
    uint32_t def_block, global; /* index among those live between blocks, NONE = is not */
    uint32_t param; /* position in its block's parameter list, NONE = defined by an instruction */
    uint32_t first, current; /* while building: first range; range being extended in this block */
    uint32_t stamp;          /* instruction whose uses are being counted */
    uint16_t uses;
    uint8_t live_after, taken; /* in that instruction */
    uint8_t constraint, arg;
} IonVReg;

enum { ION_IN_EDGE, ION_REGULAR, ION_FIXUP, ION_OUT_EDGE };
typedef struct IonMove {
    uint32_t key; /* point * 4 + one of the above */
    RaAlloc from, to;
    RaVReg vreg;
} IonMove;
typedef struct IonLinked {
    IonUse u;
    uint32_t next;
} IonLinked;

struct IonCtx {
    RaCtx *c;
    Mem *mem;
    const RaFunc *f;
    const RaEnv *env;
    Diag *d;
    VEC(IonVReg) v;
    VEC(IonRange) r;
    VEC(IonUse) uses;
    VEC(IonLinked) linked;
    VEC(IonBundle) b;
    VEC(IonSpillSet) ss;
    VEC(IonPage) pages;
    VecU32 free_pages;
    VecU32 dir[64];
    VEC(IonQueued) queue;
    VEC(IonMove) moves, moves2;
    VecU32 block_of, depth, pred_edge;
    VecU32 by_global, live, kill, kill_at, work; /* rows of live-in bits are in live_in */
    VecU64 live_in, row;
    uint32_t row_words, num_global;
    BitSet queued;
    VecU32 reuse_ops, reuse_inst, copies; /* reuse_ops: result, input */
    VecU32 spilled, conflicts, best, mark;
    uint32_t mark_now;
    RaPRegSet clobbered_ever;
    VecU32 holds, sort_a, sort_b, keys, by_ranges, by_vreg, vreg_at, cover;
    VecU32 slot_free[3];
    uint32_t num_slots, spare_slot;
    VecU32 allocs;
    VEC(RaEdit) edits;
    RaStats st;
};

static inline RaVReg ion_name(const IonCtx *x, uint32_t r) {
    return ra_vreg(x->r.p[r].vreg, x->ss.p[x->b.p[x->r.p[r].bundle].spillset].is_float);
}
static inline uint32_t ion_width(const IonCtx *x, uint32_t v) {
    return x->f->vreg_slots ? x->f->vreg_slots[v] : 1;
}
static inline uint32_t ion_depth_at(const IonCtx *x, uint32_t point) {
    return x->depth.p[x->block_of.p[point / 2]];
}

/* ion_live.c: blocks, liveness, ranges and uses. False: past the budget. */
bool ion_liveness(IonCtx *x);
void ion_ranges(IonCtx *x);
/* ion_merge.c */
uint32_t ion_new_bundle(IonCtx *x, uint32_t spillset);
void ion_bundles(IonCtx *x);
/* ion_regs.c: the ranges of each register */
void ion_regs_reset(IonCtx *x);
typedef struct IonCursor {
    uint32_t page, at; /* position in the directory, entry */
} IonCursor;
IonCursor ion_regs_find(const IonCtx *x, RaPReg p,
                        uint32_t point); /* first entry that ends after it */
void ion_regs_add(IonCtx *x, RaPReg p, uint32_t range);
void ion_regs_remove(IonCtx *x, RaPReg p, uint32_t range);
/* ion_split.c */
void ion_weigh_range(IonCtx *x, uint32_t r);
void ion_queue(IonCtx *x, uint32_t bundle, RaPReg hint);
void ion_split(IonCtx *x, uint32_t bundle, uint32_t at, RaPReg hint, bool trim);
float ion_use_weight(RaConstraint c, uint32_t depth, bool def);
/* ion_process.c. False: not enough registers, said in the diagnostics */
bool ion_process(IonCtx *x);
/* ion_spill.c */
void ion_spill(IonCtx *x);
/* ion_moves.c */
void ion_insert_moves(IonCtx *x);
void ion_resolve_moves(IonCtx *x);
/* Indices 0 .. n - 1 sorted by key, stable, in x->sort_a: keys[i * stride] is element i's. */
const uint32_t *ion_sort(IonCtx *x, const void *keys, size_t stride, uint32_t n);
#endif
