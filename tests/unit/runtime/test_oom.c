/* Memory that runs out at every single request, from the engine to a running program: always an error, never a crash or
 * a leak; everything else goes on. */
#include "rt_test.h"

static Tm tm;
static long requests, fail_from, fail_count, live_bytes, live_blocks;

/* Fails the requests fail_from ... fail_from + fail_count - 1. */
static void *failing(void *user, void *old, size_t old_size, size_t new_size) {
    CHECK(user == &requests);
    if (!new_size) {
        live_bytes -= (long)old_size;
        live_blocks--;
        free(old);
        return NULL;
    }
    requests++;
    if (requests >= fail_from && requests < fail_from + fail_count) return NULL;
    void *p = realloc(old, new_size);
    CHECK(p);
    live_bytes += (long)new_size - (long)old_size;
    live_blocks += !old;
    return p;
}

static RtHostResult host(void *user, RtInstance *caller, RtVal *v) {
    (void)user;
    (void)caller;
    v[0].i64 = 1;
    return RT_HOST_OK;
}
static RtStore *store;
static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    (void)user;
    (void)im;
    return rt_host_func(store, "i", "i", host, NULL, out);
}

static void build_module(void) {
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "f", "i:i");
    TM_FUNC(&tm, "go", "i:i", 0, 0x20, 0, 0x10, 0);
    TM_FUNC(&tm, "tgrow", "i:i", 0, 0xD0, 0x70, 0x20, 0, 0xFC, 15, 0);
    TM_FUNC(&tm, "sum", "ii:i", 1, 2, 0x7F, 0x03, 0x40, 0x20, 2, 0x20, 0, 0x6A, 0x21, 2, 0x20, 0,
            0x41, 1, 0x6B, 0x22, 0, 0x0D, 0, 0x0B, 0x20, 2);
    TM_FUNC(&tm, "pick", "i:F", 0, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0E, 1, 0, 1, 0x0B, 0x20, 0,
            0xB7, 0x0F, 0x0B, 0x44, 0, 0, 0, 0, 0, 0, 0, 0x40);
    TM_SET(&tm, mem, 1, 1, 1, 2);
    TM_SET(&tm, table, 1, 0x70, 0, 2);
    TM_SET(&tm, globals, 1, 0x7F, 1, 0x41, 5, 0x0B);
    TM_SET(&tm, elems, 1, 0, 0x41, 0, 0x0B, 2, 0, 1);
    TM_SET(&tm, datas, 1, 0, 0x41, 0, 0x0B, 3, 'x', 'y', 'z');
    tm.export_memory = tm.export_table = true;
    tm_finish(&tm);
}

/* 0 = all went well, else how far it came. */
static int scenario(const EngineConfig *c) {
    Diag d;
    diag_clear(&d);
    int reached = 1;
    RtModule *m = NULL;
    store = NULL;
    RtEngine *e = engine_new(c, &d);
    if (!e) goto end;
    reached = 2;
    m = engine_compile(e, tm.out, tm.n, NULL, NULL, &d);
    if (!m) goto end;
    reached = 3;
    store = rt_store_new(e);
    if (!store) {
        diag_msg(&d, DIAG_OOM, "store");
        goto end;
    }
    reached = 4;
    RtInstance *i = rt_instantiate(store, m, resolve, NULL, &d);
    if (!i) goto end; /* also if it is resolve that gets no memory */
    uint64_t r;
    CHECK(call2(i, "go", 3, 0, &r) && r == 1);
    CHECK(call2(i, "sum", 4, 0, &r) && (uint32_t)r == 10);
    reached = 5; /* a program sees -1 and may go on */
    CHECK(call2(i, "tgrow", 1000, 0, &r) && ((uint32_t)r == 2 || (uint32_t)r == UINT32_MAX));
    if ((uint32_t)r == UINT32_MAX) diag_msg(&d, DIAG_OOM, "table");
    CHECK(call2(i, "go", 3, 0, &r) && r == 1);
    RtExtern f;
    if (!rt_host_func(store, "iI", "F", host, NULL, &f)) {
        diag_msg(&d, DIAG_OOM, "host function");
        goto end;
    }
    reached = 6;
    if (!rt_func_ref(&f.func, &d)) goto end;
    reached = 7;
    rt_host_memory(store, 1, 1, &d);
    rt_host_table(store, WASM_FUNCREF, 1, 1, &d);
    if (!rt_host_global(store, (WasmGlobalType){WASM_I32, true}, (RtVal){.i64 = 1}).global.value ||
        !rt_instance_global(i, 0))
        diag_msg(&d, DIAG_OOM, "globals");
    CHECK(call2(i, "go", 3, 0, &r) && r == 1);
    if (d.kind == DIAG_NONE) reached = 0;
end:
    if (reached) CHECK(d.kind == DIAG_OOM);
    rt_store_free(store);
    rt_module_free(m);
    rt_engine_free(e);
    CHECK(live_bytes == 0 && live_blocks == 0);
    return reached;
}

static void every_request(EngineConfig c, long count) {
    MemHooks hooks = {failing, &requests};
    c.rt.hooks = &hooks;
    build_module();
    fail_count = 0;
    requests = 0;
    CHECK(scenario(&c) == 0);
    long n = requests, at[8] = {0};
    CHECK(n > 50);
    fail_count = count;
    for (fail_from = 1; fail_from <= n; fail_from++) {
        requests = 0;
        int r = scenario(&c);
        CHECK(r); /* one thread: the request that failed is one that is made */
        at[r]++;
    }
    printf(
        "# %ld requests; failures: engine %ld, module %ld, store %ld, instance %ld, program %ld, "
        "reference %ld, host entities %ld\n",
        n, at[1], at[2], at[3], at[4], at[5], at[6], at[7]);
    for (int k = 1; k <= 6; k++) CHECK(at[k] > 0);
}
static void one_failure(void) {
    every_request(test_config(), 1);
}
static void all_from_there_on(void) {
    every_request(test_config(), 1000000000);
}
static void with_the_checks_of_the_compiler(void) {
    EngineConfig c = test_config();
    c.verify = true;
    every_request(c, 1);
}
static void without_signals(void) {
    EngineConfig c = test_config();
    c.rt.no_signals = true;
    every_request(c, 1);
}

/* With several compile threads the order differs from run to run; what holds: no crash, no leak. */
static long guarded_calls;
static void *threads_failing(void *user, void *old, size_t old_size, size_t new_size) {
    (void)user;
    (void)old_size;
    if (!new_size) {
        free(old);
        return NULL;
    }
    if (__atomic_add_fetch(&guarded_calls, 1, __ATOMIC_RELAXED) == fail_from) return NULL;
    return realloc(old, new_size);
}
static void in_compile_threads(void) {
    static Tm big;
    static char names[60][4];
    static const uint8_t body[] = {0, 0x20, 0, 0x20, 1, 0x6A, 0x20, 0, 0x6C};
    for (unsigned k = 0; k < 60; k++) {
        snprintf(names[k], sizeof names[k], "f%u", k);
        tm_func_bytes(&big, names[k], "ii:i", body, sizeof body);
    }
    tm_finish(&big);
    MemHooks hooks = {threads_failing, NULL};
    EngineConfig c = test_config();
    c.rt.hooks = &hooks;
    c.threads = 4;
    long made = 0, refused = 0;
    for (fail_from = 1; fail_from < 600; fail_from += 3) {
        guarded_calls = 0;
        Diag d;
        diag_clear(&d);
        RtEngine *e = engine_new(&c, &d);
        RtModule *m = e ? engine_compile(e, big.out, big.n, NULL, NULL, &d) : NULL;
        if (m)
            made++;
        else
            refused++;
        CHECK(m || d.kind == DIAG_OOM);
        rt_module_free(m);
        rt_engine_free(e);
    }
    CHECK(made > 0 && refused > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(one_failure),
        RT_TEST(all_from_there_on),
        RT_TEST(with_the_checks_of_the_compiler),
        RT_TEST(without_signals),
        RT_TEST(in_compile_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
