/* Symbols by name, definitions and what they refuse, labels, taking definitions back; names in compiled code. */
#include <stdio.h>
#include "cm.h"
#include "module/linkable.h"

typedef struct Fix {
    Mem mem;
    Linkable k;
    Diag d;
} Fix;
static void begin(Fix *x) {
    mem_init(&x->mem, NULL);
    linkable_init(&x->k, &x->mem, &isa_x64);
    diag_clear(&x->d);
}
static void end(Fix *x) {
    linkable_free(&x->k);
    assert_int_equal(x->mem.live, 0);
}
static LinkSym sym(Fix *x, const char *name) {
    return linkable_symbol(&x->k, name, strlen(name));
}
static bool data(Fix *x, LinkSym s, const char *bytes, size_t n, uint32_t align) {
    LinkData t = {.bytes = (const uint8_t *)bytes, .size = n, .align = align, .kind = LINK_CONST};
    diag_clear(&x->d);
    return linkable_define_data(&x->k, s, &t, &x->d);
}

static void names_have_one_symbol(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    char name[16];
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "s%u", i);
        assert_int_equal(sym(&x, name), i);
    }
    for (uint32_t i = 0; i < 5000; i += 7) {
        snprintf(name, sizeof name, "s%u", i);
        assert_int_equal(sym(&x, name), i);
        assert_int_equal(linkable_find(&x.k, name, strlen(name)), i);
        assert_string_equal(linkable_at(&x.k, i)->name, name);
    }
    assert_int_equal(linkable_find(&x.k, "t", 1), LINK_NO_SYM);
    LinkSym a = linkable_anonymous(&x.k), b = linkable_anonymous(&x.k);
    assert_int_not_equal(a, b);
    assert_int_equal(linkable_at(&x.k, a)->binding, LINK_LOCAL);
    LinkSym ceil = linkable_libcall(&x.k, CLIF_LIBCALL_CEIL_F64);
    assert_int_equal(ceil, sym(&x, "ceil"));
    assert_int_equal(linkable_libcall(&x.k, CLIF_LIBCALL_CEIL_F64), ceil);
    end(&x);
}

static void definitions_are_checked(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    LinkSym a = sym(&x, "a"), b = sym(&x, "b"), c = sym(&x, "c"), in;
    assert_int_equal(linkable_kind(&x.k, a), LINK_UNDEFINED);
    assert_true(data(&x, a, "12345678", 8, 4));
    assert_int_equal(linkable_kind(&x.k, a), LINK_CONST);
    assert_false(data(&x, a, "12345678", 8, 4));
    assert_string_equal(x.d.msg, "'a' is defined already");
    assert_false(data(&x, b, "1", 1, 3));
    assert_false(data(&x, b, "1", 1, 0));
    assert_false(data(&x, 77, "1", 1, 1));
    LinkAddress outside = {1, 0, a}, nobody = {0, 0, 77};
    LinkData t = {.size = 8,
                  .align = 8,
                  .kind = LINK_DATA,

                  .addresses = &outside,
                  .naddresses = 1};
    assert_false(linkable_define_data(&x.k, b, &t, &x.d));
    t.addresses = &nobody;
    assert_false(linkable_define_data(&x.k, b, &t, &x.d));
    assert_int_equal(linkable_kind(&x.k, b), LINK_UNDEFINED);
    diag_clear(&x.d);
    assert_true(linkable_define_label(&x.k, b, a, 3, 1, &x.d));
    assert_true(linkable_define_label(&x.k, c, b, 2, 1, &x.d));
    assert_int_equal(linkable_place(&x.k, c, &in), 5);
    assert_int_equal(in, a);
    LinkSym e = sym(&x, "e");
    assert_false(linkable_define_label(&x.k, e, e, 0, 0, &x.d));
    assert_string_equal(x.d.msg, "'e' would be inside itself");
    assert_int_equal(x.k.waiting.n, 1);
    linkable_undefine(&x.k, a);
    assert_int_equal(x.k.waiting.n, 0);
    assert_int_equal(linkable_kind(&x.k, a), LINK_UNDEFINED);
    end(&x);
}

/* Code refers by number, by the text's names, by the text's numbers, to the library. */
static void names_of_code(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    LinkSym f = sym(&x, "f"), g = sym(&x, "g");
    ClifFunc text;
    clif_func_init(&text, &x.mem);
    ClifName named = clif_testcase_name(&text, "named", 5);
    MachReloc r[] = {{.offset = 0, .kind = MACH_RELOC_ABS8, .name = {CLIF_NAME_USER, 0, g}},
                     {.offset = 8, .kind = MACH_RELOC_ABS8, .name = named},
                     {.offset = 16,
                      .kind = MACH_RELOC_ABS8,
                      .name = {CLIF_NAME_LIBCALL, CLIF_LIBCALL_MEMCPY, 0}}};
    uint8_t bytes[24] = {0};
    MachCompiled c = {.code = bytes, .size = sizeof bytes, .relocs = r, .num_relocs = 1};
    LinkCode in = {.code = &c};
    r[0].name.b = 99;
    assert_false(linkable_define_func(&x.k, f, &in, &x.d));
    assert_non_null(strstr(x.d.msg, "'f' refers to a name that is no symbol"));
    r[0].name.b = g;
    c.num_relocs = 3;
    in.f = &text;
    diag_clear(&x.d);
    assert_true(linkable_define_func(&x.k, f, &in, &x.d));
    const LinkDef *def = linkable_at(&x.k, f)->def;
    assert_int_equal(def->align, 16);
    assert_int_equal(def->nrelocs, 3);
    assert_int_equal(def->relocs[0].target, g);
    assert_int_equal(def->relocs[1].target, sym(&x, "named"));
    assert_int_equal(def->relocs[2].target, sym(&x, "memcpy"));
    in.text_numbers = true;
    r[0].name = (ClifName){CLIF_NAME_USER, 3, 99};
    assert_true(linkable_define_func(&x.k, g, &in, &x.d));
    assert_int_equal(linkable_at(&x.k, g)->def->relocs[0].target, sym(&x, "u3_99"));
    clif_func_free(&text);
    end(&x);
}

/* Local symbols are not found and may be many; what waits stays in order when something is taken back. */
static void locals_and_order(void **state) {
    (void)state;
    Fix x;
    begin(&x);
    LinkSym a = linkable_local(&x.k, "f", 1), b = linkable_local(&x.k, "f", 1), c = sym(&x, "f");
    assert_true(a != b && b != c && a != c);
    assert_int_equal(sym(&x, "f"), c);
    assert_int_equal(linkable_at(&x.k, a)->binding, LINK_LOCAL);
    assert_string_equal(linkable_at(&x.k, b)->name, "f");
    assert_int_equal(linkable_find(&x.k, "g", 1), LINK_NO_SYM);
    LinkSym g = sym(&x, "g");
    assert_true(data(&x, a, "1", 1, 1) && data(&x, b, "2", 1, 1));
    assert_true(data(&x, c, "3", 1, 1) && data(&x, g, "4", 1, 1));
    linkable_undefine(&x.k, b);
    assert_int_equal(x.k.waiting.n, 3);
    assert_int_equal(x.k.waiting.p[0], a);
    assert_int_equal(x.k.waiting.p[1], c);
    assert_int_equal(x.k.waiting.p[2], g);
    linkable_undefine(&x.k, g);
    linkable_undefine(&x.k, a);
    assert_int_equal(x.k.waiting.n, 1);
    assert_int_equal(x.k.syms.p[x.k.waiting.p[0]].waits_at, 0);
    end(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_one_symbol), cmocka_unit_test(definitions_are_checked),
        cmocka_unit_test(locals_and_order), cmocka_unit_test(names_of_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
