/* runtime/wasi_dir.c — fd_readdir.
 *
 * Problem     The guest asks for the entries after a cookie, with a buffer that may end anywhere, and calls
 *             again with the cookie of the last entry that it got whole. Entries come and go meanwhile. The
 *             host has positions of its own (getdents64, d_off), which a guest could not use: they need 63
 *             bits, C libraries keep 32, and programs expect small numbers that grow.
 * Idea        Cookies are ordinals: 0 is before ".", 1 before "..", 2 + k before host entry k. For every
 *             directory that is being read the host position before each entry seen so far is kept, and the
 *             last block of host entries. The usual call, with the cookie where the last one stopped, goes
 *             on in that block and asks the host for the next one, without a seek: so hosts whose
 *             positions do not survive removals lose nothing when a program deletes what it lists. Any other
 *             known cookie is a seek to its position; an unknown one is reached by reading on.
 *             Cookie 0 starts afresh and sees the directory as it is now.
 *             "." and ".." are made here, because some host file systems do not list them and because the
 *             true ".." of a preopened directory is none of the guest's business: both have the
 *             directory's own inode number.
 * Invariants  1. offs[k] is the host position before host entry k, for k < noffs; offs[0] is 0.
 *             2. The host's position is the one after the block buf[0..len); buf[pos] is the record of
 *                host entry `next` or of "." or "..".
 *             3. next < noffs.
 * Cost        8 bytes per entry seen, one host call per block. Reading a directory to its end is O(entries)
 *             for any size of the guest's buffer.
 * Ref         WASI preview 1 (witx), fd_readdir and dirent; getdents(2).
 */
#include "runtime/wasi_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/utf8.h"

/* What getdents64 writes. */
typedef struct HostEntry {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
} HostEntry;
_Static_assert(offsetof(HostEntry, name) == 19, "layout of linux_dirent64");

enum { DIR_BLOCK = 8192, DIRENT_SIZE = 24, DOTS = 2 };

typedef struct WasiDir {
    uint64_t next, noffs, cap;
    int64_t *offs;
    uint32_t pos, len;
    _Alignas(HostEntry) char buf[DIR_BLOCK];
} WasiDir;

void wasi_dir_free(WasiCtx *ctx, WasiDir *dir) {
    if (!dir) return;
    mem_free(&ctx->mem, dir->offs, (size_t)dir->cap * sizeof *dir->offs);
    mem_free(&ctx->mem, dir, sizeof *dir);
}

static WasiDir *dir_new(WasiCtx *ctx) {
    WasiDir *d = wasi_realloc(ctx, NULL, 0, sizeof *d);
    if (!d) return NULL;
    d->cap = 64;
    d->offs = wasi_realloc(ctx, NULL, 0, (size_t)d->cap * sizeof *d->offs);
    if (!d->offs) {
        mem_free(&ctx->mem, d, sizeof *d);
        return NULL;
    }
    d->offs[0] = 0;
    d->noffs = 1;
    d->next = UINT64_MAX; /* nowhere yet: the first use seeks */
    d->pos = d->len = 0;
    return d;
}

/* ---- the host's entries ---- */

static WasiErrno seek(WasiDir *d, int host, uint64_t k) {
    if (lseek(host, d->offs[k], SEEK_SET) < 0) return wasi_from_host(errno);
    d->pos = d->len = 0;
    d->next = k;
    return WASI_ESUCCESS;
}

static bool is_dots(const char *name) {
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* Host entry d->next, or NULL at the end. It stays the next one until dir_take. */
static WasiErrno dir_peek(WasiCtx *ctx, WasiDir *d, int host, const HostEntry **out) {
    for (;;) {
        if (d->pos == d->len) {
            long n;
            do n = syscall(SYS_getdents64, host, d->buf, sizeof d->buf);
            while (n < 0 && wasi_fd_retry(ctx, errno));
            if (n < 0 && errno != ENOENT) return wasi_from_host(errno); /* ENOENT: it was removed */
            d->pos = 0;
            d->len = n > 0 ? (uint32_t)n : 0;
            if (!d->len) {
                *out = NULL;
                return WASI_ESUCCESS;
            }
        }
        const HostEntry *e = (const HostEntry *)(d->buf + d->pos);
        if (!is_dots(e->name)) {
            *out = e;
            return WASI_ESUCCESS;
        }
        d->pos += e->len;
    }
}

static WasiErrno dir_take(WasiCtx *ctx, WasiDir *d, const HostEntry *e) {
    if (d->next + 1 == d->cap) {
        size_t size = (size_t)d->cap * sizeof *d->offs;
        int64_t *offs = wasi_realloc(ctx, d->offs, size, 2 * size);
        if (!offs) return WASI_ENOMEM;
        d->offs = offs;
        d->cap *= 2;
    }
    d->offs[++d->next] = e->off;
    if (d->noffs == d->next) d->noffs++;
    d->pos += e->len;
    return WASI_ESUCCESS;
}

/* Makes host entry k the next one; if there are fewer, the end. */
static WasiErrno dir_go(WasiCtx *ctx, WasiDir *d, int host, uint64_t k, bool *end) {
    WasiErrno err = WASI_ESUCCESS;
    const HostEntry *e;
    *end = false;
    if (k < d->noffs) return k == d->next ? WASI_ESUCCESS : seek(d, host, k);
    if (d->next != d->noffs - 1) err = seek(d, host, d->noffs - 1);
    while (!err && d->next < k) {
        err = dir_peek(ctx, d, host, &e);
        if (!err && !e) {
            *end = true;
            return WASI_ESUCCESS;
        }
        if (!err) err = dir_take(ctx, d, e);
    }
    return err;
}

/* ---- the guest's entries ---- */

typedef struct Output {
    uint8_t *p;
    uint32_t left;
} Output;

static void put_bytes(Output *o, const void *bytes, uint32_t n) {
    if (n > o->left) n = o->left;
    memcpy(o->p, bytes, n);
    o->p += n;
    o->left -= n;
}

/* True if the entry fitted as a whole. The layout, in bytes:
 *
 *     0        8       16         20       21      24
 *     d_next   d_ino   d_namlen   d_type   zeros   name, without NUL
 */
static bool put_entry(Output *o, uint64_t next, uint64_t ino, uint8_t type, const char *name) {
    uint8_t head[DIRENT_SIZE];
    uint32_t n = (uint32_t)strlen(name);
    bool fits = o->left >= DIRENT_SIZE + n;
    wasi_st64(head, next);
    wasi_st64(head + 8, ino);
    wasi_st64(head + 16, n | (uint64_t)type << 32);
    put_bytes(o, head, sizeof head);
    put_bytes(o, name, n);
    return fits;
}

static uint8_t entry_type(int host, const HostEntry *e) {
    struct stat st = {.st_mode = DTTOIF(e->type)};
    if (e->type == DT_UNKNOWN && fstatat(host, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return WASI_FILETYPE_UNKNOWN;
    return wasi_filetype(&st);
}

static WasiErrno put_dots(Output *o, int host, uint64_t *cookie) {
    static const char *const names[DOTS] = {".", ".."};
    struct stat st;
    if (fstat(host, &st) < 0) return wasi_from_host(errno);
    for (; *cookie < DOTS && o->left; ++*cookie)
        put_entry(o, *cookie + 1, st.st_ino, WASI_FILETYPE_DIRECTORY, names[*cookie]);
    return WASI_ESUCCESS;
}

static WasiErrno put_host_entries(WasiCtx *ctx, WasiDir *d, int host, uint64_t k, Output *o) {
    const HostEntry *e;
    bool end;
    WasiErrno err = dir_go(ctx, d, host, k, &end);
    while (!err && !end && o->left) {
        err = dir_peek(ctx, d, host, &e);
        if (err || !e) break;
        if (!utf8_valid((const uint8_t *)e->name, strlen(e->name))) return WASI_EILSEQ;
        if (!put_entry(o, d->next + DOTS + 1, e->ino, entry_type(host, e), e->name)) break;
        err = dir_take(ctx, d, e);
    }
    return err;
}

uint32_t wasi_fd_readdir(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    uint32_t buf = (uint32_t)a[1], cap = (uint32_t)a[2], result = (uint32_t)a[4];
    uint64_t cookie = a[3];
    WasiFd *f;
    WasiErrno err = wasi_fd_dir(ctx, (uint32_t)a[0], WASI_R_FD_READDIR, &f);
    if (err) return err;
    if (!wasi_in(m, buf, cap) || !wasi_in(m, result, 4)) return WASI_EFAULT;
    if (!f->dir) f->dir = dir_new(ctx);
    if (!f->dir) return WASI_ENOMEM;
    Output o = {m->base + buf, cap};
    if (cookie == 0) {
        f->dir->noffs = 1; /* what was seen before may be gone */
        err = seek(f->dir, f->host, 0);
    }
    if (!err && cookie < DOTS) err = put_dots(&o, f->host, &cookie);
    if (!err && o.left) err = put_host_entries(ctx, f->dir, f->host, cookie - DOTS, &o);
    if (!err) wasi_st32(m->base + result, cap - o.left);
    return err;
}
