/* Control flow, by the printed CLIF: the loop-header rule, the br_table rules, compare-and-branch, dead code. */
#include "wb.h"

static int count(const char *s, const char *what) {
    int n = 0;
    for (; (s = strstr(s, what)); s += strlen(what)) n++;
    return n;
}
static const char *text(Wb *w) {
    if (!wb_run(w, true)) fail_msg("%s", w->d.msg);
    return sb_cstr(&w->text);
}
#define HAS(s, what)                                               \
    do {                                                           \
        if (!strstr(s, what)) fail_msg("no `%s` in\n%s", what, s); \
    } while (0)
#define COUNT(s, what, n)                                                      \
    do {                                                                       \
        if (count(s, what) != (n)) fail_msg("not %d `%s` in\n%s", n, what, s); \
    } while (0)

static void branch_to_loop_goes_to_header(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* loop: x = x - 1; br_if 0 (x); end; x */
    WB_FUNC(&w, "i", "i", 0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6B, 0x22, 0, 0x0D, 0, 0x0B, 0x20, 0,
            0x0B);
    const char *s = text(&w);
    HAS(s, "jump block1(v1)"); /* entry to header, the local as an SSA-made parameter */
    HAS(s, "block1(v2: i32):");
    HAS(s, ", block1(v4), block2"); /* back edge to the header, falling out to the next block */
    COUNT(s, "block1(v4)", 1);
    wb_free(&w);
}

static void loop_parameters_go_to_header(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* i32.const 7; loop (type 0: i32 -> i32): i32.const 1; i32.add; br 0; end */
    WB_FUNC(&w, "i", "i", 0, 0x41, 7, 0x03, 0, 0x41, 1, 0x6A, 0x0C, 0, 0x0B, 0x0B);
    const char *s = text(&w);
    HAS(s, "block1(v3: i32):");
    COUNT(s, "jump block1(v", 2);
    COUNT(s, "block2", 0); /* what follows is never reached: no block, no return */
    COUNT(s, "return", 0);
    wb_free(&w);
}

static void br_table_without_values_is_direct(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* block block block local.get 0 br_table 0 1 2 0 default 1 end end end */
    WB_FUNC(&w, "i", "", 0, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0E, 4, 0, 1, 2, 0, 1,
            0x0B, 0x0B, 0x0B, 0x0B);
    const char *s = text(&w);
    HAS(s, "br_table v1, block2, [block1, block2, block3, block1]");
    COUNT(s, "block4", 0);
    wb_free(&w);
}

static void br_table_with_values_goes_through_one_block_per_depth(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* block i32 block i32 : 5, local.get 0, br_table 0 1 0 default 1; end; end; drop */
    WB_FUNC(&w, "i", "", 0, 0x02, 0x7F, 0x02, 0x7F, 0x41, 5, 0x20, 0, 0x0E, 3, 0, 1, 0, 1, 0x0B,
            0x0B, 0x1A, 0x0B);
    const char *s = text(&w);
    HAS(s,
        "br_table v1, block2, [block1, block2, block1]"); /* two intermediate blocks, shared, default too */
    COUNT(s, "jump block3(v2)", 1);
    HAS(s, "block1:");
    HAS(s, "block2:");
    wb_free(&w);
}

static void br_table_only_default_counts_its_values(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    WB_FUNC(&w, "i", "i", 0, 0x02, 0x7F, 0x41, 5, 0x20, 0, 0x0E, 0, 0, 0x0B, 0x0B);
    HAS(text(&w), "br_table v1, block1, []");
    WB_FUNC(&w, "i", "i", 0, 0x02, 0x7F, 0x20, 0, 0x0E, 0, 0, 0x0B,
            0x0B); /* the value is missing */
    assert_false(wb_run(&w, true));
    assert_int_equal(w.d.kind, DIAG_INVALID);
    wb_free(&w);
}

static void br_table_arities_must_agree(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    WB_FUNC(&w, "i", "", 0, 0x02, 0x40, 0x02, 0x7F, 0x41, 5, 0x20, 0, 0x0E, 1, 0, 1, 0x0B, 0x1A,
            0x0B, 0x0B);
    assert_false(wb_run(&w, true));
    assert_int_equal(w.d.kind, DIAG_INVALID);
    wb_free(&w);
}

static void br_table_to_loop_goes_to_header(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* block loop local.get 0 br_table 0 default 1 end end */
    WB_FUNC(&w, "i", "", 0, 0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x0E, 1, 0, 1, 0x0B, 0x0B, 0x0B);
    HAS(text(&w), "br_table v2, block2, [block1]"); /* v2: the local in the loop, an alias of v1 */
    wb_free(&w);
}

static void compare_stays_narrow(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* local.get 0, local.get 1, i32.lt_s, i32.eqz, if, end */
    WB_FUNC(&w, "ii", "", 0, 0x20, 0, 0x20, 1, 0x48, 0x45, 0x04, 0x40, 0x0B, 0x0B);
    const char *s = text(&w);
    HAS(s, "icmp sge v1, v2");
    COUNT(s, "uextend", 0);
    WB_FUNC(&w, "ii", "i", 0, 0x20, 0, 0x20, 1, 0x48, 0x0B);
    HAS(text(&w), "uextend.i32");
    wb_free(&w);
}

static void dead_code_is_validated_and_silent(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    /* unreachable; block; loop; i32.const 0; br_if 0; end; end */
    WB_FUNC(&w, "", "", 0, 0x00, 0x02, 0x40, 0x03, 0x40, 0x41, 0, 0x0D, 0, 0x0B, 0x0B, 0x0B);
    const char *s = text(&w);
    COUNT(s, "block1", 0);
    HAS(s, "trap user1");
    WB_FUNC(&w, "", "", 0, 0x00, 0x43, 0, 0, 0, 0, 0x45, 0x1A,
            0x0B); /* f32 to i32.eqz, after unreachable */
    assert_false(wb_run(&w, true));
    wb_free(&w);
}

static void if_without_else_joins_at_its_else_block(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    WB_FUNC(&w, "i", "i", 0, 0x20, 0, 0x04, 0x40, 0x41, 3, 0x21, 0, 0x0B, 0x20, 0, 0x0B);
    const char *s = text(&w);
    HAS(s, "brif v1, block1, block2(v1)");
    HAS(s, "jump block2(v2)");
    COUNT(s, "block3", 0);
    WB_FUNC(&w, "i", "i", 0, 0x41, 1, 0x20, 0, 0x04, 0, 0x41, 2, 0x6A, 0x0B,
            0x0B); /* parameter passes through */
    HAS(text(&w), "jump block3(v2)");
    wb_free(&w);
}

static void memory_base_is_loaded_once(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    WB_FUNC(&w, "i", "i", 0, 0x20, 0, 0x28, 2, 4, 0x20, 0, 0x28, 2, 8, 0x6A, 0x0B);
    const char *s = text(&w);
    COUNT(s, "load.i64 notrap aligned readonly can_move v0+", 1);
    COUNT(s, "iadd v", 2); /* one address for both, one sum */
    HAS(s, "load.i32 little v");
    wb_free(&w);
}

/* Checked memories: an access within what was compared already needs no comparison; base and length are loaded again
 * after a call, which may have grown the memory, and in another block. */
static void a_checked_address_is_compared_once(void **st) {
    (void)st;
    Wb w;
    wb_init(&w);
    w.tn.mem_style = WASM_MEM_CHECKED;
    /* load offset=8, load offset=0, load offset=12 of local 0; add; add */
    WB_FUNC(&w, "i", "i", 0, 0x20, 0, 0x28, 2, 8, 0x20, 0, 0x28, 2, 0, 0x20, 0, 0x28, 2, 12, 0x6A,
            0x6A, 0x0B);
    const char *s = text(&w);
    COUNT(s, "trapnz", 2);            /* up to 12, up to 16 */
    COUNT(s, "load.i64 notrap v", 2); /* length, base */
    COUNT(s, "load.i32 little v", 3);
    /* load; memory.grow; load; add; add */
    WB_FUNC(&w, "i", "i", 0, 0x20, 0, 0x28, 2, 0, 0x20, 0, 0x40, 0, 0x20, 0, 0x28, 2, 0, 0x6A, 0x6A,
            0x0B);
    s = text(&w);
    COUNT(s, "trapnz", 2);
    COUNT(s, "load.i64 notrap v", 4);
    /* load; block; local.get 0; br_if 0; load; drop; end */
    WB_FUNC(&w, "i", "i", 0, 0x20, 0, 0x28, 2, 0, 0x02, 0x40, 0x20, 0, 0x0D, 0, 0x20, 0, 0x28, 2, 0,
            0x1A, 0x0B, 0x0B);
    s = text(&w);
    COUNT(s, "trapnz", 2);
    wb_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branch_to_loop_goes_to_header),
        cmocka_unit_test(loop_parameters_go_to_header),
        cmocka_unit_test(br_table_without_values_is_direct),
        cmocka_unit_test(br_table_with_values_goes_through_one_block_per_depth),
        cmocka_unit_test(br_table_only_default_counts_its_values),
        cmocka_unit_test(br_table_arities_must_agree),
        cmocka_unit_test(br_table_to_loop_goes_to_header),
        cmocka_unit_test(compare_stays_narrow),
        cmocka_unit_test(dead_code_is_validated_and_silent),
        cmocka_unit_test(if_without_else_joins_at_its_else_block),
        cmocka_unit_test(memory_base_is_loaded_once),
        cmocka_unit_test(a_checked_address_is_compared_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
