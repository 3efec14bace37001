/* isa/x64/vector_float.c — vectors of floats: minimum and maximum, conversions from and to integers, calls lane by lane. */
#include "isa/x64/vector.h"

/* ---- signs ---- */
/* Scalars: behind the first lane are zeros, or ones; both are of 16 bytes, so that they may be memory operands. */
static X64Rm lane_mask(LowerCtx *L, ClifType t, bool sign) {
    unsigned bits = clif_lane_bits(t);
    uint64_t top = UINT64_C(1) << ((bits - 1) & 63), k = sign ? top : top - 1;
    if (bits == 128) return x64_const128(L, sign ? 0 : UINT64_MAX, k);
    return clif_type_is_vector(t) ? x64_each(L, t, k) : x64_const128(L, k, 0);
}
X64Rm x64_sign_mask(LowerCtx *L, ClifType t) {
    return lane_mask(L, t, true);
}
X64Rm x64_abs_mask(LowerCtx *L, ClifType t) {
    return lane_mask(L, t, false);
}

/* ---- minimum, maximum ---- */
/* minps and maxps give their second operand for NaN and for two zeros. Both orders, joined, have the right sign of zero and a
 * NaN wherever there was one; then NaNs are made quiet and their payload is cleared. */
static RaVReg canonical(LowerCtx *L, ClifType t, RaVReg v, RaVReg nan) {
    bool f64 = t == CLIF_F64X2;
    RaVReg fraction = shift_imm(L, f64 ? X64_PSRLQI : X64_PSRLDI, nan, f64 ? 13 : 10);
    return op2(L, X64_ANDNPS, fraction, v);
}

RaVReg x64_vec_fmin(LowerCtx *L, ClifType t, RaVReg a, RaVReg b) {
    RaVReg x = fop2(L, X64_MINP, t, a, b), y = fop2(L, X64_MINP, t, b, a);
    RaVReg either = op2(L, X64_ORPS, x, y), nan = cmpp(L, t, either, y, CMP_UNORD);
    return canonical(L, t, op2(L, X64_ORPS, either, nan), nan);
}

RaVReg x64_vec_fmax(LowerCtx *L, ClifType t, RaVReg a, RaVReg b) {
    RaVReg x = fop2(L, X64_MAXP, t, a, b), y = fop2(L, X64_MAXP, t, b, a);
    RaVReg differ = op2(L, X64_XORPS, x, y);
    RaVReg either = op2(L, X64_ORPS, x, differ);
    RaVReg positive = fop2(L, X64_SUBP, t, either, differ); /* -0 - -0 = +0; NaNs stay NaNs */
    return canonical(L, t, positive, cmpp(L, t, either, either, CMP_UNORD));
}

/* ---- conversions ---- */
/* The conversion gives the least integer for all that is out of range: right below; above, its bits have to be turned; for a
 * NaN, cleared. `limit`: the first float above. */
static RaVReg to_sint(LowerCtx *L, X64Op op, ClifType t, RaVReg a, uint64_t limit) {
    RaVReg i = x64_form_RM(L, op, T, in(a));
    RaVReg over = x64_form_RMRI(L, X64_CMPP, t, a, x64_each(L, t, limit), CMP_NLT);
    return op2(L, X64_PAND, op2(L, X64_PXOR, i, over), cmpp(L, t, a, a, CMP_ORD));
}
RaVReg x64_vec_to_sint(LowerCtx *L, RaVReg a) {
    return to_sint(L, X64_CVTTPS2DQ, CLIF_F32X4, a, 0x4F000000);
}

/* min(x, 2^31 - 1) + min(max(x - 2^31, 0), 2^31), each as a signed conversion does it */
RaVReg x64_vec_to_uint(LowerCtx *L, RaVReg a) {
    RaVReg zero = x64_vec_zero(L);
    RaVReg v = fop2(L, X64_MAXP, CLIF_F32X4, a, zero); /* NaN: the second operand */
    if (x64_avx512vl(L)) return x64_form_RM(L, X64_VCVTTPS2UDQ, T, in(v)); /* too large: all ones */
    RaVReg big = each_reg(L, CLIF_F32X4, 0x4F000000);
    RaVReg low = x64_form_RM(L, X64_CVTTPS2DQ, T, in(v));
    RaVReg rest = fop2(L, X64_SUBP, CLIF_F32X4, v, big);
    RaVReg over = cmpp(L, CLIF_F32X4, big, rest, CMP_LE);
    RaVReg high = op2(L, X64_XORPS, x64_form_RM(L, X64_CVTTPS2DQ, T, in(rest)), over);
    high = op2(L, X64_ANDNPS, shift_imm(L, X64_PSRADI, high, 31), high); /* at least 0 */
    return op2(L, X64_PADDD, low, high);
}

/* low 16 bits exactly, the upper 16 halved and exactly, doubled; one rounding in the sum */
RaVReg x64_vec_from_uint(LowerCtx *L, RaVReg a) {
    if (x64_avx512vl(L)) return x64_form_RM(L, X64_VCVTUDQ2PS, T, in(a));
    RaVReg low = shift_imm(L, X64_PSRLDI, shift_imm(L, X64_PSLLDI, a, 16), 16);
    RaVReg high = shift_imm(L, X64_PSRLDI, op2(L, X64_PSUBD, a, low), 1);
    low = x64_form_RM(L, X64_CVTDQ2PS, T, in(low));
    high = x64_form_RM(L, X64_CVTDQ2PS, T, in(high));
    high = fop2(L, X64_ADDP, CLIF_F32X4, high, high);
    return fop2(L, X64_ADDP, CLIF_F32X4, high, low);
}

RaVReg x64_vec_f64_to_sint(LowerCtx *L, RaVReg a) {
    RaVReg number = cmpp(L, CLIF_F64X2, a, a, CMP_EQ);
    X64Rm most = x64_each(L, CLIF_F64X2, 0x41DFFFFFFFC00000); /* 2^31 - 1 */
    RaVReg limit = op2m(L, X64_ANDPS, number, most);          /* 0 for NaN */
    RaVReg v = fop2(L, X64_MINP, CLIF_F64X2, a, limit);
    return x64_form_RM(L, X64_CVTTPD2DQ, T, in(v));
}

/* In range, then with SSE4.1: the integer part is added to 2^52, which leaves it in the low word. Without: what is not below
 * 2^31 is converted less 2^31, and gets its top bit back. */
RaVReg x64_vec_f64_to_uint(LowerCtx *L, RaVReg a) {
    RaVReg zero = x64_vec_zero(L);
    RaVReg v = fop2(L, X64_MAXP, CLIF_F64X2, a, zero);
    v = x64_form_RMR(L, X64_MINP, CLIF_F64X2, v, x64_each(L, CLIF_F64X2, 0x41EFFFFFFFE00000));
    if (x64_has(L->set, X64_HAS_SSE41)) {
        v = x64_form_RMI(L, X64_ROUNDPD, CLIF_F64X2, in(v), 11);
        v = x64_form_RMR(L, X64_ADDP, CLIF_F64X2, v, x64_each(L, CLIF_F64X2, 0x4330000000000000));
        return x64_form_RMRI(L, X64_SHUFPS, T, v, in(zero), 0x88);
    }
    RaVReg big = x64_form_RM(L, X64_MOVUPS, T, x64_each(L, CLIF_F64X2, 0x41E0000000000000));
    RaVReg over = cmpp(L, CLIF_F64X2, big, v, CMP_LE);
    v = fop2(L, X64_SUBP, CLIF_F64X2, v, op2(L, X64_ANDPS, big, over));
    RaVReg top = shift_imm(L, X64_PSLLDI, over, 31);
    top = x64_form_RMRI(L, X64_SHUFPS, T, top, in(zero), 0x88);
    return op2(L, X64_XORPS, x64_form_RM(L, X64_CVTTPD2DQ, T, in(v)), top);
}

/* ---- 64-bit integers ---- */
static RaVReg lane_of_two(LowerCtx *L, RaVReg v, unsigned k) {
    return k ? pshufd(L, v, 0xEE) : v;
}
static bool avx512dq(LowerCtx *L) {
    return x64_avx512vl(L) && x64_has(L->set, X64_HAS_AVX512DQ);
}
RaVReg x64_vec_from_sint64(LowerCtx *L, RaVReg a) {
    if (avx512dq(L)) return x64_form_RM(L, X64_VCVTQQ2PD, T, in(a));
    RaVReg f[2];
    for (unsigned k = 0; k < 2; k++) {
        RaVReg i = x64_form_MVX(L, X64_MOVD_R, CLIF_I64, lane_of_two(L, a, k));
        f[k] = x64_form_RM(L, X64_CVTSI2SD, CLIF_I64, in(i));
    }
    return op2(L, X64_PUNPCKLQDQ, f[0], f[1]);
}
/* The halves of each lane become the low bits of 2^52 and of 2^84; what they hold too much is taken off again, exactly. */
RaVReg x64_vec_from_uint64(LowerCtx *L, RaVReg a) {
    if (avx512dq(L)) return x64_form_RM(L, X64_VCVTUQQ2PD, T, in(a));
    RaVReg low = op2m(L, X64_ANDPS, a, x64_each(L, CLIF_I64X2, UINT32_MAX));
    low = op2m(L, X64_ORPS, low, x64_each(L, CLIF_I64X2, 0x4330000000000000));
    RaVReg high = shift_imm(L, X64_PSRLQI, a, 32);
    high = op2m(L, X64_ORPS, high, x64_each(L, CLIF_I64X2, 0x4530000000000000));
    high = x64_form_RMR(L, X64_SUBP, CLIF_F64X2, high, x64_each(L, CLIF_I64X2, 0x4530000000100000));
    return fop2(L, X64_ADDP, CLIF_F64X2, high, low);
}
/* Lane by lane: saturating, or (x86_cvtt2dq) as the instruction does it. */
RaVReg x64_vec_to_int64(LowerCtx *L, bool sign, bool sat, RaVReg a) {
    if (avx512dq(L)) {
        if (!sat) return x64_form_RM(L, X64_VCVTTPD2QQ, T, in(a));
        if (sign) return to_sint(L, X64_VCVTTPD2QQ, CLIF_F64X2, a, 0x43E0000000000000);
        a = fop2(L, X64_MAXP, CLIF_F64X2, a, x64_vec_zero(L));
        return x64_form_RM(L, X64_VCVTTPD2UQQ, T, in(a));
    }
    RaVReg i[2];
    for (unsigned k = 0; k < 2; k++) {
        RaVReg x = lane_of_two(L, a, k);
        i[k] = sat ? x64_float_to_int(L, CLIF_I64, CLIF_F64, sign, true, x)
                   : x64_form_RM(L, X64_CVTTSD2SI, CLIF_I64, in(x));
    }
    return x64_to_vector(L, (ValueRegs){{i[0], i[1]}, 2});
}

/* ---- the C library ---- */
/* A routine of the C library on each lane. */
static RaVReg lane_calls(LowerCtx *L, ClifType t, ClifLibCall call, const RaVReg *v, uint32_t n) {
    static const uint8_t front[] = {0xE4, 0xE1, 0xC6, 0x27}; /* lane k to the front, and back */
    ClifType lane = clif_lane_type(t);
    RaVReg r = v[0];
    for (uint8_t k = 0; k < clif_type_lanes(t); k++) {
        RaVReg x[3], y;
        for (uint32_t i = 0; i < n; i++)
            x[i] = pshufd(L, v[i], lane == CLIF_F32 ? k : k ? 0xEE : 0xE4);
        x64_lower_libcall(L, call, x, n, lane, &y);
        if (lane == CLIF_F64)
            r = op2(L, k ? X64_PUNPCKLQDQ : X64_MOVSD_RR, r, y);
        else
            r = pshufd(L, op2(L, X64_MOVSS_RR, pshufd(L, r, front[k]), y), front[k]);
    }
    return r;
}

RaVReg x64_vec_round(LowerCtx *L, ClifType t, uint8_t mode, RaVReg a) {
    return lane_calls(L, t, x64_round_call(clif_lane_type(t), mode), &a, 1);
}

/* v without fneg around it */
static ClifValue bare(LowerCtx *L, ClifValue v, bool *negated) {
    for (ClifInst i; (i = lower_def_inst(L, v)).i != CLIF_NONE;) {
        const ClifInstData *d = clif_data(L->f, i);
        if (d->op != CLIF_OP_FNEG) break;
        *negated = !*negated;
        v = isle_v(d->a);
    }
    return v;
}
/* x * y + z with one rounding. Negations are part of the instruction; memory may be y (132) or z (213), of which x is overwritten. */
RaVReg x64_fused(LowerCtx *L, ClifType t, ClifValue x, ClifValue y, ClifValue z) {
    static const uint16_t rows[2][2][2][2] = {
        /* scalar, packed; product as it is, negated; z added, subtracted; 213, 132 */
        {{{X64_VFMADDS, X64_VFMADD132S}, {X64_VFMSUBS, X64_VFMSUB132S}},
         {{X64_VFNMADDS, X64_VFNMADD132S}, {X64_VFNMSUBS, X64_VFNMSUB132S}}},
        {{{X64_VFMADDP, X64_VFMADD132P}, {X64_VFMSUBP, X64_VFMSUB132P}},
         {{X64_VFNMADDP, X64_VFNMADD132P}, {X64_VFNMSUBP, X64_VFNMSUB132P}}}};
    bool minus = false, subtract = false;
    x = bare(L, x, &minus);
    y = bare(L, y, &minus);
    z = bare(L, z, &subtract);
    bool swap = !x64_sinkable(L, y) &&
                (x64_sinkable(L, x) || (!lower_dies_here(L, x) && lower_dies_here(L, y)));
    if (swap) {
        ClifValue s = x;
        x = y;
        y = s;
    }
    bool by_memory = x64_sinkable(L, y) && x.i != y.i;
    X64Op op = (X64Op)rows[clif_type_is_vector(t)][minus][subtract][by_memory];
    RaVReg a = lower_value_reg(L, x), b = lower_value_reg(L, by_memory ? z : y);
    return x64_form_FMA(L, op, t, a, b, x64_rm(L, by_memory ? y : z));
}

RaVReg x64_fma_call(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, RaVReg c) {
    RaVReg x[3] = {a, b, c}, r;
    x64_lower_libcall(L, t == CLIF_F32 ? CLIF_LIBCALL_FMA_F32 : CLIF_LIBCALL_FMA_F64, x, 3, t, &r);
    return r;
}

RaVReg x64_vec_fma_calls(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, RaVReg c) {
    RaVReg x[3] = {a, b, c};
    ClifLibCall call = t == CLIF_F32X4 ? CLIF_LIBCALL_FMA_F32 : CLIF_LIBCALL_FMA_F64;
    return lane_calls(L, t, call, x, 3);
}
