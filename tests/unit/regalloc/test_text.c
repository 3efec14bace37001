/* The text form: what is printed is read back as the same problem and result, and printed again as the same text; each kind of
 * error has its place; spans are where values are. */
#include "../cm.h"
#include "ra_gen.h"
#include "regalloc/text.h"

static Gen g;

#define SAME(a, b, n) ((n) == 0 || memcmp(a, b, (n) * sizeof *(a)) == 0)

static const char *difference(const RaFunc *f, const RaProblem *p) {
    const RaFunc *h = &p->f;
    if (f->num_insts != h->num_insts || f->num_blocks != h->num_blocks) return "sizes";
    if (!SAME(f->blocks, h->blocks, f->num_blocks)) return "blocks";
    const RaBlock *last = &f->blocks[f->num_blocks - 1];
    if (!SAME(f->succs, h->succs, last->succ_end)) return "successors";
    if (!SAME(f->preds, h->preds, last->pred_end)) return "predecessors";
    if (!SAME(f->params, h->params, last->param_end)) return "parameters";
    if (!SAME(f->edge_args, h->edge_args, last->succ_end + 1)) return "edges";
    if (!SAME(f->branch_args, h->branch_args, f->edge_args[last->succ_end])) return "arguments";
    if (!SAME(f->op_start, h->op_start, f->num_insts + 1)) return "operand ranges";
    if (!SAME(f->ops, h->ops, f->op_start[f->num_insts])) return "operands";
    if (!SAME(f->inst_flags, h->inst_flags, f->num_insts)) return "flags";
    if (f->num_clobbers != h->num_clobbers) return "clobbers";
    for (uint32_t k = 0; k < f->num_clobbers; k++)
        if (f->clobbers[k].inst != h->clobbers[k].inst ||
            f->clobbers[k].regs != h->clobbers[k].regs)
            return "clobbers";
    for (uint32_t v = 0; v < h->num_vregs; v++)
        if (p->vreg_pos.p[v].line && f->vreg_slots[v] != h->vreg_slots[v]) return "sizes of values";
    return NULL;
}

static void round_trip(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    RaProblem p;
    StrBuf text, again;
    ra_problem_init(&p, &m);
    sb_init(&text, &m);
    sb_init(&again, &m);
    for (uint64_t seed = 1; seed <= 600; seed++) {
        gen_random(&g, seed);
        Diag d;
        diag_clear(&d);
        RaOutput out;
        if (seed % 3 && !ra_run(c, (RaAlgo)(seed % 3 - 1), &g.f, &g.env, &out, &d))
            fail_msg("%s", d.msg);
        sb_clear(&text);
        ra_print(&g.f, &g.env, seed % 3 ? &out : NULL, &text);
        RaReader r;
        ra_reader_init(&r, sb_cstr(&text), text.n);
        if (!ra_read(&r, &p, &d)) fail_msg("%u:%u: %s", (unsigned)d.a, (unsigned)d.b, d.msg);
        const char *what = difference(&g.f, &p);
        if (what) fail_msg("seed %u: %s", (unsigned)seed, what);
        assert_memory_equal(g.env.order, p.env.order, sizeof p.env.order);
        assert_memory_equal(g.env.scratch, p.env.scratch, sizeof p.env.scratch);
        assert_true(g.env.allocatable == p.env.allocatable);
        assert_true(g.env.caller_saved == p.env.caller_saved);
        assert_int_equal(p.has_result, seed % 3 != 0);
        if (p.has_result) {
            assert_int_equal(out.num_edits, p.out.num_edits);
            assert_true(SAME(out.allocs, p.out.allocs, p.ops.n));
            assert_true(SAME(out.edits, p.out.edits, out.num_edits));
            assert_true(out.num_slots == p.out.num_slots && out.written == p.out.written);
            assert_true(ra_check(c, &p.f, &p.env, &p.out, &d));
        }
        sb_clear(&again);
        ra_print(&p.f, &p.env, p.has_result ? &p.out : NULL, &again);
        assert_string_equal(sb_cstr(&text), sb_cstr(&again));
        assert_false(ra_read(&r, &p, &d));
        assert_int_equal(d.kind, DIAG_NONE);
    }
    sb_free(&text);
    sb_free(&again);
    ra_problem_free(&p);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

#define HEAD "function\n allocatable p0i p1i p0f\n caller-saved p0i\n scratch p31i\n"
#define RESULT HEAD " slots 1\n written p0i\n"
static const struct {
    const char *text;
    uint32_t line, col;
    const char *says;
} errors[] = {
    {"block0:", 1, 1, "expected `function`"},
    {"function x", 1, 10, "end of the line"},
    {"function\nallocatable p0i p0i", 2, 17, "twice"},
    {"function\nallocatable p32i", 2, 13, "end of the line"},
    {"function\nallocatable p0i\ncaller-saved p1i-p0i", 3, 14, "end of the line"},
    {"function\nallocatable p0i\ncaller-saved p1i-p3i p2i", 3, 22, "twice"},
    {"function\nallocatable p0i\nscratch", 3, 1, "expected `caller-saved`"},
    {"function\nallocatable\ncaller-saved\nscratch p1i p2i", 4, 13, "one scratch"},
    {HEAD "slots many", 5, 7, "number of slots"},
    {HEAD "slots 99999999", 5, 7, "number of slots"},
    {HEAD "slots 1\nblock0:", 6, 1, "expected `written`"},
    {HEAD "block1:", 5, 1, "expected `block0`"},
    {HEAD "block0(:", 5, 8, "a virtual register"},
    {HEAD "block0(v1i v2i):", 5, 12, "`,` or `)`"},
    {HEAD "block0(v1i)\n", 5, 12, "expected `:`"},
    {HEAD "block0(v99999999i):\n", 5, 8, "too large"},
    {HEAD "block0(v1i:x):\n", 5, 12, "number of slots"},
    {HEAD "block0:\n use v1i any", 6, 2, "expected an instruction"},
    {HEAD "block0:\n 3 op", 6, 4, "expected `:`"},
    {HEAD "block0:\n op use v1 any", 6, 9, "a virtual register"},
    {HEAD "block0:\n op use v01i any", 6, 9, "a virtual register"},
    {HEAD "block0:\n op use v1i any,", 6, 17, "expected `use` or `def`"},
    {HEAD "block0:\n op use v1i maybe", 6, 13, "expected any"},
    {HEAD "block0:\n op use v1i reuse 256", 6, 19, "up to 255"},
    {HEAD "block0:\n op use v1i any @ p0i", 6, 17, "without `slots`"},
    {RESULT "block0:\n op use v1i any", 8, 16, "expected `@`"},
    {RESULT "block0:\n op use v1i any @ v1i", 8, 19, "expected a register"},
    {HEAD "block0:\n before p0i = p1i v0i\n op", 6, 2, "without `slots`"},
    {RESULT "block0:\n after p0i = p1i v0i\n op", 8, 2, "no instruction stands before"},
    {RESULT "block0:\n op\n before p0i = p1i v0i\n", 9, 2, "stands after"},
    {RESULT "block0:\n op\n after p0i p1i v0i\n", 9, 12, "expected `=`"},
    {HEAD "block0:\n call call", 6, 7, "said already"},
    {HEAD "block0:\n branch\n -> block0\n op", 8, 2, "expected `->`"},
    {HEAD "block0:\n branch\n -> v0i", 7, 5, "expected a block"},
    {HEAD "block0:\n branch\n -> block0(v0i", 7, 15, "`,` or `)`"},
    {HEAD "block0:\n op $", 6, 5, "end of the line"},
    /* what the input check says has a place as well */
    {HEAD "block0:\n op\n branch\n -> block0", 5, 1, "the entry has a predecessor"},
    {HEAD "block0:\n op use v3i any", 6, 9, "used but not defined"},
    {HEAD "block0:\n op\n op def v0i limit 0", 7, 2, "wrong limit"},
    {"\n\n ; note\nfunction\n allocatable p0i\n caller-saved\n scratch p0i\nblock0:\n op\n", 4, 1,
     "a scratch register is allocatable"},
};

static void errors_have_a_place(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    RaProblem p;
    ra_problem_init(&p, &m);
    for (uint32_t k = 0; k < sizeof errors / sizeof *errors; k++) {
        RaReader r;
        Diag d;
        diag_clear(&d);
        ra_reader_init(&r, errors[k].text, (uint32_t)strlen(errors[k].text));
        if ((ra_read(&r, &p, &d) && ra_problem_check(c, &p, &d)) || !strstr(d.msg, errors[k].says))
            fail_msg("%s\n'%s' instead of '%s'", errors[k].text, d.msg, errors[k].says);
        assert_int_equal(d.pos_kind, DIAG_POS_LINE);
        if (d.a != errors[k].line || d.b != errors[k].col)
            fail_msg("%s\n%s is at %u:%u, not %u:%u", errors[k].text, d.msg, (unsigned)d.a,
                     (unsigned)d.b, errors[k].line, errors[k].col);
    }
    ra_problem_free(&p);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

/* ---- spans ---- */
/* A span of the value in that place covers the point; one that a move at the point of its start ends is empty. */
static bool covered(const RaSpans *s, RaVReg v, RaAlloc place, uint32_t point) {
    for (uint32_t k = 0; k < s->n; k++)
        if (s->p[k].vreg == v && s->p[k].place == place && s->p[k].from <= point &&
            (point < s->p[k].to || point == s->p[k].from))
            return true;
    return false;
}

/* Each use and each definition lies in a span of its value and place; spans stay within their blocks; what is written about them
 * and drawn has all values. */
static void spans_cover_uses(void **state) {
    (void)state;
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    StrBuf text, html;
    sb_init(&text, &m);
    sb_init(&html, &m);
    for (uint64_t seed = 1; seed <= 150; seed++) {
        gen_random(&g, seed);
        Diag d;
        diag_clear(&d);
        RaOutput out;
        RaSpans s = {0};
        assert_true(ra_run(c, seed % 2 ? RA_ALGO_ION : RA_ALGO_ONEPASS, &g.f, &g.env, &out, &d));
        if (!ra_check_spans(c, &g.f, &g.env, &out, &s, &d)) fail_msg("%s", d.msg);
        for (uint32_t b = 0; b < g.f.num_blocks; b++)
            for (uint32_t i = g.blocks[b].inst_start; i < g.blocks[b].inst_end; i++)
                for (uint32_t o = g.f.op_start[i]; o < g.f.op_start[i + 1]; o++) {
                    const RaOperand *op = &g.f.ops[o];
                    if (op->constraint == RA_FIXED_NONALLOC) continue;
                    if (!covered(&s, op->vreg, out.allocs[o], 2 * i + (op->pos == RA_LATE)))
                        fail_msg("seed %u: operand %u of instruction %u", (unsigned)seed,
                                 o - g.f.op_start[i], i);
                }
        for (uint32_t k = 0, b; k < s.n; k++) {
            for (b = 0; g.blocks[b].inst_end <= s.p[k].from / 2;) b++;
            assert_true(s.p[k].from <= s.p[k].to && s.p[k].to <= 2 * g.blocks[b].inst_end);
        }
        sb_clear(&text);
        sb_clear(&html);
        assert_true(ra_picture(&m, &g.f, &g.env, &out, &s, "t", &html, &d));
        ra_print_spans(&m, &g.f, &s, &text);
        uint32_t lines = 0, values = 0;
        for (const char *p = sb_cstr(&text); *p; p++) lines += *p == '\n';
        for (uint32_t k = 0; k < s.n; k++) values += k == 0 || s.p[k].vreg != s.p[k - 1].vreg;
        assert_int_equal(lines, values);
        assert_non_null(strstr(sb_cstr(&html), "</html>"));
        vec_free(&m, &s);
    }
    sb_free(&text);
    sb_free(&html);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

static const char spans_text[] =
    "v0i  slots 1  defined 0.5  uses 2  p0i 0.5-1  stack0 0.5-1.5  p1i 2-2.5\n"
    "v1i  slots 1  defined 1.5  uses 2  p0i 1.5-3.5\n"
    "v2f  slots 2  defined 2.5  uses 1  p0f 2.5\n"
    "v3i  slots 1  defined 4  uses 1  p0i 4\n";

/* The example of docs/regalloc.md. */
static void spans_as_text(void **state) {
    (void)state;
    static const char text[] =
        "function\nallocatable p0i p1i p0f\ncaller-saved p0i\nscratch\nslots 1\nwritten p0i p1i "
        "p0f\n"
        "block0:\nentry def v0i p0i @ p0i\nafter stack0 = p0i v0i\n"
        "call use v0i p0i @ p0i, def v1i p0i @ p0i clobber p1i p0f\nbefore p1i = stack0 v0i\n"
        "op def v2f:2 reg @ p0f, use v1i any @ p0i, late use v0i reg @ p1i\n"
        "branch\n-> block1(v1i, v2f)\nblock1(v3i, v4f:2):\nret use v3i p0i @ p0i\n";
    Mem m;
    mem_init(&m, NULL);
    RaCtx *c = ra_ctx_new(&m);
    RaReader r;
    RaProblem p;
    RaSpans s = {0};
    StrBuf sb;
    Diag d;
    diag_clear(&d);
    ra_problem_init(&p, &m);
    sb_init(&sb, &m);
    ra_reader_init(&r, text, sizeof text - 1);
    if (!ra_read(&r, &p, &d) || !ra_problem_check(c, &p, &d) ||
        !ra_check_spans(c, &p.f, &p.env, &p.out, &s, &d))
        fail_msg("%u:%u: %s", (unsigned)d.a, (unsigned)d.b, d.msg);
    ra_print_spans(&m, &p.f, &s, &sb);
    assert_string_equal(sb_cstr(&sb), spans_text);
    vec_free(&m, &s);
    sb_free(&sb);
    ra_problem_free(&p);
    ra_ctx_free(c);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(errors_have_a_place),
        cmocka_unit_test(spans_cover_uses), cmocka_unit_test(spans_as_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
