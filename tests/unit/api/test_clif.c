/* cot/clif.h and cot/jit.h: functions built, printed, read and run; wrong use of every kind, which never crashes; memory that
 * runs out at every single request; no requests after warm-up; symbols, data and traps of a CotJit; many threads. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include "cm.h"
#include "cot/jit.h"

static const CotParam i64s[4] = {{COT_TYPE_I64, 0, 0, 0},
                                 {COT_TYPE_I64, 0, 0, 0},
                                 {COT_TYPE_I64, 0, 0, 0},
                                 {COT_TYPE_I64, 0, 0, 0}};
static CotSignature sig_of(uint32_t np, uint32_t nr) {
    return (CotSignature){COT_CONV_SYSTEM_V, 0, np, nr, i64s, i64s};
}
typedef int64_t Fn1(int64_t);
static int64_t call1(CotJit *j, uint32_t s, int64_t x) {
    Fn1 *fn;
    void *p = cot_jit_address(j, s);
    assert_non_null(p);
    memcpy(&fn, &p, sizeof fn);
    return fn(x);
}

/* sum of 1..n with a loop over two variables */
static CotStatus build_sum(CotFunction *f, CotError *e) {
    CotSignature sig = sig_of(1, 1);
    cot_function_begin(f, &sig);
    cot_function_set_name(f, "sum");
    uint32_t entry = cot_block_new(f), head = cot_block_new(f), body = cot_block_new(f),
             done = cot_block_new(f);
    uint32_t n = cot_var_new(f, COT_TYPE_I64), s = cot_var_new(f, COT_TYPE_I64);
    uint32_t p = cot_block_entry_params(f, entry);
    cot_block_switch(f, entry);
    cot_block_seal(f, entry);
    cot_var_set(f, n, p);
    cot_var_set(f, s, cot_ins_iconst(f, COT_TYPE_I64, 0));
    cot_ins_jump(f, head, NULL, 0);
    cot_block_switch(f, head);
    cot_ins_brif(f, cot_var_get(f, n), body, NULL, 0, done, NULL, 0);
    cot_block_switch(f, body);
    cot_block_seal(f, body);
    cot_var_set(f, s, cot_ins_iadd(f, cot_var_get(f, s), cot_var_get(f, n)));
    cot_var_set(f, n, cot_ins_isub(f, cot_var_get(f, n), cot_ins_iconst(f, COT_TYPE_I64, 1)));
    cot_ins_jump(f, head, NULL, 0);
    cot_block_seal(f, head);
    cot_block_switch(f, done);
    cot_block_seal(f, done);
    uint32_t r = cot_var_get(f, s);
    cot_ins_return(f, &r, 1);
    return cot_function_end(f, e);
}

static void builds_prints_reads_runs(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    CotJit *j = cot_jit_new(NULL, 0, &e);
    assert_non_null(f);
    assert_non_null(j);
    assert_int_equal(build_sum(f, &e), COT_OK);
    char text[2000], again[2000], small[8];
    size_t n = cot_function_print(f, text, sizeof text);
    assert_int_equal(n, strlen(text));
    assert_int_equal(cot_function_print(f, small, sizeof small), n);
    assert_int_equal(strlen(small), 7);
    assert_int_equal(cot_function_print(f, NULL, 0), n);
    assert_non_null(strstr(text, "function %sum(i64) -> i64 system_v"));
    uint32_t s = cot_jit_declare(j, "sum"), t = cot_jit_declare(j, "sum2");
    assert_int_equal(cot_jit_define(j, s, f, &e), COT_OK);
    CotReader *r = cot_reader_new(text, n, &e);
    bool found;
    assert_int_equal(cot_reader_next(r, f, &found, &e), COT_OK);
    assert_true(found);
    cot_function_print(f, again, sizeof again);
    assert_string_equal(text, again);
    assert_int_equal(cot_jit_define(j, t, f, &e), COT_OK);
    assert_int_equal(cot_reader_next(r, f, &found, &e), COT_OK);
    assert_false(found);
    cot_reader_free(r);
    assert_int_equal(cot_jit_define(j, t, f, &e), COT_MISUSE); /* nothing in it */
    assert_null(cot_jit_lookup(j, "sum"));
    assert_int_equal(cot_jit_link(j, &e), COT_OK);
    assert_int_equal(call1(j, s, 100), 5050);
    assert_int_equal(call1(j, t, 10), 55);
    assert_ptr_equal(cot_jit_lookup(j, "sum2"), cot_jit_address(j, t));
    assert_null(cot_jit_lookup(j, "sum3"));
    cot_jit_free(j);
    cot_function_free(f);
}

static void text_errors_have_a_place(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    static const char bad[] = "function %f() {\nblock0:\n    v0 = frob v1\n    return\n}\n";
    CotReader *r = cot_reader_new(bad, sizeof bad - 1, &e);
    bool found = true;
    assert_int_equal(cot_reader_next(r, f, &found, &e), COT_MALFORMED);
    assert_false(found);
    assert_non_null(strstr(e.message, "3:"));
    assert_int_equal(cot_function_status(f), COT_MALFORMED);
    cot_reader_free(r);
    static const char wrong[] = "function %f() -> i64 {\nblock0:\n    return\n}\n";
    r = cot_reader_new(wrong, sizeof wrong - 1, &e);
    assert_int_equal(cot_reader_next(r, f, &found, &e), COT_INVALID);
    assert_non_null(strstr(e.message, "RETURN_ARGS"));
    cot_reader_free(r);
    assert_int_equal(build_sum(f, &e), COT_OK); /* beginning anew forgets it */
    cot_function_free(f);
}

/* ---- wrong use ---- */
static void begun(CotFunction *f, uint32_t *blk, uint32_t *p) {
    CotSignature sig = sig_of(2, 1);
    cot_function_begin(f, &sig);
    *blk = cot_block_new(f);
    *p = cot_block_entry_params(f, *blk);
    cot_block_switch(f, *blk);
}
static void expect(CotFunction *f, CotStatus status, const char *part) {
    CotError e = {0};
    assert_int_equal(cot_function_end(f, &e), status);
    assert_int_equal(e.status, status);
    if (!strstr(e.message, part)) fail_msg("'%s' does not say '%s'", e.message, part);
    assert_int_equal(cot_function_end(f, NULL), status); /* it sticks */
    assert_int_equal(cot_ins_iconst(f, COT_TYPE_I64, 1), COT_NONE);
}

static void wrong_use_is_an_error(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    uint32_t b, p;
    expect(f, COT_MISUSE, "no function is begun");
    begun(f, &b, &p);
    cot_ins_iadd(f, p, 77);
    expect(f, COT_MISUSE, "no value 77");
    begun(f, &b, &p);
    cot_ins_iadd(f, p, cot_ins_iconst(f, COT_TYPE_I32, 1));
    expect(f, COT_MISUSE, "'y' is of type i32");
    begun(f, &b, &p);
    cot_ins_uextend(f, COT_TYPE_I32, p);
    expect(f, COT_MISUSE, "uextend");
    begun(f, &b, &p);
    cot_ins_fadd(f, p, p);
    expect(f, COT_MISUSE, "the operand");
    begun(f, &b, &p);
    cot_ins_iconst(f, 99, 1);
    expect(f, COT_MISUSE, "the result");
    begun(f, &b, &p);
    cot_ins_trap(f, 1);
    cot_ins_trap(f, 1);
    expect(f, COT_MISUSE, "filled already");
    begun(f, &b, &p);
    cot_ins_trap(f, 0);
    expect(f, COT_MISUSE, "trap codes");
    begun(f, &b, &p);
    cot_ins_return(f, NULL, 0);
    expect(f, COT_MISUSE, "0 values are given, the signature has 1");
    begun(f, &b, &p);
    cot_ins_return(f, NULL, 1);
    expect(f, COT_MISUSE, "return");
    begun(f, &b, &p);
    cot_ins_return(f, &p, 1);
    expect(f, COT_MISUSE, "not sealed");
    begun(f, &b, &p);
    cot_block_seal(f, b);
    expect(f, COT_MISUSE, "terminator");
    begun(f, &b, &p);
    uint32_t c = cot_block_new(f);
    cot_block_seal_all(f);
    cot_ins_jump(f, c, NULL, 0);
    expect(f, COT_MISUSE, "sealed block");
    begun(f, &b, &p);
    c = cot_block_new(f);
    cot_ins_jump(f, c, NULL, 0);
    cot_block_seal_all(f);
    expect(f, COT_MISUSE, "never filled");
    begun(f, &b, &p);
    cot_ins_iadd(f, p, p);
    cot_block_switch(f, cot_block_new(f));
    expect(f, COT_MISUSE, "left before");
    begun(f, &b, &p);
    cot_ins_jump(f, 9, NULL, 0);
    expect(f, COT_MISUSE, "block9");
    begun(f, &b, &p);
    cot_block_switch(f, 9);
    expect(f, COT_MISUSE, "no block 9");
    begun(f, &b, &p);
    cot_var_get(f, 0);
    expect(f, COT_MISUSE, "no variable");
    begun(f, &b, &p);
    cot_var_set(f, cot_var_new(f, COT_TYPE_I32), p);
    expect(f, COT_MISUSE, "type of variable");
    begun(f, &b, &p);
    cot_ins_iadd(f, p, p);
    cot_block_param(f, b, COT_TYPE_I64);
    expect(f, COT_MISUSE, "parameter after");
    begun(f, &b, &p);
    cot_ins_call(f, 0, NULL, 0);
    expect(f, COT_MISUSE, "no imported function");
    begun(f, &b, &p);
    cot_function_import(f, 1, 0, false);
    expect(f, COT_MISUSE, "no signature");
    begun(f, &b, &p);
    cot_ins_load(f, COT_TYPE_I64, 255, p, 0);
    expect(f, COT_MISUSE, "memory flags");
    begun(f, &b, &p);
    cot_ins_shuffle(f, p, p, NULL);
    expect(f, COT_MISUSE, "shuffle");
    begun(f, &b, &p);
    cot_ins_icmp(f, 10, p, p);
    expect(f, COT_MISUSE, "condition");
    begun(f, &b, &p);
    c = cot_block_new(f);
    CotTarget t = {c, 0, NULL};
    uint32_t jt = cot_function_jump_table(f, &t, 1), x = cot_ins_ireduce(f, COT_TYPE_I32, p);
    cot_ins_br_table(f, x, jt);
    cot_block_switch(f, c);
    cot_ins_br_table(f, x, jt);
    expect(f, COT_MISUSE, "already used");
    begun(f, &b, &p);
    cot_ins(f, &(CotIns){.op = 9999});
    expect(f, COT_MISUSE, "no opcode");
    begun(f, &b, &p);
    cot_function_set_name(f, "a b");
    expect(f, COT_MISUSE, "name");
    cot_function_begin(f, &(CotSignature){.convention = 77});
    expect(f, COT_MISUSE, "convention");
    cot_function_begin(f, NULL);
    expect(f, COT_MISUSE, "signature");
    begun(f, &b, &p); /* the verifier's: too few arguments of a block */
    c = cot_block_new(f);
    cot_block_param(f, c, COT_TYPE_I64);
    cot_ins_jump(f, c, NULL, 0);
    cot_block_switch(f, c);
    cot_ins_return(f, &p, 1);
    cot_block_seal_all(f);
    expect(f, COT_INVALID, "BLOCK_ARGS");
    assert_int_equal(cot_function_end(NULL, &e), COT_MISUSE);
    assert_int_equal(cot_block_new(NULL), COT_NONE);
    cot_function_begin(NULL, NULL);
    cot_function_free(f);
    cot_function_free(NULL);
}

/* Any calls with any handles: the function ends well or with an error, and can be printed at any time. */
static uint32_t pick(uint64_t *s, uint32_t limit) {
    uint64_t r = rnd(s);
    return r % 50 == 0 ? (uint32_t)(r >> 32) : (uint32_t)(r >> 8) % (limit + 1);
}
static void random_calls_never_crash(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    CotJit *j = cot_jit_new(NULL, 0, &e);
    uint64_t seed = 7;
    static const uint8_t mask[16] = {1, 2, 3};
    unsigned ended[16] = {0};
    for (int round = 0; round < 20000; round++) {
        uint64_t *s = &seed;
        static const uint32_t types[] = {1, 2, 3, 4, 4, 4, 5, 7, 8, 0x41, 0x23, 0x18, 6, 9};
        CotParam ps[3];
        for (int k = 0; k < 3; k++)
            ps[k] = (CotParam){types[rnd(s) % 14], (uint32_t)(rnd(s) % 8 == 0), 0, 0};
        CotSignature sig = {(uint32_t)rnd(s) % 3,   0,  (uint32_t)(rnd(s) % 4),
                            (uint32_t)(rnd(s) % 2), ps, ps};
        uint32_t n = 0, blocks = 0, args[4];
        cot_function_begin(f, &sig);
        cot_block_new(f);
        cot_block_entry_params(f, 0);
        cot_block_switch(f, 0);
        for (int k = 0; k < 3; k++) n = cot_ins_iconst(f, COT_TYPE_I64, k);
        for (int k = (int)(rnd(s) % 12); k > 0 && !cot_function_status(f); k--) {
            for (int a = 0; a < 4; a++) args[a] = pick(s, n);
            uint32_t r = COT_NONE;
            switch (rnd(s) % 16) {
            case 0: r = cot_block_new(f), blocks++; break;
            case 1:
                if (cot_block_is_filled(f)) cot_block_switch(f, pick(s, blocks));
                break;
            case 2:
                if (rnd(s) % 4 == 0) cot_block_seal(f, pick(s, blocks));
                break;
            case 3: cot_var_new(f, types[rnd(s) % 14]); break;
            case 4:
                if (rnd(s) % 4 == 0) cot_var_set(f, pick(s, 2), args[0]);
                break;
            case 5:
                if (rnd(s) % 4 == 0) r = cot_var_get(f, pick(s, 2));
                break;
            case 6: cot_function_signature(f, &sig); break;
            case 7:
                if (rnd(s) % 4 == 0) cot_function_import(f, 0, 0, false);
                break;
            case 8: cot_function_stack_slot(f, 16, 8); break;
            case 9:
                if (rnd(s) % 4 == 0) cot_block_param(f, pick(s, blocks), types[rnd(s) % 14]);
                break;
            case 10: r = cot_ins_iconst(f, types[rnd(s) % 4], (int64_t)rnd(s)); break;
            case 11: cot_function_jump_table(f, &(CotTarget){pick(s, blocks), 0, args}, 1); break;
            default: {
                CotIns i = {.op = 1 + pick(s, 165), .type = types[rnd(s) % 14]};
                memcpy(i.args, args, sizeof i.args);
                i.list = args;
                i.nlist = (uint32_t)(rnd(s) % 4);
                i.imm = (int64_t)(rnd(s) % 3);
                i.code = 1 + (uint32_t)(rnd(s) % 5);
                i.entity = pick(s, 1);
                i.table = pick(s, 1);
                i.mask = mask;
                i.flags = (uint32_t)(rnd(s) % 2) * COT_MEM_ALIGNED;
                i.targets[0] = (CotTarget){pick(s, blocks), 0, args};
                i.targets[1] = (CotTarget){pick(s, blocks), 0, args};
                if (rnd(s) % 8 && !cot_block_is_filled(f)) /* operands that fit, more often */
                    for (int t = 0; t < 3; t++) i.args[t] = args[0];
                r = cot_ins_result(f, cot_ins(f, &i), 0);
            }
            }
            if (r != COT_NONE && r < 1000 && r > n) n = r;
        }
        if (round % 7 == 0) assert_true(cot_function_print(f, NULL, 0) > 0);
        if (!cot_block_is_filled(f)) cot_ins_trap(f, 1);
        for (uint32_t b = 1; b <= blocks;
             b++) { /* fill what is empty, so that some functions are whole */
            if (cot_function_status(f)) break;
            CotError first;
            cot_block_switch(f, b);
            if (cot_function_status(f)) {
                cot_function_end(f, &first);
                break;
            }
            cot_ins_trap(f, 2);
        }
        cot_block_seal_all(f);
        CotStatus st = cot_function_end(f, &e);
        ended[st]++;
        assert_true(st == COT_OK || st == COT_MISUSE || st == COT_INVALID);
        assert_true(cot_function_print(f, NULL, 0) > 0);
        if (st) continue;
        char name[32];
        snprintf(name, sizeof name, "f%d", round);
        uint32_t sym = cot_jit_declare(j, name);
        CotStatus c = cot_jit_define(j, sym, f, &e);
        if (c != COT_OK && c != COT_UNSUPPORTED && c != COT_LIMIT && c != COT_LINK)
            fail_msg("%s", e.message);
        cot_jit_undefine(j, sym, NULL);
    }
    printf("%u functions ended well, %u with wrong calls, %u broke a rule\n", ended[COT_OK],
           ended[COT_MISUSE], ended[COT_INVALID]);
    assert_true(ended[COT_OK] > 500 && ended[COT_MISUSE] > 500);
    cot_jit_free(j);
    cot_function_free(f);
}

/* ---- memory ---- */
typedef struct Counter {
    uint64_t requests, fail_at;
    int64_t live;
} Counter;
static void *counted(void *user, void *old, size_t old_size, size_t new_size) {
    Counter *c = user;
    if (new_size && ++c->requests == c->fail_at) return NULL;
    if (!new_size) {
        c->live -= (int64_t)old_size;
        free(old);
        return NULL;
    }
    void *p = realloc(old, new_size);
    c->live += (int64_t)new_size - (int64_t)old_size;
    return p;
}
static CotStatus whole_way(const CotConfig *config, CotError *e) {
    CotStatus s = COT_NO_MEMORY;
    CotFunction *f = cot_function_new(config, e);
    CotJit *j = f ? cot_jit_new(config, 0, e) : NULL;
    if (j) {
        uint32_t sym = cot_jit_declare(j, "sum"), d = cot_jit_declare(j, "data");
        CotAddress a = {8, 0, sym};
        CotData data = {NULL, 64, 0, 1, &a, 1};
        s = build_sum(f, e);
        if (!s && (sym == COT_NONE || d == COT_NONE)) s = COT_NO_MEMORY;
        if (!s) s = cot_jit_define(j, sym, f, e);
        if (!s) s = cot_jit_define_data(j, d, &data, e);
        if (!s) s = cot_jit_link(j, e);
        if (!s) assert_int_equal(call1(j, sym, 10), 55);
    }
    cot_jit_free(j);
    cot_function_free(f);
    return s;
}
static void memory_runs_out_anywhere(void **state) {
    (void)state;
    CotError e;
    Counter c = {0};
    CotConfig *config = cot_config_new();
    cot_config_set_allocator(config, counted, &c);
    cot_config_set_verify(config, true);
    assert_int_equal(whole_way(config, &e), COT_OK);
    assert_int_equal(c.live, 0);
    uint64_t all = c.requests;
    assert_true(all > 50);
    for (uint64_t k = 1; k <= all; k++) {
        c = (Counter){.fail_at = k};
        assert_int_equal(whole_way(config, &e), COT_NO_MEMORY);
        assert_int_equal(c.live, 0);
    }
    cot_config_free(config);
}

static void nothing_is_allocated_after_warm_up(void **state) {
    (void)state;
    CotError e;
    Counter c = {0};
    CotConfig *config = cot_config_new();
    cot_config_set_allocator(config, counted, &c);
    CotFunction *f = cot_function_new(config, &e);
    for (int k = 0; k < 3; k++) assert_int_equal(build_sum(f, &e), COT_OK);
    uint64_t before = c.requests;
    for (int k = 0; k < 100; k++) assert_int_equal(build_sum(f, &e), COT_OK);
    assert_int_equal(c.requests, before);
    cot_function_free(f);
    cot_config_free(config);
}

/* ---- symbols, data, traps ---- */
static int64_t host_double(int64_t x) {
    return 2 * x;
}
static void *resolver(void *user, const char *name) {
    int64_t (*fn)(int64_t) = host_double;
    void *p = NULL;
    if (strcmp(name, user) == 0) memcpy(&p, &fn, sizeof p);
    return p;
}
/* name(x) = callee(x) + 1 */
static void define_caller(CotFunction *f, CotJit *j, uint32_t name, uint32_t callee) {
    CotError e;
    CotSignature sig = sig_of(1, 1);
    cot_function_begin(f, &sig);
    uint32_t fn = cot_function_import(f, callee, cot_function_signature(f, &sig), false);
    uint32_t b = cot_block_new(f), p = cot_block_entry_params(f, b);
    cot_block_switch(f, b);
    uint32_t call = cot_ins_call(f, fn, &p, 1);
    assert_int_equal(cot_ins_result_count(f, call), 1);
    uint32_t r = cot_ins_iadd(f, cot_ins_result(f, call, 0), cot_ins_iconst(f, COT_TYPE_I64, 1));
    assert_int_equal(cot_value_type(f, r), COT_TYPE_I64);
    cot_ins_return(f, &r, 1);
    cot_block_seal_all(f);
    assert_int_equal(cot_function_end(f, &e), COT_OK);
    if (cot_jit_define(j, name, f, &e)) fail_msg("%s", e.message);
}

static void symbols_come_from_everywhere(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    CotJit *j = cot_jit_new(NULL, 0, &e);
    uint32_t a = cot_jit_declare(j, "a"), b = cot_jit_declare(j, "b"), c = cot_jit_declare(j, "c");
    uint32_t host = cot_jit_declare(j, "host"), res = cot_jit_declare(j, "res"),
             lib = cot_jit_declare(j, "labs");
    assert_int_equal(cot_jit_declare(j, "host"), host);
    assert_string_equal(cot_jit_name(j, lib), "labs");
    assert_null(cot_jit_name(j, 99));
    define_caller(f, j, a, host);
    define_caller(f, j, b, res);
    define_caller(f, j, c, lib);
    assert_int_equal(cot_jit_link(j, &e), COT_LINK);
    assert_non_null(strstr(e.message, "host"));
    assert_null(cot_jit_address(j, a));
    assert_int_equal(cot_jit_set_address(j, host, resolver("x", "x"), &e), COT_OK);
    assert_int_equal(cot_jit_set_address(j, 99, NULL, &e), COT_MISUSE);
    cot_jit_set_resolver(j, resolver, "res");
    assert_int_equal(cot_jit_link(j, &e), COT_LINK);
    assert_non_null(strstr(e.message, "labs"));
    cot_jit_set_process_symbols(j, true);
    assert_int_equal(cot_jit_link(j, &e), COT_OK);
    assert_int_equal(call1(j, a, 20), 41);
    assert_int_equal(call1(j, b, 5), 11);
    assert_int_equal(call1(j, c, -5), 6);
    assert_true(cot_jit_size(j, a) > 0);
    assert_int_equal(cot_jit_undefine(j, a, &e), COT_OK);
    assert_null(cot_jit_address(j, a));
    assert_int_equal(cot_jit_size(j, a), 0);
    assert_int_equal(cot_jit_undefine(j, 99, &e), COT_MISUSE);
    define_caller(f, j, a, c);                                 /* another definition of it */
    assert_int_equal(cot_jit_define(j, b, f, &e), COT_MISUSE); /* defined already */
    assert_int_equal(cot_jit_link(j, &e), COT_OK);
    assert_int_equal(call1(j, a, -7), 9);
    cot_jit_free(j);
    cot_function_free(f);
}

static void data_and_names_of_text(void **state) {
    (void)state;
    static const char text[] =
        "function %get(i64) -> i64 system_v {\n"
        "    gv0 = symbol colocated %table\n"
        "    sig0 = (i64) -> i64 system_v\n"
        "    fn0 = colocated %next sig0\n"
        "block0(v0: i64):\n"
        "    v1 = symbol_value.i64 gv0\n"
        "    v9 = iconst.i64 3\n    v2 = ishl v0, v9\n    v3 = iadd v1, v2\n    v4 = load.i64 v3\n"
        "    v5 = call fn0(v4)\n    return v5\n}\n"
        "function %next(i64) -> i64 system_v {\n"
        "block0(v0: i64):\n    v1 = iconst.i64 1\n    v2 = iadd v0, v1\n    return v2\n}\n";
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    CotJit *j = cot_jit_new(NULL, 1 << 20, &e);
    CotReader *r = cot_reader_new(text, sizeof text - 1, &e);
    bool found;
    CotStatus s;
    static const char *const names[] = {"get", "next"};
    int n = 0;
    while ((s = cot_reader_next(r, f, &found, &e)) == COT_OK && found)
        assert_int_equal(cot_jit_define(j, cot_jit_declare(j, names[n++]), f, &e), COT_OK);
    if (s) fail_msg("%s", e.message);
    assert_int_equal(n, 2);
    static const int64_t values[3] = {10, 20, 30};
    uint32_t t = cot_jit_declare(j, "table"), p = cot_jit_declare(j, "pointer");
    CotAddress a = {8, 16, t}, outside = {9, 0, t};
    CotData d = {values, sizeof values, 8, 0, NULL, 0}, ptr = {NULL, 16, 8, 1, &a, 1};
    CotData wrong = {NULL, 16, 8, 1, &outside, 1};
    assert_int_equal(cot_jit_define_data(j, t, &d, &e), COT_OK);
    assert_int_equal(cot_jit_define_data(j, t, &d, &e), COT_MISUSE);
    assert_int_equal(cot_jit_define_data(j, p, &wrong, &e), COT_MISUSE);
    assert_int_equal(cot_jit_define_data(j, p, &ptr, &e), COT_OK);
    if (cot_jit_link(j, &e)) fail_msg("%s", e.message);
    assert_int_equal(call1(j, cot_jit_declare(j, "get"), 1), 21);
    int64_t **q = cot_jit_lookup(j, "pointer");
    assert_int_equal(*q[1], 30);
    cot_reader_free(r);
    cot_jit_free(j);
    cot_function_free(f);
}

static CotJit *trap_jit;
static volatile uint32_t trap_code, trap_symbol;
static sigjmp_buf trap_back;
static void on_signal(int sig, siginfo_t *si, void *uc) {
    (void)si;
    uint32_t s;
    const void *pc = (const void *)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
    trap_code = cot_jit_trap_at(trap_jit, pc, &s);
    if (!trap_code) {
        signal(sig, SIG_DFL);
        return;
    }
    trap_symbol = s;
    siglongjmp(trap_back, 1);
}
static void traps_are_found(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    CotJit *j = trap_jit = cot_jit_new(NULL, 0, &e);
    CotSignature sig = sig_of(1, 1);
    cot_function_begin(f, &sig);
    uint32_t b = cot_block_new(f), p = cot_block_entry_params(f, b), s = cot_jit_declare(j, "f");
    cot_block_switch(f, b);
    cot_ins_trapz(f, p, 42);
    uint32_t r = cot_ins_load(f, COT_TYPE_I64, COT_MEM_ALIGNED + 7 * COT_MEM_TRAP, p, 0);
    r = cot_ins_udiv(f, p, r);
    cot_ins_return(f, &r, 1);
    cot_block_seal_all(f);
    assert_int_equal(cot_function_end(f, &e), COT_OK);
    assert_int_equal(cot_jit_define(j, s, f, &e), COT_OK);
    assert_int_equal(cot_jit_link(j, &e), COT_OK);
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_NODEFER}, old[3];
    sa.sa_sigaction = on_signal;
    static const int signals[3] = {SIGILL, SIGSEGV, SIGFPE};
    for (int k = 0; k < 3; k++) sigaction(signals[k], &sa, &old[k]);
    int64_t zero = 0;
    const int64_t args[3] = {0, 8, (int64_t)(intptr_t)&zero};
    const uint32_t codes[3] = {42, 7, COT_CODE_DIVISION_BY_ZERO};
    for (int k = 0; k < 3; k++) {
        trap_code = 0;
        if (!sigsetjmp(trap_back, 1)) call1(j, s, args[k]);
        assert_int_equal(trap_code, codes[k]);
        assert_int_equal(trap_symbol, s);
    }
    for (int k = 0; k < 3; k++) sigaction(signals[k], &old[k], NULL);
    assert_int_equal(cot_jit_trap_at(j, &zero, NULL), 0);
    cot_jit_free(j);
    cot_function_free(f);
}

/* A loop, run n times, over more values than registers. */
static uint64_t defined_size(CotJit *j, CotFunction *f, const char *name, CotRegalloc r) {
    CotError e;
    CotSignature sig = sig_of(1, 1);
    cot_function_begin(f, &sig);
    cot_function_set_regalloc(f, r);
    uint32_t b = cot_block_new(f), loop = cot_block_new(f), done = cot_block_new(f), v[24];
    uint32_t n = cot_var_new(f, COT_TYPE_I64), p = cot_block_entry_params(f, b);
    cot_block_switch(f, b);
    cot_var_set(f, n, p);
    for (int k = 0; k < 24; k++) {
        v[k] = cot_var_new(f, COT_TYPE_I64);
        cot_var_set(f, v[k], cot_ins_imul(f, p, cot_ins_iconst(f, COT_TYPE_I64, 1001 + 2 * k)));
    }
    cot_ins_jump(f, loop, NULL, 0);
    cot_block_switch(f, loop);
    for (int k = 0; k < 24; k++)
        cot_var_set(f, v[k], cot_ins_imul(f, cot_var_get(f, v[k]), cot_var_get(f, v[23 - k])));
    cot_var_set(f, n, cot_ins_isub(f, cot_var_get(f, n), cot_ins_iconst(f, COT_TYPE_I64, 1)));
    cot_ins_brif(f, cot_var_get(f, n), loop, NULL, 0, done, NULL, 0);
    cot_block_switch(f, done);
    uint32_t x = cot_var_get(f, v[7]);
    cot_ins_return(f, &x, 1);
    cot_block_seal_all(f);
    assert_int_equal(cot_function_end(f, &e), COT_OK);
    uint32_t s = cot_jit_declare(j, name);
    if (cot_jit_define(j, s, f, &e)) fail_msg("%s", e.message);
    assert_int_equal(cot_jit_link(j, &e), COT_OK);
    static int64_t first;
    int64_t y = call1(j, s, 3);
    if (!first) first = y;
    assert_int_equal(y, first);
    return cot_jit_size(j, s);
}

static void a_function_has_its_allocator(void **state) {
    (void)state;
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    for (int k = 0; k < 2; k++) {
        CotConfig *c = cot_config_new();
        assert_int_equal(
            cot_config_set(c, "regalloc_algorithm", k ? "single_pass" : "backtracking", &e), 0);
        CotJit *j = cot_jit_new(k ? c : NULL, 0, &e); /* backtracking is the default */
        uint64_t ion = defined_size(j, f, "ion", COT_REGALLOC_ION),
                 fast = defined_size(j, f, "fast", COT_REGALLOC_FAST);
        assert_int_not_equal(ion, fast);
        assert_int_equal(defined_size(j, f, "set", COT_REGALLOC_DEFAULT), k ? fast : ion);
        cot_jit_free(j);
        cot_config_free(c);
    }
    cot_function_free(f);
}

static void settings_and_libcalls(void **state) {
    (void)state;
    CotError e;
    CotConfig *c = cot_config_new();
    assert_int_equal(cot_config_set(c, "frobnicate", "true", &e), COT_MISUSE);
    assert_int_equal(cot_config_set(c, "enable_probestack", "2", &e), COT_MISUSE);
    assert_int_equal(cot_config_set(c, "probestack_size_log2", "99", &e), COT_MISUSE);
    assert_int_equal(cot_config_set(c, "probestack_size_log2", "13", &e), COT_OK);
    assert_int_equal(cot_config_set(c, "enable_nan_canonicalization", "false", &e), COT_OK);
    assert_int_equal(cot_config_set(c, "enable_verifier", "true", &e), COT_OK);
    assert_int_equal(cot_config_set_cpu_features(c, "baseline", &e), COT_OK); /* ceil is a call */
    CotFunction *f = cot_function_new(c, &e);
    CotJit *j = cot_jit_new(c, 0, &e);
    CotParam d = {COT_TYPE_F64, 0, 0, 0};
    cot_function_begin(f, &(CotSignature){COT_CONV_SYSTEM_V, 0, 1, 1, &d, &d});
    uint32_t b = cot_block_new(f), p = cot_block_entry_params(f, b);
    cot_block_switch(f, b);
    uint32_t r = cot_ins_fma(f, cot_ins_ceil(f, p), cot_ins_double(f, 2), cot_ins_double(f, .5));
    cot_ins_return(f, &r, 1);
    cot_block_seal_all(f);
    assert_int_equal(cot_function_end(f, &e), COT_OK);
    uint32_t s = cot_jit_declare(j, "f");
    assert_int_equal(cot_jit_define(j, s, f, &e), COT_OK);
    assert_int_equal(cot_jit_link(j, &e), COT_OK);
    double (*fn)(double);
    void *at = cot_jit_address(j, s);
    memcpy(&fn, &at, sizeof fn);
    assert_true(fn(1.25) == 4.5);
    cot_jit_free(j);
    cot_function_free(f);
    cot_config_free(c);
}

static void *one_thread(void *arg) {
    CotError e;
    for (int k = 0; k < 20; k++)
        if (whole_way(NULL, &e)) return &trap_jit;
    return arg;
}
static void contexts_on_threads(void **state) {
    (void)state;
    pthread_t t[4];
    void *r;
    for (int k = 0; k < 4; k++) assert_int_equal(pthread_create(&t[k], NULL, one_thread, NULL), 0);
    for (int k = 0; k < 4; k++) {
        pthread_join(t[k], &r);
        assert_null(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_prints_reads_runs),
        cmocka_unit_test(text_errors_have_a_place),
        cmocka_unit_test(wrong_use_is_an_error),
        cmocka_unit_test(random_calls_never_crash),
        cmocka_unit_test(memory_runs_out_anywhere),
        cmocka_unit_test(nothing_is_allocated_after_warm_up),
        cmocka_unit_test(symbols_come_from_everywhere),
        cmocka_unit_test(data_and_names_of_text),
        cmocka_unit_test(traps_are_found),
        cmocka_unit_test(a_function_has_its_allocator),
        cmocka_unit_test(settings_and_libcalls),
        cmocka_unit_test(contexts_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
