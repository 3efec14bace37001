/* The position of a file: seek, tell, reading and writing move it, append does not obey it. */
#include "file.h"

int main(void) {
    char buf[100];
    __wasi_filesize_t at;
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, 0);
    CHECK(tell(fd) == 0);
    memset(buf, 'x', sizeof buf);
    CHECK(write_text(fd, "0123456789") == 10);
    CHECK(tell(fd) == 10);
    CHECK(seek(fd, -5, __WASI_WHENCE_CUR) == 5);
    CHECK(seek(fd, 0, __WASI_WHENCE_SET) == 0);
    CHECK(seek(fd, -1, __WASI_WHENCE_END) == 9);
    CHECK(read_bytes(fd, buf, 10) == 1 && buf[0] == '9' && buf[1] == 'x');
    CHECK(seek(fd, 1000, __WASI_WHENCE_CUR) == 1010); /* beyond the end is fine */
    CHECK(read_bytes(fd, buf, 10) == 0);
    CHECK(size_of(fd) == 10);
    CHECK_ERR(INVAL, __wasi_fd_seek(fd, -2000, __WASI_WHENCE_CUR, &at));
    CHECK_ERR(INVAL, __wasi_fd_seek(fd, -1, __WASI_WHENCE_SET, &at));
    CHECK_ERR(INVAL, __wasi_fd_seek(fd, -11, __WASI_WHENCE_END, &at));
    CHECK(tell(fd) == 1010);
    CHECK(seek(fd, 2, __WASI_WHENCE_SET) == 2);
    CHECK(read_bytes(fd, buf, 3) == 3 && !memcmp(buf, "234x", 4));
    CHECK(tell(fd) == 5);
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));

    fd = open_file("file", 0, __WASI_FDFLAGS_APPEND);
    CHECK(seek(fd, 0, __WASI_WHENCE_SET) == 0);
    CHECK(write_text(fd, "ab") == 2);
    CHECK(size_of(fd) == 12);
    CHECK(seek(fd, 0, __WASI_WHENCE_SET) == 0);
    CHECK(read_bytes(fd, buf, 100) == 12 && !memcmp(buf, "0123456789ab", 12));
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_set_flags(fd, 0));
    CHECK(seek(fd, 0, __WASI_WHENCE_SET) == 0);
    CHECK(write_text(fd, "X") == 1);
    CHECK(size_of(fd) == 12);
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));
    return 0;
}
