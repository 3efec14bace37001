/* The allocators, the input check and the allocation checker take time linear in the input: shapes that tempt to do worse,
 * at two sizes. Each result is checked as well. */
#include <stdio.h>
#include <time.h>
#include "ra_shapes.h"

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
        double small = run(c, algo, &ra_shapes[k], 12500, &st),
               large = run(c, algo, &ra_shapes[k], 100000, &st);
        print_message("%-16s %9.6f s %9.6f s%s\n", ra_shapes[k].name, small, large,
                      st.fell_back ? ", fell back" : "");
        if (large > 30 * small + 0.05) fail_msg("%s: not linear", ra_shapes[k].name);
    }
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    static RaAlgo algos[2] = {RA_ALGO_ONEPASS, RA_ALGO_ION};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(time_grows_with_the_input, &algos[0]),
        cmocka_unit_test_prestate(time_grows_with_the_input, &algos[1])};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
