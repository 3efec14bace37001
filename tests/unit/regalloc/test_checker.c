/* The checker accepts a right allocation written by hand, and notices each single corruption of it. */
#include <string.h>
#include "../cm.h"
#include "regalloc/regalloc.h"

/* block0: v0 = def; v1 = def; branch 1, 2.   block1: jump 3(v0).   block2: jump 3(v1).
 * block3(v2): v3 = reuse v2, call clobbering r4 with v0 live; ret v3 in r0, v0. */
static const RaOperand ops[] = {
    {0, RA_DEF, RA_LATE, RA_REG, 0, 0},    {1, RA_DEF, RA_LATE, RA_REG, 0, 0},
    {2, RA_USE, RA_EARLY, RA_REG, 0, 0},   {3, RA_DEF, RA_LATE, RA_REUSE, 0, 0},
    {3, RA_USE, RA_EARLY, RA_FIXED, 0, 0}, {0, RA_USE, RA_EARLY, RA_ANY, 0, 0}};
static const uint32_t op_start[] = {0, 1, 2, 2, 2, 2, 4, 6};
static const uint8_t flags[] = {
    0, 0, RA_INST_BRANCH, RA_INST_BRANCH, RA_INST_BRANCH, RA_INST_CALL, RA_INST_RET};
static const RaBlock blocks[] = {{0, 3, 0, 2, 0, 0, 0, 0},
                                 {3, 4, 2, 3, 0, 1, 0, 0},
                                 {4, 5, 3, 4, 1, 2, 0, 0},
                                 {5, 7, 4, 4, 2, 4, 0, 1}};
static const uint32_t succs[] = {1, 2, 3, 3}, preds[] = {0, 0, 1, 2}, edge_args[] = {0, 0, 0, 1, 2};
static const RaVReg params[] = {2}, args[] = {0, 1};
static const RaClobber clobbers[] = {{5, 1u << 4}};
static const RaEnv env = {.allocatable = 0x3F | (uint64_t)0x3F << 32,
                          .order = {{0, 1, 2, 3, 4, 5, RA_PREG_NONE}, {32, RA_PREG_NONE}},
                          .scratch = {15, 47}};
static const RaFunc func = {.num_insts = 7,
                            .num_blocks = 4,
                            .num_vregs = 4,
                            .blocks = blocks,
                            .succs = succs,
                            .preds = preds,
                            .params = params,
                            .edge_args = edge_args,
                            .branch_args = args,
                            .ops = ops,
                            .op_start = op_start,
                            .inst_flags = flags,
                            .clobbers = clobbers,
                            .num_clobbers = 1};
enum { NOPS = 6, NEDITS = 3 };

/* v0 in r1 and slot 0, v1 in r2, v2 and v3 in r0. */
static void right_answer(RaAlloc a[NOPS], RaEdit e[NEDITS]) {
    const RaAlloc r0 = ra_alloc_reg(0), r1 = ra_alloc_reg(1), r2 = ra_alloc_reg(2),
                  s0 = ra_alloc_slot(0);
    memcpy(a, (RaAlloc[]){r1, r2, r0, r0, r0, s0}, NOPS * sizeof *a);
    memcpy(e, (RaEdit[]){{1, r1, s0, 0}, {6, r1, r0, 2}, {8, r2, r0, 2}}, NEDITS * sizeof *e);
}

static bool check(RaCtx *c, const RaAlloc *a, const RaEdit *e, Diag *d) {
    RaOutput out = {.allocs = a, .edits = e, .num_edits = NEDITS, .num_slots = 1};
    diag_clear(d);
    return ra_check(c, &func, &env, &out, d);
}

static void each_corruption_is_noticed(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    Diag d;
    diag_clear(&d);
    RaAlloc a[NOPS];
    RaEdit e[NEDITS];
    assert_true(ra_check_input(c, &func, &env, &d));
    right_answer(a, e);
    if (!check(c, a, e, &d)) fail_msg("%s", d.msg);
    /* another register, a destroyed one, another class, not allocatable, no such slot, nothing */
    const RaAlloc wrong[] = {ra_alloc_reg(5), ra_alloc_reg(4),  ra_alloc_reg(33),
                             ra_alloc_reg(9), ra_alloc_slot(1), RA_ALLOC_NONE};
    for (uint32_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
        for (uint32_t o = 0; o < NOPS; o++) {
            right_answer(a, e);
            a[o] = wrong[w];
            if (check(c, a, e, &d)) fail_msg("operand %u, corruption %u", o, w);
        }
        for (uint32_t k = 0; k < 2 * NEDITS; k++) {
            right_answer(a, e);
            *(k & 1 ? &e[k / 2].from : &e[k / 2].to) = wrong[w];
            if (check(c, a, e, &d)) fail_msg("move %u, corruption %u", k, w);
        }
    }
    for (uint32_t k = 0; k < NEDITS; k++) { /* a move that does nothing */
        right_answer(a, e);
        e[k].from = e[k].to;
        assert_false(check(c, a, e, &d));
    }
    right_answer(a, e);
    e[0].point = 13; /* out of order */
    assert_false(check(c, a, e, &d));
    right_answer(a, e);
    a[5] = ra_alloc_reg(4),
    e[0].to = ra_alloc_reg(4); /* lives in a register that the call destroys */
    assert_false(check(c, a, e, &d));
    a[5] = ra_alloc_reg(3), e[0].to = ra_alloc_reg(3); /* and in one that it keeps */
    assert_true(check(c, a, e, &d));
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_corruption_is_noticed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
