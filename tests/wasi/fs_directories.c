/* Directories through the C library: make, list, go back, rename, remove. */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 300 };

static void touch(const char *path) {
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    CHECK(fd >= 0 && close(fd) == 0);
}

/* Entries without "." and "..". */
static int count(const char *path) {
    int n = 0, dots = 0;
    DIR *d = opendir(path);
    CHECK(d);
    for (struct dirent *e; (errno = 0, e = readdir(d));)
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            dots++;
        else
            n++;
    CHECK(errno == 0 && dots == 2);
    CHECK(closedir(d) == 0);
    return n;
}

static void listing(void) {
    char path[64];
    static bool seen[FILES];
    struct stat st;
    CHECK(mkdir("/many", 0777) == 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/many/a_rather_long_name_%d", i);
        touch(path);
    }
    DIR *d = opendir("/many");
    CHECK(d);
    for (int pass = 0; pass < 2; pass++) {
        memset(seen, 0, sizeof seen);
        for (struct dirent *e; (e = readdir(d));) {
            int k;
            if (sscanf(e->d_name, "a_rather_long_name_%d", &k) != 1) continue;
            CHECK(!seen[k] && e->d_type == DT_REG);
            seen[k] = true;
            CHECK(fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_ino == e->d_ino);
        }
        for (int i = 0; i < FILES; i++) CHECK(seen[i]);
        rewinddir(d);
    }
    /* positions */
    long middle = 0;
    char name[256];
    for (int i = 0; i < FILES / 2; i++) {
        struct dirent *e = readdir(d);
        CHECK(e);
        if (i == FILES / 4) {
            middle = telldir(d);
            e = readdir(d);
            CHECK(e);
            strcpy(name, e->d_name);
        }
    }
    seekdir(d, middle);
    struct dirent *e = readdir(d);
    CHECK(e && !strcmp(e->d_name, name));
    CHECK(closedir(d) == 0);
}

static void making(void) {
    struct stat st;
    CHECK(mkdir("/d", 0777) == 0);
    CHECK(mkdir("/d", 0777) == -1 && errno == EEXIST);
    CHECK(mkdir("/d/e/f", 0777) == -1 && errno == ENOENT);
    CHECK(mkdir("/d/e", 0777) == 0 && mkdir("/d/e/f", 0777) == 0);
    touch("/d/e/f/g");
    CHECK(stat("/d/e", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(rmdir("/d/e") == -1 && errno == ENOTEMPTY);
    CHECK(rmdir("/d/e/f/g") == -1 && errno == ENOTDIR);
    CHECK(count("/d") == 1 && count("/d/e/f") == 1);
    CHECK(rename("/d/e", "/moved") == 0);
    CHECK(count("/d") == 0 && count("/moved/f") == 1);
    CHECK(rename("/moved", "/d") == 0 && count("/d") == 1);
    CHECK(chdir("/d/f") == 0);
    CHECK(stat("g", &st) == 0 && stat("../f/g", &st) == 0);
    CHECK(chdir("/") == 0);
    CHECK(opendir("/none") == NULL && errno == ENOENT);
    CHECK(opendir("/d/f/g") == NULL && errno == ENOTDIR);
}

int main(void) {
    CHECK(count("/") == 0);
    making();
    listing();
    CHECK(count("/") == 2);
    CHECK(unlink("/d/f/g") == 0 && rmdir("/d/f") == 0 && rmdir("/d") == 0);
    CHECK(count("/") == 1);
    puts("directories");
    return 0;
}
