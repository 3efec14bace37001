/* WASI: poll_oneoff. */
#include "wasi_guest.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

enum { IN = 0, OUT = 32768, COUNT = 65000, CLOCK = 0, READ = 1, WRITE = 2 };
enum { REAL = 0, MONO = 1, ABS = 1, HANGUP = 1 };
#define MS UINT64_C(1000000)

/* ---- subscriptions and events, in both layouts ---- */

static bool snapshot0; /* the layout the helpers use */

static uint32_t sub_at(uint32_t i) {
    return IN + i * (snapshot0 ? 56 : 48);
}
static void sub_clock(Guest *g, uint32_t i, uint32_t id, uint64_t timeout, uint32_t flags) {
    uint32_t p = sub_at(i), c = p + (snapshot0 ? 24 : 16);
    memset(at(g, p), 0xee, snapshot0 ? 56 : 48); /* padding and identifier are not looked at */
    put64(g, p, 1000 + i);
    *at(g, p + 8) = CLOCK;
    put32(g, c, id);
    put64(g, c + 8, timeout);
    put64(g, c + 16, 0);
    wasi_st16(at(g, c + 24), flags);
}
static void sub_fd(Guest *g, uint32_t i, uint8_t tag, uint32_t fd) {
    uint32_t p = sub_at(i);
    memset(at(g, p), 0xee, snapshot0 ? 56 : 48);
    put64(g, p, 1000 + i);
    *at(g, p + 8) = tag;
    put32(g, p + 16, fd);
}
static uint32_t poll_n(Guest *g, uint32_t n) {
    memset(at(g, OUT), 0xdd, 32 * (n < 800 ? n : 800));
    put32(g, COUNT, 0xdddddddd);
    return snapshot0 ? P0(g, "poll_oneoff", IN, OUT, n, COUNT)
                     : P1(g, "poll_oneoff", IN, OUT, n, COUNT);
}
static void expect_count(Guest *g, uint32_t n) {
    assert_int_equal(get32(g, COUNT), n);
}
/* Event `k` is for subscription `i`. */
static void expect_event(Guest *g, uint32_t k, uint32_t i, uint32_t error, uint8_t tag,
                         uint64_t nbytes, uint32_t flags) {
    uint32_t p = OUT + 32 * k;
    assert_int_equal(get64(g, p), 1000 + i);
    assert_int_equal(get64(g, p + 8), error | (uint64_t)tag << 16);
    assert_int_equal(get64(g, p + 16), nbytes);
    assert_int_equal(get64(g, p + 24), flags);
}

static uint64_t host_now(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void start(Guest *g) {
    WasiConfig cfg = guest_bare();
    snapshot0 = false;
    guest_start(g, &cfg);
}

/* ---- clocks ---- */

static void sleeping(void **st) {
    (void)st;
    Guest g;
    start(&g);
    for (int layout = 0; layout < 2; layout++) {
        snapshot0 = layout;
        for (uint32_t id = REAL; id <= MONO; id++) {
            uint64_t t0 = host_now(CLOCK_MONOTONIC);
            sub_clock(&g, 0, id, 20 * MS, 0);
            EXPECT(SUCCESS, poll_n(&g, 1));
            assert_true(host_now(CLOCK_MONOTONIC) - t0 >= 20 * MS);
            expect_count(&g, 1);
            expect_event(&g, 0, 0, 0, CLOCK, 0, 0);
            t0 = host_now(CLOCK_MONOTONIC);
            sub_clock(&g, 0, id, host_now(id == REAL ? CLOCK_REALTIME : CLOCK_MONOTONIC) + 20 * MS,
                      ABS);
            EXPECT(SUCCESS, poll_n(&g, 1));
            assert_true(host_now(CLOCK_MONOTONIC) - t0 >= 19 * MS);
            expect_count(&g, 1);
            sub_clock(&g, 0, id, 1, ABS); /* long past */
            EXPECT(SUCCESS, poll_n(&g, 1));
            expect_count(&g, 1);
            sub_clock(&g, 0, id, 0, 0);
            EXPECT(SUCCESS, poll_n(&g, 1));
            expect_count(&g, 1);
        }
    }
    guest_end(&g);
}

/* Only the clocks whose time has come, in the order of the subscriptions. */
static void the_earliest_clock_ends_the_wait(void **st) {
    (void)st;
    Guest g;
    start(&g);
    uint64_t t0 = host_now(CLOCK_MONOTONIC);
    sub_clock(&g, 0, MONO, UINT64_MAX, 0); /* in 584 years, or never */
    sub_clock(&g, 1, REAL, 10 * MS, 0);
    sub_clock(&g, 2, REAL, UINT64_MAX, ABS);
    sub_clock(&g, 3, MONO, 5 * MS, 0);
    sub_clock(&g, 4, MONO, 5 * MS, 0);
    EXPECT(SUCCESS, poll_n(&g, 5));
    uint64_t took = host_now(CLOCK_MONOTONIC) - t0;
    assert_true(took >= 5 * MS);
    assert_in_range(get32(&g, COUNT), 2, 3); /* 3 if we were away for 5 ms */
    uint32_t k = get32(&g, COUNT) - 2;
    expect_event(&g, k, 3, 0, CLOCK, 0, 0);
    expect_event(&g, k + 1, 4, 0, CLOCK, 0, 0);
    guest_end(&g);
}

static void bad_clocks_are_errors_of_their_subscription(void **st) {
    (void)st;
    Guest g;
    start(&g);
    sub_clock(&g, 0, 2, 0, 0);
    sub_clock(&g, 1, 3, UINT64_MAX, 0);
    sub_clock(&g, 2, 4, 0, 0);
    sub_clock(&g, 3, MONO, 0, 2);
    sub_clock(&g, 4, MONO, UINT64_MAX, 0); /* not waited for */
    EXPECT(SUCCESS, poll_n(&g, 5));
    expect_count(&g, 4);
    expect_event(&g, 0, 0, WASI_ENOTSUP, CLOCK, 0, 0);
    expect_event(&g, 1, 1, WASI_ENOTSUP, CLOCK, 0, 0);
    expect_event(&g, 2, 2, WASI_EINVAL, CLOCK, 0, 0);
    expect_event(&g, 3, 3, WASI_EINVAL, CLOCK, 0, 0);
    guest_end(&g);
}

typedef struct Fake {
    uint64_t now, waited;
    int waits;
    bool stands; /* waiting does not move the clock */
    bool no_mono;
} Fake;
static bool fake_time(void *user, uint32_t id, uint64_t *ns) {
    Fake *f = user;
    *ns = id == REAL ? f->now + 1000000000 * MS : f->now;
    return id == REAL || !f->no_mono;
}
static void fake_wait(void *user, uint64_t ns) {
    Fake *f = user;
    f->waits++;
    f->waited += ns;
    if (!f->stands) f->now += ns;
}

static void configured_clocks_wait_in_their_own_time(void **st) {
    (void)st;
    Fake f = {.now = 5000};
    WasiConfig cfg = guest_bare();
    cfg.clock = (WasiClock){.time = fake_time, .wait = fake_wait, .user = &f};
    Guest g;
    guest_start(&g, &cfg);
    snapshot0 = false;
    sub_clock(&g, 0, MONO, 1000000 * MS, 0); /* 1000 s */
    EXPECT(SUCCESS, poll_n(&g, 1));
    expect_count(&g, 1);
    assert_int_equal(f.waits, 1);
    assert_int_equal(f.waited, 1000000 * MS);
    f.stands = true; /* waiting counts even if the clock does not show it */
    sub_clock(&g, 0, REAL, f.now + 1000000000 * MS + 77, ABS);
    sub_clock(&g, 1, MONO, f.now + 78, ABS);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 0, 0, CLOCK, 0, 0);
    assert_int_equal(f.waits, 2);
    assert_int_equal(f.waited, 1000000 * MS + 77);
    sub_clock(&g, 0, MONO, 0, 0);
    EXPECT(SUCCESS, poll_n(&g, 1));
    assert_int_equal(f.waits, 2); /* nothing to wait for */
    /* with a descriptor in the list the host has to wait, a clock that stands still does not hang it */
    int p[2];
    assert_int_equal(pipe(p), 0);
    uint32_t fd = guest_own(&g, p[0], 0);
    sub_clock(&g, 0, MONO, 3 * MS, 0);
    sub_fd(&g, 1, READ, fd);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 0, 0, CLOCK, 0, 0);
    assert_int_equal(f.waits, 2);
    f.no_mono = true;
    sub_clock(&g, 0, MONO, 3 * MS, 0);
    sub_clock(&g, 1, REAL, 0, ABS);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 2);
    expect_event(&g, 0, 0, WASI_ENOTSUP, CLOCK, 0, 0);
    expect_event(&g, 1, 1, 0, CLOCK, 0, 0);
    guest_end(&g);
    close(p[1]);
}

/* ---- descriptors ---- */

static void files_are_ready(void **st) {
    (void)st;
    Guest g;
    start(&g);
    int host = guest_tmpfile();
    assert_int_equal(ftruncate(host, 1000), 0);
    uint32_t fd = guest_own(&g, host, 0);
    for (int layout = 0; layout < 2; layout++) {
        snapshot0 = layout;
        lseek(host, 100, SEEK_SET);
        sub_clock(&g, 0, MONO, UINT64_MAX, 0);
        sub_fd(&g, 1, READ, fd);
        sub_fd(&g, 2, WRITE, fd);
        EXPECT(SUCCESS, poll_n(&g, 3));
        expect_count(&g, 2);
        expect_event(&g, 0, 1, 0, READ, 900, 0);
        expect_event(&g, 1, 2, 0, WRITE, 1, 0);
        lseek(host, 1000, SEEK_SET); /* nothing more to come */
        EXPECT(SUCCESS, poll_n(&g, 3));
        expect_event(&g, 0, 1, 0, READ, 0, HANGUP);
        lseek(host, 5000, SEEK_SET);
        EXPECT(SUCCESS, poll_n(&g, 3));
        expect_event(&g, 0, 1, 0, READ, 0, HANGUP);
    }
    uint32_t null = guest_own(&g, open("/dev/zero", O_RDWR), 0);
    snapshot0 = false;
    sub_fd(&g, 0, READ, null);
    EXPECT(SUCCESS, poll_n(&g, 1));
    expect_event(&g, 0, 0, 0, READ, 1, 0); /* it does not say how much */
    guest_end(&g);
}

static void pipes(void **st) {
    (void)st;
    int p[2];
    Guest g;
    start(&g);
    assert_int_equal(pipe(p), 0);
    uint32_t r = guest_own(&g, p[0], 0), w = guest_own(&g, p[1], 0);
    sub_fd(&g, 0, READ, r);
    sub_fd(&g, 1, WRITE, w);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 1, 0, WRITE, 1, 0);
    sub_clock(&g, 1, MONO, 5 * MS, 0); /* in vain */
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 1, 0, CLOCK, 0, 0);
    assert_int_equal(write(p[1], "abc", 3), 3);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_event(&g, 0, 0, 0, READ, 3, 0);
    EXPECT(SUCCESS, P1(&g, "fd_close", w));
    EXPECT(SUCCESS, poll_n(&g, 2)); /* the rest can still be read */
    expect_event(&g, 0, 0, 0, READ, 3, HANGUP);
    char rest[3];
    assert_int_equal(read(p[0], rest, 3), 3);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 0, 0, READ, 0, HANGUP);
    guest_end(&g);
    start(&g);
    assert_int_equal(pipe(p), 0);
    w = guest_own(&g, p[1], 0);
    close(p[0]);
    sub_fd(&g, 0, WRITE, w);
    EXPECT(SUCCESS, poll_n(&g, 1));
    expect_event(&g, 0, 0, 0, WRITE, 1, HANGUP); /* a write will say PIPE */
    guest_end(&g);
}

static void full_pipes_are_not_writable(void **st) {
    (void)st;
    int p[2];
    static const char zeros[65536];
    Guest g;
    start(&g);
    assert_int_equal(pipe2(p, O_NONBLOCK), 0);
    uint32_t w = guest_own(&g, p[1], 0);
    while (write(p[1], zeros, sizeof zeros) > 0) {
    }
    sub_fd(&g, 0, WRITE, w);
    sub_clock(&g, 1, MONO, 2 * MS, 0);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 1, 0, CLOCK, 0, 0);
    guest_end(&g);
    close(p[0]);
}

static void sockets(void **st) {
    (void)st;
    int s[2];
    Guest g;
    start(&g);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    uint32_t fd = guest_own(&g, s[0], 0);
    sub_fd(&g, 0, READ, fd);
    sub_fd(&g, 1, WRITE, fd);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 1);
    expect_event(&g, 0, 1, 0, WRITE, 1, 0);
    assert_int_equal(send(s[1], "hello", 5, 0), 5);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 2);
    expect_event(&g, 0, 0, 0, READ, 5, 0);
    shutdown(s[1], SHUT_WR); /* the peer says no more, but listens */
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_event(&g, 0, 0, 0, READ, 5, HANGUP);
    expect_event(&g, 1, 1, 0, WRITE, 1, 0);
    close(s[1]);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_count(&g, 2);
    expect_event(&g, 1, 1, 0, WRITE, 1, HANGUP);
    guest_end(&g);
}

static void listening_sockets(void **st) {
    (void)st;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    Guest g;
    start(&g);
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(l, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(l, 1), 0);
    assert_int_equal(getsockname(l, (struct sockaddr *)&a, &len), 0);
    sub_fd(&g, 0, READ, guest_own(&g, l, 0));
    sub_clock(&g, 1, MONO, 2 * MS, 0);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_event(&g, 0, 1, 0, CLOCK, 0, 0);
    assert_int_equal(connect(c, (struct sockaddr *)&a, sizeof a), 0);
    EXPECT(SUCCESS, poll_n(&g, 2));
    expect_event(&g, 0, 0, 0, READ, 1, 0);
    guest_end(&g);
    close(c);
}

static bool sink(void *user, const uint8_t *data, size_t len) {
    (void)user, (void)data, (void)len;
    return true;
}

static void streams_of_the_host_s_own(void **st) {
    (void)st;
    static const uint8_t text[] = "12345";
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){.kind = WASI_STDIO_BYTES, .bytes = text, .bytes_len = 5};
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_SINK, .sink = sink};
    Guest g;
    guest_start(&g, &cfg);
    snapshot0 = false;
    sub_fd(&g, 0, READ, 0);
    sub_fd(&g, 1, WRITE, 1);
    sub_fd(&g, 2, WRITE, 0);
    sub_fd(&g, 3, READ, 1);
    sub_fd(&g, 4, READ, 2); /* closed */
    sub_clock(&g, 5, MONO, UINT64_MAX, 0);
    EXPECT(SUCCESS, poll_n(&g, 6));
    expect_count(&g, 5);
    expect_event(&g, 0, 0, 0, READ, 5, 0);
    expect_event(&g, 1, 1, 0, WRITE, 1, 0);
    expect_event(&g, 2, 2, WASI_EBADF, WRITE, 0, 0);
    expect_event(&g, 3, 3, WASI_EBADF, READ, 0, 0);
    expect_event(&g, 4, 4, WASI_EBADF, READ, 0, 0);
    put_iovec(&g, 60000, 60100, 100);
    EXPECT(SUCCESS, P1(&g, "fd_read", 0, 60000, 1, COUNT));
    EXPECT(SUCCESS, poll_n(&g, 1));
    expect_event(&g, 0, 0, 0, READ, 0, HANGUP);
    guest_end(&g);
}

/* ---- errors ---- */

static void bad_descriptors_are_errors_of_their_subscription(void **st) {
    (void)st;
    int p[2];
    static const WasiPreopen dir = {.host = "/", .guest = "/"};
    WasiConfig cfg = guest_bare();
    cfg.preopens = &dir;
    cfg.npreopens = 1;
    Guest g;
    guest_start(&g, &cfg);
    snapshot0 = false;
    assert_int_equal(pipe(p), 0);
    sub_fd(&g, 0, READ, 77);
    sub_fd(&g, 1, WRITE, UINT32_MAX);
    sub_fd(&g, 2, READ, 3); /* a directory */
    sub_fd(&g, 3, READ, guest_own(&g, guest_tmpfile(), WASI_R_FD_READ));
    sub_fd(&g, 4, WRITE, guest_own(&g, guest_tmpfile(), WASI_R_FD_WRITE));
    sub_fd(&g, 5, READ, guest_own(&g, guest_tmpfile(), WASI_R_POLL_FD_READWRITE));
    uint32_t r = guest_own(&g, p[0], 0);
    sub_fd(&g, 6, READ, r);                       /* nothing there: no event */
    sub_fd(&g, 7, WRITE, guest_own(&g, p[1], 0)); /* ready: reported along with the errors */
    EXPECT(SUCCESS, poll_n(&g, 8));
    expect_count(&g, 7);
    expect_event(&g, 0, 0, WASI_EBADF, READ, 0, 0);
    expect_event(&g, 1, 1, WASI_EBADF, WRITE, 0, 0);
    expect_event(&g, 2, 2, WASI_EBADF, READ, 0, 0);
    expect_event(&g, 3, 3, WASI_ENOTCAPABLE, READ, 0, 0);
    expect_event(&g, 4, 4, WASI_ENOTCAPABLE, WRITE, 0, 0);
    expect_event(&g, 5, 5, WASI_ENOTCAPABLE, READ, 0, 0);
    expect_event(&g, 6, 7, 0, WRITE, 1, 0);
    int host = g.w->fds[r].host; /* closed in the host behind the guest's back */
    int copy = dup(host);
    close(host);
    sub_fd(&g, 0, READ, r);
    EXPECT(SUCCESS, poll_n(&g, 1));
    expect_event(&g, 0, 0, WASI_EBADF, READ, 0, 0);
    assert_int_equal(dup2(copy, host), host);
    close(copy);
    guest_end(&g);
}

static void malformed_lists(void **st) {
    (void)st;
    Guest g;
    start(&g);
    EXPECT(INVAL, poll_n(&g, 0));
    EXPECT(INVAL, P0(&g, "poll_oneoff", IN, OUT, 0, COUNT));
    EXPECT(INVAL, P1(&g, "poll_oneoff", GUEST_MEM + 1, GUEST_MEM + 1, 0, GUEST_MEM));
    for (uint32_t tag = 3; tag < 256; tag += 84) {
        sub_clock(&g, 0, MONO, 0, 0);
        sub_fd(&g, 1, (uint8_t)tag, 0);
        EXPECT(INVAL, poll_n(&g, 2));
        expect_count(&g, 0xdddddddd); /* nothing was written */
        assert_int_equal(get32(&g, OUT), 0xdddddddd);
    }
    EXPECT(FAULT, P1(&g, "poll_oneoff", IN, OUT, UINT32_MAX, COUNT));
    EXPECT(FAULT, P1(&g, "poll_oneoff", IN, OUT, UINT32_MAX / 48 + 2, COUNT)); /* 48 * n wraps */
    EXPECT(FAULT, P1(&g, "poll_oneoff", IN, OUT, 1366, COUNT));
    memset(at(&g, GUEST_MEM - 48), 0,
           48); /* a clock whose time has come, also at the end of memory */
    sub_clock(&g, 0, MONO, 0, 0);
    BOUNDS(&g, 0, 48, "poll_oneoff", IN, OUT, 1, COUNT);
    BOUNDS(&g, 1, 32, "poll_oneoff", IN, OUT, 1, COUNT);
    BOUNDS(&g, 2 + 1, 4, "poll_oneoff", IN, OUT, 1, COUNT);
    memset(at(&g, GUEST_MEM - 56), 0, 56);
    snapshot0 = true;
    sub_clock(&g, 0, MONO, 0, 0);
    BOUNDS0(&g, 0, 56, "poll_oneoff", IN, OUT, 1, COUNT);
    guest_end(&g);
}

/* Events may be written where the subscriptions were. */
static void events_over_subscriptions(void **st) {
    (void)st;
    Guest g;
    start(&g);
    for (uint32_t i = 0; i < 100; i++) sub_clock(&g, i, MONO, 0, 0);
    EXPECT(SUCCESS, P1(&g, "poll_oneoff", IN, IN, 100, COUNT));
    expect_count(&g, 100);
    for (uint32_t i = 0; i < 100; i++) assert_int_equal(get64(&g, IN + 32 * i), 1000 + i);
    guest_end(&g);
}

/* ---- many ---- */

/* The host's array is as long as there are descriptors, however often they are named. */
static void repetitions_cost_nothing(void **st) {
    (void)st;
    enum { N = 500000, SIZE = N * 80 + 4096 };
    int p[2];
    Heap h = {0};
    struct rlimit old, few;
    WasiConfig cfg = guest_bare();
    cfg.hooks = &(MemHooks){heap_realloc, &h};
    Guest g;
    guest_start(&g, &cfg);
    snapshot0 = false;
    guest_memory_free(&g);
    guest_memory(&g, SIZE);
    assert_int_equal(pipe(p), 0);
    uint32_t r = guest_own(&g, p[0], 0), w = guest_own(&g, p[1], 0);
    for (uint32_t i = 0; i < N; i++) sub_fd(&g, i, i % 2 ? WRITE : READ, i % 2 ? w : r);
    getrlimit(RLIMIT_NOFILE, &old);
    few = old;
    few.rlim_cur = 64; /* poll refuses longer arrays than this */
    setrlimit(RLIMIT_NOFILE, &few);
    size_t before = h.live;
    EXPECT(SUCCESS, P1(&g, "poll_oneoff", 0, N * 48, N, SIZE - 4));
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(get32(&g, SIZE - 4), N / 2);
    for (uint32_t k = 0; k < N / 2; k++)
        assert_int_equal(get64(&g, N * 48 + 32 * k), 1000 + 2 * k + 1);
    assert_true(h.live - before <= 1024);
    long calls = h.calls;
    sub_clock(&g, 0, MONO, 0, 0);
    EXPECT(SUCCESS, P1(&g, "poll_oneoff", 0, N * 48, 4, SIZE - 4));
    assert_int_equal(h.calls, calls); /* the array is kept */
    guest_end(&g);
    assert_int_equal(h.live, 0);
}

static void many_descriptors_and_failing_memory(void **st) {
    (void)st;
    enum { N = 300 };
    Heap h = {0};
    WasiConfig cfg = guest_bare();
    cfg.hooks = &(MemHooks){heap_realloc, &h};
    Guest g;
    guest_start(&g, &cfg);
    snapshot0 = false;
    int host = guest_tmpfile();
    for (uint32_t i = 0; i < N; i++) sub_fd(&g, i, READ, guest_own(&g, dup(host), 0));
    close(host);
    bool done = false;
    int fails = 0;
    while (!done) {
        h.fail_at = h.calls + 1;
        uint32_t r = P1(&g, "poll_oneoff", IN, OUT, N, COUNT);
        done = r == WASI_ESUCCESS;
        if (done) break;
        assert_int_equal(r, WASI_ENOMEM);
        fails++;
        h.fail_at = 0; /* let the array grow to what one more entry needs */
        uint32_t room = g.w->polled_cap + 1;
        EXPECT(SUCCESS, P1(&g, "poll_oneoff", IN, OUT, room < N ? room : N, COUNT));
    }
    assert_true(fails >= 5);
    expect_count(&g, N);
    guest_end(&g);
    assert_int_equal(h.live, 0);
}

/* ---- other threads, signals ---- */

static void *write_later(void *arg) {
    usleep(20000);
    return (void *)(intptr_t)write(*(int *)arg, "x", 1);
}
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

static void waiting_without_a_clock(void **st) {
    (void)st;
    int p[2];
    pthread_t t;
    void *wrote;
    Guest g;
    start(&g);
    assert_int_equal(pipe(p), 0);
    sub_fd(&g, 0, READ, guest_own(&g, p[0], 0));
    pthread_create(&t, NULL, write_later, &p[1]);
    EXPECT(SUCCESS, poll_n(&g, 1));
    pthread_join(t, &wrote);
    expect_count(&g, 1);
    expect_event(&g, 0, 0, 0, READ, 1, 0);
    guest_end(&g);
    close(p[1]);
}

static void signals_do_not_end_a_sleep(void **st) {
    (void)st;
    Guest g;
    start(&g);
    uint64_t t0 = host_now(CLOCK_MONOTONIC);
    sub_clock(&g, 0, MONO, 30 * MS, 0);
    alarms_seen = 0;
    alarms(2000);
    EXPECT(SUCCESS, poll_n(&g, 1));
    alarms(0);
    assert_true(host_now(CLOCK_MONOTONIC) - t0 >= 30 * MS);
    assert_true(alarms_seen > 0);
    expect_count(&g, 1);
    guest_end(&g);
}

static void the_host_can_end_a_sleep(void **st) {
    (void)st;
    int asked = 0;
    WasiConfig cfg = guest_bare();
    cfg.interrupted = third_time;
    cfg.interrupted_user = &asked;
    Guest g;
    guest_start(&g, &cfg);
    snapshot0 = false;
    sub_clock(&g, 0, MONO, UINT64_MAX, 0);
    alarms(2000);
    EXPECT(INTR, poll_n(&g, 1));
    alarms(0);
    assert_int_equal(asked, 3);
    expect_count(&g, 0xdddddddd);
    guest_end(&g);
}

int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(sleeping),
        cmocka_unit_test(the_earliest_clock_ends_the_wait),
        cmocka_unit_test(bad_clocks_are_errors_of_their_subscription),
        cmocka_unit_test(configured_clocks_wait_in_their_own_time),
        cmocka_unit_test(files_are_ready),
        cmocka_unit_test(pipes),
        cmocka_unit_test(full_pipes_are_not_writable),
        cmocka_unit_test(sockets),
        cmocka_unit_test(listening_sockets),
        cmocka_unit_test(streams_of_the_host_s_own),
        cmocka_unit_test(bad_descriptors_are_errors_of_their_subscription),
        cmocka_unit_test(malformed_lists),
        cmocka_unit_test(events_over_subscriptions),
        cmocka_unit_test(repetitions_cost_nothing),
        cmocka_unit_test(many_descriptors_and_failing_memory),
        cmocka_unit_test(waiting_without_a_clock),
        cmocka_unit_test(signals_do_not_end_a_sleep),
        cmocka_unit_test(the_host_can_end_a_sleep),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
