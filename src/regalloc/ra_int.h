/* regalloc/ra_int.h — the context and what the files of this folder share. */
#ifndef COT_REGALLOC_RA_INT_H
#define COT_REGALLOC_RA_INT_H
#include "base/hashmap.h"
#include "regalloc/regalloc.h"

/* ---- of the one-pass allocator, op_int.h; here because the context keeps them ---- */
/* Positions: the operands of instruction i are at 2i, what leaves block b along its edges at 2 * inst_end - 1. */
typedef struct OpVReg {
    uint32_t def_inst; /* instruction, or first instruction of the block it is a parameter of */
    uint32_t def_block;
    uint32_t last;       /* position of the last use, extended over loops; 0 = no use */
    uint32_t next;       /* position of the next use in block order, UINT32_MAX = none */
    uint32_t slot;       /* UINT32_MAX = none. While preparing: the block of the last use */
    uint32_t hint;       /* register it should get: OP_HINT_*, see onepass.c */
    uint32_t calls_last; /* calls at or after `last` */
    uint8_t reg;         /* RA_PREG_NONE = not in a register now */
    uint8_t def_reg;     /* where the definition put it; RA_PREG_NONE = in its slot at once */
    uint8_t is_param : 1;
    uint8_t spilled : 1;   /* the slot holds it everywhere after the definition */
    uint8_t slot_back : 1; /* dead, the slot was given back */
    uint8_t is_float : 1;
    uint8_t last_reg; /* where it was last, to come back to; RA_PREG_NONE = nowhere so far */
} OpVReg;
_Static_assert(sizeof(OpVReg) == 32, "two to a cache line");

typedef struct OpLoop {
    uint32_t header, last_block, parent, root; /* parent: UINT32_MAX = none */
} OpLoop;
typedef struct OpSlot {
    uint32_t free_from; /* free for definitions at or after this instruction */
    uint8_t size;
} OpSlot;
typedef struct OpState { /* registers and their values at a point between blocks */
    RaPRegSet regs;
    uint32_t first; /* into RaCtx.state_words, ascending registers; UINT32_MAX: not decided */
} OpState;

/* One move of a parallel group (all `from` are read before any `to` is written). */
typedef struct RaMove {
    RaAlloc from, to;
    RaVReg vreg;
} RaMove;
VEC_TYPEDEF(RaMoves, RaMove);

/* What the parallel moves may use beside their own locations. */
typedef struct RaSpare {
    RaPReg scratch[RA_NUM_CLASSES]; /* free registers, RA_PREG_NONE = there is none */
    RaPReg victim[RA_NUM_CLASSES];  /* then this one is saved for the time of a slot-to-slot move */
    uint32_t cycle_slot, save_slot; /* two slot units each */
    bool slots_used;
} RaSpare;

/* ---- input.c: dominators for the check ---- */
typedef struct InFrame {
    uint32_t block, next;
} InFrame;

typedef struct IonCtx IonCtx; /* ion.h */

struct RaCtx {
    Mem *mem;
    IonCtx *ion; /* NULL until first used */
    uint64_t stress, rng;
    RaFault fault;
    /* onepass.c */
    VEC(OpVReg) v;
    VecU32 allocs;    /* per operand; before its instruction is reached: the next use's position */
    VecU32 edge_next; /* per branch argument: the same */
    VecU8 inst_kind;
    VecU32 block_calls; /* per block: calls after it */
    VEC(OpLoop) loops;
    VecU32 loop_of; /* per block, UINT32_MAX = none */
    VecU32 loop_stack;
    VEC(OpState) entry, exit; /* per block */
    VecU32 state_words;
    VEC(OpSlot) slots;
    VecU32 free_slots;
    VEC(RaEdit) edits, stores, sorted;
    VecU32 pred_edge; /* per block: its last edge seen; of a block with one predecessor, the edge */
    VecU32 entry_edits; /* per block: edits before its first instruction's */
    VecU32 places;
    RaMoves moves, ordered;
    /* parmove.c */
    VecU32 pm_writer, pm_from, pm_pending, pm_work;
    /* checker.c, input.c */
    VecU32 ck_words, ck_work, ck_state, ck_touched, ck_count, ck_param, ck_facts, ck_new;
    HashMap ck_known;
    BitSet ck_queued;
    VEC(InFrame) in_stack;
    VecU32 in_order, in_number, in_idom, in_def;
};

bool ra_onepass(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d);
bool ra_ion(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d);
bool ra_best(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d);
void ra_ion_free(Mem *m, IonCtx *x);
/* Appends to *out moves that, one after the other, do what `moves` do at once. num_slots bounds the slots named. */
void ra_parallel_move(RaCtx *c, const RaMove *moves, uint32_t n, RaSpare *spare, uint32_t num_slots,
                      RaMoves *out);
static inline uint64_t ra_random(RaCtx *c) { /* xorshift64 */
    c->rng ^= c->rng << 13;
    c->rng ^= c->rng >> 7;
    c->rng ^= c->rng << 17;
    return c->rng;
}

/* Rare paths under stress. A seed turns some of them on; one that is on is taken one time in n. */
typedef enum RaStress {
    RA_STRESS_REG,     /* any register instead of the best */
    RA_STRESS_EVICT,   /* evict though a register is free */
    RA_STRESS_SPLIT,   /* split anywhere, though a register is free */
    RA_STRESS_MINIMAL, /* split into single instructions at once */
    RA_STRESS_SPILL,   /* no register though one is free */
    RA_STRESS_KINDS
} RaStress;
static inline bool ra_stressed(RaCtx *c, RaStress kind, uint32_t n) {
    return c->stress && (c->stress * 0x9E3779B97F4A7C15u >> (63 - kind) & 1) &&
           ra_random(c) % n == 0;
}
#endif
