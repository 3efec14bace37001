/* tests/cabi/run.c — cot/cabi.h against a C compiler: signatures of gen.py, called both ways with random bytes.
 *
 *   CLIF calls C: a CLIF function of (arguments' addresses, result's address) calls the C callee, which notes what it got.
 *   C calls CLIF: a CLIF function of the C signature notes its arguments and returns `wanted`.
 * Compared are the bytes of fields; padding is nobody's. */
#include <cot/cabi.h>
#include <cot/jit.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 32768, ARGS = 16 };
static unsigned char got[ARGS][MOST], wanted[MOST];
typedef struct Test {
    CotCSignature sig;
    void (*callee)(void);
    void (*caller)(void (*fn)(void), void **args, void *res);
} Test;
#define C(K) static const CotCType c_##K = {COT_C_##K, 0, 0, NULL, 0}
C(VOID);
C(I8);
C(U8);
C(I16);
C(U16);
C(I32);
C(U32);
C(I64);
C(U64);
C(POINTER);
C(FLOAT);
C(DOUBLE);
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#include "signatures.h"

static const uint32_t scalar_size[] = {0, 1, 1, 2, 2, 4, 4, 8, 8, 8, 4, 8};
static uint32_t size_of(const CotCType *t) {
    return t->kind == COT_C_STRUCT ? t->size : scalar_size[t->kind];
}
static int same(const CotCType *t, const unsigned char *a, const unsigned char *b) {
    if (t->kind != COT_C_STRUCT) return memcmp(a, b, scalar_size[t->kind]) == 0;
    for (uint32_t k = 0; k < t->nfields; k++) {
        const CotCField *f = &t->fields[k];
        for (uint32_t i = 0; i < (f->count ? f->count : 1); i++) {
            uint32_t at = f->offset + i * size_of(f->type);
            if (!same(f->type, a + at, b + at)) return 0;
        }
    }
    return 1;
}
static uint64_t state = 1;
static void random_bytes(unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        p[i] = (unsigned char)(state >> 56);
    }
}
static void die(const char *what, const CotError *e) {
    fprintf(stderr, "%s: %s: %s\n", what, cot_status_name(e->status), e->message);
    exit(1);
}

static uint32_t clif_type(const CotCType *t) {
    static const uint32_t types[] = {0,
                                     COT_TYPE_I8,
                                     COT_TYPE_I8,
                                     COT_TYPE_I16,
                                     COT_TYPE_I16,
                                     COT_TYPE_I32,
                                     COT_TYPE_I32,
                                     COT_TYPE_I64,
                                     COT_TYPE_I64,
                                     COT_TYPE_I64,
                                     COT_TYPE_F32,
                                     COT_TYPE_F64};
    return types[t->kind];
}
static CotParam params[2 * ARGS + 1];
static CotCArg infos[ARGS];

static CotStatus to_c(CotFunction *f, CotJit *j, uint32_t name, uint32_t callee, CotCAbi *abi,
                      CotError *e) {
    static const CotParam two[2] = {{COT_TYPE_I64, 0, 0, 0}, {COT_TYPE_I64, 0, 0, 0}};
    CotSignature s = {COT_CONV_SYSTEM_V, 0, 2, 0, two, NULL};
    uint32_t args[ARGS];
    cot_function_begin(f, &s);
    cot_function_set_regalloc(f, name / 3 % 2 ? COT_REGALLOC_FAST : COT_REGALLOC_ION);
    uint32_t b = cot_block_new(f), p = cot_block_entry_params(f, b);
    cot_block_switch(f, b);
    cot_block_seal(f, b);
    uint32_t fn = cot_function_import(f, callee, cot_function_signature(f, &abi->signature), false);
    for (uint32_t k = 0; k < abi->c->nargs; k++) {
        const CotCType *t = abi->c->args[k];
        args[k] = cot_ins_load(f, COT_TYPE_I64, 0, p, (int32_t)(8 * k));
        if (t->kind != COT_C_STRUCT) args[k] = cot_ins_load(f, clif_type(t), 0, args[k], 0);
    }
    uint32_t r = cot_c_call(f, abi, fn, COT_NONE, COT_NONE, args, p + 1);
    if (abi->c->result->kind != COT_C_STRUCT && abi->c->result->kind != COT_C_VOID)
        cot_ins_store(f, 0, r, p + 1, 0);
    cot_ins_return(f, NULL, 0);
    CotStatus st = cot_function_end(f, e);
    return st ? st : cot_jit_define(j, name, f, e);
}

static CotStatus from_c(CotFunction *f, CotJit *j, uint32_t name, CotCAbi *abi, CotError *e) {
    uint32_t args[ARGS], value = 0;
    cot_function_begin(f, &abi->signature);
    cot_function_set_regalloc(f, name / 3 % 2 ? COT_REGALLOC_FAST : COT_REGALLOC_ION);
    uint32_t b = cot_block_new(f), p = cot_block_entry_params(f, b);
    cot_block_switch(f, b);
    cot_block_seal(f, b);
    cot_c_enter(f, abi, p, args);
    for (uint32_t k = 0; k < abi->c->nargs; k++) {
        const CotCType *t = abi->c->args[k];
        uint32_t to = cot_ins_iconst(f, COT_TYPE_I64, (int64_t)(intptr_t)got[k]);
        if (t->kind != COT_C_STRUCT) {
            cot_ins_store(f, 0, args[k], to, 0);
            continue;
        }
        for (uint32_t i = 0; i < t->size; i++)
            cot_ins_istore8(f, 0, cot_ins_uload8(f, COT_TYPE_I64, 0, args[k], (int32_t)i), to,
                            (int32_t)i);
    }
    const CotCType *t = abi->c->result;
    if (t->kind != COT_C_VOID) {
        value = cot_ins_iconst(f, COT_TYPE_I64, (int64_t)(intptr_t)wanted);
        if (t->kind != COT_C_STRUCT) value = cot_ins_load(f, clif_type(t), 0, value, 0);
    }
    cot_c_return(f, abi, p, value);
    CotStatus st = cot_function_end(f, e);
    return st ? st : cot_jit_define(j, name, f, e);
}

static int compare(const char *way, unsigned i, const CotCSignature *s, unsigned char (*args)[MOST],
                   const unsigned char *result) {
    int bad = 0;
    for (uint32_t k = 0; k < s->nargs; k++)
        if (!same(s->args[k], args[k], got[k]))
            bad = 1, printf("%s: signature %u: argument %u\n", way, i, k);
    if (!same(s->result, wanted, result)) bad = 1, printf("%s: signature %u: result\n", way, i);
    return bad;
}

int main(void) {
    CotError e;
    CotFunction *f = cot_function_new(NULL, &e);
    CotJit *j = cot_jit_new(NULL, 0, &e);
    if (!f || !j) die("new", &e);
    static unsigned char args[ARGS][MOST], result[MOST];
    unsigned n = sizeof tests / sizeof *tests, bad = 0, both = 0;
    for (unsigned k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        const CotCType *t = layouts[k];
        CotCField fields[16];
        CotCType mine;
        memcpy(fields, t->fields, t->nfields * sizeof *fields);
        for (uint32_t m = 0; m < t->nfields; m++) fields[m].offset = 77;
        if (cot_c_layout(fields, t->nfields, &mine, &e)) die("layout", &e);
        int wrong = mine.size != t->size || mine.align != t->align;
        for (uint32_t m = 0; m < t->nfields; m++) wrong |= fields[m].offset != t->fields[m].offset;
        if (wrong) bad++, printf("layout %u differs\n", k);
    }
    for (unsigned i = 0; i < n; i++) {
        const CotCSignature *s = &tests[i].sig;
        CotCAbi abi = {.params = params, .args = infos};
        char name[3][24];
        uint32_t sym[3];
        static const char *const what[3] = {"callee", "to_c", "from_c"};
        for (int k = 0; k < 3; k++) {
            snprintf(name[k], sizeof name[k], "%s%u", what[k], i);
            sym[k] = cot_jit_declare(j, name[k]);
        }
        void *at;
        memcpy(&at, &tests[i].callee, sizeof at);
        cot_jit_set_address(j, sym[0], at, &e);
        if (cot_c_abi(s, &abi, &e)) die("cot_c_abi", &e);
        CotStatus st = to_c(f, j, sym[1], sym[0], &abi, &e);
        if (!st && !s->variadic) st = from_c(f, j, sym[2], &abi, &e);
        if (st) die(name[1], &e);
        if (cot_jit_link(j, &e)) die("link", &e);
        void *addresses[ARGS];
        for (int k = 0; k < ARGS; k++) addresses[k] = args[k];
        random_bytes(args[0], sizeof args);
        random_bytes(wanted, sizeof wanted);
        memset(result, 0, sizeof result);
        memset(got, 0, sizeof got);
        void (*fn)(void **, void *);
        at = cot_jit_address(j, sym[1]);
        memcpy(&fn, &at, sizeof fn);
        fn(addresses, result);
        bad += (unsigned)compare("CLIF calls C", i, s, args, result);
        if (!s->variadic) {
            void (*code)(void);
            at = cot_jit_address(j, sym[2]);
            memcpy(&code, &at, sizeof code);
            memset(result, 0, sizeof result);
            memset(got, 0, sizeof got);
            tests[i].caller(code, addresses, result);
            bad += (unsigned)compare("C calls CLIF", i, s, args, result);
            both++;
        }
        for (int k = 1; k < 3; k++) cot_jit_undefine(j, sym[k], &e);
    }
    printf("%u signatures called from CLIF, %u also from C, %zu layouts, %u wrong\n", n, both,
           sizeof layouts / sizeof *layouts, bad);
    cot_jit_free(j);
    cot_function_free(f);
    return bad != 0;
}
