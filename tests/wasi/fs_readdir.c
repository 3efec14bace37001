/* fd_readdir by system calls: entries, cookies, truncated entries, the end. */
#include "path.h"

enum { FILES = 200 };
static uint8_t buf[4096];

/* Whole entries of one call; their cookies and the first name. */
static int entries(__wasi_fd_t fd, size_t size, __wasi_dircookie_t cookie, size_t *used,
                   __wasi_dircookie_t *last) {
    int count = 0;
    CHECK_ERR(SUCCESS, __wasi_fd_readdir(fd, buf, size, cookie, used));
    CHECK(*used <= size);
    for (size_t p = 0; p + sizeof(__wasi_dirent_t) <= *used; count++) {
        __wasi_dirent_t e;
        memcpy(&e, buf + p, sizeof e);
        p += sizeof e + e.d_namlen;
        if (p > *used) break;
        *last = e.d_next;
    }
    return count;
}

int main(void) {
    char name[32];
    size_t used;
    __wasi_dircookie_t next = 0;
    __wasi_filestat_t st;
    __wasi_dirent_t e;
    CHECK_ERR(SUCCESS, __wasi_fd_filestat_get(ROOT, &st));
    CHECK(entries(ROOT, sizeof buf, 0, &used, &next) == 2 && used == 24 + 1 + 24 + 2);
    memcpy(&e, buf, sizeof e);
    CHECK(e.d_namlen == 1 && buf[24] == '.' && e.d_type == __WASI_FILETYPE_DIRECTORY);
    CHECK(e.d_ino == st.ino);
    CHECK(entries(ROOT, sizeof buf, next, &used, &next) == 0 && used == 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file.%d", i);
        touch(ROOT, name);
    }
    /* in pieces of every size that holds an entry */
    for (size_t size = 64; size <= sizeof buf; size = size * 3 / 2 + 1) {
        int total = 0;
        next = 0;
        do total += entries(ROOT, size, next, &used, &next);
        while (used == size);
        CHECK(total == FILES + 2);
    }
    CHECK(entries(ROOT, sizeof buf, next + 1, &used, &next) == 0 && used == 0);
    /* a buffer too small for anything is filled all the same */
    CHECK(entries(ROOT, 10, 0, &used, &next) == 0 && used == 10);
    CHECK(entries(ROOT, 0, 0, &used, &next) == 0 && used == 0);
    /* kinds and inode numbers */
    CHECK_ERR(SUCCESS, __wasi_path_create_directory(ROOT, "dir"));
    __wasi_fd_t dir = must_open(ROOT, "dir", DIRECTORY, 0);
    CHECK_ERR(SUCCESS, __wasi_path_symlink("x", dir, "Действие"));
    CHECK(entries(dir, sizeof buf, 2, &used, &next) == 1);
    memcpy(&e, buf, sizeof e);
    CHECK(e.d_namlen == 16 && !memcmp(buf + 24, "Действие", 16));
    CHECK(e.d_type == __WASI_FILETYPE_SYMBOLIC_LINK);
    CHECK_ERR(SUCCESS, __wasi_path_filestat_get(dir, 0, "Действие", &st));
    CHECK(st.ino == e.d_ino);
    CHECK_ERR(BADF, __wasi_fd_readdir(99, buf, sizeof buf, 0, &used));
    return 0;
}
