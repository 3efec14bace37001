/* sem/float.c — operators on one float lane of 16 to 128 bits.
 *
 * Idea  A number is taken apart into sign and significand times a power of two, and put together again by one rounding
 *       step for any format; so conversions, rounding to integers and comparisons are written once. Sums, products,
 *       quotients and roots are the host's for f32 and f64; for f16 those of f32, rounded once more, which is exact
 *       because f32 has more than twice the digits; for f128 those of quad.c. NaN operands come out quiet, payload kept. */
#include <math.h>
#include "sem/sem_int.h"

typedef struct Format {
    unsigned e, t; /* bits of the exponent and of the stored significand */
} Format;
static Format format(unsigned bits) {
    return bits == 16   ? (Format){5, 10}
           : bits == 32 ? (Format){8, 23}
           : bits == 64 ? (Format){11, 52}
                        : (Format){15, 112};
}

SemParts sem_split(SemU128 x, unsigned bits) {
    Format f = format(bits);
    int bias = (1 << (f.e - 1)) - 1;
    unsigned exp = (unsigned)(x >> f.t & sem_mask(f.e));
    SemParts p = {SEM_FINITE, x >> (bits - 1) & 1, 0, x & sem_mask(f.t)};
    if (exp == sem_mask(f.e)) {
        p.cls = p.sig ? SEM_IS_NAN : SEM_INF;
    } else if (exp == 0) {
        p.cls = p.sig ? SEM_FINITE : SEM_ZERO;
        p.exp = 1 - bias - (int)f.t;
    } else {
        p.sig |= (SemU128)1 << f.t;
        p.exp = (int)exp - bias - (int)f.t;
    }
    return p;
}

unsigned sem_width(SemU128 x) {
    uint64_t hi = (uint64_t)(x >> 64), lo = (uint64_t)x;
    return hi ? 128 - (unsigned)__builtin_clzll(hi) : lo ? 64 - (unsigned)__builtin_clzll(lo) : 0;
}

/* Rounds a finite number to the format, to nearest even. */
SemU128 sem_join(SemParts p, unsigned bits) {
    Format f = format(bits);
    int bias = (1 << (f.e - 1)) - 1, emin = 1 - bias - (int)f.t;
    SemU128 sign = (SemU128)p.neg << (bits - 1), inf = sem_mask(f.e) << f.t;
    if (p.cls == SEM_INF) return sign | inf;
    if (p.cls == SEM_IS_NAN) return sign | inf | p.sig;
    if (p.cls == SEM_ZERO || !p.sig) return sign;
    int drop = (int)sem_width(p.sig) - (int)(f.t + 1); /* so that t + 1 bits stay */
    if (p.exp + drop < emin) drop = emin - p.exp;      /* subnormal */
    if (drop > 0) {
        SemU128 rest, half;
        if (drop > 128) { /* far below the smallest number */
            p.sig = 0;
            rest = 0;
            half = 1;
        } else {
            rest = p.sig & sem_mask((unsigned)drop);
            half = (SemU128)1 << (drop - 1);
            p.sig = drop == 128 ? 0 : p.sig >> drop;
        }
        if (rest > half || (rest == half && (p.sig & 1))) p.sig++;
    } else {
        p.sig <<= -drop;
    }
    p.exp += drop;
    if (p.sig >> (f.t + 1)) p.sig >>= 1, p.exp++;
    if (!(p.sig >> f.t)) return sign | p.sig; /* subnormal or zero */
    int exp = p.exp + bias + (int)f.t;
    if (exp >= (int)sem_mask(f.e)) return sign | inf;
    return sign | (SemU128)(unsigned)exp << f.t | (p.sig & sem_mask(f.t));
}

static bool is_nan(SemU128 x, unsigned bits) {
    Format f = format(bits);
    return (x & sem_mask(bits - 1)) > sem_mask(f.e) << f.t;
}
static SemU128 quiet(SemU128 x, unsigned bits) {
    return x | (SemU128)1 << (format(bits).t - 1);
}

/* ---- comparison ---- */
/* Order of two numbers that are no NaNs: negative, 0, positive. */
static int order(SemU128 x, SemU128 y, unsigned bits) {
    SemU128 m = sem_mask(bits - 1);
    bool nx = x >> (bits - 1) & 1, ny = y >> (bits - 1) & 1;
    if (!((x | y) & m)) return 0;
    if (nx != ny) return nx ? -1 : 1;
    int c = (x & m) < (y & m) ? -1 : (x & m) > (y & m);
    return nx ? -c : c;
}

bool sem_fcmp(ClifFloatCC cc, SemU128 x, SemU128 y, unsigned bits) {
    bool un = is_nan(x, bits) || is_nan(y, bits);
    int c = un ? 0 : order(x, y, bits);
    bool eq = !un && c == 0, lt = c<0, gt = c> 0;
    switch (cc) {
    case CLIF_FORD: return !un;
    case CLIF_FUNO: return un;
    case CLIF_FEQ: return eq;
    case CLIF_FNE: return !eq;
    case CLIF_FONE: return lt || gt;
    case CLIF_FUEQ: return un || eq;
    case CLIF_FLT: return lt;
    case CLIF_FLE: return lt || eq;
    case CLIF_FGT: return gt;
    case CLIF_FGE: return gt || eq;
    case CLIF_FULT: return un || lt;
    case CLIF_FULE: return un || lt || eq;
    case CLIF_FUGT: return un || gt;
    case CLIF_FUGE: return un || gt || eq;
    }
    return false;
}

/* ---- conversion ---- */
SemU128 sem_float_convert(SemU128 x, unsigned from, unsigned to) {
    SemParts p = sem_split(x, from);
    Format a = format(from), b = format(to);
    if (p.cls == SEM_IS_NAN) {
        p.sig = a.t > b.t ? p.sig >> (a.t - b.t) : p.sig << (b.t - a.t);
        return quiet(sem_join(p, to), to);
    }
    return sem_join(p, to);
}

SemU128 sem_float_from_int(SemU128 x, unsigned int_bits, bool is_signed, unsigned to) {
    SemI128 s = sem_sext(x, int_bits);
    SemParts p = {SEM_FINITE, is_signed && s < 0, 0, is_signed && s < 0 ? 0 - (SemU128)s : x};
    return sem_join(p, to);
}

SemToInt sem_float_to_int(SemU128 x, unsigned from, unsigned int_bits, bool is_signed, SemU128 *r) {
    SemParts p = sem_split(x, from);
    SemToInt far = p.neg ? SEM_TOO_SMALL : SEM_TOO_LARGE;
    if (p.cls == SEM_IS_NAN) return SEM_NAN;
    if (p.cls == SEM_INF) return far;
    SemU128 m = p.cls == SEM_ZERO || p.exp <= -128 ? 0 : p.exp < 0 ? p.sig >> -p.exp : p.sig;
    if (p.cls == SEM_FINITE && p.exp > 0) {
        if ((int)sem_width(p.sig) + p.exp > 128) return far;
        m = p.sig << p.exp;
    }
    SemU128 max = sem_mask(is_signed ? int_bits - 1 : int_bits);
    if (p.neg ? m > (is_signed ? max + 1 : 0) : m > max) return far;
    *r = (p.neg ? 0 - m : m) & sem_mask(int_bits);
    return SEM_FITS;
}

/* ---- rounding to an integral value ---- */
static SemU128 integral(ClifOp op, SemU128 x, unsigned bits) {
    SemParts p = sem_split(x, bits);
    if (p.cls == SEM_IS_NAN) return quiet(x, bits);
    if (p.cls != SEM_FINITE || p.exp >= 0) return x;
    unsigned drop =
        p.exp <= -128 ? 127 : (unsigned)-p.exp; /* the significand has at most 113 bits */
    SemU128 whole = p.sig >> drop, rest = p.sig & sem_mask(drop), half = (SemU128)1 << (drop - 1);
    bool up = op == CLIF_OP_CEIL    ? rest && !p.neg
              : op == CLIF_OP_FLOOR ? rest && p.neg
              : op == CLIF_OP_TRUNC ? false
                                    : rest > half || (rest == half && (whole & 1));
    p.sig = whole + up;
    p.exp = 0;
    return sem_join(p, bits);
}

/* ---- arithmetic by the host ---- */
static float to_f32(SemU128 x) {
    uint32_t b = (uint32_t)x;
    float f;
    memcpy(&f, &b, 4);
    return f;
}
static SemU128 of_f32(float f) {
    uint32_t b;
    memcpy(&b, &f, 4);
    return b;
}
static double to_f64(SemU128 x) {
    uint64_t b = (uint64_t)x;
    double d;
    memcpy(&d, &b, 8);
    return d;
}
static SemU128 of_f64(double d) {
    uint64_t b;
    memcpy(&b, &d, 8);
    return b;
}

bool sem_float_unary(ClifOp op, SemU128 x, unsigned bits, SemU128 *r) {
    SemU128 sign = (SemU128)1 << (bits - 1);
    switch (op) {
    case CLIF_OP_FNEG: *r = x ^ sign; return true;
    case CLIF_OP_FABS: *r = x & ~sign; return true;
    case CLIF_OP_CEIL:
    case CLIF_OP_FLOOR:
    case CLIF_OP_TRUNC:
    case CLIF_OP_NEAREST: *r = integral(op, x, bits); return true;
    case CLIF_OP_SQRT:
        if (bits == 16)
            *r = sem_float_convert(of_f32(sqrtf(to_f32(sem_float_convert(x, 16, 32)))), 32, 16);
        else if (bits == 32)
            *r = of_f32(sqrtf(to_f32(x)));
        else if (bits == 64)
            *r = of_f64(sqrt(to_f64(x)));
        else
            *r = is_nan(x, 128) ? quiet(x, 128) : sem_quad_sqrt(x);
        return true;
    default: return false;
    }
}

static SemU128 arithmetic32(ClifOp op, SemU128 x, SemU128 y) {
    volatile float a = to_f32(x), b = to_f32(y);
    return of_f32(op == CLIF_OP_FADD   ? a + b
                  : op == CLIF_OP_FSUB ? a - b
                  : op == CLIF_OP_FMUL ? a * b
                                       : a / b);
}
static SemU128 arithmetic64(ClifOp op, SemU128 x, SemU128 y) {
    volatile double a = to_f64(x), b = to_f64(y);
    return of_f64(op == CLIF_OP_FADD   ? a + b
                  : op == CLIF_OP_FSUB ? a - b
                  : op == CLIF_OP_FMUL ? a * b
                                       : a / b);
}

static SemU128 arithmetic128(ClifOp op, SemU128 x, SemU128 y) {
    const SemU128 sign = (SemU128)1 << 127, one = (SemU128)0x3FFF << 112;
    if (is_nan(x, 128) || is_nan(y, 128)) return quiet(is_nan(x, 128) ? x : y, 128);
    return op == CLIF_OP_FADD   ? sem_quad_fma(x, one, y)
           : op == CLIF_OP_FSUB ? sem_quad_fma(x, one, y ^ sign)
           : op == CLIF_OP_FMUL ? sem_quad_fma(x, y, sign)
                                : sem_quad_div(x, y);
}

bool sem_float_binary(ClifOp op, SemU128 x, SemU128 y, unsigned bits, SemU128 *r) {
    SemU128 sign = (SemU128)1 << (bits - 1);
    switch (op) {
    case CLIF_OP_FCOPYSIGN: *r = (x & ~sign) | (y & sign); return true;
    case CLIF_OP_FMIN:
    case CLIF_OP_FMAX: {
        bool min = op == CLIF_OP_FMIN;
        if (is_nan(x, bits) || is_nan(y, bits)) {
            *r = quiet(is_nan(x, bits) ? x : y, bits);
            return true;
        }
        int c = order(x, y, bits);
        *r = c == 0 ? (min ? x | (y & sign) : x & (y | ~sign)) : (c < 0) == min ? x : y;
        return true;
    }
    case CLIF_OP_FADD:
    case CLIF_OP_FSUB:
    case CLIF_OP_FMUL:
    case CLIF_OP_FDIV:
        if (bits == 16)
            *r = sem_float_convert(
                arithmetic32(op, sem_float_convert(x, 16, 32), sem_float_convert(y, 16, 32)), 32,
                16);
        else if (bits == 32)
            *r = arithmetic32(op, x, y);
        else if (bits == 64)
            *r = arithmetic64(op, x, y);
        else
            *r = arithmetic128(op, x, y);
        return true;
    default: return false;
    }
}

/* x * y + z of finite f16 numbers is an integer times 2^-48, of less than 100 bits. */
static SemU128 fma16(SemU128 x, SemU128 y, SemU128 z) {
    SemParts a = sem_split(x, 16), b = sem_split(y, 16), c = sem_split(z, 16);
    if (a.cls > SEM_FINITE || b.cls > SEM_FINITE || c.cls > SEM_FINITE)
        return sem_float_convert(
            of_f32(fmaf(to_f32(sem_float_convert(x, 16, 32)), to_f32(sem_float_convert(y, 16, 32)),
                        to_f32(sem_float_convert(z, 16, 32)))),
            32, 16);
    SemI128 p = a.cls == SEM_ZERO || b.cls == SEM_ZERO
                    ? 0
                    : (SemI128)(a.sig * b.sig << (a.exp + b.exp + 48));
    SemI128 q = c.cls == SEM_ZERO ? 0 : (SemI128)(c.sig << (c.exp + 48));
    bool pneg = a.neg != b.neg;
    SemI128 sum = (pneg ? -p : p) + (c.neg ? -q : q);
    bool neg = sum ? sum < 0 : pneg && c.neg;
    return sem_join(
        (SemParts){sum ? SEM_FINITE : SEM_ZERO, neg, -48, (SemU128)(sum < 0 ? -sum : sum)}, 16);
}

static SemU128 fma128(SemU128 x, SemU128 y, SemU128 z) {
    return is_nan(x, 128)   ? quiet(x, 128)
           : is_nan(y, 128) ? quiet(y, 128)
           : is_nan(z, 128) ? quiet(z, 128)
                            : sem_quad_fma(x, y, z);
}

SemU128 sem_float_fma(SemU128 x, SemU128 y, SemU128 z, unsigned bits) {
    return bits == 16   ? fma16(x, y, z)
           : bits == 32 ? of_f32(fmaf(to_f32(x), to_f32(y), to_f32(z)))
           : bits == 64 ? of_f64(fma(to_f64(x), to_f64(y), to_f64(z)))
                        : fma128(x, y, z);
}
