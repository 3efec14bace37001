/* Control-flow analyses against definitions: each fact is recomputed by brute force on random graphs. */
#include "analysis/analysis.h"
#include "clif/builder.h"
#include "cm.h"
#include <time.h>

enum { MAXB = 14 };
typedef struct All {
    Mem m;
    ClifFunc f;
    ClifBuilder b;
    CfgAnalysis c;
    DomTree d;
    LoopAnalysis l;
} All;
static void open_all(All *x) {
    memset(x, 0, sizeof *x);
    mem_init(&x->m, NULL);
    clif_func_init(&x->f, &x->m);
    clif_builder_init(&x->b, &x->m);
}
static void close_all(All *x) {
    cfg_free(&x->c, &x->m);
    domtree_free(&x->d, &x->m);
    loops_free(&x->l, &x->m);
    clif_builder_free(&x->b);
    clif_func_free(&x->f);
    assert_int_equal(x->m.live, 0);
}
static void compute(All *x) {
    cfg_compute(&x->c, &x->m, &x->f);
    domtree_compute(&x->d, &x->m, &x->c);
    loops_compute(&x->l, &x->m, &x->c, &x->d);
}

/* Reachable from `from` without passing through `cut` (CLIF_NONE: no cut). */
static void reach(bool (*edge)[MAXB], uint32_t n, uint32_t from, uint32_t cut, bool *seen) {
    memset(seen, 0, n);
    if (from == cut) return;
    seen[from] = true;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < n; b++)
                if (seen[a] && edge[a][b] && b != cut && !seen[b]) seen[b] = more = true;
    }
}

static void check(All *x, bool (*edge)[MAXB], uint32_t n) {
    bool from_entry[MAXB], dom[MAXB][MAXB], seen[MAXB];
    reach(edge, n, 0, CLIF_NONE, from_entry);
    uint32_t nreach = 0;
    for (uint32_t a = 0; a < n; a++) {
        nreach += from_entry[a];
        assert_int_equal(cfg_reachable(&x->c, (ClifBlock){a}), from_entry[a]);
        reach(edge, n, 0, a, seen);
        for (uint32_t b = 0; b < n; b++) {
            dom[a][b] = from_entry[a] && from_entry[b] && !seen[b];
            assert_int_equal(dom_dominates(&x->d, (ClifBlock){a}, (ClifBlock){b}), dom[a][b]);
        }
    }
    assert_int_equal(x->c.rpo.n, nreach);
    assert_int_equal(x->l.order.n, nreach);
    for (uint32_t b = 0; b < n; b++) {
        uint32_t np, ns, ins = 0, outs = 0;
        cfg_preds(&x->c, (ClifBlock){b}, &np);
        cfg_succs(&x->c, (ClifBlock){b}, &ns);
        for (uint32_t a = 0; a < n; a++) ins += edge[a][b], outs += edge[b][a];
        assert_int_equal(np, ins);
        assert_int_equal(ns, outs);
        /* the immediate dominator is the strict dominator that every other one dominates */
        for (uint32_t a = 0; a < n && from_entry[b]; a++)
            if (a != b && dom[a][b]) assert_true(dom[a][x->d.idom.p[b]]);
        /* in both orders an edge goes forwards unless it is a retreating edge of a cycle */
        for (uint32_t a = 0; a < n; a++)
            if (from_entry[a] && edge[a][b] && x->c.rpo_num.p[a] < x->c.rpo_num.p[b])
                assert_true(x->l.order_num.p[a] < x->l.order_num.p[b]);
    }
    /* loops by definition: h heads one iff it dominates a predecessor; its members reach such a predecessor
     * without passing h */
    uint32_t depth[MAXB] = {0}, nloops = 0;
    for (uint32_t h = 0; h < n; h++) {
        bool member[MAXB] = {false}, any = false;
        for (uint32_t a = 0; a < n; a++) any |= edge[a][h] && dom[h][a];
        if (!any) continue;
        nloops++;
        for (uint32_t b = 0; b < n; b++) {
            if (!from_entry[b]) continue;
            reach(edge, n, b, h, seen);
            for (uint32_t a = 0; a < n; a++)
                member[b] |= edge[a][h] && dom[h][a] && (seen[a] || b == h);
        }
        uint32_t at = x->l.loop_of.p[h], size = 0;
        assert_true(loop_is_header(&x->l, (ClifBlock){h}));
        Loop lp = x->l.loops.p[at];
        for (uint32_t b = 0; b < n; b++) {
            bool inside =
                from_entry[b] && x->l.order_num.p[b] >= lp.start && x->l.order_num.p[b] < lp.end;
            assert_int_equal(inside, member[b]);
            depth[b] += member[b];
            size += member[b];
        }
        assert_int_equal(lp.end - lp.start, size);
        assert_int_equal(x->l.order.p[lp.start], h);
    }
    assert_int_equal(x->l.loops.n, nloops);
    for (uint32_t b = 0; b < n; b++) assert_int_equal(loop_depth(&x->l, (ClifBlock){b}), depth[b]);
}

static void random_graphs_match_the_definitions(void **st) {
    (void)st;
    All x;
    open_all(&x);
    uint64_t s = 7;
    uint64_t allocs = 0;
    for (int round = 0; round < 6000; round++) {
        if (round == 3000) allocs = x.m.allocs;
        bool edge[MAXB][MAXB] = {{false}};
        uint32_t n = 1 + (uint32_t)(rnd(&s) % MAXB);
        clif_func_clear(&x.f);
        clif_builder_begin(&x.b, &x.f);
        for (uint32_t k = 0; k < n; k++) cb_create_block(&x.b);
        for (uint32_t k = 0; k < n; k++) {
            cb_switch_to(&x.b, (ClifBlock){k});
            uint32_t kind = n == 1 ? 0 : (uint32_t)(rnd(&s) % 5), nt = 0, t[5];
            for (; nt < kind; nt++) {
                bool near = rnd(&s) % 2; /* structured-looking graphs as well as any */
                t[nt] = near ? 1 + k % (n - 1) : 1 + (uint32_t)(rnd(&s) % (n - 1));
                edge[k][t[nt]] = true;
            }
            if (kind == 0) cb_return(&x.b, NULL, 0);
            if (kind == 1) cb_jump(&x.b, (ClifBlock){t[0]}, NULL, 0);
            if (kind == 2)
                cb_brif(&x.b, cb_iconst(&x.b, CLIF_I8, 1), (ClifBlock){t[0]}, NULL, 0,
                        (ClifBlock){t[1]}, NULL, 0);
            if (kind > 2) {
                ListRef calls[5];
                for (uint32_t j = 0; j < nt; j++)
                    calls[j] = clif_make_blockcall(&x.f, (ClifBlock){t[j]}, NULL, 0);
                cb_br_table(&x.b, cb_iconst(&x.b, CLIF_I32, 1),
                            clif_make_jump_table(&x.f, calls, nt));
            }
        }
        compute(&x);
        check(&x, edge, n);
    }
    assert_int_equal(x.m.allocs, allocs);
    close_all(&x);
}

static double big(uint32_t n, bool nest) {
    All x;
    open_all(&x);
    clif_builder_begin(&x.b, &x.f);
    for (uint32_t k = 0; k < 2 * n + 2; k++) cb_create_block(&x.b);
    /* nest: n headers, then n latches each going back to its header or out; else a chain of n self loops */
    for (uint32_t k = 0; k < 2 * n + 2; k++) {
        cb_switch_to(&x.b, (ClifBlock){k});
        if (k == 2 * n + 1) {
            cb_return(&x.b, NULL, 0);
        } else if (k == 0 || (nest && k <= n)) {
            cb_jump(&x.b, (ClifBlock){k + 1}, NULL, 0);
        } else {
            uint32_t back = nest ? 2 * n + 1 - k : k;
            cb_brif(&x.b, cb_iconst(&x.b, CLIF_I8, 1), (ClifBlock){back}, NULL, 0,
                    (ClifBlock){k + 1}, NULL, 0);
        }
    }
    double t0 = (double)clock() / CLOCKS_PER_SEC;
    compute(&x);
    double t = (double)clock() / CLOCKS_PER_SEC - t0;
    assert_int_equal(x.l.loops.n, nest ? n : 2 * n);
    if (nest) assert_int_equal(loop_depth(&x.l, (ClifBlock){n}), n);
    close_all(&x);
    return t;
}

static void long_chains_and_deep_nests_are_linear(void **st) {
    (void)st;
    double a = big(50000, false), b = big(50000, true);
    print_message("10^5 blocks: chain %.3f s, nest of depth 5*10^4 %.3f s\n", a, b);
    assert_true(a < 2 && b < 2);
}

static void an_empty_function_has_no_order(void **st) {
    (void)st;
    All x;
    open_all(&x);
    compute(&x);
    assert_int_equal(x.c.rpo.n, 0);
    close_all(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_match_the_definitions),
        cmocka_unit_test(long_chains_and_deep_nests_are_linear),
        cmocka_unit_test(an_empty_function_has_no_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
