/* runtime/wasi_io.c — fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell.
 *
 * Problem     Move bytes between guest memory and host objects without trusting a guest length, with the
 *             guest's flags (append, nonblock) on descriptors whose host flags must not be touched, and
 *             without letting SIGPIPE kill the host.
 * Idea        The guest's iovec array is read once into a host array, each entry checked as it is read;
 *             the host's readv/writev then work on guest memory directly. At most WASI_MAX_IOVS non-empty
 *             entries are used: what follows is a short read or write, which every caller must expect,
 *             except with datagrams, of which the rest would be lost: there it is MSGSIZE.
 *             Borrowed descriptors (standard streams) share their status flags with other processes, so
 *             NONBLOCK is emulated with poll and APPEND with RWF_APPEND; on descriptors of our own the
 *             kernel's flags are set (wasi_fd.c).
 *             Signals: a write to a pipe without readers raises SIGPIPE in the calling thread, one beyond a limit
 *             on the size of files (setrlimit) SIGXFSZ. They are blocked there for the call, and taken out of
 *             the pending set if the call caused them. Sockets use MSG_NOSIGNAL.
 * Invariants  1. Every iovec handed to the host lies inside guest memory as it was at the time of the check.
 *             2. The file position is the host descriptor's own.
 * Cost        One host call plus O(iovecs); two more for writes to a pipe or under a limit on file sizes.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

WasiErrno wasi_iovecs(const WasiFd *e, const WasiMem *m, uint32_t ptr, uint32_t count,
                      struct iovec *out, int *n) {
    int k = 0;
    if (!wasi_in(m, ptr, (uint64_t)count * 8)) return WASI_EFAULT;
    if (e->filetype == WASI_FILETYPE_SOCKET_DGRAM && count > WASI_MAX_IOVS) return WASI_EMSGSIZE;
    for (uint32_t i = 0; i < count && k < WASI_MAX_IOVS; i++) {
        const uint8_t *p = m->base + ptr + (uint64_t)i * 8;
        uint32_t buf = wasi_ld32(p), len = wasi_ld32(p + 4);
        if (!wasi_in(m, buf, len)) return WASI_EFAULT;
        if (len) out[k++] = (struct iovec){m->base + buf, len};
    }
    *n = k;
    return WASI_ESUCCESS;
}

/* ---- the guest's flags on borrowed descriptors ---- */

static bool emulates(const WasiFd *e, uint8_t flag) {
    return !e->owned && (e->flags & flag);
}

WasiErrno wasi_fd_before(const WasiFd *e, short events) {
    struct pollfd p = {.fd = e->host, .events = events};
    if (!emulates(e, WASI_FDFLAG_NONBLOCK)) return WASI_ESUCCESS;
    return poll(&p, 1, 0) != 0 ? WASI_ESUCCESS : WASI_EAGAIN; /* errors are left to the call */
}

bool wasi_fd_again(WasiCtx *ctx, const WasiFd *e, short events) {
    if (errno == EINTR) return wasi_fd_retry(ctx, EINTR);
    if (errno != EAGAIN || e->owned || (e->flags & WASI_FDFLAG_NONBLOCK)) return false;
    int fl = fcntl(e->host, F_GETFL);
    errno = EAGAIN;
    if (fl < 0 || !(fl & O_NONBLOCK)) return false; /* EAGAIN is a time limit of the host's */
    struct pollfd p = {.fd = e->host, .events = events};
    if (poll(&p, 1, -1) >= 0) return true;
    return wasi_fd_retry(ctx, errno);
}

/* ---- reading ---- */

static WasiErrno read_bytes(WasiFd *e, const struct iovec *v, int n, uint32_t *done) {
    uint64_t total = 0;
    for (int i = 0; i < n && e->bytes_len; i++) {
        uint64_t k = v[i].iov_len < e->bytes_len ? v[i].iov_len : e->bytes_len;
        if (total + k > INT32_MAX) break;
        memcpy(v[i].iov_base, e->bytes, (size_t)k);
        e->bytes += k;
        e->bytes_len -= k;
        total += k;
    }
    *done = (uint32_t)total;
    return WASI_ESUCCESS;
}

static WasiErrno read_host(WasiCtx *ctx, WasiFd *e, const struct iovec *v, int n,
                           const uint64_t *at, uint32_t *done) {
    if (at && *at > INT64_MAX) return WASI_EINVAL;
    WasiErrno err = at ? WASI_ESUCCESS : wasi_fd_before(e, POLLIN);
    if (err) return err;
    ssize_t r;
    do r = at ? preadv(e->host, v, n, (off_t)*at) : readv(e->host, v, n);
    while (r < 0 && wasi_fd_again(ctx, e, POLLIN));
    if (r < 0) return wasi_from_host(errno);
    *done = (uint32_t)r; /* Linux moves at most 0x7ffff000 bytes in one call */
    return WASI_ESUCCESS;
}

/* What a = fd, pieces, their number asks for: the descriptor, if it has the rights, and where the bytes are; the result's 4 bytes are there. */
static WasiErrno begin(WasiCtx *ctx, const WasiMem *m, const uint64_t *a, uint32_t result,
                       uint64_t rights, WasiFd **e, struct iovec v[WASI_MAX_IOVS], int *n) {
    WasiErrno err = wasi_fd_file(ctx, (uint32_t)a[0], rights, e);
    if (err) return err;
    if (!wasi_in(m, result, 4)) return WASI_EFAULT;
    return wasi_iovecs(*e, m, (uint32_t)a[1], (uint32_t)a[2], v, n);
}

static uint32_t do_read(WasiCtx *ctx, WasiMem *m, const uint64_t *a, const uint64_t *at,
                        uint32_t result, uint64_t rights) {
    struct iovec v[WASI_MAX_IOVS];
    int n;
    uint32_t done = 0;
    WasiFd *e;
    WasiErrno err = begin(ctx, m, a, result, rights, &e, v, &n);
    if (err) return err;
    switch (e->kind) {
    case WASI_FD_HOST: err = read_host(ctx, e, v, n, at, &done); break;
    case WASI_FD_BYTES: err = at ? WASI_ESPIPE : read_bytes(e, v, n, &done); break;
    case WASI_FD_SINK:
    case WASI_FD_FREE: err = WASI_EBADF; break;
    }
    if (!err) wasi_st32(m->base + result, done);
    return err;
}

uint32_t wasi_fd_read(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return do_read(ctx, m, a, NULL, (uint32_t)a[3], WASI_R_FD_READ);
}

/* Things without a position are told apart before rights: a pipe never has FD_SEEK in any useful sense. */
static WasiErrno seekable(WasiCtx *ctx, uint32_t fd) {
    WasiFd *e;
    WasiErrno err = wasi_fd_file(ctx, fd, 0, &e);
    if (err) return err;
    bool no = e->kind != WASI_FD_HOST || e->pipe || e->tty ||
              e->filetype == WASI_FILETYPE_SOCKET_DGRAM ||
              e->filetype == WASI_FILETYPE_SOCKET_STREAM;
    return no ? WASI_ESPIPE : WASI_ESUCCESS;
}

uint32_t wasi_fd_pread(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    WasiErrno err = seekable(ctx, (uint32_t)a[0]);
    if (err) return err;
    return do_read(ctx, m, a, &a[3], (uint32_t)a[4], WASI_R_FD_READ | WASI_R_FD_SEEK);
}

/* ---- signals that a call would raise in this thread ---- */

void wasi_hold(WasiHeld *h, int sig) {
    sigset_t only, pending;
    h->sig = sig;
    h->was_pending = false;
    if (!sig) return;
    sigemptyset(&only);
    sigaddset(&only, sig);
    pthread_sigmask(SIG_BLOCK, &only, &h->old);
    if (!sigismember(&h->old, sig)) return; /* what was not blocked cannot have been waiting */
    sigpending(&pending);
    h->was_pending = sigismember(&pending, sig);
}

void wasi_release(const WasiHeld *h, bool raised) {
    int err = errno;
    if (!h->sig) return;
    if (raised && !h->was_pending) {
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, h->sig);
        while (sigtimedwait(&only, NULL, &(struct timespec){0}) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &h->old, NULL);
    errno = err;
}

/* ---- writing ---- */

/* A pipe that is ready takes PIPE_BUF bytes at once; a blocking write of more could wait for a reader. */
static int cut(struct iovec *v, int n, size_t limit) {
    for (int i = 0; i < n; i++) {
        if (v[i].iov_len >= limit) {
            v[i].iov_len = limit;
            return i + 1;
        }
        limit -= v[i].iov_len;
    }
    return n;
}

static size_t total_length(const struct iovec *v, int n) {
    size_t total = 0;
    for (int i = 0; i < n; i++) total += v[i].iov_len;
    return total;
}

static ssize_t write_file(WasiCtx *ctx, WasiFd *e, const struct iovec *v, int n,
                          const uint64_t *at) {
    WasiHeld held;
    wasi_hold(&held, ctx->file_limit ? SIGXFSZ : 0);
    bool append = emulates(e, WASI_FDFLAG_APPEND) && e->filetype == WASI_FILETYPE_REGULAR_FILE;
    ssize_t r = append ? pwritev2(e->host, v, n, at ? (off_t)*at : -1, RWF_APPEND)
                : at   ? pwritev(e->host, v, n, (off_t)*at)
                       : writev(e->host, v, n);
    wasi_release(&held, r < 0 && errno == EFBIG);
    return r;
}

/* The last reader can go while a long write is under way: then the signal comes with a short result. */
static ssize_t write_pipe(WasiFd *e, const struct iovec *v, int n) {
    WasiHeld held;
    wasi_hold(&held, SIGPIPE);
    ssize_t r = writev(e->host, v, n);
    wasi_release(&held, r < 0 ? errno == EPIPE : (size_t)r < total_length(v, n));
    return r;
}

static ssize_t write_once(WasiCtx *ctx, WasiFd *e, const struct iovec *v, int n,
                          const uint64_t *at) {
    if (e->filetype == WASI_FILETYPE_SOCKET_STREAM || e->filetype == WASI_FILETYPE_SOCKET_DGRAM) {
        struct msghdr msg = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
        int wait = (e->flags & WASI_FDFLAG_NONBLOCK) ? MSG_DONTWAIT : 0;
        return sendmsg(e->host, &msg, MSG_NOSIGNAL | wait);
    }
    return e->pipe ? write_pipe(e, v, n) : write_file(ctx, e, v, n, at);
}

static WasiErrno write_host(WasiCtx *ctx, WasiFd *e, struct iovec *v, int n, const uint64_t *at,
                            uint32_t *done) {
    if (at && *at > INT64_MAX) return WASI_EINVAL;
    WasiErrno err = at ? WASI_ESUCCESS : wasi_fd_before(e, POLLOUT);
    if (err) return err;
    if (e->pipe && emulates(e, WASI_FDFLAG_NONBLOCK)) n = cut(v, n, PIPE_BUF);
    ssize_t r;
    do r = write_once(ctx, e, v, n, at);
    while (r < 0 && wasi_fd_again(ctx, e, POLLOUT));
    if (r < 0) return wasi_from_host(errno);
    *done = (uint32_t)r;
    return WASI_ESUCCESS;
}

static WasiErrno write_sink(WasiFd *e, const struct iovec *v, int n, uint32_t *done) {
    uint64_t total = 0;
    for (int i = 0; i < n && total + v[i].iov_len <= INT32_MAX; i++) {
        if (!e->sink(e->user, v[i].iov_base, v[i].iov_len)) return WASI_EIO;
        total += v[i].iov_len;
    }
    if (n && !total) { /* a single piece of more than 2 GB */
        if (!e->sink(e->user, v[0].iov_base, INT32_MAX)) return WASI_EIO;
        total = INT32_MAX;
    }
    *done = (uint32_t)total;
    return WASI_ESUCCESS;
}

static uint32_t do_write(WasiCtx *ctx, WasiMem *m, const uint64_t *a, const uint64_t *at,
                         uint32_t result, uint64_t rights) {
    struct iovec v[WASI_MAX_IOVS];
    int n;
    uint32_t done = 0;
    WasiFd *e;
    WasiErrno err = begin(ctx, m, a, result, rights, &e, v, &n);
    if (err) return err;
    switch (e->kind) {
    case WASI_FD_HOST: err = write_host(ctx, e, v, n, at, &done); break;
    case WASI_FD_SINK: err = at ? WASI_ESPIPE : write_sink(e, v, n, &done); break;
    case WASI_FD_BYTES:
    case WASI_FD_FREE: err = WASI_EBADF; break;
    }
    if (!err) wasi_st32(m->base + result, done);
    return err;
}

uint32_t wasi_fd_write(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return do_write(ctx, m, a, NULL, (uint32_t)a[3], WASI_R_FD_WRITE);
}

uint32_t wasi_fd_pwrite(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    WasiErrno err = seekable(ctx, (uint32_t)a[0]);
    if (err) return err;
    return do_write(ctx, m, a, &a[3], (uint32_t)a[4], WASI_R_FD_WRITE | WASI_R_FD_SEEK);
}

/* ---- position ---- */

static uint32_t seek(WasiCtx *ctx, WasiMem *m, uint32_t fd, int64_t offset, int whence,
                     uint32_t result, uint64_t rights) {
    WasiFd *e;
    WasiErrno err = seekable(ctx, fd);
    if (!err) err = wasi_fd_file(ctx, fd, rights, &e);
    if (err) return err;
    if (!wasi_in(m, result, 8)) return WASI_EFAULT;
    off_t pos = lseek(e->host, offset, whence);
    if (pos < 0) return wasi_from_host(errno);
    wasi_st64(m->base + result, (uint64_t)pos);
    return WASI_ESUCCESS;
}

/* Asking for the position needs TELL only, as in the snapshot. */
static uint32_t seek_any(WasiCtx *ctx, WasiMem *m, const uint64_t *a, const int whences[3]) {
    uint32_t w = (uint32_t)a[2];
    if (w > 2) return WASI_EINVAL;
    bool tell = whences[w] == SEEK_CUR && a[1] == 0;
    return seek(ctx, m, (uint32_t)a[0], (int64_t)a[1], whences[w], (uint32_t)a[3],
                tell ? WASI_R_FD_TELL : WASI_R_FD_SEEK | WASI_R_FD_TELL);
}

uint32_t wasi_fd_seek(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return seek_any(ctx, m, a, (const int[]){SEEK_SET, SEEK_CUR, SEEK_END});
}

uint32_t wasi_fd_seek_p0(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return seek_any(ctx, m, a, (const int[]){SEEK_CUR, SEEK_END, SEEK_SET});
}

uint32_t wasi_fd_tell(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return seek(ctx, m, (uint32_t)a[0], 0, SEEK_CUR, (uint32_t)a[1], WASI_R_FD_TELL);
}
