/* Regular expressions, directives, whole files. */
#include "cm.h"
#include <stdio.h>
#include "filetest/filecheck.h"
#include "filetest/filetest.h"

static void regexes_match_as_they_say(void **st) {
    (void)st;
    static const struct {
        const char *rx, *text;
        int from, to; /* -1: no match */
    } cases[] = {
        {"abc", "xxabcx", 2, 5},
        {"a*", "baaa", 0, 0},
        {"a+", "baaac", 1, 4},
        {"a+?", "baaac", 1, 2},
        {"(?:ab|a)(c|bcd)", "abcd", 0, 3},
        {"a{2,3}", "aaaa", 0, 3},
        {"a{2,3}?", "aaaa", 0, 2},
        {"^b$", "a\nb\nc", 2, 3},
        {"\\bv\\d+\\b", "xv12 v34", 5, 8},
        {"\\Bv", "xv", 1, 2},
        {"[^a-c\\d]+", "ab12xy-", 4, 7},
        {"[]a]+", "x]a", 1, 3},
        {".+", "ab\ncd", 0, 2},
        {"(a|b)*c", "ababd", -1, -1},
        {"\\.", "a.b", 1, 2},
        {"x?y??z", "xyz", 0, 3},
        {"", "abc", 0, 0},
    };
    Mem m;
    mem_init(&m, NULL);
    Regex r = {0};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint32_t g[2 * REGEX_MAX_GROUPS];
        const char *e = regex_compile(&r, &m, cases[k].rx, (uint32_t)strlen(cases[k].rx));
        if (e) fail_msg("%s: %s", cases[k].rx, e);
        bool hit = regex_search(&r, cases[k].text, (uint32_t)strlen(cases[k].text), g);
        assert_int_equal(hit, cases[k].from >= 0);
        if (hit && ((int)g[0] != cases[k].from || (int)g[1] != cases[k].to))
            fail_msg("%s in %s: %u..%u", cases[k].rx, cases[k].text, g[0], g[1]);
    }
    static const char *const bad[] = {
        "(", ")", "[a", "a{3,2}", "*", "\\", "a{1001}", "((((a{9}){9}){9}){9}){9}", "[z-a]"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        if (!regex_compile(&r, &m, bad[k], (uint32_t)strlen(bad[k])))
            fail_msg("%s is accepted", bad[k]);
    regex_free(&r);
    assert_int_equal(m.live, 0);
}

/* The classic that makes naive backtracking exponential. */
static void search_is_linear(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    Regex r = {0};
    char text[3001];
    memset(text, 'a', 3000);
    uint32_t g[2 * REGEX_MAX_GROUPS];
    assert_null(regex_compile(&r, &m, "(a*)*b", 6));
    assert_false(regex_search(&r, text, 3000, g));
    assert_null(regex_compile(&r, &m, "(a|aa)+b", 8));
    assert_false(regex_search(&r, text, 3000, g));
    regex_free(&r);
}

static bool check(const char *const *lines, const char *text) {
    Mem m;
    mem_init(&m, NULL);
    FileCheck c;
    filecheck_init(&c, &m);
    for (; *lines; lines++)
        filecheck_add(&c, &(ClifComment){.line = 1, .text = {*lines, (uint32_t)strlen(*lines)}});
    StrBuf why;
    sb_init(&why, &m);
    bool ok = filecheck_run(&c, text, (uint32_t)strlen(text), &why);
    assert_int_equal(ok, why.n == 0);
    sb_free(&why);
    filecheck_free(&c);
    assert_int_equal(m.live, 0);
    return ok;
}
#define YES(text, ...) assert_true(check((const char *const[]){__VA_ARGS__, NULL}, text))
#define NO(text, ...) assert_false(check((const char *const[]){__VA_ARGS__, NULL}, text))

static void directives_match_in_their_ranges(void **st) {
    (void)st;
    YES("one two\nthree", "; check: one", "; check: two", "; check: three");
    NO("one two", "; check: two", "; check: one");
    YES("one two\nthree", "; check: one", "; sameln: two", "; nextln: three");
    NO("one\ntwo", "; check: one", "; sameln: two");
    NO("one\n\ntwo", "; check: one", "; nextln: two");
    YES("one\ntwo", "; nextln: two");
    YES("two one three", "; unordered: one", "; unordered: two", "; check: three");
    NO("two three one", "; unordered: one", "; unordered: two", "; check: three", "; check: x");
    YES("one five three", "; check: one", "; not: two", "; check: three");
    NO("one two three", "; check: one", "; not: two", "; check: three");
    NO("one two", "; check: one", "; not: two");
    NO("onetwo", "; check: one");
    YES("onetwo", "; check: one$()");
    YES("a $ b", "; check: a $$ b");
    YES("v1 = f\nv2 = g v1", "; regex: V=\\bv\\d+\\b", "; check: $(x=$V) = f",
        "; check: $(=v\\d) = g $x");
    NO("v1 = f\nv2 = g v2", "; regex: V=\\bv\\d+\\b", "; check: $(x=$V) = f",
       "; check: $V = g $(x)");
    YES("a(b)c.d", "; check: a(b)c.d");
    NO("a", "; check: $undefined");
    NO("a", "; check: $(x=(");
    NO("a", "; regex: =b");
    YES("", "; nothing here, check:this is no directive");
}

static void run(Mem *m, const char *text, bool bless, FtResult *r) {
    filetest_result_init(r, m);
    FtOptions o = {.bless = bless};
    filetest_run(m, "t.clif", text, (uint32_t)strlen(text), &o, r);
}

static void blessing_writes_what_then_passes(void **st) {
    (void)st;
    static const char before[] = "test cat precise-output\n\nfunction %a() {\nblock0:\n    "
                                 "return\n}\n; old\n;; kept\n\nfunction %b() "
                                 "{\nblock0:\n    trap user1\n}";
    static const char after[] = "test cat precise-output\n\nfunction %a() {\nblock0:\n    "
                                "return\n}\n\n; function %a() fast {\n; block0:\n;     "
                                "return\n; }\n\n;; kept\n\nfunction %b() {\nblock0:\n    trap "
                                "user1\n}\n; function %b() fast {\n; block0:\n;     "
                                "trap user1\n; }\n";
    Mem m;
    mem_init(&m, NULL);
    FtResult r;
    run(&m, before, false, &r);
    assert_int_equal(r.counts[FT_CAT].failed, 1);
    assert_false(r.rewrite);
    filetest_result_free(&r);
    run(&m, before, true, &r);
    assert_int_equal(r.counts[FT_CAT].passed, 1);
    assert_true(r.rewrite);
    assert_string_equal(sb_cstr(&r.blessed), after);
    FtResult again;
    run(&m, sb_cstr(&r.blessed), true, &again);
    assert_int_equal(again.counts[FT_CAT].passed, 1);
    assert_false(again.rewrite);
    filetest_result_free(&again);
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

static void failures_and_skips_are_told(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    FtResult r;
    run(&m,
        "test verifier\ntest nonsense\nfunction %a() {\nblock0: ; error: too short\n    "
        "return\n}\n",
        false, &r);
    assert_int_equal(r.counts[FT_VERIFIER].failed, 1);
    assert_int_equal(r.counts[FT_UNKNOWN].skipped, 1);
    assert_string_equal(sb_cstr(&r.failures),
                        "t.clif:4: error: test verifier: expected error: too short\n");
    assert_string_equal(sb_cstr(&r.skips),
                        "t.clif: test unknown: no such kind of test: nonsense\n");
    filetest_result_free(&r);
    run(&m, "function %a() {\nblock0:\n    retrun\n}\n", false, &r);
    assert_string_equal(sb_cstr(&r.failures),
                        "t.clif:3:5: error: unknown opcode: 'retrun'\n    retrun\n    ^\n");
    assert_int_equal(r.counts[FT_READ].failed, 1);
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

/* Wrong results, traps and what the compiler lacks are told apart. */
static void native_runs_are_judged(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    FtResult r;
    run(&m,
        "test run\ntarget x86_64\nfunction %a(i32) -> i32 {\nblock0(v0: i32):\n    trapz v0, "
        "user1\n    return v0\n}\n"
        "; run: %a(1) == 1\n; run: %a(1) == 2\n; run: %a(0) == 0\n; run: %a(-1) == -1\n"
        "function %b() -> i64 system_v {\nblock0:\n    v0 = iconst.i64 0\n    v1 = stack_switch "
        "v0, v0, "
        "v0\n    return v1\n}\n; run: %b() == 0\n"
        "function %c() -> i64 system_v {\n    fn0 = %b() -> i64 system_v\nblock0:\n    v0 = call "
        "fn0()\n    return v0\n}\n; run: %c() == 0\n",
        false, &r);
    if (r.counts[FT_RUN].passed == 0 && strstr(sb_cstr(&r.skips), "no target is this machine's"))
        skip();
    assert_int_equal(r.counts[FT_RUN].passed, 2);
    assert_int_equal(r.counts[FT_RUN].failed, 2);
    assert_int_equal(r.counts[FT_RUN].skipped, 2);
    assert_non_null(
        strstr(sb_cstr(&r.failures),
               "t.clif:9: error: test run: target x86_64: ; run: %a(1) == 2: the result is [1]"));
    assert_non_null(
        strstr(sb_cstr(&r.failures),
               "t.clif:10: error: test run: target x86_64: ; run: %a(0) == 0: trap user1\n"));
    assert_non_null(strstr(sb_cstr(&r.skips), "v1 = stack_switch v0, v0, v0"));
    assert_int_equal(r.reasons.n, 1); /* what calls it is missing for the same reason */
    assert_int_equal(r.reasons.p[0].count, 2);
    assert_string_equal(r.reasons.p[0].why, "x86_64: no code for stack_switch.i64");
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

/* A global value that is loaded has no address of its own. */
static void refusals_are_told(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    FtResult r;
    run(&m,
        "test run\ntarget x86_64\nfunction %g(i64 vmctx) -> i64 {\n    gv0 = vmctx\n    gv1 = "
        "load.i64 notrap aligned gv0\nblock0(v0: i64):\n    v1 = symbol_value.i64 gv1\n    return "
        "v1\n}\n; run: %g(0) == 0\n",
        false, &r);
    if (strstr(sb_cstr(&r.skips), "no target is this machine's")) skip();
    assert_int_equal(r.reasons.n, 1);
    assert_string_equal(r.reasons.p[0].why,
                        "x86_64: no code for symbol_value.i64: a global value that is no symbol");
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

/* What is printed, what a loop without end does, and traps by their code in both ways of running. */
static void ends_of_runs_are_told(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    FtResult r;
    run(&m,
        "test interpret\ntest run\ntest compare\ntarget x86_64\n"
        "function %d(i32, i32) -> i32, i8 {\nblock0(v0: i32, v1: i32):\n    v2 = udiv v0, v1\n    "
        "v3 = ireduce.i8 v2\n    return v2, v3\n}\n"
        "; print: %d(300, 1)\n; print: %d(1, 0)\n",
        false, &r);
    if (r.counts[FT_RUN].passed == 0 && strstr(sb_cstr(&r.skips), "no target is this machine's"))
        skip();
    assert_string_equal(sb_cstr(&r.printed),
                        "t.clif:11: test interpret: print: %d(300, 1) -> [300, 44]\n"
                        "t.clif:11: test run: target x86_64: print: %d(300, 1) -> [300, 44]\n");
    assert_string_equal(
        sb_cstr(&r.failures),
        "t.clif:12: error: test interpret: ; print: %d(1, 0): trap int_divz at inst0 of function "
        "0\n"
        "t.clif:12: error: test run: target x86_64: ; print: %d(1, 0): trap int_divz\n");
    assert_int_equal(r.counts[FT_COMPARE].passed, 2); /* the same trap */
    assert_int_equal(r.counts[FT_COMPARE].failed, 0);
    filetest_result_free(&r);
    run(&m,
        "test run\ntarget x86_64\nfunction %l() {\nblock0:\n    jump block1\nblock1:\n    jump "
        "block1\n}\n; print: %l()\n",
        false, &r);
    assert_string_equal(
        sb_cstr(&r.failures),
        "t.clif:9: error: test run: target x86_64: ; print: %l(): no end after 2 seconds\n");
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

/* Machine code as text: directives, an expected refusal, targets without a code generator, unwinding steps. */
static void code_is_listed(void **st) {
    (void)st;
    static const char add[] = "function %a(i64, i64) -> i64 system_v {\nblock0(v0: i64, v1: i64):\n"
                              "    v2 = iadd v0, v1\n    return v2\n}\n";
    static const struct {
        const char *head, *tail;
        uint32_t passed, failed, skipped;
        const char *say; /* a failure or skip */
    } cases[] = {
        {"test compile\ntarget x86_64\n", "; check: block0:\n; nextln: args =%rdi, =%rsi\n", 1, 0,
         0, ""},
        {"test compile\ntarget x86_64\ntarget x86_64 has_avx\n", "; check: ret\n", 2, 0, 0, ""},
        {"test compile\ntarget x86_64\n", "; check: subq\n", 0, 1, 0, "check: subq"},
        {"test compile\ntarget s390x\n", "", 0, 0, 1, "no target has a code generator"},
        {"test compile expect-fail\ntarget x86_64\n", "", 0, 1, 0, "compiles, but should not"},
        {"test compile loudly\ntarget x86_64\n", "", 0, 1, 0, "no option 'loudly'"},
        {"test compile\nset opt_level=much\ntarget x86_64\n", "", 1, 1, 0, "opt_level"},
        {"test compile\ntarget x86_64 has_magic\n", "", 0, 1, 0, "has_magic"},
        {"test unwind\ntarget x86_64\n", "; check: frame address = %rsp+16\n; check: %rbp at -16\n",
         1, 0, 0, ""},
    };
    Mem m;
    mem_init(&m, NULL);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char text[1000];
        snprintf(text, sizeof text, "%s%s%s", cases[k].head, add, cases[k].tail);
        FtResult r;
        run(&m, text, false, &r);
        FtKind kind = strstr(text, "unwind") ? FT_UNWIND : FT_COMPILE;
        assert_int_equal(r.counts[kind].passed, cases[k].passed);
        assert_int_equal(r.counts[kind].failed, cases[k].failed);
        assert_int_equal(r.counts[kind].skipped, cases[k].skipped);
        if (!strstr(sb_cstr(&r.failures), cases[k].say) && !strstr(sb_cstr(&r.skips), cases[k].say))
            fail_msg("case %zu: %s%s", k, sb_cstr(&r.failures), sb_cstr(&r.skips));
        filetest_result_free(&r);
    }
    FtResult r;
    run(&m,
        "test compile expect-fail\ntarget x86_64\nfunction %b() -> i64 system_v {\nblock0:\n    v0 "
        "= "
        "iconst.i64 0\n    v1 = stack_switch v0, v0, v0\n    return v1\n}\n; check: no code for "
        "stack_switch\n",
        false, &r);
    assert_int_equal(r.counts[FT_COMPILE].passed, 1);
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

/* What is listed is skipped with its reason while it fails, and fails when it passes. */
static void exceptions_are_kept_honest(void **st) {
    (void)st;
#define STR(s) \
    { s, sizeof s - 1 }
    static const FtException all[] = {
        {STR("t.clif"), STR("cat precise-output"), STR("spelt otherwise")},
        {STR("t.clif"), STR("print-cfg"), STR("no reason")},
        {STR("u.clif"), STR("verifier"), STR("another file")},
        {STR("t.clif"), STR("run: %a(1) == 2"), STR("one is one")},
    };
    static const char text[] =
        "test cat precise-output\ntest print-cfg\ntest verifier\ntest interpret\n"
        "function %a(i32) -> i32 {\nblock0(v0: i32):\n    return v0\n}\n; run: %a(1) == 2\n";
    Mem m;
    mem_init(&m, NULL);
    FtResult r;
    filetest_result_init(&r, &m);
    FtOptions o = {.exceptions = all, .nexceptions = sizeof all / sizeof *all};
    filetest_run(&m, "dir/t.clif", text, sizeof text - 1, &o, &r);
    assert_int_equal(r.counts[FT_CAT].skipped, 1);
    assert_int_equal(r.counts[FT_CAT].failed, 0);
    assert_int_equal(r.counts[FT_PRINT_CFG].failed, 1);
    assert_int_equal(r.counts[FT_PRINT_CFG].passed, 0);
    assert_int_equal(r.counts[FT_VERIFIER].passed, 1);
    assert_int_equal(r.counts[FT_INTERPRET].skipped, 1);
    assert_int_equal(r.reasons.n, 2);
    assert_string_equal(r.reasons.p[0].why, "spelt otherwise");
    assert_string_equal(r.reasons.p[1].why, "one is one");
    assert_string_equal(sb_cstr(&r.failures), "dir/t.clif:1: error: test print-cfg: passes, but is "
                                              "listed among the exceptions\n");
    filetest_result_free(&r);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regexes_match_as_they_say),
        cmocka_unit_test(search_is_linear),
        cmocka_unit_test(directives_match_in_their_ranges),
        cmocka_unit_test(blessing_writes_what_then_passes),
        cmocka_unit_test(failures_and_skips_are_told),
        cmocka_unit_test(native_runs_are_judged),
        cmocka_unit_test(refusals_are_told),
        cmocka_unit_test(ends_of_runs_are_told),
        cmocka_unit_test(code_is_listed),
        cmocka_unit_test(exceptions_are_kept_honest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
