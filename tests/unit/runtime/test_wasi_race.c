/* Another thread swaps directories, files and links while the guest resolves paths through them. Nothing
 * outside may ever be read, written, created or removed, whatever the timing; and both sides of the swap
 * must have been met, or the test shows nothing. */
#include "wasi_tree.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ROUNDS = 2000 };

typedef struct Swapper {
    pthread_t thread;
    atomic_bool stop;
    int root;
    const char *a, *b;
    unsigned flags; /* RENAME_EXCHANGE, or 0 for there and back */
    bool failed;
} Swapper;

static void *swap_on(void *arg) {
    Swapper *s = arg;
    while (!atomic_load(&s->stop)) {
        if (renameat2(s->root, s->a, s->root, s->b, s->flags) < 0) s->failed = true;
        if (renameat2(s->root, s->b, s->root, s->a, s->flags) < 0) s->failed = true;
    }
    return NULL;
}

static void swapper_start(Swapper *s, Tree *t, const char *a, const char *b, unsigned flags) {
    *s = (Swapper){.root = t->root, .a = a, .b = b, .flags = flags};
    if (renameat2(t->root, a, t->root, b, flags) < 0) skip(); /* not every file system can */
    assert_int_equal(renameat2(t->root, b, t->root, a, flags), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, swap_on, s), 0);
}

static void swapper_stop(Swapper *s) {
    atomic_store(&s->stop, true);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    assert_false(s->failed);
}

typedef struct Seen {
    unsigned done, refused;
} Seen;

/* Outcomes that a path through a swapped place may have. */
static void count(Seen *seen, uint32_t err, const char *what) {
    switch (err) {
    case WASI_ESUCCESS: seen->done++; return;
    case WASI_EPERM: seen->refused++; return;
    case WASI_ENOENT:
    case WASI_EEXIST: /* what an earlier round left behind */
    case WASI_ELOOP:
    case WASI_ENOTDIR:
    case WASI_EISDIR:
    case WASI_EAGAIN: return;
    default: fail_msg("%s: %s", what, wasi_errno_name(err));
    }
}

/* The number of names in BASE/out, and what they hold. */
static void outside_untouched(Tree *t) {
    struct stat st, dir;
    assert_file(t->out, "secret", SECRET);
    assert_file(t->out, "dir/file", SECRET);
    assert_int_equal(fstatat(t->out, "secret", &st, 0), 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_mtim.tv_sec, 1000);
    assert_int_equal(fstatat(t->out, "dir", &dir, 0), 0);
    assert_int_equal(dir.st_mtim.tv_sec, 1000);
    assert_int_equal(fstatat(t->out, ".", &dir, 0), 0);
    assert_int_equal(dir.st_mtim.tv_sec, 1000); /* nothing came, went or was renamed */
}

static void age_outside(Tree *t) {
    static const char *const names[] = {"dir/file", "secret", "dir", "."};
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    for (size_t i = 0; i < 4; i++) assert_int_equal(utimensat(t->out, names[i], old, 0), 0);
}

static void read_inside(Tree *t, uint32_t lookup, const char *path, Seen *seen) {
    uint32_t fd, err = open_full(t, ROOT, lookup, path, 0, RD, 0, 0, &fd);
    count(seen, err, path);
    if (err) return;
    EXPECT(SUCCESS, read_text(t, fd));
    if (!strcmp((char *)at(&t->g, BUF), SECRET)) fail_msg("%s was read", path);
    EXPECT(SUCCESS, close_fd(t, fd));
}

static void write_inside(Tree *t, uint32_t lookup, const char *path, uint32_t oflags, Seen *seen) {
    uint32_t fd, err = open_full(t, ROOT, lookup, path, oflags, WR, 0, 0, &fd);
    count(seen, err, path);
    if (err) return;
    EXPECT(SUCCESS, write_text(t, fd, "inside"));
    EXPECT(SUCCESS, close_fd(t, fd));
}

/* root/d is now a directory, now a link to ../out. */
static void directory_and_link(void **state) {
    Tree *t = *state;
    Swapper s;
    Seen seen[13] = {{0}};
    age_outside(t);
    assert_int_equal(mkdirat(t->root, "d", 0777), 0);
    assert_int_equal(mkdirat(t->root, "d/dir", 0777), 0);
    write_file(t->root, "d/secret", "inside");
    write_file(t->root, "d/dir/file", "inside");
    write_file(t->root, "file", "inside");
    assert_int_equal(symlinkat("../out", t->root, "l"), 0);
    swapper_start(&s, t, "d", "l", RENAME_EXCHANGE);
    for (unsigned i = 0; i < ROUNDS; i++) {
        read_inside(t, 0, "d/secret", &seen[0]);
        read_inside(t, FOLLOW, "d/dir/file", &seen[1]);
        write_inside(t, 0, "d/new", CREAT, &seen[2]);
        write_inside(t, FOLLOW, "d/secret", TRUNC, &seen[3]);
        count(&seen[4], unlink_file(t, ROOT, "d/new"), "unlink");
        count(&seen[5], make_dir(t, ROOT, "d/newdir"), "mkdir");
        count(&seen[6], remove_dir(t, ROOT, "d/newdir"), "rmdir");
        count(&seen[7], make_symlink(t, "x", ROOT, "d/newlink"), "symlink");
        count(&seen[8], unlink_file(t, ROOT, "d/newlink"), "unlink link");
        count(&seen[9], rename_to(t, ROOT, "file", ROOT, "d/file"), "rename");
        count(&seen[9], rename_to(t, ROOT, "d/file", ROOT, "file"), "rename back");
        count(&seen[10], hard_link(t, ROOT, 0, "d/secret", ROOT, "alias"), "link");
        unlink_file(t, ROOT, "alias");
        count(&seen[11], set_path_times(t, ROOT, FOLLOW, "d/secret", 0, 0, WASI_FST_MTIM_NOW),
              "times");
        GuestStat g;
        uint32_t err = stat_path(t, ROOT, FOLLOW, "d/secret", &g);
        count(&seen[12], err, "stat");
        if (!err) assert_int_not_equal(g.size, sizeof SECRET - 1);
    }
    swapper_stop(&s);
    outside_untouched(t);
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (!seen[i].done || !seen[i].refused)
            fail_msg("call %zu: %u times done, %u times refused", i, seen[i].done, seen[i].refused);
}

/* root/x is now a file, now a link to ../out/secret. */
static void file_and_link(void **state) {
    Tree *t = *state;
    Swapper s;
    Seen seen[6] = {{0}};
    age_outside(t);
    write_file(t->root, "x", "inside");
    assert_int_equal(symlinkat("../out/secret", t->root, "l"), 0);
    swapper_start(&s, t, "x", "l", RENAME_EXCHANGE);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        read_inside(t, FOLLOW, "x", &seen[0]);
        write_inside(t, FOLLOW, "x", 0, &seen[1]);
        write_inside(t, FOLLOW, "x", TRUNC, &seen[2]);
        write_inside(t, FOLLOW, "x", CREAT | TRUNC, &seen[3]);
        count(&seen[4], set_path_times(t, ROOT, FOLLOW, "x", 0, 0, WASI_FST_MTIM_NOW), "times");
        GuestStat g;
        uint32_t err = stat_path(t, ROOT, FOLLOW, "x", &g);
        count(&seen[5], err, "stat");
        if (!err) assert_int_not_equal(g.size, sizeof SECRET - 1);
    }
    /* not followed: a file or a link, never what the link names */
    Seen unfollowed = {0};
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        read_inside(t, 0, "x", &unfollowed);
        write_inside(t, 0, "x", CREAT | TRUNC, &unfollowed);
    }
    assert_int_equal(unfollowed.refused, 0);
    swapper_stop(&s);
    outside_untouched(t);
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (!seen[i].done || !seen[i].refused)
            fail_msg("call %zu: %u times done, %u times refused", i, seen[i].done, seen[i].refused);
}

/* root/a/b/c is moved to root/c and back: its `..` changes while it is walked. */
static void moving_under_dotdot(void **state) {
    Tree *t = *state;
    Swapper s;
    Seen out = {0}, in = {0};
    age_outside(t);
    assert_int_equal(mkdirat(t->root, "a", 0777), 0);
    assert_int_equal(mkdirat(t->root, "a/b", 0777), 0);
    assert_int_equal(mkdirat(t->root, "a/b/c", 0777), 0);
    assert_int_equal(mkdirat(t->root, "a/b/c/d", 0777), 0);
    write_file(t->root, "secret", "inside");
    swapper_start(&s, t, "a/b/c", "c", 0);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        read_inside(t, 0, "a/b/c/../../../../out/secret", &out);
        read_inside(t, 0, "a/b/c/d/../../../../../out/secret", &out);
        write_inside(t, 0, "a/b/c/d/../../../../../out/new", CREAT, &out);
        write_inside(t, 0, "c/../../out/new", CREAT, &out);
        read_inside(t, 0, "a/b/c/../../../secret", &in);
        read_inside(t, 0, "a/b/c/d/../../../../secret", &in);
        read_inside(t, 0, "c/d/../../secret", &in);
    }
    swapper_stop(&s);
    outside_untouched(t);
    assert_int_equal(out.done, 0);
    assert_true(out.refused > 0);
    assert_true(in.done > 0);
}

/* Two places at once: directory, link to it, link out. */
static void chain_of_links(void **state) {
    Tree *t = *state;
    Swapper s, s2;
    Seen seen = {0};
    age_outside(t);
    assert_int_equal(mkdirat(t->root, "in", 0777), 0);
    write_file(t->root, "in/secret", "inside");
    assert_int_equal(symlinkat("in", t->root, "l1"), 0);
    assert_int_equal(symlinkat("../out", t->root, "l2"), 0);
    assert_int_equal(symlinkat("l1/secret", t->root, "m1"), 0);
    assert_int_equal(symlinkat("../out/secret", t->root, "m2"), 0);
    swapper_start(&s, t, "l1", "l2", RENAME_EXCHANGE);
    swapper_start(&s2, t, "m1", "m2", RENAME_EXCHANGE);
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        read_inside(t, FOLLOW, "m1", &seen);
        write_inside(t, FOLLOW, "m1", 0, &seen);
        read_inside(t, FOLLOW, "l1/secret", &seen);
        write_inside(t, FOLLOW, "l1/../l1/secret", TRUNC, &seen);
    }
    swapper_stop(&s);
    swapper_stop(&s2);
    outside_untouched(t);
    assert_true(seen.done > 0 && seen.refused > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TREE_TEST(directory_and_link),
        TREE_TEST(file_and_link),
        TREE_TEST(moving_under_dotdot),
        TREE_TEST(chain_of_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
