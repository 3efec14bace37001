/* Files through the C library: create, write, read, seek, append, truncate, stat, rename, remove. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static void write_and_read(void) {
    char buf[64];
    int fd = open("/f", O_RDWR | O_CREAT | O_EXCL, 0666);
    CHECK(fd >= 0);
    CHECK(write(fd, "hello, world", 12) == 12);
    CHECK(lseek(fd, 0, SEEK_CUR) == 12);
    CHECK(lseek(fd, 7, SEEK_SET) == 7);
    CHECK(read(fd, buf, sizeof buf) == 5 && !memcmp(buf, "world", 5));
    CHECK(read(fd, buf, sizeof buf) == 0);
    CHECK(lseek(fd, -5, SEEK_END) == 7);
    CHECK(lseek(fd, -100, SEEK_CUR) == -1 && errno == EINVAL);
    CHECK(pread(fd, buf, 5, 0) == 5 && !memcmp(buf, "hello", 5));
    CHECK(pwrite(fd, "HELLO", 5, 0) == 5);
    CHECK(lseek(fd, 0, SEEK_CUR) == 7);
    struct iovec v[3] = {{buf, 0}, {buf + 10, 3}, {buf + 20, 40}};
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    ssize_t n = readv(fd, v, 3); /* may be short */
    CHECK(n >= 3 && n <= 12 && !memcmp(buf + 10, "HEL", 3));
    CHECK(lseek(fd, 0, SEEK_CUR) == n);
    CHECK(close(fd) == 0);
    CHECK(close(fd) == -1 && errno == EBADF);
    CHECK(open("/f", O_RDWR | O_CREAT | O_EXCL, 0666) == -1 && errno == EEXIST);
}

static void sizes(void) {
    struct stat st;
    int fd = open("/f", O_RDWR);
    CHECK(fd >= 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 12 && S_ISREG(st.st_mode) && st.st_nlink == 1);
    CHECK(ftruncate(fd, 5) == 0);
    CHECK(stat("/f", &st) == 0 && st.st_size == 5);
    CHECK(ftruncate(fd, 100000) == 0);
    CHECK(fstat(fd, &st) == 0 && st.st_size == 100000);
    char c = 1;
    CHECK(pread(fd, &c, 1, 99999) == 1 && c == 0);
    CHECK(lseek(fd, INT64_C(5000000000), SEEK_SET) == INT64_C(5000000000)); /* beyond 32 bits */
    CHECK(write(fd, "x", 1) == 1);
    CHECK(fstat(fd, &st) == 0 && st.st_size == INT64_C(5000000001));
    CHECK(fdatasync(fd) == 0 && fsync(fd) == 0);
    CHECK(close(fd) == 0);
}

static void append_and_truncate(void) {
    char buf[16];
    int fd = open("/a", O_WRONLY | O_CREAT | O_APPEND, 0666);
    CHECK(fd >= 0);
    CHECK(write(fd, "one", 3) == 3);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK(write(fd, "two", 3) == 3);
    CHECK(fcntl(fd, F_GETFL) & O_APPEND);
    CHECK(close(fd) == 0);
    fd = open("/a", O_RDWR);
    CHECK(!(fcntl(fd, F_GETFL) & O_APPEND));
    CHECK(read(fd, buf, sizeof buf) == 6 && !memcmp(buf, "onetwo", 6));
    CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && write(fd, "!", 1) == 1);
    CHECK(pread(fd, buf, sizeof buf, 0) == 7 && buf[6] == '!');
    CHECK(close(fd) == 0);
    fd = open("/a", O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && lseek(fd, 0, SEEK_END) == 0);
    CHECK(read(fd, buf, 1) == -1);
    CHECK(close(fd) == 0);
    fd = open("/a", O_RDONLY);
    CHECK(write(fd, "x", 1) == -1);
    CHECK(close(fd) == 0);
}

static void names(void) {
    struct stat a, b;
    CHECK(stat("/a", &a) == 0);
    CHECK(rename("/a", "/b") == 0);
    CHECK(stat("/a", &b) == -1 && errno == ENOENT);
    CHECK(stat("/b", &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    CHECK(rename("/b", "/f") == 0);
    CHECK(stat("/f", &b) == 0 && a.st_ino == b.st_ino);
    CHECK(access("/f", R_OK | W_OK) == 0);
    CHECK(access("/b", F_OK) == -1 && errno == ENOENT);
    CHECK(mkdir("/d", 0777) == 0);
    CHECK(unlink("/d") == -1 && errno == EISDIR);
    CHECK(open("/d", O_WRONLY) == -1 && errno == EISDIR);
    CHECK(open("/f/x", O_RDONLY) == -1 && errno == ENOTDIR);
    CHECK(open("/none/x", O_CREAT | O_WRONLY, 0666) == -1 && errno == ENOENT);
    CHECK(unlink("/f") == 0);
    CHECK(unlink("/f") == -1 && errno == ENOENT);
    CHECK(rmdir("/d") == 0);
}

int main(void) {
    write_and_read();
    sizes();
    append_and_truncate();
    names();
    puts("files");
    return 0;
}
