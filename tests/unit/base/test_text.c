/* String builder and diagnostics. */
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "cm.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void builder_appends(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    assert_string_equal(sb_cstr(&sb), "");
    sb_putc(&sb, 'a');
    sb_puts(&sb, "bc");
    sb_putn(&sb, "defgh", 2);
    sb_putn(&sb, NULL, 0);
    sb_printf(&sb, "-%d-%s", -5, "x");
    sb_u64(&sb, 0);
    sb_u64(&sb, UINT64_MAX);
    sb_putc(&sb, ' ');
    sb_hex(&sb, 0);
    sb_hex(&sb, UINT64_MAX);
    assert_string_equal(sb_cstr(&sb), "abcde--5-x018446744073709551615 0ffffffffffffffff");
    assert_int_equal(sb.n, strlen(sb.p));
    sb_clear(&sb);
    assert_string_equal(sb_cstr(&sb), "");
    sb_free(&sb);
    assert_int_equal(m.live, 0);
}

static void printf_of_any_length(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    char text[5001];
    for (int n = 0; n <= 5000; n += n < 200 ? 1 : 321) {
        memset(text, 'q', (size_t)n);
        text[n] = 0;
        sb_clear(&sb);
        sb_puts(&sb, "<");
        sb_printf(&sb, "%s>", text);
        assert_int_equal(sb.n, n + 2);
        assert_int_equal(strlen(sb.p), n + 2);
        assert_int_equal(sb.p[n + 1], '>');
        sb_free(&sb);
    }
}

static void pad_counts_from_the_line_start(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    sb_pad_to(&sb, 2);
    sb_puts(&sb, "ab\ncd");
    sb_pad_to(&sb, 5);
    sb_puts(&sb, "e");
    sb_pad_to(&sb, 3);
    assert_string_equal(sb_cstr(&sb), "  ab\ncd   e");
    sb_free(&sb);
}

static void first_error_wins(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    Diag d;
    diag_clear(&d);
    assert_int_equal(d.kind, DIAG_NONE);
    assert_int_equal(d.func, UINT32_MAX);
    assert_false(diag_at(&d, DIAG_INVALID, 0x1f, "type %s", "mismatch"));
    assert_false(diag_msg(&d, DIAG_OOM, "later"));
    assert_int_equal(d.kind, DIAG_INVALID);
    diag_print(&d, "a.wasm", &sb);
    assert_string_equal(sb_cstr(&sb), "a.wasm:0x1f: error: type mismatch");
    diag_clear(&d);
    sb_clear(&sb);
    diag_line(&d, DIAG_MALFORMED, 3, 14, "unexpected %c", ')');
    diag_print(&d, "b.clif", &sb);
    assert_string_equal(sb_cstr(&sb), "b.clif:3:14: error: unexpected )");
    diag_clear(&d);
    sb_clear(&sb);
    diag_msg(&d, DIAG_LIMIT, "too big");
    diag_print(&d, "c", &sb);
    assert_string_equal(sb_cstr(&sb), "c: error: too big");
    sb_free(&sb);
}

static void long_messages_end_in_dots(void **st) {
    (void)st;
    Diag d;
    char text[600];
    memset(text, 'm', sizeof text);
    text[511] = 0;
    diag_clear(&d);
    diag_msg(&d, DIAG_IO, "%s", text);
    assert_string_equal(d.msg, text);
    text[511] = 'm';
    text[599] = 0;
    diag_clear(&d);
    diag_msg(&d, DIAG_IO, "%s", text);
    assert_int_equal(strlen(d.msg), 511);
    assert_string_equal(d.msg + 508, "...");
}

static void bugs_abort_and_name_the_place(void **st) {
    (void)st;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 2);
        signal(SIGABRT, SIG_DFL);
        COT_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    close(fd[1]);
    char out[400] = {0};
    size_t n = 0;
    for (ssize_t k; n < sizeof out - 1 && (k = read(fd[0], out + n, sizeof out - 1 - n)) > 0;)
        n += (size_t)k;
    close(fd[0]);
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(out, "test_text.c:"));
    assert_non_null(strstr(out, "1 + 1 == 3"));
}

static bool utf8(const char *s) {
    return utf8_valid((const uint8_t *)s, strlen(s));
}

static void utf8_first_and_last_of_each_length(void **st) {
    (void)st;
    static const char *const good[] = {"",
                                       "a\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2z",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xed\xa0\x80",
                                      "\xef\xbf\xc0",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf1\x80\x80",
                                      "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(utf8(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(utf8(bad[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_appends),
        cmocka_unit_test(printf_of_any_length),
        cmocka_unit_test(pad_counts_from_the_line_start),
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(long_messages_end_in_dots),
        cmocka_unit_test(utf8_first_and_last_of_each_length),
        cmocka_unit_test(bugs_abort_and_name_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
