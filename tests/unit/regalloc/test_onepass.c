/* One-pass allocator on random functions; every result is proven by the checker, and the checker must notice
 * corrupted results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "regalloc/regalloc.h"

enum { MAX_B = 12, MAX_I = 200, MAX_O = 900, MAX_V = 400 };
typedef struct Gen {
    uint64_t rng;
    RaFunc f;
    RaBlock blocks[MAX_B];
    uint32_t succs[64], preds[64], edge_args[65], op_start[MAX_I + 1];
    RaVReg params[64], args[128];
    RaOperand ops[MAX_O];
    uint8_t flags[MAX_I];
    RaClobber clobbers[MAX_I];
    uint32_t nv, nparams;
} Gen;

static uint32_t rnd(Gen *g, uint32_t n) {
    g->rng ^= g->rng << 13;
    g->rng ^= g->rng >> 7;
    g->rng ^= g->rng << 17;
    return (uint32_t)((g->rng >> 20) % n);
}

/* Shape: a chain of diamonds and loops.  head -> {left, right} -> join; some joins jump back to a loop header. */
static const RaEnv env = {
    .allocatable = 0x3F | (uint64_t)0x3F << 32,
    .caller_saved = 0x0F | (uint64_t)0x3F << 32,
    .order = {{0, 1, 2, 3, 4, 5, RA_PREG_NONE}, {32, 33, 34, 35, 36, 37, RA_PREG_NONE}},
    .scratch = {15, 47}};

static RaVReg fresh(Gen *g) {
    return ra_vreg(g->nv++, rnd(g, 4) == 0 ? RA_FLOAT : RA_INT);
}

static void op_at(Gen *g, RaVReg v, RaKind kind, RaPos pos, RaConstraint c, uint32_t arg) {
    g->ops[g->op_start[g->f.num_insts + 1]++] =
        (RaOperand){.vreg = v, .kind = kind, .pos = pos, .constraint = c, .arg = (uint8_t)arg};
}

static void op(Gen *g, RaVReg v, RaKind kind, RaConstraint c, uint32_t arg) {
    op_at(g, v, kind, kind == RA_DEF ? RA_LATE : RA_EARLY, c, arg);
}

static void finish_inst(Gen *g, uint8_t flags) {
    g->flags[g->f.num_insts++] = flags;
    g->op_start[g->f.num_insts + 1] = g->op_start[g->f.num_insts];
}

/* Like a division: a fixed use, a use anywhere, two fixed results, one of them written before the uses are read. */
static void divide(Gen *g, RaVReg a, RaVReg b) {
    op(g, a, RA_USE, RA_FIXED, 0);
    op_at(g, b, RA_USE, rnd(g, 2) ? RA_LATE : RA_EARLY, RA_REG, 0);
    op(g, ra_vreg(g->nv++, RA_INT), RA_DEF, RA_FIXED, 0);
    op_at(g, ra_vreg(g->nv++, RA_INT), RA_DEF, rnd(g, 2) ? RA_LATE : RA_EARLY, RA_FIXED, 2);
    finish_inst(g, 0);
}

/* Blocks: 0 entry -> 1 header(p) -> 2 / 3 -> 4 join(p) -> 5 latch -> 1 | 6 exit, latch split through 5 having two succs 7 -> 1. */
static void generate(Gen *g, uint64_t seed) {
    memset(g, 0, sizeof *g);
    g->rng = seed * 0x9E3779B97F4A7C15u | 1;
    static const uint8_t to[7][2] = {{1, 9}, {2, 3}, {4, 9}, {4, 9}, {5, 6}, {1, 9}, {9, 9}};
    static const int8_t idom[7] = {-1, 0, 1, 1, 1, 4, 4};
    RaVReg avail[7][MAX_V];
    uint32_t na[7] = {0}, ns = 0, np = 0, nargs = 0;
    for (uint32_t b = 0; b < 7; b++) {
        RaBlock *rb = &g->blocks[b];
        rb->param_start = np;
        if (idom[b] >= 0) {
            na[b] = na[idom[b]];
            memcpy(avail[b], avail[idom[b]], na[b] * sizeof(RaVReg));
        }
        for (uint32_t k = 0; k < 3 && (b == 1 || b == 4); k++)
            avail[b][na[b]++] = g->params[np++] = ra_vreg(g->nv++, RA_INT);
        rb->param_end = np;
        rb->inst_start = g->f.num_insts;
        uint32_t n = 1 + rnd(g, 12) + (b == 0 ? 6 : 0);
        for (uint32_t i = 0; i < n; i++) {
            RaVReg x = na[b] ? avail[b][rnd(g, na[b])] : RA_VREG_NONE,
                   y = na[b] ? avail[b][rnd(g, na[b])] : RA_VREG_NONE;
            if (na[b] && rnd(g, 6) == 0 && !ra_vreg_class(x) && !ra_vreg_class(y)) {
                divide(g, x, y);
                avail[b][na[b]++] = ra_vreg(g->nv - 1, RA_INT);
                avail[b][na[b]++] = ra_vreg(g->nv - 2, RA_INT);
                continue;
            }
            bool call = rnd(g, 8) == 0;
            uint32_t uses = na[b] ? rnd(g, 4) : 0;
            RaVReg u0 = RA_VREG_NONE;
            for (uint32_t k = 0; k < uses; k++) {
                RaVReg v = avail[b][rnd(g, na[b])];
                uint32_t base = ra_vreg_class(v) * 32;
                if (call)
                    op(g, v, RA_USE, RA_FIXED, base + k);
                else if (k && rnd(g, 3) == 0)
                    op(g, v, RA_USE, RA_ANY, 0);
                else if (k && rnd(g, 6) == 0)
                    op(g, v, RA_USE, RA_FIXED, base + k);
                else if (k && rnd(g, 6) == 0)
                    op_at(g, v, RA_USE, RA_LATE, RA_REG, 0);
                else
                    op(g, v, RA_USE, RA_REG, 0);
                if (k == 0) u0 = v;
            }
            RaVReg d = i < 4 && b == 0 ? ra_vreg(g->nv++, RA_INT) : fresh(g);
            if (call) {
                op(g, d, RA_DEF, RA_FIXED, ra_vreg_class(d) * 32u);
                g->clobbers[g->f.num_clobbers++] = (RaClobber){
                    g->f.num_insts, env.caller_saved & ~ra_set((RaPReg)(ra_vreg_class(d) * 32))};
            } else if (u0 != RA_VREG_NONE && ra_vreg_class(u0) == ra_vreg_class(d) && rnd(g, 2))
                op(g, d, RA_DEF, RA_REUSE, 0);
            else
                op_at(g, d, RA_DEF, rnd(g, 6) ? RA_LATE : RA_EARLY, RA_REG, 0);
            finish_inst(g, call ? RA_INST_CALL : 0);
            avail[b][na[b]++] = d;
        }
        finish_inst(g, b == 6 ? RA_INST_RET : RA_INST_BRANCH);
        rb->inst_end = g->f.num_insts;
        rb->succ_start = ns;
        for (uint32_t k = 0; k < 2 && to[b][k] < 9; k++) {
            g->edge_args[ns] = nargs;
            if (to[b][k] == 1 || to[b][k] == 4)
                for (uint32_t a = 0; a < 3; a++) {
                    RaVReg v;
                    do v = avail[b][rnd(g, na[b])];
                    while (ra_vreg_class(v) != RA_INT);
                    g->args[nargs++] = v;
                }
            g->succs[ns++] = to[b][k];
        }
        rb->succ_end = ns;
    }
    g->edge_args[ns] = nargs;
    uint32_t npred = 0;
    for (uint32_t b = 0; b < 7; b++) {
        g->blocks[b].pred_start = npred;
        for (uint32_t q = 0; q < 7; q++)
            for (uint32_t k = 0; k < 2; k++)
                if (to[q][k] == b) g->preds[npred++] = q;
        g->blocks[b].pred_end = npred;
    }
    RaFunc *f = &g->f;
    f->num_blocks = 7, f->num_vregs = g->nv, f->blocks = g->blocks, f->succs = g->succs,
    f->preds = g->preds;
    f->params = g->params, f->edge_args = g->edge_args, f->branch_args = g->args, f->ops = g->ops;
    f->op_start = g->op_start, f->inst_flags = g->flags, f->clobbers = g->clobbers;
}

static void test_random(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    static Gen g;
    uint32_t noticed = 0, tried = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        generate(&g, seed);
        ra_ctx_set_stress(c, seed % 4 == 0 ? seed : 0);
        Diag d;
        diag_clear(&d);
        RaOutput out;
        if (!ra_check_input(c, &g.f, &env, &d) ||
            !ra_run(c, RA_ALGO_ONEPASS, &g.f, &env, &out, &d) ||
            !ra_check(c, &g.f, &env, &out, &d)) {
            StrBuf sb;
            sb_init(&sb, &m);
            ra_dump(&g.f, &env, &out, &sb);
            fputs(sb_cstr(&sb), stderr);
            fail_msg("seed %u: %s", (unsigned)seed, d.msg);
        }
        if (out.num_edits == 0) continue; /* drop one move: nearly always an error */
        RaEdit *e = (RaEdit *)out.edits + rnd(&g, out.num_edits);
        e->from = e->to;
        tried++;
        noticed += !ra_check(c, &g.f, &env, &out, &d);
    }
    print_message("noticed %u of %u dropped moves\n", noticed, tried);
    assert_true(noticed > tried / 2);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
