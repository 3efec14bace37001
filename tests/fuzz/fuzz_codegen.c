/* Fuzz target: whatever text the reader and the verifier accept is compiled or refused with a reason, by both register allocators, whose
 * work the checker proves. The first byte chooses features and settings; the rest is a file, or the body of a function that has
 * something to refer to. */
#include <stdio.h>
#include <stdlib.h>
#include "clif/text.h"
#include "mach/settings.h"
#include "verify/verify.h"

static const char head[] =
    "function %f(i32, i64, f64, i8x16, i128) -> i64 system_v {\n"
    "gv0 = symbol colocated tls %v\nsig0 = (i64) -> i64 system_v\nsig1 = (i64) -> i64 tail\n"
    "fn0 = %g sig0\nfn1 = colocated %h sig1\nss0 = explicit_slot 24\nconst0 = 0x01020304\n"
    "block0(v0: i32, v1: i64, v2: f64, v3: i8x16, v4: i128):\n";

static MachSettings chosen(const IsaVtable *isa, uint8_t how) {
    MachSettings s = mach_settings_default();
    uint64_t host = isa->host_flags();
    s.isa_flags = (how & 3) == 0   ? 0
                  : (how & 3) == 1 ? host
                                   : host & (0x9E3779B97F4A7C15u << (how & 31));
    s.regalloc_checker = s.verify_input = true;
    s.regalloc_algorithm = how >> 2 & 1;
    s.enable_multi_ret_implicit_sret = how >> 3 & 1;
    s.is_pic = how >> 4 & 1;
    s.tls_model = how >> 4 & 3;
    s.enable_probestack = how >> 6 & 1;
    s.stress_seed = how >> 7;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const IsaVtable *isa = isa_host();
    if (!isa || size < 1 || size > 1 << 20) return 0;
    MachSettings set = chosen(isa, data[0]);
    data++, size--;
    bool whole = size >= 4 && (!memcmp(data, "test", 4) || !memcmp(data, "func", 4));
    size_t hn = whole ? 0 : sizeof head - 1, n = hn + size;
    char *text = malloc(n ? n : 1);
    if (hn) memcpy(text, head, hn);
    if (size) memcpy(text + hn, data, size);
    Mem mem;
    mem_init(&mem, NULL);
    VerifyCtx vc;
    verify_ctx_init(&vc, &mem, CLIF_I64);
    MachCtx *mach = mach_ctx_new(&mem, isa, &set);
    Diag d;
    diag_clear(&d);
    ClifReader *r = clif_reader_new(&mem, text, (uint32_t)n, &d);
    ClifFunc f;
    clif_func_init(&f, &mem);
    while (clif_reader_next(r, &f, NULL)) {
        MachCompiled out;
        Diag why;
        diag_clear(&why);
        if (f.first_block == CLIF_NONE || !clif_verify(&vc, &f, &why)) continue;
        if (!mach_compile(mach, &f, &out, &why) && why.kind != DIAG_UNSUPPORTED &&
            why.kind != DIAG_LIMIT) {
            fprintf(stderr, "neither compiled nor refused: %s\n%.*s\n", why.msg, (int)n, text);
            abort();
        }
    }
    clif_func_free(&f);
    clif_reader_free(r);
    mach_ctx_free(mach);
    verify_ctx_free(&vc);
    free(text);
    if (mem.live) abort();
    return 0;
}
