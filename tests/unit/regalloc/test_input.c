/* Each rule of the allocator's input is checked, with its message; and what no random function has: instructions of
 * several hundred operands, constraints that cannot be met. */
#include "ra_build.h"

/* block0: v0, v1 = def; branch 1, 2.  block1: v2 = def; jump 3(v2).  block2: jump 3(v0).  block3(v3): use v3, v1; ret. */
enum { V3 = 3 };
static void valid(Build *b) {
    b_init(b);
    b_block(b);
    RaVReg v0 = b_def(b);
    b_inst(b, 0);
    RaVReg v1 = b_def(b);
    b_inst(b, 0);
    b_use(b, v0);
    b_inst(b, RA_INST_BRANCH);
    b_succ(b, 1);
    b_succ(b, 2);
    b_block(b);
    RaVReg v2 = b_vreg(b);
    b_op(b, v2, RA_DEF, RA_LATE, RA_REUSE, 1);
    b_op(b, v1, RA_USE, RA_EARLY, RA_REG, 0);
    b_inst(b, 0);
    b_inst(b, RA_INST_BRANCH);
    b_arg(b, v2);
    b_succ(b, 3);
    b_block(b);
    b_inst(b, RA_INST_BRANCH);
    b_arg(b, v0);
    b_succ(b, 3);
    b_block(b);
    b_use(b, b_param(b));
    b_use(b, v1);
    b_clobber(b, 0x0C);
    b_inst(b, 0);
    b_inst(b, RA_INST_RET);
}
/* operands: 0 v0 def, 1 v1 def, 2 v0 use, 3 v2 def, 4 v1 use, 5 v3 use, 6 v1 use; instructions 0-2, 3-4, 5, 6-7 */
static void unreached(Build *b) { /* the entry jumps to block 2 only */
    b->succs.p[0] = 2;
    b->blocks.p[0].succ_end--;
    b->op_start.p[3]--;
}
static void wrong_arg(Build *b) {
    b->args.p[0] = 77;
}
static void float_arg(Build *b) {
    b->args.p[1] = ra_vreg(0, RA_FLOAT);
}
static void other_branch(Build *b) {
    b->args.p[1] = 2;
}
static void critical(Build *b) {
    b->succs.p[1] = 3;
    b->edge_args.p[2]++;
}
static void back_to_entry(Build *b) {
    b->succs.p[3] = 0;
}
static void far_successor(Build *b) {
    b->succs.p[3] = 9;
}
static void twice(Build *b) {
    b->ops.p[1].vreg = 0;
}
static void param_twice(Build *b) {
    b->params.p[0] = 1;
}
static void undefined(Build *b) {
    b->nv++;
    b->ops.p[6].vreg = 4;
}
static void not_dominated(Build *b) {
    b->ops.p[6].vreg = 2;
}
static void before_def(Build *b) {
    b->ops.p[0].vreg = 1, b->ops.p[1].vreg = 0;
    b->ops.p[0].kind = RA_USE;
    b->ops.p[0].pos = RA_EARLY;
    b->ops.p[2] = (RaOperand){.vreg = 1, .kind = RA_DEF, .pos = RA_LATE, .constraint = RA_REG};
}
static void own_use(Build *b) { /* v2 = reuse v2 */
    b->ops.p[4].vreg = 2;
}
static void branch_value(Build *b) {
    b->ops.p[2] = (RaOperand){.vreg = 4, .kind = RA_DEF, .pos = RA_LATE, .constraint = RA_REG};
    b->nv = 5;
    b->ops.p[6].vreg = 4;
}
static void
jump_operand(Build *b) { /* the operand of block 1's first instruction moves to its jump */
    b->op_start.p[4] = 3;
}
static void wrong_range(Build *b) {
    b->blocks.p[1].inst_start++;
}
static void wrong_preds(Build *b) {
    b->preds.p[3] = 1;
}
static void reuse_of_def(Build *b) {
    b->ops.p[3].arg = 0;
}
static void reuse_early(Build *b) {
    b->ops.p[3].pos = RA_EARLY;
}
static void fixed_outside(Build *b) {
    b->ops.p[4].constraint = RA_FIXED, b->ops.p[4].arg = 12;
}
static void fixed_class(Build *b) {
    b->ops.p[4].constraint = RA_FIXED, b->ops.p[4].arg = 33;
}
static void fixed_twice(Build *b) {
    b->ops.p[5].constraint = b->ops.p[6].constraint = RA_FIXED;
    b->ops.p[5].arg = b->ops.p[6].arg = 1;
}
static void late_clobbered(Build *b) {
    b->ops.p[6].constraint = RA_FIXED, b->ops.p[6].arg = 2, b->ops.p[6].pos = RA_LATE;
}
static void zero_limit(Build *b) {
    b->ops.p[6].constraint = RA_LIMIT;
}
static void nonalloc_vreg(Build *b) {
    b->ops.p[6].constraint = RA_FIXED_NONALLOC, b->ops.p[6].arg = 31;
}
static void nothing(Build *b) {
    (void)b;
}

static void each_rule(void **state) {
    (void)state;
    static const struct {
        void (*bend)(Build *);
        const char *says;
    } t[] = {
        {nothing, NULL},
        {unreached, "no predecessor stands before"},
        {wrong_arg, "no such argument"},
        {float_arg, "class and size"},
        {other_branch, "not dominated"},
        {critical, "critical edge"},
        {back_to_entry, "the entry has a predecessor"},
        {far_successor, "no such successor"},
        {twice, "defined twice"},
        {param_twice, "defined twice"},
        {undefined, "not defined"},
        {not_dominated, "not dominated"},
        {before_def, "used before its definition"},
        {own_use, "used before its definition"},
        {branch_value, "not defined"},
        {jump_operand, "a jump with operands"},
        {wrong_range, "wrong instruction range"},
        {wrong_preds, "predecessors and successors disagree"},
        {reuse_of_def, "reuse of something"},
        {reuse_early, "misplaced reuse"},
        {fixed_outside, "fixed register"},
        {fixed_class, "fixed register"},
        {fixed_twice, "two uses in one fixed register"},
        {late_clobbered, "a clobbered register is also an operand"},
        {zero_limit, "wrong limit"},
        {nonalloc_vreg, "has a vreg"},
    };
    uint32_t wrong = 0;
    for (uint32_t k = 0; k < sizeof t / sizeof *t; k++) {
        Build b;
        valid(&b);
        if (t[k].bend != wrong_preds) t[k].bend(&b);
        const RaFunc *f = b_finish(&b);
        if (t[k].bend == wrong_preds) t[k].bend(&b);
        RaCtx *c = ra_ctx_new(&b.mem);
        Diag d;
        diag_clear(&d);
        bool ok = ra_check_input(c, f, &b.env, &d);
        if (ok != !t[k].says || (t[k].says && !strstr(d.msg, t[k].says)))
            wrong++,
                print_message("case %u: '%s' instead of '%s'\n", k, ok ? "" : d.msg, t[k].says);
        ra_ctx_free(c);
        b_free(&b);
    }
    assert_int_equal(wrong, 0);
}

static void allocate(Build *b, bool should) {
    const RaFunc *f = b_finish(b);
    RaCtx *c = ra_ctx_new(&b->mem);
    Diag d;
    diag_clear(&d);
    RaOutput out;
    if (!ra_check_input(c, f, &b->env, &d)) fail_msg("%s", d.msg);
    bool ok = ra_run(c, RA_ALGO_ONEPASS, f, &b->env, &out, &d);
    if (ok != should) fail_msg("%s", ok ? "allocated" : d.msg);
    if (!ok)
        assert_non_null(strstr(d.msg, "not enough registers"));
    else if (!ra_check(c, f, &b->env, &out, &d))
        fail_msg("%s", d.msg);
    ra_ctx_free(c);
    b_free(b);
}

static void hundreds_of_operands(void **state) {
    (void)state;
    Build b;
    b_init(&b);
    b_block(&b);
    for (uint32_t k = 0; k < 400; k++) {
        b_def(&b);
        b_inst(&b, 0);
    }
    b_op(&b, b_vreg(&b), RA_DEF, RA_LATE, RA_REUSE, 3);
    for (uint32_t k = 0; k < 400; k++) b_op(&b, k, RA_USE, RA_EARLY, k == 2 ? RA_REG : RA_ANY, 0);
    b_op(&b, 7, RA_USE, RA_LATE, RA_REG, 0);
    b_op(&b, 5, RA_USE, RA_EARLY, RA_FIXED, 3);
    b_clobber(&b, 1);
    b_inst(&b, 0);
    for (uint32_t k = 0; k < 300; k++) b_op(&b, k, RA_USE, k & 1 ? RA_LATE : RA_EARLY, RA_ANY, 0);
    b_inst(&b, RA_INST_RET);
    allocate(&b, true);
}

static void too_many_registers(void **state) {
    (void)state;
    for (uint32_t n = 8; n <= 9; n++)
        for (uint32_t kind = 0; kind < 3; kind++) {
            Build b;
            b_init(&b);
            b_block(&b);
            for (uint32_t k = 0; k < n; k++) {
                b_def(&b);
                b_inst(&b, 0);
            }
            for (uint32_t k = 0; k < n; k++)
                b_op(&b, kind == 0 ? k : b_vreg(&b), kind == 0 ? RA_USE : RA_DEF,
                     kind == 1   ? RA_EARLY
                     : kind == 0 ? RA_EARLY
                                 : RA_LATE,
                     RA_REG, 0);
            b_inst(&b, 0);
            b_inst(&b, RA_INST_RET);
            allocate(&b, n == 8);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_rule),
                                       cmocka_unit_test(hundreds_of_operands),
                                       cmocka_unit_test(too_many_registers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
