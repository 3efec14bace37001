/* filetest/compile.c — `test compile` and `test unwind`: what the back end makes of each function, as text.
 *
 * Each target of the file that has a code generator, with the settings and features of its header, whatever machine this
 * is. The text is the listing of mach/listing.c or the unwinding steps; with the option expect-fail no function
 * may compile, and the text is the compiler's message. */
#include "filetest/filetest_int.h"
#include "mach/settings.h"

/* Compiling changes functions, so each target reads its own. */
static bool one_target(Ft *t, const IsaVtable *isa, const MachSettings *set, unsigned what) {
    MachCtx *mach = mach_ctx_new(t->mem, isa, set);
    Diag d;
    diag_clear(&d);
    ClifReader *r = clif_reader_new(t->mem, t->text, t->n, &d);
    ClifFunc f;
    clif_func_init(&f, t->mem);
    bool ok = true;
    for (uint32_t k = 0; ok && clif_reader_next(r, &f, NULL); k++) {
        MachCompiled out;
        diag_clear(&d);
        sb_clear(&t->sb);
        mach_ctx_print(mach, what, &t->sb);
        bool made = mach_compile(mach, &f, &out, &d);
        if (!made) {
            sb_clear(&t->sb);
            sb_printf(&t->sb, "%s\n", d.msg);
        }
        if (made == t->expect_fail)
            ok = ft_fail(t, t->details.p[k]->line, "%s",
                         made ? "compiles, but should not" : sb_cstr(&t->sb));
        else
            ok = ft_check_output(t, k);
        diag_clear(&d);
    }
    clif_func_free(&f);
    clif_reader_free(r);
    mach_ctx_free(mach);
    return ok;
}

static const IsaVtable *isa_of(ClifStr triple) {
    char arch[32];
    uint32_t n = 0;
    while (n < triple.n && n < sizeof arch - 1 && triple.p[n] != '-') n++;
    memcpy(arch, triple.p, n);
    arch[n] = 0;
    return isa_lookup(arch);
}

static void all_targets(Ft *t, unsigned what, FtCounts *c) {
    MachSettings shared = mach_settings_default();
    uint32_t n, targets = 0;
    const ClifHeaderLine *h = clif_reader_header(t->reader, &n);
    shared.regalloc_checker = shared.verify_input = true;
    for (uint32_t k = 0; k < n; k++) {
        ClifStr words = h[k].text, triple;
        MachSettings set = shared;
        Diag d;
        diag_clear(&d);
        bool ok = true;
        if (h[k].kind == CLIF_HEADER_SET) {
            ok = settings_parse_words(&shared, NULL, words.p, words.n, &d);
            if (ok) continue;
        } else if (h[k].kind != CLIF_HEADER_TARGET || !clif_str_word(&words, &triple)) {
            continue;
        }
        const IsaVtable *isa = ok ? isa_of(triple) : NULL;
        if (ok && !isa) continue;
        targets++;
        if (!ok || !settings_parse_words(&set, isa, words.p, words.n, &d))
            ok = ft_fail(t, 1, "%s", d.msg);
        else
            ok = one_target(t, isa, &set, what);
        *(ok ? &c->passed : &c->failed) += 1;
    }
    if (!targets) ft_skip(t, 0, "", "no target has a code generator");
}

void ft_compile(Ft *t, FtCounts *c) {
    all_targets(t, MACH_PRINT_CODE, c);
}

void ft_unwind(Ft *t, FtCounts *c) {
    all_targets(t, MACH_PRINT_UNWIND, c);
}
