/* Floating point: edge values through all operators, comparisons, conversions in both directions, printf of them. */
#include "prog.h"
#include <float.h>
#include <math.h>

static double dv[64];
static float fv[64];
static int nd, nf;

static double bits64(uint64_t u) {
    double d;
    memcpy(&d, &u, 8);
    return d;
}
static float bits32(uint32_t u) {
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static void fill(void) {
    static const uint64_t d[] = {0, 1, 0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000,
        0xbff0000000000000, 0x3ff0000000000001, 0x3fefffffffffffff, 0x4000000000000000, 0x3fe0000000000000,
        0x3fd5555555555555, 0x400921fb54442d18, 0xc005bf0a8b145769, 0x41dfffffffc00000, 0x41e0000000000000,
        0x41efffffffe00000, 0x41f0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x43dfffffffffffff,
        0x43e0000000000000, 0x43efffffffffffff, 0xc3e0000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
        0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x8000000000000000, 0x3fb999999999999a,
        0x4059000000000000, 0x408f400000000000, 0x40f86a0000000000, 0x3ff8000000000000, 0xbfe0000000000000,
        0x4330000000000000, 0x4340000000000001, 0x432fffffffffffff, 0x36a0000000000000, 0x3690000000000001};
    static const uint32_t f[] = {0, 1, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff,
        0x40000000, 0x3f000000, 0x3eaaaaab, 0x40490fdb, 0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000, 0xcf000000,
        0x5effffff, 0x5f000000, 0x5f7fffff, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x80000000,
        0x3dcccccd, 0x42c80000, 0x4b000000, 0x4b7fffff, 0xbf000000, 0x3fc00000};
    for (int i = 0; i < COUNT(d); i++)
        dv[nd++] = bits64(d[i]);
    for (int i = 0; i < COUNT(f); i++)
        fv[nf++] = bits32(f[i]);
    while (nd < 60)
        dv[nd++] = bits64(rnd());
    while (nf < 60)
        fv[nf++] = bits32((uint32_t)rnd());
}

static void doubles(void) {
    for (int i = 0; i < nd; i++) {
        volatile double va = dv[i];
        double a = va;
        mix_f64(-a), mix_f64(fabs(a)), mix_f64(sqrt(a)), mix_f64(ceil(a)), mix_f64(floor(a)), mix_f64(trunc(a));
        mix_f64(rint(a)), mix_f64(nearbyint(a)), mix_f64(round(a)), mix_f32((float)a);
        mix((uint64_t)(isnan(a) != 0) | (uint64_t)(isinf(a) != 0) << 1 | (uint64_t)(signbit(a) != 0) << 2 |
            (uint64_t)(isfinite(a) != 0) << 3);
        for (int j = 0; j < nd; j++) {
            volatile double vb = dv[j];
            double b = vb;
            mix_f64(a + b), mix_f64(a - b), mix_f64(a * b), mix_f64(a / b), mix_f64(copysign(a, b));
            mix_f64(a < b ? a : b), mix_f64(a > b ? a : b), mix_f64(fmin(a, b) + 0.0), mix_f64(fmax(a, b) + 0.0);
            mix((a < b) | (a <= b) << 1 | (a > b) << 2 | (a >= b) << 3 | (a == b) << 4 | (a != b) << 5 |
                (uint64_t)(isunordered(a, b) != 0) << 6);
            if (!(a < b))
                mix(1);
            if (!(a >= b))
                mix(2);
            if (fabs(a) < 1e100 && fabs(b) < 1e50 && fabs(b) > 1e-50)
                mix_f64(fmod(a, b));
        }
    }
    show("double");
}

static void singles(void) {
    for (int i = 0; i < nf; i++) {
        volatile float va = fv[i];
        float a = va;
        mix_f32(-a), mix_f32(fabsf(a)), mix_f32(sqrtf(a)), mix_f32(ceilf(a)), mix_f32(floorf(a)), mix_f32(truncf(a));
        mix_f32(rintf(a)), mix_f64((double)a);
        for (int j = 0; j < nf; j++) {
            volatile float vb = fv[j];
            float b = vb;
            mix_f32(a + b), mix_f32(a - b), mix_f32(a * b), mix_f32(a / b), mix_f32(copysignf(a, b));
            mix((a < b) | (a <= b) << 1 | (a > b) << 2 | (a >= b) << 3 | (a == b) << 4 | (a != b) << 5);
            mix_f32(a < b ? a : b), mix_f32(b < a ? a : b);
        }
    }
    show("float");
}

static void conversions(void) {
    for (int i = 0; i < nd; i++) {
        double a = dv[i];
        if (a > -2147483649.0 && a < 2147483648.0)
            mix((uint64_t)(int32_t)a);
        if (a > -1.0 && a < 4294967296.0)
            mix((uint32_t)a);
        if (a >= -9223372036854775808.0 && a < 9223372036854775808.0)
            mix((uint64_t)(int64_t)a);
        if (a > -1.0 && a < 18446744073709551616.0)
            mix((uint64_t)a);
    }
    for (int i = 0; i < nf; i++) {
        float a = fv[i];
        if (a >= -2147483648.0f && a < 2147483648.0f)
            mix((uint64_t)(int32_t)a);
        if (a > -1.0f && a < 4294967296.0f)
            mix((uint32_t)a);
        if (a >= -9223372036854775808.0f && a < 9223372036854775808.0f)
            mix((uint64_t)(int64_t)a);
        if (a > -1.0f && a < 18446744073709551616.0f)
            mix((uint64_t)a);
    }
    for (int i = 0; i < 3000; i++) {
        uint64_t u = rnd() >> (i & 63);
        if (i % 5 == 0)
            u |= 1;
        if (i % 7 == 0)
            u = ~u;
        mix_f64((double)u), mix_f64((double)(int64_t)u), mix_f64((double)(uint32_t)u), mix_f64((double)(int32_t)u);
        mix_f32((float)u), mix_f32((float)(int64_t)u), mix_f32((float)(uint32_t)u), mix_f32((float)(int32_t)u);
    }
    show("conversions");
}

static void printing(void) {
    static const char *const formats[] = {"%g", "%e", "%f", "%.0f", "%.3f", "%.17g", "%a", "%10.2e", "%+.1f", "%-12g|", "% g", "%#g"};
    for (int i = 0; i < 41; i++)
        for (int j = 0; j < COUNT(formats); j++) {
            char text[512];
            double d = dv[i];
            if (d != d)
                d = bits64(0x7ff8000000000000ull); /* the sign of a NaN is not fixed */
            if (j == 6 && d != 0 && fabs(d) < DBL_MIN)
                continue; /* %a of a denormal is printed in more than one way */
            snprintf(text, sizeof text, formats[j], d);
            mix_text(text);
            if (i % 5 == 0)
                printf("%s ", text);
        }
    printf("\n");
    static const char *const inputs[] = {"1", "-2.5", "1e10", "1e-320", "0x1.8p3", "inf", "-Infinity", "1e400", "-1e-400",
        "3.14159265358979323846", "123456789012345678901234567890", "  42abc", "0.1", "4.9406564584124654e-324", "1e", ".5", "+7."};
    for (int i = 0; i < COUNT(inputs); i++) {
        char *end;
        double d = strtod(inputs[i], &end);
        float f = strtof(inputs[i], NULL);
        printf("%s -> %.17g %.9g rest '%s'\n", inputs[i], d, f, end);
    }
    show("printing");
}

int main(void) {
    fill();
    doubles();
    singles();
    conversions();
    printing();
    double sum = 0, c = 0;
    for (int i = 1; i <= 100000; i++) { /* Kahan */
        double y = 1.0 / i - c, t = sum + y;
        c = (t - sum) - y;
        sum = t;
    }
    printf("%.17g\n", sum);
    return 7;
}
