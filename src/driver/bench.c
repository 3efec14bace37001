/* driver/bench.c — `cot bench`: how long a module takes to compile and to run, as one JSON object. */
#include <stdlib.h>
#include <sys/resource.h>
#include "driver/guest.h"

static const char help[] =
    "usage: cot bench [OPTIONS] FILE [OPTIONS] [-- ARGS...]\n"
    "Compiles the module FILE (- = standard input) and runs its `_start`, several times, and "
    "prints the best\n"
    "times: compilation from bytes in memory to code in memory, or loading of a precompiled "
    "module;\n"
    "execution between the calls of the imports bench.start and bench.end, or else of "
    "instantiation "
    "and\n"
    "`_start`. The program's standard streams are not connected.\n\n"
    "  --iterations N         compile and run N times (default 3)\n"
    "  --precompiled          FILE may be a precompiled module though it is not called *.cwasm\n"
    "  --json                 one JSON object instead of text; times in seconds\n";

typedef struct Result {
    Clocks compile, run; /* the best of each clock */
    CompileStats stats;  /* of the fastest compilation */
} Result;

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void print_string(const char *s) {
    putchar('"');
    for (; *s; s++) {
        unsigned char b = (unsigned char)*s;
        if (b == '"' || b == '\\')
            printf("\\%c", b);
        else if (b < 32)
            printf("\\u%04x", b);
        else
            putchar(b);
    }
    putchar('"');
}

/* Bytes. getrusage would also count the memory of whoever started us, up to exec; /proc counts ours alone. */
static uint64_t peak_memory(void) {
    char line[256];
    unsigned long long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %llu", &kb) == 1) break;
    if (f) fclose(f);
    if (kb) return (uint64_t)kb * 1024;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)u.ru_maxrss * 1024;
}

static void print_result(const Result *r, const char *file, bool json) {
    uint64_t rss = peak_memory();
    const struct {
        const char *name;
        uint64_t ns;
    } phases[] = {{"parse", r->stats.phases.parse},   {"translate", r->stats.phases.translate},
                  {"verify", r->stats.phases.verify}, {"block_order", r->stats.phases.order},
                  {"lower", r->stats.phases.lower},   {"regalloc", r->stats.phases.regalloc},
                  {"check", r->stats.phases.check},   {"emit", r->stats.phases.emit},
                  {"link", r->stats.phases.link}};
    size_t n = sizeof phases / sizeof *phases;
    if (!json) {
        printf("%-16s %s\n%-16s %u\n%-16s %u\n%-16s %u\n%-16s %.6f s\n%-16s %.6f s\n%-16s %llu\n",
               "module", base_name(file), "functions", r->stats.functions, "Wasm code bytes",
               r->stats.wasm_code_bytes, "code bytes", r->stats.code_bytes, "compile",
               (double)r->compile.wall / 1e9, "run", (double)r->run.wall / 1e9, "peak memory",
               (unsigned long long)rss);
        for (size_t i = 0; i < n; i++)
            printf("  %-14s %.6f s\n", phases[i].name, (double)phases[i].ns / 1e9);
        return;
    }
    printf("{\"module\": ");
    print_string(base_name(file));
    printf(
        ", \"functions\": %u, \"wasm_code_bytes\": %u, \"compile_s\": %.9f, \"compile_cpu_s\": "
        "%.9f, \"code_bytes\": %u, \"run_s\": %.9f, \"run_cpu_s\": %.9f, \"peak_rss_bytes\": %llu, "
        "\"phases\": {",
        r->stats.functions, r->stats.wasm_code_bytes, (double)r->compile.wall / 1e9,
        (double)r->compile.cpu / 1e9, r->stats.code_bytes, (double)r->run.wall / 1e9,
        (double)r->run.cpu / 1e9, (unsigned long long)rss);
    for (size_t i = 0; i < n; i++)
        printf("%s\"%s\": %.9f", i ? ", " : "", phases[i].name, (double)phases[i].ns / 1e9);
    puts("}}");
}

static void keep_best(Clocks *best, Clocks c) {
    if (c.wall < best->wall) best->wall = c.wall;
    if (c.cpu < best->cpu) best->cpu = c.cpu;
}

/* One compilation and one run; the better figures are kept in *r. false: reported, *status set. */
static bool once(Result *r, RtEngine *e, const CommonOpts *o, const GuestOpts *go,
                 const Source *source, int argc, char **argv, int *status) {
    const char *file = source->file;
    Clocks begin = clocks_now();
    CompileStats stats;
    RtModule *m = source_load(source, e, &stats);
    Clocks took = clocks_since(begin);
    *status = 1;
    bool ok = m != NULL;
    if (ok) {
        if (took.wall < r->compile.wall) r->stats = stats;
        keep_best(&r->compile, took);
    }
    if (ok) {
        Guest g;
        ok = guest_start(&g, e, m, go, file, argc, (const char *const *)argv, true, o->timeout_ms,
                         status);
        if (ok) {
            bool ran = guest_run(&g, status);
            ok = ran || (rt_store_trap(g.store)->code == VM_TRAP_NONE && *status == 0);
            if (!ran && !ok && *status != GUEST_TRAPPED && *status != 1)
                fprintf(stderr, "%s: error: the program ended with exit code %d\n", file, *status);
        }
        if (ok) keep_best(&r->run, g.bench_seen ? g.bench : g.run);
        guest_end(&g);
    }
    rt_module_free(m);
    return ok;
}

int cmd_bench(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "bench"};
    CommonOpts o;
    common_init(&o);
    GuestOpts go = {0};
    uint64_t iterations = 3;
    bool json = false, precompiled = false;
    const char *v, *file = NULL;
    bool rest = false; /* after -- come the program's arguments */
    while (c.at < argc && !c.failed && !rest) {
        if (!cli_is_option(&c)) {
            if (file) cli_error(&c, "one file is needed, '%s' is another", argv[c.at]);
            file = argv[c.at++];
            continue;
        }
        if (cli_flag(&c, "--help")) {
            printf("%s%s%s%s", help, guest_help, publish_help, common_help);
            return 0;
        }
        rest = cli_flag(&c, "--");
        if (rest || common_option(&c, &o) || publish_option(&c, &o) || guest_option(&c, &go))
            continue;
        if (cli_flag(&c, "--json"))
            json = true;
        else if (cli_flag(&c, "--precompiled"))
            precompiled = true;
        else if (cli_value(&c, "--iterations", &v)) {
            if (cli_u64(&c, "--iterations", v, &iterations) && !iterations)
                cli_error(&c, "--iterations: at least 1");
        } else
            cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && !file) cli_error(&c, "a file is needed; see `cot bench --help`");
    common_finish(&c, &o);
    int status = 1;
    Source source;
    if (!c.failed && source_open(&source, file, precompiled)) {
        Clocks never = {UINT64_MAX, UINT64_MAX};
        Result r = {.compile = never, .run = never};
        bool ok = true;
        char **args = argv + c.at - 1; /* argv[0] of the program goes where `--` was */
        args[0] = (char *)file;
        Diag d;
        diag_clear(&d);
        o.cfg.name = file;
        RtEngine *e = engine_new(&o.cfg, &d); /* one for all, as in a process that compiles often */
        if (!e) report(&d, file);
        ok = e != NULL;
        for (uint64_t i = 0; ok && i < iterations; i++)
            ok = once(&r, e, &o, &go, &source, argc - c.at + 1, args, &status);
        rt_engine_free(e);
        source_close(&source);
        if (ok) {
            print_result(&r, file, json);
            status = fflush(stdout) == 0 ? 0 : 1;
        }
    }
    guest_opts_free(&go);
    return status;
}
