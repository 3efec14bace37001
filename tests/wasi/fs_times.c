/* Times of files: set, left alone, now; of links and of what they lead to. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct timespec ts(time_t s, long ns) {
    return (struct timespec){.tv_sec = s, .tv_nsec = ns};
}

static void same(struct timespec a, time_t s, long ns) {
    CHECK(a.tv_sec == s && a.tv_nsec == ns);
}

int main(void) {
    struct stat st;
    struct timespec now;
    int fd = open("/f", O_CREAT | O_RDWR, 0666);
    CHECK(fd >= 0 && symlink("f", "/l") == 0);
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    CHECK(fstat(fd, &st) == 0 && st.st_mtim.tv_sec >= now.tv_sec - 5 &&
          st.st_mtim.tv_sec <= now.tv_sec + 5);
    CHECK(utimensat(AT_FDCWD, "/f", (struct timespec[]){ts(1000, 1), ts(2000, 999999999)}, 0) == 0);
    CHECK(stat("/f", &st) == 0);
    same(st.st_atim, 1000, 1);
    same(st.st_mtim, 2000, 999999999);
    CHECK(futimens(fd, (struct timespec[]){ts(0, UTIME_OMIT), ts(3000, 0)}) == 0);
    CHECK(stat("/f", &st) == 0);
    same(st.st_atim, 1000, 1);
    same(st.st_mtim, 3000, 0);
    CHECK_ERR(SUCCESS, __wasi_path_filestat_set_times(3, 0, "f", 0, 0, __WASI_FSTFLAGS_ATIM_NOW));
    CHECK(stat("/f", &st) == 0 && st.st_atim.tv_sec >= now.tv_sec - 5);
    same(st.st_mtim, 3000, 0);
    /* the link, then through it */
    CHECK(utimensat(AT_FDCWD, "/l", (struct timespec[]){ts(4000, 0), ts(5000, 0)},
                    AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(lstat("/l", &st) == 0);
    same(st.st_mtim, 5000, 0);
    CHECK(stat("/l", &st) == 0);
    same(st.st_mtim, 3000, 0);
    CHECK(utimensat(AT_FDCWD, "/l", (struct timespec[]){ts(6000, 0), ts(7000, 0)}, 0) == 0);
    CHECK(stat("/f", &st) == 0);
    same(st.st_mtim, 7000, 0);
    CHECK(lstat("/l", &st) == 0);
    same(st.st_mtim, 5000, 0);
    /* writing changes them */
    CHECK(write(fd, "x", 1) == 1);
    CHECK(fstat(fd, &st) == 0 && st.st_mtim.tv_sec > 7000);
    CHECK(utimensat(AT_FDCWD, "/none", NULL, 0) == -1 && errno == ENOENT);
    /* set and now at once */
    CHECK_ERR(INVAL, __wasi_path_filestat_set_times(
                         3, 0, "f", 1, 1, __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    CHECK_ERR(INVAL, __wasi_path_filestat_set_times(
                         3, 0, "f", 1, 1, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    CHECK_ERR(INVAL, __wasi_fd_filestat_set_times(fd, 1, 1,
                                                  __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    puts("times");
    return 0;
}
