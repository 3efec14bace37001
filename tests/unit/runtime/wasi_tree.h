/* tests/unit/runtime/wasi_tree.h — a guest with directories, for tests of the path functions.
 *
 * Every test gets a fresh tree and runs once per resolver (TREE_TESTS):
 *
 *     BASE/root    descriptor 3, "/"; empty
 *     BASE/ro      descriptor 4, "ro", read-only; holds the file "file" ("read only")
 *     BASE/out     not the guest's; holds "secret" (SECRET), "dir/" and "dir/file"
 *
 * The helpers named after functions pass paths as C strings and give the guest's error number.
 */
#ifndef COT_TESTS_WASI_TREE_H
#define COT_TESTS_WASI_TREE_H
#include "wasi_guest.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#define SECRET "not for the guest"

enum {
    ROOT = 3,
    RO = 4,
    FOLLOW = WASI_LOOKUP_FOLLOW,
    CREAT = WASI_OFLAG_CREAT,
    EXCL = WASI_OFLAG_EXCL,
    TRUNC = WASI_OFLAG_TRUNC,
    DIRECTORY = WASI_OFLAG_DIRECTORY,
    RD = WASI_R_FD_READ,
    WR = WASI_R_FD_WRITE,
    /* places in guest memory */
    PATH1 = 0x1000,
    PATH2 = 0x3000,
    RESULT = 0x5000,
    BUF = 0x6000,
    BUF_SIZE = 0x4000,
};

typedef struct Tree {
    Guest g;
    char base[128];
    int root, out; /* host descriptors */
    bool walk;
} Tree;

/* ---- host side ---- */

static inline void write_file(int dir, const char *name, const char *text) {
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static inline void assert_file(int dir, const char *name, const char *text) {
    char buf[256];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail_msg("%s: %s", name, strerror(errno));
    ssize_t n = read(fd, buf, sizeof buf - 1);
    close(fd);
    assert_true(n >= 0);
    buf[n] = 0;
    assert_string_equal(buf, text);
}

static inline bool exists(int dir, const char *name) {
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline int tree_remove_one(const char *path, const struct stat *st, int kind,
                                  struct FTW *ftw) {
    (void)st;
    (void)ftw;
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static inline int tree_setup(void **state) {
    bool walk = *state != NULL;
    Tree *t = calloc(1, sizeof *t);
    char root[140], ro[140];
    const char *tmp = getenv("TMPDIR");
    snprintf(t->base, sizeof t->base, "%s/cot-tree-XXXXXX",
             tmp && strlen(tmp) < 100 ? tmp : "/tmp");
    assert_non_null(mkdtemp(t->base));
    int base = open(t->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(base, "root", 0777), 0);
    assert_int_equal(mkdirat(base, "ro", 0777), 0);
    assert_int_equal(mkdirat(base, "out", 0777), 0);
    assert_int_equal(mkdirat(base, "out/dir", 0777), 0);
    write_file(base, "ro/file", "read only");
    write_file(base, "out/secret", SECRET);
    write_file(base, "out/dir/file", SECRET);
    t->root = openat(base, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    t->out = openat(base, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(base);
    snprintf(root, sizeof root, "%s/root", t->base);
    snprintf(ro, sizeof ro, "%s/ro", t->base);
    WasiConfig cfg = wasi_config_default();
    const WasiPreopen preopens[] = {{.host = root, .guest = "/"},
                                    {.host = ro, .guest = "ro", .read_only = true}};
    for (int i = 0; i < 3; i++) cfg.stdio[i] = (WasiStdio){.kind = WASI_STDIO_BYTES};
    cfg.preopens = preopens;
    cfg.npreopens = 2;
    cfg.no_openat2 = t->walk = walk;
    guest_start(&t->g, &cfg);
    *state = t;
    return 0;
}

static inline int tree_teardown(void **state) {
    Tree *t = *state;
    guest_end(&t->g);
    close(t->root);
    close(t->out);
    nftw(t->base, tree_remove_one, 16, FTW_PHYS | FTW_DEPTH);
    free(t);
    return 0;
}

/* The test on both resolvers. */
#define TREE_TEST(f)                                               \
    {#f " (openat2)", f, tree_setup, tree_teardown, NULL}, {       \
#f " (walk)", f, tree_setup, tree_teardown, (void *)"walk" \
    }

/* ---- guest side ---- */

static inline uint32_t put_path(Tree *t, uint32_t at_ptr, const char *path) {
    uint32_t n = (uint32_t)strlen(path);
    put_text(&t->g, at_ptr, path);
    return n;
}

/* Opens with rights and flags; *fd is the new descriptor. */
static inline uint32_t open_full(Tree *t, uint32_t dir, uint32_t lookup, const char *path,
                                 uint32_t oflags, uint64_t base, uint64_t inheriting,
                                 uint32_t fdflags, uint32_t *fd) {
    uint32_t n = put_path(t, PATH1, path);
    put32(&t->g, RESULT, 0xabababab);
    uint32_t err =
        P1(&t->g, "path_open", dir, lookup, PATH1, n, oflags, base, inheriting, fdflags, RESULT);
    uint32_t got = get32(&t->g, RESULT);
    if (err) assert_int_equal(got, 0xabababab);
    if (fd) *fd = got;
    return err;
}

static inline uint32_t close_fd(Tree *t, uint32_t fd) {
    return P1(&t->g, "fd_close", fd);
}

/* Opens and closes again. */
static inline uint32_t try_open(Tree *t, uint32_t dir, uint32_t lookup, const char *path,
                                uint32_t oflags, uint64_t base) {
    uint32_t fd, err = open_full(t, dir, lookup, path, oflags, base, 0, 0, &fd);
    if (!err) EXPECT(SUCCESS, close_fd(t, fd));
    return err;
}

static inline uint32_t must_open(Tree *t, uint32_t dir, const char *path, uint32_t oflags,
                                 uint64_t base) {
    uint32_t fd = 0, err = open_full(t, dir, 0, path, oflags, base, 0, 0, &fd);
    if (err) fail_msg("open %s: %s", path, wasi_errno_name(err));
    return fd;
}

static inline uint32_t touch(Tree *t, uint32_t dir, const char *path) {
    return try_open(t, dir, 0, path, CREAT, 0);
}

#define ONE_PATH(helper, function)                                           \
    static inline uint32_t helper(Tree *t, uint32_t dir, const char *path) { \
        return P1(&t->g, function, dir, PATH1, put_path(t, PATH1, path));    \
    }
ONE_PATH(make_dir, "path_create_directory")
ONE_PATH(remove_dir, "path_remove_directory")
ONE_PATH(unlink_file, "path_unlink_file")
#undef ONE_PATH

static inline uint32_t make_symlink(Tree *t, const char *content, uint32_t dir, const char *path) {
    uint32_t n = put_path(t, PATH2, content);
    return P1(&t->g, "path_symlink", PATH2, n, dir, PATH1, put_path(t, PATH1, path));
}

static inline uint32_t rename_to(Tree *t, uint32_t dir, const char *path, uint32_t dir2,
                                 const char *path2) {
    uint32_t n = put_path(t, PATH1, path);
    return P1(&t->g, "path_rename", dir, PATH1, n, dir2, PATH2, put_path(t, PATH2, path2));
}

static inline uint32_t hard_link(Tree *t, uint32_t dir, uint32_t lookup, const char *path,
                                 uint32_t dir2, const char *path2) {
    uint32_t n = put_path(t, PATH1, path);
    return P1(&t->g, "path_link", dir, lookup, PATH1, n, dir2, PATH2, put_path(t, PATH2, path2));
}

/* The content of the link is at BUF, its length at RESULT. */
static inline uint32_t read_link(Tree *t, uint32_t dir, const char *path, uint32_t cap) {
    uint32_t n = put_path(t, PATH1, path);
    return P1(&t->g, "path_readlink", dir, PATH1, n, BUF, cap, RESULT);
}

typedef struct GuestStat {
    uint64_t dev, ino, filetype, nlink, size, atim, mtim, ctim;
} GuestStat;

static inline uint32_t stat_path(Tree *t, uint32_t dir, uint32_t lookup, const char *path,
                                 GuestStat *st) {
    uint32_t n = put_path(t, PATH1, path);
    memset(at(&t->g, BUF), 0xab, 64);
    uint32_t err = P1(&t->g, "path_filestat_get", dir, lookup, PATH1, n, BUF);
    if (err) {
        for (uint32_t i = 0; i < 64; i++) assert_int_equal(at(&t->g, BUF)[i], 0xab);
        return err;
    }
    if (st)
        *st = (GuestStat){get64(&t->g, BUF),      get64(&t->g, BUF + 8),  get64(&t->g, BUF + 16),
                          get64(&t->g, BUF + 24), get64(&t->g, BUF + 32), get64(&t->g, BUF + 40),
                          get64(&t->g, BUF + 48), get64(&t->g, BUF + 56)};
    return err;
}

static inline uint32_t set_path_times(Tree *t, uint32_t dir, uint32_t lookup, const char *path,
                                      uint64_t atim, uint64_t mtim, uint32_t flags) {
    uint32_t n = put_path(t, PATH1, path);
    return P1(&t->g, "path_filestat_set_times", dir, lookup, PATH1, n, atim, mtim, flags);
}

static inline uint32_t write_text(Tree *t, uint32_t fd, const char *text) {
    uint32_t n = put_path(t, BUF, text);
    put_iovec(&t->g, PATH2, BUF, n);
    return P1(&t->g, "fd_write", fd, PATH2, 1, RESULT);
}

/* What was read is at BUF, NUL-terminated; its length at RESULT. */
static inline uint32_t read_text(Tree *t, uint32_t fd) {
    memset(at(&t->g, BUF), 0, 128);
    put_iovec(&t->g, PATH2, BUF, 127);
    return P1(&t->g, "fd_read", fd, PATH2, 1, RESULT);
}

static inline uint64_t rights_of(Tree *t, uint32_t fd, uint64_t *inheriting) {
    EXPECT(SUCCESS, P1(&t->g, "fd_fdstat_get", fd, BUF));
    if (inheriting) *inheriting = get64(&t->g, BUF + 16);
    return get64(&t->g, BUF + 8);
}
#endif
