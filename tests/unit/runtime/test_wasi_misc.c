/* WASI: contexts and look-up; arguments, environment, clocks, random numbers, ending, yielding. */
#include "wasi_guest.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

static const char *const argv3[] = {"prog", "", "two words"};
static const char *const env2[] = {"A=1", "EMPTY="};

static WasiConfig with_strings(void) {
    WasiConfig cfg = guest_bare();
    cfg.argv = argv3;
    cfg.argc = 3;
    cfg.env = env2;
    cfg.nenv = 2;
    return cfg;
}

/* ---- look-up and tables ---- */

static void functions_are_found_by_module_and_name(void **st) {
    (void)st;
    assert_true(wasi_is_module("wasi_snapshot_preview1"));
    assert_true(wasi_is_module("wasi_unstable"));
    assert_false(wasi_is_module("wasi"));
    assert_null(wasi_lookup("wasi", "fd_read"));
    assert_null(wasi_lookup("wasi_snapshot_preview1", "fd_reads"));
    assert_null(wasi_lookup("wasi_unstable", "sock_accept")); /* came after snapshot 0 */
    assert_string_equal(wasi_lookup("wasi_snapshot_preview1", "sock_accept")->params, "iii");
    assert_string_equal(wasi_lookup("wasi_snapshot_preview1", "proc_exit")->results, "");
    static const char *const differ[] = {"fd_filestat_get", "fd_seek", "path_filestat_get",
                                         "poll_oneoff"};
    for (size_t i = 0; i < 4; i++)
        assert_ptr_not_equal(wasi_lookup("wasi_snapshot_preview1", differ[i])->call,
                             wasi_lookup("wasi_unstable", differ[i])->call);
    assert_ptr_equal(wasi_lookup("wasi_snapshot_preview1", "fd_write"),
                     wasi_lookup("wasi_unstable", "fd_write"));
}

static void errors_translate_and_have_names(void **st) {
    (void)st;
    assert_int_equal(wasi_from_host(0), 0);
    assert_int_equal(wasi_from_host(ENOENT), WASI_ENOENT);
    assert_int_equal(wasi_from_host(-ENOENT), WASI_ENOENT);
    assert_int_equal(wasi_from_host(EWOULDBLOCK), WASI_EAGAIN);
    assert_int_equal(wasi_from_host(ENOTSUP), WASI_ENOTSUP);
    assert_int_equal(wasi_from_host(ENOMEDIUM), WASI_EIO); /* unknown to the guest */
    assert_string_equal(wasi_errno_name(0), "SUCCESS");
    assert_string_equal(wasi_errno_name(76), "NOTCAPABLE");
    assert_null(wasi_errno_name(77));
    for (uint32_t i = 0; i < 77; i++) assert_non_null(wasi_errno_name(i));
}

/* ---- contexts ---- */

static void every_failed_allocation_is_an_error(void **st) {
    (void)st;
    static const WasiPreopen dirs[] = {{.host = "/", .guest = "/"},
                                       {.host = "/tmp", .guest = "tmp"}};
    WasiConfig cfg = with_strings();
    cfg.preopens = dirs;
    cfg.npreopens = 2;
    bool done = false;
    long n = 0;
    int before = open("/dev/null", O_RDONLY);
    close(before);
    while (!done) {
        Heap h = {.fail_at = ++n};
        Diag d = {0};
        cfg.hooks = &(MemHooks){heap_realloc, &h};
        WasiCtx *w = wasi_new(&cfg, &d);
        done = h.calls < n;
        assert_int_equal(w != NULL, done);
        if (!w) assert_int_equal(d.kind, DIAG_OOM);
        wasi_free(w);
        assert_int_equal(h.live, 0);
        int after = open("/dev/null", O_RDONLY);
        close(after);
        assert_int_equal(after, before); /* no host descriptor is lost */
    }
    assert_true(n > 6); /* context, bit set, two texts, table, two names */
}

static void a_context_needs_what_it_is_told_to_open(void **st) {
    (void)st;
    static const struct {
        WasiPreopen dir;
        DiagKind kind;
    } bad[] = {
        {{.host = "/does/not/exist", .guest = "/"}, DIAG_IO},
        {{.host = "/dev/null", .guest = "/"}, DIAG_IO}, /* not a directory */
        {{.host = "/", .guest = ""}, DIAG_INVALID},
    };
    for (size_t i = 0; i < 3; i++) {
        WasiConfig cfg = guest_bare();
        Diag d = {0};
        cfg.preopens = &bad[i].dir;
        cfg.npreopens = 1;
        assert_null(wasi_new(&cfg, &d));
        assert_int_equal(d.kind, bad[i].kind);
        assert_true(d.msg[0]);
    }
    WasiPreopen dirs[4];
    for (int i = 0; i < 4; i++) dirs[i] = (WasiPreopen){.host = "/", .guest = "/"};
    WasiConfig cfg = guest_bare();
    Diag d = {0};
    cfg.max_fds = 6;
    cfg.preopens = dirs;
    cfg.npreopens = 4;
    assert_null(wasi_new(&cfg, &d));
    assert_int_equal(d.kind, DIAG_LIMIT);
    wasi_free(NULL);
}

static void closed_streams_leave_their_numbers_free(void **st) {
    (void)st;
    static const WasiPreopen dir = {.host = "/", .guest = "/"};
    WasiConfig cfg = guest_bare();
    cfg.preopens = &dir;
    cfg.npreopens = 1;
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_FD, .fd = 9999}; /* closed in the host */
    Guest g;
    guest_start(&g, &cfg);
    for (uint32_t fd = 0; fd < 3; fd++) EXPECT(BADF, P1(&g, "fd_fdstat_get", fd, 64));
    EXPECT(SUCCESS, P1(&g, "fd_prestat_get", 3, 64));
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), 0);
    assert_int_equal(guest_own(&g, guest_tmpfile(), 0), 1);
    guest_end(&g);
}

/* A stream closed in the host stays closed for the guest, though the directory opened next has its number. */
static void streams_closed_in_the_host(void **st) {
    (void)st;
    static const WasiPreopen dir = {.host = "/", .guest = "/"};
    WasiConfig cfg = wasi_config_default();
    cfg.preopens = &dir;
    cfg.npreopens = 1;
    Guest g;
    int keep = dup(0);
    close(0);
    guest_start(&g, &cfg);
    assert_int_equal(g.w->fds[3].host, 0);
    EXPECT(BADF, P1(&g, "fd_fdstat_get", 0, 64));
    EXPECT(SUCCESS, P1(&g, "fd_prestat_get", 3, 64));
    guest_end(&g);
    if (keep >= 0) {
        dup2(keep, 0);
        close(keep);
    }
}

/* ---- arguments and environment ---- */

static void strings_arrive_as_given(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = with_strings();
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "args_sizes_get", 64, 68));
    assert_int_equal(get32(&g, 64), 3);
    assert_int_equal(get32(&g, 68), 5 + 1 + 10);
    memset(g.m.base, 0xaa, 4096);
    EXPECT(SUCCESS, P1(&g, "args_get", 100, 200));
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal((char *)at(&g, get32(&g, 100 + 4 * i)), argv3[i]);
    assert_int_equal(get32(&g, 100), 200);
    assert_int_equal(get32(&g, 112), 0xaaaaaaaa); /* nothing after the last pointer and text */
    assert_int_equal(*at(&g, 216), 0xaa);
    EXPECT(SUCCESS, P0(&g, "environ_sizes_get", 64, 68));
    assert_int_equal(get32(&g, 64), 2);
    assert_int_equal(get32(&g, 68), 4 + 7);
    EXPECT(SUCCESS, P0(&g, "environ_get", 101, 203)); /* not aligned */
    assert_string_equal((char *)at(&g, get32(&g, 101)), "A=1");
    assert_string_equal((char *)at(&g, get32(&g, 105)), "EMPTY=");
    BOUNDS(&g, 0, 4, "args_sizes_get", 0, 8);
    BOUNDS(&g, 1, 4, "args_sizes_get", 8, 0);
    BOUNDS(&g, 0, 12, "args_get", 0, 8);
    BOUNDS(&g, 1, 16, "args_get", 8, 0);
    BOUNDS(&g, 0, 4, "environ_sizes_get", 0, 8);
    BOUNDS(&g, 1, 4, "environ_sizes_get", 8, 0);
    BOUNDS(&g, 0, 8, "environ_get", 0, 8);
    BOUNDS(&g, 1, 11, "environ_get", 8, 0);
    guest_end(&g);
}

static void no_strings_at_all(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = guest_bare();
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "args_sizes_get", 64, 68));
    EXPECT(SUCCESS, P1(&g, "environ_sizes_get", 72, 76));
    for (uint32_t i = 64; i < 80; i += 4) assert_int_equal(get32(&g, i), 0);
    EXPECT(SUCCESS, P1(&g, "args_get", GUEST_MEM, GUEST_MEM)); /* nothing is written there */
    EXPECT(FAULT, P1(&g, "args_get", GUEST_MEM + 1, 0));
    guest_memory_free(&g);
    guest_memory(&g, 0); /* a guest without memory */
    EXPECT(FAULT, P1(&g, "args_sizes_get", 0, 0));
    EXPECT(SUCCESS, P1(&g, "args_get", 0, 0));
    guest_end(&g);
}

/* ---- clocks ---- */

static void host_clocks(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = guest_bare();
    guest_start(&g, &cfg);
    static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                    CLOCK_THREAD_CPUTIME_ID};
    for (uint32_t id = 0; id < 4; id++) {
        struct timespec a, b, res;
        clock_gettime(ids[id], &a);
        EXPECT(SUCCESS, P1(&g, "clock_time_get", id, 1000000, 64));
        clock_gettime(ids[id], &b);
        uint64_t t = get64(&g, 64);
        assert_true(t >= (uint64_t)a.tv_sec * 1000000000 + (uint64_t)a.tv_nsec);
        assert_true(t <= (uint64_t)b.tv_sec * 1000000000 + (uint64_t)b.tv_nsec);
        EXPECT(SUCCESS, P0(&g, "clock_res_get", id, 64));
        clock_getres(ids[id], &res);
        assert_int_equal(get64(&g, 64), res.tv_nsec);
    }
    EXPECT(INVAL, P1(&g, "clock_time_get", 4, 0, 64));
    EXPECT(INVAL, P1(&g, "clock_time_get", UINT32_MAX, 0, 64));
    EXPECT(INVAL, P1(&g, "clock_res_get", 4, 64));
    BOUNDS(&g, 2, 8, "clock_time_get", 1, 0, 0);
    BOUNDS(&g, 1, 8, "clock_res_get", 1, 0);
    guest_end(&g);
}

static bool fake_time(void *user, uint32_t id, uint64_t *ns) {
    *ns = *(uint64_t *)user + id;
    return id < 2;
}
static bool fake_resolution(void *user, uint32_t id, uint64_t *ns) {
    (void)user;
    *ns = 77;
    return id == 0;
}

static void configured_clocks(void **st) {
    (void)st;
    uint64_t now = UINT64_MAX - 1;
    Guest g;
    WasiConfig cfg = guest_bare();
    cfg.clock = (WasiClock){.time = fake_time, .user = &now};
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "clock_time_get", 1, 0, 64));
    assert_true(get64(&g, 64) == UINT64_MAX);
    EXPECT(NOTSUP, P1(&g, "clock_time_get", 2, 0, 64));
    EXPECT(INVAL, P1(&g, "clock_time_get", 9, 0, 64));
    EXPECT(SUCCESS, P1(&g, "clock_res_get", 0, 64));
    assert_int_equal(get64(&g, 64), 1);
    guest_end(&g);
    cfg.clock.resolution = fake_resolution;
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "clock_res_get", 0, 64));
    assert_int_equal(get64(&g, 64), 77);
    EXPECT(NOTSUP, P1(&g, "clock_res_get", 1, 64));
    guest_end(&g);
}

/* ---- random numbers ---- */

static void random_fills_the_buffer_and_no_more(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = guest_bare();
    guest_start(&g, &cfg);
    memset(g.m.base, 0, GUEST_MEM);
    EXPECT(SUCCESS, P1(&g, "random_get", 1000, 4096));
    assert_int_equal(*at(&g, 999), 0);
    assert_int_equal(*at(&g, 5096), 0);
    uint32_t seen[256] = {0}, kinds = 0;
    for (uint32_t i = 1000; i < 5096; i++) kinds += seen[*at(&g, i)]++ == 0;
    assert_true(kinds > 250); /* 4096 throws of 256: one missing has the chance 3e-5 */
    EXPECT(SUCCESS, P1(&g, "random_get", GUEST_MEM, 0));
    EXPECT(FAULT, P1(&g, "random_get", GUEST_MEM + 1, 0));
    EXPECT(FAULT, P1(&g, "random_get", 8, UINT32_MAX));
    BOUNDS(&g, 0, 33, "random_get", 0, 33);
    guest_end(&g);
}

static void on_alarm(int sig) {
    (void)sig;
}
/* Signals without SA_RESTART every `us` microseconds; 0 = none. */
static void alarms(long us) {
    struct sigaction sa = {.sa_handler = us ? on_alarm : SIG_DFL};
    struct itimerval every = {.it_interval.tv_usec = us, .it_value.tv_usec = us};
    if (us) sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    if (!us) signal(SIGALRM, SIG_DFL);
}

/* More than the host gives in one piece, with signals in between. */
static void random_is_whole_for_large_buffers(void **st) {
    (void)st;
    enum { SIZE = 40 << 20 };
    Guest g;
    WasiConfig cfg = guest_bare();
    guest_start(&g, &cfg);
    guest_memory_free(&g);
    guest_memory(&g, SIZE);
    alarms(3000);
    EXPECT(SUCCESS, P1(&g, "random_get", 0, SIZE));
    alarms(0);
    for (uint32_t i = 0; i < SIZE; i += 4096) {
        uint64_t sum = 0;
        for (uint32_t k = 0; k < 4096; k += 8) sum |= get64(&g, i + k);
        assert_int_equal(sum, UINT64_MAX);
    }
    guest_end(&g);
}

static bool fake_random(void *user, uint8_t *out, size_t len) {
    memset(out, 7, len);
    return *(bool *)user;
}

static void configured_random(void **st) {
    (void)st;
    bool works = true;
    Guest g;
    WasiConfig cfg = guest_bare();
    cfg.random = fake_random;
    cfg.random_user = &works;
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, P1(&g, "random_get", 64, 5));
    assert_memory_equal(at(&g, 64), "\7\7\7\7\7\0", 6);
    works = false;
    EXPECT(IO, P1(&g, "random_get", 64, 5));
    guest_end(&g);
}

/* ---- ending and yielding ---- */

static void exit_codes(void **st) {
    (void)st;
    static const uint32_t codes[] = {0, 1, 125, 255, 0x7fffffff, UINT32_MAX};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        Guest g;
        bool exited = true;
        WasiConfig cfg = guest_bare();
        guest_start(&g, &cfg);
        assert_int_equal(wasi_exit_code(g.w, &exited), 0);
        assert_false(exited);
        assert_int_equal(P1(&g, "proc_exit", codes[i]), WASI_CALL_EXIT);
        assert_int_equal((uint32_t)wasi_exit_code(g.w, &exited), codes[i]);
        assert_true(exited);
        assert_int_equal((uint32_t)wasi_exit_code(g.w, NULL), codes[i]);
        guest_end(&g);
    }
}

static void signals_do_what_is_their_default(void **st) {
    (void)st;
    for (uint32_t s = 0; s < 40; s++) {
        Guest g;
        bool exited;
        WasiConfig cfg = guest_bare();
        guest_start(&g, &cfg);
        uint32_t r = P1(&g, "proc_raise", s);
        int code = wasi_exit_code(g.w, &exited);
        switch (s) {
        case 0:
        case 16:
        case 17:
        case 22:
        case 27: assert_int_equal(r, WASI_ESUCCESS); break;
        case 18:
        case 19:
        case 20:
        case 21: assert_int_equal(r, WASI_ENOTSUP); break;
        default:
            assert_int_equal(r, s > 30 ? (uint32_t)WASI_EINVAL : WASI_CALL_EXIT);
            assert_int_equal(exited, s <= 30);
            assert_int_equal(code, s > 30 ? 0 : 128 + (int)s);
        }
        if (r != WASI_CALL_EXIT) assert_false(exited);
        guest_end(&g);
    }
}

static void yielding_succeeds(void **st) {
    (void)st;
    Guest g;
    WasiConfig cfg = guest_bare();
    guest_start(&g, &cfg);
    EXPECT(SUCCESS, guest_call(&g, "wasi_snapshot_preview1", "sched_yield", NULL, 0));
    guest_end(&g);
}

int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(functions_are_found_by_module_and_name),
        cmocka_unit_test(errors_translate_and_have_names),
        cmocka_unit_test(every_failed_allocation_is_an_error),
        cmocka_unit_test(a_context_needs_what_it_is_told_to_open),
        cmocka_unit_test(closed_streams_leave_their_numbers_free),
        cmocka_unit_test(streams_closed_in_the_host),
        cmocka_unit_test(strings_arrive_as_given),
        cmocka_unit_test(no_strings_at_all),
        cmocka_unit_test(host_clocks),
        cmocka_unit_test(configured_clocks),
        cmocka_unit_test(random_fills_the_buffer_and_no_more),
        cmocka_unit_test(random_is_whole_for_large_buffers),
        cmocka_unit_test(configured_random),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(signals_do_what_is_their_default),
        cmocka_unit_test(yielding_succeeds),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
