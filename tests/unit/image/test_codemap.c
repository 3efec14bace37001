/* Maps by code offset against plain arrays, and with tables of random bytes. */
#include "image/codemap.h"
#include "cm.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 3000 };
typedef struct Entry {
    uint32_t key, value;
} Entry;

static uint32_t some_value(uint64_t *s) {
    static const uint32_t odd[] = {0, 1, IMG_NONE, IMG_NONE - 1, 254, 0x80000000u};
    return rnd(s) % 4 ? (uint32_t)(rnd(s) % 1000) : odd[rnd(s) % 6];
}

static Codemap map_of(const CodemapWriter *w) {
    return (Codemap){w->index.p, w->index.n, w->bytes.p, w->bytes.n};
}

static void look_up_all(const Entry *e, uint32_t n, Codemap m) {
    uint32_t at, k = 0, last = n ? e[n - 1].key + 3 : 3;
    if (n && e[0].key) assert_int_equal(codemap_find(&m, e[0].key - 1, NULL), IMG_NONE);
    if (!n) assert_int_equal(codemap_find(&m, 0, NULL), IMG_NONE);
    for (uint32_t key = n ? e[0].key : 0; n && key < last; key++) {
        while (k + 1 < n && e[k + 1].key <= key) k++;
        assert_int_equal(codemap_find(&m, key, &at), e[k].value);
        assert_int_equal(at, e[k].key);
    }
    CodemapWalk walk = {.map = &m};
    for (k = 0; codemap_next(&walk); k++) {
        assert_true(k < n);
        assert_int_equal(walk.key, e[k].key);
        assert_int_equal(walk.value, e[k].value);
    }
    assert_int_equal(k, n);
}

static void against_an_array(void **st) {
    (void)st;
    Mem mem;
    mem_init(&mem, NULL);
    static Entry e[MOST];
    uint64_t s = 5;
    for (int round = 0; round < 60; round++) {
        uint32_t n = round < 8 ? (uint32_t)round * 32 : (uint32_t)(rnd(&s) % MOST);
        CodemapWriter w = {.mem = &mem};
        uint32_t key = (uint32_t)(rnd(&s) % 3);
        for (uint32_t k = 0; k < n; k++) {
            e[k] = (Entry){key, some_value(&s)};
            codemap_add(&w, key, e[k].value);
            key += 1 + (uint32_t)(rnd(&s) % (rnd(&s) % 8 ? 6 : 300));
        }
        look_up_all(e, n, map_of(&w));
        codemap_free(&w);
    }
    assert_int_equal(mem.live, 0);
}

/* Maps of parts, each with keys of its own, are one after the other that of all. */
static void in_a_row(void **st) {
    (void)st;
    Mem mem;
    mem_init(&mem, NULL);
    static Entry e[MOST];
    uint64_t s = 6;
    for (int round = 0; round < 60; round++) {
        CodemapWriter part = {.mem = &mem}, all = {.mem = &mem};
        uint32_t n = 0, by = 0;
        for (uint32_t parts = (uint32_t)(rnd(&s) % 12); parts; parts--) {
            uint32_t key = (uint32_t)(rnd(&s) % 3), most = (uint32_t)(rnd(&s) % (MOST / 12));
            codemap_clear(&part);
            for (uint32_t k = 0; k < most; k++, n++) {
                uint32_t value = some_value(&s);
                codemap_add(&part, key, value);
                e[n] = (Entry){by + key, value};
                key += 1 + (uint32_t)(rnd(&s) % 9);
            }
            uint32_t at = all.bytes.n;
            Codemap m = map_of(&part);
            ImgBlock *index = vec_extend(&mem, &all.index, m.n);
            uint8_t *bytes = vec_extend(&mem, &all.bytes, m.size);
            codemap_copy(&m, by, index, bytes, at);
            by += key;
        }
        look_up_all(e, n, map_of(&all));
        codemap_free(&part);
        codemap_free(&all);
    }
    assert_int_equal(mem.live, 0);
}

static void of_equal_keys_the_last_counts(void **st) {
    (void)st;
    Mem mem;
    mem_init(&mem, NULL);
    CodemapWriter w = {.mem = &mem};
    for (uint32_t k = 0; k < 200; k++) codemap_add(&w, 7, k);
    Codemap m = map_of(&w);
    assert_int_equal(codemap_find(&m, 7, NULL), 199);
    assert_int_equal(codemap_find(&m, 6, NULL), IMG_NONE);
    codemap_free(&w);
}

static void any_bytes_are_safe(void **st) {
    (void)st;
    uint64_t s = 9;
    for (int round = 0; round < 3000; round++) {
        uint32_t n = (uint32_t)(rnd(&s) % 5), size = (uint32_t)(rnd(&s) % 40);
        ImgBlock *index = malloc((n + !n) * sizeof *index); /* exactly, for the sanitizer */
        uint8_t *bytes = malloc(size + !size);
        for (uint32_t k = 0; k < n; k++)
            index[k] = (ImgBlock){(uint32_t)(rnd(&s) % 100), (uint32_t)rnd(&s),
                                  rnd(&s) % 3 ? (uint32_t)(rnd(&s) % 50) : (uint32_t)rnd(&s)};
        for (uint32_t k = 0; k < size; k++) bytes[k] = (uint8_t)rnd(&s);
        Codemap m = {index, n, bytes, size};
        for (uint32_t key = 0; key < 120; key += 7) codemap_find(&m, key, NULL);
        codemap_find(&m, UINT32_MAX, NULL);
        free(index);
        free(bytes);
    }
}

static void a_typical_entry_takes_two_bytes(void **st) {
    (void)st;
    Mem mem;
    mem_init(&mem, NULL);
    CodemapWriter w = {.mem = &mem};
    uint64_t s = 3;
    uint32_t key = 0, value = 1000;
    for (uint32_t k = 0; k < 10000; k++) {
        codemap_add(&w, key, value);
        key += 3 + (uint32_t)(rnd(&s) % 12);
        value += 1 + (uint32_t)(rnd(&s) % 5);
    }
    assert_true(w.bytes.n + w.index.n * sizeof(ImgBlock) < 22000);
    codemap_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_an_array), cmocka_unit_test(in_a_row),
        cmocka_unit_test(of_equal_keys_the_last_counts), cmocka_unit_test(any_bytes_are_safe),
        cmocka_unit_test(a_typical_entry_takes_two_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
