/* Standard streams: what they are, reading to the end, gathering writes, renumbering onto themselves. */
#include "check.h"
#include <sys/uio.h>
#include <unistd.h>

int main(void) {
    __wasi_fdstat_t st;
    char line[64];
    for (__wasi_fd_t fd = 0; fd < 3; fd++) {
        CHECK_ERR(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
        CHECK(st.fs_rights_base & (fd ? __WASI_RIGHTS_FD_WRITE : __WASI_RIGHTS_FD_READ));
        CHECK(!isatty(fd));
        CHECK_ERR(SUCCESS, __wasi_fd_renumber(fd, fd));
        CHECK_ERR(BADF, __wasi_fd_renumber(fd, fd + 100));
    }
    CHECK_ERR(BADF, __wasi_fd_fdstat_get(3, &st));
    CHECK_ERR(BADF, __wasi_fd_close(3));
    int lines = 0;
    while (fgets(line, sizeof line, stdin)) printf("%d: %s", ++lines, line);
    CHECK(feof(stdin) && lines == 3);
    fflush(stdout);
    struct iovec v[] = {{"a", 1}, {"", 0}, {"bc", 2}, {"\n", 1}};
    for (int i = 0; i < 4;) { /* any number of them may go at a time */
        ssize_t n = writev(1, v + i, 4 - i);
        CHECK(n >= 0);
        while (i < 4 && (size_t)n >= v[i].iov_len) n -= (ssize_t)v[i++].iov_len;
        CHECK(n == 0 || i < 4);
        if (n) v[i].iov_base = (char *)v[i].iov_base + n, v[i].iov_len -= (size_t)n;
    }
    CHECK(write(2, "to stderr\n", 10) == 10);
    CHECK(write(1, "", 0) == 0);
    CHECK(lseek(1, 0, SEEK_CUR) == -1 && errno == ESPIPE);
    return 0;
}
