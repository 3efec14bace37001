/* The two resolvers give the same answers: twin trees of directories, files and links, random paths. */
#include "wasi_guest.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

enum { NODES = 60, SEEDS = 12, PATHS = 1000 };

typedef struct Twin {
    char path[2][64]; /* [0] for openat2, [1] for the walk */
    int root[2];
    WasiCtx ctx[2]; /* only the choice of the resolver is looked at */
} Twin;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st;
    (void)ftw;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static int open_up(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)ftw;
    (void)st;
    if (kind == FTW_D || kind == FTW_DNR) (void)!chmod(path, 0700);
    return 0;
}

static void twin_make(Twin *t) {
    for (int i = 0; i < 2; i++) {
        strcpy(t->path[i], "/tmp/cot-resolve-XXXXXX");
        assert_non_null(mkdtemp(t->path[i]));
        strcat(t->path[i], "/root");
        assert_int_equal(mkdir(t->path[i], 0777), 0);
        t->root[i] = open(t->path[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(t->root[i] >= 0);
    }
    t->ctx[0] = (WasiCtx){.openat2 = true};
    t->ctx[1] = (WasiCtx){.openat2 = false};
}

static void twin_remove(Twin *t) {
    for (int i = 0; i < 2; i++) {
        close(t->root[i]);
        *strrchr(t->path[i], '/') = 0;
        for (int pass = 0; pass < 12; pass++) nftw(t->path[i], open_up, 8, FTW_PHYS);
        assert_int_equal(nftw(t->path[i], remove_one, 8, FTW_PHYS | FTW_DEPTH), 0);
    }
}

static bool kernel_has_openat2(void) {
    WasiConfig cfg = guest_bare();
    Guest g;
    guest_start(&g, &cfg);
    bool has = g.w->openat2;
    guest_end(&g);
    return has;
}

static void make_path(uint64_t *s, char *out, bool link) {
    static const char *const parts[] = {"a", "b", "c", "d",  "a",  "b",
                                        "c", "d", ".", "..", "..", ""};
    size_t n = 1 + rnd(s) % (link ? 4 : 7);
    char *p = out;
    if (rnd(s) % 40 == 0) *p++ = '/';
    for (size_t i = 0; i < n; i++) {
        if (i) *p++ = '/';
        p = stpcpy(p, parts[rnd(s) % (sizeof parts / sizeof *parts)]);
    }
    if (rnd(s) % 6 == 0) p = stpcpy(p, rnd(s) % 2 ? "/" : "///");
    *p = 0;
    if (link && p == out) strcpy(out, "a");
}

/* The same call in both trees; how often it succeeds is not of interest. */
static void grow(Twin *t, uint64_t *s) {
    char path[256], body[256];
    for (int i = 0; i < NODES; i++) {
        uint64_t kind = rnd(s) % 10, mode = rnd(s) % 12;
        make_path(s, path, false);
        make_path(s, body, true);
        for (int k = 0; k < 2; k++) {
            if (path[0] == '/') continue;
            WasiLeaf leaf;
            if (wasi_leaf_open(&t->ctx[k], t->root[k], path, &leaf) < 0) continue;
            if (kind < 5)
                (void)!mkdirat(leaf.dir, leaf.name, mode == 0 ? 0600 : mode == 1 ? 0500 : 0700);
            else if (kind < 9)
                (void)!symlinkat(body, leaf.dir, leaf.name);
            else
                close(openat(leaf.dir, leaf.name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
            wasi_leaf_close(&leaf);
        }
    }
}

/* Where the descriptor leads, from the root on. */
static const char *place(const Twin *t, int k, int fd, char out[512]) {
    char proc[64];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(proc, out, 511);
    assert_true(n > 0);
    out[n] = 0;
    size_t root = strlen(t->path[k]);
    if (strncmp(out, t->path[k], root) != 0) fail_msg("%s is outside", out);
    return out + root;
}

static void compare(Twin *t, const char *path, int flags, uint64_t seed) {
    char where[2][512];
    int r[2], fl[2] = {0};
    const char *p[2] = {"", ""};
    for (int k = 0; k < 2; k++) {
        r[k] = wasi_open_beneath(&t->ctx[k], t->root[k], path, flags, 0600);
        if (r[k] < 0) continue;
        p[k] = place(t, k, r[k], where[k]);
        fl[k] = fcntl(r[k], F_GETFL) & ~(O_NOFOLLOW | O_DIRECTORY);
    }
    bool same = (r[0] < 0 || r[1] < 0) ? r[0] == r[1] : !strcmp(p[0], p[1]) && fl[0] == fl[1];
    if (!same)
        fail_msg("seed %llu, path '%s', flags %o: openat2 %d %s (%o), walk %d %s (%o)",
                 (unsigned long long)seed, path, (unsigned)flags, r[0], p[0], (unsigned)fl[0], r[1],
                 p[1], (unsigned)fl[1]);
    for (int k = 0; k < 2; k++)
        if (r[k] >= 0) close(r[k]);
}

static void random_paths(void **st) {
    static const int flags[] = {O_PATH,
                                O_PATH | O_NOFOLLOW,
                                O_PATH | O_DIRECTORY,
                                O_PATH | O_DIRECTORY | O_NOFOLLOW,
                                O_RDONLY,
                                O_RDONLY | O_NOFOLLOW,
                                O_RDONLY | O_DIRECTORY,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                O_RDWR,
                                O_RDWR | O_NOFOLLOW,
                                O_WRONLY | O_TRUNC,
                                O_RDWR | O_DIRECTORY,
                                O_RDWR | O_CREAT,
                                O_RDWR | O_CREAT | O_NOFOLLOW,
                                O_WRONLY | O_CREAT | O_EXCL,
                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW};
    (void)st;
    if (!kernel_has_openat2()) skip();
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t s = seed;
        Twin t;
        char path[256];
        twin_make(&t);
        grow(&t, &s);
        for (int i = 0; i < PATHS; i++) {
            make_path(&s, path, false);
            compare(&t, path, flags[rnd(&s) % (sizeof flags / sizeof *flags)], seed);
        }
        twin_remove(&t);
    }
}

/* A chain of n links ends at a file; a name of n bytes; a path of n bytes; n levels. */
static void limits(void **st) {
    (void)st;
    if (!kernel_has_openat2()) skip();
    Twin t;
    char path[WASI_PATH_MAX + 16], name[32];
    twin_make(&t);
    for (int k = 0; k < 2; k++) {
        close(openat(t.root[k], "l0", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        for (int i = 1; i <= WASI_MAX_LINKS + 2; i++) {
            snprintf(name, sizeof name, "l%d", i - 1);
            snprintf(path, sizeof path, "l%d", i);
            assert_int_equal(symlinkat(name, t.root[k], path), 0);
        }
        assert_int_equal(symlinkat(".", t.root[k], "self"), 0);
        assert_int_equal(symlinkat("loop", t.root[k], "loop"), 0);
        int dir = dup(t.root[k]);
        for (int i = 0; i < 300; i++) {
            assert_int_equal(mkdirat(dir, "d", 0700), 0);
            int next = openat(dir, "d", O_PATH | O_CLOEXEC);
            close(dir);
            dir = next;
        }
        close(dir);
    }
    for (int i = WASI_MAX_LINKS - 2; i <= WASI_MAX_LINKS + 2; i++) {
        snprintf(path, sizeof path, "l%d", i);
        compare(&t, path, O_PATH, 0);
        compare(&t, path, O_RDONLY, 0);
        char *p = path;
        for (int k = 0; k < i; k++) p = stpcpy(p, "self/");
        strcpy(p, "l0");
        compare(&t, path, O_RDWR, 0);
        strcpy(p, "");
        compare(&t, path, O_PATH | O_NOFOLLOW, 0);
        p[-1] = 0;
        compare(&t, path, O_PATH | O_NOFOLLOW, 0);
    }
    assert_int_equal(wasi_open_beneath(&t.ctx[1], t.root[1], "l41", O_PATH, 0), -ELOOP);
    for (size_t n = 253; n <= 258; n++) {
        memset(path, 'x', n);
        path[n] = 0;
        compare(&t, path, O_PATH, 0);
        strcpy(path + n, "/y");
        compare(&t, path, O_PATH, 0);
        path[n] = 0;
        compare(&t, path, O_RDWR | O_CREAT, 0);
    }
    for (size_t n = WASI_PATH_MAX - 3; n <= WASI_PATH_MAX + 3; n++) {
        for (size_t i = 0; i < n; i++) path[i] = i % 2 ? '/' : '.';
        path[n] = 0;
        compare(&t, path, O_PATH, 0);
    }
    char *p = path;
    for (int i = 0; i < 300; i++) p = stpcpy(p, "d/");
    compare(&t, path, O_RDONLY, 0);
    for (int i = 0; i < 300; i++) p = stpcpy(p, "../");
    strcpy(p, "l0");
    compare(&t, path, O_RDONLY, 0);
    p[0] = 0;
    compare(&t, path, O_RDONLY, 0);
    strcpy(p, "..");
    compare(&t, path, O_RDONLY, 0);
    compare(&t, "loop", O_RDONLY, 0);
    compare(&t, "loop/x", O_RDONLY, 0);
    compare(&t, "", O_RDONLY, 0);
    compare(&t, "/", O_RDONLY, 0);
    twin_remove(&t);
}

/* Links of /proc that lead to objects, and its links that are names. */
static void magic_links(void **st) {
    static const char *const paths[] = {"self/cwd",
                                        "self/root",
                                        "self/root/etc",
                                        "self/exe",
                                        "self/fd/0",
                                        "self/ns/mnt",
                                        "self/fd/0/x",
                                        "self/cwd/",
                                        "self/root/.",
                                        "thread-self/cwd",
                                        "self/status",
                                        "thread-self/status",
                                        "mounts",
                                        "net/dev",
                                        "self",
                                        "self/../version",
                                        "self/task/../../uptime",
                                        "self/fd/999999",
                                        "nothing"};
    (void)st;
    if (!kernel_has_openat2()) skip();
    WasiCtx ctx[2] = {{.openat2 = true}, {.openat2 = false}};
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0) skip();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int nofollow = 0; nofollow < 2; nofollow++) {
            int r[2];
            for (int k = 0; k < 2; k++) {
                r[k] = wasi_open_beneath(&ctx[k], proc, paths[i],
                                         O_RDONLY | (nofollow ? O_NOFOLLOW : 0), 0);
                if (r[k] >= 0) {
                    close(r[k]);
                    r[k] = 0;
                }
            }
            if (r[0] != r[1]) fail_msg("%s: openat2 %d, walk %d", paths[i], r[0], r[1]);
            if (i < 10) assert_int_equal(r[0], -ELOOP);
        }
    close(proc);
}

/* An error anywhere on the way closes what was opened. */
static void nothing_stays_open(void **st) {
    (void)st;
    Twin t;
    twin_make(&t);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(mkdirat(t.root[k], "a", 0700), 0);
        assert_int_equal(mkdirat(t.root[k], "a/b", 0700), 0);
        assert_int_equal(symlinkat("a/b/../../../x", t.root[k], "out"), 0);
    }
    static const char *const bad[] = {"a/b/c",   "a/b/../../..", "out",      "out/",
                                      "a/b/c/d", "a/b/../b/x/",  "a/out/..", "/a"};
    int low = dup(t.root[0]);
    close(low);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int k = 0; k < 2; k++) {
            WasiLeaf leaf;
            assert_true(wasi_open_beneath(&t.ctx[k], t.root[k], bad[i], O_PATH, 0) < 0);
            if (wasi_leaf_open(&t.ctx[k], t.root[k], bad[i], &leaf) == 0) wasi_leaf_close(&leaf);
        }
    int again = dup(t.root[0]);
    close(again);
    assert_int_equal(low, again);
    twin_remove(&t);
}

/* Permissions mean nothing to root. */
static int as_nobody(void **st) {
    (void)st;
    return geteuid() == 0 ? seteuid(65534) : 0;
}
static int as_before(void **st) {
    (void)st;
    return getuid() == 0 ? seteuid(0) : 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_paths, as_nobody, as_before),
        cmocka_unit_test(limits),
        cmocka_unit_test(magic_links),
        cmocka_unit_test(nothing_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
