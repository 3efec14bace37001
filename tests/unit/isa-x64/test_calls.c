/* Calls between CLIF and C with random signatures, both ways, under system_v and windows_fastcall: the C side is generated
 * and compiled by the system's compiler. Tail calls without end, exceptions through a landing pad, steps of unwinding. */
#include "exec.h"
#include <dlfcn.h>
#include <unistd.h>

enum { SIGNATURES = 2000, PARAMS = 14 };
static uint64_t seed;
static uint32_t pick(uint32_t n) {
    return (uint32_t)(rnd(&seed) >> 33) % n;
}
static ClifValue addr(Exec *x, const void *p) {
    return cb_iconst(&x->b, CLIF_I64, (int64_t)(intptr_t)p);
}
static uint16_t plain(Exec *x) {
    return clif_intern_memflags(&x->f, (ClifMemFlags){.region = CLIF_NONE});
}

typedef struct Shape {
    ClifAbiParam p[PARAMS], r;
    uint32_t n;
    bool windows, has_result;
} Shape;
static const struct {
    ClifType type;
    uint8_t ext;
    const char *c;
} kinds[] = {{CLIF_I8, CLIF_EXT_SEXT, "signed char"}, {CLIF_I8, CLIF_EXT_UEXT, "unsigned char"},
             {CLIF_I16, CLIF_EXT_SEXT, "short"},      {CLIF_I16, CLIF_EXT_UEXT, "unsigned short"},
             {CLIF_I32, CLIF_EXT_NONE, "int"},        {CLIF_I64, CLIF_EXT_NONE, "long"},
             {CLIF_F32, CLIF_EXT_NONE, "float"},      {CLIF_F64, CLIF_EXT_NONE, "double"},
             {CLIF_I32X4, CLIF_EXT_NONE, "vec"},      {CLIF_I128, CLIF_EXT_NONE, "__int128"}};

static const char *c_type(const ClifAbiParam *p) {
    for (unsigned k = 0;; k++)
        if (kinds[k].type == p->type && kinds[k].ext == p->ext) return kinds[k].c;
}
/* i128 only where compilers agree: system_v, with two integer registers free or none. */
static Shape shape_of(unsigned i) {
    Shape s;
    memset(&s, 0, sizeof s);
    seed = 77 + i;
    s.windows = i & 1;
    s.n = pick(PARAMS + 1);
    unsigned ints = 0;
    for (uint32_t k = 0; k <= s.n; k++) {
        unsigned t = pick(k == s.n ? 9 : 10);
        if (t == 9 && (s.windows || ints == 5)) t = 5;
        if (t < 6) ints++;
        if (t == 9) ints += 2;
        *(k == s.n ? &s.r : &s.p[k]) = (ClifAbiParam){.type = kinds[t].type, .ext = kinds[t].ext};
    }
    s.has_result = pick(8) != 0;
    return s;
}

static void generate(FILE *o) {
    fputs("typedef int vec __attribute__((vector_size(16)));\n"
          "unsigned char in[16][16] __attribute__((aligned(16))), seen[16][16] "
          "__attribute__((aligned(16)));\n",
          o);
    for (unsigned i = 0; i < SIGNATURES; i++) {
        Shape s = shape_of(i);
        const char *r = s.has_result ? c_type(&s.r) : "void",
                   *cc = s.windows ? "__attribute__((ms_abi))" : "";
        fprintf(o, "%s %s f%u(", cc, r, i);
        for (uint32_t k = 0; k < s.n; k++)
            fprintf(o, "%s%s p%u", k ? ", " : "", c_type(&s.p[k]), k);
        fprintf(o, "%s) {\n", s.n ? "" : "void");
        for (uint32_t k = 0; k < s.n; k++)
            fprintf(o, "    *(%s *)seen[%u] = p%u;\n", c_type(&s.p[k]), k, k);
        if (s.has_result) fprintf(o, "    return *(%s *)in[15];\n", r);
        fprintf(o, "}\nvoid g%u(void *to) {\n    typedef %s %s (*F)(", i, r, cc);
        for (uint32_t k = 0; k < s.n; k++) fprintf(o, "%s%s", k ? ", " : "", c_type(&s.p[k]));
        fprintf(o, "%s);\n    %s%s%s((F)to)(", s.n ? "" : "void", s.has_result ? "*(" : "",
                s.has_result ? r : "", s.has_result ? " *)seen[15] = " : "");
        for (uint32_t k = 0; k < s.n; k++)
            fprintf(o, "%s*(%s *)in[%u]", k ? ", " : "", c_type(&s.p[k]), k);
        fputs(");\n}\n", o);
    }
}

static void check(const Shape *s, unsigned i, uint8_t (*in)[16], uint8_t (*seen)[16]) {
    for (uint32_t k = 0; k < 16; k++) {
        if (k >= s->n && !(k == 15 && s->has_result)) continue;
        const ClifAbiParam *p = k == 15 ? &s->r : &s->p[k];
        if (memcmp(in[k], seen[k], clif_type_bytes(p->type)) == 0) continue;
        fail_msg("signature %u: value %u of %u", i, k, s->n);
    }
}

static void random_signatures_with_c(void **state) {
    (void)state;
    static const char *src = COT_BUILD_DIR "/calls.c", *lib = COT_BUILD_DIR "/calls.so";
    FILE *o = fopen(src, "w");
    assert_non_null(o);
    generate(o);
    fclose(o);
    assert_int_equal(
        system("cc -w -O0 -shared -fPIC -o " COT_BUILD_DIR "/calls.so " COT_BUILD_DIR "/calls.c"),
        0);
    void *so = dlopen(lib, RTLD_NOW);
    assert_non_null(so);
    uint8_t(*in)[16] = dlsym(so, "in"), (*seen)[16] = dlsym(so, "seen");
    static Exec x;
    exec_init(&x);
    for (unsigned i = 0; i < SIGNATURES; i++) {
        Shape s = shape_of(i);
        if (i % 100 == 0) exec_settings(&x, x64_host_flags(), i, false);
        ClifCallConv cc = s.windows ? CLIF_CC_WINDOWS_FASTCALL : CLIF_CC_SYSTEM_V;
        char name[16];
        for (unsigned k = 0; k < 256; k++) in[k / 16][k % 16] = (uint8_t)rnd(&seed);
        /* C calls CLIF */
        exec_begin(&x, cc, s.p, s.n, &s.r, s.has_result);
        uint16_t mf = plain(&x);
        for (uint32_t k = 0; k < s.n; k++)
            cb_store(&x.b, CLIF_OP_STORE, mf, (ClifValue){k}, addr(&x, seen[k]), 0);
        ClifValue v[PARAMS];
        if (s.has_result)
            v[0] = cb_load(&x.b, CLIF_OP_LOAD, (ClifType)s.r.type, mf, addr(&x, in[15]), 0);
        cb_return(&x.b, v, s.has_result);
        exec_compile(&x);
        memset(seen, 0, 256);
        snprintf(name, sizeof name, "g%u", i);
        void (*g)(void *) = (void (*)(void *))(uintptr_t)dlsym(so, name);
        g(x.code + x.at);
        check(&s, i, in, seen);
        /* CLIF calls C */
        exec_begin(&x, CLIF_CC_SYSTEM_V, NULL, 0, NULL, 0);
        mf = plain(&x);
        for (uint32_t k = 0; k < s.n; k++)
            v[k] = cb_load(&x.b, CLIF_OP_LOAD, (ClifType)s.p[k].type, mf, addr(&x, in[k]), 0);
        snprintf(name, sizeof name, "f%u", i);
        ClifInst call =
            cb_call_indirect(&x.b, clif_import_sig(&x.f, cc, s.p, s.n, &s.r, s.has_result),
                             addr(&x, dlsym(so, name)), v, s.n);
        if (s.has_result)
            cb_store(&x.b, CLIF_OP_STORE, mf, clif_result(&x.f, call, 0), addr(&x, seen[15]), 0);
        cb_return(&x.b, NULL, 0);
        exec_compile(&x);
        memset(seen, 0, 256);
        EXEC_FN(&x, void (*)(void))();
        check(&s, i, in, seen);
    }
    dlclose(so);
    exec_free(&x);
}

/* ---- exceptions ---- */
static Exec *thrown_in;
static void
throw_it(uint64_t a) { /* two frames up is the function under test; it has one handler */
    uintptr_t *fp = __builtin_frame_address(0), rbp = fp[0], rsp = rbp - thrown_in->out.frame_size,
              to = (uintptr_t)thrown_in->code + thrown_in->at + thrown_in->out.handlers[0].offset;
    if (a == 0) return;
    __asm__ volatile("mov %0, %%rsp\n\tmov %1, %%rbp\n\tjmp *%2"
                     :
                     : "r"(rsp), "r"(rbp), "r"(to), "a"(a), "d"(7ul)
                     : "memory");
}
/* f(a, b): try throw_it(a); returned: b + 1; caught (x, y): x + y + b */
static void exceptions_land(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    thrown_in = &x;
    for (unsigned n = 0; n < 40; n++) {
        exec_settings(&x, x64_host_flags(), n, false);
        x.set.unwind_info = true;
        mach_ctx_free(x.mc);
        x.mc = mach_ctx_new(&x.mem, &isa_x64, &x.set);
        ClifAbiParam p[2] = {{.type = CLIF_I64}, {.type = CLIF_I64}};
        exec_begin(&x, CLIF_CC_SYSTEM_V, p, 2, p, 1);
        ClifBlock ok = cb_create_block(&x.b), bad = cb_create_block(&x.b);
        ClifSigRef sig = clif_import_sig(&x.f, CLIF_CC_TAIL, p, 1, NULL, 0);
        ClifValue e0 = clif_append_block_param(&x.f, bad, CLIF_I64),
                  e1 = clif_append_block_param(&x.f, bad, CLIF_I64);
        ListRef calls[2] = {clif_make_blockcall(&x.f, ok, NULL, 0),
                            clif_make_blockcall(&x.f, bad,
                                                (ClifValue[]){{CLIF_BLOCKARG_TRY_EXN | 0},
                                                              {CLIF_BLOCKARG_TRY_EXN | 1}},
                                                2)};
        ClifEhItem tag = {.kind = CLIF_EH_TAG, .tag = 5};
        ClifEhTable t = clif_make_eh_table(&x.f, sig, calls, 2, &tag, 1);
        ClifValue callee = addr(&x, (const void *)throw_it), zero = {0};
        ListRef args = 0;
        list_push(&x.mem, &x.f.lists, &args, callee.i);
        list_push(&x.mem, &x.f.lists, &args, zero.i);
        cb_ins(&x.b, (ClifInstData){
                         .op = CLIF_OP_TRY_CALL_INDIRECT, .type = CLIF_I64, .a = args, .c = t.i});
        cb_switch_to(&x.b, ok);
        ClifValue r = cb_binary(&x.b, CLIF_OP_IADD, (ClifValue){1}, cb_iconst(&x.b, CLIF_I64, 1));
        cb_return(&x.b, &r, 1);
        cb_switch_to(&x.b, bad);
        r = cb_binary(&x.b, CLIF_OP_IADD, e0, cb_binary(&x.b, CLIF_OP_IADD, e1, (ClifValue){1}));
        cb_return(&x.b, &r, 1);
        exec_compile(&x);
        assert_int_equal(x.out.num_handlers, 1);
        assert_int_equal(x.out.handlers[0].tag, 5);
        assert_true(x.out.num_unwind >= 3);
        uint64_t (*f)(uint64_t, uint64_t) = EXEC_FN(&x, uint64_t(*)(uint64_t, uint64_t));
        assert_int_equal(f(0, 100), 101);
        assert_int_equal(f(1000, 100), 1107);
    }
    exec_free(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_signatures_with_c),
                                       cmocka_unit_test(exceptions_land)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
