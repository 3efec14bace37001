/* The path functions, one by one: what they do, and every error number they promise. */
#include "wasi_tree.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* ---- arguments that are wrong in the same way everywhere ---- */

/* A call of every path function with one path argument; dir and path can be chosen. */
typedef uint32_t (*PathCall)(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len);

static uint32_t call_open(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_open", dir, 0, ptr, len, 0, RD, 0, 0, RESULT);
}
static uint32_t call_mkdir(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_create_directory", dir, ptr, len);
}
static uint32_t call_rmdir(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_remove_directory", dir, ptr, len);
}
static uint32_t call_unlink(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_unlink_file", dir, ptr, len);
}
static uint32_t call_readlink(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_readlink", dir, ptr, len, BUF, 64, RESULT);
}
static uint32_t call_stat(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_filestat_get", dir, 0, ptr, len, BUF);
}
static uint32_t call_stat_p0(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P0(&t->g, "path_filestat_get", dir, 0, ptr, len, BUF);
}
static uint32_t call_times(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_filestat_set_times", dir, 0, ptr, len, 0, 0, WASI_FST_ATIM_NOW);
}
static uint32_t call_link_from(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_link", dir, 0, ptr, len, ROOT, PATH2, put_path(t, PATH2, "other"));
}
static uint32_t call_link_to(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_link", ROOT, 0, PATH2, put_path(t, PATH2, "here"), dir, ptr, len);
}
static uint32_t call_rename_from(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_rename", dir, ptr, len, ROOT, PATH2, put_path(t, PATH2, "other"));
}
static uint32_t call_rename_to(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_rename", ROOT, PATH2, put_path(t, PATH2, "here"), dir, ptr, len);
}
static uint32_t call_symlink(Tree *t, uint32_t dir, uint32_t ptr, uint32_t len) {
    return P1(&t->g, "path_symlink", PATH2, put_path(t, PATH2, "x"), dir, ptr, len);
}

static const struct {
    const char *name;
    PathCall call;
    uint64_t right;
    bool changes;
} calls[] = {
    {"open", call_open, WASI_R_PATH_OPEN, false},
    {"mkdir", call_mkdir, WASI_R_PATH_CREATE_DIRECTORY, true},
    {"rmdir", call_rmdir, WASI_R_PATH_REMOVE_DIRECTORY, true},
    {"unlink", call_unlink, WASI_R_PATH_UNLINK_FILE, true},
    {"readlink", call_readlink, WASI_R_PATH_READLINK, false},
    {"stat", call_stat, WASI_R_PATH_FILESTAT_GET, false},
    {"stat p0", call_stat_p0, WASI_R_PATH_FILESTAT_GET, false},
    {"times", call_times, WASI_R_PATH_FILESTAT_SET_TIMES, true},
    {"link from", call_link_from, WASI_R_PATH_LINK_SOURCE, true},
    {"link to", call_link_to, WASI_R_PATH_LINK_TARGET, true},
    {"rename from", call_rename_from, WASI_R_PATH_RENAME_SOURCE, true},
    {"rename to", call_rename_to, WASI_R_PATH_RENAME_TARGET, true},
    {"symlink", call_symlink, WASI_R_PATH_SYMLINK, true},
};
enum { NCALLS = sizeof calls / sizeof *calls };

static void expect_call(Tree *t, size_t i, uint32_t want, uint32_t dir, uint32_t ptr,
                        uint32_t len) {
    uint32_t got = calls[i].call(t, dir, ptr, len);
    if (got != want)
        fail_msg("%s: %s, not %s", calls[i].name, wasi_errno_name(got), wasi_errno_name(want));
}

/* Every function, every kind of bad path. */
static void bad_paths(void **state) {
    Tree *t = *state;
    const uint32_t size = (uint32_t)t->g.m.size;
    char longest[WASI_PATH_MAX + 8];
    write_file(t->root, "here", "here");
    for (size_t i = 0; i < NCALLS; i++) {
        expect_call(t, i, WASI_EFAULT, ROOT, size - 3, 4);
        expect_call(t, i, WASI_EFAULT, ROOT, size, 1);
        expect_call(t, i, WASI_EFAULT, ROOT, UINT32_MAX, 2);
        expect_call(t, i, WASI_EFAULT, ROOT, 1, UINT32_MAX);
        expect_call(t, i, WASI_ENOENT, ROOT, size, 0);
        expect_call(t, i, WASI_ENOENT, ROOT, PATH1, 0);
        memset(longest, 'x', sizeof longest);
        for (size_t k = 100; k < sizeof longest; k += 100) longest[k] = '/';
        memcpy(at(&t->g, PATH1), longest, sizeof longest);
        expect_call(t, i, WASI_ENAMETOOLONG, ROOT, PATH1, WASI_PATH_MAX);
        expect_call(t, i, WASI_ENAMETOOLONG, ROOT, PATH1, WASI_PATH_MAX + 7);
        expect_call(t, i, WASI_ENOENT, ROOT, PATH1, WASI_PATH_MAX - 1);
        memset(longest, 'x', sizeof longest);
        memcpy(at(&t->g, PATH1), longest, sizeof longest);
        expect_call(t, i, WASI_ENAMETOOLONG, ROOT, PATH1, 256);
        expect_call(t, i, WASI_ENAMETOOLONG, ROOT, PATH1, WASI_PATH_MAX - 1);
        memcpy(at(&t->g, PATH1), "no\0such", 7);
        expect_call(t, i, WASI_EINVAL, ROOT, PATH1, 7);
        expect_call(t, i, WASI_EINVAL, ROOT, PATH1, 3);
        memcpy(at(&t->g, PATH1), "a\xff/b", 4);
        expect_call(t, i, WASI_EILSEQ, ROOT, PATH1, 4);
        memcpy(at(&t->g, PATH1), "\xed\xa0\x80", 3);
        expect_call(t, i, WASI_EILSEQ, ROOT, PATH1, 3);
        expect_call(t, i, WASI_ENOENT, ROOT, PATH1, put_path(t, PATH1, "missing/x"));
        expect_call(t, i, WASI_ENOTDIR, ROOT, PATH1, put_path(t, PATH1, "here/x"));
        expect_call(t, i, WASI_EPERM, ROOT, PATH1, put_path(t, PATH1, "/here"));
        expect_call(t, i, WASI_EPERM, ROOT, PATH1, put_path(t, PATH1, "../here"));
        assert_true(exists(t->root, "here"));
    }
}

/* Every function: what the descriptor must be and must have. */
static void bad_descriptors(void **state) {
    Tree *t = *state;
    write_file(t->root, "here", "here");
    uint32_t file = must_open(t, ROOT, "here", 0, RD);
    uint32_t len = put_path(t, PATH1, "name");
    for (size_t i = 0; i < NCALLS; i++) {
        expect_call(t, i, WASI_EBADF, 77, PATH1, len);
        expect_call(t, i, WASI_EBADF, UINT32_MAX, PATH1, len);
        expect_call(t, i, WASI_ENOTDIR, file, PATH1, len);
        uint32_t dir = must_open(t, ROOT, ".", DIRECTORY, 0);
        uint64_t inheriting, all = rights_of(t, dir, &inheriting);
        EXPECT(SUCCESS, P1(&t->g, "fd_fdstat_set_rights", dir, all & ~calls[i].right, inheriting));
        put_path(t, PATH1, "name");
        expect_call(t, i, WASI_ENOTCAPABLE, dir, PATH1, len);
        EXPECT(SUCCESS, close_fd(t, dir));
        put_path(t, PATH1, "name");
        if (calls[i].changes) {
            expect_call(t, i, WASI_EROFS, RO, PATH1, len);
            expect_call(t, i, WASI_EROFS, RO, PATH1, put_path(t, PATH1, "file"));
            put_path(t, PATH1, "name");
        }
    }
    assert_file(t->root, "here", "here");
    assert_false(exists(t->root, "name"));
    assert_false(exists(t->root, "other"));
}

/* Results are written inside the memory only; a fault has no effect. */
static void result_pointers(void **state) {
    Tree *t = *state;
    write_file(t->root, "f", "x");
    assert_int_equal(symlinkat("f", t->root, "l"), 0);
    put_path(t, PATH1, "f");
    put_path(t, PATH2, "l");
    BOUNDS(&t->g, 8, 4, "path_open", ROOT, 0, PATH1, 1, 0, RD, 0, 0, RESULT);
    BOUNDS(&t->g, 2, 1, "path_open", ROOT, 0, PATH1, 1, 0, RD, 0, 0, RESULT);
    BOUNDS(&t->g, 4, 64, "path_filestat_get", ROOT, 0, PATH1, 1, BUF);
    BOUNDS0(&t->g, 4, 56, "path_filestat_get", ROOT, 0, PATH1, 1, BUF);
    BOUNDS(&t->g, 3, 8, "path_readlink", ROOT, PATH2, 1, BUF, 8, RESULT);
    BOUNDS(&t->g, 5, 4, "path_readlink", ROOT, PATH2, 1, BUF, 8, RESULT);
    EXPECT(FAULT, P1(&t->g, "path_open", ROOT, 0, PATH1, put_path(t, PATH1, "new"), CREAT, 0, 0, 0,
                     (uint32_t)t->g.m.size));
    EXPECT(FAULT, P1(&t->g, "path_open", ROOT, 0, PATH1, put_path(t, PATH1, "f"), TRUNC, 0, 0, 0,
                     (uint32_t)t->g.m.size - 3));
    assert_false(exists(t->root, "new"));
    assert_file(t->root, "f", "x");
}

/* ---- path_open ---- */

static void open_creates(void **state) {
    Tree *t = *state;
    EXPECT(NOENT, try_open(t, ROOT, 0, "f", 0, 0));
    EXPECT(NOENT, try_open(t, ROOT, 0, "f", TRUNC, WR));
    EXPECT(NOENT, try_open(t, ROOT, 0, "f", EXCL, WR));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "f", CREAT, RD));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "f", CREAT, RD));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "f", EXCL, RD)); /* EXCL means nothing alone */
    EXPECT(EXIST, try_open(t, ROOT, 0, "f", CREAT | EXCL, RD));
    EXPECT(EXIST, try_open(t, ROOT, FOLLOW, "f", CREAT | EXCL, RD));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "g", CREAT | EXCL | TRUNC, RD | WR));
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(ISDIR, try_open(t, ROOT, 0, "d", CREAT, RD));
    EXPECT(EXIST, try_open(t, ROOT, 0, "d", CREAT | EXCL, RD));
    EXPECT(ISDIR, try_open(t, ROOT, 0, "d", TRUNC, 0));
    EXPECT(ISDIR, try_open(t, ROOT, 0, "d", 0, WR));
    EXPECT(ISDIR, try_open(t, ROOT, 0, "d/", 0, RD | WR));
    EXPECT(ISDIR, try_open(t, ROOT, 0, "new/", CREAT, 0));
    EXPECT(ISDIR, try_open(t, ROOT, 0, ".", CREAT, 0));
    EXPECT(ISDIR, try_open(t, ROOT, 0, "d/..", CREAT, 0));
    EXPECT(NOENT, try_open(t, ROOT, 0, "missing/f", CREAT, 0));
    EXPECT(NOTDIR, try_open(t, ROOT, 0, "f/x", CREAT, 0));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "d/f", CREAT, 0));
    assert_true(exists(t->root, "d/f"));
    struct stat st;
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(fstatat(t->root, "f", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0666 & ~mask);
}

static void open_truncates_and_appends(void **state) {
    Tree *t = *state;
    uint32_t fd;
    write_file(t->root, "f", "0123456789");
    fd = must_open(t, ROOT, "f", 0, WR);
    EXPECT(SUCCESS, write_text(t, fd, "ab"));
    EXPECT(SUCCESS, close_fd(t, fd));
    assert_file(t->root, "f", "ab23456789");
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "f", 0, WR, 0, WASI_FDFLAG_APPEND, &fd));
    EXPECT(SUCCESS, write_text(t, fd, "+"));
    EXPECT(SUCCESS, close_fd(t, fd));
    assert_file(t->root, "f", "ab23456789+");
    fd = must_open(t, ROOT, "f", TRUNC, RD);
    assert_file(t->root, "f", "");
    EXPECT(BADF, write_text(t, fd, "no"));
    EXPECT(NOTCAPABLE, P1(&t->g, "fd_filestat_set_size", fd, 9));
    EXPECT(SUCCESS, close_fd(t, fd));
    fd = must_open(t, ROOT, "f", TRUNC, 0);
    EXPECT(SUCCESS, write_text(t, fd, "yes"));
    EXPECT(SUCCESS, close_fd(t, fd));
    assert_file(t->root, "f", "yes");
}

static void open_flag_arguments(void **state) {
    Tree *t = *state;
    uint32_t fd;
    EXPECT(SUCCESS, touch(t, ROOT, "f"));
    for (uint32_t bit = 16; bit; bit <<= 1)
        EXPECT(INVAL, open_full(t, ROOT, 0, "f", bit, RD, 0, 0, NULL));
    for (uint32_t bit = 32; bit; bit <<= 1)
        EXPECT(INVAL, open_full(t, ROOT, 0, "f", 0, RD, 0, bit, NULL));
    for (uint32_t bit = 2; bit; bit <<= 1)
        EXPECT(INVAL, open_full(t, ROOT, bit, "f", 0, RD, 0, 0, NULL));
    EXPECT(INVAL, try_open(t, ROOT, 0, "f", DIRECTORY | CREAT, 0));
    EXPECT(INVAL, try_open(t, ROOT, 0, "f", DIRECTORY | EXCL, 0));
    EXPECT(INVAL, try_open(t, ROOT, 0, "f", DIRECTORY | TRUNC, 0));
    EXPECT(NOTDIR, try_open(t, ROOT, 0, "f", DIRECTORY, 0));
    EXPECT(NOTDIR, try_open(t, ROOT, 0, "f/", 0, 0));
    EXPECT(NOTDIR, try_open(t, ROOT, 0, "f/.", 0, 0));
    EXPECT(NOTDIR, try_open(t, ROOT, 0, "f/..", 0, 0));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, ".", DIRECTORY, 0));
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "./", DIRECTORY, RD));
    EXPECT(ISDIR, try_open(t, ROOT, 0, ".", DIRECTORY, RD | WR));
    static const uint32_t flags[] = {WASI_FDFLAG_APPEND, WASI_FDFLAG_NONBLOCK, WASI_FDFLAG_SYNC,
                                     WASI_FDFLAG_DSYNC, WASI_FDFLAG_APPEND | WASI_FDFLAG_NONBLOCK};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        EXPECT(SUCCESS, open_full(t, ROOT, 0, "f", 0, RD | WR, 0, flags[i], &fd));
        EXPECT(SUCCESS, P1(&t->g, "fd_fdstat_get", fd, BUF));
        assert_int_equal(get16(&t->g, BUF + 2), flags[i]);
        EXPECT(SUCCESS, close_fd(t, fd));
    }
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "f", 0, RD | WR, 0, WASI_FDFLAG_RSYNC, &fd));
    EXPECT(SUCCESS, P1(&t->g, "fd_fdstat_get", fd, BUF));
    assert_int_equal(get16(&t->g, BUF + 2), WASI_FDFLAG_SYNC); /* Linux has no weaker one */
    EXPECT(SUCCESS, open_full(t, ROOT, 0, ".", 0, 0, 0, WASI_FDFLAG_NONBLOCK, &fd));
}

/* A request of nothing but FD_READ and FD_WRITE is an access mode. */
static void open_access_modes(void **state) {
    Tree *t = *state;
    uint64_t inheriting, parent_inheriting;
    rights_of(t, ROOT, &parent_inheriting);
    write_file(t->root, "f", "text");
    static const struct {
        uint64_t base;
        uint32_t oflags;
        bool read, write;
    } modes[] = {{RD, 0, true, false},         {WR, 0, false, true},    {RD | WR, 0, true, true},
                 {0, 0, true, false},          {0, CREAT, true, true},  {RD, CREAT, true, false},
                 {WR, CREAT, false, true},     {0, TRUNC, true, true},  {RD, TRUNC, true, false},
                 {RD | WR, TRUNC, true, true}, {WR, TRUNC, false, true}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        uint32_t fd = must_open(t, ROOT, "f", modes[i].oflags, modes[i].base);
        bool odd = modes[i].oflags & TRUNC && !modes[i].write; /* the host's can write */
        uint64_t want = WASI_RIGHTS_FILE & ~(uint64_t)(modes[i].write ? 0 : WASI_R_FD_WRITE) &
                        ~(uint64_t)(modes[i].read ? 0 : WASI_R_FD_READ) &
                        ~(uint64_t)(odd ? WASI_R_FD_ALLOCATE | WASI_R_FD_FILESTAT_SET_SIZE : 0);
        assert_int_equal(rights_of(t, fd, &inheriting), want);
        assert_int_equal(inheriting, 0);
        uint32_t r = read_text(t, fd), w = write_text(t, fd, "text");
        assert_int_equal(r, modes[i].read ? WASI_ESUCCESS : WASI_EBADF);
        assert_int_equal(w, modes[i].write ? WASI_ESUCCESS : WASI_EBADF);
        EXPECT(SUCCESS, close_fd(t, fd));
    }
    uint32_t dir = must_open(t, ROOT, ".", 0, 0);
    assert_int_equal(rights_of(t, dir, &inheriting), WASI_RIGHTS_DIR);
    assert_int_equal(inheriting, parent_inheriting);
}

/* Any other request is taken by the word. */
static void open_narrows(void **state) {
    Tree *t = *state;
    uint32_t fd, dir;
    uint64_t inheriting;
    write_file(t->root, "f", "text");
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "f", 0, RD | WASI_R_FD_TELL, RD, 0, &fd));
    assert_int_equal(rights_of(t, fd, &inheriting), RD | WASI_R_FD_TELL);
    assert_int_equal(inheriting, 0);
    EXPECT(NOTCAPABLE, P1(&t->g, "fd_seek", fd, 1, 0, RESULT));
    EXPECT(SUCCESS, P1(&t->g, "fd_tell", fd, RESULT));
    /* never open for writing: POSIX errors; a right given up: NOTCAPABLE */
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "f", 0, RD | WASI_R_FD_FILESTAT_SET_SIZE, 0, 0, &fd));
    assert_int_equal(rights_of(t, fd, NULL), RD | WASI_R_FD_FILESTAT_SET_SIZE);
    EXPECT(INVAL, P1(&t->g, "fd_filestat_set_size", fd, 9));
    EXPECT(BADF, write_text(t, fd, "no"));
    EXPECT(SUCCESS, P1(&t->g, "fd_fdstat_set_rights", fd, 0, 0));
    EXPECT(NOTCAPABLE, P1(&t->g, "fd_filestat_set_size", fd, 9));
    EXPECT(NOTCAPABLE, read_text(t, fd));
    EXPECT(BADF, write_text(t, fd, "no"));
    /* bits that exist for nothing a path leads to, or for nothing at all */
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "f", 0, RD | WASI_R_SOCK_SHUTDOWN | UINT64_C(1) << 63,
                              WASI_R_SOCK_ACCEPT, 0, &fd));
    assert_int_equal(rights_of(t, fd, NULL) & WR, 0);
    /* a directory that can open for reading only */
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "d", DIRECTORY,
                              WASI_R_PATH_OPEN | WASI_R_PATH_CREATE_FILE | WASI_R_FD_READDIR,
                              RD | WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_PATH_OPEN, 0, &dir));
    assert_int_equal(rights_of(t, dir, &inheriting),
                     WASI_R_PATH_OPEN | WASI_R_PATH_CREATE_FILE | WASI_R_FD_READDIR);
    assert_int_equal(inheriting, RD | WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_PATH_OPEN);
    EXPECT(NOTCAPABLE, try_open(t, dir, 0, "g", CREAT, WR));
    EXPECT(NOTCAPABLE, try_open(t, dir, 0, "g", CREAT, RD | WASI_R_FD_ADVISE));
    EXPECT(NOTCAPABLE, try_open(t, dir, 0, "g", CREAT | TRUNC, RD));
    EXPECT(NOTCAPABLE, open_full(t, dir, 0, "g", CREAT, RD, 0, WASI_FDFLAG_SYNC, NULL));
    EXPECT(NOTCAPABLE, open_full(t, dir, 0, "g", CREAT, RD, 0, WASI_FDFLAG_DSYNC, NULL));
    EXPECT(NOTCAPABLE, make_dir(t, dir, "x"));
    EXPECT(NOTCAPABLE, open_full(t, dir, 0, ".", 0, WASI_R_PATH_OPEN, WR, 0, NULL));
    EXPECT(SUCCESS, open_full(t, dir, 0, "g", CREAT, 0, 0, 0, &fd));
    assert_int_equal(rights_of(t, fd, NULL), RD | WASI_R_FD_SEEK | WASI_R_FD_TELL);
    EXPECT(NOTCAPABLE, write_text(t, fd, "no"));
    /* below it nothing comes back */
    EXPECT(SUCCESS, open_full(t, dir, 0, ".", 0, 0, 0, 0, &fd));
    assert_int_equal(rights_of(t, fd, &inheriting), WASI_R_PATH_OPEN);
    assert_int_equal(inheriting, RD | WASI_R_FD_SEEK | WASI_R_FD_TELL | WASI_R_PATH_OPEN);
}

static void open_takes_no_number_on_error(void **state) {
    Tree *t = *state;
    uint32_t first = must_open(t, ROOT, ".", 0, 0);
    EXPECT(SUCCESS, close_fd(t, first));
    EXPECT(NOENT, try_open(t, ROOT, 0, "missing", 0, 0));
    EXPECT(PERM, try_open(t, ROOT, 0, "..", 0, 0));
    EXPECT(ROFS, try_open(t, RO, 0, "file", 0, WR));
    assert_int_equal(must_open(t, ROOT, ".", 0, 0), first);
}

/* No descriptor left for the guest: nothing is created. */
static void open_runs_out(void **state) {
    Tree *t = *state;
    t->g.w->fds_max = 6;
    EXPECT(SUCCESS, open_full(t, ROOT, 0, ".", 0, 0, 0, 0, NULL));
    EXPECT(MFILE, touch(t, ROOT, "f"));
    assert_false(exists(t->root, "f"));
    EXPECT(SUCCESS, close_fd(t, 5));
    EXPECT(SUCCESS, touch(t, ROOT, "f"));
    t->g.w->fds_max = WASI_MAX_FDS;
}

/* ---- the others ---- */

static void directories(void **state) {
    Tree *t = *state;
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(EXIST, make_dir(t, ROOT, "d"));
    EXPECT(EXIST, make_dir(t, ROOT, "d/"));
    EXPECT(EXIST, make_dir(t, ROOT, "."));
    EXPECT(EXIST, make_dir(t, ROOT, "d/.."));
    EXPECT(EXIST, make_dir(t, ROOT, "d/."));
    EXPECT(SUCCESS, make_dir(t, ROOT, "d/e/"));
    EXPECT(SUCCESS, make_dir(t, ROOT, "d/e/../f///"));
    EXPECT(SUCCESS, touch(t, ROOT, "d/file"));
    EXPECT(EXIST, make_dir(t, ROOT, "d/file"));
    EXPECT(NOTDIR, make_dir(t, ROOT, "d/file/x"));
    EXPECT(NOENT, make_dir(t, ROOT, "d/none/x"));
    EXPECT(SUCCESS, make_symlink(t, "nowhere", ROOT, "dangling"));
    EXPECT(EXIST, make_dir(t, ROOT, "dangling"));
    EXPECT(EXIST, make_dir(t, ROOT, "dangling/"));
    assert_false(exists(t->root, "nowhere"));

    EXPECT(NOTEMPTY, remove_dir(t, ROOT, "d"));
    EXPECT(NOTEMPTY, remove_dir(t, ROOT, "d/e/.."));
    EXPECT(INVAL, remove_dir(t, ROOT, "d/e/."));
    EXPECT(INVAL, remove_dir(t, ROOT, "."));
    EXPECT(NOTDIR, remove_dir(t, ROOT, "d/file"));
    EXPECT(NOTDIR, remove_dir(t, ROOT, "d/file/"));
    EXPECT(NOTDIR, remove_dir(t, ROOT, "dangling"));
    EXPECT(NOENT, remove_dir(t, ROOT, "none"));
    EXPECT(SUCCESS, make_symlink(t, "d/e", ROOT, "to_dir"));
    EXPECT(NOTDIR, remove_dir(t, ROOT, "to_dir"));
    EXPECT(NOTDIR, remove_dir(t, ROOT, "to_dir/"));
    EXPECT(SUCCESS, remove_dir(t, ROOT, "d/e"));
    EXPECT(SUCCESS, remove_dir(t, ROOT, "d/f/"));
    EXPECT(SUCCESS, unlink_file(t, ROOT, "d/file"));
    EXPECT(SUCCESS, remove_dir(t, ROOT, "d"));
    assert_false(exists(t->root, "d"));
}

static void unlinking(void **state) {
    Tree *t = *state;
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(SUCCESS, touch(t, ROOT, "f"));
    EXPECT(ISDIR, unlink_file(t, ROOT, "d"));
    EXPECT(ISDIR, unlink_file(t, ROOT, "d/"));
    EXPECT(ISDIR, unlink_file(t, ROOT, "."));
    EXPECT(ISDIR, unlink_file(t, ROOT, "d/.."));
    EXPECT(NOTDIR, unlink_file(t, ROOT, "f/"));
    EXPECT(NOENT, unlink_file(t, ROOT, "none"));
    EXPECT(NOENT, unlink_file(t, ROOT, "none/"));
    EXPECT(SUCCESS, make_symlink(t, "f", ROOT, "l"));
    EXPECT(SUCCESS, make_symlink(t, "d", ROOT, "ld"));
    EXPECT(NOTDIR, unlink_file(t, ROOT, "l/"));
    EXPECT(NOTDIR, unlink_file(t, ROOT, "ld/"));
    EXPECT(SUCCESS, unlink_file(t, ROOT, "l"));
    EXPECT(SUCCESS, unlink_file(t, ROOT, "ld"));
    EXPECT(SUCCESS, unlink_file(t, ROOT, "f"));
    EXPECT(NOENT, unlink_file(t, ROOT, "f"));
    assert_true(exists(t->root, "d"));
}

static void renaming(void **state) {
    Tree *t = *state;
    write_file(t->root, "f", "f");
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(SUCCESS, make_dir(t, ROOT, "e"));
    EXPECT(SUCCESS, rename_to(t, ROOT, "f", ROOT, "d/g"));
    EXPECT(SUCCESS, rename_to(t, ROOT, "d/g", ROOT, "d/g"));
    uint32_t dir = must_open(t, ROOT, "d", DIRECTORY, 0);
    EXPECT(SUCCESS, rename_to(t, dir, "g", ROOT, "f"));
    assert_file(t->root, "f", "f");
    write_file(t->root, "old", "old");
    EXPECT(SUCCESS, rename_to(t, ROOT, "f", ROOT, "old"));
    assert_file(t->root, "old", "f");
    EXPECT(NOENT, rename_to(t, ROOT, "f", ROOT, "x"));
    EXPECT(NOENT, rename_to(t, ROOT, "old", ROOT, "none/x"));
    EXPECT(NOTDIR, rename_to(t, ROOT, "old/", ROOT, "x"));
    EXPECT(NOTDIR, rename_to(t, ROOT, "old", ROOT, "x/"));
    EXPECT(NOTDIR, rename_to(t, ROOT, "d", ROOT, "old"));
    EXPECT(ISDIR, rename_to(t, ROOT, "old", ROOT, "d"));
    EXPECT(SUCCESS, touch(t, ROOT, "e/x"));
    EXPECT(NOTEMPTY, rename_to(t, ROOT, "d", ROOT, "e"));
    EXPECT(INVAL, rename_to(t, ROOT, "d", ROOT, "d/below"));
    EXPECT(SUCCESS, rename_to(t, ROOT, "e/", ROOT, "d/"));
    assert_true(exists(t->root, "d/x"));
    EXPECT(BUSY, rename_to(t, ROOT, ".", ROOT, "x"));
    EXPECT(BUSY, rename_to(t, ROOT, "d/..", ROOT, "x"));
    EXPECT(BUSY, rename_to(t, ROOT, "old", ROOT, "d/."));
    EXPECT(BUSY, rename_to(t, ROOT, "old", ROOT, "d/.."));
    /* links are renamed and replaced, not followed */
    EXPECT(SUCCESS, make_symlink(t, "old", ROOT, "l"));
    EXPECT(SUCCESS, rename_to(t, ROOT, "l", ROOT, "m"));
    EXPECT(SUCCESS, rename_to(t, ROOT, "old", ROOT, "m"));
    assert_file(t->root, "m", "f");
    assert_false(exists(t->root, "old"));
    EXPECT(SUCCESS, make_symlink(t, "d", ROOT, "ld"));
    EXPECT(NOTDIR, rename_to(t, ROOT, "ld/", ROOT, "x"));
}

static void hard_links(void **state) {
    Tree *t = *state;
    write_file(t->root, "f", "f");
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(SUCCESS, hard_link(t, ROOT, 0, "f", ROOT, "d/g"));
    GuestStat a, b;
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "f", &a));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "d/g", &b));
    assert_int_equal(a.ino, b.ino);
    assert_int_equal(a.nlink, 2);
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "d/g"));
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "f"));
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "d"));
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "d/"));
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "."));
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "d/.."));
    EXPECT(NOTDIR, hard_link(t, ROOT, 0, "f", ROOT, "d/g/"));
    EXPECT(NOENT, hard_link(t, ROOT, 0, "f", ROOT, "new/"));
    EXPECT(NOENT, hard_link(t, ROOT, 0, "none", ROOT, "new"));
    EXPECT(NOENT, hard_link(t, ROOT, 0, "none/", ROOT, "new"));
    EXPECT(NOTDIR, hard_link(t, ROOT, 0, "f/", ROOT, "new"));
    EXPECT(PERM, hard_link(t, ROOT, 0, "d", ROOT, "new"));
    EXPECT(PERM, hard_link(t, ROOT, 0, "d/", ROOT, "new"));
    EXPECT(PERM, hard_link(t, ROOT, 0, ".", ROOT, "new"));
    EXPECT(PERM, hard_link(t, ROOT, 0, "d/..", ROOT, "new"));
    EXPECT(INVAL, hard_link(t, ROOT, FOLLOW, "f", ROOT, "new"));
    EXPECT(INVAL, hard_link(t, ROOT, 2, "f", ROOT, "new"));
    /* links are linked, not followed */
    EXPECT(SUCCESS, make_symlink(t, "f", ROOT, "l"));
    EXPECT(SUCCESS, hard_link(t, ROOT, 0, "l", ROOT, "m"));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "m", &a));
    assert_int_equal(a.filetype, WASI_FILETYPE_SYMBOLIC_LINK);
    EXPECT(NOTDIR, hard_link(t, ROOT, 0, "l/", ROOT, "new"));
    EXPECT(SUCCESS, make_symlink(t, "nowhere", ROOT, "dangling"));
    EXPECT(EXIST, hard_link(t, ROOT, 0, "f", ROOT, "dangling"));
    assert_false(exists(t->root, "new"));
    assert_false(exists(t->root, "nowhere"));
}

static void symlinks(void **state) {
    Tree *t = *state;
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    write_file(t->root, "d/f", "f");
    EXPECT(SUCCESS, make_symlink(t, "f", ROOT, "d/l"));
    EXPECT(SUCCESS, make_symlink(t, "../d/l", ROOT, "d/m"));
    EXPECT(SUCCESS, make_symlink(t, "d/", ROOT, "ld"));
    EXPECT(EXIST, make_symlink(t, "x", ROOT, "d/l"));
    EXPECT(EXIST, make_symlink(t, "x", ROOT, "d"));
    EXPECT(EXIST, make_symlink(t, "x", ROOT, "d/"));
    EXPECT(EXIST, make_symlink(t, "x", ROOT, "."));
    EXPECT(NOTDIR, make_symlink(t, "x", ROOT, "d/f/"));
    EXPECT(NOENT, make_symlink(t, "x", ROOT, "new/"));
    EXPECT(NOENT, make_symlink(t, "", ROOT, "new"));
    EXPECT(PERM, make_symlink(t, "/", ROOT, "new"));
    EXPECT(PERM, make_symlink(t, "/d", ROOT, "new"));
    put_path(t, PATH2, "a");
    put_path(t, PATH1, "new");
    BOUNDS(&t->g, 0, 1, "path_symlink", PATH2, 1, ROOT, PATH1, 1);
    memcpy(at(&t->g, PATH2), "a\0", 2);
    EXPECT(INVAL, P1(&t->g, "path_symlink", PATH2, 2, ROOT, PATH1, 3));
    memcpy(at(&t->g, PATH2), "\xc0\x80", 2);
    EXPECT(ILSEQ, P1(&t->g, "path_symlink", PATH2, 2, ROOT, PATH1, 3));
    assert_false(exists(t->root, "new"));
    /* following */
    uint32_t fd;
    static const char *const to_file[] = {"d/l", "d/m", "ld/l", "ld/m", "ld/../d/m"};
    for (size_t i = 0; i < sizeof to_file / sizeof *to_file; i++) {
        EXPECT(SUCCESS, open_full(t, ROOT, FOLLOW, to_file[i], 0, RD, 0, 0, &fd));
        EXPECT(SUCCESS, read_text(t, fd));
        assert_string_equal((char *)at(&t->g, BUF), "f");
        EXPECT(SUCCESS, close_fd(t, fd));
        EXPECT(LOOP, try_open(t, ROOT, 0, to_file[i], 0, RD));
        EXPECT(NOTDIR, try_open(t, ROOT, 0, to_file[i], DIRECTORY, RD));
    }
    EXPECT(SUCCESS, try_open(t, ROOT, 0, "ld/", 0, RD)); /* a slash follows */
    EXPECT(LOOP, try_open(t, ROOT, 0, "ld", 0, RD));
    /* creation through a dangling link, if it is followed */
    EXPECT(SUCCESS, make_symlink(t, "d/new", ROOT, "dangling"));
    EXPECT(LOOP, try_open(t, ROOT, 0, "dangling", CREAT, 0));
    EXPECT(EXIST, try_open(t, ROOT, FOLLOW, "dangling", CREAT | EXCL, 0));
    EXPECT(NOENT, try_open(t, ROOT, FOLLOW, "dangling", 0, 0));
    EXPECT(SUCCESS, try_open(t, ROOT, FOLLOW, "dangling", CREAT, 0));
    assert_true(exists(t->root, "d/new"));
    /* loops */
    EXPECT(SUCCESS, make_symlink(t, "loop", ROOT, "loop"));
    EXPECT(LOOP, try_open(t, ROOT, FOLLOW, "loop", 0, 0));
    EXPECT(LOOP, try_open(t, ROOT, 0, "loop", 0, 0));
    EXPECT(LOOP, try_open(t, ROOT, 0, "loop/x", 0, 0));
    EXPECT(LOOP, make_dir(t, ROOT, "loop/x"));
    EXPECT(LOOP, stat_path(t, ROOT, FOLLOW, "loop", NULL));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "loop", NULL));
    EXPECT(SUCCESS, unlink_file(t, ROOT, "loop"));
}

static void reading_links(void **state) {
    Tree *t = *state;
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(SUCCESS, touch(t, ROOT, "f"));
    EXPECT(SUCCESS, make_symlink(t, "target", ROOT, "d/l"));
    memset(at(&t->g, BUF), '#', 32);
    EXPECT(SUCCESS, read_link(t, ROOT, "d/l", 10));
    assert_int_equal(get32(&t->g, RESULT), 6);
    assert_memory_equal(at(&t->g, BUF), "target####", 10);
    EXPECT(SUCCESS, read_link(t, ROOT, "d/l", 4));
    assert_int_equal(get32(&t->g, RESULT), 4);
    EXPECT(SUCCESS, read_link(t, ROOT, "d/l", 0));
    assert_int_equal(get32(&t->g, RESULT), 0);
    EXPECT(INVAL, read_link(t, ROOT, "f", 10));
    EXPECT(INVAL, read_link(t, ROOT, "d", 10));
    EXPECT(INVAL, read_link(t, ROOT, "d/", 10));
    EXPECT(INVAL, read_link(t, ROOT, ".", 10));
    EXPECT(INVAL, read_link(t, ROOT, "d/..", 10));
    EXPECT(NOTDIR, read_link(t, ROOT, "f/", 10));
    EXPECT(NOENT, read_link(t, ROOT, "d/l/", 10));
    EXPECT(NOENT, read_link(t, ROOT, "none", 10));
    assert_int_equal(symlinkat("a\xff", t->root, "bytes"), 0);
    EXPECT(ILSEQ, read_link(t, ROOT, "bytes", 10));
    char longest[WASI_PATH_MAX];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(symlinkat(longest, t->root, "longest"), 0);
    EXPECT(SUCCESS, read_link(t, ROOT, "longest", BUF_SIZE));
    assert_int_equal(get32(&t->g, RESULT), sizeof longest - 1);
}

static void status(void **state) {
    Tree *t = *state;
    struct stat st;
    GuestStat g;
    write_file(t->root, "f", "12345");
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    EXPECT(SUCCESS, make_symlink(t, "f", ROOT, "l"));
    EXPECT(SUCCESS, make_symlink(t, "none", ROOT, "dangling"));
    assert_int_equal(fstatat(t->root, "f", &st, 0), 0);
    for (uint32_t follow = 0; follow < 2; follow++) {
        EXPECT(SUCCESS, stat_path(t, ROOT, follow, "f", &g));
        assert_int_equal(g.dev, st.st_dev);
        assert_int_equal(g.ino, st.st_ino);
        assert_int_equal(g.filetype, WASI_FILETYPE_REGULAR_FILE);
        assert_int_equal(g.nlink, 1);
        assert_int_equal(g.size, 5);
        assert_int_equal(g.mtim, st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
        assert_int_equal(g.ctim, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
        EXPECT(SUCCESS, stat_path(t, ROOT, follow, "d", &g));
        assert_int_equal(g.filetype, WASI_FILETYPE_DIRECTORY);
        EXPECT(SUCCESS, stat_path(t, ROOT, follow, "d/..", &g));
        assert_int_equal(g.filetype, WASI_FILETYPE_DIRECTORY);
        EXPECT(SUCCESS, stat_path(t, ROOT, follow, "l", &g));
        assert_int_equal(g.filetype,
                         follow ? WASI_FILETYPE_REGULAR_FILE : WASI_FILETYPE_SYMBOLIC_LINK);
        assert_int_equal(g.size, follow ? 5 : 1);
        EXPECT(NOTDIR, stat_path(t, ROOT, follow, "f/", NULL));
        EXPECT(NOTDIR, stat_path(t, ROOT, follow, "l/", NULL));
        EXPECT(NOENT, stat_path(t, ROOT, follow, "none", NULL));
        EXPECT(SUCCESS, stat_path(t, RO, follow, "file", &g));
    }
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "dangling", &g));
    EXPECT(NOENT, stat_path(t, ROOT, FOLLOW, "dangling", NULL));
    EXPECT(INVAL, stat_path(t, ROOT, 2, "f", NULL));
    /* snapshot 0: 56 bytes, a link count of 32 bits */
    memset(at(&t->g, BUF), 0xab, 64);
    EXPECT(SUCCESS, P0(&t->g, "path_filestat_get", ROOT, 0, PATH1, put_path(t, PATH1, "f"), BUF));
    assert_int_equal(at(&t->g, BUF)[16], WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(get32(&t->g, BUF + 20), 1);
    assert_int_equal(get64(&t->g, BUF + 24), 5);
    assert_int_equal(get64(&t->g, BUF + 40), st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    assert_int_equal(at(&t->g, BUF)[56], 0xab);
    /* other kinds of files */
    assert_int_equal(mkfifoat(t->root, "fifo", 0600), 0);
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "fifo", &g));
    assert_int_equal(g.filetype, WASI_FILETYPE_UNKNOWN);
}

static void times(void **state) {
    Tree *t = *state;
    GuestStat g, before;
    write_file(t->root, "f", "");
    EXPECT(SUCCESS, make_symlink(t, "f", ROOT, "l"));
    EXPECT(SUCCESS,
           set_path_times(t, ROOT, 0, "f", 1000000001, 2000000002, WASI_FST_ATIM | WASI_FST_MTIM));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "f", &before));
    assert_int_equal(before.atim, 1000000001);
    assert_int_equal(before.mtim, 2000000002);
    /* the link itself */
    EXPECT(SUCCESS,
           set_path_times(t, ROOT, 0, "l", 3000000003, 4000000004, WASI_FST_ATIM | WASI_FST_MTIM));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "l", &g));
    assert_int_equal(g.mtim, 4000000004);
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "f", &g));
    assert_int_equal(g.atim, before.atim);
    assert_int_equal(g.mtim, before.mtim);
    /* through the link; one of two */
    EXPECT(SUCCESS, set_path_times(t, ROOT, FOLLOW, "l", 5, 6000000006, WASI_FST_MTIM));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "f", &g));
    assert_int_equal(g.atim, before.atim);
    assert_int_equal(g.mtim, 6000000006);
    EXPECT(SUCCESS, set_path_times(t, ROOT, 0, "f", 0, 0, WASI_FST_ATIM_NOW));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, "f", &g));
    assert_true(g.atim > UINT64_C(1000000000000000000));
    assert_int_equal(g.mtim, 6000000006);
    EXPECT(SUCCESS, set_path_times(t, ROOT, 0, "f", 0, 0, 0));
    EXPECT(SUCCESS, set_path_times(t, ROOT, 0, ".", 0, 7000000000, WASI_FST_MTIM));
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, ".", &g));
    assert_int_equal(g.mtim, 7000000000);
    EXPECT(INVAL, set_path_times(t, ROOT, 0, "f", 0, 0, WASI_FST_ATIM | WASI_FST_ATIM_NOW));
    EXPECT(INVAL, set_path_times(t, ROOT, 0, "f", 0, 0, WASI_FST_MTIM | WASI_FST_MTIM_NOW));
    EXPECT(INVAL, set_path_times(t, ROOT, 0, "f", 0, 0, 16));
    EXPECT(INVAL, set_path_times(t, ROOT, 2, "f", 0, 0, 0));
    EXPECT(NOENT, set_path_times(t, ROOT, 0, "none", 0, 0, WASI_FST_ATIM_NOW));
    EXPECT(NOTDIR, set_path_times(t, ROOT, 0, "f/", 0, 0, WASI_FST_ATIM_NOW));
}

/* ---- read-only directories, narrower directories ---- */

static void read_only(void **state) {
    Tree *t = *state;
    uint32_t fd, sub;
    EXPECT(SUCCESS, try_open(t, RO, 0, "file", 0, RD));
    EXPECT(SUCCESS, try_open(t, RO, 0, "file", 0, 0));
    EXPECT(ROFS, try_open(t, RO, 0, "file", 0, WR));
    EXPECT(ROFS, try_open(t, RO, 0, "file", TRUNC, RD));
    EXPECT(ROFS, try_open(t, RO, 0, "file", CREAT, RD));
    EXPECT(ROFS, try_open(t, RO, 0, "new", CREAT | EXCL, 0));
    EXPECT(SUCCESS, open_full(t, RO, 0, ".", 0, 0, 0, 0, &sub));
    EXPECT(ROFS, try_open(t, sub, 0, "file", 0, RD | WR));
    EXPECT(ROFS, unlink_file(t, sub, "file"));
    EXPECT(ROFS, make_dir(t, sub, "d"));
    EXPECT(SUCCESS, open_full(t, sub, 0, "file", 0, RD, 0, 0, &fd));
    EXPECT(ROFS, P1(&t->g, "fd_filestat_set_times", fd, 0, 0, WASI_FST_ATIM_NOW));
    EXPECT(SUCCESS, touch(t, ROOT, "f"));
    EXPECT(ROFS, hard_link(t, RO, 0, "file", ROOT, "alias"));
    EXPECT(ROFS, hard_link(t, ROOT, 0, "f", RO, "alias"));
    EXPECT(ROFS, rename_to(t, RO, "file", ROOT, "alias"));
    EXPECT(ROFS, rename_to(t, ROOT, "f", RO, "file"));
    EXPECT(ROFS, make_symlink(t, "x", RO, "l"));
    EXPECT(SUCCESS, read_text(t, fd));
    assert_string_equal((char *)at(&t->g, BUF), "read only");
    assert_true(exists(t->root, "f"));
}

/* A file is not brought to where more may be done with it. */
static void no_wider_rights_by_moving(void **state) {
    Tree *t = *state;
    uint32_t narrow;
    uint64_t inheriting, base;
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    write_file(t->root, "d/f", "f");
    narrow = must_open(t, ROOT, "d", DIRECTORY, 0);
    base = rights_of(t, narrow, &inheriting);
    EXPECT(SUCCESS, P1(&t->g, "fd_fdstat_set_rights", narrow, base, inheriting & ~(uint64_t)WR));
    EXPECT(NOTCAPABLE, try_open(t, narrow, 0, "f", 0, WR));
    EXPECT(NOTCAPABLE, hard_link(t, narrow, 0, "f", ROOT, "g"));
    EXPECT(NOTCAPABLE, rename_to(t, narrow, "f", ROOT, "g"));
    EXPECT(SUCCESS, hard_link(t, narrow, 0, "f", narrow, "g"));
    EXPECT(SUCCESS, touch(t, ROOT, "other"));
    EXPECT(SUCCESS, rename_to(t, ROOT, "other", narrow, "h"));
    assert_false(exists(t->root, "g"));
}

/* Opening a pipe without a writer blocks. Signals interrupt it; it goes on until the embedder says stop. */
static atomic_int interruptions;

static bool stop_at_three(void *user) {
    (void)user;
    return ++interruptions == 3;
}

static void nothing(int sig) {
    (void)sig;
}

static void *send_signals(void *thread) {
    for (int i = 0; i < 1000 && interruptions < 3; i++) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return NULL;
}

static void open_gives_way(void **state) {
    Tree *t = *state;
    pthread_t self = pthread_self(), other;
    struct sigaction sa = {.sa_handler = nothing}, old;
    assert_int_equal(mkfifoat(t->root, "fifo", 0600), 0);
    assert_int_equal(sigaction(SIGUSR1, &sa, &old), 0);
    interruptions = 0;
    t->g.w->interrupted = stop_at_three;
    assert_int_equal(pthread_create(&other, NULL, send_signals, &self), 0);
    EXPECT(INTR, try_open(t, ROOT, 0, "fifo", 0, RD));
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
    uint32_t fd;
    EXPECT(SUCCESS, open_full(t, ROOT, 0, "fifo", 0, RD, 0, WASI_FDFLAG_NONBLOCK, &fd));
    EXPECT(SUCCESS, close_fd(t, fd));
    EXPECT(NXIO, open_full(t, ROOT, 0, "fifo", 0, WR, 0, WASI_FDFLAG_NONBLOCK, NULL));
}

/* Every request for memory fails once: NOMEM, and nothing is lost. */
static void memory_runs_out(void **state) {
    (void)state;
    for (long n = 1;; n++) {
        Heap h = {.fail_at = n};
        MemHooks hooks = {heap_realloc, &h};
        WasiConfig cfg = wasi_config_default();
        WasiPreopen pre = {.host = "/tmp", .guest = "/"};
        Tree t = {0};
        Diag diag = {0};
        cfg.hooks = &hooks;
        cfg.preopens = &pre;
        cfg.npreopens = 1;
        t.g.w = wasi_new(&cfg, &diag);
        if (t.g.w) {
            guest_memory(&t.g, GUEST_MEM);
            uint32_t fd, made = 0, err = WASI_ESUCCESS;
            while (!err && made < 100) {
                err = open_full(&t, 3, 0, ".", 0, 0, 0, 0, &fd);
                made += !err;
            }
            assert_true(err == WASI_ESUCCESS || err == WASI_ENOMEM);
            wasi_free(t.g.w);
            guest_memory_free(&t.g);
            assert_int_equal(h.live, 0);
            if (h.calls < n) break;
        } else {
            assert_int_equal(h.live, 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TREE_TEST(bad_paths),
        TREE_TEST(bad_descriptors),
        TREE_TEST(result_pointers),
        TREE_TEST(open_creates),
        TREE_TEST(open_truncates_and_appends),
        TREE_TEST(open_flag_arguments),
        TREE_TEST(open_access_modes),
        TREE_TEST(open_narrows),
        TREE_TEST(open_takes_no_number_on_error),
        TREE_TEST(open_runs_out),
        TREE_TEST(open_gives_way),
        TREE_TEST(directories),
        TREE_TEST(unlinking),
        TREE_TEST(renaming),
        TREE_TEST(hard_links),
        TREE_TEST(symlinks),
        TREE_TEST(reading_links),
        TREE_TEST(status),
        TREE_TEST(times),
        TREE_TEST(read_only),
        TREE_TEST(no_wider_rights_by_moving),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
