/* driver/run.c — `cot run`: compiles a module and executes it as a WASI program. */
#include <stdlib.h>
#include <unistd.h>
#include "driver/guest.h"

static const char help[] =
    "usage: cot run [OPTIONS] FILE [ARGS...]\n"
    "Runs `_start` of the WebAssembly module FILE (- = standard input), or of one that `cot "
    "compile` has\n"
    "precompiled, with WASI preview 1;\n"
    "ARGS are the program's. The exit status is the program's own; 134 after a trap, whose reason "
    "and\n"
    "backtrace go to standard error; 1 if the module cannot be compiled or linked.\n\n"
    "  --precompiled          FILE may be a precompiled module though it is not called *.cwasm\n"
    "  --invoke NAME          call the export NAME with ARGS instead; prints its results, one per "
    "line\n";

int cmd_run(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "run"};
    CommonOpts o;
    common_init(&o);
    o.cfg.keep_source = true;
    GuestOpts go = {0};
    guest_hold_stdio(&go);
    const char *invoke = NULL;
    bool precompiled = false;
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s%s%s", help, guest_help, publish_help, common_help);
            return 0;
        }
        if (cli_flag(&c, "--")) break;
        if (common_option(&c, &o) || publish_option(&c, &o) || guest_option(&c, &go)) continue;
        if (cli_flag(&c, "--precompiled"))
            precompiled = true;
        else if (!cli_value(&c, "--invoke", &invoke))
            cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && c.at >= argc) cli_error(&c, "a file is needed; see `cot run --help`");
    common_finish(&c, &o);
    int status = 1;
    Source source;
    const char *file = c.failed ? NULL : argv[c.at];
    if (!file || !source_open(&source, file, precompiled)) goto out;
    Diag d;
    diag_clear(&d);
    o.cfg.name = file;
    RtEngine *e = engine_new(&o.cfg, &d);
    if (!e) report(&d, file);
    RtModule *m = e ? source_load(&source, e, NULL) : NULL;
    source_close(&source);
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
    guest_opts_free(&go);
    return status;
}
