/* Backtraces: names, byte offsets, every kind of trap, nested calls, truncation, the text. */
#include "rt_test.h"

static Tm tm;
static RtEngine *engine;
static RtModule *module;
static RtStore *store;
static RtInstance *inst;
static RtExtern ext;

static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    (void)user;

    (void)im;
    *out = ext;
    return true;
}
static RtHostResult again(void *user, RtInstance *caller, RtVal *v) {
    (void)user;
    return call2(caller, "div", 1, v[0].i32, NULL) ? RT_HOST_OK : RT_HOST_PROPAGATE;
}
static void begin(const EngineConfig *c) {
    engine = new_engine(c);
    store = rt_store_new(engine);
    CHECK(rt_host_func(store, "i", "", again, NULL, &ext));
    tm_finish(&tm);
    module = new_module(engine, &tm);
    Diag d;
    diag_clear(&d);
    inst = rt_instantiate(store, module, resolve, NULL, &d);
    CHECK(inst);
}
static void end(void) {
    rt_store_free(store);
    rt_module_free(module);
    rt_engine_free(engine);
}
/* The opcode byte at a frame's offset. */
static uint8_t op_at(uint32_t frame) {
    const RtTrap *t = rt_store_trap(store);
    CHECK(frame < t->num_frames && t->frames[frame].offset < tm.n);
    return tm.out[t->frames[frame].offset];
}
static uint32_t func_at(uint32_t frame) {
    return rt_store_trap(store)->frames[frame].func;
}

static void chains(const EngineConfig *c) {
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "again", "i:");
    TM_FUNC(&tm, "a", "i:", 0, 0x01, 0x20, 0, 0x10, 2);                    /* 1: nop, call b */
    TM_FUNC(&tm, "b", "i:", 0, 0x20, 0, 0x41, 0, 0x11, 3, 0);              /* 2: call_indirect c */
    TM_FUNC(&tm, "c", "i:", 0, 0x20, 0, 0x10, 0, 0x01);                    /* 3: calls the host */
    TM_FUNC(&tm, "div", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6D);                /* 4 */
    TM_FUNC(&tm, "no", ":", 0, 0x01, 0x00);                                /* 5 */
    TM_FUNC(&tm, "load", "i:", 0, 0x20, 0, 0x29, 3, 0, 0x1A);              /* 6: i64.load, drop */
    TM_FUNC(&tm, "fill", "i:", 0, 0x20, 0, 0x41, 0, 0x41, 9, 0xFC, 11, 0); /* 7: memory.fill */
    TM_FUNC(&tm, "trunc", "F:i", 0, 0x20, 0, 0xAA);                        /* 8: i32.trunc_f64_s */
    TM_FUNC(&tm, "deep", "i:i", 0, 0x20, 0, 0x10, 9, 0x41, 1, 0x6A);       /* 9 */
    TM_SET(&tm, mem, 1, 1, 1, 1);
    TM_SET(&tm, table, 1, 0x70, 0, 1);
    TM_SET(&tm, elems, 1, 0, 0x41, 0, 0x0B, 1, 3);
    begin(c);
    const RtTrap *t = rt_store_trap(store);
    CHECK(trap_of(inst, "no", 0, 0) == VM_TRAP_UNREACHABLE);
    CHECK(t->num_frames == 1 && func_at(0) == 5 && op_at(0) == 0x00);
    CHECK(trap_of(inst, "div", 1, 0) == VM_TRAP_DIVISION_BY_ZERO && op_at(0) == 0x6D);
    CHECK(trap_of(inst, "load", 65535, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS && op_at(0) == 0x29);
    CHECK(trap_of(inst, "fill", 65535, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS && op_at(0) == 0xFC);
    CHECK(trap_of(inst, "trunc", UINT64_C(0x7FF8000000000000), 0) == VM_TRAP_BAD_CONVERSION &&
          op_at(0) == 0xAA);
    /* a -> b -> c -> host -> div */
    CHECK(trap_of(inst, "a", 0, 0) == VM_TRAP_DIVISION_BY_ZERO);
    static const uint8_t funcs[] = {4, 3, 2, 1}, ops[] = {0x6D, 0x10, 0x11, 0x10};
    CHECK(t->num_frames == 4 && !t->more_frames);
    for (uint32_t k = 0; k < 4; k++) CHECK(func_at(k) == funcs[k] && op_at(k) == ops[k]);
    CHECK(call2(inst, "a", 1, 0, NULL));
    CHECK(trap_of(inst, "deep", 0, 0) == VM_TRAP_STACK_OVERFLOW);
    CHECK(t->num_frames == RT_MAX_FRAMES && t->more_frames);
    for (uint32_t k = 0; k < RT_MAX_FRAMES; k++) CHECK(func_at(k) == 9);
    for (uint32_t k = 1; k < RT_MAX_FRAMES; k++) CHECK(op_at(k) == 0x10);
    end();
}
static void frames_and_offsets(void) {
    EngineConfig c = test_config();
    chains(&c);
    c.rt.explicit_bounds = true;
    chains(&c);
    c.rt.no_signals = true;
    chains(&c);
}

static void text_is(const char *want) {
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    rt_print_backtrace(rt_store_trap(store), &sb);
    if (strcmp(sb_cstr(&sb), want)) fprintf(stderr, "got\n%swant\n%s", sb_cstr(&sb), want);
    CHECK(strcmp(sb_cstr(&sb), want) == 0);
    sb_free(&sb);
}
static void the_text(void) {
    static const uint8_t body[] = {0, 0x00};
    static char longer[260];
    memset(longer, 'y', 199);
    memcpy(longer + 199, "\xC3\xA9zzzzz", 8); /* the cut is in the middle of a character */
    for (int names = 0; names < 2; names++) { /* without a name section the exports' names serve */
        memset(&tm, 0, sizeof tm);
        tm.no_names = !names;
        TM_FUNC(&tm, "leaf", ":", 0, 0x00);
        TM_FUNC(&tm, "root\n\x1b[31m\\\xC2\x9B\xC3\xA9", ":", 0, 0x10, 0);
        tm_func_bytes(&tm, longer, ":", body, sizeof body);
        EngineConfig c = test_config();
        begin(&c);
        RtFunc f = rt_func_of(inst, 1);
        CHECK(!rt_call(store, &f, (RtVal[1]){{.i64 = 0}}));
        uint32_t a = rt_store_trap(store)->frames[0].offset,
                 b = rt_store_trap(store)->frames[1].offset;
        char want[512];
        snprintf(want, sizeof want,
                 "   0: leaf (function 0, offset 0x%x)\n   1: "
                 "root\\0a\\1b[31m\\5c\\c2\\9b\xC3\xA9 (function 1, offset 0x%x)\n",
                 a, b);
        text_is(want);
        f = rt_func_of(inst, 2);
        CHECK(!rt_call(store, &f, (RtVal[1]){{.i64 = 0}}));
        longer[199] = 0;
        snprintf(want, sizeof want, "   0: %s... (function 2, offset 0x%x)\n", longer,
                 rt_store_trap(store)->frames[0].offset);
        longer[199] = '\xC3';
        text_is(want);
        end();
    }
}
static void the_text_of_an_overflow_says_that_frames_are_left_out(void) {
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "deep", ":", 0, 0x10, 0, 0x01);
    EngineConfig c = test_config();
    begin(&c);
    CHECK(trap_of(inst, "deep", 0, 0) == VM_TRAP_STACK_OVERFLOW);
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    rt_print_backtrace(rt_store_trap(store), &sb);
    const char *s = sb_cstr(&sb);
    unsigned lines = 0;
    for (const char *p = s; *p; p++) lines += *p == '\n';
    CHECK(lines == RT_MAX_FRAMES + 1 && strstr(s, "  63: deep (function 0, offset"));
    CHECK(strstr(s, "\n  ... further frames left out\n"));
    sb_free(&sb);
    end();
}
static void a_start_function_traps_with_a_backtrace(void) {
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "boot", ":", 0, 0x00);
    tm.start = 1;
    EngineConfig c = test_config();
    engine = new_engine(&c);
    store = rt_store_new(engine);
    tm_finish(&tm);
    module = new_module(engine, &tm);
    Diag d;
    diag_clear(&d);
    CHECK(!rt_instantiate(store, module, NULL, NULL, &d) && d.kind == DIAG_NONE);
    CHECK(rt_store_trap(store)->code == VM_TRAP_UNREACHABLE &&
          rt_store_trap(store)->num_frames == 1);
    end();
}

static RtInstance *lib;
static bool from_lib(void *user, const RtImport *im, RtExtern *out) {
    (void)user;

    return rt_export(lib, im->name.p, im->name.n, out);
}
static void frames_of_several_modules(void) {
    static Tm second;
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "low", "i:i", 0, 0x41, 1, 0x20, 0, 0x6E);
    EngineConfig c = test_config();
    begin(&c);
    lib = inst;
    tm_import(&second, "lib", "low", "i:i");
    TM_FUNC(&second, "high", "i:i", 0, 0x20, 0, 0x10, 0);
    tm_finish(&second);
    RtModule *m2 = new_module(engine, &second);
    Diag d;
    diag_clear(&d);
    RtInstance *i2 = rt_instantiate(store, m2, from_lib, NULL, &d);
    rt_module_free(m2); /* the trap's frames stay good: the store holds the module */
    CHECK(i2 && trap_of(i2, "high", 0, 0) == VM_TRAP_DIVISION_BY_ZERO);
    const RtTrap *t = rt_store_trap(store);
    CHECK(t->num_frames == 2 && t->frames[0].module == module && t->frames[0].func == 0);
    CHECK(t->frames[1].module == rt_instance_module(i2) && t->frames[1].func == 1);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(frames_and_offsets),
        RT_TEST(frames_of_several_modules),
        RT_TEST(the_text),
        RT_TEST(the_text_of_an_overflow_says_that_frames_are_left_out),
        RT_TEST(a_start_function_traps_with_a_backtrace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
