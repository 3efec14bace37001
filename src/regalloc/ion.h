/* regalloc/ion.h — what the files of the backtracking allocator share; ion.c explains it.
 *
 * Points    Instruction i is the points 2i (early) and 2i + 1 (late); a range is [from, to).
 *
 *   value     range ─> range ─> range      (vnext: ascending, disjoint, together where the value is live)
 *   bundle    range ─> range               (next: ascending, disjoint: one place for all of them)
 *   uses      ....[use0 .. use1)....       (a range's slice; cutting a range cuts the slice, nothing is copied) */
#ifndef COT_REGALLOC_ION_H
#define COT_REGALLOC_ION_H
#include "base/bisect.h"
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

enum {
    ION_DEF = 1,       /* starts with the definition, or as a block parameter: no place before it */
    ION_FIXED_DEF = 2, /* starts after an instruction that leaves the value in IonVReg.fixed */
    ION_NEED = 4,      /* a use wants a register */
    ION_INNER = 8,     /* a use in a fixed register that the value outlives */
    ION_GAP = 16,      /* belongs to the spill set's slot, unless a register is free all along */
    ION_FLOAT = 32     /* class of the value */
};
typedef struct IonRange {
    uint32_t from, to;
    uint32_t vreg; /* index */
    uint32_t bundle, next, vnext;
    uint32_t use0, use1;
    float weight;  /* sum over the uses */
    uint8_t limit; /* least RA_LIMIT among the uses, 32 = none */
    uint8_t flags;
} IonRange;
_Static_assert(sizeof(IonRange) == 40, "the array that matters most");

/* What a use asks for. Those up to ION_REUSED read the value before the instruction, wherever it is, and have their own place. */
typedef enum IonWhat {
    ION_FIXED,  /* early use in a fixed register */
    ION_STACK,  /* use in a slot */
    ION_REUSED, /* input of a two-address operation: copied to where the result will be */
    ION_ANY,
    ION_REG,
    ION_LIMIT,
    ION_DEF_ANY,
    ION_DEF_REG, /* with or without limit */
    ION_ARG,     /* branch argument; `op` is its index */
    ION_NUM_WHATS
} IonWhat;
typedef struct IonUse {
    uint32_t op;
    uint32_t pos; /* last point at which the value must be there: see ion_reads_before */
    float weight;
    uint8_t what, arg; /* arg: fixed register, limit */
} IonUse;
/* Its position is 2i - 1; of a block's first instruction 2i, because what is before it is in other blocks. */
static inline bool ion_reads_before(uint8_t what) {
    return what <= ION_REUSED;
}
static inline uint32_t ion_point_of(const IonUse *u) { /* where its move is */
    return (u->pos + 1) & ~1u;
}

typedef struct IonBundle {
    uint32_t first;    /* range, NONE = empty */
    uint32_t count;    /* while merging: its ranges. While placing: the last question that met it */
    uint32_t spillset; /* NONE until it is first split or spilled */
    uint32_t related;  /* list in IonCtx.related, NONE = empty */
    float weight;      /* uses per point; minimal bundles above all others */
    float hint_weight;
    RaPReg reg, hint, hint2; /* hint: of fixed uses; hint2: of related bundles and former pieces */
    uint8_t flags;           /* of its ranges, or-ed */
    uint8_t limit, minimal;
} IonBundle;

/* ion_queue.c */
enum { ION_CHUNK = 15 };
typedef struct IonChunk {
    uint32_t bundle[ION_CHUNK], next;
} IonChunk;
typedef struct IonQueue {
    uint32_t head, tail;       /* chunks */
    uint32_t head_at, tail_at; /* in them */
} IonQueue;

typedef struct IonSpillSet {
    uint32_t from, to; /* hull of all its ranges */
    uint32_t slot;
    uint32_t gaps; /* bundle of its ranges in the slot, NONE = none */
    uint8_t width, required, splits;
} IonSpillSet;

/* Which registers are taken at each point, ion_occ.c. */
enum { ION_LEVELS = 6 };
typedef struct IonMap {
    VecU64 any[ION_LEVELS]; /* any[k][u]: registers that occur in unit u of 64^k points */
    VecU64 all[ION_LEVELS]; /* k > 0: registers entered for the whole unit at once */
    uint32_t levels;
} IonMap;

/* One register's ranges, sorted and disjoint: pages of up to ION_PAGE, in order in the directory. */
enum { ION_PAGE = 32 };
typedef struct IonPage {
    uint32_t n;
    uint32_t from[ION_PAGE], to[ION_PAGE], bundle[ION_PAGE];
    float weight[ION_PAGE]; /* the bundle's */
} IonPage;
typedef struct IonCursor {
    uint32_t page, at; /* position in the directory, entry */
} IonCursor;

enum { ION_NOT_FIXED = RA_PREG_NONE, ION_IN_SLOT = 254 };
typedef struct IonVReg {
    uint32_t first;               /* range */
    uint32_t cursor;              /* while building: where its next use goes, downwards */
    uint32_t global;              /* index among the far ones of ion_live.c, NONE = is none */
    uint32_t def_block, def_inst; /* a parameter's: the first of its block */
    uint32_t seen;                /* liveness: last block that was noted to need it */
    uint32_t slot_set;            /* spill set, of values with operands in a slot */
    uint8_t
        fixed; /* where its definition leaves it: register, ION_IN_SLOT, ION_NOT_FIXED = where its range is */
    uint8_t is_float : 1, is_param : 1, has_gaps : 1;
    uint8_t width;
} IonVReg;

typedef struct
    IonPreds { /* of a block: the last points of its first and last predecessor in the order of the code */
    uint32_t first, last;
} IonPreds;
typedef struct IonLoop {
    uint32_t from, to; /* points */
    uint32_t parent, depth;
} IonLoop;

enum { ION_IN_EDGE, ION_REGULAR, ION_OUT_EDGE }; /* order at one point */
typedef struct IonMove {
    uint32_t key; /* point * 4 + one of the above */
    RaAlloc from, to;
    RaVReg vreg;
} IonMove;
typedef struct IonReuse { /* input -> result */
    uint32_t in, out;
} IonReuse;
typedef struct IonSlotOp { /* an operand that must be in a slot */
    uint32_t op, inst;
} IonSlotOp;
typedef struct IonCopy { /* of a reused input, once the result's place is known */
    uint32_t point, in;
    RaAlloc from;
} IonCopy;
typedef struct IonStore { /* from a register to the slot, where a piece in the slot begins */
    uint32_t key;
    RaAlloc from, to;
} IonStore;
typedef struct IonFixed { /* a fixed operand of a value */
    uint32_t from, to, vreg;
} IonFixed;

struct IonCtx {
    RaCtx *c;
    Mem *mem;
    const RaFunc *f;
    const RaEnv *env;
    Diag *d;
    /* ion_live.c */
    VEC(IonVReg) v;
    VEC(IonLoop) loops;
    VecU32 loop_of; /* per block, NONE = in none */
    VEC(float) freq;
    VecU32 pred_edge; /* per block: an edge to it */
    VecU32 block_of;  /* per instruction */
    VEC(IonPreds) pred_ends;
    VecU32 by_global, kill_at, kill, work;
    VecU32 exposed,
        exposed_at; /* values that block b needs from others: [exposed_at[b] .. exposed_at[b + 1]) */
    VecU64 live_in, row; /* rows of bits, per block, of the far values */
    uint32_t row_words, num_args;
    BitSet queued;
    /* ion_build.c */
    VEC(IonRange) r;
    VEC(IonUse) uses;
    VEC(IonSlotOp) slot_ops;
    VEC(IonReuse)
    reuses, aliases;         /* aliases: a further use of a reused input reads the result's place */
    VEC(IonFixed) fixed[64]; /* per register, descending */
    IonMap occ, wall;        /* wall: of it, what cannot be evicted */
    /* ion_merge.c, ion_process.c, ion_split.c */
    VEC(IonBundle) b;
    VEC(IonSpillSet) ss;
    VEC(IonChunk) chunks;
    uint32_t free_chunk;
    IonQueue queues[256];
    uint64_t full[4];             /* a bit for each queue that is not empty */
    VecU32 joined_at;             /* per bundle: a range of it, near where it was joined last */
    VecU32 apart;                 /* pairs of values that could not be joined */
    VecU32 related, related_next; /* bundles that would like the same register */
    VecU32 conflicts, best, mark;
    uint32_t questions; /* of what is in the way, so far */
    VecU32 spilled;     /* values with gaps */
    RaPRegSet clobbered_ever;
    /* ion_regs.c */
    VEC(IonPage) pages;
    VecU32 free_pages, dir[64], fresh[64];
    VecU32 ends_of[64]; /* parallel to dir: where the page's last range ends */
    /* ion_gaps.c, ion_spill.c, ion_moves.c */
    VecU32 keys, order, ends, sort_a, sort_b, slot_free[9];
    uint32_t num_slots;
    VecU32 chain, arg_place, param_place;
    VEC(IonMove) moves, moves2;
    VEC(IonCopy) copies;
    VEC(IonStore) stores;
    RaPRegSet written;
    VecU32 allocs;
    VEC(RaEdit) edits;
    RaStats st;
};

static inline uint32_t ion_class_base(const IonCtx *x, uint32_t v) {
    return x->v.p[v].is_float ? 32 : 0;
}
static inline RaVReg ion_name(const IonCtx *x, uint32_t v) {
    return ra_vreg(v, x->v.p[v].is_float ? RA_FLOAT : RA_INT);
}
/* ion_live.c. False: past the budget. */
bool ion_liveness(IonCtx *x);
static inline uint32_t ion_block_at(const IonCtx *x, uint32_t point) {
    return x->block_of.p[point / 2];
}
/* The piece of the value in x->chain that holds at the point; NONE: it is not live there. */
static inline uint32_t ion_piece_at(const IonCtx *x, uint32_t point) {
    uint32_t k;
    bisect(k, x->chain.n, x->r.p[x->chain.p[k]].to <= point);
    return k < x->chain.n && x->r.p[x->chain.p[k]].from <= point ? x->chain.p[k] : NONE;
}
/* The outermost loop that holds `in` but not `out`; NONE = there is none. */
uint32_t ion_loop_between(const IonCtx *x, uint32_t in, uint32_t out);
/* ion_build.c: ranges, uses, walls */
void ion_build(IonCtx *x);
/* ion_merge.c */
void ion_bundles(IonCtx *x);
/* ion_occ.c */
void ion_map_init(IonCtx *x, IonMap *m, uint32_t points);
void ion_map_sum(IonMap *m); /* all but level 0, from it */
void ion_map_set(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit);
void ion_map_clear(IonMap *m, uint32_t from, uint32_t to, RaPRegSet bit);
RaPRegSet ion_map_or(const IonMap *m, uint32_t from, uint32_t to);
/* The first point at which none of *left is free any more; *left: those that were until then. NONE: some are, all along. */
uint32_t ion_map_first(const IonMap *m, uint32_t from, uint32_t to, RaPRegSet *left);
/* ion_regs.c: the ranges of each register */
void ion_regs_reset(IonCtx *x);
void ion_regs_flush(IonCtx *x, RaPReg p); /* before any of the following */
IonCursor ion_regs_find(const IonCtx *x, RaPReg p,
                        uint32_t point); /* first entry that ends after it */
void ion_regs_remove(IonCtx *x, RaPReg p, uint32_t range);
/* ion_queue.c: by length */
void ion_queue_reset(IonCtx *x);
void ion_enqueue(IonCtx *x, uint32_t bundle, uint32_t length);
uint32_t ion_dequeue(IonCtx *x); /* the longest, NONE = all are placed */
/* ion_split.c */
void ion_weigh_range(IonCtx *x, uint32_t r);
void ion_queue(IonCtx *x, uint32_t bundle); /* after weighing it */
/* Cuts the range at a point within; the second part, next in both lists, is returned. Neither part is weighed. */
uint32_t ion_cut(IonCtx *x, uint32_t r, uint32_t at);
/* The bundle fits register p up to `at` (p = RA_PREG_NONE: nowhere from its start on). */
void ion_split(IonCtx *x, uint32_t bundle, uint32_t at, RaPReg p);
void ion_give_up(IonCtx *x, uint32_t bundle); /* all of it to the slot */
/* ion_process.c. False: not enough registers, said in the diagnostics */
bool ion_process(IonCtx *x);
void ion_place(IonCtx *x, uint32_t bundle, RaPReg p);
/* Where register p is first taken by anything but fixed operands of value v; NONE: nowhere. */
uint32_t ion_first_foreign(const IonCtx *x, uint32_t v, uint32_t from, uint32_t to, RaPReg p);
/* ion_gaps.c */
void ion_fill_gaps(IonCtx *x);
/* ion_spill.c */
void ion_slots(IonCtx *x);
uint32_t ion_bundle_of(const IonCtx *x, uint32_t v);  /* NONE: it has no range to speak of */
uint32_t ion_spillset_of(IonCtx *x, uint32_t bundle); /* made if there is none yet */
/* ion_moves.c, ion_edits.c */
void ion_insert_moves(IonCtx *x);
void ion_resolve_moves(IonCtx *x);
static inline void ion_add_move(IonCtx *x, uint32_t point, uint32_t prio, RaAlloc from, RaAlloc to,
                                RaVReg v) {
    if (from != to) vec_push(x->mem, &x->moves, (IonMove){point * 4 + prio, from, to, v});
}
/* Indices 0 .. n - 1 sorted by key, stable, in x->sort_a or x->sort_b: keys[i * stride] is element i's. */
const uint32_t *ion_sort(IonCtx *x, const void *keys, size_t stride, uint32_t n);
#endif
