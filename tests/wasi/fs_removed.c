/* What is open stays usable after its name is gone; the name can be used again. */
#include "path.h"

int main(void) {
    size_t n;
    uint8_t buf[16];
    __wasi_filestat_t st;
    __wasi_ciovec_t out = {(const uint8_t *)"kept", 4};
    __wasi_iovec_t in = {buf, sizeof buf};
    __wasi_fd_t fd = must_open(ROOT, "file", CREAT, RD | WR);
    CHECK_ERR(SUCCESS, __wasi_path_unlink_file(ROOT, "file"));
    CHECK_ERR(SUCCESS, __wasi_fd_write(fd, &out, 1, &n));
    CHECK_ERR(SUCCESS, __wasi_fd_pread(fd, &in, 1, 0, &n));
    CHECK(n == 4 && !memcmp(buf, "kept", 4));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(fd, &st));
    CHECK(st.size == 4 && st.nlink == 0);
    touch(ROOT, "file");
    CHECK_ERR(SUCCESS, __wasi_path_filestat_get(ROOT, 0, "file", &st));
    CHECK(st.size == 0);
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));

    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir"));
    fd = must_open(ROOT, "dir", DIRECTORY, 0);
    CHECK_ERR(SUCCESS, __wasi_path_remove_directory(ROOT, "dir"));
    CHECK_ERR(NOENT, try_open(fd, 0, "x", CREAT, 0));
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir"));
    touch(ROOT, "dir/x");
    CHECK_ERR(NOENT, try_open(fd, 0, "x", 0, 0)); /* another directory now */
    CHECK_ERR(SUCCESS, __wasi_fd_close(fd));

    /* a directory that moved is followed by its descriptor */
    fd = must_open(ROOT, "dir", DIRECTORY, 0);
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "other"));
    CHECK_ERR(SUCCESS, __wasi_path_rename(ROOT, "dir", ROOT, "other/moved"));
    CHECK_ERR(SUCCESS, try_open(fd, 0, "x", 0, 0));
    touch(fd, "y");
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, "other/moved/y", 0, 0));

    CHECK_ERR(SUCCESS, __wasi_path_symlink("nowhere", ROOT, "dangling"));
    CHECK_ERR(LOOP, try_open(ROOT, 0, "dangling", 0, 0));
    CHECK_ERR(NOENT, try_open(ROOT, FOLLOW, "dangling", 0, 0));
    CHECK_ERR(SUCCESS, __wasi_path_symlink("loop", ROOT, "loop"));
    CHECK_ERR(LOOP, try_open(ROOT, 0, "loop", 0, 0));
    CHECK_ERR(LOOP, try_open(ROOT, FOLLOW, "loop", 0, 0));
    CHECK_ERR(SUCCESS, __wasi_path_filestat_get(ROOT, 0, "loop", &st));
    CHECK(st.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    CHECK_ERR(LOOP, __wasi_path_filestat_get(ROOT, FOLLOW, "loop", &st));
    return 0;
}
