/* regalloc/regalloc.h — the allocator's interface. It knows neither the IR nor an ISA.
 *
 * Input   A function of straight instruction slices: blocks are contiguous [start,end) ranges of
 *         instructions in final (emission) order; block 0 is the entry. Virtual registers are in SSA form
 *         (one definition: an instruction operand or a block parameter). No critical edges: an edge from a
 *         block with several successors leads to a block with one predecessor. Only the last instruction of
 *         a block branches; branch arguments are given apart (they are not operands). A terminator whose
 *         only successor has other predecessors has no register operands, so edge moves go before it. The entry has neither
 *         predecessors nor parameters; every other block stands after at least one of its predecessors.
 *         The operands of all instructions lie in one array written by lowering; instruction i owns
 *         ops[op_start[i] .. op_start[i+1]).
 * Output  One RaAlloc per operand (parallel array), the moves to insert (edits, sorted by program point),
 *         the number of spill slots (8-byte units), the set of registers written.
 *
 * Program points: each instruction i has point 2i (before/early) and 2i+1 (after/late). Uses are normally
 * early, defs late. A late use is live through the instruction; an early def is written before the uses are
 * read (it conflicts with every use). Reference: regalloc2 (doc/ION.md, src/lib.rs).
 */
#ifndef COT_REGALLOC_REGALLOC_H
#define COT_REGALLOC_REGALLOC_H
#include "base/bitset.h"
#include "base/diag.h"
#include "base/vec.h"

/* Physical register: class * 32 + hardware number. 0..31 int, 32..63 float and vector. */
typedef uint8_t RaPReg;
#define RA_PREG_NONE 255
typedef uint64_t RaPRegSet;
static inline RaPRegSet ra_set(RaPReg p) {
    return (RaPRegSet)1 << p;
}
typedef enum RaClass { RA_INT = 0, RA_FLOAT = 1 } RaClass;
#define RA_NUM_CLASSES 2
#define RA_CLASS_MASK(c) ((c) == RA_INT ? 0xFFFFFFFFull : 0xFFFFFFFF00000000ull)

/* Virtual register: bit 31 = class, the rest the index. Numbers are dense over both classes. */
typedef uint32_t RaVReg;
#define RA_VREG_NONE UINT32_MAX
static inline uint32_t ra_vreg_index(RaVReg v) {
    return v & 0x7FFFFFFF;
}
static inline RaClass ra_vreg_class(RaVReg v) {
    return (RaClass)(v >> 31);
}
static inline RaVReg ra_vreg(uint32_t index, RaClass c) {
    return index | (uint32_t)c << 31;
}
/* In moves only: all of a register, whatever it holds. */
static inline RaVReg ra_vreg_whole(RaClass c) {
    return ra_vreg(0x7FFFFFFF, c);
}

typedef enum RaKind { RA_USE, RA_DEF } RaKind;
typedef enum RaPos { RA_EARLY, RA_LATE } RaPos;
typedef enum RaConstraint {
    RA_ANY,   /* register or stack slot */
    RA_REG,   /* any register of the class */
    RA_STACK, /* a stack slot */
    RA_FIXED, /* the register `arg` */
    RA_REUSE, /* definitions only: the same register as this instruction's operand number `arg` (a use) */
    RA_LIMIT, /* any register whose hardware number is < arg (legacy encodings) */
    RA_FIXED_NONALLOC, /* the register `arg`, which is not allocatable (stack pointer …): passes through; no vreg */
} RaConstraint;
/* What an instruction may ask for, beside what each constraint says:
 *  - fixed registers are allocatable; two different uses, or two definitions, never share one in the same half, and
 *    a clobbered one is neither defined nor read late;
 *  - a reuse is a late definition, of an early use with a register, each use reused once at most;
 *  - per class, the operands that need a register, fixed ones included, and the clobbers of a half together are no more
 *    than the registers, or than those of a limit that occurs; otherwise allocation may end with an error;
 *  - a branch's definitions are temporaries, used nowhere. */
typedef struct RaOperand {
    RaVReg vreg;
    uint8_t kind : 1, pos : 1, constraint : 6;
    uint8_t arg;
    uint16_t pad;
} RaOperand;
_Static_assert(sizeof(RaOperand) == 8, "allocator operand is 8 bytes");

typedef uint32_t
    RaAlloc; /* kind in the top 2 bits: 0 none, 1 register (RaPReg), 2 spill slot index */
#define RA_ALLOC_NONE 0u
static inline RaAlloc ra_alloc_reg(RaPReg p) {
    return 1u << 30 | p;
}
static inline RaAlloc ra_alloc_slot(uint32_t s) {
    return 2u << 30 | s;
}
static inline bool ra_is_reg(RaAlloc a) {
    return a >> 30 == 1;
}
static inline bool ra_is_slot(RaAlloc a) {
    return a >> 30 == 2;
}
static inline RaPReg ra_alloc_preg(RaAlloc a) {
    return (RaPReg)a;
}
static inline uint32_t ra_alloc_slot_index(RaAlloc a) {
    return a & 0x3FFFFFFF;
}

typedef struct
    RaEdit { /* the move `to = from` of vreg's value, at program point `point`, in array order */
    uint32_t point;
    RaAlloc from, to;
    RaVReg vreg; /* class and width of the move; also what the checker follows */
} RaEdit;
/* Width of a move in slot units, from RaFunc.vreg_slots. */
static inline uint8_t ra_move_slots(const uint8_t *vreg_slots, RaVReg v) {
    if (ra_vreg_index(v) == 0x7FFFFFFF) return ra_vreg_class(v) == RA_FLOAT ? 2 : 1;
    return vreg_slots ? vreg_slots[ra_vreg_index(v)] : 1;
}

enum {
    RA_INST_BRANCH = 1,
    RA_INST_RET = 2,
    RA_INST_MOVE = 4 /* operand 0 = def, operand 1 = use, a plain copy */,
    RA_INST_CALL = 8 /* counts as a call for preferring callee-saved registers */,
    RA_INST_SAFEPOINT = 16,
    RA_INST_ENTRY =
        32 /* first instruction: its definitions are where incoming values already are */
};

typedef struct RaBlock {
    uint32_t inst_start, inst_end;
    uint32_t succ_start, succ_end;   /* into RaFunc.succs */
    uint32_t pred_start, pred_end;   /* into RaFunc.preds */
    uint32_t param_start, param_end; /* into RaFunc.params: block parameters */
} RaBlock;

typedef struct RaClobber {
    uint32_t inst;
    RaPRegSet regs;
} RaClobber;

typedef struct RaFunc {
    uint32_t num_insts, num_blocks, num_vregs;
    const RaBlock *blocks;
    const uint32_t *succs, *preds; /* block indices */
    const RaVReg *params;
    /* Branch arguments, per successor edge e (index into succs): branch_args[edge_args[e] .. edge_args[e+1]),
     * parallel to the successor's parameters. */
    const uint32_t *edge_args;
    const RaVReg *branch_args;
    const RaOperand *ops;
    const uint32_t *op_start;  /* num_insts + 1 */
    const uint8_t *inst_flags; /* RA_INST_* */
    const RaClobber
        *clobbers; /* sorted by inst; registers that hold nothing after the instruction (late) */
    uint32_t num_clobbers;
    const uint8_t *vreg_slots; /* per vreg: size in 8-byte spill slots (1 or 2 …); NULL: all 1 */
} RaFunc;

typedef struct RaEnv {     /* constant per ISA, convention and settings */
    RaPRegSet allocatable; /* both classes */
    RaPRegSet
        caller_saved; /* allocatable and clobbered by an ordinary call: preferred for short lives */
    RaPReg
        order[RA_NUM_CLASSES]
             [32]; /* preference within a class, cheapest to use first, RA_PREG_NONE-terminated */
    RaPReg scratch
        [RA_NUM_CLASSES]; /* never allocatable: for cycles and stack-to-stack moves; RA_PREG_NONE = none: a free
                             register is taken, or one is saved for the moment */
} RaEnv;

/* What an allocation did, a row each: field, what it counts. The last four are counted in the result. */
#define RA_STATS(X)                                                                   \
    X(fell_back, "functions past the budget, left to the one-pass allocator")         \
    X(outdone, "functions for which the one-pass allocator found the better result")  \
    X(ranges, "live ranges, the parts of cut ones counted")                           \
    X(bundles, "bundles: values or parts of values that want one place")              \
    X(splits, "bundles cut in two")                                                   \
    X(evictions, "bundles or values that lost their register to another")             \
    X(spills, "values, or what is left of them after splitting, that live in a slot") \
    X(slots, "8-byte spill slots")                                                    \
    X(stores, "moves from a register to a slot")                                      \
    X(reloads, "moves from a slot to a register")                                     \
    X(moves, "moves between registers")
typedef struct RaStats {
#define X(field, what) uint32_t field;
    RA_STATS(X)
#undef X
} RaStats;
void ra_stats_add(RaStats *sum, const RaStats *s);

typedef struct RaOutput {  /* owned by the context, valid until its next run */
    const RaAlloc *allocs; /* parallel to RaFunc.ops */
    const RaEdit *edits;
    uint32_t num_edits;
    uint32_t num_slots; /* 8-byte spill slots */
    RaPRegSet
        written; /* registers written by definitions and edits (without clobbers and incoming values) */
    RaStats stats;
} RaOutput;

typedef enum RaAlgo {
    RA_ALGO_ION, /* backtracking */
    RA_ALGO_ONEPASS,
    RA_ALGO_BEST, /* backtracking, and one pass where that needs slots: the better result. Under stress the first alone */
    RA_NUM_ALGOS
} RaAlgo;

typedef struct RaCtx RaCtx; /* all buffers; reused, allocates nothing after warm-up */
RaCtx *ra_ctx_new(Mem *m);
void ra_ctx_free(RaCtx *c);
/* Stress: a non-zero seed makes the allocator pick registers and spills at random (still correctly). */
void ra_ctx_set_stress(RaCtx *c, uint64_t seed);
bool ra_run(RaCtx *c, RaAlgo algo, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d);

/* The last four statistics, from the result. */
void ra_count_moves(RaOutput *out);

/* Symbolic checker: proves that every use reads the value it names, along every path. False + message otherwise. */
bool ra_check(RaCtx *c, const RaFunc *f, const RaEnv *env, const RaOutput *out, Diag *d);
/* Where a value lies, within one block: in `place` from one point up to before another; with the moves at these points that
 * bring it there and take it away last, or UINT32_MAX for the instruction or the block's border. */
typedef struct RaSpan {
    RaVReg vreg;
    RaAlloc place;
    uint32_t from, to;
    uint32_t from_edit, to_edit;
} RaSpan;
VEC_TYPEDEF(RaSpans, RaSpan);
/* The checker, which also appends the spans of all values, in the context's memory. */
bool ra_check_spans(RaCtx *c, const RaFunc *f, const RaEnv *env, const RaOutput *out,
                    RaSpans *spans, Diag *d);
/* Input check: ranges, order of blocks, SSA, dominance of uses, no critical edges, what RaOperand asks for. */
bool ra_check_input(RaCtx *c, const RaFunc *f, const RaEnv *env, Diag *d);
/* What the last check that failed found fault with. */
typedef enum RaFaultKind {
    RA_FAULT_MACHINE,
    RA_FAULT_BLOCK,
    RA_FAULT_INST,
    RA_FAULT_VREG
} RaFaultKind;
typedef struct RaFault {
    RaFaultKind kind;
    uint32_t index;
} RaFault;
RaFault ra_fault(const RaCtx *c);
const char *ra_preg_default_name(RaPReg p, char buf[8]);

#endif
