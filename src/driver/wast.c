/* driver/wast.c — `cot wast`: runs spec test scripts as JSON from `wasm-tools json-from-wast` (a .wast file is converted
 * with an installed wasm-tools).
 *
 * Every assertion counts once: passed, failed or skipped. Skipped are those that need a module which was refused because
 * of an unsupported proposal, directly or through imports; the reason is the message of the refusal. A module that must be
 * rejected may be refused for any reason; with --strict, not for a proposal that it needs besides its fault. A module or an action that must succeed
 * and does not is reported, makes the exit status 1, and the assertions on it fail. Text modules that must be malformed
 * are so for wasm-tools, or the binary made from them is so for us. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "driver/driver.h"
#include "driver/json.h"

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
static const char help[] = "usage: cot wast [OPTIONS] FILE...\n"
                           "Runs WebAssembly spec test scripts: JSON made by `wasm-tools "
                           "json-from-wast`, or .wast through an installed wasm-tools.\n"
                           "Prints a line per file that is not clean, the reasons of skipped "
                           "assertions, then `N passed, N\nfailed, N skipped`, counting "
                           "assertions.\n\n"
                           "  -v                     a line per failed assertion\n"
                           "  --strict               skip, not pass, a module that must be "
                           "rejected and was refused for a missing proposal\n"
                           "  --precompiled          run each module as it is after having been "
                           "written to a file and read again\n"
                           "  --linked LIB           take the module of a file x.N.wasm from the "
                           "shared library LIB, linked of\n"
                           "                         objects: its symbol x_N_module\n";

typedef struct WastOpts {
    bool verbose, strict, precompiled;
    void *library; /* --linked */
} WastOpts;

/* What a name of the script stands for. Without an instance, `why` is the message of the refusal that caused it, or NULL
 * if the module should have been there. */
typedef struct Named {
    const char *name;
    uint32_t len;
    RtInstance *inst;
    const char *why;
    struct Named *next;
} Named;
typedef struct Definition { /* a module that is instantiated later, by name or as the last one */
    const char *name, *why;
    const RtModule *m;
    struct Definition *next;
} Definition;
typedef struct Reason { /* of skipped assertions */
    char *why;
    uint32_t n;
    struct Reason *next;
} Reason;
typedef struct Counts {
    uint32_t passed, failed, skipped,
        broken;      /* broken: modules and actions that must succeed and did not */
    Reason *reasons; /* in order of appearance */
} Counts;
typedef struct Loaded {
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
    Named current;           /* the last module */
    Definition *definitions; /* the last one first */
    const char *import_why;  /* an import of the module being linked comes from a refused one */
    Counts n;
    WastOpts opt;
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

static bool resolve(void *user, const RtImport *im, RtExtern *out) {
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
        if (r->len == im->module.n && memcmp(r->name, im->module.p, r->len) == 0) {
            if (!r->inst && !s->import_why) s->import_why = r->why;
            return r->inst && rt_export(r->inst, im->name.p, im->name.n, out);
        }
    return false;
}

/* ---- outcomes ---- */
static void count_skipped(Counts *c, const char *why, uint32_t n) {
    Reason **r = &c->reasons;
    c->skipped += n;
    while (*r && strcmp((*r)->why, why) != 0) r = &(*r)->next;
    if (!*r) {
        *r = calloc(1, sizeof **r);
        if (!*r || !((*r)->why = strdup(why))) abort();
    }
    (*r)->n += n;
}

static void counts_free(Counts *c) {
    for (Reason *r = c->reasons, *next; r; r = next) {
        next = r->next;
        free(r->why);
        free(r);
    }
}

static void skip(Script *s, const char *why) {
    count_skipped(&s->n, why, 1);
}

static void say(const Script *s, const Json *cmd, const char *fmt, va_list ap) {
    const Json *line = json_get(cmd, "line");
    printf("%s:%d: %s: ", s->file, line ? (int)line->number : 0, json_str(cmd, "type"));
    vprintf(fmt, ap);
    putchar('\n');
}

static void failed(Script *s, const Json *cmd, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void failed(Script *s, const Json *cmd, const char *fmt, ...) {
    s->n.failed++;
    if (!s->opt.verbose && s->n.failed > 5) return;
    va_list ap;
    va_start(ap, fmt);
    say(s, cmd, fmt, ap);
    va_end(ap);
}

static void broken(Script *s, const Json *cmd, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void broken(Script *s, const Json *cmd, const char *fmt, ...) {
    s->n.broken++;
    va_list ap;
    va_start(ap, fmt);
    say(s, cmd, fmt, ap);
    va_end(ap);
}

/* ---- modules ---- */
static bool run_tool(const char *verb, const char *in, const char *out) {
    pid_t pid = fork();
    if (pid == 0) {
        /* below stdio, whose buffers hold what the parent has not written yet */
        int null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) _exit(126);
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

/* Reads a command's module. false with *d set. */
static bool read_module(const Json *cmd, const Script *s, uint8_t **bytes, size_t *size, Diag *d) {
    char path[8192], tmp[] = "/tmp/cot-wast-XXXXXX";
    const char *bin = json_str(cmd, "binary_filename"),
               *name = bin ? bin : json_str(cmd, "filename"), *kind = json_str(cmd, "module_type");
    if (!name) return diag_msg(d, DIAG_MALFORMED, "command without a module file");
    path_of(s, name, path);
    bool text = !bin && kind && strcmp(kind, "text") == 0;
    if (text) {
        int fd = mkstemp(tmp);
        if (fd >= 0) close(fd);
        if (fd < 0 || !run_tool("parse", path, tmp)) {
            if (fd >= 0) unlink(tmp);
            return diag_msg(d, DIAG_MALFORMED, "wasm-tools refuses the text");
        }
        snprintf(path, sizeof path, "%s", tmp);
    }
    bool ok = read_file(path, bytes, size);
    if (text) unlink(tmp);
    return ok || diag_msg(d, DIAG_IO, "cannot read %s", path);
}

/* The module as it is after having been written to a file and read again. */
static RtModule *reloaded(Script *s, RtModule *m, Diag *d) {
    size_t n = (size_t)img_size(rt_module_image(m)->h);
    uint8_t *bytes = malloc(n);
    RtBlob blob;
    if (!bytes) abort();
    rt_module_serialize(m, bytes);
    rt_module_free(m);
    m = rt_blob_copy(&blob, bytes, n, d) ? rt_module_new(s->engine, &blob, IMG_VERIFIED, d) : NULL;
    free(bytes);
    return m;
}

/* The module of --linked that was compiled from the command's file. */
static RtModule *linked(Script *s, const Json *cmd, Diag *d) {
    char symbol[256];
    const char *name = json_str(cmd, "filename"), *dot = strrchr(name, '.');
    int n = snprintf(symbol, sizeof symbol - 8, "%.*s", dot ? (int)(dot - name) : (int)strlen(name),
                     name);
    for (char *p = symbol; *p; p++)
        if (!strchr(name_letters, *p)) *p = '_';
    if (n > 0 && n < 240) strcpy(symbol + n, "_module");
    const ImgLinked *l = dlsym(s->opt.library, symbol);
    if (l) return rt_module_linked(s->engine, &(RtLinked){l->tables, l->code, l->slots}, d);
    diag_msg(d, DIAG_LINK, "no symbol '%s' in the library", symbol);
    return NULL;
}

/* Loads and compiles a command's module. NULL with *d set. */
static RtModule *load(Script *s, const Json *cmd, Diag *d) {
    uint8_t *bytes;
    size_t size;
    if (!read_module(cmd, s, &bytes, &size, d)) return NULL;
    RtModule *m = engine_compile(s->engine, bytes, size, NULL, NULL, d);
    free(bytes);
    if (m && s->opt.precompiled) m = reloaded(s, m, d);
    if (m && s->opt.library) {
        rt_module_free(m);
        m = linked(s, cmd, d);
    }
    if (!m) return NULL;
    Loaded *l = arena_new(&s->arena, Loaded);
    *l = (Loaded){m, s->loaded};
    s->loaded = l;
    return m;
}

static bool validate(const Script *s, const Json *cmd, Diag *d) {
    uint8_t *bytes;
    size_t size;
    if (!read_module(cmd, s, &bytes, &size, d)) return false;
    bool ok = engine_validate(s->engine, bytes, size, d);
    free(bytes);
    return ok;
}

static const char *trap_text(const Script *s) {
    return rt_trap_message(rt_store_trap(s->store)->code);
}

static const char *keep(Script *s, const char *msg) {
    return arena_strndup(&s->arena, msg, strlen(msg));
}

/* Instantiates m. What stands for it is the current module, also under `name` if that is not NULL. */
static void instantiate(Script *s, const Json *cmd, const RtModule *m, const char *why,
                        const char *name) {
    Diag d;
    diag_clear(&d);
    s->import_why = NULL;
    s->current = (Named){.why = why};
    if (m) s->current.inst = rt_instantiate(s->store, m, resolve, s, &d);
    if (m && !s->current.inst) {
        if (d.kind == DIAG_LINK && s->import_why)
            s->current.why = s->import_why;
        else
            broken(s, cmd, "%s", d.kind ? d.msg : trap_text(s));
    }
    if (!name) return;
    Named *n = arena_new(&s->arena, Named);
    *n = s->current;
    n->name = name;
    n->next = s->names;
    s->names = n;
}

static void do_module(Script *s, const Json *cmd) {
    const char *name = json_str(cmd, "name"), *why = NULL;
    if (strcmp(json_str(cmd, "type"), "module_instance") == 0) {
        const char *of = json_str(cmd, "module");
        const Definition *def = s->definitions;
        while (def && of && (!def->name || strcmp(def->name, of) != 0)) def = def->next;
        if (!def) broken(s, cmd, "no such definition");
        instantiate(s, cmd, def ? def->m : NULL, def ? def->why : NULL, json_str(cmd, "instance"));
        return;
    }
    Diag d;
    diag_clear(&d);
    const RtModule *m = load(s, cmd, &d);
    if (!m && d.kind == DIAG_UNSUPPORTED)
        why = keep(s, d.msg);
    else if (!m)
        broken(s, cmd, "%s", d.msg);
    if (strcmp(json_str(cmd, "type"), "module_definition") == 0) {
        Definition *def = arena_new(&s->arena, Definition);
        *def = (Definition){name, why, m, s->definitions};
        s->definitions = def;
    } else
        instantiate(s, cmd, m, why, name);
}

static const Named *find(const Script *s, const char *name) {
    static const Named none;
    if (!name) return &s->current;
    for (const Named *n = s->names; n; n = n->next)
        if (strcmp(n->name, name) == 0) return n;
    return &none;
}

/* ---- values ---- */
static const struct {
    const char *name;
    uint8_t bytes;
    bool is_float;
} lane_types[] = {{"i8", 1, false},  {"i16", 2, false}, {"i32", 4, false},
                  {"i64", 8, false}, {"f32", 4, true},  {"f64", 8, true}};
enum { NLANE_TYPES = 6 };

/* Row of lane_types; NLANE_TYPES = none. */
static int lane_type(const char *name) {
    int k = 0;
    while (k < NLANE_TYPES && (!name || strcmp(lane_types[k].name, name) != 0)) k++;
    return k;
}

static uint64_t parse_bits(const char *x) {
    return x[0] == '-' ? (uint64_t)strtoll(x, NULL, 10) : strtoull(x, NULL, 10);
}

/* Do the bits of a number of this row agree with what the script writes? */
static bool number_matches(int row, const char *x, uint64_t bits) {
    bool is32 = lane_types[row].bytes == 4;
    if (lane_types[row].is_float && strncmp(x, "nan:", 4) == 0) {
        uint64_t quiet = is32 ? 0x7FC00000u : UINT64_C(0x7FF8000000000000);
        if (strcmp(x, "nan:canonical") == 0)
            return (bits & (is32 ? 0x7FFFFFFFu : INT64_MAX)) == quiet;
        return (bits & quiet) == quiet;
    }
    uint64_t mask = UINT64_MAX >> (64 - 8 * lane_types[row].bytes);
    return (parse_bits(x) & mask) == (bits & mask);
}

static bool parse_arg(const Json *a, RtVal *v) {
    memset(v, 0, sizeof *v);
    const char *t = json_str(a, "type"), *x = json_str(a, "value");
    if (!t) return false;
    int row = lane_type(t);
    if (row < NLANE_TYPES) {
        if (!x) return false;
        v->i64 = parse_bits(x);
        if (lane_types[row].bytes == 4) v->i64 = v->i32;
        return true;
    }
    if (strcmp(t, "v128") == 0) {
        const Json *lanes = json_get(a, "value");
        row = lane_type(json_str(a, "lane_type"));
        if (row == NLANE_TYPES || !lanes) return false;
        unsigned at = 0, n = lane_types[row].bytes;
        for (const Json *e = lanes->first; e; e = e->next, at += n) {
            if (e->kind != JSON_STRING || at + n > 16) return false;
            uint64_t bits = parse_bits(e->str);
            memcpy(v->bytes + at, &bits, n);
        }
        return at == 16;
    }
    if (strcmp(t, "externref") == 0 || strcmp(t, "funcref") == 0 || strcmp(t, "refnull") == 0) {
        if (!x || strcmp(x, "null") == 0) return true;
        v->i64 = strtoull(x, NULL, 10) + 1; /* host reference n is n + 1, so that none is null */
        return true;
    }
    return false;
}

static bool vector_matches(const Json *e, const RtVal *v) {
    const Json *lanes = json_get(e, "value");
    int row = lane_type(json_str(e, "lane_type"));
    if (row == NLANE_TYPES || !lanes) return false;
    unsigned at = 0, n = lane_types[row].bytes;
    for (const Json *l = lanes->first; l; l = l->next, at += n) {
        uint64_t bits = 0;
        if (l->kind != JSON_STRING || at + n > 16) return false;
        memcpy(&bits, v->bytes + at, n);
        if (!number_matches(row, l->str, bits)) return false;
    }
    return at == 16;
}

static bool matches(const Json *e, const RtVal *v);

/* One of several results, where the specification leaves a choice. */
static bool either_matches(const Json *e, const RtVal *v) {
    const Json *all = json_get(e, "values");
    for (const Json *one = all ? all->first : NULL; one; one = one->next)
        if (matches(one, v)) return true;
    return false;
}

static bool matches(const Json *e, const RtVal *v) {
    const char *t = json_str(e, "type"), *x = json_str(e, "value");
    if (!t) return false;
    int row = lane_type(t);
    if (row < NLANE_TYPES) return x && number_matches(row, x, v->i64);
    if (strcmp(t, "v128") == 0) return vector_matches(e, v);
    if (strcmp(t, "either") == 0) return either_matches(e, v);
    if (strcmp(t, "funcref") == 0 && !x) return v->ref != NULL; /* any function */
    if (strcmp(t, "externref") == 0 && !x) return v->ref != NULL;
    RtVal w;
    return parse_arg(e, &w) && w.i64 == v->i64;
}

typedef enum Act { ACT_OK, ACT_TRAP, ACT_REFUSED, ACT_ERROR } Act;

/* Performs a command's action. ACT_REFUSED: its module was refused, *why tells; ACT_ERROR: it cannot be done, *why tells. */
static Act act(Script *s, const Json *cmd, RtVal **vals, uint32_t *nres, const char **why) {
    const Json *a = json_get(cmd, "action");
    const char *type = json_str(a, "type");
    const Json *field = json_get(a, "field");
    const Named *on = find(s, json_str(a, "module"));
    RtExtern x;
    *why = on->why;
    if (!on->inst && on->why) return ACT_REFUSED;
    *why = "no module to act on";
    if (!on->inst) return ACT_ERROR;
    *why = "no such export";
    if (!type || !field || !rt_export(on->inst, field->str, field->len, &x)) return ACT_ERROR;
    bool get = strcmp(type, "get") == 0;
    if (x.kind != (get ? WASM_EXT_GLOBAL : WASM_EXT_FUNC)) return ACT_ERROR;
    if (get) {
        *vals = arena_new(&s->arena, RtVal);
        memcpy(*vals, x.global.value, 16);
        *nres = 1;
        return ACT_OK;
    }
    const ImgType *ft = &x.func.image->types[x.func.type];
    *nres = ft->nresults;
    *vals = arena_zarray(&s->arena, RtVal,
                         (ft->nparams > ft->nresults ? ft->nparams : ft->nresults) + 1u);
    uint32_t n = 0;
    *why = "arguments do not fit";
    const Json *args = json_get(a, "args");
    for (const Json *v = args ? args->first : NULL; v; v = v->next)
        if (n >= ft->nparams || !parse_arg(v, &(*vals)[n++])) return ACT_ERROR;
    if (n != ft->nparams) return ACT_ERROR;
    *why = NULL;
    return rt_call(s->store, &x.func, *vals) ? ACT_OK : ACT_TRAP;
}

/* The spec tests give a prefix, e.g. "uninitialized element 7"; ours may be shorter or longer. */
static bool text_matches(const char *ours, const char *want) {
    size_t a = strlen(ours), b = strlen(want);
    return memcmp(ours, want, a < b ? a : b) == 0;
}

/* assert_return, assert_trap, assert_exhaustion */
static void assert_action(Script *s, const Json *cmd, const char *type) {
    const char *text = json_str(cmd, "text"), *why;
    RtVal *vals = NULL;
    uint32_t n = 0, k = 0;
    Act r = act(s, cmd, &vals, &n, &why);
    if (r == ACT_REFUSED)
        skip(s, why);
    else if (r == ACT_ERROR)
        failed(s, cmd, "%s", why);
    else if (strcmp(type, "assert_return") != 0) {
        if (r == ACT_TRAP && text && text_matches(trap_text(s), text))
            s->n.passed++;
        else
            failed(s, cmd, "expected trap '%s', got %s", text ? text : "",
                   r == ACT_TRAP ? trap_text(s) : "a result");
    } else if (r == ACT_TRAP)
        failed(s, cmd, "trap: %s", trap_text(s));
    else {
        const Json *want = json_get(cmd, "expected");
        bool ok = true;
        for (const Json *e = want ? want->first : NULL; e; e = e->next, k++)
            ok = ok && k < n && matches(e, &vals[k]);
        if (ok && k == n)
            s->n.passed++;
        else
            failed(s, cmd, "%s: wrong result 0x%llx", json_str(json_get(cmd, "action"), "field"),
                   n ? (unsigned long long)vals[0].i64 : 0);
    }
}

/* assert_malformed, assert_invalid: the module is refused for its fault. */
static void assert_refused(Script *s, const Json *cmd) {
    const char *text = json_str(cmd, "text"), *kind = json_str(cmd, "module_type");
    Diag d;
    diag_clear(&d);
    if (kind && strcmp(kind, "text") == 0 && !json_get(cmd, "binary_filename") && !have_tool()) {
        skip(s, "text format, and wasm-tools is not installed");
        return;
    }
    if (validate(s, cmd, &d))
        failed(s, cmd, "accepted; expected '%s'", text ? text : "");
    else if (d.kind == DIAG_IO || d.kind == DIAG_OOM)
        failed(s, cmd, "%s", d.msg);
    else if (d.kind == DIAG_UNSUPPORTED && s->opt.strict)
        skip(s, d.msg);
    else
        s->n.passed++;
}

/* assert_unlinkable, assert_uninstantiable: the module is valid. */
static void assert_no_instance(Script *s, const Json *cmd, bool link) {
    const char *text = json_str(cmd, "text");
    Diag d;
    diag_clear(&d);
    const RtModule *m = load(s, cmd, &d);
    if (!m) {
        if (d.kind == DIAG_UNSUPPORTED)
            skip(s, d.msg);
        else
            failed(s, cmd, "%s", d.msg);
        return;
    }
    s->import_why = NULL;
    RtInstance *in = rt_instantiate(s->store, m, resolve, s, &d);
    if (in)
        failed(s, cmd, "instantiated; expected '%s'", text ? text : "");
    else if (d.kind == DIAG_LINK && s->import_why)
        skip(s, s->import_why);
    else if (link ? d.kind == DIAG_LINK
                  : d.kind == DIAG_NONE && text && text_matches(trap_text(s), text))
        s->n.passed++;
    else
        failed(s, cmd, "expected '%s', got '%s'", text ? text : "", d.kind ? d.msg : trap_text(s));
}

static void do_assert(Script *s, const Json *cmd, const char *type) {
    if (strcmp(type, "assert_return") == 0 || strcmp(type, "assert_trap") == 0 ||
        strcmp(type, "assert_exhaustion") == 0)
        assert_action(s, cmd, type);
    else if (strcmp(type, "assert_malformed") == 0 || strcmp(type, "assert_invalid") == 0)
        assert_refused(s, cmd);
    else if (strcmp(type, "assert_unlinkable") == 0 || strcmp(type, "assert_uninstantiable") == 0)
        assert_no_instance(s, cmd, strcmp(type, "assert_unlinkable") == 0);
    else { /* assert_exception: of a module that was refused */
        const Named *on = find(s, json_str(json_get(cmd, "action"), "module"));
        if (!on->inst && on->why)
            skip(s, on->why);
        else
            failed(s, cmd, "unknown kind of assertion");
    }
}

static void do_command(Script *s, const Json *cmd) {
    const char *type = json_str(cmd, "type");
    if (!type) return;
    if (strcmp(type, "module") == 0 || strcmp(type, "module_definition") == 0 ||
        strcmp(type, "module_instance") == 0)
        do_module(s, cmd);
    else if (strcmp(type, "register") == 0) {
        const Json *as = json_get(cmd, "as");
        const Named *of = find(s, json_str(cmd, "name"));
        Named *n = arena_new(&s->arena, Named);
        if (!as) return;
        *n = (Named){as->str, as->len, of->inst, of->why, s->registered};
        s->registered = n;
    } else if (strcmp(type, "action") == 0) {
        RtVal *vals;
        uint32_t n;
        const char *why;
        Act r = act(s, cmd, &vals, &n, &why);
        if (r == ACT_TRAP || r == ACT_ERROR) broken(s, cmd, "%s", why ? why : trap_text(s));
    } else if (strncmp(type, "assert_", 7) == 0)
        do_assert(s, cmd, type);
    else
        broken(s, cmd, "unknown command");
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
static bool run_script(const CommonOpts *o, const WastOpts *w, const char *file, Counts *total) {
    static Script s;
    memset(&s, 0, sizeof s);
    s.file = file;
    s.opt = *w;
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
    command_mem(&s.mem);
    arena_init(&s.arena, &s.mem);
    Json *doc = json_parse(&s.arena, (const char *)text, size, &d);
    s.engine = doc ? engine_new(&o->cfg, &d) : NULL;
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
        if (s.n.failed || s.n.skipped || s.n.broken)
            printf("%s: %u passed, %u failed, %u skipped\n", file, s.n.passed, s.n.failed,
                   s.n.skipped);
        total->passed += s.n.passed;
        total->failed += s.n.failed;
        total->broken += s.n.broken;
        for (const Reason *r = s.n.reasons; r; r = r->next) count_skipped(total, r->why, r->n);
        counts_free(&s.n);
    }
    rt_store_free(s.store);
    for (Loaded *l = s.loaded; l; l = l->next) rt_module_free(l->m);
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
    WastOpts w = {0};
    const char *library;
    bool ok = true;
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s", help, common_help);
            return 0;
        }
        if (cli_flag(&c, "-v"))
            w.verbose = true;
        else if (cli_flag(&c, "--strict"))
            w.strict = true;
        else if (cli_flag(&c, "--precompiled"))
            w.precompiled = true;
        else if (cli_value(&c, "--linked", &library)) {
            w.library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
            if (!w.library) cli_error(&c, "--linked: %s", dlerror());
        } else if (!common_option(&c, &o))
            cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && c.at >= argc) cli_error(&c, "no file given");
    if (c.failed) return 1;
    Counts total = {0};
    for (; c.at < argc; c.at++) ok &= run_script(&o, &w, argv[c.at], &total);
    for (const Reason *r = total.reasons; r; r = r->next) printf("skipped %u: %s\n", r->n, r->why);
    printf("%u passed, %u failed, %u skipped\n", total.passed, total.failed, total.skipped);
    counts_free(&total);
    return ok && !total.failed && !total.broken ? 0 : 1;
}
