/* Rounding and fused multiplication in executables, against the C library's. */
#include "cm.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define nearbyint my_nearbyint
#define trunc my_trunc
#define floor my_floor
#define ceil my_ceil
#define nearbyintf my_nearbyintf
#define truncf my_truncf
#define floorf my_floorf
#define ceilf my_ceilf
#define fma my_fma
#define fmaf my_fmaf
double my_nearbyint(double), my_trunc(double), my_floor(double), my_ceil(double);
float my_nearbyintf(float), my_truncf(float), my_floorf(float), my_ceilf(float);
double my_fma(double, double, double);
float my_fmaf(float, float, float);
#include "exe/math.c"
#undef nearbyint
#undef trunc
#undef floor
#undef ceil
#undef nearbyintf
#undef truncf
#undef floorf
#undef ceilf
#undef fma
#undef fmaf

static uint64_t b64(double x) {
    uint64_t b;
    memcpy(&b, &x, 8);
    return b;
}
static uint32_t b32(float x) {
    uint32_t b;
    memcpy(&b, &x, 4);
    return b;
}
/* Any NaN stands for all. */
static void same64(double got, double want) {
    if (isnan(want))
        assert_true(isnan(got));
    else
        assert_true(b64(got) == b64(want));
}
static void same32(float got, float want) {
    if (isnan(want))
        assert_true(isnan(got));
    else
        assert_true(b32(got) == b32(want));
}

/* Numbers of every kind, many near integers and near each other. */
static double some64(uint64_t *s) {
    static const double odd[] = {0.0,
                                 -0.0,
                                 1.0,
                                 -1.0,
                                 0.5,
                                 -0.5,
                                 1.5,
                                 2.5,
                                 0x1p52,
                                 0x1p53,
                                 0x1p-1074,
                                 0x1p-1022,
                                 0x1.fffffffffffffp1023,
                                 INFINITY,
                                 -INFINITY,
                                 NAN};
    uint64_t b = rnd(s);
    double x;
    switch (rnd(s) % 6) {
    case 0: return odd[rnd(s) % 16];
    case 1: b = (b & ~(UINT64_C(0x7FF) << 52)) | (1023 - 30 + rnd(s) % 90) << 52; break;
    case 2: b &= ~(UINT64_C(0xFFFFFFF) << 8); break;
    case 3: b &= UINT64_C(1) << 63 | ((UINT64_C(1) << 53) - 1); break; /* small */
    case 4: return (double)(int64_t)(b >> 40) / 4 - 1000;
    }
    memcpy(&x, &b, 8);
    return x;
}
static float some32(uint64_t *s) {
    uint32_t b = (uint32_t)rnd(s);
    float x;
    switch (rnd(s) % 5) {
    case 0: return (float)some64(s);
    case 1: b = (b & ~(0xFFu << 23)) | (uint32_t)(127 - 20 + rnd(s) % 60) << 23; break;
    case 2: b &= 0x80FFFFFFu; break; /* small */
    case 3: return (float)((double)(int64_t)(b >> 12) / 4 - 1000);
    }
    memcpy(&x, &b, 4);
    return x;
}

static void rounding(void **st) {
    (void)st;
    uint64_t s = 1;
    for (int k = 0; k < 300000; k++) {
        double x = some64(&s);
        same64(my_nearbyint(x), nearbyint(x));
        same64(my_trunc(x), trunc(x));
        same64(my_floor(x), floor(x));
        same64(my_ceil(x), ceil(x));
        float y = some32(&s);
        same32(my_nearbyintf(y), nearbyintf(y));
        same32(my_truncf(y), truncf(y));
        same32(my_floorf(y), floorf(y));
        same32(my_ceilf(y), ceilf(y));
    }
}

static void fused(void **st) {
    (void)st;
    uint64_t s = 2;
    for (int k = 0; k < 2000000; k++) {
        double x = some64(&s), y = some64(&s), z = some64(&s);
        if (k % 4 == 1) z = -(x * y); /* what is left is the rounding error */
        if (k % 4 == 2) z = x * y * (k % 8 > 4 ? 0x1p53 : -0x1p-54); /* close calls */
        same64(my_fma(x, y, z), fma(x, y, z));
        float u = some32(&s), v = some32(&s), w = some32(&s);
        if (k % 4 == 1) w = -(u * v);
        if (k % 4 == 2) w = u * v * (k % 8 > 4 ? 0x1p24f : -0x1p-25f);
        same32(my_fmaf(u, v, w), fmaf(u, v, w));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rounding), cmocka_unit_test(fused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
