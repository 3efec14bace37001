/* wasm/optable.c — the operator table in the shapes the reader wants.
 * One-byte operators, nearly all of a module, are an array indexed by the byte; prefixed ones are found by
 * binary search in the rows, which opcodes.def lists in order of (prefix, code). Everything comes from opcodes.def and features.def. */
#include "wasm/wasm_int.h"
#include "base/bisect.h"

#define ROW(text, sg, feat, im, fo, cl, ax) \
    { text, sg, WASM_FEAT_##feat, WASM_IMM_##im, WASM_FORM_##fo, CLIF_OP_##cl, ax }
const char *const wasm_feature_name[WASM_FEAT_COUNT] = {
#define WASM_FEATURE(NAME, text, field) text,
#include "wasm/features.def"
#undef WASM_FEATURE
};

/* Where a feature's switch is: the offset of the field, or one of the two values that are not fields. */
enum { AT_ALWAYS = sizeof(WasmFeatures), AT_NEVER };
#define AT_mutable_globals offsetof(WasmFeatures, mutable_globals)
#define AT_sign_extension offsetof(WasmFeatures, sign_extension)
#define AT_sat_float_to_int offsetof(WasmFeatures, sat_float_to_int)
#define AT_multi_value offsetof(WasmFeatures, multi_value)
#define AT_bulk_memory offsetof(WasmFeatures, bulk_memory)
#define AT_reference_types offsetof(WasmFeatures, reference_types)
#define AT_extended_const offsetof(WasmFeatures, extended_const)
#define AT_simd offsetof(WasmFeatures, simd)
#define AT_relaxed_simd offsetof(WasmFeatures, relaxed_simd)
#define AT_multi_memory offsetof(WasmFeatures, multi_memory)
static const struct {
    const char *field;
    uint8_t at;
} switches[WASM_FEAT_COUNT] = {
#define WASM_FEATURE(NAME, text, field) {#field, AT_##field},
#include "wasm/features.def"
#undef WASM_FEATURE
};

uint32_t wasm_feature_mask(const WasmFeatures *f) {
    uint32_t m = 0;
    for (unsigned i = 0; i < WASM_FEAT_COUNT; i++) {
        uint8_t at = switches[i].at;
        bool on = at == AT_ALWAYS || (at != AT_NEVER && *((const bool *)f + at));
        m |= (uint32_t)on << i;
    }
    return m;
}

bool wasm_feature_set(WasmFeatures *f, const char *name, size_t len, bool on) {
    for (unsigned i = 0; i < WASM_FEAT_COUNT; i++) {
        const char *field = switches[i].field;
        if (switches[i].at >= sizeof *f || strlen(field) != len) continue;
        size_t k = 0;
        while (k < len && (name[k] == '-' ? '_' : name[k]) == field[k]) k++;
        if (k < len) continue;
        *((bool *)f + switches[i].at) = on;
        return true;
    }
    return false;
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
    const WasmOpRow *r = rows;
    uint32_t k;
    bisect(k, WASM_ROW_COUNT, r[k].prefix < prefix || (r[k].prefix == prefix && r[k].code < code));
    return k < WASM_ROW_COUNT && r[k].prefix == prefix && r[k].code == code ? &r[k].info : NULL;
}

const char *wasm_operator_name(const uint8_t *p, size_t n) {
    uint32_t code = 0;
    if (!n) return NULL;
    if (p[0] < 0xFB || p[0] == 0xFF) return wasm_op_plain[p[0]].name;
    for (size_t k = 1; k < n && k <= 5; k++) {
        code |= (uint32_t)(p[k] & 0x7F) << 7 * (k - 1);
        if (p[k] >= 0x80) continue;
        const WasmOpInfo *info = wasm_op_prefixed(p[0], code);
        return info ? info->name : NULL;
    }
    return NULL;
}

const uint8_t wasm_sig_type[128] = {
    ['i'] = WASM_I32, ['I'] = WASM_I64, ['f'] = WASM_F32, ['F'] = WASM_F64, ['v'] = WASM_V128};
const uint8_t wasm_clif_type[128] = {
    [WASM_I32] = CLIF_I32,      [WASM_I64] = CLIF_I64,    [WASM_F32] = CLIF_F32,
    [WASM_F64] = CLIF_F64,      [WASM_V128] = CLIF_I8X16, [WASM_FUNCREF] = CLIF_I64,
    [WASM_EXTERNREF] = CLIF_I64};
