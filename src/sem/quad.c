/* sem/quad.c — sums, products, quotients and roots of f128, which no host type has.
 *
 * Idea  One exact operation, x * y + z in 256 bits, rounded once, gives sum, difference and product, too: x * 1 + y and
 *       x * y + (-0). Significands are normalised to 113 bits, so the product has 225 or 226. The addend is moved to the
 *       product's scale; what falls off the low end only matters as a sticky bit, because then no bits cancel:
 *
 *           addend far above   sum is the addend with a sticky bit of the product far below its last place
 *           overlapping        exact: 140 + 113 bits hold both
 *           addend below       the product, with a sticky bit of the addend
 *
 *       Quotient and root are found bit by bit to more digits than needed, and a sticky bit for the rest.
 * Ref: IEEE 754-2019, 5.4.1; J.-M. Muller et al., Handbook of Floating-Point Arithmetic, 7. */
#include "sem/sem_int.h"

enum { DIGITS = 113, FAR = 140, EXTRA = 116 };

typedef struct Wide { /* hi * 2^128 + lo */
    SemU128 hi, lo;
} Wide;

static Wide mul(SemU128 x, SemU128 y) {
    uint64_t x0 = (uint64_t)x, x1 = (uint64_t)(x >> 64), y0 = (uint64_t)y, y1 = (uint64_t)(y >> 64);
    SemU128 p00 = (SemU128)x0 * y0, p01 = (SemU128)x0 * y1, p10 = (SemU128)x1 * y0,
            p11 = (SemU128)x1 * y1;
    SemU128 mid = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;
    return (Wide){p11 + (p01 >> 64) + (p10 >> 64) + (mid >> 64), mid << 64 | (uint64_t)p00};
}
static Wide shl(Wide x, unsigned n) { /* n < 256; nothing falls off */
    if (n >= 128) return (Wide){x.lo << (n - 128), 0};
    if (n == 0) return x;
    return (Wide){x.hi << n | x.lo >> (128 - n), x.lo << n};
}
/* Any bit that falls off leaves the lowest one set. */
static Wide shr_sticky(Wide x, unsigned n) {
    if (n == 0) return x;
    if (n >= 256) return (Wide){0, (x.hi | x.lo) != 0};
    SemU128 lost = n > 128 ? x.lo | (x.hi & sem_mask(n - 128)) : x.lo & sem_mask(n);
    Wide r = n >= 128 ? (Wide){0, n == 128 ? x.hi : x.hi >> (n - 128)}
                      : (Wide){x.hi >> n, x.hi << (128 - n) | x.lo >> n};
    r.lo |= lost != 0;
    return r;
}
static Wide add(Wide x, Wide y) {
    Wide r = {x.hi + y.hi, x.lo + y.lo};
    r.hi += r.lo < x.lo;
    return r;
}
static Wide sub(Wide x, Wide y) {
    return (Wide){x.hi - y.hi - (x.lo < y.lo), x.lo - y.lo};
}
static bool less(Wide x, Wide y) {
    return x.hi != y.hi ? x.hi < y.hi : x.lo < y.lo;
}

static void normalise(SemParts *p) {
    unsigned n = DIGITS - sem_width(p->sig);
    p->sig <<= n;
    p->exp -= (int)n;
}

static SemU128 rounded(bool neg, Wide sig, int exp) {
    unsigned n = sig.hi ? 128 + sem_width(sig.hi) : sem_width(sig.lo);
    if (n > 126) {
        sig = shr_sticky(sig, n - 126);
        exp += (int)(n - 126);
    }
    return sem_join((SemParts){SEM_FINITE, neg, exp, sig.lo}, 128);
}

static SemU128 zero(bool neg) {
    return (SemU128)neg << 127;
}
static SemU128 infinity(bool neg) {
    return sem_join((SemParts){SEM_INF, neg, 0, 0}, 128);
}
static SemU128 invalid(void) { /* what x86-64 gives: quiet, sign set */
    return (SemU128)1 << 127 | sem_mask(15) << 112 | (SemU128)1 << 111;
}

static SemU128 sum_of(SemParts p, Wide prod, int exp, SemParts c) {
    normalise(&c);
    int d = c.exp - exp;
    Wide a = {0, c.sig};
    if (d > FAR) {
        prod = shr_sticky(prod, d - FAR > 255 ? 256 : (unsigned)(d - FAR));
        a = shl(a, FAR);
        exp = c.exp - FAR;
    } else if (d >= 0) {
        a = shl(a, (unsigned)d);
    } else {
        a = shr_sticky(a, d < -255 ? 256 : (unsigned)-d);
    }
    if (p.neg == c.neg) return rounded(p.neg, add(prod, a), exp);
    bool c_larger = less(prod, a);
    Wide r = c_larger ? sub(a, prod) : sub(prod, a);
    if (!(r.hi | r.lo)) return zero(false);
    return rounded(c_larger ? c.neg : p.neg, r, exp);
}

SemU128 sem_quad_fma(SemU128 x, SemU128 y, SemU128 z) {
    SemParts a = sem_split(x, 128), b = sem_split(y, 128), c = sem_split(z, 128);
    bool neg = a.neg != b.neg;
    if (a.cls == SEM_INF || b.cls == SEM_INF) {
        if (a.cls == SEM_ZERO || b.cls == SEM_ZERO || (c.cls == SEM_INF && c.neg != neg))
            return invalid();
        return infinity(neg);
    }
    if (c.cls == SEM_INF) return z;
    if (a.cls == SEM_ZERO || b.cls == SEM_ZERO) return c.cls == SEM_ZERO ? zero(neg && c.neg) : z;
    normalise(&a);
    normalise(&b);
    Wide p = mul(a.sig, b.sig);
    int exp = a.exp + b.exp;
    if (c.cls == SEM_ZERO) return rounded(neg, p, exp);
    a.neg = neg;
    return sum_of(a, p, exp, c);
}

SemU128 sem_quad_div(SemU128 x, SemU128 y) {
    SemParts a = sem_split(x, 128), b = sem_split(y, 128);
    bool neg = a.neg != b.neg;
    if (a.cls == b.cls && a.cls != SEM_FINITE) return invalid(); /* 0 / 0, inf / inf */
    if (a.cls == SEM_INF || b.cls == SEM_ZERO) return infinity(neg);
    if (a.cls == SEM_ZERO || b.cls == SEM_INF) return zero(neg);
    normalise(&a);
    normalise(&b);
    SemU128 q = 0, r = a.sig; /* r < 2 b */
    for (unsigned k = 0; k <= EXTRA; k++, r <<= 1) {
        q <<= 1;
        if (r >= b.sig) r -= b.sig, q |= 1;
    }
    return rounded(neg, (Wide){0, q << 1 | (r != 0)}, a.exp - b.exp - EXTRA - 1);
}

SemU128 sem_quad_sqrt(SemU128 x) {
    SemParts p = sem_split(x, 128);
    if (p.cls == SEM_ZERO) return x;
    if (p.neg) return invalid();
    if (p.cls == SEM_INF) return x;
    normalise(&p);
    unsigned s = 2 * EXTRA - DIGITS;
    if ((p.exp - (int)s) & 1) s++; /* the exponent becomes even */
    Wide n = shl((Wide){0, p.sig}, s), root = {0, 0}, square = {0, 0};
    for (int bit = EXTRA; bit >= 0;
         bit--) { /* (root + 2^bit)^2 = square + root 2^(bit+1) + 2^2bit */
        Wide next =
            add(square, add(shl(root, (unsigned)bit + 1), shl((Wide){0, 1}, 2 * (unsigned)bit)));
        if (less(n, next)) continue;
        square = next;
        root.lo |= (SemU128)1 << bit;
    }
    Wide rest = sub(n, square);
    return rounded(false, (Wide){0, root.lo << 1 | ((rest.hi | rest.lo) != 0)},
                   (p.exp - (int)s) / 2 - 1);
}
