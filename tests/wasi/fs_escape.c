/* Links made by the host lead out of the directory: by no call, followed or not, is anything outside reached. */
#include "path.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const last[] = {"up",        "up2",         "root",  "passwd",         "beside",
                                   "procroot",  "in/deep/out", "chain", "in/deep/uplink", "new",
                                   "in/sneaky", "chain2"};
static const char *const through[] = {
    "..",
    "../",
    "../stdin",
    "in/../../x",
    "in/deep/../../../x",
    "up/x",
    "up/",
    "up2/etc",
    "root/etc",
    "root/",
    "passwd/",
    "beside/",
    "procroot/etc",
    "in/deep/out/x",
    "in/deep/out/",
    "chain/x",
    "chain2/x",

    "in/deep/uplink/x",
    "new/x",
    "up/../x",
    "in/back/../../x",
    "/",
    "/etc/passwd",
    "//",
    "/../etc",
    "in/deep/uplink/../x",
    "./../x",
    "in//..//..//x",
};

/* Something that leads out is PERM, or LOOP or NOENT where an engine looks at other things first. */
static void refused(int err, const char *call, const char *path) {
    if (err == __WASI_ERRNO_PERM) return;
    fprintf(stderr, "%s of '%s': %d\n", call, path, err);
    exit(1);
}

static void everything(const char *path, int lookup) {
    static const int oflags[] = {0, DIRECTORY, TRUNC, CREAT, CREAT | TRUNC};
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof oflags / sizeof *oflags; i++) {
        if (oflags[i] & CREAT && path[len - 1] == '/') continue; /* ISDIR before anything else */
        refused(try_open(ROOT, lookup, path, oflags[i], RD), "open for reading", path);
        if (oflags[i] != DIRECTORY)
            refused(try_open(ROOT, lookup, path, oflags[i], WR), "open for writing", path);
    }
    refused(__wasi_path_filestat_get(ROOT, (uint32_t)lookup, path, &(__wasi_filestat_t){0}), "stat",
            path);
    refused(
        __wasi_path_filestat_set_times(ROOT, (uint32_t)lookup, path, 0, 0, __WASI_FSTFLAGS_MTIM),
        "times", path);
}

static void by_name(const char *dir) {
    char path[256];
    size_t n;
    uint8_t buf[16];
    snprintf(path, sizeof path, "%s/x", dir);
    refused(__wasi_path_create_directory(ROOT, path), "mkdir", path);
    refused(__wasi_path_remove_directory(ROOT, path), "rmdir", path);
    refused(__wasi_path_unlink_file(ROOT, path), "unlink", path);
    refused(__wasi_path_symlink("y", ROOT, path), "symlink", path);
    refused(__wasi_path_readlink(ROOT, path, buf, sizeof buf, &n), "readlink", path);
    refused(__wasi_path_rename(ROOT, path, ROOT, "stolen"), "rename from", path);
    refused(__wasi_path_rename(ROOT, "in/file", ROOT, path), "rename to", path);
    refused(__wasi_path_link(ROOT, 0, path, ROOT, "stolen"), "link from", path);
    refused(__wasi_path_link(ROOT, 0, "in/file", ROOT, path), "link to", path);
}

int main(void) {
    struct stat st;
    char text[16] = {0};
    for (size_t i = 0; i < sizeof through / sizeof *through; i++)
        everything(through[i], 0), everything(through[i], FOLLOW);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        everything(last[i], FOLLOW);
        CHECK_ERR(LOOP, try_open(ROOT, 0, last[i], 0, RD));
        CHECK_ERR(LOOP, try_open(ROOT, 0, last[i], CREAT | TRUNC, WR));
        __wasi_filestat_t fst;
        CHECK_ERR(SUCCESS, __wasi_path_filestat_get(ROOT, 0, last[i], &fst));
        CHECK(fst.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    }
    static const char *const dirs[] = {"..",       "up",       "up2",
                                       "root",     "procroot", "in/deep/out",
                                       "chain",    "chain2",   "in/deep/uplink",
                                       "in/../..", "",         "/etc"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) by_name(dirs[i]);
    /* an absolute content is not shown; a relative one leads nowhere */
    size_t n;
    uint8_t buf[64];
    refused(__wasi_path_readlink(ROOT, "passwd", buf, sizeof buf, &n), "readlink", "passwd");
    CHECK_ERR(SUCCESS, __wasi_path_readlink(ROOT, "up", buf, sizeof buf, &n));
    refused(__wasi_path_symlink("/etc/passwd", ROOT, "mine"), "symlink", "mine");
    CHECK_ERR(SUCCESS, __wasi_path_symlink("../../stdin", ROOT, "in/mine"));
    refused(try_open(ROOT, FOLLOW, "in/mine", 0, RD), "open", "in/mine");
    /* the same through the C library */
    CHECK(open("/up/x", O_CREAT | O_WRONLY, 0666) == -1);
    CHECK(open("/../../etc/passwd", O_RDONLY) == -1);
    CHECK(stat("/passwd", &st) == -1 && stat("/root/etc", &st) == -1);
    CHECK(!opendir("/up") && !opendir("/root"));
    CHECK(rename("/in/file", "/up/file") == -1 && mkdir("/up/d", 0777) == -1);
    /* what leads inside works */
    int fd = open("/good", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text) == 7 && !strcmp(text, "inside\n"));
    CHECK(stat("/in/back/back/file", &st) == 0 && stat("/in/deep/../back/file", &st) == 0);
    puts("nothing outside");
    return 0;
}
