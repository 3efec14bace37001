/* rtapi/wasi.c — WASI contexts. A configuration copies text; the context copies it again, so the configuration may go. */
#include <stdlib.h>
#include "rtapi/rtapi.h"
#include "base/vec.h"
#include "runtime/wasi.h"

struct CotWasiConfig {
    Mem mem; /* holds the configuration itself */
    Arena arena;
    VEC(const char *) args;
    VEC(const char *) env;
    VEC(WasiPreopen) dirs;
    WasiStdio stdio[3];
};

CotWasiConfig *cot_wasi_config_new(void) {
    Mem boot;
    mem_init(&boot, NULL);
    CotWasiConfig *c = mem_try_realloc(&boot, NULL, 0, sizeof *c);
    if (!c) return NULL;
    memset(c, 0, sizeof *c);
    c->mem = boot;
    arena_init(&c->arena, &c->mem);
    WasiConfig defaults = wasi_config_default();
    memcpy(c->stdio, defaults.stdio, sizeof c->stdio);
    return c;
}

void cot_wasi_config_free(CotWasiConfig *c) {
    if (c) mem_release_all(&c->mem);
}

typedef struct Add {
    CotWasiConfig *c;
    const char *a, *b;
    bool read_only;
} Add;

static const char *copy(Add *q, const char *s) {
    return arena_strndup(&q->c->arena, s, strlen(s));
}
static void add_arg(void *arg) {
    Add *q = arg;
    const char *s = copy(q, q->a);
    vec_push(&q->c->mem, &q->c->args, s);
}
static void add_env(void *arg) {
    Add *q = arg;
    size_t n = strlen(q->a), k = strlen(q->b);
    char *s = arena_alloc(&q->c->arena, n + k + 2, 1);
    memcpy(s, q->a, n);
    s[n] = '=';
    memcpy(s + n + 1, q->b, k + 1);
    vec_push(&q->c->mem, &q->c->env, s);
}
static void add_dir(void *arg) {
    Add *q = arg;
    WasiPreopen d = {.host = copy(q, q->a), .guest = copy(q, q->b), .read_only = q->read_only};
    vec_push(&q->c->mem, &q->c->dirs, d);
}
static CotStatus add(CotWasiConfig *c, Add q, void (*what)(void *)) {
    return mem_guard(&c->mem, what, &q) ? COT_OK : COT_NO_MEMORY;
}

CotStatus cot_wasi_config_arg(CotWasiConfig *c, const char *arg) {
    return add(c, (Add){.c = c, .a = arg}, add_arg);
}
CotStatus cot_wasi_config_env(CotWasiConfig *c, const char *name, const char *value) {
    if (!*name || strchr(name, '=')) return COT_MISUSE;
    return add(c, (Add){.c = c, .a = name, .b = value}, add_env);
}
CotStatus cot_wasi_config_dir(CotWasiConfig *c, const char *host, const char *guest,
                              bool read_only) {
    return add(c, (Add){.c = c, .a = host, .b = guest, .read_only = read_only}, add_dir);
}
void cot_wasi_config_stdin(CotWasiConfig *c, const void *bytes, size_t size) {
    c->stdio[0] = (WasiStdio){.kind = WASI_STDIO_BYTES, .bytes = bytes, .bytes_len = size};
}
CotStatus cot_wasi_config_output(CotWasiConfig *c, int fd, CotSinkFn sink, void *user) {
    if (fd != 1 && fd != 2) return COT_MISUSE;
    c->stdio[fd] = (WasiStdio){.kind = WASI_STDIO_SINK, .sink = sink, .user = user};
    return COT_OK;
}

CotWasi *cot_wasi_new(CotEngine *engine, const CotWasiConfig *c, CotError *error) {
    Diag d;
    diag_clear(&d);
    WasiConfig w = wasi_config_default();
    w.hooks = rt_engine_hooks(engine_rt(engine));
    w.argv = c->args.p;
    w.argc = c->args.n;
    w.env = c->env.p;
    w.nenv = c->env.n;
    w.preopens = c->dirs.p;
    w.npreopens = c->dirs.n;
    memcpy(w.stdio, c->stdio, sizeof w.stdio);
    WasiCtx *ctx = wasi_new(&w, &d);
    if (!ctx) api_fail_diag(error, &d);
    return (CotWasi *)(uintptr_t)ctx;
}

void cot_wasi_free(CotWasi *w) {
    wasi_free((WasiCtx *)(uintptr_t)w);
}
