/* runtime/wasi_sock.c — sock_accept, sock_recv, sock_send, sock_shutdown.
 *
 * Problem     Sockets cannot be made by a guest, only used: the host hands over connected or listening
 *             ones, and listening ones bring forth more.
 * Idea        recvmsg and sendmsg on the guest's iovecs (wasi_iovecs). The blocking mode is the one the
 *             guest sees, also on a borrowed socket (wasi_fd_before, wasi_fd_again). An accepted socket
 *             belongs to the table; its number is taken before the connection is, so that a full table
 *             does not cost a connection.
 * Invariants  1. No call raises SIGPIPE.
 *             2. An accepted socket has no right its listener did not have to pass on.
 * Cost        One host call plus O(iovecs).
 * Ref         WASI preview 1 (witx), section sock.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { RI_PEEK = 1, RI_WAITALL = 2, RO_DATA_TRUNCATED = 1, SD_RD = 1, SD_WR = 2 };

/* ---- accept ---- */

static WasiErrno accept_host(WasiCtx *ctx, const WasiFd *listener, int flags, int *host) {
    WasiErrno err = wasi_fd_before(listener, POLLIN);
    if (err) return err;
    do *host = accept4(listener->host, NULL, NULL, SOCK_CLOEXEC | flags);
    while (*host < 0 && wasi_fd_again(ctx, listener, POLLIN));
    return *host < 0 ? wasi_from_host(errno) : WASI_ESUCCESS;
}

uint32_t wasi_sock_accept(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    WasiFd *e;
    uint32_t flags = (uint32_t)a[1], fd;
    WasiErrno err = wasi_fd_sock(ctx, (uint32_t)a[0], WASI_R_SOCK_ACCEPT, &e);
    if (err) return err;
    if (flags & ~(uint32_t)WASI_FDFLAG_NONBLOCK) return WASI_EINVAL;
    if (!wasi_in(m, (uint32_t)a[2], 4)) return WASI_EFAULT;
    WasiFd listener = *e; /* e does not survive the insertion */
    WasiFd made = {.kind = WASI_FD_HOST, .host = -1};
    err = wasi_fd_insert(ctx, &made, &fd);
    if (err) return err;
    err = accept_host(ctx, &listener, flags ? SOCK_NONBLOCK : 0, &made.host);
    if (!err) {
        made.owned = true;
        err = wasi_from_host(wasi_fd_classify(&made));
        made.base = made.inheriting = wasi_fd_type_rights(&made) & listener.inheriting;
    }
    ctx->fds[fd] = made;
    if (err)
        wasi_fd_remove(ctx, fd);
    else
        wasi_st32(m->base + (uint32_t)a[2], fd);
    return err;
}

/* ---- receive and send ---- */

uint32_t wasi_sock_recv(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    struct iovec v[WASI_MAX_IOVS];
    int n, flags = 0;
    WasiFd *e;
    uint32_t ri = (uint32_t)a[3], size = (uint32_t)a[4], ro = (uint32_t)a[5];
    WasiErrno err = wasi_fd_sock(ctx, (uint32_t)a[0], WASI_R_FD_READ, &e);
    if (err) return err;
    if (ri & ~(uint32_t)(RI_PEEK | RI_WAITALL)) return WASI_EINVAL;
    if (!wasi_in(m, size, 4) || !wasi_in(m, ro, 2)) return WASI_EFAULT;
    err = wasi_iovecs(e, m, (uint32_t)a[1], (uint32_t)a[2], v, &n);
    if (!err) err = wasi_fd_before(e, POLLIN);
    if (err) return err;
    if (ri & RI_PEEK) flags |= MSG_PEEK;
    if (ri & RI_WAITALL) flags |= MSG_WAITALL;
    if (e->flags & WASI_FDFLAG_NONBLOCK) flags |= MSG_DONTWAIT;
    struct msghdr msg = {.msg_iov = v, .msg_iovlen = (size_t)n};
    ssize_t r;
    do r = recvmsg(e->host, &msg, flags);
    while (r < 0 && wasi_fd_again(ctx, e, POLLIN));
    if (r < 0) return wasi_from_host(errno);
    wasi_st32(m->base + size, (uint32_t)r);
    wasi_st16(m->base + ro, (msg.msg_flags & MSG_TRUNC) ? RO_DATA_TRUNCATED : 0);
    return WASI_ESUCCESS;
}

uint32_t wasi_sock_send(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    struct iovec v[WASI_MAX_IOVS];
    int n, flags = MSG_NOSIGNAL;
    WasiFd *e;
    WasiErrno err = wasi_fd_sock(ctx, (uint32_t)a[0], WASI_R_FD_WRITE, &e);
    if (err) return err;
    if ((uint32_t)a[3] != 0) return WASI_EINVAL; /* no flag is defined */
    if (!wasi_in(m, (uint32_t)a[4], 4)) return WASI_EFAULT;
    err = wasi_iovecs(e, m, (uint32_t)a[1], (uint32_t)a[2], v, &n);
    if (!err) err = wasi_fd_before(e, POLLOUT);
    if (err) return err;
    if (e->flags & WASI_FDFLAG_NONBLOCK) flags |= MSG_DONTWAIT;
    struct msghdr msg = {.msg_iov = v, .msg_iovlen = (size_t)n};
    ssize_t r;
    do r = sendmsg(e->host, &msg, flags);
    while (r < 0 && wasi_fd_again(ctx, e, POLLOUT));
    if (r < 0) return wasi_from_host(errno);
    wasi_st32(m->base + (uint32_t)a[4], (uint32_t)r);
    return WASI_ESUCCESS;
}

uint32_t wasi_sock_shutdown(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    static const int how[] = {[SD_RD] = SHUT_RD, [SD_WR] = SHUT_WR, [SD_RD | SD_WR] = SHUT_RDWR};
    (void)m;
    WasiFd *e;
    WasiErrno err = wasi_fd_sock(ctx, (uint32_t)a[0], WASI_R_SOCK_SHUTDOWN, &e);
    if (err) return err;
    uint32_t which = (uint32_t)a[1];
    if (which == 0 || which > (SD_RD | SD_WR)) return WASI_EINVAL;
    return shutdown(e->host, how[which]) < 0 ? wasi_from_host(errno) : WASI_ESUCCESS;
}
