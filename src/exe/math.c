/* exe/math.c — rounding to integers, and the fused multiplication and addition, for processors without instructions for them.
 *
 * fma         Both factors and the addend are taken apart; the product has 106 bits and is added to the addend in 128, what does not
 *             fit is kept as one sticky bit; then one rounding to nearest even. fmaf: the product of two f32 is exact in f64, and the sum
 *             is rounded to odd, so that the second rounding, to f32, is as if there had been none before it.
 * Ref         Boldo and Melquiond, Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static uint64_t bits_of(double x) {
    uint64_t b;
    memcpy(&b, &x, 8);
    return b;
}
static double from_bits(uint64_t b) {
    double x;
    memcpy(&x, &b, 8);
    return x;
}

/* ---- to integers ---- */
#define SIGN (UINT64_C(1) << 63)
static double with_sign(double x, double of) {
    return from_bits((bits_of(x) & ~SIGN) | (bits_of(of) & SIGN));
}
/* 2^52 is where the numbers are all integers: adding and taking it away again rounds, as the processor is set. */
double nearbyint(double x) {
    double big = with_sign(0x1p52, x);
    if (!((bits_of(x) & ~SIGN) < bits_of(0x1p52)))
        return x + 0.0; /* an integer, infinite, NaN (becomes quiet) */
    volatile double y = x + big;
    return with_sign(y - big, x);
}
double trunc(double x) {
    double r = nearbyint(x);
    bool over = x < 0 ? r < x : r > x;
    return with_sign(over ? r - with_sign(1.0, x) : r, x);
}
double floor(double x) {
    double r = nearbyint(x);
    return with_sign(r > x ? r - 1.0 : r, x);
}
double ceil(double x) {
    double r = nearbyint(x);
    return with_sign(r < x ? r + 1.0 : r, x);
}
/* An f32 is an f64, and so is what it is rounded to. */
float nearbyintf(float x) {
    return (float)nearbyint((double)x);
}
float truncf(float x) {
    return (float)trunc((double)x);
}
float floorf(float x) {
    return (float)floor((double)x);
}
float ceilf(float x) {
    return (float)ceil((double)x);
}

/* ---- fused multiplication and addition ---- */
typedef unsigned __int128 U128;
typedef struct Parts {
    bool negative;
    int exp; /* value = sig * 2^exp */
    uint64_t sig;
} Parts;

static Parts split(double x) {
    uint64_t b = bits_of(x), sig = b & ((UINT64_C(1) << 52) - 1);
    int e = (int)(b >> 52 & 0x7FF);
    if (e)
        sig |= UINT64_C(1) << 52;
    else
        e = 1;
    return (Parts){b >> 63, e - 1075, sig};
}

static int width(U128 x) {
    uint64_t hi = (uint64_t)(x >> 64), lo = (uint64_t)x;
    return hi ? 128 - __builtin_clzll(hi) : lo ? 64 - __builtin_clzll(lo) : 0;
}

/* x >> n, with a bit set if anything is lost. */
static U128 shift_sticky(U128 x, int n) {
    if (n <= 0) return x;
    if (n >= 128) return x != 0;
    return x >> n | ((x & (((U128)1 << n) - 1)) != 0);
}

static double round_to_double(bool negative, U128 sig, int exp) {
    int drop = width(sig) - 53;
    if (exp + drop < -1074) drop = -1074 - exp;
    if (drop > 0) {
        U128 x = shift_sticky(sig, drop - 2); /* two bits more than are kept, the last one sticky */
        if (drop == 1) x = sig << 1;
        uint64_t q = (uint64_t)(x >> 2);
        unsigned rest = (unsigned)(x & 3);
        sig = q + (rest > 2 || (rest == 2 && (q & 1)));
        exp += drop;
    }
    uint64_t s = (uint64_t)sig;
    if (!s) return from_bits(negative ? SIGN : 0);
    int up = 53 - width(s); /* to the left, as far as the exponent allows */
    if (up > exp + 1074) up = exp + 1074;
    if (up > 0) {
        s <<= up;
        exp -= up;
    }
    if (s >> 53) { /* rounded up to the next power of two */
        s >>= 1;
        exp++;
    }
    uint64_t e = s >> 52 ? (uint64_t)(exp + 1075) : 0;
    if (e >= 0x7FF) return from_bits((negative ? SIGN : 0) | UINT64_C(0x7FF) << 52);
    return from_bits((negative ? SIGN : 0) | e << 52 | (s & ((UINT64_C(1) << 52) - 1)));
}

static bool special(double x) {
    return (bits_of(x) >> 52 & 0x7FF) == 0x7FF;
}

double fma(double x, double y, double z) {
    if (special(x) || special(y) || x == 0 || y == 0) return x * y + z;
    if (special(z)) return z + z;
    Parts a = split(x), b = split(y), c = split(z);
    U128 p = (U128)a.sig * b.sig; /* at most 106 bits */
    int pe = a.exp + b.exp;
    bool pn = a.negative != b.negative;
    if (!c.sig) return round_to_double(pn, p, pe); /* not zero: no question of its sign */
    U128 q = c.sig;
    int qe = c.exp, room = 126 - width(p); /* to the left, so that the sum cannot overflow */
    p <<= room;
    pe -= room;
    room = 126 - width(q);
    q <<= room;
    qe -= room;
    if (pe > qe) {
        q = shift_sticky(q, pe - qe);
    } else {
        p = shift_sticky(p, qe - pe);
        pe = qe;
    }
    if (pn == c.negative) return round_to_double(pn, p + q, pe);
    if (p == q) return 0.0;
    return p > q ? round_to_double(pn, p - q, pe) : round_to_double(c.negative, q - p, pe);
}

float fmaf(float x, float y, float z) {
    double p = (double)x * y; /* exact */
    if (special(p) || special((double)z)) return (float)(p + z);
    volatile double s = p + z, t = s - p; /* sum and what it lost: Knuth's two-sum */
    volatile double lost = (p - (s - t)) + (z - t);
    uint64_t b = bits_of(s);
    if (lost != 0 &&
        !(b & 1)) { /* not exact and even: the odd neighbour on the side of what was lost */
        bool away = (lost > 0) == (s > 0);
        b += away ? 1 : (uint64_t)-1;
    }
    return (float)from_bits(b);
}
