/* Operators against the host's arithmetic, and against definitions written another way. */
#include <math.h>
#include <stdlib.h>
#include "cm.h"
#include "sem/sem.h"

static uint64_t seed = 1;
static SemU128 random_bits(unsigned bits) { /* edges often */
    SemU128 x = (SemU128)rnd(&seed) << 64 | rnd(&seed),
            m = bits == 128 ? ~(SemU128)0 : ((SemU128)1 << bits) - 1;
    switch (rnd(&seed) % 6) {
    case 0: x >>= rnd(&seed) % 128; break;
    case 1: x = (SemU128)0 - rnd(&seed) % 4; break;
    case 2: x = ((SemU128)1 << (bits - 1)) + rnd(&seed) % 3 - 1; break;
    case 3: x = rnd(&seed) % 4; break;
    default: break;
    }
    return x & m;
}
static SemStatus run(ClifOp op, ClifType ctrl, const SemValue *in, uint32_t n, uint16_t aux,
                     SemValue out[2], ClifTrap *trap) {
    SemArgs a = {.op = op, .ctrl = ctrl, .in = in, .n = n, .aux = aux};
    SemStatus st = sem_eval(&a, out);
    if (trap) *trap = a.trap;
    return st;
}
static SemU128 run2(ClifOp op, ClifType t, SemU128 x, SemU128 y) {
    SemValue in[2] = {sem_int(t, x), sem_int(t, y)}, out[2];
    assert_int_equal(run(op, t, in, 2, 0, out, NULL), SEM_OK);
    return sem_bits(out[0]);
}
static SemU128 run1(ClifOp op, ClifType t, SemU128 x) {
    SemValue in = sem_int(t, x), out[2];
    assert_int_equal(run(op, t, &in, 1, 0, out, NULL), SEM_OK);
    return sem_bits(out[0]);
}

static void integers_agree_with_wider_arithmetic(void **st) {
    (void)st;
    for (int k = 0; k < 200000; k++) {
        unsigned log2 = 3 + (unsigned)k % 4, bits = 1u << log2;
        ClifType t = (ClifType)(CLIF_I8 + log2 - 3);
        SemU128 m = ((SemU128)1 << bits) - 1, x = random_bits(bits), y = random_bits(bits);
        SemI128 sx = (SemI128)(x << (128 - bits)) >> (128 - bits),
                sy = (SemI128)(y << (128 - bits)) >> (128 - bits);
        SemI128 top = (SemI128)1 << (bits - 1);
        unsigned sh = (unsigned)(y % bits);
        assert_true(run2(CLIF_OP_IADD, t, x, y) == ((x + y) & m));
        assert_true(run2(CLIF_OP_IMUL, t, x, y) == ((x * y) & m));
        assert_true(run2(CLIF_OP_UMULHI, t, x, y) == (x * y >> bits));
        assert_true(run2(CLIF_OP_SMULHI, t, x, y) == ((SemU128)(sx * sy >> bits) & m));
        assert_true(run2(CLIF_OP_AVG_ROUND, t, x, y) == (x + y + 1) / 2);
        assert_true(run2(CLIF_OP_UADD_SAT, t, x, y) == (x + y > m ? m : x + y));
        SemI128 d = sx - sy;
        assert_true(run2(CLIF_OP_SSUB_SAT, t, x, y) == ((SemU128)(d < -top   ? -top
                                                                  : d >= top ? top - 1
                                                                             : d) &
                                                        m));
        assert_true(run2(CLIF_OP_ROTL, t, x, y) == (((x << sh | x >> (sh ? bits - sh : 0)) & m)));
        assert_true(run2(CLIF_OP_SSHR, t, x, y) == ((SemU128)(sx >> sh) & m));
        SemValue in[2] = {sem_int(t, x), sem_int(t, y)}, out[2];
        ClifTrap trap;
        SemStatus s = run(CLIF_OP_SDIV, t, in, 2, 0, out, &trap);
        if (!y)
            assert_true(s == SEM_TRAP && trap == CLIF_TRAP_INTEGER_DIVISION_BY_ZERO);
        else if (sx == -top && sy == -1)
            assert_true(s == SEM_TRAP && trap == CLIF_TRAP_INTEGER_OVERFLOW);
        else
            assert_true(s == SEM_OK && sem_bits(out[0]) == ((SemU128)(sx / sy) & m));
        run(CLIF_OP_SADD_OVERFLOW, t, in, 2, 0, out, NULL);
        assert_int_equal(out[1].w[0], sx + sy < -top || sx + sy >= top);
        run(CLIF_OP_USUB_OVERFLOW, t, in, 2, 0, out, NULL);
        assert_int_equal(out[1].w[0], x < y);
        run(CLIF_OP_SMUL_OVERFLOW, t, in, 2, 0, out, NULL);
        assert_int_equal(out[1].w[0], sx * sy < -top || sx * sy >= top);
        unsigned ones = 0, lead = 0;
        for (unsigned b = 0; b < bits; b++) ones += x >> b & 1;
        while (lead < bits && !(x >> (bits - 1 - lead) & 1)) lead++;
        assert_true(run1(CLIF_OP_POPCNT, t, x) == ones && run1(CLIF_OP_CLZ, t, x) == lead);
        assert_true(run1(CLIF_OP_BITREV, t, run1(CLIF_OP_BITREV, t, x)) == x);
    }
}

/* 128-bit products by 32-bit digits. */
static void wide_products_agree_with_school_multiplication(void **st) {
    (void)st;
    for (int k = 0; k < 20000; k++) {
        SemU128 x = random_bits(128), y = random_bits(128);
        uint32_t r[8] = {0};
        for (int i = 0; i < 4; i++) {
            uint64_t carry = 0;
            for (int j = 0; j < 4; j++) {
                uint64_t p = (uint64_t)(uint32_t)(x >> (32 * i)) * (uint32_t)(y >> (32 * j)) +
                             r[i + j] + carry;
                r[i + j] = (uint32_t)p;
                carry = p >> 32;
            }
            r[i + 4] = (uint32_t)carry;
        }
        SemU128 high = (SemU128)r[7] << 96 | (SemU128)r[6] << 64 | (SemU128)r[5] << 32 | r[4];
        assert_true(run2(CLIF_OP_UMULHI, CLIF_I128, x, y) == high);
        if (x >> 127) high -= y;
        if (y >> 127) high -= x;
        assert_true(run2(CLIF_OP_SMULHI, CLIF_I128, x, y) == high);
    }
}

static double f64_of(SemU128 x) {
    uint64_t b = (uint64_t)x;
    double d;
    memcpy(&d, &b, 8);
    return d;
}
static float f32_of(SemU128 x) {
    uint32_t b = (uint32_t)x;
    float d;
    memcpy(&d, &b, 4);
    return d;
}
static SemU128 of_f32(float f) {
    uint32_t b;
    memcpy(&b, &f, 4);
    return b;
}
static SemU128 of_f64(double f) {
    uint64_t b;
    memcpy(&b, &f, 8);
    return b;
}
static SemU128 convert(ClifOp op, ClifType from, ClifType to, SemU128 x, ClifTrap *trap) {
    SemValue in = sem_int(from, x), out[2] = {{{0, 0}, 0}};
    SemStatus s = run(op, to, &in, 1, 0, out, trap);
    assert_true(s == SEM_OK || (s == SEM_TRAP && trap));
    return sem_bits(out[0]);
}

static SemU128 random_f64(void) { /* exponents near 1 often, so that rounding matters */
    uint64_t x = rnd(&seed);
    if (rnd(&seed) % 4) x = (x & 0x800FFFFFFFFFFFFFu) | (1023 - 70 + rnd(&seed) % 200) << 52;
    if (rnd(&seed) % 8 == 0) x &= ~(uint64_t)0 << (rnd(&seed) % 53);
    return x;
}

static void floats_agree_with_the_host(void **st) {
    (void)st;
    static const ClifOp round_ops[] = {CLIF_OP_CEIL, CLIF_OP_FLOOR, CLIF_OP_TRUNC, CLIF_OP_NEAREST};
    for (int k = 0; k < 200000; k++) {
        SemU128 x = random_f64();
        double d = f64_of(x);
        if (d != d) continue;
        double want[] = {ceil(d), floor(d), trunc(d), nearbyint(d)};
        for (int j = 0; j < 4; j++) assert_true(run1(round_ops[j], CLIF_F64, x) == of_f64(want[j]));
        SemU128 f = convert(CLIF_OP_FDEMOTE, CLIF_F64, CLIF_F32, x, NULL);
        assert_true(f == of_f32((float)d));
        assert_true(convert(CLIF_OP_FPROMOTE, CLIF_F32, CLIF_F64, f, NULL) ==
                    of_f64((double)f32_of(f)));
        SemU128 q = convert(CLIF_OP_FPROMOTE, CLIF_F64, CLIF_F128, x, NULL);
        assert_true(convert(CLIF_OP_FDEMOTE, CLIF_F128, CLIF_F64, q, NULL) == x);
        assert_true(convert(CLIF_OP_FDEMOTE, CLIF_F128, CLIF_F32, q, NULL) == f);
        ClifTrap trap;
        SemU128 i = convert(CLIF_OP_FCVT_TO_SINT, CLIF_F64, CLIF_I64, x, &trap);
        bool fits = d >= -9223372036854775808.0 && d < 9223372036854775808.0;
        assert_int_equal(trap == CLIF_TRAP_NONE, fits);
        if (fits) assert_true(i == (uint64_t)(int64_t)d);
        i = convert(CLIF_OP_FCVT_TO_UINT_SAT, CLIF_F64, CLIF_I32, x, NULL);
        assert_true(i == (d <= 0 ? 0 : d >= 4294967295.0 ? 4294967295u : (uint32_t)d));
        uint64_t n = (uint64_t)random_bits(64);
        assert_true(convert(CLIF_OP_FCVT_FROM_UINT, CLIF_I64, CLIF_F32, n, NULL) ==
                    of_f32((float)n));
        assert_true(convert(CLIF_OP_FCVT_FROM_SINT, CLIF_I64, CLIF_F64, n, NULL) ==
                    of_f64((double)(int64_t)n));
        double e = f64_of(random_f64());
        SemValue in[2] = {sem_int(CLIF_F64, x), sem_int(CLIF_F64, of_f64(e))}, out[2];
        run(CLIF_OP_FCMP, CLIF_F64, in, 2, CLIF_FULE, out, NULL);
        assert_int_equal(out[0].w[0], !(d > e));
        run(CLIF_OP_FCMP, CLIF_F64, in, 2, CLIF_FONE, out, NULL);
        assert_int_equal(out[0].w[0], d < e || d > e);
    }
}

/* Every f16 number, and the nearest one found by comparing with both neighbours. */
static void half_floats_are_exact(void **st) {
    (void)st;
    double value[0x7C01];
    for (uint32_t h = 0; h <= 0x7C00; h++) {
        double want = h < 0x400 ? ldexp(h, -24) : ldexp(0x400 | (h & 0x3FF), (int)(h >> 10) - 25);
        value[h] = h == 0x7C00 ? 65536.0 : want; /* what infinity stands for when rounding */
        if (h < 0x7C00)
            assert_true(f64_of(convert(CLIF_OP_FPROMOTE, CLIF_F16, CLIF_F64, h, NULL)) == want);
        assert_true(convert(CLIF_OP_FDEMOTE, CLIF_F32, CLIF_F16,
                            convert(CLIF_OP_FPROMOTE, CLIF_F16, CLIF_F32, h, NULL), NULL) == h);
    }
    for (int k = 0; k < 100000; k++) {
        uint32_t h = (uint32_t)(rnd(&seed) % 0x7C00);
        double lo = value[h], hi = value[h + 1], part = (double)(rnd(&seed) % 9) / 8,
               d = lo + (hi - lo) * part;
        uint32_t want = part < 0.5 || (part == 0.5 && !(h & 1)) ? h : h + 1;
        assert_int_equal(convert(CLIF_OP_FDEMOTE, CLIF_F64, CLIF_F16, of_f64(d), NULL), want);
        /* sums and products of f16 are exact in f64 */
        uint32_t g = (uint32_t)(rnd(&seed) % 0x7C00);
        assert_int_equal(
            run2(CLIF_OP_FADD, CLIF_F16, h, g),
            convert(CLIF_OP_FDEMOTE, CLIF_F64, CLIF_F16, of_f64(value[h] + value[g]), NULL));
        assert_int_equal(
            run2(CLIF_OP_FMUL, CLIF_F16, h, g),
            convert(CLIF_OP_FDEMOTE, CLIF_F64, CLIF_F16, of_f64(value[h] * value[g]), NULL));
        SemValue in[3] = {sem_int(CLIF_F16, h), sem_int(CLIF_F16, 0x3C00), sem_int(CLIF_F16, g)},
                 out[2];
        assert_int_equal(run(CLIF_OP_FMA, CLIF_F16, in, 3, 0, out, NULL), SEM_OK);
        assert_true(sem_bits(out[0]) == run2(CLIF_OP_FADD, CLIF_F16, h, g)); /* x * 1 + z */
    }
}

static void nans_come_out_quiet(void **st) {
    (void)st;
    assert_true(convert(CLIF_OP_FDEMOTE, CLIF_F64, CLIF_F32, (SemU128)0xFFF0000020000000u, NULL) ==
                0xFFC00001u);
    assert_true(convert(CLIF_OP_FPROMOTE, CLIF_F32, CLIF_F64, 0x7F800001u, NULL) ==
                (SemU128)0x7FF8000020000000u);
    assert_true(run2(CLIF_OP_FMIN, CLIF_F32, 0x3F800000u, 0x7F800001u) == 0x7FC00001u);
    assert_true(run2(CLIF_OP_FMAX, CLIF_F64, 0, (SemU128)1 << 63) == 0);
    assert_true(run2(CLIF_OP_FMIN, CLIF_F64, 0, (SemU128)1 << 63) == (SemU128)1 << 63);
    SemU128 q = (SemU128)0x7FFF << 112 | 5, quiet = q | (SemU128)1 << 111,
            one = (SemU128)0x3FFF << 112;
    assert_true(run2(CLIF_OP_FSUB, CLIF_F128, one, q) == quiet);
    assert_true(run2(CLIF_OP_FDIV, CLIF_F128, q, one) == quiet);
    assert_true(run1(CLIF_OP_SQRT, CLIF_F128, q) == quiet);
}

#ifdef __SIZEOF_FLOAT128__ /* the compiler has f128 arithmetic of its own */
typedef __float128 Quad;
static Quad quad(SemU128 x) {
    Quad q;
    memcpy(&q, &x, 16);
    return q;
}
static SemU128 of_quad(Quad q) {
    SemU128 x;
    memcpy(&x, &q, 16);
    return x;
}
static SemU128 run3(ClifOp op, ClifType t, SemU128 x, SemU128 y, SemU128 z) {
    SemValue in[3] = {sem_int(t, x), sem_int(t, y), sem_int(t, z)}, out[2];
    assert_int_equal(run(op, t, in, 3, 0, out, NULL), SEM_OK);
    return sem_bits(out[0]);
}
static SemU128 random_quad(void) {
    SemU128 x = (SemU128)rnd(&seed) << 64 | rnd(&seed),
            keep = ((SemU128)1 << 127) | (((SemU128)1 << 112) - 1);
    uint64_t how = rnd(&seed) % 16;
    if (how == 0) return x & (SemU128)1 << 127; /* zero */
    if (how == 1) x &= keep;                    /* subnormal */
    if (how > 3) x = (x & keep) | (SemU128)(0x3FFF - 130 + rnd(&seed) % 260) << 112;
    if (how % 4 == 2) x &= ~(SemU128)0 << rnd(&seed) % 113;
    return x;
}
static bool same_quad(SemU128 ours, Quad theirs) {
    return theirs != theirs ? quad(ours) != quad(ours) : ours == of_quad(theirs);
}

static void quads_agree_with_the_compiler(void **st) {
    (void)st;
    const ClifType t = CLIF_F128;
    for (int k = 0; k < 300000; k++) {
        SemU128 x = random_quad(),
                y = rnd(&seed) % 8 ? random_quad() : x ^ (SemU128)(rnd(&seed) % 4);
        assert_true(same_quad(run2(CLIF_OP_FADD, t, x, y), quad(x) + quad(y)));
        assert_true(same_quad(run2(CLIF_OP_FSUB, t, x, y), quad(x) - quad(y)));
        assert_true(same_quad(run2(CLIF_OP_FMUL, t, x, y), quad(x) * quad(y)));
        assert_true(same_quad(run2(CLIF_OP_FDIV, t, x, y), quad(x) / quad(y)));
        /* a product of 56-bit numbers is exact, so the fused sum is the plain one */
        SemU128 low = ((SemU128)1 << 57) - 1, a = x & ~low, b = y & ~low, c = random_quad();
        Quad p = quad(a) * quad(b);
        unsigned e = (unsigned)(of_quad(p) >> 112 & 0x7FFF);
        if (e > 300 && e < 0x7FFF)
            assert_true(same_quad(run3(CLIF_OP_FMA, t, a, b, c), p + quad(c)));
    }
}

/* What rounding took from a product, found by cutting both factors in halves, is what the fused operation finds. */
static void fused_quads_lose_nothing(void **st) {
    (void)st;
    const ClifType t = CLIF_F128;
    const Quad cut = (Quad)(1ull << 57) + 1;
    for (int k = 0; k < 100000; k++) {
        SemU128 m = (((SemU128)1 << 112) - 1) | (SemU128)1 << 127, e = (SemU128)0x3FFF << 112;
        SemU128 x = ((((SemU128)rnd(&seed) << 64) | rnd(&seed)) & m) | e,
                y = ((((SemU128)rnd(&seed) << 64) | rnd(&seed)) & m) | e;
        volatile Quad a = quad(x), b = quad(y), p = a * b, ca = a * cut, cb = b * cut;
        volatile Quad ah = ca - a, bh = cb - b;
        ah = ca - ah, bh = cb - bh;
        volatile Quad al = a - ah, bl = b - bh, lost = ah * bh - p;
        lost = lost + ah * bl;
        lost = lost + al * bh;
        lost = lost + al * bl;
        assert_true(quad(run3(CLIF_OP_FMA, t, x, y, of_quad(-p))) == lost);
    }
}

/* A root's square, compared without rounding, is within half a last place of both sides. */
static void roots_of_quads_are_rounded(void **st) {
    (void)st;
    const ClifType t = CLIF_F128;
    for (int k = 0; k < 100000; k++) {
        SemU128 x = random_quad() & ~((SemU128)1 << 127);
        unsigned e = (unsigned)(x >> 112);
        if (e < 300 || e == 0x7FFF) continue;
        SemU128 r = run1(CLIF_OP_SQRT, t, x);
        Quad rest = quad(run3(CLIF_OP_FMA, t, r, r, x ^ (SemU128)1 << 127)), root = quad(r),
             place = quad(r + 1) - root;
        assert_true(rest <= root * place && -rest <= root * place);
        double d = (double)quad(x);
        if ((Quad)d == quad(x) && d < 1e15 && d == floor(d))
            assert_true(quad(run1(CLIF_OP_SQRT, t, of_quad((Quad)d * (Quad)d))) == (Quad)d);
    }
    SemU128 minus = (SemU128)1 << 127, inf = (SemU128)0x7FFF << 112;
    assert_true(run1(CLIF_OP_SQRT, t, minus) == minus && run1(CLIF_OP_SQRT, t, inf) == inf);
    assert_true(run1(CLIF_OP_SQRT, t, minus | (SemU128)0x3FFF << 112) ==
                (minus | inf | (SemU128)1 << 111));
    assert_true(run1(CLIF_OP_SQRT, t, 4) ==
                of_quad(quad((SemU128)(0x3FFF - 8246) << 112))); /* 4 * 2^-16494 */
}
#endif

/* A vector operator is its scalar operator on every lane. */
static void lanes_are_independent(void **st) {
    (void)st;
    static const ClifOp ops[] = {CLIF_OP_IADD, CLIF_OP_ISUB,   CLIF_OP_IMUL, CLIF_OP_SMIN,
                                 CLIF_OP_UMAX, CLIF_OP_SMULHI, CLIF_OP_BXOR};
    for (int k = 0; k < 20000; k++) {
        unsigned log2 = 3 + (unsigned)k % 4, bits = 1u << log2, lanes = 128 / bits;
        ClifType lane = (ClifType)(CLIF_I8 + log2 - 3), t = clif_vector_of(lane, 7 - log2);
        SemU128 x = random_bits(128), y = random_bits(128), m = ((SemU128)1 << bits) - 1;
        ClifOp op = ops[rnd(&seed) % (sizeof ops / sizeof *ops)];
        SemU128 r = run2(op, t, x, y);
        for (unsigned i = 0; i < lanes; i++)
            assert_true((r >> (bits * i) & m) ==
                        run2(op, lane, x >> (bits * i) & m, y >> (bits * i) & m));
    }
}

static void bytes_move_as_told(void **st) {
    (void)st;
    SemValue a = sem_int(CLIF_I16X4, 0x0004000300020001u), out[2];
    SemArgs args = {.op = CLIF_OP_BITCAST, .ctrl = CLIF_I64, .in = &a, .n = 1};
    assert_int_equal(sem_eval(&args, out), SEM_OK);
    assert_true(out[0].w[0] == 0x0004000300020001u);
    args.big = true; /* lane 0 comes first in memory, so it is on top of a big-endian integer */
    assert_int_equal(sem_eval(&args, out), SEM_OK);
    assert_true(out[0].w[0] == 0x0001000200030004u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_agree_with_wider_arithmetic),
        cmocka_unit_test(wide_products_agree_with_school_multiplication),
        cmocka_unit_test(floats_agree_with_the_host),
        cmocka_unit_test(half_floats_are_exact),
        cmocka_unit_test(nans_come_out_quiet),
        cmocka_unit_test(lanes_are_independent),
        cmocka_unit_test(bytes_move_as_told),
#ifdef __SIZEOF_FLOAT128__
        cmocka_unit_test(quads_agree_with_the_compiler),
        cmocka_unit_test(fused_quads_lose_nothing),
        cmocka_unit_test(roots_of_quads_are_rounded),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
