/* clif/optable.c — the constant tables that opcodes.def, formats.def, typesets.def, callconv.def and
 * libcall.def expand to, and the functions on type constraints.
 *
 * Idea  A column of opcodes.def is written with short macros (V, I, T, ONE_OF, R1 ...). They are given
 *       meaning here, once for the compact ClifOpInfo that hot paths read and once for the complete
 *       ClifOpSpec that verifier, parser and documentation read. Nothing is computed at run time. */
#include "clif/opspec.h"

/* ---- flags column ---- */
enum {
    TERM = CLIF_OPF_TERMINATOR,
    BRANCH = CLIF_OPF_TERMINATOR | CLIF_OPF_BRANCH,
    RETURN = CLIF_OPF_TERMINATOR | CLIF_OPF_RETURN,
    CALL = CLIF_OPF_CALL,
    LOAD = CLIF_OPF_CAN_LOAD,
    STORE = CLIF_OPF_CAN_STORE,
    TRAP_ = CLIF_OPF_CAN_TRAP,
    OTHER = CLIF_OPF_OTHER_SIDE_EFFECTS,
    IDEM = CLIF_OPF_SIDE_EFFECTS_IDEMPOTENT,
};

/* ---- type column: class << 8 | argument ---- */
#define T (CLIF_TC_CTRL << 8)
#define LANE (CLIF_TC_LANE << 8)
#define TRUTHY (CLIF_TC_TRUTHY << 8)
#define HALF (CLIF_TC_HALF << 8)
#define DOUBLE (CLIF_TC_DOUBLE << 8)
#define SPLIT (CLIF_TC_SPLIT << 8)
#define MERGE (CLIF_TC_MERGE << 8)
#define FIXEDV (CLIF_TC_FIXEDV << 8)
#define NARROWER (CLIF_TC_NARROWER << 8)
#define WIDER (CLIF_TC_WIDER << 8)
#define ONE_OF(Set) (CLIF_TC_SET << 8 | CLIF_TS_##Set)
#define LIKE(Set) (CLIF_TC_LIKE << 8 | CLIF_TS_##Set)
#define JUST(TYPE) (CLIF_TC_JUST << 8 | CLIF_##TYPE)
#define SPEC(t) \
    { (t) >> 8, (t)&255 }
#define RULE(t)                                  \
    ((t) >> 8 == CLIF_TC_CTRL   ? CLIF_RES_CTRL  \
     : (t) >> 8 == CLIF_TC_JUST ? CLIF_RES_FIXED \
                                : CLIF_RES_DERIVED)
#define FIXT(t) ((t) >> 8 == CLIF_TC_JUST ? (t)&255 : CLIF_INVALID)

/* ---- ClifOpInfo ---- */
#define MONO .ctrl_operand = 255
#define BY_ARG(k, Set) .ctrl_operand = (k)
#define BY_RESULT(Set) .ctrl_operand = 255, .explicit_ctrl = 1
#define R0 .result_rule = CLIF_RES_NONE
#define R1(n, t) .nresults = 1, .one_result = 1, .result_rule = RULE(t), .fixed_type = FIXT(t)
#define R2(n1, t1, n2, t2) .nresults = 2, .result_rule = CLIF_RES_MANY
#define RSIG .result_rule = CLIF_RES_SIG
enum { /* columns of formats.def, by format */
#define CLIF_FORMAT(Name, name, nvalues, has_list, ctrl, pattern) \
    NVALUES_##Name = nvalues, HAS_LIST_##Name = has_list,
#include "clif/formats.def"
#undef CLIF_FORMAT
};
const ClifOpInfo clif_op_info[CLIF_OP_COUNT] = {
    [CLIF_OP_INVALID] = {.name = "invalid", .doc = "", .ctrl_operand = 255},
#define CLIF_OPCODE(NAME, text, Format, fl, ctrl, args, res, meaning) \
    [CLIF_OP_##NAME] = {.name = text,                                 \
                        .doc = meaning,                               \
                        .format = CLIF_FMT_##Format,                  \
                        .flags = fl,                                  \
                        .nvalues = NVALUES_##Format,                  \
                        .has_list = HAS_LIST_##Format,                \
                        ctrl,                                         \
                        res},
#include "clif/opcodes.def"
#undef CLIF_OPCODE
};
#undef MONO
#undef BY_ARG
#undef BY_RESULT
#undef R0
#undef R1
#undef R2
#undef RSIG

/* ---- ClifOpSpec ---- */
#define MONO .ctrl_mode = CLIF_CTRL_MONO
#define BY_ARG(k, Set) .ctrl_mode = CLIF_CTRL_BY_ARG, .ctrl_arg = (k), .ctrl_set = CLIF_TS_##Set
#define BY_RESULT(Set) .ctrl_mode = CLIF_CTRL_BY_RESULT, .ctrl_set = CLIF_TS_##Set
#define R0 .result_names = {0}
#define R1(n, t) .result_names = {#n}, .result_types = {SPEC(t)}
#define R2(n1, t1, n2, t2) .result_names = {#n1, #n2}, .result_types = {SPEC(t1), SPEC(t2)}
#define RSIG R0
#define V(n, t) \
    { CLIF_OPK_VALUE, SPEC(t), #n }
#define I(n, KIND) \
    { CLIF_OPK_##KIND, {0, 0}, #n }
#define VARARGS(n) \
    { CLIF_OPK_VARARGS, {0, 0}, #n }
#define NO_ARGS .nargs = 0
#define ARGS(...)          \
    .args = {__VA_ARGS__}, \
    .nargs = sizeof((ClifOperandSpec[]){__VA_ARGS__}) / sizeof(ClifOperandSpec)
const ClifOpSpec clif_op_spec[CLIF_OP_COUNT] = {
#define CLIF_OPCODE(NAME, text, Format, fl, ctrl, args, res, meaning) \
    [CLIF_OP_##NAME] = {ctrl, args, res},
#include "clif/opcodes.def"
#undef CLIF_OPCODE
};

/* ---- formats ---- */
const ClifFormatInfo clif_format_info[CLIF_FMT_COUNT] = {
#define CLIF_FORMAT(Name, name, nvalues, has_list, ctrl, pattern) \
    [CLIF_FMT_##Name] = {name, pattern, ctrl},
#include "clif/formats.def"
#undef CLIF_FORMAT
};

/* ---- names ---- */
const char *const clif_callconv_name[] = {
#define CLIF_CALLCONV(NAME, text) [CLIF_CC_##NAME] = text,
#include "clif/callconv.def"
#undef CLIF_CALLCONV
};
const char *const clif_libcall_name[] = {
#define CLIF_LIBCALL(NAME, text, symbol) [CLIF_LIBCALL_##NAME] = text,
#include "clif/libcall.def"
#undef CLIF_LIBCALL
};
const char *const clif_libcall_symbol[] = {
#define CLIF_LIBCALL(NAME, text, symbol) [CLIF_LIBCALL_##NAME] = symbol,
#include "clif/libcall.def"
#undef CLIF_LIBCALL
};
const char *const clif_known_symbol_name[] = {
    [CLIF_KNOWN_ELF_GLOBAL_OFFSET_TABLE] = "ElfGlobalOffsetTable",
    [CLIF_KNOWN_COFF_TLS_INDEX] = "CoffTlsIndex",
};
const char *const clif_rmw_name[] = {
    [CLIF_RMW_ADD] = "add",   [CLIF_RMW_SUB] = "sub",   [CLIF_RMW_AND] = "and",
    [CLIF_RMW_NAND] = "nand", [CLIF_RMW_OR] = "or",     [CLIF_RMW_XOR] = "xor",
    [CLIF_RMW_XCHG] = "xchg", [CLIF_RMW_UMIN] = "umin", [CLIF_RMW_UMAX] = "umax",
    [CLIF_RMW_SMIN] = "smin", [CLIF_RMW_SMAX] = "smax",
};
const char *const clif_intcc_name[] = {
    [CLIF_EQ] = "eq",   [CLIF_NE] = "ne",   [CLIF_SLT] = "slt", [CLIF_SGE] = "sge",
    [CLIF_SGT] = "sgt", [CLIF_SLE] = "sle", [CLIF_ULT] = "ult", [CLIF_UGE] = "uge",
    [CLIF_UGT] = "ugt", [CLIF_ULE] = "ule",
};
const char *const clif_floatcc_name[] = {
    [CLIF_FORD] = "ord", [CLIF_FUNO] = "uno", [CLIF_FEQ] = "eq",   [CLIF_FNE] = "ne",
    [CLIF_FONE] = "one", [CLIF_FUEQ] = "ueq", [CLIF_FLT] = "lt",   [CLIF_FLE] = "le",
    [CLIF_FGT] = "gt",   [CLIF_FGE] = "ge",   [CLIF_FULT] = "ult", [CLIF_FULE] = "ule",
    [CLIF_FUGT] = "ugt", [CLIF_FUGE] = "uge",
};

/* ---- condition codes ---- */
ClifIntCC clif_intcc_inverse(ClifIntCC c) {
    static const uint8_t t[] = {
        [CLIF_EQ] = CLIF_NE,   [CLIF_NE] = CLIF_EQ,   [CLIF_SLT] = CLIF_SGE, [CLIF_SGE] = CLIF_SLT,
        [CLIF_SGT] = CLIF_SLE, [CLIF_SLE] = CLIF_SGT, [CLIF_ULT] = CLIF_UGE, [CLIF_UGE] = CLIF_ULT,
        [CLIF_UGT] = CLIF_ULE, [CLIF_ULE] = CLIF_UGT,
    };
    return (ClifIntCC)t[c];
}

ClifIntCC clif_intcc_swap(ClifIntCC c) {
    static const uint8_t t[] = {
        [CLIF_EQ] = CLIF_EQ,   [CLIF_NE] = CLIF_NE,   [CLIF_SLT] = CLIF_SGT, [CLIF_SGE] = CLIF_SLE,
        [CLIF_SGT] = CLIF_SLT, [CLIF_SLE] = CLIF_SGE, [CLIF_ULT] = CLIF_UGT, [CLIF_UGE] = CLIF_ULE,
        [CLIF_UGT] = CLIF_ULT, [CLIF_ULE] = CLIF_UGE,
    };
    return (ClifIntCC)t[c];
}

ClifFloatCC clif_floatcc_inverse(ClifFloatCC c) {
    static const uint8_t t[] = {
        [CLIF_FORD] = CLIF_FUNO, [CLIF_FUNO] = CLIF_FORD, [CLIF_FEQ] = CLIF_FNE,
        [CLIF_FNE] = CLIF_FEQ,   [CLIF_FONE] = CLIF_FUEQ, [CLIF_FUEQ] = CLIF_FONE,
        [CLIF_FLT] = CLIF_FUGE,  [CLIF_FUGE] = CLIF_FLT,  [CLIF_FLE] = CLIF_FUGT,
        [CLIF_FUGT] = CLIF_FLE,  [CLIF_FGT] = CLIF_FULE,  [CLIF_FULE] = CLIF_FGT,
        [CLIF_FGE] = CLIF_FULT,  [CLIF_FULT] = CLIF_FGE,
    };
    return (ClifFloatCC)t[c];
}

ClifFloatCC clif_floatcc_swap(ClifFloatCC c) {
    static const uint8_t t[] = {
        [CLIF_FORD] = CLIF_FORD, [CLIF_FUNO] = CLIF_FUNO, [CLIF_FEQ] = CLIF_FEQ,
        [CLIF_FNE] = CLIF_FNE,   [CLIF_FONE] = CLIF_FONE, [CLIF_FUEQ] = CLIF_FUEQ,
        [CLIF_FLT] = CLIF_FGT,   [CLIF_FGT] = CLIF_FLT,   [CLIF_FLE] = CLIF_FGE,
        [CLIF_FGE] = CLIF_FLE,   [CLIF_FULT] = CLIF_FUGT, [CLIF_FUGT] = CLIF_FULT,
        [CLIF_FULE] = CLIF_FUGE, [CLIF_FUGE] = CLIF_FULE,
    };
    return (ClifFloatCC)t[c];
}

/* ---- trap codes ---- */
static const char *const reserved_traps[] = {
    [CLIF_TRAP_BAD_CONVERSION_TO_INTEGER - 251] = "bad_toint",
    [CLIF_TRAP_INTEGER_DIVISION_BY_ZERO - 251] = "int_divz",
    [CLIF_TRAP_INTEGER_OVERFLOW - 251] = "int_ovf",
    [CLIF_TRAP_HEAP_OUT_OF_BOUNDS - 251] = "heap_oob",
    [CLIF_TRAP_STACK_OVERFLOW - 251] = "stk_ovf",
};

const char *clif_trap_name(ClifTrap t, char *buf) {
    if (t >= 251) return reserved_traps[t - 251];
    char digits[4];
    unsigned n = 0, x = t;
    do digits[n++] = (char)('0' + x % 10);
    while (x /= 10);
    memcpy(buf, "user", 4);
    for (unsigned i = 0; i < n; i++) buf[4 + i] = digits[n - 1 - i];
    buf[4 + n] = 0;
    return buf;
}

ClifTrap clif_trap_parse(const char *s, unsigned n) {
    for (unsigned i = 0; i < 5; i++)
        if (strlen(reserved_traps[i]) == n && !memcmp(s, reserved_traps[i], n))
            return (ClifTrap)(251 + i);
    if (n < 5 || n > 7 || memcmp(s, "user", 4)) return CLIF_TRAP_NONE;
    unsigned x = 0;
    for (unsigned i = 4; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return CLIF_TRAP_NONE;
        x = x * 10 + (unsigned)(s[i] - '0');
    }
    return x <= 250 ? (ClifTrap)x : CLIF_TRAP_NONE;
}

/* Perfect enough: opcodes are looked up by a linear scan over candidates with the same first letter and
 * length; the text format is not a hot path. */
ClifOp clif_op_parse(const char *s, unsigned n) {
    for (unsigned op = 1; op < CLIF_OP_COUNT; op++) {
        const char *name = clif_op_info[op].name;
        if (name[0] == s[0] && strlen(name) == n && !memcmp(name, s, n)) return (ClifOp)op;
    }
    return CLIF_OP_INVALID;
}

/* ---- type constraints ---- */
static const struct TypeSetRow {
    uint16_t int_lo, int_hi, float_lo, float_hi, lanes_lo, lanes_hi, dyn_lo, dyn_hi;
    const char *doc;
} typesets[CLIF_TS_COUNT] = {
#define CLIF_TYPESET(Name, ...) [CLIF_TS_##Name] = {__VA_ARGS__},
#include "clif/typesets.def"
#undef CLIF_TYPESET
};

const char *clif_typeset_doc(ClifTypeSet s) {
    return typesets[s].doc;
}

bool clif_typeset_has(ClifTypeSet s, ClifType t) {
    const struct TypeSetRow *r = &typesets[s];
    ClifType lane = clif_lane_type(t);
    if (lane < CLIF_I8 || lane > CLIF_F128) return false;
    unsigned bits = clif_lane_bits(t), lanes = clif_type_lanes(t);
    if (clif_type_is_int(lane)) {
        if (bits < r->int_lo || bits > r->int_hi) return false;
    } else if (bits < r->float_lo || bits > r->float_hi) {
        return false;
    }
    if (clif_type_is_dynamic(t)) return lanes >= r->dyn_lo && lanes <= r->dyn_hi;
    return lanes >= r->lanes_lo && lanes <= r->lanes_hi;
}

/* The lane type of half or double the width, CLIF_INVALID if there is none. */
static ClifType half_lane(ClifType lane) {
    return lane == CLIF_I8 || lane == CLIF_F16 ? CLIF_INVALID : lane - 1;
}
static ClifType double_lane(ClifType lane) {
    return lane == CLIF_I128 || lane == CLIF_F128 ? CLIF_INVALID : lane + 1;
}

/* The same lanes, twice (up) or half as many; CLIF_INVALID if there is no such shape. */
static ClifType with_lane_count(ClifType t, ClifType lane, bool up) {
    unsigned shape = t >> 4;
    if (up ? shape == 8 || shape == 15 : shape == 0 || shape == 9) return CLIF_INVALID;
    return (ClifType)((up ? shape + 1 : shape - 1) << 4 | lane);
}

ClifType clif_type_apply(ClifTypeSpec spec, ClifType ctrl) {
    ClifType lane = clif_lane_type(ctrl), shape = ctrl & 0xF0, l;
    switch ((ClifTypeClass)spec.cls) {
    case CLIF_TC_CTRL: return ctrl;
    case CLIF_TC_LANE: return lane;
    case CLIF_TC_TRUTHY:
        if (!clif_type_is_vector(ctrl)) return CLIF_I8;
        /* f16 f32 f64 f128 -> i16 i32 i64 i128 */
        return clif_type_is_float(lane) ? (ClifType)(shape | (lane - CLIF_F16 + CLIF_I16)) : ctrl;
    case CLIF_TC_HALF: l = half_lane(lane); return l ? shape | l : CLIF_INVALID;
    case CLIF_TC_DOUBLE: l = double_lane(lane); return l ? shape | l : CLIF_INVALID;
    case CLIF_TC_SPLIT:
        l = half_lane(lane);
        return l ? with_lane_count(ctrl, l, true) : CLIF_INVALID;
    case CLIF_TC_MERGE:
        l = double_lane(lane);
        return l ? with_lane_count(ctrl, l, false) : CLIF_INVALID;
    case CLIF_TC_FIXEDV:
        return clif_type_is_dynamic(ctrl) ? clif_vector_of(lane, clif_type_log2_lanes(ctrl))
                                          : CLIF_INVALID;
    case CLIF_TC_JUST: return spec.arg;
    case CLIF_TC_NARROWER:
    case CLIF_TC_WIDER:
    case CLIF_TC_SET:
    case CLIF_TC_LIKE: return CLIF_INVALID;
    }
    return CLIF_INVALID;
}

bool clif_type_matches(ClifTypeSpec spec, ClifType ctrl, ClifType t) {
    switch ((ClifTypeClass)spec.cls) {
    case CLIF_TC_SET: return clif_typeset_has((ClifTypeSet)spec.arg, t);
    case CLIF_TC_LIKE:
        return clif_typeset_has((ClifTypeSet)spec.arg, t) &&
               clif_type_is_dynamic(t) == clif_type_is_dynamic(ctrl) &&
               clif_type_log2_lanes(t) == clif_type_log2_lanes(ctrl);
    case CLIF_TC_NARROWER:
    case CLIF_TC_WIDER:
        if ((t & 0xF0) != (ctrl & 0xF0) || !clif_lane_type(t)) return false;
        if (clif_type_is_int(clif_lane_type(t)) != clif_type_is_int(clif_lane_type(ctrl)))
            return false;
        return spec.cls == CLIF_TC_NARROWER ? clif_lane_bits(t) < clif_lane_bits(ctrl)
                                            : clif_lane_bits(t) > clif_lane_bits(ctrl);
    case CLIF_TC_CTRL:
    case CLIF_TC_LANE:
    case CLIF_TC_TRUTHY:
    case CLIF_TC_HALF:
    case CLIF_TC_DOUBLE:
    case CLIF_TC_SPLIT:
    case CLIF_TC_MERGE:
    case CLIF_TC_FIXEDV:
    case CLIF_TC_JUST: return t != CLIF_INVALID && t == clif_type_apply(spec, ctrl);
    }
    return false;
}

const char *clif_operand_kind_name(ClifOperandKind k) {
    static const char *const names[CLIF_OPK_COUNT] = {
        [CLIF_OPK_NONE] = "none",
        [CLIF_OPK_VALUE] = "value",
        [CLIF_OPK_VARARGS] = "values",
        [CLIF_OPK_IMM64] = "imm64",
        [CLIF_OPK_UIMM8] = "uimm8",
        [CLIF_OPK_OFFSET32] = "offset",
        [CLIF_OPK_IEEE16] = "ieee16",
        [CLIF_OPK_IEEE32] = "ieee32",
        [CLIF_OPK_IEEE64] = "ieee64",
        [CLIF_OPK_UIMM128] = "uimm128",
        [CLIF_OPK_CONSTANT] = "constant",
        [CLIF_OPK_INTCC] = "intcc",
        [CLIF_OPK_FLOATCC] = "floatcc",
        [CLIF_OPK_MEMFLAGS] = "flags",
        [CLIF_OPK_TRAPCODE] = "trap code",
        [CLIF_OPK_RMWOP] = "atomic operation",
        [CLIF_OPK_BLOCKCALL] = "block call",
        [CLIF_OPK_BLOCK] = "block",
        [CLIF_OPK_STACKSLOT] = "stack slot",
        [CLIF_OPK_DYNSLOT] = "dynamic stack slot",
        [CLIF_OPK_GLOBALVALUE] = "global value",
        [CLIF_OPK_SIGREF] = "signature",
        [CLIF_OPK_FUNCREF] = "function",
        [CLIF_OPK_JUMPTABLE] = "jump table",
        [CLIF_OPK_EHTABLE] = "exception table",
    };
    return names[k];
}
