/* driver/regalloc.c — `cot regalloc`: allocates registers for problems written as text, checks and prints results. */
#include <errno.h>
#include <stdlib.h>
#include "driver/driver.h"
#include "regalloc/text.h"

static const char help[] =
    "usage: cot regalloc [OPTIONS] FILE\n"
    "Reads functions in the text form of register allocation (docs/regalloc.md; `cot compile "
    "--emit regalloc` writes\n"
    "it) and prints them with their results. FILE - is standard input. A function that has its "
    "result in the file keeps\n"
    "it, unless an allocator is chosen.\n\n"
    "  --ion, --fast          allocate with the backtracking or the one-pass allocator\n"
    "  --best                 with both where the first one needs slots: the better result "
    "(default, "
    "as for -O2)\n"
    "  --stress SEED          with random choices\n"
    "  --check                check the results: each use reads the value it names, along every "
    "path\n"
    "  --stats                print what the allocation did instead\n"
    "  --dump                 print where each value lies instead: values with their places and "
    "times\n"
    "  --svg OUT.html         draw that, for one function\n"
    "  --input                print what was read, without results, instead\n"
    "  --quiet                print nothing instead\n"
    "  --only N               the N-th function of the file alone, counted from 0\n";

typedef struct RegallocRun {
    Mem mem;
    const char *file;
    const char *text;
    uint32_t n;
    bool ion, fast, best, check, stats, dump, input, quiet;
    const char *svg;
    uint64_t stress, only;
    uint32_t drawn;
    Diag d;
    bool ok;
} RegallocRun;

static bool write_file(const char *path, const StrBuf *sb, Diag *d) {
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(sb->p, 1, sb->n, f) == sb->n;
    if (f && fclose(f) != 0) ok = false;
    return ok || diag_msg(d, DIAG_IO, "cannot write '%s': %s", path, strerror(errno));
}

static bool draw(RegallocRun *r, const RaProblem *p, const RaOutput *out, const RaSpans *spans,
                 uint64_t index, StrBuf *sb) {
    char title[64];
    if (r->drawn++)
        return diag_msg(&r->d, DIAG_INVALID, "several functions: --only says which one is drawn");
    snprintf(title, sizeof title, "Register allocation of function %llu",
             (unsigned long long)index);
    return ra_picture(&r->mem, &p->f, &p->env, out, spans, title, sb, &r->d) &&
           write_file(r->svg, sb, &r->d);
}

static bool one(RegallocRun *r, RaCtx *c, RaProblem *p, uint64_t index, StrBuf *sb) {
    if (!ra_problem_check(c, p, &r->d)) return false;
    RaOutput out = p->out;
    bool given = p->has_result && !r->ion && !r->fast && !r->best;
    ra_count_moves(&out);
    if (!given && !r->input) {
        RaAlgo algo = r->fast ? RA_ALGO_ONEPASS : r->ion ? RA_ALGO_ION : RA_ALGO_BEST;
        ra_ctx_set_stress(c, r->stress);
        if (!ra_run(c, algo, &p->f, &p->env, &out, &r->d)) return ra_problem_place(c, p, &r->d);
    }
    RaSpans spans = {0};
    bool wanted = r->dump || r->svg;
    if ((r->check || wanted) && !r->input &&
        !ra_check_spans(c, &p->f, &p->env, &out, wanted ? &spans : NULL, &r->d))
        return ra_problem_place(c, p, &r->d);
    sb_clear(sb);
    bool ok = !r->svg || draw(r, p, &out, &spans, index, sb);
    sb_clear(sb);
    if (r->dump) ra_print_spans(&r->mem, &p->f, &spans, sb);
    vec_free(&r->mem, &spans);
    if (r->quiet || r->svg || !ok) return ok;
    if (r->stats) {
        sb_printf(sb, "function %llu: %u blocks, %u instructions, %u values\n",
                  (unsigned long long)index, p->f.num_blocks, p->f.num_insts, p->f.num_vregs);
        ra_print_stats(&out.stats, sb);
    } else if (!r->dump)
        ra_print(&p->f, &p->env, r->input ? NULL : &out, sb);
    fwrite(sb_cstr(sb), 1, sb->n, stdout);
    return true;
}

static void run(void *arg) {
    RegallocRun *r = arg;
    RaReader reader;
    RaProblem p;
    StrBuf sb;
    ra_problem_init(&p, &r->mem);
    sb_init(&sb, &r->mem);
    RaCtx *c = ra_ctx_new(&r->mem);
    ra_reader_init(&reader, r->text, r->n);
    uint64_t index = 0;
    bool found = false;
    r->ok = true;
    for (; r->ok && ra_read(&reader, &p, &r->d); index++) {
        if (r->only != UINT64_MAX && r->only != index) continue;
        found = true;
        r->ok = one(r, c, &p, index, &sb);
    }
    r->ok &= r->d.kind == DIAG_NONE;
    if (r->ok && !found)
        r->ok = diag_msg(&r->d, DIAG_INVALID,
                         index ? "there are only %llu functions" : "there is no function",
                         (unsigned long long)index);
}

int cmd_regalloc(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "regalloc"};
    RegallocRun r = {.only = UINT64_MAX};
    const char *v;
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            fputs(help, stdout);
            return 0;
        }
        const struct {
            const char *name;
            bool *flag;
        } flags[] = {{"--ion", &r.ion},     {"--fast", &r.fast},   {"--best", &r.best},
                     {"--check", &r.check}, {"--stats", &r.stats}, {"--input", &r.input},
                     {"--quiet", &r.quiet}, {"--dump", &r.dump}};
        bool known = false;
        for (size_t k = 0; k < sizeof flags / sizeof *flags && !known; k++)
            known = cli_flag(&c, flags[k].name) && (*flags[k].flag = true);
        if (known) continue;
        if (cli_value(&c, "--stress", &v))
            cli_u64(&c, "--stress", v, &r.stress);
        else if (cli_value(&c, "--svg", &v))
            r.svg = v;
        else if (cli_value(&c, "--only", &v))
            cli_u64(&c, "--only", v, &r.only);
        else
            cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && r.ion + r.fast + r.best > 1)
        cli_error(&c, "--ion, --fast and --best exclude each other");
    if (!c.failed && c.at + 1 != argc) cli_error(&c, "one file is needed");
    if (c.failed) return 1;
    uint8_t *bytes;
    size_t size;
    r.file = argv[c.at];
    if (!read_file(r.file, &bytes, &size)) return 1;
    diag_clear(&r.d);
    command_mem(&r.mem);
    r.text = (const char *)bytes;
    r.n = (uint32_t)size;
    if (size > UINT32_MAX / 2)
        diag_msg(&r.d, DIAG_LIMIT, "the file is too large");
    else if (!mem_guard(&r.mem, run, &r))
        r.ok = diag_msg(&r.d, DIAG_OOM, "out of memory");
    if (!r.ok) report(&r.d, r.file);
    mem_release_all(&r.mem);
    free(bytes);
    return r.ok ? 0 : 1;
}
