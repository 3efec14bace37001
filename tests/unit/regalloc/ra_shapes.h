/* tests/unit/regalloc/ra_shapes.h — inputs that tempt allocators to take more than linear time or memory, of any size. */
#ifndef COT_TESTS_RA_SHAPES_H
#define COT_TESTS_RA_SHAPES_H
#include "ra_build.h"

static inline void ret(Build *b, RaVReg v) {
    b_op(b, v, RA_USE, RA_EARLY, RA_FIXED, 0);
    b_inst(b, RA_INST_RET);
}
static inline RaVReg start(Build *b) {
    b_block(b);
    RaVReg v = b_def(b);
    b_inst(b, 0);
    return v;
}
static inline void jump(Build *b, uint32_t to) {
    b_inst(b, RA_INST_BRANCH);
    b_succ(b, to);
}

static inline void many_successors(Build *b, uint32_t n) {
    RaVReg v = start(b);
    b_use(b, v);
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k < n; k++) b_succ(b, 1 + k);
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        ret(b, v);
    }
}
static inline void many_predecessors(Build *b, uint32_t n) {
    RaVReg v = start(b), w[12];
    for (uint32_t k = 0; k < 12; k++) {
        w[k] = b_def(b);
        b_inst(b, 0);
    }
    b_use(b, v);
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k < n; k++) b_succ(b, 1 + k);
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        b_inst(b, RA_INST_BRANCH);
        b_arg(b, w[k % 12]);
        b_arg(b, v);
        b_succ(b, n + 1);
    }
    b_block(b);
    RaVReg p = b_param(b);
    b_use(b, b_param(b));
    for (uint32_t k = 0; k < 12; k++) b_op(b, w[k], RA_USE, RA_EARLY, RA_ANY, 0);
    b_inst(b, 0);
    ret(b, p);
}
static inline void long_chain(Build *b, uint32_t n) {
    RaVReg w[20];
    b_block(b);
    for (uint32_t k = 0; k < 20; k++) {
        w[k] = b_def(b);
        b_inst(b, 0);
    }
    jump(b, 1);
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        b_use(b, w[k % 20]);
        b_inst(b, 0);
        jump(b, k + 2);
    }
    b_block(b);
    for (uint32_t k = 0; k < 20; k++) b_op(b, w[k], RA_USE, RA_EARLY, RA_ANY, 0);
    b_inst(b, RA_INST_RET);
}
/* headers 1..n, then latches; latch k jumps to the header that `target` says */
static inline void loops(Build *b, uint32_t n, bool crossing) {
    RaVReg v = start(b);
    jump(b, 1);
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        b_use(b, v);
        b_inst(b, 0);
        jump(b, k + 2);
    }
    uint32_t at = n + 1; /* per latch: a branch, the edge back */
    for (uint32_t k = 0; k < n; k++, at += 2) {
        b_block(b);
        b_use(b, v);
        b_inst(b, RA_INST_BRANCH);
        b_succ(b, at + 1);
        b_succ(b, at + 2);
        b_block(b);
        jump(b, crossing ? 1 + k : n - k);
    }
    b_block(b);
    ret(b, v);
}
static inline void nested_loops(Build *b, uint32_t n) {
    loops(b, n, false);
}
static inline void crossing_loops(Build *b, uint32_t n) {
    loops(b, n, true);
}
static inline void many_parameters(Build *b, uint32_t n) {
    RaVReg v = start(b), w = b_def(b);
    b_inst(b, 0);
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k < n; k++) b_arg(b, k & 1 ? v : w);
    b_succ(b, 1);
    b_block(b);
    RaVReg first = b->nv;
    for (uint32_t k = 0; k < n; k++) b_param(b);
    b_use(b, v);
    b_inst(b, RA_INST_BRANCH);
    b_succ(b, 2);
    b_succ(b, 3);
    b_block(b);
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k < n; k++) b_arg(b, first + (k + 1) % n);
    b_succ(b, 1);
    b_block(b);
    for (uint32_t k = 0; k < n; k++) b_op(b, first + k, RA_USE, RA_EARLY, RA_ANY, 0);
    b_inst(b, RA_INST_RET);
}
static inline void many_live(Build *b, uint32_t n) {
    b_block(b);
    for (uint32_t k = 0; k < n; k++) {
        b_def(b);
        b_inst(b, 0);
    }
    for (uint32_t k = 0; k < n; k++) {
        b_use(b, (k * 7919u) % n);
        b_inst(b, 0);
    }
    for (uint32_t k = 0; k < n; k++) b_op(b, k, RA_USE, RA_EARLY, RA_ANY, 0);
    b_inst(b, RA_INST_RET);
}
static inline void many_calls(Build *b, uint32_t n) {
    RaVReg v = start(b);
    for (uint32_t k = 0; k < n; k++) {
        b_op(b, v, RA_USE, RA_EARLY, RA_FIXED, k % 4);
        b_op(b, b_vreg(b), RA_DEF, RA_LATE, RA_FIXED, 0);
        b_clobber(b, 0x0E | (uint64_t)0xFF << 32);
        b_inst(b, RA_INST_CALL);
    }
    ret(b, v);
}
/* Forty values in turns, in one loop, with a call now and then: every value is split again and again. */
static inline void pressure(Build *b, uint32_t n) {
    RaVReg w[40];
    b_block(b);
    for (uint32_t k = 0; k < 40; k++) {
        w[k] = b_def(b);
        b_inst(b, 0);
    }
    jump(b, 1);
    b_block(b);
    for (uint32_t k = 0; k < n; k++) {
        b_use(b, w[k % 40]);
        b_use(b, w[k * 7919u % 40]);
        if (k % 8 == 0) b_clobber(b, 0x0F | (uint64_t)0xFF << 32);
        b_inst(b, k % 8 == 0 ? RA_INST_CALL : 0);
    }
    b_use(b, w[0]);
    b_inst(b, RA_INST_BRANCH);
    b_succ(b, 2);
    b_succ(b, 3);
    b_block(b);
    jump(b, 1);
    b_block(b);
    for (uint32_t k = 0; k < 40; k++) b_op(b, w[k], RA_USE, RA_EARLY, RA_ANY, 0);
    b_inst(b, RA_INST_RET);
}
/* A value per block that is used in the second block after it: all take part in the rows of bits. */
static inline void far_values(Build *b, uint32_t n) {
    RaVReg v[2] = {RA_VREG_NONE, RA_VREG_NONE};
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        if (k > 1) b_use(b, v[k & 1]);
        v[k & 1] = b_def(b);
        b_inst(b, 0);
        jump(b, k + 1);
    }
    b_block(b);
    ret(b, v[0]);
}
/* A loop with n ways through it; each changes one of twelve values that the loop carries. */
static inline void interpreter(Build *b, uint32_t n) {
    RaVReg v[12];
    b_block(b);
    for (uint32_t k = 0; k < 12; k++) {
        v[k] = b_def(b);
        b_inst(b, 0);
    }
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k < 12; k++) b_arg(b, v[k]);
    b_succ(b, 1);
    b_block(b);
    for (uint32_t k = 0; k < 12; k++) v[k] = b_param(b);
    b_use(b, v[0]);
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k <= n; k++) b_succ(b, 2 + k);
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        RaVReg d = b_def(b);
        b_use(b, v[k % 11]);
        b_inst(b, 0);
        b_inst(b, RA_INST_BRANCH);
        for (uint32_t j = 0; j < 12; j++) b_arg(b, j == k % 12 ? d : v[j]);
        b_succ(b, 1);
    }
    b_block(b);
    ret(b, v[0]);
}

typedef struct Shape {
    const char *name;
    void (*make)(Build *, uint32_t);
} Shape;
static const Shape ra_shapes[] = {{"successors", many_successors},
                                  {"predecessors", many_predecessors},
                                  {"chain", long_chain},
                                  {"nested loops", nested_loops},
                                  {"crossing loops", crossing_loops},
                                  {"parameters", many_parameters},
                                  {"live values", many_live},
                                  {"calls", many_calls},
                                  {"pressure", pressure},
                                  {"far values", far_values},
                                  {"interpreter", interpreter}};
enum { RA_SHAPES = sizeof ra_shapes / sizeof *ra_shapes };
#endif
