/* driver/test.c — `cot test`: runs .clif test files, in parallel, and counts.
 *
 * Files are handed out one by one to the threads; each has its own memory. Reports are kept per file and printed in the
 * order of the arguments and, in folders, of the names, so the output does not depend on the threads. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "driver/driver.h"
#include "filetest/filetest.h"

static const char help[] =
    "usage: cot test [OPTIONS] PATH...\n"
    "Runs the tests that .clif files ask for in their headers; of a folder, all files below it.\n"
    "Prints failures, the counts per kind of test, and a closing line. With COT_BLESS=1 in the "
    "environment the\n"
    "expectations of precise output are rewritten instead of compared.\n\n"
    "  --only KIND   run tests of this kind alone\n"
    "  --exceptions FILE\n"
    "                what is known to fail: lines of file name, run command or what follows "
    "`test` in the header,\n"
    "                reason, separated by tabs; it counts as skipped, and as failed if it passes\n"
    "  --shared      run native code from a shared library that is written and loaded\n"
    "  --linker CMD  the same from an object, of which CMD (such as `ld.lld -shared`) makes the "
    "library\n"
    "  --skips       print what was skipped, and why, file by file\n"
    "  --reasons     print how many tests of each kind were skipped for each reason, and in which "
    "files\n"
    "  --regalloc=ion|fast\n"
    "                run with this allocator alone, unless a file chooses one (default: with "
    "both)\n"
    "  --stress SEED run native code with random choices in register allocation\n"
    "  -j N          threads (default: one per processor)\n";

typedef struct TestFile {
    char *path;
    Mem mem;
    FtResult result;
    bool unreadable;
} TestFile;
typedef struct TestRun {
    Mem mem;
    VEC(TestFile) files;
    FtOptions opt;
    uint8_t *exceptions_text;
    VEC(FtException) exceptions;
    atomic_uint next;
} TestRun;

/* ---- files ---- */
static char *joined(Mem *m, const char *a, const char *b) {
    size_t na = strlen(a), nb = strlen(b);
    bool slash = na && a[na - 1] == '/';
    char *p = mem_alloc(m, na + nb + 2);
    memcpy(p, a, na);
    if (!slash) p[na++] = '/';
    memcpy(p + na, b, nb + 1);
    return p;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_path(TestRun *r, const char *arg) {
    VEC(char *) todo = {0};
    Mem *m = &r->mem;
    bool ok = true, first = true;
    char *own = mem_alloc(m, strlen(arg) + 1);
    strcpy(own, arg);
    vec_push(m, &todo, own);
    while (todo.n) { /* depth first, names in order */
        char *path = vec_pop(&todo);
        struct stat st;
        if (stat(path, &st) != 0) {
            fprintf(stderr, "cot: error: cannot read '%s'\n", path);
            ok = false;
        } else if (S_ISDIR(st.st_mode)) {
            DIR *dir = opendir(path);
            uint32_t base = todo.n;
            for (struct dirent *e; dir && (e = readdir(dir));)
                if (e->d_name[0] != '.') vec_push(m, &todo, joined(m, path, e->d_name));
            if (dir) closedir(dir);
            if (todo.n > base) qsort(todo.p + base, todo.n - base, sizeof *todo.p, by_name);
            for (uint32_t i = base, j = todo.n; i + 1 < j; i++, j--) {
                char *x = todo.p[i];
                todo.p[i] = todo.p[j - 1];
                todo.p[j - 1] = x;
            }
        } else {
            size_t n = strlen(path);
            if (first || (n > 5 && !strcmp(path + n - 5, ".clif")))
                vec_push(m, &r->files, (TestFile){.path = path});
        }
        first = false;
    }
    vec_free(m, &todo);
    return ok;
}

static bool read_exceptions(TestRun *r, const char *path) {
    size_t n;
    if (!read_file(path, &r->exceptions_text, &n)) return false;
    const char *p = (const char *)r->exceptions_text, *end = p + n;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p)), *line_end = nl ? nl : end;
        const char *t1 = memchr(p, '\t', (size_t)(line_end - p));
        const char *t2 = t1 ? memchr(t1 + 1, '\t', (size_t)(line_end - t1 - 1)) : NULL;
        if (*p != '#' && line_end > p) {
            if (!t2) {
                fprintf(
                    stderr,
                    "cot: error: %s: expected file name, command and reason, separated by tabs\n",
                    path);
                return false;
            }
            FtException e = {{p, (uint32_t)(t1 - p)},
                             {t1 + 1, (uint32_t)(t2 - t1 - 1)},
                             {t2 + 1, (uint32_t)(line_end - t2 - 1)}};
            vec_push(&r->mem, &r->exceptions, e);
        }
        p = line_end + 1;
    }
    r->opt.exceptions = r->exceptions.p;
    r->opt.nexceptions = r->exceptions.n;
    return true;
}

/* ---- threads ---- */
static bool write_file(const char *path, const StrBuf *s) {
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    bool ok = fwrite(s->p, 1, s->n, f) == s->n;
    return fclose(f) == 0 && ok;
}

static void run_file(TestRun *r, TestFile *t) {
    mem_init(&t->mem, NULL);
    filetest_result_init(&t->result, &t->mem);
    uint8_t *bytes;
    size_t n;
    if (!read_file(t->path, &bytes, &n) || n > UINT32_MAX / 2) {
        t->unreadable = true;
        return;
    }
    filetest_run(&t->mem, t->path, (const char *)bytes, (uint32_t)n, &r->opt, &t->result);
    free(bytes);
    if (t->result.rewrite && !write_file(t->path, &t->result.blessed)) {
        fprintf(stderr, "cot: error: cannot write '%s'\n", t->path);
        t->unreadable = true;
    }
}

static void *worker(void *arg) {
    TestRun *r = arg;
    for (;;) {
        unsigned k = atomic_fetch_add(&r->next, 1);
        if (k >= r->files.n) return NULL;
        run_file(r, &r->files.p[k]);
    }
}

static void run_all(TestRun *r, uint64_t threads) {
    pthread_t ids[64];
    uint64_t started = 0;
    if (threads > 64) threads = 64;
    while (started + 1 < threads && pthread_create(&ids[started], NULL, worker, r) == 0) started++;
    worker(r);
    while (started) pthread_join(ids[--started], NULL);
}

/* ---- report ---- */
typedef struct Reason { /* of all files together */
    FtReason sum;
    StrBuf files; /* their names, each after a space */
} Reason;
VEC_TYPEDEF(Reasons, Reason);

static int by_count(const void *a, const void *b) {
    const FtReason *x = &((const Reason *)a)->sum, *y = &((const Reason *)b)->sum;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return strcmp(x->why, y->why);
}

static void add_reason(Mem *m, Reasons *all, const FtReason *r, const char *path) {
    uint32_t k = 0;
    while (k < all->n && (all->p[k].sum.kind != r->kind || strcmp(all->p[k].sum.why, r->why))) k++;
    if (k == all->n) {
        vec_push(m, all, (Reason){.sum = *r});
        sb_init(&all->p[k].files, m);
    } else {
        all->p[k].sum.count += r->count;
    }
    const char *slash = strrchr(path, '/');
    sb_printf(&all->p[k].files, " %s", slash ? slash + 1 : path);
}

static void print_reasons(Mem *m, Reasons *all) {
    if (all->n) qsort(all->p, all->n, sizeof *all->p, by_count);
    for (uint32_t k = 0; k < all->n; k++) {
        Reason *r = &all->p[k];
        printf("skipped %-15s %6u  %s\n    in%s\n", filetest_kind_name[r->sum.kind], r->sum.count,
               r->sum.why, sb_cstr(&r->files));
        sb_free(&r->files);
    }
    vec_free(m, all);
}

static int print_report(TestRun *r, bool show_skips, bool show_reasons) {
    FtCounts all[FT_KIND_COUNT] = {{0}};
    FtCounts sum = {0};
    Reasons reasons = {0};
    for (uint32_t k = 0; k < r->files.n; k++) {
        TestFile *t = &r->files.p[k];
        sum.failed += t->unreadable;
        fputs(sb_cstr(&t->result.failures), stdout);
        fputs(sb_cstr(&t->result.printed), stdout);
        if (show_skips) fputs(sb_cstr(&t->result.skips), stdout);
        const FtReasons *why = &t->result.reasons;
        for (uint32_t j = 0; show_reasons && j < why->n; j++)
            add_reason(&r->mem, &reasons, &why->p[j], t->path);
        for (int j = 0; j < FT_KIND_COUNT; j++) {
            all[j].files += t->result.counts[j].files;
            all[j].passed += t->result.counts[j].passed;
            all[j].failed += t->result.counts[j].failed;
            all[j].skipped += t->result.counts[j].skipped;
        }
        filetest_result_free(&t->result);
    }
    for (int j = 0; j < FT_KIND_COUNT; j++) {
        if (!all[j].files) continue;
        const char *why = all[j].skipped ? filetest_kind_skipped((FtKind)j) : "";
        printf("%-15s %6u files %7u passed %6u failed %6u skipped%s%s\n", filetest_kind_name[j],
               all[j].files, all[j].passed, all[j].failed, all[j].skipped, *why ? ": " : "", why);
        sum.passed += all[j].passed;
        sum.failed += all[j].failed;
        sum.skipped += all[j].skipped;
    }
    print_reasons(&r->mem, &reasons);
    printf("%u passed, %u failed, %u skipped\n", sum.passed, sum.failed, sum.skipped);
    return sum.failed ? 1 : 0;
}

int cmd_test(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "test"};
    TestRun run = {0};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t threads = cpus > 0 ? (uint64_t)cpus : 1;
    bool skips = false, reasons = false;
    const char *v;
    command_mem(&run.mem);
    const char *bless = getenv("COT_BLESS");
    run.opt.bless = bless && !strcmp(bless, "1");
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            fputs(help, stdout);
            return 0;
        }
        if (cli_value(&c, "--only", &v))
            run.opt.only = v;
        else if (cli_value(&c, "--exceptions", &v))
            c.failed |= !read_exceptions(&run, v);
        else if (cli_flag(&c, "--skips"))
            skips = true;
        else if (cli_flag(&c, "--shared"))
            run.opt.shared = true;
        else if (cli_value(&c, "--linker", &run.opt.linker))
            run.opt.shared = true;
        else if (cli_flag(&c, "--reasons"))
            reasons = true;
        else if (regalloc_option(&c, &run.opt.regalloc))
            continue;
        else if (cli_value(&c, "--stress", &v))
            cli_u64(&c, "--stress", v, &run.opt.stress);
        else if (cli_value(&c, "-j", &v))
            cli_u64(&c, "-j", v, &threads);
        else
            cli_error(&c, "unknown option '%s'", c.argv[c.at]);
    }
    if (!c.failed && c.at >= argc) cli_error(&c, "no file given");
    for (; !c.failed && c.at < argc; c.at++)
        if (!add_path(&run, argv[c.at])) c.failed = true;
    if (c.failed) return 1;
    run_all(&run, threads);
    int status = print_report(&run, skips, reasons);
    mem_release_all(&run.mem);
    free(run.exceptions_text);
    return status;
}
