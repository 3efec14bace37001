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
static void far_param(Build *b) {
    b->params.p[0] = 99;
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
static void far_pred(Build *b) {
    b->preds.p[3] = 7;
}
static void three_slots(Build *b) {
    static const uint8_t sizes[] = {1, 2, 1, 3};
    b->f.vreg_slots = sizes;
}
static void no_slots(Build *b) {
    static const uint8_t sizes[] = {1, 0, 1, 1};
    b->f.vreg_slots = sizes;
}
static void falling_range(Build *b) {
    b->op_start.p[3] = 1;
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
static void two_uses_early_and_late(Build *b) {
    fixed_twice(b);
    b->ops.p[6].pos = RA_LATE;
}
static void two_defs(Build *b) {
    b->ops.p[0].constraint = RA_FIXED, b->ops.p[0].arg = 1;
    b->ops.p[1].constraint = RA_FIXED, b->ops.p[1].arg = 1;
    b->op_start.p[1] = 0; /* both in the second instruction */
}
static void late_use_and_reuse(Build *b) { /* v2 = reuse v1 in r1, with v0 in r1 to the end */
    b->ops.p[4].constraint = RA_FIXED, b->ops.p[4].arg = 1;
    b->ops.p[2] = (RaOperand){.vreg = 1, .kind = RA_USE, .pos = RA_LATE, .constraint = RA_FIXED};
    b->ops.p[2].arg = 1;
    b->ops.p[3].arg = 2; /* operands 2, 3, 4 belong to block 1's first instruction */
    b->op_start.p[3] = 2;
}
static void def_and_reuse(Build *b) { /* v2 = reuse v1 in r1, v3 in r1 */
    late_use_and_reuse(b);
    b->ops.p[2] = (RaOperand){.vreg = 4, .kind = RA_DEF, .pos = RA_LATE, .constraint = RA_FIXED};
    b->ops.p[2].arg = 1;
    b->nv = 5;
}
static void use_and_early_def(Build *b) {
    b->ops.p[3].constraint = b->ops.p[4].constraint = RA_FIXED;
    b->ops.p[3].arg = b->ops.p[4].arg = 1;
    b->ops.p[3].pos = RA_EARLY;
}
static void reused_twice(Build *b) {
    b->ops.p[5] = b->ops.p[3];
    b->ops.p[5].vreg = 4;
    b->nv = 5;
    b->op_start.p[4] = b->op_start.p[5] = 6;
}
static void reuse_of_slot(Build *b) {
    b->ops.p[4].constraint = RA_STACK;
}
static void reuse_far(Build *b) {
    b->ops.p[3].arg = 2;
}
static void reuse_class(Build *b) {
    b->ops.p[3].vreg = ra_vreg(2, RA_FLOAT);
}
static void unknown_constraint(Build *b) {
    b->ops.p[6].constraint = 33;
}
static void far_vreg(Build *b) {
    b->ops.p[6].vreg = 99;
}
static void far_def(Build *b) {
    b->ops.p[1].vreg = 99;
}
static void nonalloc_allocatable(Build *b) {
    b->ops.p[6] = (RaOperand){.vreg = RA_VREG_NONE, .constraint = RA_FIXED_NONALLOC, .arg = 1};
}
static void other_class(Build *b) {
    b->ops.p[6].vreg = ra_vreg(1, RA_FLOAT);
}
static void early_branch(Build *b) {
    b->flags.p[1] = RA_INST_BRANCH;
}
static void early_return(Build *b) {
    b->flags.p[6] = RA_INST_RET;
}
static void return_goes_on(Build *b) {
    b->flags.p[4] = RA_INST_RET | RA_INST_BRANCH;
}
static void falls_through(Build *b) {
    b->flags.p[4] = 0;
}
static void second_entry(Build *b) {
    b->flags.p[1] = RA_INST_ENTRY;
}
static void odd_move(Build *b) {
    b->flags.p[6] = RA_INST_MOVE;
}
static void clobbers_mixed(Build *b) {
    b_clobber(b, 1);
    b->clobbers.p[1].inst = 2;
}
static void clobbers_nothing(Build *b) {
    b_clobber(b, 1);
    b->clobbers.p[1].inst = 99;
}
static void no_args(Build *b) {
    b->args.n = 1;
    b->edge_args.p[4] = 1;
}
static void entry_params(Build *b) {
    b->blocks.p[0].param_end = 1;
}
static void no_blocks(Build *b) {
    b->blocks.n = 0;
}
static void lost_inst(Build *b) {
    b->blocks.p[3].inst_end--;
    b->flags.p[6] = RA_INST_RET;
}
static void listed_twice(Build *b) {
    b->env.order[0][1] = 0;
}
static void listed_elsewhere(Build *b) {
    b->env.order[0][1] = 33;
}
static void not_listed(Build *b) {
    b->env.order[0][7] = RA_PREG_NONE;
}
static void scratch_taken(Build *b) {
    b->env.scratch[0] = 3;
}
static void scratch_class(Build *b) {
    b->env.scratch[1] = 15;
}
static void nothing(Build *b) {
    (void)b;
}

static void each_rule(void **state) {
    (void)state;
    static const struct {
        void (*bend)(Build *);
        const char *says;
        bool after; /* all is put together */
    } t[] = {
        {nothing, NULL, false},
        {unreached, "no predecessor stands before", false},
        {wrong_arg, "no such argument", false},
        {float_arg, "class and size", false},
        {other_branch, "not dominated", false},
        {critical, "critical edge", false},
        {back_to_entry, "the entry has a predecessor", false},
        {far_successor, "no such successor", false},
        {twice, "defined twice", false},
        {param_twice, "defined twice", false},
        {far_param, "out of range", false},
        {undefined, "not defined", false},
        {not_dominated, "not dominated", false},
        {before_def, "used before its definition", false},
        {own_use, "used before its definition", false},
        {branch_value, "not defined", false},
        {jump_operand, "a jump with operands", false},
        {wrong_range, "wrong instruction range", false},
        {wrong_preds, "predecessors and successors disagree", true},
        {far_pred, "no such predecessor", true},
        {three_slots, "one or two slots", true},
        {no_slots, "one or two slots", true},
        {falling_range, "wrong operand range", true},
        {reuse_of_def, "reuse of something", false},
        {reuse_early, "misplaced reuse", false},
        {fixed_outside, "fixed register", false},
        {fixed_class, "fixed register", false},
        {fixed_twice, "two uses in one fixed register", false},
        {late_clobbered, "a clobbered register is also an operand", false},
        {zero_limit, "wrong limit", false},
        {nonalloc_vreg, "has a vreg", false},
        {two_uses_early_and_late, "two uses in one fixed register", false},
        {two_defs, "two definitions in one fixed register", false},
        {use_and_early_def, "a use and a definition in one fixed register at once", false},
        {late_use_and_reuse, "a use and a definition in one fixed register at once", false},
        {def_and_reuse, "two definitions in one fixed register", false},
        {reused_twice, "one input is reused twice", false},
        {reuse_of_slot, "reuse of something", false},
        {reuse_far, "misplaced reuse", false},
        {reuse_class, "reuse of something", false},
        {unknown_constraint, "unknown constraint", false},
        {far_vreg, "no such vreg", false},
        {far_def, "no such vreg", false},
        {nonalloc_allocatable, "register of its own that is allocatable", false},
        {other_class, "another class", false},
        {early_branch, "before the end of its block", false},
        {early_return, "before the end of its block", false},
        {return_goes_on, "a return with successors", false},
        {falls_through, "does not end in a branch", false},
        {second_entry, "an entry that is not the first", false},
        {odd_move, "a move that is not", false},
        {clobbers_mixed, "clobbers out of order", false},
        {clobbers_nothing, "clobbers of an instruction that is not there", false},
        {no_args, "wrong number of arguments", false},
        {entry_params, "the entry has parameters", false},
        {no_blocks, "no entry", false},
        {lost_inst, "instructions outside all blocks", false},
        {listed_twice, "listed twice", false},
        {listed_elsewhere, "listed twice, or in the other class", false},
        {not_listed, "not the allocatable ones", false},
        {scratch_taken, "a scratch register is allocatable", false},
        {scratch_class, "a scratch register is allocatable, or of the other class", false},
    };
    uint32_t wrong = 0;
    for (uint32_t k = 0; k < sizeof t / sizeof *t; k++) {
        Build b;
        valid(&b);
        if (!t[k].after) t[k].bend(&b);
        const RaFunc *f = b_finish(&b);
        if (t[k].after) t[k].bend(&b);
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
