/* isa/x64/rules_in.h — the C behind the constructors of inst.isle and of every row (x64_form_*). */
#ifndef COT_ISA_X64_RULES_IN_H
#define COT_ISA_X64_RULES_IN_H
#include "isa/x64/x64.h"
#include "mach/prelude.h"
#include "isa/x64/clif_ops.h"
#define ISLE_UNREACHABLE(term, file, line) \
    COT_BUG("no rule of %s matches (%s:%d)", term, file, line)

#ifdef COT_CHECKED
/* Test builds count how often each rule was chosen. */
#define ISLE_COVERAGE
#define ISLE_RULE_TYPE
#define ISLE_HIT(rule) ((void)__atomic_fetch_add(&x64_rule_hits[rule], 1, __ATOMIC_RELAXED))
#endif

typedef X64Rm Rm, Rmi, Amode;
typedef uint8_t u8;
typedef uint16_t u16;
static inline bool x64_rm_eq(X64Rm a, X64Rm b) {
    return (void)a, (void)b, false;
}
static inline bool x64_cond_eq(X64Cond a, X64Cond b) {
    return a.kind == b.kind && a.cc == b.cc && a.cc2 == b.cc2;
}

/* ---- operands ---- */
X64Rm x64_rm(LowerCtx *L, ClifValue v);
X64Rm x64_rmi(LowerCtx *L, ClifValue v);
X64Rm x64_amode(LowerCtx *L, uint16_t flags, ClifValue a, int32_t off);
static inline X64Rm x64_reg_rm(LowerCtx *L, RaVReg r) {
    return (void)L, (X64Rm){.kind = XK_REG, .r = r};
}
static inline X64Rm x64_imm(LowerCtx *L, int64_t k) {
    return (void)L, (X64Rm){.kind = XK_IMM, .imm = k};
}
static inline X64Rm x64_mem_rm(LowerCtx *L, X64Rm m) {
    return (void)L, m;
}
X64Rm x64_const128(LowerCtx *L, uint64_t lo, uint64_t hi);
static inline X64Rm x64_pool(uint32_t off) {
    return (X64Rm){.kind = XK_MEM, .mode = XM_CONST, .aux = off};
}
static inline X64Rm x64_const32(LowerCtx *L, uint64_t k) {
    uint32_t x = (uint32_t)k;
    return x64_pool(lower_const(L, &x, 4));
}
static inline X64Rm x64_const64(LowerCtx *L, uint64_t k) {
    return x64_pool(lower_const(L, &k, 8));
}
/* The sign bit of every lane, and all others. */
X64Rm x64_sign_mask(LowerCtx *L, ClifType t);
X64Rm x64_abs_mask(LowerCtx *L, ClifType t);

/* ---- rows by form ---- */
/* May a register operand not become a spill slot? Without a VEX prefix what is read as 16 bytes would have to be aligned. */
static inline bool x64_reg_only(LowerCtx *L, X64Op op) {
    uint32_t f = x64_rows[op].flags;
    if (!(f & (XF_XD | XF_XS))) return f & XF_RR;
    bool wide = (f & XF_V) || (x64_rows[op].form == F_RMR && (f & (XF_FP | XF_XS)) == XF_XS);
    return (f & XF_RR) || (wide && x64_has_vex(f) && !x64_has(L->set, X64_HAS_AVX));
}
static inline void x64_mi_rm(LowerCtx *L, MachInst *mi,
                             X64Rm m) { /* adds the r/m operand to the instruction begun last */
    mi->b[2] = m.kind;
    if (m.kind == XK_IMM) {
        mi->imm = (uint64_t)m.imm;
    } else if (m.kind == XK_REG) {
        lower_use(L, m.r, x64_reg_only(L, (X64Op)mi->op) ? RA_REG : RA_ANY, 0);
    } else {
        mi->b[3] = (uint8_t)(m.mode << 4 | m.scale);
        mi->b[4] = m.trap;
        mi->disp = m.disp;
        mi->aux = m.aux;
        if (m.mode <= XM_INDEX) lower_use(L, m.r, RA_REG, 0);
        if (m.mode == XM_INDEX) lower_use(L, m.idx, RA_REG, 0);
    }
}
static inline RaVReg x64_dst(LowerCtx *L, X64Op op, ClifType t) {
    bool wide = (x64_rows[op].flags & XF_V) || clif_type_bits(t) > 64;
    ClifType d = !(x64_rows[op].flags & XF_XD) ? CLIF_I64 : wide ? CLIF_I8X16 : CLIF_F64;
    return lower_new_vreg(L, d);
}
static inline MachInst *x64_begin(LowerCtx *L, X64Op op, unsigned size) {
    MachInst *mi = lower_begin(L, op);
    mi->b[0] = (uint8_t)size;
    return mi;
}
/* 8- and 16-bit arithmetic is done in 32 bits (no partial registers) unless memory or a spill slot is read: those hold enough. */
static inline unsigned x64_wide(ClifType t) {
    return t == CLIF_I64 || t == CLIF_F64 || t == CLIF_F64X2 ? 3 : 2;
}
/* d=1 u rm */
static inline RaVReg x64_form_ALU(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b) {
    RaVReg d = x64_dst(L, op, t);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    x64_mi_rm(L, mi, b);
    return d;
}
/* d, or d=1 where the encoding has no place for another destination */
static inline void x64_def_or_reuse(LowerCtx *L, X64Op op, RaVReg d) {
    if (x64_row_flags(L->set, op) & (XF_VEX | XF_EVEX))
        lower_def(L, d, RA_REG, 0);
    else
        lower_def(L, d, RA_REUSE, 1);
}
static inline RaVReg x64_form_RMR(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b) {
    RaVReg d = x64_dst(L, op, t);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    x64_def_or_reuse(L, op, d);
    lower_use(L, a, RA_REG, 0);
    x64_mi_rm(L, mi, b);
    return d;
}
static inline Unit x64_form_CMP_at(LowerCtx *L, X64Op op, unsigned size, RaVReg a, X64Rm b) {
    MachInst *mi = x64_begin(L, op, size);
    if (b.kind == XK_IMM) {
        mi->b[5] = XK_IMM;
        mi->imm = (uint64_t)b.imm;
        mi->b[2] = XK_REG;
        lower_use(L, a, RA_ANY, 0);
    } else {
        lower_use(L, a, RA_REG, 0);
        x64_mi_rm(L, mi, b);
    }
    return 0;
}
static inline Unit x64_form_CMP(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b) {
    return x64_form_CMP_at(L, op, x64_size(t), a, b);
}
static inline Unit x64_form_TEST(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b) {
    return x64_form_CMP_at(L, op, x64_size(t), a, b);
}
static inline Unit x64_form_ST(LowerCtx *L, X64Op op, ClifType t, X64Rm m, X64Rm b) {
    return x64_store(L, op, x64_size(t), m, b), 0;
}
static inline Unit x64_form_ALUM(LowerCtx *L, X64Op op, ClifType t, X64Rm m, X64Rm b) {
    return x64_store(L, op, x64_size(t), m, b), 0;
}
static inline Unit x64_form_XST(LowerCtx *L, X64Op op, ClifType t, X64Rm m, RaVReg b) {
    return x64_store(L, op, x64_size(t), m, x64_reg_rm(L, b)), 0;
}
static inline RaVReg x64_form_RM(LowerCtx *L, X64Op op, ClifType t, X64Rm a) {
    RaVReg d = x64_dst(L, op, t);
    x64_rm_inst(L, op, x64_wide(t), d, a);
    return d;
}
static inline RaVReg x64_form_RMI(LowerCtx *L, X64Op op, ClifType t, X64Rm a, int64_t k) {
    RaVReg d = x64_dst(L, op, t);
    x64_rm_inst(L, op, x64_wide(t), d, a)->imm = (uint64_t)k;
    return d;
}
static inline RaVReg x64_form_R1(LowerCtx *L, X64Op op, ClifType t, RaVReg a) {
    RaVReg d = x64_dst(L, op, t);
    x64_begin(L, op, x64_wide(t));
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    return d;
}
static inline RaVReg x64_form_SHIFT(LowerCtx *L, X64Op op, ClifType t, RaVReg a,
                                    X64Rm b) { /* narrow rotates keep their size */
    RaVReg d = x64_dst(L, op, t);
    MachInst *mi = x64_begin(L, op, op == X64_ROL || op == X64_ROR ? x64_size(t) : x64_wide(t));
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    mi->b[2] = b.kind;
    if (b.kind == XK_IMM)
        mi->imm = (uint64_t)b.imm;
    else
        lower_use(L, b.r, RA_FIXED, RCX);
    return d;
}
static inline Unit x64_form_UU(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b) {
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    lower_use(L, a, RA_REG, 0);
    x64_mi_rm(L, mi, b);
    return 0;
}
static inline RaVReg x64_form_MVX(LowerCtx *L, X64Op op, ClifType t, RaVReg a) {
    RaVReg d = x64_dst(L, op, t);
    x64_begin(L, op, x64_wide(t));
    lower_def(L, d, RA_REG, 0);
    lower_use(L, a, RA_REG, 0);
    return d;
}
static inline RaVReg x64_form_VRMR(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b) {
    RaVReg d = x64_dst(L, op, t);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    lower_def(L, d, RA_REG, 0);
    lower_use(L, a, RA_REG, 0);
    x64_mi_rm(L, mi, b);
    return d;
}
static inline RaVReg x64_form_VRMV(LowerCtx *L, X64Op op, ClifType t, X64Rm a, RaVReg b) {
    return x64_form_VRMR(L, op, t, b, a);
}
static inline RaVReg x64_form_VM(LowerCtx *L, X64Op op, ClifType t, X64Rm a) {
    return x64_form_RM(L, op, t, a);
}
static inline RaVReg x64_form_MOVI(LowerCtx *L, X64Op op, ClifType t, uint64_t k) {
    RaVReg d = x64_dst(L, op, t);
    x64_begin(L, op, x64_wide(t))->imm = k;
    lower_def(L, d, RA_REG, 0);
    return d;
}
static inline RaVReg x64_form_SETCC(LowerCtx *L, X64Op op, uint8_t cc) {
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    x64_begin(L, op, 0)->b[1] = cc;
    lower_def(L, d, RA_REG, 0);
    return d;
}
static inline RaVReg x64_form_RMRI(LowerCtx *L, X64Op op, ClifType t, RaVReg a, X64Rm b,
                                   uint8_t k) {
    RaVReg d = x64_dst(L, op, CLIF_I8X16);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    mi->imm = k;
    x64_def_or_reuse(L, op, d);
    lower_use(L, a, RA_REG, 0);
    x64_mi_rm(L, mi, b);
    return d;
}
static inline RaVReg x64_form_XSHI(LowerCtx *L, X64Op op, ClifType t, RaVReg a, uint8_t k) {
    RaVReg d = x64_dst(L, op, t);
    x64_begin(L, op, 2)->imm = k;
    x64_def_or_reuse(L, op, d);
    lower_use(L, a, RA_REG, 0);
    return d;
}
static inline Unit x64_form_XSTI(LowerCtx *L, X64Op op, ClifType t, X64Rm m, RaVReg b, uint8_t k) {
    x64_store(L, op, x64_wide(t), m, x64_reg_rm(L, b))->imm = k;
    return 0;
}
/* a where the mask's lane is negative, b elsewhere */
static inline RaVReg x64_form_BLEND(LowerCtx *L, X64Op op, ClifType t, RaVReg m, RaVReg b,
                                    X64Rm a) {
    RaVReg d = x64_dst(L, op, CLIF_I8X16);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    x64_def_or_reuse(L, op, d);
    lower_use(L, b, RA_REG, 0);
    if (x64_has(L->set, X64_HAS_AVX))
        lower_use(L, m, RA_REG, 0);
    else
        lower_use(L, m, RA_FIXED, X64_XMM);
    x64_mi_rm(L, mi, a);
    return d;
}
static inline RaVReg x64_form_MVXI(LowerCtx *L, X64Op op, ClifType t, RaVReg a, uint8_t k) {
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    x64_begin(L, op, x64_wide(t))->imm = k;
    lower_def(L, d, RA_REG, 0);
    lower_use(L, a, RA_REG, 0);
    return d;
}
static inline RaVReg x64_form_FMA(LowerCtx *L, X64Op op, ClifType t, RaVReg a, RaVReg b, X64Rm c) {
    RaVReg d = x64_dst(L, op, t);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    lower_use(L, b, RA_REG, 0);
    x64_mi_rm(L, mi, c);
    return d;
}
static inline RaVReg x64_form_FMAI(LowerCtx *L, X64Op op, ClifType t, RaVReg a, RaVReg b, X64Rm c,
                                   uint8_t k) {
    RaVReg d = x64_form_FMA(L, op, t, a, b, c);
    vec_last(&L->buf.insts).imm = k;
    return d;
}
#include "isa/x64/insts_ctors.h"

/* ---- questions ---- */
/* A vector of at most 128 bits; *o is the one of 128 bits with the same lanes. Lane by lane it does not matter what the lanes
 * are that a shorter vector does not have. */
static inline bool x64_lanes(LowerCtx *L, ClifType t, ClifType *o) {
    (void)L;
    ClifType lane = clif_lane_type(t);
    *o = clif_vector_of(lane, 7u - clif_scalar_log2_bits[lane]);
    return t >= 0x10 && t <= *o;
}
static inline bool x64_int_lanes(LowerCtx *L, ClifType t, ClifType *o) {
    return clif_lane_type(t) <= CLIF_I64 && x64_lanes(L, t, o);
}
static inline bool x64_float_lanes(LowerCtx *L, ClifType t, ClifType *o) {
    return (clif_lane_type(t) == CLIF_F32 || clif_lane_type(t) == CLIF_F64) && x64_lanes(L, t, o);
}
#define X64_HAS(name, FLAG)                                   \
    static inline bool x64_has_##name(LowerCtx *L, Unit *u) { \
        return *u = 0, x64_has(L->set, X64_HAS_##FLAG);       \
    }
X64_HAS(lzcnt, LZCNT)
X64_HAS(bmi1, BMI1)
X64_HAS(bmi2, BMI2)
X64_HAS(popcnt, POPCNT)
X64_HAS(cmpxchg16b, CMPXCHG16B)
X64_HAS(ssse3, SSSE3)
X64_HAS(sse41, SSE41)
X64_HAS(fma, FMA)
X64_HAS(avx_vnni, AVX_VNNI)
X64_HAS(avx512f, AVX512F)
X64_HAS(avx512vnni, AVX512VNNI)
/* AVX-512 on registers of 128 bits */
static inline bool x64_avx512vl(LowerCtx *L) {
    return x64_has(L->set, X64_HAS_AVX512F) && x64_has(L->set, X64_HAS_AVX512VL);
}
static inline bool x64_has_avx512(LowerCtx *L, Unit *u) {
    return *u = 0, x64_avx512vl(L);
}
static inline bool x64_lanes_little(LowerCtx *L, uint16_t fl, Unit *u) {
    return *u = 0, !(clif_memflags(L->f, fl).bits & CLIF_MEM_BIG);
}
bool x64_sinkable(LowerCtx *L, ClifValue v);
static inline bool x64_simm32(LowerCtx *L, ClifValue v, int64_t *k) {
    return isle_iconst_s(L, v, k) && *k == (int32_t)*k;
}
static inline bool x64_minus_simm32(LowerCtx *L, ClifValue v, int64_t *k) {
    if (!x64_simm32(L, v, k) || *k == INT32_MIN) return false;
    return *k = -*k, true;
}
/* The type whose sign a left and an arithmetic right shift by k extend. */
static inline bool x64_shifted_type(LowerCtx *L, ClifType t, uint64_t k, ClifType *from) {
    uint64_t left = clif_type_bits(t) - (k & (clif_type_bits(t) - 1));
    *from = left == 8 ? CLIF_I8 : left == 16 ? CLIF_I16 : CLIF_I32;
    return (void)L, left == 8 || left == 16 || (left == 32 && t == CLIF_I64);
}
static inline bool x64_upper_half(LowerCtx *L, uint64_t k, Unit *u) {
    return (void)L, *u = 0, k >= 32 && k < 64;
}
static inline int64_t x64_shift_mask(LowerCtx *L, ClifType t, uint64_t k) {
    return (void)L, (int64_t)(k & (clif_type_bits(t) - 1));
}
static inline int64_t x64_neg_amount(LowerCtx *L, ClifType t, uint64_t k) {
    return (void)L, (int64_t)((0 - k) & (clif_type_bits(t) - 1));
}
static inline X64Cond x64_cond1(unsigned cc) {
    return (X64Cond){COND_ONE, (uint8_t)cc, 0};
}
static inline X64Cond x64_carry(LowerCtx *L) {
    return (void)L, x64_cond1(CC_B);
}
static inline X64Cond x64_flags_of(LowerCtx *L, Unit u, X64Cond c) {
    return (void)L, (void)u, c;
}
static inline X64Cond x64_no_carry(LowerCtx *L) {
    return (void)L, x64_cond1(CC_AE);
}
static inline X64Cond x64_nonzero(LowerCtx *L) {
    return (void)L, x64_cond1(CC_NE);
}
static inline Unit x64_none_unit(LowerCtx *L) {
    return (void)L, 0;
}

/* ---- vectors (vector.c) ---- */
/* Operators that are one instruction per lane width. */
typedef uint8_t Packed;
enum {
    Packed_Add,
    Packed_Sub,
    Packed_Mul,
    Packed_AddSatS,
    Packed_AddSatU,
    Packed_SubSatS,
    Packed_SubSatU,
    Packed_MinS,
    Packed_MinU,
    Packed_MaxS,
    Packed_MaxU,
    Packed_Avg,
    Packed_Eq,
    Packed_Gt,
    Packed_Abs,
    Packed_NarrowS,
    Packed_NarrowU,
    Packed_WidenS,
    Packed_WidenU,
    Packed_AddPairs,
    Packed_Popcnt,
    Packed_COUNT
};
bool x64_packed_row(LowerCtx *L, Packed what, ClifType t, uint16_t *row);
static inline RaVReg x64_packed(LowerCtx *L, uint16_t row, ClifType t, RaVReg a, X64Rm b) {
    return x64_form_RMR(L, (X64Op)row, t, a, b);
}
static inline RaVReg x64_packed_1(LowerCtx *L, uint16_t row, ClifType t, X64Rm a) {
    return x64_form_RM(L, (X64Op)row, t, a);
}
bool x64_zero_vec(LowerCtx *L, ClifValue v, Unit *u);
RaVReg x64_vec_zero(LowerCtx *L);
RaVReg x64_vec_ones(LowerCtx *L);
RaVReg x64_vec_const(LowerCtx *L, uint32_t c);
X64Rm x64_each(LowerCtx *L, ClifType t, uint64_t k); /* k in every lane, in the pool */
RaVReg x64_splat(LowerCtx *L, ClifType t, ClifValue v);
RaVReg x64_scalar_to_vec(LowerCtx *L, ClifType t, ClifValue v);
bool x64_extract_lane(LowerCtx *L, ClifType t, RaVReg v, uint8_t lane, RaVReg *out);
bool x64_insert_lane(LowerCtx *L, ClifType t, RaVReg v, ClifValue x, uint8_t lane, RaVReg *out);
RaVReg x64_shuffle(LowerCtx *L, ClifValue a, ClifValue b, uint32_t mask);
RaVReg x64_vec_shift(LowerCtx *L, ClifType t, uint8_t kind, RaVReg a, ClifValue n);
RaVReg x64_vec_icmp(LowerCtx *L, ClifType t, IntCC cc, RaVReg a, RaVReg b);
RaVReg x64_vec_fcmp(LowerCtx *L, ClifType t, FloatCC cc, RaVReg a, RaVReg b);
RaVReg x64_vec_mul64(LowerCtx *L, RaVReg a, RaVReg b);
RaVReg x64_vec_mul8(LowerCtx *L, RaVReg a, RaVReg b);
RaVReg x64_vec_popcnt(LowerCtx *L, ClifType t, RaVReg a);
RaVReg x64_vec_abs64(LowerCtx *L, RaVReg a);
RaVReg x64_vec_fmin(LowerCtx *L, ClifType t, RaVReg a, RaVReg b);
RaVReg x64_vec_fmax(LowerCtx *L, ClifType t, RaVReg a, RaVReg b);
RaVReg x64_vec_to_sint(LowerCtx *L, RaVReg a);
RaVReg x64_vec_to_uint(LowerCtx *L, RaVReg a);
RaVReg x64_vec_from_uint(LowerCtx *L, RaVReg a);
RaVReg x64_vec_f64_to_sint(LowerCtx *L, RaVReg a);
RaVReg x64_vec_f64_to_uint(LowerCtx *L, RaVReg a);
RaVReg x64_fma_call(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, RaVReg c);
RaVReg x64_vec_fma_calls(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, RaVReg c);
X64Cond x64_any_bit(LowerCtx *L, ClifType t, RaVReg a);
X64Cond x64_all_lanes(LowerCtx *L, ClifType t, RaVReg a);
bool x64_high_bits(LowerCtx *L, ClifType t, RaVReg a, RaVReg *out);
RaVReg x64_vec_minmax(LowerCtx *L, ClifType t, Packed what, RaVReg a, RaVReg b);
RaVReg x64_vec_mul32(LowerCtx *L, RaVReg a, RaVReg b);
RaVReg x64_vec_mul_q15(LowerCtx *L, RaVReg a, RaVReg b);
bool x64_vec_add_pairs(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, RaVReg *out);
bool x64_vec_narrow(LowerCtx *L, ClifType t, uint16_t op, RaVReg a, RaVReg b, RaVReg *out);
bool x64_is_mask(LowerCtx *L, ClifValue v, Unit *u);
bool x64_store_lane(LowerCtx *L, ClifType t, X64Rm m, RaVReg v, uint8_t k, Unit *out);
RaVReg x64_fused(LowerCtx *L, ClifType t, ClifValue x, ClifValue y, ClifValue z);
bool x64_min_or_max(LowerCtx *L, ClifType t, ClifValue c, ClifValue x, ClifValue y, uint16_t *row);
bool x64_vec_blend(LowerCtx *L, ClifType t, RaVReg m, RaVReg a, RaVReg b, RaVReg *out);
RaVReg x64_vec_from_sint64(LowerCtx *L, RaVReg a);
RaVReg x64_vec_from_uint64(LowerCtx *L, RaVReg a);
RaVReg x64_vec_to_int64(LowerCtx *L, bool sign, bool sat, RaVReg a);
bool x64_vec_widen(LowerCtx *L, ClifType t, bool sign, bool high, RaVReg a, RaVReg *out);
RaVReg x64_vec_round(LowerCtx *L, ClifType t, uint8_t mode, RaVReg a);
RaVReg x64_xmm_load(LowerCtx *L, ClifType t, X64Rm m);
Unit x64_xmm_store(LowerCtx *L, ClifType t, X64Rm m, RaVReg a);
RaVReg x64_byte_shuffle(LowerCtx *L, RaVReg a, RaVReg b);
ClifLibCall x64_round_call(ClifType t, uint8_t mode);

/* ---- 128-bit integers (i128.c) ---- */
static inline bool x64_regs_eq(ValueRegs a, ValueRegs b) {
    return (void)a, (void)b, false;
}
static inline ValueRegs x64_output_regs(LowerCtx *L, ValueRegs r) {
    return (void)L, r;
}
static inline RaVReg x64_low(LowerCtx *L, ClifValue v) { /* of an integer of any width */
    return lower_value_regs(L, v).r[0];
}
ValueRegs x64_halves(LowerCtx *L, uint16_t low, uint16_t high, ValueRegs a, ValueRegs b);
ValueRegs x64_neg128(LowerCtx *L, ValueRegs a);
ValueRegs x64_abs128(LowerCtx *L, ValueRegs a);
ValueRegs x64_not128(LowerCtx *L, ValueRegs a);
ValueRegs x64_mul128(LowerCtx *L, ValueRegs a, ValueRegs b);
ValueRegs x64_bitselect128(LowerCtx *L, ValueRegs m, ValueRegs a, ValueRegs b);
ValueRegs x64_shift128(LowerCtx *L, uint8_t kind, ValueRegs a, RaVReg n);
ValueRegs x64_rotate128(LowerCtx *L, bool left, ValueRegs a, RaVReg n);
X64Cond x64_nonzero128(LowerCtx *L, ValueRegs a);
X64Cond x64_icmp128(LowerCtx *L, IntCC cc, ValueRegs a, ValueRegs b);
ValueRegs x64_select128(LowerCtx *L, X64Cond c, ValueRegs a, ValueRegs b);
ValueRegs x64_zeros128(LowerCtx *L, bool leading, ValueRegs a);
ValueRegs x64_cls128(LowerCtx *L, ValueRegs a);
ValueRegs x64_popcnt128(LowerCtx *L, ValueRegs a);
ValueRegs x64_bswap128(LowerCtx *L, ValueRegs a);
RaVReg x64_bitrev_reg(LowerCtx *L, ClifType t, RaVReg a);
ValueRegs x64_bitrev128(LowerCtx *L, ValueRegs a);
ValueRegs x64_extend128(LowerCtx *L, bool sign, RaVReg lo);
ValueRegs x64_twice(LowerCtx *L, RaVReg r);
ValueRegs x64_concat(LowerCtx *L, RaVReg lo, RaVReg hi);
ValueRegs x64_split(LowerCtx *L, ValueRegs a);
ValueRegs x64_load128(LowerCtx *L, X64Rm m);
Unit x64_store128(LowerCtx *L, X64Rm m, ValueRegs a);
RaVReg x64_to_vector(LowerCtx *L, ValueRegs a);
ValueRegs x64_from_vector(LowerCtx *L, RaVReg v);

/* ---- atomics.c ---- */
RaVReg x64_atomic_rmw(LowerCtx *L, ClifType t, uint8_t op, RaVReg x, X64Rm m);
RaVReg x64_atomic_cas(LowerCtx *L, ClifType t, RaVReg e, RaVReg x, X64Rm m);
ValueRegs x64_atomic_cas128(LowerCtx *L, ValueRegs e, ValueRegs x, X64Rm m);
ValueRegs x64_atomic_rmw128(LowerCtx *L, uint8_t op, ValueRegs x, X64Rm m);
ValueRegs x64_atomic_load128(LowerCtx *L, X64Rm m);
Unit x64_atomic_store128(LowerCtx *L, ValueRegs x, X64Rm m);

/* ---- a second result (overflow.c) ---- */
ValueRegs x64_with_overflow(LowerCtx *L, ClifType t, uint16_t low, uint16_t high, uint8_t cc,
                            ValueRegs a, ValueRegs b);
ValueRegs x64_with_carry(LowerCtx *L, ClifType t, uint16_t row, uint8_t cc, ValueRegs a,
                         ValueRegs b, RaVReg c);
RaVReg x64_mul_wide(LowerCtx *L, uint16_t row, ClifType t, RaVReg a, X64Rm b, RaVReg *lo);
RaVReg x64_mul_halves(LowerCtx *L, uint16_t row, ClifType t, RaVReg a, X64Rm b, RaVReg *lo);
ValueRegs x64_mul_overflow(LowerCtx *L, ClifType t, bool sign, RaVReg a, RaVReg b);
RaVReg x64_mul_hi_narrow(LowerCtx *L, ClifType t, bool sign, RaVReg a, RaVReg b);

/* ---- sequences (lower.c, divconst.c) ---- */
uint8_t x64_int_cc(IntCC cc);
RaVReg x64_extend_reg(LowerCtx *L, ClifType t, bool sign, ClifType from, RaVReg r);
RaVReg x64_choose_reg(LowerCtx *L, ClifType t, X64Cond c, RaVReg yes, RaVReg no);
RaVReg x64_float_to_int(LowerCtx *L, ClifType t, ClifType from, bool sign, bool sat, RaVReg a);
RaVReg x64_in_range(LowerCtx *L, ClifType t, bool sign, RaVReg r);
RaVReg x64_clamp(LowerCtx *L, ClifType t, bool sign, RaVReg r);
X64Cond x64_icmp_flags(LowerCtx *L, IntCC cc, ClifValue a, ClifValue b);
X64Cond x64_fcmp_flags(LowerCtx *L, FloatCC cc, ClifValue a, ClifValue b);
X64Cond x64_nonzero_flags(LowerCtx *L, ClifValue v);
X64Cond x64_test_flags(LowerCtx *L, ClifValue a, ClifValue b);
X64Cond x64_invert(LowerCtx *L, X64Cond c);
RaVReg x64_cond_reg(LowerCtx *L, X64Cond c);
RaVReg x64_select(LowerCtx *L, ClifType t, X64Cond c, ClifValue x, ClifValue y);
RaVReg x64_cmov_sign(LowerCtx *L, ClifType t, RaVReg a, RaVReg b);
Unit x64_trap_if(LowerCtx *L, X64Cond c, uint8_t code);
Unit x64_trap_always(LowerCtx *L, uint8_t code);
RaVReg x64_float_zero(LowerCtx *L);
RaVReg x64_extend(LowerCtx *L, ClifType t, bool sign, ClifValue v);
RaVReg x64_commutative(LowerCtx *L, uint16_t row, ClifType t, ClifValue a, ClifValue b);
RaVReg x64_add_values(LowerCtx *L, ClifType t, ClifValue a, ClifValue b);
RaVReg x64_add_imm(LowerCtx *L, ClifType t, ClifValue a, int64_t k);
RaVReg x64_shl_imm(LowerCtx *L, ClifType t, ClifValue a, int64_t k);
RaVReg x64_sign_extend(LowerCtx *L, ClifType t, ClifType from, RaVReg r);
RaVReg x64_mul_imm(LowerCtx *L, ClifType t, ClifValue a, int64_t k);
Unit x64_store_value(LowerCtx *L, ClifType t, uint16_t flags, ClifValue x, ClifValue a,
                     int32_t off);
Unit x64_store_fence(LowerCtx *L, ClifType t, uint16_t flags, ClifValue x, ClifValue a);
RaVReg x64_mul_hi(LowerCtx *L, ClifType t, bool sign, RaVReg a, X64Rm b);
RaVReg x64_divrem_values(LowerCtx *L, ClifType t, uint8_t kind, ClifValue a, ClifValue b);
bool x64_div_const(LowerCtx *L, ClifType t, uint8_t kind, ClifValue a, int64_t k, RaVReg *out);
RaVReg x64_shift_cl(LowerCtx *L, ClifType t, uint8_t kind, RaVReg a, ClifValue amount);
RaVReg x64_low_bits(LowerCtx *L, ClifType t, RaVReg a, ClifValue n);
RaVReg x64_bswap_reg(LowerCtx *L, ClifType t, RaVReg a);
RaVReg x64_count_zeros(LowerCtx *L, ClifType t, bool leading, RaVReg a);
RaVReg x64_popcnt_slow(LowerCtx *L, ClifType t, RaVReg a);
RaVReg x64_float_minmax(LowerCtx *L, ClifType t, bool max, RaVReg a, RaVReg b);
RaVReg x64_round(LowerCtx *L, ClifType t, uint8_t mode, ClifValue v);
RaVReg x64_to_int(LowerCtx *L, ClifType t, bool sign, bool sat, ClifValue v);
RaVReg x64_from_u64(LowerCtx *L, ClifType t, RaVReg a);
RaVReg x64_stack_addr(LowerCtx *L, uint32_t slot, int32_t off);
RaVReg x64_symbol_addr(LowerCtx *L, uint32_t gv);
RaVReg x64_function_addr(LowerCtx *L, uint32_t fn);
RaVReg x64_frame_pointer(LowerCtx *L);
RaVReg x64_stack_pointer(LowerCtx *L);
RaVReg x64_return_address(LowerCtx *L);
Unit x64_fence_all(LowerCtx *L);
Unit x64_breakpoint(LowerCtx *L);
#endif
