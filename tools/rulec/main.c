/* main.c — the command line of the rule compiler.
 *
 *   rulec [-o FILE.c] [--header FILE.h] [--deps FILE.d] [--include HEADER]... [--ctx TYPE]
 *         [--prefix NAME] [--root TERM]... FILE.isle...
 *
 * All files form one program.  Exit status: 0, 1 (errors in the rules), 2 (usage, files, memory). */
#include "rulec.h"

#include <stdlib.h>
#include <string.h>

static int usage(void) {
    fprintf(stderr,
            "usage: rulec [-o FILE.c] [--header FILE.h] [--deps FILE.d] [--include HEADER]...\n"
            "             [--ctx TYPE] [--prefix NAME] [--root TERM]... FILE.isle...\n");
    return 2;
}

static char *read_file(Rulec *rc, const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (f == NULL) return NULL;
    size_t cap = 1 << 16, n = 0;
    char *buf = malloc(cap);
    while (buf != NULL) {
        size_t got = fread(buf + n, 1, cap - n, f);
        n += got;
        if (got == 0) break;
        if (n == cap) {
            char *more = realloc(buf, cap *= 2);
            if (more == NULL) free(buf);
            buf = more;
        }
    }
    bool ok = buf != NULL && !ferror(f);
    fclose(f);
    char *text = ok ? rulec_alloc(rc, n + 1) : NULL;
    if (ok) memcpy(text, buf, n);
    free(buf);
    *len = n;
    return text;
}

static bool check_roots(Rulec *rc, const Options *opt) {
    bool ok = true;
    for (uint32_t i = 0; i < opt->nroots; i++) {
        const char *name = opt->roots[i];
        TermId t = rc->syms.d[rulec_intern(rc, name, strlen(name))].term;
        if (t != NONE && rc->terms.d[t].ctor == CTOR_INTERNAL) continue;
        fprintf(stderr, "rulec: root '%s' is not a term with rules\n", name);
        ok = false;
    }
    return ok;
}

static FILE *open_output(const char *path) {
    FILE *f = fopen(path, "wb");
    if (f == NULL) fprintf(stderr, "rulec: cannot write %s\n", path);
    return f;
}

/* Closes an output; a failed write is reported. */
static bool close_output(FILE *f, const char *path) {
    if (f == NULL) return true;
    bool bad = ferror(f) != 0;
    bad |= fclose(f) != 0;
    if (bad) fprintf(stderr, "rulec: cannot write %s\n", path);
    return !bad;
}

typedef struct Outputs {
    const char *c, *h, *deps;
} Outputs;

static int write_outputs(Rulec *rc, const Options *opt, const Outputs *to) {
    FILE *c = to->c != NULL ? open_output(to->c) : stdout;
    FILE *h = to->h != NULL ? open_output(to->h) : NULL;
    FILE *d = to->deps != NULL ? open_output(to->deps) : NULL;
    bool ok = c != NULL && (to->h == NULL || h != NULL) && (to->deps == NULL || d != NULL);
    if (ok) codegen(rc, opt, c, h);
    if (ok && d != NULL) {
        fprintf(d, "%s:", to->c != NULL ? to->c : "-");
        for (uint32_t i = 0; i < rc->files.n; i++) fprintf(d, " %s", rc->files.d[i]);
        fprintf(d, "\n");
    }
    ok &= close_output(to->c != NULL ? c : NULL, to->c);
    ok &= close_output(h, to->h);
    ok &= close_output(d, to->deps);
    return ok && fflush(stdout) == 0 ? 0 : 2;
}

static int run(Rulec *rc, const Options *opt, const Outputs *to) {
    for (uint32_t i = 0; i < rc->files.n; i++) {
        size_t len;
        const char *text = read_file(rc, rc->files.d[i], &len);
        if (text == NULL) {
            fprintf(stderr, "rulec: cannot read %s\n", rc->files.d[i]);
            return 2;
        }
        parse_file(rc, i, text, len);
    }
    sema_run(rc);
    ruleset_build(rc);
    overlap_check(rc);
    recursion_check(rc);
    rulec_print_errors(rc, stderr);
    if (rc->errors.n != 0 || !check_roots(rc, opt)) return 1;
    return write_outputs(rc, opt, to);
}

int main(int argc, char **argv) {
    Rulec rc = {0};
    Options opt = {.prefix = "isle", .ctx = "IsleCtx"};
    Outputs to = {0};
    VEC(const char *) roots = {0}, includes = {0};
    int status = -1;
    for (int i = 1; i < argc && status < 0; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (a[0] != '-') {
            vec_push(&rc, &rc.files, a);
            continue;
        }
        i++;
        if (v == NULL)
            status = usage();
        else if (strcmp(a, "-o") == 0)
            to.c = v;
        else if (strcmp(a, "--header") == 0)
            to.h = v;
        else if (strcmp(a, "--deps") == 0)
            to.deps = v;
        else if (strcmp(a, "--ctx") == 0)
            opt.ctx = v;
        else if (strcmp(a, "--prefix") == 0)
            opt.prefix = v;
        else if (strcmp(a, "--root") == 0)
            vec_push(&rc, &roots, v);
        else if (strcmp(a, "--include") == 0)
            vec_push(&rc, &includes, v);
        else
            status = usage();
    }
    opt.roots = roots.d, opt.nroots = roots.n;
    opt.includes = includes.d, opt.nincludes = includes.n;
    if (status < 0) status = rc.files.n == 0 ? usage() : run(&rc, &opt, &to);
    rulec_free(&rc);
    return status;
}
