/* tests/wasi/path.h — system calls on paths below the preopened directory 3, for programs that check error numbers. */
#ifndef PATH_H
#define PATH_H
#include "check.h"

enum { ROOT = 3 };
#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW
#define CREAT __WASI_OFLAGS_CREAT
#define EXCL __WASI_OFLAGS_EXCL
#define TRUNC __WASI_OFLAGS_TRUNC
#define DIRECTORY __WASI_OFLAGS_DIRECTORY
#define RD __WASI_RIGHTS_FD_READ
#define WR __WASI_RIGHTS_FD_WRITE

/* Opens and closes again. */
static inline int try_open(__wasi_fd_t dir, int lookup, const char *path, int oflags,
                           __wasi_rights_t rights) {
    __wasi_fd_t fd;
    int err = __wasi_path_open(dir, (__wasi_lookupflags_t)lookup, path, (__wasi_oflags_t)oflags,
                               rights, 0, 0, &fd);
    if (!err) CHECK_ERR(SUCCESS, __wasi_fd_close(fd));
    return err;
}
static inline __wasi_fd_t must_open(__wasi_fd_t dir, const char *path, int oflags,
                                    __wasi_rights_t rights) {
    __wasi_fd_t fd;
    CHECK_ERR(SUCCESS, __wasi_path_open(dir, 0, path, (__wasi_oflags_t)oflags, rights, 0, 0, &fd));
    CHECK(fd > 2);
    return fd;
}
static inline void touch(__wasi_fd_t dir, const char *path) {
    CHECK_ERR(SUCCESS, try_open(dir, 0, path, CREAT, 0));
}
/* The path is the bytes of a literal, zeros included. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_open"))) int
raw_path_open(int dir, int lookup, const char *path, size_t len, int oflags, uint64_t base,
              uint64_t inheriting, int fdflags, __wasi_fd_t *fd);
#define OPEN_BYTES(literal) \
    raw_path_open(ROOT, 0, literal, sizeof literal - 1, 0, 0, 0, 0, &(__wasi_fd_t){0})
#endif
