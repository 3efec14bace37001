/* mach/prelude.h — the C side of prelude.isle: inline views of CLIF for generated rules. */
#ifndef COT_MACH_PRELUDE_H
#define COT_MACH_PRELUDE_H
#include "mach/lower.h"

typedef uint8_t Unit;
typedef uint8_t Opcode, IntCC, FloatCC;
enum {
    IntCC_EQ = CLIF_EQ,
    IntCC_NE = CLIF_NE,
    IntCC_SLT = CLIF_SLT,
    IntCC_SGE = CLIF_SGE,
    IntCC_SGT = CLIF_SGT,
    IntCC_SLE = CLIF_SLE,
    IntCC_ULT = CLIF_ULT,
    IntCC_UGE = CLIF_UGE,
    IntCC_UGT = CLIF_UGT,
    IntCC_ULE = CLIF_ULE
};
enum {
    FloatCC_ORD = CLIF_FORD,
    FloatCC_UNO = CLIF_FUNO,
    FloatCC_EQ = CLIF_FEQ,
    FloatCC_NE = CLIF_FNE,
    FloatCC_ONE = CLIF_FONE,
    FloatCC_UEQ = CLIF_FUEQ,
    FloatCC_LT = CLIF_FLT,
    FloatCC_LE = CLIF_FLE,
    FloatCC_GT = CLIF_FGT,
    FloatCC_GE = CLIF_FGE,
    FloatCC_ULT = CLIF_FULT,
    FloatCC_ULE = CLIF_FULE,
    FloatCC_UGT = CLIF_FUGT,
    FloatCC_UGE = CLIF_FUGE
};

static inline bool isle_inst_eq(ClifInst a, ClifInst b) {
    return a.i == b.i;
}
static inline bool isle_value_eq(ClifValue a, ClifValue b) {
    return a.i == b.i;
}
static inline bool isle_never_eq(ValueRegs a, ValueRegs b) {
    return (void)a, (void)b, false;
}

static inline const ClifInstData *isle_d(LowerCtx *L, ClifInst i) {
    return &L->f->insts.p[i.i];
}
static inline ClifType isle_ty(LowerCtx *L, const ClifInstData *d) { /* the controlling type */
    unsigned k = clif_op_info[d->op].ctrl_operand;
    if (d->type) return d->type;
    return k > 2 ? CLIF_INVALID : clif_value_type(L->f, (ClifValue){(&d->a)[k]});
}
static inline ClifValue isle_v(uint32_t i) {
    return (ClifValue){i};
}
static inline Opcode isle_inst_op(LowerCtx *L, ClifInst i) {
    return isle_d(L, i)->op;
}
#define D const ClifInstData *d = isle_d(L, i)
#define TY *ty = isle_ty(L, d)
static inline ClifType isle_inst_0(LowerCtx *L, ClifInst i) {
    D;
    return isle_ty(L, d);
}
static inline void isle_inst_1(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a) {
    D;
    TY;
    *a = isle_v(d->a);
}
static inline void isle_inst_2(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a, ClifValue *b) {
    D;
    TY;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
}
static inline void isle_inst_3(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a, ClifValue *b,
                               ClifValue *c) {
    D;
    TY;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
    *c = isle_v(d->c);
}
static inline void isle_inst_imm64(LowerCtx *L, ClifInst i, ClifType *ty, uint64_t *k) {
    D;
    TY;
    *k = clif_imm64(d);
}
static inline void isle_inst_entity_a(LowerCtx *L, ClifInst i, ClifType *ty, uint32_t *k) {
    D;
    TY;
    *k = d->a;
}
static inline void isle_inst_icmp(LowerCtx *L, ClifInst i, ClifType *ty, IntCC *cc, ClifValue *a,
                                  ClifValue *b) {
    D;
    TY;
    *cc = (IntCC)d->aux;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
}
static inline void isle_inst_fcmp(LowerCtx *L, ClifInst i, ClifType *ty, FloatCC *cc, ClifValue *a,
                                  ClifValue *b) {
    D;
    TY;
    *cc = (FloatCC)d->aux;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
}
static inline void isle_inst_load(LowerCtx *L, ClifInst i, ClifType *ty, uint16_t *fl, ClifValue *a,
                                  int32_t *off) {
    D;
    TY;
    *fl = d->aux;
    *a = isle_v(d->a);
    *off = (int32_t)d->b;
}
static inline void isle_inst_lane(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a, uint8_t *k) {
    D;
    TY;
    *a = isle_v(d->a);
    *k = (uint8_t)d->aux;
}
static inline void isle_inst_lane_2(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a,
                                    ClifValue *b, uint8_t *k) {
    D;
    TY;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
    *k = (uint8_t)d->aux;
}
static inline void isle_inst_shuffle(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a,
                                     ClifValue *b, uint32_t *mask) {
    D;
    TY;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
    *mask = d->c;
}
static inline void isle_inst_store(LowerCtx *L, ClifInst i, ClifType *ty, uint16_t *fl,
                                   ClifValue *x, ClifValue *a, int32_t *off) {
    D;
    TY;
    *fl = d->aux;
    *x = isle_v(d->a);
    *a = isle_v(d->b);
    *off = (int32_t)d->c;
}
static inline void isle_inst_load0(LowerCtx *L, ClifInst i, ClifType *ty, uint16_t *fl,
                                   ClifValue *a) {
    D;
    TY;
    *fl = d->aux;
    *a = isle_v(d->a);
}
static inline void isle_inst_store0(LowerCtx *L, ClifInst i, ClifType *ty, uint16_t *fl,
                                    ClifValue *x, ClifValue *a) {
    D;
    TY;
    *fl = d->aux;
    *x = isle_v(d->a);
    *a = isle_v(d->b);
}
static inline void isle_inst_rmw(LowerCtx *L, ClifInst i, ClifType *ty, uint16_t *fl, uint8_t *op,
                                 ClifValue *a, ClifValue *x) {
    D;
    TY;
    *fl = d->aux;
    *op = (uint8_t)d->c;
    *a = isle_v(d->a);
    *x = isle_v(d->b);
}
static inline void isle_inst_cas(LowerCtx *L, ClifInst i, ClifType *ty, uint16_t *fl, ClifValue *a,
                                 ClifValue *e, ClifValue *x) {
    D;
    TY;
    *fl = d->aux;
    *a = isle_v(d->a);
    *e = isle_v(d->b);
    *x = isle_v(d->c);
}
static inline void isle_inst_stack(LowerCtx *L, ClifInst i, ClifType *ty, uint32_t *s,
                                   int32_t *off) {
    D;
    TY;
    *s = d->a;
    *off = (int32_t)d->b;
}
static inline uint8_t isle_inst_trap(LowerCtx *L, ClifInst i) {
    D;
    return (uint8_t)d->aux;
}
static inline void isle_inst_condtrap(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a,
                                      uint8_t *code) {
    D;
    TY;
    *a = isle_v(d->a);
    *code = (uint8_t)d->aux;
}
static inline void isle_inst_addtrap(LowerCtx *L, ClifInst i, ClifType *ty, ClifValue *a,
                                     ClifValue *b, uint8_t *code) {
    D;
    TY;
    *a = isle_v(d->a);
    *b = isle_v(d->b);
    *code = (uint8_t)d->aux;
}
#undef D
#undef TY

static inline bool isle_def_inst(LowerCtx *L, ClifValue v, ClifInst *out) {
    *out = lower_def_inst(L, v);
    return out->i != CLIF_NONE;
}
static inline ClifType isle_value_type(LowerCtx *L, ClifValue v) {
    return clif_value_type(L->f, v);
}
static inline bool isle_iconst_u(LowerCtx *L, ClifValue v, uint64_t *k) {
    ClifInst i = lower_def_inst(L, v);
    if (i.i == CLIF_NONE || isle_d(L, i)->op != CLIF_OP_ICONST) return false;
    unsigned bits = clif_type_bits(clif_value_type(L->f, v));
    *k = clif_imm64(isle_d(L, i));
    if (bits < 64) *k &= ((uint64_t)1 << bits) - 1;
    return true;
}
static inline bool isle_iconst_s(LowerCtx *L, ClifValue v, int64_t *k) {
    uint64_t u;
    if (!isle_iconst_u(L, v, &u)) return false;
    unsigned bits = clif_type_bits(clif_value_type(L->f, v));
    *k = bits < 64 ? (int64_t)(u << (64 - bits)) >> (64 - bits) : (int64_t)u;
    return true;
}
static inline bool isle_ty_int(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t >= CLIF_I8 && t <= CLIF_I64;
}
static inline bool isle_ty_32_or_64(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t == CLIF_I32 || t == CLIF_I64;
}
static inline bool isle_ty_8_or_16(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t == CLIF_I8 || t == CLIF_I16;
}
static inline bool isle_ty_float(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t == CLIF_F32 || t == CLIF_F64;
}
static inline bool isle_ty_in_xmm(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t >= CLIF_F16 && t < 0x90 && clif_type_bits(t) <= 128;
}
static inline bool isle_ty_vec(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t >= 0x10 && t < 0x90 && clif_type_bits(t) == 128;
}
static inline bool isle_ty_vec_int(LowerCtx *L, ClifType t, ClifType *o) {
    return isle_ty_vec(L, t, o) && clif_lane_type(t) <= CLIF_I64;
}
static inline bool isle_ty_vec_float(LowerCtx *L, ClifType t, ClifType *o) {
    return (void)L, *o = t, t == CLIF_F32X4 || t == CLIF_F64X2;
}
static inline ValueRegs isle_output_reg(LowerCtx *L, RaVReg r) {
    return (void)L, (ValueRegs){{r, RA_VREG_NONE}, 1};
}
static inline ValueRegs isle_output_none(LowerCtx *L, Unit u) {
    return (void)L, (void)u, (ValueRegs){{RA_VREG_NONE, RA_VREG_NONE}, 0};
}
static inline ValueRegs isle_seq(LowerCtx *L, Unit u, ValueRegs r) {
    return (void)L, (void)u, r;
}
#endif
