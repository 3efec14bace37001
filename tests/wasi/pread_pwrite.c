/* Reading and writing at a place leave the position alone; holes are zeros; nothing written, nothing grown. */
#include "file.h"

static size_t pwrite_text(__wasi_fd_t fd, const char *text, uint64_t at) {
    size_t n;
    __wasi_ciovec_t v = {(const uint8_t *)text, strlen(text)};
    CHECK_ERR(SUCCESS, __wasi_fd_pwrite(fd, &v, 1, at, &n));
    return n;
}

int main(void) {
    char buf[16];
    size_t n;
    __wasi_iovec_t v = {(uint8_t *)buf, sizeof buf};
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, 0);
    CHECK(pwrite_text(fd, "abcd", 0) == 4);
    CHECK(pwrite_text(fd, "", 50) == 0);
    CHECK(size_of(fd) == 4);
    CHECK(pwrite_text(fd, "XY", 6) == 2);
    CHECK(size_of(fd) == 8 && tell(fd) == 0);
    CHECK_ERR(SUCCESS, __wasi_fd_pread(fd, &v, 1, 2, &n));
    CHECK(n == 6 && !memcmp(buf, "cd\0\0XY", 6));
    CHECK_ERR(SUCCESS, __wasi_fd_pread(fd, &v, 1, 8, &n));
    CHECK(n == 0);
    CHECK(tell(fd) == 0);
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));
    CHECK_ERR(BADF, __wasi_fd_pread(fd, &v, 1, 0, &n));
    return 0;
}
