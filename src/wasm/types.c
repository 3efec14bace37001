/* wasm/types.c — value types, heap types: what is refused names its proposal. */
#include "wasm/wasm_int.h"

bool rd_bad(WasmReader *r, LebStatus s) {
    const char *what = s == LEB_EOF        ? "unexpected end"
                       : s == LEB_TOO_LONG ? "integer representation too long"
                                           : "integer too large";
    return diag_at(r->d, DIAG_MALFORMED, rd_off(r), "%s", what);
}

bool wasm_refuse(Diag *d, WasmFeature f, uint64_t offset, const char *what) {
    return diag_at(d, DIAG_UNSUPPORTED, offset,
                   "%s needs the %s proposal, which is not supported or is off", what,
                   wasm_feature_name[f]);
}

const char *wasm_type_name(WasmType t) {
    static const char *const names[128] = {[WASM_I32] = "i32",
                                           [WASM_I64] = "i64",
                                           [WASM_F32] = "f32",
                                           [WASM_F64] = "f64",
                                           [WASM_V128] = "v128",
                                           [WASM_FUNCREF] = "funcref",
                                           [WASM_EXTERNREF] = "externref"};
    return t < 128 && names[t] ? names[t] : "any";
}

/* The proposal of a type code that is not one of ours; WASM_FEAT_MVP: no such type. */
static WasmFeature proposal_of(uint8_t c) {
    switch (c) {
    case 0x7B: return WASM_FEAT_SIMD;
    case 0x63:
    case 0x64: return WASM_FEAT_FUNCTION_REFERENCES;
    case 0x69:
    case 0x74: return WASM_FEAT_EXCEPTIONS;
    case 0x68:
    case 0x75:
    case 0x5D: return WASM_FEAT_STACK_SWITCHING;
    case 0x6A:
    case 0x6B:
    case 0x6C:
    case 0x6D:
    case 0x6E:
    case 0x71:
    case 0x72:
    case 0x73:
    case 0x77:
    case 0x78: return WASM_FEAT_GC;
    }
    return WASM_FEAT_MVP;
}

static bool bad_type(WasmReader *r, uint64_t at, uint8_t c) {
    WasmFeature f = proposal_of(c);
    if (f != WASM_FEAT_MVP)
        return wasm_refuse(r->d, f, at, f == WASM_FEAT_SIMD ? "type v128" : "reference type");
    return diag_at(r->d, DIAG_MALFORMED, at, "invalid value type 0x%02x", c);
}

bool rd_valtype(WasmReader *r, uint32_t features, WasmType *t) {
    uint64_t at = rd_off(r);
    if (!rd_u8(r, t)) return false;
    if (*t >= WASM_F64 && *t <= WASM_I32) return true;
    if (*t == WASM_V128 && (features >> WASM_FEAT_SIMD & 1)) return true;
    if (!wasm_is_ref(*t)) return bad_type(r, at, *t);
    if (features >> WASM_FEAT_REFERENCE_TYPES & 1) return true;
    return wasm_refuse(r->d, WASM_FEAT_REFERENCE_TYPES, at, "reference type");
}

bool rd_heaptype(WasmReader *r, uint32_t features, WasmType *t) {
    uint64_t at = rd_off(r);
    if (r->p < r->end && (*r->p & 0xC0) != 0x40)
        return wasm_refuse(r->d, WASM_FEAT_FUNCTION_REFERENCES, at, "reference to a type index");
    return rd_valtype(r, features, t) &&
           (wasm_is_ref(*t) || diag_at(r->d, DIAG_MALFORMED, at, "malformed reference type"));
}
