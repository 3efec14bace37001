/* tests/unit/regalloc/ra_build.h — allocator inputs written block by block, of any size. */
#ifndef COT_TESTS_RA_BUILD_H
#define COT_TESTS_RA_BUILD_H
#include <stdlib.h>
#include <string.h>
#include "../cm.h"
#include "regalloc/regalloc.h"

typedef struct Build {
    Mem mem;
    VEC(RaBlock) blocks;
    VecU32 succs, preds, edge_args, args, params, op_start;
    VEC(RaOperand) ops;
    VecU8 flags;
    VEC(RaClobber) clobbers;
    uint32_t nv;
    RaEnv env;
    RaFunc f;
} Build;

static inline void b_init(Build *b) {
    memset(b, 0, sizeof *b);
    mem_init(&b->mem, NULL);
    memset(&b->env, 0xFF, sizeof b->env);
    b->env.allocatable = 0xFF | (uint64_t)0xFF << 32;
    b->env.caller_saved = 0x0F | (uint64_t)0xFF << 32;
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t r = 0; r < 8; r++) b->env.order[c][r] = (RaPReg)(c * 32 + r);
    b->env.scratch[0] = 15, b->env.scratch[1] = 47;
    vec_push(&b->mem, &b->op_start, 0);
    vec_push(&b->mem, &b->edge_args, 0);
}
static inline void b_free(Build *b) {
    Mem *m = &b->mem;
    vec_free(m, &b->blocks);
    vec_free(m, &b->succs);
    vec_free(m, &b->preds);
    vec_free(m, &b->edge_args);
    vec_free(m, &b->args);
    vec_free(m, &b->params);
    vec_free(m, &b->op_start);
    vec_free(m, &b->ops);
    vec_free(m, &b->flags);
    vec_free(m, &b->clobbers);
    assert_int_equal(b->mem.live, 0);
}
static inline RaVReg b_vreg(Build *b) {
    return ra_vreg(b->nv++, RA_INT);
}
static inline void b_block(Build *b) {
    uint32_t i = b->flags.n, s = b->succs.n, p = b->params.n;
    vec_push(&b->mem, &b->blocks, (RaBlock){i, i, s, s, 0, 0, p, p});
}
static inline RaVReg b_param(Build *b) {
    vec_push(&b->mem, &b->params, b_vreg(b));
    vec_last(&b->blocks).param_end++;
    return vec_last(&b->params);
}
static inline void b_op(Build *b, RaVReg v, RaKind k, RaPos p, RaConstraint c, uint32_t arg) {
    RaOperand o = {.vreg = v, .kind = k, .pos = p, .constraint = c, .arg = (uint8_t)arg};
    vec_push(&b->mem, &b->ops, o);
}
static inline void b_use(Build *b, RaVReg v) {
    b_op(b, v, RA_USE, RA_EARLY, RA_REG, 0);
}
static inline RaVReg b_def(Build *b) {
    RaVReg v = b_vreg(b);
    b_op(b, v, RA_DEF, RA_LATE, RA_REG, 0);
    return v;
}
static inline void b_inst(Build *b,
                          uint8_t flags) { /* ends the instruction of the operands so far */
    vec_push(&b->mem, &b->flags, flags);
    vec_push(&b->mem, &b->op_start, b->ops.n);
    vec_last(&b->blocks).inst_end++;
}
static inline void b_clobber(Build *b, RaPRegSet regs) { /* of the instruction that comes next */
    vec_push(&b->mem, &b->clobbers, (RaClobber){b->flags.n, regs});
}
static inline void b_arg(Build *b, RaVReg v) { /* before b_succ */
    vec_push(&b->mem, &b->args, v);
}
static inline void b_succ(Build *b, uint32_t to) {
    vec_push(&b->mem, &b->succs, to);
    vec_push(&b->mem, &b->edge_args, b->args.n);
    vec_last(&b->blocks).succ_end++;
}
static inline const RaFunc *b_finish(Build *b) {
    uint32_t nb = b->blocks.n;
    uint32_t *at = calloc(nb + 1, sizeof *at);
    for (uint32_t e = 0; e < b->succs.n; e++)
        if (b->succs.p[e] < nb) at[b->succs.p[e]]++;
    uint32_t sum = 0;
    for (uint32_t k = 0; k < nb; k++) {
        b->blocks.p[k].pred_start = sum;
        sum += at[k];
        b->blocks.p[k].pred_end = sum;
        at[k] = b->blocks.p[k].pred_start;
    }
    vec_resize0(&b->mem, &b->preds, sum);
    for (uint32_t k = 0; k < nb; k++)
        for (uint32_t e = b->blocks.p[k].succ_start; e < b->blocks.p[k].succ_end; e++)
            if (b->succs.p[e] < nb) b->preds.p[at[b->succs.p[e]]++] = k;
    free(at);
    b->f = (RaFunc){.num_insts = b->flags.n,
                    .num_blocks = nb,
                    .num_vregs = b->nv,
                    .blocks = b->blocks.p,
                    .succs = b->succs.p,
                    .preds = b->preds.p,
                    .params = b->params.p,
                    .edge_args = b->edge_args.p,
                    .branch_args = b->args.p,
                    .ops = b->ops.p,
                    .op_start = b->op_start.p,
                    .inst_flags = b->flags.p,
                    .clobbers = b->clobbers.p,
                    .num_clobbers = b->clobbers.n};
    return &b->f;
}
#endif
