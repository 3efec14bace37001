/* Facts for debuggers in images: what is read from one is what the compilation knew; a string of them that was cut or changed is used as
 * far as it goes. */
#include "compiler/facts.h"
#include "mach/isa.h"
#include "runtime/rt_test.h"

static Tm tm;
static void make_module(void) {
    static const uint8_t info[] = {0,   20,  11,  '.', 'd', 'e', 'b', 'u', 'g', '_', 'i',
                                   'n', 'f', 'o', 4,   0,   0,   0,   1,   2,   3,   4};
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "f", "i:i");
    /* a constant; a variable over a call; a vector */
    TM_FUNC(&tm, "add", "ii:i", 1, 1, 0x7F, 0x41, 0x7F, 0x21, 2, 0x20, 0, 0x20, 1, 0x6A, 0x22, 0,
            0x10, 0, 0x20, 0, 0x6A, 0x20, 2, 0x6A);
    TM_FUNC(&tm, "nothing", ":", 0);
    TM_FUNC(&tm, "wide", "i:i", 1, 1, 0x7B, 0x20, 0, 0xFD, 17, 0x21, 1, 0x20, 0, 0x10, 0, 0x20, 1,
            0xFD, 27, 2, 0x6A);
    TM_FUNC(&tm, "div", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6D);
    tm_finish(&tm);
    memcpy(tm.out + tm.n, info, sizeof info);
    tm.n += sizeof info;
}

static Compiled *compiled;
static uint8_t *image;
static Image img;
static Compiler *by;

static void compile(void) {
    Diag d;
    diag_clear(&d);
    make_module();
    by = compiler_new(
        &(CompilerConfig){
            .threads = 1, .unwind = true, .debug = true, .keep_source = true, .keep_facts = true},
        &d);
    assert_non_null(by);
    compiled = compiler_run(by, tm.out, tm.n, NULL, &d);
    if (!compiled) fail_msg("%s", d.msg);
    size_t n = compiled_plan_image(compiled, &d);
    image = calloc(1, n);
    compiled_write_image(compiled, image);
    img_view(&img, image);
}

static void same_text(DwarfStr a, DwarfStr b) {
    assert_int_equal(a.n, b.n);
    if (a.n) assert_memory_equal(a.p, b.p, a.n);
}

static void what_was_known_is_read(void **st) {
    (void)st;
    Mem m;
    CodeFacts a, b;
    mem_init(&m, NULL);
    facts_of(compiled, &m, true, &a);
    facts_of_image(&img, isa_host(), &m, &b);
    assert_int_equal(a.funcs.n, 4);
    assert_int_equal(b.funcs.n, 4);
    assert_true(a.homes.n > 8 && a.unwind.n > 10);
    for (uint32_t i = 0; i < 4; i++) {
        const DwarfCode *x = &a.funcs.p[i], *y = &b.funcs.p[i];
        same_text(x->name, y->name);
        assert_int_equal(x->at.offset, y->at.offset);
        assert_int_equal(x->at.size, y->at.size);
        assert_int_equal(x->source, y->source);
        assert_int_equal(x->source_end, y->source_end);
        assert_int_equal(x->nhomes, y->nhomes);
        for (uint32_t k = 0; k < x->nhomes; k++) {
            const DwarfHome *h = &x->homes[k], *g = &y->homes[k];
            assert_int_equal(h->start, g->start);
            assert_int_equal(h->end, g->end);
            assert_int_equal(h->local, g->local);
            assert_int_equal(h->place, g->place);
            assert_int_equal(h->constant, g->constant);
            assert_memory_equal(h->bits, g->bits, sizeof h->bits);
        }
        assert_int_equal(x->nlocs, y->nlocs);
        if (x->nlocs) assert_memory_equal(x->locs, y->locs, x->nlocs * sizeof *x->locs);
    }
    assert_int_equal(a.pieces.n, b.pieces.n);
    assert_memory_equal(a.pieces.p, b.pieces.p, a.pieces.n * sizeof *a.pieces.p);
    assert_int_equal(a.unwind.n, b.unwind.n);
    for (uint32_t i = 0; i < a.unwind.n; i++) {
        const MachUnwind *x = &a.unwind.p[i], *y = &b.unwind.p[i];
        assert_true(x->offset == y->offset && x->kind == y->kind && x->reg == y->reg &&
                    x->value == y->value);
    }
    assert_int_equal(a.source_base, b.source_base);
    assert_int_equal(a.nglobals, b.nglobals);
    assert_memory_equal(&a.layout, &b.layout, sizeof a.layout);
    facts_free(&a);
    facts_free(&b);
    assert_int_equal(m.live, 0);
}

static void describe(Mem *m, CodeFacts *f) {
    DwarfOutput o;
    facts_of_image(&img, isa_host(), m, f);
    assert_int_equal(f->funcs.n, 4);
    dwarf_output_init(&o, m);
    debug_write(f, "m.wasm", &o);
    dwarf_output_free(&o);
}

static void damage_ends_it(void **st) {
    (void)st;
    Mem m;
    CodeFacts whole, f;
    ImgSource *s = (ImgSource *)(uintptr_t)img.source;
    uint8_t *p = (uint8_t *)(uintptr_t)img.bytes + s->off;
    mem_init(&m, NULL);
    assert_int_equal(s->kind, IMG_SOURCE_FACTS);
    facts_of_image(&img, isa_host(), &m, &whole);
    uint32_t n = s->n;
    for (s->n = 0; s->n < n; s->n++) {
        describe(&m, &f);
        assert_true(f.pieces.n < whole.pieces.n);
        for (uint32_t i = 0; i < f.pieces.n; i++)
            assert_int_equal(f.pieces.p[i].off, whole.pieces.p[i].off);
        facts_free(&f);
    }
    for (uint32_t i = 0; i < n; i++)
        for (unsigned x = 1; x < 256; x += 2) {
            p[i] ^= (uint8_t)x;
            describe(&m, &f);
            facts_free(&f);
            p[i] ^= (uint8_t)x;
        }
    facts_free(&whole);
    assert_int_equal(m.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_known_is_read),
                                       cmocka_unit_test(damage_ends_it)};
    compile();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    compiled_free(compiled);
    compiler_free(by);
    free(image);
    return failed;
}
