/* vectors.h — every vector operator that Wasm needs, compiled for this processor, for the SSE2 baseline and for the steps
 * between, on random and on chosen operands: the results must be the same to the last bit. What is right is the spec suite's
 * business; here the sequences that stand in for missing instructions are held against the instructions. */
#ifndef COT_TESTS_VECTORS_H
#define COT_TESTS_VECTORS_H
#include "exec.h"

typedef enum VecKind {
    V_UN,
    V_BIN,
    V_TERN,
    V_SHIFT,
    V_CMP,
    V_TEST, /* a scalar from a vector */
    V_LANE, /* extract, then insert elsewhere */
    V_SPLAT,
    V_SHUFFLE,
    V_LOAD,
    V_MIX /* of several instructions: what `aux` says in mix() */
} VecKind;
typedef struct VecRow {
    uint8_t op, type, kind, aux;
} VecRow;

enum {
    MIX_DOT,
    MIX_EXTADD_8S,
    MIX_EXTADD_8U,
    MIX_EXTADD_16S,
    MIX_EXTMUL, /* op: the widening */
    MIX_ANDNOT,
    MIX_TRUNC_ZERO_S,
    MIX_TRUNC_ZERO_U,
    MIX_CONVERT_LOW_S,
    MIX_CONVERT_LOW_U,
    MIX_SELECT,
    MIX_CONST,
    MIX_FMA,
    MIX_SCALAR,
    MIX_ANY
};
#define I_ALL(OP, k)                                                    \
    {CLIF_OP_##OP, CLIF_I8X16, k, 0}, {CLIF_OP_##OP, CLIF_I16X8, k, 0}, \
        {CLIF_OP_##OP, CLIF_I32X4, k, 0}, {                             \
        CLIF_OP_##OP, CLIF_I64X2, k, 0                                  \
    }
#define I_NARROW(OP, k)                 \
    {CLIF_OP_##OP, CLIF_I8X16, k, 0}, { \
        CLIF_OP_##OP, CLIF_I16X8, k, 0  \
    }
#define I_32(OP, k)                    \
    I_NARROW(OP, k), {                 \
        CLIF_OP_##OP, CLIF_I32X4, k, 0 \
    }
#define F_ALL(OP, k)                    \
    {CLIF_OP_##OP, CLIF_F32X4, k, 0}, { \
        CLIF_OP_##OP, CLIF_F64X2, k, 0  \
    }
#define MIX(OP, T, m) \
    { CLIF_OP_##OP, CLIF_##T, V_MIX, MIX_##m }
static const VecRow vec_rows[] = {I_ALL(IADD, V_BIN),
                                  I_ALL(ISUB, V_BIN),
                                  I_ALL(IMUL, V_BIN),
                                  I_ALL(INEG, V_UN),
                                  I_ALL(IABS, V_UN),
                                  I_NARROW(UADD_SAT, V_BIN),
                                  I_NARROW(SADD_SAT, V_BIN),
                                  I_NARROW(USUB_SAT, V_BIN),
                                  I_NARROW(SSUB_SAT, V_BIN),
                                  I_NARROW(AVG_ROUND, V_BIN),
                                  I_ALL(SMIN, V_BIN),
                                  I_ALL(UMIN, V_BIN),
                                  I_ALL(SMAX, V_BIN),
                                  I_ALL(UMAX, V_BIN),
                                  {CLIF_OP_SQMUL_ROUND_SAT, CLIF_I16X8, V_BIN, 0},
                                  {CLIF_OP_POPCNT, CLIF_I8X16, V_UN, 0},
                                  {CLIF_OP_IADD_PAIRWISE, CLIF_I16X8, V_BIN, 0},
                                  {CLIF_OP_IADD_PAIRWISE, CLIF_I32X4, V_BIN, 0},
                                  I_ALL(BAND, V_BIN),
                                  I_ALL(BOR, V_BIN),
                                  I_ALL(BXOR, V_BIN),
                                  I_ALL(BNOT, V_UN),
                                  I_ALL(BITSELECT, V_TERN),
                                  F_ALL(BAND, V_BIN),
                                  I_ALL(ISHL, V_SHIFT),
                                  I_ALL(USHR, V_SHIFT),
                                  I_ALL(SSHR, V_SHIFT),
                                  I_ALL(ICMP, V_CMP),
                                  F_ALL(FCMP, V_CMP),
                                  I_ALL(VANY_TRUE, V_TEST),
                                  I_ALL(VALL_TRUE, V_TEST),
                                  I_ALL(VHIGH_BITS, V_TEST),
                                  F_ALL(VHIGH_BITS, V_TEST),
                                  I_ALL(EXTRACTLANE, V_LANE),
                                  F_ALL(EXTRACTLANE, V_LANE),
                                  I_ALL(SPLAT, V_SPLAT),
                                  F_ALL(SPLAT, V_SPLAT),
                                  {CLIF_OP_SHUFFLE, CLIF_I8X16, V_SHUFFLE, 0},
                                  {CLIF_OP_SWIZZLE, CLIF_I8X16, V_BIN, 0},
                                  {CLIF_OP_SNARROW, CLIF_I16X8, V_BIN, 0},
                                  {CLIF_OP_SNARROW, CLIF_I32X4, V_BIN, 0},
                                  {CLIF_OP_UNARROW, CLIF_I16X8, V_BIN, 0},
                                  {CLIF_OP_UNARROW, CLIF_I32X4, V_BIN, 0},
                                  I_32(SWIDEN_LOW, V_UN),
                                  I_32(SWIDEN_HIGH, V_UN),
                                  I_32(UWIDEN_LOW, V_UN),
                                  I_32(UWIDEN_HIGH, V_UN),
                                  {CLIF_OP_SLOAD8X8, CLIF_I16X8, V_LOAD, 0},
                                  {CLIF_OP_ULOAD8X8, CLIF_I16X8, V_LOAD, 0},
                                  {CLIF_OP_SLOAD16X4, CLIF_I32X4, V_LOAD, 0},
                                  {CLIF_OP_ULOAD16X4, CLIF_I32X4, V_LOAD, 0},
                                  {CLIF_OP_SLOAD32X2, CLIF_I64X2, V_LOAD, 0},
                                  {CLIF_OP_ULOAD32X2, CLIF_I64X2, V_LOAD, 0},
                                  F_ALL(FADD, V_BIN),
                                  F_ALL(FSUB, V_BIN),
                                  F_ALL(FMUL, V_BIN),
                                  F_ALL(FDIV, V_BIN),
                                  F_ALL(SQRT, V_UN),
                                  F_ALL(FNEG, V_UN),
                                  F_ALL(FABS, V_UN),
                                  F_ALL(FMIN, V_BIN),
                                  F_ALL(FMAX, V_BIN),
                                  F_ALL(NEAREST, V_UN),
                                  F_ALL(FLOOR, V_UN),
                                  F_ALL(CEIL, V_UN),
                                  F_ALL(TRUNC, V_UN),
                                  F_ALL(FMA, V_TERN),
                                  {CLIF_OP_FCVT_FROM_SINT, CLIF_F32X4, V_UN, CLIF_I32X4},
                                  {CLIF_OP_FCVT_FROM_UINT, CLIF_F32X4, V_UN, CLIF_I32X4},
                                  {CLIF_OP_FCVT_TO_SINT_SAT, CLIF_I32X4, V_UN, CLIF_F32X4},
                                  {CLIF_OP_FCVT_TO_UINT_SAT, CLIF_I32X4, V_UN, CLIF_F32X4},
                                  {CLIF_OP_FVDEMOTE, CLIF_F64X2, V_UN, 0},
                                  {CLIF_OP_FVPROMOTE_LOW, CLIF_F32X4, V_UN, 0},
                                  MIX(IADD_PAIRWISE, I32X4, DOT),
                                  MIX(IADD_PAIRWISE, I16X8, EXTADD_8S),
                                  MIX(IADD_PAIRWISE, I16X8, EXTADD_8U),
                                  MIX(IADD_PAIRWISE, I32X4, EXTADD_16S),
                                  MIX(SWIDEN_LOW, I32X4, EXTMUL),
                                  MIX(SWIDEN_HIGH, I32X4, EXTMUL),
                                  MIX(UWIDEN_LOW, I32X4, EXTMUL),
                                  MIX(UWIDEN_HIGH, I32X4, EXTMUL),
                                  MIX(BAND, I8X16, ANDNOT),
                                  MIX(SNARROW, I64X2, TRUNC_ZERO_S),
                                  MIX(UUNARROW, I64X2, TRUNC_ZERO_U),
                                  MIX(FCVT_FROM_SINT, F64X2, CONVERT_LOW_S),
                                  MIX(FCVT_FROM_UINT, F64X2, CONVERT_LOW_U),
                                  MIX(SELECT, I8X16, SELECT),
                                  MIX(VCONST, I8X16, CONST),
                                  MIX(FMA, F32, FMA),
                                  MIX(FMA, F64, FMA),
                                  MIX(SCALAR_TO_VECTOR, I32X4, SCALAR),
                                  MIX(SCALAR_TO_VECTOR, I64X2, SCALAR),
                                  MIX(SCALAR_TO_VECTOR, F32X4, SCALAR),
                                  MIX(SCALAR_TO_VECTOR, F64X2, SCALAR),
                                  MIX(SCALAR_TO_VECTOR, I8X16, SCALAR),
                                  MIX(SCALAR_TO_VECTOR, I16X8, SCALAR)};

typedef struct VecGen {
    Exec *x;
    ClifValue a, b, c, out, amount;
    uint16_t mf;
    uint64_t rng;
} VecGen;
static uint32_t vec_pick(VecGen *g, uint32_t n) {
    g->rng = g->rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(g->rng >> 33) % n;
}
static ClifValue vec_ins(VecGen *g, ClifInstData d) {
    return clif_result(&g->x->f, cb_ins(&g->x->b, d), 0);
}
static ClifValue vec_op(VecGen *g, unsigned op, ClifType t, ClifValue x, ClifValue y, ClifValue z) {
    return vec_ins(g, (ClifInstData){.op = (uint8_t)op, .type = t, .a = x.i, .b = y.i, .c = z.i});
}
#define NOV ((ClifValue){0})
#define VEC1(op, t, x) vec_op(g, CLIF_OP_##op, t, x, NOV, NOV)
#define VEC2(op, t, x, y) vec_op(g, CLIF_OP_##op, t, x, y, NOV)
static ClifValue vec_load(VecGen *g, ClifType t, ClifValue p) {
    return cb_load(&g->x->b, CLIF_OP_LOAD, t, g->mf, p, 0);
}
static ClifValue vec_bytes(VecGen *g, ClifType t, const uint8_t *bytes) {
    return vec_ins(g, (ClifInstData){.op = CLIF_OP_VCONST,
                                     .type = t,
                                     .a = clif_intern_const(&g->x->f, bytes, 16).i});
}

static ClifValue vec_mix(VecGen *g, const VecRow *r) {
    static const uint8_t zeros[16];
    ClifType t = r->type;
    ClifValue x, y;
    switch (r->aux) {
    case MIX_DOT:
        x = vec_load(g, CLIF_I16X8, g->a), y = vec_load(g, CLIF_I16X8, g->b);
        return VEC2(
            IADD_PAIRWISE, t,
            VEC2(IMUL, t, VEC1(SWIDEN_LOW, CLIF_I16X8, x), VEC1(SWIDEN_LOW, CLIF_I16X8, y)),
            VEC2(IMUL, t, VEC1(SWIDEN_HIGH, CLIF_I16X8, x), VEC1(SWIDEN_HIGH, CLIF_I16X8, y)));
    case MIX_EXTADD_8S:
        x = vec_load(g, CLIF_I8X16, g->a);
        return VEC2(IADD_PAIRWISE, t, VEC1(SWIDEN_LOW, CLIF_I8X16, x),
                    VEC1(SWIDEN_HIGH, CLIF_I8X16, x));
    case MIX_EXTADD_8U:
        x = vec_load(g, CLIF_I8X16, g->a);
        return VEC2(IADD_PAIRWISE, t, VEC1(UWIDEN_LOW, CLIF_I8X16, x),
                    VEC1(UWIDEN_HIGH, CLIF_I8X16, x));
    case MIX_EXTADD_16S:
        x = vec_load(g, CLIF_I16X8, g->a);
        return VEC2(IADD_PAIRWISE, t, VEC1(SWIDEN_LOW, CLIF_I16X8, x),
                    VEC1(SWIDEN_HIGH, CLIF_I16X8, x));
    case MIX_EXTMUL:
        x = vec_load(g, t, g->a), y = vec_load(g, t, g->b);
        return VEC2(IMUL, CLIF_I64X2, vec_op(g, r->op, t, x, NOV, NOV),
                    vec_op(g, r->op, t, y, NOV, NOV));
    case MIX_ANDNOT:
        x = vec_load(g, t, g->a), y = vec_load(g, t, g->b);
        return VEC2(BAND, t, x, VEC1(BNOT, t, y));
    case MIX_TRUNC_ZERO_S:
        x = VEC1(FCVT_TO_SINT_SAT, CLIF_I64X2, vec_load(g, CLIF_F64X2, g->a));
        return VEC2(SNARROW, t, x, vec_bytes(g, CLIF_I64X2, zeros));
    case MIX_TRUNC_ZERO_U:
        x = VEC1(FCVT_TO_UINT_SAT, CLIF_I64X2, vec_load(g, CLIF_F64X2, g->a));
        return VEC2(UUNARROW, t, x, vec_bytes(g, CLIF_I64X2, zeros));
    case MIX_CONVERT_LOW_S:
        return VEC1(FCVT_FROM_SINT, t, VEC1(SWIDEN_LOW, CLIF_I32X4, vec_load(g, CLIF_I32X4, g->a)));
    case MIX_CONVERT_LOW_U:
        return VEC1(FCVT_FROM_UINT, t, VEC1(UWIDEN_LOW, CLIF_I32X4, vec_load(g, CLIF_I32X4, g->a)));
    case MIX_SELECT: {
        ClifValue c = vec_load(g, CLIF_I32, g->c);
        return vec_op(g, CLIF_OP_SELECT, t, c, vec_load(g, t, g->a), vec_load(g, t, g->b));
    }
    case MIX_CONST: {
        uint8_t k[16];
        for (int i = 0; i < 16; i++) k[i] = (uint8_t)vec_pick(g, 256);
        return VEC2(BXOR, t, vec_bytes(g, t, k),
                    VEC2(IADD, t, vec_load(g, t, g->a), vec_bytes(g, t, zeros)));
    }
    case MIX_FMA:
        x = vec_load(g, t, g->a), y = vec_load(g, t, g->b);
        return vec_op(g, CLIF_OP_FMA, t, x, y, vec_load(g, t, g->c));
    default: return VEC1(SCALAR_TO_VECTOR, t, vec_load(g, clif_lane_type(t), g->a));
    }
}

/* Masks of every kind that has a sequence of its own, and any. */
static ClifValue vec_shuffle(VecGen *g) {
    uint8_t m[16];
    unsigned kind = vec_pick(g, 7), unit = 1u << vec_pick(g, 4), from = vec_pick(g, 17);
    for (unsigned i = 0; i < 16; i++) {
        unsigned u = i / unit, n = 16 / unit;
        switch (kind) {
        case 0:
            m[i] = (uint8_t)((u / 2 + (u & 1 ? n : 0)) * unit + i % unit);
            break; /* unpack low */
        case 1:
            m[i] = (uint8_t)((n / 2 + u / 2 + (u & 1 ? n : 0)) * unit + i % unit);
            break;                                 /* high */
        case 2: m[i] = (uint8_t)(from + i); break; /* align */
        case 3:
            m[i] = (uint8_t)(i % 4 + 4 * (i % 4 ? m[i - 1] / 4 : vec_pick(g, 4)));
            break; /* words of one */
        case 4:
            m[i] = (uint8_t)(i % 4 + 4 * (i % 4 ? m[i - 1] / 4 : vec_pick(g, 4) + (i < 8 ? 0 : 4)));
            break;
        case 5: m[i] = (uint8_t)(vec_pick(g, 16) + 16 * (from & 1)); break; /* one source */
        default: m[i] = (uint8_t)vec_pick(g, 32); break;
        }
    }
    ClifValue x = vec_load(g, CLIF_I8X16, g->a), y = vec_load(g, CLIF_I8X16, g->b);
    if (kind == 6 && from < 4) y = x;
    return vec_ins(
        g, (ClifInstData){
               .op = CLIF_OP_SHUFFLE, .a = x.i, .b = y.i, .c = clif_make_imm128(&g->x->f, m).i});
}

static ClifValue vec_body(VecGen *g, const VecRow *r) {
    ClifType t = r->type, from = r->kind == V_UN && r->aux ? r->aux : t;
    ClifValue x, y;
    switch ((VecKind)r->kind) {
    case V_UN: return vec_op(g, r->op, t, vec_load(g, from, g->a), NOV, NOV);
    case V_BIN: return vec_op(g, r->op, t, vec_load(g, t, g->a), vec_load(g, t, g->b), NOV);
    case V_TERN:
        x = vec_load(g, t, g->a), y = vec_load(g, t, g->b);
        return vec_op(g, r->op, t, x, y, vec_load(g, t, g->c));
    case V_SHIFT: {
        ClifValue n =
            vec_pick(g, 2) ? g->amount : cb_iconst(&g->x->b, CLIF_I32, (int64_t)vec_pick(g, 80));
        return vec_op(g, r->op, t, vec_load(g, t, g->a), n, NOV);
    }
    case V_CMP: {
        unsigned n = r->op == CLIF_OP_ICMP ? CLIF_ULE + 1 : CLIF_FUGE + 1;
        x = vec_load(g, t, g->a), y = vec_load(g, t, g->b);
        return vec_ins(
            g, (ClifInstData){
                   .op = r->op, .type = t, .aux = (uint16_t)vec_pick(g, n), .a = x.i, .b = y.i});
    }
    case V_TEST:
        x = vec_load(g, t, g->a);
        if (r->op == CLIF_OP_VHIGH_BITS) return cb_unary(&g->x->b, CLIF_OP_VHIGH_BITS, CLIF_I32, x);
        return cb_unary(&g->x->b, CLIF_OP_UEXTEND, CLIF_I32, vec_op(g, r->op, t, x, NOV, NOV));
    case V_LANE: {
        uint16_t k = (uint16_t)vec_pick(g, clif_type_lanes(t)),
                 to = (uint16_t)vec_pick(g, clif_type_lanes(t));
        x = vec_ins(g,
                    (ClifInstData){.op = r->op, .type = t, .aux = k, .a = vec_load(g, t, g->a).i});
        return vec_ins(g, (ClifInstData){.op = CLIF_OP_INSERTLANE,
                                         .type = t,
                                         .aux = to,
                                         .a = vec_load(g, t, g->b).i,
                                         .b = x.i});
    }
    case V_SPLAT: return vec_op(g, r->op, t, vec_load(g, clif_lane_type(t), g->a), NOV, NOV);
    case V_SHUFFLE: return vec_shuffle(g);
    case V_LOAD:
        return vec_ins(g, (ClifInstData){.op = r->op, .type = CLIF_I64, .aux = g->mf, .a = g->a.i});
    case V_MIX: return vec_mix(g, r);
    }
    return NOV;
}

typedef void VecFn(const void *a, const void *b, const void *c, void *out, uint32_t amount);
static VecFn *vec_compile(Exec *x, const VecRow *r, uint64_t flags, uint64_t seed) {
    exec_settings(x, flags, 0, false);
    static const ClifAbiParam params[5] = {{.type = CLIF_I64},
                                           {.type = CLIF_I64},
                                           {.type = CLIF_I64},
                                           {.type = CLIF_I64},
                                           {.type = CLIF_I32}};
    exec_begin(x, CLIF_CC_SYSTEM_V, params, 5, NULL, 0);
    uint32_t n;
    const uint32_t *p = clif_block_params(&x->f, (ClifBlock){0}, &n);
    VecGen g = {.x = x,
                .a = {p[0]},
                .b = {p[1]},
                .c = {p[2]},
                .out = {p[3]},
                .amount = {p[4]},
                .rng = seed,
                .mf = clif_intern_memflags(
                    &x->f, (ClifMemFlags){.trap = CLIF_TRAP_NONE, .region = CLIF_NONE})};
    cb_store(&x->b, CLIF_OP_STORE, g.mf, vec_body(&g, r), g.out, 0);
    cb_return(&x->b, NULL, 0);
    exec_compile(x);
    VecFn *fn;
    void *code = x->code + x->at;
    memcpy(&fn, &code, sizeof fn);
    return fn;
}

/* Operands: anything, small numbers, the edges of each lane width, floats of all kinds. */
static void vec_operand(VecGen *g, uint8_t v[16]) {
    static const double floats[] = {0,          -0.0,       1,          -1.5,
                                    2147483647, 2147483648, 4294967295, 4294967296,
                                    1e300,      -1e300,     0.5,        -2147483649.0};
    unsigned kind = vec_pick(g, 6);
    for (int i = 0; i < 16; i++) {
        v[i] = (uint8_t)vec_pick(g, 256);
        if (kind == 1) v[i] = (uint8_t)(vec_pick(g, 3) - 1);
        if (kind == 2)
            v[i] = i & 1 ? (uint8_t)(0x7F + vec_pick(g, 2)) : (uint8_t) - (int)vec_pick(g, 2);
    }
    for (int i = 0; kind == 3 && i < 4; i++) {
        float f = (float)floats[vec_pick(g, 12)];
        if (!vec_pick(g, 6)) f = vec_pick(g, 2) ? (float)INFINITY : (float)NAN;
        memcpy(v + 4 * i, &f, 4);
    }
    for (int i = 0; kind == 4 && i < 2; i++) {
        double f = floats[vec_pick(g, 12)];
        if (!vec_pick(g, 6)) f = vec_pick(g, 2) ? INFINITY : NAN;
        memcpy(v + 8 * i, &f, 8);
    }
}

/* Whose NaN an operator of two NaNs gives is open: every NaN is the same. */
static void vec_canonical(const VecRow *r, uint8_t v[16]) {
    bool open = r->op == CLIF_OP_FADD || r->op == CLIF_OP_FSUB || r->op == CLIF_OP_FMUL ||
                r->op == CLIF_OP_FDIV || r->op == CLIF_OP_FMA;
    for (int k = 0; open && clif_lane_bits(r->type) == 32 && k < 4; k++) {
        float f;
        memcpy(&f, v + 4 * k, 4);
        if (isnan(f)) memcpy(v + 4 * k, &(float){NAN}, 4);
    }
    for (int k = 0; open && clif_lane_bits(r->type) == 64 && k < 2; k++) {
        double f;
        memcpy(&f, v + 8 * k, 8);
        if (isnan(f)) memcpy(v + 8 * k, &(double){NAN}, 8);
    }
}

static void vectors_agree(void **state) {
    (void)state;
    static const char *const sets[] = {"x86-64",      "ssse3",     "sse41",          "sse42",
                                       "sandybridge", "x86-64-v3", "skylake-avx512", "icelake"};
    enum { SETS = sizeof sets / sizeof *sets };
    uint64_t host = x64_host_flags();
    Exec x;
    exec_init(&x);
    VecGen g = {.rng = 7};
    for (unsigned i = 0; i < sizeof vec_rows / sizeof *vec_rows; i++)
        for (int variant = 0; variant < 12; variant++) {
            const VecRow *r = &vec_rows[i];
            uint64_t seed = g.rng + (uint64_t)variant;
            uint8_t in[8][3][16], want[8][16] = {{0}};
            uint32_t amount[8];
            for (int k = 0; k < 8; k++) {
                for (int o = 0; o < 3; o++) vec_operand(&g, in[k][o]);
                amount[k] = vec_pick(&g, 2) ? vec_pick(&g, 70) : vec_pick(&g, UINT32_MAX);
            }
            VecFn *fn = vec_compile(&x, r, host, seed);
            for (int k = 0; k < 8; k++) {
                fn(in[k][0], in[k][1], in[k][2], want[k], amount[k]);
                vec_canonical(r, want[k]);
            }
            for (unsigned s = 0; s < SETS; s++) {
                bool found;
                uint64_t flags = x64_preset_flags(sets[s], &found);
                if (flags & ~host) continue;
                fn = vec_compile(&x, r, flags, seed);
                for (int k = 0; k < 8; k++) {
                    uint8_t got[16] = {0};
                    fn(in[k][0], in[k][1], in[k][2], got, amount[k]);
                    vec_canonical(r, got);
                    if (memcmp(got, want[k], 16) != 0) {
                        char name[16];
                        fail_msg("%s.%s, variant %d, case %d: %s differs from the host's code",
                                 clif_op_info[r->op].name, clif_type_name(r->type, name), variant,
                                 k, sets[s]);
                    }
                }
            }
        }
    exec_free(&x);
}
#endif
