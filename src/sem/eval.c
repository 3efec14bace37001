/* sem/eval.c — operators on whole values: lanes taken apart, the lane's operator applied, lanes put together. */
#include "clif/opspec.h"
#include "sem/sem_int.h"

/* ---- values ---- */
SemU128 sem_bits(SemValue v) {
    return (SemU128)v.w[1] << 64 | v.w[0];
}
static SemValue of_bits(ClifType t, SemU128 x) {
    return (SemValue){{(uint64_t)x, (uint64_t)(x >> 64)}, t};
}
SemValue sem_int(ClifType t, SemU128 x) {
    return of_bits(t, x & sem_mask(clif_type_bits(t)));
}
SemU128 sem_lane(SemValue v, unsigned i) {
    unsigned bits = clif_lane_bits(v.type);
    return sem_bits(v) >> (bits * i) & sem_mask(bits);
}
bool sem_is_true(SemValue v) {
    return (v.w[0] | v.w[1]) != 0;
}
static void put_lane(SemValue *v, unsigned i, SemU128 x) {
    unsigned bits = clif_lane_bits(v->type);
    SemU128 m = sem_mask(bits) << (bits * i);
    *v = of_bits(v->type, (sem_bits(*v) & ~m) | (x << (bits * i) & m));
}
static bool is_float(ClifType t) {
    return clif_type_is_float(clif_lane_type(t));
}

/* ---- lane by lane ---- */
static SemStatus lanewise(SemArgs *a, SemValue *out) {
    unsigned bits = clif_lane_bits(a->ctrl), n = clif_type_lanes(a->ctrl);
    bool fl = is_float(a->ctrl);
    *out = (SemValue){.type = a->ctrl};
    for (unsigned k = 0; k < n; k++) {
        SemU128 x = sem_lane(a->in[0], k), r = 0;
        bool ok;
        if (a->n == 1) {
            ok = (fl && sem_float_unary(a->op, x, bits, &r)) || sem_int_unary(a->op, x, bits, &r);
        } else {
            /* a shift's amount is a scalar of its own type */
            SemU128 y = a->in[1].type == a->ctrl ? sem_lane(a->in[1], k) : sem_bits(a->in[1]);
            a->trap = CLIF_TRAP_NONE;
            ok = (fl && sem_float_binary(a->op, x, y, bits, &r)) ||
                 sem_int_binary(a->op, x, y, bits, &r, &a->trap);
        }
        if (!ok) return SEM_NONE;
        if (a->trap != CLIF_TRAP_NONE) return SEM_TRAP;
        put_lane(out, k, r);
    }
    return SEM_OK;
}

static SemStatus compare(SemArgs *a, SemValue *out) {
    unsigned bits = clif_lane_bits(a->ctrl);
    bool vector = clif_type_is_vector(a->ctrl);
    *out = (SemValue){.type = clif_type_apply((ClifTypeSpec){CLIF_TC_TRUTHY, 0}, a->ctrl)};
    for (unsigned k = 0; k < clif_type_lanes(a->ctrl); k++) {
        SemU128 x = sem_lane(a->in[0], k), y = sem_lane(a->in[1], k);
        bool is = a->op == CLIF_OP_ICMP ? sem_icmp((ClifIntCC)a->aux, x, y, bits)
                                        : sem_fcmp((ClifFloatCC)a->aux, x, y, bits);
        if (is) put_lane(out, k, vector ? sem_mask(bits) : 1);
    }
    return SEM_OK;
}

static SemStatus overflow(SemArgs *a, SemValue out[2]) {
    bool carry = a->n == 3 && sem_is_true(a->in[2]), over;
    SemU128 r;
    if (!sem_int_overflow(a->op, sem_bits(a->in[0]), sem_bits(a->in[1]), carry,
                          clif_type_bits(a->ctrl), &r, &over))
        return SEM_NONE;
    out[0] = sem_int(a->ctrl, r);
    out[1] = sem_int(CLIF_I8, over);
    if (a->op != CLIF_OP_UADD_OVERFLOW_TRAP || !over) return SEM_OK;
    a->trap = (ClifTrap)a->aux;
    return SEM_TRAP;
}

/* ---- selection ---- */
static SemStatus blend(SemArgs *a, SemValue *out) {
    unsigned bits = clif_lane_bits(a->ctrl);
    *out = (SemValue){.type = a->ctrl};
    for (unsigned k = 0; k < clif_type_lanes(a->ctrl); k++)
        put_lane(out, k, sem_lane(a->in[sem_lane(a->in[0], k) >> (bits - 1) ? 1 : 2], k));
    return SEM_OK;
}

static SemStatus bytes(SemArgs *a, SemValue *out) { /* shuffle, swizzle, pshufb */
    *out = (SemValue){.type = CLIF_I8X16};
    if (a->op == CLIF_OP_SHUFFLE && a->nwide != 16) return SEM_NONE;
    for (unsigned k = 0; k < 16; k++) {
        unsigned i = a->op == CLIF_OP_SHUFFLE ? a->wide[k] : (unsigned)sem_lane(a->in[1], k);
        SemU128 x = 0;
        if (a->op == CLIF_OP_SHUFFLE)
            x = i < 32 ? sem_lane(a->in[i / 16], i % 16) : 0;
        else if (a->op == CLIF_OP_SWIZZLE)
            x = i < 16 ? sem_lane(a->in[0], i) : 0;
        else
            x = i & 0x80 ? 0 : sem_lane(a->in[0], i & 15);
        put_lane(out, k, x);
    }
    return SEM_OK;
}

/* ---- changes of shape ---- */
static SemStatus narrow(SemArgs *a, SemValue *out) {
    unsigned from = clif_lane_bits(a->ctrl), n = clif_type_lanes(a->ctrl);
    *out = (SemValue){.type = clif_type_apply((ClifTypeSpec){CLIF_TC_SPLIT, 0}, a->ctrl)};
    unsigned to = from / 2;
    SemI128 max = (SemI128)sem_mask(a->op == CLIF_OP_SNARROW ? to - 1 : to),
            min = a->op == CLIF_OP_SNARROW ? -max - 1 : 0;
    for (unsigned k = 0; k < 2 * n; k++) {
        SemU128 x = sem_lane(a->in[k / n], k % n);
        SemI128 s = a->op == CLIF_OP_UUNARROW ? (SemI128)x : sem_sext(x, from);
        put_lane(out, k, (SemU128)(s < min ? min : s > max ? max : s));
    }
    return SEM_OK;
}

static SemStatus widen(SemArgs *a, SemValue *out) {
    unsigned from = clif_lane_bits(a->ctrl), n = clif_type_lanes(a->ctrl) / 2;
    bool high = a->op == CLIF_OP_SWIDEN_HIGH || a->op == CLIF_OP_UWIDEN_HIGH;
    bool is_signed = a->op == CLIF_OP_SWIDEN_HIGH || a->op == CLIF_OP_SWIDEN_LOW;
    *out = (SemValue){.type = clif_type_apply((ClifTypeSpec){CLIF_TC_MERGE, 0}, a->ctrl)};
    for (unsigned k = 0; k < n; k++) {
        SemU128 x = sem_lane(a->in[0], high ? n + k : k);
        put_lane(out, k, is_signed ? (SemU128)sem_sext(x, from) : x);
    }
    return SEM_OK;
}

static SemStatus pairwise(SemArgs *a, SemValue *out) {
    unsigned n = clif_type_lanes(a->ctrl);
    *out = (SemValue){.type = a->ctrl};
    for (unsigned k = 0; k < n; k++) {
        unsigned i = 2 * k;
        const SemValue *v = &a->in[i / n];
        put_lane(out, k, sem_lane(*v, i % n) + sem_lane(*v, i % n + 1));
    }
    return SEM_OK;
}

static SemStatus multiply_add(SemArgs *a, SemValue *out) { /* x86_pmaddubsw */
    *out = (SemValue){.type = CLIF_I16X8};
    for (unsigned k = 0; k < 8; k++) {
        SemI128 sum = 0;
        for (unsigned j = 2 * k; j < 2 * k + 2; j++)
            sum += sem_sext(sem_lane(a->in[0], j), 8) * (SemI128)sem_lane(a->in[1], j);
        put_lane(out, k, (SemU128)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum));
    }
    return SEM_OK;
}

/* As stored and loaded again. Big-endian lanes: each is turned round on the way out and on the way in. */
static SemU128 turn_lanes(SemU128 x, ClifType t) {
    unsigned lane = clif_lane_bits(t) / 8, n = clif_type_bytes(t);
    SemU128 r = 0;
    for (unsigned k = 0; k < n; k++)
        r |= (x >> (8 * k) & 255) << (8 * (k / lane * lane + lane - 1 - k % lane));
    return r;
}
static SemStatus bitcast(SemArgs *a, SemValue *out) {
    SemU128 x = sem_bits(a->in[0]);
    if (a->big) x = turn_lanes(turn_lanes(x, a->in[0].type), a->ctrl);
    *out = of_bits(a->ctrl, x);
    return SEM_OK;
}

/* ---- conversions ---- */
static SemStatus to_int(SemArgs *a, SemValue *out) {
    ClifType from = a->in[0].type;
    unsigned fb = clif_lane_bits(from), ib = clif_lane_bits(a->ctrl);
    bool is_signed = a->op != CLIF_OP_FCVT_TO_UINT && a->op != CLIF_OP_FCVT_TO_UINT_SAT;
    bool traps = a->op == CLIF_OP_FCVT_TO_UINT || a->op == CLIF_OP_FCVT_TO_SINT;
    SemU128 max = sem_mask(is_signed ? ib - 1 : ib), min = is_signed ? max + 1 : 0;
    *out = (SemValue){.type = a->ctrl};
    for (unsigned k = 0; k < clif_type_lanes(a->ctrl); k++) {
        SemU128 r = 0;
        SemToInt how = sem_float_to_int(sem_lane(a->in[0], k), fb, ib, is_signed, &r);
        if (traps && how != SEM_FITS) {
            a->trap =
                how == SEM_NAN ? CLIF_TRAP_BAD_CONVERSION_TO_INTEGER : CLIF_TRAP_INTEGER_OVERFLOW;
            return SEM_TRAP;
        }
        if (a->op == CLIF_OP_X86_CVTT2DQ && how != SEM_FITS)
            r = min;
        else if (how != SEM_FITS)
            r = how == SEM_TOO_LARGE ? max : how == SEM_TOO_SMALL ? min : 0;
        put_lane(out, k, r);
    }
    return SEM_OK;
}

static SemStatus from_int(SemArgs *a, SemValue *out) {
    unsigned ib = clif_lane_bits(a->in[0].type), fb = clif_lane_bits(a->ctrl);
    *out = (SemValue){.type = a->ctrl};
    for (unsigned k = 0; k < clif_type_lanes(a->ctrl); k++)
        put_lane(
            out, k,
            sem_float_from_int(sem_lane(a->in[0], k), ib, a->op == CLIF_OP_FCVT_FROM_SINT, fb));
    return SEM_OK;
}

static SemStatus float_width(SemArgs *a, ClifType to, SemValue *out) {
    unsigned fb = clif_lane_bits(a->in[0].type), tb = clif_lane_bits(to);
    unsigned n = clif_type_lanes(a->in[0].type);
    if (clif_type_lanes(to) < n) n = clif_type_lanes(to);
    *out = (SemValue){.type = to};
    for (unsigned k = 0; k < n; k++)
        put_lane(out, k, sem_float_convert(sem_lane(a->in[0], k), fb, tb));
    return SEM_OK;
}

static SemStatus reduce_lanes(SemArgs *a, SemValue *out) { /* vany_true, vall_true, vhigh_bits */
    ClifType t = a->in[0].type;
    unsigned n = clif_type_lanes(t), bits = clif_lane_bits(t);
    bool any = false, all = true;
    SemU128 high = 0;
    for (unsigned k = 0; k < n; k++) {
        SemU128 x = sem_lane(a->in[0], k);
        any |= x != 0;
        all &= x != 0;
        high |= (x >> (bits - 1)) << k;
    }
    *out = a->op == CLIF_OP_VHIGH_BITS ? sem_int(a->ctrl, high)
                                       : sem_int(CLIF_I8, a->op == CLIF_OP_VANY_TRUE ? any : all);
    return SEM_OK;
}

static SemStatus fused(SemArgs *a, SemValue *out) {
    *out = (SemValue){.type = a->ctrl};
    for (unsigned k = 0; k < clif_type_lanes(a->ctrl); k++) {
        put_lane(out, k,
                 sem_float_fma(sem_lane(a->in[0], k), sem_lane(a->in[1], k), sem_lane(a->in[2], k),
                               clif_lane_bits(a->ctrl)));
    }
    return SEM_OK;
}

static SemStatus wide_constant(SemArgs *a, ClifType t, SemValue *out) {
    SemU128 x = 0;
    if (a->nwide > 16) return SEM_NONE;
    for (uint32_t k = 0; k < a->nwide; k++) x |= (SemU128)a->wide[k] << (8 * k);
    *out = sem_int(t, x);
    return SEM_OK;
}

static bool representable(ClifType t) {
    return t == CLIF_INVALID || (!clif_type_is_dynamic(t) && clif_type_bits(t) <= 128);
}

SemStatus sem_eval(SemArgs *a, SemValue out[2]) {
    SemU128 x = a->n ? sem_bits(a->in[0]) : 0, y = a->n > 1 ? sem_bits(a->in[1]) : 0;
    ClifType t0 = a->n ? a->in[0].type : CLIF_INVALID;
    a->trap = CLIF_TRAP_NONE;
    if (!representable(a->ctrl) || !representable(t0)) return SEM_NONE;
    switch (a->op) {
    case CLIF_OP_ICONST: out[0] = sem_int(a->ctrl, a->imm); return SEM_OK;
    case CLIF_OP_F16CONST: out[0] = sem_int(CLIF_F16, a->imm); return SEM_OK;
    case CLIF_OP_F32CONST: out[0] = sem_int(CLIF_F32, a->imm); return SEM_OK;
    case CLIF_OP_F64CONST: out[0] = sem_int(CLIF_F64, a->imm); return SEM_OK;
    case CLIF_OP_F128CONST: return wide_constant(a, CLIF_F128, out);
    case CLIF_OP_VCONST: return wide_constant(a, a->ctrl, out);
    case CLIF_OP_SPLAT:
        out[0] = (SemValue){.type = a->ctrl};
        for (unsigned k = 0; k < clif_type_lanes(a->ctrl); k++) put_lane(&out[0], k, x);
        return SEM_OK;
    case CLIF_OP_SCALAR_TO_VECTOR: out[0] = sem_int(a->ctrl, x); return SEM_OK;
    case CLIF_OP_INSERTLANE:
        out[0] = a->in[0];
        put_lane(&out[0], a->aux & 255u, y);
        return SEM_OK;
    case CLIF_OP_EXTRACTLANE:
        out[0] = sem_int(clif_lane_type(a->ctrl), sem_lane(a->in[0], a->aux & 255u));
        return SEM_OK;
    case CLIF_OP_SELECT:
    case CLIF_OP_SELECT_SPECTRE_GUARD: out[0] = a->in[sem_is_true(a->in[0]) ? 1 : 2]; return SEM_OK;
    case CLIF_OP_BITSELECT:
        out[0] = of_bits(a->ctrl, (x & y) | (~x & sem_bits(a->in[2])));
        return SEM_OK;
    case CLIF_OP_BLENDV: return blend(a, out);
    case CLIF_OP_SHUFFLE:
    case CLIF_OP_SWIZZLE:
    case CLIF_OP_X86_PSHUFB: return bytes(a, out);
    case CLIF_OP_VANY_TRUE:
    case CLIF_OP_VALL_TRUE:
    case CLIF_OP_VHIGH_BITS: return reduce_lanes(a, out);
    case CLIF_OP_ICMP:
    case CLIF_OP_FCMP: return compare(a, out);
    case CLIF_OP_FMA: return fused(a, out);
    case CLIF_OP_BITCAST: return bitcast(a, out);
    case CLIF_OP_BMASK: out[0] = sem_int(a->ctrl, x ? ~(SemU128)0 : 0); return SEM_OK;
    case CLIF_OP_IREDUCE:
    case CLIF_OP_UEXTEND: out[0] = sem_int(a->ctrl, x); return SEM_OK;
    case CLIF_OP_SEXTEND:
        out[0] = sem_int(a->ctrl, (SemU128)sem_sext(x, clif_type_bits(t0)));
        return SEM_OK;
    case CLIF_OP_ISPLIT: {
        ClifType half = clif_type_apply((ClifTypeSpec){CLIF_TC_HALF, 0}, a->ctrl);
        out[0] = sem_int(half, x);
        out[1] = sem_int(half, x >> clif_type_bits(half));
        return SEM_OK;
    }
    case CLIF_OP_ICONCAT:
        out[0] = sem_int(clif_type_apply((ClifTypeSpec){CLIF_TC_DOUBLE, 0}, a->ctrl),
                         x | y << clif_type_bits(a->ctrl));
        return SEM_OK;
    case CLIF_OP_SNARROW:
    case CLIF_OP_UNARROW:
    case CLIF_OP_UUNARROW: return narrow(a, out);
    case CLIF_OP_SWIDEN_LOW:
    case CLIF_OP_SWIDEN_HIGH:
    case CLIF_OP_UWIDEN_LOW:
    case CLIF_OP_UWIDEN_HIGH: return widen(a, out);
    case CLIF_OP_IADD_PAIRWISE: return pairwise(a, out);
    case CLIF_OP_X86_PMADDUBSW: return multiply_add(a, out);
    case CLIF_OP_FPROMOTE:
    case CLIF_OP_FDEMOTE: return float_width(a, a->ctrl, out);
    case CLIF_OP_FVDEMOTE: return float_width(a, CLIF_F32X4, out);
    case CLIF_OP_FVPROMOTE_LOW: return float_width(a, CLIF_F64X2, out);
    case CLIF_OP_FCVT_TO_UINT:
    case CLIF_OP_FCVT_TO_SINT:
    case CLIF_OP_FCVT_TO_UINT_SAT:
    case CLIF_OP_FCVT_TO_SINT_SAT:
    case CLIF_OP_X86_CVTT2DQ: return to_int(a, out);
    case CLIF_OP_FCVT_FROM_UINT:
    case CLIF_OP_FCVT_FROM_SINT: return from_int(a, out);
    default: break;
    }
    if (a->n >= 2 && overflow(a, out) != SEM_NONE)
        return a->trap == CLIF_TRAP_NONE ? SEM_OK : SEM_TRAP;
    if (a->n != 1 && a->n != 2) return SEM_NONE;
    return lanewise(a, out);
}

void sem_immediates(const ClifFunc *f, ClifInst i, SemArgs *a) {
    const ClifInstData *d = &f->insts.p[i.i];
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    a->aux = d->aux;
    a->imm = clif_imm64(d);
    a->wide = NULL;
    a->nwide = 0;
    a->big = d->op == CLIF_OP_BITCAST && (clif_memflags(f, d->aux).bits & CLIF_MEM_BIG);
    if (fmt == CLIF_FMT_UnaryIeee16 || fmt == CLIF_FMT_UnaryIeee32) a->imm = d->b;
    ClifRange r = fmt == CLIF_FMT_UnaryConst ? f->consts.p[d->a]
                  : fmt == CLIF_FMT_Shuffle  ? f->imm128s.p[d->c]
                                             : (ClifRange){0, 0};
    if (r.n) {
        a->wide = f->bytes.p + r.first;
        a->nwide = r.n;
    }
}

SemValue sem_rmw(ClifRmwOp op, SemValue old, SemValue x) {
    static const uint8_t as_op[] = {
        [CLIF_RMW_ADD] = CLIF_OP_IADD,  [CLIF_RMW_SUB] = CLIF_OP_ISUB,
        [CLIF_RMW_AND] = CLIF_OP_BAND,  [CLIF_RMW_NAND] = CLIF_OP_BAND,
        [CLIF_RMW_OR] = CLIF_OP_BOR,    [CLIF_RMW_XOR] = CLIF_OP_BXOR,
        [CLIF_RMW_UMIN] = CLIF_OP_UMIN, [CLIF_RMW_UMAX] = CLIF_OP_UMAX,
        [CLIF_RMW_SMIN] = CLIF_OP_SMIN, [CLIF_RMW_SMAX] = CLIF_OP_SMAX,
    };
    unsigned bits = clif_type_bits(old.type);
    SemU128 r;
    ClifTrap trap;
    if (op == CLIF_RMW_XCHG) return x;
    sem_int_binary((ClifOp)as_op[op], sem_bits(old), sem_bits(x), bits, &r, &trap);
    return sem_int(old.type, op == CLIF_RMW_NAND ? ~r : r);
}
