/* regalloc/ra_int.h — the context and what the files of this folder share. */
#ifndef COT_REGALLOC_RA_INT_H
#define COT_REGALLOC_RA_INT_H
#include "base/hashmap.h"
#include "regalloc/regalloc.h"

/* Positions: the operands of instruction i are at 2i, what leaves block b along its edges at 2 * inst_end - 1. */
typedef struct OpVReg {
    uint32_t def_inst;     /* instruction, or first instruction of the block it is a parameter of */
    uint32_t last;         /* position of the last use, extended over loops; 0 = no use */
    uint32_t use, use_end; /* its uses in RaCtx.uses, `use` advances */
    uint32_t slot;         /* UINT32_MAX = none */
    uint8_t reg;           /* RA_PREG_NONE = not in a register now */
    uint8_t def_reg;       /* where the definition put it; RA_PREG_NONE = in its slot at once */
    uint8_t spilled;       /* the slot holds it everywhere after the definition */
    uint8_t is_param;
} OpVReg;

typedef struct OpUse {
    uint32_t pos, op;
} OpUse; /* op: operand number, or OP_EDGE | edge argument number */
#define OP_EDGE 0x80000000u
typedef struct OpLoop {
    uint32_t header, last_block, end_pos, parent;
} OpLoop;
typedef struct OpSlot {
    uint32_t free_from;
    uint8_t size;
} OpSlot; /* free for definitions at or after this instruction */
typedef struct OpState {
    uint32_t first, n;
} OpState; /* pairs (register, vreg) in RaCtx.state_words */

struct RaCtx {
    Mem *mem;
    uint64_t stress, rng;
    /* onepass.c */
    VEC(OpVReg) v;
    VEC(OpUse) uses;
    VecU32 def_block;    /* per vreg */
    VecU32 calls_before; /* per instruction */
    VEC(OpLoop) loops;
    VecU32 loop_of; /* per block, UINT32_MAX = none */
    VecU32 loop_stack;
    VEC(OpState) entry, exit; /* per block; entry.first = UINT32_MAX: not decided */
    VecU32 state_words;
    VEC(OpSlot) slots;
    VecU32 free_slots;
    VecU32 allocs;
    VEC(RaEdit) edits, stores, sorted;
    VecU32 counts;
    VecU32 entry_edits; /* per block: edits before its first instruction's */
    RaMoves moves, ordered;
    uint32_t owner[64];
    RaPRegSet occupied;
    /* parmove.c */
    HashMap pm_writer;
    VecU32 pm_from, pm_pending, pm_work;
    /* checker.c */
    VecU32 ck_words, ck_work, ck_state, ck_touched, ck_count, ck_param, ck_facts, ck_new;
    HashMap ck_known;
    BitSet ck_queued;
};

bool ra_onepass(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d);
void ra_parallel_move(RaCtx *c, const RaMove *moves, uint32_t n,
                      const RaPReg scratch[RA_NUM_CLASSES], uint32_t spare_slot, RaMoves *out);
static inline uint64_t ra_random(RaCtx *c) { /* xorshift64 */
    c->rng ^= c->rng << 13;
    c->rng ^= c->rng >> 7;
    c->rng ^= c->rng << 17;
    return c->rng;
}
#endif
