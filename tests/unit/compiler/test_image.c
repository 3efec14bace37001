/* Images of compiled modules: the same bytes for any number of threads, whole again after a file, refused when cut, changed, or
 * made for something else; look-ups agree with the compiler's own tables. */
#include "runtime/rt_test.h"
#include <pthread.h>
#include <sys/mman.h>

static Tm tm;
static void make_module(void) {
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "f", "i:i");
    TM_FUNC(&tm, "add", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6A);
    TM_FUNC(&tm, "load", "i:i", 0, 0x20, 0, 0x28, 2, 0);
    TM_FUNC(&tm, "div", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6D);
    TM_FUNC(&tm, "floor", "F:F", 0, 0x20, 0, 0x9C);
    TM_FUNC(&tm, "call", "ii:i", 0, 0x20, 0, 0x20, 1, 0x11, 0, 0);
    TM_FUNC(&tm, "global", ":i", 0, 0x23, 0);
    TM_SET(&tm, mem, 1, 1, 1, 2);
    TM_SET(&tm, table, 1, 0x70, 0, 8);
    TM_SET(&tm, globals, 2, 0x7F, 1, 0x41, 5, 0x0B, 0x70, 0, 0xD2, 2, 0x0B);
    /* functions; then expressions, one of which reads a constant */
    TM_SET(&tm, elems, 2, 0, 0x41, 1, 0x0B, 2, 0, 1, 5, 0x70, 2, 0xD2, 1, 0x0B, 0xD0, 0x70, 0x0B);
    TM_SET(&tm, datas, 2, 0, 0x41, 3, 0x0B, 3, 'x', 'y', 'z', 1, 2, 'p', 'q');
    tm.export_memory = tm.export_table = true;
    tm_finish(&tm);
}

static RtHostResult twice(void *user, RtInstance *caller, RtVal *v) {
    (void)user;
    (void)caller;
    v[0].i32 *= 2;
    return RT_HOST_OK;
}
static RtStore *store;
static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    (void)user;
    return im->kind == WASM_EXT_FUNC && rt_host_func(store, "i", "i", twice, NULL, out);
}

static uint8_t *serialized(const RtModule *m, size_t *n) {
    *n = (size_t)img_size(rt_module_image(m)->h);
    uint8_t *bytes = malloc(*n);
    CHECK(bytes);
    rt_module_serialize(m, bytes);
    return bytes;
}

/* The error's kind; DIAG_NONE: it is accepted. */
static DiagKind opening(RtEngine *e, const uint8_t *bytes, size_t n, RtModule **out) {
    Diag d;
    RtBlob b;
    diag_clear(&d);
    CHECK(rt_blob_copy(&b, bytes, n, &d));
    RtModule *m = rt_module_new(e, &b, IMG_VERIFIED, &d);
    CHECK(!m == (d.kind != DIAG_NONE));
    if (out)
        *out = m;
    else
        rt_module_free(m);
    return d.kind;
}

static void run_all(RtEngine *e, RtModule *m) {
    Diag d;
    diag_clear(&d);
    store = rt_store_new(e);
    RtInstance *i = rt_instantiate(store, m, resolve, NULL, &d);
    uint64_t r;
    RtVal v = {.i64 = 0x400C000000000000}; /* 3.5 */
    if (!i) fprintf(stderr, "%s\n", d.msg);
    CHECK(i);
    CHECK(call2(i, "add", 3, 4, &r) && (uint32_t)r == 7);
    CHECK(call2(i, "load", 2, 0, &r) && (uint32_t)r == 0x7A797800);
    CHECK(trap_of(i, "load", 131072, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(rt_store_trap(store)->num_frames == 1 && rt_store_trap(store)->frames[0].func == 2);
    CHECK(trap_of(i, "div", 1, 0) == VM_TRAP_DIVISION_BY_ZERO);
    CHECK(call2(i, "call", 21, 1, &r) && (uint32_t)r == 42); /* the host function, by the table */
    CHECK(trap_of(i, "call", 0, 2) == VM_TRAP_BAD_SIGNATURE);
    CHECK(trap_of(i, "call", 0, 3) == VM_TRAP_INDIRECT_CALL_TO_NULL);
    CHECK(call2(i, "global", 0, 0, &r) && (uint32_t)r == 5);
    RtFunc f = func(i, "floor");
    CHECK(rt_call(store, &f, &v) && v.i64 == 0x4008000000000000);
    rt_store_free(store);
}

static void each_engine(void (*body)(const EngineConfig *)) {
    for (unsigned how = 0; how < 8; how++) {
        EngineConfig c = test_config();
        c.rt.explicit_bounds = how & 1;
        c.rt.no_signals = how & 2;
        c.rt.interruptible = how & 4;
        c.isa_flags = how & 1 ? 0 : c.isa_flags; /* floor is a call, or an instruction */
        body(&c);
    }
}

static void whole_again(const EngineConfig *c) {
    make_module();
    RtEngine *e = new_engine(c), *other = new_engine(c);
    RtModule *m = new_module(e, &tm), *back;
    size_t n, n2;
    uint8_t *bytes = serialized(m, &n);
    CHECK(opening(other, bytes, n, &back) == DIAG_NONE);
    uint8_t *again = serialized(back, &n2);
    CHECK(n == n2 && memcmp(bytes, again, n) == 0);
    run_all(e, m);
    run_all(other, back);
    rt_module_free(back);
    FILE *f = tmpfile();
    CHECK(f && fwrite(bytes, 1, n, f) == n && fflush(f) == 0);
    RtBlob b;
    Diag d;
    diag_clear(&d);
    CHECK(rt_blob_map(&b, fileno(f), &d));
    back = rt_module_new(other, &b, IMG_VERIFIED, &d);
    CHECK(back);
    fclose(f);
    run_all(other, back);
    rt_module_free(back);
    rt_module_free(m);
    rt_engine_free(e);
    rt_engine_free(other);
    free(bytes);
    free(again);
}
static void whole_again_everywhere(void) {
    each_engine(whole_again);
}

/* The image of the module, by a compiler of its own. */
static uint8_t *image_by(const CompilerConfig *c, size_t *n) {
    Diag d;
    diag_clear(&d);
    Compiler *by = compiler_new(c, &d);
    Compiled *m = by ? compiler_run(by, tm.out, tm.n, NULL, &d) : NULL;
    CHECK(m);
    *n = compiled_plan_image(m, &d);
    uint8_t *p = calloc(1, *n);
    CHECK(*n && p);
    compiled_write_image(m, p);
    compiled_free(m);
    compiler_free(by);
    return p;
}
static void the_same_for_any_number_of_threads(void) {
    make_module();
    CompilerConfig c = {.threads = 1};
    size_t n, n2;
    uint8_t *one = image_by(&c, &n);
    for (c.threads = 2; c.threads < 5; c.threads++) {
        uint8_t *p = image_by(&c, &n2);
        CHECK(n == n2 && memcmp(one, p, n) == 0);
        free(p);
    }
    free(one);
}

static void changed_or_cut(void) {
    make_module();
    EngineConfig c = test_config();
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, &tm);
    size_t n;
    uint8_t *bytes = serialized(m, &n);
    for (size_t k = 0; k < n; k += k < 2048 ? 1 : 97) {
        uint8_t *cut = malloc(k + 1); /* exactly as much, for the sanitizer */
        memcpy(cut, bytes, k);
        CHECK(opening(e, cut, k, NULL) == DIAG_MALFORMED);
        free(cut);
    }
    unsigned accepted = 0;
    for (size_t k = 0; k < n; k++) {
        uint8_t was = bytes[k];
        bytes[k] ^= (uint8_t)(1 << k % 8);
        DiagKind kind = opening(e, bytes, n, NULL);
        CHECK(kind == DIAG_NONE || kind == DIAG_MALFORMED || kind == DIAG_UNSUPPORTED);
        accepted += kind == DIAG_NONE;
        bytes[k] = was;
    }
    CHECK(accepted == 0); /* also the zeros between tables and code are summed */
    uint8_t *longer = calloc(1, n + 1);
    memcpy(longer, bytes, n);
    CHECK(opening(e, longer, n + 1, NULL) == DIAG_MALFORMED);
    CHECK(opening(e, tm.out, tm.n, NULL) == DIAG_MALFORMED);
    free(longer);
    free(bytes);
    rt_module_free(m);
    rt_engine_free(e);
}

/* One field of the header changed, with the right sum. */
static DiagKind with_header(RtEngine *e, const uint8_t *bytes, size_t n, ImgHeader h) {
    uint8_t *p = malloc(n);
    memcpy(p, bytes, n);
    memcpy(p, &h, sizeof h);
    img_set_sums((ImgHeader *)(void *)p, p);
    DiagKind k = opening(e, p, n, NULL);
    free(p);
    return k;
}
static void made_for_something_else(void) {
    make_module();
    EngineConfig c = test_config();
    RtEngine *e = new_engine(&c);
    RtModule *m = new_module(e, &tm);
    size_t n;
    uint8_t *bytes = serialized(m, &n);
    ImgHeader h, w;
    memcpy(&h, bytes, sizeof h);
    CHECK(with_header(e, bytes, n, h) == DIAG_NONE);
#define WITH(change) (w = h, w.change, with_header(e, bytes, n, w))
    CHECK(WITH(abi++) == DIAG_UNSUPPORTED);
    CHECK(WITH(arch = 99) == DIAG_UNSUPPORTED);
    CHECK(WITH(layout++) == DIAG_UNSUPPORTED);
    CHECK(WITH(cpu |= (uint64_t)1 << 60) == DIAG_UNSUPPORTED);
    CHECK(WITH(flags |= 1u << 30) == DIAG_UNSUPPORTED);
    CHECK(WITH(start = 12345) == DIAG_MALFORMED);
    CHECK(WITH(start = 1) == DIAG_MALFORMED); /* a function with parameters */
    CHECK(WITH(imported_funcs++) == DIAG_MALFORMED);
    CHECK(WITH(funcrefs--) == DIAG_MALFORMED);
    CHECK(WITH(const_depth = 0) == DIAG_MALFORMED);
    CHECK(WITH(sections[IMG_ROUTINES].n = 100000) == DIAG_MALFORMED);
    CHECK(WITH(sections[IMG_TYPES].off = 12) == DIAG_MALFORMED);
    CHECK(WITH(sections[IMG_CODES].off = 0) == DIAG_MALFORMED);
    EngineConfig o = c;
    RtEngine *others[3];
    o.rt.explicit_bounds = true;
    others[0] = new_engine(&o);
    o = c;
    o.rt.no_signals = true;
    others[1] = new_engine(&o);
    o = c;
    o.rt.interruptible = true;
    others[2] = new_engine(&o);
    for (int k = 0; k < 3; k++) {
        CHECK(opening(others[k], bytes, n, NULL) == DIAG_UNSUPPORTED);
        rt_engine_free(others[k]);
    }
    free(bytes);
    rt_module_free(m);
    rt_engine_free(e);
}

static void look_ups_agree_with_the_unit(void) {
    make_module();
    Diag d;
    diag_clear(&d);
    Compiler *by = compiler_new(&(CompilerConfig){.threads = 1}, &d);
    Compiled *m = compiler_run(by, tm.out, tm.n, NULL, &d);
    CHECK(m);
    size_t n = compiled_plan_image(m, &d);
    uint8_t *p = calloc(1, n);
    compiled_write_image(m, p);
    img_set_sums((ImgHeader *)(void *)p, p);
    Image img;
    CHECK(img_open(&img, p, n, IMG_VERIFIED, &d));
    const CodeUnit *u = compiled_unit(m);
    for (uint32_t at = 0; at < u->code.n + 20; at++) {
        CHECK(img_find_func(&img, at) == unit_find_func(u, at));
        CHECK(img_find_trap(&img, at) == unit_find_trap(u, at));
        CHECK(img_find_loc(&img, at) == unit_find_loc(u, at));
    }
    CHECK(img_find_export(&img, "div", 3) == 2 && img_find_export(&img, "memory", 6) == 6);
    CHECK(img_find_export(&img, "di", 2) == IMG_NONE && img_find_export(&img, "", 0) == IMG_NONE);
    CHECK(img.nelem_funcs == 2 + 2 && img.nelem_exprs == 0); /* null needs no expression */
    compiled_free(m);
    compiler_free(by);
    free(p);
}

/* A host function gets a reference before any module has an adapter for its type. */
static void adapters_come_with_the_modules(void) {
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "f", "i:i");
    TM_FUNC(&tm, "other", ":I", 0, 0x42, 1);
    tm_finish(&tm);
    EngineConfig c = test_config();
    RtEngine *e = new_engine(&c);
    RtModule *with = new_module(e, &tm);
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "other", ":I", 0, 0x42, 1);
    tm_finish(&tm);
    RtModule *without = new_module(e, &tm);
    Diag d;
    diag_clear(&d);
    store = rt_store_new(e);
    RtExtern x, y;
    CHECK(rt_host_func(store, "i", "i", twice, NULL, &x));
    CHECK(rt_host_func(store, "F", "F", twice, NULL, &y));
    VmFuncRef *r = rt_func_ref(&x.func, &d), *r2 = rt_func_ref(&y.func, &d);
    CHECK(r && !r->code && r2 && !r2->code && rt_func_ref(&x.func, &d) == r);
    CHECK(rt_instantiate(store, without, resolve, NULL, &d) && !r->code);
    CHECK(rt_instantiate(store, with, resolve, NULL, &d) && r->code && !r2->code);
    const Image *img = rt_module_image(with);
    CHECK((const uint8_t *)r->code == img->code + img->types[0].host);
    CHECK(rt_host_func(store, "i", "i", twice, NULL, &x));
    VmFuncRef *later = rt_func_ref(&x.func, &d);
    CHECK(later != r && later->code == r->code);
    rt_store_free(store);
    rt_module_free(with);
    rt_module_free(without);
    rt_engine_free(e);
}

/* Tables, code and slots in three places, as in a program; several engines, from several threads. */
static RtLinked parts;
static RtEngine *engines[2];
static void *link_and_run(void *arg) {
    Diag d;
    diag_clear(&d);
    RtModule *m = rt_module_linked(arg, &parts, &d);
    CHECK(m && rt_module_serialized_size(m) == 0);
    rt_module_free(m);
    return NULL;
}
static void linked(const EngineConfig *c) {
    make_module();
    RtEngine *e = new_engine(c);
    RtModule *m = new_module(e, &tm);
    size_t n;
    uint8_t *bytes = serialized(m, &n);
    const ImgHeader *h = (const void *)bytes;
    size_t code = ((size_t)h->code_size + IMG_PAGE - 1) / IMG_PAGE * IMG_PAGE;
    uint8_t *place =
        mmap(NULL, code + IMG_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(place != MAP_FAILED);
    memcpy(place, bytes + h->code_off, (size_t)h->code_size);
    CHECK(!mprotect(place, code, PROT_READ | PROT_EXEC));
    parts = (RtLinked){bytes, place, place + code};
    pthread_t t[8];
    for (int k = 0; k < 2; k++) engines[k] = new_engine(c);
    for (int k = 0; k < 8; k++) CHECK(!pthread_create(&t[k], NULL, link_and_run, engines[k % 2]));
    for (int k = 0; k < 8; k++) CHECK(!pthread_join(t[k], NULL));
    for (int k = 0; k < 2; k++) {
        Diag d;
        diag_clear(&d);
        RtModule *l = rt_module_linked(engines[k], &parts, &d);
        CHECK(l);
        run_all(engines[k], l);
        rt_module_free(l);
        rt_engine_free(engines[k]);
    }
    ImgHeader other = *h;
    other.abi++;
    Diag d;
    diag_clear(&d);
    parts.tables = &other;
    CHECK(!rt_module_linked(e, &parts, &d) && d.kind == DIAG_UNSUPPORTED);
    munmap(place, code + IMG_PAGE);
    free(bytes);
    rt_module_free(m);
    rt_engine_free(e);
}
static void linked_everywhere(void) {
    each_engine(linked);
}

int main(void) {
    const struct CMUnitTest tests[] = {RT_TEST(whole_again_everywhere),
                                       RT_TEST(the_same_for_any_number_of_threads),
                                       RT_TEST(changed_or_cut),
                                       RT_TEST(made_for_something_else),
                                       RT_TEST(look_ups_agree_with_the_unit),
                                       RT_TEST(adapters_come_with_the_modules),
                                       RT_TEST(linked_everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
