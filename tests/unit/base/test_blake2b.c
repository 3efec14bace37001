/* BLAKE2b against values that Python's hashlib gives, whole and in pieces. */
#include "base/blake2b.h"
#include "cm.h"
#include <stdio.h>
#include <string.h>

static uint8_t data[1000];
static void fill(void) {
    for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7 + i / 256);
}
static void hex(const Blake2b *begun, char out[65]) {
    Blake2b b = *begun;
    uint8_t sum[BLAKE2B_BYTES];
    blake2b_end(&b, sum);
    for (int i = 0; i < BLAKE2B_BYTES; i++) snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static void known_values(void **st) {
    (void)st;
    static const struct {
        size_t n;
        const char *hex;
    } known[] = {{0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
                 {127, "4ff62e7c4c43fe101a078479c48836be4907d9d498dcc577ca89d694b2c11f9b"},
                 {128, "14696d2a98d9f8a280da8b132b1045b345e1033759c6b02fcc4ee885c8ae7c37"},
                 {129, "3934215260b1039be9d9d2b073b059bcd50120c327a22af93eb4d98cf821c14c"},
                 {255, "a3bb8b4fa098078d32bb5a89e905e237862fd83e99141ca7d8a073bb268ba2a0"},
                 {256, "3d0cb2693dfbac42af5a6cc960953fea8714aa39c4bcd054ef61d6b5e98ade4a"},
                 {257, "00466ab5e91660e4fdbef955724cca27cee84370539f22d393d1f566bd177514"},
                 {1000, "38981cec8fd0971914a759c4fac0538dbb29495eec4aea07f277e1f5f8562d27"}};
    fill();
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        Blake2b b;
        char text[65];
        blake2b_init(&b);
        blake2b_add(&b, data, known[k].n);
        hex(&b, text);
        assert_string_equal(text, known[k].hex);
    }
}

static void pieces(void **st) {
    (void)st;
    fill();
    uint64_t s = 4;
    Blake2b whole;
    char want[65], got[65];
    blake2b_init(&whole);
    blake2b_add(&whole, data, sizeof data);
    hex(&whole, want);
    for (int round = 0; round < 500; round++) {
        Blake2b b;
        blake2b_init(&b);
        for (size_t at = 0, n; at < sizeof data; at += n) {
            n = rnd(&s) % (round % 2 ? 300 : 20);
            if (n > sizeof data - at) n = sizeof data - at;
            blake2b_add(&b, data + at, n);
        }
        hex(&b, got);
        assert_string_equal(got, want);
    }
}

/* Numbers and texts are told apart wherever they begin and end. */
static void numbers_and_texts(void **st) {
    (void)st;
    static const char *const lists[][3] = {{"ab", "c", ""}, {"a", "bc", ""},   {"", "abc", ""},
                                           {"abc", "", ""}, {"abc", "", NULL}, {"abc", NULL, ""}};
    enum { LISTS = sizeof lists / sizeof *lists };
    char got[LISTS][65], want[65], number[65];
    for (int k = 0; k < LISTS; k++) {
        Blake2b b;
        blake2b_init(&b);
        for (int i = 0; i < 3; i++) blake2b_text(&b, lists[k][i]);
        hex(&b, got[k]);
        for (int j = 0; j < k; j++) assert_string_not_equal(got[k], got[j]);
    }
    Blake2b b;
    blake2b_init(&b);
    blake2b_add(&b, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    hex(&b, want);
    blake2b_init(&b);
    blake2b_number(&b, UINT64_C(0x0102030405060708));
    hex(&b, number);
    assert_string_equal(number, want);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_values), cmocka_unit_test(pieces),
                                       cmocka_unit_test(numbers_and_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
