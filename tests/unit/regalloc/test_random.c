/* Both allocators on random functions: the checker must accept each result, execution must agree with the
 * input's, and a corrupted result that execution finds wrong must be rejected by the checker.
 * COT_RA_COUNT is the number of functions, COT_RA_SEED the first seed, COT_RA_LENGTH makes blocks so many times as long,
 * COT_RA_ONLY is a pattern of test names. */
#include <stdio.h>
#include <stdlib.h>
#include "../cm.h"
#include "ra_sim.h"
#include "regalloc/text.h"

static Gen g;
static Sim sim;

static uint64_t env_number(const char *name, uint64_t otherwise) {
    const char *v = getenv(name);
    return v ? strtoull(v, NULL, 10) : otherwise;
}

static void show(Mem *m, const RaOutput *out, uint64_t seed, const char *what) {
    StrBuf sb;
    sb_init(&sb, m);
    ra_print(&g.f, &g.env, out, &sb);
    fputs(sb_cstr(&sb), stderr);
    sb_free(&sb);
    fail_msg("seed %llu: %s", (unsigned long long)seed, what);
}

/* One change of the output: an operand's place, or a move's place, order, point. */
static bool corrupt(uint64_t *rng, RaAlloc *allocs, uint32_t nops, RaEdit *edits, uint32_t nedits) {
    uint32_t what = (uint32_t)(rnd(rng) % 6), k = (uint32_t)(rnd(rng) >> 33);
    RaAlloc place = rnd(rng) % 3 ? ra_alloc_reg((RaPReg)(rnd(rng) % 2 * 32 + rnd(rng) % 12))
                                 : ra_alloc_slot((uint32_t)(rnd(rng) % 8));
    if (what <= 1) {
        if (nops == 0) return false;
        allocs[k % nops] = what ? place : allocs[rnd(rng) % nops];
        return true;
    }
    if (nedits == 0) return false;
    RaEdit *e = &edits[k % nedits];
    if (what == 2)
        e->from = e->to;
    else if (what == 3)
        *(rnd(rng) % 2 ? &e->from : &e->to) = place;
    else if (what == 4 && e + 1 < edits + nedits && e[1].point == e->point) {
        RaEdit t = e[0];
        e[0] = e[1], e[1] = t;
    } else if (e + 1 < edits + nedits)
        e->point += rnd(rng) % 3 && e->point < e[1].point;
    return true;
}

static void random_functions(RaAlgo algo) {
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    uint64_t count = env_number("COT_RA_COUNT", 20000), first = env_number("COT_RA_SEED", 1);
    g.length = (uint32_t)env_number("COT_RA_LENGTH", 1);
    uint32_t tried = 0, wrong = 0, rejected = 0, insts = 0, edits = 0;
    static RaAlloc allocs[G_O];
    static RaEdit moves[1 << 16];
    for (uint64_t k = 0; k < count; k++) {
        uint64_t seed = first + k;
        gen_random(&g, seed);
        ra_ctx_set_stress(c, seed % 2 ? seed : 0);
        Diag d;
        diag_clear(&d);
        RaOutput out = {0};
        if (!ra_check_input(c, &g.f, &g.env, &d) || !ra_run(c, algo, &g.f, &g.env, &out, &d))
            show(&m, NULL, seed, d.msg);
        if (!ra_check(c, &g.f, &g.env, &out, &d)) show(&m, &out, seed, d.msg);
        insts += g.ni, edits += out.num_edits;
        const char *bad = NULL;
        for (uint32_t k = 0; k < 3 && !bad; k++) bad = sim_run(&sim, &g.f, &out, seed * 8 + k, 300);
        if (bad) show(&m, &out, seed, bad);
        uint64_t rng = seed;
        for (uint32_t k = 0; k < 4 && out.num_edits <= 1 << 16; k++) {
            memcpy(allocs, out.allocs, g.op_start[g.ni] * sizeof *allocs);
            if (out.num_edits) memcpy(moves, out.edits, out.num_edits * sizeof *moves);
            RaOutput bent = out;
            bent.allocs = allocs, bent.edits = moves;
            if (!corrupt(&rng, allocs, g.op_start[g.ni], moves, out.num_edits)) continue;
            diag_clear(&d);
            tried++;
            bool accepted = ra_check(c, &g.f, &g.env, &bent, &d);
            rejected += !accepted;
            bad = NULL;
            for (uint32_t q = 0; q < 2 && !bad; q++)
                bad = sim_run(&sim, &g.f, &bent, seed * 16 + q, 300);
            wrong += bad != NULL;
            if (bad && accepted) show(&m, &bent, seed, bad);
        }
    }
    print_message(
        "%u instructions, %u moves; of %u corruptions %u were rejected, %u seen to fail\n", insts,
        edits, tried, rejected, wrong);
    assert_true(wrong > tried / 10);
    assert_true(rejected > wrong);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

/* After the first run of a function, further ones allocate nothing. */
static void no_heap_after_warm_up(RaAlgo algo) {
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    Diag d;
    diag_clear(&d);
    for (uint64_t seed = 1; seed < 50; seed++) {
        gen_random(&g, seed);
        RaOutput out;
        assert_true(ra_run(c, algo, &g.f, &g.env, &out, &d));
        size_t live = m.live;
        uint64_t calls = m.allocs;
        assert_true(ra_run(c, algo, &g.f, &g.env, &out, &d));
        assert_int_equal(m.live, live);
        assert_int_equal(m.allocs, calls);
    }
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

/* Old blocks are spoilt when they grow: a pointer or reference that is kept across that reads garbage. */
static void *moving(void *user, void *old, size_t old_size, size_t new_size) {
    (void)user;
    void *p = new_size ? malloc(new_size) : NULL;
    if (p && old) memcpy(p, old, old_size < new_size ? old_size : new_size);
    if (old) memset(old, 0xA5, old_size);
    free(old);
    return p;
}
static void arrays_may_move(RaAlgo algo) {
    MemHooks hooks = {moving, NULL};
    for (uint64_t seed = 1; seed < 500; seed++) {
        Mem m;
        mem_init(&m, &hooks);
        RaCtx *c = ra_ctx_new(&m);
        Diag d;
        diag_clear(&d);
        gen_random(&g, seed);
        RaOutput out;
        if (!ra_check_input(c, &g.f, &g.env, &d) || !ra_run(c, algo, &g.f, &g.env, &out, &d) ||
            !ra_check(c, &g.f, &g.env, &out, &d))
            fail_msg("seed %llu: %s", (unsigned long long)seed, d.msg);
        ra_ctx_free(c);
        assert_int_equal(m.live, 0);
    }
}

static void onepass_random(void **state) {
    (void)state;
    random_functions(RA_ALGO_ONEPASS);
}
static void ion_random(void **state) {
    (void)state;
    random_functions(RA_ALGO_ION);
}
static void onepass_no_heap(void **state) {
    (void)state;
    no_heap_after_warm_up(RA_ALGO_ONEPASS);
}
static void ion_no_heap(void **state) {
    (void)state;
    no_heap_after_warm_up(RA_ALGO_ION);
}

static void onepass_moving(void **state) {
    (void)state;
    arrays_may_move(RA_ALGO_ONEPASS);
}
static void ion_moving(void **state) {
    (void)state;
    arrays_may_move(RA_ALGO_ION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(onepass_random),  cmocka_unit_test(ion_random),
        cmocka_unit_test(onepass_no_heap), cmocka_unit_test(ion_no_heap),
        cmocka_unit_test(onepass_moving),  cmocka_unit_test(ion_moving)};
    cmocka_set_test_filter(getenv("COT_RA_ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
