/* cot/clif.h — functions in CLIF, Cot's intermediate language: build, verify, print and read them. cot/jit.h compiles and runs
 * them, cot/object.h writes them to object files; docs/opcodes.md says what each instruction means, docs/clif-api.md shows how to use this header.
 *
 * The rules of cot/cot.h hold, and:
 *   - Everything inside a function (values, blocks, variables, signatures, ...) is a uint32_t that is valid in that
 *     function until it is begun anew. COT_NONE stands for "nothing", and is what a call gives that failed.
 *   - A call that makes no sense (a number that names nothing, an operand of the wrong type, no current block, a branch to a
 *     sealed block) changes nothing. The first such error sticks: everything after it does nothing, and
 *     cot_function_end returns it. So a front end may check once per function.
 *   - A CotFunction is used by one thread at a time. It is made once and used for any number of functions, one after the
 *     other; it keeps its memory, so that building allocates nothing once the largest has been seen. */
#ifndef COT_CLIF_H
#define COT_CLIF_H
#include "cot/cot.h"

#ifdef __cplusplus
extern "C" {
#endif

#define COT_NONE UINT32_MAX

/* Types. A vector of 2^n lanes is COT_TYPE_x + 16 * n; a dynamic one of at least 2^n lanes COT_TYPE_x + 128 + 16 * n. */
enum {
    COT_TYPE_I8 = 1,
    COT_TYPE_I16 = 2,
    COT_TYPE_I32 = 3,
    COT_TYPE_I64 = 4,
    COT_TYPE_I128 = 5,
    COT_TYPE_F16 = 6,
    COT_TYPE_F32 = 7,
    COT_TYPE_F64 = 8,
    COT_TYPE_F128 = 9,
    COT_TYPE_I8X16 = 0x41,
    COT_TYPE_I16X8 = 0x32,
    COT_TYPE_I32X4 = 0x23,
    COT_TYPE_I64X2 = 0x14,
    COT_TYPE_F32X4 = 0x27,
    COT_TYPE_F64X2 = 0x18
};

/* Calling conventions. */
enum {
    COT_CONV_FAST = 0, /* Cot's own; not stable between versions */
    COT_CONV_TAIL = 1, /* as fast, with tail calls */
    COT_CONV_SYSTEM_V = 2,
    COT_CONV_WINDOWS = 3,
    COT_CONV_APPLE_AARCH64 = 4,
    COT_CONV_PROBESTACK = 5,
    COT_CONV_WINCH = 6,
    COT_CONV_PRESERVE_ALL = 7
};
enum { COT_EXT_NONE = 0, COT_EXT_ZERO = 1, COT_EXT_SIGN = 2 };
enum {
    COT_PARAM_NORMAL = 0,
    COT_PARAM_STRUCT = 1, /* address of struct_size bytes, which the call copies to the stack */
    COT_PARAM_STRUCT_RETURN = 2, /* where the callee writes its result */
    COT_PARAM_VMCTX = 3
};
typedef struct CotParam {
    uint32_t type;
    uint32_t extension; /* COT_EXT_*: what fills the register above a small integer */
    uint32_t purpose;   /* COT_PARAM_* */
    uint32_t struct_size;
} CotParam;
typedef struct CotSignature {
    uint32_t convention;
    uint32_t
        variadic; /* not 0: the callee is declared with "..." in C; the parameters are those of one call */
    uint32_t nparams, nreturns;
    const CotParam *params;
    const CotParam *returns;
} CotSignature;

/* Conditions of icmp and fcmp. */
enum {
    COT_INT_EQ = 0,
    COT_INT_NE = 1,
    COT_INT_SLT = 2,
    COT_INT_SGE = 3,
    COT_INT_SGT = 4,
    COT_INT_SLE = 5,
    COT_INT_ULT = 6,
    COT_INT_UGE = 7,
    COT_INT_UGT = 8,
    COT_INT_ULE = 9
};
enum {
    COT_FLOAT_ORD = 0,
    COT_FLOAT_UNO = 1,
    COT_FLOAT_EQ = 2,
    COT_FLOAT_NE = 3,
    COT_FLOAT_ONE = 4,
    COT_FLOAT_UEQ = 5,
    COT_FLOAT_LT = 6,
    COT_FLOAT_LE = 7,
    COT_FLOAT_GT = 8,
    COT_FLOAT_GE = 9,
    COT_FLOAT_ULT = 10,
    COT_FLOAT_ULE = 11,
    COT_FLOAT_UGT = 12,
    COT_FLOAT_UGE = 13
};
/* Operations of atomic_rmw. */
enum {
    COT_RMW_ADD = 0,
    COT_RMW_SUB = 1,
    COT_RMW_AND = 2,
    COT_RMW_NAND = 3,
    COT_RMW_OR = 4,
    COT_RMW_XOR = 5,
    COT_RMW_XCHG = 6,
    COT_RMW_UMIN = 7,
    COT_RMW_UMAX = 8,
    COT_RMW_SMIN = 9,
    COT_RMW_SMAX = 10
};
/* Memory flags, added up; 0: nothing is known, and a fault is the trap heap_oob. */
enum {
    COT_MEM_ALIGNED = 1,
    COT_MEM_READONLY = 2, /* nobody writes there while the function runs */
    COT_MEM_CAN_MOVE = 4, /* the address is good wherever it is known */
    COT_MEM_LITTLE = 8,
    COT_MEM_BIG = 16,
    COT_MEM_NOTRAP = 32,
    COT_MEM_TRAP = 256,    /* times a trap code: what a fault is */
    COT_MEM_REGION = 65536 /* times (an alias region + 1) */
};
/* Trap codes: 1 to 250 mean what you say. */
enum {
    COT_CODE_BAD_CONVERSION = 251,
    COT_CODE_DIVISION_BY_ZERO = 252,
    COT_CODE_INTEGER_OVERFLOW = 253,
    COT_CODE_MEMORY = 254,
    COT_CODE_STACK_OVERFLOW = 255
};

typedef struct CotFunction CotFunction;

/* ---- life ---- */
/* A setting of code generation by name, for cot_function_new, cot_jit_new and cot_object_new; `cot settings` lists them. value NULL: a
 * switch goes on. Beyond the defaults listed there, frame pointers are kept and large frames probed inline. Two hold for
 * cot_engine_new, too: opt_level (default none), and regalloc_algorithm (an engine's default is single_pass with none, else
 * backtracking). COT_MISUSE: no such name or value. */
COT_API CotStatus cot_config_set(CotConfig *config, const char *name, const char *value,
                                 CotError *error);

/* The allocator, and settings that the verifier asks for, come from config, which is not needed afterwards; NULL: all defaults. */
COT_API CotFunction *cot_function_new(const CotConfig *config, CotError *error);
COT_API void cot_function_free(CotFunction *f);
/* Empties f and begins a function of that signature. */
COT_API void cot_function_begin(CotFunction *f, const CotSignature *signature);
/* What it is called when printed: letters, digits, '_' and '.'; default "u0:0". */
COT_API void cot_function_set_name(CotFunction *f, const char *name);
/* The allocator that cot_jit_define uses for it, whatever the CotJit's setting is; cot_function_begin takes the choice back. */
COT_API void cot_function_set_regalloc(CotFunction *f, CotRegalloc regalloc);
/* All blocks must be sealed and end in a terminator. Then the verifier runs. COT_MISUSE: the first wrong call;
 * COT_INVALID: what rule is broken, and where; COT_NO_MEMORY. */
COT_API CotStatus cot_function_end(CotFunction *f, CotError *error);
/* Status of the calls so far. */
COT_API CotStatus cot_function_status(const CotFunction *f);
/* The function as text. Writes at most size - 1 bytes and a NUL; gives the length of the whole text (0: out of memory). */
COT_API size_t cot_function_print(CotFunction *f, char *buffer, size_t size);

/* ---- what a function refers to ---- */
/* A further signature, for calls. */
COT_API uint32_t cot_function_signature(CotFunction *f, const CotSignature *signature);
/* A function or data object by its symbol number (see cot_jit_declare). near_by: within 2 GiB, as all that one
 * CotJit or one program or shared library holds is. */
COT_API uint32_t cot_function_import(CotFunction *f, uint32_t symbol, uint32_t signature,
                                     bool near_by);
COT_API uint32_t cot_function_import_data(CotFunction *f, uint32_t symbol, int64_t offset,
                                          bool near_by, bool thread_local_data);
/* Global values, read by symbol_value: the context parameter; a load from one; one plus a constant. */
COT_API uint32_t cot_function_global_vmctx(CotFunction *f);
COT_API uint32_t cot_function_global_load(CotFunction *f, uint32_t base, int32_t offset,
                                          uint32_t type, uint32_t flags);
COT_API uint32_t cot_function_global_add(CotFunction *f, uint32_t base, int64_t offset,
                                         uint32_t type);
/* A global value that the prologue compares the stack pointer with; below it is the trap stk_ovf. */
COT_API void cot_function_stack_limit(CotFunction *f, uint32_t global);
COT_API uint32_t cot_function_stack_slot(CotFunction *f, uint32_t size, uint32_t align);
/* A dynamic vector type by its fixed part, scaled by a global value; a stack slot for one. */
COT_API uint32_t cot_function_dynamic_type(CotFunction *f, uint32_t fixed_type, uint32_t global);
COT_API uint32_t cot_function_dynamic_slot(CotFunction *f, uint32_t dynamic_type);
/* Memory that accesses of other regions do not touch. */
COT_API uint32_t cot_function_alias_region(CotFunction *f, uint32_t user_id, const char *what);
/* Bytes of a vconst or f128const, little-endian. */
COT_API uint32_t cot_function_constant(CotFunction *f, const void *bytes, uint32_t size);

/* ---- blocks: filled one after the other; the first one is where the function starts ---- */
COT_API uint32_t cot_block_new(CotFunction *f);
/* Instructions go to its end from now on. The block before must be empty or end in a terminator. */
COT_API void cot_block_switch(CotFunction *f, uint32_t block);
COT_API uint32_t cot_block_current(const CotFunction *f); /* COT_NONE: none */
/* Does the current block end in a terminator (or is there none)? */
COT_API bool cot_block_is_filled(const CotFunction *f);
/* No more branches to it will come. The sooner the better: before filling it if that can be. */
COT_API void cot_block_seal(CotFunction *f, uint32_t block);
COT_API void cot_block_seal_all(CotFunction *f);
/* One more parameter; before the first branch to it and before it is filled. */
COT_API uint32_t cot_block_param(CotFunction *f, uint32_t block, uint32_t type);
/* One parameter per parameter of the function's signature, in order; gives the first one's value, the others follow. */
COT_API uint32_t cot_block_entry_params(CotFunction *f, uint32_t block);
COT_API void cot_block_cold(CotFunction *f, uint32_t block); /* seldom runs */

/* ---- variables: assigned any number of times, turned into values and block parameters ---- */
COT_API uint32_t cot_var_new(CotFunction *f, uint32_t type);
COT_API void cot_var_set(CotFunction *f, uint32_t var, uint32_t value);
/* Its value at this place; zero on ways on which it was not set. */
COT_API uint32_t cot_var_get(CotFunction *f, uint32_t var);

/* ---- instructions ---- */
/* A block with arguments. In a try_call's targets an argument may also be COT_ARG_RESULT + k, result k of the call (only in
 * the normal target), or COT_ARG_EXCEPTION + k, word k of what was thrown (only in handlers). */
#define COT_ARG_RESULT 0x40000000u
#define COT_ARG_EXCEPTION 0x80000000u
typedef struct CotTarget {
    uint32_t block, nargs;
    const uint32_t *args;
} CotTarget;
/* targets[0] is the default. A table is used by one br_table only. */
COT_API uint32_t cot_function_jump_table(CotFunction *f, const CotTarget *targets, uint32_t count);
enum { COT_HANDLER_TAG = 0, COT_HANDLER_DEFAULT = 1, COT_HANDLER_CONTEXT = 2 };
typedef struct CotHandler {
    uint32_t kind;    /* COT_HANDLER_* */
    uint32_t tag;     /* COT_HANDLER_TAG */
    uint32_t context; /* COT_HANDLER_CONTEXT: a value, for the handlers that follow */
    CotTarget target; /* of the other two kinds */
} CotHandler;
/* Where a try_call of that signature continues. A table is used by one try_call only. */
COT_API uint32_t cot_function_exception_table(CotFunction *f, uint32_t signature,
                                              const CotTarget *normal, const CotHandler *handlers,
                                              uint32_t count);

/* Source location of the instructions to come: any number of yours; COT_NONE: unknown. */
COT_API void cot_function_location(CotFunction *f, uint32_t location);

/* Any instruction. Which fields count follows from the opcode (cot/clif_ops.h, docs/opcodes.md). */
typedef struct CotIns {
    uint32_t op;          /* COT_OP_* */
    uint32_t type;        /* opcodes written with a type, as iconst.i32 */
    uint32_t args[3];     /* value operands in text order */
    uint32_t nlist;       /* arguments of calls and return */
    const uint32_t *list; /* likewise */
    int64_t imm;          /* number, offset, lane, or the bits of a float */
    uint32_t code;        /* condition, trap code, or atomic operation */
    uint32_t flags;       /* COT_MEM_* */
    uint32_t entity; /* signature, function, slot, constant, global value, jump table, or block */
    uint32_t table;  /* exception table */
    const uint8_t *mask;  /* 16 bytes of a shuffle */
    CotTarget targets[2]; /* of branches */
} CotIns;
/* Gives the instruction. */
COT_API uint32_t cot_ins(CotFunction *f, const CotIns *ins);
/* Results of an instruction. */
COT_API uint32_t cot_ins_result_count(const CotFunction *f, uint32_t inst);
COT_API uint32_t cot_ins_result(const CotFunction *f, uint32_t inst, uint32_t k);
/* The type of a value; 0 if there is no such value. */
COT_API uint32_t cot_value_type(const CotFunction *f, uint32_t value);
/* f32const and f64const of the number itself. */
COT_API uint32_t cot_ins_float(CotFunction *f, float x);
COT_API uint32_t cot_ins_double(CotFunction *f, double x);

/* ---- data, for cot_jit_define_data and cot_object_define_data ---- */
enum {
    COT_DATA_CONSTANT = 0,
    COT_DATA_WRITABLE = 1,
    COT_DATA_THREAD = 2 /* what each thread's own copy begins with */
};
typedef struct CotAddress { /* 8 bytes at offset become the address of symbol plus addend */
    uint64_t offset;
    int64_t addend;
    uint32_t symbol;
} CotAddress;
typedef struct CotData {
    const void *bytes; /* copied; NULL: zeros */
    uint64_t size;
    uint32_t align; /* a power of two; 0: 16 */
    uint32_t kind;  /* COT_DATA_* */
    const CotAddress *addresses;
    uint32_t naddresses;
} CotData;

/* ---- reading text ---- */
typedef struct CotReader CotReader;
/* Reads a .clif text, which must outlive the reader. NULL: out of memory, or the text's header is wrong. */
COT_API CotReader *cot_reader_new(const char *text, size_t size, CotError *error);
COT_API void cot_reader_free(CotReader *r);
/* Puts the next function into f and verifies it. *found: false at the end of the text. COT_MALFORMED: the message begins
 * with LINE:COLUMN. */
COT_API CotStatus cot_reader_next(CotReader *r, CotFunction *f, bool *found, CotError *error);

#ifdef __cplusplus
}
#endif
#include "cot/clif_ops.h"
#endif
