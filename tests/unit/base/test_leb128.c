/* LEB128: every 1- to 3-byte input, random long ones against the spec's definition, and round trips. */
#include "leb128_model.h"
#include "cm.h"
#include <string.h>

static void all_short_inputs(void **st) {
    (void)st;
    uint8_t b[3];
    for (uint32_t x = 0; x < 1u << 24; x += x < 1u << 17 ? 1 : 37) {
        memcpy(b, &x, 3);
        const char *diff = leb_compare(b, b + 3);
        if (diff) fail_msg("%02x %02x %02x: %s", b[0], b[1], b[2], diff);
    }
    for (uint32_t x = 0; x < 1u << 16; x++) {
        memcpy(b, &x, 2);
        assert_null(leb_compare(b, b + 2));
        assert_null(leb_compare(b, b + 1));
    }
    assert_null(leb_compare(b, b));
}

static void long_inputs_with_edge_bytes(void **st) {
    (void)st;
    static const uint8_t edge[] = {0x00, 0x01, 0x02, 0x0f, 0x10, 0x3f, 0x40, 0x6f,
                                   0x70, 0x77, 0x78, 0x7c, 0x7e, 0x7f, 0x80, 0xff};
    uint64_t s = 5;
    for (int i = 0; i < 400000; i++) {
        uint8_t b[12];
        size_t n = 3 + rnd(&s) % 10;
        for (size_t k = 0; k < n; k++) b[k] = (uint8_t)(0x80 | rnd(&s));
        if (rnd(&s) % 4) { /* mostly a final byte where it matters */
            size_t last = rnd(&s) % n;
            b[last] = rnd(&s) % 2 ? edge[rnd(&s) % sizeof edge] : (uint8_t)(rnd(&s) & 0x7f);
        }
        const char *diff = leb_compare(b, b + n);
        if (diff) fail_msg("input %d: %s", i, diff);
    }
}

static void write_then_read(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    VecU8 v = {0};
    uint64_t s = 9;
    for (int i = 0; i < 200000; i++) {
        uint64_t x = rnd(&s) >> (rnd(&s) % 64), u = ~x;
        int64_t y = (int64_t)(rnd(&s) % 2 ? x : ~x), z = ~y;
        if (i < 64) x = (uint64_t)1 << i, y = (int64_t)x;
        if (i >= 64 && i < 128) x = ((uint64_t)1 << (i - 64)) - 1, y = (int64_t)~x;
        vec_clear(&v);
        leb_put_u64(&m, &v, x);
        uint32_t n = v.n;
        leb_put_s64(&m, &v, y);
        const uint8_t *p = v.p, *end = v.p + v.n;
        assert_int_equal(leb_u64(&p, end, &u), LEB_OK);
        assert_ptr_equal(p, v.p + n);
        assert_true(u == x);
        assert_int_equal(leb_s64(&p, end, &z), LEB_OK);
        assert_ptr_equal(p, end);
        assert_true(z == y);
        /* shortest form: the last byte is needed */
        if (n > 1) assert_true(v.p[n - 1] != 0);
        uint32_t k = v.n - n;
        if (k > 1) {
            uint8_t last = v.p[v.n - 1], prev = v.p[v.n - 2] & 0x40;
            assert_false((last == 0 && !prev) || (last == 0x7f && prev));
        }
    }
    vec_free(&m, &v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_short_inputs),
        cmocka_unit_test(long_inputs_with_edge_bytes),
        cmocka_unit_test(write_then_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
