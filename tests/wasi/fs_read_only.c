/* A read-only directory: everything can be read, nothing changed, nor moved or linked to where it could be. */
#include "path.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RO = 4 };

/* Wasmtime says PERM. */
static void refused(int err, int line) {
    if (err == __WASI_ERRNO_ROFS || err == __WASI_ERRNO_PERM) return;
    fprintf(stderr, "line %d: %d\n", line, err);
    exit(1);
}
#define REFUSED(call) refused(call, __LINE__)

static void by_calls(__wasi_fd_t dir) {
    REFUSED(try_open(dir, 0, "file", 0, WR));
    REFUSED(try_open(dir, 0, "file", 0, RD | WR));
    REFUSED(try_open(dir, 0, "file", TRUNC, RD));
    REFUSED(try_open(dir, 0, "file", CREAT, RD));
    REFUSED(try_open(dir, 0, "new", CREAT, RD));
    REFUSED(__wasi_path_create_directory(dir, "new"));
    REFUSED(__wasi_path_remove_directory(dir, "sub"));
    REFUSED(__wasi_path_unlink_file(dir, "file"));
    REFUSED(__wasi_path_symlink("file", dir, "new"));
    REFUSED(__wasi_path_filestat_set_times(dir, 0, "file", 1, 1, __WASI_FSTFLAGS_MTIM));
    REFUSED(__wasi_path_rename(dir, "file", dir, "new"));
    REFUSED(__wasi_path_rename(dir, "file", ROOT, "stolen"));
    REFUSED(__wasi_path_rename(ROOT, "mine", dir, "file"));
    REFUSED(__wasi_path_link(dir, 0, "file", ROOT, "stolen"));
    REFUSED(__wasi_path_link(ROOT, 0, "mine", dir, "new"));
    REFUSED(__wasi_path_link(dir, 0, "file", dir, "new"));
}

int main(void) {
    char text[32] = {0};
    struct stat st;
    int entries = 0;
    touch(ROOT, "mine");
    by_calls(RO);
    by_calls(must_open(RO, "sub", DIRECTORY, 0));
    CHECK(open("/ro/file", O_WRONLY) == -1 && open("/ro/new", O_CREAT | O_RDONLY, 0666) == -1);
    CHECK(mkdir("/ro/d", 0777) == -1 && unlink("/ro/sub/file") == -1);
    int fd = open("/ro/file", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 10 && !strcmp(text, "as it was\n"));
    CHECK(write(fd, "x", 1) == -1 && ftruncate(fd, 0) == -1);
    CHECK(futimens(fd, NULL) == -1);
    CHECK(stat("/ro/sub/file", &st) == 0 && st.st_size == 6);
    DIR *d = opendir("/ro");
    CHECK(d);
    while (readdir(d)) entries++;
    CHECK(entries == 4);
    CHECK(access("/stolen", F_OK) == -1);
    return 0;
}
