/* Fuzz target: any text ends in an error with a position or in functions whose text, read again, prints the same; the
 * verifier accepts or rejects each without a crash, and the interpreter runs each accepted one for a while. Inputs that do not start like a file become the body of a function. */
#include <stdio.h>
#include <stdlib.h>
#include "clif/text.h"
#include "interp/interp.h"
#include "verify/verify.h"

static void interpret(Mem *m, const ClifFunc *f) {
    Interp it;
    interp_init(&it, m);
    it.max_steps = 200;
    interp_add(&it, f);
    SemValues args = {0}, results = {0};
    Diag d;
    diag_clear(&d);
    for (uint32_t k = 0; k < f->sig.nparams; k++) {
        ClifType t = (ClifType)f->abi_params.p[f->sig.params + k].type;
        if (clif_type_is_dynamic(t) || clif_type_bits(t) > 128) goto out;
        vec_push(m, &args, sem_int(t, 0x0123456789ABCDEFu * (k + 1)));
    }
    interp_call(&it, 0, args.p, args.n, &results, &d);
out:
    vec_free(m, &args);
    vec_free(m, &results);
    interp_free(&it);
}

static void read_all(Mem *m, const char *text, uint32_t n, VerifyCtx *vc, StrBuf *out, Diag *d) {
    ClifFunc f;
    clif_func_init(&f, m);
    ClifReader *r = clif_reader_new(m, text, n, d);
    ClifDetails det = {0};
    while (clif_reader_next(r, &f, &det)) {
        clif_print_func(&f, out);
        Diag vd;
        diag_clear(&vd);
        if (vc && clif_verify(vc, &f, &vd)) interpret(m, &f);
        for (uint32_t k = 0; k < det.comments.n; k++) {
            ClifRunCommand c;
            diag_clear(&vd);
            clif_parse_run_command(m, &f, &det.comments.p[k], &c, &vd);
            clif_run_command_free(&c, m);
        }
    }
    clif_details_free(&det, m);
    clif_reader_free(r);
    clif_func_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char head[] = "function %f(i32, i64) -> i32 {\nsig0 = (i32) -> i32\nfn0 = %g "
                               "sig0\nss0 = explicit_slot 8\n"
                               "block0(v0: i32, v1: i64):\n";
    if (size > 1 << 20) return 0;
    bool whole = size >= 4 && (!memcmp(data, "test", 4) || !memcmp(data, "func", 4));
    size_t hn = whole ? 0 : sizeof head - 1, n = hn + size;
    char *text = malloc(n ? n : 1);
    if (hn) memcpy(text, head, hn);
    if (size) memcpy(text + hn, data, size);
    Mem mem;
    mem_init(&mem, NULL);
    VerifyCtx vc;
    verify_ctx_init(&vc, &mem, CLIF_I64);
    StrBuf one, two, err;
    sb_init(&one, &mem);
    sb_init(&two, &mem);
    sb_init(&err, &mem);
    Diag d;
    diag_clear(&d);
    read_all(&mem, text, (uint32_t)n, &vc, &one, &d);
    if (d.kind != DIAG_NONE) {
        if (d.pos_kind != DIAG_POS_LINE) abort();
        clif_text_error(&d, "input", text, (uint32_t)n, &err);
    }
    diag_clear(&d);
    if (one.n) {
        read_all(&mem, one.p, one.n, NULL, &two, &d);
        if (d.kind != DIAG_NONE || one.n != two.n || memcmp(one.p, two.p, one.n)) {
            fprintf(stderr, "not a fixed point (%s)\n%s\n----\n%s", d.msg, sb_cstr(&one),
                    sb_cstr(&two));
            abort();
        }
    }
    sb_free(&one);
    sb_free(&two);
    sb_free(&err);
    verify_ctx_free(&vc);
    free(text);
    if (mem.live) abort();
    return 0;
}
