/* The hash map against a plain array indexed by key. */
#include "base/hashmap.h"
#include "cm.h"
#include <string.h>

enum { KEYS = 400 };

/* Keys with long collision runs: small ones, ones that differ in high bits only, and the all-ones key. */
static uint64_t key_of(uint32_t i) {
    if (i == 0) return UINT64_MAX;
    return i % 3 == 0 ? (uint64_t)i << 48 : i % 3 == 1 ? i : i * 0x10001u;
}

static void against_a_model(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    uint64_t s = 11;
    for (int round = 0; round < 30; round++) {
        HashMap h = {0};
        uint32_t val[KEYS], n = 0;
        bool has[KEYS] = {false};
        for (int step = 0; step < 4000; step++) {
            uint32_t i = (uint32_t)(rnd(&s) % KEYS), x = (uint32_t)rnd(&s);
            uint64_t k = key_of(i);
            switch (rnd(&s) % 8) {
            case 0:
            case 1: {
                bool fresh;
                uint32_t *p = hashmap_get_or_insert(&m, &h, k, x, &fresh);
                assert_int_equal(fresh, !has[i]);
                if (fresh) val[i] = x, has[i] = true, n++;
                assert_int_equal(*p, val[i]);
                break;
            }
            case 2:
                hashmap_set(&m, &h, k, x);
                n += !has[i];
                has[i] = true;
                val[i] = x;
                break;
            case 3:
            case 4:
            case 5:
                assert_int_equal(hashmap_remove(&h, k), has[i]);
                n -= has[i];
                has[i] = false;
                break;
            case 6:
                if (rnd(&s) % 400 == 0) {
                    hashmap_clear(&h);
                    memset(has, 0, sizeof has);
                    n = 0;
                }
                break;
            default: {
                uint32_t *p = hashmap_find(&h, k);
                assert_int_equal(p != NULL, has[i]);
                if (p) assert_int_equal(*p, val[i]);
                break;
            }
            }
            assert_int_equal(h.n, n);
        }
        for (uint32_t i = 0; i < KEYS; i++) {
            uint32_t *p = hashmap_find(&h, key_of(i));
            assert_int_equal(p != NULL, has[i]);
            if (p) assert_int_equal(*p, val[i]);
        }
        hashmap_free(&m, &h);
    }
    assert_int_equal(m.live, 0);
}

static void clear_keeps_the_table_and_survives_generation_wrap(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    HashMap h = {0};
    hashmap_clear(&h); /* of an empty map */
    assert_null(hashmap_find(&h, 1));
    assert_false(hashmap_remove(&h, 1));
    for (uint32_t i = 0; i < 1000; i++) hashmap_set(&m, &h, i, i);
    uint64_t calls = m.allocs;
    for (int r = 0; r < 100; r++) {
        hashmap_clear(&h);
        for (uint32_t i = 0; i < 1000; i++) {
            assert_null(hashmap_find(&h, i));
            hashmap_set(&m, &h, i, i);
        }
    }
    assert_int_equal(m.allocs, calls);
    h.gen = UINT32_MAX; /* all old entries now look dead */
    h.n = 0;
    hashmap_set(&m, &h, 5, 6);
    hashmap_clear(&h);
    assert_int_equal(h.gen, 1);
    for (uint32_t i = 0; i < 1000; i++) assert_null(hashmap_find(&h, i));
    hashmap_free(&m, &h);
}

static void bytes_hash_depends_on_every_byte(void **st) {
    (void)st;
    char a[40];
    memset(a, 'x', sizeof a);
    for (size_t n = 0; n < sizeof a; n++) {
        uint64_t h = hash_bytes(a, n, 0);
        assert_true(h == hash_bytes(a, n, 0));
        assert_true(h != hash_bytes(a, n, 1));
        assert_true(h != hash_bytes(a, n + 1, 0) || n + 1 == sizeof a);
        for (size_t i = 0; i < n; i++) {
            a[i] ^= 1;
            assert_true(h != hash_bytes(a, n, 0));
            a[i] ^= 1;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(clear_keeps_the_table_and_survives_generation_wrap),
        cmocka_unit_test(bytes_hash_depends_on_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
