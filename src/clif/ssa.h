/* clif/ssa.h — SSA construction, used by the builder only. See ssa.c. */
#ifndef COT_CLIF_SSA_H
#define COT_CLIF_SSA_H
#include "clif/clif.h"

typedef struct SsaDef {
    uint32_t block, seq, value;
    uint32_t next, jump, rank; /* next: the next older definition; jump: one further on */
} SsaDef;
typedef struct SsaVar {
    uint32_t head;                   /* newest definition */
    uint32_t read_block, read_value; /* the last read that had to search */
    uint8_t type;
} SsaVar;
typedef struct SsaPred {
    uint32_t inst, block, edges, next;
} SsaPred; /* all edges from one branch */
typedef struct SsaEdge {
    uint32_t slot, next;
} SsaEdge; /* 0 1 2: field a b c; k + 3: jt_calls[k] */
typedef struct SsaPending {
    uint32_t var, value, next;
} SsaPending;
typedef struct SsaBlock {
    uint32_t preds, last_pred, npreds;
    uint32_t pending, last_pending; /* reads before the block was sealed */
    uint32_t seq;                   /* when filling began, from 1; 0 = not yet */
    uint32_t root, parent, jump, depth;
    uint32_t up, end,
        npreds_before; /* root: dominator above; seq at sealing; predecessors at its beginning */
    uint8_t sealed;
} SsaBlock;
typedef struct SsaFrame {
    uint32_t block, sentinel, pred, base;
} SsaFrame;

typedef struct ClifSsa {
    VEC(SsaDef) defs;
    VEC(SsaVar) vars;
    VEC(SsaBlock) blocks;
    VEC(SsaPred) preds;
    VEC(SsaEdge) edges;
    VEC(SsaPending) pending;
    VEC(SsaFrame) frames;
    VecU32 results;
    VecU32 open;    /* blocks that began unsealed; some may be sealed by now */
    HashMap params; /* block << 32 | variable -> the parameter, or what it turned out to be */
    uint32_t next_seq;
} ClifSsa;

void ssa_clear(ClifSsa *s);
void ssa_free(Mem *m, ClifSsa *s);
void ssa_add_block(Mem *m, ClifSsa *s); /* one per block of the function, in order */
void ssa_begin_block(Mem *m, ClifSsa *s, uint32_t b);
void ssa_add_edge(Mem *m, ClifSsa *s, uint32_t from, uint32_t inst, uint32_t slot, uint32_t to);
void ssa_seal(ClifFunc *f, ClifSsa *s, uint32_t b);
void ssa_def(Mem *m, ClifSsa *s, uint32_t b, uint32_t var, uint32_t value);
uint32_t ssa_use_slow(ClifFunc *f, ClifSsa *s, uint32_t b, uint32_t var);
#endif
