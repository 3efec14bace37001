/* image/types.h — what the compiler and the runtime say about a module in the same words: value types, kinds of things,
 * operators of constant expressions, limits. Numbers of types and kinds are those of the binary format; all of them are
 * written to images (image.h), so none of them changes its number. */
#ifndef COT_IMAGE_TYPES_H
#define COT_IMAGE_TYPES_H
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t
    WasmType; /* binary encoding: 0x7F i32, 0x7E i64, 0x7D f32, 0x7C f64, 0x7B v128, 0x70 funcref, 0x6F externref */
enum {
    WASM_I32 = 0x7F,
    WASM_I64 = 0x7E,
    WASM_F32 = 0x7D,
    WASM_F64 = 0x7C,
    WASM_V128 = 0x7B,
    WASM_FUNCREF = 0x70,
    WASM_EXTERNREF = 0x6F,
    WASM_BOT = 0 /* unknown type of unreachable code */
};
static inline bool wasm_is_ref(WasmType t) {
    return t == WASM_FUNCREF || t == WASM_EXTERNREF;
}
static inline bool wasm_is_type(WasmType t) {
    return (t >= WASM_V128 && t <= WASM_I32) || wasm_is_ref(t);
}

/* Documented limits (limits.def); exceeding one is DIAG_LIMIT. */
enum {
#define WASM_LIMIT(NAME, value, doc) WASM_MAX_##NAME = value,
#include "image/limits.def"
#undef WASM_LIMIT
};

typedef enum WasmExternKind {
    WASM_EXT_FUNC,
    WASM_EXT_TABLE,
    WASM_EXT_MEMORY,
    WASM_EXT_GLOBAL
} WasmExternKind;
typedef enum WasmSegMode { WASM_SEG_PASSIVE, WASM_SEG_ACTIVE, WASM_SEG_DECLARED } WasmSegMode;
typedef struct WasmGlobalType {
    WasmType type;
    bool mut;
} WasmGlobalType;
typedef struct WasmStr {
    const char *p;
    uint32_t n;
} WasmStr; /* not NUL-terminated, valid UTF-8 */

/* Constant expressions are kept as validated little programs in postfix order. */
typedef enum WasmConstOp {
    WASM_CE_I32,
    WASM_CE_I64,
    WASM_CE_F32,
    WASM_CE_F64,
    WASM_CE_V128, /* imm: where its 16 bytes are: in the module, or in the image's bytes */
    WASM_CE_REF_NULL,
    WASM_CE_REF_FUNC,
    WASM_CE_GLOBAL_GET,
    WASM_CE_I32_ADD,
    WASM_CE_I32_SUB,
    WASM_CE_I32_MUL,
    WASM_CE_I64_ADD,
    WASM_CE_I64_SUB,
    WASM_CE_I64_MUL
} WasmConstOp;
enum { WASM_CONST_DEPTH = 64 }; /* values that a constant expression may have at once */
#endif
