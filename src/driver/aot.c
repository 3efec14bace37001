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

static bool write_exe(const CompileOpts *o, const RtBlob *b, Diag *d) {
    Mem mem;
    Image img;
    VecU8 out = {0};
    static const uint8_t none[1];
    mem_init(&mem, NULL);
    ExeOptions e = {.max_memory = o->common.cfg.rt.max_memory,
                    .max_stack = o->common.cfg.rt.max_stack,
                    .strings = none,
                    .strings_size = 1,
                    .names = true};
    if (o->grants) { /* the last NUL */
        uint8_t *p = mem_alloc(&mem, o->grants_size + 1);
        memcpy(p, o->grants, o->grants_size);
        p[o->grants_size] = 0;
        e.strings = p;
        e.strings_size = o->grants_size + 1;
    }
    img_view(&img, b->base);
    bool ok = exe_make(&mem, &img, &e, &out, d) && write_out(o, out.p, out.n, true, d);
    mem_release_all(&mem);
    return ok;
}

int compile_module(const CompileOpts *o) {
    Diag d;
    diag_clear(&d);
    if (o->stage != STAGE_CWASM && o->stage != STAGE_EXE) {
        diag_msg(&d, DIAG_UNSUPPORTED, "of a WebAssembly module there is --emit exe and cwasm");
        report(&d, o->file);
        return 1;
    }
    if (o->stage == STAGE_EXE && o->common.timeout_ms) {
        fputs("cot compile: error: -W timeout is for running\n", stderr);
        return 1;
    }
    CompilerConfig cfg = common_compiler(&o->common, true);
    Compiler *c = compiler_new(&cfg, &d);
    RtBlob image;
    bool made = c && compiler_image(c, o->bytes, o->size, NULL, NULL, &image, &d);
    if (!made) report(&d, o->file);
    bool ok =
        made && (o->stage == STAGE_EXE ? write_exe(o, &image, &d) : write_image(o, &image, &d));
    if (made && !ok) report(&d, o->out);
    if (made) rt_blob_free(&image);
    compiler_free(c);
    return ok ? 0 : 1;
}
