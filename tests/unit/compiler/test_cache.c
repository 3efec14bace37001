/* The cache: what was compiled before is loaded; damaged, cut and foreign files are compiled again; many processes and threads
 * at once; the bound; outputs of other kinds; folders that others may write to. */
#include "runtime/rt_test.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <utime.h>

static Tm tm;
static char dir[64];

static void make_module(uint8_t constant) {
    memset(&tm, 0, sizeof tm);
    TM_FUNC(&tm, "f", ":i", 0, 0x41, (uint8_t)(constant & 63));
    TM_FUNC(&tm, "g", "F:F", 0, 0x20, 0, 0x9C);
    TM_SET(&tm, mem, 1, 1, 1, 2);
    tm_finish(&tm);
}

static void new_dir(void) {
    snprintf(dir, sizeof dir, "/tmp/cot-cache-XXXXXX");
    CHECK(mkdtemp(dir));
}
/* Files in the folder: their number; the last one's path. */
static unsigned files(char path[512]) {
    unsigned n = 0;
    DIR *d = opendir(dir);
    CHECK(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' && strncmp(e->d_name, ".cot-", 5) != 0) continue;
        if (path) snprintf(path, 512, "%s/%s", dir, e->d_name);
        n++;
    }
    closedir(d);
    return n;
}
static void remove_dir(void) {
    char path[512];
    while (files(path)) CHECK(!unlink(path));
    CHECK(!rmdir(dir));
}

static EngineConfig config(Cache *cache, uint64_t most) {
    Diag d;
    diag_clear(&d);
    EngineConfig c = test_config();
    if (!cache_open(cache, dir, most, &d)) fprintf(stderr, "%s\n", d.msg);
    CHECK(d.kind == DIAG_NONE);
    c.cache = cache;
    return c;
}

/* Compiles and runs; was it there? */
static bool get(const EngineConfig *c) {
    Diag d;
    diag_clear(&d);
    RtEngine *e = new_engine(c);
    CompileStats st;
    RtModule *m = engine_compile(e, tm.out, tm.n, NULL, &st, &d);
    if (!m) fprintf(stderr, "%s\n", d.msg);
    CHECK(m && st.code_bytes);
    RtStore *s = rt_store_new(e);
    RtInstance *i = rt_instantiate(s, m, NULL, NULL, &d);
    uint64_t r;
    CHECK(i && call2(i, "f", 0, 0, &r) && (uint32_t)r < 64);
    rt_store_free(s);
    rt_module_free(m);
    rt_engine_free(e);
    return st.cached;
}

static void found_again(void) {
    Cache cache;
    new_dir();
    EngineConfig c = config(&cache, 0);
    make_module(1);
    CHECK(!get(&c) && files(NULL) == 1);
    CHECK(get(&c) && get(&c) && files(NULL) == 1);
    make_module(2);
    CHECK(!get(&c) && get(&c) && files(NULL) == 2);
    unsigned n = 2;
    EngineConfig o = c; /* each setting that changes the code has its own files */
#define OTHER(field, value)                               \
    do {                                                  \
        o = c;                                            \
        o.field = value;                                  \
        CHECK(!get(&o) && get(&o) && files(NULL) == ++n); \
    } while (0)
    OTHER(isa_flags, 0);
    OTHER(rt.explicit_bounds, true);
    OTHER(rt.no_signals, true);
    OTHER(rt.interruptible, true);
    OTHER(stress_seed, 77);
    OTHER(opt_level, 2);
    OTHER(regalloc, MACH_REGALLOC_BACKTRACKING);
    WasmFeatures f = wasm_features_default();
    f.simd = false;
    OTHER(features, &f);
    o = c;
    o.threads = 3; /* does not */
    o.verify = !o.verify;
    o.rt.max_memory = 1 << 20;
    CHECK(get(&o) && files(NULL) == n);
    remove_dir();
}

static void invalid_modules_leave_nothing(void) {
    Cache cache;
    Diag d;
    diag_clear(&d);
    new_dir();
    EngineConfig c = config(&cache, 0);
    RtEngine *e = new_engine(&c);
    make_module(1);
    CHECK(!engine_compile(e, tm.out, tm.n - 1, NULL, NULL, &d) && d.kind == DIAG_MALFORMED);
    CHECK(files(NULL) == 0);
    rt_engine_free(e);
    remove_dir();
}

static void write_file(const char *path, const uint8_t *p, size_t n) {
    int fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n && !close(fd));
}
static uint8_t *read_whole(const char *path, size_t *n) {
    struct stat st;
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && !fstat(fd, &st));
    *n = (size_t)st.st_size;
    uint8_t *p = malloc(*n);
    CHECK(read(fd, p, *n) == st.st_size);
    close(fd);
    return p;
}

static void damage_is_compiled_again(void) {
    Cache cache;
    char path[512];
    new_dir();
    EngineConfig c = config(&cache, 0);
    make_module(3);
    CHECK(!get(&c) && files(path) == 1);
    size_t n, n2;
    uint8_t *good = read_whole(path, &n), *bad = malloc(n + 100);
    uint64_t s = 8;
    for (int k = 0; k < 300; k++) {
        size_t size = n, at = rnd(&s) % n;
        memcpy(bad, good, n);
        memset(bad + n, 7, 100);
        if (k % 3 == 0)
            size = rnd(&s) % n;
        else if (k % 3 == 1)
            bad[at] ^= (uint8_t)(1 << k % 8);
        else
            size = n + 1 + rnd(&s) % 99;
        write_file(path, bad, size);
        CHECK(!get(&c) && get(&c));
        uint8_t *again = read_whole(path, &n2);
        CHECK(n == n2 && memcmp(good, again, n) == 0);
        free(again);
    }
    free(good);
    free(bad);
    remove_dir();
}

/* Outputs: the bytes, found again by their name and none other; what is damaged is none; the bound counts them, too. */
static void outputs(void) {
    Cache cache;
    Mem m;
    VecU8 in = {0}, out = {0};
    char name[CACHE_NAME], other[CACHE_NAME], path[512];
    uint64_t s = 9;
    Blake2b b;
    mem_init(&m, NULL);
    new_dir();
    config(&cache, 100000);
    blake2b_init(&b);
    cache_name(&b, CACHE_OUTPUT, name);
    blake2b_init(&b);
    cache_name(&b, CACHE_IMAGE, other);
    CHECK(strncmp(name, other, 2 * BLAKE2B_BYTES) == 0 && strcmp(name, other) != 0);
    static const uint32_t sizes[] = {0, 1, 7, 8, 9, 5000, 100000 - 8};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        CHECK(!cache_find_output(&cache, other, &m, &out) && out.n == 0);
        vec_clear(&in);
        vec_resize0(&m, &in, sizes[k]);
        for (uint32_t i = 0; i < in.n; i++) in.p[i] = (uint8_t)rnd(&s);
        cache_store_output(&cache, name, &m, &in);
        CHECK(in.n == sizes[k] && files(path) == 1);
        CHECK(cache_find_output(&cache, name, &m, &out));
        CHECK(out.n == in.n && (!in.n || memcmp(in.p, out.p, in.n) == 0));
        vec_clear(&out);
        size_t n;
        uint8_t *bytes = read_whole(path, &n);
        for (unsigned round = 0; round < 40; round++) { /* cut off, or one bit wrong */
            size_t at = rnd(&s) % n;
            bytes[at] ^= (uint8_t)(1 << round % 8);
            write_file(path, bytes, round % 2 ? at : n);
            CHECK(!cache_find_output(&cache, name, &m, &out) && out.n == 0);
            bytes[at] ^= (uint8_t)(1 << round % 8);
        }
        write_file(path, bytes, n);
        CHECK(cache_find_output(&cache, name, &m, &out));
        vec_clear(&out);
        free(bytes);
    }
    struct utimbuf old = {1000, 1000};
    CHECK(!utime(path, &old));
    cache_store_output(&cache, other, &m, &in); /* together too much */
    CHECK(files(NULL) == 1 && !cache_find_output(&cache, name, &m, &out));
    vec_push(&m, &in, 1); /* alone too much */
    cache_store_output(&cache, name, &m, &in);
    CHECK(!cache_find_output(&cache, name, &m, &out));
    mem_release_all(&m);
    remove_dir();
}

static void anything_in_the_way(void) {
    Cache cache;
    char path[512], other[512];
    new_dir();
    EngineConfig c = config(&cache, 0);
    make_module(4);
    CHECK(!get(&c) && files(path) == 1);
    CHECK(!unlink(path) && !mkdir(path, 0700)); /* a folder where the file belongs */
    CHECK(!get(&c) && !get(&c));
    CHECK(!rmdir(path));
    snprintf(other, sizeof other, "%s/elsewhere", dir);
    CHECK(!symlink(other, path)); /* a link is not followed, but replaced */
    CHECK(!get(&c) && get(&c) && files(NULL) == 1);
    remove_dir();
}

static void the_oldest_goes_first(void) {
    Cache cache;
    char path[512];
    new_dir();
    EngineConfig c = config(&cache, 0);
    make_module(1);
    CHECK(!get(&c) && files(path) == 1);
    size_t n;
    free(read_whole(path, &n));
    struct utimbuf old = {1000, 1000};
    remove_dir();
    new_dir();
    c = config(&cache, 3 * n + n / 2); /* room for three */
    char first[512];
    for (uint8_t k = 1; k <= 3; k++) {
        make_module(k);
        CHECK(!get(&c) && files(k == 1 ? first : NULL) == k);
    }
    CHECK(!utime(first, &old));
    make_module(1);
    CHECK(get(&c)); /* used: no longer the oldest */
    make_module(4);
    CHECK(!get(&c) && files(NULL) == 3);
    make_module(1);
    CHECK(get(&c));
    make_module(2);
    CHECK(!get(&c)); /* this one has gone */
    char left[512];
    snprintf(left, sizeof left, "%s/.cot-1-2-3", dir); /* of a process that crashed */
    CHECK(close(open(left, O_CREAT | O_WRONLY, 0600)) == 0 && !utime(left, &old));
    make_module(5);
    CHECK(!get(&c) && access(left, F_OK) != 0 && files(NULL) == 3);
    remove_dir();
    new_dir();
    c = config(&cache, n / 2); /* none fits */
    CHECK(!get(&c) && !get(&c) && files(NULL) == 0);
    remove_dir();
}

static void others_may_not_write(void) {
    Cache cache;
    Diag d;
    new_dir();
    static const mode_t bad[] = {0770, 0702, 0777};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        diag_clear(&d);
        CHECK(!chmod(dir, bad[k]) && !cache_open(&cache, dir, 0, &d) && d.kind == DIAG_IO);
    }
    CHECK(!chmod(dir, 0755));
    diag_clear(&d);
    CHECK(cache_open(&cache, dir, 0, &d));
    CHECK(!cache_open(&cache, "/dev/null", 0, &d) && d.kind == DIAG_IO);
    diag_clear(&d);
    CHECK(!cache_open(&cache, "/nowhere/at/all", 0, &d) && d.kind == DIAG_IO);
    diag_clear(&d);
    CHECK(!cache_open(&cache, "", 0, &d) && d.kind == DIAG_IO);
    remove_dir();
}

/* ---- many at once ---- */
static EngineConfig shared;
static void *busy(void *arg) {
    Cache *mine = arg;
    EngineConfig c = shared;
    c.cache = mine;
    for (int k = 0; k < 40; k++) get(&c);
    return NULL;
}
static void threads_and_processes(void) {
    Cache cache;
    new_dir();
    shared = config(&cache, 40000); /* so that files also go while others read them */
    pid_t pid[6];
    for (uint8_t p = 0; p < 6; p++) {
        pid[p] = fork();
        if (pid[p]) continue;
        make_module(p / 2);
        pthread_t t[2];
        for (int k = 0; k < 2; k++) CHECK(!pthread_create(&t[k], NULL, busy, &cache));
        for (int k = 0; k < 2; k++) CHECK(!pthread_join(t[k], NULL));
        _exit(0);
    }
    for (int p = 0; p < 6; p++) {
        int st;
        CHECK(waitpid(pid[p], &st, 0) == pid[p] && st == 0);
    }
    remove_dir();
}

int main(void) {
    const struct CMUnitTest tests[] = {RT_TEST(found_again),
                                       RT_TEST(invalid_modules_leave_nothing),
                                       RT_TEST(damage_is_compiled_again),
                                       RT_TEST(outputs),
                                       RT_TEST(anything_in_the_way),
                                       RT_TEST(the_oldest_goes_first),
                                       RT_TEST(others_may_not_write),
                                       RT_TEST(threads_and_processes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
