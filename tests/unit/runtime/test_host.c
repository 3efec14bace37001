/* Host functions: values both ways, traps with a message, exit, calls back into Wasm and what becomes of their traps;
 * host memories, tables, globals; references to host functions; entities of another store. */
#include "rt_test.h"

static Tm tm;
typedef struct Env {
    RtEngine *e;
    RtModule *m;
    RtStore *s;
    RtInstance *i;
    RtExtern ext[8]; /* by import order */
    Diag d;
    unsigned calls, depth, deepest;
    RtHostResult answer;
    const char *message;
    RtInstance *caller;
    bool clean_up_ran;
} Env;
static Env env;

static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    Env *v = user;
    *out = v->ext[im->ordinal];
    return true;
}
static void open_env(const EngineConfig *c) {
    memset(&env, 0, sizeof env);
    memset(&tm, 0, sizeof tm);
    diag_clear(&env.d);
    env.e = new_engine(c);
    env.s = rt_store_new(env.e);
}
static void add(unsigned at, const char *params, const char *results, RtHostFn fn) {
    CHECK(rt_host_func(env.s, params, results, fn, &env, &env.ext[at]));
}
static void load(void) {
    tm_finish(&tm);
    env.m = new_module(env.e, &tm);
    env.i = rt_instantiate(env.s, env.m, resolve, &env, &env.d);
    if (!env.i) fprintf(stderr, "instance: %s\n", env.d.msg);
    CHECK(env.i);
}
static void close_env(void) {
    rt_store_free(env.s);
    rt_module_free(env.m);
    rt_engine_free(env.e);
}
static void with_every_engine(void (*test)(const EngineConfig *)) {
    EngineConfig c = test_config();
    test(&c);
    c.rt.explicit_bounds = true;
    test(&c);
    c.rt.no_signals = true;
    test(&c);
}

/* ---- values ---- */
static RtHostResult shuffle(void *user, RtInstance *caller, RtVal *v) {
    Env *e = user;
    e->calls++;
    e->caller = caller;
    float f;
    double d;
    memcpy(&f, &v[2], 4);
    memcpy(&d, &v[3], 8);
    CHECK(v[0].i64 == 0xFFFFFFFEu && v[1].i64 == UINT64_C(0x123456789ABCDEF0)); /* zero-extended */
    CHECK(f == 1.5f && d == -2.25);
    CHECK(v[4].ref == NULL && v[5].ref == (void *)0x77);
    for (unsigned k = 6; k < 14; k++) CHECK(v[k].i64 == k); /* passed on the stack */
    RtVal r[6] = {{.ref = v[5].ref}, {.ref = NULL},     {.i64 = 0},
                  {.i64 = 0},        {.i64 = v[1].i64}, {.i64 = 0}};
    memcpy(&r[2], &d, 8);
    memcpy(&r[3], &f, 4);
    r[5].i32 = v[0].i32;
    memcpy(v, r, sizeof r);
    return RT_HOST_OK;
}
static void values(const EngineConfig *c) {
    open_env(c);
    add(0, "iIfFreIIIIIIII", "erFfIi", shuffle);
    tm_import(&tm, "h", "f", "iIfFreIIIIIIII:erFfIi");
    TM_FUNC(&tm, "go", "iIfFreIIIIIIII:erFfIi", 0, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4,
            0x20, 5, 0x20, 6, 0x20, 7, 0x20, 8, 0x20, 9, 0x20, 10, 0x20, 11, 0x20, 12, 0x20, 13,
            0x10, 0);
    load();
    RtVal v[14];
    for (int direct = 0; direct < 2; direct++) {
        memset(v, 0, sizeof v);
        float f = 1.5f;
        double d = -2.25;
        v[0].i32 = 0xFFFFFFFE;
        v[1].i64 = UINT64_C(0x123456789ABCDEF0);
        memcpy(&v[2], &f, 4);
        memcpy(&v[3], &d, 8);
        v[5].ref = (void *)0x77;
        for (unsigned k = 6; k < 14; k++) v[k].i64 = k;
        RtFunc fn = direct ? env.ext[0].func : func(env.i, "go");
        CHECK(rt_call(env.s, &fn, v));
        CHECK(env.caller == (direct ? NULL : env.i));
        CHECK(v[0].ref == (void *)0x77 && v[1].ref == NULL &&
              v[4].i64 == UINT64_C(0x123456789ABCDEF0));
        CHECK(v[5].i32 == 0xFFFFFFFE);
        memcpy(&d, &v[2], 8);
        memcpy(&f, &v[3], 4);
        CHECK(d == -2.25 && f == 1.5f);
    }
    CHECK(env.calls == 2);
    close_env();
}
static void values_in_and_out(void) {
    with_every_engine(values);
}

/* ---- endings ---- */
static RtHostResult end_as_told(void *user, RtInstance *caller, RtVal *v) {
    Env *e = user;
    (void)caller;
    (void)v;
    if (e->answer == RT_HOST_TRAP && e->message) rt_host_trap(e->s, e->message);
    if (e->answer == RT_HOST_EXIT) rt_host_exit(e->s, 42);
    return e->answer;
}
static void endings(const EngineConfig *c) {
    open_env(c);
    add(0, "", "", end_as_told);
    tm_import(&tm, "h", "f", ":");
    TM_FUNC(&tm, "go", ":i", 0, 0x10, 0, 0x41, 7);
    load();
    const RtTrap *t = rt_store_trap(env.s);
    uint64_t r;
    CHECK(call2(env.i, "go", 0, 0, &r) && r == 7);
    env.answer = RT_HOST_TRAP;
    env.message = "no such thing";
    CHECK(trap_of(env.i, "go", 0, 0) == VM_TRAP_HOST && strcmp(t->msg, "no such thing") == 0);
    CHECK(t->num_frames == 1 && t->frames[0].func == 1 && t->frames[0].module == env.m);
    env.message = NULL; /* the old message is not used again */
    CHECK(trap_of(env.i, "go", 0, 0) == VM_TRAP_HOST && t->msg[0] == 0);
    char longer[400];
    memset(longer, 'x', sizeof longer);
    longer[399] = 0;
    env.message = longer;
    CHECK(trap_of(env.i, "go", 0, 0) == VM_TRAP_HOST && strlen(t->msg) == sizeof t->msg - 1);
    env.answer = RT_HOST_EXIT;
    CHECK(trap_of(env.i, "go", 0, 0) == VM_TRAP_NONE && t->exit_code == 42 && !t->num_frames);
    CHECK(!rt_call(env.s, &env.ext[0].func, (RtVal[1]){{.i64 = 0}}) && t->exit_code == 42);
    env.answer = RT_HOST_PROPAGATE; /* but nothing failed */
    CHECK(trap_of(env.i, "go", 0, 0) == VM_TRAP_HOST && t->exit_code == 0);
    env.answer = RT_HOST_OK;
    CHECK(call2(env.i, "go", 0, 0, &r) && r == 7);
    close_env();
}
static void traps_and_exits(void) {
    with_every_engine(endings);
}

/* ---- back into Wasm ---- */
/* Calls export "inner" (which traps if its argument is 0), then does as told. */
static RtHostResult call_back(void *user, RtInstance *caller, RtVal *v) {
    Env *e = user;
    uint64_t r = 0;
    bool ok = call2(caller, "inner", v[0].i32, 0, &r);
    e->clean_up_ran = true; /* a trap does not jump over this function */
    if (ok) {
        v[0].i64 = r;
        return RT_HOST_OK;
    }
    CHECK(rt_store_trap(e->s)->code == VM_TRAP_DIVISION_BY_ZERO);
    if (e->answer == RT_HOST_TRAP) rt_host_trap(e->s, "inner failed");
    v[0].i64 = 99; /* only if the answer is OK */
    return e->answer;
}
static void nested(const EngineConfig *c) {
    open_env(c);
    add(0, "i", "i", call_back);
    tm_import(&tm, "h", "f", "i:i");
    TM_FUNC(&tm, "outer", "i:i", 0, 0x20, 0, 0x10, 0);
    TM_FUNC(&tm, "inner", "i:i", 0, 0x41, 10, 0x20, 0, 0x6E);
    load();
    const RtTrap *t = rt_store_trap(env.s);
    uint64_t r;
    CHECK(call2(env.i, "outer", 2, 0, &r) && r == 5);
    env.answer = RT_HOST_OK; /* the host function recovers */
    CHECK(call2(env.i, "outer", 0, 0, &r) && r == 99);
    env.answer = RT_HOST_PROPAGATE;
    CHECK(trap_of(env.i, "outer", 0, 0) == VM_TRAP_DIVISION_BY_ZERO && env.clean_up_ran);
    CHECK(t->num_frames == 2 && t->frames[0].func == 2 && t->frames[1].func == 1);
    env.answer = RT_HOST_TRAP;
    CHECK(trap_of(env.i, "outer", 0, 0) == VM_TRAP_HOST && !strcmp(t->msg, "inner failed"));
    CHECK(t->num_frames == 1 && t->frames[0].func == 1);
    env.answer = RT_HOST_EXIT;
    CHECK(trap_of(env.i, "outer", 0, 0) == VM_TRAP_NONE && !t->num_frames);
    close_env();
}
static void calls_back_into_wasm(void) {
    with_every_engine(nested);
}

static RtHostResult deeper(void *user, RtInstance *caller, RtVal *v) {
    Env *e = user;
    (void)v;
    if (++e->depth > e->deepest) e->deepest = e->depth;
    bool ok = call2(caller, "go", 0, 0, NULL);
    e->depth--;
    return ok ? RT_HOST_OK : RT_HOST_PROPAGATE;
}
static void mutual_recursion(const EngineConfig *c) {
    open_env(c);
    add(0, "", "", deeper);
    tm_import(&tm, "h", "f", ":");
    TM_FUNC(&tm, "go", ":", 0, 0x10, 0);
    load();
    CHECK(trap_of(env.i, "go", 0, 0) == VM_TRAP_STACK_OVERFLOW);
    const RtTrap *t = rt_store_trap(env.s);
    CHECK(env.depth == 0 && env.deepest > 20);
    CHECK(t->more_frames && t->num_frames == RT_MAX_FRAMES && t->frames[63].func == 1);
    CHECK(rt_current() == NULL && env.s->limits.stack_limit == 0);
    close_env();
}
static void recursion_through_the_host_overflows_cleanly(void) {
    with_every_engine(mutual_recursion);
}

/* Two stores on one thread, one inside the other. */
static RtStore *other_store;
static RtInstance *other;
static RtHostResult into_other(void *user, RtInstance *caller, RtVal *v) {
    Env *e = user;
    (void)caller;
    (void)v;
    CHECK(!call2(other, "bad", 0, 0, NULL));
    const RtTrap *t = rt_store_trap(other_store);
    CHECK(t->code == VM_TRAP_UNREACHABLE && t->num_frames == 1); /* of its own store only */
    rt_host_trap(e->s, "the other store trapped");
    return RT_HOST_TRAP;
}
static void a_call_of_another_store(void) {
    EngineConfig c = test_config();
    open_env(&c);
    add(0, "", "", into_other);
    tm_import(&tm, "h", "f", ":");
    TM_FUNC(&tm, "go", ":", 0, 0x10, 0);
    TM_FUNC(&tm, "bad", ":", 0, 0x00);
    load();
    Env first = env;
    other_store = rt_store_new(env.e);
    CHECK(rt_host_func(other_store, "", "", into_other, &env, &env.ext[0]));
    other = rt_instantiate(other_store, env.m, resolve, &env, &env.d);
    CHECK(other);
    CHECK(trap_of(first.i, "go", 0, 0) == VM_TRAP_HOST);
    CHECK(!strcmp(rt_store_trap(first.s)->msg, "the other store trapped"));
    rt_store_free(other_store);
    close_env();
}

/* ---- host entities ---- */
static void entities(const EngineConfig *c) {
    open_env(c);
    env.ext[0] = rt_host_memory(env.s, 1, 2, &env.d);
    env.ext[1] = rt_host_table(env.s, WASM_FUNCREF, 3, 5, &env.d);
    env.ext[2] = rt_host_global(env.s, (WasmGlobalType){WASM_I64, true}, (RtVal){.i64 = 40});
    CHECK(env.d.kind == DIAG_NONE && env.ext[2].global.value);
    static const uint8_t im[] = {1, 'h',  1, 'm', 2, 1, 1,   2, 1,   'h', 1,    't',
                                 1, 0x70, 1, 3,   5, 1, 'h', 1, 'g', 3,   0x7E, 1};
    memcpy(tm.imports, im, sizeof im);
    tm.nimports = sizeof im;
    tm.import_count = 3;
    TM_FUNC(&tm, "load", "i:i", 0, 0x20, 0, 0x2D, 0, 0);
    TM_FUNC(&tm, "bump", ":I", 0, 0x23, 0, 0x42, 2, 0x7C, 0x24, 0, 0x23, 0);
    TM_FUNC(&tm, "grow", ":i", 0, 0x41, 1, 0x40, 0);
    TM_FUNC(&tm, "tget", "i:i", 0, 0x20, 0, 0x11, 4, 0); /* call_indirect of type :i */
    TM_FUNC(&tm, "seven", ":i", 0, 0x41, 7);
    TM_FUNC(&tm, "tgrow", ":i", 0, 0xD0, 0x70, 0x41, 2, 0xFC, 15, 0);
    load();
    RtMemory *mem = env.ext[0].memory;
    uint64_t size, r;
    uint8_t *p = rt_memory_data(mem, &size);
    CHECK(size == 65536);
    p[500] = 123;
    CHECK(call2(env.i, "load", 500, 0, &r) && r == 123);
    CHECK(rt_memory_grow(mem, 1) == 1 && rt_memory_grow(mem, 1) == UINT64_MAX);
    CHECK(call2(env.i, "load", 65536 + 5, 0, &r) && r == 0); /* translated code sees the growth */
    CHECK(trap_of(env.i, "load", 131072, 0) == VM_TRAP_MEMORY_OUT_OF_BOUNDS);
    CHECK(call2(env.i, "grow", 0, 0, &r) && r == UINT32_MAX && rt_memory_max(mem) == 2);
    CHECK(call2(env.i, "bump", 0, 0, &r) && r == 42);
    memcpy(&r, env.ext[2].global.value, 8);
    CHECK(r == 42);
    RtTable *t = env.ext[1].table;
    CHECK(rt_table_size(t) == 3 && rt_table_type(t) == WASM_FUNCREF && rt_table_max(t) == 5);
    CHECK(trap_of(env.i, "tget", 1, 0) == VM_TRAP_INDIRECT_CALL_TO_NULL);
    CHECK(trap_of(env.i, "tget", 3, 0) == VM_TRAP_UNDEFINED_ELEMENT);
    RtFunc seven = func(env.i, "seven");
    rt_table_set(t, 1, rt_func_ref(&seven, &env.d));
    CHECK(call2(env.i, "tget", 1, 0, &r) && r == 7);
    CHECK(call2(env.i, "tgrow", 0, 0, &r) && r == 3 && rt_table_size(t) == 5);
    CHECK(call2(env.i, "tgrow", 0, 0, &r) && r == UINT32_MAX);
    CHECK(rt_table_grow(t, 1, NULL) == UINT64_MAX);
    close_env();
}
static void memories_tables_globals(void) {
    with_every_engine(entities);
}

/* ---- references ---- */
static RtHostResult plus_hundred(void *user, RtInstance *caller, RtVal *v) {
    Env *e = user;
    e->calls++;
    e->caller = caller;
    v[0].i64 = v[0].i32 + 100;
    return RT_HOST_OK;
}
static void references(const EngineConfig *c) {
    open_env(c);
    add(0, "i", "i", plus_hundred);
    RtExtern loose; /* never imported: translated code reaches it through the table only */
    CHECK(rt_host_func(env.s, "i", "i", plus_hundred, &env, &loose));
    tm_import(&tm, "h", "f", "i:i");
    TM_FUNC(&tm, "twice", "i:i", 0, 0x20, 0, 0x20, 0, 0x6A);
    TM_FUNC(&tm, "via", "ii:i", 0, 0x20, 0, 0x20, 1, 0x11, 1, 0);
    TM_FUNC(&tm, "pass", "r:r", 0, 0x20, 0);
    TM_SET(&tm, table, 1, 0x70, 0, 4);
    TM_SET(&tm, elems, 1, 0, 0x41, 0, 0x0B, 2, 0, 1); /* the imported function, then twice */
    tm.export_table = true;
    load();
    uint64_t r;
    CHECK(call2(env.i, "via", 5, 0, &r) && r == 105 && env.caller == env.i);
    CHECK(call2(env.i, "via", 5, 1, &r) && r == 10);
    RtTable *t = env.i->tables[0];
    RtFunc back = rt_func_of_ref(rt_table_get(t, 0));
    CHECK(back.host == env.ext[0].func.host);
    RtVal v[2] = {{.i64 = 1}};
    CHECK(rt_call(env.s, &back, v) && v[0].i64 == 101 && env.caller == NULL);
    back = rt_func_of_ref(rt_table_get(t, 1));
    v[0].i64 = 21;
    CHECK(!back.host && rt_func_store(&back) == env.s && rt_call(env.s, &back, v) &&
          v[0].i64 == 42);
    const WasmType *ps, *rs;
    uint32_t np, nr;
    rt_func_type(&back, &ps, &np, &rs, &nr);
    CHECK(np == 1 && nr == 1 && ps[0] == WASM_I32 && rs[0] == WASM_I32);
    rt_func_type(&loose.func, &ps, &np, &rs, &nr);
    CHECK(np == 1 && nr == 1 && ps[0] == WASM_I32 && rs[0] == WASM_I32);
    void *ref = rt_func_ref(&loose.func, &env.d);
    CHECK(ref && ref == rt_func_ref(&loose.func, &env.d));
    rt_table_set(t, 2, ref);
    env.calls = 0;
    CHECK(call2(env.i, "via", 7, 2, &r) && r == 107 && env.calls == 1);
    v[0].ref = ref; /* through Wasm and back */
    RtFunc pass = func(env.i, "pass");
    CHECK(rt_call(env.s, &pass, v) && v[0].ref == ref);
    CHECK(trap_of(env.i, "via", 0, 3) == VM_TRAP_INDIRECT_CALL_TO_NULL);
    close_env();
}
static void references_to_functions(void) {
    with_every_engine(references);
}

static void entities_of_another_store_are_refused(void) {
    EngineConfig c = test_config();
    open_env(&c);
    RtStore *b = rt_store_new(env.e);
    tm_import(&tm, "h", "f", ":");
    tm_finish(&tm);
    env.m = new_module(env.e, &tm);
    CHECK(rt_host_func(b, "", "", end_as_told, &env, &env.ext[0]));
    CHECK(!rt_instantiate(env.s, env.m, resolve, &env, &env.d));
    CHECK(env.d.kind == DIAG_LINK && strstr(env.d.msg, "another store"));
    RtEngine *e2 = new_engine(&c);
    RtStore *s2 = rt_store_new(e2);
    diag_clear(&env.d);
    CHECK(!rt_instantiate(s2, env.m, resolve, &env, &env.d) && env.d.kind == DIAG_LINK);
    rt_store_free(s2);
    rt_engine_free(e2);
    rt_store_free(b);
    close_env();
}

static void signatures_are_checked(void) {
    EngineConfig c = test_config();
    open_env(&c);
    RtExtern x;
    CHECK(!rt_host_func(env.s, "q", "", end_as_told, &env, &x));
    char many[80];
    memset(many, 'i', 70);
    many[70] = 0;
    CHECK(!rt_host_func(env.s, many, "", end_as_told, &env, &x));
    add(0, "i", "", end_as_told);
    tm_import(&tm, "h", "f", "I:");
    tm_finish(&tm);
    env.m = new_module(env.e, &tm);
    CHECK(!rt_instantiate(env.s, env.m, resolve, &env, &env.d) && env.d.kind == DIAG_LINK);
    diag_clear(&env.d);
    CHECK(!rt_instantiate(env.s, env.m, NULL, NULL, &env.d) && env.d.kind == DIAG_LINK);
    close_env();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(values_in_and_out),       RT_TEST(traps_and_exits),
        RT_TEST(calls_back_into_wasm),    RT_TEST(recursion_through_the_host_overflows_cleanly),
        RT_TEST(a_call_of_another_store), RT_TEST(memories_tables_globals),
        RT_TEST(references_to_functions), RT_TEST(entities_of_another_store_are_refused),
        RT_TEST(signatures_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
