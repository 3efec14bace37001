/* compiler/cache.c — see cache.h. */
#include "compiler/cache.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "compiler/file.h"

enum { STALE_SECONDS = 3600 }; /* a temporary file that old was left by a crash */

bool cache_open(Cache *c, const char *dir, uint64_t most, Diag *d) {
    struct stat st;
    size_t n = strlen(dir);
    if (!n || n + CACHE_NAME + 1 > sizeof c->dir)
        return diag_msg(d, DIAG_IO, "the name of the cache's folder is empty or too long");
    memcpy(c->dir, dir, n + 1);
    c->most = most ? most : CACHE_DEFAULT_MOST;
    if (mkdir(dir, 0700) && errno != EEXIST)
        return diag_msg(d, DIAG_IO, "cannot make the cache's folder '%.300s': %s", dir,
                        strerror(errno));
    if (stat(dir, &st) || !S_ISDIR(st.st_mode) || access(dir, R_OK | W_OK | X_OK))
        return diag_msg(d, DIAG_IO, "the cache '%.300s' is no folder that can be used", dir);
    if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
        return diag_msg(d, DIAG_IO,
                        "others may write to the cache '%.300s', whose code would be executed",
                        dir);
    return true;
}

void cache_name(const uint8_t key[BLAKE2B_BYTES], char name[CACHE_NAME]) {
    static const char digit[] = "0123456789abcdef";
    for (unsigned i = 0; i < BLAKE2B_BYTES; i++) {
        name[2 * i] = digit[key[i] >> 4];
        name[2 * i + 1] = digit[key[i] & 15];
    }
    memcpy(name + 2 * BLAKE2B_BYTES, ".cwasm", sizeof ".cwasm");
}

static void path_of(const Cache *c, const char *name, char path[sizeof c->dir + 1]) {
    snprintf(path, sizeof c->dir + 1, "%s/%s", c->dir, name);
}

bool cache_find(const Cache *c, const char *name, RtBlob *out) {
    char path[sizeof c->dir + 1];
    path_of(c, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    Diag d;
    diag_clear(&d);
    bool ok = rt_blob_map(out, fd, &d);
    if (ok) futimens(fd, NULL); /* used now */
    close(fd);
    return ok;
}

/* ---- the bound ---- */
typedef struct Entry {
    int64_t used;
    uint64_t size;
    char name[CACHE_NAME];
} Entry;

static int by_age(const void *a, const void *b) {
    const Entry *x = a, *y = b;
    return x->used != y->used ? x->used < y->used ? -1 : 1 : strcmp(x->name, y->name);
}

static bool is_entry(const char *name) {
    size_t n = strspn(name, "0123456789abcdef");
    return n == 2 * BLAKE2B_BYTES && strcmp(name + n, ".cwasm") == 0;
}

/* Removes what is too much, and what crashes have left. */
static void tidy(const Cache *c) {
    DIR *dir = opendir(c->dir);
    if (!dir) return;
    Entry *all = NULL;
    size_t n = 0;
    uint64_t total = 0;
    int64_t now = (int64_t)time(NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        bool entry = is_entry(e->d_name), left = strncmp(e->d_name, ".cot-", 5) == 0;
        struct stat st;
        if ((!entry && !left) || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        if (left && st.st_mtime < now - STALE_SECONDS) unlinkat(dirfd(dir), e->d_name, 0);
        if (left) continue;
        if ((n & (n - 1)) == 0) { /* room is made at powers of two */
            Entry *more = realloc(all, (n ? 2 * n : 1) * sizeof *all);
            if (!more) break;
            all = more;
        }
        all[n] = (Entry){.used = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
                         .size = (uint64_t)st.st_size};
        memcpy(all[n].name, e->d_name, CACHE_NAME);
        total += all[n++].size;
    }
    if (total > c->most) {
        qsort(all, n, sizeof *all, by_age);
        for (size_t k = 0; k < n && total > c->most; k++)
            if (!unlinkat(dirfd(dir), all[k].name, 0)) total -= all[k].size;
    }
    free(all);
    closedir(dir);
}

void cache_store(const Cache *c, const char *name, const void *image, size_t size) {
    char path[sizeof c->dir + 1];
    Diag d;
    diag_clear(&d);
    path_of(c, name, path);
    if (size > c->most || !file_replace(path, image, size, false, &d)) return;
    tidy(c);
}
