/* The public C interface: every group of functions, with the misuse that it answers for. */
#include <math.h>
#include "cot/jit.h"
#include "cot/wasi.h"
#include "runtime/rt_test.h"

static Tm tm;
static CotError err;
static CotEngine *engine;
static CotStore *store;
static CotLinker *linker;

static void begin(const CotConfig *c) {
    memset(&tm, 0, sizeof tm);
    memset(&err, 0, sizeof err);
    CHECK((engine = cot_engine_new(c, &err)));
    CHECK((store = cot_store_new(engine, &err)));
    CHECK((linker = cot_linker_new(store, &err)));
}
static void end(void) {
    cot_linker_free(linker);
    cot_store_free(store);
    cot_engine_free(engine);
}
static CotInstance *load(void) {
    tm_finish(&tm);
    CotModule *m = cot_module_new(engine, tm.out, tm.n, &err);
    if (!m) fprintf(stderr, "%s\n", err.message);
    CHECK(m);
    CotInstance *i = cot_linker_instantiate(linker, m, &err);
    cot_module_free(m); /* the store keeps it */
    return i;
}
static CotValue i32(int32_t x) {
    return (CotValue){.type = COT_I32, .of = {.i32 = x}};
}
static CotFuncType type_of(const char *params, const char *results) { /* letters as in Tm */
    static CotType t[4][64];
    static unsigned turn;
    CotFuncType f = {.nparams = strlen(params), .nresults = strlen(results)};
    for (int k = 0; k < 2; k++) {
        const char *s = k ? results : params;
        CotType *to = t[turn++ % 4];
        for (size_t i = 0; s[i]; i++)
            to[i] = s[i] == 'i'   ? COT_I32
                    : s[i] == 'I' ? COT_I64
                    : s[i] == 'f' ? COT_F32
                    : s[i] == 'F' ? COT_F64
                    : s[i] == 'r' ? COT_FUNCREF
                                  : COT_EXTERNREF;
        if (k)
            f.results = to;
        else
            f.params = to;
    }
    return f;
}
static CotFunc *define(const char *name, const char *params, const char *results, CotHostFn fn,
                       void *user) {
    CotFunc *f = cot_func_new(store, type_of(params, results), fn, user, &err);
    CHECK(f);
    CHECK(!cot_linker_define(linker, "h", name, (CotExtern){COT_KIND_FUNC, {.func = f}}, &err));
    return f;
}
static CotStatus call(CotInstance *i, const char *name, int32_t arg, CotValue *r) {
    CotFunc *f = cot_instance_func(i, name);
    CHECK(f);
    CotValue v = i32(arg), dummy;
    CotFuncType t = cot_func_type(f);
    return cot_func_call(f, &v, t.nparams, r ? r : &dummy, t.nresults, &err);
}

/* ---- errors and configuration ---- */
static void errors_and_configuration(void) {
    CHECK(!strcmp(cot_version(), "0.1.0") && cot_version_number() == 100);
    for (int s = COT_OK; s <= COT_EXIT; s++)
        CHECK(strcmp(cot_status_name((CotStatus)s), "unknown status"));
    CHECK(!strcmp(cot_status_name((CotStatus)77), "unknown status"));
    CotConfig *c = cot_config_new();
    CHECK(cot_config_set_cpu_features(c, "baseline", &err) == COT_OK);
    CHECK(cot_config_set_cpu_features(c, "host", &err) == COT_OK);
    CHECK(cot_config_set_cpu_features(c, "+no_such_thing", &err) == COT_MISUSE);
    CHECK(err.status == COT_MISUSE && strstr(err.message, "no_such_thing"));
    CHECK(cot_config_set_cpu_features(c, "-", NULL) == COT_MISUSE);
    cot_config_set_guard_pages(c, false);
    cot_config_set_verify(c, true);
    cot_config_set_compile_threads(c, 2);
    begin(c);
    CHECK(!cot_engine_has_guard_pages(engine));
    end();
    cot_config_set_guard_pages(c, true);
    begin(c);
    CHECK(cot_engine_has_guard_pages(engine));
    static const uint8_t bad[] = {0, 'a', 's', 'm', 1, 0,  0, 0, 1, 4, 1,    0x60, 0,
                                  0, 3,   2,   1,   0, 10, 5, 1, 3, 0, 0x6A, 0x0B};
    CHECK(!cot_module_new(engine, bad, sizeof bad, &err));
    CHECK(err.status == COT_INVALID && err.offset == 23 && err.function == 0 && err.message[0]);
    CHECK(cot_module_validate(engine, bad, sizeof bad, NULL) == COT_INVALID);
    CHECK(cot_module_validate(engine, bad, 12, &err) == COT_MALFORMED);
    CHECK(!cot_module_new(engine, "", 0, &err) && err.status == COT_MALFORMED);
    tm_finish(&tm);
    CHECK(cot_module_validate(engine, tm.out, tm.n, &err) == COT_OK);
    end();
    cot_config_free(c);
    cot_config_free(NULL);
    cot_engine_free(NULL);
    cot_module_free(NULL);
    cot_store_free(NULL);
    cot_linker_free(NULL);
    cot_wasi_config_free(NULL);
    cot_wasi_free(NULL);
}

static long blocks, requests, fail_at;
static void *counted(void *user, void *old, size_t old_size, size_t new_size) {
    CHECK(user == &blocks);
    (void)old_size;
    if (new_size && ++requests == fail_at) return NULL;
    if (new_size) {
        blocks += !old;
        return realloc(old, new_size);
    }
    blocks--;
    free(old);
    return NULL;
}
static CotStatus sum_up(void *user, CotCaller *c, const CotValue *a, CotValue *r) {
    (void)user;
    (void)c;
    r[0].of.i64 = 0;
    for (int k = 0; k < 20; k++) r[0].of.i64 += a[k].of.i64;
    return COT_OK;
}
/* Every request of memory fails once, in a life that uses most of the interface. */
static void memory_that_runs_out(void) {
    static const char twenty[] = "IIIIIIIIIIIIIIIIIIII";
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "h", "sum", "IIIIIIIIIIIIIIIIIIII:I");
    uint8_t body[64] = {0};
    for (uint8_t k = 0; k < 20; k++) {
        body[1 + 2 * k] = 0x20;
        body[2 + 2 * k] = k;
    }
    memcpy(body + 41, "\x10\0", 2);
    tm_func_bytes(&tm, "go", "IIIIIIIIIIIIIIIIIIII:I", body, 43);
    TM_SET(&tm, table, 1, 0x70, 0, 2);
    TM_SET(&tm, globals, 1, 0x7F, 1, 0x41, 5, 0x0B);
    tm.export_table = true;
    tm_finish(&tm);
    CotConfig *c = cot_config_new();
    cot_config_set_allocator(c, counted, &blocks);
    cot_config_set_compile_threads(c, 1);
    CotWasiConfig *wc = cot_wasi_config_new();
    CHECK(!cot_wasi_config_arg(wc, "x") && !cot_wasi_config_env(wc, "A", "b"));
    int complete = 0;
    for (fail_at = 1; !complete; fail_at++) {
        requests = 0;
        CotModule *m = NULL;
        CotStore *s = NULL;
        CotLinker *l = NULL;
        CotWasi *w = NULL;
        CotFunc *f;
        CotInstance *i;
        CotExtern x;
        err.status = COT_OK;
        CotEngine *e = cot_engine_new(c, &err);
        if (!e || !(m = cot_module_new(e, tm.out, tm.n, &err)) || !(s = cot_store_new(e, &err)) ||
            !(l = cot_linker_new(s, &err)) ||
            !(f = cot_func_new(s, type_of(twenty, "I"), sum_up, NULL, &err)) ||
            cot_linker_define(l, "h", "sum", (CotExtern){COT_KIND_FUNC, {.func = f}}, &err) ||
            !(w = cot_wasi_new(e, wc, &err)) || !(i = cot_linker_instantiate(l, m, &err)) ||
            !cot_global_new(s, i32(1), true, &err) ||
            !cot_table_new(s, COT_EXTERNREF, 1, 2, &err) ||
            cot_instance_export(i, "table", &x, &err) ||
            cot_linker_define_instance(l, "i", i, &err))
            goto out;
        CotValue a[20], r = {.type = COT_I64, .of = {.i64 = 0}},
                        ref = {.type = COT_FUNCREF, .of = {.func = f}};
        for (int k = 0; k < 20; k++) a[k] = (CotValue){.type = COT_I64, .of = {.i64 = k}};
        CotStatus st = cot_func_call(cot_instance_func(i, "go"), a, 20, &r, 1, &err);
        if (st == COT_TRAP) { /* the host function's values found no room */
            CHECK(strstr(err.message, "out of memory"));
            err.status = COT_NO_MEMORY;
            goto out;
        }
        if (st != COT_OK) goto out;
        CHECK(r.of.i64 == 190);
        if (cot_table_set(x.of.table, 0, ref, &err)) goto out;
        complete = requests < fail_at;
        if (!complete) err.status = COT_NO_MEMORY;
    out:
        CHECK(complete || err.status == COT_NO_MEMORY);
        cot_linker_free(l);
        cot_store_free(s);
        cot_wasi_free(w);
        cot_module_free(m);
        cot_engine_free(e);
        CHECK(blocks == 0);
    }
    CHECK(fail_at > 100);
    printf("# %ld requests, each failed once\n", fail_at - 2);
    cot_wasi_config_free(wc);
    cot_config_free(c);
}

/* ---- allocators ---- */
static CotRegalloc first_ion(void *user, uint32_t function) {
    ++*(int *)user;
    return function == 0 ? COT_REGALLOC_ION : COT_REGALLOC_FAST;
}
/* Bytes of code of the present module. */
static size_t code_size(const CotConfig *c, const CotModuleOptions *o) {
    CotEngine *e = cot_engine_new(c, &err);
    CHECK(e);
    CotModule *m = cot_module_new_with_options(e, tm.out, tm.n, o, &err);
    CHECK(m);
    size_t n = cot_module_code_size(m);
    cot_module_free(m);
    cot_engine_free(e);
    return n;
}
static void allocator_of_engine_module_function(void) {
    memset(&tm, 0, sizeof tm);
    static const char nine[] = "IIIIIIIII:I";
    uint8_t body[256] = {0, 3, 0x40}; /* a loop that exchanges values, in a function twice */
    size_t n = 3;
    for (uint8_t k = 0; k < 9; k++) { /* p[k] *= p[8 - k] */
        memcpy(body + n, (uint8_t[]){0x20, k, 0x20, (uint8_t)(8 - k), 0x7E, 0x21, k}, 7);
        n += 7;
    }
    memcpy(body + n, (uint8_t[]){0x20, 0, 0xA7, 0x0D, 0, 0x0B, 0x20, 0}, 8);
    n += 8;
    for (int k = 0; k < 2; k++) tm_func_bytes(&tm, k ? "g" : "f", nine, body, n);
    tm_finish(&tm);
    int asked = 0;
    size_t ion = code_size(NULL, &(CotModuleOptions){COT_REGALLOC_ION, NULL, NULL}),
           fast = code_size(NULL, &(CotModuleOptions){COT_REGALLOC_FAST, NULL, NULL}),
           both = code_size(NULL, &(CotModuleOptions){COT_REGALLOC_ION, first_ion, &asked});
    CHECK(ion != fast && both != ion && both != fast && asked == 2);
    CHECK(code_size(NULL, NULL) == fast);
    CotConfig *c = cot_config_new();
    CHECK(!cot_config_set(c, "opt_level", "speed", &err));
    CHECK(code_size(c, NULL) == ion);
    CHECK(!cot_config_set(c, "regalloc_algorithm", "single_pass", &err));
    CHECK(code_size(c, NULL) == fast);
    CHECK(code_size(c, &(CotModuleOptions){COT_REGALLOC_ION, NULL, NULL}) == ion);
    CHECK(!cot_config_set(c, "opt_level", "none", &err));
    CHECK(!cot_config_set(c, "regalloc_algorithm", "backtracking", &err));
    CHECK(code_size(c, NULL) == ion);
    cot_config_free(c);
}

/* ---- modules ---- */
static void imports_and_exports(void) {
    begin(NULL);
    tm_import(&tm, "h", "f", "iF:I");
    static const uint8_t im[] = {1, 'h',  1, 'm', 2, 1,   1, 2,   1, 'h',  1, 't',
                                 1, 0x70, 0, 3,   1, 'h', 1, 'g', 3, 0x7E, 1};
    memcpy(tm.imports, im, sizeof im);
    tm.nimports = sizeof im;
    tm.import_count = 3;
    TM_FUNC(&tm, "x", "i:i", 0, 0x20, 0);
    tm.export_memory = true;
    tm_finish(&tm);
    CotModule *m = cot_module_new(engine, tm.out, tm.n, &err);
    CHECK(m && cot_module_code_size(m) > 0 && cot_module_import_count(m) == 4);
    CotName from, name;
    CotExternType t;
    CHECK(!cot_module_import(m, 0, &from, &name, &t) && name.size == 1 && name.data[0] == 'f' &&
          from.data[0] == 'h');
    CHECK(t.kind == COT_KIND_FUNC && t.func.nparams == 2 && t.func.params[1] == COT_F64 &&
          t.func.results[0] == COT_I64);
    CHECK(!cot_module_import(m, 1, &from, &name, &t) && t.kind == COT_KIND_MEMORY && t.min == 1 &&
          t.max == 2);
    CHECK(!cot_module_import(m, 2, &from, &name, &t) && t.kind == COT_KIND_TABLE &&
          t.value == COT_FUNCREF && t.max == COT_NO_MAXIMUM);
    CHECK(!cot_module_import(m, 3, &from, &name, &t) && t.kind == COT_KIND_GLOBAL && t.is_mutable &&
          t.value == COT_I64);
    CHECK(cot_module_import(m, 4, &from, &name, &t) == COT_MISUSE);
    CHECK(cot_module_export_count(m) == 2 && !cot_module_export(m, 1, &name, &t) &&
          t.kind == COT_KIND_MEMORY);
    CHECK(name.size == 6 && !memcmp(name.data, "memory", 6) &&
          cot_module_export(m, 2, &name, NULL) == COT_MISUSE);
    CHECK(!cot_linker_instantiate(linker, m, &err) && err.status == COT_LINK &&
          strstr(err.message, "h.f"));
    cot_module_free(m);
    end();
}

/* ---- functions ---- */
static CotStatus mixed(void *user, CotCaller *c, const CotValue *a, CotValue *r) {
    CHECK(cot_caller_store(c) == store);
    *(int *)user += cot_caller_instance(c) ? 1 : 100;
    CHECK(a[0].type == COT_I32 && a[1].type == COT_I64 && a[2].type == COT_F32 &&
          a[3].type == COT_F64);
    CHECK(a[4].type == COT_EXTERNREF && a[5].type == COT_FUNCREF);
    r[0].of.f64 = a[0].of.i32 + (double)a[1].of.i64 + a[2].of.f32 + a[3].of.f64;
    r[1].of.ext = a[4].of.ext;
    r[2].of.func = a[5].of.func;
    return COT_OK;
}
static void values(void) {
    begin(NULL);
    int count = 0;
    CotFunc *f = define("mixed", "iIfFer", "Fer", mixed, &count);
    tm_import(&tm, "h", "mixed", "iIfFer:Fer");
    TM_FUNC(&tm, "go", "iIfFer:Fer", 0, 0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4, 0x20, 5, 0x10,
            0);
    CotInstance *i = load();
    CotFunc *go = cot_instance_func(i, "go");
    CHECK(go == cot_instance_func(i, "go"));
    CotValue a[6] = {i32(-3),
                     {COT_I64, {.i64 = INT64_C(-5000000000)}},
                     {COT_F32, {.f32 = 0.5f}},
                     {COT_F64, {.f64 = 1e300}},
                     {COT_EXTERNREF, {.ext = &count}},
                     {COT_FUNCREF, {.func = go}}},
             r[3];
    for (int k = 0; k < 2; k++) {
        CHECK(!cot_func_call(k ? f : go, a, 6, r, 3, &err));
        CHECK(r[0].type == COT_F64 && r[0].of.f64 == -3 + -5e9 + 0.5 + 1e300);
        CHECK(r[1].of.ext == &count && r[2].type == COT_FUNCREF && r[2].of.func == go);
    }
    CHECK(count == 101);
    a[5].of.func = f; /* a host function as a value: gets code to be called from Wasm */
    CHECK(!cot_func_call(go, a, 6, r, 3, &err) && r[2].of.func == f);
    a[5].of.func = NULL;
    CHECK(!cot_func_call(go, a, 6, r, 3, &err) && r[2].of.func == NULL);
    /* misuse */
    CHECK(cot_func_call(NULL, a, 6, r, 3, &err) == COT_MISUSE);
    CHECK(cot_func_call(go, a, 5, r, 3, &err) == COT_MISUSE &&
          cot_func_call(go, a, 6, r, 2, &err) == COT_MISUSE);
    a[2].type = COT_F64;
    CHECK(cot_func_call(go, a, 6, r, 3, &err) == COT_MISUSE && strstr(err.message, "f32"));
    a[2].type = COT_F32;
    CotStore *other = cot_store_new(engine, &err);
    a[5].of.func = cot_func_new(other, type_of("", ""), mixed, NULL, &err);
    CHECK(cot_func_call(go, a, 6, r, 3, &err) == COT_MISUSE &&
          strstr(err.message, "another store"));
    CHECK(cot_linker_define(linker, "h", "x", (CotExtern){COT_KIND_FUNC, {.func = a[5].of.func}},
                            &err) == COT_MISUSE);
    CHECK(cot_linker_define(linker, "h", "x", (CotExtern){COT_KIND_FUNC, {.func = NULL}}, &err) ==
          COT_MISUSE);
    CotType wrong[1] = {0x33};
    CHECK(!cot_func_new(store, (CotFuncType){wrong, NULL, 1, 0}, mixed, NULL, &err) &&
          err.status == COT_MISUSE);
    CHECK(!cot_func_new(store, (CotFuncType){wrong, NULL, 1001, 0}, mixed, NULL, &err) &&
          err.status == COT_LIMIT);
    CHECK(!cot_instance_func(i, "nothing") && !cot_instance_memory(i, "go"));
    CotExtern x;
    CHECK(cot_instance_export(i, "nothing", &x, &err) == COT_LINK &&
          strstr(err.message, "nothing"));
    cot_store_free(other);
    end();
}

static CotStatus reversed(void *user, CotCaller *c, const CotValue *a, CotValue *r) {
    (void)user;
    (void)c;
    for (int k = 0; k < 16; k++) r[0].of.v128[k] = a[0].of.v128[15 - k];
    return COT_OK;
}
static void vectors(void) {
    begin(NULL);
    CotType v = COT_V128;
    CotFunc *f = cot_func_new(store, (CotFuncType){&v, &v, 1, 1}, reversed, NULL, &err);
    CotValue a = {.type = COT_V128, .of = {.i64 = 0}}, r;
    for (uint8_t k = 0; k < 16; k++) a.of.v128[k] = k;
    CHECK(f && !cot_func_call(f, &a, 1, &r, 1, &err) && r.type == COT_V128);
    for (int k = 0; k < 16; k++) CHECK(r.of.v128[k] == 15 - k);
    CotGlobal *g = cot_global_new(store, r, true, &err);
    CHECK(g && !memcmp(cot_global_get(g).of.v128, r.of.v128, 16) && !cot_global_set(g, a, &err));
    CHECK(!memcmp(cot_global_get(g).of.v128, a.of.v128, 16));
    end();
}

static CotStatus ending(void *user, CotCaller *c, const CotValue *a, CotValue *r) {
    CotInstance *i = cot_caller_instance(c);
    (void)user;
    (void)r;
    switch (a[0].of.i32) {
    case 0: return COT_OK;
    case 1: return cot_caller_trap(c, "told to trap");
    case 2: return cot_caller_exit(c, 33);
    case 3: return COT_TRAP; /* without saying why */
    case 4: return COT_LIMIT;
    case 5: return call(i, "div", 0, NULL); /* fails, and its trap goes on */
    case 6: return call(i, "div", 0, NULL) == COT_TRAP ? COT_OK : COT_MISUSE;
    case 7: return call(i, "outer", 2, NULL); /* an exit from further in */
    case 8: {
        CotStatus st = call(i, "div", 0, NULL);
        CHECK(st == COT_TRAP && cot_trap_code(cot_store_trap(store)) == COT_TRAP_DIVISION_BY_ZERO);
        return cot_caller_trap(c, "translated");
    }
    case 9: r[0] = (CotValue){.type = COT_F64, .of = {.f64 = 1}}; return COT_OK;
    }
    return COT_MISUSE;
}
static void endings(void) {
    begin(NULL);
    define("end", "i", "i", ending, NULL);
    tm_import(&tm, "h", "end", "i:i");
    TM_FUNC(&tm, "outer", "i:i", 0, 0x20, 0, 0x10, 0);
    TM_FUNC(&tm, "div", "i:i", 0, 0x41, 1, 0x20, 0, 0x6D);
    CotInstance *i = load();
    CHECK(call(i, "outer", 0, NULL) == COT_OK && !cot_store_trap(store));
    CHECK(call(i, "outer", 1, NULL) == COT_TRAP && !strcmp(err.message, "told to trap"));
    const CotTrap *t = cot_store_trap(store);
    CHECK(cot_trap_code(t) == COT_TRAP_HOST && cot_trap_frame_count(t) == 1 &&
          !cot_trap_has_more_frames(t));
    CotFrame f;
    CHECK(!cot_trap_frame(t, 0, &f) && f.function == 1 && f.name.size == 5 &&
          !memcmp(f.name.data, "outer", 5));
    CHECK(cot_trap_frame(t, 1, &f) == COT_MISUSE && err.function == 1 && err.offset == f.offset);
    char text[200], cut[10];
    size_t n = cot_trap_print(t, text, sizeof text);
    CHECK(n == strlen(text) && !strncmp(text, "   0: outer (function 1, offset 0x", 34));
    CHECK(cot_trap_print(t, cut, sizeof cut) == n && !strncmp(cut, text, 9) && !cut[9]);
    CHECK(cot_trap_print(t, NULL, 0) == n);
    CHECK(call(i, "outer", 2, NULL) == COT_EXIT && cot_store_exit_code(store) == 33 &&
          !cot_store_trap(store));
    CHECK(call(i, "outer", 3, NULL) == COT_TRAP && !strcmp(err.message, "host function failed"));
    CHECK(cot_store_exit_code(store) == 0);
    CHECK(call(i, "outer", 4, NULL) == COT_TRAP && strstr(err.message, "limit"));
    CHECK(call(i, "outer", 5, NULL) == COT_TRAP &&
          cot_trap_code(cot_store_trap(store)) == COT_TRAP_DIVISION_BY_ZERO);
    CHECK(cot_trap_frame_count(cot_store_trap(store)) == 2);
    CHECK(call(i, "outer", 6, NULL) == COT_OK);
    CHECK(call(i, "outer", 7, NULL) == COT_EXIT && cot_store_exit_code(store) == 33);
    CHECK(call(i, "outer", 8, NULL) == COT_TRAP && !strcmp(err.message, "translated"));
    CHECK(call(i, "outer", 9, NULL) == COT_TRAP && strstr(err.message, "result 0"));
    CHECK(call(i, "outer", 0, NULL) == COT_OK);
    end();
}

static CotStatus first_byte(void *user, CotCaller *c, const CotValue *a, CotValue *r) {
    (void)user;
    (void)a;
    CotMemory *m = cot_caller_memory(c);
    r[0].of.i32 = m ? cot_memory_data(m)[0] : -1;
    return COT_OK;
}
static void memories_tables_globals(void) {
    begin(NULL);
    CotFunc *fb = define("first", "", "i", first_byte, NULL);
    CotMemory *m = cot_memory_new(store, 1, 3, &err);
    CotTable *t = cot_table_new(store, COT_FUNCREF, 2, 4, &err);
    CotGlobal *g = cot_global_new(store, i32(5), true, &err),
              *k = cot_global_new(store, i32(6), false, &err);
    CHECK(m && t && g && k && cot_global_is_mutable(g) && !cot_global_is_mutable(k));
    CHECK(!cot_linker_define(linker, "h", "m", (CotExtern){COT_KIND_MEMORY, {.memory = m}}, &err));
    CHECK(!cot_linker_define(linker, "h", "t", (CotExtern){COT_KIND_TABLE, {.table = t}}, &err));
    CHECK(!cot_linker_define(linker, "h", "g", (CotExtern){COT_KIND_GLOBAL, {.global = k}}, &err));
    CHECK(!cot_linker_define(linker, "h", "g", (CotExtern){COT_KIND_GLOBAL, {.global = g}},
                             &err)); /* replaces */
    tm_import(&tm, "h", "first", ":i");
    static const uint8_t im[] = {1, 'h',  1, 'm', 2, 1, 1,   3, 1,   'h', 1,    't',
                                 1, 0x70, 1, 2,   4, 1, 'h', 1, 'g', 3,   0x7F, 1};
    memcpy(tm.imports, im, sizeof im);
    tm.nimports = sizeof im;
    tm.import_count = 3;
    TM_FUNC(&tm, "first", ":i", 0, 0x10, 0);
    TM_FUNC(&tm, "via", "i:i", 0, 0x20, 0, 0x11, 0, 0);
    TM_FUNC(&tm, "bump", ":i", 0, 0x23, 0, 0x41, 1, 0x6A, 0x24, 0, 0x23, 0);
    TM_FUNC(&tm, "grow", ":i", 0, 0x41, 1, 0x40, 0);
    CotInstance *i = load();
    CHECK(i);
    CotValue r;
    CHECK(!cot_memory_write(m, 0, "\x2A", 1, &err) && !call(i, "first", 0, &r) && r.of.i32 == 42);
    CHECK(!cot_func_call(fb, NULL, 0, &r, 1, &err) &&
          r.of.i32 == -1); /* from C: no caller, no memory */
    uint64_t old;
    CHECK(cot_memory_pages(m) == 1 && !cot_memory_grow(m, 1, &old, &err) && old == 1);
    CHECK(!call(i, "grow", 0, &r) && r.of.i32 == 2 && cot_memory_size(m) == 3 * 65536);
    CHECK(cot_memory_grow(m, 1, &old, &err) == COT_LIMIT && !cot_memory_grow(m, 0, NULL, &err));
    char b[8];
    CHECK(cot_memory_read(m, 3 * 65536 - 7, b, 8, &err) == COT_MISUSE &&
          !cot_memory_read(m, 3 * 65536 - 8, b, 8, &err));
    CHECK(cot_memory_write(m, UINT64_MAX, b, 1, &err) == COT_MISUSE &&
          !cot_memory_read(m, 3 * 65536, b, 0, &err));
    CHECK(cot_memory_read(m, 3 * 65536 + 1, b, 0, &err) == COT_MISUSE);
    CHECK(!cot_memory_new(store, 3, 2, &err) && err.status == COT_MISUSE);
    CHECK(!cot_memory_new(store, 0, 65537, &err) && err.status == COT_MISUSE);
    CotMemory *empty = cot_memory_new(store, 0, COT_NO_MAXIMUM, &err);
    CHECK(empty && !cot_memory_data(empty) && !cot_memory_size(empty));
    CHECK(call(i, "via", 0, &r) == COT_TRAP &&
          cot_trap_code(cot_store_trap(store)) == COT_TRAP_NULL_ELEMENT);
    CotValue v = {.type = COT_FUNCREF, .of = {.func = fb}};
    CHECK(!cot_table_set(t, 0, v, &err) && !call(i, "via", 0, &r) && r.of.i32 == 42);
    CHECK(!cot_table_get(t, 0, &v, &err) && v.of.func == fb);
    v.of.func = cot_instance_func(i, "bump");
    CHECK(!cot_table_grow(t, 2, v, &old, &err) && old == 2 && cot_table_size(t) == 4);
    CHECK(!call(i, "via", 3, &r) && r.of.i32 == 6 && cot_global_get(g).of.i32 == 6);
    CHECK(cot_table_grow(t, 1, v, NULL, &err) == COT_LIMIT &&
          cot_table_set(t, 4, v, &err) == COT_MISUSE);
    CHECK(cot_table_get(t, 4, &v, &err) == COT_MISUSE &&
          cot_table_set(t, 0, i32(0), &err) == COT_MISUSE);
    CHECK(!cot_table_new(store, COT_I32, 0, 1, &err) &&
          !cot_table_new(store, COT_FUNCREF, 20000000, COT_NO_MAXIMUM, &err));
    CHECK(err.status == COT_LIMIT);
    CHECK(!cot_global_set(g, i32(40), &err) && !call(i, "bump", 0, &r) && r.of.i32 == 41);
    CHECK(cot_global_set(k, i32(1), &err) == COT_MISUSE);
    CHECK(cot_global_set(g, (CotValue){COT_I64, {.i64 = 1}}, &err) == COT_MISUSE);
    end();
}

static void instances_by_name(void) {
    begin(NULL);
    TM_FUNC(&tm, "twice", "i:i", 0, 0x20, 0, 0x20, 0, 0x6A);
    TM_SET(&tm, globals, 1, 0x7F, 0, 0x41, 9, 0x0B);
    CotInstance *lib = load();
    CHECK(lib && !cot_linker_define_instance(linker, "lib", lib, &err));
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "lib", "twice", "i:i");
    TM_FUNC(&tm, "go", "i:i", 0, 0x20, 0, 0x10, 0, 0x41, 1, 0x6A);
    CotInstance *i = load();
    CotValue r;
    CHECK(i && !call(i, "go", 20, &r) && r.of.i32 == 41);
    memset(&tm, 0, sizeof tm);
    tm_import(&tm, "lib", "thrice", "i:i");
    CHECK(!load() && err.status == COT_LINK && strstr(err.message, "lib.thrice"));
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "boot", ":", 0, 0x00);
    tm.start = 1;
    CHECK(!load() && err.status == COT_TRAP &&
          cot_trap_code(cot_store_trap(store)) == COT_TRAP_UNREACHABLE);
    end();
}

static void limits_and_interruption(void) {
    CotConfig *c = cot_config_new();
    cot_config_set_interruptible(c, true);
    cot_config_set_max_memory(c, 2 * 65536);
    cot_config_set_max_stack(c, 256 * 1024);
    cot_config_set_signals(c, false);
    begin(c);
    CHECK(!cot_engine_has_guard_pages(engine));
    TM_FUNC(&tm, "spin", ":", 0, 0x03, 0x40, 0x0C, 0, 0x0B);
    TM_FUNC(&tm, "deep", ":", 0, 0x10, 1, 0x01);
    TM_FUNC(&tm, "grow", "i:i", 0, 0x20, 0, 0x40, 0);
    TM_SET(&tm, mem, 1, 0, 1);
    CotInstance *i = load();
    CotValue r;
    cot_store_interrupt(store);
    CHECK(call(i, "spin", 0, NULL) == COT_TRAP &&
          cot_trap_code(cot_store_trap(store)) == COT_TRAP_INTERRUPT);
    cot_store_interrupt(store);
    cot_store_clear_interrupt(store);
    CHECK(!call(i, "grow", 2, &r) && r.of.i32 == -1);
    CHECK(!call(i, "grow", 1, &r) && r.of.i32 == 1);
    CHECK(call(i, "deep", 0, NULL) == COT_TRAP &&
          cot_trap_code(cot_store_trap(store)) == COT_TRAP_STACK_OVERFLOW);
    CHECK(cot_trap_frame_count(cot_store_trap(store)) == 64 &&
          cot_trap_has_more_frames(cot_store_trap(store)));
    end();
    cot_config_free(c);
}

/* ---- WASI ---- */
static char written[100];
static bool sink(void *user, const uint8_t *p, size_t n) {
    (void)user;
    strncat(written, (const char *)p, n);
    return true;
}
static void precompiled_modules(void) {
    CotError e;
    begin(NULL);
    TM_FUNC(&tm, "f", "i:i", 0, 0x20, 0, 0x41, 1, 0x6A);
    TM_FUNC(&tm, "div", "ii:i", 0, 0x20, 0, 0x20, 1, 0x6D);
    tm_finish(&tm);
    CotModule *m = cot_module_new(engine, tm.out, tm.n, &e);
    CHECK(m);
    size_t n = cot_module_serialized_size(m);
    uint8_t *bytes = malloc(n + 1);
    cot_module_serialize(m, bytes + 1); /* anywhere */
    cot_module_free(m);
    CHECK((m = cot_module_deserialize(engine, bytes + 1, n, &e)));
    CotInstance *i = cot_linker_instantiate(linker, m, &e);
    CotValue r, v[2] = {i32(41), i32(0)};
    CHECK(i && cot_func_call(cot_instance_func(i, "f"), v, 1, &r, 1, &e) == COT_OK);
    CHECK(r.of.i32 == 42);
    CHECK(cot_func_call(cot_instance_func(i, "div"), v, 2, &r, 1, &e) == COT_TRAP);
    const CotTrap *t = cot_store_trap(store);
    CotFrame f;
    CHECK(cot_trap_code(t) == COT_TRAP_DIVISION_BY_ZERO && cot_trap_frame_count(t) == 1);
    CHECK(cot_trap_frame(t, 0, &f) == COT_OK && f.function == 1 && f.offset != UINT32_MAX);
    CHECK(f.name.size == 3 && memcmp(f.name.data, "div", 3) == 0);
    CHECK(cot_module_serialized_size(m) == n && cot_module_export_count(m) == 2);
    cot_module_free(m);
    char path[] = "/tmp/cot-api-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, bytes + 1, n) == (ssize_t)n && !close(fd));
    CHECK((m = cot_module_deserialize_file(engine, path, &e)) && !unlink(path));
    CHECK(cot_linker_instantiate(linker, m, &e));
    cot_module_free(m);
    CHECK(!cot_module_deserialize_file(engine, path, &e) && e.status == COT_IO);
    CHECK(!cot_module_deserialize_file(engine, "/tmp", &e) && e.status == COT_IO);
    CHECK(!cot_module_deserialize(engine, bytes + 1, n - 1, &e) && e.status == COT_MALFORMED);
    CHECK(!cot_module_deserialize(engine, tm.out, tm.n, &e) && e.status == COT_MALFORMED);
    CHECK(!cot_module_new(engine, bytes + 1, n, &e) &&
          e.status == COT_MALFORMED); /* not by accident */
    CotConfig *c = cot_config_new();
    cot_config_set_signals(c, false);
    CotEngine *other = cot_engine_new(c, &e);
    CHECK(!cot_module_deserialize(other, bytes + 1, n, &e) && e.status == COT_UNSUPPORTED);
    cot_engine_free(other);
    cot_config_free(c);
    free(bytes);
    end();
}

static void cached_modules(void) {
    char dir[] = "/tmp/cot-api-XXXXXX", command[64];
    CotError e;
    CHECK(mkdtemp(dir));
    for (int k = 0; k < 2; k++) {
        CotConfig *c = cot_config_new();
        CHECK(cot_config_set_cache(c, "/dev/null", 0, &e) == COT_IO);
        CHECK(cot_config_set_cache(c, dir, 0, &e) == COT_OK);
        begin(c);
        cot_config_free(c);
        TM_FUNC(&tm, "f", "i:i", 0, 0x20, 0, 0x41, 1, 0x6A);
        CotValue r, v = i32(41);
        CotInstance *i = load();
        CHECK(i && cot_func_call(cot_instance_func(i, "f"), &v, 1, &r, 1, &e) == COT_OK);
        CHECK(r.of.i32 == 42);
        end();
        snprintf(command, sizeof command, "[ $(ls %s | wc -l) = 1 ]", dir);
        CHECK(system(command) == 0);
    }
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK(system(command) == 0);
}

static void programs(void) {
    begin(NULL);
    CotWasiConfig *c = cot_wasi_config_new();
    CHECK(!cot_wasi_config_arg(c, "prog") && !cot_wasi_config_env(c, "K", "V"));
    CHECK(cot_wasi_config_env(c, "", "V") == COT_MISUSE &&
          cot_wasi_config_env(c, "A=B", "V") == COT_MISUSE);
    cot_wasi_config_stdin(c, "input", 5);
    CHECK(!cot_wasi_config_output(c, 1, sink, NULL) &&
          cot_wasi_config_output(c, 0, sink, NULL) == COT_MISUSE);
    CotWasi *w = cot_wasi_new(engine, c, &err);
    CHECK(w);
    cot_linker_define_wasi(linker, w);
    tm_import(&tm, "wasi_snapshot_preview1", "fd_read", "iiii:i");
    tm_import(&tm, "wasi_snapshot_preview1", "fd_write", "iiii:i");
    tm_import(&tm, "wasi_snapshot_preview1", "proc_exit", "i:");
    /* iovec at 0: 32 bytes at 64; read, write as much, exit with fd_read's count */
    TM_FUNC(&tm, "_start", ":", 0, 0x41, 0, 0x41, 0xC0, 0, 0x36, 2, 0, 0x41, 4, 0x41, 32, 0x36, 2,
            0, 0x41, 0, 0x41, 0, 0x41, 1, 0x41, 8, 0x10, 0, 0x1A, 0x41, 4, 0x41, 8, 0x28, 2, 0,
            0x36, 2, 0, 0x41, 1, 0x41, 0, 0x41, 1, 0x41, 12, 0x10, 1, 0x1A, 0x41, 8, 0x28, 2, 0,
            0x10, 2);
    TM_SET(&tm, mem, 1, 0, 1);
    CotInstance *i = load();
    CHECK(i && call(i, "_start", 0, NULL) == COT_EXIT && cot_store_exit_code(store) == 5);
    CHECK(!strcmp(written, "input"));
    CHECK(!cot_wasi_config_dir(c, "/no/such/directory", "/", true));
    CHECK(!cot_wasi_new(engine, c, &err) && err.status == COT_IO && err.message[0]);
    cot_wasi_config_free(c);
    end();
    cot_wasi_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RT_TEST(errors_and_configuration),
        RT_TEST(memory_that_runs_out),
        RT_TEST(allocator_of_engine_module_function),
        RT_TEST(imports_and_exports),
        RT_TEST(values),
        RT_TEST(vectors),
        RT_TEST(endings),
        RT_TEST(memories_tables_globals),
        RT_TEST(instances_by_name),
        RT_TEST(limits_and_interruption),
        RT_TEST(precompiled_modules),
        RT_TEST(cached_modules),
        RT_TEST(programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
