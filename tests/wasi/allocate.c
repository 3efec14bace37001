/* Room for a file: it grows if it has to, what it contains stays. */
#include "file.h"

int main(void) {
    char buf[8];
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, 0);
    CHECK(write_text(fd, "abc") == 3);
    CHECK_ERR(SUCCESS, __wasi_fd_allocate(fd, 0, 100));
    CHECK(size_of(fd) == 100);
    CHECK_ERR(SUCCESS, __wasi_fd_allocate(fd, 10, 10));
    CHECK(size_of(fd) == 100);
    CHECK_ERR(SUCCESS, __wasi_fd_allocate(fd, 90, 20));
    CHECK(size_of(fd) == 110);
    CHECK_ERR(INVAL, __wasi_fd_allocate(fd, 0, 0));
    CHECK_ERR(FBIG, __wasi_fd_allocate(fd, 1ull << 62, 1ull << 62));
    CHECK(seek(fd, 0, __WASI_WHENCE_SET) == 0);
    CHECK(read_bytes(fd, buf, 4) == 4 && !memcmp(buf, "abc", 4));
    return 0;
}
