/* mach/mach_int.h — structures shared by the files of this folder only. */
#ifndef COT_MACH_MACH_INT_H
#define COT_MACH_MACH_INT_H
#include "mach/lower.h"

/* A block of machine code: a CLIF block, or one that was put on a critical edge. Its index is its label. */
typedef struct MachBlock {
    uint32_t clif;                  /* ClifBlock, CLIF_NONE for an edge block */
    ListRef edge_call;              /* edge block: the blockcall that it performs */
    uint32_t succ_first, nsucc;     /* into BlockOrder.succs: distinct edges */
    uint32_t landing;               /* edge block of a try_call: that instruction + 1, else 0 */
    uint32_t landing_call;          /* which of its edges; 0 = normal return */
    uint32_t target_first, ntarget; /* into BlockOrder.targets: one per blockcall of the branch */
} MachBlock;

typedef struct BlockOrder {
    VEC(MachBlock) blocks;
    VecU32 succs;             /* block index per edge */
    VecU32 edge_calls;        /* per edge: the blockcall with the arguments passed, 0 = none */
    VecU32 targets;           /* block index per blockcall */
    VecU32 target_calls;      /* the blockcall itself, for those of CLIF blocks */
    VecU32 preds, pred_first; /* CSR, pred_first has blocks.n + 1 entries */
    /* scratch, per CLIF block */
    VecU32 order, npred, label, mark, stack;
} BlockOrder;

bool blockorder_compute(BlockOrder *o, Mem *m, const ClifFunc *f, Diag *d);
void blockorder_free(BlockOrder *o, Mem *m);

/* Array that grows downwards: elements are prepended in chunks that keep their inner order. */
#define DOWNVEC(T)       \
    struct {             \
        T *p;            \
        uint32_t n, cap; \
    }                                 /* elements are p[cap-n .. cap) */
uint32_t downvec_want(uint64_t need); /* the capacity to grow to for `need` elements */
void downvec_grow_(Mem *m, void **p, uint32_t *cap, uint32_t n, uint32_t want, size_t elem);
#define downvec_grow_to(m, v, want) \
    downvec_grow_((m), (void **)&(v)->p, &(v)->cap, (v)->n, (want), sizeof *(v)->p)
#define downvec_prepend(m, v, k)                                       \
    ((uint64_t)(v)->n + (k) > (v)->cap                                 \
         ? downvec_grow_to(m, v, downvec_want((uint64_t)(v)->n + (k))) \
         : (void)0,                                                    \
     (v)->n += (uint32_t)(k), (v)->p + ((v)->cap - (v)->n))
#define downvec_data(v) ((v)->p ? (v)->p + ((v)->cap - (v)->n) : NULL)

typedef struct VCode {       /* one function in machine instructions, ready for allocation */
    DOWNVEC(MachInst) insts; /* op_start, flags, srclocs: per instruction, with at least its room */
    DOWNVEC(uint32_t)
    op_start; /* while building: distance from the end of ops; then absolute; + sentinel */
    DOWNVEC(uint8_t) flags;
    DOWNVEC(uint32_t) srclocs;
    DOWNVEC(RaOperand) ops;
    VEC(RaClobber) clobbers; /* while building: backward, inst = distance from the end */
    VEC(RaBlock) blocks;
    VecU32 params; /* RaVReg */
    DOWNVEC(uint32_t) branch_args;
    VecU32 edge_args; /* per edge + 1 */
    uint32_t num_insts;
} VCode;

/* Where a piece of the code begins (listing.c). */
typedef enum ListKind {
    LIST_PROLOGUE,
    LIST_BLOCK, /* index: of the block, instruction, edit, trap stub */
    LIST_INST,
    LIST_EDIT,
    LIST_TRAP,
    LIST_FILL, /* before a loop */
    LIST_PADDING,
    LIST_CONSTANTS
} ListKind;
typedef struct ListMark {
    uint32_t at, index;
    uint8_t kind; /* ListKind */
} ListMark;

typedef struct
    MachInstAt { /* code offsets: before the moves before an instruction, its start, its end */
    uint32_t before, start, end;
} MachInstAt;
typedef struct MachEditAt {
    uint32_t start, end;
} MachEditAt;

struct MachCtx {
    Mem *mem;
    const IsaVtable *isa;
    MachSettings set;
    MachRegalloc regalloc; /* over the setting */
    BlockOrder order;
    LowerCtx lower;
    VCode vc;
    MachBuf buf;
    RaCtx *ra;
    VEC(ListMark) marks; /* if the code is to be printed */
    /* if there are labels: */
    VEC(MachInstAt) inst_at; /* and the end */
    VEC(MachEditAt) edit_at;
    VecU32 stub_at; /* of out-of-line traps, and the end of the last one */
    VEC(MachHome) homes;
    int32_t spill_base; /* of slot 0, from the frame register */
    unsigned print_what;
    StrBuf *print_to;
};

void lower_init(LowerCtx *L, Mem *m, const IsaVtable *isa, const MachSettings *s);
void lower_free(LowerCtx *L);
/* Fills *vc from f in the given block order; resolves f's aliases in place. */
bool lower_function(LowerCtx *L, VCode *vc, ClifFunc *f, const BlockOrder *o, Diag *d);
void vcode_free(VCode *vc, Mem *m);
void vcode_ra_func(const VCode *vc, const BlockOrder *o, const LowerCtx *L, RaFunc *rf);
void vcode_print(const VCode *vc, const BlockOrder *o, const LowerCtx *L, const RaOutput *ra,
                 StrBuf *out);

/* From here on the code is that of another piece. */
void listing_mark(MachCtx *c, ListKind kind, uint32_t index);
/* What print_what asks for of the finished code. */
void listing_print(const MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra,
                   uint32_t frame_size, StrBuf *o);

typedef struct
    MachSpan { /* code from lo to below hi, in which a place has a value; place as in MachHome */
    uint32_t vreg, lo, hi;
    int32_t place;
    bool from_start; /* of the block */
} MachSpan;
VEC_TYPEDEF(MachSpans, MachSpan);
/* After emission of a function with labels: where values that are asked for (by number of vreg) are, block by block; first: per
 * block + 1. (avail.c) */
void avail_find(MachCtx *c, const ClifFunc *clif, const RaFunc *f, const RaOutput *ra,
                const uint8_t *asked, MachSpans *spans, VecU32 *first);
/* Likewise, into c->homes. */
void homes_find(MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra);

bool emit_function(MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra, Diag *d,
                   uint32_t *frame_size);
#endif
