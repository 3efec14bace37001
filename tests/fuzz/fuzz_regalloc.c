/* Register allocation. A byte of how, then either a text, or the seed of a random problem (tests/unit/regalloc/ra_gen.h) and
 * changes of its text, with or without its result. Whatever is read must print to a fixed point; what the input check
 * accepts must go through both allocators, and the checker must accept what they give, or an instruction asks for too
 * many registers. A result in the text may be anything: the checker must not crash on it. */
#include <stdio.h>
#include <stdlib.h>
#include "../unit/regalloc/ra_gen.h"
#include "regalloc/text.h"

static Gen gen;

static void stop(const char *what, const Diag *d, StrBuf *sb) {
    fprintf(stderr, "%s\n%s: %s\n", sb_cstr(sb), what, d->msg);
    abort();
}

/* Each change takes four bytes: where, what, with what. */
static void change(StrBuf *t, const uint8_t *p, size_t n, uint32_t most) {
    static const char *const words[] = {
        "p0i",      "p1f",       "v3i",         "v4f:2",
        "stack1",   "reuse 1",   "any",         "reg",
        "late use", "early def", ",",           "clobber p1i p2i",
        "\n",       "block1",    "-> block2\n", "\n    before p2i = p0i v1i\n"};
    for (; n >= 4 && t->n && most--; p += 4, n -= 4) {
        uint32_t at = (uint32_t)((p[0] | p[1] << 8) * 97u) % t->n, end = at;
        while (at > 0 && t->p[at - 1] != ' ' && t->p[at - 1] != '\n') at--;
        while (end < t->n && t->p[end] != ' ' && t->p[end] != '\n') end++;
        const char *w = words[p[3] % 16];
        uint32_t len = (uint32_t)strlen(w);
        switch (p[2] % 4) {
        case 0: /* another digit, or a letter */
            for (at = at < end ? at : 0; at + 1 < end && (t->p[at] < '0' || t->p[at] > '9');) at++;
            t->p[at] = (char)(p[3] < 250 ? '0' + p[3] % 10 : p[3]);
            break;
        case 1: /* without the word */
            memmove(t->p + at, t->p + end, t->n - end);
            t->n -= end - at;
            break;
        case 2: /* another word */
            if (end - at < len) break;
            memcpy(t->p + at, w, len);
            memset(t->p + at + len, ' ', end - at - len);
            break;
        case 3: /* a further word */
            sb_puts(t, w);
            memmove(t->p + at + len, t->p + at, t->n - len - at);
            memcpy(t->p + at, w, len);
            break;
        }
    }
}

static void allocate(RaCtx *c, const RaProblem *p, RaAlgo algo, StrBuf *sb) {
    Diag d;
    diag_clear(&d);
    RaOutput out = {0};
    if (!ra_run(c, algo, &p->f, &p->env, &out, &d)) {
        if (d.kind == DIAG_LIMIT) return;
        sb_clear(sb);
        ra_print(&p->f, &p->env, NULL, sb);
        stop("allocation", &d, sb);
    }
    RaSpans spans = {0};
    if (ra_check_spans(c, &p->f, &p->env, &out, &spans, &d)) {
        sb_clear(sb);
        (void)ra_picture(p->mem, &p->f, &p->env, &out, &spans, "", sb, &d);
        ra_print_spans(p->mem, &p->f, &spans, sb);
        vec_free(p->mem, &spans);
        return;
    }
    sb_clear(sb);
    ra_print(&p->f, &p->env, &out, sb);
    stop("the result is wrong", &d, sb);
}

static void read_all(Mem *m, StrBuf *text, uint64_t stress) {
    RaProblem p, q;
    StrBuf one, two;
    RaReader r, r2;
    Diag d;
    RaCtx *c = ra_ctx_new(m);
    ra_problem_init(&p, m);
    ra_problem_init(&q, m);
    sb_init(&one, m);
    sb_init(&two, m);
    diag_clear(&d);
    ra_ctx_set_stress(c, stress);
    for (ra_reader_init(&r, text->p, text->n); ra_read(&r, &p, &d);) {
        sb_clear(&one);
        ra_print(&p.f, &p.env, p.has_result ? &p.out : NULL, &one);
        ra_reader_init(&r2, one.p, one.n);
        if (!ra_read(&r2, &q, &d)) stop("not read again", &d, &one);
        sb_clear(&two);
        ra_print(&q.f, &q.env, q.has_result ? &q.out : NULL, &two);
        if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0) stop("no fixed point", &d, &one);
        if (p.f.num_vregs > 1 << 16 || p.out.num_slots > 1 << 16) break; /* takes too long */
        if (!ra_problem_check(c, &p, &d)) break;
        if (p.has_result && !ra_check(c, &p.f, &p.env, &p.out, &d)) diag_clear(&d);
        allocate(c, &p, RA_ALGO_ONEPASS, &one);
        allocate(c, &p, RA_ALGO_ION, &one);
    }
    if (d.kind != DIAG_NONE && (d.pos_kind != DIAG_POS_LINE || !d.a || !d.b))
        stop("an error without a place", &d, text);
    sb_free(&one);
    sb_free(&two);
    ra_problem_free(&p);
    ra_problem_free(&q);
    ra_ctx_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 1 << 20) return 0;
    uint8_t how = data[0];
    Mem m;
    mem_init(&m, NULL);
    StrBuf text;
    sb_init(&text, &m);
    if (how & 1 || size < 9) {
        sb_putn(&text, (const char *)data + 1, size - 1);
    } else {
        uint64_t seed;
        memcpy(&seed, data + 1, 8);
        gen_random(&gen, seed);
        RaOutput out;
        Diag d;
        diag_clear(&d);
        RaCtx *c = ra_ctx_new(&m);
        bool given = how & 2;
        if (given &&
            !ra_run(c, how & 4 ? RA_ALGO_ION : RA_ALGO_ONEPASS, &gen.f, &gen.env, &out, &d))
            stop("allocation", &d, &text);
        ra_print(&gen.f, &gen.env, given ? &out : NULL, &text);
        ra_ctx_free(c);
        change(&text, data + 9, size - 9, seed >> 60); /* few, or nothing is read */
    }
    sb_putc(&text, '\n');
    read_all(&m, &text, how >> 4);
    sb_free(&text);
    if (m.live) abort();
    return 0;
}
