/* A function that keeps every rule, and for each rule a change that breaks just this one. */
#include "clif/builder.h"
#include "cm.h"
#include "verify/verify.h"

/* Entities of the sample, by number. */
enum { FN_TAIL, FN_PATCH };

static void make(ClifFunc *f, ClifBuilder *b) {
    clif_func_clear(f);
    ClifAbiParam ps[] = {{.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX}, {.type = CLIF_I32}},
                 rs[] = {{.type = CLIF_I32}};
    clif_set_sig(f, CLIF_CC_TAIL, ps, 2, rs, 1);
    ClifSigRef sig = clif_import_sig(f, CLIF_CC_TAIL, ps, 2, rs, 1),
               none = clif_import_sig(f, CLIF_CC_TAIL, NULL, 0, NULL, 0);
    ClifFuncRef fn = clif_import_func(f, (ClifExtFunc){.name = clif_user_name(0, 1), .sig = sig});
    ClifFuncRef patch = clif_import_func(
        f,
        (ClifExtFunc){.name = clif_user_name(0, 2), .sig = none, .colocated = 1, .patchable = 1});
    ClifGlobalValue vm =
        clif_make_gv(f, (ClifGlobalValueData){.kind = CLIF_GV_VMCTX, .type = CLIF_I64});
    clif_make_alias_region(f, 1, "heap", 4);
    clif_make_alias_region(f, 2, "stack", 5);
    uint16_t mf =
        clif_intern_memflags(f, (ClifMemFlags){.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = 0});
    uint16_t plain = clif_intern_memflags(
        f, (ClifMemFlags){.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = CLIF_NONE});
    ClifGlobalValue ld =
        clif_make_gv(f, (ClifGlobalValueData){
                            .kind = CLIF_GV_LOAD, .type = CLIF_I64, .base = vm.i, .memflags = mf});
    clif_make_gv(f, (ClifGlobalValueData){
                        .kind = CLIF_GV_IADD_IMM, .type = CLIF_I64, .base = ld.i, .offset = 8});
    ClifGlobalValue sym = clif_make_gv(f, (ClifGlobalValueData){.kind = CLIF_GV_SYMBOL,
                                                                .type = CLIF_I64,
                                                                .name = clif_user_name(0, 3)});
    f->stack_limit = vm.i;
    ClifStackSlot ss = clif_make_stack_slot(f, 16, 3);
    uint8_t bytes[16] = {0};
    clif_builder_begin(b, f);
    ClifBlock b0 = cb_create_block(b), b1 = cb_create_block(b), b2 = cb_create_block(b),
              b3 = cb_create_block(b), b4 = cb_create_block(b);
    cb_entry_params(b, b0);
    cb_switch_to(b, b0);
    ClifValue v0 = {0}, v1 = {1};
    ClifValue seven = cb_iconst(b, CLIF_I32, 7);
    cb_store(b, CLIF_OP_STORE, mf, cb_load(b, CLIF_OP_LOAD, CLIF_I32, mf, v0, 4), v0, 8);
    cb_binary(b, CLIF_OP_IADD, v1, seven);
    cb_ins1(b, (ClifInstData){.op = CLIF_OP_BITCAST, .aux = plain, .a = seven.i}, CLIF_F32);
    ClifValue vec = cb_unary(b, CLIF_OP_SPLAT, CLIF_I32X4, seven);
    cb_ins(b, (ClifInstData){.op = CLIF_OP_EXTRACTLANE, .aux = 3, .a = vec.i});
    ClifValue k = cb_ins1(b,
                          (ClifInstData){.op = CLIF_OP_VCONST,
                                         .type = CLIF_I8X16,
                                         .a = clif_intern_const(f, bytes, 16).i},
                          CLIF_I8X16);
    cb_ins1(b,
            (ClifInstData){
                .op = CLIF_OP_SHUFFLE, .a = k.i, .b = k.i, .c = clif_make_imm128(f, bytes).i},
            CLIF_I8X16);
    cb_ins1(b, (ClifInstData){.op = CLIF_OP_SYMBOL_VALUE, .type = CLIF_I64, .a = sym.i}, CLIF_I64);
    cb_ins1(b, (ClifInstData){.op = CLIF_OP_STACK_ADDR, .type = CLIF_I64, .a = ss.i}, CLIF_I64);
    ClifValue fa =
        cb_ins1(b, (ClifInstData){.op = CLIF_OP_FUNC_ADDR, .type = CLIF_I64, .a = fn.i}, CLIF_I64);
    cb_ins1(b,
            (ClifInstData){.op = CLIF_OP_ATOMIC_RMW,
                           .type = CLIF_I32,
                           .aux = mf,
                           .a = v0.i,
                           .b = v1.i,
                           .c = CLIF_RMW_ADD},
            CLIF_I32);
    cb_icmp(b, CLIF_ULT, v1, seven);
    cb_ins1(b, (ClifInstData){.op = CLIF_OP_GET_PINNED_REG, .type = CLIF_I64}, CLIF_I64);
    cb_ins1(b, (ClifInstData){.op = CLIF_OP_GET_FRAME_POINTER, .type = CLIF_I64}, CLIF_I64);
    ClifValue args[] = {v0, v1};
    cb_call(b, fn, args, 2);
    cb_call(b, patch, NULL, 0);
    cb_call_indirect(b, sig, fa, args, 2);
    cb_brif(b, v1, b1, &seven, 1, b2, NULL, 0);
    ClifValue p = cb_block_param(b, b1, CLIF_I32), q = cb_block_param(b, b3, CLIF_I32);
    cb_block_param(b, b4, CLIF_I64);
    cb_switch_to(b, b1);
    ClifValue targs[] = {v0, p}, ret0 = {CLIF_BLOCKARG_TRY_RET}, exn0 = {CLIF_BLOCKARG_TRY_EXN};
    ListRef calls[] = {clif_make_blockcall(f, b3, &ret0, 1), clif_make_blockcall(f, b4, &exn0, 1)};
    ClifEhItem items[] = {{.kind = CLIF_EH_CONTEXT, .context = v0},
                          {.kind = CLIF_EH_TAG, .tag = 5}};
    ClifEhTable et = clif_make_eh_table(f, sig, calls, 2, items, 2);
    cb_ins(b, (ClifInstData){.op = CLIF_OP_TRY_CALL,
                             .a = list_new(f->mem, &f->lists, &targs[0].i, 2),
                             .b = fn.i,
                             .c = et.i});
    cb_switch_to(b, b2);
    ListRef jc[] = {clif_make_blockcall(f, b1, &v1, 1), clif_make_blockcall(f, b3, &v1, 1)};
    cb_br_table(b, v1, clif_make_jump_table(f, jc, 2));
    cb_switch_to(b, b3);
    cb_ins1(
        b, (ClifInstData){.op = CLIF_OP_GET_EXCEPTION_HANDLER_ADDRESS, .type = CLIF_I64, .a = b1.i},
        CLIF_I64);
    cb_return(b, &q, 1);
    cb_switch_to(b, b4);
    cb_ins(b, (ClifInstData){.op = CLIF_OP_RETURN_CALL,
                             .a = list_new(f->mem, &f->lists, &args[0].i, 2),
                             .b = fn.i});
    cb_seal_all(b);
    clif_builder_end(b);
}

static ClifInst find(ClifFunc *f, ClifOp op) {
    for (uint32_t i = 0; i < f->insts.n; i++)
        if (f->insts.p[i].op == op) return (ClifInst){i};
    fail();
    return (ClifInst){0};
}
static ClifInstData *at(ClifFunc *f, ClifOp op) {
    return clif_data(f, find(f, op));
}
static uint32_t result_of(ClifFunc *f, ClifOp op) {
    return clif_result(f, find(f, op), 0).i;
}

#define BREAK(RULE) static void break_##RULE(ClifFunc *f, __attribute__((unused)) VerifyCtx *v)
BREAK(SIG_TYPE) {
    f->abi_params.p[f->sigs.p[1].params].type = 0, f->sigs.p[1].nparams = 1;
}
BREAK(FUNC_SIG) {
    f->funcs.p[FN_TAIL].sig.i = 9;
}
BREAK(GV_BASE) {
    f->gvs.p[1].base = 2;
}
BREAK(GV_TYPE) {
    f->gvs.p[2].type = CLIF_I32;
}
BREAK(GV_VMCTX) {
    f->abi_params.p[f->sig.params].purpose = CLIF_ARG_NORMAL;
}
BREAK(REGION_DUP) {
    f->regions.p[1].user_id = 1;
}
BREAK(MEMFLAGS_REGION) {
    f->memflags.p[0].region = 7;
}
BREAK(STACK_LIMIT) {
    f->stack_limit = 77;
}
BREAK(ALIAS) {
    uint32_t x = result_of(f, CLIF_OP_STACK_ADDR);
    f->values.p[x].kind = CLIF_VAL_ALIAS;
    f->values.p[x].ref = x;
}
BREAK(LAYOUT) {
    f->links.p[find(f, CLIF_OP_STORE).i].block = 3;
}
BREAK(BLOCK_EMPTY) {
    f->blocks.p[4].first = f->blocks.p[4].last = CLIF_NONE;
}
BREAK(TERMINATOR) {
    clif_remove_inst(f, find(f, CLIF_OP_RETURN));
}
BREAK(BLOCK_PARAM) {
    f->values.p[list_data(&f->lists, f->blocks.p[3].params)[0]].num = 1;
}
BREAK(ENTRY_COLD) {
    f->blocks.p[0].flags |= CLIF_BLOCK_COLD;
}
BREAK(ENTRY_PARAMS) {
    clif_append_block_param(f, (ClifBlock){0}, CLIF_I32);
}
BREAK(OPCODE) {
    at(f, CLIF_OP_STORE)->op = 0;
}
BREAK(RESULT) {
    f->values.p[result_of(f, CLIF_OP_STACK_ADDR)].ref = 0;
}
BREAK(VALUE_REF) {
    at(f, CLIF_OP_IADD)->b = 9999;
}
BREAK(ARG_COUNT) {
    at(f, CLIF_OP_CALL_INDIRECT)->a = 0;
}
BREAK(BLOCK_REF) {
    list_data(&f->lists, at(f, CLIF_OP_BRIF)->c)[0] = 99;
}
BREAK(ENTRY_TARGET) {
    list_data(&f->lists, at(f, CLIF_OP_BRIF)->c)[0] = 0;
}
BREAK(SIG_REF) {
    at(f, CLIF_OP_CALL_INDIRECT)->b = 99;
}
BREAK(FUNC_REF) {
    at(f, CLIF_OP_FUNC_ADDR)->a = 99;
}
BREAK(SLOT_REF) {
    at(f, CLIF_OP_STACK_ADDR)->a = 99;
}
BREAK(GV_REF) {
    at(f, CLIF_OP_SYMBOL_VALUE)->a = 99;
}
BREAK(TABLE_REF) {
    at(f, CLIF_OP_BR_TABLE)->b = 99;
}
BREAK(CONST_REF) {
    at(f, CLIF_OP_VCONST)->a = 99;
}
BREAK(MEMFLAGS_REF) {
    at(f, CLIF_OP_LOAD)->aux = 99;
}
BREAK(IMMEDIATE) {
    at(f, CLIF_OP_ATOMIC_RMW)->c = 99;
}
BREAK(ICONST) {
    at(f, CLIF_OP_ICONST)->c = 1;
}
BREAK(DOMINANCE) {
    list_data(&f->lists, at(f, CLIF_OP_RETURN)->a)[0] =
        list_data(&f->lists, f->blocks.p[1].params)[0];
}
BREAK(CTRL_TYPE) {
    at(f, CLIF_OP_IADD)->type = CLIF_I64;
}
BREAK(ARG_TYPE) {
    at(f, CLIF_OP_IADD)->b = 0;
}
BREAK(RESULT_TYPE) {
    f->values.p[result_of(f, CLIF_OP_ATOMIC_RMW)].type = CLIF_I64;
}
BREAK(CALL_ARGS) {
    list_truncate(&f->lists, &at(f, CLIF_OP_CALL)->a, 1);
}
BREAK(RETURN_ARGS) {
    list_data(&f->lists, at(f, CLIF_OP_RETURN)->a)[0] = 0;
}
BREAK(TAIL_CALL) {
    f->sig.callconv = CLIF_CC_FAST;
}
BREAK(BLOCK_ARGS) {
    list_truncate(&f->lists, &at(f, CLIF_OP_BRIF)->b, 1);
}
BREAK(TRY_ARGS) {
    list_data(&f->lists, f->jt_calls.p[0])[1] |= 1;
}
BREAK(TRY_TABLE) {
    ClifAbiParam ps[] = {{.type = CLIF_I64}, {.type = CLIF_I32}}, rs[] = {{.type = CLIF_I32}};
    f->eh_tables.p[0].sig = clif_import_sig(f, CLIF_CC_TAIL, ps, 2, rs, 1);
}
BREAK(PATCHABLE) {
    f->funcs.p[FN_PATCH].colocated = 0;
}
BREAK(LANE) {
    at(f, CLIF_OP_EXTRACTLANE)->aux = 4;
}
BREAK(SHUFFLE) {
    f->bytes.p[f->imm128s.p[0].first + 5] = 32;
}
BREAK(CONST_SIZE) {
    f->consts.p[0].n = 8;
}
BREAK(BITCAST) {
    f->memflags.p[1].bits = CLIF_MEM_ALIGNED;
}
BREAK(GV_USE) {
    f->values.p[result_of(f, CLIF_OP_SYMBOL_VALUE)].type = CLIF_I32;
    at(f, CLIF_OP_SYMBOL_VALUE)->type = CLIF_I32;
}
BREAK(SIG_EXTENSION) {
    ClifAbiParam *p = &f->abi_params.p[f->sig.returns];
    p->type = CLIF_F32, p->ext = CLIF_EXT_SEXT;
}
BREAK(PRESERVE_ALL) {
    f->sigs.p[0].callconv = CLIF_CC_PRESERVE_ALL;
}
BREAK(DYN_TYPE) {
    clif_make_dyn_type(f, CLIF_I32X4, (ClifGlobalValue){99});
}
BREAK(TRY_CONVENTION) {
    f->sigs.p[0].callconv = CLIF_CC_FAST;
}
BREAK(PINNED_REG) {
    v->no_pinned_reg = true;
    (void)f;
}
BREAK(FRAME_POINTER) {
    v->no_frame_pointers = true;
    (void)f;
}
BREAK(ADDRESS) {
    at(f, CLIF_OP_LOAD)->a = 1;
}
BREAK(STORE_READONLY) {
    f->memflags.p[0].bits = CLIF_MEM_READONLY;
}
BREAK(DEBUG_TAGS) {
    ClifDebugTag t = {find(f, CLIF_OP_IADD).i, 0, 1};
    vec_push(f->mem, &f->debug_tags, t);
}
BREAK(HANDLER) {
    at(f, CLIF_OP_GET_EXCEPTION_HANDLER_ADDRESS)->b = 1;
}

static void (*const breaks[VERIFY_RULE_COUNT])(ClifFunc *, VerifyCtx *) = {
#define VERIFY_RULE(NAME, text) [VERIFY_##NAME] = break_##NAME,
#include "verify/rules.def"
#undef VERIFY_RULE
};

typedef struct Fix {
    Mem m;
    ClifFunc f;
    ClifBuilder b;
    VerifyCtx v;
    Diag d;
} Fix;
static void open_fix(Fix *x) {
    memset(x, 0, sizeof *x);
    mem_init(&x->m, NULL);
    clif_func_init(&x->f, &x->m);
    clif_builder_init(&x->b, &x->m);
    verify_ctx_init(&x->v, &x->m, CLIF_I64);
}
static void close_fix(Fix *x) {
    verify_ctx_free(&x->v);
    clif_builder_free(&x->b);
    clif_func_free(&x->f);
    assert_int_equal(x->m.live, 0);
}

static void a_good_function_passes_and_each_broken_rule_is_named(void **st) {
    (void)st;
    Fix x;
    open_fix(&x);
    make(&x.f, &x.b);
    diag_clear(&x.d);
    if (!clif_verify(&x.v, &x.f, &x.d)) fail_msg("%s", x.d.msg);
    for (int r = 0; r < VERIFY_RULE_COUNT; r++) {
        make(&x.f, &x.b);
        x.v.no_pinned_reg = x.v.no_frame_pointers = false;
        breaks[r](&x.f, &x.v);
        diag_clear(&x.d);
        if (clif_verify(&x.v, &x.f, &x.d)) fail_msg("rule %s is not enforced", verify_rule_name[r]);
        if ((int)x.v.errors.p[0].rule != r)
            fail_msg("rule %s: reported %s", verify_rule_name[r], x.d.msg);
        assert_int_equal(x.d.kind, DIAG_INVALID);
    }
    close_fix(&x);
}

static void messages_name_block_and_instruction(void **st) {
    (void)st;
    Fix x;
    open_fix(&x);
    make(&x.f, &x.b);
    break_ARG_TYPE(&x.f, &x.v);
    diag_clear(&x.d);
    assert_false(clif_verify(&x.v, &x.f, &x.d));
    assert_non_null(strstr(x.d.msg, "block0: inst"));
    assert_non_null(strstr(x.d.msg, "iadd v1, v0"));
    assert_non_null(strstr(x.d.msg, "arg 1 (v0) has type i64, expected i32"));
    close_fix(&x);
}

/* Uses in blocks that cannot be reached need not be dominated; their types still count. */
static void unreachable_code_is_typed_but_not_ordered(void **st) {
    (void)st;
    Fix x;
    open_fix(&x);
    clif_builder_begin(&x.b, &x.f);
    ClifBlock a = cb_create_block(&x.b), u = cb_create_block(&x.b);
    cb_switch_to(&x.b, a);
    cb_return(&x.b, NULL, 0);
    cb_switch_to(&x.b, u);
    ClifValue c = cb_iconst(&x.b, CLIF_I32, 1);
    cb_binary(&x.b, CLIF_OP_IADD, c, c);
    cb_return(&x.b, NULL, 0);
    cb_seal_all(&x.b);
    ClifInst add = find(&x.f, CLIF_OP_IADD);
    clif_remove_inst(&x.f, add);
    clif_insert_inst_before(&x.f, add, find(&x.f, CLIF_OP_ICONST));
    diag_clear(&x.d);
    if (!clif_verify(&x.v, &x.f, &x.d)) fail_msg("%s", x.d.msg);
    clif_data(&x.f, add)->type = CLIF_I64;
    assert_false(clif_verify(&x.v, &x.f, &x.d));
    assert_int_equal(x.v.errors.p[0].rule, VERIFY_CTRL_TYPE);
    close_fix(&x);
}

static void repeated_runs_do_not_allocate(void **st) {
    (void)st;
    Fix x;
    open_fix(&x);
    make(&x.f, &x.b);
    diag_clear(&x.d);
    assert_true(clif_verify(&x.v, &x.f, &x.d));
    uint64_t before = x.m.allocs;
    for (int k = 0; k < 10; k++) assert_true(clif_verify(&x.v, &x.f, &x.d));
    assert_int_equal(x.m.allocs, before);
    close_fix(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_function_passes_and_each_broken_rule_is_named),
        cmocka_unit_test(messages_name_block_and_instruction),
        cmocka_unit_test(unreachable_code_is_typed_but_not_ordered),
        cmocka_unit_test(repeated_runs_do_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
