/* sem/int.c — operators on one integer lane of 8 to 128 bits. */
#include "sem/sem_int.h"

/* ---- one operand ---- */
static unsigned leading_zeros(SemU128 x, unsigned bits) {
    uint64_t hi = (uint64_t)(x >> 64), lo = (uint64_t)x;
    unsigned n = hi ? (unsigned)__builtin_clzll(hi) : lo ? 64 + (unsigned)__builtin_clzll(lo) : 128;
    return n - (128 - bits);
}
static unsigned trailing_zeros(SemU128 x, unsigned bits) {
    uint64_t hi = (uint64_t)(x >> 64), lo = (uint64_t)x;
    return lo ? (unsigned)__builtin_ctzll(lo) : hi ? 64 + (unsigned)__builtin_ctzll(hi) : bits;
}
static SemU128 reversed(SemU128 x, unsigned bits, unsigned unit) { /* units of 1 or 8 bits */
    SemU128 r = 0, m = sem_mask(unit);
    for (unsigned k = 0; k < bits; k += unit) r |= (x >> k & m) << (bits - unit - k);
    return r;
}

bool sem_int_unary(ClifOp op, SemU128 x, unsigned bits, SemU128 *r) {
    bool neg = x >> (bits - 1) & 1;
    switch (op) {
    case CLIF_OP_INEG: *r = 0 - x; break;
    case CLIF_OP_IABS: *r = neg ? 0 - x : x; break;
    case CLIF_OP_BNOT: *r = ~x; break;
    case CLIF_OP_BITREV: *r = reversed(x, bits, 1); break;
    case CLIF_OP_BSWAP: *r = reversed(x, bits, 8); break;
    case CLIF_OP_CLZ: *r = leading_zeros(x, bits); break;
    case CLIF_OP_CLS: *r = leading_zeros((neg ? ~x : x) & sem_mask(bits), bits) - 1; break;
    case CLIF_OP_CTZ: *r = trailing_zeros(x, bits); break;
    case CLIF_OP_POPCNT:
        *r = (unsigned)(__builtin_popcountll((uint64_t)x) +
                        __builtin_popcountll((uint64_t)(x >> 64)));
        break;
    default: return false;
    }
    *r &= sem_mask(bits);
    return true;
}

/* ---- two operands ---- */
/* The high 128 bits of an unsigned product of 128 bits each. */
static SemU128 mul_high(SemU128 x, SemU128 y) {
    SemU128 xl = (uint64_t)x, xh = x >> 64, yl = (uint64_t)y, yh = y >> 64;
    SemU128 mid = xh * yl + (xl * yl >> 64), mid2 = xl * yh + (uint64_t)mid;
    return xh * yh + (mid >> 64) + (mid2 >> 64);
}

static SemU128 high_half(SemU128 x, SemU128 y, unsigned bits, bool is_signed) {
    if (bits <= 64)
        return is_signed ? (SemU128)(sem_sext(x, bits) * sem_sext(y, bits) >> bits) : x * y >> bits;
    SemU128 r = mul_high(x, y);
    if (is_signed && x >> 127) r -= y;
    if (is_signed && y >> 127) r -= x;
    return r;
}

static SemU128 saturated(SemI128 x, unsigned bits, bool is_signed) { /* lanes of at most 64 bits */
    SemI128 max = (SemI128)sem_mask(is_signed ? bits - 1 : bits), min = is_signed ? -max - 1 : 0;
    return (SemU128)(x < min ? min : x > max ? max : x);
}

static bool divide(ClifOp op, SemU128 x, SemU128 y, unsigned bits, SemU128 *r, ClifTrap *trap) {
    SemI128 sx = sem_sext(x, bits), sy = sem_sext(y, bits);
    bool least = x == (SemU128)1 << (bits - 1) && sy == -1;
    if (y == 0) {
        *trap = CLIF_TRAP_INTEGER_DIVISION_BY_ZERO;
        return true;
    }
    switch (op) {
    case CLIF_OP_UDIV: *r = x / y; break;
    case CLIF_OP_UREM: *r = x % y; break;
    case CLIF_OP_SDIV:
        if (least)
            *trap = CLIF_TRAP_INTEGER_OVERFLOW;
        else
            *r = (SemU128)(sx / sy);
        break;
    case CLIF_OP_SREM: *r = least ? 0 : (SemU128)(sx % sy); break;
    default: return false;
    }
    return true;
}

/* (x * y + 2^(Q-1)) >> Q with Q = bits - 1. */
static SemI128 rounded_product(SemI128 x, SemI128 y, unsigned bits) {
    return (x * y + ((SemI128)1 << (bits - 2))) >> (bits - 1);
}

bool sem_int_binary(ClifOp op, SemU128 x, SemU128 y, unsigned bits, SemU128 *r, ClifTrap *trap) {
    SemI128 sx = sem_sext(x, bits), sy = sem_sext(y, bits);
    unsigned k = (unsigned)(y & (bits - 1));
    *r = 0;
    switch (op) {
    case CLIF_OP_IADD: *r = x + y; break;
    case CLIF_OP_ISUB: *r = x - y; break;
    case CLIF_OP_IMUL: *r = x * y; break;
    case CLIF_OP_UMULHI: *r = high_half(x, y, bits, false); break;
    case CLIF_OP_SMULHI: *r = high_half(x, y, bits, true); break;
    case CLIF_OP_SMIN: *r = sx < sy ? x : y; break;
    case CLIF_OP_SMAX: *r = sx > sy ? x : y; break;
    case CLIF_OP_UMIN: *r = x < y ? x : y; break;
    case CLIF_OP_UMAX: *r = x > y ? x : y; break;
    case CLIF_OP_AVG_ROUND: *r = (x | y) - ((x ^ y) >> 1); break;
    case CLIF_OP_UADD_SAT: *r = saturated((SemI128)(x + y), bits, false); break;
    case CLIF_OP_SADD_SAT: *r = saturated(sx + sy, bits, true); break;
    case CLIF_OP_USUB_SAT: *r = x < y ? 0 : x - y; break;
    case CLIF_OP_SSUB_SAT: *r = saturated(sx - sy, bits, true); break;
    case CLIF_OP_SQMUL_ROUND_SAT: *r = saturated(rounded_product(sx, sy, bits), bits, true); break;
    case CLIF_OP_X86_PMULHRSW: *r = (SemU128)rounded_product(sx, sy, bits); break;
    case CLIF_OP_BAND: *r = x & y; break;
    case CLIF_OP_BOR: *r = x | y; break;
    case CLIF_OP_BXOR: *r = x ^ y; break;
    case CLIF_OP_ISHL: *r = x << k; break;
    case CLIF_OP_USHR: *r = x >> k; break;
    case CLIF_OP_SSHR: *r = (SemU128)(sx >> k); break;
    case CLIF_OP_ROTL: *r = k ? x << k | x >> (bits - k) : x; break;
    case CLIF_OP_ROTR: *r = k ? x >> k | x << (bits - k) : x; break;
    case CLIF_OP_UDIV:
    case CLIF_OP_SDIV:
    case CLIF_OP_UREM:
    case CLIF_OP_SREM:
        if (!divide(op, x, y, bits, r, trap)) return false;
        break;
    default: return false;
    }
    *r &= sem_mask(bits);
    return true;
}

/* ---- overflow ---- */
bool sem_int_overflow(ClifOp op, SemU128 x, SemU128 y, bool carry, unsigned bits, SemU128 *r,
                      bool *over) {
    SemU128 m = sem_mask(bits), top = (SemU128)1 << (bits - 1);
    switch (op) {
    case CLIF_OP_UADD_OVERFLOW:
    case CLIF_OP_UADD_OVERFLOW_CIN:
    case CLIF_OP_UADD_OVERFLOW_TRAP:
        *r = (x + y + carry) & m;
        *over = *r < x || (carry && *r == x);
        return true;
    case CLIF_OP_SADD_OVERFLOW:
    case CLIF_OP_SADD_OVERFLOW_CIN:
        *r = (x + y + carry) & m;
        *over = ((x ^ *r) & (y ^ *r) & top) != 0;
        return true;
    case CLIF_OP_USUB_OVERFLOW:
    case CLIF_OP_USUB_OVERFLOW_BIN:
        *r = (x - y - carry) & m;
        *over = x < y || (carry && x == y);
        return true;
    case CLIF_OP_SSUB_OVERFLOW:
    case CLIF_OP_SSUB_OVERFLOW_BIN:
        *r = (x - y - carry) & m;
        *over = ((x ^ y) & (x ^ *r) & top) != 0;
        return true;
    case CLIF_OP_UMUL_OVERFLOW:
        *r = x * y & m;
        *over = high_half(x, y, bits, false) != 0;
        return true;
    case CLIF_OP_SMUL_OVERFLOW:
        *r = x * y & m;
        *over = (high_half(x, y, bits, true) & m) != (*r & top ? m : 0);
        return true;
    default: return false;
    }
}

bool sem_icmp(ClifIntCC cc, SemU128 x, SemU128 y, unsigned bits) {
    SemI128 sx = sem_sext(x, bits), sy = sem_sext(y, bits);
    switch (cc) {
    case CLIF_EQ: return x == y;
    case CLIF_NE: return x != y;
    case CLIF_SLT: return sx < sy;
    case CLIF_SGE: return sx >= sy;
    case CLIF_SGT: return sx > sy;
    case CLIF_SLE: return sx <= sy;
    case CLIF_ULT: return x < y;
    case CLIF_UGE: return x >= y;
    case CLIF_UGT: return x > y;
    case CLIF_ULE: return x <= y;
    }
    return false;
}
