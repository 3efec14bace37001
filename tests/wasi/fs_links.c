/* Symbolic and hard links through the C library. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void holds(const char *path, const char *text) {
    char buf[64] = {0};
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, buf, 63) == (ssize_t)strlen(text) && close(fd) == 0);
    CHECK(!strcmp(buf, text));
}

static void symbolic(void) {
    struct stat st;
    char buf[64];
    CHECK(symlink("file", "/l") == 0);
    CHECK(readlink("/l", buf, sizeof buf) == 4 && !memcmp(buf, "file", 4));
    CHECK(readlink("/l", buf, 2) == 2);
    CHECK(readlink("/file", buf, 2) == -1 && errno == EINVAL);
    CHECK(lstat("/l", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 4);
    CHECK(stat("/l", &st) == 0 && S_ISREG(st.st_mode));
    holds("/l", "text");
    put("/l", "changed");
    holds("/file", "changed");
    CHECK(open("/l", O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
    CHECK(symlink("x", "/l") == -1 && errno == EEXIST);
    CHECK(symlink("../file", "/d/up") == 0 && symlink("d/up", "/two") == 0);
    holds("/two", "changed");
    CHECK(symlink("d", "/dir") == 0);
    holds("/dir/up", "changed");
    CHECK(mkdir("/dir/new", 0777) == 0 && rmdir("/d/new") == 0);
    CHECK(rmdir("/dir") == -1 && errno == ENOTDIR);
    CHECK(symlink("created", "/dangling") == 0);
    CHECK(open("/dangling", O_RDONLY) == -1 && errno == ENOENT);
    put("/dangling", "now there");
    holds("/created", "now there");
    CHECK(symlink("loop2", "/loop1") == 0 && symlink("loop1", "/loop2") == 0);
    CHECK(open("/loop1", O_RDONLY) == -1 && errno == ELOOP);
    CHECK(rename("/l", "/m") == 0 && lstat("/m", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(unlink("/m") == 0 && unlink("/two") == 0 && unlink("/dir") == 0);
    CHECK(access("/file", F_OK) == 0 && access("/d", F_OK) == 0);
}

static void hard(void) {
    struct stat a, b;
    CHECK(link("/file", "/d/same") == 0);
    CHECK(stat("/file", &a) == 0 && stat("/d/same", &b) == 0);
    CHECK(a.st_ino == b.st_ino && a.st_nlink == 2 && b.st_nlink == 2);
    put("/d/same", "both");
    holds("/file", "both");
    CHECK(link("/file", "/d/same") == -1 && errno == EEXIST);
    CHECK(link("/none", "/x") == -1 && errno == ENOENT);
    CHECK(link("/d", "/x") == -1 && errno == EPERM);
    CHECK(unlink("/file") == 0);
    holds("/d/same", "both");
    CHECK(stat("/d/same", &b) == 0 && b.st_nlink == 1);
}

int main(void) {
    put("/file", "text");
    CHECK(mkdir("/d", 0777) == 0);
    symbolic();
    hard();
    puts("links");
    return 0;
}
