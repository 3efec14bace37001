/* module/cliftext.c — a .clif text to definitions: read, verify, compile, one function after the other.
 *
 * Functions are called by name: %f is the symbol "f", u1:2 the symbol "u1_2". One function's memory serves all. */
#include "module/cliftext.h"
#include "clif/text.h"
#include "verify/verify.h"

typedef struct Text {
    Linkable *k;
    const char *text;
    uint32_t n;
    const ClifTextOptions *o;
    MachSettings *set;
    ClifReader *r;
    ClifFunc f;
    ClifDetails details;
    VerifyCtx verify;
    MachCtx *mach;
    Diag *d;
} Text;

/* The column of the first character on a line that is not blank. */
static uint32_t column(const Text *t, uint32_t line) {
    uint32_t at = 0, start;
    for (uint32_t l = 1; l < line && at < t->n; at++) l += t->text[at] == '\n';
    for (start = at; at < t->n && (t->text[at] == ' ' || t->text[at] == '\t');) at++;
    return at - start + 1;
}

/* Puts the error that *d is to a line. */
static bool fail_at(Text *t, uint32_t line) {
    if (t->d->pos_kind != DIAG_POS_NONE) return false;
    t->d->pos_kind = DIAG_POS_LINE;
    t->d->a = line;
    t->d->b = column(t, line);
    return false;
}

/* ---- settings ---- */
static bool settings(Text *t) {
    uint32_t n;
    const ClifHeaderLine *h = clif_reader_header(t->r, &n);
    bool found = false;
    for (uint32_t i = 0; i < n; i++) {
        ClifStr words = h[i].text, arch;
        if (h[i].kind == CLIF_HEADER_SET &&
            !settings_parse_words(t->set, NULL, words.p, words.n, t->d))
            return fail_at(t, h[i].line);
        if (h[i].kind != CLIF_HEADER_TARGET || found || !clif_str_word(&words, &arch) ||
            !clif_str_is(arch, t->k->isa->name))
            continue;
        found = true;
        if (!settings_parse_words(t->set, t->k->isa, words.p, words.n, t->d))
            return fail_at(t, h[i].line);
    }
    for (uint32_t i = 0; i < t->o->nset; i++)
        if (!settings_parse_words(t->set, t->k->isa, t->o->set[i], (uint32_t)strlen(t->o->set[i]),
                                  t->d))
            return false;
    return true;
}

/* ---- functions ---- */
static uint32_t line_of(const Text *t, ClifEntity e) {
    const VecU32 *lines = e.kind == CLIF_ENTITY_INST    ? &t->details.inst_line
                          : e.kind == CLIF_ENTITY_BLOCK ? &t->details.block_line
                                                        : NULL;
    return lines && e.index < lines->n && lines->p[e.index] ? lines->p[e.index] : t->details.line;
}

static bool verified(Text *t) {
    if (!t->set->enable_verifier || clif_verify(&t->verify, &t->f, t->d)) return true;
    return fail_at(t, t->verify.errors.n ? line_of(t, t->verify.errors.p[0].at) : t->details.line);
}

static bool add(Text *t) {
    MachCompiled c;
    LinkSym s = linkable_text_name(t->k, &t->f, t->f.name);
    if (!verified(t)) return false;
    for (uint32_t i = 0; t->o->lines && i < t->f.srclocs.n; i++)
        t->f.srclocs.p[i] = i < t->details.inst_line.n ? t->details.inst_line.p[i] : CLIF_NONE;
    LinkCode code = {.code = &c, .f = &t->f, .text_numbers = true};
    if (!mach_compile(t->mach, &t->f, &c, t->d) || !linkable_define_func(t->k, s, &code, t->d))
        return fail_at(t, t->details.line);
    return true;
}

bool linkable_add_clif(Linkable *k, MachSettings *s, const char *text, uint32_t n,
                       const ClifTextOptions *o, Diag *d) {
    Mem *m = k->mem;
    Text t = {.k = k, .text = text, .n = n, .o = o, .set = s, .d = d};
    t.r = clif_reader_new(m, text, n, d);
    bool ok = d->kind == DIAG_NONE && settings(&t);
    if (ok) {
        clif_func_init(&t.f, m);
        verify_ctx_init(&t.verify, m, k->isa->pointer_bytes == 8 ? CLIF_I64 : CLIF_I32);
        t.verify.no_pinned_reg = !s->enable_pinned_reg;
        t.mach = mach_ctx_new(m, k->isa, s);
        while (ok && clif_reader_next(t.r, &t.f, &t.details)) ok = add(&t);
        ok = ok && d->kind == DIAG_NONE;
        mach_ctx_free(t.mach);
        verify_ctx_free(&t.verify);
        clif_func_free(&t.f);
    }
    clif_details_free(&t.details, m);
    clif_reader_free(t.r);
    return ok;
}
