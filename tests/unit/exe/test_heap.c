/* The heap and the sorting of executables: contents stay, blocks do not overlap, freed memory is used again. */
#include "cm.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define malloc my_malloc
#define realloc my_realloc
#define free my_free
#define qsort my_qsort
void *my_malloc(size_t n);
void *my_realloc(void *p, size_t n);
void my_free(void *p);
void my_qsort(void *base, size_t n, size_t size, int (*less)(const void *, const void *));
#include "exe/heap.c"
#define Compare MyCompare
#include "exe/sort.c"
#undef malloc
#undef realloc
#undef free
#undef qsort

enum { BLOCKS = 300 };
typedef struct Held {
    uint8_t *p;
    size_t n;
    uint8_t fill;
} Held;
static Held held[BLOCKS];

static void check(const Held *h) {
    for (size_t i = 0; i < h->n; i++) assert_int_equal(h->p[i], h->fill);
}
static size_t some_size(uint64_t *s) {
    return rnd(s) % (rnd(s) % 5 ? 300 : rnd(s) % 5 ? 20000 : 500000);
}

static void random_use(void **st) {
    (void)st;
    uint64_t s = 3;
    for (int k = 0; k < 60000; k++) {
        Held *h = &held[rnd(&s) % BLOCKS];
        size_t n = some_size(&s);
        check(h);
        if (rnd(&s) % 3 == 0) {
            my_free(h->p);
            *h = (Held){0};
            continue;
        }
        size_t keep = h->n < n ? h->n : n;
        h->p = my_realloc(h->p, n);
        assert_true(h->p && (uintptr_t)h->p % 16 == 0);
        for (size_t i = 0; i < keep; i++) assert_int_equal(h->p[i], h->fill);
        h->n = n;
        h->fill = (uint8_t)rnd(&s);
        memset(h->p, h->fill, n);
    }
    for (int i = 0; i < BLOCKS; i++) my_free(held[i].p);
}

static void memory_is_used_again(void **st) {
    (void)st;
    void *first = my_malloc(100);
    my_free(first);
    assert_ptr_equal(my_malloc(80), first);
    my_free(first);
    my_free(NULL);
    void *p = my_malloc(1 << 20);
    my_free(p);
    void *q = my_realloc(my_malloc(1 << 20), 3 << 20);
    assert_non_null(q);
    q = my_realloc(q, 10); /* from a block of its own back to a class */
    assert_non_null(q);
    my_free(q);
    errno = 0;
    assert_null(my_malloc(SIZE_MAX - 8));
    assert_int_equal(errno, ENOMEM);
    q = my_malloc(100);
    assert_null(my_realloc(q, SIZE_MAX / 2));
    my_free(q);
}

typedef struct Item {
    uint32_t key;
    char rest[9];
} Item;
static int by_key(const void *a, const void *b) {
    uint32_t x = ((const Item *)a)->key, y = ((const Item *)b)->key;
    return (x > y) - (x < y);
}
static void sorting(void **st) {
    (void)st;
    uint64_t s = 4;
    static Item a[2000], b[2000];
    for (int round = 0; round < 60; round++) {
        size_t n = round < 10 ? (size_t)round : rnd(&s) % 2000;
        uint32_t range = round % 3 ? UINT32_MAX : 5;
        for (size_t i = 0; i < n; i++) {
            a[i].key = (uint32_t)(rnd(&s) % range);
            memcpy(a[i].rest, &a[i].key, 4);
            b[i] = a[i];
        }
        my_qsort(a, n, sizeof *a, by_key);
        qsort(b, n, sizeof *b, by_key);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(a[i].key, b[i].key);
            assert_memory_equal(a[i].rest, &a[i].key, 4);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_use),
                                       cmocka_unit_test(memory_is_used_again),
                                       cmocka_unit_test(sorting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
