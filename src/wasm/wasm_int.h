/* wasm/wasm_int.h — shared inside src/wasm only: the operator table, the byte reader, types. */
#ifndef COT_WASM_WASM_INT_H
#define COT_WASM_WASM_INT_H
#include "base/leb128.h"
#include "base/utf8.h"
#include "wasm/wasm.h"

typedef enum WasmFeature {
#define WASM_FEATURE(NAME, text, field) WASM_FEAT_##NAME,
#include "wasm/features.def"
#undef WASM_FEATURE
    WASM_FEAT_COUNT
} WasmFeature;
extern const char *const wasm_feature_name[WASM_FEAT_COUNT];
uint32_t wasm_feature_mask(const WasmFeatures *f); /* bit per WasmFeature */

typedef enum WasmForm {
    WASM_FORM_ILLEGAL,
    WASM_FORM_REFUSED,
    WASM_FORM_UNARY,
    WASM_FORM_BINARY,
    WASM_FORM_CONVERT,
    WASM_FORM_ICMP,
    WASM_FORM_FCMP,
    WASM_FORM_LOAD,
    WASM_FORM_STORE,
    WASM_FORM_EXTEND,
    WASM_FORM_DIVIDE,
    WASM_FORM_TRUNC,
    WASM_FORM_EQZ,
    WASM_FORM_I32_CONST,
    WASM_FORM_I64_CONST,
    WASM_FORM_F32_CONST,
    WASM_FORM_F64_CONST,
    WASM_FORM_UNREACHABLE,
    WASM_FORM_NOP,
    WASM_FORM_BLOCK,
    WASM_FORM_LOOP,
    WASM_FORM_IF,
    WASM_FORM_ELSE,
    WASM_FORM_END,
    WASM_FORM_BR,
    WASM_FORM_BR_IF,
    WASM_FORM_BR_TABLE,
    WASM_FORM_RETURN,
    WASM_FORM_CALL,
    WASM_FORM_CALL_INDIRECT,
    WASM_FORM_DROP,
    WASM_FORM_SELECT,
    WASM_FORM_SELECT_T,
    WASM_FORM_LOCAL_GET,
    WASM_FORM_LOCAL_SET,
    WASM_FORM_LOCAL_TEE,
    WASM_FORM_GLOBAL_GET,
    WASM_FORM_GLOBAL_SET,
    WASM_FORM_TABLE_GET,
    WASM_FORM_TABLE_SET,
    WASM_FORM_MEMORY_SIZE,
    WASM_FORM_MEMORY_GROW,
    WASM_FORM_REF_NULL,
    WASM_FORM_REF_IS_NULL,
    WASM_FORM_REF_FUNC,
    WASM_FORM_MEMORY_INIT,
    WASM_FORM_DATA_DROP,
    WASM_FORM_MEMORY_COPY,
    WASM_FORM_MEMORY_FILL,
    WASM_FORM_TABLE_INIT,
    WASM_FORM_ELEM_DROP,
    WASM_FORM_TABLE_COPY,
    WASM_FORM_TABLE_GROW,
    WASM_FORM_TABLE_SIZE,
    WASM_FORM_TABLE_FILL,
    WASM_FORM_V_CONST,
    WASM_FORM_V_SHUFFLE,
    WASM_FORM_V_SPLAT,
    WASM_FORM_V_EXTRACT_LANE,
    WASM_FORM_V_REPLACE_LANE,
    WASM_FORM_V_LOAD_EXTEND,
    WASM_FORM_V_LOAD_SPLAT,
    WASM_FORM_V_LOAD_LANE,
    WASM_FORM_V_STORE_LANE,
    WASM_FORM_V_UNARY,
    WASM_FORM_V_BINARY,
    WASM_FORM_V_ANDNOT,
    WASM_FORM_V_SHIFT,
    WASM_FORM_V_COMPARE,
    WASM_FORM_V_PSEUDO,
    WASM_FORM_V_SELECT,
    WASM_FORM_V_TEST,
    WASM_FORM_V_MADD,
    WASM_FORM_V_EXTMUL,
    WASM_FORM_V_EXTADD,
    WASM_FORM_V_DOT,
    WASM_FORM_V_DOT_ADD,
    WASM_FORM_V_CONVERT,
    WASM_FORM_V_CONVERT_LOW,
    WASM_FORM_V_TRUNC_ZERO
} WasmForm;
typedef enum WasmImm {
    WASM_IMM_NONE,
    WASM_IMM_BLOCKTYPE,
    WASM_IMM_LABEL,
    WASM_IMM_LABELS,
    WASM_IMM_INDEX,
    WASM_IMM_INDEX2,
    WASM_IMM_MEM,
    WASM_IMM_I32,
    WASM_IMM_I64,
    WASM_IMM_F32,
    WASM_IMM_F64,
    WASM_IMM_TYPES,
    WASM_IMM_HEAPTYPE,
    WASM_IMM_V128,
    WASM_IMM_LANE,
    WASM_IMM_LANES16,
    WASM_IMM_MEMLANE,
    WASM_IMM_CATCHES,
    WASM_IMM_OTHER
} WasmImm;

typedef struct WasmOpInfo {
    const char *name;
    char sig[8];
    uint8_t feature, imm, form, clif;
    uint16_t aux;
} WasmOpInfo;
extern const WasmOpInfo wasm_op_plain[256];
const WasmOpInfo *wasm_op_prefixed(uint8_t prefix, uint32_t code); /* NULL: no such operator */
extern const uint8_t wasm_sig_type[128];  /* character of a signature -> WasmType */
extern const uint8_t wasm_clif_type[128]; /* WasmType -> ClifType, CLIF_INVALID if not a type */

typedef struct WasmReader {
    const uint8_t *p, *end, *base;
    Diag *d;
} WasmReader;
static inline uint64_t rd_off(const WasmReader *r) {
    return (uint64_t)(r->p - r->base);
}
bool rd_bad(WasmReader *r, LebStatus s); /* records the error of a LEB128 read; false */
static inline bool rd_u32(WasmReader *r, uint32_t *x) {
    LebStatus s = leb_u32(&r->p, r->end, x);
    if (__builtin_expect(s == LEB_OK, 1)) return true;
    rd_bad(r, s);
    return false;
}
static inline bool rd_u8(WasmReader *r, uint8_t *x) {
    if (r->p >= r->end) {
        rd_bad(r, LEB_EOF);
        return false;
    }
    *x = *r->p++;
    return true;
}
bool rd_valtype(WasmReader *r, uint32_t features, WasmType *t);
bool rd_heaptype(WasmReader *r, uint32_t features,
                 WasmType *t); /* of ref.null: funcref or externref */
bool wasm_refuse(Diag *d, WasmFeature f, uint64_t offset, const char *what);
const char *wasm_type_name(WasmType t);
bool wasm_const_expr(WasmModule *m, WasmReader *r, uint32_t features, WasmType want,
                     WasmConstExpr *out);
void wasm_read_names(WasmModule *m, uint32_t off, uint32_t len);
void wasm_name_exports(WasmModule *m); /* functions without a name get that of an export */
#endif
