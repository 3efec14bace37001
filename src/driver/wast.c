/* driver/wast.c — `cot wast`: runs spec test scripts as JSON from `wasm-tools json-from-wast` (a .wast file is converted
 * with an installed wasm-tools). Every assertion counts once: passed, failed or skipped; a module that this build
 * refuses because of an unsupported proposal makes the assertions that need it skipped, with the reason; where the
 * script wants a module rejected, any rejection is right. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "driver/driver.h"
#include "driver/json.h"

static const char help[] = "usage: cot wast [OPTIONS] FILE...\n"
                           "Runs WebAssembly spec test scripts: JSON made by `wasm-tools "
                           "json-from-wast`, or .wast through an installed wasm-tools.\n"
                           "Prints a line per file that is not clean, then `N passed, N failed, N "
                           "skipped`, counting assertions.\n\n"
                           "  -v                     a line per failed assertion\n";

typedef struct Named {
    const char *name;
    uint32_t len;
    RtInstance *inst;
    struct Named *next;
} Named;
typedef struct Loaded {
    uint8_t *bytes;
    RtModule *m;
    struct Loaded *next;
} Loaded;

typedef struct Script {
    RtEngine *engine;
    RtStore *store;
    Mem mem;
    Arena arena;
    const char *file;
    char dir[4096];
    Named *names, *registered;
    Loaded *loaded;
    RtInstance *current;
    bool current_skipped; /* the last module was refused as unsupported */
    const RtModule *definition;
    uint32_t passed, failed, skipped;
    char reason[160]; /* of the first skip */
    bool verbose;
    RtExtern spectest[16];
} Script;

/* ---- the host module "spectest" ---- */
static RtHostResult print_nothing(void *user, RtInstance *caller, RtVal *vals) {
    (void)user;
    (void)caller;
    (void)vals;
    return RT_HOST_OK;
}

static const struct {
    const char *name, *params;
} prints[] = {{"print", ""},          {"print_i32", "i"}, {"print_i64", "I"},
              {"print_f32", "f"},     {"print_f64", "F"}, {"print_i32_f32", "if"},
              {"print_f64_f64", "FF"}};
static const char *const things[] = {"table",      "memory",     "global_i32",
                                     "global_i64", "global_f32", "global_f64"};
enum { NPRINTS = 7, NTHINGS = 6 };

static void make_spectest(Script *s, RtExtern out[NPRINTS + NTHINGS]) {
    Diag d;
    diag_clear(&d);
    for (int i = 0; i < NPRINTS; i++)
        rt_host_func(s->store, prints[i].params, "", print_nothing, NULL, &out[i]);
    float f = 666.6f;
    double x = 666.6;
    RtVal v = {.i64 = 666}, vf = {.i64 = 0}, vd = {.i64 = 0};
    memcpy(&vf, &f, 4);
    memcpy(&vd, &x, 8);
    RtExtern *t = out + NPRINTS;
    t[0] = rt_host_table(s->store, WASM_FUNCREF, 10, 20, &d);
    t[1] = rt_host_memory(s->store, 1, 2, &d);
    t[2] = rt_host_global(s->store, (WasmGlobalType){WASM_I32, false}, v);
    t[3] = rt_host_global(s->store, (WasmGlobalType){WASM_I64, false}, v);
    t[4] = rt_host_global(s->store, (WasmGlobalType){WASM_F32, false}, vf);
    t[5] = rt_host_global(s->store, (WasmGlobalType){WASM_F64, false}, vd);
}

static bool same(WasmStr a, const char *b) {
    return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}

static bool resolve(void *user, const WasmModule *m, const WasmImport *im, RtExtern *out) {
    (void)m;
    Script *s = user;
    if (same(im->module, "spectest")) {
        for (int i = 0; i < NPRINTS + NTHINGS; i++) {
            const char *n = i < NPRINTS ? prints[i].name : things[i - NPRINTS];
            if (!same(im->name, n)) continue;
            *out = s->spectest[i];
            return true;
        }
        return false;
    }
    for (Named *r = s->registered; r; r = r->next)
        if (r->len == im->module.n && memcmp(r->name, im->module.p, r->len) == 0)
            return rt_export(r->inst, im->name.p, im->name.n, out);
    return false;
}

/* ---- outcomes ---- */
static void skip(Script *s, const char *why) {
    s->skipped++;
    if (!s->reason[0]) snprintf(s->reason, sizeof s->reason, "%.150s", why);
}

static void failed(Script *s, const Json *cmd, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void failed(Script *s, const Json *cmd, const char *fmt, ...) {
    s->failed++;
    if (!s->verbose && s->failed > 5) return;
    const Json *line = json_get(cmd, "line");
    printf("%s:%d: %s: ", s->file, line ? (int)line->number : 0, json_str(cmd, "type"));
    va_list ap;
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* ---- modules ---- */
static bool run_tool(const char *verb, const char *in, const char *out) {
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) _exit(126);
        if (out)
            execlp("wasm-tools", "wasm-tools", verb, in, "-o", out, (char *)NULL);
        else
            execlp("wasm-tools", "wasm-tools", verb, in, (char *)NULL);
        _exit(127);
    }
    int st;
    if (pid < 0 || waitpid(pid, &st, 0) != pid || !WIFEXITED(st)) return false;
    return WEXITSTATUS(st) == 0;
}

static bool have_tool(void) {
    return system("command -v wasm-tools >/dev/null 2>&1") == 0;
}

static void path_of(const Script *s, const char *name, char out[8192]) {
    snprintf(out, 8192, "%s%s", s->dir, name);
}

/* Loads and compiles a command's module. NULL with *d set. */
static RtModule *load(Script *s, const Json *cmd, bool validate_only, Diag *d) {
    char path[8192], tmp[] = "/tmp/cot-wast-XXXXXX";
    const char *bin = json_str(cmd, "binary_filename"),
               *name = bin ? bin : json_str(cmd, "filename"), *kind = json_str(cmd, "module_type");
    if (!name) {
        diag_msg(d, DIAG_MALFORMED, "command without a module file");
        return NULL;
    }
    path_of(s, name, path);
    bool text = !bin && kind && strcmp(kind, "text") == 0;
    if (text) {
        int fd = mkstemp(tmp);
        if (fd >= 0) close(fd);
        if (fd < 0 || !run_tool("parse", path, tmp)) {
            if (fd >= 0) unlink(tmp);
            diag_msg(d, DIAG_MALFORMED, "wasm-tools refuses the text");
            return NULL;
        }
        snprintf(path, sizeof path, "%s", tmp);
    }
    Loaded *l = arena_new(&s->arena, Loaded);
    *l = (Loaded){.next = s->loaded};
    size_t size;
    bool ok = read_file(path, &l->bytes, &size);
    if (text) unlink(tmp);
    if (!ok) {
        diag_msg(d, DIAG_IO, "cannot read %s", path);
        return NULL;
    }
    s->loaded = l;
    UnitOptions uo = {.validate_only = validate_only};
    l->m = rt_module_new(s->engine, l->bytes, size, &uo, d);
    return l->m;
}

static void remember(Script *s, const char *name, RtInstance *inst) {
    Named *n = arena_new(&s->arena, Named);
    *n = (Named){name, (uint32_t)strlen(name), inst, s->names};
    s->names = n;
}

static void do_module(Script *s, const Json *cmd) {
    Diag d;
    diag_clear(&d);
    const char *name = json_str(cmd, "name"), *type = json_str(cmd, "type");
    s->current = NULL;
    s->current_skipped = false;
    const RtModule *m =
        strcmp(type, "module_instance") == 0 ? s->definition : load(s, cmd, false, &d);
    if (m && strcmp(type, "module_definition") == 0) {
        s->definition = m;
        return;
    }
    s->current = m ? rt_instantiate(s->store, m, resolve, s, &d) : NULL;
    if (!s->current) {
        s->current_skipped = d.kind == DIAG_UNSUPPORTED || d.kind == DIAG_LINK;
        if (d.kind == DIAG_UNSUPPORTED)
            snprintf(s->reason, sizeof s->reason, "%.150s", d.msg);
        else if (s->verbose || d.kind != DIAG_LINK)
            printf("%s:%d: module: %s\n", s->file, (int)json_get(cmd, "line")->number,
                   d.kind ? d.msg : rt_trap_message(rt_store_trap(s->store)->code));
    }
    if (name) remember(s, name, s->current);
}

static RtInstance *find(Script *s, const char *name) {
    if (!name) return s->current;
    for (Named *n = s->names; n; n = n->next)
        if (strcmp(n->name, name) == 0) return n->inst;
    return NULL;
}

/* ---- values ---- */
static bool parse_arg(const Json *a, RtVal *v) {
    memset(v, 0, sizeof *v);
    const char *t = json_str(a, "type"), *x = json_str(a, "value");
    if (!t) return false;
    if (strcmp(t, "i32") == 0 || strcmp(t, "f32") == 0) {
        if (!x) return false;
        v->i64 = (uint32_t)strtoll(x, NULL, 10);
        return true;
    }
    if (strcmp(t, "i64") == 0 || strcmp(t, "f64") == 0) {
        if (!x) return false;
        v->i64 = x[0] == '-' ? (uint64_t)strtoll(x, NULL, 10) : strtoull(x, NULL, 10);
        return true;
    }
    if (strcmp(t, "externref") == 0 || strcmp(t, "funcref") == 0 || strcmp(t, "refnull") == 0) {
        if (!x || strcmp(x, "null") == 0) return true;
        v->i64 = strtoull(x, NULL, 10) + 1; /* host reference n is n + 1, so that none is null */
        return true;
    }
    return false;
}

static bool matches(const Json *e, const RtVal *v) {
    const char *t = json_str(e, "type"), *x = json_str(e, "value");
    if (!t) return false;
    bool is32 = strcmp(t, "f32") == 0;
    if (x && strncmp(x, "nan:", 4) == 0) {
        uint64_t bits = is32 ? v->i32 : v->i64,
                 quiet = is32 ? 0x7FC00000u : UINT64_C(0x7FF8000000000000);
        if (strcmp(x, "nan:canonical") == 0)
            return (bits & (is32 ? 0x7FFFFFFFu : INT64_MAX)) == quiet;
        return (bits & quiet) == quiet;
    }
    if (strcmp(t, "funcref") == 0 && !x) return v->ref != NULL; /* any function */
    if (strcmp(t, "externref") == 0 && !x) return v->ref != NULL;
    RtVal w;
    if (!parse_arg(e, &w)) return false;
    if (strcmp(t, "i32") == 0 || is32) return w.i32 == v->i32;
    return w.i64 == v->i64;
}

typedef enum Act { ACT_OK, ACT_TRAP, ACT_SKIP, ACT_ERROR } Act;

static Act act(Script *s, const Json *cmd, RtVal **vals, uint32_t *nres) {
    const Json *a = json_get(cmd, "action");
    const char *type = json_str(a, "type"), *mod = json_str(a, "module");
    const Json *field = json_get(a, "field");
    RtInstance *in = find(s, mod);
    if (!in) return ACT_SKIP;
    RtExtern x;
    if (!type || !field || !rt_export(in, field->str, field->len, &x)) return ACT_ERROR;
    if (strcmp(type, "get") == 0) {
        if (x.kind != WASM_EXT_GLOBAL) return ACT_ERROR;
        *vals = arena_new(&s->arena, RtVal);
        memcpy(*vals, x.global.value, 16);
        *nres = 1;
        return ACT_OK;
    }
    if (x.kind != WASM_EXT_FUNC) return ACT_ERROR;
    const WasmFuncType *ft = &x.func.type_module->types.p[x.func.type];
    *nres = ft->nresults;
    *vals = arena_zarray(&s->arena, RtVal,
                         (ft->nparams > ft->nresults ? ft->nparams : ft->nresults) + 1);
    uint32_t n = 0;
    const Json *args = json_get(a, "args");
    for (const Json *v = args ? args->first : NULL; v; v = v->next)
        if (n >= ft->nparams || !parse_arg(v, &(*vals)[n++])) return ACT_ERROR;
    if (n != ft->nparams) return ACT_ERROR;
    return rt_call(s->store, &x.func, *vals) ? ACT_OK : ACT_TRAP;
}

static const char *trap_text(const Script *s) {
    return rt_trap_message(rt_store_trap(s->store)->code);
}

/* The spec tests give a prefix, e.g. "uninitialized element 7"; ours may be shorter or longer. */
static bool text_matches(const char *ours, const char *want) {
    size_t a = strlen(ours), b = strlen(want);
    return memcmp(ours, want, a < b ? a : b) == 0;
}

static void do_assert(Script *s, const Json *cmd, const char *type) {
    const char *text = json_str(cmd, "text");
    RtVal *vals = NULL;
    uint32_t n = 0;
    if (json_get(cmd, "action")) {
        if (s->current_skipped && !json_str(json_get(cmd, "action"), "module")) {
            skip(s, s->reason[0] ? s->reason : "needs a module that is not supported");
            return;
        }
        Act r = act(s, cmd, &vals, &n);
        if (r == ACT_SKIP)
            skip(s, s->reason[0] ? s->reason : "needs a module that is not there");
        else if (r == ACT_ERROR)
            failed(s, cmd, "no such export, or arguments do not fit");
        else if (strcmp(type, "assert_return") == 0) {
            if (r == ACT_TRAP) {
                failed(s, cmd, "trap: %s", trap_text(s));
                return;
            }
            const Json *want = json_get(cmd, "expected");
            uint32_t k = 0;
            bool ok = true;
            for (const Json *e = want ? want->first : NULL; e; e = e->next, k++)
                ok = ok && k < n && matches(e, &vals[k]);
            if (ok && k == n)
                s->passed++;
            else
                failed(s, cmd, "%s: wrong result 0x%llx",
                       json_str(json_get(cmd, "action"), "field"),
                       n ? (unsigned long long)vals[0].i64 : 0);
        } else { /* assert_trap, assert_exhaustion */
            if (r == ACT_TRAP && text && text_matches(trap_text(s), text))
                s->passed++;
            else
                failed(s, cmd, "expected trap '%s', got %s", text ? text : "",
                       r == ACT_TRAP ? trap_text(s) : "a result");
        }
        return;
    }
    Diag d;
    diag_clear(&d);
    const char *kind = json_str(cmd, "module_type");
    bool malformed = strcmp(type, "assert_malformed") == 0,
         invalid = strcmp(type, "assert_invalid") == 0;
    if (malformed && kind &&
        strcmp(kind, "text") == 0) { /* about the text format: wasm-tools judges it */
        char path[8192];
        path_of(s, json_str(cmd, "filename"), path);
        if (!have_tool())
            skip(s, "text format, and wasm-tools is not installed");
        else if (run_tool("parse", path, "/dev/null"))
            failed(s, cmd, "wasm-tools accepts the text");
        else
            s->passed++;
        return;
    }
    RtModule *m = load(s, cmd, malformed || invalid, &d);
    if (malformed || invalid) {
        if (m)
            failed(s, cmd, "accepted; expected '%s'", text ? text : "");
        else if (d.kind == DIAG_IO || d.kind == DIAG_OOM)
            failed(s, cmd, "%s", d.msg);
        else
            s->passed++;
        return;
    }
    if (!m) { /* assert_unlinkable, assert_uninstantiable */
        if (d.kind == DIAG_UNSUPPORTED)
            skip(s, d.msg);
        else
            failed(s, cmd, "%s", d.msg);
        return;
    }
    RtInstance *in = rt_instantiate(s->store, m, resolve, s, &d);
    bool link = strcmp(type, "assert_unlinkable") == 0;
    if (in)
        failed(s, cmd, "instantiated; expected '%s'", text ? text : "");
    else if (link ? d.kind == DIAG_LINK
                  : d.kind == DIAG_NONE && text && text_matches(trap_text(s), text))
        s->passed++;
    else
        failed(s, cmd, "expected '%s', got '%s'", text ? text : "", d.kind ? d.msg : trap_text(s));
}

static void do_command(Script *s, const Json *cmd) {
    const char *type = json_str(cmd, "type");
    if (!type) return;
    if (strcmp(type, "module") == 0 || strcmp(type, "module_definition") == 0 ||
        strcmp(type, "module_instance") == 0)
        do_module(s, cmd);
    else if (strcmp(type, "register") == 0) {
        const Json *as = json_get(cmd, "as");
        RtInstance *in = find(s, json_str(cmd, "name"));
        if (!in || !as) return;
        Named *n = arena_new(&s->arena, Named);
        *n = (Named){as->str, as->len, in, s->registered};
        s->registered = n;
    } else if (strcmp(type, "action") == 0) {
        RtVal *vals;
        uint32_t n;
        act(s, cmd, &vals, &n);
    } else if (strncmp(type, "assert_", 7) == 0) {
        static const char *const known[] = {
            "assert_return",  "assert_trap",       "assert_exhaustion",    "assert_malformed",
            "assert_invalid", "assert_unlinkable", "assert_uninstantiable"};
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strcmp(type, known[i]) == 0) {
                do_assert(s, cmd, type);
                return;
            }
        skip(s, type);
    }
}

static bool convert(const char *wast, char dir[64], char json[128]) {
    snprintf(dir, 64, "/tmp/cot-wast-XXXXXX");
    if (!mkdtemp(dir)) return false;
    snprintf(json, 128, "%s/script.json", dir);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("wasm-tools", "wasm-tools", "json-from-wast", wast, "-o", json, "--wasm-dir", dir,
               (char *)NULL);
        _exit(127);
    }
    int st;
    return pid > 0 && waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 0;
}

/* Runs one script; adds to the totals. False if the script itself cannot be read. */
static bool run_script(const CommonOpts *o, const char *file, bool verbose, uint32_t total[3],
                       char reason[160]) {
    static Script s;
    memset(&s, 0, sizeof s);
    s.file = file;
    s.verbose = verbose;
    char tmp[64] = "", json_path[128];
    const char *script = file;
    size_t len = strlen(file);
    if (len > 5 && strcmp(file + len - 5, ".wast") == 0) {
        if (!convert(file, tmp, json_path)) {
            fprintf(stderr,
                    "%s: error: wasm-tools json-from-wast failed (is wasm-tools installed?)\n",
                    file);
            return false;
        }
        script = json_path;
    }
    const char *slash = strrchr(script, '/');
    snprintf(s.dir, sizeof s.dir, "%.*s", slash ? (int)(slash - script + 1) : 0, script);
    uint8_t *text;
    size_t size;
    if (!read_file(script, &text, &size)) return false;
    Diag d;
    diag_clear(&d);
    mem_init(&s.mem, NULL);
    arena_init(&s.arena, &s.mem);
    Json *doc = json_parse(&s.arena, (const char *)text, size, &d);
    s.engine = doc ? rt_engine_new(&o->cfg, &d) : NULL;
    const Json *commands = json_get(doc, "commands");
    bool ok = s.engine && commands;
    if (!ok) {
        if (!d.kind) diag_msg(&d, DIAG_MALFORMED, "no \"commands\"");
        report(&d, file);
    } else {
        s.store = rt_store_new(s.engine);
        RtExtern spec[NPRINTS + NTHINGS];
        make_spectest(&s, spec);
        memcpy(s.spectest, spec, sizeof spec);
        for (const Json *c = commands->first; c; c = c->next) do_command(&s, c);
        if (s.failed || s.skipped)
            printf("%s: %u passed, %u failed, %u skipped%s%s%s\n", file, s.passed, s.failed,
                   s.skipped, s.skipped ? " (skipped: " : "", s.skipped ? s.reason : "",
                   s.skipped ? ")" : "");
        total[0] += s.passed;
        total[1] += s.failed;
        total[2] += s.skipped;
        if (!reason[0]) memcpy(reason, s.reason, sizeof s.reason);
    }
    rt_store_free(s.store);
    for (Loaded *l = s.loaded; l; l = l->next) {
        rt_module_free(l->m);
        free(l->bytes);
    }
    rt_engine_free(s.engine);
    arena_destroy(&s.arena);
    free(text);
    if (tmp[0]) {
        char cmd[128];
        snprintf(cmd, sizeof cmd, "rm -rf '%s'", tmp);
        if (system(cmd)) return false;
    }
    return ok;
}

int cmd_wast(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "wast"};
    CommonOpts o;
    common_init(&o);
    o.cfg.threads = 1; /* test modules are small */
    bool verbose = false, ok = true;
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s", help, common_help);
            return 0;
        }
        if (cli_flag(&c, "-v"))
            verbose = true;
        else if (!common_option(&c, &o))
            cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && c.at >= argc) cli_error(&c, "no file given");
    if (c.failed) return 1;
    uint32_t total[3] = {0};
    char reason[160] = "";
    for (; c.at < argc; c.at++) ok &= run_script(&o, argv[c.at], verbose, total, reason);
    if (reason[0] && total[2]) printf("skipped (%s)\n", reason);
    printf("%u passed, %u failed, %u skipped\n", total[0], total[1], total[2]);
    return ok && !total[1] ? 0 : 1;
}
