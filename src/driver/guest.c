/* driver/guest.c — a WASI program as `cot run` and `cot bench` start it.
 *
 * Imports are WASI functions and bench.start / bench.end, which read a clock. The time-out is an interval timer: its
 * signal cuts blocking host calls short, and its handler asks the running store to trap at its next poll; it
 * repeats, so that a signal that comes just before a host call begins to block is followed by another.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include "driver/guest.h"

const char guest_help[] =
    "  --dir HOST[::GUEST]    let the program use the directory HOST, named GUEST (default: HOST)\n"
    "  --dir-ro HOST[::GUEST] the same, but nothing in it can be changed\n"
    "  --env K=V              set an environment variable of the program; K alone copies the "
    "host's\n";

static void *grow(void *p, size_t n, size_t size) {
    if (n & (n - 1)) return p; /* room is made at powers of two */
    void *q = realloc(p, (n ? 2 * n : 1) * size);
    if (!q) {
        fputs("cot: error: out of memory\n", stderr);
        exit(1);
    }
    return q;
}

static char *copy_text(const char *s, size_t n) {
    char *p = grow(NULL, 0, n + 1);
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

static bool add_dir(Cli *c, GuestOpts *g, const char *option, const char *v, bool read_only) {
    const char *sep = strstr(v, "::");
    size_t host = sep ? (size_t)(sep - v) : strlen(v);
    if (!host || (sep && !sep[2])) {
        cli_error(c, "%s: '%s' is not HOST or HOST::GUEST", option, v);
        return true;
    }
    g->dirs = grow(g->dirs, g->ndirs, sizeof *g->dirs);
    g->dirs[g->ndirs++] =
        (WasiPreopen){.host = copy_text(v, host),
                      .guest = sep ? copy_text(sep + 2, strlen(sep + 2)) : copy_text(v, host),
                      .read_only = read_only};
    return true;
}

bool guest_option(Cli *c, GuestOpts *g) {
    const char *v;
    if (cli_value(c, "--dir", &v)) return add_dir(c, g, "--dir", v, false);
    if (cli_value(c, "--dir-ro", &v)) return add_dir(c, g, "--dir-ro", v, true);
    if (cli_value(c, "--env", &v)) {
        if (!*v || *v == '=') {
            cli_error(c, "--env: '%s' is not NAME=VALUE", v);
            return true;
        }
        const char *value = strchr(v, '=') ? NULL : getenv(v);
        if (!strchr(v, '=') && !value) {
            cli_error(c, "--env: '%s' is not set", v);
            return true;
        }
        size_t n = strlen(v), extra = value ? strlen(value) + 1 : 0;
        char *text = grow(NULL, 0, n + extra + 1);
        memcpy(text, v, n + 1);
        if (value) {
            text[n] = '=';
            memcpy(text + n + 1, value, extra);
        }
        g->env = grow(g->env, g->nenv, sizeof *g->env);
        g->env[g->nenv++] = text;
        return true;
    }
    return false;
}

void guest_hold_stdio(GuestOpts *g) {
    for (int i = 0; i < 3; i++) {
        g->closed[i] = fcntl(i, F_GETFD) < 0;
        if (g->closed[i]) open("/dev/null", O_RDWR | O_CLOEXEC); /* the lowest number: i */
    }
}

void guest_opts_free(GuestOpts *g) {
    for (uint32_t i = 0; i < g->ndirs; i++) {
        free((char *)g->dirs[i].host);
        free((char *)g->dirs[i].guest);
    }
    for (uint32_t i = 0; i < g->nenv; i++) free((char *)g->env[i]);
    free(g->dirs);
    free(g->env);
}

/* ---- time-out ---- */

static RtStore *volatile timed; /* the one store that the timer concerns */
static volatile sig_atomic_t timer_fired;

static void on_timer(int sig) {
    (void)sig;
    timer_fired = 1;
    if (timed) rt_store_interrupt(timed);
}

static bool was_interrupted(void *user) {
    (void)user;
    return timer_fired;
}

static void timer_set(RtStore *s, uint64_t ms) {
    timed = s;
    timer_fired = 0;
    if (s) {
        struct sigaction sa = {.sa_handler = on_timer};
        sigaction(SIGALRM, &sa, NULL);
    }
    struct itimerval t = {{0, ms ? 10000 : 0},
                          {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)}};
    setitimer(ITIMER_REAL, &t, NULL);
}

/* ---- clocks ---- */

Clocks clocks_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (Clocks){unit_now_ns(), (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec};
}

Clocks clocks_since(Clocks begin) {
    Clocks now = clocks_now();
    return (Clocks){now.wall - begin.wall, now.cpu - begin.cpu};
}

static void add(Clocks *sum, Clocks c) {
    sum->wall += c.wall;
    sum->cpu += c.cpu;
}

/* ---- imports ---- */

static RtHostResult bench_start(void *user, RtInstance *caller, RtVal *vals) {
    Guest *g = user;
    (void)caller;
    (void)vals;
    g->bench_start = clocks_now();
    return RT_HOST_OK;
}

static RtHostResult bench_end(void *user, RtInstance *caller, RtVal *vals) {
    Guest *g = user;
    (void)caller;
    (void)vals;
    add(&g->bench, clocks_since(g->bench_start));
    g->bench_seen = true;
    return RT_HOST_OK;
}

static bool is(WasmStr a, const char *b) {
    return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}

static bool resolve(void *user, const RtImport *imp, RtExtern *out) {
    Guest *g = user;
    if (is(imp->module, "bench") && (is(imp->name, "start") || is(imp->name, "end")))
        return rt_host_func(g->store, "", "", is(imp->name, "start") ? bench_start : bench_end, g,
                            out);
    return wasi_link(g->store, g->wasi, imp, out);
}

/* ---- life ---- */

static bool drop(void *user, const uint8_t *data, size_t len) {
    (void)user;
    (void)data;
    (void)len;
    return true;
}

/* The last call or instantiation returned false: what that means for the process. */
static int ending(Guest *g) {
    const RtTrap *t = rt_store_trap(g->store);
    if (t->code == VM_TRAP_NONE) return t->exit_code;
    report_trap(t, g->file);
    return GUEST_TRAPPED;
}

bool guest_start(Guest *g, RtEngine *e, const RtModule *m, const GuestOpts *o, const char *file,
                 int argc, const char *const *argv, bool quiet, uint64_t timeout_ms, int *status) {
    *g = (Guest){.file = file};
    Diag d;
    diag_clear(&d);
    WasiConfig cfg = wasi_config_default();
    cfg.argv = argv;
    cfg.argc = (uint32_t)argc;
    cfg.env = o->env;
    cfg.nenv = o->nenv;
    cfg.preopens = o->dirs;
    cfg.npreopens = o->ndirs;
    cfg.interrupted = was_interrupted;
    for (int i = 0; i < 3; i++)
        if (o->closed[i]) cfg.stdio[i].kind = WASI_STDIO_CLOSED;
    if (quiet) {
        cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_BYTES};
        cfg.stdio[1] = cfg.stdio[2] = (WasiStdio){.kind = WASI_STDIO_SINK, .sink = drop};
    }
    *status = 1;
    g->wasi = wasi_new(&cfg, &d);
    if (!g->wasi) {
        report(&d, file);
        return false;
    }
    g->store = rt_store_new(e);
    if (!g->store) {
        diag_msg(&d, DIAG_OOM, "out of memory");
        report(&d, file);
        return false;
    }
    if (timeout_ms) timer_set(g->store, timeout_ms);
    Clocks begin = clocks_now();
    g->inst = rt_instantiate(g->store, m, resolve, g, &d);
    g->run = clocks_since(begin);
    if (g->inst) return true;
    if (d.kind != DIAG_NONE)
        report(&d, file);
    else
        *status = ending(g);
    return false;
}

static bool call_export(Guest *g, const RtExtern *f, RtVal *vals, int *status) {
    Clocks begin = clocks_now();
    bool ok = rt_call(g->store, &f->func, vals);
    add(&g->run, clocks_since(begin));
    *status = ok ? 0 : ending(g);
    return ok;
}

static const ImgType *type_of(const RtExtern *f) {
    return &f->func.image->types[f->func.type];
}

static bool export_func(Guest *g, const char *name, RtExtern *out) {
    return rt_export(g->inst, name, strlen(name), out) && out->kind == WASM_EXT_FUNC;
}

bool guest_run(Guest *g, int *status) {
    RtExtern f;
    RtVal none[1];
    *status = 1;
    if (!export_func(g, "_start", &f) || type_of(&f)->nparams || type_of(&f)->nresults) {
        fprintf(stderr,
                "%s: error: exports no function `_start` without parameters and results; see "
                "--invoke\n",
                g->file);
        return false;
    }
    return call_export(g, &f, none, status);
}

static const char *number_type(WasmType t) {
    return t == WASM_I32   ? "i32"
           : t == WASM_I64 ? "i64"
           : t == WASM_F32 ? "f32"
           : t == WASM_F64 ? "f64"
                           : NULL;
}

/* Integers: decimal, 0x hexadecimal or 0 octal, signed or unsigned, in the type's range. Floats: as strtod. */
static bool parse_value(const char *text, WasmType t, RtVal *v) {
    char *end = NULL;
    memset(v, 0, sizeof *v);
    if (t == WASM_F32) {
        float x = strtof(text, &end);
        memcpy(v, &x, sizeof x);
    } else if (t == WASM_F64) {
        double x = strtod(text, &end);
        memcpy(v, &x, sizeof x);
    } else {
        bool neg = text[0] == '-';
        if (text[neg] < '0' || text[neg] > '9') return false;
        errno = 0;
        uint64_t x = strtoull(text + neg, &end, 0);
        uint64_t most = t == WASM_I32 ? UINT32_MAX : UINT64_MAX;
        if (errno || x > (neg ? most / 2 + 1 : most)) return false;
        if (neg) x = 0 - x;
        if (t == WASM_I32)
            v->i32 = (uint32_t)x;
        else
            v->i64 = x;
    }
    return *text && *end == 0;
}

static void print_value(WasmType t, const RtVal *v) {
    if (t == WASM_I32)
        printf("%" PRId32 "\n", (int32_t)v->i32);
    else if (t == WASM_I64)
        printf("%" PRId64 "\n", (int64_t)v->i64);
    else if (t == WASM_F32) {
        float x;
        memcpy(&x, v, sizeof x);
        printf("%.9g\n", (double)x);
    } else if (t == WASM_F64) {
        double x;
        memcpy(&x, v, sizeof x);
        printf("%.17g\n", x);
    } else
        puts(v->ref ? "<reference>" : "null");
}

bool guest_invoke(Guest *g, const char *name, int argc, char **argv, int *status) {
    RtExtern init, f;
    *status = 1;
    if (!export_func(g, name, &f)) {
        fprintf(stderr, "%s: error: exports no function `%s`\n", g->file, name);
        return false;
    }
    const ImgType *t = type_of(&f);
    const WasmType *params = f.func.image->valtypes + t->first, *results = params + t->nparams;
    if ((uint32_t)argc != t->nparams) {
        fprintf(stderr, "%s: error: `%s` takes %u arguments, %d given\n", g->file, name, t->nparams,
                argc);
        return false;
    }
    size_t n = t->nparams > t->nresults ? t->nparams : t->nresults;
    RtVal *vals = calloc(n + 1, sizeof *vals);
    bool ok = vals != NULL;
    for (uint32_t i = 0; ok && i < t->nparams; i++) {
        const char *type = number_type(params[i]);
        ok = type && parse_value(argv[i], params[i], &vals[i]);
        if (!type)
            fprintf(stderr,
                    "%s: error: argument %u of `%s` is a reference; those cannot be given\n",
                    g->file, i + 1, name);
        else if (!ok)
            fprintf(stderr, "%s: error: argument %u of `%s`: '%s' is not an %s\n", g->file, i + 1,
                    name, argv[i], type);
    }
    RtVal none[1];
    if (ok && export_func(g, "_initialize", &init) && strcmp(name, "_initialize") != 0 &&
        !type_of(&init)->nparams && !type_of(&init)->nresults)
        ok = call_export(g, &init, none, status);
    ok = ok && call_export(g, &f, vals, status);
    for (uint32_t i = 0; ok && i < t->nresults; i++) print_value(results[i], &vals[i]);
    free(vals);
    return ok;
}

void guest_end(Guest *g) {
    timer_set(NULL, 0);
    rt_store_free(g->store);
    wasi_free(g->wasi);
}
