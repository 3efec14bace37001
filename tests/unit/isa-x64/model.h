/* model.h — what CLIF instructions mean, written down a second time: evaluates a function on values of at most 64 bits. A value
 * is the bits of its type, zero-extended. Calls are not modelled. */
#ifndef COT_TESTS_MODEL_H
#define COT_TESTS_MODEL_H
#include <math.h>
#include <string.h>
#include "clif/clif.h"

typedef struct Model {
    const ClifFunc *f;
    uint64_t *val;  /* per value */
    uint8_t *slots; /* memory of all stack slots, 64 bytes each */
    ClifTrap trap;
} Model;

static inline uint64_t m_mask(unsigned bits) {
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}
static inline int64_t m_sext(uint64_t x, unsigned bits) {
    return (int64_t)(x << (64 - bits)) >> (64 - bits);
}
static inline float m_f32(uint64_t x) {
    uint32_t u = (uint32_t)x;
    float f;
    return memcpy(&f, &u, 4), f;
}
static inline double m_f64(uint64_t x) {
    double f;
    return memcpy(&f, &x, 8), f;
}
static inline uint64_t m_from(double v, ClifType t) {
    if (t == CLIF_F64) {
        uint64_t u;
        return memcpy(&u, &v, 8), u;
    }
    float f = (float)v;
    uint32_t u;
    return memcpy(&u, &f, 4), u;
}
static inline double m_num(uint64_t x, ClifType t) {
    return t == CLIF_F64 ? m_f64(x) : (double)m_f32(x);
}

static bool m_icmp(ClifIntCC cc, uint64_t a, uint64_t b, unsigned bits) {
    int64_t x = m_sext(a, bits), y = m_sext(b, bits);
    switch (cc) {
    case CLIF_EQ: return a == b;
    case CLIF_NE: return a != b;
    case CLIF_SLT: return x < y;
    case CLIF_SGE: return x >= y;
    case CLIF_SGT: return x > y;
    case CLIF_SLE: return x <= y;
    case CLIF_ULT: return a < b;
    case CLIF_UGE: return a >= b;
    case CLIF_UGT: return a > b;
    case CLIF_ULE: return a <= b;
    }
    return false;
}
static bool m_fcmp(ClifFloatCC cc, double a, double b) {
    bool uno = a != a || b != b;
    switch (cc) {
    case CLIF_FORD: return !uno;
    case CLIF_FUNO: return uno;
    case CLIF_FEQ: return a == b;
    case CLIF_FNE: return a != b;
    case CLIF_FONE: return a < b || a > b;
    case CLIF_FUEQ: return uno || a == b;
    case CLIF_FLT: return a < b;
    case CLIF_FLE: return a <= b;
    case CLIF_FGT: return a > b;
    case CLIF_FGE: return a >= b;
    case CLIF_FULT: return uno || a < b;
    case CLIF_FULE: return uno || a <= b;
    case CLIF_FUGT: return uno || a > b;
    case CLIF_FUGE: return uno || a >= b;
    }
    return false;
}

/* a divided by b: 1 signed, 2 remainder */
static uint64_t m_divide(Model *m, unsigned kind, uint64_t a, uint64_t b, unsigned bits) {
    if (b == 0) return m->trap = CLIF_TRAP_INTEGER_DIVISION_BY_ZERO, 0;
    if (!(kind & 1)) return kind & 2 ? a % b : a / b;
    int64_t x = m_sext(a, bits), y = m_sext(b, bits);
    if (y == -1 && x == m_sext((uint64_t)1 << (bits - 1), bits)) {
        if (!(kind & 2)) m->trap = CLIF_TRAP_INTEGER_OVERFLOW;
        return 0;
    }
    return (uint64_t)(kind & 2 ? x % y : x / y);
}

static uint64_t m_to_int(Model *m, double v, unsigned bits, bool is_signed, bool sat) {
    double lo = is_signed ? -ldexp(1, (int)bits - 1) : 0, hi = ldexp(1, (int)bits - is_signed);
    if (v != v) {
        if (!sat) m->trap = CLIF_TRAP_BAD_CONVERSION_TO_INTEGER;
        return 0;
    }
    v = trunc(v);
    if (v < lo || v >= hi) {
        if (!sat) m->trap = CLIF_TRAP_INTEGER_OVERFLOW;
        uint64_t least = is_signed ? (uint64_t)1 << (bits - 1) : 0;
        return v < lo ? least : is_signed ? least - 1 : m_mask(bits);
    }
    return v < 0 ? (uint64_t)(int64_t)v : (uint64_t)v;
}

static double m_minmax(double a, double b, bool max) {
    if (a != a || b != b) return NAN;
    if (a == b) return (signbit(a) != 0) == max ? b : a;
    return (a < b) == max ? b : a;
}

static uint64_t m_load(uint64_t addr, unsigned bytes) {
    uint64_t x = 0;
    memcpy(&x, (void *)(uintptr_t)addr, bytes);
    return x;
}

/* One instruction without control flow; the result, if it has one. */
static uint64_t m_eval(Model *m, ClifInst i) {
    const ClifFunc *f = m->f;
    const ClifInstData *d = clif_data(f, i);
    uint32_t n, nr, *arg = clif_args(f, i, &n), *res = clif_results(f, i, &nr);
    ClifType rt = nr ? clif_value_type(f, (ClifValue){res[0]}) : CLIF_INVALID,
             at = n ? clif_value_type(f, (ClifValue){arg[0]}) : CLIF_INVALID;
    uint64_t a = n > 0 ? m->val[arg[0]] : 0, b = n > 1 ? m->val[arg[1]] : 0,
             c = n > 2 ? m->val[arg[2]] : 0;
    unsigned bits = clif_type_bits(at), rbits = nr ? clif_type_bits(rt) : 0;
    unsigned sh = (unsigned)(b & (bits - 1));
    switch ((unsigned)d->op) {
    case CLIF_OP_ICONST:
    case CLIF_OP_F32CONST:
    case CLIF_OP_F64CONST: return clif_imm64(d);
    case CLIF_OP_IADD: return a + b;
    case CLIF_OP_ISUB: return a - b;
    case CLIF_OP_IMUL: return a * b;
    case CLIF_OP_INEG: return 0 - a;
    case CLIF_OP_IABS: return m_sext(a, bits) < 0 ? 0 - a : a;
    case CLIF_OP_UMULHI: return (uint64_t)(((unsigned __int128)a * b) >> bits);
    case CLIF_OP_SMULHI: return (uint64_t)(((__int128)m_sext(a, bits) * m_sext(b, bits)) >> bits);
    case CLIF_OP_UDIV: return m_divide(m, 0, a, b, bits);
    case CLIF_OP_SDIV: return m_divide(m, 1, a, b, bits);
    case CLIF_OP_UREM: return m_divide(m, 2, a, b, bits);
    case CLIF_OP_SREM: return m_divide(m, 3, a, b, bits);
    case CLIF_OP_SMIN: return m_sext(a, bits) < m_sext(b, bits) ? a : b;
    case CLIF_OP_SMAX: return m_sext(a, bits) > m_sext(b, bits) ? a : b;
    case CLIF_OP_UMIN: return a < b ? a : b;
    case CLIF_OP_UMAX: return a > b ? a : b;
    case CLIF_OP_BAND: return a & b;
    case CLIF_OP_BOR: return a | b;
    case CLIF_OP_BXOR: return a ^ b;
    case CLIF_OP_BNOT: return ~a;
    case CLIF_OP_ISHL: return a << sh;
    case CLIF_OP_USHR: return a >> sh;
    case CLIF_OP_SSHR: return (uint64_t)(m_sext(a, bits) >> sh);
    case CLIF_OP_ROTL: return sh ? a << sh | a >> (bits - sh) : a;
    case CLIF_OP_ROTR: return sh ? a >> sh | a << (bits - sh) : a;
    case CLIF_OP_CLZ: return a ? (uint64_t)__builtin_clzll(a) - (64 - bits) : bits;
    case CLIF_OP_CTZ: return a ? (uint64_t)__builtin_ctzll(a) : bits;
    case CLIF_OP_POPCNT: return (uint64_t)__builtin_popcountll(a);
    case CLIF_OP_BSWAP: return __builtin_bswap64(a) >> (64 - bits);
    case CLIF_OP_UEXTEND:
    case CLIF_OP_IREDUCE: return a;
    case CLIF_OP_SEXTEND: return (uint64_t)m_sext(a, bits);
    case CLIF_OP_BMASK: return a ? UINT64_MAX : 0;
    case CLIF_OP_ICMP: return m_icmp((ClifIntCC)d->aux, a, b, bits);
    case CLIF_OP_FCMP: return m_fcmp((ClifFloatCC)d->aux, m_num(a, at), m_num(b, at));
    case CLIF_OP_SELECT:
    case CLIF_OP_SELECT_SPECTRE_GUARD: return a ? b : c;
    case CLIF_OP_BITSELECT: return (a & b) | (~a & c);
    case CLIF_OP_STACK_ADDR:
        return (uint64_t)(uintptr_t)m->slots + 64u * d->a + (uint64_t)(int64_t)(int32_t)d->b;
    case CLIF_OP_LOAD: return m_load(a + (uint64_t)(int64_t)(int32_t)d->b, rbits / 8);
    case CLIF_OP_ATOMIC_LOAD: return m_load(a, rbits / 8);
    case CLIF_OP_ULOAD8: return m_load(a + (uint64_t)(int64_t)(int32_t)d->b, 1);
    case CLIF_OP_ULOAD16: return m_load(a + (uint64_t)(int64_t)(int32_t)d->b, 2);
    case CLIF_OP_ULOAD32: return m_load(a + (uint64_t)(int64_t)(int32_t)d->b, 4);
    case CLIF_OP_SLOAD8:
        return (uint64_t)m_sext(m_load(a + (uint64_t)(int64_t)(int32_t)d->b, 1), 8);
    case CLIF_OP_SLOAD16:
        return (uint64_t)m_sext(m_load(a + (uint64_t)(int64_t)(int32_t)d->b, 2), 16);
    case CLIF_OP_SLOAD32:
        return (uint64_t)m_sext(m_load(a + (uint64_t)(int64_t)(int32_t)d->b, 4), 32);
    case CLIF_OP_STORE:
    case CLIF_OP_ISTORE8:
    case CLIF_OP_ISTORE16:
    case CLIF_OP_ISTORE32: {
        unsigned bytes = d->op == CLIF_OP_STORE      ? bits / 8
                         : d->op == CLIF_OP_ISTORE8  ? 1
                         : d->op == CLIF_OP_ISTORE16 ? 2
                                                     : 4;
        memcpy((void *)(uintptr_t)(b + (uint64_t)(int64_t)(int32_t)d->c), &a, bytes);
        return 0;
    }
    case CLIF_OP_ATOMIC_STORE: memcpy((void *)(uintptr_t)b, &a, bits / 8); return 0;
    case CLIF_OP_FENCE:
    case CLIF_OP_NOP:
    case CLIF_OP_SEQUENCE_POINT: return 0;
    case CLIF_OP_TRAP: m->trap = (ClifTrap)d->aux; return 0;
    case CLIF_OP_TRAPZ:
        if (!a) m->trap = (ClifTrap)d->aux;
        return 0;
    case CLIF_OP_TRAPNZ:
        if (a) m->trap = (ClifTrap)d->aux;
        return 0;
    case CLIF_OP_UADD_OVERFLOW_TRAP:
        if (((a + b) & m_mask(bits)) < a) m->trap = (ClifTrap)d->aux;
        return a + b;
    case CLIF_OP_FADD:
        return at == CLIF_F64 ? m_from(m_f64(a) + m_f64(b), at) : m_from(m_f32(a) + m_f32(b), at);
    case CLIF_OP_FSUB:
        return at == CLIF_F64 ? m_from(m_f64(a) - m_f64(b), at) : m_from(m_f32(a) - m_f32(b), at);
    case CLIF_OP_FMUL:
        return at == CLIF_F64 ? m_from(m_f64(a) * m_f64(b), at) : m_from(m_f32(a) * m_f32(b), at);
    case CLIF_OP_FDIV:
        return at == CLIF_F64 ? m_from(m_f64(a) / m_f64(b), at) : m_from(m_f32(a) / m_f32(b), at);
    case CLIF_OP_SQRT:
        return at == CLIF_F64 ? m_from(sqrt(m_f64(a)), at) : m_from(sqrtf(m_f32(a)), at);
    case CLIF_OP_FMIN: return m_from(m_minmax(m_num(a, at), m_num(b, at), false), at);
    case CLIF_OP_FMAX: return m_from(m_minmax(m_num(a, at), m_num(b, at), true), at);
    case CLIF_OP_FNEG: return a ^ (uint64_t)1 << (bits - 1);
    case CLIF_OP_FABS: return a & m_mask(bits - 1);
    case CLIF_OP_FCOPYSIGN: return (a & m_mask(bits - 1)) | (b & (uint64_t)1 << (bits - 1));
    case CLIF_OP_CEIL: return m_from(ceil(m_num(a, at)), at);
    case CLIF_OP_FLOOR: return m_from(floor(m_num(a, at)), at);
    case CLIF_OP_TRUNC: return m_from(trunc(m_num(a, at)), at);
    case CLIF_OP_NEAREST: return m_from(nearbyint(m_num(a, at)), at);
    case CLIF_OP_FPROMOTE: return m_from((double)m_f32(a), CLIF_F64);
    case CLIF_OP_FDEMOTE: return m_from(m_f64(a), CLIF_F32);
    case CLIF_OP_FCVT_TO_SINT: return m_to_int(m, m_num(a, at), rbits, true, false);
    case CLIF_OP_FCVT_TO_UINT: return m_to_int(m, m_num(a, at), rbits, false, false);
    case CLIF_OP_FCVT_TO_SINT_SAT: return m_to_int(m, m_num(a, at), rbits, true, true);
    case CLIF_OP_FCVT_TO_UINT_SAT: return m_to_int(m, m_num(a, at), rbits, false, true);
    case CLIF_OP_FCVT_FROM_SINT: {
        int64_t v = m_sext(a, bits);
        float g = (float)v;
        uint32_t u;
        memcpy(&u, &g, 4);
        return rt == CLIF_F64 ? m_from((double)v, rt) : u;
    }
    case CLIF_OP_FCVT_FROM_UINT: {
        float g = (float)a;
        uint32_t u;
        memcpy(&u, &g, 4);
        return rt == CLIF_F64 ? m_from((double)a, rt) : u;
    }
    case CLIF_OP_BITCAST: return a;
    default: COT_BUG("model: %s is missing", clif_op_info[d->op].name);
    }
    return 0;
}

/* Runs the function; m->val holds its parameters. The first returned value. */
static uint64_t m_run(Model *m) {
    const ClifFunc *f = m->f;
    uint32_t blk = f->first_block;
    m->trap = CLIF_TRAP_NONE;
    for (;;) {
        uint32_t i = f->blocks.p[blk].first;
        for (; i != f->blocks.p[blk].last; i = f->links.p[i].next) {
            uint64_t r = m_eval(m, (ClifInst){i});
            if (m->trap) return 0;
            uint32_t n, *res = clif_results(f, (ClifInst){i}, &n);
            if (n)
                m->val[res[0]] =
                    r & m_mask(clif_type_bits(clif_value_type(f, (ClifValue){res[0]})));
        }
        const ClifInstData *d = clif_data(f, (ClifInst){i});
        uint32_t n, *arg = clif_args(f, (ClifInst){i}, &n);
        if (d->op == CLIF_OP_RETURN) return n ? m->val[arg[0]] : 0;
        if (d->op == CLIF_OP_TRAP) return m->trap = (ClifTrap)d->aux, 0;
        ListRef tmp[2];
        const ListRef *calls;
        uint32_t k = clif_branch_calls(f, (ClifInst){i}, &calls, tmp), take = 0;
        if (d->op == CLIF_OP_BRIF) take = m->val[d->a] ? 0 : 1;
        if (d->op == CLIF_OP_BR_TABLE) take = m->val[d->a] < k - 1 ? (uint32_t)m->val[d->a] + 1 : 0;
        uint32_t np, *args = clif_call_args(f, calls[take], &np), nq;
        blk = clif_call_block(f, calls[take]).i;
        uint32_t *params = clif_block_params(f, (ClifBlock){blk}, &nq);
        uint64_t v[16];
        for (uint32_t j = 0; j < np; j++) v[j] = m->val[args[j]];
        for (uint32_t j = 0; j < np; j++) m->val[params[j]] = v[j];
    }
}
#endif
