/* runtime/wasi_fd.c — attributes and life of descriptors: everything fd_* that moves no bytes.
 *
 * Problem     Status, sizes, times, flags, rights, preopen names, closing and renumbering, with the rules
 *             of the guest's world (rights shrink only, a read-only preopen stays unchanged, standard
 *             streams of the host keep their flags) and without any host error getting lost.
 * Idea        Each function is look-up, checks, one host call. The status flags of a descriptor of our own
 *             are the kernel's; those of a borrowed one are kept in the entry and emulated (wasi_io.c).
 *             Streams without a host descriptor have the attributes of an empty object of unknown type.
 * Invariants  1. A change below a read-only preopen is refused before the host is asked.
 *             2. base and inheriting rights never gain a bit.
 * Cost        O(1) and one or two host calls each.
 * Ref         WASI preview 1 (witx), section fd; snapshot 0 has a 32-bit link count in filestat.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The result of a host call that was repeated while it was cut short by signals. */
#define HOST_CALL(ctx, err, call)      \
    do (err) = (call) < 0 ? errno : 0; \
    while ((err) && wasi_fd_retry((ctx), (err)))

/* ---- status ---- */

/* Times the guest's format cannot hold are moved to its ends. */
static uint64_t guest_time(struct timespec t) {
    if (t.tv_sec < 0) return 0;
    if ((uint64_t)t.tv_sec > UINT64_MAX / 1000000000 - 1) return UINT64_MAX;
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

enum { FDSTAT_SIZE = 24, PRESTAT_SIZE = 8 };

/* Writes WASI_FILESTAT_SIZE bytes, in snapshot 0 WASI_FILESTAT_P0_SIZE, padding included:
 *
 *              0     8     16        20     24     32     40     48     56
 *     preview1 dev   ino   filetype         nlink  size   atim   mtim   ctim
 *     p0       dev   ino   filetype  nlink  size   atim   mtim   ctim
 */
void wasi_put_filestat(uint8_t *p, const struct stat *st, uint8_t filetype, bool p0) {
    wasi_st64(p, st->st_dev);
    wasi_st64(p + 8, st->st_ino);
    wasi_st64(p + 16, filetype);
    if (p0)
        wasi_st32(p + 20, st->st_nlink < UINT32_MAX ? (uint32_t)st->st_nlink : UINT32_MAX);
    else
        wasi_st64(p + 24, st->st_nlink);
    p += p0 ? 24 : 32;
    wasi_st64(p, (uint64_t)st->st_size);
    wasi_st64(p + 8, guest_time(st->st_atim));
    wasi_st64(p + 16, guest_time(st->st_mtim));
    wasi_st64(p + 24, guest_time(st->st_ctim));
}

/* A terminal, pipe or the like that the host lent: when the host used it is none of the guest's business. */
static bool is_stream(const WasiFd *e) {
    return !e->owned && e->filetype != WASI_FILETYPE_REGULAR_FILE &&
           e->filetype != WASI_FILETYPE_DIRECTORY;
}

static WasiErrno filestat_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a, bool p0) {
    WasiFd *e;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], WASI_R_FD_FILESTAT_GET, &e);
    if (err) return err;
    if (!wasi_in(m, (uint32_t)a[1], p0 ? WASI_FILESTAT_P0_SIZE : WASI_FILESTAT_SIZE))
        return WASI_EFAULT;
    struct stat st = {0};
    if (e->kind == WASI_FD_HOST && fstat(e->host, &st) < 0) return wasi_from_host(errno);
    if (is_stream(e)) {
        st.st_size = 0;
        st.st_atim = st.st_mtim = st.st_ctim = (struct timespec){0};
    }
    wasi_put_filestat(m->base + (uint32_t)a[1], &st, e->filetype, p0);
    return WASI_ESUCCESS;
}

uint32_t wasi_fd_filestat_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return filestat_get(ctx, m, a, false);
}

uint32_t wasi_fd_filestat_get_p0(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return filestat_get(ctx, m, a, true);
}

/* filetype at 0, flags at 2 (16 bits), rights at 8, inheriting rights at 16. */
uint32_t wasi_fd_fdstat_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    WasiFd *e;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], 0, &e);
    if (err) return err;
    if (!wasi_in(m, (uint32_t)a[1], FDSTAT_SIZE)) return WASI_EFAULT;
    uint8_t *p = m->base + (uint32_t)a[1];
    wasi_st64(p, e->filetype | (uint64_t)e->flags << 16);
    wasi_st64(p + 8, e->base);
    wasi_st64(p + 16, e->inheriting);
    return WASI_ESUCCESS;
}

/* ---- flags and rights ---- */

static WasiErrno set_own_flags(WasiFd *e, uint8_t flags) {
    int fl = fcntl(e->host, F_GETFL);
    if (fl < 0) return wasi_from_host(errno);
    fl &= ~(O_APPEND | O_NONBLOCK);
    if (flags & WASI_FDFLAG_APPEND) fl |= O_APPEND;
    if (flags & WASI_FDFLAG_NONBLOCK) fl |= O_NONBLOCK;
    return fcntl(e->host, F_SETFL, fl) < 0 ? wasi_from_host(errno) : WASI_ESUCCESS;
}

/* A borrowed descriptor that appends in the host cannot be made not to. */
static WasiErrno may_emulate(const WasiFd *e, uint8_t flags) {
    if (flags & WASI_FDFLAG_APPEND) return WASI_ESUCCESS;
    int fl = fcntl(e->host, F_GETFL);
    if (fl < 0) return wasi_from_host(errno);
    return (fl & O_APPEND) ? WASI_ENOTSUP : WASI_ESUCCESS;
}

/* Linux cannot change how writes are synchronised once a file is open. Asking for more than the file has
 * is an error; leaving bits out is not (POSIX programs do it), and fd_fdstat_get goes on showing them. */
uint32_t wasi_fd_fdstat_set_flags(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    uint32_t want = (uint32_t)a[1];
    WasiErrno err = wasi_fd_file(ctx, (uint32_t)a[0], WASI_R_FD_FDSTAT_SET_FLAGS, &e);
    if (err) return err;
    if (want & ~(uint32_t)WASI_FDFLAGS_ALL) return WASI_EINVAL;
    if (want & WASI_FDFLAGS_SYNCS & ~e->flags) return WASI_EINVAL;
    uint8_t flags = (uint8_t)(want | (e->flags & WASI_FDFLAGS_SYNCS));
    err = e->owned ? set_own_flags(e, flags) : may_emulate(e, flags);
    if (!err) e->flags = flags;
    return err;
}

uint32_t wasi_fd_fdstat_set_rights(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], 0, &e);
    if (err) return err;
    if ((a[1] & ~e->base) || (a[2] & ~e->inheriting)) return WASI_ENOTCAPABLE;
    e->base = a[1];
    e->inheriting = a[2];
    return WASI_ESUCCESS;
}

/* ---- size, times, storage ---- */

/* A file to be changed: its entry, or an error. */
static WasiErrno writable(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out) {
    WasiErrno err = wasi_fd_file(ctx, fd, rights, out);
    if (!err && (*out)->read_only) return WASI_EROFS;
    return err;
}

uint32_t wasi_fd_filestat_set_size(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    int host_err;
    WasiHeld held;
    WasiErrno err = writable(ctx, (uint32_t)a[0], WASI_R_FD_FILESTAT_SET_SIZE, &e);
    if (err) return err;
    if (a[1] > INT64_MAX) return WASI_EINVAL;
    wasi_hold(&held, ctx->file_limit ? SIGXFSZ : 0);
    HOST_CALL(ctx, host_err, ftruncate(e->host, (off_t)a[1]));
    wasi_release(&held, host_err == EFBIG);
    return wasi_from_host(host_err);
}

static WasiErrno one_time(uint64_t ns, bool set, bool now, struct timespec *out) {
    if (set && now) return WASI_EINVAL;
    if (set)
        *out = (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                                 .tv_nsec = (long)(ns % 1000000000)};
    else
        *out = (struct timespec){.tv_nsec = now ? UTIME_NOW : UTIME_OMIT};
    return WASI_ESUCCESS;
}

/* The argument of utimensat for fstflags; INVAL for unknown flags and for "set" and "now" at once. */
WasiErrno wasi_times(uint64_t atim, uint64_t mtim, uint32_t flags, struct timespec out[2]) {
    if (flags & ~(uint32_t)WASI_FST_ALL) return WASI_EINVAL;
    WasiErrno err = one_time(atim, flags & WASI_FST_ATIM, flags & WASI_FST_ATIM_NOW, &out[0]);
    if (err) return err;
    return one_time(mtim, flags & WASI_FST_MTIM, flags & WASI_FST_MTIM_NOW, &out[1]);
}

uint32_t wasi_fd_filestat_set_times(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    struct timespec times[2];
    int host_err;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], WASI_R_FD_FILESTAT_SET_TIMES, &e);
    if (!err) err = wasi_times(a[1], a[2], (uint32_t)a[3], times);
    if (err) return err;
    if (e->read_only) return WASI_EROFS;
    HOST_CALL(ctx, host_err, futimens(e->host, times));
    return wasi_from_host(host_err);
}

uint32_t wasi_fd_allocate(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    int host_err;
    WasiHeld held;
    WasiErrno err = writable(ctx, (uint32_t)a[0], WASI_R_FD_ALLOCATE, &e);
    if (err) return err;
    if (a[2] == 0) return WASI_EINVAL;
    if (a[1] > INT64_MAX || a[2] > INT64_MAX - a[1]) return WASI_EFBIG;
    wasi_hold(&held, ctx->file_limit ? SIGXFSZ : 0);
    HOST_CALL(ctx, host_err, fallocate(e->host, 0, (off_t)a[1], (off_t)a[2]));
    wasi_release(&held, host_err == EFBIG);
    return wasi_from_host(host_err);
}

uint32_t wasi_fd_advise(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    static const int advice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                 POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    (void)m;
    WasiFd *e;
    WasiErrno err = wasi_fd_file(ctx, (uint32_t)a[0], WASI_R_FD_ADVISE, &e);
    if (err) return err;
    uint32_t which = (uint32_t)a[3];
    if (which >= sizeof advice / sizeof *advice) return WASI_EINVAL;
    if (a[1] > INT64_MAX || a[2] > INT64_MAX) return WASI_EINVAL;
    return wasi_from_host(posix_fadvise(e->host, (off_t)a[1], (off_t)a[2], advice[which]));
}

uint32_t wasi_fd_datasync(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    int host_err;
    WasiErrno err = wasi_fd_file(ctx, (uint32_t)a[0], WASI_R_FD_DATASYNC, &e);
    if (err) return err;
    HOST_CALL(ctx, host_err, fdatasync(e->host));
    return wasi_from_host(host_err);
}

uint32_t wasi_fd_sync(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    int host_err;
    WasiErrno err = wasi_fd_file(ctx, (uint32_t)a[0], WASI_R_FD_SYNC, &e);
    if (err) return err;
    HOST_CALL(ctx, host_err, fsync(e->host));
    return wasi_from_host(host_err);
}

/* ---- preopened directories ---- */

/* BADF for whatever is not a preopened directory: a C library asks for 3, 4, ... until it gets that. */
uint32_t wasi_fd_prestat_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    WasiFd *e;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], 0, &e);
    if (err) return err;
    if (!e->preopen) return WASI_EBADF;
    if (!wasi_in(m, (uint32_t)a[1], PRESTAT_SIZE)) return WASI_EFAULT;
    wasi_st32(m->base + (uint32_t)a[1], 0); /* tag: a directory */
    wasi_st32(m->base + (uint32_t)a[1] + 4, e->preopen_len);
    return WASI_ESUCCESS;
}

uint32_t wasi_fd_prestat_dir_name(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    WasiFd *e;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], 0, &e);
    if (err) return err;
    if (!e->preopen) return WASI_ENOTDIR;
    if ((uint32_t)a[2] < e->preopen_len) return WASI_ENAMETOOLONG;
    if (!wasi_in(m, (uint32_t)a[1], e->preopen_len)) return WASI_EFAULT;
    memcpy(m->base + (uint32_t)a[1], e->preopen, e->preopen_len);
    return WASI_ESUCCESS;
}

/* ---- life ---- */

uint32_t wasi_fd_close(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    WasiErrno err = wasi_fd_lookup(ctx, (uint32_t)a[0], 0, &e);
    return err ? err : wasi_fd_remove(ctx, (uint32_t)a[0]);
}

/* Both numbers must be open: a guest cannot choose a free number, as with dup2. */
uint32_t wasi_fd_renumber(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    (void)m;
    WasiFd *e;
    uint32_t from = (uint32_t)a[0], to = (uint32_t)a[1];
    WasiErrno err = wasi_fd_lookup(ctx, from, 0, &e);
    if (!err) err = wasi_fd_lookup(ctx, to, 0, &e);
    if (err) return err;
    if (from != to) wasi_fd_move(ctx, from, to);
    return WASI_ESUCCESS;
}
