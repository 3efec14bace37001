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

static bool write_exe(const CompileOpts *o, const void *image, DwarfOutput *debug, Diag *d) {
    Mem mem;
    Image img;
    VecU8 out = {0};
    static const uint8_t none[1];
    mem_init(&mem, NULL);
    ExeOptions e = {.max_memory = o->common.cfg.rt.max_memory,
                    .max_stack = o->common.cfg.rt.max_stack,
                    .strings = none,
                    .strings_size = 1,
                    .names = true,
                    .debug = debug};
    if (o->grants) { /* the last NUL */
        uint8_t *p = mem_alloc(&mem, o->grants_size + 1);
        memcpy(p, o->grants, o->grants_size);
        p[o->grants_size] = 0;
        e.strings = p;
        e.strings_size = o->grants_size + 1;
    }
    img_view(&img, image);
    bool ok = exe_make(&mem, &img, &e, &out, d) && write_out(o, out.p, out.n, true, d);
    mem_release_all(&mem);
    return ok;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* With how to unwind its frames and, with -g, debugging information. */
static bool write_described_exe(const CompileOpts *o, Compiled *m, Diag *d) {
    Mem mem;
    DwarfOutput debug;
    mem_init(&mem, NULL);
    dwarf_output_init(&debug, &mem);
    size_t n = compiled_plan_image(m, d);
    uint8_t *image = n ? calloc(1, n) : NULL;
    bool ok = n && (image || diag_msg(d, DIAG_OOM, "out of memory")) &&
              compiled_debug(m, o->common.cfg.keep_source ? base_name(o->file) : NULL, &debug, d);
    if (ok) {
        compiled_write_image(m, image);
        ok = write_exe(o, image, &debug, d);
    }
    free(image);
    mem_release_all(&mem);
    return ok;
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

static bool write_object(CompileOpts *o, Compiled *m, const char *name, Diag *d) {
    Mem mem;
    Linkable k;
    VecU8 out = {0};
    ObjectTarget t;
    bool shared = o->stage == STAGE_SHARED;
    if (!object_target(o->target, &t, d)) return false;
    if (t.isa != isa_host())
        return diag_msg(d, DIAG_UNSUPPORTED, "modules are compiled for this machine only");
    mem_init(&mem, NULL);
    linkable_init(&k, &mem, t.isa);
    o->object.kind = shared ? OBJECT_SHARED : OBJECT_RELOCATABLE;
    o->object.needed = o->needed;
    o->object.source = strcmp(o->file, "-") ? base_name(o->file) : NULL;
    if (shared && !o->object.soname && strcmp(o->out, "-") != 0)
        o->object.soname = base_name(o->out);
    DwarfOutput debug;
    CompiledObject as = {.name = name, .shared = shared, .borrow = true};
    dwarf_output_init(&debug, &mem);
    bool ok = compiled_plan_image(m, d) && compiled_link(m, &k, &as, d);
    if (ok && o->common.cfg.keep_source && as.code != LINK_NO_SYM) {
        ok = compiled_debug(m, base_name(o->file), &debug, d);
        vec_clear(&debug.s[DWARF_FRAME]); /* .eh_frame is there */
        o->object.dwarf = &debug;
        o->object.dwarf_chunks = &as.code;
    }
    ok = ok && object_write(t.format, &k, &o->object, &out, d) &&
         write_out(o, out.p, out.n, false, d);
    mem_release_all(&mem);
    return ok;
}

static bool write_header(const CompileOpts *o, Compiled *m, const char *name, Diag *d) {
    Mem mem;
    StrBuf text;
    mem_init(&mem, NULL);
    sb_init(&text, &mem);
    bool ok = compiled_header(m, name, &text, d) && write_out(o, text.p, text.n, false, d);
    mem_release_all(&mem);
    return ok;
}

static bool compile_linkable(CompileOpts *o, Compiler *c, Diag *d) {
    char name[MOST_NAME];
    UnitOptions uo = {.validate_only = o->stage == STAGE_HEADER};
    if (o->object.function_sections)
        return diag_msg(d, DIAG_INVALID, "--function-sections is for CLIF");
    if (!module_name(o, name, d)) return false;
    Compiled *m = compiler_run(c, o->bytes, o->size, &uo, d);
    if (!m) return false;
    Diag e;
    diag_clear(&e);
    bool ok =
        o->stage == STAGE_HEADER ? write_header(o, m, name, &e) : write_object(o, m, name, &e);
    compiled_free(m);
    if (!ok) report(&e, o->out);
    return ok;
}

/* ---- programs and precompiled modules ---- */
static bool compile_exe(const CompileOpts *o, Compiler *c, Diag *d) {
    Compiled *m = compiler_run(c, o->bytes, o->size, NULL, d);
    if (!m) return false;
    Diag e;
    diag_clear(&e);
    bool ok = write_described_exe(o, m, &e);
    compiled_free(m);
    if (!ok) report(&e, o->out);
    return ok;
}

static bool compile_image(const CompileOpts *o, Compiler *c, Diag *d) {
    if (o->stage == STAGE_EXE) return compile_exe(o, c, d);
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
    cfg.debug = cfg.unwind && cfg.keep_source;
    Compiler *c = compiler_new(&cfg, &d);
    bool image = o->stage == STAGE_EXE || o->stage == STAGE_CWASM;
    bool ok = c && (image ? compile_image(o, c, &d) : compile_linkable(o, c, &d));
    if (d.kind) report(&d, o->file); /* else it was said already */
    compiler_free(c);
    return ok ? 0 : 1;
}
