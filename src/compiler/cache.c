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
#include "image/sum.h"

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

static const char *const endings[] = {[CACHE_IMAGE] = ".cwasm", [CACHE_OUTPUT] = ".out"};

void cache_name(Blake2b *all, CacheKind kind, char name[CACHE_NAME]) {
    static const char digit[] = "0123456789abcdef";
    uint8_t key[BLAKE2B_BYTES];
    blake2b_end(all, key);
    for (unsigned i = 0; i < BLAKE2B_BYTES; i++) {
        name[2 * i] = digit[key[i] >> 4];
        name[2 * i + 1] = digit[key[i] & 15];
    }
    strcpy(name + 2 * BLAKE2B_BYTES, endings[kind]);
}

static void path_of(const Cache *c, const char *name, char path[sizeof c->dir + 1]) {
    snprintf(path, sizeof c->dir + 1, "%s/%s", c->dir, name);
}

static int open_entry(const Cache *c, const char *name) {
    char path[sizeof c->dir + 1];
    path_of(c, name, path);
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

bool cache_find(const Cache *c, const char *name, RtBlob *out) {
    int fd = open_entry(c, name);
    if (fd < 0) return false;
    Diag d;
    diag_clear(&d);
    bool ok = rt_blob_map(out, fd, &d);
    if (ok) futimens(fd, NULL); /* used now */
    close(fd);
    return ok;
}

/* ---- outputs: their bytes, then the sum of them ---- */
static bool read_all(int fd, uint8_t *p, size_t n) {
    while (n) {
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static bool read_output(int fd, uint64_t most, Mem *m, VecU8 *out) {
    struct stat st;
    uint64_t sum;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof sum ||
        (uint64_t)st.st_size > most || st.st_size > INT32_MAX)
        return false;
    size_t n = (size_t)st.st_size - sizeof sum;
    uint32_t before = out->n;
    uint8_t *p = vec_extend(m, out, n + sizeof sum);
    bool ok = read_all(fd, p, n + sizeof sum);
    if (ok) {
        memcpy(&sum, p + n, sizeof sum);
        ok = sum == img_sum(p, n, 0);
    }
    out->n = ok ? before + (uint32_t)n : before;
    return ok;
}

bool cache_find_output(const Cache *c, const char *name, Mem *m, VecU8 *out) {
    int fd = open_entry(c, name);
    if (fd < 0) return false;
    bool ok = read_output(fd, c->most, m, out);
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
    if (n != 2 * BLAKE2B_BYTES) return false;
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++)
        if (strcmp(name + n, endings[k]) == 0) return true;
    return false;
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
        strcpy(all[n].name, e->d_name); /* it is an entry's */
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

void cache_store_output(const Cache *c, const char *name, Mem *m, VecU8 *bytes) {
    uint64_t sum = img_sum(bytes->p, bytes->n, 0);
    memcpy(vec_extend(m, bytes, sizeof sum), &sum, sizeof sum);
    cache_store(c, name, bytes->p, bytes->n);
    bytes->n -= sizeof sum;
}
