/* clif/opspec.h — a row of opcodes.def as data: operand kinds, type constraints, results.
 *
 * Every type in an instruction is fixed, equal to the controlling type, a function of it, or independent
 * but confined to a set; so one comparison per operand checks an instruction, and its result types follow
 * from its opcode and controlling type alone (calls: from the signature). */
#ifndef COT_CLIF_OPSPEC_H
#define COT_CLIF_OPSPEC_H
#include "clif/clif.h"

typedef enum ClifTypeSet {
#define CLIF_TYPESET(Name, ...) CLIF_TS_##Name,
#include "clif/typesets.def"
#undef CLIF_TYPESET
    CLIF_TS_COUNT
} ClifTypeSet;

typedef enum ClifTypeClass {
    CLIF_TC_CTRL, /* the controlling type itself */
    CLIF_TC_LANE,
    CLIF_TC_TRUTHY,
    CLIF_TC_HALF,
    CLIF_TC_DOUBLE,
    CLIF_TC_SPLIT,
    CLIF_TC_MERGE,
    CLIF_TC_FIXEDV, /* functions of it */
    CLIF_TC_NARROWER,
    CLIF_TC_WIDER, /* relations to it; only of arguments */
    CLIF_TC_SET,   /* arg: ClifTypeSet; only of arguments */
    CLIF_TC_LIKE,  /* the same, with as many lanes */
    CLIF_TC_JUST,  /* arg: ClifType */
} ClifTypeClass;
typedef struct ClifTypeSpec {
    uint8_t cls, arg;
} ClifTypeSpec;

typedef enum ClifOperandKind {
    CLIF_OPK_NONE,
    CLIF_OPK_VALUE,
    CLIF_OPK_VARARGS,
    CLIF_OPK_IMM64,
    CLIF_OPK_UIMM8,
    CLIF_OPK_OFFSET32,
    CLIF_OPK_IEEE16,
    CLIF_OPK_IEEE32,
    CLIF_OPK_IEEE64,
    CLIF_OPK_UIMM128,
    CLIF_OPK_CONSTANT,
    CLIF_OPK_INTCC,
    CLIF_OPK_FLOATCC,
    CLIF_OPK_MEMFLAGS,
    CLIF_OPK_TRAPCODE,
    CLIF_OPK_RMWOP,
    CLIF_OPK_BLOCKCALL,
    CLIF_OPK_BLOCK,
    CLIF_OPK_STACKSLOT,
    CLIF_OPK_DYNSLOT,
    CLIF_OPK_GLOBALVALUE,
    CLIF_OPK_SIGREF,
    CLIF_OPK_FUNCREF,
    CLIF_OPK_JUMPTABLE,
    CLIF_OPK_EHTABLE,
    CLIF_OPK_COUNT
} ClifOperandKind;
typedef struct ClifOperandSpec {
    uint8_t kind;      /* ClifOperandKind */
    ClifTypeSpec type; /* values only */
    const char *name;
} ClifOperandSpec;

typedef enum ClifCtrlMode { CLIF_CTRL_MONO, CLIF_CTRL_BY_ARG, CLIF_CTRL_BY_RESULT } ClifCtrlMode;
typedef struct ClifOpSpec {
    uint8_t ctrl_mode, ctrl_arg, ctrl_set;
    uint8_t nargs; /* operands in text order */
    ClifTypeSpec result_types[2];
    const char *result_names[2];
    ClifOperandSpec args[4];
} ClifOpSpec;
extern const ClifOpSpec clif_op_spec[CLIF_OP_COUNT];

bool clif_typeset_has(ClifTypeSet s, ClifType t);
const char *clif_typeset_doc(ClifTypeSet s);
const char *clif_operand_kind_name(ClifOperandKind k);
/* The type that `spec` yields for a controlling type; CLIF_INVALID if there is none, or if the spec is a
 * set or a relation and not a function. */
ClifType clif_type_apply(ClifTypeSpec spec, ClifType ctrl);
/* Does type t satisfy `spec` under this controlling type? */
bool clif_type_matches(ClifTypeSpec spec, ClifType ctrl, ClifType t);

typedef struct ClifFormatInfo {
    const char *name;
    const char *pattern; /* see formats.def */
    uint8_t ctrl_arg;
} ClifFormatInfo;
extern const ClifFormatInfo clif_format_info[CLIF_FMT_COUNT];
extern const char *const clif_callconv_name[];
extern const char *const clif_libcall_name[]; /* as in .clif text */
extern const char *const clif_rmw_name[];
/* "heap_oob", "user7"; buf holds at least 16 bytes; returns buf or a constant. */
const char *clif_trap_name(ClifTrap t, char *buf);
ClifTrap clif_trap_parse(const char *s, unsigned n); /* CLIF_TRAP_NONE if not a trap code */
ClifOp clif_op_parse(const char *s, unsigned n);     /* CLIF_OP_INVALID if not an opcode */
#endif
