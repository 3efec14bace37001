/* Attempts to get out of a preopened directory. Each row is a path (after links were set up in the guest's
 * directory) that leads to something outside which exists; each is tried with every path function, with
 * and without following links, on both resolvers. Outside, nothing may be seen, read or changed. */
#include "wasi_tree.h"

#include <sys/wait.h>

/* Links in root/, made by the host, so that they may be absolute. %s is the tree's base. */
static const struct {
    const char *name, *content;
} links[] = {
    {"up", ".."},
    {"up2", "../.."},
    {"upslash", "../"},
    {"updir", "../out"},
    {"updirslash", "../out/"},
    {"upsecret", "../out/secret"},
    {"upnew", "../out/new"},
    {"sneaky", "d/e/../../../out/secret"},
    {"dots", "./././../out/./secret"},
    {"slashes", "..////out///secret"},
    {"abs", "%s/out"},
    {"abssecret", "%s/out/secret"},
    {"absnew", "%s/out/new"},
    {"absin", "%s/root/d"}, /* absolute, though it would come back in */
    {"slash", "/"},
    {"slash2", "//"},
    {"slashdot", "/."},
    {"chain1", "chain2"},
    {"chain2", "d/chain3"},
    {"d/chain3", "../chain4"},
    {"chain4", "../out/secret"},
    {"dchain1", "dchain2/"},
    {"dchain2", "./up"},
    {"there_and_back", "../root/d"},
    {"procself", "/proc/self/root"},
    {"procfd", "/proc/self/fd/3"},
    {"d/uplink", "../up"},
    {"d/e/deep", "../../../out"},
    {"middle", "d/../../out/dir"},
    {"selfup", "d/e/../../up/out"},
};

static const char *const paths[] = {
    /* plain */
    "..",
    "../",
    "../.",
    "./..",
    "../out/secret",
    "../out",
    "../out/",
    "../out/dir/file",
    "d/../..",
    "d/../../out/secret",
    "d/e/../../../out/secret",
    "./d/./e/.././../../out/secret",
    "d//..//..//out//secret",
    ".././out/secret",
    "d/e/../../d/../../out/secret",
    "../root/d/f",
    "../root/../out/secret",
    "..//..//..//..//etc/passwd",
    "d/../../root",
    /* absolute */
    "/",
    "//",
    "/.",
    "/..",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/root/etc/passwd",
    "/proc/self/fd/3",
    "/dev/null",
    "/d/f",
    "/./d/f",
    /* links that go up */
    "up/out/secret",
    "up/",
    "up/.",
    "up/..",
    "up/root/d/f",
    "up2/",
    "up2/etc",
    "upslash/out/secret",
    "upslash/",
    "updir/secret",
    "updir/",
    "updir/.",
    "updir/new",
    "updirslash/secret",
    "updir/dir/file",
    "updir/../out/secret",
    "updir/../root/d/f",
    "upsecret/",
    "upnew/",
    "d/../up/out/secret",
    "d/uplink/out/secret",
    "d/uplink/",
    "d/e/deep/secret",
    "d/e/deep/",
    "middle/file",
    "middle/",
    "selfup/secret",
    "dchain1/out/secret",
    "dchain1/",
    "there_and_back/f",
    "there_and_back/",
    "d/e/../../updir/secret",
    "sneaky/",
    "dots/",
    "slashes/",
    "chain1/",
    "chain1/x",
    /* absolute links */
    "abs/secret",
    "abs/",
    "abs/.",
    "abs/dir/file",
    "abssecret/",
    "absnew/",
    "absin/f",
    "absin/",
    "slash/",
    "slash/etc/passwd",
    "slash2/etc",
    "slashdot/etc/passwd",
    "procself/etc/passwd",
    "procself/",
    "procfd/",
    "procfd/d/f",
    "absin/../d/f",
    /* links that lead to links */
    "d/../d/uplink/out/dir/file",
    "d/e/../uplink/out/secret",
    "up/root/up/out/secret",
    "up/root/updir/secret",
};

/* Links as the last component: outside only if they are followed. */
static const char *const last[] = {
    "up",
    "up2",
    "upslash",
    "updir",
    "updirslash",
    "upsecret",
    "upnew",
    "sneaky",
    "dots",
    "slashes",
    "abs",
    "abssecret",
    "absnew",
    "absin",
    "slash",
    "slash2",
    "slashdot",
    "chain1",
    "chain2",
    "d/chain3",
    "chain4",
    "dchain1",
    "dchain2",
    "there_and_back",
    "procself",
    "procfd",
    "d/uplink",
    "d/e/deep",
    "middle",
    "selfup",
    "d/e/../../upsecret",
    "./upsecret",
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static void make_links(Tree *t) {
    char content[256];
    assert_int_equal(mkdirat(t->root, "d", 0777), 0);
    assert_int_equal(mkdirat(t->root, "d/e", 0777), 0);
    write_file(t->root, "d/f", "inside");
    for (size_t i = 0; i < COUNT(links); i++) {
        snprintf(content, sizeof content, links[i].content, t->base);
        assert_int_equal(symlinkat(content, t->root, links[i].name), 0);
    }
}

/* A path of the table must be one that really leads out: the host follows it. */
static void must_lead_out(Tree *t, const char *path) {
    struct stat st;
    char proc[64], where[512], root[140];
    snprintf(root, sizeof root, "%s/root", t->base);
    int fd = openat(t->root, path, O_PATH | O_CLOEXEC);
    if (fd < 0) { /* a file with a slash, a name to be created */
        assert_true(errno == ENOTDIR || errno == ENOENT);
        return;
    }
    assert_int_equal(fstat(fd, &st), 0);
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(proc, where, sizeof where - 1);
    assert_true(n > 0);
    where[n] = 0;
    close(fd);
    bool inside = !strncmp(where, root, strlen(root));
    bool detour = strstr(path, "root") || strstr(path, "back") || strstr(path, "absin") ||
                  strstr(path, "procfd") || path[0] == '/';
    if (inside && !detour) fail_msg("%s does not lead out: %s", path, where);
}

/* What is outside is as it was: names, contents, times. */
typedef struct Outside {
    struct stat out, secret, dir, file, base;
} Outside;

static void look_outside(Tree *t, Outside *o) {
    memset(o, 0, sizeof *o);
    assert_int_equal(fstat(t->out, &o->out), 0);
    assert_int_equal(fstatat(t->out, "secret", &o->secret, 0), 0);
    assert_int_equal(fstatat(t->out, "dir", &o->dir, 0), 0);
    assert_int_equal(fstatat(t->out, "dir/file", &o->file, 0), 0);
    assert_int_equal(fstatat(t->out, "..", &o->base, 0), 0);
}

static void same_status(const struct stat *a, const struct stat *b) {
    assert_int_equal(a->st_ino, b->st_ino);
    assert_int_equal(a->st_nlink, b->st_nlink);
    assert_int_equal(a->st_size, b->st_size);
    assert_int_equal(a->st_mtim.tv_sec, b->st_mtim.tv_sec);
    assert_int_equal(a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
    assert_int_equal(a->st_ctim.tv_sec, b->st_ctim.tv_sec);
    assert_int_equal(a->st_ctim.tv_nsec, b->st_ctim.tv_nsec);
}

static void same_outside(Tree *t, const Outside *o) {
    Outside now;
    look_outside(t, &now);
    same_status(&o->out, &now.out);
    same_status(&o->secret, &now.secret);
    same_status(&o->dir, &now.dir);
    same_status(&o->file, &now.file);
    same_status(&o->base, &now.base);
    assert_file(t->out, "secret", SECRET);
    assert_file(t->out, "dir/file", SECRET);
    assert_false(exists(t->out, "new"));
}

static void refused(uint32_t err, const char *what, const char *path) {
    if (err == WASI_EPERM || err == WASI_ELOOP) return;
    fail_msg("%s '%s': %s", what, path, wasi_errno_name(err));
}
#define REFUSED(call) refused(call, #call, path)

/* Everything that resolves the last component. */
static void try_objects(Tree *t, const char *path, uint32_t follow) {
    static const uint32_t oflags[] = {0, CREAT, CREAT | TRUNC, TRUNC, DIRECTORY};
    static const uint64_t bases[] = {0, RD, WR, RD | WR};
    for (size_t i = 0; i < COUNT(oflags); i++)
        for (size_t k = 0; k < COUNT(bases); k++) {
            uint32_t err = try_open(t, ROOT, follow, path, oflags[i], bases[k]);
            size_t len = strlen(path);
            bool slash = path[len - 1] == '/' || !strcmp(path, "dchain1");  /* "dchain2/" */
            if (oflags[i] & CREAT && slash && err == WASI_EISDIR) continue; /* before any look-up */
            refused(err, "path_open", path);
        }
    REFUSED(stat_path(t, ROOT, follow, path, NULL));
    REFUSED(set_path_times(t, ROOT, follow, path, 1, 1, WASI_FST_ATIM | WASI_FST_MTIM));
}

/* Everything that works on a name. The paths lead out before their last component. */
static void try_names(Tree *t, const char *path) {
    static const char *const names[] = {"secret", "new", "dir", "dir/file", ".", ".."};
    char below[256];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(below, sizeof below, "%s/%s", path, names[i]);
        REFUSED(make_dir(t, ROOT, below));
        REFUSED(remove_dir(t, ROOT, below));
        REFUSED(unlink_file(t, ROOT, below));
        REFUSED(make_symlink(t, "x", ROOT, below));
        REFUSED(read_link(t, ROOT, below, 64));
        REFUSED(rename_to(t, ROOT, below, ROOT, "stolen"));
        REFUSED(rename_to(t, ROOT, "d/f", ROOT, below));
        REFUSED(hard_link(t, ROOT, 0, below, ROOT, "stolen"));
        REFUSED(hard_link(t, ROOT, 0, "d/f", ROOT, below));
        try_objects(t, below, 0);
    }
}

static bool leads_to_directory(Tree *t, const char *path) {
    struct stat st;
    return fstatat(t->root, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static void every_path_with_every_function(void **state) {
    Tree *t = *state;
    Outside before;
    make_links(t);
    look_outside(t, &before);
    for (size_t i = 0; i < COUNT(paths); i++) {
        must_lead_out(t, paths[i]);
        try_objects(t, paths[i], 0);
        try_objects(t, paths[i], FOLLOW);
        if (leads_to_directory(t, paths[i])) try_names(t, paths[i]);
    }
    same_outside(t, &before);
    assert_file(t->root, "d/f", "inside");
    assert_false(exists(t->root, "stolen"));
}

static void links_at_the_end(void **state) {
    Tree *t = *state;
    Outside before;
    GuestStat st;
    make_links(t);
    look_outside(t, &before);
    for (size_t i = 0; i < COUNT(last); i++) {
        const char *path = last[i];
        char slash[256];
        must_lead_out(t, path);
        try_objects(t, path, FOLLOW);
        snprintf(slash, sizeof slash, "%s/", path);
        try_objects(t, slash, 0);
        REFUSED(read_link(t, ROOT, slash, 64));
        /* not followed: the link itself */
        EXPECT(LOOP, try_open(t, ROOT, 0, path, 0, RD));
        EXPECT(LOOP, try_open(t, ROOT, 0, path, CREAT, WR));
        EXPECT(LOOP, try_open(t, ROOT, 0, path, TRUNC, WR));
        EXPECT(NOTDIR, try_open(t, ROOT, 0, path, DIRECTORY, RD));
        EXPECT(EXIST, try_open(t, ROOT, FOLLOW, path, CREAT | EXCL, WR));
        EXPECT(SUCCESS, stat_path(t, ROOT, 0, path, &st));
        assert_int_equal(st.filetype, WASI_FILETYPE_SYMBOLIC_LINK);
        EXPECT(SUCCESS, set_path_times(t, ROOT, 0, path, 1, 1, WASI_FST_ATIM | WASI_FST_MTIM));
        EXPECT(EXIST, make_dir(t, ROOT, path));
        EXPECT(EXIST, make_dir(t, ROOT, slash));
        EXPECT(NOTDIR, remove_dir(t, ROOT, path));
        EXPECT(NOTDIR, remove_dir(t, ROOT, slash));
        EXPECT(NOTDIR, unlink_file(t, ROOT, slash));
        EXPECT(NOTDIR, rename_to(t, ROOT, slash, ROOT, "stolen"));
        EXPECT(NOTDIR, rename_to(t, ROOT, "d/f", ROOT, slash));
        EXPECT(NOTDIR, hard_link(t, ROOT, 0, slash, ROOT, "stolen"));
        EXPECT(INVAL, hard_link(t, ROOT, FOLLOW, path, ROOT, "stolen"));
        EXPECT(EXIST, hard_link(t, ROOT, 0, "d/f", ROOT, path));
        EXPECT(EXIST, make_symlink(t, "x", ROOT, path));
        /* a hard link to the link is a link, and leads nowhere either */
        EXPECT(SUCCESS, hard_link(t, ROOT, 0, path, ROOT, "alias"));
        uint32_t err = try_open(t, ROOT, FOLLOW, "alias", 0, RD);
        if (err != WASI_ENOENT && err != WASI_ENOTDIR) refused(err, "alias of", path);
        EXPECT(SUCCESS, unlink_file(t, ROOT, "alias"));
        /* a rename moves the link; from another place it leads out no less */
        EXPECT(SUCCESS, rename_to(t, ROOT, path, ROOT, "d/e/moved"));
        err = try_open(t, ROOT, FOLLOW, "d/e/moved", 0, RD);
        if (err != WASI_ENOENT && err != WASI_ENOTDIR && err) refused(err, "moved", path);
        EXPECT(SUCCESS, rename_to(t, ROOT, "d/e/moved", ROOT, path));
    }
    same_outside(t, &before);
}

/* The guest's own links: the same, without the host's help. */
static void links_made_by_the_guest(void **state) {
    Tree *t = *state;
    Outside before;
    uint32_t sub;
    EXPECT(SUCCESS, make_dir(t, ROOT, "d"));
    look_outside(t, &before);
    EXPECT(PERM, make_symlink(t, "/etc/passwd", ROOT, "abs"));
    EXPECT(SUCCESS, make_symlink(t, "../out/secret", ROOT, "up"));
    EXPECT(PERM, try_open(t, ROOT, FOLLOW, "up", 0, RD));
    EXPECT(PERM, stat_path(t, ROOT, FOLLOW, "up", NULL));
    /* inside the directory when it is made, outside after a rename */
    EXPECT(SUCCESS, make_dir(t, ROOT, "d/e"));
    EXPECT(SUCCESS, make_symlink(t, "../../out", ROOT, "d/e/l"));
    EXPECT(SUCCESS, make_dir(t, ROOT, "out"));
    EXPECT(SUCCESS, try_open(t, ROOT, FOLLOW, "d/e/l", 0, 0));
    EXPECT(SUCCESS, rename_to(t, ROOT, "d/e/l", ROOT, "d/l"));
    EXPECT(PERM, try_open(t, ROOT, FOLLOW, "d/l", 0, 0));
    EXPECT(PERM, touch(t, ROOT, "d/l/new"));
    /* a directory moved up under a descriptor's feet */
    EXPECT(SUCCESS, make_dir(t, ROOT, "d/e/f"));
    sub = must_open(t, ROOT, "d/e/f", DIRECTORY, 0);
    EXPECT(SUCCESS, rename_to(t, ROOT, "d/e/f", ROOT, "f"));
    EXPECT(PERM, try_open(t, sub, 0, "..", 0, 0));
    EXPECT(PERM, try_open(t, sub, 0, "../../out/secret", 0, RD));
    EXPECT(PERM, try_open(t, sub, 0, "../d", 0, 0)); /* inside, but above the descriptor */
    EXPECT(SUCCESS, remove_dir(t, ROOT, "f"));
    EXPECT(PERM, try_open(t, sub, 0, "..", 0, 0));
    EXPECT(NOENT, touch(t, sub, "x"));
    /* a file's descriptor is no directory */
    EXPECT(SUCCESS, touch(t, ROOT, "file"));
    EXPECT(NOTDIR, try_open(t, must_open(t, ROOT, "file", 0, RD), 0, "..", 0, 0));
    EXPECT(SUCCESS, make_symlink(t, "..", ROOT, "dotdot"));
    EXPECT(PERM, rename_to(t, ROOT, "dotdot/out/secret", ROOT, "x"));
    EXPECT(PERM, rename_to(t, ROOT, "file", ROOT, "dotdot/out/new"));
    EXPECT(PERM, hard_link(t, ROOT, 0, "dotdot/out/secret", ROOT, "x"));
    EXPECT(PERM, hard_link(t, ROOT, 0, "file", ROOT, "dotdot/out/new"));
    EXPECT(PERM, make_symlink(t, "x", ROOT, "dotdot/out/new"));
    same_outside(t, &before);
}

/* A NUL cuts no path short; what is no UTF-8 is no path. */
static void bytes_in_paths(void **state) {
    Tree *t = *state;
    static const struct {
        const char *bytes;
        uint32_t len, err;
    } rows[] = {
        {"../out/secret\0", 14, WASI_EINVAL},
        {"d\0/../../out/secret", 19, WASI_EINVAL},
        {"\0../out/secret", 14, WASI_EINVAL},
        {"..\0", 3, WASI_EINVAL},
        {"/\0etc", 5, WASI_EINVAL},
        {".\xc0\xae/out/secret", 14, WASI_EILSEQ},
        {"..\xc0\xafout\xc0\xafsecret", 14, WASI_EILSEQ},
        {"..\xe0\x80\xafout", 8, WASI_EILSEQ},
        {"\xef\xbc\x8e\xef\xbc\x8e/out", 10, WASI_ENOENT},
        {"..\xe2\x88\x95out", 8, WASI_ENOENT},
        {"..\\out\\secret", 13, WASI_ENOENT},
        {"%2e%2e/out", 10, WASI_ENOENT},
        {"C:\\secret", 9, WASI_ENOENT},
        {".../out", 7, WASI_ENOENT},
        {".. /out", 7, WASI_ENOENT},
        {"..;/out", 7, WASI_ENOENT},
        {"~/out", 5, WASI_ENOENT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        memcpy(at(&t->g, PATH1), rows[i].bytes, rows[i].len);
        uint32_t err =
            P1(&t->g, "path_open", ROOT, FOLLOW, PATH1, rows[i].len, 0, RD, 0, 0, RESULT);
        if (err != rows[i].err) fail_msg("row %zu: %s", i, wasi_errno_name(err));
        err = P1(&t->g, "path_filestat_get", ROOT, FOLLOW, PATH1, rows[i].len, BUF);
        assert_int_equal(err, rows[i].err);
    }
}

/* What a link's content or a listing tells about the world outside. */
static void no_information(void **state) {
    Tree *t = *state;
    struct stat st;
    make_links(t);
    for (size_t i = 0; i < COUNT(links); i++) {
        uint32_t err = read_link(t, ROOT, links[i].name, 256);
        bool absolute = links[i].content[0] == '/' || links[i].content[0] == '%';
        assert_int_equal(err, absolute ? WASI_EPERM : WASI_ESUCCESS);
        for (uint32_t k = 0; absolute && k < 256; k++) /* nothing of it was written */
            assert_true(k + 9 > 256 || memcmp(at(&t->g, BUF + k), "cot-tree-", 9) != 0);
    }
    assert_int_equal(fstatat(t->root, "..", &st, 0), 0);
    EXPECT(SUCCESS, P1(&t->g, "fd_readdir", ROOT, BUF, 64, 1, RESULT)); /* the entry ".." */
    assert_memory_equal(at(&t->g, BUF + 24), "..", 2);
    assert_int_not_equal(get64(&t->g, BUF + 8), st.st_ino);
    /* whether something exists outside cannot be told */
    EXPECT(PERM, stat_path(t, ROOT, FOLLOW, "up/nothing", NULL));
    EXPECT(PERM, stat_path(t, ROOT, FOLLOW, "up/out", NULL));
    EXPECT(PERM, stat_path(t, ROOT, FOLLOW, "../nothing", NULL));
    EXPECT(PERM, stat_path(t, ROOT, FOLLOW, "/nothing", NULL));
}

/* A guest whose directory is /proc, or has it below: links to objects are not followed. */
static void magic_links(void **state) {
    Tree *t = *state;
    WasiConfig cfg = guest_bare();
    WasiPreopen pre = {.host = "/proc", .guest = "/"};
    char path[64];
    Tree p = {0};
    if (access("/proc/self/root", F_OK) != 0) skip();
    cfg.preopens = &pre;
    cfg.npreopens = 1;
    cfg.no_openat2 = t->walk;
    guest_start(&p.g, &cfg);
    static const char *const names[] = {"root",  "root/etc/passwd", "cwd",    "cwd/CMakeLists.txt",
                                        "exe",   "ns/mnt",          "ns/net", "root/",
                                        "cwd/.."};
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "self/%s", names[i]);
        EXPECT(LOOP, try_open(&p, 3, FOLLOW, path, 0, RD));
        EXPECT(LOOP, stat_path(&p, 3, FOLLOW, path, NULL));
    }
    snprintf(path, sizeof path, "self/fd/%d", t->out);
    EXPECT(LOOP, try_open(&p, 3, FOLLOW, path, 0, RD));
    snprintf(path, sizeof path, "self/fd/%d/secret", t->out);
    EXPECT(LOOP, try_open(&p, 3, FOLLOW, path, 0, RD));
    EXPECT(LOOP, try_open(&p, 3, 0, path, 0, RD));
    snprintf(path, sizeof path, "self/fd/%d/new", t->out);
    EXPECT(LOOP, make_dir(&p, 3, path));
    EXPECT(PERM, read_link(&p, 3, "self/root", 64));
    EXPECT(SUCCESS, try_open(&p, 3, FOLLOW, "self/status", 0, RD)); /* an ordinary link */
    guest_end(&p.g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TREE_TEST(every_path_with_every_function),
        TREE_TEST(links_at_the_end),
        TREE_TEST(links_made_by_the_guest),
        TREE_TEST(bytes_in_paths),
        TREE_TEST(no_information),
        TREE_TEST(magic_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
