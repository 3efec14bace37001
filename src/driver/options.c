/* driver/options.c — command-line parsing, files, messages. Errors are one line on stderr; exit status 1. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "driver/driver.h"

bool cli_is_option(const Cli *c) {
    return c->at < c->argc && c->argv[c->at][0] == '-' && c->argv[c->at][1] != 0;
}

bool cli_flag(Cli *c, const char *name) {
    if (c->at >= c->argc || strcmp(c->argv[c->at], name) != 0) return false;
    c->at++;
    return true;
}

bool cli_value(Cli *c, const char *name, const char **value) {
    if (c->at >= c->argc) return false;
    const char *a = c->argv[c->at];
    size_t n = strlen(name);
    if (strncmp(a, name, n) != 0) return false;
    if (a[n] == '=') {
        *value = a + n + 1;
        c->at++;
        return true;
    }
    if (n == 2 && a[1] != '-' && a[n]) { /* -j4, -Wx=y */
        *value = a + n;
        c->at++;
        return true;
    }
    if (a[n]) return false;
    c->at++;
    if (c->at >= c->argc) {
        cli_error(c, "%s needs a value", name);
        *value = "";
        return true;
    }
    *value = c->argv[c->at++];
    return true;
}

void cli_error(Cli *c, const char *fmt, ...) {
    if (c->failed) return;
    c->failed = true;
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "cot %s: error: ", c->cmd);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

bool cli_u64(Cli *c, const char *what, const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 0);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (shift) end++;
    if (end == text || *end || errno || text[0] == '-' || (shift && v >> (64 - shift))) {
        cli_error(c, "%s: '%s' is not a number", what, text);
        return false;
    }
    *out = v << shift;
    return true;
}

void common_init(CommonOpts *o) {
    memset(o, 0, sizeof *o);
    o->features = wasm_features_default();
    o->cfg.features = &o->features;
    const IsaVtable *isa = isa_host();
    o->cfg.isa_flags = isa ? isa->host_flags() : 0;
#ifdef COT_CHECKED
    o->cfg.verify = true;
#endif
#ifdef COT_STRESS
    o->cfg.stress_seed = 1;
#endif
}

CompilerConfig common_compiler(const CommonOpts *o, bool for_file) {
    const EngineConfig *e = &o->cfg;
    const IsaVtable *isa = isa_host();
    bool found;
    uint64_t flags =
        for_file && !o->cpu_given && isa ? isa->preset_flags("x86-64-v2", &found) : e->isa_flags;
    return (CompilerConfig){.features = e->features,
                            .isa_flags = flags,
                            .no_signals = e->rt.no_signals,
                            .explicit_bounds = e->rt.explicit_bounds,
                            .interruptible = e->rt.interruptible,
                            .verify = e->verify,
                            .stress_seed = e->stress_seed,
                            .opt_level = e->opt_level,
                            .regalloc = e->regalloc,
                            .cache = e->cache,
                            .keep_source = e->keep_source,
                            .threads = e->threads};
}

const char common_help[] =
    "  -O0, -O2               -O0 (default): the one-pass register allocator; -O2: the "
    "backtracking one\n"
    "  --regalloc=ion|fast    the backtracking or the one-pass register allocator, whatever -O "
    "says\n"
    "  -j N                   compile with N threads (default: all processors)\n"
    "  --cpu-features LIST    comma-separated: `baseline`, `host` or another preset, then +name or "
    "-name\n"
    "                         (e.g. baseline,+has_sse41; `cot settings` lists them)\n"
    "  --cache DIR            keep compiled modules, and files made of them, in the folder DIR and "
    "take them from there\n"
    "  --cache-size BYTES     most bytes that DIR may have (default 1G)\n"
    "  -W memory=BYTES        most bytes that one memory may have (K, M, G allowed)\n"
    "  -W stack=BYTES         stack for WebAssembly frames (default 1M)\n"
    "  -W timeout=MS          stop with a trap after so many milliseconds\n"
    "  -W bounds=explicit     check bounds in code instead of by guard pages\n"
    "  -W signals=off         install no signal handler; every trap is an explicit check\n"
    "  -W interruptible=on    code that -W timeout can stop, for a precompiled module\n"
    "  -W verify=on           run the IR verifier and the register allocation checker on every "
    "function\n"
    "  -W perf-map=on         write the functions' addresses to /tmp/perf-PID.map, for profilers\n"
    "  -W stress=SEED         random choices in register allocation\n"
    "  -W PROPOSAL=off        refuse what a proposal added: multi-memory, extended-const, "
    "reference-types,\n"
    "                         bulk-memory, multi-value, sat-float-to-int, sign-extension, "
    "mutable-globals\n";

static void cpu_features(Cli *c, CommonOpts *o, const char *list) {
    const IsaVtable *isa = isa_host();
    Diag d;
    diag_clear(&d);
    if (isa && !isa_parse_flags(isa, list, !o->elsewhere, &o->cfg.isa_flags, &d))
        cli_error(c, "--cpu-features: %s", d.msg);
    o->cpu_given = true;
}

static void limit_option(Cli *c, CommonOpts *o, const char *v) {
    const char *eq = strchr(v, '=');
    size_t n = eq ? (size_t)(eq - v) : strlen(v);
    const char *val = eq ? eq + 1 : "";
    uint64_t x;
#define IS(name) (n == sizeof name - 1 && strncmp(v, name, n) == 0)
    if (IS("memory")) {
        if (cli_u64(c, "-W memory", val, &x)) o->cfg.rt.max_memory = x ? x : 1;
    } else if (IS("stack")) {
        if (cli_u64(c, "-W stack", val, &x)) {
            if (x < 65536 || x > ((uint64_t)6 << 20)) cli_error(c, "-W stack: between 64K and 6M");
            o->cfg.rt.max_stack = x;
        }
    } else if (IS("timeout")) {
        if (cli_u64(c, "-W timeout", val, &x)) {
            o->timeout_ms = x;
            o->cfg.rt.interruptible |= x != 0;
        }
    } else if (IS("bounds") && strcmp(val, "explicit") == 0)
        o->cfg.rt.explicit_bounds = true;
    else if (IS("bounds") && strcmp(val, "guard") == 0)
        o->cfg.rt.explicit_bounds = false;
    else if (IS("signals") && strcmp(val, "off") == 0)
        o->cfg.rt.no_signals = true;
    else if (IS("signals") && strcmp(val, "on") == 0)
        o->cfg.rt.no_signals = false;
    else if (IS("interruptible") && strcmp(val, "on") == 0)
        o->cfg.rt.interruptible = true;
    else if (IS("verify") && strcmp(val, "on") == 0)
        o->cfg.verify = true;
    else if (IS("verify") && strcmp(val, "off") == 0)
        o->cfg.verify = false;
    else if (IS("perf-map") && strcmp(val, "on") == 0)
        o->cfg.rt.perf_map = true;
    else if (IS("perf-map") && strcmp(val, "off") == 0)
        o->cfg.rt.perf_map = false;
    else if (IS("stress")) {
        if (cli_u64(c, "-W stress", val, &x)) o->cfg.stress_seed = x;
    } else if ((strcmp(val, "on") == 0 || strcmp(val, "off") == 0) &&
               wasm_feature_set(&o->features, v, n, strcmp(val, "on") == 0))
        return;
    else
        cli_error(c, "-W: unknown setting '%s'", v);
#undef IS
}

bool regalloc_option(Cli *c, MachRegalloc *out) {
    const char *v;
    if (!cli_value(c, "--regalloc", &v)) return false;
    if (strcmp(v, "ion") == 0)
        *out = MACH_REGALLOC_BACKTRACKING;
    else if (strcmp(v, "fast") == 0)
        *out = MACH_REGALLOC_SINGLE_PASS;
    else
        cli_error(c, "--regalloc: '%s' is not ion or fast", v);
    return true;
}

bool common_option(Cli *c, CommonOpts *o) {
    const char *v;
    uint64_t x;
    if (cli_flag(c, "-O0")) {
        o->cfg.opt_level = 0;
        return true;
    }
    if (cli_flag(c, "-O2")) {
        o->cfg.opt_level = 2;
        return true;
    }
    if (c->at < c->argc && strncmp(c->argv[c->at], "-O", 2) == 0) {
        cli_error(c, "%s: only -O0 and -O2 exist so far", c->argv[c->at]);
        return true;
    }
    if (regalloc_option(c, &o->cfg.regalloc)) return true;
    if (cli_value(c, "-j", &v)) {
        if (cli_u64(c, "-j", v, &x)) o->cfg.threads = x > 64 ? 64 : (uint32_t)x;
        return true;
    }
    if (cli_value(c, "--cpu-features", &v)) {
        cpu_features(c, o, v);
        return true;
    }
    if (cli_value(c, "--cache", &v)) {
        o->cache_dir = v;
        return true;
    }
    if (cli_value(c, "--cache-size", &v)) {
        if (cli_u64(c, "--cache-size", v, &x)) o->cache_most = x ? x : 1;
        return true;
    }
    if (cli_value(c, "-W", &v)) {
        limit_option(c, o, v);
        return true;
    }
    return false;
}

const char publish_help[] =
    "  --gdb                  let gdb see the functions: names, frames and, if there is debugging "
    "information, lines\n"
    "  --perf=map|jitdump     let perf see them: by /tmp/perf-PID.map, or by jit-PID.dump in the "
    "working folder, which\n"
    "                         has the code, too (perf record -k 1, perf inject --jit)\n"
    "  --unwind               let the process's unwinder see their frames\n";

bool publish_option(Cli *c, CommonOpts *o) {
    const char *v;
    if (cli_flag(c, "--gdb")) {
        o->cfg.publish |= JIT_PUBLISH_GDB;
    } else if (cli_flag(c, "--unwind")) {
        o->cfg.publish |= JIT_PUBLISH_UNWIND;
    } else if (cli_value(c, "--perf", &v)) {
        if (strcmp(v, "map") == 0)
            o->cfg.rt.perf_map = true;
        else if (strcmp(v, "jitdump") == 0)
            o->cfg.publish |= JIT_PUBLISH_JITDUMP;
        else
            cli_error(c, "--perf: '%s' is not map or jitdump", v);
    } else {
        return false;
    }
    return true;
}

void common_finish(Cli *c, CommonOpts *o) {
    Diag d;
    diag_clear(&d);
    if (c->failed || !o->cache_dir) return;
    if (cache_open(&o->cache, o->cache_dir, o->cache_most, &d))
        o->cfg.cache = &o->cache;
    else
        cli_error(c, "--cache: %s", d.msg);
}

bool read_file(const char *path, uint8_t **bytes, size_t *size) {
    bool in = strcmp(path, "-") == 0;
    FILE *f = in ? stdin : fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: error: %s\n", path, strerror(errno));
        return false;
    }
    struct stat st;
    size_t cap = 1 << 16, n = 0, got;
    if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        cap = (size_t)st.st_size + 1; /* its end is seen without growing */
    uint8_t *p = malloc(cap);
    while (p && (got = fread(p + n, 1, cap - n, f)) > 0) {
        n += got;
        if (n == cap) {
            uint8_t *q = cap > SIZE_MAX / 2 ? NULL : realloc(p, cap *= 2);
            if (!q) free(p);
            p = q;
        }
    }
    bool bad = !p || ferror(f);
    if (bad) fprintf(stderr, "%s: error: %s\n", path, p ? strerror(errno) : "out of memory");
    if (!in) fclose(f);
    if (bad) {
        free(p);
        return false;
    }
    *bytes = p;
    *size = n;
    return true;
}

void report(const Diag *d, const char *file) {
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    diag_print(d, file, &sb);
    const char *s = sb_cstr(&sb);
    fputs(s, stderr);
    if (!*s || s[strlen(s) - 1] != '\n') fputc('\n', stderr);
    sb_free(&sb);
}

void report_trap(const RtTrap *t, const char *file) {
    Mem m;
    mem_init(&m, NULL);
    StrBuf sb;
    sb_init(&sb, &m);
    rt_print_trap(t, file, &sb);
    fputs(sb_cstr(&sb), stderr);
    sb_free(&sb);
}
