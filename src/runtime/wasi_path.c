/* runtime/wasi_path.c — the functions path_*.
 *
 * Problem     Work on files named by guest paths, within the directory, the rights and the read-only mark
 *             of the descriptor the path starts from.
 * Idea        Each function: copy the path out of guest memory once, look the descriptor up with the rights
 *             the call needs, refuse changes below read-only preopens, resolve (wasi_resolve.c), one host
 *             call on the result. What concerns an object (status, times, opening) resolves the whole path
 *             to a descriptor; what concerns a name (create, remove, rename, link) resolves its directory
 *             and passes the last component, with its trailing slash: Linux does not follow a link there.
 *             The exception is the old name of linkat, which is followed if a slash comes after it.
 * Paths       UTF-8 (else ILSEQ), without NUL (INVAL), shorter than WASI_PATH_MAX (NAMETOOLONG). What leads
 *             out of the directory, absolute paths included, is PERM. So are links with an absolute
 *             content: they are not created, and not read, since they would tell where the directory is.
 * Rights      A descriptor made by path_open has at most the inheriting rights of the one it came from. A
 *             request that names nothing but FD_READ and FD_WRITE is an access mode: all other rights
 *             that apply come along (the reference, and programs written for it, use requests so). Any
 *             other request is taken by the word; a right that the directory cannot pass on is NOTCAPABLE.
 *             Reading or writing what was not opened for it is BADF, as in POSIX (WasiFd.unopened).
 *             A rename or a link may not bring a file to where more can be done with it: the target's
 *             inheriting rights must be among the source's.
 * Invariants  1. A guest path is read once; what is checked is what is used.
 *             2. Nothing is created or changed before all arguments are checked.
 * Ref         WASI preview 1 (witx), section path; openat(2), linkat(2), renameat(2), unlinkat(2).
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/utf8.h"

/* ---- guest paths, directories ---- */

static WasiErrno get_path(const WasiMem *m, uint64_t ptr_arg, uint64_t len_arg,
                          char out[WASI_PATH_MAX]) {
    uint32_t ptr = (uint32_t)ptr_arg, len = (uint32_t)len_arg;
    if (!wasi_in(m, ptr, len)) return WASI_EFAULT;
    if (len >= WASI_PATH_MAX) return WASI_ENAMETOOLONG;
    memcpy(out, m->base + ptr, len);
    out[len] = 0;
    if (memchr(out, 0, len)) return WASI_EINVAL;
    return utf8_valid((const uint8_t *)out, len) ? WASI_ESUCCESS : WASI_EILSEQ;
}

/* The directory below which something is to be changed. */
static WasiErrno changed_dir(WasiCtx *ctx, uint64_t fd, uint64_t rights, WasiFd **out) {
    WasiErrno err = wasi_fd_dir(ctx, (uint32_t)fd, rights, out);
    return !err && (*out)->read_only ? WASI_EROFS : err;
}

static WasiErrno lookup_flags(uint64_t arg, bool *follow) {
    uint32_t flags = (uint32_t)arg;
    *follow = flags & WASI_LOOKUP_FOLLOW;
    return flags & ~(uint32_t)WASI_LOOKUP_FOLLOW ? WASI_EINVAL : WASI_ESUCCESS;
}

static int open_object(WasiCtx *ctx, const WasiFd *dir, const char *path, int flags) {
    int r;
    do r = wasi_open_beneath(ctx, dir->host, path, flags, 0666);
    while (r < 0 && wasi_fd_retry(ctx, -r));
    return r;
}

static WasiErrno host_result(int r) {
    return r < 0 ? wasi_from_host(errno) : WASI_ESUCCESS;
}

/* ---- a name in a directory ---- */

typedef struct Name {
    WasiLeaf leaf;
    char text[sizeof((WasiLeaf *)0)->name +
              1]; /* the component, with a slash if one came after it */
} Name;

/* special: the error for "." and ".."; 0 = the caller looks. Success must be followed by name_close. */
static WasiErrno name_open(WasiCtx *ctx, const WasiFd *dir, const char *path, WasiErrno special,
                           Name *n) {
    int r = wasi_leaf_open(ctx, dir->host, path, &n->leaf);
    if (r < 0) return wasi_from_host(r);
    if (special && n->leaf.special) {
        wasi_leaf_close(&n->leaf);
        return special;
    }
    snprintf(n->text, sizeof n->text, "%s%s", n->leaf.name, n->leaf.slash ? "/" : "");
    return WASI_ESUCCESS;
}

static void name_close(Name *n) {
    wasi_leaf_close(&n->leaf);
}

/* A link (of either kind) cannot be created with a slash after its name. */
static WasiErrno refuse_slash(const Name *n) {
    struct stat st;
    if (!n->leaf.slash) return WASI_ESUCCESS;
    if (fstatat(n->leaf.dir, n->leaf.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return wasi_from_host(errno);
    return S_ISDIR(st.st_mode) ? WASI_EEXIST : WASI_ENOTDIR;
}

uint32_t wasi_path_create_directory(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char path[WASI_PATH_MAX];
    WasiFd *dir;
    Name n;
    WasiErrno err = get_path(m, a[1], a[2], path);
    if (!err) err = changed_dir(ctx, a[0], WASI_R_PATH_CREATE_DIRECTORY, &dir);
    if (!err) err = name_open(ctx, dir, path, WASI_EEXIST, &n);
    if (err) return err;
    err = host_result(mkdirat(n.leaf.dir, n.text, 0777));
    name_close(&n);
    return err;
}

uint32_t wasi_path_remove_directory(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char path[WASI_PATH_MAX];
    WasiFd *dir;
    Name n;
    WasiErrno err = get_path(m, a[1], a[2], path);
    if (!err) err = changed_dir(ctx, a[0], WASI_R_PATH_REMOVE_DIRECTORY, &dir);
    if (!err) err = name_open(ctx, dir, path, WASI_ESUCCESS, &n);
    if (err) return err;
    if (n.leaf.special)
        err = n.leaf.dotdot ? WASI_ENOTEMPTY : WASI_EINVAL;
    else
        err = host_result(unlinkat(n.leaf.dir, n.text, AT_REMOVEDIR));
    name_close(&n);
    return err;
}

uint32_t wasi_path_unlink_file(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char path[WASI_PATH_MAX];
    WasiFd *dir;
    Name n;
    WasiErrno err = get_path(m, a[1], a[2], path);
    if (!err) err = changed_dir(ctx, a[0], WASI_R_PATH_UNLINK_FILE, &dir);
    if (!err) err = name_open(ctx, dir, path, WASI_EISDIR, &n);
    if (err) return err;
    err = host_result(unlinkat(n.leaf.dir, n.text, 0));
    name_close(&n);
    return err;
}

uint32_t wasi_path_symlink(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char content[WASI_PATH_MAX], path[WASI_PATH_MAX];
    WasiFd *dir;
    Name n;
    WasiErrno err = get_path(m, a[0], a[1], content);
    if (!err) err = get_path(m, a[3], a[4], path);
    if (!err) err = changed_dir(ctx, a[2], WASI_R_PATH_SYMLINK, &dir);
    if (!err && content[0] == '/') err = WASI_EPERM;
    if (!err) err = name_open(ctx, dir, path, WASI_EEXIST, &n);
    if (err) return err;
    err = refuse_slash(&n);
    if (!err) err = host_result(symlinkat(content, n.leaf.dir, n.leaf.name));
    name_close(&n);
    return err;
}

uint32_t wasi_path_readlink(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char path[WASI_PATH_MAX], content[WASI_PATH_MAX];
    uint32_t buf = (uint32_t)a[3], cap = (uint32_t)a[4], result = (uint32_t)a[5];
    WasiFd *dir;
    WasiErrno err = get_path(m, a[1], a[2], path);
    if (!err) err = wasi_fd_dir(ctx, (uint32_t)a[0], WASI_R_PATH_READLINK, &dir);
    if (err) return err;
    if (!wasi_in(m, buf, cap) || !wasi_in(m, result, 4)) return WASI_EFAULT;
    int fd = open_object(ctx, dir, path, O_PATH | O_NOFOLLOW);
    if (fd < 0) return wasi_from_host(fd);
    ssize_t len = readlinkat(fd, "", content, sizeof content);
    int host_err = errno;
    close(fd);
    if (len < 0)
        return host_err == ENOENT ? WASI_EINVAL : wasi_from_host(host_err); /* not a link */
    if (len && content[0] == '/') return WASI_EPERM;
    if (!utf8_valid((const uint8_t *)content, (size_t)len)) return WASI_EILSEQ;
    uint32_t n = (uint64_t)len < cap ? (uint32_t)len : cap;
    memcpy(m->base + buf, content, n);
    wasi_st32(m->base + result, n);
    return WASI_ESUCCESS;
}

/* ---- two names ---- */

typedef struct Pair {
    Name from, to;
} Pair;

/* Both paths, both directories, both names; afterwards pair_close. */
static WasiErrno pair_open(WasiCtx *ctx, const WasiMem *m, const uint64_t from[3],
                           uint64_t from_rights, const uint64_t to[3], uint64_t to_rights,
                           WasiErrno special_to, Pair *p) {
    char from_path[WASI_PATH_MAX], to_path[WASI_PATH_MAX];
    WasiFd *from_dir, *to_dir;
    WasiErrno err = get_path(m, from[1], from[2], from_path);
    if (!err) err = get_path(m, to[1], to[2], to_path);
    if (!err) err = changed_dir(ctx, from[0], from_rights, &from_dir);
    if (!err) err = changed_dir(ctx, to[0], to_rights, &to_dir);
    if (!err && (to_dir->inheriting & ~from_dir->inheriting)) err = WASI_ENOTCAPABLE;
    if (!err) err = name_open(ctx, from_dir, from_path, WASI_ESUCCESS, &p->from);
    if (err) return err;
    err = name_open(ctx, to_dir, to_path, special_to, &p->to);
    if (err) name_close(&p->from);
    return err;
}

static void pair_close(Pair *p) {
    name_close(&p->from);
    name_close(&p->to);
}

uint32_t wasi_path_rename(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    Pair p;
    WasiErrno err = pair_open(ctx, m, a, WASI_R_PATH_RENAME_SOURCE, a + 3,
                              WASI_R_PATH_RENAME_TARGET, WASI_EBUSY, &p);
    if (err) return err;
    if (p.from.leaf.special)
        err = WASI_EBUSY;
    else
        err = host_result(renameat(p.from.leaf.dir, p.from.text, p.to.leaf.dir, p.to.text));
    pair_close(&p);
    return err;
}

/* What linkat says of an old name that is not an ordinary component: it is a directory, or an error. */
static WasiErrno link_source(const Name *n) {
    struct stat st;
    if (n->leaf.special) return WASI_EPERM;
    if (!n->leaf.slash) return WASI_ESUCCESS;
    if (fstatat(n->leaf.dir, n->leaf.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return wasi_from_host(errno);
    return S_ISDIR(st.st_mode) ? WASI_EPERM : WASI_ENOTDIR;
}

uint32_t wasi_path_link(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    const uint64_t from[3] = {a[0], a[2], a[3]};
    Pair p;
    bool follow;
    WasiErrno err = lookup_flags(a[1], &follow);
    if (!err && follow) err = WASI_EINVAL; /* as in the reference */
    if (!err)
        err = pair_open(ctx, m, from, WASI_R_PATH_LINK_SOURCE, a + 4, WASI_R_PATH_LINK_TARGET,
                        WASI_EEXIST, &p);
    if (err) return err;
    err = link_source(&p.from);
    if (!err) err = refuse_slash(&p.to);
    if (!err)
        err = host_result(
            linkat(p.from.leaf.dir, p.from.leaf.name, p.to.leaf.dir, p.to.leaf.name, 0));
    pair_close(&p);
    return err;
}

/* ---- status and times ---- */

static WasiErrno filestat_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a, bool p0) {
    char path[WASI_PATH_MAX];
    WasiFd *dir;
    struct stat st;
    bool follow;
    WasiErrno err = get_path(m, a[2], a[3], path);
    if (!err) err = lookup_flags(a[1], &follow);
    if (!err) err = wasi_fd_dir(ctx, (uint32_t)a[0], WASI_R_PATH_FILESTAT_GET, &dir);
    if (err) return err;
    if (!wasi_in(m, (uint32_t)a[4], p0 ? WASI_FILESTAT_P0_SIZE : WASI_FILESTAT_SIZE))
        return WASI_EFAULT;
    int fd = open_object(ctx, dir, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0) return wasi_from_host(fd);
    err = host_result(fstat(fd, &st));
    close(fd);
    if (!err) wasi_put_filestat(m->base + (uint32_t)a[4], &st, wasi_filetype(&st), p0);
    return err;
}

uint32_t wasi_path_filestat_get(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return filestat_get(ctx, m, a, false);
}

uint32_t wasi_path_filestat_get_p0(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    return filestat_get(ctx, m, a, true);
}

/* Times of what an O_PATH descriptor refers to. Before Linux 5.8 utimensat takes no empty path; the
 * descriptor's entry in /proc leads to the very object, which may be a symbolic link. */
static int set_times(int fd, const struct timespec times[2]) {
    char proc[40];
    if (utimensat(fd, "", times, AT_EMPTY_PATH) == 0) return 0;
    if (errno != EINVAL && errno != ENOENT) return -1;
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    return utimensat(AT_FDCWD, proc, times, 0);
}

uint32_t wasi_path_filestat_set_times(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char path[WASI_PATH_MAX];
    struct timespec times[2];
    WasiFd *dir;
    bool follow;
    WasiErrno err = get_path(m, a[2], a[3], path);
    if (!err) err = lookup_flags(a[1], &follow);
    if (!err) err = wasi_times(a[4], a[5], (uint32_t)a[6], times);
    if (!err) err = changed_dir(ctx, a[0], WASI_R_PATH_FILESTAT_SET_TIMES, &dir);
    if (err) return err;
    int fd = open_object(ctx, dir, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0) return wasi_from_host(fd);
    err = host_result(set_times(fd, times));
    close(fd);
    return err;
}

/* ---- path_open ---- */

/* What can apply to something that a path leads to. Other bits of a request are ignored. */
#define RIGHTS_BY_PATH (WASI_RIGHTS_DIR | WASI_RIGHTS_FILE)

typedef struct OpenRequest {
    uint32_t oflags, fdflags;
    uint64_t base, inheriting;
    bool follow, mode_only; /* mode_only: names nothing but FD_READ and FD_WRITE */
} OpenRequest;

static WasiErrno open_request(const uint64_t *a, OpenRequest *q) {
    const uint32_t only_file = WASI_OFLAG_CREAT | WASI_OFLAG_EXCL | WASI_OFLAG_TRUNC;
    q->oflags = (uint32_t)a[4];
    q->fdflags = (uint32_t)a[7];
    q->base = a[5] & RIGHTS_BY_PATH;
    q->inheriting = a[6] & RIGHTS_BY_PATH;
    q->mode_only = !(q->base & ~(uint64_t)(WASI_R_FD_READ | WASI_R_FD_WRITE)) && !q->inheriting;
    if (q->oflags & ~(uint32_t)WASI_OFLAGS_ALL || q->fdflags & ~(uint32_t)WASI_FDFLAGS_ALL)
        return WASI_EINVAL;
    if (q->oflags & WASI_OFLAG_DIRECTORY && q->oflags & only_file) return WASI_EINVAL;
    return lookup_flags(a[1], &q->follow);
}

/* Rights the directory must have, and rights it must be able to pass on. */
static WasiErrno open_rights(const OpenRequest *q, const WasiFd *dir) {
    uint64_t need = 0, pass = q->base | q->inheriting;
    if (q->oflags & WASI_OFLAG_CREAT) need |= WASI_R_PATH_CREATE_FILE;
    if (q->oflags & WASI_OFLAG_TRUNC) need |= WASI_R_PATH_FILESTAT_SET_SIZE;
    if (q->fdflags & WASI_FDFLAG_DSYNC) pass |= WASI_R_FD_DATASYNC;
    if (q->fdflags & (WASI_FDFLAG_RSYNC | WASI_FDFLAG_SYNC)) pass |= WASI_R_FD_SYNC;
    return need & ~dir->base || pass & ~dir->inheriting ? WASI_ENOTCAPABLE : WASI_ESUCCESS;
}

/* May the guest write? A request without any right may if it creates or truncates (the reference again). */
static bool grants_write(const OpenRequest *q) {
    bool makes = q->oflags & (WASI_OFLAG_CREAT | WASI_OFLAG_TRUNC);
    return q->base & WASI_R_FD_WRITE || (q->mode_only && !q->base && makes);
}

/* Without FD_WRITE a file is opened for reading, so that every file the guest may see can be opened; the
 * rights keep it from being read. Truncation needs the host's leave to write. */
static int open_flags(const OpenRequest *q) {
    bool write = grants_write(q) || q->oflags & WASI_OFLAG_TRUNC;
    bool read = q->base & WASI_R_FD_READ || !(q->base & WASI_R_FD_WRITE);
    int flags = write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (q->oflags & WASI_OFLAG_CREAT) {
        flags |= O_CREAT;
        if (q->oflags & WASI_OFLAG_EXCL) flags |= O_EXCL;
    }
    if (q->oflags & WASI_OFLAG_DIRECTORY) flags |= O_DIRECTORY;
    if (q->oflags & WASI_OFLAG_TRUNC) flags |= O_TRUNC;
    if (q->fdflags & WASI_FDFLAG_APPEND) flags |= O_APPEND;
    if (q->fdflags & WASI_FDFLAG_DSYNC) flags |= O_DSYNC;
    if (q->fdflags & WASI_FDFLAG_NONBLOCK) flags |= O_NONBLOCK;
    if (q->fdflags & (WASI_FDFLAG_RSYNC | WASI_FDFLAG_SYNC)) flags |= O_SYNC;
    if (!q->follow) flags |= O_NOFOLLOW;
    return flags;
}

/* `passed`: the inheriting rights of the directory. What needs a file open for writing, but is not
 * writing, is left to the host, which knows the error; unless the host's descriptor can write and the
 * guest's cannot. */
static void set_rights(WasiFd *e, const OpenRequest *q, uint64_t passed) {
    const uint64_t modes = WASI_R_FD_READ | WASI_R_FD_WRITE;
    uint64_t open_for = q->base & modes;
    if (q->mode_only && !open_for) open_for = WASI_R_FD_READ;
    if (grants_write(q)) open_for |= WASI_R_FD_WRITE;
    e->unopened = modes & ~open_for;
    e->base = wasi_fd_type_rights(e) & (q->mode_only ? passed : q->base) & ~e->unopened;
    if (!grants_write(q) && q->oflags & WASI_OFLAG_TRUNC)
        e->base &= ~(uint64_t)(WASI_R_FD_ALLOCATE | WASI_R_FD_FILESTAT_SET_SIZE);
    if (e->filetype == WASI_FILETYPE_DIRECTORY)
        e->inheriting = q->mode_only ? passed : q->inheriting;
}

static WasiErrno open_entry(WasiCtx *ctx, const WasiFd *from, const char *path, int flags,
                            WasiFd *e) {
    e->host = open_object(ctx, from, path, flags);
    if (e->host < 0) return wasi_from_host(e->host);
    int r = wasi_fd_classify(e);
    if (r < 0) {
        close(e->host);
        return wasi_from_host(r);
    }
    e->owned = true;
    e->read_only = from->read_only;
    return WASI_ESUCCESS;
}

uint32_t wasi_path_open(WasiCtx *ctx, WasiMem *m, const uint64_t *a) {
    char path[WASI_PATH_MAX];
    OpenRequest q;
    WasiFd *dir, e = {.kind = WASI_FD_HOST, .host = -1};
    uint32_t result = (uint32_t)a[8], fd;
    WasiErrno err = get_path(m, a[2], a[3], path);
    if (!err) err = open_request(a, &q);
    if (!err) err = wasi_fd_dir(ctx, (uint32_t)a[0], WASI_R_PATH_OPEN, &dir);
    if (!err) err = open_rights(&q, dir);
    if (err) return err;
    if (!wasi_in(m, result, 4)) return WASI_EFAULT;
    const WasiFd from = *dir; /* dir does not survive the insertion */
    int flags = open_flags(&q);
    if (from.read_only && ((flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT)) return WASI_EROFS;
    err = wasi_fd_insert(ctx, &e, &fd); /* before a file is created for nothing */
    if (err) return err;
    err = open_entry(ctx, &from, path, flags, &e);
    if (err) {
        wasi_fd_remove(ctx, fd);
        return err;
    }
    set_rights(&e, &q, from.inheriting);
    ctx->fds[fd] = e;
    wasi_st32(m->base + result, fd);
    return WASI_ESUCCESS;
}
