/* Calling conventions, frames and stack checks, by running them: values passed between functions of random signatures, calls
 * to and from C, kept registers, stack limits, probes of large frames, variadic calls. */
#include "exec.h"
#include <pthread.h>

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

/* ---- random signatures ---- */
typedef struct Shape {
    ClifAbiParam p[40], r[24];
    uint32_t np, nr, from[24]; /* result k is parameter from[k] */
} Shape;

static void random_shape(Shape *s, ClifCallConv cc) {
    static const ClifType types[] = {CLIF_I64, CLIF_I32, CLIF_F64, CLIF_F32,
                                     CLIF_I16, CLIF_I8,  CLIF_I32, CLIF_I64};
    memset(s, 0, sizeof *s);
    s->np = 1 + pick(39);
    for (uint32_t k = 0; k < s->np; k++) s->p[k].type = types[pick(8)];
    if (cc != CLIF_CC_SYSTEM_V && pick(2))
        s->p[0] = (ClifAbiParam){.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX};
    s->nr = pick(25);
    for (uint32_t k = 0; k < s->nr; k++) {
        s->from[k] = pick(s->np);
        s->r[k] = (ClifAbiParam){.type = s->p[s->from[k]].type};
    }
}

/* The caller loads the arguments from one array and stores the results into another; the callee permutes. */
static void values_arrive(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    const ClifCallConv ccs[] = {CLIF_CC_SYSTEM_V, CLIF_CC_FAST, CLIF_CC_TAIL};
    for (int n = 0; n < 600; n++) {
        seed = (uint64_t)n;
        Shape s;
        ClifCallConv cc = ccs[n % 3];
        random_shape(&s, cc);
        if (n % 50 == 0) exec_settings(&x, x64_host_flags(), (uint64_t)n, false);
        x.at = 0;
        exec_begin(&x, cc, s.p, s.np, s.r, s.nr);
        ClifValue v[40];
        for (uint32_t k = 0; k < s.nr; k++) v[k] = (ClifValue){s.from[k]};
        cb_return(&x.b, v, s.nr);
        exec_compile(&x);
        const uint8_t *callee = x.code;
        x.at = CODE_BYTES / 2;
        ClifAbiParam two[2] = {{.type = CLIF_I64}, {.type = CLIF_I64}};
        exec_begin(&x, CLIF_CC_SYSTEM_V, two, 2, NULL, 0);
        uint16_t mf = plain(&x);
        for (uint32_t k = 0; k < s.np; k++)
            v[k] = cb_load(&x.b, CLIF_OP_LOAD, s.p[k].type, mf, (ClifValue){0}, (int32_t)(8 * k));
        ClifSigRef sig = clif_import_sig(&x.f, cc, s.p, s.np, s.r, s.nr);
        ClifInst call = cb_call_indirect(&x.b, sig, addr(&x, callee), v, s.np);
        for (uint32_t k = 0; k < s.nr; k++)
            cb_store(&x.b, CLIF_OP_STORE, mf, clif_result(&x.f, call, k), (ClifValue){1},
                     (int32_t)(8 * k));
        cb_return(&x.b, NULL, 0);
        exec_compile(&x);
        uint64_t in[40], out[24];
        for (int k = 0; k < 40; k++) in[k] = rnd(&seed);
        memset(out, 0xAA, sizeof out);
        assert_int_equal(EXEC({
                             EXEC_FN(&x, void (*)(uint64_t *, uint64_t *))
                             (in, out);
                         }),
                         CLIF_TRAP_NONE);
        for (uint32_t k = 0; k < s.nr; k++)
            if (memcmp(&out[k], &in[s.from[k]], clif_type_bytes(s.r[k].type))) {
                exec_show(&x, NULL);
                print_message("signature %d: result %u is not parameter %u\n", n, k, s.from[k]);
                fail();
            }
    }
    exec_free(&x);
}

/* ---- to and from C ---- */
static uint64_t c_many(int64_t a, double b, int32_t c, float d, uint64_t e, uint64_t f, uint64_t g,
                       uint64_t h, double i, int64_t j) {
    return (uint64_t)a + (uint64_t)(b * 2) + (uint64_t)c * 3 + (uint64_t)(d * 4) + e * 5 + f * 6 +
           g * 7 + h * 8 + (uint64_t)(i * 9) + (uint64_t)j * 10;
}
static uint64_t c_dirty(uint64_t a) { /* as an i32 result its upper half is anything */
    return a | 0xDEADBEEF00000000u;
}
static void calls_to_c(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    ClifAbiParam r = {.type = CLIF_I64}, i32 = {.type = CLIF_I32};
    exec_begin(&x, CLIF_CC_SYSTEM_V, &r, 1, &r, 1);
    static const ClifType t[] = {CLIF_I64, CLIF_F64, CLIF_I32, CLIF_F32, CLIF_I64,
                                 CLIF_I64, CLIF_I64, CLIF_I64, CLIF_F64, CLIF_I64};
    ClifAbiParam p[10] = {{0}};
    ClifValue v[10];
    for (int k = 0; k < 10; k++) {
        p[k].type = t[k];
        v[k] = t[k] == CLIF_F64
                   ? cb_f64const(&x.b, k == 1 ? 0x4008000000000000u : 0x4014000000000000u)
               : t[k] == CLIF_F32 ? cb_f32const(&x.b, 0x40E00000u)
                                  : cb_iconst(&x.b, t[k], 100 + k);
    }
    v[0] = (ClifValue){0};
    ClifInst call = cb_call_indirect(&x.b, clif_import_sig(&x.f, CLIF_CC_SYSTEM_V, p, 10, &r, 1),
                                     addr(&x, (const void *)c_many), v, 10);
    ClifValue res = clif_result(&x.f, call, 0);
    cb_return(&x.b, &res, 1);
    exec_compile(&x);
    assert_int_equal(EXEC_FN(&x, uint64_t(*)(int64_t))(11),
                     c_many(11, 3, 102, 7, 104, 105, 106, 107, 5, 109));
    /* i32 parameters and results of C functions have garbage above bit 31 */
    exec_begin(&x, CLIF_CC_SYSTEM_V, &i32, 1, &r, 1);
    call = cb_call_indirect(
        &x.b, clif_import_sig(&x.f, CLIF_CC_SYSTEM_V, &r, 1, &i32, 1),
        addr(&x, (const void *)c_dirty),
        (ClifValue[]){cb_unary(&x.b, CLIF_OP_UEXTEND, CLIF_I64, (ClifValue){0})}, 1);
    res = cb_unary(&x.b, CLIF_OP_UEXTEND, CLIF_I64, clif_result(&x.f, call, 0));
    res = cb_binary(&x.b, CLIF_OP_IADD, res,
                    cb_unary(&x.b, CLIF_OP_UEXTEND, CLIF_I64, (ClifValue){0}));
    cb_return(&x.b, &res, 1);
    exec_compile(&x);
    assert_int_equal(EXEC_FN(&x, uint64_t(*)(uint64_t))(0xABCD000080000001u), 0x100000002u);
    exec_free(&x);
}

static int64_t c_wide(int64_t a, uint64_t b, int64_t c, uint64_t d) {
    return a * 1000003 + (int64_t)b * 10007 + c * 101 + (int64_t)d;
}
static void small_arguments_are_extended(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    ClifAbiParam in[4] = {{.type = CLIF_I64},
                          {.type = CLIF_I64},
                          {.type = CLIF_I64},
                          {.type = CLIF_I64}},
                 r = {.type = CLIF_I64};
    exec_begin(&x, CLIF_CC_SYSTEM_V, in, 4, &r, 1);
    ClifAbiParam p[4] = {{.type = CLIF_I8, .ext = CLIF_EXT_SEXT},
                         {.type = CLIF_I16, .ext = CLIF_EXT_UEXT},
                         {.type = CLIF_I32, .ext = CLIF_EXT_SEXT},
                         {.type = CLIF_I8, .ext = CLIF_EXT_UEXT}};
    ClifValue v[4];
    for (uint32_t k = 0; k < 4; k++)
        v[k] = cb_unary(&x.b, CLIF_OP_IREDUCE, p[k].type, (ClifValue){k});
    ClifInst call = cb_call_indirect(&x.b, clif_import_sig(&x.f, CLIF_CC_SYSTEM_V, p, 4, &r, 1),
                                     addr(&x, (const void *)c_wide), v, 4);
    ClifValue res = clif_result(&x.f, call, 0);
    cb_return(&x.b, &res, 1);
    exec_compile(&x);
    for (int n = 0; n < 100; n++) {
        uint64_t a = rnd(&seed), b = rnd(&seed), c = rnd(&seed), d = rnd(&seed);
        assert_int_equal(
            EXEC_FN(&x, int64_t(*)(uint64_t, uint64_t, uint64_t, uint64_t))(a, b, c, d),
            c_wide((int8_t)a, (uint16_t)b, (int32_t)c, (uint8_t)d));
    }
    exec_free(&x);
}

static void variadic_calls_count_vector_registers(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    static char text[64];
    static const char format[] = "%d %.2f %s %.1f";
    ClifAbiParam r = {.type = CLIF_I32},
                 p[7] = {{.type = CLIF_I64}, {.type = CLIF_I64}, {.type = CLIF_I64},
                         {.type = CLIF_I32}, {.type = CLIF_F64}, {.type = CLIF_I64},
                         {.type = CLIF_F64}};
    ClifAbiParam f64 = {.type = CLIF_F64};
    exec_begin(&x, CLIF_CC_SYSTEM_V, &f64, 1, &r, 1);
    ClifSigRef sig = clif_import_sig(&x.f, CLIF_CC_SYSTEM_V, p, 7, &r, 1);
    x.f.sigs.p[sig.i].variadic = 1;
    ClifValue v[7] = {addr(&x, text),
                      cb_iconst(&x.b, CLIF_I64, sizeof text),
                      addr(&x, format),
                      cb_iconst(&x.b, CLIF_I32, -42),
                      (ClifValue){0},
                      addr(&x, "text"),
                      cb_f64const(&x.b, 0xC004000000000000u)};
    ClifInst call = cb_call_indirect(&x.b, sig, addr(&x, (const void *)snprintf), v, 7);
    ClifValue res = clif_result(&x.f, call, 0);
    cb_return(&x.b, &res, 1);
    exec_compile(&x);
    assert_int_equal(EXEC_FN(&x, int (*)(double))(1.25), 18);
    assert_string_equal(text, "-42 1.25 text -2.5");
    bool found = false; /* mov $2, into some register, then al */
    for (uint32_t k = 0; k + 5 <= x.out.size; k++)
        found |= (x.out.code[k] & 0xF8) == 0xB8 && !memcmp(x.out.code + k + 1, "\x02\0\0\0", 4);
    assert_true(found);
    exec_free(&x);
}

/* ---- frames ---- */
__asm__(".text\n"
        "abi_kept_registers:\n" /* (fn): 0 if rbx, rbp, r12-r15 survive a call of fn */
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n sub $8, %rsp\n"
        "mov $0x1001, %ebx\n mov $0x1002, %ebp\n mov $0x1003, %r12d\n mov $0x1004, %r13d\n mov "
        "$0x1005, %r14d\n mov $0x1006, %r15d\n"
        "mov %rdi, %rax\n mov %rsi, %rdi\n call *%rax\n"
        "xor $0x1001, %rbx\n xor $0x1002, %rbp\n xor $0x1003, %r12\n xor $0x1004, %r13\n xor "
        "$0x1005, %r14\n xor $0x1006, %r15\n"
        "mov %rbx, %rax\n or %rbp, %rax\n or %r12, %rax\n or %r13, %rax\n or %r14, %rax\n or %r15, "
        "%rax\n"
        "add $8, %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");
uint64_t abi_kept_registers(const void *fn, const uint64_t *arg);
static void nothing(void) {}

static void kept_registers_survive(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    for (unsigned values = 0; values < 12; values++) {
        ClifAbiParam p = {.type = CLIF_I64};
        exec_begin(&x, CLIF_CC_SYSTEM_V, &p, 1, NULL, 0);
        ClifValue v[12];
        for (unsigned k = 0; k < values; k++)
            v[k] =
                cb_load(&x.b, CLIF_OP_LOAD, CLIF_I64, plain(&x), (ClifValue){0}, (int32_t)(8 * k));
        cb_call_indirect(&x.b, clif_import_sig(&x.f, CLIF_CC_SYSTEM_V, NULL, 0, NULL, 0),
                         addr(&x, (const void *)nothing), NULL, 0);
        for (unsigned k = 0; k < values; k++)
            cb_store(&x.b, CLIF_OP_STORE, plain(&x), v[k], (ClifValue){0}, (int32_t)(8 * (11 - k)));
        cb_return(&x.b, NULL, 0);
        exec_compile(&x);
        uint64_t a[12], b[12];
        for (unsigned k = 0; k < 12; k++) a[k] = b[k] = rnd(&seed);
        assert_int_equal(abi_kept_registers(x.code, a), 0);
        for (unsigned k = 0; k < values; k++) assert_int_equal(a[11 - k], b[k]);
    }
    exec_free(&x);
}

/* A function that only reads its context needs no frame: where it comes in, it stays. */
static void an_untouched_context_costs_nothing(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    ClifAbiParam p[2] = {{.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX}, {.type = CLIF_I64}},
                 r = {.type = CLIF_I64};
    exec_begin(&x, CLIF_CC_FAST, p, 2, &r, 1);
    ClifValue v = cb_binary(&x.b, CLIF_OP_IADD,
                            cb_load(&x.b, CLIF_OP_LOAD, CLIF_I64, plain(&x), (ClifValue){0}, 8),
                            (ClifValue){1});
    cb_return(&x.b, &v, 1);
    exec_compile(&x);
    assert_int_equal(x.out.frame_size, 0);
    exec_free(&x);
}

/* ---- stack checks ---- */
/* A function with a frame of `bytes`, that calls if asked to, and a limit at *(vmctx + 8). */
static void limited(Exec *x, uint32_t bytes, bool call) {
    ClifAbiParam p = {.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX};
    exec_begin(x, CLIF_CC_SYSTEM_V, &p, 1, NULL, 0);
    ClifGlobalValue vm =
        clif_make_gv(&x->f, (ClifGlobalValueData){.kind = CLIF_GV_VMCTX, .type = CLIF_I64});
    x->f.stack_limit = clif_make_gv(&x->f, (ClifGlobalValueData){.kind = CLIF_GV_LOAD,
                                                                 .type = CLIF_I64,
                                                                 .base = vm.i,
                                                                 .offset = 8,
                                                                 .memflags = plain(x)})
                           .i;
    if (bytes) {
        uint32_t s = clif_make_stack_slot(&x->f, bytes, 4).i;
        ClifValue a = cb_ins1(
            &x->b, (ClifInstData){.op = CLIF_OP_STACK_ADDR, .type = CLIF_I64, .a = s}, CLIF_I64);
        cb_store(&x->b, CLIF_OP_STORE, plain(x), (ClifValue){0}, a, 0);
    }
    if (call)
        cb_call_indirect(&x->b, clif_import_sig(&x->f, CLIF_CC_SYSTEM_V, NULL, 0, NULL, 0),
                         addr(x, (const void *)nothing), NULL, 0);
    cb_return(&x->b, NULL, 0);
    exec_compile(x);
}
static void stack_limits_hold(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    static const struct {
        uint32_t bytes;
        bool call;
        int64_t below; /* the limit lies this far below this function's frame */
        bool trap;
    } k[] = {
        {0, false, -4096, false}, /* a small leaf is not checked */
        {0, true, -4096, true},           {0, true, 4096, false},
        {20000, false, -4096, false},     {20000, true, -4096, true},
        {20000, true, 30000, false},      {40000, false, -4096, true},
        {40000, false, 20000, true},      {40000, false, 65536, false},
        {40000, true, 20000, true},       {1 << 20, false, 1 << 19, true},
        {1 << 20, false, 2 << 20, false},
    };
    for (volatile int explicit_traps = 0; explicit_traps < 2; explicit_traps++) {
        exec_settings(&x, x64_host_flags(), 0, explicit_traps);
        for (volatile unsigned n = 0; n < sizeof k / sizeof *k; n++) {
            limited(&x, k[n].bytes, k[n].call);
            uint64_t vm[2] = {0, (uint64_t)(uintptr_t)__builtin_frame_address(0) -
                                     (uint64_t)k[n].below};
            ClifTrap t = EXEC({ EXEC_FN(&x, void (*)(uint64_t *))(vm); });
            assert_int_equal(t, k[n].trap ? CLIF_TRAP_STACK_OVERFLOW : CLIF_TRAP_NONE);
        }
    }
    exec_free(&x);
}

/* A frame of 1 MiB on a stack of 256 KiB: the probes meet the guard page before anything below it is touched. */
static Exec *probe_exec;
static char *probe_guard;
static volatile bool probe_hit;
static void on_guard(int sig, siginfo_t *si, void *uc) {
    (void)sig;
    (void)uc;
    char *a = si->si_addr;
    probe_hit = a >= probe_guard && a < probe_guard + 4096;
    siglongjmp(exec_back, 1);
}
static void *probe_thread(void *arg) {
    (void)arg;
    static char alt[65536];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
    sigaltstack(&ss, NULL);
    if (!sigsetjmp(exec_back, 1)) EXEC_FN(probe_exec, void (*)(uint64_t))(1);
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, NULL);
    return NULL;
}
static void large_frames_are_probed(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    probe_exec = &x;
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sa.sa_sigaction = on_guard;
    sigaction(SIGSEGV, &sa, NULL);
    size_t below = 2 << 20, stack = 256 << 10;
    char *m = mmap(NULL, below + 4096 + stack, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    probe_guard = m + below;
    mprotect(probe_guard, 4096, PROT_NONE);
    static const uint32_t sizes[] = {1 << 20, 300000, 100000, 8192, 4096, 4000};
    for (unsigned k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        ClifAbiParam p = {.type = CLIF_I64};
        exec_begin(&x, CLIF_CC_SYSTEM_V, &p, 1, NULL, 0);
        uint32_t s = clif_make_stack_slot(&x.f, sizes[k], 4).i;
        for (uint32_t at = 0; at < 2; at++) { /* write its two ends */
            ClifValue a = cb_ins1(
                &x.b,
                (ClifInstData){
                    .op = CLIF_OP_STACK_ADDR, .type = CLIF_I64, .a = s, .b = at ? sizes[k] - 8 : 0},
                CLIF_I64);
            cb_store(&x.b, CLIF_OP_STORE, plain(&x), (ClifValue){0}, a, 0);
        }
        cb_return(&x.b, NULL, 0);
        exec_compile(&x);
        probe_hit = false;
        pthread_attr_t at;
        pthread_t t;
        pthread_attr_init(&at);
        pthread_attr_setstack(&at, probe_guard + 4096, stack);
        assert_int_equal(pthread_create(&t, &at, probe_thread, NULL), 0);
        pthread_join(t, NULL);
        pthread_attr_destroy(&at);
        assert_int_equal(probe_hit, sizes[k] > stack);
        for (size_t b = 0; b < below; b += 4096) assert_int_equal(m[b + 4088], 0);
    }
    munmap(m, below + 4096 + stack);
    exec_free(&x);
}

/* ---- what is refused ---- */
static void refusals_name_the_reason(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    Diag d;
    ClifAbiParam p = {.type = CLIF_I64},
                 big = {.type = CLIF_I64, .purpose = CLIF_ARG_STRUCT_ARG, .struct_size = 60};
    exec_begin(&x, CLIF_CC_SYSTEM_V, &big, 1, NULL, 0);
    cb_return(&x.b, NULL, 0);
    assert_false(exec_try_compile(&x, &d));
    assert_int_equal(d.kind, DIAG_UNSUPPORTED);
    assert_non_null(strstr(d.msg, "structure"));
    exec_begin(&x, CLIF_CC_SYSTEM_V, &p, 1, &p, 1);
    uint16_t be =
        clif_intern_memflags(&x.f, (ClifMemFlags){.bits = CLIF_MEM_BIG, .region = CLIF_NONE});
    ClifValue v = cb_load(&x.b, CLIF_OP_LOAD, CLIF_I64, be, (ClifValue){0}, 0);
    cb_return(&x.b, &v, 1);
    assert_false(exec_try_compile(&x, &d));
    assert_int_equal(d.kind, DIAG_UNSUPPORTED);
    assert_non_null(strstr(d.msg, "big-endian"));
    exec_begin(&x, CLIF_CC_SYSTEM_V, &p, 1, &p, 1);
    v = cb_unary(&x.b, CLIF_OP_UEXTEND, CLIF_I128, (ClifValue){0});
    v = cb_binary(&x.b, CLIF_OP_UDIV, v, v);
    v = cb_unary(&x.b, CLIF_OP_IREDUCE, CLIF_I64, v);
    cb_return(&x.b, &v, 1);
    assert_false(exec_try_compile(&x, &d));
    assert_int_equal(d.kind, DIAG_UNSUPPORTED);
    assert_non_null(strstr(d.msg, "udiv"));
    exec_free(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(calls_to_c),
        cmocka_unit_test(small_arguments_are_extended),
        cmocka_unit_test(variadic_calls_count_vector_registers),
        cmocka_unit_test(kept_registers_survive),
        cmocka_unit_test(an_untouched_context_costs_nothing),
        cmocka_unit_test(stack_limits_hold),
        cmocka_unit_test(large_frames_are_probed),
        cmocka_unit_test(refusals_name_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
