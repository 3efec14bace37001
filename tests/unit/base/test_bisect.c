/* Bisection against looking at one after the other: sizes 0 to 40, with repetitions. */
#include "base/bisect.h"
#include "cm.h"

static void finds_the_first(void **st) {
    (void)st;
    uint32_t v[40], n, key, at;
    uint64_t s = 3;
    for (n = 0; n <= 40; n++) {
        for (uint32_t k = 0; k < n; k++) v[k] = (k ? v[k - 1] : 0) + (uint32_t)(rnd(&s) % 3);
        for (key = 0; key < 85; key++) {
            uint32_t below = 0, up_to = 0;
            for (uint32_t k = 0; k < n; k++) {
                below += v[k] < key;
                up_to += v[k] <= key;
            }
            bisect(at, n, v[at] < key);
            assert_int_equal(at, below);
            bisect(at, n, v[at] <= key);
            assert_int_equal(at, up_to);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
