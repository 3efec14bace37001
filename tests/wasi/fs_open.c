/* path_open: creation, exclusion, truncation, directories, wrong arguments, with the error numbers. */
#include "path.h"

int main(void) {
    __wasi_fd_t fd;
    __wasi_filestat_t st;
    size_t n;
    __wasi_ciovec_t text = {(const uint8_t *)"some text", 9};
    CHECK_ERR(NOENT, try_open(ROOT, 0, "f", 0, 0));
    CHECK_ERR(NOENT, try_open(ROOT, 0, "f", TRUNC, RD | WR));
    touch(ROOT, "f");
    touch(ROOT, "f");
    CHECK_ERR(EXIST, try_open(ROOT, 0, "f", CREAT | EXCL, 0));
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "d"));
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, "d", 0, 0));
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, "d", DIRECTORY, RD));
    CHECK_ERR(ISDIR, try_open(ROOT, 0, "d", DIRECTORY, RD | WR));
    CHECK_ERR(ISDIR, try_open(ROOT, 0, "d", 0, WR));
    CHECK_ERR(ISDIR, try_open(ROOT, 0, "d", CREAT, 0));
    CHECK_ERR(NOTDIR, try_open(ROOT, 0, "f", DIRECTORY, 0));
    CHECK_ERR(NOTDIR, try_open(ROOT, 0, "f/x", 0, 0));
    CHECK_ERR(NOENT, try_open(ROOT, 0, "none/x", CREAT, 0));
    CHECK_ERR(NOENT, try_open(ROOT, 0, "", 0, 0));
    CHECK_ERR(INVAL, try_open(ROOT, 0, "d", DIRECTORY | CREAT, 0));
    CHECK_ERR(INVAL, try_open(ROOT, 0, "d", DIRECTORY | TRUNC, 0));
    CHECK_ERR(INVAL, try_open(ROOT, 0, "d", DIRECTORY | EXCL, 0));
    CHECK_ERR(BADF, try_open(99, 0, "f", 0, 0));
    fd = must_open(ROOT, "f", 0, RD);
    CHECK_ERR(NOTDIR, try_open(fd, 0, "x", CREAT, 0)); /* below a file */
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));

    fd = must_open(ROOT, "f", 0, WR);
    CHECK_ERR(SUCCESS, __wasi_fd_write(fd, &text, 1, &n));
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));
    CHECK_ERR(SUCCESS, __wasi_path_filestat_get(ROOT, 0, "f", &st));
    CHECK(st.size == 9 && st.filetype == __WASI_FILETYPE_REGULAR_FILE);
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, "f", CREAT | TRUNC, RD | WR));
    CHECK_ERR(SUCCESS, __wasi_path_filestat_get(ROOT, 0, "f", &st));
    CHECK(st.size == 0);

    /* numbers are given out lowest first and come back */
    __wasi_fd_t a = must_open(ROOT, "f", 0, RD), b = must_open(ROOT, "f", 0, RD);
    CHECK(b == a + 1);
    CHECK_ERR(SUCCESS, __wasi_fd_close(a));
    CHECK(must_open(ROOT, "d", 0, 0) == a);

    /* many times */
    for (int i = 0; i < 2000; i++) {
        uint8_t c;
        __wasi_iovec_t in = {&c, 1};
        fd = must_open(ROOT, "f", 0, RD);
        CHECK_ERR(SUCCESS, __wasi_fd_read(fd, &in, 1, &n));
        CHECK(n == 0);
        CHECK_ERR(SUCCESS, __wasi_fd_close(fd));
    }
    return 0;
}
