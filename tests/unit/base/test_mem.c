/* Mem: counting, limits, injected failures, user hooks. Arena: alignment, marks, reuse, lifetimes. */
#include "base/mem.h"
#include "cm.h"
#include <stdlib.h>
#include <string.h>

static void counts_live_peak_and_calls(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    char *a = mem_alloc(&m, 100);
    char *b = mem_alloc(&m, 50);
    assert_int_equal(m.live, 150);
    a = mem_realloc(&m, a, 100, 400);
    assert_int_equal(m.live, 450);
    mem_free(&m, a, 400);
    mem_free(&m, NULL, 0);
    assert_int_equal(m.live, 50);
    assert_int_equal(m.peak, 450);
    assert_int_equal(m.allocs, 3);
    mem_free(&m, b, 50);
    assert_int_equal(m.live, 0);
}

static void limit_leaves_through_oom(void **st) {
    (void)st;
    Mem m;
    jmp_buf env;
    mem_init(&m, NULL);
    m.limit = 1000;
    m.oom = &env;
    void *volatile p = mem_alloc(&m, 1000);
    volatile int jumped = 0;
    if (setjmp(env) == 0)
        mem_alloc(&m, 1);
    else
        jumped = 1;
    assert_true(jumped);
    assert_int_equal(m.live, 1000); /* the failed request changed nothing */
    mem_free(&m, p, 1000);
    m.limit = 0;
    jumped = 0;
    if (setjmp(env) == 0)
        mem_alloc(&m, SIZE_MAX);
    else
        jumped = 1;
    assert_true(jumped);
}

static void nth_request_fails_when_asked(void **st) {
    (void)st;
    Mem m;
    jmp_buf env;
    mem_init(&m, NULL);
    m.fail_at = 3;
    m.oom = &env;
    void *volatile p[2] = {NULL, NULL};
    volatile int got = 0;
    if (setjmp(env) == 0) {
        for (;;) {
            void *q = mem_alloc(&m, 8);
            p[got] = q;
            got++;
        }
    }
    assert_int_equal(got, 2);
    mem_free(&m, p[0], 8);
    mem_free(&m, p[1], 8);
}

typedef struct Ledger {
    size_t out;
    int calls;
} Ledger;
static void *ledger_realloc(void *user, void *old, size_t old_size, size_t new_size) {
    Ledger *l = user;
    l->calls++;
    l->out += new_size - old_size;
    if (new_size) return realloc(old, new_size);
    free(old);
    return NULL;
}

static void user_hooks_see_true_sizes(void **st) {
    (void)st;
    Ledger l = {0};
    Mem m;
    mem_init(&m, &(MemHooks){ledger_realloc, &l});
    Arena a;
    arena_init(&a, &m);
    for (int i = 0; i < 1000; i++) arena_alloc(&a, 100, 4);
    assert_true(l.calls > 0);
    assert_in_range(l.out - m.live, 1, 1000); /* a header for each of the few chunks */
    arena_destroy(&a);
    assert_int_equal(l.out, 0);
}

typedef struct Step {
    Mem *m;
    uint32_t vals;
} Step;
static void greedy(void *arg) {
    Step *s = arg;
    for (;;) {
        memset(mem_alloc(s->m, 100), 1, 100);
        s->vals++;
    }
}
static void nested(void *arg) {
    Step *s = arg;
    assert_false(mem_guard(s->m, greedy, s));
    s->m->limit += 1000;
    greedy(arg);
}

static void what_a_jump_left_behind_can_be_released(void **st) {
    (void)st;
    Ledger l = {0};
    Mem m;
    mem_init(&m, &(MemHooks){ledger_realloc, &l});
    m.limit = 1000;
    Step s = {&m, 0};
    assert_false(mem_guard(&m, nested, &s));
    assert_int_equal(s.vals, 20);
    assert_null(m.oom);
    void *p = mem_try_realloc(&m, NULL, 0, 100000);
    assert_null(p);
    assert_int_equal(m.live, 2000);
    mem_release_all(&m);
    assert_int_equal(l.out, 0);
}

static void blocks_may_be_freed_and_grown_in_any_order(void **st) {
    (void)st;
    Ledger l = {0};
    Mem m, moved;
    mem_init(&m, &(MemHooks){ledger_realloc, &l});
    uint64_t seed = 7;
    enum { N = 40 };
    unsigned char *p[N] = {0};
    size_t n[N] = {0};
    for (int i = 0; i < 3000; i++) {
        unsigned k = (unsigned)(rnd(&seed) % N);
        size_t want = rnd(&seed) % 3 ? (size_t)(rnd(&seed) % 300) : 0;
        for (size_t j = 0; j < n[k]; j++) assert_int_equal(p[k][j], k);
        p[k] = mem_realloc(&m, p[k], n[k], want);
        assert_int_equal((uintptr_t)p[k] % _Alignof(max_align_t), 0);
        if (want) memset(p[k], (int)k, want);
        n[k] = want;
    }
    moved = m;
    for (unsigned k = 0; k < N; k += 2) mem_free(&moved, p[k], n[k]);
    mem_release_all(&moved);
    assert_int_equal(l.out, 0);
}

static void arena_blocks_are_aligned_and_disjoint(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    Arena a;
    arena_init(&a, &m);
    uint64_t s = 1;
    enum { N = 3000 };
    static struct {
        unsigned char *p;
        size_t n;
    } blk[N];
    for (int i = 0; i < N; i++) {
        size_t align = (size_t)1 << (rnd(&s) % 7);
        size_t n = i % 97 == 0 ? (size_t)(rnd(&s) % 20000) : (size_t)(rnd(&s) % 64);
        unsigned char *p = arena_alloc(&a, n, align);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p & (align - 1), 0);
        if (n) memset(p, i & 0xff, n);
        blk[i].p = p;
        blk[i].n = n;
    }
    for (int i = 0; i < N; i++)
        for (size_t k = 0; k < blk[i].n; k++) assert_int_equal(blk[i].p[k], i & 0xff);
    unsigned char *z = arena_zalloc(&a, 500, 8);
    for (int i = 0; i < 500; i++) assert_int_equal(z[i], 0);
    assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
    arena_destroy(&a);
    assert_int_equal(m.live, 0);
}

static void no_request_after_warm_up(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    Arena a;
    arena_init(&a, &m);
    uint64_t warm = 0;
    for (int round = 0; round < 20; round++) {
        arena_reset(&a);
        uint64_t s = 7;
        for (int i = 0; i < 5000; i++) arena_alloc(&a, rnd(&s) % 300, 8);
        if (round == 0) warm = m.allocs;
    }
    assert_true(warm > 0);
    assert_int_equal(m.allocs, warm);
    arena_destroy(&a);
}

static void release_goes_back_to_the_mark(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    Arena a;
    arena_init(&a, &m);
    ArenaMark empty = arena_mark(&a);
    void *first = arena_alloc(&a, 16, 8);
    memset(first, 1, 16);
    ArenaMark mark = arena_mark(&a);
    char *p = arena_alloc(&a, 32, 8);
    for (int i = 0; i < 1000; i++) arena_alloc(&a, 1000, 8); /* into later chunks */
    arena_release(&a, mark);
    assert_ptr_equal(arena_alloc(&a, 32, 8), p);
    assert_int_equal(*(char *)first, 1);
    arena_release(&a, empty);
    assert_ptr_equal(arena_alloc(&a, 16, 8), first);
    arena_destroy(&a);
}

/* Whatever sizes it is asked for in turn, it has no more than the largest. */
static void a_restarted_arena_has_room_in_one_piece(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    Arena a;
    arena_init(&a, &m);
    for (size_t n = 0; n < 300000; n += 1 + n / 7) {
        arena_restart(&a, n);
        char *p = arena_alloc(&a, n / 2, 1);
        assert_ptr_equal(arena_alloc(&a, n - n / 2, 1), p + n / 2);
        assert_true(m.live < n + 5000);
        uint64_t asked = m.allocs;
        arena_restart(&a, n / 3);
        arena_alloc(&a, n, 1);
        assert_int_equal(m.allocs, asked);
    }
    arena_destroy(&a);
    assert_int_equal(m.live, 0);
}

static void a_chunk_too_small_is_kept_for_later(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    Arena a;
    arena_init(&a, &m);
    for (int i = 0; i < 4; i++) arena_alloc(&a, 4000, 8);
    arena_reset(&a);
    arena_alloc(&a, 4000, 8);
    char *big = arena_alloc(&a, 3000000, 8);
    memset(big, 1, 3000000);
    uint64_t n = m.allocs;
    for (int i = 0; i < 2; i++) arena_alloc(&a, 4000, 8);
    assert_int_equal(m.allocs, n);
    arena_destroy(&a);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_live_peak_and_calls),
        cmocka_unit_test(limit_leaves_through_oom),
        cmocka_unit_test(nth_request_fails_when_asked),
        cmocka_unit_test(user_hooks_see_true_sizes),
        cmocka_unit_test(what_a_jump_left_behind_can_be_released),
        cmocka_unit_test(blocks_may_be_freed_and_grown_in_any_order),
        cmocka_unit_test(arena_blocks_are_aligned_and_disjoint),
        cmocka_unit_test(no_request_after_warm_up),
        cmocka_unit_test(release_goes_back_to_the_mark),
        cmocka_unit_test(a_restarted_arena_has_room_in_one_piece),
        cmocka_unit_test(a_chunk_too_small_is_kept_for_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
