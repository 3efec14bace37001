/* runtime/wasi_fdtab.c — the guest's descriptor table.
 *
 * Problem     Guest descriptors are small numbers handed out lowest first, as POSIX programs expect,
 *             and each carries two sets of rights that only ever shrink.
 * Idea        A flat array of entries and one bit per entry; `fd_low` is a number below which every bit
 *             is set, so taking the lowest free number looks at whole words from there on.
 *             A look-up names the rights the call needs. An entry of the wrong kind (a directory where
 *             a file is wanted, and so on) is reported before missing rights, since rights that cannot
 *             apply to a kind are never present. Likewise reading what was opened for writing only, or the
 *             other way round, is BADF, as POSIX programs expect.
 * Invariants  1. bit i of used[] is set iff fds[i].kind != WASI_FD_FREE.
 *             2. all words of used[] below fd_low/64 are full; used[] is as long as fds_max needs from the
 *                start, so only the array of entries grows.
 *             3. an entry owns its host descriptor (if `owned`), its preopen name and its state of fd_readdir.
 * Cost        look-up O(1); insert O(descriptors/64) at worst; growth doubles.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool grow(WasiCtx *ctx) {
    uint32_t cap = ctx->fds_cap ? ctx->fds_cap * 2 : 64;
    WasiFd *fds = wasi_realloc(ctx, ctx->fds, ctx->fds_cap * sizeof *fds, cap * sizeof *fds);
    if (!fds) return false;
    memset(fds + ctx->fds_cap, 0, (cap - ctx->fds_cap) * sizeof *fds);
    ctx->fds = fds;
    ctx->fds_cap = cap;
    return true;
}

WasiErrno wasi_fd_insert(WasiCtx *ctx, const WasiFd *entry, uint32_t *fd) {
    uint32_t w = ctx->fd_low / 64;
    while (w < WASI_FD_WORDS(ctx->fds_max) && ctx->used[w] == UINT64_MAX) w++;
    if (w == WASI_FD_WORDS(ctx->fds_max)) return WASI_EMFILE;
    uint32_t n = w * 64 + (uint32_t)__builtin_ctzll(~ctx->used[w]);
    if (n >= ctx->fds_max) return WASI_EMFILE;
    if (n >= ctx->fds_cap && !grow(ctx)) return WASI_ENOMEM;
    ctx->used[w] |= UINT64_C(1) << (n % 64);
    ctx->fds[n] = *entry;
    ctx->fd_low = n + 1;
    *fd = n;
    return WASI_ESUCCESS;
}

/* Linux has let go of the descriptor even when close fails; EINTR says no more than that. */
static WasiErrno release(WasiCtx *ctx, WasiFd *e) {
    int err = 0;
    if (e->kind == WASI_FD_HOST && e->owned && close(e->host) < 0) err = errno;
    if (e->preopen) mem_free(&ctx->mem, e->preopen, (size_t)e->preopen_len + 1);
    wasi_dir_free(ctx, e->dir);
    return err == EINTR ? WASI_ESUCCESS : wasi_from_host(err);
}

static void clear(WasiCtx *ctx, uint32_t fd) {
    ctx->fds[fd] = (WasiFd){0};
    ctx->used[fd / 64] &= ~(UINT64_C(1) << (fd % 64));
    if (fd < ctx->fd_low) ctx->fd_low = fd;
}

WasiErrno wasi_fd_remove(WasiCtx *ctx, uint32_t fd) {
    WasiErrno err = release(ctx, &ctx->fds[fd]);
    clear(ctx, fd);
    return err;
}

void wasi_fd_move(WasiCtx *ctx, uint32_t from, uint32_t to) {
    release(ctx, &ctx->fds[to]);
    ctx->fds[to] = ctx->fds[from];
    clear(ctx, from);
}

/* ---- look-up ---- */

static WasiFd *find(WasiCtx *ctx, uint32_t fd) {
    if (fd >= ctx->fds_cap || ctx->fds[fd].kind == WASI_FD_FREE) return NULL;
    return &ctx->fds[fd];
}

static WasiErrno check(WasiFd *e, uint64_t rights, WasiFd **out) {
    uint64_t missing = rights & ~e->base;
    if (missing) return missing & e->unopened ? WASI_EBADF : WASI_ENOTCAPABLE;
    *out = e;
    return WASI_ESUCCESS;
}

WasiErrno wasi_fd_lookup(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out) {
    WasiFd *e = find(ctx, fd);
    return e ? check(e, rights, out) : WASI_EBADF;
}

WasiErrno wasi_fd_file(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out) {
    WasiFd *e = find(ctx, fd);
    if (!e || e->filetype == WASI_FILETYPE_DIRECTORY) return WASI_EBADF;
    return check(e, rights, out);
}

WasiErrno wasi_fd_dir(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out) {
    WasiFd *e = find(ctx, fd);
    if (!e) return WASI_EBADF;
    if (e->filetype != WASI_FILETYPE_DIRECTORY) return WASI_ENOTDIR;
    return check(e, rights, out);
}

WasiErrno wasi_fd_sock(WasiCtx *ctx, uint32_t fd, uint64_t rights, WasiFd **out) {
    WasiFd *e = find(ctx, fd);
    if (!e) return WASI_EBADF;
    if (e->filetype != WASI_FILETYPE_SOCKET_STREAM && e->filetype != WASI_FILETYPE_SOCKET_DGRAM)
        return WASI_ENOTSOCK;
    return check(e, rights, out);
}

/* ---- what a host descriptor is ---- */

uint8_t wasi_filetype(const struct stat *st) {
    switch (st->st_mode & S_IFMT) {
    case S_IFBLK: return WASI_FILETYPE_BLOCK_DEVICE;
    case S_IFCHR: return WASI_FILETYPE_CHARACTER_DEVICE;
    case S_IFDIR: return WASI_FILETYPE_DIRECTORY;
    case S_IFREG: return WASI_FILETYPE_REGULAR_FILE;
    case S_IFLNK: return WASI_FILETYPE_SYMBOLIC_LINK;
    case S_IFSOCK: return WASI_FILETYPE_SOCKET_STREAM;
    default: return WASI_FILETYPE_UNKNOWN;
    }
}

int wasi_fd_classify(WasiFd *e) {
    struct stat st;
    if (fstat(e->host, &st) < 0) return -errno;
    e->filetype = wasi_filetype(&st);
    e->pipe = S_ISFIFO(st.st_mode);
    e->tty = S_ISCHR(st.st_mode) && isatty(e->host);
    if (S_ISSOCK(st.st_mode)) {
        int type = 0;
        socklen_t len = sizeof type;
        if (getsockopt(e->host, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM)
            e->filetype = WASI_FILETYPE_SOCKET_DGRAM;
    }
    int fl = fcntl(e->host, F_GETFL);
    if (fl < 0) return -errno;
    e->flags = 0;
    if (fl & O_APPEND) e->flags |= WASI_FDFLAG_APPEND;
    if (fl & O_NONBLOCK) e->flags |= WASI_FDFLAG_NONBLOCK;
    if ((fl & O_SYNC) == O_SYNC)
        e->flags |= WASI_FDFLAG_SYNC; /* O_SYNC contains O_DSYNC */
    else if (fl & O_DSYNC)
        e->flags |= WASI_FDFLAG_DSYNC;
    return 0;
}

static bool is_listening(int host) {
    int on = 0;
    socklen_t len = sizeof on;
    return getsockopt(host, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on;
}

uint64_t wasi_fd_type_rights(const WasiFd *e) {
    switch ((WasiFiletype)e->filetype) {
    case WASI_FILETYPE_DIRECTORY: return WASI_RIGHTS_DIR;
    case WASI_FILETYPE_CHARACTER_DEVICE: return e->tty ? WASI_RIGHTS_TTY : WASI_RIGHTS_FILE;
    case WASI_FILETYPE_SOCKET_DGRAM:
    case WASI_FILETYPE_SOCKET_STREAM:
        return is_listening(e->host) ? WASI_RIGHTS_SOCKET | WASI_R_SOCK_ACCEPT : WASI_RIGHTS_SOCKET;
    case WASI_FILETYPE_UNKNOWN:
    case WASI_FILETYPE_BLOCK_DEVICE:
    case WASI_FILETYPE_REGULAR_FILE:
    case WASI_FILETYPE_SYMBOLIC_LINK: return WASI_RIGHTS_FILE;
    }
    return 0;
}

bool wasi_fd_retry(WasiCtx *ctx, int err) {
    return err == EINTR && !(ctx->interrupted && ctx->interrupted(ctx->interrupted_user));
}
