/* driver/aot.c — `cot compile FILE.wasm -o OUT`: files that run without being compiled again. */
#include <stdlib.h>
#include "compiler/exe.h"
#include "compiler/file.h"
#include "driver/compile.h"

/* ---- what an executable may use ---- */
static void grant(Cli *c, CompileOpts *o, char kind, const char *text, size_t n) {
    uint8_t *p = realloc(o->grants, o->grants_size + n + 2);
    if (!p) {
        cli_error(c, "out of memory");
        return;
    }
    o->grants = p;
    p += o->grants_size;
    if (kind) *p++ = (uint8_t)kind;
    memcpy(p, text, n);
    p[n] = 0;
    o->grants_size += n + 1 + (kind != 0);
}

static void grant_dir(Cli *c, CompileOpts *o, const char *option, char kind, const char *v) {
    const char *sep = strstr(v, "::");
    size_t host = sep ? (size_t)(sep - v) : strlen(v);
    if (!host || (sep && !sep[2])) {
        cli_error(c, "%s: '%s' is not HOST or HOST::GUEST", option, v);
        return;
    }
    const char *guest = sep ? sep + 2 : v;
    grant(c, o, kind, v, host);
    grant(c, o, 0, guest, strlen(guest));
}

bool exe_option(Cli *c, CompileOpts *o) {
    const char *v;
    if (cli_value(c, "--dir", &v)) {
        grant_dir(c, o, "--dir", 'd', v);
    } else if (cli_value(c, "--dir-ro", &v)) {
        grant_dir(c, o, "--dir-ro", 'r', v);
    } else if (cli_value(c, "--env", &v)) {
        if (!*v || *v == '=') cli_error(c, "--env: '%s' is not NAME=VALUE", v);
        grant(c, o, strchr(v, '=') ? 'e' : 'i', v, strlen(v));
    } else {
        return false;
    }
    return true;
}

/* ---- files ---- */
static bool write_out(const CompileOpts *o, const void *bytes, size_t size, bool executable,
                      Diag *d) {
    if (strcmp(o->out, "-") != 0) return file_replace(o->out, bytes, size, executable, d);
    fwrite(bytes, 1, size, stdout); /* main looks whether it arrived */
    return true;
}

/* A precompiled module: the image with its sums. */
static bool write_image(const CompileOpts *o, RtBlob *b, Diag *d) {
    if (!b->of_file) img_set_sums((ImgHeader *)(void *)b->base, b->base);
    return write_out(o, b->base, b->size, false, d);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- objects and headers ---- */
enum { MOST_NAME = 100 };

/* The module's name in C: what was given, or made of the file's name without its ending. */
static bool module_name(const CompileOpts *o, char name[MOST_NAME], Diag *d) {
    const char *p = o->name ? o->name : base_name(o->file), *dot = o->name ? NULL : strrchr(p, '.');
    size_t n = dot && dot > p ? (size_t)(dot - p) : strlen(p);
    if (!n || n > MOST_NAME - 2 || strcmp(p, "-") == 0)
        return diag_msg(d, DIAG_INVALID, "the module needs a name of at most %d letters: --name",
                        MOST_NAME - 2);
    char *to = name;
    for (size_t i = 0; i < n; i++) {
        bool letter = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || p[i] == '_';
        bool digit = p[i] >= '0' && p[i] <= '9';
        if (o->name && !letter && !(digit && i))
            return diag_msg(d, DIAG_INVALID, "--name: '%s' is no name in C", p);
        if (digit && !i) *to++ = '_';
        *to++ = letter || digit ? p[i] : '_';
    }
    *to = 0;
    return true;
}

/* What a file of this kind says of itself. */
static bool describe_object(CompileOpts *o, Diag *d) {
    bool shared = o->stage == STAGE_SHARED;
    if (o->object.function_sections)
        return diag_msg(d, DIAG_INVALID, "--function-sections is for CLIF");
    o->object.kind = shared ? OBJECT_SHARED : OBJECT_RELOCATABLE;
    o->object.needed = o->needed;
    if (shared && !o->object.soname && strcmp(o->out, "-") != 0)
        o->object.soname = base_name(o->out);
    return true;
}

/* ---- the bytes of outputs, whose memory m has; name: the module's in C ---- */
static bool make_object(const CompileOpts *o, Compiled *c, const char *name, Mem *m, VecU8 *out,
                        Diag *d) {
    Linkable k;
    ObjectTarget t;
    ObjectOptions how = o->object;
    if (!object_target(o->target, &t, d)) return false;
    if (t.isa != isa_host())
        return diag_msg(d, DIAG_UNSUPPORTED, "modules are compiled for this machine only");
    linkable_init(&k, m, t.isa);
    DwarfOutput debug;
    CompiledObject as = {.name = name, .shared = how.kind == OBJECT_SHARED, .borrow = true};
    dwarf_output_init(&debug, m);
    bool ok = compiled_plan_image(c, d) && compiled_link(c, &k, &as, d);
    if (ok && o->common.cfg.keep_source && as.code != LINK_NO_SYM) {
        ok = compiled_debug(c, base_name(o->file), &debug, d);
        vec_clear(&debug.s[DWARF_FRAME]); /* .eh_frame is there */
        how.dwarf = &debug;
        how.dwarf_chunks = &as.code;
    }
    return ok && object_write(t.format, &k, &how, out, d);
}

static bool make_header(const CompileOpts *o, Compiled *c, const char *name, Mem *m, VecU8 *out,
                        Diag *d) {
    (void)o;
    StrBuf text;
    sb_init(&text, m);
    if (!compiled_header(c, name, &text, d)) return false;
    memcpy(vec_extend(m, out, text.n), text.p, text.n);
    return true;
}

/* With how to unwind its frames and, with -g, debugging information. */
static bool make_exe(const CompileOpts *o, Compiled *c, const char *name, Mem *m, VecU8 *out,
                     Diag *d) {
    (void)name;
    Image img;
    DwarfOutput debug;
    VecU8 strings = {0};
    if (o->grants) memcpy(vec_extend(m, &strings, o->grants_size), o->grants, o->grants_size);
    vec_push(m, &strings, 0); /* the last NUL */
    ExeOptions e = {.max_memory = o->common.cfg.rt.max_memory,
                    .max_stack = o->common.cfg.rt.max_stack,
                    .strings = strings.p,
                    .strings_size = strings.n,
                    .names = true,
                    .debug = &debug};
    dwarf_output_init(&debug, m);
    size_t n = compiled_plan_image(c, d);
    uint8_t *image = n ? calloc(1, n) : NULL;
    bool ok = n && (image || diag_msg(d, DIAG_OOM, "out of memory")) &&
              compiled_debug(c, o->common.cfg.keep_source ? base_name(o->file) : NULL, &debug, d);
    if (ok) {
        compiled_write_image(c, image);
        img_view(&img, image);
        ok = exe_make(m, &img, &e, out, d);
    }
    free(image);
    return ok;
}

static bool make(const CompileOpts *o, Compiled *c, const char *name, Mem *m, VecU8 *out, Diag *d) {
    return o->stage == STAGE_EXE      ? make_exe(o, c, name, m, out, d)
           : o->stage == STAGE_HEADER ? make_header(o, c, name, m, out, d)
                                      : make_object(o, c, name, m, out, d);
}

/* ---- from the cache, or new ---- */
/* What the output depends on: beside the module and the settings what it says of itself, and what an executable is joined with. */
static void entry_name(const CompileOpts *o, const Compiler *c, const char *name,
                       char entry[CACHE_NAME]) {
    Blake2b b;
    const ObjectOptions *object = &o->object;
    compiler_key(c, o->bytes, o->size, NULL, &b);
    blake2b_number(&b, o->stage);
    blake2b_text(&b, name);
    blake2b_text(&b, object->source);
    blake2b_text(&b, o->target);
    blake2b_text(&b, object->soname);
    blake2b_number(&b, object->nneeded);
    for (uint32_t k = 0; k < object->nneeded; k++) blake2b_text(&b, o->needed[k]);
    blake2b_number(&b, o->common.cfg.rt.max_memory);
    blake2b_number(&b, o->common.cfg.rt.max_stack);
    blake2b_number(&b, o->grants_size);
    blake2b_add(&b, o->grants, o->grants_size);
    if (o->stage == STAGE_EXE) exe_key(&b);
    cache_name(&b, CACHE_OUTPUT, entry);
}

/* Compiled, and stored if there is a cache. d: of the module, e: of the output. */
static bool make_new(const CompileOpts *o, Compiler *c, const char *name, const char *entry, Mem *m,
                     VecU8 *out, Diag *d, Diag *e) {
    UnitOptions uo = {.validate_only = o->stage == STAGE_HEADER};
    Compiled *module = compiler_run(c, o->bytes, o->size, &uo, d);
    bool ok = module && make(o, module, name, m, out, e);
    compiled_free(module);
    if (ok && o->common.cfg.cache) cache_store_output(o->common.cfg.cache, entry, m, out);
    return ok;
}

static bool compile_output(CompileOpts *o, Compiler *c, Diag *d) {
    char name[MOST_NAME] = "", entry[CACHE_NAME];
    const Cache *cache = o->common.cfg.cache;
    Mem mem;
    VecU8 out = {0};
    Diag e;
    o->object.source = strcmp(o->file, "-") ? base_name(o->file) : NULL;
    if (o->stage != STAGE_EXE && !(describe_object(o, d) && module_name(o, name, d))) return false;
    command_mem(&mem);
    diag_clear(&e);
    if (cache) entry_name(o, c, name, entry);
    bool ok = ((cache && cache_find_output(cache, entry, &mem, &out)) ||
               make_new(o, c, name, entry, &mem, &out, d, &e)) &&
              write_out(o, out.p, out.n, o->stage == STAGE_EXE, &e);
    mem_release_all(&mem);
    if (e.kind) report(&e, o->out);
    return ok;
}

static bool compile_image(const CompileOpts *o, Compiler *c, Diag *d) {
    RtBlob image;
    if (!compiler_image(c, o->bytes, o->size, NULL, NULL, &image, d)) return false;
    Diag e;
    diag_clear(&e);
    bool ok = write_image(o, &image, &e);
    rt_blob_free(&image);
    if (!ok) report(&e, o->out);
    return ok;
}

/* Options that OUT could not keep. */
static bool options_fit(const CompileOpts *o) {
    const RtConfig *rt = &o->common.cfg.rt;
    const char *wrong = NULL;
    if (o->stage != STAGE_CWASM && o->common.timeout_ms)
        wrong = "-W timeout is for running";
    else if (o->stage != STAGE_CWASM && o->stage != STAGE_EXE && (rt->max_memory || rt->max_stack))
        wrong = "-W memory and -W stack are for executables: who uses the module gives limits";
    if (wrong) fprintf(stderr, "cot compile: error: %s\n", wrong);
    return !wrong;
}

int compile_module(CompileOpts *o) {
    Diag d;
    diag_clear(&d);
    if (!options_fit(o)) return 1;
    CompilerConfig cfg = common_compiler(&o->common, true);
    cfg.unwind = o->stage == STAGE_OBJECT || o->stage == STAGE_SHARED || o->stage == STAGE_EXE;
    cfg.keep_facts = o->stage == STAGE_CWASM && cfg.keep_source;
    cfg.unwind |= cfg.keep_facts;
    cfg.debug = cfg.unwind && cfg.keep_source;
    cfg.only_places = o->stage != STAGE_CWASM; /* debuggers have the rest in other form */
    Compiler *c = compiler_new(&cfg, &d);
    bool ok = c && (o->stage == STAGE_CWASM ? compile_image(o, c, &d) : compile_output(o, c, &d));
    if (d.kind) report(&d, o->file); /* else it was said already */
    compiler_free(c);
    return ok ? 0 : 1;
}
