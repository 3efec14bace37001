/* tests/unit/runtime/rt_test.h — for tests of the runtime: a builder of small modules, and tests in a child process.
 *
 * Each test runs in a forked child, because signal handlers are installed once per process and cmocka sets its own around
 * every test. The child says what failed and exits with 1; leaks are found at its exit (address sanitizer). */
#ifndef COT_TESTS_RT_TEST_H
#define COT_TESTS_RT_TEST_H
#include "cm.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "compiler/compiler.h"
#include "runtime/rt_int.h"

#define CHECK(c)                                                            \
    do {                                                                    \
        if (!(c)) {                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #c); \
            _exit(1);                                                       \
        }                                                                   \
    } while (0)

/* Status as from waitpid of a child that runs body with the default signal actions. */
static inline int in_child(void (*body)(void)) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        static const int sigs[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS};
        for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++) signal(sigs[i], SIG_DFL);
        body();
        exit(0);
    }
    int st = -1;
    if (pid < 0 || waitpid(pid, &st, 0) != pid) return -1;
    return st;
}
static inline void child_passes(void **state) {
    void (*body)(void);
    memcpy(&body, *state, sizeof body);
    int st = in_child(body);
    if (st) fail_msg("child ended with status 0x%x", (unsigned)st);
}
/* RT_TEST(body): a row of the test table. */
typedef void (*RtBody)(void);
#define RT_TEST(body) \
    { #body, child_passes, NULL, NULL, &(RtBody[]){body }[0] }

/* ---- modules ---- */
enum { TM_MAX = 64 };
typedef struct Tm {
    uint8_t out[1 << 16], sec[1 << 16];
    size_t n, k; /* bytes of out, of sec */
    struct {
        const char *sig, *name, *module; /* module: imported */
        const uint8_t *body;             /* locals and code, without the final end */
        size_t len;
    } f[TM_MAX];
    uint32_t nf;
    uint8_t mem[32], table[32], globals[64], elems[64], datas[64], imports[64];
    size_t nmem, ntable, nglobals, nelems, ndatas, nimports;
    uint32_t import_count; /* in imports */
    uint32_t start;        /* function + 1 */
    bool export_memory, export_table, no_names;
} Tm;

static inline void tm_b(Tm *t, const void *p, size_t n) {
    CHECK(t->k + n <= sizeof t->sec);
    if (n) memcpy(t->sec + t->k, p, n);
    t->k += n;
}
static inline void tm_u(Tm *t, uint64_t x) {
    uint8_t b;
    do {
        b = x & 0x7F;
        x >>= 7;
        if (x) b |= 0x80;
        tm_b(t, &b, 1);
    } while (x);
}
static inline void tm_str(Tm *t, const char *s) {
    tm_u(t, strlen(s));
    tm_b(t, s, strlen(s));
}
static inline void tm_end(Tm *t, uint8_t id) {
    size_t n = t->k;
    uint8_t head[8], *p = head;
    *p++ = id;
    for (size_t x = n;; x >>= 7) {
        *p++ = (uint8_t)(x >= 0x80 ? x | 0x80 : x);
        if (x < 0x80) break;
    }
    CHECK(t->n + n + 8 <= sizeof t->out);
    memcpy(t->out + t->n, head, (size_t)(p - head));
    t->n += (size_t)(p - head);
    memcpy(t->out + t->n, t->sec, n);
    t->n += n;
    t->k = 0;
}
/* sig: "ii:I", letters as in rt_host_func. Imports come first. Both return the function's index. */
static inline uint32_t tm_import(Tm *t, const char *module, const char *name, const char *sig) {
    t->f[t->nf].module = module;
    t->f[t->nf].name = name;
    t->f[t->nf].sig = sig;
    return t->nf++;
}
static inline uint32_t tm_func_bytes(Tm *t, const char *name, const char *sig, const uint8_t *body,
                                     size_t n) {
    t->f[t->nf].name = name;
    t->f[t->nf].sig = sig;
    t->f[t->nf].body = body;
    t->f[t->nf].len = n;
    return t->nf++;
}
#define TM_BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define TM_FUNC(t, name, sig, ...) tm_func_bytes(t, name, sig, TM_BYTES(__VA_ARGS__))
/* A whole section without its id and size: first its count. */
#define TM_SET(t, what, ...)                                \
    ((t)->n##what = sizeof((const uint8_t[]){__VA_ARGS__}), \
     memcpy((t)->what, (const uint8_t[]){__VA_ARGS__}, (t)->n##what))

static inline void tm_types(Tm *t, const char *s, size_t n) {
    tm_u(t, n);
    for (size_t i = 0; i < n; i++) {
        uint8_t b = s[i] == 'i'   ? 0x7F
                    : s[i] == 'I' ? 0x7E
                    : s[i] == 'f' ? 0x7D
                    : s[i] == 'F' ? 0x7C
                    : s[i] == 'r' ? 0x70
                                  : 0x6F;
        tm_b(t, &b, 1);
    }
}
/* Every function is exported and named by its name; memory 0 as "memory", table 0 as "table". */
static inline void tm_finish(Tm *t) {
    memcpy(t->out, "\0asm\1\0\0\0", 8);
    t->n = 8;
    tm_u(t, t->nf);
    for (uint32_t i = 0; i < t->nf; i++) {
        const char *colon = strchr(t->f[i].sig, ':');
        tm_b(t, "\x60", 1);
        tm_types(t, t->f[i].sig, (size_t)(colon - t->f[i].sig));
        tm_types(t, colon + 1, strlen(colon + 1));
    }
    tm_end(t, 1);
    uint32_t ni = 0;
    while (ni < t->nf && t->f[ni].module) ni++;
    if (ni + t->import_count) {
        tm_u(t, ni + t->import_count);
        for (uint32_t i = 0; i < ni; i++) {
            tm_str(t, t->f[i].module);
            tm_str(t, t->f[i].name);
            tm_b(t, "\0", 1);
            tm_u(t, i);
        }
        tm_b(t, t->imports, t->nimports);
        tm_end(t, 2);
    }
    tm_u(t, t->nf - ni);
    for (uint32_t i = ni; i < t->nf; i++) tm_u(t, i);
    tm_end(t, 3);
    if (t->ntable) {
        tm_b(t, t->table, t->ntable);
        tm_end(t, 4);
    }
    if (t->nmem) {
        tm_b(t, t->mem, t->nmem);
        tm_end(t, 5);
    }
    if (t->nglobals) {
        tm_b(t, t->globals, t->nglobals);
        tm_end(t, 6);
    }
    tm_u(t, t->nf - ni + t->export_memory + t->export_table);
    for (uint32_t i = ni; i < t->nf; i++) {
        tm_str(t, t->f[i].name);
        tm_b(t, "\0", 1);
        tm_u(t, i);
    }
    if (t->export_memory) {
        tm_str(t, "memory");
        tm_b(t, "\2\0", 2);
    }
    if (t->export_table) {
        tm_str(t, "table");
        tm_b(t, "\1\0", 2);
    }
    tm_end(t, 7);
    if (t->start) {
        tm_u(t, t->start - 1);
        tm_end(t, 8);
    }
    if (t->nelems) {
        tm_b(t, t->elems, t->nelems);
        tm_end(t, 9);
    }
    if (t->ndatas) {
        tm_u(t, t->datas[0]);
        tm_end(t, 12);
    }
    tm_u(t, t->nf - ni);
    for (uint32_t i = ni; i < t->nf; i++) {
        tm_u(t, t->f[i].len + 1);
        tm_b(t, t->f[i].body, t->f[i].len);
        tm_b(t, "\x0B", 1);
    }
    tm_end(t, 10);
    if (t->ndatas) {
        tm_b(t, t->datas, t->ndatas);
        tm_end(t, 11);
    }
    if (t->no_names) return;
    tm_str(t, "name");
    uint8_t *at = t->sec + t->k;
    tm_b(t, "\1\0\0\0", 4); /* size as three bytes, set below */
    size_t from = t->k;
    tm_u(t, t->nf);
    for (uint32_t i = 0; i < t->nf; i++) {
        tm_u(t, i);
        tm_str(t, t->f[i].name);
    }
    size_t len = t->k - from;
    at[1] = (uint8_t)(len | 0x80);
    at[2] = (uint8_t)(len >> 7 | 0x80);
    at[3] = (uint8_t)(len >> 14);
    tm_end(t, 0);
}

/* ---- running ---- */
static inline EngineConfig test_config(void) {
    EngineConfig c = {.threads = 1, .isa_flags = isa_host()->host_flags()};
#ifdef COT_CHECKED
    c.verify = true;
#endif
#ifdef COT_STRESS
    c.stress_seed = 1;
#endif
    return c;
}
static inline RtEngine *new_engine(const EngineConfig *c) {
    Diag d;
    diag_clear(&d);
    RtEngine *e = engine_new(c, &d);
    if (!e) fprintf(stderr, "engine: %s\n", d.msg);
    CHECK(e);
    return e;
}
static inline RtModule *new_module(RtEngine *e, const Tm *t) {
    Diag d;
    diag_clear(&d);
    RtModule *m = engine_compile(e, t->out, t->n, NULL, NULL, &d);
    if (!m) fprintf(stderr, "module: at 0x%x: %s\n", (unsigned)d.a, d.msg);
    CHECK(m);
    return m;
}
static inline RtFunc func(RtInstance *i, const char *name) {
    RtExtern x;
    CHECK(rt_export(i, name, strlen(name), &x) && x.kind == WASM_EXT_FUNC);
    return x.func;
}
/* Calls an export of up to two i32/i64 parameters; false = it trapped. */
static inline bool call2(RtInstance *i, const char *name, uint64_t a, uint64_t b,
                         uint64_t *result) {
    RtFunc f = func(i, name);
    RtVal v[4] = {{.i64 = a}, {.i64 = b}};
    if (!rt_call(rt_instance_store(i), &f, v)) return false;
    if (result) *result = v[0].i64;
    return true;
}
static inline VmTrap trap_of(RtInstance *i, const char *name, uint64_t a, uint64_t b) {
    CHECK(!call2(i, name, a, b, NULL));
    return rt_store_trap(rt_instance_store(i))->code;
}
#endif
