/* WASI: sockets. */
#include "wasi_guest.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { IOVS = 0, RESULT = 4000, FLAGS = 4010, DATA = 8192, PEEK = 1, WAITALL = 2 };

static void pair(int type, int s[2]) {
    assert_int_equal(socketpair(AF_UNIX, type, 0, s), 0);
}
/* A listening socket on the loopback interface, and its address. */
static int listener(struct sockaddr_in *a) {
    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof *a;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(l, (struct sockaddr *)a, sizeof *a), 0);
    assert_int_equal(listen(l, 8), 0);
    assert_int_equal(getsockname(l, (struct sockaddr *)a, &len), 0);
    return l;
}
static int connected(const struct sockaddr_in *a) {
    int c = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(c, (const struct sockaddr *)a, sizeof *a), 0);
    return c;
}
static void start(Guest *g) {
    WasiConfig cfg = guest_bare();
    guest_start(g, &cfg);
}
static uint32_t recv_one(Guest *g, uint32_t fd, uint32_t len, uint32_t flags) {
    put_iovec(g, IOVS, DATA, len);
    put32(g, FLAGS, 0xdddddddd);
    return P1(g, "sock_recv", fd, IOVS, 1, flags, RESULT, FLAGS);
}
static uint32_t send_one(Guest *g, uint32_t fd, const char *text) {
    put_text(g, DATA, text);
    put_iovec(g, IOVS, DATA, (uint32_t)strlen(text));
    return P1(g, "sock_send", fd, IOVS, 1, 0, RESULT);
}
static void expect_data(Guest *g, const char *text, uint32_t ro_flags) {
    assert_int_equal(get32(g, RESULT), strlen(text));
    assert_memory_equal(at(g, DATA), text, strlen(text));
    assert_int_equal(get32(g, FLAGS), 0xdddd0000 | ro_flags); /* 16 bits are written */
}

/* ---- receive and send ---- */

static void streams(void **st) {
    (void)st;
    int s[2];
    char buf[32];
    Guest g;
    start(&g);
    pair(SOCK_STREAM, s);
    uint32_t fd = guest_own(&g, s[0], 0);
    put_text(&g, 100, "ab");
    put_text(&g, 200, "cde");
    put_iovec(&g, 0, 100, 2);
    put_iovec(&g, 8, 200, 3);
    EXPECT(SUCCESS, P1(&g, "sock_send", fd, 0, 2, 0, RESULT));
    assert_int_equal(get32(&g, RESULT), 5);
    assert_int_equal(recv(s[1], buf, sizeof buf, 0), 5);
    assert_memory_equal(buf, "abcde", 5);
    assert_int_equal(send(s[1], "hello", 5, 0), 5);
    EXPECT(SUCCESS, recv_one(&g, fd, 100, PEEK));
    expect_data(&g, "hello", 0);
    EXPECT(SUCCESS, recv_one(&g, fd, 2, 0));
    expect_data(&g, "he", 0);
    EXPECT(SUCCESS, P0(&g, "sock_recv", fd, IOVS, 1, 0, RESULT, FLAGS));
    assert_memory_equal(at(&g, DATA), "ll", 2);
    EXPECT(SUCCESS, P1(&g, "fd_read", fd, IOVS, 1, RESULT)); /* sockets are descriptors too */
    assert_memory_equal(at(&g, DATA), "o", 1);
    close(s[1]);
    EXPECT(SUCCESS, recv_one(&g, fd, 100, 0));
    expect_data(&g, "", 0);
    EXPECT(PIPE, send_one(&g, fd, "x")); /* and no SIGPIPE */
    guest_end(&g);
}

static void *send_halves(void *arg) {
    int fd = *(int *)arg;
    if (send(fd, "abc", 3, 0) != 3) return NULL;
    usleep(20000);
    return send(fd, "def", 3, 0) == 3 ? arg : NULL;
}

static void waiting_for_all(void **st) {
    (void)st;
    int s[2];
    pthread_t t;
    void *ok;
    Guest g;
    start(&g);
    pair(SOCK_STREAM, s);
    uint32_t fd = guest_own(&g, s[0], 0);
    pthread_create(&t, NULL, send_halves, &s[1]);
    EXPECT(SUCCESS, recv_one(&g, fd, 6, WAITALL));
    pthread_join(t, &ok);
    assert_non_null(ok);
    expect_data(&g, "abcdef", 0);
    assert_int_equal(send(s[1], "xyz", 3, 0), 3);
    close(s[1]);
    EXPECT(SUCCESS, recv_one(&g, fd, 100, WAITALL | PEEK)); /* no more will come */
    expect_data(&g, "xyz", 0);
    guest_end(&g);
}

static void datagrams_can_be_cut(void **st) {
    (void)st;
    int s[2];
    char buf[32];
    Guest g;
    start(&g);
    pair(SOCK_DGRAM, s);
    uint32_t fd = guest_own(&g, s[0], 0);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(*at(&g, 64), WASI_FILETYPE_SOCKET_DGRAM);
    assert_int_equal(send(s[1], "long message", 12, 0), 12);
    assert_int_equal(send(s[1], "second", 6, 0), 6);
    EXPECT(SUCCESS, recv_one(&g, fd, 4, PEEK));
    expect_data(&g, "long", 1);
    EXPECT(SUCCESS, recv_one(&g, fd, 4, 0));
    expect_data(&g, "long", 1);
    EXPECT(SUCCESS, recv_one(&g, fd, 100, 0)); /* the rest of the first one is lost */
    expect_data(&g, "second", 0);
    EXPECT(SUCCESS, send_one(&g, fd, "")); /* an empty message is one */
    assert_int_equal(recv(s[1], buf, sizeof buf, MSG_DONTWAIT), 0);
    for (uint32_t i = 0; i <= WASI_MAX_IOVS; i++) put_iovec(&g, 8 * i, DATA * 2, 1);
    EXPECT(MSGSIZE, P1(&g, "sock_send", fd, 0, WASI_MAX_IOVS + 1, 0, 20000));
    EXPECT(MSGSIZE, P1(&g, "fd_write", fd, 0, WASI_MAX_IOVS + 1, 20000));
    EXPECT(MSGSIZE, P1(&g, "sock_recv", fd, 0, WASI_MAX_IOVS + 1, 0, 20000, 20004));
    EXPECT(SUCCESS, P1(&g, "sock_send", fd, 0, WASI_MAX_IOVS, 0, 20000));
    static char all[2000];
    assert_int_equal(recv(s[1], all, sizeof all, MSG_DONTWAIT), WASI_MAX_IOVS);
    guest_end(&g);
    close(s[1]);
}

static void nonblocking_sockets(void **st) {
    (void)st;
    for (int borrowed = 0; borrowed < 2; borrowed++) {
        int s[2];
        Guest g;
        WasiConfig cfg = guest_bare();
        pair(SOCK_STREAM, s);
        cfg.sockets = &s[0];
        cfg.nsockets = (uint32_t)borrowed;
        guest_start(&g, &cfg);
        uint32_t fd = borrowed ? 3 : guest_own(&g, s[0], 0);
        EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", fd, WASI_FDFLAG_NONBLOCK));
        assert_int_equal(!!(fcntl(s[0], F_GETFL) & O_NONBLOCK), !borrowed);
        EXPECT(AGAIN, recv_one(&g, fd, 10, 0));
        EXPECT(AGAIN, recv_one(&g, fd, 10, WAITALL));
        assert_int_equal(send(s[1], "abc", 3, 0), 3);
        EXPECT(SUCCESS, recv_one(&g, fd, 10, WAITALL)); /* what there is */
        expect_data(&g, "abc", 0);
        uint32_t r = 0;
        for (int i = 0; i < 10000 && r != WASI_EAGAIN; i++) {
            put_iovec(&g, IOVS, DATA, 50000);
            r = i % 2 ? P1(&g, "sock_send", fd, IOVS, 1, 0, RESULT)
                      : P1(&g, "fd_write", fd, IOVS, 1, RESULT);
        }
        assert_int_equal(r, WASI_EAGAIN);
        guest_end(&g);
        if (borrowed) close(s[0]);
        close(s[1]);
    }
}

/* A time limit that the host has put on its socket is AGAIN for the guest, not a reason to wait on. */
static void the_host_s_time_limit(void **st) {
    (void)st;
    int s[2];
    Guest g;
    WasiConfig cfg = guest_bare();
    pair(SOCK_STREAM, s);
    const struct timeval limit = {.tv_usec = 10000};
    assert_int_equal(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    cfg.sockets = &s[0];
    cfg.nsockets = 1;
    guest_start(&g, &cfg);
    EXPECT(AGAIN, recv_one(&g, 3, 1, 0));
    guest_end(&g);
    close(s[0]);
    close(s[1]);
}

static void bad_arguments(void **st) {
    (void)st;
    int s[2];
    Guest g;
    start(&g);
    pair(SOCK_STREAM, s);
    uint32_t fd = guest_own(&g, s[0], 0), file = guest_own(&g, guest_tmpfile(), 0);
    for (int i = 0; i < 30; i++) assert_int_equal(send(s[1], "a lot to read ", 14, 0), 14);
    EXPECT(BADF, recv_one(&g, 77, 1, 0));
    EXPECT(BADF, send_one(&g, 77, "x"));
    EXPECT(BADF, P1(&g, "sock_shutdown", 77, 1));
    EXPECT(BADF, P1(&g, "sock_accept", 77, 0, RESULT));
    EXPECT(NOTSOCK, recv_one(&g, file, 1, 0));
    EXPECT(NOTSOCK, send_one(&g, file, "x"));
    EXPECT(NOTSOCK, P1(&g, "sock_shutdown", file, 1));
    EXPECT(NOTSOCK, P1(&g, "sock_accept", file, 0, RESULT));
    EXPECT(INVAL, recv_one(&g, fd, 1, 4));
    EXPECT(INVAL, recv_one(&g, fd, 1, 0x10001));
    put_iovec(&g, IOVS, DATA, 1);
    EXPECT(INVAL, P1(&g, "sock_send", fd, IOVS, 1, 1, RESULT));
    EXPECT(INVAL, P1(&g, "sock_shutdown", fd, 0));
    EXPECT(INVAL, P1(&g, "sock_shutdown", fd, 4));
    EXPECT(INVAL, P1(&g, "sock_shutdown", fd, UINT32_MAX));
    EXPECT(NOTCAPABLE, P1(&g, "sock_accept", fd, 0, RESULT)); /* not listening */
    int t[2];
    pair(SOCK_STREAM, t);
    uint32_t few = guest_own(&g, t[0], WASI_R_FD_READ | WASI_R_FD_WRITE | WASI_R_SOCK_SHUTDOWN);
    EXPECT(NOTCAPABLE, recv_one(&g, few, 1, 0));
    EXPECT(NOTCAPABLE, send_one(&g, few, "x"));
    EXPECT(NOTCAPABLE, P1(&g, "sock_shutdown", few, 1));
    put_iovec(&g, IOVS, DATA, 1);
    BOUNDS(&g, 1, 8, "sock_recv", fd, IOVS, 1, 0, RESULT, FLAGS);
    put_iovec(&g, IOVS, DATA, 1);
    BOUNDS(&g, 4, 4, "sock_recv", fd, IOVS, 1, 0, RESULT, FLAGS);
    BOUNDS(&g, 5, 2, "sock_recv", fd, IOVS, 1, 0, RESULT, FLAGS);
    BOUNDS(&g, 1, 8, "sock_send", fd, IOVS, 1, 0, RESULT);
    put_iovec(&g, IOVS, DATA, 1);
    BOUNDS(&g, 4, 4, "sock_send", fd, IOVS, 1, 0, RESULT);
    put_iovec(&g, IOVS, GUEST_MEM - 1, 2);
    EXPECT(FAULT, P1(&g, "sock_recv", fd, IOVS, 1, 0, RESULT, FLAGS));
    EXPECT(FAULT, P1(&g, "sock_send", fd, IOVS, 1, 0, RESULT));
    EXPECT(FAULT, P1(&g, "sock_send", fd, IOVS, 0x20000000, 0, RESULT));
    guest_end(&g);
    close(s[1]);
    close(t[1]);
}

static void shutting_down(void **st) {
    (void)st;
    int s[2];
    char c;
    Guest g;
    start(&g);
    pair(SOCK_STREAM, s);
    uint32_t fd = guest_own(&g, s[0], 0);
    EXPECT(SUCCESS, P1(&g, "sock_shutdown", fd, 2)); /* writing */
    assert_int_equal(recv(s[1], &c, 1, 0), 0);
    EXPECT(PIPE, send_one(&g, fd, "x"));
    assert_int_equal(send(s[1], "y", 1, MSG_NOSIGNAL), 1);
    EXPECT(SUCCESS, recv_one(&g, fd, 1, 0));
    expect_data(&g, "y", 0);
    EXPECT(SUCCESS, P1(&g, "sock_shutdown", fd, 1)); /* reading */
    EXPECT(SUCCESS, recv_one(&g, fd, 1, 0));
    expect_data(&g, "", 0);
    EXPECT(SUCCESS, P1(&g, "sock_shutdown", fd, 3));
    uint32_t lone = guest_own(&g, socket(AF_INET, SOCK_STREAM, 0), 0);
    EXPECT(NOTCONN, P1(&g, "sock_shutdown", lone, 3));
    guest_end(&g);
    close(s[1]);
}

/* ---- accept ---- */

static void accepting(void **st) {
    (void)st;
    struct sockaddr_in a;
    int l = listener(&a);
    WasiConfig cfg = guest_bare();
    cfg.sockets = &l;
    cfg.nsockets = 1;
    Guest g;
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", 3, 64));
    assert_int_equal(get64(&g, 72), WASI_RIGHTS_SOCKET | WASI_R_SOCK_ACCEPT);
    int c = connected(&a), c2 = connected(&a);
    EXPECT(FAULT, P1(&g, "sock_accept", 3, 0, GUEST_MEM - 3)); /* costs no connection */
    EXPECT(INVAL, P1(&g, "sock_accept", 3, WASI_FDFLAG_APPEND, RESULT));
    EXPECT(INVAL, P1(&g, "sock_accept", 3, 0x10004, RESULT));
    EXPECT(SUCCESS, P1(&g, "sock_accept", 3, 0, RESULT));
    uint32_t fd = get32(&g, RESULT);
    assert_int_equal(fd, 0);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get64(&g, 64), WASI_FILETYPE_SOCKET_STREAM);
    assert_int_equal(get64(&g, 72), WASI_RIGHTS_SOCKET);
    assert_int_equal(get64(&g, 80), WASI_RIGHTS_SOCKET);
    EXPECT(SUCCESS, send_one(&g, fd, "welcome"));
    char buf[16];
    assert_int_equal(recv(c, buf, sizeof buf, 0), 7);
    EXPECT(SUCCESS, P1(&g, "sock_accept", 3, WASI_FDFLAG_NONBLOCK, RESULT));
    fd = get32(&g, RESULT);
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_get", fd, 64));
    assert_int_equal(get16(&g, 66), WASI_FDFLAG_NONBLOCK);
    EXPECT(AGAIN, recv_one(&g, fd, 1, 0));
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_flags", 3, WASI_FDFLAG_NONBLOCK));
    EXPECT(AGAIN, P1(&g, "sock_accept", 3, 0, RESULT));
    assert_false(fcntl(l, F_GETFL) & O_NONBLOCK);
    EXPECT(BADF, P1(&g, "fd_fdstat_get", 2, 64)); /* the number taken in vain is free again */
    EXPECT(SUCCESS, P1(&g, "fd_fdstat_set_rights", 3, WASI_R_SOCK_ACCEPT, WASI_R_FD_READ));
    int c3 = connected(&a);
    EXPECT(SUCCESS, P1(&g, "sock_accept", 3, 0, RESULT));
    EXPECT(NOTCAPABLE, send_one(&g, get32(&g, RESULT), "x"));
    guest_end(&g);
    assert_true(fcntl(l, F_GETFD) >= 0); /* borrowed */
    close(l);
    close(c);
    close(c2);
    close(c3);
}

static void a_full_table_costs_no_connection(void **st) {
    (void)st;
    struct sockaddr_in a;
    Heap h = {0};
    WasiConfig cfg = guest_bare();
    cfg.max_fds = 3;
    Guest g;
    guest_start(&g, &cfg);
    uint32_t l = guest_own(&g, listener(&a), 0), file = guest_own(&g, guest_tmpfile(), 0);
    guest_own(&g, guest_tmpfile(), 0);
    int c = connected(&a);
    EXPECT(MFILE, P1(&g, "sock_accept", l, 0, RESULT));
    EXPECT(SUCCESS, P1(&g, "fd_close", file));
    EXPECT(SUCCESS, P1(&g, "sock_accept", l, 0, RESULT)); /* it was still waiting */
    assert_int_equal(get32(&g, RESULT), file);
    guest_end(&g);
    close(c);
    /* the same for a table that cannot grow, and for a host that has no descriptors left */
    cfg = guest_bare();
    cfg.hooks = &(MemHooks){heap_realloc, &h};
    guest_start(&g, &cfg);
    l = guest_own(&g, listener(&a), 0);
    c = connected(&a);
    uint32_t fd;
    for (int i = 0; i < 63; i++)
        assert_int_equal(wasi_fd_insert(g.w, &(WasiFd){.kind = WASI_FD_BYTES, .host = -1}, &fd), 0);
    h.fail_at = h.calls + 1;
    EXPECT(NOMEM, P1(&g, "sock_accept", l, 0, RESULT));
    struct rlimit old, none;
    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    uint32_t r = P1(&g, "sock_accept", l, 0, RESULT);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(r, WASI_EMFILE);
    EXPECT(BADF, P1(&g, "fd_fdstat_get", 64, 64));
    EXPECT(SUCCESS, P1(&g, "sock_accept", l, 0, RESULT));
    assert_int_equal(get32(&g, RESULT), 64);
    guest_end(&g);
    assert_int_equal(h.live, 0);
    close(c);
}

static void on_alarm(int sig) {
    (void)sig;
}
static bool always(void *user) {
    (void)user;
    return true;
}

static void the_host_can_end_a_wait(void **st) {
    (void)st;
    struct sockaddr_in a;
    int s[2];
    WasiConfig cfg = guest_bare();
    cfg.interrupted = always;
    Guest g;
    guest_start(&g, &cfg);
    pair(SOCK_STREAM, s);
    uint32_t l = guest_own(&g, listener(&a), 0), fd = guest_own(&g, s[0], 0);
    struct sigaction sa = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &sa, NULL);
    struct itimerval every = {.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000}, none = {0};
    setitimer(ITIMER_REAL, &every, NULL);
    EXPECT(INTR, P1(&g, "sock_accept", l, 0, RESULT));
    EXPECT(INTR, recv_one(&g, fd, 1, 0));
    setitimer(ITIMER_REAL, &none, NULL);
    signal(SIGALRM, SIG_DFL);
    guest_end(&g);
    close(s[1]);
}

int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(streams),
        cmocka_unit_test(waiting_for_all),
        cmocka_unit_test(datagrams_can_be_cut),
        cmocka_unit_test(nonblocking_sockets),
        cmocka_unit_test(the_host_s_time_limit),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(shutting_down),
        cmocka_unit_test(accepting),
        cmocka_unit_test(a_full_table_costs_no_connection),
        cmocka_unit_test(the_host_can_end_a_wait),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
