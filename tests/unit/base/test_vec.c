/* Growable arrays and the bit sets built on them. */
#include "base/bitset.h"
#include "base/vec.h"
#include "cm.h"
#include <string.h>

static void push_extend_pop(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    VecU32 v = {0};
    assert_null(vec_extend(&m, &v, 0)); /* without arithmetic on a null pointer */
    for (uint32_t i = 0; i < 10000; i++) vec_push(&m, &v, i * 3);
    assert_int_equal(v.n, 10000);
    for (uint32_t i = 0; i < 10000; i++) assert_int_equal(v.p[i], i * 3);
    uint32_t *tail = vec_extend(&m, &v, 5);
    assert_ptr_equal(tail, v.p + 10000);
    for (int i = 0; i < 5; i++) tail[i] = 77;
    assert_int_equal(vec_pop(&v), 77);
    assert_int_equal(vec_last(&v), 77);
    assert_int_equal(v.n, 10004);
    assert_true(m.allocs < 20); /* doubling */
    uint64_t calls = m.allocs;
    vec_clear(&v);
    for (uint32_t i = 0; i < 10000; i++) vec_push(&m, &v, i);
    assert_int_equal(m.allocs, calls);
    vec_free(&m, &v);
    assert_int_equal(m.live, 0);
}

static void resize0_zeroes_only_the_new_part(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    VecU8 v = {0};
    memset(vec_extend(&m, &v, 100), 0xff, 100);
    vec_resize0(&m, &v, 10);
    vec_resize0(&m, &v, 60);
    for (int i = 0; i < 60; i++) assert_int_equal(v.p[i], i < 10 ? 0xff : 0);
    vec_resize0(&m, &v, 0);
    assert_int_equal(v.n, 0);
    vec_free(&m, &v);
}

static void impossible_sizes_are_out_of_memory(void **st) {
    (void)st;
    Mem m;
    jmp_buf env;
    mem_init(&m, NULL);
    m.oom = &env;
    VecU64 *v = &(VecU64){0};
    volatile int jumped = 0;
    volatile uint64_t need = (uint64_t)UINT32_MAX + 5;
    if (setjmp(env) == 0)
        vec_reserve(&m, v, need);
    else
        jumped = 1;
    assert_true(jumped);
    assert_int_equal(v->cap, 0);
    assert_int_equal(m.live, 0);
}

static void bitset_against_bytes(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    uint64_t s = 3;
    for (int round = 0; round < 200; round++) {
        uint32_t n = 1 + (uint32_t)(rnd(&s) % 300);
        BitSet a = {0}, b = {0};
        bitset_resize0(&m, &a, n);
        bitset_resize0(&m, &b, n);
        uint8_t ma[301] = {0}, mb[301] = {0};
        for (int k = 0; k < 200; k++) {
            uint32_t i = (uint32_t)(rnd(&s) % n);
            switch (rnd(&s) % 4) {
            case 0:
                bitset_add(&a, i);
                ma[i] = 1;
                break;
            case 1:
                bitset_del(&a, i);
                ma[i] = 0;
                break;
            case 2:
                assert_int_equal(bitset_test_add(&b, i), !mb[i]);
                mb[i] = 1;
                break;
            default: assert_int_equal(bitset_has(&a, i), ma[i]); break;
            }
        }
        uint32_t count = 0, next = bitset_next(&a, 0);
        for (uint32_t i = 0; i < n; i++) {
            if (!ma[i]) continue;
            count++;
            assert_int_equal(next, i);
            next = bitset_next(&a, i + 1);
        }
        assert_int_equal(next, UINT32_MAX);
        assert_int_equal(bitset_count(&a), count);
        bool grows = false;
        for (uint32_t i = 0; i < n; i++) grows |= mb[i] && !ma[i];
        assert_int_equal(bitset_union(&a, &b), grows);
        assert_false(bitset_union(&a, &b));
        for (uint32_t i = 0; i < n; i++) assert_int_equal(bitset_has(&a, i), ma[i] | mb[i]);
        assert_int_equal(bitset_next(&a, n + 64), UINT32_MAX);
        bitset_resize0(&m, &a, n);
        assert_int_equal(bitset_count(&a), 0);
        vec_free(&m, &a);
        vec_free(&m, &b);
    }
    assert_int_equal(u64_ctz(8), 3);
    assert_int_equal(u64_clz(1), 63);
    assert_int_equal(u64_popcount(0xf0f0), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_extend_pop),
        cmocka_unit_test(resize0_zeroes_only_the_new_part),
        cmocka_unit_test(impossible_sizes_are_out_of_memory),
        cmocka_unit_test(bitset_against_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
