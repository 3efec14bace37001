/* Fuzz target: any bytes end in an error or in functions that the verifier accepts; validation alone and translation
 * agree. Inputs without a module's header are taken as the body of a function (i32, i64) -> i32. */
#include <stdio.h>
#include <stdlib.h>
#include "verify/verify.h"
#include "wasm/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t head[] = {
        0, 'a', 's', 'm',  1, 0,  0, 0, 1, 7, 1, 0x60, 2, 0x7F, 0x7E, 1, 0x7F, 3, 2,    1, 0,
        4, 4,   1,   0x70, 0, 10, 5, 3, 1, 0, 1, 6,    6, 1,    0x7F, 1, 0x41, 0, 0x0B, 10};
    uint8_t *bytes = malloc(size + sizeof head + 16);
    size_t n = size;
    if (size >= 4 && !memcmp(data, head, 4))
        memcpy(bytes, data, size);
    else if (size < 0x3F00) {
        memcpy(bytes, head, sizeof head);
        n = sizeof head;
        size_t body = size + 1, sec = body + 3;
        const uint8_t lens[] = {(uint8_t)(sec | 0x80),  (uint8_t)(sec >> 7),  1,
                                (uint8_t)(body | 0x80), (uint8_t)(body >> 7), 0};
        memcpy(bytes + n, lens, sizeof lens);
        memcpy(bytes + n + sizeof lens, data, size);
        n += sizeof lens + size;
    } else
        n = 0;
    bytes = realloc(bytes, n ? n : 1); /* exact size: overruns are visible */
    Mem mem;
    mem_init(&mem, NULL);
    Diag d;
    diag_clear(&d);
    WasmFeatures ft = wasm_features_default();
    WasmModule m;
    ClifFunc f;
    VerifyCtx vc;
    clif_func_init(&f, &mem);
    verify_ctx_init(&vc, &mem, CLIF_I64);
    WasmTranslator *t = wasm_translator_new(&mem);
    if (wasm_module_parse(&m, &mem, bytes, n, &ft, &d)) {
        VmLayout lay = wasm_vm_layout(&m);
        for (uint32_t i = m.num_imported_funcs; i < m.funcs.n; i++) {
            bool first = false;
            for (int mode = 0; mode < 3; mode++) {
                bool strict = mode == 2;
                WasmTunables tn = {.mem_style = strict ? WASM_MEM_CHECKED : WASM_MEM_STATIC,
                                   .explicit_traps = strict,
                                   .interrupt_checks = strict,
                                   .value_labels = strict,
                                   .spectre_guards = strict,
                                   .callconv = CLIF_CC_FAST,
                                   .host_callconv = CLIF_CC_SYSTEM_V};
                diag_clear(&d);
                bool ok = wasm_translate_func(t, &m, i, &tn, &lay, mode ? &f : NULL, &d);
                if (!mode) first = ok;
                if (ok != first || (ok && mode && !clif_verify(&vc, &f, &d))) {
                    fprintf(stderr, "function %u, mode %d: %s\n", i, mode, d.msg);
                    abort();
                }
            }
        }
    }
    wasm_translator_free(t);
    verify_ctx_free(&vc);
    clif_func_free(&f);
    wasm_module_free(&m);
    free(bytes);
    return 0;
}
