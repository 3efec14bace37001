/* WASI: attributes and life of descriptors. */
#include "wasi_guest.h"

#include <fcntl.h>
#include <sys/stat.h>

static const WasiPreopen root_dir = {.host = "/", .guest = "/"};

enum { DIR_FD = 3 };

/* Streams of the test process, one preopened directory, one file of its own (4). */
static void start(Guest *g) {
    static const uint8_t text[] = "text";
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_BYTES, .bytes = text, .bytes_len = 4};
    cfg.preopens = &root_dir;
    cfg.npreopens = 1;
    guest_start(g, &cfg);
}

static void sized(int fd, off_t size) {
    assert_int_equal(ftruncate(fd, size), 0);
}

/* ---- what every function says to a number that is not open ---- */

static void unknown_descriptors_are_badf(void **st) {
    (void)st;
    static const struct {
        const char *name;
        uint64_t args[5];
        size_t n;
    } calls[] = {
        {"fd_advise", {0, 0, 0, 0}, 4},
        {"fd_allocate", {0, 0, 1}, 3},
        {"fd_close", {0}, 1},
        {"fd_datasync", {0}, 1},
        {"fd_fdstat_get", {0, 64}, 2},
        {"fd_fdstat_set_flags", {0, 0}, 2},
        {"fd_fdstat_set_rights", {0, 0, 0}, 3},
        {"fd_filestat_get", {0, 64}, 2},
        {"fd_filestat_set_size", {0, 0}, 2},
        {"fd_filestat_set_times", {0, 0, 0, 0}, 4},
        {"fd_prestat_get", {0, 64}, 2},
        {"fd_prestat_dir_name", {0, 64, 100}, 3},
        {"fd_renumber", {0, DIR_FD}, 2},
        {"fd_sync", {0}, 1},
        {"fd_tell", {0, 64}, 2},
        {"fd_seek", {0, 0, 0, 64}, 4},
        {"fd_read", {0, 0, 0, 64}, 4},
        {"fd_write", {0, 0, 0, 64}, 4},
        {"fd_pread", {0, 0, 0, 0, 64}, 5},
        {"fd_pwrite", {0, 0, 0, 0, 64}, 5},
    };
    static const uint32_t bad[] = {1, 4, 63, 64, 65535, 65536, 0x80000000, UINT32_MAX};
    Guest g;
    start(&g);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            uint64_t a[5];
            memcpy(a, calls[i].args, sizeof a);
            a[0] = bad[k];
            const char *const modules[] = {"wasi_snapshot_preview1", "wasi_unstable"};
            for (int m = 0; m < 2; m++) {
                uint32_t r = guest_call(&g, modules[m], calls[i].name, a, calls[i].n);
                if (r != WASI_EBADF)
                    fail_msg("%s(%u): %s", calls[i].name, bad[k], wasi_errno_name(r));
            }
        }
    }
    EXPECT(BADF, P1(&g, "fd_renumber", DIR_FD, 77));
    EXPECT(BADF, P1(&g, "fd_renumber", 77, 77));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", DIR_FD, 64));
    guest_end(&g);
}

/* What concerns the contents of a file is BADF for a directory, whatever its rights. */
static void directories_are_not_files(void **st) {
    (void)st;
    Guest g;
    start(&g);
    EXPECT(BADF, P1(&g, "fd_advise", DIR_FD, 0, 0, 4));
    EXPECT(BADF, P1(&g, "fd_allocate", DIR_FD, 0, 0));
    EXPECT(BADF, P1(&g, "fd_datasync", DIR_FD));
    EXPECT(BADF, P1(&g, "fd_sync", DIR_FD));
    EXPECT(BADF, P1(&g, "fd_fdstat_set_flags", DIR_FD, WASI_FDFLAG_NONBLOCK));
    EXPECT(BADF, P1(&g, "fd_filestat_set_size", DIR_FD, 0));
    EXPECT(BADF, P1(&g, "fd_tell", DIR_FD, 64));
    for (uint32_t w = 0; w < 3; w++) EXPECT(BADF, P1(&g, "fd_seek", DIR_FD, 0, w, 64));
    put_iovec(&g, 0, 100, 10);
    EXPECT(BADF, P1(&g, "fd_read", DIR_FD, 0, 1, 64));
    EXPECT(BADF, P1(&g, "fd_write", DIR_FD, 0, 1, 64));
    EXPECT(BADF, P1(&g, "fd_pread", DIR_FD, 0, 1, 0, 64));
    EXPECT(BADF, P1(&g, "fd_pwrite", DIR_FD, 0, 1, 0, 64));
    guest_end(&g);
}

static void each_function_wants_its_right(void **st) {
    (void)st;
    static const struct {
        const char *name;
        uint64_t right, args[5];
        size_t n;
    } calls[] = {
        {"fd_advise", WASI_R_FD_ADVISE, {0, 0, 0, 0}, 4},
        {"fd_allocate", WASI_R_FD_ALLOCATE, {0, 0, 1}, 3},
        {"fd_datasync", WASI_R_FD_DATASYNC, {0}, 1},
        {"fd_sync", WASI_R_FD_SYNC, {0}, 1},
        {"fd_fdstat_set_flags", WASI_R_FD_FDSTAT_SET_FLAGS, {0, 0}, 2},
        {"fd_filestat_get", WASI_R_FD_FILESTAT_GET, {0, 64}, 2},
        {"fd_filestat_set_size", WASI_R_FD_FILESTAT_SET_SIZE, {0, 0}, 2},
        {"fd_filestat_set_times", WASI_R_FD_FILESTAT_SET_TIMES, {0, 0, 0, 0}, 4},
        {"fd_tell", WASI_R_FD_TELL, {0, 64}, 2},
        {"fd_seek", WASI_R_FD_SEEK, {0, 0, 0, 64}, 4},
        {"fd_read", WASI_R_FD_READ, {0, 0, 0, 64}, 4},
        {"fd_write", WASI_R_FD_WRITE, {0, 0, 0, 64}, 4},
        {"fd_pread", WASI_R_FD_READ, {0, 0, 0, 0, 64}, 5},
        {"fd_pread", WASI_R_FD_SEEK, {0, 0, 0, 0, 64}, 5},
        {"fd_pwrite", WASI_R_FD_WRITE, {0, 0, 0, 0, 64}, 5},
        {"fd_pwrite", WASI_R_FD_SEEK, {0, 0, 0, 0, 64}, 5},
    };
    Guest g;
    start(&g);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        uint64_t a[5];
        memcpy(a, calls[i].args, sizeof a);
        a[0] = guest_own(&g, guest_tmpfile(), calls[i].right);
        uint32_t r = guest_call(&g, "wasi_snapshot_preview1", calls[i].name, a, calls[i].n);
        if (r != WASI_ENOTCAPABLE)
            fail_msg("%s without its right: %s", calls[i].name, wasi_errno_name(r));
        EXPECT(SUCCESS, P1(&g, "fd_close", a[0]));
        a[0] = guest_own(&g, guest_tmpfile(), 0);
        r = guest_call(&g, "wasi_snapshot_preview1", calls[i].name, a, calls[i].n);
        if (r != WASI_ESUCCESS)
            fail_msg("%s with all rights: %s", calls[i].name, wasi_errno_name(r));
        EXPECT(SUCCESS, P1(&g, "fd_close", a[0]));
    }
    guest_end(&g);
}

/* ---- status ---- */

static void fdstat_has_type_flags_and_rights(void **st) {
    (void)st;
    Guest g;
    start(&g);
    uint32_t fd = guest_own(&g, guest_tmpfile(), WASI_R_FD_WRITE);
    memset(at(&g, 64), 0xff, 24);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get64(&g, 64), WASI_FILETYPE_REGULAR_FILE); /* padding is zero, no flags */
    assert_int_equal(get64(&g, 72), WASI_RIGHTS_FILE & ~(uint64_t)WASI_R_FD_WRITE);
    assert_int_equal(get64(&g, 80), WASI_RIGHTS_FILE & ~(uint64_t)WASI_R_FD_WRITE);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", DIR_FD, 64));
    assert_int_equal(get64(&g, 64), WASI_FILETYPE_DIRECTORY);
    assert_int_equal(get64(&g, 72), WASI_RIGHTS_DIR);
    assert_int_equal(get64(&g, 80), WASI_RIGHTS_DIR | WASI_RIGHTS_FILE);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", 0, 64)); /* bytes of the host */
    assert_int_equal(get64(&g, 64), WASI_FILETYPE_UNKNOWN);
    BOUNDS(&g, 1, 24, "fd_fdstat_get", fd, 0);
    guest_end(&g);
}

static void filestat_is_the_host_s(void **st) {
    (void)st;
    Guest g;
    struct stat s;
    start(&g);
    int host = guest_tmpfile();
    sized(host, 12345);
    const struct timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 3, .tv_nsec = 4}};
    assert_int_equal(futimens(host, times), 0);
    assert_int_equal(fstat(host, &s), 0);
    uint32_t fd = guest_own(&g, host, 0);
    memset(at(&g, 64), 0xff, 72);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_get", fd, 64));
    assert_int_equal(get64(&g, 64), s.st_dev);
    assert_int_equal(get64(&g, 72), s.st_ino);
    assert_int_equal(get64(&g, 80), WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(get64(&g, 88), s.st_nlink);
    assert_int_equal(get64(&g, 96), 12345);
    assert_int_equal(get64(&g, 104), 1000000002);
    assert_int_equal(get64(&g, 112), 3000000004);
    assert_int_equal(get64(&g, 120),
                     (uint64_t)s.st_ctim.tv_sec * 1000000000 + (uint64_t)s.st_ctim.tv_nsec);
    assert_true(get64(&g, 128) == UINT64_MAX);
    memset(at(&g, 64), 0xff, 72);
    EXPECT(SUCCESS, P0(&g, "fd_filestat_get", fd, 64));
    assert_int_equal(get64(&g, 72), s.st_ino);
    assert_int_equal(get32(&g, 80), WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(get32(&g, 84), s.st_nlink);
    assert_int_equal(get64(&g, 88), 12345);
    assert_int_equal(get64(&g, 96), 1000000002);
    assert_int_equal(get64(&g, 104), 3000000004);
    assert_true(get64(&g, 120) == UINT64_MAX);
    BOUNDS(&g, 1, 64, "fd_filestat_get", fd, 0);
    BOUNDS0(&g, 1, 56, "fd_filestat_get", fd, 0);
    memset(at(&g, 64), 0xff, 64);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_get", 0, 64)); /* bytes of the host: nothing to tell */
    for (uint32_t i = 64; i < 128; i += 8) assert_int_equal(get64(&g, i), 0);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_get", DIR_FD, 64));
    assert_int_equal(get64(&g, 80), WASI_FILETYPE_DIRECTORY);
    guest_end(&g);
}

/* Times and counts the guest's format cannot hold go to its ends. */
static void filestat_saturates(void **st) {
    (void)st;
    uint8_t out[64];
    struct stat s = {.st_nlink = (nlink_t)1 << 40,
                     .st_atim = {.tv_sec = -1, .tv_nsec = 999999999},
                     .st_mtim = {.tv_sec = INT64_C(1) << 60},
                     .st_ctim = {.tv_sec = 18446744072, .tv_nsec = 999999999}};
    wasi_put_filestat(out, &s, 4, false);
    assert_int_equal(wasi_ld64(out + 24), UINT64_C(1) << 40);
    assert_int_equal(wasi_ld64(out + 40), 0);
    assert_true(wasi_ld64(out + 48) == UINT64_MAX);
    assert_int_equal(wasi_ld64(out + 56), UINT64_C(18446744072999999999));
    wasi_put_filestat(out, &s, 4, true);
    assert_int_equal(wasi_ld32(out + 20), UINT32_MAX);
    assert_true(wasi_ld64(out + 40) == UINT64_MAX);
}

/* ---- flags ---- */

static void own_descriptors_have_the_kernel_s_flags(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    for (uint32_t f = 0; f < 8; f++) {
        bool known = !(f & WASI_FDFLAG_DSYNC);
        uint32_t r = P1(&g, "fd_fdstat_set_flags", fd, f);
        assert_int_equal(r, known ? WASI_ESUCCESS : WASI_EINVAL);
        if (!known) continue;
        int fl = fcntl(host, F_GETFL);
        assert_int_equal(!!(fl & O_APPEND), !!(f & WASI_FDFLAG_APPEND));
        assert_int_equal(!!(fl & O_NONBLOCK), !!(f & WASI_FDFLAG_NONBLOCK));
        EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
        assert_int_equal(get16(&g, 66), f);
    }
    EXPECT(INVAL, P1(&g, "fd_fdstat_set_flags", fd, 32));
    EXPECT(INVAL, P1(&g, "fd_fdstat_set_flags", fd, 0x10001));
    EXPECT(INVAL, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_SYNC));
    EXPECT(INVAL, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_RSYNC));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get16(&g, 66), WASI_FDFLAG_APPEND | WASI_FDFLAG_NONBLOCK); /* as last set */
    EXPECT(NOTCAPABLE, P1(&g, "fd_fdstat_set_flags", 0, 0)); /* bytes of the host */
    guest_end(&g);
}

static void synchronous_files_stay_so(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int tmp = guest_tmpfile();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", tmp);
    uint32_t fd = guest_own(&g, open(path, O_RDWR | O_DSYNC), 0);
    close(tmp);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get16(&g, 66), WASI_FDFLAG_DSYNC);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_DSYNC | WASI_FDFLAG_APPEND));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_NONBLOCK));
    EXPECT(INVAL, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_SYNC));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get16(&g, 66), WASI_FDFLAG_DSYNC | WASI_FDFLAG_NONBLOCK);
    guest_end(&g);
}

/* A standard stream shares its flags with other processes: the guest's are its own. */
static void borrowed_descriptors_keep_their_flags(void **st) {
    (void)st;
    Guest g;
    int host = guest_tmpfile();
    WasiConfig cfg = guest_bare();
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = host};
    guest_start(&g, &cfg);
    int before = fcntl(host, F_GETFL);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 1, WASI_FDFLAG_APPEND | WASI_FDFLAG_NONBLOCK));
    assert_int_equal(fcntl(host, F_GETFL), before);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", 1, 64));
    assert_int_equal(get16(&g, 66), WASI_FDFLAG_APPEND | WASI_FDFLAG_NONBLOCK);
    guest_end(&g);
    assert_true(fcntl(host, F_GETFD) >= 0); /* not closed */
    assert_int_equal(fcntl(host, F_SETFL, before | O_APPEND), 0);
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 1, WASI_FDFLAG_APPEND));
    EXPECT(NOTSUP,
           P1(&g, "fd_fdstat_set_flags", 1, 0)); /* nothing could make these writes not append */
    EXPECT(SUCCESS, P1(&g, "fd_close", 1));
    EXPECT(BADF, P1(&g, "fd_close", 1));
    assert_true(fcntl(host, F_GETFD) >= 0);
    guest_end(&g);
    close(host);
}

/* ---- rights ---- */

static void rights_only_shrink(void **st) {
    (void)st;
    Guest g;
    start(&g);
    uint32_t fd = guest_own(&g, guest_tmpfile(), 0);
    const uint64_t few = WASI_R_FD_READ | WASI_R_FD_FILESTAT_GET;
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_rights", fd, few, WASI_R_FD_READ));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get64(&g, 72), few);
    assert_int_equal(get64(&g, 80), WASI_R_FD_READ);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_rights", fd, few, WASI_R_FD_READ));
    EXPECT(NOTCAPABLE, P1(&g, "fd_fdstat_set_rights", fd, few | WASI_R_FD_WRITE, 0));
    EXPECT(NOTCAPABLE, P1(&g, "fd_fdstat_set_rights", fd, 0, few));
    EXPECT(NOTCAPABLE, P1(&g, "fd_fdstat_set_rights", fd, UINT64_C(1) << 63, 0));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get64(&g, 72), few); /* the failed calls changed nothing */
    assert_int_equal(get64(&g, 80), WASI_R_FD_READ);
    EXPECT(NOTCAPABLE, P1(&g, "fd_tell", fd, 64));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_rights", fd, 0, 0));
    EXPECT(NOTCAPABLE, P1(&g, "fd_filestat_get", fd, 64));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_rights", DIR_FD, 0, 0));
    EXPECT(SUCCESS, P1(&g, "fd_close", fd));
    guest_end(&g);
}

/* ---- size, times, storage ---- */

static off_t size_of(int host) {
    struct stat s;
    assert_int_equal(fstat(host, &s), 0);
    return s.st_size;
}

static uint32_t read_only_copy(Guest *g, int host) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", host);
    return guest_own(g, open(path, O_RDONLY), 0);
}

static void sizes(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0), ro = read_only_copy(&g, host);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_size", fd, 100));
    assert_int_equal(size_of(host), 100);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_size", fd, 0));
    assert_int_equal(size_of(host), 0);
    EXPECT(INVAL, P1(&g, "fd_filestat_set_size", fd, UINT64_MAX));
    EXPECT(INVAL, P1(&g, "fd_filestat_set_size", fd, UINT64_C(1) << 63));
    EXPECT(INVAL, P1(&g, "fd_filestat_set_size", ro, 100)); /* as ftruncate */
    EXPECT(NOTCAPABLE, P1(&g, "fd_filestat_set_size", 0, 0));
    g.w->fds[fd].read_only = true; /* as below a read-only preopen */
    EXPECT(ROFS, P1(&g, "fd_filestat_set_size", fd, 7));
    EXPECT(ROFS, P1(&g, "fd_allocate", fd, 0, 7));
    assert_int_equal(size_of(host), 0);
    guest_end(&g);
}

static void allocation_grows_and_keeps(void **st) {
    (void)st;
    Guest g;
    int p[2];
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0), ro = read_only_copy(&g, host);
    EXPECT(SUCCESS, P1(&g, "fd_allocate", fd, 0, 100));
    assert_int_equal(size_of(host), 100);
    EXPECT(SUCCESS, P1(&g, "fd_allocate", fd, 10, 10));
    assert_int_equal(size_of(host), 100);
    EXPECT(SUCCESS, P1(&g, "fd_allocate", fd, 90, 110));
    assert_int_equal(size_of(host), 200);
    EXPECT(INVAL, P1(&g, "fd_allocate", fd, 0, 0));
    EXPECT(FBIG, P1(&g, "fd_allocate", fd, 1, INT64_MAX));
    EXPECT(FBIG, P1(&g, "fd_allocate", fd, UINT64_MAX, 1));
    EXPECT(FBIG, P1(&g, "fd_allocate", fd, 1, UINT64_MAX));
    EXPECT(BADF, P1(&g, "fd_allocate", ro, 0, 1000)); /* not open for writing */
    assert_int_equal(pipe(p), 0);
    EXPECT(SPIPE, P1(&g, "fd_allocate", guest_own(&g, p[1], 0), 0, 10));
    assert_int_equal(size_of(host), 200);
    guest_end(&g);
    close(p[0]);
}

static void advice(void **st) {
    (void)st;
    Guest g;
    int p[2];
    start(&g);
    int host = guest_tmpfile();
    sized(host, 100);
    uint32_t fd = guest_own(&g, host, 0);
    for (uint32_t a = 0; a < 6; a++) EXPECT(SUCCESS, P1(&g, "fd_advise", fd, 10, 50, a));
    EXPECT(SUCCESS, P1(&g, "fd_advise", fd, INT64_MAX, INT64_MAX, 0));
    EXPECT(INVAL, P1(&g, "fd_advise", fd, 0, 0, 6));
    EXPECT(INVAL, P1(&g, "fd_advise", fd, 0, 0, UINT32_MAX));
    EXPECT(INVAL, P1(&g, "fd_advise", fd, UINT64_MAX, 0, 0));
    EXPECT(INVAL, P1(&g, "fd_advise", fd, 0, UINT64_MAX, 0));
    assert_int_equal(size_of(host), 100);
    assert_int_equal(pipe(p), 0);
    EXPECT(SPIPE, P1(&g, "fd_advise", guest_own(&g, p[0], 0), 0, 0, 0));
    EXPECT(NOTCAPABLE, P1(&g, "fd_advise", 0, 0, 0, 0));
    guest_end(&g);
    close(p[1]);
}

static void synchronising(void **st) {
    (void)st;
    Guest g;
    int p[2];
    start(&g);
    uint32_t fd = guest_own(&g, guest_tmpfile(), 0);
    EXPECT(SUCCESS, P1(&g, "fd_sync", fd));
    EXPECT(SUCCESS, P1(&g, "fd_datasync", fd));
    assert_int_equal(pipe(p), 0);
    uint32_t end = guest_own(&g, p[1], 0);
    EXPECT(INVAL, P1(&g, "fd_sync", end)); /* nothing is stored behind a pipe */
    EXPECT(INVAL, P1(&g, "fd_datasync", end));
    EXPECT(NOTCAPABLE, P1(&g, "fd_sync", 0));
    guest_end(&g);
    close(p[0]);
}

static void times(void **st) {
    (void)st;
    enum { A = WASI_FST_ATIM, AN = WASI_FST_ATIM_NOW, M = WASI_FST_MTIM, MN = WASI_FST_MTIM_NOW };
    Guest g;
    struct stat s;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_times", fd, 1000000002, 3000000004, A | M));
    assert_int_equal(fstat(host, &s), 0);
    assert_int_equal(s.st_atim.tv_sec, 1);
    assert_int_equal(s.st_atim.tv_nsec, 2);
    assert_int_equal(s.st_mtim.tv_sec, 3);
    assert_int_equal(s.st_mtim.tv_nsec, 4);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_times", fd, 9, 9, 0)); /* neither */
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_times", fd, 9, 5000000000, M));
    assert_int_equal(fstat(host, &s), 0);
    assert_int_equal(s.st_atim.tv_sec, 1);
    assert_int_equal(s.st_mtim.tv_sec, 5);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_times", fd, 0, 0, AN | MN));
    assert_int_equal(fstat(host, &s), 0);
    assert_true(s.st_atim.tv_sec > 1000000000 && s.st_mtim.tv_sec > 1000000000);
    EXPECT(SUCCESS, P1(&g, "fd_filestat_set_times", fd, 1, 1, A | MN));
    assert_int_equal(fstat(host, &s), 0);
    assert_int_equal(s.st_atim.tv_sec, 0);
    EXPECT(INVAL, P1(&g, "fd_filestat_set_times", fd, 0, 0, A | AN));
    EXPECT(INVAL, P1(&g, "fd_filestat_set_times", fd, 0, 0, M | MN));
    EXPECT(INVAL, P1(&g, "fd_filestat_set_times", fd, 0, 0, 16));
    EXPECT(INVAL, P1(&g, "fd_filestat_set_times", fd, 0, 0, 0x10001));
    EXPECT(NOTCAPABLE, P1(&g, "fd_filestat_set_times", 0, 0, 0, 0));
    g.w->fds[fd].read_only = true;
    EXPECT(ROFS, P1(&g, "fd_filestat_set_times", fd, 0, 0, AN));
    g.w->fds[DIR_FD].read_only = true;
    EXPECT(ROFS, P1(&g, "fd_filestat_set_times", DIR_FD, 0, 0, AN));
    guest_end(&g);
}

static void times_for_the_host(void **st) {
    (void)st;
    enum { A = WASI_FST_ATIM, AN = WASI_FST_ATIM_NOW, M = WASI_FST_MTIM, MN = WASI_FST_MTIM_NOW };
    struct timespec t[2];
    for (uint32_t f = 0; f < 40; f++) {
        bool good = f < 16 && (f & (A | AN)) != (A | AN) && (f & (M | MN)) != (M | MN);
        assert_int_equal(wasi_times(1999999999, UINT64_MAX, f, t),
                         good ? WASI_ESUCCESS : WASI_EINVAL);
        if (!good) continue;
        assert_int_equal(t[0].tv_nsec, f & A ? 999999999 : f & AN ? UTIME_NOW : UTIME_OMIT);
        assert_int_equal(t[1].tv_nsec, f & M ? 709551615 : f & MN ? UTIME_NOW : UTIME_OMIT);
        if (f & A) assert_int_equal(t[0].tv_sec, 1);
        if (f & M) assert_int_equal(t[1].tv_sec, 18446744073);
    }
}

/* ---- preopened directories ---- */

static void preopens_have_names(void **st) {
    (void)st;
    static const WasiPreopen dirs[] = {{.host = "/", .guest = "/"},
                                       {.host = "/tmp", .guest = "scratch"}};
    WasiConfig cfg = wasi_config_default();
    cfg.preopens = dirs;
    cfg.npreopens = 2;
    Guest g;
    guest_start(&g, &cfg);
    memset(at(&g, 64), 0xff, 16);
    EXPECT(SUCCESS, P1(&g, "fd_prestat_get", 4, 64));
    assert_int_equal(get32(&g, 64), 0);
    assert_int_equal(get32(&g, 68), 7);
    assert_int_equal(get32(&g, 72), UINT32_MAX);
    EXPECT(SUCCESS, P1(&g, "fd_prestat_dir_name", 4, 100, 7));
    assert_memory_equal(at(&g, 100), "scratch\0", 8);
    EXPECT(SUCCESS,
           P1(&g, "fd_prestat_dir_name", 4, 200, 100)); /* room enough: only the name is written */
    assert_memory_equal(at(&g, 200), "scratch\0", 8);
    EXPECT(SUCCESS, P1(&g, "fd_prestat_dir_name", 4, GUEST_MEM - 7, UINT32_MAX));
    EXPECT(NAMETOOLONG, P1(&g, "fd_prestat_dir_name", 4, 100, 6));
    EXPECT(NAMETOOLONG, P1(&g, "fd_prestat_dir_name", 4, 100, 0));
    BOUNDS(&g, 1, 8, "fd_prestat_get", 4, 0);
    BOUNDS(&g, 1, 7, "fd_prestat_dir_name", 4, 0, 7);
    EXPECT(BADF, P1(&g, "fd_prestat_get", 5, 64)); /* where a C library stops looking */
    uint32_t other = guest_own(&g, open("/", O_RDONLY | O_DIRECTORY), 0);
    EXPECT(BADF, P1(&g, "fd_prestat_get", other, 64));
    EXPECT(NOTDIR, P1(&g, "fd_prestat_dir_name", other, 100, 7));
    EXPECT(BADF, P1(&g, "fd_prestat_get", 1, 64));
    EXPECT(NOTDIR, P1(&g, "fd_prestat_dir_name", 1, 100, 7));
    EXPECT(SUCCESS, P1(&g, "fd_close", 3)); /* may be closed */
    EXPECT(BADF, P1(&g, "fd_prestat_get", 3, 64));
    guest_end(&g);
}

/* ---- closing and renumbering ---- */

static bool is_open(int host) {
    return fcntl(host, F_GETFD) >= 0;
}

static void closing_frees_the_lowest_number(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0); /* 1: the closed standard output */
    assert_int_equal(fd, 1);
    EXPECT(SUCCESS, P1(&g, "fd_close", 0));
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), 0);
    EXPECT(SUCCESS, P1(&g, "fd_close", fd));
    assert_false(is_open(host));
    EXPECT(BADF, P1(&g, "fd_close", fd));
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), 1);
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), 2);
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), 4);
    guest_end(&g);
}

/* What the host says of closing is passed on; the number is free all the same. */
static void closing_can_fail(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    close(host); /* behind the guest's back */
    EXPECT(BADF, P1(&g, "fd_close", fd));
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), fd);
    EXPECT(SUCCESS, P1(&g, "fd_close", fd));
    guest_end(&g);
}

static void renumbering(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int ha = guest_tmpfile(), hb = guest_tmpfile();
    sized(ha, 11);
    uint32_t a = guest_own(&g, ha, WASI_R_FD_WRITE), b = guest_own(&g, hb, 0);
    EXPECT(SUCCESS, P1(&g, "fd_renumber", a, a)); /* onto itself: nothing happens */
    assert_true(is_open(ha));
    EXPECT(SUCCESS, P1(&g, "fd_renumber", a, b));
    assert_false(is_open(hb));
    assert_true(is_open(ha));
    EXPECT(BADF, P1(&g, "fd_fdstat_get", a, 64));
    EXPECT(SUCCESS, P1(&g, "fd_filestat_get", b, 64));
    assert_int_equal(get64(&g, 96), 11);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", b, 64));
    assert_false(get64(&g, 72) & WASI_R_FD_WRITE); /* rights move along */
    /* over a preopened directory: its name is gone, and so is its host descriptor */
    int dir_host = g.w->fds[DIR_FD].host;
    EXPECT(SUCCESS, P1(&g, "fd_renumber", b, DIR_FD));
    assert_false(is_open(dir_host));
    EXPECT(BADF, P1(&g, "fd_prestat_get", DIR_FD, 64));
    EXPECT(SUCCESS, P1(&g, "fd_filestat_get", DIR_FD, 64));
    assert_int_equal(get64(&g, 96), 11);
    /* onto a standard stream */
    EXPECT(SUCCESS, P1(&g, "fd_renumber", DIR_FD, 0));
    EXPECT(SUCCESS, P1(&g, "fd_tell", 0, 64));
    EXPECT(BADF, P1(&g, "fd_renumber", 0, 70));
    EXPECT(BADF, P1(&g, "fd_renumber", 0, UINT32_MAX));
    EXPECT(SUCCESS, P1(&g, "fd_tell", 0, 64));
    guest_end(&g);
    assert_false(is_open(ha));
}

static void a_preopen_keeps_its_name_when_it_moves(void **st) {
    (void)st;
    Guest g;
    start(&g);
    uint32_t fd = guest_own(&g, guest_tmpfile(), 0);
    EXPECT(SUCCESS, P1(&g, "fd_renumber", DIR_FD, fd));
    EXPECT(SUCCESS, P1(&g, "fd_prestat_get", fd, 64));
    assert_int_equal(get32(&g, 68), 1);
    EXPECT(BADF, P1(&g, "fd_prestat_get", DIR_FD, 64));
    EXPECT(SUCCESS, P1(&g, "fd_close", fd));
    guest_end(&g);
}

static void numbers_run_out(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = guest_bare();
    cfg.max_fds = 130;
    guest_start(&g, &cfg);
    WasiFd e = {.kind = WASI_FD_BYTES, .host = -1};
    uint32_t fd;
    for (uint32_t i = 0; i < 130; i++) {
        assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
        assert_int_equal(fd, i);
    }
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_EMFILE);
    EXPECT(SUCCESS, P1(&g, "fd_close", 128));
    EXPECT(SUCCESS, P1(&g, "fd_close", 65));
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    assert_int_equal(fd, 65);
    EXPECT(SUCCESS, P1(&g, "fd_renumber", 0, 129));
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    assert_int_equal(fd, 0);
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    assert_int_equal(fd, 128);
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_EMFILE);
    guest_end(&g);
}

static void numbers_run_out_at_a_full_word(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = guest_bare();
    cfg.max_fds = 128;
    guest_start(&g, &cfg);
    WasiFd e = {.kind = WASI_FD_BYTES, .host = -1};
    uint32_t fd;
    for (uint32_t i = 0; i < 128; i++)
        assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_EMFILE);
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_EMFILE);
    EXPECT(SUCCESS, P1(&g, "fd_close", 127));
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    assert_int_equal(fd, 127);
    guest_end(&g);
}

/* Random opening, closing and renumbering against a plain array. */
static void the_table_agrees_with_a_model(void **st) {
    (void)st;
    enum { N = 300 };
    static uint64_t model[N]; /* 0 = free, otherwise the rights as an identity */
    Guest g;
    WasiConfig cfg = guest_bare();
    cfg.max_fds = N;
    guest_start(&g, &cfg);
    uint64_t seed = 1, next = 1;
    for (int step = 0; step < 200000; step++) {
        uint32_t a = (uint32_t)(rnd(&seed) % N), b = (uint32_t)(rnd(&seed) % N), fd, low = 0;
        switch (rnd(&seed) % 8) {
        case 0:
        case 1:
        case 2:
        case 3:
            while (low < N && model[low]) low++;
            WasiErrno err = wasi_fd_insert(
                g.w, &(WasiFd){.kind = WASI_FD_BYTES, .host = -1, .base = next}, &fd);
            assert_int_equal(err, low < N ? WASI_ESUCCESS : WASI_EMFILE);
            if (low == N) break;
            assert_int_equal(fd, low);
            model[low] = next++;
            break;
        case 4:
        case 5:
            assert_int_equal(P1(&g, "fd_close", a), model[a] ? WASI_ESUCCESS : WASI_EBADF);
            model[a] = 0;
            break;
        case 6:
            assert_int_equal(P1(&g, "fd_renumber", a, b),
                             model[a] && model[b] ? WASI_ESUCCESS : WASI_EBADF);
            if (!model[a] || !model[b] || a == b) break;
            model[b] = model[a];
            model[a] = 0;
            break;
        default:
            assert_int_equal(P1(&g, "fd_fdstat_get", a, 64), model[a] ? WASI_ESUCCESS : WASI_EBADF);
            if (model[a]) assert_int_equal(get64(&g, 72), model[a]);
        }
    }
    guest_end(&g);
}

static void growing_the_table_can_fail(void **st) {
    (void)st;
    Heap h = {0};
    WasiConfig cfg = guest_bare();
    cfg.hooks = &(MemHooks){heap_realloc, &h};
    Guest g;
    guest_start(&g, &cfg);
    WasiFd e = {.kind = WASI_FD_BYTES, .host = -1};
    uint32_t fd;
    for (uint32_t i = 0; i < 64; i++) assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    h.fail_at = h.calls + 1;
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ENOMEM);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", 63, 64)); /* as before */
    EXPECT(BADF, P1(&g, "fd_fdstat_get", 64, 64));
    assert_int_equal(wasi_fd_insert(g.w, &e, &fd), WASI_ESUCCESS);
    assert_int_equal(fd, 64);
    guest_end(&g);
    assert_int_equal(h.live, 0);
}

int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(unknown_descriptors_are_badf),
        cmocka_unit_test(directories_are_not_files),
        cmocka_unit_test(each_function_wants_its_right),
        cmocka_unit_test(fdstat_has_type_flags_and_rights),
        cmocka_unit_test(filestat_is_the_host_s),
        cmocka_unit_test(filestat_saturates),
        cmocka_unit_test(own_descriptors_have_the_kernel_s_flags),
        cmocka_unit_test(synchronous_files_stay_so),
        cmocka_unit_test(borrowed_descriptors_keep_their_flags),
        cmocka_unit_test(rights_only_shrink),
        cmocka_unit_test(sizes),
        cmocka_unit_test(allocation_grows_and_keeps),
        cmocka_unit_test(advice),
        cmocka_unit_test(synchronising),
        cmocka_unit_test(times),
        cmocka_unit_test(times_for_the_host),
        cmocka_unit_test(preopens_have_names),
        cmocka_unit_test(closing_frees_the_lowest_number),
        cmocka_unit_test(closing_can_fail),
        cmocka_unit_test(renumbering),
        cmocka_unit_test(a_preopen_keeps_its_name_when_it_moves),
        cmocka_unit_test(numbers_run_out),
        cmocka_unit_test(numbers_run_out_at_a_full_word),
        cmocka_unit_test(the_table_agrees_with_a_model),
        cmocka_unit_test(growing_the_table_can_fail),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
