/* driver/load.c — modules for `run` and `bench`: compiled, from the cache, or precompiled.
 *
 * Idea        The first bytes tell a precompiled module from a WebAssembly module. A regular file of the first kind is mapped;
 *             anything else is read. A precompiled module is machine code that nothing confines, so somebody must have said that
 *             it is meant to be one: by its name, .cwasm, or by --precompiled. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "driver/driver.h"

static bool ends_with(const char *s, const char *tail) {
    size_t n = strlen(s), k = strlen(tail);
    return n >= k && strcmp(s + n - k, tail) == 0;
}

static bool is_image(const Source *s) {
    return s->fd >= 0 || img_has_magic(s->bytes, s->size);
}

bool source_open(Source *s, const char *file, bool precompiled) {
    char magic[8];
    *s = (Source){.file = file, .fd = -1};
    int fd = strcmp(file, "-") == 0 ? -1 : open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
        img_has_magic(magic, sizeof magic))
        s->fd = fd;
    else if (fd >= 0)
        close(fd);
    if (s->fd < 0 && !read_file(file, &s->bytes, &s->size)) return false;
    if (!is_image(s) || precompiled || ends_with(file, ".cwasm")) return true;
    fprintf(
        stderr,
        "%s: error: this is a precompiled module, whose code is not checked; to run it, name it "
        "*.cwasm or give --precompiled\n",
        file);
    source_close(s);
    return false;
}

void source_close(Source *s) {
    if (s->fd >= 0) close(s->fd);
    free(s->bytes);
}

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

static RtModule *load_image(const Source *s, RtEngine *e, CompileStats *stats, Diag *d) {
    RtBlob blob;
    if (!(s->fd < 0 ? rt_blob_copy(&blob, s->bytes, s->size, d) : rt_blob_map(&blob, s->fd, d)))
        return NULL;
    RtModule *m = rt_module_new(e, &blob, IMG_VERIFIED, d);
    if (m && !engine_publish(e, m, d)) {
        rt_module_free(m);
        return NULL;
    }
    if (!m || !stats) return m;
    const Image *img = rt_module_image(m);
    *stats = (CompileStats){
        .functions = img->ncodes, .code_bytes = (uint32_t)img->h->code_size, .cached = true};
    return m;
}

RtModule *source_load(const Source *s, RtEngine *e, CompileStats *stats) {
    Progress p = {.begin = unit_now_ns(), .file = s->file};
    UnitOptions uo = {0};
    if (isatty(2)) {
        uo.progress = show_progress;
        uo.progress_user = &p;
    }
    Diag d;
    diag_clear(&d);
    RtModule *m = is_image(s) ? load_image(s, e, stats, &d)
                              : engine_compile(e, s->bytes, s->size, &uo, stats, &d);
    if (p.shown) fputs("\r\033[K", stderr);
    if (!m) report(&d, s->file);
    return m;
}
