/* What works on contents of files is BADF on a directory. */
#include "file.h"

int main(void) {
    size_t n;
    __wasi_filesize_t at;
    uint8_t buf[16];
    __wasi_iovec_t in = {buf, sizeof buf};
    __wasi_ciovec_t out = {buf, sizeof buf};
    CHECK_ERR(BADF, __wasi_fd_read(DIR_FD, &in, 1, &n));
    CHECK_ERR(BADF, __wasi_fd_pread(DIR_FD, &in, 1, 0, &n));
    CHECK_ERR(BADF, __wasi_fd_write(DIR_FD, &out, 1, &n));
    CHECK_ERR(BADF, __wasi_fd_pwrite(DIR_FD, &out, 1, 0, &n));
    CHECK_ERR(BADF, __wasi_fd_seek(DIR_FD, 0, __WASI_WHENCE_CUR, &at));
    CHECK_ERR(BADF, __wasi_fd_seek(DIR_FD, 0, __WASI_WHENCE_SET, &at));
    CHECK_ERR(BADF, __wasi_fd_seek(DIR_FD, 0, __WASI_WHENCE_END, &at));
    CHECK_ERR(BADF, __wasi_fd_tell(DIR_FD, &at));
    CHECK_ERR(BADF, __wasi_fd_advise(DIR_FD, 0, 0, __WASI_ADVICE_DONTNEED));
    CHECK_ERR(BADF, __wasi_fd_allocate(DIR_FD, 0, 0));
    CHECK_ERR(BADF, __wasi_fd_datasync(DIR_FD));
    CHECK_ERR(BADF, __wasi_fd_sync(DIR_FD));
    CHECK_ERR(BADF, __wasi_fd_fdstat_set_flags(DIR_FD, __WASI_FDFLAGS_NONBLOCK));
    CHECK_ERR(BADF, __wasi_fd_filestat_set_size(DIR_FD, 0));
    return 0;
}
