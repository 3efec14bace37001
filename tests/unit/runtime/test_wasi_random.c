/* WASI: calls of random functions with random arguments, good and bad ones mixed, on all kinds of descriptors. Nothing is
 * expected of the results but that they are error numbers; the memory ends at a page that cannot be touched,
 * allocations fail now and then, a timer ends calls that would wait, and in the end nothing is left open or allocated. */
#include "wasi_guest.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

enum { LIVES = 40, STEPS = 1000, NAMES = 1024, IOVS = 2048, SUBS = 4096, SCRATCH = 16384 };

/* What the parameters are: f descriptor, d directory, n small number, k lookup flags, w 64-bit number, r rights, l length, N count of
 * subscriptions, o place for a result; P a path, V iovecs (two parameters each), S subscriptions. */
static const struct {
    const char *name, *kinds;
} signatures[] = {
    {"args_get", "oo"},
    {"args_sizes_get", "oo"},
    {"environ_get", "oo"},
    {"environ_sizes_get", "oo"},
    {"clock_res_get", "no"},
    {"clock_time_get", "nwo"},
    {"fd_advise", "fwwn"},
    {"fd_allocate", "fww"},
    {"fd_close", "f"},
    {"fd_datasync", "f"},
    {"fd_fdstat_get", "fo"},
    {"fd_fdstat_set_flags", "fn"},
    {"fd_fdstat_set_rights", "frr"},
    {"fd_filestat_get", "fo"},
    {"fd_filestat_set_size", "fw"},
    {"fd_filestat_set_times", "fwwn"},
    {"fd_pread", "fVwo"},
    {"fd_prestat_get", "fo"},
    {"fd_prestat_dir_name", "fol"},
    {"fd_pwrite", "fVwo"},
    {"fd_read", "fVo"},
    {"fd_readdir", "dolwo"},
    {"fd_renumber", "ff"},
    {"fd_seek", "fwno"},
    {"fd_sync", "f"},
    {"fd_tell", "fo"},
    {"fd_write", "fVo"},
    {"path_create_directory", "dP"},
    {"path_filestat_get", "dkPo"},
    {"path_filestat_set_times", "dkPwwn"},
    {"path_link", "dkPdP"},
    {"path_open", "dkPnrrno"},
    {"path_readlink", "dPolo"},
    {"path_remove_directory", "dP"},
    {"path_rename", "dPdP"},
    {"path_symlink", "PdP"},
    {"path_unlink_file", "dP"},
    {"poll_oneoff", "SoNo"},
    {"proc_exit", "n"},
    {"proc_raise", "n"},
    {"sched_yield", ""},
    {"random_get", "ol"},
    {"sock_accept", "fno"},
    {"sock_recv", "fVnoo"},
    {"sock_send", "fVno"},
    {"sock_shutdown", "fn"},
};
enum { N_SIGNATURES = sizeof signatures / sizeof *signatures };

static void every_function_is_here(void **st) {
    (void)st;
    static const char *const all[] = {
#define WASI_FUNC(mask, name, params, results, fn) #name,
#include "runtime/wasi.def"
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t k = 0;
        while (k < N_SIGNATURES && strcmp(signatures[k].name, all[i])) k++;
        if (k == N_SIGNATURES) fail_msg("no signature for %s", all[i]);
    }
}

static bool odd_times(void *user, size_t *calls) {
    (void)user;
    return ++*calls % 40 == 0;
}

/* Fails every 40th request. */
static size_t requests;
static void *sometimes(void *user, void *old, size_t old_size, size_t new_size) {
    if (new_size && odd_times(user, &requests)) return NULL;
    return heap_realloc(user, old, old_size, new_size);
}

static bool sink(void *user, const uint8_t *data, size_t len) {
    uint8_t *sum = user;
    if (len) *sum ^= data[0] ^ data[len - 1];
    return *sum != 7;
}
static void on_alarm(int sig) {
    (void)sig;
}
static bool always(void *user) {
    (void)user;
    return true;
}

static int open_in_host(void) {
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at) {
    (void)s, (void)at, (void)type;
    return remove(path);
}
static const char *const names[] = {"a",  "b",    "a/b",    "b/a", "a/b/c", ".",
                                    "..", "../x", "a/../b", "a/",  "./a",   "/a",
                                    "",   "a//b", "l",      "l/b", "\xff",  "b/../../x"};
enum { N_NAMES = sizeof names / sizeof *names };

/* Tables of the guest: names, iovecs, subscriptions; a little of each is changed before a call. */
static void stir(Guest *g, bool old, uint64_t *seed) {
    uint64_t r = rnd(seed);
    for (uint32_t i = 0; i < N_NAMES; i++) strcpy((char *)at(g, NAMES + 16 * i), names[i]);
    for (int k = 0; k < 4; k++) {
        uint32_t i = (uint32_t)(rnd(seed) % 64);
        put_iovec(g, IOVS + 8 * i, SCRATCH + (uint32_t)(rnd(seed) % 4096),
                  (uint32_t)(rnd(seed) % 100));
    }
    if (r % 16 == 0)
        put_iovec(g, IOVS + 8 * (uint32_t)(rnd(seed) % 64), (uint32_t)rnd(seed),
                  (uint32_t)rnd(seed));
    uint32_t size = old ? 56 : 48, clock = old ? 24 : 16;
    for (uint32_t i = 0; i < 128; i++) {
        uint32_t p = SUBS + size * i;
        uint64_t kind = rnd(seed), more = rnd(seed);
        put64(g, p, kind);
        *at(g, p + 8) = (uint8_t)(kind % 3);
        put64(g, p + 16, more % 24);
        if (kind % 3) continue;
        put64(g, p + clock, more % 2);
        put64(g, p + clock + 8, more >> (more % 64));
        put64(g, p + clock + 24, more / 2 % 2);
    }
    if (r % 1024 < 64) *at(g, SUBS + 8 + size * (uint32_t)(rnd(seed) % 64)) = (uint8_t)rnd(seed);
}

static uint64_t wild(uint64_t *seed) {
    static const uint64_t edges[] = {GUEST_MEM - 1, GUEST_MEM,      GUEST_MEM - 8, GUEST_MEM - 64,
                                     UINT32_MAX,    UINT32_MAX - 7, 0x80000000,    0x7fffffff,
                                     INT64_MAX,     UINT64_MAX,     1ull << 63,    UINT64_MAX - 1,
                                     1ull << 32};
    uint64_t r = rnd(seed);
    return r % 4 ? edges[r / 4 % (sizeof edges / sizeof *edges)] : rnd(seed);
}

/* Writes one or two values to `out` and gives their number. */
static int argument(Guest *g, bool old, char kind, uint64_t *seed, uint64_t *out) {
    uint64_t r = rnd(seed);
    switch (kind) {
    case 'f': /* closing and renumbering leave the directories alone, most of the time */
        *out = r % 24;
        if ((*out == 3 || *out == 4) && r / 24 % 20) *out += 2;
        break;
    case 'd': *out = r % 4 ? 3 + r / 4 % 2 : r / 4 % 24; break;
    case 'n': *out = r % 4 ? r / 4 % 4 : r / 4 % 32; break;
    case 'k': *out = r % 16 ? r / 16 % 2 : r / 16 % 4; break;
    case 'w': *out = r % 2 ? r / 2 % 5000 : r >> (r / 2 % 64); break;
    case 'r':
        *out = r % 4 ? WASI_RIGHTS_ALL & ~(r / 4 & r / 1024 & r >> 20) : r & WASI_RIGHTS_ALL;
        break;
    case 'l': *out = r % 300; break;
    case 'N': *out = r % 60; break;
    case 'o': *out = SCRATCH + r % 30000; break;
    case 'S': *out = SUBS + (old ? 56 : 48) * (r % 64); break;
    case 'P':
        out[0] = NAMES + 16 * (r % N_NAMES);
        out[1] = strlen((char *)at(g, (uint32_t)out[0]));
        break;
    default: /* V */ out[0] = IOVS + 8 * (r % 64); out[1] = r / 64 % 8;
    }
    int n = kind == 'P' || kind == 'V' ? 2 : 1;
    for (int i = 0; i < n; i++)
        if (rnd(seed) % 40 == 0) out[i] = wild(seed);
    return n;
}

static void call_one(Guest *g, uint64_t *seed) {
    size_t which = rnd(seed) % N_SIGNATURES;
    const char *name = signatures[which].name;
    const bool old = rnd(seed) % 2;
    const WasiFunc *f = wasi_lookup(old ? "wasi_unstable" : "wasi_snapshot_preview1", name);
    uint64_t args[10];
    size_t n = 0;
    if (!f) return; /* sock_accept is newer than snapshot 0 */
    stir(g, old, seed);
    for (const char *k = signatures[which].kinds; *k; k++)
        n += (size_t)argument(g, old, *k, seed, args + n);
    assert_int_equal(n, strlen(f->params));
    uint32_t r = f->call(g->w, &g->m, args);
    if (r == WASI_CALL_EXIT)
        assert_true(!strncmp(name, "proc_", 5));
    else if (!wasi_errno_name(r))
        fail_msg("%s gives %u", name, r);
}

/* Some of each kind, owned by the guest. */
static void supply(Guest *g) {
    int p[2], s[2], d[2];
    const int l = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = {.sun_family =
                                AF_UNIX}; /* the kernel chooses a name outside the file system */
    assert_int_equal(bind(l, (struct sockaddr *)&a, sizeof a.sun_family), 0);
    assert_int_equal(listen(l, 1), 0);
    assert_int_equal(pipe(p), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, d), 0);
    const int hosts[] = {guest_tmpfile(), p[0], p[1], s[0], s[1], d[0], d[1], l};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        WasiFd e = {.kind = WASI_FD_HOST, .host = hosts[i], .owned = true};
        uint32_t fd;
        assert_int_equal(wasi_fd_classify(&e), 0);
        e.base = e.inheriting = wasi_fd_type_rights(&e);
        if (wasi_fd_insert(g->w, &e, &fd)) close(hosts[i]); /* no room, or no memory this time */
    }
}

static void one_life(uint64_t seed) {
    char dir[] = "/tmp/cot-wasi-XXXXXX";
    Heap h = {0};
    int before = open_in_host();
    uint8_t sum = 0;
    assert_non_null(mkdtemp(dir));
    const WasiPreopen preopens[] = {{.host = dir, .guest = "d"},
                                    {.host = dir, .guest = "ro", .read_only = true}};
    WasiConfig cfg = guest_bare();
    cfg.stdio[0] = (WasiStdio){
        .kind = WASI_STDIO_BYTES, .bytes = (const uint8_t *)"some text", .bytes_len = 9};
    cfg.stdio[1] = (WasiStdio){.kind = WASI_STDIO_SINK, .sink = sink, .user = &sum};
    cfg.preopens = preopens;
    cfg.npreopens = 2;
    cfg.interrupted = always;
    cfg.max_fds = 100;
    cfg.no_openat2 = seed % 2;
    cfg.hooks = &(MemHooks){sometimes, &h};
    requests = 0;
    Guest g;
    guest_start(&g, &cfg);
    for (int i = 0; i < STEPS; i++) {
        if (i % 100 == 0) supply(&g);
        call_one(&g, &seed);
    }
    guest_end(&g);
    assert_int_equal(h.live, 0);
    assert_int_equal(open_in_host(), before);
    assert_int_equal(nftw(dir, remove_one, 20, FTW_PHYS | FTW_DEPTH), 0);
}

static void random_calls(void **st) {
    (void)st;
    const struct rlimit small = {1 << 20, 1 << 20}; /* no large files, whatever is asked for */
    struct sigaction sa = {.sa_handler = on_alarm};
    struct itimerval every = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000}, none = {0};
    setrlimit(RLIMIT_FSIZE, &small);
    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    for (uint64_t seed = 1; seed <= LIVES; seed++) one_life(seed);
    setitimer(ITIMER_REAL, &none, NULL);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(every_function_is_here),
                                   cmocka_unit_test(random_calls)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
