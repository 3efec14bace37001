/* WASI: reading, writing and the position, on files, pipes, sockets and streams of the host's own. */
#include "wasi_guest.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

enum { IOVS = 0, RESULT = 4000, DATA = 8192 };

/* One iovec at IOVS for `len` bytes at DATA. */
static void one(Guest *g, uint32_t len) {
    put_iovec(g, IOVS, DATA, len);
}
static uint32_t read_one(Guest *g, uint32_t fd, uint32_t len) {
    one(g, len);
    return P1(g, "fd_read", fd, IOVS, 1, RESULT);
}
static uint32_t write_one(Guest *g, uint32_t fd, const char *text) {
    put_text(g, DATA, text);
    one(g, (uint32_t)strlen(text));
    return P1(g, "fd_write", fd, IOVS, 1, RESULT);
}
static void expect_data(Guest *g, const char *text) {
    assert_int_equal(get32(g, RESULT), strlen(text));
    assert_memory_equal(at(g, DATA), text, strlen(text));
}
static uint64_t position(Guest *g, uint32_t fd) {
    EXPECT(SUCCESS, P1(g, "fd_tell", fd, RESULT));
    return get64(g, RESULT);
}

static void start(Guest *g) {
    WasiConfig cfg = guest_bare();
    guest_start(g, &cfg);
}

/* ---- files ---- */

static void scattered_and_gathered(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    put_text(&g, 100, "hello, ");
    put_text(&g, 200, "world");
    put_iovec(&g, 0, 100, 7);
    put_iovec(&g, 8, 0xffffffff, 0); /* empty: but its place must exist */
    EXPECT(FAULT, P1(&g, "fd_write", fd, 0, 2, RESULT));
    put_iovec(&g, 8, GUEST_MEM, 0);
    put_iovec(&g, 16, 200, 5);
    EXPECT(SUCCESS, P1(&g, "fd_write", fd, 0, 3, RESULT));
    assert_int_equal(get32(&g, RESULT), 12);
    assert_int_equal(position(&g, fd), 12);
    EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 0, 0, RESULT));
    put_iovec(&g, 0, 300, 3);
    put_iovec(&g, 8, 400, 100);
    EXPECT(SUCCESS, P1(&g, "fd_read", fd, 0, 2, RESULT));
    assert_int_equal(get32(&g, RESULT), 12);
    assert_memory_equal(at(&g, 300), "hel", 4);
    assert_memory_equal(at(&g, 400), "lo, world", 10);
    EXPECT(SUCCESS, P1(&g, "fd_read", fd, 0, 2, RESULT)); /* the end */
    assert_int_equal(get32(&g, RESULT), 0);
    EXPECT(SUCCESS, P1(&g, "fd_read", fd, 0, 0, RESULT)); /* no buffers */
    assert_int_equal(get32(&g, RESULT), 0);
    EXPECT(SUCCESS, P1(&g, "fd_write", fd, GUEST_MEM, 0, RESULT));
    assert_int_equal(get32(&g, RESULT), 0);
    guest_end(&g);
}

static void positioned_calls_leave_the_position(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    EXPECT(SUCCESS, write_one(&g, fd, "0123456789"));
    put_text(&g, DATA, "ab");
    one(&g, 2);
    EXPECT(SUCCESS, P1(&g, "fd_pwrite", fd, IOVS, 1, 4, RESULT));
    one(&g, 4);
    EXPECT(SUCCESS, P1(&g, "fd_pread", fd, IOVS, 1, 3, RESULT));
    expect_data(&g, "3ab6");
    EXPECT(SUCCESS, P1(&g, "fd_pread", fd, IOVS, 1, 9, RESULT));
    expect_data(&g, "9");
    EXPECT(SUCCESS, P1(&g, "fd_pread", fd, IOVS, 1, INT64_MAX - 100, RESULT));
    assert_int_equal(get32(&g, RESULT), 0);
    EXPECT(INVAL, P1(&g, "fd_pread", fd, IOVS, 1, UINT64_MAX, RESULT));
    EXPECT(INVAL, P1(&g, "fd_pwrite", fd, IOVS, 1, UINT64_C(1) << 63, RESULT));
    EXPECT(FBIG, P1(&g, "fd_pwrite", fd, IOVS, 1, INT64_MAX - 100, RESULT));
    one(&g, 0);
    EXPECT(SUCCESS,
           P1(&g, "fd_pwrite", fd, IOVS, 1, 50, RESULT)); /* of nothing: the file does not grow */
    struct stat s;
    fstat(host, &s);
    assert_int_equal(s.st_size, 10);
    one(&g, 1);
    EXPECT(SUCCESS, P1(&g, "fd_pwrite", fd, IOVS, 1, 50, RESULT));
    fstat(host, &s);
    assert_int_equal(s.st_size, 51);
    assert_int_equal(position(&g, fd), 10);
    guest_end(&g);
}

static void seeking(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    assert_int_equal(ftruncate(host, 100), 0);
    uint32_t fd = guest_own(&g, host, 0);
    /* number of the whence in preview 1 and in snapshot 0 */
    enum { SET, CUR, END, CUR0 = 0, END0 = 1, SET0 = 2 };
    EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 30, SET, RESULT));
    EXPECT(SUCCESS, P1(&g, "fd_seek", fd, (uint64_t)-10, CUR, RESULT));
    assert_int_equal(get64(&g, RESULT), 20);
    EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 5, END, RESULT));
    assert_int_equal(get64(&g, RESULT), 105);
    EXPECT(SUCCESS, P0(&g, "fd_seek", fd, 40, SET0, RESULT));
    EXPECT(SUCCESS, P0(&g, "fd_seek", fd, 2, CUR0, RESULT));
    assert_int_equal(get64(&g, RESULT), 42);
    EXPECT(SUCCESS, P0(&g, "fd_seek", fd, (uint64_t)-1, END0, RESULT));
    assert_int_equal(get64(&g, RESULT), 99);
    EXPECT(INVAL, P1(&g, "fd_seek", fd, (uint64_t)-1, SET, RESULT));
    EXPECT(INVAL, P1(&g, "fd_seek", fd, (uint64_t)-200, CUR, RESULT));
    EXPECT(INVAL, P1(&g, "fd_seek", fd, (uint64_t)-101, END, RESULT));
    EXPECT(INVAL, P1(&g, "fd_seek", fd, 0, 3, RESULT));
    EXPECT(INVAL, P0(&g, "fd_seek", fd, 0, UINT32_MAX, RESULT));
    assert_int_equal(position(&g, fd), 99);
    BOUNDS(&g, 3, 8, "fd_seek", fd, 0, SET, 0);
    BOUNDS(&g, 1, 8, "fd_tell", fd, 0);
    /* a FAULT has no effect */
    EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 7, SET, RESULT));
    EXPECT(FAULT, P1(&g, "fd_seek", fd, 50, SET, GUEST_MEM - 7));
    assert_int_equal(position(&g, fd), 7);
    /* asking for the position takes TELL only */
    uint32_t tell = guest_own(&g, dup(host), WASI_R_FD_SEEK);
    EXPECT(SUCCESS, P1(&g, "fd_seek", tell, 0, CUR, RESULT));
    EXPECT(NOTCAPABLE, P1(&g, "fd_seek", tell, 1, CUR, RESULT));
    EXPECT(NOTCAPABLE, P1(&g, "fd_seek", tell, 0, SET, RESULT));
    guest_end(&g);
}

static void bad_buffers_move_nothing(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    EXPECT(SUCCESS, write_one(&g, fd, "0123456789"));
    EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 3, 0, RESULT));
    one(&g, 2);
    const char *const names[] = {"fd_read", "fd_write"};
    for (int i = 0; i < 2; i++) {
        BOUNDS(&g, 1, 8, names[i], fd, IOVS, 1, RESULT);
        one(&g, 2);
        BOUNDS(&g, 3, 4, names[i], fd, IOVS, 1, RESULT);
        EXPECT(FAULT, P1(&g, names[i], fd, IOVS, UINT32_MAX, RESULT));
        EXPECT(FAULT, P1(&g, names[i], fd, IOVS, 0x20000000, RESULT)); /* 8 * count wraps */
        static const uint32_t bad[][2] = {{GUEST_MEM - 1, 2},
                                          {GUEST_MEM, 1},
                                          {1, UINT32_MAX},
                                          {UINT32_MAX, 1},
                                          {UINT32_MAX, UINT32_MAX}};
        EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 3, 0, RESULT));
        for (size_t k = 0; k < 5; k++) {
            put_iovec(&g, IOVS + 8, bad[k][0], bad[k][1]);
            EXPECT(FAULT, P1(&g, names[i], fd, IOVS, 2, RESULT));
        }
        assert_int_equal(position(&g, fd), 3);
    }
    one(&g, 2);
    BOUNDS(&g, 1, 8, "fd_pread", fd, IOVS, 1, 0, RESULT);
    one(&g, 2);
    BOUNDS(&g, 4, 4, "fd_pread", fd, IOVS, 1, 0, RESULT);
    BOUNDS(&g, 4, 4, "fd_pwrite", fd, IOVS, 1, 0, RESULT);
    guest_end(&g);
}

/* More entries than the host takes in one call give a short transfer, not an error. */
static void many_buffers(void **st) {
    (void)st;
    enum { N = 5000 };
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    uint32_t fd = guest_own(&g, host, 0);
    for (uint32_t i = 0; i < N; i++) put_iovec(&g, 8 * i, 60000 + i % 5000, i % 2);
    EXPECT(SUCCESS, P1(&g, "fd_write", fd, 0, N, 65000));
    assert_int_equal(get32(&g, 65000), WASI_MAX_IOVS);
    EXPECT(SUCCESS, P1(&g, "fd_pread", fd, 0, N, 0, 65000));
    assert_int_equal(get32(&g, 65000), WASI_MAX_IOVS);
    guest_end(&g);
}

static void host_errors_arrive(void **st) {
    (void)st;
    Guest g;
    start(&g);
    uint32_t full = guest_own(&g, open("/dev/full", O_RDWR), 0);
    EXPECT(NOSPC, write_one(&g, full, "x"));
    uint32_t ro = guest_own(&g, open("/dev/null", O_RDONLY), 0);
    EXPECT(BADF, write_one(&g, ro, "x"));
    guest_end(&g);
}

/* ---- append ---- */

static void appending_on_own_and_borrowed_files(void **st) {
    (void)st;
    for (int borrowed = 0; borrowed < 2; borrowed++) {
        Guest g;
        int host = guest_tmpfile();
        WasiConfig cfg = guest_bare();
        if (borrowed) cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = host};
        guest_start(&g, &cfg);
        uint32_t fd = borrowed ? 1 : guest_own(&g, host, 0);
        EXPECT(SUCCESS, write_one(&g, fd, "one"));
        EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_APPEND));
        EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 0, 0, RESULT));
        EXPECT(SUCCESS, write_one(&g, fd, "two"));
        assert_int_equal(position(&g, fd), 6);
        put_text(&g, DATA, "!");
        one(&g, 1);
        EXPECT(SUCCESS, P1(&g, "fd_pwrite", fd, IOVS, 1, 0, RESULT)); /* Linux: append wins */
        EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", fd, 0));
        EXPECT(SUCCESS, P1(&g, "fd_seek", fd, 0, 0, RESULT));
        EXPECT(SUCCESS, write_one(&g, fd, "O"));
        one(&g, 100);
        EXPECT(SUCCESS, P1(&g, "fd_pread", fd, IOVS, 1, 0, RESULT));
        expect_data(&g, "Onetwo!");
        guest_end(&g);
        if (borrowed) close(host);
    }
}

/* ---- things without a position ---- */

static void no_position(void **st) {
    (void)st;
    int p[2], s[2];
    static const uint8_t text[] = "x";
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_BYTES, .bytes = text, .bytes_len = 1};
    Guest g;
    guest_start(&g, &cfg);
    assert_int_equal(pipe(p), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    const uint32_t fds[] = {0, guest_own(&g, p[0], 0), guest_own(&g, s[0], 0)};
    one(&g, 1);
    for (int i = 0; i < 3; i++) {
        EXPECT(SPIPE, P1(&g, "fd_seek", fds[i], 0, 0, RESULT));
        EXPECT(SPIPE, P1(&g, "fd_tell", fds[i], RESULT));
        EXPECT(SPIPE, P1(&g, "fd_pread", fds[i], IOVS, 1, 0, RESULT));
        EXPECT(SPIPE, P1(&g, "fd_pwrite", fds[i], IOVS, 1, 0, RESULT));
    }
    guest_end(&g);
    close(p[1]);
    close(s[1]);
}

/* ---- streams of the host's own ---- */

typedef struct Sunk {
    char text[256];
    size_t len;
    int calls;
    bool broken;
} Sunk;

static bool sink(void *user, const uint8_t *data, size_t len) {
    Sunk *s = user;
    s->calls++;
    if (s->broken) return false;
    assert_true(s->len + len <= sizeof s->text);
    memcpy(s->text + s->len, data, len);
    s->len += len;
    return true;
}

static void bytes_and_sinks(void **st) {
    (void)st;
    Sunk out = {0};
    static const uint8_t text[] = "line 1\nline 2\n";
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_BYTES, .bytes = text, .bytes_len = 14};
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_SINK, .sink = sink, .user = &out};
    Guest g;
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, read_one(&g, 0, 4));
    expect_data(&g, "line");
    put_iovec(&g, IOVS, DATA, 3);
    put_iovec(&g, IOVS + 8, DATA + 3, 100);
    EXPECT(SUCCESS, P1(&g, "fd_read", 0, IOVS, 2, RESULT));
    expect_data(&g, " 1\nline 2\n");
    EXPECT(SUCCESS, read_one(&g, 0, 4));
    assert_int_equal(get32(&g, RESULT), 0);
    EXPECT(BADF, write_one(&g, 0, "x"));
    EXPECT(SUCCESS, write_one(&g, 1, "abc"));
    put_text(&g, DATA, "defg");
    put_iovec(&g, IOVS, DATA, 1);
    put_iovec(&g, IOVS + 8, DATA + 1, 3);
    EXPECT(SUCCESS, P1(&g, "fd_write", 1, IOVS, 2, RESULT));
    assert_int_equal(get32(&g, RESULT), 4);
    assert_int_equal(out.len, 7);
    assert_memory_equal(out.text, "abcdefg", 7);
    EXPECT(BADF, read_one(&g, 1, 1));
    out.calls = 0;
    EXPECT(SUCCESS, write_one(&g, 1, ""));
    assert_int_equal(out.calls, 0);
    out.broken = true;
    EXPECT(IO, write_one(&g, 1, "x"));
    EXPECT(BADF, write_one(&g, 2, "x")); /* closed */
    guest_end(&g);
}

static bool measure(void *user, const uint8_t *data, size_t len) {
    (void)data;
    *(uint64_t *)user += len;
    return len < 100;
}

/* The result is a 32-bit number that programs take for a signed one: larger pieces are cut. */
static void pieces_of_more_than_two_gigabytes(void **st) {
    (void)st;
    uint64_t sum = 0;
    WasiConfig cfg = guest_bare();
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_SINK, .sink = measure, .user = &sum};
    Guest g;
    guest_start(&g, &cfg);
    guest_memory_free(&g);
    guest_memory(&g, UINT64_C(3) << 30); /* not touched */
    put_iovec(&g, IOVS, DATA, 0x80000000);
    EXPECT(IO, P1(&g, "fd_write", 1, IOVS, 1, RESULT));
    assert_int_equal(sum, INT32_MAX);
    put_iovec(&g, IOVS, DATA, 10);
    put_iovec(&g, IOVS + 8, DATA, 0x80000000);
    sum = 0;
    EXPECT(SUCCESS, P1(&g, "fd_write", 1, IOVS, 2, RESULT));
    assert_int_equal(get32(&g, RESULT), 10);
    assert_int_equal(sum, 10);
    guest_end(&g);
}

/* ---- pipes ---- */

static volatile sig_atomic_t pipe_signals;
static void on_pipe(int sig) {
    (void)sig;
    pipe_signals++;
}

static void a_broken_pipe_is_an_error_and_no_signal(void **st) {
    (void)st;
    for (int handled = 0; handled < 2; handled++) {
        int p[2];
        sigset_t pending;
        Guest g;
        start(&g);
        assert_int_equal(pipe(p), 0);
        struct sigaction sa = {.sa_handler = handled ? on_pipe : SIG_DFL}, old;
        sigaction(SIGPIPE, &sa, &old);
        uint32_t fd = guest_own(&g, p[1], 0);
        close(p[0]);
        EXPECT(PIPE, write_one(&g, fd, "x"));
        EXPECT(PIPE, write_one(&g, fd, "x"));
        sigpending(&pending);
        assert_false(sigismember(&pending, SIGPIPE));
        assert_int_equal(pipe_signals, 0);
        sigset_t now;
        pthread_sigmask(SIG_BLOCK, NULL, &now);
        assert_false(sigismember(&now, SIGPIPE)); /* as it was */
        /* a SIGPIPE that was waiting before is still there afterwards */
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &only, NULL);
        raise(SIGPIPE);
        EXPECT(PIPE, write_one(&g, fd, "x"));
        sigpending(&pending);
        assert_true(sigismember(&pending, SIGPIPE));
        sigtimedwait(&only, NULL, &(struct timespec){0});
        pthread_sigmask(SIG_UNBLOCK, &only, NULL);
        sigaction(SIGPIPE, &old, NULL);
        guest_end(&g);
    }
}

/* A write that blocks is not cut: only one that must not. */
static void large_writes_to_pipes_are_whole(void **st) {
    (void)st;
    int p[2];
    Guest g;
    start(&g);
    assert_int_equal(pipe(p), 0);
    uint32_t fd = guest_own(&g, p[1], 0);
    one(&g, 50000);
    EXPECT(SUCCESS, P1(&g, "fd_write", fd, IOVS, 1, RESULT));
    assert_int_equal(get32(&g, RESULT), 50000);
    guest_end(&g);
    close(p[0]);
}

static void *read_some_and_close(void *arg) {
    static char buf[100000];
    int fd = *(int *)arg;
    ssize_t got = read(fd, buf, sizeof buf);
    usleep(20000); /* the writer fills the pipe again and waits */
    close(fd);
    return got > 0 ? arg : NULL;
}

/* The reader goes while a write waits: the signal comes with a short result, and must not get out either. */
static void a_pipe_that_breaks_half_way(void **st) {
    (void)st;
    int p[2];
    void *ok;
    pthread_t t;
    sigset_t pending;
    Guest g;
    start(&g);
    guest_memory_free(&g);
    guest_memory(&g, 1 << 20);
    assert_int_equal(pipe(p), 0);
    uint32_t fd = guest_own(&g, p[1], 0);
    pthread_create(&t, NULL, read_some_and_close, &p[0]);
    one(&g, 1000000);
    EXPECT(SUCCESS, P1(&g, "fd_write", fd, IOVS, 1, RESULT));
    assert_in_range(get32(&g, RESULT), 1, 999999);
    pthread_join(t, &ok);
    assert_non_null(ok);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
    guest_end(&g);
}

static void a_limit_on_file_sizes_is_an_error_and_no_signal(void **st) {
    (void)st;
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 100;
    setrlimit(RLIMIT_FSIZE, &small);
    Guest g;
    start(&g);
    uint32_t fd = guest_own(&g, guest_tmpfile(), 0);
    one(&g, 150);
    EXPECT(SUCCESS, P1(&g, "fd_write", fd, IOVS, 1, RESULT));
    assert_int_equal(get32(&g, RESULT), 100);
    EXPECT(FBIG, P1(&g, "fd_write", fd, IOVS, 1, RESULT));
    EXPECT(FBIG, P1(&g, "fd_pwrite", fd, IOVS, 1, 100, RESULT));
    EXPECT(FBIG, P1(&g, "fd_filestat_set_size", fd, 101));
    EXPECT(FBIG, P1(&g, "fd_allocate", fd, 50, 51));
    sigset_t pending;
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGXFSZ));
    setrlimit(RLIMIT_FSIZE, &old);
    guest_end(&g);
}

static void a_broken_socket_is_an_error_and_no_signal(void **st) {
    (void)st;
    int s[2];
    Guest g;
    start(&g);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    uint32_t fd = guest_own(&g, s[0], 0);
    close(s[1]);
    EXPECT(PIPE, write_one(&g, fd, "x"));
    guest_end(&g);
}

/* NONBLOCK on a borrowed pipe: the host's flags stay, the guest gets AGAIN. */
static void nonblocking_on_borrowed_pipes(void **st) {
    (void)st;
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = in[0]};
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = out[1]};
    Guest g;
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 0, WASI_FDFLAG_NONBLOCK));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 1, WASI_FDFLAG_NONBLOCK));
    EXPECT(AGAIN, read_one(&g, 0, 10));
    assert_int_equal(write(in[1], "abc", 3), 3);
    EXPECT(SUCCESS, read_one(&g, 0, 10));
    expect_data(&g, "abc");
    uint32_t r = 0, total = 0; /* far more than a pipe holds: never blocks */
    for (int i = 0; i < 1000 && r != WASI_EAGAIN; i++) {
        put_iovec(&g, IOVS, DATA, 1000);
        put_iovec(&g, IOVS + 8, DATA, 40000);
        r = P1(&g, "fd_write", 1, IOVS, 2, RESULT);
        if (r == 0) total += get32(&g, RESULT);
    }
    assert_int_equal(r, WASI_EAGAIN);
    assert_true(total >= 4096 && total <= 1 << 20);
    assert_false(fcntl(in[0], F_GETFL) & O_NONBLOCK);
    assert_false(fcntl(out[1], F_GETFL) & O_NONBLOCK);
    close(in[1]);
    EXPECT(SUCCESS, read_one(&g, 0, 10)); /* the end is no reason to try again */
    assert_int_equal(get32(&g, RESULT), 0);
    guest_end(&g);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}

static void *write_later(void *arg) {
    usleep(30000);
    return (void *)(intptr_t)write(*(int *)arg, "late", 4);
}

/* A host pipe that does not block, made to block for the guest. */
static void blocking_on_borrowed_nonblocking_pipes(void **st) {
    (void)st;
    int in[2];
    pthread_t t;
    void *wrote;
    assert_int_equal(pipe2(in, O_NONBLOCK), 0);
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = in[0]};
    Guest g;
    guest_start(&g, &cfg);
    EXPECT(AGAIN, read_one(&g, 0, 10)); /* as the host has it */
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 0, 0));
    pthread_create(&t, NULL, write_later, &in[1]);
    EXPECT(SUCCESS, read_one(&g, 0, 10));
    pthread_join(t, &wrote);
    assert_int_equal((intptr_t)wrote, 4);
    expect_data(&g, "late");
    assert_true(fcntl(in[0], F_GETFL) & O_NONBLOCK);
    guest_end(&g);
    close(in[0]);
    close(in[1]);
}

/* ---- interruption ---- */

static volatile sig_atomic_t alarms_seen;
static void on_alarm(int sig) {
    (void)sig;
    alarms_seen++;
}
static void alarms(long us) {
    struct sigaction sa = {.sa_handler = on_alarm};
    struct itimerval every = {.it_interval.tv_usec = us, .it_value.tv_usec = us};
    if (us) sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    if (!us) signal(SIGALRM, SIG_DFL);
}
static bool third_time(void *user) {
    return ++*(int *)user == 3;
}

static void signals_cut_reading_short_only_when_asked(void **st) {
    (void)st;
    int in[2], asked = 0;
    pthread_t t;
    void *wrote;
    for (int nonblock = 0; nonblock < 2; nonblock++) {
        assert_int_equal(pipe2(in, nonblock ? O_NONBLOCK : 0), 0);
        WasiConfig cfg = guest_bare();
        cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = in[0]};
        Guest g;
        guest_start(&g, &cfg);
        EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 0, 0));
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &only, NULL); /* the other thread is not to get them */
        pthread_create(&t, NULL, write_later, &in[1]);
        pthread_sigmask(SIG_UNBLOCK, &only, NULL);
        alarms_seen = 0;
        alarms(2000);
        EXPECT(SUCCESS, read_one(&g, 0, 10)); /* nobody wants to know: go on */
        alarms(0);
        pthread_join(t, &wrote);
        expect_data(&g, "late");
        assert_true(alarms_seen > 0);
        guest_end(&g);
        cfg.interrupted = third_time;
        cfg.interrupted_user = &asked;
        asked = 0;
        guest_start(&g, &cfg);
        EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 0, 0));
        alarms(2000);
        EXPECT(INTR, read_one(&g, 0, 10));
        alarms(0);
        assert_int_equal(asked, 3);
        guest_end(&g);
        close(in[0]);
        close(in[1]);
    }
}

/* ---- terminals ---- */

static void a_terminal_has_no_seek_rights(void **st) {
    (void)st;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) {
        print_message("no pseudo-terminal here\n");
        skip();
    }
    int tty = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(tty >= 0);
    WasiConfig cfg = guest_bare();
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = tty};
    Guest g;
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", 1, 64));
    assert_int_equal(*at(&g, 64), WASI_FILETYPE_CHARACTER_DEVICE);
    assert_int_equal(get64(&g, 72) & (WASI_R_FD_SEEK | WASI_R_FD_TELL), 0);
    EXPECT(SPIPE, P1(&g, "fd_tell", 1, RESULT));
    EXPECT(SUCCESS, write_one(&g, 1, "hi"));
    guest_end(&g);
    close(tty);
    close(master);
}

int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(scattered_and_gathered),
        cmocka_unit_test(positioned_calls_leave_the_position),
        cmocka_unit_test(seeking),
        cmocka_unit_test(bad_buffers_move_nothing),
        cmocka_unit_test(many_buffers),
        cmocka_unit_test(host_errors_arrive),
        cmocka_unit_test(appending_on_own_and_borrowed_files),
        cmocka_unit_test(no_position),
        cmocka_unit_test(bytes_and_sinks),
        cmocka_unit_test(pieces_of_more_than_two_gigabytes),
        cmocka_unit_test(a_broken_pipe_is_an_error_and_no_signal),
        cmocka_unit_test(large_writes_to_pipes_are_whole),
        cmocka_unit_test(a_pipe_that_breaks_half_way),
        cmocka_unit_test(a_limit_on_file_sizes_is_an_error_and_no_signal),
        cmocka_unit_test(a_broken_socket_is_an_error_and_no_signal),
        cmocka_unit_test(nonblocking_on_borrowed_pipes),
        cmocka_unit_test(blocking_on_borrowed_nonblocking_pipes),
        cmocka_unit_test(signals_cut_reading_short_only_when_asked),
        cmocka_unit_test(a_terminal_has_no_seek_rights),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
