/* What is written to images and linked into programs does not change without a new IMG_ABI; sums see every change. */
#include "image/cpu.h"
#include "image/image.h"
#include "image/routine.h"
#include "image/sum.h"
#include "cm.h"
#include <string.h>

/* If one of these fails, the contract has changed: IMG_ABI goes up by one, and the new numbers are written here. */
static void layout_belongs_to_its_version(void **st) {
    (void)st;
    assert_int_equal(IMG_ABI, 4);
    assert_true(img_layout_hash() == UINT64_C(0xec808eb25f5c23f4));
}

static void sums_see_every_change(void **st) {
    (void)st;
    uint8_t b[300];
    uint64_t s = 1;
    for (unsigned i = 0; i < sizeof b; i++) b[i] = (uint8_t)rnd(&s);
    for (size_t n = 0; n < sizeof b; n += n < 70 ? 1 : 37) {
        uint64_t whole = img_sum(b, n, 0);
        assert_true(whole != img_sum(b, n, 1));
        if (n) assert_true(whole != img_sum(b, n - 1, 0));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_true(whole != img_sum(b, n, 0));
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t at = 0; at + 16 <= n; at += 8) { /* neighbours exchanged */
            uint8_t c[300];
            memcpy(c, b, n);
            memcpy(c + at, b + at + 8, 8);
            memcpy(c + at + 8, b + at, 8);
            assert_true(whole != img_sum(c, n, 0));
        }
    }
    uint8_t zeros[100] = {0};
    for (size_t n = 1; n < sizeof zeros; n++)
        assert_true(img_sum(zeros, n, 0) != img_sum(zeros, n - 1, 0));
}

static void routines_have_addresses(void **st) {
    (void)st;
    for (uint32_t k = 1; k < IMG_ROUTINE_COUNT; k++)
        assert_true(!img_routine_address(k) == (k == IMG_ROUTINE_RAISE_TRAP));
    assert_null(img_routine_address(0));
    assert_null(img_routine_address(IMG_ROUTINE_COUNT));
    assert_int_equal(img_routine_named("fmaf"), IMG_ROUTINE_FMAF);
    assert_int_equal(img_routine_named("printf"), 0);
    double (*up)(double);
    const void *p = img_routine_address(IMG_ROUTINE_CEIL);
    memcpy(&up, &p, sizeof up);
    assert_true(up(1.25) == 2.0);
}

static void features_have_names(void **st) {
    (void)st;
    uint32_t arch = img_host_arch();
    for (uint64_t left = img_host_cpu(); left; left &= left - 1) {
        const char *name = img_cpu_name(arch, left);
        assert_true(img_cpu_bit(arch, name) == (left & (0 - left)));
    }
    assert_int_equal(img_cpu_bit(arch, "has_magic"), 0);
    assert_string_equal(img_cpu_name(arch, (uint64_t)1 << 63), "an unknown feature");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_belongs_to_its_version), cmocka_unit_test(sums_see_every_change),
        cmocka_unit_test(routines_have_addresses), cmocka_unit_test(features_have_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
