/* isa/x64/vector_int.c — vectors of integers: products, sums of pairs, narrower and wider lanes, counts, where that takes
 * more than one packed instruction. */
#include "isa/x64/vector.h"

/* ---- products, pairs, counts ---- */
/* (ah:al) * (bh:bl) mod 2^64 = al * bl + ((ah * bl + al * bh) << 32) */
RaVReg x64_vec_mul64(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg x = op2(L, X64_PMULUDQ, shift_imm(L, X64_PSRLQI, a, 32), b);
    RaVReg y = op2(L, X64_PMULUDQ, shift_imm(L, X64_PSRLQI, b, 32), a);
    RaVReg cross = shift_imm(L, X64_PSLLQI, op2(L, X64_PADDQ, x, y), 32);
    return op2(L, X64_PADDQ, cross, op2(L, X64_PMULUDQ, a, b));
}

RaVReg x64_vec_mul32(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg even = pshufd(L, op2(L, X64_PMULUDQ, a, b), 0x08);
    RaVReg x = shift_imm(L, X64_PSRLQI, a, 32), y = shift_imm(L, X64_PSRLQI, b, 32);
    return op2(L, X64_PUNPCKLDQ, even, pshufd(L, op2(L, X64_PMULUDQ, x, y), 0x08));
}

/* (x * y + 2^14) >> 15 in 32 bits; the pack saturates the one product that is too large */
RaVReg x64_vec_mul_q15(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg lo = op2(L, X64_PMULLW, a, b), hi = op2(L, X64_PMULHW, a, b), r[2];
    for (int k = 0; k < 2; k++) {
        r[k] = op2(L, k ? X64_PUNPCKHWD : X64_PUNPCKLWD, lo, hi);
        r[k] = op2m(L, X64_PADDD, r[k], x64_each(L, CLIF_I32X4, 0x4000));
        r[k] = shift_imm(L, X64_PSRADI, r[k], 15);
    }
    return op2(L, X64_PACKSSDW, r[0], r[1]);
}

/* Two vectors of at most 64 bits, one behind the other. */
static RaVReg join(LowerCtx *L, ClifType t, RaVReg a, RaVReg b) {
    unsigned bits = clif_type_bits(t);
    return op2(L, bits == 64 ? X64_PUNPCKLQDQ : bits == 32 ? X64_PUNPCKLDQ : X64_PUNPCKLWD, a, b);
}

/* even lanes of both plus odd lanes of both */
bool x64_vec_add_pairs(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, RaVReg *out) {
    static const uint16_t add[] = {X64_PADDB, X64_PADDW, X64_PADDD};
    unsigned lane = clif_lane_type(t) - CLIF_I8;
    RaVReg even, odd;
    uint16_t row;
    if (clif_type_bits(t) < 128) a = b = join(L, t, a, b);
    if (x64_packed_row(L, Packed_AddPairs, t, &row)) {
        *out = op2(L, (X64Op)row, a, b);
        return true;
    }
    switch (clif_lane_type(t)) {
    case CLIF_I8: {
        X64Rm low = x64_each(L, CLIF_I16X8, 0xFF);
        even = op2(L, X64_PACKUSWB, op2m(L, X64_PAND, a, low), op2m(L, X64_PAND, b, low));
        odd = op2(L, X64_PACKUSWB, shift_imm(L, X64_PSRLWI, a, 8), shift_imm(L, X64_PSRLWI, b, 8));
        break;
    }
    case CLIF_I16: {
        RaVReg x = shift_imm(L, X64_PSRADI, shift_imm(L, X64_PSLLDI, a, 16), 16);
        RaVReg y = shift_imm(L, X64_PSRADI, shift_imm(L, X64_PSLLDI, b, 16), 16);
        even = op2(L, X64_PACKSSDW, x, y);
        odd =
            op2(L, X64_PACKSSDW, shift_imm(L, X64_PSRADI, a, 16), shift_imm(L, X64_PSRADI, b, 16));
        break;
    }
    case CLIF_I32:
        even = x64_form_RMRI(L, X64_SHUFPS, T, a, in(b), 0x88);
        odd = x64_form_RMRI(L, X64_SHUFPS, T, a, in(b), 0xDD);
        break;
    default: return false;
    }
    *out = op2(L, (X64Op)add[lane], even, odd);
    return true;
}

/* ---- narrower and wider lanes ---- */
/* i32x4 to unsigned words: [0, 65535] moved to the signed range, packed, moved back */
static RaVReg narrow_u32(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg x[2] = {a, b};
    X64Rm most = x64_each(L, CLIF_I32X4, 65535);
    for (int k = 0; k < 2; k++) {
        RaVReg v = op2(L, X64_PANDN, shift_imm(L, X64_PSRADI, x[k], 31), x[k]);
        RaVReg over = op2m(L, X64_PCMPGTD, v, most);
        v = op2m(L, X64_PAND, op2(L, X64_POR, v, over), most);
        x[k] = op2m(L, X64_PSUBD, v, x64_each(L, CLIF_I32X4, 0x8000));
    }
    return op2m(L, X64_PXOR, op2(L, X64_PACKSSDW, x[0], x[1]), x64_each(L, CLIF_I16X8, 0x8000));
}

/* The smaller of unsigned lanes and a bound that fits the narrower lane. */
static RaVReg at_most(LowerCtx *L, ClifType t, RaVReg a, uint64_t most) {
    uint16_t row;
    if (x64_packed_row(L, Packed_MinU, t, &row))
        return op2m(L, (X64Op)row, a, x64_each(L, t, most));
    return x64_vec_minmax(L, t, Packed_MinU, a, each_reg(L, t, most));
}

/* 64-bit lanes by their halves: what the upper one says about the lower one. */
static RaVReg narrow_64(LowerCtx *L, unsigned op, RaVReg a, RaVReg b) {
    RaVReg low = x64_form_RMRI(L, X64_SHUFPS, T, a, in(b), 0x88),
           high = x64_form_RMRI(L, X64_SHUFPS, T, a, in(b), 0xDD);
    RaVReg sign = shift_imm(L, X64_PSRADI, high, 31);
    if (op == CLIF_OP_SNARROW) {
        RaVReg fits = op2(L, X64_PCMPEQD, shift_imm(L, X64_PSRADI, low, 31), high);
        RaVReg bound = op2m(L, X64_PXOR, sign, x64_each(L, CLIF_I32X4, INT32_MAX));
        return op2(L, X64_POR, op2(L, X64_PAND, low, fits), op2(L, X64_PANDN, fits, bound));
    }
    RaVReg zero = op2(L, X64_PCMPEQD, high, x64_vec_zero(L));
    RaVReg r = op2(L, X64_POR, low, op2(L, X64_PXOR, zero, x64_vec_ones(L)));
    return op == CLIF_OP_UNARROW ? op2(L, X64_PANDN, sign, r) : r;
}

/* The lanes of a, then those of b, to half their width with saturation. */
bool x64_vec_narrow(LowerCtx *L, ClifType t, uint16_t op, RaVReg a, RaVReg b, RaVReg *out) {
    ClifType lane = clif_lane_type(t);
    uint16_t row;
    if (clif_type_bits(t) < 128) a = b = join(L, t, a, b);
    if (lane == CLIF_I64) {
        *out = narrow_64(L, op, a, b);
        return true;
    }
    if (op == CLIF_OP_UUNARROW) {
        uint64_t most = (UINT64_C(1) << clif_lane_bits(t) / 2) - 1;
        RaVReg x = at_most(L, t, a, most);
        b = a == b ? x : at_most(L, t, b, most);
        a = x;
    }
    if (x64_packed_row(L, op == CLIF_OP_SNARROW ? Packed_NarrowS : Packed_NarrowU, t, &row))
        *out = op2(L, (X64Op)row, a, b);
    else if (lane == CLIF_I32)
        *out = narrow_u32(L, a, b);
    else
        return false;
    return true;
}

/* A half of the lanes, each next to zeros or to copies of its sign. The upper half of a short vector is shifted down. */
bool x64_vec_widen(LowerCtx *L, ClifType t, bool sign, bool high, RaVReg a, RaVReg *out) {
    static const uint16_t rows[2][3] = {{X64_PUNPCKLBW, X64_PUNPCKLWD, X64_PUNPCKLDQ},
                                        {X64_PUNPCKHBW, X64_PUNPCKHWD, X64_PUNPCKHDQ}};
    unsigned lane = clif_lane_type(t) - CLIF_I8, bits = clif_type_bits(t);
    uint16_t row;
    if (lane > 2 || clif_type_lanes(t) == 2) return false;
    if (high && bits < 128) {
        a = shift_imm(L, X64_PSRLQI, a, bits / 2);
        high = false;
    }
    if (x64_packed_row(L, sign ? Packed_WidenS : Packed_WidenU, t, &row) && (sign || !high)) {
        if (high) a = pshufd(L, a, 0xEE);
        *out = x64_form_RM(L, (X64Op)row, T, in(a));
        return true;
    }
    RaVReg upper = x64_vec_zero(L);
    if (sign) upper = x64_lanes_compare(L, Packed_Gt, t, upper, a);
    *out = op2(L, (X64Op)rows[high][lane], a, upper);
    return true;
}

/* ---- bytes, absolute values, selection by sign ---- */
/* even and odd bytes as words */
RaVReg x64_vec_mul8(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg even = op2m(L, X64_PAND, op2(L, X64_PMULLW, a, b), x64_each(L, CLIF_I16X8, 0xFF));
    RaVReg odd = op2(L, X64_PMULLW, shift_imm(L, X64_PSRLWI, a, 8), shift_imm(L, X64_PSRLWI, b, 8));
    return op2(L, X64_POR, shift_imm(L, X64_PSLLWI, odd, 8), even);
}

/* bits per nibble by table (Mula), or counted in pairs, nibbles, bytes */
static RaVReg popcnt_bytes(LowerCtx *L, RaVReg a) {
    static const uint8_t bits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    X64Rm low = x64_each(L, CLIF_I8X16, 15);
    if (!x64_has(L->set, X64_HAS_SSSE3)) {
        X64Rm m1 = x64_each(L, CLIF_I8X16, 0x55), m2 = x64_each(L, CLIF_I8X16, 0x33);
        a = op2(L, X64_PSUBB, a, op2m(L, X64_PAND, shift_imm(L, X64_PSRLWI, a, 1), m1));
        RaVReg h = op2m(L, X64_PAND, shift_imm(L, X64_PSRLWI, a, 2), m2);
        a = op2(L, X64_PADDB, op2m(L, X64_PAND, a, m2), h);
        a = op2(L, X64_PADDB, a, shift_imm(L, X64_PSRLWI, a, 4));
        return op2m(L, X64_PAND, a, low);
    }
    RaVReg table = x64_form_RM(L, X64_MOVUPS, T, pool16(L, bits));
    RaVReg hi = op2m(L, X64_PAND, shift_imm(L, X64_PSRLWI, a, 4), low);
    RaVReg lo = op2m(L, X64_PAND, a, low);
    lo = op2(L, X64_PSHUFB, table, lo);
    return op2(L, X64_PADDB, lo, op2(L, X64_PSHUFB, table, hi));
}

/* the counts of the bytes of each lane, added */
RaVReg x64_vec_popcnt(LowerCtx *L, ClifType t, RaVReg a) {
    RaVReg c = popcnt_bytes(L, a);
    if (clif_lane_type(t) == CLIF_I8) return c;
    if (clif_lane_type(t) == CLIF_I64) return op2(L, X64_PSADBW, c, x64_vec_zero(L));
    c = op2(L, X64_PADDB, c, shift_imm(L, X64_PSRLWI, c, 8));
    c = op2m(L, X64_PAND, c, x64_each(L, CLIF_I16X8, 0xFF));
    return clif_lane_type(t) == CLIF_I16 ? c : op2m(L, X64_PMADDWD, c, x64_each(L, CLIF_I16X8, 1));
}

/* (x ^ s) - s, where s is the sign in all bits */
RaVReg x64_vec_abs64(LowerCtx *L, RaVReg a) {
    RaVReg s = pshufd(L, shift_imm(L, X64_PSRADI, a, 31), 0xF5);
    return op2(L, X64_PSUBQ, op2(L, X64_PXOR, a, s), s);
}

/* Each lane of a where the sign of the mask's lane is set, of b elsewhere. */
bool x64_vec_blend(LowerCtx *L, ClifType t, RaVReg m, RaVReg a, RaVReg b, RaVReg *out) {
    unsigned bits = clif_lane_bits(t);
    bool sse41 = x64_has(L->set, X64_HAS_SSE41);
    if (bits == 128) return false;
    if (sse41 && bits != 16) {
        X64Op op = bits == 8 ? X64_PBLENDVB : bits == 32 ? X64_BLENDVPS : X64_BLENDVPD;
        *out = x64_form_BLEND(L, op, T, m, b, in(a));
        return true;
    }
    if (bits == 8)
        m = op2(L, X64_PCMPGTB, x64_vec_zero(L), m);
    else
        m = shift_imm(L, bits == 16 ? X64_PSRAWI : X64_PSRADI, m, bits == 16 ? 15 : 31);
    if (bits == 64) m = pshufd(L, m, 0xF5);
    *out = sse41 ? x64_form_BLEND(L, X64_PBLENDVB, T, m, b, in(a))
                 : op2(L, X64_POR, op2(L, X64_PAND, a, m), op2(L, X64_PANDN, m, b));
    return true;
}

/* Is each lane of v all zeros or all ones? A comparison, a constant of such bytes. */
bool x64_is_mask(LowerCtx *L, ClifValue v, Unit *u) {
    ClifInst i = lower_def_inst(L, v);
    *u = 0;
    if (i.i == CLIF_NONE) return false;
    const ClifInstData *d = clif_data(L->f, i);
    if (d->op == CLIF_OP_BITCAST && x64_transparent(L->f, i) == 0) {
        i = lower_def_inst(L, isle_v(d->a));
        if (i.i == CLIF_NONE) return false;
        d = clif_data(L->f, i);
    }
    if (d->op == CLIF_OP_VCONST) {
        ClifRange r = L->f->consts.p[d->a];
        const uint8_t *p = L->f->bytes.p + r.first;
        for (uint32_t k = 0; k < r.n; k++)
            if (p[k] != 0 && p[k] != 0xFF) return false;
        return true;
    }
    return d->op == CLIF_OP_ICMP || d->op == CLIF_OP_FCMP;
}
