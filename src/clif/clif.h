/* clif/clif.h — the IR: entities, instruction data, data-flow graph, layout, function.
 *
 * A function is a set of flat arrays indexed by 32-bit handles; it holds no pointers into itself, so it
 * can be cleared and refilled without allocating. Values are SSA; control-flow joins pass values as block
 * parameters. One instruction is 16 bytes:
 *
 *    0        1        2       4          8          12         16
 *   | opcode | type   | aux16 |    a     |    b     |    c     |
 *
 *   type   the controlling type (what follows the dot in `load.i32`), CLIF_INVALID when the opcode has none
 *   aux    condition code, memory-flags index, trap code or 8-bit immediate, by format
 *   a b c  by format:
 *     Unary a | Binary a b | Ternary a b c | BinaryImm8 a, aux | TernaryImm8 a b, aux
 *     UnaryImm imm64 = b | c<<32 | UnaryIeee16/32/64 bits in b (c) | UnaryConst a=ClifConst | UnaryGlobalValue a
 *     MultiAry a=list | IntCompare FloatCompare a b, aux=cc | Shuffle a b, c=ClifImm128
 *     Jump a=blockcall | Brif a=cond b,c=blockcalls (then, else) | BranchTable a=index b=ClifJumpTable
 *     Call a=list b=ClifFuncRef | CallIndirect a=list(callee first) b=ClifSigRef
 *     TryCall a=list b=ClifFuncRef c=ClifEhTable | TryCallIndirect a=list(callee first) c=ClifEhTable
 *     FuncAddr a=ClifFuncRef | Load a, b=offset, aux=memflags | Store a=data b=addr c=offset, aux=memflags
 *     LoadNoOffset a, aux | StoreNoOffset a=data b=addr, aux | AtomicRmw a=addr b=value, aux, c=ClifRmwOp | AtomicCas a b c, aux
 *     StackAddr a=ClifStackSlot b=offset | DynamicStackAddr a | Trap aux | CondTrap a, aux | IntAddTrap a b, aux
 *     ExceptionHandlerAddress a=ClifBlock imm64 = b|c<<32
 *   "list" and "blockcall" are ListRefs into `lists`; a blockcall is [block, arg0, arg1, ...].
 */
#ifndef COT_CLIF_CLIF_H
#define COT_CLIF_CLIF_H
#include "base/diag.h"
#include "base/hashmap.h"
#include "base/listpool.h"
#include "clif/types.h"

#define CLIF_NONE UINT32_MAX
typedef struct {
    uint32_t i;
} ClifValue;
typedef struct {
    uint32_t i;
} ClifInst;
typedef struct {
    uint32_t i;
} ClifBlock;
typedef struct {
    uint32_t i;
} ClifFuncRef;
typedef struct {
    uint32_t i;
} ClifSigRef;
typedef struct {
    uint32_t i;
} ClifStackSlot;
typedef struct {
    uint32_t i;
} ClifDynStackSlot;
typedef struct {
    uint32_t i;
} ClifDynType;
typedef struct {
    uint32_t i;
} ClifGlobalValue;
typedef struct {
    uint32_t i;
} ClifJumpTable;
typedef struct {
    uint32_t i;
} ClifConst;
typedef struct {
    uint32_t i;
} ClifImm128;
typedef struct {
    uint32_t i;
} ClifEhTable;
typedef struct {
    uint32_t i;
} ClifVar;                   /* front-end variable, see builder.h */
typedef uint32_t ClifSrcLoc; /* CLIF_NONE = unknown; for Wasm the byte offset in the module */

/* Anything of a function that a comment or an error can be about. */
typedef enum ClifEntityKind {
    CLIF_ENTITY_FUNCTION,
    CLIF_ENTITY_BLOCK,
    CLIF_ENTITY_INST,
    CLIF_ENTITY_VALUE,
    CLIF_ENTITY_STACK_SLOT,
    CLIF_ENTITY_DYN_SLOT,
    CLIF_ENTITY_DYN_TYPE,
    CLIF_ENTITY_GLOBAL_VALUE,
    CLIF_ENTITY_SIG,
    CLIF_ENTITY_FUNC,
    CLIF_ENTITY_CONST,
    CLIF_ENTITY_REGION,
    CLIF_ENTITY_STACK_LIMIT,
    CLIF_ENTITY_KIND_COUNT
} ClifEntityKind;
typedef struct ClifEntity {
    uint32_t kind, index;
} ClifEntity;

/* ---- opcodes: everything about an opcode is its row in opcodes.def ---- */
typedef enum ClifFormat {
#define CLIF_FORMAT(Name, ...) CLIF_FMT_##Name,
#include "clif/formats.def"
#undef CLIF_FORMAT
    CLIF_FMT_COUNT
} ClifFormat;

typedef enum ClifOp {
    CLIF_OP_INVALID = 0,
#define CLIF_OPCODE(NAME, text, Format, ...) CLIF_OP_##NAME,
#include "clif/opcodes.def"
#undef CLIF_OPCODE
    CLIF_OP_COUNT
} ClifOp;

enum { /* ClifOpInfo.flags */
       CLIF_OPF_TERMINATOR = 1,
       CLIF_OPF_BRANCH = 2,
       CLIF_OPF_CALL = 4,
       CLIF_OPF_RETURN = 8,
       CLIF_OPF_CAN_LOAD = 16,
       CLIF_OPF_CAN_STORE = 32,
       CLIF_OPF_CAN_TRAP = 64,
       CLIF_OPF_OTHER_SIDE_EFFECTS = 128,
       CLIF_OPF_SIDE_EFFECTS_IDEMPOTENT = 256,
};
/* How the type of the single result follows: from the row's type-variable columns. */
typedef enum ClifResultRule {
    CLIF_RES_NONE,
    CLIF_RES_CTRL,
    CLIF_RES_FIXED,
    CLIF_RES_DERIVED,
    CLIF_RES_MANY,
    CLIF_RES_SIG
} ClifResultRule;

typedef struct ClifOpInfo {
    const char *name; /* as printed: "iadd" */
    const char *doc;
    uint8_t format;      /* ClifFormat */
    uint8_t result_rule; /* ClifResultRule */
    uint8_t fixed_type;  /* for CLIF_RES_FIXED */
    uint8_t nresults;    /* 0..2; calls: by signature */
    uint16_t flags;      /* CLIF_OPF_* */
    uint8_t
        ctrl_operand; /* index of the value argument whose type is the controlling type, 255 = explicit or none */
    uint8_t explicit_ctrl; /* 1: the text shows the type after the opcode, as in iconst.i32 */
    uint8_t nvalues;       /* fixed value arguments, stored in a, b, c in order */
    uint8_t has_list;      /* 1: the value arguments are the list in a */
    uint8_t one_result;    /* 1: exactly one, kept in ClifFunc.results itself */
} ClifOpInfo;
_Static_assert(sizeof(ClifOpInfo) == 32, "indexed by a shift");
extern const ClifOpInfo clif_op_info[CLIF_OP_COUNT];
static inline bool clif_op_is(ClifOp op, unsigned flag) {
    return clif_op_info[op].flags & flag;
}

typedef enum ClifIntCC {
    CLIF_EQ,
    CLIF_NE,
    CLIF_SLT,
    CLIF_SGE,
    CLIF_SGT,
    CLIF_SLE,
    CLIF_ULT,
    CLIF_UGE,
    CLIF_UGT,
    CLIF_ULE
} ClifIntCC;
typedef enum ClifFloatCC { /* ord uno eq ne one ueq lt le gt ge ult ule ugt uge */
                           CLIF_FORD,
                           CLIF_FUNO,
                           CLIF_FEQ,
                           CLIF_FNE,
                           CLIF_FONE,
                           CLIF_FUEQ,
                           CLIF_FLT,
                           CLIF_FLE,
                           CLIF_FGT,
                           CLIF_FGE,
                           CLIF_FULT,
                           CLIF_FULE,
                           CLIF_FUGT,
                           CLIF_FUGE
} ClifFloatCC;
ClifIntCC clif_intcc_inverse(ClifIntCC c); /* !(a cc b) */
ClifIntCC clif_intcc_swap(ClifIntCC c);    /* b cc a */
ClifFloatCC clif_floatcc_inverse(ClifFloatCC c);
ClifFloatCC clif_floatcc_swap(ClifFloatCC c);
extern const char *const clif_intcc_name[], *const clif_floatcc_name[];

typedef enum ClifRmwOp {
    CLIF_RMW_ADD,
    CLIF_RMW_SUB,
    CLIF_RMW_AND,
    CLIF_RMW_NAND,
    CLIF_RMW_OR,
    CLIF_RMW_XOR,
    CLIF_RMW_XCHG,
    CLIF_RMW_UMIN,
    CLIF_RMW_UMAX,
    CLIF_RMW_SMIN,
    CLIF_RMW_SMAX
} ClifRmwOp;

/* Trap codes: 1..250 are user codes ("user11"), the reserved ones as in the reference. */
typedef uint8_t ClifTrap;
enum {
    CLIF_TRAP_NONE = 0,
    CLIF_TRAP_STACK_OVERFLOW = 255,
    CLIF_TRAP_HEAP_OUT_OF_BOUNDS = 254,
    CLIF_TRAP_INTEGER_OVERFLOW = 253,
    CLIF_TRAP_INTEGER_DIVISION_BY_ZERO = 252,
    CLIF_TRAP_BAD_CONVERSION_TO_INTEGER = 251
};

/* Memory flags are interned per function; the instruction holds the 16-bit index. */
enum {
    CLIF_MEM_ALIGNED = 1,
    CLIF_MEM_READONLY = 2,
    CLIF_MEM_CAN_MOVE = 4,
    CLIF_MEM_LITTLE = 8,
    CLIF_MEM_BIG = 16
};
typedef struct ClifMemFlags {
    uint8_t bits; /* CLIF_MEM_* */
    uint8_t
        trap; /* trap code of a faulting access; CLIF_TRAP_NONE = notrap. Default: HEAP_OUT_OF_BOUNDS */
    uint16_t pad;
    uint32_t region; /* alias region index, CLIF_NONE = none */
} ClifMemFlags;

typedef struct ClifInstData {
    uint8_t op, type;
    uint16_t aux;
    uint32_t a, b, c;
} ClifInstData;
_Static_assert(sizeof(ClifInstData) == 16, "CLIF instruction is 16 bytes");
static inline uint64_t clif_imm64(const ClifInstData *d) {
    return d->b | (uint64_t)d->c << 32;
}

/* value: | kind 2 | type 8 | num 22 | ref 32 | */
typedef enum ClifValueKind {
    CLIF_VAL_INST,
    CLIF_VAL_PARAM,
    CLIF_VAL_ALIAS,
    CLIF_VAL_UNION
} ClifValueKind;
typedef struct ClifValueData {
    uint32_t kind : 2, type : 8, num : 22; /* num: which result or parameter (union: unused) */
    uint32_t ref; /* instruction, block, aliased value; CLIF_NONE = not defined yet */
} ClifValueData;
_Static_assert(sizeof(ClifValueData) == 8, "CLIF value is 8 bytes");

typedef struct ClifBlockData {
    uint32_t first, last; /* instructions, CLIF_NONE when empty */
    uint32_t prev, next;  /* layout */
    ListRef params;       /* values */
    uint32_t flags;       /* CLIF_BLOCK_* */
} ClifBlockData;
enum { CLIF_BLOCK_COLD = 1, CLIF_BLOCK_INSERTED = 2 /* is in the layout */ };
_Static_assert(sizeof(ClifBlockData) <= 32, "CLIF block");

typedef struct ClifInstLink {
    uint32_t prev, next, block;
} ClifInstLink; /* block = CLIF_NONE: not in the layout */

/* ---- signatures and external things ---- */
typedef enum ClifCallConv {
#define CLIF_CALLCONV(NAME, text) CLIF_CC_##NAME,
#include "clif/callconv.def"
#undef CLIF_CALLCONV
} ClifCallConv; /* FAST TAIL SYSTEM_V WINDOWS_FASTCALL APPLE_AARCH64 PROBESTACK WINCH PRESERVE_ALL */
typedef enum ClifArgExt { CLIF_EXT_NONE, CLIF_EXT_UEXT, CLIF_EXT_SEXT } ClifArgExt;
typedef enum ClifArgPurpose {
    CLIF_ARG_NORMAL,
    CLIF_ARG_STRUCT_ARG,
    CLIF_ARG_STRUCT_RETURN,
    CLIF_ARG_VMCTX
} ClifArgPurpose;
typedef struct ClifAbiParam {
    uint8_t type, ext, purpose, pad;
    uint32_t struct_size;
} ClifAbiParam;
typedef struct ClifSig {
    uint8_t callconv;
    uint8_t variadic; /* System V: caller sets AL to the number of vector registers */
    uint16_t pad;
    uint32_t params, nparams;   /* into ClifFunc.abi_params */
    uint32_t returns, nreturns; /* likewise */
} ClifSig;

typedef enum ClifNameKind {
    CLIF_NAME_USER /* namespace a, index b: "u0:1" */,
    CLIF_NAME_TESTCASE /* offset a, length b in f->bytes: "%foo" */,
    CLIF_NAME_LIBCALL /* a = ClifLibCall */,
    CLIF_NAME_KNOWN /* a = ClifKnownSymbol */,
    CLIF_NAME_USER_REF /* a: place in f->user_names, which may not reach it: "userextname1" */
} ClifNameKind;
typedef struct ClifName {
    uint32_t kind, a, b;
} ClifName;
typedef enum ClifKnownSymbol {
    CLIF_KNOWN_ELF_GLOBAL_OFFSET_TABLE,
    CLIF_KNOWN_COFF_TLS_INDEX,
    CLIF_KNOWN_COUNT
} ClifKnownSymbol;
extern const char *const clif_known_symbol_name[]; /* as in .clif text, without % */
typedef struct ClifExtFunc {
    ClifName name;
    ClifSigRef sig;
    uint8_t colocated, patchable;
} ClifExtFunc;

typedef enum ClifLibCall {
#define CLIF_LIBCALL(NAME, text, symbol) CLIF_LIBCALL_##NAME,
#include "clif/libcall.def"
#undef CLIF_LIBCALL
    CLIF_LIBCALL_COUNT
} ClifLibCall;
extern const char *const clif_libcall_symbol[]; /* C symbol, e.g. "ceilf" */

typedef enum ClifGvKind {
    CLIF_GV_VMCTX,
    CLIF_GV_LOAD,
    CLIF_GV_IADD_IMM,
    CLIF_GV_SYMBOL,
    CLIF_GV_DYN_SCALE
} ClifGvKind;
typedef struct ClifGlobalValueData {
    uint8_t kind, type;     /* type: of the value */
    uint8_t colocated, tls; /* symbol */
    uint16_t memflags;      /* load */
    uint32_t base;          /* load, iadd_imm: global value */
    int64_t offset;         /* load, iadd_imm, symbol */
    ClifName name;          /* symbol */
    uint8_t vector_type;    /* dyn_scale */
} ClifGlobalValueData;

typedef struct ClifStackSlotData {
    uint32_t size;
    uint8_t kind /* 0 explicit, 1 explicit dynamic */, align_log2;
    uint64_t key;
    uint8_t has_key;
} ClifStackSlotData;
typedef struct ClifDynStackSlotData {
    uint32_t dyn_type;
} ClifDynStackSlotData;
typedef struct ClifDynTypeData {
    uint8_t base_vector;
    uint32_t scale_gv;
} ClifDynTypeData;
/* Table of blockcalls: entry 0 is the default, 1..n-1 the indexed targets. */
typedef struct ClifJumpTableData {
    uint32_t first, n;
} ClifJumpTableData; /* into jt_calls */
typedef struct ClifRange {
    uint32_t first, n;
} ClifRange; /* bytes in f->bytes; first = CLIF_NONE: a number that text skipped */
typedef struct ClifAliasRegion {
    uint32_t user_id;
    ClifRange desc;
} ClifAliasRegion;
/* try_call: normal return target and handlers */
typedef enum ClifEhItemKind { CLIF_EH_TAG, CLIF_EH_DEFAULT, CLIF_EH_CONTEXT } ClifEhItemKind;
typedef struct ClifEhItem {
    uint8_t kind;
    uint32_t tag;
    uint32_t call; /* tag, default: index into jt_calls */
    ClifValue context;
} ClifEhItem;
/* calls[0] is the normal return, the rest are those of the tag and default items in their order */
typedef struct ClifEhTableData {
    ClifSigRef sig;
    uint32_t calls, ncalls; /* into jt_calls */
    uint32_t first, n;      /* into eh_items */
} ClifEhTableData;
/* Arguments of a blockcall are values, or, for try_call targets, results: top two bits of the word. */
#define CLIF_BLOCKARG_TRY_RET 0x40000000u
#define CLIF_BLOCKARG_TRY_EXN 0x80000000u
#define CLIF_BLOCKARG_MASK 0xC0000000u

typedef struct ClifStackMapEntry {
    uint32_t inst, type, slot, offset;
} ClifStackMapEntry;
/* Tags that an embedder attaches to a call or sequence point, for the machine code's metadata. */
typedef struct ClifValueLabel { /* a variable of the source has that value, */
    uint32_t inst;              /* from behind this instruction on; CLIF_NONE: from the start */
    uint32_t block;             /* of this block on */
    uint32_t value, label;      /* label: the variable; CLIF_NONE: the context */
} ClifValueLabel;
typedef struct ClifDebugTag {
    uint32_t inst;
    uint32_t is_slot; /* 0: value is the user's, 1: a stack slot */
    uint32_t value;
} ClifDebugTag;

typedef struct ClifFunc {
    Mem *mem;
    ClifName name;
    ClifSig sig;
    /* data-flow graph */
    VEC(ClifInstData) insts;
    VecU32
        results; /* per inst: the value (opcodes with exactly one result), a ListRef (several), or CLIF_NONE */
    VEC(ClifInstLink) links; /* per inst */
    VecU32 srclocs;          /* per inst: ClifSrcLoc */
    VEC(ClifValueData) values;
    VEC(ClifBlockData) blocks;
    ListPool lists;
    uint32_t first_block, last_block; /* layout */
    uint32_t num_aliases;             /* values ever turned into aliases */
    /* entities of the preamble */
    VEC(ClifSig) sigs;
    VEC(ClifAbiParam) abi_params;
    VEC(ClifExtFunc) funcs;
    VEC(ClifGlobalValueData) gvs;
    VEC(ClifStackSlotData) slots;
    VEC(ClifDynStackSlotData) dyn_slots;
    VEC(ClifDynTypeData) dyn_types;
    VEC(ClifJumpTableData) jts;
    VecU32 jt_calls;       /* ListRef of each blockcall */
    VEC(ClifRange) consts; /* little-endian bytes */
    VEC(ClifRange) imm128s;
    VEC(ClifEhTableData) eh_tables;
    VEC(ClifEhItem) eh_items;
    VEC(ClifMemFlags) memflags;
    VEC(ClifAliasRegion) regions;
    VecU8 bytes;          /* constants, names, descriptions */
    HashMap intern;       /* memory flags and constants already there */
    uint32_t stack_limit; /* global value or CLIF_NONE */
    VecU32 user_names;    /* pairs (namespace, index), when names are by reference */
    /* user stack maps and debug tags, sorted by instruction; empty unless the producer asks */
    VEC(ClifStackMapEntry) stack_maps;
    VEC(ClifDebugTag) debug_tags;
    VEC(ClifValueLabel) labels; /* likewise, in any order */
} ClifFunc;

/* ---- function ---- */
void clif_func_init(ClifFunc *f, Mem *m);
void clif_func_clear(ClifFunc *f); /* empty again; keeps every capacity */
void clif_func_free(ClifFunc *f);
/* Room for about so many instructions and values, so that a large function does not move its arrays as it grows. */
void clif_func_reserve(ClifFunc *f, uint32_t insts);
/* The signature of a call-like instruction; NULL if it is none or its entity is out of range. */
const ClifSig *clif_call_sig(const ClifFunc *f, ClifInst i);

/* ---- data-flow graph (all inline accessors are in dfg.h) ---- */
ClifBlock clif_make_block(ClifFunc *f);
ClifInst clif_make_inst(ClifFunc *f, ClifInstData d); /* no results yet, not in the layout */
ClifValue clif_make_result(ClifFunc *f, ClifInst i, ClifType t); /* appends one result */
/* Types of all results of an instruction whose arguments are in place; returns their number, writes up to cap. */
uint32_t clif_result_types(const ClifFunc *f, ClifInst i, ClifType *out, uint32_t cap);
uint32_t clif_make_results(ClifFunc *f, ClifInst i); /* all of them, by clif_result_types */
ClifValue clif_append_block_param(ClifFunc *f, ClifBlock b, ClifType t);
/* For text, where values come with their numbers: make room for numbers below n (values without a definition: kind
 * result, no type, ref CLIF_NONE), and define number v as the next result or parameter. */
void clif_reserve_values(ClifFunc *f, uint32_t n);
void clif_define_result(ClifFunc *f, ClifInst i, ClifType t, ClifValue v);
void clif_define_block_param(ClifFunc *f, ClifBlock b, ClifType t, ClifValue v);
void clif_define_alias(ClifFunc *f, ClifValue v, ClifValue of); /* of is defined */
void clif_remove_block_param(ClifFunc *f, ClifBlock b, uint32_t at);
/* A parameter value of b that is not (yet) in its list; attaching appends it. SSA construction decides late. */
ClifValue clif_make_detached_param(ClifFunc *f, ClifBlock b, ClifType t);
void clif_attach_block_param(ClifFunc *f, ClifValue v);
void clif_change_to_alias(ClifFunc *f, ClifValue v, ClifValue of);
ClifValue clif_resolve_compress(ClifFunc *f,
                                ClifValue v); /* as clif_resolve, and shortens the chain */
ClifValue clif_resolve_slow(const ClifFunc *f, ClifValue v);
/* Replaces every alias in every argument by what it stands for. */
void clif_resolve_all_aliases(ClifFunc *f);
ListRef clif_make_blockcall(ClifFunc *f, ClifBlock b, const ClifValue *args, uint32_t n);
uint16_t clif_intern_memflags(ClifFunc *f, ClifMemFlags mf);
ClifConst clif_intern_const(ClifFunc *f, const void *bytes, uint32_t n);
/* Gives a constant its number, which must be free; numbers below it that are not taken stay free. */
void clif_set_const(ClifFunc *f, ClifConst c, const void *bytes, uint32_t n);
ClifImm128 clif_make_imm128(ClifFunc *f, const uint8_t bytes[16]);
ClifSigRef clif_import_sig(ClifFunc *f, ClifCallConv cc, const ClifAbiParam *params, uint32_t np,
                           const ClifAbiParam *rets, uint32_t nr);
void clif_set_sig(ClifFunc *f, ClifCallConv cc, const ClifAbiParam *params, uint32_t np,
                  const ClifAbiParam *rets, uint32_t nr);
ClifFuncRef clif_import_func(ClifFunc *f, ClifExtFunc ef);
ClifStackSlot clif_make_stack_slot(ClifFunc *f, uint32_t size, uint8_t align_log2);
ClifGlobalValue clif_make_gv(ClifFunc *f, ClifGlobalValueData gv);
ClifJumpTable clif_make_jump_table(ClifFunc *f, const ListRef *calls,
                                   uint32_t n); /* calls[0] = default */
/* items: kind, tag, context are read; calls: the normal return, then one per tag or default item in order. */
ClifEhTable clif_make_eh_table(ClifFunc *f, ClifSigRef sig, const ListRef *calls, uint32_t ncalls,
                               const ClifEhItem *items, uint32_t n);
ClifDynStackSlot clif_make_dyn_stack_slot(ClifFunc *f, ClifDynType t);
ClifDynType clif_make_dyn_type(ClifFunc *f, ClifType base_vector, ClifGlobalValue scale);
uint32_t clif_make_alias_region(ClifFunc *f, uint32_t user_id, const char *desc, uint32_t len);
ClifName clif_testcase_name(ClifFunc *f, const char *s, uint32_t n); /* without the leading % */
static inline ClifName clif_user_name(uint32_t ns, uint32_t index) {
    return (ClifName){CLIF_NAME_USER, ns, index};
}
/* A user name given by reference becomes a user name if the function's table reaches it. */
static inline ClifName clif_resolve_name(const ClifFunc *f, ClifName n) {
    if (n.kind != CLIF_NAME_USER_REF || n.a >= f->user_names.n / 2) return n;
    return clif_user_name(f->user_names.p[2 * n.a], f->user_names.p[2 * n.a + 1]);
}
/* All blockcalls of a branch in text order (br_table: the default first). Returns their number; *out points into
 * the function or to tmp. Used by CFG, verifier, back end. */
uint32_t clif_branch_calls(const ClifFunc *f, ClifInst i, const ListRef **out, ListRef tmp[2]);

/* ---- layout ---- */
void clif_append_block(ClifFunc *f, ClifBlock b);
void clif_insert_block_after(ClifFunc *f, ClifBlock b, ClifBlock after);
void clif_insert_block_before(ClifFunc *f, ClifBlock b, ClifBlock before);
void clif_remove_block(ClifFunc *f, ClifBlock b);
void clif_append_inst(ClifFunc *f, ClifInst i, ClifBlock b);
void clif_insert_inst_before(ClifFunc *f, ClifInst i, ClifInst before);
void clif_remove_inst(ClifFunc *f, ClifInst i);

/* ---- changing what is there (edit.c) ---- */
/* Is the value among the results or parameters of its definition? False for aliases and values without a definition. */
bool clif_value_is_attached(const ClifFunc *f, ClifValue v);
/* Detaches all results; their numbers stay taken. */
void clif_clear_results(ClifFunc *f, ClifInst i);
/* The results of i become aliases of those of `by` (as many, of the same types); i has none then and may be removed. */
void clif_replace_with_aliases(ClifFunc *f, ClifInst i, ClifInst by);
/* Another instruction at the same place. Results that are there are kept, and must suit d; else they are made. d.type is
 * the controlling type. Between opcodes of one result and calls, the one result is kept. */
void clif_replace_inst(ClifFunc *f, ClifInst i, ClifInstData d);
/* A copy outside the layout with lists and results of its own; tables, stack maps and debug tags are not copied. */
ClifInst clif_clone_inst(ClifFunc *f, ClifInst i);
/* A new parameter of type t in place of v, which is detached. Uses of v are the caller's to change. */
ClifValue clif_replace_block_param(ClifFunc *f, ClifValue v, ClifType t);
/* Every edge of branch i to `from` goes to `to` instead, with the same arguments. */
void clif_retarget_branch(ClifFunc *f, ClifInst i, ClifBlock from, ClifBlock to);
/* Moves `before` and all after it to `fresh`, an empty block outside the layout, which comes next. The old block has
 * no terminator then. */
void clif_split_block(ClifFunc *f, ClifBlock fresh, ClifInst before);
/* The entry block's first parameter of this purpose; CLIF_NONE: there is none. */
ClifValue clif_special_param(const ClifFunc *f, ClifArgPurpose purpose);

/* ---- text (print.c): the reference's .clif syntax ---- */
void clif_print_func(const ClifFunc *f, StrBuf *out);
void clif_print_inst(const ClifFunc *f, ClifInst i, StrBuf *out);
void clif_print_name(const ClifFunc *f, ClifName n, StrBuf *out);
void clif_print_block_header(const ClifFunc *f, ClifBlock b, uint32_t indent, StrBuf *out);
/* What the reader of this text calls it: "inst3", "block1", "gv0", "function". */
void clif_print_entity(ClifEntity e, StrBuf *out);

#include "clif/dfg.h"
#endif
