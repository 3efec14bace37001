/* isa/x64/divconst.c — division and remainder by a constant without a division instruction.
 *
 * Problem  A division takes 10 to 40 cycles and ties rax and rdx; compilers to Wasm leave divisions by constants in.
 * Idea     Powers of two are shifts and masks. Otherwise the quotient is the high part of a product with a scaled
 *          reciprocal: floor(x / d) = floor(x * m / 2^(N + s)) for every N-bit x if m = ceil(2^(N + s) / d) and
 *          m * d - 2^(N + s) <= 2^s. The least s for which this holds is found by trying; m then has at most N + 1
 *          bits. 32-bit operands use the low half of one 64-bit product if m has 32 bits, else a high half with N = 64,
 *          for which m = ceil(2^64 / d) always serves. The remainder is x - q * d.
 * Copies   x is often needed afterwards, so nothing overwrites it if there is another way: of a product with a high half
 *          the reciprocal is the operand in the fixed register; signs come from values of our own.
 * Cost     N steps to find m, 2 to 6 instructions.
 * Ref      Granlund and Montgomery, "Division by Invariant Integers using Multiplication" (PLDI 1994);
 *          Warren, "Hacker's Delight", chapter 10 */
#include "isa/x64/rules_in.h"

typedef struct Magic {
    uint64_t m; /* without its bit N */
    unsigned s;
    bool wide; /* bit N is set */
} Magic;

/* d >= 2 and no power of two; values below 2^bits of an n-bit type: n = 32 or 64 */
static Magic magic(uint64_t d, unsigned n, unsigned bits) {
    for (unsigned s = 0;; s++) {
        unsigned __int128 p = (unsigned __int128)1 << (n + s);
        unsigned __int128 m = (p + d - 1) / d, e = m * d - p;
        /* x * e < 2^(n + s) for all x < 2^bits */
        if (e <= (unsigned __int128)1 << (n + s - bits))
            return (Magic){(uint64_t)(n == 64 ? m : m & UINT32_MAX), s, (m >> n) != 0};
    }
}

static RaVReg shift(LowerCtx *L, X64Op op, ClifType t, RaVReg r, unsigned k) {
    return k ? x64_form_SHIFT(L, op, t, r, x64_imm(L, k)) : r;
}
static RaVReg alu(LowerCtx *L, X64Op op, ClifType t, RaVReg a, RaVReg b) {
    return x64_form_ALU(L, op, t, a, x64_reg_rm(L, b));
}
/* a * k, 64 bits */
static RaVReg mul64(LowerCtx *L, RaVReg a, uint64_t k) {
    if ((int64_t)k == (int32_t)k)
        return x64_form_RMI(L, X64_IMUL3, CLIF_I64, x64_reg_rm(L, a), (int64_t)k);
    RaVReg m = x64_int_const(L, CLIF_I64, k);
    return x64_form_RMR(L, X64_IMUL, CLIF_I64, m, x64_reg_rm(L, a));
}

/* The high half of x * k, 64 bits */
static RaVReg mul_hi(LowerCtx *L, bool sign, RaVReg x, uint64_t k) {
    return x64_mul_hi(L, CLIF_I64, sign, x64_int_const(L, CLIF_I64, k), x64_reg_rm(L, x));
}

static RaVReg udiv(LowerCtx *L, ClifType t, RaVReg x, uint64_t d) {
    unsigned n = clif_type_bits(t);
    if ((d & (d - 1)) == 0) return shift(L, X64_SHR, t, x, u64_ctz(d));
    Magic g = magic(d, n, n);
    if (t == CLIF_I32) /* m * d - 2^64 < d: times x it is below 2^64 */
        return g.wide ? mul_hi(L, false, x, UINT64_MAX / d + 1)
                      : shift(L, X64_SHR, CLIF_I64, mul64(L, x, g.m), 32 + g.s);
    if (g.wide && !(d & 1)) { /* halve both first: the shorter dividend needs one bit less */
        unsigned even = u64_ctz(d);
        g = magic(d >> even, n, n - even);
        x = shift(L, X64_SHR, t, x, even);
    }
    RaVReg hi = mul_hi(L, false, x, g.m);
    if (!g.wide) return shift(L, X64_SHR, t, hi, g.s);
    /* (x * 2^n + x * m) >> (n + s), whose bit n is in the carry; s > 0 */
    RaVReg half = shift(L, X64_RCR, t, alu(L, X64_ADD, t, hi, x), 1);
    return shift(L, X64_SHR, t, half, g.s - 1);
}

/* x + 2^k - 1 if x is negative, else x: a shift or mask then rounds to zero */
static RaVReg biased(LowerCtx *L, ClifType t, RaVReg x, unsigned k) {
    unsigned n = clif_type_bits(t);
    if (k == 1 || k > 31)
        return alu(L, X64_ADD, t,
                   shift(L, X64_SHR, t, k == 1 ? x : shift(L, X64_SAR, t, x, n - 1), n - k), x);
    X64Rm sum = {.kind = XK_MEM, .mode = XM_BASE, .r = x, .disp = (int32_t)((1u << k) - 1)};
    RaVReg up = x64_form_RM(L, X64_LEA, t, sum);
    x64_form_TEST(L, X64_TEST, t, x, x64_reg_rm(L, x));
    return x64_choose_reg(L, t, x64_cond1(CC_NS), x, up);
}

/* d is neither 0, 1, -1 nor the least value */
static RaVReg sdiv(LowerCtx *L, ClifType t, RaVReg x, int64_t d) {
    unsigned n = clif_type_bits(t);
    uint64_t mag = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    RaVReg q;
    if ((mag & (mag - 1)) == 0) {
        unsigned k = u64_ctz(mag);
        q = shift(L, X64_SAR, t, biased(L, t, x, k), k);
    } else {
        Magic g = magic(mag, n, n - 1); /* at most n bits, since |x| <= 2^(n-1) */
        RaVReg hi;
        if (t == CLIF_I32) {
            x = x64_form_RM(L, X64_MOVSXD, CLIF_I64, x64_reg_rm(L, x));
            hi = shift(L, X64_SAR, CLIF_I64, mul64(L, x, g.m), 32 + g.s);
        } else {
            hi = mul_hi(L, true, x, g.m);
            if (g.m >> 63) hi = alu(L, X64_ADD, t, hi, x); /* m was taken as m - 2^64 */
            hi = shift(L, X64_SAR, t, hi, g.s);
        }
        RaVReg neg =
            shift(L, X64_SHR, CLIF_I64, x, 63); /* 1 if negative: floor becomes truncation */
        q = alu(L, X64_ADD, t, hi, neg);
    }
    return d < 0 ? x64_form_R1(L, X64_NEG, t, q) : q;
}

/* kind as for x64_divrem_values: 1 signed, 2 remainder. False where a division instruction stays. */
bool x64_div_const(LowerCtx *L, ClifType t, uint8_t kind, ClifValue a, int64_t k, RaVReg *out) {
    bool is_signed = kind & 1, remainder = kind & 2;
    uint64_t d = t == CLIF_I64 ? (uint64_t)k : (uint32_t)k;
    if (t < CLIF_I32 || d == 0) return false;
    if (is_signed && (k == 1 || k == -1 || d == (uint64_t)1 << (clif_type_bits(t) - 1)))
        return false;
    uint64_t mag = is_signed && k < 0 ? 0 - (uint64_t)k : d;
    bool power = (mag & (mag - 1)) == 0;
    if (!is_signed && !power && d >> 63) return false;
    RaVReg x = lower_value_reg(L, a), p;
    if (!remainder) {
        *out = is_signed ? sdiv(L, t, x, k) : udiv(L, t, x, d);
        return true;
    }
    if (power) { /* x mod 2^k, or x minus what truncation leaves of it */
        uint64_t mask = is_signed ? 0 - mag : mag - 1;
        RaVReg y = is_signed ? biased(L, t, x, u64_ctz(mag)) : x;
        p = t == CLIF_I32 || (int64_t)mask == (int32_t)mask
                ? x64_form_ALU(L, X64_AND, t, y, x64_imm(L, (int32_t)mask))
                : alu(L, X64_AND, t, x64_int_const(L, t, mask), y);
    } else {
        RaVReg q = is_signed ? sdiv(L, t, x, k) : udiv(L, t, x, d);
        p = t == CLIF_I32 || k == (int32_t)k
                ? x64_form_RMI(L, X64_IMUL3, t, x64_reg_rm(L, q), (int32_t)k)
                : x64_form_RMR(L, X64_IMUL, t, x64_int_const(L, t, d), x64_reg_rm(L, q));
    }
    *out = power && !is_signed ? p : alu(L, X64_SUB, t, x, p);
    return true;
}
