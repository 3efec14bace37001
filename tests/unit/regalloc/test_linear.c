/* The allocator, the input check and the allocation checker take time linear in the input: shapes that tempt to do worse,
 * at two sizes. Each result is checked as well. */
#include <stdio.h>
#include <time.h>
#include "ra_build.h"

static void ret(Build *b, RaVReg v) {
    b_op(b, v, RA_USE, RA_EARLY, RA_FIXED, 0);
    b_inst(b, RA_INST_RET);
}
static RaVReg start(Build *b) {
    b_block(b);
    RaVReg v = b_def(b);
    b_inst(b, 0);
    return v;
}
static void jump(Build *b, uint32_t to) {
    b_inst(b, RA_INST_BRANCH);
    b_succ(b, to);
}

static void many_successors(Build *b, uint32_t n) {
    RaVReg v = start(b);
    b_use(b, v);
    b_inst(b, RA_INST_BRANCH);
    for (uint32_t k = 0; k < n; k++) b_succ(b, 1 + k);
    for (uint32_t k = 0; k < n; k++) {
        b_block(b);
        ret(b, v);
    }
}
static void many_predecessors(Build *b, uint32_t n) {
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
static void long_chain(Build *b, uint32_t n) {
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
static void loops(Build *b, uint32_t n, bool crossing) {
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
static void nested_loops(Build *b, uint32_t n) {
    loops(b, n, false);
}
static void crossing_loops(Build *b, uint32_t n) {
    loops(b, n, true);
}
static void many_parameters(Build *b, uint32_t n) {
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
static void many_live(Build *b, uint32_t n) {
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
static void many_calls(Build *b, uint32_t n) {
    RaVReg v = start(b);
    for (uint32_t k = 0; k < n; k++) {
        b_op(b, v, RA_USE, RA_EARLY, RA_FIXED, k % 4);
        b_op(b, b_vreg(b), RA_DEF, RA_LATE, RA_FIXED, 0);
        b_clobber(b, 0x0E | (uint64_t)0xFF << 32);
        b_inst(b, RA_INST_CALL);
    }
    ret(b, v);
}

static double run(RaCtx *c, void (*shape)(Build *, uint32_t), uint32_t n) {
    Build b;
    b_init(&b);
    shape(&b, n);
    const RaFunc *f = b_finish(&b);
    Diag d;
    diag_clear(&d);
    RaOutput out;
    double best = 1e9;
    for (int k = 0; k < 3; k++) {
        clock_t t = clock();
        if (!ra_check_input(c, f, &b.env, &d) || !ra_run(c, RA_ALGO_ONEPASS, f, &b.env, &out, &d))
            fail_msg("%s", d.msg);
        double s = (double)(clock() - t) / CLOCKS_PER_SEC;
        if (s < best) best = s;
    }
    if (n <= 20000 && !ra_check(c, f, &b.env, &out, &d)) fail_msg("%s", d.msg);
    b_free(&b);
    return best;
}

/* Eight times the input may take 8 times as long, and as much again for memory and noise. */
static void time_grows_with_the_input(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*shape)(Build *, uint32_t);
    } shapes[] = {{"successors", many_successors},
                  {"predecessors", many_predecessors},
                  {"chain", long_chain},
                  {"nested loops", nested_loops},
                  {"crossing loops", crossing_loops},
                  {"parameters", many_parameters},
                  {"live values", many_live},
                  {"calls", many_calls}};
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    for (uint32_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        double small = run(c, shapes[k].shape, 12500), large = run(c, shapes[k].shape, 100000);
        print_message("%-16s %9.6f s %9.6f s\n", shapes[k].name, small, large);
        if (large > 30 * small + 0.05) fail_msg("%s: not linear", shapes[k].name);
    }
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(time_grows_with_the_input)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
