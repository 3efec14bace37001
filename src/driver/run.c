/* driver/run.c — `cot run`: compiles a module and executes it as a WASI program. */
#include <stdlib.h>
#include <unistd.h>
#include "driver/guest.h"

static const char help[] =
    "usage: cot run [OPTIONS] FILE [ARGS...]\n"
    "Compiles the WebAssembly module FILE (- = standard input) and runs its `_start` with WASI "
    "preview 1;\n"
    "ARGS are the program's. The exit status is the program's own; 134 after a trap, whose reason "
    "and\n"
    "backtrace go to standard error; 1 if the module cannot be compiled or linked.\n\n"
    "  --invoke NAME          call the export NAME with ARGS instead; prints its results, one per "
    "line\n";

/* A line on the terminal while a compilation takes longer than a second. */
typedef struct Progress {
    uint64_t begin;
    const char *file;
    bool shown;
} Progress;

static void show_progress(void *user, uint32_t done, uint32_t total) {
    Progress *p = user;
    if (unit_now_ns() - p->begin < 1000000000) return;
    fprintf(stderr, "\r%s: compiling %3u %%", p->file,
            total ? (unsigned)((uint64_t)done * 100 / total) : 100);
    p->shown = true;
}

RtModule *compile_file(RtEngine *e, const char *file, const uint8_t *bytes, size_t size) {
    Progress p = {.begin = unit_now_ns(), .file = file};
    UnitOptions uo = {0};
    if (isatty(2)) {
        uo.progress = show_progress;
        uo.progress_user = &p;
    }
    Diag d;
    diag_clear(&d);
    RtModule *m = engine_compile(e, bytes, size, &uo, NULL, &d);
    if (p.shown) fputs("\r\033[K", stderr);
    if (!m) report(&d, file);
    return m;
}

int cmd_run(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "run"};
    CommonOpts o;
    common_init(&o);
    GuestOpts go = {0};
    guest_hold_stdio(&go);
    const char *invoke = NULL;
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s%s", help, guest_help, common_help);
            return 0;
        }
        if (cli_flag(&c, "--")) break;
        if (common_option(&c, &o) || guest_option(&c, &go)) continue;
        if (!cli_value(&c, "--invoke", &invoke)) cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && c.at >= argc) cli_error(&c, "a file is needed; see `cot run --help`");
    int status = 1;
    uint8_t *bytes = NULL;
    size_t size;
    const char *file = c.failed ? NULL : argv[c.at];
    if (!file || !read_file(file, &bytes, &size)) goto out;
    Diag d;
    diag_clear(&d);
    RtEngine *e = engine_new(&o.cfg, &d);
    if (!e) report(&d, file);
    RtModule *m = e ? compile_file(e, file, bytes, size) : NULL;
    if (m) {
        char **args = argv + c.at;
        int nargs = argc - c.at;
        Guest g;
        bool started = guest_start(&g, e, m, &go, file, invoke ? 1 : nargs,
                                   (const char *const *)args, false, o.timeout_ms, &status);
        if (started && invoke)
            guest_invoke(&g, invoke, nargs - 1, args + 1, &status);
        else if (started)
            guest_run(&g, &status);
        guest_end(&g);
    }
    rt_module_free(m);
    rt_engine_free(e);
out:
    free(bytes);
    guest_opts_free(&go);
    return status;
}
