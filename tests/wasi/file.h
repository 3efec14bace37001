/* tests/wasi/file.h — files below the preopened directory d (descriptor 3), opened by system calls. */
#ifndef FILE_H
#define FILE_H
#include "check.h"

enum { DIR_FD = 3 };
#define ALL_RIGHTS ((__wasi_rights_t)0x1fffffff)

static inline __wasi_rights_t rights_below(void) {
    __wasi_fdstat_t st;
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_get(DIR_FD, &st));
    return st.fs_rights_inheriting;
}
/* With everything a file can have. */
static inline __wasi_fd_t open_file(const char *name, __wasi_oflags_t oflags,
                                    __wasi_fdflags_t flags) {
    __wasi_fd_t fd;
    CHECK_ERR(SUCCESS, __wasi_path_open(DIR_FD, 0, name, oflags, rights_below(), 0, flags, &fd));
    return fd;
}
static inline size_t write_text(__wasi_fd_t fd, const char *text) {
    size_t n;
    __wasi_ciovec_t v = {(const uint8_t *)text, strlen(text)};
    CHECK_ERR(SUCCESS, __wasi_fd_write(fd, &v, 1, &n));
    return n;
}
static inline size_t read_bytes(__wasi_fd_t fd, void *buf, size_t len) {
    size_t n;
    __wasi_iovec_t v = {buf, len};
    CHECK_ERR(SUCCESS, __wasi_fd_read(fd, &v, 1, &n));
    return n;
}
static inline uint64_t seek(__wasi_fd_t fd, int64_t offset, int whence) {
    __wasi_filesize_t at;
    CHECK_ERR(SUCCESS, __wasi_fd_seek(fd, offset, (uint8_t)whence, &at));
    return at;
}
static inline uint64_t tell(__wasi_fd_t fd) {
    __wasi_filesize_t at;
    CHECK_ERR(SUCCESS, __wasi_fd_tell(fd, &at));
    return at;
}
static inline uint64_t size_of(__wasi_fd_t fd) {
    __wasi_filestat_t st;
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    return st.size;
}
#endif
