/* Size and times of an open file; advice and synchronising change neither. */
#include "file.h"

int main(void) {
    __wasi_filestat_t a, b;
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, 0);
    CHECK(size_of(fd) == 0);
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_set_size(fd, 100));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(fd, &a));
    CHECK(a.size == 100 && a.nlink == 1 && a.filetype == __WASI_FILETYPE_REGULAR_FILE);
    for (int advice = 0; advice < 6; advice++)
        CHECK_ERR(SUCCESS, __wasi_fd_advise(fd, 10, 50, (uint8_t)advice));
    CHECK_ERR(SUCCESS, __wasi_fd_sync(fd));
    CHECK_ERR(SUCCESS, __wasi_fd_datasync(fd));
    CHECK_ERR(SUCCESS,
              __wasi_fd_filestat_set_times(fd, 1000000000, 2500000000, __WASI_FSTFLAGS_MTIM));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(fd, &b));
    CHECK(b.size == 100 && b.ino == a.ino && b.dev == a.dev);
    CHECK(b.mtim == 2500000000 && b.atim == a.atim);
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_set_times(
                           fd, 1000000001, 0, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM_NOW));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(fd, &b));
    CHECK(b.atim == 1000000001 && b.mtim > 1600000000000000000);
    CHECK_ERR(INVAL, __wasi_fd_filestat_set_times(fd, 0, 0,
                                                  __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    CHECK_ERR(INVAL, __wasi_fd_filestat_set_times(fd, 0, 0,
                                                  __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_set_size(fd, 0));
    CHECK(size_of(fd) == 0);
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(DIR_FD, &a));
    CHECK(a.filetype == __WASI_FILETYPE_DIRECTORY);
    return 0;
}
