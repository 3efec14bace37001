/* Runs the terms of run.isle and checks their results. */
#include "run.h"
#define ISLE_COVERAGE
#include "run_gen.c"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int failed;

static void check(const char *what, int64_t got, int64_t want) {
    if (got == want) return;
    printf("%s: got %" PRId64 ", want %" PRId64 "\n", what, got, want);
    failed++;
}

static int64_t lower(Ctx *ctx, Data d) {
    ctx->nodes[0] = d;
    ctx->nlog = 0;
    return isle_lower(ctx, (Node){0});
}

static Data num(int64_t v) {
    return (Data){.tag = ISLE_Data_Const, .k = 1, .v = v};
}

static int64_t sum(const int64_t *v, unsigned n) {
    int64_t s = 0;
    for (unsigned i = 0; i < n; i++) s += v[i];
    return s;
}

int main(void) {
    static Ctx c;
    Node n1 = {1}, n2 = {2}, n3 = {3};
    c.nodes[1] = (Data){.tag = ISLE_Data_Const, .k = 32, .v = 7};
    c.nodes[2] = num(7);
    c.nodes[3] = num(INT64_MIN);
    check("add_any", lower(&c, (Data){.tag = ISLE_Data_Add, .k = 5, .x = n2, .y = n1}), 100);
    check("add_32", lower(&c, (Data){.tag = ISLE_Data_Add, .k = 32, .x = n2, .y = n1}), 101);
    check("add_64", lower(&c, (Data){.tag = ISLE_Data_Add, .k = 64, .x = n2, .y = n1}), 102);
    check("add_same", lower(&c, (Data){.tag = ISLE_Data_Add, .k = 32, .x = n2, .y = n2}), 1002);
    check("add_const", lower(&c, (Data){.tag = ISLE_Data_Add, .k = 32, .x = n1, .y = n2}), 7);
    check("add_negative", lower(&c, (Data){.tag = ISLE_Data_Add, .k = 7, .x = n3, .y = n3}),
          INT64_MIN);
    check("sub_fold", lower(&c, (Data){.tag = ISLE_Data_Sub, .x = n1, .y = n3}),
          8 * 10 + INT64_MIN + 1);
    check("order of calls", c.nlog == 2 && c.log[0] == 7 && c.log[1] == INT64_MIN, 1);
    c.nodes[4] = (Data){.tag = ISLE_Data_Nop};
    check("sub_any", lower(&c, (Data){.tag = ISLE_Data_Sub, .x = n1, .y = {4}}), 0xdeadbeef);
    check("const_even", lower(&c, num(44)), 23);
    check("one call", c.nlog, 1);
    check("const_split", lower(&c, num((int64_t)9 << 32 | 5)), 9);
    check("const_quarter", lower(&c, num(43)), 1010);
    check("const_if", lower(&c, num(9)), 77);
    check("const_any", lower(&c, num(1)), 1);
    check("cmp_eq", lower(&c, (Data){.tag = ISLE_Data_Cmp, .c = Cc_Eq, .x = n1, .y = n1}), 1);
    check("cmp_ne", lower(&c, (Data){.tag = ISLE_Data_Cmp, .c = Cc_Ne, .x = n1, .y = n1}), 0);
    check("cmp_lt", lower(&c, (Data){.tag = ISLE_Data_Cmp, .c = Cc_Lt, .x = n1, .y = n1}), 0);
    check("cmp", lower(&c, (Data){.tag = ISLE_Data_Cmp, .c = Cc_Lt, .x = n1, .y = n2}), 1001);
    check("neg", lower(&c, (Data){.tag = ISLE_Data_Neg, .k = 64, .x = n2}), 1002);
    check("nop", lower(&c, (Data){.tag = ISLE_Data_Nop}), 5);
    c.nodes[0] = (Data){.tag = ISLE_Data_Add, .x = n2, .y = n3};
    check("moved", isle_moved(&c, (Node){0}), 1 + 10 * 1002 + 3);
    check("no rule yet", c.unreachable, 0);
    lower(&c, (Data){.tag = ISLE_Data_Neg, .k = 32, .x = n2});
    check("no rule", c.unreachable, 1);

    int64_t out = -1;
    c.nodes[0] = num(10), c.nlog = 0;
    check("may succeeds", isle_may(&c, (Node){0}, &out), true);
    check("may", out, -9);
    check("may calls", c.nlog, 3);
    c.nodes[0] = num(200), c.nlog = 0;
    check("may fails", isle_may(&c, (Node){0}, &out), false);
    check("may calls", c.nlog, 2);
    check("may other", isle_may(&c, (Node){4}, &out) && out == 5, true);
    check("is_true", isle_is_true(&c, true, 1), false);
    check("is_true", isle_is_true(&c, false, 1), true);
    check("is_true", isle_is_true(&c, true, 2), true);
    check("is_true", isle_is_true(&c, false, 2), false);
    check("count", (int64_t)isle_count(&c, 20), 20);

    memset(c.nodes, 0, sizeof c.nodes);
    for (int i = 0; i < 16; i++) c.nodes[i] = (Data){.tag = ISLE_Data_Bad, .x = {-1}};
    int64_t v[32];
    c.nodes[0] = num(6), c.nodes[0].x.i = -1;
    c.nodes[5] = num(3), c.nodes[5].x.i = 0;
    c.nodes[6] = num(8), c.nodes[6].x.i = 0;
    c.nodes[7] = (Data){.tag = ISLE_Data_Phi, .k = 1, .x = {0}};
    /* 6; its bits 2 and 4; users 3 and 8; the user 3 */
    unsigned n = isle_gather(&c, (Node){0}, v, 32);
    check("gather", n, 6);
    check("gather sum", sum(v, n), 6 + 2 + 4 + 1030 + 1080 - 3);
    check("gather cap", isle_gather(&c, (Node){0}, v, 2), 2);
    n = isle_twice(&c, (Node){0}, v, 32);
    check("twice", n, 6 + 12);
    check("twice sum", sum(v, n), 2119 + 2 * 10 * 2119 + 6 * (1 + 4));
    Data d = isle_make(&c, 1, 9);
    check("make const", d.tag == ISLE_Data_Const && d.k == 32 && d.v == 9, 1);
    check("make nop", isle_make(&c, 2, 9).tag, ISLE_Data_Nop);
    check("make phi", isle_make(&c, 3, 9).k, 3);

    check("rule table",
          isle_rule_count > 0 && strcmp(isle_rules[0].name, "quarter") == 0 &&
              strcmp(isle_rules[0].file, "run.isle") == 0,
          1);
    for (unsigned i = 0; i < isle_rule_count; i++) check(isle_rules[i].name, c.hits[i] > 0, 1);
    printf("rulec run: %d failed\n", failed);
    return failed != 0;
}
