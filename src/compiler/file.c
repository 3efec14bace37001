/* compiler/file.c — see file.h. */
#include "compiler/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool write_all(int fd, const void *bytes, size_t size) {
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* A new file, its name in `name`: the last part begins with a dot. */
static int create_beside(const char *path, bool executable, char *name, size_t room) {
    static atomic_uint counter;
    const char *slash = strrchr(path, '/');
    int dir = slash ? (int)(slash - path + 1) : 0;
    for (int tries = 0; tries < 100; tries++) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        int n = snprintf(name, room, "%.*s.cot-%lx-%x-%lx", dir, path, (long)getpid(),
                         atomic_fetch_add(&counter, 1), (unsigned long)t.tv_nsec);
        if (n < 0 || (size_t)n >= room) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, executable ? 0777 : 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

bool file_replace(const char *path, const void *bytes, size_t size, bool executable, Diag *d) {
    char name[4096];
    struct stat st;
    bool in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    int fd = in_place ? open(path, O_WRONLY | O_CLOEXEC)
                      : create_beside(path, executable, name, sizeof name);
    if (fd < 0) return diag_msg(d, DIAG_IO, "cannot be written: %s", strerror(errno));
    bool ok = write_all(fd, bytes, size);
    int e = errno;
    if (close(fd) && ok) {
        ok = false;
        e = errno;
    }
    if (ok && !in_place && rename(name, path)) {
        ok = false;
        e = errno;
    }
    if (ok) return true;
    if (!in_place) unlink(name);
    return diag_msg(d, DIAG_IO, "cannot be written: %s", strerror(e));
}
