/* The checker accepts a right allocation written by hand, and notices each single corruption of it; each of its rules is broken
 * alone. */
#include <string.h>
#include "../cm.h"
#include "regalloc/text.h"

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
static const RaEnv env = {
    .allocatable = 0x3F | (uint64_t)0x3F << 32,
    .order = {{0, 1, 2, 3, 4, 5, RA_PREG_NONE}, {32, 33, 34, 35, 36, 37, RA_PREG_NONE}},
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
    RaOutput out = {.allocs = a, .edits = e, .num_edits = NEDITS, .num_slots = 1, .written = 0x3F};
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

/* ---- each rule ---- */
static const char right[] =
    "function\n allocatable p0i p1i p2i p3i p0f p1f\n caller-saved p0i p0f\n scratch p31i\n"
    " slots 4\n written p0i-p2i p31i p0f\n"
    "block0:\n"
    " entry def v0i p0i @ p0i, def v1i p3i @ p3i\n"
    " after p31i = p0i v*i\n"
    " op early def v2i reg @ p2i, def v3i reuse 2 @ p0i, use v0i reg @ p0i, use p30i @ p30i "
    "clobber p1i\n"
    " before stack0 = p2i v2i\n"
    " op def v4i stack @ stack1, def v5f:2 any @ stack2, use v3i limit 1 @ p0i\n"
    " before p1i = stack0 v2i\n"
    " op late use v2i reg @ p1i, def v6f reg @ p0f, use v1i any @ p3i\n"
    " branch use v6f reg @ p0f\n"
    " -> block1\n -> block2\n"
    "block1:\n branch\n -> block3(v2i)\n"
    "block2:\n before p1i = p3i v1i\n branch\n -> block3(v1i)\n"
    "block3(v7i):\n ret use v7i reg @ p1i, use v4i stack @ stack1\n";
static const struct {
    const char *from, *to, *says;
} rules[] = {
    {"v0i reg @ p0i, use p30i", "v0i reg @ p3i, use p30i", "does not reuse its input's register"},
    {"@ p30i", "@ p29i", "not in its own register"},
    {"use v1i any @ p3i", "use v1i any @ p31i", "register that may not be allocated"},
    {"use v6f reg @ p0f", "use v6f reg @ p0i", "malformed allocation"},
    {"use v6f reg @ p0f", "use v6f reg @ none", "malformed allocation"},
    {"@ stack1\n", "@ stack4\n", "malformed allocation"},
    {"v5f:2 any @ stack2", "v5f:2 any @ stack3", "malformed allocation"},
    {"late use v2i reg @ p1i", "late use v2i reg @ stack0", "not in a register"},
    {"v4i stack @ stack1\n", "v4i stack @ p2i\n", "not in a slot"},
    {"entry def v0i p0i @ p0i", "entry def v0i p0i @ p1i", "not in its fixed register"},
    {"use v3i limit 1 @ p0i", "use v3i limit 1 @ p1i", "register above the limit"},
    {"def v6f reg @ p0f", "def v6f reg @ p0f, def v8f reg @ p0f",
     "two definitions in one register"},
    {"v5f:2 any @ stack2", "v5f:2 any @ stack1", "two definitions in one slot"},
    {"early def v2i reg @ p2i", "early def v2i reg @ p1i",
     "a definition in a register that is destroyed"},
    {"early def v2i reg @ p2i", "early def v2i reg @ p0i", "two definitions in one register"},
    {"def v3i reuse 2", "early def v8i reg @ p0i, def v3i reuse 3",
     "two definitions in one register"},
    {"late use v2i reg @ p1i, def v6f reg @ p0f",
     "late use v2i reg @ p1i, def v6f reg @ p0f, def v8i any @ p1i", "value overwritten (v2)"},
    {"use p30i @ p30i clobber p1i", "use p30i @ p30i clobber p1i p3i", "value overwritten (v1)"},
    {" before stack0 = p2i v2i\n", " before stack0 = p0i v2i\n", "value overwritten (v2)"},
    {" before stack0 = p2i v2i\n", " before stack0 = p2i v2i\n before p0i = stack0 v2i\n",
     "wanted where the definition does not put it (v3)"},
    {" before stack0 = p2i v2i\n", "", "wanted where the definition does not put it (v2)"},
    {" before p1i = p3i v1i\n", "", "value overwritten (v1)"},
    {"def v5f:2 any @ stack2", "def v5f:2 any @ p0f", NULL},
    {"def v5f:2 any @ stack2, use", "def v5f:2 any @ p0f, late use v2i any @ p2i, use", NULL},
    {"def v5f:2 any @ stack2, use", "late use v2i any @ stack0, def v8i stack @ stack0, use",
     "value overwritten (v2)"},
    {"def v5f:2 any @ stack2, use", "late use v2i any @ stack0, def v5f:2 stack @ stack2, use",
     NULL},
    {"stack0 = p2i v2i", "stack9 = p2i v2i", "malformed move"},
    {"stack0 = p2i v2i", "stack0 = p2f v2i", "malformed move"},
    {"stack0 = p2i v2i", "stack0 = none v2i", "malformed move"},
    {"stack0 = p2i v2i", "stack0 = stack1 v2i", "move from slot to slot"},
    {"p31i = p0i v*i", "p30i = p0i v*i", "a move to a register that may not be written"},
    {"p1i = stack0 v2i", "p3i = stack0 v2i", "a written register is not reported"},
    {"def v6f reg @ p0f", "def v6f reg @ p1f", "a written register is not reported"},
    {" branch use v6f reg @ p0f\n", " branch use v6f reg @ p0f\n after p0i = p1i v2i\n",
     "a move after the end of a block"},
    {"block1:\n", "block1:\n before p0f = p0f v6f\n", NULL},
    {"def v6f reg @ p0f", "def v6f:2 reg @ p0f", NULL},
    {"-> block1\n", "-> block1\n", NULL},
};

static void each_rule(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    RaProblem p;
    ra_problem_init(&p, &m);
    StrBuf text;
    sb_init(&text, &m);
    uint32_t wrong = 0;
    for (uint32_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        const char *at = strstr(right, rules[k].from);
        if (!at) fail_msg("no '%s'", rules[k].from);
        sb_clear(&text);
        sb_putn(&text, right, (size_t)(at - right));
        sb_puts(&text, rules[k].to);
        sb_puts(&text, at + strlen(rules[k].from));
        RaReader r;
        Diag d;
        diag_clear(&d);
        ra_reader_init(&r, text.p, text.n);
        if (!ra_read(&r, &p, &d) || !ra_check_input(c, &p.f, &p.env, &d))
            fail_msg("%s:%u:%u: %s", rules[k].to, (unsigned)d.a, (unsigned)d.b, d.msg);
        bool ok = ra_check(c, &p.f, &p.env, &p.out, &d);
        if (ok != !rules[k].says || (!ok && !strstr(d.msg, rules[k].says))) {
            wrong++;
            print_message("%s\n'%s' instead of '%s'\n", rules[k].to, d.msg,
                          rules[k].says ? rules[k].says : "");
        }
    }
    assert_int_equal(wrong, 0);
    sb_free(&text);
    ra_problem_free(&p);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_corruption_is_noticed),
                                       cmocka_unit_test(each_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
