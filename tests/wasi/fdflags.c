/* Flags of an open file: set when it is opened, changed later, shown by fdstat. */
#include "file.h"

static unsigned flags(__wasi_fd_t fd) {
    __wasi_fdstat_t st;
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_filetype == __WASI_FILETYPE_REGULAR_FILE);
    return st.fs_flags;
}

int main(void) {
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, __WASI_FDFLAGS_APPEND);
    CHECK(flags(fd) == __WASI_FDFLAGS_APPEND);
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_NONBLOCK));
    CHECK(flags(fd) == __WASI_FDFLAGS_NONBLOCK);
    CHECK_ERR(SUCCESS,
              __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_NONBLOCK));
    CHECK(flags(fd) == (__WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_NONBLOCK));
    CHECK(write_text(fd, "abc") == 3); /* a file is always ready */
    CHECK_ERR(INVAL, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_SYNC));
    CHECK_ERR(INVAL, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_DSYNC));
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_set_flags(fd, 0));
    CHECK(flags(fd) == 0);
    CHECK_ERR(BADF, __wasi_fd_fdstat_set_flags(DIR_FD, 0));
    CHECK_ERR(BADF, __wasi_fd_fdstat_set_flags(99, 0));
    return 0;
}
