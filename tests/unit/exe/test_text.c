/* The functions that stand in for the C library in executables, against the C library. */
#include "cm.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The file under test, with its own names. */
#define memmove my_memmove
#define memcpy my_memcpy
#define memset my_memset
#define memcmp my_memcmp
#define bcmp my_bcmp
#define memchr my_memchr
#define strlen my_strlen
#define strcmp my_strcmp
#define strncmp my_strncmp
#define strchr my_strchr
#define strrchr my_strrchr
#define strspn my_strspn
#define strcspn my_strcspn
#define stpcpy my_stpcpy
#define vsnprintf my_vsnprintf
#define snprintf my_snprintf
#define vfprintf my_vfprintf
#define fprintf my_fprintf
#define fputc my_fputc
#define fflush my_fflush
#define strerror my_strerror
#undef stdout
#undef stderr
#define stdout my_stdout
#define stderr my_stderr
#define __popcountdi2 my_popcount
#include "exe/text.c"
#undef memmove
#undef memcpy
#undef memset
#undef memcmp
#undef bcmp
#undef memchr
#undef strlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strspn
#undef strcspn
#undef stpcpy
#undef snprintf
#undef strerror

enum { ROOM = 6000 };
static uint8_t a[ROOM], b[ROOM];
static void fresh(uint64_t *s) {
    for (int i = 0; i < ROOM; i++) a[i] = b[i] = (uint8_t)rnd(s);
}
static size_t some_size(uint64_t *s) {
    return rnd(s) % (rnd(s) % 4 ? 70 : rnd(s) % 3 ? 600 : 2500);
}

static void copying(void **st) {
    (void)st;
    uint64_t s = 1;
    for (int k = 0; k < 20000; k++) {
        if (k % 50 == 0) fresh(&s);
        size_t n = some_size(&s), from = rnd(&s) % (ROOM - 2600), to = rnd(&s) % (ROOM - 2600);
        if (k % 2) to = from + rnd(&s) % 80 - (from >= 40 ? 40 : 0); /* most of them overlap */
        assert_ptr_equal(my_memmove(a + to, a + from, n), a + to);
        memmove(b + to, b + from, n);
        assert_memory_equal(a, b, ROOM);
        size_t at = rnd(&s) % (ROOM - 2600), m = some_size(&s);
        int c = (int)rnd(&s);
        assert_ptr_equal(my_memset(a + at, c, m), a + at);
        memset(b + at, c, m);
        assert_memory_equal(a, b, ROOM);
    }
}

static int sign(int x) {
    return (x > 0) - (x < 0);
}
static void comparing_and_searching(void **st) {
    (void)st;
    uint64_t s = 2;
    for (int k = 0; k < 20000; k++) {
        size_t n = rnd(&s) % 40;
        char x[48], y[48];
        for (int i = 0; i < 48; i++) x[i] = y[i] = (char)(rnd(&s) % 3 + (rnd(&s) % 8 ? 'a' : 200));
        if (k % 2) y[rnd(&s) % 40] = (char)rnd(&s);
        assert_int_equal(sign(my_memcmp(x, y, n)), sign(memcmp(x, y, n)));
        int c = x[rnd(&s) % 48];
        assert_ptr_equal(my_memchr(x, c, n), memchr(x, c, n));
        x[n] = y[n + rnd(&s) % 3] = 0;
        assert_int_equal(my_strlen(x), strlen(x));
        assert_int_equal(sign(my_strcmp(x, y)), sign(strcmp(x, y)));
        assert_int_equal(sign(my_strncmp(x, y, n / 2)), sign(strncmp(x, y, n / 2)));
        assert_ptr_equal(my_strchr(x, c), strchr(x, c));
        assert_ptr_equal(my_strchr(x, 0), strchr(x, 0));
        assert_ptr_equal(my_strrchr(x, c), strrchr(x, c));
        assert_int_equal(my_strspn(x, "ab"), strspn(x, "ab"));
        assert_int_equal(my_strcspn(x, "bc"), strcspn(x, "bc"));
        char z[48];
        assert_ptr_equal(my_stpcpy(z, x), z + strlen(x));
        assert_string_equal(z, x);
    }
    for (int i = 0; i < 64; i++) assert_int_equal(my_popcount((int64_t)(UINT64_MAX >> i)), 64 - i);
}

#define SAME(...)                                                                                \
    do {                                                                                         \
        for (size_t room = 0; room < sizeof x; room += room < 12 ? 1 : 13) {                     \
            memset(x, 7, sizeof x);                                                              \
            memset(y, 7, sizeof y);                                                              \
            assert_int_equal(my_snprintf(x, room, __VA_ARGS__), snprintf(y, room, __VA_ARGS__)); \
            assert_memory_equal(x, y, sizeof x);                                                 \
        }                                                                                        \
    } while (0)
static void formats(void **st) {
    (void)st;
    char x[90], y[90];
    SAME("plain");
    SAME("%s and %s", "one", "");
    SAME("%.*s|%.3s|%.0s|", 4, "abcdefg", "ab", "xyz");
    SAME("%10s|%2s|", "right", "long");
    SAME("%d %d %d %d", 0, -1, 2147483647, -2147483647 - 1);
    SAME("%u %x %02x %5u|%05u|%5d|%05d", 4000000000u, 0xdeadbeefu, 7u, 42u, 42u, -42, -42);
    SAME("%llu %zu %ld %lx", 18446744073709551615ull, (size_t)123456789012, -5l, 0x123456789abcul);
    SAME("%c%c%%", 'a', 'b');
    assert_string_equal(my_strerror(ENOENT), strerror(ENOENT));
    assert_string_equal(my_strerror(EACCES), strerror(EACCES));
    assert_string_equal(my_strerror(12345), "error 12345 of the system");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(copying),
                                       cmocka_unit_test(comparing_and_searching),
                                       cmocka_unit_test(formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
