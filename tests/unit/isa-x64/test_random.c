/* Random functions of every operator that the rules cover, run natively and by the model (model.h), with different
 * processor features and with stress in the allocator; results, memory and traps must agree. In checked builds a rule that
 * never fired is an error, on a processor that has all features. */
#include "exec.h"
#include "vectors.h"
#include "model.h"
#include "operators.h"

/* The buffer: [0, 256) integers, [256, 384) results, [384, 448) f64 results, [448, 512) f32 results. */
#define BUF 512

static uint64_t seed;
static uint32_t pick(uint32_t n) {
    return (uint32_t)(rnd(&seed) >> 33) % n;
}

typedef struct Gen {
    Exec *x;
    ClifBuilder *b;
    ClifValue mem;
    ClifValue pool[CLIF_F64 + 1][4096];
    uint32_t n[CLIF_F64 + 1];
    uint16_t mf, mf_trap, mf_bits;
    uint32_t slot;
} Gen;
static const ClifType ints[] = {CLIF_I8, CLIF_I16, CLIF_I32, CLIF_I64, CLIF_I32, CLIF_I64};
static const ClifType wide[] = {CLIF_I32, CLIF_I64};
static const ClifType floats[] = {CLIF_F32, CLIF_F64};

static void add(Gen *g, ClifValue v) {
    ClifType t = clif_value_type(&g->x->f, v);
    if (g->n[t] < 4096) g->pool[t][g->n[t]++] = v;
}
static int64_t number(void) {
    static const int64_t k[] = {
        0,       1,         -1,        2,          3,         5,         7,          8,
        9,       10,        12,        24,         31,        32,        33,         63,
        64,      100,       127,       128,        255,       256,       641,        1000,
        -2,      -3,        -7,        -8,         -128,      0x7FFF,    0x8000,     0xFFFF,
        0x10000, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, 1000000007, 0x100000000};
    return pick(8) ? k[pick(sizeof k / sizeof *k)] : (int64_t)(rnd(&seed) >> pick(64));
}
static ClifValue constant(Gen *g, ClifType t) {
    static const double fk[] = {0.0,
                                -0.0,
                                1,
                                -1,
                                0.5,
                                1.5,
                                2.5,
                                -2.5,
                                3e9,
                                -3e9,
                                1e19,
                                -1e19,
                                1e300,
                                INFINITY,
                                -INFINITY,
                                NAN,
                                2147483647.0,
                                2147483648.0,
                                -2147483648.0,
                                -2147483649.0,
                                4294967295.0,
                                4294967296.0,
                                9223372036854775808.0,
                                18446744073709551616.0,
                                -9223372036854775808.0};
    if (t == CLIF_F32) return cb_f32const(g->b, (uint32_t)m_from(fk[pick(25)], t));
    if (t == CLIF_F64) return cb_f64const(g->b, m_from(fk[pick(25)], t));
    return cb_iconst(g->b, t, number());
}
static ClifValue any(Gen *g, ClifType t) {
    uint32_t n = g->n[t];
    if (n == 0 || pick(6) == 0) {
        ClifValue v = constant(g, t);
        add(g, v);
        return v;
    }
    uint32_t back = pick(3) ? pick(n < 4 ? n : 4) : pick(n);
    return g->pool[t][n - 1 - back];
}
static ClifValue any_int(Gen *g) {
    return any(g, ints[pick(6)]);
}
static ClifValue ins(Gen *g, ClifOp op, ClifType t, ClifType result, uint16_t aux, ClifValue a,
                     ClifValue b) {
    return cb_ins1(
        g->b, (ClifInstData){.op = (uint8_t)op, .type = t, .aux = aux, .a = a.i, .b = b.i}, result);
}
static ClifValue bin(Gen *g, ClifOp op, ClifValue a, ClifValue b) {
    return cb_binary(g->b, op, a, b);
}
static ClifValue kint(Gen *g, ClifType t, int64_t k) {
    return cb_iconst(g->b, t, k);
}

/* An address of an access of up to 8 bytes in the integer part, or in a stack slot; the offset goes to *off. */
static ClifValue address(Gen *g, int32_t *off) {
    *off = (int32_t)pick(64);
    switch (pick(6)) {
    case 0: return g->mem;
    case 1: *off -= 64; return bin(g, CLIF_OP_IADD, g->mem, kint(g, CLIF_I64, 64 + pick(100)));
    case 2:
        *off = (int32_t)pick(40);
        return ins(g, CLIF_OP_STACK_ADDR, CLIF_I64, CLIF_I64, 0, (ClifValue){g->slot},
                   (ClifValue){pick(16)});
    case 3: {
        ClifValue i = bin(g, CLIF_OP_BAND, any(g, CLIF_I32), kint(g, CLIF_I32, 63));
        return bin(g, CLIF_OP_IADD, g->mem, cb_unary(g->b, CLIF_OP_UEXTEND, CLIF_I64, i));
    }
    case 4: {
        uint32_t s = pick(4);
        ClifValue i = bin(g, CLIF_OP_BAND, any(g, CLIF_I64), kint(g, CLIF_I64, 15));
        i = bin(g, CLIF_OP_ISHL, i, kint(g, CLIF_I32, s));
        return pick(2) ? bin(g, CLIF_OP_IADD, g->mem, i) : bin(g, CLIF_OP_IADD, i, g->mem);
    }
    default: return bin(g, CLIF_OP_IADD, kint(g, CLIF_I64, pick(100)), g->mem);
    }
}
static uint16_t flags(Gen *g) {
    return pick(2) ? g->mf : g->mf_trap;
}
static void load(Gen *g) {
    static const struct {
        ClifOp op;
        ClifType t;
    } k[] = {{CLIF_OP_LOAD, CLIF_I8},     {CLIF_OP_LOAD, CLIF_I16},    {CLIF_OP_LOAD, CLIF_I32},
             {CLIF_OP_LOAD, CLIF_I64},    {CLIF_OP_LOAD, CLIF_F32},    {CLIF_OP_LOAD, CLIF_F64},
             {CLIF_OP_ULOAD8, CLIF_I32},  {CLIF_OP_ULOAD8, CLIF_I64},  {CLIF_OP_SLOAD8, CLIF_I32},
             {CLIF_OP_SLOAD8, CLIF_I64},  {CLIF_OP_ULOAD16, CLIF_I32}, {CLIF_OP_SLOAD16, CLIF_I64},
             {CLIF_OP_SLOAD16, CLIF_I32}, {CLIF_OP_ULOAD32, CLIF_I64}, {CLIF_OP_SLOAD32, CLIF_I64},
             {CLIF_OP_LOAD, CLIF_I32},    {CLIF_OP_LOAD, CLIF_I64},    {CLIF_OP_ULOAD8, CLIF_I32}};
    uint32_t i = pick(18);
    int32_t off;
    ClifValue a = address(g, &off), v = cb_load(g->b, k[i].op, k[i].t, flags(g), a, off);
    if (k[i].t >= CLIF_F32 && pick(3) == 0) { /* bits of a float that no arithmetic has touched */
        add(g, ins(g, CLIF_OP_BITCAST, k[i].t == CLIF_F32 ? CLIF_I32 : CLIF_I64,
                   k[i].t == CLIF_F32 ? CLIF_I32 : CLIF_I64, g->mf_bits, v, (ClifValue){0}));
        return;
    }
    add(g, v);
    if (k[i].op == CLIF_OP_ULOAD8 || k[i].op == CLIF_OP_ULOAD16 || k[i].op == CLIF_OP_LOAD) {
        if (k[i].t < CLIF_I32 || k[i].t > CLIF_I64 || pick(2)) return;
        ClifValue c = kint(g, k[i].t, number()); /* a comparison that may take the load in */
        ClifValue w = pick(3) ? v : bin(g, CLIF_OP_BAND, v, c);
        add(g, cb_icmp(g->b, (ClifIntCC)pick(10), w, pick(3) ? c : kint(g, k[i].t, 0)));
    }
}
static void store(Gen *g) {
    int32_t off;
    ClifValue a = address(g, &off);
    ClifType t = wide[pick(2)];
    switch (pick(6)) {
    case 0: cb_store(g->b, CLIF_OP_ISTORE8, flags(g), any(g, t), a, off); break;
    case 1: cb_store(g->b, CLIF_OP_ISTORE16, flags(g), any(g, t), a, off); break;
    case 2: cb_store(g->b, CLIF_OP_ISTORE32, flags(g), any(g, CLIF_I64), a, off); break;
    case 3: cb_store(g->b, CLIF_OP_STORE, flags(g), any_int(g), a, off); break;
    case 4: { /* read, change, write */
        static const ClifOp ops[] = {CLIF_OP_IADD, CLIF_OP_ISUB, CLIF_OP_BAND, CLIF_OP_BOR,
                                     CLIF_OP_BXOR};
        uint16_t fl = flags(g);
        uint32_t w = pick(4);
        ClifOp st = w == 0   ? CLIF_OP_ISTORE8
                    : w == 1 ? CLIF_OP_ISTORE16
                             : CLIF_OP_STORE,
               ld = w == 0   ? CLIF_OP_ULOAD8
                    : w == 1 ? CLIF_OP_SLOAD16
                             : CLIF_OP_LOAD;
        ClifValue y = any(g, t), v = cb_load(g->b, ld, t, fl, a, off);
        if (pick(4) == 0) add(g, v);
        ClifOp op = ops[pick(5)];
        v = pick(2) ? bin(g, op, v, y) : bin(g, op, y, v);
        if (pick(4) == 0) add(g, v);
        cb_store(g->b, st, fl, v, a, off);
        break;
    }
    default: {
        ClifValue p = bin(g, CLIF_OP_IADD, g->mem, kint(g, CLIF_I64, 8 * pick(16)));
        ClifValue v = any_int(g);
        if (pick(2))
            cb_ins(g->b,
                   (ClifInstData){.op = CLIF_OP_ATOMIC_STORE, .aux = g->mf, .a = v.i, .b = p.i});
        else
            t = ints[pick(6)], add(g, ins(g, CLIF_OP_ATOMIC_LOAD, t, t, g->mf, p, (ClifValue){0}));
        if (pick(4) == 0) cb_ins(g->b, (ClifInstData){.op = CLIF_OP_FENCE});
    }
    }
}
static void int_binary(Gen *g) {
    static const ClifOp all[] = {CLIF_OP_IADD, CLIF_OP_ISUB, CLIF_OP_IMUL, CLIF_OP_BAND,
                                 CLIF_OP_BOR,  CLIF_OP_BXOR, CLIF_OP_IADD, CLIF_OP_ISUB},
                        w[] = {CLIF_OP_UMULHI, CLIF_OP_SMULHI, CLIF_OP_SMIN,
                               CLIF_OP_SMAX,   CLIF_OP_UMIN,   CLIF_OP_UMAX},
                        s[] = {CLIF_OP_ISHL, CLIF_OP_USHR, CLIF_OP_SSHR, CLIF_OP_ROTL,
                               CLIF_OP_ROTR};
    ClifType t = ints[pick(6)];
    switch (pick(6)) {
    case 0:
        t = wide[pick(2)];
        add(g, bin(g, w[pick(6)], any(g, t), any(g, t)));
        break;
    case 1:
        add(g,
            bin(g, s[pick(5)], any(g, t), pick(2) ? kint(g, ints[pick(6)], pick(70)) : any_int(g)));
        break;
    default: add(g, bin(g, all[pick(8)], any(g, t), pick(3) ? any(g, t) : kint(g, t, number())));
    }
}
static void divide(Gen *g) {
    static const ClifOp ops[] = {CLIF_OP_UDIV, CLIF_OP_SDIV, CLIF_OP_UREM, CLIF_OP_SREM};
    ClifType t = ints[pick(6)];
    ClifValue d = pick(4) ? kint(g, t, number()) : any(g, t);
    if (pick(8)) d = bin(g, CLIF_OP_BOR, any(g, t), kint(g, t, 1)); /* rarely a trap */
    if (pick(2)) {
        int64_t k = number();
        uint64_t m = (uint64_t)k & m_mask(clif_type_bits(t));
        d = kint(g, t, m ? k : 10);
    }
    add(g, bin(g, ops[pick(4)], any(g, t), d));
}
static void int_unary(Gen *g) {
    static const ClifOp all[] = {CLIF_OP_INEG, CLIF_OP_BNOT, CLIF_OP_CLZ, CLIF_OP_CTZ,
                                 CLIF_OP_POPCNT};
    ClifType t = ints[pick(6)];
    switch (pick(4)) {
    case 0:
        t = ints[1 + pick(5)];
        add(g, cb_unary(g->b, CLIF_OP_BSWAP, CLIF_INVALID, any(g, t)));
        break;
    case 1: add(g, cb_unary(g->b, CLIF_OP_IABS, CLIF_INVALID, any(g, wide[pick(2)]))); break;
    default: add(g, cb_unary(g->b, all[pick(5)], CLIF_INVALID, any(g, t)));
    }
}
static void widths(Gen *g) {
    ClifType from = ints[pick(6)], to = ints[pick(6)];
    ClifOp op = clif_type_bits(from) < clif_type_bits(to)
                    ? pick(2) ? CLIF_OP_UEXTEND : CLIF_OP_SEXTEND
                    : CLIF_OP_IREDUCE;
    if (from == to) {
        add(g, cb_unary(g->b, CLIF_OP_BMASK, wide[pick(2)], any(g, from)));
        return;
    }
    ClifValue v = any(g, from);
    if (from == CLIF_I64 && pick(2)) v = bin(g, CLIF_OP_USHR, v, kint(g, CLIF_I32, 20 + pick(50)));
    add(g, cb_unary(g->b, op, to, v));
}
static ClifValue truth(Gen *g) { /* something to branch on */
    ClifType t = ints[pick(6)];
    switch (pick(8)) {
    case 0: return any_int(g);
    case 1: {
        ClifType ft = floats[pick(2)];
        return cb_fcmp(g->b, (ClifFloatCC)pick(14), any(g, ft), any(g, ft));
    }
    case 2: return cb_icmp(g->b, (ClifIntCC)pick(10), any(g, t), kint(g, t, number()));
    case 3:
        t = wide[pick(2)];
        return bin(g, CLIF_OP_BAND, any(g, t), pick(2) ? any(g, t) : kint(g, t, number()));
    case 4: { /* a bit */
        t = wide[pick(2)];
        ClifValue v =
            bin(g, CLIF_OP_USHR, any(g, t), pick(2) ? any_int(g) : kint(g, CLIF_I32, pick(64)));
        v = bin(g, CLIF_OP_BAND, v, kint(g, t, pick(2) ? 1 : number()));
        return pick(2) ? v : cb_icmp(g->b, pick(2) ? CLIF_EQ : CLIF_NE, v, kint(g, t, 0));
    }
    case 5: {
        ClifType ft = floats[pick(2)];
        ClifValue c = pick(2) ? cb_fcmp(g->b, (ClifFloatCC)pick(14), any(g, ft), any(g, ft))
                              : cb_icmp(g->b, (ClifIntCC)pick(10), any(g, t), any(g, t));
        return cb_unary(g->b, CLIF_OP_UEXTEND, ints[1 + pick(5)], c);
    }
    case 6: {
        t = wide[pick(2)];
        ClifValue v = bin(g, CLIF_OP_BAND, any(g, t), any(g, t));
        return cb_icmp(g->b, pick(2) ? CLIF_EQ : CLIF_NE, v, kint(g, t, 0));
    }
    default: return cb_icmp(g->b, (ClifIntCC)pick(10), any(g, t), any(g, t));
    }
}
static void choice(Gen *g) {
    ClifType t = pick(3) ? ints[pick(6)] : floats[pick(2)];
    switch (pick(4)) {
    case 0:
        t = ints[pick(6)];
        add(g, cb_ternary(g->b, CLIF_OP_BITSELECT, any(g, t), any(g, t), any(g, t)));
        break;
    case 1:
        t = ints[pick(6)];
        add(g, cb_ternary(g->b, CLIF_OP_SELECT_SPECTRE_GUARD, truth(g), any(g, t), any(g, t)));
        break;
    case 2: add(g, truth(g)); break;
    default: add(g, cb_ternary(g->b, CLIF_OP_SELECT, truth(g), any(g, t), any(g, t)));
    }
}
static void idiom(Gen *g) {
    ClifType t = wide[pick(2)];
    ClifValue x = any(g, t), y = any(g, t);
    switch (pick(8)) {
    case 0: add(g, bin(g, CLIF_OP_BAND, x, cb_unary(g->b, CLIF_OP_BNOT, CLIF_INVALID, y))); break;
    case 1: add(g, bin(g, CLIF_OP_BAND, x, bin(g, CLIF_OP_IADD, x, kint(g, t, -1)))); break;
    case 2: add(g, bin(g, CLIF_OP_BXOR, x, bin(g, CLIF_OP_IADD, x, kint(g, t, -1)))); break;
    case 3: add(g, bin(g, CLIF_OP_BAND, x, cb_unary(g->b, CLIF_OP_INEG, CLIF_INVALID, x))); break;
    case 4: {
        ClifValue k = kint(g, t, 8 * (1 + pick(7)));
        add(g, bin(g, CLIF_OP_SSHR, bin(g, CLIF_OP_ISHL, x, k), k));
        break;
    }
    case 5: add(g, bin(g, CLIF_OP_IADD, x, bin(g, CLIF_OP_ISHL, y, kint(g, t, pick(5))))); break;
    case 6: {
        static const int64_t m[] = {0xFF, 0xFFFF, 0xFFFFFFFF};
        add(g, bin(g, CLIF_OP_BAND, x, kint(g, t, m[pick(3)])));
        break;
    }
    default: add(g, bin(g, CLIF_OP_ISUB, x, kint(g, t, number())));
    }
}
static void floating(Gen *g) {
    static const ClifOp two[] = {CLIF_OP_FADD, CLIF_OP_FSUB, CLIF_OP_FMUL,
                                 CLIF_OP_FDIV, CLIF_OP_FMIN, CLIF_OP_FMAX},
                        one[] = {CLIF_OP_SQRT,  CLIF_OP_FNEG,  CLIF_OP_FABS,   CLIF_OP_CEIL,
                                 CLIF_OP_FLOOR, CLIF_OP_TRUNC, CLIF_OP_NEAREST},
                        cvt[] = {CLIF_OP_FCVT_TO_SINT_SAT, CLIF_OP_FCVT_TO_UINT_SAT,
                                 CLIF_OP_FCVT_TO_SINT, CLIF_OP_FCVT_TO_UINT};
    ClifType t = floats[pick(2)];
    switch (pick(6)) {
    case 0:
    case 1:
        if (pick(7))
            add(g, bin(g, two[pick(6)], any(g, t), any(g, t)));
        else /* the sign of a NaN that arithmetic made is not defined: take one from memory */
            add(g, bin(g, CLIF_OP_FCOPYSIGN, any(g, t),
                       cb_load(g->b, CLIF_OP_LOAD, t, flags(g), g->mem, (int32_t)pick(200))));
        break;
    case 2: add(g, cb_unary(g->b, one[pick(7)], CLIF_INVALID, any(g, t))); break;
    case 3:
        add(g, cb_unary(g->b, cvt[pick(8) ? pick(2) : 2 + pick(2)], wide[pick(2)], any(g, t)));
        break;
    case 4:
        add(g, cb_unary(g->b, pick(2) ? CLIF_OP_FCVT_FROM_SINT : CLIF_OP_FCVT_FROM_UINT, t,
                        any_int(g)));
        break;
    default:
        if (pick(2)) {
            ClifType i = t == CLIF_F32 ? CLIF_I32 : CLIF_I64;
            add(g, ins(g, CLIF_OP_BITCAST, t, t, g->mf_bits, any(g, i), (ClifValue){0}));
        } else
            add(g, t == CLIF_F64 ? cb_unary(g->b, CLIF_OP_FPROMOTE, CLIF_F64, any(g, CLIF_F32))
                                 : cb_unary(g->b, CLIF_OP_FDEMOTE, CLIF_F32, any(g, CLIF_F64)));
    }
}
static void traps(Gen *g) {
    ClifType t = wide[pick(2)];
    uint8_t code = (uint8_t)(1 + pick(20));
    ClifValue c = truth(g);
    if (pick(10)) { /* mostly harmless */
        c = cb_icmp(g->b, CLIF_NE, any(g, t), kint(g, t, 123456789));
        cb_trapz(g->b, c, code);
    } else if (pick(2))
        cb_trapz(g->b, c, code);
    else
        cb_trapnz(g->b, c, code);
    if (pick(10) == 0) add(g, ins(g, CLIF_OP_UADD_OVERFLOW_TRAP, t, t, code, any(g, t), any(g, t)));
    if (pick(4) == 0)
        cb_ins(g->b, (ClifInstData){.op = pick(2) ? CLIF_OP_NOP : CLIF_OP_SEQUENCE_POINT});
}
static void some(Gen *g, uint32_t n) {
    while (n--) switch (pick(16)) {
        case 0:
        case 1:
        case 2: int_binary(g); break;
        case 3: int_unary(g); break;
        case 4: divide(g); break;
        case 5: widths(g); break;
        case 6:
        case 7: choice(g); break;
        case 8:
        case 9: idiom(g); break;
        case 10:
        case 11: load(g); break;
        case 12: store(g); break;
        case 13: traps(g); break;
        default: floating(g); break;
        }
}

/* A branch or table whose arms meet again in a block with two parameters. */
static void split(Gen *g) {
    ClifBuilder *b = g->b;
    uint32_t saved[CLIF_F64 + 1], arms = pick(2) ? 2 : 2 + pick(9);
    ClifType t = ints[pick(6)], ft = floats[pick(2)];
    ClifBlock join = cb_create_block(b), arm[12];
    ClifValue p = cb_block_param(b, join, t), q = cb_block_param(b, join, ft);
    for (uint32_t k = 0; k < arms; k++) arm[k] = cb_create_block(b);
    if (arms == 2) {
        cb_brif(b, truth(g), arm[0], NULL, 0, arm[1], NULL, 0);
    } else {
        ListRef calls[12];
        ClifValue idx =
            bin(g, CLIF_OP_BAND, any(g, CLIF_I32), kint(g, CLIF_I32, pick(4) ? 15 : -1));
        for (uint32_t k = 0; k < arms; k++)
            calls[k] = clif_make_blockcall(&g->x->f, arm[k], NULL, 0);
        cb_br_table(b, idx, clif_make_jump_table(&g->x->f, calls, arms));
    }
    memcpy(saved, g->n, sizeof saved);
    for (uint32_t k = 0; k < arms; k++) {
        cb_seal(b, arm[k]);
        cb_switch_to(b, arm[k]);
        some(g, pick(6));
        ClifValue out[2] = {any(g, t), any(g, ft)};
        cb_jump(b, join, out, 2);
        memcpy(g->n, saved, sizeof saved);
    }
    cb_seal(b, join);
    cb_switch_to(b, join);
    add(g, p);
    add(g, q);
}

static void generate(Gen *g) {
    Exec *x = g->x;
    ClifBuilder *b = g->b = &x->b;
    static const ClifAbiParam ps[] = {{.type = CLIF_I64},
                                      {.type = CLIF_I64},
                                      {.type = CLIF_I32},
                                      {.type = CLIF_F64},
                                      {.type = CLIF_F32}},
                              r = {.type = CLIF_I64};
    exec_begin(x, CLIF_CC_SYSTEM_V, ps, 5, &r, 1);
    memset(g->n, 0, sizeof g->n);
    g->mf = clif_intern_memflags(&x->f, (ClifMemFlags){.region = CLIF_NONE});
    g->mf_trap = clif_intern_memflags(
        &x->f, (ClifMemFlags){.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = CLIF_NONE});
    g->mf_bits = g->mf_trap;
    g->slot = clif_make_stack_slot(&x->f, 64, 4).i;
    g->mem = (ClifValue){0};
    for (uint32_t k = 1; k < 5; k++) add(g, (ClifValue){k});
    ClifValue zero = kint(g, CLIF_I64, 0); /* the model's slots and ours begin alike */
    for (int32_t k = 0; k < 64; k += 8) {
        ClifValue s = ins(g, CLIF_OP_STACK_ADDR, CLIF_I64, CLIF_I64, 0, (ClifValue){g->slot},
                          (ClifValue){(uint32_t)k});
        cb_store(b, CLIF_OP_STORE, g->mf, zero, s, 0);
    }
    for (uint32_t k = pick(5);; k--) {
        some(g, 1 + pick(12));
        if (k == 0) break;
        split(g);
    }
    for (int32_t k = 0; k < 16; k++)
        cb_store(b, CLIF_OP_STORE, g->mf, any_int(g), g->mem, 256 + 8 * k);
    for (int32_t k = 0; k < 8; k++) {
        cb_store(b, CLIF_OP_STORE, g->mf, any(g, CLIF_F64), g->mem, 384 + 8 * k);
        cb_store(b, CLIF_OP_STORE, g->mf, any(g, CLIF_F32), g->mem, 448 + 8 * k);
    }
    ClifValue ret = any(g, CLIF_I64);
    cb_return(b, &ret, 1);
}

static bool same_memory(const uint8_t *a, const uint8_t *b) {
    if (memcmp(a, b, 384)) return false;
    for (int k = 384; k < 448; k += 8) {
        double u, v;
        memcpy(&u, a + k, 8);
        memcpy(&v, b + k, 8);
        if (memcmp(&u, &v, 8) && (u == u || v == v)) return false;
    }
    for (int k = 448; k < 512; k += 8) {
        float u, v;
        memcpy(&u, a + k, 4);
        memcpy(&v, b + k, 4);
        if (memcmp(&u, &v, 4) && (u == u || v == v)) return false;
    }
    return true;
}

typedef uint64_t (*Fn)(void *, uint64_t, uint32_t, double, float);

static void check(Gen *g, uint64_t which, const char *what) {
    Exec *x = g->x;
    generate(g);
    exec_compile(x);
    uint64_t *val = calloc(x->f.values.n, sizeof *val);
    for (int run = 0; run < 3; run++) {
        uint8_t ours[BUF], model[BUF], slots[64] = {0};
        for (int k = 0; k < BUF; k++) ours[k] = model[k] = (uint8_t)rnd(&seed);
        uint64_t a = (uint64_t)number();
        uint32_t b = (uint32_t)number();
        double c = (double)number() / 4;
        float d = (float)number() / 2;
        memset(val, 0, x->f.values.n * sizeof *val);
        val[0] = (uint64_t)(uintptr_t)model;
        val[1] = a;
        val[2] = b;
        val[3] = m_from(c, CLIF_F64);
        val[4] = m_from(d, CLIF_F32);
        Model m = {.f = &x->f, .val = val, .slots = slots};
        volatile uint64_t want = m_run(&m);
        volatile uint64_t got = 0;
        ClifTrap trap = EXEC({ got = EXEC_FN(x, Fn)(ours, a, b, c, d); });
        if (trap != m.trap || (!trap && got != want) || !same_memory(ours, model)) {
            exec_show(x, NULL);
            print_message("function %llu, %s, arguments %llx %x %g %g: trap %u, model %u; result "
                          "%llx, model %llx\n",
                          (unsigned long long)which, what, (unsigned long long)a, b, c, (double)d,
                          trap, m.trap, (unsigned long long)got, (unsigned long long)want);
            for (int k = 0; k < BUF; k += 8)
                if (memcmp(ours + k, model + k, 8))
                    print_message("  memory at %d: %016llx, model %016llx\n", k,
                                  (unsigned long long)m_load((uintptr_t)(ours + k), 8),
                                  (unsigned long long)m_load((uintptr_t)(model + k), 8));
            fail();
        }
    }
    free(val);
}

static uint64_t first_seed = 0,
                functions = 300; /* from the command line: functions per setting, first seed */

#define F(n) ((uint64_t)1 << X64_HAS_##n)
static void agree_with_the_model(void **state) {
    (void)state;
    static Gen g;
    static Exec x;
    exec_init(&x);
    g.x = &x;
    uint64_t host = x64_host_flags();
    const struct {
        const char *name;
        uint64_t flags;
    } sets[] = {{"baseline", 0},     {"host", host},        {"sse4.1", F(SSE41)},
                {"avx", F(AVX)},     {"bmi1", F(BMI1)},     {"bmi2", F(BMI2)},
                {"lzcnt", F(LZCNT)}, {"popcnt", F(POPCNT)}, {"host", host}};
    for (unsigned k = 0; k < sizeof sets / sizeof *sets; k++) {
        if (sets[k].flags & ~host) continue;
        for (int how = 0; how < 6;
             how++) { /* as it is, under stress, with traps raised by calls; each allocator */
            exec_settings(&x, sets[k].flags, how % 3 == 1 ? 77 + k : 0, how % 3 == 2);
            for (uint64_t n = 0; n < functions; n++) {
                seed = ((first_seed * 1000 + k) * 10 + (uint64_t)how) * 1000000 + n;
                check(&g, seed, sets[k].name);
            }
        }
    }
    exec_free(&x);
}

struct Two {
    uint64_t a, b;
};
typedef struct Two (*Two)(uint64_t);

/* Operators whose results depend on where code and stack are. */
static void addresses_and_frames(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    ClifBuilder *b = &x.b;
    const ClifAbiParam p = {.type = CLIF_I64}, r[4] = {{.type = CLIF_I64}, {.type = CLIF_I64}};
    for (int what = 0; what < 6; what++) {
        exec_begin(&x, CLIF_CC_SYSTEM_V, &p, 1, r, 2);
        uint16_t mf = clif_intern_memflags(&x.f, (ClifMemFlags){.region = CLIF_NONE});
        ClifValue v[2];
#define OP0(OP, A, B) \
    cb_ins1(b, (ClifInstData){.op = CLIF_OP_##OP, .type = CLIF_I64, .a = (A), .b = (B)}, CLIF_I64)
        if (what == 0) { /* two addresses in one stack slot */
            uint32_t s = clif_make_stack_slot(&x.f, 64, 4).i;
            v[0] = cb_binary(b, CLIF_OP_ISUB, OP0(STACK_ADDR, s, 40), OP0(STACK_ADDR, s, 8));
            v[1] = cb_iconst(b, CLIF_I64, 32);
        } else if (what == 1) { /* the function's own address, as a symbol and as a function */
            ClifSigRef sig = clif_import_sig(&x.f, CLIF_CC_SYSTEM_V, &p, 1, r, 2);
            ClifName me = clif_user_name(0, 0);
            ClifFuncRef fn = clif_import_func(&x.f, (ClifExtFunc){.name = me, .sig = sig});
            ClifGlobalValue gv = clif_make_gv(
                &x.f, (ClifGlobalValueData){
                          .kind = CLIF_GV_SYMBOL, .type = CLIF_I64, .name = me, .offset = 5});
            v[0] = OP0(SYMBOL_VALUE, gv.i, 0);
            v[1] = cb_binary(b, CLIF_OP_IADD, OP0(FUNC_ADDR, fn.i, 0), cb_iconst(b, CLIF_I64, 5));
        } else if (what == 2) { /* the return address lies above the frame pointer */
            v[0] = OP0(GET_RETURN_ADDRESS, 0, 0);
            v[1] = cb_load(b, CLIF_OP_LOAD, CLIF_I64, mf, OP0(GET_FRAME_POINTER, 0, 0), 8);
        } else if (what == 3) { /* the stack pointer is a whole frame below it */
            clif_make_stack_slot(&x.f, 4096, 4);
            v[0] = cb_icmp(b, CLIF_UGE,
                           cb_binary(b, CLIF_OP_ISUB, OP0(GET_FRAME_POINTER, 0, 0),
                                     OP0(GET_STACK_POINTER, 0, 0)),
                           cb_iconst(b, CLIF_I64, 4096));
            v[0] = cb_unary(b, CLIF_OP_UEXTEND, CLIF_I64, v[0]);
            v[1] = cb_iconst(b, CLIF_I64, 1);
        } else if (what == 4) {
            ClifBlock stop = cb_create_block(b), on = cb_create_block(b);
            v[0] = v[1] = (ClifValue){0};
            cb_ins(b, (ClifInstData){.op = CLIF_OP_NOP});
            cb_brif(b, v[0], on, NULL, 0, stop, NULL, 0); /* it is 9 */
            cb_switch_to(b, stop);
            cb_ins(b, (ClifInstData){.op = CLIF_OP_DEBUGTRAP});
            cb_jump(b, on, NULL, 0);
            cb_switch_to(b, on);
        } else {
            cb_trap(b, 17);
        }
        if (what != 5) cb_return(b, v, 2);
        exec_compile(&x);
        volatile struct Two got = {0, 1};
        ClifTrap trap = EXEC({
            struct Two t = EXEC_FN(&x, Two)(9);
            got.a = t.a;
            got.b = t.b;
        });
        assert_int_equal(trap, what == 5 ? 17 : CLIF_TRAP_NONE);
        if (what != 5) assert_int_equal(got.a, got.b);
    }
    exec_free(&x);
}

/* Operators that no Wasm operator becomes: byte products, sign bits of float lanes, fused multiply-add of scalars. */
static void operators_beyond_wasm(void **state) {
    (void)state;
    static Exec x;
    exec_init(&x);
    ClifBuilder *b = &x.b;
    const ClifAbiParam p = {.type = CLIF_I64};
    for (int n = 0; n < 200; n++) {
        uint64_t features = n & 1 ? x64_host_flags() : 0;
        exec_settings(&x, features, n % 5 == 4 ? (uint64_t)n : 0, false);
        exec_begin(&x, CLIF_CC_SYSTEM_V, &p, 1, NULL, 0);
        uint16_t mf = clif_intern_memflags(&x.f, (ClifMemFlags){.region = CLIF_NONE});
        ClifValue m = {0};
        ClifValue u = cb_load(b, CLIF_OP_LOAD, CLIF_I8X16, mf, m, 0),
                  v = cb_load(b, CLIF_OP_LOAD, CLIF_I8X16, mf, m, 16);
        cb_store(b, CLIF_OP_STORE, mf, cb_binary(b, CLIF_OP_IMUL, u, v), m, 64);
        cb_store(b, CLIF_OP_STORE, mf,
                 cb_unary(b, CLIF_OP_VHIGH_BITS, CLIF_I32,
                          cb_load(b, CLIF_OP_LOAD, CLIF_F32X4, mf, m, 0)),
                 m, 80);
        cb_store(b, CLIF_OP_STORE, mf,
                 cb_unary(b, CLIF_OP_VHIGH_BITS, CLIF_I32,
                          cb_load(b, CLIF_OP_LOAD, CLIF_F64X2, mf, m, 16)),
                 m, 84);
        ClifValue v3[3], f[3];
        for (int k = 0; k < 3; k++) {
            v3[k] = cb_load(b, CLIF_OP_LOAD, CLIF_F64, mf, m, 32 + 8 * k);
            f[k] = cb_unary(b, CLIF_OP_FDEMOTE, CLIF_F32, v3[k]);
        }
        cb_store(b, CLIF_OP_STORE, mf, cb_ternary(b, CLIF_OP_FMA, v3[0], v3[1], v3[2]), m, 88);
        cb_store(b, CLIF_OP_STORE, mf, cb_ternary(b, CLIF_OP_FMA, f[0], f[1], f[2]), m, 96);
        cb_return(b, NULL, 0);
        exec_compile(&x);
        seed = (uint64_t)n;
        _Alignas(16) uint8_t buf[112], want[112];
        for (int k = 0; k < 32; k++) buf[k] = (uint8_t)rnd(&seed);
        double d[3] = {(double)number() / 3, (double)number() / 7, (double)number()};
        memcpy(buf + 32, d, 24);
        memset(buf + 56, 0, 56);
        memcpy(want, buf, 112);
        for (int k = 0; k < 16; k++) want[64 + k] = (uint8_t)(buf[k] * buf[16 + k]);
        uint32_t signs32 = 0, signs64 = buf[23] >> 7 | (uint32_t)buf[31] >> 7 << 1;
        for (int k = 0; k < 4; k++) signs32 |= (uint32_t)buf[4 * k + 3] >> 7 << k;
        memcpy(want + 80, &signs32, 4);
        memcpy(want + 84, &signs64, 4);
        double r = fma(d[0], d[1], d[2]);
        float s = fmaf((float)d[0], (float)d[1], (float)d[2]);
        memcpy(want + 88, &r, 8);
        memcpy(want + 96, &s, 4);
        assert_int_equal(EXEC({ EXEC_FN(&x, void (*)(uint8_t *))(buf); }), CLIF_TRAP_NONE);
        assert_memory_equal(buf, want, 112);
    }
    exec_free(&x);
}

#ifdef COT_CHECKED
static void every_rule_fires(void **state) {
    (void)state;
    unsigned missing = 0;
    bool found;
    uint64_t all = x64_preset_flags("x86-64-v3", &found);
    if ((x64_host_flags() & all) != all)
        skip(); /* rules for what this processor lacks were not tried */
    for (unsigned r = 0; r < x64_isle_rule_count; r++) {
        if (x64_rule_hits[r]) continue;
        missing++;
        print_message("%s:%u: rule %s never fired\n", x64_isle_rules[r].file,
                      x64_isle_rules[r].line, x64_isle_rules[r].name);
    }
    assert_int_equal(missing, 0);
}
#endif

int main(int argc, char **argv) {
    if (argc > 1) functions = strtoull(argv[1], NULL, 10);
    if (argc > 2) first_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree_with_the_model),
        cmocka_unit_test(addresses_and_frames),
        cmocka_unit_test(vectors_agree),
        cmocka_unit_test(operators_beyond_wasm),
        cmocka_unit_test(operators_agree_with_the_interpreter),
#ifdef COT_CHECKED
        cmocka_unit_test(every_rule_fires),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
