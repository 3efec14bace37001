/* isa/x64/vector_float.c — vectors of floats: minimum and maximum, conversions from and to integers, calls lane by lane. */
#include "isa/x64/vector.h"

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

/* NaN becomes 0. cvttps2dq gives the least integer for all that is out of range: right below; above, its sign is wrong. */
RaVReg x64_vec_to_sint(LowerCtx *L, RaVReg a) {
    RaVReg number = cmpp(L, CLIF_F32X4, a, a, CMP_EQ);
    RaVReg v = op2(L, X64_ANDPS, a, number);
    RaVReg positive = op2(L, X64_XORPS, v, number); /* sign bit: a number, and not negative */
    RaVReg i = x64_form_RM(L, X64_CVTTPS2DQ, T, in(v));
    RaVReg over = shift_imm(L, X64_PSRADI, op2(L, X64_ANDPS, positive, i), 31);
    return op2(L, X64_XORPS, i, over);
}

/* min(x, 2^31 - 1) + min(max(x - 2^31, 0), 2^31), each as a signed conversion does it */
RaVReg x64_vec_to_uint(LowerCtx *L, RaVReg a) {
    RaVReg zero = x64_vec_zero(L);
    RaVReg v = fop2(L, X64_MAXP, CLIF_F32X4, a, zero); /* NaN: the second operand */
    RaVReg big = x64_form_RM(L, X64_MOVUPS, T, x64_each(L, CLIF_F32X4, 0x4F000000));
    RaVReg low = x64_form_RM(L, X64_CVTTPS2DQ, T, in(v));
    RaVReg rest = fop2(L, X64_SUBP, CLIF_F32X4, v, big);
    RaVReg over = cmpp(L, CLIF_F32X4, big, rest, CMP_LE);
    RaVReg high = op2(L, X64_XORPS, x64_form_RM(L, X64_CVTTPS2DQ, T, in(rest)), over);
    high = op2(L, X64_ANDNPS, shift_imm(L, X64_PSRADI, high, 31), high); /* at least 0 */
    return op2(L, X64_PADDD, low, high);
}

/* low 16 bits exactly, the upper 16 halved and exactly, doubled; one rounding in the sum */
RaVReg x64_vec_from_uint(LowerCtx *L, RaVReg a) {
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
RaVReg x64_vec_from_sint64(LowerCtx *L, RaVReg a) {
    RaVReg f[2];
    for (unsigned k = 0; k < 2; k++) {
        RaVReg i = x64_form_MVX(L, X64_MOVD_R, CLIF_I64, lane_of_two(L, a, k));
        f[k] = x64_form_RM(L, X64_CVTSI2SD, CLIF_I64, in(i));
    }
    return op2(L, X64_PUNPCKLQDQ, f[0], f[1]);
}
/* The halves of each lane become the low bits of 2^52 and of 2^84; what they hold too much is taken off again, exactly. */
RaVReg x64_vec_from_uint64(LowerCtx *L, RaVReg a) {
    RaVReg low = op2m(L, X64_ANDPS, a, x64_each(L, CLIF_I64X2, UINT32_MAX));
    low = op2m(L, X64_ORPS, low, x64_each(L, CLIF_I64X2, 0x4330000000000000));
    RaVReg high = shift_imm(L, X64_PSRLQI, a, 32);
    high = op2m(L, X64_ORPS, high, x64_each(L, CLIF_I64X2, 0x4530000000000000));
    high = x64_form_RMR(L, X64_SUBP, CLIF_F64X2, high, x64_each(L, CLIF_I64X2, 0x4530000000100000));
    return fop2(L, X64_ADDP, CLIF_F64X2, high, low);
}
/* Lane by lane: saturating, or (x86_cvtt2dq) as the instruction does it. */
RaVReg x64_vec_to_int64(LowerCtx *L, bool sign, bool sat, RaVReg a) {
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
