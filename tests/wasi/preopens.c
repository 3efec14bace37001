/* Preopened directories: names, order, closing one, renumbering onto one. */
#include "check.h"
#include <sys/stat.h>

int main(void) {
    __wasi_prestat_t ps;
    __wasi_fdstat_t st;
    __wasi_filestat_t before, after;
    struct stat s;
    uint8_t name[16];
    CHECK_ERR(SUCCESS, __wasi_fd_prestat_get(3, &ps));
    CHECK(ps.tag == __WASI_PREOPENTYPE_DIR && ps.u.dir.pr_name_len == 1);
    CHECK_ERR(SUCCESS, __wasi_fd_prestat_get(4, &ps));
    CHECK(ps.tag == __WASI_PREOPENTYPE_DIR && ps.u.dir.pr_name_len == 6);
    memset(name, '#', sizeof name);
    CHECK_ERR(SUCCESS, __wasi_fd_prestat_dir_name(4, name, 6));
    CHECK(!memcmp(name, "second#", 7));
    CHECK_ERR(SUCCESS, __wasi_fd_prestat_dir_name(4, name + 1, 10));
    CHECK(!memcmp(name, "ssecond#", 8));
    CHECK_ERR(NAMETOOLONG, __wasi_fd_prestat_dir_name(4, name, 5));
    CHECK_ERR(BADF, __wasi_fd_prestat_get(5, &ps));
    CHECK_ERR(BADF, __wasi_fd_prestat_dir_name(5, name, 5));
    CHECK_ERR(BADF, __wasi_fd_prestat_get(1, &ps));
    CHECK_ERR(NOTDIR, __wasi_fd_prestat_dir_name(1, name, 5));
    CHECK_ERR(SUCCESS, __wasi_fd_fdstat_get(3, &st));
    CHECK(st.fs_filetype == __WASI_FILETYPE_DIRECTORY);
    CHECK(stat("second", &s) == 0 && S_ISDIR(s.st_mode));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(4, &before));
    CHECK_ERR(SUCCESS, __wasi_fd_renumber(4, 3));
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(3, &after));
    CHECK(before.ino == after.ino && before.dev == after.dev);
    CHECK_ERR(BADF, __wasi_fd_fdstat_get(4, &st));
    CHECK_ERR(SUCCESS, __wasi_fd_close(3));
    CHECK_ERR(BADF, __wasi_fd_fdstat_get(3, &st));
    CHECK_ERR(BADF, __wasi_fd_prestat_get(3, &ps));
    return 0;
}
