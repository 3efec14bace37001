/* base/diag.c — errors as values: the first one is kept, later ones are consequences. */
#include "base/diag.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void diag_clear(Diag *d) {
    d->kind = DIAG_NONE;
    d->pos_kind = DIAG_POS_NONE;
    d->a = d->b = 0;
    d->func = UINT32_MAX;
    d->msg[0] = 0;
}

static void set(Diag *d, DiagKind kind, DiagPosKind pos, uint64_t a, uint64_t b, const char *fmt,
                va_list ap) {
    if (d->kind != DIAG_NONE) return;
    d->kind = kind;
    d->pos_kind = pos;
    d->a = a;
    d->b = b;
    int n = vsnprintf(d->msg, sizeof d->msg, fmt, ap);
    if (n >= (int)sizeof d->msg) memcpy(d->msg + sizeof d->msg - 4, "...", 4);
}

bool diag_at(Diag *d, DiagKind kind, uint64_t offset, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    set(d, kind, DIAG_POS_OFFSET, offset, 0, fmt, ap);
    va_end(ap);
    return false;
}

bool diag_line(Diag *d, DiagKind kind, uint32_t line, uint32_t col, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    set(d, kind, DIAG_POS_LINE, line, col, fmt, ap);
    va_end(ap);
    return false;
}

bool diag_msg(Diag *d, DiagKind kind, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    set(d, kind, DIAG_POS_NONE, 0, 0, fmt, ap);
    va_end(ap);
    return false;
}

void diag_print(const Diag *d, const char *file, StrBuf *out) {
    sb_puts(out, file);
    switch (d->pos_kind) {
    case DIAG_POS_NONE: break;
    case DIAG_POS_OFFSET: sb_printf(out, ":0x%" PRIx64, d->a); break;
    case DIAG_POS_LINE: sb_printf(out, ":%" PRIu64 ":%" PRIu64, d->a, d->b); break;
    }
    sb_puts(out, ": error: ");
    sb_puts(out, d->msg);
}

void cot_bug_(const char *file, int line, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fflush(stdout);
    fprintf(stderr, "cot: internal error at %s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}
