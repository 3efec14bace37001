/* A tree is removed while it is listed: no entry is missed, whatever the number of entries. */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int removed;

static void remove_tree(const char *path) {
    char below[512];
    DIR *d = opendir(path);
    CHECK(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        if (e->d_type == DT_DIR)
            remove_tree(below);
        else
            CHECK(unlink(below) == 0);
        removed++;
    }
    CHECK(closedir(d) == 0);
    CHECK(rmdir(path) == 0);
}

int main(void) {
    char path[64];
    CHECK(mkdir("/tree", 0777) == 0);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/tree/%d", i);
        CHECK(mkdir(path, 0777) == 0);
        for (int k = 0; k < i * 10; k++) {
            snprintf(path, sizeof path, "/tree/%d/file number %d", i, k);
            int fd = open(path, O_CREAT | O_WRONLY, 0666);
            CHECK(fd >= 0 && close(fd) == 0);
        }
    }
    remove_tree("/tree");
    printf("%d\n", removed);
    return 0;
}
