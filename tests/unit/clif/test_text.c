/* Reading .clif text. */
#include <stdlib.h>
#include "clif/text.h"
#include "cm.h"

static Mem mem;
static int setup(void **st) {
    (void)st;
    mem_init(&mem, NULL);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    assert_int_equal(mem.live, 0);
    return 0;
}

/* Reads the text, prints every function; on an error the error instead. */
static void expect(const char *text, const char *want) {
    Diag d;
    diag_clear(&d);
    StrBuf sb;
    sb_init(&sb, &mem);
    ClifFunc f;
    clif_func_init(&f, &mem);
    ClifReader *r = clif_reader_new(&mem, text, (uint32_t)strlen(text), &d);
    while (clif_reader_next(r, &f, NULL)) clif_print_func(&f, &sb);
    if (d.kind != DIAG_NONE) {
        sb_clear(&sb);
        clif_text_error(&d, "t.clif", text, (uint32_t)strlen(text), &sb);
    }
    assert_string_equal(sb_cstr(&sb), want);
    sb_free(&sb);
    clif_reader_free(r);
    clif_func_free(&f);
}

static void everything_prints_as_it_was_read(void **st) {
    (void)st;
    /* clang-format off */
    static const char text[] =
        "function %all(i64 vmctx, i32 uext, i8 sext, i64 sarg(24), i64 sret) -> i64 sret, f32 tail {\n"
        "    dss0 = explicit_dynamic_slot dt0\n"
        "    ss0 = explicit_slot 8\n"
        "    ss1 = explicit_slot 32, align = 16, key = 18446744073709551615\n"
        "    region0 = 7 \"heap\"\n"
        "    gv0 = vmctx\n"
        "    gv1 = load.i64 notrap aligned readonly can_move region0 gv0+16\n"
        "    gv2 = iadd_imm.i64 gv1, -8\n"
        "    gv3 = symbol colocated tls %sym+0x0001_0000\n"
        "    gv4 = symbol userextname0\n"
        "    gv5 = dyn_scale_target_const.i32x4\n"
        "    dt0 = i32x4*gv5\n"
        "    sig0 = (i32, f128) -> i8x16 windows_fastcall\n"
        "    sig1 = () system_v\n"
        "    fn0 = colocated patchable %ext sig1\n"
        "    fn1 = u4:5 sig1\n"
        "    fn2 = %Memcpy sig1\n"
        "    fn3 = %ElfGlobalOffsetTable sig1\n"
        "    const1 = 0x0102\n"
        "    stack_limit = gv1\n"
        "\n"
        "                                block0(v0: i64, v1: i32, v2: i8, v3: i64, v4: i64):\n"
        "                                    v30 -> v0\n"
        "                                    v31 -> v30\n"
        "@000d                               v5 = iconst.i8 -1\n"
        "<1, ss0> @ffff                      call fn1(), stack_map=[i64 @ ss0+0, i32 @ ss1+12]\n"
        "                                    v6 = f32const -NaN:0x000001\n"
        "                                    v7 = atomic_rmw.i32 little add v0, v1\n"
        "                                    try_call fn1(), sig1, block1(v1), [ tag1: block2(exn0, v1), context v0, default: block2(exn1, v1) ]\n"
        "\n"
        "                                block1(v8: i32) cold:\n"
        "                                    br_table v8, block3, [block3, block4(v8)]\n"
        "\n"
        "                                block2(v9: i64, v10: i32):\n"
        "                                    trap user250\n"
        "\n"
        "                                block3:\n"
        "                                    return_call_indirect.i64 sig1, v0()\n"
        "\n"
        "                                block4(v11: i32):\n"
        "                                    trap heap_oob\n"
        "}\n";
    /* clang-format on */
    StrBuf fixed; /* payloads are printed without leading zeros */
    sb_init(&fixed, &mem);
    sb_puts(&fixed, text);
    char *nan = strstr(fixed.p, ":0x000001");
    assert_non_null(nan);
    memmove(nan + 3, nan + 8, strlen(nan + 8) + 1);
    expect(text, fixed.p);
    expect(fixed.p, fixed.p);
    sb_free(&fixed);
}

static void skipped_numbers_are_filled(void **st) {
    (void)st;
    expect("function u1:2() {\n ss1 = explicit_slot 4\n sig1 = ()\n fn1 = %f sig1\n const2 = "
           "0x01\nblock3:\n v7 = "
           "vconst.i8x2 [1 -1]\n return\n}",
           "function u1:2() fast {\n    ss0 = explicit_slot 0\n    ss1 = explicit_slot 4\n    sig0 "
           "= () fast\n    sig1 = () "
           "fast\n    fn1 = %f sig1\n    const2 = 0x01\n    const3 = 0xff01\n\nblock3:\n    v7 = "
           "vconst.i8x2 const3\n    "
           "return\n}\n");
}

static void wide_constants_are_read_as_printed(void **st) {
    (void)st;
    static const char printed[] =
        "function u1:2() fast {\n    const0 = "
        "0xffffffff00000000000000000000000000000000000000000000000000000000\n\nblock3:\n"
        "    v7 = vconst.i32x8 const0\n    return\n}\n";
    expect("function u1:2() {\nblock3:\n v7 = vconst.i32x8 [0 0 0 0 0 0 0 -1]\n return\n}",
           printed);
    expect(printed, printed);
}

static void errors_have_places(void **st) {
    (void)st;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"function %f() {\nblock0:\n    v0 = iconst.i8 256\n}",
         "t.clif:3:20: error: number too large for its type\n    v0 = "
         "iconst.i8 256\n                   ^\n"},
        {"function %f() {\nblock0:\n    v0 = iadd v1, v1\n}",
         "t.clif:3:19: error: type variable required for polymorphic opcode 'iadd'; can't infer "
         "from v1 which is not "
         "yet defined\n    v0 = iadd v1, v1\n                  ^\n"},
        {"function %f() {\nblock0:\n    brif.i8 v9, block0, block0\n}",
         "t.clif:3:1: error: undefined operand value v9\n    brif.i8 v9, block0, block0\n^\n"},
        {"function %f() {\nss0 = explicit_slot 4\nss0 = explicit_slot 4\n}",
         "t.clif:4:1: error: duplicate entity: ss0\n}\n^\n"},
        {"function %f() {\nblock0:\n  v1 -> v1\n}",
         "t.clif:3:9: error: alias cycle involving v1\n  v1 -> v1\n        ^\n"},
        {"function %f() {\nblock0:\n  v1 = fun v0\n}",
         "t.clif:3:8: error: unknown opcode: 'fun'\n  v1 = fun v0\n       ^\n"},
        {"function %f() { $",
         "t.clif:1:17: error: invalid character\nfunction %f() { $\n                ^\n"},
        {"function %f() -> void",
         "t.clif:1:18: error: expected parameter type\nfunction %f() -> void\n                 "
         "^\n"},
        {"function %f() {\nblock0:\n v1, v2 = iconst.i8 1\n}",
         "t.clif:4:1: error: instruction produces 1 result values, 2 given\n}\n^\n"},
        {"target x86_64\nset opt_level=speed\n",
         "t.clif:2:1: error: dangling 'set' command after ISA specification has no effect\nset "
         "opt_level=speed\n^\n"},
        {"function %f() {\nblock0:\n v4000000000 = iconst.i8 1\n}",
         "t.clif:3:2: error: the number is too large for a text of this size\n v4000000000 = "
         "iconst.i8 1\n ^\n"},
        {"function %f() {\nblock0:\n store big little v0, v0\n}",
         "t.clif:3:12: error: cannot set both big and little endian bits\n store big little v0, "
         "v0\n           ^\n"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) expect(cases[k].text, cases[k].want);
}

/* What the verifier rejects prints to a fixed point all the same. */
static void invalid_functions_keep_their_types(void **st) {
    (void)st;
    static const char text[] = "function %f(i8) fast {\nblock0(v0: i8):\n    v1 = smin.i16 v0, v0\n"
                               "    v2 = iadd.i32 v3, v3\n    v3 = iadd v2, v2\n}\n";
    expect(text, text);
}

static void integers_have_ranges(void **st) {
    (void)st;
    static const struct {
        const char *text;
        unsigned bits;
        uint64_t lo, hi;
        bool ok;
    } cases[] = {
        {"-128", 8, 0x80, 0, true},
        {"-129", 8, 0, 0, false},
        {"255", 8, 255, 0, true},
        {"0x100", 8, 0, 0, false},
        {"-0x8000", 16, 0x8000, 0, true},
        {"340282366920938463463374607431768211455", 128, UINT64_MAX, UINT64_MAX, true},
        {"340282366920938463463374607431768211456", 128, 0, 0, false},
        {"-170141183460469231731687303715884105728", 128, 0, (uint64_t)1 << 63, true},
        {"-170141183460469231731687303715884105729", 128, 0, 0, false},
        {"0x1_0000_0000_0000_0000", 128, 0, 1, true},
        {"0x", 32, 0, 0, false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint64_t w[2] = {0, 0};
        const char *e = clif_parse_int((ClifStr){cases[k].text, (uint32_t)strlen(cases[k].text)},
                                       cases[k].bits, w);
        assert_int_equal(e == NULL, cases[k].ok);
        if (!e) {
            assert_int_equal(w[0], cases[k].lo);
            assert_int_equal(w[1], cases[k].hi);
        }
    }
}

/* Random bit patterns survive printing and reading; the host's %a agrees for finite numbers of 64 bits. */
static void floats_round_trip(void **st) {
    (void)st;
    uint64_t s = 5;
    static const unsigned widths[] = {16, 32, 64, 128};
    for (int k = 0; k < 40000; k++) {
        unsigned bits = widths[k % 4];
        uint64_t w[2] = {rnd(&s), rnd(&s)}, back[2];
        if (k & 4)
            w[bits == 128] |= bits >= 64 ? 0x7FF0000000000000u : bits == 32 ? 0x7F800000u : 0x7C00u;
        if (k & 8)
            w[bits == 128] &= bits >= 64 ? 0x8000FFFFFFFFFFFFu : bits == 32 ? 0x807FFFFFu : 0x83FFu;
        if (bits < 64) w[0] &= ((uint64_t)1 << bits) - 1;
        if (bits < 128) w[1] = 0;
        StrBuf sb;
        sb_init(&sb, &mem);
        clif_print_float(&sb, bits, w[0], w[1]);
        assert_null(clif_parse_float((ClifStr){sb_cstr(&sb), sb.n}, bits, back));
        assert_int_equal(back[0], w[0]);
        assert_int_equal(back[1], w[1]);
        if (bits == 64 && (w[0] >> 52 & 0x7FF) != 0x7FF) {
            double x;
            memcpy(&x, w, 8);
            assert_true(strtod(sb_cstr(&sb), NULL) == x);
        }
        sb_free(&sb);
    }
    uint64_t w[2];
    static const char *const bad[] = {"0x1.00000004p0", "0x1.0p128", "0x1.0p-150",
                                      "NaN:0x400000",   "sNaN:0x0",  "1.5",
                                      "0x1.1.1",        "0x.p1",     "0x1.8p-149"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_non_null(clif_parse_float((ClifStr){bad[k], (uint32_t)strlen(bad[k])}, 32, w));
}

static void comments_know_what_they_follow(void **st) {
    (void)st;
    static const char text[] =
        "test cat ; not a comment\n; top\nfunction %f() {; after the brace\n ss0 = explicit_slot 4 "
        "; slot\n"
        "; own line\nblock0: ; block\n v0 = iconst.i8 1 ; first\n ; still first\n v1 -> v0 ; lost\n"
        " return ; last\n}\n; end\n";
    static const struct {
        uint32_t kind, index, line;
        const char *text;
    } want[] = {
        {CLIF_ENTITY_FUNCTION, 0, 3, "; after the brace"},
        {CLIF_ENTITY_STACK_SLOT, 0, 4, "; slot"},
        {CLIF_ENTITY_STACK_SLOT, 0, 5, "; own line"},
        {CLIF_ENTITY_BLOCK, 0, 6, "; block"},
        {CLIF_ENTITY_INST, 0, 7, "; first"},
        {CLIF_ENTITY_INST, 0, 8, "; still first"},
        {CLIF_ENTITY_INST, 1, 10, "; last"},
        {CLIF_ENTITY_FUNCTION, 0, 12, "; end"},
    };
    Diag d;
    diag_clear(&d);
    ClifFunc f;
    clif_func_init(&f, &mem);
    ClifReader *r = clif_reader_new(&mem, text, sizeof text - 1, &d);
    uint32_t n;
    const ClifHeaderLine *h = clif_reader_header(r, &n);
    assert_int_equal(n, 1);
    assert_int_equal(h->kind, CLIF_HEADER_TEST);
    assert_true(clif_str_is(h->text, "cat ; not a comment"));
    assert_int_equal(clif_reader_comments(r)->n, 1);
    ClifDetails det = {0};
    assert_true(clif_reader_next(r, &f, &det));
    assert_int_equal(det.line, 3);
    assert_int_equal(det.inst_line.p[1], 10);
    assert_int_equal(det.block_line.p[0], 6);
    assert_int_equal(det.comments.n, sizeof want / sizeof *want);
    for (uint32_t k = 0; k < det.comments.n; k++) {
        assert_int_equal(det.comments.p[k].entity.kind, want[k].kind);
        assert_int_equal(det.comments.p[k].entity.index, want[k].index);
        assert_int_equal(det.comments.p[k].line, want[k].line);
        assert_true(clif_str_is(det.comments.p[k].text, want[k].text));
    }
    assert_false(clif_reader_next(r, &f, &det));
    assert_int_equal(d.kind, DIAG_NONE);
    clif_details_free(&det, &mem);
    clif_reader_free(r);
    clif_func_free(&f);
}

static void run_commands(void **st) {
    (void)st;
    ClifFunc f;
    clif_func_init(&f, &mem);
    ClifAbiParam ps[] = {{.type = CLIF_I128}, {.type = CLIF_I16X4}},
                 rs[] = {{.type = CLIF_F32}, {.type = CLIF_I8}};
    clif_set_sig(&f, CLIF_CC_FAST, ps, 2, rs, 2);
    ClifComment c = {.line = 9, .text = {NULL, 0}};
    ClifRunCommand rc;
    Diag d;
    diag_clear(&d);
    static const char run[] = ";; run: %f(-1, [1 2 3 -4]) != [0x1.8p1, -128]";
    c.text = (ClifStr){run, sizeof run - 1};
    assert_true(clif_parse_run_command(&mem, &f, &c, &rc, &d));
    assert_true(rc.negate && !rc.print && clif_str_is(rc.func, "f") && rc.args.n == 2 &&
                rc.results.n == 2);
    StrBuf sb;
    sb_init(&sb, &mem);
    for (uint32_t k = 0; k < 2; k++) {
        clif_print_const_value(&sb, &rc.args.p[k]);
        sb_putc(&sb, ' ');
        clif_print_const_value(&sb, &rc.results.p[k]);
        sb_putc(&sb, ' ');
    }
    assert_string_equal(sb_cstr(&sb),
                        "0xffffffffffffffffffffffffffffffff 0x1.800000p1 0xfffc000300020001 -128 ");
    sb_free(&sb);
    clif_run_command_free(&rc, &mem);
    static const char bad[] = "; run: %f(1) == [0.0, 1]";
    c.text = (ClifStr){bad, sizeof bad - 1};
    assert_false(clif_parse_run_command(&mem, &f, &c, &rc, &d));
    assert_int_equal(d.a, 9);
    assert_int_equal(d.b, 12);
    clif_run_command_free(&rc, &mem);
    diag_clear(&d);
    static const char none[] = "; running late";
    c.text = (ClifStr){none, sizeof none - 1};
    assert_false(clif_parse_run_command(&mem, &f, &c, &rc, &d));
    assert_int_equal(d.kind, DIAG_NONE);
    clif_func_free(&f);
}

static void reading_again_allocates_nothing(void **st) {
    (void)st;
    static const char text[] =
        "function %f(i32) -> i32 {\n sig0 = (i32) -> i32\n fn0 = %f sig0\nblock0(v0: i32):\n v1 = "
        "call "
        "fn0(v0)\n brif v1, block1(v1), block1(v0)\nblock1(v2: i32):\n return v2\n}\n";
    StrBuf sb;
    sb_init(&sb, &mem);
    for (int k = 0; k < 50; k++) sb_puts(&sb, text);
    Diag d;
    diag_clear(&d);
    ClifFunc f;
    clif_func_init(&f, &mem);
    ClifReader *r = clif_reader_new(&mem, sb.p, sb.n, &d);
    ClifDetails det = {0};
    for (int k = 0; k < 3; k++) assert_true(clif_reader_next(r, &f, &det));
    uint64_t allocs = mem.allocs;
    int n = 3;
    while (clif_reader_next(r, &f, &det)) n++;
    assert_int_equal(n, 50);
    assert_int_equal(mem.allocs, allocs);
    clif_details_free(&det, &mem);
    clif_reader_free(r);
    clif_func_free(&f);
    sb_free(&sb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_prints_as_it_was_read, setup, teardown),
        cmocka_unit_test_setup_teardown(skipped_numbers_are_filled, setup, teardown),
        cmocka_unit_test_setup_teardown(wide_constants_are_read_as_printed, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_have_places, setup, teardown),
        cmocka_unit_test_setup_teardown(invalid_functions_keep_their_types, setup, teardown),
        cmocka_unit_test_setup_teardown(integers_have_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(floats_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(comments_know_what_they_follow, setup, teardown),
        cmocka_unit_test_setup_teardown(run_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_again_allocates_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
