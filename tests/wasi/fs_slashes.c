/* A slash after the last component, for every function that works on names; and names that cannot be worked on. */
#include "path.h"

int main(void) {
    size_t n;
    uint8_t buf[16];
    touch(ROOT, "file");
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir"));
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir2/"));
    CHECK_ERR(EXIST, __wasi_path_create_directory(ROOT, "dir/"));
    CHECK_ERR(EXIST, __wasi_path_create_directory(ROOT, "file"));
    CHECK_ERR(NOENT, __wasi_path_create_directory(ROOT, "none/x"));

    CHECK_ERR(ISDIR, __wasi_path_unlink_file(ROOT, "dir"));
    CHECK_ERR(ISDIR, __wasi_path_unlink_file(ROOT, "dir/"));
    CHECK_ERR(NOTDIR, __wasi_path_unlink_file(ROOT, "file/"));
    CHECK_ERR(NOENT, __wasi_path_unlink_file(ROOT, "none"));
    CHECK_ERR(NOTDIR, __wasi_path_remove_directory(ROOT, "file"));
    CHECK_ERR(NOTDIR, __wasi_path_remove_directory(ROOT, "file/"));
    CHECK_ERR(NOENT, __wasi_path_remove_directory(ROOT, "none"));
    CHECK_ERR(INVAL, __wasi_path_remove_directory(ROOT, "."));

    CHECK_ERR(NOENT, __wasi_path_symlink("x", ROOT, "link/"));
    CHECK_ERR(EXIST, __wasi_path_symlink("x", ROOT, "dir/"));
    CHECK_ERR(EXIST, __wasi_path_symlink("x", ROOT, "dir"));
    CHECK_ERR(EXIST, __wasi_path_symlink("x", ROOT, "file"));
    CHECK(__wasi_path_symlink("/", ROOT, "link") != 0);
    CHECK_ERR(SUCCESS, __wasi_path_symlink("dir", ROOT, "link"));
    CHECK_ERR(SUCCESS, __wasi_path_readlink(ROOT, "link", buf, sizeof buf, &n));
    CHECK(n == 3 && !memcmp(buf, "dir", 3));
    CHECK_ERR(SUCCESS, __wasi_path_readlink(ROOT, "link", buf, 2, &n));
    CHECK(n == 2);
    CHECK_ERR(INVAL, __wasi_path_readlink(ROOT, "file", buf, sizeof buf, &n));
    CHECK_ERR(INVAL, __wasi_path_readlink(ROOT, "dir", buf, sizeof buf, &n));
    CHECK_ERR(LOOP, try_open(ROOT, 0, "link", 0, 0));
    CHECK_ERR(SUCCESS, try_open(ROOT, FOLLOW, "link", DIRECTORY, 0));
    CHECK_ERR(NOTDIR, __wasi_path_remove_directory(ROOT, "link"));
    CHECK_ERR(SUCCESS, __wasi_path_unlink_file(ROOT, "link"));

    CHECK_ERR(SUCCESS, __wasi_path_rename(ROOT, "dir/", ROOT, "a"));
    CHECK_ERR(SUCCESS, __wasi_path_rename(ROOT, "a", ROOT, "b/"));
    CHECK_ERR(SUCCESS, __wasi_path_rename(ROOT, "b/", ROOT, "c/"));
    CHECK_ERR(SUCCESS, __wasi_path_rename(ROOT, "c", ROOT, "dir"));
    CHECK_ERR(SUCCESS, __wasi_path_rename(ROOT, "dir", ROOT, "dir2")); /* empty: replaced */
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir"));
    touch(ROOT, "dir2/x");
    CHECK_ERR(NOTEMPTY, __wasi_path_rename(ROOT, "dir", ROOT, "dir2"));
    CHECK_ERR(NOTEMPTY, __wasi_path_remove_directory(ROOT, "dir2"));
    CHECK_ERR(NOTDIR, __wasi_path_rename(ROOT, "dir", ROOT, "file"));
    CHECK_ERR(ISDIR, __wasi_path_rename(ROOT, "file", ROOT, "dir"));
    CHECK_ERR(NOENT, __wasi_path_rename(ROOT, "none", ROOT, "x"));
    CHECK_ERR(INVAL, __wasi_path_rename(ROOT, "dir", ROOT, "dir/below"));

    CHECK_ERR(SUCCESS, __wasi_path_link(ROOT, 0, "file", ROOT, "dir/same"));
    CHECK_ERR(EXIST, __wasi_path_link(ROOT, 0, "file", ROOT, "dir/same"));
    CHECK_ERR(EXIST, __wasi_path_link(ROOT, 0, "file", ROOT, "file"));
    CHECK_ERR(EXIST, __wasi_path_link(ROOT, 0, "file", ROOT, "dir"));
    CHECK_ERR(NOENT, __wasi_path_link(ROOT, 0, "file", ROOT, "link/"));
    CHECK_ERR(PERM, __wasi_path_link(ROOT, 0, "dir", ROOT, "link"));
    CHECK_ERR(INVAL, __wasi_path_link(ROOT, FOLLOW, "file", ROOT, "link"));
    CHECK_ERR(SUCCESS, __wasi_path_symlink("nowhere", ROOT, "dangling"));
    CHECK_ERR(EXIST, __wasi_path_link(ROOT, 0, "file", ROOT, "dangling"));
    CHECK_ERR(SUCCESS, __wasi_path_link(ROOT, 0, "dangling", ROOT, "dangling2"));
    CHECK_ERR(SUCCESS, __wasi_path_unlink_file(ROOT, "dangling2"));
    return 0;
}
