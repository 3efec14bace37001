/* runtime/program.c — see program.h.
 *
 * What the program may use is what it was made with, unless the environment says otherwise:
 *     COT_DIRS   directories, separated by commas: HOST or HOST::GUEST, with `ro:` before it for reading only; empty: none
 *     COT_ENV    names of environment variables that the program sees, separated by commas; `*`: all but these two; empty: none
 * Exit status: the program's own; 134 after a trap; 1 if it cannot start. */
#include "runtime/program.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "runtime/wasi_link.h"

extern char **environ;

typedef struct Program {
    Mem mem;
    Arena arena;
    const char *name;
    VEC(WasiPreopen) dirs;
    VEC(const char *) env;
    bool closed[3];
    const char *grants;
    RtStore *store;
    WasiCtx *wasi;
} Program;

static void say(const char *s) {
    for (size_t n = strlen(s); n;) {
        ssize_t w = write(2, s, n);
        if (w <= 0) return;
        s += w;
        n -= (size_t)w;
    }
}

int rt_program_fail(const char *name, const char *message) {
    say(name);
    say(": error: ");
    say(message);
    say("\n");
    return 1;
}
static int fail(const Program *p, const Diag *d) {
    return rt_program_fail(p->name, d->msg);
}

/* ---- what the program may use ---- */
static const char *variable(const char *name) {
    size_t n = strlen(name);
    for (char **e = environ; *e; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=') return *e + n + 1;
    return NULL;
}

static void add_dir(Program *p, const char *host, const char *guest, bool read_only) {
    WasiPreopen d = {.host = host, .guest = guest, .read_only = read_only};
    vec_push(&p->mem, &p->dirs, d);
}

/* One item of a list; the rest behind its comma. NULL: no more. */
static const char *item(Program *p, const char **list) {
    if (!**list) return NULL;
    size_t n = strcspn(*list, ",");
    const char *s = arena_strndup(&p->arena, *list, n);
    *list += n;
    *list += **list == ',';
    return s;
}

static void dirs_of(Program *p, const char *list) {
    for (const char *s; (s = item(p, &list)) != NULL;) {
        bool read_only = strncmp(s, "ro:", 3) == 0;
        if (read_only) s += 3;
        const char *sep = s;
        while (*sep && (sep[0] != ':' || sep[1] != ':')) sep++;
        const char *host = arena_strndup(&p->arena, s, (size_t)(sep - s));
        if (*s) add_dir(p, host, *sep ? sep + 2 : host, read_only);
    }
}

static void add_variable(Program *p, const char *name) {
    size_t n = strlen(name);
    bool all = strcmp(name, "*") == 0;
    for (char **e = environ; *e; e++) {
        if (strncmp(*e, "COT_DIRS=", 9) == 0 || strncmp(*e, "COT_ENV=", 8) == 0) continue;
        if (all || (strncmp(*e, name, n) == 0 && (*e)[n] == '=')) vec_push(&p->mem, &p->env, *e);
    }
}

static void collect(void *arg) {
    Program *p = arg;
    const char *dirs = variable("COT_DIRS"), *env = variable("COT_ENV");
    for (const char *s = p->grants; *s;) {
        char kind = *s++;
        const char *text = s;
        s += strlen(s) + 1;
        if (kind == 'e') vec_push(&p->mem, &p->env, text);
        if (kind == 'i' && !env) add_variable(p, text);
        if (kind != 'd' && kind != 'r') continue;
        if (!dirs) add_dir(p, text, s, kind == 'r');
        s += strlen(s) + 1;
    }
    if (dirs) dirs_of(p, dirs);
    for (const char *s; env && (s = item(p, &env)) != NULL;) add_variable(p, s);
}

/* Which standard streams are open? Their numbers are kept from files of the program. */
static void hold_streams(Program *p) {
    for (int i = 0; i < 3; i++) {
        p->closed[i] = fcntl(i, F_GETFD) < 0;
        if (p->closed[i]) open("/dev/null", O_RDWR | O_CLOEXEC);
    }
}

/* ---- imports: WASI, and the marks of benchmarks, which do nothing here ---- */
static RtHostResult nothing(void *user, RtInstance *caller, RtVal *vals) {
    (void)user, (void)caller, (void)vals;
    return RT_HOST_OK;
}
static bool is(WasmStr s, const char *text) {
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}
static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    Program *p = user;
    if (is(im->module, "bench") && (is(im->name, "start") || is(im->name, "end")))
        return rt_host_func(p->store, "", "", nothing, NULL, out);
    return wasi_link(p->store, p->wasi, im, out);
}

/* ---- running ---- */
static int ending(const Program *p) {
    const RtTrap *t = rt_store_trap(p->store);
    if (t->code == VM_TRAP_NONE) return t->exit_code;
    Mem mem;
    StrBuf text;
    mem_init(&mem, NULL);
    sb_init(&text, &mem);
    rt_print_trap(t, p->name, &text);
    say(sb_cstr(&text));
    mem_release_all(&mem);
    return RT_PROGRAM_TRAPPED;
}

static int call_start(Program *p, RtInstance *i) {
    RtExtern x;
    RtVal none[1];
    const ImgType *t = NULL;
    if (rt_export(i, "_start", 6, &x) && x.kind == WASM_EXT_FUNC)
        t = &x.func.image->types[x.func.type];
    if (!t || t->nparams || t->nresults) {
        Diag d;
        diag_clear(&d);
        diag_msg(&d, DIAG_LINK,
                 "the module exports no function `_start` without parameters and results");
        return fail(p, &d);
    }
    return rt_call(p->store, &x.func, none) ? 0 : ending(p);
}

static int run(Program *p, RtModule *m, int argc, char **argv, Diag *d) {
    WasiConfig w = wasi_config_default();
    w.argv = (const char *const *)argv;
    w.argc = (uint32_t)argc;
    w.env = p->env.p;
    w.nenv = p->env.n;
    w.preopens = p->dirs.p;
    w.npreopens = p->dirs.n;
    for (int i = 0; i < 3; i++)
        if (p->closed[i]) w.stdio[i].kind = WASI_STDIO_CLOSED;
    p->wasi = wasi_new(&w, d);
    if (!p->wasi) return fail(p, d);
    RtInstance *i = rt_instantiate(p->store, m, resolve, p, d);
    if (!i) return d->kind != DIAG_NONE ? fail(p, d) : ending(p);
    return call_start(p, i);
}

static int run_linked(Program *p, const RtProgram *what, int argc, char **argv, Diag *d) {
    const ImgHeader *h = what->module.tables;
    RtConfig cfg = {.max_memory = what->max_memory,
                    .max_stack = what->max_stack,
                    .no_signals = !(h->flags & IMG_NEEDS_SIGNALS),
                    .explicit_bounds = !(h->flags & IMG_NEEDS_GUARDS)};
    RtEngine *e = rt_engine_new(&cfg, d);
    RtModule *m = e ? rt_module_linked(e, &what->module, d) : NULL;
    p->store = m ? rt_store_new(e) : NULL;
    if (m && !p->store) diag_msg(d, DIAG_OOM, "out of memory");
    int status = p->store ? run(p, m, argc, argv, d) : fail(p, d);
    rt_store_free(p->store);
    wasi_free(p->wasi);
    rt_module_free(m);
    rt_engine_free(e);
    return status;
}

int rt_program_run(const RtProgram *what, int argc, char **argv) {
    Program p = {.name = argc ? argv[0] : "program", .grants = what->grants};
    Diag d;
    diag_clear(&d);
    hold_streams(&p);
    mem_init(&p.mem, NULL);
    arena_init(&p.arena, &p.mem);
    if (!mem_guard(&p.mem, collect, &p)) diag_msg(&d, DIAG_OOM, "out of memory");
    int status = d.kind ? fail(&p, &d) : run_linked(&p, what, argc, argv, &d);
    mem_release_all(&p.mem);
    return status;
}
