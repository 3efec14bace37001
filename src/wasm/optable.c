/* wasm/optable.c — the operator table in the shapes the reader wants.
 * One-byte operators, nearly all of a module, are an array indexed by the byte; prefixed ones are found by
 * binary search in the rows, which opcodes.def lists in order of (prefix, code). Everything comes from opcodes.def and features.def. */
#include "wasm/wasm_int.h"

#define ROW(text, sg, feat, im, fo, cl, ax) \
    { text, sg, WASM_FEAT_##feat, WASM_IMM_##im, WASM_FORM_##fo, CLIF_OP_##cl, ax }
const char *const wasm_feature_name[WASM_FEAT_COUNT] = {
#define WASM_FEATURE(NAME, text, field) text,
#include "wasm/features.def"
#undef WASM_FEATURE
};

uint32_t wasm_feature_mask(const WasmFeatures *f) {
    uint32_t m = 0;
#define BIT_mutable_globals f->mutable_globals
#define BIT_sign_extension f->sign_extension
#define BIT_sat_float_to_int f->sat_float_to_int
#define BIT_multi_value f->multi_value
#define BIT_bulk_memory f->bulk_memory
#define BIT_reference_types f->reference_types
#define BIT_extended_const f->extended_const
#define BIT_multi_memory f->multi_memory
#define BIT_ALWAYS true
#define BIT_NEVER false
#define WASM_FEATURE(NAME, text, field) m |= (uint32_t)(BIT_##field) << WASM_FEAT_##NAME;
#include "wasm/features.def"
#undef WASM_FEATURE
    return m;
}

typedef struct WasmOpRow {
    uint8_t prefix;
    uint16_t code;
    WasmOpInfo info;
} WasmOpRow;
enum {
#define WASM_OP(prefix, code, NAME, ...) WASM_ROW_##NAME,
#include "wasm/opcodes.def"
#undef WASM_OP
    WASM_ROW_COUNT
};
static const WasmOpRow rows[] = {
#define WASM_OP(prefix, code, NAME, text, sg, ...) {prefix, code, ROW(text, sg, __VA_ARGS__)},
#include "wasm/opcodes.def"
#undef WASM_OP
};
_Static_assert(sizeof rows / sizeof rows[0] == WASM_ROW_COUNT, "one row each");

const WasmOpInfo wasm_op_plain[256] = {
#define PLAIN_0x00(code, ...) [code] = ROW(__VA_ARGS__),
#define PLAIN_0xFB(code, ...)
#define PLAIN_0xFC(code, ...)
#define PLAIN_0xFD(code, ...)
#define PLAIN_0xFE(code, ...)
#define WASM_OP(prefix, code, NAME, ...) PLAIN_##prefix(code, __VA_ARGS__)
#include "wasm/opcodes.def"
#undef WASM_OP
};

const WasmOpInfo *wasm_op_prefixed(uint8_t prefix, uint32_t code) {
    uint32_t lo = 0, hi = WASM_ROW_COUNT;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        const WasmOpRow *r = &rows[mid];
        if (r->prefix == prefix && r->code == code) return &r->info;
        if (r->prefix < prefix || (r->prefix == prefix && r->code < code))
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const uint8_t wasm_sig_type[128] = {
    ['i'] = WASM_I32, ['I'] = WASM_I64, ['f'] = WASM_F32, ['F'] = WASM_F64, ['v'] = WASM_V128};
const uint8_t wasm_clif_type[128] = {
    [WASM_I32] = CLIF_I32, [WASM_I64] = CLIF_I64,     [WASM_F32] = CLIF_F32,
    [WASM_F64] = CLIF_F64, [WASM_FUNCREF] = CLIF_I64, [WASM_EXTERNREF] = CLIF_I64};
