/* Rights shrink and never grow, and a call without its right is NOTCAPABLE. */
#include "file.h"

int main(void) {
    __wasi_fdstat_t st;
    __wasi_filesize_t at;
    __wasi_fd_t fd;
    size_t n;
    const __wasi_rights_t few = __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_TELL;
    __wasi_ciovec_t out = {(const uint8_t *)"x", 1};
    CHECK_ERR(SUCCESS, __wasi_fd_close(open_file("file", __WASI_OFLAGS_CREAT, 0)));
    CHECK_ERR(SUCCESS,
              __wasi_path_open(DIR_FD, 0, "file", 0, few | __WASI_RIGHTS_FD_SEEK, 0, 0, &fd));
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_rights_base == (few | __WASI_RIGHTS_FD_SEEK));
    CHECK_ERR(BADF, __wasi_fd_write(fd, &out, 1, &n)); /* it was not opened for that */
    CHECK(seek(fd, 1, __WASI_WHENCE_SET) == 1);
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_set_rights(fd, few, 0));
    CHECK_ERR(NOTCAPABLE, __wasi_fd_fdstat_set_rights(fd, few | __WASI_RIGHTS_FD_SEEK, 0));
    CHECK_ERR(NOTCAPABLE, __wasi_fd_fdstat_set_rights(fd, few, few));
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_rights_base == few && st.fs_rights_inheriting == 0);
    CHECK_ERR(NOTCAPABLE, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    CHECK(tell(fd) == 1);
    CHECK_ERR(NOTCAPABLE, __wasi_fd_filestat_set_size(fd, 0));
    CHECK_ERR(NOTCAPABLE, __wasi_fd_sync(fd));
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd)); /* takes no right */
    return 0;
}
