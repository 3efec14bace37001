/* tests/unit/wasm/wb.h — a byte builder for small modules, and the front end in one call. */
#ifndef COT_TESTS_WB_H
#define COT_TESTS_WB_H
#include "cm.h"
#include <stdlib.h>
#include "base/leb128.h"
#include "verify/verify.h"
#include "wasm/wasm_int.h"

typedef struct Wb {
    Mem mem;
    VecU8 out, sec;
    Diag d;
    WasmModule m;
    WasmTranslator *t;
    ClifFunc f;
    StrBuf text;
    WasmTunables tn;
    WasmFeatures ft;
} Wb;

static inline void wb_u(Wb *w, uint64_t x) {
    leb_put_u64(&w->mem, &w->sec, x);
}
static inline void wb_s(Wb *w, int64_t x) {
    leb_put_s64(&w->mem, &w->sec, x);
}
static inline void wb_b(Wb *w, const void *p, size_t n) {
    if (n) memcpy(vec_extend(&w->mem, &w->sec, n), p, n);
}
#define WB(w, ...) wb_b(w, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
static inline void wb_end(Wb *w,
                          uint8_t id) { /* what was written since the last one is section `id` */
    vec_push(&w->mem, &w->out, id);
    leb_put_u64(&w->mem, &w->out, w->sec.n);
    if (w->sec.n) memcpy(vec_extend(&w->mem, &w->out, w->sec.n), w->sec.p, w->sec.n);
    vec_clear(&w->sec);
}
static inline void wb_start(Wb *w) {
    vec_clear(&w->out);
    vec_clear(&w->sec);
    memcpy(vec_extend(&w->mem, &w->out, 8), "\0asm\1\0\0\0", 8);
    diag_clear(&w->d);
}
static inline void wb_init(Wb *w) {
    memset(w, 0, sizeof *w);
    mem_init(&w->mem, NULL);
    clif_func_init(&w->f, &w->mem);
    sb_init(&w->text, &w->mem);
    w->t = wasm_translator_new(&w->mem);
    w->ft = wasm_features_default();
    w->tn = (WasmTunables){
        .mem_style = WASM_MEM_STATIC, .callconv = CLIF_CC_FAST, .host_callconv = CLIF_CC_SYSTEM_V};
    wb_start(w);
}
static inline void wb_free(Wb *w) {
    wasm_translator_free(w->t);
    clif_func_free(&w->f);
    sb_free(&w->text);
    vec_free(&w->mem, &w->out);
    vec_free(&w->mem, &w->sec);
    assert_int_equal(w->mem.live, 0);
}
/* Parses, then translates every function (validates only if !emit); the last one's text is in w->text. */
static inline bool wb_run(Wb *w, bool emit) {
    bool ok = wasm_module_parse(&w->m, &w->mem, w->out.p, w->out.n, &w->ft, &w->d);
    VmLayout lay = ok ? wasm_vm_layout(&w->m) : (VmLayout){0};
    VerifyCtx vc;
    verify_ctx_init(&vc, &w->mem, CLIF_I64);
    for (uint32_t i = w->m.num_imported_funcs; ok && i < w->m.funcs.n; i++) {
        ok = wasm_translate_func(w->t, &w->m, i, &w->tn, &lay, emit ? &w->f : NULL, &w->d);
        if (ok && emit && !clif_verify(&vc, &w->f, &w->d)) fail_msg("verifier: %s", w->d.msg);
    }
    sb_clear(&w->text);
    if (ok && emit && w->f.insts.n < 200) clif_print_func(&w->f, &w->text);
    verify_ctx_free(&vc);
    wasm_module_free(&w->m);
    return ok;
}
/* One function of type `sig` ("ii>i"), `body` without its size; a memory, a table, passive segments. */
static inline void wb_module(Wb *w, const char *params, const char *results, const uint8_t *body,
                             size_t n) {
    wb_start(w);
    WB(w, 1, 0x60);
    wb_u(w, strlen(params));
    for (const char *p = params; *p; p++) WB(w, wasm_sig_type[(uint8_t)*p]);
    wb_u(w, strlen(results));
    for (const char *p = results; *p; p++) WB(w, wasm_sig_type[(uint8_t)*p]);
    wb_end(w, 1);
    WB(w, 1, 0);
    wb_end(w, 3);
    WB(w, 1, 0x70, 0, 10);
    wb_end(w, 4);
    WB(w, 1, 0, 1);
    wb_end(w, 5);
    WB(w, 1, 1, 0, 0);
    wb_end(w, 9);
    WB(w, 1);
    wb_end(w, 12);
    wb_u(w, 1);
    wb_u(w, n);
    wb_b(w, body, n);
    wb_end(w, 10);
    WB(w, 1, 1, 0);
    wb_end(w, 11);
}
#define WB_FUNC(w, params, results, ...)                          \
    wb_module(w, params, results, (const uint8_t[]){__VA_ARGS__}, \
              sizeof((const uint8_t[]){__VA_ARGS__}))
#endif
