/* fd_readdir: entries, cookies, buffers of every size, changes while a directory is read. */
#include "wasi_tree.h"

enum { MAX_ENTRIES = 4096, NAME = 256 };

typedef struct Entry {
    uint64_t next, ino;
    uint8_t type;
    char name[NAME];
} Entry;

/* One call; whole entries only. Returns their number; *used is what the call reports. */
static uint32_t read_some(Tree *t, uint32_t fd, uint64_t cookie, uint32_t cap, Entry *out,
                          uint32_t *used) {
    uint32_t n = 0;
    memset(at(&t->g, BUF), 0xab, cap + 1);
    EXPECT(SUCCESS, P1(&t->g, "fd_readdir", fd, BUF, cap, cookie, RESULT));
    *used = get32(&t->g, RESULT);
    assert_true(*used <= cap);
    for (uint32_t i = *used; i <= cap; i++) assert_int_equal(at(&t->g, BUF)[i], 0xab);
    for (uint32_t p = 0; p + 24 <= *used;) {
        uint32_t len = get32(&t->g, BUF + p + 16);
        assert_true(len > 0 && len < NAME);
        if (p + 24 + len > *used) break;
        Entry *e = &out[n++];
        *e = (Entry){.next = get64(&t->g, BUF + p), .ino = get64(&t->g, BUF + p + 8)};
        e->type = at(&t->g, BUF + p)[20];
        for (int i = 21; i < 24; i++) assert_int_equal(at(&t->g, BUF + p)[i], 0);
        memcpy(e->name, at(&t->g, BUF + p + 24), len);
        p += 24 + len;
    }
    return n;
}

/* The way of C libraries: cookie of the last whole entry, until a call gives less than the buffer. */
static uint32_t read_all(Tree *t, uint32_t fd, uint64_t cookie, uint32_t cap, Entry *out) {
    uint32_t total = 0, used;
    for (;;) {
        uint32_t n = read_some(t, fd, cookie, cap, out + total, &used);
        total += n;
        if (used < cap) return total;
        if (!n) fail_msg("no entry fits in %u bytes", cap);
        cookie = out[total - 1].next;
    }
}

static const Entry *named(const Entry *e, uint32_t n, const char *name) {
    const Entry *found = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(e[i].name, name)) {
            if (found) fail_msg("%s twice", name);
            found = &e[i];
        }
    return found;
}

static uint64_t ino_of(Tree *t, const char *path) {
    GuestStat st = {0};
    EXPECT(SUCCESS, stat_path(t, ROOT, 0, path, &st));
    return st.ino;
}

static void entries(void **state) {
    Tree *t = *state;
    static Entry e[16];
    uint32_t used;
    assert_int_equal(read_some(t, ROOT, 0, 1024, e, &used), 2);
    assert_int_equal(used, 24 + 1 + 24 + 2);
    assert_string_equal(e[0].name, ".");
    assert_string_equal(e[1].name, "..");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(e[i].type, WASI_FILETYPE_DIRECTORY);
        assert_int_equal(e[i].ino, ino_of(t, "."));
        assert_int_equal(e[i].next, i + 1);
    }
    EXPECT(SUCCESS, make_dir(t, ROOT, "dir"));
    EXPECT(SUCCESS, touch(t, ROOT, "file"));
    EXPECT(SUCCESS, make_symlink(t, "file", ROOT, "link"));
    EXPECT(SUCCESS, touch(t, ROOT, "\xd0\x94\xd0\xb5\xd0\xb9"));
    assert_int_equal(mkfifoat(t->root, "fifo", 0600), 0);
    assert_int_equal(read_all(t, ROOT, 0, 1024, e), 7);
    static const struct {
        const char *name;
        uint8_t type;
    } want[] = {{"dir", WASI_FILETYPE_DIRECTORY},
                {"file", WASI_FILETYPE_REGULAR_FILE},
                {"link", WASI_FILETYPE_SYMBOLIC_LINK},
                {"\xd0\x94\xd0\xb5\xd0\xb9", WASI_FILETYPE_REGULAR_FILE},
                {"fifo", WASI_FILETYPE_UNKNOWN}};
    for (size_t i = 0; i < 5; i++) {
        const Entry *f = named(e, 7, want[i].name);
        assert_non_null(f);
        assert_int_equal(f->type, want[i].type);
        assert_int_equal(f->ino, ino_of(t, want[i].name));
    }
    for (uint32_t i = 0; i < 7; i++) assert_int_equal(e[i].next, i + 1);
    /* a directory below, and one that is gone */
    uint32_t sub = must_open(t, ROOT, "dir", DIRECTORY, 0);
    assert_int_equal(read_all(t, sub, 0, 1024, e), 2);
    assert_int_equal(e[1].ino, ino_of(t, "dir")); /* ".." tells nothing */
    EXPECT(SUCCESS, remove_dir(t, ROOT, "dir"));
    assert_int_equal(read_all(t, sub, 0, 1024, e), 2);
}

static void fill(Tree *t, const char *dir, unsigned n) {
    char name[64];
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s/file.%u", dir, i);
        close(openat(t->root, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    }
}

/* Every buffer size gives the same listing; a buffer that is filled ends within an entry or between two. */
static void every_buffer_size(void **state) {
    Tree *t = *state;
    static Entry want[64], got[64];
    fill(t, ".", 20);
    uint32_t n = read_all(t, ROOT, 0, 4096, want), used;
    assert_int_equal(n, 22);
    for (uint32_t cap = 24 + 7; cap < 1024; cap++) {
        assert_int_equal(read_all(t, ROOT, 0, cap, got), n);
        assert_memory_equal(got, want, n * sizeof *got);
    }
    for (uint32_t cap = 0; cap < 30; cap++) { /* no entry fits but the first, at 25 */
        assert_int_equal(read_some(t, ROOT, 0, cap, got, &used), cap >= 25);
        assert_int_equal(used, cap);
        assert_int_equal(read_some(t, ROOT, 2, cap, got, &used), 0);
        assert_int_equal(used, cap);
    }
    /* truncated entries are the true ones as far as they go */
    EXPECT(SUCCESS, P1(&t->g, "fd_readdir", ROOT, BUF, 30, 2, RESULT));
    assert_int_equal(get64(&t->g, BUF), 3);
    assert_int_equal(get64(&t->g, BUF + 8), want[2].ino);
    assert_memory_equal(at(&t->g, BUF + 24), want[2].name, 6);
}

static void cookies(void **state) {
    Tree *t = *state;
    static Entry want[MAX_ENTRIES], got[MAX_ENTRIES];
    fill(t, ".", 300);
    uint32_t n = read_all(t, ROOT, 0, 4096, want), used;
    assert_int_equal(n, 302);
    uint64_t s = 1;
    for (int i = 0; i < 300; i++) { /* back and forth */
        uint64_t k = rnd(&s) % n;
        uint32_t m = read_some(t, ROOT, want[k].next, 256, got, &used);
        for (uint32_t j = 0; j < m; j++) assert_string_equal(got[j].name, want[k + 1 + j].name);
        assert_true(m > 0 || k + 1 >= n);
    }
    /* a descriptor that has read nothing yet */
    uint32_t fresh = must_open(t, ROOT, ".", 0, 0);
    assert_int_equal(read_all(t, fresh, 150, 512, got), n - 150);
    assert_memory_equal(got, want + 150, (n - 150) * sizeof *got);
    assert_int_equal(read_all(t, fresh, 1, 512, got), n - 1);
    assert_memory_equal(got, want + 1, (n - 1) * sizeof *got);
    /* beyond the end */
    static const uint64_t beyond[] = {303, 304, 2000, UINT32_MAX, INT64_MAX, UINT64_MAX};
    assert_int_equal(read_all(t, ROOT, n, 512, got), 0);
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        assert_int_equal(read_some(t, ROOT, beyond[i], 512, got, &used), 0);
        assert_int_equal(used, 0);
        fresh = must_open(t, ROOT, ".", 0, 0);
        assert_int_equal(read_some(t, fresh, beyond[i], 512, got, &used), 0);
        assert_int_equal(read_all(t, fresh, 0, 512, got), n);
        EXPECT(SUCCESS, close_fd(t, fresh));
    }
    assert_int_equal(read_all(t, ROOT, 0, 4096, got), n);
    assert_memory_equal(got, want, n * sizeof *got);
}

/* Cookie 0 sees what has changed. */
static void starting_afresh(void **state) {
    Tree *t = *state;
    static Entry e[16];
    assert_int_equal(read_all(t, ROOT, 0, 512, e), 2);
    EXPECT(SUCCESS, touch(t, ROOT, "a"));
    assert_int_equal(read_all(t, ROOT, 0, 512, e), 3);
    EXPECT(SUCCESS, touch(t, ROOT, "b"));
    assert_int_equal(read_all(t, ROOT, 0, 512, e), 4);
    EXPECT(SUCCESS, unlink_file(t, ROOT, "a"));
    assert_int_equal(read_all(t, ROOT, 0, 512, e), 3);
    assert_int_equal(read_all(t, ROOT, 4, 512, e), 0); /* a cookie of the longer listing */
    assert_int_equal(read_all(t, ROOT, 0, 512, e), 3);
    assert_non_null(named(e, 3, "b"));
    assert_null(named(e, 3, "a"));
    uint32_t fd = must_open(t, ROOT, ".", 0, 0);
    assert_int_equal(read_all(t, fd, 0, 512, e), 3);
    /* renumbering takes the state along, closing frees it */
    EXPECT(SUCCESS, P1(&t->g, "fd_renumber", fd, RO));
    assert_int_equal(read_all(t, RO, 2, 512, e), 1);
    EXPECT(SUCCESS, close_fd(t, RO));
}

/* What every recursive removal does: delete what was listed, go on with the cookie. */
static void removing_while_listing(void **state) {
    Tree *t = *state;
    static Entry e[64];
    static bool seen[200];
    enum { N = 200 };
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    for (uint32_t cap = 64; cap <= 1024; cap *= 4) {
        fill(t, "d", N);
        memset(seen, 0, sizeof seen);
        uint32_t fd = must_open(t, ROOT, "d", DIRECTORY, 0), used, n, removed = 0;
        uint64_t cookie = 0;
        do {
            n = read_some(t, fd, cookie, cap, e, &used);
            if (n) cookie = e[n - 1].next;
            for (uint32_t i = 0; i < n; i++) {
                unsigned k;
                if (sscanf(e[i].name, "file.%u", &k) != 1) continue;
                assert_false(seen[k]);
                seen[k] = true;
                EXPECT(SUCCESS, unlink_file(t, fd, e[i].name));
                removed++;
            }
        } while (used == cap);
        assert_int_equal(removed, N);
        EXPECT(SUCCESS, close_fd(t, fd));
    }
    EXPECT(SUCCESS, remove_dir(t, ROOT, "d"));
}

/* What is there all the time is listed once, whatever comes and goes meanwhile. */
static void changes_while_listing(void **state) {
    Tree *t = *state;
    static Entry e[MAX_ENTRIES];
    char name[64];
    uint64_t s = 7;
    fill(t, ".", 150);
    for (int round = 0; round < 5; round++) {
        uint32_t total = 0, used, n;
        uint64_t cookie = 0;
        do {
            n = read_some(t, ROOT, cookie, 300, e + total, &used);
            if (n) cookie = e[total + n - 1].next;
            total += n;
            snprintf(name, sizeof name, "other.%u", (unsigned)(rnd(&s) % 200));
            if (touch(t, ROOT, name) == WASI_ESUCCESS && rnd(&s) % 2)
                EXPECT(SUCCESS, unlink_file(t, ROOT, name));
        } while (used == 300);
        for (unsigned i = 0; i < 150; i++) {
            snprintf(name, sizeof name, "file.%u", i);
            if (!named(e, total, name)) fail_msg("%s is missing", name);
        }
    }
}

static void errors(void **state) {
    Tree *t = *state;
    EXPECT(SUCCESS, touch(t, ROOT, "f"));
    uint32_t file = must_open(t, ROOT, "f", 0, RD), dir;
    EXPECT(BADF, P1(&t->g, "fd_readdir", 77, BUF, 100, 0, RESULT));
    EXPECT(NOTDIR, P1(&t->g, "fd_readdir", file, BUF, 100, 0, RESULT));
    EXPECT(SUCCESS, open_full(t, ROOT, 0, ".", 0, WASI_R_PATH_OPEN, 0, 0, &dir));
    EXPECT(NOTCAPABLE, P1(&t->g, "fd_readdir", dir, BUF, 100, 0, RESULT));
    BOUNDS(&t->g, 1, 100, "fd_readdir", ROOT, BUF, 100, 0, RESULT);
    BOUNDS(&t->g, 4, 4, "fd_readdir", ROOT, BUF, 100, 0, RESULT);
    EXPECT(FAULT, P1(&t->g, "fd_readdir", ROOT, BUF, UINT32_MAX, 0, RESULT));
    EXPECT(SUCCESS, P1(&t->g, "fd_readdir", RO, BUF, 100, 0, RESULT));
    /* a name the guest could not use */
    close(openat(t->root, "a\xff", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    EXPECT(ILSEQ, P1(&t->g, "fd_readdir", ROOT, BUF, 1000, 0, RESULT));
}

static void memory_runs_out(void **state) {
    (void)state;
    long needed = 0;
    for (long n = 1; needed == 0; n++) {
        Heap h = {.fail_at = n};
        MemHooks hooks = {heap_realloc, &h};
        WasiConfig cfg = guest_bare();
        WasiPreopen pre = {.host = COT_SOURCE_DIR "/tests/programs", .guest = "/"};
        Guest g = {0};
        Diag diag = {0};
        cfg.hooks = &hooks;
        cfg.preopens = &pre;
        cfg.npreopens = 1;
        g.w = wasi_new(&cfg, &diag);
        if (g.w) {
            guest_memory(&g, GUEST_MEM);
            uint32_t err = WASI_ESUCCESS;
            uint64_t cookie = 0;
            for (int i = 0; !err && i < 200; i++) { /* the table of positions grows */
                err = P1(&g, "fd_readdir", 3, BUF, 300, cookie++, RESULT);
                assert_true(err == WASI_ESUCCESS || err == WASI_ENOMEM);
            }
            if (!err && h.calls < n) needed = h.calls;
            /* once there is memory again, the listing goes on */
            h.fail_at = 0;
            EXPECT(SUCCESS, P1(&g, "fd_readdir", 3, BUF, 300, 5, RESULT));
            assert_true(get32(&g, RESULT) > 24);
            wasi_free(g.w);
            guest_memory_free(&g);
        }
        assert_int_equal(h.live, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TREE_TEST(entries),
        TREE_TEST(every_buffer_size),
        TREE_TEST(cookies),
        TREE_TEST(starting_afresh),
        TREE_TEST(removing_while_listing),
        TREE_TEST(changes_while_listing),
        TREE_TEST(errors),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
