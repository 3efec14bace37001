/* The functions whose numbers or layouts changed after snapshot 0, as a module of that time calls them. */
#include "file.h"

#define OLD(name) __attribute__((import_module("wasi_unstable"), import_name(#name)))
OLD(fd_seek) int old_seek(int fd, int64_t offset, int whence, uint64_t *at);
OLD(fd_filestat_get) int old_filestat(int fd, void *out);
OLD(path_filestat_get)
int old_path_filestat(int fd, int flags, const char *path, size_t len, void *out);
OLD(poll_oneoff) int old_poll(const void *in, void *out, size_t n, size_t *done);
OLD(fd_write) int old_write(int fd, const __wasi_ciovec_t *v, size_t n, size_t *done);

struct old_stat {
    uint64_t dev, ino;
    uint8_t type;
    uint32_t nlink;
    uint64_t size, atim, mtim, ctim, end;
};
struct old_clock {
    uint64_t userdata;
    uint8_t tag;
    uint64_t identifier;
    uint32_t id;
    uint64_t timeout, precision;
    uint16_t flags;
};
struct old_fd {
    uint64_t userdata;
    uint8_t tag;
    uint32_t fd, pad[9];
};
_Static_assert(sizeof(struct old_stat) == 64 && sizeof(struct old_clock) == 56 &&
                   sizeof(struct old_fd) == 56,
               "");

int main(void) {
    enum { CUR, END, SET };
    uint64_t at;
    size_t n;
    struct old_stat st = {.end = 77};
    __wasi_fd_t fd = open_file("file", __WASI_OFLAGS_CREAT, 0);
    __wasi_ciovec_t v = {(const uint8_t *)"0123456789", 10};
    CHECK_ERR(SUCCESS, old_write(fd, &v, 1, &n));
    CHECK(n == 10);
    CHECK_ERR(SUCCESS, old_seek(fd, -3, END, &at));
    CHECK(at == 7);
    CHECK_ERR(SUCCESS, old_seek(fd, -3, CUR, &at));
    CHECK(at == 4);
    CHECK_ERR(SUCCESS, old_seek(fd, 1, SET, &at));
    CHECK(at == 1 && tell(fd) == 1);
    CHECK_ERR(SUCCESS, old_filestat(fd, &st));
    CHECK(st.size == 10 && st.nlink == 1 && st.type == __WASI_FILETYPE_REGULAR_FILE &&
          st.end == 77);
    uint64_t ino = st.ino;
    memset(&st, 0, sizeof st);
    CHECK_ERR(SUCCESS, old_path_filestat(DIR_FD, 0, "file", 4, &st));
    CHECK(st.size == 10 && st.nlink == 1 && st.ino == ino && st.end == 0);
    struct {
        struct old_clock clock;
        struct old_fd fd;
    } in = {{.userdata = 1, .id = __WASI_CLOCKID_MONOTONIC, .timeout = 3600000000000},
            {.userdata = 2, .tag = __WASI_EVENTTYPE_FD_READ, .fd = fd}};
    __wasi_event_t out[2];
    CHECK_ERR(SUCCESS, old_poll(&in, out, 2, &n));
    CHECK(n == 1 && out[0].userdata == 2 && out[0].error == 0 &&
          out[0].type == __WASI_EVENTTYPE_FD_READ);
    in.clock.timeout = 1000;
    CHECK_ERR(SUCCESS, old_poll(&in, out, 1, &n));
    CHECK(n == 1 && out[0].userdata == 1 && out[0].type == __WASI_EVENTTYPE_CLOCK);
    return 0;
}
