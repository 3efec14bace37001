/* driver/aot.c — `cot compile FILE.wasm -o OUT`: files that run without being compiled again. */
#include "compiler/file.h"
#include "driver/compile.h"

static bool write_out(const CompileOpts *o, const void *bytes, size_t size, bool executable,
                      Diag *d) {
    if (strcmp(o->out, "-") == 0) {
        fwrite(bytes, 1, size, stdout); /* main looks whether it arrived */
        return true;
    }
    Diag e;
    diag_clear(&e);
    if (file_replace(o->out, bytes, size, executable, &e)) return true;
    return diag_msg(d, DIAG_IO, "%s", e.msg);
}

/* A precompiled module: the image with its sums. */
static bool write_image(const CompileOpts *o, RtBlob *b, Diag *d) {
    if (!b->of_file) img_set_sums((ImgHeader *)(void *)b->base, b->base);
    return write_out(o, b->base, b->size, false, d);
}

int compile_module(const CompileOpts *o) {
    Diag d;
    diag_clear(&d);
    if (o->stage != STAGE_CWASM) {
        diag_msg(&d, DIAG_UNSUPPORTED, "of a WebAssembly module there is --emit cwasm");
        report(&d, o->file);
        return 1;
    }
    CompilerConfig cfg = common_compiler(&o->common, true);
    Compiler *c = compiler_new(&cfg, &d);
    RtBlob image;
    bool made = c && compiler_image(c, o->bytes, o->size, NULL, NULL, &image, &d);
    if (!made) report(&d, o->file);
    bool ok = made && write_image(o, &image, &d);
    if (made && !ok) report(&d, o->out);
    if (made) rt_blob_free(&image);
    compiler_free(c);
    return ok ? 0 : 1;
}
