/* cot/cabi.h — C function types in terms of CLIF: parameters, and how arguments, structures among them, get into them.
 *
 * A CotCSignature says what a C prototype says. From it cot_c_abi computes the CLIF signature of the convention (System V
 * AMD64 ABI 1.0, 3.2.3; Microsoft x64 calling convention) and, per argument, which parameters carry which of its bytes. With that
 * the four functions at the end write the code: cot_c_call on the caller's side, cot_c_enter and cot_c_return on the callee's.
 * A structure is always given and received by its address. */
#ifndef COT_CABI_H
#define COT_CABI_H
#include "cot/clif.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    COT_C_VOID = 0, /* as a result */
    COT_C_I8 = 1,
    COT_C_U8 = 2, /* also _Bool */
    COT_C_I16 = 3,
    COT_C_U16 = 4,
    COT_C_I32 = 5,
    COT_C_U32 = 6,
    COT_C_I64 = 7,
    COT_C_U64 = 8,
    COT_C_POINTER = 9,
    COT_C_FLOAT = 10,
    COT_C_DOUBLE = 11,
    COT_C_STRUCT = 12 /* also unions, and complex numbers as two fields */
};
struct CotCType;
typedef struct CotCField {
    const struct CotCType *type;
    uint32_t offset; /* cot_c_layout computes it */
    uint32_t count;  /* of an array; 0 is 1 */
} CotCField;
typedef struct CotCType {
    uint32_t kind;
    uint32_t size, align; /* structures only */
    const CotCField *fields;
    uint32_t nfields;
} CotCType;
/* Offsets of the fields, size and alignment of a structure declared with these fields in this order, as C lays it out. */
COT_API CotStatus cot_c_layout(CotCField *fields, uint32_t nfields, CotCType *type,
                               CotError *error);

typedef struct CotCSignature {
    uint32_t convention; /* COT_CONV_SYSTEM_V or COT_CONV_WINDOWS */
    uint32_t
        variadic; /* not 0: declared with "..."; args are those of one call, promoted as C does it */
    uint32_t nfixed; /* if variadic: how many args the prototype names */
    uint32_t nargs;
    const CotCType *result;
    const CotCType *const *args;
} CotCSignature;

enum {
    COT_C_IGNORE = 0,  /* nothing is passed: void, an empty structure */
    COT_C_DIRECT = 1,  /* parts of it are values of their own */
    COT_C_ADDRESS = 2, /* one parameter: the address of a copy that the caller made */
    COT_C_STACK = 3,   /* one parameter of purpose COT_PARAM_STRUCT: the call makes the copy */
    COT_C_HIDDEN = 4   /* a result: parameter 0 says where to write it, and is the result */
};
typedef struct CotCPart {
    uint32_t type;   /* of the value */
    uint32_t offset; /* of its bytes in the argument */
    uint32_t bytes;
} CotCPart;
typedef struct CotCArg {
    uint32_t how;   /* COT_C_* */
    uint32_t first; /* number of its first parameter */
    uint32_t nparts;
    CotCPart parts[2];
} CotCArg;
typedef struct CotCAbi {
    CotSignature signature; /* params and returns point to the two members below */
    CotParam *params;       /* yours: room for 2 * nargs + 1 */
    CotParam returns[2];
    CotCArg *args; /* yours: room for nargs */
    CotCArg result;
    const CotCSignature *c; /* as given; must outlive this */
} CotCAbi;
/* Fills abi, whose params and args the caller has set. COT_UNSUPPORTED: a structure aligned to more than 8 bytes that goes to the
 * stack, or deeper nesting than 32; COT_MISUSE: a signature that C does not have. abi must not be moved afterwards. */
COT_API CotStatus cot_c_abi(const CotCSignature *c, CotCAbi *abi, CotError *error);

/* Calls an imported function (callee, of cot_function_import) or, if callee is COT_NONE, the code at `address`, of signature
 * `signature`. args: per C argument its value or, for structures, its address; result_at: where a structure result goes.
 * Gives the value of a scalar result, else COT_NONE. */
COT_API uint32_t cot_c_call(CotFunction *f, const CotCAbi *abi, uint32_t callee, uint32_t signature,
                            uint32_t address, const uint32_t *args, uint32_t result_at);
/* In the entry block, after cot_block_entry_params, whose result is first_param: per C argument its value or address, to out. */
COT_API void cot_c_enter(CotFunction *f, const CotCAbi *abi, uint32_t first_param, uint32_t *out);
/* Returns: `value` is the value or address of the result (ignored for void). */
COT_API void cot_c_return(CotFunction *f, const CotCAbi *abi, uint32_t first_param, uint32_t value);

#ifdef __cplusplus
}
#endif
#endif
