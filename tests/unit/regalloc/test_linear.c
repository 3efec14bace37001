/* The allocators, the input check and the allocation checker take time linear in the input, and the allocators no more memory than
 * stated: shapes that tempt to do worse. Each result is checked as well. */
#include <stdio.h>
#include <time.h>
#include "ra_shapes.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
enum { /* instrumented code takes several times as long */
       LARGE = __has_feature(address_sanitizer) ? 24000 : 100000,
       SMALL = LARGE / 8
};

static double run(RaCtx *c, RaAlgo algo, const Shape *shape, uint32_t n, RaStats *st) {
    Build b;
    b_init(&b);
    shape->make(&b, n);
    const RaFunc *f = b_finish(&b);
    Diag d;
    diag_clear(&d);
    RaOutput out;
    double best = 1e9;
    for (int k = 0; k < 3; k++) {
        clock_t t = clock();
        if (!ra_check_input(c, f, &b.env, &d) || !ra_run(c, algo, f, &b.env, &out, &d))
            fail_msg("%s", d.msg);
        double s = (double)(clock() - t) / CLOCKS_PER_SEC;
        if (s < best) best = s;
    }
    if (n <= 20000 && !ra_check(c, f, &b.env, &out, &d)) fail_msg("%s: %s", shape->name, d.msg);
    *st = out.stats;
    b_free(&b);
    return best;
}

/* Eight times the input may take 8 times as long, and as much again for memory and noise. */
static void time_grows_with_the_input(void **state) {
    RaAlgo algo = *(const RaAlgo *)*state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    for (uint32_t k = 0; k < RA_SHAPES; k++) {
        RaStats st;
        double small = run(c, algo, &ra_shapes[k], SMALL, &st),
               large = run(c, algo, &ra_shapes[k], LARGE, &st);
        print_message("%-16s %9.6f s %9.6f s%s\n", ra_shapes[k].name, small, large,
                      st.fell_back ? ", fell back" : "");
        if (large > 30 * small + 0.05) fail_msg("%s: not linear", ra_shapes[k].name);
    }
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

/* What docs/regalloc.md states: bytes that a context holds after a function, at most. A vector doubles, hence twice. */
static double bound(RaAlgo algo, const RaFunc *f, const RaOutput *out) {
    const RaStats *st = &out->stats;
    double v = f->num_vregs, b = f->num_blocks, i = f->num_insts,
           args = f->edge_args[f->blocks[f->num_blocks - 1].succ_end],
           uses = f->op_start[f->num_insts] + args, registers = 16;
    double onepass = 32 * v + 4 * uses + i + 48 * b + 20 * b + 12 * out->num_slots +
                     8 * registers * b + 48 * (double)out->num_edits;
    if (algo == RA_ALGO_ONEPASS) return 2 * onepass + 16384;
    double rows = v / 8 * b; /* of bits */
    if (rows > 32 << 20) rows = 32 << 20;
    double ion = 92 * v + 36 * uses + 37 * i + 56 * b + 48 * (double)st->ranges +
                 40 * (double)st->bundles + 48 * ((double)out->num_edits + args);
    return 2 * (ion + (st->fell_back ? onepass : 0)) + rows + 65536;
}

static void memory_stays_within_the_bound(void **state) {
    RaAlgo algo = *(const RaAlgo *)*state;
    for (uint32_t k = 0; k < RA_SHAPES; k++) {
        Mem m;
        mem_init(&m, NULL);
        RaCtx *c = ra_ctx_new(&m);
        Build b;
        b_init(&b);
        ra_shapes[k].make(&b, LARGE);
        const RaFunc *f = b_finish(&b);
        Diag d;
        diag_clear(&d);
        RaOutput out;
        if (!ra_run(c, algo, f, &b.env, &out, &d)) fail_msg("%s", d.msg);
        double most = bound(algo, f, &out);
        print_message("%-16s %7.2f MB, at most %7.2f: %5.0f bytes per instruction%s\n",
                      ra_shapes[k].name, (double)m.live * 1e-6, most * 1e-6,
                      (double)m.live / f->num_insts, out.stats.fell_back ? ", fell back" : "");
        if ((double)m.live > most) fail_msg("%s: more memory than stated", ra_shapes[k].name);
        ra_ctx_free(c);
        b_free(&b);
        assert_int_equal(m.live, 0);
    }
}

int main(void) {
    static RaAlgo algos[2] = {RA_ALGO_ONEPASS, RA_ALGO_ION};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(time_grows_with_the_input, &algos[0]),
        cmocka_unit_test_prestate(time_grows_with_the_input, &algos[1]),
        cmocka_unit_test_prestate(memory_stays_within_the_bound, &algos[0]),
        cmocka_unit_test_prestate(memory_stays_within_the_bound, &algos[1])};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
