/* Big functions cost in proportion and do not recurse; small inputs cannot ask for much; nothing allocates after
 * warm-up; layout and adapters. */
#include "wb.h"

static void put(Wb *w, VecU8 *v, const uint8_t *p, size_t n) {
    memcpy(vec_extend(&w->mem, v, n), p, n);
}
#define PUT(...) put(&w, &b, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void many_nested_blocks(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    VecU8 b = {0};
    enum { N = 100000 };
    PUT(0);
    for (int k = 0; k < N; k++) PUT(0x02, 0x40);
    PUT(0x20, 0, 0x0E);
    leb_put_u64(&w.mem, &b, N);
    for (int k = 0; k <= N; k++) leb_put_u64(&w.mem, &b, (uint64_t)(k % N));
    for (int k = 0; k < N; k++) PUT(0x0B);
    PUT(0x0B);
    wb_module(&w, "i", "", b.p, b.n);
    if (!wb_run(&w, true)) fail_msg("%s", w.d.msg);
    assert_int_equal(w.f.blocks.n, N + 1);
    vec_free(&w.mem, &b);
    wb_free(&w);
}

static void many_locals(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    VecU8 b = {0};
    enum { N = 50000 };
    PUT(1);
    leb_put_u64(&w.mem, &b, N);
    PUT(0x7E);
    for (int k = 0; k < N; k++) { /* x[k] = x[k] + x[0], each in its own blocks */
        bool block = true;
        if (block) PUT(0x02, 0x40, 0x41, 0, 0x0D, 0);
        PUT(0x20);
        leb_put_u64(&w.mem, &b, (uint64_t)k);
        PUT(0x20, 0, 0x7C, 0x21);
        leb_put_u64(&w.mem, &b, (uint64_t)k);
        if (block) PUT(0x0B);
    }
    PUT(0x0B);
    wb_module(&w, "", "", b.p, b.n);
    if (!wb_run(&w, true)) fail_msg("%s", w.d.msg);
    assert_true(w.f.insts.n < 10 * N);
    vec_free(&w.mem, &b);
    wb_free(&w);
}

static void no_allocation_after_warm_up(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    VecU8 b = {0};
    PUT(1, 3, 0x7F);
    for (int k = 0; k < 1000; k++)
        PUT(0x03, 0x40, 0x20, 0, 0x28, 2, 0, 0x22, 1, 0x0D, 0, 0x20, 1, 0x41, 1, 0x6A, 0x21, 2,
            0x0B);
    PUT(0x0B);
    wb_module(&w, "i", "", b.p, b.n);
    assert_true(wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d));
    VmLayout lay = wasm_vm_layout(&w.m);
    uint64_t before = 0;
    for (int k = 0; k < 3; k++) {
        if (k == 1) before = w.mem.allocs;
        assert_true(wasm_translate_func(w.t, &w.m, 0, &w.tn, &lay, &w.f, &w.d));
        assert_int_equal(wasm_translator_operators(w.t), 1000 * 10 + 1);
    }
    assert_int_equal(w.mem.allocs, before);
    wasm_module_free(&w.m);
    vec_free(&w.mem, &b);
    wb_free(&w);
}

static void claims_take_no_memory(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    w.mem.limit = w.mem.live + (1 << 20);
    for (uint8_t id = 1; id < 12;
         id++) { /* a section that claims 2^20-1 or 2^32-1 entries and has none */
        for (int big = 0; big < 2; big++) {
            if (id == 8) continue;
            wb_start(&w);
            if (big)
                WB(&w, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F);
            else
                WB(&w, 0xFF, 0xFF, 0x3F);
            wb_end(&w, id);
            assert_false(wb_run(&w, true));
            assert_true(w.d.kind == DIAG_MALFORMED || w.d.kind == DIAG_LIMIT);
        }
    }
    WB_FUNC(&w, "", "", 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x7F, 0x0B); /* 2^32-1 locals */
    assert_false(wb_run(&w, true));
    assert_int_equal(w.d.kind, DIAG_LIMIT);
    assert_int_equal(w.d.func, 0);
    WB_FUNC(&w, "i", "", 0, 0x20, 0, 0x0E, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0,
            0x0B); /* 2^32-1 targets */
    assert_false(wb_run(&w, true));
    assert_int_equal(w.d.kind, DIAG_MALFORMED);
    wb_free(&w);
}

static void a_module_of_more_than_a_gigabyte_is_refused(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    assert_false(wasm_module_parse(&w.m, &w.mem, w.out.p, (size_t)WASM_MAX_MODULE_BYTES + 1, &w.ft,
                                   &w.d)); /* nothing of it is read */
    assert_int_equal(w.d.kind, DIAG_LIMIT);
    assert_int_equal(w.d.pos_kind, DIAG_POS_OFFSET);
    assert_non_null(strstr(w.d.msg, "1073741824"));
    wasm_module_free(&w.m);
    wb_free(&w);
}

static void bad_names_are_ignored(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    WB_FUNC(&w, "", "", 0, 0x0B);
    WB(&w, 4, 'n', 'a', 'm', 'e', 1, 9, 3, 0, 2, 'o', 'k', 0x80, 0x80, 0x80, 0x7F, 0xFF, 0xFF);
    wb_end(&w, 0);
    assert_true(wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d));
    assert_int_equal(w.m.func_names.n, 1);
    assert_memory_equal(w.m.func_names.p[0].p, "ok", 2);
    wasm_module_free(&w.m);
    wb_free(&w);
}

static void adapters_verify(void **s) {
    (void)s;
    Wb w;
    wb_init(&w);
    WB_FUNC(&w, "iIfF", "Ffi", 0, 0x00, 0x0B);
    assert_true(wasm_module_parse(&w.m, &w.mem, w.out.p, w.out.n, &w.ft, &w.d));
    VmLayout lay = wasm_vm_layout(&w.m);
    assert_true(lay.sig_ids == VM_OFF_FIRST && lay.memories % 8 == 0 && lay.size % 16 == 0 &&
                lay.funcrefs <= lay.size);
    ClifBuilder b;
    clif_builder_init(&b, &w.mem);
    VerifyCtx vc;
    verify_ctx_init(&vc, &w.mem, CLIF_I64);
    wasm_make_entry_adapter(&b, &w.f, &w.m, 0, &w.tn);
    assert_true(clif_verify(&vc, &w.f, &w.d));
    clif_print_func(&w.f, &w.text);
    assert_non_null(strstr(sb_cstr(&w.text), "load.f64 notrap aligned v2+48"));
    wasm_make_host_adapter(&b, &w.f, &w.m, 0, &w.tn);
    assert_true(clif_verify(&vc, &w.f, &w.d));
    sb_clear(&w.text);
    clif_print_func(&w.f, &w.text);
    assert_non_null(strstr(sb_cstr(&w.text), "explicit_slot 64"));
    verify_ctx_free(&vc);
    clif_builder_free(&b);
    wasm_module_free(&w.m);
    wb_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_nested_blocks),
        cmocka_unit_test(many_locals),
        cmocka_unit_test(no_allocation_after_warm_up),
        cmocka_unit_test(claims_take_no_memory),
        cmocka_unit_test(a_module_of_more_than_a_gigabyte_is_refused),
        cmocka_unit_test(bad_names_are_ignored),
        cmocka_unit_test(adapters_verify)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
