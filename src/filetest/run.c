/* filetest/run.c — one file: read it, see which tests it asks for, run them, count.
 *
 * Precise output: the comments that follow a function are the exact text of the output, line by line ("; line"). When
 * blessing, a differing expectation is replaced; the edits of all functions are applied in one go at the end, so line
 * numbers stay those of the file that was read. Lines that start with ";;" are kept. */
#include "filetest/filetest_int.h"

const char *const filetest_kind_name[FT_KIND_COUNT] = {
    [FT_READ] = "read",
#define FILETEST_KIND(NAME, text, ...) [FT_##NAME] = text,
#include "filetest/kinds.def"
#undef FILETEST_KIND
    [FT_UNKNOWN] = "unknown",
};

typedef struct Kind {
    bool verify;
    bool (*on_func)(Ft *, uint32_t);
    void (*on_file)(Ft *, FtCounts *);
    const char *skipped;
} Kind;
#define FUNC(f) .on_func = f
#define FILE(f) .on_file = f
#define NOT_YET .on_func = NULL
static const Kind kinds[FT_KIND_COUNT] = {
#define FILETEST_KIND(NAME, text, v, runner, why) \
    [FT_##NAME] = {.verify = v, runner, .skipped = why},
#include "filetest/kinds.def"
#undef FILETEST_KIND
};

const char *filetest_kind_skipped(FtKind k) {
    return k == FT_UNKNOWN ? "no such kind of test" : kinds[k].skipped ? kinds[k].skipped : "";
}

void filetest_result_init(FtResult *r, Mem *m) {
    memset(r, 0, sizeof *r);
    r->mem = m;
    sb_init(&r->failures, m);
    sb_init(&r->skips, m);
    sb_init(&r->printed, m);
    sb_init(&r->blessed, m);
}
void filetest_result_free(FtResult *r) {
    sb_free(&r->failures);
    sb_free(&r->skips);
    sb_free(&r->printed);
    vec_free(r->mem, &r->reasons);
    sb_free(&r->blessed);
}

bool ft_fail(Ft *t, uint32_t line, const char *fmt, ...) {
    StrBuf *o = &t->out->failures;
    sb_printf(o, "%s:%u: error: test %s: ", t->file, line, filetest_kind_name[t->kind]);
    va_list ap;
    va_start(ap, fmt);
    sb_vprintf(o, fmt, ap);
    va_end(ap);
    if (o->n && o->p[o->n - 1] != '\n') sb_putc(o, '\n');
    return false;
}

void filetest_add_reason(Mem *m, FtReasons *r, FtKind kind, const char *why, uint32_t count) {
    FtReason one = {.kind = kind, .count = count};
    const char *end = strstr(why, " in `");
    size_t n = end ? (size_t)(end - why) : strlen(why);
    if (n >= sizeof one.why) n = sizeof one.why - 1;
    memcpy(one.why, why, n);
    for (uint32_t k = 0; k < r->n; k++)
        if (r->p[k].kind == kind && !strcmp(r->p[k].why, one.why)) {
            r->p[k].count += count;
            return;
        }
    vec_push(m, r, one);
}

void ft_print(Ft *t, const ClifComment *cm, const char *target) {
    ClifStr s = cm->text;
    while (s.n && (s.p[0] == ';' || s.p[0] == ' ')) s.p++, s.n--;
    sb_printf(&t->out->printed, "%s:%u: test %s: ", t->file, cm->line, filetest_kind_name[t->kind]);
    if (*target) sb_printf(&t->out->printed, "target %s: ", target);
    sb_printf(&t->out->printed, "%.*s -> %s\n", (int)s.n, s.p, sb_cstr(&t->sb));
}

void ft_skip(Ft *t, uint32_t line, const char *target, const char *why) {
    StrBuf *o = &t->out->skips;
    t->out->counts[t->kind].skipped++;
    sb_puts(o, t->file);
    if (line) sb_printf(o, ":%u", line);
    sb_printf(o, ": test %s: ", filetest_kind_name[t->kind]);
    if (*target) sb_printf(o, "target %s: ", target);
    sb_printf(o, "%s\n", why);
    filetest_add_reason(t->mem, &t->out->reasons, t->kind, why, 1);
}

/* ---- exceptions ---- */
const FtException *ft_exception(const Ft *t, ClifStr command) {
    const char *slash = strrchr(t->file, '/'), *name = slash ? slash + 1 : t->file;
    for (uint32_t k = 0; k < t->opt->nexceptions; k++) {
        const FtException *e = &t->opt->exceptions[k];
        if (clif_str_is(e->file, name) && e->command.n == command.n &&
            !memcmp(e->command.p, command.p, command.n))
            return e;
    }
    return NULL;
}

void ft_excuse(Ft *t, FtCounts *c, const FtException *e, uint32_t line, uint32_t before,
               bool failed) {
    if (!failed) {
        ft_fail(t, line ? line : 1, "passes, but is listed among the exceptions");
        c->failed++;
        return;
    }
    t->out->failures.n = before;
    t->out->failures.p[before] = 0;
    char why[sizeof((FtReason *)0)->why];
    uint32_t n = e->reason.n < sizeof why ? e->reason.n : (uint32_t)sizeof why - 1;
    memcpy(why, e->reason.p, n);
    why[n] = 0;
    ft_skip(t, line, "", why);
}

bool ft_directive(const ClifComment *c, const char *directive, ClifStr *rest) {
    ClifStr s = c->text;
    while (s.n && s.p[0] == ';') s.p++, s.n--;
    s = clif_str_trim(s);
    size_t n = strlen(directive);
    if (s.n < n || memcmp(s.p, directive, n)) return false;
    *rest = clif_str_trim((ClifStr){s.p + n, s.n - (uint32_t)n});
    return true;
}

/* ---- output against expectation ---- */
static bool expected_line(const ClifDetails *d, uint32_t k, ClifStr *line) {
    const ClifComment *c = &d->comments.p[k];
    if (c->line <= d->end_line) return false; /* inside the function */
    if (c->text.n >= 2 && c->text.p[1] == ';') return false;
    uint32_t skip = c->text.n >= 2 && c->text.p[1] == ' ' ? 2 : 1;
    *line = (ClifStr){c->text.p + skip, c->text.n - skip};
    return true;
}

static bool check_precise(Ft *t, uint32_t k) {
    const ClifDetails *d = t->details.p[k];
    uint32_t at = 0, c = 0;
    bool same = true;
    ClifStr want;
    while (at < t->sb.n && same) { /* line by line; the last newline ends the last line */
        uint32_t e = at;
        while (e < t->sb.n && t->sb.p[e] != '\n') e++;
        while (c < d->comments.n && !expected_line(d, c, &want)) c++;
        same = c < d->comments.n && want.n == e - at && !memcmp(want.p, t->sb.p + at, want.n);
        if (same) c++, at = e + 1;
    }
    while (same && c < d->comments.n) same = !expected_line(d, c++, &want);
    if (same) return true;
    if (!t->opt->bless) {
        uint32_t e = at;
        while (e < t->sb.n && t->sb.p[e] != '\n') e++;
        return ft_fail(t, c < d->comments.n ? d->comments.p[c].line : d->end_line,
                       "the output differs from what is expected here; it is\n  %.*s",
                       (int)(e > at ? e - at : 0), at < t->sb.n ? t->sb.p + at : "");
    }
    vec_push(t->mem, &t->edits, (FtEdit){k, t->edit_text.n, t->sb.n});
    sb_putn(&t->edit_text, sb_cstr(&t->sb), t->sb.n);
    return true;
}

bool ft_check_output(Ft *t, uint32_t k) {
    if (t->precise) return check_precise(t, k);
    FileCheck fc;
    filecheck_init(&fc, t->mem);
    const ClifComments *head = clif_reader_comments(t->reader), *own = &t->details.p[k]->comments;
    for (uint32_t c = 0; c < head->n; c++) filecheck_add(&fc, &head->p[c]);
    for (uint32_t c = 0; c < own->n; c++) filecheck_add(&fc, &own->p[c]);
    sb_clear(&t->why);
    bool ok = filecheck_run(&fc, sb_cstr(&t->sb), t->sb.n, &t->why);
    if (!ok) ft_fail(t, t->details.p[k]->line, "%s", sb_cstr(&t->why));
    filecheck_free(&fc);
    return ok;
}

/* ---- blessing ---- */
static uint32_t line_end(const Ft *t, uint32_t at) { /* after the newline */
    while (at < t->n && t->text[at] != '\n') at++;
    return at < t->n ? at + 1 : t->n;
}

static void apply_edits(Ft *t) {
    StrBuf *o = &t->out->blessed;
    uint32_t at = 0, line = 1, e = 0;
    while (at < t->n) {
        uint32_t next = line_end(t, at);
        sb_putn(o, t->text + at, next - at);
        at = next;
        if (e < t->edits.n && t->details.p[t->edits.p[e].func]->end_line == line) {
            const char *p = t->edit_text.p + t->edits.p[e].at, *end = p + t->edits.p[e].len;
            sb_putc(o, '\n');
            while (p < end) {
                const char *nl = memchr(p, '\n', (size_t)(end - p));
                size_t n = (size_t)((nl ? nl : end) - p);
                sb_puts(o, n ? "; " : ";");
                sb_putn(o, p, n);
                sb_putc(o, '\n');
                p += n + 1;
            }
            e++;
            for (;; at = next, line++) { /* the old expectation and the blank lines around it */
                next = line_end(t, at);
                if (at == t->n) break;
                bool blank = clif_str_trim((ClifStr){t->text + at, next - at}).n == 0;
                if (!blank && !(t->text[at] == ';' && !(at + 1 < t->n && t->text[at + 1] == ';')))
                    break;
            }
            if (at < t->n) sb_putc(o, '\n');
        }
        line++;
    }
    t->out->rewrite = true;
}

/* ---- a file ---- */
static ClifType pointer_type(ClifStr triple) {
    if (triple.n >= 8 && !memcmp(triple.p, "pulley32", 8)) return CLIF_I32;
    return CLIF_I64;
}

/* The settings that the verifier asks for, and the target if there is exactly one. */
static void read_settings(Ft *t, const ClifHeaderLine *h, uint32_t n) {
    uint32_t targets = 0;
    t->verify.no_pinned_reg = t->verify.no_frame_pointers = true;
    for (uint32_t k = 0; k < n; k++) {
        ClifStr s = h[k].text, w;
        if (h[k].kind == CLIF_HEADER_TARGET && clif_str_word(&s, &w)) {
            t->ptr_type = pointer_type(w);
            targets++;
        }
        while (h[k].kind == CLIF_HEADER_SET && clif_str_word(&s, &w)) {
            if (clif_str_is(w, "enable_pinned_reg") || clif_str_is(w, "enable_pinned_reg=true"))
                t->verify.no_pinned_reg = false;
            if (clif_str_is(w, "preserve_frame_pointers") ||
                clif_str_is(w, "preserve_frame_pointers=true"))
                t->verify.no_frame_pointers = false;
        }
    }
    if (targets != 1) t->ptr_type = CLIF_INVALID;
    t->verify.ptr_type = t->ptr_type;
}

static bool read_functions(Ft *t, Diag *d) {
    for (;;) {
        ClifFunc *f = mem_alloc(t->mem, sizeof *f);
        ClifDetails *det = mem_alloc(t->mem, sizeof *det);
        memset(det, 0, sizeof *det);
        clif_func_init(f, t->mem);
        vec_push(t->mem, &t->funcs, f);
        vec_push(t->mem, &t->details, det);
        if (!clif_reader_next(t->reader, f, det)) break;
    }
    ClifFunc *f = vec_pop(&t->funcs); /* the one that was not there */
    ClifDetails *det = vec_pop(&t->details);
    clif_func_free(f);
    clif_details_free(det, t->mem);
    mem_free(t->mem, f, sizeof *f);
    mem_free(t->mem, det, sizeof *det);
    return d->kind == DIAG_NONE;
}

static bool prints_to_a_fixed_point(Ft *t) {
    StrBuf one, two;
    sb_init(&one, t->mem);
    sb_init(&two, t->mem);
    for (uint32_t k = 0; k < t->funcs.n; k++) clif_print_func(t->funcs.p[k], &one);
    Diag d;
    diag_clear(&d);
    ClifFunc f;
    clif_func_init(&f, t->mem);
    ClifReader *r = clif_reader_new(t->mem, sb_cstr(&one), one.n, &d);
    while (clif_reader_next(r, &f, NULL)) clif_print_func(&f, &two);
    bool ok = d.kind == DIAG_NONE && one.n == two.n && !memcmp(sb_cstr(&one), sb_cstr(&two), one.n);
    if (!ok)
        ft_fail(t, 1, "the functions' text, read again, does not print the same%s%s",
                d.msg[0] ? ": " : "", d.msg);
    clif_reader_free(r);
    clif_func_free(&f);
    sb_free(&one);
    sb_free(&two);
    return ok;
}

static bool verify_all(Ft *t) {
    for (uint32_t k = 0; k < t->funcs.n; k++) {
        Diag d;
        diag_clear(&d);
        if (!clif_verify(&t->verify, t->funcs.p[k], &d))
            return ft_fail(t, t->details.p[k]->line, "%s", d.msg);
    }
    return true;
}

static void run_kind(Ft *t, ClifStr command) {
    ClifStr rest = command, name = {"", 0}, option;
    clif_str_word(&rest, &name);
    t->kind = FT_UNKNOWN;
    for (int k = FT_READ + 1; k < FT_UNKNOWN; k++)
        if (clif_str_is(name, filetest_kind_name[k])) t->kind = (FtKind)k;
    if (t->opt->only && strcmp(t->opt->only, filetest_kind_name[t->kind])) return;
    const Kind *kind = &kinds[t->kind];
    FtCounts *c = &t->out->counts[t->kind];
    c->files++;
    t->precise = t->expect_fail = false;
    if (!kind->on_func && !kind->on_file) {
        sb_clear(&t->sb);
        sb_puts(&t->sb, filetest_kind_skipped(t->kind));
        if (t->kind == FT_UNKNOWN) sb_printf(&t->sb, ": %.*s", (int)name.n, name.p);
        ft_skip(t, 0, "", sb_cstr(&t->sb));
        return;
    }
    bool ok = true;
    while (clif_str_word(&rest, &option)) {
        if (clif_str_is(option, "precise-output"))
            t->precise = true;
        else if (clif_str_is(option, "expect-fail") && t->kind == FT_COMPILE)
            t->expect_fail = true;
        else
            ok = ft_fail(t, 1, "no option '%.*s'", (int)option.n, option.p);
    }
    ok = ok && (!kind->verify || verify_all(t));
    if (ok && kind->on_file) {
        kind->on_file(t, c);
        return;
    }
    for (uint32_t k = 0; k < t->funcs.n && ok; k++) {
        sb_clear(&t->sb);
        ok = kind->on_func(t, k);
    }
    *(ok ? &c->passed : &c->failed) += 1;
}

static void run_test(Ft *t, ClifStr command) {
    const FtException *e = ft_exception(t, clif_str_trim(command));
    uint32_t before = t->out->failures.n;
    FtCounts counts[FT_KIND_COUNT];
    memcpy(counts, t->out->counts, sizeof counts);
    run_kind(t, command);
    FtCounts *c = &t->out->counts[t->kind];
    if (!e || c->files == counts[t->kind].files) return;
    bool failed = c->failed > counts[t->kind].failed;
    *c = counts[t->kind];
    c->files++;
    ft_excuse(t, c, e, 0, before, failed);
}

void filetest_run(Mem *m, const char *file, const char *text, uint32_t n, const FtOptions *opt,
                  FtResult *out) {
    Ft ft = {.mem = m, .file = file, .text = text, .n = n, .opt = opt, .out = out}, *t = &ft;
    sb_init(&t->sb, m);
    sb_init(&t->why, m);
    sb_init(&t->edit_text, m);
    verify_ctx_init(&t->verify, m, CLIF_INVALID);
    Diag d;
    diag_clear(&d);
    t->reader = clif_reader_new(m, text, n, &d);
    uint32_t lines;
    const ClifHeaderLine *h = clif_reader_header(t->reader, &lines);
    t->kind = FT_READ;
    FtCounts *c = &out->counts[FT_READ];
    c->files++;
    if (!read_functions(t, &d)) {
        clif_text_error(&d, file, text, n, &out->failures);
        c->failed++;
    } else if (!t->funcs.n) {
        ft_fail(t, 1, "no functions found");
        c->failed++;
    } else {
        *(prints_to_a_fixed_point(t) ? &c->passed : &c->failed) += 1;
        read_settings(t, h, lines);
        for (uint32_t k = 0; k < lines; k++)
            if (h[k].kind == CLIF_HEADER_TEST) run_test(t, h[k].text);
        if (t->edits.n) apply_edits(t);
    }
    for (uint32_t k = 0; k < t->funcs.n; k++) {
        clif_func_free(t->funcs.p[k]);
        clif_details_free(t->details.p[k], m);
        mem_free(m, t->funcs.p[k], sizeof(ClifFunc));
        mem_free(m, t->details.p[k], sizeof(ClifDetails));
    }
    vec_free(m, &t->funcs);
    vec_free(m, &t->details);
    vec_free(m, &t->edits);
    sb_free(&t->sb);
    sb_free(&t->why);
    sb_free(&t->edit_text);
    verify_ctx_free(&t->verify);
    clif_reader_free(t->reader);
}
