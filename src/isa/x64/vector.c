/* isa/x64/vector.c — 128-bit vectors: the table of packed instructions, and what takes more than one of them.
 *
 * Vectors are in xmm registers whatever their lanes. Constants are 16 bytes in the pool, which is aligned, so they may be
 * memory operands of SSE instructions; other memory is loaded with movups first, or, with AVX, is one too.
 * What a processor lacks shows in x64_has; the rows of map 0F38 and 0F3A belong to SSSE3, SSE4.1 or SSE4.2, which
 * row_ok tells by opcode (Intel SDM vol. 2). */
#include "isa/x64/vector.h"

static bool row_ok(LowerCtx *L, X64Op op) {
    const X64Row *r = &x64_rows[op];
    if (r->flags & XF_EVEX)
        return x64_avx512vl(L) && (op != X64_VPMULLQ || x64_has(L->set, X64_HAS_AVX512DQ)) &&
               ((op != X64_VPOPCNTB && op != X64_VPOPCNTW) ||
                x64_has(L->set, X64_HAS_AVX512BITALG));
    if (!(r->flags & (XF_M38 | XF_M3A))) return true;
    return x64_has(L->set, r->opcode < 0x20    ? X64_HAS_SSSE3
                           : op == X64_PCMPGTQ ? X64_HAS_SSE42
                                               : X64_HAS_SSE41);
}

bool x64_packed_row(LowerCtx *L, Packed what, ClifType t, uint16_t *row) {
    static const uint16_t rows[Packed_COUNT][4] = {
        /* by lane: i8 i16 i32 i64; 0 = none */
        [Packed_Add] = {X64_PADDB, X64_PADDW, X64_PADDD, X64_PADDQ},
        [Packed_Sub] = {X64_PSUBB, X64_PSUBW, X64_PSUBD, X64_PSUBQ},
        [Packed_Mul] = {0, X64_PMULLW, X64_PMULLD, X64_VPMULLQ},
        [Packed_AddSatS] = {X64_PADDSB, X64_PADDSW, 0, 0},
        [Packed_AddSatU] = {X64_PADDUSB, X64_PADDUSW, 0, 0},
        [Packed_SubSatS] = {X64_PSUBSB, X64_PSUBSW, 0, 0},
        [Packed_SubSatU] = {X64_PSUBUSB, X64_PSUBUSW, 0, 0},
        [Packed_MinS] = {X64_PMINSB, X64_PMINSW, X64_PMINSD, X64_VPMINSQ},
        [Packed_MinU] = {X64_PMINUB, X64_PMINUW, X64_PMINUD, X64_VPMINUQ},
        [Packed_MaxS] = {X64_PMAXSB, X64_PMAXSW, X64_PMAXSD, X64_VPMAXSQ},
        [Packed_MaxU] = {X64_PMAXUB, X64_PMAXUW, X64_PMAXUD, X64_VPMAXUQ},
        [Packed_Avg] = {X64_PAVGB, X64_PAVGW, 0, 0},
        [Packed_Eq] = {X64_PCMPEQB, X64_PCMPEQW, X64_PCMPEQD, X64_PCMPEQQ},
        [Packed_Gt] = {X64_PCMPGTB, X64_PCMPGTW, X64_PCMPGTD, X64_PCMPGTQ},
        [Packed_Abs] = {X64_PABSB, X64_PABSW, X64_PABSD, X64_VPABSQ},
        [Packed_NarrowS] = {0, X64_PACKSSWB, X64_PACKSSDW, 0},
        [Packed_NarrowU] = {0, X64_PACKUSWB, X64_PACKUSDW, 0},
        [Packed_WidenS] = {X64_PMOVSXBW, X64_PMOVSXWD, X64_PMOVSXDQ, 0},
        [Packed_WidenU] = {X64_PMOVZXBW, X64_PMOVZXWD, X64_PMOVZXDQ, 0},
        [Packed_Popcnt] = {X64_VPOPCNTB, X64_VPOPCNTW, 0, 0},
        [Packed_AddPairs] = {0, X64_PHADDW, X64_PHADDD, 0},
    };
    unsigned lane = clif_lane_type(t) - CLIF_I8;
    *row = lane < 4 ? rows[what][lane] : 0;
    return *row && row_ok(L, (X64Op)*row);
}

/* ---- constants ---- */
RaVReg x64_vec_zero(LowerCtx *L) {
    RaVReg d = lower_new_vreg(L, T);
    x64_begin(L, X64_XZERO, 2);
    lower_def(L, d, RA_REG, 0);
    return d;
}
RaVReg x64_vec_ones(LowerCtx *L) {
    RaVReg d = lower_new_vreg(L, T);
    x64_begin(L, X64_XONES, 2);
    lower_def(L, d, RA_REG, 0);
    return d;
}
/* A constant's 16 bytes; behind a shorter one are zeros. */
static void const_bytes(LowerCtx *L, uint32_t c, uint8_t out[16]) {
    ClifRange r = L->f->consts.p[c];
    memset(out, 0, 16);
    memcpy(out, L->f->bytes.p + r.first, r.n < 16 ? r.n : 16);
}
static bool all_are(const uint8_t *p, uint8_t byte) {
    for (int i = 0; i < 16; i++)
        if (p[i] != byte) return false;
    return true;
}
bool x64_zero_vec(LowerCtx *L, ClifValue v, Unit *u) {
    ClifInst i = lower_def_inst(L, v);
    *u = 0;
    if (i.i == CLIF_NONE) return false;
    const ClifInstData *d = clif_data(L->f, i);
    uint8_t k[16];
    if (d->op != CLIF_OP_VCONST) return false;
    const_bytes(L, d->a, k);
    return all_are(k, 0);
}
RaVReg x64_vec_const(LowerCtx *L, uint32_t c) {
    uint8_t k[16];
    const_bytes(L, c, k);
    if (all_are(k, 0)) return x64_vec_zero(L);
    if (all_are(k, 0xFF)) return x64_vec_ones(L);
    return x64_form_RM(L, X64_MOVUPS, T, pool16(L, k));
}
X64Rm x64_each(LowerCtx *L, ClifType t, uint64_t k) {
    for (unsigned bits = clif_lane_bits(t); bits < 64; bits *= 2) k |= k << bits;
    return x64_const128(L, k, k);
}

/* ---- memory ---- */
/* What lives in vector registers, by its width. */
RaVReg x64_xmm_load(LowerCtx *L, ClifType t, X64Rm m) {
    switch (clif_type_bits(t)) {
    case 16:
        return x64_form_RM(L, X64_MOVD, CLIF_I32,
                           x64_reg_rm(L, x64_form_RM(L, X64_MOVZX16, CLIF_I32, m)));
    case 32: return x64_form_RM(L, X64_MOVS, CLIF_F32, m);
    case 64: return x64_form_RM(L, X64_MOVS, CLIF_F64, m);
    default: return x64_form_RM(L, X64_MOVUPS, CLIF_I8X16, m);
    }
}
Unit x64_xmm_store(LowerCtx *L, ClifType t, X64Rm m, RaVReg a) {
    switch (clif_type_bits(t)) {
    case 16:
        return x64_form_ST(L, X64_STORE, CLIF_I16, m,
                           x64_reg_rm(L, x64_form_MVX(L, X64_MOVD_R, CLIF_I32, a)));
    case 32: return x64_form_XST(L, X64_MOVS_ST, CLIF_F32, m, a);
    case 64: return x64_form_XST(L, X64_MOVS_ST, CLIF_F64, m, a);
    default: return x64_form_XST(L, X64_MOVUPS_ST, CLIF_I8X16, m, a);
    }
}

/* ---- lanes ---- */
/* pshufb, or a call that does the same. */
RaVReg x64_byte_shuffle(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg x[2] = {a, b}, r;
    if (x64_has(L->set, X64_HAS_SSSE3)) return op2(L, X64_PSHUFB, a, b);
    x64_lower_libcall(L, CLIF_LIBCALL_X86_PSHUFB, x, 2, T, &r);
    return r;
}

/* A scalar as an operand: memory if it is a load, of its own width, that may execute here; else its register. */
static X64Rm lane_operand(LowerCtx *L, ClifValue v) {
    ClifInst i = lower_def_inst(L, v);
    if (i.i == CLIF_NONE || clif_data(L->f, i)->op != CLIF_OP_LOAD || !lower_can_sink(L, i))
        return in(lower_value_reg(L, v));
    const ClifInstData *d = clif_data(L->f, i);
    lower_sink(L, i);
    return x64_amode(L, d->aux, isle_v(d->a), (int32_t)d->b);
}

RaVReg x64_splat(LowerCtx *L, ClifType t, ClifValue v) {
    bool avx2 = x64_has(L->set, X64_HAS_AVX2);
    bool one = t == CLIF_F32X4 && x64_has(L->set, X64_HAS_AVX);
    bool ddup = (t == CLIF_F64X2 || t == CLIF_I64X2) && x64_has(L->set, X64_HAS_SSE3);
    bool takes = t == CLIF_F64X2 ? ddup : avx2 || one || t == CLIF_I32X4 || t == CLIF_I64X2;
    X64Rm x = takes ? lane_operand(L, v) : in(lower_value_reg(L, v));
    bool mem = x.kind == XK_MEM;
    switch (t) {
    case CLIF_F64X2:
        if (ddup) return x64_form_RM(L, X64_MOVDDUP, T, x);
        return op2(L, X64_UNPCKLPD, x.r, x.r);
    case CLIF_F32X4:
        if ((mem && one) || avx2) return x64_form_RM(L, X64_VBROADCASTSS, T, x);
        return pshufd(L, x.r, 0);
    case CLIF_F16X8:
        if (avx2) return x64_form_RM(L, X64_VPBROADCASTW, T, x);
        return pshufd(L, x64_form_RMI(L, X64_PSHUFLW, T, x, 0), 0);
    case CLIF_I64X2:
        if (mem && ddup) return x64_form_RM(L, X64_MOVDDUP, T, x);
        return pshufd(L, x64_form_RM(L, X64_MOVD, CLIF_I64, x), 0x44);
    default: break;
    }
    if (avx2) {
        X64Op op = t == CLIF_I8X16   ? X64_VPBROADCASTB
                   : t == CLIF_I16X8 ? X64_VPBROADCASTW
                                     : X64_VPBROADCASTD;
        return x64_form_RM(L, op, T, mem ? x : in(x64_form_RM(L, X64_MOVD, CLIF_I32, x)));
    }
    RaVReg r = x64_form_RM(L, X64_MOVD, CLIF_I32, x);
    if (t == CLIF_I32X4) return pshufd(L, r, 0);
    if (t == CLIF_I8X16) {
        if (x64_has(L->set, X64_HAS_SSSE3)) return op2(L, X64_PSHUFB, r, x64_vec_zero(L));
        r = op2(L, X64_PUNPCKLBW, r, r);
    }
    return pshufd(L, x64_form_RMI(L, X64_PSHUFLW, T, in(r), 0), 0);
}

/* Lane 0 from a scalar, zeros above. */
RaVReg x64_scalar_to_vec(LowerCtx *L, ClifType t, ClifValue v) {
    ClifType lane = clif_lane_type(t);
    if (t == CLIF_F16X8)
        return op2m(L, X64_ANDPS, lower_value_reg(L, v), x64_const128(L, 0xFFFF, 0));
    X64Rm x = lane_operand(L, v);
    if (t == CLIF_F32X4 || t == CLIF_F64X2) {
        if (x.kind == XK_MEM) return x64_form_RM(L, X64_MOVS, lane, x);
        return op2(L, t == CLIF_F32X4 ? X64_MOVSS_RR : X64_MOVSD_RR, x64_vec_zero(L), x.r);
    }
    if (lane < CLIF_I32)
        x = in(x64_form_RM(L, lane == CLIF_I8 ? X64_MOVZX8 : X64_MOVZX16, CLIF_I32, x));
    return x64_form_RM(L, X64_MOVD, lane == CLIF_I64 ? CLIF_I64 : CLIF_I32, x);
}

bool x64_extract_lane(LowerCtx *L, ClifType t, RaVReg v, uint8_t k, RaVReg *out) {
    bool sse41 = x64_has(L->set, X64_HAS_SSE41);
    switch (t) {
    case CLIF_F32X4: *out = k ? pshufd(L, v, k) : copy(L, v, CLIF_F32); return true;
    case CLIF_F64X2: *out = k ? pshufd(L, v, 0xEE) : copy(L, v, CLIF_F64); return true;
    case CLIF_I64X2:
    case CLIF_I32X4: {
        ClifType lane = clif_lane_type(t);
        if (k && sse41) {
            *out = x64_form_MVXI(L, X64_PEXTR, lane, v, k);
            return true;
        }
        if (k) v = pshufd(L, v, lane == CLIF_I64 ? 0xEE : k);
        *out = x64_form_MVX(L, X64_MOVD_R, lane, v);
        return true;
    }
    case CLIF_I16X8: *out = x64_form_RMI(L, X64_PEXTRW_R, CLIF_I32, in(v), k); return true;
    case CLIF_F16X8:
        *out = k ? x64_form_RMI(L, X64_PEXTRW_R, CLIF_I32, in(v), k) : v;
        *out = k ? x64_form_RM(L, X64_MOVD, CLIF_I32, in(*out)) : copy(L, v, CLIF_F16);
        return true;
    case CLIF_I8X16:
        if (sse41) {
            *out = x64_form_MVXI(L, X64_PEXTRB, CLIF_I32, v, k);
        } else {
            *out = x64_form_RMI(L, X64_PEXTRW_R, CLIF_I32, in(v), k / 2);
            if (k & 1) *out = x64_form_SHIFT(L, X64_SHR, CLIF_I32, *out, x64_imm(L, 8));
        }
        return true;
    default: return false;
    }
}

bool x64_insert_lane(LowerCtx *L, ClifType t, RaVReg v, ClifValue xv, uint8_t k, RaVReg *out) {
    bool sse41 = x64_has(L->set, X64_HAS_SSE41);
    /* every pinsr takes memory of its own width, and insertps, which moves then into the lane that it is told */
    bool memory = t == CLIF_I16X8 || (sse41 && t != CLIF_F64X2 && t != CLIF_F16X8);
    X64Rm m = memory ? lane_operand(L, xv) : in(lower_value_reg(L, xv));
    RaVReg x = m.r;
    switch (t) {
    case CLIF_F32X4:
        if (k == 0 && m.kind == XK_REG) {
            *out = op2(L, X64_MOVSS_RR, v, x);
        } else if (sse41) {
            *out = x64_form_RMRI(L, X64_INSERTPS, t, v, m, (uint8_t)(k << 4));
        } else { /* bring the lane to the front, change it there, put it back */
            static const uint8_t front[] = {0, 0xE1, 0xC6, 0x27};
            v = pshufd(L, v, front[k]);
            *out = pshufd(L, op2(L, X64_MOVSS_RR, v, x), front[k]);
        }
        return true;
    case CLIF_F64X2:
        *out = k ? op2(L, X64_PUNPCKLQDQ, v, x) : op2(L, X64_MOVSD_RR, v, x);
        return true;
    case CLIF_I64X2:
        if (sse41) {
            *out = x64_form_RMRI(L, X64_PINSR, CLIF_I64, v, m, k);
        } else {
            x = x64_form_RM(L, X64_MOVD, CLIF_I64, m);
            *out = k ? op2(L, X64_PUNPCKLQDQ, v, x) : op2(L, X64_MOVSD_RR, v, x);
        }
        return true;
    case CLIF_I32X4:
        if (sse41) {
            *out = x64_form_RMRI(L, X64_PINSR, CLIF_I32, v, m, k);
        } else if (k == 0) {
            *out = op2(L, X64_MOVSS_RR, v, x64_form_RM(L, X64_MOVD, CLIF_I32, m));
        } else {
            v = x64_form_RMRI(L, X64_PINSRW, CLIF_I32, v, m, (uint8_t)(2 * k));
            x = x64_form_SHIFT(L, X64_SHR, CLIF_I32, x, x64_imm(L, 16));
            *out = x64_form_RMRI(L, X64_PINSRW, CLIF_I32, v, in(x), (uint8_t)(2 * k + 1));
        }
        return true;
    case CLIF_F16X8: m = in(x64_form_MVX(L, X64_MOVD_R, CLIF_I32, x)); /* fall through */
    case CLIF_I16X8: *out = x64_form_RMRI(L, X64_PINSRW, CLIF_I32, v, m, k); return true;
    case CLIF_I8X16:
        if (sse41) {
            *out = x64_form_RMRI(L, X64_PINSRB, CLIF_I32, v, m, k);
        } else {
            RaVReg w = x64_form_RMI(L, X64_PEXTRW_R, CLIF_I32, in(v), k / 2);
            x = x64_form_RM(L, X64_MOVZX8, CLIF_I32, m);
            if (k & 1) x = x64_form_SHIFT(L, X64_SHL, CLIF_I32, x, x64_imm(L, 8));
            w = x64_form_ALU(L, X64_AND, CLIF_I32, w, x64_imm(L, k & 1 ? 0xFF : 0xFF00));
            w = x64_form_ALU(L, X64_OR, CLIF_I32, w, in(x));
            *out = x64_form_RMRI(L, X64_PINSRW, CLIF_I32, v, in(w), k / 2);
        }
        return true;
    default: return false;
    }
}

/* A lane straight to memory. */
bool x64_store_lane(LowerCtx *L, ClifType t, X64Rm m, RaVReg v, uint8_t k, Unit *out) {
    static const uint16_t rows[] = {X64_PEXTRB_ST, X64_PEXTRW_ST, X64_PEXTR_ST, X64_PEXTR_ST};
    unsigned size = clif_scalar_log2_bits[clif_lane_type(t)] - 3u;
    ClifType i = size == 3 ? CLIF_I64 : CLIF_I32;
    if (k == 0 && size >= 2) {
        *out = x64_form_XST(L, X64_MOVS_ST, size == 3 ? CLIF_F64 : CLIF_F32, m, v);
        return true;
    }
    *out = x64_form_XSTI(L, (X64Op)rows[size], i, m, v, k);
    return true;
}

/* ---- shuffles ---- */
/* Mask bytes as units of `n` bytes: true if each unit is whole; unit[i] = source unit. */
static bool units(const uint8_t *m, unsigned n, uint8_t *unit) {
    for (unsigned i = 0; i < 16; i += n) {
        if (m[i] % n) return false;
        for (unsigned k = 1; k < n; k++)
            if (m[i + k] != m[i] + k) return false;
        unit[i / n] = m[i] / n;
    }
    return true;
}

/* punpckl, punpckh: unit i of the result is unit (from + i / 2) of a or b in turn. */
static bool is_unpack(const uint8_t *u, unsigned count, unsigned from) {
    for (unsigned i = 0; i < count; i++)
        if (u[i] != from + i / 2 + (i & 1 ? count : 0)) return false;
    return true;
}

static RaVReg pick_bytes(LowerCtx *L, RaVReg v, const uint8_t *m, unsigned base) {
    uint8_t k[16];
    for (int i = 0; i < 16; i++) k[i] = (uint8_t)(m[i] - base) < 16 ? (uint8_t)(m[i] - base) : 0x80;
    if (x64_has(L->set, X64_HAS_SSSE3)) return op2m(L, X64_PSHUFB, v, pool16(L, k));
    return x64_byte_shuffle(L, v, x64_form_RM(L, X64_MOVUPS, T, pool16(L, k)));
}

/* Units of 2 bytes, those of one half in place: what moves within the other. */
static bool half_words(const uint8_t *u, unsigned from, unsigned *k) {
    *k = 0;
    for (unsigned i = 0; i < 8; i++) {
        bool moves = i >= from && i < from + 4;
        if (moves ? u[i] < from || u[i] >= from + 4 : u[i] != i) return false;
        if (moves) *k |= (u[i] - from) << 2 * (i - from);
    }
    return true;
}

static RaVReg shuffle_one(LowerCtx *L, RaVReg a, const uint8_t *m) {
    uint8_t u[16];
    unsigned k;
    bool turn = x64_has(L->set, X64_HAS_SSSE3);
    if (units(m, 4, u))
        return pshufd(L, a, u[0] | (unsigned)u[1] << 2 | (unsigned)u[2] << 4 | (unsigned)u[3] << 6);
    if (units(m, 2, u)) {
        if (half_words(u, 0, &k)) return x64_form_RMI(L, X64_PSHUFLW, T, in(a), k);
        if (half_words(u, 4, &k)) return x64_form_RMI(L, X64_PSHUFHW, T, in(a), k);
    }
    for (int i = 1; i < 16; i++) turn &= m[i] == ((m[0] + i) & 15);
    return turn ? x64_form_RMRI(L, X64_PALIGNR, T, a, in(a), m[0]) : pick_bytes(L, a, m, 0);
}

/* One instruction for the lanes of a and b, if there is one. */
static bool shuffle_two(LowerCtx *L, RaVReg a, RaVReg b, const uint8_t *m, RaVReg *out) {
    static const uint16_t low[] = {X64_PUNPCKLBW, X64_PUNPCKLWD, X64_PUNPCKLDQ, X64_PUNPCKLQDQ},
                          high[] = {X64_PUNPCKHBW, X64_PUNPCKHWD, X64_PUNPCKHDQ, X64_PUNPCKHQDQ};
    uint8_t u[16];
    for (unsigned k = 0; k < 4; k++) {
        unsigned count = 16u >> k;
        if (!units(m, 1u << k, u)) break;
        if (is_unpack(u, count, 0)) return *out = op2(L, (X64Op)low[k], a, b), true;
        if (is_unpack(u, count, count / 2)) return *out = op2(L, (X64Op)high[k], a, b), true;
    }
    if (units(m, 4, u) && u[0] < 4 && u[1] < 4 && u[2] >= 4 && u[3] >= 4) {
        unsigned k = u[0] | (unsigned)u[1] << 2 | (u[2] & 3u) << 4 | (u[3] & 3u) << 6;
        return *out = x64_form_RMRI(L, X64_SHUFPS, T, a, in(b), (uint8_t)k), true;
    }
    bool run = x64_has(L->set, X64_HAS_SSSE3); /* a stretch of the concatenation */
    for (int i = 1; i < 16; i++) run &= m[i] == m[0] + i;
    return run ? *out = x64_form_RMRI(L, X64_PALIGNR, T, b, in(a), m[0]), true : false;
}

RaVReg x64_shuffle(LowerCtx *L, ClifValue av, ClifValue bv, uint32_t mask) {
    uint8_t m[16], swapped[16], u[16];
    memcpy(m, L->f->bytes.p + L->f->imm128s.p[mask].first, 16);
    bool uses_a = false, uses_b = false, zeros = false;
    unsigned words = 0;
    for (int i = 0; i < 16; i++) {
        zeros |= m[i] >= 32;
        if (av.i == bv.i && m[i] < 32) m[i] &= 15;
        swapped[i] = m[i] ^ 16;
        uses_a |= m[i] < 16;
        uses_b |= m[i] >= 16;
    }
    RaVReg a = lower_value_reg(L, uses_a || zeros ? av : bv), r;
    if (!zeros && (!uses_a || !uses_b)) {
        for (int i = 0; i < 16; i++) m[i] &= 15;
        return shuffle_one(L, a, m);
    }
    RaVReg b = lower_value_reg(L, bv);
    if (!zeros) {
        bool blend = x64_has(L->set, X64_HAS_SSE41) && units(m, 2, u);
        for (unsigned i = 0; blend && i < 8; i++) {
            blend = (u[i] & 7) == i;
            words |= (unsigned)(u[i] >> 3) << i;
        }
        if (blend) return x64_form_RMRI(L, X64_PBLENDW, T, a, in(b), (uint8_t)words);
        if (shuffle_two(L, a, b, m, &r) || shuffle_two(L, b, a, swapped, &r)) return r;
        if (x64_avx512vl(L) && x64_has(L->set, X64_HAS_AVX512VBMI)) {
            RaVReg k = x64_form_RM(L, X64_MOVUPS, T, pool16(L, m));
            return x64_form_FMA(L, X64_VPERMI2B, T, k, a, in(b));
        }
    }
    return op2(L, X64_POR, pick_bytes(L, a, m, 0), pick_bytes(L, b, m, 16));
}

/* ---- shifts ---- */
/* Row by lane (i16 i32 i64) and kind; by a count in a register, by an immediate. The sign-filling one of i64 is AVX-512. */
static X64Op shift_row(ClifType lane, unsigned kind, bool immediate) {
    static const uint16_t rows[2][3][3] = {{{X64_PSLLW, X64_PSLLD, X64_PSLLQ},
                                            {X64_PSRLW, X64_PSRLD, X64_PSRLQ},
                                            {X64_PSRAW, X64_PSRAD, X64_VPSRAQ}},
                                           {{X64_PSLLWI, X64_PSLLDI, X64_PSLLQI},
                                            {X64_PSRLWI, X64_PSRLDI, X64_PSRLQI},
                                            {X64_PSRAWI, X64_PSRADI, X64_VPSRAQI}}};
    unsigned k = kind == 4 ? 0 : kind == 5 ? 1 : 2;
    return (X64Op)rows[immediate][k][lane - CLIF_I16];
}

typedef struct Count { /* of a shift */
    bool known;
    unsigned k;
    RaVReg x; /* in the low quadword of a vector register */
} Count;

static RaVReg shift(LowerCtx *L, ClifType lane, unsigned kind, RaVReg a, Count n) {
    X64Op row = shift_row(lane, kind, n.known);
    return n.known ? shift_imm(L, row, a, n.k) : op2(L, row, a, n.x);
}

/* Bytes: as words, where the bits that came from the neighbour are cleared; with their sign, twice in a word each, of which
 * the upper one is shifted and packed again (the count is 8 more). */
static RaVReg shift_bytes(LowerCtx *L, unsigned kind, RaVReg a, Count n) {
    if (kind == 7) {
        RaVReg lo = shift(L, CLIF_I16, 7, op2(L, X64_PUNPCKLBW, a, a), n);
        return op2(L, X64_PACKSSWB, lo, shift(L, CLIF_I16, 7, op2(L, X64_PUNPCKHBW, a, a), n));
    }
    RaVReg r = shift(L, CLIF_I16, kind, a, n);
    if (n.known)
        return op2m(L, X64_PAND, r, x64_each(L, T, kind == 4 ? 0xFF << n.k & 0xFF : 0xFFu >> n.k));
    RaVReg keep = shift_imm(L, X64_PSRLWI, x64_vec_ones(L), 8);
    keep = shift(L, CLIF_I16, kind, keep, n);
    if (kind == 4) keep = op2m(L, X64_PAND, keep, x64_each(L, CLIF_I16X8, 0xFF));
    return op2(L, X64_PAND, r, op2(L, X64_PACKUSWB, keep, keep));
}

/* (x >>> n ^ m) - m, where m is the sign bit shifted as far */
static RaVReg shift_signed64(LowerCtx *L, RaVReg a, Count n) {
    uint64_t top = UINT64_C(1) << 63;
    RaVReg r = shift(L, CLIF_I64, 5, a, n);
    if (n.known) {
        X64Rm m = x64_each(L, CLIF_I64X2, top >> n.k);
        return op2m(L, X64_PSUBQ, op2m(L, X64_PXOR, r, m), m);
    }
    RaVReg m = shift(L, CLIF_I64, 5, each_reg(L, CLIF_I64X2, top), n);
    return op2(L, X64_PSUBQ, op2(L, X64_PXOR, r, m), m);
}

RaVReg x64_vec_shift(LowerCtx *L, ClifType t, uint8_t kind, RaVReg a, ClifValue nv) {
    ClifType lane = clif_lane_type(t);
    unsigned more = lane == CLIF_I8 && kind == 7 ? 8 : 0;
    uint64_t k;
    Count n = {0};
    n.known = isle_iconst_u(L, nv, &k);
    if (n.known) {
        n.k = (unsigned)(k & (clif_lane_bits(t) - 1)) + more;
    } else {
        RaVReg x = x64_form_ALU(L, X64_AND, CLIF_I32, lower_value_reg(L, nv),
                                x64_imm(L, clif_lane_bits(t) - 1));
        if (more) x = x64_form_ALU(L, X64_ADD, CLIF_I32, x, x64_imm(L, more));
        n.x = x64_form_RM(L, X64_MOVD, CLIF_I32, in(x));
    }
    if (lane == CLIF_I8) return shift_bytes(L, kind, a, n);
    if (lane == CLIF_I64 && kind == 7 && !x64_avx512vl(L)) return shift_signed64(L, a, n);
    return shift(L, lane, kind, a, n);
}

/* ---- comparisons ---- */
static RaVReg not_vec(LowerCtx *L, RaVReg a) {
    return op2(L, X64_PXOR, a, x64_vec_ones(L));
}

/* 64-bit lanes without SSE4: equal if both halves are; greater if the upper half is, or, with equal upper halves, if the
 * difference the other way round has its upper half's sign set. */
static RaVReg eq64(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg x = op2(L, X64_PCMPEQD, a, b);
    return op2(L, X64_PAND, pshufd(L, x, 0xB1), x);
}
static RaVReg gt64(LowerCtx *L, RaVReg a, RaVReg b) {
    RaVReg above = op2(L, X64_PCMPGTD, a, b), same = op2(L, X64_PCMPEQD, a, b);
    RaVReg borrow = op2(L, X64_PAND, same, op2(L, X64_PSUBQ, b, a));
    return pshufd(L, op2(L, X64_POR, borrow, above), 0xF5);
}
RaVReg x64_lanes_compare(LowerCtx *L, Packed what, ClifType t, RaVReg a, RaVReg b) {
    uint16_t row;
    if (x64_packed_row(L, what, t, &row)) return op2(L, (X64Op)row, a, b);
    return what == Packed_Eq ? eq64(L, a, b) : gt64(L, a, b);
}

RaVReg x64_vec_icmp(LowerCtx *L, ClifType t, IntCC cc, RaVReg a, RaVReg b) {
    static const struct {
        uint8_t swap, negate, what;
        uint8_t extreme, negate2; /* or: is the minimum or maximum the first operand? */
    } how[] = {[CLIF_EQ] = {0, 0, Packed_Eq, 0, 0},
               [CLIF_NE] = {0, 1, Packed_Eq, 0, 0},
               [CLIF_SGT] = {0, 0, Packed_Gt, 0, 0},
               [CLIF_SLT] = {1, 0, Packed_Gt, 0, 0},
               [CLIF_SLE] = {0, 1, Packed_Gt, Packed_MinS, 0},
               [CLIF_SGE] = {1, 1, Packed_Gt, Packed_MaxS, 0},
               [CLIF_UGE] = {1, 1, Packed_Gt, Packed_MaxU, 0},
               [CLIF_ULT] = {1, 0, Packed_Gt, Packed_MaxU, 1},
               [CLIF_ULE] = {0, 1, Packed_Gt, Packed_MinU, 0},
               [CLIF_UGT] = {0, 0, Packed_Gt, Packed_MinU, 1}};
    uint16_t row;
    RaVReg r;
    if (how[cc].extreme && x64_packed_row(L, how[cc].extreme, t, &row)) {
        r = x64_lanes_compare(L, Packed_Eq, t, op2(L, (X64Op)row, a, b), a);
        return how[cc].negate2 ? not_vec(L, r) : r;
    }
    if (cc >= CLIF_ULT &&
        clif_lane_type(t) == CLIF_I16) { /* is nothing left of one less the other? */
        bool less = cc == CLIF_ULE || cc == CLIF_UGT;
        RaVReg rest = op2(L, X64_PSUBUSW, less ? a : b, less ? b : a);
        r = op2(L, X64_PCMPEQW, rest, x64_vec_zero(L));
        return how[cc].negate2 ? not_vec(L, r) : r;
    }
    if (cc >= CLIF_ULT) { /* signed, of both with the sign bit turned */
        X64Rm sign = x64_each(L, t, UINT64_C(1) << (clif_lane_bits(t) - 1));
        a = op2m(L, X64_PXOR, a, sign);
        b = op2m(L, X64_PXOR, b, sign);
    }
    r = x64_lanes_compare(L, how[cc].what, t, how[cc].swap ? b : a, how[cc].swap ? a : b);
    return how[cc].negate ? not_vec(L, r) : r;
}

/* By subtraction with saturation for words; else compare and choose. */
RaVReg x64_vec_minmax(LowerCtx *L, ClifType t, Packed what, RaVReg a, RaVReg b) {
    if (clif_lane_type(t) == CLIF_I16 && what == Packed_MaxU)
        return op2(L, X64_PADDW, a, op2(L, X64_PSUBUSW, b, a));
    if (clif_lane_type(t) == CLIF_I16 && what == Packed_MinU)
        return op2(L, X64_PSUBW, a, op2(L, X64_PSUBUSW, a, b));
    bool sign = what == Packed_MinS || what == Packed_MaxS;
    bool max = what == Packed_MaxS || what == Packed_MaxU;
    RaVReg m = x64_vec_icmp(L, t, sign ? CLIF_SGT : CLIF_UGT, max ? a : b, max ? b : a);
    if (x64_has(L->set, X64_HAS_SSE41)) return x64_form_BLEND(L, X64_PBLENDVB, T, m, b, in(a));
    return op2(L, X64_POR, op2(L, X64_PAND, a, m), op2(L, X64_PANDN, m, b));
}

RaVReg x64_vec_fcmp(LowerCtx *L, ClifType t, FloatCC cc, RaVReg a, RaVReg b) {
    switch (cc) {
    case CLIF_FORD: return cmpp(L, t, a, b, CMP_ORD);
    case CLIF_FUNO: return cmpp(L, t, a, b, CMP_UNORD);
    case CLIF_FEQ: return cmpp(L, t, a, b, CMP_EQ);
    case CLIF_FNE: return cmpp(L, t, a, b, CMP_NEQ);
    case CLIF_FLT: return cmpp(L, t, a, b, CMP_LT);
    case CLIF_FLE: return cmpp(L, t, a, b, CMP_LE);
    case CLIF_FGT: return cmpp(L, t, b, a, CMP_LT);
    case CLIF_FGE: return cmpp(L, t, b, a, CMP_LE);
    case CLIF_FULT: return cmpp(L, t, b, a, CMP_NLE);
    case CLIF_FULE: return cmpp(L, t, b, a, CMP_NLT);
    case CLIF_FUGT: return cmpp(L, t, a, b, CMP_NLE);
    case CLIF_FUGE: return cmpp(L, t, a, b, CMP_NLT);
    case CLIF_FUEQ: return op2(L, X64_ORPS, cmpp(L, t, a, b, CMP_EQ), cmpp(L, t, a, b, CMP_UNORD));
    default: return op2(L, X64_ANDPS, cmpp(L, t, a, b, CMP_NEQ), cmpp(L, t, a, b, CMP_ORD));
    }
}

/* Flags of a vector of at most 64 bits that say whether any bit is set: in an integer register. */
static X64Cond any_small(LowerCtx *L, ClifType t, RaVReg a) {
    unsigned bits = clif_type_bits(t);
    ClifType i = bits == 16 ? CLIF_I16 : bits == 32 ? CLIF_I32 : CLIF_I64;
    RaVReg r = x64_form_MVX(L, X64_MOVD_R, i, a);
    x64_form_TEST(L, X64_TEST, i, r, in(r));
    return x64_cond1(CC_NE);
}
X64Cond x64_any_bit(LowerCtx *L, ClifType t, RaVReg a) {
    if (clif_type_bits(t) < 128) return any_small(L, t, a);
    if (x64_has(L->set, X64_HAS_SSE41)) {
        x64_form_UU(L, X64_PTEST, T, a, in(a));
    } else {
        RaVReg z = op2(L, X64_PCMPEQB, a, x64_vec_zero(L));
        RaVReg m = x64_form_RM(L, X64_PMOVMSKB, T, in(z));
        x64_form_CMP(L, X64_CMP, CLIF_I32, m, x64_imm(L, 0xFFFF));
    }
    return x64_cond1(CC_NE);
}
/* No lane is zero when lane == 0 has no bit set; floats by their bits. */
X64Cond x64_all_lanes(LowerCtx *L, ClifType t, RaVReg a) {
    static const uint8_t ints[] = {CLIF_I8, CLIF_I16, CLIF_I32, CLIF_I64};
    ClifType lane = ints[clif_scalar_log2_bits[clif_lane_type(t)] - 3];
    RaVReg z = x64_lanes_compare(L, Packed_Eq, lane, x64_vec_zero(L), a);
    X64Cond c;
    if (clif_type_bits(t) < 128) {
        c = any_small(L, t, z);
    } else if (x64_has(L->set, X64_HAS_SSE41)) {
        c = x64_any_bit(L, t, z);
    } else {
        RaVReg m = x64_form_RM(L, X64_PMOVMSKB, T, in(z));
        x64_form_TEST(L, X64_TEST, CLIF_I32, m, in(m));
        c = x64_cond1(CC_NE);
    }
    return x64_invert(L, c);
}

/* The sign bits of the lanes as a number. */
bool x64_high_bits(LowerCtx *L, ClifType t, RaVReg a, RaVReg *out) {
    unsigned bits = clif_lane_bits(t), lanes = clif_type_lanes(t);
    if (bits == 16) a = op2(L, X64_PACKSSWB, a, a);
    *out = bits < 32 ? x64_form_RM(L, X64_PMOVMSKB, T, in(a))
                     : x64_form_RM(L, X64_MOVMSKP, bits == 32 ? CLIF_F32X4 : CLIF_F64X2, in(a));
    if (clif_type_bits(t) < 128 || bits == 16)
        *out = lanes == 8 ? x64_form_RM(L, X64_MOVZX8, CLIF_I32, in(*out))
                          : x64_form_ALU(L, X64_AND, CLIF_I32, *out, x64_imm(L, (1 << lanes) - 1));
    return true;
}
