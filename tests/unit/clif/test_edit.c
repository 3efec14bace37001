/* Changing functions that are there, shown by their text. */
#include "clif/text.h"
#include "cm.h"

typedef struct Edit {
    Mem m;
    ClifFunc f;
} Edit;

static void read_func(Edit *e, const char *text) {
    mem_init(&e->m, NULL);
    clif_func_init(&e->f, &e->m);
    Diag d = {0};
    ClifReader *r = clif_reader_new(&e->m, text, (uint32_t)strlen(text), &d);
    assert_true(clif_reader_next(r, &e->f, NULL));
    clif_reader_free(r);
}

static void expect_and_free(Edit *e, const char *want) {
    StrBuf sb;
    sb_init(&sb, &e->m);
    clif_print_func(&e->f, &sb);
    assert_string_equal(sb_cstr(&sb), want);
    sb_free(&sb);
    clif_func_free(&e->f);
    assert_int_equal(e->m.live, 0);
}

static ClifInst nth(const ClifFunc *f, uint32_t n) {
    CLIF_FOR_BLOCKS(f, b) {
        CLIF_FOR_INSTS(f, b, i) {
            if (!n--) return (ClifInst){i};
        }
    }
    fail();
    return (ClifInst){0};
}

static const char *const two_blocks = "function u0:0(i32, i64 vmctx) -> i32 fast {\n"
                                      "block0(v0: i32, v1: i64):\n"
                                      "    v2 = iadd v0, v0\n"
                                      "    v3 = isub v2, v0\n"
                                      "    brif v3, block1(v3), block1(v2)\n"
                                      "\n"
                                      "block1(v4: i32):\n"
                                      "    return v4\n"
                                      "}\n";

static void a_block_is_split(void **st) {
    (void)st;
    Edit e;
    read_func(&e, two_blocks);
    ClifBlock b = clif_make_block(&e.f);
    clif_split_block(&e.f, b, nth(&e.f, 1));
    ClifInst j = clif_make_inst(
        &e.f, (ClifInstData){.op = CLIF_OP_JUMP, .a = clif_make_blockcall(&e.f, b, NULL, 0)});
    clif_append_inst(&e.f, j, (ClifBlock){0});
    assert_int_equal(e.f.links.p[nth(&e.f, 2).i].block, b.i);
    assert_int_equal(e.f.links.p[nth(&e.f, 3).i].block, b.i);
    /* all of a block, which is the last one */
    ClifBlock c = clif_make_block(&e.f);
    clif_split_block(&e.f, c, nth(&e.f, 4));
    assert_int_equal(e.f.blocks.p[1].first, CLIF_NONE);
    assert_int_equal(e.f.blocks.p[1].last, CLIF_NONE);
    assert_int_equal(e.f.last_block, c.i);
    expect_and_free(&e, "function u0:0(i32, i64 vmctx) -> i32 fast {\n"
                        "block0(v0: i32, v1: i64):\n"
                        "    v2 = iadd v0, v0\n"
                        "    jump block2\n"
                        "\n"
                        "block2:\n"
                        "    v3 = isub.i32 v2, v0\n"
                        "    brif v3, block1(v3), block1(v2)\n"
                        "\n"
                        "block1(v4: i32):\n"
                        "\n"
                        "block3:\n"
                        "    return v4\n"
                        "}\n");
}

static void copies_share_no_list(void **st) {
    (void)st;
    Edit e;
    read_func(&e, two_blocks);
    ClifBlock b = clif_make_block(&e.f);
    clif_append_block(&e.f, b);
    for (uint32_t k = 1; k < 3; k++) clif_append_inst(&e.f, clif_clone_inst(&e.f, nth(&e.f, k)), b);
    clif_retarget_branch(&e.f, nth(&e.f, 2), (ClifBlock){1}, b);
    expect_and_free(&e, "function u0:0(i32, i64 vmctx) -> i32 fast {\n"
                        "block0(v0: i32, v1: i64):\n"
                        "    v2 = iadd v0, v0\n"
                        "    v3 = isub v2, v0\n"
                        "    brif v3, block2(v3), block2(v2)\n"
                        "\n"
                        "block1(v4: i32):\n"
                        "    return v4\n"
                        "\n"
                        "block2:\n"
                        "    v5 = isub.i32 v2, v0\n"
                        "    brif.i32 v3, block1(v3), block1(v2)\n"
                        "}\n");
}

static void results_outlive_their_instruction(void **st) {
    (void)st;
    Edit e;
    read_func(&e, "function u0:0(i32) -> i32 fast {\n"
                  "    sig0 = (i32) -> i32 fast\n"
                  "    fn0 = %a sig0\n"
                  "\n"
                  "block0(v0: i32):\n"
                  "    v1 = call fn0(v0)\n"
                  "    v2, v3 = uadd_overflow v0, v1\n"
                  "    v4, v5 = uadd_overflow v0, v1\n"
                  "    v6 = iadd v4, v1\n"
                  "    v7 = iadd v6, v4\n"
                  "    return v7\n"
                  "}\n");
    ClifFunc *f = &e.f;
    ClifInst call = nth(f, 0), first = nth(f, 1), second = nth(f, 2), add = nth(f, 3);
    ClifInstData was_call = *clif_data(f, call);
    clif_replace_inst(f, call,
                      (ClifInstData){.op = CLIF_OP_IADD, .type = CLIF_I32, .a = 0, .b = 0});
    was_call.a = list_new(f->mem, &f->lists, (uint32_t[]){1}, 1);
    clif_replace_inst(f, add, was_call);
    clif_replace_with_aliases(f, second, first);
    assert_false(clif_value_is_attached(f, (ClifValue){4}));
    assert_true(clif_value_is_attached(f, (ClifValue){3}));
    assert_true(clif_value_is_attached(f, (ClifValue){0}));
    clif_remove_inst(f, second);
    clif_resolve_all_aliases(f);
    ClifInst fresh = clif_make_inst(f, (ClifInstData){.op = CLIF_OP_NOP});
    clif_insert_inst_before(f, fresh, nth(f, 3));
    clif_replace_inst(f, fresh, (ClifInstData){.op = CLIF_OP_INEG, .type = CLIF_I32, .a = 0});
    assert_int_equal(clif_result(f, fresh, 0).i, 8);
    clif_clear_results(f, first);
    assert_false(clif_value_is_attached(f, (ClifValue){3}));
    clif_replace_inst(f, first, *clif_data(f, first));
    assert_int_equal(clif_result(f, first, 1).i, 10);
    expect_and_free(&e, "function u0:0(i32) -> i32 fast {\n"
                        "    sig0 = (i32) -> i32 fast\n"
                        "    fn0 = %a sig0\n"
                        "\n"
                        "block0(v0: i32):\n"
                        "    v1 = iadd v0, v0\n"
                        "    v9, v10 = uadd_overflow v0, v1\n"
                        "    v6 = call fn0(v1)\n"
                        "    v8 = ineg v0\n"
                        "    v7 = iadd v6, v2\n"
                        "    return v7\n"
                        "}\n");
}

static void parameters_are_replaced_and_found(void **st) {
    (void)st;
    Edit e;
    read_func(&e, two_blocks);
    assert_int_equal(clif_special_param(&e.f, CLIF_ARG_VMCTX).i, 1);
    assert_int_equal(clif_special_param(&e.f, CLIF_ARG_STRUCT_RETURN).i, CLIF_NONE);
    ClifValue v = clif_replace_block_param(&e.f, (ClifValue){4}, CLIF_I64);
    assert_false(clif_value_is_attached(&e.f, (ClifValue){4}));
    assert_true(clif_value_is_attached(&e.f, v));
    assert_int_equal(clif_value_type(&e.f, v), CLIF_I64);
    clif_func_free(&e.f);
    assert_int_equal(e.m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_split),
        cmocka_unit_test(copies_share_no_list),
        cmocka_unit_test(results_outlive_their_instruction),
        cmocka_unit_test(parameters_are_replaced_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
