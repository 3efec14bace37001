/* Paths with dots, slashes, zeros, too many dots, absolute paths; names at the limit. */
#include "path.h"

int main(void) {
    static char longest[4100];
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir"));
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir/nested"));
    touch(ROOT, "dir/nested/file");
    static const char *const good[] = {
        "dir/nested/file",
        "./dir/nested/file",
        "dir//nested///file",
        "dir/./nested/./.",
        "dir/.//nested/../../dir/nested/../nested///./file",
        ".",
        "./",
        "dir/..",
        "dir/../",
        "dir/nested/../..",
        "dir/nested/",
        "dir/nested///",
        "dir/nested/.",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_ERR(SUCCESS, try_open(ROOT, 0, good[i], 0, 0));
    static const char *const out[] = {
        "/",
        "/dir/nested/file",
        "//dir",
        "..",
        "../",
        "dir/../..",
        "dir/nested/../../../x",
        "dir/../../.",
        "./dir/nested/./../../..",
    };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        CHECK_ERR(PERM, try_open(ROOT, 0, out[i], 0, 0));
        CHECK_ERR(PERM, try_open(ROOT, FOLLOW, out[i], 0, 0));
        CHECK_ERR(PERM, __wasi_path_filestat_get(ROOT, 0, out[i], &(__wasi_filestat_t){0}));
    }
    static const char *const not_directory[] = {"dir/nested/file/", "dir/nested/file///",
                                                "dir/nested/file/.", "dir/nested/file/..",
                                                "dir/nested/file/x"};
    for (size_t i = 0; i < sizeof not_directory / sizeof *not_directory; i++)
        CHECK_ERR(NOTDIR, try_open(ROOT, 0, not_directory[i], 0, 0));
    CHECK_ERR(INVAL, OPEN_BYTES("dir/nested/file\0"));
    CHECK_ERR(INVAL, OPEN_BYTES("dir\0/nested/file"));
    CHECK_ERR(INVAL, OPEN_BYTES("\0"));

    memset(longest, 'x', 255);
    touch(ROOT, longest);
    CHECK_ERR(SUCCESS, __wasi_path_unlink_file(ROOT, longest));
    longest[255] = 'x';
    CHECK_ERR(NAMETOOLONG, try_open(ROOT, 0, longest, CREAT, 0));
    for (size_t i = 0; i < 4095; i++) longest[i] = i % 2 ? '/' : '.';
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, longest, 0, 0));

    /* below a directory that was opened, its parent is outside */
    __wasi_fd_t dir = must_open(ROOT, "dir", DIRECTORY, 0);
    CHECK_ERR(SUCCESS, try_open(dir, 0, "nested/file", 0, 0));
    CHECK_ERR(PERM, try_open(dir, 0, "../dir/nested/file", 0, 0));
    touch(dir, "new");
    CHECK_ERR(SUCCESS, try_open(ROOT, 0, "dir/new", 0, 0));
    return 0;
}
