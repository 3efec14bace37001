/* runtime/perfmap.c — tells profilers the names of compiled functions: a line "START SIZE NAME" each, hexadecimal, appended to
 * /tmp/perf-PID.map, where Linux perf and others look. Cost: one write per module. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "runtime/rt_int.h"

static bool append(const char *path, const char *p, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    ssize_t w = 0;
    for (; n && ((w = write(fd, p, n)) > 0 || errno == EINTR); p += w > 0 ? w : 0)
        if (w > 0) n -= (size_t)w;
    int error = errno;
    close(fd);
    errno = error;
    return n == 0;
}

bool rt_perf_map(RtModule *m, Diag *d) {
    const Image *img = &m->img;
    StrBuf sb;
    sb_init(&sb, &m->mem);
    for (uint32_t k = 0; k < img->ncodes; k++) {
        sb_hex(&sb, (uint64_t)(uintptr_t)img->code + img->codes[k].off);
        sb_putc(&sb, ' ');
        sb_hex(&sb, img->codes[k].size);
        sb_putc(&sb, ' ');
        img_print_func_name(img, img->h->imported_funcs + k, &sb);
        sb_putc(&sb, '\n');
    }
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    bool ok = append(path, sb_cstr(&sb), sb.n);
    if (!ok) diag_msg(d, DIAG_IO, "cannot write %s: %s", path, strerror(errno));
    sb_free(&sb);
    return ok;
}
