/* fd_renumber: the old number is gone, the new one is the old file, and nothing is leaked on the way. */
#include "file.h"

int main(void) {
    __wasi_fdstat_t st;
    __wasi_fd_t a = open_file("a", __WASI_OFLAGS_CREAT, 0),
                b = open_file("b", __WASI_OFLAGS_CREAT, 0);
    CHECK(write_text(a, "file a") == 6);
    CHECK_ERR(SUCCESS, __wasi_fd_renumber(a, b));
    CHECK_ERR(BADF, __wasi_fd_close(a));
    CHECK(size_of(b) == 6 && tell(b) == 6);
    CHECK_ERR(SUCCESS, __wasi_fd_renumber(b, b));
    CHECK(tell(b) == 6);
    CHECK_ERR(BADF, __wasi_fd_renumber(b, 127)); /* only onto a number that is open */
    CHECK_ERR(BADF, __wasi_fd_renumber(b, (__wasi_fd_t)-1));
    CHECK_ERR(BADF, __wasi_fd_renumber(127, b));
    CHECK(tell(b) == 6);
    CHECK_ERR(SUCCESS, __wasi_fd_renumber(0, 0));
    for (int i = 0; i < 3000; i++) { /* more often than a process has descriptors */
        __wasi_fd_t next = open_file("a", 0, 0);
        CHECK_ERR(SUCCESS, __wasi_fd_renumber(b, next));
        b = next;
    }
    CHECK_ERR(SUCCESS, __wasi_fd_close(b));
    CHECK_ERR(BADF, __wasi_fd_fdstat_get(b, &st));
    return 0;
}
