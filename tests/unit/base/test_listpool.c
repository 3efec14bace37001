/* The list pool against plain arrays, and its reuse of freed blocks. */
#include "base/listpool.h"
#include "cm.h"
#include <string.h>

enum { LISTS = 40, MAX = 80 };
typedef struct Model {
    uint32_t e[MAX], n;
} Model;

static void check(const ListPool *lp, ListRef l, const Model *md) {
    assert_int_equal(list_len(lp, l), md->n);
    if (md->n)
        assert_memory_equal(list_data(lp, l), md->e, md->n * sizeof(uint32_t));
    else
        assert_int_equal(l, 0);
}

static void against_a_model(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    ListPool lp = {0};
    uint64_t s = 21;
    for (int round = 0; round < 10; round++) {
        static Model md[LISTS];
        ListRef l[LISTS] = {0};
        memset(md, 0, sizeof md);
        listpool_clear(&lp);
        for (int step = 0; step < 20000; step++) {
            uint32_t i = (uint32_t)(rnd(&s) % LISTS), x = (uint32_t)rnd(&s);
            Model *d = &md[i];
            switch (rnd(&s) % 6) {
            case 0:
            case 1:
                if (d->n == MAX) break;
                list_push(&m, &lp, &l[i], x);
                d->e[d->n++] = x;
                break;
            case 2: {
                if (d->n == MAX) break;
                uint32_t at = (uint32_t)(rnd(&s) % (d->n + 1));
                list_insert(&m, &lp, &l[i], at, x);
                memmove(d->e + at + 1, d->e + at, (d->n - at) * sizeof x);
                d->e[at] = x;
                d->n++;
                break;
            }
            case 3: {
                if (d->n == 0) break;
                uint32_t at = (uint32_t)(rnd(&s) % d->n);
                list_remove(&lp, &l[i], at);
                memmove(d->e + at, d->e + at + 1, (d->n - at - 1) * sizeof x);
                d->n--;
                break;
            }
            case 4:
                if (rnd(&s) % 8) break;
                x = (uint32_t)(rnd(&s) % (MAX + 1));
                list_truncate(&lp, &l[i], x);
                if (x < d->n) d->n = x;
                break;
            default: { /* copy of a part of another list, straight out of the pool */
                if (rnd(&s) % 8) break;
                uint32_t j = (uint32_t)(rnd(&s) % LISTS);
                if (j == i) break;
                list_release(&lp, &l[i]);
                uint32_t from = md[j].n ? (uint32_t)(rnd(&s) % md[j].n) : 0;
                l[i] = list_new(&m, &lp, l[j] ? list_data(&lp, l[j]) + from : NULL, md[j].n - from);
                d->n = md[j].n - from;
                memmove(d->e, md[j].e + from, d->n * sizeof x);
                break;
            }
            }
            check(&lp, l[i], d);
        }
        for (uint32_t i = 0; i < LISTS; i++) check(&lp, l[i], &md[i]);
    }
    /* 40 lists of at most 80 elements: blocks of up to 128 words, and one spare per size at worst. */
    assert_true(lp.words.n <= LISTS * 128 * 2);
    listpool_free(&m, &lp);
    assert_int_equal(m.live, 0);
}

static void source_inside_the_pool_survives_growth(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    ListPool lp = {0};
    uint32_t e[3] = {1, 2, 3};
    ListRef l = list_new(&m, &lp, e, 3);
    for (int i = 0; i < 3000; i++) {
        ListRef k = list_new(&m, &lp, list_data(&lp, l), 3);
        assert_memory_equal(list_data(&lp, k), e, sizeof e);
        l = k;
    }
    listpool_free(&m, &lp);
}

static void freed_blocks_are_used_again(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    ListPool lp = {0};
    uint32_t high = 0;
    for (int r = 0; r < 100; r++) {
        ListRef l = 0;
        for (uint32_t i = 0; i < 1000; i++) list_push(&m, &lp, &l, i);
        for (uint32_t i = 0; i < 1000; i++) assert_int_equal(list_data(&lp, l)[i], i);
        list_release(&lp, &l);
        assert_int_equal(l, 0);
        if (r == 0) high = lp.words.n;
    }
    assert_int_equal(lp.words.n, high);
    listpool_clear(&lp);
    assert_int_equal(lp.words.n, 0);
    assert_int_equal(list_new(&m, &lp, NULL, 0), 0);
    listpool_free(&m, &lp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_model),
        cmocka_unit_test(source_inside_the_pool_survives_growth),
        cmocka_unit_test(freed_blocks_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
