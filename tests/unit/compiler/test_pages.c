/* Blocks of all sizes keep their bytes through growing, shrinking and moving between the C library and pages of their own. */
#include "compiler/pages.h"
#include "cm.h"
#include <string.h>

/* Sanitizers stop at a request that cannot be granted unless they are told. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1";
}

enum { BLOCKS = 12, MOST = 5 << 20, STEP = 509 };

typedef struct Block {
    uint8_t *p;
    size_t n;
    uint8_t seed;
} Block;

static uint8_t byte_at(const Block *b, size_t i) {
    return (uint8_t)(b->seed + i / STEP);
}

static void fill(Block *b, size_t from) {
    for (size_t i = from; i < b->n; i++) b->p[i] = byte_at(b, i);
}

static void check(const Block *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (b->p[i] != byte_at(b, i)) fail_msg("byte %zu of %zu", i, n);
}

static void bytes_stay(void **st) {
    (void)st;
    static const size_t edges[] = {1,       4096,          (1 << 20) - 1, 1 << 20, (1 << 20) + 1,
                                   2 << 20, (2 << 20) + 1, (3 << 20) - 1, 3 << 20, (3 << 20) + 1};
    Mem m;
    mem_init(&m, &pages_hooks);
    Block b[BLOCKS] = {0};
    uint64_t s = 11;
    for (int round = 0; round < 300; round++) {
        Block *x = &b[rnd(&s) % BLOCKS];
        size_t n = rnd(&s) % 3 ? edges[rnd(&s) % (sizeof edges / sizeof *edges)]
                               : (size_t)(rnd(&s) % MOST),
               old = x->n;
        if (rnd(&s) % 5 == 0) n = 0;
        x->p = mem_realloc(&m, x->p, x->n, n);
        x->n = n;
        if (!n) continue;
        assert_int_equal((uintptr_t)x->p % _Alignof(max_align_t), 0);
        check(x, old < n ? old : n);
        if (!old) x->seed = (uint8_t)rnd(&s);
        fill(x, old < n ? old : n);
        if (!old) fill(x, 0);
    }
    for (int k = 0; k < BLOCKS; k++) check(&b[k], b[k].n);
    mem_release_all(&m);
}

static void impossible_sizes_are_refused(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, &pages_hooks);
    Block b = {mem_alloc(&m, 3 << 20), 3 << 20, 7};
    fill(&b, 0);
    assert_null(mem_try_realloc(&m, NULL, 0, PTRDIFF_MAX / 2));
    assert_null(mem_try_realloc(&m, NULL, 0, SIZE_MAX - 64));
    assert_null(mem_try_realloc(&m, b.p, b.n, PTRDIFF_MAX / 2));
    check(&b, b.n);
    mem_free(&m, b.p, b.n);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_stay),
                                       cmocka_unit_test(impossible_sizes_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
