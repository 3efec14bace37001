/* The text of functions, and the tables behind it. */
#include "clif/builder.h"
#include "clif/opspec.h"
#include "cm.h"

static void expect(const ClifFunc *f, const char *want) {
    StrBuf sb;
    sb_init(&sb, f->mem);
    clif_print_func(f, &sb);
    assert_string_equal(sb_cstr(&sb), want);
    sb_free(&sb);
}

static void empty_functions_and_slots(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    ClifFunc f;
    clif_func_init(&f, &m);
    expect(&f, "function u0:0() fast {\n}\n");
    f.name = clif_testcase_name(&f, "foo", 3);
    clif_make_stack_slot(&f, 4, 2);
    ClifBlock b = clif_make_block(&f);
    clif_append_block(&f, b);
    clif_append_block_param(&f, b, CLIF_I8);
    clif_append_block_param(&f, b, CLIF_F32X4);
    f.blocks.p[b.i].flags |= CLIF_BLOCK_COLD;
    expect(&f, "function %foo() fast {\n    ss0 = explicit_slot 4, align = 4\n\nblock0(v0: i8, v1: "
               "f32x4) cold:\n}\n");
    clif_func_free(&f);
    assert_int_equal(m.live, 0);
}

static void a_whole_function(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    ClifFunc f;
    clif_func_init(&f, &m);
    ClifBuilder cb, *b = &cb;
    clif_builder_init(b, &m);
    ClifAbiParam ps[] = {{.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX},
                         {.type = CLIF_I32, .ext = CLIF_EXT_UEXT}};
    ClifAbiParam rs[] = {{.type = CLIF_I32}};
    clif_set_sig(&f, CLIF_CC_SYSTEM_V, ps, 2, rs, 1);
    ClifSigRef sig = clif_import_sig(&f, CLIF_CC_FAST, ps, 2, rs, 1);
    ClifFuncRef fn = clif_import_func(
        &f, (ClifExtFunc){.name = clif_user_name(1, 2), .sig = sig, .colocated = 1});
    clif_make_gv(&f, (ClifGlobalValueData){.kind = CLIF_GV_VMCTX, .type = CLIF_I64});
    uint16_t trusted =
        clif_intern_memflags(&f, (ClifMemFlags){.bits = CLIF_MEM_ALIGNED, .region = CLIF_NONE});
    uint16_t plain = clif_intern_memflags(
        &f, (ClifMemFlags){.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = CLIF_NONE});
    assert_int_equal(plain,
                     clif_intern_memflags(&f, (ClifMemFlags){.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS,
                                                             .region = CLIF_NONE}));
    clif_builder_begin(b, &f);
    ClifBlock b0 = cb_create_block(b), b1 = cb_create_block(b), b2 = cb_create_block(b);
    cb_entry_params(b, b0);
    cb_seal(b, b0);
    cb_switch_to(b, b0);
    cb_set_srcloc(b, 0x12);
    ClifValue v0 = {0}, v1 = {1};
    ClifValue x = cb_load(b, CLIF_OP_LOAD, CLIF_I32, trusted, v0, 8);
    ClifValue c = cb_iconst(b, CLIF_I32, -1);
    cb_store(b, CLIF_OP_STORE, plain, c, v0, -20000);
    ClifValue one[] = {x};
    cb_brif(b, v1, b1, one, 1, b2, NULL, 0);
    ClifValue p = cb_block_param(b, b1, CLIF_I32);
    cb_set_srcloc(b, CLIF_NONE);
    cb_switch_to(b, b1);
    ClifValue args[] = {v0, p};
    ClifInst call = cb_call(b, fn, args, 2);
    ClifValue r[] = {clif_result(&f, call, 0)};
    cb_return(b, r, 1);
    cb_switch_to(b, b2);
    ListRef calls[] = {clif_make_blockcall(&f, b1, one, 1), clif_make_blockcall(&f, b1, &c, 1),
                       clif_make_blockcall(&f, b1, one, 1)};
    cb_binary(b, CLIF_OP_IADD, x, x);
    cb_icmp(b, CLIF_ULT, x, c);
    cb_f64const(b, 0x4000000000000000u);
    cb_br_table(b, x, clif_make_jump_table(&f, calls, 3));
    cb_seal_all(b);
    clif_builder_end(b);
    expect(&f, "function u0:0(i64 vmctx, i32 uext) -> i32 system_v {\n"
               "    gv0 = vmctx\n"
               "    sig0 = (i64 vmctx, i32 uext) -> i32 fast\n"
               "    fn0 = colocated u1:2 sig0\n"
               "\n"
               "                                block0(v0: i64, v1: i32):\n"
               "@0012                               v2 = load.i32 notrap aligned v0+8\n"
               "@0012                               v3 = iconst.i32 -1\n"
               "@0012                               store v3, v0-0x4e20  ; v3 = -1\n"
               "@0012                               brif v1, block1(v2), block2\n"
               "\n"
               "                                block1(v4: i32):\n"
               "                                    v5 = call fn0(v0, v4)\n"
               "                                    return v5\n"
               "\n"
               "                                block2:\n"
               "                                    v6 = iadd.i32 v2, v2\n"
               "                                    v7 = icmp.i32 ult v2, v3  ; v3 = -1\n"
               "                                    v8 = f64const 0x1.0000000000000p1\n"
               "                                    br_table v2, block1(v2), [block1(v3), "
               "block1(v2)]  ; v3 = -1\n"
               "}\n");
    clif_builder_free(b);
    clif_func_free(&f);
}

static void aliases_follow_their_target(void **st) {
    (void)st;
    Mem m;
    mem_init(&m, NULL);
    ClifFunc f;
    clif_func_init(&f, &m);
    ClifBlock b = clif_make_block(&f);
    clif_append_block(&f, b);
    ClifValue v0 = clif_make_detached_param(&f, b, CLIF_I32),
              v1 = clif_append_block_param(&f, b, CLIF_I32);
    clif_change_to_alias(&f, v0, v1);
    expect(&f, "function u0:0() fast {\nblock0(v1: i32):\n    v0 -> v1\n}\n");
    clif_func_free(&f);
}

/* Each row of opcodes.def against the inference rule: the controlling argument named by the format is used
 * whenever it is free or fixed and every other type follows from it; else the first result decides. */
static void rows_agree_with_the_inference_rule(void **st) {
    (void)st;
    for (unsigned op = 1; op < CLIF_OP_COUNT; op++) {
        const ClifOpInfo *info = &clif_op_info[op];
        const ClifOpSpec *s = &clif_op_spec[op];
        unsigned fmt = info->format, nvals = 0, from_ctrl = 0, free_sets = 0;
        for (unsigned k = 0; k < s->nargs; k++) {
            assert_non_null(s->args[k].name);
            if (s->args[k].kind != CLIF_OPK_VALUE) continue;
            nvals++;
            from_ctrl += s->args[k].type.cls < CLIF_TC_SET;
            free_sets += s->args[k].type.cls == CLIF_TC_SET || s->args[k].type.cls == CLIF_TC_LIKE;
        }
        if (!info->has_list) assert_int_equal(nvals, info->nvalues);
        assert_string_equal(
            clif_op_info[clif_op_parse(info->name, (unsigned)strlen(info->name))].name, info->name);
        assert_true(strlen(info->doc) > 5);
        if (s->ctrl_mode == CLIF_CTRL_BY_ARG) {
            assert_int_equal(s->ctrl_arg, clif_format_info[fmt].ctrl_arg);
            assert_int_equal(info->ctrl_operand, s->ctrl_arg);
        }
        if (s->ctrl_mode == CLIF_CTRL_BY_RESULT) {
            assert_int_equal(s->result_types[0].cls, CLIF_TC_CTRL);
            assert_true(info->explicit_ctrl);
        }
        if (s->ctrl_mode == CLIF_CTRL_MONO) assert_int_equal(from_ctrl + free_sets, 0);
        if (info->result_rule == CLIF_RES_CTRL)
            assert_int_equal(s->result_types[0].cls, CLIF_TC_CTRL);
        /* a type set of every controlling type has at least one type, and its results exist */
        if (s->ctrl_mode == CLIF_CTRL_MONO) continue;
        bool some = false;
        for (unsigned t = 0; t < 256; t++)
            some |= clif_typeset_has((ClifTypeSet)s->ctrl_set, (ClifType)t);
        assert_true(some);
    }
}

static void type_names_round_trip(void **st) {
    (void)st;
    unsigned n = 0;
    for (unsigned t = 0; t < 256; t++) {
        char buf[16];
        if (!clif_lane_type((ClifType)t) || clif_lane_type((ClifType)t) > CLIF_F128) continue;
        clif_type_name((ClifType)t, buf);
        assert_int_equal(clif_type_parse(buf, (unsigned)strlen(buf)), t);
        n++;
    }
    assert_int_equal(n, 9 * 16);
    assert_int_equal(clif_type_parse("i32x3", 5), CLIF_INVALID);
    assert_int_equal(clif_type_parse("i33", 3), CLIF_INVALID);
    assert_int_equal(clif_type_parse("i32x4xN", 7), 0xA3);
    for (unsigned t = 1; t < 256; t++) {
        char buf[16];
        const char *s = clif_trap_name((ClifTrap)t, buf);
        assert_int_equal(clif_trap_parse(s, (unsigned)strlen(s)), t);
    }
}

static void conditions_invert_and_swap(void **st) {
    (void)st;
    for (int c = CLIF_EQ; c <= CLIF_ULE; c++) {
        assert_int_equal(clif_intcc_inverse(clif_intcc_inverse((ClifIntCC)c)), c);
        assert_int_equal(clif_intcc_swap(clif_intcc_swap((ClifIntCC)c)), c);
    }
    for (int c = CLIF_FORD; c <= CLIF_FUGE; c++) {
        assert_int_equal(clif_floatcc_inverse(clif_floatcc_inverse((ClifFloatCC)c)), c);
        assert_int_equal(clif_floatcc_swap(clif_floatcc_swap((ClifFloatCC)c)), c);
    }
    assert_int_equal(clif_intcc_inverse(CLIF_SLT), CLIF_SGE);
    assert_int_equal(clif_floatcc_inverse(CLIF_FLT), CLIF_FUGE);
    assert_int_equal(clif_floatcc_swap(CLIF_FLE), CLIF_FGE);
}

static void expect_const(ClifInstData d, ClifType t, const char *want) {
    Mem m;
    mem_init(&m, NULL);
    ClifFunc f;
    clif_func_init(&f, &m);
    StrBuf sb;
    sb_init(&sb, &m);
    ClifInst i = clif_make_inst(&f, d);
    clif_make_result(&f, i, t);
    clif_print_inst(&f, i, &sb);
    assert_string_equal(sb_cstr(&sb), want);
    sb_free(&sb);
    clif_func_free(&f);
}
static void expect_f32(uint32_t bits, const char *want) {
    expect_const((ClifInstData){.op = CLIF_OP_F32CONST, .b = bits}, CLIF_F32, want);
}
static void expect_int(ClifType t, uint64_t x, const char *want) {
    ClifInstData d = {.op = CLIF_OP_ICONST, .type = t, .b = (uint32_t)x, .c = (uint32_t)(x >> 32)};
    expect_const(d, t, want);
}

static void numbers_are_exact(void **st) {
    (void)st;
    expect_f32(0x00000000, "v0 = f32const 0.0");
    expect_f32(0x80000000, "v0 = f32const -0.0");
    expect_f32(0x3F800000, "v0 = f32const 0x1.000000p0");
    expect_f32(0x3FC00000, "v0 = f32const 0x1.800000p0");
    expect_f32(0x00000001, "v0 = f32const 0x0.000002p-126");
    expect_f32(0x7F7FFFFF, "v0 = f32const 0x1.fffffep127");
    expect_f32(0x7F800000, "v0 = f32const +Inf");
    expect_f32(0xFF800000, "v0 = f32const -Inf");
    expect_f32(0x7FC00000, "v0 = f32const +NaN");
    expect_f32(0xFFC00001, "v0 = f32const -NaN:0x1");
    expect_f32(0x7F800001, "v0 = f32const +sNaN:0x1");
    expect_const((ClifInstData){.op = CLIF_OP_F16CONST, .b = 0x3C00}, CLIF_F16,
                 "v0 = f16const 0x1.000p0");
    expect_int(CLIF_I32, 9999, "v0 = iconst.i32 9999");
    expect_int(CLIF_I32, 10000, "v0 = iconst.i32 0x2710");
    expect_int(CLIF_I64, 0x1234567890, "v0 = iconst.i64 0x0012_3456_7890");
    expect_int(CLIF_I8, 0xFF, "v0 = iconst.i8 -1");
    expect_int(CLIF_I64, UINT64_MAX, "v0 = iconst.i64 -1");
    expect_int(CLIF_I64, (uint64_t)1 << 63, "v0 = iconst.i64 -9223372036854775808");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_functions_and_slots),
        cmocka_unit_test(a_whole_function),
        cmocka_unit_test(aliases_follow_their_target),
        cmocka_unit_test(rows_agree_with_the_inference_rule),
        cmocka_unit_test(type_names_round_trip),
        cmocka_unit_test(conditions_invert_and_swap),
        cmocka_unit_test(numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
