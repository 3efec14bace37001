/* Control flow, calls, memory, traps and limits of the interpreter; what it needs of functions comes as text. */
#include "clif/text.h"
#include "cm.h"
#include "interp/interp.h"

typedef struct Fix {
    Mem m;
    ClifFunc f[8];
    uint32_t n;
    Interp it;
    Diag d;
} Fix;

static void open_fix(Fix *x, const char *text) {
    memset(x, 0, sizeof *x);
    mem_init(&x->m, NULL);
    interp_init(&x->it, &x->m);
    diag_clear(&x->d);
    ClifReader *r = clif_reader_new(&x->m, text, (uint32_t)strlen(text), &x->d);
    for (;; x->n++) {
        clif_func_init(&x->f[x->n], &x->m);
        if (!clif_reader_next(r, &x->f[x->n], NULL)) break;
    }
    if (x->d.kind != DIAG_NONE) fail_msg("%s", x->d.msg);
    clif_reader_free(r);
    for (uint32_t k = 0; k < x->n; k++) interp_add(&x->it, &x->f[k]);
}
static void close_fix(Fix *x) {
    for (uint32_t k = 0; k <= x->n; k++) clif_func_free(&x->f[k]);
    interp_free(&x->it);
    assert_int_equal(x->m.live, 0);
}
static InterpStatus call(Fix *x, int64_t a, int64_t b, uint32_t n, uint64_t *out) {
    SemValue in[2] = {sem_int(CLIF_I64, (SemU128)(uint64_t)a),
                      sem_int(CLIF_I64, (SemU128)(uint64_t)b)};
    SemValues r = {0};
    diag_clear(&x->d);
    InterpStatus st = interp_call(&x->it, 0, in, n, &r, &x->d);
    if (st == INTERP_OK && r.n) *out = r.p[0].w[0];
    vec_free(&x->m, &r);
    return st;
}

static void loops_pass_parameters_at_once(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %fib(i64) -> i64 {\nblock0(v0: i64):\n v1 = iconst.i64 0\n v2 = "
                 "iconst.i64 1\n jump block1(v0, v1, v2)\n"
                 "block1(v3: i64, v4: i64, v5: i64):\n v6 = iadd v4, v5\n v7 = isub v3, v2\n brif "
                 "v3, block1(v7, v5, v6), block2(v4)\n"
                 "block2(v9: i64):\n return v9\n}\n");
    assert_int_equal(call(&x, 50, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 12586269025);
    close_fix(&x);
}

static void deep_calls_use_no_host_stack(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %sum(i64) -> i64 {\n fn0 = %sum(i64) -> i64\nblock0(v0: i64):\n brif "
                 "v0, block1, block2\nblock1:\n v1 = iconst.i64 "
                 "-1\n v2 = iadd v0, v1\n v3 = call fn0(v2)\n v4 = iadd v0, v3\n return "
                 "v4\nblock2:\n return v0\n}\n");
    assert_int_equal(call(&x, 90000, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 90000u * 90001ull / 2);
    assert_int_equal(call(&x, 200000, 0, 1, &r), INTERP_LIMIT);
    assert_int_equal(call(&x, 10, 0, 1, &r), INTERP_OK);
    close_fix(&x);
    open_fix(&x, "function %f(i64, i64) -> i64 tail {\n fn0 = %f(i64, i64) -> i64 tail\nblock0(v0: "
                 "i64, v1: i64):\n brif v0, block1, "
                 "block2\nblock1:\n v2 = iconst.i64 -1\n v3 = iadd v0, v2\n v4 = iadd v1, v0\n "
                 "return_call fn0(v3, v4)\nblock2:\n return v1\n}\n");
    assert_int_equal(call(&x, 300000, 0, 2, &r), INTERP_OK);
    assert_int_equal(r, 300000u * 300001ull / 2);
    close_fix(&x);
}

static void memory_is_checked(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %m(i64) -> i64 {\n ss0 = explicit_slot 16\nblock0(v0: i64):\n v1 = "
                 "stack_addr.i64 ss0\n v2 = iconst.i64 "
                 "0x0102030405060708\n store v2, v1\n v3 = iadd v1, v0\n v4 = load.i64 user7 v3\n "
                 "v5 = load.i32 big v1+4\n v6 = uextend.i64 "
                 "v5\n v7 = iadd v4, v6\n return v7\n}\n");
    assert_int_equal(call(&x, 0, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 0x0102030405060708 + 0x04030201);
    assert_int_equal(call(&x, 9, 0, 1, &r), INTERP_TRAP);
    assert_int_equal(x.it.trap, 7);
    assert_int_equal(call(&x, -4096, 0, 1, &r), INTERP_TRAP);
    assert_int_equal(call(&x, INT64_MIN, 0, 1, &r), INTERP_TRAP);
    close_fix(&x);
}

static void calls_go_by_name_and_address(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %a(i64) -> i64 {\n fn0 = u3:4(i64) -> i64\n fn1 = %FloorF64(f64) -> "
                 "f64\nblock0(v0: i64):\n v1 = func_addr.i64 "
                 "fn0\n v2 = call_indirect sig0, v1(v0)\n v3 = f64const 0x1.8p1\n v4 = call "
                 "fn1(v3)\n v5 = fcvt_to_uint.i64 v4\n v6 = iadd v2, "
                 "v5\n return v6\n}\nfunction u3:4(i64) -> i64 {\nblock0(v0: i64):\n v1 = imul v0, "
                 "v0\n return v1\n}\n");
    assert_int_equal(call(&x, 6, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 39);
    /* the same name by reference */
    vec_push(&x.m, &x.f[0].user_names, 3);
    vec_push(&x.m, &x.f[0].user_names, 4);
    x.f[0].funcs.p[0].name = (ClifName){CLIF_NAME_USER_REF, 0, 0};
    assert_int_equal(call(&x, 7, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 52);
    close_fix(&x);
    open_fix(&x, "function %a(i64) -> i64 {\n sig0 = (i64) -> i64\nblock0(v0: i64):\n v1 = "
                 "call_indirect sig0, v0(v0)\n return v1\n}\n");
    assert_int_equal(call(&x, 12345, 0, 1, &r), INTERP_TRAP);
    close_fix(&x);
    open_fix(&x, "function %a(i64) -> i64 {\n fn0 = %missing(i64) -> i64\nblock0(v0: i64):\n v1 = "
                 "call fn0(v0)\n return v1\n}\n");
    assert_int_equal(call(&x, 1, 0, 1, &r), INTERP_UNSUPPORTED);
    close_fix(&x);
}

static void faults_without_a_code_are_told(void **st) {
    (void)st;
    static const struct {
        const char *text, *what;
        InterpStatus st;
    } cases[] = {
        {"function %d(i64) {\nblock0(v0: i64):\n debugtrap\n return\n}\n",
         "debugtrap at inst0 of function 0", INTERP_FAULT},
        {"function %m(i64) {\n ss0 = explicit_slot 16\nblock0(v0: i64):\n v1 = stack_addr.i64 "
         "ss0+1\n v2 = load.i16 aligned v1\n return\n}\n",
         "misaligned access that is marked aligned at inst1 of function 0", INTERP_FAULT},
        {"function %s(i64) {\n fn0 = %t(i32)\nblock0(v0: i64):\n v1 = ireduce.i32 v0\n call "
         "fn0(v1)\n return\n}\nfunction %t(i64) {\nblock0(v0: i64):\n return\n}\n",
         "call with another signature than the callee's at inst1 of function 0", INTERP_FAULT},
        {"function %o(i64) {\n ss0 = explicit_slot 16\nblock0(v0: i64):\n v1 = stack_addr.i64 "
         "ss0+16\n return\n}\n",
         "", INTERP_TRAP},
        {"function %a(i64) {\n ss0 = explicit_slot 8\n ss1 = explicit_slot 8, align = 4096\n"
         "block0(v0: i64):\n v1 = stack_addr.i64 ss1\n v2 = iconst.i64 4095\n v3 = band v1, v2\n "
         "trapnz v3, user1\n store aligned v1, v1\n return\n}\n",
         "", INTERP_OK},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Fix x;
        uint64_t r;
        open_fix(&x, cases[k].text);
        assert_int_equal(call(&x, 1, 0, 1, &r), cases[k].st);
        assert_string_equal(x.d.msg, cases[k].what);
        close_fix(&x);
    }
}

static void global_values_follow_their_bases(void **st) {
    (void)st;
    Fix x;
    open_fix(&x,
             "function %g(i64 vmctx) -> i64 {\n gv0 = vmctx\n gv1 = iadd_imm.i64 gv0, 8\n gv2 = "
             "load.i64 notrap aligned gv1+8\n gv3 = iadd_imm.i64 gv2, -3\nblock0(v0: i64):\n v1 = "
             "symbol_value.i64 gv3\n return v1\n}\n"
             "function %h(i64) -> i64 {\n ss0 = explicit_slot 32\n fn0 = %g(i64 vmctx) -> "
             "i64\nblock0(v0: i64):\n v1 = stack_addr.i64 ss0\n store v0, v1+16\n v2 = call "
             "fn0(v1)\n return v2\n}\n");
    SemValue in = sem_int(CLIF_I64, 45);
    SemValues out = {0};
    uint64_t before = 0;
    for (int k = 0; k < 3; k++, out.n = 0) {
        assert_int_equal(interp_call(&x.it, 1, &in, 1, &out, &x.d), INTERP_OK);
        assert_int_equal(out.p[0].w[0], 42);
        if (k) assert_int_equal(x.m.allocs, before);
        before = x.m.allocs;
    }
    out.n = 0;
    assert_int_equal(interp_call(&x.it, 0, &in, 1, &out, &x.d), INTERP_TRAP);
    assert_int_equal(x.it.trap, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
    vec_free(&x.m, &out);
    close_fix(&x);
}

static void symbols_stand_for_places(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %p(i64) -> i64 {\n ss0 = explicit_slot 512\n gv0 = symbol u1:7+8\n gv1 "
                 "= load.i64 notrap aligned "
                 "gv0\nblock0(v0: i64):\n v1 = symbol_value.i64 gv0\n store v0, v1\n v2 = "
                 "symbol_value.i64 gv1\n v3 = isub v1, v2\n return v3\n}\n");
    assert_int_equal(call(&x, 5, 0, 1, &r), INTERP_UNSUPPORTED);
    interp_place(&x.it, clif_user_name(1, 6), 256);
    interp_place(&x.it, clif_user_name(1, 7), 128);
    assert_int_equal(call(&x, 5, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 128 + 8 - 5);
    close_fix(&x);
}

/* The callee's frame lies above its caller's, and the address it returns to is where a call to it is. */
static void frames_have_addresses(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x,
             "function %f(i64) -> i64 {\n ss0 = explicit_slot 48\n fn0 = %g(i64, i64) -> i64\n"
             "block0(v0: i64):\n v1 = get_stack_pointer.i64\n v2 = stack_addr.i64 ss0\n v3 = isub "
             "v2, v1\n trapnz v3, user1\n v4 = get_frame_pointer.i64\n v5 = isub v4, v1\n v6 = "
             "iconst.i64 48\n v7 = isub v5, v6\n trapnz v7, user2\n v8 = get_return_address.i64\n"
             " trapnz v8, user3\n v9 = func_addr.i64 fn0\n v10 = call fn0(v4, v9)\n return v10\n"
             "}\nfunction %g(i64, i64) -> i64 {\n ss0 = explicit_slot 16\nblock0(v0: i64, v1: i64):"
             "\n v2 = get_stack_pointer.i64\n v3 = icmp ult v2, v0\n trapnz v3, user4\n v4 = "
             "get_return_address.i64\n v5 = isub v1, v4\n return v5\n}\n");
    assert_int_equal(call(&x, 5, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 8); /* a function has 16 bytes of addresses */
    close_fix(&x);
}

static void try_calls_return_to_their_target(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %t(i64) -> i64 system_v {\n sig0 = (i64) -> i64, i64 system_v\n fn0 = "
                 "%two sig0\nblock0(v0: i64):\n try_call fn0(v0), "
                 "sig0, block1(ret1, ret0), [ default: block2(exn0) ]\nblock1(v1: i64, v2: i64):\n "
                 "v3 = isub v1, v2\n return v3\nblock2(v4: "
                 "i64):\n return v4\n}\nfunction %two(i64) -> i64, i64 system_v {\nblock0(v0: "
                 "i64):\n v1 = imul v0, v0\n return v0, v1\n}\n");
    assert_int_equal(call(&x, 5, 0, 1, &r), INTERP_OK);
    assert_int_equal(r, 20);
    close_fix(&x);
}

static void loops_end_at_the_limit(void **st) {
    (void)st;
    Fix x;
    uint64_t r;
    open_fix(&x, "function %l() {\nblock0:\n jump block1\nblock1:\n jump block1\n}\n");
    x.it.max_steps = 1000;
    assert_int_equal(call(&x, 0, 0, 0, &r), INTERP_LIMIT);
    close_fix(&x);
    open_fix(&x, "function %t(i64) {\nblock0(v0: i64):\n trapz v0, user9\n trap int_ovf\n}\n");
    assert_int_equal(call(&x, 0, 0, 1, &r), INTERP_TRAP);
    assert_int_equal(x.it.trap, 9);
    assert_int_equal(call(&x, 1, 0, 1, &r), INTERP_TRAP);
    assert_int_equal(x.it.trap, CLIF_TRAP_INTEGER_OVERFLOW);
    assert_int_equal(x.it.trap_inst, 1);
    close_fix(&x);
}

static void running_again_allocates_nothing(void **st) {
    (void)st;
    Fix x;
    open_fix(&x, "function %s(i64) -> i64 {\n ss0 = explicit_slot 64\n fn0 = %s(i64) -> "
                 "i64\nblock0(v0: i64):\n brif v0, block1, block2(v0)\n"
                 "block1:\n v1 = iconst.i64 1\n v2 = isub v0, v1\n v3 = call fn0(v2)\n jump "
                 "block2(v3)\nblock2(v4: i64):\n return v4\n}\n");
    SemValue in = sem_int(CLIF_I64, 20);
    SemValues out = {0};
    interp_call(&x.it, 0, &in, 1, &out, &x.d);
    uint64_t before = x.m.allocs;
    for (int k = 0; k < 5; k++) {
        out.n = 0;
        assert_int_equal(interp_call(&x.it, 0, &in, 1, &out, &x.d), INTERP_OK);
    }
    assert_int_equal(x.m.allocs, before);
    vec_free(&x.m, &out);
    close_fix(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_pass_parameters_at_once),
        cmocka_unit_test(deep_calls_use_no_host_stack),
        cmocka_unit_test(memory_is_checked),
        cmocka_unit_test(calls_go_by_name_and_address),
        cmocka_unit_test(faults_without_a_code_are_told),
        cmocka_unit_test(global_values_follow_their_bases),
        cmocka_unit_test(symbols_stand_for_places),
        cmocka_unit_test(frames_have_addresses),
        cmocka_unit_test(try_calls_return_to_their_target),
        cmocka_unit_test(loops_end_at_the_limit),
        cmocka_unit_test(running_again_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
