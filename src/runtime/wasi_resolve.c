/* runtime/wasi_resolve.c — from a guest path to a host descriptor, never leaving a directory.
 *
 * Problem     A guest names files by paths below a directory it holds. Neither `..`, nor absolute paths,
 *             nor symbolic links, nor magic links may lead out, and no other thread or process that
 *             renames directories or swaps links meanwhile may change that. A check of the path followed by
 *             an open of the same path cannot give this: the check and the open see different trees.
 * Idea        Two resolvers with the same answers.
 *             (1) openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS: the kernel checks while it walks.
 *             It says EAGAIN when a rename met a `..`; after some tries resolver 2 is asked.
 *             (2) For kernels and containers without openat2, a walk of our own. Every component is opened
 *             relative to the descriptor of the directory before it, with O_NOFOLLOW, so the kernel never
 *             follows a link and never sees `..`: links are read and expanded here, and `..` goes back to
 *             the descriptor that is already open. What is still to be walked is a text; expanding a link
 *             puts its content in front of the rest:
 *
 *                 text:  [ free ......... | body of link / rest of path NUL ]
 *                                          ^at
 *             Functions that work on a name in a directory (create, remove, rename, link) open the
 *             directory by (1) or (2) and hand the host a single component, which Linux does not follow
 *             in these calls (wasi_leaf_open).
 * Invariants  1. stack[i+1] was opened by name from stack[i] with O_NOFOLLOW, stack[0] from the root.
 *             2. openat gets a single component other than `..`, or "."; always with O_NOFOLLOW.
 *             3. text[at] is '/' only at the start of the path or of a link's content: it is absolute.
 *             4. An error leaves no descriptor open.
 * Limits      40 links, as in Linux. The walk also limits the depth (WALK_DEPTH directories, one descriptor
 *             each) and the text still to be walked (WALK_TEXT); beyond them it says ENAMETOOLONG.
 *             Of the host's optional restrictions on links (fs.protected_symlinks, nosymfollow mounts)
 *             the walk knows nothing; they concern links inside the root only.
 * Cost        openat2: one call. Walk: one openat per directory, three calls per link; no memory.
 * Ref         openat2(2), path_resolution(7), Linux Documentation/filesystems/path-lookup.rst.
 */
#include "runtime/wasi_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    WALK_DEPTH = 2048,
    WALK_TEXT = 4 * WASI_PATH_MAX,
    WALK_RACES = 100, /* times an entry may change its kind between two calls */
    OPENAT2_TRIES = 32,
};

/* ---- resolver 1 ---- */

static int by_openat2(int root, const char *path, int flags, unsigned mode) {
    struct open_how how = {.flags = (uint64_t)flags,
                           .mode = flags & O_CREAT ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < OPENAT2_TRIES; i++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0) return (int)fd;
        if (errno != EAGAIN) return errno == EXDEV ? -EPERM : -errno;
    }
    return -EAGAIN;
}

/* ---- resolver 2 ---- */

typedef struct Walk {
    int root, depth, links, races;
    int flags;
    unsigned mode;
    char *at;
    int stack[WALK_DEPTH];
    char text[WALK_TEXT];
} Walk;

static int top(const Walk *w) {
    return w->depth ? w->stack[w->depth - 1] : w->root;
}

/* Links of procfs that lead to an object and not to a name: their text is for people. It names a path or
 * "kind:[number]", and its length is not the link's size. */
static bool is_magic(int dir, const char *name, const char *body, size_t len) {
    struct statfs fs;
    struct stat st;
    if (body[0] != '/' && !memchr(body, ':', len)) return false;
    if (fstatfs(dir, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) return false;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (size_t)st.st_size != len;
}

/* openat of `name` failed with err (ENOTDIR or ELOOP), or gave the link itself (err 0): puts the link's
 * content in front of `rest`. 0 = go on from w->at, which is unchanged if the entry is no link now but
 * could be opened. */
static int expand(Walk *w, const char *name, char *rest, int err) {
    char body[WASI_PATH_MAX];
    ssize_t n = readlinkat(top(w), name, body, sizeof body);
    if (n < 0) {
        struct stat st;
        if (errno != EINVAL && errno != ENOENT) return -errno;
        if (err == ENOTDIR && fstatat(top(w), name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
            return -ENOTDIR;
        return ++w->races > WALK_RACES ? -EAGAIN : 0;
    }
    if (w->links == WASI_MAX_LINKS) return -ELOOP;
    w->links++;
    if (n == 0) return -ENOENT;
    if (n == (ssize_t)sizeof body || n > rest - w->text) return -ENAMETOOLONG;
    if (is_magic(top(w), name, body, (size_t)n)) return -ELOOP;
    w->at = rest - n;
    memcpy(w->at, body, (size_t)n);
    return 0;
}

/* A directory on the way. */
static int enter(Walk *w, const char *name, char *rest, char *next) {
    int fd = openat(top(w), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return errno == ENOTDIR ? expand(w, name, rest, errno) : -errno;
    if (w->depth == WALK_DEPTH) {
        close(fd);
        return -ENAMETOOLONG;
    }
    w->stack[w->depth++] = fd;
    w->at = next;
    return 0;
}

/* The kernel asks for this at every component, also where the walk has no call to make. */
static int may_search(const Walk *w) {
    int fd = openat(top(w), ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

static int leave(Walk *w) {
    int r = may_search(w);
    if (r < 0) return r;
    if (!w->depth) return -EPERM;
    close(w->stack[--w->depth]);
    return 0;
}

static bool is_link(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

static int open_dot(const Walk *w) {
    int fd = openat(top(w), ".", w->flags | O_NOFOLLOW, w->mode);
    return fd < 0 ? -errno : fd;
}

/* The last component, an ordinary name. 0 with *fd < 0: go on from w->at. */
static int open_last(Walk *w, const char *name, char *rest, bool slash, int *fd) {
    int err;
    bool excl = (w->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    bool follow = slash || !(w->flags & O_NOFOLLOW || excl);
    if (slash && w->flags & O_CREAT) {
        int r = may_search(w);
        return r < 0 ? r : -EISDIR;
    }
    *fd = openat(top(w), name, w->flags | O_NOFOLLOW | (slash ? O_DIRECTORY : 0), w->mode);
    err = *fd < 0 ? errno : 0;
    if (!follow) return -err;
    if (*fd >= 0) {
        if (!(w->flags & O_PATH) || !is_link(*fd)) return 0;
        close(*fd);
        *fd = -1;
    } else if (err != ELOOP && err != ENOTDIR) {
        return -err;
    }
    return expand(w, name, rest, err);
}

static int walk_on(Walk *w) {
    for (;;) {
        char *name = w->at, *rest = name + strcspn(name, "/");
        char *next = rest + strspn(rest, "/");
        size_t len = (size_t)(rest - name);
        bool last = !*next, dot = len == 1 && name[0] == '.';
        bool dotdot = len == 2 && name[0] == '.' && name[1] == '.';
        int r = 0, fd = -1;
        if (*name == '/') return -EPERM;
        if (dotdot && (r = leave(w)) < 0) return r;
        if (dot || dotdot) {
            if (last) return open_dot(w);
            w->at = next;
            continue;
        }
        char end = *rest;
        *rest = 0;
        if (last)
            r = open_last(w, name, rest, end == '/', &fd);
        else
            r = enter(w, name, rest, next);
        *rest = end;
        if (r < 0 || fd >= 0) return r < 0 ? r : fd;
    }
}

static int by_walk(int root, const char *path, int flags, unsigned mode) {
    Walk w;
    size_t len = strlen(path);
    if (len == 0) return -ENOENT;
    if (len >= WASI_PATH_MAX) return -ENAMETOOLONG;
    w.root = root;
    w.depth = w.links = w.races = 0;
    w.flags = flags;
    w.mode = mode;
    w.at = w.text + sizeof w.text - len - 1;
    memcpy(w.at, path, len + 1);
    int r = walk_on(&w);
    while (w.depth) close(w.stack[--w.depth]);
    return r;
}

/* ---- interface ---- */

int wasi_open_beneath(const WasiCtx *ctx, int root, const char *path, int flags, unsigned mode) {
    flags |= O_CLOEXEC;
    if (!(flags & O_PATH)) flags |= O_NOCTTY;
    int fd = ctx->openat2 ? by_openat2(root, path, flags, mode) : -EAGAIN;
    return fd == -EAGAIN ? by_walk(root, path, flags, mode) : fd;
}

int wasi_leaf_open(const WasiCtx *ctx, int root, const char *path, WasiLeaf *leaf) {
    size_t len = strlen(path), end = len;
    char dir[WASI_PATH_MAX];
    if (len == 0) return -ENOENT;
    if (path[0] == '/') return -EPERM;
    if (len >= WASI_PATH_MAX) return -ENAMETOOLONG;
    while (path[end - 1] == '/') end--;
    size_t start = end;
    while (start && path[start - 1] != '/') start--;
    const char *name = path + start;
    size_t n = end - start;
    *leaf = (WasiLeaf){.dir = root, .slash = end < len};
    leaf->dotdot = n == 2 && name[0] == '.' && name[1] == '.';
    leaf->special = leaf->dotdot || (n == 1 && name[0] == '.');
    if (n >= sizeof leaf->name) return -ENAMETOOLONG;
    memcpy(leaf->name, leaf->special ? "." : name, leaf->special ? 1 : n);
    size_t keep =
        leaf->special ? end : start; /* `dir` is the named directory itself, or its parent */
    if (!keep) return 0;
    memcpy(dir, path, keep);
    dir[keep] = 0;
    int fd = wasi_open_beneath(ctx, root, dir, O_PATH | O_DIRECTORY, 0);
    if (fd < 0) return fd;
    leaf->dir = fd;
    leaf->own = true;
    return 0;
}

void wasi_leaf_close(WasiLeaf *leaf) {
    if (leaf->own) close(leaf->dir);
    leaf->own = false;
}
